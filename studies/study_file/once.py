"""Results that are made once for the very objects that they are made of."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Result = TypeVar("Result")


class Once:
    """Results by name and by the objects that they are made of, which are kept.

    So the identity of an object stays its own, and nothing is compared.
    """

    def __init__(self) -> None:
        self._results: dict[tuple[Hashable, ...], tuple[Any, tuple[object, ...]]] = {}

    def of(self, name: Hashable, make: Callable[[], Result], *parts: object) -> Result:
        """The result of this name for these parts, made where it is not there yet.

        Args:
            name: of the result, with what tells it from others as a value.
            make: makes it.
            parts: of which it is made.
        """
        key = (name, *map(id, parts))
        if key not in self._results:
            self._results[key] = make(), parts
        return self._results[key][0]
