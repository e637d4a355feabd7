"""Populations of letters: frequencies of each letter at each site, and what follows from them.

Beside bits, where one frequency says all of a locus. With p_a the frequency of letter a at a site, means over
sites:

    heterozygosity  1 - sum_a p_a^2
    fixed loci      the share of sites with one letter alone

(Nei 1973, PNAS 70:3321).
"""

from __future__ import annotations

import torch
from torch import Tensor

from optimizers.base import Optimizer, State
from studies.cells.ledger.population import polymorphic


def living(optimizer: Optimizer, state: State) -> tuple[Tensor, Tensor]:
    """The individuals (R, P, D) and their shares (R, P); where there are none, the point of a search."""
    population = optimizer.individuals(state)
    if population is not None:
        return population
    point = optimizer.recommend(state)[:, None]
    return point, torch.ones(point.shape[:2], dtype=torch.float64, device=point.device)


def frequencies(points: Tensor, share: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Frequencies (R, D, A) of letters at the sites of points (R, P, D) with shares (R, P)."""
    there = [(points == letter) * share[..., None] for letter in range(max(sizes))]
    return torch.stack([each.sum(1) for each in there], -1)


def flat(frequency: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Frequencies (R, D, A) of the letters that there are, site after site: (R, sum of sizes)."""
    sites = zip(frequency.unbind(1), sizes, strict=True)
    return torch.cat([site[:, :size] for site, size in sites], 1)


def heterozygosity(frequency: Tensor) -> Tensor:
    """Mean of 1 - sum p^2 over sites of frequencies (R, D, A): (R,)."""
    return (1 - frequency.square().sum(-1)).mean(1)


def fixed(frequency: Tensor, points: int) -> Tensor:
    """The sites of frequencies (R, D, A), of so many points, with one letter alone: (R, D) bool."""
    return ~polymorphic(frequency, points).any(-1)
