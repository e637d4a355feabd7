"""Closed-form laws of trajectories.

Each is checked at 4.5 standard errors (or as an identity) and must reject a mutant.
"""

import math

import numpy as np
import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import Answer, Bits, Problem, Reals
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams
from optimizers import OPTIMIZERS
from studies.theory.games import dirac_modulus, extragradient_modulus
from studies.theory.gradient_noise import langevin_variance
from studies.theory.sampling import clipped_normal
from studies.theory.strategies import metropolis_step
from tests.references import trajectories as naive
from tests.truths.table import told, told_mean

Z = 4.5  # standard errors

LAWS = {
    57: (
        "stationary variance of Langevin dynamics on a quadratic, (2 eta T + eta^2 sigma^2 / B) / [eta h (2 -"
        " eta h)]"
    ),
    58: (
        "Dirac-GAN: simultaneous play |l| = sqrt(1 + eta^2 f'^2), alternating 1; flow with R1, l = -gamma / 2"
        " +- sqrt(gamma^2 / 4 - f'^2)"
    ),
    60: "clipping is biased, E clip(g, c) != clip(E g, c)",
}


def make(worlds):
    return Streams(seed=2024, worlds=torch.arange(worlds))


def begin(optimizer, points, streams, exact=False, players=1):
    """The state at the given points (R, n, D)."""
    domain = Bits() if points.dtype == torch.uint8 else Reals()
    return optimizer.init(
        Problem(points.shape[-1], domain, exact, lambda n: points[:, :n].clone(), players), streams
    )


def mean_deviation(sample, truth):
    """Largest distance of the mean of sample (R, ...) from truth, in standard errors."""
    return ((sample.mean(0) - truth).abs() / (sample.std(0) / len(sample) ** 0.5)).max().item()


def variance_deviation(sample, truth):
    """Largest distance of the variance of a normal sample (R, k) from truth (k,), in standard errors."""
    return ((sample.var(0) - truth).abs() / (truth * (2 / len(sample)) ** 0.5)).max().item()


def zeros(worlds, dim=1, n=1):
    return torch.zeros(worlds, n, dim, dtype=torch.float64)


# law 44: a Metropolis walk is gradient descent in mean (Whitelam 2021) --------------------------------------


def mean_step(a, sigma, temperature, exact, worlds=40_000):
    """Steps (R, 1) of one accepted or rejected proposal on the loss a T x."""
    optimizer, streams = OPTIMIZERS["metropolis"](temperature=temperature, sigma=sigma), make(worlds)
    state = begin(optimizer, zeros(worlds), streams, exact)
    for step in range(1, 3 if exact else 2):
        s = streams.at(step)
        query = optimizer.ask(state, s)
        state, _ = optimizer.tell(state, query, Answer(a * temperature * query.points[..., 0]), s)
    return optimizer.recommend(state)


@pytest.mark.parametrize(
    ("a", "sigma", "temperature"), [(10.0, 0.1, 1.0), (3.0, 0.5, 0.2), (-1.5, 0.6, 2.0)]
)
@pytest.mark.parametrize("exact", [True, False])
def test_law_44_mean_step_of_a_metropolis_walk(a, sigma, temperature, exact):
    """E dx = -a s^2 exp(a^2 s^2 / 2) Phi(-|a| s), a = slope / T."""
    steps = mean_step(a, sigma, temperature, exact)
    law = metropolis_step(a, sigma)
    where, small = (
        f"{'stored' if exact else 'new'} values, a = {a}, s = {sigma}",
        -a * sigma**2 / 2,
    )  # the limit of small steps
    told_mean(
        44,
        "mean Metropolis step on a slope, -a s^2 e^(a^2 s^2 / 2) Phi(-|a| s)",
        where,
        law,
        steps[:, 0],
        mutant=small,
    )
    assert (
        mean_deviation(mean_step(a, sigma, 2 * temperature, exact), law) < Z
    )  # only a counts, not the temperature alone
    assert mean_deviation(steps, law / 2) > Z  # mutant: half of the acceptances


def test_law_44_limits():
    """Small steps -a s^2 / 2; at T = 0 a half-normal, -s / sqrt(2 pi)."""
    assert mean_deviation(mean_step(0.05, 0.1, 1.0, True, 100_000), -0.05 * 0.1**2 / 2) < Z
    optimizer, streams, worlds = (
        OPTIMIZERS["metropolis"](temperature=0.0, sigma=0.3),
        make(40_000),
        40_000,
    )
    state = begin(optimizer, zeros(worlds), streams)
    query = optimizer.ask(state, streams)
    moved = optimizer.recommend(
        optimizer.tell(state, query, Answer(5 * query.points[..., 0]), streams)[0]
    )
    law, down = -0.3 / math.sqrt(2 * math.pi), -0.3 * math.sqrt(2 / math.pi)  # every proposal goes down
    told_mean(
        44, "mean Metropolis step at T = 0, -s / sqrt(2 pi)", "s = 0.3", law, moved[:, 0], mutant=down
    )


@pytest.mark.parametrize("rate", [None, 0.3])
def test_stationary_law_of_a_walk_on_bits(rate):
    """exp(-L / T) on the 2^3 genotypes is stationary: worlds that start from it stay there."""
    worlds, streams = 40_000, make(40_000)
    loss = torch.tensor([0.0, 1.0, 0.3, 2.0, 0.7, 0.1, 1.5, 0.4], dtype=torch.float64)
    law = torch.softmax(-loss / 0.6, 0)
    first = streams.at(0).categorical("init", law.expand(worlds, 8), (1,))
    points = (first[..., None] >> torch.arange(3) & 1).to(torch.uint8)
    optimizer = OPTIMIZERS["metropolis"](temperature=0.6, mutation_rate=rate)
    state = begin(optimizer, points, streams)
    for step in range(1, 9):
        s = streams.at(step)
        query = optimizer.ask(state, s)
        number = (query.points.long() << torch.arange(3)).sum(-1)
        state, _ = optimizer.tell(state, query, Answer(loss[number]), s)
    place = (state.points.long() << torch.arange(3)).sum(-1)[:, 0]
    assert (place != first[:, 0]).double().mean() > 0.5
    at = torch.nn.functional.one_hot(place, 8).double()
    assert mean_deviation(at, law) < Z
    assert mean_deviation(at, torch.softmax(-loss / 0.5, 0)) > Z  # mutant: another temperature
    assert mean_deviation(at, torch.softmax(loss / 0.6, 0)) > Z  # mutant: maximises


# law 57: Langevin dynamics on a quadratic (Welling and Teh 2011) --------------------------------------------


LANGEVIN = [
    (1.0, 0.1, 1.0, 0.0, 120),
    (2.0, 0.3, 0.5, 0.0, 60),
    (1.0, 0.1, 1.0, 10.0, 120),
    (0.5, 0.4, 0.0, 3.0, 120),
]


@pytest.mark.parametrize(("h", "eta", "temperature", "noise", "steps"), LANGEVIN)
def test_law_57_stationary_variance(h, eta, temperature, noise, steps):
    """(2 eta T + eta^2 sigma^2 / B) / [eta h (2 - eta h)], here with what is left of the start.

    Times 1 - (1 - eta h)^(2 t).
    """
    worlds, streams = 20_000, make(20_000)
    optimizer = OPTIMIZERS["langevin"](learning_rate=eta, temperature=temperature)
    state = begin(optimizer, zeros(worlds), streams)
    for step in range(1, steps + 1):
        s = streams.at(step)
        query = optimizer.ask(state, s)
        gradient = h * query.points + noise**0.5 * s.normal("evaluation", (1, 1))
        state, _ = optimizer.tell(state, query, Answer(gradient[..., 0], gradient), s)

    def law(temperature, noise):
        late = langevin_variance(eta, temperature, h, noise_scale=noise**0.5)
        return torch.tensor([late * (1 - (1 - eta * h) ** (2 * steps))])

    x = optimizer.recommend(state)
    where = f"h = {h:g}, eta = {eta:g}, T = {temperature:g}, sigma^2 / B = {noise:g}"
    mutant = (
        law(temperature / 2, noise) if temperature else law(0.0, 2 * noise)
    )  # sqrt(eta T) z, or 2 sigma^2
    told_mean(57, LAWS[57], where, law(temperature, noise), x[:, 0] ** 2, mutant=mutant)
    if noise:
        assert variance_deviation(x, law(temperature, noise / 2)) > Z  # mutant: B <-> 2 B
    elif eta * h > 0.05:
        assert (
            variance_deviation(x, torch.tensor([temperature / h])) > Z
        )  # mutant: the limit of small steps


def test_law_57_examples():
    """Eta = .1: 1.0526 where the target is 1; eta = .01, sigma^2 / B = 10: 1.0553."""
    assert 2 / (2 - 0.1) == pytest.approx(1.0526, abs=5e-5)
    assert (2 * 0.01 + 0.01**2 * 10) / (0.01 * (2 - 0.01)) == pytest.approx(1.0553, abs=5e-5)


# law 60: clipping is biased ---------------------------------------------------------------------------------


def clipped_steps(gradients, clip):
    """Minus the steps (R, 1) of SGD at learning rate 1 for gradients (R,)."""
    streams = make(len(gradients))
    optimizer = OPTIMIZERS["sgd"](learning_rate=1.0, clip=clip)
    state = begin(optimizer, zeros(len(gradients)), streams)
    g = gradients[:, None, None]
    return -optimizer.recommend(
        optimizer.tell(state, optimizer.ask(state, streams), Answer(g[..., 0], g), streams)[0]
    )


def test_law_60_clipping_turns_a_mean_around():
    """+10 with probability .1, -1 with .9: the mean is +.1, clipped at 1 it is -.8, exactly."""
    gradients = torch.tensor([10.0] + 9 * [-1.0], dtype=torch.float64)
    assert clipped_steps(gradients, None).mean().item() == pytest.approx(0.1, abs=1e-12)
    found = clipped_steps(gradients, 1.0).mean()
    told(
        60, LAWS[60], "+10 with chance .1, -1 with .9, c = 1", -0.8, found, bias=1e-12, mutant=0.1 / 10
    )  # mutant: the mean is scaled


@pytest.mark.parametrize(("mu", "c"), [(0.5, 1.0), (-1.0, 0.7)])
def test_law_60_clipping_of_a_normal(mu, c):
    """E clip(N(mu, 1), c) in closed form, at the quantiles of a fine grid; mu = .5, c = 1: .3315."""
    place = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    found = clipped_steps(mu + torch.special.ndtri(place), c).mean().item()
    law = clipped_normal(mu, 1.0, c)
    told(
        60, LAWS[60], f"N({mu:g}, 1), c = {c:g}", law, found, bias=1e-6, mutant=max(-c, min(c, mu))
    )  # mutant: the mean is clipped
    if (mu, c) == (0.5, 1.0):
        assert law == pytest.approx(0.3315, abs=5e-5)


# averages of iterates (Polyak and Juditsky 1992) ------------------------------------------------------------


def covariance_of_the_mean(h, eta, noise, steps, burn_in=0):
    """The exact variance of the mean of x_{burn_in + 1} .. x_steps of SGD from 0 on h x^2 / 2 whose gradients have variance `noise`."""
    shrink, k = 1 - eta * h, np.arange(1, steps + 1)
    first = np.maximum(k, burn_in + 1)  # the first point of the mean that the k-th gradient moves
    weights = (
        eta
        * shrink ** (first - k)
        * (1 - shrink ** (steps - first + 1))
        / (1 - shrink)
        / (steps - burn_in)
    )
    return torch.tensor([noise * (weights**2).sum()])


@pytest.mark.parametrize(("h", "eta"), [(1.0, 0.5), (0.5, 0.2)])
@pytest.mark.parametrize("burn_in", [0, 40])
def test_variance_of_an_average(h, eta, burn_in):
    """Exact at t steps; with t it goes to sigma^2 / (h^2 t), whatever eta."""
    worlds, steps, streams = 20_000, 100, make(20_000)
    optimizer = OPTIMIZERS["sgd"](
        learning_rate=eta, average="tail" if burn_in else "polyak", burn_in=burn_in
    )
    state = begin(optimizer, zeros(worlds), streams)
    for step in range(1, steps + 1):
        s = streams.at(step)
        gradient = h * state.points + s.normal("evaluation", (1, 1))
        state, _ = optimizer.tell(state, optimizer.ask(state, s), Answer(gradient[..., 0], gradient), s)
    x = optimizer.recommend(state)
    assert variance_deviation(x, covariance_of_the_mean(h, eta, 1.0, steps, burn_in)) < Z
    assert (
        variance_deviation(x, covariance_of_the_mean(h, eta, 1.0, steps, 40 - burn_in)) > Z
    )  # mutant: another burn-in
    assert (
        variance_deviation(state.points[:, 0], covariance_of_the_mean(h, eta, 1.0, steps, burn_in)) > Z
    )  # mutant: no average
    assert covariance_of_the_mean(h, eta, 1.0, 20_000)[0] * 20_000 * h**2 == pytest.approx(
        1.0, rel=0.01
    )


# signed SGD: the mean step behind normal noise --------------------------------------------------------------


def test_mean_step_of_signed_sgd():
    """-eta erf(a / (sigma sqrt 2)): bounded, so not in proportion to the gradient."""
    worlds, streams, slope = 40_000, make(40_000), torch.tensor([-0.3, 0.1, 2.0], dtype=torch.float64)
    optimizer = OPTIMIZERS["signed_sgd"](learning_rate=0.5)
    state = begin(optimizer, zeros(worlds, 3), streams)
    gradient = slope + 1.5 * streams.normal("evaluation", (1, 3))
    moved = optimizer.recommend(
        optimizer.tell(
            state, optimizer.ask(state, streams), Answer(gradient[..., 0], gradient), streams
        )[0]
    )
    assert mean_deviation(moved, -0.5 * torch.erf(slope / (1.5 * math.sqrt(2)))) < Z
    assert (
        mean_deviation(moved, -0.5 * slope / (1.5 * math.sqrt(math.pi / 2))) > Z
    )  # mutant: linear in the gradient
    assert mean_deviation(moved, -0.5 * torch.erf(slope / 1.5)) > Z  # mutant: sqrt 2 forgotten


# natural gradient = selection -------------------------------------------------------------------------------


def after_descent(p, effects, strength, steps, kind, **options):
    """Allele frequencies after steps of a descent in theta on the mean loss p . effects."""
    optimizer, streams, effects = (
        OPTIMIZERS[kind](learning_rate=strength, **options),
        make(1),
        torch.tensor(effects, dtype=torch.float64),
    )
    state = begin(optimizer, torch.logit(torch.tensor(p, dtype=torch.float64))[None, None], streams)
    for _ in range(steps):
        chance = 1 / (1 + torch.exp(-state.points))
        gradient = chance * (1 - chance) * effects
        state, _ = optimizer.tell(
            state, optimizer.ask(state, streams), Answer((chance * effects).sum(-1), gradient), streams
        )
    return (1 / (1 + torch.exp(-state.points[0, 0]))).tolist()


@pytest.mark.parametrize("strength", [0.3, 2.0])
@pytest.mark.parametrize("steps", [1, 7])
def test_natural_gradient_is_selection(strength, steps):
    """On an additive loss, selection with fitness exp(-beta L) in an infinite population is the natural step of length beta, exactly."""
    p, effects = [0.2, 0.5, 0.9, 0.01], [0.7, -1.0, 0.3, -0.4]
    law = p
    for _ in range(steps):
        law = naive.selection(law, effects, strength)
    assert after_descent(p, effects, strength, steps, "natural_sgd") == pytest.approx(law, abs=1e-12)
    assert after_descent(p, effects, strength, steps, "sgd") != pytest.approx(
        law, abs=1e-3
    )  # mutant: the raw gradient in theta
    assert after_descent(p, effects, strength, steps, "natural_sgd", damping=0.1) != pytest.approx(
        law, abs=1e-3
    )
    assert after_descent(p, effects, strength / 2, steps, "natural_sgd") != pytest.approx(
        law, abs=1e-3
    )  # mutant: beta / 2


# spsa (Spall 1992) ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("d", "pairs"), [(8, 1), (20, 3)])
def test_mean_and_variance_of_the_spsa_gradient(d, pairs):
    """On a quadratic E g = grad f for any c.

    On its slope tr Var g = (d - 1) |grad f|^2 / pairs (an ES with Gaussians has d + 1).
    """
    worlds, slope, streams = 10_000, torch.linspace(-1, 2, d, dtype=torch.float64), make(10_000)
    optimizer = OPTIMIZERS["spsa"](learning_rate=1.0, perturbation=0.7, pairs=pairs)
    state = begin(optimizer, zeros(worlds, d), streams)
    query = optimizer.ask(state, streams)
    x = query.points
    value = (x * slope).sum(-1) + (x.cumsum(-1) ** 2).sum(
        -1
    )  # symmetric about 0: its curvature adds nothing to a difference
    g = -optimizer.recommend(optimizer.tell(state, query, Answer(value), streams)[0])
    square, norm = ((g - slope) ** 2).sum(1), slope.square().sum()
    assert mean_deviation(g, slope) < Z
    assert mean_deviation(g, 2 * slope) > Z  # mutant: divided by c, not 2 c
    assert mean_deviation(square, (d - 1) * norm / pairs) < Z
    assert mean_deviation(square, (d + 1) * norm / pairs) > Z  # mutant: Gaussian steps


# law 58: play on games (Mescheder, Geiger and Nowozin 2018; Gidel et al. 2019) ------------------------------


def modulus(game, kind, queries, small=1e-6, **options):
    """The largest |eigenvalue| of the map of so many queries at the equilibrium of a game of two players with one coordinate each."""
    streams, optimizer = make(2), OPTIMIZERS[kind](**options)
    landscape = game.bind(streams)
    state = begin(optimizer, small * torch.eye(2, dtype=torch.float64)[:, None], streams, players=2)
    for step in range(1, queries + 1):
        query = optimizer.ask(state, streams.at(step))
        state, _ = optimizer.tell(
            state, query, evaluate(landscape, query.points, gradient=query.gradient), streams.at(step)
        )
    return np.abs(np.linalg.eigvals((state.points[:, 0] / small).numpy().T)).max()


GAMES = [("logistic", 0.5), ("linear", 1.0)]


@pytest.mark.parametrize(("activation", "f"), GAMES)
@pytest.mark.parametrize("eta", [0.1, 0.7])
def test_law_58_play_on_the_dirac_gan(activation, f, eta):
    """|lambda| = sqrt(1 + eta^2 f'(0)^2) simultaneous, 1 alternating, sqrt((1 - eta^2 f'(0)^2)^2 + eta^2 f'(0)^2) extragradient."""
    game = LANDSCAPES["dirac_gan"](activation=activation)
    simultaneous = dirac_modulus(eta, f)
    laws = {"simultaneous": (simultaneous, "sgd", 1), "alternating": (1.0, "alternating", 2)}
    laws["extragradient"] = (extragradient_modulus(eta, f), "extragradient", 2)
    for play, (law, kind, queries) in laws.items():
        found, mutant = (
            modulus(game, kind, queries, learning_rate=eta),
            1.0 if play == "simultaneous" else simultaneous**2,
        )  # mutant: the other play
        told(
            58,
            LAWS[58],
            f"{play} play, f' = {f:g}, eta = {eta:g}",
            law,
            found,
            bias=1e-10,
            mutant=mutant,
        )
    if (f, eta) == (0.5, 0.1):
        assert simultaneous == pytest.approx(1.00125, abs=1e-6)
        assert simultaneous**1000 == pytest.approx(3.48, abs=0.01)


def test_law_58_alternating_play_leaves_beyond_two():
    """On the ellipse for eta f'(0) < 2, outwards beyond."""
    game = LANDSCAPES["dirac_gan"](activation="linear")
    assert modulus(game, "alternating", 2, learning_rate=1.99) == pytest.approx(1.0, abs=1e-8)
    assert modulus(game, "alternating", 2, learning_rate=2.01) > 1.05


@pytest.mark.parametrize("gamma", [0.4, 1.0, 1.6])
def test_law_58_flow_with_the_penalty_r1(gamma):
    """Eigenvalues -gamma / 2 +- sqrt(gamma^2 / 4 - f'(0)^2) of the flow.

    A short simultaneous step is 1 + eta lambda.
    """
    found = modulus(LANDSCAPES["dirac_gan"](gamma=gamma), "sgd", 1, learning_rate=0.01)
    mutant = abs(1 + 0.01 * (-gamma + np.sqrt(complex(gamma**2 - 0.25))))  # gamma, not gamma / 2
    told(
        58,
        LAWS[58],
        f"a short step with R1, gamma = {gamma:g}, eta = .01",
        dirac_modulus(0.01, gamma=gamma),
        found,
        bias=1e-10,
        mutant=mutant,
    )


@pytest.mark.parametrize("eta", [0.3, 0.9])
def test_negative_momentum_converges_on_a_bilinear_game(eta):
    """Alternating play with beta = -1/2 (Gidel et al. 2019): the modulus of its joint map of points and velocities, below 1; beta = +1/2 above."""
    streams, landscape = make(4), LANDSCAPES["bilinear"](dim=2).bind(make(4))

    def joint(beta):
        optimizer = OPTIMIZERS["alternating"](learning_rate=eta, momentum=beta)
        start = torch.eye(4, dtype=torch.float64)[:, None]
        state = begin(optimizer, start[..., :2], streams, players=2)._replace(velocity=start[..., 2:])
        for step in (1, 2):
            query = optimizer.ask(state, streams.at(step))
            state, _ = optimizer.tell(
                state, query, evaluate(landscape, query.points, gradient=True), streams.at(step)
            )
        return np.abs(
            np.linalg.eigvals(torch.cat([state.points, state.velocity], -1)[:, 0].numpy().T)
        ).max()

    def law(beta):
        """(x, y, u, v): u' = beta u + s y, x' = x - eta u', then v' = beta v - s x', y' = y - eta v', with s = 1 up to its sign."""
        first = np.array([[1, -eta, -eta * beta, 0], [0, 1, 0, 0], [0, 1, beta, 0], [0, 0, 0, 1.0]])
        second = np.array([[1, 0, 0, 0], [eta, 1, 0, -eta * beta], [0, 0, 1, 0], [-1, 0, 0, beta]])
        return np.abs(np.linalg.eigvals(second @ first)).max()

    assert joint(-0.5) == pytest.approx(law(-0.5), abs=1e-10)
    assert joint(0.5) == pytest.approx(law(0.5), abs=1e-10)
    assert law(-0.5) < 1 < law(0.5)
    assert joint(-0.5) != pytest.approx(law(-0.25), abs=1e-3)
