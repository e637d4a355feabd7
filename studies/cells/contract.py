"""What every method of a landscape, an optimizer or an instrument promises.

Each promise is a function that raises `PluginError`; those of one family alone are in `landscape_promises`
and `optimizer_promises`. `studies.cells.guards` holds a user's kinds to them during a study, `studies.check`
one by one, and the tests every kind of ours.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals
from studies.cells.generators import Generators, draws_from_python
from studies.cells.trees import described, difference, equal, rows_of, tensors
from studies.text.shapes import Data, Tree
from studies.text.user_code import seen_from_here, users_line

STREAMS = "take the draw from the streams it is given, such as streams.normal('mutation', (P, D))"
STEADY = "draw tables in `bind`, from streams; noise is what a study's `noise:` adds"
TWO_DEVICES = (
    "same device",
    "two devices",
    "expected device",
    "Expected all tensors",
)  # words of torch's

FIRST = 3  # calls of a method at which everything is looked at
LATER = frozenset(8**k for k in range(1, 11))

Given = Any  # an object of the user's, or what its method gave: what it is, is looked at


class PluginError(ValueError):
    """A kind breaks its contract.

    The text is one line: file, line, method, what was expected, what came, the remedy.
    """


def thorough(count: int) -> bool:
    """Whether everything is looked at in the call of this number: in the first, and then ever more rarely."""
    return count <= FIRST or count in LATER


class Undecided(Exception):
    """A promise that this machine cannot look into; the text says why."""


@dataclass(frozen=True, eq=False)
class Method:
    """A method of an object, of which something is said; its owner may hold what cannot be hashed."""

    owner: Given
    name: str

    @property
    def remedy(self) -> str:
        """Where its random numbers should come from."""
        return STEADY if isinstance(self.owner, Landscape) else STREAMS

    def broken(self, text: str) -> PluginError:
        """What to raise where it keeps no promise."""
        owner = self.owner if isinstance(self.owner, ModuleType) else type(self.owner)
        return PluginError(f"{place(owner, self.name)}: {text}")


def place(cls: type | ModuleType, name: str) -> str:
    """File and line of a method, of its class for what is no method, and its name: mine.py:34: Kind.ask."""
    title = getattr(cls, "__qualname__", cls.__name__)
    member: Given = inspect.getattr_static(cls, name, cls)
    member = getattr(member, "fget", None) or getattr(member, "__func__", member)
    for source in (inspect.unwrap(member), cls):
        try:
            file, line = inspect.getsourcefile(source) or "?", inspect.getsourcelines(source)[1]
        except (OSError, TypeError):
            continue
        return f"{seen_from_here(file)}:{line}: {title}.{name}"
    return f"{title}.{name}"


# promises of every method -----------------------------------------------------------------------------------


class Unchanged:
    """What a method is given stays what it was.

    Args:
        method: that is called.
        given: name -> tree of tensors.
        thorough: compare all numbers too; else only the counters that torch keeps of changes in place.
    """

    def __init__(self, method: Method, given: Tree, *, thorough: bool) -> None:
        self.method, self.given = method, Data()
        self.tensors: list[Tensor] = []
        self.counts: list[int] = []
        self.add(**given)
        self.kept = [tensor.clone() for tensor in self.tensors] if thorough else []

    def add(self, **given: Given) -> None:
        """Further trees, whose counters alone are looked at."""
        self.given |= given
        before = len(self.tensors)
        for tree in given.values():
            _gather(tree, self.tensors)
        self.counts += _counts(self.tensors[before:])

    def check(self) -> None:
        """Raise PluginError where something is not what it was."""
        counts = _counts(self.tensors)
        same = [before == now for before, now in zip(self.counts, counts, strict=True)]
        for i, kept in enumerate(self.kept):
            same[i] = same[i] and equal(kept, self.tensors[i], rounding=False)
        if all(same):
            return
        name = tensors(self.given)[same.index(False)][0]
        raise self.method.broken(
            f"changes {name} in place, which others still read; return new tensors (x + y for x.add_(y),"
            " x.clone() before x[i] = y)"
        )


def _gather(tree: Given, into: list[Tensor]) -> None:
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


def draws_nothing(
    method: Method, call: Callable[[], object], device: torch.device | str = "cpu", times: int = 3
) -> None:
    """A call leaves the global generators alone.

    Seen in every one of so many calls, since other threads (Dask's) may draw at any time; those of Python's
    generator that even a call of seconds sees are held to be its own where this thread makes them.
    """
    moved = {"torch", "NumPy", "Python"}
    for _ in range(times):
        before = Generators.now(device)
        call()
        moved &= set(before.moved(Generators.now(device)))
        if not moved:
            return
    if moved == {"Python"} and not draws_from_python(call):
        return
    raise method.broken(
        f"draws from {' and '.join(sorted(moved))}'s global generator, so each run gives other numbers;"
        f" {method.remedy}"
    )


def alone_as_in_batch(
    method: Method,
    again: Callable[[], object],
    alone: Callable[[], object],
    row: int,
    result: Given,
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
        raise method.broken(
            f"{text}, so that it is no function of the point; work along the last axis alone"
        )


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


# shapes -----------------------------------------------------------------------------------------------------


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
        return self.dtype if isinstance(self.domain, Reals) else torch.uint8


def check_tensor(
    method: Method,
    name: str,
    value: Given,
    dtype: torch.dtype | None,
    shape: tuple[int, ...] | None = None,
) -> None:
    """A value is a tensor, of a type and a shape.

    Args:
        method: that returned it.
        name: of the value, for the message.
        value: to be looked at.
        dtype: that it must have; None: any.
        shape: that it must have, (R,), (R, P) or (R, D); None: any.

    Raises:
        PluginError: it is something else.
    """
    if not isinstance(value, Tensor):
        raise method.broken(f"expected {name} as a tensor, got {described(value)}")
    if shape is not None and tuple(value.shape) != tuple(shape):
        letters = {1: "(R,)", 2: "(R, P)" if name == "alive" else "(R, D)"}[len(shape)]
        raise method.broken(
            f"expected {name} of shape {letters} = {tuple(shape)}, got {tuple(value.shape)}"
        )
    if dtype is not None and value.dtype != dtype:
        raise method.broken(
            f"expected {name} as {dtype}, got {value.dtype}; take the type from what it is given, or convert"
            f" with .to({dtype})"
        )


def check_measures(
    method: Method,
    measures: Given,
    names: Tree,
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
            sorted(map(str, measures))
            if isinstance(measures, Mapping) and measures
            else described(measures)
        )
        raise method.broken(
            f"expected a dict with the keys of `{attribute}` ({', '.join(names)}), got {got}"
        )
    for name, value in measures.items():
        check_tensor(method, name, value, None)
        if tuple(value.shape) != (worlds,):
            raise method.broken(
                f"expected {name} of shape (R,) = ({worlds},), got {tuple(value.shape)}"
            )


# devices ----------------------------------------------------------------------------------------------------


def on_a_device(run: Callable[[str], Given]) -> str:
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
        if any(words in text for words in TWO_DEVICES):
            raise PluginError(
                f"tensors of two devices meet{users_line(error)}: {text[:160]}; give new tensors"
                " device=x.device"
            ) from error
        if device == "meta":
            raise Undecided(
                f"a decision hangs on numbers, which only a GPU could show ({text[:100]})"
            ) from error
        raise
    for part in made if isinstance(made, list) else [made]:
        _check_device(part, device)
    return f"seen on {device}"


def _check_device(tree: Given, device: str) -> None:
    for name, tensor in tensors(tree):
        if tensor.device.type != device:
            raise PluginError(
                f"{name or 'the result'} is on {tensor.device.type}, though all it was given is on {device};"
                " give new tensors device=x.device"
            )
