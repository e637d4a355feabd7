"""Remarks on budgets: arms that take no step, few, or very many; one line for all that are alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from studies.study_file.arm import Arm
from studies.study_file.spending import MANY, place, spending, steps_of, steps_within
from studies.text.words import counted

UNITS = {
    "cost": "evaluations",
    "steps": "steps",
    "epochs": "epochs",
}  # of budgets that a step may exceed
FEW = 20  # steps of a whole run, below which a dry run says so


def notes(arms: list[Arm]) -> list[str]:
    """A line for arms whose budget is below their first step."""
    return grouped_notes((arm, _short(arm)) for arm in arms)


def _short(arm: Arm) -> str:
    """Why an arm takes no step; empty: it does."""
    spent = spending(arm)
    if spent is None or steps_within(arm) != 0:
        return ""
    clock, price = arm.scalars["clock"], arm.scalars["gradient_cost"]["low"]
    costs = spent.first.on(clock, price)
    unit = UNITS[clock].removesuffix("s") if costs == 1 else UNITS[clock]
    return (
        f"the first step costs {costs:,g} {unit}, more than the budget of {arm.scalars['budget']:,g}: it"
        " takes none, and is compared with nothing"
    )


def unusual(arms: list[Arm]) -> list[str]:
    """A line for arms that take few steps, or very many: for all of a landscape and an optimizer together."""
    return grouped_notes((arm, _unusual(steps_of(arm))) for arm in arms)


def _unusual(count: float) -> str:
    """What is unusual about so many steps; empty: nothing."""
    if 0 < count < FEW:
        return f"about {count:g} steps in its whole budget, fewer than {FEW}: what it does is hardly a search"
    if count > MANY:
        return f"about {count:,g} steps, more than {MANY:,}: they take long"
    return ""


def grouped_notes(told: Iterable[tuple[Arm, str]]) -> list[str]:
    """A line for each text that is said of arms, with the first of a landscape and an optimizer.

    Args:
        told: an arm, and what is said of it; empty: nothing.
    """
    first: dict[tuple[str, str, str], Arm] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    for arm, text in told:
        if text:
            key = (str(arm.coords["landscape"]), str(arm.coords["optimizer"]), text)
            first.setdefault(key, arm)
            counts[key] += 1
    return [f"{place(arm)}{_more(counts[key])}: {key[-1]}" for key, arm in first.items()]


def _more(arms: int) -> str:
    return f" and {counted(arms - 1, 'arm')} more" if arms > 1 else ""
