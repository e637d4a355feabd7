"""Laws of selection on landscapes of bits, and known running times. Each is shown to reject a wrong law."""

import math

import pytest
import torch

from landscapes.binary.jump import Jump
from landscapes.binary.labs import LABS
from landscapes.binary.leading_ones import LeadingOnes
from landscapes.binary.max_sat import MaxSat
from landscapes.binary.onemax import OneMax
from landscapes.binary.quantitative_trait import QuantitativeTrait
from landscapes.binary.royal_road import RoyalRoad
from landscapes.binary.spin_glass import SpinGlass
from landscapes.binary.trap import Trap
from landscapes.streams import Streams
from studies.theory.runtimes import ea_leading_ones, rls_onemax
from studies.theory.traits import onemax_proportional
from tests.truths.table import told_mean

WORLDS = 4
SELECTION = 0.01  # beta: w = 1 - beta L


def streams(worlds=WORLDS):
    return Streams(seed=9, worlds=torch.arange(worlds))


def population(landscape):
    """Allele frequencies (R, n), and at linkage equilibrium all genotypes (G, n), their frequencies and their linear fitness (R, G)."""
    n = landscape.n
    p = 0.1 + 0.8 * streams().uniform("init", (n,))
    x = (torch.arange(2**n)[:, None] >> torch.arange(n) & 1).to(torch.uint8)
    frequency = torch.where(x.bool(), p[:, None], 1 - p[:, None]).prod(-1)
    return p, x, frequency, 1 - SELECTION * landscape.loss(x.expand(WORLDS, -1, -1))


def mean_fitness(landscape, p):
    """W of populations at linkage equilibrium (R, n), by the extension: (R,)."""
    return 1 - SELECTION * landscape.extension(p[:, None])[:, 0]


def selected(landscape):
    """Allele frequencies before and after one generation of selection, by enumeration.

    Mean fitness and its gradient, by the extension.
    """
    p, x, frequency, w = population(landscape)
    mean = (frequency * w).sum(1, keepdim=True)
    after = (frequency * w / mean) @ x.double()
    q = p.clone().requires_grad_()
    fitness = mean_fitness(landscape, q)
    (slope,) = torch.autograd.grad(fitness.sum(), q)
    torch.testing.assert_close(fitness.detach(), mean[:, 0], rtol=0, atol=1e-12)
    return p, after, mean, slope


LANDSCAPES = [
    OneMax(n=6, target="random"),
    LeadingOnes(n=6, target="random"),
    Trap(n=8, target="random"),
    RoyalRoad(n=8, block=2, levels=3, target="random"),
    Jump(n=7, width=3, target="random"),
    LABS(n=9),
    SpinGlass(n=8),
    SpinGlass(n=7, order=3),
    MaxSat(n=8),
    QuantitativeTrait(n=8, theta=0.5),
]


# law 19: Wright 1937 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("landscape", LANDSCAPES, ids=str)
def test_selection_changes_frequencies_along_the_gradient_of_mean_fitness(landscape):
    p, after, mean, slope = selected(landscape.bind(streams()))
    change, law = after - p, p * (1 - p) / mean * slope
    assert (change - law).abs().max() <= 1e-12
    for wrong in (
        law / 2,
        p / mean * slope,
        p * (1 - p) * slope,
    ):  # diploids; without the heterozygosity; without the mean fitness
        assert (change - wrong).abs().max() > 1e-8


# law 18: Fisher 1930 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "landscape", [OneMax(n=6, target="random"), SpinGlass(n=8, order=1), MaxSat(n=7, k=1)], ids=str
)
def test_mean_fitness_of_an_additive_landscape_rises_by_its_variance(landscape):
    landscape = landscape.bind(streams())
    _, _, frequency, w = population(landscape)
    _, after, mean, _ = selected(landscape)
    variance = (frequency * (w - mean).square()).sum(1)
    rise = mean_fitness(landscape, after) - mean[:, 0]
    assert (rise - variance / mean[:, 0]).abs().max() <= 1e-12
    assert (rise - variance).abs().max() > 1e-6, "without the mean fitness"


def test_epistatic_variance_does_not_add_to_the_rise():
    landscape = SpinGlass(n=8).bind(streams())
    _, _, frequency, w = population(landscape)
    _, after, mean, _ = selected(landscape)
    variance = (frequency * (w - mean).square()).sum(1)
    assert (mean_fitness(landscape, after) - mean[:, 0] - variance / mean[:, 0]).abs().max() > 1e-6


# law 16: Muehlenbein 1993 -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "start"), [(100, 0.5), (13, 0.2)])
def test_onemax_under_proportional_selection_at_linkage_equilibrium(n, start):
    landscape, p = OneMax(n=n).bind(streams(1)), torch.full((1, 1, n), start, dtype=torch.float64)
    for _ in range(50):
        p.requires_grad_()
        fitness = n - landscape.extension(p)
        (slope,) = torch.autograd.grad(fitness.sum(), p)
        p = (p + p * (1 - p) / fitness[..., None] * slope).detach()
    assert (p - onemax_proportional(n, 50, start)).abs().max() <= 1e-12
    assert (p - onemax_proportional(n - 1, 50, start)).abs().max() > 1e-6


# law 46: Boettcher, Doerr and Neumann 2010 ------------------------------------------------------------------


def evaluations(landscape, worlds, flips):
    """Steps until the loss is 0, from genotypes that agree nowhere with the target where the law says so.

    (R,). flips(streams) -> (R, 1, n).
    """
    drawn = streams(worlds)
    landscape = landscape.bind(drawn)
    x = 1 - landscape.optimum[:, None] if isinstance(landscape, OneMax) else landscape.start(drawn, 1)
    loss, taken, step = landscape.loss(x), torch.zeros(worlds).double(), 0
    while (loss > 0).any():
        step += 1
        taken += (loss > 0)[:, 0]
        moved = x ^ flips(drawn.at(step)).to(torch.uint8)
        after = landscape.loss(moved)
        better = after <= loss
        x, loss = torch.where(better[..., None], moved, x), torch.where(better, after, loss)
    return taken


@pytest.mark.parametrize("target", ["ones", "random"])
def test_randomized_local_search_on_onemax_collects_coupons(target):
    n = 12
    one = torch.eye(n)
    taken = evaluations(
        OneMax(n=n, target=target), 1500, lambda s: one[s.integers("mutation", n, (1,))]
    )
    law, wrong = rls_onemax(n, n), n * math.log(n)
    told_mean(
        46,
        "steps of randomized local search on OneMax, n H_n",
        f"by hand, target {target}, n = {n}",
        law,
        taken,
        mutant=wrong,
    )


@pytest.mark.verify
def test_one_plus_one_evolution_on_leading_ones():
    n = 12
    taken = evaluations(
        LeadingOnes(n=n, target="random"), 1500, lambda s: s.bernoulli("mutation", 1 / n, (1, n))
    )
    law = ea_leading_ones(n)
    wrong, name = (
        n * n / 2 * (1 - 1 / n) ** (1 - n),
        "steps of the (1+1)-EA on LeadingOnes, n^2 [(1 - 1/n)^(1 - n) - (1 - 1/n)] / 2",
    )
    told_mean(46, name, f"by hand, n = {n}", law, taken, mutant=wrong)
    onemax = evaluations(
        OneMax(n=n, target="random"), 1500, lambda s: s.bernoulli("mutation", 1 / n, (1, n))
    )
    assert abs(float(onemax.mean()) - law) > 4.5 * float(onemax.std()) / 1500**0.5
