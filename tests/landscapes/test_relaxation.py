"""A landscape of bits seen by a real-valued optimizer."""

import pytest
import torch

from landscapes.oracle import evaluate
from tests.contract.landscapes import (
    bound,
    starts,
)


def test_relaxation_meets_its_landscape_at_the_corners():
    inner, relaxed = bound("nk"), bound("relaxation")
    bits, theta = starts(inner, 3), starts(relaxed, 3)
    assert torch.equal(theta, 2 * bits.double() - 1), "row 0 leans to the genotype that every other method starts from"
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
