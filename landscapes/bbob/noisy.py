"""The noisy functions of the Black-Box Optimization Benchmarking (BBOB) of COCO.

Noise-free part digit by digit, noise by its law.

Hansen, Finck, Ros and Auger (2009), "Real-parameter black-box optimization benchmarking 2009: noisy functions
definitions", INRIA RR-6869. With the gap f >= 1e-8 to the optimum, U uniform on (0, 1) and N standard normal,
all independent and drawn anew at each evaluation, a method sees

    gauss     f exp(beta N)                                           moderate beta = 0.01; severe 1
    uniform   f U^beta max[1, (1e9 / f)^(alpha (0.49 + 1/D) U')]      alpha = beta = 0.01; 1
    cauchy    f + alpha max[0, 1000 + (U < p) N / |N'|]               alpha = 0.01, p = 0.05; 1, 0.2

plus 1.01e-8, and f itself where f < 1e-8; then the boundary penalty 100 sum_i max(0, |x_i| - 5)^2, which
carries no noise. The seldom Cauchy noise moves all values by 1000 alpha, so that the lowest value seen says
nothing of the gap.

COCO's own generator differs: one sequence serves the whole process, so that a run depends on all that was
evaluated before it; draw k is the first number of a generator seeded with 30 + k, so that normals have
standard deviation 1.051 and uniforms mean 0.485, standard deviation 0.296 and P(U < 0.05) = 0.080 (over the
first 10^6); and COCO adds noise below 1e-8 too. Here the law is that of the paper and the draws are
addressed.

Streams: "evaluation" (part 2 the normal or the exponent of U, 3 and 4 what else the law needs).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, ClassVar, Self

import torch
from annotated_types import Ge, Le
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms, weighted
from landscapes.bbob.functions import FUNCTIONS
from landscapes.bbob.ill_conditioned import ellipsoid
from landscapes.bbob.instances import LAST, SHARED_SEEDS, f_opt, seed_of
from landscapes.bbob.landscape import instance_numbers
from landscapes.bbob.multimodal import griewank_rosenbrock
from landscapes.bbob.tables import Tables, gather, in_chunks
from landscapes.bbob.transforms import outside
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.streams import Streams

PRECISION = 1e-8  # gaps below are seen without noise
PENALTY = 100.0  # times the squared distance from [-5, 5]^D
EASIER: dict[int, Callable[[Tensor, Tables], Tensor]] = {
    10: partial(ellipsoid, condition=1e4),
    19: partial(griewank_rosenbrock, factor=1.0),
}


@dataclass(frozen=True, kw_only=True)
class BBOBNoisy(Landscape):
    """One of the 30 noisy BBOB functions of COCO; worlds are its instances.

    Three functions in a row share one function and differ in their noise: gauss, uniform, cauchy. Moderate
    noise: f101 - f103 sphere, f104 - f106 Rosenbrock. Severe noise: f107 - f109 sphere, f110 - f112
    Rosenbrock, f113 - f115 step ellipsoid, f116 - f118 ellipsoid of condition 1e4, f119 - f121 different
    powers, f122 - f124 Schaffers F7, f125 - f127 Griewank-Rosenbrock, f128 - f130 Gallagher's 101 peaks.

    The loss is the gap to the optimum, boundary penalty included, without noise; the noise is in the values
    that a method sees, not in gradients.

    Source: Hansen, Finck, Ros and Auger 2009, INRIA RR-6869; instances as in COCO (Hansen et al. 2021,
    Optimization Methods and Software 36).

    Args:
        function: its number, 101 .. 130.
        dim: D, >= 2.
        instance: the number of the instance in all worlds, 1 .. 200000; None: that of world r is r + 1
            (modulo 200000).
    """

    name: ClassVar[str] = "bbob_noisy"
    function: Annotated[int, Ge(101), Le(130)] = 101
    dim: Annotated[int, Ge(2)] = 10
    instance: Annotated[int | None, Ge(1), Le(LAST)] = None
    optimum: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, D)
    # (R,) the benchmark's value there
    f_opt: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    tables: Tables = field(init=False, repr=False, compare=False, default=Tables())

    @property
    def domain(self) -> Domain:
        """The box of starts; there are values outside."""
        return Reals(-5.0, 5.0)

    @property
    def gap_known(self) -> bool:
        """The loss is the gap."""
        return True

    @property
    def noisy(self) -> bool:
        """The values that a method sees are."""
        return True

    @property
    def base(self) -> int:
        """The noiseless function that this one is made of."""
        return SHARED_SEEDS[self.function]

    @property
    def severe(self) -> bool:
        """Whether the noise is severe; else it is moderate."""
        return self.function > 106

    def bind(self, streams: Streams) -> Self:
        """Compute the instances."""
        numbers, row = torch.unique(instance_numbers(streams, self.instance), return_inverse=True)
        drawn = [
            FUNCTIONS[self.base].draw(seed_of(self.function, n), self.dim) for n in numbers.tolist()
        ]
        tables = gather(drawn, row, streams)
        offsets = torch.tensor([f_opt(self.function, n) for n in numbers.tolist()], dtype=torch.float64)
        return self.bound(
            tables=tables, optimum=tables.optimum, f_opt=offsets[row].to(streams.device, streams.dtype)
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """F(x) - f_opt of x (R, P, D), without noise -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.optimum)
        gap = in_chunks(
            EASIER.get(self.base, FUNCTIONS[self.base].value), x, self.tables
        ) + PENALTY * outside(x)
        return weighted(gap, terms)

    def observe(self, value: Tensor, points: Tensor, streams: Streams) -> Tensor:
        """The noisy gaps (R, P) of points (R, P, D) of losses (R, P), source "evaluation", parts 2 to 4."""
        penalty = PENALTY * outside(points)
        gap = (value - penalty).clamp_min(0)
        seen = (gauss, uniform, cauchy)[(self.function - 101) % 3](
            gap, self, streams
        ) + 1.01 * PRECISION
        return torch.where(gap < PRECISION, gap, seen) + penalty


def gauss(gap: Tensor, function: BBOBNoisy, streams: Streams) -> Tensor:
    """Log-normal: half of the values are too low."""
    beta = 1.0 if function.severe else 0.01
    return gap * torch.exp(beta * streams.normal("evaluation", gap.shape[1:], part=2))


def uniform(gap: Tensor, function: BBOBNoisy, streams: Streams) -> Tensor:
    """A factor below 1, and one above 1 that grows as the gap shrinks."""
    strength = 1.0 if function.severe else 0.01
    alpha, beta = strength * (0.49 + 1 / function.dim), strength
    low, high = (streams.uniform("evaluation", gap.shape[1:], part=part) for part in (2, 3))
    rise = (alpha * high * torch.log(1e9 / gap.clamp_min(PRECISION))).clamp_min(0)
    return gap * torch.exp(beta * torch.log(low) + rise)


def cauchy(gap: Tensor, function: BBOBNoisy, streams: Streams) -> Tensor:
    """A constant, and seldom a Cauchy variable on top of it."""
    alpha, chance = (1.0, 0.2) if function.severe else (0.01, 0.05)
    seldom = streams.bernoulli("evaluation", chance, gap.shape[1:], part=2)
    above, below = (streams.normal("evaluation", gap.shape[1:], part=part) for part in (3, 4))
    ratio = above / (below.abs() + (1e-199 if gap.dtype == torch.float64 else 1e-30))
    return gap + alpha * (1000 + seldom * ratio).clamp_min(0)
