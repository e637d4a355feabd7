"""Every key of a study file: what it may hold, its default, what it means.

`describe budget`, `describe noise.batch`, `describe sgd.schedule`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.table import Table

    from landscapes.parameters import Parameters

Field = dict[str, Any]  # of a JSON schema
Definitions = Mapping[str, Any]

NUMBERS = {
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "string": "text",
    "null": "null",
    "object": "mapping",
}
SIGNS = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
MANY = 8  # members of a union, from which on it is a landscape of any kind
ENTRY = {
    "landscapes": "LandscapeEntry",
    "optimizers": "OptimizerEntry",
}  # key -> model of what all its entries have
LABEL = "LABEL"  # stands for any label of the user's


@functools.cache
def rows() -> list[tuple[str, str]]:
    """Name and meaning of every key, those inside a section behind it."""
    from studies.study_file.model import StudyModel

    schema, found = StudyModel.model_json_schema(), []
    for name, field in schema["properties"].items():
        found.append((name, field.get("description", "")))
        found += [
            (f"{name}.{key}", inner.get("description", ""))
            for key, inner in _inside(field, schema["$defs"]).items()
        ]
    return found


def find(path: str) -> tuple[str, Field, Definitions] | None:
    """Name, schema and definitions of a key.

    Of a study file, or of a kind's parameters (sgd.learning_rate); None where there is none.
    """
    from studies.study_file.fields import parameter_model
    from studies.study_file.model import StudyModel

    first, *rest = path.split(".")
    schema = _schema(StudyModel)
    if first in schema["properties"]:
        return _below(first, schema["properties"][first], schema["$defs"], rest, first)
    cls = _class(first)
    if cls is None or not rest:
        return None
    schema = _schema(parameter_model(cls))  # type: ignore[arg-type]
    field = schema["properties"].get(rest[0])
    return field and _below(f"{first}.{rest[0]}", field, schema.get("$defs", {}), rest[1:], "")


def known(path: str) -> list[str]:
    """The keys that may be meant by a path that is none."""
    head, _, _ = path.rpartition(".")
    place, registry, _ = _entry(path)
    if registry:
        from studies.study_file.fields import parameter_names

        own = [name for name in ENTRY if place.startswith(name)]
        found = [key for name in own for key in _entry_model(name).model_fields]
        return [
            f"{head}.{key}"
            for key in dict.fromkeys([
                *found,
                *(key for cls in registry.values() for key in parameter_names(cls)),
            ])
        ]
    there = find(head) if head else None
    if there is not None:
        return [f"{head}.{name}" for name in _inside(there[1], there[2])]
    cls = _class(head)
    if cls is not None:
        from studies.study_file.fields import parameter_names

        return [f"{head}.{name}" for name in parameter_names(cls)]
    return [name for name, _ in rows()]


def describe(path: str) -> list[str | Table]:
    """What to print about a key, nothing where there is none."""
    from studies.study_file.model import StudyModel

    found = find(path)
    if found is None:
        return []
    name, field, definitions = found
    default = (
        f"default: {_default(field['default'])}"
        if "default" in field and not _inside(field, definitions)
        else ""
    )
    optional = "" if default or "default" in field else "required"
    what = "parameter" if name.split(".")[0] not in StudyModel.model_fields else "key of a study file"
    facts = [
        f"{name} ({what}): {field.get('description', '')}",
        f"values: {values(field, definitions)}",
        default or optional,
    ]
    return [*filter(None, facts), *_tables(name, field, definitions), *_hint(name)]


def of_kinds(path: str) -> list[str | Table]:
    """Lines on a key whose meaning depends on the kind of its entry.

    Landscapes.mine.k, claims.mine.kind, moving.inner.k.
    """
    place, registry, rest = _entry(path)
    if rest == ["kind"]:
        return [
            f"{place}.kind (key of a study file): which kind it is, required",
            f"values: {' | '.join(registry)}",
        ]
    having = [kind for kind in registry if rest and find(".".join([kind, *rest]))]
    if not having:
        return []
    key = ".".join(rest)
    lines = [f"{place}.{key} (key of a study file): a parameter of {', '.join(having)}"]
    return [*lines, f"what it means for one of them: python -m studies.describe {having[0]}.{key}"]


def _entry(path: str) -> tuple[str, Mapping[str, Any], list[str]]:
    """The place of an entry that may be of any kind, those kinds, and what follows in the path.

    Labels are passed over.
    """
    from studies.claims import CLAIMS
    from studies.registry import FAMILIES

    top, *rest = path.split(".")
    registries: dict[str, Mapping[str, Any]] = {
        f"{family}s": registry for family, (registry, _) in FAMILIES.items()
    } | {"claims": CLAIMS}
    if top in registries:
        place, registry, rest = f"{top}.{LABEL}", registries[top], rest[1:] or rest
    else:
        place, registry = top, {top: _class(top)} if _class(top) else {}
    while len(rest) > 1 and any(
        _any_kind(owner[1]) for kind in registry if (owner := find(f"{kind}.{rest[0]}"))
    ):
        place, registry, rest = f"{place}.{rest[0]}", registries["landscapes"], rest[1:]
    return (path, {}, []) if registry.keys() == {top} else (place, registry, rest)


def parameters(schema: dict[str, Any]) -> Table:
    """The fields of a model: values, default, meaning."""
    return _table("parameter", schema.get("properties", {}), schema.get("$defs", {}))


def values(field: Field, definitions: Definitions) -> str:
    """What a field of a JSON schema may hold: `number > 0`, `a | b`, `whole number >= 1 or null`."""
    if "$ref" in field:
        inner = definitions[field["$ref"].rpartition("/")[2]]
        return "{" + ", ".join(inner["properties"]) + "}"
    members = field.get("anyOf") or field.get("oneOf")
    if _any_kind(field):
        return "{kind: .., its parameters}"
    if members:
        return " or ".join(dict.fromkeys(values(member, definitions) for member in members))
    if "enum" in field or "const" in field:
        return " | ".join(map(str, field.get("enum", [field.get("const")])))
    if field.get("type") == "array":
        return _list(field, definitions)
    if isinstance(field.get("additionalProperties"), dict) and field["additionalProperties"]:
        return f"{{label: {values(field['additionalProperties'], definitions)}}}"
    bounds = " ".join(f"{sign} {field[key]:g}" for key, sign in SIGNS.items() if key in field)
    return f"{NUMBERS.get(field.get('type', ''), 'anything')} {bounds}".strip()


def _list(field: Field, definitions: Definitions) -> str:
    items = field.get("items") or field.get("prefixItems", [{}])[0]
    return f"list of {values(items, definitions)}" if items else "list"


def _below(
    name: str, field: Field, definitions: Definitions, rest: list[str], top: str
) -> tuple[str, Field, Definitions] | None:
    """The key that the rest of a path leads to; labels on the way are passed over."""
    for place, part in enumerate(rest):
        inner = _inside(field, definitions)
        if part in inner:
            name, field = f"{name}.{part}", inner[part]
        elif top in ENTRY and place == 0:
            return find(".".join(rest)) or (find_entry(top, rest[-1]) if len(rest) > 1 else None)
        elif (labelled := _labelled(field)) and place < len(rest) - 1:
            name, field = f"{name}.{LABEL}", labelled
        else:
            return None
    return name, field, definitions


def _labelled(field: Field) -> Field:
    """What a label may stand before, in a field that may map labels to it."""
    members = [field, *field.get("anyOf", ()), *field.get("oneOf", ())]
    return next(
        (
            member["additionalProperties"]
            for member in members
            if isinstance(member.get("additionalProperties"), dict)
        ),
        {},
    )


def _any_kind(field: Field) -> bool:
    """Whether it is a landscape of any kind."""
    return len(field.get("anyOf") or field.get("oneOf") or ()) > MANY


@functools.cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model, made once."""
    return model.model_json_schema()


def _entry_model(name: str) -> type[BaseModel]:
    """What every entry of a section may have, whatever its kind."""
    import studies.study_file.fields as entries

    return getattr(entries, ENTRY[name])


def find_entry(top: str, key: str) -> tuple[str, Field, Definitions] | None:
    """A key that every entry of landscapes or optimizers has: grid, on, relaxation, dtype."""
    schema = _entry_model(top).model_json_schema()
    field = schema["properties"].get(key)
    return field and (f"{top}.{LABEL}.{key}", field, schema.get("$defs", {}))


def _inside(field: Field, definitions: Definitions) -> dict[str, Field]:
    """The keys of a mapping that a field may hold, of all its forms together.

    None of what may be of any kind.
    """
    found: dict[str, Field] = {}
    if _any_kind(field):
        return found
    for member in [field, *field.get("anyOf", ()), *field.get("oneOf", ())]:
        if "$ref" in member:
            found |= definitions[member["$ref"].rpartition("/")[2]].get("properties", {})
        elif member is not field:
            found |= _inside(member, definitions)
    return found


def _tables(name: str, field: Field, definitions: Definitions) -> Iterator[Table]:
    inner = _inside(field, definitions)
    if inner:
        yield _table("key", inner, definitions)
    if name in ENTRY:
        schema = _entry_model(name).model_json_schema()
        yield _table("key of every entry", schema["properties"], schema.get("$defs", {}))


def _hint(name: str) -> Iterator[str]:
    if name in (*ENTRY, "claims", "figures"):
        yield (
            "kinds: python -m studies.list; one of them: python -m studies.describe"
            f" {'ecdf' if name == 'figures' else 'KIND'}"
        )


def _table(head: str, fields: Mapping[str, Field], definitions: Definitions) -> Table:
    from rich.table import Table

    table = Table(head, "values", "default", "meaning", box=None, padding=(0, 2, 0, 0))
    for name, field in fields.items():
        default = _default(field["default"]) if "default" in field else "required"
        table.add_row(name, values(field, definitions), default, field.get("description", ""))
    return table


def _default(value: Any) -> str:  # noqa: ANN401
    from studies.text.words import short

    return short(value) or "none"


def _class(kind: str) -> type[Parameters] | None:
    """Of a kind in a registry, claims too."""
    from studies.claims import CLAIMS
    from studies.registry import FAMILIES

    registries = [*(registry for registry, _ in FAMILIES.values()), CLAIMS]
    return next((registry[kind] for registry in registries if kind in registry), None)  # type: ignore[return-value]
