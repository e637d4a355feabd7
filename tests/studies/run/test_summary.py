"""The table that a finished run prints: what it says of targets that are no targets."""

import numpy as np

from studies.report.tables import running_time
from studies.run.summary import table
from tests.support.claims import results

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
