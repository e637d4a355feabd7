"""What the steps of an arm cost, before anything is computed: asked of the optimizer itself.

One world of it takes two steps on a bowl of the same domain: the first step may be dearer than those that
follow (a method that first evaluates its whole population, then one child at a time). Methods whose later
steps differ too are told by their second one. A landscape of many coordinates is searched in DIM of them: how
many points are asked depends on the dimension little or not at all.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import torch

from landscapes.base import Answer, Domain, Landscape, Problem, Query, Reals
from landscapes.oracle.bill import ROUNDING, Bill
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from optimizers.base import Info, Optimizer, State
from studies.cells.hits import reads
from studies.kinds import registry
from studies.study_file import built
from studies.text.shapes import Json

if TYPE_CHECKING:
    from studies.study_file.arm import Arm, Specs

DIM = 256  # coordinates, at most
MANY = 100_000  # steps of a long run
PLACES = 200  # at most, of a schedule at which the cost of a step is asked


class Asked(NamedTuple):
    """The size of one query."""

    points: int
    gradient: bool
    batch: int | None  # terms, where the optimizer sets them itself


class Step(NamedTuple):
    """What one step of an arm takes."""

    values: float  # term-evaluations
    gradients: float
    terms: int  # in one evaluation

    def cost(self, price: float) -> float:
        """The cost in evaluations, at this price of a gradient."""
        return (self.values + price * self.gradients) / self.terms

    def on(self, clock: str, price: float) -> float:
        """How far it moves a clock; NaN where that is not known before it runs.

        Args:
            clock: cost, steps, epochs, virtual_time or seconds.
            price: of a gradient, for cost.
        """
        moves = {"cost": self.cost(price), "steps": 1.0, "epochs": self.cost(1.0)}
        return moves.get(clock, math.nan)


class Spending(NamedTuple):
    """What the steps of an arm take: the first, and each that follows."""

    first: Step
    later: Step

    def within(self, arm: Arm) -> int | None:
        """Steps that end within the budget of an arm; None where that is not known before it runs."""
        clock, price = arm.scalars["clock"], arm.scalars["gradient_cost"]["low"]
        first, each = (step.on(clock, price) for step in self)
        if math.isnan(first):
            return None
        left = arm.scalars["budget"] * (1 + ROUNDING) - first
        if left < 0:
            return 0
        return 1 + math.floor(left / each) if each > 0 else 1

    def reads(self, landscape: Landscape, steps: int) -> float:
        """The time that so many steps take, in numbers read (`studies.cells.hits`)."""
        first, later = (float(reads(landscape, step.values, step.gradients)) for step in self)
        return first + max(steps - 1, 0) * later


def spending(arm: Arm) -> Spending | None:
    """What the steps of an arm take; None where the optimizer cannot say without its landscape."""
    return _spending(arm.specs, arm.relaxation)


@functools.cache
def _spending(specs: Specs, relaxation: Json) -> Spending | None:
    asked = _asked(specs.optimizer, _bowl(specs, relaxation))
    if asked is None:
        return None
    return _billed(asked, _bill(specs.landscape, relaxation), *_drawing(specs.noise))


@functools.cache
def _drawing(noise: str) -> tuple[int | None, str]:
    """How many terms are drawn, and how."""
    given = json.loads(noise)
    return given["batch"], given["sampling"]


@functools.cache
def _billed(asked: tuple[Asked, Asked], bill: Billing, batch: int | None, sampling: str) -> Spending:
    return Spending(*(_step_of(query, bill, batch, sampling) for query in asked))


def steps_within(arm: Arm) -> int | None:
    """Steps that end within the budget of an arm; None where that is not known before it runs."""
    if arm.scalars["clock"] == "steps":
        return int(arm.scalars["budget"])
    spent = spending(arm)
    return None if spent is None else spent.within(arm)


def run_length(arm: Arm, optimizer: Optimizer, steps: int) -> float:
    """What so many steps of an optimizer take on the budget's clock where sizes follow its schedule.

    Of cost, at the lowest price.

    The mean over PLACES of its steps, the state of each being that after the first.

    Args:
        arm: the arm.
        optimizer: that of the arm, told when its schedules end; its state counts completed steps as `step`.
        steps: >= 1.
    """
    price, begun = arm.scalars["gradient_cost"]["low"], Bowl.of(arm).begin(optimizer)
    costs, places = [], min(steps, PLACES)
    for place in range(places):
        step = torch.tensor([(2 * place + 1) * steps // (2 * places)])  # the middles of equal parts
        query = optimizer.ask(begun.state._replace(step=step), begun.streams.at(2))
        costs.append(_step(_size(query), arm).on(arm.scalars["clock"], price))
    return steps * sum(costs) / len(costs)


def landscape_of(arm: Arm) -> Landscape:
    """The landscape as the optimizer sees it, not bound."""
    return built.landscape(arm.specs.landscape, arm.relaxation)


def evaluations(arm: Arm) -> float:
    """What a world of an arm spends: its budget of cost, or about what the steps of another budget cost.

    NaN where that is not known before it runs.
    """
    return float(arm.scalars["budget"]) if arm.scalars["clock"] == "cost" else length(arm, "cost")


def length(arm: Arm, clock: str) -> float:
    """About where a world of an arm ends on a clock; NaN where that is not known before it runs.

    Args:
        arm: the arm.
        clock: cost (at the nominal price), steps, epochs, virtual_time or seconds.
    """
    spent, count = spending(arm), steps_within(arm)
    if count == 0:
        return 0.0
    if spent is None or count is None:
        return math.nan
    first, later = (step.on(clock, arm.scalars["gradient_cost"]["value"]) for step in spent)
    return first + (count - 1) * later


def total(numbers: Iterable[float], unit: str = "") -> str:
    """Evaluations of several arms together in a text; NaN is a number that is not known before it runs."""
    every = list(numbers)
    certain = [number for number in every if not math.isnan(number)]
    if every and not certain:
        return f"{unit} not known".strip()
    return f"{sum(certain):,.0f} {unit}".strip() + " and more" * (len(certain) < len(every))


def steps(arms: list[Arm]) -> dict[tuple[str, str], str]:
    """(landscape, optimizer) -> about how many steps its arms take: the fewest and the most."""
    counts: dict[tuple[str, str], list[float]] = {}
    for arm in arms:
        counts.setdefault((str(arm.coords["landscape"]), str(arm.coords["optimizer"])), []).append(
            steps_of(arm)
        )
    return {
        names: " to ".join(
            dict.fromkeys(f"{ends(here):,.0f}".replace("nan", "?") for ends in (min, max))
        )
        for names, here in counts.items()
    }


def steps_of(arm: Arm) -> float:
    """Steps of an arm within its budget, NaN where that is not known."""
    count = steps_within(arm)
    return math.nan if count is None else count


def place(arm: Arm) -> str:
    """Where an arm is, for a line about it."""
    return ", ".join(
        str(value) if key in ("landscape", "optimizer") else f"{key} = {value}"
        for key, value in arm.coords.items()
    )


@functools.cache
def _manner(optimizer: str) -> tuple[bool, bool]:
    """Whether an optimizer, given as JSON, asks for gradients, and whether it sets mini-batches itself."""
    made = built.optimizer(optimizer)
    return bool(made.gradient), bool(made.batches)


@functools.cache
def _is_exact(
    landscape: str,
    noise: str,
    relaxation: Json,
    manner: tuple[bool, bool],
) -> bool:
    """Whether stored values may be reused, as `Problem.exact` says."""
    made, given = built.landscape(landscape, relaxation), json.loads(noise)
    evaluation, (gradient, batches) = given["evaluation"], manner
    disturbed = Noise(
        batch=given["batch"],
        sampling=given["sampling"],
        value=evaluation["value"],
        gradient=evaluation["gradient"],
    )
    oracle = Oracle(made, disturbed, Bill(1, terms=made.terms, budget=1.0))
    return oracle.exact(gradient=gradient, batches=batches)


class Billing(NamedTuple):
    """What of a landscape decides what the oracle bills."""

    terms: int
    least: int  # terms at once
    unit_cost: float


@functools.cache
def _bill(landscape: str, relaxation: Json) -> Billing:
    made = built.landscape(landscape, relaxation)
    return Billing(made.terms, made.smallest_batch, made.unit_cost)


def _step(asked: Asked, arm: Arm) -> Step:
    """What the oracle bills an arm for a query of this size."""
    bill = _bill(arm.specs.landscape, arm.relaxation)
    return _step_of(asked, bill, arm.noise["batch"], arm.noise["sampling"])


def _step_of(
    asked: Asked,
    bill: Billing,
    batch: int | None,
    sampling: str,
) -> Step:
    """What the oracle bills for a query of this size.

    Args:
        asked: the query.
        bill: of the landscape.
        batch: terms in a mini-batch; None: all.
        sampling: of mini-batches.
    """
    terms, least = bill.terms, bill.least
    size = float(batch or terms)
    size = size if asked.batch is None else float(min(max(asked.batch, least), terms))
    if sampling == "epoch":  # whose last batch is smaller, or left out
        batches, rest = divmod(terms, size)
        size = terms / (batches + 1) if rest >= max(least, 1) else (terms - rest) / batches
    count = float(size * asked.points * bill.unit_cost)
    return Step(0.0, count, terms) if asked.gradient else Step(count, 0.0, terms)


@functools.cache
def _asked(spec: str, bowl: Bowl) -> tuple[Asked, Asked] | None:
    """The sizes of the first two queries of an optimizer, given as JSON."""
    try:
        optimizer: Optimizer = registry.build(json.loads(spec), "optimizer").budgeted(MANY)
        begun = bowl.begin(optimizer)
        return _size(begun.first), _size(optimizer.ask(begun.state, begun.streams.at(2)))
    except (Exception, SystemExit):  # noqa: BLE001  what is wrong with it is said where it runs
        return None


class Begun(NamedTuple):
    """A search of one world after its first step."""

    state: State
    streams: Streams
    first: Query
    answer: Answer
    info: Info


class Bowl(NamedTuple):
    """A bowl in place of an arm's landscape."""

    domain: Domain
    dim: int
    players: int
    exact: bool  # stored values may be reused, as `Problem.exact` says

    @classmethod
    def of(cls, arm: Arm) -> Bowl:
        """A bowl on the arm's domain, in at most DIM coordinates."""
        return _bowl(arm.specs, arm.relaxation)

    def of_size(self, dim: int) -> Bowl:
        """The first so many coordinates."""
        domain = self.domain
        return self._replace(dim=dim, domain=domain if isinstance(domain, Reals) else domain.first(dim))

    def begin(self, optimizer: Optimizer) -> Begun:
        """The first step of an optimizer."""
        streams = Streams(seed=0, worlds=torch.zeros(1, dtype=torch.int64), sources=optimizer.sources)
        problem = Problem(self.dim, self.domain, self.exact, self._start, self.players)
        state = optimizer.init(problem, streams.at(0))
        first = optimizer.ask(state, streams.at(1))
        answer = self._answer(first)
        state, info = optimizer.tell(state, first, answer, streams.at(1))
        return Begun(state, streams, first, answer, info)

    def _start(self, n: int) -> torch.Tensor:
        """The middle of the domain, n times (1, n, dim)."""
        if not isinstance(self.domain, Reals):
            return torch.zeros(1, n, self.dim, dtype=torch.uint8)
        middle = (self.domain.low + self.domain.high) / 2
        return torch.full((1, n, self.dim), middle, dtype=torch.float64)

    def _answer(self, query: Query) -> Answer:
        """Half the squared length of the points, for every player, and its slope."""
        x = query.points.double()
        value = 0.5 * x.square().sum(-1)
        if self.players > 1:
            value = value[..., None].expand(-1, -1, self.players)
        return Answer(value, x if query.gradient else None)


def _size(query: Query) -> Asked:
    points = query.points.shape[1] if query.alive is None else int(query.alive.sum())
    return Asked(points, query.gradient, None if query.batch is None else int(query.batch[0]))


def _bowl(specs: Specs, relaxation: Json) -> Bowl:
    exact = _is_exact(specs.landscape, specs.noise, relaxation, _manner(specs.optimizer))
    return _bowl_in_place(specs.landscape, relaxation, exact)


@functools.cache
def _bowl_in_place(landscape: str, relaxation: Json, exact: bool) -> Bowl:
    made = built.landscape(landscape, relaxation)
    bowl = Bowl(made.domain, made.dim, len(made.players), exact)
    return bowl.of_size(min(made.dim, DIM))
