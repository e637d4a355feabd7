"""How panels of one size are laid out with their legend: in a free place of the last row, or below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from studies.figures import legends, style

PANEL, NARROW = 2.15, 1.65  # inches: the height of a panel, its least width
COLUMNS = 3  # panels beside one another, at most
BESIDE = 10  # so many lines of a legend fit into a panel
AXIS = 0.4  # inches at the left of a panel, which its numbers need and a legend leaves free too
MARGIN, ENTRY, BREAK = 0.28, 0.18, 0.22  # inches: around a legend below, of an entry, of a break in one


class Places(NamedTuple):
    """How a figure is laid out."""

    columns: int  # of panels
    rows: int
    beside: bool  # whether the legend, if there is one, stands in a free place of the last row
    across: int = 1  # columns of the legend
    below: float = 1.0  # inches of the legend where it stands below

    @property
    def heights(self) -> list[float]:
        """Inches of the rows, the last one that of the legend where it stands below."""
        return [PANEL] * self.rows + [self.below] * (not self.beside)

    def around(self, names: Sequence[str], width: float) -> Places:
        """With a legend below that is as high as what stands in it.

        Args:
            names: of its entries.
            width: inches of the figure.
        """
        across = legends.across(names, width)
        rows, breaks = -(-len(names) // across), sum(name.count("\n") for name in names)
        inches = MARGIN + ENTRY * rows + BREAK * breaks * (across == 1)
        return self if self.beside else self._replace(across=across, below=inches)


def alone(number: int, width: float) -> Places:
    """How so many panels without a legend are laid out, on so many inches."""
    columns = min(_most(width), number)
    return Places(columns, -(-number // columns), beside=True)


def places(number: int, lines: Sequence[str], width: float) -> Places:
    """How so many panels and the legend are laid out.

    Args:
        number: of panels.
        lines: that may stand in the legend.
        width: inches of the figure.
    """
    most = _most(width)
    fits = _fits(lines, width / most)
    columns = min(most, number + (fits and number < most))
    rows = -(-number // columns)
    return Places(columns, rows, beside=bool(fits and number % columns))


def _most(width: float) -> int:
    """Panels beside one another on so many inches; >= 1."""
    return max(1, min(COLUMNS, int(width // NARROW)))


def _fits(lines: Sequence[str], inches: float) -> bool:
    """Whether a legend of these lines has room in a panel so many inches wide."""
    longest = max(map(len, lines), default=0) * style.LETTER * 7.5
    return len(lines) <= BESIDE and longest + style.HANDLE + AXIS < inches
