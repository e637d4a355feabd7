"""What each measure of a landscape is, in a line."""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch

from landscapes import LANDSCAPES
from landscapes.probes import BINARY_MEASURES, CONTINUOUS_MEASURES, measure_continuous
from landscapes.probes.binary.catalogue import MEASURES
from landscapes.streams import Streams

SMALL = 32  # points that suffice to be told a name
EXAMPLES = ("quadratic", "gaussian_field")  # without terms, and with


class Told(NamedTuple):
    """A measure in words."""

    line: str
    unit: str
    source: str
    domains: list[str]


def measure(name: str) -> Told:
    """What a measure is.

    Args:
        name: of `studies.probe.datasets.measure_names`.
    """
    domains = ["bits"] * (name in BINARY_MEASURES) + ["real coordinates"] * (
        name in CONTINUOUS_MEASURES
    )
    if name in MEASURES:
        entry = MEASURES[name]
        return Told(entry.long_name, entry.unit, entry.source, domains)
    return Told(*_continuous(name), domains)


@functools.cache
def _continuous(name: str) -> tuple[str, str, str]:
    """Name, unit and source of a measure of real coordinates.

    It tells them with its value, so it is taken of a small landscape.
    """
    streams = Streams(seed=0, worlds=torch.zeros(1, dtype=torch.int64))
    for kind in EXAMPLES:
        try:
            estimate = measure_continuous(
                LANDSCAPES[kind]().bind(streams), name, samples=SMALL, streams=streams
            )
        except ValueError:  # this landscape cannot have it
            continue
        return estimate.long_name, estimate.unit, estimate.source
    raise ValueError(f"{name}: expected a measure that {' or '.join(EXAMPLES)} has")
