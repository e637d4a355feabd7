"""The command line: python -m studies.exchange export|import.

Nothing heavy is imported before it is known to be needed.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studies.text.arguments import Arguments
from studies.text.leave import leave

if TYPE_CHECKING:
    from xarray import Dataset

WRONG = 2  # exit code of bad input
LOGGERS = ("coco", "ioh")
FORMATS = (*LOGGERS, "parquet", "csv", "netcdf")
POINTS = ("recommended", "best")
POINT = (
    "whose loss (coco, ioh): recommended (default), or best, the best evaluated point, which the loggers"
    " of COCO and IOHprofiler have"
)


def parser() -> Arguments:
    """The arguments of `python -m studies.exchange`."""
    command = Arguments(
        prog="python -m studies.exchange",
        description="Write a study in the formats of others; read what others wrote.",
        epilog="exit codes: 0 done, 2 wrong argument, study or file",
    )
    commands = command.add_subparsers(dest="command", required=True, metavar="export|import")
    about = "write a study for COCO's cocopp, for IOHanalyzer, or as tables"
    _add_export(commands.add_parser("export", help=about))
    about = "read files of COCO's or IOHprofiler's loggers as a study's results"
    _add_import(commands.add_parser("import", help=about))
    return command


def _add_export(command: Arguments) -> None:
    command.add_argument("results", metavar="RESULTS", help="a study's folder, results/NAME")
    command.add_argument("--to", required=True, choices=FORMATS, help="the format")
    command.add_argument("--out", required=True, type=Path, metavar="DIR", help="a new folder")
    command.add_argument("--point", choices=POINTS, default=POINTS[0], help=POINT)


def _add_import(command: Arguments) -> None:
    about = "a folder, a file, or an archive (tar.gz, zip, ..)"
    command.add_argument("files", metavar="DIR_OR_FILE", help=about)
    command.add_argument("--from", required=True, choices=LOGGERS, dest="source", help="the format")
    about = "the new results folder: results/NAME"
    command.add_argument("--out", required=True, type=Path, metavar="DIR", help=about)
    about = "a study: take its landscapes, checkpoints and targets"
    command.add_argument("--like", metavar="RESULTS", help=about)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = parser().parse_args(arguments)
    try:
        written = _export(args) if args.command == "export" else _import(args)
    except (ValueError, OSError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return WRONG
    print(*written, sep="\n")
    return 0


def _export(args: Namespace) -> list[Path]:
    from studies import exchange, open_study

    write = getattr(exchange, f"export_{args.to}")
    whose = {"point": args.point} if args.to in LOGGERS else {}
    return write(open_study(args.results), args.out, **whose)


def _import(args: Namespace) -> list[Path]:
    from studies.exchange.folders import whole

    dataset = _imported(args).assign_attrs(view="imported")
    view = args.out / "dataset.zarr"
    with whole(args.out) as temporary:
        dataset.to_zarr(temporary / view.name, zarr_format=3, consolidated=False)
    return [view]


def _imported(args: Namespace) -> Dataset:
    """What the files say, laid out as a study's results where one is given."""
    from studies import exchange, open_study

    read = exchange.import_coco if args.source == "coco" else exchange.import_ioh
    return read(args.files, open_study(args.like) if args.like else None)


if __name__ == "__main__":
    leave(main)
