"""Functions of ours as operators of torch: one node of a graph, and for each device a way of its own.

What is a loop of numba on a CPU is a kernel of Triton on CUDA, where `landscapes.streams_triton` has one of
the operator's name, and plain torch elsewhere. Where there are no numbers, on the meta device and while a
graph is traced, it is a shape.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from types import ModuleType

Operator = Callable[..., Tensor]
MADE: dict[str, dict[str, Callable]] = {}  # operator -> torch's name of a device -> the function there
_OURS = torch.library.Library("two_descents", "DEF")


@functools.cache
def _kernels() -> ModuleType | None:
    """Those for CUDA; None where Triton is missing."""
    try:
        from landscapes import streams_triton
    except ImportError:
        return None
    return streams_triton


def _on_cuda(name: str, formula: Callable) -> Callable:
    """The kernel of this name, or plain torch."""
    return lambda *given: getattr(_kernels(), name, formula)(*given)


def on_cpu(function: object) -> Callable | None:
    """The function that an operator of ours is on a CPU; None: it is no operator of ours."""
    if not isinstance(function, torch._ops.OpOverload) or function.namespace != _OURS.ns:
        return None
    return MADE[function._opname]["CPU"]


def operator(
    name: str,
    takes: str,
    loop: Callable,
    formula: Callable | None,
    shape: Callable,
    gives: str = "Tensor",
) -> Callable:
    """An operator of torch.

    Args:
        name: its name, also that of its kernel for CUDA.
        takes: its arguments, as a schema has them.
        loop: for a CPU.
        formula: for other devices, in plain torch; None: it is asked on a CPU alone.
        shape: where there are no numbers: empty tensors.
        gives: what it returns, as a schema has it.
    """
    made = {"CPU": loop, "Meta": shape}
    if formula is not None:
        made |= {"CUDA": _on_cuda(name, formula), "CompositeExplicitAutograd": formula}
    MADE[name] = made
    _OURS.define(f"{name}({takes}) -> {gives}", tags=(torch.Tag.pt2_compliant_tag,))
    for device, function in made.items():
        _OURS.impl(name, function, device)
    return getattr(torch.ops.two_descents, name).default
