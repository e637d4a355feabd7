"""Coevolving populations beside a loop, and what they promise beyond the contract."""

import math

import pytest
import torch

from landscapes.base import Answer, Bits, Problem, Reals
from tests.references import coevolution as naive
from tests.references import operators as operators_naive
from tests.support.each import each
from tests.support.play import build, make, play

REALS = Reals()


def duel(points, players, n):
    """A game without symmetry: player j's loss at points (R, P, D)."""
    blocks = points.double().unflatten(-1, (players, -1)).sum(-1)
    pull = torch.sin(2.0 + torch.arange(players**2, dtype=torch.float64)).view(players, players)
    return ((blocks[..., None, :] * pull).sum(-1) + 0.3 * blocks**2).to(n)


def game(domain, dim, players, streams):
    def start(n):
        draw = streams.at(0)
        return (
            draw.coins("init", (n, dim)).to(torch.uint8)
            if isinstance(domain, Bits)
            else draw.normal("init", (n, dim))
        )

    return Problem(dim, domain, False, start, players)


def contest(options, domain=REALS, dim=6, players=2, steps=4, streams=None, spoilt=None):
    s, optimizer = make() if streams is None else streams, build("coevolution", options)
    states, queries, infos = [optimizer.init(game(domain, dim, players, s), s.at(0))], [], []
    for step in range(1, steps + 1):
        now = s.at(step)
        query = optimizer.ask(states[-1], now)
        value = duel(query.points, players, s.dtype)
        if spoilt is not None:
            value[3] = spoilt
        state, info = optimizer.tell(states[-1], query, Answer(value), now)
        states, queries, infos = [*states, state], [*queries, query], [*infos, info]
    return optimizer, states, queries, infos


@each(("players", "k"), [(2, 1), (2, 3), (2, 7), (3, 3)])
def test_a_generation_beside_a_loop(players, k):
    """Who meets, what each is worth, who are the parents and what children are."""
    n, dim, width = 7, 6, 6 // players
    options = {
        "population": n,
        "opponents": k,
        "crossover": "one_point",
        "recombination_rate": 0.6,
        "mutation_rate": 0.4,
        "mutation_sigma": 0.2,
    }
    optimizer, states, queries, infos = contest(options, dim=dim, players=players, steps=2)
    s = make().at(2)
    order = torch.stack([s.permutation("pairing", n, part=j) for j in range(players)], 1).tolist()
    drawn = [
        [s.integers("drift", n, (n, 2), part=2 * j + which) for j in range(players)] for which in (0, 1)
    ]
    who, cut = (
        s.bernoulli("recombination", 0.6, (players * n,)),
        1 + s.integers("recombination", width - 1, (players * n, 1), part=1),
    )
    hits, normals = (
        s.bernoulli("mutation", 0.4, (players * n, width), part=1),
        s.normal("mutation", (players * n, width)),
    )
    for r in range(8):
        own = states[1].points[r].tolist()
        met = naive.encounters(order[r], k)
        asked = [[x for j, i in enumerate(pair) for x in own[j * n + i]] for pair in met]
        assert queries[1].points[r].tolist() == asked
        value = naive.mean_losses(
            met, duel(queries[1].points[r : r + 1], players, torch.float64)[0].tolist(), n
        )
        parents = [
            [
                [j * n + i for i in operators_naive.tournament(value[j], drawn[w][j][r].tolist())]
                for j in range(players)
            ]
            for w in (0, 1)
        ]
        first, second = ([i for own in side for i in own] for side in parents)
        for child in range(players * n):
            a, b = first[child], second[child] if who[r, child] else first[child]
            assert infos[1]["parents"][r, child].tolist() == [a, b]
            born = operators_naive.one_point(own[a], own[b], int(cut[r, child]))
            born = operators_naive.gaussian(
                born, 0.2, normals[r, child].tolist(), hits[r, child].tolist()
            )
            assert states[2].points[r, child].tolist() == pytest.approx(born, abs=1e-15)
        for j in range(players):
            best = value[j].index(min(value[j]))
            assert states[2].best[r, j * width : (j + 1) * width].tolist() == own[j * n + best]
            assert states[2].value[r, j].item() == pytest.approx(min(value[j]), abs=1e-14)


@each("domain", [REALS, Bits()], ids=["reals", "bits"])
@each(
    "options",
    [{}, {"selection": "proportional", "crossover": "two_point", "recombination_rate": 0.5}],
    ids=str,
)
def test_on_a_loss_it_is_a_ga(domain, options):
    options = {"population": 8} | options
    ours, ga = (play(build(kind, options), domain, make()) for kind in ("coevolution", "ga"))
    assert torch.equal(ours[0][-1].points, ga[0][-1].points)
    assert torch.equal(ours[0][-1].best, ga[0][-1].best)
    assert torch.equal(ours[2][-1]["parents"], ga[2][-1]["parents"])


@each(
    ("domain", "dtype", "dim", "players"),
    [
        (REALS, torch.float64, 2, 2),
        (Bits(), torch.float32, 2, 2),
        (REALS, torch.float32, 6, 2),
        (Bits(), torch.float64, 6, 2),
        (REALS, torch.float64, 33, 3),
        (Bits(), torch.float32, 33, 3),
    ],
)
def test_worlds_do_not_meet(domain, dtype, dim, players):
    """Worlds (5, 2) alone are those rows of eight, bit for bit; a spoilt world harms no other."""
    for options in (
        {"population": 7, "opponents": 3},
        {"population": 5, "opponents": 5, "selection": "proportional", "crossover": "none"},
    ):
        optimizer, whole, queries, _ = contest(options, domain, dim, players, streams=make(dtype=dtype))
        part = contest(options, domain, dim, players, streams=make([5, 2], dtype=dtype))[1]
        assert all(torch.equal(a[[5, 2]], b) for a, b in zip(whole[-1], part[-1], strict=True))
        held = dtype if domain is REALS else torch.uint8
        assert (queries[0].points.shape, queries[0].points.dtype) == (
            (8, options["population"] * options["opponents"], dim),
            held,
        )
        assert (optimizer.recommend(whole[-1]).shape, optimizer.recommend(whole[-1]).dtype) == (
            (8, dim),
            held,
        )
        assert (optimizer.center(whole[-1]).shape, optimizer.center(whole[-1]).dtype) == (
            (8, dim),
            dtype,
        )
        others = [0, 1, 2, 4, 5, 6, 7]
        for bad in (math.nan, math.inf, -math.inf):
            harmed = contest(options, domain, dim, players, streams=make(dtype=dtype), spoilt=bad)[1]
            assert all(
                torch.equal(a[others], b[others]) for a, b in zip(whole[-1], harmed[-1], strict=True)
            )


@each("k", [1, 3, 7])
def test_opponents_are_different_and_all_as_likely(k):
    """Of two populations every individual has k encounters, with k different opponents, each of the others with chance k / n."""
    n, worlds = 7, 4000
    streams = make(range(worlds))
    optimizer = build("coevolution", {"population": n, "opponents": k})
    tags = torch.arange(n, dtype=torch.float64)[:, None].expand(worlds, n, 2)
    state = optimizer.init(Problem(2, REALS, False, lambda count: tags), streams)
    state = state._replace(
        points=torch.cat([tags[..., :1], tags[..., 1:]], 1), value=state.value.expand(-1, 2)
    )
    first, second = optimizer.ask(state, streams.at(1)).points.long().unbind(-1)
    met = torch.zeros(worlds, n, n).index_put(
        (torch.arange(worlds)[:, None], first, second), torch.tensor(1.0), accumulate=True
    )
    assert met.max() == 1
    assert (met.sum(1) == k).all()
    assert (met.sum(2) == k).all()
    share, error = met.mean(0), 4.5 * (k / n * (1 - k / n) / worlds) ** 0.5
    assert ((share - k / n).abs() <= error + 1e-6).all()
    together = (met[:, :, 0] * met[:, :, 1]).sum(
        1
    ).mean() / n  # of two neighbours, both met: no pair of opponents is preferred
    assert abs(together - k * (k - 1) / (n * (n - 1))) < 4.5 * 0.5 / worlds**0.5


def test_the_pairing_is_a_noise_of_its_own():
    """Redrawn, it changes who plays in this very generation; not where everyone plays everyone."""
    options = {"population": 6, "opponents": 2, "selection": "truncation"}
    plain, again = (
        contest(options, steps=1, streams=s)[1:] for s in (make(), make().redraw("pairing", 1))
    )
    assert not torch.equal(plain[1][0].points, again[1][0].points)
    assert not torch.equal(plain[0][-1].points, again[0][-1].points)
    everyone = options | {"opponents": 6}
    plain, again = (
        contest(everyone, steps=1, streams=s)[1][-1] for s in (make(), make().redraw("pairing", 1))
    )
    assert torch.equal(plain.points, again.points)
    assert torch.allclose(plain.value, again.value, atol=1e-14)


def test_what_is_recommended():
    optimizer, states, _, _ = contest({"population": 5})
    means = states[-1].points.unflatten(1, (2, 5)).mean(2).flatten(1)
    assert torch.allclose(optimizer.center(states[-1]), means, atol=1e-15)
    assert torch.equal(optimizer.recommend(states[-1]), optimizer.center(states[-1]))
    optimizer, states, _, _ = contest({"population": 5}, Bits())
    assert torch.equal(optimizer.recommend(states[-1]), states[-1].best)


def test_players_of_different_sizes_are_refused():
    s = make()
    with pytest.raises(
        ValueError,
        match="coevolution: expected players with as many coordinates each, got 2 players of 7 together",
    ):
        build("coevolution", {}).init(game(REALS, 7, 2, s), s)
