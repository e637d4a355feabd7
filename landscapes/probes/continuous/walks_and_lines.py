"""How rugged a landscape of real coordinates is: measures from walks, lines and samples of its start law.

- Autocorrelation of the loss along walks of set step (Weinberger 1990, "Correlated and uncorrelated fitness
  landscapes and how to tell the difference", Biol. Cybern. 63), rho(d) = Cov[f(x_0), f(x_d)] / Var f, all
  walks pooled about one mean; the correlation length is where it falls to 1/e.
- Fitness-distance correlation (Jones and Forrest 1995, ICGA): corr(f, distance to the nearest optimum).
- Dispersion (Lunacek and Whitley 2006, GECCO): mean distance of the best points among each other, over that
  of all.
- Density of minima along random lines.

Information content of walks is in `landscapes.probes.continuous.information`.

Points are uniform in the box, and walks are reflected at its walls, so that they stay uniform; a landscape
without a box (a network) is walked from its starts. Standard errors leave out one of up to 20 blocks of
walks, lines or points at a time (the jackknife). Evaluations: one for each point. Streams: "init" for starts
and "mutation" for directions, at a step of its own for each measure, none of which a study reaches.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from landscapes.addresses import ADDRESSES
from landscapes.base import Landscape, Reals
from landscapes.numerics import dot, matmul, safe_unit
from landscapes.probes.correlation import pearson, spearman
from landscapes.probes.estimates import BLOCKS, jackknife, left_out
from landscapes.probes.measure import Measure
from landscapes.streams import Streams

FRACTIONS = (0.02, 0.05, 0.1, 0.25)  # best points whose dispersion is measured
POINTS = 1025  # on a line along which minima are counted
LAGS = 64
_ELEMENTS = 2**23  # coordinates times terms evaluated at a time
_NAMES = ("autocorrelation", "distance", "dispersion", "information", "minima", "reach")
_STEPS = ADDRESSES["steps"]["probes: walks and lines"]  # of the streams
PLACES = dict(zip(_NAMES, _STEPS, strict=False))


class Walks(NamedTuple):
    """Points of walks and their losses."""

    points: Tensor  # (R, W, T, D)
    loss: Tensor  # (R, W, T)
    step: Tensor  # (R,) in units of x


# what all probes share --------------------------------------------------------------------------------------


def losses(landscape: Landscape, x: Tensor) -> Tensor:
    """Noise-free loss of many points x (R, P, D), as an answer, some at a time, at time 0: (R, P)."""
    time = (
        None if landscape.clock is None else torch.zeros(len(x), dtype=torch.float64, device=x.device)
    )
    some = max(1, _ELEMENTS // max(1, len(x) * landscape.dim * landscape.terms))
    with torch.no_grad():
        return torch.cat([landscape.solution_loss(part, time) for part in x.split(some, 1)], 1)


def boxed(landscape: Landscape) -> bool:
    """Whether the box says how large the landscape is, whatever the law of its starts.

    It is a parameter, or starts are uniform in it.
    """
    inner = landscape.parameters().get("inner")
    if isinstance(inner, Landscape):
        return boxed(inner)
    return type(landscape).start is Landscape.start or "box" in landscape.parameters()


def spread(landscape: Landscape, streams: Streams, count: int) -> Tensor:
    """Points all over the landscape, (R, count, D), source "init".

    Uniform in the box, else by the landscape's own law of starts.
    """
    return (
        Landscape.start(landscape, streams, count)
        if boxed(landscape)
        else landscape.start(streams, count)
    )


def reach(landscape: Landscape, streams: Streams) -> Tensor:
    """How far apart points can be, (R,) in units of x.

    The diagonal of the box, or twice the rms norm of starts.
    """
    domain = _domain(landscape)
    if boxed(landscape):
        diagonal = (domain.high - domain.low) * math.sqrt(landscape.dim)
        return torch.full((streams.size,), diagonal, dtype=streams.dtype, device=streams.device)
    x = landscape.start(streams.at(PLACES["reach"]), 64)
    return 2 * x.square().sum(-1).mean(-1).sqrt()


def walk(
    landscape: Landscape,
    streams: Streams,
    *,
    walks: int,
    steps: int,
    step: float | Tensor | None = None,
    straight: bool = True,
) -> Walks:
    """Walks of set step.

    Args:
        landscape: bound, on real coordinates.
        streams: at the step where starts and directions are drawn.
        walks: W, >= 1.
        steps: of each walk; T is one more.
        step: length of a step in units of x, one number or (R,), > 0; None: half the reach of the landscape
            over the steps.
        straight: one direction for each walk, uniform on the sphere; False: a new one at every step.

    Returns:
        Points, losses and the step.
    """
    domain, turns = _domain(landscape), 1 if straight else steps
    step = reach(landscape, streams) / (2 * steps) if step is None else step
    length = torch.as_tensor(step, dtype=streams.dtype).expand(streams.size)
    drawn = streams.normal("mutation", (walks, turns, landscape.dim))
    move = drawn / drawn.square().sum(-1, keepdim=True).sqrt() * length[:, None, None, None]
    moves = torch.cat((torch.zeros_like(move[:, :, :1]), move.expand(-1, -1, steps, -1)), 2).cumsum(2)
    points = spread(landscape, streams, walks)[:, :, None] + moves
    if boxed(landscape):
        points = _reflected(points, domain)
    loss = losses(landscape, points.flatten(1, 2)).unflatten(1, (walks, steps + 1))
    return Walks(points, loss, length)


def _reflected(x: Tensor, domain: Reals) -> Tensor:
    """Folded into the box, as a ray between mirrors."""
    width = domain.high - domain.low
    place = torch.remainder(x - domain.low, 2 * width)
    return (domain.low + torch.minimum(place, 2 * width - place)).clamp(domain.low, domain.high)


def _domain(landscape: Landscape) -> Reals:
    if not isinstance(landscape.domain, Reals):
        raise ValueError(f"{landscape.name}: expected a landscape on real coordinates, got one on bits")
    return landscape.domain


# autocorrelation --------------------------------------------------------------------------------------------


def autocorrelation(
    landscape: Landscape,
    streams: Streams,
    *,
    walks: int = 64,
    steps: int = 256,
    step: float | None = None,
) -> Measure:
    """Autocorrelation of the loss along straight walks at `LAGS` lags, about even.

    The axis is the lag in units of x, (R, K).

    Args:
        landscape: bound, on real coordinates.
        streams: those of its worlds.
        walks: independent walks, >= 2.
        steps: of each walk.
        step: its length in units of x; None: half the reach of the landscape over the steps.
    """
    walked, lags = _straight(landscape, streams, walks, steps, step)
    value, error = jackknife(lambda loss: _correlations(loss, lags), walked.loss)
    axis = ("lag", walked.step[:, None] * lags, "x")
    return Measure(value, error, "autocorrelation along straight walks", "1", "Weinberger 1990", axis)


def correlation_length(
    landscape: Landscape,
    streams: Streams,
    *,
    walks: int = 64,
    steps: int = 256,
    step: float | None = None,
) -> Measure:
    """Where the autocorrelation first falls to 1/e, between lags linear: (R,) in units of x.

    Infinite where it does not within the walk.

    Arguments as of `autocorrelation`.
    """
    walked, lags = _straight(landscape, streams, walks, steps, step)

    def length(loss: Tensor) -> Tensor:
        return falls_to(_correlations(loss, lags), lags.to(loss), math.exp(-1))

    value, error = jackknife(length, walked.loss)
    return Measure(
        value * walked.step, error * walked.step, "correlation length", "x", "Weinberger 1990"
    )


def _straight(
    landscape: Landscape, streams: Streams, walks: int, steps: int, step: float | None
) -> tuple[Walks, Tensor]:
    """Straight walks, and the lags (K,) in steps."""
    walked = walk(landscape, streams.at(PLACES["autocorrelation"]), walks=walks, steps=steps, step=step)
    return walked, torch.linspace(0, steps * 3 / 4, min(LAGS, steps + 1), device=streams.device).long()


def _correlations(loss: Tensor, lags: Tensor) -> Tensor:
    """(R, W, T) -> (R, K): all walks about one mean."""
    centred = loss - loss.mean((1, 2), keepdim=True)
    centred = centred / safe_unit(centred.abs().amax((1, 2), keepdim=True))
    steps = loss.shape[2]
    covariance = [
        (centred[..., : steps - lag] * centred[..., lag:]).mean((1, 2)) for lag in lags.tolist()
    ]
    return torch.stack(covariance, -1) / centred.square().mean((1, 2))[:, None]


def falls_to(curve: Tensor, at: Tensor, level: float) -> Tensor:
    """Where curves (R, K) over places (K,) first fall to a level, between places linear: (R,).

    Inf where none does.
    """
    below = curve <= level
    k = below.int().argmax(-1, keepdim=True).clamp_min(1)
    high, low = curve.gather(-1, k - 1)[:, 0], curve.gather(-1, k)[:, 0]
    left, right = at[k - 1][:, 0], at[k][:, 0]
    place = left + (right - left) * (high - level) / (high - low)
    return torch.where(below.any(-1), place, torch.where(curve.isnan().any(-1), torch.nan, torch.inf))


# samples ----------------------------------------------------------------------------------------------------


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
    """Of points x (M, D), the best first, for each of several choices of points kept (B, M): (B, K)."""
    apart = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    total, rank = kept.sum(-1, keepdim=True), kept.cumsum(-1)
    sizes = [(f * total).round().clamp_min(2) for f in (*fractions, 1.0)]
    chosen = torch.stack([kept & (rank <= size) for size in sizes], 1).to(x)  # (B, K + 1, M)
    means = (
        dot(matmul(chosen, apart), chosen)
        / torch.stack([size * (size - 1) for size in sizes], 1)[..., 0]
    )
    return means[:, :-1] / means[:, -1:]


# density of minima ------------------------------------------------------------------------------------------


class Minima(NamedTuple):
    """The measures of one set of lines."""

    density: Measure  # (R,) minima per unit of x
    # (R,) the same on every second point of the grid: where it is much lower, the grid is too coarse
    coarse: Measure


def minima(landscape: Landscape, streams: Streams, *, count: int = 64, points: int = POINTS) -> Minima:
    """Density of local minima along random lines, on a grid.

    A line goes through a start in a direction uniform on the sphere, from wall to wall of the box, or as far
    as the reach of the landscape. A flat bottom is one minimum. The grid is fine enough for a field of
    correlation length l where its spacing (at most reach / points) is below l / 10.

    Args:
        landscape: bound, on real coordinates.
        streams: those of its worlds.
        count: lines, >= 2.
        points: on each line, >= 5.

    Returns:
        The density, and the same on every second point.
    """
    place, loss = lines(landscape, streams, count, points)
    length = place[..., -1] - place[..., 0]

    def density(f: Tensor, along: Tensor) -> Tensor:
        return count_minima(f).sum(-1).to(along) / along.sum(-1)

    fine, coarse = (jackknife(density, f, length) for f in (loss, loss[..., ::2]))
    name, source = "density of local minima along lines", "Rice 1945 for Gaussian fields"
    return Minima(
        Measure(*fine, name, "1 / x", source),
        Measure(*coarse, f"{name}, on every second point", "1 / x", source),
    )


def lines(landscape: Landscape, streams: Streams, count: int, points: int) -> tuple[Tensor, Tensor]:
    """Places along lines in units of x, 0 at the start, and losses there: (R, L, T) each; see `minima`."""
    ahead, domain = streams.at(PLACES["minima"]), _domain(landscape)
    x = spread(landscape, ahead, count)
    drawn = ahead.normal("mutation", x.shape[1:])
    unit = drawn / drawn.square().sum(-1, keepdim=True).sqrt()
    first, last = (
        _chord(x, unit, domain) if boxed(landscape) else _around(reach(landscape, streams), count)
    )
    share = torch.linspace(0, 1, points, dtype=x.dtype, device=x.device)
    place = first[..., None] + (last - first)[..., None] * share
    line = x[:, :, None] + place[..., None] * unit[:, :, None]
    line = line.clamp(domain.low, domain.high) if boxed(landscape) else line
    return place, losses(landscape, line.flatten(1, 2)).unflatten(1, (count, points))


def count_minima(loss: Tensor) -> Tensor:
    """Local minima inside sequences (.., T): where it stops falling and next rises; (..) int64."""
    last = last_sign(loss.diff(dim=-1).sign().to(torch.int8))
    return ((last[..., :-1] < 0) & (last[..., 1:] > 0)).sum(-1)


def last_sign(signs: Tensor) -> Tensor:
    """Each zero replaced by the sign before it; zeros in front stay."""
    place = torch.arange(signs.shape[-1], device=signs.device).expand(signs.shape)
    return signs.gather(-1, torch.where(signs != 0, place, 0).cummax(-1).values)


def _chord(x: Tensor, unit: Tensor, domain: Reals) -> tuple[Tensor, Tensor]:
    """How far a line may go back and forth until it meets a wall: (R, L) each."""
    walls = torch.stack(((domain.low - x) / unit, (domain.high - x) / unit))
    return walls.amin(0).amax(-1), walls.amax(0).amin(-1)


def _around(far: Tensor, count: int) -> tuple[Tensor, Tensor]:
    half = far[:, None].expand(-1, count) / 2
    return -half, half
