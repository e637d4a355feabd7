"""What is predicted: a number, a formula, or a function by its import path.

    0.0132                                                     a number; .inf: never, where a time is predicted
    "learning_rate * 4 / (2 * batch * (2 - learning_rate))"    a formula: + - * / ** and sqrt, exp, log, log10, min, max, of numbers and names; inf
    "my_theory:variance"                                       a function, called with those of the names that are its arguments

What names there are is said in `studies.claims.names`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import math
import operator
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

OPERATIONS: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
FUNCTIONS: dict[str, Callable] = {
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "log10": math.log10,
    "min": min,
    "max": max,
}
CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf}


def predict(
    given: float | str, names: Mapping[str, float], missing: Mapping[str, str] | None = None
) -> float:
    """The number that is predicted; inf where that is what it says.

    Args:
        given: a number, a formula or an import path.
        names: what formulas and functions may use.
        missing: names that have no number -> why.

    Raises:
        ValueError: it has no value, and why.
    """
    if not isinstance(given, str):
        return float(given)
    used = _used(given)
    for name in used:
        if name not in names and name in (missing or {}):
            raise ValueError(f"{given!r} has no value: {name} has none, {(missing or {})[name]}")
    try:
        value = _call(given, names) if is_path(given) else _value(_parsed(given), names)
        number = float(value)
    except (ArithmeticError, TypeError) as error:
        raise ValueError(f"{given!r} has no value: {error}") from error
    if math.isnan(number) or (math.isinf(number) and "inf" not in used and not is_path(given)):
        raise ValueError(f"expected a finite number from {given!r}, or inf by its name, got {number}")
    return number


def _used(given: str) -> list[str]:
    """The names in a formula, or those that a function cannot do without."""
    if is_path(given):
        wanted = inspect.signature(function_at(given)).parameters.items()
        return [name for name, one in wanted if one.default is one.empty]
    return [
        ast.unparse(node) for node in ast.walk(_parsed(given)) if isinstance(node, ast.Name | ast.Attribute)
    ]


def is_path(text: str) -> bool:
    """Whether a text is an import path "module:function"."""
    module, colon, name = text.partition(":")
    return bool(colon) and name.isidentifier() and all(part.isidentifier() for part in module.split("."))


def function_at(path: str) -> Callable:
    """The function at an import path.

    Raises:
        ValueError: there is none.
    """
    if not is_path(path):
        raise ValueError(f"expected an import path 'package.module:function', got {path!r}")
    module, _, name = path.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:  # a module of the user's may fail in any way
        raise ValueError(f"cannot import {path!r}: {' '.join(str(error).split())}") from error
    if not callable(found):
        raise ValueError(f"expected {path!r} to be a function")
    return found


def _call(path: str, names: Mapping[str, float]) -> Any:  # noqa: ANN401
    function = function_at(path)
    wanted = inspect.signature(function).parameters
    missing = [
        name
        for name, one in wanted.items()
        if name not in names
        and one.default is one.empty
        and one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
    ]
    if missing:
        raise ValueError(f"{path}: unknown argument {missing[0]!r}; {_known(names)}")
    try:
        return function(**{name: names[name] for name in wanted if name in names})
    except (Exception, SystemExit) as error:
        raise ValueError(f"{path}: {type(error).__name__}: {' '.join(str(error).split())}") from error


def _parsed(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(
            f"expected a number, a formula, or an import path 'package.module:function', got {text!r}"
        ) from error


def _value(node: ast.expr, names: Mapping[str, float]) -> Any:  # noqa: ANN401
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return value
        case ast.Name() | ast.Attribute():
            return _named(ast.unparse(node), names)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATIONS:
            return OPERATIONS[type(op)](_value(left, names), _value(right, names))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATIONS:
            return OPERATIONS[type(op)](_value(operand, names))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](*(_value(argument, names) for argument in arguments))
    raise ValueError(
        f"expected + - * / ** and {', '.join(FUNCTIONS)} of numbers and names, got {ast.unparse(node)!r}"
    )


def _named(name: str, names: Mapping[str, float]) -> float:
    found = names.get(name, CONSTANTS.get(name))
    if found is None:
        raise ValueError(f"unknown name {name!r}; {_known(names)}")
    return found


def _known(names: Mapping[str, float]) -> str:
    return f"known: {', '.join(name for name in names if '.' not in name)}"
