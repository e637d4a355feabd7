"""Formulas: values by hand, what has none, and that no text makes them run, hang or import anything."""

import importlib
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from studies.text.formulas import FUNCTIONS, evaluate, names_in
from tests.support.each import each
from tests.support.properties import steady

NAMES = {"x": 3.0, "n": 40, "condition": 160.0, "a.b": 5.0}


@each(
    ("formula", "value"),
    [
        (2, 2.0),
        ("1e-3", 1e-3),
        ("x * x - 1", 8.0),
        ("-x / 2 + +1", -0.5),
        ("sqrt(x**2) * pi", 3 * math.pi),
        ("a.b + 1", 6.0),
        ("2 / (1 + 1 / condition)", 2 * 160 / 161),
        ("floor(n / 7)", 5.0),
        ("ceil(n / 7)", 6.0),
        ("n**2", 1600.0),
        ("n**-1", 0.025),
        ("2**0.5", math.sqrt(2)),
        ("2**100", 2.0**100),
        ("(n < 41) + (1 <= x <= 3) + (x == 3) + (x != 3)", 3.0),
        ("sin(pi / 6) + cos(0) + tanh(0)", 1.5),
        ("Phi(0)", 0.5),
        ("Phi(1.959963984540054)", 0.975),
        ("erf(1)", 0.8427007929497149),
        ("gamma(5)", 24.0),
        ("beta(2, 3)", 1 / 12),
        ("harmonic(4)", 1 + 1 / 2 + 1 / 3 + 1 / 4),
        ("harmonic(0)", 0.0),
        ("min(inf, x) + max(x, 1, 2) + abs(-x)", 9.0),
    ],
)
def test_formulas_have_the_values_of_their_functions(formula, value):
    assert evaluate(formula, NAMES) == pytest.approx(value, rel=1e-14)


@each(
    ("name", "arguments"),
    [
        ("erf", [(x,) for x in (-3.5, -1e-9, 0.0, 0.3, 2.0, 6.0)]),
        ("Phi", [(x,) for x in (-30.0, -8.0, -1.0, 0.0, 0.5, 4.0)]),
        ("gamma", [(x,) for x in (-2.5, -0.5, 1e-9, 0.5, 3.7, 20.0, 170.0)]),
        ("beta", [(0.5, 0.5), (1e-3, 7.0), (300.0, 400.0), (-0.5, 2.0), (1e5, 3.0)]),
        ("harmonic", [(x,) for x in (0.5, 1, 17, 1e6, -0.5, -1.5)]),
    ],
)
def test_special_functions_are_those_of_scipy(name, arguments):
    theirs = {"Phi": special.ndtr, "harmonic": lambda n: special.digamma(n + 1) + np.euler_gamma}
    function = theirs.get(name) or getattr(special, name)
    for numbers in arguments:
        formula = f"{name}({', '.join(map(repr, numbers))})"
        assert evaluate(formula, {}) == pytest.approx(function(*numbers), rel=1e-12), formula


@each(
    ("formula", "text"),
    [
        ("9**9**9", "has no value"),
        ("9**9**9**9**9", "has no value"),
        ("gamma(1e6)", "has no value"),
        ("harmonic(-1)", "expected a finite number"),
        ("1 / (x - 3)", "'1 / [(]x - 3[)]' has no value"),
        ("(-x) ** 0.5", "is no real number"),
        ("log(-x)", "log of -3.0 has no value"),
        ("condtion", "unknown name 'condtion'; did you mean 'condition'[?]"),
        ("zzz", "unknown name 'zzz'; known: x, n, condition$"),
        ("sqr(x)", "unknown function 'sqr'; did you mean 'sqrt'[?]"),
        ("x.__class__", "unknown name 'x.__class__'"),
        ("(1).real", "unknown name"),
        ("__import__('os')", "unknown function '__import__'"),
        ("x if x else 1", "expected [+] - "),
        ("lambda: 1", "expected [+] - "),
        ("[x][0]", "expected [+] - "),
        ("True", "expected [+] - "),
        ("'x'", "expected [+] - "),
        ("1 in 2", "expected [+] - "),
        ("sqrt(x, base=2)", "expected [+] - "),
        ("min()", "has no value"),
        ("sqrt(x, x)", "has no value"),
        ("x +", "expected a number, a formula, or an import path"),
        ("", "expected a number, a formula, or an import path"),
        ("x" + "+x" * 600, "at most 1000 characters"),
        ("-" * 900 + "x", "at most 60 operations inside operations"),
        ("(" * 400 + "x" + ")" * 400, "expected a number, a formula"),
        ("nowhere.at:all", "cannot import 'nowhere.at:all'"),
        ("tests.support.own_claims:none", "cannot import 'tests.support.own_claims:none'"),
        (
            "tests.support.own_claims:unknowable",
            "tests.support.own_claims:unknowable: unknown argument 'nowhere'; known: x, n, condition$",
        ),
    ],
)
def test_what_has_no_value_is_one_line(formula, text):
    with pytest.raises(ValueError, match=text) as caught:
        evaluate(formula, NAMES)
    assert "\n" not in str(caught.value)


def test_a_function_gets_the_names_that_are_its_arguments():
    theory, names = "tests.support.own_claims:theory", {"learning_rate": 0.1, "dim": 5.0}
    assert evaluate(theory, names | {"other": 1.0}) == pytest.approx(1.0)
    assert evaluate(theory, names | {"scale": 1.0}) == pytest.approx(0.5)


def test_the_names_of_a_formula_are_those_that_it_needs():
    assert names_in("eta * optimizer.batch + sqrt(n) + eta") == ["eta", "optimizer.batch", "n"]


def test_why_a_name_has_no_number_is_said():
    with pytest.raises(ValueError, match="'x / y' has no value: y has none, it is null there"):
        evaluate("x / y", {"x": 1.0}, {"y": "it is null there"})


SIGNS = (
    "+ - * / ** ( ) , . < == 9 1e9 0 -1 1j ' \" [ ] { } : ; \\ \n \0 # @ = := if for in lambda not and"
)
WORDS = [*FUNCTIONS, *NAMES, *SIGNS.split(" ")]


OF_WORDS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=11).map("".join)
CHARACTERS = st.characters(min_codepoint=32, max_codepoint=0x2FFF)
ANY_TEXT = OF_WORDS | st.text(CHARACTERS, min_size=1, max_size=20)


def check_texts(count: int) -> None:
    """So many texts, of words that formulas are made of, and of any characters."""
    messages = []

    @steady(count)
    @given(ANY_TEXT.filter(lambda text: ":" not in text))  # may be an import path, which does import
    def a_number_or_one_line(text: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(importlib, "import_module", lambda name: pytest.fail(f"imports {name}"))
            value, message = outcome(text)
        messages.append(message)
        assert "\n" not in message
        assert message or not math.isnan(value)

    a_number_or_one_line()
    assert "" in messages, "some of them are formulas"


def test_any_text_is_a_number_or_one_line():
    check_texts(40)


@pytest.mark.verify
def test_ten_thousand_texts_are_numbers_or_one_line():
    check_texts(10_000)


def outcome(text: str) -> tuple[float, str]:
    """Its value, or what is said of it."""
    try:
        return evaluate(text, NAMES), ""
    except ValueError as error:
        return math.nan, str(error)


# laws of the library ----------------------------------------------------------------------------------------


def test_a_law_of_the_library_takes_the_names_that_are_its_arguments():
    names = {"population": 50, "s": 0.02, "x": 1.0}
    law = (1 - math.exp(-0.04)) / (1 - math.exp(-2))
    assert evaluate("theory:kimura", names) == pytest.approx(law, rel=1e-12)
    assert names_in("theory:kimura") == ["population", "s"]


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("theory:kimora", "unknown law 'theory:kimora'; did you mean 'kimura'?"),
        ("theory:kimura", "theory:kimura: unknown argument 's'; known: population"),
    ],
)
def test_what_is_wrong_with_a_law_is_one_line(formula, text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        evaluate(formula, {"population": 50})


def test_a_law_stands_inside_of_a_formula_and_takes_arguments_by_name():
    third = 1 + 1 / 2 + 1 / 3
    assert evaluate("2 * theory:harmonic", {"n": 3}) == pytest.approx(2 * third, rel=1e-14)
    assert evaluate("theory:harmonic(n=x - 1) / x", {"x": 4}) == pytest.approx(third / 4, rel=1e-14)
    assert evaluate("theory:harmonic(n=3)", {"n": 40}) == pytest.approx(third, rel=1e-14)
    assert set(names_in("theory:harmonic(n=2 * x) + y")) == {"x", "y"}
    assert names_in("2 * theory:harmonic") == ["n"]


@each(
    ("formula", "said"),
    [
        (
            "theory:harmonic(3)",
            "theory:harmonic: expected arguments by name, such as theory:harmonic(s=0.1)",
        ),
        ("theory:harmonic(m=3)", "theory:harmonic: unknown argument 'm'; expected one of: n"),
        ("2 * theory:harmnic", "unknown law 'theory:harmnic'; did you mean 'harmonic'?"),
        ("2 * theory:harmonic(n=q)", "unknown name 'q'; known: x"),
        ("__path__('os:getpid')", "expected a number, a formula, or an import path"),
    ],
)
def test_a_wrong_call_of_a_law_is_one_line(formula, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}"):
        evaluate(formula, {"x": 4})


def test_a_short_name_is_for_the_dotted_one_that_ends_with_it():
    names = {"gradient_cost": 1.0, "noise.evaluation.gradient": 0.1}
    with pytest.raises(ValueError, match="did you mean 'noise.evaluation.gradient'[?]"):
        evaluate("2 * gradient", names)
