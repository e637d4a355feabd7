"""An autoencoder of the handwritten digits: the large network, 20,816 weights by default.

64 -> hidden -> bottleneck -> hidden -> 64, tanh or relu in the hidden layers, code and output linear (Hinton
and Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks", Science 313, 504-507).
Loss of an image: the mean squared error of its pixels, which are in [0, 1]; without a code, the mean image
has 0.073.

Streams: "init" only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms
from landscapes.checks import check_points
from landscapes.networks.digits_data import PIXELS, TRAIN, images, picked
from landscapes.networks.layers import activated, by_worlds, dense, draw_weights, total
from landscapes.streams import Streams


@dataclass(frozen=True, kw_only=True)
class Autoencoder(Landscape):
    """Reconstruction loss of an autoencoder of the handwritten digits (real data), 20,816 weights by default.

    A point holds the weights of Linear(64, hidden), activation, Linear(hidden, bottleneck),
    Linear(bottleneck, hidden), activation, Linear(hidden, 64) in the order of torch's `parameters()`. Terms
    are the 1,437 training images. Made for float32.

    Source: Hinton and Salakhutdinov 2006.

    Args:
        hidden: units of the two hidden layers, >= 1; D = (130 + 2 bottleneck) hidden + bottleneck + 64.
        bottleneck: units of the code, >= 1.
        activation: of the hidden units, tanh or relu.
    """

    name: ClassVar[str] = "autoencoder"
    extras: ClassVar = {"test_loss": ("held-out loss", "1")}
    hidden: Annotated[int, Ge(1)] = 128
    bottleneck: Annotated[int, Ge(1)] = 16
    activation: Literal["tanh", "relu"] = "tanh"

    @property
    def dim(self) -> int:
        """The weights and biases."""
        return sum(out * (fan_in + 1) for fan_in, out in self._layers)

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

        Weights have variance 1 / fan-in, with relu 2 / fan-in before a hidden layer (He et al. 2015).
        """
        gains = (2.0 if self.activation == "relu" else 1.0, 1.0) * 2
        blocks = (
            ((out * fan_in, (gain / fan_in) ** 0.5), (out, 0.0))
            for gain, (fan_in, out) in zip(gains, self._layers, strict=True)
        )
        return draw_weights(streams, n, [block for layer in blocks for block in layer])

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Mean squared error of a pixel, networks x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        index, weight = terms or (None, None)
        size = TRAIN if index is None else index.shape[-1]
        return by_worlds(self._error, x.shape[1] * max(self.hidden, PIXELS) * size, x, index, weight)

    def measures(self, x: Tensor) -> dict[str, Tensor]:
        """Loss on the held-out images of networks x (R, D)."""
        pixels = picked(images(x.dtype, x.device).test_pixels, None, len(x)).mT
        return {"test_loss": total(self._squares(x[:, None], pixels), None)[:, 0]}

    @property
    def _layers(self) -> tuple[tuple[int, int], ...]:
        """Fan-in and units of each layer."""
        return (
            (PIXELS, self.hidden),
            (self.hidden, self.bottleneck),
            (self.bottleneck, self.hidden),
            (self.hidden, PIXELS),
        )

    def _error(self, x: Tensor, index: Tensor | None, weight: Tensor | None) -> Tensor:
        """Weighted sum over images, or their mean, (R, P)."""
        return total(
            self._squares(x, picked(images(x.dtype, x.device).pixels, index, len(x)).mT), weight
        )

    def _squares(self, x: Tensor, pixels: Tensor) -> Tensor:
        """Mean squared error (R, P, B) of networks x (R, P, D) on images in columns (R, 1 | P, 64, B)."""
        parts = iter(
            x.split([size for fan_in, out in self._layers for size in (out * fan_in, out)], -1)
        )
        h = pixels
        for number, (weight, bias) in enumerate(zip(parts, parts, strict=True)):
            h = dense(weight, h) + bias[..., None]
            h = activated(h, self.activation) if number % 2 == 0 else h
        error = h - pixels
        return (error * error).mean(-2)
