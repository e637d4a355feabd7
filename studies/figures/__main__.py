"""The figures of a finished or running study as files for a paper or a talk.

`python -m studies.figures RESULTS [NAME..]`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

    from studies.figures.style import Settings

FORMATS = ("pdf", "png", "svg", "gif", "mp4")
WRONG = 2  # exit code
WIDTHS = (2.0, 20.0)  # inches, between which a figure can be laid out
EXIT_CODES = (
    "0 done, 2 wrong argument, or a figure that was asked for cannot be drawn from these results"
)


def parser() -> argparse.ArgumentParser:
    """The arguments of `python -m studies.figures`."""
    words = argparse.ArgumentParser(
        prog="python -m studies.figures",
        description="Draw figures of a study's results, as files.",
        epilog=f"exit codes: {EXIT_CODES}",
    )
    words.add_argument(
        "results", type=Path, metavar="RESULTS", help="a study's folder, or a dataset.zarr"
    )
    which = "figures; all: every one that these results can show (default: the study's `figures:`)"
    words.add_argument("names", nargs="*", metavar="NAME", help=which)
    kinds = f"of {', '.join(FORMATS)} (default: pdf,png); gif, mp4: animations"
    words.add_argument("--format", default="pdf,png", metavar="F,..", help=kinds)
    styles = "paper (default) or slides: less on a page, to be enlarged"
    words.add_argument("--style", default="paper", metavar="S", help=styles)
    widths = "3.4: one column of a paper, 7: two (default; slides: 5)"
    words.add_argument("--width", type=float, metavar="INCHES", help=widths)
    where = "where the files go (default: `figures` in the study's folder)"
    words.add_argument("--out", type=Path, metavar="DIR", help=where)
    return words


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = parser().parse_args(arguments)
    try:
        return _figures(args)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return WRONG


@dataclass(frozen=True)
class Files:
    """What is drawn, and how.

    Args:
        data: a study's results.
        out: the folder of the files.
        formats: of `FORMATS`.
        width: inches.
        looks: settings of Matplotlib.
    """

    data: xr.Dataset
    out: Path
    formats: Sequence[str]
    width: float
    looks: Settings

    def write(self, name: str) -> Iterator[Path]:
        """Draw a figure; yields each file that is there.

        Raises:
            ValueError: it cannot be drawn, or is to move and does not.
        """
        from studies.figures import ANIMATIONS, FIGURES
        from studies.figures.saving import MOVING, save, save_moving

        still = [kind for kind in self.formats if kind not in MOVING]
        moving = [kind for kind in self.formats if kind in MOVING]
        if moving and name not in ANIMATIONS:
            raise ValueError(
                f"{name}: expected a figure that moves ({', '.join(ANIMATIONS)}) for --format"
                f" {','.join(moving)}"
            )
        if still:
            yield from save(
                partial(FIGURES[name], self.data, width=self.width), self.out, name, still, self.looks
            )
        if moving:
            film = partial(ANIMATIONS[name], self.data, width=self.width)
            yield from save_moving(film, self.out, name, moving, self.looks)


def _figures(args: argparse.Namespace) -> int:
    from studies.figures import FIGURES

    formats = _checked("--format", args.format.split(","), FORMATS)
    looks, width = _style(args)
    asked = _checked("figures", args.names, [*FIGURES, "all"])
    data = _results(args.results)
    folder = args.results.parent if args.results.suffix == ".zarr" else args.results
    files = Files(data, args.out or folder / "figures", formats, width, looks)
    names = list(FIGURES) if "all" in asked else asked or _of_study(data, FIGURES)
    failed = [name for name in names if not _written(files, name)]
    return WRONG if failed and "all" not in asked else 0


def _written(files: Files, name: str) -> bool:
    """Draw a figure and print its files, or why there are none; whether all went well."""
    from studies.figures.saving import why_not

    try:
        for path in files.write(name):
            print(path)
    except Exception as error:  # noqa: BLE001  the others are drawn, and no traceback shown
        print(why_not(name, error), file=sys.stderr)
        return False
    return True


def _style(args: argparse.Namespace) -> tuple[Settings, float]:
    """Settings of Matplotlib, and the width in inches.

    Raises:
        ValueError: there is no such style, or no figure can be laid out on such a width.
    """
    from studies.figures import style

    (name,) = _checked("--style", [args.style], style.STYLES)
    looks, width = style.STYLES[name]
    if args.width is not None and not WIDTHS[0] <= args.width <= WIDTHS[1]:
        raise ValueError(
            f"--width: expected {WIDTHS[0]:g} <= inches <= {WIDTHS[1]:g}, got {args.width:g}"
        )
    return looks, args.width or width


def _results(path: Path) -> xr.Dataset:
    """The results.

    Raises:
        ValueError: no cell has finished.
    """
    from studies import open_study

    data = open_study(path)
    if "loss" not in data:
        raise ValueError(
            f"{path}: expected at least one finished cell, found none; why cells failed is in its folder"
            " errors/"
        )
    return data


def _checked(what: str, words: Iterable[str], right: Iterable[str]) -> list[str]:
    """The words, each once.

    Raises:
        ValueError: one of them is wrong.
    """
    from studies.text.words import suggest

    given = list(dict.fromkeys(word.strip() for word in words))
    for word in given:
        if word not in right:
            raise ValueError(f"{what}: unknown {word!r}; {suggest(word, right)}")
    return given


def _of_study(data: xr.Dataset, names: Iterable[str]) -> list[str]:
    """Those of the figures that the study names itself."""
    from studies.results.config import config

    return [name for name in config(data).get("figures", ["convergence"]) if name in names]


if __name__ == "__main__":
    sys.exit(main())
