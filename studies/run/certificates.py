"""Who may speak to a scheduler and its workers: whoever has the key to one certificate.

A scheduler runs what it is sent. On a machine with several users, or in a network, clusters that a run starts
so have a certificate of their own, which is thrown away with them, where `cryptography` is installed.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from distributed import Security

ROLES = ("scheduler", "worker", "client")


class Tls(TypedDict):
    """A certificate: each a file, or its text."""

    ca: str  # of who signed it
    cert: str
    key: str


def in_files(tls: Tls, folder: Path) -> Tls:
    """A certificate as files that nobody else may read.

    What Dask hands on by ssh stands in command lines, which all users of a machine see: paths, then, no key.
    """
    return {
        "ca": _kept(folder, "ca", tls["ca"]),
        "cert": _kept(folder, "cert", tls["cert"]),
        "key": _kept(folder, "key", tls["key"]),
    }


def _kept(folder: Path, name: str, text: str) -> str:
    path = folder.resolve() / f"{name}.pem"
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return str(path)


def temporary() -> Tls | None:
    """A certificate that is new, as text; None where `cryptography` is not installed."""
    if importlib.util.find_spec("cryptography") is None:
        return None
    from distributed import Security

    made = Security.temporary()
    return {"ca": made.tls_ca_file, "cert": made.tls_client_cert, "key": made.tls_client_key}


def security(tls: Tls) -> Security:
    """What Dask needs to speak by a certificate, in every role."""
    from distributed import Security

    own = {
        f"tls_{role}_{part}": text
        for role in ROLES
        for part, text in (("cert", tls["cert"]), ("key", tls["key"]))
    }
    return Security(require_encryption=True, tls_ca_file=tls["ca"], **own)


def settings(tls: Tls) -> dict[str, object]:
    """The same as settings of Dask, which reach processes that it starts elsewhere."""
    own = {f"distributed.comm.tls.{role}": {"cert": tls["cert"], "key": tls["key"]} for role in ROLES}
    return own | {
        "distributed.comm.tls.ca-file": tls["ca"],
        "distributed.comm.require-encryption": True,
        "distributed.comm.default-scheme": "tls",
    }
