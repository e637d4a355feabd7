"""`zip`, which an older study may use, in the words that took its place: an axis that sets several paths.

size: {zip: {landscapes.nk.n: [16, 32], noise.batch: [4, 8]}}                    then
size: {values: [16, 32], sets: {landscapes.nk.n: size, noise.batch: size / 4}}   now
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence

from studies.study_file.formulas import is_number
from studies.text import labels
from studies.text.formulas import evaluate
from studies.text.shapes import Json
from studies.text.words import canonical, joined, show

PLAIN = re.compile(r"[^\W\d][\w .=/*-]*")  # a text that needs no quotes inside of { }
ANY = "{values: [..], sets: {path: formula of the axis}} or {choices: {name: {path: value}}}"
Lists = Mapping[str, list[Json]]  # path -> values


def instead(name: str, zipped: object) -> str:
    """What to write in place of a zip.

    Args:
        name: of the axis.
        zipped: path -> values, as it was written.
    """
    if labels.wrong_axis(name) or not _readable(zipped):
        return f"zip is gone; write NAME: {ANY}"
    form = _as_values(name, zipped) or _as_choices(zipped)  # type: ignore[arg-type]
    return f"zip is gone; write {name}: {form}"


def _readable(zipped: object) -> bool:
    """Whether it maps paths to lists of one length."""
    if not isinstance(zipped, Mapping):
        return False
    lengths = {len(values) if isinstance(values, list) else 0 for values in zipped.values()}
    return len(lengths) == 1 and 0 not in lengths


def _as_values(name: str, zipped: Lists) -> str | None:
    """As formulas of the first list that an axis may run through; None where there are none."""
    for base in zipped.values():
        if all(map(is_number, base)) and len(set(base)) == len(base):
            sets = {path: _formula(name, base, values) for path, values in zipped.items()}
            if None not in sets.values():
                return flow({"values": base, "sets": sets})
    return None


def _as_choices(zipped: Lists) -> str:
    """As choices, whose names say all values."""
    points = [dict(zip(zipped, values, strict=True)) for values in zip(*zipped.values(), strict=True)]
    named = {
        joined((path.split(".")[-1], value) for path, value in point.items()): point for point in points
    }
    return flow({"choices": named})


def _formula(name: str, base: Sequence[Json], values: Sequence[Json]) -> str | None:
    """The formula of the axis that gives exactly these values where the axis has those; None: none does."""
    if not all(map(is_number, values)):
        return None
    for formula in _candidates(name, base, values):
        if all(evaluate(formula, {name: x}) == y for x, y in zip(base, values, strict=True)):
            return formula
    return None


def _candidates(name: str, base: Sequence[float], values: Sequence[float]) -> Iterator[str]:
    yield name
    if len(set(values)) == 1:
        yield repr(values[0])
    ratios = [y / x for x, y in zip(base, values, strict=True) if x and y]
    for ratio in ratios[:1]:
        yield f"{name} / {_text(1 / ratio)}"
        yield f"{_text(ratio)} * {name}"
    yield from _power(name, base, values)


def _power(name: str, base: Sequence[float], values: Sequence[float]) -> Iterator[str]:
    """`name**p`, where the first value says so."""
    if base[0] > 0 and values[0] > 0 and base[0] != 1:
        yield f"{name}**{_text(math.log(values[0]) / math.log(base[0]))}"


def _text(number: float) -> str:
    rounded = float(f"{number:.9g}")
    return str(canonical(rounded))


def flow(value: Json) -> str:
    """Plain data as YAML in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if not isinstance(value, str):
        return show(value)
    return value if PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
