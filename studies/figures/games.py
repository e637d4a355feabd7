"""The dynamics of a game of two coordinates: nullclines, fixed points and their class.

Both players go down their own gradients, x' = -g(x). A fixed point is classified by the eigenvalues of the
Jacobian of -g there, taken by central differences: a node (real, of one sign), a saddle (real, of two signs),
a spiral (complex) or a center (imaginary); stable where all real parts are below 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from xarray import Dataset

from studies.figures.facets import within
from studies.results import settings

if TYPE_CHECKING:
    from landscapes.base import Landscape

GRID = 61  # points along each side
STEP = 1e-4  # of central differences, over the side
NEWTON = 30  # steps at most
CLOSE = 1e-3  # of a side: fixed points that are closer are one
SMALL = 1e-6  # real part over the imaginary one, below which it is a center

Field = Callable[[np.ndarray], np.ndarray]  # points (P, 2) -> their velocities (P, 2)


class FixedPoint(NamedTuple):
    """Where the dynamics rest."""

    place: np.ndarray  # (2,)
    kind: str  # such as "stable spiral"


class Flow(NamedTuple):
    """The dynamics on a grid."""

    x: np.ndarray  # (GRID,)
    y: np.ndarray  # (GRID,)
    velocity: np.ndarray  # (GRID, GRID, 2), rows along y
    fixed: list[FixedPoint]


def field_of(dataset: Dataset, landscape: str) -> Field | None:
    """The dynamics of a landscape of a study in world 0; None where it is no game of two coordinates.

    Args:
        dataset: a study's results, with settings.
        landscape: its label.
    """
    import torch

    from landscapes.oracle.evaluation import evaluate
    from landscapes.streams import Streams

    arm = settings.at(dataset, {"landscape": landscape})[0]
    made = _landscape(arm)
    if made.dim != 2 or len(made.players) != 2:
        return None
    streams = Streams(seed=int(arm.study.get("seed", 1)), worlds=torch.tensor([0]), dtype=torch.float64)
    bound = made.bind(streams)

    def velocity(points: np.ndarray) -> np.ndarray:
        gradient = evaluate(bound, torch.from_numpy(points)[None], gradient=True).gradient
        assert gradient is not None  # noqa: S101 - for the type checker
        return -gradient[0].double().numpy(force=True)

    return velocity


def _landscape(arm: settings.Arm) -> Landscape:
    """The landscape on which an arm ran."""
    from studies.kinds import registry
    from studies.study_file.fields import parameter_names

    kind = arm.landscape["kind"]
    own = {"kind", *parameter_names(registry.find(kind, "landscape"))}
    spec = {name: value for name, value in arm.landscape.items() if name in own}
    return registry.build(spec, "landscape")


def flow(field: Field, extent: np.ndarray) -> Flow:
    """The dynamics on a grid over an extent (2, 2), with the fixed points in it."""
    x, y = (np.linspace(low, high, GRID) for low, high in extent)
    points = np.stack(np.meshgrid(x, y), -1)
    velocity = field(points.reshape(-1, 2)).reshape(points.shape)
    side = float((extent[:, 1] - extent[:, 0]).max())
    roots = [_root(field, point, side) for point in _near(points, velocity)]
    inside = [root for root in roots if root is not None and within(root, extent)]
    return Flow(x, y, velocity, [_fixed(field, root, side) for root in _once(inside, side)])


def _fixed(field: Field, root: np.ndarray, side: float) -> FixedPoint:
    """A fixed point and its class."""
    return FixedPoint(root, kind(jacobian(field, root, side)))


def _near(points: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """Corners (P, 2) of the cells in which both velocities change their sign, or one is 0."""
    corners = np.stack([velocity[:-1, :-1], velocity[1:, :-1], velocity[:-1, 1:], velocity[1:, 1:]])
    crossed = (corners.min(0) <= 0) & (corners.max(0) >= 0)
    middle = (points[:-1, :-1] + points[1:, 1:]) / 2
    return middle[crossed.all(-1)]


def _root(field: Field, start: np.ndarray, side: float) -> np.ndarray | None:
    """The fixed point to which Newton's method leads; None where it leads to none."""
    place = start
    for _ in range(NEWTON):
        step = _newton(field, place, side)
        place = place + step
        if np.abs(step).max() < 1e-10 * side:
            return place if np.abs(field(place[None])).max() < 1e-6 else None
    return None


def _newton(field: Field, place: np.ndarray, side: float) -> np.ndarray:
    """A step (2,) of Newton's method."""
    value = field(place[None])[0]
    return np.linalg.lstsq(jacobian(field, place, side), -value, rcond=None)[0]


def jacobian(field: Field, place: np.ndarray, side: float) -> np.ndarray:
    """The derivatives (2, 2) of velocities (rows) by coordinates (columns)."""
    step = STEP * side
    around = place + step * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    right, left, above, below = field(around)
    return np.stack([right - left, above - below], -1) / (2 * step)


def _once(places: list[np.ndarray], side: float) -> list[np.ndarray]:
    """Places, those that are the same but for rounding once."""
    kept: list[np.ndarray] = []
    for place in places:
        if all(np.abs(place - other).max() > CLOSE * side for other in kept):
            kept.append(place)
    return kept


def kind(matrix: np.ndarray) -> str:
    """The class of a fixed point, from the Jacobian (2, 2) of its dynamics."""
    values = np.linalg.eigvals(matrix)
    real, imaginary = values.real, np.abs(values.imag).max()
    stable = "stable" if real.max() < 0 else "unstable"
    if imaginary > 0 and np.abs(real).max() <= SMALL * imaginary:
        return "center"
    if imaginary > SMALL * np.abs(real).max():
        return f"{stable} spiral"
    return "saddle" if real.min() < 0 < real.max() else f"{stable} node"
