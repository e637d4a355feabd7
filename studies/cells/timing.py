"""How long a step takes on this device, and how much memory it holds: the instrument `timing`.

Worlds are taken alone, one after the other, in searches of their own beside the one that is recorded: the
same loop, the same draws, and nobody looks, so that no number of a result depends on it. Steps are those of
the search, from its start on and again from there where it ends; the first ones warm up and do not count.

    wall        seconds that pass
    processor   seconds for which the thread that takes the steps had a processor: what other programs take
                from it is not in it, but what they do to caches and clock rates is

The speed of a machine changes for seconds and for minutes, by half and more where a neighbour shares the
core: repeats that follow one another all see the same one. So each world is visited in several rounds, and
one round takes every world of every cell, in an order drawn anew, before the next begins: what is compared is
timed at the same moments (randomized multiple interleaved trials; Abedi and Brecht 2017, ICPE 287, who show
that one cell after the other finds differences where there are none). Disturbance only adds, so the least of
a world's repeats, over all rounds, is nearest to the time of the step itself (Chen and Revels 2016,
arXiv:1608.04295).

On CUDA every clock is read once all kernels have ended, and processor time says nothing of a kernel. Memory
is the most that the first step held at once beside what was there before it: of CUDA as its allocator has it,
on the CPU of all tensors that operations returned. Workspaces inside an operation, and arrays of other
libraries, are not seen there. Who holds the frames of a step, as a sampling profiler does, holds its tensors:
Dask's is off on workers that are started here (`studies.run.environment`).
"""

from __future__ import annotations

import math
import platform
import time
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, UntypedStorage
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from xarray import Dataset

from landscapes.operators import on_cpu
from landscapes.oracle.bill import Bill
from studies.kinds.instruments import Moment
from studies.text import schema

CPUS = Path("/proc/cpuinfo")


class Looking(Protocol):
    """What sees the moment before the first step of a search, and that after each."""

    part: str  # of the loop's clock, to which its time is charged

    def __call__(self, moment: Moment) -> None:
        """Take a moment."""


class Alone(NamedTuple):
    """A search of one world, ready to begin."""

    bill: Bill
    search: Callable[[Sequence[Looking]], object]


class Timed:
    """The times of R worlds of a task, some of which are visited.

    Args:
        asked: rounds, warm_up and repeats of each visit, steps.
        rows: those of the worlds that are timed.
        worlds: R.
        begin: row -> a search of that world alone, anew each time.
        device: "cpu" or "cuda".
        known: what earlier rounds found, as `dataset` gives it; None: nothing.
    """

    def __init__(
        self,
        asked: Mapping[str, int],
        rows: Sequence[int],
        worlds: int,
        begin: Callable[[int], Alone],
        device: str,
        known: Dataset | None = None,
    ) -> None:
        self.asked, self.rows, self.begin, self.device = asked, rows, begin, device
        shape = worlds, len(schema.TIMING_CLOCKS), asked["rounds"] * asked["repeats"]
        self.seconds, self.memory = np.full(shape, np.nan), np.full(worlds, np.nan)
        if known is not None and known.attrs[schema.TIMED_ON] == name_of(device):
            self.seconds[:] = known["timing_seconds"].values
            self.memory[:] = known["timing_memory"].values

    def visit(self, number: int, row: int) -> None:
        """Time a world in the round of this number."""
        if math.isnan(self.memory[row]):
            self.memory[row] = _held(self.begin(row), self.device)
        repeats = self.asked["repeats"]
        now = slice(number * repeats, (number + 1) * repeats)
        self.seconds[row, :, now] = _seconds(lambda: self.begin(row), self.asked, self.device).T

    def dataset(self) -> Dataset:
        """The variables of `schema.TIMING`, and on what they were timed; NaN of what was not."""
        values = {"timing_seconds": self.seconds, "timing_memory": self.memory}
        about = schema.TIMING
        variables = {
            name: (("replicate", *about[name].dims), part, about[name].attrs)
            for name, part in values.items()
        }
        clocks = {"timing_clock": list(schema.TIMING_CLOCKS)}
        return Dataset(variables, clocks, {schema.TIMED_ON: name_of(self.device)})


def visits(cells: Iterable[Timed]) -> list[tuple[Timed, int]]:
    """Every world that is timed, of all cells, in an order that is drawn anew."""
    inorder = [(cell, row) for cell in cells for row in cell.rows]
    return sorted(inorder, key=lambda visit: uuid.uuid4().int)  # no number depends on it


# time -------------------------------------------------------------------------------------------------------


class Stopwatch:
    """Reads the clocks between steps, and ends the search after so many.

    Args:
        bill: of the search.
        device: on which it runs.
        steps: >= 1.
    """

    part = "timing"

    def __init__(self, bill: Bill, device: str, steps: int) -> None:
        self.bill, self.device, self.steps = bill, device, steps
        self.readings: list[tuple[float, float]] = []

    def __call__(self, moment: Moment) -> None:
        """Take the moment before the first step, and that after each."""
        del moment
        finish(self.device)
        self.readings.append((time.perf_counter(), time.thread_time()))
        if len(self.readings) > self.steps:
            self.bill.close(self.bill.alive.copy())

    @property
    def seconds(self) -> np.ndarray:
        """Of every step on both clocks: (steps, 2)."""
        return np.diff(np.array(self.readings), axis=0)


def _seconds(begin: Callable[[], Alone], asked: Mapping[str, int], device: str) -> np.ndarray:
    """Seconds (repeats, 2) of the steps after those that warm up."""
    wanted = asked["warm_up"] + asked["repeats"]
    taken = np.zeros((0, len(schema.TIMING_CLOCKS)))
    while len(taken) < wanted:
        alone = begin()
        watch = Stopwatch(alone.bill, device, wanted - len(taken))
        alone.search([watch])
        taken = np.concatenate([taken, watch.seconds])
    return taken[asked["warm_up"] :]


def finish(device: str) -> None:
    """Wait until all that was asked of the device is done."""
    if device == "cuda":
        torch.cuda.synchronize()


# memory -----------------------------------------------------------------------------------------------------


def _held(alone: Alone, device: str) -> int:
    """Bytes that the first step of a search held at once beside what was there before."""
    meter = CudaMeter(alone.bill) if device == "cuda" else Meter(alone.bill)
    try:
        alone.search([meter])
    finally:
        meter.end()
    return meter.most


class Storages(TorchDispatchMode):
    """Adds up the storages of the tensors that operations return, while they live."""

    def __init__(self) -> None:
        super().__init__()
        self.known: set[int] = set()  # storages that are counted, or were there before
        self.now = self.most = 0  # bytes

    def __torch_dispatch__(  # noqa: PLW3201
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """One operation: what it takes is there already, what it returns is new."""
        del types
        for storage in _storages((args, kwargs)):
            self._meet(storage, 0)
        inner = on_cpu(func)
        if inner is None:
            result = func(*args, **kwargs or {})
        else:
            with self:  # what is held within
                result = inner(*args, **kwargs or {})
        for storage in _storages(result):
            self._meet(storage, storage.nbytes())
        return result

    def _meet(self, storage: UntypedStorage, size: int) -> None:
        """A storage that is seen, the first time of so many bytes."""
        place = storage._cdata
        if place in self.known:
            return
        self.known.add(place)
        self.now += size
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self._part, place, size).atexit = False

    def _part(self, place: int, size: int) -> None:
        """A storage that is gone."""
        self.known.discard(place)
        self.now -= size


class Meter(Storages):
    """Those of the first step of a search.

    Args:
        bill: of the search, which ends after that step.
    """

    part = "timing"

    def __init__(self, bill: Bill) -> None:
        super().__init__()
        self.bill, self.runs = bill, False

    def __call__(self, moment: Moment) -> None:
        """Begin before the first step, end after it."""
        del moment
        if self.runs:
            self.end()
            self.bill.close(self.bill.alive.copy())
        else:
            self.runs = True
            self.__enter__()

    def end(self) -> None:
        """Count no more."""
        if self.runs:
            self.runs = False
            self.__exit__(None, None, None)


class CudaMeter:
    """The same by CUDA's allocator.

    Args:
        bill: of the search, which ends after its first step.
    """

    part = "timing"

    def __init__(self, bill: Bill) -> None:
        self.bill = bill
        self.before: int | None = None
        self.most = 0  # bytes

    def __call__(self, moment: Moment) -> None:
        """Begin before the first step, end after it."""
        del moment
        finish("cuda")
        if self.before is None:
            self.before = torch.cuda.memory_allocated()
            torch.cuda.reset_peak_memory_stats()
            return
        self.most = torch.cuda.max_memory_allocated() - self.before
        self.bill.close(self.bill.alive.copy())

    def end(self) -> None:
        """There is nothing to end."""


def _storages(tree: object) -> Iterator[UntypedStorage]:
    """Those of the tensors in a tree of arguments, or of results."""
    return (leaf.untyped_storage() for leaf in tree_leaves(tree) if isinstance(leaf, Tensor))


# names ------------------------------------------------------------------------------------------------------


def name_of(device: str) -> str:
    """A device with what runs on it: "AMD EPYC, 1 thread, torch 2.9.1, MKL"."""
    version = f"torch {torch.__version__}"
    if device == "cuda":
        return f"{torch.cuda.get_device_name()}, {version}, CUDA {torch.version.cuda}"
    threads = torch.get_num_threads()
    words = [_processor(), f"{threads} thread{'s' * (threads > 1)}", version]
    return ", ".join([*words, *(["MKL"] if torch.backends.mkl.is_available() else [])])


def _processor() -> str:
    """The name of the processor, as far as the system tells it."""
    try:
        lines = CPUS.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2] for line in lines if line.startswith("model name"))
    return " ".join(next(named, "").split()) or platform.processor() or platform.machine()
