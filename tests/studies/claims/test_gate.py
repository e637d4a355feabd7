"""The rule of verdicts: against its words, against closed forms of its intervals, and by simulation."""

import itertools
import math

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from studies.claims.gate import accepted, chances, errors_needed, interval, needed, verdict
from studies.claims.jackknife import jackknife
from studies.claims.judging import judgement
from studies.claims.measured import CAP, FEWEST, Law, Measured, Scale
from studies.claims.simultaneous import together
from tests.support.each import each

LAW = Law(predicted=1.0, control=2.0, tolerance=0.1)
MANY = 10**6


def measured(value, error, units=MANY, **known):
    return Measured(value, error, units, units, **known)


def said(law, seen):
    return judgement("law", law, seen, where={}, quantity="loss", in_regime=True)


@each(
    ("value", "error", "expected", "sharp"),
    [
        (1.05, 0.001, "holds", True),
        (1.05, 0.016, "holds", True),  # 1.05 + 3 * 0.016 = 1.098
        (1.05, 0.017, "undecided", True),  # 1.05 + 3 * 0.017 = 1.101 lies outside
        (
            1.25,
            0.1,
            "undecided",
            True,
        ),  # three errors reach the tolerance: that was once enough to hold
        (1.12, 0.01, "undecided", True),  # outside, and yet so near that it may be inside
        (1.14, 0.01, "fails", True),
        (1.0, 0.4, "undecided", False),  # a wrong law would pass as well
        (2.0, 0.001, "fails", False),
        (math.inf, math.nan, "fails", False),
        (math.nan, math.nan, "undecided", False),
        (1.0, math.nan, "undecided", False),
    ],
)
def test_the_rule(value, error, expected, sharp):
    assert verdict(LAW, measured(value, error)) == (expected, sharp)


def test_it_holds_inside_fails_outside_and_is_undecided_else():
    """On a grid, in the words of intervals.

    K errors around the observed, the tolerance around the predicted and around the control.
    """
    for value, error, control, tolerance in itertools.product(
        np.linspace(0, 3, 31), (0.001, 0.01, 0.1, 1), (0.5, 1.05, 2.0), (0, 0.05, 0.5)
    ):
        law, sure = (
            Law(predicted=1.0, control=control, tolerance=tolerance),
            errors_needed(MANY) * error,
        )
        found, sharp = verdict(law, measured(value, error))
        wrong = abs(value - control) > tolerance * control + sure
        assert sharp == wrong
        assert (found == "holds") == (abs(value - 1) < tolerance - sure and wrong)
        if tolerance:
            assert (found == "fails") == (abs(value - 1) > tolerance + sure)


def test_42_percent_off_does_not_hold_at_8_worlds():
    """The case of the issue: 42 % off at a tolerance of 5 %, whose error is so large that three of them reach the predicted."""
    row = said(Law(predicted=1.0, control=20.0, tolerance=0.05), measured(1.42, 0.1, 8))
    assert row.verdict == "undecided"
    assert row.note == f"about {row.worlds_needed:.0f} worlds would decide"
    more = measured(1.42, 0.1 * math.sqrt(8 / row.worlds_needed), int(row.worlds_needed))
    assert verdict(Law(predicted=1.0, control=20.0, tolerance=0.05), more)[0] == "fails"


def test_where_only_the_wrong_law_is_in_the_way_the_note_says_so():
    """1.04 is within 5 % of 1, and will be with any more worlds; it is as near to 1.06, the wrong law."""
    row = said(Law(predicted=1.0, control=1.06, tolerance=0.05), measured(1.04, 0.001))
    assert (row.verdict, row.worlds_needed) == ("undecided", math.inf)
    assert row.note.startswith("the wrong law lies too near what was observed")


def test_the_worlds_that_are_needed_are_those_that_decide():
    """Where the error falls as 1 / sqrt(n): (tolerance - |d|) = k error, by hand for large n.

    N = (3 * 5 / 0.06)^2.
    """
    law = Law(predicted=1.0, control=2.0, tolerance=0.1)
    seen = measured(1.04, 5 / 10, 100)
    assert needed(law, seen) == pytest.approx((3 * 5 / 0.06) ** 2, rel=0.02)
    assert needed(law, measured(1.04, 1e-5, 100)) == 0
    assert needed(law, measured(1.1, 0.5, 100)) > 10**8  # on the edge
    assert math.isnan(needed(law, measured(1.0, math.nan, 1)))


def test_what_is_not_finite():
    for control in (2.0, math.nan):
        assert (
            said(Law(predicted=math.nan, control=control, tolerance=0.1), measured(1.0, 0.001)).verdict
            == "undecided"
        )
    never = Law(predicted=math.inf, control=0.0, tolerance=0.1)
    assert said(never, measured(math.inf, math.nan, 8, never=True)).verdict == "holds"
    assert said(never, measured(math.inf, math.nan, 8)).verdict == "fails"  # one world is not infinite
    assert said(never, measured(3.0, 0.1, 8)).verdict == "fails"
    assert (
        said(
            Law(predicted=math.inf, control=math.inf, tolerance=0.1),
            measured(math.inf, math.nan, 8, never=True),
        ).verdict
        == "undecided"
    )
    assert said(LAW, measured(math.inf, math.nan, 8, never=True)).verdict == "fails"
    assert (
        said(
            Law(predicted=-math.inf, control=0.0, tolerance=0.1),
            measured(math.inf, math.nan, 8, never=True),
        ).verdict
        == "fails"
    )
    unseen = measured(math.inf, math.nan, 8, never=True, least=1.05)
    assert said(LAW, unseen).verdict == "undecided"  # a running time that may be as short as that
    assert said(LAW, unseen._replace(least=1.2)).verdict == "fails"


@pytest.mark.parametrize("exact", [True, False])
def test_a_law_that_predicts_0_holds_on_zeros(exact):
    """Its relative tolerance is 0, and so is what rounding may do.

    What it sees lies at the end of what is accepted, not beyond.
    """
    law = Law(predicted=0.0, control=1.0, tolerance=0.05)
    assert verdict(law, Measured(0.0, 0.0, 50, 50, exact=exact)) == ("holds", True)
    assert verdict(law, Measured(1e-9, 0.0, 50, 50, exact=True))[0] == "fails"


def test_rounding_is_no_failure():
    zero = Law(predicted=0.0, control=1.0, tolerance=0.05)
    assert verdict(zero, measured(2e-16, 1e-18, floor=7e-15))[0] == "holds"
    assert verdict(zero, measured(2e-12, 1e-18, floor=7e-15))[0] == "fails"
    assert (
        verdict(Law(predicted=0.0, control=1.0, tolerance=0.05, absolute=1e-9), measured(2e-12, 1e-18))[
            0
        ]
        == "holds"
    )
    assert (
        verdict(Law(predicted=1.0, control=2.0, tolerance=0.0), measured(1 + 4e-16, 1e-20))[0]
        == "holds"
    )


class TestNoSpread:
    law = Law(predicted=40.0, control=80.0, tolerance=0.05)

    @pytest.mark.parametrize(
        ("worlds", "expected"), [(3, "undecided"), (9, "undecided"), (100, "undecided"), (200, "holds")]
    )
    def test_equal_worlds_are_no_proof(self, worlds, expected):
        """0.00135^(1/n) of all worlds are so: at 129 worlds that is 95 %."""
        assert verdict(self.law, measured(40.0, 0.0, worlds))[0] == expected

    def test_where_nothing_random_entered_they_are(self):
        assert verdict(self.law, measured(40.0, 0.0, 2, exact=True))[0] == "holds"
        assert verdict(self.law, measured(43.0, 0.0, 2, exact=True))[0] == "fails"

    def test_what_is_far_off_fails(self):
        assert verdict(self.law, measured(400.0, 0.0, 64))[0] == "fails"
        assert verdict(self.law, measured(400.0, 0.0, FEWEST - 1))[0] == "undecided"

    @pytest.mark.parametrize("hits", [0, 1, 13, 40])
    def test_a_share_has_the_binomial_interval(self, hits):
        seen = measured(hits / 40, 0.0 if hits in (0, 40) else 0.05, 40, share=True)
        low, high = interval(LAW, seen)
        exact = stats.binomtest(hits, 40).proportion_ci(1 - 2 * CAP, "exact")
        assert (low, high) == pytest.approx(tuple(exact))
        for share in np.linspace(
            0.005, 0.995, 199
        ):  # a wider tolerance around the end decides as the interval says
            law = Law(predicted=share, control=9.0, tolerance=0.0)
            assert (verdict(law, seen)[0] == "fails") == (not low <= share <= high)


def test_the_upper_end_of_what_is_positive_is_that_of_its_logarithm():
    low, high = interval(LAW, measured(2.0, 0.3, 20, positive=True))
    k = errors_needed(20)
    assert (low, high) == pytest.approx((2 - 0.3 * k, 2 * math.exp(0.3 * k / 2)))
    assert (
        verdict(
            Law(predicted=high * 1.001, control=9e9, tolerance=0.0),
            measured(2.0, 0.3, 20, positive=True),
        )[0]
        == "fails"
    )
    assert (
        verdict(
            Law(predicted=high * 0.999, control=9e9, tolerance=0.0),
            measured(2.0, 0.3, 20, positive=True),
        )[0]
        == "undecided"
    )


def test_what_cannot_be_negative_has_the_ends_of_the_logarithm():
    """Of 5 worlds 4.5 errors of 0.9 are more than the 2.0 that was seen; a plain interval reaches below 0."""
    seen, k = measured(2.0, 0.9, 5, nonnegative=True), errors_needed(5)
    low, high = interval(LAW, seen)
    assert 2 - 0.9 * k < 0 < low
    assert (low, high) == pytest.approx((2 * math.exp(-0.45 * k), 2 * math.exp(0.45 * k)))
    for end, factor, expected in ((low, 0.999, "fails"), (low, 1.001, "undecided")):
        law = Law(predicted=end * factor, control=9e9, tolerance=0.0)
        assert verdict(law, seen)[0] == expected


def test_no_end_lies_below_zero_of_what_cannot_be_negative():
    """Also where it is 0 itself, where all worlds are equal, and where the lower end is not known."""
    zero = measured(0.0, 0.5, 20, nonnegative=True)
    same = measured(2.0, 0.0, 20, nonnegative=True)
    open_end = measured(2.0, 0.1, 20, nonnegative=True, error_below=math.inf)
    far = Law(predicted=50.0, control=90.0, tolerance=0.1)
    for seen in (zero, same, open_end):
        assert interval(far, seen)[0] == 0.0
    assert interval(far, open_end)[1] == pytest.approx(2 * math.exp(0.05 * errors_needed(20)))


def test_an_end_beyond_all_numbers_is_open():
    """2 exp(k error / 2) is more than the largest number, 1.8e308, where k error / 2 is above 709."""
    k = errors_needed(20)
    ends = {
        error: interval(LAW, measured(2.0, error, 20, nonnegative=True))[1]
        for error in (math.inf, 1420 / k, 1400 / k)
    }
    assert (ends[math.inf], ends[1420 / k]) == (math.inf, math.inf)
    assert ends[1400 / k] == pytest.approx(2 * math.exp(700))


def test_an_end_with_an_error_of_its_own():
    seen, k = measured(2.0, 0.3, 20, error_below=0.1), errors_needed(20)
    assert interval(LAW, seen) == pytest.approx((2 - 0.1 * k, 2 + 0.3 * k))
    ends = {1: (2 - 0.1 * k) * 0.999, 2: (2 + 0.3 * k) * 1.001}
    assert all(
        verdict(Law(predicted=end, control=9e9, tolerance=0.0), seen)[0] == "fails"
        for end in ends.values()
    )
    assert said(LAW, seen).standard_error == pytest.approx(0.3)
    more = needed(Law(predicted=1.7, control=9e9, tolerance=0.0), seen)
    assert verdict(Law(predicted=1.7, control=9e9, tolerance=0.0), seen)[0] == "undecided"
    assert more == pytest.approx(20 * (0.1 * 3.0 / 0.3) ** 2, rel=0.5)


def test_the_end_of_the_longer_tail_lies_further_out():
    k = errors_needed(16)
    low, high = interval(LAW, measured(2.0, 0.3, 16, skew=1.2))
    assert (low, high) == pytest.approx((2 - 0.3 * k, 2 + 0.3 * (k + 1.2 * (1 + 2 * k**2) / 24)))
    assert interval(LAW, measured(2.0, 0.3, 16, skew=-1.2)) == pytest.approx((4 - high, 4 - low))
    for factor, expected in ((1.001, "fails"), (0.999, "undecided")):
        law = Law(predicted=2 + factor * (high - 2), control=9e9, tolerance=0.0)
        assert verdict(law, measured(2.0, 0.3, 16, skew=1.2))[0] == expected


def test_hits_that_are_known_to_intervals():
    law = Law(predicted=100.0, control=200.0, tolerance=0.1)
    assert verdict(law, measured(104.0, 0.1, low=96.0))[0] == "holds"
    assert verdict(law, measured(114.0, 0.1, low=112.0))[0] == "fails"
    coarse = said(law, measured(114.0, 0.1, 50, low=96.0))
    assert coarse.verdict == "undecided"
    assert (
        coarse.note
        == "hits are known to intervals that are coarser than the tolerance: no number of worlds decides"
    )


def test_errors_needed_has_the_level_of_three_normal_errors():
    assert errors_needed(10**7) == pytest.approx(3, abs=1e-5)
    assert (
        errors_needed(8)
        == pytest.approx(stats.t.isf(stats.norm.sf(3), 7))
        == pytest.approx(4.53, abs=0.01)
    )
    assert math.isnan(errors_needed(1))


def test_a_relative_tolerance_of_a_factor_is_one_of_its_logarithm():
    scale = Scale(there=math.log, back=math.exp)
    law = Law(predicted=0.98, control=0.99, tolerance=0.02, scale=scale)
    row = said(law, Measured(math.log(0.9801), 1e-6, 50, 50))
    assert (row.verdict, row.control_rejected) == ("holds", True)
    assert row.observed == pytest.approx(0.9801)
    assert row.standard_error == pytest.approx(0.9801e-6, rel=1e-6)
    assert (row.low, row.high) == pytest.approx((0.98**1.02, 0.98**0.98))
    assert verdict(law, Measured(math.log(0.981), 1e-6, 50, 50))[0] == "fails"  # 5 % slower


def test_what_holds_lies_within_what_is_accepted():
    for error, value in itertools.product((0.001, 0.02), np.linspace(0.7, 1.3, 101)):
        seen = measured(value, error)
        (low, high), (near, far) = accepted(LAW, seen), interval(LAW, seen)
        assert (verdict(LAW, seen)[0] == "holds") == (low < near and far < high)


class TestTogether:
    """Holm's method, in each of the two families."""

    def rows(self, holds, fails, verdicts, **given):
        told = said(LAW, measured(1.0, 0.01, 50))
        return [
            told._replace(p_holds=a, p_fails=b, verdict=v, **given)
            for a, b, v in zip(holds, fails, verdicts, strict=True)
        ]

    def test_up_to_37_judgements_change_nothing(self):
        found = self.rows([CAP] * 20 + [1] * 17, [1] * 20 + [CAP] * 17, ["holds"] * 20 + ["fails"] * 17)
        assert together(found) == found

    def test_of_200_those_are_kept_that_statsmodels_keeps(self):
        from statsmodels.stats.multitest import multipletests

        p = np.linspace(1e-4, CAP, 200)
        found = together(self.rows(p, [1.0] * 200, ["holds"] * 200))
        kept = [row.verdict == "holds" for row in found]
        assert kept == multipletests(p, 0.05, "holm")[0].tolist()
        assert 0 < sum(kept) < 200
        assert found[-1].note.startswith(
            "alone it holds, but not surely enough among the 200 judgements of the study; about"
        )
        assert found[-1].worlds_needed == pytest.approx(
            50 * (stats.norm.isf(0.05 / 200) / 3) ** 2, abs=1
        )

    def test_what_is_outside_its_regime_does_not_count(self):
        assert (
            together(self.rows([CAP] * 90, [1] * 90, ["holds"] * 90, in_regime=False))[0].verdict
            == "holds"
        )
        assert together(self.rows([CAP] * 90, [1] * 90, ["holds"] * 90))[0].verdict == "undecided"


def test_chances_of_both_errors_are_those_of_schuirmann():
    """Two one-sided t tests, written out."""
    sample = np.random.default_rng(7).normal(1.02, 0.1, 30)
    seen = measured(sample.mean(), stats.sem(sample), 30)
    low = stats.ttest_1samp(sample, 0.9, alternative="greater").pvalue
    high = stats.ttest_1samp(sample, 1.1, alternative="less").pvalue
    found = chances(LAW, seen)
    assert found.holds == pytest.approx(max(low, high))
    assert found.fails == pytest.approx(min(1 - low, 1 - high))


class TestJackknife:
    def part(self, values, **coords):
        return xr.DataArray(
            values,
            dims="replicate",
            coords={name: ("replicate", given) for name, given in coords.items()},
        )

    def test_of_a_mean_is_the_textbook_error(self):
        values = np.random.default_rng(1).normal(size=37)
        found = jackknife(np.mean, [self.part(values)])
        assert found.error == pytest.approx(stats.sem(values), rel=1e-12)
        assert (found.units, found.worlds) == (37, 37)

    def test_of_a_ratio_is_that_of_the_delta_method(self):
        above, below = np.random.default_rng(2).gamma(4, size=(2, 2000))
        found = jackknife(
            lambda a, b, axis: a.mean(axis) / b.mean(axis), [self.part(above), self.part(below)]
        )
        residual = (above - found.value * below) / below.mean()
        assert found.error == pytest.approx(
            residual.std() / 2000**0.5, rel=0.15
        )  # 200 groups: 5 % of itself
        assert (found.units, found.worlds) == (200, 2000)

    def test_worlds_that_share_an_instance_are_one_unit(self):
        rng = np.random.default_rng(3)
        instance = np.repeat(np.arange(12), 8)
        values = rng.normal(size=12)[instance] + 0.1 * rng.normal(size=96)
        found = jackknife(np.mean, [self.part(values, instance=instance)])
        assert found.error == pytest.approx(stats.sem(values.reshape(12, 8).mean(1)), rel=1e-12)
        assert (
            found.error > 2 * jackknife(np.mean, [self.part(values)]).error
        )  # the mutant: worlds taken for independent
        assert (found.units, found.worlds) == (12, 96)

    def test_of_one_instance_alone_worlds_are_the_units(self):
        assert jackknife(np.mean, [self.part(np.arange(5.0), instance=np.zeros(5))]).units == 5

    def test_worlds_without_numbers_are_left_out(self):
        values = np.array([1.0, 2.0, np.nan, 4.0])
        found = jackknife(np.mean, [self.part(values), self.part(np.ones(4))][:1])
        assert found.value == pytest.approx(7 / 3)
        assert found.worlds == 3

    def test_equal_worlds_have_an_error_of_exactly_0(self):
        assert jackknife(np.mean, [self.part(np.full(7, 0.1))]).error == 0.0

    def test_every_world_infinite_is_never(self):
        assert jackknife(np.mean, [self.part(np.full(7, np.inf))]).never
        assert not jackknife(np.mean, [self.part(np.array([1.0, np.inf]))]).never

    @pytest.mark.parametrize("values", [[], [np.nan], [3.0]])
    def test_too_few(self, values):
        found = jackknife(np.mean, [self.part(np.array(values, float))])
        assert math.isnan(found.error)
