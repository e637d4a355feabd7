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
from xarray import DataArray, Dataset

from studies.analysis.comparison.paired import same_worlds, score
from studies.analysis.intervals.proportions import proportion
from studies.analysis.price.crossing import crossing
from studies.analysis.price.pricing import horizon, look_up, prices
from studies.analysis.shapes import as_cost, named, rest, words
from studies.results.arms import asked
from studies.text.schema import EVALUATIONS, Status

# relative: costs of checkpoints have 12 digits, so that a price may miss by the last of them the checkpoint
# that it was made for
SLACK = 1e-9
SIZE = 2**22  # numbers at once
DECADE = 0.0999  # of the budget, from where on a map looks


def break_even(
    dataset: Dataset,
    first: str,
    second: str,
    share: float = 1.0,
    grid: Sequence[float] | None = None,
    value: str = "loss",
) -> Dataset:
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
    won = _wins(arms, cost, price_grid(dataset, share, grid), value)
    return _result(won, cost, (first, second))


def break_even_map(
    dataset: Dataset,
    first: str,
    second: str,
    shares: Sequence[float] | None = None,
    value: str = "loss",
) -> Dataset:
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
    chosen = _shares(dataset) if shares is None else np.asarray(shares, float)
    arms = pair(dataset, first, second, [value])
    grid = price_grid(dataset, chosen[-1])
    along = named(DataArray(chosen, {"share": chosen}, "share"), "cost, fraction of the budget")
    cost = horizon(arms, prices(dataset).low) * along
    return _result(_wins(arms, cost, grid, value), cost, (first, second))


def _shares(dataset: Dataset) -> np.ndarray:
    """Checkpoints as fractions of the budget at the lowest price: those of its last decade only."""
    nominal, checkpoint = prices(dataset), dataset["checkpoint"].values
    part = checkpoint / checkpoint.max() * nominal.value / nominal.low
    return part[(part >= DECADE) & (part <= 1 + SLACK)]


def pair(dataset: Dataset, first: str, second: str, names: Sequence[str]) -> Dataset:
    """Two optimizers with what was counted and these variables, in this order.

    In memory, unless the Dataset is chunked.

    Args:
        dataset: a study's results.
        first: an optimizer.
        second: another one.
        names: of the variables.
    """
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


def price_grid(
    dataset: Dataset, share: float = 1.0, given: Sequence[float] | None = None
) -> np.ndarray:
    """Prices over the study's range at which nothing is behind.

    At each the state of a run that uses gradients alone is recorded where it has just spent a share of the
    budget: it may be held against one that uses values alone, at the whole budget or at the cost of a
    checkpoint.

    Args:
        dataset: a study's results.
        share: of the budget at the lowest price.
        given: prices to be used instead, increasing.
    """
    value, low, high = prices(dataset)
    if given is not None:
        return _checked(given)
    if not low < high:
        raise ValueError(
            f"break_even: expected a range of prices, `gradient_cost: {{value: {value:g}, range: [1, 20]}}`"
            " in the study, or a `grid`"
        )
    part = dataset["checkpoint"].values / dataset["checkpoint"].values.max()
    grid = np.sort(share * low / part)
    inside = grid[(grid >= low * (1 - SLACK)) & (grid <= high * (1 + SLACK))]
    beyond = grid[grid > high * (1 + SLACK)][:1]  # so that the whole range is covered
    return np.unique([*inside, *beyond])


def _checked(given: Sequence[float]) -> np.ndarray:
    grid = np.asarray(given, float)
    if grid.ndim != 1 or not len(grid) or not (grid > 0).all() or not (np.diff(grid) > 0).all():
        raise ValueError(f"break_even: expected increasing prices > 0, got {given}")
    return grid


def along_prices(grid: np.ndarray) -> DataArray:
    """Prices as an array with the dim `price` and their coordinate."""
    about = words("price of a gradient", EVALUATIONS)
    return DataArray(grid, {"price": ("price", grid, about)}, "price")


def _wins(arms: Dataset, cost: DataArray, grid: np.ndarray, value: str) -> DataArray:
    """Where the first of two arms is ahead 1, where they tie 1/2, else 0.

    NaN where one of them is not known: (.., replicate, price).
    """
    shown = _at_prices(arms, cost * (1 + SLACK), grid, value)
    loss = shown[value].where(shown["status"] != Status.DIVERGED, np.inf).where(asked(arms))
    first, second = (loss.isel(optimizer=side, drop=True) for side in (0, 1))
    return score(first, second)


def _at_prices(arms: Dataset, cost: DataArray, grid: np.ndarray, value: str) -> Dataset:
    """The variable and the status at a cost, at all prices, some at a time; dim `price`."""
    price = along_prices(grid)
    step = max(1, SIZE // (arms[value].size * cost.sizes.get("share", 1)))
    parts = [
        look_up(arms, [value, "status"], price.isel(price=slice(start, start + step)), cost)
        for start in range(0, len(grid), step)
    ]
    return xr.concat(parts, "price", coords="minimal", compat="override")


def _result(won: DataArray, cost: DataArray, rivals: tuple[str, str]) -> Dataset:
    first, second = rivals
    about = f"probability that {first} is ahead of {second}"
    result = proportion("win", won, trials=2, long_name=about, at_once=won.sizes["price"])
    at_once, result = result["win_at_once"], result.drop_vars("win_at_once")
    crossed = crossing(result["win"], result["win_interval"], 0.5, "price", at_once)
    result["break_even"] = as_cost(crossed["crossing"], "price of a gradient at which they break even")
    result["break_even_interval"] = as_cost(crossed["crossing_interval"], "95% interval of break_even")
    result = result.assign(verdict=crossed["verdict"]).assign_coords(cost=as_cost(cost))
    return result.assign_attrs(first=first, second=second)


def rivals(dataset: Dataset) -> list[tuple[str, str]]:
    """Pairs of optimizers between which a price may decide.

    The first takes a larger share of its evaluations as gradients, on some landscape.

    Those that use gradients against those that use none; if all use some, every two that differ by more than
    a hundredth.
    """
    share = _gradient_share(dataset)
    known = [name for name, part in share.items() if part >= 0]
    apart = [(a, b) for a in known for b in known if share[a] > 0 and share[b] == 0]
    return apart or [(a, b) for a in known for b in known if share[a] > share[b] + 0.01]


def _gradient_share(dataset: Dataset) -> dict[str, float]:
    """Optimizer -> the share of gradients in its evaluations; NaN where it asked for nothing."""
    there = dataset["status"] < Status.FAILED
    values, gradients = (
        dataset[name].where(there).sum(rest(dataset[name], "optimizer")).astype(float)
        for name in ("value_terms", "gradient_terms")
    )
    parts = (gradients / (values + gradients)).values.tolist()
    return dict(zip(map(str, dataset["optimizer"].values), parts, strict=True))
