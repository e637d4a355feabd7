"""Samples of points on real coordinates: how near good ones are to the optimum, and to each other.

- Fitness-distance correlation (Jones and Forrest 1995, ICGA): corr(f, distance to the nearest optimum).
- Dispersion (Lunacek and Whitley 2006, GECCO): mean distance of the best points among each other, over that
  of all.

The points are those of `landscapes.probes.continuous.extent`. Standard errors leave out one of up to 20
blocks of points at a time (the jackknife).
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from landscapes.base import Landscape
from landscapes.numerics import dot, matmul
from landscapes.probes.continuous.extent import PLACES, losses, spread
from landscapes.probes.correlation import pearson, spearman
from landscapes.probes.estimates import BLOCKS, jackknife, left_out
from landscapes.probes.measure import Measure
from landscapes.streams import Streams

FRACTIONS = (0.02, 0.05, 0.1, 0.25)  # best points whose dispersion is measured


def sample(landscape: Landscape, streams: Streams, samples: int) -> tuple[Tensor, Tensor]:
    """Points (R, M, D) all over the landscape and their losses (R, M)."""
    x = spread(landscape, streams, samples)
    return x, losses(landscape, x)


def distances(landscape: Landscape, streams: Streams, samples: int) -> tuple[Tensor, Tensor, bool]:
    """Losses of a sample and its distances to the nearest optimum, (R, M) each, and whether that is known.

    Else they are those `from_best`.
    """
    x, loss = sample(landscape, streams.at(PLACES["distance"]), samples)
    if landscape.optima is None:
        return (*from_best(x, loss), False)
    return loss, nearest(x, landscape.optima), True


def nearest(x: Tensor, optima: Tensor) -> Tensor:
    """Distances of points (R, M, D) to the nearest of (R, K, D): (R, M)."""
    square = torch.full_like(x[..., 0], math.inf)
    for optimum in optima.unbind(1):
        square = torch.minimum(square, (x - optimum[:, None]).square().sum(-1))
    return square.sqrt()


def from_best(x: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
    """Losses of points (R, M, D), and their distances to the best, which is left out: (R, M - 1) each."""
    place = loss.nan_to_num(math.inf).argmin(-1, keepdim=True)
    others = torch.arange(loss.shape[1] - 1, device=x.device).expand(len(x), -1)
    others = others + (others >= place)
    best = x.take_along_dim(place[..., None], 1)
    return loss.gather(1, others), (x - best).square().sum(-1).sqrt().gather(1, others)


def distance_correlation(
    landscape: Landscape,
    streams: Streams,
    *,
    samples: int = 1024,
    kind: Literal["pearson", "spearman"] = "pearson",
) -> Measure:
    """Fitness-distance correlation of the loss, positive where it falls towards the optimum: (R,).

    Distances are to the nearest optimum where all are known, else to the best of the sample, which is looked
    for anew without each block of the jackknife: the standard error is then up to 1.6 times too large.

    Args:
        landscape: bound, on real coordinates.
        streams: those of its worlds.
        samples: points, >= 3.
        kind: Pearson's, or Spearman's of the ranks.
    """
    x, loss = sample(landscape, streams.at(PLACES["distance"]), samples)
    correlation = pearson if kind == "pearson" else spearman
    if landscape.optima is None:
        value, error = jackknife(lambda points, f: correlation(*from_best(points, f)), x, loss)
    else:
        value, error = jackknife(correlation, loss, nearest(x, landscape.optima))
    name = f"fitness-distance correlation of the loss ({kind.title()})"
    return Measure(value, error, name, "1", "Jones and Forrest 1995")


def dispersion(
    landscape: Landscape,
    streams: Streams,
    *,
    samples: int = 1024,
    fractions: tuple[float, ...] = FRACTIONS,
) -> Measure:
    """Mean distance of the best points among each other, over that of all points: (R, K).

    1 says that the good points are everywhere.

    Args:
        landscape: bound, on real coordinates.
        streams: those of its worlds.
        samples: points.
        fractions: which of them are the best, each 0 < f <= 1; the axis.
    """
    x, loss = sample(landscape, streams.at(PLACES["dispersion"]), samples)
    order = loss.nan_to_num(math.inf).argsort(dim=-1, stable=True)
    blocks = min(BLOCKS, samples)
    block = torch.arange(samples, device=x.device) * blocks // samples
    kept = torch.stack([
        block >= 0,
        *(block != b for b in range(blocks)),
    ])  # all, then without each block
    ranked = x.take_along_dim(order[..., None], 1)
    worlds = zip(ranked, kept[:, order].movedim(1, 0), strict=True)
    values = torch.stack([_dispersions(points, choices, fractions) for points, choices in worlds])
    error = left_out(values[:, 1:].mT.contiguous())
    axis = ("fraction", torch.tensor(fractions, dtype=torch.float64), "1")
    name = "dispersion of the best points, relative to all"
    return Measure(values[:, 0], error, name, "1", "Lunacek and Whitley 2006", axis)


def _dispersions(x: Tensor, kept: Tensor, fractions: tuple[float, ...]) -> Tensor:
    """Dispersion of x (M, D), best first, for each of several choices of points kept (B, M): (B, K)."""
    apart = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    total, rank = kept.sum(-1, keepdim=True), kept.cumsum(-1)
    sizes = [(f * total).round().clamp_min(2) for f in (*fractions, 1.0)]
    chosen = torch.stack([kept & (rank <= size) for size in sizes], 1).to(x)  # (B, K + 1, M)
    means = (
        dot(matmul(chosen, apart), chosen)
        / torch.stack([size * (size - 1) for size in sizes], 1)[..., 0]
    )
    return means[:, :-1] / means[:, -1:]
