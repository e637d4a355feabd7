"""Sweeps that are too large: of too many combinations, or of results that repeat the same numbers.

The results have a place for each landscape, optimizer and combination of swept values. An arm that an axis
does not touch is computed once, and shown at each of the axis's values.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import fields

from studies.study_file.arm import Arm
from studies.study_file.axes import Axis
from studies.study_file.document import Mistake, mapping
from studies.study_file.least import least_cells
from studies.study_file.model import StudyModel
from studies.study_file.spaced import most
from studies.text.shapes import Data, Named

LARGEST = 2e9  # bytes of results that are assembled whatever they repeat
REPEATED = 8  # times that each number may be there in larger ones
COMBINATIONS = 10**6  # of the values of all axes
MANY = 10**6  # cells, from which on it must be said that they are meant
FEWER = "ask for fewer values or worlds, or give --yes"
STATE = 100  # bytes of a world at a checkpoint: about a dozen numbers


def too_many(axes: Sequence[Axis]) -> Iterator[Mistake]:
    """What is wrong with a sweep of more combinations than any machine would look at."""
    lengths = [len(axis.coords) for axis in axes]
    if math.prod(lengths) > COMBINATIONS:
        product = " x ".join(map(str, lengths))
        yield Mistake(
            ("sweep",),
            f"{product} values of axes are {math.prod(lengths):,} combinations, expected at most"
            f" {COMBINATIONS:,}; ask for fewer values, or in several studies",
            at_key=True,
        )


def too_many_variants(optimizers: Named, axes: Sequence[Axis]) -> Iterator[Mistake]:
    """What is wrong with grids of more arms than any machine would look at.

    Args:
        optimizers: label -> entry, as they are written.
        axes: what is swept.
    """
    places = math.prod(len(axis.coords) for axis in axes)
    for label, entry in optimizers.items():
        grid = mapping(mapping(entry).get("grid"))
        variants = math.prod(len(values) for values in grid.values() if isinstance(values, list))
        if grid and places * variants > COMBINATIONS:
            yield Mistake(
                ("optimizers", label, "grid"),
                f"{variants:,} points of the grid, at each of {places:,} combinations of axes, expected"
                f" at most {COMBINATIONS:,} together; ask for fewer values, or in several studies",
                at_key=True,
            )


def unmeant(data: Data, axes: Sequence[Axis], study: StudyModel) -> str | None:
    """What is said of a study of so many cells that a slip is likelier than a wish, as its text shows them.

    Args:
        data: the study, as it is written.
        axes: what is swept.
        study: the study, typed.

    Returns:
        None of fewer than a million cells.
    """
    cells = least_cells(data, axes, study.replicates)
    return f"{study.name}: {cells:,} cells at least; {FEWER}" if cells >= MANY else None


def mistakes(study: StudyModel, arms: Sequence[Arm], axes: Sequence[Axis]) -> Iterator[Mistake]:
    """What is wrong with the size of a study's results.

    Args:
        study: the study, typed.
        arms: of it.
        axes: what is swept.
    """
    lengths = [_different(arms, name) for name in ("landscape", "optimizer")]
    lengths += [len(axis.coords) for axis in axes]
    places, size = math.prod(lengths), _size(study, arms)
    if places * size <= LARGEST:
        return
    computed = len({_numbers(arm) for arm in arms})
    if places > REPEATED * computed:
        product = " x ".join(map(str, lengths[2:]))
        yield Mistake(("sweep",), _text(product, places, computed, size), at_key=True)


def _text(product: str, places: int, computed: int, size: int) -> str:
    return (
        f"{product} values of axes would hold {places * size / 1e9:,.0f} GB of results, {places:,} places of"
        f" only {computed:,} different arms, since an optimizer is repeated at each value of an axis that"
        " does not touch it; give what belongs to one optimizer in its `grid`, or as `choices` of one axis"
    )


def _different(arms: Sequence[Arm], name: str) -> int:
    return len({arm.coords[name] for arm in arms})


def _size(study: StudyModel, arms: Sequence[Arm]) -> int:
    """Bytes of one place."""
    checkpoints = max((most(arm.scalars["checkpoints"]) for arm in arms), default=1)
    return study.replicates * checkpoints * STATE


def _numbers(arm: Arm) -> str:
    """All that the numbers of an arm depend on."""
    parts = {part.name: getattr(arm, part.name) for part in fields(arm) if part.compare}
    return json.dumps(parts | {"coords": {}, "label": ""}, sort_keys=True)
