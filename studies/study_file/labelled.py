"""Values of a study that may differ by landscape: a map label -> value, with a `default` for all others."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from studies.study_file import clocks, sections, spaced
from studies.study_file.document import Path, inside, mapping_at
from studies.study_file.model import DEFAULT
from studies.text.shapes import Data, Json

MAPS = (  # keys whose value may be a map label -> value
    ("budget",),
    ("targets",),
    ("precision",),
    ("checkpoints",),
    *(
        (section, key)
        for section, model in sections.SECTIONS.items()
        for key in model.model_fields
        if key != "off"
    ),
)
OWN_KEYS = {  # of a value that is itself a mapping, and no map of labels
    "budget": {*clocks.CLOCKS},
    "checkpoints": {*spaced.KEYS},
    "evaluation": {"value", "gradient"},
    "targets": {*sections.TARGETS},
}


def by_label(path: tuple[str, ...], data: Data) -> Data:
    """Label -> value, of a key of MAPS; empty where it has one value for all landscapes."""
    values = mapping_at(path, data)
    return {} if values.keys() & OWN_KEYS.get(path[-1], set()) else values


def narrowed(data: Data, label: str) -> Data:
    """A copy of a study, or of some of its keys, in which such maps have one landscape's value alone."""
    data = copy.deepcopy(data)
    for path in MAPS:
        values = by_label(path, data)
        for other in [*_others(values, label)]:
            del values[other]
    return data


def _others(values: Data, label: str) -> Iterator[str]:
    """The labels whose values are not that of a landscape."""
    chosen = label if label in values else DEFAULT
    yield from (other for other in values if other != chosen)


def trimmed(path: Path, data: Json) -> Path:
    """A path as far as it leads to something in the data; empty where a key of it is not there."""
    for depth, part in enumerate(path):
        if not isinstance(data, dict | list):
            return path[:depth]
        if isinstance(data, dict) and part not in data:
            return ()
        data = inside(data, part)
    return path
