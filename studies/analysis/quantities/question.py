"""A quantity while it is read: of which results, when, and what its words mean."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, NoReturn

import numpy as np
from xarray import DataArray, Dataset

from studies.analysis.quantities import constants, leaves, ledger, timing
from studies.analysis.quantities.functions import BINARY, COMPARISONS, condition
from studies.analysis.quantities.leaves import When
from studies.analysis.quantities.values import Gathered, Summary, Value, of_worlds
from studies.analysis.quantities.vocabulary import uncalled
from studies.analysis.shapes import LEVEL, alike
from studies.text.formulas import CONSTANTS
from studies.text.shapes import Data
from studies.text.words import suggest, suggest_longer

HEADS = (ledger.HEAD, timing.HEAD)  # of the names of what instruments say
MIXED = "a number of each world beside one of all worlds; say mean(..) or median(..)"


class Call(NamedTuple):
    """A word with what stands in its parentheses."""

    name: str
    arguments: Sequence[ast.expr]
    given: Mapping[str, ast.expr]  # by keyword


def call_of(node: ast.Call) -> Call:
    """The name of what is called, and what stands in its parentheses."""
    given = {str(keyword.arg): keyword.value for keyword in node.keywords}
    return Call(ast.unparse(node.func), node.args, given)


@dataclass(frozen=True)
class Question:
    """A quantity while it is read.

    Args:
        dataset: the results, or the part of them that is meant.
        text: the whole quantity, for messages.
        words: word -> what a call of it gives (`studies.analysis.quantities.calls`).
        where: what was chosen of the results: landscape, optimizer, axis -> value.
        when: the time that is meant; None: the end.
        bound: names that stand for something else here: a grid of values, in a density.
        early: of the numbers that are known to an interval, those that are taken at its other end.
        level: of the interval.
        gathered: what summaries are of.
    """

    dataset: Dataset
    text: str
    words: Mapping[str, Callable[[Question, Call], Value]]
    where: Data = field(default_factory=dict)
    when: When | None = None
    bound: Mapping[str, DataArray] = field(default_factory=dict)
    early: frozenset[int] = frozenset()
    level: float = LEVEL
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
            case ast.Call():
                return self._called(node)
        words = ", ".join(spoken(self.words))
        self.refuse(f"expected + - * / **, comparisons and {words} of what was recorded")

    def refuse(self, why: str) -> NoReturn:
        """Raise, and say of which quantity."""
        raise ValueError(f"{self.text!r}: {why}")

    def _called(self, node: ast.Call) -> Value:
        call = call_of(node)
        if call.name in self.words:
            return self.words[call.name](self, call)
        named = isinstance(node.func, ast.Name | ast.Attribute)
        if named and call.name not in self.dataset and not call.name.startswith(HEADS):
            words = [*spoken(self.words), *map(str, self.dataset.data_vars)]
            raise ValueError(f"unknown function {call.name!r}; {suggest(call.name, words)}")
        return self.timed(node).value(node.func)

    def timed(self, node: ast.Call) -> Question:
        """The same question of the time that a call says: loss(cost=100), ledger.gain[raw](moment=0.5)."""
        return self.of(when=self._when(call_of(node)))

    def _when(self, call: Call) -> When:
        """What loss(start), loss(cost=100), loss(steps=40), loss(budget=0.5) or (moment=0.5) say of time."""
        match call.arguments, list(call.given.items()):
            case [ast.Name(id=leaves.START)], []:
                return When(leaves.START)
            case [], [(clock, time)] if clock in (*leaves.WHENS, "moment"):
                return When(clock, self.number(clock, [time]))
        forms = ", ".join(f"{call.name}({clock}=..)" for clock in leaves.WHENS)
        self.refuse(f"expected {call.name}({leaves.START}), {forms}")

    # names --------------------------------------------------------------------------------------------------

    def _named(self, name: str) -> Value:
        """A constant, a recorded variable, what the ledger says, or a number that arms ran with."""
        if name in CONSTANTS:
            return float(CONSTANTS[name])
        if name in self.bound:
            return self.bound[name]
        if name.startswith(HEADS):
            return self.told(name)
        if name in leaves.names(self.dataset):
            return leaves.recorded(self.dataset, name, self.when)
        number = constants.setting(self.dataset, name, self.where)
        if number is None:
            numbers = constants.names(self.dataset)
            words = [*leaves.names(self.dataset), *spoken(numbers)]
            hint = uncalled(name) or suggest_longer(name, numbers, words)
            raise ValueError(f"unknown quantity {name!r}; {hint}")
        return number

    def told(self, name: str, labels: Sequence[object] = (), given: Data | None = None) -> Value:
        """What the noise ledger says at the moment that is meant, or the times of steps.

        Args:
            name: with its head, as ledger.gain or timing.least.
            labels: in its brackets.
            given: likewise, by keyword.
        """
        head, _, word = name.partition(".")
        if f"{head}." == ledger.HEAD:
            moment = leaves.at_moment(self.dataset, self.when)
            return ledger.told(moment, self.gathered, ledger.Asked(word, labels, given or {}))
        if self.when is not None:
            self.refuse(f"{name}: times of steps belong to no moment of a run")
        return timing.told(self.dataset, word, labels)

    def number(self, name: str, arguments: Sequence[ast.expr]) -> float:
        """One plain number; `name` says what for."""
        value = self.value(arguments[0]) if len(arguments) == 1 else None
        if not isinstance(value, float):
            self.refuse(f"expected one number for {name}")
        return value

    def between(self, key: ast.expr, late: DataArray, early: DataArray) -> DataArray:
        """A number that is known to an interval: its late end, unless this quantity is asked for the early.

        Args:
            key: where it stands in the tree.
            late: the later end, and the value.
            early: the other, with the same dims.
        """
        if alike(early, late):
            return late
        self.gathered.between.add(id(key))
        return early if id(key) in self.early else late

    # arithmetic ---------------------------------------------------------------------------------------------

    def joined(self, function: Callable, arguments: Sequence[ast.expr]) -> Value:
        """A function of numbers, of numbers of each world, or of summaries."""
        values = [self.value(argument) for argument in arguments]
        summaries = any(isinstance(value, Summary) for value in values)
        if summaries and any(map(of_worlds, values)):
            self.refuse(MIXED)
        try:
            return self.gathered.joined(function, values) if summaries else _plain(function, values)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.text!r}: {' '.join(str(error).split())}") from error

    def of(self, **change: object) -> Question:
        """The same question of other results, or of another time."""
        return replace(self, **change)  # type: ignore[arg-type]


def _plain(function: Callable, values: Sequence[Value]) -> float | DataArray:
    joined = function(*values)
    return joined if isinstance(joined, DataArray) else float(joined)


def spoken(words: Iterable[str]) -> list[str]:
    """The short words: neither those of the syntax nor dotted names, which have a short one too."""
    return [word for word in words if "." not in word and not word.startswith("_")]
