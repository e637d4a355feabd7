"""From landscapes to one labelled Dataset of their measures of ruggedness.

Every measure has its standard error beside it, named NAME_error.

Dims: landscape, replicate, and what a measure has (lag, fraction, threshold, order, ..). A measure that a
landscape cannot have is NaN there; why is in the attribute `notes`. Beside the measures stand what the figure
shows of world 0: a sample (`sample_loss`, `sample_distance`) and lines (`slice_loss`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from xarray import Dataset

from landscapes.base import Bits, Domain, Landscape, Letters
from landscapes.probes import BINARY_MEASURES, CONTINUOUS_MEASURES, measure_binary
from landscapes.probes.continuous import line_minima, sampling
from landscapes.probes.continuous.catalogue import GROUPS, SAMPLES, Found, Group
from landscapes.probes.measure import Measure
from landscapes.streams import Streams
from studies.cells import provenance
from studies.probe.named import Named
from studies.probe.points import as_numpy
from studies.text.shapes import Data
from studies.text.words import check_known, short

LOSS = {"long_name": "loss"}
FEW = 128  # points of a measure, where `--samples` does not say and one is dear; else SAMPLES
FAULTS = (ValueError, RuntimeError)  # a landscape cannot have a measure, or its loss has no slope
DEAR = 2**16  # coordinates times terms from which on a point is dear
JOINING: Data = {  # of the Datasets of landscapes, whose measures and axes may differ
    "data_vars": "all",
    "coords": "minimal",
    "compat": "override",
    "join": "outer",
    "combine_attrs": "drop_conflicts",
}
SLICES, SHOWN = 4, 400  # lines and points of world 0 that the figure shows


# measures by name -------------------------------------------------------------------------------------------


def _of_bits(*names: str) -> Group:
    """What computes these measures of binary landscapes; without names all."""
    return lambda landscape, streams, samples: measure_binary(
        landscape, names or None, samples=samples, streams=streams
    )


def groups(domain: Domain, wanted: Sequence[str]) -> list[tuple[Group, tuple[str, ...]]]:
    """What computes the wanted measures on a domain, all that there are where none is named."""
    if not isinstance(domain, Bits):
        return [group for group in GROUPS.values() if not wanted or set(group[1]) & set(wanted)]
    if wanted:  # one at a time: one that this landscape cannot have does not take the others down
        return [(_of_bits(name), (name,)) for name in wanted if name in BINARY_MEASURES]
    return [(_of_bits(), BINARY_MEASURES)]


def measure_names() -> list[str]:
    """All measures, those of binary landscapes first."""
    return list(dict.fromkeys([*BINARY_MEASURES, *CONTINUOUS_MEASURES]))


def check_measures(names: Sequence[str]) -> None:
    """Raise ValueError where there is no measure of such a name."""
    check_known("--measures: unknown measure", names, measure_names())


# the Dataset ------------------------------------------------------------------------------------------------


def probe(
    entries: Sequence[Named],
    *,
    worlds: int = 8,
    seed: int = 1,
    samples: int | None = None,
    measures: Sequence[str] = (),
) -> Dataset:
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
        ValueError: there is no such measure, or none of such a landscape.
    """
    check_measures(measures)
    for entry in entries:
        if isinstance(entry.landscape.domain, Letters):
            raise ValueError(
                f"{entry.label}: expected a landscape on bits or reals, got one on letters, which has no"
                " measures"
            )
    parts: dict[str, Dataset] = {}
    notes: dict[str, dict[str, str]] = {}
    for entry in entries:
        parts[entry.label], notes[entry.label] = _probe(entry, worlds, seed, samples, measures)
    specs = {entry.label: entry.spec for entry in entries}
    attrs = {
        "seed": seed,
        "notes": json.dumps(notes),
        "landscapes": json.dumps(specs),
    }
    return _joined(parts).assign_attrs(attrs | _provenance())


def _provenance() -> Data:
    """What made the numbers."""
    return {"versions": json.dumps(provenance.versions()), "commit": provenance.commit()}


def _joined(parts: dict[str, Dataset]) -> Dataset:
    """The landscapes in one Dataset; where one has no such measure, or fewer places, there is NaN."""
    rows = [part.expand_dims(landscape=[label]) for label, part in parts.items()]
    data = xr.concat(rows, "landscape", **JOINING)
    data["replicate"].attrs["long_name"] = "world"
    for name in data.data_vars:
        data[name].attrs |= _attrs([part for part in rows if name in part], str(name))
    numbers = [dim for dim in map(str, data.dims) if dim not in ("landscape", "replicate")]
    return data.drop_vars(numbers)  # which only served to align


def _attrs(parts: Sequence[Dataset], name: str) -> dict[str, str]:
    """Those of a variable in all landscapes.

    Where units differ (lags are steps on bits and lengths on reals) each is named.
    """
    each = {key: _values(parts, name, key) for key in ("long_name", "units", "source")}
    attrs = {key: " | ".join(values) for key, values in each.items() if any(values)}
    if len(each["units"]) == 1:
        return attrs
    return attrs | {f"units_{domain(part)}": part[name].attrs["units"] for part in parts}


def _values(parts: Sequence[Dataset], name: str, key: str) -> list[str]:
    """The values of an attribute of a variable, each once."""
    return list(dict.fromkeys(part[name].attrs.get(key, "") for part in parts))


def domain(data: Dataset) -> str:
    """What the landscapes are functions of: bits or reals."""
    return "bits" if bool((data["binary"] == 1).all()) else "reals"


def _enough(landscape: Landscape) -> int:
    """Points of a measure, where nobody says how many."""
    return FEW if landscape.dim * landscape.terms >= DEAR else SAMPLES


def _probe(
    entry: Named,
    worlds: int,
    seed: int,
    samples: int | None,
    measures: Sequence[str],
) -> tuple[Dataset, dict[str, str]]:
    """Measure one landscape.

    Args:
        entry: the landscape.
        worlds: R, instances of it.
        seed: of the streams.
        samples: points of a measure; None: as many as are enough.
        measures: names; none: all.

    Returns:
        Its variables, and measure -> why it is not there.
    """
    streams = _streams(entry, seed, worlds)
    landscape = entry.landscape.bind(streams)
    size = samples or _enough(landscape)
    taken, notes = _measure(landscape, streams, size, measures)
    variables = _facts(landscape, size)
    for name, measure in taken.items():
        variables |= _variables(name, measure)
    if not variables["binary"]:
        first = streams.subset([0])
        variables |= _shown(entry.landscape.bind(first), first, size)
    return _numbered(Dataset(variables), worlds), notes


def _streams(entry: Named, seed: int, worlds: int) -> Streams:
    """The streams of the first worlds."""
    dtype = getattr(torch, entry.dtype)
    return Streams(seed=seed, worlds=torch.arange(worlds), dtype=dtype)


def _numbered(data: Dataset, worlds: int) -> Dataset:
    """With coordinates 0, 1, .. along every dim."""
    numbers = {dim: np.arange(size) for dim, size in data.sizes.items()}
    return data.assign_coords(numbers | {"replicate": np.arange(worlds)})


def _facts(landscape: Landscape, samples: int) -> Data:
    """What is said of a landscape beside its measures."""
    binary = int(isinstance(landscape.domain, Bits))
    return {
        "binary": binary,
        "dim": landscape.dim,
        "terms": landscape.terms,
        "samples": samples,
    }


def _measure(
    landscape: Landscape,
    streams: Streams,
    samples: int,
    wanted: Sequence[str],
) -> tuple[Found, dict[str, str]]:
    """Take the wanted measures, of none all.

    Args:
        landscape: bound to the streams.
        streams: of all worlds.
        samples: points of a measure.
        wanted: names.

    Returns:
        The measures, and measure -> why it is not there.
    """
    taken: Found = {}
    notes: dict[str, str] = {}
    for group, names in groups(landscape.domain, wanted):
        try:
            taken |= group(landscape, streams, samples)
        except FAULTS as error:
            why = str(error).splitlines()[0]
            notes |= {name: why for name in names if not wanted or name in wanted}
    notes |= _undefined(landscape, taken, [name for name in wanted if name not in notes])
    return {name: measure for name, measure in taken.items() if not wanted or name in wanted}, notes


def _undefined(landscape: Landscape, taken: Found, wanted: Sequence[str]) -> dict[str, str]:
    """Why measures that were asked for are not there, though nothing went wrong."""
    other = "real coordinates" if isinstance(landscape.domain, Bits) else "bits"
    missing = {name: f"a measure of landscapes on {other}" for name in wanted if name not in taken}
    empty = [name for name in wanted if name in taken and bool(taken[name].value.isnan().all())]
    return missing | dict.fromkeys(empty, "not defined (NaN) in any world")


def _variables(name: str, measure: Measure) -> Data:
    """The value and the standard error of a measure.

    Where its axis differs between worlds, their mean is the axis.
    """
    dims = ("replicate", *(measure.axis[:1] if measure.axis else ()))
    about = {
        "long_name": measure.long_name,
        "units": measure.unit,
        "source": measure.source,
    }
    error = {"long_name": f"standard error of {measure.long_name}", "units": measure.unit}
    return {
        name: (dims, as_numpy(measure.value), about),
        f"{name}_error": (dims, as_numpy(measure.error), error),
        **_axis(measure),
    }


def _axis(measure: Measure) -> Data:
    """The places of a measure's axis, if it has one."""
    if measure.axis is None:
        return {}
    dim, places, unit = measure.axis
    mean = places.mean(0) if places.ndim > 1 else places
    return {f"{dim}_value": (dim, as_numpy(mean), {"units": unit})}


def _shown(first: Landscape, streams: Streams, samples: int) -> Data:
    """A sample and lines of world 0, to which the landscape is bound."""
    return _sample(first, streams, min(samples, SHOWN)) | _slices(
        first, streams, 513 if samples >= SAMPLES else 129
    )


def _sample(first: Landscape, streams: Streams, number: int) -> Data:
    """Losses of a sample, and its distances to the optimum."""
    loss, distance, exact = sampling.distances(first, streams, number)
    return {
        "sample_loss": ("point", as_numpy(loss[0]), LOSS),
        "sample_distance": ("point", as_numpy(distance[0]), _length("distance to the optimum")),
        "optimum_known": int(exact),
    }


def _slices(first: Landscape, streams: Streams, number: int) -> Data:
    """Losses along random lines, at so many points of each."""
    place, height = line_minima.lines(first, streams, SLICES, number)
    dims = ("slice", "place")
    return {
        "slice_place": (dims, as_numpy(place[0]), _length("place on a random line")),
        "slice_loss": (dims, as_numpy(height[0]), LOSS),
    }


def _length(name: str) -> dict[str, str]:
    return {"long_name": name, "units": "x"}


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
    """Set a parameter of a landscape so that a statistic has a value.

    Args:
        entry: the landscape.
        statistic: name of a measure.
        target: the value, as text.
        parameter: its name.
        worlds: R, instances over which the statistic is averaged, >= 1.
        seed: of the streams.
        samples: points of the measure; None: as of `probe`.

    Returns:
        The landscape, and a line that says what was reached.

    Raises:
        ValueError: no such statistic or parameter, or the value cannot be reached; the text names the range.
    """
    from landscapes.probes import tuning

    check_measures([statistic])
    wanted = _number(statistic, target)
    streams = _streams(entry, seed, worlds)
    size = samples or _enough(entry.landscape)
    tuned = tuning.tune(entry.landscape, parameter, statistic, wanted, streams=streams, samples=size)
    value = _whole(float(tuned.value))
    reached = f"{statistic} {tuned.achieved:.4g} \u00b1 {tuned.error:.2g} (wanted {wanted:g})"
    label, spec = f"{entry.label} {parameter}={short(value)}", entry.spec | {parameter: value}
    line = f"{entry.label}: {parameter} = {short(value)} has {reached}"
    return Named(label, spec, tuned.landscape, entry.dtype), line


def _whole(value: float) -> float:
    """A number, as an int where it is whole."""
    return int(value) if value.is_integer() else value


def _number(statistic: str, target: str) -> float:
    """The value that a statistic is to have."""
    try:
        return float(target)
    except ValueError:
        raise ValueError(f"--tune {statistic}={target}: expected a number") from None


def save(data: Dataset, out: Path) -> Path:
    """Write OUT/probe.nc, whole or not at all."""
    from studies.results.store import beside

    path = out / "probe.nc"
    with beside(path) as temporary:
        data.to_netcdf(temporary, engine="h5netcdf")
    return path
