"""How long the figures of a study of 500 cells take, and how much memory.

Of a paper's size, 30 seconds and 1 GiB are the limit for all.
"""

import resource

import numpy as np
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg

from studies.figures import FIGURES

COSTS = np.geomspace(1, 10000, 100)
TARGETS = np.geomspace(1, 1e-4, 10)
DIMS = ("landscape", "optimizer", "rate", "replicate", "checkpoint")


@pytest.fixture(scope="module")
def large():
    """2 landscapes, 10 optimizers, 25 values of an axis, 16 worlds, 100 checkpoints, 10 targets."""
    rng = np.random.default_rng(3)
    shape = (2, 10, 25, 16, len(COSTS))
    loss = 10 / (1 + rng.lognormal(0, 1, (*shape[:3], 1, 1)) * COSTS) * rng.lognormal(0, 0.3, shape)
    reached = loss[..., None] <= TARGETS
    hit = np.where(reached.any(-2), COSTS[reached.argmax(-2)], np.inf)
    terms = np.broadcast_to(COSTS, shape).astype(int)
    about = {"long_name": "true loss", "units": "loss"}
    return xr.Dataset(
        {"loss": (DIMS, loss, about), "diversity": (DIMS, loss, about), "status": (DIMS, np.full(shape, 2, np.int8)), "value_terms": (DIMS, terms),
         "gradient_terms": (DIMS, 0 * terms), "hit_cost": ((*DIMS[:-1], "target"), hit)},
        {"landscape": ["hill", "well"], "optimizer": [f"method {i}" for i in range(10)], "rate": np.arange(25) / 8, "replicate": np.arange(16),
         "checkpoint": COSTS / COSTS[-1], "cost": ("checkpoint", COSTS), "terms": ("landscape", [1.0, 1.0]), "gap_known": ("landscape", [1.0, 1.0]),
         "target_loss": (("landscape", "target"), np.broadcast_to(TARGETS, (2, 10)).copy()), "instance": ("replicate", np.arange(16))},
        {"name": "large"},
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["convergence", "ecdf", "profile", "critical_difference", "diversity", "phase"]
)
def test_five_hundred_cells(benchmark, large, name):
    benchmark.pedantic(lambda: FigureCanvasAgg(FIGURES[name](large)).draw(), rounds=1)
    benchmark.extra_info["MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
