"""Scaling exponents: b of y ~ x^b along a swept axis, by weighted least squares of logarithms with known errors.

The error of ln y is a quarter of the width of the 95 % interval over y (half the width over 1.96, relative). Weights are inverse variances, so that
the standard error of b follows from them and not from the scatter; whether a straight line holds at all is asked of the scatter, as chi-squared with
n - 2 degrees of freedom (Press et al. 2007, Numerical Recipes, section 15.2).
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy import stats
from statsmodels.regression.linear_model import WLS

from studies.analysis.bootstrap import LEVEL

SURE = 1e-9  # the least relative error that is believed
Z = float(stats.norm.ppf((1 + LEVEL) / 2))


def scaling(value: xr.DataArray, interval: xr.DataArray, axis: str) -> xr.Dataset:
    """Fit value ~ axis^b.

    Args:
        value: with the dim `axis`, of positive numbers; what is not positive, or has no interval, is left out.
        interval: of value, with the dim `bound`.
        axis: the swept dim, of numbers > 0.

    Returns:
        `exponent` b with `exponent_interval` (bound) and `exponent_error`, its standard error; `prefactor`, value at axis 1; `misfit`: the p-value of
        chi-squared of the straight line, NaN with two points; `points`, how many were fitted. Dims of value but the axis. NaN with fewer than two.

    Raises:
        ValueError: the axis is not of positive numbers.
    """
    if axis not in value.dims or value[axis].dtype.kind not in "iuf" or not bool((value[axis] > 0).all()):
        raise ValueError(
            f"scaling: expected a dim {axis!r} with numbers > 0, got {value[axis].values.tolist() if axis in value.coords else value.dims}"
        )
    error = (interval.sel(bound="high", drop=True) - interval.sel(bound="low", drop=True)) / (2 * Z) / value
    found = xr.apply_ufunc(
        _fit, np.log(value[axis].astype(float)), value, error, input_core_dims=[[axis]] * 3, output_core_dims=[["number"]], vectorize=True
    ).drop_vars(axis, errors="ignore")
    slope, spread, prefactor, misfit, points = (found.isel(number=i) for i in range(5))
    both = xr.concat([slope - Z * spread, slope + Z * spread], xr.Variable("bound", ["low", "high"]), coords="minimal").transpose(..., "bound")
    told = {"exponent": slope, "exponent_interval": both, "exponent_error": spread, "prefactor": prefactor, "misfit": misfit, "points": points}
    what = value.attrs.get("long_name", value.name or "value")
    told["exponent"].attrs = {"long_name": f"exponent of {what} in {axis}", "units": "1"}
    return xr.Dataset(told)


def _fit(x: np.ndarray, value: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Exponent, its standard error, prefactor, p-value of the misfit and number of points, of one row (n)."""
    good = (value > 0) & np.isfinite(value) & np.isfinite(error) & (error > 0)
    if good.sum() < 2:
        return np.array([np.nan, np.nan, np.nan, np.nan, good.sum()])
    weights = 1 / error[good].clip(SURE) ** 2
    line = WLS(np.log(value[good]), np.stack([np.ones(good.sum()), x[good]], 1), weights=weights).fit(cov_type="fixed scale")
    free = int(good.sum()) - 2
    misfit = stats.chi2.sf((weights * line.resid**2).sum(), free) if free else np.nan
    return np.array([line.params[1], line.bse[1], np.exp(line.params[0]), misfit, good.sum()])
