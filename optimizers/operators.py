"""Selection, recombination, mutation and ranks: pure functions on (R, P, D), shared by all populations.

Steps of trajectories are in `optimizers.trajectories`, those of search distributions in `optimizers.strategies`. Values are
losses: lower is better, NaN is worst. Selection draws at "drift", recombination at "recombination" (part 0: who, part 1:
where), mutation at "mutation" (part 0: by how much or which bits, part 1: which coordinates). All parents are drawn with replacement.
Rates and strengths are numbers or (R,) tensors.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from landscapes.base import column
from landscapes.streams import Streams

PAIRWISE = 64  # up to so many points, comparing all pairs is faster than sorting


def wide(value: float | Tensor, axes: int) -> float | Tensor:
    """A hyperparameter ready to broadcast against `axes` axes in float64: a number as it is, an (R,) tensor with ones appended."""
    return value.double().reshape(-1, *(1,) * (axes - 1)) if isinstance(value, Tensor) and value.ndim else value


# order -------------------------------------------------------------------------------------------------------------------


def worst_last(value: Tensor) -> Tensor:
    """The values with NaN made inf, so that it is worst."""
    return torch.where(value.isnan(), torch.inf, value)


def order(value: Tensor) -> Tensor:
    """Indices of values (R, P) from best to worst, ties by index: (R, P) int64."""
    return worst_last(value).argsort(dim=-1, stable=True)


def centered_ranks(value: Tensor) -> Tensor:
    """Ranks of values (R, P) spread evenly over [-1/2, 1/2], the best lowest, ties sharing their mean rank: (R, P); 0 where P = 1.

    Source: Salimans et al. 2017, arXiv:1703.03864, section 2 ("fitness shaping"), with ties made symmetric.
    """
    size = value.shape[-1]
    if size <= PAIRWISE:
        value = value.nan_to_num(nan=torch.finfo(value.dtype).max)  # and inf likewise, so that inf - inf = 0
        above = torch.sign(value[:, None, :] - value[:, :, None]).sum(1)  # how many are better, less how many are worse
    else:
        value = worst_last(value)
        ascending = value.sort(-1).values
        above = (torch.searchsorted(ascending, value) + torch.searchsorted(ascending, value, right=True) - size).to(value.dtype)
    return above / (2 * max(size - 1, 1))


def best(points: Tensor, value: Tensor) -> Tensor:
    """The point of points (R, P, D) with the lowest of values (R, P), the first of ties: (R, D)."""
    return rows(points, worst_last(value).argmin(1, keepdim=True))[:, 0]


def rows(points: Tensor, index: Tensor) -> Tensor:
    """The points of (R, P, D) at index (R, n) -> (R, n, D)."""
    world = torch.arange(len(points), device=points.device)[:, None] * points.shape[1]
    return points.flatten(0, 1).index_select(0, (world + index).flatten()).unflatten(0, index.shape)


# selection: values (R, P) -> n parents (R, n) int64 ------------------------------------------------------------------------


def tournament(value: Tensor, streams: Streams, n: int, *, size: int, part: int = 0) -> Tensor:
    """Each parent is the best of `size` individuals drawn uniformly with replacement, the first of ties.

    Source: Goldberg and Deb 1991, Foundations of Genetic Algorithms 1:69.
    """
    entrants = streams.integers("drift", value.shape[1], (n, size), part)
    winner = worst_last(value).gather(1, entrants.flatten(1)).view_as(entrants).argmin(-1, keepdim=True)
    return entrants.gather(-1, winner)[..., 0]


def truncation(value: Tensor, streams: Streams, n: int, *, fraction: float | Tensor, part: int = 0) -> Tensor:
    """Parents are uniform among the best ceil(fraction P), ties by index.

    Source: Muehlenbein and Schlierkamp-Voosen 1993, Evol. Comput. 1:25.
    """
    share = torch.as_tensor(fraction, dtype=torch.float64, device=value.device) * value.shape[1]
    kept = (share - 1e-9).ceil().clamp_min(1)  # 0.1 * 30 is a little more than 3
    return order(value).gather(1, streams.integers("drift", wide(kept, 2), (n,), part))  # type: ignore[arg-type]


def proportional(value: Tensor, streams: Streams, n: int, *, fitness: str, strength: float | Tensor, part: int = 0) -> Tensor:
    """Parents are drawn in proportion to their fitness (see `weights`); with n = P this is Wright-Fisher sampling.

    Source: Wright 1931, Genetics 16:97.
    """
    return streams.categorical("drift", weights(value, fitness, strength), (n,), part)


def weights(value: Tensor, fitness: str, strength: float | Tensor) -> Tensor:
    """Fitness of values L (R, P), up to a factor, in float64: linear max(0, 1 - beta L), exponential exp(-beta L).

    NaN has fitness 0; where nobody has any, all have 1. Only beta / c of Wright's w = c - beta L matters, so c = 1.
    """
    loss, beta = value.double(), wide(strength, 2)
    if fitness == "linear":
        w = (1 - beta * loss).clamp_min(0)
    else:
        w = torch.exp(beta * (worst_last(loss).amin(1, keepdim=True) - loss))  # the best has 1: nothing underflows
    w = torch.where(w.isfinite(), w, 0.0)
    return torch.where(w.amax(1, keepdim=True) > 0, w, 1.0)


def select(value: Tensor, streams: Streams, n: int, method: Any, part: int = 0) -> Tensor:  # noqa: ANN401
    """Parents by the selection that the hyperparameters of a method name, as in `GA`: selection, tournament, truncation, fitness, .."""
    match method.selection:
        case "tournament":
            return tournament(value, streams, n, size=method.tournament, part=part)
        case "truncation":
            return truncation(value, streams, n, fraction=method.truncation, part=part)
        case "proportional":
            return proportional(value, streams, n, fitness=method.fitness, strength=method.selection_strength, part=part)
    return neutral(value, streams, n, part=part)


def neutral(value: Tensor, streams: Streams, n: int, *, part: int = 0) -> Tensor:
    """Parents are uniform, whatever their values."""
    return streams.integers("drift", value.shape[1], (n,), part)


# recombination -----------------------------------------------------------------------------------------------------------


def crosses(streams: Streams, n: int, rate: float | Tensor) -> Tensor:
    """Which of n children have two parents: (R, n) bool, True with probability `rate`."""
    return streams.bernoulli("recombination", wide(rate, 2), (n,))


def recombine(first: Tensor, second: Tensor, streams: Streams, crossover: str) -> Tensor:
    """Children (R, n, D) that have each coordinate from the one of their parents first and second (R, n, D) that the crossover says."""
    return pick(CROSSOVERS[crossover](streams, *first.shape[1:]), first, second)


def pick(keep: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """torch.where(keep, first, second) on bit patterns, all of one shape: with a random mask ten times faster, since nothing branches."""
    word = {1: torch.uint8, 4: torch.int32, 8: torch.int64}[first.element_size()]
    a, b = first.view(word), second.view(word)
    return (b ^ ((a ^ b) & keep.to(word).neg_())).view(first.dtype)


def uniform(streams: Streams, n: int, dim: int) -> Tensor:
    """Uniform crossover (Syswerda 1989, ICGA 3:2): (R, n, D) bool, True where the first parent gives; each coordinate by a fair coin."""
    return streams.coins("recombination", (n, dim), part=1)


def one_point(streams: Streams, n: int, dim: int) -> Tensor:
    """One-point crossover (Holland 1975): (R, n, D) bool; the first parent gives the coordinates before a cut, uniform on 1 .. D - 1."""
    cut = 1 + streams.integers("recombination", max(dim - 1, 1), (n, 1), part=1)
    return torch.arange(dim, device=cut.device) < cut  # (R, n, D)


def two_point(streams: Streams, n: int, dim: int) -> Tensor:
    """Two-point crossover on a ring (De Jong 1975): (R, n, D) bool; of the D gaps of the ring two different ones are cut, each pair as likely.

    The second parent gives the arc that does not hold coordinate D - 1; with D = 1 nothing.
    """
    if dim == 1:
        return torch.ones((streams.size, n, 1), dtype=torch.bool, device=streams.device)
    a, b = streams.choice("recombination", dim, 2, (n,), part=1).sort(-1).values.split(1, -1)  # the gap g lies before coordinate g
    place = torch.arange(dim, device=a.device)
    return (place < a) | (place >= b)


def multi_point(streams: Streams, n: int, dim: int, rate: float | Tensor) -> Tensor:
    """Crossover without interference (Haldane 1919, J. Genet. 8:299): (R, n, D) bool; each of the D - 1 gaps is a cut with probability `rate`."""
    cuts = streams.bernoulli("recombination", wide(rate, 3), (n, dim - 1), part=1)
    before = torch.nn.functional.pad(cuts.to(torch.int32).cumsum(-1), (1, 0))  # cuts before each coordinate
    return before % 2 == 0


CROSSOVERS = {"uniform": uniform, "one_point": one_point, "two_point": two_point}


# mutation ----------------------------------------------------------------------------------------------------------------


def gaussian(points: Tensor, streams: Streams, rate: float | Tensor, sigma: float | Tensor) -> Tensor:
    """Real points (R, n, D) with N(0, sigma^2) added to each coordinate with probability `rate`."""
    shape = points.shape[1:]
    step = column(sigma, points) * streams.normal("mutation", shape)
    if isinstance(rate, Tensor) or rate < 1:
        step = pick(streams.bernoulli("mutation", wide(rate, 3), shape, part=1), step, torch.zeros_like(step))
    return points + step


def bit_flip(points: Tensor, streams: Streams, rate: float | Tensor) -> Tensor:
    """Bits (R, n, D) uint8, each flipped with probability `rate`."""
    return points ^ streams.bernoulli("mutation", wide(rate, 3), points.shape[1:]).view(torch.uint8)


def mutate(points: Tensor, streams: Streams, rate: float | Tensor | None, sigma: float | Tensor) -> Tensor:
    """Bits flipped, or real points moved by N(0, sigma^2), each coordinate with probability `rate`; None: 1 on reals, 1/D on bits."""
    binary = points.dtype == torch.uint8
    if rate is None:
        rate = 1 / points.shape[-1] if binary else 1.0
    if not isinstance(rate, Tensor) and rate == 0:
        return points  # draws are addressed: leaving some out changes no other
    return bit_flip(points, streams, rate) if binary else gaussian(points, streams, rate, sigma)


def one_bit_flip(points: Tensor, streams: Streams) -> Tensor:
    """Bits (R, n, D) uint8, exactly one of each point flipped, every locus as likely."""
    dim = points.shape[-1]
    locus = streams.integers("mutation", dim, (points.shape[1], 1))
    return points ^ (torch.arange(dim, device=points.device) == locus).view(torch.uint8)


# distributions of independent bits ------------------------------------------------------------------------------------------


def sampled_bits(chance: Tensor, streams: Streams, n: int) -> Tensor:
    """Genotypes (R, n, D) uint8 whose loci are 1 independently with chances (R, 1, D), source "mutation"."""
    return streams.bernoulli("mutation", chance.double(), (n, chance.shape[-1])).to(torch.uint8)


def likely(lead: Tensor, start: Tensor) -> Tensor:
    """The likelier alleles (R, D) uint8 by the sign of (R, 1, D), those of the start (R, D) where both are as likely."""
    lead = lead[:, 0]
    return torch.where(lead == 0, start, (lead > 0).to(torch.uint8))


def within_margin(chance: Tensor, margin: float | Tensor | None) -> Tensor:
    """Chances (R, 1, D) held in [margin, 1 - margin]; None: 1/D, at most 1/4."""
    edge = torch.as_tensor(column(min(1 / chance.shape[-1], 0.25) if margin is None else margin, chance), dtype=chance.dtype, device=chance.device)
    return torch.maximum(torch.minimum(chance, 1 - edge), edge)
