"""The shapes of plain data that go from room to room as YAML and JSON have it, each named here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = (
    Any  # as YAML and JSON have it: null, true, a number, a text, a list, or a mapping of text -> such
)
Data = dict[str, Json]  # a study, an entry of it, or another mapping that a file holds
Tree = Mapping[str, Json]  # the same, to be read only
Named = Mapping[str, object]  # name -> what is handed on or compared, and not looked into
Hint = Any  # a type hint as pydantic reads it: a class, a union, Annotated[..]
Axes = dict[str, Sequence[float | str]]  # landscape, optimizer, swept axis -> its values
