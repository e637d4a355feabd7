"""Digits beside naive loops and torch modules."""

import itertools

import pytest
import torch

from landscapes.base import Terms
from landscapes.networks import digits
from landscapes.networks.digits import Digits
from tests.contract.landscapes import (
    starts,
)
from tests.references import philox


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_digits_against_loops(activation):
    landscape = Digits(hidden=2, activation=activation)
    x = starts(landscape, 2, [0, 1])
    data = digits.images(torch.float64, torch.device("cpu"))
    picked = torch.tensor([[[0, 700, 1436]], [[5, 5, 9]]])
    value = landscape.loss(x, Terms(picked, torch.full(picked.shape, 1 / 3, dtype=torch.float64)))
    for r, p in itertools.product(range(2), range(2)):
        rows = picked[r, 0]
        naive = philox.network_loss(
            x[r, p], data.pixels[rows].tolist(), data.labels[rows].tolist(), 2, 10, activation
        )
        assert float(value[r, p]) == pytest.approx(naive, rel=1e-12)


def test_digits_split():
    data = digits.images(torch.float64, torch.device("cpu"))
    assert data.pixels.shape == (1437, 64)
    assert data.test_pixels.shape == (360, 64)
    assert (0 <= data.pixels).all()
    assert data.pixels.max() == 1
    assert all(35 <= n <= 37 for n in data.test_labels.bincount().tolist())


def test_digits_weights_are_in_the_order_of_torch_modules():
    landscape = Digits(hidden=3)
    x = starts(landscape, 1, [0])
    network = torch.nn.Sequential(
        torch.nn.Linear(64, 3), torch.nn.Tanh(), torch.nn.Linear(3, 10)
    ).double()
    torch.nn.utils.vector_to_parameters(x[0, 0], network.parameters())
    data = digits.images(torch.float64, torch.device("cpu"))
    loss = torch.nn.functional.cross_entropy(network(data.pixels), data.labels).detach()
    assert float(landscape.loss(x)) == pytest.approx(float(loss), rel=1e-12)
    right = (network(data.test_pixels).argmax(-1) == data.test_labels).double().mean()
    assert float(landscape.measures(x[:, 0])["test_accuracy"]) == pytest.approx(float(right))
