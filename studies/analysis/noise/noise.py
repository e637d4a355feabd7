"""What the noise ledger says of a study.

Shares of sources, alignment and bias of the mean step, currencies, scaling. Datasets in, Datasets out.

Worlds are pooled as ratios of means, sum over worlds of the numerator over that of the denominator, so that a
world where nothing moves does not count for as much as one where much does. Intervals come from resampling
worlds, jointly across arms. Every function keeps all dims of the ledger (`studies.cells.ledger`) but
`replicate`, and adds `bound`: low and high.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import scipy
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.noise.pooling import (
    Pooled,
    over_signal,
    pooled,
    pooled_cosine,
    pooled_length,
    pooled_ratio,
    pooled_temperature,
)
from studies.analysis.shapes import ends, named, rest
from studies.analysis.trends.scaling import scaling

ALPHA = 0.01  # of the test for a bias
TOLERANCE = 0.25  # of an exponent of -1: half the way to that of 1 / sqrt(B)
Scale = Literal["fitted", "learning_rate"]
SCALES = get_args(Scale)
CURRENCIES = (
    *("noise_to_signal", "noise_scale", "effective_population"),
    *("temperature", "stationary_temperature"),
)
RATIO, EQUAL = "noise-to-signal ratio", "sample at which noise equals signal"
BESIDE = ["angle", "angle_interval", "relative_gain", "relative_gain_interval", "unresolved"]
ROUND = 1e-6  # of a cosine above 1: rounding
# squared bias relative to the squared mean step, a thousandth of its length: below, float32 rounds
NEGLIGIBLE = 1e-6


def shares(data: Dataset) -> Dataset:
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
    about = "share of the step's variance"
    return pooled(
        Pooled("first", pooled_ratio, (alone, whole), f"first-order {about}"),
        Pooled("total", pooled_ratio, (data["step_variance_total"], whole), f"total {about}"),
        Pooled(
            "interaction",
            pooled_ratio,
            (data["step_variance"] - alone.sum("source"), whole),
            "interaction",
        ),
    )


def alignment(data: Dataset) -> Dataset:
    """The mean step held against the negative references.

    Args:
        data: a ledger.

    Returns:
        Each but `unresolved` with `_interval` (bound), each but `length` by reference:

        - `length`: root mean square of the mean step's length.
        - `cosine`: between the mean steps and the references of all worlds, noise taken off both.
        - `angle`: of that cosine, in degrees.
        - `gain`: the factor k of the best fit step = -k reference, a learning rate.
        - `relative_gain`: `gain` over the factor that the step is meant to have, 1 where its length is right;
          NaN where it is meant to have none.
        - `unresolved`: whether noise hides the angle. Taken off both, it left less than is seen along the
          reference, or nothing, so that the estimate of the cosine is above 1, or there is none. Then
          `cosine` and `angle` are NaN, and more redraws or worlds would tell them.
    """
    along, step, held = products(data)
    squared = data["mean_step_squared"]
    gain, length = "mean step per reference", "length of the mean step"
    result = pooled(
        Pooled("length", pooled_length, (squared,), length, squared.attrs.get("units", "1"), True),
        Pooled("cosine", pooled_cosine, (along, step, held), "cosine of the mean step"),
        Pooled("gain", pooled_ratio, (along, held), gain),
        Pooled(
            "relative_gain",
            pooled_ratio,
            (along, held * nominal(data)),
            f"{gain}, of what it is meant to be",
        ),
    )
    return _angles(result, step.notnull().any("replicate"))


def _angles(result: Dataset, defined: DataArray) -> Dataset:
    """The cosines that can be, the angles, and where they are not resolved though defined."""
    cosine = result["cosine"]
    interval = result["cosine_interval"].clip(-1, 1)
    resolved = abs(cosine) <= 1 + ROUND
    result["cosine"] = cosine.where(resolved).clip(-1, 1).assign_attrs(cosine.attrs)
    result["cosine_interval"] = interval.assign_attrs(result["cosine_interval"].attrs)
    angle = _degrees(result["cosine"])
    turned = _degrees(interval).isel(bound=[1, 0])
    turned = turned.assign_coords(bound=interval["bound"])
    result["angle"] = named(angle, "angle between the mean step and the negative reference", "degrees")
    result["angle_interval"] = named(turned, "95 % interval of the angle", "degrees")
    return result.assign(unresolved=named(~resolved & defined, "whether noise hides the angle"))


def _degrees(cosine: DataArray) -> DataArray:
    return xr.apply_ufunc(lambda values: np.degrees(np.arccos(values)), cosine)


def bias(data: Dataset, scale: Scale = "fitted") -> Dataset:
    """Is the mean step -k times the reference, with one k for all worlds, or with the k that is meant?

    The bias of world r is mean step + k reference. With the scale fitted, k is the one that suits all worlds
    best: a step that is too long or too short everywhere is not biased, and a bias of length is seen in
    `relative_gain` alone. With that of the learning rate it is a bias too.

    Its squared length is estimated with one factor from each arm, a fitted k in each arm apart, so without
    bias it is 0 in expectation however noisy the steps are; a one-sided t test over worlds asks whether it is
    more than a millionth of the mean step's.

    All of it is given the frozen state. So a step with momentum is biased by the gradients that it remembers,
    and with `sampling: epoch` by what of the epoch is read already: the mini-batches that are left are no
    sample of all terms.

    Args:
        data: a ledger.
        scale: of the step: fitted, or learning_rate, the factor that the optimizer is meant to have to the
            reference; NaN where there is none.

    Returns:
        `bias` (reference): squared, relative to the mean step's, and `bias_interval`; `p_value`; `biased`:
        whether p < 0.01. Beside them what of it is direction and what length, as in `alignment`: `angle`,
        `relative_gain`, `unresolved`, with their intervals.

    Raises:
        ValueError: there is no such scale.
    """
    if scale not in SCALES:
        raise ValueError(f"bias: scale: expected {' or '.join(SCALES)}, got {scale!r}")
    return _bias(data, scale).merge(alignment(data)[BESIDE], compat="override", join="exact")


def _bias(data: Dataset, scale: Scale) -> Dataset:
    squared, step, _ = _squared_bias(data, scale)
    about = "squared bias relative to the squared mean step"
    result = pooled(Pooled("bias", pooled_ratio, (squared, step), about))
    p = _above(squared - NEGLIGIBLE * step)
    result["p_value"] = named(p, "of no bias")
    result["biased"] = named(p < ALPHA, f"whether no bias is rejected at {ALPHA:g}", None)
    return result


def _above(part: DataArray) -> DataArray:
    """One-sided p of a t test over worlds that the mean is 0 or less."""
    worlds = part.notnull().sum("replicate")
    t = part.mean("replicate") / (part.std("replicate", ddof=1) / np.sqrt(worlds))
    return xr.apply_ufunc(scipy.stats.t.sf, t, worlds - 1).where(worlds > 2)


def _squared_bias(data: Dataset, scale: Scale) -> tuple[DataArray, DataArray, DataArray]:
    """The squared bias of every world, and the squares of the mean step and of the step without the bias.

    The latter is k times the reference.
    """
    _, step, held = products(data)
    meant = nominal(data)
    if scale == "learning_rate":
        held = held.where(meant.notnull())
        step = step.where(held.notnull())
    a, b = (
        data["mean_step_along"].sel(half=half, drop=True).where(held.notnull()) for half in ("a", "b")
    )
    k_a = k_b = meant
    if scale == "fitted":
        k_a, k_b = (side.sum("replicate") / held.sum("replicate") for side in (a, b))
    squared = step - k_b * a - k_a * b + k_a * k_b * held
    return squared, step, k_a * k_b * held


def verdict(data: Dataset, axis: str, scale: Scale = "fitted") -> DataArray:
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
    seen = _smallest(p_value, axis) * data.sizes[axis] < ALPHA
    low, high = ends(exponent(data, axis, scale)["exponent_interval"] / 2)  # of the length
    falls = (low >= -1 - TOLERANCE) & (high <= -1 + TOLERANCE)
    texts = xr.where(seen, xr.where(falls, f"biased O(1/{axis})", "biased"), "unbiased")
    return texts.where(p_value.notnull().any(axis), "unknown").rename("verdict")


def _smallest(p_value: DataArray, axis: str) -> DataArray:
    """The smallest p along an axis; 1 where there is none."""
    number = p_value.get_axis_num(axis)
    return DataArray(p_value.fillna(1.0).values.min(number), dims=rest(p_value, axis))


def currencies(data: Dataset) -> Dataset:
    """Noise in units that mean the same for SGD and for evolution.

    Args:
        data: a ledger.

    Returns:
        `noise_to_signal`: variance of a step over its squared mean, inf where that is estimated as 0 or less,
        as in draws of worlds of which the upper end of an interval is then inf (Fieller 1954, J. R. Stat.
        Soc. B 16:175). `noise_scale`: that times the sample that a step takes: the batch, or the population,
        at which the two are equal (B_simple, McCandlish et al. 2018, arXiv:1812.06162, equation
        2.9, and its twin lambda_noise). `effective_population`: expected p (1 - p) over the variance of
        allele frequencies (Wright 1931). `temperature`: variance of a step over 2 k tr G, k and G of the
        preconditioned reference: eta sigma^2 / 2B of SGD, 1 / 2N of a Wright-Fisher population.
        `stationary_temperature`: that of the density exp(-loss / T) in which worlds that have come to rest
        would be, E |grad|^2 / E tr H at their centers (Rugh 1997, Phys. Rev. Lett. 78:772, equation 4; by
        parts); on reals alone, and meaningless before they rest. Each with `_interval`.
    """
    return pooled(*pooled_currencies(data).values())


def currency(data: Dataset, name: str) -> Dataset:
    """One of the `CURRENCIES`, with its interval."""
    return pooled(pooled_currencies(data)[name])


def pooled_currencies(data: Dataset) -> dict[str, Pooled]:
    """The `CURRENCIES` before they are pooled."""
    variance = data["step_variance"].sel(direction="all", drop=True)
    step = data["mean_step_squared"]
    drift = (data["binomial_variance"], variance.where(variance > 0))
    sampled = variance * data["sample_size"]
    every = (
        Pooled("noise_to_signal", over_signal, (variance, step), f"{RATIO} of a step"),
        Pooled("noise_scale", over_signal, (sampled, step), EQUAL),
        Pooled("effective_population", pooled_ratio, drift, "effective population size", positive=True),
        *_temperatures(data, variance),
    )
    return {each.name: each for each in every}


def _temperatures(data: Dataset, variance: DataArray) -> tuple[Pooled, Pooled]:
    """That of a step, and that of the stationary state."""
    along, _, held = (part.sel(reference="preconditioned", drop=True) for part in products(data))
    trace, dim = (
        data["reference_trace"].sel(reference=name, drop=True) for name in ("preconditioned", "raw")
    )
    on_reals = data["binomial_variance"].isnull() & np.isfinite(data["mean_step_squared"])
    slope = data["reference_squared"].sel(reference="raw", drop=True).where(on_reals)
    about = "effective temperature of"
    parts = (variance, along, held, trace)
    resting = (slope, data["mean_curvature"] * dim)
    return (
        Pooled("temperature", pooled_temperature, parts, f"{about} a step"),
        Pooled("stationary_temperature", pooled_ratio, resting, f"{about} the stationary state"),
    )


def exponent(data: Dataset, axis: str, scale: Scale = "fitted") -> Dataset:
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
    return scaling(
        pooled_ratio, finite, axis, long_name="squared bias over the squared step without it"
    )


# numbers of worlds ------------------------------------------------------------------------------------------


def products(data: Dataset) -> tuple[DataArray, DataArray, DataArray]:
    """Of every world: mean step times negative reference, mean step squared, reference squared.

    Only worlds where all are known.
    """
    along = data["mean_step_along"].mean("half")
    step = data["mean_step_squared"]
    held = data["reference_squared"]
    known = np.isfinite(along) & np.isfinite(step) & np.isfinite(held)
    return along.where(known), step.where(known), held.where(known)


def nominal(data: Dataset) -> DataArray:
    """The factor that the step is meant to have to the negative reference; NaN in ledgers that do not say."""
    return (
        data["nominal_rate"]
        if "nominal_rate" in data
        else xr.full_like(data["reference_squared"], np.nan)
    )
