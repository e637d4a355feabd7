"""One key of a study file as a JSON schema has it: what it may hold, and the keys inside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from studies.study_file.values import FORMULA
from studies.text.shapes import Tree

Field = Tree  # of a JSON schema
WORDS = {
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "string": "text",
    "null": "null",
    "object": "mapping",
}
SIGNS = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
MANY = 8  # members of a union, from which on it is a landscape of any kind
LABEL = "LABEL"  # stands for any label of the user's


@dataclass(frozen=True)
class Key:
    """A key of a study file, or a parameter.

    Args:
        name: its path.
        field: its JSON schema.
        definitions: to which the schema refers.
    """

    name: str
    field: Field
    definitions: Tree

    @classmethod
    def top(cls, schema: Tree, name: str, path: str) -> Key | None:
        """The key of this name of a model, by the model's schema; None where there is none."""
        field = schema.get("properties", {}).get(name)
        return cls(path, field, schema.get("$defs", {})) if field else None

    @property
    def meaning(self) -> str:
        """What it means."""
        return self.field.get("description", "")

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return "default" not in self.field

    @property
    def any_kind(self) -> bool:
        """Whether it is a landscape of any kind."""
        return len(_union(self.field)) > MANY

    def inside(self) -> dict[str, Key]:
        """The keys of a mapping that it may hold, of all its forms together.

        None of what may be of any kind.
        """
        return {
            name: Key(f"{self.name}.{name}", field, self.definitions) for name, field in self._keys()
        }

    def behind_label(self) -> Key | None:
        """What stands behind a label, where it may map labels to something."""
        for form in (self.field, *_forms(self.field)):
            labelled = form.get("additionalProperties")
            if isinstance(labelled, dict) and labelled:
                return Key(f"{self.name}.{LABEL}", labelled, self.definitions)
        return None

    def values(self) -> str:
        """What it may hold: `number > 0`, `a | b`, `whole number >= 1 or null`."""
        field = self.field
        if "$ref" in field:
            return "{" + ", ".join(self._referred(field)["properties"]) + "}"
        if self.any_kind:
            return "{kind: .., its parameters}"
        if _union(field):
            return " or ".join(dict.fromkeys(self._with(form).values() for form in _union(field)))
        if "enum" in field or "const" in field:
            return " | ".join(map(str, field.get("enum", [field.get("const")])))
        if field.get("type") == "array":
            items = field.get("items") or field.get("prefixItems", [{}])[0]
            return f"list of {self._with(items).values()}" if items else "list"
        return self._of_mapping_or_scalar()

    def _of_mapping_or_scalar(self) -> str:
        labelled = self.field.get("additionalProperties")
        if isinstance(labelled, dict) and labelled:
            return f"{{label: {self._with(labelled).values()}}}"
        bounds = [f"{sign} {self.field[key]:g}" for key, sign in SIGNS.items() if key in self.field]
        return " ".join([WORDS.get(self.field.get("type", ""), "anything"), *bounds])

    def _keys(self) -> Iterator[tuple[str, Field]]:
        if self.any_kind:
            return
        if "$ref" in self.field:
            yield from self._referred(self.field).get("properties", {}).items()
        members = [self.field["items"]] if isinstance(self.field.get("items"), dict) else []
        for form in (*_forms(self.field), *members):
            yield from self._with(form)._keys()

    def _with(self, field: Field) -> Key:
        return Key(self.name, field, self.definitions)

    def _referred(self, field: Field) -> Field:
        return self.definitions[field["$ref"].rpartition("/")[2]]


def _union(field: Field) -> list[Field]:
    """Its forms, but for the formula that may stand for any number."""
    return [form for form in _forms(field) if form.get("format") != FORMULA]


def _forms(field: Field) -> list[Field]:
    return [*field.get("anyOf", ()), *field.get("oneOf", ())]
