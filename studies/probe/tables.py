"""The measures of landscapes as tables for a terminal, and lines on those that are not there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from rich.table import Table
from rich.text import Text
from xarray import DataArray, Dataset

from studies.probe.datasets import domain
from studies.results.arms import dims_beside
from studies.text.groups import grouped
from studies.text.shapes import Data

TITLE: Data = {"title_justify": "left", "title_style": "bold"}
ROWS = 4  # places on an axis that have rows of the table


class Place(NamedTuple):
    """A row of the table."""

    head: str
    at: tuple[int, ...]  # on the axis of the measure, if it has one


class Summary(NamedTuple):
    """Of a measure of one landscape, along its axis."""

    mean: np.ndarray  # over worlds
    error: np.ndarray  # standard error of the mean: between worlds, or, of one world, of sampling
    spread: np.ndarray  # standard deviation between instances; NaN of one world


def summary(data: Dataset, name: str) -> Summary:
    """What is said of a measure of one landscape.

    For the spread between instances the variance of sampling is taken off that between worlds.
    """
    value, error = (_by_world(data[key]) for key in (name, f"{name}_error"))
    if len(value) == 1:
        return Summary(value[0], error[0], np.full(value.shape[1:], np.nan))
    with np.errstate(invalid="ignore"):
        return _over_worlds(value, error)


def _by_world(values: DataArray) -> np.ndarray:
    return values.transpose("replicate", ...).values


def _over_worlds(value: np.ndarray, error: np.ndarray) -> Summary:
    """Of values and their standard errors (R, ..), R >= 2."""
    between = value.var(0, ddof=1)
    sampling = np.square(error).mean(0)
    spread = np.sqrt(np.maximum(between - sampling, 0))
    return Summary(value.mean(0), np.sqrt(between / len(value)), spread)


def measured(data: Dataset) -> list[str]:
    """The measures that some landscape has."""
    names = [str(name) for name in data.data_vars if f"{name}_error" in data]
    return [name for name in names if bool(data[name].notnull().any())]


def notes(data: Dataset) -> list[str]:
    """Lines that say which measures are not there, and why; measures with the same reason share one."""
    return [
        f"{label}: no {', '.join(names)}: {why}"
        for label, reasons in json.loads(data.attrs["notes"]).items()
        for why, names in _by_reason(reasons).items()
    ]


def _by_reason(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    """Reason -> the measures that are not there for it."""
    return grouped((why, name) for name, why in reasons.items())


def check_measured(data: Dataset) -> None:
    """Raise ValueError, one line, where nothing at all was measured."""
    if not measured(data):
        raise ValueError(f"--measures: nothing could be measured; {'; '.join(notes(data))}")


def tables(data: Dataset, across: int = 3, *, long: bool = False) -> list[Table]:
    """Tables of all measures, `across` landscapes in each, those on bits apart from those on reals.

    Args:
        data: what `studies.probe.datasets.probe` returns.
        across: landscapes side by side, >= 1.
        long: whether some places of measures on a long axis are shown too.
    """
    return [
        _table(part.isel(landscape=slice(first, first + across)), long)
        for part in _by_domain(data)
        for first in range(0, part.sizes["landscape"], across)
    ]


def _by_domain(data: Dataset) -> list[Dataset]:
    """The landscapes on bits, and those on reals."""
    binary = data["binary"].values
    return [data.isel(landscape=np.flatnonzero(binary == bits)) for bits in (1, 0)]


def _table(data: Dataset, long: bool) -> Table:
    table = _without_rows(data)
    landscapes = [data.isel(landscape=i) for i in range(data.sizes["landscape"])]
    for name in measured(data):
        summaries = [summary(landscape, name) for landscape in landscapes]
        for head, at in _places(data, name, long):
            table.add_row(Text(head), *(Text(_cell(column, at)) for column in summaries))
    return table


def _without_rows(data: Dataset) -> Table:
    """A column for each landscape."""
    table = Table(title=Text(_title(data)), header_style="bold", **TITLE)
    table.add_column("measure", overflow="fold", min_width=36)
    for label in data["landscape"].values.tolist():
        table.add_column(Text(str(label)), justify="right", overflow="fold")
    return table


def _title(data: Dataset) -> str:
    """What the numbers of a table are."""
    worlds = data.sizes["replicate"]
    if worlds == 1:
        return f"{domain(data)}: one world \u00b1 sampling error"
    mean = f"mean over {worlds} worlds \u00b1 its standard error"
    return f"{domain(data)}: {mean} [standard deviation between instances]"


def _places(data: Dataset, name: str, long: bool) -> Sequence[Place]:
    """The rows of a measure: of a long axis none, or with `long` some."""
    axis = dims_beside(data[name], "landscape", "replicate")
    about, unit = data[name].attrs["long_name"], _unit(data, name)
    if not axis:
        return [Place(f"{about}{unit}", ())]
    places = data[f"{axis[0]}_value"].max("landscape").values
    shown = _some(places) if long or len(places) <= ROWS else []
    return [Place(f"{about}, {axis[0]} {places[k]:.3g}{unit}", (k,)) for k in shown]


def _unit(data: Dataset, name: str) -> str:
    """The unit of a measure on the domain of the landscapes, in brackets; of a plain number nothing."""
    attrs = data[name].attrs
    unit = attrs.get(f"units_{domain(data)}", attrs["units"])
    return "" if unit == "1" else f" ({unit})"


def _some(places: np.ndarray) -> list[int]:
    """`ROWS` places at most: the first where these are counted (lags, orders), else from end to end."""
    if len(places) <= ROWS or _counted(places):
        return list(range(min(ROWS, len(places))))
    return np.linspace(0, len(places) - 1, ROWS).round().astype(int).tolist()


def _counted(places: np.ndarray) -> bool:
    """Whether places are 1, 2, .."""
    return bool((places == np.arange(1, len(places) + 1)).all())


def _cell(column: Summary, at: tuple[int, ...]) -> str:
    """`0.749 +- 0.051 [0.1]`: two figures of the error."""
    mean, error, spread = (float(part[at]) for part in column)
    if np.isnan(mean):
        return "-"
    least = 1e-9 * abs(mean)  # what is below is rounding
    text = _with_error(mean, error) if _above(error, least) else f"{mean:.4g}"
    return f"{text} [{spread:.2g}]" if _above(spread, least) else text


def _above(value: float, least: float) -> bool:
    """Whether a finite number is larger than another."""
    return bool(np.isfinite(value)) and value > least


def _with_error(mean: float, error: float) -> str:
    digits = 1 - int(np.floor(np.log10(error)))
    if 0 <= digits <= 6 and abs(mean) < 1e5:
        return f"{mean:.{digits}f} \u00b1 {error:.{digits}f}"
    return f"{mean:.4g} \u00b1 {error:.2g}"
