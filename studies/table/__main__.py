"""Tables of a study's results for a paper: `python -m studies.table RESULTS final|hits|comparisons`."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from studies.text import places
from studies.text.arguments import Arguments
from studies.text.leave import leave
from studies.text.words import check_known

if TYPE_CHECKING:
    from xarray import Dataset

    from studies.table.entries import Table

WRONG = 2  # exit code
NAMES = ("final", "hits", "comparisons")
FORMATS = ("latex", "csv", "md")
SPREADS = ("interval", "quartiles", "none")
WHICH = "final: losses at the end; hits: running times and successes; comparisons: every two optimizers"
CHOSEN = (
    "What is chosen is a study of its own: arms are compared at the budget that those chosen have, and p is"
    " corrected over their comparisons."
)


def parser() -> Arguments:
    """The arguments of `python -m studies.table`."""
    line = Arguments(
        prog="python -m studies.table",
        allow_abbrev=False,
        description=f"Write tables of a study's results, as files for a paper. {CHOSEN}",
        epilog="exit codes: 0 done, 2 wrong argument, or a table that these results cannot show",
    )
    line.add_argument(
        "results", type=Path, metavar="RESULTS", help="a study's folder, or a dataset.zarr"
    )
    line.add_argument("names", nargs="+", metavar="TABLE", help=WHICH)
    formats = f"of {', '.join(FORMATS)} (default: all); csv is tidy, with all digits"
    line.add_argument("--format", default=",".join(FORMATS), metavar="F,..", help=formats)
    beside = "interval (default), quartiles or none: what stands beside a number in latex and md"
    line.add_argument("--spread", default=SPREADS[0], metavar="S", help=beside)
    planned = "comparisons: the pairs of optimizers that were planned, over which alone p is corrected"
    line.add_argument("--pairs", nargs="+", metavar="A:B", help=planned)
    for option, keywords in places.PLACES.items():
        line.add_argument(option, **keywords)
    where = "where the files go (default: `tables` in the study's folder)"
    line.add_argument("--out", type=Path, metavar="DIR", help=where)
    return line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = parser().parse_args(arguments)
    try:
        for file in _files(args):
            print(file)
    except (ValueError, OSError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return WRONG
    return 0


def _files(args: Namespace) -> Iterator[Path]:
    """Write the tables; yields each file that is there."""
    names = _checked("tables: unknown", args.names, NAMES)
    formats = _checked("--format: unknown", args.format.split(","), FORMATS)
    (spread,) = _checked("--spread: unknown", [args.spread], SPREADS)
    chosen, pairs = places.chosen(args), _pairs(args.pairs, names)
    from studies.figures.selection import pick
    from studies.table.comparisons import comparisons
    from studies.table.tables import TABLES
    from studies.table.writing import write

    data = pick(_results(args.results), chosen)
    makers: dict[str, Callable[[Dataset, str], Table]] = {
        **TABLES,
        "comparisons": partial(comparisons, pairs=pairs),
    }
    folder = args.results.parent if args.results.suffix == ".zarr" else args.results
    for name in names:
        table = makers[name](data, spread)
        if not table.rows:
            raise ValueError(f"{name}: expected an arm with numbers, found none in these results")
        for format in formats:
            yield write(table, args.out or folder / "tables", format)


def _pairs(texts: Sequence[str] | None, names: Collection[str]) -> list[tuple[str, str]] | None:
    """(A, B) of each text; None where no pairs are asked for.

    Args:
        texts: A:B, as typed.
        names: of the tables.

    Raises:
        ValueError: a text is no A:B, or no table compares pairs.
    """
    if texts is None:
        return None
    if "comparisons" not in names:
        raise ValueError(f"--pairs: expected the table comparisons, got {', '.join(names)}")
    for text in texts:
        if text.count(":") != 1:
            raise ValueError(f"--pairs: expected A:B, such as GA:SGD, got {text!r}")
    return [(a.strip(), b.strip()) for a, b in (text.split(":") for text in texts)]


def _results(path: Path) -> Dataset:
    """The results; raises ValueError where no cell has finished."""
    from studies import open_study

    data = open_study(path)
    if "loss" not in data:
        raise ValueError(f"{path}: expected at least one finished cell, found none")
    return data


def _checked(what: str, words: Sequence[str], right: Collection[str]) -> list[str]:
    """The words, each once; raises ValueError where one is wrong."""
    given = list(dict.fromkeys(word.strip() for word in words))
    check_known(what, given, right)
    return given


if __name__ == "__main__":
    leave(main)
