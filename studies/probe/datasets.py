"""From landscapes to one labelled Dataset of their measures of ruggedness.

Every measure has its standard error beside it, named NAME_error.

Dims: landscape, replicate, and what a measure has (lag, fraction, threshold, order, ..). A measure that a
landscape cannot have is NaN there; why is in the attribute `notes`. Beside the measures stand what the figure
shows of world 0: a sample (`sample_loss`, `sample_distance`) and lines (`slice_loss`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from rich.table import Table
from rich.text import Text

from landscapes.base import Bits, Domain, Landscape
from landscapes.probes import BINARY_MEASURES, CONTINUOUS_MEASURES, measure_binary
from landscapes.probes.continuous import walks_and_lines
from landscapes.probes.continuous.catalogue import GROUPS, SAMPLES, Found, Group
from landscapes.probes.measure import Measure
from landscapes.streams import Streams
from studies.cells import provenance
from studies.probe.named import Named
from studies.text.words import short, suggest

FEW = 128  # points of a measure, where `--samples` does not say and one is dear; else SAMPLES
DEAR = 2**16  # coordinates times terms from which on a point is dear
ROWS = 4  # places on an axis that have rows of the table
SLICES, SHOWN = 4, 400  # lines and points of world 0 that the figure shows


# measures by name -------------------------------------------------------------------------------------------


def _one_of_bits(name: str) -> Group:
    return lambda landscape, streams, samples: measure_binary(
        landscape, (name,), samples=samples, streams=streams
    )


def groups(domain: Domain, wanted: Sequence[str]) -> list[tuple[Group, tuple[str, ...]]]:
    """What computes the wanted measures on a domain, all that there are where none is named."""
    if not isinstance(domain, Bits):
        return [(group, names) for group, names in GROUPS.values() if not wanted or set(names) & set(wanted)]
    if wanted:  # one at a time: one that this landscape cannot have does not take the others down
        return [(_one_of_bits(name), (name,)) for name in wanted if name in BINARY_MEASURES]
    return [
        (
            lambda landscape, streams, samples: measure_binary(landscape, samples=samples, streams=streams),
            BINARY_MEASURES,
        )
    ]


def measure_names() -> list[str]:
    """All measures, those of binary landscapes first."""
    return list(dict.fromkeys([*BINARY_MEASURES, *CONTINUOUS_MEASURES]))


def check_measures(names: Sequence[str]) -> None:
    """Raise ValueError where there is no measure of such a name."""
    known = measure_names()
    for name in names:
        if name not in known:
            raise ValueError(f"--measures: unknown measure {name!r}; {suggest(name, known)}")


# the Dataset ------------------------------------------------------------------------------------------------


def probe(
    entries: Sequence[Named],
    *,
    worlds: int = 8,
    seed: int = 1,
    samples: int | None = None,
    measures: Sequence[str] = (),
) -> xr.Dataset:
    """Measure landscapes.

    Args:
        entries: the landscapes, each with a label of its own.
        worlds: R, instances of each, >= 1.
        seed: of the streams.
        samples: points of a measure; None: 1024, or 128 where a point is dear.
        measures: names; none: all that a landscape can have.

    Returns:
        The labelled Dataset.

    Raises:
        ValueError: there is no such measure.
    """
    check_measures(measures)
    parts, notes = [], {}
    for entry in entries:
        part, why = _probe(entry, worlds, seed, samples, measures)
        parts.append(part.expand_dims(landscape=[entry.label]))
        notes[entry.label] = why
    data = xr.concat(
        parts,
        "landscape",
        join="outer",
        data_vars="all",
        coords="minimal",
        compat="override",
        combine_attrs="drop_conflicts",
    )
    data["replicate"].attrs["long_name"] = "world"
    for name in data.data_vars:
        data[name].attrs |= _attrs([part for part in parts if name in part], str(name))
    data = data.drop_vars([
        dim for dim in map(str, data.dims) if dim not in ("landscape", "replicate")
    ])  # numbers that only served to align
    specs = {entry.label: entry.spec for entry in entries}
    origin = {"versions": json.dumps(provenance.versions()), "commit": provenance.commit()}
    return data.assign_attrs(
        {"seed": seed, "notes": json.dumps(notes), "landscapes": json.dumps(specs)} | origin
    )


def _attrs(parts: Sequence[xr.Dataset], name: str) -> dict[str, str]:
    """Those of a variable in all landscapes.

    Where units differ (lags are steps on bits and lengths on reals) each is named.
    """
    found = {
        key: list(dict.fromkeys(part[name].attrs.get(key, "") for part in parts))
        for key in ("long_name", "units", "source")
    }
    attrs = {key: " | ".join(values) for key, values in found.items() if any(values)}
    if len(found["units"]) == 1:
        return attrs
    return attrs | {f"units_{_domain(part)}": part[name].attrs["units"] for part in parts}


def _domain(data: xr.Dataset) -> str:
    return "bits" if bool((data["binary"] == 1).all()) else "reals"


def _enough(landscape: Landscape) -> int:
    return FEW if landscape.dim * landscape.terms >= DEAR else SAMPLES


def _probe(
    entry: Named, worlds: int, seed: int, samples: int | None, measures: Sequence[str]
) -> tuple[xr.Dataset, dict[str, str]]:
    """One landscape: its variables, and measure -> why it is not there."""
    streams = Streams(seed=seed, worlds=torch.arange(worlds), dtype=getattr(torch, entry.dtype))
    landscape = entry.landscape.bind(streams)
    binary = isinstance(landscape.domain, Bits)
    size = samples or _enough(landscape)
    found: Found = {}
    notes: dict[str, str] = {}
    for group, names in groups(landscape.domain, measures):
        try:
            found |= group(landscape, streams, size)
        except (
            ValueError,
            RuntimeError,
        ) as error:  # a measure that this landscape cannot have, a loss without a slope
            notes |= dict.fromkeys(
                [name for name in names if not measures or name in measures], str(error).splitlines()[0]
            )
    notes |= _undefined(landscape, found, [name for name in measures if name not in notes])
    variables: dict[str, Any] = {}
    for name, measure in found.items():
        if not measures or name in measures:
            variables |= _variables(name, measure)
    shown = {} if binary else _shown(entry.landscape.bind(streams.subset([0])), streams.subset([0]), size)
    facts = {"binary": int(binary), "dim": landscape.dim, "terms": landscape.terms, "samples": size}
    data = xr.Dataset(variables | shown | facts)
    return (
        data.assign_coords(
            {dim: np.arange(size) for dim, size in data.sizes.items()} | {"replicate": np.arange(worlds)}
        ),
        notes,
    )


def _undefined(landscape: Landscape, found: Found, wanted: Sequence[str]) -> dict[str, str]:
    """Why measures that were asked for are not there, though nothing went wrong."""
    other = "real coordinates" if isinstance(landscape.domain, Bits) else "bits"
    missing = {name: f"a measure of landscapes on {other}" for name in wanted if name not in found}
    empty = [name for name in wanted if name in found and bool(found[name].value.isnan().all())]
    return missing | {name: "not defined (NaN) in any world" for name in empty}


def _variables(name: str, measure: Measure) -> dict[str, Any]:
    """The value and the standard error of a measure.

    Where its axis differs between worlds, their mean is the axis.
    """
    attrs = {"long_name": measure.long_name, "units": measure.unit, "source": measure.source}
    if measure.axis is None:
        dims: tuple[str, ...] = ("replicate",)
        axis: dict[str, Any] = {}
    else:
        dim, places, unit = measure.axis
        places = places.mean(0) if places.ndim > 1 else places
        dims = ("replicate", dim)
        axis = {f"{dim}_value": ((dim,), places.double().numpy(force=True), {"units": unit})}
    error = {"long_name": f"standard error of {measure.long_name}", "units": measure.unit}
    values = {name: (dims, measure.value, attrs), f"{name}_error": (dims, measure.error, error)}
    return {key: (d, v.double().numpy(force=True), a) for key, (d, v, a) in values.items()} | axis


def _shown(first: Landscape, streams: Streams, samples: int) -> dict[str, Any]:
    """A sample and lines of world 0, to which the landscape is bound."""
    loss, distance, known = walks_and_lines.distances(first, streams, min(samples, SHOWN))
    place, height = walks_and_lines.lines(first, streams, SLICES, 513 if samples >= SAMPLES else 129)
    return {
        "sample_loss": ("point", loss[0].double().numpy(force=True), {"long_name": "loss"}),
        "sample_distance": (
            "point",
            distance[0].double().numpy(force=True),
            {"long_name": "distance to the optimum", "units": "x"},
        ),
        "optimum_known": int(known),
        "slice_place": (
            ("slice", "place"),
            place[0].double().numpy(force=True),
            {"long_name": "place on a random line", "units": "x"},
        ),
        "slice_loss": (("slice", "place"), height[0].double().numpy(force=True), {"long_name": "loss"}),
    }


def tune(
    entry: Named,
    statistic: str,
    target: str,
    parameter: str,
    *,
    worlds: int = 8,
    seed: int = 1,
    samples: int | None = None,
) -> tuple[Named, str]:
    """The landscape with a parameter set so that a statistic has this value, and a line that says what was reached.

    Raises:
        ValueError: no such statistic or parameter, or the value cannot be reached; the text names the range.
    """
    from landscapes.probes import tuning

    check_measures([statistic])
    try:
        wanted = float(target)
    except ValueError:
        raise ValueError(f"--tune {statistic}={target}: expected a number") from None
    streams = Streams(seed=seed, worlds=torch.arange(worlds), dtype=getattr(torch, entry.dtype))
    found = tuning.tune(
        entry.landscape,
        parameter,
        statistic,
        wanted,
        streams=streams,
        samples=samples or _enough(entry.landscape),
    )
    value = int(found.value) if float(found.value).is_integer() else float(found.value)
    line = (
        f"{entry.label}: {parameter} = {short(value)} has {statistic} {found.achieved:.4g} \u00b1"
        f" {found.error:.2g} (wanted {wanted:g})"
    )
    spec = entry.spec | {parameter: value}
    return (
        replace(
            entry, label=f"{entry.label} {parameter}={short(value)}", spec=spec, landscape=found.landscape
        ),
        line,
    )


# the table --------------------------------------------------------------------------------------------------


def summary(data: xr.Dataset, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of a measure of one landscape the mean over worlds, its standard error and the standard deviation between instances, along its axis.

    The standard error of the mean is that between worlds, of one world its sampling error. For the spread between instances the variance of
    sampling is taken off that between worlds.
    """
    value, error = (data[key].transpose("replicate", ...).values for key in (name, f"{name}_error"))
    worlds = len(value)
    with np.errstate(invalid="ignore"):
        if worlds == 1:
            return value[0], error[0], np.full(value.shape[1:], np.nan)
        between = value.var(0, ddof=1)
        return (
            value.mean(0),
            np.sqrt(between / worlds),
            np.sqrt(np.maximum(between - np.square(error).mean(0), 0)),
        )


def notes(data: xr.Dataset) -> list[str]:
    """Lines that say which measures are not there, and why; measures with the same reason share one."""
    found: dict[tuple[str, str], list[str]] = {}
    for label, reasons in json.loads(data.attrs["notes"]).items():
        for name, why in reasons.items():
            found.setdefault((label, why), []).append(name)
    return [f"{label}: no {', '.join(names)}: {why}" for (label, why), names in found.items()]


def check_found(data: xr.Dataset) -> None:
    """Raise ValueError, one line, where nothing at all was measured."""
    if not _measured(data):
        raise ValueError(f"--measures: nothing could be measured; {'; '.join(notes(data))}")


def tables(data: xr.Dataset, across: int = 3, *, long: bool = False) -> list[Table]:
    """Tables of all measures, `across` landscapes in each, those on bits apart from those on reals.

    Args:
        data: what `probe` returns.
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
    worlds, domain = data.sizes["replicate"], _domain(data)
    several = (
        f"{domain}: mean over {worlds} worlds \u00b1 its standard error [standard deviation between"
        " instances]"
    )
    title = several if worlds > 1 else f"{domain}: one world \u00b1 sampling error"
    grid = Table(title=Text(title), title_justify="left", title_style="bold", header_style="bold")
    grid.add_column("measure", overflow="fold", min_width=36)
    for name in data["landscape"].values.tolist():
        grid.add_column(Text(str(name)), justify="right", overflow="fold")
    for name in _measured(data):
        columns = [summary(data.isel(landscape=i), name) for i in range(data.sizes["landscape"])]
        for head, at in _rows(data, name, domain, long):
            grid.add_row(
                Text(head), *(Text(_cell(*(float(part[at]) for part in column))) for column in columns)
            )
    return grid


def _rows(data: xr.Dataset, name: str, domain: str, long: bool) -> list[tuple[str, tuple[int, ...]]]:
    """What the rows of a measure are called, and where on its axis they stand.

    Of a long axis they are none, or with `long` the first `ROWS` places where these are counted (lags,
    orders), else so many from end to end.
    """
    attrs = data[name].attrs
    unit = attrs.get(f"units_{domain}", attrs["units"])
    unit = "" if unit == "1" else f" ({unit})"
    axis = [dim for dim in map(str, data[name].dims) if dim not in ("landscape", "replicate")]
    if not axis:
        return [(f"{attrs['long_name']}{unit}", ())]
    places = data[f"{axis[0]}_value"].max("landscape").values
    if len(places) > ROWS and not long:
        return []
    counted = len(places) <= ROWS or bool((places == np.arange(1, len(places) + 1)).all())
    shown = (
        range(min(ROWS, len(places)))
        if counted
        else np.linspace(0, len(places) - 1, ROWS).round().astype(int).tolist()
    )
    return [(f"{attrs['long_name']}, {axis[0]} {places[k]:.3g}{unit}", (k,)) for k in shown]


def _measured(data: xr.Dataset) -> list[str]:
    return [
        str(name) for name in data.data_vars if f"{name}_error" in data and bool(data[name].notnull().any())
    ]


def _cell(mean: float, error: float, spread: float) -> str:
    """`0.749 +- 0.051 [0.1]`: two figures of the error."""
    if np.isnan(mean):
        return "-"
    known = np.isfinite(error) and error > 1e-9 * abs(mean)
    digits = 1 - int(np.floor(np.log10(error))) if known else 0
    plain = 0 <= digits <= 6 and abs(mean) < 1e5
    text = (
        f"{mean:.{digits}f} \u00b1 {error:.{digits}f}"
        if known and plain
        else f"{mean:.4g}" + (f" \u00b1 {error:.2g}" if known else "")
    )
    return text + (f" [{spread:.2g}]" if np.isfinite(spread) and spread > 1e-9 * abs(mean) else "")


def save(data: xr.Dataset, out: Path) -> Path:
    """Write OUT/probe.nc, whole or not at all."""
    from studies.results.store import beside

    path = out / "probe.nc"
    with beside(path) as temporary:
        data.to_netcdf(temporary, engine="h5netcdf")
    return path
