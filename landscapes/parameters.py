"""Parameters of a kind: its fields, with their ranges and what they mean."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin, get_type_hints

import torch
from annotated_types import BaseMetadata, Ge, Gt, Le, Lt

# parameter that may be null -> its number in a run, of its owner and the task (`optimizers.defaults.Task`)
Defaults = dict[str, Callable[[Any, Any], float | int | None]]
SIGNS = {
    Gt: (">", operator.gt),
    Ge: (">=", operator.ge),
    Lt: ("<", operator.lt),
    Le: ("<=", operator.le),
}


class Parameters:
    """Base of frozen, keyword-only dataclasses whose fields carry their ranges: Gt, Ge, Lt, Le.

    These are annotations of `annotated_types`.

    A field may also hold an (R,) tensor, one number for each world; then every entry must lie in the range.
    """

    name: ClassVar[str]
    shown_first: ClassVar[tuple[str, ...]] = ()  # parameters that stand before those of a base class
    defaults: ClassVar[Defaults] = {}  # of those that may be null, and then have a number

    def __post_init__(self) -> None:
        for key, value in self.parameters().items():
            words = choices(type(self), key)  # type: ignore[arg-type]
            if words and value not in words:
                raise ValueError(
                    f"{self.name}.{key}: expected one of {', '.join(map(str, words))}, got {value!r}"
                )
            for bound in ranges(type(self), key):  # type: ignore[arg-type]
                if not _within(bound, value):
                    raise ValueError(f"{self.name}.{key}: expected {_describe(bound)}, got {value}")
        self.check()

    def check(self) -> None:
        """Checks that need more than one field; raises ValueError."""

    def parameters(self) -> dict[str, Any]:
        """Field -> value, bound tables left out."""
        return {f.name: getattr(self, f.name) for f in parameter_fields(type(self))}  # type: ignore[arg-type]


@functools.cache
def parameter_fields(owner: type) -> tuple[dataclasses.Field[Any], ...]:
    """The fields of a dataclass that are parameters, bound tables left out, in the order shown."""
    first: tuple[str, ...] = getattr(owner, "shown_first", ())
    fields = [f for f in dataclasses.fields(owner) if f.init]
    return tuple(sorted(fields, key=lambda f: first.index(f.name) if f.name in first else len(first)))


@functools.cache
def hints_of(owner: type, *, include_extras: bool = False) -> dict[str, Any]:
    """The type hints of a class, found once."""
    return get_type_hints(owner, include_extras=include_extras)


@functools.cache
def choices(owner: type, key: str) -> tuple[object, ...]:
    """The values of which one field of a Parameters class has one; empty where it is no `Literal`."""
    hint = hints_of(owner)[key]
    return get_args(hint) if get_origin(hint) is Literal else ()


@functools.cache
def ranges(owner: type, key: str) -> tuple[BaseMetadata, ...]:
    """The range annotations of one field of a Parameters class."""
    hint = hints_of(owner, include_extras=True)[key]
    if get_origin(hint) is not Annotated:
        return ()
    return tuple(m for m in get_args(hint)[1:] if isinstance(m, BaseMetadata))


def numbers(kind: type[Parameters], values: Mapping[str, object]) -> dict[str, float]:
    """The parameters of a kind that may be a number for each world, where they are numbers.

    Args:
        kind: its class.
        values: of all its parameters.
    """
    hints = hints_of(kind)  # type: ignore[arg-type]
    return {
        key: float(value)
        for key, value in values.items()
        if isinstance(value, float | int) and float in (hints.get(key), *get_args(hints.get(key)))
    }


def _within(bound: BaseMetadata, value: Any) -> bool:  # noqa: ANN401
    if value is None or isinstance(value, str):
        return True
    _, compared = SIGNS[type(bound)]
    holds = compared(value, _limit(bound))
    return holds if isinstance(holds, bool) else bool(torch.as_tensor(holds).all())


def _limit(bound: BaseMetadata) -> Any:  # noqa: ANN401
    return getattr(bound, type(bound).__name__.lower())


def _describe(bound: BaseMetadata) -> str:
    sign, _ = SIGNS[type(bound)]
    return f"{sign} {_limit(bound)}"
