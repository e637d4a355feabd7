"""What the results of all analyses share: words beside numbers, estimates with intervals, dims that stay."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.text.schema import EVALUATIONS
from studies.text.shapes import Data

LEVEL = 0.95  # of every interval
BOUNDS = ("low", "high")  # the coordinate `bound` of an interval


def words(long_name: str, units: str | None = "1") -> dict[str, str]:
    """The attributes of a number."""
    return {"long_name": long_name} | ({} if units is None else {"units": units})


def named(part: DataArray, long_name: str, units: str | None = "1") -> DataArray:
    """A number, and what it is."""
    return part.assign_attrs(words(long_name, units))


def as_cost(part: DataArray, long_name: str = "cost") -> DataArray:
    """A number of evaluations, and what was paid with them."""
    return named(part, long_name, EVALUATIONS)


def count(part: DataArray, long_name: str = "worlds with numbers", dim: str = "replicate") -> DataArray:
    """How many along a dim have a number."""
    return named(part.notnull().sum(dim), long_name)


def with_interval(
    name: str,
    value: DataArray,
    interval: DataArray,
    *,
    long_name: str,
    units: str | None = "1",
    level: float = LEVEL,
) -> Dataset:
    """An estimate and its interval.

    Args:
        name: of the estimate.
        value: the estimate, any dims.
        interval: its dims, and `bound` behind them.
        long_name: of the estimate.
        units: of the estimate.
        level: of the interval.

    Returns:
        `name` and `name_interval`.
    """
    result = Dataset({name: value, f"{name}_interval": interval})
    result[name].attrs = words(long_name, units)
    result[f"{name}_interval"].attrs = words(f"{100 * level:g} % interval of {long_name}", units)
    return result


def interval_of(low: DataArray, high: DataArray) -> DataArray:
    """Two ends along the dim `bound`, behind all others."""
    return stacked([low, high], "bound", BOUNDS).transpose(..., "bound")


def ends(interval: DataArray) -> tuple[DataArray, DataArray]:
    """The low and the high end of an interval."""
    low, high = (interval.sel(bound=bound, drop=True) for bound in BOUNDS)
    return low, high


def stacked(parts: Iterable[DataArray], dim: str, labels: Sequence | None = None) -> DataArray:
    """Arrays along a new dim in front, with its labels; other coordinates are those of the first."""
    along = dim if labels is None else xr.Variable(dim, list(labels))
    return xr.concat(parts, along, coords="minimal", compat="override")


def alike(early: DataArray, late: DataArray) -> bool:
    """Whether two arrays agree wherever they have numbers."""
    return bool(((early == late) | late.isnull()).all())


def mapped(
    function: Callable,
    *parts: DataArray,
    over: Sequence[Sequence[str]],
    into: Sequence[Sequence[str]] = ((),),
    sizes: Mapping[str, int] | None = None,
    **options: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """A function of numpy arrays, of arrays that may be chunked.

    Args:
        function: of numpy arrays.
        parts: what it takes.
        over: of every part, the dims that are the last of its array; the others are cells.
        into: of every result, its dims behind the cells.
        sizes: of dims that no part has.
        options: of `xarray.apply_ufunc`.

    Returns:
        An array, or a tuple of several.
    """
    chunks: Data = {"allow_rechunk": True} | ({"output_sizes": dict(sizes)} if sizes else {})
    types = options.pop("output_dtypes", [float] * len(into))
    return xr.apply_ufunc(
        function,
        *parts,
        input_core_dims=over,
        output_core_dims=into,
        output_dtypes=types,
        dask="parallelized",
        dask_gufunc_kwargs=chunks,
        **options,
    )


def transformed(function: Callable, part: DataArray, dim: str, **options: Any) -> DataArray:  # noqa: ANN401
    """A function of numpy arrays that keeps their shape, of an array with this dim as the last axis."""
    return mapped(function, part, over=[[dim]], into=[[dim]], kwargs=options)


def texts_at(places: DataArray, texts: Sequence[str]) -> DataArray:
    """The text at each place, by its number among these."""
    return DataArray(np.array(texts, object)[places.values], places.coords, places.dims)


def rest(part: DataArray, *left_out: str) -> list[str]:
    """The dims of an array but these."""
    return [str(dim) for dim in part.dims if dim not in left_out]


def first_world(part: DataArray) -> DataArray:
    """The first world of a number (.., replicate): (..), without what is said of worlds."""
    own = [name for name, coord in part.coords.items() if "replicate" in coord.dims]
    return part.drop_vars(own).isel(replicate=0)


def unlabelled(part: DataArray, *but: str) -> DataArray:
    """Without coordinates, `but` for some and the instances of worlds.

    Arithmetic of arrays that have the same labels looks them up at each step, which takes most of the time.
    """
    return part.drop_vars([name for name in part.coords if name not in {"instance", *but}])


def bare(part: DataArray) -> DataArray:
    """Without the coordinates that are no dims."""
    return part.reset_coords(drop=True)
