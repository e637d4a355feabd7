"""What a population is made of, and what changes its mean loss in a step.

Selection, drift, recombination and mutation.

The population is the points asked, those really asked or all, or what else a state holds, whichever has the
optimizer's center as its mean; there has to be more than one point. Each counts alike, or by its frequency
where they are genotypes (`Optimizer.share`). On bits, with p the frequency of allele 1 at a locus, means over
loci or pairs of them:

    heterozygosity          2 p (1 - p)
    linkage disequilibrium  r^2 = (p_AB - p_A p_B)^2 / [p_A (1 - p_A) p_B (1 - p_B)]
                            of pairs at which both loci are polymorphic
    fixed loci              the share with p = 0 or 1

(Nei 1973, PNAS 70:3321; Hill and Robertson 1968, Theor. Appl. Genet. 38:226.)

The change of the mean true loss W, the same draws in every term, with recombination and mutation switched off
first (`Optimizer.switches`):

    selection      E W(reproduction alone) - W(before), the expectation over redraws of "drift"
    drift          W(reproduction alone) - E W(reproduction alone)
    recombination  W(without mutation) - W(reproduction alone)
    mutation       W(after) - W(without mutation)

Selection and drift are the covariance of the Price equation (Price 1970, Nature 227:520), Cov(w, z) / w_mean
with z the loss and w the number of offspring, expected and realised; recombination and mutation are its
transmission term, E(w dz) / w_mean. What the oracle's noise does to who is selected is in selection. A method
without a switch for drift has no such parts, and one that descends gradients neither.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import torch
from torch import Tensor

from landscapes.base import Bits
from landscapes.numerics import dot
from landscapes.oracle.evaluation import evaluate
from optimizers import operators
from optimizers.base import Optimizer, State
from studies.cells.ledger.arms import LIMIT
from studies.cells.ledger.freezing import Frozen
from studies.cells.ledger.redraws import Scene, trials
from studies.text.schema import POPULATION

FORCES = ("selection", "drift", "recombination", "mutation")
CLOSE = 1e-4  # how far, relative to the size of coordinates, rounding in float32 may take a mean


def observe(scene: Scene, moment: Frozen, redraws: int) -> dict[str, Tensor]:
    """The variables of `schema.POPULATION` of R worlds; NaN where there is no population.

    Args:
        scene: the R worlds.
        moment: their states.
        redraws: M, over which an expectation is taken.
    """
    population = members(scene, moment)
    if population is None:
        return {
            name: torch.full((len(moment.step), *(len(FORCES) for _ in about.dims)), torch.nan)
            for name, about in POPULATION.items()
        }
    points, share = population
    loss = true_loss(scene, moment, points)
    return {
        "loss_variance": _mean((loss - _mean(loss, share)[:, None]).square(), share),
        "genotypes": genotypes(points, share),
        "price": _price(scene, moment, points, share, loss, redraws),
        **alleles(points, share, isinstance(scene.landscape.domain, Bits)),
    }


def genotypes(points: Tensor, share: Tensor) -> Tensor:
    """How many different points (R, P, D) of shares (R, P) live: (R,), NaN in worlds that diverged."""
    alive = [own[lives] for own, lives in zip(points, share > 0, strict=True)]
    different = [len(torch.unique(own, dim=0)) if own.isfinite().all() else torch.nan for own in alive]
    return torch.tensor(different, dtype=torch.float64)


def members(scene: Scene, moment: Frozen) -> tuple[Tensor, Tensor] | None:
    """The points (R, P, D) of the population, and their shares of it (R, P) float64.

    None where there is none, as in a game.
    """
    return _members(scene, moment.state, moment.step) if len(scene.landscape.players) == 1 else None


def alleles(points: Tensor, share: Tensor, binary: bool) -> dict[str, Tensor]:
    """What only bits (R, P, D) with shares (R, P) have: (R,) each."""
    if not binary:
        names = ("heterozygosity", "linkage_disequilibrium", "fixed_loci")
        return {name: torch.full((len(points),), torch.nan) for name in names}
    p = frequencies(points, share)
    return {
        "heterozygosity": heterozygosity(p),
        "linkage_disequilibrium": disequilibrium(points, share, p),
        "fixed_loci": fixed_loci(p, points.shape[1]),
    }


def frequencies(points: Tensor, share: Tensor) -> Tensor:
    """Frequencies of allele 1 at each locus of bits (R, P, D) with shares (R, P): (R, D)."""
    return (share[..., None] * points).sum(1)


def heterozygosity(frequency: Tensor) -> Tensor:
    """Mean of 2 p (1 - p) over loci of frequencies (R, D): (R,)."""
    return (2 * frequency * (1 - frequency)).mean(1)


def fixed_loci(frequency: Tensor, points: int) -> Tensor:
    """Share of loci of frequencies (R, D), of so many points, with one allele alone: (R,)."""
    return 1 - polymorphic(frequency, points).double().mean(1)


def disequilibrium(points: Tensor, share: Tensor, frequency: Tensor) -> Tensor:
    """Mean r^2 over pairs of polymorphic loci of bits (R, P, D) with shares (R, P): (R,)."""
    held = polymorphic(frequency, points.shape[1]).double()
    worlds = zip(points, share[..., None], frequency, held, strict=True)
    return torch.stack([_correlation(*world) for world in worlds])


def polymorphic(frequency: Tensor, points: int) -> Tensor:
    """Whether both alleles live at loci of these frequencies (R, D), of so many points: (R, D) bool.

    Frequency p of one copy in P has p (1 - p) = (P - 1) / P^2.
    """
    return frequency * (1 - frequency) > CLOSE / points


def _correlation(points: Tensor, share: Tensor, p: Tensor, held: Tensor) -> Tensor:
    """Mean r^2 over pairs of the polymorphic loci of one world's points (P, D), weighted (P, 1).

    NaN where there is no pair.
    """
    away = ((points - p) / (p * (1 - p)).where(held > 0, 1.0).sqrt() * share.sqrt() * held)[:, held > 0]
    loci = away.shape[1]
    # either product has the sum of squares of the matrix of correlations
    small = away @ away.mT if away.shape[0] < loci else away.mT @ away
    return (small.square().sum() - loci) / (loci * (loci - 1)) if loci > 1 else p.new_tensor(torch.nan)


# the parts of a step ----------------------------------------------------------------------------------------


def _price(
    scene: Scene, moment: Frozen, points: Tensor, share: Tensor, loss: Tensor, redraws: int
) -> Tensor:
    """The change of the mean true loss by `FORCES`: (R, 4)."""
    optimizer = scene.optimizer
    if "drift" not in optimizer.switches or optimizer.gradient:
        return torch.full((len(moment.step), len(FORCES)), torch.nan)
    bare = replace(scene, optimizer=_without(optimizer, "recombination", "mutation"))
    size = max(1, LIMIT // points.numel())
    parts = [
        _next_mean(bare, moment, keys, (points, loss)) for keys in torch.arange(redraws + 1).split(size)
    ]
    realised, again = torch.cat(parts, 1).split([1, redraws], 1)
    crossed = replace(scene, optimizer=_without(optimizer, "mutation"))
    own = torch.zeros(1, dtype=torch.int64)  # the search's own draws
    unmutated, after = _next_mean(crossed, moment, own), _next_mean(scene, moment, own)
    means = [_mean(loss, share)[:, None], again.mean(1, keepdim=True), realised, unmutated, after]
    return torch.cat([later - sooner for sooner, later in itertools.pairwise(means)], 1)


def _next_mean(
    scene: Scene, moment: Frozen, keys: Tensor, parents: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """The mean true loss after the next step, drift drawn for the times (K,): (R, K).

    Copies of `parents`, points (R, P, D) and their losses (R, P), need not be evaluated.
    """
    count, worlds = len(keys), scene.streams.worlds
    state = trials(scene, moment, {"drift": keys}).states[0]
    rows = scene.subset(torch.arange(len(worlds)).repeat_interleave(count))
    population = _members(rows, state, moment.step.repeat_interleave(count) + 1)
    if population is None:
        return torch.full((len(worlds), count), torch.nan, dtype=torch.float64)
    points, share = population
    own = points.unflatten(0, (len(worlds), count)).flatten(1, 2)  # (R, K P, D)
    loss = _of_copies(own, *parents) if parents else None
    loss = true_loss(scene, moment, own) if loss is None else loss
    return _mean(loss.unflatten(1, (count, -1)).flatten(0, 1), share).unflatten(0, (len(worlds), count))


def _without(optimizer: Optimizer, *sources: str) -> Optimizer:
    """The optimizer with these sources switched off, of those for which it has a switch."""
    off = {
        key: value
        for source in sources
        for key, value in optimizer.switches.get(source, {}).get("off", {}).items()
    }
    return replace(optimizer, **off)  # type: ignore[type-var]


def _of_copies(children: Tensor, points: Tensor, loss: Tensor) -> Tensor | None:
    """The losses (R, n) of children (R, n, D) that are copies of points (R, P, D) of these losses (R, P).

    None where one is not.
    """
    wave = torch.cos(torch.arange(points.shape[2], dtype=torch.float64, device=points.device))
    ascending, place = dot(points.double(), wave).sort(1)
    rank = torch.searchsorted(ascending, dot(children.double(), wave)).clamp_max(points.shape[1] - 1)
    parent = place.gather(1, rank)
    return loss.gather(1, parent) if torch.equal(operators.rows(points, parent), children) else None


# the population ---------------------------------------------------------------------------------------------


def _members(scene: Scene, state: State, step: Tensor) -> tuple[Tensor, Tensor] | None:
    """The population of states after so many steps (R,): points (R, P, D), and their shares of it (R, P).

    None where there is none.
    """
    optimizer = scene.optimizer
    query, center = optimizer.ask(state, scene.streams.at(step + 1)), optimizer.center(state).double()
    share = optimizer.share(state)
    if share is not None:
        return query.points, share.double()
    groups = [] if query.alive is None else [(query.points, query.alive)]
    for points in (query.points, *_clouds(optimizer, state)):
        groups.append((points, torch.ones(points.shape[:2], dtype=torch.bool, device=points.device)))
    for points, lives in groups:
        if _centered(points, lives, center):
            return points, lives.double() / lives.sum(1, keepdim=True)
    return None


def _clouds(optimizer: Optimizer, state: State) -> list[Tensor]:
    """Points (R, P, D) that the state of a method with drift holds."""
    if "drift" not in optimizer.switches:
        return []
    return [leaf for leaf in state if isinstance(leaf, Tensor) and leaf.ndim == 3]


def _centered(points: Tensor, lives: Tensor, center: Tensor) -> bool:
    """Whether several points (R, P, D) live, and have the center (R, D) as their mean.

    Worlds that diverged do not count.
    """
    held = torch.where(lives[..., None], points, 0).double()
    good = held.isfinite().all(2).all(1) & center.isfinite().all(1)
    away = (held.sum(1) / lives.sum(1, keepdim=True) - center).abs().amax(1)
    near = away <= CLOSE * held.abs().amax((1, 2)).clamp_min(torch.finfo(torch.float32).tiny)
    return bool(good.any()) and int(lives[good].sum(1).min()) > 1 and bool(near[good].all())


def _mean(value: Tensor, share: Tensor) -> Tensor:
    """The mean of values (R, P), each by its share (R, P) of the population: (R,)."""
    return (share * torch.where(share > 0, value, 0.0)).sum(1)


def true_loss(scene: Scene, moment: Frozen, points: Tensor) -> Tensor:
    """The true loss of points (R, P, D) when the states were frozen, some at a time: (R, P) float64."""
    landscape = scene.landscape
    time = scene.time(moment)
    size = max(1, LIMIT // (len(points) * max(points.shape[2], landscape.terms) * landscape.unit_cost))
    return torch.cat(
        [evaluate(landscape, part, time=time).value for part in points.split(size, 1)], 1
    ).double()
