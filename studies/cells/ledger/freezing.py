"""States frozen at moments of cost, from which the noise ledger takes the next step again and again.

The moment at cost c holds, of every world, what it was after its last completed step of cost <= c at the
nominal price, as a checkpoint does; a world that ends before shows its last state. Worlds come to a moment at
steps of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from landscapes.oracle.bill import ROUNDING
from landscapes.oracle.noise import Epoch, first_epoch
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from optimizers.base import State


class Moment(NamedTuple):
    """R worlds, each between two of its steps."""

    state: State
    step: Tensor  # (R,) int64, completed steps
    spent: Tensor  # (R,) float64, cost so far
    epoch: Epoch | None  # where each world stands in its data


class Freezer:
    """Keeps the states of R worlds at the moments of a cell.

    Args:
        oracle: the one that the search asks.
        costs: (K,) of the moments, at the nominal price, increasing, in evaluations.
        streams: of the worlds.
    """

    def __init__(self, oracle: Oracle, costs: Sequence[float], streams: Streams) -> None:
        self.oracle = oracle
        if oracle.noise.sampling == "epoch":
            oracle.epoch = first_epoch(streams, oracle.landscape.terms)
        self.reach = np.array([*costs, np.inf]) * (1 + ROUNDING)
        self.next = np.zeros(len(oracle.bill.alive), int)  # (R,) the first moment not yet kept
        self.kept: list[Moment | None] = [None] * len(costs)
        self.last: Moment | None = None

    def __call__(self, state: State) -> None:
        """Take the state before the first step, and after each."""
        bill = self.oracle.bill
        if self.last is not None:
            self._keep(np.searchsorted(self.reach, bill.spent))
        steps, spent = torch.from_numpy(bill.steps.copy()), torch.from_numpy(bill.spent.copy())
        self.last = Moment(state, steps, spent, self.oracle.epoch)
        self._keep(np.where(bill.alive, 0, len(self.kept)))

    def moments(self) -> list[Moment]:
        """The K moments, once every world has ended."""
        return [moment for moment in self.kept if moment is not None]

    def _keep(self, until: np.ndarray) -> None:
        """Keep what was taken last as each world's moments next .. until - 1."""
        assert self.last is not None  # noqa: S101 - for the type checker
        for place in range(self.next.min(), until.max(initial=0)):
            rows = torch.from_numpy((self.next <= place) & (place < until))
            old = self.kept[place]
            self.kept[place] = (
                self.last
                if old is None
                else mapped(lambda new, old, rows=rows: _chosen(rows, new, old), self.last, old)
            )
        self.next = np.maximum(self.next, until)


def mapped(change: Callable[..., Tensor], *trees: Any) -> Any:  # noqa: ANN401
    """The tree of `change(leaf, leaf, ..)` of the tensors at each place of trees of named tuples.

    What is neither stays that of the first.

    A plain tuple holds one object for each world, which are picked as the numbers of the worlds would be.
    """
    first = trees[0]
    if isinstance(first, Tensor):
        return change(*trees)
    if hasattr(first, "_fields"):
        return type(first)(*(mapped(change, *places) for places in zip(*trees, strict=True)))
    if not isinstance(first, tuple):
        return first
    pool = [one for tree in trees for one in tree]
    return tuple(pool[place] for place in change(*torch.arange(len(pool)).chunk(len(trees))).tolist())


def repeated(tree: Any, times: int) -> Any:  # noqa: ANN401
    """Every world's row `times` times, one after another: leading R becomes R * times."""
    return mapped(lambda leaf: leaf.repeat_interleave(times, 0), tree)


def subset(tree: Any, rows: Tensor) -> Any:  # noqa: ANN401
    """The rows (W,) of every tensor: leading R becomes W."""
    return mapped(lambda leaf: leaf[rows.to(leaf.device)], tree)


def _chosen(rows: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """New where rows (R,) bool, else old."""
    return torch.where(rows.to(new.device).reshape(-1, *(1,) * (new.ndim - 1)), new, old)
