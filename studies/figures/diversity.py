"""What becomes of a population's diversity over cost.

Distance to its mean, heterozygosity on bits, linkage, genotypes, each on axes of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from xarray import Dataset

from studies.analysis.noise import population as analysis
from studies.analysis.shapes import ends
from studies.figures import graded, layout, legends, line_ends, panels, scales, style
from studies.figures.style import Look, Looks
from studies.results.arms import numbers_at, stack
from studies.text.groups import grouped

ROW, NARROW = 1.35, 1.5  # inches: the height of a panel, its least width
TITLE = 0.2  # inches, for titles of their own where a landscape has several rows
DISTANCE = "distance to the mean (rms)"  # of points of real numbers
HETEROZYGOSITY = "heterozygosity"  # of genotypes
BITS = {DISTANCE: 0, HETEROZYGOSITY: 1}  # -> the coordinate `on_bits`
EITHER = "distance to the mean, or heterozygosity"  # of results that do not say which
SEEN = {  # of the noise ledger
    "linkage_disequilibrium": "linkage disequilibrium (mean r²)",
    "genotypes": "different genotypes",
}
DIVERSITY = "diversity"  # the variable
NAMES = dict.fromkeys((DISTANCE, HETEROZYGOSITY, EITHER), DIVERSITY) | {
    text: name for name, text in SEEN.items()
}  # title -> variable
MOMENT: Look = {"marker": "o", "ms": 2.5}  # of a ledger


class Curve(NamedTuple):
    """The diversity of an arm over its costs, where there is something to draw on a log axis."""

    cost: np.ndarray  # (C,)
    value: np.ndarray  # (C,)
    low: np.ndarray  # (C,) the value where there are no bands
    high: np.ndarray


def diversity(dataset: Dataset, width: float = style.WIDTH) -> Figure:
    """One row for each landscape: diversity at every checkpoint.

    Several rows, for values of an axis, where arms are many (`scales.apart`).
    Where there is a noise ledger, also linkage disequilibrium and genotypes alive.

    Args:
        dataset: a study's results.
        width: inches.
    """
    places, arms = scales.places(dataset), graded.shown(dataset)
    columns = [*kinds(dataset), *(SEEN.values() if "moment" in dataset.dims else ())]
    figure = Figure(layout="constrained")
    rows = layout.rows_of(figure, len(places), len(columns), width, NARROW, sharex="row")
    for (name, part), row in zip(places, rows.places, strict=True):
        for axes, what in zip(row, columns, strict=False):
            panel(part, axes, arms.looks, what)
        panels.side_title(row[0], name, ROW - 0.1)
    shared = _alike(rows.places, len(columns), [part["landscape"].item() for _, part in places])
    _label(rows, columns, 0.8 * rows.inches)
    drawn = figure.axes
    said = _said(dataset, drawn, arms.looks) + arms.said + scales.SHARED * shared
    named = line_ends.named(drawn, arms.looks, (rows.inches, ROW))
    there = {} if named else legends.drawn_arms(drawn, arms.looks, dataset)
    handles = legends.lines(arms.entries(there))
    height = (ROW + TITLE * (rows.lines > 1)) * len(places) * rows.lines + 0.9
    height += arms.bar(figure, drawn, width)
    return legends.finish(figure, handles, said, width, height)


def _alike(rows: np.ndarray, number: int, landscapes: Sequence[str]) -> bool:
    """One vertical scale for all panels of a landscape that show the same, where it fits them.

    Args:
        rows: (places, P) the panels.
        number: of kinds of panels.
        landscapes: of each row.

    Returns:
        Whether some panels have one scale.
    """
    pairs = [zip(landscapes, column, strict=True) for column in rows[:, :number].T]
    some = [axes for column in pairs for axes in grouped(column).values()]
    return any([panels.alike([one for one in axes if one.lines]) for axes in some])


def _label(rows: layout.Rows, columns: list[str], inches: float) -> None:
    """Titles above the columns, labels below; `inches`: what words may take."""
    panels.entitle(rows, columns, inches)
    for axes in rows.lowest(len(columns)):
        panels.cost_label(axes, inches)


def _said(dataset: Dataset, drawn: list[Axes], looks: Looks) -> str:
    """The words above the legend."""
    bands = "; bands: 95 % intervals" if any(axes.collections for axes in drawn) else ""
    each = legends.each(dataset, looks, scales.apart(dataset))
    return f"means of {legends.of_worlds(dataset, bands)}{each}"


def kinds(dataset: Dataset) -> list[str]:
    """What the diversity of the arms is: each has a unit of its own."""
    if "on_bits" not in dataset.coords:
        return [EITHER]
    bits = dataset["on_bits"].values
    return [kind for kind, bit in BITS.items() if (bits == bit).any()] or [EITHER]


def panel(dataset: Dataset, axes: Axes, looks: Looks | None = None, what: str = EITHER) -> Axes:
    """Draw one landscape on Axes and return them.

    Args:
        dataset: without the dim `landscape`.
        axes: where to draw.
        looks: label -> keywords of `Axes.plot`.
        what: of `kinds`, or a value of `SEEN`, or what else the noise ledger holds: fixed_loci,
            loss_variance.
    """
    for look, curve in _curves(dataset, looks or style.arm_looks(dataset), what):
        _draw(curve, axes, look)
    return _finished(axes)


def _finished(axes: Axes) -> Axes:
    """Axes with a log axis of costs; where there are no curves, with a word that there are none."""
    if axes.lines:
        panels.costs(axes, 5)
        axes.set_ylim(bottom=0)
        panels.rules(axes)
    else:
        panels.empty(axes, "none here")
    return axes


def _draw(curve: Curve, axes: Axes, look: Look) -> None:
    """A curve, with its band if it has one, wider than rounding."""
    if not np.allclose(curve.low, curve.high, equal_nan=True):
        style.band(axes, curve.cost, curve.low, curve.high, look["color"])
    axes.plot(curve.cost, curve.value, **look)


def _curves(dataset: Dataset, looks: Looks, what: str) -> list[tuple[Look, Curve]]:
    """Look and curve of each arm that has something to draw."""
    name, stacked = NAMES.get(what, what), _of_kind(stack(dataset), what)
    bands = len(looks) <= style.BANDS and set(stacked["arm"].values) <= set(looks)
    values = _values(stacked, name, bands)
    marks = {} if name == DIVERSITY else MOMENT
    curves = []
    numbers = _numbers(stacked, values, name, bands=bands)
    for arm in numbers_at(numbers, ["arm"], ["arm", "optimizer", *Curve._fields]):
        label, curve = str(arm["arm"]), _curve(arm, ledger=name != DIVERSITY)
        if curve.cost.size:
            curves.append((style.look(looks, label, arm) | marks | {"label": label}, curve))
    return curves


def _values(stacked: Dataset, name: str, bands: bool) -> Dataset:
    """The diversity of arms, or what the ledger says of their populations."""
    if name == DIVERSITY:
        return analysis.diversity(stacked, interval=bands)
    return analysis.at_moments(stacked, name)


def _numbers(stacked: Dataset, values: Dataset, name: str, *, bands: bool) -> Dataset:
    """What `Curve` has, of all arms at all costs.

    Args:
        stacked: results of arms.
        values: their diversity, or what the ledger says of their populations.
        name: of the variable.
        bands: whether there are intervals.
    """
    cost = stacked["cost"] if name == DIVERSITY else stacked["moment_cost"].mean("replicate")
    low, high = ends(values[f"{name}_interval"]) if bands else (values[name], values[name])
    parts = dict(zip(Curve._fields, (cost, values[name], low, high), strict=True))
    labels = {label: stacked.variables[label] for label in ("arm", "optimizer")}
    return Dataset({field: part.variable for field, part in parts.items()} | labels)


def _curve(arm: Mapping[str, np.ndarray], *, ledger: bool) -> Curve:
    """The curve of an arm, of `_numbers`, maybe without any place."""
    shown = np.isfinite(arm["value"]) & (arm["cost"] > 0) & ((arm["value"] > 0) | ledger)
    return Curve(*(arm[field][shown] for field in Curve._fields))


def _of_kind(stacked: Dataset, what: str) -> Dataset:
    """The arms (dim `arm`) whose diversity is of this kind."""
    if what not in BITS or "on_bits" not in stacked:
        return stacked
    bits = np.broadcast_to(stacked["on_bits"].values, stacked.sizes["arm"])
    return stacked.isel(arm=bits == BITS[what])
