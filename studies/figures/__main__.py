"""The figures of a finished or running study as files for a paper or a talk.

`python -m studies.figures RESULTS [NAME..]`.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from studies.text import places
from studies.text.arguments import Arguments
from studies.text.leave import leave
from studies.text.words import check_known, suggest

if TYPE_CHECKING:
    from xarray import Dataset

    from studies.figures.style import Style
    from studies.results.figures import Asked
    from studies.text.shapes import Data, Json

FORMATS = ("pdf", "png", "svg", "gif", "mp4")
WRONG = 2  # exit code
WIDTHS = (2.0, 20.0)  # inches, between which a figure can be laid out
TOLD = {  # what figures are told to show: keys of `figures:` in a study -> meaning
    "x": "an axis; of curve a clock too",
    "y": "the quantity of curve; the other axis of map",
    "hue": "the axis, landscape or optimizer whose values are lines",
    "rows": "that of the rows of panels",
    "columns": "that of the columns of panels",
    "label": "of curve, map, law and answer: words in place of the quantity",
    "colour": "the quantity of map",
    "line": "its value at which map has a line",
    "theory": "a formula that predicts it, whose line is dashed",
    "of": "what is recorded of worlds: a number for density, a vector for frequencies",
    "against": "the density that theory gives, a formula",
    "bins": "of the histogram",
    "world": "a number; of frequencies also mean",
    "stacked": "true: frequencies on top of one another",
    "claim": "the claim of law or answer, or several with commas between them",
    "along": "of answer: what stands across in place of the axis, a formula",
    "across": "of answer: what stands at the horizontal axis",
    "above": "of answer: words above the lines",
    "below": "of answer: words below the lines",
    "outside": "of answer: false leaves out what is outside of the regime",
    "over": "of answer: true divides all by what is predicted",
    "least": "of answer: true puts a star at the least of each law",
    "wrong": "of answer: true draws wrong laws too",
    "log": "of answer: true gives it logarithmic vertical axes",
    "surface": "of attainment: true draws the share of worlds as shades",
    "target": "of scaling: the loss that is to be reached",
    "group": "of ecdf: all, kind, dim or an axis; landscapes that are drawn together",
    "reference": "of ecdf with a group: the optimizer to compare with, or best",
    "name": "of the files",
    "clock": "of convergence, ecdf, profile, scaling, attainment: cost, steps, epochs, seconds, virtual_time",
}
EXIT_CODES = (
    "0 done, 2 wrong argument, or a figure that was asked for cannot be drawn from these results"
)
LOOKS: dict[str, Data] = {  # options of the files and of how they look -> keywords of argparse
    "--format": {
        "default": "pdf,png",
        "metavar": "F,..",
        "help": f"of {', '.join(FORMATS)} (default: pdf,png); gif, mp4: animations",
    },
    "--style": {
        "default": "paper",
        "metavar": "S",
        "help": "paper (default) or slides: 16:9, less on a page, to be enlarged",
    },
    "--width": {
        "type": float,
        "metavar": "INCHES",
        "help": "3.4: one column of a paper, 7: two (default; slides: 5)",
    },
    "--font": {"metavar": "F", "help": "sans, serif, or the name of a font of this machine"},
    "--usetex": {"action": "store_true", "help": "LaTeX sets all texts, in serif or --font sans"},
}


def parser() -> Arguments:
    """The arguments of `python -m studies.figures`."""
    words = Arguments(
        prog="python -m studies.figures",
        allow_abbrev=False,
        description="Draw figures of a study's results, as files.",
        epilog=f"exit codes: {EXIT_CODES}",
    )
    words.add_argument(
        "results", type=Path, metavar="RESULTS", help="a study's folder, or a dataset.zarr"
    )
    which = "figures; all: every one that these results can show (default: the study's `figures:`)"
    words.add_argument("names", nargs="*", metavar="NAME", help=which)
    for option, look in (LOOKS | places.PLACES).items():
        words.add_argument(option, **look)
    for option, meaning in TOLD.items():
        words.add_argument(f"--{option}", metavar="V", help=meaning)
    where = "where the files go (default: `figures` in the study's folder)"
    words.add_argument("--out", type=Path, metavar="DIR", help=where)
    return words


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = parser().parse_args(arguments)
    try:
        return _figures(args)
    except (ValueError, OSError) as error:
        _say(error)
        return WRONG


def _say(line: object) -> None:
    """Print a line beside the files."""
    print(line, file=sys.stderr)


@dataclass(frozen=True)
class Files:
    """What is drawn, and how.

    Args:
        data: a study's results.
        out: the folder of the files.
        formats: of `FORMATS`.
        style: settings of Matplotlib, width and ratio.
    """

    data: Dataset
    out: Path
    formats: Sequence[str]
    style: Style

    def write(self, figure: Asked) -> Iterator[Path]:
        """Draw a figure; yields each file that is there.

        Raises:
            ValueError: it cannot be drawn, or is to move and does not.
        """
        from studies.figures.saving import MOVING

        still = [kind for kind in self.formats if kind not in MOVING]
        moving = [kind for kind in self.formats if kind in MOVING]
        if moving:
            self._expect_moving(figure, moving)
        if still:
            yield from self._pages(figure, still)
        if moving:
            yield from self._film(figure, moving)

    def _expect_moving(self, figure: Asked, kinds: Sequence[str]) -> None:
        from studies.figures import ANIMATIONS

        if figure.figure not in ANIMATIONS:
            raise ValueError(
                f"{figure.figure}: expected a figure that moves ({', '.join(ANIMATIONS)}) for --format"
                f" {','.join(kinds)}"
            )

    def _pages(self, figure: Asked, kinds: Sequence[str]) -> list[Path]:
        """The files of a figure; of more than one page a line says why."""
        from studies.figures import save

        looks, width, ratio = self.style
        files = save(figure, self.data, self.out, kinds, width, looks, ratio)
        if files.said:
            _say(files.said)
        return files.paths

    def _film(self, figure: Asked, kinds: Sequence[str]) -> list[Path]:
        from studies.figures import ANIMATIONS
        from studies.figures.saving import save_moving

        size = {"width": self.style.width, "ratio": self.style.ratio}
        film = partial(ANIMATIONS[figure.figure], self.data, **size)
        return save_moving(film, self.out, figure.file, kinds, self.style.settings)


def _figures(args: Namespace) -> int:
    names, options = _named(args), _told(args)
    everything, files = "all" in names, _files(args)
    chosen = [] if everything else names
    figures = _wanted(files.data, chosen, options) if chosen else _of_study(files.data, everything)
    written = [_written(files, figure) for figure in figures]
    return 0 if everything or all(written) else WRONG


def _files(args: Namespace) -> Files:
    """What is drawn, and how."""
    from studies.figures.selection import pick

    formats, style = _checked("--format", args.format.split(","), FORMATS), _style(args)
    data = pick(_results(args.results), places.chosen(args))
    folder = args.results.parent if args.results.suffix == ".zarr" else args.results
    return Files(data, args.out or folder / "figures", formats, style)


def _named(args: Namespace) -> list[str]:
    """The figures that are named, and `all`.

    Raises:
        ValueError: there is no such figure.
    """
    from studies.figures import EVERY

    return _checked("figures", args.names, [*EVERY, "all"])


def _told(args: Namespace) -> dict[str, str]:
    """What the figures are told to show: option -> value.

    Raises:
        ValueError: none of these figures knows an option.
    """
    options = {option: getattr(args, option) for option in TOLD if getattr(args, option) is not None}
    names = [name for name in _named(args) if name != "all"]
    right = list(dict.fromkeys(option for name in names for option in _known(name)))
    for option in options:
        if option not in right:
            name = (names or ["figures"])[0]
            raise ValueError(f"{name}: unknown option --{option}; {suggest(option, right)}")
    return options


def _wanted(data: Dataset, names: Sequence[str], options: Mapping[str, str]) -> list[Asked]:
    """The figures of some names: as they are told, else as the study has them.

    Args:
        data: a study's results.
        names: of the figures.
        options: as they were given.

    Raises:
        ValueError: what one is to show is missing.
    """
    own = {name: _own(name, options) for name in names}
    as_study = [figure for figure in _of_study(data, everything=False) if not own.get(figure.figure, 1)]
    there = {figure.figure for figure in as_study}
    told = [{name: _typed(name, own[name])} for name in names if name not in there]
    return [*as_study, *_asked(told)]


def _asked(entries: Iterable[Json]) -> list[Asked]:
    from studies.results.figures import asked

    return asked(entries)


def _own(name: str, options: Mapping[str, str]) -> dict[str, str]:
    """Those of the options that a figure knows."""
    return {option: value for option, value in options.items() if option in _known(name)}


def _typed(name: str, options: Mapping[str, str]) -> Data:
    """Options as they are typed, numbers as numbers.

    Raises:
        ValueError: one is missing, or is not what it is to be.
    """
    from pydantic import ValidationError

    from studies.study_file.document import dotted
    from studies.study_file.errors import mistakes_in
    from studies.study_file.figures import model_of

    model = model_of(name)
    try:
        return model.model_validate_strings(dict(options), strict=False).model_dump()
    except ValidationError as error:
        first, *_ = mistakes_in(error, model, dict(options))
        raise ValueError(f"{name}: --{dotted(first.path)}: {first.text}") from error


def _known(name: str) -> list[str]:
    """The options of a figure."""
    from studies.study_file.figures import model_of

    return [field for field in model_of(name).model_fields if field in TOLD]


def _written(files: Files, figure: Asked) -> bool:
    """Draw a figure and print its files, or why there are none; whether all went well."""
    from studies.figures.saving import why_not

    try:
        for path in files.write(figure):
            print(path)
    except Exception as error:  # noqa: BLE001  the others are drawn, and no traceback shown
        _say(why_not(figure.file, error))
        return False
    return True


def _style(args: Namespace) -> Style:
    """Settings of Matplotlib, width and ratio.

    Raises:
        ValueError: there is no such style or font, or no figure can be laid out on such a width.
    """
    from studies.figures import style
    from studies.figures.fonts import letters

    (name,) = _checked("--style", [args.style], style.STYLES)
    own = letters(args.font, usetex=args.usetex)
    looks = style.STYLES[name]._replace(settings=style.STYLES[name].settings | own)
    return looks if args.width is None else looks._replace(width=_inches(args.width))


def _inches(width: float) -> float:
    """A width on which figures can be laid out; raises ValueError where they cannot."""
    least, most = WIDTHS
    if not least <= width <= most:
        raise ValueError(f"--width: expected {least:g} <= inches <= {most:g}, got {width:g}")
    return width


def _results(path: Path) -> Dataset:
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


def _checked(what: str, words: Iterable[str], right: Collection[str]) -> list[str]:
    """The words, each once.

    Raises:
        ValueError: one of them is wrong.
    """
    given = list(dict.fromkeys(word.strip() for word in words))
    check_known(f"{what}: unknown", given, right)
    return given


def _of_study(data: Dataset, everything: bool) -> list[Asked]:
    """The figures that the study asks for, and maybe all others that need not be told what to show."""
    from studies.figures import of_study

    return of_study(data, others=everything)


if __name__ == "__main__":
    leave(main)
