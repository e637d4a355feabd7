"""Redrawn steps: redraw 0 is the search's own next step, bit for bit, for every method.

A world sees no other; chunks change nothing.
"""

import sys
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest
import torch
import xarray as xr

from landscapes import LANDSCAPES
from landscapes.base import Bits, Letters
from landscapes.oracle.noise import Noise
from landscapes.wrappers.relaxation import Relaxation
from optimizers import OPTIMIZERS
from studies.cells.ledger import arms, record
from studies.cells.ledger.freezing import mapped, subset
from studies.cells.ledger.redraws import trials
from tests.contract.optimizers.cases import CASES, identity
from tests.docs.make import ROOT
from tests.support.each import each
from tests.support.ledgers import DRAWN, alone, book, ledger, search, spoilt
from tests.support.play import build

LAND, METHODS = LANDSCAPES, OPTIMIZERS
NK = LAND["nk"](n=7, k=2)
BOWL = LAND["quadratic"](dim=5, terms=11, rotated=True, shifted=True)
TABLE = LAND["empirical"](file=str(ROOT / "tests/support/letters.csv"))
NOISY = Noise(batch=3, sampling="epoch", value=0.1, gradient=0.1)


def landscape_of(kind, domain):
    if kind == "linkage_equilibrium":
        return Relaxation(inner=NK)
    if isinstance(domain, Letters):
        return TABLE
    return NK if isinstance(domain, Bits) else BOWL


def fields(tree):
    """All tensors of a state."""
    if isinstance(tree, torch.Tensor):
        return [tree]
    return [leaf for part in tree for leaf in fields(part)] if hasattr(tree, "_fields") else []


def same(a, b):
    return torch.equal(a.nan_to_num(), b.nan_to_num()) if a.is_floating_point() else torch.equal(a, b)


def check_redraw_0(landscape, optimizer, noise, steps=3, **options):
    """Of two redraws of each step, 0 and 7, the first is what the search did.

    -> how far the second moved away.
    """
    scene, _, trail = search(landscape, optimizer, noise, steps=steps, **options)
    away = 0.0
    for before, after in pairwise(trail):
        found = trials(scene, before, dict.fromkeys((*DRAWN, *optimizer.sources), torch.tensor([0, 7])))
        assert all(
            same(a[::2], b) for a, b in zip(fields(found.states[0]), fields(after.state), strict=True)
        )
        step = optimizer.center(after.state).double() - optimizer.center(before.state).double()
        assert same(found.moved[:, 0, 0], step)
        away = max(away, float((found.moved[:, 0, 1] - step).abs().max()))
    return away


ONE_A_KIND = {(case.kind, type(case.domain)): case for case in CASES}.values()


@each("case", ONE_A_KIND, ids=identity)
def test_redraw_0_is_the_next_step_of_every_method(case):
    kind, options, _, domain = case
    landscape = landscape_of(kind, domain)
    noise = NOISY if landscape.terms > 1 else replace(NOISY, batch=None)
    check_redraw_0(landscape, build(kind, options), noise, steps=2, costs=(1e6,), worlds=3)


@pytest.mark.verify
@pytest.mark.parametrize(
    "noise",
    [Noise(), NOISY, Noise(value=0.1), Noise(batch=2, sampling="batch", shared=False)],
    ids=["exact", "all", "values", "batches"],
)
@pytest.mark.parametrize("case", CASES, ids=identity)
def test_redraw_0_is_the_next_step_under_other_noise(case, noise):
    kind, options, _, domain = case
    landscape = landscape_of(kind, domain)
    check_redraw_0(
        landscape,
        build(kind, options),
        noise if landscape.terms > 1 else replace(noise, batch=None),
        steps=5,
        costs=(1e6,),
        worlds=3,
    )


SETTINGS = {
    "replacement": (
        LAND["digits"](hidden=1),
        METHODS["sgd"](momentum=0.5),
        Noise(batch=8),
        {"dtype": torch.float32, "costs": (0.02,)},
    ),
    "batch": (
        LAND["digits"](hidden=1),
        METHODS["adam"](),
        Noise(batch=8, sampling="batch"),
        {"dtype": torch.float32, "costs": (0.02,)},
    ),
    "epoch": (
        LAND["digits"](hidden=1),
        METHODS["sgd"](),
        Noise(batch=500, sampling="epoch"),
        {"dtype": torch.float32, "costs": (2.2,)},
    ),
    "own batches": (
        BOWL,
        METHODS["sgd"](starts=3),
        Noise(batch=2, shared=False, sampling="batch"),
        {"costs": (3.0,)},
    ),
    "mini-batches of values": (
        BOWL,
        METHODS["openai_es"](population=4),
        Noise(batch=2, shared=False),
        {"costs": (3.0,)},
    ),
    "growing batches": (
        BOWL,
        METHODS["sgd"](batch=2, coupling="none"),
        Noise(sampling="epoch"),
        {"costs": (3.0,)},
    ),
    "noisy bbob": (
        LAND["bbob_noisy"](function=107, dim=3),
        METHODS["ga"](population=5),
        Noise(),
        {"costs": (15.0,)},
    ),
    "contrastive": (
        LAND["contrastive"](features=2, embedding=1, pairs=13),
        METHODS["sgd"](),
        Noise(batch=3, sampling="batch"),
        {"costs": (2.0,)},
    ),
    "batch norm": (LAND["batch_norm"](hidden=1), METHODS["sgd"](), Noise(batch=9), {"costs": (0.03,)}),
    "moving": (
        LAND["moving"](inner=BOWL, path="random_walk", step=1.0),
        METHODS["openai_es"](population=4),
        Noise(),
        {"costs": (12.0,)},
    ),
    "moving by cost": (
        LAND["moving"](inner=BOWL, speed=1.0, clock="cost"),
        METHODS["sgd"](),
        Noise(batch=3),
        {"costs": (2.0,)},
    ),
    "moving bits": (
        LAND["moving"](inner=NK, path="jump", period=2.0),
        METHODS["ga"](population=5),
        Noise(),
        {"costs": (15.0,)},
    ),
    "game": (
        LAND["bilinear"](dim=4),
        METHODS["extragradient"](),
        Noise(gradient=0.1),
        {"costs": (3.0,)},
    ),
    "noisy game": (
        LAND["dirac_gan"](noise=0.5),
        METHODS["alternating"](),
        Noise(gradient=0.2),
        {"costs": (5.0,)},
    ),
    "played": (
        LAND["matching_pennies"](),
        METHODS["coevolution"](population=5),
        Noise(value=0.1),
        {"costs": (40.0,)},
    ),
}


@each("name", SETTINGS)
def test_redraw_0_is_the_next_step_in_every_setting(name):
    landscape, optimizer, noise, options = SETTINGS[name]
    assert check_redraw_0(landscape, optimizer, noise, steps=9, worlds=3, **options) > 0


@pytest.mark.parametrize("clock", ["step", "cost"])
def test_worlds_frozen_at_different_times(clock):
    """Each world goes on from its own step, on a landscape that has moved as far as at that time."""
    optimizer = METHODS["openai_es"](population=4)
    scene, _, trail = search(
        LAND["moving"](inner=BOWL, speed=1.0, clock=clock),
        optimizer,
        NOISY,
        steps=4,
        costs=(1e6,),
        worlds=3,
    )

    def at(steps):
        return mapped(
            lambda *each: torch.stack([each[step][row] for row, step in enumerate(steps)]), *trail
        )

    frozen, after = at([1, 3, 2]), at([2, 4, 3])
    found = trials(scene, frozen, dict.fromkeys(DRAWN, torch.tensor([0, 7])))
    assert all(
        same(a[::2], b) for a, b in zip(fields(found.states[0]), fields(after.state), strict=True)
    )


# chunks and worlds ------------------------------------------------------------------------------------------

CELLS = {
    "sgd": (BOWL, METHODS["sgd"](momentum=0.5), Noise(batch=3, gradient=0.1), {"costs": (0.0, 2.0)}),
    "es": (BOWL, METHODS["openai_es"](population=6), Noise(value=0.1), {"costs": (0.0, 13.0)}),
    "ga": (NK, METHODS["ga"](population=6), Noise(), {"costs": (0.0, 13.0)}),
    "walk": (NK, METHODS["metropolis"](temperature=0.1, starts=2), Noise(), {"costs": (2.0, 7.0)}),
    "library": (
        BOWL,
        partial(METHODS["torch_optim"], learning_rate=0.05),  # imports its library when it is made
        Noise(batch=3),
        {"costs": (0.0, 2.0)},
    ),
    "game": (LAND["bilinear"](dim=4), METHODS["sgd"](), Noise(gradient=0.1), {"costs": (0.0, 2.0)}),
}


def cell(name):
    """The landscape, the method, the noise and the options of an entry of `CELLS`."""
    landscape, optimizer, noise, options = CELLS[name]
    return landscape, optimizer() if isinstance(optimizer, partial) else optimizer, noise, options


def close(a, b):
    """Equal but for the order of sums; where one is exactly 0, so is the other."""
    xr.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)
    assert all(
        ((a[name] == 0) == (b[name] == 0)).all()
        for name in ("step_variance", "step_variance_first", "step_variance_total")
    )


LIMITS = (1, 150)  # one redraw of one world at a time; some of both
CHUNKS = {name: LIMITS[place % 2 :][:1] for place, name in enumerate(CELLS)} | {"sgd": LIMITS}


@pytest.mark.parametrize("name", CELLS)
def test_the_chunk_size_changes_nothing(name, monkeypatch):
    landscape, optimizer, noise, options = cell(name)
    whole = ledger(landscape, optimizer, noise, worlds=2, redraws=6, points=20, **options)
    for limit in CHUNKS[name]:
        monkeypatch.setattr(arms, "LIMIT", limit)
        monkeypatch.setattr(sys.modules["studies.cells.ledger.record"], "LIMIT", limit)
        close(whole, ledger(landscape, optimizer, noise, worlds=2, redraws=6, points=20, **options))


@each("name", CELLS)
def test_worlds_alone_have_the_ledger_that_they_have_in_a_batch(name):
    landscape, optimizer, noise, options = cell(name)
    scene, moments, _ = search(landscape, optimizer, noise, worlds=4, **options)
    whole, rows = record(scene, moments, book(8, points=20)), torch.tensor([3, 1])
    part = record(alone(scene, rows), [subset(moment, rows) for moment in moments], book(8, points=20))
    close(whole.isel(replicate=[3, 1]), part)


@each("bad", [float("nan"), float("inf"), 1e200])
@each("name", ["sgd", "es", "game"])
def test_a_lost_world_harms_no_other(name, bad):
    landscape, optimizer, noise, options = cell(name)
    scene, moments, _ = search(landscape, optimizer, noise, worlds=4, **options)
    plain = record(scene, moments, book(8, points=20))
    lost = record(scene, [spoilt(moment, 1, bad) for moment in moments], book(8, points=20))
    close(plain.isel(replicate=[0, 2, 3]), lost.isel(replicate=[0, 2, 3]))
    assert not lost["step_variance"].isel(replicate=1).notnull().any() or bad == 1e200
