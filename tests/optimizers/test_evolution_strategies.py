"""Evolution strategies on reals beside loops and beside pycma, their invariances, and what each promises beyond the contract."""

import math

import cma
import numpy as np
import pytest
import torch

from landscapes.base import Answer, Problem, Reals
from optimizers import operators
from optimizers.evolution_strategies import distribution
from optimizers.evolution_strategies.distribution import cma_constants
from tests.references import evolution_strategies as naive
from tests.support.each import each
from tests.support.play import bowl, build, make, play, problem, same

REALS = Reals()


def ranked(query):
    """Points of the first world from best to worst, as lists."""
    value = bowl(query, query.points.dtype).value[0]
    return query.points[0, value.argsort(stable=True)].tolist()


def groups_of(population, group, antithetic):
    """Places of the points that are shaped together; a mirrored pair is k and population / 2 + k."""
    if not antithetic:
        return [list(range(first, first + group)) for first in range(0, population, group)]
    half, pairs = population // 2, group // 2
    firsts = [range(first, first + pairs) for first in range(0, half, pairs)]
    return [[*first, *(half + k for k in first)] for first in firsts]


def weights(shaping, losses):
    """What a group's points weigh, and how many of them count."""
    n = len(losses)
    away = losses - losses.mean()
    if shaping == "centered_ranks":
        return np.array([(losses < loss).sum() for loss in losses]) / (n - 1) - 0.5, n
    if shaping == "raw":
        return away, n - 1
    if shaping == "uncentered":
        return losses, n
    return away / losses.std(), n


@each("shaping", ["centered_ranks", "raw", "uncentered", "z_score"])
@each("group", [None, 4])
@each("antithetic", [False, True])
def test_shaping_in_groups_beside_a_loop(shaping, group, antithetic):
    if antithetic and shaping == "uncentered":
        return  # refused, see the tests of bad input
    options = {"population": 12, "sigma": 0.3, "learning_rate": 0.7}
    options |= {"shaping": shaping, "group": group, "antithetic": antithetic}
    optimizer = build("openai_es", options)
    streams = make(range(3))
    state = optimizer.init(problem(streams, REALS, 3), streams)
    query = optimizer.ask(state, streams)
    losses = query.points.exp().sum(-1)
    new, _ = optimizer.tell(state, query, Answer(losses), streams)
    for world in range(3):
        center = state.center[world, 0].numpy()
        total, counted = np.zeros_like(center), 0
        for places in groups_of(12, group or 12, antithetic):
            weight, count = weights(shaping, losses[world, places].numpy())
            total += weight @ (query.points[world, places].numpy() - center)
            counted += len(places) if antithetic else count
        expected = center - 0.7 * total / (counted * 0.3**2)
        np.testing.assert_allclose(new.center[world, 0].numpy(), expected, rtol=1e-10, atol=1e-12)


# shared steps -----------------------------------------------------------------------------------------------


def test_utilities_beside_a_loop():
    for n in (1, 2, 7, 30):
        assert distribution.utilities(n).tolist() == pytest.approx(naive.nes_utilities(n), abs=1e-15)


@each("dim", [1, 2, 7, 100])
def test_length_of_a_normal_vector(dim):
    assert distribution.normal_length(dim) == pytest.approx(cma.utilities.math.Mh.chiN(dim), rel=6e-5)


@each("dtype", [torch.float64, torch.float32])
@each("dim", [1, 2, 5, 33])
def test_eigen_of_a_batch(dtype, dim):
    """Each world's bits are those that it has alone; a world that is not finite is NaN and raises nothing."""
    x = make(range(9), dtype).normal("init", (dim + 2, dim))
    matrix = x.mT @ x
    values, vectors = distribution.eigen(matrix)
    assert torch.allclose(
        (vectors * values) @ vectors.mT, matrix, atol=1e-4 if dtype == torch.float32 else 1e-11
    )
    for r in range(9):
        assert same((values, vectors), distribution.eigen(matrix[r : r + 1].clone()), [r])
    matrix[4] = math.nan
    spoilt = distribution.eigen(matrix)
    assert spoilt[0][4].isnan().all()
    assert same([f[[0, 8]] for f in spoilt], [f[[0, 8]] for f in (values, vectors)])


ALL = [
    ("snes", {}),
    ("cma_es", {}),
    ("cma_es", {"covariance": "diagonal"}),
    ("mu_lambda", {}),
    ("xnes", {}),
    ("cem", {}),
]


@each(("kind", "options"), ALL, ids=str)
def test_individuals_in_any_order(kind, options):
    """A generation whose points are permuted gives the same state, bit for bit."""
    optimizer, s = build(kind, options), make()
    state = play(optimizer, REALS, s)[0][-1]
    query = optimizer.ask(state, s.at(9))
    mixed = query._replace(points=query.points.flip(1))
    a, b = (optimizer.tell(state, q, bowl(q, s.dtype), s)[0] for q in (query, mixed))
    assert same(a, b)


@each(("kind", "options"), [("one_plus_one", {}), ("pgpe", {}), *ALL], ids=str)
@each("dtype", [torch.float64, torch.float32])
def test_a_world_that_runs_away_harms_no_other(kind, options, dtype):
    """Thirty steps at a step size that overflows; the others are untouched and nothing raises."""
    sigma = torch.full((8,), 0.3, dtype=torch.float64)
    sigma[3] = 1e30 if dtype == torch.float32 else 1e250
    wild = play(build(kind, options | {"sigma": sigma}), REALS, make(dtype=dtype), steps=30)[0][-1]
    calm = play(build(kind, options | {"sigma": 0.3}), REALS, make(dtype=dtype), steps=30)[0][-1]
    assert same([f[[0, 1, 2, 4, 5, 6, 7]] for f in wild], [f[[0, 1, 2, 4, 5, 6, 7]] for f in calm])


@each(("kind", "options"), [("one_plus_one", {}), ("pgpe", {}), *ALL], ids=str)
def test_the_default_sigma_is_that_of_the_box(kind, options):
    states = play(build(kind, options), Reals(-5.0, 5.0), make(), steps=1)[0]
    assert (states[0].sigma == 3.0).all()


# one_plus_one -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"target": 0.3, "damping": 1.5}], ids=str)
def test_one_plus_one_beside_a_loop(options):
    optimizer, s = build("one_plus_one", {"sigma": 0.2} | options), make([5])
    states, queries, infos = play(optimizer, REALS, s, steps=12)
    steps = [s.at(t).normal("mutation", (1, 7))[0, 0].tolist() for t in range(2, 13)]

    def loss(x):
        return sum((1 + d / 4) * (v - 0.3) ** 2 for d, v in enumerate(x))

    history = naive.one_plus_one(
        states[0].parent[0, 0].tolist(),
        0.2,
        steps,
        loss,
        optimizer.target,
        options.get("damping", math.sqrt(8)),
    )
    assert torch.equal(queries[0].points, states[0].parent)  # the first step asks the start
    assert len({bool(info["accepted"]) for info in infos}) == 2
    for state, (parent, sigma) in zip(states[2:], history, strict=True):
        assert state.parent[0, 0].tolist() == pytest.approx(parent, abs=1e-12)
        assert state.sigma.item() == pytest.approx(sigma, rel=1e-12)


def test_a_noisy_parent_is_asked_again():
    """Where the oracle adds noise both are asked at every step; a value that was lucky once does not stay."""
    lucky = iter([-100.0, 0.0, 0.0])

    def answer(query, dtype):
        value = bowl(query, dtype).value
        value[:, 0] += next(lucky)
        return Answer(value)

    states, queries, _ = play(
        build("one_plus_one", {}), REALS, make(), steps=2, answer=answer, exact=False
    )
    assert queries[1].points.shape == (8, 2, 7)
    assert torch.equal(queries[1].points[:, 0], states[1].parent[:, 0])
    assert torch.equal(states[1].parent, states[0].parent)
    assert (states[1].value < -50).all()
    assert (states[2].value > 0).all()


# snes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"learning_rate": 0.6, "sigma_learning_rate": 0.3, "population": 5}], ids=str
)
def test_snes_beside_a_loop(options):
    optimizer = build("snes", {"sigma": 0.4} | options)
    states, queries, _ = play(optimizer, REALS, make([2]))
    mean, sigma = states[0].mean[0, 0].tolist(), [0.4] * 7
    rate = options.get("sigma_learning_rate", (3 + math.log(7)) / (5 * math.sqrt(7)))
    for query in queries:
        mean, sigma = naive.snes(ranked(query), mean, sigma, optimizer.learning_rate, rate)
    assert states[-1].mean[0, 0].tolist() == pytest.approx(mean, abs=1e-12)
    assert states[-1].sigma[0, 0].tolist() == pytest.approx(sigma, rel=1e-12)


# cma_es -----------------------------------------------------------------------------------------------------


@each(("n", "size"), [(2, 6), (3, 7), (10, 10), (10, 50), (40, 15)])
def test_constants_are_those_of_pycma(n, size):
    es = cma.CMAEvolutionStrategy([0.0] * n, 1.0, {"popsize": size, "verbose": -9})
    k, theirs = (
        cma_constants(n, size, False, True),
        es.sm.parameters(mueff=es.sp.weights.mueff, lam=size),
    )
    assert k.weights.tolist() == pytest.approx(list(es.sp.weights), abs=1e-15)
    assert (k.size, k.c_c, k.c_1, k.c_mu) == pytest.approx(
        (es.sp.weights.mueff, es.sp.cc, theirs["c1"], theirs["cmu"]), rel=1e-14
    )
    assert k.c_sigma == pytest.approx(
        (k.size + 2) / (n + k.size + 5)
    )  # pycma 4.5 has 3 in place of 5, and at most 1/2
    if size <= 15:  # nor does it damp large populations as the tutorial does
        es.adapt_sigma.initialize(es)
        assert k.d_sigma - k.c_sigma == pytest.approx(
            es.adapt_sigma.damps - es.adapt_sigma.cs, rel=1e-14
        )


def beside_pycma(monkeypatch, generations, curvature, **options):
    """-> our state after each generation, and pycma's (mean, sigma, C, p_sigma, p_c), told the same points."""
    n = len(curvature)
    monkeypatch.setattr(
        cma.utilities.math.Mh, "chiN", staticmethod(distribution.normal_length)
    )  # theirs is an approximation
    optimizer, s = build("cma_es", {"sigma": 0.5, "lazy": 1} | options), make([3])
    state = optimizer.init(
        Problem(n, REALS, True, lambda p: torch.ones(1, p, n, dtype=torch.float64)), s
    )
    es = cma.CMAEvolutionStrategy(
        [1.0] * n, 0.5, {"verbose": -9, "popsize": distribution.default_population(n)}
    )
    es.sm.C, es.sm.B, es.sm.D = np.eye(n), np.eye(n), np.ones(n)  # theirs is a little off the identity
    es.adapt_sigma.initialize(es)
    k = cma_constants(n, distribution.default_population(n), False, True)
    es.adapt_sigma.cs, es.adapt_sigma.damps = k.c_sigma, k.d_sigma
    for g in range(1, generations + 1):
        query = optimizer.ask(state, s.at(g))
        value = (query.points**2 * torch.tensor(curvature)).sum(-1)
        es.ask()  # decomposes C
        es.tell(
            list(query.points[0].numpy()), value[0].numpy(), check_points=False
        )  # else far points are drawn in
        state = optimizer.tell(state, query, Answer(value), s)[0]
        yield state, (es.mean, es.sigma, es.sm.C, es.adapt_sigma.ps, es.pc)


def distance(state, theirs):
    ours = (
        state.mean[0, 0],
        state.sigma[0, 0, 0],
        state.covariance[0],
        state.path_sigma[0, 0],
        state.path_c[0, 0],
    )
    return max(
        float(np.abs(a.numpy() - b).max() / np.abs(b).max()) for a, b in zip(ours, theirs, strict=True)
    )


@pytest.mark.parametrize("n", [2, 5, 10])
def test_generations_are_those_of_pycma(monkeypatch, n):
    curvature = (10.0 ** (4 * np.arange(n) / (n - 1))).tolist()
    apart = [distance(*pair) for pair in beside_pycma(monkeypatch, 40, curvature)]
    assert apart[0] < 1e-12
    assert max(apart) < 1e-11


def test_pycma_notices_the_weights(monkeypatch):
    """The same comparison without negative weights fails at the first generation."""
    assert distance(*next(beside_pycma(monkeypatch, 1, [1.0, 10.0, 100.0], active=False))) > 1e-3


def test_separable_cma_beside_a_loop():
    states, queries, _ = play(
        build("cma_es", {"covariance": "diagonal", "sigma": 0.4}), REALS, make([2]), steps=15
    )
    mean, sigma, c = naive.separable_cma(
        [ranked(q) for q in queries], states[0].mean[0, 0].tolist(), 0.4
    )
    assert states[-1].mean[0, 0].tolist() == pytest.approx(mean, abs=1e-11)
    assert states[-1].sigma.item() == pytest.approx(sigma, rel=1e-10)
    assert states[-1].covariance[0, 0].tolist() == pytest.approx(c, rel=1e-7)


def test_a_lazy_step_leaves_the_decomposition():
    states = play(build("cma_es", {"lazy": 3}), REALS, make(), steps=6)[0]
    changed = [not torch.equal(a.lengths, b.lengths) for a, b in zip(states, states[1:], strict=False)]
    assert changed == [False, False, True, False, False, True]
    assert all(
        not torch.equal(a.covariance, b.covariance) for a, b in zip(states, states[1:], strict=False)
    )


def test_the_decomposition_is_that_of_the_covariance():
    state = play(build("cma_es", {"lazy": 1}), REALS, make(), steps=20)[0][-1]
    assert torch.allclose(
        (state.basis * state.lengths.square()) @ state.basis.mT, state.covariance, atol=1e-12
    )


def test_a_long_gap_leaves_the_covariance_positive():
    """Far too rare decompositions: negative weights meet stale lengths, and C is lifted."""
    state = play(build("cma_es", {"lazy": 12}), REALS, make(), dim=3, steps=48)[0][-1]
    assert (torch.linalg.eigvalsh(state.covariance) > 0).all()
    assert state.lengths.isfinite().all()


def told_in_other_coordinates(turn, **options):
    """-> states of a run, and of one in coordinates x' = T x that starts with covariance T T^T and is told the points T x_i: 25 generations."""
    n, worlds = len(turn), range(6)
    optimizer = build("cma_es", {"sigma": 0.5} | options)
    plain = optimizer.init(problem(make(worlds), REALS, n), make(worlds))
    values, basis = distribution.eigen((turn @ turn.T).expand(6, n, n))
    other = plain._replace(
        mean=plain.mean @ turn.T,
        covariance=(turn @ turn.T).expand(6, n, n),
        basis=basis,
        lengths=values.sqrt(),
    )
    for g in range(1, 26):
        query = optimizer.ask(plain, make(worlds).at(g))
        answer = bowl(query, torch.float64)
        plain = optimizer.tell(plain, query, answer, make(worlds))[0]
        other = optimizer.tell(
            other, query._replace(points=query.points @ turn.T), answer, make(worlds)
        )[0]
    return plain, other


TURN = torch.linalg.qr(torch.sin(torch.arange(25, dtype=torch.float64) ** 2).reshape(5, 5)).Q
SHEAR = torch.eye(5, dtype=torch.float64) + 0.5 * torch.cos(
    torch.arange(25, dtype=torch.float64) ** 2
).reshape(5, 5)


@pytest.mark.parametrize(
    ("turn", "options"), [(TURN, {}), (SHEAR, {"lazy": 1000})], ids=["rotation", "affine"]
)
def test_other_coordinates(turn, options):
    """Rotated always, and any affine map while C's root stays the same.

    The run is that in the old coordinates, mapped.
    """
    plain, other = told_in_other_coordinates(turn, **options)
    assert torch.allclose(other.mean, plain.mean @ turn.T, atol=1e-9)
    assert torch.allclose(other.covariance, turn @ plain.covariance @ turn.T, atol=1e-8)
    assert torch.allclose(other.sigma, plain.sigma, rtol=1e-9)


def test_the_diagonal_variant_knows_its_axes():
    """The same check rejects a method that is not invariant under rotations."""
    plain, other = told_in_other_coordinates(TURN, lazy=1000)
    assert torch.allclose(other.sigma, plain.sigma, rtol=1e-9)
    s, optimizer = make(range(6)), build("cma_es", {"covariance": "diagonal"})
    plain = optimizer.init(problem(s, REALS, 5), s)
    other = plain._replace(mean=plain.mean @ TURN.T)
    query = optimizer.ask(plain, s)
    plain, other = (
        optimizer.tell(state, query._replace(points=x), bowl(query, s.dtype), s)[0]
        for state, x in ((plain, query.points), (other, query.points @ TURN.T))
    )
    assert torch.allclose(other.mean, plain.mean @ TURN.T, atol=1e-12)
    assert not torch.allclose(
        torch.diag_embed(other.covariance[:, 0]),
        TURN @ torch.diag_embed(plain.covariance[:, 0]) @ TURN.T,
        atol=1e-3,
    )


# mu_lambda --------------------------------------------------------------------------------------------------


LOG_WEIGHTS = [math.log(4.5) - math.log(k) for k in range(1, 5)]  # of 8 or 9 points
WEIGHTS = [
    ({"population": 8}, [w / sum(LOG_WEIGHTS) for w in LOG_WEIGHTS]),
    ({"population": 20, "parents": 4}, [w / sum(LOG_WEIGHTS) for w in LOG_WEIGHTS]),
    ({"population": 20, "parents": 5, "weights": "equal"}, [0.2] * 5),
    ({"population": 3, "parents": 1}, [1.0]),
    (
        {"population": 40, "parents": 40, "weights": "equal"},
        [1 / 40] * 40,
    ),  # mu_eff > D + 2: more damping
]


@each(("options", "weights"), WEIGHTS, ids=str)
def test_mu_lambda_beside_a_loop(options, weights):
    states, queries, _ = play(build("mu_lambda", {"sigma": 0.4} | options), REALS, make([2]), steps=9)
    mean, sigma = naive.csa([ranked(q) for q in queries], states[0].mean[0, 0].tolist(), 0.4, weights)
    assert states[-1].mean[0, 0].tolist() == pytest.approx(mean, abs=1e-11)
    assert states[-1].sigma.item() == pytest.approx(sigma, rel=1e-11)


def test_infinite_damping_keeps_sigma():
    states = play(build("mu_lambda", {"sigma": 0.4, "damping": math.inf}), REALS, make())[0]
    assert (states[-1].sigma == 0.4).all()
    assert not (play(build("mu_lambda", {"sigma": 0.4}), REALS, make())[0][-1].sigma == 0.4).any()


def test_more_parents_than_the_default_offspring():
    with pytest.raises(
        ValueError,
        match="mu_lambda.parents: expected 1 <= parents <= 9, the default population, got 10",
    ):
        play(build("mu_lambda", {"parents": 10}), REALS, make())


# xnes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"population": 6, "learning_rate": 0.7, "sigma_learning_rate": 0.2, "shape_learning_rate": 0.4},
    ],
    ids=str,
)
def test_xnes_beside_a_loop(options):
    optimizer, s = build("xnes", {"sigma": 0.4} | options), make([2])
    states, queries, _ = play(optimizer, REALS, s)
    mean, sigma, shape = states[0].mean[0, 0].tolist(), 0.4, torch.eye(7).tolist()
    default = (9 + 3 * math.log(7)) / (5 * 7 * math.sqrt(7))
    rates = (
        optimizer.learning_rate,
        options.get("sigma_learning_rate", default),
        options.get("shape_learning_rate", default),
    )
    for g, query in enumerate(queries, 1):
        order = bowl(query, torch.float64).value[0].argsort(stable=True)
        draws = s.at(g).normal("mutation", query.points.shape[1:])[0, order].tolist()
        mean, sigma, shape = naive.xnes(ranked(query), draws, mean, sigma, shape, *rates)
    assert states[-1].mean[0, 0].tolist() == pytest.approx(mean, abs=1e-11)
    assert states[-1].sigma.item() == pytest.approx(sigma, rel=1e-11)
    assert torch.allclose(states[-1].shape[0], torch.tensor(shape, dtype=torch.float64), atol=1e-11)


def test_the_shape_has_determinant_one_and_its_inverse_keeps_up():
    """After 800 steps, on curvatures 1 to 1e6."""
    optimizer, s = build("xnes", {"population": 20, "sigma": 1.0}), make()
    h = 10.0 ** torch.arange(0.0, 7.0, dtype=torch.float64)
    state = play(optimizer, REALS, s, steps=800, answer=lambda q, _: Answer((h * q.points**2).sum(-1)))[
        0
    ][-1]
    assert torch.allclose(torch.linalg.det(state.shape), torch.ones(8, dtype=torch.float64), rtol=1e-8)
    assert torch.allclose(state.shape @ state.inverse, torch.eye(7, dtype=torch.float64), atol=1e-12)
    assert (torch.linalg.cond(state.shape @ state.shape.mT) > 1e4).all()


# pgpe -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{}, {"shaping": "raw", "learning_rate": 0.1, "sigma_learning_rate": 0.5, "limit": 0.05}],
    ids=str,
)
def test_pgpe_beside_a_loop(options):
    optimizer = build("pgpe", {"sigma": 0.4, "population": 8} | options)
    states, queries, _ = play(optimizer, REALS, make([2]))
    mean, sigma = states[0].mean[0, 0].tolist(), [0.4] * 7
    for query in queries:
        value = bowl(query, torch.float64).value
        value = (value if options else operators.centered_ranks(value))[0].tolist()
        steps = ((query.points[0, :4] - query.points[0, 4:]) / 2).tolist()
        mean, sigma = naive.pgpe(
            steps,
            value[:4],
            value[4:],
            mean,
            sigma,
            optimizer.learning_rate,
            optimizer.sigma_learning_rate,
            optimizer.limit,
        )
    assert states[-1].mean[0, 0].tolist() == pytest.approx(mean, abs=1e-11)
    assert states[-1].sigma[0, 0].tolist() == pytest.approx(sigma, rel=1e-11)


# cem --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "n"),
    [({}, 8), ({"population": 25, "fraction": 0.28, "noise": 0.04, "steps": 3, "smoothing": 1.0}, 7)],
    ids=str,
)
def test_cem_beside_a_loop(options, n):
    optimizer = build("cem", {"sigma": 0.4} | options)
    states, queries, _ = play(optimizer, REALS, make([2]))
    mean, sigma = states[0].mean[0, 0].tolist(), [0.4] * 7
    for t, query in enumerate(queries, 1):
        mean, sigma = naive.cem(
            ranked(query), n, mean, sigma, optimizer.smoothing, optimizer.noise * max(0.0, 1 - t / 3)
        )
    assert states[-1].mean[0, 0].tolist() == pytest.approx(mean, abs=1e-11)
    assert states[-1].sigma[0, 0].tolist() == pytest.approx(sigma, rel=1e-11)
