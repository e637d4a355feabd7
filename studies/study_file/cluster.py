"""Where cells are computed: on this machine, by a Dask scheduler, or by a cluster that a run starts.

A site's cluster may stand in a file of its own, which `--cluster` names, so that a study says nothing of it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator

from studies.study_file.values import OF_LET, Count, Strict
from studies.text.durations import TIME, seconds_of
from studies.text.shapes import Data, Json
from studies.text.words import suggest

LOCAL, ADDRESS, SSH, BATCH, KUBERNETES, OTHER = (
    "local",
    "address",
    "ssh",
    "batch",
    "kubernetes",
    "other",
)
BATCHES = ("slurm", "pbs", "sge", "lsf")
KINDS = (LOCAL, SSH, *BATCHES, KUBERNETES)
OWN = {  # what each may have beside `kind` and `wait`; what batch systems and others have more is handed on
    LOCAL: ("workers", "memory", "gpus"),
    ADDRESS: ("tls",),
    SSH: ("hosts", "workers", "gpus", "connect_options", "remote_python"),
    BATCH: ("jobs", "adapt", "gpus", "walltime", "memory"),
    KUBERNETES: ("jobs", "adapt", "gpus"),
    OTHER: ("jobs", "adapt", "gpus"),
}
OPEN = (BATCH, KUBERNETES, OTHER)
EXPECTED = (
    f"one of {', '.join(KINDS)}, the address of a Dask scheduler 'tcp://host:port' or 'tls://host:port', or"
    " the import path of a class 'package.module:Class'"
)


def sort_of(kind: str) -> str:
    """The kind of a kind: all batch systems are one, and all addresses.

    Raises:
        ValueError: there is no such kind.
    """
    if "://" in kind:
        return ADDRESS
    if kind in BATCHES:
        return BATCH
    if kind in KINDS:
        return kind
    if re.fullmatch(r"[\w.]+:\w+", kind):
        return OTHER
    raise ValueError(f"expected {EXPECTED}")


def known(kind: str) -> str:
    """The kind itself; raises ValueError where there is no such one."""
    sort_of(kind)
    return kind


def a_time(text: str) -> str:
    """The time itself; raises ValueError where it is none."""
    try:
        seconds_of(text)
    except ValueError as error:
        raise ValueError(TIME) from error
    return text


class Certificate(Strict):
    """The files by which a scheduler is spoken to."""

    ca: str = Field(description="file of the certificate of who signed")
    cert: str = Field(description="file of the certificate")
    key: str = Field(description="file of its key")

    def files(self) -> tuple[str, str, str]:
        """In this order, `~` resolved."""
        ca, cert, key = (str(Path(path).expanduser()) for path in (self.ca, self.cert, self.key))
        return ca, cert, key


class Cluster(Strict):
    """Where cells are computed."""

    model_config = ConfigDict(extra="allow")

    kind: Annotated[str, AfterValidator(known)] = Field(
        default=LOCAL,
        description=(
            "local, the address of a Dask scheduler (tcp://host:port, tls://host:port), ssh, slurm, pbs, sge,"
            " lsf, kubernetes, or the import path of a Dask cluster (package.module:Class)"
        ),
    )
    workers: Annotated[Count, OF_LET] | None = Field(
        default=None,
        description="worker processes, of ssh on each host; null: one per core, or per GPU",
    )
    memory: str | None = Field(
        default=None, description="what a worker of this machine, or a batch job, may have, as 4GB"
    )
    gpus: Count | None = Field(
        default=None,
        description=(
            "CUDA devices of this machine, of each host or of each job; each has a worker of its own"
        ),
    )
    hosts: list[str] | None = Field(
        default=None, description="of ssh: machines; the scheduler is on the first"
    )
    jobs: Count | None = Field(
        default=None, description="of batch systems: how many run, anew where one ends"
    )
    adapt: Annotated[list[int], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="in place of `jobs`: [fewest, most], as many as there are cells for"
    )
    walltime: str | None = Field(
        default=None,
        description="of a batch job, as 01:00:00; its last tenth is for cells that run, none begins there",
    )
    tls: Certificate | None = Field(
        default=None, description="of an address: files; null: what Dask's own configuration says"
    )
    wait: Annotated[str, AfterValidator(a_time)] | None = Field(
        default=None,
        description="how long to wait where no worker is there, as 90s, 20min, 2h; null: as long as it takes",
    )

    @model_validator(mode="before")
    @classmethod
    def _written(cls, data: Json) -> Json:
        """`local`, or `{slurm: {..}}`, in full."""
        if isinstance(data, str):
            return {"kind": data}
        if isinstance(data, dict) and len(data) == 1:
            [(kind, words)] = data.items()
            if kind not in cls.model_fields and isinstance(words, dict):
                return _in_full({"kind": kind, **words})
        return data

    @model_validator(mode="after")
    def _check(self) -> Self:
        """What does not go together."""
        where = self.where
        for word in self.words:
            if word not in OWN[where] and (where not in OPEN or word in Cluster.model_fields):
                raise ValueError(f"unknown word {word!r} of {self.kind}; {suggest(word, OWN[where])}")
        if where == SSH and not self.hosts:
            raise ValueError("expected hosts: [..] of ssh")
        if self.jobs and self.adapt:
            raise ValueError("expected jobs or adapt, got both")
        if self.adapt and not 0 <= self.adapt[0] <= self.adapt[1] > 0:
            raise ValueError(f"expected adapt: [fewest, most], got {list(self.adapt)}")
        return self

    @property
    def words(self) -> list[str]:
        """What is said of it beside its kind."""
        own = (name for name in Cluster.model_fields if name not in ("kind", "wait"))
        return [*(name for name in own if getattr(self, name) is not None), *(self.model_extra or {})]

    @property
    def where(self) -> str:
        """The kind of its kind."""
        return sort_of(self.kind)

    @property
    def fewest_and_most(self) -> tuple[int, int]:
        """How many jobs there are."""
        fewest, most = self.adapt or [self.jobs or 1] * 2
        return fewest, most

    @property
    def seconds_of_wait(self) -> float | None:
        """How long to wait where no worker is there."""
        return None if self.wait is None else seconds_of(self.wait)


def _in_full(data: Data) -> Data:
    """What a short form says; a mistake in it is told with its word, which has no place of its own."""
    try:
        Cluster.model_validate(data)
    except ValidationError as error:
        raise ValueError(_told(error)) from error
    return data


def _told(error: ValidationError) -> str:
    """The first mistake, in one line."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    why = first["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    if not place:
        return why
    return f"expected {place}: {why.removeprefix('expected ')}, got {first['input']!r:.80}"


def given(text: str) -> Cluster:
    """What `--cluster` names: a kind, an address, a YAML file of one cluster, or a scheduler file of Dask.

    Raises:
        ValueError: one line.
    """
    path = Path(text)
    data = _in_file(path) if path.suffix in (".yaml", ".yml", ".json") else text
    try:
        return Cluster.model_validate(data)
    except ValidationError as error:
        raise ValueError(f"{'' if data is text else f'{path}: '}cluster: {_told(error)}") from error


def _in_file(path: Path) -> Json:
    """What a file says of a cluster, with the word `cluster:` or without; or where Dask's scheduler is."""
    from studies.study_file.document import read
    from studies.study_file.study import StudyError

    try:
        data = read(str(path), path.read_text(encoding="utf-8")).data
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read: {error}") from error
    except StudyError as error:
        raise ValueError("\n".join(error.lines)) from error
    if not isinstance(data, dict):
        raise ValueError(
            f"{path}: expected a mapping, as {{kind: slurm, memory: 4GB}}, got {data!r:.60}"
        )
    return data["address"] if "address" in data else data.get("cluster", data)
