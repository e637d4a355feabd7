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
from studies.results.hits import at_budget
from studies.results.precision import precision
from studies.results.tuning import tuning_cost
from studies.schema import Status

LAST = 1e308  # where inf is sorted
MOST = 1000  # rows
Numbers = Sequence[float] | np.ndarray


class Cell(NamedTuple):
    """What a reader sees, and by what it is sorted."""

    text: str
    sort: str = ""
    kind: str = ""  # number, or a verdict


@dataclass(frozen=True)
class Table:
    """A table of a page."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]  # of which a page shows `MOST`
    notes: Sequence[str] = field(default_factory=list)
    total: Sequence[Cell] = field(default_factory=list)


def final_loss(dataset: xr.Dataset) -> Table:
    """What each arm reached: quartiles over worlds at the budget that all have, the median with its interval, and the worlds that ended badly."""
    rows = [
        _loss_row(name, at_budget(data.isel(arm=k)))
        for name, data in _stacks(dataset)
        for k in range(data.sizes["arm"])
    ]
    heads = [
        "landscape",
        "arm",
        "median",
        "95 % interval",
        "lower quartile",
        "upper quartile",
        "worlds",
        "diverged",
        "lost",
    ]
    note = (
        "True loss of the recommended point at the budget that all arms have; a world that diverged counts as"
        " infinite; lost: failed or missing."
    )
    return Table(
        "Final loss",
        heads,
        rows,
        [note, *filter(None, [gaps.said(dataset)]), *_silent(dataset, "start shown"), *unfit(dataset)],
    )


def _loss_row(landscape: str, end: xr.Dataset) -> list[Cell]:
    there, diverged = end["status"] < Status.FAILED, end["status"] == Status.DIVERGED
    told = quantiles(
        "loss", end["loss"].where(~diverged, np.inf).where(there), long_name="true loss", units="loss"
    )
    low, median, high = told["loss"].values
    values = [
        number(median),
        interval(told["loss_interval"].sel(quantile=0.5).values),
        number(low),
        number(high),
    ]
    counts = (int(there.sum()), int(diverged.sum()), int((~there).sum()))
    return [Cell(landscape), Cell(str(end["arm"].item())), *values, *map(count, counts)]


def running_time(dataset: xr.Dataset) -> Table:
    """What each arm needed for each target.

    The expected running time with its interval, and how many worlds reached it.

    Raises:
        ValueError: the study has no targets.
    """
    if "hit_cost" not in dataset or not dataset.sizes.get("target"):
        raise ValueError("running times: expected a study with `targets:`, these results have none")
    rows = []
    for name, data in _stacks(dataset):
        told = fixed_target(data)
        for k in range(data.sizes["arm"]):
            at = told.isel(arm=k)
            rows += [
                _time_row(name, at.isel(target=j))
                for j in range(told.sizes["target"])
                if np.isfinite(at["target_loss"].values[j]) and at["worlds"][j] > 0
            ]
    target = f"target ({dataset['target_loss'].attrs.get('units', 'loss')})"
    heads = [
        "landscape",
        "arm",
        target,
        "expected running time",
        "95 % interval",
        "median of a run",
        "reached",
        "worlds",
    ]
    notes = ["In evaluations at the nominal price of a gradient; ∞: never seen."]
    notes.append("Expected running time: of an algorithm that is restarted until it reaches the target.")
    notes += _silent(dataset, "left out")
    return Table("Running time", heads, rows, notes)


def _time_row(landscape: str, at: xr.Dataset) -> list[Cell]:
    values = [number(at["target_loss"].item()), number(at["ert"].item()), interval(at["ert_interval"].values)]
    values += [
        number(at["quantiles"].sel(quantile=0.5).item()),
        count(int(at["successes"])),
        count(int(at["worlds"])),
    ]
    return [Cell(landscape), Cell(str(at["arm"].item())), *values]


def comparisons(dataset: xr.Dataset) -> Table:
    """Every two optimizers over the same worlds, at the end.

    Raises:
        ValueError: there is nothing to compare.
    """
    if dataset.sizes["optimizer"] < 2:
        raise ValueError("comparisons: expected a study with two optimizers or more, got one")
    found = compare(dataset)
    axes = [str(dim) for dim in found["difference"].dims if dim not in ("landscape", "pair")]
    rows = [
        row
        for name in found["landscape"].values.tolist()
        for row in _pairs(str(name), found.sel(landscape=name), axes)
    ]
    heads = [
        "landscape",
        "A",
        "B",
        "verdict",
        "judged by",
        "A − B",
        "95 % interval",
        "unit",
        "A wins",
        "95 % interval",
        "p",
        "worlds",
    ]
    notes = [
        (
            "Over the same worlds, by the loss at the end; where that ties, as where both reach the optimum,"
            " by the time to a target, and where that ties too, by the area over the curve (the mean over the"
            " logarithm of the cost of the lowest loss so far)."
        ),
        (
            f"Losses that differ by less than the precision tie ({_precisions(dataset)}), and a smaller gap"
            " counts as it."
        ),
        (
            "decades: common logarithms, so that −1 is ten times less. A wins: probability that A's number is"
            " the smaller one in a world, ties half. p: Wilcoxon's signed-rank test with Holm's correction"
            " over this table."
        ),
        (
            "Nothing is called better unless the test rejects at 0.05 and the interval of the difference does"
            " not hold 0."
        ),
        *_silent(dataset, "not compared"),
    ]
    return Table("Comparisons", heads, rows, notes)


def _pairs(landscape: str, told: xr.Dataset, axes: Sequence[str]) -> list[list[Cell]]:
    """The rows of a landscape; values of axes that change nothing are one."""
    seen: dict[tuple[bytes, ...], tuple[dict[str, int], xr.Dataset]] = {}
    for places in itertools.product(*(range(told.sizes[axis]) for axis in axes), range(told.sizes["pair"])):
        at = dict(zip([*axes, "pair"], places, strict=True))
        one = told.isel(at)
        if int(one["worlds"]):
            key = (
                str(at["pair"]).encode(),
                *(
                    one[name].values.tobytes()
                    for name in ("difference", "difference_interval", "win_probability")
                ),
            )
            seen.setdefault(key, (at, one))
    telling = [axis for axis in axes if len({at[axis] for at, _ in seen.values()}) > 1]
    return [
        _pair_row(", ".join([landscape, *(f"{axis} = {one[axis].item()}" for axis in telling)]), one)
        for _, one in seen.values()
    ]


def _pair_row(where: str, one: xr.Dataset) -> list[Cell]:
    a, b = str(one["a"].item()), str(one["b"].item())
    verdict = {"A better": f"{a} better", "B better": f"{b} better"}.get(
        str(one["verdict"].item()), "undecided"
    )
    values = [
        number(one["difference"].item()),
        interval(one["difference_interval"].values),
        Cell("decades" if bool(one["logarithmic"]) else "loss"),
    ]
    values += [
        number(one["win_probability"].item()),
        interval(one["win_probability_interval"].values),
        number(one["p_corrected"].item()),
    ]
    goal = float(one["target"])
    by = str(one["judged"].item()) if np.isnan(goal) else f"time to {shown(goal)}"
    return [Cell(where), Cell(a), Cell(b), Cell(verdict), Cell(by), *values, count(int(one["worlds"]))]


def _precisions(dataset: xr.Dataset) -> str:
    """Where it is one number, that; else from the least to the largest."""
    least = precision(dataset)
    low, high = float(least.min()), float(least.max())
    return shown(low) if low == high else f"{shown(low)} to {shown(high)}, by landscape"


def _silent(dataset: xr.Dataset, what: str) -> list[str]:
    """A note on arms that never asked."""
    names = [f"{label} on {landscape}" for landscape, label in never_asked(dataset)]
    return [f"{words_on_silent(names, what)}."] if names else []


def cost(dataset: xr.Dataset) -> Table:
    """What each optimizer spent on each landscape, all its arms and worlds together."""
    rows, totals = [], np.zeros(3)
    for name, data in _stacks(dataset):
        for optimizer in dict.fromkeys(data["optimizer"].values.tolist()):
            end = data.isel(checkpoint=-1).isel(arm=np.flatnonzero(data["optimizer"].values == optimizer))
            spent = [
                float(end[terms].sum()) / float(data["terms"]) for terms in ("value_terms", "gradient_terms")
            ]
            spent.append(
                sum(
                    float(np.unique(block[np.isfinite(block)]).sum())
                    for block in end["seconds"].transpose("arm", ...).values
                )
            )
            totals += spent
            rows.append([Cell(name), Cell(str(optimizer)), count(end.sizes["arm"]), *map(amount, spent)])
    heads = ["landscape", "optimizer", "arms", "value evaluations", "gradient evaluations", "seconds"]
    notes = [
        "Evaluations of the whole loss, all worlds together. Seconds: wall-clock time of blocks of worlds,"
        " truth left out."
    ]
    if "tuning" in dataset.attrs:
        notes.append(
            f"The trials of the tuning took {float(tuning_cost(dataset).sum()):,.0f} evaluations more."
        )
    return Table("Cost", heads, rows, notes, [Cell("all"), Cell(""), Cell(""), *map(amount, totals.tolist())])


def tuning(dataset: xr.Dataset) -> Table:
    """What the tuning chose for each arm.

    Raises:
        ValueError: the study has no `tuning`.
    """
    if "tuning" not in dataset.attrs:
        raise ValueError("tuning: expected a study with `tuning:`, found none in these results")
    rows = []
    for one in json.loads(dataset.attrs["tuning"]):
        best = one["winner"]
        setting = ", ".join(
            f"{name} = {f'{value:.4g}' if isinstance(value, float) else value}"
            for name, value in one["settings"][best].items()
        )
        swept = ", ".join(
            f"{name} = {value}"
            for name, value in one["coords"].items()
            if name not in ("landscape", "optimizer")
        )
        place = [
            Cell(", ".join(filter(None, [str(one["coords"]["landscape"]), swept]))),
            Cell(str(one["coords"]["optimizer"])),
        ]
        losses = [
            number(math.inf if value is None else value) for value in (one["median"][best], one["median"][0])
        ]
        rows.append([*place, Cell(setting), *losses, count(len(one["settings"])), amount(one["cost"])])
    heads = ["landscape", "optimizer", "best setting", "its median loss", "as given", "trials", "evaluations"]
    note = (
        "In worlds that the study does not use; the best of so many trials is optimistic, the final loss"
        " above is not."
    )
    return Table("Tuning", heads, rows, [note])


def _stacks(dataset: xr.Dataset) -> Iterator[tuple[str, xr.Dataset]]:
    for name in dataset["landscape"].values.tolist():
        data = stack(dataset.sel(landscape=name))
        if data.sizes["arm"]:
            yield str(name), data


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
    return (
        Cell("–", str(LAST), "number")
        if math.isnan(low)
        else Cell(f"{shown(low)} to {shown(high)}", number(low).sort, "number")
    )


def count(value: int) -> Cell:
    """A whole number."""
    return Cell(f"{value:,}", str(value), "number")


def amount(value: float) -> Cell:
    """A sum, without digits that nobody reads."""
    return Cell(f"{value:,.0f}" if value >= 10 else f"{value:.2g}", str(value), "number")
