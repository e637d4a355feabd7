"""What is wrong with the claims of a study: labels, axes, costs and quantities that it has not, predictions without a value."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from studies import kinds
from studies.claims import Claim, Custom, Scaling, build
from studies.claims.names import names_at
from studies.claims.predictions import function_at, predict
from studies.claims.quantities import HITS, LEDGER, RECORDED
from studies.sweeps import Axis, short
from studies.yaml_lines import Mistake, Path, suggest

if TYPE_CHECKING:
    from studies.settings import Arm

MOMENT = "moment"  # the ledger's axis


def mistakes(resolved: Mapping[str, Any], arms: Sequence[Arm], axes: Sequence[Axis]) -> Iterator[Mistake]:
    """What is wrong with the claims.

    Args:
        resolved: the study, complete.
        arms: what it runs.
        axes: what is swept.
    """
    for name, entry in resolved["claims"].items():
        path: Path = ("claims", name)
        try:
            claim = build(entry)
        except ValueError as error:
            head, _, text = str(error).partition(": ")
            yield Mistake((*path, head.rpartition(".")[2]), text)
            continue
        found = [*_of_labels(claim, path, arms), *_of_axes(claim, path, axes, moments=_uses_ledger(claim))]
        yield from found or _of_places(claim, path, resolved, arms, axes)


def _uses_ledger(claim: Claim) -> bool:
    return getattr(claim, "quantity", None) in LEDGER


def _of_labels(claim: Claim, path: Path, arms: Sequence[Arm]) -> Iterator[Mistake]:
    known = {key: list(dict.fromkeys(str(arm.coords[key]) for arm in arms)) for key in ("landscape", "optimizer")}
    if claim.landscape is not None and claim.landscape not in known["landscape"]:
        yield Mistake((*path, "landscape"), f"unknown landscape; {suggest(claim.landscape, known['landscape'])}")
    for key, label in zip(claim.optimizers, claim.labels(), strict=True):
        if label not in known["optimizer"]:
            yield Mistake((*path, key), f"unknown optimizer; {suggest(label, known['optimizer'])}")
    if len(claim.optimizers) == 2 and len(set(claim.labels())) == 1:
        yield Mistake((*path, claim.optimizers[1]), f"expected another optimizer than {claim.optimizers[0]}, got {claim.labels()[1]!r} twice")


def _of_axes(claim: Claim, path: Path, axes: Sequence[Axis], moments: bool) -> Iterator[Mistake]:
    known = {axis.name: axis.coords for axis in axes}
    names = [*known, *([MOMENT] if moments else [])]
    for axis, value in claim.at.items():
        if axis not in names:
            yield Mistake((*path, "at", axis), f"unknown axis; {suggest(axis, names) if names else 'the study sweeps nothing'}", at_key=True)
        elif axis in known and value not in known[axis]:
            yield Mistake((*path, "at", axis), f"expected one of {', '.join(map(short, known[axis]))}, got {short(value)}")
    for axis, span in claim.regime.items():
        if axis not in names:
            yield Mistake((*path, "regime", axis), f"unknown axis; {suggest(axis, names) if names else 'the study sweeps nothing'}", at_key=True)
        elif len(span) != 2 or span[0] > span[1]:
            yield Mistake((*path, "regime", axis), "expected a range [low, high] with low <= high")
        elif axis in known and not _numbers(known[axis]):
            yield Mistake((*path, "regime", axis), f"expected an axis of numbers, got {axis} = {short(known[axis][0])}, ..", at_key=True)
        elif axis in known and not any(span[0] <= value <= span[1] for value in known[axis]):
            yield Mistake((*path, "regime", axis), f"none of the axis is in it: {', '.join(map(short, known[axis]))}")
    if isinstance(claim, Scaling):
        yield from _of_scaling(claim, path, known)


def _of_scaling(claim: Scaling, path: Path, known: Mapping[str, list[Any]]) -> Iterator[Mistake]:
    values = known.get(claim.axis, [])
    low, high = claim.regime.get(claim.axis, (0.0, float("inf")))
    if claim.axis not in known:
        yield Mistake((*path, "axis"), f"unknown axis; {suggest(claim.axis, [*known]) if known else 'the study sweeps nothing'}")
    elif not _numbers(values) or min(values) <= 0:
        yield Mistake((*path, "axis"), f"expected an axis of positive numbers, got {', '.join(map(short, values))}")
    elif sum(low <= value <= high for value in values) < 2:
        yield Mistake((*path, "axis"), "expected two values or more of the axis, in the regime where there is one")


def _numbers(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _of_places(claim: Claim, path: Path, resolved: Mapping[str, Any], arms: Sequence[Arm], axes: Sequence[Axis]) -> Iterator[Mistake]:
    """What is seen at the first arm that it is about, on each of its landscapes."""
    told = set()
    mine = [arm for arm in arms if claim.landscape in (None, arm.coords["landscape"]) and arm.coords["optimizer"] in claim.labels()[:1]]
    for arm in {str(arm.coords["landscape"]): arm for arm in reversed(mine)}.values():
        for mistake in _of_place(claim, path, resolved, arm, {axis.name for axis in axes}):
            if (mistake.path, mistake.text) not in told:
                told.add((mistake.path, mistake.text))
                yield mistake
    if isinstance(claim, Custom):
        yield from _of_function(claim, path)


def _of_place(claim: Claim, path: Path, resolved: Mapping[str, Any], arm: Arm, swept: set[str]) -> Iterator[Mistake]:
    where = {key: value for key, value in arm.coords.items() if key != "optimizer"}
    names = names_at(resolved, where | ({MOMENT: 1.0} if _uses_ledger(claim) else {}), claim.labels()[0])
    for key in ("predicted", "control"):
        if isinstance(getattr(claim, key, None), str):
            try:
                predict(getattr(claim, key), names)
            except ValueError as error:
                yield Mistake((*path, key), str(error))
    cost, budget = getattr(claim, "cost", None), names.get("study.budget")
    if cost is not None and budget is not None and "budget" not in swept and cost > _end(resolved, budget) * (1 + 1e-9):
        yield Mistake((*path, "cost"), f"expected at most the budget on {where['landscape']}, {budget:g} evaluations, got {cost:g}")
    if hasattr(claim, "quantity"):
        yield from _of_quantity(str(claim.quantity), (*path, "quantity"), resolved, arm)
    if hasattr(claim, "per") and not kinds.build(arm.landscape, "landscape").gap_known:
        yield Mistake(
            (*path, "landscape"), f"expected one whose optimum is known, so that there is a gap that shrinks; {where['landscape']} has none"
        )


def _end(resolved: Mapping[str, Any], budget: float) -> float:
    """The cost at the last checkpoint: the budget counts at the lowest price, costs at the nominal one."""
    price = resolved["gradient_cost"]
    return budget * price["value"] / (price["range"] or [price["value"]])[0]


def _of_quantity(name: str, path: Path, resolved: Mapping[str, Any], arm: Arm) -> Iterator[Mistake]:
    landscape, optimizer = kinds.build(arm.landscape, "landscape"), kinds.build(arm.optimizer, "optimizer")
    known = [*RECORDED, *landscape.extras, *(names[0] for names in optimizer.recorded.values()), *HITS, *LEDGER]
    if name not in known:
        yield Mistake(path, f"unknown quantity; {suggest(name, known)}")
    elif name in LEDGER and resolved.get("ledger") is None:
        yield Mistake(path, f"{name} is of the noise ledger, and this study keeps none; add ledger: {{}}")
    elif name in HITS and not resolved.get("targets"):
        yield Mistake(path, f"{name} needs targets, and this study has none")


def _of_function(claim: Custom, path: Path) -> Iterator[Mistake]:
    try:
        inspect.signature(function_at(claim.function)).bind(None, **claim.parameters)
    except ValueError as error:
        yield Mistake((*path, "function"), str(error))
    except TypeError as error:
        yield Mistake((*path, "parameters"), f"{claim.function} is called with the results and these parameters: {error}")
