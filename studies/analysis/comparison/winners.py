"""The best optimizer at every combination of swept axes, by how much, and whether that is sure.

The winner has the lowest median loss over worlds at the budget that all arms have; of several, whose medians
tie at the precision of the study, the one that is better than most of them. It is decided where paired
comparisons with every other optimizer say that it is better, by the final loss or by the time to a target
(`studies.analysis.comparison.comparison`, Holm's correction over all pairs and combinations of the
landscape).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from xarray import DataArray, Dataset

from studies.analysis.comparison.comparison import VERDICTS, compare
from studies.analysis.comparison.paired import losses
from studies.analysis.intervals.quantiles import observed
from studies.analysis.shapes import bare, rest
from studies.results.arms import numbers_at
from studies.results.gaps import gap_known
from studies.results.hits import budget
from studies.results.precision import precision, resolved
from studies.schema import DIMS, EVALUATIONS

NONE = ""  # the winner where no optimizer has numbers
EMPTY = {  # what is said of a combination, where nothing is
    "winner": NONE,
    "runner_up": NONE,
    "lead": np.nan,
    "at_least": False,
    "tied": False,
    "decided": False,
    "worlds": 0,
}
LEAD = "runner-up's median loss, times the winner's where logarithmic, else above it"


def winners(dataset: Dataset) -> Dataset:
    """The best optimizer of one landscape at every combination of swept axes.

    Args:
        dataset: a study's results without the dim `landscape`, of two optimizers or more.

    Returns:
        `winner` and `runner_up`, names, or an empty text where there is none; `lead`: the runner-up's median
        loss over the winner's where the loss is the gap to a known optimum (`logarithmic`), else less the
        winner's; `at_least`: whether the winner's gap is the precision or less, so that the lead may be any
        larger; `tied`: whether both medians are equal at the precision; `decided`; `worlds`, the fewest of
        any comparison. Dims: the axes that touch the landscape. The coordinate `cost`: where, in evaluations.

    Raises:
        ValueError: there are fewer than two optimizers.
    """
    _check(dataset)
    dataset = touched(dataset)
    loss = losses(dataset, at=np.inf)
    least = precision(dataset)
    axes = rest(loss, *DIMS)
    gap = gap_known(loss)
    gap = gap.any(rest(gap, *axes))
    compared = compare(dataset)[list(_Side._fields)]
    known = {"median": _medians(resolved(loss, least)), "gap": gap, "least": least}
    numbers = Dataset({name: part.variable for name, part in known.items()})
    numbers = numbers.assign(compared.variables)
    names = list(map(str, dataset["optimizer"].values))
    told = [EMPTY | _winner(names, at) for at in numbers_at(numbers, axes, [*known, *_Side._fields])]
    result = _collected(told, {axis: dataset[axis] for axis in axes})
    cost = bare(budget(dataset)).assign_attrs(units=EVALUATIONS)
    return result.assign_coords(cost=cost, logarithmic=bare(gap))


def _check(dataset: Dataset) -> None:
    if "landscape" in dataset.dims:
        raise ValueError(
            "winners: expected one landscape, got all of them; give dataset.sel(landscape=...)"
        )
    names = [str(name) for name in dataset["optimizer"].values]
    if len(names) < 2:
        raise ValueError(f"winners: expected two optimizers or more, got {', '.join(names) or 'none'}")


def _collected(told: Sequence[Mapping[str, object]], axes: dict[str, DataArray]) -> Dataset:
    """What is said of every combination, the last axis fastest, as variables."""
    result = Dataset(coords=axes)
    shape = [axis.size for axis in axes.values()]
    for name, nothing in EMPTY.items():
        kind = object if isinstance(nothing, str) else type(nothing)
        values = np.array([each[name] for each in told], kind)
        result[name] = (list(axes), values.reshape(shape))
    result["lead"].attrs["long_name"] = LEAD
    return result


def _medians(loss: DataArray) -> DataArray:
    """The median loss over worlds, one that was observed."""
    return loss.isel(replicate=0, drop=True).copy(
        data=observed(loss.transpose(..., "replicate").values, 0.5)
    )


def touched(dataset: Dataset) -> Dataset:
    """Without the axes along which no loss changes."""
    for axis in rest(dataset["loss"], *DIMS):
        loss = dataset["loss"]
        first = dataset["loss"].isel({axis: 0}, drop=True)
        if bool(((loss == first) | (loss.isnull() & first.isnull())).all()):
            dataset = dataset.isel({axis: 0})
    return dataset


class _Side(NamedTuple):
    """A comparison of two optimizers, as `compare` gives it."""

    a: str
    b: str
    verdict: str
    worlds: int

    @property
    def better(self) -> str | None:
        """Who is better; None where that is not decided."""
        return {VERDICTS[0]: self.a, VERDICTS[1]: self.b}.get(self.verdict)


def _winner(names: Sequence[str], at: Mapping[str, np.ndarray]) -> dict[str, object]:
    """What is said of one combination, of `EMPTY`.

    Args:
        names: of the optimizers.
        at: `median`, the losses of the optimizers, NaN where one has none; of every two what `_Side` has;
            `gap`, whether losses are gaps to the optimum; `least`, the precision.
    """
    medians = dict(zip(names, at["median"].tolist(), strict=True))
    sides, gap = _sides(at), bool(at["gap"])
    order = _order(medians, sides)
    if not order or np.isinf(medians[order[0]]):
        return {}
    if len(order) == 1:
        return {"winner": order[0]}
    best, next_best, *_ = order
    first = medians[best]
    second = medians[next_best]
    rivals = [side for side in sides if best in side[:2] and {*side[:2]} <= {*order}]
    return {
        "winner": best,
        "runner_up": next_best,
        "lead": _lead(first, second, gap),
        "decided": all(side.better == best for side in rivals),
        "worlds": min(side.worlds for side in rivals),
        "tied": first == second,
        "at_least": gap and first <= float(at["least"]) < second,
    }


def _sides(compared: Mapping[str, np.ndarray]) -> list[_Side]:
    columns = (compared[name].tolist() for name in _Side._fields)
    return [_Side(*row) for row in zip(*columns, strict=True)]


def _order(medians: Mapping[str, float], sides: Sequence[_Side]) -> list[str]:
    """Optimizers with numbers, the lowest median first; of equal ones who is better than most of them."""
    won = Counter(side.better for side in sides if medians[side.a] == medians[side.b])
    there = [name for name in medians if not np.isnan(medians[name])]
    return sorted(there, key=lambda name: (medians[name], -won[name]))


def _lead(first: float, second: float, gap: bool) -> float:
    """By how much the first is ahead: as a factor where losses are gaps, else as a difference."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if not gap:
            return second - first
        return 1.0 if first == second else float(np.divide(second, first))
