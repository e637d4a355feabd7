"""From a quantity to its value: `quantity(dataset, 'median(hit(0.1)["SGD"]) / median(hit(0.1)["ES"])')`.

A quantity is an expression of numbers of each world (`loss`, `hit(0.1)`, `loss(cost=100)`), of numbers of
each arm's settings (`learning_rate`, `optimizer.batch`) and of summaries over worlds (`mean median variance
sd quantile share`). What is still of each world at the end is averaged. Its interval is that of the whole
expression: all parts are resampled together, world by world, so that `mean(loss["ES"]) - mean(loss["SGD"])`
knows that the two share their worlds (`studies.analysis.intervals`).
"""

from __future__ import annotations

import functools
import operator

import numpy as np
import xarray as xr

from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.intervals.proportions import proportion
from studies.analysis.intervals.quantiles import quantiles
from studies.analysis.quantities import summaries
from studies.analysis.quantities.calls import CALLS
from studies.analysis.quantities.grammar import parsed
from studies.analysis.quantities.question import Question
from studies.analysis.quantities.values import Exact, Gathered, Sample, Summary
from studies.analysis.shapes import LEVEL, interval_of, named, with_interval

NAME = "quantity"


def quantity(dataset: xr.Dataset, text: str, *, level: float = LEVEL) -> xr.Dataset:
    """The value of a quantity and its interval.

    Args:
        dataset: a study's results.
        text: the quantity.
        level: of the interval, between 0 and 1.

    Returns:
        `quantity`, `quantity_interval` (bound: low, high) and `worlds`, how many have a number in all of its
        parts; dims landscape, optimizer and the axes, without those that the quantity itself chooses from.

    Raises:
        ValueError: it is none, or the results do not have what it names; in one line.
    """
    if not 0 < level < 1:
        raise ValueError(f"quantity: level: expected 0 < level < 1, got {level:g}")
    question = Question(dataset, text, CALLS)
    with np.errstate(all="ignore"):
        value = question.value(parsed(text))
    if isinstance(value, float):
        question.refuse("expected a quantity of the results, such as median(loss)")
    if isinstance(value, xr.DataArray):
        if "replicate" not in value.dims:
            return _certain(value, text, level)
        value = summaries.summary(question, "mean", value)
    return _estimated(value, question.gathered, text, level)


def _certain(value: xr.DataArray, text: str, level: float) -> xr.Dataset:
    """A number of the settings: no world knows better."""
    interval = interval_of(value, value)
    result = with_interval(NAME, value, interval, long_name=text, units="", level=level)
    return result.assign(worlds=named(xr.zeros_like(value, dtype=int), "worlds with numbers"))


def _estimated(value: Summary, gathered: Gathered, text: str, level: float) -> xr.Dataset:
    """Value and interval: of one share or quantile its own, else that of a joint resampling of worlds."""
    if value.exact is not None:
        return _exactly(value.exact, gathered.parts[value.exact.part], text, level)
    count = len(gathered.parts)
    result = estimate(
        NAME,
        lambda *arrays, axis: value.of(Sample(arrays[:count], arrays[count:])),
        gathered.parts,
        long_name=text,
        units="",
        level=level,
        fixed=gathered.fixed,
    )
    return result.assign(worlds=_worlds(gathered.parts))


def _exactly(exact: Exact, part: xr.DataArray, text: str, level: float) -> xr.Dataset:
    if exact.level is None:
        return proportion(NAME, part, long_name=text, level=level)
    told = quantiles(NAME, part, [exact.level], long_name=text, units="", confidence=level)
    return told.isel(quantile=0, drop=True).assign(worlds=_worlds([part]))


def _worlds(parts: list[xr.DataArray]) -> xr.DataArray:
    """How many worlds have a number in all parts."""
    there = functools.reduce(operator.and_, (part.notnull() for part in parts))
    return named(there.sum("replicate"), "worlds with numbers")
