"""Results that are chunked along worlds and arms, their coordinates too, give the same numbers as those in memory."""

import json

import numpy as np
import pytest
import xarray as xr

from studies.analysis.comparison import comparison, ranks
from studies.analysis.price import break_even, equal_times, repricing
from studies.analysis.running_time import area, attainment, profiles, restarts, runtime, tables
from tests.support.analysis import results

FUNCTIONS = {
    "expected_running_time": runtime.expected_running_time,
    "ecdf": runtime.ecdf,
    "restarts": restarts.ecdf,
    "fixed_budget": tables.fixed_budget,
    "fixed_target": tables.fixed_target,
    "area": lambda data: area.area(data, 0.01, 10.0),
    "attainment": attainment.attainment,
    "compare": comparison.compare,
    "ranks": ranks.ranks,
    "profile": profiles.profile,
    "break_even": lambda data: break_even.break_even(data, "SGD", "GA"),
    "equal_times": lambda data: equal_times.equal_times(data, "SGD", "GA"),
    "repriced": lambda data: repricing.repriced(data, 5.0),
}


def made():
    rng = np.random.default_rng(8)
    loss = np.minimum.accumulate(rng.lognormal(0, 1, (2, 8, 6)), -1)
    hits = np.where(loss[..., -1:] < 0.5, rng.uniform(1, 30, (2, 8, 1)), np.inf)
    options = {
        "instance": np.arange(8) % 4,
        "low": 1.0,
        "targets": [0.5],
        "cost": [5.0, 10.0, 20.0, 33.3, 60.0, 100.0],
    }
    arms = [
        results(loss[i], gradients=part, hits=hits[i], **options) for i, part in enumerate((1.0, 0.0))
    ]
    config = {"gradient_cost": {"value": 3.0, "range": [1.0, 20.0]}}
    data = xr.concat(
        arms,
        xr.Variable("optimizer", ["SGD", "GA"]),
        coords="minimal",
        compat="override",
        combine_attrs="override",
    )
    data = data.expand_dims(landscape=["bowl"]).assign_coords(
        gap_known=("landscape", [1.0]), checkpoint=data["checkpoint"]
    )
    return data.assign_attrs(config=json.dumps(config))


DEAR = ("expected_running_time", "equal_times", "repriced")  # made of others that are tried every day


@pytest.mark.daily(4)
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.verify if name in DEAR else []) for name in FUNCTIONS],
)
def test_chunked_results_give_the_same(name):
    data = made()
    xr.testing.assert_allclose(
        FUNCTIONS[name](data.chunk(optimizer=1, replicate=5)).load(), FUNCTIONS[name](data), rtol=1e-12
    )
