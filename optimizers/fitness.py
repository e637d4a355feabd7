"""Fitness from loss: what selection in proportion to fitness, and the probability of fixation, are made of.

Of a loss L, with beta the strength of selection, fitness w is up to a factor

    linear       max(0, 1 - beta L)    (Wright's w = c - beta L: only beta / c matters, so c = 1)
    exponential  exp(-beta L)

and where the landscape says which fitness w_0 a loss stands for (`FitnessLaw`: w_0 = best - L, or exp(-L)),
with v = w_0 / (w_0 at loss 0)

    linear       max(0, 1 - beta (1 - v))
    exponential  v^beta

So beta = 0 is neutral, and beta = 1 is fitness as the landscape has it, by either. An infinite loss, and NaN,
has no fitness at any beta; where nobody has any, there is no selection.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from landscapes.base import FitnessLaw
from landscapes.numerics import worst_last

LARGE = 1e150  # fitness beyond which sums of it are scaled first
COUNTED = {
    "unfit": (
        "unfit_steps",
        "steps so far in which nobody of a population had fitness, so that there was no selection in it",
        "steps",
    )
}


def fitness(
    value: Tensor, kind: str, strength: float | Tensor, law: FitnessLaw | None = None
) -> Tensor:
    """Fitness of losses (R, P), up to a factor for each world, the largest finite: (R, P) float64.

    0 for those that have none.

    Args:
        value: (R, P) losses.
        kind: linear or exponential.
        strength: beta >= 0, a number or (R,).
        law: the fitness that a loss stands for; None: the landscape does not say.
    """
    loss = worst_last(value.double())
    beta = (
        strength.double().reshape(-1, 1) if isinstance(strength, Tensor) and strength.ndim else strength
    )
    if kind == "linear":
        return _scaled(_where_finite(_linear(loss, beta, law), loss))
    return _where_finite(_exponential(loss, beta, law), loss)


def _where_finite(w: Tensor, loss: Tensor) -> Tensor:
    """Fitness w (R, P), 0 where it is no number or the loss (R, P) is infinite."""
    return w.masked_fill(w.isnan() | (loss == torch.inf), 0.0)


def _scaled(w: Tensor) -> Tensor:
    """Fitness w (R, P) up to a factor for each world, the largest finite."""
    top = w.amax(1, keepdim=True)
    return torch.where(
        top == torch.inf, (w == torch.inf).double(), w / torch.where(top > LARGE, top, 1.0)
    )


def weights(
    value: Tensor, kind: str, strength: float | Tensor, law: FitnessLaw | None = None
) -> Tensor:
    """The `fitness` of losses (R, P), with 1 for all of a world where nobody has any."""
    w = fitness(value, kind, strength, law)
    return w.masked_fill(nobody_fit(w)[:, None], 1.0)


def nobody_fit(w: Tensor) -> Tensor:
    """The worlds (R,) bool in which no fitness (R, P) is positive."""
    return w.amax(1) <= 0


def unfit(
    populations: Sequence[Tensor], kind: str, strength: float | Tensor, law: FitnessLaw | None
) -> Tensor:
    """Whether in one of the populations nobody has fitness: (R,) bool.

    Fitness falls with the loss, so it is enough to look at the best.

    Args:
        populations: losses (R, P) of each.
        kind: linear or exponential.
        strength: beta >= 0, a number or (R,).
        law: the fitness that a loss stands for; None: the landscape does not say.
    """
    best = [worst_last(value).amin(1, keepdim=True) for value in populations]
    return torch.stack([nobody_fit(fitness(value, kind, strength, law)) for value in best]).any(0)


def log_fitness(
    value: Tensor, kind: str, strength: float | Tensor, law: FitnessLaw | None = None
) -> Tensor:
    """Logarithms of the fitness of losses (R, P), up to a constant: (R, P) float64.

    They are -inf for those that have none.
    """
    loss = worst_last(value.double())
    beta = (
        strength.double().reshape(-1, 1) if isinstance(strength, Tensor) and strength.ndim else strength
    )
    log = (
        torch.log(_linear(loss, beta, law))
        if kind == "linear"
        else _times(beta, -loss if law is None or law.log else _log_of(loss, law))
    )
    return torch.where(log.isnan() | (loss == torch.inf), -torch.inf, log)


def _linear(loss: Tensor, beta: float | Tensor, law: FitnessLaw | None) -> Tensor:
    if law is None:
        return (1 - _times(beta, loss)).clamp_min(0)
    if law.log:
        return (1 + _times(beta, torch.expm1(-loss))).clamp_min(0)
    return (
        (law.best - _times(beta, loss.clamp_max(law.best))).clamp_min(0)
        if law.best > 0
        else torch.zeros_like(loss)
    )


def _exponential(loss: Tensor, beta: float | Tensor, law: FitnessLaw | None) -> Tensor:
    """Relative to the best of each world, so that nothing underflows."""
    best = loss.amin(1, keepdim=True)
    if law is None or law.log:
        return torch.exp(beta * (best - loss)).masked_fill(loss == best, 1.0)
    own, top = _log_of(loss, law), _log_of(best, law)
    selected = (
        torch.as_tensor(beta, device=loss.device) != 0
    )  # 0^0 = 1: without selection all are alike
    return torch.where(
        (top == -torch.inf) & selected,
        0.0,
        torch.where(own == top, 1.0, torch.exp(_times(beta, own - top))),
    )


def _log_of(loss: Tensor, law: FitnessLaw) -> Tensor:
    return torch.log((law.best - loss).clamp_min(0))


def _times(beta: float | Tensor, exponent: Tensor) -> Tensor:
    """The product, 0 where beta is, also of what is infinite: w^0 = 1 where w = 0."""
    return torch.where(torch.as_tensor(beta, device=exponent.device) == 0, 0.0, beta * exponent)
