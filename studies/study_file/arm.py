"""An arm of a study: one landscape, one optimizer, one value of each axis."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from pydantic import BaseModel

from landscapes.base import Landscape
from landscapes.parameters import Parameters
from optimizers.base import Optimizer
from studies.study_file import fields
from studies.text.kept import Kept, text_of
from studies.text.shapes import Data

if TYPE_CHECKING:
    from studies.study_file.template import Template


class Specs(NamedTuple):
    """Parts of an arm, as canonical JSON."""

    landscape: str
    optimizer: str
    noise: str


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One arm, all that its numbers depend on.

    Args:
        coords: landscape, optimizer and the axes -> value.
        label: of the optimizer's entry, from which a grid makes several arms.
        landscape: {"kind": .., parameters}, complete.
        optimizer: likewise.
        relaxation: how the optimizer sees the landscape's bits; None where it searches the domain itself.
        noise: batch (terms, or None for all), sampling, shared, evaluation (value, gradient).
        oracle: micro_batches, chunks.
        scalars: seed, instances, budget, gradient_cost, targets, dtype, start (see `landscapes.starts`),
            truth, ledger (moments as fractions of the budget), pictures, timing, record (instruments of the
            user's), expressions (see `studies.study_file.check_expressions`).
        template: the optimizer as it is written, for what sets its parameters later.
    """

    coords: Data
    label: str
    landscape: Data
    optimizer: Data
    relaxation: str | None
    noise: Data
    oracle: Data
    scalars: Data
    template: Template = field(compare=False)

    @cached_property
    def specs(self) -> Specs:
        """What its steps are made of, as canonical JSON."""
        return Specs(*map(text_of, (self.landscape, self.optimizer, self.noise)))


Model = TypeVar("Model", bound=BaseModel)
Made = TypeVar("Made", bound=Parameters)


@dataclass(frozen=True)
class Entry(Generic[Model, Made]):
    """A checked entry of a study and its object."""

    kind: str
    model: Model
    made: Made

    @cached_property
    def spec(self) -> Kept:
        """Kind and parameters."""
        names = fields.parameter_names(type(self.made))
        return Kept(kind=self.kind, **self.model.model_dump(include=set(names), mode="json"))


LandscapeOf = Entry[fields.LandscapeEntry, Landscape]
OptimizerOf = Entry[fields.OptimizerEntry, Optimizer]
