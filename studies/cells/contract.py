"""What a landscape and an optimizer promise; each promise is a function that raises `PluginError`.

`studies.cells.guards` holds them during a study, `studies.check` one by one at the user's wish, and the
tests on every kind of ours.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from landscapes.base import Bits, Domain, Landscape, Query, Reals
from studies.cells.ledger.freezing import subset
from studies.text.labels import wrong_variable
from studies.text.user_code import seen_from_here, users_line

ROUNDING = {
    torch.float64: 1e-9,
    torch.float32: 1e-4,
}  # of the largest number: what the size of a batch may change in a sum
STREAMS = "take the draw from the streams it is given, such as streams.normal('mutation', (P, D))"
STEADY = "draw tables in `bind`, from streams; noise is what a study's `noise:` adds"


class PluginError(ValueError):
    """A kind breaks its contract.

    The text is one line: file, line, method, what was expected, what came, the remedy.
    """


class Undecided(Exception):
    """A promise that this machine cannot look into; the text says why."""


@dataclass(frozen=True, eq=False)
class Method:
    """A method of an object, of which something is said; its owner may hold what cannot be hashed."""

    owner: Any
    name: str

    @property
    def remedy(self) -> str:
        """Where its random numbers should come from."""
        return STEADY if isinstance(self.owner, Landscape) else STREAMS

    def broken(self, text: str) -> PluginError:
        """What to raise where it keeps no promise."""
        return PluginError(f"{place(type(self.owner), self.name)}: {text}")


def place(cls: type, name: str) -> str:
    """File and line of a method, of its class for what is no method, and its name: mine.py:34: Kind.ask."""
    found: Any = inspect.getattr_static(cls, name, cls)
    found = getattr(found, "fget", None) or getattr(found, "__func__", found)
    for source in (inspect.unwrap(found), cls):
        try:
            file, line = inspect.getsourcefile(source) or "?", inspect.getsourcelines(source)[1]
        except (OSError, TypeError):
            continue
        return f"{seen_from_here(file)}:{line}: {cls.__qualname__}.{name}"
    return f"{cls.__qualname__}.{name}"


# trees of tensors -------------------------------------------------------------------------------------------


def leaves(tree: Any, name: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Names and leaves of nested named tuples, mappings and pairs (state, info): ("points", tensor), ...

    What is None is left out.
    """
    parts = tree._asdict() if hasattr(tree, "_fields") else tree
    if isinstance(tree, tuple) and len(tree) == 2 and isinstance(tree[1], dict):
        parts = {"state": tree[0], "info": tree[1]}
    if isinstance(parts, Mapping):
        for key, value in parts.items():
            yield from leaves(value, f"{name}.{key}" if name else str(key))
    elif tree is not None:
        yield name, tree


def tensors(tree: Any) -> list[tuple[str, Tensor]]:  # noqa: ANN401
    """The tensors among the leaves, with their names."""
    return [(name, leaf) for name, leaf in leaves(tree) if isinstance(leaf, Tensor)]


def difference(a: Any, b: Any, *, rounding: bool = True) -> str:  # noqa: ANN401
    """The name of the first tensor that differs between two trees; "" where none does.

    By more than rounding, where that is forgiven.
    """
    ours, theirs = tensors(a), tensors(b)
    if [name for name, _ in ours] != [name for name, _ in theirs]:
        return "the number of tensors"
    return next(
        (
            name or "the result"
            for (name, x), (_, y) in zip(ours, theirs, strict=True)
            if not _equal(x, y, rounding)
        ),
        "",
    )


def _equal(x: Tensor, y: Tensor, rounding: bool) -> bool:
    if x.shape != y.shape or x.dtype != y.dtype:
        return False
    same = (x == y) | ((x != x) & (y != y))  # NaN is NaN
    if bool(same.all()):
        return True
    if not rounding or x.dtype not in ROUNDING:
        return False
    size = x.where(x.isfinite(), 0).abs().max()
    return bool((same | ((x - y).abs() <= ROUNDING[x.dtype] * size)).all())


# promises of every method -----------------------------------------------------------------------------------


class Unchanged:
    """What a method is given stays what it was.

    Args:
        method: that is called.
        given: name -> tree of tensors.
        thorough: compare all numbers too; else only the counters that torch keeps of changes in place.
    """

    def __init__(self, method: Method, given: Mapping[str, Any], *, thorough: bool) -> None:
        self.method, self.given = method, dict[str, Any]()
        self.tensors: list[Tensor] = []
        self.counts: list[int] = []
        self.add(**given)
        self.kept = [tensor.clone() for tensor in self.tensors] if thorough else []

    def add(self, **given: Any) -> None:  # noqa: ANN401
        """Further trees, whose counters alone are looked at."""
        self.given |= given
        before = len(self.tensors)
        for tree in given.values():
            _gather(tree, self.tensors)
        self.counts += _counts(self.tensors[before:])

    def check(self) -> None:
        """Raise PluginError where something is not what it was."""
        counts = _counts(self.tensors)
        same = not self.kept or all(
            _equal(kept, tensor, rounding=False) for kept, tensor in zip(self.kept, self.tensors, strict=True)
        )
        if same and counts == self.counts:
            return
        for i, (name, tensor) in enumerate(tensors(self.given)):
            if counts[i] != self.counts[i] or (
                self.kept and not _equal(self.kept[i], tensor, rounding=False)
            ):
                text = (
                    f"changes {name} in place, which others still read; return new tensors (x + y for"
                    " x.add_(y), x.clone() before x[i] = y)"
                )
                raise self.method.broken(text)


def _gather(tree: Any, into: list[Tensor]) -> None:  # noqa: ANN401
    """The tensors of `tensors(tree)`, in the same order, at little cost."""
    if isinstance(tree, Tensor):
        into.append(tree)
    elif hasattr(tree, "_fields"):
        for value in tree:
            _gather(value, into)


def _counts(tensors: list[Tensor]) -> list[int]:
    """How often each was changed in place; under torch.inference_mode nobody counts."""
    try:
        return [tensor._version for tensor in tensors]
    except RuntimeError:
        return [-1 if tensor.is_inference() else tensor._version for tensor in tensors]


class Generators(NamedTuple):
    """States of the global generators of torch, NumPy and Python."""

    of_torch: Tensor
    of_numpy: str
    of_python: tuple[Any, ...]

    @staticmethod
    def now(device: torch.device | str = "cpu") -> Generators:
        """As they are; torch's on a device too."""
        state = torch.get_rng_state()
        if torch.device(device).type == "cuda":
            state = torch.cat([state, torch.cuda.get_rng_state(device)])
        return Generators(
            state,
            repr([np.asarray(part).tobytes() for part in np.random.get_state()]),  # noqa: NPY002
            random.getstate(),
        )

    def moved(self, after: Generators) -> list[str]:
        """Whose generator is another now."""
        changed = {
            "torch": not torch.equal(self.of_torch, after.of_torch),
            "NumPy": self.of_numpy != after.of_numpy,
        }
        return [
            library
            for library, moved in (changed | {"Python": self.of_python != after.of_python}).items()
            if moved
        ]


def draws_nothing(
    method: Method, call: Callable[[], Any], device: torch.device | str = "cpu", times: int = 3
) -> None:
    """A call leaves the global generators alone.

    Seen in every one of so many calls, since other threads (Dask's) may draw at any time.
    """
    moved = {"torch", "NumPy", "Python"}
    for _ in range(times):
        before = Generators.now(device)
        call()
        moved &= set(before.moved(Generators.now(device)))
        if not moved:
            return
    raise method.broken(
        f"draws from {' and '.join(sorted(moved))}'s global generator, so each run gives other numbers;"
        f" {method.remedy}"
    )


def alone_as_in_batch(
    method: Method,
    again: Callable[[], Any],
    alone: Callable[[], Any],
    row: int,
    result: Any,  # noqa: ANN401
) -> None:
    """What one world gets does not depend on the others, nor on earlier calls.

    Sums may round differently in batches of other sizes.

    Args:
        method: that was called.
        again: makes the same call.
        alone: makes it for the one world.
        row: of that world.
        result: what the first call returned.

    Raises:
        PluginError: it differs.
    """
    other = difference(rows_of(result, [row]), alone())
    if not other:
        return
    repeated = difference(result, again())
    if repeated:
        why = "it draws from a generator of its own, or keeps something from call to call"
        raise method.broken(
            f"gives {repeated} another value when called again with the same arguments: {why};"
            f" {method.remedy}"
        )
    remedy = "work along the axes behind the first (x.mean(1) for x.mean())"
    raise method.broken(
        f"gives {other} of a world another value alone than among other worlds, so replicates are not"
        f" independent; {remedy}"
    )


def point_alone(method: Method, among: Tensor, alone: Tensor) -> None:
    """The loss of a point (R, 1) does not depend on the other points of its world.

    Raises:
        PluginError: it does.
    """
    if difference(among, alone):
        text = "gives a point another value alone than among the other points of its world"
        raise method.broken(f"{text}, so that it is no function of the point; work along the last axis alone")


def check_call(method: Method, *names: str) -> None:
    """A method takes these arguments, in this order.

    Raises:
        PluginError: it does not.
    """
    try:
        inspect.signature(getattr(method.owner, method.name)).bind(*names)
    except TypeError as error:
        optional = ", ".join([names[0], *(f"{name}=None" for name in names[1:])])
        raise method.broken(
            f"is called with {', '.join(names)}: {error}; write def {method.name}(self, {optional})"
        ) from error


def rows_of(tree: Any, rows: list[int]) -> Any:  # noqa: ANN401
    """These worlds of nested named tuples, mappings and pairs of them."""
    if isinstance(tree, dict):
        return {key: rows_of(value, rows) for key, value in tree.items()}
    if isinstance(tree, tuple) and len(tree) == 2 and isinstance(tree[1], dict):
        return {"state": rows_of(tree[0], rows), "info": rows_of(tree[1], rows)}
    return subset(tree, torch.tensor(rows))


# promises of an optimizer -----------------------------------------------------------------------------------


class Sizes(NamedTuple):
    """What shapes and types a cell has."""

    worlds: int  # R
    dim: int  # D
    domain: Domain
    dtype: torch.dtype
    players: int = 1

    @property
    def points(self) -> torch.dtype:
        """The type of points."""
        return torch.uint8 if isinstance(self.domain, Bits) else self.dtype


def check_state(method: Method, state: Any, sizes: Sizes) -> None:  # noqa: ANN401
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


def check_query(method: Method, query: Any, sizes: Sizes) -> None:  # noqa: ANN401
    """A query has points (R, P, D) of the right type; batch (R,) and alive (R, P) where given."""
    if not isinstance(query, Query):
        raise method.broken(f"expected a landscapes.base.Query, got {described(query)}")
    points = query.points
    _check_tensor(method, "points", points, sizes.points)
    if (
        points.ndim != 3
        or not points.shape[1]
        or (points.shape[0], points.shape[2]) != (sizes.worlds, sizes.dim)
    ):
        raise method.broken(
            f"expected points of shape (R, P, D) = ({sizes.worlds}, P, {sizes.dim}), got"
            f" {tuple(points.shape)}"
        )
    for name, shape, kind in (
        ("batch", points.shape[:1], torch.int64),
        ("alive", points.shape[:2], torch.bool),
    ):
        tensor = getattr(query, name)
        if tensor is not None:
            _check_tensor(method, name, tensor, kind, shape)


def check_told(method: Method, told: Any, sizes: Sizes) -> None:  # noqa: ANN401
    """`tell` returns a state and info, a dict of tensors (R, ..)."""
    if hasattr(told, "_fields") or not (isinstance(told, tuple) and len(told) == 2):
        raise method.broken(
            "expected (state, info), info a dict of tensors, as in `return State(..), {}`, got"
            f" {described(told)}"
        )
    state, info = told
    check_state(method, state, sizes)
    if not isinstance(info, dict):
        raise method.broken(
            f"expected info as a dict of tensors (R, ..), {{}} where there are none, got {described(info)}"
        )
    for key in method.owner.recorded:
        if key not in info:
            raise method.broken(
                f"expected info[{key!r}], which `recorded` names, got"
                f" {', '.join(map(repr, info)) or 'an empty info'}"
            )
    for name, value in info.items():
        if not isinstance(value, Tensor) or not value.ndim or len(value) != sizes.worlds:
            raise method.broken(
                f"expected info[{name!r}] as a tensor (R, ..), R = {sizes.worlds} worlds first, got"
                f" {described(value)}"
            )


LARGE = {
    torch.float64: 1e150,
    torch.float32: 1e18,
}  # beyond, squares are near the largest number: a search that runs away diverges


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
        told = f"{int(wrong.sum())} of {wrong.numel()} {name} with {what}"
        raise method.broken(
            f"expected finite {name}, got {told}, though all that it saw was finite; look for 0 / 0, log or"
            " sqrt of a number < 0"
        )


def check_point(method: Method, point: Any, sizes: Sizes) -> None:  # noqa: ANN401
    """`recommend` returns a point (R, D) of the landscape, `center` one of real coordinates."""
    _check_tensor(
        method,
        "a point",
        point,
        sizes.points if method.name == "recommend" else None,
        (sizes.worlds, sizes.dim),
    )


def _check_tensor(
    method: Method,
    name: str,
    value: Any,  # noqa: ANN401
    dtype: torch.dtype | None,
    shape: tuple[int, ...] | None = None,
) -> None:
    if not isinstance(value, Tensor):
        raise method.broken(f"expected {name} as a tensor, got {described(value)}")
    if shape is not None and tuple(value.shape) != tuple(shape):
        letters = {1: "(R,)", 2: "(R, P)" if name == "alive" else "(R, D)"}[len(shape)]
        raise method.broken(f"expected {name} of shape {letters} = {tuple(shape)}, got {tuple(value.shape)}")
    if dtype is not None and value.dtype != dtype:
        raise method.broken(
            f"expected {name} as {dtype}, got {value.dtype}; take the type from what it is given, or convert"
            f" with .to({dtype})"
        )


def described(value: Any) -> str:  # noqa: ANN401
    """What something is, for a message."""
    return (
        f"a tensor of shape {tuple(value.shape)}"
        if isinstance(value, Tensor)
        else f"{value!r:.40}"
        if value is None
        else type(value).__name__
    )


# promises of a landscape ------------------------------------------------------------------------------------


def check_attributes(landscape: Any) -> None:  # noqa: ANN401
    """A bound landscape has a dim, a domain, terms and players."""
    kinds: Any
    for name, kinds in (("dim", int), ("terms", int), ("domain", (Reals, Bits)), ("players", tuple)):
        value: Any = getattr(landscape, name)
        if not isinstance(value, kinds) or (kinds is int and (isinstance(value, bool) or value < 1)):
            expected = (
                "a whole number >= 1"
                if kinds is int
                else "Reals(..) or Bits()"
                if name == "domain"
                else "a tuple of whole numbers"
            )
            raise Method(landscape, name).broken(f"expected {expected}, got {value!r:.60}")


def check_values(method: Method, value: Any, points: Tensor, sizes: Sizes) -> None:  # noqa: ANN401
    """Values are (R, P), on a game (R, P, players), in the precision of the points."""
    shape = (*points.shape[:2], *([sizes.players] if sizes.players > 1 else []))
    if not isinstance(value, Tensor):
        raise method.broken(f"expected losses as a tensor (R, P), got {described(value)}")
    if tuple(value.shape) != shape:
        raise method.broken(
            f"expected losses of shape {'(R, P, players)' if sizes.players > 1 else '(R, P)'} = {shape}, got"
            f" {tuple(value.shape)}"
        )
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


def check_starts(method: Method, points: Any, sizes: Sizes, count: int) -> None:  # noqa: ANN401
    """Starting points are (R, n, D)."""
    _check_tensor(method, "points", points, sizes.points)
    if tuple(points.shape) != (sizes.worlds, count, sizes.dim):
        raise method.broken(
            f"expected starts of shape (R, n, D) = ({sizes.worlds}, {count}, {sizes.dim}), got"
            f" {tuple(points.shape)}"
        )


def check_measures(
    method: Method,
    measures: Any,  # noqa: ANN401
    names: Mapping[str, Any],
    worlds: int,
    attribute: str = "extras",
) -> None:
    """Measures are what an attribute of the class names, (R,) each.

    Args:
        method: that returned them.
        measures: name -> numbers (R,), as they should be.
        names: that are expected.
        worlds: R.
        attribute: where the names are declared.

    Raises:
        PluginError: they are something else.
    """
    if not isinstance(measures, Mapping) or set(measures) != set(names):
        got = (
            sorted(map(str, measures)) if isinstance(measures, Mapping) and measures else described(measures)
        )
        raise method.broken(f"expected a dict with the keys of `{attribute}` ({', '.join(names)}), got {got}")
    for name, value in measures.items():
        _check_tensor(method, name, value, None)
        if tuple(value.shape) != (worlds,):
            raise method.broken(f"expected {name} of shape (R,) = ({worlds},), got {tuple(value.shape)}")


def check_gradient(method: Method, gradient: Tensor, rows: Tensor) -> None:
    """The gradient (R, P, D) is no NaN in the worlds `rows` (R,) bool, whose points and losses are moderate.

    Raises:
        PluginError: it is.
    """
    wrong = gradient.isnan().any(-1) & rows[:, None]
    if bool(wrong.any()):
        text = (
            f"expected a gradient where the loss is a number, got NaN at {int(wrong.sum())} of"
            f" {wrong.numel()} points"
        )
        remedy = (
            "torch.where also goes back through the branch that it does not take, and sqrt has no slope at 0;"
            " change what they are given"
        )
        raise method.broken(f"{text}; {remedy}")


def check_names(optimizer: Any, landscape: Any, named: Any) -> None:  # noqa: ANN401
    """What an optimizer and a landscape record has names of its own.

    Raises:
        PluginError: a name belongs to the Dataset, or both have it.
    """
    recorded = {variable for variable, *_ in (*optimizer.recorded.values(), *optimizer.counted.values())}
    for name in landscape.extras:
        problem = wrong_variable(name) or (
            f"{optimizer.name} records {name!r} too; choose another name" if name in recorded else None
        )
        if problem:
            raise Method(named, "extras").broken(problem)


# devices ----------------------------------------------------------------------------------------------------


def on_a_device(run: Callable[[str], Any]) -> str:
    """Run on a GPU where there is one, else on torch's meta device; returns a remark.

    The meta device has shapes and types and no numbers.

    Raises:
        PluginError: tensors of two devices met.
        Undecided: a decision hangs on numbers, which the meta device has not.
    """
    device = "cuda" if torch.cuda.is_available() else "meta"
    try:
        made = run(device)
    except (RuntimeError, NotImplementedError, TypeError) as error:
        text = " ".join(str(error).split())
        if any(
            words in text
            for words in ("same device", "two devices", "expected device", "Expected all tensors")
        ):
            where = users_line(error)
            raise PluginError(
                f"tensors of two devices meet{where}: {text[:160]}; give new tensors device=x.device"
            ) from error
        if device == "meta":
            raise Undecided(
                f"a decision hangs on numbers, which only a GPU could show ({text[:100]})"
            ) from error
        raise
    for part in made if isinstance(made, list) else [made]:
        for name, tensor in tensors(part):
            if tensor.device.type != device:
                raise PluginError(
                    f"{name or 'the result'} is on {tensor.device.type}, though all it was given is on"
                    f" {device}; give new tensors device=x.device"
                )
    return f"seen on {device}"
