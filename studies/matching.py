"""`match:` of a study: the value of one parameter at which an arm's noise is that of a reference arm.

In what follows q is a quantity of the noise ledger and x the parameter. The root of log q(x) - log q(reference) in log x is bracketed by the ends
of the range and found by Brent's method (Brent 1973, "Algorithms for minimization without derivatives", chapter 4), since noise follows
powers of batches, populations and rates: there the secant is exact. Whole numbers are rounded, to the nearest that the optimizer takes. Where
the ends do not bracket it, the end that comes nearest is used, and said to be a bound.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_type_hints

from landscapes.base import Bits, Landscape, Parameters
from landscapes.relaxation import Relaxation
from studies import kinds, models, sections
from studies.sweeps import Axis, short
from studies.yaml_lines import Mistake, Path, suggest

if TYPE_CHECKING:
    from rich.table import Table

    from studies.settings import Arm

MOST = 8  # values of x at which q is measured, at most
CLOSE = 0.02  # relative distance from the reference at which the search ends
SEVERAL = "has a grid, so it is several arms; give one value of each parameter"
FAR = math.log(1000)  # distance in log q of a ratio whose signal is lost in its own noise, or which has no noise


class Found(NamedTuple):
    """Where a search ended."""

    value: float
    bound: str | None  # low or high, where the range does not reach the reference
    evaluations: int


class _Enough(Exception):
    """No more pilots are to be run."""


# the search --------------------------------------------------------------------------------------------------------------


def search(quantity: Callable[[float], float], target: float, low: float, high: float, settle: Callable[[float], float] = float) -> Found:
    """The value between low and high whose quantity is nearest to the target.

    Args:
        quantity: of a value; what it raises ends the search. Negative or infinite counts as very large, 0 as very small.
        target: > 0.
        low: > 0, a value that may be used.
        high: > low, likewise.
        settle: a value -> the nearest one that may be used.
    """
    from scipy.optimize import brentq

    ends = math.log(low), math.log(high)
    seen: dict[float, float] = {}  # value -> distance in log q

    def distance(log_value: float) -> float:
        value = low if log_value <= ends[0] else high if log_value >= ends[1] else settle(math.exp(log_value))
        if value not in seen:
            if len(seen) == MOST:
                raise _Enough
            seen[value] = _distance(quantity(value), target)
        return seen[value]

    sides = [distance(end) for end in ends]
    bracketed = sides[0] * sides[1] <= 0
    with contextlib.suppress(_Enough):
        _ = brentq(distance, *ends, xtol=1e-4) if bracketed else None
    value = min(seen, key=lambda value: abs(seen[value]))
    return Found(value, None if bracketed else "low" if value == low else "high", len(seen))


def _distance(quantity: float, target: float) -> float:
    """Log of the ratio; 0 where it is close enough."""
    if quantity == 0:
        return -FAR
    found = FAR if quantity < 0 or math.isinf(quantity) else math.log(quantity / target)
    return 0.0 if abs(found) < CLOSE else found


def settled(spec: Mapping[str, Any], name: str) -> Callable[[float], float]:
    """A value of this parameter of an optimizer -> the nearest that it takes: of six digits, or a whole one."""
    if not numbers(kinds.find(spec["kind"], "optimizer"))[name]:
        return lambda value: float(f"{value:.6g}")

    def nearest(value: float) -> int:
        middle = round(value)
        outwards = (n for away in range(middle + 2) for n in sorted({middle - away, middle + away}, key=lambda n: abs(n - value)))
        return next((n for n in outwards if _takes({**spec, name: n})), middle)

    return nearest


def _takes(spec: Mapping[str, Any]) -> bool:
    try:
        kinds.build(spec, "optimizer")
    except ValueError:
        return False
    return True


def numbers(cls: type[Parameters]) -> dict[str, bool]:
    """The parameters that are numbers -> whether they are whole."""
    hints = get_type_hints(cls)
    kinds_of = {name: {hints[name], *get_args(hints[name])} for name in models.parameter_names(cls)}
    return {name: float not in found for name, found in kinds_of.items() if found & {int, float}}


# what is wrong with a request --------------------------------------------------------------------------------------------


def mistakes(
    match: sections.MatchModel, labels: Sequence[str], data: Mapping[str, Any], classes: Mapping[str, type[Parameters]], axes: Iterable[Axis]
) -> Iterator[Mistake]:
    """What is wrong with the labels and parameters of a `match`.

    Args:
        match: what is asked.
        labels: of the study's optimizers.
        data: label -> entry of those that have no mistakes of their own.
        classes: kind -> class.
        axes: what is swept.
    """
    if match.reference not in labels:
        yield Mistake(("match", "reference"), f"unknown optimizer; {suggest(match.reference, labels)}")
    elif data.get(match.reference, {}).get("grid"):
        yield Mistake(("match", "reference"), f"{match.reference} {SEVERAL}")
    for label, ranges in match.vary.items():
        path: Path = ("match", "vary", label)
        if label == match.reference:
            yield Mistake(path, "is the reference itself", at_key=True)
        elif label not in labels:
            yield Mistake(path, f"unknown optimizer; {suggest(label, labels)}", at_key=True)
        elif label in data:
            yield from _of_parameter((*path, *ranges), data[label], classes[data[label]["kind"]], axes)


def _of_parameter(path: Path, entry: Mapping[str, Any], cls: type[Parameters], axes: Iterable[Axis]) -> Iterator[Mistake]:
    label, name = map(str, path[2:])
    names, known = models.parameter_names(cls), numbers(cls)
    if name not in names:
        yield Mistake(path, f"unknown key for {entry['kind']}; {suggest(name, names)}", at_key=True)
    elif name not in known:
        yield Mistake(path, f"is not a number, so it cannot vary; one that can: {', '.join(known)}", at_key=True)
    if entry.get("grid"):
        yield Mistake(path, f"{label} {SEVERAL}", at_key=True)
    settings = [s for axis in axes for s in axis.settings[0] if s.source[0] != "factors"]  # what a factor switches off is off, found or not
    swept = {s.source[:-1]: s.path[2:] for s in settings if s.path[:2] == ("optimizers", label)}
    both = [where for where, rest in swept.items() if rest[:1] == (name,) or (rest[:1] == ("on",) and name in (rest[2:3] or (name,)))]
    yield from (Mistake(where, "is found by match, so it cannot be swept", at_key=True) for where in both)
    for landscape in () if both else (landscape for landscape, given in entry.get("on", {}).items() if name in given):
        yield Mistake(("optimizers", label, "on", landscape, name), "is found by match; leave it out here", at_key=True)


def unknown_quantities(match: sections.MatchModel, arms: Iterable[Arm]) -> Iterator[Mistake]:
    """The arms, reference or varied, for which the noise ledger does not know the quantity."""
    told = set()
    for arm in arms:
        landscape, label = arm.coords["landscape"], arm.coords["optimizer"]
        if label in match.labels and (landscape, label) not in told and (text := _not_known(match.quantity, arm)):
            told.add((landscape, label))
            yield Mistake(("match", "quantity"), f"{match.quantity} of {label} is not known on landscape {landscape!r}: {text}")


def _not_known(quantity: str, arm: Arm) -> str | None:
    landscape: Landscape = kinds.build(arm.landscape, "landscape")
    if arm.relaxation:
        landscape = Relaxation(inner=landscape, mode=arm.relaxation)  # type: ignore[arg-type]
    if quantity == "temperature" and not landscape.sloped:
        return "the loss has no slope there" + (f" with relaxation {arm.relaxation}" if arm.relaxation else "")
    if quantity == "effective_population" and not isinstance(landscape.domain, Bits):
        return "it searches real numbers, which have no allele frequencies"
    return None


# what was found ----------------------------------------------------------------------------------------------------------


def notes(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line for each arm whose range does not reach the reference."""
    return [
        f"match: {_named(one)}: no {one['parameter']} from {_number(one['low'])} to {_number(one['high'])} has the {one['quantity']} of"
        f" {one['reference']}, {_number(one['target'])}; {one['parameter']} = {_number(one['value'])} is used, which has {_number(one['reached'])}"
        for one in found
        if one["bound"]
    ]


def _named(one: Mapping[str, Any]) -> str:
    swept = ", ".join(f"{name} = {short(value)}" for name, value in one["coords"].items() if name not in ("landscape", "optimizer"))
    return f"{one['coords']['optimizer']} on {one['coords']['landscape']}" + (f" at {swept}" if swept else "")


def table(found: list[dict[str, Any]]) -> Table:
    """One row for each arm: the value that was found, its quantity and the reference's, with 95 % intervals."""
    from rich.table import Table

    quantity, reference = found[0]["quantity"], found[0]["reference"]
    title = f"match: {quantity} as {reference}'s at {found[0]['at']:g} of the budget, in worlds that the study does not use"
    grid = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    swept = [name for name in found[0]["coords"] if name not in ("landscape", "optimizer")]
    for head in ("landscape", *swept, "optimizer", "parameter"):
        grid.add_column(head, overflow="fold")
    for head in ("found", quantity, reference, "pilots"):
        grid.add_column(head, justify="right", no_wrap=True)
    for one in found:
        places = [one["coords"]["landscape"], *(short(one["coords"][name]) for name in swept), one["coords"]["optimizer"], one["parameter"]]
        value = _number(one["value"]) + (f" ({one['bound']} bound)" if one["bound"] else "")
        sizes = [_measured(one["reached"], one["reached_interval"]), _measured(one["target"], one["target_interval"])]
        grid.add_row(*places, value, *sizes, str(one["evaluations"]))
    return grid


def _measured(value: float | None, interval: list[float | None]) -> str:
    return _number(value) + ("" if None in interval else f" [{', '.join(map(_number, interval))}]")


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
