"""A landscape as the mean of terms with a set law of gradient noise."""

import numpy as np
import pytest
import torch
from scipy import stats

from landscapes.base import Terms
from landscapes.binary.onemax import OneMax
from landscapes.continuous.cosine_rugged import CosineRugged
from landscapes.continuous.quadratic import Quadratic
from landscapes.games.dirac_gan import DiracGAN
from landscapes.streams import Streams
from landscapes.wrappers.finite_sum import FiniteSum
from landscapes.wrappers.moving import Moving
from tests.support.each import each

LAWS = ("normal", "exponential", "student", "rare", "pareto")
INNER = CosineRugged(dim=3, shifted=True)


def bound(landscape, worlds=(0, 7)):
    return landscape.bind(Streams(seed=5, worlds=torch.tensor(worlds)))


def each_term(landscape, x, time=None):
    """Losses (R, P, M) and gradients (R, P, M, D) of all terms one by one."""
    x = x.clone().requires_grad_()
    shape = (len(x), 1, 1)
    values = []
    for number in range(landscape.terms):
        term = Terms(torch.full(shape, number), torch.ones(shape, dtype=x.dtype))
        values.append(landscape.loss(x, term, time))
    slopes = [torch.autograd.grad(value.sum(), x, retain_graph=True)[0] for value in values]
    return torch.stack(values, -1).detach(), torch.stack(slopes, -2)


@each("law", LAWS)
def test_the_mean_of_the_terms_is_the_landscape_and_their_variance_is_set(law):
    axes = (1.0, 0.0, 2.5)
    landscape = bound(FiniteSum(inner=INNER, terms=41, law=law, noise_scale=0.7, noise_axes=axes))
    x = landscape.start(Streams(seed=1, worlds=torch.tensor([0, 7])), 4)
    values, slopes = each_term(landscape, x)
    inner = landscape.inner.loss(x)
    torch.testing.assert_close(values.mean(-1), inner, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(landscape.loss(x), inner, rtol=0, atol=0)
    expected = (0.7 * torch.tensor(axes, dtype=torch.float64)).square().expand(2, 4, 3)
    variance = slopes.var(-2, correction=0)
    torch.testing.assert_close(variance, expected, rtol=1e-11, atol=1e-20)
    # additive: the same noise wherever one stands
    away = slopes - slopes.mean(-2, keepdim=True)
    torch.testing.assert_close(away, away[:, :1].expand_as(away), rtol=1e-9, atol=1e-11)


def test_normal_terms_are_uncorrelated_exactly():
    landscape = bound(FiniteSum(inner=INNER, terms=23))
    second = (landscape.slopes.mT @ landscape.slopes) / 23
    torch.testing.assert_close(second, torch.eye(3).double().expand(2, 3, 3), rtol=0, atol=1e-13)


@each(
    ("law", "truth"),
    [
        ("normal", stats.norm),
        ("exponential", stats.expon),
        ("student", stats.t(1.8)),
        ("pareto", stats.lomax(1.8)),
    ],
)
def test_terms_have_the_law(law, truth):
    """Ratios of distances between quantiles, which neither place nor scale changes; their errors are 1 %."""
    landscape = bound(FiniteSum(inner=Quadratic(dim=1), terms=400_000, law=law, tail=1.8), [3])
    levels = [0.02, 0.1, 0.5, 0.9, 0.98]
    expected = np.diff(truth.ppf(levels))
    steps = np.diff(np.quantile(landscape.slopes.numpy(), levels))
    np.testing.assert_allclose(steps / steps[1], expected / expected[1], rtol=0.06)


def test_rare_terms_are_so_many_and_so_large():
    landscape = bound(FiniteSum(inner=INNER, terms=400, law="rare", rarity=0.02))
    large = landscape.slopes > 0
    assert (large.sum(1) == 8).all()
    torch.testing.assert_close(
        landscape.slopes[large],
        torch.full((48,), (0.98 / 0.02) ** 0.5, dtype=torch.float64),
        rtol=1e-12,
        atol=0,
    )
    torch.testing.assert_close(
        landscape.slopes[~large],
        torch.full((2352,), -((0.02 / 0.98) ** 0.5), dtype=torch.float64),
        rtol=1e-12,
        atol=0,
    )
    assert not torch.equal(large[:, :, 0], large[:, :, 1])  # each coordinate has its own


def test_bursts_come_and_go_and_the_whole_loss_stands_still():
    steady = bound(FiniteSum(inner=INNER, terms=11))
    bursts = bound(FiniteSum(inner=INNER, terms=11, burst=8, burst_every=5, burst_length=2))
    assert steady.clock is None
    assert bursts.clock == "step"
    x = steady.start(Streams(seed=1, worlds=torch.tensor([0, 7])), 2)
    whole = steady.loss(x)[..., None]
    noise = each_term(steady, x)[0] - whole
    for step in range(12):
        time = torch.full((2,), float(step), dtype=torch.float64)
        now = each_term(bursts, x, time)[0] - whole
        factor = 8 if step % 5 < 2 else 1
        torch.testing.assert_close(now, factor * noise, rtol=1e-11, atol=1e-12)
        assert torch.equal(bursts.loss(x, None, time), steady.loss(x))


def test_what_stands_inside_may_move():
    inside = Moving(inner=Quadratic(dim=2, condition=1), speed=0.5)
    landscape = bound(FiniteSum(inner=inside, terms=9))
    time = torch.full((2,), 6.0, dtype=torch.float64)
    x = torch.zeros((2, 1, 2), dtype=torch.float64)
    expected = torch.full((2, 1), 0.5 * 3.0**2).double()  # at distance speed times time
    torch.testing.assert_close(landscape.loss(x, None, time), expected, rtol=1e-12, atol=0)


@each(
    ("wrong", "message"),
    [
        ({"inner": OneMax(n=5)}, "inner: expected a landscape on real coordinates"),
        ({"inner": Quadratic(dim=2, terms=5)}, "inner: expected a landscape of one term"),
        ({"inner": DiracGAN()}, "inner: expected a landscape of one player"),
        ({"inner": Moving(inner=INNER, clock="cost"), "burst": 2.0}, "stands still or moves by steps"),
        ({"terms": 3}, "terms: expected more than dim = 3, got 3"),
        ({"noise_axes": (1.0, 2.0)}, "noise_axes: expected 3 numbers"),
        ({"noise_axes": (1.0, -2.0, 1.0)}, "noise_axes: expected numbers >= 0"),
    ],
)
def test_bad_input(wrong, message):
    with pytest.raises(ValueError, match="finite_sum") as error:
        FiniteSum(**({"inner": INNER} | wrong))
    assert message in str(error.value)
