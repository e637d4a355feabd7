"""What a landscape promises; `studies.cells.landscape_guards` and `studies.check` hold it to this."""

from __future__ import annotations

from torch import Tensor

from landscapes.base import Bits, Letters, Reals
from studies.cells.contract import Given, Method, Sizes, check_tensor
from studies.cells.trees import described
from studies.text.labels import wrong_variable


def check_attributes(landscape: Given) -> None:
    """A bound landscape has a dim, a domain, terms and players."""
    for name in ("dim", "terms"):
        value = getattr(landscape, name)
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
        _check_attribute(landscape, name, "a whole number >= 1", right=whole)
    domain, players = landscape.domain, landscape.players
    _check_attribute(
        landscape,
        "domain",
        "Reals(..), Bits() or Letters(..)",
        right=isinstance(domain, Reals | Bits | Letters),
    )
    _check_attribute(landscape, "players", "a tuple of whole numbers", right=isinstance(players, tuple))


def _check_attribute(landscape: Given, name: str, expected: str, *, right: bool) -> None:
    if not right:
        value = getattr(landscape, name)
        raise Method(landscape, name).broken(f"expected {expected}, got {value!r:.60}")


def check_values(method: Method, value: Given, points: Tensor, sizes: Sizes) -> None:
    """Values are (R, P), on a game (R, P, players), in the precision of the points."""
    letters, shape = "(R, P)", tuple(points.shape[:2])
    if sizes.players > 1:
        letters, shape = "(R, P, players)", (*shape, sizes.players)
    if not isinstance(value, Tensor):
        raise method.broken(f"expected losses as a tensor (R, P), got {described(value)}")
    if tuple(value.shape) != shape:
        raise method.broken(f"expected losses of shape {letters} = {shape}, got {tuple(value.shape)}")
    if value.dtype != sizes.dtype:
        raise method.broken(
            f"expected losses as {sizes.dtype}, got {value.dtype}; take the type from x, or convert with"
            f" .to({sizes.dtype})"
        )


def check_numbers(method: Method, value: Tensor) -> None:
    """Starting points have losses; where only some have none, their worlds diverge, and are told so."""
    if bool(value.isnan().all()):
        raise method.broken(
            "expected numbers at the starting points, got NaN at all of them; return torch.inf where a point"
            " is not legal"
        )


def check_starts(method: Method, points: Given, sizes: Sizes, count: int) -> None:
    """Starting points are (R, n, D)."""
    check_tensor(method, "points", points, sizes.points)
    if tuple(points.shape) != (sizes.worlds, count, sizes.dim):
        raise method.broken(
            f"expected starts of shape (R, n, D) = ({sizes.worlds}, {count}, {sizes.dim}), got"
            f" {tuple(points.shape)}"
        )


def check_gradient(method: Method, gradient: Tensor, rows: Tensor) -> None:
    """The gradient (R, P, D) is no NaN in the worlds `rows` (R,) bool, whose points and losses are moderate.

    Raises:
        PluginError: it is.
    """
    wrong = gradient.isnan().any(-1) & rows[:, None]
    if bool(wrong.any()):
        raise method.broken(
            f"expected a gradient where the loss is a number, got NaN at {int(wrong.sum())} of"
            f" {wrong.numel()} points; torch.where also goes back through the branch that it does not take,"
            " and sqrt has no slope at 0; change what they are given"
        )


def check_names(optimizer: Given, landscape: Given, named: Given) -> None:
    """What an optimizer and a landscape record has names of its own.

    Raises:
        PluginError: a name belongs to the Dataset, or both have it.
    """
    recorded = {
        variable for variable, *_ in (*optimizer.recorded.values(), *optimizer.counted.values())
    }
    for name in landscape.extras:
        problem = wrong_variable(name) or (
            f"{optimizer.name} records {name!r} too; choose another name" if name in recorded else None
        )
        if problem:
            raise Method(named, "extras").broken(problem)
