"""What the explorer of a page draws: quantities of every arm at its checkpoints, and what its clocks show.

The page has them as JSON, and draws them with uPlot (https://github.com/leeoniya/uPlot, 22 kB compressed):
of the libraries that draw lines with bands, logarithmic axes and a cursor it is the smallest, and needs no
other. Where there is too much for a page, checkpoints are left out first, and then all quantities but the
loss.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.colors import to_hex
from xarray import DataArray, Dataset

from studies.analysis.intervals.quantiles import QUARTILES, observed, quantiles
from studies.analysis.running_time.runtime import expected_running_time
from studies.analysis.shapes import BOUNDS
from studies.figures import clocks, style
from studies.results import gaps
from studies.results.arms import dims_beside, stack
from studies.results.clocks import common_clock, has_clock, shown_on, words
from studies.results.precision import precision
from studies.text.schema import DIMS, GRID, RECORDS, Status
from studies.text.shapes import Data

MOST = 120_000  # bytes of compressed JSON
EVERY = (1, 2, 4, 8, 16)  # one checkpoint of so many is kept
NEVER = "1e999"  # a number of JSON that is inf to those who read it
Ways = Mapping[str, np.ndarray]  # (arm, checkpoint) of each clock or quantity
ORDER = ("quantity", "arm", "checkpoint")
UNSAID = {None, "1", "loss", "not stated"}  # units that say nothing


class Explorer(NamedTuple):
    """Numbers for the page, and what is said of them."""

    numbers: str  # JSON
    axes: Sequence[str]  # of the sweep
    note: str


def explorer(dataset: Dataset) -> Explorer | None:
    """The numbers of all arms, as much of them as a page may have.

    Args:
        dataset: a study's results.

    Returns:
        None of a study that has too many arms even for its losses alone.
    """
    names, clock = _quantities(dataset), common_clock(dataset)
    numbers = {
        str(name): _of_landscape(dataset.sel(landscape=name), names, clock)
        for name in dataset["landscape"].values
    }
    for kept in (names, names[:1]):
        for step in EVERY:
            text = _json(_whole(dataset, numbers, kept, step))
            if len(zlib.compress(text.encode())) <= MOST:
                return Explorer(text, _axes(dataset), _note(step, names[len(kept) :]))
    return None


def _note(step: int, left_out: Sequence[str]) -> str:
    """What a page has no room for."""
    parts = [f"one checkpoint of {step}"] if step > 1 else []
    parts += [f"no {', '.join(left_out)}"] if left_out else []
    return f"For want of room the explorer has {' and '.join(parts)}." if parts else ""


# numbers ----------------------------------------------------------------------------------------------------


class Numbers(NamedTuple):
    """Of the arms of one landscape."""

    data: Dataset  # dim arm
    times: Ways  # clock -> medians over worlds
    spread: Mapping[str, np.ndarray]  # quantity -> (5, arm, checkpoint), from the lowest to the highest
    hits: np.ndarray  # (arm, target, 4), of the running times to targets
    least: np.ndarray  # (arm,) of gaps the precision, below which they count as it; else 0


def _quantities(dataset: Dataset) -> list[str]:
    """What is recorded as one number of a world at every checkpoint, the loss first; no clock."""
    places = {*GRID, *_axes(dataset), *RECORDS}
    own = {
        str(name)
        for name, part in dataset.data_vars.items()
        if {*RECORDS} <= {*part.dims} <= places
        if part.dtype.kind in "fiu" and part.attrs.get("units") != "terms"
    }
    return sorted(own - {"status", *clocks.CLOCKS}, key=lambda name: (name != "loss", name))


def _of_landscape(dataset: Dataset, names: Sequence[str], clock: str) -> Numbers:
    """The numbers of one landscape, times to targets on a clock that is the same for all landscapes."""
    data = stack(dataset)
    told = clocks.running(data) & (data["status"] < Status.FAILED).any("replicate")
    times = {
        name: _in_order(shown_on(data, name).median("replicate").where(told))
        for name in clocks.CLOCKS
        if _is_there(data, name)
    }
    spread = dict(zip(names, _spread(data, names, told), strict=True))
    least = precision(data).where(gaps.gap_known(data), 0.0).broadcast_like(data["arm"])
    return Numbers(data, times, spread, _hits(data, clock), least.values)


def _is_there(data: Dataset, clock: str) -> bool:
    """Whether results have a clock."""
    recorded = clocks.counted(data) if clock in {"cost", "epochs"} else clock in data
    return recorded and bool(has_clock(data, clock).any())


def _spread(data: Dataset, names: Sequence[str], told: DataArray) -> np.ndarray:
    """(quantity, 5, arm, checkpoint): lower end of the median's interval, quartiles, upper end.

    The loss of a world that diverged is infinite.
    """
    parts = [data[name].where(data["status"] != Status.DIVERGED, _diverged(name)) for name in names]
    values = xr.concat([part.astype(float) for part in parts], "quantity", **clocks.JOINING)
    values = values.where(told & (data["status"] < Status.FAILED))
    between = quantiles("median", values, (0.5,), long_name="median", units="1")["median_interval"]
    ends = between.isel(quantile=0).transpose("bound", *ORDER).values
    worlds = values.transpose(*ORDER, "replicate").values
    return np.stack([ends[0], *(observed(worlds, level) for level in QUARTILES), ends[1]], 1)


def _diverged(name: str) -> float:
    """What a quantity of a world is that diverged."""
    return np.inf if name in gaps.LOSSES else np.nan


def _in_order(values: DataArray) -> np.ndarray:
    """(arm, checkpoint)."""
    return values.transpose("arm", "checkpoint").values


def _hits(data: Dataset, clock: str) -> np.ndarray:
    """Of each arm and target: the target, the expected running time to it, and the ends of its interval."""
    if "hit_cost" not in data or not data.sizes.get("target"):
        return np.empty((data.sizes["arm"], 0, 4))
    found = expected_running_time(data, clock=clock)
    low, high = (found["ert_interval"].sel(bound=end) for end in BOUNDS)
    parts = (found["target_loss"].broadcast_like(found["ert"]), low, found["ert"], high)
    return np.stack([part.transpose("arm", "target").values for part in parts], -1)


# as JSON ----------------------------------------------------------------------------------------------------


def _whole(dataset: Dataset, numbers: Mapping[str, Numbers], names: Sequence[str], step: int) -> Data:
    """All that the page draws: of the quantities named, at each so many checkpoints from the last on."""
    kept = np.arange(dataset.sizes["checkpoint"])[::-step][::-1]
    return {
        "hit_clock": words(common_clock(dataset)),
        "clocks": {clock: clocks.label(clock) for clock in clocks.CLOCKS if _told(numbers, clock)},
        "axes": {axis: dataset[axis].values.tolist() for axis in _axes(dataset)},
        "landscapes": [*numbers],
        "quantities": {name: _said(dataset[name]) for name in names},
        "fractions": dataset["checkpoint"].values[kept],
        "losses": [name for name in names if name in gaps.LOSSES],
        "looks": {name: _look(look) for name, look in style.looks(style.optimizers(dataset)).items()},
        "arms": [
            arm for name, one in numbers.items() for arm in _arms(name, one, dataset, names, kept)
        ],
    }


def _axes(dataset: Dataset) -> list[str]:
    """What was swept."""
    return dims_beside(dataset["loss"], *DIMS)


def _told(numbers: Mapping[str, Numbers], clock: str) -> bool:
    return any(clock in one.times for one in numbers.values())


def _said(part: DataArray) -> str:
    """What a quantity is, in words."""
    name = str(part.attrs.get("long_name", part.name)).split(";")[0]
    units = None if part.name in gaps.LOSSES else part.attrs.get("units")
    return name if units in UNSAID else f"{name} ({units})"


def _look(look: Mapping[str, object]) -> Data:
    """A colour and the lengths of dashes and of gaps between them."""
    dash = look.get("linestyle", look.get("ls", "-"))
    lengths = [3 * length for length in dash[1]] if isinstance(dash, tuple) else []
    return {"colour": to_hex(str(look["color"])), "dash": lengths}


def _arms(
    landscape: str, one: Numbers, data: Dataset, names: Sequence[str], kept: np.ndarray
) -> Iterator[Data]:
    """The arms of a landscape.

    Args:
        landscape: its name.
        one: its numbers.
        data: the study's results.
        names: of the quantities that are kept.
        kept: the places of the checkpoints that are kept.
    """
    optimizers = [str(name) for name in one.data["optimizer"].values]
    at = [_places(one.data[axis], data[axis].values.tolist(), optimizers) for axis in _axes(data)]
    for place, label in enumerate(one.data["arm"].values.tolist()):
        spread = {name: one.spread[name][:, place, kept] for name in names}
        yield {
            "landscape": landscape,
            "optimizer": optimizers[place],
            "label": str(label),
            "at": [places[place] for places in at],
            "times": {clock: times[place, kept] for clock, times in one.times.items()},
            "numbers": {
                name: values for name, values in spread.items() if not np.isnan(values[2]).all()
            },
            "hits": one.hits[place],
            "least": float(one.least[place]),
        }


def _places(values: DataArray, every: list, optimizers: Sequence[str]) -> list[int | None]:
    """Of each arm its place along an axis; none where its optimizer has one value there alone."""
    own: dict[str, set] = {}
    for name, value in zip(optimizers, values.values.tolist(), strict=True):
        own.setdefault(name, set()).add(value)
    return [
        every.index(value) if len(own[name]) > 1 else None
        for name, value in zip(optimizers, values.values.tolist(), strict=True)
    ]


def _json(value: object) -> str:
    """JSON with numbers of four digits, null for what is not known, and infinities as numbers too large."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_json(str(key))}:{_json(part)}" for key, part in value.items()) + "}"
    if isinstance(value, np.ndarray):
        return _json(value.tolist())
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, float):
        return _digits(value)
    return json.dumps(value).replace("<", "\\u003c")


def _digits(value: float) -> str:
    """A number in four digits, as short as it can be."""
    if math.isnan(value):
        return "null"
    if math.isinf(value):
        return NEVER if value > 0 else f"-{NEVER}"
    return f"{value:.4g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
