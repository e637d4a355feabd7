"""The smallest differences that so many worlds could have shown, and the worlds that show what was seen.

With a chance of 80 % and a two-sided test at level 0.05.

n is the number of worlds, or of instances where worlds share them. Where m tests are corrected by Holm, a
difference has to stand at level / m to be the first that is rejected.

    paired_sd          of a difference in units of its standard deviation over worlds: paired t test
                       (noncentral t), over the root of 3 / pi, the efficiency of Wilcoxon's signed-rank test
                       where differences are normal (Lehmann 1975)
    win_probability    of P(A beats B) in the same world, above 1/2: the exact sign test
    a12                of the probability of superiority, above 1/2: Noether (1987, J. Am. Stat. Assoc. 82,
                       645), equation 4, (z_{1 - level/2} + z_power)^2 = 12 c (1 - c) N (p - 1/2)^2, here
                       N = 2 n and c = 1/2
    units_to_decide    n at which differences like those seen are told from 0: by the signed-rank test,
                       (z_{1 - level/2} + z_power)^2 = 3 n (p - 1/2)^2 with p the chance that the mean of two
                       of them is above 0 (the same paper, for Wilcoxon's test of one sample); and by the
                       interval of their mean, (z_{0.975} + z_power)^2 = n (mean / sd)^2
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy import optimize, stats
from statsmodels.stats.power import TTestPower
from xarray import DataArray, Dataset

from studies.analysis.shapes import named, transformed

LEVEL = 0.05
POWER = 0.8
EFFICIENCY = 3 / np.pi


def detectable_difference(
    units: DataArray, tests: int = 1, level: float = LEVEL, power: float = POWER
) -> Dataset:
    """The smallest differences that so many worlds could have shown.

    Args:
        units: how many worlds, or instances where worlds share them, such as `units` of
            `studies.analysis.comparison.comparison.compare`.
        tests: how many tests Holm's correction is over.
        level: of the tests.
        power: the chance that is asked for.

    Returns:
        `paired_sd`, `win_probability` and `a12`, dims of `units`. NaN where no difference whatever could have
        been shown.
    """
    numbers, place = np.unique(units.values, return_inverse=True)
    result = Dataset()
    for name, smallest_of, what in (
        ("paired_sd", paired_sd, "difference that could have been shown, in standard deviations"),
        ("win_probability", win_probability, "probability to win that could have been shown"),
        ("a12", a12, "A12 that could have been shown"),
    ):
        values = np.array([smallest_of(int(n), level / tests, power) for n in numbers], float)
        result[name] = named(units.copy(data=values[place].reshape(units.shape)), f"smallest {what}")
    return result.assign_attrs(tests=tests, level=level, power=power)


def units_to_decide(
    means: DataArray, tests: int = 1, level: float = LEVEL, power: float = POWER
) -> DataArray:
    """How many worlds, or instances where worlds share them, would tell two arms apart, were they like these.

    An extrapolation: from few worlds it is a rough one.

    Args:
        means: A - B of each unit, dim `unit`, NaN where it has none; inf where a run diverged.
        tests: how many tests Holm's correction is over; none are one.
        level: of the tests.
        power: the chance that is asked for.

    Returns:
        The larger of what the test and what the interval need, a whole number, the other dims. inf where the
        two speak for different arms or for none; NaN where fewer than two units are known.
    """
    known = means.notnull()
    count = known.sum("unit")
    finite = means.where(abs(means) < np.inf).where(known)
    wins = xr.apply_ufunc(np.sign, means).sum("unit")
    above = (signed_ranks(means) - wins) / (count * (count - 1)).where(count > 1)  # p - 1/2
    shift = finite.mean("unit") / finite.std("unit", ddof=1)
    broken = (abs(means) == np.inf).any("unit")  # then the median is judged, as by the sign test
    squared = _chance(level / max(1, tests), power) ** 2
    by_test = squared / (3 * above**2)
    narrow = _chance(LEVEL, power) ** 2
    by_interval = xr.where(broken, narrow / (wins / count) ** 2, narrow / shift**2)
    lean = xr.where(broken, wins, shift)
    agree = np.sign(above) * np.sign(lean) > 0
    larger = np.ceil(xr.where(by_interval > by_test, by_interval, by_test))
    return named(larger.where(agree, np.inf).where(count > 1), "units that would decide")


def _chance(level: float, power: float) -> float:
    """How far from 0, in standard errors, a two-sided test at this level sees with this power."""
    return float(stats.norm.ppf(1 - level / 2) + stats.norm.ppf(power))


def signed_ranks(means: DataArray) -> DataArray:
    """The sum of the signed ranks over the dim `unit`: below 0 where Wilcoxon's test speaks for A.

    A mean with a few large differences need not be on the same side.
    """
    ranks = transformed(stats.rankdata, abs(means), "unit", axis=-1, nan_policy="omit")
    return (ranks * np.sign(means)).sum("unit")


def paired_sd(n: int, level: float = LEVEL, power: float = POWER) -> float:
    """In units of the standard deviation of the differences."""
    if smallest_p(n) > level:
        return np.nan
    return float(TTestPower().solve_power(nobs=n, alpha=level, power=power)) / EFFICIENCY**0.5


def smallest_p(n: int) -> float:
    """The smallest two-sided p that a signed-rank or sign test of n differences can give."""
    return 2.0 ** (1 - n)


def win_probability(n: int, level: float = LEVEL, power: float = POWER) -> float:
    """The probability p at which at least k of n worlds are won with the chance `power`.

    k is the critical number of the two-sided sign test.
    """
    wins = np.arange(n + 1)
    critical = wins[2 * stats.binom.sf(wins - 1, n, 0.5) <= level]
    if not critical.size:
        return np.nan
    return float(optimize.brentq(lambda p: stats.binom.sf(critical[0] - 1, n, p) - power, 0.5, 1.0))


def a12(n: int, level: float = LEVEL, power: float = POWER) -> float:
    """The A12 of two samples of n each; NaN where it would be above 1."""
    if n < 2:
        return np.nan
    result = 0.5 + (stats.norm.ppf(1 - level / 2) + stats.norm.ppf(power)) / np.sqrt(6 * n)
    return float(result) if result <= 1 else np.nan
