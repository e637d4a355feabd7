"""The steps that theory gives to selection in proportion to fitness.

On the individuals that live, and on the distribution that they came from.

selection     Cov(w, x) / W over the present population (Price 1970, Nature 227:520): the mean over drift of
              a step of selection alone, exactly, whatever the epistasis and the linkage
mean_fitness  G grad ln W (Wright 1937, PNAS 23:307; Lande 1976, Evolution 30:314): G is the population's
              covariance, W the mean fitness of the distribution of which its mean is a parameter. On reals
              that is the Gaussian with the population's mean and covariance, and by parts G grad ln W =
              Cov(w, x) / W in it. On bits it is linkage equilibrium at the population's allele frequencies p,
              where W(p) is the multilinear extension of w, and p_i (1 - p_i) dW/dp_i = Cov(w, x_i). It is
              summed over all genotypes of up to 12 loci of haploids, and elsewhere averaged over points drawn
              at source "ledger", another sample for each of two halves.

Fitness is that of the true loss, noise-free, and it changes the mean by `Optimizer.parentage`. Neither is
defined where there is none: for methods that descend gradients or select by rank, which discards by how much
w differs; nor where there is no population. A step that also mutates, recombines, learns or keeps elites
differs from both by what these do.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from landscapes.addresses import ADDRESSES
from landscapes.base import Bits
from landscapes.numerics import dot, matmul
from landscapes.streams import Streams
from studies.cells.ledger.arms import LIMIT
from studies.cells.ledger.freezing import Frozen, subset
from studies.cells.ledger.population import true_loss
from studies.cells.ledger.redraws import Scene

ENUMERATED = 12  # loci whose genotypes are all asked
DRAWS = 16  # points of the distribution, for each point at which the gradient is averaged
PARTS = tuple(ADDRESSES["parts of ledger"]["selection"])  # one for each half of the points


class Directions(NamedTuple):
    """Steps (R, D) by theory, NaN where they are not defined."""

    selection: Tensor
    mean_fitness: tuple[Tensor, Tensor]  # its two halves


def directions(
    scene: Scene, moment: Frozen, population: tuple[Tensor, Tensor] | None, points: int
) -> Directions:
    """The two steps of R worlds.

    Args:
        scene: the R worlds.
        moment: their states.
        population: points (R, P, D) and their shares of the population (R, P); None: there is none.
        points: a sample of the distribution has `DRAWS` times as many; 0: mean_fitness is not asked.
    """
    center = scene.optimizer.center(moment.state).double()
    nothing = torch.full_like(center, torch.nan)
    chosen = None if population is None else _chosen(scene, moment, *population)
    if population is None or chosen is None:
        return Directions(nothing, (nothing, nothing))
    if scene.optimizer.demes > 1 or not points:
        return Directions(chosen, (nothing, nothing))
    halves = []
    for rows in _blocks(scene, center, DRAWS * points):
        own = tuple(part[rows] for part in population)
        halves.append(_mean_fitness(scene.subset(rows), subset(moment, rows), own, DRAWS * points))
    first, second = zip(*halves, strict=True)
    return Directions(chosen, (torch.cat(first), torch.cat(second)))


def _blocks(scene: Scene, center: Tensor, sample: int) -> tuple[Tensor, ...]:
    """The R worlds, as many at a time as memory allows with a sample of so many points of each."""
    worlds, dim = center.shape
    points = max(sample, 2**dim if _enumerated(scene, dim) else 1)
    return torch.arange(worlds).split(max(1, LIMIT // (points * dim)))


def _chosen(scene: Scene, moment: Frozen, points: Tensor, share: Tensor) -> Tensor | None:
    """Cov(w, x) / W over points (R, P, D) with shares (R, P): (R, D).

    None where the method has no fitness.
    """
    loss = torch.where(share > 0, true_loss(scene, moment, points), torch.inf)
    born = scene.optimizer.parentage(loss, scene.landscape.fitness_law)
    return None if born is None else _moved(points.double(), share, share * born)


def _by_fitness(scene: Scene, moment: Frozen, points: Tensor, share: Tensor) -> Tensor:
    """The same of a method that has fitness."""
    chosen = _chosen(scene, moment, points, share)
    assert chosen is not None  # noqa: S101 - for the type checker
    return chosen


def _moved(points: Tensor, share: Tensor, born: Tensor) -> Tensor:
    """The mean (R, D) of points (R, P, D) by what is born, up to a factor, less that by shares (R, P)."""
    change = born / born.sum(1, keepdim=True) - share
    return (
        torch.where(share > 0, change, 0.0)[..., None] * torch.where(share[..., None] > 0, points, 0.0)
    ).sum(1)


def _mean_fitness(
    scene: Scene, moment: Frozen, population: tuple[Tensor, ...], count: int
) -> tuple[Tensor, Tensor]:
    """The two halves (R, D) of the step up the mean fitness, a sample of `count` points for each."""
    points, share = population[0].double(), population[1]
    lives = share[..., None] > 0
    mean = (share[..., None] * torch.where(lives, points, 0.0)).sum(1)
    away = torch.where(lives, points - mean[:, None], 0.0)
    if not isinstance(scene.landscape.domain, Bits):
        root, streams = _root(away, share), scene.streams.at(moment.step)
        first, second = (
            _of_sample(scene, moment, _gaussian(mean, root, streams, count, part)) for part in PARTS
        )
        return first, second
    spread = mean * (1 - mean)
    slopes = [
        torch.where(spread > 0, half / spread, 0.0)
        for half in _at_equilibrium(scene, moment, mean, count)
    ]
    first, second = (
        (share[..., None] * away * dot(away, slope[:, None])[..., None]).sum(1) for slope in slopes
    )
    return first, second


def _at_equilibrium(scene: Scene, moment: Frozen, p: Tensor, count: int) -> list[Tensor]:
    """Two halves of Cov(w, x) / W (R, D) at frequencies p (R, D) and linkage equilibrium."""
    if _enumerated(scene, p.shape[1]):
        return [_of_all(scene, moment, p)] * 2
    streams = scene.streams.at(moment.step)
    spared = count / (
        count - scene.optimizer.haplotypes
    )  # a mean of n individuals is taken off: n / (n - 1)
    return [spared * _of_sample(scene, moment, _independent(p, streams, count, part)) for part in PARTS]


def _enumerated(scene: Scene, loci: int) -> bool:
    return (
        isinstance(scene.landscape.domain, Bits)
        and loci <= ENUMERATED
        and scene.optimizer.haplotypes == 1
    )


# the distribution -------------------------------------------------------------------------------------------


def _of_all(scene: Scene, moment: Frozen, p: Tensor) -> Tensor:
    """Cov(w, x) / W over all genotypes, at frequencies p (R, D) and linkage equilibrium: (R, D)."""
    dim = p.shape[1]
    every = (
        torch.arange(2**dim, device=p.device)[:, None] >> torch.arange(dim, device=p.device) & 1
    ).to(torch.uint8)
    chance = torch.where(every > 0, p[:, None], 1 - p[:, None]).prod(2)  # (R, 2^D)
    return _by_fitness(scene, moment, every.expand(len(p), -1, -1), chance)


def _of_sample(scene: Scene, moment: Frozen, points: Tensor) -> Tensor:
    """Cov(w, x) / W over a sample (R, K, D), individuals one after another: (R, D)."""
    share = points.new_full(points.shape[:2], 1 / points.shape[1], dtype=torch.float64)
    return _by_fitness(scene, moment, points, share)


def _independent(p: Tensor, streams: Streams, count: int, part: int) -> Tensor:
    """Genotypes (R, K, D) whose loci are 1 independently with chances p (R, D)."""
    return streams.bernoulli("ledger", p[:, None], (count, p.shape[1]), part=part).to(torch.uint8)


def _gaussian(mean: Tensor, root: Tensor, streams: Streams, count: int, part: int) -> Tensor:
    """Points (R, K, D) of the Gaussian with this mean (R, D) and root' root as covariance.

    The second half are the mirror images of the first.
    """
    away = matmul(streams.normal("ledger", (count // 2, root.shape[1]), part=part).double(), root)
    return (mean[:, None] + torch.cat([away, -away], 1)).to(streams.dtype)


def _root(away: Tensor, share: Tensor) -> Tensor:
    """A root (R, min(P, D), D) of the covariance of points that are away (R, P, D) from their mean.

    Shares (R, P) weight them.
    """
    rows = away * share.sqrt()[..., None]
    if rows.shape[1] <= rows.shape[2]:
        return rows
    good = rows.isfinite().all((1, 2))[:, None, None]
    values, vectors = torch.linalg.eigh(torch.where(good, matmul(rows.mT, rows), 0.0))
    return torch.where(good, values.clamp_min(0).sqrt()[..., None] * vectors.mT, torch.nan)
