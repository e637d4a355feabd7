"""A report from a study's folder, and the page that joins several."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from xarray import Dataset

from studies import claims, open_study
from studies.claims import report as judged
from studies.figures import EVERY, of_study, stated, style
from studies.figures.saving import why_not
from studies.figures.selection import pick
from studies.report import answer, cells, drawings, facts
from studies.report import tables as numbers
from studies.report.answer import Line
from studies.report.drawings import Drawing, drawing
from studies.report.explorer import Explorer, explorer
from studies.report.matrix import Matrix, matrix
from studies.results import config, store
from studies.results.arms import labels
from studies.results.figures import Asked
from studies.text.shapes import Data

FILE = "report.html"

MOST = 4_000_000  # characters of all figures of a page
Made = TypeVar("Made")
TOO_LARGE = "left out, since the page would be too large; python -m studies.figures draws it"
FILTERED = 12  # rows beyond which those of a table can be chosen
TIMED = ("ecdf", "profile", "scaling", "attainment")  # figures of running times
SAID = 6  # lines of the answer that stand for a figure where it cannot be seen


@dataclass
class Page:
    """What a report shows."""

    results: Path
    folder: Path
    data: Dataset
    progress: facts.Progress
    judgements: Sequence[claims.Judgement]
    brief: bool = False  # written while the study runs
    figures: list[Drawing] = field(default_factory=list)
    tables: list[numbers.Table] = field(default_factory=list)
    answer: list[Line] = field(default_factory=list)
    matrix: Matrix | None = None
    explorer: Explorer | None = None
    cost: numbers.Table | None = None
    absent: list[str] = field(default_factory=list)  # why something is not shown

    @property
    def name(self) -> str:
        """The study's name."""
        return str(self.data.attrs.get("name", self.folder.name))

    @property
    def config(self) -> Data:
        """The resolved study."""
        return config.config(self.data)

    @property
    def now(self) -> str:
        """When it is written, where it soon is written again."""
        return f"{datetime.now():%H:%M:%S}" if self.brief and self.progress.partial else ""

    @property
    def verdicts(self) -> dict[str, claims.Verdict]:
        """Claim -> the worst verdict."""
        return claims.verdicts(self.judgements)


def write(results: Path, file: Path | None = None, *, brief: bool = False) -> Page:
    """Write the report of what is there now, whole or not at all.

    Args:
        results: a study's folder, or a dataset.zarr.
        file: where to; None: report.html in the study's folder.
        brief: only the figures that the study names, and the table of losses.

    Returns:
        What it shows.

    Raises:
        FileNotFoundError: there is no study at this path.
    """  # noqa: DOC502
    page = _page(Path(results), brief)
    _save("report.html.j2", file or page.folder / FILE, page=page)
    return page


def write_index(pages: Sequence[tuple[Page, Path]], file: Path) -> None:
    """Write the page that joins several reports.

    Args:
        pages: what the reports show, and where they are.
        file: where to.
    """
    folder = file.resolve().parent
    links = [(page, os.path.relpath(report.resolve(), folder)) for page, report in pages]
    entries = [(page, Path(link).as_posix()) for page, link in links]
    _save("index.html.j2", file, entries=entries)


def _page(results: Path, brief: bool) -> Page:
    data = open_study(results)
    folder = results.parent if results.suffix == ".zarr" else results
    with claims.once(data):
        page = Page(results, folder, data, facts.progress(data, folder), claims.judge(data), brief)
        if "loss" in data:
            _fill(page, brief)
    if "loss" not in data:
        page.absent.append("No cell has finished: there are no numbers to show.")
    return page


def _fill(page: Page, brief: bool) -> None:
    """Make the tables and figures of a page."""
    for make in _tables(page, brief):
        table = _attempt(page, make)
        page.tables += [table] if table else []
    page.cost = _attempt(page, functools.partial(numbers.cost, page.data))
    page.explorer = None if brief else _attempt(page, functools.partial(explorer, page.data))
    _draw(page, brief)


def _tables(page: Page, brief: bool) -> Iterator[Callable[[], numbers.Table]]:
    """What makes the tables; what is compared is in the answer too."""
    data = page.data
    yield functools.partial(numbers.final_loss, data)
    if brief:
        return
    yield functools.partial(numbers.running_time, data)
    compared = _attempt(page, functools.partial(numbers.compared, data))
    if compared is not None:
        _attempt(page, functools.partial(_answer, page, compared))
        yield functools.partial(numbers.comparisons, data, compared)
    yield functools.partial(numbers.tuning, data)


def _answer(page: Page, compared: Dataset) -> None:
    """Who wins where, in words and as a matrix."""
    findings = answer.of_landscapes(page.data, compared)
    page.answer = answer.lines(findings)
    page.matrix = matrix(findings, style.optimizers(page.data))


def _draw(page: Page, brief: bool) -> None:
    """Draw the figures that the study names itself, and, unless it is brief, all others."""
    for figure in of_study(page.data, others=not brief):
        shown = _attempt(page, _drawn(page, figure), figure.file)
        if shown and sum(len(part.markup) for part in (*page.figures, shown)) > MOST:
            page.absent.append(f"{figure.file}: {TOO_LARGE}")
        elif shown:
            page.figures.append(shown)


def _drawn(page: Page, figure: Asked) -> Callable[[], Drawing]:
    """What draws a figure."""
    arms, optimizers = labels(page.data), style.optimizers(page.data)
    data = pick(page.data, figure.shown) if figure.shown else page.data
    make = functools.partial(EVERY[figure.figure], data, width=style.WIDTH, **figure.options)
    return functools.partial(drawing, figure.file, make, arms, optimizers, stated(figure))


def _attempt(page: Page, make: Callable[[], Made], name: str = "") -> Made | None:
    """What is made; where it cannot be, None, and the page says why.

    A report must not be lost to a part of it. `name`: of a figure.
    """
    try:
        return make()
    except Exception as error:  # noqa: BLE001
        page.absent.append(why_not(name, error) if name else _why(error))
    return None


def _why(error: Exception) -> str:
    """What an error says, in one line."""
    text = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())


def _save(template: str, file: Path, **shown: object) -> None:
    text = _environment().get_template(template).render(shown)
    with store.beside(file) as temporary:
        temporary.write_text(text, encoding="utf-8")


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("studies.report", "template"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.globals |= {
        "facts": facts,
        "claim": judged,
        "looks": _looks,
        "alt": _alt,
        "number": cells.number,
        "most": numbers.MOST,
        "filtered": FILTERED,
        "how": answer.HOW,
        "file": _file,
    }
    return made


def _file(name: str) -> Markup:
    """A file of the template, as it is."""
    path = resources.files("studies.report").joinpath("template", name)
    return Markup(path.read_text(encoding="utf-8"))


def _looks(page: Page) -> Iterable[tuple[str, str]]:
    """Optimizer -> its colour, where one colour is one optimizer in all figures."""
    names = style.optimizers(page.data) if "optimizer" in page.data else []
    alike = "loss" in page.data and labels(page.data) == names
    looks = style.looks(names)
    return [(name, _ink(look["color"]) if alike else "") for name, look in looks.items()]


def _ink(colour: str) -> str:
    """A colour of a figure, as a page has it."""
    return drawings.INK.get(str(colour), str(colour))


def _alt(page: Page, figure: Drawing) -> str:
    """What stands for a figure where it cannot be seen."""
    landscapes = ", ".join(str(name) for name in page.data["landscape"].values)
    name = figure.name.replace("_", " ")
    return f"Figure {name} for {landscapes}. {figure.caption} {_finding(page, figure.name)}"


def _finding(page: Page, name: str) -> str:
    """What a figure shows where it cannot be seen, in so many lines.

    The claims' verdicts, then the answer's lines, and running times where there are targets; these come first
    for figures that show them.
    """
    verdicts = [f"{word}: {claim}" for claim, word in page.verdicts.items()]
    answers = [f"{line.where}: {line.text}" for line in page.answer]
    times = [f"running times: {line}" for line in (page.matrix.times if page.matrix else ())]
    lines = [*times, *answers] if _timed(page, name) else [*answers, *times]
    text = "; ".join([*verdicts, *lines][:SAID])
    return f"What was found: {text}." if text else "The tables below have the numbers."


def _timed(page: Page, name: str) -> bool:
    """Whether the figure of this name shows running times."""
    return any(
        figure.file == name and figure.figure in TIMED for figure in of_study(page.data, others=True)
    )
