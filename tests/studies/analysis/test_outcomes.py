"""What two arms are judged by: the final loss, then the time to a target, then the area over the curve.

And arms that never asked.
"""

import functools

import numpy as np
import pytest
import xarray as xr

from studies.analysis.comparison.comparison import compare
from studies.analysis.comparison.outcomes import JUDGED
from studies.analysis.comparison.ranks import ranks
from studies.analysis.comparison.winners import winners
from studies.analysis.intervals import bootstrap
from studies.analysis.running_time.profiles import profile
from studies.analysis.running_time.runtime import ecdf, expected_running_time
from studies.analysis.running_time.tables import fixed_budget
from studies.results.arms import asked, never_asked
from tests.support.arms import results

LOSS, TIME, AREA = JUDGED
WORLDS = 16
RNG = np.random.default_rng(11)


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Intervals are looked at elsewhere."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 199)


def raced(loss, hits, *, targets=(1.0, 0.1), middle=None, **options):
    """Arms on one landscape: final losses (arm, world), hits (arm, world, target), losses in the middle of the budget (arm, world)."""
    data = results(
        np.asarray(loss, float)[None], hits=np.asarray(hits, float)[None], gap_known=1.0, **options
    )
    data = data.assign_coords(
        target_loss=("target", list(targets)), checkpoint=[0.5, 1.0], precision=1e-6, terms=1.0
    )
    if middle is not None:
        data["loss"][..., 0] = np.asarray(middle, float)[None]
    cost = np.broadcast_to(data["cost"].values, data["loss"].shape)
    return data.assign(
        value_terms=(data["loss"].dims, cost.copy()),
        gradient_terms=(data["loss"].dims, 0 * cost),
        best_loss=data["loss"],
    )


def only(found):
    return found.isel(landscape=0, pair=0)


def same(a, b):
    """Equal texts, and numbers up to rounding.

    The order of a sum may depend on how many pairs are summed at once.
    """
    compared = (
        np.testing.assert_array_equal
        if a.dtype.kind in "OUSb"
        else functools.partial(np.testing.assert_allclose, rtol=1e-12)
    )
    compared(a, b, err_msg=a.name)


def both(a, b):
    """Hits of two arms at the easier target at 5, at the harder one as given."""
    hard = np.stack([a, b])
    return np.stack([np.full_like(hard, 5.0), hard], -1)


FAST, SLOW = RNG.uniform(10, 20, WORLDS), RNG.uniform(60, 90, WORLDS)
DONE = np.zeros((2, WORLDS))


def test_two_that_reach_the_optimum_are_judged_by_their_time():
    found = only(compare(raced(DONE, both(FAST, SLOW))))
    assert (str(found["verdict"].item()), str(found["judged"].item()), float(found["target"])) == (
        "A better",
        TIME,
        0.1,
    )
    assert float(found["difference"]) == pytest.approx(np.mean(np.log10(FAST / SLOW)))
    assert float(found["ratio"]) == pytest.approx(np.exp(np.mean(np.log(FAST / SLOW))))
    assert bool(found["logarithmic"])


def test_a_gap_below_the_precision_is_the_optimum():
    loss = np.stack([RNG.uniform(0, 9e-7, WORLDS), RNG.uniform(0, 9e-12, WORLDS)])
    assert str(only(compare(raced(loss, both(FAST, SLOW))))["verdict"].item()) == "A better"


def test_final_losses_that_differ_are_judged_by_themselves():
    loss = np.stack([np.full(WORLDS, 0.5), np.full(WORLDS, 0.25)])
    found = only(compare(raced(loss, both(FAST, SLOW))))
    assert (str(found["verdict"].item()), str(found["judged"].item())) == ("B better", LOSS)
    assert np.isnan(found["target"])


@pytest.mark.parametrize(("losers", "judged"), [(5, TIME), (6, LOSS)])
def test_five_worlds_that_differ_could_not_tell_and_six_can(losers, judged):
    loss = DONE.copy()
    loss[0, :losers] = 0.5  # A, though the faster
    hits = both(np.where(np.arange(WORLDS) < losers, np.inf, FAST), SLOW)
    assert str(only(compare(raced(loss, hits)))["judged"].item()) == judged


def test_too_few_worlds_that_all_differ_are_not_judged_by_time():
    found = only(compare(raced([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]], both(FAST[:3], SLOW[:3]))))
    assert (str(found["verdict"].item()), str(found["judged"].item())) == ("undecided", LOSS)


def test_a_world_that_never_got_there_took_for_ever():
    fast = FAST.copy()
    fast[:1] = np.inf
    found = only(compare(raced(DONE, both(fast, SLOW))))
    assert float(found["difference"]) == pytest.approx(
        np.sort(np.log10(fast / SLOW))[WORLDS // 2 - 1]
    )  # the median
    assert str(found["verdict"].item()) == "A better"


def test_hits_known_to_intervals_that_overlap_tie():
    data = raced(DONE, both(FAST, SLOW))
    late = data["hit_cost"].copy()
    late[..., 1] = 9.0  # A from 9 up to 20 at most, and B from 9 up to 90
    assert str(only(compare(data.assign(hit_cost_low=late)))["judged"].item()) == LOSS
    late[:, 1, :, 1] = 20.0  # B from 20 on
    assert str(only(compare(data.assign(hit_cost_low=late)))["verdict"].item()) == "A better"


def test_the_target_is_one_that_half_of_the_runs_reached():
    fast, slow = np.full(WORLDS, np.inf), np.full(WORLDS, np.inf)
    hits = np.stack([np.stack([FAST, SLOW]), np.stack([fast, slow])], -1)
    found = only(compare(raced(DONE + 0.5, hits)))
    assert (float(found["target"]), str(found["verdict"].item())) == (1.0, "A better")
    hits[0, :, 1] = 70.0  # all of A, none of B: half of the runs
    assert float(only(compare(raced(DONE + 0.5, hits)))["target"]) == 0.1


def test_where_times_tie_too_or_there_are_none_the_area_is_judged():
    middle = np.stack([RNG.uniform(0.1, 1, WORLDS), RNG.uniform(5, 9, WORLDS)])
    never = np.full((2, WORLDS, 2), np.inf)
    for data in (raced(DONE, never, middle=middle), raced(DONE, both(FAST, FAST), middle=middle)):
        found = only(compare(data))
        assert (str(found["verdict"].item()), str(found["judged"].item())) == ("A better", AREA)
        assert float(found["difference"]) == pytest.approx(
            np.log10(middle[0] / middle[1]).mean()
        )  # the middle holds for all costs up to the end
    alike = only(compare(raced(DONE, never)))  # in everything
    assert (str(alike["verdict"].item()), str(alike["judged"].item())) == ("undecided", LOSS)


def test_two_that_diverged_do_not_tie():
    found = only(compare(raced(DONE, both(FAST, SLOW), status=3)))
    assert (str(found["verdict"].item()), str(found["judged"].item())) == ("undecided", LOSS)


def test_which_is_judged_is_a_function_of_the_pair():
    rows = np.stack([*DONE, np.full(WORLDS, 0.5)])
    hits = np.concatenate([both(FAST, SLOW), np.full((1, WORLDS, 2), np.inf)])
    found, alone = compare(raced(rows, hits)), compare(raced(DONE, both(FAST, SLOW)))
    assert found["judged"].isel(landscape=0).values.tolist() == [TIME, LOSS, LOSS]
    for name in set(alone.data_vars) - {"p_corrected", "units_to_decide"}:
        same(found[name].isel(pair=0), alone[name].isel(pair=0))


def test_pairs_judged_by_different_things_at_checkpoints_of_their_own():
    """With coordinates of no dim, as a sweep and a budget on another clock leave them."""
    rows = np.stack([*DONE, np.full(WORLDS, 0.5)])
    hits = np.concatenate([both(FAST, SLOW), np.full((1, WORLDS, 2), np.inf)])
    data = raced(rows, hits).assign_coords(budget_clock=1.0, beta=0.9)
    found = compare(data.assign_coords(recorded=(("optimizer", "checkpoint"), np.ones((3, 2)))))
    assert found["judged"].isel(landscape=0).values.tolist() == [TIME, LOSS, LOSS]
    plain = compare(data)
    for name in found.data_vars:
        same(found[name], plain[name])


def test_times_within_a_cost():
    data = raced(DONE, both(np.full(WORLDS, 30.0), SLOW))
    data["loss"][..., 0] = 0.0
    found = only(compare(data, at=50.0))
    assert np.isinf(found["difference"])
    assert str(found["verdict"].item()) == "A better"


def test_the_target_whose_time_is_judged_has_the_units_of_the_targets():
    data = raced(DONE, both(FAST, SLOW))
    data["target_loss"].attrs["units"] = "of the gap at the start"
    found = only(compare(data))
    assert (str(found["judged"].item()), found["target"].attrs["units"]) == (
        TIME,
        "of the gap at the start",
    )


def test_a_pair_is_compared_where_the_two_have_checkpoints_whichever_a_third_has():
    """At 100 evaluations A is 1 to 2 and B 3 to 4.

    C has a checkpoint at 50 alone, where losses are twice as much.
    """
    rows = np.stack([RNG.uniform(1, 2, WORLDS), RNG.uniform(3, 4, WORLDS), RNG.uniform(1, 2, WORLDS)])
    data = results(rows[None]).assign_coords(
        recorded=(("optimizer", "checkpoint"), [[1, 1], [1, 1], [1, 0]])
    )
    found = compare(data, at=100).isel(landscape=0)
    for pair, (a, b, times) in enumerate([(0, 1, 1), (0, 2, 2), (1, 2, 2)]):
        assert float(found["difference"][pair]) == pytest.approx(times * (rows[a] - rows[b]).mean())
    alone = compare(data.isel(optimizer=[0, 1]), at=100)
    for name in set(alone.data_vars) - {"p_corrected", "units_to_decide"}:
        same(found[name].isel(pair=0), alone[name].isel(landscape=0, pair=0))


def test_the_winner_of_a_tie_is_the_faster():
    data = raced(DONE, both(SLOW, FAST)).isel(landscape=0)
    found = winners(data.assign_attrs(config="{}"))
    assert (str(found["winner"].item()), bool(found["decided"])) == ("B", True)


class TestNeverAsked:
    @pytest.fixture
    def silent(self):
        """A never asked; its start is better than all that the others reached."""
        rows = np.stack([np.full(WORLDS, 1e-3), *RNG.uniform(0.1, 1, (2, WORLDS))])
        hits = np.stack([np.zeros((WORLDS, 2)), *RNG.uniform(10, 90, (2, WORLDS, 2))])
        data = raced(rows, hits)
        steps = xr.zeros_like(data["loss"], int)
        steps[:, 1:] = 7
        data["value_terms"][:, 0], data["loss"][:, 0] = 0, 1e-3
        return data.assign(steps=steps).assign_attrs(config="{}")

    def test_is_told(self, silent):
        assert asked(silent).values.tolist() == [[False, True, True]]
        assert never_asked(silent) == [("land 0", "A")]
        assert bool(asked(silent.drop_vars("steps")))

    def test_has_no_verdict(self, silent):
        found = compare(silent).isel(landscape=0)
        assert found["worlds"].values.tolist() == [0, 0, WORLDS]
        assert found["verdict"].values.tolist()[:2] == ["undecided"] * 2
        assert np.isnan(found["p_value"][:2]).all()

    def test_does_not_change_what_is_said_of_others(self, silent):
        alone, among = compare(silent.isel(optimizer=[1, 2])), compare(silent)
        for name in alone.data_vars:
            same(among[name].isel(pair=2), alone[name].isel(pair=0))

    def test_has_no_rank(self, silent):
        assert ranks(silent, "replicate")["optimizer"].values.tolist() == ["B", "C"]
        assert ranks(silent)["optimizer"].values.tolist() == ["B", "C"]

    def test_does_not_win(self, silent):
        assert str(winners(silent.isel(landscape=0))["winner"].item()) in "BC"

    def test_has_no_line(self, silent):
        assert np.isnan(ecdf(silent)["solved"].isel(landscape=0, optimizer=0)).all()
        assert profile(silent)["optimizer"].values.tolist() == ["B", "C"]
        assert (expected_running_time(silent)["worlds"].isel(landscape=0, optimizer=0) == 0).all()

    def test_still_shows_its_start(self, silent):
        assert float(
            fixed_budget(silent, [100.0])["mean"].isel(landscape=0, optimizer=0, checkpoint=0)
        ) == pytest.approx(1e-3)

    def test_at_a_cost_by_which_it_had_not_asked(self, silent):
        silent["steps"][:, 0, :, 1] = 1
        assert int(only(compare(silent))["worlds"]) == WORLDS
        assert int(only(compare(silent, at=50.0))["worlds"]) == 0
