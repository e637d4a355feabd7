"""`tuning:` of a study: the settings that are tried for each optimizer, and what is wrong with a request.

Trial 0 is the setting that the study gives. The others are a scrambled Sobol sequence (Owen 1998, "Scrambling Sobol' and Niederreiter-Xing points",
Journal of Complexity 14; scipy.stats.qmc) in the ranges, on log scales unless told otherwise; its scrambling follows from the study's seed and the
labels of optimizer and landscape, so that more trials keep the earlier ones. Whole numbers are rounded to a neighbour that the optimizer takes. A
setting that it does not take, or that is there already, is passed over, so every optimizer gets the same number of trials.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from landscapes.base import Parameters
from studies import kinds, matching, models, sections
from studies.sweeps import Axis, Setting
from studies.yaml_lines import Mistake, Path, suggest

if TYPE_CHECKING:
    import numpy as np

SURPLUS = 16  # points drawn for one trial, at most
Spec = dict[str, Any]  # {"kind": .., parameters}, complete
Values = dict[str, Any]  # parameter -> value

# the settings ------------------------------------------------------------------------------------------------------------


def settings(specs: Sequence[Spec], ranges: Mapping[str, Mapping[str, Any]], trials: int, *key: Any) -> list[Values]:  # noqa: ANN401
    """The settings that are tried, each for all of these entries of one optimizer.

    Args:
        specs: the entries, as the study gives them on the landscapes that share a setting.
        ranges: parameter -> {low, high, scale} or {choices}.
        trials: how many.
        key: what the points depend on.

    Returns:
        Parameter -> value for each trial; the first is empty: as given. Where the ranges hold fewer different settings they are repeated in turn.
    """
    found = {_key(spec, ranges): Values() for spec in specs}
    told = list(found.values())[:1]
    for point in points(SURPLUS * trials, len(ranges), *key):
        if len(told) == trials:
            break
        values = settled(specs[0], ranges, point)
        if values is not None and _key(values, ranges) not in found and all(complete(spec, values) for spec in specs[1:]):
            found[_key(values, ranges)] = values
            told.append(values)
    return [told[i % len(told)] for i in range(trials)]


def points(count: int, dim: int, *key: Any) -> np.ndarray:  # noqa: ANN401
    """At least so many points (.., dim) of a Sobol sequence in [0, 1), scrambled by the key; a larger count only adds some at the end."""
    from scipy.stats import qmc

    seed = int(hashlib.sha256(json.dumps(["tuning", *key]).encode()).hexdigest()[:16], 16)
    return qmc.Sobol(dim, rng=seed).random_base2(math.ceil(math.log2(count)))


def settled(spec: Spec, ranges: Mapping[str, Mapping[str, Any]], point: Iterable[float]) -> Values | None:
    """The setting at a point: numbers of six digits, whole ones rounded; None where the optimizer takes none so near."""
    known = matching.numbers(kinds.find(spec["kind"], "optimizer"))
    values, drawn = Values(), dict[str, float]()
    for (name, span), share in zip(ranges.items(), map(float, point), strict=True):
        if "choices" in span:
            values[name] = span["choices"][int(share * len(span["choices"]))]
        elif known[name]:
            drawn[name] = between(span, share, whole=True)
            values[name] = min(max(round(drawn[name]), span["low"]), span["high"])
        else:
            values[name] = min(max(float(f"{between(span, share, whole=False):.6g}"), span["low"]), span["high"])
    near = [(abs(n - at), name, n) for name, at in drawn.items() for n in (math.floor(at), math.ceil(at)) if n != values[name]]
    others = [values | {name: n} for _, name, n in sorted(near) if ranges[name]["low"] <= n <= ranges[name]["high"]]
    return next((found for found in (values, *others) if complete(spec, found)), None)


def between(span: Mapping[str, Any], share: float, *, whole: bool) -> float:
    """The number at this share of a range; of whole numbers each end has as much room as one between."""
    low, high = (span["low"] - 0.5, span["high"] + 0.5) if whole else (span["low"], span["high"])
    return low * (high / low) ** share if span["scale"] == "log" else low + (high - low) * share


def complete(spec: Spec, values: Values) -> Spec | None:
    """The entry with these values; None where the optimizer does not take them."""
    found = _complete(json.dumps(spec | values, sort_keys=True))
    return json.loads(found) if found else None


@functools.lru_cache(2**16)
def _complete(text: str) -> str | None:
    spec = json.loads(text)
    cls = kinds.find(spec["kind"], "optimizer")
    try:
        checked = models.entry_model("optimizers", spec["kind"], cls).model_validate(spec)
        found = {"kind": spec["kind"], **checked.model_dump(include=set(models.parameter_names(cls)), mode="json")}
        kinds.build(found, "optimizer")
    except ValueError:
        return None
    return json.dumps(found)


def _key(values: Mapping[str, Any], ranges: Iterable[str]) -> str:
    return json.dumps([values[name] for name in ranges], sort_keys=True)


# what is wrong with a request --------------------------------------------------------------------------------------------


def mistakes(
    tuning: sections.TuningModel, labels: Sequence[str], data: Mapping[str, Any], classes: Mapping[str, type[Parameters]], axes: Iterable[Axis]
) -> Iterator[Mistake]:
    """What is wrong with the labels and parameters of a `tuning`.

    Args:
        tuning: what is asked.
        labels: of the study's optimizers.
        data: the study; of its optimizers those that have no mistakes of their own.
        classes: kind -> class.
        axes: what is swept or switched.
    """
    entries = data["optimizers"]
    for name, ranges in tuning.ranges.items():
        path: Path = ("tuning", "ranges", name)
        if name not in labels:
            yield Mistake(path, f"unknown optimizer; {suggest(name, labels)}", at_key=True)
        elif name in entries:
            matched = ((data.get("match") or {}).get("vary") or {}).get(name) or {}
            for key, span in ranges.items():
                yield from _of_parameter((*path, key), entries[name], classes[entries[name]["kind"]], "choices" in span, matched)
            yield from _both(name, ranges, axes)


def _of_parameter(path: Path, entry: Mapping[str, Any], cls: type[Parameters], choices: bool, matched: Iterable[str]) -> Iterator[Mistake]:
    name, names = str(path[-1]), models.parameter_names(cls)
    if name not in names:
        yield Mistake(path, f"unknown key for {entry['kind']}; {suggest(name, names)}", at_key=True)
    elif name not in matching.numbers(cls) and not choices:
        yield Mistake(path, "is not a number, so it has no range; give a list of its values", at_key=True)
    for section, keys in (("the optimizer's grid", entry.get("grid") or {}), ("match.vary", matched)):
        if name in keys:
            yield Mistake(path, f"is in {section} too; give it in one of the two", at_key=True)


def _both(label: str, ranges: Iterable[str], axes: Iterable[Axis]) -> Iterator[Mistake]:
    """Parameters that a sweep or a factor sets too."""
    for axis in axes:
        for setting in dict.fromkeys((s.path, s.source if s.source[0] == "factors" else s.source[:-1]) for s in sum(axis.settings, [])):
            path, where = setting
            rest = path[2:] if path[:2] == ("optimizers", label) else ()
            name = next((name for name in ranges if name in (rest[:1] or ()) or (rest[:1] == ("on",) and name in (rest[2:3] or (name,)))), None)
            if name and where[0] == "factors":
                yield Mistake(where, f"sets {name} of {label}, which is in tuning.ranges too; give it in one of the two", at_key=True)
                return
            if name:
                yield Mistake(where, "is found by tuning, so it cannot be swept", at_key=True)


def probes(tuning: sections.TuningModel, data: Mapping[str, Any]) -> Iterator[list[Setting]]:
    """Values to be checked, some of each optimizer at a time: all low ends, all high ends, every choice."""
    longest = max(len(span.get("choices", "12")) for ranges in tuning.ranges.values() for span in ranges.values())
    for i in range(longest):
        found = []
        for label, ranges in tuning.ranges.items():
            on = data["optimizers"].get(label, {}).get("on") or {}
            for name, span in ranges.items():
                value, end = _probe(span, data["tuning"]["ranges"][label][name], i)
                places = [(name,), *(("on", landscape, name) for landscape, given in on.items() if name in given)]
                found += [Setting(("optimizers", label, *place), value, ("tuning", "ranges", label, name, *end)) for place in places]
        yield found


def _probe(span: Mapping[str, Any], given: Any, i: int) -> tuple[Any, Path]:  # noqa: ANN401
    """A value of a range, and where in the range it stands."""
    if "choices" in span:
        i %= len(span["choices"])
        return span["choices"][i], (i,) if isinstance(given, list) else ("choices", i)
    end = ("low", "high")[i % 2]
    return span[end], (i % 2,) if isinstance(given, list) else (end,)
