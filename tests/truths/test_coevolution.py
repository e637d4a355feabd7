"""Laws of coevolving populations. Each is checked at 4.5 standard errors and must reject a mutant."""

import math

import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import Problem
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams
from optimizers import OPTIMIZERS
from tests.references import coevolution as exact

Z = 4.5  # standard errors


def make(worlds):
    return Streams(seed=2026, worlds=torch.arange(worlds))


def mean_deviation(sample, truth):
    """Largest distance of the mean of sample (R, ...) from truth, in standard errors."""
    return ((sample.mean(0) - truth).abs() / (sample.std(0) / len(sample) ** 0.5)).max().item()


def begin(optimizer, landscape, points, streams):
    return optimizer.init(
        Problem(landscape.dim, landscape.domain, False, lambda n: points.clone(), players=2), streams
    )


def step(optimizer, landscape, state, s):
    query = optimizer.ask(state, s)
    return optimizer.tell(state, query, evaluate(landscape, query.points), s)[0]


# matching pennies between populations of pure strategies (Hofbauer and Sigmund 1998) ------------------------


def pure(n, heads, tails, worlds):
    """Two populations of n pure strategies, so many of them heads, (R, n, 2)."""
    place = torch.arange(n)[:, None]
    return (place < torch.tensor([heads, tails])).double().expand(worlds, n, 2)


def wright_fisher(n, k, s):
    options = {
        "selection": "proportional",
        "fitness": "linear",
        "selection_strength": s,
        "crossover": "none",
        "mutation_rate": 0.0,
    }
    return OPTIMIZERS["coevolution"](population=n, opponents=k, **options)


def leanings(n, k, s, u, v, worlds, steps=1):
    """(u, v) of every world after so many generations, (R, 2)."""
    optimizer, streams = wright_fisher(n, k, s), make(worlds)
    landscape = LANDSCAPES["matching_pennies"](parametrisation="probability").bind(streams)
    state = begin(
        optimizer, landscape, pure(n, round(n * (1 + u) / 2), round(n * (1 + v) / 2), worlds), streams
    )
    for t in range(1, steps + 1):
        state = step(optimizer, landscape, state, streams.at(t))
    return 2 * optimizer.center(state) - 1


@pytest.mark.parametrize(("s", "u", "v"), [(0.5, 0.6, -0.8), (0.7, -0.4, 0.8)])
def test_one_generation_of_matching_pennies(s, u, v):
    """E u' = (u + s v) / (1 + s u v), E v' = (v - s u) / (1 - s u v) where everyone plays everyone, at any size; variance (1 - E^2) / n."""
    n = 10
    found = leanings(n, n, s, u, v, 20_000)
    law = torch.tensor(exact.pennies(u, v, s), dtype=torch.float64)
    square = (found - law).square()
    assert mean_deviation(found, law) < Z
    assert mean_deviation(square, (1 - law**2) / n) < Z
    assert mean_deviation(square, (1 - law**2) / (2 * n)) > Z  # mutant: N <-> 2 N
    for wrong in (
        exact.pennies(u, v, -s),
        exact.pennies(u, v, 2 * s),
        (law[0].item(), exact.pennies(law[0].item(), v, s)[1]),
    ):
        assert (
            mean_deviation(found, torch.tensor(wrong, dtype=torch.float64)) > Z
        )  # mutants: losses exchanged, doubled, players in turn


@pytest.mark.parametrize(
    ("s", "worlds"), [pytest.param(0.3, 20_000, marks=pytest.mark.verify), (0.8, 3000)]
)
def test_matching_pennies_turns_outwards(s, worlds):
    """|mu| = sqrt(1 + s^2) of the map of means at (1/2, 1/2), as simultaneous gradient play with eta = s.

    In turn it would be 1.
    """
    n, u = 20, 0.6
    columns = [
        leanings(n, n, s, *start, worlds) / u for start in ((u, 0.0), (0.0, u))
    ]  # linear in u where v = 0, and the other way round
    (a, c), (b, d) = (column.unbind(1) for column in columns)
    areas = a * d - b * c  # det of the map, |mu|^2: the columns are independent
    assert mean_deviation(areas, 1 + s**2) < Z
    for wrong in (1.0, 1 + (s / 2) ** 2, 1 + s):
        assert mean_deviation(areas, wrong) > Z


@pytest.mark.parametrize(("s", "k"), [(0.3, 1), pytest.param(0.2, 3, marks=pytest.mark.verify)])
@pytest.mark.verify
def test_large_populations_follow_the_recursion(s, k):
    """Losses are means over opponents: with linear fitness any k follows the same path where n is large."""
    steps = 20
    found = leanings(2000, k, s, 0.2, 0.1, 50, steps)

    def path(s, growth=1.0):
        u, v = 0.2, 0.1
        for _ in range(steps):
            u, v = (growth * x for x in exact.pennies(u, v, s))
        return torch.tensor([u, v], dtype=torch.float64)

    assert mean_deviation(found, path(s)) < Z
    assert mean_deviation(found, path(s, 1 / math.sqrt(1 + s**2))) > Z  # mutant: on a circle
    assert mean_deviation(found, path(-s)) > Z  # mutant: the other way round


def lost(n, s, worlds):
    """Generations until one population has lost a strategy, (R,): worlds leave the batch when they are done."""
    running, time = torch.arange(worlds), torch.zeros(worlds, dtype=torch.float64)
    optimizer, game = (
        wright_fisher(n, n, s),
        LANDSCAPES["matching_pennies"](parametrisation="probability"),
    )
    state = begin(optimizer, game.bind(make(worlds)), pure(n, n // 2, n // 2, worlds), make(worlds))
    for t in range(1, 10_000):
        s_t = make(worlds).subset(running).at(t)
        state = step(optimizer, game.bind(s_t), state, s_t)
        lean = optimizer.center(state)
        done = ((lean == 0) | (lean == 1)).any(1)
        time[running[done]] = float(t)
        if done.any():
            running, state = running[~done], type(state)(*(part[~done] for part in state))
        if not len(running):
            return time
    raise AssertionError("not lost")


@pytest.mark.parametrize(("n", "s"), [(10, 0.5), pytest.param(14, 0.3, marks=pytest.mark.verify)])
@pytest.mark.verify
def test_the_red_queen_speeds_the_loss_of_strategies(n, s):
    """Mean generations until one of two populations is pure, by the exact chain of both.

    Neutral ones keep theirs longer.
    """
    time = lost(n, s, 4000)
    assert mean_deviation(time, exact.first_loss(n, s)) < Z
    assert mean_deviation(time, exact.first_loss(n, 0.0)) > Z  # mutant: no selection
    assert mean_deviation(time, exact.first_loss(2 * n, s)) > Z  # mutant: N <-> 2 N
    assert mean_deviation(lost(n, 0.0, 4000), exact.first_loss(n, 0.0)) < Z


@pytest.mark.verify
@pytest.mark.parametrize(("s", "expected"), [(0.2, 62), (0.0, 87)])
def test_the_red_queen_in_a_hundred(s, expected):
    """62 generations, neutral 87, of an independent simulation."""
    time = lost(100, s, 300)
    assert abs(time.mean() - expected) < Z * time.std() / 300**0.5 + 0.5
    assert abs(time.mean() - {62: 87, 87: 62}[expected]) > Z * time.std() / 300**0.5 + 0.5


# the Dirac-GAN (Mescheder, Geiger and Nowozin 2018) ---------------------------------------------------------


def distance(gamma, worlds=200, steps=60, **options):
    """Root mean square distance of the mean strategies from the equilibrium, averaged over the second half, (R,)."""
    optimizer, streams = (
        OPTIMIZERS["coevolution"](
            population=20, opponents=4, crossover="none", mutation_sigma=0.1, **options
        ),
        make(worlds),
    )
    landscape = LANDSCAPES["dirac_gan"](gamma=gamma).bind(streams)
    state = begin(optimizer, landscape, 2 * streams.at(0).uniform("init", (20, 2)) - 1, streams)
    squares = []
    for t in range(1, steps + 1):
        state = step(optimizer, landscape, state, streams.at(t))
        squares.append(optimizer.recommend(state).square().sum(1))
    return torch.stack(squares[steps // 2 :]).mean(0).sqrt()


@pytest.mark.verify
def test_a_stable_game_holds_the_populations():
    """With the penalty R1 the equilibrium attracts.

    Selection stays nearer to it than drift does, and than without the penalty.
    """
    stable, circling, neutral = distance(2.0), distance(0.0), distance(2.0, selection="none")
    error = Z * ((stable.var() + neutral.var()) / 200) ** 0.5
    assert stable.mean() < neutral.mean() - error
    assert stable.mean() < circling.mean() - Z * ((stable.var() + circling.var()) / 200) ** 0.5
