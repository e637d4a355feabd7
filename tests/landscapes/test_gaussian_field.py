"""The Gaussian field: beside a naive loop, its RBF covariance over instances, and the waves of other spectra."""

import numpy as np
import pytest
import torch
from scipy import stats

from landscapes.continuous.gaussian_field import GaussianField
from tests.contract.landscapes import bound, starts, streams
from tests.references import philox
from tests.support.each import each


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


P = 1e-5  # of a law that holds, to look so wrong


def student(freedom):
    """The length of a multivariate t in space: its square, over three, has the law F."""
    return lambda q: stats.f.cdf(q**2 / 3, 3, freedom)


def power_law(exponent):
    """Densities q^-beta between 1 and 20."""
    rise = 1 - exponent
    return lambda q: np.log(q) / np.log(20) if rise == 0 else (q**rise - 1) / (20**rise - 1)


SIZES = {  # options -> the law of |w| and a wrong one
    "matern-1/2": ({"spectrum": "matern", "smoothness": 0.5}, student(1), student(2)),
    "matern-3/2": ({"spectrum": "matern", "smoothness": 1.5}, student(3), student(4)),
    "power-1": ({"spectrum": "power_law", "exponent": 1.0}, power_law(1), power_law(1.3)),
    "power-5/2": ({"spectrum": "power_law", "exponent": 2.5}, power_law(2.5), power_law(2)),
}


@each("spectrum", SIZES)
def test_waves_have_the_lengths_of_their_spectrum_and_any_direction(spectrum):
    """Of any direction in space the share along an axis is uniform (Archimedes)."""
    options, right, wrong = SIZES[spectrum]
    field = GaussianField(dim=3, waves=2000, length=0.4, inner=0.02, **options)
    w = 0.4 * field.bind(streams(torch.arange(4))).vectors.flatten(0, 1)
    size = w.square().sum(1).sqrt()
    assert stats.kstest(size, right).pvalue > P
    assert stats.kstest(size, wrong).pvalue < P
    assert stats.kstest(w[:, 0] / size, "uniform", (-1, 2)).pvalue > P
