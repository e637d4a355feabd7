"""What ends with the budget (`steps: budget`) becomes a number: the steps that the arm's budget buys, at the lowest price of a gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from studies import kinds
from studies.spending import landscape_of, spending

if TYPE_CHECKING:
    from landscapes.base import Parameters
    from optimizers.base import Optimizer
    from studies.settings import Arm


def with_steps(arm: Arm) -> Arm:
    """The arm, its optimizer told how many steps its budget buys; the arm itself where nothing asks.

    Raises:
        ValueError: that is not known before it runs.
    """
    made: Optimizer = kinds.build(arm.optimizer, "optimizer")
    if made.budgeted(1) is made:
        return arm
    coupling = made.parameters().get("coupling", "none")
    if coupling != "none":
        why = f"with coupling {coupling!r} the cost of a step follows the schedule, so that no budget says how many there are"
        raise ValueError(f"steps: expected a number of steps, got budget: {why}")
    found = spending(arm)
    if found is None:
        raise ValueError(f"steps: expected a number of steps, got budget: what a step of {arm.optimizer['kind']} costs is not known before it runs")
    queries = found.steps(arm.scalars["budget"], arm.scalars["gradient_cost"]["low"])
    told = made.budgeted(queries, len(landscape_of(arm).players))
    return replace(arm, optimizer=_spec(arm.optimizer, told))


def _spec(spec: Mapping[str, Any], made: Parameters) -> dict[str, Any]:
    """The parameters of an entry, those of the object in the place of what it was made of, where they are `steps`."""
    known = made.parameters()
    nested = {key: _spec(value, known[key]) for key, value in spec.items() if isinstance(value, Mapping) and hasattr(known.get(key), "parameters")}
    return {**spec, **nested, **({"steps": known["steps"]} if "steps" in spec else {})}
