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

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from landscapes.numerics import dot

LEVELS = 32  # of the tree
HORIZON = 2**LEVELS  # times are below it
_DOWN = range(LEVELS, 0, -1)  # intervals of 2^level units, the widest first

Path = Callable[
    [Tensor], Tensor
]  # time (R,) float64 -> displacement (R, D) float64, or mask (R, D) bool


def epochs(time: Tensor, period: float) -> Tensor:
    """Periods completed at time (R,) -> (R,) int64.

    Dividing by a tensor rounds correctly on every device, by a number it need not.
    """
    return torch.floor(time / torch.full_like(time, period)).long()


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
    """Once around in `period`; at time 0 it stands at the end of the first of two orthogonal arms (R, D)."""

    first: Tensor
    second: Tensor
    period: float

    def __call__(self, time: Tensor) -> Tensor:
        """Displacement (R, D)."""
        angle = (2 * math.pi / self.period * time)[:, None]
        return (torch.cos(angle) - 1) * self.first + torch.sin(angle) * self.second


@dataclass(frozen=True)
class Jumps:
    """At each multiple of `period` a fresh displacement, N(0, radius^2) in each coordinate."""

    normals: Kept
    radius: float
    period: float

    def __call__(self, time: Tensor) -> Tensor:
        """Displacement (R, D)."""
        epoch = epochs(time, self.period)[:, None]
        return torch.where(epoch > 0, self.radius * self.normals(epoch)[..., 0], 0.0)


@dataclass(frozen=True)
class Walk:
    """Brownian motion of standard deviation `step` per unit of time and coordinate."""

    normals: Kept
    step: float

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
    """So many flips per unit of time, through the loci in the order of `places` (R, D), around and around."""

    places: Tensor
    speed: float

    def __call__(self, time: Tensor) -> Tensor:
        """Mask (R, D)."""
        loci = self.places.shape[1]
        flips = torch.floor(self.speed * time).long()[:, None]
        return (flips // loci + (self.places < flips % loci)) % 2 == 1


@dataclass(frozen=True)
class Round:
    """Masks (R, M, D) one after the other, all of them in `period`, and around again."""

    masks: Tensor
    period: float

    def __call__(self, time: Tensor) -> Tensor:
        """Mask (R, D)."""
        count = self.masks.shape[1]
        now = epochs(time, self.period / count) % count
        return self.masks.take_along_dim(now[:, None, None], 1)[:, 0]


@dataclass(frozen=True)
class FreshMasks:
    """At each multiple of `period` a fresh mask, in which each locus is flipped with chance `severity`."""

    uniforms: Kept
    severity: float
    period: float

    def __call__(self, time: Tensor) -> Tensor:
        """Mask (R, D)."""
        epoch = epochs(time, self.period)[:, None]
        return (epoch > 0) & (self.uniforms(epoch)[..., 0] < self.severity)


@dataclass(frozen=True)
class MaskWalk:
    """At each multiple of `period` each locus flips with chance `severity`, once more."""

    uniforms: Kept
    severity: float
    period: float
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
        right = draws[0] < flip_chance(self.severity, HORIZON)
        for level, draw in zip(_DOWN, draws[1:], strict=True):
            q = flip_chance(self.severity, 2 ** (level - 1))
            odd = q * q / (q * q + (1 - q) * (1 - q))
            middle = left ^ (draw < torch.where(left == right, odd, 0.5))
            beyond = (epoch >> (level - 1) & 1 == 1)[:, None]
            left, right = torch.where(beyond, middle, left), torch.where(beyond, right, middle)
        return left


def flip_chance(severity: float, units: int) -> float:
    """That a locus which flips with chance `severity` in each unit differs after so many."""
    return (1 - (1 - 2 * severity) ** units) / 2


# the tree ---------------------------------------------------------------------------------------------------


def tree(unit: Tensor) -> Tensor:
    """Nodes on the way to a unit of time (R,) int64.

    (R, 33), 0 for the whole horizon, then the number of each interval, the widest first.
    """
    level = torch.tensor(list(_DOWN), device=unit.device)
    intervals = (1 << (LEVELS - level)) | (unit[:, None] >> level)
    return torch.nn.functional.pad(intervals, (1, 0))


class Kept:
    """A function of numbers (R, J) -> (R, D, J), column by column, that keeps its last answer.

    A moment later most of them are the same.
    """

    def __init__(self, compute: Callable[[Tensor], Tensor]) -> None:
        self.compute = compute
        self.last: tuple[Tensor, Tensor] | None = None

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


def draws(law: Callable[[Tensor], Tensor], dim: int) -> Kept:
    """Random numbers of D = `dim` coordinates at numbered places.

    Law: `uniform` or `normal` of a `Keyed` table, at (number, coordinate).
    """

    def draw(numbers: Tensor) -> Tensor:
        coordinate = torch.arange(dim, device=numbers.device)[:, None]
        words = torch.stack(torch.broadcast_tensors(numbers[:, None], coordinate), -1).flatten(1, 2)
        return law(words).unflatten(1, (dim, -1))

    return Kept(draw)
