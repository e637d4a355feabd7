"""What the noise ledger says, as parts of a quantity: `ledger.gain[raw]`, `ledger.share[data]`.

    gain, relative_gain, cosine, bias [reference]      of the mean step, beside the negative reference
    bias[reference, scale=learning_rate]               with the factor that is meant, in place of the fitted
    length                                             of the mean step, root mean square
    share, total [source]; interaction                 Sobol indices of the step's variance
    noise_to_signal, noise_scale, temperature, stationary_temperature, effective_population
    error, error_length, error_cosine                  of a step beside that with other settings (`against`)
    step_variance, noise_rank, price[selection], ..    any variable of the ledger, of each world

The estimators are those of `studies.analysis.noise.noise`, pooled over worlds as ratios of sums, so that they
are computed anew for each draw of worlds. At the last moment of the ledger, unless
`ledger.gain[raw](moment=0.5)` says another. A cosine may lie above 1 by its noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from xarray import DataArray, Dataset

from studies.analysis.noise import noise, pooling
from studies.analysis.quantities.shares import NAME, Exactly
from studies.analysis.quantities.values import Gathered, Value
from studies.text.shapes import Data
from studies.text.words import suggest

HEAD = "ledger."
SCALES = noise.SCALES
OF_MODE = ("direction", "mode")  # dims of which the first place is meant unless another is said
NO_SLOPE = "none of these losses has a slope"
NO_FITNESS = "none of these optimizers selects by fitness alone: tournaments, ranks and elites do not"
NONE = {  # reference -> why the ledger may have none of it
    **dict.fromkeys(("raw", "smoothed", "preconditioned"), NO_SLOPE),
    **dict.fromkeys(("selection", "mean_fitness"), NO_FITNESS),
}
INNER = ("reference", "source", "force", "error_quantile", *OF_MODE)  # what a label may choose from


class Pooled(NamedTuple):
    """A statistic of the sums of these parts over worlds."""

    statistic: Callable  # of arrays and `axis`
    parts: Sequence[DataArray]

    def exact(self, parts: Sequence[DataArray]) -> Exactly | None:
        """The interval that it has of its own, of some of its parts."""
        if self.statistic is not pooling.over_signal:
            return None
        return lambda text, level: pooling.of_signal(NAME, parts, long_name=text, units="", level=level)


def gain(data: Dataset) -> Pooled:
    """The factor k of the best fit step = -k reference."""
    along, _, held = noise.products(data)
    return Pooled(pooling.pooled_ratio, [along, held])


def relative_gain(data: Dataset) -> Pooled:
    """The gain over the factor that is meant."""
    along, _, held = noise.products(data)
    return Pooled(pooling.pooled_ratio, [along, held * noise.nominal(data)])


def cosine(data: Dataset) -> Pooled:
    """Cosine of the mean step and the negative reference, noise taken off both."""
    return Pooled(pooling.pooled_cosine, noise.products(data))


def length(data: Dataset) -> Pooled:
    """Length of the mean step, root mean square."""
    return Pooled(pooling.pooled_length, [data["mean_step_squared"]])


def bias(data: Dataset) -> Pooled:
    """The squared bias over the squared mean step, with the factor that fits best."""
    return Pooled(fitted_bias, [*_halves(data), *noise.products(data)[1:]])


def meant_bias(data: Dataset) -> Pooled:
    """The squared bias over the squared mean step, with the factor that is meant."""
    k, (a, b) = noise.nominal(data), _halves(data)
    _, step, held = noise.products(data)
    squared = step - k * (a + b) + k * k * held
    return Pooled(pooling.pooled_ratio, [squared, step.where(squared.notnull())])


def share(data: Dataset) -> Pooled:
    """Share of a source alone in the variance of a step."""
    return Pooled(pooling.pooled_ratio, [data["step_variance_first"], _variance(data)])


def total(data: Dataset) -> Pooled:
    """Share of a source, alone and together with others."""
    return Pooled(pooling.pooled_ratio, [data["step_variance_total"], _variance(data)])


def interaction(data: Dataset) -> Pooled:
    """Share of the variance of a step that no source has alone."""
    rest = data["step_variance"] - data["step_variance_first"].sum("source")
    return Pooled(pooling.pooled_ratio, [rest, _variance(data)])


def error(data: Dataset) -> Pooled:
    """Length of the error of a step over that of the step with other settings, both root mean squares."""
    return Pooled(root_ratio, _against(data, "error_squared", "squared"))


def error_length(data: Dataset) -> Pooled:
    """Length of a step over that with other settings, both root mean squares."""
    return Pooled(root_ratio, _against(data, "step_squared", "squared"))


def error_cosine(data: Dataset) -> Pooled:
    """Cosine of a step and the one with other settings: the mean over steps, then over worlds."""
    return Pooled(mean_of_worlds, _against(data, "cosine"))


def _against(data: Dataset, *names: str) -> list[DataArray]:
    if "against_squared" not in data:
        raise ValueError(
            f"{HEAD}error: these results hold no steps against those of other settings; give"
            " `ledger: {against: {PATH: value}}`"
        )
    old = [name for name in names if f"against_{name}" not in data]
    if old:
        raise ValueError(f"{HEAD}error_{old[0]}: these results hold none; run the study again")
    return [data[f"against_{name}"] for name in names]


def mean_of_worlds(numbers: np.ndarray, axis: int = -1) -> np.ndarray:
    """The mean of the worlds where it is known; NaN where it is in none."""
    there = ~np.isnan(numbers)
    many = there.sum(axis)
    return np.where(there, numbers, 0.0).sum(axis) / np.where(many > 0, many, np.nan)


def root_ratio(above: np.ndarray, below: np.ndarray, axis: int = -1) -> np.ndarray:
    """The root of sum over sum, of the worlds where both are known."""
    return np.sqrt(pooling.pooled_ratio(above, below, axis))


def _variance(data: Dataset) -> DataArray:
    return data["step_variance"].where(data["step_variance"] > 0)


def _halves(data: Dataset) -> list[DataArray]:
    """The mean step along the negative reference, from either arm."""
    known = noise.products(data)[2].notnull()
    along = data["mean_step_along"].where(known)
    return [along.sel(half=half, drop=True) for half in ("a", "b")]


def fitted_bias(
    a: np.ndarray, b: np.ndarray, step: np.ndarray, held: np.ndarray, axis: int = -1
) -> np.ndarray:
    """1 - sum a sum b / (sum step sum held): the factor is fitted in each arm apart.

    Args:
        a: (.., R) products of the mean step and the negative reference, of one arm.
        b: (.., R) the same of the other.
        step: (.., R) squares of the mean step.
        held: (.., R) squares of the reference.
        axis: of the worlds.
    """
    sums = [np.nansum(part, axis) for part in (a, b, step, held)]
    known = (~np.isnan(step)).any(axis)
    return np.where(known, 1 - sums[0] * sums[1] / (sums[2] * sums[3]), np.nan)


def _currency(name: str) -> Callable[[Dataset], Pooled]:
    """One of `noise.currencies`."""

    def pooled(data: Dataset) -> Pooled:
        told = noise.pooled_currencies(data)[name]
        return Pooled(told.statistic, told.parts)

    return pooled


POOLED: dict[str, Callable[[Dataset], Pooled]] = {
    "gain": gain,
    "relative_gain": relative_gain,
    "cosine": cosine,
    "length": length,
    "bias": bias,
    "share": share,
    "total": total,
    "interaction": interaction,
    "error": error,
    "error_length": error_length,
    "error_cosine": error_cosine,
    **{name: _currency(name) for name in noise.CURRENCIES},
}


class Asked(NamedTuple):
    """A number of the ledger, and of which of its references, sources, forces or directions."""

    name: str
    labels: Sequence[object] = ()
    given: Data = {}  # noqa: RUF012


def told(data: Dataset, gathered: Gathered, asked: Asked) -> Value:
    """A number of the ledger at a moment: a summary of pooled worlds, or a number of each world.

    Raises:
        ValueError: the results have no ledger, or there is no such number or label.
    """
    if "step_variance" not in data:
        raise ValueError(f"{HEAD}{asked.name}: these results have no noise ledger (`ledger:`)")
    if asked.name not in POOLED:
        return _chosen([_of_worlds(data, asked.name)], asked)[0]
    pooled = _pooled(data, asked)
    parts = [part.where(np.isfinite(part)) for part in _chosen(pooled.parts, asked)]
    _expect_numbers(data, parts, asked)
    return gathered.summary(pooled.statistic, *parts, exact=pooled.exact(parts))


def _expect_numbers(data: Dataset, parts: Sequence[DataArray], asked: Asked) -> None:
    """Say why there is none, where no world has a number beside a reference, and some have steps."""
    said = [label for label in (*asked.labels, *asked.given.values()) if label in NONE]
    steps = bool(data["step_variance"].notnull().any())
    if said and steps and not all(bool(part.notnull().any()) for part in parts):
        why = NONE[str(said[0])]
        raise ValueError(
            f"{HEAD}{asked.name}[{said[0]}]: no numbers; {why}, or `ledger.references` lacks it"
        )


def names(data: Dataset) -> list[str]:
    """What may follow `ledger.` in these results."""
    variables = [str(name) for name in data.data_vars if "moment" in data[name].dims]
    return [*POOLED, *variables]


def _pooled(data: Dataset, asked: Asked) -> Pooled:
    scale = asked.given.get("scale", SCALES[0])
    if scale not in SCALES or (scale != SCALES[0] and asked.name != "bias"):
        raise ValueError(f"{HEAD}{asked.name}: scale: expected {' or '.join(SCALES)}, of bias alone")
    return (POOLED[asked.name] if scale == SCALES[0] else meant_bias)(data)


def _of_worlds(data: Dataset, name: str) -> DataArray:
    if name not in data or "replicate" not in data[name].dims:
        raise ValueError(f"unknown quantity {HEAD + name!r}; {suggest(name, names(data))}")
    values = data[name]
    return values.where(np.isfinite(values))


def _chosen(parts: Sequence[DataArray], asked: Asked) -> list[DataArray]:
    """The parts at the labels that are asked for; else all directions together, and the first mode."""
    there = {dim: part[dim].values.tolist() for dim in INNER for part in parts if dim in part.dims}
    said = {_dim_with(there, label, asked): label for label in asked.labels}
    for dim, label in asked.given.items():
        if dim in INNER:
            said[_dim_with({dim: there.get(dim, [])}, label, asked)] = label
    places = {dim: there[dim].index(label) for dim, label in said.items()}
    places = dict.fromkeys((dim for dim in OF_MODE if dim in there), 0) | places
    return [part.isel(places, drop=True, missing_dims="ignore") for part in parts]


def _dim_with(there: Mapping[str, list], label: object, asked: Asked) -> str:
    """The dim along which a label is."""
    dims = [dim for dim, labels in there.items() if label in labels]
    if not dims:
        labels = [str(name) for labels in there.values() for name in labels]
        raise ValueError(f"{HEAD}{asked.name}: unknown label {label!r}; {suggest(str(label), labels)}")
    return dims[0]
