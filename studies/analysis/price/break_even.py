"""Break-even at a fixed cost.

The price of a gradient at which the winner of two arms changes, from what was counted; nothing is run again.

With what probability is the first arm's loss in a world below the second's, a tie counting half, at each
price of a gradient? The arms break even where it is 1/2. Where a higher price can only hurt the first arm,
that is the median over worlds of the price up to which it is ahead there. The interval of the price is where
the 95 % band of the probability holds 1/2 (see `crossing`); the band is exact (see `proportions`), so that
fewer than 6 worlds, or instances, decide nothing. That the winner changes more than once is said where it
does at the level of Bonferroni of all prices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from studies.analysis.comparison.paired import same_worlds, score
from studies.analysis.intervals.proportions import proportion
from studies.analysis.price.crossing import crossing
from studies.analysis.price.pricing import EVALUATIONS, horizon, look_up, prices
from studies.results.arms import asked
from studies.schema import Status

# relative: costs of checkpoints have 12 digits, so that a price may miss by the last of them the checkpoint
# that it was made for
SLACK = 1e-9
SIZE = 2**22  # numbers at once
DECADE = 0.0999  # of the budget, from where on a map looks


def break_even(
    dataset: xr.Dataset,
    first: str,
    second: str,
    share: float = 1.0,
    grid: Sequence[float] | None = None,
    value: str = "loss",
) -> xr.Dataset:
    """Which of two optimizers is ahead at a fixed cost, by the price of a gradient.

    Args:
        dataset: a study's results.
        first: an optimizer, such as one that uses gradients.
        second: another one.
        share: where they are compared, as a fraction of the budget that both have at the lowest price, in (0,
            1].
        grid: prices, increasing; None: those of `price_grid`.
        value: the variable that is compared; lower is better. A run that has diverged has lost.

    Returns:
        `win` (price): the probability that the first is ahead, `win_interval`, `worlds`; NaN and 0 where one
        of the two is not known at that cost. `break_even`: the price, NaN where there is none, with
        `break_even_interval`, 0 or inf where that is open, and `verdict`, a text in `crossing.VERDICTS`. The
        coordinate `cost`. Dims of the study but the optimizer, replicate and checkpoint stay.

    Raises:
        ValueError: there is no such optimizer or share, or the study has no range of prices.
    """
    if not 0 < share <= 1:
        raise ValueError(f"break_even: expected a share of the budget in (0, 1], got {share:g}")
    arms = pair(dataset, first, second, [value])
    cost = share * horizon(arms, prices(dataset).low)
    return _told(
        _wins(arms, first, second, cost, price_grid(dataset, share, grid), value), cost, first, second
    )


def break_even_map(
    dataset: xr.Dataset, first: str, second: str, shares: Sequence[float] | None = None, value: str = "loss"
) -> xr.Dataset:
    """`break_even` at many costs.

    Args:
        dataset: a study's results.
        first: an optimizer.
        second: another one.
        shares: costs as fractions of the budget that both have at the lowest price, in (0, 1]; None: where
            checkpoints are in its last decade.
        value: the variable that is compared.

    Returns:
        As `break_even`, with the dim `share`; the coordinate `cost` has it too.
    """
    nominal = prices(dataset)
    part = dataset["checkpoint"].values / dataset["checkpoint"].values.max() * nominal.value / nominal.low
    chosen = part[(part >= DECADE) & (part <= 1 + SLACK)] if shares is None else np.asarray(shares, float)
    arms, grid = pair(dataset, first, second, [value]), price_grid(dataset, chosen[-1])
    along = xr.DataArray(
        chosen,
        dims="share",
        coords={"share": chosen},
        attrs={"long_name": "cost, fraction of the budget", "units": "1"},
    )
    cost = horizon(arms, nominal.low) * along
    return _told(_wins(arms, first, second, cost, grid, value), cost, first, second)


def pair(dataset: xr.Dataset, first: str, second: str, names: Sequence[str]) -> xr.Dataset:
    """Two optimizers with what was counted and these variables; in memory, unless the Dataset is chunked."""
    known = [str(name) for name in dataset["optimizer"].values]
    for name in (first, second):
        if name not in known:
            raise ValueError(
                f"break_even: expected an optimizer of the study, {', '.join(known)}; got {name!r}"
            )
    if first == second:
        raise ValueError(f"break_even: expected two optimizers, got {first!r} twice")
    both = dataset[[*names, "status", "value_terms", "gradient_terms"]].sel(optimizer=[first, second])
    same_worlds(both)
    return both if both.chunks else both.load()


def price_grid(dataset: xr.Dataset, share: float = 1.0, given: Sequence[float] | None = None) -> np.ndarray:
    """Prices over the study's range, at which the state of a run that uses gradients alone is recorded where it has just spent a share of the budget.

    So nothing is behind where such an arm is held against one that uses values alone, at the whole budget or at the cost of a checkpoint.

    Args:
        dataset: a study's results.
        share: of the budget at the lowest price.
        given: prices to be used instead, increasing.
    """
    value, low, high = prices(dataset)
    if given is not None:
        grid = np.asarray(given, float)
        if grid.ndim != 1 or not len(grid) or not (grid > 0).all() or not (np.diff(grid) > 0).all():
            raise ValueError(f"break_even: expected increasing prices > 0, got {given}")
        return grid
    if not low < high:
        raise ValueError(
            f"break_even: expected a range of prices, `gradient_cost: {{value: {value:g}, range: [1, 20]}}`"
            " in the study, or a `grid`"
        )
    part = dataset["checkpoint"].values / dataset["checkpoint"].values.max()
    grid = np.sort(share * low / part)
    inside = grid[(grid >= low * (1 - SLACK)) & (grid <= high * (1 + SLACK))]
    return np.unique([
        *inside,
        *grid[grid > high * (1 + SLACK)][:1],
    ])  # and one beyond, so that the whole range is covered


def _wins(
    arms: xr.Dataset, first: str, second: str, cost: xr.DataArray, grid: np.ndarray, value: str
) -> xr.DataArray:
    """Where the first is ahead 1, where they tie 1/2, else 0.

    NaN where one of them is not known: (.., replicate, price).
    """
    price = xr.DataArray(
        grid,
        dims="price",
        coords={"price": ("price", grid, {"long_name": "price of a gradient", **EVALUATIONS})},
    )
    step = max(1, SIZE // (arms[value].size * cost.sizes.get("share", 1)))
    parts = [price.isel(price=slice(start, start + step)) for start in range(0, len(grid), step)]
    told = xr.concat(
        [look_up(arms, [value, "status"], part, cost * (1 + SLACK)) for part in parts],
        "price",
        coords="minimal",
        compat="override",
    )
    loss = told[value].where(told["status"] != Status.DIVERGED, np.inf).where(asked(arms))
    return score(*(loss.sel(optimizer=name, drop=True) for name in (first, second)))


def _told(won: xr.DataArray, cost: xr.DataArray, first: str, second: str) -> xr.Dataset:
    found = proportion(
        "win",
        won,
        trials=2,
        long_name=f"probability that {first} is ahead of {second}",
        at_once=won.sizes["price"],
    )
    at_once, found = found["win_at_once"], found.drop_vars("win_at_once")
    told = crossing(found["win"], found["win_interval"], 0.5, "price", at_once).rename(
        crossing="break_even", crossing_interval="break_even_interval"
    )
    told["break_even"].attrs = {"long_name": "price of a gradient at which they break even", **EVALUATIONS}
    told["break_even_interval"].attrs = {"long_name": "95% interval of break_even", **EVALUATIONS}
    found = found.merge(told, compat="override").assign_coords(
        cost=cost.assign_attrs(long_name="cost", **EVALUATIONS)
    )
    return found.assign_attrs(first=first, second=second)


def rivals(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """Pairs of optimizers between which a price may decide.

    The first takes a larger share of its evaluations as gradients, on some landscape.

    Those that use gradients against those that use none; if all use some, every two that differ by more than
    a hundredth.
    """
    there = dataset["status"] < Status.FAILED
    axes = [dim for dim in dataset["gradient_terms"].dims if dim != "optimizer"]
    values, gradients = (
        dataset[name].where(there).sum(axes).astype(float) for name in ("value_terms", "gradient_terms")
    )
    share = {
        str(name): float(part)
        for name, part in zip(
            dataset["optimizer"].values, (gradients / (values + gradients)).values, strict=True
        )
    }
    known = [name for name, part in share.items() if part >= 0]
    apart = [(a, b) for a in known for b in known if share[a] > 0 and share[b] == 0]
    return apart or [(a, b) for a in known for b in known if share[a] > share[b] + 0.01]
