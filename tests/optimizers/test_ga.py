"""The genetic algorithm: one generation beside a plain loop, and which source moves what."""

import pytest
import torch

from landscapes.base import Bits
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
