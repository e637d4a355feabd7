"""Quadratic bowls beside naive loops: spectrum, rotation, covariance of the terms."""

import numpy as np
import pytest
import torch

from landscapes.base import Terms
from landscapes.continuous.quadratic import Quadratic
from landscapes.oracle.evaluation import evaluate
from tests.contract.landscapes import bound, starts, streams
from tests.references import philox
from tests.support.each import each


def test_quadratic_against_loops():
    landscape = bound("quadratic")
    x = 3 * starts(landscape, 2)
    for r in range(8):
        hessian = landscape.rotation[r] @ landscape.eigenvalues[r].diag() @ landscape.rotation[r].T
        naive = [
            philox.quadratic(y, hessian.tolist(), landscape.optimum[r].tolist()) for y in x[r].tolist()
        ]
        np.testing.assert_allclose(landscape.loss(x)[r], naive, rtol=1e-10)


@each(
    ("spectrum", "wanted"),
    [
        ("log", [4, 2, 1, 0.5]),
        ("linear", [4, 17 / 6, 10 / 6, 0.5]),
        ("power", [4 * i**-1.5 for i in (1, 2, 3, 4)]),
    ],
)
def test_quadratic_spectrum(spectrum, wanted):
    h = Quadratic(dim=4, condition=8.0, curvature=4.0, spectrum=spectrum).bind(streams()).eigenvalues
    np.testing.assert_allclose(h, [wanted] * 8, rtol=1e-12)


def test_quadratic_rotations_are_orthogonal():
    q = bound("quadratic").rotation
    torch.testing.assert_close(q.mT @ q, torch.eye(5).double().expand(8, 5, 5), rtol=0, atol=1e-12)


@pytest.mark.parametrize("noise", ["isotropic", "hessian"])
def test_quadratic_terms_have_exactly_the_set_gradient_covariance(noise):
    landscape = Quadratic(dim=4, terms=7, noise=noise, noise_scale=1.5, rotated=True).bind(streams())
    x = starts(landscape, 1)
    slopes = [
        evaluate(
            landscape, x, Terms(torch.full((8, 1, 1), i), torch.ones(8, 1, 1).double()), gradient=True
        ).gradient[:, 0]
        for i in range(7)
    ]
    g = torch.stack(slopes, 1)  # (R, M, D)
    g = g - g.mean(1, keepdim=True)
    hessian = landscape.rotation @ (landscape.eigenvalues[..., None] * landscape.rotation.mT)
    wanted = 2.25 * (hessian if noise == "hessian" else torch.eye(4).double().expand(8, 4, 4))
    torch.testing.assert_close(g.mT @ g / 7, wanted, rtol=0, atol=1e-12)
    assert not torch.allclose(g.mT @ g / 6, wanted, rtol=0.01), "the normaliser is M, not M - 1"
