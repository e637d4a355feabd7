"""What a claim is, what is said of it, and the places of a study at which it is judged."""

from __future__ import annotations

import hashlib
import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from annotated_types import Ge
from xarray import DataArray, Dataset

from studies.analysis.comparison.paired import same_worlds
from studies.results import hits, settings
from studies.results.arms import absent, asked, but_seconds, words_on_silent
from studies.results.hits import at_budget, ran, spent
from studies.text.schema import SPENT, Status
from studies.text.shapes import Data, Tree

Verdict = Literal["holds", "fails", "undecided"]
WORST: tuple[Verdict, ...] = ("fails", "undecided", "holds")
GRID = ("landscape", "optimizer")


class Judgement(NamedTuple):
    """Theory beside observation, at one place of a study."""

    claim: str  # what the study calls it
    kind: str
    where: Data  # landscape, optimizer, and the values of the swept axes that tell
    quantity: str  # what is predicted and observed, with its unit
    predicted: float
    observed: float
    standard_error: float
    observed_low: float  # the interval of the observed, each end at the level of three standard errors
    observed_high: float
    tolerance: float  # as the study gives it
    # what is accepted as the predicted: the tolerance around it; the interval of the observed must lie within
    low: float
    high: float
    control: float  # what a wrong law predicts
    control_rejected: bool  # by the same check
    in_regime: bool
    worlds: int  # that had numbers
    verdict: Verdict
    note: str = ""
    relation: Literal["=", ">", "<=", ">="] = "="  # how the observed is said to be to the predicted
    # that would decide, were what they show as now: 0 where it is decided, inf where none would; NaN: not
    # known
    worlds_needed: float = math.nan
    p_holds: float = math.nan  # of the hypothesis that the law is false; NaN: not known
    p_fails: float = math.nan  # of the hypothesis that it is true


@dataclass(frozen=True, kw_only=True)
class Claim(ABC):
    """A prediction about a study's results, which can fail.

    Args:
        landscape: label; null: every landscape.
        at: swept axis -> the value at which it is judged; an axis that is not named: at each of its values.
        regime: swept axis -> [low, high], where the law is said to be valid; what is outside is reported
            apart and does not count.
    """

    kind: ClassVar[str] = ""
    optimizers: ClassVar[tuple[str, ...]] = ()  # the parameters that are labels of optimizers
    landscape: str | None = None
    at: Data = field(default_factory=dict)
    regime: dict[str, list[float]] = field(default_factory=dict)

    @abstractmethod
    def judge(self, dataset: Dataset) -> Sequence[Judgement]:
        """The verdicts, one for each place.

        Args:
            dataset: a study's results.

        Raises:
            ValueError: it has not what the claim is about.
        """

    def labels(self) -> list[str]:
        """The optimizers that it is about."""
        return list(self.named().values())

    def named(self) -> dict[str, str]:
        """Parameter -> optimizer, of those that it is about."""
        return {name: getattr(self, name) for name in self.optimizers}

    def inside(self, where: Tree) -> bool:
        """Whether a place is in the regime."""
        return all(
            low <= float(where[axis]) <= high
            for axis, (low, high) in self.regime.items()
            if axis in where
        )

    def require(self, condition: bool, name: str, text: str) -> None:
        """Raise ValueError where a parameter is wrong."""
        if not condition:
            raise ValueError(f"{self.kind}.{name}: {text}")


Tolerance = Annotated[float, Ge(0)] | dict[str, float]


class Within(NamedTuple):
    """A tolerance as it counts: the wider of the two."""

    relative: float
    absolute: float

    def around(self, *values: float) -> float:
        """How far it reaches from the largest of these."""
        return max(self.relative * max(map(abs, values)), self.absolute)


def tolerance(
    claim: Claim, given: float | Mapping[str, float], own: Literal["relative", "absolute"]
) -> Within:
    """The tolerance of a claim.

    Args:
        claim: what is wrong is said of it.
        given: {relative: .., absolute: ..}, or a number.
        own: what a number is.

    Raises:
        ValueError: another key, or a number below 0.
    """  # noqa: DOC502
    parts = {own: given} if isinstance(given, int | float) else dict(given)
    expected = "expected a number, or relative and absolute, got"
    for name, value in parts.items():
        claim.require(name in Within._fields, "tolerance", f"{expected} {name!r}")
        claim.require(0 <= value < math.inf, "tolerance", f"expected {name} >= 0, got {value}")
    claim.require(bool(parts), "tolerance", f"{expected} none")
    return Within(parts.get("relative", 0.0), parts.get("absolute", 0.0))


def nothing_random(data: Dataset) -> bool:
    """Whether no step of the runs of a place draws.

    Worlds differ by start and instance alone, and where they are equal these did not matter.
    """
    arms = settings.arms(data)
    return bool(arms) and all(arm.draws is not None and not len(arm.draws) for arm in arms)


class Unjudged(ValueError):
    """A place at which a claim cannot be judged, and why; it can be at others."""


class Unfinished(Unjudged):
    """No world has finished at a place."""


class Place(NamedTuple):
    """A place of a study."""

    where: Data  # axis -> value
    data: Dataset  # dims optimizer, replicate, ..


def places(
    dataset: Dataset, claim: Claim, keep: Sequence[str] = (), more: Sequence[str] = ()
) -> Iterator[Place]:
    """The places at which a claim is judged: every landscape and value of the axes.

    Values that change none of its optimizers' numbers are one.

    Args:
        dataset: a study's results.
        claim: says where.
        keep: axes that stay dims.
        more: dims that are gone through as axes are, such as the moments of the ledger.
    """
    data = dataset.sel(optimizer=claim.labels())
    if len(claim.labels()) > 1:
        same_worlds(data)
    for name in data["landscape"].values.tolist() if claim.landscape is None else [claim.landscape]:
        yield from of_axes(data.sel(landscape=name), claim, keep, more)


def of_axes(
    data: Dataset, claim: Claim, keep: Sequence[str] = (), more: Sequence[str] = ()
) -> Iterator[Place]:
    """The places of arms that are judged together.

    Args:
        data: their results, along the dim `optimizer`; `landscape` is a label, or lies along that dim too.
        claim: as of `places`.
        keep: likewise.
        more: likewise.
    """
    axes = [axis for axis in [*axes_of(data), *more] if axis not in keep]
    values = [[claim.at[axis]] if axis in claim.at else data[axis].values.tolist() for axis in axes]
    distinct: dict[tuple[object, ...], Place] = {}
    for chosen_values in itertools.product(*values):
        where = dict(zip(axes, chosen_values, strict=True))
        part = chosen(data, where).load()
        if bool(absent(part).all([axis for axis in keep if axis in part.dims]).any()):
            continue
        distinct.setdefault((_digest(part), *(where[axis] for axis in more)), Place(where, part))
    landscape = single(data, "landscape")
    telling = [axis for axis in axes if axis in claim.at or _several(distinct.values(), axis)]
    for place in distinct.values():
        yield Place(landscape | {axis: place.where[axis] for axis in telling}, place.data)


def single(data: Dataset, name: str) -> Data:
    """Name -> the one label of a coordinate; nothing where it has several."""
    labels = set(data[name].values.ravel().tolist())
    return {name: labels.pop()} if len(labels) == 1 else {}


def _several(distinct: Iterable[Place], axis: str) -> bool:
    """Whether places have different values of an axis."""
    return len({place.where[axis] for place in distinct}) > 1


NUMBERS = (  # of a judgement
    *("predicted", "observed", "standard_error", "observed_low", "observed_high"),
    *("tolerance", "low", "high", "control"),
)


def unknown(kind: str, note: str, where: Tree | None = None, *, in_regime: bool = True) -> Judgement:
    """The judgement of a claim about which nothing is known.

    Args:
        kind: of the claim.
        note: why.
        where: the place.
        in_regime: whether it is one that counts.
    """
    numbers: Data = dict.fromkeys(NUMBERS, math.nan)
    return Judgement(
        claim="",
        kind=kind,
        where=dict(where or {}),
        quantity="",
        verdict="undecided",
        note=note,
        control_rejected=False,
        in_regime=in_regime,
        worlds=0,
        **numbers,
    )


def at_each(
    claim: Claim, at_places: Iterable[Place], judge: Callable[[Place], Judgement | list[Judgement]]
) -> list[Judgement]:
    """The judgements at all places; undecided where no world has finished, or nothing is predicted.

    Args:
        claim: the claim.
        at_places: the places.
        judge: gives the judgements at one of them.
    """
    rows: list[Judgement] = []
    for place in at_places:
        try:
            judged = judge(place)
        except Unjudged as error:
            where = place.where | claim.named()
            judged = unknown(claim.kind, str(error), where, in_regime=claim.inside(place.where))
        rows += [judged] if isinstance(judged, Judgement) else judged
    return rows


def axes_of(data: Dataset) -> list[str]:
    """The swept axes."""
    return [str(dim) for dim in data["status"].dims if dim not in (*GRID, "replicate", "checkpoint")]


def chosen(data: Dataset, where: Tree) -> Dataset:
    """The results at values of axes.

    Raises:
        ValueError: an axis has no such value.
    """
    for axis, value in where.items():
        values = data[axis].values.tolist()
        if value not in values:
            raise ValueError(f"at.{axis}: expected one of {', '.join(map(str, values))}, got {value!r}")
        data = data.isel({axis: values.index(value)})
    return data


def _digest(data: Dataset) -> bytes:
    """Of all numbers but wall-clock times."""
    names = sorted(but_seconds(data))
    return hashlib.sha256(b"".join(data[name].values.tobytes() for name in names)).digest()


def loss_or_infinite(data: Dataset) -> DataArray:
    """The loss; that of a run that diverged is infinite from there on."""
    return data["loss"].where(data["status"] != Status.DIVERGED, np.inf)


def present(data: Dataset) -> Dataset:
    """The worlds in which every run of the Dataset has numbers.

    The loss of a run that diverged is infinite from there on.

    Raises:
        Unfinished: there is no such world.
        Unjudged: a run never asked, so that it shows nothing but its start.
    """  # noqa: DOC502
    data = data.isel(replicate=np.flatnonzero(finished(data)))
    return data.assign(loss=loss_or_infinite(data))


def finished(data: Dataset) -> np.ndarray:
    """In which worlds every run of the Dataset has numbers: (R,), one at least.

    Raises:
        Unfinished: there is no such world.
        Unjudged: a run never asked, so that it shows nothing but its start.
    """
    others = [dim for dim in data["status"].dims if dim not in ("replicate", "checkpoint")]
    worlds = ran(data).all(others).values
    if "loss" not in data or not worlds.any():
        raise Unfinished("no world has finished")
    silent = ~asked(data).broadcast_like(data["optimizer"])
    if bool(silent.any()):
        names = np.atleast_1d(data["optimizer"].where(silent, drop=True).values)
        raise Unjudged(words_on_silent([str(name) for name in names], "not judged; raise the budget"))
    return worlds


def at_cost(data: Dataset, cost: float | None) -> Dataset:
    """The last checkpoint whose cost is at most this one.

    None: the last within the budget that all optimizers have.

    Raises:
        ValueError: there is none, or a run had spent its budget before.
    """
    if cost is None:
        return at_budget(data)
    there = data["cost"]
    ended = spent(data).where(data["status"].isel(checkpoint=-1) == Status.BUDGET_SPENT).min()
    low, high = float(there.min("checkpoint").max()), float(np.fmin(there.max(), ended))
    if not low * (1 - SPENT) <= cost <= high * (1 + SPENT):
        raise ValueError(
            f"cost: expected between the first checkpoint and the shortest run's end, {low:g} and {high:g}"
            f" evaluations, got {cost:g}"
        )
    return hits.at_cost(data, cost)
