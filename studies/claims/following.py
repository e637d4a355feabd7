"""Laws along a setting that follows an axis: a clip that each value of the axis sets anew.

A setting follows an axis where each value of the axis has one of its own, at given values of the other axes.
Then a place of the axis is as well a place of the setting, and is called by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studies.claims.base import Judgement
from studies.text.groups import grouped
from studies.text.shapes import Data, Tree


def along(rows: Sequence[Judgement], name: str, axes: Sequence[str]) -> list[Judgement]:
    """Judgements by the value of a setting, in place of the axis that it follows.

    Args:
        rows: the judgements, whose places hold the setting too.
        name: of the setting.
        axes: the swept ones.

    Raises:
        ValueError: it follows none.
    """
    places = [row.where for row in rows if name in row.where]
    followed = next((axis for axis in axes if follows(places, name, axis)), None)
    if followed is None:
        text = (
            f"law.along: expected a value of {name} for each value of an axis, and for each another one"
        )
        raise ValueError(text)
    return [row._replace(where=_but(row.where, followed)) for row in rows]


def follows(places: Sequence[Tree], name: str, axis: str) -> bool:
    """Whether each value of an axis has a value of the setting of its own, and only one."""
    there = [where for where in places if axis in where]
    groups = grouped((repr(_but(where, axis, name)), (where[axis], where[name])) for where in there)
    return bool(groups) and all(_one_to_one(pairs) for pairs in groups.values())


def _one_to_one(pairs: Sequence[tuple[object, object]]) -> bool:
    """Whether each of several first ones has a second one of its own."""
    distinct = set(pairs)
    return len(distinct) > 1 and all(
        len(set(part)) == len(distinct) for part in zip(*distinct, strict=True)
    )


def _but(where: Mapping[str, object], *names: str) -> Data:
    return {key: value for key, value in where.items() if key not in names}
