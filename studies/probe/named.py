"""Landscapes named on a command line.

`nk`, `nk:n=12,k=3`, `mine:Ridge`, `mine:Ridge:dim=8`, or a study, which stands for all its landscapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from landscapes import LANDSCAPES
from landscapes.base import Landscape
from studies import registry
from studies.study_file import fields
from studies.study_file.document import Mistake, dotted, value_of
from studies.study_file.errors import mistakes_in
from studies.study_file.files import ready_studies
from studies.study_file.loading import load_study
from studies.study_file.study import StudyError
from studies.text.shapes import Data, Tree
from studies.text.words import nearest, short


@dataclass(frozen=True)
class Named:
    """One landscape, not yet bound.

    Args:
        label: what tables and figures print.
        spec: {"kind": .., parameters as given}.
        landscape: the object.
        dtype: float64 or float32.
    """

    label: str
    spec: Data
    landscape: Landscape
    dtype: str


def named(words: Sequence[str], settings: Sequence[str] = ()) -> list[Named]:
    """The landscapes that the words name, in order, each with a label of its own.

    Args:
        words: kinds, kinds with parameters, import paths, studies.
        settings: "parameter=value" texts that hold for all of them, the value in YAML.

    Raises:
        StudyError: with one line per mistake.
    """
    by_label: dict[str, Named] = {}
    shared, lines = _shared(settings)
    for word in words:
        try:
            by_label |= {_free(entry.label, by_label): entry for entry in _named(word, shared)}
        except StudyError as error:
            lines += error.lines
    if lines:
        raise StudyError(lines)
    return [replace(entry, label=label) for label, entry in by_label.items()]


def _shared(settings: Sequence[str]) -> tuple[Data, list[str]]:
    """The parameters of all landscapes, and a line for each text that is none."""
    shared: Data = {}
    lines: list[str] = []
    for text in settings:
        try:
            shared |= _parameters(text)
        except ValueError as error:
            lines.append(f"--set {text}: {error}")
    return shared, lines


def brief(spec: Tree) -> str:
    """The parameters of an entry in a few words: `n=12, rotated`; of a nested one its kind."""
    values = {
        key: value.get("kind", "") if isinstance(value, Mapping) else short(value)
        for key, value in spec.items()
    }
    words = (
        key if spec[key] is True else f"{key}={value}"
        for key, value in values.items()
        if key not in ("kind", "dtype")
    )
    return ", ".join(words)


def _named(word: str, shared: Data) -> Iterator[Named]:
    """The landscapes that a word names; `shared`: parameters of all of them."""
    kind, _, rest = word.partition(":")
    if kind not in LANDSCAPES and (word in ready_studies() or Path(word).is_file()):
        yield from _of_study(word, shared)
        return
    if kind not in LANDSCAPES:  # package.module:Class
        path, _, parameters_given = rest.partition(":")
        if not rest or "=" in path:
            raise StudyError([f"{word}: no such landscape, study or file; {_hint(kind)}"])
        kind, rest = f"{kind}:{path}", parameters_given
    try:
        parameters = _parameters(rest) if rest else {}
    except ValueError as error:
        raise StudyError([f"{word}: {error}"]) from error
    yield _checked(word, word, {"kind": kind} | parameters | shared)


def _of_study(word: str, shared: Data) -> Iterator[Named]:
    """All landscapes of a study."""
    study = load_study(word).resolved
    for label, entry in study["landscapes"].items():
        parameters = {"dtype": study["dtype"]} | entry | shared
        yield _checked(label, f"{word}: landscapes.{label}", parameters)


def _hint(kind: str) -> str:
    """What may have been meant, or all that there is."""
    near = nearest(kind, [*LANDSCAPES, *ready_studies()])
    if near:
        return f"did you mean {near!r}?"
    return f"kinds: {', '.join(LANDSCAPES)}; studies: {', '.join(ready_studies())}"


def _parameters(text: str) -> Data:
    """`n=12,neighbours=random` as a mapping; values in YAML.

    Raises:
        ValueError: it is not of this form.
    """
    if not re.match(r"\s*\w+\s*=", text):
        raise ValueError("expected parameter=value")
    if text.count("=") == 1:
        key, _, value = text.partition("=")
        return {key.strip(): value_of(value)}
    values = value_of("{" + re.sub(r"(^|,)\s*(\w+)\s*=", r"\1 \2: ", text) + "}")
    if not isinstance(values, dict) or None in values.values():
        raise ValueError("expected parameter=value,parameter=value")
    return values


def _checked(label: str, where: str, entry: Data) -> Named:
    """The landscape of a study's entry, validated as in a study file."""
    kind = entry["kind"]
    cls, model = _class(kind, where)
    try:
        checked: Any = model.model_validate(entry)
        own = checked.model_dump(include=set(fields.parameter_names(cls)))
        landscape = registry.build({"kind": kind, **own}, "landscape")
        _ = landscape.dim, landscape.domain, landscape.terms
    except ValidationError as error:
        lines = [_line(where, kind, mistake) for mistake in mistakes_in(error, model, entry)]
        raise StudyError(lines) from error
    except ValueError as error:
        raise StudyError([f"{where}: {line.strip()}" for line in str(error).splitlines()]) from error
    return Named(label, entry, landscape, checked.dtype or "float64")


def _class(kind: str, where: str) -> tuple[type[Any], type[BaseModel]]:
    """The class of a landscape, and the model of its entries.

    Raises:
        StudyError: it cannot be imported.
    """
    try:
        cls = registry.find(kind, "landscape")
        return cls, fields.entry_model("landscapes", kind, cls)
    except (Exception, SystemExit) as error:  # a module of the user's may fail in any way
        text = str(error)
        if not isinstance(error, ValueError):
            text = f"cannot import {kind!r}: {type(error).__name__}: {error}"
        raise StudyError([f"{where}: {' '.join(text.split())}"]) from error


def _line(where: str, kind: str, mistake: Mistake) -> str:
    """A mistake in an entry, in one line."""
    text = mistake.text.replace("unknown key;", f"unknown parameter of {kind};")
    return f"{where}: {dotted(mistake.path)}: {text}" if mistake.path else f"{where}: {text}"


def _free(label: str, taken: Tree) -> str:
    """The label, numbered where it is taken."""
    names = (label if i == 1 else f"{label} ({i})" for i in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
