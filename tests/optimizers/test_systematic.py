"""Selection without drift: beside a naive loop, its law, and what the methods that use it promise."""

import torch

from landscapes.base import Bits, Reals
from landscapes.streams import Streams
from optimizers import OPTIMIZERS, operators
from tests.references import systematic as naive
from tests.support.each import each
from tests.support.play import make, play, same

R, P = 5, 7
NORMALS = torch.randn((R, P), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
TIED = NORMALS.round()  # many are equal
METHODS = [
    ("tournament", {}),
    ("tournament", {"tournament": 3}),
    ("truncation", {"truncation": 0.4}),
    ("proportional", {}),
    ("none", {}),
]


def ga(selection, options):
    return OPTIMIZERS["ga"](population=P, selection=selection, sampling="systematic", **options)


def at(step, worlds=R):
    return Streams(seed=4, worlds=torch.arange(worlds)).at(step)


def offspring(parents, count=P):
    return torch.zeros(len(parents), count, dtype=torch.float64).scatter_add_(
        1, parents, torch.ones_like(parents, dtype=torch.float64)
    )


@each("size", [1, 2, 3])
@each(
    "value",
    [NORMALS, TIED, torch.full((R, P), torch.nan, dtype=torch.float64)],
    ids=["values", "ties", "lost"],
)
def test_tournament_chances_beside_all_tournaments(value, size):
    worst = torch.where(value.isnan(), torch.inf, value).tolist()
    expected = torch.tensor([naive.tournament_chances(v, size) for v in worst])
    groups = torch.tensor([[[a == b for b in v] for a in v] for v in worst]).double()
    shared = (groups @ expected.double()[..., None])[..., 0] / groups.sum(
        -1
    )  # the loop breaks ties by who enters first: alike on average
    assert torch.allclose(expected.double().sum(1), torch.ones(R, dtype=torch.float64))
    assert torch.allclose(operators.tournament_chances(value, size), shared, atol=1e-14)


@each(("selection", "options"), METHODS)
def test_chances_are_those_of_select(selection, options):
    """4.5 standard errors of 20,000 draws; a mutant that takes other chances is rejected."""
    method, draws = ga(selection, options), 20_000
    drawn = offspring(operators.select(NORMALS, at(1), draws, method)) / draws
    chance = operators.chances(NORMALS, method)
    chance = chance / chance.sum(1, keepdim=True)
    error = (chance * (1 - chance) / draws).sqrt()
    assert ((drawn - chance).abs() <= 4.5 * error).all()
    if selection != "none":
        assert not ((drawn - 1 / P).abs() <= 4.5 * (1 / P / draws) ** 0.5).all()


@each("n", [1, 2, 7, 12])
@each("part", [0, 1])
def test_beside_a_loop(n, part):
    chance = operators.chances(NORMALS, ga("proportional", {}))
    for step in (1, 2, 30, 1000):
        found = operators.systematic(NORMALS, chance, at(step), n, part).tolist()
        expected = [
            naive.systematic(v, c, n, naive.offset(step, part))
            for v, c in zip(NORMALS.tolist(), chance.tolist(), strict=True)
        ]
        assert (found if part == 0 else [sorted(f) for f in found]) == (
            expected if part == 0 else [sorted(e) for e in expected]
        )


@each(("selection", "options"), METHODS)
@each("value", [NORMALS, TIED], ids=["values", "ties"])
@each("part", [0, 1])
def test_numbers_are_expected_ones_rounded_and_average_to_them(selection, options, value, part):
    method, steps = ga(selection, options), 1000
    expected = operators.chances(value, method)
    expected = P * expected / expected.sum(1, keepdim=True)
    every = Streams(seed=4, worlds=torch.arange(R).repeat(steps))  # each step is R rows of one batch
    every = every.at(torch.arange(1, steps + 1).repeat_interleave(R))
    parents = operators.parents(value.repeat(steps, 1), every, P, method, part)
    numbers = offspring(parents).reshape(steps, R, P)
    assert ((numbers - expected).abs() < 1 + 1e-9).all()
    assert ((numbers.mean(0) - expected).abs() < 0.01).all()
    drift = offspring(operators.select(value, at(1), P, method))
    assert not ((drift - expected).abs() < 1 + 1e-9).all()  # mutant: drift does not keep within 1


def test_worlds_of_one_batch_may_be_at_different_steps():
    """As redrawn steps of the noise ledger are."""
    steps, method = torch.tensor([3, 9, 1, 4, 70]), ga("tournament", {})
    together = operators.parents(NORMALS, at(steps), P, method, 1)
    for row, step in enumerate(steps.tolist()):
        streams = Streams(seed=4, worlds=torch.tensor([row])).at(step)
        assert torch.equal(
            together[row : row + 1], operators.parents(NORMALS[row : row + 1], streams, P, method, 1)
        )


def test_individuals_have_no_names():
    """Relabelled individuals have the same numbers of offspring."""
    order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
    for selection, options in METHODS[:-1]:
        method = ga(selection, options)
        plain, moved = (
            offspring(operators.parents(value, at(5), P, method))
            for value in (NORMALS, NORMALS[:, order])
        )
        assert torch.equal(plain[:, order], moved)


def test_only_those_alive_are_parents():
    among = torch.tensor([1, 2, 7, 3, 5])
    lives = torch.arange(P) < among[:, None]
    value = torch.where(lives, NORMALS, torch.inf)
    value[4, 2] = torch.nan  # lost, and alive
    for selection, options in METHODS:
        chance = operators.chances(value, ga(selection, options), among)
        assert (chance[~lives] == 0).all()
        few = operators.chances(value[4:, :5], ga(selection, options))[0]  # the five alone
        assert torch.allclose(chance[4, :5] / chance[4].sum(), few / few.sum())
        assert (
            operators.parents(value, at(2), 9, ga(selection, options), among=among) < among[:, None]
        ).all()


def test_turns():
    assert operators.turn(at(4, 2), 10, 3, torch.device("cpu")).tolist() == [[2, 3, 4]] * 2
    assert operators.turn(at(torch.tensor([4, 3]), 2), 10, 3, torch.device("cpu")).tolist() == [
        [2, 3, 4],
        [9, 0, 1],
    ]


CASES = [
    ("ga", {"population": 9, "elite": 1}),
    ("ga", {"population": 7, "selection": "truncation", "crossover": "none"}),
    ("island_ga", {"population": 12, "islands": 3, "interval": 1, "migration": "random"}),
    ("memetic", {"population": 6, "descent_steps": 1}),
    ("steady_state_ga", {"population": 6, "children": 2, "replacement": "random"}),
    ("async_steady_state_ga", {"population": 6, "workers": 3, "replacement": "random"}),
    ("wright_fisher", {"population": 8}),
    ("wright_fisher", {"population": 5, "ploidy": 2, "crossover": "one_point"}),
    ("wright_fisher", {"population": 6, "model": "moran"}),
]


@each(
    ("kind", "options"),
    CASES,
    ids=lambda x: x if isinstance(x, str) else "-".join(map(str, x.values())),
)
def test_nothing_is_drawn_from_drift(kind, options):
    """Redrawing drift changes nothing; with sampling at random it does (the mutant).

    Mates come from pairing, unless there are none.
    """
    domain = Bits() if Bits in OPTIMIZERS[kind].domains else Reals()
    systematic, random = (
        OPTIMIZERS[kind](sampling=sampling, **options) for sampling in ("systematic", "random")
    )
    plain = play(systematic, domain, make())[0][-1]
    assert same(plain, play(systematic, domain, make().redraw("drift", 1))[0][-1])
    assert not same(
        play(random, domain, make())[0][-1], play(random, domain, make().redraw("drift", 1))[0][-1]
    )
    mates = (
        options.get("crossover") != "none"
        and options.get("model") != "moran"
        and kind != "async_steady_state_ga"
    )
    assert same(plain, play(systematic, domain, make().redraw("pairing", 1))[0][-1]) != mates


@each("domain", [Bits(), Reals()], ids=["bits", "reals"])
@each("kind", ["ga", "wright_fisher", "steady_state_ga"])
def test_all_switches_off_leave_no_randomness(kind, domain):
    """Haploid selection alone, in its deterministic limit, does not depend on any stream after the starts."""
    cls = OPTIMIZERS[kind]

    def moved(source, *left_on):
        off = {
            key: value
            for other, levels in cls.switches.items()
            if other not in left_on
            for key, value in levels["off"].items()
        }
        once, again = (
            play(cls(population=6, **off), domain, make().redraw(source, k), steps=12)[0]
            for k in (0, 1)
        )
        return not all(same(a, b) for a, b in zip(once, again, strict=True))

    assert not any(moved(source) for source in cls.sources)
    assert all(moved(source, source) for source in cls.switches)  # mutants: each switch left on is seen


@each("kind", [kind for kind, cls in OPTIMIZERS.items() if cls.switches])
def test_switches_name_parameters_and_sources(kind):
    cls = OPTIMIZERS[kind]
    for source, levels in cls.switches.items():
        assert source in cls.sources
        assert "off" in levels
        for level, parameters in levels.items():
            assert level != "on"
            cls(**parameters)


TRAJECTORIES = [
    ("langevin", "mutation", {}),
    ("metropolis", "acceptance", {"temperature": 5.0}),
    ("simulated_annealing", "acceptance", {"temperature": 5.0}),
    ("async_sgd", "staleness", {}),
    ("de", "recombination", {}),
    ("recombined_sgd", "recombination", {"interval": 2}),
]


@each(("kind", "source", "options"), TRAJECTORIES, ids=[kind for kind, _, _ in TRAJECTORIES])
def test_a_switch_takes_its_source_away(kind, source, options):
    """The points of all steps are the same however the source is drawn; without the switch they are not."""
    cls = OPTIMIZERS[kind]

    def moved(**parameters):
        once, again = (
            play(cls(**options | parameters).budgeted(1000), Reals(), make().redraw(source, k))[0]
            for k in (0, 1)
        )
        return not all(torch.equal(a.points, b.points) for a, b in zip(once, again, strict=True))

    assert moved()
    assert not moved(**cls.switches[source]["off"])
