"""What arms of a study share is read once, and its tasks hold the same objects."""

import dataclasses
import json

import pytest

from studies.cells.task import Cell, Task, blocks
from studies.study_file.draft import Draft
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan

STUDY = {
    "name": "wide",
    "budget": 30,
    "replicates": 4,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 3}},
    "optimizers": {"SGD": {"kind": "sgd"}},
}
CONDITION, RATE = "landscapes.bowl.condition", "optimizers.SGD.learning_rate"


def swept(**axes):
    return STUDY | {
        "sweep": {name: {"values": [*values], "sets": path} for name, (path, values) in axes.items()}
    }


def grid(n, m):
    conditions, rates = ([1.0 + i for i in range(n)], [0.1 / (1 + i) for i in range(m)])
    return swept(condition=(CONDITION, conditions), eta=(RATE, rates))


def test_two_axes_take_as_many_readings_as_they_have_values_together(monkeypatch):
    read, readings = Draft.read, []
    monkeypatch.setattr(Draft, "read", lambda self, data: readings.append(1) or read(self, data))
    few = len(load_study(grid(2, 3)).arms), len(readings)
    readings.clear()
    many = len(load_study(grid(12, 13)).arms), len(readings)
    assert (few[0], many[0]) == (6, 156)
    assert many[1] - few[1] == 2 * 10  # one more for each value


def test_arms_share_what_is_equal():
    arms = load_study(grid(3, 4)).arms
    for name, different in (
        ("landscape", 3),
        ("optimizer", 4),
        ("scalars", 1),
        ("noise", 1),
        ("oracle", 1),
    ):
        assert len({id(getattr(arm, name)) for arm in arms}) == different
    tasks = make_plan(load_study(grid(3, 4))).tasks
    assert len(tasks) == 12
    assert len({id(task.checkpoints) for task in tasks}) <= 3  # one for each landscape


@pytest.mark.parametrize(
    "changes",
    [
        {"noise": {"evaluation": {"value": "eta / 10"}}},
        {"optimizers": {"SGD": {"kind": "sgd", "momentum": "1 / (1 + condition)"}}},
        {"landscapes": {"bowl": {"kind": "quadratic", "dim": 3, "noise_scale": "1 + eta"}}},
    ],
)
def test_a_formula_of_an_axis_is_another_number_at_each_of_its_values(changes):
    together = make_plan(load_study(grid(2, 3) | changes)).arms
    for arm in together:
        values = (("condition", CONDITION), ("eta", RATE))
        alone = swept(**{name: (path, [arm.coords[name]]) for name, path in values}) | changes
        (same,) = make_plan(load_study(alone)).arms
        assert same.task == arm.task


def test_the_text_of_a_task_is_its_fields_sorted():
    (task, *_) = make_plan(load_study(grid(2, 2))).tasks
    fields = dataclasses.asdict(task)
    del fields["block"]
    assert task.canonical == json.dumps(fields, sort_keys=True, separators=(",", ":"))
    assert Task(**json.loads(task.canonical)).key == task.key


def test_cells_that_exist_go_before_new_ones():
    (task, *_) = make_plan(load_study(grid(2, 2))).tasks
    here = {Cell(task, 0, 3).address, Cell(task, 3, 5).address}
    assert [(cell.first, cell.last) for cell in blocks(task, 4, here)] == [(0, 3), (3, 5)]
    assert [(cell.first, cell.last) for cell in blocks(task, 4, ())] == [(0, 4)]
