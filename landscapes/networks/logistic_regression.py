"""Logistic regression with an L2 penalty: the convex learning problem, its minimum known.

Term i: -ln p(label_i | features_i) + (penalty / 2) |w|^2. On `gaussian` data there are two classes and one
weight for each feature, p = 1 / (1 + exp(-w . x)); on `digits` a weight for each class and pixel, and one for
a constant 1, p = softmax (multinomial logistic regression; Hastie, Tibshirani, Friedman 2009, "The elements
of statistical learning", section 4.4). The penalty is on all weights, so the minimum is unique; `bind` finds
it by Newton's method in float64, to a gradient below 1e-12 in every entry.

Gaussian data: features are normal, independent, with variances from 1 down to 1 / condition, spaced evenly in
their logarithm; the labels are drawn from the model at weights w* with w* . x of standard deviation `signal`,
in a uniform direction of the scaled features.

Streams: "init" (starts), "instance" (gaussian data: part 0 features, 1 the direction of w*, 2 labels).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms, per_instance
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.networks.digits_data import CLASSES, PIXELS, TRAIN, images
from landscapes.networks.layers import by_worlds, dense, surprise, total
from landscapes.networks.newton import minimise
from landscapes.numerics import dot, logistic
from landscapes.streams import Streams
from landscapes.together import of_worlds


@dataclass(frozen=True, kw_only=True)
class LogisticRegression(Landscape):
    """Logistic regression with an L2 penalty on Gaussian data, or softmax regression on digits; convex.

    The loss is the gap to the minimum, in nats. A point holds the weights, on digits class by class: 64
    pixels, then the constant.

    Source: Hastie, Tibshirani and Friedman 2009, section 4.4.

    Args:
        data: gaussian, generated for each instance, two classes, D = features; digits, 1,437 images, ten
            classes, D = 650.
        penalty: > 0, in nats per squared unit of the weights.
        features: of gaussian data, >= 1.
        examples: M, of gaussian data, >= 1.
        condition: largest over smallest variance of the features of gaussian data, >= 1.
        signal: standard deviation of the log-odds of the labels of gaussian data, >= 0.
        box: starts are uniform in [-box, box]^D, > 0.
    """

    name: ClassVar[str] = "logistic_regression"
    data: Literal["gaussian", "digits"] = "gaussian"
    penalty: Annotated[float, Gt(0)] = 1e-2
    features: Annotated[int, Ge(1)] = 10
    examples: Annotated[int, Ge(1)] = 500
    condition: Annotated[float, Ge(1)] = 100.0
    signal: Annotated[float, Ge(0)] = 3.0
    box: Annotated[float, Gt(0)] = 1.0
    rows: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, M, F) features
    labels: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, M) int64
    optimum: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, D)
    best: Tensor = field(
        init=False, repr=False, compare=False, default=UNBOUND
    )  # (R, 1) the least loss
    # (R, 1) each: half the penalty
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())

    @property
    def dim(self) -> int:
        """The weights."""
        return self.features if self.data == "gaussian" else CLASSES * (PIXELS + 1)

    @property
    def domain(self) -> Domain:
        """The box of starts."""
        return Reals(-self.box, self.box)

    @property
    def terms(self) -> int:
        """The examples."""
        return self.examples if self.data == "gaussian" else TRAIN

    @property
    def gap_known(self) -> bool:
        """The loss is strictly convex."""
        return True

    def bind(self, streams: Streams) -> Self:
        """Generate the data and find the minimum."""
        if self.data == "digits":
            data, count = images(streams.dtype, streams.device), streams.size
            rows, labels = (
                _with_constant(data.pixels).expand(count, -1, -1),
                data.labels.expand(count, -1),
            )
            optimum = _digits_optimum(self.penalty).to(data.pixels).expand(count, -1)
        else:
            rows = per_instance(streams, lambda s: self._drawn(s)[0])
            labels = per_instance(streams, lambda s: self._drawn(s)[1])
            optimum = per_instance(streams, lambda s: _optima(*self._drawn(s), self.penalty))
        bound = self.bound(
            rows=rows,
            labels=labels,
            optimum=optimum,
            best=torch.zeros_like(optimum[:, :1]),
            numbers=of_worlds(streams, 0.5 * self.penalty),
        )
        return bound.bound(best=bound.loss(optimum[:, None]))

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Gap in nats of weights x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.rows)
        shape = (len(x), 1, self.terms)
        index, weight = (
            (torch.arange(self.terms, device=x.device).expand(shape), None) if terms is None else terms
        )
        value = by_worlds(
            self._surprise,
            x.shape[1] * self.dim * index.shape[-1],
            x,
            index,
            weight,
            self.rows,
            self.labels,
        )
        share = 1.0 if weight is None else weight.sum(-1)
        return value + share * (self.numbers[0] * dot(x, x)) - share * self.best

    def _surprise(
        self, x: Tensor, index: Tensor, weight: Tensor | None, rows: Tensor, labels: Tensor
    ) -> Tensor:
        """Weighted sum over examples, or their mean, (R, P)."""
        world = torch.arange(len(x), device=x.device)[:, None, None]
        logits = dense(x, rows[world, index].mT)
        if self.data == "gaussian":
            logits = torch.cat((torch.zeros_like(logits), logits), -2)
        return total(surprise(logits, labels[world, index]), weight)

    def _drawn(self, streams: Streams) -> tuple[Tensor, Tensor]:
        """Features (R, M, F) and labels (R, M)."""
        normal = streams.normal("instance", (self.examples, self.features))
        direction = streams.normal("instance", (self.features,), part=1)
        odds = self.signal * dot(
            normal, (direction / dot(direction, direction).sqrt()[:, None])[:, None]
        )
        labels = (streams.uniform("instance", (self.examples,), part=2) < logistic(odds)).long()
        deviations = self.condition ** -(0.5 * torch.linspace(0, 1, self.features, dtype=torch.float64))
        return normal * deviations.to(normal), labels


def _with_constant(pixels: Tensor) -> Tensor:
    return torch.nn.functional.pad(pixels, (0, 1), value=1.0)


def _optima(rows: Tensor, labels: Tensor, penalty: float) -> Tensor:
    """(I, D), each instance by itself."""
    return torch.stack([
        minimise(x.double(), y, 1, penalty) for x, y in zip(rows, labels, strict=True)
    ]).to(rows.dtype)


@cache
def _digits_optimum(penalty: float) -> Tensor:
    data = images(torch.float64, torch.device("cpu"))
    return minimise(_with_constant(data.pixels), data.labels, CLASSES, penalty)
