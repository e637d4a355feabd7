"""What quantities say of themselves, before there are results."""

import io

import pytest
from rich.console import Console

from studies.analysis.quantities.evaluate import quantity
from studies.analysis.quantities.grammar import parsed
from studies.analysis.quantities.said import extreme, selections
from studies.ask import _table
from tests.support.claims import normal, results

ES = {"optimizer": "ES"}


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
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


@pytest.mark.parametrize("text", ["max(loss)", "min(loss) / 2"])
def test_whoever_asks_for_an_extreme_reads_why_it_has_no_interval(text):
    data = results(1 + normal(1, 20, 4) ** 2)
    file = io.StringIO()
    Console(file=file, width=200).print(_table(text, quantity(data, text)))
    said = " ".join(file.getvalue().split())
    assert f"{text[:3]}(..) is that of these worlds alone, and has no interval" in said
    assert "nan" not in said
