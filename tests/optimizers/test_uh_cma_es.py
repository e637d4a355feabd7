"""CMA-ES that evaluates points again: beside loops, and what it promises with and without noise."""

import itertools
import math

import numpy as np
import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import Answer, Problem, Query, Reals
from landscapes.oracle.bill import Bill
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from optimizers.evolution_strategies import uncertainty
from optimizers.operators import averaged
from tests.references import evolution_strategies as naive
from tests.references import uncertainty as reference
from tests.support.each import each
from tests.support.play import bowl, build, make, play, problem

REALS = Reals()
LOUD = torch.tensor([0.0, 0.003, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0], dtype=torch.float64)[:, None]


def noisy(worlds=range(8), scale=LOUD, values=bowl):
    """An answer whose noise differs by world, at the same addresses whoever else is there."""
    steps, worlds = itertools.count(1), list(worlds)

    def answer(query, dtype):
        noise = make(worlds, dtype).at(next(steps)).normal("evaluation", query.points.shape[1:2])
        return Answer(values(query, dtype).value + scale[worlds].to(dtype) * noise)

    return answer


# the measure ------------------------------------------------------------------------------------------------


def observed(size, anew, ties):
    """Values of points in 40 worlds, and of the first of them anew; many equal ones with `ties`."""
    generator = np.random.default_rng(size + anew)
    first = generator.normal(size=(40, size))
    second = first[:, :anew] + generator.normal(size=(40, anew)) * np.linspace(0.02, 2, 40)[:, None]
    return (values.round() if ties else values for values in (first, second))


@each("theta", [0.0, 0.2, 0.77, 2.0])
@each("ties", [False, True])
@each(("size", "anew"), [(2, 1), (2, 2), (7, 2), (12, 12), (25, 5)])
def test_uncertainty_and_order_beside_a_loop(size, anew, ties, theta):
    first, second = observed(size, anew, ties)
    seen = uncertainty.twice(torch.tensor(first), torch.tensor(second))
    s = uncertainty.uncertainty(seen, anew, torch.full((40,), theta, dtype=torch.float64))
    places = uncertainty.places(seen, anew)
    for world in range(0, 40, 3):
        told, order = reference.measured(first[world].tolist(), second[world].tolist(), theta)
        assert s[world].item() == pytest.approx(told, abs=1e-12)
        assert places[world].argsort().tolist() == order


def test_a_change_of_rank_by_hand():
    """1 2 3 4, the first anew at 3.5: between lie 2, 3 and their copies, and its ranks of 7 are 1 and 5.

    Ranks are 0 1 2 .. 6 away from 1, and 0 1 1 2 2 3 4 from 5; the 10th percentile of seven numbers is place
    0.7 - 0.5, which is 0.2 of both: s = 2 * 4 - 0.4. Sums of ranks: 1 + 6, 2.5 + 2.5, 4.5 + 4.5, 7.5 + 7.5.
    """
    first, anew = (torch.tensor([row], dtype=torch.float64) for row in ([1, 2, 3, 4], [3.5]))
    seen = uncertainty.twice(first, anew)
    assert uncertainty.changes(seen)[0, 0] == 4
    assert uncertainty.uncertainty(seen, 1, torch.tensor([0.2])).item() == pytest.approx(7.6)
    assert uncertainty.places(seen, 1).tolist() == [[1, 0, 2, 3]]


def test_no_number_is_the_worst():
    first, anew = torch.tensor([[math.nan, 1.0, 2.0]]), torch.tensor([[0.0]])
    seen = uncertainty.twice(first, anew)
    assert uncertainty.changes(seen)[0, 0] == 4
    assert uncertainty.uncertainty(seen, 1, torch.tensor([0.2])) > 0
    both = uncertainty.twice(first, first[:, :1])
    assert uncertainty.places(both, 1).tolist() == [[2, 0, 1]]
    assert uncertainty.uncertainty(both, 1, torch.tensor([0.2])) <= 0


def test_a_mean_is_over_the_evaluations_of_its_own_world():
    value = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [math.nan, math.inf]]]).expand(3, 3, 2)
    means = averaged(value[:, :2].repeat(1, 2, 1), torch.tensor([1, 2, 3]))
    assert means.tolist()[:2] == [[1.0, 2.0], [2.0, 4.0]]
    assert means[2].tolist() == pytest.approx([5 / 3, 10 / 3])
    assert averaged(value, torch.tensor([1, 2, 2])).isfinite().all()


# the method -------------------------------------------------------------------------------------------------

OPTIONS = {"population": 6, "sigma": 0.5, "covariance": "diagonal", "reevaluated": 3, "largest": 999}


def test_beside_a_loop():
    """Fifteen noisy steps of eight worlds: s and evaluations step by step, mean, sigma and C at the end."""
    optimizer = build("uh_cma_es", OPTIONS)
    told, answer = [], noisy()

    def kept(query, dtype):
        told.append(answer(query, dtype))
        return told[-1]

    states, queries, infos = play(optimizer, REALS, make(), 3, steps=15, answer=kept)
    for world in range(8):
        times, generations = 1.0, []
        for step, (query, value, info) in enumerate(zip(queries, told, infos, strict=True)):
            t = math.floor(times)
            assert query.alive[world].tolist() == [k < 9 * t for k in range(query.points.shape[1])]
            points, values = query.points[world].tolist(), value.value[world].tolist()
            assert points[: 9 * t] == (points[:6] + points[:3]) * t
            means = [sum(values[k : 9 * t : 9]) / t for k in range(9)]
            s, order = reference.measured(means[:6], means[6:], 0.2)
            assert info["uncertainty"][world].item() == pytest.approx(s, abs=1e-12)
            generations.append([points[i] for i in order])
            times, wide = reference.treated(times, s, 1.5, 999)
            assert not wide
            assert states[step + 1].repeats[world].item() == times
        start = states[0].mean[world, 0].tolist()
        mean, sigma, c = naive.separable_cma(generations, start, 0.5)
        last = states[-1]
        np.testing.assert_allclose(last.mean[world, 0], mean, rtol=1e-9)
        np.testing.assert_allclose(last.sigma[world].item(), sigma, rtol=1e-9)
        np.testing.assert_allclose(last.covariance[world, 0], c, rtol=1e-9)
    assert states[-1].times.unique().numel() > 2  # worlds go their own ways
    assert states[-1].times[0] == 1


@each("dtype", [torch.float64, torch.float32])
@each("options", [{}, {"covariance": "full", "acceptance": 0.6, "largest": 4}], ids=str)
def test_ragged_worlds_do_not_meet(options, dtype):
    """Alone or beside worlds that evaluate more often: the same bits."""
    optimizer = build("uh_cma_es", OPTIONS | options)
    whole = play(optimizer, REALS, make(dtype=dtype), 3, steps=15, answer=noisy())[0]
    assert whole[-1].times.unique().numel() > 1
    for world in (2, 5):
        alone = play(optimizer, REALS, make([world], dtype=dtype), 3, steps=15, answer=noisy([world]))[
            0
        ]
        for a, b in zip(whole, alone, strict=True):
            assert all(torch.equal(x[[world]], y) for x, y in zip(a, b, strict=True))


@each(
    ("field", "numbers"),
    [("acceptance", [0.0, 0.4, 2.0]), ("growth", [1.0, 1.3, 2.5]), ("sigma_growth", [1.0, 1.2, 3.0])],
)
def test_one_number_for_each_world(field, numbers):
    """Under noise, where they matter: a batch is the runs with each number, which differ."""
    options, scale = OPTIONS | {"largest": 3}, torch.full((3, 1), 2.0, dtype=torch.float64)
    given = options | {field: torch.tensor(numbers, dtype=torch.float64)}
    streams = make(range(3))
    last = play(build("uh_cma_es", given), REALS, streams, 3, 9, noisy(range(3), scale))[0][-1]
    for row, number in enumerate(numbers):
        optimizer = build("uh_cma_es", options | {field: number})
        alone = play(optimizer, REALS, make([row]), 3, 9, noisy([row], scale))[0][-1]
        assert all(torch.equal(x[[row]], y) for x, y in zip(last, alone, strict=True))
    default = play(build("uh_cma_es", options), REALS, make(range(3)), 3, 9, noisy(range(3), scale))
    same = (default[0][-1].sigma == last.sigma).flatten() & (default[0][-1].repeats == last.repeats)
    assert not same.all()


def test_rows_that_are_not_alive_change_nothing():
    optimizer, answer = build("uh_cma_es", OPTIONS), noisy()

    def padded(query, dtype):
        return Answer(torch.where(query.alive, answer(query, dtype).value, math.nan))

    plain = play(optimizer, REALS, make(), 3, steps=15, answer=noisy())[0][-1]
    told = play(optimizer, REALS, make(), 3, steps=15, answer=padded)[0][-1]
    assert plain.times.unique().numel() > 2
    assert all(torch.equal(a, b) for a, b in zip(plain, told, strict=True))


def stepped(query, dtype):
    """The bowl in steps of a quarter, on which many points are equal."""
    return Answer((4 * bowl(query, dtype).value).round() / 4)


def flat(query, dtype):
    """No landscape at all."""
    return Answer(torch.zeros_like(bowl(query, dtype).value))


@each("values", [bowl, stepped, flat])
@each("options", [{}, {"covariance": "diagonal"}, {"population": 2}, {"population": 40}], ids=str)
def test_without_noise_it_is_cma_es_to_the_bit(values, options):
    """Also where points are equal: no value lies between one and itself."""
    ours, queries, infos = play(build("uh_cma_es", options), REALS, make(), 4, 12, values)
    theirs = play(build("cma_es", options), REALS, make(), 4, 12, values)[0]
    assert all(torch.equal(a, b) for a, b in zip(ours[-1].run, theirs[-1], strict=True))
    assert all((info["uncertainty"] <= 0).all() for info in infos)
    assert all((state.repeats == 1).all() for state in ours)
    size = options.get("population", 8)
    assert all(query.points.shape[1] == size + max(2, size // 10) for query in queries)


def held(scale, start, steps=60, worlds=24, **options):
    """The evaluations of a point after each step of a search whose distribution is held: (steps, R).

    Of points on a slope, whose values have standard deviation 1.
    """
    optimizer = build("uh_cma_es", {"population": 10, "sigma": 1.0, "reevaluated": 10} | options)
    streams = make(range(worlds))
    first = optimizer.init(problem(streams, REALS, 1), streams.at(0))
    state, seen = first._replace(repeats=torch.full_like(first.repeats, start)), []
    for step in range(1, steps + 1):
        s = streams.at(step)
        query = optimizer.ask(state, s)
        noise = scale * s.normal("evaluation", query.points.shape[1:2])
        state, _ = optimizer.tell(state, query, Answer(query.points[..., 0] + noise), s)
        state = type(state)(*first[:8], repeats=state.repeats)
        seen.append(state.repeats)
    return torch.stack(seen)


def test_evaluations_rise_until_ranks_change_as_little_as_is_accepted():
    """The deviation of a mean is scale / sqrt(t): twice the noise, four times the evaluations.

    Coming from one or from many. A step multiplies by 1.5, so a world's logarithm varies by that; the mean of
    24 worlds over 40 steps is known to 0.05.
    """
    levels = [
        held(scale, start, largest=2000)[20:].log().mean()
        for scale in (1.0, 2.0)
        for start in (1.0, 2000.0)
    ]
    few, more = levels[:2], levels[2:]
    assert math.exp(few[0]) > 10
    assert all(abs(a - b) < 0.25 for a, b in (few, more))
    assert sum(more) / 2 - sum(few) / 2 == pytest.approx(math.log(4), abs=0.25)


def test_what_is_accepted_sets_the_level():
    """A larger theta asks for fewer evaluations."""
    levels = [
        held(1.0, 30.0, acceptance=theta, largest=999)[20:].log().mean() for theta in (0.1, 0.2, 0.6)
    ]
    assert levels[0] > levels[1] + 0.2 > levels[2] + 0.4


def test_where_the_most_are_too_few_sigma_grows():
    """Pure noise: after t reached its end, sigma has the factor 1 + 2 / (D + 10) at each step with s > 0."""
    options = {"population": 10, "reevaluated": 5, "largest": 4}
    ours, wider = (
        play(
            build("uh_cma_es", options | more),
            REALS,
            make(),
            4,
            12,
            noisy(values=flat, scale=0 * LOUD + 1),
        )
        for more in ({}, {"sigma_growth": 1.0})
    )
    assert all((state.repeats <= 4).all() for state in ours[0])
    grown = torch.zeros(8)
    for state, info in zip(ours[0], ours[2], strict=False):
        grown += (state.repeats == 4) & (info["uncertainty"] > 0)
    assert (grown >= 3).all()
    # a flat landscape has ranks of noise alone, so that the rest of sigma is the same in both
    ratio = (ours[0][-1].sigma / wider[0][-1].sigma).flatten()
    np.testing.assert_allclose(ratio, (1 + 2 / 14) ** grown.double(), rtol=1e-9)


def test_every_evaluation_is_billed():
    """(P + K) t values in each world, of noise that the oracle draws anew for each."""
    streams = Streams(seed=5, worlds=torch.arange(4))
    landscape = LANDSCAPES["quadratic"](dim=2).bind(streams)
    bill = Bill(4, terms=1, budget=math.inf)
    oracle = Oracle(landscape, Noise(value=5.0), bill)
    optimizer = build("uh_cma_es", {"population": 6, "largest": 9})
    start = lambda n: landscape.start(streams.at(0), n)  # noqa: E731
    state = optimizer.init(Problem(2, REALS, False, start), streams.at(0))
    spent = np.zeros(4)
    for step in range(1, 15):
        s = streams.at(step)
        query = optimizer.ask(state, s)
        spent += 8 * np.floor(state.repeats.numpy())
        state, _ = optimizer.tell(state, query, oracle(query, s), s)
        assert (bill.values == spent).all()
    assert (state.times > 3).all()


@pytest.mark.verify
def test_it_pays_where_noise_hides_the_slope():
    """At equal cost it ends nearer to the optimum than CMA-ES that evaluates once, by 4 standard errors."""
    streams, ends = make(range(48)), []
    for kind, options in (("cma_es", {}), ("uh_cma_es", {})):
        optimizer = build(kind, options | {"population": 10, "sigma": 0.5})
        state = optimizer.init(problem(streams, REALS, 4), streams.at(0))
        spent, end, step = torch.zeros(48), torch.zeros(48, dtype=torch.float64), 0
        while spent.min() < 4000:
            s = streams.at(step := step + 1)
            query = optimizer.ask(state, s)
            noise = s.normal("evaluation", query.points.shape[1:2])
            value = bowl(query, torch.float64).value + noise
            state, _ = optimizer.tell(state, query, Answer(value), s)
            spent += 10 if query.alive is None else query.alive.sum(1)
            loss = bowl(Query(state.mean), torch.float64).value[:, 0]
            end = torch.where(spent <= 4000, loss, end)
        ends.append(end.log())
    gain = ends[0] - ends[1]
    assert gain.mean() > 4 * gain.std() / 48**0.5


def test_more_anew_than_the_default_population():
    with pytest.raises(
        ValueError,
        match="uh_cma_es.reevaluated: expected 1 <= reevaluated <= 9, the default population, got 10",
    ):
        play(build("uh_cma_es", {"reevaluated": 10}), REALS, make())
