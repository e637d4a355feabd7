"""How rugged landscapes are: `python -m studies.probe LANDSCAPE..` prints a table, writes a Dataset and a figure; `--gallery` draws them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

WRONG = 2  # exit code: a wrong landscape or argument


def parser() -> argparse.ArgumentParser:
    """The arguments of `python -m studies.probe`."""
    found = argparse.ArgumentParser(
        prog="python -m studies.probe",
        description=(
            "Measure how rugged landscapes are: a table, a Dataset (probe.nc) and a figure; or draw pictures"
            " of them."
        ),
        epilog=(
            "examples: nk:n=12,k=0 nk:n=12,k=6 | gaussian_field --set dim=4 | quickstart --gallery. Exit"
            " codes: 0 done, 2 wrong argument."
        ),
    )
    forms = "a kind (nk), with parameters (nk:n=12,k=3), an import path (mine:Ridge), or a study"
    found.add_argument("landscapes", nargs="*", metavar="LANDSCAPE", help=forms)
    found.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PARAMETER=VALUE",
        help="a parameter of all landscapes named",
    )
    found.add_argument(
        "--worlds", type=_at_least(1), default=8, metavar="R", help="instances of each landscape (default: 8)"
    )
    found.add_argument(
        "--seed",
        type=_at_least(0),
        default=1,
        metavar="S",
        help="every draw follows from it and the number of the world (default: 1)",
    )
    found.add_argument(
        "--samples",
        type=_at_least(32),
        metavar="M",
        help="points that a measure looks at (default: 1024, fewer where one is dear)",
    )
    found.add_argument(
        "--measures",
        nargs="+",
        default=[],
        metavar="NAME",
        help="these alone (default: all that a landscape can have)",
    )
    found.add_argument(
        "--tune",
        metavar="STATISTIC=VALUE",
        help="find the value of --parameter at which a statistic has this value, and probe there",
    )
    found.add_argument("--parameter", metavar="NAME", help="what --tune changes, such as k")
    found.add_argument(
        "--gallery",
        action="store_true",
        help="draw pictures instead: of the landscapes named, or an example of every kind",
    )
    found.add_argument(
        "--out",
        type=Path,
        default=Path("results/probe"),
        metavar="DIR",
        help="where files are written (default: results/probe)",
    )
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = parser()
    args = words.parse_args(arguments)
    if not args.landscapes and not args.gallery:
        words.error("expected LANDSCAPE: a kind, an import path, or a study; or --gallery")
    if (args.tune is None) != (args.parameter is None):
        words.error("--tune and --parameter are given together: --tune autocorrelation=0.8 --parameter k")
    if args.gallery and (args.tune or args.measures):
        words.error("--gallery draws pictures alone; leave --tune and --measures out")
    from studies.study_file.study import StudyError

    try:
        return _gallery(args) if args.gallery else _probe(args)
    except StudyError as error:
        print(*error.lines, sep="\n", file=sys.stderr)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
    return WRONG


def _at_least(low: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.lstrip("-").isdigit() or int(text) < low:
            raise argparse.ArgumentTypeError(f"expected a whole number >= {low}, got {text!r}")
        return int(text)

    return number


def _probe(args: argparse.Namespace) -> int:
    from studies.figures.probes import probes
    from studies.figures.saving import save
    from studies.probe import datasets
    from studies.probe.named import named
    from studies.text import terminal

    entries = named(args.landscapes, args.set)
    datasets.check_measures(args.measures)
    console = terminal.console(columns=140)
    if args.tune:
        statistic, _, target = args.tune.partition("=")
        tuned = [
            datasets.tune(
                entry,
                statistic,
                target,
                args.parameter,
                worlds=args.worlds,
                seed=args.seed,
                samples=args.samples,
            )
            for entry in entries
        ]
        entries = [entry for entry, _ in tuned]
        for _, line in tuned:
            console.print(line, soft_wrap=True)
    data = datasets.probe(
        entries, worlds=args.worlds, seed=args.seed, samples=args.samples, measures=args.measures
    )
    datasets.check_found(data)
    for part in datasets.tables(data, long=bool(args.measures)):
        console.print(part)
    for line in datasets.notes(data):
        console.print(line, soft_wrap=True)
    for path in (datasets.save(data, args.out), *save(lambda: probes(data), args.out, "probe")):
        console.print(str(path), soft_wrap=True)
    return 0


def _gallery(args: argparse.Namespace) -> int:
    from studies.figures.gallery import pages
    from studies.figures.saving import save
    from studies.probe import examples, pictures
    from studies.probe.named import named

    entries = named(args.landscapes or examples.words(), args.set)
    shown = pages([pictures.picture(entry, seed=args.seed) for entry in entries])
    for name, make in shown.items():
        print(*save(make, args.out, name), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
