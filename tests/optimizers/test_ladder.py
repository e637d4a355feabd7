"""What stands between one trajectory and a population, beside loops, and what each promises beyond the contract."""

import math

import pytest
import torch

from landscapes.base import Answer, Reals
from optimizers.schedules import Schedule
from tests.references import ladder as naive
from tests.references import operators as operators_naive
from tests.support.each import each
from tests.support.play import bowl, build, make, play, problem, same

REALS = Reals()
CURVATURE = 2 * (1 + torch.arange(7, dtype=torch.float64) / 4)


def close(ours, lists, atol=1e-12):
    return torch.allclose(ours, torch.tensor(lists, dtype=torch.float64), rtol=0, atol=atol)


def values(query):
    return bowl(query, torch.float64).value


def slopes(query):
    return (CURVATURE * (query.points - 0.3)).tolist()


@each("kind", ["recombined_sgd", "memetic", "pbt"])
def test_answers_without_gradients_are_refused(kind):
    optimizer, s = build(kind, {"population": 10}), make()
    state = optimizer.init(problem(s, REALS, 2), s)
    with pytest.raises(ValueError, match=rf"{kind}.tell: expected an answer with gradients"):
        optimizer.tell(state, optimizer.ask(state, s), Answer(torch.zeros(8, 10)), s)


# consensus --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", ["anisotropic", "isotropic"])
def test_consensus_beside_a_loop(noise):
    """Six steps of eight worlds."""
    optimizer = build(
        "consensus",
        {
            "population": 5,
            "alpha": 2.0,
            "drift": 1.5,
            "diffusion": 0.6,
            "step_size": 0.2,
            "noise": noise,
        },
    )
    states, queries, _ = play(optimizer, REALS, make(), steps=6)
    x = states[0].points.tolist()
    for step, (query, state) in enumerate(zip(queries, states[1:], strict=True), 1):
        z, value = make().at(step).normal("mutation", (5, 7)).tolist(), values(query).tolist()
        for r in range(8):
            x[r], v = naive.consensus_step(
                x[r], value[r], z[r], 2.0, 1.5, 0.6, 0.2, isotropic=noise == "isotropic"
            )
            assert close(optimizer.recommend(state)[r], v)
        assert close(state.points, x)


def consensus_of(value, alpha):
    """Points (1, P, 2) and their consensus (2,) for a list of losses."""
    optimizer, s = build("consensus", {"population": len(value), "alpha": alpha}), make([1])
    state = optimizer.init(problem(s, REALS, 2), s)
    new, _ = optimizer.tell(
        state, optimizer.ask(state, s), Answer(torch.tensor([value], dtype=torch.float64)), s
    )
    return state.points[0], optimizer.recommend(new)[0]


@each("offset", [0.0, 2.0**20, -(2.0**20)])
def test_a_consensus_does_not_depend_on_the_zero_of_the_loss(offset):
    """Nor do its weights underflow or overflow, however large the losses."""
    losses = [0.25, 1.5, 0.5, 2.0]
    points, found = consensus_of([loss + offset for loss in losses], 3.0)
    assert close(found, naive.consensus_point(points.tolist(), losses, 3.0), 1e-14)
    assert not close(found, naive.consensus_point(points.tolist(), losses, 2.5), 1e-3)


@pytest.mark.parametrize(
    ("value", "expected"), [([3.0, math.nan, 1.0, math.inf], 2), ([1e300, 2e300, 3e300, -1e300], 3)]
)
def test_a_consensus_of_large_alpha_is_the_best(value, expected):
    points, found = consensus_of(value, 1e4)
    assert torch.equal(found, points[expected])


def test_without_alpha_it_is_the_mean():
    points, found = consensus_of([3.0, 1.0, 5.0], 0.0)
    assert torch.allclose(found, points.mean(0), atol=1e-15)


# recombined_sgd ---------------------------------------------------------------------------------------------

SGD = [
    {},
    {"momentum": 0.8, "nesterov": True, "clip": 0.7, "weight_decay": 0.01},
    {"momentum": 0.5, "schedule": Schedule(kind="exponential", steps=3, warmup=2)},
]


@each("options", SGD, ids=["plain", "all", "schedule"])
def test_without_exchange_it_is_sgd(options):
    """Bit for bit, and up to the first meeting with one."""
    sgd = play(build("sgd", {"starts": 5, **options}), REALS, make())[0]
    optimizer = build("recombined_sgd", {"population": 5, "interval": 1, "exchange": "none", **options})
    for state, other in zip(play(optimizer, REALS, make())[0], sgd, strict=True):
        assert same(
            (state.points, state.velocity, optimizer.recommend(state)),
            (other.points, other.velocity, build("sgd", {}).recommend(other)),
        )
    for exchange in ("crossover", "average"):
        states = play(
            build("recombined_sgd", {"population": 5, "interval": 3, "exchange": exchange, **options}),
            REALS,
            make(),
        )[0]
        assert [torch.equal(a.points, b.points) for a, b in zip(states, sgd, strict=True)] == [
            True,
            True,
            True,
            False,
            False,
            False,
        ]


@each("count", [6, 5])
@each(("exchange", "pull"), [("crossover", 1.0), ("average", 1.0), ("average", 0.3)])
def test_exchanges_beside_a_loop(exchange, pull, count):
    """Six steps of eight worlds, a meeting after every second."""
    options = {
        "population": count,
        "interval": 2,
        "exchange": exchange,
        "pull": pull,
        "momentum": 0.6,
        "learning_rate": 0.05,
    }
    optimizer = build("recombined_sgd", options)
    states, queries, _ = play(optimizer, REALS, make(), steps=6)
    x, v = states[0].points.tolist(), states[0].velocity.tolist()
    for step, (query, state) in enumerate(zip(queries, states[1:], strict=True), 1):
        gradient, s = slopes(query), make().at(step)
        order, keep = (
            s.permutation("pairing", count).tolist(),
            s.coins("recombination", (count // 2, 7), part=1).tolist(),
        )
        for r in range(8):
            moved = [
                naive.heavy_ball(*held, 0.05, 0.6) for held in zip(x[r], v[r], gradient[r], strict=True)
            ]
            x[r], v[r] = [m[0] for m in moved], [m[1] for m in moved]
            seen = x[r]
            if step % 2 == 0:
                x[r], v[r] = (
                    naive.crossed(h, order[r], keep[r])
                    if exchange == "crossover"
                    else naive.pulled(h, pull)
                    for h in (x[r], v[r])
                )
            lowest = values(query)[r].argmin()
            assert close(
                optimizer.recommend(state)[r], (seen if exchange == "crossover" else x[r])[lowest]
            )
        assert close(state.points, x)
        assert close(state.velocity, v)


def meeting(options, dim=7, worlds=8):
    """Points and velocities before and after a meeting alone: steps of no length."""
    optimizer, s = (
        build("recombined_sgd", {"interval": 1, "momentum": 0.5, **options}),
        make(range(worlds)),
    )
    state = optimizer.init(problem(s, REALS, dim), s)
    state = state._replace(velocity=state.points + 1)
    nothing = Answer(
        torch.zeros(state.points.shape[:2], dtype=s.dtype), state.velocity / 2
    )  # so that the velocity stays; undone below
    new, _ = optimizer.tell(
        state._replace(points=state.points + 0.1 * state.velocity), optimizer.ask(state, s), nothing, s
    )
    return state.points, new.points, new.velocity


def test_a_crossover_loses_nothing():
    """The values at each coordinate are the same ones, every velocity still beside its point.

    One of an odd number stays as it is.
    """
    before, after, velocity = meeting({"population": 7})
    assert torch.allclose(before.sort(1).values, after.sort(1).values, atol=1e-15)
    assert torch.allclose(velocity, after + 1, atol=1e-15)
    stayed = torch.isclose(before, after, atol=1e-15).all(-1).sum(1)
    assert (stayed == 1).all()


def test_half_of_the_coordinates_change_places():
    before, after, _ = meeting({"population": 8}, 50, 40)
    moved = (before - after).abs() > 1e-12
    pairs, error = moved.double().mean(), (0.25 / (40 * 4 * 50)) ** 0.5
    assert abs(pairs - 0.5) < 4.5 * error
    assert abs(pairs - 0.25) > 4.5 * error


def test_partners_are_uniform():
    """Each of the others is met as often."""
    before, after, _ = meeting({"population": 4}, 40, 3000)
    donor = (torch.isclose(after[:, :, None], before[:, None], atol=1e-12)).any(
        -1
    )  # (R, child, parent)
    met = donor & ~torch.eye(4, dtype=torch.bool)
    share = met.double().mean(0)[~torch.eye(4, dtype=torch.bool)]
    assert ((share - 1 / 3).abs() < 4.5 * (2 / 9 / 3000) ** 0.5).all()


def test_after_an_average_all_are_one():
    before, after, velocity = meeting({"population": 5, "exchange": "average"})
    assert torch.equal(after, after[:, :1].expand_as(after))
    assert torch.allclose(after[:, 0], before.mean(1), atol=1e-15)
    assert torch.allclose(velocity, after + 1, atol=1e-15)


# memetic ----------------------------------------------------------------------------------------------------

BREEDING = [
    {"elite": 2},
    {
        "selection": "proportional",
        "crossover": "one_point",
        "recombination_rate": 0.4,
        "mutation_rate": 0.5,
    },
    {"crossover": "none"},
]


@each("learning", ["lamarckian", "baldwinian"])
@each("options", BREEDING, ids=["elite", "proportional", "asexual"])
def test_without_learning_it_is_ga(learning, options):
    """Bit for bit."""
    memetic = build("memetic", {"population": 9, "descent_steps": 0, "learning": learning, **options})
    ga = build("ga", {"population": 9, **options})
    (ours, queries, infos), (states, _, others) = (
        play(optimizer, REALS, make()) for optimizer in (memetic, ga)
    )
    assert not any(query.gradient for query in queries)
    for a, b in zip(ours, states, strict=True):
        assert same((a.points, a.best), (b.points, b.best))
    assert all(torch.equal(a["parents"], b["parents"]) for a, b in zip(infos, others, strict=True))


@pytest.mark.parametrize("learning", ["lamarckian", "baldwinian"])
def test_two_generations_beside_a_loop(learning):
    """Two steps of learning, then tournaments on what was learned, one-point crossover and mutation of what is inherited."""
    n, dim, elite = 6, 7, 1
    breeding = {
        "crossover": "one_point",
        "recombination_rate": 0.6,
        "mutation_rate": 0.5,
        "mutation_sigma": 0.2,
        "elite": elite,
    }
    optimizer = build(
        "memetic",
        {"population": n, "learning": learning, "descent_steps": 2, "learning_rate": 0.1, **breeding},
    )
    states, queries, infos = play(optimizer, REALS, make(), steps=6)
    y = genes = states[0].points.tolist()
    for step, (query, state, info) in enumerate(zip(queries, states[1:], infos, strict=True), 1):
        assert close(query.points, y)
        assert query.gradient == (step % 3 != 0)
        value, s, m = values(query).tolist(), make().at(step), n - elite
        if query.gradient:
            slope = slopes(query)
            y = [
                [naive.heavy_ball(y[r][i], [0.0] * dim, slope[r][i], 0.1, 0.0)[0] for i in range(n)]
                for r in range(8)
            ]
            assert info == {}
        else:
            carried = y if learning == "lamarckian" else genes
            mothers, fathers = (s.integers("drift", n, (m, 2), part=part).tolist() for part in (0, 1))
            who, cut = (
                s.bernoulli("recombination", 0.6, (m,)).tolist(),
                (1 + s.integers("recombination", dim - 1, (m,), part=1)).tolist(),
            )
            kick = (
                0.2 * s.normal("mutation", (m, dim)) * s.bernoulli("mutation", 0.5, (m, dim), part=1)
            ).tolist()
            born = []
            for r in range(8):
                best = operators_naive.ordered(value[r])[:elite]
                born.append([carried[r][i] for i in best])
                pairs = zip(
                    operators_naive.tournament(value[r], mothers[r]),
                    operators_naive.tournament(value[r], fathers[r]),
                    strict=True,
                )
                for k, (a, b) in enumerate(pairs):
                    child = operators_naive.one_point(
                        carried[r][a], carried[r][b if who[r][k] else a], cut[r][k]
                    )
                    born[r].append([c + e for c, e in zip(child, kick[r][k], strict=True)])
                assert close(optimizer.recommend(state)[r], y[r][best[0]])
            y = genes = born
        assert close(state.points, y)
        assert close(state.genes, y if learning == "lamarckian" else genes)


def test_a_recommendation_stays_until_the_next_generation_is_valued():
    """In the first generation it is the lowest of each step, by the values that come with the gradients."""
    optimizer = build(
        "memetic",
        {"population": 7, "descent_steps": 3, "learning": "baldwinian", "mutation_sigma": 0.5},
    )
    states, queries, _ = play(optimizer, REALS, make(), steps=12)
    best = [query.points[range(8), values(query).argmin(1)] for query in queries]
    found = [optimizer.recommend(state) for state in states]
    assert torch.equal(found[0], states[0].points[:, 0])
    expected = [best[0], best[1], best[2], *[best[3]] * 4, *[best[7]] * 4, best[11]]
    assert all(torch.equal(a, b) for a, b in zip(found[1:], expected, strict=True))


@pytest.mark.parametrize("learning", ["lamarckian", "baldwinian"])
def test_an_elite_hands_on_what_it_learned_or_what_it_was_born_with(learning):
    states, queries, _ = play(
        build("memetic", {"population": 5, "descent_steps": 2, "elite": 1, "learning": learning}),
        REALS,
        make(),
        steps=3,
    )
    best = range(8), values(queries[-1]).argmin(1)
    learned, born = states[2].points[best], states[0].points[best]
    assert torch.equal(states[3].points[:, 0], learned if learning == "lamarckian" else born)
    assert not torch.equal(learned, born)


# pbt --------------------------------------------------------------------------------------------------------


def test_one_learning_rate_and_no_exploit_is_sgd():
    """Bit for bit until the first, which comes after `interval` steps."""
    options = {"momentum": 0.6, "clip": 0.7, "weight_decay": 0.1, "learning_rate": 0.05}
    states, _, infos = play(
        build("pbt", {"population": 6, "spread": 1.0, "interval": 3, **options}), REALS, make()
    )
    sgd = play(build("sgd", {"starts": 6, **options}), REALS, make())[0]
    assert [torch.equal(a.points, b.points) for a, b in zip(states, sgd, strict=True)] == [True] * 4 + [
        False
    ] * 2
    assert [bool((info["parents"] != torch.arange(6)).any()) for info in infos] == [
        False,
        False,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("spread", [1.0, 5.0])
def test_pbt_beside_a_loop(spread):
    """Nine steps of eight worlds, an exploit after every second."""
    n, k = 7, 2
    options = {
        "population": n,
        "interval": 2,
        "fraction": 0.4,
        "perturbation": 0.3,
        "spread": spread,
        "momentum": 0.5,
        "learning_rate": 0.1,
    }
    optimizer = build("pbt", options)
    states, queries, infos = play(optimizer, REALS, make(), steps=9)
    x, v = states[0].points.tolist(), states[0].velocity.tolist()
    rate = [[0.1 * spread ** (2 * i / (n - 1) - 1) for i in range(n)] for _ in range(8)]
    assert close(states[0].rate, rate)
    for step, (query, state, info) in enumerate(zip(queries, states[1:], infos, strict=True), 1):
        value, slope, s = values(query).tolist(), slopes(query), make().at(step)
        picks, up = s.integers("drift", k, (n,)).tolist(), s.coins("mutation", (n,)).tolist()
        for r in range(8):
            due = step > 1 and (step - 1) % 2 == 0
            source = naive.exploit(value[r], k, picks[r]) if due else list(range(n))
            factor = [1.0 if i == source[i] else 1.3 if up[r][i] else 0.7 for i in range(n)]
            rate[r] = [rate[r][source[i]] * factor[i] for i in range(n)]
            moved = [
                naive.heavy_ball(x[r][j], v[r][j], slope[r][j], rate[r][i], 0.5)
                for i, j in enumerate(source)
            ]
            x[r], v[r] = [m[0] for m in moved], [m[1] for m in moved]
            assert info["parents"][r].tolist() == source
            assert close(state.value[r], [value[r][j] for j in source])
            assert info["learning_rate"][r].item() == pytest.approx(math.prod(rate[r]) ** (1 / n))
        assert close(state.points, x)
        assert close(state.velocity, v)
        assert close(state.rate, rate)
    assert torch.equal(
        optimizer.recommend(states[-1]), states[-1].points[range(8), states[-1].value.argmin(1)]
    )


@each(
    ("p", "fraction", "copied"),
    [(100, 0.29, 29), (10, 0.19, 1), (10, torch.linspace(0.1, 0.5, 8), None)],
)
def test_how_many_copy(p, fraction, copied):
    """Of what is not whole the part below; 0.29 * 100 is a little less than 29 in binary."""
    infos = play(
        build("pbt", {"population": p, "fraction": fraction, "interval": 1}), REALS, make(), steps=2
    )[2]
    count = (infos[1]["parents"] != torch.arange(p)).sum(1).tolist()
    assert count == [copied or int(10 * f + 1e-6) for f in torch.as_tensor(fraction).expand(8).tolist()]


@pytest.mark.parametrize("first", [0.005, 50.0], ids=["low", "high"])
def test_learning_rates_find_the_best(first):
    """On a round bowl of curvature 2 the best is 1/2; they start a hundred times off, all alike."""

    def answer(query, dtype):
        x = query.points - 0.3
        return Answer((x * x).sum(-1).to(dtype), 2 * x)

    optimizer = build("pbt", {"population": 10, "learning_rate": first, "spread": 1.0, "interval": 1})
    states = play(optimizer, REALS, make(), steps=120, answer=answer)[0]
    loss = ((optimizer.recommend(states[-1]) - 0.3) ** 2).sum(-1)
    fixed = play(
        build("sgd", {"learning_rate": first, "starts": 10}), REALS, make(), steps=120, answer=answer
    )[0][-1]
    assert (states[-1].rate.median(1).values / 0.5).log().abs().max() < math.log(1.9)
    assert (loss < 1e-6).all()
    assert not (fixed.value < 1e-2).any()


def test_learning_rates_stay_within_their_reach():
    """Whoever copies the slowest forever does not come to 0."""
    optimizer, s = (
        build(
            "pbt", {"population": 2, "fraction": 0.5, "interval": 1, "perturbation": 0.9, "spread": 1.0}
        ),
        make(),
    )
    state = optimizer.init(problem(s, REALS, 2), s)
    for step in range(1, 60):
        order = state.rate.argsort(1).argsort(1).double()  # the slowest is the best
        query = optimizer.ask(state, s.at(step))
        state, _ = optimizer.tell(
            state, query, Answer(order, torch.zeros_like(query.points)), s.at(step)
        )
    assert torch.allclose(state.rate.amin(1), torch.tensor(0.1 / 1e6, dtype=torch.float64), rtol=1e-9)


def test_a_lost_trajectory_is_replaced():
    optimizer, s = build("pbt", {"population": 5, "interval": 1}), make()  # one of five copies
    state = optimizer.init(problem(s, REALS, 3), s)
    state = state._replace(
        points=state.points.index_fill(1, torch.tensor([2]), math.nan), step=state.step + 1
    )
    query = optimizer.ask(state, s)
    new, info = optimizer.tell(state, query, bowl(query, s.dtype), s)
    assert new.points.isfinite().all()
    assert torch.equal(info["parents"][:, 2], values(query).nan_to_num(torch.inf).argmin(1))
