"""The commands, a line each: `python -m studies`."""

from __future__ import annotations

COMMANDS = {  # in the order in which a newcomer meets them
    "run": "compute a study, or go on with it: a file, or the name of a ready study",
    "list": "all that a study can name: landscapes, optimizers, claims, figures, keys, ready studies",
    "describe": "one of these in full: parameters, ranges, defaults, source",
    "ask": "the value of a quantity, such as median(loss), with its interval",
    "figures": "figures of results, for a paper or a talk",
    "report": "one page for each study",
    "claims": "judge the claims of results again",
    "exchange": "export to COCO, IOHprofiler, pandas, CSV, NetCDF, and import",
    "probe": "measure how rugged landscapes are",
    "check": "hold a landscape or optimizer of your own to its contract",
}


def main() -> None:
    """Print one line for each command."""
    print("python -m studies.COMMAND --help\n")
    for name, meaning in COMMANDS.items():
        print(f"  studies.{name:<10} {meaning}")


if __name__ == "__main__":
    main()
