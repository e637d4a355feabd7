"""A network with batch normalisation on the handwritten digits.

With the statistics of the mini-batch, of all the data, or constant ones.

z = W1 x,  y = gamma (z - mean) / sqrt(variance + eps) + beta,  logits = W2 act(y) + b2 (Ioffe and Szegedy
2015, "Batch normalization", ICML 37). The variance is the biased one, a mean of squares. Through the
statistics of a batch of m, with y' = (z - mean) / s, the gradient is (gamma / s) (I - 11'/m - y'y''/m) g, a
projection: a random g keeps (m - 2) / m of its squared length, and m = 2 passes none (Santurkar et al. 2018,
"How does batch normalization help optimization?", NeurIPS 31). With eps = 0 the loss does not change with the
length of a row of W1, so that w . grad = 0 and grad(a w) = grad(w) / a (van Laarhoven 2017, "L2
regularization versus batch and weight normalization").

Streams: "init" only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms
from landscapes.checks import check_points
from landscapes.networks.batch_losses import of_batches
from landscapes.networks.digits_data import CLASSES, PIXELS, TRAIN, images, picked
from landscapes.networks.layers import activated, by_worlds, dense, draw_weights, surprise, total
from landscapes.numerics import matmul, safe_unit
from landscapes.streams import Streams


@dataclass(frozen=True, kw_only=True)
class BatchNorm(Landscape):
    """Training loss of a network with batch normalisation on the handwritten digits.

    Whose statistics it uses is a parameter.

    A point holds the weights in the order of `nn.Sequential(Linear(64, hidden, bias=False),
    BatchNorm1d(hidden), activation, Linear(hidden, 10)).parameters()`. A landscape keeps no state between
    calls, so `running` stands for running averages that have caught up with the weights: the statistics of
    all training images at the same weights, which cost no further pass, as the layer before them is linear.
    With `batch_constant` and `running` the gradient treats the statistics as constants, as a framework does
    with running averages: it is not the slope of the loss.

    Source: Ioffe and Szegedy 2015; Santurkar et al. 2018 for the gradient.

    Args:
        hidden: hidden units, >= 1; D = 76 hidden + 10.
        activation: of the hidden units, tanh or relu.
        statistics: batch, those of the mini-batch, and the gradient goes through them; batch_constant, the
            same values, constant to the gradient; running, those of all training images at these weights,
            constant to the gradient; fixed, mean 0 and variance 1, as in a fresh layer in eval mode.
        eps: added to the variance, >= 0.
    """

    name: ClassVar[str] = "batch_norm"
    one_for_all: ClassVar[tuple[str, ...]] = ("eps",)  # against a division by 0
    extras: ClassVar = {"test_accuracy": ("held-out accuracy", "1")}
    hidden: Annotated[int, Ge(1)] = 16
    activation: Literal["tanh", "relu"] = "relu"
    statistics: Literal["batch", "batch_constant", "running", "fixed"] = "batch"
    eps: Annotated[float, Ge(0)] = 1e-5

    @property
    def dim(self) -> int:
        """The weights, scales, shifts and biases."""
        return sum(self._sizes)

    @property
    def domain(self) -> Domain:
        """All reals; starts have their own law."""
        return Reals(-1.0, 1.0)

    @property
    def terms(self) -> int:
        """The training images."""
        return TRAIN

    @property
    def additive(self) -> bool:
        """Only where the statistics are not those of the batch."""
        return self.statistics in ("running", "fixed")

    @property
    def smallest_batch(self) -> int:
        """A batch has a variance from 2 images on."""
        return 1 if self.additive else 2

    def start(self, streams: Streams, n: int) -> Tensor:
        """Starts (R, n, D): normal weights, scales 1, shifts and biases 0.

        Weights have variance 1 / fan-in, with relu 2 / fan-in before the hidden layer.
        """
        gain = 2.0 if self.activation == "relu" else 1.0
        weights = draw_weights(
            streams,
            n,
            list(
                zip(
                    self._sizes, ((gain / PIXELS) ** 0.5, 0.0, 0.0, self.hidden**-0.5, 0.0), strict=True
                )
            ),
        )
        place = torch.arange(self.dim, device=weights.device) // self.hidden
        return torch.where(place == PIXELS, torch.ones_like(weights), weights)

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Cross-entropy in nats of networks x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        if terms is not None and not self.additive:
            return of_batches(self, lambda x, index, _: self._mean(x, index, None), x, terms)
        return self._mean(x, *(terms or (None, None)))

    def measures(self, x: Tensor) -> dict[str, Tensor]:
        """Accuracy on the held-out images of networks x (R, D), in eval mode.

        Running statistics, or the fixed ones.
        """
        data = images(x.dtype, x.device)
        settled = (
            self
            if self.statistics == "fixed"
            else BatchNorm(**self.parameters() | {"statistics": "running"})
        )
        guess = settled._logits(x[:, None], picked(data.test_pixels, None, len(x))).argmax(-2)
        return {"test_accuracy": (guess == data.test_labels).to(x.dtype).mean(-1)[:, 0]}

    @property
    def _sizes(self) -> tuple[int, ...]:
        return (self.hidden * PIXELS, self.hidden, self.hidden, CLASSES * self.hidden, CLASSES)

    def _mean(self, x: Tensor, index: Tensor | None, weight: Tensor | None) -> Tensor:
        """Weighted sum over images, or their mean, (R, P)."""
        size = TRAIN if index is None else index.shape[-1]
        return by_worlds(self._cross_entropy, x.shape[1] * self.hidden * size, x, index, weight)

    def _cross_entropy(self, x: Tensor, index: Tensor | None, weight: Tensor | None) -> Tensor:
        data = images(x.dtype, x.device)
        pixels, labels = (picked(table, index, len(x)) for table in (data.pixels, data.labels))
        return total(surprise(self._logits(x, pixels), labels), weight)

    def _logits(self, x: Tensor, pixels: Tensor) -> Tensor:
        """Networks x (R, P, D), images (R, 1 | P, B, 64) -> (R, P, 10, B)."""
        w1, gamma, beta, w2, b2 = x.split(self._sizes, -1)
        unit = torch.ones_like(x[..., :1])
        # what is normalised does not depend on the length of w1, whose square may be no number
        if self.statistics != "fixed":
            unit = safe_unit(w1.detach().abs().amax(-1, keepdim=True)).clamp_min(1)
        w1, eps = w1 / unit, (self.eps / unit / unit)[..., None]
        z = dense(w1, pixels.mT)
        y = (
            gamma[..., None]
            * normalised(z, *self._statistics(z, w1.unflatten(-1, (self.hidden, PIXELS))), eps)
            + beta[..., None]
        )
        return dense(w2, activated(y, self.activation)) + b2[..., None]

    def _statistics(self, z: Tensor, w1: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of the hidden units, (R, P, hidden, 1) each.

        From z (R, P, hidden, B), weights (R, P, hidden, 64).
        """
        if self.statistics == "fixed":
            return torch.zeros_like(z[..., :1]), torch.ones_like(z[..., :1])
        if self.statistics == "running":
            mean, covariance = moments(z.dtype, z.device)
            w1 = w1.detach()
            return (w1 * mean).sum(-1, keepdim=True), (
                matmul(w1, covariance.expand(*w1.shape[:2], -1, -1)) * w1
            ).sum(-1, keepdim=True)
        mean, variance = batch_statistics(z)
        return (mean, variance) if self.statistics == "batch" else (mean.detach(), variance.detach())


def batch_statistics(z: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance over the last axis, which is kept."""
    mean = z.mean(-1, keepdim=True)
    centred = z - mean
    return mean, (centred * centred).mean(-1, keepdim=True)


def normalised(z: Tensor, mean: Tensor, variance: Tensor, eps: float | Tensor) -> Tensor:
    """(z - mean) / sqrt(variance + eps)."""
    return (z - mean) / torch.sqrt(variance + eps)


@cache
def moments(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Mean (64,) and biased covariance (64, 64) of the training images."""
    pixels = images(torch.float64, device).pixels
    centred = pixels - pixels.mean(0)
    return pixels.mean(0).to(dtype), (centred.T @ centred / len(pixels)).to(dtype)
