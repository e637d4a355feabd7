"""Fisher's geometric model: its start law, its matrices, its epistasis."""

import math

import numpy as np
import pytest
import torch

from landscapes.continuous.fisher import Fisher
from landscapes.continuous.quadratic import Quadratic
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams
from optimizers.fitness import fitness
from tests.support.each import each

WORLDS = torch.arange(4)


def streams(worlds=WORLDS, dtype=torch.float64):
    return Streams(seed=13, worlds=torch.as_tensor(worlds), dtype=dtype)


ANISOTROPIC = {"dim": 4, "selection_condition": 40.0, "mutation_condition": 9.0}


@each("options", [{"dim": 3}, {"dim": 1}, ANISOTROPIC, ANISOTROPIC | {"rotated": False}])
@each("epistasis", [0.5, 2.0, 3.0])
def test_starts_lie_on_a_sphere_about_the_optimum(options, epistasis):
    bound = Fisher(distance=1.5, width=2.0, epistasis=epistasis, shifted=True, **options).bind(
        streams()
    )
    x = bound.start(streams(), 7)
    np.testing.assert_allclose(bound.traits(x).square().sum(-1).sqrt(), 1.5, rtol=1e-12)
    np.testing.assert_allclose(bound.loss(x), 0.5 * 0.75**epistasis, rtol=1e-12)
    np.testing.assert_allclose(bound.loss(bound.optimum[:, None]), 0, atol=0)
    if options == {"dim": 3}:
        np.testing.assert_allclose(
            (x - bound.optimum[:, None]).square().sum(-1).sqrt(), 1.5, rtol=1e-12
        )


@each("kind", ["linear", "exponential"])
def test_methods_that_select_by_fitness_take_a_gaussian_of_the_distance(kind):
    """At distance d it is exp(-1/2 (d / width)^Q), relative to 1 at the optimum."""
    model = Fisher(dim=1, width=2.0, epistasis=3.0)
    x = torch.tensor([[[0.0], [1.0], [2.0], [-3.0]]]).double()
    loss = model.bind(streams([0])).loss(x)
    found = fitness(loss, kind, 1.0, model.fitness_law)[0].numpy()
    expected = [math.exp(-0.5 * (d / 2) ** 3) for d in (0, 1, 2, 3)]
    np.testing.assert_allclose(found / found[0], expected, rtol=1e-12)


def test_starts_have_no_preferred_direction():
    worlds = torch.arange(4000)
    y = Fisher(dim=3, distance=2.0).bind(streams(worlds)).start(streams(worlds), 1)[:, 0]
    assert (y.mean(0).abs() <= 4.5 * y.std(0) / 4000**0.5).all()
    spread = y.T @ y / 4000
    error = (2 / 4000) ** 0.5 * 4 / 3
    assert ((spread - 4 / 3 * torch.eye(3).double()).abs() <= 4.5 * error).all()
    cube = (
        torch.sign(y) * 2 / 3**0.5
    )  # a law with the same mean and covariance that prefers the diagonals
    fourth, wrong = (y**4).mean(), (cube**4).mean()
    assert abs(fourth - 16 / 5) <= 4.5 * float((y**4).std()) / 4000**0.5
    assert abs(wrong - 16 / 5) > 1


@pytest.mark.parametrize("rotated", [False, True])
def test_isotropic_steps_are_correlated_mutations(rotated):
    """The Hessian at Q = 2 is A' S A / w^2.

    Its determinant and traces are those of the spectra, whatever the rotation.
    """
    bound = Fisher(width=0.5, rotated=rotated, shifted=True, **ANISOTROPIC).bind(streams())
    for r in range(4):
        one = bound.bound(
            rotation=None if bound.rotation is None else bound.rotation[r : r + 1],
            optimum=bound.optimum[r : r + 1],
        )
        hessian = (
            torch.autograd.functional.hessian(
                lambda x, one=one: one.loss(x[None, None])[0, 0], torch.zeros(4).double()
            )
            / 4
        )
        s, m = ([c ** (-i / 3) for i in range(4)] for c in (40, 9))
        s, m = (np.array(v) / np.mean(v) for v in (s, m))
        a = np.eye(4) if one.rotation is None else one.rotation[0].T.numpy()
        matrix = a @ np.diag(np.sqrt(m))
        np.testing.assert_allclose(hessian, matrix.T @ np.diag(s) @ matrix, atol=1e-12)
        assert np.linalg.det(hessian) == pytest.approx(np.prod(s) * np.prod(m))
        assert (abs(np.trace(hessian) - s @ m) < 1e-12) == (not rotated)


def test_isotropic_model_is_a_quadratic():
    fisher, bowl = (
        Fisher(dim=5, width=0.5).bind(streams()),
        Quadratic(dim=5, condition=1.0, curvature=4.0).bind(streams()),
    )
    x = streams().normal("init", (3, 5))
    torch.testing.assert_close(fisher.loss(x), bowl.loss(x), rtol=1e-13, atol=0)


@each(("epistasis", "sign"), [(1.5, -1), (2.0, 0), (3.0, 1)])
def test_epistasis_between_orthogonal_mutations_follows_the_exponent(epistasis, sign):
    """Two steps away from the optimum cost more than the sum of their costs where Q > 2, less where Q < 2."""
    bound = Fisher(dim=2, epistasis=epistasis).bind(streams([0]))
    a, b, both = bound.loss(torch.tensor([[[0.3, 0.0], [0.0, 0.3], [0.3, 0.3]]], dtype=torch.float64))[
        0
    ].tolist()
    assert (abs(both - a - b) < 1e-14) if sign == 0 else math.copysign(1, both - a - b) == sign
    assert both == pytest.approx(0.5 * (0.3 * 2**0.5) ** epistasis)


@each("epistasis", [0.5, 1.0, 1.5, 2.0, 4.0])
@each("dtype", [torch.float64, torch.float32])
def test_the_slope_is_zero_at_the_optimum(epistasis, dtype):
    bound = Fisher(dim=3, epistasis=epistasis, shifted=True).bind(streams(dtype=dtype))
    answer = evaluate(bound, bound.optimum[:, None], gradient=True)
    assert torch.equal(answer.gradient, torch.zeros_like(answer.gradient))
    assert torch.equal(answer.value, torch.zeros_like(answer.value))


@each(
    ("make", "message"),
    [
        (lambda: Fisher(dim=0), "fisher.dim: expected >= 1, got 0"),
        (lambda: Fisher(epistasis=0.0), "fisher.epistasis: expected > 0, got 0.0"),
        (lambda: Fisher(distance=0.0), "fisher.distance: expected > 0, got 0.0"),
        (lambda: Fisher(selection_condition=0.5), "fisher.selection_condition: expected >= 1, got 0.5"),
        (lambda: Fisher(starts="optimum"), "fisher.starts: expected one of sphere, box, got 'optimum'"),
    ],
)
def test_parameters_out_of_range_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
