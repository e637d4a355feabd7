"""Which worlds were computed together, as the Dataset says it, and how long that took, each cell once."""

import numpy as np
import pytest
import xarray as xr

from studies.cells.loop import run_cell
from studies.report.tables import cost
from studies.results import store
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from tests.support.runs import assembled

STUDY = {
    "name": "together",
    "budget": 6,
    "replicates": 40,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 2}},
    "optimizers": {"random": {"kind": "random_search"}, "SGD": {"kind": "sgd"}},
}
TOOK = 3.0  # seconds, of every cell


def compute(out, **changes):
    """The study's Dataset and cells; the worlds of a cell end one after the other, the last one at `TOOK`."""
    plan = make_plan(load_study(STUDY | changes))
    cells = plan.cells(store.finished(out))
    for cell in cells:
        if cell.address not in store.finished(out):
            data = run_cell(cell)
            ends = TOOK * np.arange(1, 1 + data.sizes["replicate"]) / data.sizes["replicate"]
            share = np.linspace(0, 1, data.sizes["checkpoint"])
            clock = xr.DataArray(ends, dims="replicate") * xr.DataArray(share, dims="checkpoint")
            seconds = clock.transpose(*data["seconds"].dims).assign_attrs(data["seconds"].attrs)
            store.write_cell(data.assign(seconds=seconds), store.cell_path(out, cell.address))
    return assembled(plan, out), cells


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """Of random search six worlds were there before; of SGD all forty come at once."""
    out = tmp_path_factory.mktemp("grown")
    compute(out, replicates=6, optimizers={"random": STUDY["optimizers"]["random"]})
    return compute(out)


def test_each_world_is_told_the_first_of_its_cell(grown):
    data, cells = grown
    assert data["cell"].dims == ("optimizer", "replicate")
    assert data["cell"].sel(optimizer="random").values.tolist() == [0] * 6 + [6] * 26 + [32] * 8
    assert data["cell"].sel(optimizer="SGD").values.tolist() == [0] * 32 + [32] * 8
    assert len(cells) == 5


def test_where_all_arms_have_the_same_cells_it_is_said_once(tmp_path):
    data, _ = compute(tmp_path)
    assert data["cell"].dims == ("replicate",)


def test_a_cell_whose_worlds_end_at_different_times_counts_once(grown):
    """Cells that took equally long are several all the same."""
    data, _ = grown
    table = cost(data)
    assert [float(row[-1].sort) for row in table.rows] == [3 * TOOK, 2 * TOOK]
    assert float(table.total[-1].sort) == 5 * TOOK


def test_worlds_without_numbers_take_no_time_of_their_cell(grown):
    data, _ = grown
    lost = data["seconds"].where(data["replicate"] != 39)
    short = TOOK * 7 / 8
    seconds = [float(row[-1].sort) for row in cost(data.assign(seconds=lost)).rows]
    assert seconds == pytest.approx([2 * TOOK + short, TOOK + short], rel=1e-12)


def test_results_of_earlier_releases_do_not_say_it_and_different_times_count(grown):
    data, _ = grown
    ends = [np.arange(1, worlds + 1) / worlds for worlds in (6, 26, 8, 32, 8)]
    random, sgd = np.concatenate(ends[:3]), np.concatenate(ends[3:])
    expected = [TOOK * np.unique(part.round(12)).sum() for part in (random, sgd)]
    seconds = [float(row[-1].sort) for row in cost(data.drop_vars("cell")).rows]
    assert seconds == pytest.approx(expected, rel=1e-9)
