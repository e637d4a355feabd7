"""What the numbers of a quantity say of themselves, before there are results: whose they are, along what."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from studies.analysis.quantities.along import ARGUMENTS as ALONG
from studies.analysis.quantities.functions import EXTREMES, FUNCTIONS
from studies.analysis.quantities.grammar import AT
from studies.analysis.quantities.question import Call, call_of
from studies.analysis.quantities.whose import POSITIONS, ledger_name
from studies.text.formulas import CONSTANTS
from studies.text.shapes import Data

Said = tuple[str, Data]  # the name of a number, and what it says of itself


def selections(tree: ast.expr, name: str | None = None) -> list[Data]:
    """What each number of a quantity says of itself: word (optimizer, landscape, an axis) -> label.

    Of an axis that it goes along, or whose value is a formula, the label is None. Of `loss["ES"] - loss`
    these are {"optimizer": "ES"} and {}. With a name, those of the numbers that are called so.
    """
    return [said for own, said in _selections(tree, {}) if name in (None, own)]


def extreme(tree: ast.expr) -> str | None:
    """The word of an extreme over worlds, min or max of one argument; None where there is none."""
    calls = (call_of(node) for node in ast.walk(tree) if isinstance(node, ast.Call))
    alone = (call.name for call in calls if len(call.arguments) == 1 and not call.given)
    return next((name for name in alone if name in EXTREMES), None)


def _selections(node: ast.expr, said: Data) -> Iterator[Said]:
    """Those of a part of the tree, of which this much is said around it, with their names."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Call):  # ledger.gain[raw](moment=0.5)
        yield from _selections(node.func, said)
    elif isinstance(node, ast.Call):
        yield from _of_call(call_of(node), said)
    elif isinstance(node, ast.Name | ast.Attribute):
        name = ast.unparse(node)
        yield from () if name in CONSTANTS else ((name, said),)
    else:
        inner = (part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
        yield from (each for part in inner for each in _selections(part, said))


def _of_call(call: Call, said: Data) -> list[Said]:
    """Those of what is called with numbers; a call of none, as hit(0.1), is a number itself."""
    arguments, said = list(call.arguments), said | _chosen(call)
    if call.name == AT:
        arguments = arguments[:1]
    elif call.name in ALONG:
        arguments = arguments[:-1]
    inner = [each for part in arguments for each in _selections(part, said)]
    return inner or ([] if call.name in FUNCTIONS else [(call.name, said)])


def _chosen(call: Call) -> Data:
    """Word -> label, of what stands in brackets, or the axis of a word that goes along it."""
    if call.name in ALONG:
        return {ast.unparse(node): None for node in call.arguments[-1:]}
    if call.name != AT:
        return {}
    inner, *labels = call.arguments
    of = inner.func if isinstance(inner, ast.Call) else inner
    words = {} if ledger_name(of) else dict(zip(POSITIONS, labels, strict=False))
    return {word: _plain(node) for word, node in (words | dict(call.given)).items()}


def _plain(node: ast.expr) -> object:
    """A label as it is written; None of a formula."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name not in CONSTANTS:
            return name
    return None
