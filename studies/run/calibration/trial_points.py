"""`tuning:` of a study: the settings that are tried for each optimizer, and what is wrong with a request.

Trial 0 is the setting that the study gives. The others are a scrambled Sobol sequence (Owen 1998, "Scrambling
Sobol' and Niederreiter-Xing points", Journal of Complexity 14; scipy.stats.qmc) in the ranges, on log scales
unless told otherwise; its scrambling follows from the study's seed and the labels of optimizer and landscape,
so that more trials keep the earlier ones. Whole numbers are rounded to a neighbour that the optimizer takes.
A setting that it does not take, or that is there already, is passed over, so every optimizer gets the same
number of trials.

A range with a count is a grid: so many numbers, evenly spaced on its scale, from one end to the other, of
which each point of the sequence takes one. With as many trials as the grid has settings, and one more for
trial 0, all are tried, and which they are depends on no seed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from studies.kinds import registry
from studies.study_file import fields
from studies.study_file.template import Template
from studies.text.shapes import Data, Tree

if TYPE_CHECKING:
    import numpy as np


SURPLUS = 16  # points drawn for one trial, at most
Values = Data  # parameter -> value
Span = Tree  # {low, high, scale}, perhaps with a count, or {choices}

# the settings -----------------------------------------------------------------------------------------------


def settings(
    entries: Sequence[Template],
    ranges: Mapping[str, Span],
    trials: int,
    *key: object,
) -> list[Values]:
    """The settings that are tried, each for all of these entries of one optimizer.

    Args:
        entries: as the study gives them on the landscapes that share a setting.
        ranges: parameter -> {low, high, scale}, perhaps with a count, or {choices}.
        trials: how many.
        key: what the points depend on.

    Returns:
        Parameter -> value for each trial; the first is empty: as given. Where the ranges hold fewer different
        settings they are repeated in turn.
    """
    seen = {_key(entry.spec(), ranges) for entry in entries}
    tried = [Values()]
    for point in points(SURPLUS * trials, len(ranges), *key):
        if len(tried) == trials:
            break
        values = settled(entries[0], ranges, point)
        if values is None or _key(values, ranges) in seen:
            continue
        if all(entry.takes(values) for entry in entries[1:]):
            seen.add(_key(values, ranges))
            tried.append(values)
    return [tried[i % len(tried)] for i in range(trials)]


def points(count: int, dim: int, *key: object) -> np.ndarray:
    """At least so many points (.., dim) of a Sobol sequence in [0, 1), scrambled by the key.

    A larger count only adds some at the end.
    """
    from scipy.stats import qmc

    seed = int(hashlib.sha256(json.dumps(["tuning", *key]).encode()).hexdigest()[:16], 16)
    return qmc.Sobol(dim, rng=seed).random_base2(math.ceil(math.log2(count)))


def settled(entry: Template, ranges: Mapping[str, Span], point: Iterable[float]) -> Values | None:
    """The setting at a point: numbers of six digits, whole ones rounded.

    None where the optimizer takes none so near.
    """
    whole = fields.numbers(registry.find(entry.entry["kind"], "optimizer"))
    values, drawn = Values(), dict[str, float]()
    for (name, span), share in zip(ranges.items(), map(float, point), strict=True):
        if "choices" in span:
            values[name] = span["choices"][int(share * len(span["choices"]))]
        elif whole[name]:
            drawn[name] = number_at(span, share, whole=True)
            values[name] = _clipped(round(drawn[name]), span)
        else:
            values[name] = _clipped(float(f"{number_at(span, share, whole=False):.6g}"), span)
    nearest = (values, *(values | {name: n} for name, n in _neighbours(values, drawn, ranges)))
    return next((near for near in nearest if entry.takes(near)), None)


def _neighbours(
    values: Values, drawn: Mapping[str, float], ranges: Mapping[str, Span]
) -> list[tuple[str, int]]:
    """Other whole numbers beside those that were drawn, each with its parameter, the nearest first.

    Args:
        values: parameter -> the number that was drawn, rounded.
        drawn: parameter -> the same, not rounded.
        ranges: parameter -> its range.
    """
    near = [
        (abs(n - at), name, n)
        for name, at in drawn.items()
        for n in (math.floor(at), math.ceil(at))
        if n != values[name] and ranges[name]["low"] <= n <= ranges[name]["high"]
    ]
    return [(name, n) for _, name, n in sorted(near)]


def _clipped(number: float, span: Span) -> float:
    return min(max(number, span["low"]), span["high"])


def number_at(span: Span, share: float, *, whole: bool) -> float:
    """The number at this share of a range; of a grid each of its numbers has as much room."""
    if "count" not in span:
        return between(span, share, whole=whole)
    last = span["count"] - 1
    return between(span, int(share * (last + 1)) / last, whole=False)


def between(span: Span, share: float, *, whole: bool) -> float:
    """The number at this share of a range; of whole numbers each end has as much room as one between."""
    low, high = (span["low"] - 0.5, span["high"] + 0.5) if whole else (span["low"], span["high"])
    return low * (high / low) ** share if span["scale"] == "log" else low + (high - low) * share


def _key(values: Tree, ranges: Iterable[str]) -> str:
    return json.dumps([values[name] for name in ranges], sort_keys=True)
