"""A quantity of one arm, from the cells of its trial or pilot, as `python -m studies.ask` would tell it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import xarray as xr

from studies.analysis.quantities.grammar import parsed
from studies.cells.task import Cell
from studies.results.manifest import Stored
from studies.results.view import assemble
from studies.study_file import asked
from studies.study_file.arm import Arm
from studies.study_file.cell_size import ALONE
from studies.study_file.plan import make_plan, manifest
from studies.study_file.study import Study, StudyError
from studies.text.schema import POPULATION, SECONDS
from studies.text.shapes import Data, Tree

Measured = tuple[float, list[float]]  # a quantity and its interval


def kept(scalars: Tree, quantity: str | None) -> Data:
    """What a trial or pilot records of the study, as scalars of its arm: what its quantity names.

    Of one that names seconds each world is a cell, which has them to itself.

    Args:
        scalars: of the arm in the study.
        quantity: None: nothing is asked but losses, or what the noise ledger knows.
    """
    if quantity is None:
        return {"record": [], "expressions": {}, "targets": []}
    names = {*asked.names(parsed(quantity)), *asked.called(parsed(quantity))}
    instruments = [spec for spec in scalars["record"] if names & asked.instruments([spec]).keys()]
    expressions = {name: spec for name, spec in scalars["expressions"].items() if name in names}
    return {"record": instruments, "expressions": expressions, ALONE: SECONDS in quantity}


def needs_ledger(scalars: Tree, quantity: str | None) -> bool:
    """Whether the noise ledger is needed; arguments as of `kept`."""
    if quantity is None:
        return True
    names = {*asked.names(parsed(quantity))} - scalars["expressions"].keys()
    return bool(names & POPULATION.keys()) or any(asked.of_ledger(parsed(quantity)))


def results_of(study: Study, arm: Arm, cells: Sequence[Cell], out: Path) -> xr.Dataset:
    """The labelled Dataset of one arm, whose worlds are counted from that of the first cell.

    Args:
        study: with as many replicates as are to be shown.
        arm: the arm as it ran.
        cells: its cells, one after the other.
        out: the folder of results, which has all of them.
    """
    plan = make_plan(replace(study, arms=[arm]))
    shown = manifest(plan, cells)
    start = shown["cells"][0]["first"]
    dims = {name: [arm.coords.get(name, values[0])] for name, values in shown["dims"].items()}
    counted = [_from(cell, start) for cell in shown["cells"]]
    return assemble({**shown, "dims": dims, "cells": counted}, out)


def _from(cell: Stored, start: int) -> Stored:
    """A cell whose worlds are counted from `start` on."""
    return {**cell, "first": cell["first"] - start, "last": cell["last"] - start}


def measured(results: xr.Dataset, text: str, where: str) -> Measured:
    """The value of a quantity of one arm, and its interval.

    Args:
        results: of `results_of`.
        text: the quantity.
        where: the key of the study that asks for it, for messages.

    Raises:
        StudyError: there is no such quantity in these results, or it is more than one number.
    """
    from studies.analysis.quantities.evaluate import quantity

    try:
        answer = quantity(results, text)
    except ValueError as error:
        raise StudyError([f"{where}: {error}"]) from error
    if answer["quantity"].size != 1:
        raise StudyError([f"{where}: {text!r}: expected one number of each arm"])
    interval = answer["quantity_interval"].values.ravel().tolist()
    return answer["quantity"].item(), interval


def or_worst(value: float) -> float:
    """What has no value is the worst."""
    return math.inf if math.isnan(value) else value
