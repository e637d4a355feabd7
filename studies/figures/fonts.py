"""The letters of figures: sans, serif or a font by its name, or all of them set by LaTeX."""

from __future__ import annotations

import shutil
import subprocess

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font_names
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, Formatter, FuncFormatter

from studies.figures.style import Settings
from studies.text.latex import escaped
from studies.text.words import suggest

REST = "DejaVu Sans"  # has the letters that others lack
GENERIC: dict[str, Settings] = {
    "sans": {"font.family": "sans-serif"},
    "serif": {  # as Times, which is the text of many papers
        "font.family": ["serif", REST],
        "font.serif": ["Times New Roman", "Times", "STIXGeneral", "DejaVu Serif"],
        "mathtext.fontset": "stix",
    },
}
PROGRAMS = ("latex", "dvipng")  # that Matplotlib calls
STYLE = "type1cm.sty"  # that it loads, and a small LaTeX lacks


def letters(font: str | None = None, *, usetex: bool = False) -> Settings:
    """Settings of Matplotlib for a font.

    Args:
        font: sans, serif, or the name of a font of this machine; None: as Matplotlib has it.
        usetex: whether LaTeX sets all texts, in its own serif or sans.

    Raises:
        ValueError: there is no such font, or no LaTeX.
    """
    if usetex:
        _expect_latex()
        if font not in (None, *GENERIC):
            raise ValueError(f"--font: expected sans or serif beside --usetex, got {font!r}")
        return {"text.usetex": True, "font.family": "sans-serif" if font == "sans" else "serif"}
    if font is None:
        return {}
    return GENERIC.get(font) or _by_name(font)


def _by_name(font: str) -> Settings:
    """Settings for a font of this machine."""
    try:
        findfont(FontProperties(family=font), fallback_to_default=False)
    except ValueError:
        names = [*GENERIC, *sorted(get_font_names())]
        raise ValueError(f"--font: no font {font!r} on this machine; {suggest(font, names)}") from None
    return {"font.family": [font, REST]}


def _expect_latex() -> None:
    """Raise ValueError where a program is missing, or what it loads."""
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        raise ValueError(
            f"--usetex: expected the programs {' and '.join(PROGRAMS)} on the PATH, found no"
            f" {' and no '.join(missing)}; install TeX Live, or leave --usetex out"
        )
    finder = shutil.which("kpsewhich")
    if finder and subprocess.run([finder, STYLE], capture_output=True, check=False).returncode:
        raise ValueError(f"--usetex: LaTeX lacks {STYLE}, which is in Debian's texlive-latex-extra")


def for_latex(figure: Figure) -> None:
    """Escape all texts of a figure, but those that are mathematics, and the numbers of axes."""
    for text in figure.findobj(Text):
        text.set_text(_escaped(text.get_text()))
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            _escape_names(axis.get_major_formatter())


def _escape_names(formatter: Formatter) -> None:
    """Escape the names that an axis has at its ticks."""
    if isinstance(formatter, FixedFormatter):
        formatter.seq = [_escaped(str(label)) for label in formatter.seq]
    elif isinstance(formatter, FuncFormatter):  # as of `set_xticks` with labels
        named = formatter.func
        formatter.func = lambda place, number: _escaped(named(place, number))


def _escaped(text: str) -> str:
    return text if "$" in text else escaped(text)
