"""Quantities at the places of a study, with the errors by which claims judge.

A quantity is read once, for all arms (`studies.analysis.quantities`), and taken at one place after the other:
of the parts that it is made of, the numbers of that place's worlds. Its error is the jackknife's, whole
instances left out where worlds share them. That of what has a median or a quantile, which the jackknife does
not know, of the ratio of two shares and of a function of it is read off the interval of
`studies.analysis.quantity`, of either end for itself. Of whole numbers, such as hits in steps, an end may be
the value itself: enough worlds lie beyond it. An extreme of worlds has no error at all: no resampling knows
it, and it is that of these worlds, exactly.
"""

from __future__ import annotations

import ast
import functools
import math
import operator
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from xarray import DataArray, Dataset

from studies.analysis.quantities import signs, summaries
from studies.analysis.quantities.calls import CALLS
from studies.analysis.quantities.evaluate import quantity
from studies.analysis.quantities.grammar import parsed
from studies.analysis.quantities.parts import Part, extreme, is_smooth, walk
from studies.analysis.quantities.question import HEADS, Question
from studies.analysis.quantities.signs import Signs
from studies.analysis.quantities.values import Sample, Summary, Value, of_worlds
from studies.claims.base import Place, loss_or_infinite
from studies.claims.gate import errors_needed
from studies.claims.jackknife import alike, independent, jackknife
from studies.claims.measured import CAP, EPSILON, ROUNDINGS, Measured
from studies.results import settings
from studies.results.hits import ran
from studies.text.formulas import PATH
from studies.text.schema import RECORDS
from studies.text.shapes import Data

POINT = 1e-3  # roundings: the error where an interval is one number, and worlds differ


@dataclass(frozen=True)
class Asked:
    """A quantity of all arms.

    Args:
        dataset: the results, as `judged` gives them.
        text: the quantity.
        tree: of the text.
        early: of the numbers that are known to an interval, those that are taken at its early end.
    """

    dataset: Dataset
    text: str
    tree: ast.expr
    early: frozenset[int] = frozenset()

    @functools.cached_property
    def _said(self) -> tuple[Question, Value]:
        """As it is read: of each world, or of all."""
        question = Question(self.dataset, self.text, CALLS, early=self.early)
        with np.errstate(all="ignore"):
            return question, question.value(self.tree)

    @functools.cached_property
    def _read(self) -> tuple[Question, Value]:
        """Of all worlds: the mean, where it is of each."""
        question, value = self._said
        if of_worlds(value):
            assert isinstance(value, DataArray)
            value = summaries.summary(question, "mean", value)
        return question, value

    @property
    def certain(self) -> bool:
        """Whether it is of no world: a number, or one of the settings."""
        return not isinstance(self._read[1], Summary)

    @property
    def each(self) -> bool:
        """Whether there is a number for each world, of which the mean is taken."""
        return of_worlds(self._said[1])

    @property
    def extreme(self) -> bool:
        """Whether an extreme of worlds is in it."""
        return bool(self._read[0].gathered.extremes)

    @functools.cached_property
    def dims(self) -> set[str]:
        """The dims of arms that it has: not those from which it chooses itself."""
        question, value = self._read
        arrays = [*question.gathered.parts, *question.gathered.fixed]
        arrays += [value] if isinstance(value, DataArray) else []
        return {str(dim) for array in arrays for dim in array.dims if dim not in RECORDS}

    def met(self, place: Place) -> str:
        """In how many worlds of a place the start had a target of its hits; empty where in none."""
        met = [_there(part, place) for part in self._read[0].gathered.met]
        worlds = [part.max([dim for dim in part.dims if dim != "replicate"]) for part in met]
        if not worlds:
            return ""
        some = functools.reduce(operator.or_, (part == 1 for part in worlds))
        count, of = int(some.sum()), int(worlds[0].notnull().sum())
        return f"a target was met at the start by {count} of {of} worlds" if count else ""

    def each_world(self, place: Place) -> list[DataArray]:
        """The numbers (replicate) at a place, and their other ends; none where it is of all worlds."""
        _, value = self._said
        if not of_worlds(value):
            return []
        arrays = [_there(value, place)]  # type: ignore[arg-type]
        for other in self._others:
            arrays += other.each_world(place)
        return arrays

    def number(self, place: Place) -> float:
        """Its value at a place."""
        _, value = self._read
        if isinstance(value, Summary):
            statistic, parts = self._at(place)
            with np.errstate(all="ignore"):
                return float(statistic(*(part.values for part in parts)))
        return float(_there(value, place)) if isinstance(value, DataArray) else value

    def measured(self, place: Place, *, exact: bool) -> Measured:
        """Its value and error at a place.

        Args:
            place: of the study.
            exact: whether no step draws there.
        """
        statistic, parts = self._at(place)
        floor = self._rounding(place, parts)
        rough = jackknife(
            statistic, parts, exact=exact, floor=floor, nonnegative=self._nonnegative(place)
        )
        ends = [rough.value, *(other.number(place) for other in self._others)]
        if len(ends) > 1:
            rough = rough._replace(value=max(ends), low=min(ends))
        if self.extreme:
            never = math.isinf(rough.value) and rough.value > 0
            return rough._replace(error=0.0, skew=0.0, exact=True, never=never)
        if self._smooth and not self._of_shares:
            return rough._replace(**self._traits(rough, parts))
        if not self._of_shares and all(alike(_known(part)) for part in parts):
            return rough._replace(skew=0.0, steady=self._read[0].gathered.steady)
        low, high = (float(end) for end in _there(self._interval, place).values)
        return _read_off(rough, low, high)

    @functools.cached_property
    def _others(self) -> list[Asked]:
        """The same where what is known to an interval came as early as it may: all such, and each alone."""
        between = sorted(self._said[0].gathered.between) if not self.early else []
        some = dict.fromkeys(map(frozenset, [between, *([key] for key in between)]))
        return [Asked(self.dataset, self.text, self.tree, keys) for keys in some if keys]

    def _at(self, place: Place) -> tuple[Callable, Sequence[DataArray]]:
        """The statistic of worlds, and the numbers (replicate) of the parts, at a place."""
        question, value = self._read
        assert isinstance(value, Summary)
        fixed = [np.asarray(_there(part, place).values) for part in question.gathered.fixed]
        parts = [_there(part, place) for part in question.gathered.parts]

        def statistic(*arrays: np.ndarray, axis: int = -1) -> np.ndarray:
            del axis
            return value.of(Sample(arrays, fixed))

        return statistic, parts

    def _nonnegative(self, place: Place) -> bool:
        """Whether it cannot be negative at a place, whatever the worlds."""
        return signs.never_negative(self.tree, Signs(place.data))

    def _traits(self, measured: Measured, parts: Sequence[DataArray]) -> Data:
        """Whether it is a plain mean of what is never negative, or the share of worlds that are 0 or 1."""
        if len(parts) != 1:
            return {}
        numbers = parts[0].values[~np.isnan(parts[0].values)]
        mean = float(numbers.mean()) if numbers.size else math.nan
        if not math.isclose(mean, measured.value, rel_tol=1e-12):
            return {}
        if self._without_unit and np.isin(numbers, [0.0, 1.0]).all() and independent(parts[0]):
            return {"share": True, "units": measured.worlds}
        return {"positive": bool((numbers >= 0).all())}

    @functools.cached_property
    def _without_unit(self) -> bool:
        """Whether it is a share, or a number of the unit 1."""
        names = {each.name for each in walk(self.tree)}
        recorded = names & set(self.dataset.data_vars)
        units = {self.dataset[name].attrs.get("units", "1") for name in recorded}
        return "share" in names or units == {"1"}

    @functools.cached_property
    def _smooth(self) -> bool:
        return is_smooth(self.tree)

    @property
    def _of_shares(self) -> bool:
        """Whether its interval is that of a ratio of two shares, or follows from it."""
        value = self._read[1]
        return isinstance(value, Summary) and value.shares > 1

    @functools.cached_property
    def _interval(self) -> DataArray:
        """The interval, each end wrong at CAP."""
        return quantity(self.dataset, self.text, level=1 - 2 * CAP)["quantity_interval"]

    def _rounding(self, place: Place, parts: Sequence[DataArray]) -> float:
        """What rounding may do: to the largest number that entered, of a loss also that of the start."""
        sizes = [_largest(part) for part in parts]
        if "loss" in self.text:  # a small one is a difference of numbers of the start's size
            data = place.data
            sizes.append(_largest(data["start_loss"]) if "start_loss" in data else 1.0)
        single = any(arm.study.get("dtype") == "float32" for arm in settings.arms(place.data))
        epsilon = float(np.finfo(np.float32).eps) if single else EPSILON
        return ROUNDINGS * epsilon * max(sizes)


def ask(dataset: Dataset, text: str) -> Asked:
    """A quantity of all arms.

    Raises:
        ValueError: it is none.
    """  # noqa: DOC502
    return Asked(dataset, text, parsed(text))


def less(first: Asked, second: Asked) -> Asked:
    """The difference of two quantities: world by world, or that of their means where one is of all worlds."""
    if first.each == second.each or first.certain or second.certain:
        return ask(first.dataset, f"({first.text}) - ({second.text})")
    texts = [f"mean({part.text})" if part.each else f"({part.text})" for part in (first, second)]
    return ask(first.dataset, " - ".join(texts))


def judged(dataset: Dataset) -> Dataset:
    """The results as claims see them: the loss of a run that diverged is infinite, of one that failed NaN."""
    if "loss" not in dataset:
        return dataset
    return dataset.assign(loss=loss_or_infinite(dataset).where(ran(dataset)))


def is_quantity(text: str, variables: Iterable[str], numbers: Container[str]) -> bool:
    """Whether a prediction needs results: a call that no formula has, or something that was recorded.

    Args:
        text: the prediction.
        variables: names of what is recorded.
        numbers: names of the numbers of an arm, which come first.
    """
    try:
        tree = parsed(text)
    except ValueError:
        return False
    recorded = {name for name in variables if name not in numbers}
    return any(_of_results(part) or part.name in recorded for part in walk(tree))


def _of_results(part: Part) -> bool:
    """Whether it is no part of a formula of settings: a call that these do not have, or of an instrument."""
    own = part.called and not part.is_function and part.name != PATH
    return own or part.name.startswith(HEADS)


def of_these_worlds(text: str) -> str | None:
    """The extreme of worlds in a quantity, min or max; None where it has none, or is no quantity."""
    try:
        return extreme(parsed(text))
    except ValueError:
        return None


def _read_off(rough: Measured, low: float, high: float) -> Measured:
    """The errors that have these ends, each on its side: on the scale of the logarithm as `gate` has it."""
    value, early, nonnegative = rough.value, rough.early, rough.nonnegative
    if value == math.inf:
        return rough._replace(least=low)
    if value == -math.inf and high > value:  # nothing is known
        return rough._replace(value=math.nan)
    above = value * _logarithm(high, value) if nonnegative and value > 0 else high - value
    below = early * _logarithm(early, low) if nonnegative and early > 0 else early - low
    errors, least = errors_needed(rough.units), POINT * rough.floor
    return rough._replace(
        error=max(above / errors, least), error_below=max(below / errors, least), skew=0.0
    )


def _logarithm(above: float, below: float) -> float:
    """That of the ratio; inf where the lower one is 0."""
    return math.log(above / below) if below > 0 else math.inf


def _there(part: DataArray, place: Place) -> DataArray:
    """A part at a place; what it has for every place stays."""
    dims = [str(dim) for dim in part.dims if dim in place.data.coords]
    labels: Data = {dim: place.data[dim].values for dim in dims}
    distinct = {dim: set(label.ravel().tolist()) for dim, label in labels.items() if dim not in RECORDS}
    return part.sel({dim: label.pop() for dim, label in distinct.items() if len(label) == 1})


def _known(part: DataArray) -> np.ndarray:
    """The numbers (.., R) of worlds that have all of them."""
    values = part.transpose(..., "replicate").values
    return values[..., ~np.isnan(values).any(tuple(range(values.ndim - 1)))]


def _largest(values: DataArray) -> float:
    """The largest finite size; 0 where there is none."""
    sizes = np.abs(values.values[np.isfinite(values.values)])
    return float(sizes.max()) if sizes.size else 0.0
