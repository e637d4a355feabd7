"""Laws on made-up results: verdicts beside equivalence tests by hand, wrong laws, bounds, regimes, never."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from studies.analysis.quantities.evaluate import quantity
from studies.claims import LawClaim, law_facts
from studies.claims.measured import CAP
from tests.support.claims import normal, results
from tests.support.each import each

LATE = "mean(loss, since=0.5)"


def judge(data, **given):
    return LawClaim(**{"optimizer": "SGD", "observe": LATE, "predicted": 2.0, **given}).judge(data)


def one(data, **given):
    (row,) = judge(data, **given)
    return row


def levels(*means, worlds=400, spread=0.1, seed=1, **given):
    """Losses of these means at the values 1, 2, .. of the axis B."""
    noise = 1 + spread * normal(seed, len(means), worlds, 1)
    loss = np.repeat(np.array(means)[:, None, None] * noise, 4, -1)
    return results(loss[None, None], axes={"B": [2**i for i in range(len(means))]}, **given)


# verdicts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("worlds", [20, 60, 200])
@pytest.mark.parametrize("mean", [0.97, 1.03, 1.1])
def test_two_one_sided_tests_by_hand(worlds, mean):
    """Of normal means: both tails of Student's t beyond the ends of the tolerance, and those of the control.

    Both ends are those of the logarithm, as a gap is never negative; the skewness is what moves either end out.
    """
    data = levels(mean, worlds=worlds, seed=3).isel(B=0)
    data = data.assign_attrs(data.attrs).expand_dims(B=[1], axis=2)
    row = one(data, predicted=1.0, tolerance=0.05, control=2.0)
    x = data["loss"].isel(checkpoint=-1).values.ravel()
    value, error, skew = x.mean(), stats.sem(x), stats.skew(x) * (worlds / (worlds - 1)) ** 1.5

    def chance(away, longer):
        a = max(longer, 0.0) / (6 * math.sqrt(worlds))
        root = 1 + 8 * a * (away - a)
        if root <= 0:
            return 1.0
        k = (math.sqrt(root) - 1) / (4 * a) if a > 1e-9 else away - a
        return stats.t.sf(k, worlds - 1)

    above = chance((math.log(1.05) - math.log(value)) * value / error, skew)
    below = chance((math.log(value) - math.log(0.95)) * value / error, -skew)
    assert row.p_holds == pytest.approx(max(above, below), rel=1e-3)
    short = (math.log(0.95) - math.log(value)) * value / error
    long = (math.log(value) - math.log(1.05)) * value / error
    beyond = min(chance(long, -skew), chance(short, skew))
    assert row.p_fails == pytest.approx(beyond, rel=1e-3)
    expected = "holds" if row.p_holds <= CAP else "fails" if row.p_fails <= CAP else "undecided"
    assert row.verdict == expected


def test_all_three_verdicts_and_the_worlds_that_decide():
    assert one(levels(2.0)).verdict == "holds"
    assert one(levels(2.4), control=1.0).verdict == "fails"
    few = one(levels(2.0, worlds=30, spread=0.5))
    assert few.verdict == "undecided"
    assert f"about {few.worlds_needed:,.0f} worlds would decide" in few.note
    more = one(levels(2.0, worlds=int(few.worlds_needed * 1.5), spread=0.5))
    assert more.verdict == "holds"


def test_a_judgement_at_each_value_along_an_axis():
    data = levels(8.0, 4.0, 2.0, 1.0)
    rows = judge(data, along="B", predicted="8 / B", control="8 / B**0.5")
    assert [row.where["B"] for row in rows] == [1, 2, 4, 8]
    assert [row.predicted for row in rows] == [8.0, 4.0, 2.0, 1.0]
    assert [row.verdict for row in rows[1:]] == ["holds"] * 3
    assert rows[0].verdict == "undecided"  # there the wrong law says the same
    assert not rows[0].control_rejected


def over_time(*means, **given):
    """Losses of these means at the checkpoints of 100 steps, in 400 worlds."""
    noise = 1 + 0.1 * normal(2, 400, len(means))
    return results((np.array(means) * noise)[None, None], **given)


class TestAlongSteps:
    """Each checkpoint has its own judgement, of the quantity as it is there."""

    def test_each_checkpoint_is_judged_as_it_is(self):
        data = over_time(4.0, 2.0, 1.0, 1.0)
        rows = judge(
            data,
            along="steps",
            observe="mean(loss)",
            predicted="100 / steps",
            control="400 / steps**2 * 25",
            regime={"steps": [40, 100]},
        )
        assert [row.where["steps"] for row in rows] == [25, 50, 75, 100]
        assert [row.predicted for row in rows] == pytest.approx([4, 2, 4 / 3, 1])
        assert [row.observed for row in rows] == pytest.approx(
            data["loss"].mean("replicate").values.ravel().tolist()
        )
        assert [row.verdict for row in rows] == ["holds", "holds", "fails", "undecided"]
        assert [row.in_regime for row in rows] == [False, True, True, True]
        assert [row.control_rejected for row in rows] == [True, True, True, False]

    def test_what_is_predicted_may_be_recorded_there(self):
        data = over_time(4.0, 2.0, 1.0, 0.5)
        rate = data["loss"].mean("replicate").broadcast_like(data["loss"]).transpose(*data["loss"].dims)
        rows = judge(
            data.assign(rate=rate), along="steps", observe="mean(loss)", predicted="mean(rate)"
        )
        assert [row.verdict for row in rows] == ["holds"] * 4

    def test_a_run_that_has_ended_is_judged_once(self):
        data = over_time(4.0, 2.0, 2.0, 2.0)
        steps = np.array([25, 50, 50, 50])
        data["steps"] = data["steps"].dims, np.broadcast_to(steps, data["steps"].shape).copy()
        rows = judge(data, along="steps", observe="mean(loss)", predicted="100 / steps")
        assert [row.where["steps"] for row in rows] == [25, 50]

    def test_axes_are_judged_one_after_the_other(self):
        loss = np.array([[4.0, 2.0], [8.0, 4.0]])[:, None] * (1 + 0.1 * normal(2, 1, 400, 1))
        data = results(loss[None, None], axes={"B": [1, 2]})
        rows = judge(data, along="steps", observe="mean(loss)", predicted="200 * B / steps")
        assert [(row.where["B"], row.where["steps"]) for row in rows] == [
            (1, 50),
            (2, 50),
            (1, 100),
            (2, 100),
        ]
        assert [row.verdict for row in rows] == ["holds"] * 4


@pytest.mark.parametrize("axis", ["b", "batch"])
def test_an_axis_that_there_is_not(axis):
    with pytest.raises(ValueError, match=rf"law\.along: unknown axis '{axis}'; "):
        judge(levels(1.0, 2.0), along=axis)


def test_several_optimizers_and_landscapes_are_judged_one_after_the_other():
    data = results(np.full((30, 4), 2.0), optimizers=("SGD", "ES", "GA"), landscapes=("a", "b", "c"))
    rows = judge(data, optimizer=["SGD", "ES"], landscape=["a", "c"])
    places = [(row.where["landscape"], row.where["optimizer"]) for row in rows]
    assert places == [*itertools.product("ac", ["SGD", "ES"])]
    assert len(judge(data, optimizer=None)) == 9


# what is predicted ------------------------------------------------------------------------------------------


def test_formulas_of_the_arm_and_laws_of_the_library():
    """The made-up arms: SGD of learning rate 0.1 on a bowl in 3 dimensions."""
    assert one(levels(0.3), predicted="dim * learning_rate").verdict == "holds"
    law = one(levels(1.9), predicted="theory:momentum_rate", control=3.0)
    assert law.predicted == pytest.approx(0.9)  # 1 - learning_rate, curvature by its default
    unknown = one(levels(1.9), predicted="theory:gd_rate")
    assert unknown.note.startswith("theory:gd_rate: unknown argument 'condition'; ")


def test_a_prediction_of_other_quantities_has_the_error_of_the_whole_difference():
    """Worlds differ by 100 %, but the second half is half of the start in each of them."""
    start = np.exp(normal(5, 60))
    loss = np.repeat((start / 2 * (1 + 0.01 * normal(6, 60)))[:, None], 4, -1)
    dims = ("landscape", "optimizer", "replicate")
    data = results(loss, draws=["data"]).assign(start_loss=(dims, start[None, None]))
    row = one(data, predicted="loss(start) / 2", control="loss(start)")
    assert row.verdict == "holds"
    assert row.predicted == pytest.approx(start.mean() / 2)
    assert row.observed == pytest.approx(loss.mean())
    difference = loss[:, 0] - start / 2
    assert row.standard_error == pytest.approx(stats.sem(difference), rel=1e-6)
    assert one(data, predicted="loss(start) / 3", control="loss(start)").verdict == "fails"


@pytest.mark.parametrize(
    ("observe", "predicted"),
    [
        ("loss", "mean(loss(start)) / 2"),
        ("mean(loss)", "loss(start) / 2"),
        ("mean(loss)", "mean(loss(start)) / 2"),
    ],
)
def test_a_mean_that_is_said_is_the_one_that_is_taken_anyway(observe, predicted):
    """Of both in any mixture: the error of the difference in the same worlds."""
    start = np.exp(normal(5, 60))
    loss = np.repeat((start / 2 * (1 + 0.01 * normal(6, 60)))[:, None], 4, -1)
    dims = ("landscape", "optimizer", "replicate")
    data = results(loss, draws=["data"]).assign(start_loss=(dims, start[None, None]))
    row = one(data, observe=observe, predicted=predicted, control="mean(loss(start))")
    assert row.verdict == "holds"
    assert row.standard_error == pytest.approx(stats.sem(loss[:, 0] - start / 2), rel=1e-6)


def test_a_relative_tolerance_around_zero_is_said_to_be_none():
    """Unless it holds, as on zeros; a bound of 0 has none either."""
    data = levels(0.3)
    assert "{absolute: ..}" in one(data, predicted=0).note
    assert "absolute" not in one(data, predicted=0, tolerance={"absolute": 0.5}).note
    assert "absolute" not in one(data, predicted=0, relation=">=").note


def test_a_median_beside_a_number_of_each_world_is_beside_its_mean():
    loss = np.repeat(np.exp(normal(9, 101))[:, None], 4, -1)
    row = one(results(loss), observe="loss", predicted="median(loss)", relation=">=")
    assert row.predicted == np.median(loss[:, 0])
    assert row.observed == pytest.approx(loss[:, 0].mean())


def test_a_paired_difference_of_two_optimizers_has_one_place():
    level = np.exp(normal(7, 1, 1, 50, 1))
    loss = np.concatenate([level, level + 0.5 + 0.01 * normal(8, 1, 1, 50, 1)], 1)
    data = results(np.repeat(loss, 4, -1), optimizers=("SGD", "ES"))
    row = one(data, optimizer=None, observe='loss["ES"] - loss["SGD"]', predicted=0.5)
    assert (row.verdict, row.where) == ("holds", {"landscape": "bowl"})


def test_medians_have_the_interval_of_tables():
    """Log-normal losses of median 2, whose mean is six times as much."""
    data = results(np.repeat(2 * np.exp(1.9 * normal(2, 4000, 1)), 4, -1))
    row = one(data, observe="median(loss)", tolerance=0.2)
    assert row.verdict == "holds"
    assert row.observed_low < 2 < row.observed_high
    assert one(data, observe="median(loss)", predicted=12.0).verdict == "fails"


RATIOS = ['median(loss["SGD"]) / median(loss["ES"])', 'sd(loss["SGD"]) / median(loss["ES"])']


@pytest.mark.parametrize("worlds", [16, 40])
@pytest.mark.parametrize("observe", RATIOS)
def test_a_ratio_has_the_interval_that_ask_gives_which_is_above_zero(observe, worlds):
    """Log-normal losses: the error to the upper end alone is larger than the ratio itself."""
    loss = np.exp(1.5 * normal(11, 1, 2, worlds, 1))
    data = results(np.repeat(loss, 4, -1), optimizers=("SGD", "ES"), draws=["data"])
    row = one(data, optimizer=None, observe=observe, predicted=1.0)
    low, high = quantity(data, observe, level=1 - 2 * CAP)["quantity_interval"].values.ravel()
    assert (row.observed_low, row.observed_high) == pytest.approx((low, high))
    assert 0 < row.observed_low < row.observed
    assert row.observed_high - row.observed > row.observed


@pytest.mark.parametrize("worlds", [16, 40])
def test_a_ratio_of_shares_has_the_interval_that_ask_gives(worlds):
    """The second share is rare: 1 and 2 of the worlds, of which the jackknife knows no error."""
    loss = np.ones((1, 2, worlds, 1))
    loss[0, 0, : worlds // 4] = loss[0, 1, : worlds // 16] = 0.1
    data = results(np.repeat(loss, 4, -1), optimizers=("SGD", "ES"), draws=["data"])
    observe = 'share(loss["SGD"] < 0.5) / share(loss["ES"] < 0.5)'
    row = one(data, optimizer=None, observe=observe, predicted=1.0)
    low, high = quantity(data, observe, level=1 - 2 * CAP)["quantity_interval"].values.ravel()
    assert (row.observed_low, row.observed_high) == pytest.approx((low, high))
    assert 0 < low < row.observed < high


def rare_share(worlds):
    """Losses below 0.5 in a quarter of the worlds of SGD, and in one in 16 of those of ES."""
    loss = np.ones((1, 2, worlds, 1))
    loss[0, 0, : worlds // 4] = loss[0, 1, : worlds // 16] = 0.1
    return results(np.repeat(loss, 4, -1), optimizers=("SGD", "ES"), draws=["data"])


SHARES = 'share(loss["SGD"] < 0.5) / share(loss["ES"] < 0.5)'
AROUND = {
    f"3 * {SHARES}": lambda ratio: 3 * ratio,
    f"{SHARES} - 1": lambda ratio: ratio - 1,
    f"log({SHARES})": math.log,
    f"-1 / ({SHARES})": lambda ratio: -1 / ratio,
}


@pytest.mark.verify
@each(("text", "function"), [*AROUND.items()])
def test_around_a_ratio_of_shares_it_is_judged_as_the_ratio_is(text, function):
    """What is predicted just within the ratio's ends is not rejected, what is just beyond them is."""
    data = rare_share(32)
    ratio = one(data, optimizer=None, observe=SHARES, predicted=1.0)
    ends = ratio.observed_low, ratio.observed_high
    for end, outwards in zip(ends, (0.99, 1.01), strict=True):
        for factor, verdict in ((outwards, "fails"), (1 / outwards, "undecided")):
            given = {"predicted": function(end * factor), "tolerance": {"absolute": 1e-9}}
            row = one(data, optimizer=None, observe=text, control=999.0, **given)
            assert (row.verdict, row.observed) == (verdict, pytest.approx(function(4)))
            shown = sorted((row.observed_low, row.observed_high))
            assert shown == pytest.approx(sorted(map(function, ends)))


@each(("predicted", "verdict"), [(99.0, "undecided"), (2.0, "undecided"), (0.5, "fails")])
def test_a_ratio_to_a_share_that_no_world_holds_is_known_at_one_end(predicted, verdict):
    """8 worlds hold the first alone, none the second: at CAP the score test rejects below 8 / 3^2 = 0.89."""
    data, text = rare_share(32), 'share(loss["SGD"] < 0.5) / share(loss["ES"] < 0.01)'
    row = one(data, optimizer=None, observe=text, predicted=predicted, control=-9.0)
    assert (row.verdict, row.observed) == (verdict, math.inf)
    assert (row.observed_low, row.observed_high) == (pytest.approx(8 / 9), math.inf)


def test_a_logarithm_of_no_share_decides_nothing():
    text = 'log(share(loss["ES"] < 0.01) / share(loss["SGD"] < 0.5))'
    row = one(rare_share(32), optimizer=None, observe=text, predicted=-5.0, control=0.5)
    assert row.verdict == "undecided"


@each(("predicted", "verdict"), [(3.9, "fails"), (4.1, "undecided"), (1e9, "undecided")])
def test_a_median_that_is_infinite_is_known_at_its_low_end(predicted, verdict):
    """Of 20 worlds 3 or fewer lie below the median in 1 study of 776, which is CAP or less; 4 in 1 of 169."""
    loss = np.repeat(np.array([*range(1, 10), *[np.inf] * 11], dtype=float)[:, None], 4, -1)
    data = results(loss, draws=["data"])
    row = one(data, observe="median(loss)", predicted=predicted, control=-1.0, tolerance=1e-9)
    assert (row.observed, row.verdict) == (math.inf, verdict)
    assert (row.observed_low, row.observed_high) == (4.0, math.inf)


def test_an_end_that_few_worlds_do_not_know_is_open():
    """Of six worlds the largest is below the median in 1 study of 64, more than one of 741."""
    loss = np.repeat(np.arange(1.0, 7.0)[:, None], 4, -1)
    row = one(results(loss, draws=["data"]), observe="median(loss)", predicted=1e9, control=-1.0)
    assert (row.observed, row.verdict) == (3.0, "undecided")
    assert (row.observed_low, row.observed_high) == (0.0, math.inf)


def test_a_ratio_of_means_lies_above_zero():
    """Its logarithm has the jackknife's error over the ratio, and the skewness moves the upper end out."""
    loss = np.exp(1.5 * normal(12, 1, 2, 12, 1))
    data = results(np.repeat(loss, 4, -1), optimizers=("SGD", "ES"), draws=["data"])
    row = one(data, optimizer=None, observe='mean(loss["SGD"]) / mean(loss["ES"])', predicted=1.0)
    a, b = loss[0, :, :, 0]
    left_out = np.array([np.delete(a, i).mean() / np.delete(b, i).mean() for i in range(12)])
    error = math.sqrt(11 * left_out.var())
    k = stats.t.isf(CAP, 11)
    assert row.standard_error == pytest.approx(error)
    value, skew = a.mean() / b.mean(), stats.skew(-left_out) * (12 / 11) ** 1.5
    errors = [k + max(side, 0) * (1 + 2 * k**2) / (6 * math.sqrt(12)) for side in (-skew, skew)]
    assert row.observed_low == pytest.approx(value * math.exp(-errors[0] * error / value))
    assert row.observed_high == pytest.approx(value * math.exp(errors[1] * error / value))
    assert value - errors[0] * error < 0 < row.observed_low


def test_times_between_two_states_beside_another_quantity():
    """Both ends of the observed, 50 and 75 evaluations, are compared with the predicted: none is a difference."""
    loss = np.tile([3.0, 2.0, 1.0, 0.5], (30, 1))
    row = one(results(loss), observe="hit(1)", predicted="steps * 1", tolerance=0.01)
    assert (row.predicted, row.observed) == (100.0, 75.0)
    assert (row.observed_low, row.observed_high) == (50.0, 75.0)
    assert row.verdict == "fails"


def whole_numbers(*shape):
    """Poisson numbers of mean 3.2, whose median is 3: P(n < 3) = 0.38 and P(n <= 3) = 0.60."""
    return np.repeat(np.random.default_rng(4).poisson(3.2, (*shape, 1)), 4, -1)


@pytest.mark.parametrize(
    "observe",
    ["median(loss)", pytest.param("2 * median(loss) - quantile(loss, 0.5)", marks=pytest.mark.verify)],
)
def test_more_worlds_decide_a_median_of_whole_numbers(observe):
    """With 1000 worlds both ends are 3: a half is 6 binomial errors away from either share."""
    data, given = results(whole_numbers(1000), draws=["data"]), {"observe": observe, "tolerance": 0.02}
    row = one(data, predicted=3.0, **given)
    assert (row.verdict, row.observed) == ("holds", 3.0)
    assert (row.observed_low, row.observed_high) == (pytest.approx(3.0), pytest.approx(3.0))
    assert one(data, predicted=3.1, **given).verdict == "fails"
    few = results(whole_numbers(20), draws=["data"])
    assert one(few, predicted=3.0, **given).verdict == "undecided"


@pytest.mark.parametrize(
    ("observe", "worlds"),
    [
        pytest.param("median(loss)", 12, marks=pytest.mark.verify),
        pytest.param("2 * median(loss) - 3", 40, marks=pytest.mark.verify),
        pytest.param("median(loss)", 40, marks=pytest.mark.verify),
        pytest.param("2 * median(loss) - 3", 12, marks=pytest.mark.verify),
    ],
)
def test_intervals_of_medians_of_whole_numbers_hold_the_median(observe, worlds):
    """In all of 100 studies but 3 at most: more have a chance below 0.001."""
    data = results(whole_numbers(1, 1, 100, worlds), axes={"study": list(range(100))})
    rows = judge(data, observe=observe, predicted=3.0)
    missed = sum(not row.observed_low <= 3 <= row.observed_high for row in rows)
    assert stats.binom.sf(3, 100, 2 * CAP) < 0.001
    assert len(rows) == 100
    assert missed <= 3


def test_more_equal_worlds_decide():
    """0.00135^(1/n) of all worlds are so: of 200 that is 96.8 %, of 2000 99.7 %."""
    given = {"observe": "mean(loss)", "predicted": 7.0, "tolerance": 0.01}
    assert one(results(np.full((200, 4), 7.0), draws=["data"]), **given).verdict == "undecided"
    row = one(results(np.full((2000, 4), 7.0), draws=["data"]), **given)
    assert row.verdict == "holds"
    assert row.observed_high == pytest.approx(7 * (2 - CAP ** (1 / 2000)))


@each(
    ("observe", "level", "worlds"),
    [
        ("median(loss)", 0.5, 10),
        ("3 * median(loss) - 2 * quantile(loss, 0.5)", 0.5, 10),
        ("quantile(loss, 0.9)", 0.9, 63),
        ("2 * median(loss) - quantile(loss, 0.1)", 0.1, 63),
    ],
)
def test_equal_worlds_say_what_a_quantile_is_once_they_are_enough(observe, level, worlds):
    """Others move it where they are min(q, 1 - q) of all worlds: not one of n is, with (1 - min(q, 1 - q))^n."""
    unseen = max(level, 1 - level)
    assert unseen**worlds <= CAP < unseen ** (worlds - 1)
    given = {"observe": observe, "predicted": 7.0, "tolerance": 1e-6}
    sizes = worlds, worlds - 1
    enough, few = (results(np.full((n, 4), 7.0), draws=["data"]) for n in sizes)
    row = one(enough, **given)
    assert (row.verdict, row.observed_low, row.observed_high) == ("holds", 7.0, 7.0)
    assert one(enough, **given | {"predicted": 7.001}).verdict == "fails"
    assert one(enough, **given | {"control": 7.001}).verdict == "holds"
    row = one(few, **given)
    assert (row.verdict, row.worlds_needed) == ("undecided", worlds)
    assert (row.observed_low <= 0, row.observed_high) == (True, math.inf)  # nothing is known
    assert one(few, **given | {"predicted": 70.0}).verdict == "undecided"


def test_a_mean_beside_a_median_moves_with_few_others():
    data = results(np.full((40, 4), 7.0), draws=["data"])
    given = {"observe": "3 * median(loss) - 2 * mean(loss)", "predicted": 7.0}
    assert one(data, tolerance=0.15, **given).verdict == "undecided"  # 1 - 0.00135^(1/40) is 0.152
    assert one(data, tolerance=0.16, **given).verdict == "holds"


@pytest.mark.parametrize(("share", "expected"), [(0.3, "holds"), (0.4, "fails")])
def test_shares_have_the_binomial_interval(share, expected):
    loss = np.where(np.arange(4000) % 10 < 3, 0.0, 1.0)
    data = results(np.repeat(loss[:, None], 4, -1), draws=["data"])
    row = one(
        data, observe="share(loss < 0.5)", predicted=share, tolerance={"absolute": 0.03}, control=0.9
    )
    assert row.verdict == expected
    low, high = stats.beta.ppf(CAP, 1200, 2801), stats.beta.isf(CAP, 1201, 2800)
    assert (row.observed_low, row.observed_high) == pytest.approx((low, high), rel=1e-9)


def test_exponents_are_those_of_the_same_worlds():
    """Worlds differ by a factor of e, alike at all values: the slope is known far better than the level."""
    worlds = np.exp(normal(4, 1, 80, 1)) * np.exp(0.02 * normal(3, 4, 80, 1))
    loss = np.repeat(8.0 / np.array([1, 2, 4, 8])[:, None, None] * worlds, 4, -1)
    data = results(loss[None, None], axes={"B": [1, 2, 4, 8]})
    row = one(
        data, observe="exponent(loss, B)", predicted=-1, tolerance={"absolute": 0.02}, control=-0.5
    )
    assert row.verdict == "holds"
    means = data["loss"].isel(checkpoint=-1).mean("replicate").values.ravel()
    slope = np.polyfit(np.log([1, 2, 4, 8]), np.log(means), 1)[0]
    assert row.observed == pytest.approx(slope)
    assert "B" not in row.where
    bent = data.copy(deep=True)
    bent["loss"].loc[{"B": 8}] = bent["loss"].sel(B=4).values
    law = {
        "observe": "exponent(loss, B)",
        "predicted": -1,
        "control": -0.5,
        "tolerance": {"absolute": 0.02},
    }
    assert one(bent, **law).verdict == "fails"
    assert one(bent, **law, regime={"B": [1, 4]}).verdict == "holds"


# wrong laws -------------------------------------------------------------------------------------------------


def test_every_wrong_law_must_be_rejected():
    data = levels(2.0)
    assert one(data, control=[4.0, 1.0]).verdict == "holds"
    row = one(data, control=["20 * learning_rate + 0.001", 1.0])
    assert (row.verdict, row.control_rejected) == ("undecided", False)


def test_a_wrong_law_may_be_a_place():
    """The law holds at B = 1; at 2 it must be rejected, and is, or is not."""
    data = levels(2.0, 5.0)
    row = one(data, at={"B": 1}, control={"B": 2})
    assert (row.verdict, row.control_rejected) == ("holds", True)
    assert row.note == "at B=2 the law predicts 2, 4.973 is seen"
    alike = one(levels(2.0, 2.01), at={"B": 1}, control={"B": 2})
    assert (alike.verdict, alike.control_rejected) == ("undecided", False)
    both = results(
        np.stack([np.full((30, 4), 2.0), np.full((30, 4), 3.0)])[:, None], landscapes=("bowl", "rough")
    )
    assert one(both, landscape="bowl", control={"landscape": "rough"}).verdict == "holds"
    assert one(both, landscape="rough", predicted=3.0, control={"landscape": "bowl"}).verdict == "holds"


def test_a_control_within_the_tolerance_is_no_control():
    with pytest.raises(ValueError, match=r"law\.control: expected further from the predicted than"):
        judge(levels(2.0), control=2.05)
    with pytest.raises(ValueError, match=r"law\.control: expected further"):
        judge(levels(2.0), control=[4.0, 2.05])


# bounds, never, the regime ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "relation", "expected"),
    [
        (1.5, "<=", "holds"),
        (2.0, "<=", "holds"),
        (2.3, "<=", "fails"),
        (2.1, "<=", "undecided"),
        (2.6, ">=", "holds"),
        (2.0, ">=", "holds"),
        (1.7, ">=", "fails"),
        (1.9, ">=", "undecided"),
    ],
)
def test_bounds(mean, relation, expected):
    row = one(levels(mean, spread=0.03), relation=relation)
    assert (row.verdict, row.relation) == (expected, relation)
    assert math.isinf(row.low if relation == "<=" else row.high)


def test_the_wrong_bound_must_be_rejected():
    assert one(levels(1.5), relation="<=", control=1.0).verdict == "holds"
    assert one(levels(1.5), relation="<=", control=1.6).verdict == "undecided"
    assert one(levels(3.5), relation=">=", control=5.0).verdict == "holds"


def test_never():
    data = results(np.full((8, 4), np.inf))
    assert one(data, predicted=np.inf).verdict == "holds"
    assert one(data, predicted="inf").verdict == "holds"
    finite = one(data, predicted=np.inf, control=100.0)
    assert (finite.verdict, finite.control_rejected) == ("holds", True)
    with pytest.raises(ValueError, match=r"expected further from the predicted .* got inf"):
        judge(data, predicted=np.inf, control=np.inf)
    assert one(data, predicted=1.0).verdict == "fails"
    assert one(data, predicted=1.0, relation="<=").verdict == "fails"
    assert one(data, predicted=1.0, relation=">=").verdict == "holds"
    some = data.copy(deep=True)
    some["loss"][..., :3, :] = 1.0
    assert one(some, predicted=np.inf).verdict == "fails"
    assert one(some, predicted=1.0).verdict == "fails"
    with pytest.raises(
        ValueError, match=r"law\.predicted: expected a finite number for a bound, got inf"
    ):
        judge(data, predicted=np.inf, relation="<=")


def test_runs_that_diverged_have_an_infinite_loss():
    data = levels(2.0)
    data["status"][..., 3, 2:] = 3
    row = one(data)
    assert (row.observed, row.verdict) == (np.inf, "fails")


def test_nothing_that_has_no_number_holds():
    data = levels(2.0)
    data["loss"][:] = np.nan
    assert one(data).verdict == "undecided"
    row = one(levels(2.0), predicted="0 * log(learning_rate - 1)")
    assert row.verdict == "undecided"
    assert "has no value" in row.note
    data["status"][:] = 5
    assert (one(data).verdict, one(data).note) == ("undecided", "no world has finished")


def test_rounding_is_no_failure():
    row = one(results(2e-16 * (1 + 0.1 * normal(1, 12, 4)), draws=["data"]), predicted=0.0)
    assert (row.verdict, row.control_rejected) == ("holds", True)
    larger = results(2e-13 * (1 + 0.1 * normal(1, 12, 4)), draws=["data"])
    assert one(larger, predicted=0.0).verdict == "fails"
    absolute = {"relative": 0.05, "absolute": 1e-9}
    assert one(larger, predicted=0.0, tolerance=absolute, control=1.0).verdict == "holds"


@pytest.mark.parametrize(("draws", "expected"), [(["data"], "undecided"), ([], "holds")])
def test_equal_worlds_are_proof_only_where_no_step_draws(draws, expected):
    assert one(results(np.full((3, 4), 2.0), draws=draws)).verdict == expected


def test_the_regime_may_be_of_an_axis_or_of_a_number_that_ran():
    data = levels(2.0, 3.0)
    rows = judge(data, regime={"B": [0, 1]}, along="B")
    assert [(row.in_regime, row.verdict) for row in rows] == [(True, "holds"), (False, "fails")]
    assert all(row.in_regime for row in judge(data, regime={"learning_rate": [0, 0.5]}))
    assert not any(row.in_regime for row in judge(data, regime={"learning_rate": [0.2, 0.5]}))


def test_hits_that_are_known_to_intervals():
    def hitting(low):
        hit = 40.0 * (1 + 0.001 * normal(3, 12)[:, None])
        dims = ("landscape", "optimizer", "replicate", "target")
        both = {"hit_cost": hit, "hit_cost_low": low + 0 * hit}
        data = results(np.ones((12, 4)), draws=["data"])
        data = data.assign_coords(target_loss=("target", [0.1]))
        return data.assign({name: (dims, values[None, None]) for name, values in both.items()})

    law = {"observe": "hit(0.1)", "predicted": 39.9, "control": 80.0}
    assert one(hitting(39.8), **law).verdict == "holds"
    coarse = one(hitting(30.0), **law)
    assert (coarse.verdict, coarse.worlds_needed) == ("undecided", np.inf)
    assert "intervals that are coarser than the tolerance" in coarse.note


def test_a_quantity_of_no_world_is_refused():
    with pytest.raises(ValueError, match=r"law\.observe: expected a quantity, such as mean\(loss\)"):
        judge(levels(1.0), observe="learning_rate")
    with pytest.raises(ValueError, match="unknown quantity 'lass'; did you mean 'loss'"):
        judge(levels(1.0), observe="mean(lass)")


# what figures are drawn from ---------------------------------------------------------------------------------


def test_facts_of_a_law():
    entry = {
        "kind": "law",
        "optimizer": "SGD",
        "observe": LATE,
        "predicted": "8 / B",
        "control": "16 / B",
        "along": "B",
        "regime": {"B": [1, 2]},
        "relation": "=",
    }
    order = {"kind": "ordering", "better": "SGD", "worse": "ES"}
    data = levels(8.0, 4.0, 3.0, claims={"1/B": entry, "order": order}, landscapes=("a", "b"))
    facts = law_facts(data, together_of(data))
    assert [*facts] == ["1/B"]
    law = facts["1/B"]
    assert law["curve"].values.tolist() == ["a, SGD", "b, SGD"]
    assert law["B"].values.tolist() == [1, 2, 4]
    assert law["observed"].dims == ("curve", "B")
    assert law["predicted"].sel(curve="b, SGD").values.tolist() == [8.0, 4.0, 2.0]
    assert law["control"].sel(curve="a, SGD").values.tolist() == [16.0, 8.0, 4.0]
    assert law["verdict"].sel(curve="a, SGD").values.tolist() == ["holds", "holds", "fails"]
    assert law["in_regime"].sel(curve="a, SGD").values.tolist() == [True, True, False]
    low, high = law["accepted"].sel(curve="a, SGD", B=2).values
    assert (low, high) == pytest.approx((3.8, 4.2))
    inside = law["observed_interval"]
    assert (inside.sel(bound="low") < law["observed"]).all()
    assert (law["observed"] < inside.sel(bound="high")).all()
    assert law.attrs == {"claim": "1/B", "along": "B", "observe": LATE, "relation": "="}


def together_of(data):
    from studies.claims import judge as judge_all

    return judge_all(data)


# size and power ---------------------------------------------------------------------------------------------

STUDIES = 2000


@pytest.mark.verify
@pytest.mark.parametrize("worlds", [16, 64])
@pytest.mark.parametrize(
    "observe", ["mean(loss, since=0.5)", "median(loss)", 'loss["ES"] - loss["SGD"]']
)
@pytest.mark.parametrize("off", [1, -1])
def test_few_verdicts_are_wrong(worlds, observe, off):
    """At the edge of the tolerance both verdicts would be wrong: neither is given in more than 5 %."""
    counts = {"holds": 0, "fails": 0, "undecided": 0}
    for number in range(STUDIES // 10):
        draw = np.random.default_rng([worlds, off + 1, number])
        x = draw.exponential(size=(2, worlds))
        if "median" in observe:
            loss, truth = x, math.log(2)
        else:
            loss, truth = np.stack([x[0], x[0] + x[1]]), 1.0
        data = results(
            np.repeat(loss[None, :, :, None], 4, -1), optimizers=("SGD", "ES"), draws=["data"]
        )
        law = {"predicted": truth / (1 + 0.1 * off), "tolerance": 0.1, "control": 50.0}
        alone = None if "ES" in observe else "SGD"
        counts[one(data, optimizer=alone, observe=observe, **law).verdict] += 1
    assert counts["holds"] <= 0.05 * STUDIES / 10
    assert counts["fails"] <= 0.05 * STUDIES / 10
