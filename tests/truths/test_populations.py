"""Closed-form laws of populations. Each is checked at 4.5 standard errors and must reject a mutant."""

import pytest
import torch

from landscapes.base import Answer, Bits, Problem, Reals
from landscapes.streams import Streams
from optimizers import OPTIMIZERS
from tests.references import populations as naive
from tests.truths.table import told_mean

Z = 4.5  # standard errors

DRIFT = "heterozygosity under drift, H0 (1 - 1/N)^t; Moran H0 (1 - 2/N^2)^t"  # law 1


def make(worlds):
    return Streams(seed=2024, worlds=torch.arange(worlds))


def begin(optimizer, points, streams, exact=False):
    """The state at the given points (R, n, D)."""
    domain = Bits() if points.dtype == torch.uint8 else Reals()
    return optimizer.init(
        Problem(points.shape[-1], domain, exact, lambda n: points[:, :n].clone()), streams
    )


def mean_deviation(sample, truth):
    """Largest distance of the mean of sample (R, ...) from truth, in standard errors."""
    return ((sample.mean(0) - truth).abs() / (sample.std(0) / len(sample) ** 0.5)).max().item()


# differential evolution: the variance of the trials (Zaharie 2002, Proc. MENDEL 8:62, here with donors other


def trial_variance(n, dim, scale, rate, worlds):
    """The variance of each coordinate of rand/1/bin trials over the population, in units of that of the targets: (R,), a mean over coordinates."""
    optimizer, streams = OPTIMIZERS["de"](population=n, scale=scale, crossover_rate=rate), make(worlds)
    points = torch.sin(7.0 * torch.arange(n * dim, dtype=torch.float64)).reshape(n, dim)
    query = optimizer.ask(begin(optimizer, points.expand(worlds, n, dim), streams), streams.at(1))
    return (query.points[:, n:].var(1) / points.var(0)).mean(-1)


@pytest.mark.parametrize(("n", "dim", "scale", "rate"), [(5, 3, 0.5, 0.2), (8, 4, 0.6, 0.2)])
def test_variance_of_de_trials(n, dim, scale, rate):
    """1 + 2 F^2 p - 2 p / (n - 1) + p^2 n / (n - 1)^2, with p = CR (1 - 1 / D) + 1 / D."""
    found, p = trial_variance(n, dim, scale, rate, 40_000), rate * (1 - 1 / dim) + 1 / dim

    def law(p, scale):
        return 1 + 2 * scale**2 * p - 2 * p / (n - 1) + p**2 * n / (n - 1) ** 2

    assert mean_deviation(found, law(p, scale)) < Z
    assert mean_deviation(found, law(rate, scale)) > Z  # mutant: no coordinate is always crossed
    assert (
        mean_deviation(found, law(p, scale / 2**0.5)) > Z
    )  # mutant: one donor in place of a difference
    assert (
        mean_deviation(found, 1 + 2 * scale**2 * p - 2 * p / n + p**2 / n) > Z
    )  # mutant: the target may be a donor


# islands under drift alone: heterozygosity (Wright 1943, Genetics 28:114) -----------------------------------


def heterozygosity(n, migrants, steps, islands=2, worlds=8000):
    """Chances (R, 2) that two individuals drawn on one island, and on neighbouring ones, differ at a locus.

    At first half of all are 1.
    """
    options = {
        "islands": islands,
        "migrants": migrants,
        "interval": 1,
        "migration": "random",
        "mutation_rate": 0.0,
    }
    optimizer, streams = (
        OPTIMIZERS["island_ga"](population=n * islands, selection="none", crossover="none", **options),
        make(worlds),
    )
    points = (
        (torch.arange(n * islands) % n < n // 2).to(torch.uint8)[:, None].expand(worlds, n * islands, 1)
    )
    state = begin(optimizer, points, streams)
    nothing = Answer(torch.zeros(worlds, n * islands, dtype=torch.float64))
    for step in range(1, steps + 1):
        s = streams.at(step)
        state, _ = optimizer.tell(state, optimizer.ask(state, s), nothing, s)
    p = state.points[..., 0].double().unflatten(1, (islands, n)).mean(2)
    q = p.roll(1, 1)
    return torch.stack([(2 * p * (1 - p)).mean(1), (p * (1 - q) + q * (1 - p)).mean(1)], 1)


@pytest.mark.parametrize(("n", "islands", "steps"), [(10, 4, 6), (20, 3, 15)])
def test_islands_alone_lose_heterozygosity(n, islands, steps):
    """H_t = H_0 (1 - 1/N)^t with N the individuals of one island; between islands nothing is lost."""
    found = heterozygosity(n, 0, steps, islands)
    where = f"islands apart, {islands} of N = {n}, t = {steps}"
    told_mean(
        1,
        DRIFT,
        where,
        0.5 * (1 - 1 / n) ** steps,
        found[:, 0],
        mutant=0.5 * (1 - 1 / (2 * n)) ** steps,
    )
    assert mean_deviation(found[:, 1], 0.5) < Z
    assert (
        mean_deviation(found[:, 0], 0.5 * (1 - 1 / (n * islands)) ** steps) > Z
    )  # mutant: parents from everywhere


@pytest.mark.parametrize(("n", "migrants", "steps"), [(10, 1, 12), (30, 2, 12)])
def test_migration_keeps_heterozygosity(n, migrants, steps):
    """Exchange between two islands by the exact recursion of identity within and between them."""
    found = heterozygosity(n, migrants, steps)

    def law(n, m):
        h = 0.5 * n / (n - 1)  # of two different individuals, half of whom are 1
        within, between = naive.stepping_stones(h, 0.5, n, m, steps)
        return torch.tensor([within * (1 - 1 / n), between], dtype=torch.float64)

    assert mean_deviation(found, law(n, migrants)) < Z
    assert mean_deviation(found, law(n, 0)) > Z  # mutant: nobody moves
    assert mean_deviation(found, law(n, migrants + 1)) > Z  # mutant: one more does
    assert mean_deviation(found, law(2 * n, 2 * migrants)) > Z  # mutant: N <-> 2 N


# parallel tempering: every replica at its Boltzmann law (Geyer 1991; Hukushima and Nemoto 1996, J. Phys. Soc.


@pytest.mark.parametrize(
    ("cold", "hot", "replicas"), [(0.3, 2.0, 3), pytest.param(0.5, 1.5, 4, marks=pytest.mark.verify)]
)
@pytest.mark.verify
def test_parallel_tempering_is_stationary(cold, hot, replicas):
    """The chances of all genotypes at all temperatures, and of every exchange, by enumeration.

    The start is one genotype.
    """
    worlds, steps, dim = 20_000, 60, 3
    losses = torch.sin(5.0 * torch.arange(2**dim, dtype=torch.float64)) + 1
    heat = [cold * (hot / cold) ** (k / (replicas - 1)) for k in range(replicas)]
    optimizer, streams = (
        OPTIMIZERS["parallel_tempering"](population=replicas, coldest=cold, hottest=hot),
        make(worlds),
    )
    state, place = (
        begin(optimizer, torch.zeros(worlds, replicas, dim, dtype=torch.uint8), streams, exact=True),
        2 ** torch.arange(dim),
    )
    for step in range(1, steps + 1):
        s = streams.at(step)
        query = optimizer.ask(state, s)
        state, info = optimizer.tell(state, query, Answer(losses[(query.points * place).sum(-1)]), s)
    found = torch.nn.functional.one_hot((state.points * place).sum(-1), 2**dim).double()
    moved = (info["parents"] != torch.arange(replicas)).double()

    def law(heat):
        return torch.tensor([naive.boltzmann(losses.tolist(), t) for t in heat], dtype=torch.float64)

    def swaps(heat):  # of the pair (2, 3), open after an even step
        return naive.exchanges(losses.tolist(), heat[1], heat[2])

    assert mean_deviation(found, law(heat)) < Z
    assert mean_deviation(moved[:, 1], swaps(heat)) < Z
    assert moved[:, 0].max() == 0  # it is closed
    assert mean_deviation(found, law([1.1 * t for t in heat])) > Z  # mutant: hotter
    assert mean_deviation(found, law(heat[::-1])) > Z  # mutant: the ladder upside down
    assert mean_deviation(found, law([sum(heat) / replicas] * replicas)) > Z  # mutant: exchange always
    assert mean_deviation(moved[:, 1], swaps([heat[0], heat[0], heat[2]])) > Z  # mutant: another rung


# a steady state without selection is Moran's model (Moran 1958, Proc. Camb. Philos. Soc. 54:60) -------------


@pytest.mark.parametrize(("n", "steps"), [(5, 10), (10, 60)])
def test_steady_state_drift(n, steps):
    """H_t = H_0 (1 - 2 / N^2)^t after t births, parent and dead drawn independently."""
    worlds, streams = 20_000, make(20_000)
    options = {"tournament": 1, "replacement": "random", "crossover": "none", "mutation_rate": 0.0}
    optimizer = OPTIMIZERS["steady_state_ga"](population=n, **options)
    state = begin(
        optimizer, (torch.arange(n) < n // 2).to(torch.uint8)[:, None].expand(worlds, n, 1), streams
    )
    nothing, p = Answer(torch.zeros(worlds, n + 1, dtype=torch.float64)), n // 2 / n
    for step in range(1, steps + 1):
        s = streams.at(step)
        state, _ = optimizer.tell(state, optimizer.ask(state, s), nothing, s)
    x = optimizer.center(state)[:, 0]
    found = 2 * x * (1 - x)
    law, mutant = (
        2 * p * (1 - p) * left for left in ((1 - 2 / n**2) ** steps, (1 - 1 / n) ** (steps / n))
    )  # mutant: Wright-Fisher
    told_mean(1, DRIFT, f"steady state as Moran, N = {n}, t = {steps}", law, found, mutant=mutant)
    assert (
        mean_deviation(found, 2 * p * (1 - p) * (1 - 2 / (n * (n - 1))) ** steps) > Z
    )  # mutant: the parent never dies
