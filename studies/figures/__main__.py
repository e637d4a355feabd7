"""The figures of a finished or running study as files for a paper or a talk.

`python -m studies.figures RESULTS [NAME..]`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

FORMATS = ("pdf", "png", "svg", "gif", "mp4")
WRONG = 2  # exit code
WIDTHS = (2.0, 20.0)  # inches, between which a figure can be laid out


def parser() -> argparse.ArgumentParser:
    """The arguments of `python -m studies.figures`."""
    found = argparse.ArgumentParser(
        prog="python -m studies.figures",
        description="Draw figures of a study's results, as files.",
        epilog=(
            "exit codes: 0 done, 2 wrong argument, or a figure that was asked for cannot be drawn from these"
            " results"
        ),
    )
    found.add_argument("results", type=Path, metavar="RESULTS", help="a study's folder, or a dataset.zarr")
    found.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="figures; all: every one that these results can show (default: the study's `figures:`)",
    )
    found.add_argument(
        "--format",
        default="pdf,png",
        metavar="F,..",
        help=f"of {', '.join(FORMATS)} (default: pdf,png); gif, mp4: animations",
    )
    found.add_argument(
        "--style",
        default="paper",
        metavar="S",
        help="paper (default) or slides: less on a page, to be enlarged",
    )
    found.add_argument(
        "--width",
        type=float,
        metavar="INCHES",
        help="3.4: one column of a paper, 7: two (default; slides: 5)",
    )
    found.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where the files go (default: `figures` in the study's folder)",
    )
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = parser().parse_args(arguments)
    try:
        return _figures(args)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return WRONG


def _figures(args: argparse.Namespace) -> int:
    from studies import open_study
    from studies.figures import ANIMATIONS, FIGURES, style
    from studies.figures.saving import MOVING, save, save_moving, why_not

    formats = _known("--format", args.format.split(","), FORMATS)
    looks, width = style.STYLES[_known("--style", [args.style], style.STYLES)[0]]
    if args.width is not None and not WIDTHS[0] <= args.width <= WIDTHS[1]:
        raise ValueError(f"--width: expected {WIDTHS[0]:g} <= inches <= {WIDTHS[1]:g}, got {args.width:g}")
    asked = _known("figures", args.names, [*FIGURES, "all"])
    data = open_study(args.results)
    if "loss" not in data:
        raise ValueError(
            f"{args.results}: expected at least one finished cell, found none; why cells failed is in its"
            " folder errors/"
        )
    names = list(FIGURES) if "all" in asked else asked or _own(data, FIGURES)
    still, moving = (
        [kind for kind in formats if kind not in MOVING],
        [kind for kind in formats if kind in MOVING],
    )
    out = args.out or (args.results.parent if args.results.suffix == ".zarr" else args.results) / "figures"
    failed = False
    for name in names:
        try:
            if moving and name not in ANIMATIONS:
                raise ValueError(
                    f"{name}: expected a figure that moves ({', '.join(ANIMATIONS)}) for --format"
                    f" {','.join(moving)}"
                )
            if still:
                print(
                    *save(partial(FIGURES[name], data, width=args.width or width), out, name, still, looks),
                    sep="\n",
                )
            if moving:
                print(
                    *save_moving(
                        partial(ANIMATIONS[name], data, width=args.width or width), out, name, moving, looks
                    ),
                    sep="\n",
                )
        except Exception as error:  # noqa: BLE001  one figure takes neither the others with it, nor a traceback to the user
            print(why_not(name, error), file=sys.stderr)
            failed = True
    return WRONG if failed and "all" not in asked else 0


def _known(what: str, words: Iterable[str], known: Iterable[str]) -> list[str]:
    """The words, each once.

    Raises:
        ValueError: one of them is not known.
    """
    from studies.text.words import suggest

    found = list(dict.fromkeys(word.strip() for word in words))
    for word in found:
        if word not in known:
            raise ValueError(f"{what}: unknown {word!r}; {suggest(word, known)}")
    return found


def _own(data: xr.Dataset, known: Iterable[str]) -> list[str]:
    """The figures that the study names itself."""
    from studies.results.config import config

    names: Iterator[str] = iter(config(data).get("figures", ["convergence"]))
    return [name for name in names if name in known]


if __name__ == "__main__":
    sys.exit(main())
