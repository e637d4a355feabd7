"""The table that a finished run prints: one row for each arm, what it reached and what it spent."""

from __future__ import annotations

import numpy as np
import xarray as xr
from rich.table import Table

from studies.analysis.arms import FAILED, arms, quartiles

DIVERGED = 3


def table(dataset: xr.Dataset) -> Table:
    """One row for each landscape and arm, at the last checkpoint: medians and quartiles over worlds, nothing called better than another."""
    target = "target" in dataset.dims and dataset.sizes["target"] > 0
    grid = Table(title=dataset.attrs.get("name"), title_justify="left", header_style="bold", row_styles=["", "dim"])
    heads = ["loss: median [quartiles]", "best seen", "steps", "evaluations", "gradients", "diverged"] + ["reached target"] * target
    for head in ("landscape", "arm"):
        grid.add_column(head)
    for head in heads:
        grid.add_column(head, justify="right")
    for i in range(dataset.sizes["landscape"]):
        part = dataset.isel(landscape=i)
        for k, (label, arm) in enumerate(arms(part)):
            grid.add_row(str(part["landscape"].item()) if k == 0 else "", label, *_cells(arm.isel(checkpoint=-1), target=target))
        grid.add_section()
    return grid


def _cells(end: xr.Dataset, *, target: bool) -> list[str]:
    ran = end["status"] < FAILED
    end = end.sel(replicate=ran)
    low, median, high = quartiles(end["loss"])
    evaluations, gradients = (float(np.median(end[name])) / end.attrs.get("terms", 1) for name in ("value_terms", "gradient_terms"))
    cells = [f"{median:.4g} [{low:.4g}, {high:.4g}]", f"{quartiles(end['best_loss'])[1]:.4g}", f"{np.median(end['steps']):.0f}"]
    cells += [f"{evaluations:,.0f}", f"{gradients:,.0f}", f"{int((end['status'] == DIVERGED).sum())} of {int(ran.sum())}"]
    return cells + [f"{int(np.isfinite(end['hit_cost'].isel(target=-1)).sum())} of {int(ran.sum())}"] * target
