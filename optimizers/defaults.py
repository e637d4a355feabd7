"""The numbers that parameters have in a run.

What a null becomes, which may follow from the number of coordinates D, the domain, the players.

Each is the one that the optimizer's own file computes; a test runs every kind with null and with this value,
and finds the same bits. What has no value when left null (no clipping, no end of a decay, exactly one bit
flipped) is not here. Without crossover the rate of recombination is 0, whatever is given.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from landscapes.base import Bits, Domain, Reals
from landscapes.parameters import Parameters
from optimizers.base import Optimizer
from optimizers.evolution_strategies import distribution, snes
from optimizers.schedules import FACTORS, Schedule

if TYPE_CHECKING:
    from optimizers.adapters.evotorch import EvoTorch
    from optimizers.adapters.torch_optim import TorchOptim
    from optimizers.evolution_strategies.cma_es import CMAES
    from optimizers.evolution_strategies.ipop_cma_es import IPOPCMAES
    from optimizers.evolution_strategies.mu_lambda import MuLambda
    from optimizers.evolution_strategies.openai_es import OpenAIES


class Task(NamedTuple):
    """What a default may depend on."""

    dim: int
    domain: Domain  # as the optimizer sees it: reals where bits are relaxed
    players: int = 1


Rule = Callable[[Any, Task], float | int | None]


def effective(optimizer: Parameters, task: Task) -> dict[str, Any]:
    """Parameter -> the value that it has in a run, where that is another than the one given.

    Those of an inner schedule in a mapping of their own.

    Args:
        optimizer: an optimizer, or a schedule inside of one.
        task: what it searches.
    """
    given = optimizer.parameters()
    numbers: dict[str, Any] = {}
    for name, value in given.items():
        number: Any = effective(value, task) if isinstance(value, Parameters) else None
        rule = _rule(optimizer, name) if value is None else None
        if rule is not None:
            number = rule(optimizer, task)
        if number not in (None, {}):
            numbers[name] = number
    if given.get("crossover") == "none" and "recombination_rate" in given:
        numbers["recombination_rate"] = 0.0
    return numbers


def _rule(owner: Parameters, name: str) -> Rule | None:
    if isinstance(owner, Optimizer):
        return RULES.get(f"{owner.name}.{name}", COMMON.get(name))
    return _factor if isinstance(owner, Schedule) and name == "factor" else None


def _factor(schedule: Schedule, task: Task) -> float | None:
    del task
    return FACTORS.get(schedule.kind)


def _sigma(optimizer: Optimizer, task: Task) -> float | None:
    """As `strategies.start_sigma`."""
    del optimizer
    return 0.3 * (task.domain.high - task.domain.low) if isinstance(task.domain, Reals) else None


def _population(optimizer: Optimizer, task: Task) -> int:
    del optimizer
    return distribution.default_population(task.dim)


def _mutation_rate(optimizer: Optimizer, task: Task) -> float:
    """As `operators.mutate`."""
    del optimizer
    return 1 / task.dim if isinstance(task.domain, Bits) else 1.0


def _margin(optimizer: Optimizer, task: Task) -> float:
    """As `operators.within_margin`."""
    del optimizer
    return min(1 / task.dim, 0.25)


def _lazy(optimizer: CMAES | IPOPCMAES, task: Task) -> int:
    size = optimizer.population or distribution.default_population(task.dim)
    k = distribution.cma_constants(task.dim, size, optimizer.covariance == "diagonal", optimizer.active)
    return max(1, int(min(2 / task.dim, 0.25) / (k.c_1 + k.c_mu)))


def _parents(optimizer: MuLambda, task: Task) -> int:
    return (optimizer.population or distribution.default_population(task.dim)) // 2


def _damping(optimizer: MuLambda, task: Task) -> float:
    """Of the (mu, lambda) strategy."""
    size = optimizer.population or distribution.default_population(task.dim)
    weights = optimizer._weights(size)  # noqa: SLF001
    return distribution.path_constants(task.dim, distribution.effective_size(weights))[1]


def _group(optimizer: OpenAIES, task: Task) -> int | None:
    """All points, where these do not change."""
    del task
    steady = optimizer.coupling == "none" and optimizer.largest is None
    return optimizer.population if steady else None


def _xnes_rate(optimizer: Optimizer, task: Task) -> float:
    del optimizer
    return 3 * (3 + math.log(task.dim)) / (5 * task.dim * math.sqrt(task.dim))


def _evotorch_population(optimizer: EvoTorch, task: Task) -> int:
    size = distribution.default_population(task.dim)
    return size + size % 2 if optimizer.algorithm == "pgpe" else size


def _torch_rate(optimizer: TorchOptim, task: Task) -> float | None:
    del task
    rate = inspect.signature(getattr(torch.optim, optimizer.method)).parameters["lr"].default
    return float(rate) if isinstance(rate, int | float) else None


COMMON: dict[str, Rule] = {  # of every kind that has a parameter of this name, but for those below
    "sigma": _sigma,
    "population": _population,
    "mutation_rate": _mutation_rate,
    "margin": _margin,
    "lazy": _lazy,
    "largest": lambda optimizer, task: optimizer.population,
}
RULES: dict[str, Rule | None] = {  # None: has no value when left null
    "metropolis.mutation_rate": None,  # exactly one bit
    "simulated_annealing.mutation_rate": None,
    "parallel_tempering.mutation_rate": None,
    "memetic.mutation_rate": lambda optimizer, task: 1.0,
    "coevolution.mutation_rate": lambda optimizer, task: (
        task.players / task.dim if isinstance(task.domain, Bits) else 1.0
    ),
    "wright_fisher.recombination_rate": lambda optimizer, task: (
        0.5 if optimizer.crossover == "multi_point" else 1.0
    ),
    "one_plus_one.damping": lambda optimizer, task: math.sqrt(task.dim + 1),
    "mu_lambda.damping": _damping,
    "mu_lambda.parents": _parents,
    "openai_es.group": _group,
    "snes.sigma_learning_rate": lambda optimizer, task: snes.default_rate(task.dim),
    "xnes.sigma_learning_rate": _xnes_rate,
    "xnes.shape_learning_rate": _xnes_rate,
    "evotorch.population": _evotorch_population,
    "torch_optim.learning_rate": _torch_rate,
    "ipop_cma_es.lazy": None,  # another one after each restart, as its population grows
}
