"""The command line: python -m studies.run CONFIG.

Nothing heavy is imported before it is known to be needed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

    from studies.run.session import Outcome

RESUME = "finished cells are kept; run the same command again to go on"
WRONG, LOST, STOPPED = 2, 75, 130  # exit codes beside 0 and 1: bad input, scheduler gone, interrupted


def parser() -> argparse.ArgumentParser:
    """The arguments of `python -m studies.run`."""
    found = argparse.ArgumentParser(
        prog="python -m studies.run",
        description="Run a study: compute what is missing, build the dataset, draw the figures.",
        epilog=(
            "exit codes: 0 done, 1 a cell failed or is missing (with --strict also: a claim fails or is"
            " undecided, a world diverged), 2 wrong study, plugin or argument, 75 lost the scheduler, 130"
            " interrupted (run again to go on)"
        ),
    )
    found.add_argument(
        "config", nargs="?", metavar="CONFIG", help="a study file, or the name of a study in studies/configs/"
    )
    found.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="the study's folder, of no other study (default: results/NAME)",
    )
    found.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="change a value: --set optimizers.SGD.learning_rate=0.05",
    )
    found.add_argument(
        "--dry-run",
        action="store_true",
        help="print the table of cells and the cost; compute and write nothing",
    )
    found.add_argument(
        "--workers", type=int, metavar="N", help="worker processes on this machine (default: one per core)"
    )
    found.add_argument(
        "--cluster",
        metavar="NAME",
        help="local (default), or the address of a Dask scheduler: tcp://host:port",
    )
    found.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), help="where tensors live (default: what the study says)"
    )
    found.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 also where a claim does not hold, or a world diverged or is missing",
    )
    found.add_argument(
        "--no-report",
        dest="report",
        action="store_false",
        help="write no report.html, neither while it runs nor at the end",
    )
    found.add_argument(
        "--schema", action="store_true", help="print the JSON schema of study files, for editors"
    )
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = parser()
    args = words.parse_args(arguments)
    if args.config is None and not args.schema:
        words.error("expected CONFIG: a study file, or the name of a ready study")
    if args.workers is not None and args.workers < 1:
        words.error(f"--workers: expected >= 1, got {args.workers}")
    if args.schema:
        from studies.study_file.model import json_schema

        print(json.dumps(json_schema(), indent=2))
        return 0
    return _run(args)


def _run(args: argparse.Namespace) -> int:
    from studies.run.clusters import ClusterError
    from studies.run.live_report import finish, live
    from studies.run.session import execute, folder
    from studies.study_file.files import text_of
    from studies.study_file.loading import load_study
    from studies.study_file.study import StudyError
    from studies.text import terminal

    console = terminal.console(stderr=True)
    try:
        study = load_study(args.config, [*args.set, *([f"device={args.device}"] if args.device else [])])
        if args.dry_run:
            from studies.run import preview

            preview.show(study, folder(study, args.out))
            return 0
        out = folder(study, args.out)
        with live(out) if args.report else contextlib.nullcontext():
            outcome = execute(
                study,
                out,
                text=text_of(args.config),
                workers=args.workers,
                cluster=args.cluster,
                console=console,
            )
        code = _report(outcome, out, console, study.figures, strict=args.strict)
        if args.report and outcome.ended in ("complete", "stopped"):
            print(finish(out, brief=outcome.ended == "stopped"))
        return code
    except StudyError as error:
        print(*error.lines, sep="\n", file=sys.stderr)
    except (ClusterError, OSError) as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print(RESUME, file=sys.stderr)
        return STOPPED
    return WRONG


def _report(outcome: Outcome, out: Path, console: Console, figures: list[str], *, strict: bool) -> int:
    """Say how the run ended and where things are; returns the exit code."""
    if outcome.failed:
        text = (
            f"{len(outcome.failed)} cells failed; why is in {out / 'errors'}; the next run tries them again"
        )
        console.print(text, soft_wrap=True)
    if outcome.missing:
        console.print(
            f"{outcome.missing} cells are missing, though they were computed; {RESUME}", soft_wrap=True
        )
    refused = any(record.status == "refused" for record in outcome.failed)
    if outcome.ended == "unmatched":
        return WRONG if refused else 1
    if outcome.dataset is None:
        console.print(
            f"lost the Dask scheduler; {RESUME}" if outcome.ended == "lost" else f"interrupted; {RESUME}"
        )
        return LOST if outcome.ended == "lost" else STOPPED
    undrawn = _show(outcome.dataset, out, figures, console)
    open_claims = _judge(outcome.dataset, out)
    from studies.schema import Status  # here, so that --help comes at once

    bad = bool((outcome.dataset["status"].isel(checkpoint=-1) >= Status.DIVERGED).any())
    if strict and bad:
        console.print("strict: a world diverged, failed or is missing")
    if strict and open_claims:
        console.print(f"strict: does not hold: {', '.join(open_claims)}", soft_wrap=True)
    if refused:
        return WRONG
    return 1 if outcome.failed or outcome.missing or undrawn or (strict and (bad or open_claims)) else 0


def _judge(dataset: xr.Dataset, out: Path) -> list[str]:
    """Print the table of claims and write claims.json; those that do not hold, with their verdicts."""
    from studies.claims import judge, report, verdicts
    from studies.text import terminal

    found = judge(dataset)
    if not found:
        return []
    console = terminal.console(columns=160)
    console.print(report.table(found, dataset.attrs["name"]))
    console.print(str(report.save(found, out)), soft_wrap=True)
    return [f"{name} ({verdict})" for name, verdict in verdicts(found).items() if verdict != "holds"]


def _show(dataset: xr.Dataset, out: Path, figures: list[str], log: Console) -> bool:
    """Draw the figures, print the table and where things are.

    Whether a figure could not be drawn, which takes nothing else with it.
    """
    from studies.analysis.noise.unfit import unfit
    from studies.calibration.matched import table as matched
    from studies.calibration.tuned import table as tuned
    from studies.figures import draw
    from studies.figures.saving import why_not
    from studies.run.summary import table
    from studies.text import terminal

    there = "loss" in dataset  # not where every cell failed
    drawn, undrawn = list[Path](), False
    for name in figures if there else ():
        try:
            drawn += draw(dataset, [name], out / "figures")
        except Exception as error:  # noqa: BLE001
            log.print(f"figures: {why_not(name, error)}", soft_wrap=True)
            undrawn = True
    console = terminal.console(columns=140)
    if "tuning" in dataset.attrs:
        console.print(tuned(json.loads(dataset.attrs["tuning"])))
    if "match" in dataset.attrs:
        console.print(matched(json.loads(dataset.attrs["match"])))
    if there:
        console.print(table(dataset))
        for line in unfit(dataset):
            console.print(line, soft_wrap=True)
    for path in (out / "dataset.zarr", *drawn):
        console.print(str(path), soft_wrap=True)
    return undrawn


if __name__ == "__main__":
    sys.exit(main())
