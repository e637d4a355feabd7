"""The ledger closes the equation of the stationary state (rows 47, 48, 55): the noise of one step, as it measures it from frozen states, with the
dynamics of the method predicts how far the worlds have spread, which it does not look at; by source too, and each with a mutant.
"""

import numpy as np
import pytest
import torch
from scipy.linalg import solve_discrete_lyapunov

from landscapes import LANDSCAPES
from landscapes.continuous.frames import into
from landscapes.oracle.noise import Noise
from optimizers import OPTIMIZERS
from optimizers.workers import Service
from studies.analysis.noise.noise import currencies
from studies.cells.ledger import record
from tests.support.ledgers import around, book, search
from tests.truths.table import mean_and_error, told, told_mean

LAND, METHODS = LANDSCAPES, OPTIMIZERS
Z = 4.5  # standard errors
SOURCES = ("data", "evaluation", "staleness")
LAWS = {
    47: "stationary covariance of SGD, S = A S A' + eta^2 C / B, A = I - eta H",
    48: "stationary variance with momentum, eta s^2 (1 + beta) / {h (1 - beta) [2 (1 + beta) - eta h]}",
    57: "temperature of the stationary state, E |grad|^2 / E tr H",
    55: (
        "stationary variance at a delay, from the companion matrix; random staleness of mean W - 1 as"
        " momentum 1 - 1 / W"
    ),
}


def settled(optimizer, landscape, noise, steps, worlds, redraws=8):
    """The ledger after so many steps from the minimum, and the points (R, D) there, in the basis of the eigenvectors."""

    def start(n):
        return torch.zeros(worlds, n, landscape.dim, dtype=torch.float64)

    cost = steps * (1.0 if noise.batch is None else noise.batch / landscape.terms)
    scene, moments, _ = search(landscape, optimizer, noise, worlds=worlds, costs=(cost,), start=start)
    data = record(scene, moments, book(redraws, modes=landscape.dim, sources=SOURCES)).isel(moment=-1)
    assert (data["moment_steps"] == steps).all()
    x = into(
        optimizer.center(moments[-1].state)[:, None], scene.landscape.optimum, scene.landscape.rotation
    )[:, 0]
    return data, x.numpy()


def spread(companion, noise):
    """The stationary variance of the first coordinate of z' = companion z, plus noise of this variance in the first coordinate."""
    forcing = np.zeros_like(companion)
    forcing[0, 0] = 1.0
    return solve_discrete_lyapunov(companion, forcing)[0, 0] * np.asarray(noise)


def plain(eta, h):
    return np.array([[1 - eta * h]])


def heavy(eta, h, beta):
    return np.array([[1 + beta - eta * h, -beta], [1.0, 0.0]])


def delayed(eta, h, delay):
    matrix = np.eye(delay + 1, k=-1)
    matrix[0, 0] = 1.0
    matrix[0, delay] -= eta * h
    return matrix


# SGD: row 47 ------------------------------------------------------------------------------------------------

SGD = [  # eta, batch, noise of the oracle, landscape, worlds, steps
    (0.3, 6, 0.5, {"dim": 2, "condition": 3.0, "noise": "hessian", "noise_scale": 2.0}, 1500, 80),
    pytest.param(
        0.5,
        8,
        1.0,
        {"dim": 3, "condition": 10.0, "noise_scale": 3.0, "rotated": True},
        6000,
        250,
        marks=pytest.mark.verify,
    ),
    pytest.param(0.1, 4, 0.3, {"dim": 1, "noise_scale": 2.0}, 10_000, 150, marks=pytest.mark.verify),
    pytest.param(
        1.5,
        12,
        2.0,
        {"dim": 2, "condition": 4.0, "noise": "hessian", "noise_scale": 5.0},
        10_000,
        60,
        marks=pytest.mark.verify,
    ),
]


@pytest.mark.parametrize(("eta", "batch", "sigma", "options", "worlds", "steps"), SGD)
@pytest.mark.verify
def test_law_47_the_ledger_closes_the_equation(eta, batch, sigma, options, worlds, steps):
    """Along each axis: eta^2 C / B of data and eta^2 sigma^2 of the oracle.

    Both together, and data alone, make the spread that is seen.
    """
    landscape, optimizer = LAND["quadratic"](terms=30, **options), METHODS["sgd"](learning_rate=eta)
    data, x = settled(optimizer, landscape, Noise(batch=batch, gradient=sigma), steps, worlds)
    _, quiet = settled(
        optimizer, landscape, Noise(batch=batch, gradient=sigma, off=("evaluation",)), steps, worlds
    )
    where = f"ledger, eta = {eta}, B = {batch}, sigma = {sigma}"
    for axis in range(landscape.dim):
        along = data.sel(direction=f"curvature {axis + 1}")
        h = float(data["curvature"].isel(mode=axis).mean())
        noise = eta**2 * landscape.noise_scale**2 * (h if landscape.noise == "hessian" else 1.0) / batch
        first, whole, here = (
            along["step_variance_first"],
            along["step_variance"],
            f"{where}, axis {axis + 1}",
        )
        told_mean(
            47, LAWS[47], f"noise of data, {here}", noise, first.sel(source="data"), mutant=noise / 2
        )
        heat = (eta * sigma) ** 2
        told_mean(
            47,
            LAWS[47],
            f"noise of the oracle, {here}",
            heat,
            first.sel(source="evaluation"),
            mutant=heat / 2,
        )
        told_mean(47, LAWS[47], f"noise of both, {here}", noise + heat, whole, mutant=noise)
        mutant = spread(plain(eta / 2, h), noise + heat)
        law, sample = around(x[:, axis] ** 2, spread(plain(eta, h), whole))
        told_mean(
            47, LAWS[47], f"spread by the noise of the ledger, {here}", law, sample, mutant=mutant
        )
        alone, sample = around(quiet[:, axis] ** 2, spread(plain(eta, h), first.sel(source="data")))
        told_mean(47, LAWS[47], f"spread by data alone, {here}", alone, sample, mutant=law)
    if landscape.dim > 1:
        assert abs(np.corrcoef(x[:, 0], x[:, 1])[0, 1]) < Z / worlds**0.5  # the axes are independent


@pytest.mark.parametrize(("eta", "sigma"), [(0.02, 1.0), (0.2, 2.0)])
def test_law_57_the_temperature_of_the_stationary_state(eta, sigma):
    """At rest on a quadratic T = E |grad|^2 / tr H = (eta sigma^2 / 2) sum h / (1 - eta h / 2) / sum h.

    The T of a step, as eta -> 0.
    """
    landscape = LAND["quadratic"](dim=3, condition=4.0)
    data, _ = settled(
        METHODS["sgd"](learning_rate=eta),
        landscape,
        Noise(gradient=sigma),
        round(12 / eta),
        1500,
        redraws=4,
    )
    h = np.array([float(data["curvature"].isel(mode=axis).mean()) for axis in range(3)])
    law = eta * sigma**2 / 2 * (h / (1 - eta * h / 2)).sum() / h.sum()
    found = currencies(data)
    slope = data["reference_squared"].sel(reference="raw") / h.sum()
    told_mean(57, LAWS[57], f"ledger, SGD, eta = {eta}, sigma = {sigma}", law, slope, mutant=2 * law)
    assert float(found["stationary_temperature"]) == pytest.approx(float(slope.mean()), rel=1e-9)
    assert float(found["temperature"]) == pytest.approx(eta * sigma**2 / 2, rel=0.1)


# momentum: row 48 -------------------------------------------------------------------------------------------

MOMENTUM = [  # beta, eta, worlds, steps
    (0.5, 0.2, 2000, 120),
    pytest.param(0.9, 0.1, 10_000, 300, marks=pytest.mark.verify),
    pytest.param(0.8, 1.2, 10_000, 300, marks=pytest.mark.verify),
]


@pytest.mark.parametrize(("beta", "eta", "worlds", "steps"), MOMENTUM)
def test_law_48_with_momentum(beta, eta, worlds, steps):
    """One step has the noise of plain SGD; remembered, it spreads further.

    A step is seen along the gradient of its place at eta / (1 + beta).
    """
    landscape, sigma = LAND["quadratic"](dim=1, terms=20, noise_scale=1.0), 0.5
    data, x = settled(
        METHODS["sgd"](learning_rate=eta, momentum=beta),
        landscape,
        Noise(batch=4, gradient=sigma),
        steps,
        worlds,
    )
    whole, where = now_of(data), f"ledger, beta = {beta}, eta = {eta}"
    per_gradient = 1 / 4 + sigma**2
    told_mean(
        48,
        LAWS[48],
        f"noise of a step, {where}",
        eta**2 * per_gradient,
        whole,
        mutant=eta**2 * per_gradient / (1 - beta**2),
    )
    law, sample = around(x[:, 0] ** 2, spread(heavy(eta, 1.0, beta), whole))
    told_mean(
        48,
        LAWS[48],
        f"spread by the noise of the ledger, {where}",
        law,
        sample,
        mutant=spread(plain(eta, 1.0), whole).mean(),
    )
    closed = eta * per_gradient * (1 + beta) / ((1 - beta) * (2 * (1 + beta) - eta))
    assert spread(heavy(eta, 1.0, beta), eta**2 * per_gradient) == pytest.approx(closed, rel=1e-9)
    gain, error = pulled(data)
    told(
        48,
        "momentum in the stationary state: step along the gradient, eta / (1 + beta)",
        where,
        eta / (1 + beta),
        gain,
        error=error,
        mutant=eta,
    )


def now_of(data):
    return data["step_variance"].sel(direction="all")


def pulled(data):
    """The mean step along the gradient over the squared gradient, a ratio of means, and its standard error."""
    along, held = (
        part.sel(reference="raw").values
        for part in (data["mean_step_along"].mean("half"), data["reference_squared"])
    )
    gain = along.mean() / held.mean()
    return gain, mean_and_error((along - gain * held) / held.mean())[1]


# staleness: row 55 ------------------------------------------------------------------------------------------

DELAYS = [
    (2, 0.3, 2000, 100),
    *(pytest.param(delay, 0.1, 10_000, 250, marks=pytest.mark.verify) for delay in (1, 5)),
]


@pytest.mark.parametrize(("delay", "eta", "worlds", "steps"), DELAYS)
def test_law_55_at_a_delay(delay, eta, worlds, steps):
    """Workers of equal speed: the noise of a step is that of one gradient, at any delay.

    The spread is that of the companion matrix.
    """
    optimizer = METHODS["async_sgd"](
        workers=delay + 1, learning_rate=eta, service=Service(kind="constant")
    )
    landscape, sigma = LAND["quadratic"](dim=1, terms=20, noise_scale=1.0), 0.5
    data, x = settled(optimizer, landscape, Noise(batch=4, gradient=sigma), steps, worlds)
    noise, where = eta**2 * (1 / 4 + sigma**2), f"ledger, tau = {delay}, eta h = {eta}"
    told_mean(
        55, LAWS[55], f"noise of a step, {where}", noise, now_of(data), mutant=noise / (delay + 1)
    )
    law, sample = around(x[:, 0] ** 2, spread(delayed(eta, 1.0, delay), now_of(data)))
    told_mean(
        55,
        LAWS[55],
        f"spread by the noise of the ledger, {where}",
        law,
        sample,
        mutant=spread(plain(eta, 1.0), noise),
    )
    companion = delayed(eta, 1.0, delay)
    forcing = np.zeros_like(companion)
    forcing[0, 0] = 1.0
    lags = solve_discrete_lyapunov(companion, forcing)[0]
    gain, error = pulled(data)  # of -eta x(t - tau) along x(t)
    told(
        55,
        LAWS[55],
        f"step along the gradient, {where}",
        eta * lags[delay] / lags[0],
        gain,
        error=error,
        mutant=eta,
    )


def random_delay(eta, workers, noise):
    """Second moments of (x, copies) where each step a worker drawn evenly delivers the gradient at its copy, and then holds x; h = 1."""
    size = workers + 1
    total, forcing = np.zeros((size * size, size * size)), np.zeros((size, size))
    for k in range(1, size):
        matrix, push = np.eye(size), np.zeros(size)
        matrix[0, k] -= eta
        matrix[k] = matrix[0]
        push[[0, k]] = 1.0
        total += np.kron(matrix, matrix) / workers
        forcing += np.outer(push, push) * noise / workers
    return np.linalg.solve(np.eye(size * size) - total, forcing.ravel()).reshape(size, size)


RANDOM = [(3, 0.5, 2500, 120), pytest.param(8, 0.3, 10_000, 400, marks=pytest.mark.verify)]


@pytest.mark.parametrize(("workers", "eta", "worlds", "steps"), RANDOM)
def test_law_55_at_random_staleness(workers, eta, worlds, steps):
    """Workers of random speed: the exact recursion of second moments, driven by the noise of the ledger, at the sum of both sources.

    Who delivers next is settled by service times that are drawn before, so of the step from a frozen state staleness has exactly no share: it
    is in where the copies are, and so in the mean step, which is shorter along the gradient than eta.
    """
    optimizer = METHODS["async_sgd"](workers=workers, learning_rate=eta)
    landscape, sigma = LAND["quadratic"](dim=1, terms=20, noise_scale=1.0), 0.5
    data, x = settled(optimizer, landscape, Noise(batch=4, gradient=sigma), steps, worlds)
    where = f"ledger, W = {workers}, eta h = {eta}"
    for part in (data["step_variance_first"], data["step_variance_total"]):
        assert (part.sel(source="staleness") == 0).all()
    moments = random_delay(eta, workers, 1.0)
    law, sample = around(x[:, 0] ** 2, moments[0, 0] * now_of(data))
    told_mean(
        55,
        LAWS[55],
        f"spread by the noise of the ledger, {where}",
        law,
        sample,
        mutant=spread(plain(eta, 1.0), now_of(data)).mean(),
    )
    gain, error = pulled(data)  # of -eta times the copy of a worker drawn evenly
    told(
        55,
        LAWS[55],
        f"step along the gradient, {where}",
        eta * moments[0, 1] / moments[0, 0],
        gain,
        error=error,
        mutant=eta,
    )
