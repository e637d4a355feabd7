"""Along an axis of the study: where a quantity is lowest, where two cross, how it scales, how far it holds.

    optimum(q, eta)          the value of the axis at which q is lowest; of -q where it is highest
    crossing(q, r, N)        the value at which q - r changes its sign, the first where there are several
    exponent(q, B)           b of q ~ B^b, the slope of a line through the logarithms
    limit(condition, eta)    the last value up to which a condition on all worlds holds

The axis is logarithmic where its values are positive and more even in their logarithms. Between two values
lines and parabolas are drawn: an optimum is that of the parabola through the lowest value and its neighbours,
and the end of the axis where q is lowest there. A crossing beyond the axis is inf, or 0 or -inf before it. A
limit lies between two values of the axis: it is the one up to which the condition holds, and its interval
reaches to the next.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable

import numpy as np

from studies.analysis.quantities import summaries, whose
from studies.analysis.quantities.question import Call, Question
from studies.analysis.quantities.values import Sample, Statistic, Summary, Value, of_worlds

Curve = Callable[[np.ndarray, np.ndarray], np.ndarray]  # of the axis (X,) and values (.., X): (..)


def optimum(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Where y (.., X) is lowest: on the parabola through the lowest value and its neighbours."""
    y = np.where(np.isfinite(y), y, np.inf)
    lowest = y.argmin(-1)
    if len(x) < 3:
        return x[lowest]
    u, back = scaled(x)
    places = lowest.clip(1, len(x) - 2)[..., None] + np.arange(-1, 2)
    around = np.take_along_axis(y, places, -1)
    vertex = _vertex(u[places], around)
    inside = (lowest > 0) & (lowest < len(x) - 1) & np.isfinite(around).all(-1)
    at = np.where(inside, back(vertex), x[lowest])
    return np.where(np.isinf(y).all(-1), np.nan, at)


def _vertex(u: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Vertex of the parabola through three points (.., 3), the second the lowest."""
    first, second = (np.diff(y) / np.diff(u))[..., 0], (np.diff(y) / np.diff(u))[..., 1]
    bend = (second - first) / (u[..., 2] - u[..., 0])
    return (u[..., 0] + u[..., 1]) / 2 - first / (2 * bend)


def crossing(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Where y (.., X) first changes its sign; where it does not, beyond the end at which it is smaller."""
    u, back = scaled(x)
    low, high = y[..., :-1], y[..., 1:]
    changes = (low * high <= 0) & (low != high)
    first = changes.argmax(-1)[..., None]
    a, b = (np.take_along_axis(part, first, -1)[..., 0] for part in (low, high))
    start, end = u[first[..., 0]], u[first[..., 0] + 1]
    at = back(start + (end - start) * a / (a - b))
    before = back(np.array(-np.inf))
    beyond = np.where(abs(y[..., -1]) <= abs(y[..., 0]), np.inf, before)
    beyond = np.where(np.isnan(y).any(-1), np.nan, beyond)
    return np.where(changes.any(-1), at, beyond)


def exponent(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The slope of log y (.., X) on log x; values that are not positive are left out."""
    known = np.isfinite(y) & (y > 0)
    u, v = np.broadcast_to(np.log(x), y.shape), np.log(np.where(known, y, 1.0))
    count = known.sum(-1, keepdims=True)
    away = np.where(known, u - np.where(known, u, 0.0).sum(-1, keepdims=True) / count, 0.0)
    return np.where(count[..., 0] > 1, (away * v).sum(-1) / (away**2).sum(-1), np.nan)


def limit(x: np.ndarray, y: np.ndarray, *, outer: bool) -> np.ndarray:
    """The last value from which on y (.., X) is no longer 1, or the first from which on it is.

    Args:
        x: (X,) the axis.
        y: 1 where the condition holds, 0 where not.
        outer: whether the next value of the axis is meant, the first at which it does not hold.
    """
    back = scaled(x)[1]
    holds = np.where(np.isnan(y), 0, y) > 0
    upwards = holds[..., 0] | ~holds[..., -1]
    ordered = np.where(upwards[..., None], holds, holds[..., ::-1])
    count = np.logical_and.accumulate(ordered, -1).sum(-1)  # of values up to which it holds
    padded = np.concatenate([[back(np.array(-np.inf))], x, [np.inf]])
    place = np.where(upwards, count, len(x) + 1 - count)
    step = np.where(upwards, 1, -1) if outer else 0
    return np.where(np.isnan(y).all(-1), np.nan, padded[place + step])


def logarithmic(x: np.ndarray) -> bool:
    """Whether an axis (X,) is positive, and more even in its logarithms."""
    if len(x) < 3 or not (x > 0).all():
        return bool((x > 0).all())
    uneven = [np.std(steps) / np.mean(steps) for steps in (np.diff(x), np.diff(np.log(x)))]
    return bool(uneven[1] <= uneven[0])


def scaled(x: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """The axis on its scale, and the way back."""
    return (np.log(x), np.exp) if logarithmic(x) else (x, np.asarray)


# in a quantity ----------------------------------------------------------------------------------------------


def _curve(question: Question, node: ast.expr, dim: str) -> Statistic:
    """What a quantity is at each value of an axis, in the order of its values: (.., X)."""
    order = np.argsort(question.dataset[dim].values, kind="stable")
    parts = [summarised(whose.at_number(question, dim, int(i)), node) for i in order]
    statistics = [question.gathered.statistic(part) for part in parts]

    def of(sample: Sample) -> np.ndarray:
        return np.stack(np.broadcast_arrays(*(of(sample) for of in statistics)), -1)

    return of


def summarised(question: Question, node: ast.expr) -> Value:
    """The value of a node; of numbers of each world their mean."""
    value = question.value(node)
    return summaries.summary(question, "mean", value) if of_worlds(value) else value


def _axis(question: Question, call: Call) -> tuple[str, np.ndarray]:
    """The dim that the last argument names, and its values in order."""
    if call.given or len(call.arguments) != ARGUMENTS[call.name]:
        inside = ", ".join(["q", "r"][: ARGUMENTS[call.name] - 1])
        question.refuse(f"expected {call.name}({inside}, AXIS)")
    dim = whose.dim_of(question, ast.unparse(call.arguments[-1]))
    values = question.dataset[dim].values
    if values.dtype.kind not in "iuf":
        question.refuse(f"{call.name}: expected an axis of numbers, {dim} has names")
    if call.name == "exponent" and not (values > 0).all():
        question.refuse(f"exponent: expected an axis of numbers > 0, {dim} has {values.min():g}")
    return dim, np.sort(values.astype(float))


def _of_curve(question: Question, call: Call, curve: Curve) -> Summary:
    dim, x = _axis(question, call)
    y = _curve(question, call.arguments[0], dim)
    return Summary(lambda sample: curve(x, y(sample)))


def called(question: Question, call: Call) -> Value:
    """The optimum or exponent of a quantity along an axis."""
    return _of_curve(question, call, {"optimum": optimum, "exponent": exponent}[call.name])


def crossed(question: Question, call: Call) -> Value:
    """The crossing of two quantities along an axis."""
    dim, x = _axis(question, call)
    first, second = (_curve(question, node, dim) for node in call.arguments[:2])
    return Summary(lambda sample: crossing(x, first(sample) - second(sample)))


def limited(question: Question, call: Call) -> Value:
    """The limit of a condition along an axis, which is known to the distance of two values."""
    key = id(call.arguments[0])
    question.gathered.between.add(key)
    return _of_curve(question, call, functools.partial(limit, outer=key in question.early))


ARGUMENTS = {"optimum": 2, "crossing": 3, "exponent": 2, "limit": 2}
WORDS = {"optimum": called, "exponent": called, "crossing": crossed, "limit": limited}
