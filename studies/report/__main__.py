"""The report of a study, finished or running, as one file.

Of several studies also a page that joins them: `python -m studies.report RESULTS..`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studies.text.arguments import Arguments
from studies.text.leave import leave

if TYPE_CHECKING:
    from studies.report.writing import Page

WRONG = 2  # exit code
INDEX = "index.html"
DOES = (
    "Write a study's report, report.html in its folder; of several studies also a page that joins them."
)
OUT = "the report; of several studies: the page that joins them (default: index.html beside them)"


def parser() -> Arguments:
    """The arguments of `python -m studies.report`."""
    words = Arguments(
        prog="python -m studies.report",
        description=DOES,
        epilog="exit codes: 0 done, 2 wrong argument",
    )
    which = "studies' folders, or their dataset.zarr"
    words.add_argument("results", nargs="+", type=Path, metavar="RESULTS", help=which)
    words.add_argument("--out", type=Path, metavar="FILE", help=OUT)
    words.add_argument("--brief", action="store_true", help="only the figures that the study names")
    return words


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = parser().parse_args(arguments)
    try:
        for file in _reports(args.results, args.out, brief=args.brief):
            print(file)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return WRONG
    return 0


def _reports(results: Sequence[Path], out: Path | None, *, brief: bool) -> list[Path]:
    from studies.report.writing import FILE, write

    if len(results) > 1:
        pages = [write(path, brief=brief) for path in results]
        return [*(page.folder / FILE for page in pages), _index(pages, out)]
    page = write(results[0], out, brief=brief)
    return [out or page.folder / FILE]


def _index(pages: Sequence[Page], out: Path | None) -> Path:
    """Write the page that joins several; returns its file."""
    from studies.report.writing import FILE, write_index

    folders = [page.folder.resolve().parent for page in pages]
    index = out or Path(os.path.commonpath(folders)) / INDEX
    write_index([(page, page.folder / FILE) for page in pages], index)
    return index


if __name__ == "__main__":
    leave(main)
