"""Spin glasses: Ising spins with random couplings.

E(s) = -sum_c J_c prod_{i in c} s_i, s_i = 2 x_i - 1. On the complete graph c runs over all sets of `order` =
p spins, and J has variance p! / (2 n^(p - 1)), so that Var E is about n / 2 (Derrida 1981, "Random-energy
model", Phys. Rev. B 24, 2613); for p = 2 it is 1 / n, the model of Sherrington and Kirkpatrick (1975),
"Solvable model of a spin-glass", Phys. Rev. Lett. 35, 1792. On the square lattice with periodic boundaries,
and on the ring, J has variance 1 (Edwards and Anderson 1975, J. Phys. F 5, 965). The loss is the total energy
above that of a ground state where this is known, else E. Terms are couplings. With an even order all spins
may be flipped at no cost: every optimum comes in a pair.

The autocorrelation of E over one-bit steps is 1 - 2 p / n, exactly, in every instance (Weinberger and Stadler
1993, J. theor. Biol. 163, 255).

Streams: "instance" (part 0 the couplings).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Ge, Le
from torch import Tensor

from landscapes.base import Bits, Domain, Landscape, Terms, per_instance
from landscapes.binary import spin_kernels as kernels
from landscapes.binary.genotypes import ENUMERATED, bits
from landscapes.binary.products import every, product_sums, sums_of_all
from landscapes.checks import UNBOUND, check_bound, check_chances, check_points
from landscapes.streams import Streams

WIDEST = 12  # side of a lattice whose ground state is looked for: two seconds of work at most
MOST = 2**23  # couplings of one instance


@dataclass(frozen=True, kw_only=True)
class SpinGlass(Landscape):
    """Spin glass: the energy of Ising spins with random couplings: p-spin, +-J lattice or ring.

    With p = 2 the first is the Sherrington-Kirkpatrick model.

    A ground state is found exactly, so the loss is the gap to its energy, for n <= 20, on lattices of side <=
    12, on the ring, and where couplings are `ferromagnet`. Elsewhere `gap_known` is False and the loss is E,
    which can be negative.

    Source: Sherrington and Kirkpatrick 1975 (complete, order 2); Derrida 1981 (higher orders); Edwards and
    Anderson 1975 (lattice).

    Args:
        n: spins, >= 2; on the lattice the square of an even number >= 4: with odd sides J and -J would not be
            equivalent.
        graph: complete, all sets of `order` spins; lattice, neighbours on a square lattice with periodic
            boundaries; ring, neighbours, n >= 3.
        order: p, spins that a coupling multiplies, 1 <= p <= 4 and at most n; 2 on the lattice and the ring.
            At most 2^23 couplings.
        couplings: gaussian; pm1, one size and random signs; ferromagnet, all of that size and positive.
    """

    name: ClassVar[str] = "spin_glass"
    n: Annotated[int, Ge(2)] = 36
    graph: Literal["complete", "lattice", "ring"] = "complete"
    order: Annotated[int, Ge(1), Le(4)] = 2
    couplings: Literal["gaussian", "pm1", "ferromagnet"] = "gaussian"
    strength: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, M) J
    # (1, M, p) int64, the spins of each coupling
    reads: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, n) uint8 a ground state, None: unknown
    optimum: Tensor | None = field(init=False, repr=False, compare=False, default=None)
    # (R, 1) its energy; 0 where unknown
    best: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # every coupling with weight 1
    whole: Terms = field(init=False, repr=False, compare=False, default=Terms(UNBOUND, UNBOUND))

    def check(self) -> None:
        """The graph must exist."""
        if self.graph == "lattice" and (
            self.side % 2 or self.side < 4 or self.side * self.side != self.n
        ):
            raise ValueError(
                "spin_glass.n: expected the square of an even number >= 4 on a periodic lattice, as in 16,"
                f" 36, 64, got {self.n}"
            )
        if self.graph == "ring" and self.n < 3:
            raise ValueError(f"spin_glass.n: expected >= 3 on a ring, got {self.n}")
        if self.graph != "complete" and self.order != 2:
            raise ValueError(f"spin_glass.order: expected 2 on a {self.graph}, got {self.order}")
        if self.order > self.n:
            raise ValueError(f"spin_glass.order: expected at most n = {self.n}, got {self.order}")
        if self.terms > MOST:
            raise ValueError(
                f"spin_glass.n: expected at most 2^23 couplings, got {self.terms} with n = {self.n} and order"
                f" = {self.order}"
            )

    @property
    def side(self) -> int:
        """The side of the lattice."""
        return math.isqrt(self.n)

    @property
    def dim(self) -> int:
        """The spins."""
        return self.n

    @property
    def domain(self) -> Domain:
        """Spin i is 2 x_i - 1."""
        return Bits()

    @property
    def terms(self) -> int:
        """The couplings."""
        return {"complete": math.comb(self.n, self.order), "lattice": 2 * self.n, "ring": self.n}[
            self.graph
        ]

    @property
    def spacing(self) -> float:
        """For couplings of one size |J|: 2 |J|, or 4 |J| if z is even.

        A flip turns the sum of the z couplings of a spin, which has its parity.
        """
        couplings_of_a_spin = (
            math.comb(self.n - 1, self.order - 1)
            if self.graph == "complete"
            else self.order * self.terms // self.n
        )
        return (
            0.0
            if self.couplings == "gaussian"
            else self._size * (4.0 - 2.0 * (couplings_of_a_spin % 2))
        )

    @property
    def extension_cost(self) -> int:
        """The extension is the same sum of products."""
        return 1

    @property
    def gap_known(self) -> bool:
        """Whether a ground state can be found (see the class)."""
        if self.couplings == "ferromagnet" or self.graph == "ring":
            return True
        return self.side <= WIDEST if self.graph == "lattice" else self.n <= ENUMERATED

    @property
    def optima(self) -> Tensor | None:
        """With an even order the ground state and its complement: (R, 1 or 2, n)."""
        if self.optimum is None or self.order % 2:
            return None if self.optimum is None else self.optimum[:, None]
        return torch.stack((self.optimum, 1 - self.optimum), 1)

    def bind(self, streams: Streams) -> Self:
        """Draw the couplings and find a ground state."""
        strength = per_instance(streams, self._strength)
        reads, unknown = self._reads().to(streams.device), torch.zeros_like(strength[:, :1])
        drawn = self.bound(strength=strength, reads=reads, whole=every(reads, strength), best=unknown)
        if not self.gap_known:
            return drawn
        optimum = per_instance(
            streams,
            lambda s: torch.stack([
                self._ground(couplings.double().cpu()) for couplings in self._strength(s)
            ]).to(s.device),
        )
        return drawn.bound(optimum=optimum, best=drawn.loss(optimum[:, None]))

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Energy above the ground state, or E where that is not known, of x (R, P, n) uint8 -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.strength)
        return self._gap(x, terms)

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Its mean where spins are up independently with chances p (R, P, n) -> (R, P).

        Differentiable once.
        """
        del time
        check_chances(self, p)
        check_bound(self.name, p, self.strength)
        return self._gap(p, terms)

    def _gap(self, x: Tensor, terms: Terms | None) -> Tensor:
        if terms is None:
            return -product_sums(x, False, self.reads, self.strength, self.whole) - self.best
        share = Terms(terms.index, self.terms * terms.weight)
        return -product_sums(x, False, self.reads, self.strength, share) - self.best * terms.weight.sum(
            -1
        )

    @property
    def _size(self) -> float:
        """Standard deviation of the couplings, or their one size."""
        return (
            math.sqrt(math.factorial(self.order) / (2 * self.n ** (self.order - 1)))
            if self.graph == "complete"
            else 1.0
        )

    def _strength(self, streams: Streams) -> Tensor:
        deviation = self._size
        if self.couplings == "ferromagnet":
            return torch.full(
                (streams.size, self.terms), deviation, dtype=streams.dtype, device=streams.device
            )
        if self.couplings == "gaussian":
            return deviation * streams.normal("instance", (self.terms,))
        return deviation * (2 * streams.coins("instance", (self.terms,)).to(streams.dtype) - 1)

    def _reads(self) -> Tensor:
        site = torch.arange(self.n)
        if self.graph == "complete":
            return torch.combinations(site, self.order)[None] if self.order > 1 else site[None, :, None]
        if self.graph == "ring":
            return torch.stack((site, site.roll(-1)), -1)[None]
        grid = site.view(self.side, self.side)
        right, below = grid.roll(-1, 1).flatten(), grid.roll(-1, 0).flatten()
        # the coupling to the right and the one below, site by site
        return torch.stack((site, right, site, below), -1).view(1, -1, 2)

    def _ground(self, strength: Tensor) -> Tensor:
        """A ground state of one instance, (n,) uint8."""
        if self.couplings == "ferromagnet":
            return torch.ones(self.n, dtype=torch.uint8)
        if self.graph == "ring":
            return _ring_ground(strength)
        if self.graph == "lattice":
            out = torch.empty((self.side, self.side), dtype=torch.uint8)
            kernels.lattice_ground(strength.view(self.side, self.side, 2).numpy(), out.numpy())
            return out.flatten()
        masks = (1 << self._reads()[0]).sum(-1)
        return bits(sums_of_all(masks, strength, self.n).argmax(), self.n)


def _ring_ground(strength: Tensor) -> Tensor:
    """Of a ring (n,) every coupling is satisfied, but for the weakest where their product is negative."""
    after = int(strength.abs().argmin()) + 1
    signs = strength.roll(-after).sign()[
        :-1
    ]  # sign(0) cannot matter: it is the weakest, which is left out
    spins = torch.cat((torch.ones(1).to(signs), signs)).cumprod(0).roll(after)
    return (spins > 0).to(torch.uint8)
