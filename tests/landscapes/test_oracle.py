"""The oracle: mini-batches, noise, and what they cost."""

import itertools
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import Landscape, Query, Reals, Terms
from landscapes.bbob.noisy import BBOBNoisy
from landscapes.checks import check_points
from landscapes.continuous.quadratic import Quadratic
from landscapes.games.dirac_gan import DiracGAN
from landscapes.oracle.bill import Bill
from landscapes.oracle.evaluation import evaluate
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from landscapes.wrappers.moving import Moving
from tests.support.each import each


@dataclass(frozen=True, kw_only=True)
class Line(Landscape):
    """The mean of `count` lines: term i at x is i * x_0."""

    name: ClassVar[str] = "line"
    count: int = 10
    dim: int = 3
    domain = Reals()
    unit_cost: int = 1

    @property
    def terms(self):
        return self.count

    def loss(self, x, terms=None, time=None):
        if terms is None:
            return x[..., 0] * (self.count - 1) / 2
        return x[..., 0] * (terms.index * terms.weight).sum(-1)


def streams(worlds=4, **options):
    return Streams(seed=3, worlds=torch.arange(worlds), **options)


def oracle(noise=None, worlds=4, budget=math.inf, unit_cost=1, count=10, **bill):
    return Oracle(
        Line(unit_cost=unit_cost, count=count),
        noise or Noise(),
        Bill(worlds, terms=count, budget=budget, **bill),
    )


def ask(o, step, worlds=4, points=5, gradient=False, **query):
    x = torch.ones(worlds, points, 3, dtype=torch.float64)
    return o(Query(x, gradient, **query), streams(worlds).at(step))


class TestMiniBatches:
    @each("shared", [True, False])
    @each("sampling", ["replacement", "batch"])
    def test_one_batch_for_a_world_or_one_for_each_point(self, sampling, shared):
        value = ask(oracle(Noise(batch=4, sampling=sampling, shared=shared)), 1).value
        same = (value == value[:, :1]).all(1)
        assert same.all() if shared else not same.any()

    @each("sampling", ["replacement", "batch", "epoch"])
    def test_mean_is_unbiased(self, sampling):
        o = oracle(Noise(batch=3, sampling=sampling), worlds=4000)
        value = ask(o, 1, worlds=4000, points=1).value
        assert abs(value.mean() - 4.5) < 4.5 * value.std() / math.sqrt(4000)

    @pytest.mark.parametrize(("sampling", "correction"), [("replacement", 1.0), ("batch", 7 / 9)])
    def test_variance_is_the_textbook_s(self, sampling, correction):
        value = ask(
            oracle(Noise(batch=3, sampling=sampling), worlds=20_000), 1, worlds=20_000, points=1
        ).value
        expected = 8.25 / 3 * correction  # the variance of 0 .. 9 is 8.25
        assert abs(value.var() - expected) < 4.5 * expected * math.sqrt(2 / 20_000)
        wrong = 8.25 / 3 * (7 / 9 if correction == 1 else 1.0)
        assert abs(value.var() - wrong) > 4.5 * wrong * math.sqrt(2 / 20_000)

    def test_a_full_batch_without_replacement_is_the_whole_loss(self):
        assert torch.allclose(
            ask(oracle(Noise(batch=10, sampling="batch")), 1).value,
            torch.tensor(4.5, dtype=torch.float64),
        )

    @each("sizes", [[4, 4, 2], [3, 3, 3, 1]])
    def test_an_epoch_reads_every_term_once_and_ends_with_a_smaller_batch(self, sizes):
        o, seen = oracle(Noise(batch=sizes[0], sampling="epoch")), []
        for step, wanted in enumerate(2 * sizes, 1):
            (batch,), size = o._batches(Query(torch.ones(4, 5, 3)), streams().at(step))
            assert size.tolist() == [wanted] * 4
            assert batch.index.shape == (4, 1, wanted)
            seen.append(batch.index[:, 0])
        first, second = torch.cat(seen, 1).chunk(2, 1)
        assert (first.sort(1).values == torch.arange(10)).all()
        assert (second.sort(1).values == torch.arange(10)).all()
        assert not torch.equal(first, second)
        assert not torch.equal(first[0], first[1])

    @each("sampling", ["replacement", "batch", "epoch"])
    def test_worlds_are_the_same_alone(self, sampling):
        noise = Noise(batch=4, sampling=sampling, value=0.1)
        together, alone = oracle(noise), Oracle(Line(), noise, Bill(2, terms=10, budget=9.0))
        x = torch.rand(4, 5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        for step in range(1, 5):
            a = together(Query(x), streams().at(step)).value
            b = alone(Query(x[[3, 1]]), Streams(seed=3, worlds=torch.tensor([3, 1])).at(step)).value
            assert torch.equal(a[[3, 1]], b)

    def test_no_world_gets_fewer_terms_than_the_loss_needs(self):
        o = Oracle(Clockwork(smallest_batch=2), Noise(), Bill(4, terms=6, budget=math.inf))
        ask(o, 1, points=1, batch=torch.tensor([0, 1, 2, 7]))
        assert o.bill.values.tolist() == [2, 2, 2, 6]

    @each("sampling", ["replacement", "batch", "epoch"])
    def test_an_optimizer_may_set_its_own_batch_by_world(self, sampling):
        o = oracle(Noise(batch=4, sampling=sampling))
        size = torch.tensor([1, 3, 5, 10])
        ask(o, 1, points=2, batch=size)
        assert o.bill.values.tolist() == (2 * size).tolist()

    def test_redrawing_data_changes_the_batch_and_nothing_else(self):
        noise, x = Noise(batch=4, value=0.1), torch.ones(4, 1, 3, dtype=torch.float64)
        plain, again = (
            Oracle(Line(), noise, Bill(4, terms=10, budget=9.0))(Query(x), s).value
            for s in (streams(), streams().redraw("data", 1))
        )
        means = [
            oracle(Noise(batch=4))(Query(x), s).value for s in (streams(), streams().redraw("data", 1))
        ]
        assert not torch.equal(plain, again)
        assert torch.allclose(plain - means[0], again - means[1], atol=1e-14)


class TestNoise:
    @pytest.mark.parametrize("gradient", [False, True])
    def test_evaluation_noise_has_its_standard_deviation(self, gradient):
        answer = ask(
            oracle(Noise(value=0.3, gradient=0.7), worlds=2000), 1, worlds=2000, gradient=gradient
        )
        error = answer.value - 4.5
        assert abs(error.std() - 0.3) < 4.5 * 0.3 / math.sqrt(2 * error.numel())
        assert abs(error.mean()) < 4.5 * 0.3 / math.sqrt(error.numel())
        if gradient:
            slope = answer.gradient - torch.tensor([4.5, 0, 0], dtype=torch.float64)
            assert abs(slope.std() - 0.7) < 4.5 * 0.7 / math.sqrt(2 * slope.numel())

    @each(
        ("noise", "values", "gradients"),
        [
            (Noise(), True, True),
            (Noise(gradient=0.1), True, False),
            (Noise(value=0.1), False, False),
            (Noise(batch=3), False, False),
            (Noise(batch=3, sampling="epoch", gradient=0.1), False, False),
            (Noise(gradient=0.1, off=("evaluation",)), True, False),
            (Noise(value=0.1, off=("evaluation",)), False, False),
            (Noise(batch=3, off=("data",)), False, False),
            (Noise(batch=10), False, False),
            (Noise(batch=10, sampling="batch"), True, True),
            (Noise(batch=10, sampling="epoch", gradient=0.1), True, False),
        ],
        ids=str,
    )
    def test_exact_is_what_is_asked(self, noise, values, gradients):
        o = oracle(noise)
        assert (o.exact(gradient=False, batches=False), o.exact(gradient=True, batches=False)) == (
            values,
            gradients,
        )
        assert not o.exact(gradient=False, batches=True)

    @each(
        "landscape",
        [Moving(inner=Quadratic(dim=3)), BBOBNoisy(function=101, dim=2), DiracGAN()],
        ids=["moving", "noisy", "game"],
    )
    def test_what_is_never_exact(self, landscape):
        o = Oracle(landscape.bind(streams()), Noise(), Bill(4, terms=1, budget=9.0))
        assert not o.exact(gradient=False, batches=False)

    def test_exact_means_the_truth(self):
        answer = ask(oracle(), 1, gradient=True)
        assert (answer.value == 4.5).all()
        assert (answer.gradient == torch.tensor([4.5, 0, 0])).all()


class TestBill:
    def test_values_and_gradients_are_counted_in_terms(self):
        o = oracle(Noise(batch=4), price=3.0)
        ask(o, 1)
        ask(o, 2, gradient=True)
        assert o.bill.values.tolist() == [20] * 4
        assert o.bill.gradients.tolist() == [20] * 4
        assert o.bill.steps.tolist() == [2] * 4
        assert o.bill.values.dtype == np.int64
        assert o.bill.cost().tolist() == [2 + 3 * 2] * 4
        assert o.bill.cost(1.0).tolist() == [4] * 4

    def test_unit_cost_and_rows_that_are_not_asked(self):
        o = oracle(unit_cost=8)
        alive = torch.ones(4, 5, dtype=torch.bool)
        alive[2, 1:] = False
        ask(o, 1, alive=alive)
        assert o.bill.cost().tolist() == [40, 40, 8, 40]

    def test_the_budget_is_counted_at_the_lowest_price_and_ends_each_world(self):
        o = oracle(budget=7.0, price=3.0, lowest_price=1.0, worlds=2)
        alive = torch.tensor([[True] * 5, [True] + [False] * 4])
        ask(o, 1, worlds=2, gradient=True, alive=alive)
        assert o.bill.open()
        ask(o, 2, worlds=2, gradient=True, alive=alive)
        assert o.bill.alive.tolist() == [False, True]
        ask(o, 3, worlds=2, gradient=True, alive=alive)
        assert o.bill.cost(1.0).tolist() == [10, 3]
        o.bill.close(np.array([False, True]))
        assert not o.bill.open()


SIZED = {  # a landscape, its dtype, and whether it has gradients
    "digits": ({"hidden": 3}, torch.float32, True),
    "quadratic": ({"dim": 5, "terms": 101, "rotated": True}, torch.float64, True),
    "nk": ({"n": 101, "k": 2}, torch.float32, False),
    "batch_norm": ({"hidden": 3}, torch.float64, True),
    "norm_layer": ({"examples": 101}, torch.float32, True),
    "contrastive": ({"pairs": 101}, torch.float32, True),
    "moving": (
        {"inner": LANDSCAPES["gaussian_field"](dim=5, waves=101), "clock": "cost"},
        torch.float64,
        True,
    ),
}
FEW, MANY = (
    [5, 17, 5, 8, 17, 5],
    [5, 17, 40, 8, 100, 33],
)  # sizes whose different ones sum to fewer than the terms, or to more


def alternating(first, second, third):
    """All pairs of the first two; of the third, now one and now the next."""
    pairs = itertools.product(enumerate(first), enumerate(second))
    return [(a, b, third[(i + j) % len(third)]) for (i, a), (j, b) in pairs]


CONSTANT = alternating(
    [kind for kind in SIZED if kind != "moving"],
    [
        {"sampling": "replacement"},
        {"sampling": "batch"},
        {"sampling": "epoch"},
        {"shared": False},
        {"sampling": "batch", "shared": False},
    ],
    [FEW, MANY],
)


class TestSizesByWorld:
    """A world whose mini-batch has m terms has the bits of a study in which every mini-batch has m, whoever is beside it."""

    def asked(self, kind, noise, sizes, worlds=range(6), alone=False, **options):
        """Values and gradients of three queries; sizes is a number (the study's) or one for each world."""
        parameters, dtype, gradient = SIZED[kind]
        s = Streams(seed=3, worlds=torch.tensor(list(worlds)), dtype=dtype)
        landscape = LANDSCAPES[kind](**parameters).bind(s)
        x = landscape.start(s, 3)
        bill = Bill(s.size, terms=landscape.terms, budget=math.inf)
        single = (
            (lambda row: LANDSCAPES[kind](**parameters).bind(s.subset(s.worlds[row : row + 1])))
            if alone
            else None
        )
        batch = None if isinstance(sizes, int) else torch.tensor(sizes)
        noise = Noise(batch=sizes if batch is None else None, **noise)
        o = Oracle(landscape, noise, bill, alone=single, **options)
        found = [o(Query(x, gradient, batch=batch), s.at(step)) for step in (1, 2, 3)]
        return [part for answer in found for part in answer if part is not None], bill

    @pytest.mark.verify
    @each(("kind", "noise", "sizes"), CONSTANT)
    def test_bits_are_those_of_a_constant_batch(self, kind, noise, sizes):
        runs = [self.asked(kind, noise, sizes, alone=alone) for alone in (False, True)]
        for m in set(sizes):
            rows = [world for world in range(6) if sizes[world] == m]
            constant, one = self.asked(kind, noise, m)
            for together, bill in runs:
                assert all(
                    torch.equal(a[rows], b[rows]) for a, b in zip(together, constant, strict=True)
                ), m
                assert bill.values[rows].tolist() == one.values[rows].tolist()

    @each(
        ("kind", "sampling", "sizes"),
        alternating(SIZED, ["replacement", "batch", "epoch"], [FEW, MANY]),
    )
    def test_worlds_alone_are_their_rows(self, kind, sampling, sizes):
        noise, options = {"sampling": sampling}, {"alone": True, "micro_batches": 3, "chunks": 2}
        together, _ = self.asked(kind, noise, sizes, **options)
        some, _ = self.asked(kind, noise, [sizes[4], sizes[1]], (4, 1), **options)
        assert all(torch.equal(a[[4, 1]], b) for a, b in zip(together, some, strict=True))

    @each("sampling", ["replacement", "batch", "epoch"])
    def test_no_world_sees_more_terms_than_it_asked(self, sampling):
        widths = []

        class Counting(Line):
            def loss(self, x, terms=None, time=None):
                widths.append((len(x), terms.index.shape[-1]))
                return super().loss(x, terms, time)

        def run(sizes, alone=None):
            widths.clear()
            o = Oracle(
                Counting(count=50),
                Noise(sampling=sampling),
                Bill(4, terms=50, budget=math.inf),
                alone=alone,
            )
            ask(o, 1, batch=torch.tensor(sizes))
            return list(widths)

        assert run([7, 7, 7, 7]) == [(4, 7)]
        assert run([7, 20, 7, 20]) == [(4, 7), (4, 20)]
        assert run([7, 20, 7, 40]) == [(4, 7), (4, 20), (4, 40)]
        assert run([7, 20, 7, 40], lambda row: Counting(count=50)) == [(1, 7), (1, 20), (1, 7), (1, 40)]

    def test_redraws_reach_every_world_alone(self):
        noise, x, size = (
            Noise(batch=2),
            torch.ones(4, 2, 3, dtype=torch.float64),
            torch.tensor([2, 5, 7, 9]),
        )
        again = streams(4).redraw("data", torch.tensor([0, 1, 0, 2]))
        plain, redrawn, together = (
            Oracle(Line(), noise, Bill(4, terms=10, budget=9.0), alone=alone)(
                Query(x, batch=size), s.at(1)
            ).value
            for s, alone in (
                (streams(4), lambda row: Line()),
                (again, lambda row: Line()),
                (again, None),
            )
        )
        assert (plain != redrawn).all(1).tolist() == [False, True, False, True]
        assert torch.equal(redrawn, together)


@each(
    ("call", "message"),
    [
        (lambda: Noise(batch=0), "noise.batch: expected >= 1, got 0"),
        (lambda: Noise(value=-1.0), "noise.value: expected >= 0, got -1"),
        (
            lambda: Noise(sampling="epoch", shared=False),
            "noise.shared: expected true with sampling 'epoch'",
        ),
        (lambda: oracle(Noise(batch=11)), "noise.batch: expected at most the 10 terms of line, got 11"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_weights_accumulate_and_zero_pads():
    x = torch.ones(1, 1, 3, dtype=torch.float64)
    terms = Terms(torch.tensor([[[7, 7, 2]]]), torch.tensor([[[0.25, 0.25, 0.0]]], dtype=torch.float64))
    assert evaluate(Line(), x, terms).value.item() == 3.5


@dataclass(frozen=True, kw_only=True)
class Clockwork(Landscape):
    """The time, whatever the point; observed with noise of its own."""

    name: ClassVar[str] = "clockwork"
    dim: int = 3
    domain = Reals()
    clock: str | None = "step"
    noisy: bool = False
    smallest_batch: int = 1
    count: int = 6

    @property
    def terms(self):
        return self.count

    def loss(self, x, terms=None, time=None):
        return 0 * x[..., 0] + (-1.0 if time is None else time[:, None])

    def observe(self, value, points, streams):
        return value + 10 * points[..., 0] + streams.uniform("evaluation", value.shape[1:], part=2)


class TestTimeAndOwnNoise:
    @each(("clock", "times"), [("step", [0, 1, 2]), ("cost", [0, 15, 30]), (None, [-1, -1, -1])])
    def test_a_moving_landscape_is_told_the_steps_or_the_cost_before_the_query(self, clock, times):
        o = Oracle(Clockwork(clock=clock), Noise(), Bill(4, terms=6, budget=math.inf))
        assert [ask(o, step, gradient=True).value.unique().tolist() for step in (1, 2, 3)] == [
            [t] for t in times
        ]

    def test_noise_of_its_own_is_seen_by_the_optimizer_only(self):
        o = Oracle(Clockwork(noisy=True), Noise(), Bill(4, terms=6, budget=math.inf))
        value = ask(o, 1).value
        assert ((10 <= value) & (value < 11)).all()
        assert len(value.unique()) == 20
        assert torch.equal(
            value,
            ask(Oracle(Clockwork(noisy=True), Noise(), Bill(4, terms=6, budget=math.inf)), 1).value,
        )
        assert evaluate(o.landscape, torch.ones(4, 5, 3).double()).value.eq(-1).all()

    def test_a_batch_must_be_large_enough(self):
        with pytest.raises(
            ValueError, match="noise.batch: expected at least the 2 terms that clockwork needs, got 1"
        ):
            Oracle(Clockwork(smallest_batch=2), Noise(batch=1), Bill(4, terms=6, budget=1.0))


@dataclass(frozen=True, kw_only=True)
class Chase(Landscape):
    """Two players: the first owns x_0 and x_1 and pays x_0 x_1 x_2, the second owns x_2 and pays -x_2^2 x_0."""

    name: ClassVar[str] = "chase"
    dim: int = 3
    domain = Reals()
    players = (2, 1)

    def loss(self, x, terms=None, time=None):
        return torch.stack([x[..., 0] * x[..., 1] * x[..., 2], -x[..., 2] * x[..., 2] * x[..., 0]], -1)


def test_on_a_game_each_player_gets_the_slope_of_its_own_loss():
    x = torch.tensor([[[2.0, 3.0, 5.0]]], dtype=torch.float64)
    answer = evaluate(Chase(), x, gradient=True)
    assert answer.value.tolist() == [[[30.0, -50.0]]]
    assert answer.gradient.tolist() == [[[15.0, 10.0, -20.0]]]


@dataclass(frozen=True, kw_only=True)
class Boxed(Landscape):
    """|x|^2 in a box that cannot be left."""

    name: ClassVar[str] = "boxed"
    dim: int = 2
    domain = Reals(0.0, 1.0, bounded=True)

    def loss(self, x, terms=None, time=None):
        check_points(self, x)
        return x.square().sum(-1)


def test_outside_a_bounded_box_there_is_no_answer_and_inside_nothing_changes():
    x = torch.tensor([[[0.5, 1.0], [0.5, 1.5]], [[-1e-9, 0.0], [0.0, 1.0]]], dtype=torch.float64)
    with pytest.raises(ValueError, match=r"boxed: expected points in \[0, 1\]\^2, got -1e-09 .. 1.5"):
        Boxed().loss(x)
    answer = evaluate(Boxed(), x, gradient=True)
    torch.testing.assert_close(
        answer.value, torch.tensor([[1.25, torch.nan], [torch.nan, 1.0]]).double(), equal_nan=True
    )
    assert answer.gradient.isnan().all(-1).tolist() == [[False, True], [True, False]]
    assert answer.gradient[0, 0].tolist() == [1.0, 2.0]
    assert evaluate(Boxed(), x).value.isnan().tolist() == [[False, True], [True, False]]
