"""Losses that are no sums of terms: the loss of a mini-batch depends on which examples are seen together.

`Terms` then only names the examples: weight 0 pads, the others have equal weights, whose size plays no part.
Padding is cut off before the loss is computed, so a padded batch has the loss of the examples in it exactly.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from landscapes.base import Landscape, Terms

_TOLERANCE = 1e-6  # relative difference of weights that are called equal


def of_batches(
    landscape: Landscape,
    function: Callable[[Tensor, Tensor, Tensor], Tensor],
    x: Tensor,
    terms: Terms | None,
) -> Tensor:
    """The losses (R, P) of points x (R, P, D), each of its own batch; of all examples where `terms` is None.

    Args:
        landscape: whose loss it is: its name, `terms` and `smallest_batch`.
        function: of points (K, Q, D), the examples (K, 1, B) that they see, and the world (K,) of each row ->
            (K, Q). It is called once for each number of examples; where every point has a batch of its own,
            points become rows.
        x: (R, P, D).
        terms: what the points see; None: all examples, in order.

    Returns:
        (R, P).
    """
    worlds = torch.arange(len(x), device=x.device)
    if terms is None:
        return function(x, torch.arange(landscape.terms, device=x.device).expand(len(x), 1, -1), worlds)
    _check(landscape, terms)
    index, weight, points = terms.index, terms.weight.expand(terms.index.shape), x
    if index.shape[1] > 1:
        worlds = worlds.repeat_interleave(x.shape[1])
        index, weight, points = (part.flatten(0, 1)[:, None] for part in (index, weight, x))
    return _unpadded(function, points, index, weight, worlds).view(x.shape[:2])


def _unpadded(
    function: Callable[[Tensor, Tensor, Tensor], Tensor],
    x: Tensor,
    index: Tensor,
    weight: Tensor,
    worlds: Tensor,
) -> Tensor:
    pads = weight == 0
    sizes = index.shape[-1] - pads.sum(-1).flatten()  # (K,)
    if not bool(pads.any()):
        return function(x, index, worlds)
    index = index.gather(-1, pads.to(torch.uint8).argsort(dim=-1, stable=True))
    groups = [(sizes == size).nonzero().flatten() for size in sizes.unique()]
    values = [function(x[rows], index[rows, :, : int(sizes[rows[0]])], worlds[rows]) for rows in groups]
    return torch.cat(values)[torch.cat(groups).argsort()]


def _check(landscape: Landscape, terms: Terms) -> None:
    """Raise ValueError unless weights that are not 0 are equal within each batch, and there are enough."""
    most, used = terms.weight.amax(-1, keepdim=True), terms.weight != 0
    unequal = used & ((terms.weight - most).abs() > _TOLERANCE * most.abs())
    if bool(unequal.any()):
        got = float(terms.weight[unequal][0]), float(most.expand_as(terms.weight)[unequal][0])
        raise ValueError(
            f"{landscape.name}: expected equal weights in a mini-batch, as its loss is no sum (0 pads); got"
            f" {got[0]:g} and {got[1]:g}"
        )
    fewest = int(used.sum(-1).min()) if used.numel() else 0
    if fewest < landscape.smallest_batch:
        raise ValueError(
            f"{landscape.name}: expected mini-batches of at least {landscape.smallest_batch} examples, got"
            f" {fewest}"
        )
