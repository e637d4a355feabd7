"""How far the worlds' values are from a density: `distance(theta, exp(-theta**2 / (2 * temperature)))`.

The total variation, half the sum over bins of | share of worlds - mass of the density |, over `bins` bins of
equal width from the least value of any world to the largest, and all that is outside of them. The density is
a formula of the quantity's own name, or `x`, and of the numbers of each arm; it need not be normalised, and
is integrated over three times that range.

So few worlds are never at distance 0 from the density that they are of: `distance_floor(..)` is what is
expected of as many draws from the density itself, half the sum of the mean absolute deviations of binomials,
E |k - n p| = 2 m (n over m) p^m (1 - p)^(n - m + 1), m = floor(n p) + 1 (de Moivre 1730; Diaconis and Zabell
1991, Statistical Science 6, 284).
"""

from __future__ import annotations

import ast

import numpy as np
import xarray as xr
from scipy import special
from xarray import DataArray

from studies.analysis.quantities.question import Call, Question
from studies.analysis.quantities.values import Sample, Statistic, Summary, Value, of_worlds

BINS = 20
FINE = 32  # points at which the density is evaluated in each bin
POINT = "point"
OTHER_NAME = "x"


def distance(question: Question, call: Call) -> Value:
    """The total variation between the worlds' values and a density."""
    values, edges, mass = _compared(question, call)
    bins = len(edges) - 1
    place = np.floor((values - edges[0]) / (edges[-1] - edges[0]) * bins).clip(0, bins - 1)
    start, gathered = len(question.gathered.parts), question.gathered
    gathered.parts.append(place)
    masses = [gathered.statistic(mass.isel({POINT: i}, drop=True)) for i in range(bins + 1)]
    return Summary(_variation(start, masses))


def floor(question: Question, call: Call) -> Value:
    """The distance that is expected of as many draws from the density itself."""
    values, _, mass = _compared(question, call)
    worlds = values.notnull().sum("replicate")
    return (absolute_deviation(worlds, mass) / worlds).sum(POINT) / 2


def absolute_deviation(n: DataArray, p: DataArray) -> DataArray:
    """E |k - n p| of k ~ binomial(n, p)."""
    m = np.floor(n * p) + 1
    choose = special.gammaln(n + 1) - special.gammaln(m + 1) - special.gammaln(n - m + 1)
    logarithm = choose + special.xlogy(m, p) + special.xlogy(n - m + 1, 1 - p)
    return (2 * m * np.exp(logarithm)).where((p > 0) & (p < 1), 0.0)


def _variation(part: int, masses: list[Statistic]) -> Statistic:
    """The total variation of the bins (.., R) of worlds; the last of the masses is outside of all bins."""

    def of(sample: Sample) -> np.ndarray:
        bins = sample.worlds[part]
        known = ~np.isnan(bins)
        count = known.sum(-1)
        away = masses[-1](sample)
        for number, mass in enumerate(masses[:-1]):
            away = away + abs((bins == number).sum(-1) / count - mass(sample))
        return away / 2

    return of


def _compared(question: Question, call: Call) -> tuple[DataArray, np.ndarray, DataArray]:
    """Values of worlds, edges of bins, and the density's mass in each bin and, last, outside (dim point)."""
    if len(call.arguments) != 2 or not set(call.given) <= {"bins"}:
        question.refuse(f"expected {call.name}(x, DENSITY) or {call.name}(x, DENSITY, bins={BINS})")
    values = question.value(call.arguments[0])
    if not of_worlds(values):
        question.refuse(f"{call.name}: expected a number of each world")
    bins = _bins(question, call)
    edges = _edges(question, values, bins)  # type: ignore[arg-type]
    return values, edges, _mass(question, call.arguments, edges)  # type: ignore[return-value,arg-type]


def _bins(question: Question, call: Call) -> int:
    bins = question.number("bins", [call.given["bins"]]) if call.given else BINS
    if bins not in range(2, 1001):
        question.refuse(f"bins: expected a whole number from 2 to 1000, got {bins:g}")
    return int(bins)


def _edges(question: Question, values: DataArray, bins: int) -> np.ndarray:
    numbers = values.values[np.isfinite(values.values)]
    if not numbers.size or numbers.min() == numbers.max():
        question.refuse("distance: expected values that differ between worlds")
    return np.linspace(numbers.min(), numbers.max(), bins + 1)


def _mass(question: Question, arguments: list[ast.expr], edges: np.ndarray) -> DataArray:
    """Mass of the density in each bin, and last outside of all."""
    span = edges[-1] - edges[0]
    width = span / (len(edges) - 1) / FINE
    count = 3 * (len(edges) - 1) * FINE
    grid = DataArray(edges[0] - span + width * (np.arange(count) + 0.5), dims=POINT)
    bound = {ast.unparse(arguments[0]): grid, OTHER_NAME: grid}
    density = question.of(bound=bound).value(arguments[1])
    if not isinstance(density, float | DataArray) or of_worlds(density):
        question.refuse("distance: expected a density of x and of the numbers of each arm")
    density = density + 0.0 * grid
    if not bool((np.isfinite(density) & (density >= 0)).all()):
        question.refuse("distance: expected a density that is finite and >= 0")
    return _in_bins(density / density.sum(POINT))


def _in_bins(mass: DataArray) -> DataArray:
    """Mass of points gathered into bins; the outer thirds, outside of all bins, come last."""
    each = mass.coarsen({POINT: FINE}).sum()
    bins = each.sizes[POINT] // 3
    inside = each.isel({POINT: slice(bins, 2 * bins)})
    outside = (1 - inside.sum(POINT)).clip(0).expand_dims(POINT, -1)
    return xr.concat([inside, outside], POINT, coords="minimal", compat="override")


WORDS = {"distance": distance, "distance_floor": floor}
