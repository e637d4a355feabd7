"""One cell: ask, answer, tell, record.

Everything else in this house exists to make these lines mean something.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
import xarray as xr

from landscapes.base import Bits, Landscape, Problem, Query
from landscapes.oracle.bill import Bill
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from landscapes.wrappers.relaxation import Relaxation
from optimizers.base import Optimizer, State
from studies.cells.guards import guarded, try_landscape
from studies.cells.ledger import Book, Freezer, Scene, record
from studies.cells.pictures import Camera, develop
from studies.cells.recorder import Goals, Recorder
from studies.registry import build

if TYPE_CHECKING:  # what is planned is in the task: the planner's code changes no number
    from studies.cells.task import Cell, Task

Watch = Callable[[State, Query | None], None]


@dataclass
class Clock:
    """Seconds spent in each part of the loop; `loss` is the landscape alone (value and gradient)."""

    spent: dict[str, float] = field(
        default_factory=lambda: {
            "ask": 0.0,
            "oracle": 0.0,
            "tell": 0.0,
            "record": 0.0,
            "ledger": 0.0,
            "pictures": 0.0,
        }
    )
    last: float = field(default_factory=time.perf_counter)

    def lap(self, part: str) -> None:
        """Charge the time since the last lap to `part`."""
        now = time.perf_counter()
        self.spent[part] += now - self.last
        self.last = now


def search(
    optimizer: Optimizer,
    problem: Problem,
    oracle: Oracle,
    recorder: Recorder,
    streams: Streams,
    watch: Watch | None = None,
) -> Clock:
    """Run one optimizer on R worlds until every world has spent its budget or diverged.

    `watch` sees every state, and the query that led to it.
    """
    watch = watch or (lambda state, query: None)
    state = optimizer.init(problem, streams.at(0))
    recorder.start(state)
    watch(state, None)
    step, clock = 0, Clock()
    while oracle.bill.open():
        s = streams.at(step := step + 1)
        query = optimizer.ask(state, s)
        clock.lap("ask")
        answer = oracle(query, s)
        clock.lap("oracle")
        state, info = optimizer.tell(state, query, answer, s)
        clock.lap("tell")
        recorder(step, optimizer, state, query, answer, info)
        watch(state, query)
        clock.lap("record")
    recorder.close()
    clock.lap("record")
    return clock


def run_cell(cell: Cell) -> xr.Dataset:
    """Compute one cell: dims replicate, checkpoint, target."""
    return run_worlds(cell.task, torch.arange(cell.first, cell.last))


def run_worlds(task: Task, worlds: torch.Tensor) -> xr.Dataset:
    """Compute these absolute worlds (R,) of a task.

    Dims replicate, checkpoint, target, and those of the noise ledger where the task keeps one.

    Attributes: `profile` (JSON) says where the seconds went; `gap_known`, `terms`, `spacing` and `on_bits`
    are the landscape's.
    """
    optimizer: Optimizer = build(task.optimizer, "optimizer")
    streams = Streams(
        seed=task.seed,
        worlds=worlds,
        dtype=getattr(torch, task.dtype),
        device=task.device,
        sources=optimizer.sources,
    )
    try_landscape(task, streams, bind, gradient=optimizer.gradient)
    landscape = bind(task, streams)
    noise = Noise(
        batch=task.noise["batch"],
        sampling=task.noise["sampling"],
        shared=task.noise["shared"],
        value=task.noise["evaluation"]["value"],
        gradient=task.noise["evaluation"]["gradient"],
        off=tuple(task.noise.get("off", ())),
    )
    price = task.gradient_cost
    bill = Bill(
        streams.size,
        terms=landscape.terms,
        budget=task.budget,
        price=price["value"],
        lowest_price=price["low"],
    )
    oracle = Oracle(landscape, noise, bill, **task.oracle, alone=singly(task, streams))
    common = landscape.start(streams.at(0), 1)
    true_values = oracle.exact(gradient=False, batches=optimizer.batches) and landscape.values_are_solutions
    goals = Goals(task.targets, task.target_floor)
    recorder = Recorder(
        landscape, optimizer, bill, common, task.checkpoints, goals, exact=true_values, share=task.truth
    )
    first = streams.at(0)
    exact = oracle.exact(gradient=optimizer.gradient, batches=optimizer.batches)
    problem = Problem(
        landscape.dim,
        landscape.domain,
        exact,
        start=lambda n: landscape.start(first, n),
        players=len(landscape.players),
    )
    freezer = Freezer(oracle, task.ledger["moments"], streams) if task.ledger else None
    camera = _camera(task, optimizer, bill, worlds)

    def watch(state: State, query: Query | None) -> None:
        _ = freezer and freezer(state)
        _ = camera and camera(state, query)

    searcher, door = guarded(task, optimizer, oracle, streams)
    clock = search(searcher, problem, door, recorder, streams, watch if freezer or camera else None)
    data = recorder.dataset(worlds)
    if freezer and task.ledger:
        scene = Scene(
            optimizer, functools.partial(bind, task), noise, streams, task.oracle, oracle.bill.price
        )
        book = Book(**{
            key: value for key, value in task.ledger.items() if key not in ("moments", "fractions")
        })
        data = data.merge(
            record(scene, freezer.moments(), book).assign_coords(moment=task.ledger["fractions"])
        )
        clock.lap("ledger")
    if camera and task.pictures:
        data = data.merge(
            develop(camera, bind(task, streams.subset(camera.rows)), len(worlds), task.pictures["grid"])
        )
        clock.lap("pictures")
    profile = clock.spent | {"loss": oracle.seconds, "truth": recorder.truth_seconds}
    known = {"gap_known": int(landscape.gap_known), "terms": landscape.terms, "spacing": landscape.spacing}
    return data.assign_attrs(
        known, profile=json.dumps(profile), on_bits=int(isinstance(landscape.domain, Bits))
    )


def _camera(task: Task, optimizer: Optimizer, bill: Bill, worlds: torch.Tensor) -> Camera | None:
    """For the worlds of this block of which pictures are taken; None where there are none."""
    rows = torch.arange(len(worlds))[worlds < task.pictures["worlds"]] if task.pictures else worlds[:0]
    return (
        Camera(optimizer, bill, task.pictures["costs"], rows, task.pictures["points"])
        if task.pictures and len(rows)
        else None
    )


def singly(task: Task, streams: Streams) -> Callable[[int], Landscape]:
    """Row -> the landscape bound to that world alone, made when first asked for.

    Worlds with one instance share it.
    """
    made = functools.cache(lambda instance: bind(task, streams.subset([instance])))
    instances = streams.worlds if task.instances is None else streams.worlds % task.instances
    return lambda row: made(int(instances[row]))


def bind(task: Task, streams: Streams) -> Landscape:
    """The landscape of these worlds, relaxed where the task says so.

    World r has instance r mod `instances` (default: its own).
    """
    landscape: Landscape = build(task.landscape, "landscape")
    if task.relaxation:
        landscape = Relaxation(inner=landscape, mode=task.relaxation)  # type: ignore[arg-type]
    worlds = streams.worlds if task.instances is None else streams.worlds % task.instances
    return landscape.bind(streams.subset(worlds))
