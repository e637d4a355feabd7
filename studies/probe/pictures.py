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

import numpy as np
import torch
from torch import Tensor
from xarray import Dataset

from landscapes.base import Bits, Landscape
from landscapes.bbob.functions import FUNCTIONS
from landscapes.bbob.landscape import BBOB
from landscapes.oracle.evaluation import evaluate
from landscapes.probes.continuous.extent import boxed
from landscapes.streams import Streams
from studies.probe.named import Named, brief
from studies.probe.planes import mesh_of, on_grid, plane_of
from studies.probe.points import DIRECTIONS, SAMPLE, SAMPLES, as_numpy, best_of, ends_of, losses_at
from studies.text.shapes import Data

GRID = 161  # points along each axis of a plane
SMALL = 32  # genotypes up to which each is drawn
ENUMERATED = 16  # bits up to which all genotypes are looked at
SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)  # quantiles of a band
PLAYERS: Data = {
    "form": "field",
    "u_name": "player 1",
    "v_name": "player 2",
}


def picture(named: Named, seed: int = 1, grid: int = GRID) -> Dataset:
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
    return _form(landscape, streams, grid).assign_attrs(_about(named, landscape))


def _about(named: Named, landscape: Landscape) -> Data:
    """What is said of a landscape beside its picture."""
    return {
        "kind": _title(named),
        "parameters": brief(named.spec),
        "label": named.label,
        "dim": landscape.dim,
        "gap_known": int(landscape.gap_known),
        "page": page(landscape),
    }


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
    return "moving" if landscape.clock is not None else _still_page(landscape)


def _still_page(landscape: Landscape) -> str:
    """Which page shows a landscape on reals that does not move."""
    if not boxed(landscape):
        return "learning"
    return "bbob" if isinstance(landscape, BBOB) and landscape.dim == 2 else "continuous"


def _form(landscape: Landscape, streams: Streams, grid: int) -> Dataset:
    """The numbers of a picture, in the form that the landscape has."""
    if isinstance(landscape.domain, Bits):
        few = 2**landscape.dim <= SMALL
        return _network(landscape, streams) if few else _band(landscape, streams)
    if len(landscape.players) > 1:
        return _field(landscape, streams, grid)
    return plane_of(landscape, streams, grid) if landscape.dim > 1 else _line(landscape, streams)


# bits -------------------------------------------------------------------------------------------------------


def _genotypes(landscape: Landscape, streams: Streams) -> Tensor:
    """All genotypes, or a sample: (1, P, n) uint8."""
    if landscape.dim > ENUMERATED:
        return landscape.start(streams.at(SAMPLES), SAMPLE)
    return _all_genotypes(landscape.dim)[None]


def _all_genotypes(n: int) -> Tensor:
    """All genotypes of n bits, the first the lowest: (2^n, n) uint8."""
    return (torch.arange(2**n)[:, None] >> torch.arange(n) & 1).to(torch.uint8)


def _network(landscape: Landscape, streams: Streams) -> Dataset:
    """Every genotype: loss, distance to the best, and whether no neighbour is better."""
    x = _genotypes(landscape, streams)
    loss = losses_at(landscape, x)
    best, exact = best_of(landscape, x, loss)
    variables = {
        "loss": loss,
        "distance": _distances(x, best),
        "peak": _peaks(loss, landscape.dim),
    }
    data = {name: ("genotype", values.numpy()) for name, values in variables.items()}
    attrs = {
        "form": "network",
        "n": landscape.dim,
        "optimum_known": int(exact),
    }
    number = int((best.long() << torch.arange(landscape.dim)).sum())
    return Dataset(data, {"genotype": np.arange(len(loss))}, attrs | {"optimum": number})


def _distances(x: Tensor, best: Tensor) -> Tensor:
    """Hamming distances (P,) of points x (1, P, D) to the best (D,)."""
    return (x[0] != best).sum(-1)


def _peaks(loss: Tensor, n: int) -> Tensor:
    """Whether all neighbours of each of all genotypes of n bits are worse: (2^n,)."""
    neighbours = torch.arange(len(loss))[:, None] ^ (1 << torch.arange(n))
    return (loss[:, None] < loss[neighbours]).all(-1)


def _band(landscape: Landscape, streams: Streams) -> Dataset:
    """Quantiles of the loss by distance to the best genotype.

    A sample is drawn anew at each distance where genotypes are many.
    """
    x = _genotypes(landscape, streams)
    best, exact = best_of(landscape, x, losses_at(landscape, x))
    if landscape.dim > ENUMERATED:
        x = _around(best, landscape.dim, streams)
    values = _quantiles(losses_at(landscape, x).numpy(), _distances(x, best).numpy(), landscape.dim)
    return Dataset(
        {"loss": (("quantile", "distance"), values)},
        {"quantile": np.array(SHARES), "distance": np.arange(landscape.dim + 1)},
        {
            "form": "band",
            "n": landscape.dim,
            "optimum_known": int(exact),
        },
    )


def _quantiles(loss: np.ndarray, distance: np.ndarray, n: int) -> np.ndarray:
    """Quantiles of losses (P,) at each distance 0 .. n: (Q, n + 1)."""
    return np.stack([np.quantile(loss[distance == d], SHARES) for d in range(n + 1)], -1)


def _around(
    best: Tensor,
    n: int,
    streams: Streams,
    each: int = 200,
) -> Tensor:
    """`each` genotypes at every Hamming distance 0 .. n from `best`: (1, P, n) uint8."""
    distances = torch.arange(n + 1).repeat_interleave(each)
    order = streams.at(DIRECTIONS).permutation("init", n, (len(distances),))
    flipped = (order < distances[:, None]).to(torch.uint8)
    return (best ^ flipped).reshape(1, -1, n)


# reals ------------------------------------------------------------------------------------------------------


def _line(landscape: Landscape, streams: Streams, points: int = 801) -> Dataset:
    """The loss of a landscape of one dimension."""
    low, high = ends_of(landscape)
    x = torch.linspace(low, high, points, dtype=streams.dtype)
    loss = losses_at(landscape, x[None, :, None])
    attrs = {"form": "line"} | _optimum(landscape)
    return Dataset({"loss": ("u", loss.numpy())}, {"u": as_numpy(x)}, attrs)


def _optimum(landscape: Landscape) -> Data:
    """The optimum of a landscape of one dimension, if it is known."""
    if landscape.optimum is None:
        return {"optimum_known": 0}
    return {"optimum_known": 1, "optimum": float(landscape.optimum)}


# games ------------------------------------------------------------------------------------------------------


def _field(landscape: Landscape, streams: Streams, grid: int) -> Dataset:
    """The step of simultaneous gradient descent.

    On the plane of the first coordinate of each player, the others at a start.
    """
    places = [0, landscape.players[0]]
    ends = torch.linspace(*ends_of(landscape), 1 + grid // 4, dtype=streams.dtype)
    mesh = mesh_of(ends)
    x = landscape.start(streams.at(0), 1).expand(1, len(ends) ** 2, -1).clone()
    x[0][:, places] = mesh.reshape(-1, 2)
    step = -_slopes(landscape, x)[0][:, places].double().reshape(*mesh.shape)
    data = on_grid(ends, {"step_u": step[..., 0], "step_v": step[..., 1]})
    return data.assign_attrs(PLAYERS | _rest(landscape, places))


def _rest(landscape: Landscape, places: list[int]) -> Data:
    """Where all players rest, in these coordinates, if that is known."""
    if landscape.optimum is None:
        return {"optimum_known": 0}
    return {"optimum_known": 1, "optimum": landscape.optimum[0][places].double().tolist()}


def _slopes(landscape: Landscape, x: Tensor) -> Tensor:
    """The gradient of the loss at many points x (1, P, D) of one world, each player's of its own."""
    clock = None if landscape.clock is None else torch.zeros(1, dtype=torch.float64)
    gradient = evaluate(landscape, x, gradient=True, time=clock).gradient
    assert gradient is not None
    return gradient
