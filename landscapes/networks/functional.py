"""A torch module taken apart.

What of it is a point, what is constant, and whether its examples see each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase

from landscapes.networks.dropout import Dropping, refused
from landscapes.networks.import_paths import imported, reproducibly

FIELD = "module.module"


class Piece(NamedTuple):
    """A parameter or buffer."""

    name: str
    shape: torch.Size
    dtype: torch.dtype


class Skeleton(NamedTuple):
    """A module, of which the numbers do not matter."""

    net: nn.Module
    points: tuple[Piece, ...]  # its trained parameters, in the order of module.parameters()
    constants: tuple[Piece, ...]  # its frozen parameters and its buffers
    alone: bool  # whether no layer is a batch norm with the statistics of the batch

    @property
    def dim(self) -> int:
        """How many weights are trained."""
        return sum(piece.shape.numel() for piece in self.points)

    def outputs(
        self, point: Tensor, constants: Tensor, inputs: Tensor, dropping: Dropping | None = None
    ) -> Tensor:
        """What the module makes of inputs.

        Args:
            point: (D,) its weights.
            constants: (C,) float64.
            inputs: (B, ...).
            dropping: what its dropout does; None: it has none.
        """
        state = {piece.name: part for piece, part in _pieces(point, self.points)}
        for piece, part in _pieces(constants, self.constants):
            state[piece.name] = part.to(point.dtype if piece.dtype.is_floating_point else piece.dtype)
        with dropping or nullcontext():
            return torch.func.functional_call(self.net, state, (inputs,))


def make(path: str, arguments: str) -> nn.Module:
    """The module at an import path, its arguments as JSON; draws from torch's generator.

    Raises:
        ValueError: it is not a module or cannot be made, or it drops where we do not see it.
    """
    factory = imported(FIELD, path)
    try:
        net = factory(**json.loads(arguments))
    except (Exception, SystemExit) as error:
        raise ValueError(f"{FIELD}: cannot make {path}(**{arguments}): {error}") from error
    if not isinstance(net, nn.Module):
        raise ValueError(
            f"{FIELD}: expected {path} to be a torch.nn.Module class or a function that returns a module, got"
            f" {type(net).__name__}"
        )
    if inner := refused(net):
        raise ValueError(
            f"{FIELD}: expected no dropout within a layer of torch's, whose draws would have no address;"
            f" {path} has {inner}: stack layers with torch.nn.Dropout between them"
        )
    for part in net.modules():
        if isinstance(part, _NormBase) and part.training and part.track_running_stats:
            part.track_running_stats = False
            # a landscape keeps no state between calls
            part.running_mean = part.running_var = part.num_batches_tracked = None
    return net


def trained(net: nn.Module) -> Tensor:
    """Its trained parameters as one vector (D,)."""
    return nn.utils.parameters_to_vector([p for p in net.parameters() if p.requires_grad]).detach()


def constants(net: nn.Module) -> Tensor:
    """Frozen parameters and buffers as one vector (C,) float64, which holds whole numbers up to 2^53."""
    parts = [part.detach().double().flatten() for part in _constant(net).values()]
    return torch.cat([torch.empty(0, dtype=torch.float64), *parts])


@cache
def skeleton(path: str, arguments: str) -> Skeleton:
    """The module at an import path, taken apart.

    Raises:
        ValueError: it is not a module, cannot be made, drops where we do not see it, or has no weights.
    """
    net = reproducibly(lambda: make(path, arguments))
    points = {name: p for name, p in net.named_parameters() if p.requires_grad}
    if not points:
        raise ValueError(
            f"{FIELD}: expected a module with parameters that require gradients, {path} has none"
        )
    alone = not any(
        isinstance(part, _BatchNorm) and (part.training or part.running_mean is None)
        for part in net.modules()
    )
    return Skeleton(net, _described(points), _described(_constant(net)), alone)


def _constant(net: nn.Module) -> dict[str, Tensor]:
    return {name: p for name, p in net.named_parameters() if not p.requires_grad} | dict(
        net.named_buffers()
    )


def _described(parts: Mapping[str, Tensor]) -> tuple[Piece, ...]:
    return tuple(Piece(name, part.shape, part.dtype) for name, part in parts.items())


def _pieces(vector: Tensor, pieces: tuple[Piece, ...]) -> Iterator[tuple[Piece, Tensor]]:
    parts = vector.split([piece.shape.numel() for piece in pieces]) if pieces else ()
    return ((piece, part.view(piece.shape)) for piece, part in zip(pieces, parts, strict=True))
