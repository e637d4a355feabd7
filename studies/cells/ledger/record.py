"""From frozen states to the ledger of a cell.

Dims replicate, moment, and where it says so source, direction, reference, half, mode and force.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from landscapes.base import Bits
from landscapes.oracle.evaluation import clock_time
from landscapes.oracle.oracle import Oracle
from studies import schema
from studies.cells.ledger import population, statistics
from studies.cells.ledger.arms import LIMIT, Arm, arm
from studies.cells.ledger.freezing import Freezer, Frozen, subset
from studies.cells.ledger.redraws import Scene
from studies.cells.ledger.references import (
    REFERENCES,
    References,
    ground,
    intended,
    only,
    references,
    with_selection,
)
from studies.cells.ledger.selection import directions
from studies.cells.ledger.slopes import Slopes

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


class NoiseLedger(Freezer):
    """Freezes R worlds while they run, and then takes their steps again.

    Args:
        oracle: the one that the search asks.
        costs: (K,) of the moments, at the nominal price, increasing, in evaluations.
        fractions: (K,) of the budget, what the moments are called.
        scene: what a step needs beside a state.
        book: what is recorded.
    """

    def __init__(
        self, oracle: Oracle, costs: Sequence[float], fractions: Sequence[float], scene: Scene, book: Book
    ) -> None:
        super().__init__(oracle, costs, scene.streams)
        self.fractions, self.scene, self.book = fractions, scene, book

    def dataset(self) -> xr.Dataset:
        """The ledger at the K moments, see `record`."""
        return record(self.scene, self.moments(), self.book).assign_coords(moment=self.fractions)


def record(scene: Scene, moments: list[Frozen], book: Book) -> xr.Dataset:
    """The ledger of R worlds at K moments: the variables of `schema.LEDGER` and `schema.POPULATION`.

    NaN where a world has diverged, or a slope is not known.

    Raises:
        ValueError: a step draws from a source that `book.sources` does not name.
    """
    found = [_in_blocks(scene, moment, book) for moment in moments]
    variables: dict[str, Any] = {}
    for name, about in VARIABLES.items():
        values = np.stack([each[name].double().cpu().numpy() for each in found], 1)
        variables[name] = (("replicate", "moment", *about.dims), values, about.attrs)
    directions = ["all", "gradient", *(f"curvature {i + 1}" for i in range(book.modes))]
    coords = {
        "source": list(book.sources),
        "direction": directions,
        "reference": list(REFERENCES),
        "half": ["a", "b"],
        "mode": range(book.modes),
    }
    coords["force"] = list(population.FORCES)
    return xr.Dataset(variables, coords | {"replicate": scene.streams.worlds.cpu().numpy()})


def _in_blocks(scene: Scene, moment: Frozen, book: Book) -> dict[str, Tensor]:
    """All worlds, as many at a time as memory allows."""
    dim = scene.optimizer.center(moment.state).shape[-1]
    blocks = torch.arange(len(moment.step)).split(max(1, LIMIT // (dim * book.redraws)))
    if len(blocks) == 1:
        return _measure(scene, moment, book)
    parts = [_measure(scene.subset(block), subset(moment, block), book) for block in blocks]
    return {name: torch.cat([part[name] for part in parts]) for name in VARIABLES}


def _measure(scene: Scene, moment: Frozen, book: Book) -> dict[str, Tensor]:
    """Everything about one moment of these worlds."""
    m = torch.arange(1, book.redraws + 1)
    n = m + book.redraws
    a, b = (
        arm(scene, moment, dict.fromkeys(book.sources, key), steps=2, points=book.points) for key in (m, n)
    )
    drawn = a.drawn | b.drawn
    strange = drawn - set(book.sources)
    if strange:
        raise ValueError(
            f"ledger: {scene.optimizer.name} draws from {', '.join(sorted(strange))}; expected it to be"
            " declared in `sources`"
        )
    center = scene.optimizer.center(moment.state).double()
    time = clock_time(scene.landscape, moment.step.numpy(), moment.spent.numpy(), scene.streams.device)
    slopes = Slopes(scene.landscape, time, scene.streams.dtype, LIMIT)
    members = population.members(scene, moment)
    gradients = references(slopes, center, a, b, members)
    steps = directions(scene, moment, members, book.points if "mean_fitness" in book.references else 0)
    held = only(with_selection(gradients, steps), book.references)
    place = ground(
        slopes,
        center,
        gradients.a[:, 0],
        statistics.centered(a.moved),
        book.modes,
        scene.streams.at(moment.step),
    )
    first, total = (
        torch.zeros(len(center), 2 + book.modes, len(book.sources), dtype=torch.float64, device=center.device)
        for _ in range(2)
    )
    for i, source in enumerate(book.sources):
        if source in drawn:
            mixed = arm(scene, moment, {name: n if name == source else m for name in book.sources}).moved
            _, first[..., i], total[..., i] = statistics.shares(a.moved, b.moved, mixed, place.directions)
    return {
        "moment_cost": moment.spent,
        "moment_steps": moment.step,
        "sample_size": a.size,
        "step_variance": statistics.half_mean_square(a.moved - b.moved, place.directions),
        "step_variance_first": first,
        "step_variance_total": total,
        "noise_curvature": place.along_noise,
        "mean_curvature": place.mean,
        "curvature": place.curvature,
        "binomial_variance": _binomial(scene, center, a, b),
        **population.observe(scene, moment, book.redraws),
        **_mean_step(a, b, held),
        "nominal_rate": intended(scene.optimizer, moment.state, center),
        **_noise(a, b, book.modes),
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
    found = statistics.spectrum(a.moved, b.moved, modes)
    both = (
        torch.cat([statistics.centered(a.moved), statistics.centered(b.moved)], 1),
        torch.cat([a.then, b.then], 1),
    )
    return {
        "noise_eigenvalue": found.eigenvalues,
        "noise_trace": found.trace,
        "noise_rank": found.effective_rank,
        "noise_kurtosis": statistics.kurtosis(a.moved, b.moved),
        "noise_tail_index": statistics.tail_index(a.moved, b.moved),
        "step_correlation": statistics.correlation(*both),
    }


def _binomial(scene: Scene, center: Tensor, a: Arm, b: Arm) -> Tensor:
    """The variance that one draw of a genotype at the expected allele frequencies has: (R,), NaN on reals."""
    if not isinstance(scene.landscape.domain, Bits):
        return center.new_full((len(center),), torch.nan)
    p, q = center + a.moved.mean(1), center + b.moved.mean(1)
    return ((p + q) / 2 - p * q).sum(1)
