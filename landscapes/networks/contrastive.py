"""A linear encoder trained on pairs.

Losses that compare the examples of a batch with each other, so are no sums of terms.

Pair i is two views a_i, b_i of one thing: normal vectors of D' features with correlation rho in each. s_ij =
(E a_i) . (E b_j) / temperature. In a batch of B pairs,

    pairwise  mean over i of softplus(-s_ii) + mean over i != j of softplus(s_ij): a U-statistic of order 2
              with the kernel
              h(i, j) = [softplus(-s_ii) + softplus(-s_jj) + softplus(s_ij) + softplus(s_ji)] / 2
              (the pairwise logistic loss of Zhai et al. 2023, "Sigmoid loss for language image pre-training",
              ICCV). Over batches of different pairs its mean is the loss of all. Over B independent draws its
              variance is 2 [2 (B - 2) zeta_1 + zeta_2] / (B (B - 1)), zeta_1 the variance of the mean of h
              given one of its pairs, zeta_2 that of h (Hoeffding 1948, Annals of Mathematical Statistics 19,
              293-325).
    infonce   mean over i of ln((1 / B) sum_j exp(s_ij)) - s_ii, j over the batch: minus the bound on the
              mutual information of van den Oord, Li, Vinyals 2018 ("Representation learning with contrastive
              predictive coding"), so at least -ln B. The logarithm of a mean: the loss of a batch is biased
              by O(1 / B), about -Var(e^s) / (2 B (E e^s)^2) from the negatives.

The whole loss is that of all M pairs as one batch. Evaluations are counted by pairs, though the work of a
batch grows as B^2.

Streams: "init" (weights), "instance" (part 0 the pairs).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms, per_instance
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.networks.batch_losses import of_batches
from landscapes.networks.layers import by_worlds, draw_weights
from landscapes.numerics import matmul, softplus
from landscapes.streams import Streams
from landscapes.together import of_worlds


@dataclass(frozen=True, kw_only=True)
class Contrastive(Landscape):
    """Contrastive loss of a linear encoder on Gaussian pairs: pairwise (unbiased mini-batches) or InfoNCE.

    A point holds the matrix E row by row. Terms are the pairs, but the loss is no sum of theirs: a mini-batch
    has at least 2, of equal weights. Draw it with `sampling: batch`; drawn with replacement, a pair can meet
    itself as a negative.

    Source: van den Oord, Li and Vinyals 2018 (InfoNCE); Zhai et al. 2023 (pairwise).

    Args:
        objective: pairwise, each positive and each negative has a loss of its own; infonce, the positive
            against all in the batch.
        features: of a view, >= 1.
        embedding: rows of E, >= 1; D = embedding * features.
        pairs: M, generated for each instance, >= 2.
        correlation: rho of the two views, 0 <= rho <= 1.
        temperature: > 0.
    """

    name: ClassVar[str] = "contrastive"
    objective: Literal["pairwise", "infonce"] = "infonce"
    features: Annotated[int, Ge(1)] = 10
    embedding: Annotated[int, Ge(1)] = 4
    pairs: Annotated[int, Ge(2)] = 256
    correlation: Annotated[float, Ge(0), Le(1)] = 0.8
    temperature: Annotated[float, Gt(0)] = 1.0
    views: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, M, 2, features)
    # (R, 1) each: the temperature
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())

    @property
    def dim(self) -> int:
        """The entries of E."""
        return self.embedding * self.features

    @property
    def domain(self) -> Domain:
        """All reals; starts have their own law."""
        return Reals(-1.0, 1.0)

    @property
    def terms(self) -> int:
        """The pairs."""
        return self.pairs

    @property
    def additive(self) -> bool:
        """Pairs are compared with each other."""
        return False

    @property
    def smallest_batch(self) -> int:
        """A pair and one to compare it with."""
        return 2

    def bind(self, streams: Streams) -> Self:
        """Generate the pairs."""
        return self.bound(
            views=per_instance(streams, self._views), numbers=of_worlds(streams, self.temperature)
        )

    def start(self, streams: Streams, n: int) -> Tensor:
        """Normal with variance 1 / features, (R, n, D)."""
        return draw_weights(streams, n, [(self.dim, self.features**-0.5)])

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Contrastive loss in nats of encoders x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.views)
        return of_batches(self, self._batches, x, terms)

    def _views(self, streams: Streams) -> Tensor:
        common, first, second = streams.normal("instance", (3, self.pairs, self.features)).unbind(1)
        own, shared = (1 - self.correlation) ** 0.5, self.correlation**0.5
        return torch.stack((shared * common + own * first, shared * common + own * second), 2)

    def _batches(self, x: Tensor, index: Tensor, worlds: Tensor) -> Tensor:
        return by_worlds(self._loss, x.shape[1] * index.shape[-1] ** 2, x, index[:, 0], worlds)

    def _loss(self, x: Tensor, index: Tensor, worlds: Tensor) -> Tensor:
        """Encoders x (K, Q, D), pairs index (K, B) of worlds (K,) -> (K, Q)."""
        size = index.shape[-1]
        views = self.views[worlds[:, None], index].flatten(
            1, 2
        )  # (K, 2 B, features): a_1, b_1, a_2, ..
        embedded = matmul(x.reshape(len(x), -1, self.features), views.mT).view(
            *x.shape[:2], self.embedding, size, 2
        )
        temperature = self.numbers[0][worlds][..., None, None]
        s = matmul(embedded[..., 0].mT, embedded[..., 1]) / temperature  # (K, Q, B, B)
        own = s.diagonal(dim1=-2, dim2=-1)
        if self.objective == "infonce":
            return (s.logsumexp(-1) - own).mean(-1) - math.log(size)
        others = softplus(s).masked_fill(torch.eye(size, dtype=torch.bool, device=s.device), 0)
        return softplus(-own).mean(-1) + others.flatten(-2).sum(-1) / (size * (size - 1))
