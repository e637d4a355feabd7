"""Cells that differ in one number, together and one after another: a sweep, and the trials of a tuning."""

import pytest

from studies.cells.fused import run_together
from studies.cells.loop import run_cell
from studies.cells.task import Cell
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan

BOWL = {"kind": "quadratic", "dim": 20}
ES, GA = {"kind": "openai_es", "population": 16}, {"kind": "ga", "population": 32}
ARMS = {  # landscape, optimizer, the number that differs, and its first value, of which others are multiples
    "SGD": (BOWL, {"kind": "sgd"}, "optimizers.it.learning_rate", 0.01),
    "ES": (BOWL, ES, "optimizers.it.sigma", 0.01),
    "GA": ({"kind": "nk", "n": 20, "k": 4}, GA, "optimizers.it.mutation_rate", 0.01),
    "CMA-ES": (
        {"kind": "bbob", "function": 10, "dim": 10},
        {"kind": "cma_es"},
        "optimizers.it.sigma",
        0.1,
    ),
    "SGD on bowls": (BOWL, {"kind": "sgd"}, "landscapes.it.condition", 2.0),
    "GA on traps": ({"kind": "trap", "n": 20}, GA, "landscapes.it.slope", 0.1),
}
SIZES = {"sweep": (16, 32), "tuning": (32, 4)}  # numbers, worlds
WAYS = {"together": run_together, "alone": lambda cells: [run_cell(cell) for cell in cells]}


def cells_of(name, numbers, worlds):
    landscape, optimizer, key, unit = ARMS[name]
    study = {
        "name": "fused",
        "replicates": worlds,
        "budget": {"steps": 200},
        "landscapes": {"it": landscape},
        "optimizers": {"it": optimizer},
        "sweep": {key: [unit * (place + 1) for place in range(numbers)]},
    }
    return [Cell(task, 0, worlds) for task in make_plan(load_study(study)).tasks]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ARMS)
def test_numbers(benchmark, name, size, way):
    numbers, worlds = SIZES[size]
    benchmark.group = f"{name}, 200 steps: {numbers} numbers x {worlds} worlds"
    cells = cells_of(name, numbers, worlds)
    run_together(cells[:2])
    benchmark.pedantic(WAYS[way], (cells,), rounds=3)
