"""The table that a finished run prints: its numbers, many arms, and what it says of targets that are no targets."""

import csv
import io

import numpy as np
import pytest
from rich.console import Console

from studies.report.tables import running_time
from studies.results.arms import arms
from studies.run import summary
from studies.run.summary import table
from studies.text.schema import Status
from tests.support.claims import normal, results

TARGETS = [9.0, 5.0, 0.5]


def with_targets(start, targets):
    """Results of two landscapes whose worlds start at these losses (landscape, R)."""
    worlds = start.shape[1]
    dims = ("landscape", "optimizer", "replicate")
    data = results(np.ones((worlds, 4)), landscapes=("bowl", "hill"))
    level = np.broadcast_to(targets, (2, 1, worlds, len(targets)))
    return data.assign(
        start_loss=(dims, start[:, None]),
        target_level=((*dims, "target"), level),
        hit_cost=((*dims, "target"), np.zeros(level.shape)),
    ).assign_coords(target_loss=("target", targets))


def test_targets_above_every_start_are_told_below_the_table():
    """On the hill one world starts above the middle one."""
    start = np.array([[4.0, 5.0, 3.0], [4.0, 6.0, np.nan]])
    caption = str(table(with_targets(start, TARGETS)).caption)
    assert caption.splitlines() == [
        "targets above the start of every world on bowl, hit at 0: 9, 5",
        "targets above the start of every world on hill, hit at 0: 9",
    ]


def test_targets_below_a_known_optimum_are_told():
    """The optimum of the bowl is known, and its loss the gap to it; that of the hill is not."""
    data = with_targets(np.full((2, 3), 10.0), [0.5, -1.0])
    data = data.assign_coords(gap_known=("landscape", [1.0, 0.0]))
    caption = "targets below the optimum of bowl, never hit: -1"
    assert caption in str(table(data).caption).splitlines()
    assert "hill, never" not in str(table(data).caption)
    assert f"T{caption[1:]}." in running_time(data).notes


def test_nothing_is_told_where_there_are_none():
    start = np.full((2, 3), 10.0)
    assert table(with_targets(start, TARGETS)).caption is None
    assert table(results(np.ones((3, 4)))).caption is None


# many arms --------------------------------------------------------------------------------------------------


def many(places, landscapes=("bowl", "hill"), worlds=7):
    """An optimizer at each value of an axis, worse with each; one world at each third value is lost, one diverged."""
    rate = np.arange(places)
    loss = rate[:, None, None] + normal(1, len(landscapes), 1, places, worlds, 4) / 9
    data = results(loss, landscapes=landscapes, axes={"rate": rate / 64})
    status = data["status"].copy()
    status[:, :, ::3, 0] = Status.FAILED
    status[:, :, ::3, 1] = Status.DIVERGED
    cost = np.where(normal(2, *data["loss"].shape[:-1], 1) > 0, 3.0, np.inf)
    return data.assign(
        status=status,
        loss=data["loss"].where(status < Status.DIVERGED, np.inf),
        steps=data["steps"] + data["replicate"] * (data["checkpoint"] == 1),
        hit_cost=(("landscape", "optimizer", "rate", "replicate", "target"), cost),
    ).assign_coords(target_loss=("target", [1.0]))


def printed(data, *more):
    """The lines of the table."""
    console = Console(file=io.StringIO(), width=180)
    console.print(table(data, *more))
    return console.file.getvalue().splitlines()


def test_its_numbers_are_those_of_each_arm_alone():
    """Here from the arms one by one, whose worlds are looked at one by one."""
    data = many(8)
    naive = []
    for name in ("bowl", "hill"):
        for label, arm in arms(data.sel(landscape=name)):
            end = [arm.isel(checkpoint=-1, replicate=i) for i in range(7)]
            end = [world for world in end if world["status"] != Status.FAILED]
            loss = sorted(float(world["loss"]) for world in end)
            quartiles = [loss[int(np.ceil(len(loss) * level)) - 1] for level in (0.25, 0.5, 0.75)]
            spent = [
                np.median([int(world[name]) for world in end]) for name in ("steps", "value_terms")
            ]
            reached = sum(float(world["hit_cost"][0]) < np.inf for world in end)
            diverged = sum(int(world["status"]) == Status.DIVERGED for world in end)
            counts = (len(end), diverged, reached, True)
            naive.append((name, label, "gap", *quartiles, spent[0], spent[1] / 4, 0.0, *counts))
    assert [tuple(row) for row in summary.rows(data)] == naive


def test_fifty_arms_are_all_shown():
    lines = printed(many(25))
    assert sum("rate = " in line for line in lines) == 50
    assert not any("more" in line for line in lines)


def test_of_more_the_best_and_the_worst_are_shown_and_a_file_has_all(tmp_path):
    data, file = many(100), tmp_path / "arms.csv"
    every = summary.rows(data)
    summary.save(every, file)
    lines = printed(data, every)
    shown = [line.split("rate = ")[1].split()[0] for line in lines if "rate = " in line]
    of_each = [str(k / 64) for k in (*range(12), *range(88, 100))]  # of fifty
    assert shown == of_each * 2
    assert sum(".. 76 more .." in line for line in lines) == 2
    assert "all of them: arms.csv" in " ".join(lines)
    with file.open(newline="") as text:
        stored = [*csv.DictReader(text)]
    assert len(stored) == 200
    for row, line in zip(every, stored, strict=True):
        assert (row.landscape, row.arm, row.median) == (
            line["landscape"], line["arm"], float(line["median"])
        )  # fmt: skip


def test_of_more_landscapes_than_that_some_are_shown():
    lines = printed(many(3, landscapes=[f"bowl {i}" for i in range(40)]))
    assert sum("rate = " in line for line in lines) == 50
    assert "of 15 landscapes more none" in " ".join(" ".join(lines).split())


@pytest.mark.parametrize("share", [4, 40])
def test_arms_without_numbers_or_without_a_step_are_neither(share):
    """They are among those that are not shown."""
    data = many(100, landscapes=("bowl",))
    data["status"][0, 0, :share] = Status.FAILED
    for name in ("steps", "value_terms"):
        data[name][0, 0, 50] = 0
    lines = printed(data)
    assert not any(summary.NO_STEP in line for line in lines)
    shown = [float(line.split("rate = ")[1].split()[0]) * 64 for line in lines if "rate = " in line]
    best = [k for k in range(share, 100) if k != 50]
    assert shown == [*best[:25], *best[-25:]]


def test_arms_of_few_steps_are_told():
    """Fewer than twenty, at the budget; an arm without a step has its own words."""
    data = results(np.ones((3, 4)), landscapes=("bowl", "hill"))
    assert "fewer than" not in str(table(data).caption)
    steps = {"bowl": 19.0, "hill": 20.0}
    counted = data["steps"] * 0 + [[[[steps[str(name)]]]] for name in data["landscape"].values]
    caption = str(table(data.assign(steps=counted)).caption)
    name = str(data["optimizer"].values[0])
    told = f"fewer than 20 steps: {name} on bowl (19); a larger budget shows how they search"
    assert told in caption.splitlines()


def test_of_many_arms_of_few_steps_some_are_told():
    every = [
        summary.Row("bowl", f"SGD {k}", "loss", 1, 1, 1, 5, 1, 1, 3, 0, None, True) for k in range(6)
    ]
    (told,) = summary._hurried(every)
    assert told.startswith("fewer than 20 steps: SGD 0 on bowl (5); SGD 1 on bowl (5)")
    assert "SGD 3 on bowl (5); 2 more; a larger" in told
