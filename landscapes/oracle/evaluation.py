"""One query of a landscape answered: losses and slopes, in portions that fit in memory."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from landscapes.base import Answer, Landscape, Terms
from landscapes.checks import into_box

EVERY = slice(None)


class Batch(NamedTuple):
    """Mini-batches of one size, of all worlds or of some."""

    index: Tensor | None  # type: ignore[assignment]  # (R | 1, 1 | P, B) int64 terms; None: all terms
    rows: Tensor | slice = EVERY  # whose they are
    alone: Landscape | None = None  # bound to that one world; None: all are evaluated, and these picked


def join_batches(batches: list[Batch], answers: list[Answer]) -> Answer:
    """The answers of groups of worlds, in the order of the worlds."""
    if len(batches) == 1:
        return answers[0]
    rows = [batch.rows for batch in batches if isinstance(batch.rows, Tensor)]
    order = torch.cat(rows).argsort() if rows else EVERY  # worlds that are alone are in order
    values, gradients, _ = zip(*answers, strict=True)
    return Answer(
        torch.cat(values)[order], None if gradients[0] is None else torch.cat(gradients)[order]
    )


def on_host(count: int | Tensor) -> int | np.ndarray:
    """A count, or one for each world, as NumPy reads it."""
    return count if isinstance(count, int) else count.cpu().numpy()


def clock_time(
    landscape: Landscape, steps: np.ndarray, spent: np.ndarray, device: torch.device | str
) -> Tensor | None:
    """(R,) float64, what a moving landscape takes as time: completed steps, or evaluations spent.

    None where it stands still.
    """
    if landscape.clock is None:
        return None
    return torch.from_numpy(np.array(steps if landscape.clock == "step" else spent, np.float64)).to(
        device
    )


def evaluate(
    landscape: Landscape,
    points: Tensor,
    terms: Terms | None = None,
    *,
    gradient: bool = False,
    time: Tensor | None = None,
) -> Answer:
    """Noise-free values of points (R, P, D) and, where asked, their gradients by automatic differentiation.

    On a game they are each player's own. Outside a bounded box both are NaN: an optimizer that leaves it has
    diverged, and harms no other world.

    Args:
        landscape: bound to R worlds.
        points: (R, P, D).
        terms: the mini-batch; None: all terms.
        gradient: whether gradients are wanted beside the values.
        time: (R,), of a moving landscape; None: it stands still.
    """
    points, inside = into_box(landscape, points)
    answer = _evaluate(landscape, points, terms, gradient, time)
    if inside is None:
        return answer
    value = torch.where(
        inside if answer.value.ndim == 2 else inside[..., None], answer.value, torch.nan
    )
    if answer.gradient is None:
        return Answer(value)
    return Answer(value, torch.where(inside[..., None], answer.gradient, torch.nan))


def _evaluate(
    landscape: Landscape, points: Tensor, terms: Terms | None, gradient: bool, time: Tensor | None
) -> Answer:
    if not gradient:
        with torch.no_grad():
            return Answer(landscape.loss(points, terms, time))
    with torch.enable_grad():
        x = points.detach().requires_grad_()
        value = landscape.loss(x, terms, time)
        if len(landscape.players) == 1:
            (slope,) = torch.autograd.grad(value.sum(), x)
        else:
            slope = _own_slopes(value, x, landscape.players)
    return Answer(value.detach(), slope)


def _own_slopes(value: Tensor, x: Tensor, players: tuple[int, ...]) -> Tensor:
    """The gradient (R, P, D) of each player's loss, value (R, P, players), in its own coordinates."""
    blocks, first = [], 0
    for player, size in enumerate(players):
        (slope,) = torch.autograd.grad(value[..., player].sum(), x, retain_graph=True)
        blocks.append(slope[..., first : first + size])
        first += size
    return torch.cat(blocks, -1)
