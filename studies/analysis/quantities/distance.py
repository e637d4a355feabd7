"""How far the worlds' values are from a density: `distance(theta, exp(-theta**2 / (2 * temperature)))`.

The total variation, half the sum over bins of | share of worlds - mass of the density |, over `bins` bins of
equal width from the least value of the arm's worlds to the largest, and all that is outside of them. Worlds
that are infinite are in none of the bins, and where no density is. The density is a formula of the quantity's
own name, or `x`, and of the numbers of each arm; it need not be normalised, and is integrated over three
times that range. Each arm is judged by itself: one that ran away leaves the bins of the others as they are.

So few worlds are never at distance 0 from the density that they are of: `distance_floor(..)` is what is
expected of n draws from the density itself, whose least and largest are those of the worlds. These two lie in
the outermost bins, the others are n - 2 draws from what the density is between them, of which k in a bin of
mass q are binomial: half the sum of E |k + 1 - n p| / n in the outermost bins, of E |k - n p| / n in the
others, and of the mass outside.
"""

from __future__ import annotations

import ast

import numpy as np
import scipy
import xarray as xr
from xarray import DataArray

from studies.analysis.quantities.question import Call, Question
from studies.analysis.quantities.values import Sample, Statistic, Summary, Value, of_worlds

BINS = 20
FINE = 32  # points at which the density is evaluated in each bin
POINT = "point"
OTHER_NAME = "x"


def distance(question: Question, call: Call) -> Value:
    """The total variation between the worlds' values and a density."""
    values, bins, mass = _compared(question, call)
    low, high = spans(values)
    place = ((values - low) / (high - low) * bins).clip(0, bins - 1) // 1
    lost = abs(values) == np.inf
    start, gathered = len(question.gathered.parts), question.gathered
    gathered.parts.append(place.where(~lost, bins))
    whole = mass.fillna(0.0)  # of an arm without a finite world, all is outside of bins
    masses = [gathered.statistic(whole.isel({POINT: i}, drop=True)) for i in range(bins)]
    outside = gathered.statistic(1 - whole.isel({POINT: slice(bins)}).sum(POINT))
    return Summary(_variation(start, [*masses, outside]))


def floor(question: Question, call: Call) -> Value:
    """The distance that is expected of as many draws from the density itself."""
    values, bins, mass = _compared(question, call)
    worlds = (abs(values) < np.inf).sum("replicate")
    inside = mass.isel({POINT: slice(bins)})
    whole = inside.sum(POINT, skipna=False)
    outermost = DataArray(np.isin(np.arange(bins), [0, bins - 1]).astype(float), dims=POINT)
    away = deviation(worlds - 2, inside / whole, worlds * inside - outermost) / worlds
    return (away.sum(POINT, skipna=False) + 1 - whole) / 2


def deviation(n: DataArray, p: DataArray, c: DataArray) -> DataArray:
    """E |k - c| of k ~ binomial(n, p): n p - c + 2 (c P(k <= c) - n p P(k <= c - 1 of n - 1))."""

    def mean(n: np.ndarray, p: np.ndarray, c: np.ndarray) -> np.ndarray:
        below = c * scipy.stats.binom.cdf(c, n, p) - n * p * scipy.stats.binom.cdf(
            np.floor(c) - 1, n - 1, p
        )
        return np.where(n > 0, n * p - c + 2 * below, abs(c))

    return xr.apply_ufunc(mean, n, p, c)


def spans(values: DataArray) -> tuple[DataArray, DataArray]:
    """The least and the largest finite number of each arm's worlds; NaN where they do not differ."""
    finite = values.where(np.isfinite(values))
    low, high = finite.min("replicate"), finite.max("replicate")
    return low.where(low < high), high.where(low < high)


def _variation(part: int, masses: list[Statistic]) -> Statistic:
    """The total variation of the bins (.., R) of worlds, the infinite ones in the bin behind all others.

    The last of the masses is outside of all bins.
    """

    def of(sample: Sample) -> np.ndarray:
        bins = sample.worlds[part]
        known = ~np.isnan(bins)
        count = known.sum(-1)
        away = masses[-1](sample) + (bins == len(masses) - 1).sum(-1) / count
        for number, mass in enumerate(masses[:-1]):
            away = away + abs((bins == number).sum(-1) / count - mass(sample))
        return away / 2

    return of


def _compared(question: Question, call: Call) -> tuple[DataArray, int, DataArray]:
    """Values of worlds, how many bins, and the density's mass in each bin and, last, outside (dim point)."""
    if len(call.arguments) != 2 or not set(call.given) <= {"bins"}:
        question.refuse(f"expected {call.name}(x, DENSITY) or {call.name}(x, DENSITY, bins={BINS})")
    values = question.value(call.arguments[0])
    if not of_worlds(values):
        question.refuse(f"{call.name}: expected a number of each world")
    assert isinstance(values, DataArray)  # noqa: S101 - for the type checker
    bins = _bins(question, call)
    if not bool(spans(values)[0].notnull().any() | np.isinf(values).any()):
        question.refuse("distance: expected values that differ between worlds")
    mass = _mass(question, call, values, bins)
    unknown = spans(values)[0].notnull() & mass.isnull().any(POINT)
    return values.where(~unknown), bins, mass


def _bins(question: Question, call: Call) -> int:
    bins = question.number("bins", [call.given["bins"]]) if call.given else BINS
    if bins not in range(2, 1001):
        question.refuse(f"bins: expected a whole number from 2 to 1000, got {bins:g}")
    return int(bins)


def _mass(question: Question, call: Call, values: DataArray, bins: int) -> DataArray:
    """Mass of the density in each bin, and last outside of all; NaN of an arm without either."""
    name, formula = call.arguments
    grid = around(values, 3 * bins * FINE)
    bound = {ast.unparse(name): grid, OTHER_NAME: grid}
    density = question.of(bound=bound).value(formula)
    if not isinstance(density, float | DataArray) or of_worlds(density):
        question.refuse("distance: expected a density of x and of the numbers of each arm")
    density = density + 0.0 * grid
    finite = (density < np.inf).all(POINT)
    if bool((density < 0).any() | (grid.notnull().any() & ~finite.any())):
        question.refuse("distance: expected a density that is finite and >= 0")
    total = density.where(finite).sum(POINT, skipna=False)
    return _in_bins(xr.where(total == 0, 0.0, density / total))


def around(values: DataArray, count: int) -> DataArray:
    """The middles of so many even steps over three times the range of each arm's worlds (.., point)."""
    low, high = spans(values)
    steps = DataArray((np.arange(count) + 0.5) / count, dims=POINT)
    return low - (high - low) + 3 * (high - low) * steps


def _in_bins(mass: DataArray) -> DataArray:
    """Mass of points gathered into bins; the outer thirds, outside of all bins, come last."""
    each = mass.coarsen({POINT: FINE}).sum().where(mass.notnull().all(POINT))
    bins = each.sizes[POINT] // 3
    inside = each.isel({POINT: slice(bins, 2 * bins)})
    outside = (1 - inside.sum(POINT, skipna=False)).clip(0).expand_dims(POINT, -1)
    return xr.concat([inside, outside], POINT, coords="minimal", compat="override")


WORDS = {"distance": distance, "distance_floor": floor}
