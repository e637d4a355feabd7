"""One cell: ask, answer, tell, record. Everything else in this house exists to make these lines mean something."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

import torch
import xarray as xr

from landscapes.base import Landscape, Problem
from landscapes.noise import Noise
from landscapes.oracle import Ledger, Oracle
from landscapes.relaxation import Relaxation
from landscapes.streams import Streams
from optimizers.base import Optimizer
from studies.instruments import Recorder
from studies.kinds import build
from studies.plan import Cell, Task


@dataclass
class Clock:
    """Seconds spent in each part of the loop; `loss` is the landscape alone (value and gradient)."""

    spent: dict[str, float] = field(default_factory=lambda: {"ask": 0.0, "oracle": 0.0, "tell": 0.0, "record": 0.0})
    last: float = field(default_factory=time.perf_counter)

    def lap(self, part: str) -> None:
        """Charge the time since the last lap to `part`."""
        now = time.perf_counter()
        self.spent[part] += now - self.last
        self.last = now


def search(optimizer: Optimizer, problem: Problem, oracle: Oracle, recorder: Recorder, streams: Streams) -> Clock:
    """Run one optimizer on R worlds until every world has spent its budget or diverged."""
    state = optimizer.init(problem, streams.at(0))
    recorder.start(state)
    step, clock = 0, Clock()
    while oracle.ledger.open():
        s = streams.at(step := step + 1)
        query = optimizer.ask(state, s)
        clock.lap("ask")
        answer = oracle(query, s)
        clock.lap("oracle")
        state, info = optimizer.tell(state, query, answer, s)
        clock.lap("tell")
        recorder(step, optimizer, state, query, answer, info)
        clock.lap("record")
    recorder.close()
    clock.lap("record")
    return clock


def run_cell(cell: Cell) -> xr.Dataset:
    """Compute one cell: dims replicate, checkpoint, target."""
    return run_worlds(cell.task, torch.arange(cell.first, cell.last))


def run_worlds(task: Task, worlds: torch.Tensor) -> xr.Dataset:
    """Compute these absolute worlds (R,) of a task: dims replicate, checkpoint, target.

    Attributes: `profile` (JSON) says where the seconds went; `gap_known` and `terms` are the landscape's.
    """
    optimizer: Optimizer = build(task.optimizer, "optimizer")
    streams = Streams(seed=task.seed, worlds=worlds, dtype=getattr(torch, task.dtype), device=task.device, sources=optimizer.sources)
    landscape = bind(task, streams)
    noise = Noise(
        batch=task.noise["batch"],
        sampling=task.noise["sampling"],
        shared=task.noise["shared"],
        value=task.noise["evaluation"]["value"],
        gradient=task.noise["evaluation"]["gradient"],
    )
    price = task.gradient_cost
    ledger = Ledger(streams.size, terms=landscape.terms, budget=task.budget, price=price["value"], lowest_price=price["low"])
    oracle = Oracle(landscape, noise, ledger)
    exact = noise.exact and not optimizer.batches and not landscape.noisy and landscape.clock is None and len(landscape.players) == 1
    recorder = Recorder(landscape, optimizer, ledger, task.checkpoints, task.targets, exact=exact and landscape.values_are_solutions)
    first = streams.at(0)
    problem = Problem(landscape.dim, landscape.domain, exact, start=lambda n: landscape.start(first, n), players=len(landscape.players))
    clock = search(optimizer, problem, oracle, recorder, streams)
    profile = clock.spent | {"loss": oracle.seconds, "truth": recorder.truth_seconds}
    return recorder.dataset(worlds).assign_attrs(profile=json.dumps(profile), gap_known=int(landscape.gap_known), terms=landscape.terms)


def bind(task: Task, streams: Streams) -> Landscape:
    """The landscape of these worlds, relaxed where the task says so; world r has instance r mod `instances` (default: its own)."""
    landscape: Landscape = build(task.landscape, "landscape")
    if task.relaxation:
        landscape = Relaxation(inner=landscape, mode=task.relaxation)  # type: ignore[arg-type]
    worlds = streams.worlds if task.instances is None else streams.worlds % task.instances
    return landscape.bind(streams.subset(worlds))
