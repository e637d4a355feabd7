"""The contract that every landscape keeps."""

import numpy as np
import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import Bits, Landscape, Letters, Reals, Terms
from landscapes.binary.nk import NK
from landscapes.continuous.gaussian_field import GaussianField
from landscapes.continuous.quadratic import Quadratic
from landscapes.networks.digits import Digits
from landscapes.oracle.evaluation import evaluate
from landscapes.wrappers.relaxation import Relaxation
from tests.contract.landscapes import (
    ADDITIVE,
    DOUBLE,
    DTYPES,
    EXTENDED,
    KINDS,
    PAIRS,
    SINGLE,
    SMOOTH,
    SOME,
    TOGETHER,
    WORLDS,
    batch,
    bound,
    drawn,
    dtypes,
    everything,
    kinds,
    shape,
    starts,
    streams,
    tables,
)
from tests.support.each import each


def test_every_landscape_is_tested():
    assert set(LANDSCAPES) <= {landscape.name for landscape in KINDS.values()}
    assert all(issubclass(cls, Landscape) and cls.name == name for name, cls in LANDSCAPES.items())


@kinds
@pytest.mark.parametrize(
    ("dtype", "count"), [(SINGLE, 3), pytest.param(DOUBLE, 17, marks=pytest.mark.verify)], ids=str
)
def test_shapes_dtype_and_box(kind, dtype, count):
    landscape = bound(kind, dtype=dtype)
    x = starts(landscape, count, dtype=dtype)
    assert x.shape == (8, count, landscape.dim)
    if isinstance(landscape.domain, Bits):
        assert x.dtype == torch.uint8
        assert x.max() <= 1
    elif isinstance(landscape.domain, Letters):
        assert x.dtype == torch.uint8
        assert (x < torch.tensor(landscape.domain.sizes)).all()
    else:
        assert x.dtype == dtype
        if type(landscape).start in (
            Landscape.start,
            Relaxation.start,
        ):  # others have a law of their own
            assert landscape.domain.low <= x.min()
            assert x.max() <= landscape.domain.high
    for value in (
        landscape.loss(x),
        landscape.loss(x, batch(landscape, 1, dtype=dtype)),
        landscape.loss(x, batch(landscape, count, dtype=dtype)),
    ):
        assert value.shape == shape(landscape, count)
        assert value.dtype == dtype
        assert value.isfinite().all()
    assert landscape.solution_loss(x).shape == (8, count)
    measures = landscape.measures(x[:, 0])
    assert set(measures) == set(landscape.extras)
    assert all(m.shape == (8,) for m in measures.values())


LAST = torch.tensor([7])
ALONE = [  # of one point the products are those of vectors; of many, float32 is the first to show an order
    (DOUBLE, 1, SOME),
    (SINGLE, 17, LAST),
    *(
        pytest.param(*case, marks=pytest.mark.verify)
        for case in [
            (DOUBLE, 1, LAST),
            (SINGLE, 17, SOME),
            *((*pair, worlds) for pair in PAIRS[1:] for worlds in (SOME, LAST)),
        ]
    ),
]


@kinds
@pytest.mark.parametrize(("dtype", "count", "worlds"), ALONE, ids=str)
def test_a_world_does_not_see_the_others_in_its_batch(kind, dtype, count, worlds):
    together = everything(bound(kind, dtype=dtype), WORLDS, dtype, count)
    alone = everything(bound(kind, worlds, dtype), worlds, dtype, count)
    for name, value in together.items():
        assert torch.equal(value[worlds], alone[name]), name


@kinds
def test_worlds_with_one_instance_number_have_one_instance(kind):
    landscape = bound(kind, [4, 4, 1])
    x, some = starts(landscape, 17, [0, 0, 0]), batch(landscape, 1, 5, [0, 0, 0])
    value = torch.stack([landscape.loss(x), landscape.loss(x, some)], 1)
    assert torch.equal(value[0], value[1])
    assert torch.equal(value[0, 0], bound(kind, [4]).loss(x[:1])[0])
    assert torch.equal(value[0], value[2]) != drawn(kind)
    shared = [
        t
        for t in vars(bound(kind, [4] * 5)).values()
        if isinstance(t, torch.Tensor) and t.ndim > 1 and len(t) == 5 and t[0].numel() > 1
    ]
    assert all(t.stride(0) == 0 for t in shared), "worlds of one instance share memory"


@each("kind", ADDITIVE)
def test_the_loss_is_the_mean_of_its_terms(kind):
    for dtype, error in zip(DTYPES, (1e-12, 2e-5), strict=True):
        landscape = bound(kind, dtype=dtype)
        x, m = starts(landscape, 3, dtype=dtype), landscape.terms
        index = torch.arange(m).expand(8, 1, m)
        mean = landscape.loss(x, Terms(index, torch.full(index.shape, 1 / m, dtype=dtype)))
        torch.testing.assert_close(mean, landscape.loss(x), rtol=error, atol=error)


@each("kind", TOGETHER)
@dtypes
def test_a_loss_that_is_no_sum_sees_its_examples_together(kind, dtype):
    landscape = bound(kind, dtype=dtype)
    x, m = starts(landscape, 3, dtype=dtype), landscape.terms
    error = {"rtol": 1e-11, "atol": 1e-12} if dtype == torch.float64 else {"rtol": 2e-4, "atol": 2e-5}
    index = torch.arange(m).expand(8, 1, m)
    torch.testing.assert_close(
        landscape.loss(x, Terms(index, torch.full(index.shape, 1 / m, dtype=dtype))),
        landscape.loss(x),
        **error,
    )
    terms = batch(landscape, 1, dtype=dtype)
    value = landscape.loss(x, terms)
    torch.testing.assert_close(
        landscape.loss(x, Terms(terms.index.flip(-1), terms.weight)), value, **error
    )
    padded = Terms(
        torch.cat((terms.index, terms.index[..., :3]), -1),
        torch.nn.functional.pad(terms.weight, (0, 3)),
    )
    torch.testing.assert_close(landscape.loss(x, padded), value, **error)
    smaller = (
        sum(
            landscape.loss(x, Terms(half, torch.full(half.shape, 1 / 3, dtype=dtype)))
            for half in (terms.index[..., :3], terms.index[..., 2:])
        )
        / 2
    )
    assert not torch.allclose(smaller, value, rtol=1e-3), "it is not the mean of smaller batches"
    with pytest.raises(ValueError, match="expected equal weights"):
        landscape.loss(
            x, terms._replace(weight=terms.weight * torch.tensor([1, 1, 1, 1, 2], dtype=dtype))
        )


@each("kind", ADDITIVE)
def test_weight_zero_pads_and_repeated_terms_accumulate(kind):
    landscape = bound(kind)
    x = starts(landscape, 3)
    for rows in (1, 3):
        terms = batch(landscape, rows)
        alone = sum(
            landscape.loss(x, Terms(terms.index[..., b : b + 1], terms.weight[..., b : b + 1]))
            for b in range(5)
        )
        torch.testing.assert_close(landscape.loss(x, terms), alone, rtol=1e-12, atol=1e-12)
        padded = Terms(
            terms.index.repeat(1, 1, 2), torch.cat((terms.weight, torch.zeros_like(terms.weight)), -1)
        )
        torch.testing.assert_close(
            landscape.loss(x, padded), landscape.loss(x, terms), rtol=1e-12, atol=1e-12
        )
        twice = Terms(terms.index.repeat(1, 1, 2), terms.weight.repeat(1, 1, 2))
        torch.testing.assert_close(
            landscape.loss(x, twice), 2 * landscape.loss(x, terms), rtol=1e-12, atol=1e-12
        )


DIFFERENTIABLE = [
    kind for kind in SMOOTH if kind != "relaxation-lovasz"
]  # loci tie at its starts, where it has a kink


STEP = 1e-6  # of the differences


def differences(landscape, x, terms):
    """(R, D) central differences of the loss at x (R, D), each player's block of its own loss.

    The loss is asked once, at all points that lie a step up or down along a coordinate.
    """
    worlds, dim = x.shape
    steps = STEP * torch.eye(dim, dtype=x.dtype)
    around = x[:, None] + torch.cat((steps, -steps))
    up, down = landscape.loss(around, terms).reshape(worlds, 2, dim, -1).unbind(1)
    owner = torch.arange(len(landscape.players)).repeat_interleave(torch.tensor(landscape.players))
    return ((up - down) / (2 * STEP))[:, torch.arange(dim), owner]


SLOW = [
    ("autoencoder", None),
    ("autoencoder", 2),
]  # it has many coordinates; with one batch it is quick


ALL = [(kind, rows) for kind in DIFFERENTIABLE for rows in (None, 1, 2)]


@each(("kind", "rows"), [case for case in ALL if case not in SLOW])
def test_gradients_agree_with_finite_differences(kind, rows):
    check_gradients(kind, rows)


@pytest.mark.verify
@each(("kind", "rows"), SLOW)
def test_gradients_of_many_coordinates_agree_with_finite_differences(kind, rows):
    check_gradients(kind, rows)


def check_gradients(kind, rows):
    landscape = bound(kind, [0, 5])
    x = starts(landscape, 2, [0, 5])
    terms = None if rows is None else batch(landscape, rows, 4, [0, 5])
    slope = evaluate(landscape, x, terms, gradient=True).gradient
    for p in range(2):
        own = terms if rows != 2 else Terms(terms.index[:, [p]], terms.weight[:, [p]])
        expected = differences(landscape, x[:, p], own)
        np.testing.assert_allclose(slope[:, p], expected, rtol=1e-6, atol=1e-7)


@each("kind", EXTENDED)
def test_the_extension_meets_the_loss_at_the_corners_and_is_linear_in_each_coordinate(kind):
    landscape = bound(kind)
    x, p = starts(landscape, 3), streams().uniform("evaluation", (3, landscape.dim))
    torch.testing.assert_close(
        landscape.extension(x.double()), landscape.loss(x), rtol=1e-12, atol=1e-12
    )
    for locus in range(min(5, landscape.dim)):
        low, high = p.clone(), p.clone()
        low[..., locus], high[..., locus] = 0, 1
        mixed = (1 - p[..., locus]) * landscape.extension(low) + p[..., locus] * landscape.extension(
            high
        )
        torch.testing.assert_close(landscape.extension(p), mixed, rtol=1e-10, atol=1e-11)
    slope = torch.autograd.functional.jacobian(lambda q: landscape.extension(q).sum(), p)[..., locus]
    torch.testing.assert_close(
        slope, landscape.extension(high) - landscape.extension(low), rtol=1e-10, atol=1e-11
    )


@kinds
@dtypes
def test_the_optimum_has_loss_zero_and_nothing_is_below(kind, dtype):
    landscape = bound(kind, dtype=dtype)
    time = torch.zeros(8, dtype=torch.float64)
    assert KINDS[kind].place_known == (landscape.optima_at(time) is not None)
    if landscape.optimum is not None:
        assert landscape.gap_known
        assert landscape.optimum.shape == (8, landscape.dim)
        assert landscape.optimum.dtype == (
            dtype if isinstance(landscape.domain, Reals) else torch.uint8
        )
        assert landscape.solution_loss(landscape.optimum[:, None]).abs().max() <= (
            1e-12 if dtype == torch.float64 else 1e-5
        )
        assert landscape.optima is not None
        assert landscape.optima.dtype == landscape.optimum.dtype
        assert (landscape.optima == landscape.optimum[:, None]).all(-1).any(-1).all()
        assert landscape.solution_loss(landscape.optima).abs().max() <= (
            1e-12 if dtype == torch.float64 else 1e-5
        )
    if landscape.gap_known:
        assert landscape.solution_loss(starts(landscape, 17, dtype=dtype)).min() >= (
            -1e-12 if dtype == torch.float64 else -1e-5
        )


@kinds
def test_wrong_shapes_are_named(kind):
    landscape = bound(kind)
    dtype = torch.float64 if isinstance(landscape.domain, Reals) else torch.uint8
    with pytest.raises(
        ValueError,
        match=rf"expected points of shape \(R, P, {landscape.dim}\), got \(8, 2, {landscape.dim + 1}\)",
    ):
        landscape.loss(torch.zeros((8, 2, landscape.dim + 1), dtype=dtype))
    with pytest.raises(
        ValueError, match=r"torch.uint8.*got torch.int64|torch.float64.*got torch.int64"
    ):
        landscape.loss(torch.zeros((8, 2, landscape.dim), dtype=torch.int64))
    if any(len(table) == 8 for table in tables(landscape)):
        x = torch.zeros((3, 2, landscape.dim), dtype=dtype)
        with pytest.raises(ValueError, match="expected points of the 8 worlds it is bound to, got 3"):
            landscape.loss(x)
        with pytest.raises(ValueError, match=r"call \.bind\(streams\) first"):
            KINDS[kind].loss(x)


@each(
    ("make", "message"),
    [
        (lambda: NK(n=16, k=20), "nk.k: expected 0 <= k <= n - 1 = 15, got 20"),
        (lambda: NK(n=10, k=2, neighbours="blocks"), r"nk.k: expected k \+ 1 to divide n = 10"),
        (lambda: NK(n=0, k=0), "nk.n: expected >= 1, got 0"),
        (lambda: Quadratic(dim=5, terms=5), "quadratic.terms: expected 1 .* more than dim = 5, got 5"),
        (lambda: Quadratic(condition=0.5), "quadratic.condition: expected >= 1, got 0.5"),
        (lambda: GaussianField(length=0.0), "gaussian_field.length: expected > 0, got 0.0"),
        (lambda: Digits(hidden=0), "digits.hidden: expected >= 1, got 0"),
        (
            lambda: Relaxation(inner=Quadratic()),
            "relaxation.inner: expected a landscape on Bits, got quadratic",
        ),
    ],
)
def test_parameters_out_of_range_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
