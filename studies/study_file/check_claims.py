"""What is wrong with the claims of a study.

Labels, axes, costs and quantities that it has not, predictions without a value.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeGuard

from landscapes.base import Landscape
from optimizers.base import Optimizer
from studies import registry
from studies.claims import Claim, Custom, Scaling, build
from studies.claims.quantities import HITS, LEDGER, RECORDED
from studies.results import settings
from studies.study_file.arm import Arm
from studies.study_file.axes import Axis
from studies.study_file.document import Mistake, Path
from studies.study_file.resolved import resolved
from studies.text.formulas import evaluate, function_at
from studies.text.shapes import Axes, Tree
from studies.text.words import short, suggest

MOMENT = "moment"  # the ledger's axis
NO_AXIS = "the study sweeps nothing"


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
        wrong = [mistake for rule in RULES for mistake in rule(stated)]
        yield from wrong or _of_places(stated)


@dataclass(frozen=True)
class Stated:
    """A claim as a study states it.

    Args:
        path: of the claim.
        claim: the claim.
        study: resolved, as data.
        arms: what it runs.
        coords: swept axis -> its values.
    """

    path: Path
    claim: Claim
    study: Tree
    arms: Sequence[Arm]
    coords: Axes

    def wrong(self, text: str, *keys: str, at_key: bool = False) -> Mistake:
        """A mistake at keys of the claim."""
        return Mistake((*self.path, *keys), text, at_key)

    def labels(self, key: str) -> list[str]:
        """Of the study's landscapes or optimizers."""
        return list(dict.fromkeys(str(arm.coords[key]) for arm in self.arms))

    def landscapes(self, optimizer: str) -> list[str]:
        """Those on which an optimizer runs."""
        here = [arm.coords["landscape"] for arm in self.arms if arm.coords["optimizer"] == optimizer]
        return list(dict.fromkeys(map(str, here)))

    @property
    def of_ledger(self) -> bool:
        """Whether it is about a quantity of the noise ledger."""
        return getattr(self.claim, "quantity", None) in LEDGER

    @property
    def axes(self) -> list[str]:
        """The axes that it may name."""
        return [*self.coords, *([MOMENT] if self.of_ledger else [])]

    def unknown_axis(self, key: str, axis: str) -> Mistake:
        """A mistake for an axis that is none of these."""
        hint = suggest(axis, self.axes) if self.axes else NO_AXIS
        return self.wrong(f"unknown axis; {hint}", key, axis, at_key=True)

    @cached_property
    def here(self) -> list[Arm]:
        """The arms at which it is judged; of two optimizers, those of the first."""
        return [arm for arm in self.arms if self._about(arm)]

    def _about(self, arm: Arm) -> bool:
        return (
            self.claim.landscape in (None, arm.coords["landscape"])
            and arm.coords["optimizer"] in self.claim.labels()[:1]
            and all(arm.coords.get(axis, value) == value for axis, value in self.claim.at.items())
        )


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
    runs = {label: stated.landscapes(label) for label in named.values()}
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
        if axis not in stated.axes:
            yield stated.unknown_axis("at", axis)
        elif value not in stated.coords.get(axis, [value]):
            values = ", ".join(map(short, stated.coords[axis]))
            yield stated.wrong(f"expected one of {values}, got {short(value)}", "at", axis)


def _regime(stated: Stated) -> Iterator[Mistake]:
    for axis, span in stated.claim.regime.items():
        values = stated.coords.get(axis)
        if axis not in stated.axes:
            yield stated.unknown_axis("regime", axis)
        elif len(span) != 2 or span[0] > span[1]:
            yield stated.wrong("expected a range [low, high] with low <= high", "regime", axis)
        elif values is None:  # the moments of the ledger
            continue
        elif not _numbers(values):
            text = f"expected an axis of numbers, got {axis} = {short(values[0])}, .."
            yield stated.wrong(text, "regime", axis, at_key=True)
        elif not any(span[0] <= value <= span[1] for value in values):
            text = f"none of the axis is in it: {', '.join(map(short, values))}"
            yield stated.wrong(text, "regime", axis)


def _fitted_axis(stated: Stated) -> Iterator[Mistake]:
    """What is wrong with the axis along which an exponent is fitted."""
    claim = stated.claim
    if not isinstance(claim, Scaling):
        return
    values = stated.coords.get(claim.axis)
    low, high = claim.regime.get(claim.axis, (0.0, math.inf))
    if values is None:
        hint = suggest(claim.axis, [*stated.coords]) if stated.coords else NO_AXIS
        yield stated.wrong(f"unknown axis; {hint}", "axis")
    elif not _numbers(values) or min(values) <= 0:
        text = f"expected an axis of positive numbers, got {', '.join(map(short, values))}"
        yield stated.wrong(text, "axis")
    elif sum(low <= value <= high for value in values) < 2:
        text = "expected two values or more of the axis, in the regime where there is one"
        yield stated.wrong(text, "axis")


def _numbers(values: Sequence[object]) -> TypeGuard[Sequence[float]]:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


RULES = (_landscape, _optimizers, _together, _at, _regime, _fitted_axis)

# places -----------------------------------------------------------------------------------------------------


def _of_places(stated: Stated) -> Iterator[Mistake]:
    """What is seen at the arms that it is about, on each landscape; each mistake once."""
    seen: dict[Mistake, None] = {}
    for landscape in dict.fromkeys(arm.coords["landscape"] for arm in stated.here):
        arms = [arm for arm in stated.here if arm.coords["landscape"] == landscape]
        of_arms = [
            mistake for key in ("predicted", "control") for mistake in _prediction(stated, key, arms)
        ]
        of_arm = [mistake for rule in AT_ARM for mistake in rule(stated, arms[0])]
        seen |= dict.fromkeys([*of_arms, *of_arm])
    yield from seen
    if isinstance(stated.claim, Custom):
        yield from _function(stated, stated.claim)


def _prediction(stated: Stated, key: str, arms: Sequence[Arm]) -> Iterator[Mistake]:
    """A prediction must have a value at one place of a landscape or more."""
    given = getattr(stated.claim, key, None)
    if isinstance(given, float) and math.isnan(given):
        yield stated.wrong("expected a number, got nan", key)
    if isinstance(given, str):
        problems = (_problem(given, place, stated) for place in _judged_together(stated, arms))
        first = next(problems, None)
        if first is not None and all(problems):
            yield stated.wrong(first, key)


def _problem(formula: str, arms: Sequence[Arm], stated: Stated) -> str | None:
    """Why a formula has no value at a place; None where it has one."""
    ran = [_ran(arm) for arm in arms]
    moment = {MOMENT: 1.0} if stated.of_ledger else {}
    try:
        evaluate(formula, settings.numbers(ran) | moment, settings.missing(ran))
    except ValueError as error:
        return str(error)
    return None


def _judged_together(stated: Stated, arms: Sequence[Arm]) -> list[list[Arm]]:
    """The arms of each place at which a claim is judged.

    One, or all values of the axis along which it fits.
    """
    if not isinstance(stated.claim, Scaling):
        return [[arm] for arm in arms]
    along = stated.claim.axis
    low, high = stated.claim.regime.get(along, (-math.inf, math.inf))
    places: dict[str, list[Arm]] = {}
    for arm in arms:
        if low <= arm.coords[along] <= high:
            others = {name: value for name, value in arm.coords.items() if name != along}
            places.setdefault(str(others), []).append(arm)
    return list(places.values())


def _ran(arm: Arm) -> settings.Arm:
    """What an arm will run with."""
    return settings.Arm(arm.coords, arm.label, **resolved(arm, arm.scalars))


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


def _quantity(stated: Stated, arm: Arm) -> Iterator[Mistake]:
    name = getattr(stated.claim, "quantity", None)
    if name is None:
        return
    quantities = [*RECORDED, *_recorded(arm), *HITS, *LEDGER]
    if name not in quantities:
        yield stated.wrong(f"unknown quantity; {suggest(name, quantities)}", "quantity")
    elif name in LEDGER and stated.study.get("ledger") is None:
        text = f"{name} is of the noise ledger, and this study keeps none; add ledger: {{}}"
        yield stated.wrong(text, "quantity")
    elif name in HITS and not stated.study.get("targets"):
        yield stated.wrong(f"{name} needs targets, and this study has none", "quantity")


def _recorded(arm: Arm) -> list[str]:
    """What the landscape and the optimizer of an arm record beside the others."""
    landscape: Landscape = registry.build(arm.landscape, "landscape")
    optimizer: Optimizer = registry.build(arm.optimizer, "optimizer")
    variables = (*optimizer.recorded.values(), *optimizer.counted.values())
    return [*landscape.extras, *(variable for variable, *_ in variables)]


def _gap(stated: Stated, arm: Arm) -> Iterator[Mistake]:
    """A rate of convergence needs a gap."""
    if not hasattr(stated.claim, "per") or registry.build(arm.landscape, "landscape").gap_known:
        return
    yield stated.wrong(
        "expected one whose optimum is known, so that there is a gap that shrinks;"
        f" {arm.coords['landscape']} has none",
        "landscape",
    )


AT_ARM = (_cost, _quantity, _gap)


def _function(stated: Stated, claim: Custom) -> Iterator[Mistake]:
    """The function of the user's must be there, and take the parameters."""
    try:
        inspect.signature(function_at(claim.function)).bind(None, **claim.parameters)
    except ValueError as error:
        yield stated.wrong(str(error), "function")
    except TypeError as error:
        text = f"{claim.function} is called with the results and these parameters: {error}"
        yield stated.wrong(text, "parameters")
