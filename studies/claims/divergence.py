"""Where claims ask which worlds diverge: there a world that does is what is judged, and no accident."""

from __future__ import annotations

import re
from collections.abc import Iterator

import xarray as xr
from xarray import DataArray, Dataset

from studies import claims
from studies.analysis.quantities.grammar import parsed
from studies.analysis.quantities.leaves import DIVERGED
from studies.analysis.quantities.parts import selections
from studies.claims.base import Claim
from studies.claims.law import LawClaim
from studies.results import settings
from studies.results.config import config
from studies.text.schema import GRID, RECORDS
from studies.text.shapes import Data

Where = dict[str, list]  # dim of arms -> the labels that are meant; of others, all


def asked_for(dataset: Dataset) -> DataArray:
    """Whether a claim asks for divergence, as by share(diverged): dims landscape, optimizer, swept axes.

    Of a claim those arms are meant that it observes, not those at which a wrong law is looked at.

    Args:
        dataset: a study's results.
    """
    first = dict.fromkeys(RECORDS, 0)
    there = xr.zeros_like(dataset["status"].isel(first, drop=True), dtype=bool)
    for entry in (config(dataset).get("claims") or {}).values():
        for where in _places(claims.build(entry), list(map(str, there.dims))):
            there = there | _at(there, where)
    return there


def _places(claim: Claim, dims: list[str]) -> Iterator[Where]:
    """Those of a claim, one for each number that asks."""
    around = {axis: [value] for axis, value in claim.at.items()}
    around |= {key: _listed(getattr(claim, key, None)) for key in GRID}
    around["optimizer"] = around["optimizer"] or list(claim.named().values())
    named = {re.sub(r"\W", "_", dim): dim for dim in dims} | {dim: dim for dim in dims}
    for text in _texts(claim):
        for said in selections(parsed(text), DIVERGED):
            yield {dim: labels for dim, labels in (around | _of_number(said, named)).items() if labels}


def _of_number(said: Data, named: dict[str, str]) -> Where:
    """The labels in the brackets of a number; none along an axis that it goes along."""
    return {named[word]: _listed(label) for word, label in said.items() if word in named}


def _texts(claim: Claim) -> list[str]:
    """The quantities of a claim in which the word stands."""
    given = [getattr(claim, "by", None)]
    if isinstance(claim, LawClaim):
        given = [claim.observe, claim.predicted]
    return [text for text in given if isinstance(text, str) and DIVERGED in text]


def _listed(labels: object) -> list:
    if labels is None:
        return []
    return list(labels) if isinstance(labels, list) else [labels]


def _at(there: DataArray, where: Where) -> DataArray:
    """Whether an arm has one of the labels along each of the dims."""
    chosen = xr.ones_like(there)
    for dim, labels in where.items():
        meant = {settings.key(label) for label in labels}
        named = [settings.key(label) in meant for label in there[dim].values.tolist()]
        chosen = chosen & DataArray(named, {dim: there[dim]}, [dim])
    return chosen
