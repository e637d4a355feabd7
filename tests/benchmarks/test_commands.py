"""What a user waits for: help, and a view of a thousand cells.

On a quiet machine help takes less than a second, the view less than 20.
"""

import os
import subprocess
import sys

import pytest

from studies.cells.loop import run_cell
from studies.results import arms, store
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from tests.studies.figures.test_command import made
from tests.support.runs import assembled


@pytest.mark.parametrize("module", ["studies.run", "studies.list", "studies.describe", "studies.check"])
def test_help(benchmark, module):
    benchmark.pedantic(
        lambda: subprocess.run(
            [sys.executable, "-m", module, "--help"], check=True, capture_output=True
        ),
        rounds=3,
    )


def test_a_view_of_a_thousand_cells(benchmark, tmp_path):
    study = {
        "name": "large",
        "budget": 30,
        "targets": [1.0],
        "landscapes": {"bowl": {"kind": "quadratic", "dim": 3}},
    }
    study |= {"optimizers": {"SGD": {"kind": "sgd"}, "random": {"kind": "random_search"}}}
    plan = make_plan(
        load_study(
            study | {"sweep": {"landscapes.bowl.condition": [1.0 + i / 500 for i in range(500)]}}
        )
    )
    cells = plan.cells(())
    store.write_cell(run_cell(cells[0]), tmp_path / "one.nc")
    for cell in cells:
        path = store.cell_path(tmp_path, cell.address)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(tmp_path / "one.nc", path)
    data = benchmark.pedantic(lambda: assembled(plan, tmp_path), rounds=1)
    assert data["loss"].notnull().all()


def test_labels_of_many_arms(benchmark):
    data = made(places=500, worlds=2, checkpoints=4)
    assert len(benchmark.pedantic(lambda: arms.labels(data), rounds=1)) == 13 * 500 + 7
