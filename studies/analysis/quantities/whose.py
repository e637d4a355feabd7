"""Whose a number is: x["ES"], x["ES", "bowl"], x[mutation="off", B=8], p[p_index=2], in the same worlds."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping

from studies.analysis.comparison.paired import same_worlds
from studies.analysis.quantities import ledger
from studies.analysis.quantities.question import HEADS, Call, Question
from studies.analysis.quantities.values import Value
from studies.text.formulas import CONSTANTS
from studies.text.schema import PLACES, RECORDS
from studies.text.words import short, suggest

POSITIONS = ("optimizer", "landscape")  # what labels without a keyword mean


def chosen(question: Question, call: Call) -> Value:
    """What is meant, of some of the results."""
    inner, *labels = call.arguments
    if isinstance(inner, ast.Call) and instrument_name(inner.func):
        question, inner = question.timed(inner), inner.func
    name = instrument_name(inner)
    if name:
        return _of_instrument(question, name, labels, call.given)
    if len(labels) > len(POSITIONS):
        question.refuse("expected [OPTIMIZER], [OPTIMIZER, LANDSCAPE] or [AXIS=VALUE]")
    along = _dim_of_vector(question, inner)
    if along and any(isinstance(label(question, node), int) for node in labels):
        question.refuse(f"{ast.unparse(inner)} is a vector; write [{along}={ast.unparse(labels[0])}]")
    for word, node in (dict(zip(POSITIONS, labels, strict=False)) | dict(call.given)).items():
        question = at(question, along if word == along else dim_of(question, word), node)
    return question.value(inner)


def _dim_of_vector(question: Question, inner: ast.expr) -> str:
    """The dim along which the numbers of a recorded vector lie; nothing of others."""
    dim = f"{ast.unparse(inner)}{PLACES}"
    return dim if dim in question.dataset.dims else ""


def instrument_name(node: ast.expr) -> str:
    """The name of what an instrument says, as ledger.gain or timing.least; nothing of other names."""
    name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
    return name if name.startswith(HEADS) else ""


def _of_instrument(
    question: Question, name: str, labels: list[ast.expr], given: Mapping[str, ast.expr]
) -> Value:
    """ledger.gain[raw], ledger.gain[raw, optimizer="ES"], timing.least[processor, n=8]."""
    inner = (*ledger.INNER, "scale") if name.startswith(ledger.HEAD) else ()
    own = {word: node for word, node in given.items() if word in inner}
    for word in given.keys() - own:
        question = at(question, dim_of(question, word), given[word])
    said = [label(question, node) for node in labels]
    keywords = {word: label(question, node) for word, node in own.items()}
    return question.told(name, said, keywords)


def at(question: Question, dim: str, node: ast.expr) -> Question:
    """The same question at one place of a dim, without it."""
    if dim == "optimizer":
        same_worlds(question.dataset)
    return at_number(question, dim, place_of(question, dim, label(question, node)))


def at_number(question: Question, dim: str, number: int) -> Question:
    """The same question at a place, by its number along a dim."""
    data = question.dataset
    where = question.where | {dim: data[dim].values.tolist()[number]}
    chosen = data.isel({dim: number}).drop_vars(dim)  # what becomes one number there, as terms, stays
    return question.of(dataset=chosen, where=where)


def dim_of(question: Question, word: str) -> str:
    """The dim of arms that a word means: of a path, as noise.batch, the whole, with _ for its dots.

    Raises:
        ValueError: there is none.
    """  # noqa: DOC502
    dims = [str(dim) for dim in question.dataset["status"].dims if dim not in RECORDS]
    words = {re.sub(r"\W", "_", dim): dim for dim in dims} | {dim: dim for dim in dims}
    if word not in words:
        question.refuse(f"unknown axis {word!r}; {suggest(word, words)}")
    return words[word]


def label(question: Question, node: ast.expr) -> object:
    """A text, in quotes or a bare word, or a number."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id not in CONSTANTS:
        return node.id
    return question.value(node)


def place_of(question: Question, dim: str, wanted: object) -> int:
    """Where a label, or a number, is along a dim of the results."""
    there = question.dataset[dim].values.tolist()
    same = [i for i, name in enumerate(there) if name == wanted or _close(name, wanted)]
    texts = [short(name) for name in there if not isinstance(name, str)]
    if not same and wanted in texts:
        question.refuse(f"expected a number, got the text {wanted!r}; write [{dim}={wanted}]")
    if not same:
        question.refuse(f"unknown {dim} {wanted!r}; {suggest(str(wanted), map(str, there))}")
    return same[0]


def _close(label: object, wanted: object) -> bool:
    """Whether two numbers are the same but for rounding."""
    numbers = isinstance(label, int | float) and isinstance(wanted, int | float)
    return numbers and math.isclose(label, wanted, rel_tol=1e-9)  # type: ignore[arg-type]
