"""An infinite population at linkage equilibrium.

Wright's equation for the frequencies of alleles, on a relaxed landscape of bits.

With p_i the frequency of allele 1 at locus i, q_i = 1 - p_i, l(p) the mean loss of genotypes whose loci are
independent (the multilinear extension) and fitness w = c - beta L, so that W(p) = c - beta l(p); c is 1, or
where the landscape says it (a measured table) the fitness of loss 0:

    p_i' = p_i + (p_i q_i / W) dW/dp_i
        (Wright 1937, PNAS 23:307; with ploidy 2 half of it, as in `wright_fisher`)
    p_i <- (1 - u) p_i' + u (1 - p_i')

Selection is exact for one generation from linkage equilibrium, which free recombination then has to restore:
N is infinite. The relaxation hands theta with p = 1 / (1 + exp(-theta)), and the slope in theta has the
factor p q of the equation in it: p_i q_i dl/dp_i = dl/dtheta_i. So the step in p is -beta / W times the
gradient in theta, and in theta it is natural-gradient ascent of ln W (divided by p q). Fitness is linear in
the loss: for another, W would be the extension of another landscape, so a table of logarithms (`scale: log`)
is refused.

One gradient per step, at which the value comes with it. Draws nothing but its start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Le
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import column, logistic
from landscapes.streams import Streams
from optimizers.base import Info, Optimizer, Recorded
from optimizers.fitness import COUNTED
from optimizers.gradient import steps


class State(NamedTuple):
    """The allele frequencies."""

    theta: Tensor  # (R, 1, D) their log odds ln(p / q)


@dataclass(frozen=True, kw_only=True)
class LinkageEquilibrium(Optimizer):
    """Wright's equation on allele frequencies.

    For `relaxation: extension` of a landscape on bits, where a point is theta = ln(p / q).

    Args:
        selection_strength: beta >= 0, per unit of loss; fitness is c - beta L, c = 1 or the best fitness of a
            measured table, which should be positive for all genotypes. In a step whose mean fitness is not,
            there is no selection: `unfit_steps` counts that.
        ploidy: 1, or 2: half the response, since a diploid's loss is the mean of its two haplotypes'.
        mutation_rate: u, probability that an allele mutates to the other, 0 to 1.

    Source: Wright 1937, PNAS 23:307; Buerger 2000, "The mathematical theory of selection, recombination, and
    mutation", chapter I.10.
    """

    name: ClassVar[str] = "linkage_equilibrium"
    gradient: ClassVar[bool] = True
    linear_fitness: ClassVar[bool] = True
    # loci are at linkage equilibrium; the Lovasz extension's are not
    relaxations: ClassVar[tuple[str, ...]] = ("extension",)
    counted: ClassVar[Recorded] = COUNTED
    selection_strength: Annotated[float, Ge(0)] = 1.0
    ploidy: Literal[1, 2] = 1
    mutation_rate: Annotated[float, Ge(0), Le(1)] = 0.0

    def init(self, problem: Problem, streams: Streams) -> State:
        """The first start."""
        del streams
        return State(problem.start(1))

    def ask(self, state: State, streams: Streams) -> Query:
        """The mean loss and its slope in theta."""
        del streams
        return Query(state.theta, gradient=True)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """One generation; info: fitness (R,), W before selection, and unfit (R,)."""
        del query, streams
        p = logistic(state.theta)
        q = logistic(-state.theta)
        beta = column(self.selection_strength, state.theta)
        mean = (1.0 if answer.law is None else answer.law.best) - beta * answer.value[
            ..., None
        ]  # (R, 1, 1)
        step = (-beta / self.ploidy) * steps.slope(answer, self.name) / mean
        step = torch.where((mean > 0) & step.isfinite(), step, 0.0)
        return State(self._odds(p + step, q - step)), {
            "fitness": mean[:, 0, 0],
            "unfit": ~(mean[:, 0, 0] > 0),
        }

    def recommend(self, state: State) -> Tensor:
        """The log odds, whose signs are the more frequent alleles: (R, D)."""
        return state.theta[:, 0]

    def center(self, state: State) -> Tensor:
        """The log odds: (R, D)."""
        return state.theta[:, 0]

    def _odds(self, p: Tensor, q: Tensor) -> Tensor:
        """Log odds of frequencies p and q = 1 - p after selection, mutated.

        They come apart, so that rare alleles keep their digits.
        """
        u = column(self.mutation_rate, p)
        p, q = (1 - u) * p + u * q, (1 - u) * q + u * p
        rarest = torch.finfo(p.dtype).tiny
        return torch.log(p.clamp_min(rarest)) - torch.log(q.clamp_min(rarest))
