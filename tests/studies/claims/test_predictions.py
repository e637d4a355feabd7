"""Predictions: numbers, formulas and functions.

What names there are: tests/studies/results/test_settings.py.
"""

import math

import pytest

from studies.claims.predictions import predict


@pytest.mark.parametrize(
    ("given", "value"),
    [(2, 2.0), (0.5, 0.5), ("1e-3", 1e-3), ("x * x - 1", 8.0), ("-x / 2 + +1", -0.5), ("sqrt(x**2) * pi", 3 * math.pi),
     ("min(x, 1) + max(x, 1)", 4.0), ("a.b + 1", 6.0), ("exp(log(x))", 3.0), ("log10(100) * e", 2 * math.e), (" x ", 3.0)],
)  # fmt: skip
def test_numbers_and_formulas(given, value):
    assert predict(given, {"x": 3.0, "a.b": 5.0}) == pytest.approx(value)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("y + 1", "unknown name 'y'; known: x"),
        ("x +", "expected a number, a formula, or an import path 'package.module:function', got 'x [+]'"),
        ("__import__('os').system('true')", "expected [+] - [*] / [*][*] and sqrt"),
        ("x.__class__", "unknown name 'x.__class__'"),
        ("[x][0]", "expected [+] - "),
        ("x if x else 1", "expected [+] - "),
        ("True", "expected [+] - "),
        ("1 / (x - 3)", "has no value: float division by zero|has no value: division by zero"),
        ("log(-x)", "has no value|math domain|expected a"),
        ("(-x) ** 0.5", "has no value"),
        ("1e308 * 10 * x", "expected a finite number"),
        ("inf - inf", "expected a finite number"),
        ("nowhere.at:all", "cannot import 'nowhere.at:all': No module named 'nowhere'"),
        ("tests.support.own_claims:none", "cannot import 'tests.support.own_claims:none'"),
        (
            "tests.support.own_claims:unknowable",
            "tests.support.own_claims:unknowable: unknown argument 'nowhere'; known: x",
        ),
    ],
)
def test_what_has_no_value(given, text):
    with pytest.raises(ValueError, match=text):
        predict(given, {"x": 3.0})


def test_a_function_gets_the_names_that_are_its_arguments():
    assert predict(
        "tests.support.own_claims:theory", {"learning_rate": 0.1, "dim": 5.0, "other": 1.0}
    ) == pytest.approx(1.0)
    assert predict(
        "tests.support.own_claims:theory", {"learning_rate": 0.1, "dim": 5.0, "scale": 1.0}
    ) == pytest.approx(0.5)


def test_inf_by_its_name_is_a_prediction():
    assert predict("inf", {}) == predict(math.inf, {}) == math.inf
    assert predict("min(inf, x)", {"x": 3.0}) == 3.0


def test_why_a_name_has_no_number_is_told():
    with pytest.raises(ValueError, match="'x / y' has no value: y has none, it is null there"):
        predict("x / y", {"x": 1.0}, {"y": "it is null there"})
