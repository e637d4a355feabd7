"""The command line: python -m studies.claims RESULTS.. judges the claims of finished studies again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from studies.text.arguments import Arguments
from studies.text.leave import leave

WRONG = 2  # exit code: there are no such results


def parser() -> Arguments:
    """The arguments of `python -m studies.claims`."""
    options = Arguments(
        prog="python -m studies.claims",
        description=(
            "Judge the claims of finished studies again, without a run: print a table, write"
            " RESULTS/claims.json."
        ),
        epilog="exit codes: 0 all hold, 1 a claim fails or is undecided, 2 wrong argument",
    )
    options.add_argument(
        "results",
        nargs="+",
        metavar="RESULTS",
        help="a study's folder, such as results/claims, or a dataset.zarr",
    )
    options.add_argument(
        "--claims",
        metavar="STUDY",
        help="judge the claims of this study file, or ready study, instead of those that were run",
    )
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = parser().parse_args(arguments)
    try:
        good = [_judge(Path(path), args.claims) for path in args.results]
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return WRONG
    return 0 if all(good) else 1


def _judge(path: Path, study: str | None) -> bool:
    """Print and write the verdicts of one study; whether all hold."""
    from studies import open_study
    from studies.claims import judge, report, verdicts
    from studies.results.config import changed, config

    dataset = open_study(path)
    if study is not None:
        from studies.study_file.loading import load_study

        dataset = dataset.assign_attrs(changed(dataset, claims=load_study(study).resolved["claims"]))
    if not config(dataset).get("claims"):
        raise ValueError(
            f"{path}: expected a study with claims, this one has none; name some with --claims STUDY"
        )
    judgements = judge(dataset)
    folder = path.parent if path.suffix == ".zarr" else path
    report.show(judgements, dataset.attrs["name"], folder)
    return set(verdicts(judgements).values()) == {"holds"}


if __name__ == "__main__":
    leave(main)
