"""The local optima network of a landscape as a small Dataset: the numbers behind its picture.

Of world 0: its best optima, and the chances to get from one to another by two mutations and a greedy climb
(`landscapes.probes.binary.optima_networks`, whose funnels are measures).

Streams: those of the landscape.
"""

from __future__ import annotations

import numpy as np
import torch
from xarray import Dataset

from landscapes.probes.binary.enumeration import ascending, tabulate
from landscapes.probes.binary.optima_networks import network
from landscapes.streams import Streams
from studies.probe.named import Named, brief

MOST = 30  # optima
FLIPS = 2  # mutations of an escape


def optima(named: Named, seed: int = 1, most: int = MOST) -> Dataset:
    """The network of world 0 of a landscape of at most 20 bits.

    Args:
        named: the landscape.
        seed: of the study whose world 0 is shown.
        most: optima that are kept: those of the lowest losses, of equal ones those of the largest basins.

    Returns:
        `loss` and `basin` (optimum), the share of genotypes whose greedy climb ends there, from the best on;
        `chance` (edge), that two mutations of the optimum `origin`, or one, and a climb lead to `target`.
        Attributes: `optima`, how many there are in all; `kind` and `parameters` of the landscape, `flips`.

    Raises:
        ValueError: the landscape is not one of so few bits.
    """  # noqa: DOC502
    dtype = getattr(torch, named.dtype)
    landscape = named.landscape.bind(Streams(seed=seed, worlds=torch.tensor([0]), dtype=dtype))
    values = tabulate(landscape, dtype=dtype)
    whole = network(values[0].numpy(), ascending(values)[0].numpy(), FLIPS)
    kept = np.lexsort([-whole.basin, -whole.fitness])[:most]
    place = np.full(len(whole.fitness), -1)
    place[kept] = np.arange(len(kept))
    origin, target = place[whole.origin], place[whole.target]
    there = (origin >= 0) & (target >= 0)
    tries = np.bincount(whole.node)[whole.origin] * _escapes(landscape.dim)
    return Dataset(
        {
            "loss": ("optimum", -whole.fitness[kept]),
            "basin": ("optimum", whole.basin[kept] / values.shape[1]),
            "origin": ("edge", origin[there]),
            "target": ("edge", target[there]),
            "chance": ("edge", (whole.weight / tries)[there]),
        },
        attrs={
            "optima": len(whole.fitness),
            "flips": FLIPS,
            "kind": str(named.spec["kind"]),
            "parameters": brief(named.spec),
        },
    )


def _escapes(n: int) -> int:
    """How many genotypes one or two mutations away there are."""
    return n + n * (n - 1) // 2
