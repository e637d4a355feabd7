"""What pydantic found wrong, as mistakes at paths of the study's data.

What was expected, what came, the nearest right word.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ValidationError

from studies.study_file.document import Mistake, Path
from studies.study_file.fields import OWN
from studies.study_file.model import ENTRIES, TAG, fields_at
from studies.text.words import nearest, show, suggest

Error = Any  # pydantic_core.ErrorDetails
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


def mistakes_in(error: ValidationError, model: type[BaseModel], data: Any) -> list[Mistake]:  # noqa: ANN401
    """The mistakes that a failed validation of `data` names, several errors about one value in one."""
    found: dict[Path, list[Error]] = {}
    for one in error.errors(include_url=False):
        found.setdefault(_path(one, data), []).append(one)
    inner = {path[:depth] for path in found for depth in range(len(path))}
    return [m for path, errors in found.items() for m in _explain(path, errors, model, data, path in inner)]


def _path(error: Error, data: Any) -> Path:  # noqa: ANN401
    """Where in the data: without the names of union members that pydantic puts in."""
    path: list[str | int] = []
    loc = error["loc"]
    for depth, part in enumerate(loc):
        known = (isinstance(data, dict) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        )
        if known:
            path.append(part)
            data = data[part]
        elif depth == len(loc) - 1 and error["type"] == "missing":
            path.append(part)
    return tuple(path)


def _explain(
    path: Path,
    errors: list[Error],
    model: type[BaseModel],
    data: Any,  # noqa: ANN401
    more_inside: bool,
) -> list[Mistake]:
    kinds = {error["type"] for error in errors}
    if "missing" in kinds:
        return [_missing(path, model, data)]
    value = _at(data, path)
    if "extra_forbidden" in kinds:
        return [_unknown_key(path, model, data)]
    if kinds & {"union_tag_not_found", "union_tag_invalid"}:
        return [_kind(path, errors[0], value)]
    if more_inside:  # the member of the union that it was meant for says more
        return []
    bounds = [error for error in errors if error["type"] not in TYPES and error["type"] != "literal_error"]
    expected = list(dict.fromkeys(_expected(error) for error in bounds or _meant(errors, value)))
    came = "" if isinstance(value, (dict, list)) and bounds else f", got {show(value)}"
    return [Mistake(path, f"expected {' or '.join(expected)}{came}{_hint(errors, value)}")]


def _missing(path: Path, model: type[BaseModel], data: Any) -> Mistake:  # noqa: ANN401
    if isinstance(path[-1], int):
        return Mistake(path[:-1], "expected more entries")
    field = fields_at(model, path[:-1], data).get(path[-1])
    return Mistake(
        path, f"missing; expected {field.description}" if field and field.description else "missing"
    )


def _meant(errors: list[Error], value: Any) -> list[Error]:  # noqa: ANN401
    """A scalar is hardly meant as a list or a mapping where a scalar may stand."""
    scalars = [error for error in errors if error["type"] not in SHAPES]
    return scalars if scalars and not isinstance(value, (dict, list)) else errors


def _expected(error: Error) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in BOUNDS:
        key, sign = BOUNDS[kind]
        return f"{sign} {context[key]:g}"
    if kind == "literal_error":
        return context["expected"]
    if kind == "value_error":
        return str(context["error"]).removeprefix("expected ")
    if kind in ("too_short", "too_long"):
        return (
            f"at {'least' if kind == 'too_short' else 'most'}"
            f" {context.get('min_length', context.get('max_length'))} entry"
        )
    return TYPES.get(kind, error["msg"])


def _hint(errors: list[Error], value: Any) -> str:  # noqa: ANN401
    if isinstance(value, (int, float)) and any(error["type"] == "string_type" for error in errors):
        return "; write it in quotes"  # YAML reads 000000 as 0, and on as true
    words = [
        word
        for e in errors
        if e["type"] == "literal_error"
        for word in re.findall(r"'([^']*)'", e["ctx"]["expected"])
    ]
    near = nearest(value, words) if isinstance(value, str) else None
    return f"; did you mean {near!r}?" if near else ""


def _unknown_key(path: Path, model: type[BaseModel], data: Any) -> Mistake:  # noqa: ANN401
    owner = _at(data, path[:-1])
    name = owner.get("kind") if path[0] in ENTRIES else None
    whose = f" for {name or path[-2]}" if len(path) > 1 else ""
    known = fields_at(model, path[:-1], data)
    return Mistake(path, f"unknown key{whose}; {suggest(str(path[-1]), known)}", at_key=True)


def _kind(path: Path, error: Error, value: Any) -> Mistake:  # noqa: ANN401
    words = re.findall(rf"'{TAG}([^']*)'", error.get("ctx", {}).get("expected_tags", ""))
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind is None:
        text = "expected a mapping with a kind" if not isinstance(value, dict) else "missing"
        came = (
            f", got {show(value)}"
            if not isinstance(value, dict)
            else "; name a kind, see python -m studies.list"
        )
        return Mistake(path if not isinstance(value, dict) else (*path, "kind"), text + came)
    return Mistake(
        (*path, "kind"),
        f"unknown kind {kind!r}; {suggest(str(kind), [word for word in words if word != OWN])}",
    )


def _at(data: Any, path: Path) -> Any:  # noqa: ANN401
    for part in path:
        data = data.get(part) if isinstance(data, dict) else data[part]
    return data
