"""Autocorrelation of the loss along walks of set step on real coordinates.

Weinberger 1990 ("Correlated and uncorrelated fitness landscapes and how to tell the difference", Biol.
Cybern. 63): rho(d) = Cov[f(x_0), f(x_d)] / Var f, all walks pooled about one mean; the correlation length is
where it falls to 1/e. Information content of walks is in `landscapes.probes.continuous.information`.

Walks begin all over the landscape (`landscapes.probes.continuous.extent`) and are reflected at the walls of
its box, so that they stay uniform. Standard errors leave out one of up to 20 blocks of walks at a time (the
jackknife).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from landscapes.base import Landscape, Reals
from landscapes.numerics import safe_unit
from landscapes.probes.continuous.extent import PLACES, box, boxed, losses, reach, spread
from landscapes.probes.estimates import jackknife
from landscapes.probes.measure import Measure
from landscapes.streams import Streams

LAGS = 64


class Walks(NamedTuple):
    """Points of walks and their losses."""

    points: Tensor  # (R, W, T, D)
    loss: Tensor  # (R, W, T)
    step: Tensor  # (R,) in units of x


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
    domain, turns = box(landscape), 1 if straight else steps
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
