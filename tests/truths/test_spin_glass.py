"""Closed-form laws of spin glasses. Each is shown to reject a wrong law, or a landscape of another kind."""

import math

import pytest
import torch

from landscapes.binary.max_sat import MaxSat
from landscapes.binary.spin_glass import SpinGlass
from landscapes.streams import Streams
from studies.theory.ruggedness import spin_autocorrelation
from tests.truths.table import told, told_mean


def energies(landscape, worlds):
    """E of all configurations, up to a constant: (R, 2^n) float64."""
    n = landscape.n
    every = (torch.arange(2**n)[:, None] >> torch.arange(n) & 1).to(torch.uint8)
    return landscape.bind(Streams(seed=7, worlds=torch.arange(worlds))).loss(
        every.expand(worlds, -1, -1)
    )


def neighbours_of(values, n):
    """Of the n configurations one flip away: (R, 2^n) -> (R, n, 2^n)."""
    return values[:, torch.arange(2**n) ^ (1 << torch.arange(n))[:, None]]


def autocorrelation(values, n):
    """Of neighbours, within each landscape: (R,)."""
    centred = values - values.mean(1, keepdim=True)
    return (centred[:, None] * neighbours_of(centred, n)).mean((1, 2)) / (centred * centred).mean(1)


# law 35: Weinberger and Stadler 1993 ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("landscape", "order"),
    [
        (SpinGlass(n=12), 2),
        (SpinGlass(n=9, couplings="pm1"), 2),
        (SpinGlass(n=8, order=1), 1),
        (SpinGlass(n=10, order=3), 3),
        (SpinGlass(n=9, order=4, couplings="pm1"), 4),
        (SpinGlass(n=11, graph="ring"), 2),
        (SpinGlass(n=16, graph="lattice", couplings="pm1"), 2),
    ],
)
def test_autocorrelation_is_one_less_two_orders_in_every_instance(landscape, order):
    n = landscape.n
    rho = autocorrelation(energies(landscape, 5), n)
    law, more, where = (
        spin_autocorrelation(n, order),
        spin_autocorrelation(n, order + 1),
        f"{landscape.graph}, {landscape.couplings}, N = {n}, p = {order}",
    )
    worst = rho[(rho - law).abs().argmax()]
    told(
        35,
        "autocorrelation of every p-spin glass, 1 - 2 p / N",
        where,
        law,
        worst,
        bias=1e-12,
        mutant=more,
    )
    for wrong in (1 - order / n, 1 - 2 * order / (n - 1)):
        assert (rho - wrong).abs().min() > 1e-3


def test_a_landscape_of_mixed_orders_has_no_such_autocorrelation():
    rho = autocorrelation(energies(MaxSat(n=10), 5), 10)
    assert max((rho - (1 - 2 * p / 10)).abs().min() for p in (2, 3)) > 1e-3
    assert rho.std() > 1e-4


# law 35: Tanaka and Edwards 1980; ground-state energy with its finite-size correction -----------------------


def optima(values, n):
    """Configurations below all their neighbours: (R,)."""
    return (values < neighbours_of(values, n).amin(1)).sum(1).double()


def within(sample, law, share):
    """Whether a mean agrees with an asymptotic law, to a share of it."""
    return abs(float(sample.mean()) / law - 1) <= share


@pytest.mark.verify
def test_number_of_optima_of_the_sherrington_kirkpatrick_model():
    count = optima(energies(SpinGlass(n=12), 600), 12)
    assert float(count.std()) / 600**0.5 < 0.03 * float(count.mean())
    law, wrong = math.exp(0.199 * 12), math.exp(0.249 * 12)
    told_mean(
        35,
        "number of optima of the Sherrington-Kirkpatrick model, e^(0.199 N)",
        "N = 12",
        law,
        count,
        bias=0.15 * law,
        mutant=wrong,
    )
    assert not within(optima(energies(SpinGlass(n=12, order=3), 100), 12), math.exp(0.199 * 12), 0.15)
    assert torch.equal(count % 2, torch.zeros(600).double()), "they come in pairs"


def test_ground_state_energy_of_the_sherrington_kirkpatrick_model():
    landscape = SpinGlass(n=12).bind(Streams(seed=7, worlds=torch.arange(600)))
    per_spin, law = landscape.best / 12, -0.763 + 0.70 * 12 ** (-2 / 3)
    endless, name = (
        -0.763,
        "ground-state energy of a Sherrington-Kirkpatrick spin, -0.763 + 0.70 N^(-2/3)",
    )  # no finite-size correction
    told_mean(35, name, "N = 12", law, per_spin, bias=-0.05 * law, mutant=endless)
    assert not within(per_spin * 2**0.5, law, 0.05), "couplings of variance 2 / n"


@pytest.mark.parametrize("order", [1, 2, 3])
def test_variance_of_the_energy_of_a_configuration(order):
    """Nearly n / 2; exactly C(n, p) p! / (2 n^(p - 1))."""
    n, worlds = 21, 2000
    landscape = SpinGlass(n=n, order=order, couplings="pm1").bind(
        Streams(seed=7, worlds=torch.arange(worlds))
    )
    square = landscape.loss(torch.zeros((worlds, 1, n), dtype=torch.uint8)).square()[:, 0]
    wanted = math.comb(n, order) * math.factorial(order) / (2 * n ** (order - 1))
    error = 4.5 * float(square.std()) / worlds**0.5
    assert abs(float(square.mean()) - wanted) <= error
    assert abs(float(square.mean()) - wanted * 1.25) > error
