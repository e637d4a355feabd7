"""Formulas of a study file: a number, an expression of names, or a function by its import path.

    0.0132                     a number; .inf: never, where a time is meant
    2 / (1 + 1 / condition)    + - * / **, comparisons and FUNCTIONS of numbers and names
    my_theory:variance         a function, called with those of the names that are its arguments
    theory:kimura              a law of the library (`studies.theory`), called likewise
    2 * theory:kimura(s=0.1)   inside of an expression too, and with some arguments of one's own

A formula is read, never run, in no time to speak of (`9**9**9` is one line). It reaches given names alone.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import math
import operator
import re
import sys
from collections.abc import Callable, Container, Iterable, Mapping
from pathlib import Path

from studies.text.words import check_known, longer, nearest, suggest

Number = float | int | bool
LONGEST = 1000  # characters
DEEPEST = 60  # operations inside operations
LIBRARY = "theory"  # in place of a module: a law of studies.theory
PATH = "__path__"  # called in place of module:function
# a text in quotes, which stays, or an import path, with the bracket of its arguments where it has any
QUOTED_OR_PATH = re.compile(r"\"[^\"]*\"|'[^']*'|(?<![\w.:])([A-Za-z_][\w.]*:[A-Za-z_]\w*)(\()?")
WHOLE = 2**53  # whole numbers up to here are exact; beyond, a power or a product is a float
BINARY: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: lambda base, exponent: _power(base, exponent),
}
UNARY: dict[type[ast.unaryop], Callable[[Number], Number]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Number, Number], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def normal(x: float) -> float:
    """Phi: the chance that a standard normal is at most x."""
    return math.erfc(-x / math.sqrt(2)) / 2


def beta(a: float, b: float) -> float:
    """Euler's beta function B(a, b)."""
    from scipy.special import beta as of_scipy

    return float(of_scipy(a, b))


def harmonic(n: float) -> float:
    """H_n = 1 + 1/2 + .. + 1/n; between whole numbers digamma(n + 1) + Euler's constant."""
    from scipy.special import digamma

    return float(digamma(n + 1) - digamma(1))


FUNCTIONS: dict[str, Callable[..., Number]] = {
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "log10": math.log10,
    "sin": math.sin,
    "cos": math.cos,
    "tanh": math.tanh,
    "abs": abs,
    "min": min,
    "max": max,
    "floor": math.floor,
    "ceil": math.ceil,
    "erf": math.erf,
    "Phi": normal,
    "gamma": math.gamma,
    "beta": beta,
    "harmonic": harmonic,
}
CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf}


def evaluate(
    given: Number | str,
    names: Mapping[str, Number],
    missing: Mapping[str, str] | None = None,
) -> float:
    """The number that a formula gives; inf where it says so by that name.

    Args:
        given: a number, a formula or an import path.
        names: what it may use.
        missing: names that have no number -> why.

    Raises:
        ValueError: it has no value, and why, in one line.
    """
    if not isinstance(given, str):
        return float(given)
    wanted = names_in(given)
    for name in wanted:
        if name not in names and name in (missing or {}):
            raise ValueError(f"{given!r} has no value: {name} has none, {(missing or {})[name]}")
    try:
        number = _called(given, names) if is_path(given) else float(_value(parsed(given), names))
    except OverflowError as error:
        raise ValueError(f"{given!r} has no value: a number in it is too large") from error
    except (ArithmeticError, TypeError) as error:
        raise ValueError(f"{given!r} has no value: {error}") from error
    meant = "inf" in wanted or ":" in given  # a function may say never
    if math.isnan(number) or (math.isinf(number) and not meant):
        raise ValueError(f"expected a finite number from {given!r}, or inf by its name, got {number}")
    return number


def names_in(given: str) -> list[str]:
    """The names in a formula, or those that a function cannot do without; of `optimizer.batch` the whole.

    Raises:
        ValueError: it is no formula, or there is no such function.
    """
    if is_path(given):
        return needed(function_at(given))
    written, calls = _written(given)
    return list(dict.fromkeys([*written, *(name for call in calls for name in _lacking(call))]))


@functools.lru_cache(maxsize=4096)
def _written(text: str) -> tuple[list[str], list[ast.Call]]:
    """The names that stand in a formula, and its calls."""
    nodes = list(ast.walk(parsed(text)))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    called = {id(node.func) for node in calls}
    inner = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    names = [node for node in nodes if isinstance(node, ast.Name | ast.Attribute)]
    return [ast.unparse(node) for node in names if id(node) not in called | inner], calls


def _lacking(call: ast.Call) -> list[str]:
    """The arguments that a call of a path does not give, and cannot do without."""
    path = path_called(call)
    given = {keyword.arg for keyword in call.keywords}
    return [name for name in needed(function_at(path)) if name not in given] if path else []


def reads_as_formula(text: str, words: Container[str]) -> bool:
    """Whether a text is meant as a formula: an expression, an import path, or a name that there is.

    A wrong expression is meant as one too; what is wrong with it, its evaluation says.

    Args:
        text: what stands where a number is expected.
        words: the names that there are.
    """
    if is_path(text):
        return True
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return any(sign in text for sign in "+*/(")
    if isinstance(tree, ast.Name):
        return tree.id in words
    return not isinstance(tree, ast.Constant)


# functions by their import path -----------------------------------------------------------------------------


def is_path(text: str) -> bool:
    """Whether a text is an import path "module:function"."""
    module, colon, name = text.partition(":")
    return (
        bool(colon) and name.isidentifier() and all(part.isidentifier() for part in module.split("."))
    )


def function_at(path: str) -> Callable:
    """The function at an import path, or the law theory:NAME.

    Modules are also looked for in the working directory.

    Raises:
        ValueError: there is none.
    """
    if not is_path(path):
        raise ValueError(f"expected an import path 'package.module:function', got {path!r}")
    module, _, name = path.partition(":")
    if module == LIBRARY:
        return importlib.import_module("studies.theory").find(name)
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        function = getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:  # a module of the user's may fail in any way
        raise ValueError(f"cannot import {path!r}: {' '.join(str(error).split())}") from error
    if not callable(function):
        raise ValueError(f"expected {path!r} to be a function")
    return function


def module_of(path: str) -> str:
    """The module at an import path, which is imported: in a worker, nobody may have done so before.

    Raises:
        ValueError: there is none.
    """  # noqa: DOC502
    function = function_at(path)
    module, _, _ = path.partition(":")
    return function.__module__ if module == LIBRARY else module


def needed(function: Callable) -> list[str]:
    """The arguments of a function that have no default."""
    return [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    ]


def paths_as_calls(text: str) -> str:
    """The text with each `module:function` as `__path__("module:function")`, `(x=1)` after it in the bracket.

    Raises:
        ValueError: it holds that word itself.
    """
    if PATH in text:
        raise ValueError(f"unknown name {PATH!r}")
    return QUOTED_OR_PATH.sub(_path_as_call, text)


def _path_as_call(match: re.Match[str]) -> str:
    path, bracket = match.groups()
    if path is None:
        return match.group()
    return f'{PATH}("{path}"' + (", " if bracket else ")")


def path_called(call: ast.Call) -> str:
    """The import path that is called; empty where it is another function.

    Raises:
        ValueError: its arguments are not given by name.
    """
    if not (isinstance(call.func, ast.Name) and call.func.id == PATH):
        return ""
    path, *others = call.args
    text = str(ast.literal_eval(path))
    if others or any(keyword.arg is None for keyword in call.keywords):
        raise ValueError(f"{text}: expected arguments by name, such as {text}(s=0.1)")
    return text


def _called(path: str, names: Mapping[str, Number]) -> float:
    function = function_at(path)
    for name in needed(function):
        if name not in names:
            raise ValueError(f"{path}: unknown argument {name!r}; {_known(name, names)}")
    arguments = {name: names[name] for name in inspect.signature(function).parameters if name in names}
    try:
        return float(function(**arguments))
    except (Exception, SystemExit) as error:  # a function of the user's may fail in any way
        raise ValueError(f"{path}: {type(error).__name__}: {' '.join(str(error).split())}") from error


# expressions ------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4096)
def parsed(text: str) -> ast.expr:
    """The tree of an expression, which nobody changes: the same text has the same tree.

    Raises:
        ValueError: it is none, too long or too deep.
    """
    if len(text) > LONGEST:
        raise ValueError(f"expected a formula of at most {LONGEST} characters, got {len(text)}")
    try:
        tree = ast.parse(paths_as_calls(text.strip()), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        expected = "expected a number, a formula, or an import path 'package.module:function'"
        raise ValueError(f"{expected}, got {text!r}") from error
    if _depth(tree) > DEEPEST:
        raise ValueError(
            f"expected a formula of at most {DEEPEST} operations inside operations, got {text!r}"
        )
    return tree


def _depth(tree: ast.expr) -> int:
    """Of the tree, level by level: a deep one must not exhaust the stack."""
    depth, level = 0, [tree]
    while level and depth <= DEEPEST:
        depth += 1
        level = [
            inner
            for node in level
            for inner in ast.iter_child_nodes(node)
            if isinstance(inner, ast.expr)
        ]
    return depth


def _value(node: ast.expr, names: Mapping[str, Number]) -> Number:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number if abs(number) <= WHOLE else float(number)
        case ast.Name() | ast.Attribute():
            return _named(ast.unparse(node), names)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            return _bounded(BINARY[type(op)](_value(left, names), _value(right, names)))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
            return UNARY[type(op)](_value(operand, names))
        case ast.Compare(left=left, ops=ops, comparators=others) if all(
            type(op) in COMPARISONS for op in ops
        ):
            values = [_value(inner, names) for inner in (left, *others)]
            pairs = zip(ops, values, values[1:], strict=False)
            return all(COMPARISONS[type(op)](low, high) for op, low, high in pairs)
        case ast.Call(func=ast.Name(id=name)) if name == PATH:
            return _call(node, names)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return _applied(name, [_value(argument, names) for argument in arguments])
        case ast.Call(func=ast.Name(id=name)) if name not in FUNCTIONS:
            raise ValueError(f"unknown function {name!r}; {suggest(name, FUNCTIONS)}")
    allowed = f"expected + - * / **, comparisons and {', '.join(FUNCTIONS)} of numbers and names"
    raise ValueError(f"{allowed}, got {ast.unparse(node)!r}")


def _call(call: ast.Call, names: Mapping[str, Number]) -> float:
    """The value of `module:function` or `module:function(x=2 * n)`: the names, and what is given by name.

    Raises:
        ValueError: it has none, and why.
    """
    path = path_called(call)
    given = {str(keyword.arg): _value(keyword.value, names) for keyword in call.keywords}
    taken = inspect.signature(function_at(path)).parameters
    check_known(f"{path}: unknown argument", given, taken)
    return _called(path, {**names, **given})


def _applied(name: str, arguments: list[Number]) -> Number:
    try:
        return FUNCTIONS[name](*arguments)
    except ValueError as error:  # math's "math domain error"
        raise ValueError(f"{name} of {', '.join(map(str, arguments))} has no value") from error


def _power(base: Number, exponent: Number) -> Number:
    """Of floats, unless the result is a whole number that is small: 9**9**9 overflows at once."""
    small = isinstance(base, int) and isinstance(exponent, int) and 0 <= exponent <= 64
    if small and base**exponent <= WHOLE:
        return base**exponent
    value = float(base) ** float(exponent)
    if isinstance(value, complex):
        raise ArithmeticError(f"{base}**{exponent} is no real number")
    return value


def _bounded(number: Number) -> Number:
    return float(number) if isinstance(number, int) and abs(number) > WHOLE else number


def _named(name: str, names: Mapping[str, Number]) -> Number:
    number = names.get(name, CONSTANTS.get(name))
    if number is None:
        raise ValueError(unknown(name, names))
    return number


def unknown(name: str, names: Iterable[str]) -> str:
    """What is said of a name that none of these is."""
    return f"unknown name {name!r}; {_known(name, names)}"


def _known(name: str, names: Iterable[str]) -> str:
    """The nearest name, or all short ones; `optimizer.batch` is known too where `batch` is."""
    names = list(names)
    near = next(iter(longer(name, names)), None) or nearest(name, names)
    return (
        f"did you mean {near!r}?"
        if near
        else f"known: {', '.join(word for word in names if '.' not in word)}"
    )
