"""The process that holds a cluster of Dask's, here, by ssh or of a batch system, while its client lives.

The client says on stdin which cluster; it is told on stdout where its scheduler is. When stdin closes, in
whatever way the client ended, workers are ended, jobs are cancelled and this process goes.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from studies.run import local
from studies.run.certificates import Tls
from studies.run.kinds import ClusterError, Folders, started
from studies.run.signals import STOPS
from studies.study_file.cluster import LOCAL, Cluster
from studies.text.shapes import Data

if TYPE_CHECKING:
    from distributed.deploy.spec import SpecCluster

LOGS = "jobs"  # folder of what batch jobs print, in that of the study


def main() -> None:
    """Hold a cluster until stdin closes."""
    for number in STOPS:  # of a batch system, to all processes of a job: the client decides
        signal.signal(number, signal.SIG_IGN)
    asked: Data = json.loads(sys.stdin.readline())
    said = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries and workers print goes to the terminal
    alone, there = threading.Event(), threading.Event()
    threading.Thread(target=_follow, args=(alone, there), daemon=True).start()
    try:
        with _held(Cluster(**asked["cluster"]), Path(asked["folder"])) as cluster:
            there.set()
            answer = {"address": cluster.scheduler_address, "tls": _tls(cluster.security)}
            print(json.dumps(answer), file=said, flush=True)
            alone.wait()
    except ClusterError as error:
        print(json.dumps({"error": str(error)}), file=said, flush=True)
        local.end()


@contextlib.contextmanager
def _held(cluster: Cluster, folder: Path) -> Iterator[SpecCluster]:
    """The cluster, while the body runs.

    Args:
        cluster: of a kind that is started.
        folder: where it may have files; of other machines' workers, one that they see.
    """
    if cluster.where == LOCAL:
        local.prepare(folder)
        yield local.local_cluster(cluster)
        local.end()
    from studies.results.store import in_use

    with (
        tempfile.TemporaryDirectory(prefix=".", suffix=".tmp", dir=folder) as hidden,
        in_use(Path(hidden)),
        started(cluster, Folders(folder / LOGS, Path(hidden))) as made,
    ):
        yield made


def _follow(alone: threading.Event, there: threading.Event) -> None:
    """Wait for the client's end; a cluster that has not started by then never will."""
    sys.stdin.read()
    if not there.is_set():
        local.end()
    alone.set()


def _tls(security: object) -> Tls | None:
    """By which certificate a client speaks to the cluster."""
    made = [getattr(security, f"tls_{name}", None) for name in ("ca_file", "client_cert", "client_key")]
    ca, cert, key = made
    return {"ca": ca, "cert": cert, "key": key} if ca and cert and key else None


if __name__ == "__main__":
    main()
