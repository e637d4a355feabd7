"""Values set from outside a study file: --set PATH=VALUE, or a mapping path -> value."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from studies.study_file.axes import set_path
from studies.study_file.document import Document, plain, value_of
from studies.study_file.study import StudyError
from studies.text import labels
from studies.text.shapes import Named

Keys = tuple[str, ...]


def override(document: Document, overrides: Mapping[str, object] | Sequence[str]) -> None:
    """Set the values in a document that is a mapping.

    Args:
        document: the study; it is changed.
        overrides: dotted path -> value, or texts "path=value" with the value in YAML.

    Raises:
        StudyError: with one line for each that cannot be set.
    """
    lines = []
    for given in overrides.items() if isinstance(overrides, Mapping) else overrides:
        try:
            parse = _from_text if isinstance(given, str) else _from_pair
            keys, value = parse(given, document.data)  # type: ignore[arg-type]
            set_path(document.data, keys, value)
            document.overridden.append(keys)
        except ValueError as error:
            lines.append(f"--set {' '.join(str(error).split())}")
    if lines:
        raise StudyError(lines)


def _from_pair(given: tuple[str, object], data: Named) -> tuple[Keys, object]:
    """Keys and value of (path, value)."""
    path, value = given
    return labels.keys_of(labels.tidy(path), data)[0], plain(value)


def _from_text(given: str, data: Named) -> tuple[Keys, object]:
    """Keys and value of "path=value".

    Raises:
        ValueError: there is no value, or it is not plain YAML.
    """
    given = unicodedata.normalize("NFC", given).strip()
    keys, text = labels.keys_of(given, data, stop="=")
    path = ".".join(keys)
    if given == path:
        raise ValueError(f"{path}: expected PATH=VALUE")
    try:
        return tuple(key.strip() for key in keys), value_of(text)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
