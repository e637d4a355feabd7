"""How rugged landscapes are.

`python -m studies.probe LANDSCAPE..` prints a table, writes a Dataset and a figure; `--gallery` draws them,
`--network` their local optima.
"""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studies.text.arguments import Arguments
from studies.text.leave import leave

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console
    from xarray import Dataset

    from studies.probe.named import Named
    from studies.text.shapes import Data

NETWORK = "optima_network"  # name of files
WIDTH, NARROW = 7.0, 2.2  # inches of local optima networks
WRONG = 2  # exit code: a wrong landscape or argument
DOES = (
    "Measure how rugged landscapes are: a table, a Dataset (probe.nc) and a figure;"
    " or draw pictures of them."
)
FORMS = "a kind (nk), with parameters (nk:n=12,k=3), an import path (mine:Ridge), or a study"
EXAMPLES = (
    "examples: nk:n=12,k=0 nk:n=12,k=6 | gaussian_field --set dim=4 | quickstart --gallery. Exit"
    " codes: 0 done, 2 wrong argument."
)


def _at_least(low: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.lstrip("-").isdigit() or int(text) < low:
            raise ArgumentTypeError(f"expected a whole number >= {low}, got {text!r}")
        return int(text)

    return number


SIZES: dict[str, Data] = {  # options that are numbers -> keywords of argparse
    "--worlds": {
        "type": _at_least(1),
        "default": 8,
        "metavar": "R",
        "help": "instances of each landscape (default: 8)",
    },
    "--seed": {
        "type": _at_least(0),
        "default": 1,
        "metavar": "S",
        "help": "every draw follows from it and the number of the world (default: 1)",
    },
    "--samples": {
        "type": _at_least(32),
        "metavar": "M",
        "help": "points that a measure looks at (default: 1024, fewer where one is dear)",
    },
}
MEASURES: dict[str, Data] = {  # options that say what is measured -> keywords of argparse
    "--measures": {
        "nargs": "+",
        "default": [],
        "metavar": "NAME",
        "help": "these alone (default: all that a landscape can have)",
    },
    "--tune": {
        "metavar": "STATISTIC=VALUE",
        "help": "find the value of --parameter at which a statistic has this value, and probe there",
    },
    "--parameter": {"metavar": "NAME", "help": "what --tune changes, such as k"},
}


def parser() -> Arguments:
    """The arguments of `python -m studies.probe`."""
    words = Arguments(prog="python -m studies.probe", description=DOES, epilog=EXAMPLES)
    words.add_argument("landscapes", nargs="*", metavar="LANDSCAPE", help=FORMS)
    parameter = "a parameter of all landscapes named"
    words.add_argument("--set", action="append", default=[], metavar="PARAMETER=VALUE", help=parameter)
    for option, look in (SIZES | MEASURES).items():
        words.add_argument(option, **look)
    drawn = "draw pictures instead: of the landscapes named, or an example of every kind"
    words.add_argument("--gallery", action="store_true", help=drawn)
    network = "draw local optima networks instead, of world 0 of landscapes of at most 20 bits"
    words.add_argument("--network", action="store_true", help=network)
    width = "of the local optima networks in inches (default: 7; a column of a paper: 3.4)"
    words.add_argument("--width", type=float, default=WIDTH, metavar="INCHES", help=width)
    where = "where files are written (default: results/probe)"
    words.add_argument("--out", type=Path, default=Path("results/probe"), metavar="DIR", help=where)
    return words


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = parser()
    args = words.parse_args(arguments)
    mistake = _mistake(args)
    if mistake:
        words.error(mistake)
    return _done(args)


def _done(args: Namespace) -> int:
    """Do what is asked for; returns the exit code."""
    from studies.study_file.study import StudyError

    try:
        if args.network:
            return _network(args)
        return _gallery(args) if args.gallery else _probe(args)
    except StudyError as error:
        print(*error.lines, sep="\n", file=sys.stderr)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
    return WRONG


def _mistake(args: Namespace) -> str:
    """What does not go together, or none."""
    if not args.landscapes and not args.gallery:
        return "expected LANDSCAPE: a kind, an import path, or a study; or --gallery"
    if (args.tune is None) != (args.parameter is None):
        return "--tune and --parameter are given together: --tune autocorrelation=0.8 --parameter k"
    if args.gallery and (args.tune or args.measures):
        return "--gallery draws pictures alone; leave --tune and --measures out"
    if args.network and (args.tune or args.measures or args.gallery):
        return "--network draws networks alone; leave --tune, --measures and --gallery out"
    if not args.width >= NARROW:
        return f"--width: expected {NARROW:g} inches or more, got {args.width:g}"
    return ""


def _probe(args: Namespace) -> int:
    from studies.probe import tables
    from studies.text import terminal

    console = terminal.console(columns=140)
    data = _measured(args, console)
    tables.check_measured(data)
    for table in tables.tables(data, long=bool(args.measures)):
        console.print(table)
    for line in (*tables.notes(data), *map(str, _saved(data, args.out))):
        console.print(line, soft_wrap=True)
    return 0


def _measured(args: Namespace, console: Console) -> Dataset:
    """The measures of the landscapes that are named."""
    from studies.probe import datasets
    from studies.probe.named import named

    entries = named(args.landscapes, args.set)
    datasets.check_measures(args.measures)
    sizes = {
        "worlds": args.worlds,
        "seed": args.seed,
        "samples": args.samples,
    }
    if args.tune:
        entries = _tuned(entries, args, sizes, console)
    return datasets.probe(entries, measures=args.measures, **sizes)


def _tuned(
    entries: list[Named],
    args: Namespace,
    sizes: dict[str, int],
    console: Console,
) -> list[Named]:
    """The landscapes with the parameter that gives the statistic its value; says which it is.

    Args:
        entries: the landscapes.
        args: of the command.
        sizes: worlds, seed and samples.
        console: for a line on each.
    """
    from studies.probe import datasets

    statistic, _, target = args.tune.partition("=")
    tuned = [datasets.tune(entry, statistic, target, args.parameter, **sizes) for entry in entries]
    for _, line in tuned:
        console.print(line, soft_wrap=True)
    return [entry for entry, _ in tuned]


def _saved(data: Dataset, out: Path) -> list[Path]:
    """The files of the Dataset and of its figure."""
    from studies.figures import probes, saving
    from studies.probe import datasets

    return [datasets.save(data, out), *saving.save(lambda: probes.probes(data), out, "probe")]


def _gallery(args: Namespace) -> int:
    from studies.figures.saving import save

    for name, make in _gallery_pages(args).items():
        print(*save(make, args.out, name), sep="\n")
    return 0


def _network(args: Namespace) -> int:
    """Draw local optima networks; returns the exit code."""
    from studies.figures.optima_network import optima_networks
    from studies.figures.saving import save_pages
    from studies.probe.named import named
    from studies.probe.networks import optima

    networks = [optima(entry, seed=args.seed) for entry in named(args.landscapes, args.set)]
    print(*save_pages(lambda: optima_networks(networks, args.width), args.out, NETWORK), sep="\n")
    return 0


def _gallery_pages(args: Namespace) -> dict[str, Callable[[], Figure]]:
    """File name -> what draws the page."""
    from studies.figures.gallery import pages
    from studies.probe import examples, pictures
    from studies.probe.named import named

    entries = named(args.landscapes or examples.words(), args.set)
    return pages([pictures.picture(entry, seed=args.seed) for entry in entries])


if __name__ == "__main__":
    leave(main)
