"""Each batched operator beside a naive loop, and its law."""

import math

import pytest
import torch

from landscapes.streams import Streams
from optimizers import operators
from optimizers.fitness import weights
from tests.references import operators as naive
from tests.support.each import each

R, P, D, N = 3, 7, 5, 11


def make(**options):
    return Streams(seed=11, worlds=torch.tensor([4, 0, 9]), **options)


def values(p=P, dtype=torch.float64):
    v = torch.cos(torch.arange(R * p, dtype=dtype)).reshape(R, p).clone()
    v[0, 2], v[0, 4], v[1, 0] = v[0, 1], v[0, 1], v[1, 3]  # ties
    return v


def points(binary, n=N):
    x = torch.sin(torch.arange(R * n * D, dtype=torch.float64) ** 2).reshape(R, n, D)
    return (x > 0).to(torch.uint8) if binary else x


def loop(function, *columns):
    """Apply function to each world; a column is (R, ...)."""
    return [function(*(c[r].tolist() for c in columns)) for r in range(R)]


def children(function):
    """Apply function to each child of a world."""
    return lambda *columns: [function(*c) for c in zip(*columns, strict=True)]


# selection --------------------------------------------------------------------------------------------------


@each("size", [1, 2, 5])
def test_tournament(size):
    entrants = make().integers("drift", P, (N, size))
    assert operators.tournament(values(), make(), N, size=size).tolist() == loop(
        naive.tournament, values(), entrants
    )


@each("fraction", [0.01, 2 / 7, 0.3, 1.0])
def test_truncation(fraction):
    u = make().uniform("drift", (N,))
    assert operators.truncation(values(), make(), N, fraction=fraction).tolist() == loop(
        lambda v, u: naive.truncation(v, fraction, u), values(), u
    )


def test_truncation_rounds_up_what_is_left_of_a_fraction():
    assert 0.07 * 100 > 7  # 7.000000000000001 in floating point
    parents = operators.truncation(
        torch.arange(100.0)[None], Streams(seed=1, worlds=torch.tensor([0])), 2000, fraction=0.07
    )
    assert parents.unique().tolist() == [*range(7)]


@each(
    ("kind", "beta"),
    [("linear", 0.4), ("linear", 2.0), ("linear", 0.0), ("exponential", 1.0), ("exponential", 3.0)],
)
def test_proportional(kind, beta):
    u = make().uniform("drift", (N,))
    expected = loop(lambda v, u: naive.proportional(naive.fitness(v, kind, beta), u), values(), u)
    assert operators.by_weight(weights(values(), kind, beta), make(), N).tolist() == expected


def test_neutral():
    assert operators.neutral(values(), make(), N).tolist() == loop(
        lambda u: [int(x * P) for x in u], make().uniform("drift", (N,))
    )


def test_fitness_survives_bad_values():
    bad = torch.tensor([
        [torch.nan, 1.0, torch.inf],
        [torch.nan, torch.inf, torch.nan],
        [1e4, 1e4 + 1, 2e4],
    ])
    assert torch.allclose(
        weights(bad, "exponential", 1.0),
        torch.tensor([[0, 1, 0], [1, 1, 1], [1, math.exp(-1), 0]], dtype=torch.float64),
    )
    assert weights(bad, "linear", 0.5).tolist() == [[0, 0.5, 0], [1, 1, 1], [1, 1, 1]]


def winners(size):
    """How often each of P individuals, best first, wins: 20000 tournaments."""
    drawn = operators.tournament(
        torch.arange(float(P))[None], Streams(seed=5, worlds=torch.tensor([0])), 20000, size=size
    )
    return torch.bincount(drawn[0], minlength=P) / 20000


@pytest.mark.parametrize("size", [2, 4])
def test_tournament_law(size):
    """The i-th best wins with probability ((P - i)^k - (P - i - 1)^k) / P^k; one entrant more is rejected."""

    def deviation(k):
        p = torch.tensor([((P - i) ** k - (P - i - 1) ** k) / P**k for i in range(P)])
        return ((winners(size) - p) / (p * (1 - p) / 20000).sqrt()).abs().max()

    assert deviation(size) < 4.5
    assert deviation(size + 1) > 4.5


def test_selection_of_permuted_individuals():
    """Truncation selects the same individuals, whatever their places; a tournament the same in law."""
    value, order = torch.arange(float(P))[None], torch.tensor([3, 1, 6, 0, 2, 5, 4])

    def chosen(v):
        return operators.truncation(v, Streams(seed=5, worlds=torch.tensor([0])), 50, fraction=0.5)[0]

    assert torch.equal(order[chosen(value[:, order])], chosen(value))
    drawn = operators.tournament(
        value[:, order], Streams(seed=6, worlds=torch.tensor([0])), 20000, size=2
    )[0]
    share = torch.bincount(order[drawn], minlength=P) / 20000
    assert (share - winners(2)).abs().max() < 4.5 * (2 * 0.25 / 20000) ** 0.5


# ranks ------------------------------------------------------------------------------------------------------


@each("p", [1, 2, 7, operators.PAIRWISE, operators.PAIRWISE + 1])
@each("dtype", [torch.float64, torch.float32])
@each("ties", [True, False])
def test_order(p, dtype, ties):
    """Beside Python's sort, with NaN worst and ties by place; signs of zero are one value."""
    v = torch.cos(torch.arange(R * p, dtype=dtype)).reshape(R, p)
    v = (2 * v).round() if ties else v
    if p > 2:
        v[1, :3], v[2, :3] = (
            torch.tensor([torch.nan, torch.inf, -torch.inf]),
            torch.tensor([0.0, -0.0, 0.0]),
        )

    def naive_order(row):
        return sorted(range(p), key=lambda i: (math.inf if math.isnan(row[i]) else row[i], i))

    assert operators.order(v).tolist() == loop(naive_order, v)


@each("dtype", [torch.float64, torch.float32, torch.uint8])
def test_where_bits(dtype):
    """Beside torch's own; views that are not contiguous, too."""
    first, second = (part.mul(9).to(dtype).transpose(0, 1) for part in (points(False), points(True)))
    keep = torch.arange(first.numel()).reshape(first.shape) % 3 == 0
    found = operators.where_bits(keep, first, second.to(dtype))
    assert found.dtype == dtype
    assert torch.equal(found, torch.where(keep, first, second))


@each("p", [2, 7, operators.PAIRWISE, operators.PAIRWISE + 1])
@each("dtype", [torch.float64, torch.float32])
def test_centered_ranks(p, dtype):
    v = (
        values(p, dtype)
        if p > 4
        else torch.tensor([[1.0, 2.0], [2.0, 2.0], [torch.inf, torch.nan]], dtype=dtype)
    )
    if p > 4:
        v[2, :4] = torch.tensor([torch.inf, -torch.inf, torch.nan, torch.inf])
    found = operators.centered_ranks(v)
    assert found.dtype == dtype
    assert torch.allclose(found, torch.tensor(loop(naive.centered_ranks, v), dtype=dtype), atol=1e-6)
    shuffled = torch.arange(p).flip(0)
    assert torch.equal(operators.centered_ranks(v[:, shuffled]), found[:, shuffled])
    assert torch.equal(operators.centered_ranks(v * 8), found)


def test_one_point_has_rank_zero():
    assert operators.centered_ranks(torch.tensor([[3.0]])).tolist() == [[0.0]]


# recombination ----------------------------------------------------------------------------------------------


@each("binary", [True, False])
@each("crossover", ["uniform", "one_point", "two_point"])
def test_crossover(binary, crossover):
    first, second = points(binary), points(binary).flip(1)
    s = make()
    if crossover == "uniform":
        draws = (s.coins("recombination", (N, D), part=1),)
    elif crossover == "one_point":
        draws = (1 + s.integers("recombination", D - 1, (N,), part=1),)
    else:
        draws = s.choice("recombination", D, 2, (N,), part=1).unbind(-1)
    found = operators.recombine(first, second, make(), crossover)
    assert found.dtype == first.dtype
    assert found.tolist() == loop(children(getattr(naive, crossover)), first, second, *draws)


@each("crossover", ["uniform", "one_point", "two_point"])
def test_crossover_of_one_coordinate(crossover):
    first, second = torch.zeros(R, N, 1), torch.ones(R, N, 1)
    child = operators.recombine(first, second, make(), crossover)
    assert child.shape == first.shape
    assert crossover == "uniform" or torch.equal(child, first)


@each(("crossover", "patterns"), [("one_point", 4), ("two_point", 10), ("uniform", 32)])
def test_crossover_law(crossover, patterns):
    """Each pattern is as likely: D - 1 cuts, D (D - 1) / 2 pairs of cuts, 2^D coin tosses."""
    n = 20000
    keep = operators.CROSSOVERS[crossover](Streams(seed=3, worlds=torch.tensor([1])), n, D)[0]
    counts = keep.unique(dim=0, return_counts=True)[1]
    p = 1 / patterns
    assert len(counts) == patterns
    assert ((counts / n - p).abs() < 4.5 * (p * (1 - p) / n) ** 0.5).all()


@each("rate", [0.0, 0.3, 1.0])
def test_who_recombines(rate):
    assert torch.equal(
        operators.crosses(make(), N, rate), make().bernoulli("recombination", rate, (N,))
    )


# mutation ---------------------------------------------------------------------------------------------------


@each("rate", [0.0, 0.4, 1.0])
def test_gaussian(rate):
    normals, hits = (
        make().normal("mutation", (N, D)),
        make().bernoulli("mutation", rate, (N, D), part=1),
    )
    expected = loop(
        children(lambda x, z, hit: naive.gaussian(x, 0.3, z, hit)), points(False), normals, hits
    )
    assert torch.allclose(
        operators.gaussian(points(False), make(), rate, 0.3),
        torch.tensor(expected, dtype=torch.float64),
        atol=1e-15,
    )


@each("rate", [0.0, 0.4, 1.0])
def test_bit_flip(rate):
    expected = loop(children(naive.bit_flip), points(True), make().bernoulli("mutation", rate, (N, D)))
    assert operators.bit_flip(points(True), make(), rate).tolist() == expected


def test_best_is_the_first_of_ties_and_never_nan():
    value = torch.tensor([
        [torch.nan, 2.0, 1.0, 1.0],
        [torch.nan] * 4,
        [torch.inf, 0.0, -torch.inf, torch.nan],
    ])
    x = torch.arange(4.0).expand(3, 4)[..., None]
    assert operators.best(x, value)[:, 0].tolist() == [2.0, 0.0, 2.0]
