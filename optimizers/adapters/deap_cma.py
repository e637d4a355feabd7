"""DEAP's CMA-ES, `deap.cma.Strategy`, by its own `generate` and `update`.

Hansen and Ostermeier 2001, Evol. Comput. 9:159.

P values per step; draws: library.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Problem
from landscapes.parameters import Defaults
from optimizers.adapters.deap_ga import individual
from optimizers.adapters.library import Library, Numbers, Proposal, Run, check_names, start_sigma
from optimizers.defaults import SIGMA
from optimizers.evolution_strategies import distribution

OPTIONS = ("mu", "cs", "damps", "ccum", "ccov1", "ccovmu")


class Search(Run):
    """A strategy and the individuals that it generated."""

    def __init__(self, strategy: Any) -> None:  # noqa: ANN401
        self.strategy = strategy
        self.children: list[Any] = []

    def propose(self) -> Proposal:
        """A population around the centroid, which is also recommended."""
        self.children = self.strategy.generate(individual())
        points = torch.from_numpy(np.array(self.children))
        centroid = torch.from_numpy(np.array(self.strategy.centroid))
        return Proposal(points, centroid, centroid, torch.ones(len(points), dtype=torch.bool))

    def take(self, value: Tensor, gradient: Tensor | None) -> None:
        """The step."""
        del gradient
        for child, loss in zip(self.children, value.tolist(), strict=True):
            child.fitness.values = (loss,)
        self.strategy.update(self.children)


@dataclass(frozen=True, kw_only=True)
class DeapCMA(Library):
    """CMA-ES as DEAP has it; the centroid is recommended.

    Args:
        population: P >= 2; None: 4 + floor(3 log D), DEAP's own.
        sigma: initial standard deviation, > 0, in units of x; None: 0.3 of the width of the start box.
        options: parameters of DEAP's strategy: mu, cs, damps, ccum, ccov1, ccovmu.

    Source: Fortin et al. 2012, "DEAP: evolutionary algorithms made easy", JMLR 13:2171; Hansen and Ostermeier
    2001, Evol. Comput. 9:159.
    """

    name: ClassVar[str] = "deap_cma"
    defaults: ClassVar[Defaults] = distribution.POPULATION | SIGMA
    libraries: ClassVar[tuple[str, ...]] = ("deap", "numpy")
    population: Annotated[int | None, Ge(2)] = None
    sigma: Annotated[float | None, Gt(0)] = None
    options: Numbers = field(default_factory=dict)

    def check(self) -> None:
        """The options must be DEAP's."""
        check_names("deap_cma.options", self.options, OPTIONS)

    @property
    def founders(self) -> int:
        """The first centroid."""
        return 1

    def begin(self, problem: Problem, starts: Tensor, row: int) -> Run:
        """The strategy at the start."""
        from deap import cma

        options = ({} if self.population is None else {"lambda_": self.population}) | self.options
        return Search(
            cma.Strategy(starts[0].double().numpy(), start_sigma(self.sigma, problem, row), **options)
        )
