"""Where a curve with its band crosses a line: the price at which the winner changes, and how sure that is.

The interval of the crossing is where the band holds the line: the set of all prices at which a test of "no difference" is not rejected, inverted as
in Fieller's theorem (1954). So it may be open at an end of what was looked at (0 or inf), or empty, where one side is ahead throughout.
"""

from __future__ import annotations

import itertools

import numpy as np
import xarray as xr

ABOVE, BELOW, CHANGES, SEVERAL, UNDECIDED, UNKNOWN = range(6)
VERDICTS = ("first at all prices", "second at all prices", "changes", "changes more than once", "undecided", "unknown")


def crossing(curve: xr.DataArray, band: xr.DataArray, line: float, dim: str) -> xr.Dataset:
    """Where a curve crosses a line.

    Args:
        curve: with the dim `dim`, an increasing coordinate > 0; it is read off as linear in the logarithm of that.
        band: interval of the curve, with the dim `bound` more.
        line: what is crossed.
        dim: name of the dim.

    Returns:
        `crossing`: NaN where there is none; of several, the geometric middle of the first and the last. `crossing_interval` (bound): from the end of
        what is decided at the low side to the begin of what is decided at the high side; 0 and inf where there is no such; NaN where the curve is
        on one side throughout. `verdict`: a text in `VERDICTS`, "first" where the curve is above the line.
    """
    curve, band = curve.compute(), band.compute()  # worlds are reduced already, so that they are small
    low, high = (band.sel(bound=end, drop=True) for end in ("low", "high"))
    found = xr.apply_ufunc(
        _crossing, np.log(curve[dim]), curve - line, low - line, high - line,
        input_core_dims=[[dim]] * 4, output_core_dims=[[], [], [], []], vectorize=True, output_dtypes=[float, float, float, int],
    )  # fmt: skip
    at, begin, end, verdict = found
    both = xr.concat([np.exp(begin), np.exp(end)], xr.Variable("bound", ["low", "high"]), coords="minimal")
    texts = xr.DataArray(np.array(VERDICTS, object)[verdict.values], verdict.coords, verdict.dims)
    return xr.Dataset({"crossing": np.exp(at), "crossing_interval": both.transpose(..., "bound"), "verdict": texts})


def _crossing(x: np.ndarray, curve: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[float, float, float, int]:
    """Crossing of 0, begin and end of its interval, all as x, and the place in VERDICTS; of one curve (n)."""
    known = np.isfinite(curve) & np.isfinite(low) & np.isfinite(high)
    if not known.any():
        return np.nan, np.nan, np.nan, UNKNOWN
    x, curve, low, high = x[known], curve[known], low[known], high[known]
    side = np.where(low > 0, 1, np.where(high < 0, -1, 0))
    if abs(side.sum()) == len(side):
        return np.nan, np.nan, np.nan, ABOVE if side[0] > 0 else BELOW
    changes = len(list(itertools.groupby(side[side != 0]))) - 1
    verdict = UNDECIDED if changes < 1 or 0 in side[[0, -1]] else CHANGES if changes == 1 else SEVERAL
    begin, end = _edge(x, low, high, side), _edge(x[::-1], low[::-1], high[::-1], side[::-1])
    return _middle(x, curve), -np.inf if begin is None else begin, np.inf if end is None else end, verdict


def _edge(x: np.ndarray, low: np.ndarray, high: np.ndarray, side: np.ndarray) -> float | None:
    """Where the band, decided at the first x, first meets 0; None where it is undecided there."""
    if side[0] == 0:
        return None
    last = int(np.argmax(side != side[0])) - 1
    bound = low if side[0] > 0 else high
    return _zero(x[last : last + 2], bound[last : last + 2])


def _middle(x: np.ndarray, curve: np.ndarray) -> float:
    """The middle between the first and the last crossing of 0; of a stretch at 0, its middle; NaN where there is none."""
    off = np.flatnonzero(curve)
    pairs = [(i, j) for i, j in itertools.pairwise(off.tolist()) if curve[i] * curve[j] < 0]
    found = [_zero(x[i : j + 1], curve[i : j + 1]) if j == i + 1 else (x[i + 1] + x[j - 1]) / 2 for i, j in pairs]
    return (found[0] + found[-1]) / 2 if found else np.nan


def _zero(x: np.ndarray, y: np.ndarray) -> float:
    """Where the line through two points, of different signs or one of them 0, is 0."""
    return float(x[0] + (x[1] - x[0]) * y[0] / (y[0] - y[1]))
