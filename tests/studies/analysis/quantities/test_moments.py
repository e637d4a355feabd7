"""When a quantity looks at a run: own checkpoints alone, each world's own costs, no further than runs go."""

import numpy as np
import pytest
import xarray as xr

from studies.analysis.quantities.evaluate import quantity
from studies.claims.ordering import Ordering
from studies.text.schema import CLOCKS
from tests.support.analysis import results
from tests.support.each import each

WORLDS = 4
RECORDS = ("replicate", "checkpoint")


def beside(dim, **parts):
    """Results side by side along a dim."""
    names = xr.DataArray(np.array(list(parts), object), dims=dim, name=dim)
    return xr.concat(list(parts.values()), names, coords="minimal", compat="override")


def arm(loss, steps, **given):
    """Worlds that all have these losses at these steps."""
    data = results(np.tile(np.asarray(loss, float), (WORLDS, 1)), **given)
    return data.assign(steps=(RECORDS, np.tile(steps, (WORLDS, 1))))


def value(data, text):
    return quantity(data, text)["quantity"].values.tolist()


class TestOwnCheckpoints:
    """120 steps on the bowl, seen at 30, 60, 90, 120; the ridge is seen at 0.6, 0.7, 0.8, 0.9, 1 of its budget.

    At the ridge's checkpoints the bowl shows what it showed before: 60 twice more, 90 twice more.
    """

    SHARES = (0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 1.0)
    OWN = ([1, 1, 0, 0, 1, 0, 0, 1], [0, 0, 1, 1, 0, 1, 1, 1])

    @pytest.fixture
    def data(self):
        cost = 100 * np.array(self.SHARES)
        bowl = arm([8, 4, 4, 4, 2, 2, 2, 1], [30, 60, 60, 60, 90, 90, 90, 120], cost=cost)
        ridge = arm([np.nan, np.nan, 9, 7, 7, 5, 3, 1], [0, 0, 36, 42, 42, 48, 54, 60], cost=cost)
        ridge["status"][:, :2] = 5
        both = beside("landscape", bowl=bowl, ridge=ridge)
        return both.assign_coords(recorded=(("landscape", "checkpoint"), np.array(self.OWN)))

    @each(
        ("text", "bowl", "ridge"),
        [
            ("mean(loss, since=0.6)", (2 + 1) / 2, (9 + 7 + 5 + 3 + 1) / 5),
            ("mean(loss, since=0.5)", (4 + 2 + 1) / 3, 5),
            ("mean(loss, since=0)", (8 + 4 + 2 + 1) / 4, 5),
            ("mean(steps, since=0.6)", (90 + 120) / 2, (36 + 42 + 48 + 54 + 60) / 5),
            ("median(loss, since=0.5)", 2, 5),
            ("share(loss < 3, since=0.5)", 2 / 3, 1 / 5),
            ("max(loss, since=0.6)", 2, 9),
            ("variance(loss, since=0.75)", 0.5, 4),  # 2, 1; 5, 3, 1
        ],
    )
    def test_each_counts_once(self, data, text, bowl, ridge):
        assert value(data, text) == pytest.approx([bowl, ridge], rel=1e-12)

    def test_a_world_that_ended_keeps_its_last_state(self, data):
        """Two worlds diverged at 90 steps, two spent their budget at 60."""
        over = data.sel(landscape="bowl").copy(deep=True)
        over["status"][:2, 4:] = 3
        over["loss"][2:, 2:], over["steps"][2:, 2:], over["status"][2:, 4:] = 4, 60, 2
        assert value(over, "quantile(mean(loss, since=0.6), 0.25)") == 4
        assert value(over, "max(mean(loss, since=0.6))") == np.inf

    def test_rates_and_first_times_are_as_before(self, data):
        """What is repeated is the same state."""
        assert value(data, "first(loss < 4, clock=steps)") == [90, 54]

    def test_after_the_last_of_its_own_there_is_none(self, data):
        early = data.sel(landscape="bowl")
        early["recorded"][-1] = 0
        with pytest.raises(ValueError, match="up to the last checkpoint, 0.75, got 0.8"):
            quantity(early, "mean(loss, since=0.8)")


class TestCostsOfWorlds:
    """SGD runs for a second, in which its worlds spend 80 and 120; the GA spends 100."""

    SPENT = ([10, 20, 40, 80], [30, 60, 90, 120])
    LOSS = ([8, 4, 2, 1], [7, 5, 3, 0.5])

    @pytest.fixture
    def data(self):
        most = np.max(self.SPENT, 0)
        sgd = results(np.repeat(self.LOSS, 8, 0), most, spent=np.repeat(self.SPENT, 8, 0))
        ga = results(np.tile([9.0, 6, 5, 4], (16, 1)), [25, 50, 75, 100])
        shares = sgd["checkpoint"]
        ga = ga.assign_coords(checkpoint=shares)
        both = beside("optimizer", SGD=sgd, GA=ga)
        number = list(CLOCKS).index("seconds")
        both["seconds"] = (("optimizer", *RECORDS), np.ones((2, 16, 4)) * [0.25, 0.5, 0.75, 1])
        return both.assign_coords(
            cost=(("optimizer", "checkpoint"), np.array([most, [25, 50, 75, 100]])),
            budget_clock=("optimizer", [number, 0]),
            budget_time=("optimizer", [1.0, 100.0]),
            recorded=(("optimizer", "checkpoint"), np.array([[1, 0, 1, 1], [0, 1, 1, 1]])),
        )

    @each(
        ("cost", "sgd", "ga"),
        [
            (50, (2 + 7) / 2, 6),
            (60, (2 + 5) / 2, 6),
            (89, (1 + 5) / 2, 5),
            (100, (1 + 3) / 2, 4),
        ],
    )
    def test_each_world_is_in_its_last_state_of_that_cost(self, data, cost, sgd, ga):
        assert value(data, f"loss(cost={cost})") == [sgd, ga]
        assert value(data, f'loss["SGD"](cost={cost})') == sgd
        assert value(data, f'loss["GA"](cost={cost})') == ga

    def test_beyond_the_end_of_an_arm_it_is_missing(self, data):
        sgd, ga = value(data, "loss(cost=110)")
        assert sgd == (1 + 3) / 2
        assert np.isnan(ga)

    def test_before_the_first_state_of_a_world_is_none(self, data):
        with pytest.raises(ValueError, match="at least 30 evaluations; got 29"):
            quantity(data, 'loss["SGD"](cost=29)')

    def test_claims_look_there_too(self, data):
        """At 70 the SGD has 2 and 5, the GA 6; at the checkpoints' largest costs 4 and 5."""
        claim = Ordering(better="SGD", worse="GA", cost=70)
        (row,) = claim.judge(data.expand_dims(landscape=["bowl"]))
        assert row.observed == 1


class TestWhoseClock:
    """A falls by exp(-0.1) a step, B has steps of two."""

    STEPS = np.arange(1, 21)

    @pytest.fixture
    def data(self):
        loss = np.exp(-0.1 * self.STEPS)
        both = beside("optimizer", A=arm(loss, self.STEPS), B=arm(loss, 2 * self.STEPS))
        return beside("landscape", bowl=both, ridge=both.assign(steps=3 * both["steps"]))

    @each(
        ("inside", "behind", "expected"),
        [
            ('rate(loss["A", "bowl"])', 'rate(loss)["A", "bowl"]', 0.1),
            ('rate(loss["B", "bowl"])', 'rate(loss)["B", "bowl"]', 0.05),
            ('rate(loss["A"] * 2)', 'rate(2 * loss)["A"]', [0.1, 0.1 / 3]),
            ('rate(loss[landscape="ridge"])', 'rate(loss)[landscape="ridge"]', [0.1 / 3, 0.1 / 6]),
            # exp(-0.1 n) < 0.5 from n = 7 on
            (
                'first(loss["B", "bowl"] < 0.5, clock=steps)',
                'first(loss < 0.5, clock=steps)["B", "bowl"]',
                14,
            ),
            (
                'first(loss["B"] + best_loss["B"] < 1, clock=steps)',
                'first(loss < 0.5, clock=steps)["B"]',
                [14, 42],
            ),
        ],
    )
    def test_is_that_of_the_arm_inside(self, data, inside, behind, expected):
        assert value(data, inside) == pytest.approx(expected, rel=1e-9)
        assert value(data, behind) == pytest.approx(expected, rel=1e-9)

    def test_numbers_of_other_times_have_no_clock(self, data):
        """The last loss is exp(-2), that at n = 20; the mean, 0.411, lies between n = 8 and n = 9."""
        end = 'first(loss["B", "bowl"] <= loss["A", "bowl"](budget=1), clock=steps)'
        mean = 'first(loss["B", "bowl"] <= mean(loss["A", "bowl"], since=0), clock=steps)'
        assert [value(data, end), value(data, mean)] == [40, 18]

    def test_of_two_arms_there_are_two(self, data):
        shown = value(data, 'first(loss["A", "bowl"] <= loss["B", "bowl"], clock=steps)')
        assert shown == [1, 2]

    def test_a_label_that_is_a_formula_is_one_line(self, data):
        swept = beside("optimizer", A=data.isel(optimizer=0)).expand_dims(N=[1.0, 2.0])
        with pytest.raises(ValueError, match=r"write \[N=..\] behind rate\(..\)"):
            quantity(swept, "rate(loss[N=2 * 1])")


class TestBeyond:
    """A takes 10 steps in each quarter of its run, B 20; worlds of A first show one at 10 and at 11 steps."""

    @pytest.fixture
    def data(self):
        a, b = arm([8, 4, 2, 1], [10, 20, 30, 40]), arm([9, 7, 5, 3], [20, 40, 60, 80])
        a["steps"][2:, 0] = 11
        a["loss"][2:, 0] = 6
        return beside("optimizer", A=a, B=b)

    @each(
        ("when", "a", "b"),
        [
            ("steps=40", 1, 7),
            ("steps=41", np.nan, 7),  # A has ended
            ("steps=80", np.nan, 3),
            ("steps=11", (8 + 6) / 2, np.nan),  # B shows nothing so early
            ("budget=1", 1, 3),
        ],
    )
    def test_an_arm_that_is_not_known_then_is_missing(self, data, when, a, b):
        np.testing.assert_array_equal(value(data, f"loss({when})"), [a, b])

    @each(
        ("text", "message"),
        [
            ("loss(steps=5000)", "steps: expected 11 to 80, .* got 5000"),
            ('loss["A"](steps=41)', "steps: expected 11 to 40, .* got 41"),
            ("loss(steps=10)", "steps: expected 11 to 80, .* got 10"),
            ("loss(steps=0)", "steps: expected 11 to 80, .* got 0"),
            ("loss(epochs=101)", "epochs: expected 25 to 100, .* got 101"),
            ("loss(budget=2)", "budget: expected 0.25 to 1, .* got 2"),
            ("loss(cost=1e9)", "expected at most 100"),
        ],
    )
    def test_where_none_is_known_it_is_one_line(self, data, text, message):
        with pytest.raises(ValueError, match=message) as caught:
            quantity(data, text)
        assert "\n" not in str(caught.value)

    def test_what_has_diverged_stays_so(self, data):
        gone = data.copy(deep=True)
        gone["status"][0, :, 2:] = 3
        assert value(gone, "loss(steps=80)") == [np.inf, 3]

    def test_checkpoints_that_end_before_the_budget_end_there(self, data):
        """The budget is 80 steps; A's checkpoints end at 40."""
        own = np.array([[1, 1, 0, 0], [1, 1, 1, 1]])
        half = data.isel(checkpoint=[0, 1, 1, 1]).assign_coords(checkpoint=data["checkpoint"])
        half = xr.concat([half.isel(optimizer=1), data.isel(optimizer=1)], data["optimizer"])
        half = half.assign_coords(
            recorded=(("optimizer", "checkpoint"), own), budget_clock=1, budget_time=80.0
        )
        assert value(half, "loss(steps=40)") == [7, 7]
        np.testing.assert_array_equal(value(half, "loss(steps=60)"), [np.nan, 5])
        np.testing.assert_array_equal(value(half, "loss(budget=0.75)"), [np.nan, 5])

    def test_worlds_of_an_arm_that_ended_earlier_show_their_last(self, data):
        short = data.copy(deep=True)
        short["steps"][1, 0, 3] = 70
        assert value(short, 'loss["B"](steps=75)') == (3 + 3 * 5) / 4
