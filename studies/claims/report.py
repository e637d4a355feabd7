"""Verdicts as a table for the terminal, and as OUT/claims.json."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studies.claims.base import Judgement
from studies.claims.measured import CAP, LEVEL
from studies.text.shapes import Data

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

FILE = "claims.json"
INTERVALS = f"intervals of three standard errors ({1 - 2 * CAP:.2%})"
COLOURS = {"holds": "green", "fails": "red", "undecided": "yellow"}


def table(judgements: Sequence[Judgement], name: str) -> Table:
    """One row for each place of each claim.

    Places outside of a regime stand below the others, and do not count.
    """
    grid = _empty(name)
    for claim in dict.fromkeys(row.claim for row in judgements):
        rows = sorted(
            (row for row in judgements if row.claim == claim), key=lambda row: not row.in_regime
        )
        for k, row in enumerate(rows):
            words = [claim if k == 0 else "", place(row), *cells(row)]
            grid.add_row(*map(_text, words), _verdict(row))
        grid.add_section()
    return grid


def _empty(name: str) -> Table:
    """The table of a study without rows."""
    from rich.table import Table

    title = f"{name}: claims, all of them together at {1 - LEVEL:.0%} (Holm); {INTERVALS}"
    grid = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for head in ("claim", "where", "quantity"):
        grid.add_column(head, overflow="fold")
    for head in ("predicted", "accepted", "observed", "interval"):
        grid.add_column(head, justify="right", no_wrap=True)
    for head in ("negative control", "verdict"):
        grid.add_column(head, overflow="fold")
    return grid


def _text(words: str) -> Text:
    """Words in which nothing is markup."""
    from rich.text import Text

    return Text(words)


def _verdict(row: Judgement) -> Text:
    """The verdict in its colour, the note below."""
    verdict = _text("")
    if row.in_regime:
        verdict.append(row.verdict, COLOURS[row.verdict])
    else:
        verdict.append(f"({row.verdict}) outside the regime", "dim")
    return verdict.append(f"\n{row.note}" if row.note else "", "dim")


def place(row: Judgement) -> str:
    """Where it is judged, in words: "bowl, SGD, batch = 4"."""
    labels = [str(row.where[key]) for key in LABELS if key in row.where]
    axes = [
        f"{key} = {number(value) if isinstance(value, float) else value}"
        for key, value in row.where.items()
        if key not in LABELS
    ]
    return ", ".join([*labels, *axes])


LABELS = ("landscape", "optimizer", "better", "worse", "first", "second")


def cells(row: Judgement) -> list[str]:
    """Quantity, predicted, accepted, observed, interval, control."""
    bound = "" if row.relation == "=" else f"{row.relation} "
    control = "the reverse" if bound and math.isnan(row.control) else number(row.control)
    accepted = _range(row.low, row.high) if row.low <= row.high else "nothing"
    predicted = f"{bound}{number(row.predicted)}"
    return [
        row.quantity,
        "" if math.isnan(row.predicted) else predicted,
        accepted if row.quantity else "",
        number(row.observed),
        "" if math.isnan(row.observed_low) else _range(row.observed_low, row.observed_high),
        f"{control} {'' if row.control_rejected else 'not '}rejected" if row.quantity else "",
    ]


def _range(low: float, high: float) -> str:
    return f"{number(low)} .. {number(high)}"


def number(value: float) -> str:
    """Four digits; nothing for what is not known."""
    return "" if math.isnan(value) else f"{value:.4g}"


def as_data(judgements: Sequence[Judgement]) -> Data:
    """As JSON: `verdicts` (claim -> worst in the regime) and `judgements`.

    Numbers that are not finite are null, or "inf", "-inf".
    """
    from studies.claims import verdicts

    rows = [{key: _plain(value) for key, value in row._asdict().items()} for row in judgements]
    return {"verdicts": verdicts(judgements), "judgements": rows}


def save(judgements: Sequence[Judgement], out: Path) -> Path:
    """Write OUT/claims.json, whole or not at all."""
    from studies.results.store import write_text

    write_text(json.dumps(as_data(judgements), indent=1, allow_nan=False), out / FILE)
    return out / FILE


def show(judgements: Sequence[Judgement], name: str, out: Path) -> None:
    """Print the table of a study's claims, and write OUT/claims.json."""
    from studies.text import terminal

    console = terminal.console(columns=160)
    console.print(table(judgements, name))
    console.print(str(save(judgements, out)), soft_wrap=True)


def _plain(value: object) -> str | float | bool | None | dict:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
