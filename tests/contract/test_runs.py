"""Every landscape and every optimizer through the whole loop, as a study runs them.

Worlds alone are their rows of a batch, records are finite.
"""

from dataclasses import replace

import numpy as np
import pytest

from landscapes import LANDSCAPES
from landscapes.base import Bits
from optimizers import OPTIMIZERS
from studies.kinds.registry import build
from studies.probe.examples import EXAMPLES
from studies.probe.named import named
from tests.studies.cells.test_loop import run, same, task
from tests.support.each import each
from tests.support.play import make, play

SMALL = {
    "population": 6,
    "selected": 3,
    "islands": 2,
    "interval": 2,
}  # where a method has such a parameter
STEPS = 4


def method(landscape):
    """One that can search it: gradients on real coordinates, a population on bits."""
    return (
        {"kind": "ga", "population": 6}
        if isinstance(landscape.domain, Bits)
        else {"kind": "sgd", "learning_rate": 1e-3}
    )


def checked(made, landscape):
    data = run(made, range(4))
    same(data.isel(replicate=[3, 1]), run(made, (3, 1)))
    assert np.isfinite(data["loss"]).all()
    assert (data["steps"][:, -1] > 0).all()
    assert set(landscape.extras) <= set(data)


@each("kind", LANDSCAPES)
def test_every_landscape_runs(kind):
    example = named(EXAMPLES.get(kind, (kind,))[:1])[0]
    spec, landscape = (
        {key: value for key, value in example.spec.items() if key != "dtype"},
        example.landscape,
    )
    searched = method(landscape)
    cost = 3.0 if searched["kind"] == "sgd" else 6.0
    checked(
        task(
            spec, searched, budget=STEPS * cost * landscape.unit_cost, checkpoints=[cost, STEPS * cost]
        ),
        landscape,
    )


@each("kind", OPTIMIZERS)
def test_every_optimizer_runs(kind):
    spec, optimizer = small(kind)
    landscape = build(spec, "landscape")
    budget = 12.0 * asked(optimizer, landscape)  # so many steps; of gradients, 4
    checked(task(spec, optimizer, budget=budget, checkpoints=[budget / 2, budget]), landscape)


def asked(optimizer, landscape):
    """Points of its second step: some begin with more."""
    streams, domain = make(range(1)), landscape.domain
    _, queries, _ = play(build(optimizer, "optimizer"), domain, streams, landscape.dim, steps=2)
    return queries[1].points.shape[1]


def small(kind):
    """A landscape that this kind of optimizer can search, and the optimizer."""
    cls = OPTIMIZERS[kind]
    options = {key: value for key, value in SMALL.items() if key in cls.__dataclass_fields__}
    if kind == "simulated_annealing":  # a study tells it how many steps its budget buys
        options["schedule"] = {"kind": "exponential", "steps": 300, "factor": 0.001}
    if cls.games and kind != "sgd":
        spec = {"kind": "dirac_gan"}
    else:
        spec = (
            {"kind": "nk", "n": 6, "k": 2}
            if Bits in cls.domains
            else {"kind": "quadratic", "dim": 3, "shifted": True}
        )
    return spec, {"kind": kind, **options}


def noise(value=0.0, gradient=0.0):
    return {
        "batch": None,
        "sampling": "replacement",
        "shared": True,
        "evaluation": {"value": value, "gradient": gradient},
    }


@pytest.mark.verify
@each("kind", [kind for kind, cls in OPTIMIZERS.items() if not cls.gradient])
def test_noise_on_gradients_alone_changes_nothing_for_methods_that_read_values(kind):
    spec, optimizer = small(kind)
    told = task(spec, optimizer, budget=36.0, checkpoints=[18.0, 36.0], targets=[0.5])
    quiet = run(told, range(2))
    same(quiet, run(replace(told, noise=noise(gradient=0.5)), range(2)))


def test_noise_on_gradients_changes_what_reads_them():
    """L-BFGS compares stored answers: it asks its point again, and takes half as many steps."""
    told = task({"kind": "quadratic", "dim": 3}, {"kind": "lbfgs"}, budget=120.0, checkpoints=[120.0])
    assert (run(told, range(2))["steps"] == 40).all()
    assert (run(replace(told, noise=noise(gradient=0.5)), range(2))["steps"] == 20).all()
