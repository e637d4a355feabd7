"""What pydantic found wrong, as mistakes at paths of the study's data.

What was expected, what came, the nearest right word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from landscapes.parameters import Parameters
from studies.study_file.document import Mistake, Path
from studies.study_file.fields import OWN, parameter_names
from studies.study_file.model import ENTRIES, TAG, fields_at
from studies.study_file.old_claims import as_law
from studies.text.shapes import Json, Tree
from studies.text.words import nearest, show, suggest

BOUNDS = {
    "greater_than": ("gt", ">"),
    "greater_than_equal": ("ge", ">="),
    "less_than": ("lt", "<"),
    "less_than_equal": ("le", "<="),
}
TYPES = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "none_required": "null",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "string_pattern_mismatch": "lower-case letters, digits, - and _",
}
SHAPES = ("dict_type", "model_type", "model_attributes_type", "list_type", "tuple_type")


def mistakes_in(error: ValidationError, model: type[BaseModel], data: object) -> list[Mistake]:
    """The mistakes that a failed validation of `data` names, several errors about one value in one."""
    by_path: dict[Path, list[ErrorDetails]] = {}
    for each in _of_closest(error.errors(include_url=False), data):
        by_path.setdefault(_path(each, data), []).append(each)
    containing = {path[:depth] for path in by_path for depth in range(len(path))}
    wrong = (Wrong(path, errors, model, data) for path, errors in by_path.items())
    mistakes = (value.mistake(more_inside=value.path in containing) for value in wrong)
    return [mistake for mistake in mistakes if mistake is not None]


def _of_closest(errors: Sequence[ErrorDetails], data: Json) -> list[ErrorDetails]:
    """The errors of the type with the fewest, where a list is of none of several types."""
    read = [[*_read_as(error, data)] for error in errors]
    counts = Counter(way for ways in read for way in ways)
    closest = {way[0]: way for way in sorted(counts, key=counts.__getitem__)[::-1]}
    return [
        error
        for error, ways in zip(errors, read, strict=True)
        if all(closest[way[0]] == way for way in ways)
    ]


def _read_as(error: ErrorDetails, data: Json) -> Iterator[tuple[Path, str]]:
    """The lists on the way to an error in one of their places, with the types as which they were read."""
    path: Path = ()
    for part, inner in pairwise(error["loc"]):
        if _there(part, data):
            path, data = (*path, part), data[part]
        elif isinstance(data, list) and _there(inner, data):
            yield path, str(part)


def _path(error: ErrorDetails, data: Json) -> Path:
    """Where in the data: without the names of union members that pydantic puts in."""
    if not error["loc"]:
        return ()  # the whole
    path: list[str | int] = []
    *above, last = error["loc"]
    for part in above:
        if _there(part, data):
            path.append(part)
            data = data[part]
    if _there(last, data) or error["type"] == "missing":
        path.append(last)
    return tuple(path)


def _there(part: str | int, data: object) -> bool:
    """Whether a mapping has this key, or a list this place."""
    if isinstance(data, dict):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and part < len(data)


@dataclass(frozen=True)
class Wrong:
    """A value that is not as its model has it.

    Args:
        path: of the value.
        errors: what pydantic says of it.
        model: of the whole data.
        data: the whole.
    """

    path: Path
    errors: list[ErrorDetails]
    model: type[BaseModel]
    data: Json

    @cached_property
    def value(self) -> Json:
        """What stands there."""
        return _at(self.data, self.path)

    @property
    def nested(self) -> bool:
        """Whether it is a mapping or a list."""
        return isinstance(self.value, dict | list)

    def mistake(self, *, more_inside: bool) -> Mistake | None:
        """What is wrong; None where something inside says more: it was meant for that member of a union."""
        types = {error["type"] for error in self.errors}
        if "missing" in types:
            return self._missing()
        if "extra_forbidden" in types:
            return self._unknown_key()
        if types & {"union_tag_not_found", "union_tag_invalid"}:
            return self._kind()
        return None if more_inside else self._unexpected()

    def _missing(self) -> Mistake:
        if isinstance(self.path[-1], int):
            return Mistake(self.path[:-1], "expected more entries")
        field = fields_at(self.model, self.path[:-1], self.data).get(self.path[-1])
        meaning = f"; expected {field.description}" if field and field.description else ""
        return Mistake(self.path, f"missing{meaning}")

    def _unknown_key(self) -> Mistake:
        kind = _at(self.data, self.path[:-1]).get("kind") if self.path[0] in ENTRIES else None
        whose = f" for {kind or self.path[-2]}" if len(self.path) > 1 else ""
        hint = suggest(str(self.path[-1]), fields_at(self.model, self.path[:-1], self.data))
        return Mistake(self.path, f"unknown key{whose}; {hint}", at_key=True)

    def _kind(self) -> Mistake:
        if not isinstance(self.value, dict):
            return Mistake(self.path, f"expected a mapping with a kind, got {show(self.value)}")
        path, kind = (*self.path, "kind"), self.value.get("kind")
        if kind is None:
            return Mistake(path, "missing; name a kind, see python -m studies.list")
        law = as_law(self.value) if self.path[0] == "claims" else None
        if law is not None:
            return Mistake(path, f"{kind!r} is a law now: {law}")
        tags = re.findall(rf"'{TAG}([^']*)'", self.errors[0].get("ctx", {}).get("expected_tags", ""))
        hint = suggest(str(kind), [tag for tag in tags if tag != OWN])
        return Mistake(path, f"unknown kind {kind!r}; {hint}")

    def _unexpected(self) -> Mistake:
        bounds = [error for error in self.errors if error["type"] not in (*TYPES, "literal_error")]
        texts = dict.fromkeys(map(_expected, bounds or self._meant()))
        unknown = [text for text in texts if text.startswith("unknown ")]
        if unknown:  # it says itself what is expected
            return Mistake(self.path, unknown[0])
        expected = " or ".join(texts)
        came = "" if self.nested and bounds else f", got {show(self.value)}"
        return Mistake(self.path, f"expected {expected}{came}{self._hint()}")

    def _meant(self) -> list[ErrorDetails]:
        """A scalar is hardly meant as a list or a mapping where a scalar may stand."""
        scalars = [error for error in self.errors if error["type"] not in SHAPES]
        return scalars if scalars and not self.nested else self.errors

    def _hint(self) -> str:
        if isinstance(self.value, int | float) and any(e["type"] == "string_type" for e in self.errors):
            return "; write it in quotes"  # YAML reads 000000 as 0, and on as true
        if not isinstance(self.value, str):
            return ""
        texts = [_expected(e) for e in self.errors if e["type"] in ("literal_error", "value_error")]
        words = [word for text in texts for word in re.findall(r"'([^']*)'", text)]
        near = nearest(self.value, [word for word in words if word != self.value])
        return f"; did you mean {near!r}?" if near else ""


def _expected(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in BOUNDS:
        key, sign = BOUNDS[kind]
        return f"{sign} {context[key]:g}"
    if kind == "literal_error":
        return context["expected"]
    if kind == "value_error":
        return str(context["error"]).removeprefix("expected ")
    if kind in ("too_short", "too_long"):
        which = "least" if kind == "too_short" else "most"
        return f"at {which} {context.get('min_length', context.get('max_length'))} entry"
    return TYPES.get(kind, error["msg"])


def _at(data: Json, path: Path) -> Json:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else data[part]
    return data


# what a class found wrong -----------------------------------------------------------------------------------


def of_class(text: str, cls: type[Parameters], raw: Tree) -> list[Mistake]:
    """The mistakes of "nk.k: expected ..", as a class says it, and of a file perhaps more in further lines.

    All are at the place of the first.

    Args:
        text: what the class says.
        cls: the class.
        raw: the entry.
    """
    first, *others = [line.strip() for line in text.splitlines()] or [""]
    mistake = _of_line(first, cls, raw)
    return [mistake, *(replace(mistake, text=other) for other in others if other)]


def _of_line(text: str, cls: type[Parameters], raw: Tree) -> Mistake:
    """The mistake of one line of a class, at the parameter that it names where the entry has that."""
    head, _, rest = text.partition(": ")
    owner, name = head.partition(".")[0], head.rpartition(".")[2]
    if not rest or " " in head:
        return Mistake((), text)
    if name in parameter_names(cls):
        return Mistake((name,), rest)
    for key, value in raw.items():
        if owner == key or (isinstance(value, dict) and value.get("kind") == owner):
            return Mistake((key, name), rest)
    return Mistake((), text)
