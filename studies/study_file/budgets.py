"""What ends with the budget (`steps: budget`) becomes a number.

The steps that the arm's budget buys, at the lowest price of a gradient.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from landscapes.oracle.bill import ROUNDING, TOLD
from landscapes.parameters import Parameters
from studies.kinds import registry
from studies.study_file.spending import landscape_of, run_length, steps_within
from studies.text.shapes import Data, Tree

if TYPE_CHECKING:
    from optimizers.base import Optimizer
    from studies.study_file.arm import Arm


ASKED = "steps: expected a number of steps, got budget"


class Untold(ValueError):
    """How many steps a budget buys is not known before it runs."""


def with_steps(arm: Arm) -> Arm:
    """The arm, its optimizer told how many steps its budget buys; the arm itself where nothing asks.

    Raises:
        ValueError: that is not known before it runs.
    """
    made: Optimizer = registry.build(arm.optimizer, "optimizer")
    if made.budgeted(1) is made:
        return arm
    players = len(landscape_of(arm).players)
    try:
        queries = _queries(arm, made, players)
    except Untold as error:
        raise ValueError(f"{ASKED}: {error}; give `steps:`") from error
    except (Exception, SystemExit) as error:  # a kind of the user's may raise anything on the bowl
        reason = f"what its steps cost is not known before it runs ({type(error).__name__}: {error})"
        raise ValueError(f"{ASKED}: {reason}") from error
    return replace(arm, optimizer=_spec(arm.optimizer, made, made.budgeted(queries, players)))


def _queries(arm: Arm, made: Optimizer, players: int) -> int:
    """How many queries the budget buys, at least 1."""
    budget, clock = arm.scalars["budget"], arm.scalars["clock"]
    if clock in TOLD:
        raise Untold(f"a budget in {clock.replace('_', ' ')} may hold any number of steps")
    if clock == "steps" or not made.cost_follows_schedule:
        count = steps_within(arm)
        if count is None:
            raise Untold("it asks for more than points, so that the cost of its steps is not known")
        return max(1, count)

    def affords(steps: int) -> bool:
        return run_length(arm, made.budgeted(steps, players), steps) <= budget * (1 + ROUNDING)

    fewest, most = 1, 2  # the cost of a step follows a schedule that ends with the last of them
    while affords(most):
        fewest, most = most, 2 * most
    while most - fewest > 1:
        middle = (fewest + most) // 2
        fewest, most = (middle, most) if affords(middle) else (fewest, middle)
    return fewest


def _spec(spec: Tree, before: Parameters, after: Parameters) -> Data:
    """The entry with what changed, in it and in inner mappings such as a schedule."""
    filled, old, new = dict(spec), before.parameters(), after.parameters()
    for key in new.keys() & spec.keys():
        if isinstance(new[key], Parameters):
            filled[key] = _spec(spec[key], old[key], new[key])
        elif new[key] != old[key]:
            filled[key] = new[key]
    return filled
