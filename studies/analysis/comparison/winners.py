"""The best optimizer at every combination of swept axes, by how much, and whether that is sure.

The winner has the lowest median loss over worlds at the budget that all arms have; of several, whose medians
tie at the precision of the study, the one that is better than most of them. It is decided where paired
comparisons with every other optimizer say that it is better, by the final loss or by the time to a target
(`studies.analysis.comparison.comparison`, Holm's correction over all pairs and combinations of the
landscape).
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import xarray as xr

from studies.analysis.comparison.comparison import VERDICTS, compare
from studies.analysis.comparison.paired import losses
from studies.results.arms import quartiles
from studies.results.gaps import gap_known
from studies.results.hits import budget
from studies.results.precision import precision, resolved
from studies.schema import DIMS

NONE = ""  # the winner where no optimizer has numbers


def winners(dataset: xr.Dataset) -> xr.Dataset:
    """The winners of one landscape.

    Args:
        dataset: a study's results without the dim `landscape`, of two optimizers or more.

    Returns:
        `winner` and `runner_up`, names, or an empty text where there is none; `lead`: the runner-up's median
        loss over the winner's where the loss is the gap to a known optimum (`logarithmic`), else less the
        winner's; `at_least`: whether the winner's gap is the precision or less, so that the lead may be any
        larger; `tied`: whether both medians are equal at the precision; `decided`; `worlds`, the fewest of
        any comparison. Dims: the axes that touch the landscape. The coordinate `cost`: where, in evaluations.

    Raises:
        ValueError: there are fewer than two optimizers.
    """
    if "landscape" in dataset.dims:
        raise ValueError("winners: expected one landscape, got all of them; give dataset.sel(landscape=...)")
    names = [str(name) for name in dataset["optimizer"].values]
    if len(names) < 2:
        raise ValueError(f"winners: expected two optimizers or more, got {', '.join(names) or 'none'}")
    dataset = touched(dataset)
    compared, loss = compare(dataset), losses(dataset, at=np.inf)
    axes = [str(dim) for dim in loss.dims if dim not in DIMS]
    gap = gap_known(loss)
    gap = gap.any([dim for dim in gap.dims if dim not in axes])
    least = precision(dataset)
    loss = resolved(loss, least)
    shape = tuple(dataset.sizes[axis] for axis in axes)
    told = {
        "winner": np.full(shape, NONE, object),
        "runner_up": np.full(shape, NONE, object),
        "lead": np.full(shape, np.nan),
    }
    told |= {name: np.zeros(shape, bool) for name in ("at_least", "tied", "decided")} | {
        "worlds": np.zeros(shape, int)
    }
    for place in np.ndindex(shape):
        at = dict(zip(axes, place, strict=True))
        medians = {name: float(quartiles(loss.isel(at).sel(optimizer=name))[1]) for name in names}
        floor = (
            float(least.isel(at, missing_dims="ignore"))
            if bool(gap.isel(at, missing_dims="ignore"))
            else None
        )
        for name, value in _winner(medians, compared.isel(at), floor).items():
            told[name][place] = value
    found = xr.Dataset(
        {name: (axes, values) for name, values in told.items()}, {axis: dataset[axis] for axis in axes}
    )
    found["lead"].attrs = {
        "long_name": "runner-up's median loss, times the winner's where logarithmic, else above it"
    }
    cost = budget(dataset).reset_coords(drop=True).assign_attrs(units="evaluations")
    return found.assign_coords(cost=cost, logarithmic=gap.reset_coords(drop=True))


def touched(dataset: xr.Dataset) -> xr.Dataset:
    """Without the axes along which no loss changes."""
    for axis in [str(dim) for dim in dataset["loss"].dims if dim not in DIMS]:
        loss, first = dataset["loss"], dataset["loss"].isel({axis: 0}, drop=True)
        if bool(((loss == first) | (loss.isnull() & first.isnull())).all()):
            dataset = dataset.isel({axis: 0})
    return dataset


def _winner(medians: dict[str, float], compared: xr.Dataset, floor: float | None) -> dict[str, object]:
    """What is said of one combination; `floor`: the precision where losses are gaps to the optimum."""
    sides = [(str(a), str(b), str(text), int(n)) for a, b, text, n in zip(compared["a"].values, compared["b"].values, compared["verdict"].values,
                                                                            compared["worlds"].values, strict=True)]  # fmt: skip
    won = Counter(
        a if text == VERDICTS[0] else b
        for a, b, text, _ in sides
        if text != VERDICTS[2] and medians[a] == medians[b]
    )
    order = sorted(
        (name for name in medians if not np.isnan(medians[name])),
        key=lambda name: (medians[name], -won[name]),
    )
    if not order or np.isinf(medians[order[0]]):
        return {}
    if len(order) == 1:
        return {"winner": order[0]}
    first, second = (medians[name] for name in order[:2])
    with np.errstate(divide="ignore", invalid="ignore"):
        lead = (
            (1.0 if first == second else float(np.divide(second, first)))
            if floor is not None
            else second - first
        )
    rivals = [(a, text, n) for a, b, text, n in sides if order[0] in (a, b) and {a, b} <= set(order)]
    sure = all(text == VERDICTS[0 if a == order[0] else 1] for a, text, _ in rivals)
    told = {
        "winner": order[0],
        "runner_up": order[1],
        "lead": lead,
        "decided": sure,
        "worlds": min(n for _, _, n in rivals),
    }
    return told | {"tied": first == second, "at_least": floor is not None and first <= floor < second}
