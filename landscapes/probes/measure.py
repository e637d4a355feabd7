"""What a probe returns: a value for each world, its sampling standard error, and what it is called."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Measure(NamedTuple):
    """One measure of R worlds."""

    value: Tensor  # (R,) or (R, K)
    # of the same shape: the standard error of sampling within a world; 0 where nothing was sampled
    error: Tensor
    long_name: str
    unit: str
    source: str
    axis: tuple[str, Tensor, str] | None = None  # of K: its name, places (K,) or (R, K), and their unit
