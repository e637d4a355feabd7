"""Evaluations in portions: micro-batches of terms and chunks of points give the same answer for less memory, and where they cannot, they do not."""

import math
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import Landscape, Query, Reals
from landscapes.oracle.bill import Bill
from landscapes.oracle.evaluation import evaluate
from landscapes.oracle.noise import Noise, mean_of
from landscapes.oracle.oracle import Oracle
from landscapes.oracle.portions import in_portions
from landscapes.streams import Streams
from tests.contract.landscapes import ADDITIVE, KINDS, SMOOTH, bound, starts, streams
from tests.support.each import each

PRODUCTS = (
    "digits",
    "batch_norm",
    "autoencoder",
    "gaussian_field",
    "moving",
)  # points share a matrix product, whose rounding depends on its size


@dataclass(frozen=True, kw_only=True)
class Duel(Landscape):
    """Two players, M = 7 terms: the first owns x_0 and pays the mean of i x_0 x_1, the second owns x_1 and pays the mean of (x_1 - i x_0)^2."""

    name: ClassVar[str] = "duel"
    dim: int = 2
    domain = Reals()
    players = (1, 1)
    terms = 7

    def loss(self, x, terms=None, time=None):
        i = torch.arange(7.0).double()[None, None] if terms is None else terms.index.double()
        weight = torch.full_like(i, 1 / 7) if terms is None else terms.weight
        a, b = x[..., :1], x[..., 1:]
        return torch.stack([(weight * i * a * b).sum(-1), (weight * (b - i * a).square()).sum(-1)], -1)


def asks(landscape, gradient, dtype=torch.float64, sizes=None):
    """What `in_portions` asks; how many terms each piece had is noted in `sizes`."""

    def ask(points, index, dropout=None):
        if sizes is not None:
            sizes.append(None if index is None else index.shape[-1])
        return evaluate(
            landscape, points, None if index is None else mean_of(index, dtype), gradient=gradient
        )

    return ask


def error(found, wanted):
    """Largest relative error of a gradient, as a vector, over worlds and points.

    A tenth of the largest gradient stands for smaller ones.

    (These may be small differences of large terms.)
    """
    length = wanted.double().norm(dim=-1)
    return float(
        (
            (found.double() - wanted.double()).norm(dim=-1)
            / length.clamp_min(0.1 * float(length.max()) + 1e-300)
        ).max()
    )


def seen(landscape, rows, size):
    return None if rows is None else streams().integers("data", landscape.terms, (rows, size))


def network(kind, dtype=torch.float64, worlds=4, points=2, **options):
    s = Streams(seed=1, worlds=torch.arange(worlds), dtype=dtype)
    landscape = LANDSCAPES[kind](**options).bind(s)
    return landscape, landscape.start(s, points), s.at(1)


class TestMicroBatches:
    @each(("rows", "pieces"), [(None, 11), (1, 3), (3, 11), (3, 3)])
    @each("kind", [kind for kind in ADDITIVE if KINDS[kind].terms > 1])
    def test_sums_are_exact_at_unequal_sizes(self, kind, rows, pieces):
        landscape, gradient = bound(kind), kind in SMOOTH
        x = starts(landscape, 3)
        index = seen(landscape, rows, min(11, landscape.terms))
        wanted = asks(landscape, gradient)(x, index)
        # a loss may be a small difference of large terms
        scale = float(landscape.loss(x).abs().max().clamp_min(1))
        found = in_portions(asks(landscape, gradient), landscape, x, index, pieces, 1)
        torch.testing.assert_close(found.value, wanted.value, rtol=1e-13, atol=1e-14 * scale)
        assert not gradient or error(found.gradient, wanted.gradient) <= 1e-13

    def test_pieces_differ_by_one_term_and_none_is_empty(self):
        landscape, x, s = network("digits", hidden=1)
        for pieces, wanted in (
            (1, [10]),
            (3, [4, 3, 3]),
            (4, [3, 3, 2, 2]),
            (10, [1] * 10),
            (25, [1] * 10),
        ):
            sizes = []
            in_portions(
                asks(landscape, False, sizes=sizes),
                landscape,
                x,
                s.at(1).choice("data", landscape.terms, 10, (1,)),
                pieces,
                1,
            )
            assert sizes == wanted
        sizes = []
        in_portions(asks(landscape, False, sizes=sizes), landscape, x, None, 4, 1)
        assert sizes == [360, 359, 359, 359]

    @each(("size", "pieces"), [(3, 2), (10, 4), (250, 100)])
    def test_the_mean_of_the_means_is_another_gradient(self, size, pieces):
        landscape, x, s = network("digits")
        index, ask = s.choice("data", landscape.terms, size, (1,)), asks(landscape, True)
        wanted = ask(x, index).gradient
        assert error(in_portions(ask, landscape, x, index, pieces, 1).gradient, wanted) <= 1e-13
        mutant = torch.stack([ask(x, part).gradient for part in index.tensor_split(pieces, -1)]).mean(0)
        assert error(mutant, wanted) > 0.02

    @each(
        ("size", "pieces", "sizes"),
        [(10, 4, [3, 3, 3, 1]), (10, 6, [2] * 5), (9, 3, [3, 3, 3]), (250, 7, [36] * 6 + [34])],
    )
    def test_the_mean_of_means_as_training_loops_have_it(self, size, pieces, sizes):
        landscape, x, s = network("digits")
        index, asked = s.choice("data", landscape.terms, size, (1,)), []
        ask = asks(landscape, True, sizes=asked)
        found = in_portions(ask, landscape, x, index, pieces, 1, "mean_of_means")
        assert asked == sizes
        parts = [asks(landscape, True)(x, part) for part in index.split(sizes, -1)]
        wanted = torch.stack([part.gradient for part in parts]).mean(0)
        assert error(found.gradient, wanted) <= 1e-13
        torch.testing.assert_close(
            found.value, torch.stack([part.value for part in parts]).mean(0), rtol=1e-13, atol=1e-14
        )
        one_batch = ask(x, index).gradient
        equal = len(set(sizes)) == 1
        assert (error(found.gradient, one_batch) <= 1e-13) == equal

    @pytest.mark.parametrize(("kind", "cut"), [("digits", (2, 7, 64, 250)), ("autoencoder", (2, 64))])
    def test_in_float32_the_error_is_that_of_one_large_batch(self, kind, cut):
        exact, x, s = network(kind)
        index = s.choice("data", exact.terms, 250, (1,))
        rough, points, _ = network(kind, torch.float32)
        wanted = asks(exact, True)(points.double(), index).gradient
        own = error(asks(rough, True, torch.float32)(points, index).gradient, wanted)
        assert own > 1e-8
        for pieces in cut:
            found = in_portions(asks(rough, True, torch.float32), rough, points, index, pieces, 1)
            assert found.gradient.dtype == found.value.dtype == torch.float32
            assert error(found.gradient, wanted) <= 3 * own

    def test_batch_norm_is_ruined_and_more_by_smaller_pieces(self):
        landscape, x, s = network("batch_norm")
        index, ask = s.choice("data", landscape.terms, 256, (1,)), asks(landscape, True)
        errors = [
            error(in_portions(ask, landscape, x, index, pieces, 1).gradient, ask(x, index).gradient)
            for pieces in (4, 16, 64)
        ]
        assert 0.1 < errors[0] < errors[1] < errors[2]
        assert errors[2] > 0.4
        apart, x, _ = network("batch_norm", statistics="running")
        assert (
            error(
                in_portions(asks(apart, True), apart, x, index, 64, 1).gradient,
                asks(apart, True)(x, index).gradient,
            )
            <= 1e-13
        )

    @pytest.mark.parametrize("objective", ["infonce", "pairwise"])
    def test_of_a_contrastive_loss_it_is_the_weighted_mean_over_smaller_batches(self, objective):
        landscape, x, s = network("contrastive", objective=objective)
        index, ask = s.choice("data", landscape.terms, 7, (1,)), asks(landscape, True)
        found = in_portions(ask, landscape, x, index, 3, 1)
        parts = [(ask(x, part), part.shape[-1] / 7) for part in index.split([3, 2, 2], -1)]
        torch.testing.assert_close(
            found.value, sum(share * part.value for part, share in parts), rtol=1e-13, atol=1e-14
        )
        torch.testing.assert_close(
            found.gradient, sum(share * part.gradient for part, share in parts), rtol=1e-13, atol=1e-14
        )
        assert error(found.gradient, ask(x, index).gradient) > 0.05

    def test_no_piece_is_smaller_than_the_loss_needs(self):
        landscape, x, s = network("contrastive")
        sizes = []
        in_portions(
            asks(landscape, True, sizes=sizes),
            landscape,
            x,
            s.choice("data", landscape.terms, 7, (1,)),
            100,
            1,
        )
        assert sizes == [3, 2, 2]


class TestChunks:
    @each(
        ("kind", "rows", "chunks"),
        [
            (kind, rows, chunks)
            for kind in KINDS
            for rows, chunks in ((None, 2), (1, 5), (5, 2))
            if rows is None or KINDS[kind].terms > 1
        ],
    )
    def test_values_are_the_same(self, kind, rows, chunks):
        landscape, gradient = bound(kind), kind in SMOOTH
        x, index = starts(landscape, 5), seen(landscape, rows, 4)
        wanted = asks(landscape, gradient)(x, index)
        found = in_portions(asks(landscape, gradient), landscape, x, index, 1, chunks)
        if not kind.startswith(PRODUCTS):
            torch.testing.assert_close(found.value, wanted.value, rtol=0, atol=0, equal_nan=True)
        torch.testing.assert_close(found.value, wanted.value, rtol=1e-13, atol=1e-13)
        assert not gradient or error(found.gradient, wanted.gradient) <= 1e-12

    def test_groups_differ_by_one_point(self):
        landscape, x, s = network("digits", hidden=1, points=7)
        groups = []

        def ask(points, index, dropout=None):
            groups.append((points.shape[1], index.shape[1]))
            return evaluate(landscape, points, mean_of(index, torch.float64))

        in_portions(ask, landscape, x, s.integers("data", 9, (7, 4)), 1, 3)
        assert groups == [(3, 3), (2, 2), (2, 2)]
        groups.clear()
        in_portions(ask, landscape, x, s.at(2).integers("data", 9, (1, 4)), 1, 100)
        assert groups == [(1, 1)] * 7


@each(
    "noise",
    [Noise(), Noise(batch=5), Noise(batch=5, shared=False), Noise(batch=5, sampling="epoch")],
    ids=str,
)
def test_a_game_in_portions(noise):
    x = torch.rand(4, 5, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    answers = [
        Oracle(Duel(), noise, Bill(4, terms=7, budget=9.0), **options)(
            Query(x, gradient=True), streams(range(4)).at(1)
        )
        for options in ({}, {"micro_batches": 3, "chunks": 2})
    ]
    for whole, portions in (
        (getattr(answer, name) for answer in answers) for name in ("value", "gradient")
    ):
        assert whole.shape == (4, 5, 2)
        torch.testing.assert_close(portions, whole, rtol=1e-13, atol=1e-14)


@each("sampling", ["replacement", "batch", "epoch"])
def test_bill_noise_and_what_is_drawn_stay(sampling):
    noise, (landscape, x, s) = (
        Noise(batch=7, sampling=sampling, value=0.5, gradient=0.5),
        network("digits", points=5, hidden=2),
    )
    oracles = [
        Oracle(landscape, noise, Bill(4, terms=landscape.terms, budget=9.0), **o)
        for o in ({}, {"micro_batches": 3, "chunks": 2})
    ]
    for step in (1, 2):
        whole, portions = (oracle(Query(x, gradient=True), s.at(step)) for oracle in oracles)
        torch.testing.assert_close(portions.value, whole.value, rtol=1e-13, atol=1e-13)
        torch.testing.assert_close(portions.gradient, whole.gradient, rtol=1e-13, atol=1e-13)
    first, second = (oracle.bill for oracle in oracles)
    assert first.gradients.tolist() == second.gradients.tolist() == [2 * 5 * 7] * 4


# memory -----------------------------------------------------------------------------------------------------


class Held:
    """A tensor that autograd keeps.

    `most` is how many bytes it ever kept at once, each storage counted once.
    """

    users: ClassVar[dict[int, int]] = {}
    now = most = 0

    def __init__(self, tensor):
        self.tensor, self.storage = tensor, tensor.untyped_storage()
        self.users[self.storage.data_ptr()] = self.users.get(self.storage.data_ptr(), 0) + 1
        if self.users[self.storage.data_ptr()] == 1:
            Held.now += self.storage.nbytes()
            Held.most = max(Held.most, Held.now)

    def __del__(self):
        self.users[self.storage.data_ptr()] -= 1
        if not self.users[self.storage.data_ptr()]:
            Held.now -= self.storage.nbytes()


def kept(run):
    """The most bytes that were kept for the way back at once."""
    Held.now = Held.most = 0
    with torch.autograd.graph.saved_tensors_hooks(Held, lambda held: held.tensor):
        run()
    assert Held.now == 0
    return Held.most


def allocated(run):
    """The most bytes that torch had allocated at once."""
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as profile:
        run()
    events = profile.profiler.kineto_results.events()
    changes = [
        event.nbytes()
        for event in sorted(events, key=lambda event: event.start_ns())
        if event.name() == "[memory]"
    ]
    return int(torch.tensor(changes).cumsum(0).max())


def straight(counts, sizes):
    """Whether sizes = fixed + a / count, with slopes within a tenth of each other and most of the largest size in a."""
    slopes = [
        (a - b) / (1 / j - 1 / k)
        for a, b, j, k in zip(sizes, sizes[1:], counts, counts[1:], strict=False)
    ]
    return max(slopes) <= 1.1 * min(slopes) and min(slopes) >= 0.8 * sizes[0]


@pytest.mark.parametrize("kind", ["digits", "batch_norm"])
def test_memory_falls_as_one_over_the_micro_batches(kind):
    landscape, x, s = network(kind)

    def sizes(measure, size, counts):
        found = []
        for count in counts:
            oracle = Oracle(
                landscape,
                Noise(batch=size, sampling="batch"),
                Bill(4, terms=1, budget=math.inf),
                micro_batches=count,
            )
            oracle(Query(x, gradient=True), s.at(1))  # tables that are made once
            found.append(measure(lambda oracle=oracle: oracle(Query(x, gradient=True), s.at(2))))
        return found

    assert straight((1, 2, 4, 8, 16), sizes(kept, 1024, (1, 2, 4, 8, 16)))
    assert straight((1, 2, 4, 8), sizes(allocated, 1024, (1, 2, 4, 8)))
    assert not straight((1, 2, 4, 8, 16), sizes(kept, 1024, (1, 1, 1, 1, 1)))
    half, whole = sizes(kept, 512, (1,)), sizes(kept, 1024, (2,))
    assert half[0] == pytest.approx(whole[0], rel=0.1), (
        "a large batch in two needs what half of it needs"
    )


def test_memory_falls_as_one_over_the_chunks():
    landscape, x, s = network("gaussian_field", points=512, dim=10)
    for gradient in (False, True):
        sizes = []
        for count in (1, 2, 4, 8):
            oracle = Oracle(landscape, Noise(), Bill(4, terms=1, budget=math.inf), chunks=count)
            sizes.append(
                allocated(lambda oracle=oracle, gradient=gradient: oracle(Query(x, gradient), s.at(1)))
            )
        assert straight((1, 2, 4, 8), sizes)


@pytest.mark.parametrize("key", ["micro_batches", "chunks"])
def test_bad_numbers_are_named(key):
    with pytest.raises(ValueError, match=f"oracle.{key}: expected >= 1, got 0"):
        Oracle(Duel(), Noise(), Bill(4, terms=7, budget=9.0), **{key: 0})
