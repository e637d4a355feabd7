"""Functions of numbers are the same in formulas of a study, in quantities, and in expressions that are recorded."""

import numpy as np
import torch

from studies.analysis.quantities import functions as of_quantities
from studies.cells.expressions import arithmetic
from studies.text import formulas
from tests.support.each import each

NAMES = sorted(formulas.FUNCTIONS)
OF_TWO = ("min", "max", "beta")
FIRST, SECOND = [0.25, 0.7, 1.0, 3.5], [0.5, 0.1, 1.0, 2.0]


def by_formula(name):
    """The values that a formula of a study has."""
    text = f"{name}(a, b)" if name in OF_TWO else f"{name}(a)"
    return [formulas.evaluate(text, {"a": a, "b": b}) for a, b in zip(FIRST, SECOND, strict=True)]


def arguments(name, make):
    return [make(FIRST), make(SECOND)] if name in OF_TWO else [make(FIRST)]


def test_quantities_know_the_functions_of_formulas():
    assert sorted(of_quantities.FUNCTIONS) == NAMES


@each("name", NAMES)
def test_a_function_has_the_same_value_in_a_quantity(name):
    values = of_quantities.FUNCTIONS[name](*arguments(name, np.array))
    np.testing.assert_allclose(values, by_formula(name), rtol=1e-13)


@each("name", [*arithmetic.EACH, *arithmetic.PAIRS])
def test_a_function_has_the_same_value_in_an_expression(name):
    function = (arithmetic.EACH | arithmetic.PAIRS)[name]
    values = function(*arguments(name, lambda numbers: torch.tensor(numbers, dtype=torch.float64)))
    np.testing.assert_allclose(values, by_formula(name), rtol=1e-13)
