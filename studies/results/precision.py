"""The precision of a study: losses that differ by less are equal, and a smaller gap counts as it.

    precision = max(p s, spacing / 2, four roundings of the loss at the start)

    p        `precision:` of the study
    s        from the losses of the common start of all arms, over worlds: where the loss is the gap to the
             optimum their median, how far there is to descend; else the distance of their quartiles. Where
             that is next to nothing, as in one world or where all start alike, the median of their sizes;
             where that is 0 as well, 1
    spacing  of the landscape's values where they are discrete (`landscapes.base.Landscape.spacing`): with
             half of it neighbours are not equal

So it is a function of the landscape and of the starts, and never of the arms of the study.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.results.config import config
from studies.results.gaps import gap_known, of_landscape

# p; also in units of the loss where a Dataset has no starts, as imported ones: the last target of COCO
# (Hansen et al. 2021)
DEFAULT = 1e-8
ALIKE = 1e-6  # relative to their size: starts that differ by less are alike
EXACT = 2.0**53  # multiples up to here are whole numbers in float64
ROUNDINGS = 4 * np.finfo(float).eps
ABOUT = {"long_name": "precision: losses that differ by less are equal", "units": "loss"}


def precision(dataset: Dataset) -> DataArray:
    """The precision of a study's losses, in their units: as it was stored, or found anew.

    Dims landscape and swept axes, as far as they matter.

    Args:
        dataset: a study's results.
    """
    if "precision" in dataset.coords:
        return dataset["precision"].reset_coords(drop=True)
    if "start_loss" in dataset:
        return from_starts(dataset)
    return DataArray(DEFAULT, attrs=ABOUT)


def decades(loss: DataArray, least: DataArray) -> DataArray:
    """The common logarithm of a gap; one that is less than the precision counts as it.

    Args:
        loss: gaps to the optimum; inf and NaN stay.
        least: the precision.
    """
    return xr.apply_ufunc(
        np.log10, loss.where(~(loss < least), least), dask="allowed", keep_attrs=False
    )


def resolved(loss: DataArray, least: DataArray) -> DataArray:
    """The multiples of the precision that are nearest to losses: those equal at the precision are equal.

    Args:
        loss: with the coordinate `gap_known`, where a gap of less than the precision counts as it.
        least: the precision.
    """
    floored = xr.where(gap_known(loss) & (loss < least), least, loss)
    rounded = xr.where(abs(floored) < EXACT * least, np.round(floored / least) * least, floored)
    return rounded.transpose(*loss.dims).assign_coords(loss.coords)


def from_starts(dataset: Dataset) -> DataArray:
    """The precision, from what was recorded.

    Args:
        dataset: with `start_loss`, the coordinates `gap_known` and `spacing`, and the study in its
            attributes.
    """
    start = dataset["start_loss"].where(np.isfinite(dataset["start_loss"]))
    start = start.max("optimizer").reset_coords(drop=True)
    low, middle, high = (_quantile(start, level) for level in (0.25, 0.5, 0.75))
    size = _quantile(abs(start), 0.5)
    spread = xr.where(gap_known(dataset), middle, high - low)
    spread = spread.where(spread > ALIKE * size, size)
    share = _given(dataset) * spread.where(~(spread <= 0), 1.0)
    least = np.maximum(np.maximum(share, of_landscape(dataset, "spacing") / 2), ROUNDINGS * size)
    return squeezed(least).rename("precision").assign_attrs(ABOUT)


def _quantile(part: DataArray, level: float) -> DataArray:
    """A quantile over worlds; NaN where none has a number."""
    worlds = [["replicate"]]
    quantile: DataArray = xr.apply_ufunc(
        _over_worlds, part.compute(), kwargs={"level": level}, input_core_dims=worlds
    )
    return quantile


def _over_worlds(values: np.ndarray, level: float) -> np.ndarray:
    """(.., R) -> (..); numpy looks at rows with NaN one by one, and so at these alone."""
    rows = values.reshape(-1, values.shape[-1])
    lacking = np.isnan(rows)
    full = ~lacking.any(1)
    some = ~full & ~lacking.all(1)
    quantiles = np.full(len(rows), np.nan)
    quantiles[full] = np.quantile(rows[full], level, axis=1)
    quantiles[some] = np.nanquantile(rows[some], level, axis=1)
    return quantiles.reshape(values.shape[:-1])


def _given(dataset: Dataset) -> DataArray:
    """P of the study: one number, or one for each landscape."""
    given = config(dataset).get("precision", DEFAULT)
    if not isinstance(given, dict):
        return DataArray(float(given))
    landscape = dataset["landscape"]
    default = given.get("default", DEFAULT)
    numbers = [given.get(str(label), default) for label in np.atleast_1d(landscape.values)]
    if not landscape.ndim:
        return DataArray(numbers[0])
    return DataArray(numbers, {"landscape": landscape}, "landscape")


def squeezed(part: DataArray) -> DataArray:
    """Without the dims along which it does not change; where it is not known does not count."""
    for dim in map(str, part.dims):
        low = part.min(dim)
        same = (low == part.max(dim)) | low.isnull()
        if same.all():
            part = low
    return part
