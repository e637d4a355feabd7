"""pycma's CMA-ES (Hansen, Akimoto and Baudis, https://github.com/CMA-ES/pycma), by its own `ask` and `tell`.

Its stopping criteria are not asked: a search goes on until the budget is spent. It writes no file and prints
nothing. P values per step; draws: library.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Problem
from landscapes.parameters import Defaults
from optimizers.adapters.generators import apart
from optimizers.adapters.library import Library, Numbers, Proposal, Run, check_names, start_sigma
from optimizers.defaults import SIGMA
from optimizers.evolution_strategies import distribution

QUIET = {
    "verbose": -9,
    "verb_log": 0,
    "verb_disp": 0,
    "signals_filename": "",
    "seed": np.nan,
}  # nan: it does not seed NumPy's generator
OURS = {
    "CMA_eigenmethod",
    "CMA_sampler",
    "CMA_sampler_options",
    "CMA_recombination_weights",
}  # not numbers, or they change P


class Search(Run):
    """A `CMAEvolutionStrategy` and the points that it proposed."""

    def __init__(self, strategy: Any) -> None:  # noqa: ANN401
        self.strategy = strategy
        self.points: list[np.ndarray] = []

    def propose(self) -> Proposal:
        """A population around the mean, which is also recommended (pycma's `xfavorite`)."""
        self.points = self.strategy.ask()
        points, mean = (
            torch.from_numpy(np.stack(self.points)),
            torch.from_numpy(np.array(self.strategy.mean)),
        )
        return Proposal(points, mean, mean, torch.ones(len(points), dtype=torch.bool))

    def take(self, value: Tensor, gradient: Tensor | None) -> None:
        """The step."""
        del gradient
        self.strategy.tell(self.points, value.double().tolist())


@dataclass(frozen=True, kw_only=True)
class PyCMA(Library):
    """CMA-ES as pycma has it, with its options; the mean is recommended.

    Needs the package cma: pip install cma.

    Args:
        population: P >= 2; None: 4 + floor(3 log D), pycma's own.
        sigma: initial standard deviation, > 0, in units of x; None: 0.3 of the width of the start box.
        options: pycma's further options that are numbers, such as {CMA_diagonal: true, CSA_dampfac: 2,
            minstd: 0.01}.

    Source: Hansen, Akimoto and Baudis, "CMA-ES/pycma", Zenodo, doi:10.5281/zenodo.2559634.
    """

    name: ClassVar[str] = "pycma"
    defaults: ClassVar[Defaults] = distribution.POPULATION | SIGMA
    libraries: ClassVar[tuple[str, ...]] = ("cma", "numpy")
    population: Annotated[int | None, Ge(2)] = None
    sigma: Annotated[float | None, Gt(0)] = None
    options: Numbers = field(default_factory=dict)

    def check(self) -> None:
        """The library must be there, and the options its own."""
        if importlib.util.find_spec("cma") is None:
            raise ValueError(
                "pycma: the library is not installed; install it with: pip install 'cma>=4'"
            )
        if self.options:
            check_names("pycma.options", self.options, _numeric())

    @property
    def founders(self) -> int:
        """The first mean."""
        return 1

    def begin(self, problem: Problem, starts: Tensor, row: int) -> Run:
        """The strategy at the start."""
        import cma

        options = (
            QUIET | ({} if self.population is None else {"popsize": self.population}) | self.options
        )
        return Search(
            cma.CMAEvolutionStrategy(
                starts[0].double().numpy(), start_sigma(self.sigma, problem, row), options
            )
        )


def _numeric() -> set[str]:
    """The options that shape the search and hold numbers (pycma evaluates text as code)."""
    with apart():
        import cma

    names = {
        name
        for name in cma.CMAOptions.defaults()
        if name.startswith(("CMA_", "CSA_")) or name in ("minstd", "maxstd", "mindx")
    }
    return names - OURS
