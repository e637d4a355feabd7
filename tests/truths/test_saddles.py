"""What the ready study `saddles` takes from CMA-ES: the variance of its first step, and its pace on a saddle."""

import functools
from pathlib import Path

import numpy as np
import pytest
import yaml

import studies
from tests.references import cma_on_a_saddle

POINTS = 32


@functools.cache
def reference():
    """Growth of the spread, (steps, worlds), and the first steps, (worlds,)."""
    return cma_on_a_saddle.growth(POINTS, 30, 4000, 5)


def given(name):
    text = (Path(studies.__file__).parent / "configs/saddles.yaml").read_text()
    return yaml.safe_load(text)["let"][name]


def check(sample, right, wrong):
    """The mean of independent numbers lies within 4.5 standard errors of the one, not of the other."""
    near = 4.5 * sample.std() / np.sqrt(len(sample))
    assert sample.mean() == pytest.approx(right, abs=near)
    assert sample.mean() != pytest.approx(wrong, abs=near)


def test_pace_on_a_saddle():
    """Below that on a slope: the mean is within one spread of the saddle's line, and both sides rank high."""
    grown, _ = reference()
    check(grown[10:].mean(0), given("pace"), 0.952)


def test_first_step_from_a_saddle():
    """V sigma^2; without selection it is sigma^2 / mu_eff."""
    _, first = reference()
    check(first**2, given("V"), 1 / cma_on_a_saddle.constants(POINTS)[2])
