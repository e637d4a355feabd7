"""A study's folder: finished cells as files, and the labelled Dataset that is built from them.

- OUT/cells/<first two>/<address>.nc: one finished cell; written beside, fsynced, renamed: a file that exists is whole
- OUT/errors/<address>.json: why a cell failed; never read as a result, so the next run tries it again
- OUT/plan.json: which cells make which arm: enough to build the Dataset without the study's code
- OUT/dataset.zarr: a view of the above; may be deleted, carries the digest of what it was built from
- OUT/study.yaml, OUT/figures/: the resolved study, its pictures
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from studies import assembly, provenance
from studies.analysis import gaps
from studies.analysis.precision import from_starts
from studies.analysis.sensitivity import tuning_cost
from studies.assembly import Manifest
from studies.results import settings

if TYPE_CHECKING:
    from studies.plan import Cell, Plan

STALE = 86400.0  # seconds after which a temporary file belongs to a process that died
LARGE = 2**28  # bytes above which an opened Dataset stays on disk, as dask arrays
TRIES = 20  # renames of the view, while another process renames its own

# files -------------------------------------------------------------------------------------------------------------------


def cell_path(out: Path, address: str) -> Path:
    """Where a cell's file is."""
    return out / "cells" / address[:2] / f"{address}.nc"


def error_path(out: Path, address: str) -> Path:
    """Where the record of a failed cell is."""
    return out / "errors" / f"{address}.json"


def finished(out: Path) -> set[str]:
    """Addresses of the cells that are there; no file is opened."""
    return {path.stem for path in (out / "cells").glob("??/*.nc")}


def failures(out: Path) -> set[str]:
    """Addresses of the cells whose last attempt failed."""
    return {path.stem for path in (out / "errors").glob("*.json")} - finished(out)


def write_cell(data: xr.Dataset, path: Path) -> None:
    """Write one cell's file, whole or not at all."""
    encoding = {name: {"zlib": True, "complevel": 1} for name in data.data_vars}
    with beside(path) as temporary:
        data.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)


def write_text(text: str, path: Path) -> None:
    """Write a small text file, whole or not at all."""
    with beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A temporary file in the same folder, fsynced and renamed to `path` where the body ends well: the rename is the only commit point."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(out: Path) -> None:
    """Remove what processes that died left behind more than a day ago."""
    leftovers = [*out.glob(".*.tmp"), *out.glob("cells/??/.*.tmp"), *out.glob("errors/.*.tmp"), *out.glob("crash/*.txt")]
    for path in leftovers:
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


# the plan on disk --------------------------------------------------------------------------------------------------------


def manifest(plan: Plan, cells: Sequence[Cell], text: str = "") -> Manifest:
    """What `assemble` needs of a plan, as JSON.

    Args:
        plan: the plan.
        cells: those of its cells that are to be shown.
        text: the study as the user gave it.

    Returns:
        dims (name -> labels), replicates, tasks, arms (coords, number of the task), cells (address, number of the task, worlds), attrs.
    """
    numbers = {task.canonical: number for number, task in enumerate(plan.tasks)}
    return {
        "dims": plan.axes,
        "replicates": plan.study.replicates,
        "tasks": [json.loads(task) for task in numbers],
        "arms": [{"coords": arm.coords, "task": numbers[arm.task.canonical]} for arm in plan.arms],
        "cells": [{"address": cell.address, "task": numbers[cell.task.canonical], "first": cell.first, "last": cell.last} for cell in cells],
        "attrs": _attrs(plan, text),
    }


def _attrs(plan: Plan, text: str) -> dict[str, str]:
    return {
        "name": plan.study.name,
        "study": text,
        "config": json.dumps(plan.study.resolved),
        "versions": json.dumps(provenance.versions() | {name: version for task in plan.tasks for name, version in task.libraries.items()}),
        "device": ", ".join(sorted({task.device for task in plan.tasks})),
        "commit": provenance.commit(),
        settings.ATTRIBUTE: _settings(plan),
    } | {key: json.dumps(told) for key, told in (("match", plan.study.matched), ("tuning", plan.study.tuned)) if told}


def _settings(plan: Plan) -> str:
    """What every arm runs with, for `studies.results.settings`."""
    from studies.resolved import resolved

    numbers = {task.canonical: number for number, task in enumerate(plan.tasks)}
    told = [{"coords": arm.coords, "label": arm.label, "task": numbers[arm.task.canonical]} for arm in plan.arms]
    names = ("seed", "instances", "budget", "gradient_cost", "targets", "target_floor", "dtype")
    parts = [
        resolved(task.landscape, task.optimizer, task.relaxation, task.noise, task.oracle, {name: getattr(task, name) for name in names})
        for task in plan.tasks
    ]
    return json.dumps({"arms": told, "tasks": parts})


def save_manifest(found: Manifest, out: Path) -> None:
    """Write OUT/plan.json."""
    write_text(json.dumps(found), out / "plan.json")


def state(found: Manifest, out: Path) -> str:
    """Digest of all that the Dataset shows: the plan, and which of its cells are finished or failed."""
    planned = {cell["address"] for cell in found["cells"]}
    told = {key: value for key, value in found["attrs"].items() if key in ("config", settings.ATTRIBUTE)}
    shown = {key: value for key, value in found.items() if key != "attrs"} | told
    here = [sorted(planned & finished(out)), sorted(planned & failures(out))]
    return hashlib.sha256(json.dumps([shown, here], sort_keys=True).encode()).hexdigest()


# the Dataset -------------------------------------------------------------------------------------------------------------


def assemble(plan: Plan | Manifest, out: str | Path) -> xr.Dataset:
    """The labelled Dataset of a plan (or its manifest) from the cells that are in the folder now; see `assembly.assemble`."""
    out = Path(out)
    found = plan if isinstance(plan, dict) else manifest(plan, plan.cells(finished(out).__contains__))
    digest = state(found, out)
    here = {cell["address"]: cell_path(out, cell["address"]) for cell in found["cells"]}
    here = {address: path for address, path in here.items() if path.exists()}
    data = assembly.assemble(found, here, failures(out)).assign_attrs(_known(found))
    data = data.assign_coords(precision=from_starts(data)) if "start_loss" in data else data
    data = data.assign_coords(tuning_cost=tuning_cost(data)) if "tuning" in data.attrs else data
    data = gaps.with_units(data)
    origin = {"created": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "cells": json.dumps(sorted(here)), "view": digest}
    return data.assign_attrs(origin)


def _known(found: Manifest) -> dict[str, str]:
    """The attributes of a plan; one of an older version, which has not stored its settings, has those that its tasks hold."""
    return {settings.ATTRIBUTE: settings.of_plan(found)} | found["attrs"]


def export(found: Manifest, out: Path) -> xr.Dataset:
    """The Dataset of the cells in the folder now; `dataset.zarr` is written anew where it shows something else."""
    view = out / "dataset.zarr"
    if _digest(view) == state(found, out):
        return open_study(out)
    data, temporary = assemble(found, out), out / f".dataset.{uuid.uuid4().hex}.tmp"
    try:
        data.to_zarr(temporary, zarr_format=3, consolidated=False)
        _exchange(temporary, view)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return data


def open_study(path: str | Path) -> xr.Dataset:
    """The results of a study.

    Args:
        path: the study's folder, or a `dataset.zarr` in it or elsewhere.

    Returns:
        The Dataset: what is finished now, read from the view where that is up to date, else from the cells. Large ones stay on disk.

    Raises:
        FileNotFoundError: there is no study at this path.
    """
    path = Path(path)
    out, view = (path.parent, path) if path.suffix == ".zarr" else (path, path / "dataset.zarr")
    plan = out / "plan.json"
    if not plan.exists() and _digest(view) is None:
        raise FileNotFoundError(f"open_study: expected a study's folder (plan.json, cells/) or a dataset.zarr, found none at {path}")
    found = json.loads(plan.read_text(encoding="utf-8")) if plan.exists() else None
    if found is not None and _digest(view) != state(found, out):
        return assemble(found, out)
    before = view.stat().st_ino
    data = xr.open_zarr(view, consolidated=False, chunks=None)
    texts = {name: data[name].astype(object) for name in data.dims if data[name].dtype.kind == "T"}
    data = data.assign_coords(texts)[sorted(map(str, data.data_vars))]
    data = data if found is None else data.assign_attrs(_known(found) | data.attrs)
    data = data.load() if data.nbytes < LARGE else data.chunk()
    # Zarr reads a chunk that another process has just removed as empty, without an error.
    return data if view.stat().st_ino == before else open_study(path)


def _digest(view: Path) -> str | None:
    try:
        return json.loads((view / "zarr.json").read_text(encoding="utf-8"))["attributes"]["view"]
    except (OSError, ValueError, KeyError):
        return None


def _exchange(new: Path, place: Path) -> None:
    """Put a folder in the place of another; whoever looks in between finds none, and reads the cells."""
    old = place.with_name(f".{place.stem}.{uuid.uuid4().hex}.tmp")
    for _ in range(TRIES):
        with contextlib.suppress(FileNotFoundError):
            os.replace(place, old)
            shutil.rmtree(old)
        try:
            os.replace(new, place)
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise OSError(f"{place}: other processes keep writing it; delete it and run again")
