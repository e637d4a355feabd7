"""Closed-form laws of workers in virtual time and of stale gradients (TRUTHS 54 and 55), each with a mutant that the same check rejects."""

import math

import numpy as np
import pytest
import torch
from scipy.linalg import solve_discrete_lyapunov
from scipy.optimize import brentq

from landscapes.base import Answer, Problem, Reals
from landscapes.streams import Streams
from optimizers import OPTIMIZERS
from optimizers.workers import Service
from studies.theory.descent import delay_limit
from studies.theory.workers import harmonic
from tests.truths.table import mean_and_error, ratio, told, told_mean

Z = 4.5  # standard errors
LAWS = {
    54: "largest stable step at the delay tau, eta lambda = 2 sin(pi / [2 (2 tau + 1)])",
    55: (
        "stationary variance at a delay, companion Lyapunov equation; random staleness of W workers is"
        " momentum 1 - 1/W in mean"
    ),
}
EXPONENTIAL = Service(scale=0.7)
SHIFTED = Service(kind="shifted_exponential", offset=0.8, scale=0.2)
PARETO = Service(kind="pareto", shape=3.5)
CONSTANT = Service(kind="constant", scale=0.3)
SERVICES = {
    "exponential": EXPONENTIAL,
    "shifted_exponential": SHIFTED,
    "pareto": PARETO,
    "constant": CONSTANT,
}


def begin(optimizer, worlds, start=0.0):
    """Streams and the state of all worlds at the same point of a line."""
    streams = Streams(seed=2025, worlds=torch.arange(worlds))
    points = torch.full((worlds, 1, 1), start, dtype=torch.float64)
    return streams, optimizer.init(Problem(1, Reals(), True, lambda n: points), streams)


def simulate(workers, service, worlds, steps, mode="async", backups=0):
    """What every step tells of itself, on a flat landscape.

    Staleness and worker (steps, R, P), clock (steps, R), and the last state.
    """
    optimizer = OPTIMIZERS["async_sgd"](workers=workers, service=service, mode=mode, backups=backups)
    streams, state = begin(optimizer, worlds)
    asked = optimizer.ask(state, streams).points
    flat, infos = Answer(torch.zeros_like(asked[..., 0]), torch.zeros_like(asked)), []
    for step in range(1, steps + 1):
        state, info = optimizer.tell(state, optimizer.ask(state, streams), flat, streams.at(step))
        infos.append(info)
    return {key: torch.stack([info[key] for info in infos]) for key in infos[0]}, state


def deviation(sample, truth):
    """Distance of the mean of sample (R,) from truth, in standard errors."""
    mean, error = mean_and_error(sample.double())
    return abs(mean - truth) / error


def slowest(service, n, backups=0):
    """The mean time of a barrier of n workers."""
    if service.kind == "pareto":
        return service.scale * math.exp(
            math.lgamma(n + 1)
            + math.lgamma(1 - 1 / service.shape)
            - math.lgamma(n + 1 - 1 / service.shape)
        )
    return (service.offset or 0.0) + service.scale * (harmonic(n) - harmonic(backups))


# how much faster is async than sync -------------------------------------------------------------------------


def gaps(service, workers, worlds, rounds):
    """Mean time (R,) of one barrier, and of W events beside it, once the start is forgotten."""
    barrier = simulate(workers, service, worlds, 5 * rounds, "sync")[0]["clock"][-1] / (5 * rounds)
    begun, steps = 12 * workers, workers * rounds
    clock = simulate(workers, service, worlds, begun + steps)[0]["clock"]
    return barrier, (clock[-1] - clock[begun - 1]) / rounds


def check_speed_up(service, workers, worlds, rounds):
    barrier, events = gaps(service, workers, worlds, rounds)
    (slow, slow_error), (fast, fast_error) = mean_and_error(barrier), mean_and_error(events)
    found, error = slow / fast, slow / fast * math.hypot(slow_error / slow, fast_error / fast)
    truth = slowest(service, workers) / slowest(service, 1)
    assert abs(found - truth) < Z * error
    assert deviation(events, slowest(service, 1)) < Z
    for mutant in (
        workers - 1,
        workers + 1,
        1,
    ):  # one worker fewer, one more, the mean in place of the maximum
        assert abs(found - slowest(service, mutant) / slowest(service, 1)) > Z * error


@pytest.mark.parametrize("service", [EXPONENTIAL, SHIFTED, PARETO], ids=lambda s: s.kind)
def test_speed_up(service):
    """H_W, (t0 + H_W mu) / (t0 + mu), Gamma(W + 1) Gamma(1 - 1/a) / Gamma(W + 1 - 1/a)."""
    check_speed_up(service, 5, worlds=1000, rounds=12)


@pytest.mark.verify
@pytest.mark.parametrize("workers", [16, 32])
@pytest.mark.parametrize("service", [EXPONENTIAL, SHIFTED, PARETO], ids=lambda s: s.kind)
def test_speed_up_of_many(service, workers):
    check_speed_up(service, workers, worlds=3000, rounds=30)


def test_speed_up_at_the_numbers_of_the_studies():
    """3.38 with 16 workers, 4.06 with 32, 1.61 with 32 of .8 + .2 Exp, 2.38 with one backup among 16."""
    found = [
        slowest(Service(), 16),
        slowest(Service(), 32),
        slowest(SHIFTED, 32),
        slowest(Service(), 16, backups=1),
    ]
    assert found == pytest.approx([3.38, 4.06, 1.61, 2.38], abs=0.005)


def test_constant_services_gain_nothing():
    """The negative control: W events take exactly the time of a barrier."""
    barrier, events = gaps(CONSTANT, 5, worlds=2, rounds=12)
    assert torch.allclose(barrier, events, rtol=1e-13)


@pytest.mark.parametrize(("workers", "backups"), [(6, 1), (6, 3)])
def test_backups(workers, backups):
    """A barrier of W exponential services that does not wait for b takes H_W - H_b, b of the W included."""
    time = simulate(workers, Service(), 2000, 10, "sync", backups)[0]["clock"][-1] / 10
    assert deviation(time, harmonic(workers) - harmonic(backups)) < Z
    for mutant in (
        harmonic(workers + backups) - harmonic(backups),
        harmonic(workers - backups),
        harmonic(workers) - harmonic(backups - 1),
    ):
        assert deviation(time, mutant) > Z


# staleness --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SERVICES)
@pytest.mark.parametrize("stragglers", [0, 2])
def test_mean_staleness_is_one_less_than_the_workers(kind, stragglers):
    """For any law, exactly: services tile the time of each worker, so that sum of (staleness + 1) + sum of the ages in service = W n."""
    options = SERVICES[kind].parameters() | {"stragglers": stragglers, "slowdown": 3.7}
    told, state = simulate(5, Service(**options), 20, 100)
    ages = (state.step[:, None] - state.read).sum(1)
    for off, expected in ((0, True), (1, False), (-1, False)):  # mutants: staleness off by one
        tiled = (told["staleness"] + off + 1).sum((0, 2)) + ages
        assert (tiled.tolist() == [5 * 100] * 20) == expected


def late_staleness(workers, service, worlds, steps):
    """Staleness and worker (steps / 2, R) of the second half."""
    told = simulate(workers, service, worlds, steps)[0]
    return told["staleness"][steps // 2 :, :, 0].double(), told["worker"][steps // 2 :, :, 0]


def check_staleness(workers, worlds, steps):
    """With exponential services geometric: mean W - 1, variance W (W - 1)."""
    stale = late_staleness(workers, Service(), worlds, steps)[0]
    assert deviation(stale.mean(0), workers - 1) < Z
    spread = (stale - (workers - 1)).square().mean(0)
    assert deviation(spread, workers * (workers - 1)) < Z
    assert deviation((stale == 0).double().mean(0), 1 / workers) < Z
    for mutant in (workers - 1, workers + 1):
        assert deviation(stale.mean(0), mutant - 1) > Z
        assert deviation(spread, mutant * (mutant - 1)) > Z
    assert deviation(spread, workers - 1) > Z  # mutant: Poisson


def test_staleness_of_exponential_services():
    check_staleness(5, worlds=1000, steps=120)


@pytest.mark.verify
def test_staleness_of_16_workers():
    """15.00 and 240."""
    check_staleness(16, worlds=2000, steps=600)


def check_straggler(workers, slowdown, worlds, steps):
    """A worker that is c times slower sees c (W - 1); the mean over all updates stays W - 1."""
    stale, who = late_staleness(workers, Service(stragglers=1, slowdown=slowdown), worlds, steps)
    own = who == 0
    for truth, expected in (
        (slowdown * (workers - 1), True),
        (workers - 1, False),
        (slowdown * workers, False),
    ):
        residual = ((stale - truth) * own).mean(0)
        assert (deviation(residual, 0.0) < Z) == expected
    assert deviation(stale.mean(0), workers - 1) < Z
    others = (workers - 2) + 1 / slowdown  # the rate at which an ordinary worker sees the others finish
    assert deviation(((stale - others) * ~own).mean(0), 0.0) < Z


def test_a_straggler():
    check_straggler(4, 4.0, worlds=1000, steps=200)


@pytest.mark.verify
def test_a_straggler_among_16():
    """60 in place of 15."""
    check_straggler(16, 4.0, worlds=1000, steps=1600)


# 54: how large a step is stable at a fixed delay ------------------------------------------------------------


DELAYS = {0: 2.0, 1: 1.0, 2: 0.6180, 5: 0.2846, 10: 0.1495}


def growth(delay, product):
    """The growth per step of the linear recursion that async_sgd is with tau + 1 equal constant services, at eta lambda = product.

    One round, in which every worker delivers once, maps the point and the W copies linearly; its columns are the rounds of the unit vectors.
    """
    workers = delay + 1
    optimizer = OPTIMIZERS["async_sgd"](workers=workers, learning_rate=product, service=CONSTANT)
    streams, state = begin(optimizer, workers + 1)
    for step in range(1, workers + 1):  # to where every worker is as stale as it will be
        state = optimizer.tell(
            state, optimizer.ask(state, streams), slope(optimizer.ask(state, streams)), streams.at(step)
        )[0]
    unit = torch.eye(workers + 1, dtype=torch.float64)
    state = state._replace(
        points=unit[:, :1, None], copies=unit[:, 1:, None], velocity=torch.zeros_like(state.velocity)
    )
    for step in range(workers + 1, 2 * workers + 1):
        query = optimizer.ask(state, streams)
        state, info = optimizer.tell(state, query, slope(query), streams.at(step))
        assert (info["staleness"] == delay).all()
    columns = torch.cat([state.points, state.copies], 1)[..., 0]
    return np.abs(np.linalg.eigvals(columns.numpy())).max() ** (1 / workers)


def slope(query, stiffness=1.0):
    """The loss stiffness x^2 / 2."""
    x = query.points
    return Answer(0.5 * stiffness * x[..., 0] ** 2, stiffness * x)


@pytest.mark.parametrize(("delay", "number"), DELAYS.items())
def test_law_54_the_largest_stable_step(delay, number):
    """The limit to 1e-6, and the growth against the roots of z^(tau + 1) - z^tau + eta lambda."""
    assert delay_limit(delay) == pytest.approx(number, abs=5e-5)
    found = brentq(
        lambda product: growth(delay, product) - 1,
        0.7 * delay_limit(delay),
        1.3 * delay_limit(delay),
        xtol=1e-9,
    )
    told(
        54,
        LAWS[54],
        f"tau = {delay}",
        delay_limit(delay),
        found,
        bias=1e-6 * delay_limit(delay),
        mutant=delay_limit(delay + 1),
    )
    assert growth(delay, 0.9 * delay_limit(delay)) == pytest.approx(
        np.abs(np.roots([1, -1, *[0] * (delay - 1), 0.9 * delay_limit(delay)])).max() if delay else 0.8
    )
    mutants = [delay_limit(delay + 1)] + (
        [delay_limit(delay - 1)] if delay else []
    )  # the delay off by one
    assert all(
        not growth(delay, wrong * (1 - 1e-6)) < 1 < growth(delay, wrong * (1 + 1e-6))
        for wrong in mutants
    )


@pytest.mark.parametrize("delay", [0, 2, 5])
def test_law_54_runs_beside_the_limit(delay):
    """At 0.98 of it a run falls, at 1.02 it grows."""
    steps = 100 * (delay + 1)
    rates = torch.tensor([0.98, 1.02], dtype=torch.float64) * delay_limit(delay) / 3
    optimizer = OPTIMIZERS["async_sgd"](workers=delay + 1, learning_rate=rates, service=CONSTANT)
    streams, state = begin(optimizer, 2, start=1.0)
    sizes = []
    for step in range(1, 2 * steps + 1):
        query = optimizer.ask(state, streams)
        state = optimizer.tell(state, query, slope(query, 3.0), streams.at(step))[0]
        sizes.append(state.points[:, 0, 0].abs())
    early, late = torch.stack(sizes[:steps]).amax(0), torch.stack(sizes[steps:]).amax(0)
    assert late[0] < 0.5 * early[0]
    assert late[1] > 2 * early[1]


# 55: how far noise carries at a delay, and staleness as momentum --------------------------------------------


def lyapunov(delay, product, noise):
    """Stationary variance of x <- x - product x(t - tau) + N(0, noise), from the companion matrix of (x_t, .., x_(t - tau))."""
    companion = np.eye(delay + 1, k=-1)
    companion[0, 0] = 1.0
    companion[0, delay] -= product
    forcing = np.zeros_like(companion)
    forcing[0, 0] = noise
    return solve_discrete_lyapunov(companion, forcing)[0, 0]


@pytest.mark.parametrize("delay", [0, 2, 5])
def test_law_55_stationary_variance_at_a_delay(delay):
    """Of 3000 worlds after 20 relaxation times: .0526 without delay, .0894 at tau = 5."""
    worlds, rate = 3000, 0.1
    optimizer = OPTIMIZERS["async_sgd"](workers=delay + 1, learning_rate=rate, service=CONSTANT)
    streams, state = begin(optimizer, worlds)
    for step in range(1, 201):
        s = streams.at(step)
        query = optimizer.ask(state, s)
        noise = s.normal("evaluation", (1, 1))
        state = optimizer.tell(state, query, Answer(query.points[..., 0], query.points + noise), s)[0]
    square, where = (
        state.points[:, 0, 0] ** 2,
        f"variance, tau = {delay}, eta h = .1, eta^2 sigma^2 = .01",
    )
    told_mean(
        55,
        LAWS[55],
        where,
        lyapunov(delay, rate, 0.01),
        square,
        mutant=lyapunov(0, rate, 0.01) if delay else lyapunov(2, rate, 0.01),
    )
    assert deviation(square, lyapunov(delay + 3, rate, 0.01)) > Z  # mutant: a longer delay


def test_law_55_at_the_numbers_of_the_table():
    assert (lyapunov(0, 0.1, 0.01), lyapunov(5, 0.1, 0.01)) == pytest.approx((0.0526, 0.0894), abs=5e-5)
    assert 1 - 1 / 16 == 0.9375


def mean_path(workers, momentum, steps, product=0.1, start=1.0, implicit=None):
    """E x_t where workers finish in random order.

    Momentum 1 - 1/W at the rate eta / W, before the explicit one; all copies begin at the start.
    """
    implicit = 1 - 1 / workers if implicit is None else implicit
    path, velocity, stale = [start], 0.0, start  # stale: the mean of the copy that is delivered
    for _ in range(steps):
        velocity = momentum * velocity + stale
        path.append(path[-1] - product * velocity)
        stale = implicit * stale + (1 - implicit) * path[-1]
    return path[-1]


@pytest.mark.parametrize(
    ("workers", "momentum", "worlds"), [(4, 0.0, 4000), (16, 0.0, 4000), (4, -0.5, 4000)]
)
def test_law_55_staleness_is_momentum_in_mean(workers, momentum, worlds):
    """With exponential services E(x_(t+1) - x_t) = (1 - 1/W) E(x_t - x_(t-1)) - eta lambda / W E x_t."""
    optimizer = OPTIMIZERS["async_sgd"](workers=workers, learning_rate=0.1, momentum=momentum)
    streams, state = begin(optimizer, worlds, start=1.0)
    steps, path = 24, [state.points[:, 0, 0]]
    for step in range(1, steps + 1):
        query = optimizer.ask(state, streams)
        state = optimizer.tell(state, query, slope(query), streams.at(step))[0]
        path.append(state.points[:, 0, 0])
    x, where = path[-1], f"W = {workers}, explicit momentum {momentum:g}"
    wrong = mean_path(workers, momentum, steps, implicit=1 - 1 / (workers + 1))
    told_mean(
        55,
        LAWS[55],
        f"E x after {steps} steps, {where}",
        mean_path(workers, momentum, steps),
        x,
        mutant=wrong,
    )
    if momentum == 0:  # the sum over time of both sides of the law, solved for the momentum
        pulled = x - path[1] + 0.1 / workers * torch.stack(path[1:-1]).sum(0)
        told_mean(
            55,
            LAWS[55],
            f"momentum, {where}",
            1 - 1 / workers,
            ratio(pulled, path[-2] - path[0]),
            mutant=1 - 1 / (workers + 1),
        )
    for mutant in (1 - 1 / (workers + 1), 1 - 1 / (workers - 1), 1 / workers, 0.0):
        assert deviation(x, mean_path(workers, momentum, steps, implicit=mutant)) > Z


def test_law_55_that_recursion_is_heavy_ball():
    """The same numbers from v <- (1 - 1/W) v + (x / W), the first step apart."""
    workers, x, step = 5, 1.0, 0.0
    for t in range(30):
        step = (1 - 1 / workers) * step - 0.1 * x / (workers if t else 1)
        x += step
    assert x == pytest.approx(mean_path(workers, 0.0, 30), rel=1e-12)
