"""Two examples through a user's module and loss, before anything depends on them.

What is wrong is said at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from landscapes.networks import criteria, functional
from landscapes.networks.import_paths import examples


class Trial(NamedTuple):
    """What it tells."""

    elements: int  # numbers that each example adds to what a gradient keeps
    classes: bool  # outputs are a score for each class, targets are classes
    alone: bool  # two examples have the same losses in a batch of two and of four


@cache
def trial(module: str, arguments: str, criterion: str, field: str, data: str) -> Trial:
    """Run a module on a few examples, alone and under `vmap`.

    Raises:
        ValueError: module and data, or outputs and loss, do not go together.
    """
    found, score = functional.skeleton(module, arguments), criteria.criterion(criterion)
    networks = functional.trained(found.net), functional.constants(found.net)
    inputs, targets = (part[torch.arange(4) % len(part)] for part in examples(field, data))
    inputs = inputs.to(networks[0].dtype) if inputs.is_floating_point() else inputs
    targets = targets.to(networks[0].dtype) if targets.is_floating_point() else targets
    try:
        outputs = found.outputs(*networks, inputs)
        several = torch.func.vmap(lambda point, constants: found.outputs(point, constants, inputs))(
            *(part.expand(2, -1) for part in networks)
        )
        elements = (_kept(found, networks, inputs) - _kept(found, networks, inputs[:2])) // 2
    except (Exception, SystemExit) as error:
        raise ValueError(
            f"{functional.FIELD}: cannot run {module} on the examples of {data} under torch.func.vmap:"
            f" {_first_line(error)}"
        ) from error
    if not torch.allclose(several[0], outputs, rtol=1e-3, atol=1e-4, equal_nan=True):
        raise ValueError(
            f"{functional.FIELD}: expected the same outputs of {module} at every call, got different ones"
        )
    elsewhere = networks[0] + 0.1 * torch.sin(
        torch.arange(len(networks[0])).to(networks[0])
    )  # what is special at a start is not there

    def losses(weights: Tensor, count: int) -> Tensor:
        return _losses(score, criterion, found.outputs(weights, networks[1], inputs[:count]), targets[:count])

    alone = all(
        torch.allclose(losses(weights, 2), losses(weights, 4)[:2], rtol=1e-3, atol=1e-6)
        for weights in (networks[0], elsewhere)
    )
    return Trial(
        max(1, elements), not targets.is_floating_point() and outputs.ndim == targets.ndim + 1, alone
    )


def _kept(found: functional.Skeleton, networks: tuple[Tensor, Tensor], inputs: Tensor) -> int:
    """How many numbers autograd keeps."""
    sizes: list[int] = []

    def note(tensor: Tensor) -> Tensor:
        sizes.append(tensor.numel())
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        found.outputs(networks[0].clone().requires_grad_(), networks[1], inputs)
    return sum(sizes)


def _losses(score: Callable[[Tensor, Tensor], Tensor], name: str, outputs: Tensor, targets: Tensor) -> Tensor:
    if ":" not in name and targets.is_floating_point() and outputs.shape != targets.shape:
        got = f"outputs {tuple(outputs.shape[1:])} and targets {tuple(targets.shape[1:])}"
        raise ValueError(
            f"{criteria.FIELD}: expected outputs of the shape of the targets for {name}, got {got} for each"
            " example"
        )
    try:
        losses = score(outputs, targets)
    except (Exception, SystemExit) as error:
        got = f"outputs {tuple(outputs.shape)} and targets {tuple(targets.shape)}"
        raise ValueError(f"{criteria.FIELD}: cannot compute {name} of {got}: {_first_line(error)}") from error
    if not isinstance(losses, Tensor) or losses.shape[:1] != (len(outputs),):
        found = f"shape {tuple(losses.shape)}" if isinstance(losses, Tensor) else type(losses).__name__
        raise ValueError(
            f"{criteria.FIELD}: expected a loss for each of {len(outputs)} examples from {name}, got {found}"
        )
    return criteria.per_example(losses)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
