"""Handwritten digits: the training loss of a small network on 1,437 real images, over its weights.

Data: the test set of "Optical recognition of handwritten digits" (Alpaydin and Kaynak 1998, UCI), 1,797 images of 8 x 8 pixels,
as bundled with scikit-learn; pixels are divided by 16. Sorted by label, every fifth image, the first included, is held out
(360, the classes balanced); 1,437 train.

A point holds the weights of 64 -> hidden -> 10 in the order of torch's `nn.Sequential(Linear, activation, Linear).parameters()`. Terms are the
training images; the loss is the mean cross-entropy in nats, at least 0. R x P networks are evaluated at once. Streams: "init" only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms, check_points, matmul
from landscapes.streams import Streams

PIXELS, CLASSES, TRAIN, STRIDE = 64, 10, 1437, 5
_ELEMENTS = 2**20  # hidden activations worked at a time


class Images(NamedTuple):
    """Training and held-out images, rows are images."""

    pixels: Tensor  # (1437, 64) in [0, 1]
    labels: Tensor  # (1437,) int64
    test_pixels: Tensor  # (360, 64)
    test_labels: Tensor  # (360,)


@cache
def images(dtype: torch.dtype, device: torch.device) -> Images:
    """The data, loaded once for each dtype and device."""
    from sklearn.datasets import load_digits  # noqa: PLC0415  a second's import, needed here only

    data = load_digits()
    pixels = torch.from_numpy(data.data).to(device, dtype) / 16
    labels = torch.from_numpy(data.target).to(device, torch.int64)
    order = labels.argsort(stable=True)
    held = torch.arange(len(order), device=device) % STRIDE == 0
    train, test = order[~held], order[held]
    return Images(pixels[train], labels[train], pixels[test], labels[test])


@dataclass(frozen=True, kw_only=True)
class Digits(Landscape):
    """Training loss of a 64-hidden-10 network on scikit-learn's handwritten digits (real data).

    Made for float32. The least loss is not known; 0 is a bound that no finite weights reach.

    Source: Alpaydin and Kaynak 1998, "Optical recognition of handwritten digits", UCI machine learning repository.

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
        """Weights normal with variance 1 / fan-in (relu: 2 / fan-in before the hidden layer; He et al. 2015), biases 0: (R, n, D)."""
        gain = 2.0 if self.activation == "relu" else 1.0
        sizes = (self.hidden * PIXELS, self.hidden, CLASSES * self.hidden, CLASSES)
        deviations = ((gain / PIXELS) ** 0.5, 0.0, self.hidden**-0.5, 0.0)
        scale = torch.cat([torch.full((size,), s, dtype=streams.dtype, device=streams.device) for size, s in zip(sizes, deviations, strict=True)])
        return scale * streams.normal("init", (n, self.dim))

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Cross-entropy in nats of networks x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        size = TRAIN if terms is None else terms.index.shape[-1]
        worlds = max(1, _ELEMENTS // max(1, x.shape[1] * self.hidden * size))
        batches = [None] * -(-len(x) // worlds) if terms is None else map(Terms, terms.index.split(worlds), terms.weight.split(worlds))
        parts = [self._cross_entropy(some, batch) for some, batch in zip(x.split(worlds), batches, strict=True)]
        return torch.cat(parts)

    def measures(self, x: Tensor) -> dict[str, Tensor]:
        """Accuracy on the held-out images of networks x (R, D)."""
        data = images(x.dtype, x.device)
        guess = self._logits(x[:, None], data.test_pixels.expand(len(x), 1, -1, -1)).argmax(-2)
        return {"test_accuracy": (guess == data.test_labels).to(x.dtype).mean(-1)[:, 0]}

    def _cross_entropy(self, x: Tensor, terms: Terms | None) -> Tensor:
        """Weighted sum over images, (R, P)."""
        data, shape = images(x.dtype, x.device), (len(x), 1, TRAIN)
        index = None if terms is None else terms.index
        pixels = data.pixels.expand(*shape, -1) if index is None else data.pixels[index]
        labels = data.labels.expand(shape) if index is None else data.labels[index]
        right = labels.expand(-1, x.shape[1], -1)[..., None, :]
        surprise = -self._logits(x, pixels).log_softmax(-2).gather(-2, right)[..., 0, :]
        return surprise.sum(-1) / TRAIN if terms is None else (terms.weight * surprise).sum(-1)

    def _logits(self, x: Tensor, pixels: Tensor) -> Tensor:
        """Networks x (R, P, D), images (R, 1 | P, B, 64) -> (R, P, 10, B). Images are columns, so points that share images share one product."""
        w1, b1, w2, b2 = x.split((self.hidden * PIXELS, self.hidden, CLASSES * self.hidden, CLASSES), -1)
        h = matmul(w1.reshape(*pixels.shape[:2], -1, PIXELS), pixels.mT).view(*x.shape[:2], self.hidden, -1)
        h = h + b1[..., None]
        h = h.tanh() if self.activation == "tanh" else h.clamp_min(0)
        return matmul(w2.unflatten(-1, (CLASSES, self.hidden)), h) + b2[..., None]
