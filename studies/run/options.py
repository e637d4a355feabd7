"""The arguments of `python -m studies.run`."""

from __future__ import annotations

import argparse
from pathlib import Path

from studies.text.arguments import Arguments
from studies.text.shapes import Data

DOES = "Run a study: compute what is missing, build the dataset, draw the figures."
EXIT_CODES = (
    "exit codes: 0 done, 1 a cell failed or is missing (with --strict also: a claim fails or is"
    " undecided, a world diverged unasked), 2 wrong study, plugin or argument, 74 results cannot be stored"
    " (no room?), 75 lost the scheduler, 130 interrupted (run again to go on)"
)
ARGUMENTS: dict[str, Data] = {  # of `add_argument`
    "config": {
        "nargs": "?",
        "metavar": "CONFIG",
        "help": "a study file, or the name of a study in studies/configs/, or of a collection of these:"
        " chapter, questions",
    },
    "--out": {
        "type": Path,
        "metavar": "DIR",
        "help": "the study's folder, of no other study (default: results/NAME); of a collection the folder of"
        " these (default: results)",
    },
    "--set": {
        "action": "append",
        "default": [],
        "metavar": "PATH=VALUE",
        "help": "change a value: --set optimizers.SGD.learning_rate=0.05",
    },
    "--dry-run": {
        "action": "store_true",
        "help": "print the table of cells and the cost; compute and write nothing",
    },
    "--workers": {
        "type": int,
        "metavar": "N",
        "help": "worker processes on this machine (default: one per core)",
    },
    "--cluster": {
        "metavar": "NAME",
        "help": "local (default), the address of a Dask scheduler (tcp://host:port, tls://host:port), slurm,"
        " pbs, sge or lsf as dask-jobqueue is configured, or a YAML file of what a study has under cluster",
    },
    "--wait": {
        "metavar": "TIME",
        "help": "how long to wait where no worker is there, as 90s, 20min, 2h (default: what the study says,"
        " else as long as it takes)",
    },
    "--cell-timeout": {
        "metavar": "TIME",
        "help": "how long a cell may take, as 90s, 30min, 2h: one that takes longer has failed, and the"
        " others go on (default: what the study says, else as long as it takes)",
    },
    "--retries": {
        "type": int,
        "default": 0,
        "metavar": "N",
        "help": "times that a cell which failed is tried again in this run (default: 0)",
    },
    "--yes": {
        "action": "store_true",
        "help": "also plan and compute a million cells or more",
    },
    "--no-plugins": {
        "dest": "plugins",
        "action": "store_false",
        "help": "refuse a study that names code by import path ('module:Class'), which would run here; for"
        " files of somebody else",
    },
    "--device": {
        "choices": ("auto", "cpu", "cuda"),
        "help": "where tensors live (default: what the study says)",
    },
    "--strict": {
        "action": "store_true",
        "help": "exit with 1 also where a claim does not hold, or a world is missing, or diverged where no"
        " claim asks for share(diverged)",
    },
    "--no-report": {
        "dest": "report",
        "action": "store_false",
        "help": "write no report.html, neither while it runs nor at the end",
    },
    "--schema": {"action": "store_true", "help": "print the JSON schema of study files, for editors"},
}


def check(words: Arguments, args: argparse.Namespace) -> None:
    """Refuse arguments that cannot be."""
    if args.workers is not None and args.workers < 1:
        words.error(f"--workers: expected >= 1, got {args.workers}")
    if args.retries < 0:
        words.error(f"--retries: expected >= 0, got {args.retries}")
    if any(each is not None for each in (args.cluster, args.wait, args.cell_timeout)):
        _check_places(words, args)


def _check_places(words: Arguments, args: argparse.Namespace) -> None:
    from studies.study_file.cluster import given
    from studies.text.durations import seconds_of

    try:
        if args.cluster is not None:
            given(args.cluster)
        for time in filter(None, (args.wait, args.cell_timeout)):
            seconds_of(time)
    except ValueError as error:
        words.error(str(error))
