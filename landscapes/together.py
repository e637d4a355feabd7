"""Landscapes of one kind that differ in numbers alone, bound as one: each world has its own.

What depends on numbers is a table with a leading axis of worlds once a landscape is bound, as a random one
is. Each landscape is bound to its own worlds, and the tables are put one behind the other, so that a world
has the bits that it has alone. A parameter that differs is no number in the whole, so that a landscape that
computes with it instead of a table fails.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from landscapes import parameters
from landscapes.base import Landscape
from landscapes.parameters import parameter_fields
from landscapes.streams import Streams

# what those that are bound as one have in common, beside their kinds
ALIKE = tuple(
    """
    dim domain terms unit_cost solution_cost extension_cost gap_known place_known fitness_law additive
    smallest_batch players clock noisy drops sloped values_are_solutions form
    """.split()
)
Place = tuple[str, ...]  # of a number: the parameter's name, behind that of the landscape it belongs to


def of_worlds(streams: Streams, *values: float, dtype: torch.dtype | None = None) -> tuple[Tensor, ...]:
    """Numbers as tables (R, 1), whose rows share memory; in the dtype of the streams, or another."""
    like = torch.empty((), dtype=dtype or streams.dtype, device=streams.device)
    return tuple(like.new_full((1, 1), value).expand(streams.size, 1) for value in values)


# which numbers ----------------------------------------------------------------------------------------------


def numbers(landscape: Landscape) -> dict[Place, float]:
    """The parameters in which landscapes may differ that are bound as one, also of one inside another."""
    values = landscape.parameters()
    own = parameters.numbers(type(landscape), values)
    found = {(name,): number for name, number in own.items() if name not in landscape.one_for_all}
    inner = {name: numbers(value) for name, value in values.items() if isinstance(value, Landscape)}
    return found | {(name, *place): n for name, of in inner.items() for place, n in of.items()}


def likeness(landscape: Landscape) -> tuple[object, ...]:
    """What landscapes that differ in `numbers` share if they can be bound as one."""
    inner = (
        likeness(value) for value in landscape.parameters().values() if isinstance(value, Landscape)
    )
    return (*(getattr(landscape, name) for name in ALIKE), *inner)


# bound as one -----------------------------------------------------------------------------------------------


def bind(parts: Sequence[tuple[Landscape, Streams]]) -> Landscape:
    """Landscapes, each bound to worlds of its own, as one of all these worlds in their order.

    Args:
        parts: of one `likeness`, with the streams of their worlds; equal ones are one part.
    """
    bound = [landscape.bind(streams) for landscape, streams in parts]
    return bound[0] if len(bound) == 1 else _landscape(bound, [streams.size for _, streams in parts])


def _landscape(parts: Sequence[Landscape], sizes: Sequence[int]) -> Landscape:
    """Bound landscapes of so many worlds each as one."""
    first = parts[0]
    parameters = {field.name for field in parameter_fields(type(first))}
    values = {name: [vars(part)[name] for part in parts] for name in vars(first)}
    return first.bound(**{
        name: _parameter(found)
        if name in parameters and not isinstance(found[0], Landscape)
        else _joined(found, sizes)
        for name, found in values.items()
    })


def _parameter(values: Sequence[Any]) -> Any:  # noqa: ANN401
    first = values[0]
    return first if all(value == first for value in values) else Differing(first)


@functools.total_ordering
class Differing:
    """A parameter that is not the same in all worlds, which can be compared, as all are of one form.

    Args:
        first: that of the first world.
    """

    def __init__(self, first: float) -> None:
        self.first = first

    def __eq__(self, other: object) -> bool:
        return self.first == other

    def __lt__(self, other: float) -> bool:
        return self.first < other

    def __bool__(self) -> bool:
        return bool(self.first)

    __hash__ = object.__hash__


def _joined(parts: Sequence[Any], sizes: Sequence[int]) -> Any:  # noqa: ANN401
    """Whatever parts of so many worlds hold, as the whole holds it."""
    first = parts[0]
    if isinstance(first, Tensor):
        return _rows(parts, sizes)
    if isinstance(first, Landscape):
        return _landscape(parts, sizes)
    if isinstance(first, tuple):
        made = (_joined(column, sizes) for column in zip(*parts, strict=True))
        return type(first)(*made) if hasattr(first, "_fields") else tuple(made)
    if dataclasses.is_dataclass(first):
        names = [field.name for field in dataclasses.fields(first) if field.init]
        values = {name: _joined([getattr(part, name) for part in parts], sizes) for name in names}
        return dataclasses.replace(first, **values)  # type: ignore[type-var]
    if any(part != first for part in parts):
        raise ValueError(f"expected one number for all worlds, got {parts}")
    return first


def _rows(parts: Sequence[Tensor], sizes: Sequence[int]) -> Tensor:
    """Tables (R, ...) one behind the other; where all rows of all are one, they go on sharing its memory."""
    first = parts[0]
    if [len(part) for part in parts] != [*sizes]:
        if len(first) == 1 and all(torch.equal(part, first) for part in parts):
            return first  # that of all worlds
        raise ValueError(
            f"expected tables of {sizes} worlds, got {[tuple(part.shape) for part in parts]}"
        )
    shared = all(part.stride(0) == 0 and torch.equal(part[0], first[0]) for part in parts)
    return first[:1].expand(sum(sizes), *first.shape[1:]) if shared else torch.cat([*parts])
