"""The contracts between landscapes, the oracle and optimizers.

Axes are always (R, P, D): replicate (world), point (population member), dimension. Everything is minimised.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, get_args, get_origin, get_type_hints

import torch
from annotated_types import BaseMetadata, Ge, Gt, Le, Lt
from torch import Tensor

from landscapes.streams import Streams


@dataclass(frozen=True)
class Reals:
    """Real coordinates. [low, high] is the box in which starts are drawn; points outside are legal unless `bounded`."""

    low: float = -1.0
    high: float = 1.0
    bounded: bool = False


@dataclass(frozen=True)
class Bits:
    """Coordinates 0 or 1, held as uint8."""


Domain = Reals | Bits


class Problem(NamedTuple):
    """All that an optimizer may know of its task."""

    dim: int
    domain: Domain
    exact: bool  # nothing that this optimizer asks for is noisy: a stored answer may be reused
    start: Callable[[int], Tensor]  # n -> (R, n, D), source "init"; row 0 is the same for every optimizer
    players: int = 1  # 2 on a game: a point is a pair of strategies, and every player has a loss of its own


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
    law: FitnessLaw | None = None  # the fitness that its values stand for, `Landscape.fitness_law`; None: the landscape does not say


class Terms(NamedTuple):
    """A mini-batch: loss = sum over b of weight_b * term(index_b); weight 0 pads, repeated indices accumulate.

    Of a loss that is no sum of terms (`Landscape.additive` is False) it names the examples that the loss sees together: weight 0 pads, the
    others have equal weights.
    """

    index: Tensor  # type: ignore[assignment]  # (R, 1 | P, B) int64
    weight: Tensor  # (R, 1 | P, B)


class Parameters:
    """Base of frozen, keyword-only dataclasses whose fields carry their ranges as `annotated_types` (Gt, Ge, Lt, Le).

    A field may also hold an (R,) tensor, one number for each world; then every entry must lie in the range.
    """

    name: ClassVar[str]

    def __post_init__(self) -> None:
        hints = hints_of(type(self))  # type: ignore[arg-type]
        for key, value in self.parameters().items():
            if get_origin(hints[key]) is Literal and value not in get_args(hints[key]):
                raise ValueError(f"{self.name}.{key}: expected one of {', '.join(map(str, get_args(hints[key])))}, got {value!r}")
            for bound in ranges(type(self), key):
                if not _within(bound, value):
                    raise ValueError(f"{self.name}.{key}: expected {_describe(bound)}, got {value}")
        self.check()

    def check(self) -> None:
        """Checks that need more than one field; raises ValueError."""

    def parameters(self) -> dict[str, Any]:
        """Field -> value, bound tables left out."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.init}  # type: ignore[arg-type]


@functools.cache
def hints_of(owner: type, *, include_extras: bool = False) -> dict[str, Any]:
    """The type hints of a class, found once."""
    return get_type_hints(owner, include_extras=include_extras)


def ranges(owner: type, key: str) -> list[BaseMetadata]:
    """The range annotations of one field of a Parameters class."""
    hint = hints_of(owner, include_extras=True)[key]
    return [m for m in get_args(hint)[1:] if isinstance(m, BaseMetadata)] if get_origin(hint) is Annotated else []


def _within(bound: BaseMetadata, value: Any) -> bool:  # noqa: ANN401
    if value is None or isinstance(value, str):
        return True
    checks = {Gt: lambda b: value > b.gt, Ge: lambda b: value >= b.ge, Lt: lambda b: value < b.lt, Le: lambda b: value <= b.le}
    return bool(torch.as_tensor(checks[type(bound)](bound)).all())


def _describe(bound: BaseMetadata) -> str:
    sign = {Gt: ">", Ge: ">=", Lt: "<", Le: "<="}[type(bound)]
    return f"{sign} {getattr(bound, type(bound).__name__.lower())}"


class Landscape(Parameters, ABC):
    """A loss to minimise, deterministic once bound to worlds. Subclasses are frozen keyword-only dataclasses of parameters.

    A landscape with random tables draws them in `bind` and returns `self.bound(tables=...)`; its tables are fields with
    `init=False`. One without random tables is its own bound form.
    """

    extras: ClassVar[Mapping[str, tuple[str, str]]] = {}  # what `measures` returns: name -> (long name, unit)
    optimum: Tensor | None = None  # (R, D) a global minimiser, once bound; None: not known. A field, where a subclass knows it

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
        """The largest number of which all differences of two losses are multiples, where values are discrete; else 0."""
        return 0.0

    @property
    def fitness_law(self) -> FitnessLaw | None:
        """The fitness that its loss stands for; None: it does not say, and an optimizer that needs fitness names how it follows from the loss."""
        return None

    @property
    def optima(self) -> Tensor | None:
        """All known global minimisers (R, K, D), once bound, some perhaps twice; None: none is known, or they are too many to list."""
        return None if self.optimum is None else self.optimum[:, None]

    @property
    def additive(self) -> bool:
        """Whether the loss of a mini-batch is the weighted sum of the losses of its terms; False: it depends on which are seen together."""
        return True

    @property
    def smallest_batch(self) -> int:
        """The fewest terms that a mini-batch may have."""
        return 1

    @property
    def players(self) -> tuple[int, ...]:
        """How many coordinates each player owns, in order; on a game (more than one) `loss` is (R, P, players), each minimises its own."""
        return (self.dim,)

    @property
    def clock(self) -> Literal["step", "cost"] | None:
        """What `loss` takes as time: completed steps, or evaluations spent; None: the landscape stands still."""
        return None

    @property
    def noisy(self) -> bool:
        """Whether the landscape names a noise law of its own (`observe`)."""
        return False

    @property
    def code(self) -> tuple[str, ...]:
        """Modules of the user's own whose code the loss runs, beside that of the class: a cell is computed anew where they change."""
        return ()

    @property
    def fingerprint(self) -> str:
        """Digest of what the loss reads beside its parameters, such as a file; a cell is computed anew where it changes."""
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
        """The landscape of these worlds; tables are drawn at source "instance". `streams.worlds` holds instance numbers."""
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
        """X (R, P, D), terms of a mini-batch or None for all, time (R,) for moving landscapes -> (R, P)."""

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Of a landscape on Bits: its mean loss where loci are 1 independently with chances p (R, P, D), its multilinear extension -> (R, P)."""
        raise ValueError(f"{self.name}: its multilinear extension cannot be computed")

    def observe(self, value: Tensor, points: Tensor, streams: Streams) -> Tensor:
        """What an oracle sees of the true values (R, P) of points (R, P, D): the landscape's own noise, source "evaluation", parts 2 and up."""
        del points, streams
        return value

    def start(self, streams: Streams, n: int) -> Tensor:
        """N starting points (R, n, D), source "init": uniform in the box, or uniform bits."""
        shape = (n, self.dim)
        if isinstance(self.domain, Bits):
            return streams.bernoulli("init", 0.5, shape).to(torch.uint8)
        return self.domain.low + (self.domain.high - self.domain.low) * streams.uniform("init", shape)

    def solution_loss(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """The true loss of x (R, P, D) taken as an answer -> (R, P); a relaxation rounds first, a game says how far from equilibrium."""
        return self.loss(x, None, time)

    def measures(self, x: Tensor) -> dict[str, Tensor]:
        """Further noise-free measures of recommendations x (R, D): name -> (R,), the names of `extras`."""
        del x
        return {}


def per_instance(streams: Streams, draw: Callable[[Streams], Tensor]) -> Tensor:
    """Tables (R, ...) of draw(streams) -> (I, ...), called once for the different instances; where all worlds share one they share its memory."""
    again = streams.redraws.get("instance", torch.zeros_like(streams.worlds))
    (numbers, redraws), row = torch.unique(torch.stack([streams.worlds, again]), dim=1, return_inverse=True)
    table = draw(streams.subset(numbers).redraw("instance", redraws))
    return table.expand(streams.size, *table.shape[1:]) if len(numbers) == 1 else table[row.to(table.device)]


def check_points(landscape: Landscape, x: Tensor) -> None:
    """Raise ValueError unless x is (R, P, D) of the right type, and within the box where that is bounded."""
    name, dim, domain = landscape.name, landscape.dim, landscape.domain
    if x.ndim != 3 or x.shape[-1] != dim:
        raise ValueError(f"{name}: expected points of shape (R, P, {dim}), got {tuple(x.shape)}")
    if isinstance(domain, Bits) and x.dtype != torch.uint8:
        raise ValueError(f"{name}: expected bits as torch.uint8, got {x.dtype}; convert with .to(torch.uint8)")
    if isinstance(domain, Reals):
        check_reals(name, x)
        if domain.bounded and not bool(((x >= domain.low) & (x <= domain.high) | x.isnan()).all()):
            raise ValueError(f"{name}: expected points in [{domain.low:g}, {domain.high:g}]^{dim}, got {x.min():g} .. {x.max():g}")


def into_box(landscape: Landscape, x: Tensor) -> tuple[Tensor, Tensor | None]:
    """Points x (R, P, D) moved into the box where that is bounded, and which were inside (R, P); None where every point is legal."""
    domain = landscape.domain
    if not (isinstance(domain, Reals) and domain.bounded):
        return x, None
    moved = x.clamp(domain.low, domain.high)
    return moved, (moved == x).all(-1)


def check_chances(landscape: Landscape, p: Tensor) -> None:
    """Raise ValueError unless p is (R, P, D), real: the chances of an `extension`."""
    if p.ndim != 3 or p.shape[-1] != landscape.dim:
        raise ValueError(f"{landscape.name}: expected points of shape (R, P, {landscape.dim}), got {tuple(p.shape)}")
    check_reals(landscape.name, p)


def check_reals(name: str, x: Tensor) -> None:
    """Raise ValueError unless x is float32 or float64."""
    if x.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"{name}: expected points as torch.float32 or torch.float64, got {x.dtype}; convert with .to(torch.float64)")


def weighted(loss: Tensor, terms: Terms | None) -> Tensor:
    """The loss (R, P) of a mini-batch where it is not a finite sum: one term, taken as often as the weights say."""
    return loss if terms is None else terms.weight.sum(-1) * loss


UNBOUND = torch.empty(0)  # stands for a table before `bind`


def check_bound(name: str, x: Tensor, table: Tensor) -> None:
    """Raise ValueError unless the landscape holds its tables (R, ...) and x (R, P, D) has as many worlds."""
    if table.numel() == 0:
        raise ValueError(f"{name}: expected a landscape bound to worlds, got parameters alone; call .bind(streams) first")
    if len(table) != len(x):
        raise ValueError(f"{name}: expected points of the {len(table)} worlds it is bound to, got {len(x)}")


def column(value: float | Tensor, like: Tensor) -> float | Tensor:
    """A hyperparameter ready to broadcast against (R, P, D): a number as it is, an (R,) or (R, P) tensor with ones appended."""
    if not isinstance(value, Tensor) or value.ndim == 0:
        return value
    return value.to(like).reshape(*value.shape, *(1,) * (3 - value.ndim))


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Sum over the last axis of a * b. Unlike matmul with a vector and einsum, its bits do not depend on R."""
    return (a * b).sum(-1)


def safe_unit(size: Tensor) -> Tensor:
    """What to divide by before numbers up to `size` are squared, so that the squares neither overflow nor vanish: a power of two.

    It is 1 in the middle two fifths of the exponents, so that there, and where size is 0 or no number, no bit changes.
    """
    low, high = _squared(size.dtype)
    limits = torch.finfo(size.dtype)
    large, small = 2.0 ** round(math.log2(limits.max) * 0.7), 2.0 ** round(math.log2(limits.tiny) * 0.7)
    return torch.ones_like(size).masked_fill_(size > high, large).masked_fill_((size < low) & (size > 0), small)


def ordinary(size: Tensor) -> bool:
    """Whether `safe_unit` is 1 for all sizes >= 0."""
    low, high = _squared(size.dtype)
    return not bool(size.amax() > high) and not bool(size.masked_fill(size == 0, 1.0).amin() < low)


def _squared(dtype: torch.dtype) -> tuple[float, float]:
    """The least and the largest numbers of which a sum of squares is safe."""
    limits = torch.finfo(dtype)
    return limits.tiny**0.4, limits.max**0.4


def squarable(x: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors x (.., D), each divided by the `safe_unit` of its largest coordinate, and these units (.., 1)."""
    unit = safe_unit(torch.maximum(x.amax(-1, keepdim=True), -x.amin(-1, keepdim=True)))
    return (x if bool((unit == 1).all()) else x / unit), unit


def norm(x: Tensor) -> Tensor:
    """Euclidean length over the last axis, (.., D) -> (..): finite where it can be held, and 0 only where x is."""
    small, unit = squarable(x)
    return dot(small, small).sqrt() * unit[..., 0]


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """Product (..., I, J) @ (..., J, K), axes of length 1 padded to 2: the bits of a matrix-vector product, and of its gradient, depend on R."""
    rows, columns = a.shape[-2], b.shape[-1]
    if min(rows, columns, a.shape[-1]) > 1:
        return a @ b
    short = a.shape[-1] == 1
    if short or rows == 1:
        a = torch.nn.functional.pad(a, (0, int(short), 0, int(rows == 1)))
    if short or columns == 1:
        b = torch.nn.functional.pad(b, (0, int(columns == 1), 0, int(short)))
    return (a @ b)[..., :rows, :columns]


def exp_minus(x: Tensor) -> Tensor:
    """exp(-|x|), with the derivative from the right at 0, where that of abs is none."""
    return torch.exp(-torch.where(x >= 0, x, -x))


def logistic(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x)). torch.sigmoid, softplus and pow round differently in the body and the tail of an array; exp and log do not."""
    e = exp_minus(x)
    return torch.where(x >= 0, torch.ones_like(e), e) / (1 + e)


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)); see `logistic`."""
    return x.clamp_min(0) + torch.log1p(exp_minus(x))


def power(x: Tensor, exponent: float) -> Tensor:
    """X ** exponent for x > 0; see `logistic`."""
    return torch.exp(exponent * torch.log(x))
