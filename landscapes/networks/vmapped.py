"""Many networks at once through `torch.func.vmap`, with the same bits in any batch and a bounded memory.

On a CPU the number of networks in a call is padded to a multiple of 32 lanes. Torch's kernels treat the body
of an array and its tail, and one row and many, differently; with whole lanes there is no tail in any array
that has one entry for each network. What a network gets then depends on it alone, whatever its layers and
activations; verified for dense, convolutional and normalised networks in float32 and float64, on one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

LANES = 32  # a multiple of twice the widest vector register, in float32 numbers
ELEMENTS = 2**24  # numbers kept for a gradient at a time: 128 MB in float64

# point (D,), constants (C,), keys (G, 5), inputs (B, ...), targets (B, ...) -> (B,)
Scored = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


class Networks(NamedTuple):
    """V networks."""

    points: Tensor  # (V, D)
    constants: Tensor  # (V, C)
    keys: Tensor  # (V, G, 5) of dropout: of each example, of all together (G = 1), or none (G = 0)


def each_example(
    function: Scored,
    networks: Networks,
    data: tuple[Tensor, Tensor],
    index: Tensor | None,
    elements: int,
    *,
    together: bool,
) -> Tensor:
    """A number for each example that each network sees, (V, B).

    More than fits is worked in portions, which a gradient computes a second time on its way back.

    Args:
        function: of one network and its examples.
        networks: V of them.
        data: inputs (M, ...) and targets (M, ...).
        index: (V, B) the examples of each network; None: all, in order.
        elements: numbers that one example of one network adds to what a gradient keeps.
        together: whether all examples of a network must be in one call.

    Returns:
        (V, B).
    """
    points = networks.points
    lanes = LANES if points.device.type == "cpu" else 1
    count, size = len(points), len(data[0]) if index is None else index.shape[-1]
    rows = max(lanes, ELEMENTS // max(1, size * elements) // lanes * lanes)
    columns = size if together or rows > lanes else max(1, ELEMENTS // (lanes * elements))
    slots = torch.arange(size, device=points.device).split(columns)
    again = torch.is_grad_enabled() and points.requires_grad and (count > rows or len(slots) > 1)

    def score(points: Tensor, constants: Tensor, keys: Tensor, chosen: Tensor) -> Tensor:
        seen = (part[chosen].expand(len(points), *chosen.shape[-1:], *part.shape[1:]) for part in data)
        return torch.func.vmap(function)(points, constants, keys, *seen)

    def portion(points: Tensor, constants: Tensor, keys: Tensor, chosen: Tensor) -> Tensor:
        if again:  # a gradient computes it a second time, and keeps nothing
            return checkpoint(score, points, constants, keys, chosen, use_reentrant=False)
        return score(points, constants, keys, chosen)

    def scores(points: Tensor, constants: Tensor, keys: Tensor, index: Tensor | None = None) -> Tensor:
        return torch.cat(
            [
                portion(
                    points,
                    constants,
                    keys[:, slot] if keys.shape[1] > 1 else keys,
                    slot if index is None else index[:, slot],
                )
                for slot in slots
            ],
            -1,
        )

    padded = [
        _padded(part, lanes).split(rows) for part in (*networks, *([] if index is None else [index]))
    ]
    return torch.cat([scores(*block) for block in zip(*padded, strict=True)])[:count]


def _padded(rows: Tensor, lanes: int) -> Tensor:
    """(V, ...) with its last row repeated up to a multiple of so many rows."""
    short = -len(rows) % lanes
    return torch.cat((rows, rows[-1:].detach().expand(short, *rows.shape[1:]))) if short else rows
