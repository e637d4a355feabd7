"""Closed-form laws of games: eigenvalues of their fields and of the ways to play them.

Each rejects a wrong law, or another way to play.
"""

import cmath
import math

import pytest
import torch

from landscapes.games.biased_gan import BiasedGAN
from landscapes.games.bilinear import Bilinear
from landscapes.games.dirac_gan import DiracGAN
from landscapes.games.matching_pennies import MatchingPennies
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams
from studies.theory.games import bilinear_modulus, dirac_limit, dirac_modulus, extragradient_modulus
from tests.truths.table import told

LAW = (
    "Dirac-GAN: simultaneous play |l| = sqrt(1 + eta^2 f'^2), alternating 1; flow with R1, l = -gamma / 2 +-"
    " sqrt(gamma^2 / 4 - f'^2)"
)
NEAR = 1e-6  # distance to a fixed point at which the field is linear to 1e-10 of itself


def bound(game):
    return game.bind(Streams(seed=2, worlds=torch.arange(1)))


def jacobian(game, point=(0.0, 0.0)):
    """Of the field, minus the own gradients, by automatic differentiation: (2, 2)."""

    def field(x):
        value = game.loss(x[None, None])[0, 0]
        return -torch.stack([
            torch.autograd.grad(value[i], x, create_graph=True)[0][i] for i in range(2)
        ])

    return torch.autograd.functional.jacobian(
        field, torch.as_tensor(point, dtype=torch.float64), strict=False
    )


def eigenvalues(matrix):
    return sorted(torch.linalg.eigvals(matrix).tolist(), key=lambda z: (z.real, z.imag))


def pair(half_trace, root):
    """half_trace +- sqrt(root), in order."""
    return sorted(
        (half_trace + sign * cmath.sqrt(root) for sign in (-1, 1)), key=lambda z: (z.real, z.imag)
    )


def agree(found, law, error=1e-10):
    return all(abs(a - b) <= error for a, b in zip(found, law, strict=True))


# ways to play: x (P, D) -> the next x -----------------------------------------------------------------------


def slope(game, x):
    return evaluate(game, x[None], gradient=True).gradient[0]


def simultaneous(game, x, eta):
    return x - eta * slope(game, x)


def alternating(game, x, eta):
    """The second player sees what the first has done."""
    half = x.shape[-1] // 2
    first = x - eta * slope(game, x) * (torch.arange(2 * half) < half)
    return first - eta * slope(game, first) * (torch.arange(2 * half) >= half)


def extragradient(game, x, eta):
    return x - eta * slope(game, x - eta * slope(game, x))


def moduli(play, game, eta, rest=0.0):
    """Of the eigenvalues of one step near the equilibrium, in ascending order.

    From the images of D points beside it.
    """
    basis = NEAR * torch.eye(game.dim).double()
    step = (play(game, rest + basis, eta) - rest) / NEAR
    return torch.linalg.eigvals(step).abs().sort().values


def close(found, law, error=1e-9):
    return bool((found - torch.as_tensor(law, dtype=torch.float64)).abs().max() <= error)


# row 58: Mescheder, Geiger and Nowozin 2018 -----------------------------------------------------------------

SLOPES = {"logistic": 0.5, "linear": 1.0}


@pytest.mark.parametrize("activation", SLOPES)
@pytest.mark.parametrize("generator", ["saturating", "non_saturating"])
@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 2.5])
def test_eigenvalues_of_the_dirac_gan(activation, generator, gamma):
    found = eigenvalues(
        jacobian(bound(DiracGAN(activation=activation, generator=generator, gamma=gamma)))
    )
    f, flow = SLOPES[activation], pair(-gamma / 2, gamma**2 / 4 - SLOPES[activation] ** 2)
    exact = 1e-7 if gamma == 2 * f else 1e-10  # a double root is known to half the digits
    assert agree(found, flow, exact)
    name, part, wrong = (
        ("Re", "real", pair(-gamma, gamma**2 - f**2))
        if gamma
        else ("Im", "imag", pair(0, -((1.5 - f) ** 2)))
    )
    law, here, mutant = (getattr(z[-1], part) for z in (flow, found, wrong))
    told(
        58,
        LAW,
        f"{name} l of the flow, {activation}, {generator}, gamma = {gamma:g}",
        law,
        here,
        bias=exact,
        mutant=mutant,
    )
    assert not agree(found, pair(-gamma / 2, gamma**2 / 4 - (1.5 - f) ** 2)), (
        "the slope of the other activation"
    )
    assert gamma == 0 or not agree(found, pair(-gamma, gamma**2 - f**2)), (
        "gamma |psi|^2 without the half"
    )


@pytest.mark.parametrize(("noise", "node"), [(0.5, False), (1.0, False), (1.5, True)])
def test_eigenvalues_with_instance_noise(noise, node):
    found = eigenvalues(jacobian(bound(DiracGAN(noise=noise))))
    bend = -(noise**2) / 4
    assert agree(found, pair(bend, bend**2 - 0.25))
    assert all(z.imag == 0 for z in found) == node
    assert not agree(found, pair(bend / 2, bend**2 / 4 - 0.25)), (
        "noise on the samples but not on the data"
    )


@pytest.mark.parametrize(("activation", "eta"), [("logistic", 0.1), ("logistic", 1.0), ("linear", 0.3)])
def test_simultaneous_play_runs_away_and_alternating_play_circles(activation, eta):
    game, f = bound(DiracGAN(activation=activation)), SLOPES[activation]
    outwards = dirac_modulus(eta, f)
    for play, law, wrong in ((simultaneous, outwards, 1.0), (alternating, 1.0, outwards)):
        told(
            58,
            LAW,
            f"{play.__name__} play, {activation}, eta = {eta:g}",
            law,
            moduli(play, game, eta)[-1],
            bias=1e-9,
            mutant=wrong,
        )
    assert close(moduli(simultaneous, game, eta), [outwards, outwards])
    assert close(moduli(alternating, game, eta), [1, 1])
    assert not close(moduli(alternating, game, eta), [outwards, outwards])
    assert not close(moduli(simultaneous, game, eta), [1, 1])


@pytest.mark.parametrize("steps", [100, pytest.param(1000, marks=pytest.mark.verify)])
def test_many_steps_of_simultaneous_play(steps):
    game = bound(DiracGAN())
    far = {}
    for play in (simultaneous, alternating):
        x = torch.tensor([[NEAR, 0.0]], dtype=torch.float64)
        for _ in range(steps):
            x = play(game, x, 0.1)
        far[play] = float(x.norm()) / NEAR
    told(
        58,
        LAW,
        f"{steps} steps of simultaneous play, eta = .1",
        dirac_modulus(0.1) ** steps,
        far[simultaneous],
        bias=1e-7,
        mutant=1.0,
    )
    assert f"{far[simultaneous]:.2f}" == {100: "1.13", 1000: "3.48"}[steps]
    assert far[alternating] == pytest.approx(1, abs=0.03), "on an ellipse"


@pytest.mark.parametrize(("gamma", "limit"), [(0.3, 1.2), (2.0, 1.0718)])
def test_the_largest_stable_step(gamma, limit):
    game = bound(DiracGAN(gamma=gamma))
    law = dirac_limit(gamma=gamma)
    assert law == pytest.approx(limit, rel=1e-4)
    assert moduli(simultaneous, game, 0.97 * law)[-1] < 1 < moduli(simultaneous, game, 1.03 * law)[-1]


# the bilinear game ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("eta", [0.1, 0.7])
def test_ways_to_play_a_bilinear_game(eta):
    game = bound(Bilinear(dim=6, coupling=1.3, condition=5.0))
    s = game.singular_values().flip(0).repeat_interleave(2)
    laws = {
        simultaneous: [bilinear_modulus(eta, each) for each in s.tolist()],
        alternating: [1.0] * 6,
        extragradient: sorted(extragradient_modulus(eta, each) for each in s.tolist()),
    }
    laws = {play: torch.tensor(law, dtype=torch.float64) for play, law in laws.items()}
    for play, law in laws.items():
        assert close(moduli(play, game, eta), law)
        assert not any(
            close(moduli(other, game, eta), law, 1e-4) for other in laws if other is not play
        )


# the biased GAN ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("beta", "kappa", "gamma"), [(0.34, 2.0, 1.5), (0.5, 2.0, 1.5), (0.9, 1.0, 2.0)]
)
def test_jacobian_of_the_biased_gan(beta, kappa, gamma):
    game = bound(BiasedGAN(beta=beta, kappa=kappa, gamma=gamma))
    for point in game.fixed_points().tolist():
        found = jacobian(game, point)
        steep = beta * kappa / math.cosh(kappa * point[0]) ** 2
        assert float(found.trace()) == pytest.approx(steep - gamma, abs=1e-12)
        assert float(found.det()) == pytest.approx(1 - gamma * steep, abs=1e-12)
        torch.testing.assert_close(game.jacobian(point[0]), found, rtol=0, atol=1e-12)


def settled(game, start, eta=0.3, steps=1500):
    """Where simultaneous play ends: where it moves no more."""
    x = torch.tensor([start], dtype=torch.float64)
    for _ in range(steps):
        before, x = x, simultaneous(game, x, eta)
        if (x - before).abs().max() < 1e-12:
            break
    return x[0]


@pytest.mark.parametrize(
    ("beta", "place", "spiral"),
    [pytest.param(0.34, 0.12272, False, marks=pytest.mark.verify), (0.5, 0.6439, True)],
)
def test_training_ends_at_a_spurious_point(beta, place, spiral):
    game = bound(BiasedGAN(beta=beta, kappa=2.0, gamma=1.5))
    point = game.fixed_points()[1]
    assert float(point[0]) == pytest.approx(place, rel=1e-4)
    torch.testing.assert_close(settled(game, (0.3, 0.1)), point, rtol=0, atol=1e-8)
    found = eigenvalues(jacobian(game, point))
    assert all(z.real < 0 for z in found)
    assert all((z.imag != 0) == spiral for z in found)


@pytest.mark.parametrize(("kappa", "gamma"), [(2.0, 1.5), (1.0, 0.8)])
def test_the_pitchfork(kappa, gamma):
    """At beta kappa gamma = 1 a spurious pair appears and the origin turns into a saddle.

    Not at beta kappa = 1, nor at beta kappa = gamma.
    """
    for beta, spurious in ((0.99 / (kappa * gamma), False), (1.01 / (kappa * gamma), True)):
        game = BiasedGAN(beta=beta, kappa=kappa, gamma=gamma)
        assert (len(game.fixed_points()) == 3) == spurious
        assert (float(jacobian(bound(game)).det()) < 0) == spurious
    small = BiasedGAN(beta=1.001 / (kappa * gamma), kappa=kappa, gamma=gamma).fixed_points()[1, 0]
    assert float(small) == pytest.approx(math.sqrt(3 * 0.001) / kappa, rel=2e-3), (
        "it opens as a square root"
    )


# matching pennies: two populations --------------------------------------------------------------------------


def reproduce(game, x, s, *, parasites_see=None):
    """Expected frequencies after a generation of hosts and parasites, fitness 1 - s L: x (P, 2) -> (P, 2)."""
    heads = {}
    for player, other in ((0, x[:, 1]), (1, (x if parasites_see is None else parasites_see)[:, 0])):
        fitness = []
        for face in (0.0, 1.0):
            own = torch.full_like(other, face)
            meeting = torch.stack((own, other) if player == 0 else (other, own), -1)
            fitness.append(1 - s * game.loss(meeting[None])[0, :, player])
        grown = x[:, player] * fitness[1]
        heads[player] = grown / (grown + (1 - x[:, player]) * fitness[0])
    return torch.stack((heads[0], heads[1]), -1)


def one_after_the_other(game, x, s):
    """Parasites that see the hosts' new frequencies."""
    return reproduce(game, x, s, parasites_see=reproduce(game, x, s))


def natural(game, x, eta):
    """Simultaneous natural-gradient play."""
    return x - eta * x * (1 - x) * slope(game, x)


@pytest.mark.parametrize("s", [0.05, 0.2, 0.9])
def test_a_generation_of_matching_pennies_is_simultaneous_natural_gradient_play(s):
    game = bound(MatchingPennies(parametrisation="probability"))
    law = math.sqrt(1 + s * s)
    assert close(moduli(reproduce, game, s, rest=0.5), [law, law])
    assert close(moduli(natural, game, s, rest=0.5), [law, law])
    assert close(moduli(one_after_the_other, game, s, rest=0.5), [1, 1])
    assert not close(moduli(one_after_the_other, game, s, rest=0.5), [law, law])
    assert not close(moduli(reproduce, game, 2 * s, rest=0.5), [law, law])
    images = reproduce(game, torch.tensor([[0.9, 0.3]], dtype=torch.float64), s)[0]
    u, v = 0.8, -0.4
    torch.testing.assert_close(
        2 * images - 1,
        torch.tensor([(u + s * v) / (1 + s * u * v), (v - s * u) / (1 - s * u * v)]).double(),
    )


@pytest.mark.parametrize(
    ("parametrisation", "rest", "gain"), [("probability", 0.5, 4.0), ("logit", 0.0, 0.25)]
)
def test_plain_gradient_play_of_matching_pennies(parametrisation, rest, gain):
    game = bound(MatchingPennies(parametrisation=parametrisation))
    law = math.sqrt(1 + (gain * 0.1) ** 2)
    assert close(moduli(simultaneous, game, 0.1, rest), [law, law])
    assert close(moduli(alternating, game, 0.1, rest), [1, 1])
    assert not close(moduli(alternating, game, 0.1, rest), [law, law], 1e-6)
