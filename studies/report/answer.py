"""The answer of a study in words: who wins where, by how much, how sure that is, and what would decide.

A line for each landscape, or for each combination of the axes that touch it; of many those with the same
winner are one. The comparisons are those of the table "Comparisons", so that both say the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from xarray import Dataset

from studies.analysis.comparison.outcomes import JUDGED
from studies.analysis.comparison.winners import NONE, Duel, Finding, findings, touched
from studies.report.cells import between, places, shown
from studies.results.hits import budget
from studies.text.groups import grouped
from studies.text.words import counted, number

LOSS, TIME, AREA = JUDGED
APART = 4  # combinations of axes that have a line each; of more those with the same winner are one
NAMED = 3  # optimizers that a line names, of those that are not told apart
PLACES = 8  # values of an axis that a line names
FAR = 100_000  # worlds beyond which no number is said
HOW = (
    "Over the same worlds, with 95 % intervals; p: of the comparison that is the least sure, corrected over"
    " the study. So many worlds would decide with a chance of 80 %, if differences stay as they were seen"
    " here: of few worlds a rough number."
)
SURE, OPEN, TIE, NOBODY = "decided", "undecided", "tie", "no numbers"


class Line(NamedTuple):
    """What is said of a landscape, or of some combinations of its axes."""

    word: str  # decided, undecided, tie, or no numbers
    where: str
    text: str


class Findings(NamedTuple):
    """Those of a landscape, along the axes that touch it."""

    landscape: str
    cost: str  # at which arms are compared
    every: Sequence[Finding]
    data: Dataset  # without the other axes


def of_landscapes(dataset: Dataset, compared: Dataset) -> list[Findings]:
    """The findings of every landscape, from the comparisons of all of them.

    Args:
        dataset: a study's results, of two optimizers or more.
        compared: what `studies.analysis.compare` says of them.
    """
    every = []
    for name in dataset["landscape"].values.tolist():
        data, pairs = dataset.sel(landscape=name), compared.sel(landscape=name)
        every.append(Findings(str(name), _cost(data), findings(data, pairs), touched(data)))
    return every


def _cost(data: Dataset) -> str:
    """At which arms are compared, in words; where axes change it from the least to the most."""
    ends = budget(data).values
    low, high = float(ends.min()), float(ends.max())
    return f"{shown(low)} evaluations" if low == high else f"{shown(low)} to {shown(high)} evaluations"


def lines(every: Iterable[Findings]) -> list[Line]:
    """What is said of every landscape."""
    return [line for one in every for line in _lines(one)]


def _lines(one: Findings) -> Iterator[Line]:
    if len(one.every) <= APART:
        for finding in one.every:
            yield Line(_word(finding), f"{where(one, finding)} · {one.cost}", sentence(finding))
        return
    alike = grouped([((_word(finding), finding.winner), finding) for finding in one.every])
    for (word, winner), some in sorted(alike.items(), key=lambda item: -len(item[1])):
        text = _of_several(word, winner, some, _settings(some, one.every))
        yield Line(word, f"{one.landscape} · {one.cost}", text)


def _word(finding: Finding) -> str:
    """What kind of finding it is."""
    if finding.winner == NONE:
        return NOBODY
    if finding.decided and finding.duels:
        return SURE
    return TIE if _tied(finding) else OPEN


def _tied(finding: Finding) -> list[Duel]:
    """Those with optimizers whose median is the winner's, and that it is not told apart from."""
    return [duel for duel in finding.rivals if finding.medians[duel.b] == finding.medians[duel.a]]


def where(one: Findings, finding: Finding) -> str:
    """A landscape, and the values of its axes."""
    values = (f"{axis} = {_value(value)}" for axis, value in finding.place.items())
    return ", ".join([one.landscape, *values])


def _value(value: object) -> str:
    return number(value) if isinstance(value, float) else str(value)


def _of_several(word: str, winner: str, some: Sequence[Finding], settings: str) -> str:
    """What is said of several combinations with the same winner."""
    if word == SURE:
        return f"{winner} is best {settings}"
    if word == NOBODY:
        return f"no optimizer has a finite loss {settings}"
    what = (
        "ties for the lowest median"
        if word == TIE
        else "has the lowest median, but is not known to be best,"
    )
    return f"{winner} {what} {settings}{_more([duel for finding in some for duel in finding.rivals])}"


def _settings(some: Sequence[Finding], every: Sequence[Finding]) -> str:
    """Some combinations of axes among all: the values of each axis, where these say which, else how many."""
    axes = list(some[0].place)
    share = f"in {len(some)} of {len(every)} settings"
    values, whole = ({axis: _along(axis, part) for axis in axes} for part in (some, every))
    if math.prod(map(len, values.values())) != len(some):
        return f"{share} of {_all(axes)}"
    chosen = {axis: listed for axis, listed in values.items() if listed != whole[axis]}
    if not chosen or any(len(listed) > PLACES for listed in chosen.values()):
        return share if len(some) < len(every) else "in all settings"
    places = " and ".join(f"{axis} = {', '.join(listed)}" for axis, listed in chosen.items())
    return f"at {places}, {share}"


def _along(axis: str, some: Sequence[Finding]) -> list[str]:
    """The values of an axis in some combinations, once each."""
    return list(dict.fromkeys(_value(finding.place[axis]) for finding in some))


# a sentence -------------------------------------------------------------------------------------------------


def sentence(finding: Finding) -> str:
    """What is said of one combination of axes."""
    word, worlds = _word(finding), counted(finding.worlds, "world")
    if word == NOBODY:
        return "no optimizer has a finite loss"
    if not finding.duels:
        return f"{finding.winner} alone has numbers"
    if word == SURE:
        p = _p(max(duel.p_corrected for duel in finding.duels))
        lead = _by(finding.duels[0]) + _others(len(finding.duels) - 1)
        return f"{finding.winner} is best: {lead} ({worlds}, {p})"
    return f"{_undecided(finding)} ({worlds})"


def _undecided(finding: Finding) -> str:
    """Who has the lowest median, who ties with it, is better all the same, or is not told apart."""
    equal = [duel.b for duel in _tied(finding)]
    words = f"{finding.winner} has the lowest median"
    if equal:
        words = f"{_all([finding.winner, *equal])} tie at the precision"
    for duel in finding.ahead:
        words += f"; but {duel.b} is better over the same worlds: {_by(duel.of(duel.b))}"
    if apart := [duel for duel in finding.rivals if duel.b not in equal]:
        p = _p(max(duel.p_corrected for duel in apart))
        who = f"; {finding.winner}" if equal or finding.ahead else ", but"
        words += f"{who} is not told apart from {_some([duel.b for duel in apart])}, {p}"
    return words + _more(finding.rivals)


def _some(names: Sequence[str]) -> str:
    """A or B, or so many others."""
    more = [f"{len(names) - NAMED} others"] * (len(names) > NAMED)
    return " or ".join([*names[:NAMED], *more])


def _others(count: int) -> str:
    """Than whom else the winner is better."""
    return {0: "", 1: ", and better than the other"}.get(count, f", and better than the {count} others")


def _all(names: Sequence[str]) -> str:
    """A, B and C."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _by(duel: Duel) -> str:
    """By how much A is better than B, with the interval."""
    if not math.isfinite(duel.difference):
        return f"most runs of {duel.b} {_fate(duel)}"
    if not duel.logarithmic:
        low, high = -duel.difference_interval[1], -duel.difference_interval[0]
        what = "mean loss over the run" if duel.judged == AREA else "loss"
        return f"its {what} is {_between(-duel.difference, low, high)} below that of {duel.b}"
    times = _between(*duel.times)
    if duel.judged == TIME:
        return f"it is {times} times faster to {shown(duel.target)} than {duel.b}"
    what = "mean gap over the run" if duel.judged == AREA else "gap to the optimum"
    return f"its {what} is {times} times smaller than that of {duel.b}"


def _fate(duel: Duel) -> str:
    """Why a difference has no finite size."""
    return f"never reach {shown(duel.target)}" if duel.judged == TIME else "diverge"


def _between(value: float, low: float, high: float) -> str:
    """A number and its interval, with the digits that the interval allows."""
    return f"{shown(value, places((low, high)))} ({between(low, high)})"


def _more(rivals: Sequence[Duel]) -> str:
    """How many worlds would decide, or instances where worlds share them, in words of two digits."""
    needed = [duel.units_to_decide for duel in rivals]
    if not needed or any(map(math.isnan, needed)):
        return ""
    most, shared = max(needed), any(duel.units < duel.worlds for duel in rivals)
    things = "instances" if shared else "worlds"
    if math.isinf(most):
        return f"; no number of {things} like these would decide"
    if most > FAR:
        return f"; more than {FAR:,} {things} like these would be needed"
    here = max(duel.units for duel in rivals)
    about = max(float(f"{most:.2g}"), here + 1)
    return f"; about {about:,.0f} {things} like these would decide"
