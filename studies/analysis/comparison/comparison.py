"""Which of two arms is better, on every landscape, and how sure that is.

Paired comparisons over the same worlds.

    judged            what is compared, A and B: the final loss; where that ties at the precision of the study, so that it could not tell, the time
                      to a target; where that ties too, the area over the curve
                      (`studies.analysis.comparison.outcomes`)
    difference        A - B, the mean over worlds: of common logarithms where the loss is the gap to a known optimum, and of times (so -1 is ten
                      times less), else of losses. The median where a run of either has diverged, or never got
                      there, and a mean would be infinite
    win_probability   P(A < B) + P(A = B) / 2 in the same world
    a12               P(A < B) + P(A = B) / 2 with A and B of any two worlds, Vargha and Delaney (2000) of the smaller loss; 2 a12 - 1 is Cliff's
                      delta (1993)
    p_value           Wilcoxon's signed-rank test of the differences (1945); those of 0 are ranked and then left out (Pratt 1959, J. Am. Stat. Assoc.
                      54, 655). Exact where at most 13 differ. Where worlds share instances, of the instances'
                      means
    p_corrected       Holm (1979) over all pairs, landscapes and axis values of the result; what is the same twice counts once

Diverged runs count as the worst; an arm that never asked for a value has no numbers. Nothing is called better
unless the corrected test rejects, the interval of the difference does not hold 0, and both say so of the same
arm.
"""

from __future__ import annotations

import warnings

import numpy as np
import xarray as xr
from scipy import stats

from studies.analysis.comparison.outcomes import JUDGED, judged
from studies.analysis.comparison.paired import losses, pairs, score, unit_means
from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.intervals.proportions import clopper_pearson, proportion
from studies.analysis.intervals.quantiles import quantiles
from studies.results.precision import precision, resolved

ALPHA = 0.05
FLIPPED = 13  # differences up to which all ways to sign them are counted where there are ties
VERDICTS = ("A better", "B better", "undecided")


def compare(
    dataset: xr.Dataset, at: float | None = None, value: str = "loss", alpha: float = ALPHA
) -> xr.Dataset:
    """Every two optimizers compared.

    Args:
        dataset: a study's results.
        at: cost in evaluations; None: at the budget that all arms have, in evaluations at the nominal price
            of a gradient.
        value: the variable that holds the loss.
        alpha: of the verdicts' test.

    Returns:
        All of the above over `pair` (coordinates `a`, `b`), all with `_interval` but the p values; `ratio` =
        10^difference where `logarithmic`; `cliffs_delta`; `verdict`; `target`, where a time is judged;
        `worlds` where both have numbers; `units`, how many independent ones: instances where worlds share
        them. Dims of the study but optimizer, replicate and checkpoint stay.
    """
    outcome, which = judged(dataset, at, value)
    away, logarithmic = outcome.away(), outcome.logarithmic
    order = (outcome.first.where(away.notnull()), outcome.second.where(away.notnull()))
    means = unit_means(away)
    units = means.notnull().sum("unit").assign_attrs(long_name="independent worlds or instances", units="1")
    wins = proportion("win_probability", score(*order), trials=2, long_name="probability that A beats B")
    found = (
        _difference(away)
        .assign(wins.data_vars)
        .assign(_effect_sizes(*order, units).data_vars)
        .assign(units=units)
    )
    p, corrected = signed_rank(means, *(side.where(away.notnull()) for side in (outcome.a, outcome.b)))
    found["p_value"] = p.assign_attrs(long_name="of Wilcoxon's signed-rank test", units="1")
    found["p_corrected"] = corrected.assign_attrs(
        long_name="of Wilcoxon's signed-rank test, Holm's correction", units="1"
    )
    for name in ("", "_interval"):
        told = 10.0 ** found[f"difference{name}"].where(logarithmic)
        found[f"ratio{name}"] = told.assign_attrs(
            found[f"difference{name}"].attrs, long_name="ratio A / B of the loss", units="1"
        )
    found["verdict"] = verdict(found["difference_interval"], corrected, leaning(means), alpha)
    found["judged"] = which.copy(data=np.array(JUDGED, object)[which.values]).assign_attrs(
        long_name="what is compared"
    )
    unit = dataset["target_loss"].attrs.get("units", "loss") if "target_loss" in dataset.coords else "loss"
    found["target"] = outcome.target.assign_attrs(long_name="target whose time is compared", units=unit)
    return found.assign_coords(logarithmic=logarithmic)


def win_probability(dataset: xr.Dataset, value: str = "loss") -> xr.Dataset:
    """The probability that A beats B at each checkpoint.

    `win_probability` (.., pair, checkpoint), `_interval` and `worlds`.
    """
    a, b = pairs(resolved(losses(dataset, value), precision(dataset)))
    return proportion("win_probability", score(a, b), trials=2, long_name="probability that A beats B")


def verdict(
    interval: xr.DataArray, p: xr.DataArray, side: xr.DataArray, alpha: float = ALPHA
) -> xr.DataArray:
    """What may be said of A - B: the interval does not hold 0 and the test rejects on the same `side`, or nothing."""
    low, high = (interval.sel(bound=bound, drop=True) for bound in ("low", "high"))
    sure = p < alpha
    told = xr.where(
        (high < 0) & sure & (side < 0),
        VERDICTS[0],
        xr.where((low > 0) & sure & (side > 0), VERDICTS[1], VERDICTS[2]),
    )
    return told.assign_attrs(long_name=f"which has the lower loss, at {alpha:g}")


def leaning(means: xr.DataArray) -> xr.DataArray:
    """The sum of the signed ranks over the dim `unit`: below 0 where the test speaks for A, which a mean with a few large differences need not."""
    signed = np.sign(means) * xr.apply_ufunc(stats.rankdata, abs(means), kwargs={"axis": -1, "nan_policy": "omit"},
                                             input_core_dims=[["unit"]], output_core_dims=[["unit"]])  # fmt: skip
    return signed.sum("unit")


def signed_rank(means: xr.DataArray, *raw: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Two-sided p values over the dim `unit`, and Holm's.

    Cells with the same `raw` numbers on one landscape are one test.
    """
    cells = means.isel(unit=0, drop=True)
    dims = [dim for dim in cells.dims if dim not in ("landscape", "pair")]
    front = [dim for dim in ("landscape", "pair") if dim in cells.dims]
    rows = means.transpose(*front, *dims, "unit").values
    numbers = np.concatenate([part.transpose(*front, *dims, "replicate").values for part in raw], -1)
    shape = rows.shape[:-1]
    seen: dict[tuple, list[tuple[int, ...]]] = {}
    for place in np.ndindex(shape):
        seen.setdefault((place[: len(front)], numbers[place].tobytes()), []).append(place)
    p, corrected = np.full(shape, np.nan), np.full(shape, np.nan)
    values = wilcoxons(np.array([rows[places[0]] for places in seen.values()]))
    for places, single, whole in zip(seen.values(), values, holm(values), strict=True):
        for place in places:
            p[place], corrected[place] = single, whole
    template = cells.transpose(*front, *dims)
    return template.copy(data=p), template.copy(data=corrected)


def wilcoxons(rows: np.ndarray) -> np.ndarray:
    """`wilcoxon` of every row, those without NaN, zeros and ties all at once."""
    size = np.sort(abs(rows), -1)
    plain = (
        (~np.isnan(rows) & (rows != 0)).all(-1)
        & (size[:, 1:] != size[:, :-1]).all(-1)
        & (rows.shape[-1] > FLIPPED)
    )
    found = np.full(len(rows), np.nan)
    found[~plain] = [wilcoxon(row) for row in rows[~plain]]
    if plain.any():
        found[plain] = stats.wilcoxon(rows[plain], axis=-1).pvalue
    return found


def wilcoxon(differences: np.ndarray) -> float:
    """Two-sided p of a row of differences; NaN are left out; 1 where all are 0, NaN where there are none."""
    given: np.ndarray = differences[~np.isnan(differences)]
    if (given == 0).all():
        return 1.0 if given.size else np.nan
    if (given != 0).sum() <= FLIPPED:
        return _flipped(stats.rankdata(abs(given)), given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # few: then it is exact
        return float(stats.wilcoxon(given, zero_method="pratt").pvalue)


def _flipped(rank: np.ndarray, given: np.ndarray) -> float:
    """The exact p: of all ways to sign the ranks of those that are not 0."""
    null = np.zeros(1)
    for one in rank[given != 0]:
        null = np.concatenate([null, null + one])
    seen = rank[given > 0].sum()
    return min(1.0, 2 * min((null <= seen).mean(), (null >= seen).mean()))


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's corrected p values along the last axis; NaN are no tests.

    Equal to statsmodels' `multipletests`, each call of which collects the garbage of the whole process, for a
    tenth of a second.
    """
    order = np.argsort(p, -1)  # NaN come last
    left = (~np.isnan(p)).sum(-1, keepdims=True) - np.arange(p.shape[-1])
    stepped = np.maximum.accumulate(np.take_along_axis(p, order, -1) * left, -1).clip(max=1.0)
    found = np.empty(p.shape)
    np.put_along_axis(found, order, stepped, -1)
    return found


def superiority(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
    """P(A < B) + P(A = B) / 2 over all pairs along an axis; NaN are left out.

    From the sum of the ranks of B among both, as Mann and Whitney's U = sum - n_b (n_b + 1) / 2 (1947): n log
    n.
    """
    a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
    ours, theirs = ((~np.isnan(part)).sum(-1) for part in (a, b))
    both = np.concatenate([a, b], -1)
    of_b = np.where(np.isnan(b), 0.0, average_ranks(both)[..., a.shape[-1] :]).sum(-1)
    return (of_b - theirs * (theirs + 1) / 2) / (ours * theirs)


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks along the last axis from 1 on, those of equal values their mean.

    What NaN get means nothing, as they come last.
    """
    order = np.argsort(values, -1)
    ordered = np.take_along_axis(values, order, -1)
    place = np.broadcast_to(np.arange(values.shape[-1]), values.shape)
    new = np.concatenate([np.ones_like(ordered[..., :1], bool), ordered[..., 1:] != ordered[..., :-1]], -1)
    first = np.maximum.accumulate(np.where(new, place, 0), -1)
    ends = np.concatenate([new[..., 1:], np.ones_like(new[..., :1])], -1)
    last = np.minimum.accumulate(np.where(ends, place, values.shape[-1])[..., ::-1], -1)[..., ::-1]
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, -1)
    return ranks


def _difference(away: xr.DataArray) -> xr.Dataset:
    """The mean, or the median where it is infinite, with intervals."""
    broken = (abs(away) == np.inf).any("replicate")
    about = {"long_name": "A - B", "units": "decades where logarithmic, else loss"}
    found = estimate(
        "difference", np.nanmean, [away.where(~broken)], long_name=about["long_name"], units=about["units"]
    )
    found["difference_method"] = xr.where(
        broken, "median, its order statistics", "mean, " + found["difference_method"].astype(object)
    ).astype(str)
    if bool(broken.any()):
        median = quantiles(
            "difference", away, (0.5,), long_name=about["long_name"], units=about["units"]
        ).isel(quantile=0, drop=True)
        for name in ("difference", "difference_interval"):
            found[name] = (
                xr
                .where(broken, median[name], found[name], keep_attrs=False)
                .transpose(*found[name].dims)
                .assign_attrs(found[name].attrs)
            )
    return found


def _effect_sizes(a: xr.DataArray, b: xr.DataArray, units: xr.DataArray) -> xr.Dataset:
    """A12 and Cliff's delta; where one arm wins all, which resampling takes for certain, with the interval of so many wins of `units`."""
    found = estimate("a12", superiority, [a, b], long_name="probability of superiority A12")
    low, high = xr.apply_ufunc(
        clopper_pearson, found["a12"] * units, units.astype(float), output_core_dims=[[], []]
    )
    sure = xr.concat([low, high], xr.Variable("bound", ["low", "high"]), coords="minimal", compat="override")
    extreme = (found["a12"] == 0) | (found["a12"] == 1)
    interval = xr.where(extreme, sure, found["a12_interval"].clip(0, 1)).transpose(
        *found["a12_interval"].dims
    )
    found["a12_interval"] = interval.assign_attrs(found["a12_interval"].attrs)
    for name in ("", "_interval"):
        delta = 2 * found[f"a12{name}"] - 1
        found[f"cliffs_delta{name}"] = delta.assign_attrs(
            long_name=f"{'95% interval of ' if name else ''}Cliff's delta", units="1"
        )
    return found
