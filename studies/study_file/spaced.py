"""Checkpoints as a study gives them.

A number per decade, a list of fractions of the budget, or how many, how spaced and on which clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import BeforeValidator, Discriminator, Field, Tag

from studies.study_file.values import MOST, OR_FORMULA, TAG, WHOLE, Strict, checkpoint_fractions

DECADES = 3  # up to the end of a run, covered by checkpoints


class SpacedModel(Strict):
    """So many checkpoints, evenly on a scale."""

    count: Annotated[int, Ge(2), Le(MOST), WHOLE, OR_FORMULA] = Field(
        description="how many; on the clock steps each is a whole step, and none is there twice"
    )
    spacing: Literal["log", "linear"] = Field(
        default="log",
        description="log: over the last three decades of a run, of steps from the first; linear: over all",
    )
    clock: Literal["cost", "steps", "epochs", "virtual_time", "seconds"] | None = Field(
        default=None, description="on which they are evenly spaced; null: that of the budget"
    )


KEYS = tuple(SpacedModel.model_fields)


def _tag(value: object) -> str:
    return f"{TAG}spaced" if isinstance(value, Mapping | SpacedModel) else f"{TAG}given"


Given = Annotated[
    Annotated[int, OR_FORMULA] | list[Annotated[float, OR_FORMULA]],
    BeforeValidator(checkpoint_fractions),
]
Checkpoints = Annotated[
    Annotated[Given, Tag(f"{TAG}given")] | Annotated[SpacedModel, Tag(f"{TAG}spaced")],
    Discriminator(_tag),
]


def most(checkpoints: int | list[float] | Mapping[str, object] | SpacedModel) -> int:
    """How many checkpoints there are at most."""
    match checkpoints:
        case int():
            return DECADES * checkpoints + 1
        case list():
            return len(checkpoints)
        case SpacedModel():
            return checkpoints.count
    return int(str(checkpoints["count"]))
