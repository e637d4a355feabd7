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
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from landscapes.base import Bits, Landscape
from landscapes.bbob.functions import FUNCTIONS
from landscapes.bbob.landscape import BBOB
from landscapes.oracle.evaluation import evaluate
from landscapes.probes.continuous.walks_and_lines import boxed, spread
from landscapes.streams import Streams
from landscapes.wrappers.moving import Moving
from studies.probe.named import Named, brief

GRID = 161  # points along each axis of a plane
SMALL = 32  # genotypes up to which each is drawn
ENUMERATED = 16  # bits up to which all genotypes are looked at
SAMPLE = 4096  # points looked at where not all are
HORIZON = 400  # units of time for which the path of a moving optimum is shown
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
    data = _form(landscape, streams, grid)
    facts = {
        "kind": _title(named),
        "parameters": brief(named.spec),
        "label": named.label,
        "dim": landscape.dim,
    }
    return data.assign_attrs(facts | {"gap_known": int(landscape.gap_known), "page": page(landscape)})


def _title(named: Named) -> str:
    """The kind; of a function of BBOB its number and name."""
    inner = named.landscape
    return (
        f"f{inner.function} {FUNCTIONS[inner.function].title}"
        if isinstance(inner, BBOB)
        else str(named.spec["kind"])
    )


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
    if isinstance(landscape.domain, Bits):
        return _network(landscape, streams) if 2**landscape.dim <= SMALL else _band(landscape, streams)
    if len(landscape.players) > 1:
        return _field(landscape, streams, grid)
    return _plane(landscape, streams, grid) if landscape.dim > 1 else _line(landscape, streams)


def _losses(landscape: Landscape, x: Tensor, time: float = 0.0) -> Tensor:
    """The loss of many points x (1, P, D) of one world -> (P,) float64, some at a time."""
    clock = None if landscape.clock is None else torch.full((1,), time, dtype=torch.float64, device=x.device)
    parts = x.split(max(1, _ELEMENTS // (landscape.dim * landscape.terms)), 1)
    with torch.no_grad():
        return torch.cat([landscape.loss(part, None, clock)[0] for part in parts]).double()


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
    best, known = _best(landscape, x, loss)
    number = torch.arange(len(loss))
    neighbours = loss[number[:, None] ^ (1 << torch.arange(landscape.dim))]
    variables = {
        "loss": ("genotype", loss.numpy()),
        "distance": ("genotype", (x[0] != best).sum(-1).numpy()),
        "peak": ("genotype", (loss[:, None] < neighbours).all(-1).numpy()),
    }
    attrs = {
        "form": "network",
        "n": landscape.dim,
        "optimum_known": int(known),
        "optimum": int((best.long() << torch.arange(landscape.dim)).sum()),
    }
    return xr.Dataset(variables, {"genotype": number.numpy()}, attrs)


def _band(landscape: Landscape, streams: Streams) -> xr.Dataset:
    """Quantiles of the loss by distance to the best genotype.

    A sample is drawn anew at each distance where genotypes are many.
    """
    x = _genotypes(landscape, streams)
    best, known = _best(landscape, x, _losses(landscape, x))
    if landscape.dim > ENUMERATED:
        x = _around(best, landscape.dim, streams)
    loss, distance = _losses(landscape, x).numpy(), (x[0] != best).sum(-1).numpy()
    shares = np.array([0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0])
    values = np.stack([np.quantile(loss[distance == d], shares) for d in range(landscape.dim + 1)], -1)
    coords = {"quantile": shares, "distance": np.arange(landscape.dim + 1)}
    return xr.Dataset(
        {"loss": (("quantile", "distance"), values)},
        coords,
        {"form": "band", "n": landscape.dim, "optimum_known": int(known)},
    )


def _around(best: Tensor, n: int, streams: Streams, each: int = 200) -> Tensor:
    """`each` genotypes at every Hamming distance 0 .. n from `best`: (1, P, n) uint8."""
    order = streams.at(DIRECTIONS).permutation("init", n, ((n + 1) * each,))
    flipped = order < torch.arange(n + 1).repeat_interleave(each)[:, None]
    return (best ^ flipped.to(torch.uint8)).reshape(1, -1, n)


# reals ------------------------------------------------------------------------------------------------------


def _line(landscape: Landscape, streams: Streams, points: int = 801) -> xr.Dataset:
    domain: Any = landscape.domain
    x = torch.linspace(domain.low, domain.high, points, dtype=streams.dtype)
    attrs = {"form": "line", "optimum_known": int(landscape.optimum is not None)}
    attrs |= {} if landscape.optimum is None else {"optimum": float(landscape.optimum)}
    return xr.Dataset(
        {"loss": ("u", _losses(landscape, x[None, :, None]).numpy())}, {"u": x.double().numpy()}, attrs
    )


def _plane(landscape: Landscape, streams: Streams, grid: int) -> xr.Dataset:
    """The loss on a plane, origin + u a + v b."""
    origin, axes, reach, named = _slice(landscape, streams)
    u, v = (torch.linspace(*ends, grid, dtype=streams.dtype) for ends in reach)
    if landscape.terms * landscape.dim > 2**14:  # a network: a point costs much, and the plane is smooth
        u, v = (torch.linspace(*ends, 1 + grid // 4, dtype=streams.dtype) for ends in reach)
    mesh = torch.stack(torch.meshgrid(v, u, indexing="ij"), -1).flip(-1)  # (V, U, 2)
    points = (origin + mesh.reshape(-1, 2) @ axes)[None]
    loss = _losses(landscape, points)
    loss = (
        landscape.observe(loss[None].to(points), points, streams.at(OBSERVED))[0].double()
        if landscape.noisy
        else loss
    )  # as it is seen
    loss = loss.reshape(len(v), len(u))
    data = xr.Dataset(
        {"loss": (("v", "u"), loss.numpy())}, {"u": u.double().numpy(), "v": v.double().numpy()}
    )
    data = data.assign_attrs(
        {"form": "plane", "noisy": int(landscape.noisy)}
        | named
        | _marks(landscape, streams, origin, axes, data)
    )
    return _with_path(data, landscape, origin, axes) if isinstance(landscape, Moving) else data


def _with_path(data: xr.Dataset, landscape: Moving, origin: Tensor, axes: Tensor) -> xr.Dataset:
    """The path of the optimum, projected on the plane, where it is known."""
    places = [
        landscape.optimum_at(torch.full((1,), float(time), dtype=torch.float64, device=origin.device))
        for time in range(HORIZON + 1)
    ]
    known = [place[0] for place in places if place is not None]
    if not known:
        return data
    path = ((torch.stack(known) - origin) @ axes.mT).double().numpy(force=True)
    attrs = {"horizon": HORIZON, "optimum_known": 1, "optimum": path[0].tolist()}
    return data.assign({"path_u": ("time", path[:, 0]), "path_v": ("time", path[:, 1])}).assign_attrs(attrs)


def _slice(
    landscape: Landscape, streams: Streams
) -> tuple[Tensor, Tensor, list[tuple[float, float]], dict[str, str]]:
    """Origin (D,), two axes (2, D), how far to go along each, and the names of the axes."""
    domain: Any = landscape.domain
    if landscape.dim > 2 and not boxed(landscape):
        origin = landscape.start(streams.at(0), 1)[0, 0]
        drawn = landscape.start(streams.at(DIRECTIONS), 2)[0]
        axes = drawn * (origin.norm() / drawn.norm(dim=-1, keepdim=True))
        return (
            origin,
            axes,
            [(-1.5, 1.5)] * 2,
            {"u_name": "direction 1 (norm of start)", "v_name": "direction 2"},
        )
    if landscape.dim == 2:
        origin = torch.zeros(2, dtype=streams.dtype)
        return (
            origin,
            torch.eye(2, dtype=streams.dtype),
            [(domain.low, domain.high)] * 2,
            {"u_name": "$x_1$", "v_name": "$x_2$"},
        )
    x = spread(landscape, streams.at(SAMPLES), SAMPLE)
    origin, known = _best(landscape, x, _losses(landscape, x))
    axes = torch.linalg.qr(streams.at(DIRECTIONS).normal("init", (landscape.dim, 2))[0])[0].mT
    half = (domain.high - domain.low) / 2
    return (
        origin,
        axes,
        [(-half, half)] * 2,
        {"u_name": f"direction 1 from {'optimum' if known else 'best seen'}", "v_name": "direction 2"},
    )


def _marks(
    landscape: Landscape, streams: Streams, origin: Tensor, axes: Tensor, data: xr.Dataset
) -> dict[str, Any]:
    """Where on the plane the optimum and a start are, as far as they lie on it."""
    found: dict[str, Any] = {"optimum_known": int(landscape.optimum is not None)}
    if landscape.optimum is not None:
        found["optimum"] = _on_plane(landscape.optimum[0], origin, axes)
    elif boxed(landscape) and bool(data["loss"].notnull().any()):
        best = data["loss"].where(data["loss"].notnull(), np.inf).argmin(("u", "v"))
        found["optimum"] = [float(data["u"][best["u"]]), float(data["v"][best["v"]])]
    if landscape.dim == 2 or not boxed(landscape):
        found["start"] = _on_plane(landscape.start(streams.at(0), 1)[0, 0], origin, axes)
    return {name: place for name, place in found.items() if place is not None}


def _on_plane(x: Tensor, origin: Tensor, axes: Tensor) -> list[float] | None:
    """Coordinates on the plane of x (D,); None where it does not lie on it."""
    place = torch.linalg.lstsq(axes.mT.double(), (x - origin).double()[:, None]).solution[:, 0]
    off = x.double() - origin.double() - place @ axes.double()
    return place.tolist() if float(off.norm()) <= 1e-5 * (1 + float(x.double().norm())) else None


# games ------------------------------------------------------------------------------------------------------


def _field(landscape: Landscape, streams: Streams, grid: int) -> xr.Dataset:
    """The step of simultaneous gradient descent, on the plane of the first coordinate of each player, the others at a start."""
    domain: Any = landscape.domain
    places = [0, landscape.players[0]]
    ends = torch.linspace(domain.low, domain.high, 1 + grid // 4, dtype=streams.dtype)
    mesh = torch.stack(torch.meshgrid(ends, ends, indexing="ij"), -1).flip(-1)
    x = landscape.start(streams.at(0), 1).expand(1, len(ends) ** 2, -1).clone()
    x[0][:, places] = mesh.reshape(-1, 2)
    clock = None if landscape.clock is None else torch.zeros(1, dtype=torch.float64)
    answer = evaluate(landscape, x, gradient=True, time=clock)
    assert answer.gradient is not None
    step = -answer.gradient[0][:, places].double().reshape(*mesh.shape)
    variables = {name: (("v", "u"), step[..., i].numpy()) for i, name in enumerate(("step_u", "step_v"))}
    data = xr.Dataset(variables, {"u": ends.double().numpy(), "v": ends.double().numpy()})
    known = landscape.optimum is not None
    attrs: dict[str, Any] = {
        "form": "field",
        "u_name": "player 1",
        "v_name": "player 2",
        "optimum_known": int(known),
    }
    return data.assign_attrs(
        attrs | ({"optimum": landscape.optimum[0][places].double().tolist()} if known else {})  # type: ignore[index]
    )
