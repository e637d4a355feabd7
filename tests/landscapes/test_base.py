"""Functions whose bits do not depend on the place in an array, and tables of instances."""

import pytest
import torch

from landscapes.base import per_instance
from landscapes.numerics import logistic, softplus
from landscapes.streams import Streams


@pytest.mark.parametrize("function", [logistic, softplus])
def test_smooth_functions_agree_with_torch_in_value_and_slope(function):
    x = torch.tensor(
        [-800.0, -40.0, -1.0, -1e-9, 0.0, 1e-9, 2.0, 40.0, 800.0],
        dtype=torch.float64,
        requires_grad=True,
    )
    theirs = {logistic: torch.sigmoid, softplus: torch.nn.functional.softplus}[function]
    ours, expected = function(x), theirs(x)
    torch.testing.assert_close(ours, expected, rtol=1e-14, atol=1e-18)
    slopes = [torch.autograd.grad(y.sum(), x, retain_graph=True)[0] for y in (ours, expected)]
    torch.testing.assert_close(*slopes, rtol=1e-12, atol=1e-16)


def test_tables_are_those_of_instances_and_their_redraws():
    """Each pair of both is drawn once, and is what the world alone draws."""
    asked = []

    def draw(streams):
        asked.append(streams.size)
        return streams.uniform("instance", (3,))

    streams = Streams(seed=1, worlds=torch.tensor([4, 7, 4, 4])).redraw(
        "instance", torch.tensor([0, 2, 2, 0])
    )
    assert torch.equal(per_instance(streams, draw), streams.uniform("instance", (3,)))
    assert asked == [3]
