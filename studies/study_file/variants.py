"""The optimizers of a study on one landscape: its entries, and every point of their grids."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from studies.study_file.document import Path
from studies.study_file.only import runs_on
from studies.text.shapes import Data, Tree
from studies.text.words import joined

SAYS_WHERE = ("on", "only", "grid")  # keys of an entry that say in which arms it is what
# path in the data of one combination of swept values -> where in the study file its value stands
Where = Mapping[Path, Path]


class Variant(NamedTuple):
    """An optimizer as it runs on one landscape."""

    name: str  # of its arms: the label of its entry, with the values of its grid
    label: str
    entry: Data  # kind and parameters, without `grid`, `on` and `only`
    where: Where  # of values that `grid` and `on` give

    @property
    def path(self) -> Path:
        """The path of its entry."""
        return ("optimizers", self.label)


def variants(optimizers: Tree, landscape: str) -> Iterator[Variant]:
    """Every optimizer on one landscape.

    Args:
        optimizers: label -> entry.
        landscape: label.
    """
    for label, entry in optimizers.items():
        if not runs_on(entry, landscape):
            continue
        on, grid = entry.get("on", {}).get(landscape, {}), entry.get("grid", {})
        base = {key: value for key, value in entry.items() if key not in SAYS_WHERE} | on
        where: dict[Path, Path] = {
            ("optimizers", label, key): ("optimizers", label, "on", landscape, key) for key in on
        }
        for indices in itertools.product(*(range(len(values)) for values in grid.values())):
            yield _at(Variant(label, label, base, where), grid, dict(zip(grid, indices, strict=True)))


def _at(variant: Variant, grid: Tree, indices: Mapping[str, int]) -> Variant:
    """The variant at one point of a grid: parameter -> the number of its value."""
    if not indices:
        return variant
    chosen = {key: grid[key][i] for key, i in indices.items()}
    places = {(*variant.path, key): (*variant.path, "grid", key, i) for key, i in indices.items()}
    return Variant(
        f"{variant.label} {joined(chosen.items())}",
        variant.label,
        variant.entry | chosen,
        {**variant.where, **places},
    )
