"""Where a moving optimum is: displacements of a real point, and masks of flipped bits, as functions of time.

Every path is at 0 at time 0, and its place at time t is the same whatever was asked before. A random walk of
any length is therefore not summed but read off from a binary tree over the horizon of 2^32 units: the node of
each interval says where its midpoint lies between its two ends.

- Real coordinates: Brownian motion by Levy's construction (Levy 1948; Karatzas and Shreve 1991, section 2.3),
  B(t) = sum of tent functions times independent normals; cut off at intervals of one unit, it has the exact
  law at whole times and is linear in between.
- Bits: the two-state chain that flips with chance s in each unit. Over m units it flips with chance q_m = (1
  - (1 - 2 s)^m) / 2; at the midpoint of 2 m units whose ends are equal it differs from both with chance q_m^2
  / (q_m^2 + (1 - q_m)^2), and where they differ it equals either with chance 1/2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from landscapes.keyed import Keyed
from landscapes.numerics import dot

LEVELS = 32  # of the tree
HORIZON = 2**LEVELS  # times are below it
_DOWN = range(LEVELS, 0, -1)  # intervals of 2^level units, the widest first

Path = Callable[
    [Tensor], Tensor
]  # time (R,) float64 -> displacement (R, D) float64, or mask (R, D) bool


def epochs(time: Tensor, period: Tensor) -> Tensor:
    """Periods (R, 1) completed at time (R,) -> (R,) int64.

    Dividing by a tensor rounds correctly on every device, by a number it need not.
    """
    return torch.floor(time / period[:, 0]).long()


# real coordinates -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """Constant velocity (R, D)."""

    velocity: Tensor

    def __call__(self, time: Tensor) -> Tensor:
        """Displacement (R, D)."""
        return time[:, None] * self.velocity


@dataclass(frozen=True)
class Circle:
    """It begins at the end of the first of two right-angled arms (R, D) and turns at `speed` (R, 1)."""

    first: Tensor
    second: Tensor
    speed: Tensor

    def __call__(self, time: Tensor) -> Tensor:
        """Displacement (R, D)."""
        angle = self.speed * time[:, None]
        return (torch.cos(angle) - 1) * self.first + torch.sin(angle) * self.second


@dataclass(frozen=True)
class Jumps:
    """At each multiple of `period` (R, 1) a fresh displacement, N(0, radius^2) in each coordinate."""

    normals: Kept
    radius: Tensor
    period: Tensor

    def __call__(self, time: Tensor) -> Tensor:
        """Displacement (R, D)."""
        epoch = epochs(time, self.period)[:, None]
        return torch.where(epoch > 0, self.radius * self.normals(epoch)[..., 0], 0.0)


@dataclass(frozen=True)
class Walk:
    """Brownian motion of standard deviation `step` (R, 1) per unit of time and coordinate."""

    normals: Kept
    step: Tensor

    def __call__(self, time: Tensor) -> Tensor:
        """Displacement (R, D)."""
        return self.step * dot(tents(time)[:, None], self.normals(tree(time.long())))


def tents(time: Tensor) -> Tensor:
    """The functions of Levy's construction at time (R,) float64, in the order of `tree`: (R, 33)."""
    place = torch.frac(time[:, None] / time.new_tensor([2.0**level for level in _DOWN]))
    height = time.new_tensor([2.0 ** (level / 2) for level in _DOWN]) * torch.minimum(place, 1 - place)
    return torch.cat((time[:, None] * HORIZON**-0.5, height), -1)


# bits -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Turns:
    """So many flips (R, 1) per unit of time, through the loci in the order of `places` (R, D), and around."""

    places: Tensor
    speed: Tensor

    def __call__(self, time: Tensor) -> Tensor:
        """Mask (R, D)."""
        loci = self.places.shape[1]
        flips = torch.floor(self.speed * time[:, None]).long()
        return (flips // loci + (self.places < flips % loci)) % 2 == 1


@dataclass(frozen=True)
class Round:
    """Masks (R, M, D) one after the other, each for `period` (R, 1), and around again."""

    masks: Tensor
    period: Tensor

    def __call__(self, time: Tensor) -> Tensor:
        """Mask (R, D)."""
        now = epochs(time, self.period) % self.masks.shape[1]
        return self.masks.take_along_dim(now[:, None, None], 1)[:, 0]


@dataclass(frozen=True)
class FreshMasks:
    """At each multiple of `period` (R, 1) a fresh mask, of loci flipped with chance `severity` (R, 1)."""

    uniforms: Kept
    severity: Tensor
    period: Tensor

    def __call__(self, time: Tensor) -> Tensor:
        """Mask (R, D)."""
        epoch = epochs(time, self.period)[:, None]
        return (epoch > 0) & (self.uniforms(epoch)[..., 0] < self.severity)


@dataclass(frozen=True)
class MaskWalk:
    """At each multiple of `period` (R, 1) each locus flips once more, with the chances of `flips`.

    Args:
        uniforms: draws of the tree.
        period: (R, 1).
        flips: (R, 1) each, chances that a locus has flipped after the whole horizon, and that it differs in
            the middle of each shorter interval whose ends are equal, as in `walk_chances`.
    """

    uniforms: Kept
    period: Tensor
    flips: tuple[Tensor, ...]
    walked: Kept = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "walked", Kept(self._walked))

    def __call__(self, time: Tensor) -> Tensor:
        """Mask (R, D)."""
        return self.walked(epochs(time, self.period)[:, None])[..., 0]

    def _walked(self, epoch: Tensor) -> Tensor:
        """The masks of epochs (R, 1) -> (R, D, 1), by halving the interval that holds them."""
        draws = self.uniforms(tree(epoch[:, 0])).split(1, -1)
        left = torch.zeros_like(draws[0], dtype=torch.bool)
        whole, *halves = (chance[..., None] for chance in self.flips)
        right = draws[0] < whole
        for level, draw, odd in zip(_DOWN, draws[1:], halves, strict=True):
            middle = left ^ (draw < torch.where(left == right, odd, 0.5))
            beyond = (epoch >> (level - 1) & 1 == 1)[:, None]
            left, right = torch.where(beyond, middle, left), torch.where(beyond, right, middle)
        return left


def flip_chance(severity: float, units: int) -> float:
    """That a locus which flips with chance `severity` in each unit differs after so many."""
    return (1 - (1 - 2 * severity) ** units) / 2


def walk_chances(severity: float) -> list[float]:
    """The chances of `MaskWalk`: of the whole horizon, then of the middles, the widest interval first."""
    halves = [flip_chance(severity, 2 ** (level - 1)) for level in _DOWN]
    odd = [q * q / (q * q + (1 - q) * (1 - q)) for q in halves]
    return [flip_chance(severity, HORIZON), *odd]


# the tree ---------------------------------------------------------------------------------------------------


def tree(unit: Tensor) -> Tensor:
    """Nodes on the way to a unit of time (R,) int64.

    (R, 33), 0 for the whole horizon, then the number of each interval, the widest first.
    """
    level = torch.tensor(list(_DOWN), device=unit.device)
    intervals = (1 << (LEVELS - level)) | (unit[:, None] >> level)
    return torch.nn.functional.pad(intervals, (1, 0))


@dataclass
class Kept:
    """A function of numbers (R, J) -> (R, D, J), column by column, that keeps its last answer.

    A moment later most of them are the same.
    """

    compute: Callable[[Tensor], Tensor]
    last: tuple[Tensor, Tensor] | None = field(init=False, default=None)

    def __call__(self, numbers: Tensor) -> Tensor:
        """Numbers (R, J) int64 -> (R, D, J)."""
        if self.last is None:
            answer = self.compute(numbers)
        else:
            known, answer = self.last
            changed = (numbers != known).any(0)
            if not bool(changed.any()):
                return answer
            answer = answer.clone()
            answer[..., changed] = self.compute(numbers[:, changed])
        self.last = numbers, answer
        return answer


@dataclass(frozen=True)
class Numbered:
    """Random numbers of D = `dim` coordinates at numbered places: a table at (number, coordinate)."""

    table: Keyed
    law: Literal["uniform", "normal"]
    dim: int

    def __call__(self, numbers: Tensor) -> Tensor:
        """Numbers (R, J) -> (R, D, J)."""
        coordinate = torch.arange(self.dim, device=numbers.device)[:, None]
        words = torch.stack(torch.broadcast_tensors(numbers[:, None], coordinate), -1).flatten(1, 2)
        drawn = self.table.normal(words) if self.law == "normal" else self.table.uniform(words)
        return drawn.unflatten(1, (self.dim, -1))
