"""Which quantities cannot be negative, by what they are made of: few worlds then get intervals above 0."""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection
from dataclasses import dataclass

from xarray import Dataset

from studies.analysis.quantities import along, constants
from studies.analysis.quantities.grammar import AT
from studies.results import gaps

NAMES = {
    *("diversity", "step_length", "staleness", "diverged"),
    *("steps", "value_terms", "gradient_terms", "virtual_time", "moment_cost", "moment_steps"),
    *("step_variance", "noise_trace", "noise_rank", "sample_size", "heterozygosity"),
    *("linkage_disequilibrium", "fixed_loci", "loss_variance", "genotypes"),
}
CALLS = {
    *("sqrt", "exp", "abs", "Phi"),
    *("variance", "sd", "share", "distance", "distance_floor"),
    *("hit", "best_hit", "ert", "first"),
}
KEEPING = {"mean", "median", "quantile", "min", "max", AT}  # not negative where their arguments are not
PLACES = ("optimum", "crossing", "limit")  # along an axis
OPERATORS = (ast.Add, ast.Mult, ast.Div, ast.Pow)


@dataclass(frozen=True)
class Signs:
    """What is known of the numbers of some results, whatever the worlds."""

    dataset: Dataset

    @functools.cached_property
    def _losses(self) -> Collection[str]:
        """Losses, where they are gaps to the optimum."""
        return (*gaps.LOSSES, "start_loss") if bool(gaps.gap_known(self.dataset).all()) else ()

    def never_negative(self, name: str) -> bool:
        """Whether a number that was recorded, or that arms ran with, is never negative."""
        if name in NAMES or name in self._losses:
            return True
        numbers = None if name in self.dataset else constants.setting(self.dataset, name, {})
        return numbers is not None and not bool((numbers < 0).any())

    def positive(self, axis: str) -> bool:
        """Whether places along an axis, and beyond its ends, are positive."""
        values = self.dataset.get(axis)
        return values is not None and values.dtype.kind in "iuf" and along.logarithmic(values.values)


def never_negative(node: ast.expr, known: Signs) -> bool:
    """Whether a quantity cannot be negative, whatever the worlds.

    Args:
        node: its tree.
        known: what is known of its numbers.
    """
    match node:
        case ast.Constant(value=int() | float() as number):
            return number >= 0
        case ast.Name() | ast.Attribute():
            return known.never_negative(ast.unparse(node).removeprefix("ledger."))
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, OPERATORS):
            exponent = isinstance(op, ast.Pow)
            return never_negative(left, known) and (exponent or never_negative(right, known))
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in KEEPING:
            return never_negative(arguments[0], known)
        case ast.Call(func=ast.Name(id=name), args=[*_, axis]) if name in PLACES:
            return known.positive(ast.unparse(axis))
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            return True
        case ast.Call(func=func):
            return never_negative(func, known)
    return False
