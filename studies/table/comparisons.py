"""The table of comparisons: every two optimizers over the same worlds, or the pairs that were planned."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
from xarray import Dataset

from studies.report import records
from studies.report.cells import number
from studies.report.records import Numbers
from studies.report.tables import compared, judged_by, pair_notes, verdict, where
from studies.table.entries import Entry, Table, joined, with_ends
from studies.text.shapes import Data

EVERY, PLANNED = "Every two optimizers.", "The pairs that were planned."
WOULD = (
    "Would decide: {units} that would tell the two apart with a chance of 80 %, were they like these; a rough"
    " number."
)
HEADS = (
    "landscape", "A", "B", "judged by", "unit", "verdict", "A − B [95 %]", "p", "worlds", "would decide",
)  # fmt: skip


def comparisons(
    dataset: Dataset, spread: str = "interval", pairs: Sequence[tuple[str, str]] | None = None
) -> Table:
    """Every two optimizers over the same worlds, or the pairs that were planned.

    Args:
        dataset: a study's results.
        spread: of `SPREADS`; a difference has its interval, or none.
        pairs: (A, B), over which alone p is corrected; None: every two.

    Raises:
        ValueError: there is nothing to compare, or a pair is none of two optimizers of the study.
    """  # noqa: DOC502
    differences = compared(dataset, pairs)
    every = [
        (name, place, pair)
        for name in map(str, differences["landscape"].values)
        for place, pair in records.pairs(differences.sel(landscape=name))
    ]
    rows = [_pair_row(name, place, pair, spread) for name, place, pair in every]
    frame = pd.DataFrame([_pair_record(name, place, pair) for name, place, pair in every])
    shared = any(pair["units"] < pair["worlds"] for _, _, pair in every)
    would = WOULD.format(units="instances" if shared else "worlds")
    caption = joined([EVERY if pairs is None else PLANNED, *pair_notes(dataset), would])
    heads = [head if spread == "interval" else head.removesuffix(" [95 %]") for head in HEADS]
    return Table("comparisons", heads, rows, 6, caption, frame)


def _pair_row(name: str, place: Mapping[str, object], pair: Numbers, spread: str) -> list[Entry]:
    bounds = pair["difference_interval"].tolist()
    texts = [
        where(name, place),
        str(pair["a"]),
        str(pair["b"]),
        judged_by(pair),
        _unit(pair),
        verdict(pair),
        with_ends(float(pair["difference"]), bounds if spread == "interval" else None, bounds),
        _p(float(pair["p_corrected"])),
        f"{int(pair['worlds']):,}",
        _units(float(pair["units_to_decide"])),
    ]
    return [*map(Entry, texts)]


def _unit(pair: Numbers) -> str:
    return "decades" if bool(pair["logarithmic"]) else "loss"


def _p(p: float) -> str:
    return "–" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.2g}"


def _units(units: float) -> str:
    """How many would decide, of which two digits are worth saying."""
    return number(float(f"{units:.2g}")).text


def _pair_record(name: str, place: Mapping[str, object], pair: Numbers) -> Data:
    low, high = pair["difference_interval"].tolist()
    win_low, win_high = pair["win_probability_interval"].tolist()
    return {
        "landscape": name,
        **place,
        "a": str(pair["a"]),
        "b": str(pair["b"]),
        "verdict": verdict(pair),
        "judged": str(pair["judged"]),
        "target": float(pair["target"]),
        "difference": float(pair["difference"]),
        "difference_low": low,
        "difference_high": high,
        "unit": _unit(pair),
        "win_probability": float(pair["win_probability"]),
        "win_probability_low": win_low,
        "win_probability_high": win_high,
        "p": float(pair["p_value"]),
        "p_corrected": float(pair["p_corrected"]),
        "worlds": int(pair["worlds"]),
        "units": int(pair["units"]),
        "units_to_decide": float(pair["units_to_decide"]),
    }
