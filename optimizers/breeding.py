"""What genetic algorithms share: the hyperparameters of selection, recombination and mutation.

Each algorithm's own docstring says what they mean there; `optimizers.operators` reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes.base import Bits, FitnessLaw, Letters, Problem, Reals
from landscapes.parameters import Defaults
from optimizers.base import Optimizer, Switches
from optimizers.defaults import MUTATION_RATE
from optimizers.fitness import unfit, weights
from optimizers.spectrum import Spectrum

Probability = Annotated[float, Ge(0), Le(1)]


@dataclass(frozen=True, kw_only=True)
class Breeding(Optimizer):
    """A method whose points have parents: selected, perhaps recombined, and mutated.

    Where an algorithm leaves no choice, it declares the field again with `init=False`: then it is no
    parameter of a study.
    """

    domains: ClassVar[tuple[type, ...]] = (Reals, Bits)
    sources: ClassVar[tuple[str, ...]] = ("mutation", "recombination", "drift", "pairing")
    defaults: ClassVar[Defaults] = MUTATION_RATE
    switches: ClassVar[Switches] = {
        "drift": {"off": {"sampling": "systematic"}},
        "recombination": {
            "off": {"crossover": "none"},
            "free": {"crossover": "uniform", "recombination_rate": 1.0},
        },
        "mutation": {"off": {"mutation_rate": 0.0}},
    }
    population: Annotated[int, Ge(1)] = 64
    # parents
    selection: Literal["tournament", "truncation", "proportional", "none"] = "tournament"
    tournament: Annotated[int, Ge(1)] = 2
    truncation: Annotated[float, Gt(0), Le(1)] = 0.5
    fitness: Literal["linear", "exponential"] = "exponential"
    selection_strength: Annotated[float, Ge(0)] = 1.0
    sampling: Literal["random", "systematic"] = "random"
    # children
    crossover: Literal["uniform", "one_point", "two_point", "none"] = "uniform"
    recombination_rate: Probability = 1.0
    mutation_rate: Annotated[float | None, Ge(0), Le(1)] = None
    mutation_sigma: Annotated[float, Ge(0)] = 0.1
    # those who survive
    elite: Annotated[int, Ge(0)] = 0

    def check(self) -> None:
        """Someone must be born."""
        if self.elite >= self.population:
            raise ValueError(
                f"{self.name}.elite: expected 0 <= elite < population = {self.population}, got {self.elite}"
            )

    @property
    def recombines(self) -> bool:
        """Whether a child may have two parents."""
        never = not isinstance(self.recombination_rate, Tensor) and self.recombination_rate == 0
        return self.crossover != "none" and not never

    def weights(self, value: Tensor, law: FitnessLaw | None) -> Tensor:
        """The fitness of losses (R, P), 1 for all of a world where nobody has any: (R, P) float64."""
        return weights(value, self.fitness, self.selection_strength, law)

    def unfit(self, populations: Sequence[Tensor], law: FitnessLaw | None) -> dict[str, Tensor]:
        """Info of a step: `unfit` (R,), whether in one of these populations nobody has fitness.

        Populations are losses (R, P). Where selection is not proportional to fitness there is nothing to say.
        """
        if self.selection != "proportional":
            return {}
        return {"unfit": unfit(populations, self.fitness, self.selection_strength, law)}


@dataclass(frozen=True, kw_only=True)
class Lettered(Breeding):
    """One that searches letters too, such as those of DNA."""

    domains: ClassVar[tuple[type, ...]] = (Reals, Bits, Letters)
    spectrum: Spectrum = field(default_factory=Spectrum)

    def check_problem(self, problem: Problem) -> None:
        """A spectrum is that of bits or letters."""
        self.spectrum.fits(self.name, problem.domain)
