"""From the text of an expression to what computes it, once.

    center[0]      norm(gradient)      mean(frequency == 0 or frequency == 1)      average(norm(state.path))

Names are those of `studies.cells.expressions.names`, functions those of `arithmetic`; `average(..)` and
`average_square(..)` are means over the steps since the last checkpoint; `module:function` is called with
those of the names that are its arguments. An expression is read, never run: it reaches nothing else.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from studies.cells.expressions import arithmetic
from studies.cells.expressions.arithmetic import (
    ALONG,
    BINARY,
    BOOLEAN,
    COMPARISONS,
    EACH,
    PAIRS,
    REDUCTIONS,
)
from studies.text.formulas import parsed
from studies.text.words import suggest

OWNERS = ("state", "info")  # whose parts may be named
AVERAGES = {"average": False, "average_square": True}  # name -> whether of the squares
PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
STAND_IN = "__function_{}__"  # the name that stands for an import path while the text is parsed
FUNCTIONS = (*AVERAGES, *arithmetic.FUNCTIONS)
ALLOWED = (
    f"+ - * / **, comparisons, and, or, not, places such as [0], and {', '.join(FUNCTIONS)} of names"
)


class Scope(Protocol):
    """What an expression reads at one moment."""

    averages: list[Tensor]  # those of the expression, (R, ..) each

    @property
    def partial(self) -> bool:
        """Whether the step asked only some of its points."""

    def value(self, name: str) -> Tensor:
        """The value of a name, or of a function at an import path: (R, ..) float64."""


Reading = Callable[[Scope], Tensor]


@dataclass(frozen=True)
class Average:
    """A mean over steps: what is added up at each."""

    read: Reading
    squared: bool


@dataclass(frozen=True)
class Expression:
    """An expression, ready to be computed.

    Args:
        text: as it was written.
        names: that it reads, such as center, state.path, my_module:reach.
        read: computes it at a moment; before, `averages` are set there.
        averages: over the steps, that it is made from.
    """

    text: str
    names: tuple[str, ...]
    read: Reading
    averages: tuple[Average, ...]

    @property
    def functions(self) -> tuple[str, ...]:
        """The import paths among the names."""
        return tuple(name for name in self.names if ":" in name)


@functools.cache
def compiled(text: str) -> Expression:
    """An expression from its text.

    Raises:
        ValueError: it is none, in one line.
    """
    paths = list(dict.fromkeys(PATH.findall(text)))
    stand_ins = {STAND_IN.format(place): path for place, path in enumerate(paths)}
    plain = text
    for name, path in stand_ins.items():
        plain = re.sub(rf"(?<![\w.]){re.escape(path)}(?!\w)", name, plain)
    compiler = Compiler(text, stand_ins)
    try:
        tree = parsed(plain)
    except ValueError as error:
        raise ValueError(f"expected an expression, such as center[0], got {text!r}") from error
    read = compiler.reading(tree)
    if not compiler.names:
        raise ValueError(
            f"expected an expression of what the loop knows, such as center[0], got {text!r}"
        )
    return Expression(text, tuple(compiler.names), read, tuple(compiler.averages))


@dataclass
class Compiler:
    """An expression while its tree is read.

    Args:
        text: the whole expression, for messages.
        stand_ins: name -> the import path for which it stands.
        names: that it reads, as they are met.
        averages: likewise.
        inside: whether the tree is that of an average.
    """

    text: str
    stand_ins: dict[str, str]
    names: dict[str, None] = field(default_factory=dict)
    averages: list[Average] = field(default_factory=list)
    inside: bool = False

    def reading(self, node: ast.expr) -> Reading:
        """What computes a part of the tree."""
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return self._constant(number)
            case ast.Name(id=name) if name not in OWNERS:
                return self._named(self.stand_ins.get(name, name))
            case ast.Attribute(value=ast.Name(id=owner), attr=part) if owner in OWNERS:
                return self._named(f"{owner}.{part}")
            case ast.Subscript(value=inner, slice=index):
                return self._placed(inner, index)
            case ast.UnaryOp(op=op, operand=operand):
                return self._signed(op, operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                return self._joined(BINARY[type(op)], [left, right])
            case ast.BoolOp(op=op, values=values):
                return self._chain(BOOLEAN[type(op)], [self.reading(value) for value in values])
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self._compared([left, *others], ops)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._called(name, arguments)
        raise self._wrong(node)

    def _wrong(self, node: ast.expr) -> ValueError:
        shown = ast.unparse(node)
        for name, path in self.stand_ins.items():
            shown = shown.replace(name, path)
        return ValueError(f"expected {ALLOWED}, got {shown!r}")

    # leaves -------------------------------------------------------------------------------------------------

    def _constant(self, number: float) -> Reading:
        try:
            constant = torch.tensor(float(number), dtype=torch.float64)
        except OverflowError as error:
            raise ValueError(f"{self.text!r}: a number is too large") from error
        return lambda scope: constant

    def _named(self, name: str) -> Reading:
        self.names[name] = None
        return lambda scope: scope.value(name)

    def _placed(self, inner: ast.expr, index: ast.expr) -> Reading:
        places = self._places(index)
        text = ast.unparse(inner)
        value = self.reading(inner)
        return lambda scope: arithmetic.placed(value(scope), places, text)

    def _places(self, index: ast.expr) -> tuple[int, ...]:
        nodes = index.elts if isinstance(index, ast.Tuple) else [index]
        return tuple(self._place(node) for node in nodes)

    def _place(self, node: ast.expr) -> int:
        match node:
            case ast.Constant(value=int() as place) if not isinstance(place, bool):
                return place
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as place)):
                return -place
        raise ValueError(
            f"{self.text!r}: expected places as whole numbers, such as [0], [-1] or [0, 3]"
        )

    # operators ----------------------------------------------------------------------------------------------

    def _signed(self, op: ast.unaryop, operand: ast.expr) -> Reading:
        value = self.reading(operand)
        match op:
            case ast.USub():
                return lambda scope: -value(scope)
            case ast.UAdd():
                return value
            case ast.Not():
                return lambda scope: 1 - arithmetic.truth(value(scope))
        raise self._wrong(operand)

    def _joined(self, function: Callable[..., Tensor], nodes: list[ast.expr]) -> Reading:
        return self._join(function, [self.reading(node) for node in nodes])

    def _join(self, function: Callable[..., Tensor], values: list[Reading]) -> Reading:
        return lambda scope: arithmetic.joined(function, *(value(scope) for value in values))

    def _chain(self, function: Callable[..., Tensor], values: list[Reading]) -> Reading:
        return functools.reduce(lambda first, second: self._join(function, [first, second]), values)

    def _compared(self, nodes: list[ast.expr], ops: list[ast.cmpop]) -> Reading:
        for op in ops:
            if type(op) not in COMPARISONS:
                raise ValueError(f"{self.text!r}: expected < <= > >= == != between numbers")
        values = [self.reading(node) for node in nodes]
        pairs = zip(ops, values, values[1:], strict=False)
        each = [self._join(COMPARISONS[type(op)], [low, high]) for op, low, high in pairs]
        return self._chain(torch.minimum, each)

    # calls --------------------------------------------------------------------------------------------------

    def _called(self, name: str, arguments: list[ast.expr]) -> Reading:
        if name in AVERAGES and len(arguments) == 1:
            return self._averaged(arguments[0], AVERAGES[name])
        if name in PAIRS and len(arguments) > 1:
            return self._chain(PAIRS[name], [self.reading(argument) for argument in arguments])
        if name in REDUCTIONS and len(arguments) == 1:
            value = self.reading(arguments[0])
            return lambda scope: arithmetic.reduced(name, value(scope), scope.partial)
        if name in EACH and len(arguments) == 1:
            return self._joined(EACH[name], arguments)
        if name in ALONG and len(arguments) == ALONG[name][0]:
            return self._joined(ALONG[name][1], arguments)
        if name in FUNCTIONS:
            expected = "a, b" if name == "dot" else "x"
            raise ValueError(
                f"{self.text!r}: expected {name}({expected}), got {len(arguments)} arguments"
            )
        if name in self.stand_ins:
            path = self.stand_ins[name]
            raise ValueError(
                f"{self.text!r}: {path} takes the names of its arguments; leave the () out"
            )
        raise ValueError(f"unknown function {name!r}; {suggest(name, FUNCTIONS)}")

    def _averaged(self, node: ast.expr, squared: bool) -> Reading:
        if self.inside:
            raise ValueError(f"{self.text!r}: an average of averages; give the inner one alone")
        names, self.names, self.inside = self.names, {}, True
        average, place = Average(self.reading(node), squared), len(self.averages)
        if not self.names:
            raise ValueError(f"{self.text!r}: expected the average of something that changes")
        self.names, self.inside = names | self.names, False
        self.averages.append(average)
        return lambda scope: scope.averages[place]
