"""Operators of populations: pure functions on (R, P, D).

Order, shaping, selection, replacement, recombination, mutation, and the generation that joins them. Steps of
trajectories are in `optimizers.gradient.steps`, those of search distributions in
`optimizers.evolution_strategies.distribution`.

Values are losses: lower is better, NaN is worst. Rates and strengths are numbers or (R,) tensors. Selection
draws at "drift", recombination at "recombination" (part 0: who, part 1: where), mutation at "mutation" (part
0: by how much or which bits, part 1: which coordinates). Where only the first `among` (R,) of P individuals
were asked, the others have the value inf and never become parents.
"""

from landscapes.numerics import worst_last
from optimizers.operators.arrays import (
    averaged,
    equal_shares,
    mark,
    marked,
    per_world,
    rows,
    where_bits,
    wide,
)
from optimizers.operators.bits import likely, sampled_bits, within_margin
from optimizers.operators.generation import breed, generation, mates, offspring
from optimizers.operators.letters import changes, mutate_letters, neighbours, one_letter
from optimizers.operators.mutation import bit_flip, gaussian, mutate, one_bit_flip
from optimizers.operators.order import best, order, ranking_values, unseen
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
    by_weight,
    kept,
    leading,
    lost,
    neutral,
    select,
    tournament,
    truncation,
)
from optimizers.operators.shaping import PAIRWISE, centered_ranks, shaped
from optimizers.operators.systematic import (
    PLASTIC,
    chances,
    parents,
    systematic,
    tournament_chances,
    turn,
)

__all__ = [
    "CROSSOVERS",
    "PAIRWISE",
    "PLASTIC",
    "accepted",
    "averaged",
    "best",
    "by_weight",
    "bit_flip",
    "breed",
    "centered_ranks",
    "chances",
    "changes",
    "crosses",
    "equal_shares",
    "gaussian",
    "generation",
    "kept",
    "leading",
    "likely",
    "lost",
    "mark",
    "marked",
    "mates",
    "multi_point",
    "mutate",
    "mutate_letters",
    "neighbours",
    "neutral",
    "offspring",
    "one_bit_flip",
    "one_letter",
    "one_point",
    "order",
    "parents",
    "per_world",
    "ranking_values",
    "recombine",
    "replaced",
    "rows",
    "sampled_bits",
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
    "where_bits",
    "wide",
    "within_margin",
    "worst_last",
]
