"""The pilots of `match:`: short cells in which the noise of an arm is measured at one value of a parameter.

A pilot's budget ends at the moment at which the noise is measured. Its worlds are as many as the study's,
but in a range of their own (`landscapes.addresses`), each with an instance of its own, so that nothing is
chosen by looking at the worlds or instances of the comparison. All arms see the same worlds. Searches are
replayed from the pilots that are there until one that is missing is asked for; so all arms' next pilots are
computed together, and a run that was stopped goes on.

With `factors:` an arm is matched where nothing is switched off, and keeps that value where something is: a
factor changes one source, and with it no batch or population. (Without the noise of the reference there
would be nothing to match.) A parameter that the factor itself switches off stays off.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from landscapes import addresses
from studies.cells.task import INSTRUMENTS, Cell, Task, blocks
from studies.results import cell_files, store
from studies.run.calibration import matched, measured, search
from studies.run.calibration.measured import Measured
from studies.run.calibration.stage import Stage
from studies.study_file import factors, sections, spending
from studies.study_file.arm import Arm
from studies.study_file.checkpoints import budget_until
from studies.study_file.plan import make_plan
from studies.study_file.study import Study, StudyError
from studies.study_file.template import arm_with
from studies.study_file.values import CHECKPOINTS
from studies.text.shapes import Tree

if TYPE_CHECKING:
    from rich.table import Table

AWAY = addresses.first("worlds", "pilots")
INSTANT = 1e-9  # of the budget: one step


class _Missing(Exception):
    """A pilot is asked for whose cells are not there yet."""


class Pilots(Stage):
    """The searches of a study with a `match`."""

    name = "pilots"

    def __init__(self, study: Study, out: Path) -> None:
        super().__init__(study, out)
        assert study.match is not None  # noqa: S101 - for the type checker
        self.match = study.match
        self.on = factors.as_it_is(
            study.resolved.get("factors"), study.axes
        )  # dim -> value at which arms are matched
        self.missing: dict[str, Cell] = {}
        self.measured: dict[tuple[str, ...], Measured] = {}  # by the addresses of a pilot's cells

    def there(self) -> int:
        """Unknown before the searches are replayed."""
        return 0

    def rounds(self) -> Iterator[list[Cell]]:
        """Cells to compute, one list after another, each once those before are there; none when all is known.

        Raises:
            StudyError: the reference, or a value in the range, has no such quantity.
        """
        while True:
            self.missing = {}
            results = [result for arm in self.varied() if (result := self._search(arm))]
            if not self.missing:
                self.results = results
                return
            yield list(self.missing.values())

    def study(self) -> Study:
        """The study with the values that were found, once the rounds have ended."""
        assert self.results is not None  # noqa: S101 - for the type checker
        places = {tuple(result["coords"].items()): result for result in self.results}
        arms = [self._set(arm, places.get(tuple(self._coords(arm).items()))) for arm in self.given.arms]
        return replace(self.given, arms=arms, matched=self.results)

    def lines(self) -> list[str]:
        """Arms whose range does not reach the reference; or what would be run."""
        return self._plan() if self.results is None else matched.notes(self.results)

    def table(self) -> Table | None:
        """One row for each arm, see `studies.run.calibration.matched`."""
        return matched.table(self.results) if self.results else None

    def ahead(self) -> list[Cell]:
        """As many pilots as may be needed; none once the values are known."""
        tasks = (
            [_task(self.given, self._pilot(arm)) for arm in self.varied()]
            if self.results is None
            else []
        )
        pilots = (blocks(task, self.given.replicates, (), AWAY) for task in tasks)
        return [cell for cells in pilots for cell in cells * search.MOST]

    def varied(self) -> list[Arm]:
        """The arms in which a value is sought."""
        on = self.on.items()
        return [
            arm
            for arm in self.given.arms
            if arm.coords["optimizer"] in self.match.vary and on <= arm.coords.items()
        ]

    def _coords(self, arm: Arm) -> dict[str, Any]:
        """The coordinates of an arm, but for the factors."""
        return {name: value for name, value in arm.coords.items() if name not in self.on}

    def _plan(self) -> list[str]:
        """What pilots would be run, a line for each optimizer that varies."""
        lines, reference = [], self.match.reference
        for label, ranges in self.match.vary.items():
            ((name, (low, high)),) = ranges.items()
            arms = [arm for arm in self.varied() if arm.coords["optimizer"] == label]
            worlds = self.given.replicates * search.MOST
            each = (worlds * spending.evaluations(self._pilot(arm)) for arm in arms)
            spent = spending.total(each, "evaluations")
            most = f"at most {search.MOST} pilots for each of {len(arms)} arms, {spent}"
            lines.append(
                f"match: {name} of {label} from {low:g} to {high:g}, for the {self.match.quantity} of"
                f" {reference}: {most}"
            )
        return [
            *lines,
            "match: the pilots are not there yet, so the values planned above are those that the study gives",
        ]

    def _set(self, arm: Arm, result: dict[str, Any] | None) -> Arm:
        """An arm with what was found for it, unless a factor switches that off."""
        if result is None:
            return arm
        name, coords = result["parameter"], arm.coords | self.on
        on = next(other for other in self.given.arms if other.coords == coords)
        if arm.optimizer.get(name) != on.optimizer.get(name):
            return arm
        return arm_with(arm, {name: result["value"]})

    def _search(self, arm: Arm) -> dict[str, Any] | None:
        """What is found for one arm; None where a pilot is missing."""
        ((name, span),) = self.match.vary[arm.coords["optimizer"]].items()
        settle = search.settled(arm.template, name)
        low, high = (settle(end) for end in span)
        reference = self._reference(arm)

        def at(value: float) -> Measured:
            where = f" at {name} = {value:g}"
            return self._quantity(self._varied(arm, {name: value}, where), where)

        for ask in (lambda: self._quantity(reference), lambda: at(low), lambda: at(high)):
            with contextlib.suppress(_Missing):  # all three can be computed at once
                ask()
        try:
            target = self._quantity(reference)
            self._check_target(reference, target[0])
            end = search.search(lambda value: at(value)[0], target[0], low, high, settle)
            reached = at(end.value)
        except _Missing:
            return None
        return {
            "coords": self._coords(arm),
            **self.match.model_dump(exclude={"vary"}),
            "parameter": name,
            "low": low,
            "high": high,
            **_as_json("reached", reached),
            **_as_json("target", target),
            **end._asdict(),
        }

    def _varied(self, arm: Arm, values: Tree, where: str) -> Arm:
        """The arm with a value that is tried."""
        try:
            return arm_with(arm, values)
        except ValueError as error:
            raise StudyError([f"match: {self._place(arm)}{where}: {error}"]) from error

    def _check_target(self, reference: Arm, target: float) -> None:
        if not 0 < target < math.inf:
            text = f"expected a {self.match.quantity} > 0 to match, got {target:.3g}"
            raise StudyError([f"match: {self._place(reference)}: {text}"])

    def _reference(self, arm: Arm) -> Arm:
        """The reference at the same place."""
        coords = arm.coords | {"optimizer": self.match.reference}
        return next(other for other in self.given.arms if other.coords == coords)

    def _quantity(self, arm: Arm, where: str = "") -> Measured:
        """The quantity of an arm, from its pilot."""
        task = _task(self.given, self._pilot(arm))
        there = store.finished(self.out)
        cells = blocks(task, self.given.replicates, there, AWAY)
        missing = {cell.address: cell for cell in cells if cell.address not in there}
        if missing:
            self.missing |= missing
            raise _Missing
        addresses = tuple(cell.address for cell in cells)
        if addresses not in self.measured:
            self.measured[addresses] = self._measured(arm, cells)
        value, interval = self.measured[addresses]
        if math.isnan(value):
            text = f"the {self.match.quantity} is not known: its worlds diverge, or nothing moves"
            remedy = "; another range may help" if where else ""
            raise StudyError([f"match: {self._place(arm)}{where}: {text}{remedy}"])
        return value, interval

    def _measured(self, arm: Arm, cells: list[Cell]) -> Measured:
        """What the pilot of an arm says: a quantity of a text, or one of `currencies`."""
        if self.match.asked is None:
            return self._currency(cells)
        results = measured.results_of(self.given, self._pilot(arm), cells, self.out)
        return measured.measured(results, self.match.quantity, "match.quantity")

    def _pilot(self, arm: Arm) -> Arm:
        """The arm up to the moment alone; the curvature is not looked at."""
        at, given = self.match.at, arm.scalars["ledger"] or sections.LedgerModel().model_dump()
        budget = budget_until(arm, max(at, INSTANT))
        ledger = given | {"moments": [1.0 if at else 0.0], "modes": 1}
        bare: dict[str, Any] = {"instances": None} | dict.fromkeys(INSTRUMENTS)
        bare["checkpoints"] = [1.0] if self.match.asked is None else CHECKPOINTS
        if measured.needs_ledger(arm.scalars, self.match.asked):
            bare["ledger"] = ledger
        kept = measured.kept(arm.scalars, self.match.asked)
        return replace(arm, scalars=arm.scalars | {"budget": budget} | bare | kept)

    def _currency(self, cells: list[Cell]) -> Measured:
        from studies.analysis.noise.noise import currencies

        parts = [cell_files.read(store.cell_path(self.out, cell.address)) for cell in cells]
        data = xr.concat(
            parts,
            "replicate",
            data_vars="minimal",
            coords="minimal",
            compat="override",
            join="override",
        )
        quantities = currencies(data.isel(replicate=slice(self.given.replicates), moment=0))
        name = self.match.quantity
        return float(quantities[name]), quantities[f"{name}_interval"].values.tolist()

    def _place(self, arm: Arm) -> str:
        return f"{arm.coords['optimizer']} on {arm.coords['landscape']}"


def _as_json(name: str, measured: Measured) -> dict[str, Any]:
    """A quantity and its interval, None in place of what JSON cannot hold."""
    value, *ends = (x if math.isfinite(x) else None for x in (measured[0], *measured[1]))
    return {name: value, f"{name}_interval": ends}


def _task(study: Study, arm: Arm) -> Task:
    """The task of a pilot: what else the study holds does not change it."""
    return make_plan(replace(study, arms=[arm])).tasks[0]
