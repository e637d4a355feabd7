"""The report of a study, finished or running, as one file.

Of several studies also a page that joins them: `python -m studies.report RESULTS..`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

WRONG = 2  # exit code
INDEX = "index.html"


def parser() -> argparse.ArgumentParser:
    """The arguments of `python -m studies.report`."""
    words = argparse.ArgumentParser(
        prog="python -m studies.report",
        description=(
            "Write a study's report, report.html in its folder; of several studies also a page that joins"
            " them."
        ),
        epilog="exit codes: 0 done, 2 wrong argument",
    )
    words.add_argument(
        "results",
        nargs="+",
        type=Path,
        metavar="RESULTS",
        help="studies' folders, or their dataset.zarr",
    )
    words.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the report; of several studies: the page that joins them (default: index.html beside them)",
    )
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
    from studies.report.writing import FILE, write, write_index

    several = len(results) > 1
    pages = [write(path, None if several else out, brief=brief) for path in results]
    files = [page.folder / FILE if several or out is None else out for page in pages]
    if several:
        index = (
            out or Path(os.path.commonpath([page.folder.resolve().parent for page in pages])) / INDEX
        )
        write_index(list(zip(pages, files, strict=True)), index)
        files.append(index)
    return files


if __name__ == "__main__":
    sys.exit(main())
