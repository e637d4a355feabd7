"""Hits, first times and rates of worlds on every clock, beside plain NumPy; both ends of what is not exact."""

import numpy as np
import pytest
import xarray as xr

from studies.analysis.quantities.evaluate import quantity
from studies.analysis.running_time.runtime import expected_running_time
from tests.support.analysis import results
from tests.support.each import each

WORLDS, CHECKPOINTS = 24, 10
TARGET = 0.5


@pytest.fixture(scope="module")
def made():
    """One arm: losses that fall, hits of one target on two clocks, some never; 10 evaluations a step."""
    draw = np.random.default_rng(7)
    loss = np.sort(draw.lognormal(0, 1, (WORLDS, CHECKPOINTS)))[:, ::-1]
    hits = np.where(draw.random(WORLDS) < 0.8, draw.uniform(1, 100, WORLDS), np.inf)
    data = results(loss, targets=[TARGET], hits=hits[:, None])
    steps = np.broadcast_to(10 * np.arange(1, CHECKPOINTS + 1), loss.shape)
    data = data.assign(steps=(("replicate", "checkpoint"), steps))
    on_steps = np.ceil(hits / 3)
    return data.assign(hit_steps=(("replicate", "target"), on_steps[:, None])), loss, hits, on_steps


def ends(answer):
    return answer["quantity_interval"].values.tolist()


def test_a_hit_of_the_study_is_read_on_its_clock(made):
    data, _, hits, steps = made
    for text, times in (
        ("hit(0.5)", hits),
        ("hit(0.5, clock=steps)", steps),
        ('hit(0.5, clock="cost")', hits),
    ):
        assert float(quantity(data, f"median({text})")["quantity"]) == np.sort(times)[WORLDS // 2 - 1]
        assert float(quantity(data, f"share({text} < inf)")["quantity"]) == np.isfinite(times).mean()
        assert float(quantity(data, text)["quantity"]) == np.inf  # a mean of what some never did


def test_a_target_of_one_landscape_is_exact_there_and_looked_up_on_others(made):
    data, loss, hits, _ = made
    other = results(loss, targets=[2 * TARGET], hits=np.full((WORLDS, 1), 3.0))
    there = xr.DataArray(np.array(["own", "other"], object), dims="landscape", name="landscape")
    both = xr.concat(
        [data.drop_vars("hit_steps"), other], there, data_vars="all", coords=["target_loss"]
    )
    medians = quantity(both, f"median(hit({TARGET}))")["quantity"]
    late, _ = seen(loss, TARGET, COST)
    assert float(medians.sel(landscape="own")) == np.sort(hits)[WORLDS // 2 - 1]
    assert float(medians.sel(landscape="other")) == np.sort(late)[WORLDS // 2 - 1]


def test_a_target_that_most_worlds_miss_has_an_infinite_median():
    hits = np.array([10.0] * 5 + [np.inf] * 6)
    data = results(np.ones((11, 4)), targets=[TARGET], hits=hits[:, None])
    assert float(quantity(data, "median(hit(0.5))")["quantity"]) == np.inf
    assert float(quantity(data.isel(replicate=slice(10)), "median(hit(0.5))")["quantity"]) == 10


def test_the_expected_running_time_is_that_of_tables(made):
    data, _, hits, _ = made
    bill = np.where(np.isfinite(hits), hits, 100.0).sum() / np.isfinite(hits).sum()
    answer, table = quantity(data, "ert(0.5)"), expected_running_time(data)
    assert float(answer["quantity"]) == pytest.approx(bill, rel=1e-12)
    np.testing.assert_allclose(ends(answer), table["ert_interval"].isel(target=0).values)
    assert float(quantity(data, "2 * ert(0.5)")["quantity"]) == pytest.approx(2 * bill, rel=1e-12)
    wide = quantity(data, "ert(0.5)", level=0.99)
    assert ends(wide)[0] < bill < ends(wide)[1]


def seen(loss, target, times):
    """Time of the first checkpoint at or below a loss, and of the one before."""
    there = loss <= target
    place = np.where(there.any(1), there.argmax(1), -1)
    late = np.where(place >= 0, times[place], np.inf)
    early = np.where(place > 0, times[place - 1], 0.0)
    return late, np.where(np.isfinite(late), early, np.inf)


COST = np.linspace(10, 100, CHECKPOINTS)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("hit(0.3)", 0.3),
        ("first(loss <= 0.3)", 0.3),
        ("first(log(loss) <= 0)", 1.0),
        ("best_hit(0.7)", 0.7),
    ],
)
def test_what_is_seen_at_checkpoints_has_two_ends(made, text, target):
    """The value is the later; the interval of the median is that of both."""
    data, loss, *_ = made
    late, early = seen(loss, target, COST)
    answer = quantity(data, f"median({text})")
    assert float(answer["quantity"]) == np.sort(late)[WORLDS // 2 - 1]
    ordered_early, ordered_late = np.sort(early), np.sort(late)
    low, high = ends(answer)
    assert low == ordered_early[6]  # the sign test's ranks at 24 worlds: 7 and 18
    assert high == ordered_late[17]


def test_first_on_other_clocks(made):
    data, loss, *_ = made
    late, _ = seen(loss, 0.3, 10.0 * np.arange(1, CHECKPOINTS + 1))
    told = quantity(data, "median(first(loss <= 0.3, clock=steps))")["quantity"]
    assert float(told) == np.sort(late)[WORLDS // 2 - 1]
    assert float(quantity(data, "min(first(loss > 0))")["quantity"]) == 10
    assert float(quantity(data, "max(first(loss < 0))")["quantity"]) == np.inf


def test_both_ends_of_two_hits_are_combined(made):
    """The difference of two times is widest where one is early and the other late."""
    data, loss, *_ = made
    arms = xr.DataArray(np.array(["A", "B"], object), dims="optimizer", name="optimizer")
    reached = np.minimum(loss, 10) * (loss.min(1) < 0.4)[:, None]
    pair = xr.concat([results(reached), results(reached * 0.9)], arms, coords="minimal")
    low, high = ends(quantity(pair, 'median(hit(0.4)["A"]) - median(hit(0.4)["B"])'))
    (late_a, early_a), (late_b, early_b) = seen(reached, 0.4, COST), seen(reached * 0.9, 0.4, COST)
    middle = [np.sort(times)[WORLDS // 2 - 1] for times in (late_a, early_a, late_b, early_b)]
    assert low <= middle[1] - middle[2]
    assert high >= middle[0] - middle[3]


def test_a_rate_is_the_slope_of_the_logarithm():
    steps = np.arange(1.0, 41)
    rates = np.random.default_rng(1).uniform(0.05, 0.1, 12)
    loss = 3 * np.exp(-rates[:, None] * steps)
    data = results(loss, cost=2.5 * steps)
    data = data.assign(
        steps=(("replicate", "checkpoint"), np.broadcast_to(steps.astype(int), loss.shape))
    )
    assert float(quantity(data, "rate(loss)")["quantity"]) == pytest.approx(rates.mean(), rel=1e-9)
    per_cost = quantity(data, "median(rate(loss, clock=cost))")["quantity"]
    assert float(per_cost) == pytest.approx(np.sort(rates)[5] / 2.5, rel=1e-9)
    power = results(steps[None] ** -1.5 * np.ones((4, 1)), cost=steps)
    power = power.assign(
        steps=(("replicate", "checkpoint"), np.broadcast_to(steps.astype(int), (4, 40)))
    )
    assert float(quantity(power, "rate(loss, law=sublinear)")["quantity"]) == pytest.approx(
        1.5, rel=1e-9
    )
    assert float(quantity(data, "rate(loss**2)")["quantity"]) == pytest.approx(
        2 * rates.mean(), rel=1e-9
    )


@each(
    ("text", "message"),
    [
        ("hit(0.5, clock=sec)", "unknown clock 'sec'"),
        ("hit(0.5, clok=steps)", "hit: unknown word 'clok'; did you mean 'clock'[?]"),
        ("hit(0.5, clock=3)", "expected a word for clock, as in clock=cost"),
        ("hit(0.5, clock=virtual_time)", "no virtual time"),
        ("first(loss)", "expected a condition, as in first"),
        ("first()", "expected first[(]CONDITION[)]"),
        ("first(hit_cost < 3)", "expected what is recorded at checkpoints"),
        (
            "rate(loss, law=cubic)",
            "unknown law 'cubic'; expected one of: linear, sublinear, exponential",
        ),
        ("rate(3)", "expected rate[(]x[)] of what is recorded at checkpoints"),
        ("rate()", "expected rate[(]x[)]"),
    ],
)
def test_what_is_no_time_is_one_line(made, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        quantity(made[0], text)
    assert "\n" not in str(caught.value)
