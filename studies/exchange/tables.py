"""Tidy tables: pandas, CSV and parquet.

One row per landscape, optimizer, values of the axes, world and checkpoint; hits in a table of their own.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from xarray import Dataset

from studies.exchange.folders import whole
from studies.results.arms import absent, places
from studies.text.shapes import Data

if TYPE_CHECKING:
    import pandas as pd

    Tables = tuple[pd.DataFrame, pd.DataFrame]  # records and hits

NAMES = ("records", "hits")

GONE = "absent"  # a column on the way
ROWS = 10**6  # of a block of a table, about


def to_frame(dataset: Dataset, at: Literal["checkpoint", "end"] = "checkpoint") -> pd.DataFrame:
    """The records of a study as one tidy table.

    Args:
        dataset: a study's results, or a part of them.
        at: "checkpoint": a row for each; "end": only the last one.

    Returns:
        Columns: landscape, optimizer, the axes, replicate, checkpoint, then cost, instance, every variable
            and `state`, the status as a word.

    Raises:
        ValueError: another `at`.
    """
    if at not in ("checkpoint", "end"):
        raise ValueError(f"at: expected checkpoint or end, got {at!r}")
    dataset = dataset.isel(checkpoint=[-1]) if at == "end" else dataset
    frame = _tabled(dataset, _order(dataset, "checkpoint"))
    return frame.assign(state=_states(dataset, frame["status"])) if "status" in frame else frame


def _states(dataset: Dataset, status: pd.Series) -> np.ndarray:
    """What numbers of `status` mean."""
    meanings = dataset["status"].attrs.get("flag_meanings", "").split() or [""]
    return np.array(meanings, object).take(status, mode="clip")


def hits_frame(dataset: Dataset) -> pd.DataFrame:
    """The hits of a study as one tidy table.

    Landscape, optimizer, axes, replicate, target, then target_loss, instance and the costs of the hits.
    """
    frame = _tabled(dataset, _order(dataset, "target"))
    return (
        frame.dropna(subset=["target_loss"]).reset_index(drop=True) if "target_loss" in frame else frame
    )


def _order(dataset: Dataset, last: str) -> list[str]:
    """The dims of the table: those of the study, `last` at the end."""
    first = "loss" if last == "checkpoint" else "hit_cost"
    if first not in dataset or last not in dataset[first].dims:
        there = ", ".join(map(str, dataset.data_vars)) or "nothing"
        raise ValueError(f"expected a study's results with {first} ({last}), found {there}")
    return list(map(str, dataset[first].dims))


def _tabled(dataset: Dataset, dims: list[str]) -> pd.DataFrame:
    """What has no other dims, of arms that are asked for.

    Variables without the last one, of whole worlds or arms, are left out.
    """
    within = {name for name, part in dataset.variables.items() if {*part.dims} <= {*dims}}
    coords = [name for name in dataset.coords if name in within and name not in dims]
    variables = [
        name for name in dataset.data_vars if name in within and dims[-1] in dataset[name].dims
    ]
    others = [name for name in dataset.coords if name not in (*coords, *dims)]
    part = dataset[variables].drop_vars(others, errors="ignore").reset_coords(coords)
    frame = _rows(part, dataset, dims)
    return frame[[*dims, *map(str, coords), *map(str, variables)]]


def _rows(part: Dataset, dataset: Dataset, dims: list[str]) -> pd.DataFrame:
    """A row for each place along the dims, but for arms that nobody asked for."""
    gone = absent(dataset).reset_coords(drop=True) if "status" in dataset else False
    frame = part.assign({GONE: gone}).to_dataframe(dim_order=dims)
    return frame[~frame[GONE]].reset_index()


def frames(dataset: Dataset, rows: int = ROWS) -> Iterator[Tables]:
    """Records and hits of one part of the study after the other: a large one need not fit into memory.

    The first dims are cut first.
    """
    for place in places(dataset, _cut(dataset, rows)):
        part = dataset.isel({dim: slice(at, at + 1) for dim, at in place.items()}).load()
        if not bool(absent(part).all()):
            yield to_frame(part), hits_frame(part)


def _cut(dataset: Dataset, rows: int) -> list[str]:
    """The dims along which the records must be cut, so that a part has about so many rows."""
    dims = _order(dataset, "checkpoint")
    size = int(np.prod([dataset.sizes[dim] for dim in dims]))
    cut: list[str] = []
    for dim in dims[:-1]:
        if size <= rows:
            break
        cut.append(dim)
        size //= dataset.sizes[dim]
    return cut


def export_csv(dataset: Dataset, out: str | Path, *, rows: int = ROWS) -> list[Path]:
    """Write OUT/records.csv, OUT/hits.csv and OUT/study.json (the attributes), about `rows` rows at a time.

    Raises:
        ValueError: something at `out`.
    """  # noqa: DOC502
    with whole(out) as folder:
        for number, tables in enumerate(frames(dataset, rows)):
            for name, table in zip(NAMES, tables, strict=True):
                table.to_csv(folder / f"{name}.csv", mode="a", header=number == 0, index=False)
        return _done(dataset, folder, Path(out))


def export_parquet(dataset: Dataset, out: str | Path, *, rows: int = ROWS) -> list[Path]:
    """Write OUT/records.parquet, OUT/hits.parquet and OUT/study.json (the attributes).

    About `rows` rows at a time.

    Raises:
        ValueError: pyarrow is not installed; something at `out`.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise ValueError("parquet needs pyarrow: pip install two-descents[parquet]")
    with whole(out) as folder:
        with ExitStack() as files:
            _write_parquet(frames(dataset, rows), folder, files)
        return _done(dataset, folder, Path(out))


def _write_parquet(parts: Iterator[Tables], folder: Path, files: ExitStack) -> None:
    """Write tables part by part, to files that are closed with the stack."""
    writers: Data = {}
    for tables in parts:
        for name, frame in zip(NAMES, tables, strict=True):
            _append(frame, folder / f"{name}.parquet", writers, files)


def _append(
    frame: pd.DataFrame,
    path: Path,
    writers: Data,
    files: ExitStack,
) -> None:
    """Append rows to a parquet file, which the first of them begin.

    Args:
        frame: the rows.
        path: of the file.
        writers: of the files that are open, by name; one may be added.
        files: closes them.
    """
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.Table.from_pandas(frame, preserve_index=False)
    if path.name not in writers:
        writers[path.name] = files.enter_context(parquet.ParquetWriter(path, table.schema))
    writers[path.name].write_table(table.cast(writers[path.name].schema))


def _done(dataset: Dataset, temporary: Path, out: Path) -> list[Path]:
    attrs = {key: _plain(value) for key, value in dataset.attrs.items()}
    (temporary / "study.json").write_text(json.dumps(attrs, indent=1))
    return [out / path.name for path in sorted(temporary.iterdir())]


def _plain(value: object) -> object:
    """An attribute as JSON: what is JSON already is opened."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        with suppress(ValueError):
            return json.loads(value)
    return value if isinstance(value, str | float | int | None) else str(value)
