"""What sources of randomness do to the result.

Main effects and interactions of the factors of a study (Box, Hunter and Hunter 2005).

y is the final loss: its common logarithm where the loss is the gap to a known optimum (10 times better is
-1), else itself. With <> the mean over the values on and off of all other factors, paired in every world,

    effect of A                <y(A on) - y(A off)>                                             negative: the source helps
    interaction of A and B     <[y(A on) - y(A off)] where B is on  -  the same where B is off>
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import xarray as xr

from studies.analysis.comparison.paired import losses, scaled
from studies.analysis.intervals.bootstrap import estimate
from studies.results.precision import precision

SEEN = ("loss", "best_loss", "observed", "population_loss")  # what differs where a source does anything


def factors_of(dataset: xr.Dataset) -> list[str]:
    """The dims that are factors: those with the values on and off."""
    return [
        str(dim)
        for dim in dataset["loss"].dims
        if dim in dataset.coords and {"on", "off"} <= {str(v) for v in dataset[dim].values}
    ]


def effects(dataset: xr.Dataset, factors: Sequence[str] | None = None, value: str = "loss") -> xr.Dataset:
    """Main effects and two-factor interactions on the last checkpoint's loss, with intervals from resampling worlds.

    Args:
        dataset: a study's results with factors.
        factors: sources; None: all.
        value: the variable that holds the loss.

    Returns:
        `effect` (factor) and `interaction` (factor, other), NaN where a factor does not touch an arm, both with `_interval` (bound); `worlds`
        (factor), how many have finite numbers; `logarithmic` by landscape. Dims of the study but the factors, replicate and checkpoint stay. A
        gap below the precision of the study counts as it.

    Raises:
        ValueError: there are no such factors.
    """
    found = factors_of(dataset)
    named = (
        found
        if factors is None
        else [next((f for f in found if f.removeprefix("factors.") == factor), factor) for factor in factors]
    )
    strange = [factor for factor in named if factor not in found]
    if strange or not named:
        raise ValueError(
            "factorial: expected factors with the values on and off, here"
            f" {', '.join(found) or 'there are none'}; got {strange}"
        )
    dataset = dataset.sel({factor: ["on", "off"] for factor in found})
    last, logarithmic = scaled(losses(dataset, value).isel(checkpoint=-1, drop=True), precision(dataset))
    last = last.where(np.isfinite(last))
    rest = [str(dim) for dim in last.dims if dim not in (*found, "replicate")]
    touched = {factor: _touched(dataset, factor, found) for factor in named}
    with np.errstate(invalid="ignore"):
        single = {a: (last.sel({a: "on"}) - last.sel({a: "off"})).where(touched[a]) for a in named}
        double = {
            (a, b): (single[a].sel({b: "on"}) - single[a].sel({b: "off"})).where(touched[b])
            for a, b in itertools.combinations(named, 2)
        }
    parts = [_over_others(single[a], rest) for a in named]
    mains: xr.DataArray = xr.concat(
        parts, xr.Variable("factor", _names(named)), coords="minimal", compat="override"
    )
    nothing = mains.isel(factor=0, drop=True) * np.nan
    pairs = {pair: _over_others(values, rest) for pair, values in double.items()}
    table = [[pairs.get((a, b), pairs.get((b, a), nothing)) for b in named] for a in named]
    rows = [
        xr.concat(row, xr.Variable("other", _names(named)), coords="minimal", compat="override")
        for row in table
    ]
    both = xr.concat(rows, xr.Variable("factor", _names(named)), coords="minimal", compat="override")
    told = xr.Dataset({
        "worlds": (
            mains.notnull().sum("replicate").assign_attrs(long_name="worlds with finite numbers", units="1")
        )
    })
    for name, part, long_name in (
        ("effect", mains, "effect of switching a source on"),
        ("interaction", both, "interaction of two sources"),
    ):
        told = told.merge(
            estimate(
                name,
                np.nanmean,
                [part],
                long_name=long_name,
                units="decades of the gap where logarithmic, else loss",
            )
        )
    return told.assign_coords(logarithmic=logarithmic, bound=["low", "high"])


def _names(factors: Sequence[str]) -> list[str]:
    return [factor.removeprefix("factors.") for factor in factors]


def _touched(dataset: xr.Dataset, factor: str, factors: Sequence[str]) -> xr.DataArray:
    """Whether any number differs between on and off."""
    differ = xr.DataArray(False)
    for name in (name for name in SEEN if name in dataset):
        on, off = (dataset[name].sel({factor: level}, drop=True) for level in ("on", "off"))
        unlike = (on != off) & ~(on.isnull() & off.isnull())
        differ = differ | unlike.any([
            dim for dim in unlike.dims if dim in (*factors, "replicate", "checkpoint")
        ])
    return differ


def _over_others(contrast: xr.DataArray, rest: Sequence[str]) -> xr.DataArray:
    """The mean over what is on and off: dims rest and replicate.

    NaN where a number is missing: the runs of a world are one design.
    """
    mean = contrast.mean([dim for dim in contrast.dims if dim not in (*rest, "replicate")], skipna=False)
    return mean.drop_vars([name for name in mean.coords if name not in (*mean.dims, "instance")])
