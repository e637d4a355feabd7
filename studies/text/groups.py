"""What belongs together, by a key."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Member = TypeVar("Member")


def grouped(pairs: Iterable[tuple[Key, Member]]) -> dict[Key, list[Member]]:
    """Key -> all that came with it; keys and members in the order in which they came."""
    groups: dict[Key, list[Member]] = {}
    for key, member in pairs:
        groups.setdefault(key, []).append(member)
    return groups


def some(lines: Sequence[str], most: int = 20) -> list[str]:
    """The first lines, and how many there are beyond these."""
    left = len(lines) - most
    return [*lines[:most], f".. and {left:,} lines more like these"] if left > 1 else [*lines]
