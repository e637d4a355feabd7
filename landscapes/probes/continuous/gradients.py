"""What a gradient method meets.

The length of the gradient, the noise of its mini-batches, the curvature at the optimum.

The simple noise scale B = tr Sigma / |G|^2 (McCandlish, Kaplan, Amodei et al. 2018, "An empirical model of
large-batch training", arXiv:1812.06162, section 2.2 and appendix A.1): G is the whole gradient, Sigma the
covariance of the gradients of single terms, drawn with replacement. E |G_B|^2 = |G|^2 + tr Sigma / B for a
mini-batch of B terms, so two batch sizes b < B give unbiased estimates

    tr Sigma = (|G_b|^2 - |G_B|^2) / (1 / b - 1 / B),    |G|^2 = (B |G_B|^2 - b |G_b|^2) / (B - b),

whose means over draws are divided, never the estimates themselves. With the whole loss as the larger batch, 1
/ B = 0.

Streams: "init" for points, "data" for mini-batches, at steps that no study reaches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from landscapes import addresses
from landscapes.base import Landscape, Reals, Terms
from landscapes.numerics import norm
from landscapes.oracle.evaluation import evaluate
from landscapes.probes.estimates import jackknife
from landscapes.probes.measure import Measure
from landscapes.streams import Streams

LARGEST = 50  # dimensions up to which a Hessian is made
_START = addresses.first("steps", "probes: gradients")
_BATCH = _START + 1
_ELEMENTS = 2**22  # coordinates times terms worked at a time
_RELATIVE = 1e-6  # of the largest eigenvalue: smaller ones are rounding


def gradient_norm(landscape: Landscape, streams: Streams, *, samples: int = 64) -> Measure:
    """Mean length of the gradient at points of the start law: (R,), in loss per unit of x."""
    slope = _gradients(landscape, landscape.start(streams.at(_START), samples))
    length = norm(slope)
    return Measure(
        length.mean(-1),
        length.std(-1) / samples**0.5,
        "mean length of the gradient at starts",
        "loss / x",
        "",
    )


def noise_scale(
    landscape: Landscape,
    streams: Streams,
    *,
    points: int = 64,
    samples: int = 8,
    small: int = 1,
    large: int | None = None,
    at: Tensor | None = None,
) -> Measure:
    """The simple noise scale, a ratio of means over points and draws: (R,), in terms of a mini-batch.

    Every point has draws of its own, so the standard error by leaving out points is that of drawing points
    and mini-batches anew. Of one point it leaves out draws, and is that of this point's noise scale.

    Args:
        landscape: bound, a sum of more than one term.
        streams: those of its worlds.
        points: of the start law, >= 1.
        samples: draws at each point, >= 2.
        small: terms in the smaller mini-batch, >= 1.
        large: terms in the larger one, > small; None: the whole loss.
        at: (R, points, D) other points than those of the start law, a sample of some law too where they are
            several.

    Raises:
        ValueError: the landscape has no terms, or its loss is not their mean.
    """
    if landscape.terms == 1 or not landscape.additive:
        raise ValueError(
            f"{landscape.name}: expected a loss that is the mean of terms, got"
            f" {'one term' if landscape.additive else 'no such sum'}"
        )
    x = landscape.start(streams.at(_START), points) if at is None else at
    few = _squares(landscape, streams.at(_BATCH), x, small, samples, part=0)
    if large is None:
        many, inverse = _gradients(landscape, x).square().sum(-1)[..., None].expand_as(few), 0.0
    else:
        many, inverse = _squares(landscape, streams.at(_BATCH), x, large, samples, part=1), 1 / large

    def scale(a: Tensor, b: Tensor) -> Tensor:
        a, b = a.mean(1), b.mean(1)
        trace = (a - b) / (1 / small - inverse)
        return trace / (b - inverse * trace)

    drawn = [part[:, 0] if x.shape[1] == 1 else part.mean(2) for part in (few, many)]
    name, source = "gradient-noise scale, at starts", "McCandlish et al. 2018"
    return Measure(*jackknife(scale, *drawn), name, "terms", source)


def _squares(
    landscape: Landscape, streams: Streams, x: Tensor, size: int, samples: int, part: int
) -> Tensor:
    """Squared lengths (R, P, samples) of gradients at x (R, P, D), each of a mini-batch of its own.

    Mini-batches are drawn with replacement.
    """
    index = streams.integers("data", landscape.terms, (x.shape[1] * samples, size), part)
    weight = torch.full(index.shape, 1 / size, dtype=x.dtype, device=x.device)
    slope = _gradients(landscape, x.repeat_interleave(samples, 1), Terms(index, weight))
    return slope.square().sum(-1).unflatten(1, (x.shape[1], samples))


def _gradients(landscape: Landscape, x: Tensor, terms: Terms | None = None) -> Tensor:
    """The gradients (R, P, D) at points x (R, P, D), some at a time."""
    time = (
        None if landscape.clock is None else torch.zeros(len(x), dtype=torch.float64, device=x.device)
    )
    seen = landscape.terms if terms is None else terms.index.shape[-1]
    some = max(1, _ELEMENTS // (len(x) * (landscape.dim + seen)))
    points = x.split(some, 1)
    batches: Sequence[Terms | None] = [None] * len(points)
    if terms is not None:
        batches = [
            Terms(*part) for part in zip(*(whole.split(some, 1) for whole in terms), strict=True)
        ]
    slopes = [
        _slope(evaluate(landscape, some_points, batch, gradient=True, time=time).gradient)
        for some_points, batch in zip(points, batches, strict=True)
    ]
    return torch.cat(slopes, 1)


def _slope(gradient: Tensor | None) -> Tensor:
    assert gradient is not None
    return gradient


class Curvature(NamedTuple):
    """The measures of one Hessian."""

    eigenvalues: Measure  # (R, D) ascending
    condition: Measure  # (R,) largest over smallest |eigenvalue|
    negative: Measure  # (R,) fraction of negative eigenvalues


def curvature(landscape: Landscape, streams: Streams) -> Curvature:
    """The spectrum of the Hessian at the optimum where that is known, else at one start.

    By central differences of gradients.

    The standard error is 0 at the optimum. At a start it is unknown (NaN): one start does not tell how much
    another would differ.

    Args:
        landscape: bound, on at most `LARGEST` real coordinates.
        streams: those of its worlds.

    Raises:
        ValueError: it has more coordinates.
    """
    if landscape.dim > LARGEST:
        raise ValueError(
            f"{landscape.name}: expected at most {LARGEST} dimensions for a Hessian, got {landscape.dim}"
        )
    x = (
        landscape.optimum[:, None]
        if landscape.optimum is not None
        else landscape.start(streams.at(_START), 1)
    )
    where = "at the optimum, else at a start"
    spectrum = torch.linalg.eigvalsh(hessian(landscape, x[:, 0]))
    size = spectrum.abs().amax(-1, keepdim=True)
    condition = size[:, 0] / spectrum.abs().amin(-1)
    negative = (spectrum < -_RELATIVE * size).double().mean(-1)
    axis = ("eigenvalue", torch.arange(landscape.dim), "1")
    error = math.nan if landscape.optimum is None else 0.0
    return Curvature(
        Measure(
            spectrum,
            torch.full_like(spectrum, error),
            f"eigenvalues of the Hessian {where}",
            "loss / x^2",
            "",
            axis,
        ),
        Measure(
            condition,
            torch.full_like(condition, error),
            f"condition number of the Hessian {where}",
            "1",
            "",
        ),
        Measure(
            negative,
            torch.full_like(negative, error),
            f"fraction of negative eigenvalues of the Hessian {where}",
            "1",
            "",
        ),
    )


def hessian(landscape: Landscape, x: Tensor) -> Tensor:
    """Central differences of gradients at x (R, D): (R, D, D), symmetric."""
    domain = landscape.domain
    width = (domain.high - domain.low) / 2 if isinstance(domain, Reals) else 1.0
    h = width * (1e-4 if x.dtype == torch.float64 else 1e-2)
    step = h * torch.eye(landscape.dim, dtype=x.dtype, device=x.device)
    up, down = (_gradients(landscape, x[:, None] + sign * step) for sign in (1, -1))
    matrix = (up - down) / (2 * h)
    return (matrix + matrix.mT) / 2
