"""What both benchmarking formats hold: for every run, evaluations and the best loss so far.

From a study to such records.

A record says: after so many evaluations the best gap so far is at most this. A study knows more and less than
a logger that sits in every evaluation, so of a world there are

- (hit cost, target) for every target of the study that was reached: exact where the study's hits are exact;
- (cost of the state shown, loss) at every checkpoint: in between, the loss is shown at the next checkpoint,
  that is too late and never too early;
- an opening record at evaluation 1, which both formats need. Where the study knows nothing of it, the loss
  shown is that of the first record, and above every target that was reached later: a target above all of the
  study's own counts as reached at evaluation 1;
- a last record at the cost that was spent as our running times have it (`studies.results.hits`); diverged
  runs end there with the best loss they had. What the step beyond the budget found does not count.

Costs are evaluations at the nominal price of a gradient, rounded up to whole ones and at least 1: the formats
count in whole evaluations, and a point recommended before the first step (cost 0) is shown at evaluation 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from xarray import Dataset

from studies.exchange.specs import Spec, variants
from studies.results.arms import arms
from studies.results.hits import spent, state_costs
from studies.text.schema import WHOLE

LEVEL = "target_level"
POINTS = {"recommended": ("loss", "hit_cost"), "best": ("best_loss", "best_hit_cost")}
COST, SPENT = "cost of the state", "cost of the run"  # variables added on the way
ABOVE = 1 + 1e-6  # times a target: a loss that has not reached it
UNKNOWN = 1e99  # the loss at evaluation 1 of a run of which no number is known
BBOB = ("bbob", "bbob_noisy")


Records = tuple[np.ndarray, np.ndarray]  # evaluations (n,) and the best loss so far (n,)


class Run(NamedTuple):
    """One run."""

    instance: int  # its number in the benchmark, from 1
    evaluations: np.ndarray  # (n,) int64, increasing, the last is what was spent
    gap: np.ndarray  # (n,) the best loss so far, never rising


class Experiment(NamedTuple):
    """All runs of one optimizer on one landscape."""

    optimizer: str
    landscape: Spec  # kind, dim; function of a bbob landscape
    label: str  # of the landscape
    runs: list[Run]
    gap_known: bool = True  # whether the best loss is 0


def experiments(dataset: Dataset, point: str = "recommended") -> Iterator[Experiment]:
    """The records of a study, one landscape and arm after the other.

    Worlds without numbers (failed, missing) are left out.

    Args:
        dataset: a study's results.
        point: whose loss, "recommended" or "best" (the best evaluated point, as the loggers of both
            benchmarks have it).

    Raises:
        ValueError: an unknown `point`, or a Dataset without what is needed.
    """
    names = _needed(dataset, point)
    for label in dataset["landscape"].values.tolist():
        part = dataset.sel(landscape=label)[names]
        part = part.assign({COST: state_costs(part), SPENT: spent(part)})
        for spec, chosen in variants(part, label):
            for optimizer, arm in arms(chosen):
                yield Experiment(optimizer, spec, label, _runs(arm, spec, point))


def _needed(dataset: Dataset, point: str) -> list[str]:
    """The variables that records are made of; raises ValueError where one is not there."""
    if point not in POINTS:
        raise ValueError(f"point: expected one of {', '.join(POINTS)}, got {point!r}")
    needed = {"loss", *POINTS[point], "status", "value_terms", "gradient_terms"}
    there = {*map(str, dataset.variables)}
    _check_there(needed - there, dataset)
    return sorted(needed | ({LEVEL} & there))


def _check_there(lacking: set[str], dataset: Dataset) -> None:
    """Refuse results that lack variables, or have no landscapes."""
    if lacking or "landscape" not in dataset.dims:
        words = ", ".join(sorted(lacking)) or "dim landscape"
        raise ValueError(f"expected a study's results (see studies.open_study), found no {words}")


class _World(NamedTuple):
    """What a study knows of a run."""

    cost: np.ndarray  # (C,) of the states shown at checkpoints
    loss: np.ndarray  # (C,) there
    hit: np.ndarray  # (T,) costs of hits, inf: never
    targets: np.ndarray  # (T,)
    bill: float  # what it spent, NaN where there are no numbers


def _runs(arm: Dataset, spec: Spec, point: str) -> list[Run]:
    """The runs of an arm, world by world; those without numbers are left out."""
    worlds = zip(_instances(arm, spec), _worlds(arm, point), strict=True)
    return [Run(number, *_records(world)) for number, world in worlds if not np.isnan(world.bill)]


def _worlds(arm: Dataset, point: str) -> list[_World]:
    """What a study knows of each run of an arm."""
    names = (COST, *POINTS[point])
    cost, loss, hit = (arm[name].transpose("replicate", ...).values for name in names)
    # of each world, where targets are relative to its start
    levels = arm.get(LEVEL, arm["target_loss"]).values
    targets = np.broadcast_to(levels.astype(float), hit.shape)
    return list(map(_World, cost, loss, hit, targets, arm[SPENT].values))


def _instances(arm: Dataset, spec: Spec) -> list[int]:
    """The number of the instance of each world in a benchmark."""
    fixed, worlds = spec.get("instance"), arm.sizes["replicate"]
    if fixed is not None:
        return [int(fixed)] * worlds
    own = arm.coords["instance"].values if "instance" in arm.coords else np.arange(worlds)
    return [int(number) + 1 for number in own]


def _records(world: _World) -> Records:
    """Evaluations and best loss so far of one world."""
    evaluations, gap = _in_order(*_points(world))
    if not len(evaluations) or evaluations[0] > 1:
        opening = _opening(world, gap)
        evaluations, gap = np.append(1, evaluations), np.append(opening, gap)
    return until(evaluations, gap, int(_whole(np.array(world.bill))))


def _points(world: _World) -> Records:
    """Evaluations and losses of the states shown, then of the hits."""
    reached = np.isfinite(world.hit)
    finite = np.isfinite(world.loss) & np.isfinite(world.cost)
    cost = np.concatenate([world.cost[finite], world.hit[reached]])
    return _whole(cost), np.concatenate([world.loss[finite], world.targets[reached]])


def _in_order(evaluations: np.ndarray, loss: np.ndarray) -> Records:
    """Different evaluations, rising, and the best loss so far at each."""
    order = np.argsort(evaluations, kind="stable")
    rising = evaluations[order]
    gap = np.minimum.accumulate(loss[order])
    last = np.diff(rising, append=-1) != 0  # of those at the same evaluation
    return rising[last], gap[last]


def _opening(world: _World, gap: np.ndarray) -> float:
    """The loss that is shown at evaluation 1 where none is known there: see the module's text."""
    later = (world.hit > 1) & ~np.isnan(world.targets)
    target = world.targets[later].max(initial=-np.inf)
    opening = max([*gap[:1], ABOVE * target])
    return opening if np.isfinite(opening) else UNKNOWN


def until(evaluations: np.ndarray, gap: np.ndarray, spent: int) -> Records:
    """The records, with one at what was spent as the last."""
    if spent <= evaluations[-1]:
        return evaluations, gap
    return np.append(evaluations, spent), np.append(gap, gap[-1])


def improvements(run: Run) -> Run:
    """The first record, those that are better than the one before, and the last."""
    instance, evaluations, gap = run
    shown = np.append(True, gap[1:] < gap[:-1])
    shown[-1] = True
    return Run(instance, evaluations[shown], gap[shown])


def _whole(cost: np.ndarray) -> np.ndarray:
    """Costs as whole evaluations, rounded up, at least 1."""
    return np.maximum(np.ceil(cost * (1 - WHOLE)), 1).astype(np.int64)
