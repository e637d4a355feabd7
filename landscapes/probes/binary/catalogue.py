"""All measures of landscapes of bits by name, and how each is had.

From the table of all genotypes, or from samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import torch
from torch import Tensor

from landscapes.base import Landscape
from landscapes.probes.binary import (
    climbs,
    enumeration,
    optima_networks,
    sampled,
    sampled_climbs,
    walsh,
)
from landscapes.probes.binary.sampled_climbs import SampledClimbs
from landscapes.probes.estimates import Estimate
from landscapes.probes.measure import Measure
from landscapes.streams import Streams

LEAST = 32  # samples


@dataclass(frozen=True)
class Table:
    """The fitness of all genotypes and what measures share, each computed when it is first asked for.

    Args:
        values: (R, 2^n).
        dtype: in which the landscape computes.
    """

    values: Tensor
    dtype: torch.dtype = torch.float64

    @cached_property
    def order(self) -> Tensor:
        """Genotypes by ascending fitness."""
        return enumeration.ascending(self.values)

    @cached_property
    def neighbours(self) -> enumeration.Neighbours:
        """Comparisons of neighbours."""
        return enumeration.neighbours(self.values)

    @cached_property
    def squares(self) -> enumeration.Squares:
        """Epistasis."""
        return enumeration.squares(self.values, self.dtype)

    @cached_property
    def effects(self) -> enumeration.Effects:
        """Fitness effects."""
        return enumeration.effects(self.values)

    @cached_property
    def coefficients(self) -> Tensor:
        """Walsh's."""
        return walsh.transform(self.values)

    @cached_property
    def rho(self) -> Tensor:
        """Autocorrelation."""
        return walsh.autocorrelation(walsh.spectrum(self.coefficients))

    @cached_property
    def climbs(self) -> dict[str, climbs.Climbs]:
        """Climbs by each rule."""
        return {
            rule: (
                climbs.climbs(self.values, self.order, self.neighbours.fitter, rule)._replace(
                    mass=self.values[:, :0]
                )
            )
            for rule in climbs.RULES
        }

    @cached_property
    def paths(self) -> Tensor:
        """Accessible direct paths to the best."""
        return climbs.direct_paths(self.values)

    @cached_property
    def funnels(self) -> optima_networks.Funnels:
        """Funnels of the local optima network."""
        return optima_networks.funnels(self.values, self.order)


class Entry(NamedTuple):
    """One measure."""

    long_name: str
    unit: str
    source: str
    exact: Callable[[Table], Tensor] | None = None  # None: there is none
    estimate: Callable[[SampledClimbs], Estimate] | None = None
    axis: tuple[str, Callable[[int], Tensor], str] | None = None  # name, places of K, unit


def _counted(count: int) -> Tensor:
    return torch.arange(1, count + 1, dtype=torch.float64)


def _centres(count: int) -> Tensor:
    return (torch.arange(count, dtype=torch.float64) + 0.5) / count


def _climbed(table: Table, rule: str, part: str) -> Tensor:
    return getattr(table.climbs[rule], part)


def _of(estimate: Callable[..., Estimate], **options: bool) -> Callable[[SampledClimbs], Estimate]:
    """An estimate from the samples that climbs belong to."""
    return lambda climbs: estimate(climbs.sample, **options)


def _epistasis(kind: int) -> Callable[[SampledClimbs], Estimate]:
    def estimate(climbs: SampledClimbs) -> Estimate:
        value, error = sampled.epistasis(climbs.sample)
        return value[:, kind], error[:, kind]

    return estimate


def _negative(estimate: Estimate) -> Estimate:
    return -estimate[0], estimate[1]


_WEINBERGER = "Weinberger 1990"
_FERRETTI = "Ferretti et al. 2016"
_WEINREICH = "Weinreich et al. 2005; Poelwijk et al. 2007"
_JONES = "Jones and Forrest 1995"
_OCHOA = "Verel et al. 2012; Ochoa et al. 2017"
_PATHS = "Weinreich et al. 2006; Franke et al. 2011"
_CLIMBS = {"random": "Macken and Perelson 1989", "greedy": "Orr 2003", "proportional": "Gillespie 1984"}

MEASURES: dict[str, Entry] = {
    "peaks": Entry(
        "number of peaks", "1", "Kauffman and Levin 1987",
        lambda t: enumeration.peaks(t.neighbours),
    ),
    "local_optima": Entry(
        "number of genotypes without a fitter neighbour", "1", "",
        lambda t: enumeration.local_optima(t.neighbours),
    ),
    "peak_density": Entry(
        "fraction of genotypes that are peaks", "1", "Kauffman and Levin 1987",
        lambda t: enumeration.peaks(t.neighbours) / t.values.shape[1], _of(sampled.peak_density),
    ),
    "peaks_found": Entry(
        "different ends of hill climbs, a lower bound of the number of optima", "1", "",
        None, sampled_climbs.peaks_found,
    ),
    "autocorrelation": Entry(
        "autocorrelation along random walks", "1", _WEINBERGER,
        lambda t: t.rho, _of(sampled.autocorrelation), ("lag", _counted, "steps"),
    ),
    "correlation_length": Entry(
        "correlation length", "steps", _WEINBERGER,
        lambda t: walsh.correlation_length(t.rho[:, 0]), _of(sampled.correlation_length),
    ),
    "walsh_spectrum": Entry(
        "share of the variance due to interactions of an order", "1", "Stadler 1996",
        lambda t: walsh.spectrum(t.coefficients), _of(sampled.spectrum), ("order", _counted, "loci"),
    ),
    "roughness_slope": Entry(
        "roughness over slope", "1", "Aita et al. 2001",
        lambda t: walsh.roughness_slope(t.coefficients), _of(sampled.roughness_slope),
    ),
    "epistasis_none": Entry(
        "fraction of pairs of loci without epistasis", "1", _WEINREICH,
        lambda t: t.squares.none, _epistasis(0),
    ),
    "epistasis_magnitude": Entry(
        "fraction with magnitude epistasis", "1", _WEINREICH,
        lambda t: t.squares.magnitude, _epistasis(1),
    ),
    "epistasis_sign": Entry(
        "fraction with sign epistasis", "1", _WEINREICH,
        lambda t: t.squares.sign, _epistasis(2),
    ),
    "epistasis_reciprocal": Entry(
        "fraction with reciprocal sign epistasis", "1", _WEINREICH,
        lambda t: t.squares.reciprocal, _epistasis(3),
    ),
    "gamma": Entry(
        "correlation of fitness effects, gamma", "1", _FERRETTI,
        lambda t: t.squares.gamma, _of(sampled.gamma),
    ),
    "gamma_signs": Entry(
        "correlation of the signs of fitness effects, gamma*", "1", _FERRETTI,
        lambda t: t.squares.gamma_signs, _of(sampled.gamma, signs=True),
    ),
    "distance_correlation_pearson": Entry(
        "fitness-distance correlation of the loss (Pearson)", "1", _JONES,
        lambda t: -enumeration.fitness_distance(t.values),
        lambda c: _negative(sampled_climbs.fitness_distance(c)),
    ),
    "distance_correlation_spearman": Entry(
        "fitness-distance correlation of the loss (Spearman)", "1", _JONES,
        lambda t: -enumeration.fitness_distance_ranks(t.values, t.order),
        lambda c: _negative(sampled_climbs.fitness_distance(c, spearman=True)),
    ),
    **{
        f"walk_length_{rule}": Entry(
            f"mean length of a {rule} adaptive walk", "steps", _CLIMBS[rule],
            partial(_climbed, rule=rule, part="length"), partial(sampled_climbs.walk_length, rule=rule),
        )
        for rule in climbs.RULES
    },
    **{
        f"basin_best_{rule}": Entry(
            f"fraction of {rule} climbs that end at the best genotype", "1", _CLIMBS[rule],
            partial(_climbed, rule=rule, part="best"), partial(sampled_climbs.basin_best, rule=rule),
        )
        for rule in climbs.RULES
    },
    "accessible_paths": Entry(
        "accessible direct paths from the antipode to the best genotype", "1", _PATHS,
        lambda t: t.paths[:, -1],
    ),
    "accessible_fraction": Entry(
        "fraction of direct paths to the best genotype that are accessible", "1", _PATHS,
        lambda t: climbs.accessible_fraction(t.paths), sampled_climbs.accessible_fraction,
        ("distance", _counted, "loci"),
    ),
    "reachable": Entry(
        "fraction of genotypes that fitter neighbours lead to the best", "1", "Franke et al. 2011",
        lambda t: climbs.reachable(t.values, t.order),
    ),
    "lon_edges": Entry("edges of the local optima network", "1", _OCHOA, lambda t: t.funnels.edges),
    "lon_funnels": Entry("funnels of the local optima network", "1", _OCHOA, lambda t: t.funnels.sinks),
    "lon_sink_strength": Entry(
        "share of the weight into sinks that the best receive", "1", _OCHOA,
        lambda t: t.funnels.strength,
    ),
    "lon_global_funnel": Entry(
        "fraction of optima in the funnel of the best", "1", _OCHOA,
        lambda t: t.funnels.reach,
    ),
    "neutrality": Entry(
        "fraction of neighbours that are equally fit", "1", "",
        lambda t: enumeration.neutrality(t.neighbours), _of(sampled.neutrality),
    ),
    "evolvability": Entry(
        "fraction of mutations that are beneficial, by fitness of the background", "1", "",
        lambda t: enumeration.evolvability(t.values, t.order, t.neighbours), _of(sampled.evolvability),
        ("fitness_quantile", _centres, "1"),
    ),
    "expected_improvement": Entry(
        "mean gain of a mutation, losses counted as 0", "loss", "",
        lambda t: t.effects.improvement, _of(sampled.expected_improvement),
    ),
    "dfe": Entry(
        "quantiles of the distribution of fitness effects", "loss", "",
        lambda t: t.effects.quantiles, _of(sampled.effect_quantiles),
        ("probability", lambda _: torch.tensor(enumeration.PROBABILITIES, dtype=torch.float64), "1"),
    ),
    "effect_sd": Entry(
        "standard deviation of fitness effects", "loss", "",
        lambda t: t.effects.deviation, _of(sampled.effect_deviation),
    ),
    "idiosyncratic_index": Entry(
        "idiosyncratic index", "1", "Lyons et al. 2020",
        lambda t: t.effects.idiosyncratic, _of(sampled.idiosyncratic_index),
    ),
}  # fmt: skip
BINARY_MEASURES = tuple(MEASURES)


def measure_binary(
    landscape: Landscape,
    names: Sequence[str] | None = None,
    *,
    samples: int = 1024,
    streams: Streams | None = None,
    exhaustive: bool | None = None,
) -> dict[str, Measure]:
    """Measures of a landscape of bits.

    Args:
        landscape: bound.
        names: of `MEASURES`; None: all that can be had.
        samples: genotypes of a sample, >= 32; hill climbs are an eighth as many.
        streams: those of its worlds; None: it has one world, and all genotypes are looked at.
        exhaustive: look at all 2^n genotypes; None: where n <= 20.

    Returns:
        Name -> measure, in the order of names; errors are 0 where all genotypes were looked at.

    Raises:
        ValueError: it is not a landscape of bits, there is no such measure, or samples are too few or have no
            streams.
    """
    enumeration.check_binary(landscape)
    whole = landscape.dim <= enumeration.ENUMERATED if exhaustive is None else exhaustive
    names = _names(landscape, names, whole)
    if whole:
        table = _table(landscape, streams)
        return {name: _exactly(MEASURES[name], table) for name in names}
    if streams is None or samples < LEAST:
        raise ValueError(
            f"{landscape.name}: expected streams and at least {LEAST} samples, got"
            f" {'none' if streams is None else samples}"
        )
    climbed = SampledClimbs(sampled.Sample(landscape, streams, samples))
    return {name: _estimated(MEASURES[name], climbed) for name in names}


def _exactly(entry: Entry, table: Table) -> Measure:
    assert entry.exact is not None  # noqa: S101 - `_names` leaves out those that have none
    value = entry.exact(table)
    return _measure(entry, value, torch.zeros_like(value))


def _estimated(entry: Entry, climbed: SampledClimbs) -> Measure:
    assert entry.estimate is not None  # noqa: S101 - likewise
    return _measure(entry, *entry.estimate(climbed))


def _table(landscape: Landscape, streams: Streams | None) -> Table:
    if streams is None:
        return Table(enumeration.tabulate(landscape))
    return Table(
        enumeration.tabulate(landscape, streams.size, streams.device, streams.dtype), streams.dtype
    )


def _names(landscape: Landscape, names: Sequence[str] | None, whole: bool) -> list[str]:
    there = [
        name
        for name, entry in MEASURES.items()
        if (entry.exact if whole else entry.estimate) is not None
    ]
    if landscape.dim == 1:
        there = [name for name in there if not name.startswith(("epistasis", "gamma"))]
    for name in names or ():
        if name not in MEASURES:
            raise ValueError(f"probes: unknown measure {name!r}; known: {' '.join(MEASURES)}")
        if name not in there:
            how = (
                "from all genotypes"
                if whole
                else f"from samples; at most {enumeration.ENUMERATED} loci are looked at as a whole"
            )
            raise ValueError(f"{landscape.name}: {name} cannot be had {how}, of {landscape.dim} loci")
    return there if names is None else list(names)


def _measure(entry: Entry, value: Tensor, error: Tensor) -> Measure:
    axis = None if entry.axis is None else (entry.axis[0], entry.axis[1](value.shape[1]), entry.axis[2])
    return Measure(value, error, entry.long_name, entry.unit, entry.source, axis)
