"""What sources of randomness do to the result.

Main effects and interactions of the factors of a study (Box, Hunter and Hunter 2005).

y is the final loss: its common logarithm where the loss is the gap to a known optimum (10 times better is
-1), else itself. With <> the mean over the values on and off of all other factors, paired in every world,

    effect of A                <y(A on) - y(A off)>, negative where the source helps
    interaction of A and B     <[y(A on) - y(A off)] where B is on  -  the same where B is off>
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from xarray import DataArray, Dataset

from studies.analysis.comparison.paired import losses, scaled
from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.shapes import BOUNDS, count, rest, stacked
from studies.results.precision import precision

LEVELS = {"on", "off"}  # of a factor
CONTRAST = "decades of the gap where logarithmic, else loss"
SEEN = ("loss", "best_loss", "observed", "population_loss")  # what differs where a source does anything


def factors_of(dataset: Dataset) -> list[str]:
    """The dims that are factors: those with the values on and off."""
    dims = [str(dim) for dim in dataset["loss"].dims if dim in dataset.coords]
    return [dim for dim in dims if LEVELS.issubset(map(str, dataset[dim].values))]


def effects(dataset: Dataset, factors: Sequence[str] | None = None, value: str = "loss") -> Dataset:
    """Main effects and two-factor interactions on the last checkpoint's loss.

    Their intervals come from resampling worlds.

    Args:
        dataset: a study's results with factors.
        factors: sources; None: all.
        value: the variable that holds the loss.

    Returns:
        `effect` (factor) and `interaction` (factor, other), NaN where a factor does not touch an arm, both
        with `_interval` (bound); `worlds` (factor), how many have finite numbers; `logarithmic` by landscape.
        Dims of the study but the factors, replicate and checkpoint stay. A gap below the precision of the
        study counts as it.

    Raises:
        ValueError: there are no such factors.
    """
    every = factors_of(dataset)
    chosen = _chosen(every, factors)
    dataset = dataset.sel({factor: ["on", "off"] for factor in every})
    last = losses(dataset, value).isel(checkpoint=-1, drop=True)
    last, logarithmic = scaled(last, precision(dataset))
    touched = {factor: _touched(dataset, factor, every) for factor in chosen}
    contrasts = _Contrasts(last.where(np.isfinite(last)), touched, rest(last, *every, "replicate"))
    result = _estimated(contrasts.effects(), contrasts.interactions())
    return result.assign_coords(logarithmic=logarithmic, bound=list(BOUNDS))


def _estimated(effect: DataArray, interaction: DataArray) -> Dataset:
    """Means of the contrasts over worlds, with intervals."""
    worlds = count(effect, "worlds with finite numbers")
    about = "effect of switching a source on"
    alone = estimate("effect", np.nanmean, [effect], long_name=about, units=CONTRAST)
    about = "interaction of two sources"
    together = estimate("interaction", np.nanmean, [interaction], long_name=about, units=CONTRAST)
    return Dataset({"worlds": worlds}).merge(alone).merge(together)


def _chosen(every: Sequence[str], factors: Sequence[str] | None) -> list[str]:
    """The dims of the factors that are asked for, without `factors.` in front or with it; None: all."""
    dims = {dim.removeprefix("factors."): dim for dim in reversed(every)}
    chosen = [*every] if factors is None else [dims.get(factor, factor) for factor in factors]
    strange = [factor for factor in chosen if factor not in every]
    if strange or not chosen:
        raise ValueError(
            "factorial: expected factors with the values on and off, here"
            f" {', '.join(every) or 'there are none'}; got {strange}"
        )
    return chosen


class _Contrasts(NamedTuple):
    """What switching factors on changes, world by world, averaged over the values of all other factors."""

    y: DataArray  # dims: the factors, replicate and `stay`
    touched: Mapping[str, DataArray]  # factor -> where it changes any number
    stay: Sequence[str]

    def effects(self) -> DataArray:
        """The contrast of every factor, dim `factor` in front."""
        parts = [self._over_others(self._of(self.y, factor)) for factor in self.touched]
        return stacked(parts, "factor", _names(self.touched))

    def interactions(self) -> DataArray:
        """The contrast of the contrasts of every two factors, dims `factor` and `other` in front.

        NaN of one with itself.
        """
        labels = _names(self.touched)
        nothing = self.effects().isel(factor=0, drop=True) * np.nan
        pairs = self._pairs()
        rows = [[pairs.get(frozenset((a, b)), nothing) for b in self.touched] for a in self.touched]
        return stacked([stacked(row, "other", labels) for row in rows], "factor", labels)

    def _pairs(self) -> dict[frozenset[str], DataArray]:
        """Two factors -> the contrast of their contrasts."""
        return {
            frozenset(two): self._over_others(functools.reduce(self._of, two, self.y))
            for two in itertools.combinations(self.touched, 2)
        }

    def _of(self, y: DataArray, factor: str) -> DataArray:
        with np.errstate(invalid="ignore"):
            return (y.sel({factor: "on"}) - y.sel({factor: "off"})).where(self.touched[factor])

    def _over_others(self, contrast: DataArray) -> DataArray:
        """The mean over what is on and off.

        NaN where a number is missing: the runs of a world are one design.
        """
        mean = contrast.mean(rest(contrast, *self.stay, "replicate"), skipna=False)
        return mean.drop_vars([name for name in mean.coords if name not in (*mean.dims, "instance")])


def _names(factors: Iterable[str]) -> list[str]:
    return [factor.removeprefix("factors.") for factor in factors]


def _touched(dataset: Dataset, factor: str, factors: Sequence[str]) -> DataArray:
    """Whether any number differs between on and off."""
    differ = DataArray(False)
    for name in (name for name in SEEN if name in dataset):
        unlike = _unlike(dataset[name], factor)
        gone = [dim for dim in unlike.dims if dim in (*factors, "replicate", "checkpoint")]
        differ = differ | unlike.any(gone)
    return differ


def _unlike(part: DataArray, factor: str) -> DataArray:
    """Where numbers differ between on and off."""
    on, off = (part.sel({factor: level}, drop=True) for level in ("on", "off"))
    return (on != off) & (on.notnull() | off.notnull())
