"""What is wrong with the quantity of `tuning.objective` or `match.quantity`, and with what follows a number.

Both are of one arm alone, in trials and pilots that record what it names and no more.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from studies.analysis.quantities import fits
from studies.analysis.quantities.along import ARGUMENTS as ALONG
from studies.analysis.quantities.grammar import AT, parsed
from studies.results import settings
from studies.study_file import asked, fields, sections
from studies.study_file.arm import Arm
from studies.study_file.document import Mistake, Path
from studies.study_file.stated import ran
from studies.text.shapes import Tree

NO_LEDGER = "trials keep no noise ledger"


Section = sections.TuningModel | sections.MatchModel


def mistakes(section: Section, arms: Sequence[Arm], let: Tree) -> Iterator[Mistake]:
    """What is wrong with the quantity of a section, and with formulas of what it sets.

    Args:
        section: `tuning` or `match`.
        arms: of the study.
        let: names of the study.
    """
    here = [arm for arm in arms if arm.label in section.labels]
    tuned = isinstance(section, sections.TuningModel)
    path: Path = ("tuning", "objective") if tuned else ("match", "quantity")
    if section.asked is not None:
        for line in _wrong(section.asked, here, let, ledger=not tuned):
            yield Mistake(path, line)
    yield from dict.fromkeys(_following(section, here, str(path[0])))


def _wrong(text: str, arms: Iterable[Arm], let: Tree, *, ledger: bool) -> dict[str, None]:
    """What is wrong with a quantity, each mistake once.

    Args:
        text: the quantity.
        arms: each of which it is asked of, alone.
        let: names of the study.
        ledger: whether the noise ledger is kept there.
    """
    tree = parsed(text)
    wrong = dict.fromkeys(_not_of_one_arm(tree))
    if not ledger:
        wrong |= {f"{name}: {NO_LEDGER}": None for name in asked.of_ledger(tree)}
    return wrong or _at_arms([(arm, [*_at(arm, text, let, ledger=ledger)]) for arm in arms])


def _at_arms(wrong: Sequence[tuple[Arm, Sequence[str]]]) -> dict[str, None]:
    """What is wrong at some arms, which are named where it is not wrong at all."""
    first = wrong[0][1] if wrong else []  # no arm, where another mistake left none
    everywhere = [line for line in first if all(line in lines for _, lines in wrong)]
    lines = dict.fromkeys(everywhere)
    for arm, own in wrong:
        where = f"{arm.coords['optimizer']} on {arm.coords['landscape']}"
        lines |= {f"{where}: {line}": None for line in own if line not in everywhere}
    return lines


def _not_of_one_arm(tree: ast.expr) -> Iterator[str]:
    """Words for which other arms are needed."""
    words = asked.called(tree)
    if AT in words:
        yield "expected a quantity of the arm itself, without [..]: it is tried alone"
    for word in words:
        if word in (*ALONG, *fits.WORDS):
            yield f"expected a quantity of one arm, {word} needs all of an axis"


def _at(arm: Arm, text: str, let: Tree, *, ledger: bool) -> Iterator[str]:
    """What an arm does not have of it."""
    own = arm.scalars["expressions"]
    there = [*own, *asked.instruments(arm.scalars["record"])]
    numbers = settings.numbers([ran(arm, let)])
    recorded = asked.recorded([arm], there, ledger=ledger)
    yield from asked.Words(recorded, [*numbers], hidden=settings.hidden(numbers)).wrong(text)
    for name in asked.names(parsed(text)):
        if own.get(name, {}).get("vector"):
            yield f"expected one number of each world, {name} has several; record one of them"


def _following(section: Section, arms: Iterable[Arm], by: str) -> Iterator[Mistake]:
    """Formulas of what is set later, where they cannot follow it: a budget, targets, checkpoints, a start."""
    for arm in arms:
        for name in section.given.get(arm.label, ()):
            for place in arm.template.reading(name):
                if place[0] in fields.OptimizerEntry.model_fields:
                    text = f"{arm.template.texts[place]!r} needs {name}, which {by} sets later"
                    yield Mistake(("optimizers", arm.label, *place), f"{text}; give a number")
