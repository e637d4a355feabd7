"""Real data: handwritten digits.

The test set of "Optical recognition of handwritten digits" (Alpaydin and Kaynak 1998, UCI), 1,797 images of 8
x 8 pixels, as bundled with scikit-learn; pixels are divided by 16. Sorted by label, every fifth image, the
first included, is held out (360, the classes balanced); 1,437 train.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

PIXELS, CLASSES, TRAIN, STRIDE = 64, 10, 1437, 5


class Images(NamedTuple):
    """Training and held-out images, rows are images."""

    pixels: Tensor  # (1437, 64) in [0, 1]
    labels: Tensor  # (1437,) int64
    test_pixels: Tensor  # (360, 64)
    test_labels: Tensor  # (360,)


@cache
def images(dtype: torch.dtype, device: torch.device) -> Images:
    """The data, loaded once for each dtype and device."""
    from sklearn.datasets import load_digits  # noqa: PLC0415  a second's import, needed here only

    data = load_digits()
    pixels = torch.from_numpy(data.data).to(device, dtype) / 16
    labels = torch.from_numpy(data.target).to(device, torch.int64)
    order = labels.argsort(stable=True)
    held = torch.arange(len(order), device=device) % STRIDE == 0
    train, test = order[~held], order[held]
    return Images(pixels[train], labels[train], pixels[test], labels[test])


def picked(table: Tensor, index: Tensor | None, worlds: int) -> Tensor:
    """The rows (R, 1 | P, B, ...) of a table (M, ...) that a mini-batch (R, 1 | P, B) names; None: all."""
    return table.expand(worlds, 1, *table.shape) if index is None else table[index]
