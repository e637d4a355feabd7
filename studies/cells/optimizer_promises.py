"""What an optimizer promises; `studies.cells.guards` and `studies.check` hold it to this."""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.base import Query
from studies.cells.contract import Given, Method, Sizes, check_tensor
from studies.cells.trees import described, leaves

LARGE = {torch.float64: 1e150, torch.float32: 1e18}
"""Beyond, squares are near the largest number: a search that runs away diverges."""


def check_state(method: Method, state: Given, sizes: Sizes) -> None:
    """A state is a named tuple of tensors with leading R."""
    if not hasattr(state, "_fields"):
        raise method.broken(
            f"expected a state that is a NamedTuple of tensors (R, ..), got {described(state)}"
        )
    for name, leaf in leaves(state):
        if isinstance(leaf, tuple) and len(leaf) == sizes.worlds:
            continue  # one object for each world
        if not isinstance(leaf, Tensor):
            raise method.broken(
                f"expected state.{name} as a tensor (R, ..), a row for each of R = {sizes.worlds} worlds, got"
                f" {described(leaf)}"
            )
        if not leaf.ndim or len(leaf) != sizes.worlds:
            raise method.broken(
                f"expected state.{name} of shape (R, ..), R = {sizes.worlds} worlds first, got"
                f" {tuple(leaf.shape)}"
            )


def check_query(method: Method, query: Given, sizes: Sizes) -> None:
    """A query has points (R, P, D) of the right type; batch (R,) and alive (R, P) where given."""
    if not isinstance(query, Query):
        raise method.broken(f"expected a landscapes.base.Query, got {described(query)}")
    shape = _points_shape(method, query.points, sizes)
    if query.batch is not None:
        check_tensor(method, "batch", query.batch, torch.int64, shape[:1])
    if query.alive is not None:
        check_tensor(method, "alive", query.alive, torch.bool, shape[:2])


def _points_shape(method: Method, points: Given, sizes: Sizes) -> torch.Size:
    """The shape (R, P, D) of points, which are of the right type."""
    check_tensor(method, "points", points, sizes.points)
    shape = points.shape
    if len(shape) != 3 or not shape[1] or (shape[0], shape[2]) != (sizes.worlds, sizes.dim):
        raise method.broken(
            f"expected points of shape (R, P, D) = ({sizes.worlds}, P, {sizes.dim}), got {tuple(shape)}"
        )
    return shape


def check_told(method: Method, told: Given, sizes: Sizes) -> None:
    """`tell` returns a state and info, a dict of tensors (R, ..)."""
    if hasattr(told, "_fields") or not (isinstance(told, tuple) and len(told) == 2):
        raise method.broken(
            "expected (state, info), info a dict of tensors, as in `return State(..), {}`, got"
            f" {described(told)}"
        )
    state, info = told
    check_state(method, state, sizes)
    _check_info(method, info, sizes.worlds)


def _check_info(method: Method, info: Given, worlds: int) -> None:
    """Info is a dict of tensors (R, ..), with all that the optimizer's `recorded` names."""
    if not isinstance(info, dict):
        raise method.broken(
            f"expected info as a dict of tensors (R, ..), {{}} where there are none, got {described(info)}"
        )
    for key in method.owner.recorded:
        if key not in info:
            names = ", ".join(map(repr, info)) or "an empty info"
            raise method.broken(f"expected info[{key!r}], which `recorded` names, got {names}")
    for name, value in info.items():
        if not isinstance(value, Tensor) or not value.ndim or len(value) != worlds:
            raise method.broken(
                f"expected info[{name!r}] as a tensor (R, ..), R = {worlds} worlds first, got"
                f" {described(value)}"
            )


def moderate(tensor: Tensor) -> Tensor:
    """(R,): whether all of a world are numbers, and none so large that the next step may overflow."""
    within = tensor.abs() < LARGE.get(tensor.dtype, 1e150)  # not where NaN is
    return within.flatten(1).all(1)


def check_finite(method: Method, points: Tensor, rows: Tensor, name: str = "points") -> None:
    """Points (R, P, D) or (R, D) are numbers, in the worlds `rows` (R,) bool, which saw moderate ones alone.

    Raises:
        PluginError: there is NaN or an infinite one.
    """
    wrong = ~points.isfinite().all(-1) & rows.reshape(-1, *[1] * (points.ndim - 2))
    if bool(wrong.any()):
        what = "NaN" if bool(points.isnan()[wrong].any()) else "infinite coordinates"
        raise method.broken(
            f"expected finite {name}, got {int(wrong.sum())} of {wrong.numel()} {name} with {what}, though"
            " all that it saw was finite; look for 0 / 0, log or sqrt of a number < 0"
        )


def check_point(method: Method, point: Given, sizes: Sizes) -> None:
    """`recommend` returns a point (R, D) of the landscape, `center` one of real coordinates."""
    dtype = sizes.points if method.name == "recommend" else None
    check_tensor(method, "a point", point, dtype, (sizes.worlds, sizes.dim))
