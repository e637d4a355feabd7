"""A cluster by ssh: a scheduler on the first host, workers on all, one for each core.

Every host has this project installed where this machine has it, or `remote_python` says where.
"""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from studies.run.certificates import Tls
from studies.run.environment import NUMBERS, paths
from studies.run.kinds import FORGOTTEN, HIDDEN, ClusterError, library
from studies.study_file.cluster import Cluster
from studies.text.shapes import Data

if TYPE_CHECKING:
    from distributed.deploy.spec import SpecCluster

COUNT = "-m studies.run.worker --count"


class Host(NamedTuple):
    """A machine, and how it is reached."""

    name: str
    options: Data  # of asyncssh.connect
    python: str


def hosts_of(cluster: Cluster) -> list[Host]:
    """The machines of a cluster."""
    extra = cluster.model_extra or {}
    python = extra.get("remote_python", sys.executable)
    return [Host(name, extra.get("connect_options", {}), python) for name in cluster.hosts or []]


def ssh_cluster(cluster: Cluster, tls: Tls | None) -> SpecCluster:
    """The cluster, started.

    Args:
        cluster: whose `hosts` are said.
        tls: files of the certificate by which its processes speak, which are in Dask's settings.

    Raises:
        ClusterError: a host is not reached, cannot run this project, or does not see the study's folder.
    """
    library("asyncssh", cluster.kind)
    from distributed.deploy.spec import SpecCluster
    from distributed.deploy.ssh import Scheduler, Worker

    hosts = hosts_of(cluster)
    counts = asyncio.run(_workers(hosts, cluster.workers, tls["key"] if tls else ""))
    protocol = "tls://" if tls else "tcp://"
    of_scheduler = {"dashboard_address": HIDDEN, "idle_timeout": FORGOTTEN, "protocol": protocol}
    of_workers = {"nthreads": 1, "memory_limit": 0, "protocol": protocol}
    workers = [
        _reached(host, variables) | {"kwargs": of_workers | words}
        for host, count in zip(hosts, counts, strict=True)
        for variables, words in _starts(count, cluster.gpus)
    ]
    scheduler = {"cls": Scheduler, "options": _reached(hosts[0], {}) | {"kwargs": of_scheduler}}
    every = {place: {"cls": Worker, "options": options} for place, options in enumerate(workers)}
    return SpecCluster(every, scheduler, name="studies")


def _starts(count: int, gpus: int | None) -> list[tuple[dict[str, str], Data]]:
    """What is started on a host: variables and keywords of Dask, once for all cores or for each GPU."""
    if gpus is None:
        return [({}, {"n_workers": count})]
    return [
        ({"CUDA_VISIBLE_DEVICES": str(card)}, {"n_workers": 1, "resources": {"GPU": 1}})
        for card in range(gpus)
    ]


def _reached(host: Host, variables: Mapping[str, str]) -> Data:
    """How Dask starts a process on a host."""
    return {
        "address": host.name,
        "connect_options": host.options,
        "remote_python": _python(host, variables),
    }


def _python(host: Host, variables: Mapping[str, str]) -> str:
    """The Python of a host, with these variables, where it finds what is found here."""
    every = {"PYTHONPATH": paths(), **variables}
    words = [f"{name}={shlex.quote(value)}" for name, value in every.items()]
    return " ".join(["env", *words, host.python])


async def _workers(hosts: list[Host], count: int | None, file: str) -> list[int]:
    """How many workers each host gets: one for each of its cores where nothing is said; all see the file."""
    asked = await asyncio.gather(*(_asked(host, file) for host in hosts))
    return [count or own for own in asked]


async def _asked(host: Host, file: str) -> int:
    """The cores of a host, which so shows that it can run this project; `file`: one that it must see."""
    import asyncssh

    command = f"{_python(host, NUMBERS)} {COUNT}"
    try:
        async with asyncssh.connect(host.name, **host.options) as connection:
            answer = await connection.run(command)
            seen = await connection.run(f"test -r {shlex.quote(file)}") if file else None
    except (OSError, asyncssh.Error) as error:
        raise ClusterError(
            f"cluster: ssh does not reach {host.name} ({error or type(error).__name__}); try: ssh"
            f" {host.name} true, or say more in connect_options"
        ) from error
    if answer.exit_status:
        why = (str(answer.stderr).strip().splitlines() or ["no answer"])[-1]
        raise ClusterError(
            f"cluster: {host.name} cannot run this project with {host.python} ({why}); install it there,"
            " or say remote_python"
        )
    if seen is not None and seen.exit_status:
        raise ClusterError(
            f"cluster: {host.name} does not see the folder {Path(file).parent.parent}; give --out a folder"
            " that all hosts share"
        )
    return int(str(answer.stdout).split()[-1])
