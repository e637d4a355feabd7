"""Ask results a question, as in `python -m studies.ask RESULTS 'median(hit(0.1)["SGD"])'`.

The value, its interval and the number of worlds are printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from studies.text.arguments import Arguments
from studies.text.leave import leave

if TYPE_CHECKING:
    import xarray as xr
    from rich.table import Table

WRONG = 2
NO_RATE = (
    "0 worlds: a rate is fitted to {points} checkpoints or more at which its numbers are finite and positive,"
    " after a tenth of the run"
)
NO_INTERVAL = "{word}(..) is that of these worlds alone, and has no interval: quantile(.., 0.9) has one"


def parser() -> Arguments:
    """The command line."""
    from studies.analysis.quantities.vocabulary import LANGUAGE

    form = argparse.RawDescriptionHelpFormatter
    epilog = LANGUAGE.replace("%", "%%")
    words = Arguments("studies.ask", description=__doc__, epilog=epilog, formatter_class=form)
    words.add_argument("results", metavar="RESULTS", help="a study's folder")
    words.add_argument("quantities", metavar="QUANTITY", nargs="+", help="what is asked")
    return words


def main(arguments: list[str] | None = None) -> int:
    """Print the answers; 2 where there is none."""
    args = parser().parse_args(arguments)
    from studies.text import terminal

    try:
        for text, answer in _answers(args.results, args.quantities):
            terminal.console().print(_table(text, answer))
    except (ValueError, FileNotFoundError) as error:
        terminal.console(stderr=True).print(str(error), style="red", soft_wrap=True)
        return WRONG
    return 0


def _answers(folder: str, quantities: Sequence[str]) -> Iterator[tuple[str, xr.Dataset]]:
    """Each quantity of the results in a folder, and what it is."""
    from studies import open_study
    from studies.analysis.quantities.evaluate import quantity

    results = open_study(folder)
    for text in quantities:
        yield text, quantity(results, text)


def _table(text: str, answer: xr.Dataset) -> Table:
    """One row for each arm that is left."""
    from rich.table import Table

    from studies.results.arms import places

    dims = [str(dim) for dim in answer["quantity"].dims]
    cells = [answer.isel(place) for place in places(answer, dims)]
    caption = _caption(text, missing=any(cell["worlds"].item() == 0 for cell in cells))
    table = Table(title=text, title_justify="left", caption=caption, caption_justify="left")
    started = "met_at_start" in answer and bool(answer["met_at_start"].any())
    more = ["met at the start"] if started else []
    for head in (*dims, "value", "95 % interval", "worlds", *more):
        table.add_column(head, justify="left" if head in dims else "right")
    for cell in cells:
        started_in = [f"{cell['met_at_start'].item()} worlds"] if started else []
        table.add_row(*_row(cell, dims), *started_in)
    return table


def _caption(text: str, *, missing: bool) -> str | None:
    """What is said below the table: why there is no interval, or no rate where an arm has none."""
    from studies.analysis.quantities.grammar import parsed
    from studies.analysis.quantities.parts import calls, extreme
    from studies.analysis.trends.rates import POINTS

    tree = parsed(text)
    word, rates = extreme(tree), any(call.name == "rate" for call in calls(tree))
    lines = [NO_INTERVAL.format(word=word)] if word else []
    lines += [NO_RATE.format(points=POINTS)] if rates and missing else []
    return "\n".join(lines) or None


def _row(cell: xr.Dataset, dims: list[str]) -> list[str]:
    """Where an arm stands, its value, the interval, and the number of worlds."""
    import numpy as np

    low, high = cell["quantity_interval"].values
    value = f"{cell['quantity'].item():.4g}"
    labels = [_label(cell[dim]) for dim in dims]
    interval = "none" if np.isnan(low) else f"{low:.4g} to {high:.4g}"
    return [*labels, value, interval, str(cell["worlds"].item())]


def _label(value: xr.DataArray) -> str:
    """A value of an axis, in words."""
    return f"{value.item():g}" if value.dtype.kind in "fi" else str(value.item())


if __name__ == "__main__":
    leave(main)
