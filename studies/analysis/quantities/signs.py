"""Which quantities cannot be negative, by what they are made of: few worlds then get intervals above 0."""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection
from dataclasses import dataclass

from xarray import Dataset

from studies.analysis.quantities import along, constants, timing
from studies.analysis.quantities.functions import NEVER_NEGATIVE
from studies.analysis.quantities.grammar import AT
from studies.analysis.quantities.ledger import HEAD
from studies.analysis.quantities.parts import Part, part
from studies.analysis.quantities.vocabulary import AXIS, KEPT, NEVER, WORDS
from studies.results import gaps
from studies.text.formulas import CONSTANTS

NAMES = {
    *("diversity", "step_length", "staleness", "diverged"),
    *("steps", "value_terms", "gradient_terms", "virtual_time", "seconds"),
    *("moment_cost", "moment_steps"),
    *("step_variance", "noise_trace", "noise_rank", "sample_size", "heterozygosity"),
    *("linkage_disequilibrium", "fixed_loci", "loss_variance", "genotypes"),
    *(f"{timing.HEAD}{word}" for word in timing.WORDS),
}
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
        plain = name.removeprefix(HEAD)
        if plain in NAMES or name in self._losses or name in CONSTANTS:
            return True
        if name in WORDS:
            return WORDS[name].sign == NEVER
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
        case ast.Compare():
            return True
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, OPERATORS):
            exponent = isinstance(op, ast.Pow)
            return never_negative(left, known) and (exponent or never_negative(right, known))
    own = part(node)
    if not own.inner:
        return known.never_negative(own.name)
    return _of_word(own, known)


def _of_word(own: Part, known: Signs) -> bool:
    """That of what is called with numbers."""
    inner = [never_negative(each, known) for each in own.inner]
    if own.is_function:
        both = any(inner) if own.name == "max" else all(inner) and own.name == "min"
        return both or own.name in NEVER_NEGATIVE
    sign = WORDS[own.name].sign if own.is_word else ""
    if sign == AXIS:
        return all(map(known.positive, own.said))
    return sign == NEVER or (inner[0] and (sign == KEPT or own.name == AT))
