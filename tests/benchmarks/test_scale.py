"""Where one machine ends: ten thousand cells, a thousand arms. Times are CPU seconds of this process.

On a quiet machine ten thousand unfinished cells are opened in 5, a report of a thousand arms is written in 20,
and a cell takes the engine and the store less than 0.02 beyond its steps.
"""

import time

import pytest

from studies import open_study
from studies.cells.loop import run_cell
from studies.report import writing
from studies.results import cell_files, store, view
from studies.run import orders, summary
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan, manifest

pytestmark = pytest.mark.benchmark(timer=time.process_time)
STUDY = {
    "name": "scale",
    "budget": 30,
    "targets": [1.0],
    "replicates": 2,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 3}},
    "optimizers": {"SGD": {"kind": "sgd"}, "random": {"kind": "random_search"}},
}


def stored(folder, arms, left=0):
    """The folder of a study of so many arms, a cell each with a loss of its own; so many are not there."""
    values = [1.0 + i / arms for i in range(arms // 2)]
    plan = make_plan(load_study(STUDY | {"sweep": {"landscapes.bowl.condition": values}}))
    cells = plan.cells(())
    data = run_cell(cells[0])
    for number, cell in enumerate(cells[left:]):
        path = store.cell_path(folder, cell.address)
        path.parent.mkdir(parents=True, exist_ok=True)
        cell_files.write(data.assign(loss=data["loss"] * (1 + number)), path)
    view.save_manifest(manifest(plan, cells), folder)
    return cells


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    stored(folder, 10_000, left=10)
    return folder


def test_ten_thousand_unfinished_cells_are_opened(benchmark, large):
    data = benchmark.pedantic(lambda: open_study(large), rounds=1)
    assert data["loss"].isel(checkpoint=-1, replicate=0).notnull().sum() == 9_990


def test_ten_thousand_cells_are_looked_at_for_damage(benchmark, large):
    assert benchmark.pedantic(lambda: store.set_damaged_aside(large), rounds=1) == []


def test_the_rows_of_ten_thousand_arms(benchmark, large):
    data = open_study(large)
    assert len(benchmark.pedantic(lambda: summary.rows(data), rounds=1)) == 9_990


def test_a_report_of_a_thousand_arms(benchmark, tmp_path):
    stored(tmp_path, 1_000)
    page = benchmark.pedantic(lambda: writing.write(tmp_path), rounds=1)
    assert len(page.tables[0].rows) == 1_000


def test_a_small_cell_is_computed_and_stored(benchmark, tmp_path):
    """All that a worker does; beside it stands what its steps take alone."""
    (cell,) = make_plan(load_study(STUDY | {"optimizers": {"SGD": {"kind": "sgd"}}})).cells(())
    path = store.cell_path(tmp_path, cell.address)

    def compute():
        path.unlink(missing_ok=True)
        return orders.compute(orders.order(cell), cell.address, str(tmp_path))

    assert benchmark(compute).status == "done"


def test_its_steps_alone(benchmark):
    (cell,) = make_plan(load_study(STUDY | {"optimizers": {"SGD": {"kind": "sgd"}}})).cells(())
    assert benchmark(lambda: run_cell(cell)).sizes["replicate"] == 2
