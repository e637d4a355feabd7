"""Systematic selection: expected numbers of offspring, rounded up or down at random once for all."""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.base import FitnessLaw
from landscapes.numerics import power
from landscapes.streams import Streams
from optimizers.breeding import Breeding
from optimizers.operators.arrays import wide
from optimizers.operators.order import order, worst_last
from optimizers.operators.selection import kept, leading, select

PLASTIC = (0.7548776662466927, 0.5698402909980532)  # 1 / g and 1 / g^2 of the root g of g^3 = g + 1


def parents(
    value: Tensor,
    streams: Streams,
    n: int,
    method: Breeding,
    part: int = 0,
    among: Tensor | None = None,
    law: FitnessLaw | None = None,
) -> Tensor:
    """Parents (R, n) int64 by the selection and the sampling, random or systematic, that a method names.

    Second parents at odd parts.
    """
    if method.sampling == "random":
        return select(value, streams, n, method, part, among, law)
    return systematic(value, chances(value, method, among, law), streams, n, part)


def systematic(value: Tensor, chance: Tensor, streams: Streams, n: int, part: int = 0) -> Tensor:
    """Parents (R, n) int64, each individual as often as its mean m = n * chance, rounded down or up.

    Pointers at equal distances walk along the chances, from the best individual to the worst (stochastic
    universal sampling, Baker 1987, ICGA 2:14). Its one draw, the place of the first pointer, is replaced by
    step * 1/g or, at odd parts, step * 1/g^2, modulo 1, which fill the square evenly (Roberts 2018, "The
    unreasonable effectiveness of quasirandom sequences"): over the steps the rounding averages out, also
    where there is one parent a step. At odd parts, those of second parents, they come in a random order: who
    mates with whom is no drift.

    Args:
        value: (R, P), which says who is best.
        chance: (R, P) float64 >= 0, up to a factor.
        streams: at the step; draws: pairing (`part`), where that is odd and n > 1.
        n: how many.
        part: which parents.
    """
    ranked = order(value)
    cdf = chance.gather(1, ranked).cumsum(1)
    step = torch.as_tensor(streams.step, device=value.device).double().reshape(-1, 1)
    pointer = (torch.arange(n, device=value.device) + step * PLASTIC[part % 2] % 1) / n * cdf[:, -1:]
    last = (cdf < cdf[:, -1:]).sum(1, keepdim=True)  # the last who has a chance
    chosen = ranked.gather(1, torch.minimum(torch.searchsorted(cdf, pointer, right=True), last))
    return (
        chosen.gather(1, streams.permutation("pairing", n, part=part)) if part % 2 and n > 1 else chosen
    )


def chances(
    value: Tensor, method: Breeding, among: Tensor | None = None, law: FitnessLaw | None = None
) -> Tensor:
    """The chance (R, P) float64, up to a factor, with which `select` draws each individual.

    Individuals of the same value have the same chance.
    """
    if method.selection == "tournament":
        return tournament_chances(value, method.tournament, among)
    if method.selection == "proportional":
        chance = method.weights(value, law)
    elif method.selection == "truncation":
        chance = (order(value).argsort(1) < wide(kept(value, method.truncation, among), 2)).double()
    else:
        chance = torch.ones_like(value, dtype=torch.float64)
    return chance if among is None else torch.where(leading(value, among), chance, 0.0)


def tournament_chances(value: Tensor, size: int, among: Tensor | None = None) -> Tensor:
    """The chance (R, P) float64 to win a `tournament` of k: [(1 - a/P)^k - (1 - b/P)^k] / (b - a).

    Here a individuals are better, and b are no worse.
    """
    held = worst_last(value)
    ascending = held.sort(1).values
    count = torch.tensor(value.shape[1], device=value.device) if among is None else among[:, None]
    better = torch.searchsorted(ascending, held)
    no_worse = torch.minimum(torch.searchsorted(ascending, held, right=True), count)
    in_reach, below = (power(1 - ahead / count.double(), size) for ahead in (better, no_worse))
    chance = (in_reach - below) / (no_worse - better)
    return chance if among is None else torch.where(leading(value, among), chance, 0.0)


def turn(streams: Streams, population: int, count: int, device: torch.device) -> Tensor:
    """Whose turn it is at this step, each of P in order and `count` at a time: (R, count) int64."""
    step = torch.as_tensor(streams.step, device=device).reshape(-1, 1).expand(streams.size, 1)
    return (step * count + torch.arange(count, device=device)) % population
