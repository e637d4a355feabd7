"""The measures of landscapes as tables for a terminal, and lines on those that are not there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from rich.table import Table
from rich.text import Text

from studies.probe.datasets import domain

ROWS = 4  # places on an axis that have rows of the table


class Place(NamedTuple):
    """A row of the table."""

    head: str
    at: tuple[int, ...]  # on the axis of the measure, if it has one


class Summary(NamedTuple):
    """Of a measure of one landscape, along its axis."""

    mean: np.ndarray  # over worlds
    error: (
        np.ndarray
    )  # standard error of the mean: that between worlds, of one world its sampling error
    spread: np.ndarray  # standard deviation between instances; NaN of one world


def summary(data: xr.Dataset, name: str) -> Summary:
    """What is said of a measure of one landscape.

    For the spread between instances the variance of sampling is taken off that between worlds.
    """
    value, error = (data[key].transpose("replicate", ...).values for key in (name, f"{name}_error"))
    if len(value) == 1:
        return Summary(value[0], error[0], np.full(value.shape[1:], np.nan))
    with np.errstate(invalid="ignore"):
        return _over_worlds(value, error)


def _over_worlds(value: np.ndarray, error: np.ndarray) -> Summary:
    """Of values and their standard errors (R, ..), R >= 2."""
    between, sampling = value.var(0, ddof=1), np.square(error).mean(0)
    spread = np.sqrt(np.maximum(between - sampling, 0))
    return Summary(value.mean(0), np.sqrt(between / len(value)), spread)


def measured(data: xr.Dataset) -> list[str]:
    """The measures that some landscape has."""
    names = [str(name) for name in data.data_vars if f"{name}_error" in data]
    return [name for name in names if bool(data[name].notnull().any())]


def notes(data: xr.Dataset) -> list[str]:
    """Lines that say which measures are not there, and why; measures with the same reason share one."""
    return [
        f"{label}: no {', '.join(names)}: {why}"
        for label, reasons in json.loads(data.attrs["notes"]).items()
        for why, names in _by_reason(reasons).items()
    ]


def _by_reason(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    """Reason -> the measures that are not there for it."""
    names: dict[str, list[str]] = {}
    for name, why in reasons.items():
        names.setdefault(why, []).append(name)
    return names


def check_measured(data: xr.Dataset) -> None:
    """Raise ValueError, one line, where nothing at all was measured."""
    if not measured(data):
        raise ValueError(f"--measures: nothing could be measured; {'; '.join(notes(data))}")


def tables(data: xr.Dataset, across: int = 3, *, long: bool = False) -> list[Table]:
    """Tables of all measures, `across` landscapes in each, those on bits apart from those on reals.

    Args:
        data: what `studies.probe.datasets.probe` returns.
        across: landscapes side by side, >= 1.
        long: whether some places of measures on a long axis are shown too.
    """
    apart = [data.isel(landscape=np.flatnonzero(data["binary"].values == bits)) for bits in (1, 0)]
    return [
        _table(part.isel(landscape=slice(i, i + across)), long)
        for part in apart
        for i in range(0, part.sizes["landscape"], across)
    ]


def _table(data: xr.Dataset, long: bool) -> Table:
    table = _without_rows(data)
    landscapes = [data.isel(landscape=i) for i in range(data.sizes["landscape"])]
    for name in measured(data):
        columns = [summary(landscape, name) for landscape in landscapes]
        for head, at in _places(data, name, long):
            cells = [_cell(*(float(part[at]) for part in column)) for column in columns]
            table.add_row(Text(head), *map(Text, cells))
    return table


def _without_rows(data: xr.Dataset) -> Table:
    """A column for each landscape."""
    table = Table(title=Text(_title(data)), title_justify="left", title_style="bold")
    table.header_style = "bold"
    table.add_column("measure", overflow="fold", min_width=36)
    for label in data["landscape"].values.tolist():
        table.add_column(Text(str(label)), justify="right", overflow="fold")
    return table


def _title(data: xr.Dataset) -> str:
    """What the numbers of a table are."""
    worlds = data.sizes["replicate"]
    if worlds == 1:
        return f"{domain(data)}: one world \u00b1 sampling error"
    mean = f"mean over {worlds} worlds \u00b1 its standard error"
    return f"{domain(data)}: {mean} [standard deviation between instances]"


def _places(data: xr.Dataset, name: str, long: bool) -> Sequence[Place]:
    """The rows of a measure: of a long axis none, or with `long` some."""
    about, unit = data[name].attrs["long_name"], _unit(data, name)
    axis = [dim for dim in map(str, data[name].dims) if dim not in ("landscape", "replicate")]
    if not axis:
        return [Place(f"{about}{unit}", ())]
    places = data[f"{axis[0]}_value"].max("landscape").values
    shown = _some(places) if long or len(places) <= ROWS else []
    return [Place(f"{about}, {axis[0]} {places[k]:.3g}{unit}", (k,)) for k in shown]


def _unit(data: xr.Dataset, name: str) -> str:
    """The unit of a measure on the domain of the landscapes, in brackets; of a plain number nothing."""
    attrs = data[name].attrs
    unit = attrs.get(f"units_{domain(data)}", attrs["units"])
    return "" if unit == "1" else f" ({unit})"


def _some(places: np.ndarray) -> list[int]:
    """`ROWS` places at most: the first where these are counted (lags, orders), else from end to end."""
    if len(places) <= ROWS or bool((places == np.arange(1, len(places) + 1)).all()):
        return list(range(min(ROWS, len(places))))
    return np.linspace(0, len(places) - 1, ROWS).round().astype(int).tolist()


def _cell(mean: float, error: float, spread: float) -> str:
    """`0.749 +- 0.051 [0.1]`: two figures of the error."""
    if np.isnan(mean):
        return "-"
    least = 1e-9 * abs(mean)  # what is below is rounding
    text = _with_error(mean, error) if np.isfinite(error) and error > least else f"{mean:.4g}"
    return f"{text} [{spread:.2g}]" if np.isfinite(spread) and spread > least else text


def _with_error(mean: float, error: float) -> str:
    digits = 1 - int(np.floor(np.log10(error)))
    if 0 <= digits <= 6 and abs(mean) < 1e5:
        return f"{mean:.{digits}f} \u00b1 {error:.{digits}f}"
    return f"{mean:.4g} \u00b1 {error:.2g}"
