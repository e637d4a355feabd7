"""The swept axes of a study: each a dim of the Dataset, with the values that it sets at dotted paths.

.. code-block:: yaml

    optimizers.sgd.learning_rate: [0.1, 0.01]                              dim learning_rate
    N: {values: [10, 40], sets: [optimizers.*.population, noise.batch]}    dim N, see `named_axes`
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from landscapes.parameters import Parameters
from studies.study_file import fields, named_axes
from studies.study_file.document import Mistake, Mistaken, Path, mapping
from studies.study_file.formulas import Names, is_number, names_of_let
from studies.study_file.model import FAMILIES
from studies.study_file.sections import SECTIONS
from studies.study_file.zips import instead
from studies.text import labels
from studies.text.formulas import CONSTANTS
from studies.text.shapes import Data, Named
from studies.text.words import nearest_path, short, show, suggest

# the scalars of a study that an axis may change
SWEPT = ("seed", "instances", "budget", "gradient_cost", "targets", "dtype")
# keys of a study that change nothing of what runs
LOOKS = ("name", "question", "claims", "figures")
NAME = re.compile(r"[^\W\d]\w*")
# family -> the keys of every entry, beside the parameters of its kind, that an axis may change
OF_ENTRIES = {"landscapes": ("dtype", "start"), "optimizers": (*fields.OF_ARMS, "on", "only")}


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
    """One key of a `sweep` that is a path."""

    path: str
    values: list[object]
    source: Path  # where these stand


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
    rows, named, mistakes = dict[str, Row](), dict[str, Axis](), list[Mistake]()
    for key, given in mapping(data.get("sweep")).items():
        try:
            if named_axes.is_named(given):
                named[key] = _named(key, given, data, settable)
                mistakes += _misnamed(key, data, taken)
                mistakes += _idle(named[key], data)
            else:
                rows[key] = _row(key, given, settable, names_of_let(data))
        except Mistaken as error:
            mistakes += error.mistakes
    dims = _dims([*rows], settable, taken | {*named})
    axes = named | {key: _of_path(dims[key], row, data) for key, row in rows.items()}
    return [axes[key] for key in mapping(data.get("sweep")) if key in axes], mistakes


def _named(name: str, form: Named, data: Named, settable: Sequence[str]) -> Axis:
    """An axis with a name of its own.

    Args:
        name: of the axis.
        form: what `sweep` says of it.
        data: the study.
        settable: what an axis may set.

    Raises:
        Mistaken: something is wrong with it.
    """
    points = named_axes.read(name, form, settable, names_of_let(data))
    settings = [
        [Setting(labels.keys_of(path, data)[0], value, source) for path, value, source in point]
        for point in points.sets
    ]
    return Axis(name, _coords(points.coords), settings)


def _misnamed(name: str, data: Named, taken: frozenset[str]) -> Iterator[Mistake]:
    """What is wrong with the name of an axis."""
    problem = labels.wrong_axis(name, taken)
    if name in CONSTANTS:
        problem = f"{name} has a meaning in formulas; choose another name"
    if problem:
        yield Mistake(("sweep", name), problem, at_key=True)


def _idle(axis: Axis, data: Named) -> Iterator[Mistake]:
    """An axis that sets nothing, and by whose name nothing goes that runs."""
    ran = [(key, part) for key, part in data.items() if key not in (*LOOKS, "sweep")]
    others = [form for name, form in mapping(data.get("sweep")).items() if name != axis.name]
    if not any(axis.settings) and axis.name not in _words_in([ran, others]):
        text = "it sets nothing, and no formula reads it; expected sets: PATH, or a formula of its name"
        yield Mistake(("sweep", axis.name), text, at_key=True)


def _words_in(part: object) -> set[str]:
    """The names in all texts and keys."""
    if isinstance(part, str):
        return set(NAME.findall(part))
    inner = [*part, *part.values()] if isinstance(part, Mapping) else part
    return set().union(*map(_words_in, inner)) if isinstance(inner, list | tuple) else set()


def _row(key: str, given: object, settable: Sequence[str], let: Names) -> Row:
    """PATH: [values], or PATH: {grid: [values]}.

    Args:
        key: the path.
        given: its values.
        settable: what an axis may set.
        let: the names of `let`.

    Raises:
        Mistaken: something is wrong with it.
    """
    place, form = ("sweep", key), mapping(given)
    if "zip" in form:
        raise Mistaken(Mistake((*place, "zip"), instead(key, form["zip"]), at_key=True))
    if not any(key == beginning or key.startswith(f"{beginning}.") for beginning in settable):
        raise Mistaken(_unknown(key, place, settable))
    values, source = (form["grid"], (*place, "grid")) if form.keys() == {"grid"} else (given, place)
    return Row(key, named_axes.listed(source, values, let), source)


def taken_out(setting: Setting, data: Data) -> bool:
    """Whether a value belongs to an entry that is not there, since it has mistakes of its own."""
    path = setting.path
    return len(path) > 2 and path[0] in FAMILIES and path[1] not in data[path[0]]


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


def _unknown(path: str, source: Path, settable: Sequence[str]) -> Mistake:
    if "*" in path:
        named = f"name: {{values: [..], sets: {path}}}"
        return Mistake(
            source, f"an axis that sets several paths has a name, as in {named}", at_key=True
        )
    ends = [k for k in settable if k.endswith(f".{path}")]
    near = ends[0] if ends else nearest_path(path, settable)
    hint = (
        f"did you mean {near!r}?"
        if near
        else "expected a path such as optimizers.LABEL.PARAMETER, landscapes.LABEL.PARAMETER or noise.batch"
    )
    return Mistake(source, f"unknown path; {hint}", at_key=True)


# names and values -------------------------------------------------------------------------------------------


def _dims(keys: Sequence[str], settable: Sequence[str], taken: frozenset[str]) -> dict[str, str]:
    """Path in the sweep -> name of its dim.

    The last word of a path where it is a parameter's and nothing else has it, else the path.
    """
    words = {key: key.split(".")[-1] if key in settable else key for key in keys}
    counts = Counter(word.casefold() for word in words.values())
    owned = {word.casefold() for word in taken}

    def free(word: str) -> bool:
        return word.casefold() not in owned and counts[word.casefold()] == 1

    return {key: word if free(word) else labels.bearable(key) for key, word in words.items()}


def _of_path(dim: str, row: Row, data: Named) -> Axis:
    path = labels.keys_of(row.path, data)[0]
    settings = [[Setting(path, value, (*row.source, i))] for i, value in enumerate(row.values)]
    return Axis(dim, _coords(row.values), settings)


def _coords(values: Sequence[object]) -> Sequence[float | str]:
    """Numbers where all are, else text: what a NetCDF file can hold."""
    if not all(map(is_number, values)):
        return [short(value) for value in values]
    try:
        numbers = [float(value) for value in values]  # type: ignore[arg-type]
    except OverflowError:  # hundreds of digits: what takes the number says so
        return [short(value) for value in values]
    return [int(number) for number in numbers] if all(map(float.is_integer, numbers)) else numbers
