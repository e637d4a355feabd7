"""Tidy tables: pandas, CSV and parquet.

One row per landscape, optimizer, values of the axes, world and checkpoint; hits in a table of their own.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import math
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from xarray import Dataset

from studies.exchange.folders import whole
from studies.results.arms import absent
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
    for place in _parts(dataset, rows):
        part = dataset.isel(place).load()
        if not bool(absent(part).all()):
            yield to_frame(part), hits_frame(part)


def _parts(dataset: Dataset, rows: int) -> list[dict[str, slice]]:
    """Where the records must be cut, so that a part has about so many rows."""
    cuts = _cut(dataset, rows)
    along = [
        [slice(first, first + step) for first in range(0, dataset.sizes[dim], step)]
        for dim, step in cuts.items()
    ]
    return [dict(zip(cuts, slices, strict=True)) for slices in itertools.product(*along)]


def _cut(dataset: Dataset, rows: int) -> dict[str, int]:
    """Dims along which the records are cut, and how many places of each make a part."""
    dims = _order(dataset, "checkpoint")
    size = math.prod(dataset.sizes[dim] for dim in dims)
    cuts: dict[str, int] = {}
    for dim in dims[:-1]:
        if size <= rows:
            break
        size //= dataset.sizes[dim]
        cuts[dim] = max(1, rows // size)
    return cuts


def export_csv(dataset: Dataset, out: str | Path, *, rows: int = ROWS) -> list[Path]:
    """Write OUT/records.csv, OUT/hits.csv and OUT/study.json (the attributes), about `rows` rows at a time.

    Ten times as fast where pyarrow is installed. In a terminal a bar says how far it is.

    Raises:
        ValueError: something at `out`.
    """  # noqa: DOC502
    with whole(out) as folder:
        if _arrow():
            _write(dataset, rows, folder, ".csv")
        else:
            _write_slowly(dataset, rows, folder)
        return _done(dataset, folder, Path(out))


def export_parquet(dataset: Dataset, out: str | Path, *, rows: int = ROWS) -> list[Path]:
    """Write OUT/records.parquet, OUT/hits.parquet and OUT/study.json (the attributes).

    About `rows` rows at a time; in a terminal a bar says how far it is.

    Raises:
        ValueError: pyarrow is not installed; something at `out`.
    """
    if not _arrow():
        raise ValueError("parquet needs pyarrow: pip install two-descents[parquet]")
    with whole(out) as folder:
        _write(dataset, rows, folder, ".parquet")
        return _done(dataset, folder, Path(out))


def _arrow() -> bool:
    return importlib.util.find_spec("pyarrow") is not None


def _with_bar(dataset: Dataset, rows: int) -> Iterator[Tables]:
    """The frames, with a bar where there are several parts and someone to see it."""
    from rich.progress import track

    from studies.text import terminal

    console, parts = terminal.console(stderr=True), len(_parts(dataset, rows))
    quiet = parts < 2 or not console.is_terminal
    yield from track(frames(dataset, rows), "writing", parts, console=console, disable=quiet)


def _write_slowly(dataset: Dataset, rows: int, folder: Path) -> None:
    """Write tables as CSV, by pandas."""
    for number, tables in enumerate(_with_bar(dataset, rows)):
        for name, table in zip(NAMES, tables, strict=True):
            table.to_csv(folder / f"{name}.csv", mode="a", header=number == 0, index=False)


def _write(dataset: Dataset, rows: int, folder: Path, ending: str) -> None:
    """Write tables part by part, by pyarrow, in the format of this ending."""
    writers: Data = {}
    with ExitStack() as files:
        for tables in _with_bar(dataset, rows):
            for name, frame in zip(NAMES, tables, strict=True):
                _append(frame, folder / f"{name}{ending}", writers, files)


def _append(
    frame: pd.DataFrame,
    path: Path,
    writers: Data,
    files: ExitStack,
) -> None:
    """Append rows to a file, which the first of them begin.

    Args:
        frame: the rows.
        path: of the file.
        writers: of the files that are open, with their schemas, by name; one may be added.
        files: closes them.
    """
    import pyarrow as pa
    from pyarrow.csv import CSVWriter
    from pyarrow.parquet import ParquetWriter

    table = pa.Table.from_pandas(frame, preserve_index=False)
    if path.name not in writers:
        kind = CSVWriter if path.suffix == ".csv" else ParquetWriter
        writers[path.name] = files.enter_context(kind(path, table.schema)), table.schema
    writer, schema = writers[path.name]
    writer.write_table(table.cast(schema))


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
