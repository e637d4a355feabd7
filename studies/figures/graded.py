"""Looks of arms; along an axis of many values shades of their optimizer's colour, and a bar that says which.

A legend of more than seven arms of an optimizer is longer than its panels, and their colours and dashes are
hard to tell apart. Where one axis of numbers alone makes them so many (`scales.crowded`), its values go from
pale to dark in even steps, and all panels have one bar: a row for each optimizer, a column for each value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import make_axes
from matplotlib.figure import Figure
from xarray import Dataset

from studies.figures import scales, style
from studies.figures.style import Colour, Look, Looks
from studies.results.arms import labels
from studies.text.words import number

ROW, BAR = 0.1, 0.42  # inches: of an optimizer in the bar, and what the bar needs beside its rows
ENDS = 0.8  # inches of a figure that a bar leaves free


class Shades(NamedTuple):
    """The colours along an axis."""

    axis: str
    values: np.ndarray  # (N,)
    rows: dict[str, list[Colour]]  # optimizer that has arms along it -> a colour for each value

    def label(self, optimizer: str, value: float) -> str:
        """The label of an arm along the axis."""
        return f"{optimizer}, {self.axis} = {value}"

    def looks(self, own: Looks) -> Looks:
        """The look of each arm along the axis, from those of optimizers."""
        return {
            self.label(name, value): own[name] | {"color": colour}
            for name, colours in self.rows.items()
            for value, colour in zip(self.values.tolist(), colours, strict=True)
        }


class Shown(NamedTuple):
    """How the arms of a figure look."""

    looks: Looks
    shades: Shades | None = None  # where arms along an axis are many

    def entries(self, drawn: Looks) -> Looks:
        """What the legend has of the arms that are drawn: where there is a bar, optimizers."""
        if self.shades is None:
            return style.factored(drawn)
        middle = len(self.shades.values) // 2
        of_rows = {name: {"color": colours[middle]} for name, colours in self.shades.rows.items()}
        names = {style.optimizer_of(label): label for label in drawn}
        return {
            name: {**drawn[label], **of_rows.get(name, {}), "linewidth": None}
            for name, label in names.items()
        }

    @property
    def said(self) -> str:
        """Words of the caption on shades; none where there are none."""
        return "" if self.shades is None else f"; shades: values of {self.shades.axis}"

    def bar(self, figure: Figure, drawn: Sequence[Axes], width: float) -> float:
        """Draw the bar below all panels, if there is one, and return the inches that it needs.

        Args:
            figure: with a constrained layout.
            drawn: the panels.
            width: inches of the figure.
        """
        return 0.0 if self.shades is None else _bar(self.shades, figure, drawn, width - ENDS)


def shown(dataset: Dataset) -> Shown:
    """A look for each arm of the panels (`scales.panels`), the same in all."""
    axes = scales.apart(dataset)
    axis = scales.crowded(dataset, axes)
    if axis is None:
        return Shown(style.looks(_labels(dataset, axes)) if axes else style.arm_looks(dataset))
    own, values, names = style.optimizer_looks(dataset), dataset[axis].values, _labels(dataset, axes)
    several = {style.optimizer_of(label) for label in names if label not in own}
    rows = {
        name: style.ramp(look["color"], len(values)) for name, look in own.items() if name in several
    }
    shades = Shades(axis, values, rows)
    every = own | shades.looks(own)
    width: Look = {"linewidth": style.THIN["linewidth"]} if len(names) > style.MANY else {}
    return Shown({label: every[label] | width for label in names}, shades)


def _labels(dataset: Dataset, axes: Sequence[str]) -> list[str]:
    """The labels of the arms of all panels, each once."""
    parts = scales.facets(dataset, axes)
    return list(dict.fromkeys(label for _, part in parts for label in labels(part, every=True)))


# the bar ----------------------------------------------------------------------------------------------------


def _bar(shades: Shades, figure: Figure, drawn: Sequence[Axes], inches: float) -> float:
    """Draw a bar so many inches long below the panels, and return the inches that it is high."""
    high = ROW * len(shades.rows)
    axes, _ = make_axes(list(drawn), location="bottom", aspect=inches / high, pad=0.02)
    columns = np.arange(len(shades.values))
    for row, (name, colours) in enumerate(shades.rows.items()):
        cells = axes.barh([-row] * len(columns), 1.0, 1.0, columns - 0.5, color=colours)
        for cell, value in zip(cells, shades.values.tolist(), strict=True):
            cell.set_gid(shades.label(name, value))  # a page hides it with its arm
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(0.5 - len(shades.rows), 0.5), yticks=[])
    every = _every(shades.values, inches)
    axes.set_xticks(columns[::every], [number(value) for value in shades.values[::every].tolist()])
    axes.set_xlabel(style.wrapped(shades.axis, inches))
    axes.spines[:].set_visible(False)
    return BAR + high


def _every(values: np.ndarray, inches: float) -> int:
    """One value of how many has a number, so that these have room side by side."""
    longest = max(len(number(value)) for value in values.tolist())
    return int(np.ceil(len(values) * style.LETTER * 7 * (longest + 1.5) / inches))
