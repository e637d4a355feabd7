"""The tables of a report: numbers of `studies.analysis`, one row for each arm."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import xarray as xr

from studies.analysis.comparison.comparison import compare
from studies.analysis.intervals.quantiles import quantiles
from studies.analysis.noise.unfit import unfit
from studies.analysis.running_time.tables import fixed_target
from studies.results import gaps
from studies.results.arms import never_asked, stack, words_on_silent
from studies.results.clocks import common_clock, words
from studies.results.hits import at_budget
from studies.results.precision import precision
from studies.results.tuning import tuning_cost
from studies.schema import Status
from studies.text.shapes import Tree

LAST = 1e308  # where inf is sorted
MOST = 1000  # rows
INTERVAL = "95 % interval"
Numbers = Sequence[float] | np.ndarray


class Cell(NamedTuple):
    """What a reader sees, and by what it is sorted."""

    text: str
    sort: str = ""
    kind: str = ""  # number, or a verdict


Row = list[Cell]


@dataclass(frozen=True)
class Table:
    """A table of a page."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]  # of which a page shows `MOST`
    notes: Sequence[str] = field(default_factory=list)
    total: Sequence[Cell] = field(default_factory=list)


def _stacks(dataset: xr.Dataset) -> Iterator[tuple[str, xr.Dataset]]:
    """Name and arms (dim `arm`) of each landscape that has some."""
    for name in dataset["landscape"].values.tolist():
        data = stack(dataset.sel(landscape=name))
        if data.sizes["arm"]:
            yield str(name), data


def _silent(dataset: xr.Dataset, what: str) -> list[str]:
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


def final_loss(dataset: xr.Dataset) -> Table:
    """What each arm reached at the budget that all have.

    Quartiles over worlds, the median with its interval, and the worlds that ended badly.
    """
    rows = [
        _loss_row(name, at_budget(data.isel(arm=k)))
        for name, data in _stacks(dataset)
        for k in range(data.sizes["arm"])
    ]
    said = gaps.said(dataset)
    notes = [LOSS_NOTE, *([said] if said else []), *_silent(dataset, "start shown"), *unfit(dataset)]
    return Table("Final loss", LOSS_HEADS, rows, notes)


def _loss_row(landscape: str, end: xr.Dataset) -> Row:
    there, diverged = end["status"] < Status.FAILED, end["status"] == Status.DIVERGED
    loss = end["loss"].where(~diverged, np.inf).where(there)
    spread = quantiles("loss", loss, long_name="true loss", units="loss")
    low, median, high = map(number, spread["loss"].values)
    between = interval(spread["loss_interval"].sel(quantile=0.5).values)
    worlds = [count(int(part.sum())) for part in (there, diverged, ~there)]
    return [Cell(landscape), Cell(str(end["arm"].item())), median, between, low, high, *worlds]


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


def running_time(dataset: xr.Dataset) -> Table:
    """What each arm needed for each target.

    The expected running time with its interval, and how many worlds reached it, on the clock of the budgets;
    in cost where these are counted on several.

    Raises:
        ValueError: the study has no targets.
    """
    if "hit_cost" not in dataset or not dataset.sizes.get("target"):
        raise ValueError("running times: expected a study with `targets:`, these results have none")
    rows, clock = [], common_clock(dataset)
    for name, data in _stacks(dataset):
        times = fixed_target(data, clock=clock)
        arms = [times.isel(arm=k) for k in range(times.sizes["arm"])]
        rows += [_time_row(name, arm.isel(target=j)) for arm in arms for j in _measured(arm)]
    unit = dataset["target_loss"].attrs.get("units", "loss")
    heads = [head.format(unit=unit) for head in TIME_HEADS]
    unit = PRICED if clock == "cost" else words(clock)
    notes = [note.format(clock=unit) for note in TIME_NOTES]
    return Table("Running time", heads, rows, [*notes, *_silent(dataset, "left out")])


def _measured(arm: xr.Dataset) -> list[int]:
    """The numbers of an arm's targets, where these are known and some world has numbers."""
    return np.flatnonzero(np.isfinite(arm["target_loss"].values) & (arm["worlds"].values > 0)).tolist()


def _time_row(landscape: str, at: xr.Dataset) -> Row:
    return [
        Cell(landscape),
        Cell(str(at["arm"].item())),
        number(at["target_loss"].item()),
        number(at["ert"].item()),
        interval(at["ert_interval"].values),
        number(at["quantiles"].sel(quantile=0.5).item()),
        count(int(at["successes"])),
        count(int(at["worlds"])),
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
DECADES = (
    "decades: common logarithms, so that −1 is ten times less. A wins: probability that A's number is"
    " the smaller one in a world, ties half. p: Wilcoxon's signed-rank test with Holm's correction"
    " over this table."
)
BETTER = (
    "Nothing is called better unless the test rejects at 0.05 and the interval of the difference does"
    " not hold 0."
)
SAME = ("difference", "difference_interval", "win_probability")  # what tells values of axes apart


def comparisons(dataset: xr.Dataset) -> Table:
    """Every two optimizers over the same worlds, at the end.

    Raises:
        ValueError: there is nothing to compare.
    """
    if dataset.sizes["optimizer"] < 2:
        raise ValueError("comparisons: expected a study with two optimizers or more, got one")
    differences = compare(dataset)
    rows = [
        row
        for name in differences["landscape"].values.tolist()
        for row in _pairs(str(name), differences.sel(landscape=name))
    ]
    notes = [
        JUDGED,
        TIES.format(_precisions(dataset)),
        DECADES,
        BETTER,
        *_silent(dataset, "not compared"),
    ]
    return Table("Comparisons", PAIR_HEADS, rows, notes)


def _pairs(landscape: str, differences: xr.Dataset) -> list[Row]:
    """The rows of a landscape; values of axes that change nothing are one."""
    axes = [str(dim) for dim in differences["difference"].dims if dim != "pair"]
    pairs = _different(differences, axes)
    telling = [axis for axis in axes if len({pair[axis].item() for pair in pairs}) > 1]
    return [
        _pair_row(", ".join([landscape, *(f"{axis} = {pair[axis].item()}" for axis in telling)]), pair)
        for pair in pairs
    ]


def _different(differences: xr.Dataset, axes: list[str]) -> list[xr.Dataset]:
    """The pairs at each place of the axes that have worlds, those with the same numbers once."""
    dims = (*axes, "pair")
    pairs: dict[tuple[object, ...], xr.Dataset] = {}
    for places in itertools.product(*(range(differences.sizes[dim]) for dim in dims)):
        pair = differences.isel(dict(zip(dims, places, strict=True)))
        if int(pair["worlds"]):
            pairs.setdefault((places[-1], *(pair[name].values.tobytes() for name in SAME)), pair)
    return list(pairs.values())


def _pair_row(where: str, pair: xr.Dataset) -> Row:
    return [
        Cell(where),
        *map(Cell, _judged(pair)),
        number(pair["difference"].item()),
        interval(pair["difference_interval"].values),
        Cell("decades" if bool(pair["logarithmic"]) else "loss"),
        number(pair["win_probability"].item()),
        interval(pair["win_probability_interval"].values),
        number(pair["p_corrected"].item()),
        count(int(pair["worlds"])),
    ]


def _judged(pair: xr.Dataset) -> tuple[str, str, str, str]:
    """The two optimizers, which is better, and by what."""
    a, b = str(pair["a"].item()), str(pair["b"].item())
    verdicts = {"A better": f"{a} better", "B better": f"{b} better"}
    goal = float(pair["target"])
    by = str(pair["judged"].item()) if np.isnan(goal) else f"time to {shown(goal)}"
    return a, b, verdicts.get(str(pair["verdict"].item()), "undecided"), by


def _precisions(dataset: xr.Dataset) -> str:
    """Where it is one number, that; else from the least to the largest."""
    least = precision(dataset)
    low, high = float(least.min()), float(least.max())
    return shown(low) if low == high else f"{shown(low)} to {shown(high)}, by landscape"


# cost -------------------------------------------------------------------------------------------------------

COST_HEADS = ("landscape", "optimizer", "arms", "value evaluations", "gradient evaluations", "seconds")
COST_NOTE = (
    "Evaluations of the whole loss, all worlds together. Seconds: wall-clock time of blocks of worlds,"
    " truth left out."
)


def cost(dataset: xr.Dataset) -> Table:
    """What each optimizer spent on each landscape, all its arms and worlds together."""
    rows, totals = [], np.zeros(3)
    for name, optimizer, end in _ends(dataset):
        spent = _spent(end)
        totals += spent
        rows.append([Cell(name), Cell(optimizer), count(end.sizes["arm"]), *map(amount, spent)])
    last = [Cell("all"), Cell(""), Cell(""), *map(amount, totals.tolist())]
    return Table("Cost", COST_HEADS, rows, _cost_notes(dataset), last)


def _ends(dataset: xr.Dataset) -> Iterator[tuple[str, str, xr.Dataset]]:
    """Landscape, optimizer, and all arms of it there at the end."""
    for name, data in _stacks(dataset):
        of_arms = data["optimizer"].values
        for optimizer in dict.fromkeys(of_arms.tolist()):
            end = data.isel(checkpoint=-1, arm=np.flatnonzero(of_arms == optimizer))
            yield name, str(optimizer), end


def _cost_notes(dataset: xr.Dataset) -> list[str]:
    if "tuning" not in dataset.attrs:
        return [COST_NOTE]
    trials = float(tuning_cost(dataset).sum())
    return [COST_NOTE, f"The trials of the tuning took {trials:,.0f} evaluations more."]


def _spent(end: xr.Dataset) -> list[float]:
    """Evaluations of values and of gradients, and seconds, of arms at the end.

    A block of worlds has one clock: its time counts once.
    """
    evaluations = [
        float(end[name].sum()) / float(end["terms"]) for name in ("value_terms", "gradient_terms")
    ]
    blocks = end["seconds"].transpose("arm", ...).values
    return [*evaluations, sum(float(np.unique(block[np.isfinite(block)]).sum()) for block in blocks)]


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


def tuning(dataset: xr.Dataset) -> Table:
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
    setting = arm["settings"][best].items()
    losses = (arm["median"][best], arm["median"][0])
    return [
        Cell(", ".join([place, *(f"{name} = {value}" for name, value in coords.items())])),
        Cell(optimizer),
        Cell(", ".join(f"{name} = {_four_digits(value)}" for name, value in setting)),
        *(number(math.inf if loss is None else loss) for loss in losses),
        count(len(arm["settings"])),
        amount(arm["cost"]),
    ]


def _four_digits(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


# cells ------------------------------------------------------------------------------------------------------


def number(value: float) -> Cell:
    """Four digits; ∞, and nothing for what is not known."""
    if math.isnan(value):
        return Cell("–", str(LAST * 1.5), "number")
    return Cell(shown(value), str(math.copysign(LAST, value) if math.isinf(value) else value), "number")


def shown(value: float) -> str:
    """A number as text."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.4g}".replace("-", "−")


def interval(bounds: Numbers) -> Cell:
    """Both ends; sorted by the lower one."""
    low, high = map(float, bounds)
    if math.isnan(low):
        return Cell("–", str(LAST), "number")
    return Cell(f"{shown(low)} to {shown(high)}", number(low).sort, "number")


def count(value: int) -> Cell:
    """A whole number."""
    return Cell(f"{value:,}", str(value), "number")


def amount(value: float) -> Cell:
    """A sum, without digits that nobody reads."""
    return Cell(f"{value:,.0f}" if value >= 10 else f"{value:.2g}", str(value), "number")
