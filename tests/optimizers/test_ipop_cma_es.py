"""Restarts of CMA-ES: when they come, what they keep, and what they are good for."""

import math

import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import Answer, Problem, Query, Reals
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams
from tests.support.each import each
from tests.support.play import bowl, build, make, play, problem

REALS = Reals()
LOOSE = {
    "population": 5,
    "tol_fun": 0.02,
    "restarts": 3,
    "sigma": 0.3,
}  # restarts every twenty steps or so, of each world at its own time
RUN = ("mean", "sigma", "path_sigma", "path_c", "covariance", "basis", "lengths", "step")


def of_run(state):
    return [getattr(state, name) for name in RUN]


def ragged(states):
    """At how many steps worlds had populations of different sizes."""
    return sum(len(set(state.restarts.tolist())) > 1 for state in states)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_until_a_restart_it_is_cma_es_and_then_another(covariance):
    """Bit for bit: a run is CMA-ES of its own population, from its own start, at the steps that it has."""
    options = LOOSE | {"covariance": covariance}
    states, queries, infos = play(build("ipop_cma_es", options), REALS, make(), 3, steps=70)
    starts = problem(make(), REALS, 3).start(4)
    assert torch.equal(states[0].starts, starts)
    restarts = torch.stack([state.restarts for state in states])
    assert restarts[-1].min() >= 1
    assert ragged(states) > 1
    for world in (0, 3, 7):
        s, run, other = make([world]), -1, None
        for step, (state, query, info) in enumerate(zip(states[:-1], queries, infos, strict=True), 1):
            if state.restarts[world] > run:  # a fresh one
                run = int(state.restarts[world])
                cma = build(
                    "cma_es", {"population": 5 * 2**run, "sigma": 0.3, "covariance": covariance}
                )
                other = cma.init(
                    Problem(3, REALS, True, lambda n, r=run, w=world: starts[w : w + 1, r : r + n]), s
                )
            assert all(
                torch.equal(a[world : world + 1], b) for a, b in zip(of_run(state), other, strict=True)
            )
            assert query.alive[world].tolist() == [
                place < 5 * 2**run for place in range(query.points.shape[1])
            ]
            asked = cma.ask(other, s.at(step))
            assert torch.equal(asked.points[0], query.points[world, : 5 * 2**run])
            other, _ = cma.tell(other, asked, bowl(asked, torch.float64), s.at(step))
            assert int(states[step].restarts[world]) == run + int(info["restarted"][world])
    widths = torch.stack([5 * 2 ** state.restarts.max() for state in states[:-1]])
    assert widths.tolist() == [query.points.shape[1] for query in queries]


@each(
    ("options", "dtype"),
    [
        ({}, torch.float32),
        ({"covariance": "diagonal", "growth": 3}, torch.float64),
        ({"growth": 1}, torch.float32),
    ],
    ids=str,
)
def test_ragged_worlds_do_not_meet(options, dtype):
    """Alone or beside worlds with larger populations, and beside worlds without a value: the same bits."""
    optimizer = build("ipop_cma_es", LOOSE | options)
    whole = play(optimizer, REALS, make(dtype=dtype), 3, steps=55)[0]
    assert ragged(whole) > 1
    for world in (5, 2):
        alone = play(optimizer, REALS, make([world], dtype=dtype), 3, steps=55)[0]
        assert all(
            same([field[world : world + 1] for field in a], b)
            for a, b in zip(whole, alone, strict=True)
        )
        assert torch.equal(optimizer.recommend(alone[-1])[0], optimizer.recommend(whole[-1])[world])

    def answer(query, dtype):
        value = bowl(query, dtype).value.clone()
        value[3] = math.nan
        return Answer(value)

    spoilt = play(optimizer, REALS, make(dtype=dtype), 3, steps=55, answer=answer)[0][-1]
    others = [0, 1, 2, 4, 5, 6, 7]
    assert all(torch.equal(a[others], b[others]) for a, b in zip(spoilt, whole[-1], strict=True))


def test_after_the_last_restart_it_runs_on():
    """With none at all it is CMA-ES for good."""
    last = play(build("ipop_cma_es", LOOSE | {"restarts": 1}), REALS, make(), 3, steps=90)[0][-1]
    assert last.restarts.tolist() == [1] * 8
    assert (last.value < 1e-4).all()
    ours = play(build("ipop_cma_es", LOOSE | {"restarts": 0}), REALS, make(), 3, steps=60)[0][-1]
    assert same(
        of_run(ours),
        play(build("cma_es", {"population": 5, "sigma": 0.3}), REALS, make(), 3, steps=60)[0][-1],
    )


def test_rows_that_are_not_alive_change_nothing():
    """Whatever is answered there."""
    optimizer = build("ipop_cma_es", LOOSE)

    def answer(query, dtype):
        value = bowl(query, dtype).value
        return Answer(torch.where(query.alive, value, -1e6))

    plain, padded = (
        play(optimizer, REALS, make(), 3, steps=55)[0],
        play(optimizer, REALS, make(), 3, steps=55, answer=answer)[0],
    )
    assert ragged(plain) > 1
    assert same(plain[-1], padded[-1])


def test_the_better_run_is_recommended():
    """The last mean of a run that ended stays recommended until the median of the run that goes on is lower; then that run's mean."""
    optimizer = build("ipop_cma_es", LOOSE)
    states, queries, infos = play(optimizer, REALS, make(), 3, steps=70)
    kept, best = [None] * 8, [math.inf] * 8
    switched = 0
    for before, query, info, state in zip(states[:-1], queries, infos, states[1:], strict=True):
        value = bowl(query, torch.float64).value
        cma = {int(size): build("cma_es", {"population": int(size)}) for size in before.size.unique()}
        for r in range(8):
            size = int(before.size[r])
            median = value[r, :size].median().item()
            if info["restarted"][r]:
                run = type(before)(*(field[r : r + 1] for field in before))
                from_cma = cma[size].tell(
                    cma_state(run),
                    Query(query.points[r : r + 1, :size]),
                    Answer(value[r : r + 1, :size]),
                    make(),
                )[0]
                if median < best[r]:
                    kept[r], best[r] = from_cma.mean[0, 0], median
                median = math.inf
            expected = kept[r] if best[r] < median else state.mean[r, 0]
            switched += best[r] < math.inf and best[r] >= median
            assert torch.equal(optimizer.recommend(state)[r], expected)
    assert switched > 0


def cma_state(state):
    """The run of one world, as CMA-ES knows it."""
    plain = build("cma_es", {}).init(problem(make([0]), REALS, 3), make([0]))
    return plain._replace(**{name: getattr(state, name) for name in RUN})


# the stop conditions ----------------------------------------------------------------------------------------


def settled(covariance="full", **changes):
    """A run of two dimensions with P = 30, H = 12, far from any end; axes turned by 30 degrees."""
    optimizer = build("ipop_cma_es", {"population": 30, "covariance": covariance, "sigma": 1.0})
    state = optimizer.init(problem(make([0]), REALS, 2), make([0]))
    c, s = math.cos(math.pi / 6), math.sin(math.pi / 6)
    basis, lengths = (
        torch.tensor([[[c, -s], [s, c]]], dtype=torch.float64),
        torch.tensor([[[0.5, 2.0]]], dtype=torch.float64),
    )
    full = (basis * lengths.square()) @ basis.mT
    state = state._replace(
        mean=torch.tensor([[[3.0, -2.0]]], dtype=torch.float64),
        lengths=lengths,
        lowest=torch.linspace(2, 1, 12, dtype=torch.float64)[None],
        **(
            {"basis": basis, "covariance": full}
            if covariance == "full"
            else {"covariance": lengths.square()}
        ),
    )
    changed = {
        key: torch.as_tensor(value, dtype=torch.float64).view_as(getattr(state, key))
        for key, value in changes.items()
    }
    return optimizer, state._replace(**changed)


def ends(optimizer, state, highest=3.0):
    return bool(optimizer.stopped(state, torch.tensor([highest], dtype=torch.float64)))


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_a_run_that_goes_on(covariance):
    assert not ends(*settled(covariance))


@each(
    ("lowest", "highest", "end"),
    [
        ([1.0] * 12, 3.0, True),  # EqualFunValHist
        ([1.0] * 11 + [1.0 + 1e-15], 3.0, False),
        ([math.inf] + [1.0] * 11, 3.0, False),  # too young
        ([math.inf] * 12, math.inf, False),
        ([1.0 + 5e-13] * 6 + [1.0] * 6, 1.0 + 8e-13, True),  # TolFun
        ([1.0 + 5e-13] * 6 + [1.0] * 6, 1.0 + 2e-12, False),
        ([1.0 + 2e-12] * 6 + [1.0] * 6, 1.0, False),
        ([math.inf] + [1.0] * 10 + [1.0 + 1e-15], 1.0, False),
    ],
)
def test_values_that_no_longer_differ(lowest, highest, end):
    optimizer, state = settled(lowest=lowest)
    assert ends(optimizer, state, highest) == end


def test_a_large_population_looks_back_less():
    """H = 10 + ceil(30 D / P): with P = 60 eleven generations in place of twelve."""
    optimizer, state = settled(lowest=[2.0] + [1.0] * 11)
    assert not ends(optimizer, state)
    assert ends(optimizer, state._replace(size=torch.tensor([60])))
    optimizer, state = settled(lowest=[2.0, 2.0] + [1.0] * 10)
    assert not ends(optimizer, state._replace(size=torch.tensor([60])))


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_a_small_distribution(covariance):
    """TolX: both the standard deviations, here at most 2, and the path."""
    assert ends(*settled(covariance, mean=[0.0, 0.0], sigma=4e-13))
    assert not ends(*settled(covariance, mean=[0.0, 0.0], sigma=6e-13))
    assert not ends(*settled(covariance, mean=[0.0, 0.0], sigma=4e-13, path_c=[0.0, -3.0]))
    assert ends(*settled(covariance, mean=[0.0, 0.0], sigma=4e-13, path_c=[0.0, -2.0]))
    assert not ends(*settled(covariance, mean=[0.0, 0.0], sigma=4e-13, first_sigma=0.1))


def test_a_distribution_that_no_longer_moves_the_mean():
    """NoEffectAxis: 0.1 sigma of the shorter axis; NoEffectCoord: 0.2 sigma in one coordinate."""
    far = [1e8, 1e8]  # where numbers are 1.5e-8 apart
    assert ends(*settled(mean=far, sigma=1e-7))  # the short axis has 0.1 * 1e-7 * 0.5 * cos 30
    assert not ends(*settled(mean=far, sigma=1e-6))
    assert ends(*settled("diagonal", mean=far, sigma=1e-7))
    assert not ends(*settled("diagonal", mean=far, sigma=1e-6))
    assert ends(*settled(mean=[1e8, 1e-3], sigma=1e-8))  # no axis is without effect, one coordinate is
    assert not ends(*settled(mean=[1e-3, 1e-3], sigma=1e-8))


def test_axes_are_the_columns_of_the_basis():
    """The short axis lies along the coordinate that is far out."""
    optimizer = build("ipop_cma_es", {"population": 30})
    state = optimizer.init(problem(make([0]), REALS, 3), make([0]))
    basis = torch.eye(3, dtype=torch.float64)[[2, 0, 1]][None]
    lengths = torch.tensor([[[0.3, 0.3, 5e-8]]], dtype=torch.float64)
    mean = torch.tensor([[[1.0, 1.0, 1.0]]], dtype=torch.float64)
    long, one = (basis * lengths.square()) @ basis.mT, torch.ones_like(state.sigma)
    axis = int(basis[0, :, 2].argmax())
    mean[..., axis] = 1e8
    state = state._replace(mean=mean, basis=basis, lengths=lengths, covariance=long, sigma=one)
    assert ends(optimizer, state, math.inf)
    assert not ends(optimizer, state._replace(mean=torch.ones_like(mean)), math.inf)
    assert not ends(optimizer, state._replace(basis=basis.mT), math.inf)


def test_an_ill_conditioned_covariance():
    """ConditionCov: the ratio of the squared lengths."""
    assert ends(*settled("diagonal", lengths=[1e-4, 1.01e3]))
    assert not ends(*settled("diagonal", lengths=[1e-4, 0.99e3]))


# what restarts are good for ---------------------------------------------------------------------------------


def solved(kind, function, dim, budget, worlds, precision=1e-6):
    """Whether, and at what cost at most the budget, the recommendation came within the precision.

    (R,), inf if never.
    """
    streams, optimizer = Streams(seed=5, worlds=torch.arange(worlds)), build(kind, {})
    landscape = LANDSCAPES["bbob"](function=function, dim=dim).bind(streams)
    state = optimizer.init(
        Problem(dim, landscape.domain, True, lambda n: landscape.start(streams.at(0), n)), streams.at(0)
    )
    spent, cost, t = torch.zeros(worlds), torch.full((worlds,), math.inf), 0
    while spent.min() < budget:
        s = streams.at(t := t + 1)
        query = optimizer.ask(state, s)
        state, _ = optimizer.tell(state, query, evaluate(landscape, query.points), s)
        spent += query.points.shape[1] if query.alive is None else query.alive.sum(1)
        loss = evaluate(landscape, optimizer.recommend(state)[:, None]).value[:, 0]
        cost = torch.where((loss < precision) & (spent <= budget), cost.minimum(spent), cost)
    return cost


RUGGED = [
    pytest.param(15, 2, 3000, 32, marks=pytest.mark.verify),  # each run of it: bit for bit above
    pytest.param(3, 3, 8000, 24, marks=pytest.mark.verify),
    pytest.param(15, 5, 25_000, 24, marks=pytest.mark.verify),
]


@pytest.mark.parametrize(("function", "dim", "budget", "worlds"), RUGGED)
def test_restarts_solve_what_one_run_does_not(function, dim, budget, worlds):
    """Rastrigin functions at equal cost.

    What CMA-ES solves is solved as soon, and more, by 4.5 standard errors.
    """
    plain, ours = (solved(kind, function, dim, budget, worlds) for kind in ("cma_es", "ipop_cma_es"))
    assert (ours <= plain).all()
    more = (ours < plain).double()
    assert more.mean() > 4.5 * more.std() / worlds**0.5
