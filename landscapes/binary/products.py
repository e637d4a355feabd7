"""Sums of products of loci, F(x) = sum_c w_c a_c prod_j f_cj.

Each factor is a spin 2 x_i - 1, or a literal x_i or 1 - x_i.

The loci of one product differ, so that F is linear in each of them: at chances p the same sum is the mean of
independent loci, the multilinear extension. The kernels run on a CPU, gathers elsewhere.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from landscapes.base import Terms
from landscapes.binary import product_kernels as kernels
from landscapes.binary.genotypes import for_kernel, product
from landscapes.operators import operator

_GATHERED = 2**24  # factors gathered at a time


def every(reads: Tensor, like: Tensor) -> Terms:
    """All products once, each with weight 1."""
    index = torch.arange(reads.shape[1], device=reads.device).reshape(1, 1, -1)
    return Terms(index, torch.ones_like(index, dtype=like.dtype))


def product_sums(
    x: Tensor, literals: bool, reads: Tensor, coefficients: Tensor, terms: Terms
) -> Tensor:
    """F of x (R, P, n), uint8 or real: (R, P), differentiable once.

    Reads (1 | R, M, k), coefficients (1 | R, M), `terms` which products, and w.
    """
    if x.device.type == "cpu":
        return _Sums.apply(x, literals, reads, coefficients, *terms)
    return gathered_sums(x, literals, reads, coefficients, terms)


class _Sums(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, literals: bool, *tables: Tensor) -> Tensor:  # noqa: ANN401
        ctx.points, ctx.literals, ctx.tables = x.detach(), literals, tables
        return _SUMS(ctx.points, literals, *tables)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        slope = _SLOPES(ctx.points, ctx.literals, *ctx.tables)
        return upstream[..., None] * slope, *[None] * 5


def _sums(x: Tensor, literals: bool, *tables: Tensor) -> Tensor:
    out = torch.empty(x.shape[:2], dtype=tables[1].dtype)
    arrays = map(for_kernel, tables)
    kernels.product_sums(for_kernel(x), literals, *arrays, out.numpy())  # type: ignore[call-arg]
    return out


def _slopes(x: Tensor, literals: bool, *tables: Tensor) -> Tensor:
    slope = torch.empty(x.shape, dtype=tables[1].dtype)
    arrays = map(for_kernel, tables)
    kernels.product_slopes(for_kernel(x), literals, *arrays, slope.numpy())  # type: ignore[call-arg]
    return slope


_TAKES = "Tensor x, bool literals, Tensor reads, Tensor coefficients, Tensor index, Tensor weight"
_SUMS = operator(
    "product_sums",
    _TAKES,
    _sums,
    None,
    lambda x, _, __, coefficients, *rest: coefficients.new_empty(x.shape[:2]),
)
_SLOPES = operator(
    "product_slopes",
    _TAKES,
    _slopes,
    None,
    lambda x, _, __, coefficients, *rest: coefficients.new_empty(x.shape),
)


def gathered_sums(
    x: Tensor, literals: bool, reads: Tensor, coefficients: Tensor, terms: Terms
) -> Tensor:
    """The same in plain torch, for any device.

    Some products at a time, whose factors are gathered again for the gradient.
    """
    worlds, points = x.shape[:2]
    factors = torch.cat((x, 1 - x), -1).to(coefficients) if literals else 2 * x.to(coefficients) - 1
    at_once = max(1, _GATHERED // max(1, worlds * points * reads.shape[-1]))
    out = torch.zeros((worlds, points), dtype=factors.dtype, device=x.device)
    for index, weight in zip(
        terms.index.split(at_once, -1), terms.weight.split(at_once, -1), strict=True
    ):
        out = out + checkpoint(
            _gathered, factors, reads, coefficients, index, weight, use_reentrant=False
        )
    return out


def _gathered(
    factors: Tensor, reads: Tensor, coefficients: Tensor, index: Tensor, weight: Tensor
) -> Tensor:
    worlds, points = factors.shape[:2]
    flat = index.expand(worlds, -1, -1).flatten(1)
    pick = partial(torch.take_along_dim, dim=1)
    rows = pick(reads, flat[..., None]).unflatten(1, index.shape[1:]).flatten(2).expand(-1, points, -1)
    read = factors.gather(-1, rows).unflatten(-1, (index.shape[-1], -1))
    return (weight * pick(coefficients, flat).unflatten(1, index.shape[1:]) * product(read)).sum(-1)


def sums_of_all(masks: Tensor, coefficients: Tensor, n: int) -> Tensor:
    """Sum_c a_c prod_{i in c} s_i of all 2^n genotypes, the lowest bit first, s_i = 2 x_i - 1.

    (2^n,) float64, by the fast Walsh-Hadamard transform.

    Products are given as masks (M,) int64 whose bits are their loci, and coefficients (M,) float64, on the
    CPU.
    """
    values = torch.zeros(2**n, dtype=torch.float64).index_add_(0, masks, coefficients)
    kernels.walsh_hadamard(values.numpy())
    return values
