"""An infinite population on bits: the exact recursion of the frequencies of all 2^D genotypes, D <= 16.

    x' = Q R(w * x / W),    W = sum_g w_g x_g
        (Eigen 1971, Naturwissenschaften 58:465, in discrete time: select, recombine, mutate)

Q flips each locus with probability u, one locus after another: D 2^D operations in place of 4^D. R lets a
share r of the children have two random parents. In the Walsh coefficients of the frequencies, c_S = sum_g x_g
(-1)^|g and S|, a child that has the loci A of its first parent has c_{S and A} c_{S less A} (Geiringer 1944,
Ann. Math. Stat. 15:25), so with
    one_point   A the loci before a cut, uniform on the D - 1 gaps
    free        A any set of loci, each as likely:
                c'_S = 2^-|S| sum over B in S of c_B c_{S less B}, in 3^D operations
This is the Wright-Fisher model where N is infinite; it draws nothing. The state is the distribution; the best
genotype is never looked for: what is recommended is the most frequent one.

2^D values per step, each generation anew. Draws nothing but its founders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Le
from torch import Tensor

from landscapes.base import Answer, Bits, FitnessLaw, Problem, Query
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import operators
from optimizers.base import Info, Optimizer, Recorded
from optimizers.defaults import MUTATION_RATE
from optimizers.fitness import COUNTED, fitness, weights

LARGEST = 16  # loci
# mean fitness, relative to the best of all genotypes, below which it is taken relative to the best that lives
FAINT = 1e-200


class State(NamedTuple):
    """The distribution of genotypes; locus d of genotype g is bit d of g."""

    frequency: Tensor  # (R, 2^D)
    genotypes: Tensor  # (R, 2^D, D) uint8, the same for all


@dataclass(frozen=True, kw_only=True)
class Quasispecies(Optimizer):
    """Deterministic mutation-selection-recombination recursion on all genotypes.

    Args:
        founders: the landscape's first so many starts make up the population at first, >= 1.
        fitness: of a loss L: linear max(0, 1 - beta L), exponential exp(-beta L); where the landscape says
            what fitness w a loss stands for (a measured table), linear 1 - beta (1 - w), exponential w^beta,
            w relative to loss 0: at beta = 1 both are w as measured.
        selection_strength: beta >= 0, per unit of loss; 0: neutral. Where nobody has fitness there is no
            selection: `unfit_steps` counts that.
        crossover: none, one_point or free.
        recombination_rate: r, share of the children that recombine, 0 to 1.
        mutation_rate: u, probability that a locus mutates, either way, 0 to 1; None: 1/D.

    Source: Eigen 1971, Naturwissenschaften 58:465; Geiringer 1944, Ann. Math. Stat. 15:25.
    """

    name: ClassVar[str] = "quasispecies"
    domains: ClassVar[tuple[type, ...]] = (Bits,)
    defaults: ClassVar[Defaults] = MUTATION_RATE
    counted: ClassVar[Recorded] = COUNTED
    founders: Annotated[int, Ge(1)] = 64
    fitness: Literal["linear", "exponential"] = "exponential"
    selection_strength: Annotated[float, Ge(0)] = 1.0
    crossover: Literal["none", "one_point", "free"] = "none"
    recombination_rate: Annotated[float, Ge(0), Le(1)] = 1.0
    mutation_rate: Annotated[float | None, Ge(0), Le(1)] = None

    def check_problem(self, problem: Problem) -> None:
        """All genotypes are held, of 16 loci at most."""
        if problem.dim > LARGEST:
            raise ValueError(
                f"quasispecies: expected at most {LARGEST} loci, got {problem.dim}; take wright_fisher, which"
                " holds a finite population"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """The frequencies of the founders."""
        self.check_problem(problem)
        points = problem.start(self.founders)
        place = torch.arange(problem.dim, device=points.device)
        number = (points.long() << place).sum(-1)
        share = torch.full(number.shape, 1 / self.founders, dtype=streams.dtype, device=points.device)
        frequency = share.new_zeros(len(number), 2**problem.dim).scatter_add_(1, number, share)
        every = (torch.arange(2**problem.dim, device=points.device)[:, None] >> place & 1).to(
            torch.uint8
        )
        return State(frequency, every.expand(len(number), *every.shape))

    def ask(self, state: State, streams: Streams) -> Query:
        """All genotypes."""
        del streams
        return Query(state.genotypes)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """One generation.

        Info: fitness (R,), the mean of w before selection, where exponential relative to the best genotype's;
        and unfit (R,).
        """
        del query, streams
        before = state.frequency.double()
        x = before * fitness(answer.value, self.fitness, self.selection_strength, answer.law)
        mean = x.sum(1, keepdim=True)
        if bool((mean < FAINT).any()):
            lives = answer.value.where(before > 0, torch.inf)
            x = torch.where(
                mean < FAINT,
                before * fitness(lives, self.fitness, self.selection_strength, answer.law),
                x,
            )
        total = x.sum(1, keepdim=True)
        x = torch.where(total > 0, x / total, before)  # nobody who lives is fit: no selection
        if self.crossover != "none":
            x = self._recombined(x)
        x = self._mutated(x)
        return state._replace(frequency=x.to(state.frequency.dtype)), {
            "fitness": mean[:, 0],
            "unfit": total[:, 0] <= 0,
        }

    def share(self, state: State) -> Tensor | None:
        """The frequencies of the genotypes: (R, 2^D)."""
        return state.frequency

    def parentage(self, value: Tensor, law: FitnessLaw | None) -> Tensor | None:
        """Parents come by fitness."""
        return weights(value, self.fitness, self.selection_strength, law)

    def rates(self, state: State) -> Mapping[str, float | Tensor]:
        """1 for the steps of selection."""
        del state
        return {"selection": 1.0, "mean_fitness": 1.0}

    def individuals(self, state: State) -> tuple[Tensor, Tensor] | None:
        """All genotypes, by their frequencies."""
        return state.genotypes, state.frequency.double()

    def recommend(self, state: State) -> Tensor:
        """The most frequent genotype, the first of ties: (R, D)."""
        return operators.rows(state.genotypes, state.frequency.argmax(1, keepdim=True))[:, 0]

    def center(self, state: State) -> Tensor:
        """The allele frequencies: (R, D)."""
        loci = range(state.genotypes.shape[2])
        return torch.stack(
            [state.frequency.unflatten(1, (-1, 2, 2**d))[:, :, 1].sum((1, 2)) for d in loci], 1
        )

    def _mutated(self, x: Tensor) -> Tensor:
        dim = x.shape[1].bit_length() - 1
        u = operators.wide(1 / dim if self.mutation_rate is None else self.mutation_rate, 4)
        for d in range(dim):
            x = x.unflatten(1, (-1, 2, 2**d))
            x = ((1 - u) * x + u * x.flip(2)).flatten(1)
        return x

    def _recombined(self, x: Tensor) -> Tensor:
        c, r = walsh(x), operators.wide(self.recombination_rate, 2)
        born = (walsh(free(c, c) if self.crossover == "free" else one_point(c)) / x.shape[1]).clamp_min(
            0
        )
        x = (1 - r) * x + r * born  # not of the coefficients: with r = 0 what is absent stays absent
        return x / x.sum(1, keepdim=True)


def walsh(x: Tensor) -> Tensor:
    """Sums over g of x_g (-1)^|g and S| for all sets S of loci, (R, 2^D) -> (R, 2^D).

    Twice is 2^D times the same.
    """
    for d in range(x.shape[1].bit_length() - 1):
        zero, one = x.unflatten(1, (-1, 2, 2**d)).unbind(2)
        x = torch.stack([zero + one, zero - one], 2).flatten(1)
    return x


def one_point(c: Tensor) -> Tensor:
    """Walsh coefficients (R, 2^D) of children with one cut, uniform on the gaps.

    With one locus there is none.
    """
    dim = c.shape[1].bit_length() - 1
    sets = torch.arange(c.shape[1], device=c.device)
    cuts = [c[:, sets & 2**cut - 1] * c[:, sets >> cut << cut] for cut in range(1, dim)]
    return torch.stack(cuts).sum(0) / (dim - 1) if cuts else c


def free(a: Tensor, b: Tensor) -> Tensor:
    """2^-|S| sum over B in S of a_B b_{S less B}: (..., 2^D) each -> (..., 2^D).

    The last locus is split off; three products of half the size are left.
    """
    if a.shape[-1] == 1:
        return a * b
    (a0, a1), (b0, b1) = a.chunk(2, -1), b.chunk(2, -1)
    if a.shape[-1] > 2**10:  # in turn: together they would need 3^D numbers
        without, left, right = free(a0, b0), free(a0, b1), free(a1, b0)
    else:
        without, left, right = free(torch.stack([a0, a0, a1]), torch.stack([b0, b1, b0]))
    return torch.cat([without, (left + right) / 2], -1)
