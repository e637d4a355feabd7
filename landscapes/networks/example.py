"""A network as a user would write one, in plain torch: the default of the landscape `module`.

In a study, `module: my_package.my_file:network` and `data: my_package.my_file:train` name functions of your
own in the same way.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from landscapes.networks.digits_data import CLASSES, PIXELS, images


def network(hidden: int = 16) -> nn.Module:
    """Digits to logits, one hidden layer."""
    return nn.Sequential(nn.Linear(PIXELS, hidden), nn.GELU(), nn.Linear(hidden, CLASSES))


def train() -> tuple[Tensor, Tensor]:
    """Images (1437, 64) and labels (1437,)."""
    data = images(torch.float64, torch.device("cpu"))
    return data.pixels, data.labels


def test() -> tuple[Tensor, Tensor]:
    """Held-out images (360, 64) and labels (360,)."""
    data = images(torch.float64, torch.device("cpu"))
    return data.test_pixels, data.test_labels
