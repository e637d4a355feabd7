"""The global generators from which other libraries draw.

Those of torch, NumPy and Python, taken away and put back.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

_HELD = (np.random.randn.__self__, random.random.__self__)  # type: ignore[attr-defined]
SHARED = {
    id(generator): generator for generator in _HELD
}  # a memo for `copy.deepcopy`: the copy of an object that holds one goes on sharing it


class Generators(NamedTuple):
    """States of the generators that libraries draw from."""

    torch: Tensor
    numpy: dict[str, Any]
    python: tuple[Any, ...]

    @staticmethod
    def now() -> Generators:
        """The global ones, as they are."""
        numpys = np.random.get_state(legacy=False)  # noqa: NPY002
        return Generators(torch.get_rng_state(), numpys, random.getstate())

    @staticmethod
    def seed(seed: int) -> None:
        """Seed the global ones, 0 <= seed < 2**32."""
        torch.default_generator.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)

    def restore(self) -> None:
        """Make the global ones what these are."""
        torch.set_rng_state(self.torch)
        np.random.set_state(self.numpy)  # noqa: NPY002
        random.setstate(self.python)


@contextmanager
def apart() -> Iterator[None]:
    """Whatever the body does to the global generators is undone, and warnings in it are silent."""
    before = Generators.now()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        before.restore()
