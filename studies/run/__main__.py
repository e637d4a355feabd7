"""The command line: python -m studies.run CONFIG.

Nothing heavy is imported before it is known to be needed.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from studies.run.options import ARGUMENTS, DOES, EXIT_CODES, check
from studies.run.signals import ENDS, handled
from studies.text.arguments import Arguments
from studies.text.leave import leave
from studies.text.shapes import Data, Json

if TYPE_CHECKING:
    from rich.console import Console
    from xarray import Dataset

    from studies.run.session import Outcome
    from studies.study_file.study import Study

RESUME = "finished cells are kept; run the same command again to go on"
# how often garbage is looked for: a plan of ten thousand arms is millions of objects, all of them in use
SELDOM = (100_000, 20, 100)
# exit codes beside 0 and 1: bad input, nothing can be written, scheduler gone, interrupted
WRONG, UNSTORED, LOST, STOPPED = 2, 74, 75, 130


def parser() -> Arguments:
    """The arguments of `python -m studies.run`."""
    words = Arguments(prog="python -m studies.run", description=DOES, epilog=EXIT_CODES)
    for name, options in ARGUMENTS.items():
        words.add_argument(name, **options)
    return words


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = parser()
    args = words.parse_args(arguments)
    if args.config is None and not args.schema:
        words.error("expected CONFIG: a study file, or the name of a ready study")
    check(words, args)
    return _print_schema() if args.schema else _run_all(args)


def _print_schema() -> int:
    from studies.study_file.model import json_schema

    print(json.dumps(json_schema(), indent=2))
    return 0


def _run_all(args: argparse.Namespace) -> int:
    """Run a study, or all of a collection; returns the exit code."""
    from studies.study_file.collections import collections

    every = {} if Path(args.config).is_file() else collections()
    if args.config not in every:
        return _run(args)
    from studies.run.collection import run

    return run(every[args.config], args, _run)


def _run(args: argparse.Namespace) -> int:
    """Do what is asked of a study; what stops it is said in a line, and is the exit code."""
    from studies.run.clusters import ClusterError
    from studies.run.sweep import StoreError
    from studies.study_file.study import StudyError

    try:
        with handled(_interrupt, *ENDS):
            return _study(args)
    except StudyError as error:
        print(*error.lines, sep="\n", file=sys.stderr)
    except StoreError as error:
        print(f"{error}; make room there or give another --out, {RESUME}", file=sys.stderr)
        return UNSTORED
    except (ClusterError, OSError) as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print(RESUME, file=sys.stderr)
        return STOPPED
    return WRONG


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Take a signal for Ctrl-C, so that it ends what is not computed too, such as figures."""
    del number, frame
    raise KeyboardInterrupt


def _study(args: argparse.Namespace) -> int:
    """Preview a study, or run it and show what came of it; returns the exit code."""
    from studies.run import preview
    from studies.run.session import folder

    study = _load(args)
    out = folder(study, args.out)
    if args.dry_run:
        preview.show(study, out, args.cluster, yes=args.yes)
        return 0
    return _run_study(args, study, out)


def _load(args: argparse.Namespace) -> Study:
    """The study, with what the command line sets."""
    from studies.study_file.loading import load_study

    device = [f"device={args.device}"] if args.device else []
    return load_study(args.config, [*args.set, *device], plugins=args.plugins, many=args.yes)


def _run_study(args: argparse.Namespace, study: Study, out: Path) -> int:
    """Run a study and show what came of it; returns the exit code."""
    from studies.run.live_report import finish
    from studies.text import terminal

    console = terminal.console(stderr=True)
    outcome = _execute(args, study, out, console)
    code = _tell_outcome(outcome, out, console, study.figures, strict=args.strict)
    if args.report and outcome.ended == "complete":
        print(finish(out))
    return code


def _execute(
    args: argparse.Namespace,
    study: Study,
    out: Path,
    console: Console,
) -> Outcome:
    """Run a study, with a report beside it unless that is not wanted."""
    from studies.run.live_report import live
    from studies.run.session import execute
    from studies.study_file.files import text_of

    names = ("workers", "cluster", "wait", "cell_timeout", "retries", "yes")
    where: Data = {name: getattr(args, name) for name in names}
    with live(out) if args.report else contextlib.nullcontext():
        return execute(study, out, text=text_of(args.config), console=console, **where)


def _tell_outcome(
    outcome: Outcome,
    out: Path,
    console: Console,
    figures: list[Json],
    *,
    strict: bool,
) -> int:
    """Say how the run ended and where things are.

    Args:
        outcome: of the run.
        out: the study's folder.
        console: for what is no result.
        figures: to draw.
        strict: whether claims that do not hold, and worlds that diverged unasked, count.

    Returns:
        The exit code.
    """
    _say_lacking(outcome, out, console)
    refused = any(record.status == "refused" for record in outcome.failed)
    if outcome.ended == "uncalibrated":
        return WRONG if refused else 1
    if outcome.dataset is None:
        return _say_unfinished(outcome, console)
    from studies.claims import once

    with once(outcome.dataset):
        drawn = _draw_and_print(outcome.dataset, out, figures, console)
        open_claims = _judge(outcome.dataset, out)
    short = strict and _falls_short(outcome.dataset, open_claims, console)
    if refused:
        return WRONG
    return 1 if outcome.failed or outcome.missing or not drawn or short else 0


def _say_unfinished(outcome: Outcome, console: Console) -> int:
    """Why a run has no results yet; returns the exit code."""
    lost = outcome.ended == "lost"
    console.print(f"{'lost the Dask scheduler' if lost else 'interrupted'}; {RESUME}")
    return LOST if lost else STOPPED


def _say_lacking(outcome: Outcome, out: Path, console: Console) -> None:
    """How many cells failed, and how many are not there."""
    if outcome.failed:
        why = f"why is in {out / 'errors'}; the next run tries them again"
        console.print(f"{len(outcome.failed)} cells failed; {why}", soft_wrap=True)
    if outcome.missing:
        why = f"though they were computed; {RESUME}"
        console.print(f"{outcome.missing} cells are missing, {why}", soft_wrap=True)


def _falls_short(dataset: Dataset, open_claims: list[str], console: Console) -> bool:
    """Whether a world or a claim keeps a strict run from its end; says which."""
    diverged = _diverged(dataset)
    if diverged:
        console.print("strict: a world diverged where no claim asks for that, failed or is missing")
    if open_claims:
        console.print(f"strict: does not hold: {', '.join(open_claims)}", soft_wrap=True)
    return diverged or bool(open_claims)


def _diverged(dataset: Dataset) -> bool:
    """Whether a world failed or is missing, or diverged where no claim asks for it."""
    from studies.claims.divergence import asked_for  # here, so that --help comes at once
    from studies.text.schema import Status

    ends = dataset["status"].isel(checkpoint=-1)
    diverged = (ends == Status.DIVERGED) & ~asked_for(dataset)
    gone = (ends == Status.FAILED) | (ends == Status.MISSING)
    return bool((diverged | gone).any())


def _judge(dataset: Dataset, out: Path) -> list[str]:
    """Print the table of claims and write claims.json; those that do not hold, with their verdicts."""
    from studies.claims import judge, report, verdicts

    judgements = judge(dataset)
    if judgements:
        report.show(judgements, dataset.attrs["name"], out)
    worst = verdicts(judgements)
    return [f"{name} ({verdict})" for name, verdict in worst.items() if verdict != "holds"]


def _draw_and_print(
    dataset: Dataset,
    out: Path,
    figures: list[Json],
    log: Console,
) -> bool:
    """Draw the figures, print the tables and where things are; whether all could be drawn."""
    from studies.run.drawing import draw
    from studies.text import terminal

    drawn = draw(dataset, out, figures, log)
    console = terminal.console(columns=140)
    _print_tables(dataset, out, console)
    for path in (out / "dataset.zarr", *drawn.paths):
        console.print(str(path), soft_wrap=True)
    return drawn.complete


def _print_tables(dataset: Dataset, out: Path, console: Console) -> None:
    """What tuning and match came to, what the arms reached, and what cannot be judged."""
    from studies.analysis.noise.unfit import unfit
    from studies.run import summary

    _print_stages(dataset, console)
    if "loss" in dataset:  # not where every cell failed
        rows = summary.rows(dataset)
        if len(rows) > summary.MOST:
            summary.save(rows, out / summary.FILE)
        console.print(summary.table(dataset, rows))
        for line in unfit(dataset):
            console.print(line, soft_wrap=True)


def _print_stages(dataset: Dataset, console: Console) -> None:
    """The tables of tuning and match, where the study has them."""
    from studies.run.calibration.matched import table as matched
    from studies.run.calibration.tuned import table as tuned

    for name, table in (("tuning", tuned), ("match", matched)):
        if name in dataset.attrs:
            console.print(table(json.loads(dataset.attrs[name])))


if __name__ == "__main__":
    gc.set_threshold(*SELDOM)
    leave(main)
