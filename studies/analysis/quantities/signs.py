"""Which quantities cannot be negative, by what they are made of: few worlds then get intervals above 0."""

from __future__ import annotations

import ast
from collections.abc import Collection

from xarray import Dataset

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
OPERATORS = (ast.Add, ast.Mult, ast.Div, ast.Pow)


def names(dataset: Dataset) -> set[str]:
    """Names of these results that are never negative: losses where they are gaps to the optimum."""
    all_gaps = bool(gaps.gap_known(dataset).all())
    return NAMES | ({*gaps.LOSSES, "start_loss"} if all_gaps else set())


def never_negative(node: ast.expr, known: Collection[str]) -> bool:
    """Whether a quantity cannot be negative, whatever the worlds.

    Args:
        node: its tree.
        known: names of which it is known.
    """
    match node:
        case ast.Constant(value=int() | float() as number):
            return number >= 0
        case ast.Name() | ast.Attribute():
            return ast.unparse(node).removeprefix("ledger.") in known
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, OPERATORS):
            exponent = isinstance(op, ast.Pow)
            return never_negative(left, known) and (exponent or never_negative(right, known))
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in KEEPING:
            return never_negative(arguments[0], known)
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            return True
        case ast.Call(func=func):
            return never_negative(func, known)
    return False
