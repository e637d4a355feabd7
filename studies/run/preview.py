"""What a dry run prints: the table of cells, the cost, the notes; nothing is computed and nothing written."""

from __future__ import annotations

from pathlib import Path

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


def _table(plan: Plan, here: set[str]) -> Table:
    """One row for each landscape and optimizer, all values of the axes together."""
    cells: dict[str, list[Cell]] = {}
    for cell in plan.cells(here.__contains__):
        cells.setdefault(cell.task.canonical, []).append(cell)
    arms: dict[tuple[str, str], list[str]] = {}
    steps = spending.steps(plan.study.arms)
    for arm in plan.arms:
        arms.setdefault((str(arm.coords["landscape"]), str(arm.coords["optimizer"])), []).append(
            arm.task.canonical
        )
    title = f"{plan.study.name}: {plan.study.replicates} worlds"
    grid = Table(
        "landscape",
        "optimizer",
        "arms",
        "cells",
        "to compute",
        "evaluations to compute",
        "steps",
        title=title,
    )
    total = [0, 0, 0.0]
    for names, tasks in arms.items():
        planned = [cell for task in dict.fromkeys(tasks) for cell in cells[task]]
        missing = [cell for cell in planned if cell.address not in here]
        cost = sum(cell.task.budget * (cell.last - cell.first) for cell in missing)
        total = [a + b for a, b in zip(total, (len(planned), len(missing), cost), strict=True)]
        grid.add_row(
            *names, str(len(tasks)), f"{len(planned):,}", f"{len(missing):,}", f"{cost:,.0f}", steps[names]
        )
    grid.add_section()
    grid.add_row("all", "", f"{len(plan.arms):,}", f"{total[0]:,}", f"{total[1]:,}", f"{total[2]:,.0f}")
    return grid
