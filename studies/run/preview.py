"""What a dry run prints: the table of cells, the cost, the notes; nothing is computed and nothing written."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from studies.calibration.stage import Stage
from studies.calibration.stages import stages_of
from studies.cells.task import Cell
from studies.plan import Plan, make_plan
from studies.results import store
from studies.run import expected, study_folder
from studies.study_file import spending
from studies.study_file.study import Study
from studies.text import terminal

HEADS = ("landscape", "optimizer", "arms", "cells", "to compute", "evaluations to compute", "steps")


def show(study: Study, out: Path) -> None:
    """Print the plan of a study.

    Args:
        study: the study.
        out: its folder; finished cells there are not computed again.

    Raises:
        StudyError: the folder is another study's.
    """  # noqa: DOC502
    study_folder.check(study, out)
    stages: list[Stage] = []
    for make_stage in stages_of(study):
        stage = make_stage(study, out)
        study = stage.study() if stage.complete() else study
        stages.append(stage)
    plan, here, console = make_plan(study), store.finished(out), terminal.console()
    missing = [cell for cell in plan.cells(here.__contains__) if cell.address not in here]
    ahead = [cell for stage in stages for cell in stage.ahead()]
    console.print(_table(plan, here))
    for table in filter(None, (stage.table() for stage in stages)):
        console.print(table)
    console.print(
        *expected.told(expected.expected([*ahead, *missing]), expected.workers(study)),
        sep="\n",
        soft_wrap=True,
    )
    lines = [line for stage in stages for line in stage.lines()]
    console.print(
        f"folder: {out}", *plan.notes, *spending.unusual(study.arms), *lines, sep="\n", soft_wrap=True
    )


class Row(NamedTuple):
    """What is planned and missing of some arms; rows can be added."""

    arms: int
    cells: int
    missing: int
    evaluations: float  # that are to be computed

    def texts(self) -> tuple[str, ...]:
        """As the table shows it."""
        return f"{self.arms:,}", f"{self.cells:,}", f"{self.missing:,}", f"{self.evaluations:,.0f}"


def _row(arms: int, cells: list[Cell], here: set[str]) -> Row:
    missing = [cell for cell in cells if cell.address not in here]
    evaluations = sum(cell.task.budget * (cell.last - cell.first) for cell in missing)
    return Row(arms, len(cells), len(missing), evaluations)


def _table(plan: Plan, here: set[str]) -> Table:
    """One row for each landscape and optimizer, all values of the axes together."""
    cells: dict[str, list[Cell]] = {}  # of each task
    for cell in plan.cells(here.__contains__):
        cells.setdefault(cell.task.canonical, []).append(cell)
    tasks: dict[tuple[str, str], list[str]] = {}  # of each landscape and optimizer, one for each arm
    for arm in plan.arms:
        names = (str(arm.coords["landscape"]), str(arm.coords["optimizer"]))
        tasks.setdefault(names, []).append(arm.task.canonical)
    rows = {
        names: _row(len(mine), [cell for task in dict.fromkeys(mine) for cell in cells[task]], here)
        for names, mine in tasks.items()
    }
    steps = spending.steps(plan.study.arms)
    grid = Table(*HEADS, title=f"{plan.study.name}: {plan.study.replicates} worlds")
    for names, row in rows.items():
        grid.add_row(*names, *row.texts(), steps[names])
    grid.add_section()
    grid.add_row("all", "", *Row(*map(sum, zip(*rows.values(), strict=True))).texts())
    return grid
