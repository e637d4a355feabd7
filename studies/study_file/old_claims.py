"""Claims of kinds that are gone, written as laws: what a user is shown in one line."""

from __future__ import annotations

from collections.abc import Callable

from studies.text.shapes import Data, Tree
from studies.text.words import show

SHARED = ("optimizer", "landscape", "at")
REST = ("predicted", "control", "tolerance", "regime")
LEDGER = ("step_variance", "noise_to_signal", "noise_scale", "effective_population", "temperature")
HITS = {"hit_cost": "hit(TARGET)", "best_hit_cost": "best_hit(TARGET)"}


def as_law(entry: Tree) -> str | None:
    """The law that a claim of an old kind is, in YAML's flow style; None of another kind."""
    make = OLD.get(str(entry.get("kind")))
    if make is None:
        return None
    shared = {key: entry[key] for key in SHARED if key in entry}
    return _flow({"kind": "law"} | shared | make(entry))


def _variance(entry: Tree) -> Data:
    return {"observe": _observed(entry)} | _rest(entry)


def _scaling(entry: Tree) -> Data:
    observe = f"exponent({_observed(entry)}, {entry.get('axis', 'AXIS')})"
    rest = _rest(entry) | {"tolerance": _absolute(entry.get("tolerance", 0.05))}
    return {"observe": observe} | rest


def _rate(entry: Tree) -> Data:
    """A factor f of each step is the rate -ln f."""
    power = "-2" if entry.get("of") == "distance" else "-1"
    laws = {key: f"{power} * log({entry[key]})" for key in ("predicted", "control") if key in entry}
    return {"observe": _rate_of(entry)} | _rest(entry) | laws


def _rate_of(entry: Tree) -> str:
    """The rate over all of a run; between two fractions of the budget, or until the loss is at a floor."""
    by_cost = entry.get("per") == "evaluation"
    since, until, floor = (entry.get(key) or None for key in ("since", "until", "floor"))
    until = None if until == 1 else until
    if (since, until, floor) == (None, None, None):
        return f"rate(loss{', clock=cost' if by_cost else ''})"
    first = ("loss(start)", "") if since is None else (f"loss(budget={since})", _time(since, by_cost))
    if floor is None:
        last = f"loss(budget={until})" if until else "loss", _time(until, by_cost)
    else:
        last = str(floor), f"hit({floor}{'' if by_cost else ', clock=steps'})"
    steps = f"({last[1]} - {first[1]})" if first[1] else last[1]
    return f"log({first[0]} / {last[0]}) / {steps}"


def _time(fraction: object, by_cost: bool) -> str:
    """Steps, or cost, at a fraction of the budget; None: at its end."""
    if by_cost:
        return "budget" if fraction is None else f"{fraction} * budget"
    return "steps" if fraction is None else f"steps(budget={fraction})"


OLD: dict[str, Callable[[Tree], Data]] = {
    "variance_law": _variance,
    "scaling": _scaling,
    "convergence_rate": _rate,
}


def _rest(entry: Tree) -> Data:
    return {key: entry[key] for key in REST if key in entry}


def _absolute(tolerance: object) -> object:
    return tolerance if isinstance(tolerance, dict) else {"absolute": tolerance}


def _observed(entry: Tree) -> str:
    """The quantity of an old claim."""
    name, since = str(entry.get("quantity", "loss")), entry.get("since", 0.5)
    if name in LEDGER:
        return f"ledger.{name}"
    if name in HITS:
        return HITS[name]
    recorded = "diversity**2" if name == "population_variance" else name
    return f"mean({recorded}, since={since})"


def _flow(value: object) -> str:
    """A value as YAML's flow style has it; texts with signs of YAML in quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        plain = not set(value) & set("[]{},:#&*!|>'\"%@`") and value == value.strip()
        return value if plain else show(value)
    return show(value)
