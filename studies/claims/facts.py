"""Judged laws as Datasets, to be drawn: observed beside theory along an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from xarray import Dataset

from studies.analysis.shapes import BOUNDS
from studies.claims.base import Judgement
from studies.results.config import config
from studies.text.shapes import Data

PLACE = "place"  # in place of an axis, where a law has none
NUMBERS = ("observed", "predicted", "control", "standard_error", "worlds")
PAIRS = {"observed_interval": ("observed_low", "observed_high"), "accepted": ("low", "high")}
Cell = tuple[str, object]  # the curve, and the value along the axis
Grid = Sequence[Sequence[Judgement | None]]  # curves x values


def law_facts(dataset: Dataset, judgements: Sequence[Judgement]) -> dict[str, Dataset]:
    """Every law of a study as a Dataset.

    Args:
        dataset: a study's results.
        judgements: of its claims, as `studies.claims.judge` gives them.

    Returns:
        Claim -> Dataset with the dims `curve` (landscape, optimizer and other axes, in words) and the axis of
        `along` (its values; `place`, one number for each curve, where the law names none):

        - `observed`, `predicted`, `control` (of the first wrong law; NaN: a bound's reverse, or a place),
          `standard_error`: numbers, NaN where there is none;
        - `observed_interval` and `accepted` (.., bound: low, high): each end of the first is wrong with the
          chance of three standard errors; the second is the tolerance around the predicted, infinite on the
          open side of a bound;
        - `in_regime`: whether it counts; `verdict`: holds, fails, undecided, or "" where nothing was judged;
          `worlds`.

        Attributes: `claim`, `observe`, `relation`, `along`.
    """
    entries = config(dataset).get("claims") or {}
    laws = {name: entry for name, entry in entries.items() if entry["kind"] == "law"}
    return {
        name: _facts(name, entry, [row for row in judgements if row.claim == name])
        for name, entry in laws.items()
    }


def _facts(name: str, entry: Data, rows: Sequence[Judgement]) -> Dataset:
    along = entry.get("along") or PLACE
    cells = {_cell(row, along): row for row in rows}
    curves = list(dict.fromkeys(curve for curve, _ in cells))
    values = list(dict.fromkeys(value for _, value in cells))
    dims = ("curve", along)
    grid = [[cells.get((curve, value)) for value in values] for curve in curves]
    made: Data = {number: (dims, _numbers(grid, number)) for number in NUMBERS}
    for pair, ends in PAIRS.items():
        made[pair] = ((*dims, "bound"), np.stack([_numbers(grid, end) for end in ends], -1))
    made["in_regime"] = (dims, _each(grid, "in_regime", False))
    made["verdict"] = (dims, _each(grid, "verdict", ""))
    attrs = {"claim": name, "along": along} | {key: entry[key] for key in ("observe", "relation")}
    return Dataset(made, {"curve": curves, along: values, "bound": list(BOUNDS)}, attrs)


def _cell(row: Judgement, along: str) -> Cell:
    """Curve and value of a judgement."""
    rest = [str(value) for key, value in row.where.items() if key in ("landscape", "optimizer")]
    axes = {
        key: value for key, value in row.where.items() if key not in ("landscape", "optimizer", along)
    }
    words = [*rest, *(f"{key} = {value}" for key, value in axes.items())]
    return ", ".join(words), row.where.get(along, 0)


def _each(grid: Grid, name: str, empty: object) -> list[list[object]]:
    """What every judgement says by a name; `empty` where there is no judgement."""
    return [[empty if row is None else getattr(row, name) for row in line] for line in grid]


def _numbers(grid: Grid, name: str) -> np.ndarray:
    """A number of every judgement; NaN where there is none."""
    return np.array(_each(grid, name, math.nan), float).reshape(len(grid), -1)
