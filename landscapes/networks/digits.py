"""Handwritten digits: the training loss of a small network on 1,437 real images, over its weights.

A point holds the weights of 64 -> hidden -> 10 in the order of torch's `nn.Sequential(Linear, activation,
Linear).parameters()`. Terms are the training images; the loss is the mean cross-entropy in nats, at least 0.
R x P networks are evaluated at once. Streams: "init" only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms
from landscapes.checks import check_points
from landscapes.networks.digits_data import CLASSES, PIXELS, TRAIN, images, picked
from landscapes.networks.layers import activated, by_worlds, dense, draw_weights, surprise, total
from landscapes.streams import Streams


@dataclass(frozen=True, kw_only=True)
class Digits(Landscape):
    """Training loss of a 64-hidden-10 network on scikit-learn's handwritten digits (real data).

    Made for float32. The least loss is not known; 0 is a bound that no finite weights reach.

    Source: Alpaydin and Kaynak 1998, "Optical recognition of handwritten digits", UCI machine learning
    repository.

    Args:
        hidden: hidden units, >= 1; D = 75 hidden + 10.
        activation: of the hidden units, tanh or relu.
    """

    name: ClassVar[str] = "digits"
    extras: ClassVar = {"test_accuracy": ("held-out accuracy", "1")}
    hidden: Annotated[int, Ge(1)] = 16
    activation: Literal["tanh", "relu"] = "tanh"

    @property
    def dim(self) -> int:
        """The weights and biases."""
        return self.hidden * (PIXELS + 1) + CLASSES * (self.hidden + 1)

    @property
    def domain(self) -> Domain:
        """All reals; starts have their own law."""
        return Reals(-1.0, 1.0)

    @property
    def terms(self) -> int:
        """The training images."""
        return TRAIN

    def start(self, streams: Streams, n: int) -> Tensor:
        """Starts (R, n, D): normal weights, biases 0.

        Weights have variance 1 / fan-in, with relu 2 / fan-in before the hidden layer (He et al. 2015).
        """
        gain = 2.0 if self.activation == "relu" else 1.0
        return draw_weights(
            streams,
            n,
            list(zip(self._sizes, ((gain / PIXELS) ** 0.5, 0.0, self.hidden**-0.5, 0.0), strict=True)),
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Cross-entropy in nats of networks x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        index, weight = terms or (None, None)
        size = TRAIN if index is None else index.shape[-1]
        return by_worlds(self._cross_entropy, x.shape[1] * self.hidden * size, x, index, weight)

    def measures(self, x: Tensor) -> dict[str, Tensor]:
        """Accuracy on the held-out images of networks x (R, D)."""
        data = images(x.dtype, x.device)
        guess = self._logits(x[:, None], picked(data.test_pixels, None, len(x))).argmax(-2)
        return {"test_accuracy": (guess == data.test_labels).to(x.dtype).mean(-1)[:, 0]}

    @property
    def _sizes(self) -> tuple[int, ...]:
        return (self.hidden * PIXELS, self.hidden, CLASSES * self.hidden, CLASSES)

    def _cross_entropy(self, x: Tensor, index: Tensor | None, weight: Tensor | None) -> Tensor:
        """Weighted sum over images, (R, P)."""
        data = images(x.dtype, x.device)
        pixels, labels = (picked(table, index, len(x)) for table in (data.pixels, data.labels))
        return total(surprise(self._logits(x, pixels), labels), weight)

    def _logits(self, x: Tensor, pixels: Tensor) -> Tensor:
        """Networks x (R, P, D), images (R, 1 | P, B, 64) -> (R, P, 10, B)."""
        w1, b1, w2, b2 = x.split(self._sizes, -1)
        h = activated(dense(w1, pixels.mT) + b1[..., None], self.activation)
        return dense(w2, h) + b2[..., None]
