"""A real Slurm of one node, with ports, sockets and folders of its own; it needs Debian's slurm-wlm and munge, and root."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.support.daemons import WAYS, free_ports, host, running, says
from tests.support.patience import wait_for

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "squeue", "sinfo")
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
    for name in ("state", "spool"):
        (folder / name).mkdir()
    config = folder / "slurm.conf"
    config.write_text(CONFIG.format(folder=folder, ports=free_ports(2), host=host(), cpus=cpus))
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
        ["slurmd", "-D", "-c", "-N", host()],
    ]
    with contextlib.ExitStack() as stack:
        for command in commands:
            stack.enter_context(running(command, environment, folder))
            if command[0] == "munged":
                wait_for((folder / "munge.socket").exists)
        wait_for(lambda: says("sinfo -h -o %t", environment) == "idle")
        yield environment
        says("scancel -u root", environment)
        wait_for(lambda: not says("squeue -h", environment))
