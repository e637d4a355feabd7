"""What a dry run prints: the table of cells, the cost, the notes; nothing is computed and nothing written."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from studies.calibration.matched import table as matched
from studies.calibration.pilots import Pilots
from studies.calibration.trials import Trials
from studies.calibration.tuned import table as tuned
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
    given = study
    study, lines = Trials(study, out).known() if study.tuning else (study, [])
    study, more = Pilots(study, out).known() if study.match else (study, [])
    plan, console = make_plan(study), terminal.console()
    console.print(_table(plan, store.finished(out)))
    if study.tuned:
        console.print(tuned(study.tuned))
    if study.matched:
        console.print(matched(study.matched))
    console.print(
        *expected.told(expected.expected(_missing(given, plan, out)), expected.workers(study)),
        sep="\n",
        soft_wrap=True,
    )
    console.print(
        f"folder: {out}", *plan.notes, *spending.unusual(study.arms), *lines, *more, sep="\n", soft_wrap=True
    )


def _missing(given: Study, plan: Plan, out: Path) -> list[Cell]:
    """What a run would compute: trials and pilots that are not there, as many as may be needed, then the study's own cells."""
    here = store.finished(out)
    trials = Trials(given, out).missing() if given.tuning else []
    pilots = Pilots(given, out).tasks() if given.match and plan.study.matched is None else []
    return [
        *trials,
        *expected.pilots(pilots, given.replicates),
        *(cell for cell in plan.cells(here.__contains__) if cell.address not in here),
    ]


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
