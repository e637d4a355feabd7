"""Intervals by Student's t of many values at once, from those without one unit each (the jackknife)."""

from __future__ import annotations

import numpy as np
import scipy

from studies.analysis.shapes import LEVEL


def student(
    value: np.ndarray, drawn: np.ndarray, left_out: np.ndarray, level: float = LEVEL
) -> np.ndarray:
    """Value +- t times the standard error.

    (C, 2), of the value (C), of B resamples (C, B) and without one unit (C, n).
    """
    n = left_out.shape[1]
    error = np.sqrt(n / (n - 1)) * drawn.std(1)
    jackknife = np.sqrt((n - 1) * left_out.var(1))
    agree = abs(jackknife - error) <= 0.1 * error
    half = -scipy.stats.t.ppf((1 - level) / 2, n - 1) * np.where(agree, jackknife, error)
    return np.stack([value - half, value + half], -1)


def corrected(
    value: np.ndarray, drawn: np.ndarray, left_out: np.ndarray, level: float = LEVEL
) -> np.ndarray:
    """Value +- t times the jackknife's error, the end on the side of the longer tail moved out.

    Arguments and result as of `student`; no resample is read.
    """
    del drawn
    n = left_out.shape[1]
    k = -scipy.stats.t.ppf((1 - level) / 2, n - 1)
    out = _skewness(-left_out) * (1 + 2 * k**2) / (6 * np.sqrt(n))
    ends = np.stack([-k - np.maximum(-out, 0), k + np.maximum(out, 0)], -1)
    return value[:, None] + np.sqrt((n - 1) * left_out.var(1))[:, None] * ends


def _skewness(values: np.ndarray) -> np.ndarray:
    """Skewness (C,) of values (C, n), times (n / (n - 1))^1.5, less biased; 0 where all are alike."""
    n, away = values.shape[1], values - values.mean(1, keepdims=True)
    spread = np.sqrt((away**2).mean(1))
    skew = (away**3).mean(1) / np.where(spread > 0, spread, 1.0) ** 3
    return skew * (n / (n - 1)) ** 1.5
