"""The loss of a landscape on a plane, with the optimum and a start where they lie on it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from xarray import Dataset

from landscapes.base import Landscape
from landscapes.probes.continuous.extent import boxed, spread
from landscapes.streams import Streams
from landscapes.wrappers.moving import Moving
from studies.probe.points import (
    DIRECTIONS,
    OBSERVED,
    SAMPLE,
    SAMPLES,
    as_numpy,
    best_of,
    ends_of,
    losses_at,
    time_of,
)
from studies.text.shapes import Data

DEAR = 2**14  # coordinates times terms from which on a point costs much: a network, which is smooth
HORIZON = 400  # units of time for which the path of a moving optimum is shown


class Plane(NamedTuple):
    """Points origin + u a + v b."""

    origin: Tensor  # (D,)
    axes: Tensor  # (2, D): a and b
    low: float  # from which
    high: float  # to which u and v go
    u_name: str
    v_name: str


def plane_of(landscape: Landscape, streams: Streams, grid: int) -> Dataset:
    """The loss on a plane, as it is seen."""
    plane = _slice(landscape, streams)
    ends = _along(plane, _points(landscape, grid), streams)
    loss = _seen(landscape, streams, plane, mesh_of(ends))
    names = {
        "form": "plane",
        "u_name": plane.u_name,
        "v_name": plane.v_name,
    }
    data = on_grid(ends, {"loss": loss})
    data = data.assign_attrs(names | {"noisy": int(landscape.noisy)})
    data = data.assign_attrs(_marks(landscape, streams, plane, data))
    return _with_path(data, landscape, plane) if isinstance(landscape, Moving) else data


def _points(landscape: Landscape, grid: int) -> int:
    """Points along each axis of a plane: fewer where each is dear."""
    dear = landscape.terms * landscape.dim > DEAR
    return 1 + grid // 4 if dear else grid


def _along(plane: Plane, points: int, streams: Streams) -> Tensor:
    """The values of u, which are those of v too."""
    return torch.linspace(plane.low, plane.high, points, dtype=streams.dtype)


def _seen(
    landscape: Landscape,
    streams: Streams,
    plane: Plane,
    mesh: Tensor,
) -> Tensor:
    """The loss at points of a plane, with its noise: (V, U)."""
    points = (plane.origin + mesh.reshape(-1, 2) @ plane.axes)[None]
    loss = losses_at(landscape, points)
    if landscape.noisy:
        loss = _noisy(landscape, streams, loss, points)
    return loss.reshape(mesh.shape[:-1])


def _noisy(landscape: Landscape, streams: Streams, loss: Tensor, points: Tensor) -> Tensor:
    """Losses (P,) at points (1, P, D), each seen once."""
    return landscape.observe(loss[None].to(points), points, streams.at(OBSERVED))[0].double()


def mesh_of(ends: Tensor) -> Tensor:
    """The points (u, v) of a grid: (V, U, 2)."""
    return torch.stack(torch.meshgrid(ends, ends, indexing="ij"), -1).flip(-1)


def on_grid(ends: Tensor, variables: dict[str, Tensor]) -> Dataset:
    """Variables (V, U) on a grid."""
    data = {name: (("v", "u"), values.numpy()) for name, values in variables.items()}
    return Dataset(data, {"u": as_numpy(ends), "v": as_numpy(ends)})


def _with_path(data: Dataset, landscape: Moving, plane: Plane) -> Dataset:
    """The path of the optimum, projected on the plane, where it is known."""
    path = _path(landscape, plane)
    if not len(path):
        return data
    u, v = as_numpy((torch.stack(path) - plane.origin) @ plane.axes.mT).T
    attrs = {
        "horizon": HORIZON,
        "optimum_known": 1,
        "optimum": [float(u[0]), float(v[0])],
    }
    return data.assign({"path_u": ("time", u), "path_v": ("time", v)}).assign_attrs(attrs)


def _path(landscape: Moving, plane: Plane) -> list[Tensor]:
    """Where the optimum is at the times at which it is known: (D,) each."""
    places = [landscape.optimum_at(time_of(time, plane.origin)) for time in range(HORIZON + 1)]
    return [place[0] for place in places if place is not None]


def _slice(landscape: Landscape, streams: Streams) -> Plane:
    """The plane that is shown."""
    if landscape.dim == 2:
        origin, axes = torch.zeros(2, dtype=streams.dtype), torch.eye(2, dtype=streams.dtype)
        return Plane(origin, axes, *ends_of(landscape), "$x_1$", "$x_2$")
    return _in_box(landscape, streams) if boxed(landscape) else _from_start(landscape, streams)


def _from_start(landscape: Landscape, streams: Streams) -> Plane:
    """A plane through a start, along two more, of its norm."""
    origin = landscape.start(streams.at(0), 1)[0, 0]
    drawn = landscape.start(streams.at(DIRECTIONS), 2)[0]
    axes = drawn * (origin.norm() / drawn.norm(dim=-1, keepdim=True))
    return Plane(origin, axes, -1.5, 1.5, "direction 1 (norm of start)", "direction 2")


def _in_box(landscape: Landscape, streams: Streams) -> Plane:
    """A plane through the optimum, or the best of a sample, along random orthonormal directions."""
    x = spread(landscape, streams.at(SAMPLES), SAMPLE)
    origin, exact = best_of(landscape, x, losses_at(landscape, x))
    low, high = ends_of(landscape)
    half, centre = (high - low) / 2, "optimum" if exact else "best seen"
    axes = _directions(landscape.dim, streams)
    return Plane(origin, axes, -half, half, f"direction 1 from {centre}", "direction 2")


def _directions(dim: int, streams: Streams) -> Tensor:
    """Two random orthonormal directions: (2, D)."""
    drawn = streams.at(DIRECTIONS).normal("init", (dim, 2))[0]
    return torch.linalg.qr(drawn)[0].mT


def _marks(
    landscape: Landscape,
    streams: Streams,
    plane: Plane,
    data: Dataset,
) -> Data:
    """Where on the plane the optimum and a start are, as far as they lie on it.

    Args:
        landscape: bound to the streams.
        streams: of world 0.
        plane: what is shown.
        data: the loss on it.
    """
    places = {
        "optimum": _optimum_on(landscape, plane, data),
        "start": _start_on(landscape, streams, plane),
    }
    there = {name: place for name, place in places.items() if place is not None}
    return {"optimum_known": int(landscape.optimum is not None)} | there


def _optimum_on(landscape: Landscape, plane: Plane, data: Dataset) -> list[float] | None:
    """Where on the plane the optimum is; in a box, where it is not known, the lowest point."""
    if landscape.optimum is not None:
        return _on_plane(landscape.optimum[0], plane)
    return _lowest(data) if boxed(landscape) else None


def _start_on(landscape: Landscape, streams: Streams, plane: Plane) -> list[float] | None:
    """Where on the plane a start is, where that is chosen so that it may be there."""
    if landscape.dim > 2 and boxed(landscape):
        return None
    return _on_plane(landscape.start(streams.at(0), 1)[0, 0], plane)


def _lowest(data: Dataset) -> list[float] | None:
    """Where the loss on the plane is lowest; None where it has no number."""
    there = data["loss"].notnull()
    if not bool(there.any()):
        return None
    best = data["loss"].where(there, np.inf).argmin(("u", "v"))
    return [float(data[axis][best[axis]]) for axis in ("u", "v")]


def _on_plane(x: Tensor, plane: Plane) -> list[float] | None:
    """Coordinates on the plane of x (D,); None where it does not lie on it."""
    axes = plane.axes.double()
    place = _coordinates(x, plane)
    off = x.double() - plane.origin.double() - place @ axes
    return place.tolist() if float(off.norm()) <= 1e-5 * (1 + float(x.double().norm())) else None


def _coordinates(x: Tensor, plane: Plane) -> Tensor:
    """Those (2,) of the point of the plane that is nearest to x (D,)."""
    away = (x - plane.origin).double()[:, None]
    return torch.linalg.lstsq(plane.axes.mT.double(), away).solution[:, 0]
