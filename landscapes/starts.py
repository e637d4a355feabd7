"""Where searches start, where a study says so: the same for a trajectory and for a population.

    uniform      in the box of starts, or each allele, or letter, as likely
    wild_type    the genotype of zeros
    point        one point
    frequencies  locus i is 1 with chance p_i, independently
    gaussian     mean + L z with L L^T = covariance; in a bounded box the nearest point of it

In one world all searches see the same draws, so that their first points are equal. `shared`: all worlds see
those of world 0. A relaxation leans to the genotypes that are drawn.

Draws: init.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from landscapes.base import Landscape, Reals
from landscapes.numerics import matmul
from landscapes.streams import Streams
from landscapes.wrappers.relaxation import Relaxation

Law = Mapping[str, Any]  # the name of one law -> its numbers; shared


def starts(landscape: Landscape, law: Law | None, streams: Streams, n: int) -> Tensor:
    """Starting points (R, n, D).

    Args:
        landscape: as the optimizer sees it, bound.
        law: one of `LAWS` -> its numbers, and shared; None: the landscape's own.
        streams: of the worlds.
        n: points of each, >= 1.
    """
    if law is None:
        return landscape.start(streams, n)
    if isinstance(landscape, Relaxation):
        return landscape.leaning(starts(landscape.inner, law, streams, n).to(streams.dtype))
    drawn_from = streams.subset(torch.zeros_like(streams.worlds)) if law.get("shared") else streams
    (name,) = LAWS.keys() & law.keys()
    points = LAWS[name](landscape, law[name], drawn_from, n)
    return points.to(streams.dtype if isinstance(landscape.domain, Reals) else torch.uint8)


def _uniform(landscape: Landscape, numbers: object, streams: Streams, n: int) -> Tensor:
    del numbers
    return Landscape.start(landscape, streams, n)


def _wild_type(landscape: Landscape, numbers: object, streams: Streams, n: int) -> Tensor:
    del numbers
    return torch.zeros((streams.size, n, landscape.dim), device=streams.device)


def _point(landscape: Landscape, point: float | list[float], streams: Streams, n: int) -> Tensor:
    return _row(point, landscape, streams).expand(streams.size, n, landscape.dim).clone()


def _frequencies(
    landscape: Landscape, chances: float | list[float], streams: Streams, n: int
) -> Tensor:
    shape = (n, landscape.dim)
    chance = torch.as_tensor(chances, dtype=torch.float64, device=streams.device)
    return streams.bernoulli("init", chance.expand(streams.size, *shape), shape)


def _gaussian(landscape: Landscape, law: Law, streams: Streams, n: int) -> Tensor:
    normal = streams.normal("init", (n, landscape.dim))
    factor = torch.as_tensor(root(law["covariance"], landscape.dim)).to(normal)
    points = _row(law["mean"], landscape, streams) + matmul(normal, factor.T)
    box = landscape.domain
    return points.clamp(box.low, box.high) if isinstance(box, Reals) and box.bounded else points


LAWS: dict[str, Callable[[Landscape, Any, Streams, int], Tensor]] = {
    "uniform": _uniform,
    "wild_type": _wild_type,
    "point": _point,
    "frequencies": _frequencies,
    "gaussian": _gaussian,
}


def _row(values: float | list[float], landscape: Landscape, streams: Streams) -> Tensor:
    """One number for each coordinate: (D,)."""
    row = torch.as_tensor(values, dtype=streams.dtype, device=streams.device)
    return row.expand(landscape.dim)


def root(covariance: float | list[float] | list[list[float]], dim: int) -> np.ndarray:
    """The symmetric root (D, D) of a covariance: a variance, one for each coordinate, or a matrix.

    Raises:
        ValueError: it is no covariance of so many coordinates.
    """
    matrix = np.asarray(covariance, float)
    if matrix.ndim < 2:
        matrix = np.diag(np.broadcast_to(matrix, dim)) if matrix.size in (1, dim) else np.empty((0, 0))
    if matrix.shape != (dim, dim):
        raise ValueError(f"expected a variance, {dim} of them, or {dim} rows of {dim} numbers")
    if np.array_equal(matrix, np.diag(np.diag(matrix))) and (matrix >= 0).all():
        return np.sqrt(matrix)
    values, vectors = np.linalg.eigh(matrix)
    if not np.array_equal(matrix, matrix.T) or values[0] < -1e-9 * abs(values[-1]):
        raise ValueError("expected a symmetric matrix without negative eigenvalues")
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T
