"""From a quantity to its value: `quantity(dataset, 'median(hit(0.1)["SGD"]) / median(hit(0.1)["ES"])')`.

A quantity is an expression of numbers of each world (`loss`, `hit(0.1)`, `loss(cost=100)`) and of summaries
over worlds (`mean median variance sd quantile share`). What is still of each world at the end is averaged.
Its interval is that of the whole expression: all parts are resampled together, world by world, so that
`mean(loss["ES"]) - mean(loss["SGD"])` knows that the two share their worlds (`studies.analysis.intervals`).
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr
from scipy import special

from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.intervals.proportions import proportion
from studies.analysis.quantities import leaves
from studies.analysis.quantities.grammar import AT, parsed
from studies.schema import RECORDS
from studies.text.formulas import CONSTANTS
from studies.text.words import suggest

Statistic = Callable[[list[np.ndarray], int], np.ndarray]  # of the parts (.., R) and the axis of worlds

BINARY: dict[type[ast.operator], np.ufunc] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.Pow: np.float_power,
}
COMPARISONS: dict[type[ast.cmpop], np.ufunc] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
FUNCTIONS: dict[str, Callable] = {  # those of formulas, of arrays
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "log10": np.log10,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "abs": np.abs,
    "min": np.minimum,
    "max": np.maximum,
    "floor": np.floor,
    "ceil": np.ceil,
    "erf": special.erf,
    "Phi": special.ndtr,
    "gamma": special.gamma,
    "beta": special.beta,
    "harmonic": lambda n: special.digamma(n + 1) - special.digamma(1.0),
}
HITS = {"hit": "hit_cost", "best_hit": "best_hit_cost"}


def order_statistic(values: np.ndarray, level: float, axis: int) -> np.ndarray:
    """The smallest number that at least a share `level` of the worlds with numbers do not exceed."""
    ordered = np.sort(np.moveaxis(values, axis, -1), -1)  # NaN comes last
    count = (~np.isnan(ordered)).sum(-1, keepdims=True)
    place = np.ceil(level * count - 1e-9).astype(int).clip(1) - 1
    return np.take_along_axis(ordered, place.clip(max=ordered.shape[-1] - 1), -1)[..., 0]


SUMMARIES: dict[str, Callable] = {  # over worlds; those without a number are left out
    "mean": np.nanmean,
    "median": np.nanmedian,
    "variance": lambda values, axis: np.nanvar(values, axis=axis, ddof=1),
    "sd": lambda values, axis: np.nanstd(values, axis=axis, ddof=1),
    "share": np.nanmean,
}
WORDS = (*SUMMARIES, "quantile", *HITS, *FUNCTIONS)


@dataclass(frozen=True)
class Summary:
    """A number of all worlds: a statistic of the parts of its quantity."""

    of: Statistic


Value = float | xr.DataArray | Summary


def quantity(dataset: xr.Dataset, text: str) -> xr.Dataset:
    """The value of a quantity and its 95 % interval.

    Args:
        dataset: a study's results.
        text: the quantity.

    Returns:
        `quantity`, `quantity_interval` (bound: low, high) and `worlds`, how many have a number in all of its
        parts; dims landscape, optimizer and the axes, without those that the quantity itself chooses from.

    Raises:
        ValueError: it is none, or the results do not have what it names; in one line.
    """
    question = Question(dataset, text)
    with np.errstate(all="ignore"):
        value = question.value(parsed(text))
    if isinstance(value, float):
        raise ValueError(
            f"quantity: expected one that is of worlds, such as median(loss), got {text!r}"
        )
    if isinstance(value, xr.DataArray):
        value = question.summary("mean", value)
    return question.estimated(value)


@dataclass(frozen=True)
class Question:
    """A quantity while it is read.

    Args:
        dataset: the results, or the part of them that is meant.
        text: the whole quantity, for messages.
        since: fraction of the budget from which checkpoints count; None: the end is meant.
        parts: numbers of each world over which there are summaries, as they are met.
        shares: which of the parts are yes or no.
    """

    dataset: xr.Dataset
    text: str
    since: float | None = None
    parts: list[xr.DataArray] = field(default_factory=list)
    shares: set[int] = field(default_factory=set)

    def value(self, node: ast.expr) -> Value:
        """The value of a part of the tree."""
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return float(number)
            case ast.Name(id=name):
                return self._named(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._joined(np.negative, [operand])
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.value(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                return self._joined(BINARY[type(op)], [left, right])
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISONS:
                return self._compared(COMPARISONS[type(op)], left, right)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=keywords):
                given = {str(keyword.arg): keyword.value for keyword in keywords}
                return self._called(name, arguments, given)
        raise ValueError(
            f"{self.text!r}: expected + - * / **, comparisons and {', '.join(WORDS)} of what was recorded"
        )

    # names and calls ----------------------------------------------------------------------------------------

    def _named(self, name: str) -> Value:
        if name in CONSTANTS:
            return float(CONSTANTS[name])
        if self.since is not None:
            return leaves.since(self.dataset, name, self.since)
        return leaves.recorded(self.dataset, name)

    def _called(self, name: str, arguments: list[ast.expr], given: Mapping[str, ast.expr]) -> Value:
        if name == AT:
            return self._chosen(arguments, given).value(arguments[0])
        if name in SUMMARIES or name == "quantile":
            return self._summarised(name, arguments, given)
        if name in HITS:
            clock = given.get("clock", ast.Name("cost"))
            if not (set(given) <= {"clock"} and isinstance(clock, ast.Name) and clock.id == "cost"):
                raise ValueError(
                    f"{name}: expected {name}(TARGET), hits are counted by cost; in {self.text!r}"
                )
            return leaves.hit(self.dataset, self._number(name, arguments), HITS[name])
        if name in FUNCTIONS and not given:
            return self._joined(FUNCTIONS[name], arguments)
        if name in self.dataset:
            return self._when(name, arguments, given)
        recorded = [str(variable) for variable in self.dataset.data_vars]
        raise ValueError(f"unknown function {name!r}; {suggest(name, [*WORDS, *recorded])}")

    def _when(
        self, name: str, arguments: list[ast.expr], given: Mapping[str, ast.expr]
    ) -> xr.DataArray:
        """loss(start), loss(cost=100), loss(steps=40), loss(budget=0.5)."""
        match arguments, list(given.items()):
            case [ast.Name(id=leaves.START)], []:
                return leaves.at_start(self.dataset, name)
            case [], [(clock, moment)] if clock in leaves.WHENS:
                return leaves.at(self.dataset, name, clock, self._number(clock, [moment]))
        forms = ", ".join(f"{name}({clock}=..)" for clock in leaves.WHENS)
        raise ValueError(f"{self.text!r}: expected {name}({leaves.START}), {forms}")

    def _chosen(self, arguments: list[ast.expr], given: Mapping[str, ast.expr]) -> Question:
        """The same question of some of the results: x["ES"], x["ES", "bowl"], x[mutation="off", B=8]."""
        dims = dict(zip(("optimizer", "landscape"), arguments[1:], strict=False)) | dict(given)
        if len(arguments) > 3:
            raise ValueError(
                f"{self.text!r}: expected [OPTIMIZER], [OPTIMIZER, LANDSCAPE] or [AXIS=VALUE]"
            )
        data = self.dataset
        for word, node in dims.items():
            dim = self._dim(data, word)
            data = data.isel({dim: self._place(data, dim, node)}, drop=True)
        return replace(self, dataset=data)

    def _dim(self, data: xr.Dataset, word: str) -> str:
        """The dim of arms that a keyword means: of a path, as noise.batch, the whole, with _ for its dots."""
        arms = {
            re.sub(r"\W", "_", str(dim)): str(dim) for dim in data["status"].dims if dim not in RECORDS
        }
        if word not in arms:
            raise ValueError(f"{self.text!r}: unknown axis {word!r}; {suggest(word, arms)}")
        return arms[word]

    def _place(self, data: xr.Dataset, dim: str, node: ast.expr) -> int:
        """Where a label, or a number, is along a dim of the results."""
        there = data[dim].values.tolist()
        wanted = node.value if isinstance(node, ast.Constant) else self.value(node)
        same = [i for i, label in enumerate(there) if label == wanted or _close(label, wanted)]
        if not same:
            raise ValueError(
                f"{self.text!r}: unknown {dim} {wanted!r}; {suggest(str(wanted), map(str, there))}"
            )
        return same[0]

    def _number(self, name: str, arguments: list[ast.expr]) -> float:
        value = self.value(arguments[0]) if len(arguments) == 1 else None
        if not isinstance(value, float):
            raise ValueError(f"{self.text!r}: expected one number for {name}")
        return value

    # summaries and arithmetic -------------------------------------------------------------------------------

    def _summarised(self, name: str, arguments: list[ast.expr], given: Mapping[str, ast.expr]) -> Value:
        """mean(x) is of all worlds; mean(x, since=0.5) of each world, over its checkpoints from there."""
        if name == "mean" and set(given) == {"since"} and len(arguments) == 1:
            later = replace(self, since=self._number("since", [given["since"]]))
            values = later.value(arguments[0])
            if not isinstance(values, xr.DataArray) or "checkpoint" not in values.dims:
                raise ValueError(
                    f"{self.text!r}: since: expected the mean of what is recorded at checkpoints"
                )
            return values.mean("checkpoint")
        count = 2 if name == "quantile" else 1
        if given or len(arguments) != count:
            raise ValueError(f"{self.text!r}: expected {name}({'x, level' if count == 2 else 'x'})")
        values = self.value(arguments[0])
        if not isinstance(values, xr.DataArray):
            raise ValueError(
                f"{self.text!r}: {name}: expected a number of each world, this is one of all"
            )
        if name == "quantile":
            level = self._number("level", arguments[1:])
            if not 0 < level < 1:
                raise ValueError(f"{self.text!r}: expected a level 0 < level < 1, got {level:g}")
            return self._part(values, lambda numbers, axis: order_statistic(numbers, level, axis))
        return self.summary(name, values)

    def summary(self, name: str, values: xr.DataArray) -> Summary:
        """A summary over worlds, by its name."""
        if name == "share":
            if not bool((values.isnull() | values.isin([0.0, 1.0])).all()):
                raise ValueError(f"{self.text!r}: share: expected a condition, as in share(loss < 0.1)")
            self.shares.add(len(self.parts))
        return self._part(values, SUMMARIES[name])

    def _part(self, values: xr.DataArray, statistic: Callable) -> Summary:
        place = len(self.parts)
        self.parts.append(values)
        return Summary(lambda parts, axis: statistic(parts[place], axis=axis))

    def _joined(self, function: Callable, arguments: list[ast.expr]) -> Value:
        """A function of numbers, of numbers of each world, or of summaries."""
        values = [self.value(argument) for argument in arguments]
        kinds = {type(value) for value in values}
        if kinds >= {Summary, xr.DataArray}:
            raise ValueError(
                f"{self.text!r}: a number of each world beside one of all worlds; say mean(..) or median(..)"
            )
        try:
            if Summary in kinds:
                return Summary(
                    lambda parts, axis: function(*(_of(value, parts, axis) for value in values))
                )
            joined = function(*values)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.text!r}: {' '.join(str(error).split())}") from error
        return joined if isinstance(joined, xr.DataArray) else float(joined)

    def _compared(self, comparison: np.ufunc, left: ast.expr, right: ast.expr) -> Value:
        """1 where it is so, 0 where not, NaN where either has no number."""

        def compare(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            unknown = np.isnan(a) | np.isnan(b)
            return comparison(a, b) + np.where(unknown, np.nan, 0.0)

        return self._joined(compare, [left, right])

    def estimated(self, value: Summary) -> xr.Dataset:
        """Value and interval: of one share the exact one, else that of a joint resampling of worlds."""
        parts = list(xr.broadcast(*self.parts))
        if self.shares == {0} and len(parts) == 1 and value.of([np.array([0.25])], -1) == 0.25:
            return proportion("quantity", parts[0], long_name=self.text)
        told = estimate(
            "quantity",
            lambda *arrays, axis: value.of(list(arrays), axis),
            parts,
            long_name=self.text,
            units="",
        )
        there = xr.concat(
            [part.notnull() for part in parts], "part", coords="minimal", compat="override"
        ).all("part")
        return told.assign(
            worlds=there.sum("replicate").assign_attrs(long_name="worlds with numbers", units="1")
        )


def _of(value: Value, parts: list[np.ndarray], axis: int) -> float | np.ndarray:
    return value.of(parts, axis) if isinstance(value, Summary) else value  # type: ignore[return-value]


def _close(label: object, wanted: object) -> bool:
    """Whether two numbers are the same but for rounding."""
    numbers = isinstance(label, int | float) and isinstance(wanted, int | float)
    return numbers and math.isclose(label, wanted, rel_tol=1e-9)  # type: ignore[arg-type]
