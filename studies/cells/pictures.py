"""Pictures of a search: where its center and its points are, on a plane through the landscape, and the loss on that plane.

With two coordinates the plane is the space itself. With more it is spanned by the two leading principal directions of the center's trail, through
its end (Li, Xu, Taylor, Studer and Goldstein 2018, arXiv:1712.09913, section 7); `picture_kept` says how much of the trail's variance it shows. On
bits a center is allele frequencies, and the loss that of a population at linkage equilibrium (the multilinear extension), where it can be computed.

A frame at cost c shows the state after the last completed step of cost <= c at the nominal price, and the points asked in that step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from landscapes.base import Bits, Landscape, Query, Reals
from landscapes.checks import into_box
from landscapes.oracle.bill import ROUNDING, Bill
from landscapes.oracle.evaluation import clock_time, evaluate
from optimizers.base import Optimizer, State
from studies.schema import PICTURE

MARGIN = 0.15  # around what is seen
TAILS = (0.02, 0.98)  # quantiles of the points that are certainly seen
AT_ONCE = 256  # points of the plane evaluated at a time


class Camera:
    """Keeps frames of the first worlds while they run.

    Args:
        optimizer: gives the center of a state.
        bill: the worlds' bills.
        costs: (F,) of the frames at the nominal price, increasing, in evaluations.
        rows: (W,) the worlds that are seen.
        points: most points of a query that are kept.
    """

    def __init__(
        self, optimizer: Optimizer, bill: Bill, costs: Sequence[float], rows: Tensor, points: int
    ) -> None:
        self.optimizer, self.bill, self.rows, self.points = optimizer, bill, rows, points
        self.reach = np.array([*costs, np.inf]) * (1 + ROUNDING)
        self.next = np.zeros(len(rows), int)  # (W,) the first frame not yet kept
        self.centers: np.ndarray | None = None  # (W, F, D)
        self.clouds: np.ndarray | None = None  # (W, F, points, D)
        self.costs = np.full((len(rows), len(costs)), np.nan)
        self.last: tuple[State, Query | None, np.ndarray] | None = None

    def __call__(self, state: State, query: Query | None = None) -> None:
        """Take the state before the first step, and after each with the query that led to it."""
        spent, alive = (part[self.rows.numpy()] for part in (self.bill.spent, self.bill.alive))
        if self.last is not None:
            self._keep(np.searchsorted(self.reach, spent))
        self.last = (state, query, spent)
        self._keep(np.where(alive, 0, len(self.reach) - 1))

    def _keep(self, until: np.ndarray) -> None:
        """Keep what was taken last as each world's frames next .. until - 1."""
        rows = np.flatnonzero(self.next < until)
        if not len(rows) or self.last is None:
            return
        state, query, spent = self.last
        center, cloud = self._shot(state, query)
        if self.centers is None or self.clouds is None:
            shape, dim = self.costs.shape, center.shape[-1]
            self.centers = np.full((*shape, dim), np.nan)
            self.clouds = np.full((*shape, self.points, dim), np.nan)
        for row in rows:
            frames = slice(self.next[row], until[row])
            self.centers[row, frames], self.clouds[row, frames], self.costs[row, frames] = (
                center[row],
                cloud[row],
                spent[row],
            )
        self.next = np.maximum(self.next, until)

    def _shot(self, state: State, query: Query | None) -> tuple[np.ndarray, np.ndarray]:
        """Centers (W, D) and points (W, points, D), NaN where there are fewer."""
        center = _numbers(self.optimizer.center(state)[self.rows])
        cloud = np.full((len(self.rows), self.points, center.shape[-1]), np.nan)
        if query is not None:
            asked = _numbers(query.points[self.rows][:, : self.points])
            if query.alive is not None:
                asked = np.where(query.alive[self.rows][:, : self.points, None].cpu().numpy(), asked, np.nan)
            cloud[:, : asked.shape[1]] = asked
        return center, cloud


def develop(camera: Camera, landscape: Landscape, worlds: int, grid: int) -> xr.Dataset:
    """What was kept, on its planes.

    Args:
        camera: after every world has ended.
        landscape: bound to the worlds that were seen.
        worlds: R, of the block; those that were not seen are NaN.
        grid: points along each side of the plane.

    Returns:
        The variables of `schema.PICTURE`, with the dim replicate in front.
    """
    assert camera.centers is not None  # noqa: S101 - for the type checker
    assert camera.clouds is not None  # noqa: S101
    found: dict[str, list[np.ndarray]] = {name: [] for name in PICTURE}
    planes = []
    for trail, cloud, cost in zip(camera.centers, camera.clouds, camera.costs, strict=True):
        origin, directions, kept = _plane(trail)
        center, points = (trail - origin) @ directions.T, (cloud - origin) @ directions.T
        extent = _extent(center, points, landscape)
        planes.append((origin, directions, extent))
        parts = (
            ("center", center),
            ("point", points),
            ("extent", extent),
            ("cost", cost),
            ("kept", np.array(kept)),
        )
        for name, part in parts:
            found[f"picture_{name}"].append(part)
    found["picture_loss"] = list(_losses(landscape, planes, grid, camera))
    variables = {}
    for name, about in PICTURE.items():
        values = np.full((worlds, *found[name][0].shape), np.nan)
        values[camera.rows.numpy()] = found[name]
        variables[name] = (("replicate", *about.dims), values, about.attrs)
    return xr.Dataset(variables)


def _plane(trail: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Origin (D,), two directions (2, D), and the share of the trail's variance that they hold."""
    dim = trail.shape[-1]
    if dim <= 2:
        return np.zeros(dim), np.eye(2, dim), 1.0
    there = trail[np.isfinite(trail).all(-1)]
    origin = there[-1] if len(there) else np.zeros(dim)
    away = there - there.mean(0) if len(there) else np.zeros((1, dim))
    _, sizes, axes = np.linalg.svd(np.vstack([away, np.zeros((2, dim))]), full_matrices=False)
    directions = axes[:2]
    directions = directions * np.sign(directions[np.arange(2), np.abs(directions).argmax(1)])[:, None]
    total = (sizes**2).sum()
    return origin, directions, float((sizes[:2] ** 2).sum() / total) if total > 0 else 1.0


def _extent(center: np.ndarray, points: np.ndarray, landscape: Landscape) -> np.ndarray:
    """Where the plane begins and ends along each direction: (2, 2)."""
    cloud = points.reshape(-1, 2)
    cloud = cloud[np.isfinite(cloud).all(-1)]
    seen = [center[np.isfinite(center).all(-1)], *([np.quantile(cloud, TAILS, axis=0)] if len(cloud) else [])]
    if landscape.dim <= 2:
        box = (
            (landscape.domain.low, landscape.domain.high)
            if isinstance(landscape.domain, Reals)
            else (0.0, 1.0)
        )
        seen.append(np.array(box)[:, None].repeat(2, 1))
    together = np.concatenate([*seen, np.zeros((0, 2))])
    low, high = (together.min(0), together.max(0)) if len(together) else (np.full(2, -1.0), np.full(2, 1.0))
    room = MARGIN * np.maximum(high - low, 0.02 * max(1e-9, (high - low).max()))
    return np.stack([low - room, high + room], 1)


def _losses(
    landscape: Landscape, planes: Sequence[tuple[np.ndarray, ...]], grid: int, camera: Camera
) -> np.ndarray:
    """The loss (W, grid, grid) on the planes; NaN outside the domain, or where it cannot be computed."""
    x = np.stack([_sheet(origin, directions, extent, grid) for origin, directions, extent in planes])
    rows = camera.rows.numpy()
    steps, spent = camera.bill.steps[rows], camera.bill.spent[rows]
    dtype = camera.optimizer.center(camera.last[0]).dtype if camera.last else torch.float64
    device = camera.optimizer.center(camera.last[0]).device if camera.last else torch.device("cpu")
    now = clock_time(landscape, steps, spent, device)
    parts = torch.from_numpy(x).to(device, dtype).split(AT_ONCE, 1)
    with torch.no_grad():
        found = torch.cat([_loss(landscape, part, now) for part in parts], 1)
    return _numbers(found).reshape(len(planes), grid, grid)


def _sheet(origin: np.ndarray, directions: np.ndarray, extent: np.ndarray, grid: int) -> np.ndarray:
    """Points (grid * grid, D), row by row."""
    across, up = (np.linspace(low, high, grid) for low, high in extent)
    a, b = np.meshgrid(across, up)
    return origin + a.reshape(-1, 1) * directions[0] + b.reshape(-1, 1) * directions[1]


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
