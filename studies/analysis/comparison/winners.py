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
from types import MappingProxyType
from typing import Any, NamedTuple

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
from studies.text.schema import DIMS, EVALUATIONS

NONE = ""  # the winner where no optimizer has numbers
NOTHING: Mapping[str, Any] = MappingProxyType({})
LEAD = "runner-up's median loss, times the winner's where logarithmic, else above it"


class Duel(NamedTuple):
    """A comparison of two optimizers, as `compare` gives it."""

    a: str
    b: str
    verdict: str
    worlds: int
    units: int  # independent ones: instances where worlds share them
    judged: str
    target: float
    difference: float
    difference_interval: Sequence[float]
    p_corrected: float
    units_to_decide: float
    logarithmic: bool

    @property
    def better(self) -> str | None:
        """Who is better; None where that is not decided."""
        return {VERDICTS[0]: self.a, VERDICTS[1]: self.b}.get(self.verdict)

    @property
    def times(self) -> tuple[float, float, float]:
        """How many times B's number is A's, with the interval, where differences are logarithmic."""
        low, high = self.difference_interval
        decades = -np.array([self.difference, high, low], float)
        with np.errstate(over="ignore"):
            return tuple((10.0**decades).tolist())

    def of(self, name: str) -> Duel:
        """The same, with this one of the two as A."""
        if self.a == name:
            return self
        low, high = self.difference_interval
        turned = dict(zip(VERDICTS, (VERDICTS[1], VERDICTS[0], VERDICTS[2]), strict=True))
        return self._replace(
            a=self.b,
            b=self.a,
            verdict=turned[self.verdict],
            difference=-self.difference,
            difference_interval=(-high, -low),
        )


class Finding(NamedTuple):
    """The best optimizer at one combination of swept axes, and how sure that is."""

    winner: str = NONE
    runner_up: str = NONE
    lead: float = np.nan
    at_least: bool = False
    tied: bool = False
    decided: bool = False
    worlds: int = 0
    # of the winner, which is A, with every other one, the runner-up first
    duels: Sequence[Duel] = ()
    # over worlds, of every optimizer with numbers, the lowest first
    medians: Mapping[str, float] = NOTHING
    gap: bool = False  # whether losses are gaps to a known optimum
    place: Mapping[str, object] = NOTHING  # the values of the axes

    @property
    def rivals(self) -> list[Duel]:
        """Those with optimizers that the winner is not told apart from."""
        return [duel for duel in self.duels if duel.better is None]

    @property
    def ahead(self) -> list[Duel]:
        """Those with optimizers that are better over the same worlds, though their median is higher."""
        return [duel for duel in self.duels if duel.better == duel.b]


VARIABLES = ("winner", "runner_up", "lead", "at_least", "tied", "decided", "worlds")


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
    """  # noqa: DOC502
    _check(dataset)
    dataset = touched(dataset)
    axes = rest(dataset["loss"], *DIMS)
    gap = gap_known(dataset["loss"])
    result = _collected(_findings(dataset, compare(dataset)), {axis: dataset[axis] for axis in axes})
    cost = bare(budget(dataset)).assign_attrs(units=EVALUATIONS)
    return result.assign_coords(cost=cost, logarithmic=bare(gap.any(rest(gap, *axes))))


def findings(dataset: Dataset, compared: Dataset) -> list[Finding]:
    """As `winners`, with the comparisons of each winner; the last axis is the fastest.

    Args:
        dataset: a study's results without the dim `landscape`, of two optimizers or more.
        compared: what `compare` says of them; its correction may be over more than this landscape.

    Raises:
        ValueError: there are fewer than two optimizers.
    """  # noqa: DOC502
    _check(dataset)
    return _findings(touched(dataset), compared)


def _findings(dataset: Dataset, compared: Dataset) -> list[Finding]:
    """`findings` of results without the axes along which no loss changes."""
    loss = losses(dataset, at=np.inf)
    least = precision(dataset)
    axes = rest(loss, *DIMS)
    gap = gap_known(loss)
    parts = {
        "median": _medians(resolved(loss, least)),
        "gap": gap.any(rest(gap, *axes)),
        "least": least,
    }
    pairs = compared[list(Duel._fields)]
    pairs = pairs.isel(dict.fromkeys({*pairs.sizes} - {*axes, "pair", "bound"}, 0))
    numbers = Dataset({name: part.variable for name, part in parts.items()})
    numbers = numbers.assign(pairs.variables).assign({axis: dataset[axis].variable for axis in axes})
    names = list(map(str, dataset["optimizer"].values))
    every = numbers_at(numbers, axes, [*parts, *Duel._fields, *axes])
    return [
        _finding(names, at)._replace(place={axis: at[axis].item() for axis in axes}) for at in every
    ]


def _check(dataset: Dataset) -> None:
    if "landscape" in dataset.dims:
        raise ValueError(
            "winners: expected one landscape, got all of them; give dataset.sel(landscape=...)"
        )
    names = [str(name) for name in dataset["optimizer"].values]
    if len(names) < 2:
        raise ValueError(f"winners: expected two optimizers or more, got {', '.join(names) or 'none'}")


def _collected(every: Sequence[Finding], axes: dict[str, DataArray]) -> Dataset:
    """What is said of every combination, the last axis fastest, as variables."""
    result = Dataset(coords=axes)
    shape = [axis.size for axis in axes.values()]
    for name in VARIABLES:
        nothing = Finding._field_defaults[name]
        kind = object if isinstance(nothing, str) else type(nothing)
        values = np.array([getattr(each, name) for each in every], kind)
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


def _finding(names: Sequence[str], at: Mapping[str, np.ndarray]) -> Finding:
    """What is said of one combination.

    Args:
        names: of the optimizers.
        at: `median`, the losses of the optimizers, NaN where one has none; of every two what a `Duel` has;
            `gap`, whether losses are gaps to the optimum; `least`, the precision.
    """
    medians = dict(zip(names, at["median"].tolist(), strict=True))
    every, gap = _duels(at), bool(at["gap"])
    order = _order(medians, every)
    nobody = Finding(gap=gap, medians={name: medians[name] for name in order})
    if not order or np.isinf(medians[order[0]]):
        return nobody
    if len(order) == 1:
        return nobody._replace(winner=order[0])
    best, next_best, *_ = order
    first = medians[best]
    second = medians[next_best]
    duels = [duel.of(best) for duel in every if best in duel[:2] and {*duel[:2]} <= {*order}]
    return nobody._replace(
        winner=best,
        runner_up=next_best,
        lead=_lead(first, second, gap),
        decided=all(duel.better == best for duel in duels),
        worlds=min(duel.worlds for duel in duels),
        tied=first == second,
        at_least=gap and first <= float(at["least"]) < second,
        duels=sorted(duels, key=lambda duel: order.index(duel.b)),
    )


def _duels(compared: Mapping[str, np.ndarray]) -> list[Duel]:
    columns = (compared[name].tolist() for name in Duel._fields)
    return [Duel(*row) for row in zip(*columns, strict=True)]


def _order(medians: Mapping[str, float], duels: Sequence[Duel]) -> list[str]:
    """Optimizers with numbers, the lowest median first; of equal ones who is better than most of them."""
    won = Counter(duel.better for duel in duels if medians[duel.a] == medians[duel.b])
    there = [name for name in medians if not np.isnan(medians[name])]
    return sorted(there, key=lambda name: (medians[name], -won[name]))


def _lead(first: float, second: float, gap: bool) -> float:
    """By how much the first is ahead: as a factor where losses are gaps, else as a difference."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if not gap:
            return second - first
        return 1.0 if first == second else float(np.divide(second, first))
