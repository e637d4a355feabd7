"""Closed-form laws between one trajectory and a population.

Each is checked at 4.5 standard errors and must reject a mutant.

The answers of the oracle are written by hand, so that nothing but the optimizer is tested.
"""

import math

import pytest
import torch

from landscapes.base import Answer, Problem, Reals
from landscapes.streams import Streams
from optimizers import OPTIMIZERS

Z = 4.5  # standard errors


def make(worlds):
    return Streams(seed=2024, worlds=torch.arange(worlds))


def begin(optimizer, points, streams):
    """The state at the given points (R, n, D)."""
    return optimizer.init(
        Problem(points.shape[-1], Reals(), False, lambda n: points[:, :n].clone()), streams
    )


def mean_deviation(sample, truth):
    """Largest distance of the mean of sample (R, ...) from truth, in standard errors."""
    return ((sample.mean(0) - truth).abs() / (sample.std(0) / len(sample) ** 0.5)).max().item()


# consensus: how fast particles meet (Pinnau et al. 2017; Carrillo et al. 2021) ------------------------------


def gathered(steps, p, dim, *, leader, worlds=20_000, **options):
    """What is left of sum |X - v|^2 (R,), in units of the first, about a particle that is far the best, or of a flat loss."""
    optimizer, streams = OPTIMIZERS["consensus"](population=p, alpha=1.0, **options), make(worlds)
    state = begin(optimizer, streams.normal("init", (p, dim)), streams)
    value = torch.zeros(worlds, p, dtype=torch.float64)
    if leader:
        value[:, 1:] = 1e6

    def spread(x):
        middle = x[:, :1] if leader else x.mean(1, keepdim=True)
        return ((x - middle) ** 2).sum((1, 2))

    first = spread(state.points).mean()
    for step in range(1, steps + 1):
        s = streams.at(step)
        state, _ = optimizer.tell(state, optimizer.ask(state, s), Answer(value), s)
    return spread(state.points) / first


CONSENSUS = [  # noise, lambda, sigma, dt, steps, P, D
    ("anisotropic", 1.0, 0.7, 0.1, 5, 4, 3),
    ("anisotropic", 2.0, 1.2, 0.2, 3, 3, 5),
    ("isotropic", 1.0, 0.7, 0.1, 5, 4, 3),
    ("isotropic", 0.5, 0.4, 0.3, 4, 3, 7),
]


@pytest.mark.parametrize(("noise", "drift", "diffusion", "dt", "steps", "p", "dim"), CONSENSUS)
@pytest.mark.parametrize("leader", [True, False], ids=["fixed", "flat"])
def test_distance_from_the_consensus(noise, drift, diffusion, dt, steps, p, dim, leader):
    """Per step (1 - lambda dt)^2 + k sigma^2 dt.

    K = 1, isotropic D, and about the mean of P particles 1 - 1 / P of that.
    """
    left = gathered(
        steps, p, dim, leader=leader, noise=noise, drift=drift, diffusion=diffusion, step_size=dt
    )

    def law(k, tick=dt):
        return ((1 - drift * dt) ** 2 + k * diffusion**2 * tick) ** steps

    share = 1 if leader else 1 - 1 / p
    k = share * (dim if noise == "isotropic" else 1)
    assert mean_deviation(left, law(k)) < Z
    assert mean_deviation(left, law(k, dt**2)) > Z  # mutant: noise times dt, not its root
    assert (
        mean_deviation(left, law(share * (1 if noise == "isotropic" else dim))) > Z
    )  # mutant: the other noise
    assert (
        mean_deviation(left, law(k / share * (1 if share < 1 else 1 - 1 / p))) > Z
    )  # mutant: about the mean <-> about a fixed point


def test_distance_in_the_limit_of_small_steps():
    """exp[(sigma^2 - 2 lambda) t], whatever the dimension.

    Isotropic exp[(D sigma^2 - 2 lambda) t], which grows where D sigma^2 > 2 lambda.
    """
    small = {"drift": 1.0, "diffusion": 0.9, "step_size": 0.004}
    each = gathered(50, 3, 4, leader=True, worlds=4000, **small)
    all_alike = gathered(50, 3, 4, leader=True, worlds=4000, noise="isotropic", **small)
    assert mean_deviation(each, math.exp((0.81 - 2) * 0.2)) < Z
    assert mean_deviation(all_alike, math.exp((4 * 0.81 - 2) * 0.2)) < Z
    assert mean_deviation(each, math.exp((2 * 0.81 - 2) * 0.2)) > Z  # mutant: sqrt(2) sigma
    assert all_alike.mean() > 1 > each.mean()


# recombined_sgd: averages -----------------------------------------------------------------------------------


def trajectories(steps, p, h, eta, noise, worlds, dim=1, **options):
    """Points (R, P, D) from 0 on h |x|^2 / 2, whose gradients have independent noise of the given variance."""
    optimizer, streams = (
        OPTIMIZERS["recombined_sgd"](population=p, learning_rate=eta, **options),
        make(worlds),
    )
    state = begin(optimizer, torch.zeros(worlds, p, dim, dtype=torch.float64), streams)
    for step in range(1, steps + 1):
        s = streams.at(step)
        gradient = h * state.points + noise**0.5 * s.normal("evaluation", (p, dim))
        state, _ = optimizer.tell(state, optimizer.ask(state, s), Answer(gradient[..., 0], gradient), s)
    return state.points


def stationary(h, eta, noise):
    """The variance of SGD on h x^2 / 2 (law 47)."""
    return eta * noise / (h * (2 - eta * h))


AVERAGES = [
    (1.0, 0.3, 4.0, 4, 1, 1.0),
    (2.0, 0.2, 1.0, 7, 3, 1.0),
    (1.0, 0.3, 4.0, 5, 1, 0.4),
    (1.0, 0.5, 1.0, 3, 2, 0.6),
]


@pytest.mark.parametrize(("h", "eta", "noise", "p", "interval", "pull"), AVERAGES)
def test_averaging_divides_the_variance(h, eta, noise, p, interval, pull):
    """The mean of P has 1 / P of one's variance, whatever the interval and the pull.

    Distances from it shrink by 1 - a at each meeting.

    A distance keeps [(1 - a) rho^m]^2 of its variance from meeting to meeting, rho = 1 - eta h, and gains
    that of m free steps, times (1 - a)^2.
    """
    x = trajectories(60, p, h, eta, noise, 6000, interval=interval, exchange="average", pull=pull)[
        ..., 0
    ]
    rho, m = 1 - eta * h, interval
    kept = (1 - pull) ** 2
    apart = kept * stationary(h, eta, noise) * (1 - rho ** (2 * m)) / (1 - kept * rho ** (2 * m))
    assert mean_deviation(x.mean(1) ** 2, stationary(h, eta, noise) / p) < Z
    assert mean_deviation(x[:, 0] ** 2, stationary(h, eta, noise) / p + (1 - 1 / p) * apart) < Z
    assert (
        mean_deviation(x.mean(1) ** 2, stationary(h, eta, noise) / (p - 1)) > Z
    )  # mutant: one trajectory too few
    assert (
        mean_deviation(x.mean(1) ** 2, stationary(h, eta, noise)) > Z
    )  # mutant: they all see the same noise
    other = kept / (1 - pull) if pull < 1 else 0.25
    apart = other * stationary(h, eta, noise) * (1 - rho ** (2 * m)) / (1 - other * rho ** (2 * m))
    assert (
        mean_deviation(x[:, 0] ** 2, stationary(h, eta, noise) / p + (1 - 1 / p) * apart) > Z
    )  # mutant: half, or root, of the pull


# recombined_sgd: crossover (Robbins 1918; free recombination) -----------------------------------------------


@pytest.mark.parametrize(("p", "interval"), [(4, 1), (5, 2)])
def test_crossover_keeps_the_law_of_every_coordinate(p, interval):
    """On a separable quadratic with noise of its own for each trajectory and coordinate.

    The stationary variance, and no covariance.
    """
    x = trajectories(40, p, 1.0, 0.4, 2.0, 6000, dim=2, interval=interval)
    assert mean_deviation(x[:, 0] ** 2, stationary(1.0, 0.4, 2.0)) < Z
    assert mean_deviation(x[:, 0].prod(-1), 0.0) < Z
    averaged = trajectories(40, p, 1.0, 0.4, 2.0, 6000, dim=2, interval=interval, exchange="average")
    assert (
        mean_deviation(averaged[:, 0] ** 2, stationary(1.0, 0.4, 2.0)) > Z
    )  # mutant: children in the middle of their parents


@pytest.mark.parametrize(("p", "meetings"), [(2, 1), (2, 3), (6, 1), (6, 3), (5, 2)])
def test_crossover_halves_what_coordinates_share(p, meetings):
    """Covariance of two coordinates within a trajectory, w, and between two, b.

    W' = w + r (b - w) c, c = 1 / 2, where r = 2 floor(P / 2) / P meet.

    P w + P (P - 1) b is conserved, since nothing is lost: so w goes to 1 / P of where it was.
    """
    worlds = 20_000
    optimizer, streams = OPTIMIZERS["recombined_sgd"](population=p, interval=1), make(worlds)
    start = streams.normal("init", (p, 1)).expand(
        worlds, p, 2
    )  # the two coordinates of a trajectory are one number
    state = begin(optimizer, start, streams)
    still = torch.zeros_like(start)
    for step in range(1, meetings + 1):
        s = streams.at(step)
        state, _ = optimizer.tell(state, optimizer.ask(state, s), Answer(still[..., 0], still), s)
    within = state.points.prod(-1)[:, 0]

    def law(share, meet=2 * (p // 2) / p):
        w, b = 1.0, 0.0
        for _ in range(meetings):
            w, b = w + meet * share * (b - w), b + meet * share * (w - b) / (p - 1)
        return w

    assert mean_deviation(within, law(0.5)) < Z
    assert mean_deviation(within, law(0.25)) > Z  # mutant: half of the crossovers are lost
    if p % 2:
        assert mean_deviation(within, law(0.5, 1.0)) > Z  # mutant: all have a partner
    if meetings > 1:
        assert mean_deviation(within, 0.5**meetings) > Z  # mutant: a population without end


# memetic: learning and selection ----------------------------------------------------------------------------


def after(generations, learning, start, worlds, **options):
    """Genes (R, P, D) after whole generations on h |x|^2 / 2 with h = 1."""
    optimizer, streams = (
        OPTIMIZERS["memetic"](population=start.shape[1], learning=learning, **options),
        make(worlds),
    )
    state = begin(optimizer, start, streams)
    for step in range(1, generations * (optimizer.descent_steps + 1) + 1):
        s = streams.at(step)
        query = optimizer.ask(state, s)
        value = (query.points**2).sum(-1) / 2
        state, _ = optimizer.tell(
            state, query, Answer(value, query.points if query.gradient else None), s
        )
    return state.genes


@pytest.mark.parametrize(("eta", "steps", "generations"), [(0.2, 1, 6), (0.1, 3, 4), (0.5, 2, 3)])
def test_learning_without_selection(eta, steps, generations):
    """Genes of variance V: lamarckian V' = rho^(2L) V + s^2, rho = 1 - eta h.

    Baldwinian V' = V + s^2, as if nothing was learned.
    """
    worlds, sigma = 20_000, 0.5
    options = {
        "descent_steps": steps,
        "learning_rate": eta,
        "selection": "none",
        "crossover": "none",
        "mutation_sigma": sigma,
    }

    def law(kept):
        variance = 1.0
        for _ in range(generations):
            variance = kept * variance + sigma**2
        return variance

    start = make(worlds).normal("init", (1, 1))
    for learning, rho in (("lamarckian", 1 - eta), ("baldwinian", 1.0)):
        square = after(generations, learning, start, worlds, **options)[:, 0] ** 2
        assert mean_deviation(square, law(rho ** (2 * steps))) < Z
        assert (
            mean_deviation(square, law((1 - eta) ** (2 * (steps + 1)))) > Z
        )  # mutant: a step too many, or learned at all
        assert (
            mean_deviation(
                square, law((1 - eta) ** (2 * (steps - 1)) if rho < 1 else (1 - eta) ** (2 * steps))
            )
            > Z
        )  # mutant: one too few


@pytest.mark.parametrize(("eta", "steps", "strength"), [(0.1, 2, 1.0), (0.3, 1, 2.0)])
def test_learning_hides_genes_from_selection(eta, steps, strength):
    """Fitness exp(-beta h y^2 / 2) of y = rho^L x with x ~ N(0, 1) leaves baldwinian genes the variance 1 / (1 + beta h rho^(2L)).

    Lamarckian ones have rho^(2L) of that: the hiding effect (Mayley 1996, Evol. Comput. 4:213) against the speed of inheritance.
    """
    worlds, p = 300, 2000
    options = {
        "descent_steps": steps,
        "learning_rate": eta,
        "selection": "proportional",
        "selection_strength": strength,
    }
    start = make(worlds).normal("init", (p, 1))
    kept = (1 - eta) ** (2 * steps)
    for learning, share in (("baldwinian", 1.0), ("lamarckian", kept)):
        square = (
            after(1, learning, start, worlds, crossover="none", mutation_rate=0.0, **options) ** 2
        ).mean((1, 2))
        assert mean_deviation(square, share / (1 + strength * kept)) < Z
        assert mean_deviation(square, share / (1 + strength)) > Z  # mutant: selected before learning
        assert (
            mean_deviation(square, share / (1 + strength * (1 - eta) ** (2 * steps + 2))) > Z
        )  # mutant: a step too many
        assert (
            mean_deviation(square, kept / share / (1 + strength * kept)) > Z
        )  # mutant: the other inheritance


# pbt: who is copied, and what becomes of learning rates (Jaderberg et al. 2017) -----------------------------


@pytest.mark.parametrize(("p", "fraction", "c"), [(10, 0.2, 0.2), (9, 0.4, 0.5)])
def test_rates_after_an_exploit(p, fraction, c):
    """The worst k copy the best k, each as often, and change what they copied by factors of mean 1 and mean square 1 + c^2."""
    worlds, k = 20_000, int(fraction * p + 1e-9)
    optimizer, streams = (
        OPTIMIZERS["pbt"](population=p, fraction=fraction, perturbation=c, interval=1, spread=4.0),
        make(worlds),
    )
    state = begin(optimizer, torch.zeros(worlds, p, 1, dtype=torch.float64), streams)
    rate, value = (
        state.rate[0],
        torch.tensor([(3 * i) % p if p % 3 else (2 * i) % p for i in range(p)], dtype=torch.float64),
    )
    query = optimizer.ask(state, streams)
    new, info = optimizer.tell(
        state._replace(step=state.step + 1),
        query,
        Answer(value.expand(worlds, p), torch.zeros_like(query.points)),
        streams,
    )
    order = value.argsort()
    worst, parents = new.rate[:, order[p - k :]], info["parents"][:, order[p - k :]]
    assert torch.equal(new.rate[:, order[: p - k]], rate[order[: p - k]].expand(worlds, p - k))
    assert mean_deviation(worst, rate[order[:k]].mean()) < Z
    assert mean_deviation(worst, rate.mean()) > Z  # mutant: anyone is copied
    assert mean_deviation(worst, rate[order[0]]) > Z  # mutant: only the best is
    factor = worst / rate[parents]
    assert mean_deviation(factor, 1.0) < Z
    assert mean_deviation(factor**2, 1 + c**2) < Z
    assert mean_deviation(factor, (1 + c + 1 / (1 + c)) / 2) > Z  # mutant: up and down by one factor
    assert mean_deviation(factor**2, 1.0) > Z  # mutant: nobody explores
    copied = torch.nn.functional.one_hot(parents, p).double().sum(1)[:, order[:k]]
    assert mean_deviation(copied, 1.0) < Z
    if k > 1:
        assert mean_deviation((copied - 1) ** 2, 1 - 1 / k) < Z  # drawn with replacement: binomial
