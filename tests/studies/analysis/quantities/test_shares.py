"""Intervals of what is made of shares: from those of a share and of a ratio, by hand."""

import math

import numpy as np
import pytest

from studies.analysis.intervals.share_ratios import ratio_of_shares
from studies.analysis.quantities.evaluate import quantity
from tests.support.claims import results
from tests.support.each import each

A, B, NONE = '(share(loss["SGD"] < 2))', '(share(loss["ES"] < 2))', '(share(loss["ES"] < 0))'
RATIO = f"({A} / {B})"
TABLE = (5, 3, 8, 16)  # worlds in which both are below 2, the first alone, the second alone, neither


def of_table(table, **given):
    """Losses of 1, or 3, at all checkpoints."""
    both, one, other, neither = table
    first = [1.0] * (both + one) + [3.0] * (other + neither)
    second = [1.0] * both + [3.0] * one + [1.0] * other + [3.0] * neither
    loss = np.repeat(np.array([[first, second]])[..., None], 4, -1)
    return results(loss, optimizers=("SGD", "ES"), **given)


def asked(text, table=TABLE, **given):
    """The value and the ends."""
    found = quantity(of_table(table, **given), text)
    return (found["quantity"].item(), *found["quantity_interval"].values.ravel().tolist())


def ratio(table=TABLE):
    """Those of the ratio of the shares, from the worlds themselves."""
    loss = of_table(table)["loss"].isel(checkpoint=-1, landscape=0)
    first, second = ((loss.sel(optimizer=name) < 2).astype(float) for name in ("SGD", "ES"))
    found = ratio_of_shares("ratio", first, second, long_name="ratio")
    return (found["ratio"].item(), *found["ratio_interval"].values.tolist())


R, LOW, HIGH = ratio()


@each(
    ("text", "ends"),
    [
        (f"2 * {A} / {B}", (2 * LOW, 2 * HIGH)),
        (f"2 * {RATIO}", (2 * LOW, 2 * HIGH)),
        (f"{A} / (4 * {B})", (LOW / 4, HIGH / 4)),
        (f"{A} * 3 / {B} / 4", (0.75 * LOW, 0.75 * HIGH)),
        (f"1 / ({B} / {A})", (LOW, HIGH)),
        (f"1 / {B} * {A}", (LOW, HIGH)),
        (f"-{A} / {B}", (-HIGH, -LOW)),
        (f"{RATIO} - 1", (LOW - 1, HIGH - 1)),
        (f"({RATIO} - 1) / 2", ((LOW - 1) / 2, (HIGH - 1) / 2)),
        (f"1 - {RATIO}", (1 - HIGH, 1 - LOW)),
        (f"log({RATIO})", (math.log(LOW), math.log(HIGH))),
        (f"log10(10 * {RATIO})", (math.log10(LOW) + 1, math.log10(HIGH) + 1)),
        (f"exp(-{RATIO})", (math.exp(-HIGH), math.exp(-LOW))),
        (f"sqrt({RATIO})", (math.sqrt(LOW), math.sqrt(HIGH))),
        (f"{RATIO} ** -2", (HIGH**-2, LOW**-2)),
        (f"2 ** ({RATIO} - 1)", (2 ** (LOW - 1), 2 ** (HIGH - 1))),
        (f'dim["SGD"] * {RATIO}', (3 * LOW, 3 * HIGH)),
    ],
)
def test_around_a_ratio_of_shares_the_ends_are_those_of_its_ends(text, ends):
    """The quantity itself is what it is at the ratio 8 / 13, between the two."""
    value, *found = asked(text)
    assert found == pytest.approx(ends)
    assert found[0] < value < found[1]


@each(
    ("text", "ends"),
    [
        (f"1 / ({RATIO} - 1)", (-math.inf, math.inf)),  # it has a pole within the interval
        (f"({RATIO} - 1) ** 2", (0.0, max((LOW - 1) ** 2, (HIGH - 1) ** 2))),
        (f"abs({RATIO} - 1)", (0.0, max(1 - LOW, HIGH - 1))),
        (f"sqrt(1 - {RATIO})", (0.0, math.sqrt(1 - LOW))),  # of ratios above 1 there is none
        (f"log(1 - {RATIO})", (-math.inf, math.log(1 - LOW))),
    ],
)
def test_where_it_turns_at_zero_the_interval_holds_that_too(text, ends):
    assert LOW < R < 1 < HIGH
    assert asked(text)[1:] == pytest.approx(ends)


@each(
    ("text", "ends"),
    [
        (f"{A} / {NONE}", lambda low: (math.inf, low, math.inf)),
        (f"{NONE} / {A}", lambda low: (0.0, 0.0, 1 / low)),
        (f"log({NONE} / {A})", lambda low: (-math.inf, -math.inf, -math.log(low))),
        (f"1 / ({A} / {NONE})", lambda low: (0.0, 0.0, 1 / low)),
    ],
)
def test_where_no_world_holds_one_the_other_end_is_known(text, ends):
    """8 worlds of 32 hold the first alone: the score test rejects r at z^2 = 8 / r, by its formula at b = 8."""
    z = 1.959963984540054
    assert asked(text) == pytest.approx(ends(8 / z**2))


@each(
    ("text", "expected"),
    [(f"{A} / {A}", 1), (f"2 * {A} / {A}", 2), (f"{RATIO} / {RATIO}", 1), (f"log({A} / {A})", 0)],
)
def test_a_share_over_itself_is_certain(text, expected):
    assert asked(text) == (expected,) * 3


def test_two_shares_that_are_alike_in_these_worlds_are_not_one():
    """24 of 32 worlds tell the two apart from none, though none of them does."""
    value, low, high = asked(RATIO, (8, 0, 0, 24))
    assert low < value == 1 < high


@each("worlds", [3, 8, 32])
def test_around_a_share_the_ends_are_those_of_its_ends(worlds):
    """Also where all worlds are alike, which the jackknife takes for certain."""
    table = (worlds, 0, 0, 0)
    value, low, high = asked(A, table)
    assert (value, high) == (1, 1)
    assert asked(f"1 - {A}", table) == pytest.approx((0, 0, 1 - low))
    assert asked(f"100 * {A}", table) == pytest.approx((100, 100 * low, 100))
    assert asked(f"1 / {A}", table) == pytest.approx((1, 1, 1 / low))


@each("text", [f"{RATIO} + mean(loss)", f"{RATIO} + {A}", f"sin({RATIO})"])
def test_beside_another_number_of_the_worlds_it_is_the_jackknifes(text):
    """As it was: finite, and around the value."""
    value, low, high = (np.array(part) for part in asked_all(text))
    assert (low < value).all()
    assert (value < high).all()


def asked_all(text):
    found = quantity(of_table(TABLE), text)
    interval = found["quantity_interval"]
    return found["quantity"].values, interval.values[..., 0], interval.values[..., 1]
