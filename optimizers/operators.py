"""Selection, recombination, mutation and ranks: pure functions on (R, P, D), shared by all populations.

Values are losses: lower is better, NaN is worst. Selection draws at "drift", recombination at "recombination" (part 0: who, part 1:
where), mutation at "mutation" (part 0: by how much or which bits, part 1: which coordinates). All parents are drawn with replacement.
Rates and strengths are numbers or (R,) tensors.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from landscapes.base import Answer, Problem, Reals, column, dot, matmul
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


# trajectories: what methods that move P points (R, P, D) share ---------------------------------------------------------------


def per_world(value: float | Tensor, like: Tensor) -> Tensor:
    """A hyperparameter as one number for each world of like (R, ...): (R,) float64, the same bits from a number as from a tensor."""
    return torch.as_tensor(value, dtype=torch.float64, device=like.device).expand(len(like))


def unseen(points: Tensor, dtype: torch.dtype) -> Tensor:
    """Values (R, P) of points that were never asked: inf."""
    return torch.full(points.shape[:2], torch.inf, dtype=dtype, device=points.device)


def seen(value: Tensor) -> Tensor:
    """What ranks the points: the values (R, P) answered; on a game, (R, P, players), no loss says which is best: zeros."""
    return value if value.ndim == 2 else torch.zeros_like(value[..., 0])


def slope(answer: Answer, name: str) -> Tensor:
    """The gradient answered, (R, P, D).

    Raises:
        ValueError: there is none.
    """
    if answer.gradient is None:
        raise ValueError(f"{name}.tell: expected an answer with gradients, got values only; ask with gradient=True")
    return answer.gradient


def clipped(gradient: Tensor, bound: float | Tensor | None) -> Tensor:
    """The gradients (R, P, D), those longer than `bound` made as long as it; None: as they are."""
    if bound is None:
        return gradient
    longest, norm = column(bound, gradient), dot(gradient, gradient).sqrt()[..., None]
    scale = norm.reciprocal() * longest  # longest / norm rounds otherwise where it is a number
    return torch.where(norm > longest, gradient * scale, gradient)


def running(beta: float | Tensor, mean: Tensor, fresh: Tensor) -> Tensor:
    """The running mean beta mean + (1 - beta) fresh, (R, P, D)."""
    return column(beta, fresh) * mean + column(1 - wide(beta, 1), fresh) * fresh


def unbias(beta: float | Tensor, t: Tensor, like: Tensor) -> float | Tensor:
    """1 / (1 - beta ** t), what makes a running mean that began at 0 unbiased after t (R,) float64 steps, to broadcast against like (R, P, D)."""
    logarithm = torch.as_tensor(beta, dtype=torch.float64, device=t.device).log()
    return column(1 / (1 - torch.exp(t * logarithm)), like)


def propose(points: Tensor, streams: Streams, sigma: float | Tensor, rate: float | Tensor | None) -> Tensor:
    """Symmetric proposals from points (R, P, D): reals plus N(0, sigma^2), bits each flipped with probability `rate`, or exactly one for None."""
    if points.dtype != torch.uint8:
        return gaussian(points, streams, 1.0, sigma)
    return one_bit_flip(points, streams) if rate is None else bit_flip(points, streams, rate)


def metropolis(old: Tensor, new: Tensor, temperature: float | Tensor, streams: Streams) -> Tensor:
    """Which proposals are accepted, with chance min(1, exp((old - new) / T)), of values (R, P): (R, P) bool, source "acceptance".

    At T = 0 those that are no worse. NaN is never accepted over a number.

    Source: Metropolis et al. 1953, J. Chem. Phys. 21:1087.
    """
    rise = (worst_last(new).double() - worst_last(old).double()).nan_to_num(nan=0.0, posinf=torch.inf, neginf=-torch.inf)  # inf - inf: no worse
    heat = per_world(temperature, old).reshape(-1, 1)
    chance = torch.where(rise <= 0, 1.0, torch.exp(-rise.clamp_min(0) / heat))
    return streams.bernoulli("acceptance", chance.nan_to_num(nan=0.0), tuple(old.shape[1:]))


# evolution strategies ----------------------------------------------------------------------------------------------------


def start_sigma(sigma: float | Tensor | None, problem: Problem, like: Tensor) -> Tensor:
    """The initial standard deviation as a tensor of the shape of `like` (R, 1, .); None: 0.3 of the width of the start box."""
    if sigma is None:
        assert isinstance(problem.domain, Reals)
        sigma = 0.3 * (problem.domain.high - problem.domain.low)
    return torch.ones_like(like) * column(sigma, like)


def default_population(dim: int) -> int:
    """4 + floor(3 ln D) points, the default of CMA-ES and the natural evolution strategies."""
    return 4 + math.floor(3 * math.log(dim))


def ranked(points: Tensor, value: Tensor) -> Tensor:
    """The points (R, P, D) from best to worst, ties by index: (R, P, D)."""
    return rows(points, order(value))


def weighted_sum(weights: Tensor, points: Tensor) -> Tensor:
    """sum_k w_k x_k of weights (n,) or (R, n) and the first n of points (R, P, D): (R, 1, D)."""
    weights = weights.to(points).expand(len(points), weights.shape[-1])[:, None]
    return matmul(weights, points[:, : weights.shape[-1]])


def utilities(n: int) -> Tensor:
    """max(0, ln(n/2 + 1) - ln k), normalised to sum 1, less 1/n, of ranks k = 1 .. n: (n,) float64, sum 0; 0 where n = 1.

    Source: Wierstra et al. 2014, J. Mach. Learn. Res. 15:949, section 3.1.
    """
    raw = (math.log(n / 2 + 1) - torch.arange(1, n + 1, dtype=torch.float64).log()).clamp_min(0)
    return raw / raw.sum() - 1 / n


def log_weights(n: int) -> Tensor:
    """ln((n + 1) / 2) - ln k of ranks k = 1 .. n, positive for the better half: (n,) float64.

    Source: Hansen 2016, arXiv:1604.00772, equation 49.
    """
    return math.log((n + 1) / 2) - torch.arange(1, n + 1, dtype=torch.float64).log()


def effective_size(weights: Tensor) -> float:
    """mu_eff = (sum |w|)^2 / sum w^2 of weights (n,); 0 where all are 0."""
    return float(weights.abs().sum() ** 2 / weights.square().sum().clamp_min(1e-300))


def cumulated(path: Tensor, shift: Tensor, rate: float, size: float) -> Tensor:
    """An evolution path: (1 - c) p + sqrt(c (2 - c) mu_eff) shift; p is N(0, I) where shift is N(0, I / mu_eff)."""
    return (1 - rate) * path + math.sqrt(rate * (2 - rate) * size) * shift


def path_constants(dim: int, size: float) -> tuple[float, float]:
    """c_sigma and d_sigma of dimension D and mu_eff.

    Source: Hansen 2016, arXiv:1604.00772, equation 55.
    """
    rate = (size + 2) / (dim + size + 5)
    return rate, 1 + 2 * max(0.0, math.sqrt(max(0.0, size - 1) / (dim + 1)) - 1) + rate


def normal_length(dim: int) -> float:
    """E |N(0, I)| = sqrt 2 Gamma((D + 1) / 2) / Gamma(D / 2)."""
    return math.sqrt(2) * math.exp(math.lgamma((dim + 1) / 2) - math.lgamma(dim / 2))


def path_length_control(path: Tensor, rate: float, damping: float | Tensor) -> Tensor:
    """The factor exp(min(1, c / d (|p| / E |N(0, I)| - 1))) of sigma, of paths (R, 1, D): (R, 1, 1).

    Source: Hansen and Ostermeier 2001, Evol. Comput. 9:159, equation 17.
    """
    excess = dot(path, path).sqrt()[..., None] / normal_length(path.shape[-1]) - 1
    return torch.exp((rate / damping * excess).clamp_max(1.0))


def eigen(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues (R, 1, D), ascending, and eigenvectors, the columns of (R, D, D), of symmetric (R, D, D); NaN where not finite."""
    good = matrix.isfinite().flatten(1).all(1)[:, None, None]
    eye = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    values, vectors = torch.linalg.eigh(torch.where(good, matrix, eye))  # LAPACK, one matrix after another: each world's bits are its own
    return torch.where(good, values[:, None], torch.nan), torch.where(good, vectors, torch.nan)


def trials(points: Tensor, fresh: Tensor, step: Tensor, exact: Tensor) -> Tensor:
    """What a walk with stored values asks to compare points and proposals, (R, P, D) each.

    Where values are exact, the points before the first step and then the proposals, (R, P, D); else the points and the proposals, (R, 2P, D).
    """
    if bool(exact.all()):
        return torch.where((step == 0)[:, None, None], points, fresh)
    return torch.cat([points, fresh], 1)


def compared(value: Tensor, asked: Tensor, answered: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What `trials` asked, apart: values of the points (R, P), the stored ones `value` unless asked again, the proposals (R, P, D), theirs (R, P)."""
    count, answered = value.shape[1], worst_last(answered)
    return value if asked.shape[1] == count else answered[:, :count], asked[:, -count:], answered[:, -count:]


def walk(
    points: Tensor, value: Tensor, asked: Tensor, answered: Tensor, temperature: float | Tensor, streams: Streams
) -> tuple[Tensor, Tensor, Tensor]:
    """Accept or reject what `trials` asked: points, values and acceptance after the step, (R, P, D), (R, P) and (R, P) bool.

    Args:
        points: (R, P, D) where the walkers are.
        value: (R, P) stored; inf before the first step. Not used where the points were asked again.
        asked: (R, P or 2P, D).
        answered: (R, P or 2P) its values.
        temperature: a number or (R,).
        streams: at this step.

    Returns:
        The new points, their values, and which proposals were accepted.
    """
    count = points.shape[1]
    old = value if asked.shape[1] == count else answered[:, :count]
    fresh, new = asked[:, -count:], answered[:, -count:]
    accepted = metropolis(old, new, temperature, streams)
    return torch.where(accepted[..., None], fresh, points), torch.where(accepted, new, old), accepted
