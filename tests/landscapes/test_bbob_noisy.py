"""The noisy BBOB functions: noise-free parts beside COCO's, noise laws beside plain numpy."""

import functools

import cocoex
import numpy as np
import pytest
import scipy.stats
import torch

from landscapes.bbob.noisy import BBOBNoisy
from landscapes.oracle.bill import Bill
from landscapes.oracle.evaluation import evaluate
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle, Query
from landscapes.streams import Streams
from tests.references import noise as reference
from tests.support.each import each

NUMBERS = range(101, 131)
DRAWS = 10_000


def streams(worlds, dtype=torch.float64, step=1):
    return Streams(seed=19, worlds=torch.as_tensor(worlds), dtype=dtype, step=step)


def places(dim, count=6):
    """Points inside the box, and as many outside."""
    x = np.random.Generator(np.random.PCG64(dim)).uniform(-5, 5, (count, dim))
    return np.concatenate([x, 1.5 * x])


def bind(function, dim, instance):
    return BBOBNoisy(function=function, dim=dim, instance=instance).bind(streams([0]))


# the part without noise -------------------------------------------------------------------------------------


@each("function", NUMBERS)
@pytest.mark.parametrize(
    ("dim", "instance"), [(2, 1), (5, 3), (20, 101), pytest.param(40, 2026, marks=pytest.mark.verify)]
)
def test_the_noise_free_part_is_that_of_the_benchmark(function, dim, instance):
    import cma.bbobbenchmarks  # which takes its time

    bound, theirs = bind(function, dim, instance), cma.bbobbenchmarks.instantiate(function, instance)[0]
    x = places(dim)
    wanted = np.array([theirs._evalfull(row)[1] for row in x])
    found = bound.loss(torch.from_numpy(x)[None])[0].numpy()
    assert float(bound.f_opt) == theirs.fopt
    np.testing.assert_allclose(bound.optimum[0], theirs.xopt, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found + theirs.fopt, wanted, rtol=1e-9)
    np.testing.assert_allclose(
        found, wanted - theirs.fopt, rtol=1e-9, atol=1e-9 * abs(theirs.fopt) + 1e-12
    )
    assert not np.allclose(
        found,
        BBOBNoisy(function=function, dim=dim, instance=instance + 1)
        .bind(streams([0]))
        .loss(torch.from_numpy(x)[None])[0],
    )


@functools.cache
def suite():
    return cocoex.Suite("bbob-noisy", "", "")


@each("function", range(103, 131, 3))
@each(("dim", "instance"), [(2, 1), (10, 4)])
def test_with_the_noise_that_is_seldom_coco_shows_its_noise_free_part(function, dim, instance):
    """Most draws of Cauchy noise are the constant 1000 alpha: the median of COCO's values is exact."""
    problem = suite().get_problem_by_function_dimension_instance(function, dim, instance)
    bound, x = bind(function, dim, instance), places(dim, 3)
    constant = (10 if function < 107 else 1000) + 1.01e-8
    theirs = np.array([np.median([problem(row) for _ in range(25)]) for row in x]) - constant
    np.testing.assert_allclose(
        bound.loss(torch.from_numpy(x)[None])[0].numpy() + float(bound.f_opt), theirs, rtol=1e-9
    )


@each("function", NUMBERS)
@each("dim", [2, 3, 7])
def test_the_optimum_is_seen_without_noise_and_slopes_are_finite(function, dim):
    bound = BBOBNoisy(function=function, dim=dim).bind(streams([0, 1]))
    answer = evaluate(bound, bound.optimum[:, None], gradient=True)
    assert answer.value.abs().max() <= 1e-12
    assert answer.gradient.isfinite().all()
    assert torch.equal(
        bound.observe(answer.value, bound.optimum[:, None], streams([0, 1])), answer.value
    )


@each("function", [104, 107, 116, 119, 122])
def test_single_precision_agrees_with_double(function):
    x = torch.from_numpy(places(5))[None]
    double, single = (
        BBOBNoisy(function=function, dim=5, instance=2).bind(streams([0], dtype))
        for dtype in (torch.float64, torch.float32)
    )
    torch.testing.assert_close(single.loss(x.float()).double(), double.loss(x), rtol=1e-4, atol=1e-4)


# the noise --------------------------------------------------------------------------------------------------

UNIFORM = 0.49 + 1 / 3  # in three dimensions
LAWS = {  # functions -> (the law, wrong ones)
    101: (
        functools.partial(reference.gauss, beta=0.01),
        [functools.partial(reference.gauss, beta=0.012)],
    ),
    102: (
        functools.partial(reference.uniform, alpha=0.01 * UNIFORM, beta=0.01),
        [
            functools.partial(reference.uniform, alpha=0.01 * UNIFORM, beta=0.0),
            functools.partial(reference.uniform, alpha=0.0049, beta=0.01),
        ],
    ),
    103: (
        functools.partial(reference.cauchy, alpha=0.01, p=0.05),
        [functools.partial(reference.cauchy, alpha=0.01, p=0.2)],
    ),
    107: (functools.partial(reference.gauss, beta=1.0), [functools.partial(reference.gauss, beta=1.2)]),
    108: (
        functools.partial(reference.uniform, alpha=UNIFORM, beta=1.0),
        [
            functools.partial(reference.uniform, alpha=0.49, beta=1.0),
            functools.partial(reference.uniform, alpha=UNIFORM, beta=0.5),
        ],
    ),
    109: (
        functools.partial(reference.cauchy, alpha=1.0, p=0.2),
        [functools.partial(reference.cauchy, alpha=1.0, p=0.05)],
    ),
}


def observed(function, gap, dtype=torch.float64, away=0.0):
    """Noisy values of a point with this gap, and with a coordinate outside the box by `away`: (DRAWS,)."""
    landscape = BBOBNoisy(function=function, dim=3)
    x = torch.zeros((100, DRAWS // 100, 3), dtype=dtype)
    x[..., 1] = -5 - away if away else 0.0
    value = torch.full(x.shape[:2], gap + 100 * away**2, dtype=dtype)
    return landscape.observe(value, x, streams(torch.arange(100), dtype)).flatten().double().numpy()


def agree(sample, law, gap, away=0.0, dtype=np.float64):
    """Kolmogorov-Smirnov p-value of a sample and as many draws of a law."""
    rng = np.random.Generator(np.random.PCG64(1))
    draws = [
        reference.seen(gap, (0, -5 - away, 0), lambda f, rng: law(f, rng=rng), rng)
        for _ in range(DRAWS)
    ]
    return scipy.stats.ks_2samp(sample, np.array(draws, dtype)).pvalue


class Given:
    """A generator whose next numbers are given."""

    def __init__(self, uniforms, normals):
        self.uniforms, self.normals = iter(uniforms), iter(normals)

    def random(self):
        return next(self.uniforms)

    def standard_normal(self):
        return next(self.normals)


def draws_of(law):
    """The uniform and the normal numbers that a law asks for, each of 5 worlds with 40 points."""

    def drawn(kind, *given):
        return getattr(streams(torch.arange(5)), kind)("evaluation", *given).flatten().tolist()

    if law.func is reference.gauss:
        return [], [drawn("normal", (40,), 2)]
    if law.func is reference.uniform:
        return [drawn("uniform", (40,), part) for part in (2, 3)], []
    jumps = drawn("bernoulli", law.keywords["p"], (40,), 2)
    return [[1.0 - jump for jump in jumps]], [drawn("normal", (40,), part) for part in (3, 4)]


@each("first", LAWS)
@each("gap", [2e-8, 3.0, 1e6, 1e12])
def test_noise_beside_a_loop(first, gap):
    """Of the same draws, also where the factor that grows as the gap shrinks has come down to 1."""
    law, value = LAWS[first][0], torch.full((5, 40), gap, dtype=torch.float64)
    points = torch.zeros((5, 40, 3), dtype=torch.float64)
    found = BBOBNoisy(function=first, dim=3).observe(value, points, streams(torch.arange(5)))
    kinds, expected = draws_of(law), []
    for i in range(200):
        told = Given(*([draws[i] for draws in kind] for kind in kinds))
        expected.append(reference.seen(gap, (0, 0, 0), lambda f, rng: law(f, rng=rng), told))
    np.testing.assert_allclose(found.flatten(), expected, rtol=1e-12)


@pytest.mark.verify
@each("first", LAWS)
@each("gap", [2e-8, 3.0, 1e6])
def test_noise_follows_its_law(first, gap):
    law, wrong = LAWS[first]
    sample = observed(first, gap)
    assert agree(sample, law, gap) > 1e-3
    if gap == 3.0:
        assert all(agree(sample, other, gap) < 1e-9 for other in wrong)
        assert agree(observed(first, gap, torch.float32), law, gap, dtype=np.float32) > 1e-3


@each("first", LAWS)
def test_there_is_no_noise_on_the_penalty(first):
    law, sample = LAWS[first][0], observed(first, 3.0, away=0.5)
    assert agree(sample, law, 3.0, away=0.5) > 1e-3
    assert (
        law.func is reference.cauchy or agree(sample, lambda f, rng: law(f + 25, rng=rng), 3.0) < 1e-9
    )


@each("function", NUMBERS)
def test_every_function_has_the_noise_of_its_number(function):
    same = 101 + (function - 101) % 3 + (6 if function > 106 else 0)
    assert np.array_equal(observed(function, 3.0), observed(same, 3.0))
    assert not np.array_equal(
        observed(function, 3.0), observed(same - 6 if same > 106 else same + 6, 3.0)
    )


@each("function", LAWS)
def test_below_the_precision_there_is_no_noise(function):
    assert (observed(function, 0.99e-8) == 0.99e-8).all()
    assert (observed(function, 1.01e-8) != 1.01e-8).all()


def test_seldom_cauchy_noise_is_as_seldom_as_it_says():
    for function, chance, alpha in ((103, 0.05, 0.01), (109, 0.2, 1.0)):
        jumps = (observed(function, 3.0) - 3.0 - 1.01e-8) / alpha - 1000
        moved = jumps[np.abs(jumps) > 1e-9]
        assert abs(len(moved) / DRAWS - chance) <= 4.5 * (chance * (1 - chance) / DRAWS) ** 0.5
        assert scipy.stats.kstest(moved, "cauchy").pvalue > 1e-3
        assert scipy.stats.kstest(moved, "norm").pvalue < 1e-6


@each("function", LAWS)
@each("dtype", [torch.float64, torch.float32])
def test_noise_does_not_see_the_other_worlds(function, dtype):
    worlds = torch.arange(8)
    bound = BBOBNoisy(function=function, dim=3).bind(streams(worlds, dtype))
    x = bound.start(streams(worlds, dtype), 17)
    together = bound.observe(bound.loss(x), x, streams(worlds, dtype))
    assert together.dtype == dtype
    for some in ([5, 2], [7]):
        one = BBOBNoisy(function=function, dim=3).bind(streams(some, dtype))
        alone = one.observe(one.loss(x[some]), x[some], streams(some, dtype))
        assert torch.equal(together[some], alone)
        fewer = one.observe(one.loss(x[some, :3]), x[some, :3], streams(some, dtype))
        assert torch.equal(fewer, alone[:, :3]), "more points keep the earlier draws"


def test_the_oracle_answers_with_noise_and_measures_without():
    bound = BBOBNoisy(function=107, dim=3).bind(streams([0, 1]))
    oracle = Oracle(bound, Noise(), Bill(2, terms=1, budget=100.0))
    x = bound.start(streams([0, 1]), 4)
    first, again, next_step = (oracle(Query(x), streams([0, 1], step=step)).value for step in (1, 1, 2))
    assert bound.noisy
    assert torch.equal(first, again)
    assert not torch.equal(first, bound.loss(x))
    assert not torch.equal(first, next_step)
    ratio = (first - 1.01e-8) / bound.loss(x)
    torch.testing.assert_close(ratio.log(), streams([0, 1]).normal("evaluation", (4,), part=2))
    assert torch.equal(bound.solution_loss(x), bound.loss(x))


@each(
    ("make", "message"),
    [
        (lambda: BBOBNoisy(function=100), "bbob_noisy.function: expected >= 101, got 100"),
        (lambda: BBOBNoisy(function=131), "bbob_noisy.function: expected <= 130, got 131"),
        (lambda: BBOBNoisy(dim=1), "bbob_noisy.dim: expected >= 2, got 1"),
        (lambda: BBOBNoisy(instance=0), "bbob_noisy.instance: expected >= 1, got 0"),
    ],
)
def test_parameters_out_of_range_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
