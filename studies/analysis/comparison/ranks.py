"""Average ranks of several optimizers over many problems, and which of them differ.

After Demsar (2006, J. Machine Learning Research 7, 1). With N blocks (landscapes, or worlds), k optimizers
and R_j the average rank of optimizer j, 1 the best, ties sharing their ranks:

    Friedman          chi2_F = 12 N / (k (k + 1)) (sum of R_j^2 - k (k + 1)^2 / 4),
                      divided by 1 - sum of (t^3 - t) / (N k (k^2 - 1)) for ties of t
    Iman, Davenport   F_F = (N - 1) chi2_F / (N (k - 1) - chi2_F), F with k - 1 and (k - 1)(N - 1) degrees of
                      freedom (1980)
    Nemenyi           two differ where their average ranks do by CD = q sqrt(k (k + 1) / 6 N) or more, q the
                      studentized range's quantile over the root of 2 (1963), and F_F rejects that all are
                      alike

Alike means exchangeable in every block. Of optimizers of which one merely spreads eight times as wide about
the same middle, two differ in 3 to 6 of 100 studies at the level 0.05 (3 to 10 optimizers, 3 to 64 blocks).
"""

from __future__ import annotations

import itertools

import numpy as np
import scipy
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.comparison.paired import distinct, losses, same_worlds, unit_means
from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.shapes import named, rest, transformed
from studies.results.precision import precision, resolved

ALPHA = 0.05


def ranks(
    dataset: Dataset,
    over: str = "landscape",
    at: float | None = None,
    value: str = "loss",
    alpha: float = ALPHA,
) -> Dataset:
    """Average ranks of a study's optimizers.

    Args:
        dataset: a study's results.
        over: "landscape": the blocks are landscapes, with each value of the swept axes, by the median loss
            over worlds. "replicate": worlds, or instances where worlds share them, of each landscape and axis
            value apart.
        at: cost in evaluations; None: at the budget that all arms have.
        value: the variable that holds the loss.
        alpha: of the tests.

    Returns:
        See `friedman`. Optimizers without any numbers are left out, then blocks in which any has none; blocks
        with the same numbers on one landscape are one.

    Raises:
        ValueError: `over` is neither, or worlds are the blocks and optimizers ran in other ones.
    """
    if over not in ("landscape", "replicate"):
        raise ValueError(f"over: expected landscape or replicate, got {over!r}")
    loss = resolved(losses(dataset, value, np.inf if at is None else at).load(), precision(dataset))
    loss = loss.isel(optimizer=np.flatnonzero(loss.notnull().any(rest(loss, "optimizer"))))
    return friedman(_by_world(loss) if over == "replicate" else _by_landscape(loss), alpha)


def _by_world(loss: DataArray) -> DataArray:
    """Worlds, or instances, as blocks; without those that any optimizer lacks."""
    same_worlds(loss)
    return unit_means(loss.where(loss.notnull().all("optimizer"))).rename(unit="block")


def _by_landscape(loss: DataArray) -> DataArray:
    """Landscapes and values of the swept axes as blocks, by the median over worlds."""
    dims = rest(loss, "optimizer", "replicate")
    middle = loss.median("replicate").where(distinct(loss, dims)).transpose(*dims, "optimizer")
    *blocks, optimizers = middle.shape
    table = middle.values.reshape(int(np.prod(blocks)), optimizers)
    return DataArray(table, {"optimizer": loss["optimizer"].values}, ("block", "optimizer"))


def friedman(table: DataArray, alpha: float = ALPHA) -> Dataset:
    """Average ranks and tests of a table of losses.

    Args:
        table: dims `block` and `optimizer`, the smaller the better; other dims stay.
        alpha: of the tests.

    Returns:
        `average_rank` (optimizer) and `average_rank_interval` (bound) from resampling blocks; `statistic` and
        `p_friedman`; `f` and `p_value` of Iman and Davenport; `critical_difference`; `differ` (optimizer,
        other); `blocks`.
    """
    known = table.notnull().all("optimizer")
    place = transformed(
        scipy.stats.rankdata, table.where(known), "optimizer", axis=-1, nan_policy="propagate"
    )
    result = estimate(
        "average_rank",
        np.nanmean,
        [place.rename(block="replicate")],
        long_name="average rank, 1 is best",
    )
    n = known.sum("block")
    k = table.sizes["optimizer"]
    interval = result["average_rank_interval"].clip(1.0, k, keep_attrs=True)
    result = result.assign(average_rank_interval=interval)
    result = result.assign(_tests(place, n))
    cd = critical_difference(k, n.where(n > 0), alpha)
    result["critical_difference"] = named(cd, f"Nemenyi's critical difference at {alpha:g}")
    differ = (_distances(result["average_rank"]) >= cd) & (result["p_value"] < alpha)
    result["differ"] = named(differ, f"whether average ranks differ at {alpha:g}", None)
    return result.assign(blocks=named(n, "blocks with numbers of all"))


def _distances(rank: DataArray) -> DataArray:
    """Distances of every two: dims optimizer and other."""
    return abs(rank - rank.rename(optimizer="other"))


def _tests(place: DataArray, n: DataArray) -> dict[str, DataArray]:
    """Friedman's test, and that of Iman and Davenport, of ranks over n blocks."""
    k = place.sizes["optimizer"]
    with np.errstate(invalid="ignore", divide="ignore"):
        chi2 = friedman_chi2(place.mean("block"), n) / _untied(place, n)
        f = iman_davenport(chi2, n, k)
        p_friedman = xr.apply_ufunc(scipy.stats.chi2.sf, chi2, k - 1)
        p = xr.apply_ufunc(scipy.stats.f.sf, f, k - 1, (k - 1) * (n - 1)).where(n > 1)
    return {
        "statistic": named(chi2, "Friedman's chi^2"),
        "p_friedman": named(p_friedman, "of Friedman's test"),
        "f": named(f, "F of Iman and Davenport"),
        "p_value": named(p, "of all being alike, Iman and Davenport"),
    }


def critical_difference(k: int, n: DataArray, alpha: float = ALPHA) -> DataArray:
    """Nemenyi's, of k optimizers over n blocks."""
    q = scipy.stats.studentized_range.ppf(1 - alpha, k, np.inf) / np.sqrt(2) if k > 1 else np.nan
    return q * (k * (k + 1) / (6 * n)) ** 0.5


def groups(rank: np.ndarray, differ: np.ndarray) -> list[list[int]]:
    """The largest runs of neighbours in rank of which no two differ, two or more in each.

    The bars of a critical-difference diagram.
    """
    order = [int(i) for i in np.argsort(rank, kind="stable") if not np.isnan(rank[i])]
    spans = [order[i : j + 1] for i, j in itertools.combinations(range(len(order)), 2)]
    runs = [span for span in spans if not differ[np.ix_(span, span)].any()]
    return [run for run in runs if not any(set(run) < set(other) for other in runs)]


def friedman_chi2(average: DataArray, n: DataArray | int) -> DataArray:
    """Friedman's statistic of average ranks over n blocks without ties (Demsar 2006, section 3.2.2)."""
    k = average.sizes["optimizer"]
    return 12 * n / (k * (k + 1)) * ((average**2).sum("optimizer", skipna=False) - k * (k + 1) ** 2 / 4)


def iman_davenport(chi2: DataArray, n: DataArray | int, k: int) -> DataArray:
    """F of Friedman's statistic; inf where all blocks rank alike."""
    rest = n * (k - 1) - chi2
    return (n - 1) * chi2 / rest.where(rest > 1e-9, 0.0)


def _untied(place: DataArray, n: DataArray) -> DataArray:
    """What ties leave of the ranks' variance.

    1 - sum of (t^3 - t) / (n k (k^2 - 1)), as a group of t takes (t^3 - t) / 12 off their squares.
    """
    k = place.sizes["optimizer"]
    lost = (k * (k + 1) * (2 * k + 1) / 6 - (place**2).sum("optimizer", skipna=False)).sum("block")
    return 1 - 12 * lost / (n * k * (k**2 - 1))
