"""The swept axes of a study: each a dim of the Dataset, with the values that it sets at dotted paths.

.. code-block:: yaml

    optimizers.sgd.learning_rate: [0.1, 0.01]                              dim learning_rate
    size: {zip: {landscapes.nk.n: [16, 32], noise.batch: [4, 8]}}          dim size, both change together
    N: {values: [10, 40], sets: [optimizers.*.population, noise.batch]}    dim N, see `named_axes`
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from landscapes.parameters import Parameters
from studies.study_file import fields, named_axes
from studies.study_file.document import Mistake, Path, mapping
from studies.study_file.model import FAMILIES
from studies.study_file.sections import SECTIONS
from studies.text import labels
from studies.text.shapes import Data, Json, Named
from studies.text.words import canonical, joined, nearest, short, show, suggest

# the scalars of a study that an axis may change
SWEPT = ("seed", "instances", "budget", "gradient_cost", "targets", "dtype")
# family -> the keys of every entry, beside the parameters of its kind, that an axis may change
OF_ENTRIES = {"landscapes": ("dtype",), "optimizers": ("relaxation", "on", "only")}


@dataclass(frozen=True)
class Setting:
    """One value that an axis sets."""

    path: tuple[str, ...]
    value: object
    source: Path  # where in the study the value stands


def sets(setting: Setting, label: str, name: str) -> bool:
    """Whether a setting reaches a parameter of an optimizer, on all landscapes or on some."""
    family_and_label, rest = setting.path[:2], setting.path[2:]
    if family_and_label != ("optimizers", label):
        return False
    if rest[:1] == ("on",):  # on, on.LANDSCAPE or on.LANDSCAPE.PARAMETER
        return len(rest) < 3 or rest[2] == name
    return rest[:1] == (name,)


@dataclass(frozen=True)
class Axis:
    """A dim of the Dataset.

    Args:
        name: of the dim.
        coords: one value per point of the axis, all numbers or all text.
        settings: what each point sets.
    """

    name: str
    coords: Sequence[float | str]
    settings: list[list[Setting]]

    def each(self) -> Iterator[Setting]:
        """What its points set, one after the other."""
        return itertools.chain.from_iterable(self.settings)


class Row(NamedTuple):
    """One key of a `sweep`."""

    key: str  # a path, or the name of an axis whose values are zipped
    paths: dict[str, tuple[Json, Path]]  # path -> its values, and where they stand
    zipped: bool


def known_paths(data: Named, classes: Mapping[str, Mapping[str, type[Parameters]]]) -> list[str]:
    """Every path that an axis may set.

    Deeper ones, such as label -> value maps and schedules, begin with one of these.
    """
    paths = [*SWEPT]
    paths += [f"{section}.{key}" for section, model in SECTIONS.items() for key in model.model_fields]
    for family, own in OF_ENTRIES.items():
        for label, entry in mapping(data.get(family)).items():
            cls = classes[family].get(str(mapping(entry).get("kind")))
            keys = fields.parameter_names(cls) if cls else []
            paths += [f"{family}.{label}.{key}" for key in (*keys, *own)]
    return paths


def axes_of(
    data: Named, settable: Sequence[str], taken: frozenset[str] = labels.RESERVED
) -> tuple[list[Axis], list[Mistake]]:
    """The axes of a study, and what is wrong with its `sweep`.

    Args:
        data: the study.
        settable: what an axis may set, see `known_paths`.
        taken: names that no axis may have.
    """
    rows, named, mistakes = [], [], []
    for key, given in mapping(data.get("sweep")).items():
        if named_axes.is_named(given):
            axis, wrong = _named(key, given, data, settable, taken)
            mistakes += wrong
            named += [] if wrong else [axis]
            continue
        row = _row(key, given)
        wrong = [*_of_values(row, settable), *_of_name(row, taken)] or [*_of_lengths(row)]
        mistakes += wrong
        if not wrong:
            rows.append(row)
    dims = _dims([row.key for row in rows], settable, taken | {axis.name for axis in named})
    axes = {row.key: _axis(dims[row.key], row, data) for row in rows} | {
        axis.name: axis for axis in named
    }
    return [axes[key] for key in mapping(data.get("sweep")) if key in axes], mistakes


def _named(
    name: str, form: Named, data: Named, settable: Sequence[str], taken: frozenset[str]
) -> tuple[Axis, list[Mistake]]:
    """An axis with a name of its own, and what is wrong with it.

    Args:
        name: of the axis.
        form: what `sweep` says of it.
        data: the study.
        settable: what an axis may set.
        taken: names that no axis may have.
    """
    points, wrong = named_axes.read(name, form, settable)
    problem = labels.wrong_axis(name, taken)
    if problem:
        wrong.append(Mistake(("sweep", name), problem, at_key=True))
    settings = [
        [Setting(labels.keys_of(path, data)[0], value, source) for path, value, source in point]
        for point in points.sets
    ]
    return Axis(name, _coords(points.coords), settings), wrong


def _row(key: str, given: object) -> Row:
    """PATH: [values], PATH: {grid: [values]}, or NAME: {zip: {PATH: [values], ..}}."""
    place: Path = ("sweep", key)
    form = mapping(given)
    if form.keys() == {"zip"} and mapping(form["zip"]):
        zipped = {path: (values, (*place, "zip", path)) for path, values in form["zip"].items()}
        return Row(key, zipped, zipped=True)
    if form.keys() == {"grid"}:
        return Row(key, {key: (form["grid"], (*place, "grid"))}, zipped=False)
    return Row(key, {key: (given, place)}, zipped=False)


def set_path(data: Data, path: tuple[str, ...], value: object) -> None:
    """Set one value in nested mappings; mappings on the way are made.

    Raises:
        ValueError: the path leads through a value that is no mapping, or to a label that the study does not
            have.
    """
    node, name = data, ".".join(path)
    if len(path) > 2 and path[0] in FAMILIES and path[1] not in data.get(path[0], {}):
        raise ValueError(
            f"{name}: unknown label {path[1]!r}; {suggest(path[1], data.get(path[0], {}))}"
        )
    for depth, part in enumerate(path[:-1]):
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            raise ValueError(f"{name}: {'.'.join(path[: depth + 1])} is {show(node)}, not a mapping")
    node[path[-1]] = value


# what is wrong ----------------------------------------------------------------------------------------------


def _of_values(row: Row, settable: Sequence[str]) -> Iterator[Mistake]:
    for path, (values, source) in row.paths.items():
        if not any(path == beginning or path.startswith(f"{beginning}.") for beginning in settable):
            yield _unknown(path, source, settable)
        elif not isinstance(values, list) or not values:
            yield Mistake(source, "expected a list of values")
        elif not row.zipped and len({repr(canonical(value)) for value in values}) < len(values):
            yield Mistake(source, "expected different values")


def _of_name(row: Row, taken: frozenset[str]) -> Iterator[Mistake]:
    problem = labels.wrong_axis(row.key, taken) if row.zipped else None
    if problem:
        yield Mistake(("sweep", row.key), problem, at_key=True)


def _of_lengths(row: Row) -> Iterator[Mistake]:
    if len({len(values) for values, _ in row.paths.values()}) > 1:
        yield Mistake(("sweep", row.key, "zip"), "expected lists of equal lengths")


def _unknown(path: str, source: Path, settable: Sequence[str]) -> Mistake:
    ends = [k for k in settable if k.endswith(f".{path}")]
    near = ends[0] if ends else nearest(path, settable)
    hint = (
        f"did you mean {near!r}?"
        if near
        else "expected a path such as optimizers.LABEL.PARAMETER, landscapes.LABEL.PARAMETER or noise.batch"
    )
    return Mistake(source, f"unknown path; {hint}", at_key=True)


# names and values -------------------------------------------------------------------------------------------


def _dims(keys: Sequence[str], settable: Sequence[str], taken: frozenset[str]) -> dict[str, str]:
    """Key of the sweep -> name of its dim.

    The last word of a path where it is a parameter's and nothing else has it, else the path; or the name that
    the study gives.
    """
    words = {key: key.split(".")[-1] if key in settable else key for key in keys}
    counts = Counter(word.casefold() for word in words.values())
    owned = {word.casefold() for word in taken}

    def free(word: str) -> bool:
        return word.casefold() not in owned and counts[word.casefold()] == 1

    return {key: word if free(word) else labels.bearable(key) for key, word in words.items()}


def _axis(dim: str, row: Row, data: Named) -> Axis:
    keys = {path: labels.keys_of(path, data)[0] for path in row.paths}
    count = len(next(iter(row.paths.values()))[0])
    settings = [
        [Setting(keys[path], values[i], (*source, i)) for path, (values, source) in row.paths.items()]
        for i in range(count)
    ]
    if row.key in row.paths:
        return Axis(dim, _coords([point[0].value for point in settings]), settings)
    names = [joined((setting.path[-1], setting.value) for setting in point) for point in settings]
    return Axis(dim, names, settings)


def _coords(values: Sequence[object]) -> Sequence[float | str]:
    """Numbers where all are, else text: what a NetCDF file can hold."""
    numbers = [
        value for value in values if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if len(numbers) < len(values):
        return [short(value) for value in values]
    if all(isinstance(number, int) or number.is_integer() for number in numbers):
        return [int(number) for number in numbers]
    return [float(number) for number in numbers]
