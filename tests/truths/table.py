"""The table of truths: what each law predicts beside what came out, one line for each comparison that a test notes with `told`.

`make verify` gathers the notes of all tests of this folder; then `python -m tests.truths.table FOLDER` prints the table and writes it beside
them as a page (index.html), for studies/docs/laws.md (table.md, which `make docs` puts there) and as a Dataset
(truths.nc).
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Z = 4.5  # standard errors
HEADS = ("row", "law", "where", "predicted", "observed", "SE", "verdict", "wrong law")
SHORT = (
    "law",
    "where",
    "predicted",
    "observed",
    "SE",
    "wrong law",
)  # of the table in the documentation
NAMES = {  # what the Dataset says of its variables
    "row": "number of the law in the table of laws",
    "law": "the law",
    "where": "the parameters at which it was compared",
    "predicted": "what the law, or an exact oracle, predicts",
    "observed": "what came out",
    "error": "standard error of what was observed; 0: it is exact",
    "bias": "what the law itself may be off by, or rounding",
    "mutant": "what a deliberately wrong law predicts; NaN: none was tried there",
}
PAGE = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Table of truths</title>
<style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 82rem; padding: 0 1rem; color: #222; background: #fff }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem; border-bottom: 1px solid #ddd }
th { position: sticky; top: 0; background: #f2f2f2 }
td:nth-child(n + 4):nth-child(-n + 6), th:nth-child(n + 4):nth-child(-n + 6) { text-align: right }
td:nth-child(n + 4) { white-space: nowrap }
</style>
<h1>Table of truths</h1>
<p>{{ count }} comparisons with {{ laws }} laws. A comparison holds where what was observed is within {{ z }} standard errors (SE) of what was
predicted, plus what the law itself is said to be off by; in brackets, how far it is. The same check rejects the number in the last column, which a
deliberately wrong law predicts. A comparison that does not hold is a failed test, and not in this table.</p>
<table><thead><tr>{% for head in heads %}<th>{{ head }}</th>{% endfor %}</tr></thead><tbody>
{% for line in lines %}<tr>{% for cell in line %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></html>
"""
FOLDER = "TRUTHS"  # the environment variable that names where notes are kept; without it none are


@dataclass(frozen=True, kw_only=True)
class Note:
    """One comparison.

    Args:
        row: number of the law in the table of laws.
        law: in words or symbols.
        where: the parameters at which it was compared.
        predicted: by the law, or by an exact oracle.
        observed: by the software.
        error: standard error of what was observed; 0: it is exact.
        bias: what the law itself may be off by (an asymptotic law), or rounding.
        mutant: what a deliberately wrong law predicts.
    """

    row: int
    law: str
    where: str
    predicted: float
    observed: float
    error: float
    bias: float
    mutant: float | None

    @property
    def margin(self) -> float:
        """How far the observed may be from the predicted."""
        return Z * self.error + self.bias


def told(
    row: int,
    law: str,
    where: str,
    predicted: float,
    observed: float,
    *,
    error: float = 0.0,
    bias: float = 0.0,
    mutant: float | None = None,
) -> None:
    """Note a comparison, and assert that it holds and that the mutant is rejected by the same check.

    Arguments as in `Note`.
    """
    numbers = [
        None if value is None else float(value) for value in (predicted, observed, error, bias, mutant)
    ]
    note = Note(
        row=row,
        law=law,
        where=where,
        **dict(zip(("predicted", "observed", "error", "bias", "mutant"), numbers, strict=True)),
    )  # type: ignore[arg-type]
    assert abs(note.observed - note.predicted) <= note.margin, note
    assert note.mutant is None or abs(note.observed - note.mutant) > note.margin, note
    folder = os.environ.get(FOLDER)
    if folder:
        path = Path(folder) / "notes" / f"{uuid.uuid4().hex}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dataclasses.asdict(note)))


def mean_and_error(sample: object) -> tuple[float, float]:
    """The mean of a sample, one number for each world, and its standard error."""
    values = np.asarray(sample, dtype=float)
    return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5)


def told_mean(
    row: int,
    law: str,
    where: str,
    predicted: float,
    sample: object,
    *,
    bias: float = 0.0,
    mutant: float | None = None,
) -> None:
    """`told` of the mean of a sample, with its standard error."""
    observed, error = mean_and_error(sample)
    told(row, law, where, predicted, observed, error=error, bias=bias, mutant=mutant)


def ratio(above: object, below: object) -> np.ndarray:
    """A sample whose mean is mean(above) / mean(below) and whose standard error is that of this ratio (delta method)."""
    over, under = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    value = over.mean() / under.mean()
    return value + (over - value * under) / under.mean()


def notes(folder: Path) -> list[Note]:
    """The notes of a folder, by row."""
    found = [Note(**json.loads(path.read_text())) for path in (folder / "notes").glob("*.json")]
    return sorted(found, key=lambda note: (note.row, note.law, note.where))


def main(folder: Path) -> None:
    """Print the table and write it."""
    import xarray as xr
    from jinja2 import Environment
    from rich.console import Console
    from rich.table import Table

    found = notes(folder)
    table = Table(*HEADS, title=f"{len(found)} comparisons with {len(rows(found))} laws")
    for note in found:
        table.add_row(*cells(note))
    Console(width=200).print(table)
    (folder / "table.md").write_text(markdown(found))
    page = Environment(autoescape=True).from_string(PAGE)
    lines = [cells(note) for note in found]
    (folder / "index.html").write_text(
        page.render(heads=HEADS, lines=lines, count=len(found), laws=len(rows(found)), z=Z)
    )
    values = {name: [getattr(note, name) for note in found] for name in NAMES}
    values["mutant"] = [float("nan") if value is None else value for value in values["mutant"]]
    columns = {
        name: ("comparison", value, {"long_name": NAMES[name]}) for name, value in values.items()
    }
    xr.Dataset(columns).to_netcdf(folder / "truths.nc", engine="h5netcdf")  # type: ignore[arg-type]


def rows(found: list[Note]) -> list[int]:
    """The numbers of the laws that were compared."""
    return sorted({note.row for note in found})


def cells(note: Note) -> list[str]:
    """A line of the table, under `HEADS`: all that is in it holds, for `told` asserts it."""
    wrong = "" if note.mutant is None else f"{note.mutant:.5g} rejected"
    error = f"{note.error:.2g}" if note.error else "exact"
    away = abs(note.observed - note.predicted)
    within = f" ({away / note.error:.1f} SE)" if note.error else ""
    by = f", may be off by {note.bias:.2g}" if note.error and away > Z * note.error else ""
    return [
        str(note.row),
        note.law,
        note.where,
        f"{note.predicted:.5g}",
        f"{note.observed:.5g}",
        error,
        f"holds{within}{by}",
        wrong,
    ]


def markdown(found: list[Note]) -> str:
    """One line for each law: the first comparison that has a wrong law, else the first."""
    lines = [
        f"{len(rows(found))} laws, one comparison of each (of {len(found)}), as `make verify` printed them on"
        f" {datetime.date.today()}.",
        "",
        f"| {' | '.join(SHORT)} |",
        "|" + "---|" * len(SHORT),
    ]
    for row in rows(found):
        of_row = [note for note in found if note.row == row]
        note = next((note for note in of_row if note.mutant is not None), of_row[0])
        shown = dict(zip(HEADS, cells(note), strict=True))
        lines.append("| " + " | ".join(shown[head].replace("|", "\\|") for head in SHORT) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
