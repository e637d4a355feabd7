"""Where a result comes from: versions, the code, the commit, the machine."""

from __future__ import annotations

import functools
import hashlib
import platform
import subprocess
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("landscapes", "optimizers", "studies")
LIBRARIES = ("torch", "numpy", "numba", "xarray", "dask", "h5netcdf", "zarr")


def versions() -> dict[str, str]:
    """Name -> version of Python, of this package and of the libraries that results depend on; nothing is imported."""
    return {"python": platform.python_version(), "two-descents": _version("two-descents")} | {name: _version(name) for name in LIBRARIES}


def fingerprint() -> dict[str, str]:
    """What two processes must share to compute the same cells: the versions and a digest of our own source files."""
    return versions() | {"code": code()}


@functools.cache
def code() -> str:
    """Digest of every source file of this package, as found when first asked."""
    files = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def commit() -> str:
    """The git commit of the code, with "-dirty" where files differ from it; "unknown" outside a repository."""
    try:
        head = _git("rev-parse", "HEAD")
        return head + ("-dirty" if _git("status", "--porcelain", "--", *FLOORS) else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _git(*words: str) -> str:
    return subprocess.run(("git", "-C", str(ROOT), *words), capture_output=True, text=True, check=True, timeout=10).stdout.strip()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"
