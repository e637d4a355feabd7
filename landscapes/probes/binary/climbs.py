"""Hill climbs over a whole landscape of bits.

How long they are, where they end, and which paths lead up to the best genotype.

A climb steps to fitter neighbours until there is none. Which one is the rule:

    random        any fitter neighbour with equal chances; the same law as the first improvement met in a
                  random order of loci
                  (Kauffman and Levin 1987, J. theor. Biol. 128; Macken and Perelson 1989, PNAS 86)
    greedy        the fittest neighbour (of several the lowest locus), also called steepest ascent or best
                  improvement (Orr 2003, J. theor. Biol. 220)
    proportional  with chances in proportion to the gain in fitness, an adaptive walk of strong selection and
                  weak mutation (Gillespie 1984, Evolution 38)

Climbs start once at every genotype. Lengths and basins are expected values over all of them, exact: genotypes
in the order of their fitness hand on the mass of the climbs that come through, so all climbs together cost
one pass. f(x) is fitness; the table (R, 2^n) is as in `landscapes.probes.binary.enumeration`.

A direct path to the best genotype flips each locus that differs once; it is accessible where every step is
fitter (Weinreich et al. 2006, Science 312; Franke et al. 2011, PLoS Comput. Biol. 7). Of several best
genotypes it is that of the lowest number.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from landscapes.probes.binary import kernels
from landscapes.probes.binary.enumeration import loci
from landscapes.probes.binary.walsh import orders

Rule = Literal["random", "greedy", "proportional"]
RULES: tuple[Rule, ...] = ("random", "greedy", "proportional")


class Climbs(NamedTuple):
    """All climbs under one rule."""

    mass: Tensor  # (R, 2^n) climbs that are expected to come through, or to end, at each genotype
    length: Tensor  # (R,) mean number of steps
    best: Tensor  # (R,) fraction that end at a genotype of the highest fitness


def climbs(values: Tensor, order: Tensor, fitter: Tensor, rule: Rule) -> Climbs:
    """Climb from every genotype.

    Args:
        values: (R, 2^n) fitness.
        order: (R, 2^n) genotypes by ascending fitness, as `binary.ascending` gives.
        fitter: (R, 2^n) how many neighbours are fitter, as `binary.neighbours` counts.
        rule: of the steps.

    Returns:
        What the climbs did.
    """
    mass = torch.ones_like(values)
    for value, places, row in zip(values.numpy(), order.numpy(), mass.numpy(), strict=True):
        kernels.spread(value, places, loci(values), RULES.index(rule), row)
    ended = fitter == 0
    length = torch.where(ended, 0.0, mass).sum(1) / values.shape[1]
    best = torch.where(values == values.amax(1, keepdim=True), mass, 0.0).sum(1) / values.shape[1]
    return Climbs(mass, length, best)


def basins(climbs: Climbs, fitter: Tensor, world: int = 0) -> tuple[Tensor, Tensor]:
    """Local optima (V,) of one world, by number, and how many genotypes climb to each on average (V,)."""
    optima = (fitter[world] == 0).nonzero()[:, 0]
    return optima, climbs.mass[world, optima]


def ends(value: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Where the greedy climb from each genotype of one world ends: (2^n,) -> (2^n,) int32."""
    end = np.empty(len(value), np.int32)
    kernels.ends(value, order, len(value).bit_length() - 1, end)
    return end


def reachable(values: Tensor, order: Tensor) -> Tensor:
    """Fraction of genotypes from which fitter neighbours, one after another, lead to the fittest: (R,)."""
    reached = values == values.amax(1, keepdim=True)
    for value, places, row in zip(values.numpy(), order.numpy(), reached.numpy(), strict=True):
        kernels.reachable(value, places, loci(values), row)
    return reached.double().mean(1)


def direct_paths(values: Tensor, goal: Tensor | None = None) -> Tensor:
    """Accessible direct paths from each genotype to a goal.

    (R, 2^n), by genotype ^ goal, so that the last entry is the antipode's.

    Args:
        values: (R, 2^n) fitness.
        goal: (R,) int64 genotypes; None: the best, of the lowest number.
    """
    goal = values.argmax(1) if goal is None else goal
    paths = torch.empty_like(values)
    for value, number, row in zip(values.numpy(), goal.tolist(), paths.numpy(), strict=True):
        kernels.direct_paths(value, loci(values), number, row)
    return paths


def accessible_fraction(paths: Tensor) -> Tensor:
    """Fraction of the direct paths to the best that are accessible: (R, 2^n) -> (R, n).

    From genotypes d = 1 .. n loci away, the mean over these genotypes.
    """
    n = loci(paths)
    total = paths.new_zeros((len(paths), n + 1)).index_add_(1, orders(n), paths)
    return total[:, 1:] / torch.tensor(
        [math.comb(n, d) * math.factorial(d) for d in range(1, n + 1)], dtype=torch.float64
    )
