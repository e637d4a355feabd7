"""What the noise ledger says of a study.

Shares of sources, alignment and bias of the mean step, currencies, scaling. Datasets in, Datasets out.

Worlds are pooled as ratios of means, sum over worlds of the numerator over that of the denominator, so that a
world where nothing moves does not count for as much as one where much does. Intervals come from resampling
worlds, jointly across arms. Every function keeps all dims of the ledger (`studies.cells.ledger`) but
`replicate`, and adds `bound`: low and high.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import xarray as xr
from scipy import stats

from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.trends.scaling import scaling

ALPHA = 0.01  # of the test for a bias
TOLERANCE = 0.25  # of an exponent of -1: half the way to that of 1 / sqrt(B)
Scale = Literal["fitted", "learning_rate"]
SCALES = get_args(Scale)
BESIDE = ["angle", "angle_interval", "relative_gain", "relative_gain_interval", "unresolved"]
ROUND = 1e-6  # of a cosine above 1: rounding
NEGLIGIBLE = (
    1e-6  # squared bias relative to the squared mean step, a thousandth of its length: below, float32 rounds
)


def shares(data: xr.Dataset) -> xr.Dataset:
    """Sobol indices: the share of each source in the variance of a step.

    Args:
        data: a ledger.

    Returns:
        `first` (source): alone; `total` (source): alone and together with others; `interaction`: what no
        source does alone, 1 - sum of `first`, shown and never hidden. Each with `_interval` (bound). NaN
        where a step has no variance.
    """
    alone = data["step_variance_first"]
    whole = data["step_variance"].where(data["step_variance"] > 0)
    rest = data["step_variance"] - alone.sum("source")
    wanted: dict[str, xr.DataArray] = {
        "first": alone,
        "total": data["step_variance_total"],
        "interaction": rest,
    }
    names = {
        "first": "first-order share of the step's variance",
        "total": "total share of the step's variance",
        "interaction": "interaction",
    }
    return _pooled({name: (pooled_ratio, (part, whole)) for name, part in wanted.items()}, names)


def alignment(data: xr.Dataset) -> xr.Dataset:
    """The mean step held against the negative references.

    Args:
        data: a ledger.

    Returns:
        `length`: root mean square of the mean step's length. `cosine` (reference): between the mean steps and
            the references of all worlds, noise
        taken off both, with `angle`, in degrees. `gain` (reference): the factor k of the best fit step = -k
        reference, a learning rate, and `relative_gain`: that of the factor that the step is meant to have, 1
        where its length is right; NaN where it is meant to have none. Each with `_interval`. `unresolved`
        (reference): where noise, taken off both, left less than is seen along the reference, or nothing: the
        estimate of the cosine is above 1, or none; then `cosine` and `angle` are NaN, and more redraws or
        worlds would tell them.
    """
    along, step, held = _products(data)
    wanted: dict[str, tuple[Callable, tuple]] = {
        "length": (pooled_length, (data["mean_step_squared"],)),
        "cosine": (pooled_cosine, (along, step, held)),
        "gain": (pooled_ratio, (along, held)),
        "relative_gain": (pooled_ratio, (along, held * _nominal(data))),
    }
    names = {
        "length": "length of the mean step",
        "cosine": "cosine of the mean step",
        "gain": "mean step per reference",
    }
    return _angles(
        _pooled(wanted, names | {"relative_gain": "mean step per reference, of what it is meant to be"}),
        step.notnull().any("replicate"),
    )


def _angles(found: xr.Dataset, defined: xr.DataArray) -> xr.Dataset:
    """The cosines that can be, the angles, and where they are not resolved though defined."""
    estimate, interval = found["cosine"], found["cosine_interval"].clip(-1, 1)
    resolved = abs(estimate) <= 1 + ROUND
    found["cosine"] = estimate.where(resolved).clip(-1, 1).assign_attrs(estimate.attrs)
    found["cosine_interval"] = interval.assign_attrs(found["cosine_interval"].attrs)
    words = {"long_name": "angle between the mean step and the negative reference", "units": "degrees"}
    found["angle"] = _degrees(found["cosine"]).assign_attrs(words)
    ends = _degrees(interval).isel(bound=[1, 0]).assign_coords(bound=interval["bound"])
    found["angle_interval"] = ends.assign_attrs(long_name="95 % interval of the angle", units="degrees")
    found["unresolved"] = (~resolved & defined).assign_attrs(
        long_name="whether noise hides the angle", units="1"
    )
    return found


def _degrees(cosine: xr.DataArray) -> xr.DataArray:
    return xr.apply_ufunc(lambda values: np.degrees(np.arccos(values)), cosine)


def bias(data: xr.Dataset, scale: Scale = "fitted") -> xr.Dataset:
    """Is the mean step -k times the reference, with one k for all worlds, or with the k that it is meant to have?

    The bias of world r is mean step + k reference. With the scale fitted, k is the one that suits all worlds best: a step that is too long or too
    short everywhere is not biased, and a bias of length is seen in `relative_gain` alone. With that of the learning rate it is a bias too.

    Its squared length is estimated with one factor from each arm, a fitted k in each arm apart, so without bias it is 0 in expectation however noisy
    the steps are; a one-sided t test over worlds asks whether it is more than a millionth of the mean step's.

    All of it is given the frozen state. So a step with momentum is biased by the gradients that it remembers, and with `sampling: epoch` by what
    of the epoch is read already: the mini-batches that are left are no sample of all terms.

    Args:
        data: a ledger.
        scale: of the step: fitted, or learning_rate, the factor that the optimizer is meant to have to the reference; NaN where there is none.

    Returns:
        `bias` (reference): squared, relative to the mean step's, and `bias_interval`; `p_value`; `biased`: whether p < 0.01. Beside them what of it
        is direction and what length, as in `alignment`: `angle`, `relative_gain`, `unresolved`, with their intervals.

    Raises:
        ValueError: there is no such scale.
    """
    if scale not in SCALES:
        raise ValueError(f"bias: scale: expected {' or '.join(SCALES)}, got {scale!r}")
    return _bias(data, scale).merge(alignment(data)[BESIDE], compat="override", join="exact")


def _bias(data: xr.Dataset, scale: Scale) -> xr.Dataset:
    squared, step, _ = _squared_bias(data, scale)
    found = _pooled(
        {"bias": (pooled_ratio, (squared, step))}, {"bias": "squared bias relative to the squared mean step"}
    )
    count = squared.notnull().sum("replicate")
    more = squared - NEGLIGIBLE * step
    t = more.mean("replicate") / (more.std("replicate", ddof=1) / np.sqrt(count))
    p = xr.apply_ufunc(stats.t.sf, t, count - 1).where(count > 2)
    found["p_value"] = p.assign_attrs(long_name="of no bias", units="1")
    found["biased"] = (p < ALPHA).assign_attrs(long_name=f"whether no bias is rejected at {ALPHA:g}")
    return found


def _squared_bias(data: xr.Dataset, scale: Scale) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Of every world: the squared bias, the squared mean step, and that of the step without the bias, k times the reference."""
    _, step, held = _products(data)
    if scale == "learning_rate":
        held = held.where(_nominal(data).notnull())
        step = step.where(held.notnull())
    a, b = (data["mean_step_along"].sel(half=half, drop=True).where(held.notnull()) for half in ("a", "b"))
    fitted = {half: _sum(along) / _sum(held) for half, along in (("a", a), ("b", b))}
    k = fitted if scale == "fitted" else dict.fromkeys("ab", _nominal(data))
    squared = step - k["b"] * a - k["a"] * b + k["a"] * k["b"] * held
    return squared, step, k["a"] * k["b"] * held


def verdict(data: xr.Dataset, axis: str, scale: Scale = "fitted") -> xr.DataArray:
    """What the bias does along a swept axis, such as the batch or the population: a text for each reference.

    Args:
        data: a ledger with the dim `axis`, of numbers.
        axis: the swept dim.
        scale: of the step, as in `bias`.

    Returns:
        "unbiased": at no value is a bias seen (Holm's correction); "biased O(1/B)", B the axis: seen, and its
        length, over that of the step without it, falls as B^b with b within 0.25 of -1, as its whole 95 %
        interval says (jointly over worlds); "biased": seen, and else; "unknown": there is no test. Dims of
        the ledger but replicate and the axis.
    """
    p_value = _bias(data, scale)["p_value"]
    number = p_value.get_axis_num(axis)
    smallest = xr.DataArray(
        np.sort(p_value.fillna(1.0).values, axis=number).take(0, axis=number),
        dims=[d for d in p_value.dims if d != axis],
    )
    seen = smallest * data.sizes[axis] < ALPHA
    ends = exponent(data, axis, scale)["exponent_interval"] / 2  # of the length
    falls = (ends.sel(bound="low", drop=True) >= -1 - TOLERANCE) & (
        ends.sel(bound="high", drop=True) <= -1 + TOLERANCE
    )
    texts = xr.where(seen, xr.where(falls, f"biased O(1/{axis})", "biased"), "unbiased")
    return texts.where(p_value.notnull().any(axis), "unknown").rename("verdict")


def currencies(data: xr.Dataset) -> xr.Dataset:
    """Noise in units that mean the same for SGD and for evolution.

    Args:
        data: a ledger.

    Returns:
        `noise_to_signal`: variance of a step over its squared mean. `noise_scale`: that times the sample that
            a step takes: the batch, or the
        population, at which the two are equal (B_simple, McCandlish et al. 2018, arXiv:1812.06162, equation
        2.9, and its twin lambda_noise). `effective_population`: expected p (1 - p) over the variance of
        allele frequencies (Wright 1931). `temperature`: variance of a step over 2 k tr G, k and G of the
        preconditioned reference: eta sigma^2 / 2B of SGD, 1 / 2N of a Wright-Fisher population.
        `stationary_temperature`: that of the density exp(-loss / T) in which worlds that have come to rest
        would be, E |grad|^2 / E tr H at their centers (Rugh 1997, Phys. Rev. Lett. 78:772, equation 4; by
        parts); on reals alone, and meaningless before they rest. Each with `_interval`.
    """
    variance, size = data["step_variance"].sel(direction="all", drop=True), data["sample_size"]
    along, _, held = (part.sel(reference="preconditioned", drop=True) for part in _products(data))
    step = data["mean_step_squared"]
    trace, dim = (
        data["reference_trace"].sel(reference=name, drop=True) for name in ("preconditioned", "raw")
    )
    slope = (
        data["reference_squared"]
        .sel(reference="raw", drop=True)
        .where(data["binomial_variance"].isnull() & np.isfinite(step))
    )
    wanted: dict[str, tuple[Callable, tuple]] = {
        "noise_to_signal": (pooled_ratio, (variance, step)),
        "noise_scale": (pooled_ratio, (variance * size, step)),
        "effective_population": (pooled_ratio, (data["binomial_variance"], variance.where(variance > 0))),
        "temperature": (pooled_temperature, (variance, along, held, trace)),
        "stationary_temperature": (pooled_ratio, (slope, data["mean_curvature"] * dim)),
    }
    names = {
        "noise_to_signal": "noise-to-signal ratio of a step",
        "noise_scale": "sample at which noise equals signal",
    }
    names |= {
        "effective_population": "effective population size",
        "temperature": "effective temperature of a step",
    }
    return _pooled(
        wanted, names | {"stationary_temperature": "effective temperature of the stationary state"}
    )


def exponent(data: xr.Dataset, axis: str, scale: Scale = "fitted") -> xr.Dataset:
    """How the squared bias goes with a swept axis: as axis^b; see `studies.analysis.trends.scaling`.

    It is relative to the step without the bias, k times the reference, so that b is that of the bias alone; a
    mean step holds the bias. Values at which the squared bias is estimated as 0 or less are left out.

    Args:
        data: a ledger with the dim `axis`, of numbers.
        axis: the swept dim.
        scale: of the step, as in `bias`.
    """
    squared, _, unbiased = _squared_bias(data, scale)
    finite = [part.where(np.isfinite(squared) & np.isfinite(unbiased)) for part in (squared, unbiased)]
    return scaling(pooled_ratio, finite, axis, long_name="squared bias over the squared step without it")


# pooling ----------------------------------------------------------------------------------------------------


def pooled_ratio(above: np.ndarray, below: np.ndarray, axis: int = -1) -> np.ndarray:
    """Sum over sum, of the worlds where both are known; NaN where none is."""
    known = ~(np.isnan(above) | np.isnan(below))
    above, below = (np.where(known, part, 0.0).sum(axis) for part in (above, below))
    return np.where(known.any(axis), above, np.nan) / below


def pooled_length(squared: np.ndarray, axis: int = -1) -> np.ndarray:
    """Root mean square; 0 where the mean square is negative."""
    return np.sqrt(np.nanmean(squared, axis).clip(0))


def pooled_cosine(along: np.ndarray, step: np.ndarray, held: np.ndarray, axis: int = -1) -> np.ndarray:
    """Sum of products over the root of both sums of squares."""
    below = np.nansum(step, axis) * np.nansum(held, axis)
    return np.nansum(along, axis) / np.sqrt(np.where(below > 0, below, np.nan))


def pooled_temperature(
    variance: np.ndarray, along: np.ndarray, held: np.ndarray, trace: np.ndarray, axis: int = -1
) -> np.ndarray:
    """V / (2 k tr G), k = sum of products over sum of squares."""
    known = ~np.isnan(variance + along + held + trace)
    variance, along, held, trace = (
        np.where(known, part, 0.0).sum(axis) for part in (variance, along, held, trace)
    )
    return np.where(known.any(axis), variance, np.nan) * held / (2 * along * trace)


def _pooled(
    wanted: dict[str, tuple[Callable, tuple[xr.DataArray, ...]]], names: dict[str, str]
) -> xr.Dataset:
    found = []
    for name, (statistic, parts) in wanted.items():
        finite = [part.where(np.isfinite(part)) for part in parts]
        units = parts[0].attrs.get("units", "1") if name == "length" else "1"
        found.append(estimate(name, statistic, finite, long_name=names[name], units=units))
    return xr.merge(found, compat="override", join="exact")


def _products(data: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Mean step times negative reference, mean step squared, reference squared.

    Only worlds where all are known.
    """
    along, step, held = (
        data["mean_step_along"].mean("half"),
        data["mean_step_squared"],
        data["reference_squared"],
    )
    known = np.isfinite(along) & np.isfinite(step) & np.isfinite(held)
    return along.where(known), step.where(known), held.where(known)


def _nominal(data: xr.Dataset) -> xr.DataArray:
    """The factor that the step is meant to have to the negative reference; NaN in ledgers that do not say."""
    return data["nominal_rate"] if "nominal_rate" in data else xr.full_like(data["reference_squared"], np.nan)


def _sum(part: xr.DataArray) -> xr.DataArray:
    return part.sum("replicate")
