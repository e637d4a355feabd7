"""Moves of a walk: a proposal, and the rule by which it is taken."""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.streams import Streams
from optimizers.operators import (
    bit_flip,
    gaussian,
    marked,
    one_bit_flip,
    one_letter,
    per_world,
    worst_last,
)


def propose(
    points: Tensor, streams: Streams, sigma: float | Tensor, rate: float | Tensor | None
) -> Tensor:
    """Symmetric proposals from points (R, P, D).

    Reals plus N(0, sigma^2); bits each flipped with probability `rate`, or exactly one for None.
    """
    if points.dtype != torch.uint8:
        return gaussian(points, streams, 1.0, sigma)
    return one_bit_flip(points, streams) if rate is None else bit_flip(points, streams, rate)


def one_mutation(points: Tensor, streams: Streams, changes: Tensor) -> Tensor:
    """Points (R, P, D) uint8, one coordinate of each mutated, all as likely, as changes say."""
    return one_letter(points, streams, changes) if changes.ndim > 2 else one_bit_flip(points, streams)


def metropolis(old: Tensor, new: Tensor, temperature: float | Tensor, streams: Streams) -> Tensor:
    """Which proposals are accepted, of values (R, P): (R, P) bool, source "acceptance".

    The chance is min(1, exp((old - new) / T)).

    At T = 0 those that are no worse. NaN is never accepted over a number.

    Source: Metropolis et al. 1953, J. Chem. Phys. 21:1087.
    """
    # inf - inf: no worse
    rise = (worst_last(new).double() - worst_last(old).double()).nan_to_num(
        nan=0.0, posinf=torch.inf, neginf=-torch.inf
    )
    heat = per_world(temperature, old).reshape(-1, 1)
    chance = torch.where(rise <= 0, 1.0, torch.exp(-rise.clamp_min(0) / heat))
    return streams.bernoulli("acceptance", chance.nan_to_num(nan=0.0), tuple(old.shape[1:]))


def trials(points: Tensor, fresh: Tensor, step: Tensor, exact: Tensor) -> Tensor:
    """What a walk with stored values asks to compare points and proposals, (R, P, D) each.

    Where values are exact (marked), the points before the first step and then the proposals, (R, P, D); else
    the points and the proposals, (R, 2P, D).
    """
    if marked(exact):
        return torch.where((step == 0)[:, None, None], points, fresh)
    return torch.cat([points, fresh], 1)


def compared(value: Tensor, asked: Tensor, answered: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What `trials` asked, apart: values of the points (R, P), proposals (R, P, D), values of these (R, P).

    The points have their stored values `value`, unless they were asked again.
    """
    count, answered = value.shape[1], worst_last(answered)
    old = value if asked.shape[1] == count else answered[:, :count]
    return old, asked[:, -count:], answered[:, -count:]


def walk(
    points: Tensor,
    value: Tensor,
    asked: Tensor,
    answered: Tensor,
    temperature: float | Tensor,
    streams: Streams,
) -> tuple[Tensor, Tensor, Tensor]:
    """Accept or reject what `trials` asked.

    Points, values and acceptance after the step, (R, P, D), (R, P) and (R, P) bool.

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
