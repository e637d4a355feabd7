"""A task is all that an arm's numbers depend on; a cell is a block of its worlds. Plain data."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata

from landscapes.base import Landscape
from studies.cells.digest import LOOP, code_digest
from studies.cells.expressions.compiled import PATH
from studies.cells.provenance import library_version
from studies.kinds import registry
from studies.text.formulas import module_of
from studies.text.kept import text_of
from studies.text.shapes import Data, Tree

BLOCK = 32  # worlds in the smallest full cell
LARGEST = 128 * BLOCK  # and in the largest
INSTRUMENTS = (
    "ledger",
    "pictures",
    "timing",
)  # keys of a study and fields of a task that only look; None: not kept


@dataclass(frozen=True, kw_only=True)
class Task:
    """All that the numbers of an arm depend on, but its worlds; plain data that JSON can hold.

    Args:
        landscape: {"kind": .., parameters}, complete.
        optimizer: {"kind": .., parameters}, complete.
        relaxation: how the optimizer sees a landscape on bits; None where it searches the domain itself.
        noise: batch (terms, None: all), sampling, shared, evaluation (value, gradient).
        oracle: micro_batches, chunks.
        seed: of the study.
        instances: world r has instance r mod instances; None: its own.
        budget: on its clock; of cost, evaluations at the lowest price of a gradient.
        gradient_cost: value, low and high price in evaluations.
        checkpoints: increasing times; of cost, evaluations at the nominal price.
        targets: losses; with a `target_floor`, fractions of what each world's start lies above it.
        target_floor: the loss that is 0 to such fractions; None: targets are losses.
        dtype: float64 or float32.
        device: cpu or cuda.
        ledger: what the noise ledger records: moments (increasing times, as checkpoints), redraws, modes,
            points, sources; None: it is not kept.
        truth: share of the time that looking for hits may take where the truth takes longer than a step; 1
            where it never does.
        pictures: frames of the search: times (increasing, as checkpoints), worlds, points, grid; None: there
            are none.
        timing: how steps are timed: worlds, rounds, warm_up, repeats; None: they are not.
        record: instruments of the user's, {"kind": .., parameters} each, complete.
        expressions: what else is recorded, label -> {expression, long_name, units, vector}; those that the
            arm has.
        clock: on which the budget and all milestones are counted, of `landscapes.oracle.bill.CLOCKS`.
        checkpoint_clock: of the checkpoints, whose last one is then the end of the run; None: that of the
            budget.
        start: where searches start, as `landscapes.starts` has it; None: where the landscape's own do.
        block: worlds in a full cell, BLOCK times a power of two up to LARGEST, or 1; no number depends on it
            but seconds, and what a budget in seconds holds, whose cells have one world.
    """

    landscape: Data
    optimizer: Data
    relaxation: str | None
    noise: Data
    seed: int
    instances: int | None
    budget: float
    gradient_cost: dict[str, float]
    checkpoints: list[float]
    targets: list[float]
    dtype: str
    device: str
    oracle: Data = dataclasses.field(default_factory=lambda: {"micro_batches": 1, "chunks": 1})
    ledger: Data | None = None
    pictures: Data | None = None
    timing: Data | None = None
    record: list[Data] = dataclasses.field(default_factory=list)
    expressions: dict[str, Data] = dataclasses.field(default_factory=dict)
    truth: float = 1.0
    target_floor: float | None = None
    clock: str = "cost"
    checkpoint_clock: str | None = None
    start: Data | None = None
    block: int = dataclasses.field(default=BLOCK, compare=False)

    @property
    def canonical(self) -> str:
        """The task as canonical JSON; its cells are of any size."""
        parts = (f'"{name}":{text_of(getattr(self, name))}' for name in _names())
        return f"{{{','.join(parts)}}}"

    @property
    def data(self) -> Data:
        """The same as plain data, which is its own: nobody changes it."""
        return {name: getattr(self, name) for name in _names()}

    @functools.cached_property
    def key(self) -> bytes:
        """A digest of its text: equal where that is."""
        return self.begun.digest()

    @functools.cached_property
    def begun(self) -> hashlib._Hash:
        """A digest that has read its text alone: what all addresses of its cells begin with."""
        return hashlib.sha256(f"{self.canonical}\n".encode())

    @functools.cached_property
    def addresses(self) -> Addresses:
        """Those of its cells."""
        return Addresses(self)

    @functools.cached_property
    def code(self) -> str:
        """Digest of the code that computes it, and the names of the classes.

        A registry may come to name another one of a module.
        """
        return " ".join((code_digest(self.modules), *(cls.__qualname__ for cls in self._classes)))

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that compute it; what these import is not listed."""
        owners = {cls.__module__ for cls in self._classes}
        owners |= {module for made in self.landscapes for module in made.code}
        owners |= set().union(*map(_own_modules, (self.optimizer, self.landscape, *self.record)))
        owners |= set(map(module_of, self._functions))
        return (LOOP, *sorted(owners))

    @property
    def has_own_code(self) -> bool:
        """Whether code of the user's computes it."""
        return bool(self._functions) or any(
            map(_own_modules, (self.optimizer, self.landscape, *self.record))
        )

    @property
    def _functions(self) -> list[str]:
        """Import paths of the functions that expressions call."""
        texts = (spec["expression"] for spec in self.expressions.values())
        return [path for text in texts for path in PATH.findall(text)]

    @property
    def _classes(self) -> list[type]:
        return [
            registry.find(self.optimizer["kind"], "optimizer"),
            *map(type, self.landscapes),
            *(registry.find(spec["kind"], "instrument") for spec in self.record),
        ]

    @functools.cached_property
    def fingerprint(self) -> str:
        """Digest of the files that its landscape reads; empty where there are none."""
        return " ".join(made.fingerprint for made in self.landscapes).strip()

    @functools.cached_property
    def libraries(self) -> dict[str, str]:
        """Other libraries that its optimizer runs, name -> installed version; empty for our own."""
        return {
            name: library_version(name)
            for name in registry.find(self.optimizer["kind"], "optimizer").libraries
        }

    @functools.cached_property
    def landscapes(self) -> list[Landscape]:
        """The landscape and those inside it, not bound."""
        found = [registry.build(self.landscape, "landscape")]
        for made in found:
            found += [inner for inner in made.parameters().values() if isinstance(inner, Landscape)]
        return found


@dataclass(frozen=True)
class Cell:
    """A task on the absolute worlds first .. last - 1."""

    task: Task
    first: int
    last: int

    @functools.cached_property
    def address(self) -> str:
        """32 hexadecimal digits: equal for equal numbers, others where anything they depend on differs."""
        return self.task.addresses.of(self.first, self.last)


class Addresses:
    """The addresses of the cells of one task."""

    def __init__(self, task: Task) -> None:
        libraries = " ".join(f"{name} {version}" for name, version in task.libraries.items())
        behind = (_torch_version(), task.code, *filter(None, [task.fingerprint, libraries]))
        self.begun = task.begun
        self.behind = "\n".join(behind)

    def of(self, first: int, last: int) -> str:
        """That of the worlds first .. last - 1."""
        digest = self.begun.copy()
        digest.update(f"{first}\n{last}\n{self.behind}".encode())
        return digest.hexdigest()[:32]

    def farthest(self, first: int, here: Collection[str]) -> int | None:
        """Where the largest of the cells ends that begin at a world and are here; None: none is."""
        return next((end for end in _ends(first) if self.of(first, end) in here), None)


def blocks(task: Task, replicates: int, here: Collection[str], start: int = 0) -> list[Cell]:
    """Consecutive cells over so many worlds from `start` on.

    Each begins at a multiple of its size, a power of two up to `task.block`, as large as the worlds fill; in
    what remains below BLOCK it ends where they end. An existing cell goes before a new one, whatever its
    size, so that a study with more worlds keeps all that it has.

    Args:
        task: the task.
        replicates: worlds.
        here: the addresses of the cells that exist.
        start: the first world.
    """
    cells: list[Cell] = []
    first, stop = start, start + replicates
    while first < stop:
        last = task.addresses.farthest(first, here) if here else None
        cells.append(Cell(task, first, last or _end(task, first, stop)))
        first = cells[-1].last
    return cells


def _ends(first: int) -> Iterator[int]:
    """Where an existing cell may end that begins at a world, the farthest first."""
    size = LARGEST
    while size > BLOCK:
        if first % size == 0:
            yield first + size
        size //= 2
    yield from range((first // BLOCK + 1) * BLOCK, first, -1)


def _end(task: Task, first: int, stop: int) -> int:
    """Where a new cell ends that begins at a world."""
    size = task.block
    while size > BLOCK and (first % size or first + size > stop):
        size //= 2
    return min((first // size + 1) * size, stop)


def _own_modules(spec: Tree) -> set[str]:
    """The modules of all import paths "module:Class" in a spec."""
    named = {module for module, colon, _ in [str(spec.get("kind", "")).partition(":")] if colon}
    return named.union(*(_own_modules(value) for value in spec.values() if isinstance(value, Mapping)))


@functools.cache
def _names() -> tuple[str, ...]:
    """The fields of a task that its numbers depend on, sorted."""
    return tuple(sorted(field.name for field in dataclasses.fields(Task) if field.name != "block"))


@functools.cache
def _torch_version() -> str:
    return metadata.version("torch")
