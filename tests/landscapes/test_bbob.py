"""BBOB beside COCO, from a file and live.

Gradients, accuracy near the optimum, and bits that do not depend on the batch.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from landscapes.bbob.functions import FUNCTIONS
from landscapes.bbob.instances import LAST
from landscapes.bbob.landscape import BBOB
from landscapes.bbob.tables import ELEMENTS
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams
from tests.support.each import each

INSTANCES = torch.tensor([1, 2, 3, 4, 5, 101, 2026])
GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "bbob.npz")
KATSUURA = 23  # its derivative jumps at every multiple of 2^-33
STEP = {16: 1e-9, 19: 1e-9}  # of finite differences: these two have the shortest waves

functions = each("function", FUNCTIONS)
dims = each("dim", [2, 3, 5, 10, 20, 40])


def streams(worlds, dtype=torch.float64):
    return Streams(seed=5, worlds=torch.as_tensor(worlds), dtype=dtype)


def bound(function, dim, instances=INSTANCES, dtype=torch.float64):
    return BBOB(function=function, dim=dim).bind(streams(torch.as_tensor(instances) - 1, dtype))


def points(landscape, count, spread=1.0):
    return spread * landscape.start(
        streams(range(len(landscape.optimum)), landscape.optimum.dtype), count
    )


def close(found, wanted, offset, error):
    """Whether values agree relative to what they are the sum of."""
    return (abs(found - wanted) <= error * (abs(wanted) + abs(offset))).all()


@functions
@dims
def test_values_optima_and_offsets_are_those_of_coco(function, dim):
    landscape = bound(function, dim)
    row = function - 1
    wanted, optimum, x = (
        torch.from_numpy(GOLDEN[f"{name}{dim}"]) for name in ("value", "x_opt", "points")
    )
    near = (optimum[row] + x[2] / 100)[:, None]
    value = landscape.loss(torch.cat((x[:2].expand(7, -1, -1), near), 1)) + landscape.f_opt[:, None]
    assert close(value, wanted[row], landscape.f_opt[:, None], 1e-9)
    np.testing.assert_allclose(landscape.optimum, optimum[row], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(landscape.f_opt, GOLDEN["f_opt"][row], rtol=1e-14)


@functions
@each(("dim", "instance"), [(2, 1), (7, 15), (40, 20_001)])
def test_values_are_those_of_coco_at_many_points(function, dim, instance):
    cocoex = pytest.importorskip("cocoex")
    theirs = cocoex.BareProblem("bbob", function, dim, instance)
    landscape = BBOB(function=function, dim=dim, instance=instance).bind(streams([0]))
    x = torch.cat(
        [
            points(landscape, 20),
            points(landscape, 20, 2.0),
            landscape.optimum + points(landscape, 20, 1e-3),
        ],
        1,
    )
    wanted = np.array([theirs(y) for y in x[0].numpy()])
    assert close((landscape.loss(x) + landscape.f_opt)[0].numpy(), wanted, theirs.best_value(), 1e-9)


@functions
@each("dtype", [torch.float64, torch.float32], ids=str)
def test_the_optimum_has_loss_zero_and_all_else_more(function, dtype):
    landscape = bound(function, 5, dtype=dtype)
    optimum = landscape.optimum[:, None]
    assert (landscape.loss(optimum).abs() <= (1e-18 if dtype == torch.float64 else 1e-10)).all()
    around = torch.cat([optimum + size * points(landscape, 50) for size in (1e-3, 0.1, 1.0)], 1)
    assert (landscape.loss(around) > 0).all() or function == 5, "the slope is flat beyond its corner"
    assert (landscape.loss(around) >= 0).all()


@each(
    ("function", "order"), [(f, 2) for f in (1, 3, 8, 9, 15, 19, 20, 24)] + [(16, 6), (21, 4), (22, 4)]
)
def test_the_gap_shrinks_by_its_power_near_the_optimum(function, order):
    landscape = bound(function, 5)
    away = points(landscape, 10, 1e-9)
    here, nearer = (landscape.loss(landscape.optimum[:, None] + s * away) for s in (1, 0.1))
    power = torch.log10(here / nearer)
    assert ((power - order).abs() < 0.35).all(), (
        "ripples of T_osc change it a little, a cancellation by a lot"
    )


def test_valleys_are_narrower_beyond_64_dimensions():
    dim, scale = 100, 100**0.5 / 8  # COCO itself ends at 40
    landscape = bound(8, dim)
    x = points(landscape, 4)
    z = scale * (x - landscape.optimum[:, None]) + 1
    wanted = (100 * (z[..., :-1] ** 2 - z[..., 1:]) ** 2 + (z[..., :-1] - 1) ** 2).sum(-1)
    torch.testing.assert_close(landscape.loss(x), wanted, rtol=1e-12, atol=0)
    for function in (9, 19):
        turned = bound(function, dim)
        inner = turned.tables.inner
        torch.testing.assert_close(
            inner.mT @ inner, scale**2 * torch.eye(dim).double().expand_as(inner), rtol=0, atol=1e-12
        )
        middle = turned.optimum[:, None] @ inner
        torch.testing.assert_close(middle, torch.full_like(middle, 0.5), rtol=0, atol=1e-12)


def differences(landscape, x, step):
    """Central differences at x (R, P, D)."""
    moves = step * torch.eye(x.shape[-1], dtype=x.dtype)
    up, down = (
        landscape.loss((x[:, :, None] + sign * moves).flatten(1, 2)).unflatten(1, x.shape[1:])
        for sign in (1, -1)
    )
    return (up - down) / (2 * step)


@each("function", [f for f in FUNCTIONS if f != KATSUURA])
def test_gradients_agree_with_finite_differences(function):
    landscape = bound(function, 5, [1, 2, 7])
    x = torch.cat([points(landscape, 3), points(landscape, 3, 1.8)], 1)
    slope, naive = (
        evaluate(landscape, x, gradient=True).gradient,
        differences(landscape, x, STEP.get(function, 1e-6)),
    )
    size = naive.abs().amax(-1, keepdim=True) + landscape.loss(x)[..., None]
    assert ((slope - naive).abs() <= (1e-4 if function in STEP else 2e-7) * size).all()


def test_katsuura_gradient_against_its_formula():
    landscape = bound(KATSUURA, 3, [1, 2])
    x = points(landscape, 4)
    slope = evaluate(landscape, x, gradient=True).gradient.numpy()
    for r, p in np.ndindex(2, 4):
        turn, optimum = landscape.tables.inner[r].numpy(), landscape.optimum[r].numpy()
        z = (x[r, p].numpy() - optimum) @ turn
        factors, slopes = np.ones(3), np.zeros(3)
        for i in range(3):
            for j in range(1, 33):
                factors[i] += (i + 1) * abs(2**j * z[i] - round(2**j * z[i])) / 2**j
                slopes[i] += (i + 1) * np.sign(2**j * z[i] - round(2**j * z[i]))
        height = 10 / 9 * np.prod(factors) ** (10 / 3**1.2)
        np.testing.assert_allclose(
            slope[r, p], turn @ (height * 10 / 3**1.2 * slopes / factors), rtol=1e-9
        )


@functions
@each("dtype", [torch.float64, torch.float32], ids=str)
def test_gradients_are_finite_at_and_around_the_optimum(function, dtype):
    landscape = bound(function, 4, [1, 3], dtype)
    optimum = landscape.optimum[:, None]
    along = torch.cat([s * torch.eye(4, dtype=dtype) for s in (0, 1, -1, 1e-3, -1e-12)]).expand(
        2, -1, -1
    )
    x = torch.cat(
        [optimum + along, along, 5 * along, 5 * torch.sign(optimum), torch.round(points(landscape, 9))],
        1,
    )
    found = evaluate(landscape, x, gradient=True)
    assert found.value.isfinite().all()
    assert found.gradient.isfinite().all()


@functions
@each("dtype", [torch.float64, torch.float32], ids=str)
def test_bits_do_not_depend_on_the_batch(function, dtype):
    landscape = bound(function, 20, [1, 2, 3], dtype)
    border = ELEMENTS // 20  # between two chunks of points
    x = points(landscape, border + 22)
    whole = evaluate(landscape, x, gradient=True)
    alone = bound(function, 20, [2], dtype)
    for some in (slice(border + 21, border + 22), slice(border - 2, border + 22), slice(3, 6)):
        part = evaluate(alone, x[1:2, some], gradient=True)
        assert torch.equal(part.value[0], whole.value[1, some])
        assert torch.equal(part.gradient[0], whole.gradient[1, some])
    many = bound(function, 20, [2] * 165, dtype)  # worlds in chunks
    each = x[1, :825].reshape(165, 5, 20)
    assert torch.equal(many.loss(each).flatten(), whole.value[1, :825])


@functions
def test_single_precision_is_near(function):
    double, single = bound(function, 10), bound(function, 10, dtype=torch.float32)
    x = points(single, 50)
    found, wanted = single.loss(x).double(), double.loss(x.double())
    assert (found - wanted).abs().median() <= (1e-3 if function == 19 else 1e-4) * wanted.median()


def test_worlds_have_their_own_instances_unless_one_is_named():
    own, fixed = (
        BBOB(function=6, dim=3, instance=i).bind(streams([0, 4, LAST, LAST + 1])) for i in (None, 5)
    )
    assert own.f_opt.tolist() == [GOLDEN["f_opt"][5, i] for i in (0, 4, 0, 1)]
    assert fixed.f_opt.tolist() == [GOLDEN["f_opt"][5, 4]] * 4
    assert fixed.optimum.stride(0) == 0
    again = BBOB(function=6, dim=3).bind(streams([0, 4]).redraw("instance", torch.tensor([1, 0])))
    assert again.f_opt[1] == own.f_opt[1]
    assert again.f_opt[0] != own.f_opt[0]


@each(
    ("parameters", "message"),
    [
        ({"instance": 0}, "bbob.instance: expected >= 1, got 0"),
        ({"instance": LAST + 1}, "bbob.instance: expected <= 200000, got 200001"),
        ({"dim": 1}, "bbob.dim: expected >= 2, got 1"),
        ({"function": 25}, "bbob.function: expected <= 24, got 25"),
    ],
)
def test_what_is_out_of_range(parameters, message):
    with pytest.raises(ValueError, match=message):
        BBOB(**parameters)


def test_an_unbound_one_says_so():
    with pytest.raises(ValueError, match=r"call \.bind\(streams\) first"):
        BBOB(dim=3).loss(torch.zeros(1, 1, 3))
