"""A figure with its caption, or an animation, on disk, each file replaced in one go."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter, FuncAnimation, PillowWriter
from matplotlib.figure import Figure

from studies.figures import captions
from studies.figures.fonts import for_latex
from studies.figures.style import PAPER, Settings, any_letter
from studies.text.latex import escaped

STILL = ("pdf", "png")
PICTURES = ("pdf", "png", "svg")  # endings of pages
CAPTIONS = ("txt", "tex")
ASKED = " Asked for: "  # behind what a figure is, in its caption
MOVING = ("gif", "mp4")
NO_FFMPEG = (
    "expected the program ffmpeg for an mp4, found none on the PATH; install it, or take --format gif"
)
SECOND = 8  # frames
# sides that the codec takes, colours that browsers show
EVEN = ("-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p")
SEEN = 110  # dots per inch of a film
INSIDE = 300  # dots per inch of what a vector file keeps as pixels, at least


def save(
    make: Callable[[], Figure],
    out: Path,
    name: str,
    formats: Sequence[str] = STILL,
    looks: Settings = PAPER,
) -> list[Path]:
    """Draw a figure and write it to OUT/NAME.pdf and .png.

    Args:
        make: draws it.
        out: the folder, made where missing.
        name: of the files.
        formats: what Matplotlib can save.
        looks: settings of Matplotlib.

    Returns:
        The files written.
    """
    return save_pages(lambda: [make()], out, name, formats, looks)


def save_pages(
    make: Callable[[], Sequence[Figure]],
    out: Path,
    name: str,
    formats: Sequence[str] = STILL,
    looks: Settings = PAPER,
    about: str = "",
    others: Collection[str] = (),
) -> list[Path]:
    """Draw the pages of a figure and write them to OUT/NAME.pdf, or to NAME-1.pdf, NAME-2.pdf, ..

    Beside each stands its caption, where it has one: NAME.txt, and NAME.tex for LaTeX. Pages that an earlier
    drawing of the figure left, and this one no longer has, are removed.

    Args:
        make: draws them.
        out: the folder, made where missing.
        name: of the files.
        formats: what Matplotlib can save.
        looks: settings of Matplotlib.
        about: what captions begin with.
        others: names of other figures, whose files stay.

    Returns:
        The files of pictures.
    """
    with rc_context(looks), any_letter():
        pages = make()
        if looks.get("text.usetex"):
            for page in pages:
                for_latex(page)
        files = [out / file for file in _names(name, len(pages))]
        paths = [
            path
            for file, page in zip(files, pages, strict=True)
            for path in _in_formats(page, file, formats, _dots(page, pages, looks))
        ]
    for file, page in zip(files, pages, strict=True):
        _caption(f"{about} {captions.said(page)}".strip(), file)
    older = [file for file in _earlier(out, name, about) if file not in files]
    _remove([file for file in older if file.name not in others], formats)
    return paths


def _earlier(out: Path, name: str, about: str) -> list[Path]:
    """The pages of a figure that are there, without endings: name, or name-1, name-2, .. in a row.

    Several pages always have a first, so that a second figure of this name, name-2, is none of them. Their
    captions begin alike, whatever the figure was asked for.
    """
    first = about.split(ASKED)[0]
    numbered = (out / f"{name}-{page}" for page in itertools.count(1))
    pages = itertools.takewhile(lambda file: _begins(file, first), numbered)
    return [*pages, *filter(lambda file: _begins(file, first), [out / name])]


def _begins(file: Path, words: str) -> bool:
    """Whether a caption is there that begins with these words."""
    caption = _ending(file, CAPTIONS[0])
    return caption.is_file() and caption.read_text(encoding="utf-8").startswith(words)


def _remove(files: Sequence[Path], formats: Sequence[str]) -> None:
    """Remove pictures of these formats, and the captions of those that have no other."""
    for file in files:
        for kind in formats:
            _ending(file, kind).unlink(missing_ok=True)
        if not any(_ending(file, kind).exists() for kind in PICTURES):
            for kind in CAPTIONS:
                _ending(file, kind).unlink(missing_ok=True)


def _ending(file: Path, kind: str) -> Path:
    """A file with its ending."""
    return file.with_name(f"{file.name}.{kind}")


def _dots(page: Figure, pages: Sequence[Figure], looks: Settings) -> float:
    """Dots per inch: fewer of a page that is wider than others, so that all have as many across."""
    least = min(other.get_figwidth() for other in pages)
    return looks["savefig.dpi"] * least / page.get_figwidth()


def _caption(text: str, file: Path) -> None:
    """Write a caption, where there is one, to FILE.txt, and as a command of LaTeX to FILE.tex."""
    forms = {".txt": text, ".tex": rf"\caption{{{escaped(text)}}}"} if text else {}
    for ending, form in forms.items():
        with _replaced(file.with_name(file.name + ending)) as part:
            part.write_text(f"{form}\n", encoding="utf-8")


def _in_formats(figure: Figure, file: Path, formats: Sequence[str], dots: float) -> list[Path]:
    """Files with a figure, laid out once: for the first, and the others have it as it stands there.

    Args:
        figure: a page.
        file: without its ending.
        formats: the endings.
        dots: per inch.
    """
    paths = []
    for kind in formats:
        paths.append(_saved(figure, file.with_name(f"{file.name}.{kind}"), dots))
        figure.set_layout_engine("none")
    return paths


def _names(name: str, pages: int) -> list[str]:
    """The names of the files of so many pages."""
    return [name] if pages == 1 else [f"{name}-{page + 1}" for page in range(pages)]


def _saved(figure: Figure, file: Path, dots: float) -> Path:
    """A file with a figure, at so many dots per inch."""
    with _replaced(file) as part:
        figure.savefig(part, dpi=max(dots, INSIDE) if file.suffix in (".pdf", ".svg") else dots)
    return file


def save_moving(
    make: Callable[[], FuncAnimation],
    out: Path,
    name: str,
    formats: Sequence[str] = ("gif",),
    looks: Settings = PAPER,
) -> list[Path]:
    """Write an animation to OUT/NAME.gif or .mp4.

    Args:
        make: draws it.
        out: the folder, made where missing.
        name: of the files.
        formats: of `MOVING`.
        looks: settings of Matplotlib.

    Returns:
        The files written.

    Raises:
        ValueError: a film is asked for, and ffmpeg is not there.
    """
    if "mp4" in formats and not FFMpegWriter.isAvailable():
        raise ValueError(f"{name}: {NO_FFMPEG}")
    files = [out / f"{name}.{kind}" for kind in formats]
    with rc_context(looks), any_letter():
        for file in files:
            film = make()
            with _replaced(file) as part:
                film.save(part, _writer(file.suffix), dpi=SEEN)
    return files


def _writer(suffix: str) -> AbstractMovieWriter:
    if suffix == ".gif":
        return PillowWriter(fps=SECOND)
    return FFMpegWriter(fps=SECOND, extra_args=list(EVEN))


@contextlib.contextmanager
def _replaced(file: Path) -> Iterator[Path]:
    """A hidden file beside another, which takes its place when all went well."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.stem}.{os.getpid()}{file.suffix}")
    yield part
    part.replace(file)


def why_not(name: str, error: Exception) -> str:
    """One line on a figure that cannot be drawn.

    What it expects, or, where the fault is ours, what went wrong.

    Args:
        name: of the figure.
        error: what it raised.
    """
    text = " ".join(str(error).split())
    if not isinstance(error, ValueError):
        text = f"cannot be drawn from these results ({type(error).__name__}: {text})"
    return text if text.startswith(f"{name}:") else f"{name}: {text}"
