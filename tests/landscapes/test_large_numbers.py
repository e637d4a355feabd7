"""Points so far away that the squares of their coordinates cannot be held."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from landscapes.base import Landscape, Reals
from landscapes.games.base import distance
from landscapes.networks.batch_norm import BatchNorm
from landscapes.oracle.evaluation import evaluate
from landscapes.probes import correlation, estimates
from landscapes.probes.continuous import information, walking
from landscapes.streams import Streams
from tests.studies.cells.test_loop import run, task
from tests.support.each import each

FLOATS = {torch.float32: 80, torch.float64: 600}


@each("dtype", FLOATS)
@each("statistics", ["batch", "batch_constant", "running"])
def test_batch_norm_does_not_depend_on_the_length_of_the_weights_before_it(statistics, dtype):
    """With eps = 0: 2^80 w for w, bit for bit the same loss, and a slope 2^-80 as steep."""
    landscape = BatchNorm(hidden=2, statistics=statistics, eps=0.0)
    x = Streams(seed=1, worlds=torch.arange(2), dtype=dtype).normal("init", (2, landscape.dim))
    weights = torch.arange(landscape.dim) < 2 * 64
    far = torch.where(weights, x * 2.0 ** FLOATS[dtype], x)
    near, away = evaluate(landscape, x, gradient=True), evaluate(landscape, far, gradient=True)
    assert torch.equal(near.value, away.value)
    assert torch.equal(
        torch.where(weights, away.gradient * 2.0 ** FLOATS[dtype], away.gradient), near.gradient
    )


@pytest.mark.parametrize("dtype", FLOATS)
def test_distances_in_games(dtype):
    gap = torch.tensor([[[3.0, 4.0]]], dtype=dtype) * 2.0 ** FLOATS[dtype]
    assert distance(gap, torch.zeros(1, 2, dtype=dtype)).item() == 5 * 2.0 ** FLOATS[dtype]


@dataclass(frozen=True, kw_only=True)
class Far(Landscape):
    """sum of x_d (1 + d), starts between 2^power and twice that."""

    name: ClassVar[str] = "far"
    power: int = 0
    dim = 3

    @property
    def domain(self):
        return Reals(2.0**self.power, 2.0 ** (self.power + 1))

    def loss(self, x, terms=None, time=None):
        return (x * (1 + torch.arange(3, dtype=x.dtype))).sum(-1)


@pytest.mark.parametrize("dtype", FLOATS)
def test_records_of_far_points(dtype):
    """The same run in another unit: lengths are 2^k times what they were."""

    def records(power):
        spec = {"kind": "tests.landscapes.test_large_numbers:Far", "power": power}
        descent = {"kind": "sgd", "learning_rate": 0.125 * 2.0**power, "starts": 2}
        return run(
            task(
                spec,
                descent,
                budget=12.0,
                checkpoints=[6.0, 12.0],
                dtype=str(dtype).removeprefix("torch."),
            ),
            range(3),
        )

    near, far = records(0), records(FLOATS[dtype])
    for name in ("step_length", "diversity"):
        assert np.array_equal(far[name], near[name] * 2.0 ** FLOATS[dtype])
        assert (near[name] > 0).all()


@each("dtype", FLOATS)
@each("sign", [1, -1], ids=["large", "small"])
def test_probes_of_losses_do_not_depend_on_their_unit(sign, dtype):
    """Correlations, the error of a jackknife and the signs of slopes, of a loss in units of 2^k."""
    unit, s = 2.0 ** (sign * FLOATS[dtype]), Streams(seed=1, worlds=torch.arange(3), dtype=dtype)
    loss, other = s.normal("mutation", (2, 5, 40)).unbind(1)
    lags = torch.arange(0, 20, 5)
    assert torch.equal(walking._correlations(loss * unit, lags), walking._correlations(loss, lags))
    assert (walking._correlations(loss, lags)[:, 0] == 1).all()
    a, b = loss.flatten(1), other.flatten(1)
    expected = [
        np.corrcoef(x, y)[0, 1] for x, y in zip(a.double().numpy(), b.double().numpy(), strict=True)
    ]
    np.testing.assert_allclose(correlation.pearson(a * unit, b * unit), expected, rtol=1e-4)
    assert torch.equal(estimates.left_out(a * unit), estimates.left_out(a) * unit)
    for plain, scaled in zip(
        information._signs(loss, torch.tensor([0.0, 0.5])),
        information._signs(loss * unit, torch.tensor([0.0, 0.5])),
        strict=True,
    ):
        assert torch.equal(plain, scaled)
