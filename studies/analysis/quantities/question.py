"""A quantity while it is read: of which results, when, and what its words mean."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, NoReturn

import numpy as np
import xarray as xr

from studies.analysis.quantities import constants, leaves
from studies.analysis.quantities.functions import BINARY, COMPARISONS, condition
from studies.analysis.quantities.values import Gathered, Summary, Value, of_worlds
from studies.text.formulas import CONSTANTS
from studies.text.shapes import Data
from studies.text.words import suggest


class Call(NamedTuple):
    """A word with what stands in its parentheses."""

    name: str
    arguments: Sequence[ast.expr]
    given: Mapping[str, ast.expr]  # by keyword


@dataclass(frozen=True)
class Question:
    """A quantity while it is read.

    Args:
        dataset: the results, or the part of them that is meant.
        text: the whole quantity, for messages.
        words: word -> what a call of it gives (`studies.analysis.quantities.calls`).
        where: what was chosen of the results: landscape, optimizer, axis -> value.
        since: fraction of the budget from which checkpoints count; None: the end is meant.
        gathered: what summaries are of.
    """

    dataset: xr.Dataset
    text: str
    words: Mapping[str, Callable[[Question, Call], Value]]
    where: Data = field(default_factory=dict)
    since: float | None = None
    gathered: Gathered = field(default_factory=Gathered)

    def value(self, node: ast.expr) -> Value:
        """The value of a part of the tree.

        Raises:
            ValueError: it has none, and why.
        """
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return float(number)
            case ast.Name() | ast.Attribute():
                return self._named(ast.unparse(node))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.joined(np.negative, [operand])
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.value(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                return self.joined(BINARY[type(op)], [left, right])
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISONS:
                return self.joined(condition(COMPARISONS[type(op)]), [left, right])
            case ast.Call(func=ast.Name() | ast.Attribute() as name, args=args, keywords=keywords):
                given = {str(keyword.arg): keyword.value for keyword in keywords}
                return self._called(Call(ast.unparse(name), args, given))
        words = ", ".join(spoken(self.words))
        self.refuse(f"expected + - * / **, comparisons and {words} of what was recorded")

    def refuse(self, why: str) -> NoReturn:
        """Raise, and say of which quantity."""
        raise ValueError(f"{self.text!r}: {why}")

    def _called(self, call: Call) -> Value:
        if call.name in self.words:
            return self.words[call.name](self, call)
        if call.name in self.dataset:
            return self._when(call)
        recorded = [str(variable) for variable in self.dataset.data_vars]
        raise ValueError(
            f"unknown function {call.name!r}; {suggest(call.name, [*spoken(self.words), *recorded])}"
        )

    # names --------------------------------------------------------------------------------------------------

    def _named(self, name: str) -> Value:
        """A constant, a recorded variable, or a number that arms ran with."""
        if name in CONSTANTS:
            return float(CONSTANTS[name])
        if name in leaves.names(self.dataset):
            return self._recorded(name)
        number = constants.setting(self.dataset, name, self.where)
        if number is None:
            words = [*leaves.names(self.dataset), *spoken(constants.names(self.dataset))]
            raise ValueError(f"unknown quantity {name!r}; {suggest(name, words)}")
        return number

    def _recorded(self, name: str) -> xr.DataArray:
        if self.since is None:
            return leaves.recorded(self.dataset, name)
        return leaves.since(self.dataset, name, self.since)

    def _when(self, call: Call) -> xr.DataArray:
        """loss(start), loss(cost=100), loss(steps=40), loss(budget=0.5)."""
        match call.arguments, list(call.given.items()):
            case [ast.Name(id=leaves.START)], []:
                return leaves.at_start(self.dataset, call.name)
            case [], [(clock, moment)] if clock in leaves.WHENS:
                return leaves.at(self.dataset, call.name, clock, self.number(clock, [moment]))
        forms = ", ".join(f"{call.name}({clock}=..)" for clock in leaves.WHENS)
        self.refuse(f"expected {call.name}({leaves.START}), {forms}")

    def number(self, name: str, arguments: Sequence[ast.expr]) -> float:
        """One plain number; `name` says what for."""
        value = self.value(arguments[0]) if len(arguments) == 1 else None
        if not isinstance(value, float):
            self.refuse(f"expected one number for {name}")
        return value

    # arithmetic ---------------------------------------------------------------------------------------------

    def joined(self, function: Callable, arguments: Sequence[ast.expr]) -> Value:
        """A function of numbers, of numbers of each world, or of summaries."""
        values = [self.value(argument) for argument in arguments]
        summaries = any(isinstance(value, Summary) for value in values)
        if summaries and any(map(of_worlds, values)):
            self.refuse("a number of each world beside one of all worlds; say mean(..) or median(..)")
        try:
            return self.gathered.joined(function, values) if summaries else _plain(function, values)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.text!r}: {' '.join(str(error).split())}") from error

    def of(self, **change: object) -> Question:
        """The same question of other results, or of another time."""
        return replace(self, **change)  # type: ignore[arg-type]


def _plain(function: Callable, values: Sequence[Value]) -> float | xr.DataArray:
    joined = function(*values)
    return joined if isinstance(joined, xr.DataArray) else float(joined)


def spoken(words: Iterable[str]) -> list[str]:
    """The short words: neither those of the syntax nor dotted names, which have a short one too."""
    return [word for word in words if "." not in word and not word.startswith("_")]
