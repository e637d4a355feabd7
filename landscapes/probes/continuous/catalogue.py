"""All measures of landscapes of real coordinates by name, in groups that one sample serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from landscapes.base import Landscape
from landscapes.probes.continuous import gradients, information, line_minima, sampling, walking
from landscapes.probes.measure import Measure
from landscapes.streams import Streams

Found = dict[str, Measure]
Group = Callable[[Landscape, Streams, int], Found]  # bound landscape, its streams, samples
SAMPLES = 1024  # from which on walks and lines are long


def _walks(landscape: Landscape, streams: Streams, samples: int) -> Found:
    size = {"walks": max(8, samples // 16), "steps": 256 if samples >= SAMPLES else 128}
    curve = walking.autocorrelation(landscape, streams, **size)
    return {
        "autocorrelation": curve,
        "correlation_length": walking.correlation_length(landscape, streams, **size),
    }


def _distance(landscape: Landscape, streams: Streams, samples: int) -> Found:
    kinds: tuple[Literal["pearson", "spearman"], ...] = ("pearson", "spearman")
    return {
        f"distance_correlation_{kind}": sampling.distance_correlation(
            landscape, streams, samples=samples, kind=kind
        )
        for kind in kinds
    }


def _dispersion(landscape: Landscape, streams: Streams, samples: int) -> Found:
    return {"dispersion": sampling.dispersion(landscape, streams, samples=samples)}


def _information(landscape: Landscape, streams: Streams, samples: int) -> Found:
    measures = information.information(
        landscape, streams, walks=max(8, samples // 32), steps=256 if samples >= SAMPLES else 128
    )
    names = (
        "information_content",
        "partial_information_content",
        "largest_information_content",
        "initial_partial_information",
        "settling_threshold",
    )
    return dict(zip(names, measures, strict=True))


def _minima(landscape: Landscape, streams: Streams, samples: int) -> Found:
    counts = line_minima.minima(
        landscape,
        streams,
        count=max(8, samples // 32),
        points=line_minima.POINTS if samples >= SAMPLES else 129,
    )
    return {"density_of_minima": counts.density, "density_of_minima_coarse": counts.coarse}


def _gradients(landscape: Landscape, streams: Streams, samples: int) -> Found:
    return {
        "gradient_norm": gradients.gradient_norm(landscape, streams, samples=max(16, samples // 16))
    }


def _noise(landscape: Landscape, streams: Streams, samples: int) -> Found:
    return {"noise_scale": gradients.noise_scale(landscape, streams, points=max(16, samples // 16))}


def _curvature(landscape: Landscape, streams: Streams, samples: int) -> Found:
    del samples
    spectrum = gradients.curvature(landscape, streams)
    return {"condition_number": spectrum.condition, "negative_curvature": spectrum.negative}


# what is computed together, and the names of its measures
GROUPS: dict[str, tuple[Group, tuple[str, ...]]] = {
    "walks": (_walks, ("autocorrelation", "correlation_length")),
    "distance": (_distance, ("distance_correlation_pearson", "distance_correlation_spearman")),
    "dispersion": (_dispersion, ("dispersion",)),
    "information": (
        _information,
        (
            "information_content",
            "partial_information_content",
            "largest_information_content",
            "initial_partial_information",
            "settling_threshold",
        ),
    ),
    "minima": (_minima, ("density_of_minima", "density_of_minima_coarse")),
    "gradients": (_gradients, ("gradient_norm",)),
    "noise": (_noise, ("noise_scale",)),
    "curvature": (_curvature, ("condition_number", "negative_curvature")),
}

CONTINUOUS_MEASURES = tuple(name for _, names in GROUPS.values() for name in names)


def measure_continuous(
    landscape: Landscape, name: str, *, samples: int = SAMPLES, streams: Streams
) -> Measure:
    """One measure of a landscape of real coordinates.

    Args:
        landscape: bound.
        name: of `CONTINUOUS_MEASURES`.
        samples: points that it looks at, about; walks and lines are fewer.
        streams: those of its worlds.

    Raises:
        ValueError: there is no such measure, or this landscape cannot have it.
    """
    for group, names in GROUPS.values():
        if name in names:
            return group(landscape, streams, samples)[name]
    raise ValueError(
        f"probes: unknown measure {name!r} of real coordinates; known: {' '.join(CONTINUOUS_MEASURES)}"
    )
