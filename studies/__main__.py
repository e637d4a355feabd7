"""The commands, a line each: `python -m studies`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from studies.text.leave import leave
from studies.text.words import suggest

HELP: Sequence[Sequence[str]] = ([], ["-h"], ["--help"])
COMMANDS = {  # in the order in which a newcomer meets them
    "run": "compute a study, or go on with it: a file, or the name of a ready study",
    "run.worker": "workers for a Dask scheduler that runs, started by hand",
    "status": "what is being computed in a study's folder, what failed, what is damaged",
    "watch": "progress, medians and time left of a study that runs, in a browser",
    "list": "all that a study can name: landscapes, optimizers, claims, figures, keys, ready studies",
    "describe": "one of these in full: parameters, ranges, defaults, source",
    "ask": "the value of a quantity, such as median(loss), with its interval",
    "figures": "figures of results, for a paper or a talk",
    "table": "tables of results for a paper: LaTeX, Markdown, CSV",
    "report": "one page for each study",
    "claims": "judge the claims of results again",
    "exchange": "export to COCO, IOHprofiler, pandas, CSV, NetCDF, and import",
    "probe": "measure how rugged landscapes are",
    "check": "hold a landscape or optimizer of your own to its contract",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line for each command; returns the exit code, 2 where one is asked for in another way."""
    given = [*(sys.argv[1:] if arguments is None else arguments)]
    if given not in HELP:
        print(_instead(given[0].removeprefix("studies.")), file=sys.stderr)
        return 2
    print("python -m studies.COMMAND --help\n")
    for name, meaning in COMMANDS.items():
        print(f"  studies.{name:<10} {meaning}")
    return 0


def _instead(name: str) -> str:
    """What to type, where a command was asked for as an argument."""
    if name in COMMANDS:
        return f"expected a dot before the command: python -m studies.{name}"
    return f"unknown command {name!r}; {suggest(name, COMMANDS)}"


if __name__ == "__main__":
    leave(main)
