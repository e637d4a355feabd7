"""Where the state of an arm is recorded, from what a study says of its checkpoints.

On the clock of the budget they are fractions of its end. On another one they are fractions of where the run
is expected to end on that clock (`studies.study_file.spending`), and the last is its end, wherever that is.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, NamedTuple

from landscapes.oracle.bill import ROUNDING
from studies.cells.clocks import clocks_of
from studies.cells.hits import reads_of_truth
from studies.kinds import registry
from studies.study_file.spaced import DECADES
from studies.study_file.spending import landscape_of, length, spending, steps_within
from studies.text.kept import KeptList
from studies.text.shapes import Data

if TYPE_CHECKING:
    from optimizers.base import Optimizer
    from studies.study_file.arm import Arm

TRUTH = 2  # evaluations of truth at a checkpoint: the recommendation and the best point
FEWEST = 10  # checkpoints that every arm may have, whatever they take: three in each decade


class Places(NamedTuple):
    """Where the state of an arm is recorded."""

    times: list[float]  # increasing
    clock: str | None  # of the times; None: that of the budget
    why: str = ""  # they are fewer than the study says; empty: they are not


def places(arm: Arm) -> Places:
    """Where the state of an arm is recorded.

    A list is obeyed. Of others so many are left that the truth takes at most the study's share of the arm's
    time, but FEWEST at least, and all where the arm has no more steps than that: a state is looked at once.
    What an arm keeps holds all that an arm with fewer keeps. Time is that of `studies.cells.hits`: an address
    depends on no clock.
    """
    given, clock = arm.scalars["checkpoints"], _other_clock(arm)
    end = length_of_run(arm) if clock is None else max(length(arm, clock), 1.0 * (clock == "steps"))
    if isinstance(given, list):
        return Places(_times(tuple(given), end), None)
    budget = 1 / beyond(arm) if (clock or arm.scalars["clock"]) == "cost" else 1.0
    every = _fractions(given, end, clock or arm.scalars["clock"])
    kept, why = _affordable(arm, every, budget)
    return Places(_times(tuple(kept), end), clock, why)


@functools.lru_cache(64)
def _times(fractions: tuple[float, ...], end: float) -> list[float]:
    """Fractions of the end of a run as times; arms that have the same have one list, which stays as it is."""
    return KeptList([rounded(end * fraction) for fraction in fractions])


def unplaced(arm: Arm) -> str:
    """Why the clock of its checkpoints does not fit an arm; empty: it does."""
    clock = _other_clock(arm)
    if clock is None or not math.isnan(length(arm, clock)):
        return ""
    made: Optimizer = registry.build(arm.optimizer, "optimizer")
    kind, named = arm.optimizer["kind"], clock.replace("_", " ")
    if clock not in clocks_of(made):
        return f"{kind} has no {named}; expected a clock of {' or '.join(clocks_of(made))}"
    own = arm.scalars["clock"]
    return (
        f"in {named}, the end of a run of {kind} is not known before it runs; expected clock: {own}, that of"
        f" its budget, or a budget of {{{clock}: ..}}"
    )


def geometric(decades: float, count: int) -> list[float]:
    """So many fractions, log-spaced over the decades up to 1, which is the last."""
    return [*_geometric(decades, count)]


@functools.lru_cache(64)
def _geometric(decades: float, count: int) -> list[float]:
    if count < 2:  # noqa: PLR2004
        return [1.0]
    return [rounded(10 ** (decades * (i / (count - 1) - 1))) for i in range(count)]


def beyond(arm: Arm) -> float:
    """The end of a run over its budget: of cost, which counts at the lowest price, at the nominal one."""
    price = arm.scalars["gradient_cost"]
    return float(price["value"] / price["low"]) if arm.scalars["clock"] == "cost" else 1.0


def length_of_run(arm: Arm) -> float:
    """Where a run ends on the clock of its budget; of cost, at the nominal price."""
    return float(arm.scalars["budget"] * beyond(arm))


def budget_until(arm: Arm, fraction: float) -> float:
    """A budget that is a fraction of an arm's: of steps the nearest whole number, 1 at least."""
    budget = fraction * arm.scalars["budget"]
    return float(max(1, round(budget))) if arm.scalars["clock"] == "steps" else rounded(budget)


def rounded(value: float) -> float:
    """12 digits: the last ones depend on the machine's library, and an address should not."""
    return float(f"{value:.12g}")


def _other_clock(arm: Arm) -> str | None:
    """The clock of the checkpoints where it is not that of the budget."""
    given = arm.scalars["checkpoints"]
    clock = given["clock"] if isinstance(given, dict) else None
    return None if clock == arm.scalars["clock"] else clock


def _fractions(given: int | Data, end: float, clock: str) -> list[float]:
    """Increasing fractions of the end of a run, the last 1."""
    if isinstance(given, int):
        every = geometric(DECADES, DECADES * given + 1)
        return _of_each_step(every, end) if clock == "steps" else every
    count, decades = given["count"], float(DECADES)
    if clock == "steps":
        decades = min(decades, math.log10(max(end, 1)))
    linear = [rounded((i + 1) / count) for i in range(count)]
    spaced = linear if given["spacing"] == "linear" else geometric(decades, count)
    if clock != "steps":
        return spaced
    whole = sorted({max(1, round(fraction * end)) for fraction in spaced})
    return [step / end for step in whole]


def _of_each_step(every: list[float], end: float) -> list[float]:
    """Of increasing fractions of a run of so many steps those with a step of their own: the first of each.

    None is before the first step. They stay fractions that arms of other lengths have too.
    """
    first: dict[int, float] = {}  # whole steps that are done -> the fraction
    for fraction in every:
        first.setdefault(math.floor(fraction * end * (1 + ROUNDING)), fraction)
    return [fraction for steps, fraction in first.items() if steps]


def _affordable(arm: Arm, every: list[float], budget: float) -> tuple[list[float], str]:
    """Those fractions that the truth leaves, and why they are so few; empty where all are left.

    Args:
        arm: the arm.
        every: fractions of the end of a run.
        budget: the same, less than 1 where a study has a range of gradient prices.
    """
    most = _looks(arm)
    if most is None or len(every) <= most:
        return every, ""
    share = (
        f"truth takes at most {arm.scalars['truth']:g} of the time"
        if most > FEWEST
        else f"there are {FEWEST} whatever the truth takes"
    )
    why = (
        f"checkpoints: {most} in place of {len(every)}, so that {share} (see `truth`); a list of checkpoints"
        " is obeyed"
    )
    return [every[place] for place in sorted(_first_to_keep(every, budget)[:most])], why


def _first_to_keep(every: list[float], budget: float) -> list[int]:
    """The places of increasing fractions, those first that matter most.

    So what an arm keeps holds all that an arm with fewer keeps. First the end, then the last one within the
    budget, where arms are compared, and the first; then the middle between these ends, the middles of its two
    halves, and so on.

    Args:
        every: fractions of the end of a run.
        budget: the same, less than 1 where a study has a range of gradient prices.
    """
    end = len(every) - 1
    within = [place for place, fraction in enumerate(every) if fraction <= budget * (1 + ROUNDING)]
    halves, kept = 1, [end, *within[-1:], 0]
    while halves < end:
        halves *= 2
        kept += [round(odd * end / halves) for odd in range(1, halves, 2)]
    return list(dict.fromkeys(kept))


def _looks(arm: Arm) -> int | None:
    """In how many states of an arm the truth may be recorded; None: in all."""
    landscape, each, steps = landscape_of(arm), spending(arm), steps_within(arm)
    if each is None or steps is None:
        return None
    looks = arm.scalars["truth"] * each.reads(landscape, steps) / (TRUTH * reads_of_truth(landscape))
    most = max(FEWEST, math.floor(looks))
    return None if steps + 1 <= most else most
