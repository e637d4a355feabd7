"""What is in a state, and how a number of the loop's is shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from torch import Tensor


def parts_of(owner: object) -> dict[str, Tensor]:
    """The tensors in a state or in what the optimizer told, by name."""
    parts = owner._asdict() if hasattr(owner, "_asdict") else owner
    if dataclasses.is_dataclass(owner) and not isinstance(owner, type):
        parts = {each.name: getattr(owner, each.name) for each in dataclasses.fields(owner)}
    if not isinstance(parts, Mapping):
        return {}
    return {str(name): part for name, part in parts.items() if isinstance(part, Tensor)}


def behind(part: Tensor, like: Tensor) -> Tensor:
    """The same numbers with an axis of length 1 for each further one of `like`."""
    return part.reshape(*part.shape, *(1,) * (like.ndim - part.ndim))


def plain(value: Tensor, dim: int) -> Tensor:
    """As float64, without axes of length 1 but that of one coordinate."""
    shape = value.shape[1:]
    kept = [size for size in shape if size != 1]
    if dim == 1 and shape and shape[-1] == 1:
        kept.append(1)
    return value.double().reshape(len(value), *kept)
