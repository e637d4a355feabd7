"""The genetic algorithm: one generation beside a plain loop, and which source moves what."""

import math
from statistics import NormalDist

import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import Answer, Bits, Problem, Reals
from landscapes.oracle.bill import Bill
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from tests.references import operators as naive
from tests.support.each import each
from tests.support.play import bowl, build, make, play, problem


def test_one_generation_beside_a_loop():
    n, d, elite = 9, 7, 2
    optimizer = build(
        "ga",
        {
            "population": n,
            "elite": elite,
            "crossover": "one_point",
            "recombination_rate": 0.6,
            "mutation_rate": 0.2,
        },
    )
    state = optimizer.init(problem(make(), Bits(), d), make())
    query = optimizer.ask(state, make())
    answer = bowl(query, torch.float64)
    new, info = optimizer.tell(state, query, answer, make().at(1))
    s, m = make().at(1), n - elite
    mothers, fathers = (s.integers("drift", n, (m, 2), part=part) for part in (0, 1))
    who, cut = (
        s.bernoulli("recombination", 0.6, (m,)),
        1 + s.integers("recombination", d - 1, (m,), part=1),
    )
    flips = s.bernoulli("mutation", 0.2, (m, d))
    for r in range(8):
        x, value = query.points[r].tolist(), answer.value[r].tolist()
        survivors = naive.ordered(value)[:elite]
        children, parents = [x[i] for i in survivors], [[i, i] for i in survivors]
        pairs = zip(
            naive.tournament(value, mothers[r].tolist()),
            naive.tournament(value, fathers[r].tolist()),
            strict=True,
        )
        for k, (a, b) in enumerate(pairs):
            b = b if who[r, k] else a
            parents.append([a, b])
            children.append(
                naive.bit_flip(naive.one_point(x[a], x[b], int(cut[r, k])), flips[r, k].tolist())
            )
        assert new.points[r].tolist() == children
        assert info["parents"][r].tolist() == parents
        assert new.best[r].tolist() == x[survivors[0]]


RANKS = 512  # individuals


def parents_ranks(opponents, worlds=400):
    """Mean over parents of the share of the population that is worse, which is 1/2 without selection."""
    streams = make(range(worlds))
    optimizer = build("ga", {"population": RANKS, "opponents": opponents, "crossover": "none"})
    state = optimizer.init(problem(streams, Reals(), 1), streams)
    value = streams.uniform("evaluation", (RANKS,), part=9)
    query = optimizer.ask(state, streams)
    _, info = optimizer.tell(state, query, Answer(value), streams.at(1))
    worse = 1 - (value.argsort(1).argsort(1) + 0.5) / RANKS
    mean = worse.gather(1, info["parents"][..., 0]).mean(1)
    return mean.mean(), mean.std() / worlds**0.5


@pytest.mark.parametrize("k", [1, 2, 5])
def test_opponents_weaken_selection(k):
    """The better of two by the score against k: E[u] - 1/2 = k / (6 (k + 1)).

    Wins against k are binomial with chance u, and u is uniform, so that each number 0 .. k of wins is as
    likely: one with s wins is ahead of the other with chance (s + 1/2) / (k + 1), ties by a coin, and
    2 E[u (k u + 1/2)] / (k + 1) = (2 k / 3 + 1/2) / (k + 1). Without noise it is 2/3; the formula h i of the
    correlation sqrt(k / (k + 2)) of rank and score is wrong, since wins are no normal trait. One who meets
    itself, or enters twice, matters by 1 / P.
    """
    found, error = parents_ranks(k)
    bias = 1 / RANKS
    assert abs(found - 1 / 2 - k / (6 * (k + 1))) < 4.5 * error + bias
    assert abs(found - 1 / 2 - 1 / 6) > 4.5 * error + bias
    if k < 5:  # beyond, both are alike
        assert abs(found - 1 / 2 - (k / (k + 2)) ** 0.5 / 6) > 4.5 * error + bias


def nine(alive, **options):
    """A GA of nine without crossover, two of them elite, of whom so many are alive."""
    grows = {"population": alive, "largest": 9, "coupling": "grow"} if alive < 9 else {}
    return build("ga", {"population": 9, "elite": 2, "crossover": "none"} | options | grows)


def elite_and_parents(selection, seen, world):
    """Of a world of nine, by a loop, from what selection sees of those alive, the lower the better."""
    alive = torch.tensor(len(seen))
    entrants = make().at(1).integers("drift", alive, (7, 2))[world].tolist()
    u = make().at(1).uniform("drift", (7,))[world].tolist()
    parents = {
        "tournament": lambda: naive.tournament(seen, entrants),
        "truncation": lambda: naive.truncation(seen, 0.5, u),
        "proportional": lambda: naive.proportional(naive.fitness(seen, "exponential", 1.0), u),
    }[selection]()
    return naive.ordered(seen)[:2] + parents


@each("alive", [9, 5])
@each("selection", ["tournament", "truncation", "proportional"])
def test_fitness_from_opponents_beside_a_loop(selection, alive):
    """Elites and parents are those whom the shares of better opponents say; ties are half, NaN is worst."""
    optimizer = nine(alive, opponents=3, selection=selection)
    state = optimizer.init(problem(make(), Reals(), 1), make())
    value = make().integers("evaluation", 4, (9,), part=9).double()
    value[:, 3] = torch.nan
    _, info = optimizer.tell(state, optimizer.ask(state, make()), Answer(value), make().at(1))
    met = make().at(1).integers("pairing", torch.tensor(alive), (9, 3)).tolist()
    for r in range(8):
        seen = value[r, :alive].nan_to_num(nan=9.0).tolist()
        share = naive.lost(seen, met[r][:alive])
        assert info["parents"][r, :, 0].tolist() == elite_and_parents(selection, share, r)


@each("alive", [9, 5])
@each("selection", ["tournament", "truncation", "proportional"])
def test_means_of_evaluations_beside_a_loop(selection, alive):
    """Each individual alive is asked three times, a generation at a time; one NaN makes the mean the worst."""
    optimizer = nine(alive, evaluations=3, selection=selection)
    state = optimizer.init(problem(make(), Reals(), 2), make())
    query = optimizer.ask(state, make())
    value = make().uniform("evaluation", (27,), part=9)
    value[:, 9 + 3] = torch.nan
    new, info = optimizer.tell(state, query, Answer(value), make().at(1))
    for r in range(8):
        assert query.points[r].tolist() == state.points[r].tolist() * 3
        if alive < 9:
            assert query.alive[r].tolist() == [k % 9 < alive for k in range(27)]
        told = value[r].tolist()
        mean = [(told[i] + told[9 + i] + told[18 + i]) / 3 for i in range(alive)]
        seen = [math.inf if math.isnan(m) else m for m in mean]
        expected = elite_and_parents(selection, seen, r)
        assert info["parents"][r, :, 0].tolist() == expected
        assert new.best[r].tolist() == state.points[r, expected[0]].tolist()
        assert new.value[r].item() == pytest.approx(seen[expected[0]])


@each("domain", [Reals(), Bits()])
def test_where_values_are_exact_more_evaluations_change_nothing(domain):
    """Four equal numbers have themselves as their mean, to the bit."""
    once, often = (
        play(build("ga", {"population": 7, "evaluations": k}), domain, make())[0] for k in (1, 4)
    )
    assert all(torch.equal(a, b) for a, b in zip(once[-1], often[-1], strict=True))


WORLDS, SIGMA = 4000, 0.7  # and the deviation of a value


def seen_by_two(evaluations):
    """Two at losses 0 and 1/2, of whom the better is the parent: its mean value, and whether it is the worse.

    Also the bill of a generation.
    """
    streams = Streams(seed=11, worlds=torch.arange(WORLDS))
    landscape = LANDSCAPES["quadratic"](dim=1, condition=1).bind(streams)
    bill = Bill(WORLDS, terms=1, budget=math.inf)
    oracle = Oracle(landscape, Noise(value=SIGMA), bill)
    here = torch.tensor([[0.0], [1.0]], dtype=torch.float64).expand(WORLDS, 2, 1)
    options = {"population": 2, "selection": "truncation", "crossover": "none"}
    optimizer = build("ga", options | {"evaluations": evaluations})
    state = optimizer.init(Problem(1, Reals(), False, lambda n: here), streams.at(0))
    s = streams.at(1)
    query = optimizer.ask(state, s)
    assert landscape.solution_loss(query.points)[0].tolist() == [0, 0.5] * evaluations
    state, info = optimizer.tell(state, query, oracle(query, s), s)
    return state.value, info["parents"][:, 0, 0] == 1, bill.values


@each("k", [1, 4, 16])
def test_misranked_as_often_as_the_mean_of_k_is(k):
    """Of two that differ by d = 1/2 the worse looks better with chance Phi(-d sqrt(k / 2) / sigma).

    The wrong law is that of one evaluation, or that of one and the same noise in all of them.
    """
    _, worse, bill = seen_by_two(k)
    chance, once = (NormalDist().cdf(-0.5 * math.sqrt(n / 2) / SIGMA) for n in (k, 1))
    error = math.sqrt(chance * (1 - chance) / WORLDS)
    share = worse.double().mean().item()
    assert abs(share - chance) < 4.5 * error
    assert k == 1 or abs(share - once) > 4.5 * error
    assert (bill == 2 * k).all()


@each("k", [1, 4, 16])
def test_the_variance_of_a_value_is_that_of_the_mean_of_k(k):
    """Of the lower of two normals a and b, independent, with means 0 and d and variance v = sigma^2 / k each.

    Clark 1961: with s = sqrt(2 v), z = d / s its mean is d Phi(-z) - s phi(z), its mean square
    v + d^2 Phi(-z) - d s phi(z).
    """
    value, _, _ = seen_by_two(k)
    v, d, normal = SIGMA**2 / k, 0.5, NormalDist()
    s = math.sqrt(2 * v)
    mean = d * normal.cdf(-d / s) - s * normal.pdf(d / s)
    variance = v + d**2 * normal.cdf(-d / s) - d * s * normal.pdf(d / s) - mean**2
    assert abs(value.mean().item() - mean) < 4.5 * math.sqrt(variance / WORLDS)
    assert value.var().item() == pytest.approx(variance, rel=4.5 * math.sqrt(2 / WORLDS))


def test_one_source_redrawn_leaves_the_others():
    """Re-keying mutation leaves parents and crossover; re-keying drift leaves the flips."""
    optimizer = build(
        "ga", {"population": 9, "crossover": "uniform", "recombination_rate": 0.5, "mutation_rate": 0.3}
    )
    state = optimizer.init(problem(make(), Bits(), 7), make())
    query = optimizer.ask(state, make())
    answer = bowl(query, torch.float64)

    def generation(source=None):
        s = make().redraw(source, 1) if source else make()
        new, info = optimizer.tell(state, query, answer, s.at(1))
        flips = s.at(1).bernoulli("mutation", 0.3, (9, 7)).to(torch.uint8)
        return flips, new.points ^ flips, info["parents"]

    plain, mutation, drift, recombination = (
        generation(),
        generation("mutation"),
        generation("drift"),
        generation("recombination"),
    )
    assert [torch.equal(a, b) for a, b in zip(plain, mutation, strict=True)] == [False, True, True]
    assert [torch.equal(a, b) for a, b in zip(plain, drift, strict=True)] == [True, False, False]
    assert torch.equal(plain[2][..., 0], recombination[2][..., 0])
    assert torch.equal(plain[0], recombination[0])


def test_first_parents_do_not_depend_on_crossover():
    infos = [
        play(build("ga", {"crossover": c}), Bits(), make(), steps=1)[2][0]["parents"][..., 0]
        for c in ("none", "uniform", "two_point")
    ]
    assert torch.equal(infos[0], infos[1])
    assert torch.equal(infos[0], infos[2])


@pytest.mark.parametrize("dim", [7, 100])
def test_one_bit_in_d_mutates(dim):
    optimizer = build("ga", {"population": 50, "selection": "none", "crossover": "none"})
    states, _, infos = play(optimizer, Bits(), make(range(40)), dim, steps=1)
    parents = states[0].points.gather(1, infos[0]["parents"][..., :1].expand(-1, -1, dim))
    flipped = (parents ^ states[1].points).double().mean(), 40 * 50 * dim
    assert abs(flipped[0] - 1 / dim) < 4.5 * (1 / dim / flipped[1]) ** 0.5
    assert abs(flipped[0] - 2 / dim) > 4.5 * (1 / dim / flipped[1]) ** 0.5


def test_center_is_the_allele_frequencies():
    optimizer = build("ga", {"population": 8})
    state = optimizer.init(problem(make(), Bits(), 3), make())
    assert torch.equal(optimizer.center(state), state.points.double().mean(1))


@each("crossover", ["uniform", "one_point", "two_point"])
def test_relabelled_bits(crossover):
    """Exchanging 0 and 1 at some loci exchanges them in every generation."""
    flip = torch.tensor([1, 0, 0, 1, 1, 0, 1], dtype=torch.uint8)
    optimizer, s = build("ga", {"crossover": crossover, "population": 9}), make().at(1)
    state = optimizer.init(problem(make(), Bits(), 7), make())
    answer = bowl(optimizer.ask(state, s), s.dtype)
    plain = optimizer.tell(state, optimizer.ask(state, s), answer, make().at(1))[0]
    relabelled = state._replace(points=state.points ^ flip)
    other = optimizer.tell(relabelled, optimizer.ask(relabelled, s), answer, make().at(1))[0]
    assert torch.equal(other.points ^ flip, plain.points)
