"""Cells that are timed run alone."""

import dataclasses

from studies.run import sweep
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from tests.studies.cells.test_timing import STUDY


def test_timed_cells_are_computed_one_at_a_time_after_the_others(tmp_path, monkeypatch):
    cells = make_plan(load_study(STUDY)).cells(lambda address: False)
    plain = [
        dataclasses.replace(cell, task=dataclasses.replace(cell.task, timing=None)) for cell in cells
    ]
    drained = []

    def drain(window, queue, *, alone=False):
        drained.append(({cell.address for cell in queue}, alone))
        return []

    monkeypatch.setattr(sweep._Window, "drain", drain)
    sweep.sweep(None, [*cells, *plain], tmp_path, print, lambda: False)
    assert drained == [
        ({cell.address for cell in plain}, False),
        ({cell.address for cell in cells}, True),
    ]
