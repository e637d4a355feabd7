"""Any optimizer of PyTorch that steps along a gradient, by name: `torch.optim.Adam`, `RMSprop`, `Rprop`, ...

The equations are those of its documentation (https://docs.pytorch.org/docs/stable/optim.html), the step is
its own. Every trajectory is a parameter of its own, a vector, in one optimizer. P gradients per step; draws
nothing but its starts.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Problem
from landscapes.parameters import Defaults
from optimizers import operators
from optimizers import quantities as named
from optimizers.adapters.generators import apart
from optimizers.adapters.library import Library, Numbers, Proposal, Run, State, check_names, of_world
from optimizers.base import Quantity

OURS = {
    "params",
    "lr",
    "maximize",
    "foreach",
    "fused",
    "capturable",
    "differentiable",
}  # set here, or not a matter of the mathematics
METHODS = {
    name: cls
    for name, cls in vars(torch.optim).items()
    if isinstance(cls, type)
    and issubclass(cls, torch.optim.Optimizer)
    and cls is not torch.optim.Optimizer
}


class Trajectories(Run):
    """The starts (P, D) of one world and the optimizer that moves them."""

    def __init__(self, starts: Tensor, method: str, arguments: dict[str, Any]) -> None:
        self.points = list(starts)
        self.value = starts.new_full((len(starts),), torch.inf)  # (P,) last answered
        self.optimizer = METHODS[method](self.points, **arguments)

    def propose(self) -> Proposal:
        """Every trajectory's point; the best is the one last seen lowest."""
        points = torch.stack(self.points)
        best = operators.best(points[None], self.value[None])[0]
        return Proposal(points, points.mean(0), best, torch.ones(len(points), dtype=torch.bool))

    @property
    def rate(self) -> float:
        """The lr of the next step, of ASGD its eta; NaN of Rprop, where it is the first length alone."""
        if isinstance(self.optimizer, torch.optim.Rprop):
            return math.nan
        memory = self.optimizer.state.get(self.points[0], {})
        return float(memory.get("eta", self.optimizer.param_groups[0]["lr"]))

    def take(self, value: Tensor, gradient: Tensor | None) -> None:
        """One step."""
        assert gradient is not None  # `Library.tell` sees to it
        self.value = value
        for point, slope in zip(self.points, gradient, strict=True):
            point.grad = slope.clone()
        self.optimizer.step()
        self.optimizer.zero_grad()


def _rates(state: State) -> Tensor:
    """The learning rate of each world, (R,); NaN where PyTorch raised."""
    runs = [world.run for world in state.worlds]
    rates = [run.rate if isinstance(run, Trajectories) else math.nan for run in runs]
    return torch.tensor(rates, dtype=torch.float64)


@dataclass(frozen=True, kw_only=True)
class TorchOptim(Library):
    """Any gradient method of PyTorch, by name.

    With several starts the recommendation is the trajectory whose last answered (noisy) value was lowest, the
    center is their mean.

    Args:
        method: a class of torch.optim: Adam, AdamW, SGD, RMSprop, Adagrad, Adadelta, Adamax, NAdam, RAdam,
            Rprop, ASGD, Adafactor.
        learning_rate: its lr, > 0; None: PyTorch's own default.
        starts: P >= 1, independent trajectories.
        options: its further keyword arguments, such as {betas: [0.9, 0.99], weight_decay: 0.01}.

    Source: Paszke et al. 2019, "PyTorch: an imperative style, high-performance deep learning library",
    NeurIPS.
    """

    name: ClassVar[str] = "torch_optim"
    quantities: ClassVar[Mapping[str, Quantity]] = {
        "learning_rate": Quantity(
            named.RATE, "as the method has it", lambda method, state, info: _rates(state)
        )
    }
    defaults: ClassVar[Defaults] = {"learning_rate": lambda method, task: _default_rate(method.method)}
    gradient: ClassVar[bool] = True
    method: str = "Adam"
    learning_rate: Annotated[float | None, Gt(0)] = None
    starts: Annotated[int, Ge(1)] = 1
    options: Numbers = field(default_factory=dict)

    def check(self) -> None:
        """The method and its options must be PyTorch's, and it must step on vectors."""
        check_names("torch_optim.method", [self.method], METHODS)
        if self.method == "LBFGS":
            raise ValueError(
                "torch_optim.method: LBFGS asks for many values within a step; take the kind lbfgs, which"
                " asks for one at a time"
            )
        check_names(
            "torch_optim.options",
            self.options,
            set(inspect.signature(METHODS[self.method]).parameters) - OURS,
        )
        try:
            with apart():
                Trajectories(torch.ones(1, 2), self.method, self._arguments(0)).take(
                    torch.ones(1), torch.ones(1, 2)
                )
        except (ValueError, TypeError, RuntimeError) as error:
            field = "options" if self.options else "method"
            raise ValueError(
                f"torch_optim.{field}: torch.optim.{self.method} refuses to step on a vector:"
                f" {str(error).splitlines()[0]}"
            ) from error

    @property
    def founders(self) -> int:
        """One for each trajectory."""
        return self.starts

    def begin(self, problem: Problem, starts: Tensor, row: int) -> Run:
        """An optimizer of the starts."""
        del problem
        return Trajectories(starts, self.method, self._arguments(row))

    def _arguments(self, row: int) -> dict[str, Any]:
        rate = of_world(self.learning_rate, row)
        return dict(self.options) | ({} if rate is None else {"lr": float(rate)})


def _default_rate(method: str) -> float | None:
    """PyTorch's own learning rate of a method; None where it has none."""
    rate = inspect.signature(METHODS[method]).parameters["lr"].default
    return float(rate) if isinstance(rate, int | float) else None
