"""Ratios of two shares: the score by another way, and how often the interval holds, of all tables there are."""

import itertools

import numpy as np
import pytest
import xarray as xr
from scipy import special, stats
from scipy.optimize import minimize_scalar

from studies.analysis.intervals.share_ratios import ratio_of_shares, score
from tests.support.each import each

SHARES = (0.05, 0.1, 0.2, 0.5, 0.8)
ALIKE = (0.0, 0.25, 0.5, 0.75, 0.9)  # of the way from independent worlds to the likest
Z = stats.norm.ppf(0.975)


def tables(worlds):
    """All numbers of worlds of both, one, the other, neither: (4, tables)."""
    counts = np.indices((worlds + 1,) * 3).reshape(3, -1)
    counts = counts[:, counts.sum(0) <= worlds]
    return np.concatenate([counts, worlds - counts.sum(0, keepdims=True)]).astype(float)


def chances(first, second, alike):
    """Those of both, one, the other, neither."""
    both = first * second + alike * (min(first, second) - first * second)
    return np.array([both, first - both, second - both, 1 - first - second + both])


def probabilities(table, chance):
    """Multinomial, of each table."""
    sizes = special.gammaln(table.sum(0) + 1) - special.gammaln(table + 1).sum(0)
    return np.exp(sizes + special.xlogy(table, chance[:, None]).sum(0))


def told(both, one, other, neither, level=0.95):
    """The interval of so many worlds."""
    pairs = [(1, 1)] * both + [(1, 0)] * one + [(0, 1)] * other + [(0, 0)] * neither
    first, second = (
        xr.DataArray(list(map(float, side)), dims="replicate") for side in zip(*pairs, strict=True)
    )
    found = ratio_of_shares("ratio", first, second, long_name="ratio", level=level)
    return found["ratio"].item(), *found["ratio_interval"].values.tolist()


def held(worlds):
    """Expected worlds that tell the two apart, and how often the score test leaves the truth: of each case."""
    table = tables(worlds)
    for alike, (first, second) in itertools.product(ALIKE, itertools.product(SHARES, SHARES)):
        chance = chances(first, second, alike)
        with np.errstate(all="ignore"):
            kept = np.abs(score(tuple(table), first / second)) <= Z
        kept |= table[3] == worlds  # no world says anything
        yield worlds * (chance[1] + chance[2]), (probabilities(table, chance) * kept).sum()


def test_enough_worlds_that_tell_the_two_apart_hold_the_truth_as_often_as_asked():
    """Exactly, of all tables of 32 worlds: 95 +- 3 %; and what few of them give, which is why there is a bound."""
    cases = [*held(32)]
    enough = [share for apart, share in cases if apart >= 2.5]
    assert len(enough) > 100
    assert 0.92 < min(enough) < max(enough) < 0.98
    assert min(share for apart, share in cases if apart < 2) > 0.97


@pytest.mark.verify
def test_twice_as_many_worlds_too():
    enough = [share for apart, share in held(64) if apart >= 2.5]
    assert 0.92 < min(enough) < max(enough) < 0.98


@each("ratio", [0.2, 0.9, 1.0, 1.7, 6.0])
@each("table", [(5, 3, 2, 22), (1, 0, 4, 27), (0, 3, 1, 28), (20, 7, 0, 5), (2, 9, 9, 0)])
def test_the_score_is_that_of_the_likeliest_chances(table, ratio):
    """Found by a search along the one free chance."""
    both, one, other, _ = table
    worlds, some = sum(table), sum(table[:3]) / sum(table)

    def chances_at(chance):
        return (some - (1 + ratio) * chance) / ratio, ((ratio - 1) * some + chance) / ratio, chance

    def unlikely(chance):
        return -sum(special.xlogy(table[:3], np.maximum(chances_at(chance), 0.0)))

    ends = max(0.0, (1 - ratio) * some), some / (1 + ratio)
    found = minimize_scalar(unlikely, bounds=ends, method="bounded", options={"xatol": 1e-12}).x
    of_both, of_one, of_other = chances_at(found)
    variance = of_one + ratio**2 * of_other + (1 - ratio) ** 2 * of_both
    expected = (both + one - ratio * (both + other)) / np.sqrt(worlds * variance)
    made = score(tuple(map(np.float64, table)), ratio)
    assert made == pytest.approx(expected, rel=1e-4, abs=1e-6)


@each("level", [0.9, 0.95, 0.9973])
@each("table", [(5, 3, 2, 22), (0, 2, 1, 29), (31, 1, 0, 0), (8, 0, 0, 24)])
def test_an_end_is_where_the_test_just_rejects(table, level):
    value, *ends = told(*table, level=level)
    counts = tuple(map(np.float64, table))
    assert ends[0] < value < ends[1]
    z = stats.norm.ppf((1 + level) / 2)
    assert [score(counts, end) for end in ends] == pytest.approx([z, -z], rel=1e-6)


def test_the_two_exchanged_give_one_over_the_ratio():
    value, low, high = told(4, 9, 2, 17)
    assert told(4, 2, 9, 17) == pytest.approx((1 / value, 1 / high, 1 / low))


class TestWhereAShareIsZero:
    def test_of_the_first_the_low_end_is_zero(self):
        """The score of r is - sqrt(3 r) where only the second held, thrice."""
        assert told(0, 0, 3, 29) == pytest.approx((0, 0, Z**2 / 3))

    def test_of_the_second_the_high_end_is_endless(self):
        value, low, high = told(0, 3, 0, 29)
        assert (value, high) == (np.inf, np.inf)
        assert low == pytest.approx(3 / Z**2)

    def test_of_both_nothing_is_known(self):
        assert np.isnan(told(0, 0, 0, 32)).all()


def test_a_world_without_one_of_the_two_is_left_out():
    first = xr.DataArray([1.0, 1.0, 0.0, np.nan, 0.0, 1.0], dims="replicate")
    second = xr.DataArray([1.0, 0.0, 1.0, 1.0, 0.0, np.nan], dims="replicate")
    found = ratio_of_shares("ratio", first, second, long_name="ratio")
    assert (found["ratio"].item(), *found["ratio_interval"].values) == pytest.approx(told(1, 1, 1, 1))
