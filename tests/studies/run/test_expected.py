"""What a dry run says of time: the arithmetic by hand, with paces that are given.

And that a pace is measured at all.
"""

import dataclasses
import itertools
import math

from studies.cells.task import Cell
from studies.run import expected
from studies.run.__main__ import main
from studies.run.calibration.pilots import Pilots
from studies.run.calibration.trials import Trials
from studies.run.expected import Expected, Pace, lines
from studies.study_file.cluster import Cluster
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from studies.text.durations import duration
from tests.support.each import each
from tests.support.runs import write

STUDY = {
    "name": "timed",
    "replicates": 40,  # blocks of 32 and 8 worlds
    "budget": 100,
    "checkpoints": [0.5, 1.0],
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 2}, "bits": {"kind": "onemax", "n": 8}},
    "optimizers": {"A": {"kind": "random_search"}, "B": {"kind": "ga", "population": 4}},
}


def cells(**changes):
    """All cells of the study with these changes."""
    return make_plan(load_study(STUDY | changes)).cells(())


def test_the_seconds_of_all_cells_add_up():
    found = expected.expected(cells(), lambda task, worlds: Pace(1.0, 0.5))
    assert (found.cells, found.tasks, found.measured, found.failed) == (8, 4, 4, [])
    assert found.seconds == 8 * (1.0 + 0.5 * 100)  # 4 arms of 2 blocks


def test_a_cell_counts_as_often_as_it_is_computed_and_the_ledger_once_in_each():
    cell = cells(ledger={"moments": 2, "redraws": 8})[0]
    assert expected.expected([cell] * 3, lambda task, worlds: Pace(1.0, 0.0, 7.0)).seconds == 3 * 8.0


def test_worlds_that_are_timed_take_longer_and_no_worker_shares_that():
    """Of 40 worlds in blocks of 32 and 8 the first 35 are timed, of 4 arms."""
    timing = {"timing": {"worlds": 35, "warm_up": 1, "repeats": 2}}
    found = expected.expected(cells(**timing), lambda task, worlds: Pace(1.0, 0.0, timing=0.5))
    assert found.seconds == 4 * (2 * 1.0 + 35 * 0.5)
    assert found.alone == 4 * 35 * 0.5
    assert expected.lines(found, workers=2)[0].startswith("expected: about 74 s on 2 workers, 78 s")
    assert expected.workers(load_study(STUDY | timing | {"cluster": {"workers": 3}}).cluster) == 3


@each(
    ("said", "count"),
    [
        ({"kind": "slurm", "jobs": 20}, 20),
        ({"kind": "slurm", "cores": 4, "adapt": [0, 5]}, 20),
        ({"kind": "ssh", "hosts": ["a", "b"], "workers": 8}, 16),
        ({"gpus": 2}, 2),
    ],
)
def test_a_dry_run_shares_the_time_among_those_that_come(said, count):
    assert expected.workers(Cluster(**said)) == count


def test_a_pace_is_measured_with_the_times_of_one_world():
    task = cells(timing={"worlds": 2, "warm_up": 1, "repeats": 2})[0].task
    assert expected.measured(task, 4).timing > 0
    assert expected.measured(dataclasses.replace(task, timing=None), 4).timing == 0


def test_what_the_first_timing_loads_is_no_part_of_a_world(monkeypatch):
    """It took 1.5 s of CPU, which 160 visits of each of 18 arms made an hour."""
    task, seconds = cells(timing={"worlds": 2, "rounds": 3})[0].task, iter([1.5, 0.03])
    monkeypatch.setattr(expected, "_timed_once", lambda task, asked: next(seconds))
    assert expected._timing(task) == 3 * 0.03


def test_a_task_that_was_not_measured_goes_at_the_pace_of_one_alike():
    """Two budgets of the same arms.

    Patience ends at once, so one of each kind is measured, and the pace is per evaluation.
    """
    found = expected.expected(
        cells(sweep={"budget": [100, 300]}), lambda task, worlds: Pace(0.0, 1.0), patience=0.0
    )
    assert (found.measured, found.tasks) == (4, 8)
    assert found.seconds == 4 * 2 * (100 + 300)


def test_a_worker_needs_its_process_and_what_worlds_hold_that_are_computed_together(monkeypatch):
    """40 worlds of an arm; of two rates, 80 may be together.

    On a landscape four times as large, terms times coordinates, each world holds four times as much.
    """
    monkeypatch.setattr(expected.memory, "process", lambda: 1000.0)
    pace = lambda task, worlds: Pace(1.0, 0.0, memory=3.0 * worlds)  # noqa: E731
    only = {"optimizers": {"B": {"kind": "ga", "population": 4}}}
    one, two = {"a": {"kind": "onemax", "n": 8}}, {"b": {"kind": "onemax", "n": 16}}
    needed = expected.expected(cells(**only, landscapes=one), pace).memory
    assert [*needed.values()] == [1000.0 + 3 * 40]
    rates = {"sweep": {"optimizers.B.mutation_rate": [0.1, 0.2]}}
    needed = expected.expected(cells(**only, **rates, landscapes=one), pace).memory
    assert [*needed.values()] == [1000.0 + 3 * 80] * 2
    needed = expected.expected(cells(**only, landscapes=one | two), pace, patience=0.0).memory
    assert [*needed.values()] == [1000.0 + 3 * 80, 1000.0 + 4 * 3 * 80]


def test_a_larger_landscape_takes_as_much_longer_as_it_has_terms_times_coordinates(monkeypatch):
    """Onemax of 8 loci has 8 terms, of 16 loci 16: four times the work."""
    bits = {"a": {"kind": "onemax", "n": 8}, "b": {"kind": "onemax", "n": 16}}
    found = expected.expected(
        cells(landscapes=bits, optimizers={"B": {"kind": "ga"}}),
        lambda task, worlds: Pace(0.0, 1.0, 0.0),
        patience=0.0,
    )
    assert (found.measured, found.tasks) == (1, 2)
    assert found.seconds == 2 * 100 * (1 + 4)


def test_what_fails_is_told_and_takes_nothing_else_with_it():
    def pace(task, worlds):
        if task.optimizer["kind"] == "ga":
            raise ValueError("of the\nuser's")
        return Pace(1.0, 0.0)

    found = expected.expected(cells(), pace)
    assert found.failed == [
        "ga on quadratic: ValueError: of the user's",
        "ga on onemax: ValueError: of the user's",
    ]
    assert found.seconds == 8.0


@each(
    ("seconds", "text"),
    [
        (0.1234, "0.12 s"),
        (8.14, "8.1 s"),
        (95, "95 s"),
        (720, "12 min"),
        (12240, "3.4 h"),
        (4 * 86400, "4 days"),
        (0, "0 s"),
    ],
)
def test_durations_have_two_digits(seconds, text):
    assert duration(seconds) == text


def test_the_line_divides_by_the_workers_and_by_no_more_than_there_are_cells():
    assert lines(Expected(100.0, 10, 2, 4, []), workers=4)[0].startswith(
        "expected: about 25 s on 4 workers, 100 s of one core, figures"
    )
    assert lines(Expected(100.0, 2, 2, 2, []), workers=4)[0].startswith(
        "expected: about 50 s on 2 workers"
    )
    assert (
        "measured by a few steps of 2 of 4 tasks" in lines(Expected(100.0, 10, 2, 4, []), workers=4)[0]
    )
    assert lines(Expected(0.0, 0, 0, 0, []), workers=4) == ["expected: nothing is left to compute"]


def test_noise_of_what_comes_before_a_step_is_no_pace():
    """One step of 0.4 s behind a second in which worlds are made, which is a fifth longer or shorter by chance.

    Every fifth time it is twice as long.
    """
    turns = itertools.cycle([1.0, 1.2, 0.8, 1.1, 2.0])
    pace = expected._pace(lambda budget: next(turns) + 0.4 * (budget >= 1), 1.0)
    assert 1.4 / 2 < pace.seconds(1.0) < 1.4 * 2


def test_a_pace_is_measured_with_the_ledger():
    task = cells(ledger={"moments": 2, "redraws": 8}, budget=5000)[0].task
    pace = expected.measured(task, 4)
    assert all(math.isfinite(value) and value >= 0 for value in pace)
    assert pace.seconds(task.budget) > 0
    assert pace.ledger > 0
    assert expected.measured(dataclasses.replace(task, ledger=None), 4).ledger == 0


def test_trials_and_pilots_are_among_what_is_to_come(tmp_path):
    ranges = {"trials": 3, "worlds": 2, "ranges": {"A": {"box": [0.5, 2.0]}}}
    tuned = load_study(
        STUDY
        | {
            "optimizers": {"A": {"kind": "ga"}},
            "tuning": ranges | {"ranges": {"A": {"mutation_rate": [0.1, 0.2]}}},
        }
    )
    assert len(Trials(tuned, tmp_path).ahead()) == 2 * 3  # landscapes by trials
    match = {"reference": "R", "vary": {"E": {"population": [4, 40]}}}
    optimizers = {"R": {"kind": "sgd"}, "E": {"kind": "openai_es"}}
    matched = load_study(
        STUDY
        | {
            "landscapes": {"bowl": {"kind": "quadratic", "dim": 2}},
            "optimizers": optimizers,
            "match": match,
        }
    )
    pilots = Pilots(matched, tmp_path).ahead()
    assert len(pilots) == 8 * 2  # pilots at most, of two blocks
    assert {cell.task.optimizer["kind"] for cell in pilots} == {"openai_es"}
    assert all(isinstance(cell, Cell) and cell.task.ledger for cell in pilots)


def test_a_dry_run_says_the_seconds(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(expected, "measured", lambda task, worlds: Pace(1.0, 0.0))
    monkeypatch.chdir(tmp_path)
    study = STUDY | {
        "tuning": {"trials": 3, "worlds": 2, "ranges": {"B": {"mutation_rate": [0.1, 0.2]}}},
        "cluster": {"workers": 2},
    }
    write(tmp_path, study)
    assert main(["study.yaml", "--dry-run"]) == 0
    # 8 cells of the study, 2 landscapes by 3 trials
    assert "expected: about 7 s on 2 workers, 14 s of one core" in capsys.readouterr().out


def test_a_pace_is_counted_in_time_of_the_processor(monkeypatch):
    """Not of the clock: a machine that is busy with something else does not make a study longer."""
    from types import SimpleNamespace

    from studies.cells import loop
    from studies.run import expected as module

    clock = iter([1.0, 3.5])
    monkeypatch.setattr(
        module, "time", SimpleNamespace(process_time=lambda: next(clock), perf_counter=lambda: 0.0)
    )
    monkeypatch.setattr(loop, "run_worlds", lambda task, worlds: None)
    monkeypatch.setattr(module, "replace", lambda task, **changes: task)
    task = SimpleNamespace(clock="cost", gradient_cost={"value": 3.0, "low": 3.0})
    assert module._runner(task, 2)(10.0) == 2.5
