"""What is wrong with the figures of a study: sections, axes and words of quantities that it has not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from studies.analysis.quantities.distance import OTHER_NAME
from studies.results import settings
from studies.results.figures import AT, Asked, asked, is_label, named
from studies.study_file.arm import Arm
from studies.study_file.asked import Words as Quantities
from studies.study_file.asked import recorded
from studies.study_file.axes import Axis
from studies.study_file.check_let import recorded as recorded_by
from studies.study_file.document import Mistake, Path
from studies.study_file.figures import CLOCKS, FORMULAS, PLACES, QUANTITIES, QUESTIONS
from studies.study_file.model import StudyModel, section_of
from studies.study_file.stated import hidden, ran
from studies.text import schema
from studies.text.shapes import Json
from studies.text.words import suggest


@dataclass(frozen=True)
class Words:
    """The words that a figure of a study may use.

    Args:
        axes: landscape, optimizer and what is swept.
        quantities: what a quantity may name.
    """

    axes: Sequence[str]
    quantities: Quantities

    @staticmethod
    def of(study: StudyModel, arms: Sequence[Arm], axes: Sequence[Axis]) -> Words:
        """Those of a study, its arms and its axes."""
        ran_with = [settings.numbers([ran(arm, study.let)]) for arm in arms]
        dims = [*schema.GRID, *(axis.name for axis in axes)]
        labels = {dim: list(dict.fromkeys(str(arm.coords[dim]) for arm in arms)) for dim in schema.GRID}
        kept = {"ledger": study.ledger is not None, "timed": study.timing is not None}
        own = recorded(arms, recorded_by(study), **kept)
        numbers = dict.fromkeys(name for names in ran_with for name in names)
        along = labels | {axis.name: axis.coords for axis in axes}
        return Words(dims, Quantities(own, [*numbers], along, hidden(ran_with)))


def mistakes(study: StudyModel, arms: Sequence[Arm], axes: Sequence[Axis]) -> Iterator[Mistake]:
    """What is wrong with the figures.

    Args:
        study: typed.
        arms: what it runs.
        axes: what is swept.
    """
    entries: list[Json] = study.model_dump(mode="json", include={"figures"})["figures"]
    figures = asked(entries)
    words = Words.of(study, arms, axes) if any(isinstance(entry, dict) for entry in entries) else None
    for place, figure in enumerate(figures):
        path: Path = ("figures", place)
        yield from _section(study, figure, path)
        if words:
            yield from _options(figure, (*path, figure.figure), words)
            yield from _claims(study, figure, (*path, figure.figure))
            yield from _shown(figure, (*path, figure.figure), arms, axes)
    yield from _twice(figures)


def _section(study: StudyModel, figure: Asked, path: Path) -> Iterator[Mistake]:
    """The section of a study that a figure shows, and that is not there."""
    model = QUESTIONS.get(figure.figure)
    shown = section_of(figure.figure)
    alone = model and figure.options.get(model.instead) is not None
    if shown and not alone and not getattr(study, shown):
        yield Mistake(path, f"{figure.figure} shows the `{shown}` of a study, and this one has none")


def _claims(study: StudyModel, figure: Asked, path: Path) -> Iterator[Mistake]:
    """Claims that the study does not have."""
    for where, name in _named((*path, "claim"), figure.options.get("claim")):
        if name not in study.claims:
            yield Mistake(where, f"unknown claim {name!r}; {suggest(name, study.claims)}")


def _named(path: Path, given: Json) -> Iterator[tuple[Path, str]]:
    """The claims of a figure, each with its place, those of a panel in a list of their own too."""
    if isinstance(given, list):
        for place, part in enumerate(given):
            yield from (
                _named((*path, place), part) if isinstance(part, list) else [((*path, place), part)]
            )
    else:
        yield from ((path, name) for name in named(given))


def _shown(figure: Asked, path: Path, arms: Sequence[Arm], axes: Sequence[Axis]) -> Iterator[Mistake]:
    """Landscapes, optimizers and values of axes that the study does not run.

    Args:
        figure: as it was asked for.
        path: where.
        arms: what the study runs.
        axes: what is swept.
    """
    there = {dim: list(dict.fromkeys(str(arm.coords[dim]) for arm in arms)) for dim in schema.GRID}
    there |= {axis.name: list(map(str, map(settings.key, axis.coords))) for axis in axes}
    for dim, labels_shown in figure.shown.items():
        where = (*path, dim) if dim in schema.GRID else (*path, AT, dim)
        if dim not in there:
            yield Mistake(where, f"unknown axis {dim!r}; {suggest(dim, list(there)[2:])}")
            continue
        for label in labels_shown:
            if not any(is_label(value, label) for value in there[dim]):
                yield Mistake(where, f"unknown {dim} {label!r}; {suggest(label, there[dim])}")


def _options(figure: Asked, path: Path, words: Words) -> Iterator[Mistake]:
    """Axes and words of quantities that the study has not."""
    for option, text in figure.options.items():
        if option in PLACES or (figure.figure, option) == ("map", "y"):
            clocks = CLOCKS if figure.figure == "curve" and option == "x" else ()
            yield from _axis((*path, option), text, [*words.axes, *clocks])
        elif option in QUANTITIES:
            yield from _quantity((*path, option), text, words.quantities)
        elif option == "beside":
            for way in ("x", "y"):
                yield from _quantity((*path, option, way), text[way], words.quantities)
        elif option in FORMULAS:
            others = [OTHER_NAME, str(figure.options.get("of")), *words.quantities.others]
            yield from _quantity((*path, option), text, replace(words.quantities, others=others))


def _axis(path: Path, word: str, right: Sequence[str]) -> Iterator[Mistake]:
    """An axis that is none: neither its name, nor the last part of one alone."""
    ends = [name for name in right if name.rpartition(".")[2] == word]
    if word not in right and len(ends) != 1:
        yield Mistake(path, f"unknown axis {word!r}; {suggest(word, right)}")


def _quantity(path: Path, text: str, words: Quantities) -> Iterator[Mistake]:
    """Words of a quantity that nothing records and no arm has."""
    for wrong in words.wrong(text):
        yield Mistake(path, wrong)


def _twice(figures: Sequence[Asked]) -> Iterator[Mistake]:
    """Files of one name."""
    files = [figure.file for figure in figures]
    for place, file in enumerate(files):
        if files.count(file) > 1:
            text = f"expected files of different names, several figures are called {file!r}"
            yield Mistake(("figures", place), text)
            return
