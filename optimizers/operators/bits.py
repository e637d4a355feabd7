"""Bits drawn from probabilities."""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.numerics import column
from landscapes.streams import Streams


def sampled_bits(chance: Tensor, streams: Streams, n: int) -> Tensor:
    """Genotypes (R, n, D) uint8 whose loci are 1 independently with chances (R, 1, D), source "mutation"."""
    return streams.bernoulli("mutation", chance.double(), (n, chance.shape[-1])).to(torch.uint8)


def likely(lead: Tensor, start: Tensor) -> Tensor:
    """The likelier alleles (R, D) uint8 by the sign of (R, 1, D); those of the start (R, D) at 0."""
    lead = lead[:, 0]
    return torch.where(lead == 0, start, (lead > 0).to(torch.uint8))


def within_margin(chance: Tensor, margin: float | Tensor | None) -> Tensor:
    """Chances (R, 1, D) held in [margin, 1 - margin]; None: 1/D, at most 1/4."""
    edge = torch.as_tensor(
        column(min(1 / chance.shape[-1], 0.25) if margin is None else margin, chance),
        dtype=chance.dtype,
        device=chance.device,
    )
    return torch.maximum(torch.minimum(chance, 1 - edge), edge)
