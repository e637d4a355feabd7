"""A quantity part by part: what each is made of, and whose it says that it is. All trees are walked here."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from studies.analysis.quantities import distance, fits
from studies.analysis.quantities.along import ARGUMENTS as ALONG
from studies.analysis.quantities.functions import EXTREMES, FUNCTIONS
from studies.analysis.quantities.grammar import AT
from studies.analysis.quantities.question import HEADS, Call, call_of
from studies.analysis.quantities.summaries import SINCE
from studies.analysis.quantities.vocabulary import ALL, EACH, WORDS
from studies.analysis.quantities.whose import POSITIONS, instrument_name
from studies.text.formulas import CONSTANTS
from studies.text.shapes import Data

BARE = ("clock", "start")  # what a word in parentheses may be, beside the clocks


class Part(NamedTuple):
    """A number, a word that is called with numbers, or an operation on numbers.

    Args:
        name: of the number, or of what is called; empty: an operation.
        called: whether it is called: a word, a function, or a number at a time, loss(start), or over times.
        inner: the numbers that it is made of.
        aside: plain numbers at its labels and keywords, loss(cost=2 * dim), and the axis that it goes along.
        said: word (optimizer, landscape, an axis) -> label, of what stands in its brackets; None of an axis
            that it goes along, or of a formula.
        bound: the name that stands for the first of `inner` in the others: x in distance(theta, exp(-x)).
        over_time: whether it is over the checkpoints of each world, mean(loss, since=0.5).
    """

    name: str
    called: bool = False
    inner: Sequence[ast.expr] = ()
    aside: Sequence[ast.expr] = ()
    said: Data = {}  # noqa: RUF012
    bound: str = ""
    over_time: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it is a number of the results or of their settings, where it is made of none."""
        return bool(self.name) and self.name not in CONSTANTS and self.name not in FUNCTIONS

    @property
    def is_extreme(self) -> bool:
        """Whether it is the least or the largest of all worlds."""
        return self.called and self.name in EXTREMES and len(self.inner) == 1 and not self.over_time

    @property
    def is_function(self) -> bool:
        """Whether it is a function of numbers, such as sqrt, or max of two."""
        return self.called and self.name in FUNCTIONS and not self.is_extreme

    @property
    def is_word(self) -> bool:
        """Whether it is one of the words of quantities, called."""
        return self.called and self.name in WORDS and not self.is_function


def part(node: ast.expr) -> Part:
    """What a node of the tree is."""
    match node:
        case ast.Call(func=ast.Call() as timed):  # ledger.gain[raw](moment=0.5)
            own = part(timed)
            return own._replace(aside=[*own.aside, *_aside(call_of(node))])
        case ast.Call():
            return _of_call(call_of(node))
        case ast.Name() | ast.Attribute():
            return Part(ast.unparse(node))
    return Part("", inner=[each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)])


def walk(node: ast.expr) -> Iterator[Part]:
    """All parts of a tree, the outer ones first; without what stands for the values of a density."""
    own = part(node)
    yield own
    for place, inner in enumerate((*own.inner, *own.aside)):
        bound = own.bound if place else ""
        yield from (each for each in walk(inner) if not each.name or each.name != bound)


def calls(tree: ast.expr) -> Iterator[Call]:
    """All that is called in a tree, with what stands in its parentheses."""
    return (call_of(node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def names_of_worlds(node: ast.expr) -> bool:
    """Whether a density in it says `x` of the values of worlds."""
    own = part(node)
    said = [each.name for inner in own.inner[1:] for each in walk(inner)] if own.bound else []
    return own.bound in said or any(names_of_worlds(each) for each in (*own.inner, *own.aside))


def _of_call(call: Call) -> Part:
    if call.name == AT:
        return _selected(call)
    if call.name in ALONG:
        inner, axis = call.arguments[:-1], call.arguments[-1:]
        return Part(call.name, True, inner, axis, {ast.unparse(each): None for each in axis})
    if call.name in fits.WORDS:
        return _fitted(call)
    numbers = [each for each in call.arguments if ast.unparse(each) not in BARE]
    return Part(
        call.name,
        called=True,
        inner=numbers,
        aside=_aside(call),
        bound=distance.OTHER_NAME if call.name in distance.WORDS else "",
        over_time=call.given.keys() == {SINCE},
    )


def _fitted(call: Call) -> Part:
    """What a formula is fitted to, along an axis; the formula has names of its own."""
    of, axis, values = fits.observed(call)
    return Part(call.name, True, of, [*axis, *values], {ast.unparse(each): None for each in axis})


def _selected(call: Call) -> Part:
    """What stands before brackets, with what they say; of an instrument its number."""
    inner, *labels = call.arguments
    of = inner.func if isinstance(inner, ast.Call) else inner
    of_instrument = bool(instrument_name(of))
    words = {} if of_instrument else dict(zip(POSITIONS, labels, strict=False))
    said = {word: _label(given) for word, given in (words | dict(call.given)).items()}
    aside = [*(given for given in labels if not isinstance(given, ast.Name)), *_aside(call)]
    if of_instrument:
        return Part(ast.unparse(of), aside=[*part(inner).aside, *aside], said=said)
    return Part(AT, True, [inner], aside, said)


def _aside(call: Call) -> list[ast.expr]:
    """What stands behind keywords, and is no word."""
    return [given for given in call.given.values() if not isinstance(given, ast.Name)]


def _label(node: ast.expr) -> object:
    """A label as it is written; None of a formula."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name not in CONSTANTS:
            return name
    return None


# of whole quantities ----------------------------------------------------------------------------------------


def selections(tree: ast.expr, name: str | None = None) -> list[Data]:
    """What each number of a quantity says of itself: word (optimizer, landscape, an axis) -> label.

    Of an axis that it goes along, or whose value is a formula, the label is None. Of `loss["ES"] - loss`
    these are {"optimizer": "ES"} and {}. With a name, those of the numbers that are called so.
    """
    return [each.said for each in _numbers(tree, {}) if name in (None, each.name)]


def at_checkpoints(tree: ast.expr, recorded: Sequence[str]) -> list[Data]:
    """What the recorded numbers of a quantity that are neither at a time nor over times say of themselves.

    Args:
        tree: of a quantity.
        recorded: names of what is recorded.
    """
    return [each.said for each in _numbers(tree, {}) if each.name in recorded and not each.called]


def _numbers(node: ast.expr, around: Data) -> Iterator[Part]:
    """Those of a part of the tree, of which this much is said around it."""
    own = part(node)
    said = around | own.said
    inner = [each for number in own.inner for each in _numbers(number, said)]
    if own.over_time:
        inner = [each._replace(called=True) for each in inner]
    yield from inner or ([own._replace(said=said)] if own.is_number else [])


def extreme(tree: ast.expr) -> str | None:
    """The word of an extreme over worlds, min or max of one argument; None where there is none."""
    return next((each.name for each in walk(tree) if each.is_extreme), None)


def is_smooth(tree: ast.expr) -> bool:
    """Whether it is smooth in the worlds, so that the jackknife knows its error."""
    return all(WORDS[each.name].smooth for each in walk(tree) if each.is_word)


BOTH = frozenset({EACH, ALL})
NEITHER: frozenset[str] = frozenset()  # a number of the settings, or what is not known


def is_mixed(tree: ast.expr, recorded: Sequence[str]) -> bool:
    """Whether a number of each world stands somewhere beside one of all worlds.

    Args:
        tree: of a quantity.
        recorded: variables of every world.
    """
    return _whose(tree, recorded) == BOTH


def _whose(node: ast.expr, recorded: Sequence[str]) -> frozenset[str]:
    """Of which worlds a part of the tree is."""
    own = part(node)
    inner = [_whose(each, recorded) for each in own.inner]
    if own.is_word and not own.over_time:
        of = WORDS[own.name].of
        return BOTH if of == ALL and BOTH in inner and not own.bound else frozenset({of} - {""})
    if own.name.startswith(HEADS):
        return frozenset({WORDS[own.name].of if own.name in WORDS else EACH})
    if own.name in recorded:
        return frozenset({EACH})
    return NEITHER.union(*inner)
