"""Games beside naive loops: losses, own gradients, fixed points and truths."""

import itertools
import math

import numpy as np
import pytest
import torch

from landscapes.games.biased_gan import BiasedGAN
from landscapes.games.bilinear import Bilinear
from landscapes.games.dirac_gan import DiracGAN
from landscapes.games.matching_pennies import MatchingPennies
from landscapes.numerics import logistic
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams
from tests.references import games as reference
from tests.support.each import each


def streams(worlds=2):
    return Streams(seed=5, worlds=torch.arange(worlds))


def bound(game, worlds=2):
    return game.bind(streams(worlds))


def rows(points):
    """All points of all worlds, with their places."""
    return (
        ((r, p), points[r, p].tolist())
        for r, p in itertools.product(range(points.shape[0]), range(points.shape[1]))
    )


@each("activation", ["logistic", "linear"])
@each("generator", ["saturating", "non_saturating"])
@each(("gamma", "noise"), [(0.0, 0.0), (0.7, 0.0), (0.4, 0.5)])
def test_dirac_gan_against_loops(activation, generator, gamma, noise):
    game = bound(DiracGAN(activation=activation, generator=generator, gamma=gamma, noise=noise))
    x = 2 * game.start(streams(), 3)
    value = game.loss(x)
    for place, (theta, psi) in rows(x):
        naive = reference.dirac_gan(
            theta, psi, gamma, noise, activation == "logistic", generator == "saturating"
        )
        np.testing.assert_allclose(value[place], naive, rtol=1e-11, atol=1e-12)


def test_biased_gan_descends_its_field():
    game = bound(BiasedGAN(beta=0.4, kappa=1.7, gamma=0.9))
    x = 3 * game.start(streams(), 5)
    field = -evaluate(game, x, gradient=True).gradient
    for place, (theta, psi) in rows(x):
        np.testing.assert_allclose(
            field[place], reference.biased_field(theta, psi, 0.4, 1.7, 0.9), rtol=1e-12, atol=1e-14
        )


@each(
    ("beta", "kappa", "gamma", "count"),
    [
        (0.3, 2.0, 1.5, 1),
        (0.34, 2.0, 1.5, 3),
        (5.0, 1.0, 8.0, 3),
        (0.5, 2.0, 0.0, 1),
        (1 + 1e-9, 1, 1, 3),
    ],
)
def test_biased_gan_rests_at_its_fixed_points(beta, kappa, gamma, count):
    game = bound(BiasedGAN(beta=beta, kappa=kappa, gamma=gamma), 1)
    points = game.fixed_points()
    assert points.shape == (count, 2)
    assert len(points.unique(dim=0)) == count
    assert (points[0] == 0).all()
    assert torch.equal(points[1:], -points[1:].flip(0))
    assert evaluate(game, points[None], gradient=True).gradient.abs().max() <= 1e-14 * max(
        1, float(points.max())
    )
    torch.testing.assert_close(
        game.measures(points[-1:] + torch.tensor([3e-6, 4e-6]).double())["fixed_point_distance"],
        torch.tensor([5e-6]).double(),
    )
    assert float(game.solution_loss(points[None, -1:])) == pytest.approx(
        math.hypot(*points[-1].tolist())
    )


@pytest.mark.parametrize("regularisation", [0.0, 0.3])
def test_bilinear_against_loops(regularisation):
    game = bound(Bilinear(dim=6, shifted=True, regularisation=regularisation))
    x = game.start(streams(), 3)
    value, far = game.loss(x), game.solution_loss(x)
    for (r, p), _ in rows(x):
        gap = (x[r, p] - game.optimum[r]).tolist()
        np.testing.assert_allclose(
            value[r, p],
            reference.bilinear(gap[:3], gap[3:], game.matrix[r].tolist(), regularisation),
            rtol=1e-12,
        )
        assert float(far[r, p]) == pytest.approx(math.sqrt(sum(g * g for g in gap)))


@each(("spectrum", "wanted"), [("log", [3, 1.5, 0.75]), ("linear", [3, 1.875, 0.75])])
@each("rotated", [True, False])
def test_bilinear_has_the_set_singular_values(spectrum, wanted, rotated):
    matrix = bound(
        Bilinear(dim=6, coupling=3.0, condition=4.0, spectrum=spectrum, rotated=rotated)
    ).matrix
    u, s, v = torch.linalg.svd(matrix)
    np.testing.assert_allclose(s, [wanted, wanted], rtol=1e-12)
    eye = torch.eye(3).double().expand(2, 3, 3)
    assert torch.allclose(u.abs(), eye) == (not rotated)
    assert torch.allclose(v.abs(), eye) == (not rotated)
    assert torch.allclose((u.mT @ v.mT).abs(), eye) == (not rotated), (
        "each player has a rotation of its own"
    )
    assert (
        torch.allclose(u[0].abs(), u[1].abs())
        == torch.allclose(v[0].abs(), v[1].abs())
        == (not rotated)
    ), "and each instance"


def test_matching_pennies_against_loops():
    game = bound(MatchingPennies(parametrisation="probability"))
    x = game.start(streams(), 9)
    assert 0 <= x.min() < 0.2 < 0.8 < x.max() <= 1
    value, gain = game.loss(x), game.solution_loss(x)
    for place, (p, q) in rows(x):
        np.testing.assert_allclose(value[place], reference.pennies(p, q), rtol=1e-12, atol=1e-15)
        assert float(gain[place]) == pytest.approx(reference.pennies_gain(p, q), abs=1e-12)
    with pytest.raises(
        ValueError, match=r"matching_pennies: expected points in \[0, 1\]\^2, got -0.1 .. 0.5"
    ):
        game.loss(torch.tensor([[[0.5, -0.1]]] * 2))


def test_matching_pennies_in_logits_is_the_same_game():
    logits, chances = (
        bound(MatchingPennies(box=4.0)),
        bound(MatchingPennies(parametrisation="probability")),
    )
    x = logits.start(streams(), 9)
    torch.testing.assert_close(logits.loss(x), chances.loss(logistic(x)), rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(
        logits.solution_loss(x), chances.solution_loss(logistic(x)), rtol=1e-12, atol=1e-15
    )


def test_matching_pennies_against_a_population_is_the_mean_over_encounters():
    game = bound(MatchingPennies(parametrisation="probability"))
    opponents = torch.tensor([1.0, 0, 0, 1, 1, 0, 1])
    for own in (0.0, 1.0):
        each = game.loss(
            torch.stack((torch.full_like(opponents, own), opponents), -1).expand(2, -1, -1)
        )
        torch.testing.assert_close(
            each.mean(1, keepdim=True), game.loss(torch.tensor([[[own, float(opponents.mean())]]] * 2))
        )


@each(
    ("make", "message"),
    [
        (
            lambda: Bilinear(dim=5),
            "bilinear.dim: expected an even number, half of it for each player, got 5",
        ),
        (lambda: Bilinear(dim=1), "bilinear.dim: expected >= 2, got 1"),
        (lambda: BiasedGAN(kappa=0.0), "biased_gan.kappa: expected > 0, got 0.0"),
        (
            lambda: DiracGAN(activation="relu"),
            "dirac_gan.activation: expected one of logistic, linear, got 'relu'",
        ),
        (lambda: DiracGAN(gamma=-1.0), "dirac_gan.gamma: expected >= 0, got -1.0"),
        (
            lambda: MatchingPennies(parametrisation="bits"),
            "matching_pennies.parametrisation: expected one of probability, logit, got 'bits'",
        ),
    ],
)
def test_parameters_out_of_range_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
