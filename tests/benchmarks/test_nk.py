"""NK evaluation beside a straightforward numba loop."""

import numba
import numpy as np
import pytest
import torch

from landscapes.binary.nk import NK
from landscapes.streams import Streams


@numba.njit
def loop(x, neighbours, table, out):
    """Fitness as one would write it down."""
    for r in range(x.shape[0]):
        for p in range(x.shape[1]):
            total = 0.0
            for i in range(x.shape[2]):
                entry = 0
                for j in range(neighbours.shape[1]):
                    entry |= x[r, p, neighbours[i, j]] << j
                total += table[r, i, entry]
            out[r, p] = total / x.shape[2]


@pytest.mark.parametrize("who", ["ours", "numba loop"])
@pytest.mark.parametrize("k", [0, 4])
@pytest.mark.parametrize("worlds", [32, 256])
def test_values(benchmark, worlds, k, who):
    benchmark.group = f"NK values, n = 32, k = {k}, (R, P) = ({worlds}, 64)"
    streams = Streams(seed=1, worlds=torch.arange(worlds))
    landscape = NK(n=32, k=k).bind(streams)
    x = landscape.start(streams.at(1), 64)
    neighbours = (np.arange(32)[:, None] + np.arange(k + 1)) % 32
    table, out = landscape.table.numpy(), np.empty((worlds, 64))
    loop(x.numpy(), neighbours, table, out)
    np.testing.assert_allclose(landscape.best.numpy() - out, landscape.loss(x).numpy(), atol=1e-12)
    theirs = lambda: loop(x.numpy(), neighbours, table, out)  # noqa: E731
    benchmark.pedantic(
        (lambda: landscape.loss(x)) if who == "ours" else theirs, rounds=100, warmup_rounds=5
    )
