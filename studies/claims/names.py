"""What a claim predicts at a place.

The value of its formula, with the numbers that ran there (`studies.results.settings`).

A formula may use every number of the claim's optimizer, its landscape, the noise (batch, evaluation, ..), the
oracle and the study (budget, ..), as they ran: of one name the first of these, and last the value of a swept
axis, such as the ledger's moment. `optimizer.NAME`, `landscape.NAME`, `noise.NAME`, `oracle.NAME` and
`study.NAME` say which is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from studies.claims.base import Unjudged
from studies.results import settings
from studies.text.formulas import evaluate


def predicted(given: float | str, data: xr.Dataset, where: Mapping[str, Any], optimizer: str) -> float:
    """The number that a claim predicts at a place.

    Args:
        given: a number, a formula or an import path.
        data: the results at the place; an axis that stays open is a dim.
        where: landscape, and axis -> value.
        optimizer: label.

    Raises:
        Unjudged: it has no value there, and why.
    """
    try:
        return _predicted(given, data, {**where, "optimizer": optimizer})
    except ValueError as error:
        raise Unjudged(str(error)) from error


def _predicted(given: float | str, data: xr.Dataset, where: Mapping[str, Any]) -> float:
    if not isinstance(given, str):
        return evaluate(given, {})
    here = settings.at(data, where)
    names = {
        axis: float(value)
        for axis, value in where.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return evaluate(given, names | settings.numbers(here), settings.missing(here))
