"""The rule of verdicts, against its words, on a grid and by simulation."""

import itertools
import math

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from studies.claims.gate import Law, Measured, Scale, accepted, errors_needed, judgement, verdict
from studies.claims.jackknife import jackknife

LAW = Law(predicted=1.0, control=2.0, tolerance=0.1)


def measured(value, error, units=10**6):
    return Measured(value, error, units, units)


@pytest.mark.parametrize(
    ("value", "error", "expected", "sharp"),
    [
        (1.05, 0.001, "holds", True),
        (1.05, 0.02, "holds", True),
        (1.25, 0.1, "holds", True),  # within three errors, though outside the tolerance; 2 is 7.5 errors off
        (1.12, 0.01, "undecided", True),  # outside, and yet so near that it may be inside
        (1.14, 0.01, "fails", True),
        (1.0, 0.4, "undecided", False),  # a wrong law would pass as well
        (2.0, 0.001, "fails", False),
        (math.inf, math.nan, "fails", True),
        (math.nan, math.nan, "undecided", False),
        (1.0, math.nan, "undecided", False),
    ],
)
def test_the_rule(value, error, expected, sharp):
    assert verdict(LAW, measured(value, error)) == (expected, sharp)


def test_a_claim_whose_control_is_not_rejected_never_holds():
    for value, error, control, tolerance in itertools.product(np.linspace(0, 3, 31), (0, 0.01, 0.1, 1), (0.5, 1.05, 2.0), (0, 0.05, 0.5)):
        law = Law(predicted=1.0, control=control, tolerance=tolerance)
        found, sharp = verdict(law, measured(value, error))
        assert sharp == (abs(value - control) > max(tolerance * control, errors_needed(10**6) * error))
        assert found != "holds" or sharp
        assert (found == "fails") == (abs(value - 1) > tolerance + errors_needed(10**6) * error)


def test_errors_needed_has_the_level_of_three_normal_errors():
    assert errors_needed(10**7) == pytest.approx(3, abs=1e-5)
    assert errors_needed(8) == pytest.approx(stats.t.isf(stats.norm.sf(3), 7)) == pytest.approx(4.53, abs=0.01)
    assert math.isnan(errors_needed(1))


def test_false_alarms_are_as_many_as_the_level_says():
    """6,000 studies of 6 worlds each, with no tolerance: 0.27 % of true laws fail; with three plain errors it would be 3 %."""
    sample = np.random.default_rng(5).normal(1, 1, (6000, 6))
    law = Law(predicted=1.0, control=100.0, tolerance=0.0)
    found = [verdict(law, Measured(row.mean(), row.std(ddof=1) / 6**0.5, 6, 6))[0] for row in sample]
    level = 2 * stats.norm.sf(3)
    assert abs(found.count("fails") / 6000 - level) < 4.5 * math.sqrt(level / 6000)


def test_a_relative_tolerance_of_a_factor_is_one_of_its_logarithm():
    scale = Scale(there=math.log, back=math.exp)
    law = Law(predicted=0.98, control=0.99, tolerance=0.02, scale=scale)
    row = judgement("rate", law, Measured(math.log(0.9801), 1e-6, 50, 50), where={}, quantity="factor", in_regime=True)
    assert (row.verdict, row.control_rejected) == ("holds", True)
    assert row.observed == pytest.approx(0.9801)
    assert row.standard_error == pytest.approx(0.9801e-6, rel=1e-6)
    assert (row.low, row.high) == pytest.approx((0.98**1.02, 0.98**0.98))
    assert verdict(law, Measured(math.log(0.981), 1e-6, 50, 50))[0] == "fails"  # 5 % slower


def test_what_is_accepted_is_what_holds():
    for error in (0.001, 0.05):
        low, high = accepted(LAW, measured(1.0, error))
        for value in np.linspace(0.7, 1.3, 101):
            assert (verdict(LAW, measured(value, error))[0] == "holds") == (low <= value <= high)


class TestJackknife:
    def part(self, values, **coords):
        return xr.DataArray(values, dims="replicate", coords={name: ("replicate", given) for name, given in coords.items()})

    def test_of_a_mean_is_the_textbook_error(self):
        values = np.random.default_rng(1).normal(size=37)
        found = jackknife(np.mean, [self.part(values)])
        assert found.error == pytest.approx(stats.sem(values), rel=1e-12)
        assert (found.units, found.worlds) == (37, 37)

    def test_of_a_ratio_is_that_of_the_delta_method(self):
        above, below = np.random.default_rng(2).gamma(4, size=(2, 2000))
        found = jackknife(lambda a, b, axis: a.mean(axis) / b.mean(axis), [self.part(above), self.part(below)])
        residual = (above - found.value * below) / below.mean()
        assert found.error == pytest.approx(residual.std() / 2000**0.5, rel=0.15)  # 200 groups: 5 % of itself
        assert (found.units, found.worlds) == (200, 2000)

    def test_worlds_that_share_an_instance_are_one_unit(self):
        rng = np.random.default_rng(3)
        instance = np.repeat(np.arange(12), 8)
        values = rng.normal(size=12)[instance] + 0.1 * rng.normal(size=96)
        found = jackknife(np.mean, [self.part(values, instance=instance)])
        assert found.error == pytest.approx(stats.sem(values.reshape(12, 8).mean(1)), rel=1e-12)
        assert found.error > 2 * jackknife(np.mean, [self.part(values)]).error  # the mutant: worlds taken for independent
        assert (found.units, found.worlds) == (12, 96)

    def test_of_one_instance_alone_worlds_are_the_units(self):
        assert jackknife(np.mean, [self.part(np.arange(5.0), instance=np.zeros(5))]).units == 5

    def test_worlds_without_numbers_are_left_out(self):
        values = np.array([1.0, 2.0, np.nan, 4.0])
        found = jackknife(np.mean, [self.part(values), self.part(np.ones(4))][:1])
        assert found.value == pytest.approx(7 / 3)
        assert found.worlds == 3

    @pytest.mark.parametrize("values", [[], [np.nan], [3.0]])
    def test_too_few(self, values):
        found = jackknife(np.mean, [self.part(np.array(values, float))])
        assert math.isnan(found.error)
