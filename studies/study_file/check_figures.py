"""What is wrong with the figures of a study: sections, axes and words of quantities that it has not."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from studies import registry, schema
from studies.analysis.quantities.calls import CALLS
from studies.analysis.quantities.distance import OTHER_NAME
from studies.analysis.quantities.grammar import parsed
from studies.analysis.quantities.leaves import DIVERGED
from studies.results import settings
from studies.results.figures import Asked, asked, named
from studies.study_file.arm import Arm
from studies.study_file.axes import Axis
from studies.study_file.document import Mistake, Path
from studies.study_file.figures import CLOCKS, FORMULAS, PLACES, QUANTITIES, QUESTIONS
from studies.study_file.model import FIGURES, StudyModel
from studies.study_file.stated import ran
from studies.text import labels
from studies.text.formulas import CONSTANTS
from studies.text.shapes import Json
from studies.text.words import suggest

MOMENTS = ("start", *CLOCKS)  # words inside of a quantity that say when


@dataclass(frozen=True)
class Words:
    """The words that a figure of a study may use.

    Args:
        axes: landscape, optimizer and what is swept.
        quantities: names in a quantity.
    """

    axes: Sequence[str]
    quantities: Sequence[str]

    @staticmethod
    def of(study: StudyModel, arms: Sequence[Arm], axes: Sequence[Axis]) -> Words:
        """Those of a study, its arms and its axes."""
        numbers = dict.fromkeys(
            name for arm in arms for name in settings.numbers([ran(arm, study.let)])
        )
        recorded = [*schema.RECORDED, *schema.COUNTED, DIVERGED, *_recorded(study), *labels.RESERVED]
        return Words([*schema.GRID, *(axis.name for axis in axes)], [*recorded, *numbers])


def _recorded(study: StudyModel) -> Iterator[str]:
    """What the study records itself."""
    for label, spec in study.record.items():
        yield label
        yield from registry.build(spec, "instrument").variables if "kind" in spec else ()


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
            yield from _shown(figure, (*path, figure.figure), arms)
    yield from _twice(figures)


def _section(study: StudyModel, figure: Asked, path: Path) -> Iterator[Mistake]:
    """The section of a study that a figure shows, and that is not there."""
    model = QUESTIONS.get(figure.figure)
    shown = model.needs if model else FIGURES[figure.figure]
    if shown and not getattr(study, shown):
        yield Mistake(path, f"{figure.figure} shows the `{shown}` of a study, and this one has none")


def _claims(study: StudyModel, figure: Asked, path: Path) -> Iterator[Mistake]:
    """Claims that the study does not have."""
    given = figure.options.get("claim")
    for place, name in enumerate(named(given)):
        if name not in study.claims:
            where: Path = (*path, "claim", place) if isinstance(given, list) else (*path, "claim")
            yield Mistake(where, f"unknown claim {name!r}; {suggest(name, study.claims)}")


def _shown(figure: Asked, path: Path, arms: Sequence[Arm]) -> Iterator[Mistake]:
    """Landscapes and optimizers that the study does not run."""
    for dim, labels_shown in figure.shown.items():
        there = list(dict.fromkeys(str(arm.coords[dim]) for arm in arms))
        for label in labels_shown:
            if label not in there:
                yield Mistake((*path, dim), f"unknown {dim} {label!r}; {suggest(label, there)}")


def _options(figure: Asked, path: Path, words: Words) -> Iterator[Mistake]:
    """Axes and words of quantities that the study has not."""
    for option, text in figure.options.items():
        if option in PLACES or (figure.figure, option) == ("map", "y"):
            clocks = CLOCKS if figure.figure == "curve" and option == "x" else ()
            yield from _axis((*path, option), text, [*words.axes, *clocks])
        elif option in QUANTITIES:
            yield from _quantity((*path, option), text, words.quantities)
        elif option in FORMULAS:
            own = [OTHER_NAME, str(figure.options.get("of")), *words.axes]
            yield from _quantity((*path, option), text, [*own, *words.quantities])


def _axis(path: Path, word: str, right: Sequence[str]) -> Iterator[Mistake]:
    """An axis that is none: neither its name, nor the last part of one alone."""
    ends = [name for name in right if name.rpartition(".")[2] == word]
    if word not in right and len(ends) != 1:
        yield Mistake(path, f"unknown axis {word!r}; {suggest(word, right)}")


def _quantity(path: Path, text: str, words: Sequence[str]) -> Iterator[Mistake]:
    """Words of a quantity that nothing records and no arm has; `words`: the right ones, beside calls."""
    try:
        names = _names(parsed(text))
    except ValueError as error:
        yield Mistake(path, str(error))
        return
    right = [*CALLS, *CONSTANTS, *MOMENTS, *words]
    for name in names:
        if name not in right:
            yield Mistake(path, f"unknown quantity {name!r} in {text!r}; {suggest(name, right)}")


def _names(tree: ast.expr) -> list[str]:
    """The names in a quantity, dotted ones as a whole."""
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)]
    return list(dict.fromkeys(ast.unparse(node) for node in nodes if id(node) not in inner))


def _twice(figures: Sequence[Asked]) -> Iterator[Mistake]:
    """Files of one name."""
    times = Counter(figure.file for figure in figures)
    for place, figure in enumerate(figures):
        if times[figure.file] > 1:
            text = f"expected files of different names, several figures are called {figure.file!r}"
            yield Mistake(("figures", place), text)
            return
