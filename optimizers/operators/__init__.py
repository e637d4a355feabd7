"""Operators of populations.

Order, selection, replacement, recombination, mutation, and the generation that joins them.
"""

from optimizers.operators.bits import likely, sampled_bits, within_margin
from optimizers.operators.breeding import breed, generation, mates, offspring
from optimizers.operators.mutation import bit_flip, gaussian, mutate, one_bit_flip
from optimizers.operators.order import (
    PAIRWISE,
    alike,
    best,
    centered_ranks,
    order,
    per_world,
    pick,
    rows,
    seen,
    shaped,
    unseen,
    wide,
    worst_last,
)
from optimizers.operators.recombination import (
    CROSSOVERS,
    crosses,
    multi_point,
    one_point,
    recombine,
    two_point,
    uniform,
)
from optimizers.operators.replacement import accepted, replaced, survivors
from optimizers.operators.selection import (
    kept,
    leading,
    neutral,
    proportional,
    select,
    tournament,
    truncation,
)
from optimizers.operators.systematic import (
    PLASTIC,
    chances,
    parents,
    systematic,
    tournament_chances,
    turn,
)

__all__ = [
    "alike",
    "CROSSOVERS",
    "PAIRWISE",
    "PLASTIC",
    "accepted",
    "best",
    "bit_flip",
    "breed",
    "centered_ranks",
    "chances",
    "crosses",
    "gaussian",
    "generation",
    "kept",
    "leading",
    "likely",
    "mates",
    "multi_point",
    "mutate",
    "neutral",
    "offspring",
    "one_bit_flip",
    "one_point",
    "order",
    "parents",
    "per_world",
    "pick",
    "proportional",
    "recombine",
    "replaced",
    "rows",
    "sampled_bits",
    "seen",
    "select",
    "shaped",
    "survivors",
    "systematic",
    "tournament",
    "tournament_chances",
    "truncation",
    "turn",
    "two_point",
    "uniform",
    "unseen",
    "wide",
    "within_margin",
    "worst_last",
]
