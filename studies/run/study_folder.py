"""A study's folder belongs to one study, which is its name: a study of another name is refused there.

A study of the same name whose file has changed goes on in its folder: cells that both have are kept, for a
cell is found by all that its numbers depend on. What was made of the earlier file (figures, claims.json,
report.html, the view, records of failed cells) is cleared away first, so that nothing in the folder is told
of numbers that it no longer shows.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from studies.results import config, store
from studies.results.figures import asked
from studies.run import notes
from studies.study_file.figures import QUESTIONS
from studies.study_file.files import data_of
from studies.study_file.loading import load_study
from studies.study_file.model import FIGURES
from studies.study_file.study import Study, StudyError
from studies.text.shapes import Data

PAGES = ("", "-[0-9]*")  # behind the name of a figure
DRAWN = ("png", "pdf", "svg", "gif", "mp4")
CLEARED = (
    "of this study changed since it last ran here: its earlier figures, claims and report are removed,"
    " finished cells are kept"
)
NO_STUDY = "this folder has a dataset that is no study's of this name (imported?)"
ELSEWHERE = (
    "cluster",
    "cell_timeout",
    "compile",
    "device",
)  # keys of a study that say where and how it runs, not what


def check(study: Study, out: Path) -> Data | None:
    """The resolved study whose folder this is; None where it is nobody's.

    Raises:
        StudyError: it is another study's, or no folder.
    """
    file = next((place for place in (out, *out.parents) if place.is_file()), None)
    if file is not None:
        raise StudyError([f"--out {out}: expected a folder, but {file} is a file; choose another"])
    earlier = _earlier(out)
    name = None if earlier is None else earlier.get("name")
    if name is not None and name != study.name:
        why = f"this folder has the study {name!r}; choose another folder for {study.name!r}"
        raise StudyError([f"--out {out}: {why}, or remove this one"])
    if earlier is None and (out / "dataset.zarr").exists():
        raise StudyError([f"--out {out}: {NO_STUDY}; choose another folder"])
    return earlier


def prepare(study: Study, out: Path, text: str = "") -> str | None:
    """Make the study's folder and write study.yaml.

    What dead processes and an earlier study file left is cleared away.

    Args:
        study: the study.
        out: its folder, made where missing.
        text: the study as given; a study.yaml in the folder that is this very file stays as it is.

    Returns:
        A note where something was cleared away.

    Raises:
        StudyError: the folder is another study's.
    """  # noqa: DOC502
    earlier = check(study, out)
    changed = [] if earlier is None else _changes(earlier, study.resolved)
    for part in ("cells", "figures"):
        (out / part).mkdir(parents=True, exist_ok=True)
    store.sweep(out, keep=notes.of_living)
    cleared = _clear(out) if changed else False
    if not _is_given(study, out / "study.yaml", text):
        store.write_text(study.yaml(), out / "study.yaml")
    return f"{', '.join(changed)} {CLEARED}" if cleared else None


def _clear(out: Path) -> bool:
    """Remove what was made of a study's cells; whether there was anything."""
    made = [path for path in _made(out) if path.exists()]
    for path in made:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return bool(made)


def _earlier(out: Path) -> Data | None:
    """The resolved study that was last run here; what cannot be read is nobody's."""
    try:
        plan = json.loads((out / "plan.json").read_text(encoding="utf-8"))
        study = config.of_attrs(plan["attrs"]) or None
    except FileNotFoundError:
        return data_of(out / "study.yaml")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return study if isinstance(study, dict) else None


def _changes(earlier: Data, now: Data) -> list[str]:
    """The keys of a study that are no longer what they were."""
    keys = dict.fromkeys([*now, *earlier])
    return [key for key in keys if key not in ELSEWHERE and earlier.get(key) != now.get(key)]


def _made(out: Path) -> Iterator[Path]:
    """What is made of a study's cells, and records of those that failed."""
    made = ("plan.json", "claims.json", "arms.csv", "report.html", "dataset.zarr")
    yield from (out / name for name in made)
    yield from _drawn(out)
    yield from (out / "errors").glob("*.json")


def _drawn(out: Path) -> Iterator[Path]:
    """The files of figures, and of their pages."""
    for file in _files(out):
        for page in PAGES:
            for ending in DRAWN:
                yield from (out / "figures").glob(f"{file}{page}.{ending}")


def _files(out: Path) -> set[str]:
    """The names of the files of figures: those of all figures, and those that the study names."""
    named = (_earlier(out) or {}).get("figures") or []
    return {*FIGURES, *QUESTIONS, *(figure.file for figure in asked(named))}


def _is_given(study: Study, path: Path, text: str) -> bool:
    """Whether a file is the study as the user gave it, and nothing was set beside it."""
    try:
        return (
            bool(text)
            and path.read_text(encoding="utf-8") == text
            and load_study(path).resolved == study.resolved
        )
    except (OSError, UnicodeDecodeError, StudyError):
        return False
