"""One NetCDF file of a whole study, which any reader of NetCDF-4 opens."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from pathlib import Path

import numpy as np
from xarray import Dataset

from studies.exchange.folders import safe, whole
from studies.text.shapes import Data


def export_netcdf(dataset: Dataset, out: str | Path) -> list[Path]:
    """Write OUT/NAME.nc; a Dataset of dask arrays is written chunk by chunk.

    Returns:
        The file. `xarray.open_dataset` gives the Dataset back, equal but for attributes that NetCDF cannot
        hold: these are JSON.

    Raises:
        ValueError: something at `out`.
    """  # noqa: DOC502
    name = f"{safe(str(dataset.attrs.get('name', 'results')), set())}.nc"
    with whole(out) as folder:
        plain(dataset).to_netcdf(folder / name, engine="h5netcdf", encoding=_encoding(dataset))
    return [Path(out) / name]


def plain(dataset: Dataset) -> Dataset:
    """The same with attributes and labels that NetCDF can hold.

    Truth values and mappings are JSON, None is left out, `/` in a name is `_`.
    """
    copy = dataset.rename(_renamed(dataset)).copy()
    copy.attrs = _attrs(dataset.attrs)
    for name in copy.variables:
        copy[name].attrs = _attrs(copy[name].attrs)
    return copy


def _renamed(dataset: Dataset) -> dict[Hashable, str]:
    """The names that NetCDF cannot hold, and those in their place."""
    return {name: str(name).replace("/", "_") for name in dataset.variables if "/" in str(name)}


def _attrs(attrs: Mapping[Hashable, object]) -> Data:
    return {str(key): _value(value) for key, value in attrs.items() if value is not None}


def _value(value: object) -> str | float | np.ndarray | np.number:
    if isinstance(value, str | int | float | np.ndarray | np.number) and not isinstance(value, bool):
        return value
    return json.dumps(value, default=str)


def _encoding(dataset: Dataset) -> dict[Hashable, Data]:
    """Compressed, as the cells are; encodings that the Dataset brought from elsewhere (Zarr) do not fit."""
    return {str(name).replace("/", "_"): {"zlib": True, "complevel": 1} for name in dataset.data_vars}
