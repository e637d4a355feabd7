"""The rows of the figure of claims, in words."""

from __future__ import annotations

from collections.abc import Sequence

from studies.claims.base import Judgement
from studies.claims.report import place
from studies.text.shapes import Tree

APART = "outside the regime: not judged"
Row = tuple[str, bool, Judgement | None]  # words, whether they are a heading, the judgement


def rows(judged: Sequence[Judgement]) -> list[Row]:
    """Words, whether they are a heading, and the judgement.

    Each claim with what its places have in common, then each place; last those outside.
    """
    outside = [row for row in judged if not row.in_regime]
    lines: list[Row] = []
    for name in dict.fromkeys(row.claim for row in judged if row.in_regime):
        lines += _of_claim(name, [row for row in judged if row.claim == name and row.in_regime])
    if outside:
        lines.append((APART, True, None))
    return lines + [(_named(row.claim, row, row.where), False, row) for row in outside]


def _of_claim(name: str, places: Sequence[Judgement]) -> list[Row]:
    """A heading with what the places of a claim share, and, of several, a row for each."""
    first = places[0]
    shared = {
        axis: value
        for axis, value in first.where.items()
        if all(row.where.get(axis) == value for row in places)
    }
    heading = _named(name, first, shared)
    if len(places) == 1:
        return [(heading, True, first)]
    return [(heading, True, None), *((_rest(row, shared), False, row) for row in places)]


def _named(name: str, row: Judgement, where: Tree) -> str:
    """The name of a claim, and where it is judged."""
    return f"{name} ({_place(row, where)})" if where else name


def _rest(row: Judgement, shared: Tree) -> str:
    """Where a row is judged, without what it shares with the others of its claim."""
    return _place(row, {axis: value for axis, value in row.where.items() if axis not in shared})


def _place(row: Judgement, where: Tree) -> str:
    """A place in words; no line ends within "axis = value"."""
    text = place(row._replace(where=dict(where)))
    return text.replace(" = ", "\u00a0=\u00a0").replace(" to ", "\u00a0to\u00a0")
