"""A few examples through a user's module and loss, before anything depends on them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from landscapes.networks import criteria, functional
from landscapes.networks.dropout import Dropping, examples_axis, nothing
from landscapes.networks.import_paths import examples


class Trial(NamedTuple):
    """What it tells."""

    elements: int  # numbers that each example adds to what a gradient keeps
    classes: bool  # outputs are a score for each class, targets are classes
    alone: bool  # examples have the same losses in smaller and larger batches
    # of each call of dropout, the axis along which examples lie; None: they share what it drops
    axes: tuple[int | None, ...]


@cache
def trial(module: str, arguments: str, criterion: str, field: str, data: str) -> Trial:
    """Run a module on a few examples, alone and under `vmap`.

    Raises:
        ValueError: module and data, or outputs and loss, do not go together.
    """
    skeleton, score = functional.skeleton(module, arguments), criteria.criterion(criterion)
    networks = functional.trained(skeleton.net), functional.constants(skeleton.net)
    weights, _ = networks
    inputs, targets = (_few(part, weights.dtype) for part in examples(field, data))
    try:
        run = Run.of(skeleton, networks, inputs)
        outputs = run.outputs(weights)
        mapped = torch.func.vmap(run.with_constants)(*(part.expand(2, -1) for part in networks))
        torch.func.vmap(run.with_keys)(weights.expand(2, -1), run.keys.expand(2, -1, -1))
        elements = (run.kept(weights, 4) - run.kept(weights, 2)) // 2
    except (Exception, SystemExit) as error:
        raise ValueError(
            f"{functional.FIELD}: cannot run {module} on the examples of {data} under torch.func.vmap:"
            f" {_first_line(error)}"
        ) from error
    if not torch.allclose(mapped[0], outputs, rtol=1e-3, atol=1e-4, equal_nan=True):
        raise ValueError(
            f"{functional.FIELD}: expected the same outputs of {module} at every call, got different ones"
        )

    def losses(call: Call, at: Tensor, few: slice) -> Tensor:
        return _losses(score, criterion, call(at, few), targets[few])

    # what is special at a start is not so elsewhere
    elsewhere = weights + 0.1 * torch.sin(torch.arange(len(weights)).to(weights))
    alone = all(
        torch.allclose(losses(call, at, few), losses(call, at, ALL)[few], rtol=1e-3, atol=1e-6)
        for at in (weights, elsewhere)
        for call, few in run.alone()
    )
    classes = not targets.is_floating_point() and outputs.ndim == targets.ndim + 1
    return Trial(max(1, elements), classes, alone and None not in run.axes, run.axes)


Call = Callable[[Tensor, slice], Tensor]
ALL = slice(4)


class Run(NamedTuple):
    """A module and four examples."""

    skeleton: functional.Skeleton
    constants: Tensor  # (C,)
    inputs: Tensor  # (4, ...)
    axes: tuple[int | None, ...] = ()

    @staticmethod
    def of(skeleton: functional.Skeleton, networks: tuple[Tensor, Tensor], inputs: Tensor) -> Run:
        """With the axes of the examples in what it drops, of a network: weights (D,), constants (C,)."""
        run = Run(skeleton, networks[1], inputs)
        few, twice = Dropping(nothing(inputs)), Dropping(nothing(inputs))
        for dropping, some in ((few, slice(2)), (twice, ALL)):
            run._call(networks[0], some, dropping)
        return run._replace(axes=tuple(map(examples_axis, few.shapes, twice.shapes)))

    def alone(self) -> list[tuple[Call, slice]]:
        """Calls, and which examples are to have the same losses without the others."""
        dropped = [(self.dropped, slice(2, 4))] if self.axes and None not in self.axes else []
        return [(self.outputs, slice(2)), *dropped]

    def outputs(self, weights: Tensor, few: slice = ALL) -> Tensor:
        """With nothing dropped."""
        return self._call(weights, few, Dropping(nothing(self.inputs)))

    def with_constants(self, weights: Tensor, constants: Tensor) -> Tensor:
        """The outputs of another network."""
        return self._replace(constants=constants).outputs(weights)

    @property
    def keys(self) -> Tensor:
        """(4, 5) one of dropout for each example, or where that cannot be (1, 5) one for all."""
        count = 1 if None in self.axes else len(self.inputs)
        return torch.arange(5 * count, device=self.inputs.device).view(count, 5)

    def with_keys(self, weights: Tensor, keys: Tensor, few: slice = ALL) -> Tensor:
        """With dropout."""
        return self._call(weights, few, Dropping(keys[few] if len(keys) > 1 else keys, self.axes))

    def dropped(self, weights: Tensor, few: slice) -> Tensor:
        """With dropout, which of each example is its own where it can be."""
        return self.with_keys(weights, self.keys, few)

    def kept(self, weights: Tensor, count: int) -> int:
        """How many numbers autograd keeps of so many examples."""
        sizes: list[int] = []

        def note(tensor: Tensor) -> Tensor:
            sizes.append(tensor.numel())
            return tensor

        with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            self.dropped(weights.clone().requires_grad_(), slice(count))
        return sum(sizes)

    def _call(self, weights: Tensor, few: slice, dropping: Dropping) -> Tensor:
        return self.skeleton.outputs(weights, self.constants, self.inputs[few], dropping)


def _few(part: Tensor, dtype: torch.dtype) -> Tensor:
    """Four examples, the first again where there are fewer; reals in the dtype of the weights."""
    few = part[torch.arange(4) % len(part)]
    return few.to(dtype) if few.is_floating_point() else few


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
