"""A few examples through a user's module and loss, before anything depends on them."""

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
    skeleton, score = functional.skeleton(module, arguments), criteria.criterion(criterion)
    networks = functional.trained(skeleton.net), functional.constants(skeleton.net)
    weights, constants = networks
    inputs, targets = (_few(part, weights.dtype) for part in examples(field, data))

    def several(weights: Tensor, constants: Tensor) -> Tensor:
        return skeleton.outputs(weights, constants, inputs)

    try:
        outputs = several(*networks)
        mapped = torch.func.vmap(several)(*(part.expand(2, -1) for part in networks))
        elements = (_kept(skeleton, networks, inputs) - _kept(skeleton, networks, inputs[:2])) // 2
    except (Exception, SystemExit) as error:
        raise ValueError(
            f"{functional.FIELD}: cannot run {module} on the examples of {data} under torch.func.vmap:"
            f" {_first_line(error)}"
        ) from error
    if not torch.allclose(mapped[0], outputs, rtol=1e-3, atol=1e-4, equal_nan=True):
        raise ValueError(
            f"{functional.FIELD}: expected the same outputs of {module} at every call, got different ones"
        )

    def losses(weights: Tensor, count: int) -> Tensor:
        some = skeleton.outputs(weights, constants, inputs[:count])
        return _losses(score, criterion, some, targets[:count])

    # what is special at a start is not so elsewhere
    elsewhere = weights + 0.1 * torch.sin(torch.arange(len(weights)).to(weights))
    alone = all(
        torch.allclose(losses(at, 2), losses(at, 4)[:2], rtol=1e-3, atol=1e-6)
        for at in (weights, elsewhere)
    )
    classes = not targets.is_floating_point() and outputs.ndim == targets.ndim + 1
    return Trial(max(1, elements), classes, alone)


def _few(part: Tensor, dtype: torch.dtype) -> Tensor:
    """Four examples, the first again where there are fewer; reals in the dtype of the weights."""
    few = part[torch.arange(4) % len(part)]
    return few.to(dtype) if few.is_floating_point() else few


def _kept(skeleton: functional.Skeleton, networks: tuple[Tensor, Tensor], inputs: Tensor) -> int:
    """How many numbers autograd keeps."""
    sizes: list[int] = []

    def note(tensor: Tensor) -> Tensor:
        sizes.append(tensor.numel())
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        skeleton.outputs(networks[0].clone().requires_grad_(), networks[1], inputs)
    return sum(sizes)


def _losses(
    score: Callable[[Tensor, Tensor], Tensor], name: str, outputs: Tensor, targets: Tensor
) -> Tensor:
    """The loss of each example (B,), by the criterion of this name."""
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
        raise ValueError(
            f"{criteria.FIELD}: cannot compute {name} of {got}: {_first_line(error)}"
        ) from error
    if not isinstance(losses, Tensor) or losses.shape[:1] != (len(outputs),):
        got = f"shape {tuple(losses.shape)}" if isinstance(losses, Tensor) else type(losses).__name__
        raise ValueError(
            f"{criteria.FIELD}: expected a loss for each of {len(outputs)} examples from {name}, got {got}"
        )
    return criteria.per_example(losses)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
