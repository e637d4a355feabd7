"""From the text of a quantity to a tree: the syntax of Python's expressions, with keywords in brackets too.

    loss["ES"] - loss["SGD"]      loss[mutation="off"]      mean(loss, since=0.5)      share(loss < 0.1)

The tree is Python's own (`ast`); `x[..]` stands in it as a call of `AT` with x first, and a function by its
import path `module:function` as a call of `PATH` with the path.
"""

from __future__ import annotations

import ast
import io
import tokenize

from studies.text.formulas import paths_as_calls

LONGEST = 1000  # characters
DEEPEST = 60  # operations inside operations
AT = "__at__"  # called in place of x[..]


def parsed(text: str) -> ast.expr:
    """The tree of a quantity.

    Raises:
        ValueError: it is no expression, or too long or deep.
    """
    if len(text) > LONGEST:
        raise ValueError(f"expected a quantity of at most {LONGEST} characters, got {len(text)}")
    try:
        tree = ast.parse(_as_python(text.strip()), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError, tokenize.TokenError) as error:
        raise ValueError(f"expected a quantity, such as median(loss), got {text!r}") from error
    if _depth(tree) > DEEPEST:
        raise ValueError(
            f"expected a quantity of at most {DEEPEST} operations inside operations, got {text!r}"
        )
    return _Selections().visit(tree)


def _as_python(text: str) -> str:
    """The text as Python would have it."""
    if any(part in text for part in ("\n", "\r", AT)):
        raise ValueError("a quantity is one line")
    return _brackets_as_calls(paths_as_calls(text))


def _brackets_as_calls(text: str) -> str:
    """`x[a, b=c]` as `x.__at__(a, b=c)`: Python has no keywords in brackets."""
    calls = {"[": f".{AT}(", "]": ")"}
    out, done = [], 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.OP and token.string in calls:
            place = token.start[1]
            out += [text[done:place], calls[token.string]]
            done = place + 1
    return "".join([*out, text[done:]])


class _Selections(ast.NodeTransformer):
    """`x.__at__(..)` as `__at__(x, ..)`, and `x[whose](when)` as `x(when)[whose]`."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """One call."""
        self.generic_visit(node)
        match node.func:
            case ast.Attribute(value=value, attr=name) if name == AT:
                return _selection(value, node)
            case ast.Call(func=ast.Name(id=name), args=[ast.Name() as x, *whose]) if name == AT:
                there = ast.Call(x, node.args, node.keywords)
                return _selection(there, ast.Call(node.func, whose, node.func.keywords))
        return node


def _selection(value: ast.expr, brackets: ast.Call) -> ast.Call:
    return ast.Call(ast.Name(AT, ast.Load()), [value, *brackets.args], brackets.keywords)


def _depth(tree: ast.expr) -> int:
    """Depth of the tree, level by level: a deep one must not exhaust the stack."""
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
