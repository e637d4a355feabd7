"""The contract of optimizers: tensors in, tensors out.

An optimizer never sees a landscape. It asks (`Query`), the oracle answers (`Answer`), it is told. State is a
NamedTuple of tensors with leading R; hyperparameters are a frozen keyword-only dataclass, each a number or an
(R,) tensor.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, Self

from torch import Tensor

from landscapes.base import Answer, FitnessLaw, Problem, Query, Reals
from landscapes.parameters import Parameters
from landscapes.streams import Streams
from optimizers.schedules import Schedule

State = Any  # a NamedTuple of tensors with leading R, different for each optimizer
Info = dict[str, Tensor]  # parents, staleness, clock, accepted, ...: (R, ...)
# source of chance -> off (its deterministic limit), free, .. -> the parameters that make it so
Switches = Mapping[str, Mapping[str, Mapping[str, float | str | None]]]
Recorded = Mapping[str, tuple[str, str, str]]  # key of info -> variable, long name, unit


class Quantity(NamedTuple):
    """What a study may record of a method, as in `record: {width: sigma}`."""

    long_name: str
    units: str
    # optimizer, state, what it told of the last step (None before the first) -> (R, ..); None: not yet known
    of: Callable[[Any, State, Info | None], Tensor | None]


class Optimizer(Parameters, ABC):
    """One search method.

    Subclasses are frozen keyword-only dataclasses of hyperparameters; `P` is the number of points asked each
    step.
    """

    domains: ClassVar[tuple[type, ...]] = (Reals,)  # where it can search: Reals, Bits, Letters
    sources: ClassVar[tuple[str, ...]] = ()  # the streams that it draws from
    gradient: ClassVar[bool] = False  # whether it asks for gradients
    games: ClassVar[bool] = (
        False  # whether it can play a game, where every player has a loss of its own
    )
    linear_fitness: ClassVar[bool] = False  # whether fitness has to be linear in the loss
    # how it may see bits, if it searches reals alone
    relaxations: ClassVar[tuple[str, ...]] = ("extension", "lovasz", "threshold")
    # parameters that are numbers of steps, or `budget`: those of the whole run
    until_budget: ClassVar[tuple[str, ...]] = ()
    # installed packages, beside torch, whose versions its numbers depend on
    libraries: ClassVar[tuple[str, ...]] = ()
    switches: ClassVar[Switches] = {}
    recorded: ClassVar[Recorded] = {}  # what checkpoints show of info: its mean
    counted: ClassVar[Recorded] = {}  # likewise, the sum of a step's (R,) over the steps so far
    quantities: ClassVar[Mapping[str, Quantity]] = {}  # what `record:` of a study may name

    @property
    def batches(self) -> bool:
        """Whether its queries set mini-batches of their own."""
        return False

    @property
    def cost_follows_schedule(self) -> bool:
        """Whether a schedule changes what a step costs.

        Then its state counts completed steps as `step` (R,).
        """
        return False

    @property
    def haplotypes(self) -> int:
        """Points, one after another, that make up an individual, whose loss is their mean."""
        return 1

    def scheduled_steps(self, queries: int, players: int) -> int:
        """How many steps, as its schedules count them, so many queries are on a problem of these players."""
        del players
        return queries

    def budgeted(self, queries: int, players: int = 1) -> Self:
        """This method for a budget of so many queries.

        What ends with the budget (`steps: budget`) is told its number of steps.
        """
        steps = self.scheduled_steps(queries, players)
        changed: dict[str, Any] = {}
        for key, value in self.parameters().items():
            if isinstance(value, Schedule) and value.until_budget:
                changed[key] = value.budgeted(steps)
            elif key in self.until_budget and value == "budget":
                changed[key] = max(1, steps)
        return dataclasses.replace(self, **changed) if changed else self  # type: ignore[type-var]

    def check_problem(self, problem: Problem) -> None:
        """Raise ValueError where it cannot search such a problem, of which no start may be asked.

        A study says so when it is read, as "KIND.parameter: expected ..".
        """
        del problem

    @abstractmethod
    def init(self, problem: Problem, streams: Streams) -> State:
        """The state before the first step."""

    @abstractmethod
    def ask(self, state: State, streams: Streams) -> Query:
        """The points of the next step."""

    @abstractmethod
    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """The state after the step."""

    def resumed(self, state: State) -> State:
        """A state of this method with other settings, as these settings go on from it."""
        return state

    def share(self, state: State) -> Tensor | None:
        """(R, P): what part of the population each point asked stands for; None: all count alike.

        Where points are no individuals, such as the genotypes of `quasispecies`.
        """
        del state
        return None

    def individuals(self, state: State) -> tuple[Tensor, Tensor] | None:
        """The living population: points (R, P, D), and the share of it that each stands for (R, P) float64.

        None: the method has none, such as a trajectory, or a distribution that it samples anew.
        """
        del state
        return None

    @property
    def demes(self) -> int:
        """Populations within which selection takes place."""
        return 1

    def parentage(self, value: Tensor, law: FitnessLaw | None) -> Tensor | None:
        """(R, P): how often each of P living points, of these values, is a parent, up to a factor.

        The mean over drift; None: not by fitness alone.
        """
        del value, law
        return None

    def rates(self, state: State) -> Mapping[str, float | Tensor]:
        """The learning rates: reference of the noise ledger -> factor, a number or (R,).

        That which the next step is meant to have to the reference; NaN: none.
        """
        del state
        return {}

    @abstractmethod
    def recommend(self, state: State) -> Tensor:
        """(R, D): the point that it would return now."""

    @abstractmethod
    def center(self, state: State) -> Tensor:
        """(R, D): the trajectory's point, or the population's mean (allele frequencies on Bits)."""
