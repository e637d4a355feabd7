"""Formulas that YAML cut at their commas, since they stand inside of { } or [ ] without quotes.

{learning_rate: min(1, 2 / condition)}      learning_rate: "min(1", and a key "2 / condition)" without a value
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ruamel.yaml.error import MarkedYAMLError, StreamMark
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

BRACKETS = (
    "but got '['",
    "but got '{'",
)  # the end of what the reader of YAML says of a bracket in a text

INDENTED = {  # what the reader of YAML says first -> what may be meant
    "expected <block end>": "; the lines of one mapping begin at one column, with spaces alone",
    "mapping values are not allowed here": "; does this line begin too far right, or need a text quotes?",
}


class Cut(NamedTuple):
    """A formula in pieces."""

    first: int  # the number of its first piece in its mapping or list
    last: int
    text: str  # the whole

    def mistake(self, key: str = "") -> str:
        """What is said of it, at the place of its first piece."""
        written = f'{key}: "{self.text}"' if key else f'"{self.text}"'
        return f"a text with a comma needs quotes inside of {{ }} and [ ]: {written}"


def cuts(node: Node) -> list[Cut]:
    """The formulas of a mapping or a list that were cut."""
    if not getattr(node, "flow_style", False):
        return []
    if isinstance(node, SequenceNode):
        plain = [_plain(item) for item in node.value]
        return [*_cuts(plain, plain)]
    if isinstance(node, MappingNode):
        alone = [_plain(key) if _empty(value) else None for key, value in node.value]
        return [*_cuts([_plain(value) for _, value in node.value], alone)]
    return []


def _cuts(begins: Sequence[str | None], goes_on: Sequence[str | None]) -> Iterator[Cut]:
    """Where a text with an open bracket is closed by the next.

    Args:
        begins: texts that may be first pieces; None where there is none.
        goes_on: texts that may be further pieces, at the same places.
    """
    for first, text in enumerate(begins):
        last, whole = first, text or ""
        while _open(whole) and last + 1 < len(goes_on) and goes_on[last + 1] is not None:
            last += 1
            whole = f"{whole}, {goes_on[last]}"
        if last > first and not _open(whole):
            yield Cut(first, last, whole)


def _open(text: str) -> bool:
    return text.count("(") > text.count(")")


def _plain(node: Node) -> str | None:
    """The text of a scalar without quotes."""
    return str(node.value) if isinstance(node, ScalarNode) and node.style is None else None


def _empty(node: Node) -> bool:
    return _plain(node) == ""


def bracket(problem: str) -> str:
    """What is said where the reader of YAML met a bracket in a text; empty where it did not."""
    met = problem.endswith(BRACKETS)
    return "; inside of { } and [ ] a text with a bracket needs quotes" if met else ""


def unread(error: MarkedYAMLError) -> tuple[StreamMark | None, str]:
    """Where a text is no YAML, and what is wrong there, with what may be meant by it."""
    began, mark, problem = error.context_mark, error.problem_mark, str(error.problem)
    context = error.context or ""
    if "quoted" in context and began:
        return began, "expected closing quotes, found none"
    if "flow" in context and began and mark and began.line < mark.line and not bracket(problem):
        return mark, f"{problem}; is the bracket of line {began.line + 1} closed?"
    return mark, f"{problem}{bracket(problem) or INDENTED.get(problem.split(',')[0], '')}"
