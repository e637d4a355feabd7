"""The tables: what stands in their cells, and the same numbers as tidy frames.

    final          losses at the end, landscapes by optimizers
    hits           expected running times and successes, targets by optimizers
    comparisons    every two optimizers over the same worlds

All numbers are those of the report (`studies.report.records`).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from xarray import DataArray, Dataset

from studies.analysis.comparison.winners import Finding, touched
from studies.analysis.shapes import rest
from studies.report import records
from studies.report.answer import of_landscapes
from studies.report.cells import shown
from studies.report.matrix import kind
from studies.report.records import Reached, Time
from studies.report.tables import (
    PRICED,
    compared,
    has_targets,
    silent,
    unit_of,
    where,
)
from studies.results import gaps, goals
from studies.results.arms import absent
from studies.results.clocks import common_clock, words
from studies.results.precision import precision
from studies.table.comparisons import comparisons
from studies.table.entries import SPREADS, Entry, Table, joined, with_ends
from studies.text.schema import DIMS
from studies.text.shapes import Data
from studies.text.words import counted

MARKS = {"sure": "*", "alike": "≈", "ahead": "↑"}  # how a method stands to the best -> its mark
STANDING = {
    "best": "lowest median",
    "sure": "better than every other",
    "alike": "not told apart from the lowest median",
    "ahead": "better than the lowest median over the same worlds",
    "": "",
}
BOLD = "Bold: the lowest of a row"
MARKED = (
    f"{BOLD}; * better than every other, ≈ not told apart from it, ↑ better than it over the same worlds"
    " (Wilcoxon's signed-rank test at 0.05 with Holm's correction over {tests}, and the interval of the"
    " difference)."
)
FINAL = (
    "Final loss: {spread} of the true loss of the recommended point, {worlds}, at the budget that all arms"
    " have; a world that diverged counts as infinite."
)
HITS = (
    "Expected running time, in {clock}, of an algorithm that is restarted until it reaches the target{spread}"
    "; behind it how many worlds reached the target, of how many. ∞: none did. {bold}, not tested."
)


class Landscape(NamedTuple):
    """The arms of a landscape, one for each optimizer and combination of the axes that touch it."""

    name: str
    data: Dataset  # without the other axes
    arms: Dataset  # along the dim `arm`, a number; those that the study does not ask for are left out
    axes: Sequence[str]
    places: Sequence[Data]  # the values of the axes, in the order of the rows
    findings: Sequence[Finding]  # of every place; nothing is known where optimizers are not compared

    def place(self, arm: int) -> int:
        """The row of an arm."""
        return arm // self.data.sizes["optimizer"]

    def optimizer(self, arm: int) -> str:
        """That of an arm."""
        return str(self.data["optimizer"].values[arm % self.data.sizes["optimizer"]])

    def keys(self, arm: int) -> Data:
        """The first columns of the row of an arm in a tidy frame."""
        place = self.places[self.place(arm)]
        return {"landscape": self.name, **place, "optimizer": self.optimizer(arm)}


def _landscapes(dataset: Dataset, differences: Dataset | None) -> Iterator[Landscape]:
    """Every landscape, with the findings of these comparisons."""
    known = (
        {one.landscape: one.every for one in of_landscapes(dataset, differences)} if differences else {}
    )
    for name in map(str, dataset["landscape"].values):
        data = touched(dataset.sel(landscape=name))
        axes = rest(data["loss"], *DIMS)
        values = [data[axis].values.tolist() for axis in axes]
        sizes = [len(along) for along in values]
        every = [
            {axis: along[k] for axis, along, k in zip(axes, values, at, strict=True)}
            for at in np.ndindex(*sizes)
        ]
        found = {tuple(one.place.values()): one for one in known.get(name, [])}
        findings = [found.get(tuple(place.values()), Finding()) for place in every]
        yield Landscape(name, data, _arms(data, axes), axes, every, findings)


def _arms(data: Dataset, axes: Sequence[str]) -> Dataset:
    """Every optimizer at every combination of axes, the optimizer the fastest, along the dim `arm`."""
    dims = [*axes, "optimizer"]
    numbers = np.indices([data.sizes[dim] for dim in dims]).reshape(len(dims), -1)
    along = {dim: DataArray(at, dims="arm") for dim, at in zip(dims, numbers, strict=True)}
    arms = data.isel(along).assign_coords(arm=np.arange(numbers.shape[1]))
    return arms.isel(arm=np.flatnonzero(~absent(arms).values))


# final ------------------------------------------------------------------------------------------------------


def final(dataset: Dataset, spread: str = "interval") -> Table:
    """Losses at the budget that all arms have.

    Args:
        dataset: a study's results.
        spread: of `SPREADS`, what stands beside a median.
    """
    differences = _compared(dataset)
    names = [str(name) for name in dataset["optimizer"].values]
    rows: list[list[Entry]] = []
    frame: list[Data] = []
    for one in _landscapes(dataset, differences):
        every = dict(zip(one.arms["arm"].values.tolist(), records.reached(one.arms), strict=True))
        rows += _final_rows(one, every, names, spread)
        frame += [_final_record(one, arm, reached) for arm, reached in every.items()]
    worlds = [record["worlds"] for record in frame if record["worlds"]]
    what = f"median, {SPREADS[spread]}," if SPREADS[spread] else "median"
    notes = [
        FINAL.format(spread=what, worlds=f"over {_range(worlds)}"),
        gaps.said(dataset),
        _marked(differences),
        *silent(dataset, "start shown"),
    ]
    return Table("final", ["landscape", *names], rows, 1, joined(notes), pd.DataFrame(frame))


def _compared(dataset: Dataset) -> Dataset | None:
    """Every two optimizers; None where there is one alone, or they ran in other worlds."""
    with contextlib.suppress(ValueError):
        return compared(dataset)
    return None


def _marked(differences: Dataset | None) -> str:
    """What bold and marks mean."""
    if differences is None:
        return ""
    tests = differences["p_corrected"].attrs["tests"]
    return MARKED.format(tests=counted(tests, "comparison"))


def _final_rows(
    one: Landscape, every: Mapping[int, Reached], names: Sequence[str], spread: str
) -> Iterator[list[Entry]]:
    """A row for each combination of axes."""
    least = float(precision(one.data).min())
    for row, (place, finding) in enumerate(zip(one.places, one.findings, strict=True)):
        arms = (row * len(names) + k for k in range(len(names)))
        cells = (
            _reached(every[arm], finding, name, least, spread) if arm in every else Entry()
            for arm, name in zip(arms, names, strict=True)
        )
        yield [Entry(where(one.name, place)), *cells]


def _reached(reached: Reached, finding: Finding, name: str, least: float, spread: str) -> Entry:
    """What a method reached."""
    if not reached.worlds:
        return Entry()
    standing = kind(finding, name)
    ends = {"interval": reached.interval, "quartiles": (reached.lower, reached.upper)}.get(spread)
    text = with_ends(reached.median, ends, reached.interval)
    if finding.gap and reached.median <= least:
        text = f"≤ {shown(least)}"
    return Entry(text, standing in {"best", "sure"}, MARKS.get(standing, ""))


def _final_record(one: Landscape, arm: int, reached: Reached) -> Data:
    low, high = reached.interval
    finding = one.findings[one.place(arm)]
    return one.keys(arm) | {
        "median": reached.median,
        "median_low": low,
        "median_high": high,
        "lower_quartile": reached.lower,
        "upper_quartile": reached.upper,
        "worlds": reached.worlds,
        "diverged": reached.diverged,
        "lost": reached.lost,
        "standing": STANDING[kind(finding, one.optimizer(arm))],
    }


def _range(counts: Sequence[int]) -> str:
    """So many worlds, or from the fewest to the most."""
    low, high = min(counts, default=0), max(counts, default=0)
    return counted(high, "world") if low == high else f"{low} to {high} worlds"


# hits -------------------------------------------------------------------------------------------------------


def hits(dataset: Dataset, spread: str = "interval") -> Table:
    """Expected running times and successes, by target.

    Args:
        dataset: a study's results.
        spread: of `SPREADS`, what stands beside a running time; quartiles are those of a single run.

    Raises:
        ValueError: the study has no targets.
    """  # noqa: DOC502
    has_targets(dataset)
    clock = common_clock(dataset)
    names = [str(name) for name in dataset["optimizer"].values]
    rows: list[list[Entry]] = []
    frame: list[Data] = []
    for one in _landscapes(dataset, None):
        every = list(records.times(one.arms, clock))
        rows += _hit_rows(one, every, names, spread)
        frame += [_hit_record(one, time, clock) for time in every]
    unit = PRICED if clock == "cost" else words(clock)
    beside = f", {SPREADS[spread]}" if SPREADS[spread] else ""
    beside = beside.replace("over worlds", "of a single run")
    notes = [HITS.format(clock=unit, spread=beside, bold=BOLD), *silent(dataset, "left out")]
    notes += [f"{line[0].upper()}{line[1:]}." for line in goals.idle(dataset)]
    heads = ["landscape", f"target ({unit_of(dataset)})", *names]
    return Table("hits", heads, rows, 2, joined(notes), pd.DataFrame(frame))


def _hit_rows(
    one: Landscape, every: Sequence[Time], names: Sequence[str], spread: str
) -> Iterator[list[Entry]]:
    """A row for each combination of axes and target."""
    rows: dict[tuple[int, float], dict[str, Time]] = {}
    for time in every:
        row = rows.setdefault((one.place(time.arm), time.target), {})
        row[one.optimizer(time.arm)] = time
    for (place, target), row in sorted(rows.items(), key=lambda item: (item[0][0], -item[0][1])):
        first = min((time.ert for time in row.values()), default=math.inf)
        cells = (_hit(row[name], first, spread) if name in row else Entry() for name in names)
        yield [Entry(where(one.name, one.places[place])), Entry(shown(target)), *cells]


def _hit(time: Time, first: float, spread: str) -> Entry:
    """A running time and its successes, bold where it is the first of a row."""
    ends = {"interval": time.interval, "quartiles": (time.lower, time.upper)}.get(spread)
    text = with_ends(time.ert, ends, time.interval)
    return Entry(f"{text} ({time.successes}/{time.worlds})", time.ert == first < math.inf)


def _hit_record(one: Landscape, time: Time, clock: str) -> Data:
    low, high = time.interval
    return one.keys(time.arm) | {
        "target": time.target,
        "clock": clock,
        "ert": time.ert,
        "ert_low": low,
        "ert_high": high,
        "run_lower_quartile": time.lower,
        "run_median": time.median,
        "run_upper_quartile": time.upper,
        "successes": time.successes,
        "worlds": time.worlds,
    }


TABLES: Mapping[str, Callable[[Dataset, str], Table]] = {
    "final": final,
    "hits": hits,
    "comparisons": comparisons,
}
