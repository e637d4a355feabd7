"""Selection, recombination, mutation and ranks: pure functions on (R, P, D), shared by all populations.

Steps of trajectories are in `optimizers.trajectories`, those of search distributions in `optimizers.strategies`. Values are
losses: lower is better, NaN is worst. Selection draws at "drift", recombination at "recombination" (part 0: who, part 1:
where), mutation at "mutation" (part 0: by how much or which bits, part 1: which coordinates). All parents are drawn with replacement, or
`systematic`: as near to their expected numbers as whole numbers can be, without drift, and then paired at random (source "pairing").
Rates and strengths are numbers or (R,) tensors. Where only the first `among` (R,) of P individuals were asked, the others have the value inf
and never become parents.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from landscapes.base import FitnessLaw, column, power
from landscapes.streams import Streams
from optimizers.fitness import weights

PAIRWISE = 64  # up to so many points, comparing all pairs is faster than sorting
PLASTIC = (0.7548776662466927, 0.5698402909980532)  # 1 / g and 1 / g^2 of the root g of g^3 = g + 1


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


def centered_ranks(value: Tensor, alive: Tensor | None = None) -> Tensor:
    """Ranks of values (R, P) spread evenly over [-1/2, 1/2], the best lowest, ties sharing their mean rank: (R, P); 0 where P = 1.

    Points that are not alive (R, P) have no rank, and 0 stands there; None: all are.

    Source: Salimans et al. 2017, arXiv:1703.03864, section 2 ("fitness shaping"), with ties made symmetric.
    """
    size = value.shape[-1]
    if alive is not None:
        top, count = torch.finfo(value.dtype).max, alive.sum(-1, keepdim=True)
        value = torch.where(alive, value.nan_to_num(nan=top), torch.inf)  # below all that are not alive
        ascending = value.sort(-1).values
        above = torch.searchsorted(ascending, value) + torch.searchsorted(ascending, value, right=True) - count
        return torch.where(alive, above.to(value.dtype) / (2 * (count - 1).clamp_min(1)).to(value.dtype), 0.0)
    if size <= PAIRWISE:
        value = value.nan_to_num(nan=torch.finfo(value.dtype).max)  # and inf likewise, so that inf - inf = 0
        above = torch.sign(value[:, None, :] - value[:, :, None]).sum(1)  # how many are better, less how many are worse
    else:
        value = worst_last(value)
        ascending = value.sort(-1).values
        above = (torch.searchsorted(ascending, value) + torch.searchsorted(ascending, value, right=True) - size).to(value.dtype)
    return above / (2 * max(size - 1, 1))


def shaped(value: Tensor, shaping: str, alive: Tensor | None = None, *, centered: bool = False) -> Tensor:
    """What weighs points of values (R, P), 0 for those that are not alive (R, P): their centered_ranks, or raw, less the mean where `centered`."""
    if shaping == "centered_ranks":
        return centered_ranks(value, alive)
    if alive is None:
        return value - value.mean(1, keepdim=True) if centered else value
    value = torch.where(alive, value, 0.0)
    return torch.where(alive, value - value.sum(1, keepdim=True) / alive.sum(1, keepdim=True).to(value), 0.0) if centered else value


def best(points: Tensor, value: Tensor) -> Tensor:
    """The point of points (R, P, D) with the lowest of values (R, P), the first of ties: (R, D)."""
    return rows(points, worst_last(value).argmin(1, keepdim=True))[:, 0]


def rows(points: Tensor, index: Tensor) -> Tensor:
    """The points of (R, P, D) at index (R, n) -> (R, n, D)."""
    world = torch.arange(len(points), device=points.device)[:, None] * points.shape[1]
    return points.flatten(0, 1).index_select(0, (world + index).flatten()).unflatten(0, index.shape)


# selection: values (R, P) -> n parents (R, n) int64 ------------------------------------------------------------------------


def tournament(value: Tensor, streams: Streams, n: int, *, size: int, part: int = 0, among: Tensor | None = None) -> Tensor:
    """Each parent is the best of `size` individuals drawn uniformly with replacement, the first of ties.

    Source: Goldberg and Deb 1991, Foundations of Genetic Algorithms 1:69.
    """
    entrants = streams.integers("drift", value.shape[1] if among is None else among[:, None, None], (n, size), part)
    winner = worst_last(value).gather(1, entrants.flatten(1)).view_as(entrants).argmin(-1, keepdim=True)
    return entrants.gather(-1, winner)[..., 0]


def truncation(value: Tensor, streams: Streams, n: int, *, fraction: float | Tensor, part: int = 0, among: Tensor | None = None) -> Tensor:
    """Parents are uniform among the best ceil(fraction P), ties by index.

    Source: Muehlenbein and Schlierkamp-Voosen 1993, Evol. Comput. 1:25.
    """
    return order(value).gather(1, streams.integers("drift", wide(kept(value, fraction, among), 2), (n,), part))  # type: ignore[arg-type]


def kept(value: Tensor, fraction: float | Tensor, among: Tensor | None = None) -> Tensor:
    """How many `truncation` keeps, () or (R,) float64."""
    share = torch.as_tensor(fraction, dtype=torch.float64, device=value.device) * (value.shape[1] if among is None else among)
    return (share - 1e-9).ceil().clamp_min(1)  # 0.1 * 30 is a little more than 3


def proportional(
    value: Tensor,
    streams: Streams,
    n: int,
    *,
    fitness: str,
    strength: float | Tensor,
    law: FitnessLaw | None = None,
    part: int = 0,
    among: Tensor | None = None,
) -> Tensor:
    """Parents are drawn in proportion to their fitness (see `optimizers.fitness`); with n = P this is Wright-Fisher sampling.

    Source: Wright 1931, Genetics 16:97.
    """
    w = weights(value, fitness, strength, law)
    return streams.categorical("drift", w if among is None else torch.where(leading(value, among), w, 0.0), (n,), part)


def select(
    value: Tensor,
    streams: Streams,
    n: int,
    method: Any,  # noqa: ANN401
    part: int = 0,
    among: Tensor | None = None,
    law: FitnessLaw | None = None,
) -> Tensor:
    """Parents by the selection that the hyperparameters of a method name, as in `GA`: selection, tournament, truncation, fitness, .."""
    match method.selection:
        case "tournament":
            return tournament(value, streams, n, size=method.tournament, part=part, among=among)
        case "truncation":
            return truncation(value, streams, n, fraction=method.truncation, part=part, among=among)
        case "proportional":
            strength = {"fitness": method.fitness, "strength": method.selection_strength, "law": law}
            return proportional(value, streams, n, **strength, part=part, among=among)
    return neutral(value, streams, n, part=part, among=among)


def neutral(value: Tensor, streams: Streams, n: int, *, part: int = 0, among: Tensor | None = None) -> Tensor:
    """Parents are uniform, whatever their values."""
    return streams.integers("drift", value.shape[1] if among is None else among[:, None], (n,), part)


def leading(value: Tensor, among: Tensor) -> Tensor:
    """The first `among` (R,) of values (R, P): (R, P) bool."""
    return torch.arange(value.shape[1], device=value.device) < among[:, None]


def replaced(places: Tensor, population: int) -> Tensor:
    """Who of K children and then P members is at each place when the children take the places (R, K): (R, P) int64."""
    children = places.shape[1]
    stay = torch.arange(population, device=places.device).expand(len(places), -1) + children
    return stay.scatter(1, places, torch.arange(children, device=places.device).expand_as(places))


def survivors(value: Tensor, streams: Streams, children: int, method: Any) -> Tensor:  # noqa: ANN401
    """Who of K children and then P members, of values (R, K + P), lives at each place then: (R, P) int64; replacement as in `steady_state_ga`."""
    population = value.shape[1] - children
    if method.replacement == "worst":
        return order(value)[:, :population]
    if method.sampling == "systematic":
        return replaced(turn(streams, population, children, value.device), population)
    return replaced(streams.choice("drift", population, children, part=2), population)


# selection without drift -------------------------------------------------------------------------------------------------


def parents(
    value: Tensor,
    streams: Streams,
    n: int,
    method: Any,  # noqa: ANN401
    part: int = 0,
    among: Tensor | None = None,
    law: FitnessLaw | None = None,
) -> Tensor:
    """N parents (R, n) int64 by the selection and the sampling, random or systematic, that a method names; second parents at odd parts."""
    if method.sampling == "random":
        return select(value, streams, n, method, part, among, law)
    return systematic(value, chances(value, method, among, law), streams, n, part)


def systematic(value: Tensor, chance: Tensor, streams: Streams, n: int, part: int = 0) -> Tensor:
    """N parents (R, n) int64: of an individual that is to have m = n * chance of them on average, m rounded down or up, whatever is drawn.

    Pointers at equal distances walk along the chances, from the best individual to the worst (stochastic universal sampling, Baker 1987, ICGA
    2:14). Its one draw, the place of the first pointer, is replaced by step * 1/g or, at odd parts, step * 1/g^2, modulo 1, which fill the
    square evenly (Roberts 2018, "The unreasonable effectiveness of quasirandom sequences"): over the steps the rounding averages out, also
    where there is one parent a step. At odd parts, those of second parents, they come in a random order: who mates with whom is no drift.

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
    return chosen.gather(1, streams.permutation("pairing", n, part=part)) if part % 2 and n > 1 else chosen


def chances(value: Tensor, method: Any, among: Tensor | None = None, law: FitnessLaw | None = None) -> Tensor:  # noqa: ANN401
    """The chance (R, P) float64, up to a factor, with which `select` draws each individual of values (R, P); alike where their values are."""
    if method.selection == "tournament":
        return tournament_chances(value, method.tournament, among)
    if method.selection == "proportional":
        chance = weights(value, method.fitness, method.selection_strength, law)
    elif method.selection == "truncation":
        chance = (order(value).argsort(1) < wide(kept(value, method.truncation, among), 2)).double()
    else:
        chance = torch.ones_like(value, dtype=torch.float64)
    return chance if among is None else torch.where(leading(value, among), chance, 0.0)


def tournament_chances(value: Tensor, size: int, among: Tensor | None = None) -> Tensor:
    """The chance (R, P) float64 to win a `tournament`: [(1 - a/P)^k - (1 - b/P)^k] / (b - a), where a individuals are better and b no worse."""
    held = worst_last(value)
    ascending, count = held.sort(1).values, torch.tensor(value.shape[1], device=value.device) if among is None else among[:, None]
    better, no_worse = torch.searchsorted(ascending, held), torch.minimum(torch.searchsorted(ascending, held, right=True), count)
    chance = (power(1 - better / count.double(), size) - power(1 - no_worse / count.double(), size)) / (no_worse - better)
    return chance if among is None else torch.where(leading(value, among), chance, 0.0)


def turn(streams: Streams, population: int, count: int, device: torch.device) -> Tensor:
    """Whose turn it is at this step, each of P in order and `count` at a time: (R, count) int64."""
    step = torch.as_tensor(streams.step, device=device).reshape(-1, 1).expand(streams.size, 1)
    return (step * count + torch.arange(count, device=device)) % population


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


def mutate(points: Tensor, streams: Streams, rate: float | Tensor | None, sigma: float | Tensor, scale: Tensor | None = None) -> Tensor:
    """Bits flipped, or real points moved by N(0, sigma^2), each coordinate with probability `rate`; None: 1 on reals, 1/D on bits.

    A scale (R,) multiplies sigma on reals, the rate on bits.
    """
    binary = points.dtype == torch.uint8
    if rate is None:
        rate = 1 / points.shape[-1] if binary else 1.0
    if scale is not None:
        rate, sigma = (rate * scale, sigma) if binary else (rate, sigma * scale)
    if not isinstance(rate, Tensor) and rate == 0:
        return points  # draws are addressed: leaving some out changes no other
    return bit_flip(points, streams, rate) if binary else gaussian(points, streams, rate, sigma)


def one_bit_flip(points: Tensor, streams: Streams) -> Tensor:
    """Bits (R, n, D) uint8, exactly one of each point flipped, every locus as likely."""
    dim = points.shape[-1]
    locus = streams.integers("mutation", dim, (points.shape[1], 1))
    return points ^ (torch.arange(dim, device=points.device) == locus).view(torch.uint8)


# a generation ------------------------------------------------------------------------------------------------------------


def generation(
    points: Tensor,
    value: Tensor,
    streams: Streams,
    method: Any,  # noqa: ANN401
    *,
    among: Tensor | None = None,
    scale: Tensor | None = None,
    law: FitnessLaw | None = None,
) -> tuple[Tensor, Tensor]:
    """The population after points (R, P, D) of values (R, P), elites first, by the hyperparameters that a method names, as in `GA`.

    Returns:
        The elites and the children, (R, P, D), and their parents (R, P, 2), the same twice where there was no second one.
    """
    n = value.shape[1] - method.elite
    one = two = parents(value, streams, n, method, among=among, law=law)
    children = rows(points, one)
    if method.crossover != "none" and (isinstance(method.recombination_rate, Tensor) or method.recombination_rate != 0):
        two = torch.where(crosses(streams, n, method.recombination_rate), parents(value, streams, n, method, 1, among, law), one)
        children = recombine(children, rows(points, two), streams, method.crossover)
    children, both = mutate(children, streams, method.mutation_rate, method.mutation_sigma, scale), torch.stack([one, two], -1)
    if method.elite:
        elite = order(value)[:, : method.elite]
        children = torch.cat([rows(points, elite), children], 1)
        both = torch.cat([elite[..., None].expand(-1, -1, 2), both], 1)
    return children, both


def breed(points: Tensor, value: Tensor, streams: Streams, n: int, method: Any) -> Tensor:  # noqa: ANN401
    """Children (R, n, D) of members (R, P, D) of values (R, P), by the hyperparameters of a method as in `steady_state_ga`."""

    def winners(part: int) -> Tensor:
        if method.sampling == "systematic":
            return systematic(value, tournament_chances(value, method.tournament), streams, n, part)
        return tournament(value, streams, n, size=method.tournament, part=part)

    first = winners(0)
    born = rows(points, first)
    if method.crossover != "none":
        crossed = crosses(streams, n, method.recombination_rate)
        second = torch.where(crossed, winners(1), first)
        born = recombine(born, rows(points, second), streams, method.crossover)
    return mutate(born, streams, method.mutation_rate, method.mutation_sigma)


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
