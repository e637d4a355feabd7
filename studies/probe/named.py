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
from studies.kinds import registry
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
    shown = {key: value for key, value in spec.items() if key not in ("kind", "dtype")}
    return ", ".join(_setting(key, value) for key, value in shown.items())


def _setting(key: str, value: object) -> str:
    """A parameter and its value, or kind; of True the parameter alone."""
    if isinstance(value, Mapping):
        return f"{key}={value.get('kind', '')}"
    return key if value is True else f"{key}={short(value)}"


def _named(word: str, shared: Data) -> Iterator[Named]:
    """The landscapes that a word names; `shared`: parameters of all of them."""
    kind, _, rest = word.partition(":")
    if kind in LANDSCAPES:
        yield _with_parameters(word, kind, rest, shared)
    elif word in ready_studies() or Path(word).is_file():
        yield from _of_study(word, shared)
    else:  # package.module:Class
        path, _, given = rest.partition(":")
        if not rest or "=" in path:
            raise StudyError([f"{word}: no such landscape, study or file; {_hint(kind)}"])
        yield _with_parameters(word, f"{kind}:{path}", given, shared)


def _with_parameters(word: str, kind: str, given: str, shared: Data) -> Named:
    """A landscape of a kind.

    Args:
        word: that names it.
        kind: a name, or an import path.
        given: its parameters, as text.
        shared: parameters of all landscapes.
    """
    return _checked(word, word, {"kind": kind} | _own(word, given) | shared)


def _own(word: str, given: str) -> Data:
    """The parameters that a word gives its kind, which may be none."""
    try:
        return _parameters(given) if given else {}
    except ValueError as error:
        raise StudyError([f"{word}: {error}"]) from error


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
    given = re.match(r"(?s)\s*(\w+)\s*=(.*)", text)
    if not given:
        raise ValueError("expected parameter=value")
    if text.count("=") > 1:
        return _several(text)
    return {given[1]: value_of(given[2])}


def _several(text: str) -> Data:
    """Parameters between commas as a mapping."""
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
        landscape = _built(kind, checked.model_dump(include=set(fields.parameter_names(cls))))
    except ValidationError as error:
        lines = [_line(where, kind, mistake) for mistake in mistakes_in(error, model, entry)]
        raise StudyError(lines) from error
    except ValueError as error:
        raise StudyError([f"{where}: {line.strip()}" for line in str(error).splitlines()]) from error
    return Named(label, entry, landscape, checked.dtype or "float64")


def _built(kind: str, parameters: Data) -> Landscape:
    """A landscape, whose properties can be read.

    Raises:
        ValueError: they cannot.
    """
    landscape = registry.build({"kind": kind, **parameters}, "landscape")
    _ = landscape.dim, landscape.domain, landscape.terms
    return landscape


def _class(kind: str, where: str) -> tuple[type[Any], type[BaseModel]]:
    """The class of a landscape, and the model of its entries.

    Raises:
        StudyError: it cannot be imported.
    """
    try:
        cls = registry.find(kind, "landscape")
        return cls, fields.entry_model("landscapes", kind, cls)
    except (Exception, SystemExit) as error:  # a module of the user's may fail in any way
        raise StudyError([f"{where}: {_why(kind, error)}"]) from error


def _why(kind: str, error: BaseException) -> str:
    """Why there is no class of a kind, in one line."""
    text = str(error)
    if not isinstance(error, ValueError):
        text = f"cannot import {kind!r}: {type(error).__name__}: {error}"
    return " ".join(text.split())


def _line(where: str, kind: str, mistake: Mistake) -> str:
    """A mistake in an entry, in one line."""
    text = mistake.text.replace("unknown key;", f"unknown parameter of {kind};")
    return f"{where}: {dotted(mistake.path)}: {text}" if mistake.path else f"{where}: {text}"


def _free(label: str, taken: Tree) -> str:
    """The label, numbered where it is taken."""
    names = (label if i == 1 else f"{label} ({i})" for i in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
