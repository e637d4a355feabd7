"""The noise that a study lays over a landscape, in small pieces.

Which terms a query sees, and what is added to the answer.

Mini-batches of B of M terms (source "data"), sigma^2 the variance of a term over all M:
  replacement  B terms drawn independently; the variance of their mean is sigma^2 / B
    batch        B different terms, a fresh set each step; sigma^2 / B * (M - B) / (M - 1)
                 (Cochran 1977, "Sampling techniques", section 2.5)
    epoch        a fresh permutation each epoch, read in order; the last batch of an epoch is smaller where B
                 does not divide M

A mini-batch of all M terms, drawn without replacement, is no mini-batch: answers are over all terms, in their
own order.

A source that is `off` has its deterministic limit: data, every answer is over all M terms; evaluation,
nothing is added, by a noisy landscape neither; dropout, networks drop nothing. The bill, and what an
optimizer is told of its problem, stay as they are with the noise, so that both take the same steps at the
same cost: a thought experiment that asks what the noise does, and no method that one could run at that price.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes import addresses
from landscapes.base import Answer, Dropout, Terms
from landscapes.parameters import Parameters
from landscapes.streams import Streams

ORDER = addresses.first("parts of data", "order of an epoch")


@dataclass(frozen=True, kw_only=True)
class Noise(Parameters):
    """The noise of an oracle.

    Args:
        batch: terms in a mini-batch, 1 .. M; None: all M.
        sampling: how a mini-batch is drawn: replacement, batch (different terms) or epoch (a permutation).
        shared: every point of a world sees the same mini-batch; False: each point its own (not for `epoch`).
        value: standard deviation of the Gaussian noise added to each value, in units of the loss.
        gradient: standard deviation of the Gaussian noise added to each coordinate of a gradient, in units of
            loss per unit of x.
        off: sources that are switched off, data, evaluation and dropout, see the module.
    """

    name: ClassVar[str] = "noise"
    batch: Annotated[int | None, Ge(1)] = None
    sampling: Literal["replacement", "batch", "epoch"] = "replacement"
    shared: bool = True
    value: Annotated[float, Ge(0)] = 0.0
    gradient: Annotated[float, Ge(0)] = 0.0
    off: tuple[Literal["data", "evaluation", "dropout"], ...] = ()

    def check(self) -> None:
        """An epoch is one pass through the data of a world, so its points share it."""
        if self.sampling == "epoch" and not self.shared:
            raise ValueError(
                "noise.shared: expected true with sampling 'epoch' (one pass through the data per world), got"
                " false"
            )

    def whole(self, terms: int) -> bool:
        """Whether a mini-batch holds each of so many terms once, so that nothing is left to chance."""
        return self.batch is None or (self.batch == terms and self.sampling != "replacement")

    def exact(self, terms: int, *, gradient: bool) -> bool:
        """Whether values or, with `gradient`, values and gradients over so many terms are the truth.

        What is switched off counts as on.
        """
        disturbed = present(self.value) or (gradient and present(self.gradient))
        return self.whole(terms) and not disturbed


def present(level: float | Tensor) -> bool:
    """Whether there is noise of this standard deviation; one for each world (R,) is above 0 in all."""
    return isinstance(level, Tensor) or level > 0


class Epoch(NamedTuple):
    """Where each world stands in its data."""

    number: Tensor  # (R,) int64, the epoch whose order is held
    order: Tensor  # (R, M) int64
    used: Tensor  # (R,) int64, terms of this epoch already read


def first_epoch(streams: Streams, terms: int) -> Epoch:
    """Epoch 0, nothing read."""
    zero = torch.zeros(streams.size, dtype=torch.int64, device=streams.device)
    return Epoch(zero, streams.at(0).permutation("data", terms, part=ORDER), zero)


def next_batch(
    epoch: Epoch, size: int | Tensor, streams: Streams, least: int = 1
) -> tuple[Tensor, Tensor, Epoch]:
    """The next `size` (one number or (R,)) terms of each world's pass.

    Fewer than `least` at its end are left out.

    Returns:
        Terms (R, 1, B), B the most that a world got, how many each got (R,), the first of its row, and where
        the worlds stand now.
    """
    total = epoch.order.shape[1]
    over = total - epoch.used < least
    if bool(over.any()):
        number = torch.where(over, epoch.number + 1, epoch.number)
        fresh = streams.at(number.cpu()).permutation("data", total, part=ORDER)
        order = torch.where(over[:, None], fresh, epoch.order)
        epoch = Epoch(number, order, torch.where(over, 0, epoch.used))
    got = (total - epoch.used).clamp_max(size)
    slot = torch.arange(int(got.max()), device=got.device)
    index = epoch.order.gather(1, (epoch.used[:, None] + slot).clamp_max(total - 1))
    return index[:, None], got, epoch._replace(used=epoch.used + got)


def reordered(epoch: Epoch, streams: Streams) -> Epoch:
    """The epoch with the terms that are not yet read in another order, which these streams draw.

    Every order of them is as likely.
    """
    total = epoch.order.shape[1]
    slot = torch.arange(total, device=epoch.order.device)
    read = torch.zeros_like(epoch.order, dtype=torch.bool).scatter(
        1, epoch.order, slot < epoch.used[:, None]
    )
    order = streams.at(epoch.number.cpu()).permutation("data", total, part=ORDER)
    unread = read.gather(1, order).logical_not().to(torch.uint8)
    return epoch._replace(order=order.gather(1, unread.argsort(dim=1, stable=True)))


class Draw(NamedTuple):
    """Where the mini-batches of one step come from."""

    noise: Noise
    terms: int  # M, of which they are drawn
    points: int  # P
    order: Tensor | None  # (R, 1, B) those of the largest size, where they are read in epochs

    def __call__(self, size: int, streams: Streams, rows: slice = slice(None)) -> Tensor:
        """Mini-batches of a size: (R, 1, size), or where not `noise.shared` one for each point (R, P, size).

        Args:
            size: B.
            streams: those of the worlds `rows`; draws: data.
            rows: whose they are.
        """
        if self.order is not None:
            return self.order[rows, :, :size]
        shape = (1 if self.noise.shared else self.points,)
        if self.noise.sampling == "replacement":
            return streams.integers("data", self.terms, (*shape, size))
        return streams.choice("data", self.terms, size, shape)


def mean_of(index: Tensor, dtype: torch.dtype) -> Terms:
    """The mean over the terms index (R, 1 | P, B).

    Weights in memory of their own, as the bits of a sum over an expanded tensor depend on R.
    """
    return Terms(index, torch.full(index.shape, 1 / index.shape[-1], dtype=dtype, device=index.device))


def of_row(streams: Streams, row: int) -> Streams:
    """The streams of one row, at its step and its redraws; every address is free again."""
    rows = slice(row, row + 1)
    step = streams.step[rows] if isinstance(streams.step, Tensor) else streams.step
    return replace(
        streams,
        worlds=streams.worlds[rows],
        step=step,
        redraws={source: k[rows] for source, k in streams.redraws.items()},
    )


def dropout_of(points: int, streams: Streams) -> Dropout:
    """Where the units that so many points drop are drawn, source "dropout"."""
    return Dropout(streams.keyed("dropout").keys(points))


def disturb(answer: Answer, noise: Noise, streams: Streams) -> Answer:
    """The answer with the Gaussian noise of `noise.value` and `noise.gradient` added.

    Draws: evaluation (parts 0 and 1).
    """
    value, gradient = answer.value, answer.gradient
    if present(noise.value):
        value = _disturbed(value, noise.value, streams, part=0)
    if present(noise.gradient) and gradient is not None:
        gradient = _disturbed(gradient, noise.gradient, streams, part=1)
    return Answer(value, gradient)


def _disturbed(answers: Tensor, level: float | Tensor, streams: Streams, part: int) -> Tensor:
    """Values (R, P) or gradients (R, P, D) with noise of this standard deviation, one number or (R,)."""
    if isinstance(level, Tensor):
        level = level.to(answers).reshape(-1, *(1,) * (answers.ndim - 1))
    return answers + level * streams.normal("evaluation", answers.shape[1:], part)
