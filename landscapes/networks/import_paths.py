"""Code and data that a user names by an import path."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset

from landscapes.streams import Streams


def imported(field: str, path: str) -> Any:  # noqa: ANN401
    """What an import path "package.file:name" names; files in the current directory are found.

    Raises:
        ValueError: there is none, or its file cannot be imported; begins with `field`.
    """
    module, _, name = path.partition(":")
    if not (module and name):
        raise ValueError(f"{field}: expected an import path 'package.file:name', got {path!r}")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, SyntaxError) as error:
        raise ValueError(f"{field}: cannot import {path!r}: {error}") from error


def reproducibly(make: Callable[[], Any]) -> Any:  # noqa: ANN401
    """make(), with torch's generator at one fixed address, so that it makes the same in every process."""
    made: list[Any] = []

    def draw() -> Tensor:
        made.append(make())
        return torch.empty(0)

    Streams(seed=0, worlds=torch.zeros(1, dtype=torch.int64)).foreign("instance", 1, draw)
    return made[0]


@cache
def examples(field: str, path: str) -> tuple[Tensor, Tensor]:
    """Inputs (M, ...) and targets (M, ...) at an import path.

    A pair of tensors, a torch Dataset, or a function that returns one of these.

    Raises:
        ValueError: there are none, or they are something else.
    """

    def load() -> Any:  # noqa: ANN401
        named = imported(field, path)
        return named() if callable(named) and not isinstance(named, Dataset) else named

    inputs, targets = _pair(field, path, reproducibly(load))
    if len(inputs) != len(targets) or not len(inputs):
        raise ValueError(
            f"{field}: expected as many targets as inputs, 1 or more, got {len(inputs)} inputs and"
            f" {len(targets)} targets from {path!r}"
        )
    return inputs, targets


@cache
def placed(field: str, path: str, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """`examples` on a device, real numbers in this dtype, whole numbers and bools as they are."""
    inputs, targets = (
        part.to(device, dtype if part.is_floating_point() else part.dtype)
        for part in examples(field, path)
    )
    return inputs, targets


def _pair(field: str, path: str, data: Any) -> tuple[Tensor, Tensor]:  # noqa: ANN401
    if isinstance(data, TensorDataset):
        data = data.tensors
    elif isinstance(data, Dataset):
        inputs, targets = zip(*(data[i] for i in range(len(data))), strict=True)  # type: ignore[arg-type]
        data = tuple(
            torch.stack([torch.as_tensor(row) for row in column]) for column in (inputs, targets)
        )
    if not (isinstance(data, (tuple, list)) and len(data) == 2):
        wanted = "a pair of tensors (inputs, targets) or a torch Dataset of such pairs"
        raise ValueError(f"{field}: expected {wanted} at {path!r}, got {type(data).__name__}")
    return torch.as_tensor(data[0]), torch.as_tensor(data[1])


@cache
def digest(field: str, path: str) -> str:
    """64 hexadecimal digits: equal for equal examples."""
    digested = hashlib.sha256()
    for tensor in examples(field, path):
        digested.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        digested.update(tensor.cpu().numpy().tobytes())
    return digested.hexdigest()
