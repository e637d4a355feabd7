"""The tables of a report: numbers of `studies.analysis`, one row for each arm."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from xarray import Dataset

from studies.analysis.comparison.comparison import compare
from studies.analysis.noise.unfit import unfit
from studies.report.cells import Cell, Row, amount, count, interval, number, shown
from studies.report.records import Numbers, Reached, Time, pairs, reached, times
from studies.results import gaps, goals
from studies.results.arms import never_asked, stack, words_on_silent
from studies.results.clocks import common_clock, words
from studies.results.precision import precision
from studies.results.tuning import tuning_cost
from studies.text.shapes import Tree

MOST = 1000  # rows
INTERVAL = "95 % interval"


@dataclass(frozen=True)
class Table:
    """A table of a page."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]  # of which a page shows `MOST`
    notes: Sequence[str] = field(default_factory=list)
    total: Sequence[Cell] = field(default_factory=list)


def _stacks(dataset: Dataset) -> Iterator[tuple[str, Dataset]]:
    """Name and arms (dim `arm`) of each landscape that has some."""
    for name in dataset["landscape"].values.tolist():
        data = stack(dataset.sel(landscape=name))
        if data.sizes["arm"]:
            yield str(name), data


def silent(dataset: Dataset, what: str) -> list[str]:
    """A note on arms that never asked."""
    names = [f"{label} on {landscape}" for landscape, label in never_asked(dataset)]
    return [f"{words_on_silent(names, what)}."] if names else []


# final loss -------------------------------------------------------------------------------------------------

LOSS_HEADS = (
    "landscape", "arm", "median", INTERVAL, "lower quartile", "upper quartile", "worlds", "diverged", "lost",
)  # fmt: skip
LOSS_NOTE = (
    "True loss of the recommended point at the budget that all arms have; a world that diverged counts as"
    " infinite; lost: failed or missing."
)


def final_loss(dataset: Dataset) -> Table:
    """What each arm reached at the budget that all have.

    Quartiles over worlds, the median with its interval, and the worlds that ended badly.
    """
    rows = [
        _loss_row(name, str(arm), one)
        for name, data in _stacks(dataset)
        for arm, one in zip(data["arm"].values, reached(data), strict=True)
    ]
    said = gaps.said(dataset)
    notes = [LOSS_NOTE, *([said] if said else []), *silent(dataset, "start shown"), *unfit(dataset)]
    return Table("Final loss", LOSS_HEADS, rows, notes)


def _loss_row(landscape: str, arm: str, one: Reached) -> Row:
    low, median, high = (number(level, one.interval) for level in (one.lower, one.median, one.upper))
    worlds = [count(part) for part in (one.worlds, one.diverged, one.lost)]
    return [Cell(landscape), Cell(arm), median, interval(one.interval), low, high, *worlds]


# running time -----------------------------------------------------------------------------------------------

TIME_HEADS = (
    "landscape", "arm", "target ({unit})", "expected running time", INTERVAL, "median of a run", "reached",
    "worlds",
)  # fmt: skip
TIME_NOTES = (
    "In {clock}; ∞: never seen.",
    "Expected running time: of an algorithm that is restarted until it reaches the target.",
)
PRICED = "evaluations at the nominal price of a gradient"


def running_time(dataset: Dataset) -> Table:
    """What each arm needed for each target.

    The expected running time with its interval, and how many worlds reached it, on the clock of the budgets;
    in cost where these are counted on several.

    Raises:
        ValueError: the study has no targets.
    """  # noqa: DOC502
    has_targets(dataset)
    rows, clock = [], common_clock(dataset)
    for name, data in _stacks(dataset):
        rows += [_time_row(name, one) for one in times(data, clock)]
    heads = [head.format(unit=unit_of(dataset)) for head in TIME_HEADS]
    unit = PRICED if clock == "cost" else words(clock)
    notes = [note.format(clock=unit) for note in TIME_NOTES]
    notes += [f"{line[0].upper()}{line[1:]}." for line in goals.idle(dataset)]
    return Table("Running time", heads, rows, [*notes, *silent(dataset, "left out")])


def has_targets(dataset: Dataset) -> None:
    """Raise ValueError unless these results have targets."""
    if "hit_cost" not in dataset or not dataset.sizes.get("target"):
        raise ValueError("running times: expected a study with `targets:`, these results have none")


def unit_of(dataset: Dataset) -> str:
    """The unit of targets."""
    return str(dataset["target_loss"].attrs.get("units", "loss"))


def _time_row(landscape: str, one: Time) -> Row:
    return [
        Cell(landscape),
        Cell(str(one.arm)),
        number(one.target),
        number(one.ert, one.interval),
        interval(one.interval),
        number(one.median),
        count(one.successes),
        count(one.worlds),
    ]


# comparisons ------------------------------------------------------------------------------------------------

PAIR_HEADS = (
    "landscape", "A", "B", "verdict", "judged by", "A − B", INTERVAL, "unit", "A wins", INTERVAL, "p",
    "worlds",
)  # fmt: skip
JUDGED = (
    "Over the same worlds, by the loss at the end; where that ties, as where both reach the optimum,"
    " by the time to a target, and where that ties too, by the area over the curve (the mean over the"
    " logarithm of the cost of the lowest loss so far)."
)
TIES = "Losses that differ by less than the precision tie ({}), and a smaller gap counts as it."
DECADES = "Decades: common logarithms, so that −1 is ten times less."
WINS = "A wins: probability that A's number is the smaller one in a world, ties half."
TESTED = "p: Wilcoxon's signed-rank test with Holm's correction over this table."
BETTER = (
    "Nothing is called better unless the test rejects at 0.05 and the interval of the difference does"
    " not hold 0."
)


def compared(dataset: Dataset, pairs: Sequence[tuple[str, str]] | None = None) -> Dataset:
    """Every two optimizers over the same worlds, at the end, or the pairs that were planned.

    Raises:
        ValueError: there is nothing to compare, or a pair is none of two optimizers of the study.
    """
    if dataset.sizes["optimizer"] < 2:
        raise ValueError("comparisons: expected a study with two optimizers or more, got one")
    return compare(dataset, pairs=pairs)


def comparisons(dataset: Dataset, differences: Dataset) -> Table:
    """The rows of what `compared` says of a Dataset."""
    return Table("Comparisons", PAIR_HEADS, _all_pairs(differences), [*pair_notes(dataset), WINS])


def pair_notes(dataset: Dataset) -> list[str]:
    """How pairs are compared."""
    ties = TIES.format(_precisions(dataset))
    return [JUDGED, ties, DECADES, TESTED, BETTER, *silent(dataset, "not compared")]


def _all_pairs(differences: Dataset) -> list[Row]:
    """The rows of all landscapes."""
    names = differences["landscape"].values.tolist()
    return [
        _pair_row(where(str(name), place), pair)
        for name in names
        for place, pair in pairs(differences.sel(landscape=name))
    ]


def where(landscape: str, place: Mapping[str, object]) -> str:
    """A landscape and values of axes, in words."""
    return ", ".join([landscape, *(f"{axis} = {value}" for axis, value in place.items())])


def _pair_row(where: str, pair: Numbers) -> Row:
    return [
        Cell(where),
        *map(Cell, (str(pair["a"]), str(pair["b"]), verdict(pair), judged_by(pair))),
        *_with_interval(pair, "difference"),
        Cell("decades" if bool(pair["logarithmic"]) else "loss"),
        *_with_interval(pair, "win_probability"),
        number(float(pair["p_corrected"])),
        count(int(pair["worlds"])),
    ]


def _with_interval(at: Numbers, name: str) -> Row:
    """A number, and its interval."""
    bounds = at[f"{name}_interval"]
    return [number(float(at[name]), bounds), interval(bounds)]


def verdict(pair: Numbers) -> str:
    """Which of two optimizers is better."""
    verdicts = {"A better": pair["a"], "B better": pair["b"]}
    better = verdicts.get(str(pair["verdict"]))
    return "undecided" if better is None else f"{better} better"


def judged_by(pair: Numbers) -> str:
    """By what two optimizers were judged."""
    goal = float(pair["target"])
    return str(pair["judged"]) if np.isnan(goal) else f"time to {shown(goal)}"


def _precisions(dataset: Dataset) -> str:
    """Where it is one number, that; else from the least to the largest."""
    least = precision(dataset)
    low, high = float(least.min()), float(least.max())
    return shown(low) if low == high else f"{shown(low)} to {shown(high)}, by landscape"


# cost -------------------------------------------------------------------------------------------------------

COST_HEADS = ("landscape", "optimizer", "arms", "value evaluations", "gradient evaluations", "seconds")
COST_NOTE = (
    "Evaluations of the whole loss, all worlds together. Seconds: those of the steps of blocks of"
    " worlds, looks at them left out."
)


def cost(dataset: Dataset) -> Table:
    """What each optimizer spent on each landscape, all its arms and worlds together."""
    rows, totals = [], np.zeros(3)
    for name, optimizer, end in _ends(dataset):
        spent = _spent(end)
        totals += spent
        rows.append([Cell(name), Cell(optimizer), count(end.sizes["arm"]), *map(amount, spent)])
    last = [Cell("all"), Cell(""), Cell(""), *map(amount, totals.tolist())]
    return Table("Cost", COST_HEADS, rows, _cost_notes(dataset), last)


def _ends(dataset: Dataset) -> Iterator[tuple[str, str, Dataset]]:
    """Landscape, optimizer, and all arms of it there at the end."""
    for name, data in _stacks(dataset):
        of_arms = data["optimizer"].values
        for optimizer in dict.fromkeys(of_arms.tolist()):
            end = data.isel(checkpoint=-1, arm=np.flatnonzero(of_arms == optimizer))
            yield name, str(optimizer), end


def _cost_notes(dataset: Dataset) -> list[str]:
    if "tuning" not in dataset.attrs:
        return [COST_NOTE]
    trials = float(tuning_cost(dataset).sum())
    return [COST_NOTE, f"The trials of the tuning took {trials:,.0f} evaluations more."]


def _spent(end: Dataset) -> list[float]:
    """Evaluations of values and of gradients, and seconds, of arms at the end."""
    terms = float(end["terms"])
    evaluations = [float(end[name].sum()) / terms for name in ("value_terms", "gradient_terms")]
    clocks = end["seconds"].transpose("arm", "replicate")
    cells = end.get("cell", clocks).broadcast_like(clocks).transpose("arm", "replicate")
    return [*evaluations, sum(map(_seconds, clocks.values, cells.values))]


def _seconds(clocks: np.ndarray, cells: np.ndarray) -> float:
    """The seconds of an arm: of each cell those of the world that ended last.

    Args:
        clocks: (R,) what the clock of its cell showed at the end of each world; NaN: it has no numbers.
        cells: (R,) the number of its cell; results of earlier releases have none, and give `clocks` again:
            worlds that ended at one time are one cell.
    """
    there = np.isfinite(clocks)
    return sum(float(clocks[there & (cells == cell)].max()) for cell in np.unique(cells[there]))


# tuning -----------------------------------------------------------------------------------------------------

TUNING_HEADS = (
    "landscape",
    "optimizer",
    "best setting",
    "its median loss",
    "as given",
    "trials",
    "evaluations",
)
TUNING_NOTE = (
    "In worlds that the study does not use; the best of so many trials is optimistic, the final loss"
    " above is not."
)


def tuning(dataset: Dataset) -> Table:
    """What the tuning chose for each arm.

    Raises:
        ValueError: the study has no `tuning`.
    """
    if "tuning" not in dataset.attrs:
        raise ValueError("tuning: expected a study with `tuning:`, found none in these results")
    rows = [_tuning_row(arm) for arm in json.loads(dataset.attrs["tuning"])]
    return Table("Tuning", TUNING_HEADS, rows, [TUNING_NOTE])


def _tuning_row(arm: Tree) -> Row:
    """A row, from the coordinates of an arm, its settings and their medians, the best, and what it cost."""
    best, coords = arm["winner"], dict(arm["coords"])
    place, optimizer = str(coords.pop("landscape")), str(coords.pop("optimizer"))
    losses = (arm["median"][best], arm["median"][0])
    return [
        Cell(", ".join([place, *(f"{name} = {value}" for name, value in coords.items())])),
        Cell(optimizer),
        Cell(_settings(arm["settings"][best])),
        *(number(math.inf if loss is None else loss) for loss in losses),
        count(len(arm["settings"])),
        amount(arm["cost"]),
    ]


def _settings(values: Tree) -> str:
    """Hyperparameters in words."""
    return ", ".join(f"{name} = {_four_digits(value)}" for name, value in values.items())


def _four_digits(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
