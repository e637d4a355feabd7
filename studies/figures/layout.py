"""Where panels stand in a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def abreast(number: int, width: float, least: float) -> int:
    """Panels beside one another in a figure, none narrower than `least` inches; >= 1."""
    return max(1, min(number, int(width // least)))


def fewest(make: Callable[[int], Iterable[Figure]], most: int, highest: float) -> list[Figure]:
    """A figure on the fewest pages of which none is too high.

    Args:
        make: draws it on so many pages; those after one that is too high are not asked for.
        most: pages, >= 1, whatever their heights.
        highest: inches.
    """
    for number in range(1, most):
        shown: list[Figure] = []
        for page in make(number):
            if page.get_figheight() > highest:
                break
            shown.append(page)
        else:
            return shown
    return list(make(most))


def highest(heights: Sequence[float], columns: int) -> list[float]:
    """Of panels in rows of so many, the height of each row."""
    return [max(heights[first : first + columns]) for first in range(0, len(heights), columns)]


def grid(figure: Figure, number: int, columns: int) -> np.ndarray:
    """So many panels in rows -> all places, those beyond the last panel empty, at least one."""
    rows = max(1, -(-number // columns))
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    switch_off(places[number:])
    return places


def switch_off(places: np.ndarray) -> None:
    """Leave places empty."""
    for axes in places:
        axes.set_axis_off()


def fill(figure: Figure, ratio: float) -> None:
    """Make a figure higher, or wider, until it has this ratio of width and height."""
    width, height = figure.get_size_inches()
    figure.set_size_inches(max(width, ratio * height), max(height, width / ratio))


class Grid(NamedTuple):
    """Panels of one size, row by row."""

    places: np.ndarray  # Axes, those beyond the last panel at the end
    number: int  # of panels
    columns: int
    inches: float  # of the width of a panel

    @property
    def panels(self) -> list[Axes]:
        """The Axes of panels."""
        return list(self.places[: self.number])

    @property
    def lines(self) -> int:
        """How many rows there are."""
        return len(self.places) // self.columns

    def label(self, up: str, across: str) -> None:
        """Labels at the left of rows and below the last panels of columns."""
        for axes in self.panels[:: self.columns]:
            axes.set_ylabel(up)
        for axes in self.lowest():
            axes.set_xlabel(across)

    def lowest(self) -> list[Axes]:
        """The last panel of each column."""
        return self.panels[max(0, self.number - self.columns) :]


def laid_out(figure: Figure, number: int, columns: int, width: float) -> Grid:
    """So many panels in rows over so many inches."""
    return Grid(grid(figure, number, columns), number, columns, width / columns)


def fitted(figure: Figure, number: int, width: float, least: float) -> Grid:
    """So many panels in rows over so many inches, none narrower than `least` inches."""
    return laid_out(figure, number, abreast(number, width, least), width)


class Rows(NamedTuple):
    """Panels of several landscapes, those of each in one row, or in more where the figure is narrow."""

    places: np.ndarray  # (landscapes, P) Axes, those beyond the last panel at the end
    lines: int  # of panels, for each landscape
    inches: float  # of the width of a panel

    def titled(self) -> np.ndarray:
        """The rows whose panels have titles of their own: the first, or all where they have several lines."""
        return self.places if self.lines > 1 else self.places[:1]

    def lowest(self, number: int) -> np.ndarray:
        """The last panel of each column; `number`: of panels of a landscape."""
        across = self.places.shape[1] // self.lines
        return self.places[-1][max(0, number - across) : number]


def rows_of(
    figure: Figure, landscapes: int, number: int, width: float, least: float, **share: str | bool
) -> Rows:
    """Panels in a row, or more rows, for each landscape.

    Args:
        figure: where.
        landscapes: how many.
        number: of panels of each.
        width: inches of the figure.
        least: inches that a panel needs.
        share: keywords of `Figure.subplots`: which axes are shared.
    """
    across = abreast(number, width, least)
    lines = -(-number // across)
    shape = landscapes * lines, across
    places = figure.subplots(*shape, squeeze=False, **share)  # type: ignore[call-overload]
    rows = places.reshape(landscapes, -1)
    switch_off(rows[:, number:].ravel())
    return Rows(rows, lines, width / across)
