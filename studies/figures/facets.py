"""Where the dims of a quantity go: along the axis, as lines, as rows and columns of panels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from xarray import Dataset

from studies.results.arms import dims_beside
from studies.text.schema import RECORDS
from studies.text.words import check_known, number

GRID = ("optimizer", "landscape")
ROLES = ("x", "y", "hue", "rows", "columns")
FREE = ("hue", "columns", "rows")  # which the dims that were not named take, in this order
Place = dict[str, object]  # dim -> value


class Facets(NamedTuple):
    """What every dim is used for; None: for nothing."""

    x: str | None
    hue: str | None
    rows: str | None
    columns: str | None
    first: Place  # dims that have no use, at their first values
    idle: tuple[str, ...] = ()  # those of them along which no number differs

    def panels(self, data: Dataset) -> list[list[Place]]:
        """The places of panels, row by row."""
        rows, columns = _values(data, self.rows), _values(data, self.columns)
        return [[row | column for column in columns] for row in rows]

    def places(self, data: Dataset) -> list[Place]:
        """The places of panels, one after another."""
        return [place for row in self.panels(data) for place in row]

    def lines(self, data: Dataset) -> Iterator[tuple[str, Dataset]]:
        """Label and part of each line of a panel."""
        for place in _values(data, self.hue):
            yield words(place), data.sel(place)

    def kept(self, numbers: Dataset, *more: str) -> Dataset:
        """The results without the dims that have no use; `more`: dims that stay too."""
        numbers = numbers.sel(self.first)
        used = (self.x, self.hue, self.rows, self.columns, "bound", "checkpoint", *more)
        return numbers.squeeze([dim for dim in numbers.dims if dim not in used], drop=True)

    @property
    def apart(self) -> tuple[str | None, str | None]:
        """The dims whose values are rows and columns of panels."""
        return self.rows, self.columns

    @property
    def said(self) -> str:
        """Words on the dims that have no use; none where there are none, or no number differs along them."""
        told = {dim: value for dim, value in self.first.items() if dim not in self.idle}
        return f"; at {words(told)}" if told else ""


def _values(data: Dataset, dim: str | None) -> list[Place]:
    """The places along a dim; of none one place that is everywhere."""
    return [{}] if dim is None else [{dim: value} for value in data[dim].values.tolist()]


def words(place: Mapping[str, object]) -> str:
    """A place in words: a landscape and an optimizer by their names, an axis as `N = 40`."""
    parts = [
        _shown(value) if dim in GRID else f"{dim} = {_shown(value)}" for dim, value in place.items()
    ]
    return ", ".join(parts)


def _shown(value: object) -> str:
    return number(value) if isinstance(value, int | float) else str(value)


# dims by their names ----------------------------------------------------------------------------------------


def dims(dataset: Dataset) -> list[str]:
    """Optimizer, landscape and the axes of a study's results."""
    return sorted(dims_beside(dataset["status"], *RECORDS), key=lambda dim: (*GRID, dim).index(dim))


def dim_of(
    word: str,
    names: Sequence[str],
    figure: str,
    more: Sequence[str] = (),
) -> str:
    """The dim that a word means: its name, or the last part of a path, as `batch` of noise.batch.

    Args:
        word: as it was given.
        names: of the dims.
        figure: for the message.
        more: other words that are right.

    Raises:
        ValueError: there is none, or there are several.
    """
    right = [*names, *more]
    ends = [name for name in names if name.rpartition(".")[2] == word]
    dim = ends[0] if len(ends) == 1 and word not in right else word
    check_known(f"{figure}: unknown axis", [dim], right)
    return dim


def facets(
    numbers: Dataset,
    given: Mapping[str, str | None],
    figure: str,
    *,
    within: Sequence[str] = (),
    lines: bool = True,
) -> Facets:
    """What every dim of a quantity is used for.

    What was not said goes to the optimizers as lines, the landscapes as columns, then to the axes in their
    order. Dims of one value need no place, nor do axes that do not touch what is shown.

    Args:
        numbers: the quantity, `quantity`.
        given: x, y, hue, rows, columns -> word, as far as they were said.
        figure: for messages.
        within: dims of the quantity that are shown within a panel, whatever was said.
        lines: whether there are lines, to which a dim may go.

    Raises:
        ValueError: a word means no dim, or two the same.
    """
    names = [str(dim) for dim in numbers["quantity"].dims if dim not in within]
    used = _given(given, names, figure)
    every = _left(numbers, names, used)
    idle = tuple(dim for dim in every if dim not in GRID and _same_along(numbers, dim))
    left = [dim for dim in every if dim not in idle]
    free = [role for role in FREE if role not in used and (lines or role != "hue")]
    used |= dict(zip(free, left, strict=False))
    first = {dim: numbers[dim].values.tolist()[0] for dim in (*left[len(free) :], *idle)}
    return Facets(used.get("x"), used.get("hue"), used.get("rows"), used.get("columns"), first, idle)


def _same_along(numbers: Dataset, dim: str) -> bool:
    """Whether all numbers are the same along a dim."""
    every = [part for part in numbers.data_vars.values() if dim in part.dims]
    firsts = [part.isel({dim: 0}) for part in every]
    return all(
        bool(((part == first) | (part.isnull() & first.isnull())).all())
        for part, first in zip(every, firsts, strict=True)
    )


def touched(numbers: Dataset, asked: Iterable[str | None]) -> Dataset:
    """A quantity without the axes along which it is the same: what an axis does not touch is shown once.

    Args:
        numbers: the quantity, `quantity`.
        asked: axes that are kept, as a figure was told them.
    """
    kept = {*GRID, "checkpoint", *asked}
    for dim in map(str, numbers["quantity"].dims):
        first, shown = numbers.isel({dim: 0}), numbers["quantity"]
        same = (shown == first["quantity"]) | (shown.isnull() & first["quantity"].isnull())
        if not {dim, dim.rpartition(".")[2]} & kept and bool(same.all()):
            numbers = first.drop_vars(dim)
    return numbers


def _given(given: Mapping[str, str | None], names: Sequence[str], figure: str) -> dict[str, str]:
    """Role -> dim, as far as they were said.

    Raises:
        ValueError: a word means no dim, or two the same.
    """
    used = {role: dim_of(word, names, figure) for role, word in given.items() if word}
    for dim in used.values():
        roles = [role for role, other in used.items() if other == dim]
        if len(roles) > 1:
            both = " and ".join(roles)
            raise ValueError(f"{figure}: expected {dim} in one place, got it as {both}")
    return used


def _left(numbers: Dataset, names: Sequence[str], used: Mapping[str, str]) -> list[str]:
    """The dims of several values that have no role yet: optimizer, landscape, axes."""
    left = [dim for dim in names if numbers.sizes[dim] > 1 and dim not in used.values()]
    return sorted(left, key=[*GRID, *names].index)


# axes of numbers --------------------------------------------------------------------------------------------

SPANS = 30.0  # ratio of the largest to the least, from which on positive numbers have a log axis


def numeric(values: np.ndarray) -> bool:
    """Whether the values of an axis are numbers."""
    return values.dtype.kind in "iuf"


def finite(values: np.ndarray) -> np.ndarray:
    """Those of the values that are finite (N,)."""
    return values[np.isfinite(values)]


def within(place: np.ndarray, extent: np.ndarray) -> bool:
    """Whether a point (D,) lies between the ends (D, 2) of all coordinates."""
    return bool(((place >= extent[:, 0]) & (place <= extent[:, 1])).all())


def as_numbers(values: np.ndarray) -> np.ndarray:
    """The values of an axis as numbers; of texts their places, 0, 1, .."""
    return (values if numeric(values) else np.arange(len(values))).astype(float)


def logarithmic(values: np.ndarray) -> bool:
    """Whether numbers are spaced by factors, or span so much that only a log axis shows them."""
    places = np.unique(finite(values))
    if len(places) < 2 or places[0] <= 0:
        return False
    return bool(_even(np.log(places)) or places[-1] >= SPANS * places[0])


def _even(places: np.ndarray) -> bool:
    """Whether three places or more, in order, are at equal distances."""
    steps = np.diff(places)
    return bool(len(places) > 2 and np.ptp(steps) < 1e-6 * steps.max())
