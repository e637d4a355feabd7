"""OneMax: the number of loci that differ from a target.

Muehlenbein (1992), "How genetic algorithms really work: mutation and hillclimbing", PPSN II, 15-25. L(x) =
sum_i [x_i != t_i]. Terms are loci. Randomized local search from 0 copies of the target takes n H_n
evaluations in the mean, the (1+1)-EA about e n ln n.

Streams: "instance" (part 0 the target, where it is random).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from landscapes.base import Terms
from landscapes.binary.hidden_target import HiddenTarget, total
from landscapes.checks import check_chances, check_points


@dataclass(frozen=True, kw_only=True)
class OneMax(HiddenTarget):
    """OneMax: the number of loci that differ from the target, 0 .. n; additive, the smoothest landscape.

    Source: Muehlenbein 1992.

    Args:
        n: loci, >= 1.
        target: ones, or random, drawn for each instance.
    """

    name: ClassVar[str] = "onemax"

    @property
    def terms(self) -> int:
        """The loci."""
        return self.n

    @property
    def spacing(self) -> float:
        """Losses are numbers of loci."""
        return 1.0

    @property
    def extension_cost(self) -> int:
        """The extension is the same sum."""
        return 1

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Loci of x (R, P, n) uint8 that differ from the target -> (R, P)."""
        del time
        check_points(self, x)
        return total(1 - self.agreement(x), terms)

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Mean number of loci that differ, at chances p (R, P, n) -> (R, P)."""
        del time
        check_chances(self, p)
        return total(1 - self.agreement(p), terms)
