"""Real results for the figures, each study run once for all test processes, and what is done to them to make them hostile."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from filelock import FileLock

from studies.cells.loop import run_cell
from studies.cells.task import Cell
from studies.results import store, view
from studies.run.calibration.trials import Trials
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan, manifest
from studies.study_file.study import Study

FAILED, MISSING = 4, 5

SEARCH = {
    "name": "search",
    "replicates": 8,
    "instances": 4,
    "budget": 600,
    "pictures": {"frames": 12, "points": 8, "grid": 21},
    "gradient_cost": {"value": 3, "range": [1, 10]},
    "targets": {"nk": [0.2, 0.1, 0.05], "bowl": [10.0, 1.0, 0.1]},
    "landscapes": {
        "nk": {"kind": "nk", "n": 10, "k": 2},
        "bowl": {"kind": "quadratic", "dim": 3, "condition": 10},
    },
    "optimizers": {
        "SGD": {"kind": "sgd", "learning_rate": 0.03, "on": {"nk": {"learning_rate": 10.0}}},
        "ES": {
            "kind": "openai_es",
            "population": 10,
            "sigma": 0.3,
            "learning_rate": 0.2,
            "relaxation": "threshold",
        },
        "GA": {"kind": "ga", "population": 10, "mutation_sigma": 0.2},
    },
}
PLAIN = SEARCH | {"instances": None, "pictures": None}
SWEPT = PLAIN | {
    "name": "swept",
    "budget": 200,
    "sweep": {
        "landscapes.nk.k": [0, 3, 6],
        "noise.evaluation.nk": [0.0, 0.1],
        "landscapes.bowl.condition": [1, 10],
    },
    "noise": {"evaluation": {"nk": 0.0}},
}
TUNED = PLAIN | {
    "name": "tuned",
    "replicates": 2,
    "budget": 60,
    "tuning": {
        "trials": 6,
        "worlds": 4,
        "ranges": {
            "SGD": {"learning_rate": [0.001, 1e25]},
            "GA": {"population": [4, 12], "crossover": ["none", "uniform"]},
        },
    },
}
STATIONARY = {
    "kind": "law",
    "optimizer": "SGD",
    "landscape": "noisy bowl",
    "observe": "mean(loss, since=0.5)",
}
CLAIMED = {
    "name": "claimed",
    "replicates": 16,
    "budget": 300,
    "gradient_cost": 3,
    "checkpoints": [0.1, 0.3, 0.5, 0.75, 1.0],
    "landscapes": {
        "noisy bowl": {"kind": "quadratic", "dim": 10, "condition": 1, "terms": 64, "noise_scale": 2.0},
        "narrow bowl": {"kind": "quadratic", "dim": 10, "condition": 10, "terms": 64, "noise_scale": 0.0},
    },
    "noise": {"batch": 8},
    "optimizers": {
        "SGD": {"kind": "sgd", "learning_rate": 0.1, "on": {"narrow bowl": {"learning_rate": 0.18}}},
        "GA": {"kind": "ga", "population": 10, "mutation_sigma": 0.1},
    },
    "sweep": {"noise.batch": [8, 32], "optimizers.SGD.learning_rate": [0.1, 0.8]},
    "claims": {
        "stationary loss": STATIONARY | {"predicted": "dim * learning_rate * noise_scale**2 / (2 * batch * (2 - learning_rate))", "tolerance": 0.1},
        "small steps": STATIONARY
        | {"predicted": "dim * learning_rate * noise_scale**2 / (4 * batch)", "tolerance": 0.1, "regime": {"learning_rate": [0.0, 0.1]}},
        "noise falls as 1/B": STATIONARY | {"observe": "exponent(mean(loss, since=0.5), batch)", "predicted": -1, "control": -0.5, "tolerance": {"absolute": 0.05}},
        "a slope beats selection": {
            "kind": "ordering", "better": "SGD", "worse": "GA", "landscape": "narrow bowl", "cost": 150, "at": {"batch": 8},
        },
    },
}  # fmt: skip
LEDGER = PLAIN | {
    "name": "ledger",
    "noise": {"evaluation": {"nk": {"value": 0.01, "gradient": 0.01}, "bowl": {"value": 0.1, "gradient": 0.5}}},
    "optimizers": PLAIN["optimizers"] | {"WF": {"kind": "wright_fisher", "population": 10, "selection_strength": 10.0, "mutation_rate": 0.02,
                                                 "on": {"bowl": {"mutation_rate": None, "mutation_sigma": 0.1, "selection_strength": 1.0}}}},
    "ledger": {"moments": 4, "redraws": 8, "points": 8},
}  # fmt: skip
FACTORS = LEDGER | {
    "name": "factors",
    "budget": 200,
    "ledger": None,
    "factors": ["evaluation", "mutation"],
}
DIVERGING = {
    "name": "diverging",
    "replicates": 5,
    "budget": 2000,
    "landscapes": {"ellipsoid": {"kind": "bbob", "function": 10, "dim": 2}},
    "optimizers": {"SGD": {"kind": "sgd", "learning_rate": 0.01}, "CMA-ES": {"kind": "cma_es"}},
}
STUDIES = {
    study["name"]: study for study in (SEARCH, SWEPT, LEDGER, FACTORS, TUNED, CLAIMED, DIVERGING)
}


@functools.cache
def real(name: str, folder: Path) -> xr.Dataset:
    """The results of a study above, computed by the first process that asks."""
    out = folder / name
    with FileLock(f"{out}.lock"):
        if not (out / "plan.json").exists():
            plan = make_plan(_tuned(load_study(STUDIES[name]), out))
            cells = plan.cells(())
            _compute(cells, out)
            view.save_manifest(manifest(plan, cells), out)
    return view.open_study(out)


def _tuned(study: Study, out: Path) -> Study:
    """The study with the best settings, where it has a `tuning`."""
    if study.tuning is None:
        return study
    trials = Trials(study, out)
    _compute(trials.ahead(), out)
    return trials.study()


def _compute(cells: Sequence[Cell], out: Path) -> None:
    for cell in cells:
        store.write_cell(run_cell(cell), store.cell_path(out, cell.address))


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """A folder that all test processes of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


# what may go wrong ------------------------------------------------------------------------------------------


def _many(data: xr.Dataset) -> xr.Dataset:
    parts = [
        data.isel(optimizer=[i % data.sizes["optimizer"]]).assign_coords(optimizer=[f"method {i + 1}"])
        for i in range(14)
    ]
    return xr.concat(
        [part.assign(loss=part["loss"] * 1.3**i) for i, part in enumerate(parts)],
        "optimizer",
        data_vars="minimal",
        coords="minimal",
        compat="override",
    )


def _without(data: xr.Dataset, where: xr.DataArray, status: int) -> xr.Dataset:
    """As the store gives cells that failed or are not there."""
    found = data.copy()
    for name, values in data.data_vars.items():
        empty = np.nan if values.dtype.kind == "f" else 0
        gone = where if "replicate" in values.dims else where.all("replicate")
        found[name] = values.where(~gone, empty).astype(values.dtype).transpose(*values.dims)
    found["status"] = (
        data["status"].where(~where, status).astype(np.int8).transpose(*data["status"].dims)
    )
    return found


def _everywhere(data: xr.Dataset) -> xr.DataArray:
    return xr.ones_like(data["status"].isel(checkpoint=0, drop=True), dtype=bool)


def _missing(data: xr.Dataset) -> xr.Dataset:
    """One optimizer is not there on the first landscape."""
    gone = (data["landscape"] == data["landscape"][0]) & (data["optimizer"] == data["optimizer"][0])
    return _without(data, gone & _everywhere(data), MISSING)


def _diverged(data: xr.Dataset) -> xr.Dataset:
    losses = {name: data[name] * np.inf for name in ("loss", "best_loss") if name in data}
    hits = {name: xr.full_like(data[name], np.inf) for name in ("hit_cost", "best_hit_cost")}
    return data.assign(losses | hits | {"status": xr.full_like(data["status"], 3)})


def _long(data: xr.Dataset) -> xr.Dataset:
    """Names of 40 characters."""
    return data.assign_coords({
        dim: [f"{name} with a very long name of a thing"[:40] for name in data[dim].values]
        for dim in ("optimizer", "landscape")
    })


def _shrunk(data, factor):
    """As if all losses were in other units."""
    names = [name for name in ("loss", "best_loss", "start_loss") if name in data]
    return data.assign({name: data[name] * factor for name in names}).assign_coords(
        precision=data["precision"] * factor
    )


HOSTILE = {
    "one optimizer": lambda data: data.isel(optimizer=[0]),
    "fourteen optimizers": _many,
    "all failed": lambda data: _without(data, _everywhere(data), FAILED),
    "all diverged": _diverged,
    "one world": lambda data: data.isel(replicate=[0]),
    "long names": _long,
    "tiny losses": lambda data: _shrunk(data, 1e-300),
    "missing combinations": _missing,
}
