"""The Gaussian field with RBF covariance: beside a naive loop, and its covariance over instances."""

import numpy as np
import pytest
import torch

from landscapes.continuous.gaussian_field import GaussianField
from tests.contract.landscapes import bound, starts, streams
from tests.references import philox


def test_gaussian_field_against_loops():
    landscape = bound("gaussian_field")
    x = starts(landscape, 3)
    for r in range(8):
        vectors, phases = landscape.vectors[r].tolist(), landscape.phases[r, 0].tolist()
        np.testing.assert_allclose(
            landscape.loss(x)[r],
            [philox.fourier_field(y, vectors, phases, 1.0, 1.0) for y in x[r].tolist()],
            atol=1e-12,
        )


@pytest.mark.parametrize(("amplitude", "length", "waves"), [(1.0, 1.0, 16), (2.0, 0.5, 5)])
def test_gaussian_field_has_the_rbf_covariance(amplitude, length, waves):
    count = 20_000
    lags = torch.tensor([0.0, 0.5, 1.0, 2.0]).double() * length
    x = torch.stack((lags + 0.3, torch.full_like(lags, -0.7)), -1).expand(count, -1, -1)
    field = GaussianField(dim=2, waves=waves, amplitude=amplitude, length=length, bowl=0.0).bind(
        streams(torch.arange(count))
    )
    value = field.loss(x)
    products = value * value[:, :1]
    error = products.std(0) / count**0.5
    wanted = amplitude**2 * torch.exp(-(lags**2) / (2 * length**2))
    wrong = amplitude**2 * torch.exp(-(lags**2) / length**2)
    assert ((products.mean(0) - wanted).abs() <= 4.5 * error).all()
    assert ((products.mean(0) - wrong).abs() > 4.5 * error)[1:3].all()
    assert (value.mean(0).abs() <= 4.5 * value.std(0) / count**0.5).all()
