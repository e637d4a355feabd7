"""What the gallery shows of a landscape, as a small Dataset.

The numbers behind a picture, drawn by `studies.figures.gallery`.

The picture follows from the contract alone. Bits: all genotypes by Hamming distance to the best one, or
quantiles of the loss by that distance where there are many. Reals: the loss on a plane (a line where D = 1).
With D = 2 that is the whole box; otherwise a slice through the optimum, or through the best of a sample,
along two random orthonormal directions; of a landscape without a box, such as a network, through a start,
along two further draws of the law of starts scaled to the norm of the start: its filters then have the norms
that Li et al. 2018 ("Visualizing the loss landscape of neural nets") give them by rescaling, in expectation.
Games: the field of steps that each player makes down its own gradient.

Streams: "init" for starts, samples and directions, each at a step of its own.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from landscapes.base import Bits, Landscape
from landscapes.bbob.functions import FUNCTIONS
from landscapes.bbob.landscape import BBOB
from landscapes.oracle.evaluation import evaluate
from landscapes.probes.continuous.extent import boxed, spread
from landscapes.streams import Streams
from landscapes.wrappers.moving import Moving
from studies.probe.named import Named, brief
from studies.text.shapes import Data

GRID = 161  # points along each axis of a plane
SMALL = 32  # genotypes up to which each is drawn
ENUMERATED = 16  # bits up to which all genotypes are looked at
SAMPLE = 4096  # points looked at where not all are
DEAR = (
    2**14
)  # coordinates times terms from which on a point of a plane costs much: a network, which is smooth
HORIZON = 400  # units of time for which the path of a moving optimum is shown
SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)  # quantiles of a band
_ELEMENTS = 2**24  # coordinates evaluated at a time
SAMPLES, DIRECTIONS, OBSERVED = 1, 2, 3  # steps of the streams; starts are at 0


def picture(named: Named, seed: int = 1, grid: int = GRID) -> xr.Dataset:
    """The numbers behind the picture of world 0 of a landscape.

    Args:
        named: the landscape.
        seed: of the study whose world 0 is shown.
        grid: points along each axis of a plane.

    Returns:
        A Dataset whose attribute `form` says how it is drawn: network, band, plane, line or field; `kind` and
            `parameters` make its title.
    """
    streams = Streams(seed=seed, worlds=torch.tensor([0]), dtype=getattr(torch, named.dtype))
    landscape = named.landscape.bind(streams)
    return _form(landscape, streams, grid).assign_attrs({
        "kind": _title(named),
        "parameters": brief(named.spec),
        "label": named.label,
        "dim": landscape.dim,
        "gap_known": int(landscape.gap_known),
        "page": page(landscape),
    })


def _title(named: Named) -> str:
    """The kind; of a function of BBOB its number and name."""
    inner = named.landscape
    if isinstance(inner, BBOB):
        return f"f{inner.function} {FUNCTIONS[inner.function].title}"
    return str(named.spec["kind"])


def page(landscape: Landscape) -> str:
    """Which page of the gallery shows it."""
    if isinstance(landscape.domain, Bits):
        return "binary"
    if len(landscape.players) > 1:
        return "games"
    if landscape.clock is not None:
        return "moving"
    if not boxed(landscape):
        return "learning"
    return "bbob" if isinstance(landscape, BBOB) and landscape.dim == 2 else "continuous"


def _form(landscape: Landscape, streams: Streams, grid: int) -> xr.Dataset:
    """The numbers of a picture, in the form that the landscape has."""
    if isinstance(landscape.domain, Bits):
        return _network(landscape, streams) if 2**landscape.dim <= SMALL else _band(landscape, streams)
    if len(landscape.players) > 1:
        return _field(landscape, streams, grid)
    return _plane(landscape, streams, grid) if landscape.dim > 1 else _line(landscape, streams)


def _losses(landscape: Landscape, x: Tensor, time: float = 0.0) -> Tensor:
    """The loss of many points x (1, P, D) of one world -> (P,) float64, some at a time."""
    clock = None if landscape.clock is None else _clock(time, x)
    parts = x.split(max(1, _ELEMENTS // (landscape.dim * landscape.terms)), 1)
    with torch.no_grad():
        return torch.cat([landscape.loss(part, None, clock)[0] for part in parts]).double()


def _clock(time: float, like: Tensor) -> Tensor:
    """The time of one world, on the device of a tensor."""
    return torch.full((1,), time, dtype=torch.float64, device=like.device)


def _numbers(values: Tensor) -> np.ndarray:
    return values.double().numpy(force=True)


# bits -------------------------------------------------------------------------------------------------------


def _genotypes(landscape: Landscape, streams: Streams) -> Tensor:
    """All genotypes, or a sample: (1, P, n) uint8."""
    n = landscape.dim
    if n > ENUMERATED:
        return landscape.start(streams.at(SAMPLES), SAMPLE)
    return (torch.arange(2**n)[:, None] >> torch.arange(n) & 1).to(torch.uint8)[None]


def _best(landscape: Landscape, x: Tensor, loss: Tensor) -> tuple[Tensor, bool]:
    """The point (D,) from which distances count, and whether it is a known optimum.

    Else the best of x (1, P, D).
    """
    if landscape.optimum is not None:
        return landscape.optimum[0], True
    return x[0, int(loss.nan_to_num(math.inf).argmin())], False


def _network(landscape: Landscape, streams: Streams) -> xr.Dataset:
    """Every genotype: loss, distance to the best, and whether no neighbour is better."""
    x = _genotypes(landscape, streams)
    loss = _losses(landscape, x)
    best, exact = _best(landscape, x, loss)
    number, bits = torch.arange(len(loss)), torch.arange(landscape.dim)
    neighbours = loss[number[:, None] ^ (1 << bits)]
    variables = {
        "loss": loss,
        "distance": (x[0] != best).sum(-1),
        "peak": (loss[:, None] < neighbours).all(-1),
    }
    data = {name: ("genotype", values.numpy()) for name, values in variables.items()}
    attrs = {"form": "network", "n": landscape.dim, "optimum_known": int(exact)}
    return xr.Dataset(
        data, {"genotype": number.numpy()}, attrs | {"optimum": int((best.long() << bits).sum())}
    )


def _band(landscape: Landscape, streams: Streams) -> xr.Dataset:
    """Quantiles of the loss by distance to the best genotype.

    A sample is drawn anew at each distance where genotypes are many.
    """
    x = _genotypes(landscape, streams)
    best, exact = _best(landscape, x, _losses(landscape, x))
    if landscape.dim > ENUMERATED:
        x = _around(best, landscape.dim, streams)
    loss, distance = _losses(landscape, x).numpy(), (x[0] != best).sum(-1).numpy()
    distances = np.arange(landscape.dim + 1)
    values = np.stack([np.quantile(loss[distance == d], SHARES) for d in distances], -1)
    return xr.Dataset(
        {"loss": (("quantile", "distance"), values)},
        {"quantile": np.array(SHARES), "distance": distances},
        {"form": "band", "n": landscape.dim, "optimum_known": int(exact)},
    )


def _around(best: Tensor, n: int, streams: Streams, each: int = 200) -> Tensor:
    """`each` genotypes at every Hamming distance 0 .. n from `best`: (1, P, n) uint8."""
    order = streams.at(DIRECTIONS).permutation("init", n, ((n + 1) * each,))
    flipped = order < torch.arange(n + 1).repeat_interleave(each)[:, None]
    return (best ^ flipped.to(torch.uint8)).reshape(1, -1, n)


# reals ------------------------------------------------------------------------------------------------------


class Plane(NamedTuple):
    """Points origin + u a + v b."""

    origin: Tensor  # (D,)
    axes: Tensor  # (2, D): a and b
    low: float  # from which
    high: float  # to which u and v go
    u_name: str
    v_name: str


def _line(landscape: Landscape, streams: Streams, points: int = 801) -> xr.Dataset:
    """The loss of a landscape of one dimension."""
    domain: Any = landscape.domain
    x = torch.linspace(domain.low, domain.high, points, dtype=streams.dtype)
    exact = landscape.optimum is not None
    attrs = {"form": "line", "optimum_known": int(exact)}
    attrs |= {"optimum": float(landscape.optimum)} if exact else {}  # type: ignore[arg-type]
    loss = _losses(landscape, x[None, :, None])
    return xr.Dataset({"loss": ("u", loss.numpy())}, {"u": _numbers(x)}, attrs)


def _plane(landscape: Landscape, streams: Streams, grid: int) -> xr.Dataset:
    """The loss on a plane, as it is seen."""
    plane = _slice(landscape, streams)
    dear = landscape.terms * landscape.dim > DEAR
    ends = torch.linspace(plane.low, plane.high, 1 + grid // 4 if dear else grid, dtype=streams.dtype)
    mesh = _mesh(ends)
    points = (plane.origin + mesh.reshape(-1, 2) @ plane.axes)[None]
    loss = _losses(landscape, points)
    if landscape.noisy:
        loss = landscape.observe(loss[None].to(points), points, streams.at(OBSERVED))[0].double()
    data = _on_grid(ends, {"loss": loss.reshape(mesh.shape[:-1])}).assign_attrs({
        "form": "plane",
        "noisy": int(landscape.noisy),
        "u_name": plane.u_name,
        "v_name": plane.v_name,
    })
    data = data.assign_attrs(_marks(landscape, streams, plane, data))
    return _with_path(data, landscape, plane) if isinstance(landscape, Moving) else data


def _mesh(ends: Tensor) -> Tensor:
    """The points (u, v) of a grid: (V, U, 2)."""
    return torch.stack(torch.meshgrid(ends, ends, indexing="ij"), -1).flip(-1)


def _on_grid(ends: Tensor, variables: dict[str, Tensor]) -> xr.Dataset:
    """Variables (V, U) on a grid."""
    data = {name: (("v", "u"), values.numpy()) for name, values in variables.items()}
    return xr.Dataset(data, {"u": _numbers(ends), "v": _numbers(ends)})


def _with_path(data: xr.Dataset, landscape: Moving, plane: Plane) -> xr.Dataset:
    """The path of the optimum, projected on the plane, where it is known."""
    places = [landscape.optimum_at(_clock(float(time), plane.origin)) for time in range(HORIZON + 1)]
    there = [place[0] for place in places if place is not None]
    if not there:
        return data
    u, v = _numbers((torch.stack(there) - plane.origin) @ plane.axes.mT).T
    attrs = {"horizon": HORIZON, "optimum_known": 1, "optimum": [float(u[0]), float(v[0])]}
    return data.assign({"path_u": ("time", u), "path_v": ("time", v)}).assign_attrs(attrs)


def _slice(landscape: Landscape, streams: Streams) -> Plane:
    """The plane that is shown."""
    domain: Any = landscape.domain
    if landscape.dim == 2:
        origin, axes = torch.zeros(2, dtype=streams.dtype), torch.eye(2, dtype=streams.dtype)
        return Plane(origin, axes, domain.low, domain.high, "$x_1$", "$x_2$")
    if not boxed(landscape):
        origin = landscape.start(streams.at(0), 1)[0, 0]
        drawn = landscape.start(streams.at(DIRECTIONS), 2)[0]
        axes = drawn * (origin.norm() / drawn.norm(dim=-1, keepdim=True))
        return Plane(origin, axes, -1.5, 1.5, "direction 1 (norm of start)", "direction 2")
    x = spread(landscape, streams.at(SAMPLES), SAMPLE)
    origin, exact = _best(landscape, x, _losses(landscape, x))
    axes = torch.linalg.qr(streams.at(DIRECTIONS).normal("init", (landscape.dim, 2))[0])[0].mT
    half, centre = (domain.high - domain.low) / 2, "optimum" if exact else "best seen"
    return Plane(origin, axes, -half, half, f"direction 1 from {centre}", "direction 2")


def _marks(landscape: Landscape, streams: Streams, plane: Plane, data: xr.Dataset) -> Data:
    """Where on the plane the optimum and a start are, as far as they lie on it.

    Args:
        landscape: bound to the streams.
        streams: of world 0.
        plane: what is shown.
        data: the loss on it.
    """
    places: dict[str, list[float] | None] = {}
    if landscape.optimum is not None:
        places["optimum"] = _on_plane(landscape.optimum[0], plane)
    elif boxed(landscape):
        places["optimum"] = _lowest(data)
    if landscape.dim == 2 or not boxed(landscape):
        places["start"] = _on_plane(landscape.start(streams.at(0), 1)[0, 0], plane)
    there = {name: place for name, place in places.items() if place is not None}
    return {"optimum_known": int(landscape.optimum is not None)} | there


def _lowest(data: xr.Dataset) -> list[float] | None:
    """Where the loss on the plane is lowest; None where it has no number."""
    loss = data["loss"].where(data["loss"].notnull(), np.inf)
    if not bool(data["loss"].notnull().any()):
        return None
    best = loss.argmin(("u", "v"))
    return [float(data[axis][best[axis]]) for axis in ("u", "v")]


def _on_plane(x: Tensor, plane: Plane) -> list[float] | None:
    """Coordinates on the plane of x (D,); None where it does not lie on it."""
    axes, away = plane.axes.double(), x.double() - plane.origin.double()
    place = torch.linalg.lstsq(plane.axes.mT.double(), (x - plane.origin).double()[:, None]).solution[
        :, 0
    ]
    off = away - place @ axes
    return place.tolist() if float(off.norm()) <= 1e-5 * (1 + float(x.double().norm())) else None


# games ------------------------------------------------------------------------------------------------------


def _field(landscape: Landscape, streams: Streams, grid: int) -> xr.Dataset:
    """The step of simultaneous gradient descent.

    On the plane of the first coordinate of each player, the others at a start.
    """
    domain: Any = landscape.domain
    places = [0, landscape.players[0]]
    ends = torch.linspace(domain.low, domain.high, 1 + grid // 4, dtype=streams.dtype)
    mesh = _mesh(ends)
    x = landscape.start(streams.at(0), 1).expand(1, len(ends) ** 2, -1).clone()
    x[0][:, places] = mesh.reshape(-1, 2)
    step = -_slopes(landscape, x)[0][:, places].double().reshape(*mesh.shape)
    attrs: Data = {"form": "field", "u_name": "player 1", "v_name": "player 2"}
    attrs["optimum_known"] = int(landscape.optimum is not None)
    if landscape.optimum is not None:
        attrs["optimum"] = landscape.optimum[0][places].double().tolist()
    return _on_grid(ends, {"step_u": step[..., 0], "step_v": step[..., 1]}).assign_attrs(attrs)


def _slopes(landscape: Landscape, x: Tensor) -> Tensor:
    """The gradient of the loss at many points x (1, P, D) of one world, each player's of its own."""
    clock = None if landscape.clock is None else torch.zeros(1, dtype=torch.float64)
    gradient = evaluate(landscape, x, gradient=True, time=clock).gradient
    assert gradient is not None
    return gradient
