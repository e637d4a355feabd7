"""Code of the user's that a study names by import path, which runs where it is read: for `--no-plugins`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from studies.study_file.document import Mistake, Path
from studies.text.formulas import LIBRARY

PATH = re.compile(
    rf"\b(?!{LIBRARY}:)[^\W\d]\w*(?:\.\w+)*:[^\W\d]\w*"
)  # module:name, also in an expression
WORDS = ("name", "question")  # keys of a study that hold plain words
WHY = "is code by its import path, which --no-plugins refuses; read the file, and what it names, first"


def mistakes(data: object, path: Path = ()) -> Iterator[Mistake]:
    """Where a study, as it is written, names code by import path."""
    if isinstance(data, str):
        named = PATH.search(data)
        if named:
            yield Mistake(path, f"{named[0]!r} {WHY}")
    elif isinstance(data, Mapping):
        for key, inner in data.items():
            if (*path, key) not in {(word,) for word in WORDS}:
                yield from mistakes(inner, (*path, key))
    elif isinstance(data, list):
        for place, inner in enumerate(data):
            yield from mistakes(inner, (*path, place))
