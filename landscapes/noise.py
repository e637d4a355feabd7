"""The noise that a study lays over a landscape, in small pieces: which terms a query sees, and what is added to the answer.

Mini-batches of B of M terms (source "data"), sigma^2 the variance of a term over all M:
  replacement  B terms drawn independently; the variance of their mean is sigma^2 / B
  batch        B different terms, a fresh set each step; sigma^2 / B * (M - B) / (M - 1) (Cochran 1977, "Sampling techniques", section 2.5)
  epoch        a fresh permutation each epoch, read in order; the last batch of an epoch is smaller where B does not divide M
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Answer, Parameters, Terms
from landscapes.streams import Streams

ORDER = 1  # the part of "data" that holds the permutation of an epoch


@dataclass(frozen=True, kw_only=True)
class Noise(Parameters):
    """The noise of an oracle.

    Args:
        batch: terms in a mini-batch, 1 .. M; None: all M.
        sampling: how a mini-batch is drawn: replacement, batch or epoch (see the module).
        shared: every point of a world sees the same mini-batch; False: each point its own (not for `epoch`).
        value: standard deviation of the Gaussian noise added to each value, in units of the loss.
        gradient: standard deviation of the Gaussian noise added to each coordinate of a gradient, in units of loss per unit of x.
    """

    name: ClassVar[str] = "noise"
    batch: Annotated[int | None, Ge(1)] = None
    sampling: Literal["replacement", "batch", "epoch"] = "replacement"
    shared: bool = True
    value: Annotated[float, Ge(0)] = 0.0
    gradient: Annotated[float, Ge(0)] = 0.0

    def check(self) -> None:
        """An epoch is one pass through the data of a world, so its points share it."""
        if self.sampling == "epoch" and not self.shared:
            raise ValueError("noise.shared: expected true with sampling 'epoch' (one pass through the data per world), got false")

    @property
    def exact(self) -> bool:
        """Whether the oracle tells the truth."""
        return self.batch is None and self.value == 0 and self.gradient == 0


class Epoch(NamedTuple):
    """Where each world stands in its data."""

    number: Tensor  # (R,) int64, the epoch whose order is held
    order: Tensor  # (R, M) int64
    used: Tensor  # (R,) int64, terms of this epoch already read


def first_epoch(streams: Streams, terms: int) -> Epoch:
    """Epoch 0, nothing read."""
    zero = torch.zeros(streams.size, dtype=torch.int64, device=streams.device)
    return Epoch(zero, streams.at(0).permutation("data", terms, part=ORDER), zero)


def next_batch(epoch: Epoch, size: int | Tensor, streams: Streams) -> tuple[Terms, Tensor, Epoch]:
    """The next `size` (one number or (R,)) terms of each world's pass.

    Returns:
        Terms (R, 1, B), how many each world got (R,), and where the worlds stand now.
    """
    total = epoch.order.shape[1]
    over = epoch.used >= total
    if bool(over.any()):
        number = torch.where(over, epoch.number + 1, epoch.number)
        order = torch.where(over[:, None], streams.at(number.cpu()).permutation("data", total, part=ORDER), epoch.order)
        epoch = Epoch(number, order, torch.where(over, 0, epoch.used))
    got = (total - epoch.used).clamp_max(size)
    slot = torch.arange(min(size, int(got.max())) if isinstance(size, int) else total, device=got.device)
    index = epoch.order.gather(1, (epoch.used[:, None] + slot).clamp_max(total - 1))
    return _weighted(index[:, None], got, streams.dtype), got, epoch._replace(used=epoch.used + got)


def draw_batch(noise: Noise, terms: int, size: int | Tensor, points: int, streams: Streams) -> Terms:
    """A fresh mini-batch of `size` (one number or (R,)) terms for each world, or for each of its points where not `noise.shared`."""
    rows = 1 if noise.shared else points
    width = size if isinstance(size, int) else terms  # where sizes differ by world, rows are padded to a width that no other world changes
    if noise.sampling == "replacement":
        index = streams.integers("data", terms, (rows, width))
    elif isinstance(size, int):
        index = streams.choice("data", terms, size, (rows,))
    else:
        index = streams.permutation("data", terms, (rows,))
    return _weighted(index, size, streams.dtype)


def _weighted(index: Tensor, size: int | Tensor, dtype: torch.dtype) -> Terms:
    """Weight 1 / size on the first `size` of each row of index (R, 1 | P, B), 0 on the rest."""
    if isinstance(size, int):
        return Terms(index, torch.full((1, 1, 1), 1 / size, dtype=dtype, device=index.device).expand(index.shape))
    slot = torch.arange(index.shape[-1], device=index.device)
    weight = torch.where(slot < size[:, None], 1 / size[:, None].to(dtype), 0.0)
    return Terms(index, weight[:, None].expand(index.shape))


def disturb(answer: Answer, noise: Noise, streams: Streams) -> Answer:
    """The answer with the Gaussian noise of `noise.value` and `noise.gradient` added (source "evaluation", parts 0 and 1)."""
    value, gradient = answer
    if noise.value:
        value = value + noise.value * streams.normal("evaluation", value.shape[1:])
    if noise.gradient and gradient is not None:
        gradient = gradient + noise.gradient * streams.normal("evaluation", gradient.shape[1:], part=1)
    return Answer(value, gradient)
