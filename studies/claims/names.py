"""What a claim predicts at a place.

The value of its formula, with the numbers that ran there (`studies.results.settings`).

A formula may use every number of the claim's optimizer, its landscape, the noise (batch, evaluation, ..), the
oracle and the study (budget, ..), as they ran: of one name the first of these, and last the value of a swept
axis, such as the ledger's moment. `optimizer.NAME`, `landscape.NAME`, `noise.NAME`, `oracle.NAME` and
`study.NAME` say which is meant.
"""

from __future__ import annotations

from studies.claims.base import Place, Unjudged
from studies.results import settings
from studies.text.formulas import evaluate


def value_at(given: float | str, place: Place) -> float:
    """The value of a formula at a place.

    Args:
        given: a number, a formula, theory:NAME or an import path.
        place: where; an axis that stays open is a dim of its data.

    Raises:
        Unjudged: it has no value there, and why.
    """
    try:
        if not isinstance(given, str):
            return evaluate(given, {})
        ran = settings.arms(place.data)
        return evaluate(given, numbers_at(place), settings.missing(ran) if ran else {})
    except ValueError as error:
        raise Unjudged(str(error)) from error


def numbers_at(place: Place) -> dict[str, float]:
    """Name -> number that a formula may use at a place: what ran there, and the swept axes."""
    return _axes(place) | settings.numbers(settings.arms(place.data))


def _axes(place: Place) -> dict[str, float]:
    """The values of swept axes that are numbers."""
    return {
        axis: float(value)
        for axis, value in place.where.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
