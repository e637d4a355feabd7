"""Local optima networks: which optima a search gets to from which.

Nodes are the local optima. The weight of the edge from a to b counts the genotypes within `flips` mutations
of a from which the greedy climb ends at b (escape edges: Verel, Daolio, Ochoa and Tomassini 2012, "Local
optima networks with escape edges", EA 2011, LNCS 7401). Optima that are equally fit and joined by an edge
either way are one node (compressed, as in Ochoa, Veerapen, Daolio and Tomassini 2017, "Understanding phase
transitions with local optima networks: number partitioning as a case study", EvoCOP 2017, LNCS 10197). Of the
edges to fitter nodes alone, the monotonic network, a node without one is a sink; its funnel is what leads to
it.

- Funnels: the number of sinks.
- Sink strength: the weight of edges into sinks of the highest fitness over that into all sinks; where none
  leads into a sink, the fraction of sinks that have it.
- Global funnel: the fraction of nodes from which a sink of the highest fitness can be reached.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy
import torch
from torch import Tensor

from landscapes.probes.binary.climbs import ends


class Network(NamedTuple):
    """The local optima network of one world, in numpy."""

    optima: np.ndarray  # (U,) int64 local optima by number
    node: np.ndarray  # (U,) the node that each is part of
    fitness: np.ndarray  # (V,) of each node
    basin: np.ndarray  # (V,) int64 genotypes whose greedy climb ends in it
    origin: np.ndarray  # (E,) nodes where edges begin, never where they end
    target: np.ndarray  # (E,) nodes where they end
    weight: np.ndarray  # (E,) int64


class Funnels(NamedTuple):
    """Measures of networks."""

    edges: Tensor  # (R,) of the network
    sinks: Tensor  # (R,)
    strength: Tensor  # (R,) of the best sinks
    reach: Tensor  # (R,) fraction of nodes


def network(value: np.ndarray, order: np.ndarray, flips: int = 2) -> Network:
    """The network of a fitness table (2^n,).

    Args:
        value: fitness; bit i of an index is locus i.
        order: (2^n,) genotypes by ascending fitness.
        flips: mutations of an escape, 1 or 2.

    Returns:
        Nodes and edges.

    Raises:
        ValueError: another number of flips.
    """
    if flips not in (1, 2):
        raise ValueError(f"lon: expected escapes of 1 or 2 flips, got {flips}")
    end = ends(value, order)
    optima, size = np.unique(end, return_counts=True)
    origin, target, weight = _edges(optima.astype(np.int64), end, len(value).bit_length() - 1, flips)
    count = len(optima)
    level = value[optima[origin]] == value[optima[target]]
    tied = scipy.sparse.csr_array((level[level], (origin[level], target[level])), shape=(count, count))
    nodes, node = scipy.sparse.csgraph.connected_components(tied, directed=False)
    fitness = np.empty(nodes)
    fitness[node] = value[optima]
    between = scipy.sparse.csr_array((weight, (node[origin], node[target])), shape=(nodes, nodes))
    between.sum_duplicates()
    origin, target = between.nonzero()
    apart = origin != target
    basin = np.bincount(node, size, nodes).astype(np.int64)
    return Network(
        optima.astype(np.int64), node, fitness, basin, origin[apart], target[apart], between.data[apart]
    )


def funnels(values: Tensor, order: Tensor, flips: int = 2) -> Funnels:
    """Measures of the networks of tables (R, 2^n), which `order` sorts."""
    measures = [
        _funnels(network(value, places, flips))
        for value, places in zip(values.numpy(), order.numpy(), strict=True)
    ]
    return Funnels(*torch.tensor(measures, dtype=torch.float64).unbind(1))


def _edges(
    optima: np.ndarray, end: np.ndarray, n: int, flips: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of optima where edges begin and end, and weights: (E,) int64 each."""
    once = 1 << np.arange(n)
    escapes = once if flips == 1 else np.unique(once | once[:, None])  # all masks of so many flips
    reached = np.sort(end[optima[:, None] ^ escapes], axis=1)
    begins = np.diff(reached, axis=1, prepend=-1) != 0  # each edge, in its row of escapes
    first = np.flatnonzero(begins)
    target = np.searchsorted(optima, reached[begins])
    return first // len(escapes), target, np.diff(first, append=begins.size)


def _funnels(net: Network) -> tuple[float, ...]:
    up = net.fitness[net.target] > net.fitness[net.origin]
    origin, target, weight = net.origin[up], net.target[up], net.weight[up]
    sink = np.bincount(origin, minlength=len(net.fitness)) == 0
    best = net.fitness == net.fitness.max()
    into, into_best = weight[sink[target]].sum(), weight[best[target]].sum()
    strength = into_best / into if into else (best & sink).sum() / sink.sum()
    return len(net.origin), sink.sum(), strength, _upstream(origin, target, net.fitness, best)


def _upstream(origin: np.ndarray, target: np.ndarray, fitness: np.ndarray, best: np.ndarray) -> float:
    """Fraction of nodes that lead to the best; edges are looked at from the fittest origin down."""
    reached = best.copy()
    for edge in np.argsort(-fitness[origin], kind="stable"):
        reached[origin[edge]] |= reached[target[edge]]
    return reached.mean()
