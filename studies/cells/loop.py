"""One cell: ask, answer, tell, look.

Everything else in this house exists to make these lines mean something.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
import xarray as xr
from xarray import Dataset

from landscapes import together
from landscapes.base import Landscape, Problem, Reals
from landscapes.oracle.bill import Bill
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from landscapes.starts import starts
from landscapes.streams import Streams
from landscapes.wrappers.relaxation import Relaxation
from optimizers.base import Optimizer
from studies.cells.clocks import tick
from studies.cells.expressions.recorder import ExpressionRecorder
from studies.cells.expressions.search import Search
from studies.cells.graphs import Compiling, Step
from studies.cells.guards import guarded
from studies.cells.landscape_guards import try_landscape
from studies.cells.ledger import Book, NoiseLedger, Scene
from studies.cells.ledger.against import check_states
from studies.cells.milestones import Watcher
from studies.cells.own import OwnInstrument
from studies.cells.pictures import Camera
from studies.cells.recorder import Recorder
from studies.cells.rows import plain, runs, varied
from studies.cells.targets import Goals, Targets
from studies.cells.timing import Alone, Looking, Timed, finish, visits
from studies.cells.truth import Truth
from studies.kinds.instruments import Instrument, Moment
from studies.kinds.registry import build
from studies.text.schema import COMPILED, SECONDS, TIMED_ON
from studies.text.shapes import Data, Tree

if TYPE_CHECKING:  # what is planned is in the task: the planner's code changes no number
    from studies.cells.task import Cell, Task


# parts of the loop that are steps, `graph` where they are compiled; the others look at them
SEARCH = ("ask", "oracle", "tell", "graph")


@dataclass
class Clock:
    """Seconds spent in each part of the loop."""

    spent: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SEARCH, 0.0))

    def __post_init__(self) -> None:
        self.last = time.perf_counter()

    @property
    def searched(self) -> float:
        """Seconds that the steps took so far."""
        return sum(self.spent[part] for part in SEARCH)

    def lap(self, part: str) -> None:
        """Charge the time since the last lap to `part`."""
        now = time.perf_counter()
        self.spent[part] = self.spent.get(part, 0.0) + now - self.last
        self.last = now


def search(
    optimizer: Optimizer,
    problem: Problem,
    oracle: Oracle,
    watchers: Sequence[Looking],
    streams: Streams,
    compiling: Compiling | None = None,
) -> Clock:
    """Run one optimizer on R worlds until every world has spent its budget or diverged.

    Args:
        optimizer: asks for points (R, P, D), and is told what they are worth.
        problem: what it knows of its task.
        oracle: answers, and bills the worlds.
        watchers: see the moment before the first step, and that after each.
        streams: of the worlds, from which all is drawn.
        compiling: when steps become one graph, which has the same bits; None: never.

    Returns:
        Where the seconds went.
    """
    state = optimizer.init(problem, streams.at(0))
    moment = Moment.now(oracle, state)
    for watcher in watchers:
        watcher(moment)
    step, clock = 0, Clock()
    while oracle.bill.open():
        step += 1
        graph, before = compiling and compiling.graph, state
        if graph:
            state, query, answer, info = graph(state, step)
            oracle.charge(query)
        else:
            s = streams.at(step)
            query = optimizer.ask(state, s)
            clock.lap("ask")
            answer = oracle(query, s)
            clock.lap("oracle")
            state, info = optimizer.tell(state, query, answer, s)
        tick(oracle.bill, optimizer, info)
        finish(str(streams.device))
        clock.lap("graph" if graph else "tell")
        oracle.bill.tick(SECONDS, clock.searched - oracle.looked)
        if compiling and not graph and compiling.due(step, clock.searched):
            compiling.compile(before, step, Step(state, query, answer, info))
            clock.lap("compile")
        moment = Moment.now(oracle, state, query, answer, info)
        for watcher in watchers:
            watcher(moment)
            clock.lap(watcher.part)
    return clock


def run_cell(cell: Cell, times: Dataset | None = None, compiled: str = "off") -> Dataset:
    """Compute one cell: dims replicate, checkpoint, target; arguments as of `run_worlds`."""
    return run_worlds(cell.task, torch.arange(cell.first, cell.last), times, compiled)


def run_worlds(
    task: Task, worlds: torch.Tensor, times: Dataset | None = None, compiled: str = "off"
) -> Dataset:
    """Compute these absolute worlds (R,) of a task.

    Args:
        task: the task.
        worlds: absolute ones (R,).
        times: of their steps, where these were taken before.
        compiled: whether steps become one graph: off, auto or on, see `studies.cells.graphs`.

    Dims replicate, checkpoint, target, and those of the noise ledger, of pictures and of times where the task
    asks for them.

    Attributes: `profile` (JSON) says where the seconds went (`loss` is the landscape alone, value and
    gradient); `gap_known`, `terms`, `spacing` and `on_bits` are the landscape's; `timed_on` names the device,
    where steps are timed.
    """
    setting = Setting.of(task, worlds)
    optimizer, oracle = guarded(task, setting.optimizer, setting.oracle, setting.streams)
    truth = Truth(setting.landscape)
    watchers = [*setting.watchers(truth)]
    compiling = Compiling(compiled, optimizer, oracle, setting.streams)
    clock = search(optimizer, setting.problem, oracle, watchers, setting.streams, compiling)
    parts = []
    for watcher in watchers:
        parts.append(watcher.dataset())
        clock.lap(watcher.part)
    if task.timing:
        times = timed_alone(task, worlds, task.timing) if times is None else times
        parts.append(times)
        clock.lap("timing")
    landscape = setting.landscape
    data = xr.merge(parts, join="exact", compat="identical").assign_coords(
        replicate=worlds.cpu().numpy()
    )
    return data.assign_attrs(
        gap_known=int(landscape.gap_known),
        terms=landscape.terms,
        spacing=spacing(task) if varied(task.landscape) else landscape.spacing,
        on_bits=int(not isinstance(landscape.domain, Reals)),
        profile=json.dumps(clock.spent | {"loss": setting.oracle.seconds, "truth": truth.seconds}),
        **({} if times is None else {TIMED_ON: times.attrs[TIMED_ON]}),
        **({COMPILED: compiling.outcome} if compiling.outcome else {}),
    )


def timed_alone(task: Task, worlds: torch.Tensor, asked: Data) -> Dataset:
    """The times of those of these absolute worlds (R,) that are timed, each alone, with no other cell's."""
    timed = to_time(task, worlds, asked)
    for number in range(asked["rounds"]):
        for _, row in visits([timed]):
            timed.visit(number, row)
    return timed.dataset()


def to_time(task: Task, worlds: torch.Tensor, asked: Data, known: Dataset | None = None) -> Timed:
    """These absolute worlds (R,), to be visited.

    Args:
        task: the task.
        worlds: absolute ones (R,).
        asked: its `timing`.
        known: what earlier rounds found.
    """

    def begin(row: int) -> Alone:
        setting = Setting.of(task, worlds[[row]])
        parts = setting.optimizer, setting.problem, setting.oracle
        return Alone(setting.oracle.bill, lambda watchers: search(*parts, watchers, setting.streams))

    rows = [row for row, world in enumerate(worlds.tolist()) if world < asked["worlds"]]
    return Timed(asked, rows, len(worlds), begin, task.device, known)


@dataclass(frozen=True)
class Setting:
    """R worlds of a task, ready to be searched."""

    task: Task
    worlds: torch.Tensor  # (R,) absolute
    streams: Streams
    optimizer: Optimizer
    landscape: Landscape
    oracle: Oracle

    @staticmethod
    def of(task: Task, worlds: torch.Tensor) -> Setting:
        """Everything built, and the landscape bound to the worlds (R,).

        Raises:
            PluginError: a landscape of the user's breaks its contract.
        """  # noqa: DOC502
        optimizer: Optimizer = build(task.optimizer, "optimizer")
        dtype = getattr(torch, task.dtype)
        streams = Streams(
            seed=task.seed, worlds=worlds, dtype=dtype, device=task.device, sources=optimizer.sources
        )
        try_landscape(task, streams, bind, gradient=optimizer.gradient)
        landscape = bind(task, streams)
        bill = _bill(task, landscape, streams.size)
        oracle = Oracle(landscape, _noise(task), bill, **task.oracle, alone=singly(task, streams))
        return Setting(task, worlds, streams, optimizer, landscape, oracle)

    @property
    def problem(self) -> Problem:
        """What the optimizer knows."""
        landscape, first = self.landscape, self.streams.at(0)
        return Problem(
            landscape.dim,
            landscape.domain,
            self.oracle.exact(gradient=self.optimizer.gradient, batches=self.optimizer.batches),
            start=lambda n: starts(landscape, self.task.start, first, n),
            players=len(landscape.players),
        )

    def watchers(self, truth: Truth) -> Iterator[Watcher]:
        """All that look at the search; the recorder first, since it ends worlds that diverge."""
        yield self._recorder(truth)
        for spec in self.task.record:
            yield self._own(spec)
        if self.task.expressions:
            yield self._expressions()
        if self.task.ledger:
            yield self._noise_ledger(**self.task.ledger)
        if self.task.pictures:
            yield from self._cameras(**self.task.pictures)

    def _recorder(self, truth: Truth) -> Recorder:
        task, landscape = self.task, self.landscape
        values_are_truth = self.oracle.exact(gradient=False, batches=self.optimizer.batches)
        exact = values_are_truth and landscape.values_are_solutions
        goals = Goals(task.targets, task.target_floor)
        share = float("inf") if exact else task.truth
        targets = Targets(goals, self.optimizer, truth, share=share, exact=exact)
        common = self.problem.start(1)
        bill, clock = self.oracle.bill, task.checkpoint_clock
        return Recorder(self.optimizer, bill, task.checkpoints, truth, common, targets, clock)

    def _own(self, spec: Tree) -> OwnInstrument:
        instrument: Instrument = build(spec, "instrument")
        task = self.task
        return OwnInstrument(
            instrument, self.optimizer, self.oracle, task.checkpoints, task.checkpoint_clock
        )

    def _expressions(self) -> ExpressionRecorder:
        task, oracle = self.task, self.oracle
        search = Search(self.optimizer, self.landscape, self.streams, oracle.noise.batch)
        return ExpressionRecorder(
            search, oracle.bill, task.checkpoints, task.expressions, task.checkpoint_clock
        )

    def _noise_ledger(
        self,
        moments: list[float],
        fractions: list[float],
        against: Tree | None = None,
        **book: Any,  # noqa: ANN401
    ) -> NoiseLedger:
        scene, other = self._scene(self.task), None
        if against:
            other = self._scene(dataclasses.replace(self.task, **against))
            check_states(scene, other, lambda: self.problem)
        return NoiseLedger(self.oracle, moments, fractions, scene, Book(**book), other)

    def _scene(self, task: Task) -> Scene:
        """All that a step needs beside a state, with the settings of a task."""
        return Scene(
            build(task.optimizer, "optimizer"),
            functools.partial(bind, task),
            _noise(task),
            self.streams,
            portions=task.oracle,
            price=self.oracle.bill.price,
        )

    def _cameras(self, times: list[float], worlds: int, points: int, grid: int) -> Iterator[Camera]:
        """One for the worlds of this block of which pictures are taken; none where there is no such world."""
        rows = torch.arange(len(self.worlds))[self.worlds < worlds]
        if len(rows):
            landscape = functools.partial(bind, self.task, self.streams.subset(self.worlds[rows]))
            yield Camera(self.optimizer, self.oracle.bill, times, rows, points, landscape, grid)


def _noise(task: Task) -> Noise:
    noise = task.noise
    return Noise(
        batch=noise["batch"],
        sampling=noise["sampling"],
        shared=noise["shared"],
        **noise["evaluation"],
        off=tuple(noise.get("off", ())),
    )


def _bill(task: Task, landscape: Landscape, worlds: int) -> Bill:
    price = {
        name: value.numpy() if isinstance(value, torch.Tensor) else value
        for name, value in task.gradient_cost.items()
    }
    return Bill(
        worlds,
        terms=landscape.terms,
        budget=task.budget,
        price=price["value"],
        lowest_price=price["low"],
        clock=task.clock,
    )


def singly(task: Task, streams: Streams) -> Callable[[int], Landscape]:
    """Row -> the landscape bound to that world alone, made when first asked for.

    Worlds with one instance, and the same numbers, share it.
    """
    instances, numbers = _instances(task, streams), runs(task.landscape, streams.size)
    of_row = [number for number, (_, rows) in enumerate(numbers) for _ in range(streams.size)[rows]]

    @functools.cache
    def made(instance: int, number: int) -> Landscape:
        return _landscape(task, numbers[number][0]).bind(streams.subset([instance]))

    return lambda row: made(int(instances[row]), of_row[row])


def bind(task: Task, streams: Streams) -> Landscape:
    """The landscape of these worlds, relaxed where the task says so.

    World r has instance r mod `instances` (default: its own), and its own numbers where each has some.
    """
    instances = _instances(task, streams)
    parts = (
        (_landscape(task, spec), streams.subset(instances[rows]))
        for spec, rows in runs(task.landscape, streams.size)
    )
    return together.bind([*parts])


def spacing(task: Task) -> float:
    """That of the landscape, of the first world where each has its own."""
    return _landscape(task, plain(task.landscape, 0)).spacing


def _landscape(task: Task, spec: Tree) -> Landscape:
    made: Landscape = build(spec, "landscape")
    return Relaxation(inner=made, mode=task.relaxation) if task.relaxation else made  # type: ignore[arg-type]


def _instances(task: Task, streams: Streams) -> torch.Tensor:
    """(R,) the instance of each world."""
    return streams.worlds if task.instances is None else streams.worlds % task.instances
