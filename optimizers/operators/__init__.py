"""Operators of populations: order, selection, replacement, recombination, mutation, and the generation that joins them."""

from optimizers.operators.bits import (
    likely as likely,
)
from optimizers.operators.bits import (
    sampled_bits as sampled_bits,
)
from optimizers.operators.bits import (
    within_margin as within_margin,
)
from optimizers.operators.breeding import (
    breed as breed,
)
from optimizers.operators.breeding import (
    generation as generation,
)
from optimizers.operators.mutation import (
    bit_flip as bit_flip,
)
from optimizers.operators.mutation import (
    gaussian as gaussian,
)
from optimizers.operators.mutation import (
    mutate as mutate,
)
from optimizers.operators.mutation import (
    one_bit_flip as one_bit_flip,
)
from optimizers.operators.order import (
    PAIRWISE as PAIRWISE,
)
from optimizers.operators.order import (
    best as best,
)
from optimizers.operators.order import (
    centered_ranks as centered_ranks,
)
from optimizers.operators.order import (
    order as order,
)
from optimizers.operators.order import (
    per_world as per_world,
)
from optimizers.operators.order import (
    pick as pick,
)
from optimizers.operators.order import (
    rows as rows,
)
from optimizers.operators.order import (
    seen as seen,
)
from optimizers.operators.order import (
    shaped as shaped,
)
from optimizers.operators.order import (
    unseen as unseen,
)
from optimizers.operators.order import (
    wide as wide,
)
from optimizers.operators.order import (
    worst_last as worst_last,
)
from optimizers.operators.recombination import (
    CROSSOVERS as CROSSOVERS,
)
from optimizers.operators.recombination import (
    crosses as crosses,
)
from optimizers.operators.recombination import (
    multi_point as multi_point,
)
from optimizers.operators.recombination import (
    one_point as one_point,
)
from optimizers.operators.recombination import (
    recombine as recombine,
)
from optimizers.operators.recombination import (
    two_point as two_point,
)
from optimizers.operators.recombination import (
    uniform as uniform,
)
from optimizers.operators.replacement import (
    replaced as replaced,
)
from optimizers.operators.replacement import (
    survivors as survivors,
)
from optimizers.operators.selection import (
    kept as kept,
)
from optimizers.operators.selection import (
    leading as leading,
)
from optimizers.operators.selection import (
    neutral as neutral,
)
from optimizers.operators.selection import (
    proportional as proportional,
)
from optimizers.operators.selection import (
    select as select,
)
from optimizers.operators.selection import (
    tournament as tournament,
)
from optimizers.operators.selection import (
    truncation as truncation,
)
from optimizers.operators.systematic import (
    PLASTIC as PLASTIC,
)
from optimizers.operators.systematic import (
    chances as chances,
)
from optimizers.operators.systematic import (
    parents as parents,
)
from optimizers.operators.systematic import (
    systematic as systematic,
)
from optimizers.operators.systematic import (
    tournament_chances as tournament_chances,
)
from optimizers.operators.systematic import (
    turn as turn,
)
