"""The same steps with other settings: what a step errs by beside the step that it stands for.

From each frozen state the steps of both arms are taken once more, under the same draws, with another setting
(one micro-batch in place of many, no clipping, a gradient that is not stale). With d the step, d' the other
one and e = d - d'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from landscapes.base import Problem
from studies.cells.ledger.arms import Arm, arm
from studies.cells.ledger.freezing import Frozen
from studies.cells.ledger.redraws import Scene
from studies.text import schema

LEVELS = schema.ERROR_QUANTILES


def errors(
    other: Scene, moment: Frozen, arms: tuple[Arm, Arm], keys: Sequence[Mapping[str, Tensor]]
) -> dict[str, Tensor]:
    """The variables of `schema.AGAINST` of R worlds at one moment.

    Args:
        other: the scene with the other settings.
        moment: the frozen states.
        arms: A and B, as the study has them.
        keys: of both: source -> (M,), which redraw of it each step sees.

    """
    resumed = moment._replace(state=other.optimizer.resumed(moment.state))
    others = [arm(other, resumed, key) for key in keys]
    ours = torch.cat([part.moved for part in arms], 1)  # (R, 2 M, D)
    theirs = torch.cat([part.moved for part in others], 1)
    away = ours - theirs
    mean_a, mean_b = away.chunk(2, 1)
    relative = away.norm(dim=-1) / _lengths(theirs)
    cosines = (ours * theirs).sum(-1) / (_lengths(ours) * _lengths(theirs))
    return {
        "against_squared": theirs.square().sum(-1).mean(1),
        "against_step_squared": ours.square().sum(-1).mean(1),
        "against_cosine": cosines.nanmean(1),
        "against_error_squared": away.square().sum(-1).mean(1),
        "against_bias_squared": (mean_a.mean(1) * mean_b.mean(1)).sum(-1),
        "against_error": relative.nanquantile(relative.new_tensor(LEVELS), 1).T,
    }


def _lengths(steps: Tensor) -> Tensor:
    """The lengths of steps (R, 2 M, D), NaN where they are 0: (R, 2 M)."""
    length = steps.norm(dim=-1)
    return torch.where(length > 0, length, torch.nan)


def check_states(scene: Scene, other: Scene, problem: Callable[[], Problem]) -> None:
    """Raise ValueError where the other optimizer keeps states of another shape, and makes none of ours.

    Args:
        scene: as the study has it.
        other: with the other settings.
        problem: what an optimizer knows, with starts that are drawn for it alone.
    """
    begun, expected = (part.optimizer.init(problem(), part.streams.at(0)) for part in (scene, other))
    own, others = [*_shapes(other.optimizer.resumed(begun))], [*_shapes(expected)]
    if own != others:
        name = scene.optimizer.name
        raise ValueError(
            f"ledger.against: {name} keeps other states with these settings (of shapes {others}, not {own});"
            " expected settings under which it can go on from the same state"
        )


def _shapes(tree: object) -> Iterator[tuple[int, ...]]:
    """Those of all tensors of a state."""
    if isinstance(tree, Tensor):
        yield tuple(tree.shape)
    elif isinstance(tree, tuple):
        for part in tree:
            yield from _shapes(part)
