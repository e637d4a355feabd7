"""One step taken again and again from a frozen state, the sources of its randomness drawn afresh one by one.

All redraws are rows of one batch: row r K + j is world r with the j-th set of keys. Only `landscapes.streams`
draws, so nothing in an optimizer, a landscape or the oracle knows of it. The K rows of a world are evaluated
as points of its one landscape.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from landscapes.base import Domain, Dropout, Landscape, Query, Terms
from landscapes.oracle import noise as noises
from landscapes.oracle.bill import Bill
from landscapes.oracle.evaluation import clock_time
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from landscapes.wrappers.around import Around
from optimizers.base import Optimizer, State
from studies.cells.ledger.freezing import Frozen, repeated

SEARCH = frozenset(["instance", "init"])  # sources that are settled before a step begins


class Trials(NamedTuple):
    """The steps that K sets of keys led to, from each of R states."""

    moved: Tensor  # (R, steps, K, D) float64, change of the center in each step
    query: Query  # of the first step: points (R K, P, D)
    states: tuple[State, ...]  # after each step, leading R K
    sources: frozenset[str]  # that were drawn from in the first step
    size: (
        Tensor  # (R, K) float64, sample of the first step: terms where gradients are asked, else points
    )


@dataclass(frozen=True)
class Scene:
    """All that a step needs beside a state: R worlds.

    Args:
        optimizer: takes the steps.
        bind: streams of worlds -> the landscape bound to them.
        noise: of the oracle.
        streams: of the worlds.
        portions: the oracle's micro_batches and chunks.
        price: evaluations that a gradient costs, by which a landscape that moves with the cost tells the
            time.
    """

    optimizer: Optimizer
    bind: Callable[[Streams], Landscape]
    noise: Noise
    streams: Streams
    portions: Mapping[str, Any] = field(default_factory=dict)
    price: float | np.ndarray = 3.0

    @functools.cached_property
    def landscape(self) -> Landscape:
        """Bound to the worlds."""
        return self.bind(self.streams)

    def time(self, moment: Frozen) -> Tensor | None:
        """What the clock of a landscape that moves showed then, (R,); None where it stands still."""
        steps, spent = moment.step.numpy(), moment.spent.numpy()
        return clock_time(self.landscape, steps, spent, self.streams.device)

    def subset(self, rows: Tensor) -> Scene:
        """The same for some of the worlds, in this order, repeats allowed."""
        return replace(
            self,
            optimizer=_of_rows(self.optimizer, rows),
            streams=self.streams.subset(self.streams.worlds[rows]),
        )


def trials(scene: Scene, moment: Frozen, keys: Mapping[str, Tensor], steps: int = 1) -> Trials:
    """Take `steps` steps from R frozen states under K sets of keys.

    Args:
        scene: the R worlds.
        moment: their states.
        keys: source -> (K,) int64, which redraw of it each row sees; 0 (the original) where it is not named.
        steps: at least 1.
    """
    redraws = Redraws.of(scene, keys)
    rows: Frozen = repeated(moment, redraws.count)
    optimizer = _of_rows(scene.optimizer, redraws.worlds)
    oracle = _oracle(scene, rows, redraws.count, redraws.streams if "data" in keys else None)
    state, moved, states = rows.state, list[Tensor](), list[State]()
    for ahead in range(1, steps + 1):
        before = optimizer.center(state).double()
        draws = redraws.streams.at(rows.step + ahead)
        query = optimizer.ask(state, draws)
        state, _ = optimizer.tell(state, query, oracle(query, draws), draws)
        moved.append(redraws.by_world(optimizer.center(state).double() - before))
        states.append(state)
        if ahead == 1:
            first, drawn, size = query, frozenset(draws.drawn), _sample(oracle, query)
    return Trials(
        torch.stack(moved, 1),
        first,
        tuple(states),
        drawn - SEARCH | _read(scene, oracle),
        redraws.by_world(size),
    )


@dataclass(frozen=True)
class Redraws:
    """Which rows of a batch are redraws of which of R worlds."""

    count: int  # K of each world
    worlds: Tensor  # (R K,) the number of the world, 0 to R - 1
    streams: Streams  # of the rows

    @staticmethod
    def of(scene: Scene, keys: Mapping[str, Tensor]) -> Redraws:
        """A row for each world and each of the K sets of keys, source -> (K,)."""
        count, own = max((len(key) for key in keys.values()), default=1), scene.streams
        streams = Streams(
            seed=own.seed,
            worlds=own.worlds.repeat_interleave(count),
            redraws={source: key.repeat(len(own.worlds)) for source, key in keys.items()},
            dtype=own.dtype,
            device=own.device,
            sources=own.sources,
        )
        return Redraws(count, torch.arange(len(own.worlds)).repeat_interleave(count), streams)

    def by_world(self, values: Tensor) -> Tensor:
        """Values (R K, ..) as (R, K, ..)."""
        return values.unflatten(0, (-1, self.count))


def _read(scene: Scene, oracle: Oracle) -> frozenset[str]:
    """Sources that a step reads without a draw: an epoch's order was drawn when it began."""
    reads = oracle.epoch is not None and (scene.noise.batch or scene.optimizer.batches)
    return frozenset({"data"} if reads else ())


def _sample(oracle: Oracle, query: Query) -> Tensor:
    """How large the sample of the first step was (R K,) float64, by what the oracle billed."""
    worlds, points = query.points.shape[:2]
    asked = torch.full((worlds,), points) if query.alive is None else query.alive.sum(1).cpu()
    if not query.gradient:
        return asked.double()
    cost = asked.clamp_min(1) * oracle.landscape.unit_cost
    return torch.from_numpy(oracle.bill.gradients) / cost.double()


def _of_rows(parameters: Any, rows: Tensor) -> Any:  # noqa: ANN401
    """An optimizer for some of its worlds, repeats allowed.

    Hyperparameters that are a number for each world are picked, nested ones too.
    """
    values = {f.name: getattr(parameters, f.name) for f in fields(parameters) if f.init}
    picked = {
        key: value[rows.to(value.device)]
        for key, value in values.items()
        if isinstance(value, Tensor) and value.ndim
    }
    picked |= {key: _of_rows(value, rows) for key, value in values.items() if is_dataclass(value)}
    return (
        replace(parameters, **picked)
        if any(picked[key] is not values[key] for key in picked)
        else parameters
    )


def _oracle(scene: Scene, rows: Frozen, count: int, reorder: Streams | None) -> Oracle:
    """An oracle whose R K rows stand where the frozen worlds stood.

    Each epoch's rest in another order where data are drawn afresh.
    """
    bill = Bill(len(rows.step), terms=scene.landscape.terms, budget=torch.inf, price=scene.price)
    bill.steps, bill.spent = rows.step.numpy().copy(), rows.spent.numpy().copy()
    bill.values = rows.spent.numpy() * bill.terms
    oracle = Oracle(Folded(inner=scene.landscape, rows=count), scene.noise, bill, **scene.portions)
    oracle.epoch = rows.epoch
    if rows.epoch is not None and reorder is not None:
        oracle.epoch = noises.reordered(rows.epoch, reorder)
    return oracle


@dataclass(frozen=True, kw_only=True)
class Folded(Around):
    """A landscape of R worlds seen by R K rows, K of each world: their points become points of that world."""

    name: ClassVar[str] = "folded"
    inner: Any
    rows: int

    @property
    def domain(self) -> Domain:
        """As the inner landscape."""
        return self.inner.domain

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """X (R K, P, D) -> (R K, P), on a game (R K, P, players)."""
        now = None if time is None else time[:: self.rows]
        return self._unfolded(self.inner.loss(self._folded(x), self._own(terms, x.shape[1]), now), x)

    def dropping(self, dropout: Dropout) -> Self:
        """The points of each row drop what its own streams say."""
        return super().dropping(dropout._replace(key=self._folded(dropout.key)))

    def observe(self, value: Tensor, points: Tensor, streams: Streams) -> Tensor:
        """The inner landscape's noise, by the streams of the rows."""
        return self.inner.observe(value, points, streams)

    def _folded(self, x: Tensor) -> Tensor:
        return x.unflatten(0, (-1, self.rows)).flatten(1, 2)

    def _unfolded(self, value: Tensor, x: Tensor) -> Tensor:
        return value.unflatten(1, (self.rows, x.shape[1])).flatten(0, 1)

    def _own(self, terms: Terms | None, points: int) -> Terms | None:
        """Each row's mini-batch as that of each of its points."""
        if terms is None:
            return None
        return Terms(*(self._folded(part.expand(part.shape[0], points, -1)) for part in terms))
