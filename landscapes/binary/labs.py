"""Low autocorrelation binary sequences (LABS), the Bernasconi model.

L(x) = E(s) - E*, E(s) = sum_{k = 1}^{n - 1} C_k^2, C_k = sum_i s_i s_{i + k}, s_i = 2 x_i - 1: the gap in
energy. Golay's merit factor is n^2 / (2 E), and at most 14.083 (n = 13, the longest Barker sequence). E* is
known for n <= 66: Packebusch and Mertens (2016), "Low autocorrelation binary sequences", J. Phys. A 49,
165001. Terms are the n - 1 lags k. Three symmetries leave E as it is: all signs reversed, every second sign
reversed, the order reversed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Bits, Domain, Landscape, Terms
from landscapes.binary.hidden_target import total
from landscapes.checks import UNBOUND, check_bound, check_chances, check_points
from landscapes.streams import Streams

# A sequence of least energy for each n = 2 .. 66, by the lengths of its runs (b is 11). The energies are
# proven by Packebusch and Mertens, the sequences are from the list of Knauer (2004), "Merit factor records".
OPTIMAL_RUNS = """
11 21 31 311 411 3211 4211 42111 52111 331211 522111 5221111 6221111 52221111 6322111 4221211112 511211322
4111142212 5113112321 27221111121 632111112211 83211112211 2236111112121 337111121221 63231111121211
34313131211211 34313131211212 323711111212211 551212111113231 7332212211112111 71112111133221221
742112111111122221 842112111111122221 7122122111121111332 3632311131212111211 844211211111122221
8442112111111122221 82121121234321111111 213131341343112112111 343111111222281211211 211211211343143131313
3122112127111112342311 255225141312111221111 82121121231234321111111 823431231211212211111111
923431231211212211111111 244223212113212111111811 3337313221312111112121211 241141142211422113131512
23432111141313116212112121 23332132213111112121216115 26522313111221215141112111 2922243311311122211112111211
9212123212114321233211111111 7612231123241111132112122111 33232631111127121111221221211
6132123121111113112341221121241 772412242112231122111112111111 222112223112421131111141211167
314162331211111131112125621211 221222115121145111711111232323 2212221151211451117111112323231
212212212711111511121143111422322 323224111341121115111117212212212 2454222111111111222b2221121112112
""".split()


@dataclass(frozen=True, kw_only=True)
class LABS(Landscape):
    """Low autocorrelation binary sequences: the energy of a sequence above the least.

    No noise, no instances, golf holes.

    The loss is the gap in energy for n <= 66; beyond, the optimum is not known and the loss is the energy
    itself.

    The multilinear extension squares a sum of products that share loci, and takes this into account: about
    four times the operations of the energy.

    Source: Packebusch and Mertens 2016.

    Args:
        n: length of the sequence, >= 2.
    """

    name: ClassVar[str] = "labs"
    n: Annotated[int, Ge(2)] = 32
    # (R, n) uint8 a best sequence, None: unknown
    optimum: Tensor | None = field(init=False, repr=False, compare=False, default=None)
    # (R, 1) its energy; 0 where unknown
    best: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)

    @property
    def dim(self) -> int:
        """The length."""
        return self.n

    @property
    def domain(self) -> Domain:
        """Signs."""
        return Bits()

    @property
    def terms(self) -> int:
        """The lags."""
        return self.n - 1

    @property
    def spacing(self) -> float:
        """C_k has the parity of n - k, so that all C_k^2 leave the same rests by 4.

        Where n = 2 mod 4, energies leave the same by 8: of odd C_k^2 that is 1, of even ones (C_k mod 4)^2,
        and C_k + C_{n - k} = n mod 4 makes one of the two 2 and the other 0.
        """
        return 8.0 if self.n % 4 == 2 else 4.0

    @property
    def extension_cost(self) -> int:
        """See the class."""
        return 4

    @property
    def gap_known(self) -> bool:
        """Whether the least energy is known."""
        return self.n <= len(OPTIMAL_RUNS) + 1

    @property
    def optima(self) -> Tensor | None:
        """The sequence under the group of the three symmetries: (R, 8, n)."""
        if self.optimum is None:
            return None
        second = torch.arange(self.n, device=self.optimum.device).to(torch.uint8) % 2
        either = torch.stack((self.optimum, self.optimum.flip(-1)), 1)
        signs = torch.cat((either, either ^ second), 1)
        return torch.cat((signs, 1 - signs), 1)

    def bind(self, streams: Streams) -> Self:
        """Look up the optimum."""
        best = torch.zeros((1, 1), dtype=streams.dtype, device=streams.device)
        if not self.gap_known:
            return self.bound(best=best.expand(streams.size, 1))
        optimum = optimal_sequence(self.n).to(streams.device)
        best = best + _squares(2 * optimum[None, None].to(streams.dtype) - 1).sum(-1)
        return self.bound(
            best=best.expand(streams.size, 1), optimum=optimum.expand(streams.size, self.n)
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Energy of sequences x (R, P, n) uint8 above the least -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.best)
        return self._gap(_squares(2 * x.to(self.best.dtype) - 1), terms)

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Mean energy above the least, of sequences whose signs are + with chances p (R, P, n) -> (R, P)."""
        del time
        check_chances(self, p)
        check_bound(self.name, p, self.best)
        return self._gap(_mean_squares(2 * p - 1), terms)

    def _gap(self, squares: Tensor, terms: Terms | None) -> Tensor:
        return total(squares, terms) - self.best * (1 if terms is None else terms.weight.sum(-1))


def optimal_sequence(n: int) -> Tensor:
    """A sequence of least energy, 2 <= n <= 66: (n,) uint8."""
    lengths = torch.tensor([int(c, 36) for c in OPTIMAL_RUNS[n - 2]])
    return torch.repeat_interleave(1 - torch.arange(len(lengths)) % 2, lengths).to(torch.uint8)


def _squares(s: Tensor) -> Tensor:
    """C_k^2 of s (R, P, n) = +-1, k = 1 .. n - 1: (R, P, n - 1)."""
    c = torch.stack([(s[..., k:] * s[..., :-k]).sum(-1) for k in range(1, s.shape[-1])], -1)
    return c * c


def _mean_squares(m: Tensor) -> Tensor:
    """E C_k^2 of independent signs with means m (R, P, n): (R, P, n - 1).

    C_k^2 = sum_ij s_i s_{i + k} s_j s_{j + k}. Where all four loci differ the mean of the product is the
    product of means; i = j gives 1; and where j = i + k the sign in the middle appears twice, which leaves
    s_i s_{i + 2k}.
    """
    n, means = m.shape[-1], []
    for k in range(1, n):
        pair = m[..., k:] * m[..., :-k]
        mean, square = pair.sum(-1), (pair * pair).sum(-1)
        mean = mean * mean - square + (n - k)
        if 2 * k < n:
            middle = m[..., k:-k]
            mean = mean + 2 * (m[..., 2 * k :] * m[..., : -2 * k] * (1 - middle * middle)).sum(-1)
        means.append(mean)
    return torch.stack(means, -1)
