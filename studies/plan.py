"""From a study to its cells: pure, no tensors.

An arm is a landscape, an optimizer and one value of each axis; a task is all that an arm's numbers depend on, so arms that an axis does not
touch share one; a cell is a task on a block of worlds. Blocks are aligned to multiples of `BLOCK`, so a study with more worlds keeps its cells.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from landscapes.base import Landscape
from landscapes.oracle import ROUNDING
from landscapes.streams import SOURCES
from studies import kinds
from studies.config import Study
from studies.digest import CORE, code_digest
from studies.hits import STEP, reads_of_truth
from studies.provenance import library_version
from studies.sections import MOMENTS
from studies.settings import Arm as Settled
from studies.spending import landscape_of, place, spending

BLOCK = 32  # worlds in a full cell
DECADES = 3  # of the budget, covered by checkpoints
TRUTH = 2  # evaluations of truth at a checkpoint: the recommendation and the best point
FEWEST = 10  # checkpoints that every arm may have, whatever they take: three in each decade


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
        budget: evaluations at the lowest price of a gradient.
        gradient_cost: value, low and high price in evaluations.
        checkpoints: increasing costs at the nominal price, in evaluations.
        targets: losses; with a `target_floor`, fractions of what each world's start lies above it.
        target_floor: the loss that is 0 to such fractions; None: targets are losses.
        dtype: float64 or float32.
        device: cpu or cuda.
        ledger: what the noise ledger records: moments (increasing costs at the nominal price), redraws, modes, points, sources; None: it is not kept.
        truth: share of the time that looking for hits may take where the truth takes longer than a step; 1 where it never does.
        pictures: frames of the search: costs (increasing, at the nominal price), worlds, points, grid; None: there are none.
    """

    landscape: dict[str, Any]
    optimizer: dict[str, Any]
    relaxation: str | None
    noise: dict[str, Any]
    seed: int
    instances: int | None
    budget: float
    gradient_cost: dict[str, float]
    checkpoints: list[float]
    targets: list[float]
    dtype: str
    device: str
    oracle: dict[str, int] = dataclasses.field(default_factory=lambda: {"micro_batches": 1, "chunks": 1})
    ledger: dict[str, Any] | None = None
    pictures: dict[str, Any] | None = None
    truth: float = 1.0
    target_floor: float | None = None

    @functools.cached_property
    def canonical(self) -> str:
        """The task as canonical JSON."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"))

    @functools.cached_property
    def code(self) -> str:
        """Digest of the code that computes it, and the names of the classes: a registry may come to name another one of a module."""
        return " ".join((code_digest(self.modules), *(cls.__qualname__ for cls in self._classes)))

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that compute it; what these import is not listed."""
        owners = {cls.__module__ for cls in self._classes} | _own_modules(self.optimizer) | _own_modules(self.landscape)
        owners |= {module for made in self._landscapes for module in made.code}
        owners |= {"landscapes.relaxation"} if self.relaxation else set()
        owners |= {"studies.ledger.record"} if self.ledger else set()
        return (*CORE, *sorted(owners))

    @property
    def _classes(self) -> list[type]:
        return [kinds.find(self.optimizer["kind"], "optimizer"), *map(type, self._landscapes)]

    @functools.cached_property
    def fingerprint(self) -> str:
        """Digest of the files that its landscape reads; empty where there are none."""
        return " ".join(made.fingerprint for made in self._landscapes).strip()

    @functools.cached_property
    def libraries(self) -> dict[str, str]:
        """Other libraries that its optimizer runs, name -> installed version; empty for our own."""
        return {name: library_version(name) for name in kinds.find(self.optimizer["kind"], "optimizer").libraries}

    @functools.cached_property
    def _landscapes(self) -> list[Landscape]:
        """The landscape and those inside it."""
        found = [kinds.build(self.landscape, "landscape")]
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
        """32 hexadecimal digits: equal for equal numbers, different where anything that they depend on differs."""
        task = self.task
        libraries = " ".join(f"{name} {version}" for name, version in task.libraries.items())
        parts = (task.canonical, str(self.first), str(self.last), _torch_version(), task.code, *filter(None, [task.fingerprint, libraries]))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Arm:
    """Where a task's numbers are shown: landscape, optimizer and the axes -> value; `label` is that of the optimizer's entry."""

    coords: dict[str, Any]
    label: str
    task: Task


@dataclass(frozen=True)
class Plan:
    """What a study computes.

    Args:
        study: the study.
        arms: each with its task; arms that an axis does not touch share one.
        axes: name of a dim -> its coordinate values: landscape, optimizer, then the swept axes.
        notes: what the user should know, one line each.
    """

    study: Study
    arms: list[Arm]
    axes: dict[str, list[Any]]
    notes: list[str]

    @property
    def tasks(self) -> list[Task]:
        """The different tasks, in the order of the arms."""
        return list({id(arm.task): arm.task for arm in self.arms}.values())

    def cells(self, have: Callable[[str], bool]) -> list[Cell]:
        """The cells that cover the worlds of every task; what exists is used where it fits.

        Args:
            have: whether the cell of an address exists.

        Returns:
            For each task, consecutive cells from world 0 to at least the last one.
        """
        return [cell for task in self.tasks for cell in blocks(task, self.study.replicates, have)]


def make_plan(study: Study) -> Plan:
    """The arms and tasks of a study; `auto` becomes the device that this machine has."""
    device, arms, sources = _device(study.device), [], _step_sources(study)
    tasks: dict[str, Task] = {}
    thinned: dict[str, list[str]] = {}  # why -> where
    for settled in study.arms:
        fractions, why = checkpoints_of(settled, study.checkpoints)
        task = _task(settled, fractions, device, sources)
        arms.append(Arm(settled.coords, settled.label, tasks.setdefault(task.canonical, task)))
        if why:
            thinned.setdefault(why, []).append(place(settled))
    notes = [f"{where[0]}{f' and {len(where) - 1} arms more' * (len(where) > 1)}: {why}" for why, where in thinned.items()]
    return Plan(study, arms, study.axes, [*study.notes, *notes])


def blocks(task: Task, replicates: int, have: Callable[[str], bool], start: int = 0) -> list[Cell]:
    """Consecutive cells over so many worlds from `start` on, none across a multiple of BLOCK; an existing cell goes before a new one."""
    cells: list[Cell] = []
    first, stop = start, start + replicates
    while first < stop:
        end = (first // BLOCK + 1) * BLOCK
        existing = (cell for last in range(end, first, -1) if have((cell := Cell(task, first, last)).address))
        cells.append(next(existing, None) or Cell(task, first, min(end, stop)))
        first = cells[-1].last
    return cells


def checkpoints_of(arm: Settled, given: int | list[float]) -> tuple[list[float], str]:
    """Where the state of an arm is recorded, as fractions of the end of a run, and why they are fewer than asked.

    A list is obeyed. Of a number per decade so many are left that the truth takes at most the study's share of the arm's time, but FEWEST at least,
    and all where the arm has no more steps than that: a state is looked at once.
    What an arm keeps holds all that an arm with fewer keeps. Time is that of `studies.hits`: an address depends on no clock.

    Args:
        arm: the arm.
        given: how many per decade over the last three decades, or the fractions themselves.

    Returns:
        Increasing fractions, the last 1 unless given otherwise; the reason, empty where none is left out.
    """
    if not isinstance(given, int):
        return list(given), ""
    every = geometric(DECADES, DECADES * given + 1)
    most = _affordable(arm)
    if most is None or len(every) <= most:
        return every, ""
    share = f"truth takes at most {arm.scalars['truth']:g} of the time" if most > FEWEST else f"there are {FEWEST} whatever the truth takes"
    why = f"checkpoints: {most} in place of {len(every)}, so that {share} (see `truth`); a list of checkpoints is obeyed"
    price = arm.scalars["gradient_cost"]
    return [every[place] for place in sorted(_first_to_keep(every, price["low"] / price["value"])[:most])], why


def _first_to_keep(every: list[float], budget: float) -> list[int]:
    """The places of increasing fractions, those first that matter most, so that what an arm keeps holds all that an arm with fewer keeps.

    First the end, then the last one within the budget, where arms are compared, and the first; then the middle between these ends, the middles of
    its two halves, and so on.

    Args:
        every: fractions of the end of a run.
        budget: the same, less than 1 where a study has a range of gradient prices.
    """
    end = len(every) - 1
    within = [place for place, fraction in enumerate(every) if fraction <= budget * (1 + ROUNDING)]
    halves, places = 1, [end, *within[-1:], 0]
    while halves < end:
        halves *= 2
        places += [round(odd * end / halves) for odd in range(1, halves, 2)]
    return list(dict.fromkeys(places))


def _affordable(arm: Settled) -> int | None:
    """In how many states of an arm the truth may be recorded; None: in all."""
    landscape, found = landscape_of(arm), spending(arm)
    if found is None:
        return None
    steps = found.steps(arm.scalars["budget"], arm.scalars["gradient_cost"]["low"])
    looks = arm.scalars["truth"] * found.reads(landscape, steps) / (TRUTH * reads_of_truth(landscape))
    most = max(FEWEST, math.floor(looks))
    return None if steps + 1 <= most else most


def geometric(decades: float, count: int) -> list[float]:
    """So many fractions, log-spaced over the decades up to 1, which is the last."""
    return [rounded(10 ** (decades * (i / (count - 1) - 1))) for i in range(count)] if count > 1 else [1.0]


def _step_sources(study: Study) -> list[str]:
    """The dim of the noise ledger: sources that a step may draw from, the built-in ones and what the study's optimizers declare."""
    declared = [source for arm in study.arms for source in kinds.find(arm.optimizer["kind"], "optimizer").sources]
    return [source for source in dict.fromkeys([*SOURCES, *declared]) if source not in ("instance", "init", "library", "ledger")]


def _task(arm: Settled, fractions: list[float], device: str, sources: list[str]) -> Task:
    price, budget, ledger = arm.scalars["gradient_cost"], arm.scalars["budget"], arm.scalars["ledger"]
    end = budget * price["value"] / price["low"]
    if ledger:
        ledger = {"fractions": ledger["moments"], **ledger, "moments": [rounded(end * part) for part in ledger["moments"]], "sources": sources}
    pictures = arm.scalars["pictures"]
    if pictures:
        costs = [0.0, *(rounded(end * fraction) for fraction in geometric(MOMENTS, pictures["frames"] - 1))]
        pictures = {key: value for key, value in pictures.items() if key != "frames"} | {"costs": costs}
    looks = arm.scalars["targets"] and reads_of_truth(landscape_of(arm)) > STEP
    return Task(
        landscape=arm.landscape,
        optimizer=arm.optimizer,
        relaxation=arm.relaxation,
        noise=arm.noise,
        oracle=arm.oracle,
        checkpoints=[rounded(end * fraction) for fraction in fractions],
        device=device,
        **arm.scalars | {"ledger": ledger, "pictures": pictures, "truth": arm.scalars["truth"] if looks else 1.0},
    )


def _own_modules(spec: Mapping[str, Any]) -> set[str]:
    """The modules of all import paths "module:Class" in a spec."""
    named = {module for module, colon, _ in [str(spec.get("kind", "")).partition(":")] if colon}
    return named.union(*(_own_modules(value) for value in spec.values() if isinstance(value, Mapping)))


def rounded(value: float) -> float:
    """12 digits: the last ones depend on the machine's library, and an address should not."""
    return float(f"{value:.12g}")


def _device(device: str) -> str:
    if device != "auto":
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@functools.cache
def _torch_version() -> str:
    return metadata.version("torch")
