"""Populations and walks on bits beside loops, what they ask, and what they refuse.

Their laws are in tests/truths.
"""

import math

import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import Answer, Bits, Problem
from landscapes.streams import Streams
from optimizers import OPTIMIZERS, operators
from optimizers.population_genetics.quasispecies import free, walsh
from tests.references import operators as naive
from tests.references import population_genetics as exact
from tests.support.each import each

R = 4


def make(worlds=R):
    return Streams(seed=8, worlds=torch.arange(worlds))


def begin(optimizer, dim, streams, known=True):
    return optimizer.init(
        Problem(dim, Bits(), known, lambda n: streams.at(0).coins("init", (n, dim)).to(torch.uint8)),
        streams,
    )


def rugged(points):
    """A loss (R, P) of bits that no two genotypes share."""
    x = points.double()
    return 1 + torch.sin(
        x @ torch.arange(1.0, x.shape[-1] + 1, dtype=torch.float64) ** 1.5 + 3 * x[..., :1].sum(-1)
    )


def run(optimizer, dim, steps, known=True):
    streams, queries, infos = make(), [], []
    states = [begin(optimizer, dim, streams, known)]
    for t in range(1, steps + 1):
        s = streams.at(t)
        queries.append(optimizer.ask(states[-1], s))
        state, info = optimizer.tell(states[-1], queries[-1], Answer(rugged(queries[-1].points)), s)
        states, infos = [*states, state], [*infos, info]
    return states, queries, infos


def parity(cuts):
    keep, out = True, [True]
    for cut in cuts:
        keep = keep != cut
        out.append(keep)
    return out


# wright_fisher ----------------------------------------------------------------------------------------------


def test_multi_point():
    cuts = make().bernoulli("recombination", 0.3, (6, 8), part=1).tolist()
    assert operators.multi_point(make(), 6, 9, 0.3).tolist() == [
        [parity(c) for c in world] for world in cuts
    ]
    assert operators.multi_point(make(), 6, 1, 0.3).all()


@each("ploidy", [1, 2])
@each("model", ["wright_fisher", "moran"])
def test_one_step_beside_a_loop(ploidy, model):
    n, dim, beta = 5, 6, 1.7
    options = {
        "selection_strength": beta,
        "crossover": "multi_point",
        "recombination_rate": 0.3,
        "mutation_rate": 0.2,
    }
    optimizer = OPTIMIZERS["wright_fisher"](population=n, ploidy=ploidy, model=model, **options)
    states, _, infos = run(optimizer, dim, 1)
    births = n if model == "wright_fisher" else 1
    gametes, s = births * ploidy, make().at(1)
    mothers, fathers = (s.uniform("drift", (gametes,), part) for part in (0, 1))
    cuts, flips = (
        s.bernoulli("recombination", 0.3, (gametes, dim - 1), part=1),
        s.bernoulli("mutation", 0.2, (gametes, dim)),
    )
    coins, dead = s.coins("recombination", (gametes,), part=2), s.integers("drift", n, (1,), part=2)
    for r in range(R):
        x, value = states[0].points[r].tolist(), rugged(states[0].points)[r].tolist()
        loss = [sum(value[i * ploidy : (i + 1) * ploidy]) / ploidy for i in range(n)]
        weights = [math.exp(-beta * v) for v in loss]
        first = naive.proportional(weights, mothers[r].tolist())
        if ploidy == 1:
            second = naive.proportional(weights, fathers[r].tolist())
        else:
            turned = [int(c) for c in coins[r]]
            first, second = (
                [2 * i + c for i, c in zip(first, turned, strict=True)],
                [2 * i + 1 - c for i, c in zip(first, turned, strict=True)],
            )
        children = [
            naive.uniform(x[a], x[b], parity(c))
            for a, b, c in zip(first, second, cuts[r].tolist(), strict=True)
        ]
        children = [
            naive.bit_flip(child, hits) for child, hits in zip(children, flips[r].tolist(), strict=True)
        ]
        if model == "moran":
            place = int(dead[r, 0]) * ploidy
            children = x[:place] + children + x[place + ploidy :]
        assert states[1].points[r].tolist() == children
        assert infos[0]["parents"][r].tolist() == [[a, b] for a, b in zip(first, second, strict=True)]
        assert states[1].best[r].tolist() == x[value.index(min(value))]


@pytest.mark.parametrize("ploidy", [1, 2])
def test_a_moran_event_costs_its_child(ploidy):
    """All are asked first; then, where values are exact, the newborn alone, and the others keep theirs."""
    optimizer = OPTIMIZERS["wright_fisher"](
        population=6, ploidy=ploidy, model="moran", mutation_rate=0.3
    )
    states, queries, infos = run(optimizer, 5, 6)
    assert queries[0].alive.all()
    for state, query, info in zip(states[1:], queries[1:], infos, strict=False):
        assert (query.alive.sum(1) == ploidy).all()
        assert torch.equal(query.alive.unflatten(1, (6, ploidy)).all(2).int().argmax(1), info["dead"])
        assert torch.equal(rugged(state.points)[~query.alive], state.value[~query.alive])
    assert all(query.alive.all() for query in run(optimizer, 5, 3, known=False)[1])


def test_generations_ask_everyone():
    assert all(query.alive is None for query in run(OPTIMIZERS["wright_fisher"](population=6), 5, 3)[1])


# walks ------------------------------------------------------------------------------------------------------


def test_a_greedy_walk_beside_a_loop():
    optimizer = OPTIMIZERS["adaptive_walk"](rule="greedy")
    states, _, infos = run(optimizer, 6, 8)
    for r in range(R):
        x, accepted = states[0].point[r].tolist(), []
        for _ in range(8):
            around = [[b ^ (i == d) for i, b in enumerate(x)] for d in range(6)]
            losses = rugged(torch.tensor([[x, *around]], dtype=torch.uint8))[0].tolist()
            accepted.append(min(losses[1:]) < losses[0])
            x = around[losses[1:].index(min(losses[1:]))] if accepted[-1] else x
        assert states[-1].point[r].tolist() == x
        assert [info["accepted"][r].item() for info in infos] == accepted
    assert not infos[-1]["accepted"].any()


@each("rule", ["greedy", "random", "proportional"])
def test_a_walk_goes_down_to_a_local_optimum(rule):
    states, queries, _ = run(OPTIMIZERS["adaptive_walk"](rule=rule), 6, 25)
    path = torch.stack([rugged(state.point[:, None])[:, 0] for state in states])
    steps = torch.stack([(a.point != b.point).sum(1) for a, b in zip(states, states[1:], strict=False)])
    assert (path[1:] <= path[:-1]).all()
    assert steps.max() == 1
    last = rugged(queries[-1].points)
    assert (last[:, :1] < last[:, 1:]).all()
    assert torch.equal(states[-1].value, last[:, 0])


@pytest.mark.parametrize("known", [True, False])
def test_a_walk_asks_its_own_value_once_where_that_holds(known):
    queries = run(OPTIMIZERS["adaptive_walk"](), 6, 3, known)[1]
    assert [query.alive.sum(1).tolist() for query in queries] == [
        [7] * R,
        [6 if known else 7] * R,
        [6 if known else 7] * R,
    ]


@each("kind", ["one_plus_one_ea", "rls", "sswm"])
@each("known", [True, False])
def test_a_pair_is_asked_where_values_are_noisy(kind, known):
    states, queries, infos = run(OPTIMIZERS[kind](), 6, 6, known)
    assert [query.points.shape[1] for query in queries] == [1 if known else 2] * 6
    assert torch.equal(queries[0].points[:, 0], states[0].points[:, 0])
    for before, after, query, info in list(zip(states, states[1:], queries, infos, strict=False))[
        known:
    ]:
        assert torch.equal(
            after.points, torch.where(info["accepted"][..., None], query.points[:, -1:], before.points)
        )
        if kind != "one_plus_one_ea":
            assert ((query.points[:, -1:] ^ before.points).sum(-1) == 1).all()
        if kind != "sswm":
            assert torch.equal(info["accepted"], rugged(query.points[:, -1:]) <= rugged(before.points))
    assert torch.equal(states[-1].value, rugged(states[-1].points))


# quasispecies -----------------------------------------------------------------------------------------------


@each("crossover", ["none", "one_point", "free"])
def test_generations_beside_a_loop(crossover):
    dim, u, r, beta = 3, 0.07, 0.4, 1.3
    optimizer = OPTIMIZERS["quasispecies"](
        founders=3, crossover=crossover, recombination_rate=r, mutation_rate=u, selection_strength=beta
    )
    states = run(optimizer, dim, 3)[0]
    names = [tuple(g) for g in states[0].genotypes[0].tolist()]
    w = dict(zip(names, torch.exp(-beta * rugged(states[0].genotypes))[0].tolist(), strict=True))
    for world in range(R):
        x = dict(zip(names, states[0].frequency[world].tolist(), strict=True))
        for state in states[1:]:
            x = exact.generation(
                x, w, u, 0.0 if crossover == "none" else r, "free" if crossover == "none" else crossover
            )
            assert state.frequency[world].tolist() == pytest.approx(list(x.values()), abs=1e-14)
        share = [sum(f for g, f in x.items() if g[d]) for d in range(dim)]
        assert optimizer.center(states[-1])[world].tolist() == pytest.approx(share, abs=1e-14)
        assert tuple(optimizer.recommend(states[-1])[world].tolist()) == max(x, key=x.get)


@pytest.mark.parametrize("dim", [4, 12])
def test_free_recombination_is_a_sum_over_subsets(dim):
    """2^-|S| sum over B in S of a_B b_{S less B}, also where the halves are done in turn."""
    a, b = torch.sin(torch.arange(2 * 2**dim, dtype=torch.float64) ** 2).reshape(2, 1, -1)
    found = free(a, b)[0]
    for s in (0, 1, 2**dim - 1, 2**dim // 3, 5):
        subsets = [t for t in range(2**dim) if t & s == t]
        total = sum((a[0, t] * b[0, s ^ t]).item() for t in subsets)
        assert found[s].item() == pytest.approx(total / len(subsets), abs=1e-12)
    assert torch.allclose(walsh(walsh(a)), a * 2**dim)


def test_founders():
    streams = make()
    optimizer = OPTIMIZERS["quasispecies"](founders=5)
    state = begin(optimizer, 4, streams)
    founders = streams.at(0).coins("init", (5, 4)).double()
    assert torch.allclose(optimizer.center(state), founders.mean(1))
    assert torch.allclose(state.frequency.sum(1), torch.ones(R, dtype=torch.float64))


def test_too_many_loci():
    with pytest.raises(
        ValueError, match="quasispecies: expected at most 16 loci, got 17; take wright_fisher"
    ):
        begin(OPTIMIZERS["quasispecies"](), 17, make())


# on landscapes of the registry ------------------------------------------------------------------------------


def test_the_populations_climb_a_rugged_landscape():
    """On nk every method ends lower than it began, in the mean over worlds, and a walk at a local optimum."""
    streams = make(16)
    landscape = LANDSCAPES["nk"](n=10, k=2).bind(streams)
    for kind, options in (
        ("wright_fisher", {"selection_strength": 20.0}),
        ("adaptive_walk", {}),
        ("sswm", {"selection_strength": 20.0}),
        ("rls", {}),
    ):
        optimizer = OPTIMIZERS[kind](**options)
        state = optimizer.init(
            Problem(10, Bits(), True, lambda n: landscape.start(streams.at(0), n)), streams
        )
        began = landscape.loss(optimizer.recommend(state)[:, None]).mean()
        for t in range(1, 31):
            query = optimizer.ask(state, streams.at(t))
            state, _ = optimizer.tell(state, query, Answer(landscape.loss(query.points)), streams.at(t))
        assert landscape.loss(optimizer.recommend(state)[:, None]).mean() < began - 0.05


# distributions of independent bits --------------------------------------------------------------------------


def moved(kind, dim=5, **options):
    """P before and after the first step, both (R, D), its genotypes (R, P, D) and their losses (R, P)."""
    optimizer = OPTIMIZERS[kind](**options)
    states, queries, _ = run(optimizer, dim, 1)
    return *(optimizer.center(state) for state in states), queries[0].points, rugged(queries[0].points)


def test_bernoulli_nes_beside_a_loop():
    """Theta - eta g / (p q) with g the covariance of loss and allele."""
    before, after, points, value = moved(
        "bernoulli_nes", population=6, shaping="raw", learning_rate=0.1, lean=0.7, margin=0.001
    )
    for r in range(R):
        mean = sum(value[r].tolist()) / 6
        for d in range(5):
            p = before[r, d].item()
            g = sum((value[r, k].item() - mean) * (points[r, k, d].item() - p) for k in range(6)) / 5
            theta = math.log(p / (1 - p)) - 0.1 * g / (p * (1 - p))
            assert after[r, d].item() == pytest.approx(1 / (1 + math.exp(-theta)), abs=1e-12)


def test_pbil_beside_a_loop():
    before, after, points, value = moved(
        "pbil", population=7, selected=3, learning_rate=0.2, margin=0.05
    )
    for r in range(R):
        best = naive.ordered(value[r].tolist())[:3]
        for d in range(5):
            share = sum(points[r, k, d].item() for k in best) / 3
            assert after[r, d].item() == pytest.approx(
                min(max(0.8 * before[r, d].item() + 0.2 * share, 0.05), 0.95), abs=1e-14
            )


def test_cga_beside_a_loop():
    before, after, points, value = moved("cga", population=3, margin=0.2)
    for r in range(R):
        winner = int(value[r, 1] < value[r, 0])
        step = points[r, winner].double() - points[r, 1 - winner].double()
        assert torch.allclose(after[r], (before[r] + step / 3).clamp(0.2, 0.8))


@each(("kind", "options"), [("bernoulli_nes", {}), ("pbil", {}), ("cga", {})])
def test_the_start_is_recommended_while_both_alleles_are_as_likely(kind, options):
    streams = make()
    state = begin(OPTIMIZERS[kind](**options), 5, streams)
    assert torch.equal(
        OPTIMIZERS[kind](**options).recommend(state),
        streams.at(0).coins("init", (1, 5)).to(torch.uint8)[:, 0],
    )
