"""Arms of redrawn steps: M steps of each world, each source from one of two sets of keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from studies.cells.ledger.freezing import Frozen
from studies.cells.ledger.redraws import Scene, Trials, trials

LIMIT = 2**23  # coordinates that redrawn steps may hold at once, 64 MiB in float64


class Arm(NamedTuple):
    """M steps of each of R worlds."""

    moved: Tensor  # (R, M, D) float64
    then: Tensor | None  # (R, M, D) the step after, where it was asked for
    points: Tensor  # (R, n, D) float64, some of those asked
    # (R, n) 1 where such a point was really asked, else 0; where all redraws ask the same, those of one have
    # weight
    weight: Tensor
    drawn: frozenset[str]  # the sources of its randomness
    # (R,) float64, the sample of a step, on average: terms of a mini-batch where gradients are asked, else
    # points
    size: Tensor


def arm(scene: Scene, moment: Frozen, keys: Mapping[str, Tensor], *, steps: int = 1, points: int = 1) -> Arm:
    """Take M steps, as many at a time as memory allows.

    Args:
        scene: the R worlds.
        moment: their states.
        keys: source -> (M,) int64, which redraw of it each step sees.
        steps: 1, or 2 for the step after too.
        points: n, at least so many of the points asked are returned, where there are so many.
    """
    one = scene.optimizer.ask(moment.state, scene.streams.at(moment.step + 1)).points
    size = max(1, LIMIT // one.numel())
    count, wanted = max(len(key) for key in keys.values()), -(-points // one.shape[1])
    moved: list[Tensor] = []
    sizes: list[Tensor] = []
    asked: list[tuple[Tensor, Tensor]] = []
    drawn = frozenset[str]()
    for i in range(0, count, size):
        part = trials(scene, moment, {source: key[i : i + size] for source, key in keys.items()}, steps)
        moved, sizes, drawn = [*moved, part.moved], [*sizes, part.size], drawn | part.sources
        if i < wanted:
            asked.append(_asked(part, len(moment.step), wanted - i))
    steps_taken, places, weights = (
        torch.cat(moved, 2),
        *(torch.cat(parts, 1) for parts in zip(*asked, strict=True)),
    )
    then = steps_taken[:, 1] if steps > 1 else None
    return Arm(steps_taken[:, 0], then, *_once(places, weights), drawn, torch.cat(sizes, 1).mean(1))


def _asked(found: Trials, worlds: int, redraws: int) -> tuple[Tensor, Tensor]:
    """The points (R, n, P, D) of the first n redraws, at most so many, and which were asked (R, n, P)."""
    asked, alive = found.query.points, found.query.alive
    weight = (
        torch.ones(asked.shape[:2], dtype=torch.float64, device=asked.device)
        if alive is None
        else alive.double()
    )
    return tuple(part.unflatten(0, (worlds, -1))[:, :redraws].clone() for part in (asked, weight))


def _once(asked: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Points (R, n P, D) and weights (R, n P), 0 for what repeats the first redraw in worlds where all do.

    N is 1 where that is so everywhere.
    """
    same = (asked == asked[:, :1]).flatten(1).all(1)  # (R,)
    if bool(same.all()):
        asked, weight = asked[:, :1], weight[:, :1]
    again = torch.arange(asked.shape[1], device=asked.device) > 0
    weight = torch.where((same[:, None] & again)[..., None], 0.0, weight)
    return asked.flatten(1, 2).double(), weight.flatten(1, 2)
