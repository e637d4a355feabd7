"""A table as a file: LaTeX with booktabs, Markdown, tidy CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from studies.results import store
from studies.table.entries import Entry, Table
from studies.text.latex import escaped

LONG = 40  # rows beyond which a table may break over pages
BESIDE = str.maketrans({
    "|": r"\|",
    "*": r"\*",
    "_": r"\_",
    "<": "&lt;",
    "\n": " ",
})  # what Markdown reads


def write(table: Table, out: Path, format: str) -> Path:
    """Write a table, whole or not at all; returns its file.

    Args:
        table: what is written.
        out: the folder.
        format: of `FORMATS`.
    """
    ending, text_of = FORMATS[format]
    file = out / f"{table.name}.{ending}"
    out.mkdir(parents=True, exist_ok=True)
    store.write_text(text_of(table), file)
    return file


def csv(table: Table) -> str:
    """All numbers as they are, a row for each arm, target or pair; what is not known is empty."""
    return table.frame.to_csv(index=False, lineterminator="\n")


def latex(table: Table) -> str:
    """A `table` of booktabs; of many rows a `longtable`."""
    long = len(table.rows) > LONG
    frame = pd.DataFrame([[_latex(entry) for entry in row] for row in table.rows])
    heads = [escaped(head) for head in table.heads]
    style = frame.style.hide(axis="index").format_index(lambda column: heads[column], axis="columns")
    text = style.to_latex(
        hrules=True,
        caption=escaped(table.caption),
        label=f"tab:{table.name}",
        column_format="l" * table.words + "r" * (len(heads) - table.words),
        environment="longtable" if long else None,
        position_float=None if long else "centering",
    )
    packages = "{booktabs,longtable}" if long else "{booktabs}"
    return f"% in the preamble: \\usepackage{packages}\n{text}"


def _latex(entry: Entry) -> str:
    text = escaped(entry.text)
    bold = rf"\textbf{{\boldmath {text}}}" if entry.bold else text
    return bold + (rf"\textsuperscript{{{escaped(entry.mark)}}}" if entry.mark else "")


def markdown(table: Table) -> str:
    """A table of pipes, the caption below it."""
    sides = ["---"] * table.words + ["---:"] * (len(table.heads) - table.words)
    rows = [[_plain(head) for head in table.heads], sides]
    rows += [[_markdown(entry) for entry in row] for row in table.rows]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", _plain(table.caption), ""])


def _markdown(entry: Entry) -> str:
    text = _plain(entry.text)
    return (f"**{text}**" if entry.bold else text) + _plain(entry.mark)


def _plain(text: str) -> str:
    """Text in which Markdown reads no sign."""
    return text.translate(BESIDE)


FORMATS: Mapping[
    str, tuple[str, Callable[[Table], str]]
] = {  # format -> ending, and what makes the text
    "latex": ("tex", latex),
    "csv": ("csv", csv),
    "md": ("md", markdown),
}
