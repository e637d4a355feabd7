"""The table that a finished run prints: one row for each arm, what it reached and what it spent."""

from __future__ import annotations

import numpy as np
import xarray as xr
from rich.table import Table

from studies.results import gaps
from studies.results.arms import NO_STEP, arms, asked, quartiles
from studies.results.hits import at_budget
from studies.schema import Status
from studies.text.words import counted


def table(dataset: xr.Dataset) -> Table:
    """One row for each landscape and arm, at the budget that all have.

    Medians and quartiles over worlds, nothing called better than another.
    """
    mixed = gaps.said(dataset)
    grid = _grid(dataset, mixed)
    for name in dataset["landscape"].values.tolist():
        for k, (label, arm) in enumerate(arms(dataset.sel(landscape=name))):
            unit = f" {gaps.word(arm)}" if mixed else ""
            end = at_budget(arm).assign(status=arm["status"].isel(checkpoint=-1))
            grid.add_row(name if k == 0 else "", label, *_cells(end, unit))
        grid.add_section()
    return grid


def _grid(dataset: xr.Dataset, caption: str) -> Table:
    """The table without its rows."""
    worlds = f"{dataset.attrs['name']}: {counted(dataset.sizes['replicate'], 'world')}"
    grid = Table(
        title=f"{worlds}; values and gradients in evaluations of the whole loss",
        title_justify="left",
        title_style="bold",
        header_style="bold",
        caption=caption or None,
        caption_justify="left",
    )
    for head in ("landscape", "arm"):
        grid.add_column(head, overflow="fold")
    quantity = f"true {gaps.word(dataset)}: median [quartiles]"
    reached = ["reached target"] if dataset.sizes.get("target") else []
    for head in (quantity, "steps", "values", "gradients", "diverged", *reached):
        grid.add_column(head, justify="right", no_wrap=True)
    return grid


def _cells(end: xr.Dataset, unit: str) -> list[str]:
    """What a row says of an arm, at its end."""
    end = end.sel(replicate=end["status"] < Status.FAILED)
    worlds = end.sizes["replicate"]
    low, median, high = quartiles(end["loss"])
    cells = [
        f"{median:.3g} [{low:.3g}, {high:.3g}]{unit}",
        f"{end['steps'].median():,.0f}",
        *(
            f"{float(end[name].median() / end['terms']):,.0f}"
            for name in ("value_terms", "gradient_terms")
        ),
        f"{int((end['status'] == Status.DIVERGED).sum())} of {worlds}",
    ]
    if end.sizes.get("target"):
        cells.append(f"{int(np.isfinite(end['hit_cost'].isel(target=-1)).sum())} of {worlds}")
    silent = worlds > 0 and not bool(asked(end))  # its loss is that of the start, and no result
    return [NO_STEP] + ["-" if " of " in cell else cell for cell in cells[1:]] if silent else cells
