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
    weight: Tensor  # (R, n) 1 where such a point was really asked, else 0 (see `_once`)
    drawn: frozenset[str]  # the sources of its randomness
    size: Tensor  # (R,) float64, mean sample of a step: terms where gradients are asked, else points


def arm(
    scene: Scene, moment: Frozen, keys: Mapping[str, Tensor], *, steps: int = 1, points: int = 1
) -> Arm:
    """Take M steps, as many at a time as memory allows.

    Args:
        scene: the R worlds.
        moment: their states.
        keys: source -> (M,) int64, which redraw of it each step sees.
        steps: 1, or 2 for the step after too.
        points: n, at least so many of the points asked are returned, where there are so many.
    """
    first = scene.optimizer.ask(moment.state, scene.streams.at(moment.step + 1)).points
    size, wanted = max(1, LIMIT // first.numel()), -(-points // first.shape[1])
    parts: list[Part] = []
    for i in range(0, max(len(key) for key in keys.values()), size):
        some = {source: key[i : i + size] for source, key in keys.items()}
        parts.append(Part.of(trials(scene, moment, some, steps), max(0, wanted - i)))
    return _joined(parts)


class Part(NamedTuple):
    """What is kept of K redraws: not their states."""

    moved: Tensor  # (R, steps, K, D) float64
    points: Tensor  # (R, n, P, D) that the first n redraws asked
    asked: Tensor  # (R, n, P) 1 for those really asked, else 0
    drawn: frozenset[str]
    size: Tensor  # (R, K)

    @staticmethod
    def of(steps: Trials, redraws: int) -> Part:
        """A part of these steps, with the points of so many redraws, at most."""
        query, worlds = steps.query, len(steps.moved)
        asked = torch.ones_like(query.points[..., 0]) if query.alive is None else query.alive
        points, weight = (
            part.unflatten(0, (worlds, -1))[:, :redraws].clone()
            for part in (query.points, asked.double())
        )
        return Part(steps.moved, points, weight, steps.sources, steps.size)


def _joined(parts: list[Part]) -> Arm:
    """All redraws of an arm."""
    moved, size = (
        torch.cat([part.moved for part in parts], 2),
        torch.cat([part.size for part in parts], 1),
    )
    asked = torch.cat([part.asked for part in parts], 1)
    points, weight = _once(torch.cat([part.points for part in parts], 1), asked)
    return Arm(
        moved=moved[:, 0],
        then=moved[:, 1] if moved.shape[1] > 1 else None,
        points=points,
        weight=weight,
        drawn=frozenset().union(*(part.drawn for part in parts)),
        size=size.mean(1),
    )


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
