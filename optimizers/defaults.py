"""What parameters that are left null have in a run, where that is a number.

It may follow from the number of coordinates D, the domain, the players. Each class says it of its own
parameters (`defaults`), by a rule here or by one of its own, as its own file computes it; a test runs every
kind with null and with this value, and finds the same bits. What has no value when left null (no clipping, no
end of a decay, exactly one bit flipped) has no rule. Without crossover the rate of recombination is 0,
whatever is given.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from landscapes.base import Domain, Reals
from landscapes.parameters import Defaults, Parameters


class Task(NamedTuple):
    """What a default may depend on."""

    dim: int
    domain: Domain  # as the optimizer sees it: reals where bits are relaxed
    players: int = 1


def effective(owner: Parameters, task: Task) -> dict[str, Any]:
    """Parameter -> the value that it has in a run, where that is another than the one given.

    Those of an inner schedule or landscape in a mapping of their own.

    Args:
        owner: an optimizer or a landscape, or what is inside of one.
        task: what it searches, or is.
    """
    given = owner.parameters()
    numbers = {name: _in_run(owner, name, value, task) for name, value in given.items()}
    if given.get("crossover") == "none" and "recombination_rate" in given:
        numbers["recombination_rate"] = 0.0
    return {name: number for name, number in numbers.items() if number not in (None, {})}


def _in_run(owner: Parameters, name: str, value: object, task: Task) -> Any:  # noqa: ANN401
    """The value of one parameter in a run; None or {} where it is the one given."""
    if isinstance(value, Parameters):
        return effective(value, task)
    if value is not None or name not in owner.defaults:
        return None
    return owner.defaults[name](owner, task)


def _sigma(owner: Parameters, task: Task) -> float | None:
    """As `distribution.start_sigma`."""
    del owner
    return 0.3 * (task.domain.high - task.domain.low) if isinstance(task.domain, Reals) else None


def _mutation_rate(owner: Parameters, task: Task) -> float:
    """As `operators.mutate`."""
    del owner
    return 1.0 if isinstance(task.domain, Reals) else 1 / task.dim


def _margin(owner: Parameters, task: Task) -> float:
    """As `operators.within_margin`."""
    del owner
    return min(1 / task.dim, 0.25)


SIGMA: Defaults = {"sigma": _sigma}
MUTATION_RATE: Defaults = {"mutation_rate": _mutation_rate}
MARGIN: Defaults = {"margin": _margin}
