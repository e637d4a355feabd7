"""Schedules, the sizes coupled to them, and steps that follow the observed noise, beside plain loops."""

import math

import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import Answer, Bits, Reals
from landscapes.oracle.bill import Bill
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from optimizers import OPTIMIZERS, operators
from optimizers.gradient.step_sizes import StepSize
from optimizers.schedules import Schedule
from tests.references import schedules as naive
from tests.references.operators import centered_ranks
from tests.support.each import each
from tests.support.play import bowl, build, make, play, problem, same

COUPLINGS = ["none", "constant_variance", "constant_temperature", "grow", "decay_and_grow"]
STEPS = Schedule(kind="step", steps=2, factor=0.5)

# schedules --------------------------------------------------------------------------------------------------

LAWS = [
    ({"kind": "constant"}, lambda t: 1.0),
    ({"kind": "step", "steps": 4, "factor": 0.5}, lambda t: 0.5 ** (t // 4)),
    ({"kind": "exponential", "steps": 4, "factor": 0.5}, lambda t: 0.5 ** (t / 4)),
    ({"kind": "cosine", "steps": 8}, lambda t: 0.5 * (1 + math.cos(math.pi * min(t / 8, 1)))),
    (
        {"kind": "cosine", "steps": 8, "factor": 0.2},
        lambda t: 0.2 + 0.8 * 0.5 * (1 + math.cos(math.pi * min(t / 8, 1))),
    ),
    ({"kind": "inverse_time", "steps": 5}, lambda t: 1 / (1 + t / 5)),
    ({"kind": "inverse_time", "steps": 5, "factor": 0.25}, lambda t: 1 / (1 + 3 * t / 5)),
    ({"kind": "logarithmic", "steps": 5}, lambda t: 1 / (1 + math.log(1 + t) / math.log(6))),
    (
        {"kind": "logarithmic", "steps": 5, "factor": 0.2},
        lambda t: 1 / (1 + 4 * math.log(1 + t) / math.log(6)),
    ),
]


@each(("options", "law"), LAWS, ids=[str(options) for options, _ in LAWS])
@each("warmup", [0, 3])
def test_schedule(options, law, warmup):
    expected = [
        law(max(t - warmup, 0)) * (min(1.0, (t + 1) / warmup) if warmup else 1.0) for t in range(12)
    ]
    found = Schedule(**options, warmup=warmup).multiplier(torch.arange(12))
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float64), atol=1e-14)


@each("kind", ["step", "exponential", "cosine", "inverse_time", "logarithmic"])
def test_a_schedule_reaches_its_factor(kind):
    assert Schedule(kind=kind, steps=7, factor=0.3).multiplier(
        torch.tensor([7])
    ).item() == pytest.approx(0.3)


@each(
    ("options", "message"),
    [
        ({"kind": "linear"}, "schedule.kind: expected one of constant, step"),
        (
            {"kind": "cosine", "steps": "budgte"},
            "schedule.steps: expected a number of steps > 0, or budget, got 'budgte'",
        ),
        ({"steps": "budget"}, "schedule.steps: expected none for a constant schedule, got budget"),
        ({"kind": "cosine", "steps": 0}, "schedule.steps: expected > 0"),
        ({"kind": "step", "steps": 3, "factor": 1.5}, "schedule.factor: expected <= 1"),
        ({"kind": "step", "steps": 3, "factor": 0.0}, "schedule.factor: expected > 0 for kind 'step'"),
        ({"steps": 3}, "schedule.steps: expected none for a constant schedule"),
        ({"warmup": -1}, "schedule.warmup: expected >= 0"),
    ],
)
def test_wrong_schedules(options, message):
    with pytest.raises(ValueError, match=message):
        Schedule(**options)


@each(
    ("kind", "options", "queries", "players", "steps"),
    [
        ("sgd", {"schedule": Schedule(kind="cosine")}, 40, 1, 40),
        ("sgd", {"schedule": Schedule(kind="cosine", steps="budget", warmup=5)}, 40, 1, 35),
        ("sgd", {"schedule": Schedule(kind="cosine", warmup=50)}, 40, 1, 1),
        ("sgd", {"schedule": Schedule(kind="cosine", steps=7)}, 40, 1, 7),
        ("extragradient", {"schedule": Schedule(kind="step")}, 41, 2, 20),  # a step is two queries
        (
            "alternating",
            {"schedule": Schedule(kind="step")},
            41,
            2,
            20,
        ),  # a round is one for each player
        ("simulated_annealing", {}, 123, 1, 123),
    ],
)
def test_a_schedule_of_the_budget_ends_with_it(kind, options, queries, players, steps):
    asked = OPTIMIZERS[kind](**options)
    made = asked.budgeted(queries, players)
    assert made.schedule.steps == steps
    after = torch.tensor([steps + made.schedule.warmup])
    assert made.schedule.multiplier(after).item() == pytest.approx(
        {"cosine": 0.0, "step": 0.1, "exponential": 0.001}[made.schedule.kind], abs=1e-15
    )
    if asked.schedule.steps != steps:
        with pytest.raises(
            ValueError,
            match=r"schedule.steps: expected a number of steps, got budget, which a study makes one",
        ):
            asked.schedule.multiplier(after)


def test_two_schedules_and_the_noise_of_cem_end_with_the_budget():
    es = OPTIMIZERS["openai_es"](
        sigma_schedule=Schedule(kind="cosine"), schedule=Schedule(kind="exponential")
    ).budgeted(30)
    assert (es.schedule.steps, es.sigma_schedule.steps) == (30, 30)
    assert OPTIMIZERS["cem"](noise=0.1, steps="budget").budgeted(30).steps == 30
    assert OPTIMIZERS["cem"]().budgeted(30).steps is None


# sizes ------------------------------------------------------------------------------------------------------


@each("coupling", COUPLINGS)
@each(
    "schedule",
    [STEPS, Schedule(kind="exponential", steps=3, warmup=2), Schedule(kind="cosine", steps=9)],
    ids=lambda s: s.kind,
)
def test_a_size_follows_what_is_scheduled(coupling, schedule):
    t = torch.arange(9)
    mu = schedule.multiplier(t).tolist()
    expected = [naive.coupled(coupling, m, 0.1, 20) for m in mu]
    assert schedule.scheduled(0.1, t, coupling).tolist() == pytest.approx([eta for eta, _ in expected])
    assert schedule.size(20, t, coupling).tolist() == [size for _, size in expected]


@pytest.mark.parametrize(
    ("base", "coupling", "expected"),
    [(10, "constant_temperature", [10, 5, 3, 1]), (10, "grow", [10, 20, 40, 80])],
)
def test_sizes_are_rounded_to_the_nearest_and_at_least_one(base, coupling, expected):
    """10, 5, 2.5 and 1.25 are 10, 5, 3 and 1."""
    assert STEPS.size(base, torch.tensor([0, 2, 4, 6]), coupling).tolist() == expected
    assert STEPS.size(1, torch.tensor([8]), "constant_variance").tolist() == [1]
    assert STEPS.size(torch.tensor([3, 7]), torch.tensor([0, 2]), coupling).tolist() == [
        3,
        4 if coupling != "grow" else 14,
    ]


def test_a_multiplier_of_zero_asks_for_a_size_that_is_a_number():
    assert Schedule(kind="cosine", steps=5).size(8, torch.tensor([5]), "grow").tolist() == [2**31]


# batches ----------------------------------------------------------------------------------------------------


@each("kind", ["sgd", "langevin", "natural_sgd"])
@each("coupling", COUPLINGS)
def test_batches_and_steps_beside_a_loop(kind, coupling):
    cold = (
        {"temperature": 0.0}
        if kind == "langevin"
        else {"metric": "given", "matrix": (1.0,) * 7}
        if kind == "natural_sgd"
        else {}
    )
    optimizer = build(
        kind, {"learning_rate": 0.05, "batch": 12, "coupling": coupling, "schedule": STEPS} | cold
    )
    states, queries, _ = play(optimizer, Reals(), make([1]), steps=9)
    rates, sizes = zip(
        *(naive.coupled(coupling, 0.5 ** (t // 2), 0.05, 12) for t in range(9)), strict=True
    )
    assert [int(query.batch) for query in queries] == list(sizes)
    x = naive.descent(states[0].points[0, 0].tolist(), rates, lambda d, a: 2 * (1 + d / 4) * (a - 0.3))
    assert states[-1].points[0, 0].tolist() == pytest.approx(x, abs=1e-13)


@each("kind", ["sgd", "langevin", "natural_sgd"])
def test_without_a_batch_the_study_sets_it(kind):
    free, own = build(kind, {}), build(kind, {"batch": 5})
    assert (free.batches, own.batches) == (False, True)
    assert play(free, Reals(), make(), steps=1)[1][0].batch is None
    assert play(own, Reals(), make(), steps=1)[1][0].batch.tolist() == [5] * 8


def test_the_oracle_bills_the_batches_and_takes_no_more_than_all_terms():
    """Batches of 8, 16 and 24, which is all, of 24 terms."""
    optimizer, streams = (
        build(
            "sgd",
            {"batch": 8, "coupling": "grow", "schedule": Schedule(kind="step", steps=1, factor=0.5)},
        ),
        make(),
    )
    landscape = LANDSCAPES["quadratic"](dim=3, terms=24).bind(streams)
    bill = Bill(8, terms=24, budget=100.0)
    oracle, state = (
        Oracle(landscape, Noise(), bill),
        optimizer.init(problem(streams, Reals(), 3), streams),
    )
    for step in (1, 2, 3):
        s = streams.at(step)
        query = optimizer.ask(state, s)
        state, _ = optimizer.tell(state, query, oracle(query, s), s)
    assert bill.gradients.tolist() == [8 + 16 + 24] * 8


# steps that follow the observed noise -----------------------------------------------------------------------


def noisy(streams, loud=0.0):
    """The bowl of the contract, its gradients with noise that is louder in every fifth step."""
    step = iter(range(1000))

    def answer(query, dtype):
        t, good = next(step), bowl(query, dtype)
        sigma = 0.2 + loud * (t % 5 == 4)
        return good._replace(
            gradient=good.gradient + sigma * streams.at(t).normal("evaluation", query.points.shape[1:])
        )

    return answer


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "clt", "tolerance": 0.5, "memory": 3},
        {"kind": "inverse_variance", "memory": 2.5, "long_memory": 6},
    ],
    ids=lambda o: o["kind"],
)
def test_noise_driven_steps_beside_a_loop(options):
    optimizer = build("sgd", {"learning_rate": 0.05, "starts": 2, "step_size": StepSize(**options)})
    states, queries, _ = play(optimizer, Reals(), make([1]), steps=12, answer=noisy(make([1]), 2.0))
    answer = noisy(make([1]), 2.0)
    gradients = [answer(query, torch.float64).gradient[0] for query in queries]
    for p in range(2):
        factors = naive.step_factors([g[p].tolist() for g in gradients], **options)
        moves = [
            -(b.points - a.points)[0, p] / (0.05 * g[p])
            for a, b, g in zip(states, states[1:], gradients, strict=False)
        ]
        assert factors[0] == 1
        assert min(factors) < 0.9
        assert torch.allclose(
            torch.stack(moves),
            torch.tensor(factors, dtype=torch.float64)[:, None].expand(12, 7),
            atol=1e-9,
        )


def test_the_variance_is_that_of_the_gradients_seen_until_the_memory_is_full():
    sight, g = (
        StepSize(kind="inverse_variance", memory=50, long_memory=50),
        make().normal("evaluation", (1, 3000)),
    )
    mean, spread = torch.zeros(8, 1, 10, dtype=torch.float64), torch.zeros(8, 1, 2, dtype=torch.float64)
    for t, seen in enumerate(g.unflatten(-1, (300, 10)).unbind(2)):
        mean, spread = sight.seen(mean, spread, seen, torch.full((8,), t))
        if t == 29:
            first = g[..., :300].unflatten(-1, (30, 10))
            assert torch.allclose(mean, first.mean(2))
            assert torch.allclose(spread[..., 0].square(), first.var(2, correction=0).mean(-1))
    assert spread[..., 0].square().mean().item() == pytest.approx(
        1 - 1 / 99, abs=0.03
    )  # 800 values with memory 50


def test_a_tolerance_is_the_chance_of_the_central_limit_theorem():
    """1 - p with p = 2 Phi(-Delta sqrt(n) / sigma) of sigma = 3, n = 4, Delta = 2."""
    tail = 0.5 * math.erfc(2 * math.sqrt(4) / 3 / math.sqrt(2))
    spread = torch.tensor([[[3 / 2, 1.0]]], dtype=torch.float64)  # deviations
    assert StepSize(kind="clt", tolerance=2.0).multiplier(spread).item() == pytest.approx(1 - 2 * tail)
    assert StepSize(kind="inverse_variance").multiplier(spread).item() == pytest.approx(4 / 9)
    assert StepSize(kind="inverse_variance").multiplier(spread.flip(-1)).item() == 1
    assert StepSize().multiplier(spread) == 1


def test_the_chance_of_an_outlier_is_recorded():
    """The mean of 2 Phi(-2 sqrt(4) / 3) and 2 Phi(-2), of two trajectories; NaN where nobody watches."""
    spread = torch.tensor([[[3 / 2, 1.0], [1.0, 1.0]]], dtype=torch.float64)
    chances = [math.erfc(2 / deviation / math.sqrt(2)) for deviation in (3 / 2, 1.0)]
    told = StepSize(kind="clt", tolerance=2.0).outlier_probability(spread)
    assert told.tolist() == pytest.approx([sum(chances) / 2], rel=1e-12)
    assert StepSize(kind="inverse_variance").outlier_probability(spread).isnan().tolist() == [True]


@each("field", ["tolerance", "memory"])
@each("dtype", [torch.float64, torch.float32])
def test_one_tolerance_and_one_memory_for_each_world(field, dtype):
    values = torch.tensor([2.0, 3.3, 7.1], dtype=torch.float64)
    options = {"kind": "clt", "tolerance": 0.5}

    def last(value, worlds):
        streams = make(worlds, dtype)
        return play(
            build("sgd", {"step_size": StepSize(**options | {field: value})}),
            Reals(),
            streams,
            answer=noisy(streams),
        )[0][-1]

    fused = last(values, range(3))
    assert all(same(fused, last(value, [row]), [row]) for row, value in enumerate(values.tolist()))


@each(
    ("options", "message"),
    [
        (
            {"kind": "clt"},
            "step_size.tolerance: expected one with kind clt and none with another, got None with clt",
        ),
        (
            {"tolerance": 1.0},
            "step_size.tolerance: expected one with kind clt and none with another, got 1.0 with scheduled",
        ),
        ({"kind": "clt", "tolerance": 0.0}, "step_size.tolerance: expected > 0"),
        ({"kind": "clip"}, "step_size.kind: expected one of scheduled, clt, inverse_variance"),
        ({"memory": 1.0}, "step_size.memory: expected >= 2"),
        ({"long_memory": 1.0}, "step_size.long_memory: expected >= 2"),
    ],
)
def test_wrong_step_sizes(options, message):
    with pytest.raises(ValueError, match=message):
        StepSize(**options)


# populations ------------------------------------------------------------------------------------------------

ES = {  # hyperparameters -> what the multiplier 1/2 of step 2 makes of them
    "shrinks": (
        {"population": 12, "coupling": "constant_temperature"},
        {"population": 6, "sigma": 0.1},
    ),
    "shrinks fast": (
        {"population": 12, "coupling": "constant_variance"},
        {"population": 4, "sigma": 0.1},
    ),  # 1.5 pairs are 2
    "grows": ({"population": 4, "coupling": "grow", "largest": 12}, {"population": 8, "sigma": 0.2}),
    "grows until": (
        {"population": 4, "coupling": "decay_and_grow", "largest": 12},
        {"population": 12, "sigma": 0.1},
    ),
    "follows eta": (
        {"population": 12, "coupling": "constant_temperature", "coupled": "learning_rate"},
        {"population": 6, "learning_rate": 0.02},
    ),
    "changes nothing else": (
        {"population": 12, "coupling": "grow", "coupled": "learning_rate", "largest": 24},
        {"population": 24},
    ),
    "stays": ({"population": 4, "largest": 12}, {"population": 4, "sigma": 0.1}),
}
WAYS = [
    {},
    {"antithetic": False},
    {"shaping": "raw"},
    {"shaping": "raw", "antithetic": False},
    {"inner": "adam"},
]


@each("name", ES)
@each("way", WAYS, ids=str)
def test_an_es_of_changing_size_steps_as_one_of_that_size(name, way):
    options, then = ES[name]
    fixed = {"sigma": 0.2, "learning_rate": 0.04} | way
    schedule = {"schedule" if options.get("coupled") == "learning_rate" else "sigma_schedule": STEPS}
    if name == "shrinks fast" and not way.get("antithetic", True):
        then = then | {"population": 3}
    changing, plain, streams = (
        build("openai_es", fixed | options | schedule),
        build("openai_es", fixed | then),
        make(),
    )
    state, s = play(changing, Reals(), streams, steps=2)[0][-1], streams.at(3)
    query, small = changing.ask(state, s), plain.ask(state, streams.at(3))
    size = then["population"]
    assert (query.alive.sum(1) == size).all()
    half = query.points.shape[1] // 2
    asked = (
        [*range(size // 2), *range(half, half + size // 2)] if changing.antithetic else [*range(size)]
    )
    assert query.alive[:, asked].all()
    assert torch.equal(query.points[:, asked], small.points)
    value = bowl(query, torch.float64).value
    answers = [Answer(torch.where(query.alive, value, bad)) for bad in (math.nan, -100.0)]
    new, other = (changing.tell(state, query, answer, s)[0] for answer in answers)
    assert same(new, other), "the answers for points that were not asked have no effect"
    assert torch.allclose(
        new.center, plain.tell(state, small, bowl(small, torch.float64), s)[0].center, atol=1e-13
    )


@each("size", [5, 63, 200])
def test_ranks_of_those_alive(size):
    """They are the ranks of those alone, with ties, infinities and NaN."""
    value = (make().normal("evaluation", (size,)) * 3).round()
    value[2, 0], value[3, :2], value[4] = math.nan, math.inf, math.inf
    value[5, 1] = -math.inf
    alive = make().bernoulli("mutation", 0.6, (size,))
    alive[6] = False
    ranks = operators.centered_ranks(value, alive)
    for row in range(8):
        alone = [
            v if math.isfinite(v) else math.copysign(1e300, 1.0 if math.isnan(v) else v)
            for v in value[row, alive[row]].tolist()
        ]
        expected = centered_ranks(alone) if len(alone) > 1 else [0.0] * len(alone)
        assert ranks[row, alive[row]].tolist() == pytest.approx(expected)
        assert (ranks[row, ~alive[row]] == 0).all()


SELECTIONS = [
    {"selection": "tournament", "tournament": 3},
    {"selection": "truncation", "truncation": 0.4},
    {"selection": "proportional"},
    {"selection": "none"},
]


@each("selection", SELECTIONS, ids=lambda s: s["selection"])
@each("domain", [Reals(), Bits()], ids=["reals", "bits"])
@each("elite", [0, 2])
def test_a_ga_of_changing_size_breeds_as_one_of_that_size(selection, domain, elite):
    """The children of 16 who shrink to 8, both of a population of 32 at most, are the first of those of 16."""
    options = selection | {"mutation_rate": 0.3, "mutation_sigma": 0.2, "elite": elite}
    growth = {"coupling": "constant_temperature", "largest": 32, "schedule": STEPS}
    changing, streams = build("ga", options | growth | {"population": 16}), make()
    state, s = changing.init(problem(streams, domain, 7), streams), streams.at(1)
    state = state._replace(step=torch.ones(8, dtype=torch.int64))
    query = changing.ask(state, s)
    assert query.alive.sum(1).tolist() == [16] * 8
    value = torch.where(query.alive, bowl(query, torch.float64).value, -100.0)
    new, info = changing.tell(state, query, Answer(value), s)
    assert (info["parents"] < 16).all()
    plain = build("ga", options | {"population": 16})
    old = plain.init(problem(streams, domain, 7), streams)
    expected, told = plain.tell(old, plain.ask(old, s), Answer(value[:, :16]), streams.at(1))
    assert torch.equal(new.points[:, :8], expected.points[:, :8])
    assert torch.equal(info["parents"][:, :8], told["parents"][:, :8])
    assert torch.equal(new.best, expected.best)
    assert torch.allclose(changing.center(new), new.points[:, :8].double().mean(1))
    later = changing.ask(new, streams.at(2))
    assert later.alive.sum(1).tolist() == [8] * 8
    assert later.alive[:, :8].all()


@each("selection", SELECTIONS, ids=lambda s: s["selection"])
def test_where_nobody_is_fit_parents_are_still_among_those_alive(selection):
    optimizer, streams = build("ga", selection | {"population": 3, "largest": 40}), make()
    state = optimizer.init(problem(streams, Reals(), 7), streams)
    query = optimizer.ask(state, streams.at(1))
    value = torch.full((8, 40), math.nan, dtype=torch.float64)
    assert (optimizer.tell(state, query, Answer(value), streams.at(1))[1]["parents"] < 3).all()


@pytest.mark.parametrize("antithetic", [True, False])
def test_an_es_never_shrinks_below_two(antithetic):
    schedule = Schedule(kind="cosine", steps=1)
    optimizer = build(
        "openai_es",
        {
            "population": 8,
            "antithetic": antithetic,
            "coupling": "constant_variance",
            "sigma_schedule": schedule,
        },
    )
    assert play(optimizer, Reals(), make(), steps=2)[1][1].alive.sum(1).tolist() == [2] * 8


def test_a_ga_never_shrinks_below_one_child_beside_its_elite():
    optimizer = build(
        "ga",
        {
            "population": 8,
            "elite": 2,
            "coupling": "constant_variance",
            "schedule": Schedule(kind="cosine", steps=1),
        },
    )
    assert play(optimizer, Reals(), make(), steps=2)[1][1].alive.sum(1).tolist() == [3] * 8


def test_the_mutation_of_a_ga_follows_the_schedule():
    """After two steps it is half as wide on reals and half as frequent on bits."""
    options = {"population": 2000, "selection": "none", "crossover": "none", "schedule": STEPS}
    for domain, measure in (
        (Reals(), lambda moved: moved.std().item() / 0.1),
        (Bits(), lambda moved: moved.double().mean().item() * 7),
    ):
        optimizer, streams = build("ga", options), make()
        state = optimizer.init(problem(streams, domain, 7), streams)
        state = state._replace(points=torch.zeros_like(state.points))
        for step, expected in ((1, 1.0), (3, 0.5)):
            s, now = streams.at(step), state._replace(step=torch.full((8,), step - 1))
            query = optimizer.ask(now, s)
            assert query.alive is None
            moved = optimizer.tell(now, query, bowl(query, torch.float64), s)[0].points
            assert measure(moved) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("kind", ["openai_es", "ga"])
def test_only_those_alive_are_billed(kind):
    """4, 8, 16 and 20 points, at most 20."""
    schedule = {
        "schedule" if kind == "ga" else "sigma_schedule": Schedule(kind="step", steps=1, factor=0.5)
    }
    optimizer, streams = (
        build(kind, {"population": 4, "coupling": "grow", "largest": 20} | schedule),
        make(),
    )
    bill = Bill(8, terms=1, budget=1000.0)
    oracle = Oracle(LANDSCAPES["quadratic"](dim=3).bind(streams), Noise(), bill)
    state = optimizer.init(problem(streams, Reals(), 3), streams)
    for step in (1, 2, 3, 4):
        s = streams.at(step)
        query = optimizer.ask(state, s)
        state, _ = optimizer.tell(state, query, oracle(query, s), s)
    assert bill.values.tolist() == [4 + 8 + 16 + 20] * 8
