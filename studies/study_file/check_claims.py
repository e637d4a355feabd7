"""What is wrong with the claims of a study.

Labels, axes, costs and quantities that it has not, predictions without a value.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence

from studies.claims import Custom, LawClaim, build
from studies.study_file import check_laws
from studies.study_file.arm import Arm
from studies.study_file.axes import Axis
from studies.study_file.document import Mistake, Path
from studies.study_file.stated import Stated, numbers
from studies.text.formulas import function_at
from studies.text.shapes import Tree
from studies.text.words import short, suggest


def mistakes(study: Tree, arms: Sequence[Arm], axes: Sequence[Axis]) -> Iterator[Mistake]:
    """What is wrong with the claims.

    Args:
        study: resolved, as data.
        arms: what it runs.
        axes: what is swept.
    """
    coords = {axis.name: axis.coords for axis in axes}
    for name, entry in study["claims"].items():
        path: Path = ("claims", name)
        try:
            claim = build(entry)
        except ValueError as error:
            head, _, text = str(error).partition(": ")
            yield Mistake((*path, head.rpartition(".")[2]), text)
            continue
        stated = Stated(path, claim, study, arms, coords)
        if isinstance(claim, LawClaim):
            yield from check_laws.mistakes(stated, claim)
            continue
        wrong = [mistake for rule in RULES for mistake in rule(stated)]
        yield from wrong or _of_places(stated)


# labels and axes --------------------------------------------------------------------------------------------


def _landscape(stated: Stated) -> Iterator[Mistake]:
    label, there = stated.claim.landscape, stated.labels("landscape")
    if label is not None and label not in there:
        yield stated.wrong(f"unknown landscape; {suggest(label, there)}", "landscape")


def _optimizers(stated: Stated) -> Iterator[Mistake]:
    named, there = stated.claim.named(), stated.labels("optimizer")
    for key, label in named.items():
        if label not in there:
            yield stated.wrong(f"unknown optimizer; {suggest(label, there)}", key)
    if len(named) == 2 and len(set(named.values())) == 1:
        (first, label), (second, _) = named.items()
        yield stated.wrong(f"expected another optimizer than {first}, got {label!r} twice", second)


def _together(stated: Stated) -> Iterator[Mistake]:
    """A claim is about a landscape on which all of its optimizers run."""
    named, claimed = stated.claim.named(), stated.claim.landscape
    runs = {label: stated.runs_on(label) for label in named.values()}
    if not all(runs.values()):
        return  # one is unknown
    for key, label in named.items():
        if claimed in stated.labels("landscape") and claimed not in runs[label]:
            text = f"does not run on {claimed}, but on {', '.join(runs[label])}"
            yield stated.wrong(f"{label} {text}", key)
    if claimed is None and runs and not set.intersection(*map(set, runs.values())):
        yield stated.wrong(f"expected optimizers that share a landscape, {' and '.join(runs)} do not")


def _at(stated: Stated) -> Iterator[Mistake]:
    for axis, value in stated.claim.at.items():
        if axis not in stated.coords:
            yield stated.unknown_axis(axis, "at", axis)
        elif value not in stated.coords[axis]:
            values = ", ".join(map(short, stated.coords[axis]))
            yield stated.wrong(f"expected one of {values}, got {short(value)}", "at", axis)


def _regime(stated: Stated) -> Iterator[Mistake]:
    for axis, span in stated.claim.regime.items():
        values = stated.coords.get(axis)
        if values is None:
            yield stated.unknown_axis(axis, "regime", axis)
        elif len(span) != 2 or span[0] > span[1]:
            yield stated.wrong("expected a range [low, high] with low <= high", "regime", axis)
        elif not numbers(values):
            text = f"expected an axis of numbers, got {axis} = {short(values[0])}, .."
            yield stated.wrong(text, "regime", axis, at_key=True)
        elif not any(span[0] <= value <= span[1] for value in values):
            text = f"none of the axis is in it: {', '.join(map(short, values))}"
            yield stated.wrong(text, "regime", axis)


def _by(stated: Stated) -> Iterator[Mistake]:
    by = getattr(stated.claim, "by", None)
    for text in stated.words.wrong(by) if by is not None else ():
        yield stated.wrong(text, "by")


RULES = (_landscape, _optimizers, _together, _at, _regime, _by)

# places -----------------------------------------------------------------------------------------------------


def _of_places(stated: Stated) -> Iterator[Mistake]:
    """What is seen at the arms that it is about, on each landscape; each mistake once."""
    seen: dict[Mistake, None] = {}
    for landscape in dict.fromkeys(arm.coords["landscape"] for arm in stated.here):
        first = next(arm for arm in stated.here if arm.coords["landscape"] == landscape)
        seen |= dict.fromkeys(_cost(stated, first))
    yield from seen
    if isinstance(stated.claim, Custom):
        yield from _function(stated, stated.claim)


def _cost(stated: Stated, arm: Arm) -> Iterator[Mistake]:
    cost, budget = getattr(stated.claim, "cost", None), arm.scalars["budget"]
    if cost is None or "budget" in stated.coords or cost <= _end(arm) * (1 + 1e-9):
        return
    landscape = arm.coords["landscape"]
    text = f"expected at most the budget on {landscape}, {budget:g} evaluations, got {cost:g}"
    yield stated.wrong(text, "cost")


def _end(arm: Arm) -> float:
    """The cost at the last checkpoint: the budget counts at the lowest price, costs at the nominal one.

    inf where the budget is counted on another clock.
    """
    price = arm.scalars["gradient_cost"]
    if arm.scalars["clock"] != "cost":
        return math.inf
    return float(arm.scalars["budget"] * price["value"] / price["low"])


def _function(stated: Stated, claim: Custom) -> Iterator[Mistake]:
    """The function of the user's must be there, and take the parameters."""
    try:
        inspect.signature(function_at(claim.function)).bind(None, **claim.parameters)
    except ValueError as error:
        yield stated.wrong(str(error), "function")
    except TypeError as error:
        text = f"{claim.function} is called with the results and these parameters: {error}"
        yield stated.wrong(text, "parameters")
