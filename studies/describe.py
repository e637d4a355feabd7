"""One landscape or optimizer: its parameters with ranges and defaults, where it lives, and its paper: `python -m studies.describe KIND`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

NUMBERS = {"integer": "whole number", "number": "number", "boolean": "true or false", "string": "text", "null": "null"}
NUMBERS |= {"array": "list", "object": "mapping"}
MANY = 8  # members of a union, from which on it is a landscape of any kind
SIGNS = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}


def describe(kind: str) -> list[str | Table]:
    """What to print about a kind: text and the table of its parameters.

    Args:
        kind: a name in a registry, or an import path "package.module:Class".

    Raises:
        ValueError: there is no such kind.
    """
    from studies import models

    family, cls = find(kind)
    facts = [f"{kind} ({family}): {models.summary(cls)}", *_about(cls, family)]
    return [*facts, _parameters(models.parameter_model(cls).model_json_schema())]


def find(kind: str) -> tuple[str, Any]:
    """Family and class of a kind.

    Raises:
        ValueError: there is no such kind.
    """
    from studies import kinds
    from studies.yaml_lines import suggest

    for family, (registry, _) in kinds.FAMILIES.items():
        if kind in registry:
            return family, registry[kind]
    if ":" not in kind:
        raise ValueError(f"unknown kind {kind!r}; {suggest(kind, [name for registry, _ in kinds.FAMILIES.values() for name in registry])}")
    problems = []
    for family in kinds.FAMILIES:
        try:
            return family, kinds.find(kind, family)
        except ValueError as error:
            problems.append(str(error))
    raise ValueError(problems[0])


def _about(cls: Any, family: str) -> list[str]:  # noqa: ANN401
    """Domain, streams and paper."""
    if family == "optimizer":
        facts = {"searches": ", ".join(d.__name__.lower() for d in cls.domains), "asks for": "gradients" if cls.gradient else "values"}
        facts["draws from"] = ", ".join(("init", *cls.sources))
    else:
        facts = {"domain": _domain(cls), "loss": _loss(cls)}
    facts["source"] = source(cls)
    return [f"{name}: {value}" for name, value in facts.items() if value]


def source(cls: type) -> str:
    """The paragraph "Source: .." of a class's docstring, or of its module's."""
    for text in (cls.__doc__, sys.modules[cls.__module__].__doc__):
        found = next((p for p in (text or "").split("\n\n") if p.strip().startswith("Source:")), None)
        if found:
            return " ".join(found.split()).removeprefix("Source: ")
    return ""


def _loss(cls: Any) -> str:  # noqa: ANN401
    """What 0 means, as far as that needs no parameters."""
    try:
        known = cls().gap_known
    except TypeError:  # a parameter has no default
        return ""
    return "the gap to the optimum, with the defaults" if known else "the landscape's own value, with the defaults: the optimum is not known"


def _domain(cls: Any) -> str:  # noqa: ANN401
    try:
        return str(cls().domain)
    except TypeError:  # a parameter has no default
        return ""


def _parameters(schema: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table("parameter", "values", "default", "meaning", box=None, padding=(0, 2, 0, 0))
    for name, field in schema.get("properties", {}).items():
        default = _default(field["default"]) if "default" in field else "required"
        table.add_row(name, values(field, schema.get("$defs", {})), default, field.get("description", ""))
    return table


def _default(value: Any) -> str:  # noqa: ANN401
    from studies.sweeps import short

    return short(value)


def values(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    """What a field of a JSON schema may hold: `number > 0`, `a | b`, `whole number >= 1 or null`."""
    if "$ref" in field:
        inner = definitions[field["$ref"].rpartition("/")[2]]
        return "{" + ", ".join(inner["properties"]) + "}"
    members = field.get("anyOf") or field.get("oneOf")
    if members and len(members) > MANY:
        return "{kind: .., its parameters}"
    if members:
        return " or ".join(values(member, definitions) for member in members)
    if "enum" in field or "const" in field:
        return " | ".join(map(str, field.get("enum", [field.get("const")])))
    bounds = " ".join(f"{sign} {field[key]:g}" for key, sign in SIGNS.items() if key in field)
    return f"{NUMBERS.get(field.get('type', ''), 'anything')} {bounds}".strip()


def main() -> None:
    """The command line; exit code 2 where there is no such kind."""
    parser = argparse.ArgumentParser(prog="python -m studies.describe", description=__doc__)
    parser.add_argument("kind", metavar="KIND", help="a name that python -m studies.list prints, or an import path package.module:Class")
    kind = parser.parse_args().kind
    from studies import printing

    try:
        parts = describe(kind)
    except ValueError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    console = printing.console()
    for part in parts:
        console.print(part)


if __name__ == "__main__":
    main()
