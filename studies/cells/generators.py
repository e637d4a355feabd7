"""The global generators of torch, NumPy and Python: whether somebody drew from them, and who."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Generators(NamedTuple):
    """States of the global generators of torch, NumPy and Python."""

    of_torch: Tensor
    of_numpy: str
    of_python: tuple[object, ...]

    @staticmethod
    def now(device: torch.device | str = "cpu") -> Generators:
        """As they are; torch's on a device too."""
        state = torch.get_rng_state()
        if torch.device(device).type == "cuda":
            state = torch.cat([state, torch.cuda.get_rng_state(device)])
        return Generators(
            state,
            repr([np.asarray(part).tobytes() for part in np.random.get_state()]),  # noqa: NPY002
            random.getstate(),
        )

    def moved(self, after: Generators) -> list[str]:
        """Whose generator is another now."""
        changed = {
            "torch": not torch.equal(self.of_torch, after.of_torch),
            "NumPy": self.of_numpy != after.of_numpy,
            "Python": self.of_python != after.of_python,
        }
        return [library for library, moved in changed.items() if moved]


def draws_from_python(call: Callable[[], object]) -> bool:
    """Whether a call itself draws from Python's generator, whatever other threads (Dask's) do meanwhile."""
    generator: object = random.random.__self__  # type: ignore[attr-defined]
    drawn: list[str] = []

    def note(frame: FrameType, event: str, called: object) -> None:
        inside = event == "call" and frame.f_code.co_filename == random.__file__
        owner = frame.f_locals.get("self") if inside else getattr(called, "__self__", None)
        if owner is generator and event in ("call", "c_call"):
            drawn.append(event)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(before)
    return bool(drawn)
