"""A landscape of bits seen by a real-valued optimizer."""

import pytest
import torch

from landscapes.base import Terms
from landscapes.binary.nk import NK
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams
from landscapes.wrappers.relaxation import Relaxation, lovasz_extension
from tests.contract.landscapes import (
    bound,
    starts,
)
from tests.support.each import each


def test_relaxation_meets_its_landscape_at_the_corners():
    inner, relaxed = bound("nk"), bound("relaxation")
    bits, theta = starts(inner, 3), starts(relaxed, 3)
    assert torch.equal(theta, 2 * bits.double() - 1), (
        "row 0 leans to the genotype that every other method starts from"
    )
    torch.testing.assert_close(relaxed.loss(60 * theta), inner.loss(bits), rtol=0, atol=1e-12)
    assert torch.equal(relaxed.solution_loss(theta), inner.loss(bits))
    assert relaxed.unit_cost == 16
    assert relaxed.terms == 11
    assert relaxed.gap_known


def test_relaxation_by_threshold_is_the_landscape_of_signs():
    relaxed = bound("relaxation-threshold")
    theta = starts(relaxed, 3)
    assert relaxed.unit_cost == 1
    assert torch.equal(relaxed.loss(theta), relaxed.inner.loss((theta > 0).to(torch.uint8)))
    with pytest.raises(RuntimeError, match="does not require grad"):
        evaluate(relaxed, theta, gradient=True)


def nk(k, worlds=3, n=6):
    return NK(n=n, k=k).bind(Streams(seed=3, worlds=torch.arange(worlds)))


def chances(worlds=3, points=2, n=6):
    return torch.rand(
        worlds, points, n, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )


def expected_over_one_uniform(landscape, p, terms=None):
    """The mean loss over u in [0, 1] of the genotype p > u, which changes only where u is one of the chances; a loop over worlds and points."""
    found = torch.zeros(p.shape[:2], dtype=p.dtype)
    for r in range(p.shape[0]):
        for k in range(p.shape[1]):
            edges = [0.0, *sorted(p[r, k].tolist()), 1.0]
            for low, high in zip(edges, edges[1:], strict=False):
                bits = (p[r, k] > (low + high) / 2).to(torch.uint8).expand(*p.shape)
                found[r, k] += (high - low) * landscape.loss(bits, terms)[r, k]
    return found


def test_lovasz_is_the_mean_loss_over_one_uniform_for_all_loci():
    landscape, p = nk(k=3), chances()
    torch.testing.assert_close(
        lovasz_extension(landscape, p), expected_over_one_uniform(landscape, p), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("points", [1, 2])
def test_lovasz_of_a_mini_batch_is_that_of_its_terms(points):
    landscape, p = nk(k=3), chances()
    index = torch.tensor([[1, 4], [0, 0]])[:points].expand(3, points, 2)
    terms = Terms(index, torch.full((3, points, 2), 0.5, dtype=torch.float64))
    torch.testing.assert_close(
        lovasz_extension(landscape, p, terms),
        expected_over_one_uniform(landscape, p, terms),
        rtol=1e-12,
        atol=1e-12,
    )


def test_lovasz_is_the_multilinear_extension_where_loci_do_not_interact_and_only_there():
    p = chances()
    torch.testing.assert_close(
        lovasz_extension(nk(k=0), p), nk(k=0).extension(p), rtol=1e-12, atol=1e-12
    )
    assert (lovasz_extension(nk(k=3), p) - nk(k=3).extension(p)).abs().max() > 0.01


def test_a_slope_of_lovasz_is_the_loss_that_a_locus_adds_on_the_way():
    landscape, p = (
        nk(k=2, worlds=1, n=3),
        torch.tensor([[[0.2, 0.7, 0.4]]], dtype=torch.float64, requires_grad=True),
    )
    (slope,) = torch.autograd.grad(lovasz_extension(landscape, p).sum(), p)
    way = torch.tensor([[[0, 0, 0], [0, 1, 0], [0, 1, 1], [1, 1, 1]]], dtype=torch.uint8)
    loss = landscape.loss(way)[0]
    torch.testing.assert_close(
        slope[0, 0], torch.stack([loss[3] - loss[2], loss[1] - loss[0], loss[2] - loss[1]])
    )


@each("k", [0, 3, 5])
def test_lovasz_costs_as_many_evaluations_as_there_are_genotypes_on_the_way(k):
    relaxed = Relaxation(inner=NK(n=6, k=k), mode="lovasz")
    assert relaxed.unit_cost == 7
    assert relaxed.sloped
    assert not relaxed.values_are_solutions
