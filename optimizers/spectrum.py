"""Which letter another one mutates to: the spectrum of mutations between letters, as of DNA, or bits.

Of a site with letters a, b, .. a mutation takes a to b with chance

    q(a, b) / Q,    Q = max over a of sum_{b != a} q(a, b)

and leaves a as it is with what is left. So `mutation_rate` is the chance with which the most mutable letter
of a site changes, and of alike letters each. Where all q are alike the spectrum is uniform (Jukes and Cantor
1969); where the transitions A <-> G and C <-> T have q = kappa and all others 1, it is that of Kimura (1980,
J. Mol. Evol. 16:111). Letters that a table does not have at a site are not mutated to.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import torch
from annotated_types import Gt
from torch import Tensor

from landscapes.base import Domain, Letters, Reals
from landscapes.parameters import Parameters

FINE = 2**53  # values of a uniform number
BITS = ("0", "1")  # the letters of bits that have no others
DNA = frozenset("ACGTU")
TRANSITIONS = frozenset(map(frozenset, ("AG", "CT", "CU")))
_CHANGE = re.compile(r"(\S+)>(\S+)")


@dataclass(frozen=True, kw_only=True)
class Spectrum(Parameters):
    """Relative rates at which letters mutate to others.

    Args:
        transitions: kappa > 0: A to G, C to T and back, so many times as often as each transversion.
        rates: single changes, as A>G, and their relative rates, >= 0, in place of kappa or 1; on bits 0>1 and
            1>0, or the letters of a table of two.
    """

    name: ClassVar[str] = "spectrum"
    transitions: Annotated[float, Gt(0)] = 1.0
    rates: dict[str, float] = field(default_factory=dict)

    def check(self) -> None:
        """Changes are written as A>G, their rates are numbers."""
        for change, rate in self.rates.items():
            both = _CHANGE.fullmatch(change)
            if not both or both[1] == both[2]:
                raise ValueError(
                    f"spectrum.rates: expected changes of a letter, such as A>G, got {change!r}"
                )
            if isinstance(rate, bool) or not 0 <= rate < math.inf:
                raise ValueError(f"spectrum.rates.{change}: expected a number >= 0, got {rate!r}")

    @property
    def uniform(self) -> bool:
        """Whether all changes are alike."""
        return self.transitions == 1 and not self.rates

    def fits(self, owner: str, domain: Domain) -> None:
        """Raise ValueError where it says something that a domain does not have."""
        if self.uniform:
            return
        place = f"{owner}.spectrum"
        if isinstance(domain, Reals):
            raise ValueError(f"{place}: expected no spectrum but on bits or letters; leave it out")
        sites = domain.sites or (BITS,)
        if self.transitions != 1 and all(len(site) == len(BITS) for site in sites):
            raise ValueError(
                f"{place}: expected no transitions where a site has two letters, of which each mutates to the"
                " other; give rates"
            )
        letters = {letter for site in sites for letter in site}
        other = sorted(letter for letter in letters if letter.upper() not in DNA)
        if self.transitions != 1 and other:
            raise ValueError(
                f"{place}: expected letters of DNA for transitions, got {', '.join(other)}; give rates"
            )
        for change in self.rates:
            before, after = change.split(">")
            if not any({before, after} <= {*site} for site in sites):
                raise ValueError(
                    f"{place}: expected changes between letters of one site, got {change!r}"
                )
        if any(all(map(_still, _rates(self, site))) for site in sites):
            raise ValueError(
                f"{place}: expected a letter that mutates at each site, got a site of none"
            )

    def changes(self, domain: Letters) -> Tensor:
        """Chances that a mutation leads from a letter to one up to another: (D, A, A) int64, of 2^53."""
        most = max(domain.sizes)
        table = torch.full((len(domain.sites), most, most), FINE)
        for place, site in enumerate(domain.sites):
            size = len(site)
            rates = torch.tensor(_rates(self, site), dtype=torch.float64)
            chance = rates / rates.sum(1).max()
            chance.diagonal().copy_(1 - chance.sum(1))
            table[place, :size, : size - 1] = (FINE * chance.cumsum(1)[:, :-1].clamp(0, 1)).long()
        return table


def _rates(spectrum: Spectrum, site: tuple[str, ...]) -> list[list[float]]:
    """The relative rate from each letter of a site to each, 0 to itself."""
    return [[_rate(spectrum, before, after) for after in site] for before in site]


def _rate(spectrum: Spectrum, before: str, after: str) -> float:
    if before == after:
        return 0.0
    usual = spectrum.transitions if frozenset((before + after).upper()) in TRANSITIONS else 1.0
    return spectrum.rates.get(f"{before}>{after}", usual)


def _still(rates: list[float]) -> bool:
    return not any(rates)
