"""What quantities say of themselves, before there are results: parts of their trees."""

import io

import numpy as np
import pytest
from rich.console import Console

from studies.analysis.quantities.evaluate import quantity
from studies.analysis.quantities.grammar import parsed
from studies.analysis.quantities.parts import extreme, is_mixed, selections, walk
from studies.analysis.quantities.signs import Signs, never_negative
from studies.ask import _table
from tests.support.claims import normal, results
from tests.support.each import each

ES = {"optimizer": "ES"}


@each(
    ("text", "expected"),
    [
        ("loss", [{}]),
        ('loss["ES"] - loss', [ES, {}]),
        ("median(loss[ES, bowl])", [ES | {"landscape": "bowl"}]),
        ('(loss - loss["ES"])[landscape="bowl"]', [{"landscape": "bowl"}, ES | {"landscape": "bowl"}]),
        ('loss["ES"](steps=40)', [ES]),
        ("hit(0.1, clock=steps)['ES']", [ES]),
        ('first(loss["ES"] < 0.1)', [ES]),
        ("loss[B=8, K=2 * 4]", [{"B": 8, "K": None}]),
        ("optimum(loss['ES'], eta)", [ES | {"eta": None}]),
        (
            "crossing(loss['ES'], loss, noise.batch)",
            [ES | {"noise.batch": None}, {"noise.batch": None}],
        ),
        ("ledger.gain[raw]", [{}]),
        ("ledger.gain[raw, optimizer='ES'](moment=0.5)", [ES]),
        ("2 * pi * sqrt(2) * loss['ES'] ** e", [ES]),
        ("theory:kimura(s=0.1) - loss['ES']", [{}, ES]),
    ],
)
def test_whose_the_numbers_of_a_quantity_are(text, expected):
    assert selections(parsed(text)) == expected


@each(
    ("text", "expected"),
    [
        ("max(loss)", "max"),
        ("mean(loss) - min(abs(loss - 1))", "min"),
        ("optimum(max(loss), eta)", "max"),
        ("max(loss, since=0.5)", None),
        ("max(loss, 0.5)", None),
        ("quantile(loss, 0.9)", None),
    ],
)
def test_which_extreme_of_worlds_is_in_a_quantity(text, expected):
    assert extreme(parsed(text)) == expected


@each(
    ("text", "expected"),
    [
        ("loss / (2 * learning_rate)", True),
        ("loss - 1", False),
        ("loss * theta", False),
        ("min(loss, theta)", False),
        ("max(loss, theta)", True),
        ("median(loss) / sd(theta)", True),
        ("median(theta)", False),
        ("share(theta < 0) ** 2 + exp(theta)", True),
        ("mean(loss['ES'], since=0.5)", True),
        ("loss(cost=50) / loss(start)", True),
        ("optimum(loss, eta)", True),
        ("exponent(loss, eta)", False),
        ("rate(loss)", False),
        ("ledger.step_variance / ledger.gain[raw]", False),
        ("ledger.noise_to_signal * ledger.length(moment=0.5)", True),
        ("timing.median[processor] / timing.least", True),
    ],
)
def test_which_quantities_cannot_be_negative(text, expected):
    """On a bowl, whose loss is the gap; of an axis whose values are positive and even in their logarithms."""
    data = results(np.ones((1, 1, 3, 4, 2)), axes={"eta": [0.1, 0.2, 0.4]})
    data = data.assign(theta=data["loss"] - 1)
    assert never_negative(parsed(text), Signs(data)) is expected


def test_a_raw_loss_may_be_negative():
    data = results(np.ones((4, 2))).assign_coords(gap_known=("landscape", [0.0]))
    assert not never_negative(parsed("loss"), Signs(data))


@each(
    ("text", "expected"),
    [
        ("loss - mean(loss)", True),
        ("mean(loss, since=0.5) - loss", False),
        ("mean(loss, since=0.5) - mean(loss)", True),
        ("max(loss) - loss", True),
        ("max(loss, 0.5) - loss", False),
        ("hit(0.1) / ert(0.1)", True),
        ("hit(mean(loss)) - loss", False),
        ("distance(loss, exp(-loss / mean(loss))) - mean(loss)", False),
        ("distance_floor(loss, exp(-loss)) - loss", False),
        ("ledger.gain[raw] - ledger.step_variance", True),
        ("ledger.gain[raw] - mean(loss)", False),
        ("optimum(loss - mean(loss), eta)", True),
    ],
)
def test_whether_a_number_of_each_world_stands_beside_one_of_all(text, expected):
    assert is_mixed(parsed(text), ["loss"]) is expected


def test_all_names_of_a_quantity_are_walked():
    """Targets, keywords, labels and axes too; not what is said of a label, nor x in a density."""
    text = (
        "hit(a)[ES, B=2 * b] + loss(cost=3 * c) - distance(x, exp(-x / d)) + limit(share(f < 1), g.h)"
    )
    names = [each.name for each in walk(parsed(text)) if each.name and not each.called]
    assert names == ["a", "b", "c", "x", "d", "f", "g.h"]


@pytest.mark.parametrize(("checkpoints", "told"), [(5, True), (6, False)])
def test_whoever_asks_for_a_rate_of_few_checkpoints_reads_why_there_is_none(checkpoints, told):
    """Of 5 checkpoints, at a fifth of the run and on, 4 are positive; of 6 there are 5."""
    loss = np.exp(-np.arange(checkpoints) + 0.01 * normal(1, 20, checkpoints))
    loss[:, 1] = 0
    data = results(loss)
    file = io.StringIO()
    Console(file=file, width=200).print(_table("rate(loss)", quantity(data, "rate(loss)")))
    said = " ".join(file.getvalue().split())
    line = "0 worlds: a rate is fitted to 5 checkpoints or more at which its numbers are finite and positive"
    assert (line in said) is told


@pytest.mark.parametrize("text", ["max(loss)", "min(loss) / 2"])
def test_whoever_asks_for_an_extreme_reads_why_it_has_no_interval(text):
    data = results(1 + normal(1, 20, 4) ** 2)
    file = io.StringIO()
    Console(file=file, width=200).print(_table(text, quantity(data, text)))
    said = " ".join(file.getvalue().split())
    assert f"{text[:3]}(..) is that of these worlds alone, and has no interval" in said
    assert "nan" not in said
