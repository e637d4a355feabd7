"""Moving landscapes: every path beside its definition, and the same place at a time whatever was asked before."""

import itertools
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from landscapes.base import Landscape
from landscapes.binary.nk import NK
from landscapes.continuous.quadratic import Quadratic
from landscapes.games.bilinear import Bilinear
from landscapes.games.matching_pennies import MatchingPennies
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams
from landscapes.wrappers.moving import Moving
from landscapes.wrappers.paths import Kept
from studies.cells.loop import run_worlds
from tests.studies.cells.test_loop import task
from tests.support.each import each

PATHS = ["linear", "jump", "cycle", "random_walk"]
REALS = Quadratic(dim=5, rotated=True, shifted=True)
BITS = NK(n=24, k=2)
OPTIONS: dict[str, Any] = {
    "speed": 0.7,
    "radius": 2.0,
    "step": 0.3,
    "period": 5.0,
    "severity": 0.3,
    "masks": 3,
}
WORLDS = torch.arange(6)
TIMES = torch.tensor([0.0, 7.5, 12.1, 102.0, 12348.0, 2.0**20 + 2], dtype=torch.float64)

paths = each("path", PATHS)
inners = each("inner", [REALS, BITS], ids=["reals", "bits"])


def bound(inner, path, worlds=WORLDS, dtype=torch.float64, **options):
    return Moving(inner=inner, path=path, **(OPTIONS | options)).bind(
        Streams(seed=4, worlds=torch.as_tensor(worlds), dtype=dtype)
    )


def at(time, worlds=6):
    return torch.full((worlds,), float(time), dtype=torch.float64)


def places(inner, path, times, worlds=WORLDS, **options):
    """Displacements (R, T, D), or flips (R, T, n), at some times."""
    landscape = bound(inner, path, worlds, **options)
    optima = torch.stack([landscape.optimum_at(at(t, len(worlds))) for t in times], 1)
    rest = landscape.inner.optimum[:, None]
    return optima - rest if rest.is_floating_point() else optima != rest


@paths
@inners
def test_at_time_0_it_is_the_inner_landscape(inner, path):
    landscape = bound(inner, path)
    x = landscape.start(Streams(seed=4, worlds=WORLDS), 3)
    assert torch.equal(x, landscape.inner.start(Streams(seed=4, worlds=WORLDS), 3))
    for time in (None, at(0)):
        assert torch.equal(landscape.loss(x, None, time), landscape.inner.loss(x))
    assert torch.equal(landscape.optimum_at(at(0)), landscape.inner.optimum)
    assert landscape.optimum is None


@paths
@inners
def test_the_loss_is_the_inner_one_seen_from_the_moved_optimum(inner, path):
    landscape = bound(inner, path)
    x = landscape.start(Streams(seed=4, worlds=WORLDS), 3)
    optimum, rest = landscape.optimum_at(TIMES), landscape.inner.optimum
    for r in range(1, 6):
        gap = optimum[r] ^ rest[r] if inner is BITS else optimum[r] - rest[r]
        seen = x ^ gap if inner is BITS else x - gap
        naive = landscape.inner.loss(seen)[r]
        for value in (landscape.loss(x, None, TIMES), landscape.solution_loss(x, TIMES)):
            torch.testing.assert_close(value[r], naive, rtol=1e-9, atol=1e-9)
            assert not torch.allclose(value[r], landscape.loss(x)[r], rtol=1e-3)
    assert landscape.solution_loss(optimum[:, None], TIMES).abs().max() < 1e-9


@paths
@inners
@each("dtype", [torch.float64, torch.float32], ids=str)
def test_the_place_depends_on_nothing_but_instance_and_time(inner, path, dtype):
    x = Moving(inner=inner).start(Streams(seed=4, worlds=WORLDS, dtype=dtype), 3)
    together, again = bound(inner, path, dtype=dtype), bound(inner, path, dtype=dtype)
    want = {t: together.loss(x, None, TIMES + t) for t in (0, 1, 2, 40, 41, 2000)}
    for t in (2000, 1, 40, 41, 0, 2):
        assert torch.equal(again.loss(x, None, TIMES + t), want[t]), "in another order"
    for r in range(6):
        alone = bound(inner, path, [r], dtype)
        for t in (41, 0):
            assert torch.equal(alone.loss(x[r : r + 1], None, TIMES[r : r + 1] + t)[0], want[t][r]), (
                "alone"
            )
    assert want[0].dtype == dtype


@paths
@inners
def test_worlds_of_one_instance_move_alike_and_others_apart(inner, path):
    d = places(inner, path, [1237.0, 1295.0], torch.tensor([3, 3, 1]))
    assert torch.equal(d[0], d[1])
    assert not torch.allclose(d[0].double(), d[2].double())
    later = bound(inner, path, [3, 3, 1]).optimum_at(torch.tensor([1237.0, 1295.0, 1237.0]).double())
    assert torch.equal(later[0], bound(inner, path, [3]).optimum_at(at(1237, 1))[0])
    assert not torch.equal(later[1], later[0]), "each world has its own time"


@paths
@inners
def test_gradients_and_extensions_move_too(inner, path):
    landscape = bound(inner, path)
    x = Streams(seed=4, worlds=WORLDS).uniform("evaluation", (2, inner.dim))
    if inner is BITS:
        flipped = places(inner, path, [137.0])
        seen = torch.where(flipped, 1 - x, x)
        torch.testing.assert_close(
            landscape.extension(x, None, at(137)), landscape.inner.extension(seen), rtol=0, atol=1e-12
        )
        corners = (x > 0.5).to(torch.uint8)
        torch.testing.assert_close(
            landscape.extension(corners.double(), None, TIMES),
            landscape.loss(corners, None, TIMES),
            rtol=0,
            atol=1e-12,
        )
    else:
        found = evaluate(landscape, x, gradient=True, time=at(137)).gradient
        wanted = evaluate(landscape.inner, x - places(inner, path, [137.0]), gradient=True).gradient
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)


# each path beside its definition ----------------------------------------------------------------------------


def test_a_line_has_constant_velocity():
    d = places(REALS, "linear", [0.0, 1.0, 2.5, 1000.0])
    torch.testing.assert_close(d[:, 1].norm(dim=-1), torch.full((6,), 0.7).double())
    for place, time in ((2, 2.5), (3, 1000.0)):
        torch.testing.assert_close(d[:, place], time * d[:, 1], rtol=1e-9, atol=1e-9)
    one = places(Quadratic(dim=1), "linear", [10.0], torch.arange(50))
    torch.testing.assert_close(one.abs(), torch.full((50, 1, 1), 7.0).double())
    assert one.min() < 0 < one.max()


def test_a_cycle_goes_round_a_circle_through_the_start():
    times = [0.0, 0.625, 1.25, 2.5, 3.75, 5.0, 512.5]
    d = places(REALS, "cycle", times)
    centre = d[:, 3:4] / 2
    torch.testing.assert_close(
        (d - centre).norm(dim=-1), torch.full((6, 7), 2.0).double(), rtol=1e-9, atol=1e-9
    )
    torch.testing.assert_close(d[:, 5], d[:, 0], rtol=0, atol=1e-9)
    torch.testing.assert_close(d[:, 6], d[:, 3], rtol=0, atol=1e-9)
    angle = ((d[:, 1] - centre[:, 0]) * (d[:, 0] - centre[:, 0])).sum(-1) / 4
    torch.testing.assert_close(angle, torch.full((6,), math.cos(math.tau / 8)).double())
    assert torch.linalg.matrix_rank(d - centre, atol=1e-9).tolist() == [2] * 6


@inners
def test_jumps_happen_at_multiples_of_the_period(inner):
    d = places(inner, "jump", [0.0, 4.9, 5.0, 7.0, 9.99, 10.0, 5000.0, 5004.0])
    assert not d[:, :2].any()
    assert (d[:, 2:3] == d[:, 3:5]).all()
    assert (d[:, 6] == d[:, 7]).all()
    for before, after in ((1, 2), (4, 5), (5, 6)):
        assert (d[:, before] != d[:, after]).any(-1).all()


@each("period", [3.0, 7.0, 49.0, 0.1])
def test_a_jump_is_on_time_whatever_the_period(period):
    d = places(REALS, "jump", [k * period for k in range(1, 60)], [0], period=period)[0]
    assert (d[1:] != d[:-1]).any(-1).float().mean() > (0.8 if period == 0.1 else 0.999)


def test_a_walk_of_bits_rests_within_a_period():
    d = places(BITS, "random_walk", [0.0, 4.9, 5.0, 9.9, 10.0, 5001.0, 5004.0], torch.arange(50))
    assert not d[:, :2].any()
    assert (d[:, 2] == d[:, 3]).all()
    assert (d[:, 5] == d[:, 6]).all()
    assert (d[:, 3] != d[:, 4]).any()
    certain = places(BITS, "random_walk", [0.0, 5.0, 10.0, 15.0, 25.0, 4e9], severity=1.0)
    assert certain.float().mean((0, 2)).tolist() == [0, 1, 0, 1, 1, 0]
    assert not places(BITS, "random_walk", [5.0, 10.0, 500.0], severity=0.0).any()


def test_a_line_of_bits_flips_locus_after_locus():
    times = [t / 2 for t in range(80)]
    d = places(NK(n=9, k=2), "linear", times).int()
    order, state = [], torch.zeros(6, 9, dtype=torch.int32)
    for place, time in enumerate(times):
        flips = math.floor(0.7 * time)
        while len(order) < flips:
            if len(order) < 9:
                changed = d[:, place] != state
                assert changed.sum(1).tolist() == [1] * 6, "one at a time"
                order.append(changed.int().argmax(1))
            else:
                order.append(order[len(order) - 9])
            state[torch.arange(6), order[-1]] ^= 1
        assert torch.equal(d[:, place], state)
    assert len({tuple(o.tolist()) for o in torch.stack(order[:9], 1)}) == 6
    assert all(sorted(o) == list(range(9)) for o in torch.stack(order[:9], 1).tolist())


def test_a_cycle_of_bits_goes_round_its_masks():
    third = 5 / 3
    d = places(
        BITS,
        "cycle",
        [
            0.0,
            third - 0.01,
            third + 0.01,
            2 * third - 0.01,
            2 * third + 0.01,
            4.99,
            5.0,
            5000 + third + 0.1,
            5000 + 4.9,
        ],
    )
    assert not d[:, [0, 1, 6]].any()
    for a, b in ((2, 3), (4, 5), (2, 7), (5, 8)):
        assert (d[:, a] == d[:, b]).all()
    assert (d[:, 2] != d[:, 4]).any(-1).all()


def test_only_what_is_new_is_computed():
    asked = []

    def squares(numbers):
        asked.append(numbers.tolist())
        return (numbers * numbers)[:, None]

    kept = Kept(squares)
    first = kept(torch.tensor([[1, 2, 3], [1, 2, 4]]))
    for _ in range(2):
        assert kept(torch.tensor([[1, 5, 3], [1, 2, 4]])).tolist() == [[[1, 25, 9]], [[1, 4, 16]]]
    assert kept(torch.tensor([[7, 5, 3], [1, 2, 4]])).tolist() == [[[49, 25, 9]], [[1, 4, 16]]]
    assert asked == [[[1, 2, 3], [1, 2, 4]], [[5], [2]], [[7], [1]]]
    assert first.tolist() == [[[1, 4, 9]], [[1, 4, 16]]], "what was given out stays as it was"


# what it takes over, what it refuses ------------------------------------------------------------------------


def test_what_it_takes_over_from_the_inner_landscape():
    quadratic, nk, game = (
        Moving(inner=i)
        for i in (Quadratic(dim=3, terms=7), NK(n=24, k=2, neighbours="random"), Bilinear(dim=4))
    )
    assert (quadratic.dim, quadratic.terms, quadratic.gap_known, quadratic.extension_cost) == (
        3,
        7,
        True,
        None,
    )
    assert (nk.terms, nk.gap_known, nk.extension_cost, nk.domain) == (24, False, 8, NK().domain)
    assert (game.players, quadratic.players) == ((2, 2), (3,))
    assert (game.clock, Moving(inner=game.inner, clock="cost").clock) == ("step", "cost")
    assert nk.bind(Streams(seed=1, worlds=WORLDS)).optimum_at(at(1)) is None


def test_a_game_moves_its_equilibrium():
    game = Moving(inner=Bilinear(dim=4, shifted=True), path="random_walk", step=1.0).bind(
        Streams(seed=1, worlds=WORLDS)
    )
    rest = game.optimum_at(at(50))[:, None]
    assert game.loss(rest + 1, None, at(50)).shape == (6, 1, 2)
    assert evaluate(game, rest, gradient=True, time=at(50)).gradient.abs().max() < 1e-12
    assert evaluate(game, rest, gradient=True, time=at(0)).gradient.abs().max() > 0.1
    torch.testing.assert_close(game.solution_loss(rest + 1, at(50)), torch.full((6, 1), 2.0).double())


class Loud(Quadratic):
    """A bowl with a noise law of its own."""

    noisy = True


@each(
    ("make", "message"),
    [
        (
            lambda: Moving(inner=Moving(inner=REALS)),
            "moving.inner: expected a landscape that stands still, got Moving",
        ),
        (
            lambda: Moving(inner=Loud()),
            "moving.inner: expected a landscape without a noise law of its own, got Loud",
        ),
        (
            lambda: Moving(inner=MatchingPennies(parametrisation="probability")),
            "moving.inner: expected a landscape without bounds, .*, got MatchingPennies",
        ),
        (
            lambda: Moving(inner=Quadratic(dim=1), path="cycle"),
            "moving.inner: expected 2 dimensions or more for a circle, got Quadratic",
        ),
        (
            lambda: Moving(inner=REALS, path="spiral"),
            "moving.path: expected one of linear, jump, cycle, random_walk, got 'spiral'",
        ),
        (lambda: Moving(inner=REALS, severity=1.5), "moving.severity: expected <= 1, got 1.5"),
        (lambda: Moving(inner=REALS, period=0.0), "moving.period: expected > 0, got 0.0"),
    ],
)
def test_what_cannot_be_moved_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@each(
    "time",
    [at(-1), at(2.0**32), at(math.nan), at(1)[:3], at(1)[:, None]],
    ids=["before", "beyond", "nan", "few", "deep"],
)
def test_wrong_times_are_named(time):
    landscape = bound(REALS, "random_walk")
    with pytest.raises(
        ValueError, match=r"moving: expected one time of 0 <= time < 4.29497e\+09 for each of 6 worlds"
    ):
        landscape.loss(landscape.inner.optimum[:, None], None, time)


# in the loop ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Drifting(Moving):
    """A bowl that drifts."""

    name: ClassVar[str] = "drifting"
    inner: Landscape = Quadratic(dim=2, condition=1.0)
    speed: float = 0.3


@pytest.mark.parametrize(("clock", "per_step"), [("step", 1), ("cost", 3)])
def test_the_loop_asks_and_measures_at_the_right_time(clock, per_step):
    rate, checkpoints = 0.25, [1.0, 5.0, 10.0, 20.0, 30.0]
    kind = {"kind": "tests.landscapes.test_moving:Drifting", "clock": clock}
    data = run_worlds(
        task(kind, {"kind": "sgd", "learning_rate": rate}, checkpoints=checkpoints),
        torch.tensor([3, 8]),
    )
    for row, world in enumerate((3, 8)):
        drifting, streams = Drifting(clock=clock), Streams(seed=11, worlds=torch.tensor([world]))
        velocity = drifting.bind(streams).optimum_at(at(1, 1))[0].numpy()
        x = [drifting.start(streams.at(0), 1)[0, 0].numpy()]
        for k in range(10):
            x.append(x[k] - rate * (x[k] - k * per_step * velocity))
        steps = [int(c // 3) for c in checkpoints]
        truth = [0.5 * ((x[k] - k * per_step * velocity) ** 2).sum() for k in steps]
        np.testing.assert_allclose(data["loss"][row], truth, rtol=1e-10)
        seen = [0.5 * ((x[k] - k * per_step * velocity) ** 2).sum() for k in range(10)]
        np.testing.assert_allclose(
            data["observed"][row, 1:], [min(seen[:k]) for k in steps[1:]], rtol=1e-10
        )
        late = [0.5 * ((x[k] - (k + 1) * per_step * velocity) ** 2).sum() for k in steps]
        assert not np.allclose(data["loss"][row], late, rtol=1e-3)


@each(("inner", "path"), list(itertools.product([REALS, BITS], PATHS)), ids=str)
def test_a_landscape_that_moves_not_at_all_stands_still(inner, path):
    landscape = bound(inner, path, speed=0.0, radius=0.0, step=0.0, severity=0.0)
    assert torch.equal(landscape.optimum_at(TIMES), landscape.inner.optimum)
