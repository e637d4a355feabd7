"""What each measure of a landscape is, in a line."""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch

from landscapes import LANDSCAPES
from landscapes.base import Landscape
from landscapes.probes import BINARY_MEASURES, CONTINUOUS_MEASURES, measure_continuous
from landscapes.probes.binary.catalogue import MEASURES
from landscapes.probes.measure import Measure
from landscapes.streams import Streams

SMALL = 32  # points that suffice to be told a name
EXAMPLES = ("quadratic", "gaussian_field")  # without terms, and with


class Words(NamedTuple):
    """A measure in words."""

    line: str
    unit: str
    source: str
    domains: list[str]


def measure(name: str) -> Words:
    """What a measure is.

    Args:
        name: of `studies.probe.datasets.measure_names`.
    """
    if name not in MEASURES:
        return Words(*_continuous(name), _domains(name))
    entry = MEASURES[name]
    return Words(entry.long_name, entry.unit, entry.source, _domains(name))


def _domains(name: str) -> list[str]:
    """On what landscapes are that can have a measure."""
    measures = {"bits": BINARY_MEASURES, "real coordinates": CONTINUOUS_MEASURES}
    return [domain for domain, names in measures.items() if name in names]


@functools.cache
def _continuous(name: str) -> tuple[str, str, str]:
    """Name, unit and source of a measure of real coordinates.

    It tells them with its value, so it is taken of a small landscape.
    """
    for kind in EXAMPLES:
        try:
            estimate = _estimate(LANDSCAPES[kind](), name)
        except ValueError:  # this landscape cannot have it
            continue
        return estimate.long_name, estimate.unit, estimate.source
    raise ValueError(f"{name}: expected a measure that {' or '.join(EXAMPLES)} has")


def _estimate(landscape: Landscape, name: str) -> Measure:
    """A measure of a small sample of one world."""
    streams = Streams(seed=0, worlds=torch.zeros(1, dtype=torch.int64))
    return measure_continuous(landscape.bind(streams), name, samples=SMALL, streams=streams)
