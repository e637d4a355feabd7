"""Collections of ready studies, each in the order in which it is read: `python -m studies.run chapter`.

A collection is a file in studies/configs/collections/ with its title and the names of its studies.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from studies.study_file.files import CONFIGS, data_of, ready_studies

FOLDER = CONFIGS / "collections"


class Collection(NamedTuple):
    """Ready studies that belong together."""

    name: str
    title: str
    studies: tuple[str, ...]


@functools.cache
def collections() -> dict[str, Collection]:
    """Name -> collection."""
    files = {path.stem: data_of(path) or {} for path in sorted(FOLDER.glob("*.yaml"))}
    return {
        name: Collection(name, data["title"], tuple(data["studies"])) for name, data in files.items()
    }


def in_order() -> list[str]:
    """All ready studies: those of collections in their order, then the others by name."""
    listed = (name for collection in collections().values() for name in collection.studies)
    return list(dict.fromkeys([*listed, *ready_studies()]))
