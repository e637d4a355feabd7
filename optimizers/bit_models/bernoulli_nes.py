"""A natural evolution strategy on bits.

Descent of the mean loss of independent loci along a gradient estimated from sampled genotypes.

With p = 1 / (1 + exp(-theta)), P genotypes b_k ~ Bernoulli(p) and losses F_k, raw or shaped into centered
ranks,

    g = 1 / (P - 1) sum_k (F_k - mean F) (b_k - p)    (REINFORCE: Williams 1992, Mach. Learn. 8:229)
    theta <- theta - eta g,    natural:  theta <- theta - eta g / (p q)
        (Wierstra et al. 2014, JMLR 15:949; the Fisher matrix is p q)

b - p is the slope of the log chance of b in theta, and the mean of F over the others is a baseline, so raw
losses give g without bias: E g = dl/dtheta, the slope of the landscape's multilinear extension l(p), which
`sgd` descends on the relaxed landscape. It needs no extension. p is held in [margin, 1 - margin], so that no
allele is lost and g / (p q) stays bounded.

P values per step; draws: mutation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor

from landscapes.base import Answer, Bits, Problem, Query
from landscapes.numerics import column, logistic
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.defaults import MARGIN


class State(NamedTuple):
    """The search distribution."""

    theta: Tensor  # (R, 1, D) log odds of a 1
    start: Tensor  # (R, D) uint8, what is recommended while both alleles are as likely


@dataclass(frozen=True, kw_only=True)
class BernoulliNES(Optimizer):
    """Natural evolution strategy on independent bits.

    The score-function estimate of the slope of the multilinear extension.

    The recommendation is the most likely genotype; the center, p.

    Args:
        population: P >= 2 genotypes per step.
        learning_rate: eta > 0; of raw losses, per unit of loss.
        natural: divide the gradient by p q.
        shaping: centered_ranks (invariant under monotone transforms of the loss) or raw.
        lean: the first start decides where p begins: theta = lean (2 b - 1), lean >= 0; 0: p = 1/2.
        margin: p stays in [margin, 1 - margin], 0 < margin < 1/2; None: 1/D, at most 1/4.

    Source: Wierstra, Schaul, Glasmachers, Sun, Peters, Schmidhuber 2014, J. Mach. Learn. Res. 15:949;
    Williams 1992, Mach. Learn. 8:229.
    """

    name: ClassVar[str] = "bernoulli_nes"
    domains: ClassVar[tuple[type, ...]] = (Bits,)
    quantities: ClassVar[Mapping[str, Quantity]] = named.plain_rate(named.AS_SHAPED)
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    defaults: ClassVar[Defaults] = MARGIN
    population: Annotated[int, Ge(2)] = 16
    learning_rate: Annotated[float, Gt(0)] = 0.5
    natural: bool = True
    shaping: Literal["centered_ranks", "raw"] = "centered_ranks"
    lean: Annotated[float, Ge(0)] = 0.0
    margin: Annotated[float | None, Gt(0), Lt(0.5)] = None

    def init(self, problem: Problem, streams: Streams) -> State:
        """Log odds that lean to the first start."""
        start = problem.start(1)
        signs = 2 * start.to(streams.dtype) - 1
        return State(column(self.lean, signs) * signs, start[:, 0])

    def ask(self, state: State, streams: Streams) -> Query:
        """P sampled genotypes."""
        return Query(operators.sampled_bits(logistic(state.theta), streams, self.population))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Move the log odds."""
        del streams
        p = logistic(state.theta)
        value = (
            operators.centered_ranks(answer.value) if self.shaping == "centered_ranks" else answer.value
        )
        gain = value - value.mean(1, keepdim=True)
        slope = (gain[..., None] * (query.points.to(p.dtype) - p)).sum(1, keepdim=True) / (
            self.population - 1
        )
        if self.natural:
            slope = slope / (p * logistic(-state.theta))
        theta = state.theta - column(self.learning_rate, p) * slope
        p, q = (operators.within_margin(logistic(odds), self.margin) for odds in (theta, -theta))
        return State(torch.log(p) - torch.log(q), state.start), {}

    def recommend(self, state: State) -> Tensor:
        """The most likely genotype, the start's alleles in doubt: (R, D)."""
        return operators.likely(state.theta, state.start)

    def center(self, state: State) -> Tensor:
        """The chances p: (R, D)."""
        return logistic(state.theta[:, 0])
