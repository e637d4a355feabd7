"""A real Grid Engine of one node, with ports and folders of its own; it needs Debian's gridengine-master, -exec and -client, and root."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.support.daemons import WAYS, free_ports, host, running, says
from tests.support.patience import wait_for

NEEDED = ("sge_qmaster", "sge_execd", "qconf", "qsub", "qstat", "qdel")
LIBRARY, SHARED = Path("/usr/lib/gridengine"), Path("/usr/share/gridengine")
ROOT = Path("/var/lib/gridengine")  # whose programs are used, by links
BOOTSTRAP = """
admin_user root
default_domain none
ignore_fqdn false
spooling_method classic
spooling_lib libspoolc
spooling_params {spool}
binary_path /usr/sbin
qmaster_spool_dir {folder}/qmaster
security_mode none
listener_threads 2
worker_threads 2
scheduler_threads 1
"""
CHANGED = {  # of the global configuration, which wants neither jobs nor a manager with root's number
    "execd_spool_dir": "{folder}/execd",
    "mailer": "/bin/true",
    "min_uid": "0",
    "min_gid": "0",
}
QUEUE = {
    "hostlist": "{host}",
    "slots": "{cpus}",
    "pe_list": "NONE",
    "load_thresholds": "NONE",
    "shell_start_mode": "unix_behavior",
}
SCHEDULER = {"schedule_interval": "0:0:1", "job_load_adjustments": "NONE"}


def missing() -> str:
    """Why there is no Grid Engine here; empty where it can be started."""
    lack = [name for name in NEEDED if shutil.which(name, path=":".join(WAYS)) is None]
    if lack:
        return f"needs Debian's gridengine-master, gridengine-exec and gridengine-client: no {lack[0]}"
    return "" if os.geteuid() == 0 else "sge_execd must be started by root"


@contextlib.contextmanager
def sge(folder: Path, cpus: int = 2) -> Iterator[dict[str, str]]:
    """A Grid Engine with the queue `short` while the body runs; the environment in which its commands find it."""
    master, daemon = map(str, free_ports(2))
    environment = {
        "SGE_ROOT": str(folder),
        "SGE_CELL": "default",
        "SGE_QMASTER_PORT": master,
        "SGE_EXECD_PORT": daemon,
        "SGE_ND": "1",  # in the foreground
        "PATH": f"{':'.join(WAYS)}:{os.environ['PATH']}",
    }
    _lay_out(folder, environment)
    with running(["sge_qmaster"], environment, folder):
        wait_for(lambda: says("qconf -sh", environment))
        with running(["sge_execd"], environment, folder):
            wait_for(lambda: says("qconf -sel", environment))
            says(f"qconf -as {host()}", environment)
            numbers = {"host": host(), "cpus": cpus}
            _edit("qconf -aq short", QUEUE, environment, **numbers)
            _edit("qconf -msconf", SCHEDULER, environment)
            wait_for(lambda: says("qstat -f", environment).endswith("lx-amd64"))
            yield environment
            says("qdel -f -u root", environment)
            wait_for(lambda: not says("qstat", environment))


def _lay_out(folder: Path, environment: dict[str, str]) -> None:
    """All that the daemons look for when they begin."""
    common = folder / "default" / "common"
    for path in (common, folder / "qmaster" / "job_scripts", folder / "execd"):
        path.mkdir(parents=True)
    for name in ("bin", "lib", "utilbin", "util"):
        (folder / name).symlink_to(ROOT / name)
    (common / "act_qmaster").write_text(host())
    (common / "host_aliases").write_text(f"{host()} localhost\n")
    spool = f"{common};{folder}/qmaster"
    (common / "bootstrap").write_text(BOOTSTRAP.format(folder=folder, spool=spool))
    configuration = folder / "configuration"
    shutil.copy(SHARED / "default-configuration", configuration)
    script = _script(folder, CHANGED, folder=folder)
    says(f"{script} {configuration}", environment)
    says(f"{LIBRARY}/spoolinit classic libspoolc {spool} init", environment)
    resources = SHARED / "util" / "resources"
    for what in (
        f"configuration {configuration}",
        f"complexes {resources}/centry",
        f"usersets {resources}/usersets",
        "managers root",
    ):
        says(f"{LIBRARY}/spooldefaults {what}", environment)


def _edit(command: str, changes: dict[str, str], environment: dict[str, str], **known: object) -> None:
    """Give a command of SGE that opens an editor one that changes these words."""
    script = _script(Path(environment["SGE_ROOT"]), changes, **known)
    says(command, environment | {"EDITOR": str(script)})


def _script(place: Path, changes: dict[str, str], **known: object) -> Path:
    """A program that gives words of a file other values."""
    lines = [f"s#^{word} .*#{word} {value.format(**known)}#" for word, value in changes.items()]
    script = place / "edit"
    script.write_text("#!/bin/sh\nsed -i -E '" + "; ".join(lines) + '\' "$1"\n')
    script.chmod(0o700)
    return script
