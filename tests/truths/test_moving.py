"""Closed-form laws of moving optima, and of stochastic gradient descent that follows one.

Each rejects a wrong law.
"""

import math

import pytest
import torch

from landscapes.base import Query
from landscapes.binary.onemax import OneMax
from landscapes.continuous.quadratic import Quadratic
from landscapes.oracle.bill import Bill
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from landscapes.wrappers.moving import Moving

ERRORS = 4.5  # standard errors allowed
WORLDS = 2000


def agrees(sample, truth):
    """Whether the mean of independent numbers is within the allowed error of a law."""
    sample = sample.double().flatten()
    return abs(float(sample.mean()) - truth) <= ERRORS * float(sample.std()) / len(sample) ** 0.5


def places(path, times, *, dim=25, inner=None, worlds=WORLDS, **options):
    """Displacement of each coordinate, or whether it is flipped, at some times: a list of (R, D)."""
    landscape = Moving(inner=inner or Quadratic(dim=dim), path=path, **options).bind(
        Streams(seed=9, worlds=torch.arange(worlds))
    )
    return [landscape.optimum_at(torch.full((worlds,), float(t), dtype=torch.float64)) for t in times]


def flips(path, times, **options):
    """Whether each locus is flipped (the optimum of OneMax is all ones)."""
    return [1 - x.double() for x in places(path, times, inner=OneMax(n=25), **options)]


# the random walk: Brownian at whole times -------------------------------------------------------------------


@pytest.mark.parametrize("time", [1, 2, 3, 1000, 4095, 2**20 + 7, 2**31, 2**32 - 1])
@pytest.mark.verify
def test_the_walk_has_the_variance_and_the_shape_of_brownian_motion(time):
    x = places("random_walk", [time], step=0.4)[0] / (0.4 * time**0.5)
    assert agrees(x, 0)
    assert agrees(x**2, 1)
    assert agrees(x**4, 3)
    assert not agrees(x**2, 1 + 1 / 16), "a step more in sixteen"
    assert agrees(x[:, :12] * x[:, 13:], 0), "coordinates are independent"
    assert agrees(x[:1000] * x[1000:], 0), "worlds are independent"


@pytest.mark.parametrize("times", [(1, 2, 3), (5, 8, 9), (1000, 1024, 1500), (3, 2**20, 2**31 + 5)])
def test_increments_of_the_walk_are_independent(times):
    a, b, c = places("random_walk", times, step=1.0)
    steps = [
        a / times[0] ** 0.5,
        (b - a) / (times[1] - times[0]) ** 0.5,
        (c - b) / (times[2] - times[1]) ** 0.5,
    ]
    for i, step in enumerate(steps):
        assert agrees(step**2, 1)
        assert all(agrees(step * other, 0) for other in steps[:i])
        assert all(agrees(step**2 * other**2, 1) for other in steps[:i])
    assert agrees(b * c, times[1])
    assert times[2] > 2 * times[1] or not agrees(b * c, times[1] * 0.9)
    assert not agrees(b * c, times[2])


def test_the_walk_is_linear_between_whole_times():
    before, between, after = places("random_walk", [6, 6.25, 7], step=1.0)
    torch.testing.assert_close(between, 0.75 * before + 0.25 * after, rtol=0, atol=1e-11)
    start, half = places("random_walk", [0, 0.5], step=1.0)
    assert not start.any()
    assert agrees(half**2, 0.25)
    assert not agrees(half**2, 0.5), "Brownian motion itself"


# other paths ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["linear", "cycle"])
def test_directions_are_uniform_on_the_sphere(path):
    x = places(path, [50.0], dim=4, worlds=4000, speed=0.02, radius=0.5, period=100.0)[
        0
    ]  # both are a unit away now
    torch.testing.assert_close(x.norm(dim=-1), torch.ones(4000).double())
    assert agrees(x, 0)
    assert all(agrees(x[:, i] * x[:, i + 1], 0) for i in range(3))
    assert agrees(x**4, 3 / 24)
    assert not agrees(x**4, 3 / 16), "not normal"


def test_jumps_are_normal_and_forget():
    a, b, c = places("jump", [20, 30, 1000], radius=1.5, period=10.0)
    for x in (a, b, c):
        assert agrees(x, 0)
        assert agrees(x**2, 2.25)
        assert agrees(x**4, 3 * 2.25**2)
        assert not agrees(x**2, 1.5)
    assert agrees(a * b, 0)
    assert agrees(b * c, 0)


@pytest.mark.parametrize("severity", [0.1, 0.5, 0.8])
def test_masks_of_jumps_and_cycles_have_the_set_severity(severity):
    a, b = flips("jump", [20, 1000], severity=severity, period=10.0)
    c, d = flips("cycle", [4, 7], severity=severity, period=9.0, masks=3)
    for one, other in ((a, b), (c, d)):
        assert agrees(one, severity)
        assert not agrees(one, severity**2)
        assert agrees((one - other).abs(), 2 * severity * (1 - severity)), "independent masks"


@pytest.mark.parametrize("severity", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("epochs", [(1, 2, 3), (4, 7, 8), (31, 32, 2**31)])
def test_a_walk_of_bits_is_the_two_state_chain(severity, epochs):
    def law(units):
        return (1 - (1 - 2 * severity) ** units) / 2

    a, b, c = flips("random_walk", [1.5 * e + 1 for e in epochs], severity=severity, period=1.5)
    increments = [a, (b - a).abs(), (c - b).abs()]
    units = [epochs[0], epochs[1] - epochs[0], epochs[2] - epochs[1]]
    for i, (changed, count) in enumerate(zip(increments, units, strict=True)):
        assert agrees(changed, law(count))
        assert all(
            agrees((changed - law(count)) * (other - law(units[j])), 0)
            for j, other in enumerate(increments[:i])
        )
        if abs(law(count + 1) - law(count)) > 0.015:
            assert not agrees(changed, law(count + 1)), "an epoch more"
    assert agrees(a * b, law(units[0]) * (1 - law(units[1])))


def test_a_slow_walk_of_bits_over_the_whole_horizon():
    (x,) = flips("random_walk", [2**32 - 1], severity=2.0**-32, period=1.0)
    assert agrees(x, (1 - math.exp(-2)) / 2)
    assert not agrees(x, 0.5)


# R4: gradient descent behind a moving optimum ---------------------------------------------------------------

CURVATURE, RATE, TERMS, BATCH, SCALE, BOX = 0.8, 0.3, 9, 2, 1.4, 1.5


def squared_gaps(steps, *, clock="step", worlds=4000, **path):
    """Mean squared distances to the optimum of SGD in one dimension after 0, 1, .. steps: a list of (R,)."""
    streams = Streams(seed=6, worlds=torch.arange(worlds))
    bowl = Quadratic(dim=1, curvature=CURVATURE, terms=TERMS, noise_scale=SCALE, box=BOX, shifted=True)
    moving = Moving(inner=bowl, clock=clock, **path).bind(streams)
    oracle = Oracle(moving, Noise(batch=BATCH), Bill(worlds, terms=TERMS, budget=math.inf))
    x, gaps = moving.inner.optimum[:, None] + moving.start(streams.at(0), 1), []
    for step in range(steps + 1):
        now = torch.as_tensor(
            oracle.bill.steps if clock == "step" else oracle.bill.cost(), dtype=torch.float64
        )
        gaps.append((x[:, 0, 0] - moving.optimum_at(now)[:, 0]) ** 2)
        x = x - RATE * oracle(Query(x, gradient=True), streams.at(step + 1)).gradient
    return gaps


def recursion(steps, *, speed=0.0, walk=0.0, batch=BATCH):
    """Exact: gap' = (1 - eta lambda) gap - eta g - (the optimum's step), from gaps uniform in [-box, box].

    The mean square after 0, 1, .. steps.
    """
    keep = 1 - RATE * CURVATURE
    lag, variance, found = 0.0, BOX**2 / 3, []
    for _ in range(steps + 1):
        found.append(lag**2 + variance)
        lag = keep * lag - speed
        variance = keep**2 * variance + RATE**2 * SCALE**2 / batch + walk**2
    return found


@pytest.mark.parametrize(
    ("path", "law"),
    [
        ({"path": "linear", "speed": 0.2}, {"speed": 0.2}),
        ({"path": "random_walk", "step": 0.3}, {"walk": 0.3}),
    ],
)
def test_sgd_behind_a_moving_optimum(path, law):
    gaps, steps = squared_gaps(25, **path), (0, 1, 4, 25)
    right = recursion(25, **law)
    assert all(agrees(gaps[k], right[k]) for k in steps)
    wrong = {
        "no motion": {},
        "twice as fast": {k: 2 * v for k, v in law.items()},
        "twice the batch": law | {"batch": 2 * BATCH},
    }
    for name, other in wrong.items():
        assert not agrees(gaps[25], recursion(25, **other)[25]), name
    swapped = {"walk": 0.2} if "speed" in law else {"speed": 0.3}
    assert not agrees(gaps[25], recursion(25, **swapped)[25]), "a walk is no line"


def test_on_the_clock_of_cost_the_optimum_moves_by_what_a_step_costs():
    gaps = squared_gaps(25, clock="cost", path="linear", speed=0.2)
    cost = 3 * BATCH / TERMS
    assert agrees(gaps[25], recursion(25, speed=0.2 * cost)[25])
    assert not agrees(gaps[25], recursion(25, speed=0.2)[25])


def test_the_lag_of_small_steps_is_the_asymptotic_law():
    """MSE = v^2 / (eta lambda)^2 + eta sigma^2 / (2 lambda B), its bias of order eta lambda.

    Here the recursion stands for the simulation.
    """
    limit = recursion(400, speed=0.05)[-1]
    law = (0.05 / (RATE * CURVATURE)) ** 2 + RATE * SCALE**2 / (2 * CURVATURE * BATCH)
    assert limit == pytest.approx(law, rel=RATE * CURVATURE)
    assert limit != pytest.approx(law - RATE * SCALE**2 / (2 * CURVATURE * BATCH), rel=RATE * CURVATURE)
