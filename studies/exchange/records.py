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
import xarray as xr

from studies.exchange.specs import Spec, variants
from studies.results.arms import arms
from studies.results.hits import spent, state_costs
from studies.schema import WHOLE

LEVEL = "target_level"
POINTS = {"recommended": ("loss", "hit_cost"), "best": ("best_loss", "best_hit_cost")}
COST, SPENT = "cost of the state", "cost of the run"  # variables added on the way
ABOVE = 1 + 1e-6  # times a target: a loss that has not reached it
UNKNOWN = 1e99  # the loss at evaluation 1 of a run of which no number is known
BBOB = ("bbob", "bbob_noisy")


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


def experiments(dataset: xr.Dataset, point: str = "recommended") -> Iterator[Experiment]:
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


def _needed(dataset: xr.Dataset, point: str) -> list[str]:
    """The variables that records are made of; raises ValueError where one is not there."""
    if point not in POINTS:
        raise ValueError(f"point: expected one of {', '.join(POINTS)}, got {point!r}")
    needed = {"loss", *POINTS[point], "status", "value_terms", "gradient_terms"}
    there = {*map(str, dataset.variables)}
    if needed - there or "landscape" not in dataset.dims:
        lacking = ", ".join(sorted(needed - there)) or "dim landscape"
        raise ValueError(f"expected a study's results (see studies.open_study), found no {lacking}")
    return sorted(needed | ({LEVEL} & there))


class _World(NamedTuple):
    """What a study knows of a run."""

    cost: np.ndarray  # (C,) of the states shown at checkpoints
    loss: np.ndarray  # (C,) there
    hit: np.ndarray  # (T,) costs of hits, inf: never
    targets: np.ndarray  # (T,)
    bill: float  # what it spent, NaN where there are no numbers


def _runs(arm: xr.Dataset, spec: Spec, point: str) -> list[Run]:
    """The runs of an arm, world by world; those without numbers are left out."""
    names = (COST, *POINTS[point])
    cost, loss, hit = (arm[name].transpose("replicate", ...).values for name in names)
    levels = arm.get(
        LEVEL, arm["target_loss"]
    )  # of each world, where targets are relative to its start
    targets = np.broadcast_to(levels.values.astype(float), hit.shape)
    numbers = arm.coords["instance"].values if "instance" in arm.coords else np.arange(len(loss))
    fixed = spec.get("instance")
    worlds = map(_World, cost, loss, hit, targets, arm[SPENT].values)
    return [
        Run(int(number) + 1 if fixed is None else int(fixed), *_records(world))
        for number, world in zip(numbers, worlds, strict=True)
        if not np.isnan(world.bill)
    ]


def _records(world: _World) -> tuple[np.ndarray, np.ndarray]:
    """Evaluations and best loss so far of one world."""
    evaluations, gap = _in_order(*_points(world))
    if not len(evaluations) or evaluations[0] > 1:
        evaluations, gap = np.append(1, evaluations), np.append(_opening(world, gap), gap)
    return until(evaluations, gap, int(_whole(np.array(world.bill))))


def _points(world: _World) -> tuple[np.ndarray, np.ndarray]:
    """Evaluations and losses of the states shown, then of the hits."""
    reached = np.isfinite(world.hit)
    finite = np.isfinite(world.loss) & np.isfinite(world.cost)
    cost = np.concatenate([world.cost[finite], world.hit[reached]])
    return _whole(cost), np.concatenate([world.loss[finite], world.targets[reached]])


def _in_order(evaluations: np.ndarray, loss: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Different evaluations, rising, and the best loss so far at each."""
    order = np.argsort(evaluations, kind="stable")
    evaluations, gap = evaluations[order], np.minimum.accumulate(loss[order])
    last = np.diff(evaluations, append=-1) != 0  # of those at the same evaluation
    return evaluations[last], gap[last]


def _opening(world: _World, gap: np.ndarray) -> float:
    """The loss that is shown at evaluation 1 where none is known there: see the module's text."""
    later = world.targets[(world.hit > 1) & ~np.isnan(world.targets)]
    opening = max([*gap[:1], ABOVE * later.max(initial=-np.inf)])
    return opening if np.isfinite(opening) else UNKNOWN


def until(evaluations: np.ndarray, gap: np.ndarray, spent: int) -> tuple[np.ndarray, np.ndarray]:
    """The records, with one at what was spent as the last."""
    if spent <= evaluations[-1]:
        return evaluations, gap
    return np.append(evaluations, spent), np.append(gap, gap[-1])


def _whole(cost: np.ndarray) -> np.ndarray:
    """Costs as whole evaluations, rounded up, at least 1."""
    return np.maximum(np.ceil(cost * (1 - WHOLE)), 1).astype(np.int64)
