"""The break-even price of gradient descent against an evolution strategy, run by our own loop and held against theory.

On an isotropic quadratic in d dimensions, an evolution strategy of n antithetic pairs follows the mean of n directional derivatives, so that its
best step makes n / (n + d + 1) of the progress of a gradient: the noise scale is 1 + tr H |g|^2 / g'Hg = d + 1. With both at a part kappa of their
best steps, and 2 n evaluations to a step, they break even where a gradient costs

    2 n (-2 ln(1 - kappa)) / -ln(1 - (2 kappa - kappa^2) n / (n + d + 1))    ->    2 (n + d + 1)        kappa -> 0.
"""

import numpy as np
import pytest

from studies.analysis.price.break_even import break_even
from tests.support.priced import run

KAPPA = 0.04


def study(dim, pairs):
    step = KAPPA * pairs / (pairs + dim + 1)
    strategy = {
        "kind": "openai_es",
        "population": 2 * pairs,
        "sigma": 1e-3,
        "learning_rate": step,
        "shaping": "raw",
        "antithetic": True,
    }
    descent = {"kind": "sgd", "learning_rate": KAPPA}
    landscape = {"kind": "quadratic", "dim": dim, "condition": 1.0}
    return {
        "name": "theory",
        "replicates": 32,
        "budget": 2000,
        "landscapes": {"bowl": landscape},
        "optimizers": {"GD": descent, "ES": strategy},
    }


@pytest.mark.verify
@pytest.mark.parametrize(("dim", "pairs"), [(4, 2), (8, 4), (16, 4)])
def test_gradient_descent_and_an_evolution_strategy_break_even_where_theory_says(dim, pairs):
    simple = 2 * (pairs + dim + 1)
    exact = (
        2
        * pairs
        * -2
        * np.log(1 - KAPPA)
        / -np.log(1 - (2 * KAPPA - KAPPA**2) * pairs / (pairs + dim + 1))
    )
    data = run(study(dim, pairs), simple / 2, simple / 4, simple * 4, unit=simple / 2)
    told = break_even(data, "GD", "ES", grid=np.geomspace(simple / 3, simple * 3, 40))
    assert told["verdict"] == "changes"
    low, high = told["break_even_interval"].values
    assert told["break_even"] == pytest.approx(exact, rel=0.1)
    assert low / 1.05 < exact < high * 1.05
    assert not low < 1.4 * exact < high
    assert not low < exact / 1.4 < high
