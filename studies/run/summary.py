"""The table that a finished run prints: one row for each arm, what it reached and what it spent."""

from __future__ import annotations

import numpy as np
from rich.table import Table
from xarray import DataArray, Dataset

from studies.results import gaps, goals
from studies.results.arms import NO_STEP, arms, asked, quartiles
from studies.results.hits import at_budget
from studies.schema import Status
from studies.text.shapes import Data
from studies.text.words import counted

LEFT: Data = {
    "title_justify": "left",
    "title_style": "bold",
    "header_style": "bold",
    "caption_justify": "left",
}


def table(dataset: Dataset) -> Table:
    """One row for each landscape and arm, at the budget that all have.

    Medians and quartiles over worlds, nothing called better than another.
    """
    mixed = gaps.said(dataset)
    grid = _grid(dataset, "\n".join(filter(None, [mixed, *goals.idle(dataset)])))
    for name in dataset["landscape"].values.tolist():
        for number, (label, arm) in enumerate(arms(dataset.sel(landscape=name))):
            unit = f" {gaps.word(arm)}" if mixed else ""
            grid.add_row("" if number else name, label, *_cells(_end(arm), unit))
        grid.add_section()
    return grid


def _end(arm: Dataset) -> Dataset:
    """An arm at the budget, with the status at its end."""
    return at_budget(arm).assign(status=arm["status"].isel(checkpoint=-1))


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


def _cells(end: Dataset, unit: str) -> list[str]:
    """What a row says of an arm, at its end."""
    end = end.sel(replicate=end["status"] < Status.FAILED)
    diverged = _of_worlds(end, end["status"] == Status.DIVERGED)
    ended = [diverged, *_reached(end)]
    spent = [_spent(end, name) for name in ("value_terms", "gradient_terms")]
    counts = [f"{end['steps'].median():,.0f}", *spent]
    if end.sizes["replicate"] > 0 and not bool(asked(end)):  # its loss is that of the start, no result
        return [NO_STEP, *counts, *("-" for _ in ended)]
    return [_loss(end, unit), *counts, *ended]


def _loss(end: Dataset, unit: str) -> str:
    """The median and the quartiles."""
    low, median, high = quartiles(end["loss"])
    return f"{median:.3g} [{low:.3g}, {high:.3g}]{unit}"


def _spent(end: Dataset, name: str) -> str:
    """Evaluations of the whole loss, a median."""
    return f"{float(end[name].median() / end['terms']):,.0f}"


def _reached(end: Dataset) -> list[str]:
    """How many worlds reached the last target, if there is one."""
    if not end.sizes.get("target"):
        return []
    return [_of_worlds(end, np.isfinite(end["hit_cost"].isel(target=-1)))]


def _of_worlds(end: Dataset, which: DataArray | np.ndarray) -> str:
    return f"{int(which.sum())} of {end.sizes['replicate']}"
