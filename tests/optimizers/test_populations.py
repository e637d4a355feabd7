"""Populations beside loops, and what each promises beyond the contract."""

import math

import pytest
import torch

from landscapes.base import Answer, Bits, Reals
from tests.references import operators as operators_naive
from tests.references import populations as naive
from tests.support.each import each
from tests.support.play import bowl, build, make, play, problem

REALS = Reals()


def lucky(first):
    """Noise that makes the given point of the first query better by 100."""
    luck = iter([(first, -100.0)])

    def answer(query, dtype):
        value = bowl(query, dtype).value.clone()
        place, bonus = next(luck, (0, 0.0))
        value[:, place] += bonus
        return Answer(value)

    return answer


# de ---------------------------------------------------------------------------------------------------------


@each("exact", [True, False], ids=["exact", "noisy"])
@each("strategy", ["rand", "best", "current_to_best"])
def test_de_beside_a_loop(strategy, exact):
    """Nine steps of eight worlds: the same trials, the same survivors."""
    n, dim, count = 7, 5, 3 if strategy == "rand" else 2
    optimizer = build(
        "de", {"population": n, "strategy": strategy, "scale": 0.7, "crossover_rate": 0.4}
    )
    states, queries, infos = play(optimizer, REALS, make(), dim, steps=9, exact=exact)
    x, value = states[0].points.tolist(), [[float("inf")] * n for _ in range(8)]
    loss = bowl(queries[0]._replace(points=states[0].points), torch.float64).value
    for step, (query, info, state) in enumerate(zip(queries, infos, states[1:], strict=True), 1):
        s = make().at(step)
        picks = s.integers("mutation", torch.tensor([n - 1, n - 2, n - 3])[:count], (n, count)).tolist()
        coins, always = (
            s.bernoulli("recombination", 0.4, (n, dim)).tolist(),
            s.integers("recombination", dim, (n,), part=1).tolist(),
        )
        asked, answered = (
            query.points[:, -n:].tolist(),
            bowl(query, torch.float64).value[:, -n:].tolist(),
        )
        for r in range(8):
            best = value[r].index(min(value[r]))
            trials = [
                naive.de_trial(
                    x[r],
                    i,
                    best,
                    naive.donors(i, n, picks[r][i]),
                    coins[r][i],
                    always[r][i],
                    0.7,
                    strategy,
                )
                for i in range(n)
            ]
            if exact and step == 1:
                trials = x[r]
            assert torch.allclose(
                torch.tensor(asked[r], dtype=torch.float64),
                torch.tensor(trials, dtype=torch.float64),
                atol=1e-12,
            )
            old = value[r] if exact else loss[r].tolist()
            accepted = [new <= was for new, was in zip(answered[r], old, strict=True)]
            x[r] = [asked[r][i] if accepted[i] else x[r][i] for i in range(n)]
            value[r] = [answered[r][i] if accepted[i] else old[i] for i in range(n)]
            assert info["accepted"][r].tolist() == accepted
        loss = torch.tensor(value, dtype=torch.float64)
        assert torch.equal(state.points, torch.tensor(x, dtype=torch.float64))
        assert torch.equal(optimizer.recommend(state), state.points[range(8), loss.argmin(1)])


@pytest.mark.parametrize(
    ("exact", "rows"), [(True, [7, 7, 7]), (False, [14, 14, 14])], ids=["exact", "noisy"]
)
def test_de_asks_targets_again_only_under_noise(exact, rows):
    states, queries, _ = play(build("de", {"population": 7}), REALS, make(), steps=3, exact=exact)
    assert [query.points.shape[1] for query in queries] == rows
    assert torch.equal(queries[0].points[:, :7], states[0].points)


def test_de_does_not_keep_an_old_lucky_value():
    states = play(build("de", {"population": 5}), REALS, make(), steps=2, answer=lucky(2), exact=False)[
        0
    ]
    assert (states[1].value[:, 2] < -50).all()
    assert (states[2].value > 0).all()


def test_de_crosses_one_coordinate_always():
    """At a crossover rate of 0 a trial differs from its target in exactly one coordinate, each as often."""
    queries = play(
        build("de", {"population": 50, "crossover_rate": 0.0}),
        REALS,
        make(range(40)),
        5,
        steps=1,
        exact=False,
    )[1]
    moved = queries[0].points[:, :50] != queries[0].points[:, 50:]
    assert (moved.sum(-1) == 1).all()
    share = moved.double().mean((0, 1))
    assert ((share - 1 / 5).abs() < 4.5 * (0.16 / 2000) ** 0.5).all()


def test_de_crosses_a_plateau():
    """A trial as good as its target takes its place."""
    states = play(
        build("de", {"population": 5}),
        REALS,
        make(),
        steps=3,
        answer=lambda q, t: Answer(torch.zeros(q.points.shape[:2], dtype=t)),
    )[0]
    assert (states[-1].points != states[1].points).any(-1).all()


# island_ga --------------------------------------------------------------------------------------------------

SMALL = {"population": 12, "islands": 3, "interval": 1, "migrants": 2}


@each("domain", [REALS, Bits()], ids=["reals", "bits"])
@each(
    "options",
    [{"elite": 1}, {"selection": "proportional", "crossover": "two_point", "recombination_rate": 0.5}],
    ids=str,
)
def test_the_first_island_without_migration_is_a_ga(domain, options):
    islands = play(
        build("island_ga", {"population": 15, "islands": 3, "migrants": 0} | options), domain, make()
    )[0]
    alone = play(build("ga", {"population": 5} | options), domain, make())[0]
    assert torch.equal(islands[-1].points[:, :5], alone[-1].points)
    met = play(
        build("island_ga", {"population": 15, "islands": 3, "interval": 2} | options), domain, make()
    )[0]
    assert torch.equal(met[1].points, islands[1].points)
    assert not torch.equal(met[2].points, islands[2].points)


def test_one_island_is_a_ga():
    """Migrants of a single island come home: the best over its worst would be selection, exchange is none."""
    options = {"population": 7, "elite": 2, "crossover": "one_point"}
    one = play(
        build(
            "island_ga", {"islands": 1, "interval": 1, "migrants": 3, "migration": "random"} | options
        ),
        Bits(),
        make(),
    )
    ga = play(build("ga", options), Bits(), make())
    assert torch.equal(one[0][-1].points, ga[0][-1].points)
    assert torch.equal(one[2][-1]["parents"], ga[2][-1]["parents"])


def test_islands_without_migration_do_not_meet():
    """What the others hold changes nothing on an island."""
    optimizer, s = build("island_ga", SMALL | {"migrants": 0, "elite": 1}), make()
    state = optimizer.init(problem(s, REALS, 4), s)
    other = state._replace(
        points=torch.cat([state.points[:, :4] + 1, state.points[:, 4:8], state.points[:, 8:] - 1], 1)
    )
    (new, info), (changed, again) = (
        optimizer.tell(x, optimizer.ask(x, s), bowl(optimizer.ask(x, s), s.dtype), make().at(1))
        for x in (state, other)
    )
    assert torch.equal(new.points[:, 4:8], changed.points[:, 4:8])
    assert not torch.equal(new.points[:, 8:], changed.points[:, 8:])
    assert torch.equal(
        info["parents"] // 4, torch.arange(12).expand(8, 12)[..., None].expand(8, 12, 2) // 4
    )
    assert torch.equal(again["parents"] // 4, info["parents"] // 4)


@pytest.mark.parametrize("migration", ["best", "random"])
def test_migration_beside_a_loop(migration):
    """With the settled population known, the rest is selection of rows.

    Elites of every place name who lived there.
    """
    optimizer = build(
        "island_ga",
        SMALL | {"migration": migration, "elite": 3, "crossover": "none", "mutation_rate": 0.0},
    )
    states, queries, infos = play(optimizer, REALS, make(), steps=2)
    for step, (query, info, state) in enumerate(zip(queries, infos, states[1:], strict=True), 1):
        value = bowl(query, torch.float64).value
        drawn = (
            make().at(step).choice("drift", 4, 2, (3,), part=6).tolist()
            if migration == "random"
            else [None] * 8
        )
        for r in range(8):
            v = value[r].tolist()
            settled = naive.ring(v, 4, 2, drawn[r])
            for i in range(3):
                local = settled[4 * i : 4 * i + 4]
                elites = [v[k] for k in info["parents"][r, 4 * i : 4 * i + 3, 0].tolist()]
                assert elites == sorted(v[k] for k in local)[:3]
                assert set(info["parents"][r, 4 * i : 4 * i + 4].flatten().tolist()) <= set(local)
        first = info["parents"][..., :1].expand(-1, -1, 7)
        assert torch.equal(state.points, query.points.gather(1, first))
    assert (infos[0]["parents"] // 4 != torch.arange(12)[:, None] // 4).any()


# parallel_tempering -----------------------------------------------------------------------------------------


def coins(world, step, n):
    """The coins of one step: a function of (k, chance) for walks, and one for exchanges."""

    def of(part):
        return lambda k, chance: bool(
            make([world])
            .at(step)
            .bernoulli("acceptance", torch.full((1, n), chance, dtype=torch.float64), (n,), part)[0, k]
        )

    return of(0), of(1)


@each("exact", [True, False], ids=["exact", "noisy"])
@each("domain", [REALS, Bits()], ids=["reals", "bits"])
def test_parallel_tempering_beside_a_loop(domain, exact):
    n, heat = 5, [0.2 * 10 ** (k / 4) for k in range(5)]
    optimizer = build(
        "parallel_tempering", {"population": n, "coldest": 0.2, "hottest": 2.0, "sigma": 0.3}
    )
    states, queries, infos = play(optimizer, domain, make(range(3)), 4, steps=6, exact=exact)
    x = states[0].points.tolist()
    value = (
        [[float("inf")] * n for _ in range(3)]
        if exact
        else bowl(queries[0]._replace(points=states[0].points), torch.float64).value.tolist()
    )
    for step, (query, info, state) in enumerate(zip(queries, infos, states[1:], strict=True), 1):
        asked, answered = (
            query.points[:, -n:].tolist(),
            bowl(query, torch.float64).value[:, -n:].tolist(),
        )
        for r in range(3):
            x[r], value[r], accepted, holder = naive.tempering_step(
                x[r], value[r], asked[r], answered[r], *coins(r, step, n), heat, step
            )
            assert info["accepted"][r].tolist() == accepted
            assert info["parents"][r].tolist() == holder
        assert state.points.tolist() == x
        assert torch.allclose(state.value, torch.tensor(value, dtype=torch.float64), atol=1e-14)
        assert torch.equal(optimizer.center(state), state.points[:, 0].double())
    assert any((info["parents"] != torch.arange(n)).any() for info in infos)


def test_parallel_tempering_does_not_keep_an_old_lucky_value():
    states = play(
        build("parallel_tempering", {"population": 3}),
        REALS,
        make(),
        steps=2,
        answer=lucky(1),
        exact=False,
    )[0]
    assert (states[1].value.amin(1) < -50).all()
    assert (states[2].value > 0).all()


@pytest.mark.parametrize(("coldest", "hottest"), [(0.1, 2.0), (0.5, 0.5)])
def test_parallel_tempering_with_infinite_values(coldest, hottest):
    """Of (inf, 1), (inf, inf) and (1, inf), from cold to hot, the first two exchange, the third at equal temperatures alone."""
    optimizer, s = (
        build("parallel_tempering", {"population": 6, "coldest": coldest, "hottest": hottest}),
        make(),
    )
    state = optimizer.init(problem(s, REALS, 2), s)
    query = optimizer.ask(state, s.at(1))
    value = torch.tensor(
        [math.inf, 1.0, math.inf, math.inf, 1.0, math.inf], dtype=torch.float64
    ).expand(8, 6)
    new, info = optimizer.tell(state, query, Answer(value), s.at(1))
    assert info["parents"].tolist() == [[1, 0, 3, 2, *([5, 4] if coldest == hottest else [4, 5])]] * 8
    assert torch.equal(new.value, value.gather(1, info["parents"]))


# steady_state_ga --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("replacement", ["worst", "random"])
def test_steady_state_beside_a_loop(replacement):
    """The starts are asked in three blocks; then two children at a time are bred and take their places."""
    options = {"crossover": "one_point", "recombination_rate": 0.6, "mutation_rate": 0.2}
    n, k, dim, optimizer = (
        6,
        2,
        5,
        build(
            "steady_state_ga",
            {"population": 6, "children": 2, "replacement": replacement, "tournament": 3, **options},
        ),
    )
    states, queries, infos = play(optimizer, Bits(), make(), dim, steps=15)
    assert torch.equal(torch.cat([query.points for query in queries[:3]], 1), states[0].points)
    assert torch.equal(states[3].points, states[0].points)
    assert torch.equal(
        states[3].value, bowl(queries[0]._replace(points=states[0].points), torch.float64).value
    )
    for step in range(4, 16):
        s, before, after, query = make().at(step), states[step - 1], states[step], queries[step - 1]
        entrants = [s.integers("drift", n, (k, 3), part).tolist() for part in (0, 1)]
        dying = s.choice("drift", n, k, part=2).tolist() if replacement == "random" else [None] * 8
        who, cut = (
            s.bernoulli("recombination", 0.6, (k,)).tolist(),
            1 + s.integers("recombination", dim - 1, (k,), part=1),
        )
        flips, born = s.bernoulli("mutation", 0.2, (k, dim)).tolist(), bowl(query, torch.float64).value
        for r in range(8):
            x, value = before.points[r].tolist(), before.value[r].tolist()
            pairs = zip(
                *(operators_naive.tournament(value, drawn[r]) for drawn in entrants), strict=True
            )
            children = [
                operators_naive.one_point(x[a], x[b if who[r][c] else a], int(cut[r, c]))
                for c, (a, b) in enumerate(pairs)
            ]
            assert query.points[r].tolist() == [
                operators_naive.bit_flip(child, flips[r][c]) for c, child in enumerate(children)
            ]
            assert after.value[r].tolist() == naive.replaced(value, born[r].tolist(), dying[r])
        assert torch.equal(bowl(query._replace(points=after.points), torch.float64).value, after.value)
    accepted = torch.stack([info["accepted"] for info in infos[3:]])
    assert accepted.all() if replacement == "random" else accepted.any() and not accepted.all()


def test_the_smallest_steady_state_is_the_one_plus_one_ea():
    steady = play(
        build("steady_state_ga", {"population": 1, "crossover": "none"}), Bits(), make(), steps=20
    )
    other = play(build("one_plus_one_ea", {}), Bits(), make(), steps=20)
    assert all(torch.equal(a.points, b.points) for a, b in zip(steady[1], other[1], strict=True))


def test_steady_state_crosses_a_plateau():
    optimizer = build("steady_state_ga", {"population": 4, "children": 4})
    states = play(
        optimizer,
        REALS,
        make(),
        steps=2,
        answer=lambda q, t: Answer(torch.zeros(q.points.shape[:2], dtype=t)),
    )[0]
    assert (states[2].points != states[1].points).all()


@pytest.mark.parametrize("replacement", ["worst", "random"])
def test_steady_state_asks_noisy_members_again(replacement):
    optimizer = build("steady_state_ga", {"population": 6, "children": 2, "replacement": replacement})
    states, queries, _ = play(optimizer, REALS, make(), steps=2, answer=lucky(7), exact=False)
    assert [query.points.shape[1] for query in queries] == [8, 8]
    assert torch.equal(queries[1].points[:, :6], states[1].points)
    assert (states[1].value.amin(1) < -50).all()
    assert (states[2].value > 0).all()
