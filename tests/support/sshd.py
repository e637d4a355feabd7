"""A real sshd on loopback, with keys of its own; it needs Debian's openssh-server."""

from __future__ import annotations

import contextlib
import getpass
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.patience import wait_for

NEEDED = ("sshd", "ssh-keygen")
WAYS = "/usr/sbin:/usr/bin"
CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
"""


def missing() -> str:
    """Why there is no sshd here; empty where it can be started."""
    lack = [name for name in NEEDED if shutil.which(name, path=WAYS) is None]
    return f"needs Debian's openssh-server: no {lack[0]}" if lack else ""


@contextlib.contextmanager
def sshd(folder: Path) -> Iterator[dict[str, Any]]:
    """An sshd while the body runs; the options with which asyncssh connects to it."""
    for name in ("host", "user"):
        key = ["-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(["ssh-keygen", "-q", *key], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(CONFIG.format(folder=folder, port=port))
    Path("/run/sshd").mkdir(exist_ok=True)  # where sshd looks for it
    path = shutil.which("sshd", path=WAYS)
    with (folder / "sshd.log").open("w") as log:
        command = [str(path), "-D", "-e", "-f", str(folder / "sshd_config")]
        process = subprocess.Popen(command, stderr=log, start_new_session=True)
    try:
        wait_for(lambda: _listens(port))
        keys = [str(folder / "user")]
        known = {"known_hosts": None, "client_keys": keys, "username": getpass.getuser()}
        yield {"port": port, **known}
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
