"""Instruments of a user's: one that keeps the contract, and some that break it, each in one way."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from annotated_types import Gt

from studies.kinds.instruments import Instrument


@dataclass(frozen=True, kw_only=True)
class Radius(Instrument):
    """How far the center is from the origin, in units of a length, and how many points were asked.

    Args:
        unit: the length.
    """

    variables: ClassVar = {
        "radius": ("distance of the center to the origin", "1"),
        "asked": ("points asked in the last step; NaN before the first", "1"),
    }
    unit: Annotated[float, Gt(0)] = 1.0

    def look(self, moment, optimizer, landscape):
        center = optimizer.center(moment.state).double()
        asked = torch.nan if moment.query is None else moment.query.points.shape[1]
        return {
            "radius": (center**2).sum(-1).sqrt() / self.unit,
            "asked": torch.full_like(center[:, 0], asked),
        }


@dataclass(frozen=True, kw_only=True)
class Named(Instrument):
    """The true loss of the center, under a name of the user's choice."""

    variable: str = "center_loss"

    @property
    def variables(self):
        return {self.variable: ("true loss of the center", "loss")}

    def look(self, moment, optimizer, landscape):
        point = optimizer.center(moment.state)[:, None]
        return {self.variable: landscape.solution_loss(point, moment.time(landscape))[:, 0]}


class Seen(Instrument):
    """What the wrong ones have in common."""

    variables: ClassVar = {"viewed": ("what is seen", "1")}


@dataclass(frozen=True, kw_only=True)
class Long(Seen):
    def look(self, moment, optimizer, landscape):
        return {"viewed": optimizer.center(moment.state)}


@dataclass(frozen=True, kw_only=True)
class Other(Seen):
    def look(self, moment, optimizer, landscape):
        return {"sight": moment.cost}


@dataclass(frozen=True, kw_only=True)
class Number(Seen):
    def look(self, moment, optimizer, landscape):
        return {"viewed": 1.0}


@dataclass(frozen=True, kw_only=True)
class Nothing(Seen):
    def look(self, moment, optimizer, landscape):
        pass


@dataclass(frozen=True, kw_only=True)
class Draws(Seen):
    def look(self, moment, optimizer, landscape):
        return {"viewed": moment.cost + torch.rand(())}


@dataclass(frozen=True, kw_only=True)
class Changes(Seen):
    def look(self, moment, optimizer, landscape):
        return {"viewed": moment.cost.add_(1)}


@dataclass(frozen=True, kw_only=True)
class Across(Seen):
    def look(self, moment, optimizer, landscape):
        center = optimizer.center(moment.state)
        return {"viewed": (center - center.mean()).square().sum(-1)}


@dataclass(frozen=True, kw_only=True)
class Raises(Seen):
    def look(self, moment, optimizer, landscape):
        return {"viewed": moment.state.no_such_thing}


@dataclass(frozen=True, kw_only=True)
class Loss(Instrument):
    variables: ClassVar = {"loss": ("a word of the Dataset", "loss")}

    def look(self, moment, optimizer, landscape):
        return {"loss": moment.cost}


@dataclass(frozen=True, kw_only=True)
class Silent(Instrument):
    def look(self, moment, optimizer, landscape):
        return {}


@dataclass(frozen=True, kw_only=True)
class Unfinished(Instrument):
    variables: ClassVar = {"viewed": ("what is seen", "1")}


@dataclass(frozen=True, kw_only=True)
class Careless(Instrument):
    variables: ClassVar = {"viewed": "no unit"}

    def look(self, moment, optimizer, landscape):
        return {}
