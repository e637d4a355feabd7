"""The optimizers of a study on one landscape: its entries, and every point of their grids."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from studies.study_file.document import Path
from studies.text.words import joined

# path in the data of one combination of swept values -> where in the study file its value stands
Where = Mapping[Path, Path]


class Variant(NamedTuple):
    """An optimizer as it runs on one landscape."""

    name: str  # of its arms: the label of its entry, with the values of its grid
    label: str
    entry: dict[str, Any]  # kind and parameters, without `grid` and `on`
    where: Where  # of values that `grid` and `on` give

    @property
    def path(self) -> Path:
        """Of its entry."""
        return ("optimizers", self.label)


def variants(optimizers: Mapping[str, Any], landscape: str) -> Iterator[Variant]:
    """Every optimizer on one landscape.

    Args:
        optimizers: label -> entry.
        landscape: label.
    """
    for label, entry in optimizers.items():
        on, grid = entry.get("on", {}).get(landscape, {}), entry.get("grid", {})
        own = {key: value for key, value in entry.items() if key not in ("on", "grid")}
        path: Path = ("optimizers", label)
        on_places = {(*path, key): (*path, "on", landscape, key) for key in on}
        for indices in itertools.product(*(range(len(values)) for values in grid.values())):
            at = dict(zip(grid, indices, strict=True))
            chosen = {key: grid[key][i] for key, i in at.items()}
            name = f"{label} {joined(chosen.items())}" if chosen else label
            grid_places = {(*path, key): (*path, "grid", key, i) for key, i in at.items()}
            yield Variant(name, label, own | on | chosen, on_places | grid_places)
