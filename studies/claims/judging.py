"""A judgement of a claim, with all that its table says: what was predicted, what was observed, and why."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal, NotRequired, TypedDict, Unpack

from studies.claims.base import Judgement
from studies.claims.gate import Rivals, accepted, chances, interval, needed, verdict
from studies.claims.measured import Law, Measured
from studies.text.shapes import Data


class Said(TypedDict):
    """What a claim says of its judgement, whatever the numbers are."""

    where: Data
    quantity: str
    in_regime: bool
    note: NotRequired[str]
    relation: NotRequired[Literal["=", ">", "<=", ">="]]


def judgement(
    kind: str, law: Law, measured: Measured, rivals: Rivals = (), **said: Unpack[Said]
) -> Judgement:
    """A judgement by the rule.

    Args:
        kind: of the claim.
        law: what is predicted.
        measured: what was observed.
        rivals: wrong laws that must be rejected; none: the law's own control.
        said: where, quantity, in_regime, and a note.
    """
    decision, rejected = verdict(law, measured, rivals)
    chance, more = chances(law, measured, rivals), needed(law, measured, rivals)
    low, high = accepted(law, measured)
    observed_low, observed_high = law.shown(interval(law, measured))
    why = _note(law, measured, more) if decision == "undecided" else ""
    said["note"] = "; ".join(filter(None, [said.get("note", ""), why]))
    return Judgement(
        claim="",
        kind=kind,
        predicted=law.predicted,
        control=law.control,
        tolerance=law.tolerance or law.absolute,
        low=low,
        high=high,
        observed=law.scale.back(measured.value),
        standard_error=_shown(law, measured, max(measured.error, measured.under)),
        observed_low=observed_low,
        observed_high=observed_high,
        worlds=measured.worlds,
        verdict=decision,
        control_rejected=rejected,
        worlds_needed=more,
        p_holds=chance.holds,
        p_fails=chance.fails,
        **said,
    )


def _note(law: Law, measured: Measured, more: float) -> str:
    """Why it is undecided, and what would decide it."""
    if math.isnan(law.predicted):
        return "nothing is predicted"
    if measured.units < 2:
        return "fewer than two worlds"
    if measured.between and math.isinf(more):
        return "hits are known to intervals that are coarser than the tolerance: no number of worlds decides"
    if math.isinf(more) and math.isfinite(needed(replace(law, control=math.nan), measured)):
        return "the wrong law lies too near what was observed: no number of worlds rejects it"
    return would_decide(more)


def would_decide(more: float) -> str:
    """A line about the number of worlds that would decide."""
    if math.isnan(more):
        return ""
    return f"{'no number of' if math.isinf(more) else f'about {more:,.0f}'} worlds would decide"


def _shown(law: Law, measured: Measured, error: float) -> float:
    """An error on the scale that is shown."""
    return abs(law.scale.back(measured.value + error) - law.scale.back(measured.value - error)) / 2
