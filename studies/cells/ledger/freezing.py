"""States frozen at milestones of cost, from which the noise ledger takes the next step again and again."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from landscapes.oracle.noise import Epoch, first_epoch
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from optimizers.base import State
from studies.cells.milestones import Watcher
from studies.kinds.instruments import Moment


class Frozen(NamedTuple):
    """R worlds, each between two of its steps."""

    state: State
    step: Tensor  # (R,) int64, completed steps
    spent: Tensor  # (R,) float64, cost so far
    epoch: Epoch | None  # where each world stands in its data

    @staticmethod
    def at(moment: Moment) -> Frozen:
        """What the next step needs of a moment."""
        return Frozen(moment.state, moment.steps, moment.cost, moment.epoch)


class Freezer(Watcher):
    """Keeps the states of R worlds at the moments of a cell.

    Args:
        oracle: the one that the search asks.
        times: (K,) of the moments, on the clock of the budget, increasing.
        streams: of the worlds.
    """

    part = "ledger"

    def __init__(self, oracle: Oracle, times: Sequence[float], streams: Streams) -> None:
        super().__init__(oracle.bill, times)
        if oracle.noise.sampling == "epoch":
            oracle.epoch = first_epoch(streams, oracle.landscape.terms)
        self.kept: list[Frozen | None] = [None] * len(times)

    def keep(self, moment: Moment, worlds: np.ndarray, places: np.ndarray) -> None:
        """Keep a moment as these of K, of these worlds; others keep what they have there."""
        new = Frozen.at(moment)
        for place in np.unique(places):
            old = self.kept[place]
            rows = torch.zeros(len(moment.steps), dtype=torch.bool)
            rows[torch.from_numpy(worlds[places == place])] = True
            self.kept[place] = (
                new if old is None else mapped(functools.partial(_chosen, rows), new, old)
            )

    def moments(self) -> list[Frozen]:
        """The K moments, once every world has ended."""
        return [moment for moment in self.kept if moment is not None]


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
