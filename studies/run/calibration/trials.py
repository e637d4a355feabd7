"""The trials of `tuning:`: cells in which settings of an optimizer are judged.

A trial's budget ends at the moment at which it is judged, at the nominal price of a gradient. Its worlds
are in a range of their own (`landscapes.addresses`), each with an instance of its own, so that no setting
is chosen by looking at the worlds or instances of the comparison, and the winner runs on fresh ones. (A
landscape that is the same in all worlds is the same here too: only its starts and noise are others.) The
best of many medians is lower than its setting deserves; the comparison's numbers are not.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import scipy

from landscapes import addresses
from studies.cells.task import INSTRUMENTS, Cell, Task, blocks
from studies.results import cell_files, store
from studies.run.calibration import measured, trial_points, tuned
from studies.run.calibration.stage import Stage
from studies.study_file import spending
from studies.study_file.arm import Arm
from studies.study_file.checkpoints import budget_until
from studies.study_file.plan import make_plan
from studies.study_file.study import Study
from studies.study_file.template import arm_with
from studies.study_file.values import CHECKPOINTS
from studies.text.schema import Status
from studies.text.words import counted

if TYPE_CHECKING:
    from rich.table import Table

AWAY = addresses.first("worlds", "trials")
LEVEL = 0.95


class Judged(NamedTuple):
    """What came of one trial on one landscape."""

    median: float
    interval: tuple[float, float]
    diverged: int
    cost: float  # evaluations at the nominal price, all worlds together


class Trials(Stage):
    """The trials of a study with a `tuning`."""

    name = "trials"

    def __init__(self, study: Study, out: Path) -> None:
        super().__init__(study, out)
        assert study.tuning is not None  # noqa: S101 - for the type checker
        self.tuning = study.tuning
        self.groups = [group for group in self._groups() if group[0].label in self.tuning.ranges]
        self.settings = [self._settings(group) for group in self.groups]
        self.arms = self._arms()
        self.tasks = self._tasks()
        self.here = store.finished(out)  # addresses
        self.judged = functools.cache(self._judged)
        self.measured = functools.cache(self._measured)

    def there(self) -> int:
        """How many cells are finished."""
        return len(self.cells()) - len(self.ahead())

    def rounds(self) -> Iterator[list[Cell]]:
        """All missing cells at once, if there are any."""
        missing = self.ahead()
        if missing:
            yield missing
        self.results = self._all_results()

    def ahead(self) -> list[Cell]:
        """The cells that are not there yet."""
        self.here = store.finished(self.out)
        return [cell for cell in self.cells() if cell.address not in self.here]

    def cells(self) -> list[Cell]:
        """The different cells of all trials."""
        tasks = {task.key: task for task in self.tasks}
        return [
            cell
            for task in tasks.values()
            for cell in blocks(task, self.tuning.worlds, self.here, AWAY)
        ]

    def study(self) -> Study:
        """The study with the best settings, once the rounds have ended."""
        results = self._all_results() if self.results is None else self.results
        best = {
            json.dumps(result["coords"]): result["settings"][result["winner"]] for result in results
        }
        arms = [arm_with(arm, best.get(json.dumps(arm.coords), {})) for arm in self.given.arms]
        return replace(self.given, arms=arms, tuned=results)

    def lines(self) -> list[str]:
        """Which optimizers have no ranges, and what is odd about the best settings; or what would be run."""
        unranged = tuned.without(self.tuning, self.given.arms)
        if self.results is None:
            return [*self._plan(self.ahead()), *unranged]
        return [*unranged, *tuned.notes(self.results)]

    def table(self) -> Table | None:
        """One row for each arm, see `studies.run.calibration.tuned`."""
        return None if self.results is None else tuned.table(self.results)

    # which are tried ----------------------------------------------------------------------------------------

    def _groups(self) -> list[list[Arm]]:
        """The arms that share a setting."""
        if self.tuning.per == "landscape":
            return [[arm] for arm in self.given.arms]
        groups: dict[str, list[Arm]] = {}
        for arm in self.given.arms:
            groups.setdefault(str(arm.coords["optimizer"]), []).append(arm)
        return list(groups.values())

    def _settings(self, group: Sequence[Arm]) -> list[trial_points.Values]:
        name, landscape = (str(group[0].coords[key]) for key in ("optimizer", "landscape"))
        entries = {json.dumps(arm.optimizer, sort_keys=True): arm.template for arm in group}
        key = (self.given.resolved["seed"], name, landscape if self.tuning.per == "landscape" else None)
        ranges = self.tuning.ranges[group[0].label]
        return trial_points.settings([*entries.values()], ranges, self.tuning.trials, *key)

    def _arms(self) -> list[Arm]:
        """The arms of all trials, in the order of the groups, their arms and the settings."""
        return [
            self._trial(arm_with(arm, values))
            for group, settings in zip(self.groups, self.settings, strict=True)
            for arm in group
            for values in settings
        ]

    def _tasks(self) -> list[Task]:
        """Their tasks."""
        return [arm.task for arm in make_plan(replace(self._tried(), arms=self.arms)).arms]

    def _tried(self) -> Study:
        """The study of trials: its worlds."""
        return replace(self.given, replicates=self.tuning.worlds)

    def _trial(self, arm: Arm) -> Arm:
        """The arm up to the moment alone, at the nominal price; each world has an instance of its own."""
        price = arm.scalars["gradient_cost"]["value"]
        shorter = {
            "budget": budget_until(arm, self.tuning.at),
            "gradient_cost": {"value": price, "low": price, "high": price},
        }
        bare = {
            **dict.fromkeys(INSTRUMENTS),
            "instances": None,
            "checkpoints": [1.0] if self.tuning.objective == "loss" else CHECKPOINTS,
        }
        kept = measured.kept(arm.scalars, self.tuning.asked)
        return replace(arm, scalars=arm.scalars | shorter | bare | kept)

    def _plan(self, missing: Sequence[Cell]) -> list[str]:
        """What would be run, a line for each optimizer that is tuned."""
        missing_tasks = {cell.task.key for cell in missing}
        lines = [
            self._planned(name, trials, missing_tasks) for name, trials in self._by_optimizer().items()
        ]
        given = (
            "the trials are not there yet, so the values planned above are those that the study gives"
        )
        return [*lines, f"tuning: {given}"]

    def _by_optimizer(self) -> dict[str, list[tuple[Arm, Task]]]:
        """All trials of each optimizer."""
        trials: dict[str, list[tuple[Arm, Task]]] = {}
        for arm, task in zip(self.arms, self.tasks, strict=True):
            trials.setdefault(str(arm.coords["optimizer"]), []).append((arm, task))
        return trials

    def _planned(self, name: str, tried: Sequence[tuple[Arm, Task]], missing: set[bytes]) -> str:
        """What would be run for an optimizer, of whose tasks these are missing."""
        trials, worlds = self.tuning.trials, self.tuning.worlds
        spent = {task.key: worlds * spending.evaluations(arm) for arm, task in tried}
        evaluations = spending.total(spent.values(), "evaluations")
        return (
            f"tuning: {name}: {trials} trials for each of {len(tried) // trials} arms on"
            f" {counted(worlds, 'world')} of their own, {evaluations};"
            f" {len(missing & spent.keys()):,} of {len(spent):,} are missing"
        )

    # what came of them --------------------------------------------------------------------------------------

    def _all_results(self) -> list[dict[str, Any]]:
        """What is found for every arm, once all cells are there."""
        self.here = store.finished(self.out)
        results, tasks = [], iter(self.tasks)
        for group, settings in zip(self.groups, self.settings, strict=True):
            of_arms = [list(itertools.islice(tasks, len(settings))) for _ in group]
            results += self._of_group(group, settings, of_arms)
        return results

    def _of_group(
        self, group: Sequence[Arm], settings: list[trial_points.Values], tasks: list[list[Task]]
    ) -> list[dict[str, Any]]:
        """What is found for the arms of a group, which share the setting whose mean rank is lowest.

        Args:
            group: the arms.
            settings: that were tried.
            tasks: of each arm, in the order of the settings.
        """
        scores = [[self._score(task) for task in row] for row in tasks]
        ranks = np.mean(
            [scipy.stats.rankdata([trial.median for trial in row]) for row in scores], axis=0
        )
        winner = int(ranks.argmin())
        return [
            self._of_arm(arm, settings, winner, row, trials)
            for arm, row, trials in zip(group, tasks, scores, strict=True)
        ]

    def _of_arm(
        self,
        arm: Arm,
        settings: list[trial_points.Values],
        winner: int,
        tasks: Sequence[Task],
        trials: Sequence[Judged],
    ) -> dict[str, Any]:
        """What is found for one arm, as JSON holds it.

        Args:
            arm: the arm.
            settings: that were tried.
            winner: number of the best.
            tasks: of each setting; equal settings have one.
            trials: what came of each.
        """
        ranges = self.tuning.ranges[arm.label]
        given = {name: arm.optimizer[name] for name in ranges}
        costs = {task.key: trial.cost for task, trial in zip(tasks, trials, strict=True)}
        return {
            "coords": arm.coords,
            **self.tuning.model_dump(include={"worlds", "at", "objective", "per"}),
            "ranges": ranges,
            "settings": [given | values for values in settings],
            "median": [_finite(trial.median) for trial in trials],
            "interval": [[_finite(end) for end in trial.interval] for trial in trials],
            "diverged": [trial.diverged for trial in trials],
            "winner": winner,
            "different": len(costs),
            "cost": sum(costs.values()),
        }

    def _score(self, task: Task) -> Judged:
        cells = blocks(task, self.tuning.worlds, self.here, AWAY)
        addresses = tuple(cell.address for cell in cells)
        judged = self.judged(addresses, task.gradient_cost["value"])
        if self.tuning.asked is None:
            return judged
        value, (low, high) = self.measured(task.key)
        return judged._replace(median=measured.or_worst(value), interval=(low, high))

    def _measured(self, key: bytes) -> measured.Measured:
        """The objective that is a quantity, of the trial with this task."""
        arm, task = next(
            (arm, task) for arm, task in zip(self.arms, self.tasks, strict=True) if task.key == key
        )
        cells = blocks(task, self.tuning.worlds, self.here, AWAY)
        results = measured.results_of(self._tried(), arm, cells, self.out)
        return measured.measured(results, self.tuning.objective, "tuning.objective")

    def _judged(self, addresses: tuple[str, ...], price: float) -> Judged:
        parts = [_read(store.cell_path(self.out, address), price) for address in addresses]
        loss, status, cost = (
            np.concatenate(arrays)[: self.tuning.worlds] for arrays in zip(*parts, strict=True)
        )
        scores = (loss.mean(1) if self.tuning.objective == "area" else loss[:, -1]) + 0.0
        with np.errstate(invalid="ignore"):
            sure = scipy.stats.quantile_test(scores, q=0.0, p=0.5).confidence_interval(LEVEL)
        median = float(np.median(scores))
        return Judged(
            median,
            (float(sure.low), float(sure.high)),
            int((status == Status.DIVERGED).sum()),
            float(cost.sum()),
        )


def _read(path: Path, price: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True loss (R, C), status (R,) at the end and cost (R,) of a cell.

    The loss is inf where it is no number, or the run diverged or never asked.
    """
    cell, attrs = cell_files.numbers(path)
    loss, status = cell["loss"], cell["status"]
    asked = cell["value_terms"][:, -1] + price * cell["gradient_terms"][:, -1]
    cost = asked / np.asarray(attrs["terms"]).item()
    silent = (cost == 0)[:, None]  # a budget below the first step: it has only its start to show
    return (
        np.where(np.isnan(loss) | (status == Status.DIVERGED) | silent, np.inf, loss),
        status[:, -1],
        cost,
    )


def _finite(value: float) -> float | None:
    """None in place of what JSON cannot hold."""
    return value if math.isfinite(value) else None
