"""Which of two arms is better, on every landscape, and how sure that is.

Paired comparisons over the same worlds.

    judged            what is compared, A and B: the final loss; where that ties at the precision of the
                      study, so that it could not tell, the time to a target; where that ties too, the area
                      over the curve (`studies.analysis.comparison.outcomes`)
    difference        A - B, the mean over worlds: of common logarithms where the loss is the gap to a known
                      optimum, and of times (so -1 is ten times less), else of losses. The median where a run
                      of either has diverged, or never got there, and a mean would be infinite
    win_probability   P(A < B) + P(A = B) / 2 in the same world
    a12               P(A < B) + P(A = B) / 2 with A and B of any two worlds, Vargha and Delaney (2000) of the
                      smaller loss; 2 a12 - 1 is Cliff's delta (1993)
    p_value           Wilcoxon's signed-rank test of the differences (1945); those of 0 are ranked and then
                      left out (Pratt 1959, J. Am. Stat. Assoc. 54, 655). Exact where at most 13 differ. Where
                      worlds share instances, of the instances' means
    p_corrected       Holm (1979) over all pairs, landscapes and axis values of the result, which are those
                      that were planned where `pairs` says so; what is the same twice counts once
    units_to_decide   how many worlds, or instances, would tell the two apart with a chance of 80 %, were they
                      like these (`studies.analysis.comparison.power`)

Diverged runs count as the worst; an arm that never asked for a value has no numbers. Nothing is called better
unless the corrected test rejects, the interval of the difference does not hold 0, and both say so of the same
arm.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence

import numpy as np
import scipy
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.comparison.outcomes import JUDGED, Outcome, judged, planned
from studies.analysis.comparison.paired import losses, score, unit_means
from studies.analysis.comparison.paired import pairs as every_two
from studies.analysis.comparison.power import signed_ranks, units_to_decide
from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.intervals.proportions import of_share, proportion
from studies.analysis.intervals.quantiles import quantiles
from studies.analysis.shapes import ends, first_world, mapped, named, unlabelled
from studies.results.precision import precision, resolved
from studies.text.schema import LOSS
from studies.text.shapes import Data

ALPHA = 0.05
MANY = 2000  # worlds from which on a jackknife knows what resamples would take minutes to tell
FLIPPED = 13  # differences up to which all ways to sign them are counted where there are ties
WINS = "probability that A beats B"
MEDIAN = "median, its order statistics"  # where a mean is infinite
VERDICTS = ("A better", "B better", "undecided")
ABOUT_DIFFERENCE: Data = {"long_name": "A - B", "units": "decades where logarithmic, else loss"}


def compare(
    dataset: Dataset,
    at: float | None = None,
    value: str = "loss",
    alpha: float = ALPHA,
    pairs: Sequence[tuple[str, str]] | None = None,
) -> Dataset:
    """Every two optimizers compared, or those pairs that were planned.

    Args:
        dataset: a study's results.
        at: cost in evaluations; None: at the budget that all arms have, in evaluations at the nominal price
            of a gradient.
        value: the variable that holds the loss.
        alpha: of the verdicts' test.
        pairs: (A, B) of the questions that were asked before the results were seen, in the order of the
            result: Holm's correction, and the worlds that would decide, are over these alone. None: every
            two.

    Returns:
        Variables over `pair` (coordinates `a`, `b`), as `help(studies.analysis.comparison.comparison)`
        defines them: `judged`, `difference`, `win_probability`, `a12`, `p_value`, `p_corrected`; and `ratio`
        = 10^difference where `logarithmic`; `cliffs_delta`; `verdict`; `target`, where a time is judged;
        `worlds` where both have numbers; `units`, how many independent ones: instances where worlds share
        them; `units_to_decide`, how many would tell the two apart, were they like these. Differences, ratios,
        probabilities and effect sizes have an `_interval` (bound). Dims of the study but optimizer, replicate
        and checkpoint stay.

    Raises:
        ValueError: a pair is none of two optimizers of the study, or is given twice.
    """  # noqa: DOC502
    outcome, which = judged(dataset, at, value)
    if pairs is not None:
        outcome, which = planned(outcome, which, pairs)
    labels = first_world(outcome.a).coords
    logarithmic, outcome = outcome.logarithmic, outcome.unlabelled()
    away = outcome.away()
    means = unit_means(away)
    units = named(means.notnull().sum("unit"), "independent worlds or instances")
    result = _difference(away)
    result = result.assign(_wins(outcome, away.notnull(), units).data_vars)
    result = result.assign(_ratios(result, outcome.logarithmic)).assign(units=units)
    sides = (side.where(away.notnull()) for side in (outcome.a, outcome.b))
    result = result.assign(_tested(means, result["difference_interval"], *sides, alpha=alpha))
    result = result.assign(_what_is_judged(outcome, unlabelled(which), _unit_of_targets(dataset)))
    return result.assign_coords(labels).assign_coords(logarithmic=logarithmic)


def _wins(outcome: Outcome, there: DataArray, units: DataArray) -> Dataset:
    """The probabilities that A beats B, of worlds where both have numbers."""
    order = outcome.first.where(there), outcome.second.where(there)
    paired = proportion("win_probability", score(*order), trials=2, long_name=WINS)
    return paired.assign(_effect_sizes(*order, units).data_vars)


def _what_is_judged(outcome: Outcome, which: DataArray, units: str) -> dict[str, DataArray]:
    """What is compared, a text, and the target whose time it is."""
    texts = which.copy(data=np.array(JUDGED, object)[which.values])
    return {
        "judged": named(texts, "what is compared", None),
        "target": named(outcome.target, "target whose time is compared", units),
    }


def _tested(
    means: DataArray, interval: DataArray, *raw: DataArray, alpha: float
) -> dict[str, DataArray]:
    """The p values and the verdict.

    Args:
        means: of the differences of units, dim `unit`.
        interval: of the difference.
        raw: the numbers of both sides, dim `replicate`.
        alpha: of the test.
    """
    p, corrected = signed_rank(means, *raw)
    about = "of Wilcoxon's signed-rank test"
    return {
        "p_value": named(p, about),
        "p_corrected": named(corrected, f"{about}, Holm's correction"),
        "verdict": verdict(interval, corrected, signed_ranks(means), alpha),
        "units_to_decide": units_to_decide(means, corrected.attrs["tests"], alpha),
    }


def _ratios(result: Dataset, logarithmic: DataArray) -> dict[str, DataArray]:
    """10^difference with its interval, where differences are of common logarithms."""
    return {
        f"ratio{end}": named(10.0 ** part.where(logarithmic), "ratio A / B of the loss")
        for end, part in (("", result["difference"]), ("_interval", result["difference_interval"]))
    }


def _unit_of_targets(dataset: Dataset) -> str:
    return dataset["target_loss"].attrs.get("units", LOSS) if "target_loss" in dataset.coords else LOSS


def win_probability(dataset: Dataset, value: str = "loss") -> Dataset:
    """The probability that A beats B at each checkpoint.

    `win_probability` (.., pair, checkpoint), `_interval` and `worlds`.
    """
    a, b = every_two(resolved(losses(dataset, value), precision(dataset)))
    return proportion("win_probability", score(a, b), trials=2, long_name=WINS)


def verdict(interval: DataArray, p: DataArray, side: DataArray, alpha: float = ALPHA) -> DataArray:
    """What may be said of A - B: where the interval does not hold 0 and the test rejects on the same side.

    Args:
        interval: of A - B, dim `bound` and others.
        p: of the test, the others.
        side: for whom the test speaks, < 0 for A, the others (see `signed_ranks`).
        alpha: of the test.

    Returns:
        Texts of `VERDICTS`.
    """
    low, high = ends(interval)
    sure = p < alpha
    a_better = sure & (high < 0) & (side < 0)
    b_better = sure & (low > 0) & (side > 0)
    text = xr.where(a_better, VERDICTS[0], xr.where(b_better, VERDICTS[1], VERDICTS[2]))
    return named(text, f"which has the lower loss, at {alpha:g}", None)


def signed_rank(means: DataArray, *raw: DataArray) -> tuple[DataArray, DataArray]:
    """Two-sided p values over the dim `unit`, and Holm's.

    Cells with the same `raw` numbers on one landscape are one test; `tests` of the second are how many.
    """
    cells = means.isel(unit=0, drop=True)
    front = [dim for dim in ("landscape", "pair") if dim in cells.dims]
    cells = cells.transpose(*front, ...)
    numbers = [part.transpose(*cells.dims, "replicate").values for part in raw]
    same = _same_tests(np.concatenate(numbers, -1), len(front))
    rows = means.transpose(*cells.dims, "unit").values
    p = wilcoxons(np.array([rows[places[0]] for places in same]))
    corrected = _spread(holm(p), same, cells)
    return _spread(p, same, cells), corrected.assign_attrs(tests=int((~np.isnan(p)).sum()))


def _same_tests(numbers: np.ndarray, apart: int) -> list[list[tuple[int, ...]]]:
    """Cells of (.., n) numbers in lists of those that are alike, the first `apart` dims the same."""
    tests: dict[tuple, list[tuple[int, ...]]] = {}
    for place in np.ndindex(numbers.shape[:-1]):
        tests.setdefault((place[:apart], numbers[place].tobytes()), []).append(place)
    return list(tests.values())


def _spread(p: np.ndarray, places: Iterable[list[tuple[int, ...]]], cells: DataArray) -> DataArray:
    """The p value of every test (n,) in all the cells that it is of."""
    values = np.full(cells.shape, np.nan)
    for single, same in zip(p, places, strict=True):
        for place in same:
            values[place] = single
    return cells.copy(data=values)


def wilcoxons(rows: np.ndarray) -> np.ndarray:
    """`wilcoxon` of every row, those without NaN, zeros and ties all at once."""
    plain = _plain(rows)
    p = np.full(len(rows), np.nan)
    p[~plain] = [wilcoxon(row) for row in rows[~plain]]
    if plain.any():
        p[plain] = scipy.stats.wilcoxon(rows[plain], axis=-1).pvalue
    return p


def _plain(rows: np.ndarray) -> np.ndarray:
    """Which rows are long, and have neither NaN nor zeros nor ties."""
    size = np.sort(abs(rows), -1)
    untied = (size[:, 1:] != size[:, :-1]).all(-1)
    whole = (~np.isnan(rows) & (rows != 0)).all(-1)
    return whole & untied & (rows.shape[-1] > FLIPPED)


def wilcoxon(differences: np.ndarray) -> float:
    """Two-sided p of a row of differences; NaN are left out; 1 where all are 0, NaN where there are none."""
    given: np.ndarray = differences[~np.isnan(differences)]
    if (given == 0).all():
        return 1.0 if given.size else np.nan
    if (given != 0).sum() <= FLIPPED:
        return _flipped(scipy.stats.rankdata(abs(given)), given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # few: then it is exact
        return float(scipy.stats.wilcoxon(given, zero_method="pratt").pvalue)


def _flipped(rank: np.ndarray, given: np.ndarray) -> float:
    """The exact p: of all ways to sign the ranks of those that are not 0."""
    null = np.zeros(1)
    for size in rank[given != 0]:
        null = np.concatenate([null, null + size])
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
    result = np.empty(p.shape)
    np.put_along_axis(result, order, stepped, -1)
    return result


def superiority(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
    """P(A < B) + P(A = B) / 2 over all pairs along an axis; NaN are left out."""
    return _counted(*_places(*(np.moveaxis(side, axis, -1) for side in (a, b))))


def _places(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers from 0 on that compare, along the last axis, as those of A and B do; NaN stay."""
    both = np.concatenate([a, b], -1)
    places = scipy.stats.rankdata(both, "dense", axis=-1, nan_policy="omit") - 1
    return places[..., : a.shape[-1]], places[..., a.shape[-1] :]


def _counted(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
    """`superiority` of whole numbers from 0 on, without a sort: how many A lie below each B."""
    sides = [np.moveaxis(side, axis, -1) for side in (a, b)]
    most = int(max(np.nanmax(side, initial=0) for side in sides))
    of_a, of_b = (_counts(side, most + 1) for side in sides)
    below = of_a.cumsum(-1) - of_a / 2
    return (below * of_b).sum(-1) / (of_a.sum(-1) * of_b.sum(-1))


def _counts(places: np.ndarray, count: int) -> np.ndarray:
    """How often each number below a count stands along the last axis."""
    rows = np.where(np.isnan(places), count, places).astype(np.intp)  # NaN come last, and are left out
    starts = (count + 1) * np.arange(rows[..., 0].size).reshape(*rows.shape[:-1], 1)
    counted = np.bincount((rows + starts).reshape(-1), minlength=(count + 1) * rows[..., 0].size)
    return counted.reshape(*rows.shape[:-1], count + 1)[..., :-1]


def _difference(away: DataArray) -> Dataset:
    """The mean, or the median where it is infinite, with intervals."""
    broken = (abs(away) == np.inf).any("replicate")
    many = away.sizes["replicate"] >= MANY
    result = estimate("difference", np.nanmean, [away.where(~broken)], smooth=many, **ABOUT_DIFFERENCE)
    how = xr.where(broken, MEDIAN, "mean, " + result["difference_method"].astype(object))
    result["difference_method"] = how.astype(str)
    return _with_medians(result, away, broken) if bool(broken.any()) else result


def _with_medians(result: Dataset, away: DataArray, broken: DataArray) -> Dataset:
    """The differences with the median and its interval where the mean is `broken`."""
    median = quantiles("difference", away, (0.5,), **ABOUT_DIFFERENCE).isel(quantile=0, drop=True)
    for name in ("difference", "difference_interval"):
        result[name] = _replaced(result[name], broken, median[name])
    return result


def _replaced(part: DataArray, where: DataArray, other: DataArray) -> DataArray:
    """The array with another's numbers at some places; dims and attributes stay."""
    both = xr.where(where, other, part, keep_attrs=False)
    return both.transpose(*part.dims).assign_attrs(part.attrs)


def _effect_sizes(a: DataArray, b: DataArray, units: DataArray) -> Dataset:
    """A12 and Cliff's delta.

    Where one arm wins all, which resampling takes for certain, the interval is that of so many wins of
    `units`.
    """
    places = mapped(_places, a, b, over=[["replicate"]] * 2, into=[["replicate"]] * 2)
    result = estimate(
        "a12",
        _counted,
        places,
        long_name="probability of superiority A12",
        smooth=a.sizes["replicate"] >= MANY,
    )
    a12 = result["a12"]
    wins_all = (a12 == 0) | (a12 == 1)
    inside = result["a12_interval"].clip(0, 1, keep_attrs=True)
    interval = _replaced(inside, wins_all, of_share(a12, units.astype(float)))
    return result.assign(
        a12_interval=interval,
        cliffs_delta=named(2 * a12 - 1, "Cliff's delta"),
        cliffs_delta_interval=named(2 * interval - 1, "95% interval of Cliff's delta"),
    )
