"""Ask results a question, as in `python -m studies.ask RESULTS 'median(hit(0.1)["SGD"])'`.

The value, its interval and the number of worlds are printed.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

WRONG = 2


def parser() -> argparse.ArgumentParser:
    """The command line."""
    from studies.analysis.quantities.vocabulary import LANGUAGE

    words = argparse.ArgumentParser(
        "studies.ask",
        description=__doc__,
        epilog=LANGUAGE.replace("%", "%%"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words.add_argument("results", metavar="RESULTS", help="a study's folder")
    words.add_argument("quantities", metavar="QUANTITY", nargs="+", help="what is asked")
    return words


def main(arguments: list[str] | None = None) -> int:
    """Print the answers; 2 where there is none."""
    asked = parser().parse_args(arguments)

    from studies import open_study
    from studies.analysis.quantities.evaluate import quantity
    from studies.text import terminal

    try:
        results = open_study(asked.results)
        for text in asked.quantities:
            _print(text, quantity(results, text))
    except (ValueError, FileNotFoundError) as error:
        terminal.console(stderr=True).print(str(error), style="red", soft_wrap=True)
        return WRONG
    return 0


def _print(text: str, answer: xr.Dataset) -> None:
    """One row for each arm that is left."""
    from rich.table import Table

    from studies.text import terminal

    dims = [str(dim) for dim in answer["quantity"].dims]
    table = Table(title=text, title_justify="left")
    for head in (*dims, "value", "95 % interval", "worlds"):
        table.add_column(head, justify="left" if head in dims else "right")
    for row in _rows(answer, dims):
        table.add_row(*row)
    terminal.console().print(table)


def _rows(answer: xr.Dataset, dims: list[str]) -> Iterator[list[str]]:
    for places in itertools.product(*(range(answer.sizes[dim]) for dim in dims)):
        cell = answer.isel(dict(zip(dims, places, strict=True)))
        low, high = cell["quantity_interval"].values
        labels = [
            f"{cell[dim].item():g}" if cell[dim].dtype.kind in "fi" else str(cell[dim].item())
            for dim in dims
        ]
        yield [
            *labels,
            f"{cell['quantity'].item():.4g}",
            f"{low:.4g} to {high:.4g}",
            str(cell["worlds"].item()),
        ]


if __name__ == "__main__":
    sys.exit(main())
