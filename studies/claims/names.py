"""What a claim predicts at a place.

The value of its formula, with the numbers that ran there (`studies.results.settings`).

A formula may use every number of the claim's optimizer, its landscape, the noise (batch, evaluation, ..), the
oracle and the study (budget, ..), as they ran: of one name the first of these, and last the value of a swept
axis, such as the ledger's moment. `optimizer.NAME`, `landscape.NAME`, `noise.NAME`, `oracle.NAME` and
`study.NAME` say which is meant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal

from studies.claims.base import Claim, Place, Tolerance, Unjudged, tolerance
from studies.claims.gate import PLAIN, Law, Scale
from studies.results import settings
from studies.text.formulas import evaluate


class Predicting(Claim):
    """A claim with a law of its own, which predicts a number at each place."""

    own: ClassVar[Literal["relative", "absolute"]]  # what a tolerance that is one number is
    optimizer: str
    predicted: float | str
    tolerance: Tolerance
    control: float | str | None


def check_control(
    claim: Predicting, expected: str = "expected", there: Callable[[float], float] = float
) -> None:
    """Raise where a wrong law that is given as a number is no further from the right one than the tolerance.

    Args:
        claim: the claim; also its tolerance is checked.
        expected: the beginning of what is said.
        there: to the scale on which they are compared.

    Raises:
        ValueError: it is not.
    """  # noqa: DOC502
    within = tolerance(claim, claim.tolerance, claim.own)
    if isinstance(claim.predicted, str) or claim.control is None or isinstance(claim.control, str):
        return
    right, wrong = there(claim.predicted), there(claim.control)
    far = not abs(wrong - right) <= within.around(wrong, right)
    text = f"{expected} than the tolerance, {claim.tolerance}, got {claim.control:g}"
    claim.require(far, "control", text)


def law_at(
    claim: Predicting, place: Place, wrong: Callable[[float], float], scale: Scale = PLAIN
) -> Law:
    """What a claim predicts at a place.

    Args:
        claim: the claim.
        place: where; an axis that stays open is a dim of its data.
        wrong: what a wrong law predicts where the claim gives none, from what the right one does.
        scale: on which both are compared.

    Raises:
        Unjudged: it has no value there, and why.
    """  # noqa: DOC502
    value = _predicted(claim.predicted, place, claim.optimizer)
    control = (
        wrong(value) if claim.control is None else _predicted(claim.control, place, claim.optimizer)
    )
    within = tolerance(claim, claim.tolerance, claim.own)
    return Law(
        predicted=value,
        control=control,
        tolerance=within.relative,
        absolute=within.absolute,
        scale=scale,
    )


def _predicted(given: float | str, place: Place, optimizer: str) -> float:
    try:
        if not isinstance(given, str):
            return evaluate(given, {})
        ran = settings.at(place.data, {**place.where, "optimizer": optimizer})
        return evaluate(given, _axes(place) | settings.numbers(ran), settings.missing(ran))
    except ValueError as error:
        raise Unjudged(str(error)) from error


def _axes(place: Place) -> dict[str, float]:
    """The values of swept axes that are numbers."""
    return {
        axis: float(value)
        for axis, value in place.where.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
