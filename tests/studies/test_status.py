"""python -m studies.status: what is being computed, what failed, what was damaged."""

import json
import os
import platform

import pytest

from studies import status
from studies.results import store
from studies.results.arm_names import UNKNOWN, ArmNames
from studies.run import notes

ADDRESSES = [f"{number:032x}" for number in range(4)]
PLAN = {
    "arms": [
        {"coords": {"landscape": "bowl", "optimizer": "GA", "n": 3}, "task": 0},
        {"coords": {"landscape": "bowl", "optimizer": "GA", "n": 4}, "task": 0},
        {"coords": {"landscape": "bowl", "optimizer": "SGD", "n": 3}, "task": 1},
    ],
    "cells": [{"address": address, "task": number // 2} for number, address in enumerate(ADDRESSES)],
}


@pytest.fixture
def out(tmp_path):
    out = tmp_path / "results" / "mine"
    store.write_text(json.dumps(PLAN), out / "plan.json")
    store.write_text("", store.cell_path(out, ADDRESSES[0]))
    store.write_text(json.dumps({"error": "it broke\nbadly"}), store.error_path(out, ADDRESSES[1]))
    store.write_text("", store.cell_path(out, ADDRESSES[2]).with_suffix(".nc.damaged"))
    return out


def note(out, address, process, host=None, minutes=0.0, *, old=False):
    """A note; an old one is of an earlier release, whose file says when it began."""
    path = out / "crash" / f"{address}.5.txt"
    own = notes.here(0, 32)
    began = own.began - 60 * minutes
    own = own._replace(host=host or own.host, process=process, began=began)
    store.write_text(f"{own.line}\n" if old else own.text, path)
    if old:
        os.utime(path, (began, began))


def test_all_of_it_is_told(out, capsys):
    note(out, ADDRESSES[3], os.getpid(), minutes=12.0)
    note(out, ADDRESSES[2], 2**22 + 1, minutes=1.0)  # a number that no process has
    note(out, "f" * 32, 17, host="elsewhere", minutes=30.0, old=True)
    assert status.main([str(out.parent)]) == 0
    lines = capsys.readouterr().out.splitlines()
    host = platform.node()
    assert lines == [
        f"{out}: 1 of 4 cells finished, 3 running, 1 failed, 1 damaged",
        "  running:",
        f"    {UNKNOWN}: worlds 0 .. 31 on elsewhere, process 17, 30.0 min",
        f"    bowl, SGD, n = 3: worlds 0 .. 31 on {host}, process {os.getpid()}, 12.0 min",
        f"    bowl, SGD, n = 3: worlds 0 .. 31 on {host}, process {2**22 + 1} (which is gone), 1.0 min",
        f"  failed (1; why in full is in {out / 'errors'}; the next run tries them again):",
        "    bowl, GA, n = 3 and 1 more: it broke",
        "  damaged, set aside:",
        f"    {store.cell_path(out, ADDRESSES[2])}.damaged",
    ]


def test_where_there_is_nothing_it_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        status.main([str(tmp_path)])
    assert end.value.code == 2
    assert "expected the folder of a study, or one that holds some" in capsys.readouterr().err


def test_a_study_without_a_plan_has_no_names(tmp_path, capsys):
    store.write_text("", store.cell_path(tmp_path, ADDRESSES[0]))
    assert status.main([str(tmp_path)]) == 0
    assert (
        capsys.readouterr().out
        == f"{tmp_path}: 1 cells finished, no plan yet, 0 running, 0 failed, 0 damaged\n"
    )
    assert ArmNames(tmp_path).of(ADDRESSES[0]) == UNKNOWN
