"""Predictions: numbers, formulas and functions, and the names that they may use."""

import json
import math

import pytest

from studies.claims import VarianceLaw
from studies.claims.names import names_at
from studies.claims.predictions import predict
from tests.claims.made import normal, results

CONFIG = {
    "budget": {"a": 10.0, "default": 20.0},
    "gradient_cost": {"value": 3.0, "range": None},
    "landscapes": {"a": {"kind": "quadratic", "dim": 4, "terms": 8}, "b": {"kind": "quadratic", "dim": 5}},
    "noise": {"batch": {"a": 2, "default": 7}, "evaluation": {"value": 0.5, "gradient": 0.25}, "off": {"data": True}},
    "optimizers": {
        "SGD": {"kind": "sgd", "learning_rate": 0.1, "batch": None, "schedule": {"kind": "step", "factor": 0.5}, "on": {"b": {"learning_rate": 0.2}}},
        "ES": {"kind": "openai_es", "learning_rate": 0.3, "grid": {"population": [8, 16]}},
    },
    "sweep": {"optimizers.SGD.learning_rate": [0.1, 0.4], "noise.batch": [1, 2], "size": {"zip": {"landscapes.a.dim": [4, 6], "seed": [1, 2]}}},
}


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
        ("nowhere.at:all", "cannot import 'nowhere.at:all': No module named 'nowhere'"),
        ("tests.claims.own:none", "cannot import 'tests.claims.own:none'"),
        ("tests.claims.own:unknowable", "tests.claims.own:unknowable: unknown argument 'nowhere'; known: x"),
    ],
)
def test_what_has_no_value(given, text):
    with pytest.raises(ValueError, match=text):
        predict(given, {"x": 3.0})


def test_a_function_gets_the_names_that_are_its_arguments():
    assert predict("tests.claims.own:theory", {"learning_rate": 0.1, "dim": 5.0, "other": 1.0}) == pytest.approx(1.0)
    assert predict("tests.claims.own:theory", {"learning_rate": 0.1, "dim": 5.0, "scale": 1.0}) == pytest.approx(0.5)


def test_names_are_those_of_the_place():
    here = names_at(CONFIG, {"landscape": "a", "learning_rate": 0.4, "batch": 1, "size": "dim=6 seed=2"}, "SGD")
    expected = {"learning_rate": 0.4, "dim": 6.0, "terms": 8.0, "batch": 1.0, "evaluation": 0.5, "noise.evaluation.gradient": 0.25,
                "budget": 10.0, "gradient_cost": 3.0, "optimizer.learning_rate": 0.4, "landscape.dim": 6.0,
                "optimizer.schedule.factor": 0.5, "study.seed": 2.0}  # fmt: skip
    assert {name: here.get(name) for name in expected} == expected
    assert "noise.off.data" not in here  # true is no number


def test_an_axis_of_another_optimizer_does_not_shadow_ones_own():
    here = names_at(CONFIG, {"landscape": "b", "learning_rate": 0.4}, "ES population=16")
    assert (here["learning_rate"], here["population"], here["batch"], here["budget"]) == (0.3, 16.0, 7.0, 20.0)
    assert names_at(CONFIG, {"landscape": "b"}, "SGD")["learning_rate"] == 0.2


def test_what_match_and_tuning_found_is_used():
    data = results(normal(1, 20, 4) ** 2)
    claim = VarianceLaw(optimizer="SGD", predicted="learning_rate")
    coords = {"landscape": "bowl", "optimizer": "SGD"}
    assert claim.judge(data)[0].predicted == 0.1
    data.attrs["tuning"] = json.dumps([{"coords": coords, "settings": [{}, {"learning_rate": 0.5}], "winner": 1}])
    assert claim.judge(data)[0].predicted == 0.5
    data.attrs["match"] = json.dumps([{"coords": coords, "parameter": "learning_rate", "value": 0.7}])
    assert claim.judge(data)[0].predicted == 0.7
    data.attrs["match"] = json.dumps([{"coords": coords | {"optimizer": "ES"}, "parameter": "learning_rate", "value": 0.9}])
    assert claim.judge(data)[0].predicted == 0.5
