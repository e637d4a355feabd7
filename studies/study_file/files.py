"""Where studies are: files of the user's, and those in studies/configs/ that are ready to run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from studies.study_file import beside
from studies.study_file.document import Document, read
from studies.study_file.study import StudyError
from studies.text.shapes import Data, Named
from studies.text.words import nearest

CONFIGS = Path(__file__).parents[1] / "configs"


def ready_studies() -> dict[str, Path]:
    """Name -> file of the studies in studies/configs/."""
    return {path.stem: path for path in sorted(CONFIGS.glob("*.yaml"))}


def read_file(source: str) -> Document:
    """The document of a file, or of a ready study by its name.

    Raises:
        StudyError: there is none, or it cannot be read.
    """
    path = _path(source)
    if not path.is_file():
        raise StudyError([_not_there(source)])
    name = source if path == Path(source) else str(path)
    try:
        document = read(name, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError([f"{path}: cannot be read: {error}"]) from error
    if isinstance(document.data, dict):
        beside.placed(document.data, path.parent)
    return document


def text_of(source: Named | Path | str) -> str:
    """The text of a study as the user gave it: of its file, or a mapping as JSON."""
    if isinstance(source, Mapping):
        return json.dumps(source)
    return _path(source).read_text(encoding="utf-8")


def _path(source: Path | str) -> Path:
    """A file as it is given, or that of a ready study by its name."""
    given = Path(source)
    return given if given.is_file() else ready_studies().get(str(source), given)


def data_of(path: Path) -> Data | None:
    """What a study file holds, unchecked; None where there is no mapping that can be read."""
    try:
        data = read(path.name, path.read_text(encoding="utf-8")).data
    except (OSError, UnicodeDecodeError):
        return None
    return data if isinstance(data, dict) else None


def question(path: Path) -> str:
    """What a study asks, else its first comment."""
    asked = (data_of(path) or {}).get("question")
    if asked:
        return " ".join(str(asked).split())
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = (line for line in lines if line.startswith("#") and "yaml-language-server" not in line)
    return next(comments, "").lstrip("# ").strip()


def _not_there(source: str) -> str:
    from studies.study_file.collections import collections  # which looks for studies here

    near = nearest(source, [*ready_studies(), *collections()])
    hint = f"; did you mean {near!r}?" if near else ""
    ready = ", ".join(ready_studies()) or "none"
    return f"{source}: no such file and no ready study of this name{hint}; ready: {ready}"
