"""From frozen states to the ledger of a cell.

Dims replicate, moment, and where it says so source, direction, reference, half, mode and force.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from xarray import Dataset

from landscapes.base import Bits
from landscapes.oracle.oracle import Oracle
from studies.cells.ledger import against, population, statistics
from studies.cells.ledger.arms import LIMIT, Arm, arm
from studies.cells.ledger.freezing import Freezer, Frozen, subset
from studies.cells.ledger.redraws import Scene
from studies.cells.ledger.references import (
    REFERENCES,
    Ground,
    References,
    ground,
    intended,
    only,
    references,
    with_selection,
)
from studies.cells.ledger.selection import directions
from studies.cells.ledger.slopes import Slopes
from studies.text import schema

VARIABLES = schema.LEDGER | schema.POPULATION


@dataclass(frozen=True, kw_only=True)
class Book:
    """What is to be recorded.

    Args:
        redraws: M, steps in each arm, >= 4.
        modes: q, the largest eigenvalues, and the directions of largest curvature, that are shown, >= 1.
        points: of each arm, at which the true gradient is averaged for the smoothed one, >= 1.
        sources: the names of the dim source, in order.
        references: of `REFERENCES`, what a step is held against; of the others nothing is told.
    """

    redraws: int
    modes: int
    points: int
    sources: tuple[str, ...]
    references: Sequence[str] = REFERENCES

    def seen(self, keys: Tensor) -> dict[str, Tensor]:
        """Source -> the redraws (M,) of it that steps see: of every source these."""
        return dict.fromkeys(self.sources, keys)


class NoiseLedger(Freezer):
    """Freezes R worlds while they run, and then takes their steps again.

    Args:
        oracle: the one that the search asks.
        times: (K,) of the moments, on the clock of the budget, increasing.
        fractions: (K,) of the budget, what the moments are called.
        scene: what a step needs beside a state.
        book: what is recorded.
        other: a scene with other settings, against which steps are held.
    """

    def __init__(
        self,
        oracle: Oracle,
        times: Sequence[float],
        fractions: Sequence[float],
        scene: Scene,
        book: Book,
        other: Scene | None = None,
    ) -> None:
        super().__init__(oracle, times, scene.streams)
        self.fractions, self.scene, self.book, self.other = fractions, scene, book, other

    def dataset(self) -> Dataset:
        """The ledger at the K moments, see `record`."""
        data = record(self.scene, self.moments(), self.book, self.other)
        return data.assign_coords(moment=self.fractions)


def record(scene: Scene, moments: list[Frozen], book: Book, other: Scene | None = None) -> Dataset:
    """The ledger of R worlds at K moments: the variables of `schema.LEDGER` and `schema.POPULATION`.

    With another scene those of `schema.AGAINST` too. NaN where a world has diverged, or a slope is not known.

    Args:
        scene: what a step needs beside a state.
        moments: the frozen states.
        book: what is recorded.
        other: the same with other settings, against which steps are held.

    Raises:
        ValueError: a step draws from a source that `book.sources` does not name.
    """
    measured = [_in_blocks(scene, moment, book, other) for moment in moments]
    variables: dict[str, Any] = {}
    for name, about in (VARIABLES | (schema.AGAINST if other else {})).items():
        values = np.stack([each[name].double().cpu().numpy() for each in measured], 1)
        variables[name] = (("replicate", "moment", *about.dims), values, about.attrs)
    coords = {"replicate": scene.streams.worlds.cpu().numpy(), **_coordinates(book)}
    if other:
        coords["error_quantile"] = list(schema.ERROR_QUANTILES)
    return Dataset(variables, coords)


def _coordinates(book: Book) -> dict[str, Any]:
    """Coordinates of all dims but replicate and moment."""
    return {
        "source": list(book.sources),
        "direction": ["all", "gradient", *(f"curvature {i + 1}" for i in range(book.modes))],
        "reference": list(REFERENCES),
        "half": ["a", "b"],
        "mode": range(book.modes),
        "force": list(population.FORCES),
    }


def _in_blocks(scene: Scene, moment: Frozen, book: Book, other: Scene | None) -> dict[str, Tensor]:
    """All worlds, as many at a time as memory allows."""
    dim = scene.optimizer.center(moment.state).shape[-1]
    blocks = torch.arange(len(moment.step)).split(max(1, LIMIT // (dim * book.redraws)))
    if len(blocks) == 1:
        return _measure(scene, moment, book, other)
    parts = [
        _measure(scene.subset(block), subset(moment, block), book, other and other.subset(block))
        for block in blocks
    ]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _measure(scene: Scene, moment: Frozen, book: Book, other: Scene | None) -> dict[str, Tensor]:
    """Everything about one moment of these worlds."""
    a, b = (_arm_of(scene, moment, book, keys) for keys in _keys(book))
    center = scene.optimizer.center(moment.state).double()
    slopes, members = _slopes(scene, moment), population.members(scene, moment)
    gradients = references(slopes, center, a, b, members)
    steps = directions(scene, moment, members, book.points if "mean_fitness" in book.references else 0)
    held = only(with_selection(gradients, steps), book.references)
    noise, streams = statistics.centered(a.moved), scene.streams.at(moment.step)
    place = ground(slopes, center, gradients.a[:, 0], noise, book.modes, streams)
    return {
        "moment_cost": moment.spent,
        "moment_steps": moment.step,
        "sample_size": a.size,
        **_variance(scene, moment, book, (a, b), place.directions),
        **_curvature(place),
        "binomial_variance": _binomial(scene, center, a, b),
        **population.observe(scene, moment, book.redraws),
        **_mean_step(a, b, held),
        "nominal_rate": intended(scene.optimizer, moment.state, center),
        **_noise(a, b, book.modes),
        **(_beside(other, moment, book, (a, b)) if other else {}),
    }


def _beside(other: Scene, moment: Frozen, book: Book, arms: tuple[Arm, Arm]) -> dict[str, Tensor]:
    """What the steps err by beside those with other settings."""
    keys = [book.seen(part) for part in _keys(book)]
    return against.errors(other, moment, arms, keys)


def _keys(book: Book) -> tuple[Tensor, Tensor]:
    """The redraws (M,) that arm A sees, and those of arm B."""
    first = torch.arange(1, book.redraws + 1)
    return first, first + book.redraws


def _arm_of(scene: Scene, moment: Frozen, book: Book, keys: Tensor) -> Arm:
    """The arm that sees these redraws (M,) of every source.

    Raises:
        ValueError: a step draws from a source that the book does not name.
    """
    taken = arm(scene, moment, book.seen(keys), steps=2, points=book.points)
    strange = taken.drawn - set(book.sources)
    if strange:
        raise ValueError(
            f"ledger: {scene.optimizer.name} draws from {', '.join(sorted(strange))}; expected it to be"
            " declared in `sources`"
        )
    return taken


def _slopes(scene: Scene, moment: Frozen) -> Slopes:
    """The slopes of the loss at the time of a moment."""
    return Slopes(scene.landscape, scene.time(moment), scene.streams.dtype, LIMIT)


def _variance(
    scene: Scene, moment: Frozen, book: Book, arms: tuple[Arm, Arm], directions: Tensor
) -> dict[str, Tensor]:
    """The variance of a step and the shares of its sources.

    Args:
        scene: the R worlds.
        moment: their states.
        book: names the sources.
        arms: A and B.
        directions: (R, 1 + q, D) in which it is shown beside the whole.
    """
    a, b = arms
    variance = statistics.half_mean_square(a.moved - b.moved, directions)
    nothing = torch.zeros_like(variance)
    first, total = [nothing] * len(book.sources), [nothing] * len(book.sources)
    keys, others = _keys(book)
    for i, source in enumerate(book.sources):
        if source in a.drawn | b.drawn:
            mixed = arm(scene, moment, book.seen(keys) | {source: others}).moved
            _, first[i], total[i] = statistics.shares(a.moved, b.moved, mixed, directions)
    return {
        "step_variance": variance,
        "step_variance_first": torch.stack(first, -1),
        "step_variance_total": torch.stack(total, -1),
    }


def _curvature(place: Ground) -> dict[str, Tensor]:
    """How the loss bends where a step begins."""
    return {
        "noise_curvature": place.along_noise,
        "mean_curvature": place.mean,
        "curvature": place.curvature,
    }


def _mean_step(a: Arm, b: Arm, held: References) -> dict[str, Tensor]:
    """The mean step, held against the references."""
    mean_a, mean_b = a.moved.mean(1), b.moved.mean(1)
    along = [-(held.b * mean_a[:, None]).sum(-1), -(held.a * mean_b[:, None]).sum(-1)]
    return {
        "mean_step_squared": (mean_a * mean_b).sum(-1),
        "mean_step_along": torch.stack(along, -1),
        "reference_squared": (held.a * held.b).sum(-1),
        "reference_trace": held.trace,
    }


def _noise(a: Arm, b: Arm, modes: int) -> dict[str, Tensor]:
    """What the noise looks like."""
    assert a.then is not None  # noqa: S101 - for the type checker
    assert b.then is not None  # noqa: S101
    spectrum = statistics.spectrum(a.moved, b.moved, modes)
    steps = torch.cat([statistics.centered(a.moved), statistics.centered(b.moved)], 1)
    return {
        "noise_eigenvalue": spectrum.eigenvalues,
        "noise_trace": spectrum.trace,
        "noise_rank": spectrum.effective_rank,
        "noise_kurtosis": statistics.kurtosis(a.moved, b.moved),
        "noise_tail_index": statistics.tail_index(a.moved, b.moved),
        "step_correlation": statistics.correlation(steps, torch.cat([a.then, b.then], 1)),
    }


def _binomial(scene: Scene, center: Tensor, a: Arm, b: Arm) -> Tensor:
    """The variance that one draw of a genotype at the expected allele frequencies has: (R,), NaN on reals."""
    if not isinstance(scene.landscape.domain, Bits):
        return center.new_full((len(center),), torch.nan)
    p, q = center + a.moved.mean(1), center + b.moved.mean(1)
    return ((p + q) / 2 - p * q).sum(1)
