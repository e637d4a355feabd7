"""Random k-SAT as a landscape: the number of clauses that an assignment leaves unsatisfied.

m clauses, each a disjunction of k different variables or their negations; variables and signs are uniform
(Mitchell, Selman and Levesque 1992, "Hard and easy distributions of SAT problems", AAAI-92, 459-465). Large
random 3-SAT ceases to be satisfiable near m / n = 4.267 (Mezard, Parisi and Zecchina 2002, Science 297, 812).
Planted: an assignment is drawn first, and each clause's signs are uniform among the 2^k - 1 choices that it
satisfies; such instances are satisfiable and, away from the threshold, easier than random ones, for the signs
lean to the planted assignment (Barthel et al. 2002, Phys. Rev. Lett. 88, 188701). Terms are clauses.

Streams: "instance" (part 0 the variables of the clauses, part 1 the signs, part 2 the planted assignment).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Bits, Domain, Landscape, Terms, per_instance
from landscapes.binary.genotypes import ENUMERATED, bits
from landscapes.binary.products import every, product_sums
from landscapes.checks import UNBOUND, check_bound, check_chances, check_points
from landscapes.parameters import Defaults
from landscapes.streams import Streams


@dataclass(frozen=True, kw_only=True)
class MaxSat(Landscape):
    """Random MAX-k-SAT: the number of unsatisfied clauses, less the least possible where that is known.

    The least possible number is known where an assignment is planted (0), and for n <= 20. Elsewhere
    `gap_known` is False and the loss is the number of unsatisfied clauses itself, of which 0 is a bound.

    Source: Mitchell, Selman and Levesque 1992.

    Args:
        n: variables, >= 1.
        k: different variables in a clause, 1 <= k <= n.
        ratio: clauses for each variable, > 0; their number m is ratio x n, rounded, at least 1.
        clauses: m itself, >= 1; None: by the ratio.
        planted: whether a hidden assignment satisfies all clauses.
    """

    name: ClassVar[str] = "max_sat"
    one_for_all: ClassVar[tuple[str, ...]] = ("ratio",)  # it is a number of clauses
    defaults: ClassVar[Defaults] = {"clauses": lambda landscape, task: landscape.terms}
    n: Annotated[int, Ge(1)] = 50
    k: Annotated[int, Ge(1)] = 3
    ratio: Annotated[float, Gt(0)] = 4.2
    clauses: Annotated[int | None, Ge(1)] = None
    planted: bool = False
    # (R, m, k) int64: i where literal not x_i is in it, n + i for x_i
    reads: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, n) uint8 a best assignment, None: unknown
    optimum: Tensor | None = field(init=False, repr=False, compare=False, default=None)
    # (R, 1) clauses that it leaves unsatisfied; 0 where unknown
    best: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # every clause with weight 1
    whole: Terms = field(init=False, repr=False, compare=False, default=Terms(UNBOUND, UNBOUND))

    def check(self) -> None:
        """A clause has different variables."""
        if self.k > self.n:
            raise ValueError(f"max_sat.k: expected 1 <= k <= n = {self.n}, got {self.k}")

    @property
    def dim(self) -> int:
        """The variables."""
        return self.n

    @property
    def domain(self) -> Domain:
        """Assignments."""
        return Bits()

    @property
    def terms(self) -> int:
        """The clauses."""
        return self.clauses or max(1, round(self.ratio * self.n))

    @property
    def spacing(self) -> float:
        """Losses are numbers of clauses."""
        return 1.0

    @property
    def extension_cost(self) -> int:
        """The extension is the same sum of products: a clause fails where all its literals do."""
        return 1

    @property
    def gap_known(self) -> bool:
        """Whether the least number of unsatisfied clauses is known (see the class)."""
        return self.planted or self.n <= ENUMERATED

    def bind(self, streams: Streams) -> Self:
        """Draw the clauses and find a best assignment."""
        reads = per_instance(streams, self._reads)
        unknown = torch.zeros((1, 1), dtype=streams.dtype, device=streams.device).expand(
            streams.size, 1
        )
        drawn = self.bound(reads=reads, whole=every(reads, unknown), best=unknown)
        if not self.gap_known:
            return drawn
        optimum = per_instance(streams, self._hidden if self.planted else self._best)
        return drawn.bound(optimum=optimum, best=drawn.loss(optimum[:, None]))

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Unsatisfied clauses of x (R, P, n) uint8, less the fewest where that is known -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.reads)
        return self._gap(x, terms)

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Its mean where variables are true independently with chances p (R, P, n) -> (R, P).

        Differentiable once.
        """
        del time
        check_chances(self, p)
        check_bound(self.name, p, self.reads)
        return self._gap(p, terms)

    def _gap(self, x: Tensor, terms: Terms | None) -> Tensor:
        ones = self.whole.weight[0]
        if terms is None:
            return product_sums(x, True, self.reads, ones, self.whole) - self.best
        share = Terms(terms.index, self.terms * terms.weight)
        return product_sums(x, True, self.reads, ones, share) - self.best * terms.weight.sum(-1)

    def _hidden(self, streams: Streams) -> Tensor:
        if not self.planted:
            return torch.zeros((streams.size, self.n), dtype=torch.uint8, device=streams.device)
        return streams.coins("instance", (self.n,), part=2).to(torch.uint8)

    def _reads(self, streams: Streams) -> Tensor:
        variables = streams.choice("instance", self.n, self.k, (self.terms,))
        pattern = int(self.planted) + streams.integers(
            "instance", 2**self.k - int(self.planted), (self.terms,), part=1
        )
        # whether the hidden assignment satisfies the literal: in a planted clause one at least
        holds = bits(pattern, self.k)
        value = self._hidden(streams).gather(1, variables.flatten(1)).view_as(holds)
        return variables + self.n * (holds == value)

    def _best(self, streams: Streams) -> Tensor:
        return torch.stack([
            bits(_unsatisfied(formula.cpu(), self.n).argmin(), self.n)
            for formula in self._reads(streams)
        ]).to(streams.device)


def _unsatisfied(reads: Tensor, n: int) -> Tensor:
    """Unsatisfied clauses of all assignments, the lowest bit first, from reads (m, k): (2^n,)."""
    count = torch.zeros((2,) * n, dtype=torch.int32)  # the axis of variable i is n - 1 - i
    for clause in reads.tolist():
        fails: list[slice | int] = [slice(None)] * n
        for read in clause:
            fails[n - 1 - read % n] = int(read < n)
        count[tuple(fails)] += 1
    return count.flatten()
