"""What the instrument `timing` says, as parts of a quantity: `timing.least`, `timing.median[processor]`.

    least, lower_quartile, median, upper_quartile     seconds of a step, over the repeats of each world
    memory                                            bytes that a step holds, of each world

Seconds that pass (wall), unless `[processor]` says those of the processor. Of a Dataset whose cells were
timed on several devices nothing is told.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from xarray import DataArray, Dataset

from studies.text.schema import TIMED_ON, TIMING_CLOCKS
from studies.text.words import suggest

HEAD = "timing."
CLOCK, REPEAT = "timing_clock", "timing_repeat"
PLACES = {"least": 0.0, "lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75}
MEMORY = "memory"
WORDS = (*PLACES, MEMORY)
NO_TIMES = "this study times no steps (`timing:`)"


def told(data: Dataset, name: str, labels: Sequence[object]) -> DataArray:
    """A number of each world.

    Args:
        data: the results.
        name: of `WORDS`.
        labels: one of the clocks, or none.

    Raises:
        ValueError: there is no such number, clock or time, or several devices were timed.
    """
    if name not in WORDS:
        raise ValueError(f"unknown quantity {HEAD + name!r}; {suggest(name, WORDS)}")
    if "timing_seconds" not in data:
        raise ValueError(f"{HEAD}{name}: {NO_TIMES}")
    devices = json.loads(data.attrs.get(TIMED_ON, "[]"))
    if len(devices) > 1:
        raise ValueError(
            f"{HEAD}{name}: cells were timed on {len(devices)} devices, {' and '.join(devices)};"
            " run in another folder on one"
        )
    if name == MEMORY:
        return data["timing_memory"]
    seconds = data["timing_seconds"].sel({CLOCK: _clock(name, labels)}, drop=True)
    return seconds.quantile(PLACES[name], REPEAT, skipna=False).drop_vars("quantile")


def _clock(name: str, labels: Sequence[object]) -> str:
    """The clock that is asked for."""
    clock, *more = labels or TIMING_CLOCKS[:1]
    if more or clock not in TIMING_CLOCKS:
        said = " and ".join(map(str, (clock, *more)))
        raise ValueError(
            f"{HEAD}{name}: expected one of {' and '.join(TIMING_CLOCKS)} in [..], got {said}"
        )
    return str(clock)
