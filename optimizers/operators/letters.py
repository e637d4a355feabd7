"""Mutation of letters, by the table of their changes.

A table of changes (R, D, A, A) int64 holds the chance with which a mutation leads from a letter to one up to
another, in units of 2^-53; see `optimizers.spectrum`. Draws: mutation (part 0: which coordinates, 1: to which
letter).
"""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.base import Bits, Letters, Problem, Reals
from landscapes.streams import Streams
from optimizers.operators.arrays import wide
from optimizers.spectrum import BITS, FINE, Spectrum


def changes(problem: Problem, spectrum: Spectrum, streams: Streams) -> Tensor:
    """The table of changes of each world.

    (R, 0) on reals, and on bits that mutate either way alike: these are flipped.
    """
    domain = problem.domain
    if isinstance(domain, Reals) or (isinstance(domain, Bits) and spectrum.uniform):
        return torch.zeros((streams.size, 0), dtype=torch.int64, device=streams.device)
    table = spectrum.changes(Letters(domain.sites or (BITS,) * problem.dim)).to(streams.device)
    return table.expand(streams.size, *table.shape)


def mutate_letters(points: Tensor, streams: Streams, rate: float | Tensor, table: Tensor) -> Tensor:
    """Letters (R, n, D) uint8, each mutated with probability `rate`."""
    hit = streams.bernoulli("mutation", wide(rate, 3), points.shape[1:])
    return torch.where(hit, _changed(points, streams, table), points)


def one_letter(points: Tensor, streams: Streams, table: Tensor) -> Tensor:
    """Letters (R, n, D) uint8, of each point one coordinate mutated, all as likely."""
    dim = points.shape[-1]
    site = streams.integers("mutation", dim, (points.shape[1], 1))
    there = torch.arange(dim, device=points.device) == site
    return torch.where(there, _changed(points, streams, table), points)


def neighbours(sizes: Tensor) -> Tensor:
    """What to add to a point, modulo the sizes (D,), for each that differs in one letter: (K, D) uint8."""
    others = sizes - 1
    site = torch.repeat_interleave(others)
    first = others.cumsum(0) - others
    shift = 1 + torch.arange(len(site), device=sizes.device) - first[site]
    table = torch.zeros((len(site), len(sizes)), dtype=torch.uint8, device=sizes.device)
    return table.scatter_(1, site[:, None], shift[:, None].to(torch.uint8))


def _changed(points: Tensor, streams: Streams, table: Tensor) -> Tensor:
    """Every letter mutated."""
    u = streams.integers("mutation", FINE, points.shape[1:], part=1)
    world = torch.arange(len(points), device=points.device)[:, None, None]
    site = torch.arange(points.shape[2], device=points.device)
    ends = table[world, site, points.long()]  # (R, n, D, A)
    return (u[..., None] >= ends[..., :-1]).sum(-1).to(torch.uint8)
