"""Hill climbs from random genotypes, where 2^n genotypes are too many.

The rules of `landscapes.probes.binary.climbs`, from the same kind of start.

Where the best genotype of the landscape is not known, that of the highest fitness at which a climb of any
rule ended stands for it.

Streams: "init" for starts and "mutation" for steps and paths, from a step on that no study reaches.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from landscapes import addresses
from landscapes.probes.binary.climbs import RULES, Rule
from landscapes.probes.binary.enumeration import fitness
from landscapes.probes.binary.sampled import Sample, mutants
from landscapes.probes.correlation import pearson, ranks
from landscapes.probes.estimates import Estimate, jackknife, mean, share
from landscapes.streams import Streams

DEPTH = 12  # loci from the best genotype to which accessible paths are followed
_CLIMBS = addresses.first("steps", "probes: hill climbs")
_STEPS = 2**24  # for the climbs of one rule
_PATHS = addresses.first("steps", "probes: accessible paths")
_BITS = 2**21


class Climbed(NamedTuple):
    """Climbs under one rule."""

    x: Tensor  # (R, C, n) where they ended
    value: Tensor  # (R, C) the fitness there
    length: Tensor  # (R, C) steps


@dataclass(frozen=True)
class SampledClimbs:
    """Climbs of a sample, each made when it is first asked for.

    Args:
        sample: of the landscape.
    """

    sample: Sample

    @property
    def count(self) -> int:
        """C, the climbs of each rule: an eighth of the sample, fewer where neighbourhoods are dear."""
        return max(16, min(self.sample.size // 8, _BITS // self.sample.n**2))

    @cached_property
    def all(self) -> dict[str, Climbed]:
        """The climbs of each rule, all from the same starts."""
        return {rule: climb(self.sample, self.count, rule) for rule in RULES}

    @cached_property
    def best(self) -> tuple[Tensor, Tensor]:
        """The best genotype (R, n), known or found, and its fitness (R,)."""
        optimum = self.sample.landscape.optimum
        if optimum is not None:
            return optimum.cpu(), fitness(self.sample.landscape, optimum[:, None])[:, 0]
        x = torch.cat([climbed.x for climbed in self.all.values()], 1)
        value = torch.cat([climbed.value for climbed in self.all.values()], 1)
        top, place = value.max(1)
        return x.take_along_dim(place[:, None, None], 1)[:, 0], top


def climb(sample: Sample, count: int, rule: Rule) -> Climbed:
    """Climb from random genotypes until none has a fitter neighbour."""
    first = _CLIMBS + _STEPS * RULES.index(rule)  # step of the streams
    streams = sample.streams.at(_CLIMBS)
    x = streams.coins("init", (count, sample.n)).to(torch.uint8)
    length = torch.zeros((len(x), count), dtype=torch.float64)
    going = torch.ones_like(length).bool()
    for step in range(_STEPS):
        some = going.any(0).nonzero()[:, 0]  # climbs that go on in any world
        if not len(some):
            break
        now = x[:, some.to(x.device)]
        gain = _gains(sample, now)
        up = (gain > 0).any(2)
        going[:, some] = up
        locus = _choose(gain, rule, streams.at(first + step), count, some)
        flip = torch.nn.functional.one_hot(locus, sample.n).to(torch.uint8) * up[..., None]
        x[:, some.to(x.device)] = now ^ flip.to(x.device)
        length[:, some] += up
    return Climbed(x.cpu(), fitness(sample.landscape, x), length)


def _gains(sample: Sample, x: Tensor) -> Tensor:
    """The gain in fitness by a flip of each locus of genotypes (R, C, n); 0 where rounding, or a loss."""
    gain = mutants(sample.landscape, x) - fitness(sample.landscape, x)[..., None]
    return torch.where(gain <= sample.resolution, 0.0, gain)


def _choose(gain: Tensor, rule: Rule, streams: Streams, count: int, some: Tensor) -> Tensor:
    """The locus that each climb flips, by the gains in fitness (R, C', n), 0 where there is none: (R, C')."""
    if rule == "greedy":
        return gain.argmax(2)
    weight = (gain > 0).double() if rule == "random" else gain
    cdf = weight.cumsum(2)
    u = streams.uniform("mutation", (count,)).double().cpu()[:, some]
    locus = torch.searchsorted(cdf, u[..., None] * cdf[..., -1:], right=True)[..., 0]
    return locus.clamp_max(gain.shape[2] - 1)


# measures ---------------------------------------------------------------------------------------------------


def walk_length(climbs: SampledClimbs, rule: Rule) -> Estimate:
    """Mean number of steps."""
    return mean(climbs.all[rule].length)


def basin_best(climbs: SampledClimbs, rule: Rule) -> Estimate:
    """Fraction of climbs that end at the fitness of the best genotype, known or found."""
    return share(climbs.all[rule].value >= climbs.best[1][:, None] - climbs.sample.resolution[..., 0])


def peaks_found(climbs: SampledClimbs) -> Estimate:
    """Different ends of the climbs of all rules.

    A lower bound of the number of local optima, so it has no error (NaN).
    """
    ends = torch.cat([climbed.x for climbed in climbs.all.values()], 1)
    count = torch.tensor([len(world.unique(dim=0)) for world in ends], dtype=torch.float64)
    return count, torch.full_like(count, torch.nan)


def fitness_distance(climbs: SampledClimbs, spearman: bool = False) -> Estimate:
    """Correlation of the fitness of random genotypes and their distance to the nearest of the best.

    Those that are known, or the best that was met.
    """
    x, value = climbs.sample.genotypes
    known = climbs.sample.landscape.optima
    goals = climbs.best[0][:, None] if known is None else known.cpu()
    apart = torch.stack([(x ^ goal[:, None]).sum(2) for goal in goals.unbind(1)]).amin(0).double()
    return jackknife(
        lambda a, b: pearson(ranks(a), ranks(b)) if spearman else pearson(a, b), value, apart
    )


def accessible_fraction(climbs: SampledClimbs) -> Estimate:
    """Fraction of direct paths to the best genotype, known or met, on which every step is fitter: (R, K).

    Paths begin d = 1 .. K loci away.
    """
    sample, (goal, top) = climbs.sample, climbs.best
    depth = min(sample.n, DEPTH)
    order = sample.streams.at(_PATHS).permutation("mutation", sample.n, (sample.size,))[..., :depth]
    flips = torch.nn.functional.one_hot(order.cpu(), sample.n).cumsum(2).to(torch.uint8)
    x = (goal[:, None, None] ^ flips).flatten(1, 2)
    value = fitness(sample.landscape, x.to(sample.streams.device)).unflatten(1, (sample.size, depth))
    before = torch.cat((top[:, None, None].expand(-1, sample.size, 1), value[..., :-1]), 2)
    return share((before - value > sample.resolution).cummin(2).values)
