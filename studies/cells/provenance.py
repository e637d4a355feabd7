"""Where a result comes from: versions, the code, the commit, the machine."""

from __future__ import annotations

import functools
import platform
import subprocess
from importlib import metadata

from studies.cells.digest import LOOP, code_digest
from studies.text.user_code import PACKAGES, ROOT

LIBRARIES = ("torch", "numpy", "numba", "xarray", "dask", "h5netcdf", "zarr")


@functools.cache
def versions() -> dict[str, str]:
    """Name -> version of Python, of this package and of the libraries that results depend on.

    Nothing is imported.
    """
    ours = {"python": platform.python_version(), "two-descents": library_version("two-descents")}
    return ours | {name: library_version(name) for name in LIBRARIES}


def fingerprint() -> dict[str, str]:
    """What two processes must share to compute the same cells: the versions and a digest of our own code."""
    return versions() | {"code": code()}


def code() -> str:
    """Digest of the loop that every cell runs through and of all its imports, as found when first asked."""
    return code_digest((LOOP,))[:16]


def commit() -> str:
    """The git commit of the code, with "-dirty" where files differ from it.

    "unknown" outside a repository.
    """
    try:
        head = _git("rev-parse", "HEAD")
        return head + ("-dirty" if _git("status", "--porcelain", "--", *PACKAGES) else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _git(*words: str) -> str:
    return subprocess.run(
        ("git", "-C", str(ROOT), *words), capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def library_version(name: str) -> str:
    """The installed version of a package; "unknown" where there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"
