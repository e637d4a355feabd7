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
from xarray import DataArray, Dataset

from studies.analysis.shapes import interval_of, mapped, texts_at

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
    curve: DataArray, band: DataArray, line: float, dim: str, at_once: DataArray | None = None
) -> Dataset:
    """The price, or other coordinate, at which a curve crosses a line, with an interval.

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
        `crossing_interval` (bound): from the end of what is decided at the low side to the begin of what is
        decided at the high side; 0 and inf where there is no such; NaN where the curve is on one side
        throughout. `verdict`: a text in `VERDICTS`, "first" where the curve is above the line.
    """
    # small, as worlds are reduced already
    curve, band = curve.compute(), band.compute()
    wide = band if at_once is None else at_once.compute()
    at, begin, end, verdict = mapped(
        _crossing,
        DataArray(np.log(curve[dim])),
        curve - line,
        band - line,
        wide - line,
        over=[[dim], [dim], ["bound", dim], ["bound", dim]],
        into=[()] * 4,
        vectorize=True,
        output_dtypes=[float, float, float, int],
    )
    return Dataset({
        "crossing": np.exp(at),
        "crossing_interval": interval_of(np.exp(begin), np.exp(end)),
        "verdict": texts_at(verdict, VERDICTS),
    })


def _crossing(
    x: np.ndarray, curve: np.ndarray, band: np.ndarray, wide: np.ndarray
) -> tuple[float, float, float, int]:
    """Where one curve crosses 0.

    Args:
        x: (n,) increasing.
        curve: (n,)
        band: (2, n), low and high at a single place.
        wide: (2, n), of all places at once.

    Returns:
        Crossing, begin and end of its interval, all as x, and the place in VERDICTS.
    """
    known = np.isfinite(curve) & np.isfinite(band).all(0)
    if not known.any():
        return np.nan, np.nan, np.nan, UNKNOWN
    x, curve, band, wide = (part[..., known] for part in (x, curve, band, wide))
    side = _side(band)
    if abs(side.sum()) == len(side):
        return np.nan, np.nan, np.nan, ABOVE if side[0] > 0 else BELOW
    begin = _edge(x, band)
    end = _edge(x[::-1], band[:, ::-1])
    verdict = _changes(side, _side(wide))
    return (
        _middle(x, curve),
        -np.inf if begin is None else begin,
        np.inf if end is None else end,
        verdict,
    )


def _side(band: np.ndarray) -> np.ndarray:
    """1 where a band (2, n) is above 0, -1 where it is below, 0 where it holds it."""
    low, high = band
    return np.where(low > 0, 1, np.where(high < 0, -1, 0))


def _changes(side: np.ndarray, of_all: np.ndarray) -> int:
    """How often the sides change: the place in VERDICTS.

    Between the ends, where any of many places could change by chance, the sides are those of the band of all.
    """
    decided = np.array([side[0], *of_all[1:-1], side[-1]])
    changes = len(list(itertools.groupby(decided[decided != 0]))) - 1
    if changes < 1 or 0 in side[[0, -1]]:
        return UNDECIDED
    return CHANGES if changes == 1 else SEVERAL


def _edge(x: np.ndarray, band: np.ndarray) -> float | None:
    """Where the band, decided at the first x, first meets 0; None where it is undecided there."""
    side = _side(band)
    if side[0] == 0:
        return None
    last = int(np.argmax(side != side[0])) - 1
    bound = band[0 if side[0] > 0 else 1]
    return _zero(x[last : last + 2], bound[last : last + 2])


def _middle(x: np.ndarray, curve: np.ndarray) -> float:
    """The middle between the first and the last crossing of 0; of a stretch at 0, its middle.

    NaN where there is none.
    """
    off = np.flatnonzero(curve).tolist()
    crossings = [
        _zero(x[i : j + 1], curve[i : j + 1]) if j == i + 1 else (x[i + 1] + x[j - 1]) / 2
        for i, j in itertools.pairwise(off)
        if curve[i] * curve[j] < 0
    ]
    return (crossings[0] + crossings[-1]) / 2 if crossings else np.nan


def _zero(x: np.ndarray, y: np.ndarray) -> float:
    """Where the line through two points, of different signs or one of them 0, is 0."""
    return float(x[0] + (x[1] - x[0]) * y[0] / (y[0] - y[1]))
