"""A figure, or an animation, on disk, in the looks of the house, each file replaced in one go."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter, FuncAnimation, PillowWriter
from matplotlib.figure import Figure

from studies.figures import style

MOVING = ("gif", "mp4")
SECOND = 8  # frames
EVEN = (
    "-vf",
    "pad=ceil(iw/2)*2:ceil(ih/2)*2",
    "-pix_fmt",
    "yuv420p",
)  # sides that the codec takes, colours that browsers show
SEEN = 110  # dots per inch of a film
INSIDE = 300  # dots per inch of what a vector file keeps as pixels, at least


def save(
    make: Callable[[], Figure],
    out: Path,
    name: str,
    formats: Sequence[str] = ("pdf", "png"),
    looks: Mapping[Any, Any] = style.PAPER,
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
    out.mkdir(parents=True, exist_ok=True)
    written = []
    with rc_context(dict(looks)), style.any_letter():
        figure = make()
        for kind in formats:
            path, part = out / f"{name}.{kind}", out / f".{name}.{os.getpid()}.{kind}"
            figure.savefig(
                part,
                dpi=max(looks["savefig.dpi"], INSIDE) if kind in ("pdf", "svg") else looks["savefig.dpi"],
            )
            part.replace(path)
            written.append(path)
    return written


def save_moving(
    make: Callable[[], FuncAnimation],
    out: Path,
    name: str,
    formats: Sequence[str] = ("gif",),
    looks: Mapping[Any, Any] = style.PAPER,
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
        raise ValueError(
            f"{name}: expected the program ffmpeg for an mp4, found none on the PATH; install it, or take"
            " --format gif"
        )
    out.mkdir(parents=True, exist_ok=True)
    written = []
    with rc_context(dict(looks)), style.any_letter():
        for kind in formats:
            film, path, part = make(), out / f"{name}.{kind}", out / f".{name}.{os.getpid()}.{kind}"
            writer: AbstractMovieWriter = (
                PillowWriter(fps=SECOND) if kind == "gif" else FFMpegWriter(fps=SECOND, extra_args=list(EVEN))
            )
            film.save(part, writer, dpi=SEEN)
            part.replace(path)
            written.append(path)
    return written


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
