"""The Dataset of a study: built from the cells that are there, exported, opened.

Zarr reads a chunk that is not there as a chunk of NaN. So a view has a seal among its attributes: the digest
of the names and sizes of all its files, and of what those of the format say. Each chunk has a checksum of its
own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
import uuid
from pathlib import Path

import xarray as xr
from xarray import Dataset

from studies.results import assembly, config, gaps, settings
from studies.results.cell_files import Damaged
from studies.results.manifest import Manifest
from studies.results.precision import from_starts
from studies.results.store import cell_path, failures, finished, in_use, write_text
from studies.results.tuning import tuning_cost
from studies.text.shapes import Data, Tree

# bytes above which an opened Dataset stays on disk, as dask arrays, ten times as slow to read
LARGE = 1024**3
SHOWN = (config.ATTRIBUTE, settings.ATTRIBUTE)  # attributes of a plan that the Dataset depends on
FORMAT = "zarr.json"  # what Zarr says of each array and folder
SEAL = "seal"  # an attribute of the view on disk; views of earlier releases have none
TRIES = 20  # renames of the view, while another process renames its own


def save_manifest(manifest: Manifest, out: Path) -> None:
    """Write OUT/plan.json."""
    write_text(json.dumps(manifest), out / "plan.json")


def state(manifest: Manifest, out: Path) -> str:
    """Digest of all that the Dataset shows: the plan, and which of its cells are finished or failed."""
    planned = {cell["address"] for cell in manifest["cells"]}
    attrs = {key: value for key, value in manifest["attrs"].items() if key in SHOWN}
    shown = {key: value for key, value in manifest.items() if key != "attrs"} | attrs
    here = [sorted(planned & finished(out)), sorted(planned & failures(out))]
    return hashlib.sha256(json.dumps([shown, here], sort_keys=True).encode()).hexdigest()


# the Dataset ------------------------------------------------------------------------------------------------


def assemble(manifest: Manifest, out: str | Path) -> Dataset:
    """The labelled Dataset of a plan's manifest, from the cells that are in the folder now.

    See `assembly.assemble`.
    """
    out = Path(out)
    digest = state(manifest, out)
    there = {cell["address"] for cell in manifest["cells"]} & finished(out)
    here = {address: cell_path(out, address) for address in there}
    data = assembly.assemble(manifest, here, failures(out)).assign_attrs(_known(manifest))
    if "start_loss" in data:
        data = data.assign_coords(precision=from_starts(data))
    if "tuning" in data.attrs:
        data = data.assign_coords(tuning_cost=tuning_cost(data))
    now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    return gaps.with_units(data).assign_attrs(created=now, cells=json.dumps(sorted(here)), view=digest)


def _known(manifest: Manifest) -> Tree:
    """The attributes of a plan.

    One of an older version has not stored its settings; it has those that its tasks hold.
    """
    attrs = manifest["attrs"]
    return (
        attrs
        if settings.ATTRIBUTE in attrs
        else {settings.ATTRIBUTE: settings.of_plan(manifest), **attrs}
    )


def export(manifest: Manifest, out: Path) -> Dataset:
    """The Dataset of the cells in the folder now.

    `dataset.zarr` is written anew where it shows something else, or is damaged.
    """
    view = out / "dataset.zarr"
    shown = _shown(manifest, out, view)
    if shown is not None:
        return shown
    from zarr.codecs import ZstdCodec  # half a second, for who writes alone

    data = assemble(manifest, out)
    temporary = out / f".dataset.{uuid.uuid4().hex}.tmp"
    try:
        checked = {name: {"compressors": (ZstdCodec(checksum=True),)} for name in data.variables}
        with in_use(temporary):
            data.to_zarr(temporary, zarr_format=3, consolidated=False, encoding=checked)
        _set_seal(temporary)
        _exchange(temporary, view)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return data


def open_study(path: str | Path) -> Dataset:
    """The results of a study.

    Args:
        path: the study's folder, or a `dataset.zarr` in it or elsewhere.

    Returns:
        The Dataset: what is finished now, read from the view where that is up to date, else from the cells.
            Large ones stay on disk.

    Raises:
        FileNotFoundError: there is no study at this path.
        Damaged: a file is not what was written, and nothing else holds what it held.
    """
    path = Path(path)
    out, view = (path.parent, path) if path.suffix == ".zarr" else (path, path / "dataset.zarr")
    plan = out / "plan.json"
    if plan.exists():
        manifest = _plan(plan)
        shown = _shown(manifest, out, view)
        return assemble(manifest, out) if shown is None else shown
    if not view.exists():
        raise FileNotFoundError(
            "open_study: expected a study's folder (plan.json, cells/) or a dataset.zarr, found none at"
            f" {path}"
        )
    return _read(view)


def _plan(path: Path) -> Manifest:
    try:
        manifest: Manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Damaged(
            f"{path}: expected the plan of a study, got a damaged file ({error}); run the study again, which"
            " writes it anew and keeps all finished cells"
        ) from error
    return manifest


# the view ---------------------------------------------------------------------------------------------------


def _shown(manifest: Manifest, out: Path, view: Path) -> Dataset | None:
    """What the view shows; None where it is not up to date, or damaged."""
    digest = _digest(view)  # where there is no view, the state is not asked for: it takes half a second
    if digest is None or digest != state(manifest, out):
        return None
    try:
        data = _read(view)
    except Damaged:
        return None
    return data.assign_attrs({**_known(manifest), **data.attrs})


def _read(view: Path) -> Dataset:
    """The Dataset of a view; one that another process replaces meanwhile is read again."""
    try:
        before = view.stat().st_ino
        _check_seal(view)
        data = xr.open_zarr(view, consolidated=False, chunks=None)
        texts = {name: data[name].astype(object) for name in data.dims if data[name].dtype.kind == "T"}
        data = data.assign_coords(texts)[sorted(map(str, data.data_vars))]
        data.attrs.pop(SEAL, None)
        data = data.load() if data.nbytes < LARGE else data.chunk()
        replaced = view.stat().st_ino != before
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise Damaged(
            f"{view}: expected the Dataset of a study, got a damaged one ({error})"
        ) from error
    return _read(view) if replaced else data


def _set_seal(view: Path) -> None:
    root = json.loads((view / FORMAT).read_text(encoding="utf-8"))
    root["attributes"][SEAL] = _seal(view, root)
    (view / FORMAT).write_text(json.dumps(root), encoding="utf-8")


def _check_seal(view: Path) -> None:
    root = json.loads((view / FORMAT).read_text(encoding="utf-8"))
    seal = root["attributes"].pop(SEAL, None)
    if seal is not None and seal != _seal(view, root):
        raise ValueError("files are missing, or are not what was written")


def _seal(view: Path, root: Data) -> str:
    """The digest of a view whose own format file says `root`, its seal left out."""
    digest = hashlib.sha256(json.dumps(root).encode())
    for path in sorted(path for path in view.glob("*/**/*") if path.is_file()):
        digest.update(f"{path.relative_to(view)} {path.stat().st_size}\n".encode())
        if path.name == FORMAT:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _digest(view: Path) -> str | None:
    try:
        return json.loads((view / FORMAT).read_text(encoding="utf-8"))["attributes"]["view"]
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
