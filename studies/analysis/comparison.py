"""Which of two arms is better, on every landscape, and how sure that is: paired comparisons over the same worlds.

    difference        A - B, the mean over worlds: of common logarithms where the loss is the gap to a known optimum (so -1 is ten times less), else
                      of losses. The median where a run of either has diverged and a mean would be infinite
    win_probability   P(A < B) + P(A = B) / 2 in the same world
    a12               P(A < B) + P(A = B) / 2 with A and B of any two worlds, Vargha and Delaney (2000) of the smaller loss; 2 a12 - 1 is Cliff's
                      delta (1993)
    p_value           Wilcoxon's signed-rank test of the differences (1945), differences of 0 half to each side (Pratt 1959, `zsplit`); exact where
                      SciPy is. Where worlds share instances, of the instances' means
    p_corrected       Holm (1979) over all pairs, landscapes and axis values of the result; what is the same twice counts once

Diverged runs count as the worst. Nothing is called better unless the corrected test rejects, the interval of the difference does not hold 0, and both
say so of the same arm.
"""

from __future__ import annotations

import warnings

import numpy as np
import xarray as xr
from scipy import stats
from statsmodels.stats.multitest import multipletests

from studies.analysis.bootstrap import estimate
from studies.analysis.paired import difference, losses, pairs, scaled, score, unit_means
from studies.analysis.precision import precision, resolved
from studies.analysis.proportions import clopper_pearson, proportion
from studies.analysis.quantiles import quantiles

ALPHA = 0.05
FLIPPED = 13  # differences up to which all ways to sign them are counted where there are ties
VERDICTS = ("A better", "B better", "undecided")


def compare(dataset: xr.Dataset, at: float | None = None, value: str = "loss", alpha: float = ALPHA) -> xr.Dataset:
    """Every two optimizers compared.

    Args:
        dataset: a study's results.
        at: cost in evaluations; None: at the budget that all arms have, in evaluations at the nominal price of a gradient.
        value: the variable that holds the loss.
        alpha: of the verdicts' test.

    Returns:
        All of the above over `pair` (coordinates `a`, `b`), all with `_interval` but the p values; `ratio` = 10^difference where `logarithmic`;
        `cliffs_delta`; `verdict`; `worlds` where both have numbers; `units`, how many independent ones: instances where worlds share them. Dims of
        the study but optimizer, replicate and checkpoint stay.
    """
    raw = losses(dataset, value, np.inf if at is None else at).load()
    least = precision(dataset)
    loss, logarithmic = scaled(raw, least)
    a, b = pairs(loss)
    order = pairs(resolved(raw, least))
    away = difference(a, b).where(order[0] != order[1], 0.0).where(order[0].notnull())
    means = unit_means(away)
    units = means.notnull().sum("unit").assign_attrs(long_name="independent worlds or instances", units="1")
    wins = proportion("win_probability", score(*order), trials=2, long_name="probability that A beats B")
    found = _difference(away).assign(wins.data_vars).assign(_effect_sizes(*order, units).data_vars).assign(units=units)
    p, corrected = signed_rank(means, a, b)
    found["p_value"] = p.assign_attrs(long_name="of Wilcoxon's signed-rank test", units="1")
    found["p_corrected"] = corrected.assign_attrs(long_name="of Wilcoxon's signed-rank test, Holm's correction", units="1")
    for name in ("", "_interval"):
        told = 10.0 ** found[f"difference{name}"].where(logarithmic)
        found[f"ratio{name}"] = told.assign_attrs(found[f"difference{name}"].attrs, long_name="ratio A / B of the loss", units="1")
    found["verdict"] = verdict(found["difference_interval"], corrected, leaning(means), alpha)
    return found.assign_coords(logarithmic=logarithmic)


def win_probability(dataset: xr.Dataset, value: str = "loss") -> xr.Dataset:
    """The probability that A beats B at each checkpoint: `win_probability` (.., pair, checkpoint), `_interval` and `worlds`."""
    a, b = pairs(resolved(losses(dataset, value), precision(dataset)))
    return proportion("win_probability", score(a, b), trials=2, long_name="probability that A beats B")


def verdict(interval: xr.DataArray, p: xr.DataArray, side: xr.DataArray, alpha: float = ALPHA) -> xr.DataArray:
    """What may be said of A - B: the interval does not hold 0 and the test rejects on the same `side`, or nothing."""
    low, high = (interval.sel(bound=bound, drop=True) for bound in ("low", "high"))
    sure = p < alpha
    told = xr.where((high < 0) & sure & (side < 0), VERDICTS[0], xr.where((low > 0) & sure & (side > 0), VERDICTS[1], VERDICTS[2]))
    return told.assign_attrs(long_name=f"which has the lower loss, at {alpha:g}")


def leaning(means: xr.DataArray) -> xr.DataArray:
    """The sum of the signed ranks over the dim `unit`: below 0 where the test speaks for A, which a mean with a few large differences need not."""
    signed = np.sign(means) * xr.apply_ufunc(stats.rankdata, abs(means), kwargs={"axis": -1, "nan_policy": "omit"},
                                             input_core_dims=[["unit"]], output_core_dims=[["unit"]])  # fmt: skip
    return signed.sum("unit")


def signed_rank(means: xr.DataArray, *raw: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Two-sided p values over the dim `unit`, and Holm's: cells with the same `raw` numbers on one landscape are one test."""
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
    plain = (~np.isnan(rows) & (rows != 0)).all(-1) & (size[:, 1:] != size[:, :-1]).all(-1)
    found = np.full(len(rows), np.nan)
    found[~plain] = [wilcoxon(row) for row in rows[~plain]]
    if plain.any():
        found[plain] = stats.wilcoxon(rows[plain], zero_method="zsplit", axis=-1).pvalue
    return found


def wilcoxon(differences: np.ndarray) -> float:
    """Two-sided p of a row of differences; NaN are left out; 1 where all are 0, NaN where there are none."""
    given: np.ndarray = differences[~np.isnan(differences)]
    if (given == 0).all():
        return 1.0 if given.size else np.nan
    rank = stats.rankdata(abs(given))
    if given.size <= FLIPPED and ((given == 0).any() or np.unique(rank).size < given.size):
        return _flipped(rank, given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # few: then it is exact
        return float(stats.wilcoxon(given, zero_method="zsplit").pvalue)


def _flipped(rank: np.ndarray, given: np.ndarray) -> float:
    """The exact p where there are ties: of all ways to sign the ranks, as `scipy.stats.wilcoxon` has it, a hundred times as fast."""
    zero = rank[given == 0].sum() / 2
    null = np.array([zero])
    for one in rank[given != 0]:
        null = np.concatenate([null, null + one])
    seen = rank[given > 0].sum() + zero
    return min(1.0, 2 * min((null <= seen).mean(), (null >= seen).mean()))


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's corrected p values; NaN are no tests."""
    found, given = np.full(p.shape, np.nan), ~np.isnan(p)
    if given.any():
        found[given] = multipletests(p[given], method="holm")[1]
    return found


def superiority(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
    """P(A < B) + P(A = B) / 2 over all pairs of the last axis; NaN are left out."""
    if axis != -1:
        a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
    total = np.zeros(a.shape[:-1])
    for j in range(b.shape[-1]):
        total += (a < b[..., j, None]).sum(-1) + 0.5 * (a == b[..., j, None]).sum(-1)
    return total / ((~np.isnan(a)).sum(-1) * (~np.isnan(b)).sum(-1))


def _difference(away: xr.DataArray) -> xr.Dataset:
    """The mean, or the median where it is infinite, with intervals."""
    broken = (abs(away) == np.inf).any("replicate")
    about = {"long_name": "A - B", "units": "decades of the gap where logarithmic, else loss"}
    found = estimate("difference", np.nanmean, [away.where(~broken)], long_name=about["long_name"], units=about["units"])
    found["difference_method"] = xr.where(broken, "median, its order statistics", "mean, " + found["difference_method"].astype(object)).astype(str)
    if bool(broken.any()):
        median = quantiles("difference", away, (0.5,), long_name=about["long_name"], units=about["units"]).isel(quantile=0, drop=True)
        for name in ("difference", "difference_interval"):
            found[name] = xr.where(broken, median[name], found[name], keep_attrs=False).transpose(*found[name].dims).assign_attrs(found[name].attrs)
    return found


def _effect_sizes(a: xr.DataArray, b: xr.DataArray, units: xr.DataArray) -> xr.Dataset:
    """A12 and Cliff's delta; where one arm wins all, which resampling takes for certain, with the interval of so many wins of `units`."""
    found = estimate("a12", superiority, [a, b], long_name="probability of superiority A12")
    low, high = xr.apply_ufunc(clopper_pearson, found["a12"] * units, units.astype(float), output_core_dims=[[], []])
    sure = xr.concat([low, high], xr.Variable("bound", ["low", "high"]), coords="minimal", compat="override")
    extreme = (found["a12"] == 0) | (found["a12"] == 1)
    interval = xr.where(extreme, sure, found["a12_interval"].clip(0, 1)).transpose(*found["a12_interval"].dims)
    found["a12_interval"] = interval.assign_attrs(found["a12_interval"].attrs)
    for name in ("", "_interval"):
        delta = 2 * found[f"a12{name}"] - 1
        found[f"cliffs_delta{name}"] = delta.assign_attrs(long_name=f"{'95% interval of ' if name else ''}Cliff's delta", units="1")
    return found
