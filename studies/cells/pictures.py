"""Pictures of a search: where its center and its points are, on a plane, and the loss there.

With two coordinates the plane is the space itself. With more it is spanned by the two leading principal
directions of the center's trail, through its end (Li, Xu, Taylor, Studer and Goldstein 2018,
arXiv:1712.09913, section 7); `picture_kept` says how much of the trail's variance it shows. On bits a
center is allele frequencies, and the loss that of a population at linkage equilibrium (the multilinear
extension), where it can be computed.

A frame is a milestone (`studies.cells.milestones`), and the points asked in the step that led there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from xarray import Dataset

from landscapes.base import Bits, Landscape, Reals
from landscapes.checks import into_box
from landscapes.oracle.bill import Bill
from landscapes.oracle.evaluation import evaluate
from optimizers.base import Optimizer
from studies.cells.milestones import Watcher
from studies.kinds.instruments import Moment
from studies.text import schema

MARGIN = 0.15  # around what is seen
TAILS = (0.02, 0.98)  # quantiles of the points that are certainly seen
AT_ONCE = 256  # points of the plane evaluated at a time


class Camera(Watcher):
    """Keeps frames of the first worlds while they run, and develops them.

    Args:
        optimizer: gives the center of a state.
        bill: the worlds' bills.
        times: (F,) of the frames, on the clock of the bill, increasing.
        rows: (W,) the numbers of the worlds that are seen, among the R.
        points: most points of a query that are kept.
        landscape: makes the landscape bound to the worlds that are seen.
        grid: points along each side of the plane.
    """

    part = "pictures"

    def __init__(
        self,
        optimizer: Optimizer,
        bill: Bill,
        times: Sequence[float],
        rows: Tensor,
        points: int,
        landscape: Callable[[], Landscape],
        grid: int,
    ) -> None:
        super().__init__(bill, times)
        self.optimizer, self.rows, self.points = optimizer, rows, points
        self.landscape, self.grid = landscape, grid
        self.place = np.full(
            len(bill.alive), -1
        )  # (R,) of a world among those that are seen; -1: it is not
        self.place[rows.numpy()] = np.arange(len(rows))
        self.frames: Frames | None = None

    def keep(self, moment: Moment, worlds: np.ndarray, places: np.ndarray) -> None:
        """Keep a moment as these frames of those of the worlds that are seen."""
        seen = self.place[worlds] >= 0
        if not seen.any():
            return
        rows, places = self.place[worlds[seen]], places[seen]
        center, cloud = self._shot(moment)
        if self.frames is None:
            self.frames = Frames.empty(len(self.rows), self.milestones.shape[1], *cloud.shape[1:])
        self.frames.centers[rows, places] = center[rows]
        self.frames.clouds[rows, places] = cloud[rows]
        self.frames.costs[rows, places] = moment.cost.numpy()[worlds[seen]]

    def _shot(self, moment: Moment) -> tuple[np.ndarray, np.ndarray]:
        """Centers (W, D) and points (W, points, D), NaN where there are fewer."""
        center = _numbers(self.optimizer.center(moment.state)[self.rows])
        cloud = np.full((len(self.rows), self.points, center.shape[-1]), np.nan)
        query = moment.query
        if query is not None:
            asked = _numbers(query.points[self.rows][:, : self.points])
            if query.alive is not None:
                alive = query.alive[self.rows][:, : self.points, None].cpu().numpy()
                asked = np.where(alive, asked, np.nan)
            cloud[:, : asked.shape[1]] = asked
        return center, cloud

    def dataset(self) -> Dataset:
        """The frames on their planes, as `schema.PICTURE` has them; NaN in the worlds that were not seen."""
        assert self.frames is not None  # noqa: S101 - for the type checker
        landscape, frames = self.landscape(), self.frames
        views = [
            View.of(trail, cloud, landscape)
            for trail, cloud in zip(frames.centers, frames.clouds, strict=True)
        ]
        seen = {
            "picture_center": np.stack([view.center for view in views]),
            "picture_point": np.stack([view.points for view in views]),
            "picture_loss": self._sheets(views, landscape),
            "picture_extent": np.stack([view.extent for view in views]),
            "picture_cost": frames.costs,
            "picture_kept": np.array([view.plane.kept for view in views]),
        }
        return Dataset({name: self._variable(name, values) for name, values in seen.items()})

    def _sheets(self, views: Sequence[View], landscape: Landscape) -> np.ndarray:
        """The loss (W, grid, grid) on the planes of views."""
        assert self.last is not None  # noqa: S101 - for the type checker
        x = np.stack([view.plane.sheet(view.extent, self.grid) for view in views])
        center = self.optimizer.center(self.last.state)
        points = torch.from_numpy(x).to(center.device, center.dtype)
        return _losses(landscape, points, self._now(landscape)).reshape(-1, self.grid, self.grid)

    def _now(self, landscape: Landscape) -> Tensor | None:
        """The time (W,) at which the search ended."""
        assert self.last is not None  # noqa: S101 - for the type checker
        now = self.last.time(landscape, self.optimizer.center(self.last.state).device)
        return None if now is None else now[self.rows]

    def _variable(
        self, name: str, seen: np.ndarray
    ) -> tuple[tuple[str, ...], np.ndarray, dict[str, str]]:
        """A variable of all R worlds from its values (W, ..)."""
        about = schema.PICTURE[name]
        values = np.full((self.milestones.shape[0], *seen.shape[1:]), np.nan)
        values[self.rows.numpy()] = seen
        return ("replicate", *about.dims), values, about.attrs


class Frames(NamedTuple):
    """What was kept of W worlds; NaN where nothing was."""

    centers: np.ndarray  # (W, F, D)
    clouds: np.ndarray  # (W, F, points, D)
    costs: np.ndarray  # (W, F)

    @staticmethod
    def empty(worlds: int, frames: int, points: int, dim: int) -> Frames:
        """Frames of these sizes, with nothing in them."""
        shape = (worlds, frames)
        return Frames(*(np.full((*shape, *rest), np.nan) for rest in ((dim,), (points, dim), ())))


class Plane(NamedTuple):
    """A plane through the landscape."""

    origin: np.ndarray  # (D,)
    directions: np.ndarray  # (2, D)
    kept: float  # share of the trail's variance that lies in it

    def shadow(self, points: np.ndarray) -> np.ndarray:
        """Points (.., D) on the plane: (.., 2)."""
        return (points - self.origin) @ self.directions.T

    def sheet(self, extent: np.ndarray, grid: int) -> np.ndarray:
        """Points (grid * grid, D) that cover an extent (2, 2), row by row."""
        across, up = (np.linspace(low, high, grid) for low, high in extent)
        a, b = np.meshgrid(across, up)
        return (
            self.origin + a.reshape(-1, 1) * self.directions[0] + b.reshape(-1, 1) * self.directions[1]
        )


class View(NamedTuple):
    """What is seen of a world on its plane."""

    plane: Plane
    center: np.ndarray  # (F, 2)
    points: np.ndarray  # (F, points, 2)
    extent: np.ndarray  # (2, 2)

    @staticmethod
    def of(trail: np.ndarray, cloud: np.ndarray, landscape: Landscape) -> View:
        """The plane of centers (F, D) and points (F, points, D)."""
        plane = _plane(trail)
        center = plane.shadow(trail)
        points = plane.shadow(cloud)
        return View(plane, center, points, _extent(center, points, landscape))


def _plane(trail: np.ndarray) -> Plane:
    """The plane of a trail (F, D)."""
    dim = trail.shape[-1]
    if dim <= 2:
        return Plane(np.zeros(dim), np.eye(2, dim), 1.0)
    there = trail[np.isfinite(trail).all(-1)]
    origin = there[-1] if len(there) else np.zeros(dim)
    away = there - there.mean(0) if len(there) else np.zeros((1, dim))
    _, sizes, axes = np.linalg.svd(np.vstack([away, np.zeros((2, dim))]), full_matrices=False)
    variance = sizes**2
    total = variance.sum()
    return Plane(origin, _turned(axes[:2]), float(variance[:2].sum() / total) if total > 0 else 1.0)


def _turned(directions: np.ndarray) -> np.ndarray:
    """Directions (2, D), the largest coordinate of each positive."""
    largest = directions[np.arange(2), np.abs(directions).argmax(1)]
    return directions * np.sign(largest)[:, None]


def _extent(center: np.ndarray, points: np.ndarray, landscape: Landscape) -> np.ndarray:
    """Where the plane begins and ends along each direction: (2, 2)."""
    trail, cloud = _there(center), _there(points)
    seen = [trail, *([np.quantile(cloud, TAILS, axis=0)] if len(cloud) else []), _corners(landscape)]
    together = np.concatenate(seen)
    low, high = (
        (together.min(0), together.max(0)) if len(together) else (np.full(2, -1.0), np.full(2, 1.0))
    )
    room = MARGIN * np.maximum(high - low, 0.02 * max(1e-9, (high - low).max()))
    return np.stack([low - room, high + room], 1)


def _corners(landscape: Landscape) -> np.ndarray:
    """Two corners (2, 2) of a domain that the plane holds, or none (0, 2)."""
    if landscape.dim > 2:
        return np.zeros((0, 2))
    domain = landscape.domain
    box = (domain.low, domain.high) if isinstance(domain, Reals) else (0.0, 1.0)
    return np.array(box)[:, None].repeat(2, 1)


def _there(points: np.ndarray) -> np.ndarray:
    """Those of points (.., 2) that are numbers: (n, 2)."""
    points = points.reshape(-1, 2)
    return points[np.isfinite(points).all(-1)]


@torch.no_grad()
def _losses(landscape: Landscape, x: Tensor, now: Tensor | None) -> np.ndarray:
    """The loss (W, P) of points (W, P, D); NaN outside the domain, or where it cannot be computed."""
    losses = [_loss(landscape, part, now) for part in x.split(AT_ONCE, 1)]
    return _numbers(torch.cat(losses, 1))


def _loss(landscape: Landscape, x: Tensor, now: Tensor | None) -> Tensor:
    """The loss (W, P) of points (W, P, D), as smooth as there is."""
    if isinstance(landscape.domain, Bits):
        inside = ((x >= 0) & (x <= 1)).all(-1)
        if landscape.extension_cost is None:
            return torch.full_like(x[..., 0], torch.nan)
        return landscape.extension(x.clamp(0, 1), None, now).where(inside, torch.nan)
    if len(landscape.players) > 1:
        moved, legal = into_box(landscape, x)
        loss = landscape.solution_loss(moved, now)
        return loss if legal is None else loss.where(legal, torch.nan)
    return evaluate(landscape, x, time=now).value


def _numbers(tensor: Tensor) -> np.ndarray:
    return tensor.detach().double().cpu().numpy()
