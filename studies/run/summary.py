"""What a finished run prints: one row for each arm, what it reached and what it spent.

Of more than fifty arms the terminal shows those with the best and the worst medians, and arms.csv has all.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from rich.table import Table
from xarray import DataArray, Dataset

from studies.results import gaps, goals, store
from studies.results.arms import NO_STEP, asked, stack
from studies.results.hits import at_budget
from studies.text.schema import Status
from studies.text.shapes import Data
from studies.text.words import counted

LEFT: Data = {
    "title_justify": "left",
    "title_style": "bold",
    "header_style": "bold",
    "caption_justify": "left",
}
FILE = "arms.csv"
MOST = 50  # arms that are all shown
FEW = 20  # steps; of fewer little can be said of how a method searches
NAMED = 4  # arms that a note names
QUARTILES = (0.25, 0.5, 0.75)
Method = Literal["inverted_cdf", "linear"]  # of quantiles


class Row(NamedTuple):
    """An arm at the budget that all have; quartiles and medians are those over worlds with numbers."""

    landscape: str
    arm: str
    meaning: str  # of its loss: gap or loss
    lower_quartile: float  # true loss
    median: float
    upper_quartile: float
    steps: float
    values: float  # in evaluations of the whole loss
    gradients: float
    worlds: int
    diverged: int
    reached: int | None  # worlds that hit the last target; None: there is none
    asked: bool  # a value; the loss of others is that of the start, no result


# the numbers ------------------------------------------------------------------------------------------------


def rows(dataset: Dataset) -> list[Row]:
    """One for each landscape and arm."""
    names = dataset["landscape"].values.tolist()
    return [row for name in names for row in _rows(str(name), stack(dataset.sel(landscape=name)))]


def _rows(landscape: str, data: Dataset) -> Iterator[Row]:
    """Those of a landscape, from its arms (dim `arm`)."""
    end = at_budget(data).assign(status=data["status"].isel(checkpoint=-1))
    here = end["status"] < Status.FAILED
    loss = _quantiles(end["loss"].where(here), QUARTILES, "inverted_cdf")
    spent = [_median(end[name] / end["terms"], here) for name in ("value_terms", "gradient_terms")]
    columns = [
        np.where(_each(end, gaps.gap_known(end)), "gap", "loss"),
        *loss,
        _median(end["steps"], here),
        *spent,
        _count(here),
        _count(here & (end["status"] == Status.DIVERGED)),
        *_reached(end, here),
        _each(end, asked(end)),
    ]
    for label, *numbers in zip(end["arm"].values, *(part.tolist() for part in columns), strict=True):
        yield Row(landscape, str(label), *numbers)


def _reached(end: Dataset, here: DataArray) -> list[np.ndarray]:
    """How many worlds of each arm reached the last target."""
    if not end.sizes.get("target"):
        return [np.full(end.sizes["arm"], None)]
    return [_count(here & np.isfinite(end["hit_cost"].isel(target=-1)))]


def _each(end: Dataset, part: DataArray) -> np.ndarray:
    """A property of arms (A,)."""
    return part.broadcast_like(end["arm"]).values


def _count(which: DataArray) -> np.ndarray:
    """How many worlds of each arm (A,)."""
    return which.sum("replicate").values


def _median(part: DataArray, here: DataArray) -> np.ndarray:
    """That over the worlds of each arm that are here (A,)."""
    return _quantiles(part.where(here), (0.5,), "linear")[0]


def _quantiles(part: DataArray, levels: Sequence[float], method: Method) -> np.ndarray:
    """Quantiles over the worlds of each arm, NaN left out: (L, A)."""
    values = np.sort(part.transpose("arm", "replicate").values, axis=1)
    counts = (~np.isnan(values)).sum(1)
    quantiles = np.full((len(levels), len(values)), np.nan)
    for count in np.unique(counts[counts > 0]):
        alike = counts == count
        quantiles[:, alike] = np.quantile(values[alike, :count], levels, axis=1, method=method)
    return quantiles


# as a file --------------------------------------------------------------------------------------------------


def save(every: Iterable[Row], file: Path) -> None:
    """Write all rows as CSV."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(Row._fields)
    table.writerows(every)
    store.write_text(text.getvalue(), file)


# in the terminal --------------------------------------------------------------------------------------------


def table(dataset: Dataset, every: Sequence[Row] | None = None) -> Table:
    """One row for each landscape and arm, at the budget that all have.

    Medians and quartiles over worlds, nothing called better than another.

    Args:
        dataset: a study's results.
        every: its rows, where they are made.
    """
    every = rows(dataset) if every is None else every
    mixed = gaps.said(dataset)
    of_landscapes = [[*own] for _, own in groupby(every, key=lambda row: row.landscape)]
    few = len(every) <= MOST
    share = max(1, MOST // (2 * max(1, len(of_landscapes))))
    shown = of_landscapes if few else of_landscapes[: MOST // 2]
    notes = [] if few else [_left_out(len(of_landscapes) - len(shown))]
    notes += _hurried(every)
    grid = _grid(dataset, "\n".join(filter(None, [mixed, *goals.idle(dataset), *notes])))
    for own in shown:
        _add(grid, own, len(own) if few else share, mixed=bool(mixed))
    return grid


def _hurried(every: Iterable[Row]) -> list[str]:
    """A note on arms that made few steps within their budget."""
    few = [row for row in every if row.worlds and row.asked and 0 < row.steps < FEW]
    if not few:
        return []
    names = [f"{row.arm} on {row.landscape} ({row.steps:,.0f})" for row in few[:NAMED]]
    names += [f"{len(few) - NAMED:,} more"] * (len(few) > NAMED)
    return [f"fewer than {FEW} steps: {'; '.join(names)}; a larger budget shows how they search"]


def _left_out(landscapes: int) -> str:
    """What is said of arms that are not shown."""
    more = f", and of {counted(landscapes, 'landscape')} more none" if landscapes else ""
    shown = f"shown are the arms with the best and the worst medians of each landscape{more}"
    return f"{shown}; all of them: {FILE}"


def _add(grid: Table, own: Sequence[Row], share: int, *, mixed: bool) -> None:
    """Add the rows of a landscape; of more than twice the share those with the best and worst medians."""
    best, worst, rest = own, own[:0], 0
    if len(own) > 2 * share:
        ranked = sorted((row for row in own if row.asked and row.worlds), key=lambda row: row.median)
        best, worst = ranked[:share], ranked[share:][-share:]
        rest = len(own) - len(best) - len(worst)
    names = iter([own[0].landscape])
    for row in best:
        grid.add_row(next(names, ""), row.arm, *_cells(row, f" {row.meaning}" * mixed))
    if rest:
        grid.add_row(next(names, ""), f".. {rest:,} more ..")
    for row in worst:
        grid.add_row("", row.arm, *_cells(row, f" {row.meaning}" * mixed))
    grid.add_section()


def _grid(dataset: Dataset, caption: str) -> Table:
    """The table without its rows."""
    worlds = f"{dataset.attrs['name']}: {counted(dataset.sizes['replicate'], 'world')}"
    title = f"{worlds}; values and gradients in evaluations of the whole loss"
    grid = Table(title=title, caption=caption or None, **LEFT)
    for head in ("landscape", "arm"):
        grid.add_column(head, overflow="fold")
    for head in _heads(dataset):
        grid.add_column(head, justify="right", no_wrap=True)
    return grid


def _heads(dataset: Dataset) -> list[str]:
    """The heads of numbers."""
    quantity = f"true {gaps.word(dataset)}: median [quartiles]"
    reached = ["reached target"] if dataset.sizes.get("target") else []
    return [quantity, "steps", "values", "gradients", "diverged", *reached]


def _cells(row: Row, unit: str) -> list[str]:
    """What is said of an arm."""
    of_worlds = [row.diverged, *([] if row.reached is None else [row.reached])]
    counts = [f"{number:,.0f}" for number in (row.steps, row.values, row.gradients)]
    if row.worlds and not row.asked:
        return [NO_STEP, *counts, *("-" for _ in of_worlds)]
    loss = f"{row.median:.3g} [{row.lower_quartile:.3g}, {row.upper_quartile:.3g}]{unit}"
    return [loss, *counts, *(f"{number} of {row.worlds}" for number in of_worlds)]
