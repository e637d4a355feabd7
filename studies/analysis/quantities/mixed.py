"""Whether a quantity puts a number of each world beside one of all, before there are results."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable

from studies.analysis.quantities import along, distance, summaries
from studies.analysis.quantities.functions import EXTREMES, FUNCTIONS
from studies.analysis.quantities.grammar import AT
from studies.analysis.quantities.ledger import HEAD, POOLED
from studies.analysis.quantities.question import Call, call_of
from studies.text.formulas import PATH

EACH, ALL = "each", "all"
BOTH = frozenset({EACH, ALL})
NONE: frozenset[str] = frozenset()  # a number of the settings, or what is not known
OF_WORLDS = ("hit", "best_hit", "first", "rate")
OF_ALL = {"ert", "distance", *along.WORDS, *summaries.WORDS}
OVER_TIME = {summaries.SINCE}


def is_mixed(tree: ast.expr, recorded: Container[str]) -> bool:
    """Whether a number of each world stands somewhere beside one of all worlds.

    Args:
        tree: of a quantity.
        recorded: variables of every world.
    """
    return _whose(tree, recorded) == BOTH


def _whose(node: ast.expr, recorded: Container[str]) -> frozenset[str]:
    """Of which worlds a part of the tree is."""
    match node:
        case ast.Call(func=ast.Call() as timed):  # ledger.gain[raw](moment=0.5)
            return _whose(timed, recorded)
        case ast.Call():
            return _of_call(call_of(node), recorded)
        case ast.Name() | ast.Attribute():
            return _of_name(ast.unparse(node), recorded)
    inner = (part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
    return _of_parts(inner, recorded)


def _of_parts(parts: Iterable[ast.expr], recorded: Container[str]) -> frozenset[str]:
    return NONE.union(*(_whose(part, recorded) for part in parts))


def _of_name(name: str, recorded: Container[str]) -> frozenset[str]:
    if name.startswith(HEAD):
        return frozenset({ALL if name.removeprefix(HEAD) in POOLED else EACH})
    return frozenset({EACH}) if name in recorded else NONE


def _of_call(call: Call, recorded: Container[str]) -> frozenset[str]:
    """That of a word with what stands in its parentheses."""
    if call.name == PATH or call.name in distance.WORDS:
        return frozenset({ALL}) if call.name == "distance" else NONE
    if call.name in OF_WORLDS:
        return frozenset({EACH})
    if call.name == AT or call.given.keys() == OVER_TIME:
        return _whose(call.arguments[0], recorded)
    if call.name in OF_ALL or (call.name in EXTREMES and len(call.arguments) == 1):
        inner = [_whose(part, recorded) for part in call.arguments]
        return BOTH if BOTH in inner else frozenset({ALL})
    if call.name in FUNCTIONS:
        return _of_parts(call.arguments, recorded)
    return _of_name(call.name, recorded)  # loss(start)
