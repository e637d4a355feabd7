"""A layer of batch normalisation by itself: what it does to the gradients that pass it.

y_i = (x_i - mean) / s,  s^2 = variance + eps,  L = mean over i of g_i y_i, with g_i ~ N(common, 1) the
gradients that come from the layers above. Through the statistics of a batch of m, y' its own y, they leave as
(1 / s) (I - 11'/m - y'y''/m) g (Ioffe and Szegedy 2015, section 3; Santurkar et al. 2018, "How does batch
normalization help optimization?", NeurIPS 31, theorem 4.1). For normal x, whose s does not depend on y', and
common = 0, the mean square of what leaves over that of what leaves where

    the same s is a constant       is (m - 2) / m: a projection shortens; m = 2 passes none
    s is that of all data, 1       is (m - 2) / (m - 3) for m > 3, more than 1, as E 1 / s^2 = m / (m - 3)

Streams: "init" (x), "instance" (part 0 g).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms, per_instance
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.networks.batch_losses import of_batches
from landscapes.networks.batch_norm import batch_statistics, normalised
from landscapes.networks.layers import draw_weights, total
from landscapes.streams import Streams


@dataclass(frozen=True, kw_only=True)
class NormLayer(Landscape):
    """A bare layer of batch normalisation: normal inputs below it, random gradients from above.

    A point holds the inputs of one unit, an example each, so that a gradient is what passes the layer. Draw
    batches with `sampling: batch`, as an example that is drawn twice counts twice in the statistics.

    Source: Ioffe and Szegedy 2015; Santurkar et al. 2018, theorem 4.1.

    Args:
        examples: M = D, >= 2; starts are standard normal.
        common: mean of the gradients from above, which have variance 1; of this part batches pass nothing.
        statistics: batch, those of the mini-batch, and the gradient goes through them; batch_constant, the
            same values, constant to the gradient; running, those of all M at this point, constant to the
            gradient; fixed, mean 0 and variance 1, which are those of the starts: then the loss is linear.
        eps: added to the variance, >= 0.
    """

    name: ClassVar[str] = "norm_layer"
    one_for_all: ClassVar[tuple[str, ...]] = ("eps",)  # against a division by 0
    examples: Annotated[int, Ge(2)] = 64
    common: float = 0.0
    statistics: Literal["batch", "batch_constant", "running", "fixed"] = "batch"
    eps: Annotated[float, Ge(0)] = 1e-5
    above: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, M) g

    @property
    def dim(self) -> int:
        """The inputs."""
        return self.examples

    @property
    def domain(self) -> Domain:
        """All reals; starts have their own law."""
        return Reals(-1.0, 1.0)

    @property
    def terms(self) -> int:
        """The examples."""
        return self.examples

    @property
    def additive(self) -> bool:
        """Only where the statistics are not those of the batch."""
        return self.statistics in ("running", "fixed")

    @property
    def smallest_batch(self) -> int:
        """A batch has a variance from 2 examples on."""
        return 1 if self.additive else 2

    def bind(self, streams: Streams) -> Self:
        """Draw the gradients from above."""
        return self.bound(
            above=per_instance(streams, lambda s: self.common + s.normal("instance", (self.examples,)))
        )

    def start(self, streams: Streams, n: int) -> Tensor:
        """Standard normal inputs, (R, n, M)."""
        return draw_weights(streams, n, [(self.examples, 1.0)])

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Mean of g y over the examples of inputs x (R, P, M) -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.above)
        if terms is None or self.additive:
            return self._mean(x, self.above, *(terms or (None, None)))
        return of_batches(
            self, lambda x, index, worlds: self._mean(x, self.above[worlds], index, None), x, terms
        )

    def _mean(self, x: Tensor, above: Tensor, index: Tensor | None, weight: Tensor | None) -> Tensor:
        """Weighted sum of g y over examples, or their mean: x (K, Q, M), index (K, 1 | Q, B) -> (K, Q)."""
        above = above[:, None].expand_as(x)
        inputs, slopes = (_picked(table, index) for table in (x, above))
        y = normalised(inputs, *self._statistics(x, inputs), self.eps)
        return total(slopes * y, weight)

    def _statistics(self, x: Tensor, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance (K, Q, 1), of points x (K, Q, M) and the inputs (K, Q, B) of their batches."""
        if self.statistics == "fixed":
            return torch.zeros_like(x[..., :1]), torch.ones_like(x[..., :1])
        mean, variance = batch_statistics(x if self.statistics == "running" else inputs)
        return (mean, variance) if self.statistics == "batch" else (mean.detach(), variance.detach())


def _picked(table: Tensor, index: Tensor | None) -> Tensor:
    """The entries (K, Q, B) of a table (K, Q, M) that batches (K, 1 | Q, B) name; None: all."""
    return table if index is None else table.gather(-1, index.expand(-1, table.shape[1], -1))
