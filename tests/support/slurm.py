"""A real Slurm of one node, with ports, sockets and folders of its own; it needs Debian's slurm-wlm and munge, and root."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.patience import wait_for

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "squeue", "sinfo")
WAYS = ("/usr/sbin", "/usr/bin")
CONFIG = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,sched_min_interval=100000
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
KillWait=2
MinJobAge=2
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4000 State=UNKNOWN
PartitionName=short Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Why there is no Slurm here; empty where it can be started."""
    lack = [name for name in NEEDED if shutil.which(name, path=":".join(WAYS)) is None]
    if lack:
        return f"needs Debian's slurm-wlm and munge: no {lack[0]}"
    return "" if os.geteuid() == 0 else "slurmd must be started by root"


@contextlib.contextmanager
def slurm(folder: Path, cpus: int = 2) -> Iterator[dict[str, str]]:
    """A Slurm while the body runs; the environment in which its commands find it."""
    ports, host = _free_ports(2), socket.gethostname().partition(".")[0]
    for name in ("state", "spool"):
        (folder / name).mkdir()
    config = folder / "slurm.conf"
    config.write_text(CONFIG.format(folder=folder, ports=ports, host=host, cpus=cpus))
    environment = {"SLURM_CONF": str(config), "PATH": f"{':'.join(WAYS)}:{os.environ['PATH']}"}
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    own = [
        f"--{name}={folder}/munge.{name.partition('-')[0]}"
        for name in ("socket", "pid-file", "log-file", "seed-file", "key-file")
    ]
    commands = [
        ["munged", "--foreground", "--force", *own],
        ["slurmctld", "-D", "-c"],
        ["slurmd", "-D", "-c", "-N", host],
    ]
    with contextlib.ExitStack() as stack:
        for command in commands:
            stack.enter_context(_running(command, environment, folder))
            if command[0] == "munged":
                wait_for((folder / "munge.socket").exists)
        wait_for(lambda: says("sinfo -h -o %t", environment) == "idle")
        yield environment
        says("scancel -u root", environment)
        wait_for(lambda: not says("squeue -h", environment))


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[None]:
    with (folder / f"{command[0]}.out").open("w") as out:
        process = subprocess.Popen(
            command, env=os.environ | environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def says(command: str, environment: dict[str, str]) -> str:
    """What a command of Slurm prints."""
    return subprocess.run(
        command.split(), env=os.environ | environment, capture_output=True, text=True, check=False
    ).stdout.strip()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
