"""Every key of a study file: what it may hold, its default, what it means.

`describe budget`, `describe noise.batch`, `describe sgd.schedule`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from studies.study_file.key import LABEL, Key
from studies.text.shapes import Data, Tree

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.table import Table

    from landscapes.parameters import Parameters

# key -> model of what all its entries have
ENTRY = {"landscapes": "LandscapeEntry", "optimizers": "OptimizerEntry"}


@functools.cache
def rows() -> list[tuple[str, str]]:
    """Name and meaning of every key, those inside a section behind it."""
    named = []
    for key in _keys(_study_schema()):
        named += [(inner.name, inner.meaning) for inner in (key, *key.inside().values())]
    return named


def find(path: str) -> Key | None:
    """A key of a study file, or of a kind's parameters (sgd.learning_rate); None where there is none."""
    from studies.study_file.fields import parameter_model

    first, *rest = path.split(".")
    key = Key.top(_study_schema(), first, first)
    if key is not None:
        return _below(key, rest, first)
    cls = _class(first)
    if cls is None:
        return next((of_all for top in ENTRY if (of_all := _of_every_entry(top, first))), None)
    if not rest:
        return None
    schema = _schema(parameter_model(cls))  # type: ignore[arg-type]
    key = Key.top(schema, rest[0], f"{first}.{rest[0]}")
    return key and _below(key, rest[1:], "")


def known(path: str) -> list[str]:
    """The keys that may be meant by a path that is none."""
    head, _, _ = path.rpartition(".")
    names = _known_at(path, head)
    return [name for name, _ in rows()] if names is None else [f"{head}.{name}" for name in names]


def _known_at(path: str, head: str) -> list[str] | None:
    """The keys that the mapping at `head` may have; None where it is none."""
    from studies.study_file.fields import parameter_names

    entry = _entry(path)
    if entry.kinds:
        own = [
            key for name in ENTRY if entry.place.startswith(name) for key in _of_all(name).model_fields
        ]
        parameters = [key for cls in entry.kinds.values() for key in parameter_names(cls)]
        return [*dict.fromkeys([*own, *parameters])]
    key = find(head) if head else None
    if key is not None:
        return [*key.inside()]
    cls = _class(head)
    return None if cls is None else parameter_names(cls)


def describe(path: str) -> list[str | Table]:
    """What to print about a key, nothing where there is none."""
    key = find(path)
    if key is None:
        return []
    of_study = key.name.split(".")[0] in _study_schema()["properties"]
    facts = [
        f"{key.name} ({'key of a study file' if of_study else 'parameter'}): {key.meaning}",
        f"values: {key.values()}",
    ]
    if key.required:
        facts.append("required")
    elif not key.inside():
        facts.append(f"default: {_default(key)}")
    return [*facts, *_tables(key), *_hint(key.name)]


def of_kinds(path: str) -> list[str | Table]:
    """Lines on a key whose meaning depends on the kind of its entry.

    Such are `landscapes.mine.k`, `claims.mine.kind`, `moving.inner.k`.
    """
    place, kinds, rest = _entry(path)
    if rest == ["kind"]:
        return [
            f"{place}.kind (key of a study file): which kind it is, required",
            f"values: {' | '.join(kinds)}",
        ]
    key = ".".join(rest)
    having = [kind for kind in kinds if rest and find(f"{kind}.{key}")]
    if not having:
        return []
    return [
        f"{place}.{key} (key of a study file): a parameter of {', '.join(having)}",
        f"what it means for one of them: python -m studies.describe {having[0]}.{key}",
    ]


def parameters(schema: Data) -> Table:
    """The fields of a model: values, default, meaning."""
    return _table("parameter", _keys(schema))


# paths ------------------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """The place of an entry that may be of any kind."""

    place: str
    kinds: Tree  # kind -> class
    rest: list[str]  # what follows in the path


def _entry(path: str) -> Entry:
    """The entry to which a path leads; without kinds where it leads to none. Labels are passed over."""
    registries = _registries()
    top, *rest = path.split(".")
    if top in registries:
        place, kinds, rest = f"{top}.{LABEL}", registries[top], rest[1:] or rest
    else:
        place, kinds = top, {top: _class(top)} if _class(top) else {}
    while len(rest) > 1 and any(_holds_any_kind(kind, rest[0]) for kind in kinds):
        place, kinds, rest = f"{place}.{rest[0]}", registries["landscapes"], rest[1:]
    return Entry(path, {}, []) if kinds.keys() == {top} else Entry(place, kinds, rest)


def _holds_any_kind(kind: str, name: str) -> bool:
    """Whether a parameter of a kind is a landscape of any kind."""
    key = find(f"{kind}.{name}")
    return key is not None and key.any_kind


def _below(key: Key, rest: list[str], top: str) -> Key | None:
    """The key that the rest of a path leads to; labels on the way are passed over.

    Args:
        key: where the rest begins.
        rest: names of keys, and labels.
        top: the key of a study where `key` is that; else empty.
    """
    for place, part in enumerate(rest):
        inner, labelled = key.inside(), key.behind_label()
        if part in inner:
            key = inner[part]
        elif top in ENTRY and place == 0:
            return find(".".join(rest)) or _in_every_entry(top, rest[1:])
        elif labelled is not None and place < len(rest) - 1:
            key = labelled
        else:
            return None
    return key


def _in_every_entry(top: str, rest: list[str]) -> Key | None:
    """The key that a path leads to which begins with one of every entry."""
    key = _of_every_entry(top, rest[0]) if rest else None
    return key and _below(key, rest[1:], "")


def _of_every_entry(top: str, name: str) -> Key | None:
    """A key that every entry of landscapes or optimizers has: grid, on, relaxation, dtype."""
    return Key.top(_schema(_of_all(top)), name, f"{top}.{LABEL}.{name}")


# schemas and classes ----------------------------------------------------------------------------------------


@functools.cache
def _schema(model: type[BaseModel]) -> Data:
    """The JSON schema of a model, made once."""
    return model.model_json_schema()


def _study_schema() -> Data:
    from studies.study_file.model import StudyModel

    return _schema(StudyModel)


def _keys(schema: Tree) -> list[Key]:
    """The keys of a model."""
    definitions = schema.get("$defs", {})
    return [Key(name, field, definitions) for name, field in schema.get("properties", {}).items()]


def _of_all(name: str) -> type[BaseModel]:
    """What every entry of a section may have, whatever its kind."""
    import studies.study_file.fields as entries

    return getattr(entries, ENTRY[name])


def _registries() -> dict[str, Tree]:
    """Key of a study -> kind -> class."""
    from studies.claims import CLAIMS
    from studies.kinds.registry import FAMILIES

    families = {f"{family}s": registry for family, (registry, _) in FAMILIES.items()}
    return {**families, "claims": CLAIMS}


def _class(kind: str) -> type[Parameters] | None:
    """The class of a kind in a registry, claims too."""
    return next((kinds[kind] for kinds in _registries().values() if kind in kinds), None)


# tables -----------------------------------------------------------------------------------------------------


def _tables(key: Key) -> Iterator[Table]:
    inner = key.inside()
    if inner:
        yield _table(
            "key", [Key(name, inside.field, inside.definitions) for name, inside in inner.items()]
        )
    if key.name in ENTRY:
        yield _table("key of every entry", _keys(_schema(_of_all(key.name))))


def _hint(name: str) -> Iterator[str]:
    if name in (*ENTRY, "claims", "figures"):
        example = "ecdf" if name == "figures" else "KIND"
        yield f"kinds: python -m studies.list; one of them: python -m studies.describe {example}"


def _table(head: str, keys: list[Key]) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in (head, "values", "default", "meaning"):
        table.add_column(column, overflow="fold")  # what is to be typed stays whole
    for key in keys:
        table.add_row(
            key.name, key.values(), "required" if key.required else _default(key), key.meaning
        )
    return table


def _default(key: Key) -> str:
    from studies.text.words import short

    return short(key.field["default"]) or "none"
