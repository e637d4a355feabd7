"""The contracts between landscapes, the oracle and optimizers.

Axes are always (R, P, D): replicate (world), point (population member), dimension. Everything is minimised.
"""

from __future__ import annotations

import copy
import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Self

import torch
from torch import Tensor

from landscapes.parameters import Parameters
from landscapes.streams import Streams


@dataclass(frozen=True)
class Reals:
    """Real coordinates. [low, high] is the box in which starts are drawn.

    Points outside are legal unless `bounded`.
    """

    low: float = -1.0
    high: float = 1.0
    bounded: bool = False


@dataclass(frozen=True)
class Bits:
    """Coordinates 0 or 1, held as uint8.

    Args:
        sites: the two letters that 0 and 1 stand for at each coordinate; none: 0 and 1.
    """

    sites: tuple[tuple[str, ...], ...] = ()

    def first(self, dim: int) -> Bits:
        """Those of so many coordinates, from the first on."""
        return Bits(self.sites[:dim])


@dataclass(frozen=True)
class Letters:
    """Coordinates that are one of several letters each: their numbers as uint8, 0 that of the wild type.

    Args:
        sites: the letters of each coordinate, in the order of their numbers; 2 at least.
    """

    sites: tuple[tuple[str, ...], ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many letters each coordinate has."""
        return tuple(map(len, self.sites))

    def first(self, dim: int) -> Letters:
        """Those of so many coordinates, from the first on."""
        return Letters(self.sites[:dim])


Domain = Reals | Bits | Letters


class Problem(NamedTuple):
    """All that an optimizer may know of its task."""

    dim: int
    domain: Domain
    exact: bool  # nothing that this optimizer asks for is noisy: a stored answer may be reused
    start: Callable[
        [int], Tensor
    ]  # n -> (R, n, D), source "init"; row 0 is the same for every optimizer
    players: int = (
        1  # 2 on a game: a point is a pair of strategies, and every player has a loss of its own
    )


class Query(NamedTuple):
    """What an optimizer asks of the oracle at one step."""

    points: Tensor  # (R, P, D)
    gradient: bool = False  # values only, or gradients (the value comes with them)
    batch: Tensor | None = None  # (R,) terms per point now; None: the study's noise.batch
    alive: Tensor | None = None  # (R, P) bool: rows really asked, only these are billed; None: all


class FitnessLaw(NamedTuple):
    """The fitness that a loss L stands for: max(0, best - L), or exp(-L) where `log`."""

    best: float = 1.0  # fitness at loss 0, in the units of the loss; not positive: nobody has fitness
    log: bool = False


class Answer(NamedTuple):
    """What the oracle answers."""

    value: Tensor  # (R, P), or (R, P, players) on a game
    gradient: Tensor | None = None  # (R, P, D); on a game each player's block of its own loss
    # the fitness that its values stand for, `Landscape.fitness_law`; None: the landscape does not say
    law: FitnessLaw | None = None


class Terms(NamedTuple):
    """A mini-batch: loss = sum over b of weight_b * term(index_b).

    Weight 0 pads, repeated indices accumulate.

    Of a loss that is no sum of terms (`Landscape.additive` is False) it names the examples that the loss sees
    together: weight 0 pads, the others have equal weights.
    """

    index: Tensor  # type: ignore[assignment]  # (R, 1 | P, B) int64
    weight: Tensor  # (R, 1 | P, B)


class Dropout(NamedTuple):
    """Where the units that networks drop are drawn: an address for each point of a query."""

    key: Tensor  # (R, P, 5) int64, as in `landscapes.streams_numba`
    place: int = 0  # of the first term, in its mini-batch


class Landscape(Parameters, ABC):
    """A loss to minimise, deterministic once bound to worlds.

    Subclasses are frozen keyword-only dataclasses of parameters.

    A landscape with random tables draws them in `bind` and returns `self.bound(tables=...)`; its tables are
    fields with `init=False`. One without random tables is its own bound form.
    """

    extras: ClassVar[
        Mapping[str, tuple[str, str]]
    ] = {}  # what `measures` returns: name -> (long name, unit)
    # parameters of floats that are no number of each world, see `landscapes.together`; others may be
    one_for_all: ClassVar[tuple[str, ...]] = ()
    # (R, D) a global minimiser, once bound; None: not known. A field, where a subclass knows it
    optimum: Tensor | None = None

    @property
    @abstractmethod
    def dim(self) -> int:
        """D."""

    @property
    @abstractmethod
    def domain(self) -> Domain:
        """Where points live."""

    @property
    def terms(self) -> int:
        """The loss is the mean of so many terms; 1: not a finite sum."""
        return 1

    @property
    def unit_cost(self) -> int:
        """What one value costs, in evaluations."""
        return 1

    @property
    def solution_cost(self) -> int:
        """What one `solution_loss` costs, in evaluations."""
        return self.unit_cost

    @property
    def gap_known(self) -> bool:
        """Whether `loss` is the gap to the known optimum (so 0 is the best possible)."""
        return False

    @property
    def spacing(self) -> float:
        """The largest number of which all differences of two losses are multiples; 0: there is none."""
        return 0.0

    @property
    def fitness_law(self) -> FitnessLaw | None:
        """The fitness that its loss stands for.

        None: it does not say, and an optimizer that needs fitness names how it follows from the loss.
        """
        return None

    @property
    def optima(self) -> Tensor | None:
        """All known global minimisers (R, K, D), once bound, some perhaps twice.

        None: none is known, or they are too many to list.
        """
        return None if self.optimum is None else self.optimum[:, None]

    @property
    def place_known(self) -> bool:
        """Whether a global minimiser is known once bound: who knows it has a field `optimum`."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        return self.gap_known and "optimum" in {field.name for field in fields}

    def optima_at(self, time: Tensor | None = None) -> Tensor | None:
        """The global minimisers (R, K, D) that are known at time (R,), as `optima`; None: the start."""
        del time
        return self.optima

    @property
    def form(self) -> tuple[object, ...]:
        """What else its numbers decide than tables: which operations its worlds take, and of which shape."""
        return ()

    @property
    def additive(self) -> bool:
        """Whether the loss of a mini-batch is the weighted sum of the losses of its terms.

        False: it depends on which are seen together.
        """
        return True

    @property
    def smallest_batch(self) -> int:
        """The fewest terms that a mini-batch may have."""
        return 1

    @property
    def players(self) -> tuple[int, ...]:
        """How many coordinates each player owns, in order.

        On a game (more than one) `loss` is (R, P, players), each minimises its own.
        """
        return (self.dim,)

    @property
    def clock(self) -> Literal["step", "cost"] | None:
        """What `loss` takes as time: completed steps, or evaluations spent.

        None: the landscape stands still.
        """
        return None

    @property
    def noisy(self) -> bool:
        """Whether the landscape names a noise law of its own (`observe`)."""
        return False

    @property
    def drops(self) -> bool:
        """Whether an oracle sees it with units dropped at random (`dropping`); the loss itself is without."""
        return False

    @property
    def code(self) -> tuple[str, ...]:
        """Modules of the user's own whose code the loss runs, beside that of the class.

        A cell is computed anew where they change.
        """
        return ()

    @property
    def fingerprint(self) -> str:
        """Digest of what the loss reads beside its parameters, such as a file.

        A cell is computed anew where it changes.
        """
        return ""

    @property
    def extension_cost(self) -> int | None:
        """What one value of `extension` costs, in evaluations; None: it cannot be computed."""
        return None

    @property
    def sloped(self) -> bool:
        """Whether automatic differentiation finds slopes of `loss`, or on Bits of `extension`."""
        return isinstance(self.domain, Reals) or self.extension_cost is not None

    @property
    def values_are_solutions(self) -> bool:
        """Whether the value of a point is its loss as an answer; a relaxation's is not."""
        return True

    def bind(self, streams: Streams) -> Self:
        """The landscape of these worlds; tables are drawn at source "instance".

        `streams.worlds` holds instance numbers.
        """
        del streams
        return self

    def bound(self, **tables: Any) -> Self:  # noqa: ANN401
        """A copy that holds the given tables."""
        copied = copy.copy(self)
        for name, table in tables.items():
            object.__setattr__(copied, name, table)
        return copied

    @abstractmethod
    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """The losses (R, P) of points; of a game (R, P, players).

        Args:
            x: (R, P, D).
            terms: those of a mini-batch; None: all.
            time: (R,), of a moving landscape.
        """

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """The multilinear extension of a landscape on Bits -> (R, P).

        The mean loss where loci are 1 independently with chances p (R, P, D).
        """
        raise ValueError(f"{self.name}: its multilinear extension cannot be computed")

    def dropping(self, dropout: Dropout) -> Self:
        """The landscape as an oracle sees it, where it `drops`: its `loss` drops what these addresses say.

        Each point drops its own, of each term its own; source "dropout".
        """
        del dropout
        return self

    def observe(self, value: Tensor, points: Tensor, streams: Streams) -> Tensor:
        """What an oracle sees of the true values (R, P) of points (R, P, D): the landscape's own noise.

        Draws: evaluation (parts 2 and up).
        """
        del points, streams
        return value

    def start(self, streams: Streams, n: int) -> Tensor:
        """Starting points (R, n, D), source "init": uniform in the box, or uniform bits or letters."""
        shape = (n, self.dim)
        if isinstance(self.domain, Letters):
            return uniform_letters(self.domain.sizes, streams, "init", n)
        if isinstance(self.domain, Bits):
            return streams.bernoulli("init", 0.5, shape).to(torch.uint8)
        return self.domain.low + (self.domain.high - self.domain.low) * streams.uniform("init", shape)

    def solution_loss(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """The true loss of x (R, P, D) taken as an answer -> (R, P).

        A relaxation rounds first, a game says how far from equilibrium.
        """
        return self.loss(x, None, time)

    def measures(self, x: Tensor) -> dict[str, Tensor]:
        """Further noise-free measures of recommendations x (R, D): name -> (R,), the names of `extras`."""
        del x
        return {}


def uniform_letters(sizes: tuple[int, ...], streams: Streams, source: str, n: int) -> Tensor:
    """Points (R, n, D) uint8 of which each coordinate is one of so many letters (D,), all as likely."""
    count = torch.as_tensor(sizes, device=streams.device)
    return streams.integers(source, count, (n, len(count))).to(torch.uint8)


def per_instance(streams: Streams, draw: Callable[[Streams], Tensor]) -> Tensor:
    """Tables (R, ...) of draw(streams) -> (I, ...), called once for the different instances.

    Where all worlds share one they share its memory.
    """
    again = streams.redraws.get("instance", torch.zeros_like(streams.worlds))
    (numbers, redraws), row = torch.unique(
        torch.stack([streams.worlds, again]), dim=1, return_inverse=True
    )
    table = draw(streams.subset(numbers).redraw("instance", redraws))
    return (
        table.expand(streams.size, *table.shape[1:])
        if len(numbers) == 1
        else table[row.to(table.device)]
    )


def weighted(loss: Tensor, terms: Terms | None) -> Tensor:
    """The loss (R, P) of a mini-batch where it is not a finite sum.

    One term, taken as often as the weights say.
    """
    return loss if terms is None else terms.weight.sum(-1) * loss
