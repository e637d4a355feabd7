"""The resolved study that results came from, as it is stored with them: the only reader of it.

It is the attribute `config` of a Dataset (JSON, also in OUT/plan.json), which the plan of a study writes.
"""

from __future__ import annotations

import json

from xarray import Dataset

from studies.text.shapes import Data, Tree

ATTRIBUTE = "config"


def config(dataset: Dataset) -> Data:
    """The resolved study of a Dataset; empty where it has none."""
    return of_attrs(dataset.attrs)


def of_attrs(attrs: Tree) -> Data:
    """The resolved study among the attributes of a Dataset or of a plan; empty where there is none."""
    return json.loads(attrs.get(ATTRIBUTE, "{}"))


def changed(dataset: Dataset, **sections: object) -> dict[str, str]:
    """The attribute of a study some of whose sections are others."""
    return {ATTRIBUTE: json.dumps(config(dataset) | sections)}
