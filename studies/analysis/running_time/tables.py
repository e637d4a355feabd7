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
from xarray import DataArray, Dataset

from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.intervals.quantiles import QUARTILES, quantiles
from studies.analysis.running_time.runtime import Targets, costs_of, expected_running_time
from studies.analysis.shapes import BOUNDS, bare, count, ends, mapped, named
from studies.results.clocks import budget, words
from studies.results.gaps import gap_known
from studies.results.hits import clock_of, hits, ran, spent, state_times, variable
from studies.text.schema import CLOCKS, LOSS, ROUNDING, WHOLE, Status

SHARES = (0.01, 0.1, 1.0)  # of the budget at the lowest price, where no costs are given


def fixed_budget(
    dataset: Dataset,
    costs: Sequence[float] | DataArray | None = None,
    value: str = "loss",
    levels: Sequence[float] = QUARTILES,
    clock: str = "cost",
) -> Dataset:
    """Losses at costs, or at times on another clock.

    Args:
        dataset: a study's results.
        costs: on the clock, of cost at the nominal price; with the dim `checkpoint` where they are a
            DataArray. None: 1, 10 and 100 % of the budget.
        value: `loss` of the recommended or `best_loss` of the best evaluated point.
        levels: of the quantiles.
        clock: cost, steps, epochs, virtual_time or seconds.

    Returns:
        For each (.., checkpoint) with a coordinate of the clock's name: `mean` (inf where a world has
        diverged) and `quantiles` (quantile), both with `_interval` (bound), `diverged` and `worlds`.
    """
    cost = _costs(dataset, costs, clock)
    about = dataset[value].attrs.get("long_name", value)
    loss = loss_at(dataset, cost, value, clock)
    with np.errstate(invalid="ignore"):  # inf - inf, where worlds have diverged
        mean = estimate(
            "mean",
            np.nanmean,
            [loss],
            long_name=f"mean {about}",
            units=LOSS,
            positive=bool(gap_known(dataset).all()),
        )
    others = quantiles("quantiles", loss, levels, long_name=about, units=LOSS)
    diverged = named((loss == np.inf).sum("replicate"), "worlds that had diverged")
    result = mean.merge(others, compat="override").assign(diverged=diverged, worlds=count(loss))
    return result.assign_coords({clock: cost})


def fixed_target(
    dataset: Dataset,
    targets: Targets = None,
    which: str = "hit_cost",
    levels: Sequence[float] = QUARTILES,
    clock: str | None = None,
) -> Dataset:
    """Costs of losses: all of `expected_running_time`, and the quantiles of the cost of a single run.

    These are inf where too few reached the target.

    Args:
        dataset: a study's results.
        targets: as in `hits`.
        which: as in `hits`.
        levels: of the quantiles.
        clock: cost, steps, epochs, virtual_time or seconds; None: that of `which`.

    Returns:
        For each (.., target): `ert`, `success_rate`, `quantiles` (quantile), all with `_interval` (bound),
        `successes` and `worlds`.
    """
    which = variable(which, clock)
    cost = hits(dataset, targets, which)
    about = f"{words(clock_of(which))} of first reaching the target"
    single = quantiles("quantiles", cost, levels, long_name=about, units=cost.attrs["units"])
    return expected_running_time(dataset, targets, which).merge(single, compat="override")


def table(result: Dataset) -> pd.DataFrame:
    """A Dataset of this package as a tidy table.

    One row for each arm and cost or target, one column for each number.

    Quantiles become columns such as `q50`, ends of intervals `_low` and `_high`. Rows without worlds are left
    out.
    """
    flat = _without_bounds(_without_quantiles(result))
    frame = flat.to_dataframe().reset_index()
    return frame[frame["worlds"] > 0].reset_index(drop=True) if "worlds" in frame else frame


def _without_quantiles(result: Dataset) -> Dataset:
    """Each quantile as a variable of its own."""
    for name in [name for name in result.data_vars if "quantile" in result[name].dims]:
        for level in result["quantile"].values.tolist():
            own = str(name).replace("quantiles", f"q{100 * level:g}")
            result = result.assign({own: result[name].sel(quantile=level, drop=True)})
    return result.drop_dims("quantile", errors="ignore")


def _without_bounds(result: Dataset) -> Dataset:
    """Each end of an interval as a variable of its own."""
    for name in [name for name in result.data_vars if "bound" in result[name].dims]:
        stem = str(name).removesuffix("_interval")
        for bound, end in zip(BOUNDS, ends(result[name]), strict=True):
            result = result.assign({f"{stem}_{bound}": end})
    return result.drop_dims("bound", errors="ignore")


def loss_at(dataset: Dataset, cost: DataArray, value: str = "loss", clock: str = "cost") -> DataArray:
    """Loss at costs, or times on another clock (dim `checkpoint`), see the module's text.

    (.., replicate, checkpoint), NaN where it is not known.
    """
    loss = dataset[value].where(dataset["status"] != Status.DIVERGED, np.inf)
    place = cost.rename(checkpoint="place").drop_vars("place", errors="ignore")
    over = [["checkpoint"], ["checkpoint"], ["place"]]
    shown = mapped(
        _last, state_times(dataset, clock), loss, place * (1 + ROUNDING), over=over, into=[["place"]]
    )
    shown = shown.rename(place="checkpoint")
    end = dataset["status"].isel(checkpoint=-1, drop=True)
    ended = (end == Status.BUDGET_SPENT) & (cost > spent(dataset, clock) * (1 + WHOLE))
    return shown.where(ran(dataset) & ~ended)


def _costs(dataset: Dataset, costs: Sequence[float] | DataArray | None, clock: str) -> DataArray:
    if costs is not None:
        return costs_of(dataset, costs, clock)
    shares = DataArray(list(SHARES), {"checkpoint": list(SHARES)}, "checkpoint")
    return named(bare(shares * budget(dataset, clock)), words(clock), CLOCKS[clock].units)


def _last(state: np.ndarray, loss: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """The loss of the first state of the largest cost up to each cost.

    (.., K), (.., K), (.., C) -> (.., C).
    """
    columns = []
    for reach in np.moveaxis(cost, -1, 0):
        reached = np.where(state <= reach[..., None], state, -np.inf)
        shown = np.take_along_axis(loss, reached.argmax(-1)[..., None], -1)[..., 0]
        columns.append(np.where(np.isfinite(reached).any(-1), shown, np.nan))
    return np.stack(columns, -1)
