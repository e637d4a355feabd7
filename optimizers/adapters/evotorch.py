"""EvoTorch's Gaussian searches.

SNES, XNES, PGPE, CEM and CMA-ES (Toklu, Atkinson, Micka, Liskowski and Srivastava 2023, arXiv:2302.12600).

The step is EvoTorch's own, `SearchAlgorithm.step`, which proposes a population and has it evaluated in its
midst. So it is made twice, with the same draws: on a copy, as far as the question, which is asked of the
oracle; then in earnest, with the answer. EvoTorch moves a Gaussian (but for CMA-ES) at the beginning of a
step; the center here is the one after that. P values per step; draws: library.
"""

from __future__ import annotations

import copy
import functools
import inspect
import logging
import math
import os
import sys
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Problem
from landscapes.parameters import Defaults
from optimizers.adapters.generators import Generators, apart
from optimizers.adapters.library import Library, Proposal, Run, check_names, start_sigma
from optimizers.defaults import SIGMA
from optimizers.evolution_strategies import distribution

Options = dict[str, float | bool | str]
CLASSES = {"snes": "SNES", "xnes": "XNES", "pgpe": "PGPE", "cem": "CEM", "cma_es": "CMAES"}
OURS = {
    "self",
    "problem",
    "popsize",
    "stdev_init",
    "radius_init",
    "center_init",
    "obj_index",
    "num_interactions",
    "popsize_max",
}
OURS |= {"distributed", "popsize_weighted_grad_avg"}


class _Asked(Exception):
    """EvoTorch wants these points (P, D) evaluated."""

    def __init__(self, points: Tensor) -> None:
        super().__init__("a question of EvoTorch's")
        self.points = points


class _Door:
    """The objective function that EvoTorch calls.

    The way out for a question, the way in for its answer (P,).
    """

    def __init__(self) -> None:
        self.answer: Tensor | None = None

    def __call__(self, points: Tensor) -> Tensor:
        if self.answer is None:
            raise _Asked(torch.as_tensor(points).as_subclass(Tensor).clone())
        return self.answer


class Search(Run):
    """One of EvoTorch's algorithms, before a step."""

    def __init__(self, algorithm: Any, door: _Door) -> None:  # noqa: ANN401
        self.algorithm, self.door = algorithm, door

    def propose(self) -> Proposal:
        """The population of the next step, from a copy; the draws will be made again."""
        before, attempt = Generators.now(), copy.deepcopy(self.algorithm)
        try:
            attempt.step()
        except _Asked as question:
            center = torch.as_tensor(attempt.status["center"]).as_subclass(Tensor).clone()
            return Proposal(
                question.points, center, center, torch.ones(len(question.points), dtype=torch.bool)
            )
        finally:
            before.restore()
        raise AttributeError("evotorch: a step evaluated nothing")

    def take(self, value: Tensor, gradient: Tensor | None) -> None:
        """The step itself."""
        del gradient
        self.door.answer = value
        self.algorithm.step()
        self.door.answer = None


@dataclass(frozen=True, kw_only=True)
class EvoTorch(Library):
    """EvoTorch's SNES, XNES, PGPE, CEM or CMA-ES; the mean is recommended.

    Args:
        algorithm: snes, xnes, pgpe, cem or cma_es.
        population: P >= 2, even for pgpe; None: 4 + floor(3 log D), made even for pgpe.
        sigma: initial standard deviation, > 0, in units of x; None: 0.3 of the width of the start box.
        options: further keyword arguments of EvoTorch's class, such as {stdev_learning_rate: 0.2}. Where
            EvoTorch has no default: cem {parenthood_ratio: 0.5}, pgpe {stdev_learning_rate: 0.1,
            center_learning_rate: sigma sqrt(D) / 30}.

    Source: Toklu et al. 2023, "EvoTorch: scalable evolutionary computation in Python", arXiv:2302.12600; the
    steps of pgpe: Toklu, Liskowski and Srivastava 2020, "ClipUp", arXiv:2008.02387, where the fastest step,
    twice the rate, is a fifteenth of the initial radius.
    """

    name: ClassVar[str] = "evotorch"
    defaults: ClassVar[Defaults] = SIGMA | {
        "population": lambda method, task: method.default_population(task.dim)
    }
    libraries: ClassVar[tuple[str, ...]] = ("evotorch",)
    algorithm: Literal["snes", "xnes", "pgpe", "cem", "cma_es"] = "snes"
    population: Annotated[int | None, Ge(2)] = None
    sigma: Annotated[float | None, Gt(0)] = None
    options: Options = field(default_factory=dict)

    def check(self) -> None:
        """The options must be those of EvoTorch's class.

        Mirrored points come in pairs, and one parent has no standard deviation.
        """
        if self.algorithm == "pgpe" and self.population is not None and self.population % 2:
            raise ValueError(
                f"evotorch.population: expected an even number with pgpe, got {self.population}"
            )
        if self.algorithm == "cem" and self.population is not None and self.population < 4:
            raise ValueError(f"evotorch.population: expected >= 4 with cem, got {self.population}")
        if self.options:
            check_names(
                "evotorch.options",
                self.options,
                set(inspect.signature(self._class().__init__).parameters) - OURS,
            )

    @property
    def founders(self) -> int:
        """The first center."""
        return 1

    def check_problem(self, problem: Problem) -> None:
        """Its cma_es needs two coordinates."""
        if self.algorithm == "cma_es" and problem.dim < 2:
            raise ValueError(
                "evotorch.algorithm: EvoTorch's cma_es needs at least 2 coordinates; take snes"
            )

    def begin(self, problem: Problem, starts: Tensor, row: int) -> Run:
        """The algorithm at the start."""
        self.check_problem(problem)
        door = _Door()
        settings = {
            "dtype": starts.dtype,
            "vectorized": True,
            "store_solution_stats": False,
        }  # statistics of a NaN raise
        asked = _library().Problem(
            "min", door, solution_length=problem.dim, initial_bounds=(-1, 1), **settings
        )
        size = self.population or distribution.default_population(problem.dim)
        size += size % 2 if self.algorithm == "pgpe" else 0
        sigma = start_sigma(self.sigma, problem, row)
        required: dict[str, Options] = {
            "pgpe": {
                "stdev_learning_rate": 0.1,
                "center_learning_rate": sigma * math.sqrt(problem.dim) / 30,
            },
            "cem": {"parenthood_ratio": 0.5},
        }
        options = required.get(self.algorithm, {}) | self.options
        return Search(
            self._class()(asked, popsize=size, stdev_init=sigma, center_init=starts[0], **options), door
        )

    def default_population(self, dim: int) -> int:
        """Points of a step in D coordinates where no number is given: even for pgpe."""
        size = distribution.default_population(dim)
        return size + size % 2 if self.algorithm == "pgpe" else size

    def _class(self) -> Any:  # noqa: ANN401
        return getattr(_library().algorithms, CLASSES[self.algorithm])


@functools.cache
def _library() -> Any:  # noqa: ANN401
    """EvoTorch, imported when first used.

    Without its warnings, its messages on the screen, and what it draws meanwhile.
    """
    if "evotorch" in sys.modules:
        return sys.modules["evotorch"]
    level = os.environ.get("EVOTORCH_VERBOSE_LEVEL")
    os.environ["EVOTORCH_VERBOSE_LEVEL"] = "-1"
    try:
        with apart():
            import evotorch
    finally:
        os.environ.pop("EVOTORCH_VERBOSE_LEVEL")
        if level is not None:
            os.environ["EVOTORCH_VERBOSE_LEVEL"] = level
    logging.getLogger("evotorch").setLevel(logging.WARNING)
    return evotorch
