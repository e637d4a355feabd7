"""What expressions compute with: float64 numbers of R worlds, which never mix.

A value is (R, ..), or a number of no axis for a constant. Behind the worlds two values combine as NumPy's
arrays do, from the last axis on. 1 is yes, 0 is no, and NaN is neither. The bits of a world are the same
among any number of worlds.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from landscapes import numerics

WHOLE = 16  # exponents up to here are products


class Shapes(ValueError):
    """Values that do not combine."""


class Nowhere(Shapes):
    """A place that an array does not have."""


def aligned(values: tuple[Tensor, ...]) -> list[Tensor]:
    """Values of as many axes each: axes of length 1 come behind the worlds."""
    most = max(value.ndim for value in values)
    return [_deeper(value, most - value.ndim) for value in values]


def _deeper(value: Tensor, more: int) -> Tensor:
    return value if value.ndim == 0 else value.reshape(len(value), *(1,) * more, *value.shape[1:])


def joined(function: Callable[..., Tensor], *values: Tensor) -> Tensor:
    """A function of values, number by number.

    Raises:
        Shapes: their axes do not fit.
    """
    try:
        return function(*aligned(values))
    except RuntimeError as error:
        sizes = " and ".join(f"{tuple(value.shape[1:])}" for value in values)
        raise Shapes(f"cannot combine numbers of the sizes {sizes} in each world") from error


def power(base: Tensor, exponent: Tensor) -> Tensor:
    """The base to the exponent; NaN for what is no real number."""
    if exponent.ndim == 0 and float(exponent).is_integer() and abs(float(exponent)) <= WHOLE:
        return _product(base, int(exponent))
    positive = torch.exp(exponent * torch.log(base.abs()))
    zero = torch.where(exponent > 0, 0.0, torch.where(exponent == 0, 1.0, torch.inf))
    return torch.where(base > 0, positive, torch.where(base == 0, zero, torch.nan))


def _product(base: Tensor, exponent: int) -> Tensor:
    product = torch.ones_like(base)
    for _ in range(abs(exponent)):
        product = product * base
    return product if exponent >= 0 else 1 / product


def compared(comparison: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A comparison that says 1, 0, or NaN where one of the two is no number."""
    return lambda a, b: comparison(a, b).double().masked_fill(a.isnan() | b.isnan(), torch.nan)


def truth(value: Tensor) -> Tensor:
    """1 for what is not 0."""
    return (value != 0).double().masked_fill(value.isnan(), torch.nan)


BINARY: dict[type[ast.operator], Callable[..., Tensor]] = {
    ast.Add: torch.add,
    ast.Sub: torch.sub,
    ast.Mult: torch.mul,
    ast.Div: torch.div,
    ast.Pow: power,
}
COMPARISONS: dict[type[ast.cmpop], Callable[..., Tensor]] = {
    ast.Lt: compared(torch.lt),
    ast.LtE: compared(torch.le),
    ast.Gt: compared(torch.gt),
    ast.GtE: compared(torch.ge),
    ast.Eq: compared(torch.eq),
    ast.NotEq: compared(torch.ne),
}
BOOLEAN: dict[type[ast.boolop], Callable[..., Tensor]] = {
    ast.And: lambda a, b: torch.minimum(truth(a), truth(b)),
    ast.Or: lambda a, b: torch.maximum(truth(a), truth(b)),
}

# functions of all numbers of a world ------------------------------------------------------------------------


class Numbers(NamedTuple):
    """All numbers (R, n) of each world, and which of them count."""

    values: Tensor
    there: Tensor | None  # (R, n) bool; None: all

    @staticmethod
    def of(value: Tensor, partial: bool) -> Numbers:
        """The numbers of a value; where not all points were asked, what is NaN does not count."""
        values = value.reshape(len(value), -1) if value.ndim else value.reshape(1, 1)
        return Numbers(values, ~values.isnan() if partial else None)

    @property
    def size(self) -> Tensor | float:
        """How many count: (R,)."""
        return float(self.values.shape[1]) if self.there is None else self.there.sum(1).double()

    def filled(self, other: float) -> Tensor:
        """The numbers, another one where they do not count."""
        return self.values if self.there is None else self.values.where(self.there, other)

    def known(self, value: Tensor) -> Tensor:
        """The value (R,), NaN where none counts."""
        return value if self.there is None else value.where(self.there.any(1), torch.nan)


def total(numbers: Numbers) -> Tensor:
    """Their sum."""
    return numbers.known(numbers.filled(0.0).sum(1))


def mean(numbers: Numbers) -> Tensor:
    """Their mean."""
    return total(numbers) / numbers.size


def variance(numbers: Numbers) -> Tensor:
    """Their mean squared distance to their mean."""
    away = numbers.values - mean(numbers)[:, None]
    return mean(Numbers(away * away, numbers.there))


REDUCTIONS: dict[str, Callable[[Numbers], Tensor]] = {
    "mean": mean,
    "std": lambda numbers: variance(numbers).sqrt(),
    "var": variance,
    "sum": total,
    "max": lambda numbers: numbers.known(numbers.filled(-torch.inf).amax(1)),
    "min": lambda numbers: numbers.known(numbers.filled(torch.inf).amin(1)),
}
PAIRS: dict[str, Callable[..., Tensor]] = {"max": torch.maximum, "min": torch.minimum}
ALONG: dict[str, tuple[int, Callable[..., Tensor]]] = {  # over the last axis; how many arguments
    "norm": (1, lambda value: numerics.norm(value) if value.ndim > 1 else value.abs()),
    "dot": (2, lambda a, b: numerics.dot(a, b) if max(a.ndim, b.ndim) > 1 else a * b),
}
EACH: dict[str, Callable[[Tensor], Tensor]] = {
    "abs": torch.abs,
    "sqrt": torch.sqrt,
    "log": torch.log,
    "exp": torch.exp,
}
FUNCTIONS = (*REDUCTIONS, *ALONG, *EACH)


def reduced(name: str, value: Tensor, partial: bool) -> Tensor:
    """A function of all numbers of each world: (R,)."""
    result = REDUCTIONS[name](Numbers.of(value, partial))
    return result if value.ndim else result[0]


def placed(value: Tensor, index: tuple[int, ...], text: str) -> Tensor:
    """The numbers at a place of each world.

    Raises:
        Nowhere: there is no such place.
    """
    sizes = tuple(value.shape[1:])
    if len(index) > len(sizes):
        raise Nowhere(f"{text}: expected at most {len(sizes)} places of a value of size {sizes}")
    for place, size in zip(index, sizes, strict=False):
        if not -size <= place < size:
            raise Nowhere(f"{text}: expected -{size} <= place < {size}, got {place}")
    for place in index:
        value = value[:, place]
    return value
