"""Hyperparameters of each world's own, the sample that a step takes, and the time of the step after.

As in the search itself.
"""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
import xarray as xr

from landscapes import LANDSCAPES
from landscapes.oracle.noise import Noise
from optimizers import OPTIMIZERS
from optimizers.workers import Service
from studies.cells.ledger import record
from studies.cells.ledger.redraws import trials
from tests.support.each import each
from tests.support.ledgers import book, search

LAND, METHODS = LANDSCAPES, OPTIMIZERS
BOWL = LAND["quadratic"](dim=3, terms=11)

# a number for each world ------------------------------------------------------------------------------------

OWN = {  # method, its hyperparameters with a value for each of three worlds, landscape, noise
    "sgd": (
        "sgd",
        {"learning_rate": (0.1, 0.2, 0.4), "momentum": (0.0, 0.5, 0.9)},
        {},
        BOWL,
        Noise(batch=3),
    ),
    "wright_fisher": (
        "wright_fisher",
        {"selection_strength": (0.1, 1.0, 4.0)},
        {"population": 6},
        LAND["nk"](n=7, k=2),
        Noise(),
    ),
    "metropolis": (
        "metropolis",
        {"temperature": (0.1, 1.0, 30.0), "sigma": (0.1, 0.3, 1.0)},
        {},
        BOWL,
        Noise(value=0.1),
    ),
}


@each("name", OWN)
def test_hyperparameters_of_each_world(name):
    """The ledger of three worlds with a value each is that of three cells with one value, world by world."""
    kind, own, shared, landscape, noise = OWN[name]
    optimizer = METHODS[kind](
        **{key: torch.tensor(values, dtype=torch.float64) for key, values in own.items()}, **shared
    )
    scene, moments, _ = search(landscape, optimizer, noise, worlds=3, costs=(0.0, 9.0))
    whole = record(scene, moments, book(6))
    for row in range(3):
        one = METHODS[kind](**{key: values[row] for key, values in own.items()}, **shared)
        scene, moments, _ = search(landscape, one, noise, worlds=[row], costs=(0.0, 9.0))
        xr.testing.assert_allclose(
            whole.isel(replicate=[row]), record(scene, moments, book(6)), rtol=1e-10, atol=1e-14
        )
    assert len({float(v) for v in whole["step_variance"].sel(direction="all").isel(moment=-1)}) == 3


def test_hyperparameters_within_hyperparameters():
    """Those of a service are picked too; an optimizer without any stays the same object."""
    slowdown = torch.tensor([1.0, 8.0], dtype=torch.float64)
    optimizer = METHODS["async_sgd"](workers=3, service=Service(stragglers=1, slowdown=slowdown))
    scene, _, trail = search(BOWL, optimizer, Noise(batch=3), worlds=2, steps=6, costs=(1e6,))
    picked = scene.subset(torch.tensor([1, 0, 1])).optimizer
    assert torch.equal(picked.service.slowdown, slowdown[[1, 0, 1]])
    assert picked.learning_rate == optimizer.learning_rate
    for before, after in pairwise(trail):
        found = trials(scene, before, {"data": torch.tensor([0, 4, 5])}).states[0]
        assert torch.equal(found.left[::3], after.state.left)
    plain = METHODS["async_sgd"](workers=3)
    assert replace(scene, optimizer=plain).subset(torch.tensor([1])).optimizer is plain


# the sample -------------------------------------------------------------------------------------------------


@each(
    ("optimizer", "landscape", "noise", "cost", "size"),
    [
        (
            METHODS["sgd"](),
            BOWL,
            Noise(batch=4, sampling="epoch"),
            8 / 11,
            3,
        ),  # the last batch of an epoch
        (METHODS["sgd"](batch=4), BOWL, Noise(sampling="epoch"), 8 / 11, 3),
        (METHODS["sgd"](), BOWL, Noise(batch=4, sampling="epoch"), 1.0, 4),
        (METHODS["sgd"](batch=50), BOWL, Noise(), 0.0, 11),  # no more than there are
        (
            METHODS["sgd"](batch=1),
            LAND["contrastive"](features=2, embedding=1, pairs=13),
            Noise(sampling="batch"),
            0.0,
            2,
        ),  # a pair needs another
        (METHODS["sgd"](starts=3), BOWL, Noise(batch=4), 0.0, 4),
        (METHODS["sgd"](), BOWL, Noise(), 0.0, 11),
        (METHODS["openai_es"](population=6), BOWL, Noise(batch=4), 0.0, 6),
        (METHODS["wright_fisher"](population=6), LAND["nk"](n=7, k=2), Noise(), 6.0, 6),
    ],
)
def test_the_sample_is_what_the_oracle_bills(optimizer, landscape, noise, cost, size):
    scene, moments, _ = search(landscape, optimizer, noise, costs=(cost,), worlds=2)
    assert (record(scene, moments, book(4))["sample_size"] == size).all()


# the step after ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sgd", "openai_es"])
def test_the_step_after_comes_at_the_time_that_the_search_has(kind):
    """On a landscape that moves with the cost; billed at another price, it would be elsewhere."""
    optimizer = METHODS[kind]() if kind == "sgd" else METHODS[kind](population=4)
    scene, _, trail = search(
        LAND["moving"](inner=BOWL, speed=1.0, clock="cost"),
        optimizer,
        Noise(batch=3),
        costs=(1e6,),
        steps=4,
        worlds=2,
    )
    away = 0.0
    for before, (one, two) in zip(trail, pairwise(trail[1:]), strict=False):
        step = optimizer.center(two.state) - optimizer.center(one.state)
        found, dear = (
            trials(scene, before, {}, 2).moved[:, 1, 0] for scene in (scene, replace(scene, price=3.0))
        )
        assert torch.equal(found, step)
        away = max(away, float((dear - step).abs().max()))
    assert (away > 0) == (kind == "sgd")
