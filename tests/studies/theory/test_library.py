"""What every law of the library says of itself."""

import inspect
import re
from pathlib import Path

import pytest

from studies import theory
from tests.support.each import each

TESTS = Path(__file__).parent


@each("name", theory.HOMES)
def test_a_law_says_formula_source_and_range(name):
    about = theory.about(name)
    assert about.name == name
    assert about.line.endswith(".")
    assert about.source
    assert about.range
    wanted = [p for p, default in about.arguments.items() if default.endswith("needed")]
    signature = inspect.signature(theory.find(name))
    assert wanted == [p.name for p in signature.parameters.values() if p.default is p.empty]


@each("name", theory.HOMES)
def test_every_law_is_held_against_another_calculation(name):
    texts = [path.read_text() for path in TESTS.glob("test_*.py") if path.name != "test_library.py"]
    assert any(re.search(rf"\b{name}\(", text) for text in texts)


def test_modules_hold_no_law_that_is_not_listed():
    for module, names in theory.LAWS.items():
        home = __import__(f"studies.theory.{module}", fromlist=["x"])
        own = {
            name
            for name, value in vars(home).items()
            if inspect.isfunction(value) and value.__module__ == home.__name__ and name[0] != "_"
        }
        assert own == set(names), module


def test_an_unknown_law_names_the_nearest():
    with pytest.raises(ValueError, match="unknown law 'theory:kimora'; did you mean 'kimura'?"):
        theory.find("theory:kimora")
