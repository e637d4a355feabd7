"""What is searched, as far as expressions need it, and what an arm has."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from landscapes.base import Bits, Landscape, Letters, Reals
from landscapes.streams import Streams
from optimizers.base import Info, Optimizer, Quantity, State

LISTED = 256  # genotypes up to which the frequency of each is told


@dataclass(frozen=True)
class Search:
    """R worlds that are searched, as far as names need them.

    Args:
        optimizer: that searches.
        landscape: as the optimizer sees it; it may be unbound.
        streams: of the worlds.
        batch: terms of a mini-batch of the study's; None: all.
        bound: whether the landscape knows its instances.
    """

    optimizer: Optimizer
    landscape: Landscape
    streams: Streams
    batch: int | None = None
    bound: bool = True

    @property
    def on_bits(self) -> bool:
        """Whether a population of genotypes may be searched."""
        return isinstance(self.landscape.domain, Bits) and len(self.landscape.players) == 1

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many letters each site has; empty where coordinates are no letters."""
        domain = self.landscape.domain
        return domain.sizes if isinstance(domain, Letters) else ()

    @property
    def quantities(self) -> dict[str, Quantity]:
        """What the optimizer says of itself, with what checkpoints show of it anyway."""
        optimizer = self.optimizer
        told = {**optimizer.recorded, **optimizer.counted}
        shown = {name: Quantity(line, unit, _told(key)) for key, (name, line, unit) in told.items()}
        return shown | dict(optimizer.quantities)


def _told(key: str) -> Callable[[Optimizer, State, Info | None], Tensor | None]:
    return lambda optimizer, state, info: (info or {}).get(key)


def bits(search: Search) -> bool:
    """Bits, one loss."""
    return search.on_bits


def genetic(search: Search) -> bool:
    """Genotypes."""
    return search.on_bits or bool(search.sizes)


def few_genotypes(search: Search) -> bool:
    """Few enough genotypes to list."""
    sizes = search.sizes or (2,) * search.landscape.dim
    return genetic(search) and math.prod(sizes) <= LISTED


def gradients(search: Search) -> bool:
    """A method that asks for gradients."""
    return search.optimizer.gradient


def lawful(search: Search) -> bool:
    """A landscape that says its fitness."""
    return search.landscape.fitness_law is not None


def alone(search: Search) -> bool:
    """One loss, no game."""
    return len(search.landscape.players) == 1


def traits(search: Search) -> bool:
    """Real traits."""
    return alone(search) and isinstance(search.landscape.domain, Reals)


def placed(search: Search) -> bool:
    """A known optimum, and a distance to it."""
    return alone(search) and search.landscape.place_known and not search.sizes


# the parts of a vector --------------------------------------------------------------------------------------


def members(name: str, search: Search) -> list[str]:
    """How the parts of a vector are called; empty where they are places alone.

    A letter at a site as A1G, after that of the wild type; a genotype by its letters, 0 and 1 on bits.
    """
    domain = search.landscape.domain
    if name == "frequency" and isinstance(domain, Letters):
        return [
            f"{site[0]}{place}{letter}" for place, site in enumerate(domain.sites, 1) for letter in site
        ]
    if name != "genotype_frequency" or not few_genotypes(search):
        return []
    sites = domain.sites if isinstance(domain, Letters) else ("01",) * search.landscape.dim
    between = "" if all(len(letter) == 1 for site in sites for letter in site) else "-"
    return [between.join(cells[::-1]) for cells in itertools.product(*sites[::-1])]
