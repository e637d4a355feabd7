"""A formula whose constants are fitted to a quantity along an axis.

    fitted(a + b * n, q, n, 4, 256)        its value at each n, a and b fitted to q at n = 4 and n = 256
    constant(b, a + b * n, q, n, 4, 256)   the b of this fit

Constants are the names that neither the axis has nor the settings of the arms. The formula is linear in
them, so that there is one fit, by least squares of relative errors, (formula - q) / q; without values it is
fitted at all of the axis. What is not linear may be so in its logarithms: `exp(fitted(a + g * log(n), log(q),
n))` is the power law.
"""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from xarray import DataArray

from studies.analysis.quantities import along, constants, leaves, whose
from studies.analysis.quantities.functions import FUNCTIONS
from studies.analysis.quantities.question import Call, Question, call_of
from studies.analysis.quantities.values import Sample, Statistic, Summary, of_worlds
from studies.text.formulas import CONSTANTS, PATH

CALLED = "fitted"
FORMS = {  # word -> what stands in its parentheses before values of the axis
    "fitted": "fitted(FORMULA, q, AXIS)",
    "constant": "constant(NAME, FORMULA, q, AXIS)",
}
NOT_LINEAR = (
    "{}: expected a formula that is linear in {}; a power k * n**g is, in its logarithms:"
    " exp(fitted(a + g * log(n), log(q), n))"
)
PROBES = (3.0, -7.0e3, 0.11)  # values of constants at which a formula is looked at


def solved(basis: np.ndarray, rest: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The constants (.., J) for which basis @ constants + rest is nearest to y, in relative errors.

    Args:
        basis: (.., K, J) of each value and constant.
        rest: (.., K) what has no constant.
        y: (.., K); NaN where one is not finite.
    """
    with np.errstate(all="ignore"):
        rows, aims = basis / y[..., None], (y - rest) / y
    finite = np.isfinite(rows).all((-2, -1)) & np.isfinite(aims).all(-1)
    rows = np.where(finite[..., None, None], rows, 0.0)
    sizes = np.linalg.norm(rows, axis=-2)
    sizes = np.where(sizes > 0, sizes, 1.0)
    ways = np.linalg.pinv(rows / sizes[..., None, :])
    best = (ways @ np.where(finite[..., None], aims, 0.0)[..., None])[..., 0] / sizes
    return np.where(finite[..., None], best, np.nan)


# in a quantity ----------------------------------------------------------------------------------------------


def fitted(question: Question, call: Call) -> Summary:
    """The value of a fitted formula, at each value of the axis."""
    fit = _fit(question, call, call.arguments)
    here, terms = fit.linear
    of_all, rest = fit.constants(), question.gathered.statistic(here)
    of_terms = [question.gathered.statistic(term) for term in terms]

    def of(sample: Sample) -> np.ndarray:
        parts = [
            term(sample) * best for term, best in zip(of_terms, _each(of_all(sample)), strict=True)
        ]
        return rest(sample) + np.sum(np.broadcast_arrays(*parts), 0)

    return Summary(of)


def constant(question: Question, call: Call) -> Summary:
    """One of the constants of a fitted formula."""
    name, *arguments = call.arguments or [ast.Constant(None)]
    fit = _fit(question, call, arguments)
    word = ast.unparse(name)
    if word not in fit.names:
        question.refuse(f"constant: expected one of {', '.join(fit.names)}, got {word}")
    of_all, place = fit.constants(), fit.names.index(word)
    return Summary(lambda sample: of_all(sample)[..., place])


def _each(best: np.ndarray) -> Sequence[np.ndarray]:
    """Constants (.., J), one by one."""
    return [best[..., place] for place in range(best.shape[-1])]


@dataclass(frozen=True)
class Fit:
    """A formula, and where it is fitted.

    Args:
        question: of which it is a part.
        formula: the tree.
        names: of its constants.
        of: the quantity that it is fitted to.
        dim: of the axis.
        places: (K,) numbers of its values.
    """

    question: Question
    formula: ast.expr
    names: Sequence[str]
    of: ast.expr
    dim: str
    places: Sequence[int]

    def constants(self) -> Statistic:
        """The constants (.., J) of the worlds that are drawn."""
        gathered = self.question.gathered
        at = [whose.at_number(self.question, self.dim, place) for place in self.places]
        observed = [gathered.statistic(along.summarised(here, self.of)) for here in at]
        rest, factors = self.linear
        of_rest = [gathered.statistic(self._there(rest, place)) for place in self.places]
        of_rows = [
            [gathered.statistic(self._there(factor, place)) for factor in factors]
            for place in self.places
        ]

        def of(sample: Sample) -> np.ndarray:
            rows = _joined([_stacked(row, sample) for row in of_rows], -2)
            return solved(rows, _stacked(of_rest, sample), _stacked(observed, sample))

        return of

    def _there(self, value: DataArray, place: int) -> DataArray:
        """A number of each arm at one of the values of the axis."""
        return value.isel({self.dim: place}, drop=True, missing_dims="ignore")

    @functools.cached_property
    def linear(self) -> tuple[DataArray, list[DataArray]]:
        """What has no constant, and the factor of each constant, at all values of the axis."""
        zero = dict.fromkeys(self.names, 0.0)
        none = self._with(zero)
        factors = [self._with(zero | {name: 1.0}) - none for name in self.names]
        for shift in range(len(PROBES)):
            probes = [PROBES[(place + shift) % len(PROBES)] for place in range(len(self.names))]
            seen = self._with(dict(zip(self.names, probes, strict=True)))
            terms = [probe * factor for probe, factor in zip(probes, factors, strict=True)]
            if not np.allclose(seen, sum(terms, none), equal_nan=True):
                self.question.refuse(
                    NOT_LINEAR.format(ast.unparse(self.formula), ", ".join(self.names))
                )
        return none, factors

    def _with(self, constants: Mapping[str, float]) -> DataArray:
        """The formula with these constants."""
        bound = {name: DataArray(value) for name, value in constants.items()}
        with np.errstate(all="ignore"):
            value = self.question.of(bound={**self.question.bound, **bound}).value(self.formula)
        if isinstance(value, Summary) or of_worlds(value):
            self.question.refuse(
                f"expected a formula of {self.dim}, numbers and constants, not of results"
            )
        return DataArray(value)


def _fit(question: Question, call: Call, arguments: Sequence[ast.expr]) -> Fit:
    """What is fitted, and where."""
    if call.given or len(arguments) < 3:
        question.refuse(f"expected {FORMS[call.name]}, and perhaps values of the axis behind it")
    formula, of, axis, *values = arguments
    dim = whose.dim_of(question, ast.unparse(axis))
    many = question.dataset.sizes[dim]
    places = [whose.place_of(question, dim, question.value(value)) for value in values] or [
        *range(many)
    ]
    names = _constants(question, formula)
    if not 0 < len(names) <= len(set(places)):
        question.refuse(
            f"{ast.unparse(formula)}: expected 1 to {len(set(places))} constants, as there are values of"
            f" {dim}, got {', '.join(names) or 'none'}"
        )
    return Fit(question, formula, names, of, dim, places)


def _constants(question: Question, formula: ast.expr) -> list[str]:
    """The names in a formula that nobody knows."""
    known = {*FUNCTIONS, *CONSTANTS, PATH, *question.bound}
    known |= {*leaves.names(question.dataset), *constants.names(question.dataset)}
    dotted = (node.value for node in ast.walk(formula) if isinstance(node, ast.Attribute))
    owners = {id(owner) for owner in dotted}
    names = [
        node for node in ast.walk(formula) if isinstance(node, ast.Name) and id(node) not in owners
    ]
    return [name for name in dict.fromkeys(node.id for node in names) if name not in known]


def observed(call: Call) -> tuple[Sequence[ast.expr], ...]:
    """The quantity that a formula is fitted to, the axis, and values of it; none where they are missing."""
    first = list(FORMS).index(call.name) + 1
    ends = first, first + 1, first + 2
    return tuple(call.arguments[a:b] for a, b in zip(ends, (*ends[1:], None), strict=True))


def values(tree: ast.expr) -> dict[str, list[float]]:
    """Axis -> its values at which some formula of a quantity is fitted, where these are given."""
    held: dict[str, list[float]] = {}
    for call in (call_of(node) for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if call.name == CALLED:
            (axis,) = observed(call)[1] or [ast.Name("")]
            held.setdefault(ast.unparse(axis), []).extend(map(_number, call.arguments[3:]))
    return held


def _number(node: ast.expr) -> float:
    """A number as it is written; NaN of a formula."""
    try:
        return float(ast.literal_eval(node))
    except (ValueError, TypeError):
        return math.nan


def _stacked(statistics: Sequence[Statistic], sample: Sample) -> np.ndarray:
    """Numbers side by side, along a last axis."""
    return _joined([np.asarray(of(sample), float) for of in statistics], -1)


def _joined(arrays: Sequence[np.ndarray], axis: int) -> np.ndarray:
    return np.stack(np.broadcast_arrays(*arrays), axis)


WORDS = {"fitted": fitted, "constant": constant}
