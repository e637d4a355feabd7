"""What a Dataset shows of the runs of others: the rows where they stand, and their states at checkpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from studies.exchange.records import Run, until
from studies.text.schema import WHOLE, Status


def common_rows(first: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
    """Instances of the rows into which all fit.

    Those of `first`, then as many more of each instance as one of the others has.
    """
    own = first.tolist()
    most: Counter[float] = Counter()
    for part in others:
        most |= Counter(part.tolist())
    more = most - Counter(own)
    return np.array([*own, *sorted(more.elements())])


def places(rows: np.ndarray, instances: Sequence[float] | np.ndarray) -> list[int]:
    """The row of each run: the k-th run of an instance stands in the k-th row of that instance."""
    numbers = np.asarray(instances).tolist()
    free = {number: iter(np.flatnonzero(rows == number).tolist()) for number in set(numbers)}
    return [next(free[number]) for number in numbers]


def cut(run: Run, end: float) -> Run:
    """The run as if it had ended at this cost; one that is not known so early keeps its first record."""
    last = _last(end)
    if run.evaluations[-1] <= last:
        return run
    keep = max(int((run.evaluations <= last).sum()), 1)
    return Run(run.instance, *until(run.evaluations[:keep], run.gap[:keep], last))


def _last(end: float) -> int:
    """The last whole evaluation within a cost, at least 1."""
    return max(int(np.floor(end * (1 + WHOLE))), 1)


class Shown(NamedTuple):
    """What is shown of runs: arrays (..) over all, or the rows of one."""

    best: np.ndarray  # (.., C)
    counts: np.ndarray  # (.., C)
    status: np.ndarray  # (.., C)
    hit: np.ndarray  # (.., T)

    @classmethod
    def empty(cls, cells: tuple[int, ...], checkpoints: int, targets: int) -> Shown:
        """Before any run is shown: missing."""
        shape = (*cells, checkpoints)
        return cls(
            np.full(shape, np.nan),
            np.zeros(shape, np.int64),
            np.full(shape, Status.MISSING, np.int8),
            np.full((*cells, targets), np.nan),
        )

    @classmethod
    def of(
        cls,
        run: Run,
        cost: np.ndarray,
        targets: np.ndarray,
        end: float,
    ) -> Shown:
        """Of one run.

        Args:
            run: cut at the end.
            cost: (C,) of checkpoints, NaN: none.
            targets: (T,) losses, NaN: none.
            end: cost at which runs end.
        """
        reach = cost * (1 + WHOLE)
        place = np.searchsorted(run.evaluations, reach, side="right") - 1
        there = ~np.isnan(cost) & (place >= 0)
        best = np.where(there, run.gap[place], np.nan)
        asked = np.fmin(np.floor(reach), run.evaluations[-1])
        status = _status(best, targets, _over(run, reach, end))
        return cls(
            best,
            np.where(there, asked, 0).astype(np.int64),
            np.where(there, status, Status.MISSING),
            _first_hits(run, targets),
        )


def _over(run: Run, reach: np.ndarray, end: float) -> np.ndarray:
    """Whether a run that goes on to the end is over, at each cost (C,)."""
    last = run.evaluations[-1]
    return (last >= _last(end)) & (reach >= last)


def _status(best: np.ndarray, targets: np.ndarray, over: np.ndarray) -> np.ndarray:
    """Of a run with these best losses (C,): all targets (T,) are hit, or it is over, or it runs: (C,)."""
    all_hit = (best[:, None] <= targets * (1 + WHOLE)).all(1) & (len(targets) > 0)
    return np.where(all_hit, Status.HIT_TARGET, np.where(over, Status.BUDGET_SPENT, Status.RUNNING))


def _first_hits(run: Run, targets: np.ndarray) -> np.ndarray:
    """The cost of the first hit of each target (T,); inf: never, NaN: there is no such target."""
    reached = run.gap[:, None] <= targets * (1 + WHOLE)
    first = run.evaluations[reached.argmax(0)]
    hit = np.where(reached.any(0), first, np.inf)
    return np.where(np.isnan(targets), np.nan, hit)
