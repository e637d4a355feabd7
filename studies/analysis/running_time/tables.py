"""Fixed-budget and fixed-target tables: the loss at a cost, and the cost of a loss.

At a fixed cost c the loss of a world is that of the last state that was recorded at a cost of at most c. A
world that had diverged by then has the loss inf; one whose budget ended before c at the nominal price of a
gradient (an arm without gradients, where the study has a range of prices) has none: what it would have done
with more is not known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.intervals.quantiles import QUARTILES, quantiles
from studies.analysis.running_time.runtime import Targets, costs_of, expected_running_time
from studies.results.hits import budget, hits, ran, spent, state_costs
from studies.schema import ROUNDING, Status

SHARES = (0.01, 0.1, 1.0)  # of the budget at the lowest price, where no costs are given


def fixed_budget(
    dataset: xr.Dataset,
    costs: Sequence[float] | xr.DataArray | None = None,
    value: str = "loss",
    levels: Sequence[float] = QUARTILES,
) -> xr.Dataset:
    """Losses at costs.

    Args:
        dataset: a study's results.
        costs: in evaluations at the nominal price; with the dim `checkpoint` where they are a DataArray.
            None: 1, 10 and 100 % of the budget.
        value: `loss` of the recommended or `best_loss` of the best evaluated point.
        levels: of the quantiles.

    Returns:
        For each (.., checkpoint) with the coordinate `cost`: `mean` (inf where a world has diverged) and
        `quantiles` (quantile), both with `_interval` (bound), `diverged` and `worlds`.
    """
    cost = _costs(dataset, costs)
    loss = loss_at(dataset, cost, value)
    about = {"long_name": dataset[value].attrs.get("long_name", value), "units": "loss"}
    with np.errstate(invalid="ignore"):  # inf - inf, where worlds have diverged
        found = estimate("mean", np.nanmean, [loss], long_name=f"mean {about['long_name']}", units="loss")
    found = found.merge(quantiles("quantiles", loss, levels, **about), compat="override")
    found["diverged"] = (
        (loss == np.inf).sum("replicate").assign_attrs(long_name="worlds that had diverged", units="1")
    )
    found["worlds"] = loss.notnull().sum("replicate").assign_attrs(long_name="worlds with numbers", units="1")
    return found.assign_coords(cost=cost)


def fixed_target(
    dataset: xr.Dataset, targets: Targets = None, which: str = "hit_cost", levels: Sequence[float] = QUARTILES
) -> xr.Dataset:
    """Costs of losses: all of `expected_running_time`, and the quantiles of the cost of a single run, inf where too few reached the target.

    Args:
        dataset: a study's results.
        targets: as in `hits`.
        which: as in `hits`.
        levels: of the quantiles.

    Returns:
        For each (.., target): `ert`, `success_rate`, `quantiles` (quantile), all with `_interval` (bound), `successes` and `worlds`.
    """
    cost = hits(dataset, targets, which)
    told = quantiles(
        "quantiles", cost, levels, long_name="cost of first reaching the target", units="evaluations"
    )
    return expected_running_time(dataset, targets, which).merge(told, compat="override")


def table(found: xr.Dataset) -> pd.DataFrame:
    """A Dataset of this package as a tidy table.

    One row for each arm and cost or target, one column for each number.

    Quantiles become columns such as `q50`, ends of intervals `_low` and `_high`. Rows without worlds are left
    out.
    """
    flat = found
    for name in [name for name in found.data_vars if "quantile" in found[name].dims]:
        for level in found["quantile"].values.tolist():
            told = str(name).replace("quantiles", f"q{100 * level:g}")
            flat = flat.assign({told: found[name].sel(quantile=level, drop=True)})
    flat = flat.drop_dims("quantile", errors="ignore")
    for name in [name for name in flat.data_vars if "bound" in flat[name].dims]:
        stem = str(name).removesuffix("_interval")
        flat = flat.assign({f"{stem}_{end}": flat[name].sel(bound=end, drop=True) for end in ("low", "high")})
    frame = flat.drop_dims("bound", errors="ignore").to_dataframe().reset_index()
    return frame[frame["worlds"] > 0].reset_index(drop=True) if "worlds" in frame else frame


def loss_at(dataset: xr.Dataset, cost: xr.DataArray, value: str = "loss") -> xr.DataArray:
    """Loss at costs (dim `checkpoint`), see the module's text: (.., replicate, checkpoint).

    NaN where it is not known.
    """
    loss = dataset[value].where(dataset["status"] != Status.DIVERGED, np.inf)
    place = cost.rename(checkpoint="place").drop_vars("place", errors="ignore")
    found = xr.apply_ufunc(
        _last, state_costs(dataset), loss, place * (1 + ROUNDING), input_core_dims=[["checkpoint"], ["checkpoint"], ["place"]],
        output_core_dims=[["place"]], dask="parallelized", output_dtypes=[float],
    ).rename(place="checkpoint")  # fmt: skip
    end = dataset["status"].isel(checkpoint=-1, drop=True)
    over = (end == Status.BUDGET_SPENT) & (cost > spent(dataset) * (1 + 1e-9))
    return found.where(ran(dataset) & ~over)


def _costs(dataset: xr.Dataset, costs: Sequence[float] | xr.DataArray | None) -> xr.DataArray:
    if costs is not None:
        return costs_of(dataset, costs)
    shares = xr.DataArray(list(SHARES), dims="checkpoint", coords={"checkpoint": list(SHARES)})
    return (
        (shares * budget(dataset)).reset_coords(drop=True).assign_attrs(long_name="cost", units="evaluations")
    )


def _last(state: np.ndarray, loss: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """The loss of the first state of the largest cost up to each cost.

    (.., K), (.., K), (.., C) -> (.., C).
    """
    found = []
    for one in np.moveaxis(cost, -1, 0):
        reached = np.where(state <= one[..., None], state, -np.inf)
        place = reached.argmax(-1)[..., None]
        found.append(
            np.where(np.isfinite(reached).any(-1), np.take_along_axis(loss, place, -1)[..., 0], np.nan)
        )
    return np.stack(found, -1)
