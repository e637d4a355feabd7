"""How many cells a study has at least: counted from the lengths of its axes and grids, before an arm is made.

Every number that an axis sets in an entry makes other cells, whatever else is set. What a formula gives, what
is no number, and what lies deeper in an entry may come to the same: it is not counted. Nor are the entries of
one kind but for the one with the most cells: two may be equal.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from studies.cells.task import LARGEST
from studies.study_file.axes import OF_ENTRIES, Axis
from studies.study_file.document import mapping
from studies.study_file.formulas import is_number
from studies.study_file.only import runs_on
from studies.text.shapes import Data
from studies.text.words import canonical

Path = tuple[str, ...]
SEED: Path = ("seed",)
PARAMETER = 3  # the length of landscapes.LABEL.PARAMETER


def least_cells(data: Data, axes: Sequence[Axis], worlds: int) -> int:
    """So many cells a study has at least.

    Args:
        data: the study, as it is written.
        axes: what is swept.
        worlds: of each arm.
    """
    numbers = [_numbers(axis, axes) for axis in axes]
    most = Counter[
        tuple[str, str]
    ]()  # kinds of a landscape and an optimizer -> the most tasks of such a pair
    for ground, landscape in mapping(data.get("landscapes")).items():
        for label, entry in mapping(data.get("optimizers")).items():
            if runs_on(entry, ground):
                kinds = (str(landscape["kind"]), str(entry["kind"]))
                taken = {*_of_pair(data, axes, ground, label)}
                tasks = math.prod(_most(counts, taken) for counts in numbers) * _points(entry, ground)
                most[kinds] = max(most[kinds], tasks)
    return most.total() * math.ceil(worlds / LARGEST)


def _numbers(axis: Axis, axes: Sequence[Axis]) -> dict[Path, int]:
    """Path -> how many numbers an axis sets there, where no other sets anything."""
    others = {setting.path for other in axes if other is not axis for setting in other.each()}
    values: dict[Path, list[object]] = {}
    for setting in axis.each():
        values.setdefault(setting.path, []).append(setting.value)
    return {path: _different(given) for path, given in values.items() if path not in others}


def _of_pair(data: Data, axes: Sequence[Axis], ground: str, label: str) -> Iterator[Path]:
    """The paths at which each number gives an optimizer other cells on a landscape."""
    entry = data["optimizers"][label]
    on = ("optimizers", label, "on")
    its_own = {*mapping(mapping(entry.get("on")).get(ground))}  # in place of the entry's
    moved = any(setting.path[:PARAMETER] == on for axis in axes for setting in axis.each())
    yield SEED
    for axis in axes:
        for path in {setting.path for setting in axis.each() if len(setting.path) == PARAMETER}:
            family, name, key = path
            if key in OF_ENTRIES.get(family, ()):
                continue
            if path[:2] == ("landscapes", ground):
                yield path
            elif (family, name) == ("optimizers", label) and not moved and key not in its_own:
                yield path


def _most(numbers: dict[Path, int], taken: set[Path]) -> int:
    """How many tasks the values of an axis make of one."""
    return max((count for path, count in numbers.items() if path in taken), default=1)


def _points(entry: Data, ground: str) -> int:
    """How many tasks the grid of an optimizer makes of one on a landscape."""
    its_own = mapping(mapping(entry.get("on")).get(ground))
    lists = (values for key, values in mapping(entry.get("grid")).items() if key not in its_own)
    return math.prod(_different(values) for values in lists if isinstance(values, list))


def _different(values: Iterable[object]) -> int:
    """How many numbers are among values, all others together counted as one at least."""
    return max(1, len({repr(canonical(value)) for value in values if is_number(value)}))
