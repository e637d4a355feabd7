"""The fitness valley beside naive loops."""

import itertools
import math

import numpy as np
import pytest
import torch

from landscapes.binary.valley_crossing import ValleyCrossing
from landscapes.streams import Streams
from optimizers.fitness import fitness
from tests.references import random_tables as reference
from tests.support.each import each

VALLEYS = [
    ValleyCrossing(n=1, width=0),
    ValleyCrossing(n=4, width=0, order="fixed"),
    ValleyCrossing(n=2, width=1, depth=0.0),
    ValleyCrossing(n=5, width=2, depth=0.3, advantage=0.7),
    ValleyCrossing(n=4, width=3, depth=1.0, order="fixed", off_path=0.4),
    ValleyCrossing(n=6, width=2, depth=0.2, order="fixed"),
]
valleys = each("landscape", VALLEYS, ids=str)


def streams(worlds=(0, 4)):
    return Streams(seed=2, worlds=torch.tensor(worlds))


@valleys
def test_loss_and_extension_against_loops(landscape):
    n, parameters = landscape.n, {k: v for k, v in landscape.parameters().items() if k != "n"}
    x = torch.tensor(list(itertools.product((0, 1), repeat=n)), dtype=torch.uint8).expand(2, -1, -1)
    p = streams().uniform("data", (3, n))
    bound = landscape.bind(streams())

    def gap(genotype):
        return 1 + landscape.advantage - reference.valley_fitness(genotype, **parameters)

    np.testing.assert_allclose(bound.loss(x)[1], [gap(g) for g in x[1].tolist()], atol=1e-14)
    naive = [[reference.mean_over_genotypes(gap, q) for q in row] for row in p.tolist()]
    np.testing.assert_allclose(bound.extension(p), naive, atol=1e-14)
    torch.testing.assert_close(bound.extension(x.double()), bound.loss(x), rtol=0, atol=0)
    assert bound.loss(x).min() == 0
    assert torch.equal(bound.loss(bound.optimum[:, None]), torch.zeros((2, 1), dtype=torch.float64))


@valleys
@pytest.mark.parametrize("kind", ["linear", "exponential"])
def test_methods_that_select_by_fitness_take_that_of_the_valley(landscape, kind):
    """Whose depth is then delta, and not delta / (1 + s)."""
    x = torch.tensor(list(itertools.product((0, 1), repeat=landscape.n)), dtype=torch.uint8)
    loss = landscape.bind(streams()).loss(x.expand(2, -1, -1))
    found = fitness(loss, kind, 1.0, landscape.fitness_law)[0].numpy()
    parameters = {name: value for name, value in landscape.parameters().items() if name != "n"}
    expected = np.array([reference.valley_fitness(genotype, **parameters) for genotype in x.tolist()])
    np.testing.assert_allclose(found / found[0], expected / expected[0], atol=1e-12)


@valleys
def test_spacing_is_the_common_measure_of_all_losses(landscape):
    x = torch.tensor(list(itertools.product((0, 1), repeat=landscape.n)), dtype=torch.uint8).expand(
        2, -1, -1
    )
    steps = landscape.bind(streams()).loss(x).unique() / landscape.spacing
    torch.testing.assert_close(steps, steps.round(), rtol=0, atol=1e-9)
    assert math.gcd(*map(int, steps.round().tolist())) == 1


@valleys
def test_every_start_is_the_wild_type_of_fitness_1(landscape):
    bound = landscape.bind(streams())
    start = bound.start(streams(), 5)
    assert start.shape == (2, 5, landscape.n)
    assert not start.any()
    torch.testing.assert_close(
        1 + landscape.advantage - bound.loss(start), torch.ones((2, 5), dtype=torch.float64)
    )


@valleys
def test_the_slope_is_the_difference_between_the_two_alleles(landscape):
    bound = landscape.bind(streams())
    for p in (
        streams().uniform("data", (3, landscape.n)),
        torch.zeros((2, 1, landscape.n)).double(),
        torch.ones((2, 1, landscape.n)).double(),
    ):
        (slope,) = torch.autograd.grad(bound.extension(q := p.clone().requires_grad_()).sum(), q)
        for i in range(landscape.n):
            high, low = p.clone(), p.clone()
            high[..., i], low[..., i] = 1, 0
            torch.testing.assert_close(
                slope[..., i], bound.extension(high) - bound.extension(low), rtol=0, atol=1e-14
            )


def test_only_a_fixed_order_has_genotypes_off_the_path():
    any_order, fixed = (
        ValleyCrossing(n=3, width=2, depth=0.25, advantage=0.5, order=order, off_path=0.1).bind(
            streams()
        )
        for order in ("any", "fixed")
    )
    out_of_order = torch.tensor([0, 1, 0], dtype=torch.uint8).expand(2, 1, 3)
    in_order = out_of_order.flip(-1).roll(-1, -1)
    assert in_order[0, 0].tolist() == [1, 0, 0]
    assert float(any_order.loss(out_of_order)[0]) == pytest.approx(0.75)
    assert float(fixed.loss(out_of_order)[0]) == pytest.approx(1.4)
    assert torch.equal(any_order.loss(in_order), fixed.loss(in_order))


@each(
    ("make", "message"),
    [
        (
            lambda: ValleyCrossing(n=3, width=3),
            r"valley_crossing.n: expected at least width \+ 1 = 4 loci, got 3",
        ),
        (lambda: ValleyCrossing(width=-1), "valley_crossing.width: expected >= 0, got -1"),
        (lambda: ValleyCrossing(depth=1.5), "valley_crossing.depth: expected <= 1, got 1.5"),
        (lambda: ValleyCrossing(depth=-0.1), "valley_crossing.depth: expected >= 0, got -0.1"),
        (lambda: ValleyCrossing(advantage=0.0), "valley_crossing.advantage: expected > 0, got 0.0"),
        (lambda: ValleyCrossing(off_path=1.1), "valley_crossing.off_path: expected <= 1, got 1.1"),
        (
            lambda: ValleyCrossing(order="random"),
            "valley_crossing.order: expected one of any, fixed, got 'random'",
        ),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
