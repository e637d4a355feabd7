"""The swept axes of a study: each a dim of the Dataset, with the values that it sets at dotted paths.

sweep:
optimizers.sgd.learning_rate: [0.1, 0.01]              dim learning_rate
size: {zip: {landscapes.nk.n: [16, 32], noise.batch: [4, 8]}}   dim size, both change together
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from landscapes.parameters import Parameters
from studies.study_file import fields
from studies.study_file.document import Mistake, Path
from studies.study_file.model import FAMILIES
from studies.study_file.sections import SECTIONS
from studies.text import labels
from studies.text.words import canonical, nearest, short, show, suggest

SWEPT = (
    "seed",
    "instances",
    "budget",
    "gradient_cost",
    "targets",
    "dtype",
)  # the scalars of a study that an axis may change


@dataclass(frozen=True)
class Setting:
    """One value that an axis sets."""

    path: tuple[str, ...]
    value: Any
    source: Path  # where in the study the value stands


@dataclass(frozen=True)
class Axis:
    """A dim of the Dataset.

    Args:
        name: of the dim.
        coords: one value per point of the axis, all numbers or all text.
        settings: what each point sets.
    """

    name: str
    coords: list[Any]
    settings: list[list[Setting]]


def known_paths(data: Mapping[str, Any], classes: Mapping[str, Mapping[str, type[Parameters]]]) -> list[str]:
    """Every path that an axis may set.

    Deeper ones, such as label -> value maps and schedules, begin with one of these.
    """
    paths = [
        *SWEPT,
        *(f"{section}.{key}" for section, model in SECTIONS.items() for key in model.model_fields),
    ]
    for family in FAMILIES:
        entries = data.get(family)
        for label, entry in entries.items() if isinstance(entries, dict) else ():
            cls = classes[family].get(str(entry.get("kind"))) if isinstance(entry, dict) else None
            keys = fields.parameter_names(cls) if cls else []
            paths += [
                f"{family}.{label}.{key}"
                for key in [*keys, *(("dtype",) if family == "landscapes" else ("relaxation", "on"))]
            ]
    return paths


def axes_of(
    data: Mapping[str, Any], known: Sequence[str], taken: frozenset[str] = labels.RESERVED
) -> tuple[list[Axis], list[Mistake]]:
    """The axes of a study, and what is wrong with its `sweep`.

    Args:
        data: the study.
        known: what an axis may set, see `known_paths`.
        taken: names that no axis may have.
    """
    sweep = data.get("sweep")
    mistakes: list[Mistake] = []
    rows: list[tuple[str, dict[str, tuple[list[Any], Path]]]] = []
    for name, given in sweep.items() if isinstance(sweep, dict) else ():
        zipped = (
            isinstance(given, dict)
            and given.keys() == {"zip"}
            and isinstance(given["zip"], dict)
            and given["zip"]
        )
        row: dict[str, tuple[list[Any], Path]]
        if zipped:
            row = {path: (values, ("sweep", name, "zip", path)) for path, values in given["zip"].items()}
        elif isinstance(given, dict) and given.keys() == {"grid"}:
            row = {name: (given["grid"], ("sweep", name, "grid"))}
        else:
            row = {name: (given, ("sweep", name))}
        found = _wrong(name, row, taken if zipped else None, known)
        mistakes += found
        if not found:
            rows.append((name, row))
    dims = _dims([name for name, _ in rows], known, taken)
    return [_axis(dims[name], name, row, data) for name, row in rows], mistakes


def set_path(data: dict[str, Any], path: tuple[str, ...], value: Any) -> None:  # noqa: ANN401
    """Set one value in nested mappings; mappings on the way are made.

    Raises:
        ValueError: the path leads through a value that is no mapping, or to a label that the study does not
            have.
    """
    node, name = data, ".".join(path)
    if len(path) > 2 and path[0] in FAMILIES and path[1] not in data.get(path[0], {}):
        raise ValueError(f"{name}: unknown label {path[1]!r}; {suggest(path[1], data.get(path[0], {}))}")
    for depth, part in enumerate(path[:-1]):
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            raise ValueError(f"{name}: {'.'.join(path[: depth + 1])} is {show(node)}, not a mapping")
    node[path[-1]] = value


def _wrong(
    name: str, row: Mapping[str, tuple[Any, Path]], taken: frozenset[str] | None, known: Sequence[str]
) -> list[Mistake]:
    """What is wrong with one axis; `taken` where it has a name of its own."""
    mistakes, zipped = [], taken is not None
    for path, (values, source) in row.items():
        if not any(path == k or path.startswith(f"{k}.") for k in known):
            mistakes.append(_unknown(path, source, known))
        elif not isinstance(values, list) or not values:
            mistakes.append(Mistake(source, "expected a list of values"))
        elif not zipped and len({repr(canonical(v)) for v in values}) < len(values):
            mistakes.append(Mistake(source, "expected different values"))
    problem = labels.wrong_axis(name, taken) if taken is not None else None
    if problem:
        mistakes.append(Mistake(("sweep", name), problem, at_key=True))
    lengths = {len(values) for values, _ in row.values() if isinstance(values, list)}
    if not mistakes and len(lengths) > 1:
        mistakes.append(Mistake(("sweep", name, "zip"), "expected lists of equal lengths"))
    return mistakes


def _unknown(path: str, source: Path, known: Sequence[str]) -> Mistake:
    ends = [k for k in known if k.endswith(f".{path}")]
    near = ends[0] if ends else nearest(path, known)
    hint = (
        f"did you mean {near!r}?"
        if near
        else "expected a path such as optimizers.LABEL.PARAMETER, landscapes.LABEL.PARAMETER or noise.batch"
    )
    return Mistake(source, f"unknown path; {hint}", at_key=True)


def _dims(paths: Sequence[str], known: Sequence[str], taken: frozenset[str]) -> dict[str, str]:
    """The last word of a path where it is a parameter's and nothing else has it, else the path.

    A name that the study gives.
    """
    last = {path: path.split(".")[-1] if path in known else path for path in paths}
    words, owned = [word.casefold() for word in last.values()], {word.casefold() for word in taken}
    return {
        path: (
            word
            if word.casefold() not in owned and words.count(word.casefold()) == 1
            else labels.bearable(path)
        )
        for path, word in last.items()
    }


def _axis(dim: str, name: str, row: Mapping[str, tuple[list[Any], Path]], data: Mapping[str, Any]) -> Axis:
    count = len(next(iter(row.values()))[0])
    keys = {path: labels.keys_of(path, data)[0] for path in row}
    settings = [
        [Setting(keys[path], values[i], (*source, i)) for path, (values, source) in row.items()]
        for i in range(count)
    ]
    if name in row:
        return Axis(dim, _coords([s[0].value for s in settings]), settings)
    return Axis(
        dim, [" ".join(f"{s.path[-1]}={short(s.value)}" for s in point) for point in settings], settings
    )


def _coords(values: list[Any]) -> list[Any]:
    """Numbers where all are, else text: what a NetCDF file can hold."""
    if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
        return (
            [float(v) for v in values]
            if any(isinstance(canonical(v), float) for v in values)
            else [canonical(v) for v in values]
        )
    return [short(v) for v in values]
