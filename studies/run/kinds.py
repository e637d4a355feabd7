"""From what a study says of a cluster to one of Dask's: by ssh, of a batch system, of Kubernetes, a user's.

Libraries beside Dask itself are imported when such a cluster is asked for. Words that are not ours go to them
as they are.
"""

from __future__ import annotations

import contextlib
import importlib
import shlex
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from studies.run import walltime
from studies.run.certificates import Tls, in_files, security, settings, temporary
from studies.run.environment import ENVIRONMENT, MEMORY, NUMBERS, paths
from studies.study_file.cluster import BATCH, BATCHES, KUBERNETES, SSH, Cluster
from studies.text.shapes import Data

if TYPE_CHECKING:
    from distributed.deploy.spec import SpecCluster

CLASSES = {
    "slurm": "dask_jobqueue:SLURMCluster",
    "pbs": "dask_jobqueue:PBSCluster",
    "sge": "dask_jobqueue:SGECluster",
    "lsf": "dask_jobqueue:LSFCluster",
    KUBERNETES: "dask_kubernetes.operator:KubeCluster",
}
PACKAGES = {  # of a library -> what to install
    "dask_jobqueue": "two-descents[clusters]",
    "dask_kubernetes": "two-descents[kubernetes]",
    "asyncssh": "two-descents[clusters]",
}
LASTING = ("--worker-class", "studies.run.lasting.Lasting")
HIDDEN = "127.0.0.1:0"  # where the scheduler's web pages are: for whoever is on its machine
FORGOTTEN = "1 hour"  # after which a scheduler on another machine ends that nobody has used
LOST = "15s"  # after which a job whose worker is gone counts as ended
NOBODY = "no worker is there; waiting for one to come (Ctrl-C ends the run, finished cells are kept)"


class ClusterError(Exception):
    """No cluster to compute on; the text is one line for the user."""


@contextlib.contextmanager
def one_line(cluster: Cluster) -> Iterator[None]:
    """What a library says of its words, in one line."""
    try:
        yield
    except ClusterError:
        raise
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip()] or [""]
        name = type(error).__name__
        raise ClusterError(f"cluster: {cluster.kind}: {name}: {' '.join(lines)[:500]}") from error


def library(name: str, kind: str) -> ModuleType:
    """A module of a library that not everyone has.

    Raises:
        ClusterError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = PACKAGES.get(name.partition(".")[0])
        remedy = f"; pip install '{package}'" if package else ""
        raise ClusterError(
            f"cluster: {kind} needs {name}, which cannot be imported ({error}){remedy}"
        ) from error


def class_of(cluster: Cluster) -> type[SpecCluster]:
    """The class of Dask, or of the user's, behind a kind.

    Raises:
        ClusterError: it cannot be imported.
    """
    module, _, name = CLASSES.get(cluster.kind, cluster.kind).partition(":")
    cls = getattr(library(module, cluster.kind), name, None)
    if cls is None:
        raise ClusterError(f"cluster: {cluster.kind}: {module} has no {name!r}")
    return cls


def configure(tls: Tls | None) -> None:
    """Set what Dask's processes elsewhere are started with: our environment, and their certificate.

    Read by schedulers and nannies of this process, and handed on by ssh.
    """
    import dask

    ours: Data = {
        "distributed.scheduler.allowed-failures": 0,
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.worker.profile.enabled": False,
        "distributed.nanny.pre-spawn-environ": NUMBERS | MEMORY | {"PYTHONPATH": paths()},
        "distributed.deploy.lost-worker-timeout": LOST,
        "logging.distributed": "info",  # where ssh reads that a process has started
    }
    dask.config.set(ours | (settings(tls) if tls else {}))


class Folders(NamedTuple):
    """What all workers see."""

    logs: Path  # of what jobs print
    hidden: Path  # for certificates; nobody else may look there


def started(cluster: Cluster, folders: Folders) -> SpecCluster:
    """A cluster of Dask, with workers on their way.

    Args:
        cluster: of a kind that is started.
        folders: for files of batch jobs.

    Raises:
        ClusterError: in one line, why there is none.
    """
    tls = temporary() if cluster.where in (SSH, BATCH) else None
    if tls and cluster.where == SSH:
        tls = in_files(tls, folders.hidden)
    configure(tls)
    with one_line(cluster):
        if cluster.where == SSH:
            from studies.run.hosts import ssh_cluster

            return ssh_cluster(cluster, tls)
        made = class_of(cluster)(**words(cluster, folders, tls))
        scale(made, cluster)
        return made


def words(cluster: Cluster, folders: Folders | None, tls: Tls | None = None) -> Data:
    """The keywords of a cluster's class: the user's, and what we add; without folders no file is written."""
    given = dict(cluster.model_extra or {})
    if cluster.where == BATCH or _of_jobqueue(cluster):
        return _of_batch(cluster, given) | _files(cluster, given, folders, tls)
    if cluster.where == KUBERNETES:
        return {
            "name": f"studies-{uuid.uuid4().hex[:8]}",
            **given,
            "env": ENVIRONMENT | given.get("env", {}),
        }
    return given


def _of_jobqueue(cluster: Cluster) -> bool:
    """Whether a class of the user's is one of dask-jobqueue's."""
    if cluster.where in (SSH, KUBERNETES):
        return False
    return any(base.__module__ == "dask_jobqueue.core" for base in class_of(cluster).__mro__)


def _files(cluster: Cluster, given: Data, folders: Folders | None, tls: Tls | None) -> Data:
    """The keywords that let a batch system write files: what jobs print, and certificates."""
    if folders is None:
        return {"log_directory": None}
    named = given.get("log_directory") or _default(cluster, "log-directory")
    logs = {"log_directory": named or str(folders.logs)}
    if tls is None:
        return logs
    return logs | {"security": security(tls), "shared_temp_directory": str(folders.hidden)}


def _of_batch(cluster: Cluster, given: Data) -> Data:
    """The keywords of a batch system: one job is one worker of one thread for each core, or for each GPU."""
    cores = given.get("cores", cluster.gpus or 1)
    options = {"dashboard_address": HIDDEN} | given.get("scheduler_options", {})
    known = {"memory": cluster.memory, "walltime": cluster.walltime}
    ours: Data = {
        "cores": cores,
        "processes": cluster.gpus or cores,
        **{word: value for word, value in known.items() if value is not None},
    }
    if cluster.gpus and cluster.gpus > 1:
        raise ClusterError("cluster.gpus: expected 1, a GPU for each batch job; ask for more jobs")
    made: Data = {
        "worker_extra_args": [*_arguments(cluster), *given.get("worker_extra_args", [])],
        "job_script_prologue": [*_exports(), *given.get("job_script_prologue", [])],
        "scheduler_options": options,
    }
    return ours | given | made


def _arguments(cluster: Cluster) -> list[str]:
    """What the worker of a job is told."""
    limit = cluster.walltime or _default(cluster, "walltime")
    life: list[str] = []
    if limit:
        with one_line(cluster):
            life = walltime.lifetime(walltime.seconds(str(limit), hours_first=cluster.kind == "lsf"))
    return [*LASTING, *life, *(["--resources", f"GPU={cluster.gpus}"] if cluster.gpus else [])]


def _default(cluster: Cluster, word: str) -> str | None:
    """What the configuration of dask-jobqueue says; None of a class that has none."""
    import dask

    class_of(cluster)  # its import reads the configuration
    return dask.config.get(f"jobqueue.{cluster.kind}.{word}", None)


def _exports() -> list[str]:
    """The lines of a job script that set our environment."""
    every = ENVIRONMENT | {"PYTHONPATH": paths()}
    return [f"export {name}={shlex.quote(value)}" for name, value in every.items()]


def scale(made: SpecCluster, cluster: Cluster) -> None:
    """Ask for workers: as many as are said, or as there are cells for. One that ends is replaced."""
    fewest, most = cluster.fewest_and_most
    if cluster.where == BATCH or _of_jobqueue(cluster):
        made.adapt(minimum_jobs=fewest, maximum_jobs=most)
    elif cluster.adapt:
        made.adapt(minimum=fewest, maximum=most)
    elif cluster.jobs:
        made.scale(cluster.jobs)


def most_workers(cluster: Cluster) -> int:
    """How many cells may run at a time, where workers come and go; 0 where those that are there say so."""
    if cluster.where == BATCH:
        return cluster.fewest_and_most[1] * int((cluster.model_extra or {}).get("cores", 1))
    return cluster.adapt[1] if cluster.adapt else 0


# what a dry run shows ---------------------------------------------------------------------------------------


def script(cluster: Cluster) -> str | None:
    """The script of a job, as it would be submitted; None of a kind without one.

    Raises:
        ClusterError: in one line, why there would be no cluster.
    """
    if cluster.kind not in BATCHES:
        return None
    with one_line(cluster), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = words(cluster, None)
        made.pop("scheduler_options")
        job = class_of(cluster).job_cls  # type: ignore[attr-defined]
        return job("tcp://SCHEDULER:PORT", name="two-descents", **made).job_script()
