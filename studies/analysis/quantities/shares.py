"""Intervals of what is made of shares: of one over another, and of monotone functions of a share or a ratio.

A product of shares and of numbers that all worlds have is followed while a quantity is read, so that
`2 * a / b`, `a / (2 * b)` and `1 / (b / a)` are known to be of the ratio a / b. Around a share or a ratio
whose interval is known, `a / b - 1` or `log(a / b)`, the ends are those of the function at its ends: between
these, and on either side of 0, each of the functions here is monotone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.intervals.share_ratios import ratio_of_shares
from studies.analysis.quantities.functions import BINARY, FUNCTIONS
from studies.analysis.shapes import ends, interval_of, with_interval

NAME = "quantity"  # of the result
WORLDS = "replicate"
Exactly = Callable[[str, float], Dataset]  # of the text and the level: value and interval
Certain = float | DataArray  # the same in all worlds
WORDS = ("sqrt", "exp", "log", "log10", "tanh", "abs", "min", "max", "floor", "ceil", "erf", "Phi")
MONOTONE = {np.negative, *BINARY.values(), *(FUNCTIONS[word] for word in WORDS)}  # on either side of 0


class Condition(NamedTuple):
    """What holds in some worlds, whose share is taken."""

    worlds: DataArray  # 1 or 0 of each
    said: str  # which condition it is, and of which arms


class Product(NamedTuple):
    """A number that all worlds have, times a share, over another."""

    factor: Certain = 1.0
    over: Condition | None = None  # whose share it is times; None: 1
    under: Condition | None = None

    @property
    def exact(self) -> Exactly | None:
        """The interval, where it is of one share over another.

        None where it is not, is the same share twice, or worlds share instances.
        """
        if self.over is None or self.under is None or self.over.said == self.under.said:
            return None
        first, second = self.over.worlds, self.under.worlds
        if any(map(_in_clusters, (first, second))):
            return None

        def ratio(text: str, level: float) -> Dataset:
            return ratio_of_shares(NAME, first, second, long_name=text, level=level)

        return around(lambda x: self.factor * x, ratio)


def product(function: Callable, parts: Sequence[Product | None]) -> Product | None:
    """A function of products, where it is one.

    Args:
        function: of numbers.
        parts: its arguments; None of what is none.
    """
    if function is np.negative:
        return product(np.multiply, [Product(-1.0), *parts])
    if function not in (np.multiply, np.true_divide):
        return None
    first, second = parts
    if first is None or second is None:
        return None
    if function is np.true_divide:
        second = Product(np.float64(1.0) / second.factor, second.under, second.over)
    over, under = ([each for each in both if each] for both in zip(first[1:], second[1:], strict=True))
    if len(over) > 1 or len(under) > 1:
        return None
    return Product(first.factor * second.factor, *(each[0] if each else None for each in (over, under)))


def around(function: Callable, inner: Exactly) -> Exactly:
    """The interval of a function of `MONOTONE`, of one number whose interval is known.

    Args:
        function: of that number alone.
        inner: its value and interval.
    """

    def exact(text: str, level: float) -> Dataset:
        known = inner(text, level)
        value, (low, high) = known[NAME], ends(known[f"{NAME}_interval"])
        zero = xr.zeros_like(low).where((low < 0) & (high > 0))
        with np.errstate(all="ignore"):
            seen = [function(x) for x in (low, high, zero, -zero)]
            value = function(value)
        interval = interval_of(functools.reduce(np.fmin, seen), functools.reduce(np.fmax, seen))
        return with_interval(NAME, value, interval, long_name=text, units="", level=level)

    return exact


def _in_clusters(part: DataArray) -> bool:
    """Whether worlds share an instance."""
    instance = part.coords.get("instance")
    return instance is not None and np.unique(instance).size < part.sizes[WORLDS]
