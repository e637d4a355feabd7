"""NK landscapes: n binary loci, the contribution of each depends on k others.

Kauffman and Weinberger (1989), "The NK model of rugged fitness landscapes and its application to maturation
of the immune response", J. theor. Biol. 141, 211-245. Fitness F(x) = 1/n sum_i c_i(x_i, x_i1, ..., x_ik); the
2^(k + 1) contributions c_i of a locus are independent and uniform on [0, 1). The loss is the gap max F - F
where the optimum is known, else 1 - F. Terms are loci.

Streams: "instance" (part 0 the tables, part 1 random neighbours). Tables of instance w do not depend on the
batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from annotated_types import Ge, Le
from torch import Tensor

from landscapes.base import Bits, Domain, Landscape, Terms, per_instance
from landscapes.binary import nk_kernels as kernels
from landscapes.binary.genotypes import ENUMERATED, best_genotype, bits, for_kernel
from landscapes.checks import UNBOUND, check_bound, check_chances, check_points
from landscapes.operators import operator
from landscapes.streams import Streams

# table entries that dynamic programming may read for one instance, seconds of work at most
RING_STEPS = 2**32


@dataclass(frozen=True, kw_only=True)
class NK(Landscape):
    """NK landscape: n bits, each locus interacts with k others; k tunes the ruggedness.

    The optimum is found exactly, so the loss is the gap to it, for n <= 20, for blocks, and for adjacent
    neighbours while n 2^(2k + 1) <= 2^32 (k <= 13 at n = 32). Elsewhere `gap_known` is False and the loss is
    1 - F.

    Source: Kauffman and Weinberger 1989 (neighbours adjacent or random); Perelson and Macken 1995 (blocks).

    Args:
        n: loci, >= 1.
        k: other loci that the contribution of a locus depends on, 0 <= k <= n - 1 and at most 20.
        neighbours: adjacent, the next k loci of a ring; random, k others drawn for each locus and instance;
            blocks, the loci come in separate blocks of k + 1 (k + 1 must divide n).
    """

    name: ClassVar[str] = "nk"
    n: Annotated[int, Ge(1)] = 32
    k: Annotated[int, Ge(0), Le(20)] = 4
    neighbours: Literal["adjacent", "random", "blocks"] = "adjacent"
    # (R, n, 2^(k + 1)) contributions
    table: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, n, k + 1) int64, the lowest bit of an entry first
    reads: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, n) uint8 a best genotype, None: unknown
    optimum: Tensor | None = field(init=False, repr=False, compare=False, default=None)
    # (R, 1) its fitness; 1 where unknown
    best: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # every locus with weight 1 / n
    whole: Terms = field(init=False, repr=False, compare=False, default=Terms(UNBOUND, UNBOUND))

    def check(self) -> None:
        """Neighbours must exist, and blocks must tile the loci."""
        if self.k > self.n - 1:
            raise ValueError(f"nk.k: expected 0 <= k <= n - 1 = {self.n - 1}, got {self.k}")
        if self.neighbours == "blocks" and self.n % (self.k + 1):
            raise ValueError(
                f"nk.k: expected k + 1 to divide n = {self.n} where neighbours are blocks, got k = {self.k}"
            )

    @property
    def dim(self) -> int:
        """The loci."""
        return self.n

    @property
    def domain(self) -> Domain:
        """Genotypes."""
        return Bits()

    @property
    def terms(self) -> int:
        """The loci."""
        return self.n

    @property
    def extension_cost(self) -> int:
        """What one value of `extension` costs, in evaluations: it reads whole tables."""
        return 2 ** (self.k + 1)

    @property
    def gap_known(self) -> bool:
        """Whether the optimum can be found (see the class)."""
        ring = self.neighbours == "adjacent" and _ring_steps(self.n, self.k) <= RING_STEPS
        return self.n <= ENUMERATED or self.neighbours == "blocks" or ring

    def bind(self, streams: Streams) -> Self:
        """Draw the tables and find the optimum."""
        table = per_instance(streams, self._tables)
        reads = (
            per_instance(streams, self._reads) if self.neighbours == "random" else self._reads(streams)
        )
        whole = _whole(table)
        if not self.gap_known:
            return self.bound(
                table=table, reads=reads, whole=whole, best=torch.ones_like(table[:, :1, 0])
            )
        optimum = per_instance(streams, lambda s: self._optimum(self._tables(s), self._reads(s)))
        best = _contributions(optimum[:, None], reads, table, whole)
        return self.bound(table=table, reads=reads, whole=whole, optimum=optimum, best=best)

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Gap to the optimum, or 1 - F where it is not known, of genotypes x (R, P, n) uint8 -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.table)
        return self._gap(_contributions(x, self.reads, self.table, terms or self.whole), terms)

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """The multilinear extension at probabilities p (R, P, n) in [0, 1]: (R, P).

        The mean loss of genotypes whose loci are 1 independently.

        Differentiable once; the value costs 2^(k + 1) operations for each locus, and the gradient as many
        again.
        """
        del time
        check_chances(self, p)
        check_bound(self.name, p, self.table)
        whole = terms or self.whole
        if p.device.type == "cpu":
            mean = _Extension.apply(p, self.reads, self.table, whole.index, whole.weight)
        else:
            mean = gathered_extension(p, self.reads, self.table, whole)
        return self._gap(mean, terms)

    def _gap(self, fitness: Tensor, terms: Terms | None) -> Tensor:
        return self.best - fitness if terms is None else self.best * terms.weight.sum(-1) - fitness

    def _tables(self, streams: Streams) -> Tensor:
        return streams.uniform("instance", (self.n, 2 ** (self.k + 1)))

    def _reads(self, streams: Streams) -> Tensor:
        locus = torch.arange(self.n, device=streams.device)[:, None]
        if self.neighbours == "random" and self.k:
            others = streams.choice("instance", self.n - 1, self.k, (self.n,), part=1)
            reads = torch.cat((locus.expand(streams.size, -1, 1), others + (others >= locus)), -1)
        else:
            first = locus if self.neighbours == "adjacent" else locus - locus % (self.k + 1)
            reads = (first + torch.arange(self.k + 1, device=streams.device)) % self.n
        return reads.expand(streams.size, self.n, self.k + 1)

    def _optimum(self, table: Tensor, reads: Tensor) -> Tensor:
        """A best genotype of each instance, (I, n) uint8, by the cheapest exact way."""
        if self.neighbours == "blocks":
            entry = table.unflatten(1, (-1, self.k + 1)).sum(2).argmax(-1)
            return bits(entry, self.k + 1).flatten(1)
        if self.neighbours == "adjacent" and (
            self.n > ENUMERATED or _ring_steps(self.n, self.k) < self.n * 2**self.n
        ):
            return torch.stack([_ring_optimum(contributions, self.k) for contributions in table])
        return best_genotype(
            lambda x: _contributions(x, reads, table, _whole(table)), self.n, table.device
        )


def _ring_steps(n: int, k: int) -> int:
    return n * 2 ** (2 * k + 1)


def _whole(table: Tensor) -> Terms:
    loci = table.shape[1]
    index = torch.arange(loci, device=table.device).reshape(1, 1, loci)
    return Terms(index, torch.full_like(index, 1.0 / loci, dtype=table.dtype))


def _ring_optimum(table: Tensor, order: int) -> Tensor:
    out = torch.empty(len(table), dtype=torch.uint8)
    kernels.nk_ring(table.double().cpu().numpy(), order, out.numpy())
    return out.to(table.device)


# sums over loci: the kernels on a CPU, gathers elsewhere ----------------------------------------------------


def _contributions(x: Tensor, reads: Tensor, table: Tensor, terms: Terms) -> Tensor:
    """Weighted sums of contributions, in the order of the terms: x (1 | R, P, n) uint8 -> (R, P)."""
    return _VALUES(x, reads, table, terms.index, terms.weight)


def _values(x: Tensor, *tables: Tensor) -> Tensor:
    out = torch.empty((len(tables[1]), x.shape[1]), dtype=tables[1].dtype)
    kernels.nk_values(*map(for_kernel, (x, *tables)), out.numpy())  # type: ignore[call-arg]
    return out


def _gathered_values(x: Tensor, reads: Tensor, table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    return gathered_contributions(x, reads, table, Terms(index, weight))


def _value_and_slope(p: Tensor, sloped: bool, *tables: Tensor) -> tuple[Tensor, Tensor]:
    value, slope = _shapes(p, sloped)
    arrays = p.contiguous().numpy(), *map(for_kernel, tables)
    kernels.nk_extension(*arrays, value.numpy(), slope.numpy())  # type: ignore[call-arg]
    return value, slope


def _shapes(p: Tensor, sloped: bool, *_: Tensor) -> tuple[Tensor, Tensor]:
    return p.new_empty(p.shape[:2]), p.new_empty(p.shape if sloped else (0, 0, 0))


_TABLES = "Tensor reads, Tensor table, Tensor index, Tensor weight"
_VALUES = operator(
    "nk_values",
    f"Tensor x, {_TABLES}",
    _values,
    _gathered_values,
    lambda x, _, table, *__: table.new_empty((len(table), x.shape[1])),
)
_EXTENSION = operator(
    "nk_extension",
    f"Tensor p, bool sloped, {_TABLES}",
    _value_and_slope,
    None,
    _shapes,
    "(Tensor, Tensor)",
)


class _Extension(torch.autograd.Function):
    """Value and gradient in one pass."""

    @staticmethod
    def forward(ctx: Any, p: Tensor, *tables: Tensor) -> Tensor:  # noqa: ANN401
        value, ctx.slope = _EXTENSION(p.detach(), ctx.needs_input_grad[0], *tables)
        return value

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        return upstream[..., None] * ctx.slope, None, None, None, None


def gathered_contributions(x: Tensor, reads: Tensor, table: Tensor, terms: Terms) -> Tensor:
    """The same as `nk_kernels.nk_values` in plain torch, for any device: x (1 | R, P, n) uint8 -> (R, P)."""
    reads, rows = _gathered(x, reads, table, terms)
    x, place = x.expand(len(table), -1, -1), torch.arange(reads.shape[-1], device=x.device)
    bits = x.gather(-1, reads.flatten(2).expand(-1, x.shape[1], -1)).unflatten(-1, reads.shape[2:])
    entry = (bits.long() << place).sum(-1, keepdim=True)
    return (terms.weight * rows.expand(*entry.shape[:3], -1).gather(-1, entry)[..., 0]).sum(-1)


def gathered_extension(p: Tensor, reads: Tensor, table: Tensor, terms: Terms) -> Tensor:
    """The same as `nk_kernels.nk_extension` in plain torch, for any device: p (R, P, n) -> (R, P)."""
    reads, rows = _gathered(p, reads, table, terms)
    q = p.gather(-1, reads.flatten(2).expand(-1, p.shape[1], -1)).unflatten(-1, reads.shape[2:])
    for j in reversed(range(q.shape[-1])):
        low, high = rows.chunk(2, -1)
        rows = low + q[..., j : j + 1] * (high - low)
    return (terms.weight * rows[..., 0]).sum(-1)


def _gathered(x: Tensor, reads: Tensor, table: Tensor, terms: Terms) -> tuple[Tensor, Tensor]:
    """What the loci of a mini-batch read (R, 1 | P, B, k + 1), and their tables (R, 1 | P, B, 2^(k + 1))."""
    index = terms.index.expand(len(table), -1, -1)
    pick = partial(torch.take_along_dim, dim=1)
    flat = index.flatten(1)[..., None]
    return pick(reads, flat).unflatten(1, index.shape[1:]), pick(table, flat).unflatten(
        1, index.shape[1:]
    )
