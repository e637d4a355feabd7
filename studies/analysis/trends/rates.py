"""Convergence rates: which law a loss falls by, how fast, and over which range that was fitted.

With x steps or cost and L the gap to the optimum, or the loss,

    linear        L = a exp(-b x)        ln L against x: a factor exp(-b) for each unit of x (steps, mostly);
                                         "geometric"
    sublinear     L = a x^-b             ln L against ln x: the exponent b
    exponential   L = f + a exp(-b x)    as linear, on top of a floor f >= 0 that noise keeps up; nonlinear
                                         least squares in ln L

Each world is fitted apart; a rate is the median over worlds of theirs. Laws are compared by the corrected
Akaike criterion of the residuals of ln L (Hurvich and Tsai 1989), AICc = n ln(RSS / n) + 2 k n / (n - k - 1),
k parameters and the variance: smaller is better. Residuals along one run are not independent, so that it
ranks laws; it is no test. That the best of the three is a good one, R^2 and the figure must tell.

The range: x > 0 and L > 0, from a tenth of the last x, by which the start is over, to the last x at which L
is above `LEAST` of the first loss, where rounding has not yet taken over; or as given.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy
import xarray as xr
from scipy import special
from xarray import DataArray, Dataset

from studies.analysis.comparison.paired import losses
from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.price.pricing import cost_at
from studies.analysis.shapes import BOUNDS, count, mapped, named, texts_at
from studies.results.prices import prices

LAWS = ("linear", "sublinear", "exponential")
PARAMETERS = {"linear": 2, "sublinear": 2, "exponential": 3}
SMALLEST = "share of worlds in which the law has the smallest AICc"
BEGIN = 0.1  # of the last x, from where on is fitted
LEAST = 1e-14  # of the first loss, below which it is rounding
# the fewest different x that are fitted: AICc of three parameters and a variance needs one more than them
POINTS = 5
PERFECT = 1e-12  # mean squared residual of ln L that rounding leaves of a law that holds exactly


def rates(
    dataset: Dataset,
    against: str = "steps",
    span: tuple[float, float] | None = None,
    value: str = "loss",
) -> Dataset:
    """Convergence law and rate of every world.

    Args:
        dataset: a study's results.
        against: steps or cost (at the nominal price).
        span: least and largest x that are fitted; None: the range above.
        value: the variable that falls.

    Returns:
        For each law (dim `law`): `rate` (b, in 1 / x, or 1), `r_squared` of ln L and `aicc`, medians over
        worlds; `preferred`: the share of worlds in which the law has the smallest AICc; the first two and the
        last with `_interval` (bound). `law_found`: the law preferred in most worlds, a text. `span` (bound):
        medians of the least and largest x that were fitted; `points`, how many; `worlds`. Dims of the study
        but replicate and checkpoint stay. Worlds with fewer than 5 different x in the range, or that
        diverged, have no fit.

    Raises:
        ValueError: `against` is neither, or the span is empty.
    """
    if against not in ("steps", "cost"):
        raise ValueError(f"rates: expected against to be steps or cost, got {against!r}")
    if span is not None and not span[0] < span[1]:
        raise ValueError(f"rates: expected a span (least, largest) of {against}, got {span}")
    x = dataset["steps"].astype(float) if against == "steps" else _cost(dataset)
    rate, r_squared, aicc, span_and_points = _fitted(x, losses(dataset, value), span)
    best = (aicc == aicc.min("law")).where(aicc.notnull()).astype(float)
    about = "rate of convergence; of the sublinear law the exponent"
    parts = [
        estimate("rate", median, [rate], long_name=about, units=f"1 per {against}"),
        estimate("r_squared", median, [r_squared], long_name="R^2 of the logarithm of the loss"),
        estimate("preferred", np.nanmean, [best], long_name=SMALLEST),
    ]
    result = xr.merge(parts, compat="override", join="exact").assign(
        _range_fitted(span_and_points, against)
    )
    result["preferred_interval"] = result["preferred_interval"].clip(0.0, 1.0, keep_attrs=True)
    result["aicc"] = named(aicc.median("replicate"), "median of AICc; smaller is better")
    result["law_found"] = _preferred(result["preferred"])
    return result.assign(worlds=count(rate.max("law"), "worlds with a fit"))


def _range_fitted(span_and_points: DataArray, against: str) -> dict[str, DataArray]:
    """Medians over worlds of the range and the number of points, from dim `end`."""
    middle = span_and_points.median("replicate")
    span = middle.isel(end=slice(2)).rename(end="bound").assign_coords(bound=list(BOUNDS))
    return {
        "span": named(span, f"range of {against} that was fitted", against),
        "points": named(middle.isel(end=2), "points fitted in a world"),
    }


def of_worlds(x: DataArray, values: DataArray, law: str) -> DataArray:
    """The rate of one law in every world: (.., replicate); NaN where there is no fit.

    Args:
        x: (.., checkpoint) steps or another clock.
        values: (.., replicate, checkpoint) what falls.
        law: one of `LAWS`.
    """

    def rate(x: np.ndarray, values: np.ndarray) -> float:
        chosen, y = _chosen(x, values, None)
        return FITS[law](chosen, y)[0] if len(chosen) >= POINTS else np.nan

    x, values = xr.broadcast(x, values)
    return mapped(rate, x, values, over=[["checkpoint"], ["checkpoint"]], vectorize=True)


def _fitted(x: DataArray, loss: DataArray, span: tuple[float, float] | None) -> list[DataArray]:
    """Rate, R^2 and AICc of every law (dim `law`); least x, largest x and points (dim `end`)."""
    fitted = mapped(
        fit,
        x,
        loss,
        over=[["checkpoint"], ["checkpoint"]],
        into=[["law", "number"], ["end"]],
        sizes={"law": len(LAWS), "number": 3, "end": 3},
        kwargs={"span": span},
        vectorize=True,
    )
    numbers, ends = (part.drop_vars("cost", errors="ignore") for part in fitted)
    numbers = numbers.assign_coords(law=list(LAWS))
    return [*(numbers.isel(number=i) for i in range(3)), ends]


def _preferred(share: DataArray) -> DataArray:
    """The law that is preferred in most worlds, a text."""
    texts = texts_at(share.fillna(-1.0).argmax("law"), LAWS)
    return texts.where(share.notnull().any("law"), "none")


def _cost(dataset: Dataset) -> DataArray:
    """Cost of the states that the checkpoints show."""
    return cost_at(dataset, prices(dataset).value)


def median(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """The median of numbers, NaN left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of none it is NaN
        return np.nanmedian(values, axis)


# one world --------------------------------------------------------------------------------------------------


def fit(
    x: np.ndarray, loss: np.ndarray, span: tuple[float, float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Fit the laws to one world.

    Args:
        x: (n,) steps or cost.
        loss: (n,), NaN or inf where there is none.
        span: least and largest x that are fitted; None: the rule of this file.

    Returns:
        (laws, 3): rate, R^2 and AICc; (3,): the least and largest x that were fitted and the number of
            points. NaN where there is no fit.
    """
    x, y = _chosen(x, loss, span)
    numbers = np.full((len(LAWS), 3), np.nan)
    if len(x) < POINTS:
        return numbers, np.array([np.nan, np.nan, len(x)])
    for row, law in zip(numbers, LAWS, strict=True):
        rate, residuals = FITS[law](x, y)
        row[:] = rate, *_goodness(residuals, y, PARAMETERS[law])
    return numbers, np.array([x[0], x[-1], len(x)])


def _goodness(residuals: np.ndarray, y: np.ndarray, parameters: int) -> tuple[float, float]:
    """R^2 and AICc."""
    squares = (residuals**2).sum()
    total = ((y - y.mean()) ** 2).sum()
    r_squared = 1 - squares / total if total > 0 else np.nan
    return r_squared, aicc(squares, len(y), parameters)


def aicc(squares: float, points: int, parameters: int) -> float:
    """Corrected Akaike criterion of a least-squares fit, its variance being one parameter more."""
    k = parameters + 1
    if points <= k + 1:
        return np.inf
    return points * np.log(max(squares / points, PERFECT)) + 2 * k * points / (points - k - 1)


def _chosen(
    x: np.ndarray, loss: np.ndarray, span: tuple[float, float] | None
) -> tuple[np.ndarray, np.ndarray]:
    """The x and ln L of the points that are fitted: the first of each state."""
    good = np.isfinite(x) & np.isfinite(loss) & (x > 0) & (loss > 0)
    if not good.any() or np.isposinf(loss[np.isfinite(x)]).any():
        return x[:0], x[:0]
    begin, end = _range(x, loss, good) if span is None else span
    good &= (x >= begin) & (x <= end)
    x, first = np.unique(x[good], return_index=True)
    return x, np.log(loss[good][first])


def _range(x: np.ndarray, loss: np.ndarray, good: np.ndarray) -> tuple[float, float]:
    """The least and the largest x that are fitted, by the rule of this file."""
    alive = x[good & (loss > LEAST * loss[np.isfinite(loss)][0])]
    return (BEGIN * alive.max(), alive.max()) if len(alive) else (np.inf, np.inf)


def _linear(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    away = x - x.mean()
    slope = (away * y).sum() / (away**2).sum()
    return -slope, y - y.mean() - slope * away


def _sublinear(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    return _linear(np.log(x), y)


def _exponential(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Least squares of ln(f + a exp(-b x)) from a start at the lowest loss: parameters ln f, ln a, ln b."""
    scale = x[-1] - x[0]
    early = slice(len(x) // 2 + 1)
    slope = max(-np.polyfit(x[early], y[early], 1)[0] * scale, 0.1)
    starts = [np.array([y.min() - low, y[0], np.log(slope)]) for low in (0.1, 5.0)]
    bounds = ([y.min() - 50, y.min() - 10, -7], [y.max() + 1, y.max() + 50, 7])
    curve = _Curve(x - x[0], scale, y)
    fits = [
        scipy.optimize.least_squares(
            curve.residuals, np.clip(start, *bounds), curve.slopes, bounds=bounds
        )
        for start in starts
    ]
    best = min(fits, key=lambda fit: fit.cost)
    return float(np.exp(best.x[2]) / scale), best.fun


class _Curve(NamedTuple):
    """ln(f + a exp(-b x)) held against data, by p = (ln f, ln a, ln b)."""

    x: np.ndarray  # (n,) from 0 on
    scale: float
    y: np.ndarray  # (n,)

    def residuals(self, p: np.ndarray) -> np.ndarray:
        """What the curve is above the data: (n,)."""
        return np.logaddexp(p[0], p[1] - np.exp(p[2]) * self.x / self.scale) - self.y

    def slopes(self, p: np.ndarray) -> np.ndarray:
        """Their derivatives by p: (n, 3)."""
        fallen = np.exp(p[2]) * self.x / self.scale
        share = special.expit(p[0] - p[1] + fallen)  # of the floor in the loss
        return np.stack([share, 1 - share, (share - 1) * fallen], -1)


FITS: dict[str, Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]]] = {
    "linear": _linear,
    "sublinear": _sublinear,
    "exponential": _exponential,
}
