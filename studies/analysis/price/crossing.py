"""Where a curve with its band crosses a line: the price at which the winner changes, and how sure that is.

The interval of the crossing is where the band holds the line: the set of all prices at which a test of "no
difference" is not rejected, inverted as in Fieller's theorem (1954). So it may be open at an end of what was
looked at (0 or inf), or empty, where one side is ahead throughout.

What is said of both ends, or of all, is as sure as the band at a single place. That the sides change in
between could be said of any of many places, by chance of some: so there the band must hold at all of them at
once.
"""

from __future__ import annotations

import itertools

import numpy as np
import xarray as xr

ABOVE, BELOW, CHANGES, SEVERAL, UNDECIDED, UNKNOWN = range(6)
VERDICTS = (
    "first at all prices",
    "second at all prices",
    "changes",
    "changes more than once",
    "undecided",
    "unknown",
)


def crossing(
    curve: xr.DataArray, band: xr.DataArray, line: float, dim: str, at_once: xr.DataArray | None = None
) -> xr.Dataset:
    """Where a curve crosses a line.

    Args:
        curve: with the dim `dim`, an increasing coordinate > 0; it is read off as linear in the logarithm of
            that.
        band: interval of the curve, with the dim `bound` more.
        line: what is crossed.
        dim: name of the dim.
        at_once: the band that holds at all places at once; None: the band does, as where all curves that it
            may hold are monotone.

    Returns:
        `crossing`: NaN where there is none; of several, the geometric middle of the first and the last.
            `crossing_interval` (bound): from the end of
        what is decided at the low side to the begin of what is decided at the high side; 0 and inf where
        there is no such; NaN where the curve is on one side throughout. `verdict`: a text in `VERDICTS`,
        "first" where the curve is above the line.
    """
    curve, band, wide = (
        part.compute() for part in (curve, band, band if at_once is None else at_once)
    )  # small, as worlds are reduced already
    ends = (part.sel(bound=end, drop=True) - line for part in (band, wide) for end in ("low", "high"))
    found = xr.apply_ufunc(
        _crossing, np.log(curve[dim]), curve - line, *ends,
        input_core_dims=[[dim]] * 6, output_core_dims=[[], [], [], []], vectorize=True, output_dtypes=[float, float, float, int],
    )  # fmt: skip
    at, begin, end, verdict = found
    both = xr.concat([np.exp(begin), np.exp(end)], xr.Variable("bound", ["low", "high"]), coords="minimal")
    texts = xr.DataArray(np.array(VERDICTS, object)[verdict.values], verdict.coords, verdict.dims)
    return xr.Dataset({
        "crossing": np.exp(at),
        "crossing_interval": both.transpose(..., "bound"),
        "verdict": texts,
    })


def _crossing(
    x: np.ndarray,
    curve: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    lowest: np.ndarray,
    highest: np.ndarray,
) -> tuple[float, float, float, int]:
    """Crossing of 0, begin and end of its interval, all as x, and the place in VERDICTS.

    Of one curve (n), its band and that of all at once.
    """
    known = np.isfinite(curve) & np.isfinite(low) & np.isfinite(high)
    if not known.any():
        return np.nan, np.nan, np.nan, UNKNOWN
    x, curve, low, high, lowest, highest = (part[known] for part in (x, curve, low, high, lowest, highest))
    side, inner = (
        np.where(below > 0, 1, np.where(above < 0, -1, 0))
        for below, above in ((low, high), (lowest, highest))
    )
    if abs(side.sum()) == len(side):
        return np.nan, np.nan, np.nan, ABOVE if side[0] > 0 else BELOW
    told = np.array([side[0], *inner[1:-1], side[-1]])
    changes = len(list(itertools.groupby(told[told != 0]))) - 1
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
    """The middle between the first and the last crossing of 0; of a stretch at 0, its middle.

    NaN where there is none.
    """
    off = np.flatnonzero(curve)
    pairs = [(i, j) for i, j in itertools.pairwise(off.tolist()) if curve[i] * curve[j] < 0]
    found = [
        _zero(x[i : j + 1], curve[i : j + 1]) if j == i + 1 else (x[i + 1] + x[j - 1]) / 2 for i, j in pairs
    ]
    return (found[0] + found[-1]) / 2 if found else np.nan


def _zero(x: np.ndarray, y: np.ndarray) -> float:
    """Where the line through two points, of different signs or one of them 0, is 0."""
    return float(x[0] + (x[1] - x[0]) * y[0] / (y[0] - y[1]))
