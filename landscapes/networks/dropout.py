"""Dropout with addresses: what a network of the user's drops is the same whenever it is asked for.

Torch draws dropout from one generator for all. Here a call of it within a forward pass draws behind the key
of each example (`landscapes.base.Dropout`: world, step, redraw, point, place in the mini-batch), with the
number of the call in the place of the step and the coordinates, in order, as positions. Where examples see
each other, as in a batch norm, all of them draw behind the key of the first.

Draws: dropout.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from inspect import signature

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from landscapes import draws

ALPHA = 1.7580993408473766  # minus the limit of selu at minus infinity


def nothing(like: Tensor) -> Tensor:
    """The keys (0, 5) under which all is kept."""
    return torch.empty((0, 5), dtype=torch.int64, device=like.device)


class Dropping(TorchFunctionMode):
    """Within it torch's functions drop what keys say.

    Args:
        keys: (G, 5) int64, one for each example, or one for all together; none: everything is kept.
        axes: of each call of dropout in turn, the axis along which examples lie, several entries of one side
            by side; not read where they have one key.
    """

    def __init__(self, keys: Tensor, axes: Sequence[int | None] = ()) -> None:
        super().__init__()
        self.keys, self.axes = keys, axes
        self.shapes: list[torch.Size] = []  # of what each call so far drops

    def __torch_function__(
        self,
        func: Callable,
        types: object,
        args: tuple = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """Call a function of torch's, or what stands for it."""
        del types
        if func in LAWS:
            func = partial(self._dropout, func)
        elif func is functional.scaled_dot_product_attention:
            func = self._attention
        elif func is functional.multi_head_attention_forward:
            func = self._inside(func)
        return func(*args, **(kwargs or {}))

    def _inside(self, function: Callable) -> Callable:
        """A function of torch's own that calls dropout and attention, which no mode sees."""
        names = {
            "dropout": partial(self._dropout, functional.dropout),
            "scaled_dot_product_attention": self._attention,
        }
        return types.FunctionType(
            function.__code__, function.__globals__ | names, argdefs=function.__defaults__
        )

    def _dropout(self, function: Callable, *args: object, **kwargs: object) -> Tensor:
        """One call of a function of LAWS."""
        given = signature(function).bind(*args, **kwargs)
        given.apply_defaults()
        x, p, training, inplace = given.arguments.values()
        if not 0 <= p <= 1:
            raise ValueError(f"expected a chance of dropout of 0 <= p <= 1, got {p}")
        if not training or p == 0:
            return x
        unit, law = LAWS[function]
        kept = self._kept(unit(x.shape), 1 - p)
        if kept is None:
            return x
        dropped = law(x, kept, p)
        return x.copy_(dropped) if inplace else dropped

    def _attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        *args: object,
        **kwargs: object,
    ) -> Tensor:
        """Attention whose weights are dropped: they are what attention makes of unit vectors."""
        attend: Callable[..., Tensor] = partial(functional.scaled_dot_product_attention, query, key)
        if dropout_p == 0:
            return attend(value, attn_mask, 0.0, *args, **kwargs)
        length = key.shape[-2]
        units = torch.eye(length, dtype=value.dtype, device=value.device)
        units = units.expand(*key.shape[:-2], length, length)
        with sdpa_kernel(SDPBackend.MATH):
            weights = attend(units, attn_mask, 0.0, *args, **kwargs)
        if value.shape[:-2] != weights.shape[:-2] and kwargs.get("enable_gqa"):
            value = value.repeat_interleave(weights.shape[-3] // value.shape[-3], -3)
        return self._dropout(functional.dropout, weights, dropout_p) @ value

    def _kept(self, shape: torch.Size, chance: float) -> Tensor | None:
        """What the next call keeps, bool; None: everything."""
        call, groups = len(self.shapes), len(self.keys)
        self.shapes.append(shape)
        if not groups:
            return None
        drawn = kept(self.keys, call, chance, math.prod(shape) // groups)
        if groups == 1:
            return drawn.view(shape)
        axis = self.axes[call]
        assert axis is not None  # noqa: S101 - for the type checker
        own = shape[axis] // groups
        each = drawn.view(groups, *shape[:axis], own, *shape[axis + 1 :])
        return each.movedim(0, axis).reshape(shape)


# what a call drops, and how it makes up for that ------------------------------------------------------------


def _alone(shape: torch.Size) -> torch.Size:
    """Each number by itself."""
    return shape


def _channels(shape: torch.Size, batched: int = 0) -> torch.Size:
    """Channels, which are the second axis; the first where there are fewer axes than a batch has."""
    first = 2 if len(shape) >= batched else 1
    return torch.Size([*shape[:first], *(1 for _ in shape[first:])])


def _scaled(x: Tensor, kept: Tensor, p: float) -> Tensor:
    """0 where dropped; the mean is kept."""
    return torch.where(kept, x / (1 - p) if p < 1 else 0 * x, 0.0)


def _saturated(x: Tensor, kept: Tensor, p: float) -> Tensor:
    """What selu saturates at where dropped; mean 0 and variance 1 are kept (Klambauer et al. 2017)."""
    scale = ((ALPHA**2 * p + 1) * (1 - p)) ** -0.5 if p < 1 else 0.0
    return scale * (torch.where(kept, x, -ALPHA) + ALPHA * p)


Law = tuple[Callable[[torch.Size], torch.Size], Callable[[Tensor, Tensor, float], Tensor]]
LAWS: dict[Callable, Law] = {
    functional.dropout: (_alone, _scaled),
    functional.dropout1d: (partial(_channels, batched=3), _scaled),
    functional.dropout2d: (_channels, _scaled),
    functional.dropout3d: (partial(_channels, batched=5), _scaled),
    functional.alpha_dropout: (_alone, _saturated),
    functional.feature_alpha_dropout: (_channels, _saturated),
}


def refused(net: nn.Module) -> str:
    """A layer whose dropout is drawn within torch's own code; empty where there is none."""
    for name, part in net.named_modules():
        if isinstance(part, nn.RNNBase) and part.training and part.dropout > 0 and part.num_layers > 1:
            return f"dropout = {part.dropout:g} in {type(part).__name__} at {name or 'its root'}"
    return ""


def examples_axis(few: torch.Size, twice: torch.Size) -> int | None:
    """The only axis that grows with the examples, by shapes of one call for some and for twice as many."""
    grown = [axis for axis, (a, b) in enumerate(zip(few, twice, strict=True)) if a != b]
    return grown[0] if len(grown) == 1 and twice[grown[0]] == 2 * few[grown[0]] else None


# the draw ---------------------------------------------------------------------------------------------------


def kept(key: Tensor, call: int, chance: float, count: int) -> Tensor:
    """True with this chance: keys (.., 5) int64 of examples, the number of the call -> (.., count) bool."""
    return _Kept.apply(key, call, chance, count)


class _Kept(torch.autograd.Function):
    """The draw under `vmap`, which shows it a key of one network, or a tensor of none of its numbers."""

    @staticmethod
    def forward(key: Tensor, call: int, chance: float, count: int) -> Tensor:
        rows = key.reshape(-1, 5).clone()
        rows[:, 2] = call
        return _drawn(rows, chance, count).view(*key.shape[:-1], count)

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple, output: Tensor) -> None:
        del inputs
        ctx.mark_non_differentiable(output)

    @staticmethod
    def vmap(
        info: object,
        axes: tuple[int | None, ...],
        key: Tensor,
        *given: object,
    ) -> tuple[Tensor, int]:
        del info
        return _Kept.apply(key.movedim(axes[0] or 0, 0), *given), 0


def _drawn(rows: Tensor, chance: float, count: int) -> Tensor:
    """Rows of keys (N, 5) -> (N, count) bool."""
    chances = torch.full_like(rows[:, :1], chance, dtype=torch.float64)
    return draws.BELOW(rows, count, None, None, chances)
