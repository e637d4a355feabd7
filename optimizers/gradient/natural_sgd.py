"""Natural gradient descent: the steepest direction as a metric G measures lengths, not as the coordinates do.

    x <- x - eta (G + d I)^-1 g
        (Amari 1998, "Natural gradient works efficiently in learning", Neural Comput. 10:251, theorem 1)

with g the (mini-batch) gradient, learning rate eta of the schedule and damping d. The metric is given,
diagonal or full, the same everywhere; or it is `logistic`, the Fisher information diag p (1 - p) of
independent bits in theta, P(b = 1) = p = 1 / (1 + exp(-theta)): on a relaxed binary landscape dL/dtheta = p
(1 - p) dL/dp is divided by it (in p itself one would multiply by it), so theta moves by -eta dL/dp. That is
how selection of strength eta moves allele frequencies: where loci act additively it is the Wright-Fisher
model's exact step with exponential fitness and infinitely many at linkage equilibrium. P gradients per step;
draws nothing but its starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import column, exp_minus, matmul
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.gradient import steps
from optimizers.operators import ranking_values, unseen
from optimizers.schedules import Coupling, Schedule, check_coupling

Matrix = tuple[float, ...] | tuple[tuple[float, ...], ...]  # its diagonal, or its rows


class State(NamedTuple):
    """P trajectories."""

    points: Tensor  # (R, P, D)
    inverse: Tensor  # (R, D) or (R, D, D), (G + d I)^-1 where the metric is given; (R, 0) for logistic
    value: Tensor  # (R, P) last answered, one step back; inf before the first
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class NaturalSGD(Optimizer):
    """Natural gradient descent by a given metric, or by that of independent bits, on P trajectories.

    With several starts the recommendation is the trajectory whose last answered (noisy) value was lowest, the
    center is their mean.

    Args:
        learning_rate: eta > 0, in units of G x^2 per unit of loss.
        metric: logistic (the coordinates are log-odds of bits) or given.
        matrix: G where it is given: its diagonal, (D,) numbers > 0, or all of it, (D, D), symmetric and
            positive definite.
        damping: d >= 0, in units of G.
        schedule: how the learning rate changes with the steps.
        batch: b_0 >= 1, terms of a mini-batch of its own, one for all trajectories of a world; None: the
            study's.
        coupling: how the batch changes with the learning rate, see `optimizers.schedules`; needs a batch.
        starts: P >= 1, independent trajectories.

    Source: Amari 1998, Neural Comput. 10:251; Malago, Matteucci and Pistone 2011, FOGA (independent bits).
    """

    name: ClassVar[str] = "natural_sgd"
    quantities: ClassVar[Mapping[str, Quantity]] = named.learning_rate("G x^2 per loss")
    gradient: ClassVar[bool] = True
    learning_rate: Annotated[float, Gt(0)] = 0.1
    metric: Literal["logistic", "given"] = "logistic"
    matrix: Matrix | None = None
    damping: Annotated[float, Ge(0)] = 0.0
    schedule: Schedule = field(default_factory=Schedule)
    batch: Annotated[int | None, Ge(1)] = None
    coupling: Coupling = "none"
    starts: Annotated[int, Ge(1)] = 1

    @property
    def batches(self) -> bool:
        """Whether it sets its own mini-batches."""
        return self.batch is not None

    @property
    def cost_follows_schedule(self) -> bool:
        """Whether the batch does."""
        return self.coupling != "none"

    def check(self) -> None:
        """A given metric is positive definite, and a coupling needs a batch."""
        check_coupling(self.name, self.coupling, self.batch)
        if (self.matrix is None) != (self.metric == "logistic"):
            raise ValueError(
                "natural_sgd.matrix: expected one with metric given and none with logistic, got"
                f" {self.matrix} with {self.metric}"
            )
        if self.matrix is not None:
            self._check_matrix(self.matrix)

    def _check_matrix(self, matrix: Matrix) -> None:
        """A diagonal, or the rows of a symmetric matrix, positive definite."""
        rows = {len(row) if isinstance(row, Sequence) else 0 for row in matrix}
        if rows not in ({0}, {len(matrix)}):
            raise ValueError(
                "natural_sgd.matrix: expected its diagonal, or as many rows of as many numbers, got"
                f" {matrix}"
            )
        g = self._matrix()
        if g.ndim == 2 and not torch.equal(g, g.T):
            raise ValueError(
                f"natural_sgd.matrix: expected a diagonal or a symmetric matrix, got {matrix}"
            )
        if not bool(((g if g.ndim == 1 else torch.linalg.eigvalsh(g)) > 0).all()):
            raise ValueError(f"natural_sgd.matrix: expected a positive definite one, got {matrix}")

    def check_problem(self, problem: Problem) -> None:
        """A metric that is given has the problem's dimension."""
        if self.matrix is not None and len(self._matrix()) != problem.dim:
            raise ValueError(
                f"natural_sgd.matrix: expected a metric of {problem.dim} dimensions, got"
                f" {len(self._matrix())}"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts."""
        self.check_problem(problem)
        points = problem.start(self.starts)
        step = torch.zeros(streams.size, dtype=torch.int64, device=points.device)
        return State(points, self._inverse(points), unseen(points, points.dtype), step)

    def ask(self, state: State, streams: Streams) -> Query:
        """The gradient at every trajectory's point."""
        del streams
        return Query(
            state.points,
            gradient=True,
            batch=self.schedule.batch(self.batch, state.step, self.coupling),
        )

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """One step of every trajectory."""
        del query, streams
        rate = self.schedule.rate(self.learning_rate, state.step, state.points, self.coupling)
        step = self._natural(state, steps.slope(answer, self.name))
        return State(
            state.points - rate * step, state.inverse, ranking_values(answer.value), state.step + 1
        ), {}

    def recommend(self, state: State) -> Tensor:
        """The trajectory that was last seen lowest: (R, D)."""
        return operators.best(state.points, state.value)

    def center(self, state: State) -> Tensor:
        """The mean of the trajectories: (R, D)."""
        return state.points.mean(1)

    def _matrix(self) -> Tensor:
        """(D,) or (D, D) float64."""
        return torch.as_tensor(self.matrix, dtype=torch.float64).cpu()

    def _inverse(self, like: Tensor) -> Tensor:
        """(G + d I)^-1, world by world where the damping differs: the same bits in any batch."""
        if self.matrix is None:
            return like.new_empty((len(like), 0))
        g = self._matrix()
        each = self.damping.reshape(-1).tolist() if isinstance(self.damping, Tensor) else [self.damping]
        inverse = [
            1 / (g + d) if g.ndim == 1 else torch.linalg.inv(g + d * torch.eye(len(g), dtype=g.dtype))
            for d in each
        ]
        return torch.stack(inverse).to(like).expand(len(like), *g.shape)

    def _natural(self, state: State, slope: Tensor) -> Tensor:
        """(G + d I)^-1 g (R, P, D); 0 where p (1 - p) is."""
        if self.metric == "given":
            return (
                slope * state.inverse[:, None]
                if state.inverse.ndim == 2
                else matmul(slope, state.inverse)
            )
        e = exp_minus(state.points)
        spread = e / ((1 + e) * (1 + e)) + column(self.damping, slope)
        return torch.where(spread > 0, slope / spread, 0.0)
