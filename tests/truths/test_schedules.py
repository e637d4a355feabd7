"""Closed-form laws of schedules, of the sizes coupled to them and of steps that follow the noise, each with mutants that the same check rejects.

The answers of the oracle are written by hand, so that nothing but the optimizer is tested.
"""

import functools
import math

import pytest
import torch

from landscapes.base import Answer, Bits, Problem, Reals
from landscapes.streams import Streams
from optimizers import OPTIMIZERS
from optimizers.gradient.step_sizes import StepSize
from optimizers.schedules import Schedule

Z = 4.5  # standard errors


def make(worlds):
    return Streams(seed=77, worlds=torch.arange(worlds))


def begin(optimizer, points, streams):
    """The state at the given points (R, n, D)."""
    domain = Bits() if points.dtype == torch.uint8 else Reals()
    return optimizer.init(
        Problem(points.shape[-1], domain, False, lambda n: points[:, :n].clone()), streams
    )


def deviation(sample, truth):
    """Distance of the mean of sample (R, ...) from truth, in standard errors."""
    sample = sample.flatten()
    return (abs(sample.mean() - truth) / (sample.std() / len(sample) ** 0.5)).item()


# annealing a learning rate and a batch together (Smith et al. 2018; Mandt, Hoffman and Blei 2017) -----------
#
# On x^2 / 2, whose gradients have noise of variance sigma^2 / b, a stage long enough is stationary: Var x =
# eta sigma^2 / [b (2 - eta)], the mean
# loss is half of it, and Var(step) = eta^2 (Var x + sigma^2 / b) = 2 eta^2 sigma^2 / [b (2 - eta)].

DELTA, LAST = 0.95, 39  # the multiplier of one stage, and the last stage
ETA, BATCH, NOISE = 0.1, 16384, 64.0  # at stage 0; the variance of one term
POWERS = {  # coupling -> powers of DELTA^k in eta and b
    "none": (1, 0),
    "constant_variance": (1, 2),
    "constant_temperature": (1, 1),
    "grow": (0, -1),
    "decay_and_grow": (1, -2),
}


def stationary(coupling, stage):
    """The loss and the variance of a step at a stage."""
    of_eta, of_batch = POWERS[coupling]
    eta, batch = ETA * DELTA ** (of_eta * stage), BATCH * DELTA ** (of_batch * stage)
    return eta * NOISE / (2 * batch * (2 - eta)), 2 * eta**2 * NOISE / (batch * (2 - eta))


@functools.cache  # two tests look at the last stage of every coupling
def annealed(coupling, stage, worlds=200, dim=200):
    """Losses and squared steps (R, D) after 5 / eta steps of a stage, from the stationary law of stage 0.

    Every coordinate is a system of its own.
    """
    long = 10_000
    schedule = Schedule(kind="step", steps=long, factor=DELTA)
    optimizer, streams = (
        OPTIMIZERS["sgd"](learning_rate=ETA, batch=BATCH, coupling=coupling, schedule=schedule),
        make(worlds),
    )
    hot = (2 * stationary("none", 0)[0]) ** 0.5 * streams.normal("init", (1, dim))
    state = begin(optimizer, hot, streams)
    state = state._replace(step=torch.full((worlds,), long * stage))
    for step in range(1, math.ceil(5 / (ETA * DELTA ** (POWERS[coupling][0] * stage))) + 1):
        s = streams.at(step)
        query = optimizer.ask(state, s)
        noise = (NOISE / query.batch.double()).sqrt()[:, None, None] * s.normal("evaluation", (1, dim))
        before, (state, _) = (
            state,
            optimizer.tell(
                state, query, Answer((query.points**2).sum(-1) / 2, query.points + noise), s
            ),
        )
    return (state.points**2 / 2)[:, 0], ((state.points - before.points) ** 2)[:, 0]


@pytest.mark.parametrize("coupling", POWERS)
@pytest.mark.parametrize("stage", [20, LAST])
def test_annealing_a_learning_rate_and_a_batch(coupling, stage):
    """Loss and variance of a step are those of the coupling, and of no other."""
    loss, square = annealed(coupling, stage)
    expected = stationary(coupling, stage)
    assert deviation(loss, expected[0]) < Z
    assert deviation(square, expected[1]) < Z
    for other in set(POWERS) - {coupling}:  # mutants: b ~ eta <-> b ~ eta^2, shrinking <-> growing, ..
        assert (
            max(
                deviation(loss, stationary(other, stage)[0]),
                deviation(square, stationary(other, stage)[1]),
            )
            > Z
        )


@pytest.mark.verify
def test_a_constant_variance_of_the_step_heats_the_run():
    """What the textbook's rule keeps, and what it does not.

    3.9e-5 stays, the loss goes from 1.0e-4 to 7.3e-4; Smith's rule is as good as decay.
    """
    loss, square = annealed("constant_variance", LAST)
    assert square.mean().item() == pytest.approx(
        ETA**2 * NOISE / BATCH, rel=0.03
    )  # 3.9e-5, the share of the noise; 5 % more while eta is 0.1
    assert stationary("none", 0)[0] == pytest.approx(1.03e-4, rel=0.01)
    assert loss.mean().item() == pytest.approx(7.27e-4, rel=0.05)
    decay, smith, flat = (
        annealed(coupling, LAST)[0].mean().item()
        for coupling in ("none", "grow", "constant_temperature")
    )
    assert decay == pytest.approx(1.34e-5, rel=0.05)
    assert smith == pytest.approx(1.41e-5, rel=0.05)
    assert flat == pytest.approx(stationary("none", 0)[0], rel=0.08)  # 2 - eta grows a little


# steps that follow bursts of noise --------------------------------------------------------------------------


def mean_losses(bursts, worlds=64, dim=8, steps=1600, warm=400, **options):
    """The loss of each world (R,) at eta = 0.1 over time, on sum x^2 / 2.

    Noise of deviation 1/4, ten times that in a twentieth of the time.
    """
    optimizer, streams = OPTIMIZERS["sgd"](learning_rate=0.1, **options), make(worlds)
    state, total = begin(optimizer, torch.zeros(worlds, 1, dim, dtype=torch.float64), streams), 0.0
    phase = streams.integers("data", 400, (1, 1))
    for step in range(1, steps + 1):
        s = streams.at(step)
        sigma = torch.where((phase + step) % 400 < 20, 2.5 if bursts else 0.25, 0.25)
        query = optimizer.ask(state, s)
        gradient = query.points + sigma * s.normal("evaluation", (1, dim))
        state, _ = optimizer.tell(state, query, Answer((query.points**2).sum(-1) / 2, gradient), s)
        total = total + (state.points**2).mean((1, 2)) / 2 * (step > warm) / (steps - warm)
    return total


RULES = {
    "constant": {},
    "clip": {"clip": 4 * 0.25 * 8**0.5},
    "clt": {"step_size": StepSize(kind="clt", tolerance=0.75, memory=5)},
    "inverse_variance": {"step_size": StepSize(kind="inverse_variance", memory=5)},
}


@pytest.mark.verify
def test_under_bursts_the_noise_driven_steps_win_and_inverse_variance_most():
    """Paired by world: inverse_variance < clt < clip < constant, by a factor of 4 in all.

    Without bursts nobody gains a sixth.
    """
    loss = {name: mean_losses(True, **options) for name, options in RULES.items()}
    order = list(RULES)
    for worse, better in zip(order, order[1:], strict=False):
        assert deviation(loss[worse] - loss[better], 0.0) > Z, (worse, better)
        assert loss[better].mean() < loss[worse].mean()
    assert loss["constant"].mean().item() == pytest.approx(0.1 * (0.95 + 5) / 16 / (2 * 1.9), rel=0.1)
    assert loss["inverse_variance"].mean() < loss["constant"].mean() / 4
    calm = {name: mean_losses(False, **options).mean().item() for name, options in RULES.items()}
    assert calm["constant"] == pytest.approx(0.1 / 16 / (2 * 1.9), rel=0.03)
    assert all(value > 5 / 6 * calm["constant"] for value in calm.values())


# populations: genetic drift and the gradient of an evolution strategy ---------------------------------------


@pytest.mark.parametrize(
    "coupling",
    [
        *(
            pytest.param(one, marks=pytest.mark.verify)
            for one in ("constant_temperature", "constant_variance")
        ),
        "grow",
    ],
)
def test_drift_in_a_population_of_changing_size(coupling):
    """E H_t = H_0 prod (1 - 1 / N_s), of the sizes of the generations born (Wright 1931)."""
    worlds, size, steps = 4000, 40, 6
    schedule = Schedule(kind="step", steps=2, factor=0.7)
    options = {
        "selection": "none",
        "crossover": "none",
        "mutation_rate": 0.0,
        "schedule": schedule,
        "coupling": coupling,
        "largest": 320,
    }
    optimizer, streams = OPTIMIZERS["ga"](population=size, **options), make(worlds)
    points = (torch.arange(320) % 2).to(torch.uint8)[:, None].expand(worlds, 320, 8)
    state = begin(optimizer, points, streams)
    for step in range(1, steps + 1):
        s = streams.at(step)
        query = optimizer.ask(state, s)
        state, _ = optimizer.tell(
            state, query, Answer(torch.zeros(worlds, 320, dtype=torch.float64)), s
        )
    p = optimizer.center(state)
    heterozygosity = (2 * p * (1 - p)).mean(1)

    def law(power):
        sizes = [
            max(1, math.floor(size * 0.7 ** (power * (t // 2)) + 0.5)) for t in range(1, steps + 1)
        ]
        return 0.5 * math.prod(1 - 1 / n for n in sizes)

    powers = {"constant_temperature": 1, "constant_variance": 2, "grow": -1}
    assert deviation(heterozygosity, law(powers[coupling])) < Z
    for other in {0, 1, 2, -1} - {
        powers[coupling]
    }:  # mutants: N constant, b ~ eta <-> b ~ eta^2, shrinking <-> growing
        assert deviation(heterozygosity, law(other)) > Z


@pytest.mark.parametrize(
    ("coupling", "antithetic"),
    [("constant_variance", True), ("constant_temperature", False), ("grow", True)],
)
def test_the_step_of_an_es_whose_population_follows_its_learning_rate(coupling, antithetic):
    """On a linear loss tr Var(step) = eta_t^2 (D + 1) |grad|^2 / n_t of n_t pairs (law 42), of n_t - 1 points where they are not mirrored."""
    worlds, d, stage = 8000, 10, 2
    slope = torch.linspace(-1, 2, d, dtype=torch.float64)
    options = {
        "shaping": "raw",
        "antithetic": antithetic,
        "coupled": "learning_rate",
        "coupling": coupling,
        "largest": 64,
    }
    optimizer = OPTIMIZERS["openai_es"](
        population=32, learning_rate=1.0, schedule=Schedule(kind="step", steps=1, factor=0.5), **options
    )
    streams = make(worlds)
    state = begin(optimizer, torch.zeros(worlds, 1, d, dtype=torch.float64), streams)._replace(
        step=torch.full((worlds,), stage)
    )
    query = optimizer.ask(state, streams)
    new, _ = optimizer.tell(state, query, Answer((query.points * slope).sum(-1)), streams)

    def law(of_eta, of_size):
        eta, size = 0.5 ** (stage * of_eta), min(32 * 0.5 ** (stage * of_size), 64)
        n = size / 2 if antithetic else size - 1
        return eta, eta**2 * (d + 1) * slope.square().sum().item() / n

    def off(of_eta, of_size):
        eta, variance = law(of_eta, of_size)
        step = -optimizer.recommend(new)
        return max(
            deviation(((step - eta * slope) ** 2).sum(1), variance),
            deviation(step[:, -1], eta * slope[-1].item()),
        )

    assert off(*POWERS[coupling]) < Z
    for other in set(POWERS) - {coupling}:
        assert off(*POWERS[other]) > Z
