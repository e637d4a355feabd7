"""What quantities are put together with: operators and functions of arrays, summaries over worlds."""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np
from scipy import special

BINARY: dict[type[ast.operator], np.ufunc] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.Pow: np.float_power,
}
COMPARISONS: dict[type[ast.cmpop], np.ufunc] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
FUNCTIONS: dict[str, Callable] = {  # those of formulas, of arrays
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "log10": np.log10,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "abs": np.abs,
    "min": np.minimum,
    "max": np.maximum,
    "floor": np.floor,
    "ceil": np.ceil,
    "erf": special.erf,
    "Phi": special.ndtr,
    "gamma": special.gamma,
    "beta": special.beta,
    "harmonic": lambda n: special.digamma(n + 1) - special.digamma(1.0),
}


NEVER_NEGATIVE = ("sqrt", "exp", "abs", "Phi")


def condition(comparison: np.ufunc) -> Callable:
    """1 where it is so, 0 where not, NaN where either side has no number."""

    def compare(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        unknown = np.isnan(a) | np.isnan(b)
        return comparison(a, b) + np.where(unknown, np.nan, 0.0)

    return compare


def order_statistic(values: np.ndarray, level: float, axis: int = -1) -> np.ndarray:
    """The smallest number that at least a share `level` of the worlds with numbers do not exceed."""
    ordered = np.sort(np.moveaxis(values, axis, -1), -1)  # NaN comes last
    count = (~np.isnan(ordered)).sum(-1, keepdims=True)
    place = np.ceil(level * count - 1e-9).astype(int).clip(1) - 1
    return np.take_along_axis(ordered, place.clip(max=ordered.shape[-1] - 1), -1)[..., 0]


def variance(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """Sample variance of the worlds with numbers (n - 1)."""
    return np.nanvar(values, axis=axis, ddof=1)


def sd(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """Sample standard deviation of the worlds with numbers (n - 1)."""
    return np.nanstd(values, axis=axis, ddof=1)


SUMMARIES: dict[str, Callable] = {  # over worlds; those without a number are left out
    "mean": np.nanmean,
    "variance": variance,
    "sd": sd,
    "share": np.nanmean,
}
EXTREMES: dict[str, Callable] = {"min": np.nanmin, "max": np.nanmax}
OVER_CHECKPOINTS = SUMMARIES | EXTREMES | {"median": np.nanmedian}  # of one world, from a time on
