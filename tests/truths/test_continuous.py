"""Closed-form laws of continuous landscapes. Each must reject a wrong law by the same check."""

import math
from collections import deque

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import torch

from landscapes.base import Terms
from landscapes.continuous.double_well import DoubleWell
from landscapes.continuous.fisher import Fisher
from landscapes.continuous.gaussian_field import GaussianField
from landscapes.continuous.saddle import Saddle
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams
from studies.theory import escape
from studies.theory.ruggedness import beneficial_chance, field_maxima
from tests.truths.table import told, told_mean

ERRORS = 4.5  # standard errors allowed


def streams(worlds):
    return Streams(seed=17, worlds=torch.arange(worlds))


def descend(bound, x, rate, steps, moves):
    """Plain SGD with mini-batches of one term: x (R, P, D) after each of the steps."""
    for step in range(1, steps + 1):
        index = moves.at(step).integers("data", bound.terms, (1, 1))
        terms = Terms(index, torch.ones_like(index, dtype=x.dtype))
        x = x - rate * evaluate(bound, x, terms, gradient=True).gradient
        yield x


# law 36: Fisher 1930 ----------------------------------------------------------------------------------------


def fisher_1930(n, r, d):
    return scipy.stats.norm.sf(r * n**0.5 / (2 * d))


def fraction(n, r, d, count=100_000, **options):
    """Fraction of `count` mutations of size r that raise fitness."""
    worlds, points = count // 100, 100
    landscape, s = (
        Fisher(dim=n, distance=d, shifted=True, **options).bind(streams(worlds)),
        streams(worlds),
    )
    x = landscape.start(s, points)
    step = s.normal("mutation", (points, n))
    step = r * step / step.square().sum(-1, keepdim=True).sqrt()
    return float((landscape.loss(x + step) < landscape.loss(x)).double().mean())


@pytest.mark.parametrize(
    ("n", "r", "d"), [(10, 0.3, 1.0), (50, 0.3, 1.0), (3, 1.0, 1.0), (5, 0.5, 0.4), (20, 1.5, 3.0)]
)
@pytest.mark.parametrize("epistasis", [2.0, 3.0])
def test_law_36_chance_that_a_mutation_is_beneficial_chance(n, r, d, epistasis):
    found, law = fraction(n, r, d, epistasis=epistasis), beneficial_chance(n, r, d)
    deviation, half = (
        (law * (1 - law) / 100_000) ** 0.5,
        beneficial_chance(n, r / 2, d),
    )  # r / 2 d, not r / 4 d
    name, where = (
        "chance of a beneficial mutation of size r, I_(1 - (r / 2 d)^2)((n - 1) / 2, 1/2) / 2",
        f"n = {n}, r = {r}, d = {d}",
    )
    told(
        36,
        name,
        f"{where}, epistasis {epistasis}",
        law,
        found,
        error=deviation,
        mutant=beneficial_chance(n + 1, r, d) if n <= 40 else half,
    )
    assert abs(found - fisher_1930(n, r, d)) > ERRORS * deviation or n > 15, (
        "Fisher's approximation tells itself from the law at small n"
    )
    assert abs(found - half) > ERRORS * deviation


def test_law_36_numbers_and_limits():
    assert beneficial_chance(10, 0.3, 1) == pytest.approx(0.3299, abs=5e-5)
    assert fisher_1930(10, 0.3, 1) == pytest.approx(0.3176, abs=5e-5)
    assert beneficial_chance(50, 0.3, 1) == pytest.approx(0.1467, abs=5e-5)
    found, law = fraction(10, 0.3, 1.0, selection_condition=100.0), beneficial_chance(10, 0.3, 1)
    assert abs(found - law) > ERRORS * (law * (1 - law) / 100_000) ** 0.5, (
        "not with anisotropic selection"
    )


# law 37: Rice 1945; Bond and Efstathiou 1987 ----------------------------------------------------------------


def maxima(dim, length, worlds, side, waves, spacing=0.1):
    """Maxima for each world, and in how large a volume.

    On a grid of this spacing, in units of the correlation length, `side` of them long.
    """
    axis = torch.arange(round(side / spacing) + 2, dtype=torch.float64) * spacing * length
    x = torch.stack(torch.meshgrid(*[axis] * dim, indexing="ij"), -1)
    field = GaussianField(dim=dim, waves=waves, length=length, bowl=0.0).bind(streams(worlds))
    value = field.loss(x.flatten(0, -2).expand(worlds, -1, -1)).reshape(worlds, 1, *x.shape[:-1])
    pool = {1: torch.nn.functional.max_pool1d, 2: torch.nn.functional.max_pool2d}[dim]
    inner = (slice(None), 0, *[slice(1, -1)] * dim)
    return (value == pool(value, 3, 1, 1))[inner].flatten(1).sum(1).double(), (
        (len(axis) - 2) * spacing * length
    ) ** dim


WRONG = {
    1: lambda length: 1 / (2 * math.pi * length),
    2: lambda length: 2 / (2 * math.pi * 3**0.5 * length**2),
}  # up-crossings of 0; saddles


@pytest.mark.parametrize(
    ("dim", "worlds", "side", "waves", "length"),
    [
        (1, 1000, 20, 64, 1.0),
        (1, 1000, 20, 64, 0.4),
        (2, 150, 6, 256, 0.4),
        *(
            pytest.param(*grid, length, marks=pytest.mark.verify)
            for grid in ((1, 10_000, 30, 128), (2, 1500, 6, 256))
            for length in (1.0, 0.4)
        ),
    ],
)
def test_law_37_density_of_maxima(dim, worlds, side, waves, length):
    count, volume = maxima(dim, length, worlds, side, waves)
    error = float(count.std()) / worlds**0.5 / volume
    found = float(count.mean()) / volume
    name = (
        "density of maxima of a Gaussian field,"
        f" {'sqrt(3) / (2 pi l)' if dim == 1 else '1 / (2 pi sqrt(3) l^2)'}"
    )
    bias = (0.005 + dim / waves) * field_maxima(
        dim, length
    )  # the grid merges neighbours, and of M waves the field is not quite Gaussian
    where, law, wrong = (
        f"{dim}-D, l = {length}, {waves} waves, R = {worlds}",
        field_maxima(dim, length),
        WRONG[dim](length),
    )
    told(37, name, where, law, found, error=error, bias=bias, mutant=wrong)
    assert abs(found - field_maxima(dim, 1.1 * length)) > ERRORS * error + bias


# law 53: Kramers 1940 ---------------------------------------------------------------------------------------

KRAMERS = "mean escape time, 2 pi / sqrt(U''_a |U''_b|) e^(dU / D), D = eta sigma^2 / 2 B"
QUARTIC = {"dim": 1, "barrier": 0.25, "width": 1.0, "tilt": 0.0}  # x^4 / 4 - x^2 / 2 + 1 / 4


def kramers(well, temperature):
    """Mean time to leave the left well, from what the landscape says of itself."""
    inside, top, _ = well.curvatures
    return escape.kramers(well.barrier_left, temperature, inside, abs(top))


def first_passage(well, temperature, end):
    """Mean time from the bottom of the left well to `end`, 1/T int exp(L(y)/T) int^y exp(-L(z)/T) dz dy, read off the loss itself."""
    y = np.linspace(-4 * well.width, end, 40_001)
    loss = well.bind(streams(1)).loss(torch.from_numpy(y)[None, :, None])[0].numpy() / temperature
    inner = scipy.integrate.cumulative_simpson(np.exp(-loss), x=y, initial=0)
    later = y >= well.stationary[0]
    return scipy.integrate.simpson(np.exp(loss[later]) * inner[later], x=y[later]) / temperature


def test_law_53_escape_time_of_the_quartic():
    well = DoubleWell(**QUARTIC)
    limit = kramers(well, 0.02)
    assert kramers(well, 0.1) == pytest.approx(54.1, abs=0.05)
    assert first_passage(well, 0.1, well.stationary[2]) == pytest.approx(66.3, abs=0.1)
    assert first_passage(well, 0.1, well.stationary[1]) == pytest.approx(30.8, abs=0.1)
    told(
        53,
        KRAMERS,
        "x^4 / 4 - x^2 / 2, D = .02",
        limit,
        first_passage(well, 0.02, well.stationary[2]),
        bias=0.05 * limit,
        mutant=limit / 2,
    )


@pytest.mark.parametrize(
    ("barrier", "width", "tilt"), [(1.0, 0.5, 0.4), (2.0, 2.0, 0.0), (3.0, 1.0, 1.0)]
)
def test_law_53_barriers_and_curvatures_give_the_exact_escape_time(barrier, width, tilt):
    well = DoubleWell(dim=1, barrier=barrier, width=width, tilt=tilt)
    exact, law = first_passage(well, barrier / 30, well.stationary[2]), kramers(well, barrier / 30)
    wider = kramers(DoubleWell(dim=1, barrier=barrier, width=1.1 * width, tilt=tilt), barrier / 30)
    where = f"barrier {barrier:g}, width {width:g}, tilt {tilt:g}, dU / D near 30"
    told(53, KRAMERS, where, law, exact, bias=0.06 * exact, mutant=wider)


@pytest.mark.verify
def test_law_53_sgd_escapes_at_its_temperature():
    rate, temperature, worlds = 0.02, 0.1, 2000
    well = DoubleWell(**QUARTIC, terms=2, noise_scale=math.sqrt(2 * temperature / rate)).bind(
        streams(worlds)
    )
    x, hit = well.optimum[:, None].clone(), torch.full((worlds,), 0, dtype=torch.int64)
    for step, moved in enumerate(descend(well, x, rate, 40_000, streams(worlds)), 1):
        hit = torch.where((hit == 0) & (moved[:, 0, 0] >= 1), step, hit)
        if hit.min() > 0:
            break
    assert hit.min() > 0
    time, exact = hit.double() * rate, first_passage(well, temperature, 1.0)
    twice = first_passage(well, 2 * temperature, 1.0)  # T is eta sigma^2 / 2, not eta sigma^2
    where = "SGD, eta = .02, D = .1, exact mean first passage"
    told_mean(53, KRAMERS, where, exact, time, bias=0.03 * exact, mutant=twice)  # the step is finite
    assert abs(float(time.mean()) - kramers(well, temperature)) <= 0.3 * exact


# a tilted well at equilibrium -------------------------------------------------------------------------------


@pytest.mark.verify
def test_sgd_in_two_wells_rests_in_proportion_to_exp_of_minus_loss_over_temperature():
    """All start in the wrong well.

    The chance to be in the left one is that of the Gibbs law at T = eta noise_scale^2 / 2.
    """
    rate, temperature, worlds = 0.02, 0.5, 3000
    options = {"dim": 2, "barrier": 1.0, "width": 1.0, "tilt": 0.3, "starts": "wrong_well"}
    well = DoubleWell(**options, terms=3, noise_scale=math.sqrt(2 * temperature / rate)).bind(
        streams(worlds)
    )
    (last,) = deque(descend(well, well.start(streams(worlds), 1), rate, 700, streams(worlds)), 1)
    left = float((last[:, 0, 0] < well.stationary[1]).double().mean())

    def gibbs(temperature):
        x = torch.linspace(-4, 4, 8001, dtype=torch.float64)
        flat = (
            DoubleWell(dim=1, barrier=1.0, width=1.0, tilt=0.3)
            .bind(streams(1))
            .loss(x[None, :, None])[0]
        )
        weight = torch.exp(-flat / temperature)
        return float(weight[x < well.stationary[1]].sum() / weight.sum())

    error = ERRORS * (left * (1 - left) / worlds) ** 0.5
    assert abs(left - gibbs(temperature)) <= error
    assert abs(left - gibbs(2 * temperature)) > error
    assert abs(left - 0.5) > error


# the saddle: noise only helps along the unstable direction --------------------------------------------------


def spread(axes, steps, worlds=1000, rate=0.05):
    """Of SGD from the saddle of x^2 - y^2, (R, 2) after `steps`."""
    bound = Saddle(
        dim=2, stable_curvature=2.0, unstable_curvature=2.0, terms=5, noise="axes", noise_axes=axes
    ).bind(streams(worlds))
    (last,) = deque(descend(bound, bound.start(streams(worlds), 1), rate, steps, streams(worlds)), 1)
    return last[:, 0]


def variance(h, deviation, steps, rate=0.05):
    a = (1 - rate * h) ** 2
    return (rate * deviation) ** 2 * (a**steps - 1) / (a - 1)


@pytest.mark.parametrize("deviation", [1.0, 0.01])
def test_law_of_the_spread_at_a_saddle(deviation):
    found = spread((1.0, deviation), 30).square()
    error = ERRORS * found.std(0) / 1000**0.5
    law = torch.tensor([variance(2, 1.0, 30), variance(-2, deviation, 30)])
    assert ((found.mean(0) - law).abs() <= error).all()
    assert (
        (found.mean(0) - torch.tensor([variance(2, 2**0.5, 30), variance(-2, 2**0.5 * deviation, 30)]))
        .abs()
        .gt(error)
        .all()
    )
    assert (
        (found.mean(0) - torch.tensor([variance(-2, 1.0, 30), variance(2, deviation, 30)]))
        .abs()
        .gt(error)
        .all()
    )


def test_nobody_leaves_a_saddle_with_noise_on_its_stable_axis_only():
    for axes, escaped in (((1.0, 0.0), 0), ((1.0, 0.01), 1000), ((0.0, 1.0), 1000)):
        last = spread(axes, 200)
        assert int((last[:, 1].abs() > 1).sum()) == pytest.approx(escaped, abs=3 if escaped else 0)
