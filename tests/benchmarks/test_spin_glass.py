"""Spin-glass evaluation beside a straightforward numba loop."""

import numba
import numpy as np
import pytest
import torch

from landscapes.binary.spin_glass import SpinGlass
from landscapes.streams import Streams


@numba.njit
def loop(x, sites, strength, out):
    """Energy as one would write it down."""
    spins = np.empty(x.shape[2])
    for r in range(x.shape[0]):
        for p in range(x.shape[1]):
            for i in range(x.shape[2]):
                spins[i] = 2.0 * x[r, p, i] - 1.0
            energy = 0.0
            for c in range(sites.shape[0]):
                term = strength[r, c]
                for j in range(sites.shape[1]):
                    term *= spins[sites[c, j]]
                energy -= term
            out[r, p] = energy


KINDS = {"SK": {}, "3-spin": {"order": 3}, "8 x 8 lattice": {"graph": "lattice", "couplings": "pm1"}}


@pytest.mark.parametrize("who", ["ours", "numba loop"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("worlds", [32, 256])
def test_values(benchmark, worlds, kind, who):
    benchmark.group = f"spin-glass values, {kind}, n = 64, (R, P) = ({worlds}, 64)"
    streams = Streams(seed=1, worlds=torch.arange(worlds))
    landscape = SpinGlass(n=64, **KINDS[kind]).bind(streams)
    x = landscape.start(streams.at(1), 64)
    sites, strength, out = (
        landscape.reads[0].numpy(),
        landscape.strength.numpy(),
        np.empty((worlds, 64)),
    )
    loop(x.numpy(), sites, strength, out)
    np.testing.assert_allclose(out - landscape.best.numpy(), landscape.loss(x).numpy(), atol=1e-9)
    theirs = lambda: loop(x.numpy(), sites, strength, out)  # noqa: E731
    benchmark.pedantic(
        (lambda: landscape.loss(x)) if who == "ours" else theirs,
        rounds=5 if kind == "3-spin" else 100,
        warmup_rounds=2,
    )
