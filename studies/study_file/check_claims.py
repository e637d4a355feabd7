"""What is wrong with the claims of a study.

Labels, axes, costs and quantities that it has not, predictions without a value.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from studies import registry
from studies.claims import Claim, Custom, Scaling, build
from studies.claims.quantities import HITS, LEDGER, RECORDED
from studies.results import settings
from studies.study_file.axes import Axis
from studies.study_file.document import Mistake, Path
from studies.study_file.resolved import resolved
from studies.text.formulas import evaluate, function_at
from studies.text.words import short, suggest

if TYPE_CHECKING:
    from studies.study_file.arm import Arm

MOMENT = "moment"  # the ledger's axis


def mistakes(study: Mapping[str, Any], arms: Sequence[Arm], axes: Sequence[Axis]) -> Iterator[Mistake]:
    """What is wrong with the claims.

    Args:
        study: resolved, as data.
        arms: what it runs.
        axes: what is swept.
    """
    for name, entry in study["claims"].items():
        path: Path = ("claims", name)
        try:
            claim = build(entry)
        except ValueError as error:
            head, _, text = str(error).partition(": ")
            yield Mistake((*path, head.rpartition(".")[2]), text)
            continue
        found = [*_of_labels(claim, path, arms), *_of_axes(claim, path, axes, moments=_uses_ledger(claim))]
        yield from found or _of_places(claim, path, study, arms, axes)


def _uses_ledger(claim: Claim) -> bool:
    return getattr(claim, "quantity", None) in LEDGER


def _of_labels(claim: Claim, path: Path, arms: Sequence[Arm]) -> Iterator[Mistake]:
    known = {
        key: list(dict.fromkeys(str(arm.coords[key]) for arm in arms)) for key in ("landscape", "optimizer")
    }
    if claim.landscape is not None and claim.landscape not in known["landscape"]:
        yield Mistake(
            (*path, "landscape"), f"unknown landscape; {suggest(claim.landscape, known['landscape'])}"
        )
    for key, label in zip(claim.optimizers, claim.labels(), strict=True):
        if label not in known["optimizer"]:
            yield Mistake((*path, key), f"unknown optimizer; {suggest(label, known['optimizer'])}")
    if len(claim.optimizers) == 2 and len(set(claim.labels())) == 1:
        yield Mistake(
            (*path, claim.optimizers[1]),
            f"expected another optimizer than {claim.optimizers[0]}, got {claim.labels()[1]!r} twice",
        )


def _of_axes(claim: Claim, path: Path, axes: Sequence[Axis], moments: bool) -> Iterator[Mistake]:
    known = {axis.name: axis.coords for axis in axes}
    names = [*known, *([MOMENT] if moments else [])]
    for axis, value in claim.at.items():
        if axis not in names:
            yield Mistake(
                (*path, "at", axis),
                f"unknown axis; {suggest(axis, names) if names else 'the study sweeps nothing'}",
                at_key=True,
            )
        elif axis in known and value not in known[axis]:
            yield Mistake(
                (*path, "at", axis),
                f"expected one of {', '.join(map(short, known[axis]))}, got {short(value)}",
            )
    for axis, span in claim.regime.items():
        if axis not in names:
            yield Mistake(
                (*path, "regime", axis),
                f"unknown axis; {suggest(axis, names) if names else 'the study sweeps nothing'}",
                at_key=True,
            )
        elif len(span) != 2 or span[0] > span[1]:
            yield Mistake((*path, "regime", axis), "expected a range [low, high] with low <= high")
        elif axis in known and not _numbers(known[axis]):
            yield Mistake(
                (*path, "regime", axis),
                f"expected an axis of numbers, got {axis} = {short(known[axis][0])}, ..",
                at_key=True,
            )
        elif axis in known and not any(span[0] <= value <= span[1] for value in known[axis]):
            yield Mistake(
                (*path, "regime", axis), f"none of the axis is in it: {', '.join(map(short, known[axis]))}"
            )
    if isinstance(claim, Scaling):
        yield from _of_scaling(claim, path, known)


def _of_scaling(claim: Scaling, path: Path, known: Mapping[str, list[Any]]) -> Iterator[Mistake]:
    values = known.get(claim.axis, [])
    low, high = claim.regime.get(claim.axis, (0.0, float("inf")))
    if claim.axis not in known:
        yield Mistake(
            (*path, "axis"),
            f"unknown axis; {suggest(claim.axis, [*known]) if known else 'the study sweeps nothing'}",
        )
    elif not _numbers(values) or min(values) <= 0:
        yield Mistake(
            (*path, "axis"), f"expected an axis of positive numbers, got {', '.join(map(short, values))}"
        )
    elif sum(low <= value <= high for value in values) < 2:
        yield Mistake(
            (*path, "axis"), "expected two values or more of the axis, in the regime where there is one"
        )


def _numbers(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _of_places(
    claim: Claim, path: Path, study: Mapping[str, Any], arms: Sequence[Arm], axes: Sequence[Axis]
) -> Iterator[Mistake]:
    """What is seen at the arms that it is about, on each landscape.

    A prediction must have a value at one of them or more.
    """
    told = set()
    mine = [arm for arm in arms if _about(claim, arm)]
    for landscape in dict.fromkeys(str(arm.coords["landscape"]) for arm in mine):
        here = [arm for arm in mine if arm.coords["landscape"] == landscape]
        for mistake in [
            *_of_predictions(claim, path, here),
            *_of_place(claim, path, study, here[0], {axis.name for axis in axes}),
        ]:
            if (mistake.path, mistake.text) not in told:
                told.add((mistake.path, mistake.text))
                yield mistake
    if isinstance(claim, Custom):
        yield from _of_function(claim, path)


def _about(claim: Claim, arm: Arm) -> bool:
    """Whether a claim is judged at an arm; of two optimizers, at the arms of the first."""
    here = (
        claim.landscape in (None, arm.coords["landscape"]) and arm.coords["optimizer"] in claim.labels()[:1]
    )
    return here and all(arm.coords.get(axis, value) == value for axis, value in claim.at.items())


def _of_predictions(claim: Claim, path: Path, arms: Sequence[Arm]) -> Iterator[Mistake]:
    for key in ("predicted", "control"):
        given = getattr(claim, key, None)
        if isinstance(given, float) and math.isnan(given):
            yield Mistake((*path, key), "expected a number, got nan")
        if isinstance(given, str):
            wrong: list[str] = []
            for group in _together(claim, arms):
                try:
                    ran = [_ran(arm) for arm in group]
                    evaluate(
                        given,
                        settings.numbers(ran) | ({MOMENT: 1.0} if _uses_ledger(claim) else {}),
                        settings.missing(ran),
                    )
                    break
                except ValueError as error:
                    wrong.append(str(error))
            else:
                yield from (Mistake((*path, key), text) for text in wrong[:1])


def _together(claim: Claim, arms: Sequence[Arm]) -> list[list[Arm]]:
    """The arms of each place at which a claim is judged.

    One, or all values of the axis along which it fits.
    """
    along = claim.axis if isinstance(claim, Scaling) else None
    found: dict[str, list[Arm]] = {}
    for arm in arms:
        low, high = claim.regime.get(str(along), (-math.inf, math.inf))
        if along is None or low <= arm.coords[along] <= high:
            found.setdefault(
                str({name: value for name, value in arm.coords.items() if name != along}), []
            ).append(arm)
    return list(found.values())


def _ran(arm: Arm) -> settings.Arm:
    """What an arm will run with."""
    return settings.Arm(
        arm.coords,
        arm.label,
        **resolved(arm.landscape, arm.optimizer, arm.relaxation, arm.noise, arm.oracle, arm.scalars),
    )


def _of_place(
    claim: Claim, path: Path, study: Mapping[str, Any], arm: Arm, swept: set[str]
) -> Iterator[Mistake]:
    cost, landscape = getattr(claim, "cost", None), arm.coords["landscape"]
    if cost is not None and "budget" not in swept and cost > _end(arm) * (1 + 1e-9):
        yield Mistake(
            (*path, "cost"),
            f"expected at most the budget on {landscape}, {arm.scalars['budget']:g} evaluations, got"
            f" {cost:g}",
        )
    if hasattr(claim, "quantity"):
        yield from _of_quantity(str(claim.quantity), (*path, "quantity"), study, arm)
    if hasattr(claim, "per") and not registry.build(arm.landscape, "landscape").gap_known:
        yield Mistake(
            (*path, "landscape"),
            f"expected one whose optimum is known, so that there is a gap that shrinks; {landscape} has none",
        )


def _end(arm: Arm) -> float:
    """The cost at the last checkpoint: the budget counts at the lowest price, costs at the nominal one."""
    price = arm.scalars["gradient_cost"]
    return float(arm.scalars["budget"] * price["value"] / price["low"])


def _of_quantity(name: str, path: Path, study: Mapping[str, Any], arm: Arm) -> Iterator[Mistake]:
    landscape, optimizer = (
        registry.build(arm.landscape, "landscape"),
        registry.build(arm.optimizer, "optimizer"),
    )
    known = [
        *RECORDED,
        *landscape.extras,
        *(names[0] for names in (*optimizer.recorded.values(), *optimizer.counted.values())),
        *HITS,
        *LEDGER,
    ]
    if name not in known:
        yield Mistake(path, f"unknown quantity; {suggest(name, known)}")
    elif name in LEDGER and study.get("ledger") is None:
        yield Mistake(path, f"{name} is of the noise ledger, and this study keeps none; add ledger: {{}}")
    elif name in HITS and not study.get("targets"):
        yield Mistake(path, f"{name} needs targets, and this study has none")


def _of_function(claim: Custom, path: Path) -> Iterator[Mistake]:
    try:
        inspect.signature(function_at(claim.function)).bind(None, **claim.parameters)
    except ValueError as error:
        yield Mistake((*path, "function"), str(error))
    except TypeError as error:
        yield Mistake(
            (*path, "parameters"),
            f"{claim.function} is called with the results and these parameters: {error}",
        )
