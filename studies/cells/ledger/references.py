"""What a step is held against.

Gradients of the true loss where it begins, and the directions in which its variance is shown.

raw             the gradient at the center
smoothed        its mean over the points asked, the gradient of the population's mean loss
preconditioned  G times the smoothed one: G is the covariance of the points asked; on bits that of the
                population, linkage disequilibrium and all, and where there is none p (1 - p) of the center's
                allele frequencies, which is the same at linkage equilibrium; the identity for a trajectory,
                whose points do not spread
selection       minus the step of selection alone, Cov(w, x) / W (`studies.cells.ledger.selection`)
mean_fitness    minus G grad ln W (there too)

Under fitness linear in an additive loss the mean step of selection is -k G grad exactly (Price 1970, Cov(w,
x) / w_mean), at any linkage. The two arms' points are drawn apart, so what is quadratic in a reference takes
one factor from each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from landscapes import addresses
from landscapes.base import Bits
from landscapes.numerics import dot, norm
from landscapes.streams import Streams
from optimizers.base import Optimizer, State
from studies.cells.ledger.arms import Arm
from studies.cells.ledger.selection import Directions
from studies.cells.ledger.slopes import Slopes, every_direction

REFERENCES = ("raw", "smoothed", "preconditioned", "selection", "mean_fitness")
GRADIENTS = 3  # of them
PROBES = 32  # directions along which curvature is averaged


class References(NamedTuple):
    """The references of R worlds, NaN where the loss has no slope, or the method no fitness.

    Gradients first, then the steps of selection.
    """

    a: Tensor  # (R, references, D) with the points of arm A
    b: Tensor  # (R, references, D) with those of arm B
    trace: Tensor  # (R, references) of what multiplies the gradient


def references(
    slopes: Slopes, center: Tensor, a: Arm, b: Arm, population: tuple[Tensor, Tensor] | None = None
) -> References:
    """Raw, smoothed and preconditioned gradients.

    Args:
        slopes: of the R worlds.
        center: (R, D).
        a: steps, with the points asked.
        b: the same, drawn apart.
        population: the points (R, P, D) whose mean is the center, and their shares of it (R, P); None: there
            is none.
    """
    if not slopes.landscape.sloped:
        nothing = center.new_full((len(center), GRADIENTS, center.shape[1]), torch.nan)
        return References(nothing, nothing, nothing[..., 0])
    raw = slopes.gradient(center[:, None])[:, 0]
    pairs = [_of_points(slopes, center, raw, arm, population) for arm in (a, b)]
    dim = torch.full_like(pairs[0][1], center.shape[1])
    return References(
        pairs[0][0], pairs[1][0], torch.stack([dim, dim, (pairs[0][1] + pairs[1][1]) / 2], 1)
    )


def with_selection(gradients: References, chosen: Directions) -> References:
    """The references with the steps of selection, turned around as descent goes against a gradient."""
    a, b = (
        torch.cat([part, -torch.stack([chosen.selection, half], 1)], 1)
        for part, half in zip(gradients[:2], chosen.mean_fitness, strict=True)
    )
    trace = torch.stack([torch.full_like(gradients.trace[:, 0], torch.nan), gradients.trace[:, 2]], 1)
    return References(a, b, torch.cat([gradients.trace, trace], 1))


def only(held: References, names: Sequence[str]) -> References:
    """The references of these names, the others NaN."""
    keep = torch.tensor([name in names for name in REFERENCES], device=held.a.device)
    return References(
        *(part.where(keep[:, None] if part.ndim > 2 else keep, torch.nan) for part in held)
    )


def intended(optimizer: Optimizer, state: State, like: Tensor) -> Tensor:
    """The factor (R, references) that the next step is meant to have to each reference.

    NaN where it is meant to have none.
    """
    rates, nothing = optimizer.rates(state), like.new_full((len(like),), torch.nan)
    return torch.stack(
        [
            torch.as_tensor(rates[name]).to(nothing).expand_as(nothing) if name in rates else nothing
            for name in REFERENCES
        ],
        1,
    )


def _of_points(
    slopes: Slopes, center: Tensor, raw: Tensor, arm: Arm, population: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, Tensor]:
    """The three gradients (R, 3, D) with the points of one arm, and the trace of G (R,)."""
    share = (arm.weight / arm.weight.sum(1, keepdim=True))[..., None]
    smoothed = (share * torch.where(share > 0, slopes.gradient(arm.points), 0.0)).sum(1)
    binary = isinstance(slopes.landscape.domain, Bits)
    if binary and population is not None:
        points, own = population
        bent, trace = _bent(points.double(), own[..., None], smoothed)
        return torch.stack([raw, smoothed, bent], 1), trace
    if binary:
        spread = center * (1 - center)
        bent, trace = spread * smoothed, spread.sum(1)
    else:
        bent, trace = _bent(arm.points, share, smoothed)
    straight = (trace == 0) & _trajectory(arm, share)
    bent = torch.where(straight[:, None], smoothed, bent)
    trace = torch.where(straight, float(center.shape[1]), trace)
    return torch.stack([raw, smoothed, bent], 1), trace


def _trajectory(arm: Arm, share: Tensor) -> Tensor:
    """(R,): whether the points of an arm, of share (R, n, 1), are a trajectory's.

    Several points that are alike are a population of one genotype, which does not move.
    """
    away = torch.where(share > 0, arm.points - arm.points[:, :1], 0.0)
    alike = (away == 0).flatten(1).all(1)
    return ~(alike & (arm.weight.sum(1) > 1))


def _bent(points: Tensor, share: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """The covariance of points (R, P, D) times slope (R, D), and its trace (R,).

    Points are weighted by share (R, P, 1). The covariance itself is never held.
    """
    # from one of them, so that points that do not spread have exactly none
    away = torch.where(share > 0, points - points[:, :1], 0.0)
    away = torch.where(share > 0, away - (share * away).sum(1, keepdim=True), 0.0)
    return (share * away * dot(away, slope[:, None])[..., None]).sum(1), (share * away.square()).sum((
        1,
        2,
    ))


class Ground(NamedTuple):
    """The curvature where a step begins, and directions of interest."""

    # (R, 1 + q, D) unit vectors: the raw gradient, then those of largest curvature; 0 where there is none
    directions: Tensor
    curvature: Tensor  # (R, q)
    mean: Tensor  # (R,) tr H / D
    along_noise: Tensor  # (R,) tr(H S) / tr S


def ground(
    slopes: Slopes, center: Tensor, raw: Tensor, noise: Tensor, count: int, streams: Streams
) -> Ground:
    """The directions of the raw gradient (R, D) and of largest curvature.

    The mean curvature, in all directions and along noise (R, M, D).
    """
    length = norm(raw)[:, None]
    first = torch.where(length > 0, raw / length, 0.0)[:, None].nan_to_num(0.0)
    if not slopes.landscape.sloped or len(slopes.landscape.players) > 1:
        rest = first.new_zeros(len(center), count, center.shape[1])
        curvature = center.new_full((len(center), count), torch.nan)
        nothing = center.new_full((len(center),), torch.nan)
        return Ground(torch.cat([first, rest], 1), curvature, nothing, nothing)
    values, vectors = slopes.steepest(center, count, streams)
    mean, along = (
        _rayleigh(slopes, center, some) for some in (_probes(center, streams), noise[:, :PROBES])
    )
    return Ground(torch.cat([first, vectors], 1), values, mean, along)


def _probes(center: Tensor, streams: Streams) -> Tensor:
    """Directions (R, K, D) over which the mean curvature is taken: all, or some that are drawn."""
    dim = center.shape[1]
    if dim <= PROBES:
        return every_direction(center)
    return streams.normal(
        "ledger", (PROBES, dim), part=addresses.first("parts of ledger", "mean curvature")
    ).double()


def _rayleigh(slopes: Slopes, center: Tensor, directions: Tensor) -> Tensor:
    """Sum of v H v over sum of v v for directions v (R, K, D): (R,)."""
    return dot(directions, slopes.bend(center, directions)).sum(1) / directions.square().sum((1, 2))
