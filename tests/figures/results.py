"""Real results for the figures, each study run once for all test processes, and what is done to them to make them hostile."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from filelock import FileLock

from studies import store
from studies.config import load_study
from studies.loop import run_cell
from studies.plan import make_plan

FAILED, MISSING = 4, 5

SEARCH = {
    "name": "search",
    "replicates": 8,
    "budget": 600,
    "gradient_cost": {"value": 3, "range": [1, 10]},
    "targets": {"nk": [0.2, 0.1, 0.05], "bowl": [10.0, 1.0, 0.1]},
    "landscapes": {"nk": {"kind": "nk", "n": 10, "k": 2}, "bowl": {"kind": "quadratic", "dim": 3, "condition": 10}},
    "optimizers": {
        "SGD": {"kind": "sgd", "learning_rate": 0.03, "on": {"nk": {"learning_rate": 10.0}}},
        "ES": {"kind": "openai_es", "population": 10, "sigma": 0.3, "learning_rate": 0.2, "relaxation": "threshold"},
        "GA": {"kind": "ga", "population": 10, "mutation_sigma": 0.2},
    },
}
SWEPT = SEARCH | {"name": "swept", "sweep": {"landscapes.nk.k": [0, 3, 6], "noise.evaluation.nk": [0.0, 0.1]}, "noise": {"evaluation": {"nk": 0.0}}}
LEDGER = SEARCH | {
    "name": "ledger",
    "noise": {"evaluation": {"nk": {"value": 0.01, "gradient": 0.01}, "bowl": {"value": 0.1, "gradient": 0.5}}},
    "optimizers": SEARCH["optimizers"] | {"WF": {"kind": "wright_fisher", "population": 10, "selection_strength": 10.0, "mutation_rate": 0.02,
                                                 "on": {"bowl": {"mutation_rate": None, "mutation_sigma": 0.1, "selection_strength": 1.0}}}},
    "ledger": {"moments": 4, "redraws": 8, "points": 8},
}  # fmt: skip
FACTORS = LEDGER | {"name": "factors", "ledger": None, "factors": ["evaluation", "mutation"]}
STUDIES = {study["name"]: study for study in (SEARCH, SWEPT, LEDGER, FACTORS)}


@functools.cache
def real(name: str, folder: Path) -> xr.Dataset:
    """The results of a study above, computed by the first process that asks."""
    out = folder / name
    with FileLock(f"{out}.lock"):
        if not (out / "plan.json").exists():
            plan = make_plan(load_study(STUDIES[name]))
            cells = plan.cells(lambda address: False)
            for cell in cells:
                store.write_cell(run_cell(cell), store.cell_path(out, cell.address))
            store.save_manifest(store.manifest(plan, cells), out)
    return store.open_study(out)


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """A folder that all test processes of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


# what may go wrong ---------------------------------------------------------------------------------------------------------


def _many(data: xr.Dataset) -> xr.Dataset:
    parts = [data.isel(optimizer=[i % data.sizes["optimizer"]]).assign_coords(optimizer=[f"method {i + 1}"]) for i in range(14)]
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
        found[name] = values.where(~where, empty).astype(values.dtype).transpose(*values.dims)
    found["status"] = data["status"].where(~where, status).astype(np.int8).transpose(*data["status"].dims)
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
        dim: [f"{name} with a very long name of a thing"[:40] for name in data[dim].values] for dim in ("optimizer", "landscape")
    })


HOSTILE = {
    "one optimizer": lambda data: data.isel(optimizer=[0]),
    "fourteen optimizers": _many,
    "all failed": lambda data: _without(data, _everywhere(data), FAILED),
    "all diverged": _diverged,
    "one world": lambda data: data.isel(replicate=[0]),
    "long names": _long,
    "tiny losses": lambda data: data.assign(loss=data["loss"] * 1e-300, best_loss=data["best_loss"] * 1e-300),
    "missing combinations": _missing,
}
