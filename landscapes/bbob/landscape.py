"""The noiseless functions of COCO's Black-Box Optimization Benchmarking (BBOB), digit by digit.

Hansen, Finck, Ros and Auger (2009), "Real-parameter black-box optimization benchmarking 2009: noiseless
functions definitions", INRIA RR-6829. The loss is the gap f(x) - f_opt, computed without adding f_opt, so
that it is accurate however close to the optimum. What makes an instance follows from its number by the
benchmark's own generator (`landscapes.bbob.instances`): nothing is drawn from the streams.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

import torch
from annotated_types import Ge, Le
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms, weighted
from landscapes.bbob.functions import FUNCTIONS
from landscapes.bbob.instances import LAST, f_opt, seed_of
from landscapes.bbob.tables import Tables, gather, in_chunks
from landscapes.bbob.transforms import outside
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.streams import Streams

# between redraws of an instance: about LAST over the golden ratio, so that they stay clear of the numbers of
# other worlds
_STRIDE = 123_607


@dataclass(frozen=True, kw_only=True)
class BBOB(Landscape):
    """One of the 24 noiseless BBOB functions of COCO; worlds are its instances.

    f1 sphere, f2 separable ellipsoid, f3 separable Rastrigin, f4 Bueche-Rastrigin, f5 linear slope;
    f6 attractive sector, f7 step ellipsoid, f8 Rosenbrock, f9 rotated Rosenbrock;
    f10 ellipsoid, f11 discus, f12 bent cigar, f13 sharp ridge, f14 different powers;
    f15 Rastrigin, f16 Weierstrass, f17 Schaffers F7, f18 the same ill-conditioned, f19 Griewank-Rosenbrock;
    f20 Schwefel, f21 Gallagher's 101 peaks, f22 his 21 peaks, f23 Katsuura, f24 Lunacek's bi-Rastrigin.

    The loss is the gap to the optimum; the benchmark's own value is the gap plus `f_opt`.

    Source: Hansen, Finck, Ros and Auger 2009, INRIA RR-6829; instances as in COCO (Hansen et al. 2021,
    Optimization Methods and Software 36).

    Args:
        function: its number, 1 .. 24.
        dim: D, >= 2; COCO itself goes to 40, beyond are the same formulas.
        instance: the number of the instance in all worlds, 1 .. 200000; None: that of world r is r + 1
            (modulo 200000).
    """

    name: ClassVar[str] = "bbob"
    function: Annotated[int, Ge(1), Le(24)] = 1
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

    def bind(self, streams: Streams) -> Self:
        """Compute the instances."""
        numbers, row = torch.unique(instance_numbers(streams, self.instance), return_inverse=True)
        drawn = [
            FUNCTIONS[self.function].draw(seed_of(self.function, n), self.dim) for n in numbers.tolist()
        ]
        tables = gather(drawn, row, streams)
        offsets = torch.tensor([f_opt(self.function, n) for n in numbers.tolist()], dtype=torch.float64)
        return self.bound(
            tables=tables, optimum=tables.optimum, f_opt=offsets[row].to(streams.device, streams.dtype)
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """F(x) - f_opt of x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.optimum)
        function = FUNCTIONS[self.function]
        gap = in_chunks(function.value, x, self.tables)
        gap = gap + function.penalty * outside(x) if function.penalty else gap
        return weighted(gap, terms)


def instance_numbers(streams: Streams, instance: int | None) -> Tensor:
    """(R,) int64 the number of each world's instance: the given one, or the world's number + 1.

    Redraws of source "instance" are other instances.
    """
    if instance is not None:
        return torch.full_like(streams.worlds, instance)
    again = streams.redraws.get("instance", torch.zeros_like(streams.worlds))
    return (streams.worlds + _STRIDE * again) % LAST + 1
