"""One contract for every optimizer of the registry."""

import contextlib
import functools
import math
from dataclasses import replace
from typing import NamedTuple

import pytest
import torch

from landscapes.base import Answer, Reals
from landscapes.parameters import numbers
from landscapes.streams import Streams
from optimizers import OPTIMIZERS
from optimizers.workers import Service
from tests.contract.optimizers.cases import (
    BITS,
    CASES,
    FLOATS,
    LARGEST,
    PHASES,
    REALS,
    SMALLEST,
    case,
    decay,
    identity,
)
from tests.support.each import each
from tests.support.play import bowl, build, make, play, same, tensors

DOUBLE, SINGLE = FLOATS


def test_every_optimizer_is_tested():
    assert set(OPTIMIZERS) == {case.kind for case in CASES}


class Play(NamedTuple):
    """Some steps of a case in eight worlds, and the sources that it drew from."""

    states: list
    queries: list
    infos: list
    drawn: set


def allowed(kind, dim):
    """The dimension, or the nearest in which the method works."""
    return max(min(dim, LARGEST.get(kind, dim)), SMALLEST.get(kind, 1))


def run(kind, options, domain, streams, dim=7, **more):
    """Five steps, so that all that comes at intervals comes.

    Two of other libraries, which go world by world, and in other numbers of coordinates.
    """
    optimizer = build(kind, options)
    steps = 2 if optimizer.libraries or dim != 7 else 5
    return play(optimizer, domain, streams, allowed(kind, dim), steps, **more)


@functools.cache
def whole(number, dtype=DOUBLE, dim=7):
    """The `Play` of a case by its number, played once for all tests that only look at it."""
    kind, options, _, domain = CASES[number]
    drawn, address = set(), Streams._place

    def note(streams, source, part):
        drawn.add(source)
        return address(streams, source, part)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Streams, "_place", note)
        return Play(*run(kind, options, domain, make(dtype=dtype), dim), drawn)


@functools.cache
def pair(number, dtype=SINGLE, dim=7):
    """The states of a case in the worlds (5, 2) alone."""
    kind, options, _, domain = CASES[number]
    return run(kind, options, domain, make([5, 2], dtype=dtype), dim)[0]


WIDTHS, WIDE = [(DOUBLE, 1), (SINGLE, 7)], [(DOUBLE, 33)]
every_number = each("number", range(len(CASES)), ids=map(identity, CASES))


@every_number
def test_shapes(number):
    check_shapes(number, WIDTHS)


@pytest.mark.verify
@every_number
def test_shapes_of_many_coordinates(number):
    check_shapes(number, WIDE)


def check_shapes(number, widths):
    kind, options, points, domain = CASES[number]
    optimizer = build(kind, options)
    for dtype, dim in widths:
        states, queries, infos, _ = whole(number, dtype, dim)
        dim = allowed(kind, dim)
        held = dtype if isinstance(domain, Reals) else torch.uint8
        shape = (8, points(dim) if callable(points) else points, dim)
        for state, query, info in zip(states[1:], queries, infos, strict=True):
            assert (query.points.shape, query.points.dtype) == (shape, held)
            assert query.gradient == optimizer.gradient or kind in PHASES
            best, center = optimizer.recommend(state), optimizer.center(state)
            assert (best.shape, best.dtype) == ((8, dim), held)
            assert (center.shape, center.dtype) == ((8, dim), dtype)
            assert all(len(field) == 8 for field in (*state, *info.values()))
            assert all(field.dtype == dtype for field in tensors(state) if field.is_floating_point())
        assert optimizer.recommend(states[0]).shape == (8, dim)


@every_number
def test_replicate_invariance(number):
    """Worlds (5, 2) alone are those rows of eight, bit for bit."""
    check_replicate_invariance(number, SINGLE, 7)


@pytest.mark.verify
@every_number
def test_replicate_invariance_of_many_coordinates(number):
    check_replicate_invariance(number, *WIDE[0])


def check_replicate_invariance(number, dtype, dim):
    together = whole(number, dtype, dim).states
    alone = pair(number, dtype, dim)
    assert all(same(a, b, [5, 2]) for a, b in zip(together, alone, strict=True))


@every_number
def test_a_number_for_each_world(number):
    """Worlds (5, 2) of two settings of all numbers at once have the bits that each setting alone gives them."""
    kind, options, _, domain = CASES[number]
    optimizer = build(kind, options)
    settings = [{}, other_numbers(optimizer)]
    if optimizer.libraries or not settings[1]:
        return
    per_world = {
        key: torch.tensor([getattr(optimizer, key)] * 2 + [value] * 2, dtype=DOUBLE)
        for key, value in settings[1].items()
    }
    together = run(kind, options | per_world, domain, make([5, 2, 5, 2], dtype=SINGLE))[0]
    other = run(kind, options | settings[1], domain, make([5, 2], dtype=SINGLE))[0]
    for rows, alone in zip(([0, 1], [2, 3]), (pair(number), other), strict=True):
        assert all(same(a, b, rows) for a, b in zip(together, alone, strict=True))


def other_numbers(optimizer):
    """Name -> another value, as far as it may have one."""
    others = {}
    for key, value in numbers(type(optimizer), optimizer.parameters()).items():
        for other in (0.5 * value or 0.01, 1.5 * value):
            with contextlib.suppress(ValueError):
                replace(optimizer, **others | {key: other})
                others[key] = other
                break
    return others


@every_number
def test_draws_only_from_its_sources(number):
    """Whatever it makes of the streams that it is given; and redrawing mutation changes what has it."""
    kind, options, _, domain = CASES[number]
    optimizer, (states, *_, drawn) = build(kind, options), whole(number, SINGLE)
    assert drawn <= {"init", *optimizer.sources}
    if "mutation" in optimizer.sources:
        again = make(dtype=SINGLE).redraw("mutation", 1)
        assert not same(states[-1], run(kind, options, domain, again)[0][-1])


BAD = {3: math.nan, 5: math.inf, 6: -math.inf}  # world -> what it is answered


def spoilt(query, dtype):
    """What `bowl` answers, but for the worlds of `BAD`."""
    good = bowl(query, dtype)
    value, gradient = good.value.clone(), None if good.gradient is None else good.gradient.clone()
    for world, bad in BAD.items():
        value[world] = bad
        if gradient is not None:
            gradient[world] = bad
    return Answer(value, gradient)


@every_number
def test_a_bad_world_harms_no_other(number):
    kind, options, _, domain = CASES[number]
    optimizer = build(kind, options)
    states = run(kind, options, domain, make(dtype=SINGLE), answer=spoilt)[0]
    others = [world for world in range(8) if world not in BAD]
    assert same_rows(states[-1], whole(number, SINGLE).states[-1], others)
    assert optimizer.recommend(states[-1]).shape == (8, 7)


def same_rows(a, b, rows):
    return all(torch.equal(x[rows], y[rows]) for x, y in zip(tensors(a), tensors(b), strict=True))


LEARNERS = [  # hyperparameters with which a method must beat its start
    case("sgd", REALS, momentum=0.5),
    case("openai_es", REALS, population=16),
    case("openai_es", REALS, population=16, shaping="raw", antithetic=False, learning_rate=0.01),
    case("ga", REALS, population=32, elite=1),
    case("ga", BITS, population=32, selection="truncation", crossover="one_point"),
    case("random_search", REALS, population=64),
    case("random_search", BITS, population=64),
    case("wright_fisher", BITS, population=64, mutation_rate=0.01, selection_strength=2.0),
    case("adaptive_walk", BITS, rule="greedy"),
    case("adaptive_walk", BITS, rule="random"),
    case("adaptive_walk", BITS, rule="proportional"),
    case("sswm", BITS, population=20),
    case("one_plus_one_ea", BITS),
    case("quasispecies", BITS, crossover="free", mutation_rate=0.01),
    case("quasispecies", BITS, mutation_rate=0.01),
    case("bernoulli_nes", BITS),
    case("bernoulli_nes", BITS, shaping="raw", learning_rate=0.2, natural=False),
    case("pbil", BITS, learning_rate=0.3),
    case("cga", BITS, population=8),
    case("rls", BITS),
    case("wright_fisher", BITS, population=64, ploidy=2, mutation_rate=0.01, selection_strength=2.0),
    case("one_plus_one", REALS),
    case("snes", REALS),
    case("cma_es", REALS),
    case("cma_es", REALS, covariance="diagonal"),
    case("sgd", REALS, average="tail", burn_in=10),
    case("adam", REALS, learning_rate=0.1),
    case("langevin", REALS, learning_rate=0.1, temperature=0.001),
    case("metropolis", REALS, starts=8, sigma=0.2),
    case("metropolis", BITS, temperature=0.1),
    case("simulated_annealing", REALS, starts=8, sigma=0.2, schedule=decay("exponential", 10)),
    case("simulated_annealing", BITS),
    case("signed_sgd", REALS, learning_rate=0.05),
    case("natural_sgd", REALS, learning_rate=0.02),
    case("spsa", REALS, pairs=4),
    case("mu_lambda", REALS),
    case("xnes", REALS),
    case("pgpe", REALS),
    case("cem", REALS),
    case("extragradient", REALS),
    case("alternating", REALS, momentum=0.5),
    case("nelder_mead", REALS),
    case("lbfgs", REALS),
    case("de", REALS),
    case("de", REALS, strategy="best"),
    case("de", REALS, strategy="current_to_best"),
    case("island_ga", REALS, elite=1),
    case("island_ga", BITS, migration="random", crossover="one_point"),
    case("parallel_tempering", REALS, sigma=0.3),
    case("parallel_tempering", BITS),
    case("steady_state_ga", REALS, population=16, children=16),
    case("steady_state_ga", BITS, population=16, children=8, replacement="random", tournament=4),
    case("async_sgd", REALS, learning_rate=0.02),
    case(
        "async_sgd",
        REALS,
        staleness_aware=True,
        momentum=-0.3,
        workers=3,
        service=Service(kind="constant"),
    ),
    case("async_sgd", REALS, mode="sync", backups=2),
    case("async_steady_state_ga", REALS, population=16, workers=16, mode="sync"),
    case("async_steady_state_ga", BITS, population=8, workers=4),
    case("coevolution", REALS),
    case("coevolution", BITS, selection="truncation", crossover="one_point"),
    case("ipop_cma_es", REALS),
    case("uh_cma_es", REALS),
    case("consensus", REALS),
    case("consensus", REALS, noise="isotropic", diffusion=0.3),
    case("recombined_sgd", REALS),
    case("recombined_sgd", REALS, exchange="average"),
    case("memetic", REALS),
    case("memetic", REALS, learning="baldwinian"),
    case("pbt", REALS, interval=3),
    case("torch_optim", REALS, learning_rate=0.1),
    case("evotorch", REALS, algorithm="snes"),
    case("evotorch", REALS, algorithm="pgpe"),
    case("evotorch", REALS, algorithm="cma_es"),
    case("deap_ga", REALS),
    case("deap_ga", BITS, crossover="uniform"),
    case("deap_cma", REALS),
    case("pycma", REALS),
]


@pytest.mark.verify
@each(
    ("case", "dtype"),
    [pytest.param(case, FLOATS[i % 2], id=identity(case)) for i, case in enumerate(LEARNERS)],
)
def test_beats_its_start(case, dtype):
    kind, options, _, domain = case
    optimizer = build(kind, options)
    worlds = range(2 if optimizer.libraries else 8)  # another library takes them one by one
    states = play(optimizer, domain, make(worlds, dtype), steps=30)[0]

    def loss(state):
        point = optimizer.recommend(state)[:, None]
        return bowl(type("Q", (), {"points": point, "gradient": False}), dtype).value.mean()

    assert loss(states[-1]) < 0.5 * loss(states[0])


# invariances ------------------------------------------------------------------------------------------------

RANKED = [
    case("openai_es", REALS),
    case("openai_es", REALS, antithetic=False, inner="adam"),
    case("ga", REALS, elite=1),
    case("ga", BITS, selection="truncation"),
    case("one_plus_one", REALS),
    case("snes", REALS),
    case("cma_es", REALS),
    case("cma_es", REALS, covariance="diagonal"),
    case("mu_lambda", REALS),
    case("xnes", REALS),
    case("pgpe", REALS),
    case("cem", REALS),
    case("nelder_mead", REALS),
    case("bernoulli_nes", BITS),
    case("pbil", BITS),
    case("cga", BITS),
    case("adaptive_walk", BITS),
    case("one_plus_one_ea", BITS),
    case("rls", BITS),
    case("de", REALS),
    case("de", REALS, strategy="best"),
    case("island_ga", REALS, elite=1, interval=2),
    case("island_ga", BITS, selection="truncation", interval=2),
    case("steady_state_ga", REALS, population=4, children=2),
    case("steady_state_ga", BITS, population=4, children=2),
    case("async_steady_state_ga", REALS, population=4, workers=2),
    case("async_steady_state_ga", BITS, population=4, workers=2, mode="sync"),
    case("coevolution", REALS),
    case("coevolution", BITS, selection="truncation"),
    case("ipop_cma_es", REALS),
    case("uh_cma_es", REALS),
]


@each("case", RANKED, ids=identity)
def test_rank_methods_ignore_monotone_transforms(case):
    kind, options, _, domain = case
    plain = play(build(kind, options), domain, make())[1]
    for transform in (lambda v: 64 * v, lambda v: v.exp() if v.max() < 700 else v):
        bent = play(
            build(kind, options),
            domain,
            make(),
            answer=lambda q, dtype, t=transform: Answer(t(bowl(q, dtype).value)),
        )[1]
        assert torch.equal(plain[-1].points, bent[-1].points)


@pytest.mark.parametrize(
    "case",
    [case("openai_es", REALS, shaping="raw"), case("ga", REALS, selection="proportional")],
    ids=identity,
)
def test_the_others_do_not(case):
    kind, options, _, domain = case
    plain, scaled = (
        play(build(kind, options), domain, make(), answer=lambda q, t, k=k: bowl(q, t, scale=k))[1][-1]
        for k in (1.0, 64.0)
    )
    assert not torch.allclose(plain.points, scaled.points)


HELD = (
    "random_search",
    "natural_sgd",
    "linkage_equilibrium",
)  # methods to which the place of 0, or the box, means something
BASIS = (
    "deap_cma",
)  # it rotates its draws by the axes that eigh picks among equal eigenvalues: rounding decides which


@each(
    "number",
    [
        pytest.param(number, id=identity(case))
        for number, case in enumerate(CASES)
        if isinstance(case.domain, Reals) and case.kind not in HELD + BASIS
    ],
)
def test_translation(number):
    """Moving the start and the optimum moves the trajectory (weight decay, which pulls to 0, apart)."""
    kind, options, _, domain = CASES[number]
    optimizer = build(kind, options | ({"weight_decay": 0.0} if "weight_decay" in options else {}))
    moved = play(
        optimizer, domain, make(), answer=lambda q, t: bowl(q, t, shift=4.0), shift=4.0, steps=3
    )[0][-1]
    plain = play(optimizer, domain, make(), steps=3)[0][-1]
    assert torch.allclose(optimizer.recommend(moved) - 4.0, optimizer.recommend(plain), atol=1e-9)
