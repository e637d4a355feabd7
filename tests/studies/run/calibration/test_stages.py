"""What tuning and matching have in common: the same questions before and after their cells are there."""

import pytest

from landscapes import addresses
from studies.cells import fused
from studies.cells.loop import run_cell
from studies.results import store
from studies.run.calibration.pilots import Pilots
from studies.run.calibration.stages import stages_of
from studies.run.calibration.trials import Trials
from studies.study_file.loading import load_study

STUDY = {
    "name": "staged",
    "budget": 30,
    "replicates": 8,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 3}},
    "optimizers": {
        "SGD": {"kind": "sgd", "learning_rate": 0.1},
        "ES": {"kind": "openai_es", "shaping": "raw", "learning_rate": 0.01},
    },
    "noise": {"evaluation": {"value": 0.0, "gradient": 1.0}},
}
TUNING = {"trials": 2, "worlds": 6, "ranges": {"SGD": {"learning_rate": [0.01, 0.2]}}}
MATCH = {"reference": "SGD", "at": 0, "vary": {"ES": {"population": [4, 400]}}}
LEDGER = {"moments": [0.0], "redraws": 8, "points": 1, "modes": 1}


def compute(cells, out):
    for cell in cells:
        store.write_cell(run_cell(cell), store.cell_path(out, cell.address))


@pytest.mark.parametrize(
    ("section", "make", "owner"),
    [
        ({"tuning": TUNING}, Trials, "trials"),
        ({"match": MATCH, "ledger": LEDGER}, Pilots, "pilots"),
    ],
    ids=["tuning", "match"],
)
def test_a_stage_says_what_is_ahead_and_then_what_was_found(tmp_path, section, make, owner):
    study = load_study(STUDY | section)
    assert stages_of(study) == [make]
    stage = make(study, tmp_path)
    assert not stage.complete()
    assert stage.table() is None
    assert any(
        line.startswith(f"{[*section][0]}: the {owner} are not there yet") for line in stage.lines()
    )
    worlds = addresses.ADDRESSES["worlds"][owner]
    ahead = {(cell.first, cell.last) for cell in stage.ahead()}
    assert all(first in worlds and last - 1 in worlds for first, last in ahead)

    computed = []
    for cells in stage.rounds():
        compute(cells, tmp_path)
        computed += cells
    assert {(cell.first, cell.last) for cell in computed} == ahead
    assert stage.complete()

    again = make(study, tmp_path)
    assert again.complete()
    assert again.ahead() == []
    assert again.results == stage.results
    assert again.table().row_count == len(stage.results) == 1
    assert not any("not there yet" in line for line in again.lines())
    settled = again.study()
    assert (settled.tuned if make is Trials else settled.matched) == stage.results
    assert {arm.coords["optimizer"] for arm in settled.arms} == {"SGD", "ES"}


def test_noise_is_matched_at_tuned_settings():
    study = load_study(STUDY | {"tuning": TUNING, "match": MATCH, "ledger": LEDGER})
    assert stages_of(study) == [Trials, Pilots]
    assert stages_of(load_study(STUDY)) == []


LENGTHS = {  # matched by what is recorded
    "optimizers": {"SGD": {"kind": "sgd", "learning_rate": 0.1}, "other": {"kind": "sgd"}},
    "record": {"slope": "norm(gradient)"},
    "match": {
        "reference": "SGD",
        "quantity": "mean(slope)",
        "at": 1,
        "vary": {"other": {"learning_rate": [0.01, 0.2]}},
    },
}


@pytest.mark.parametrize(
    ("section", "make", "sizes"),
    [
        ({"tuning": TUNING | {"trials": 8}}, Trials, [8]),
        (LENGTHS, Pilots, [3]),
        ({"match": MATCH, "ledger": LEDGER}, Pilots, [1, 1, 1]),
    ],
    ids=["tuning", "match", "ledger"],
)
def test_trials_and_pilots_are_computed_together_but_for_those_with_a_ledger(
    tmp_path, section, make, sizes
):
    first = next(make(load_study(STUDY | section), tmp_path).rounds())
    assert [len(group) for group in fused.groups(first, slots=1)] == sizes
