"""Files that a study names, such as the table of `empirical`.

They are looked for from the working directory, then from where the study file is.
"""

from __future__ import annotations

from pathlib import Path

from studies.text.shapes import Data, Json

PARAMETER = "file"  # what a parameter is called that holds a path
WITH_FILES = ("landscapes", "sweep")  # keys of a study under which there are such parameters


def placed(data: Data, folder: Path) -> None:
    """Write paths from the working directory, of files that are found beside the study alone.

    Args:
        data: the study, as read; changed.
        folder: where the study file is.
    """
    for key in WITH_FILES:
        if key in data:
            data[key] = _placed(data[key], folder, named=False)


def _placed(value: object, folder: Path, *, named: bool) -> Json:
    """A copy; `named`: texts in it are paths."""
    if isinstance(value, dict):
        return {
            key: _placed(inner, folder, named=key.rpartition(".")[2] == PARAMETER)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_placed(inner, folder, named=named) for inner in value]
    beside = folder / value if named and isinstance(value, str) else None
    return str(beside) if beside and not Path(str(value)).is_file() and beside.is_file() else value
