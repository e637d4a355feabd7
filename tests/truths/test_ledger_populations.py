"""Finite populations seen through the ledger.

The mean step of rows 22 and 23, and Wright's equation where loci are linked (19).
"""

import math

import numpy as np
import pytest
import torch

from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from studies.analysis.noise import noise as analysis
from studies.cells.ledger import population, record
from tests.references import population_genetics as exact
from tests.support.ledgers import around, book, ledger, now, search
from tests.truths.table import told_mean

LAND, METHODS = LANDSCAPES, OPTIMIZERS
FINITE = (
    "response of a finite sample, E[sum w z / sum w] = s V (1 - e^(s^2 V) / N) + O(1 / N^2), w = e^(s z), z ~"
    " N(0, V)"
)
ERODED = (
    "drift erodes the response to selection: E[p_t] of the exact matrix, below the deterministic p_t"
)
LINKED = "Wright's equation at any linkage, dp = G dW/dp / W, G the covariance of the population"
FAR_OUT = 1e6  # where a bowl of curvature 1 is a slope, to 1e-6 of it
DRIFT = ("drift", "mutation")


def along(data):
    """The mean step along the negative raw gradient, which is 1."""
    return data["mean_step_along"].mean("half").sel(reference="raw")


# row 22 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "s", "worlds"),
    [
        (10, 0.5, 3000),
        *(
            pytest.param(*case, 40_000, marks=pytest.mark.verify)
            for case in ((10, 0.3), (20, 0.5), (50, 0.5))
        ),
    ],
)
def test_law_22_the_mean_step_of_a_finite_population(n, s, worlds):
    """Mutation makes a fresh sample of clones.

    The step after it, selection and mutation, is shorter the smaller the population.
    """
    optimizer = METHODS["wright_fisher"](
        population=n, selection_strength=s / FAR_OUT, crossover="none", mutation_sigma=1.0
    )

    def start(count):
        return torch.full((worlds, count, 1), FAR_OUT, dtype=torch.float64)

    scene, moments, _ = search(
        LAND["quadratic"](dim=1), optimizer, worlds=worlds, costs=(float(n),), start=start
    )
    data = record(scene, moments, book(4, sources=DRIFT)).isel(moment=0)
    assert (data["moment_steps"] == 1).all()

    def law(n):
        return s * (1 - math.exp(s * s) / n)

    moved, where = along(data) / FAR_OUT, f"ledger, mean step of a generation, N = {n}, s = {s}, V = 1"
    told_mean(
        22, FINITE, where, law(n), moved, bias=2 * s / n**2, mutant=s
    )  # mutant: an endless population
    if worlds > 10_000 and n < 20:  # mutant: N <-> 2 N
        assert abs(moved.mean() - law(2 * n)) > 4.5 * moved.std() / worlds**0.5 + 2 * s / n**2
    natural = data.sel(reference="preconditioned")
    told_mean(
        22,
        FINITE,
        f"ledger, variance of the sample, N = {n}, V = 1",
        1 - 1 / n,
        natural["reference_trace"],
        mutant=1,
    )


# row 23 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "times", "worlds"),
    [
        pytest.param(10, (0, 5, 20), 2000, marks=pytest.mark.verify),  # daily: rows 22 and 3
        pytest.param(10, tuple(range(50)), 6000, marks=pytest.mark.verify),
        pytest.param(20, tuple(range(50)), 4000, marks=pytest.mark.verify),
    ],
)
def test_law_23_drift_erodes_the_mean_step(n, times, worlds):
    """At each time the mean step is E[s p (1 - p) / (1 + s p)] of the exact matrix.

    Where all times are seen, their sum is E[p_t] - p_0.
    """
    s = 0.05
    optimizer = METHODS["wright_fisher"](
        population=n, selection_strength=math.log1p(s), crossover="none", mutation_rate=0.0
    )

    def start(count):
        return (torch.arange(count) < count // 2).to(torch.uint8)[:, None].expand(worlds, -1, -1)

    costs = tuple(float(n * t) for t in times)
    scene, moments, _ = search(LAND["onemax"](n=1), optimizer, worlds=worlds, costs=costs, start=start)
    data = record(scene, moments, book(4, sources=DRIFT))
    assert (data["moment_steps"] == np.array(times)).all()
    p = np.arange(n + 1) / n

    def mean_step(n, t):
        at = np.arange(n + 1) / n
        return float(
            exact.after(exact.haploid(n, 1 + s), n // 2, t) @ (s * at * (1 - at) / (1 + s * at))
        )

    def endless(t):
        return (1 + s) ** t / (1 + (1 + s) ** t)

    for i in range(len(times)) if len(times) < 9 else (10, 49):
        t = times[i]
        mutant = endless(t + 1) - endless(t) if t else mean_step(n, 20)  # mutant: no drift
        told_mean(
            23,
            ERODED,
            f"ledger, mean step, N = {n}, s = {s}, t = {t}",
            mean_step(n, t),
            along(data).isel(moment=i),
            mutant=mutant,
        )
    if times == tuple(range(50)):
        law = float(exact.after(exact.haploid(n, 1 + s), n // 2, 50) @ p)
        told_mean(
            23,
            ERODED,
            f"ledger, sum of 50 mean steps, N = {n}, s = {s}",
            law,
            0.5 + along(data).sum("moment"),
            mutant=endless(50),
        )


# row 19, linked loci ----------------------------------------------------------------------------------------


def halves(worlds, loci, seed=3):
    """A start of random genotypes and their complements.

    P = 1/2 at every locus, the same mean loss in all worlds, and linked loci.
    """

    def start(n):
        some = torch.rand((worlds, n // 2, loci), generator=torch.Generator().manual_seed(seed)) < 0.5
        return torch.cat([some, ~some], 1).to(torch.uint8)

    return start


@pytest.mark.parametrize(
    ("n", "loci", "beta"),
    [(6, 8, 0.1), pytest.param(10, 30, 0.02, marks=pytest.mark.verify), (4, 3, 0.2)],
)
@pytest.mark.verify
def test_law_19_where_loci_are_linked(n, loci, beta, monkeypatch):
    """Additive loss, fitness linear.

    Dp = -beta G grad / (1 - beta L) exactly, so the step is unbiased beside G, and biased beside p (1 - p).
    """
    options = {
        "population": n,
        "fitness": "linear",
        "selection_strength": beta,
        "crossover": "none",
        "mutation_rate": 0.0,
    }
    cell = (LAND["onemax"](n=loci), METHODS["wright_fisher"](**options))
    settings = {"worlds": 300, "redraws": 32, "sources": ("drift",), "start": halves(300, loci)}
    data = ledger(*cell, **settings)
    monkeypatch.setattr(population, "members", lambda scene, moment: None)
    unlinked = ledger(*cell, **settings)
    k, where = beta / (1 - beta * loci / 2), f"ledger, {loci} loci in {n} genotypes, beta = {beta}"
    found, mutant = (seen(each) for each in (data, unlinked))
    assert found["p_value"] > 1e-3
    assert abs(found["bias"]) < 0.15
    assert mutant["p_value"] < 1e-6
    assert mutant["bias"] > 0.15
    product, square = (
        part.sel(reference="preconditioned")
        for part in (now(data)["mean_step_along"].mean("half"), now(data)["reference_squared"])
    )
    law, sample = around(product, k * square)
    wrong = (k * now(unlinked)["reference_squared"].sel(reference="preconditioned")).mean()
    told_mean(19, LINKED, f"step along G grad, {where}", law, sample, mutant=wrong)
    assert np.allclose(data["reference_trace"].sel(reference="preconditioned"), loci / 4, rtol=1e-12)


def seen(data):
    return analysis.bias(data).sel(reference="preconditioned").isel(moment=0)


@pytest.mark.verify
def test_at_linkage_equilibrium_both_are_the_same(monkeypatch):
    """All genotypes of three loci, once each: G is p (1 - p) exactly."""
    every = torch.cartesian_prod(*[torch.arange(2, dtype=torch.uint8)] * 3)
    optimizer = METHODS["wright_fisher"](population=8, crossover="none")
    cell = {"redraws": 4, "start": lambda n: every.expand(4, n, 3)}
    gradients = ["raw", "smoothed", "preconditioned"]
    data = ledger(LAND["nk"](n=3, k=1), optimizer, **cell)["reference_squared"].sel(reference=gradients)
    monkeypatch.setattr(population, "members", lambda scene, moment: None)
    assert np.allclose(
        data,
        ledger(LAND["nk"](n=3, k=1), optimizer, **cell)["reference_squared"].sel(reference=gradients),
        rtol=1e-12,
    )
