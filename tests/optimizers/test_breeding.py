"""What genetic algorithms share: one list of hyperparameters, of which each shows those that it has."""

import pytest
import torch

from optimizers import OPTIMIZERS
from optimizers.breeding import Breeding
from tests.support.each import each

SELECTION = ["selection", "tournament", "truncation", "fitness", "selection_strength"]
VARIATION = ["crossover", "recombination_rate", "mutation_rate", "mutation_sigma"]
PARAMETERS = {  # in the order in which `studies.describe` prints them
    "ga": [
        "population",
        *SELECTION,
        "sampling",
        *VARIATION,
        "elite",
        "spectrum",
        "schedule",
        "opponents",
        "evaluations",
        "coupling",
        "largest",
    ],
    "island_ga": [
        *("population", "islands", "migrants", "interval", "migration"),
        *SELECTION,
        "sampling",
        *VARIATION,
        *("elite", "spectrum"),
    ],
    "memetic": [
        *("population", "learning", "descent_steps", "learning_rate"),
        *SELECTION,
        "sampling",
        *VARIATION,
        "elite",
    ],
    "coevolution": ["population", "opponents", *SELECTION, *VARIATION],
    "steady_state_ga": [
        *("population", "children", "replacement", "tournament", "sampling"),
        *VARIATION,
        "spectrum",
    ],
    "async_steady_state_ga": [
        *("population", "workers", "mode", "service", "replacement", "tournament", "sampling"),
        *VARIATION,
        "spectrum",
    ],
}


def test_all_that_breed_are_here():
    assert {kind for kind, cls in OPTIMIZERS.items() if issubclass(cls, Breeding)} == set(PARAMETERS)


@each("kind", PARAMETERS)
def test_parameters(kind):
    assert list(OPTIMIZERS[kind]().parameters()) == PARAMETERS[kind]


@each(
    ("kind", "name", "value"),
    [
        ("steady_state_ga", "selection", "truncation"),
        ("async_steady_state_ga", "elite", 1),
        ("coevolution", "sampling", "systematic"),
    ],
)
def test_what_leaves_no_choice_is_no_parameter(kind, name, value):
    with pytest.raises(TypeError, match=name):
        OPTIMIZERS[kind](**{name: value})


@each(
    ("options", "recombines"),
    [
        ({}, True),
        ({"crossover": "none"}, False),
        ({"recombination_rate": 0.0}, False),
        ({"recombination_rate": torch.zeros(3)}, True),  # of some worlds, perhaps
    ],
)
def test_recombines(options, recombines):
    assert OPTIMIZERS["ga"](**options).recombines is recombines
