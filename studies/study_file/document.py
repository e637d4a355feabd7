"""A study file as plain data that remembers where everything stood, so that a mistake can be told by line and column.

Only plain YAML 1.2 is read: mappings, lists, text, numbers, true, false, null, and the merge key `<<`. A tag such as `!!python/object` is a mistake,
and so is a key given twice. Keys become text, so a label may look like a number; they are tidy (see `names.tidy`). What is written reads the same
under YAML 1.1, as PyYAML has it: there `1e-05` and `on` would be something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.representer import SafeRepresenter
from ruamel.yaml.resolver import implicit_resolvers

from studies.text.labels import paired, shown, tidy

Path = tuple[str | int, ...]
PREFIX = "tag:yaml.org,2002:"
MERGE = f"{PREFIX}merge"
NOTHING: Any = object()  # in place of what is not read
SCALARS = {f"{PREFIX}{tag}" for tag in ("str", "int", "float", "bool", "null")}


def mapping(value: object) -> dict[str, Any]:
    """The value where it is a mapping, else an empty one: what is wrong with it is told elsewhere."""
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class Mistake:
    """What is wrong at one place of a study."""

    path: Path
    text: str
    at_key: bool = False  # the key is wrong, not its value


@dataclass
class Document:
    """A study's data and where it came from.

    Args:
        name: what mistakes are reported in: the file's name as the user wrote it.
        data: mappings, lists and scalars.
        root: the YAML nodes, None for a study that is not a file.
        mistakes: found while reading.
        overridden: paths set from outside the file.
    """

    name: str
    data: Any
    root: Node | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    overridden: list[Path] = field(default_factory=list)

    def lines(self, mistakes: Iterable[Mistake]) -> list[str]:
        """One line per mistake, in the order of the file, at one place in the order in which they were found; each once."""
        placed = [
            (*self._place(m), self._outside(m.path), f"{dotted(m.path)}: " if m.path else "", m.text)
            for m in mistakes
        ]
        ordered = sorted(dict.fromkeys(placed), key=lambda found: found[:4])
        return [
            shown(f"{self._where(row, column, outside)} {head}{text}")
            for row, column, outside, head, text in ordered
        ]

    def _where(self, row: int, column: int, outside: bool) -> str:
        if outside:
            return "--set"
        return f"{self.name}:" if self.root is None else f"{self.name}:{row}:{column}:"

    def _outside(self, path: Path) -> bool:
        return any(path[: len(given)] == given for given in self.overridden)

    def _place(self, mistake: Mistake) -> tuple[int, int]:
        """Line and column from 1, of the nearest thing in the file."""
        if self.root is None or self._outside(mistake.path):
            return 1, 1
        node, mark = self.root, self.root.start_mark
        for depth, part in enumerate(mistake.path):
            found = _child(node, part)
            if found is None:
                break
            key, node = found
            last = depth == len(mistake.path) - 1
            missing_below = not last and _child(node, mistake.path[depth + 1]) is None
            mark = key.start_mark if (last and mistake.at_key) or missing_below else node.start_mark
        return (mark.line + 1, mark.column + 1) if mark else (1, 1)  # an empty file has no marks


def read(name: str, text: str) -> Document:
    """The document in a YAML text; what cannot be read is among its `mistakes`."""
    try:
        yaml = YAML(typ="safe", pure=True)
        root = yaml.compose(text)
    except YAMLError as error:
        return _unreadable(name, error)
    document = Document(name, None, root or ScalarNode(f"{PREFIX}null", ""))
    if root is not None:
        document.data = _construct(yaml, root, (), document.mistakes, ())
    return document


class _Writer(SafeRepresenter):
    """Numbers and texts that YAML 1.1 and 1.2 read alike."""

    def number(self, value: float) -> ScalarNode:
        text = str(super().represent_float(value).value)
        return self.represent_scalar(
            f"{PREFIX}float", text.replace("e", ".0e") if "e" in text and "." not in text else text
        )

    def text(self, value: str) -> ScalarNode:
        other = any(
            pattern.match(value) for _, tag, pattern, _ in implicit_resolvers if tag != f"{PREFIX}str"
        )
        return self.represent_scalar(
            f"{PREFIX}str", value, style="'" if other or value in ("y", "Y", "n", "N") else None
        )


_Writer.add_representer(float, _Writer.number)
_Writer.add_representer(str, _Writer.text)


def write(data: Any) -> str:  # noqa: ANN401
    """Plain data as YAML, which `read`, PyYAML and every reader of YAML 1.1 or 1.2 reads as the same data."""
    out, writer = StringIO(), YAML(typ="safe", pure=True)
    writer.default_flow_style, writer.sort_base_mapping_type_on_output, writer.allow_unicode = (
        False,
        False,  # type: ignore[assignment]
        True,
    )
    writer.Representer = _Writer
    writer.dump(data, out)
    return out.getvalue()


def from_mapping(data: Mapping[str, Any]) -> Document:
    """The document of a study given as a mapping."""
    document = Document("study", None)
    document.data = plain(data, document.mistakes)
    return document


def plain(value: Any, mistakes: list[Mistake] | None = None, path: Path = ()) -> Any:  # noqa: ANN401
    """A copy in which mappings are dicts with tidy text keys, and sequences lists.

    A key given twice is among the mistakes.
    """
    mistakes = [] if mistakes is None else mistakes
    if isinstance(value, Mapping):
        data: dict[str, Any] = {}
        for key, inner in value.items():
            name = tidy(str(key))
            if name in data:
                mistakes.append(Mistake((*path, name), f"given twice, again as {str(key)!r}", at_key=True))
            else:
                data[name] = plain(inner, mistakes, (*path, name))
        return data
    return (
        [plain(inner, mistakes, (*path, i)) for i, inner in enumerate(value)]
        if isinstance(value, (list, tuple))
        else value
    )


def value_of(text: str) -> Any:  # noqa: ANN401
    """One value written in YAML, as after `--set path=`.

    Raises:
        ValueError: it is not plain YAML.
    """
    document = read("", text)
    if document.mistakes:
        raise ValueError(document.mistakes[0].text)
    return None if text.strip() == "" else document.data


def dotted(path: Path) -> str:
    """`targets[1]`, `optimizers.sgd.learning_rate`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _unreadable(name: str, error: YAMLError) -> Document:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    root = ScalarNode(f"{PREFIX}null", "", start_mark=mark) if mark else None
    return Document(name, {}, root, [Mistake((), f"not YAML: {problem}")])


def _child(node: Node, part: str | int) -> tuple[Node, Node] | None:
    if isinstance(node, MappingNode):
        return next(
            ((key, value) for key, value in [*_own(node), *_merged(node)] if _name(key) == part), None
        )
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None


def _name(key: Node) -> str:
    return tidy(str(key.value)) if isinstance(key, ScalarNode) else ""


def _own(node: MappingNode) -> list[tuple[Node, Node]]:
    """The pairs that a mapping itself has."""
    return [(key, value) for key, value in node.value if str(key.tag) != MERGE]


def _bases(node: MappingNode) -> list[tuple[Node, Node]]:
    """(key, mapping) for each mapping that `<<` merges into this one, in the order in which they count."""
    found = [(key, value) for key, value in node.value if str(key.tag) == MERGE]
    return [
        (key, base)
        for key, value in found
        for base in (value.value if isinstance(value, SequenceNode) else [value])
    ]


def _merged(node: MappingNode, above: tuple[int, ...] = ()) -> Iterator[tuple[Node, Node]]:
    """The pairs that `<<` brings, those that count first."""
    for _, base in _bases(node):
        if isinstance(base, MappingNode) and id(base) not in above:
            yield from _own(base)
            yield from _merged(base, (*above, id(base)))


def _construct(yaml: YAML, node: Node, path: Path, mistakes: list[Mistake], above: tuple[int, ...]) -> Any:  # noqa: ANN401
    if id(node) in above:
        mistakes.append(Mistake(path, "an alias that contains itself"))
        return NOTHING
    above = (*above, id(node))
    if isinstance(node, SequenceNode) and str(node.tag) == f"{PREFIX}seq":
        items = (_construct(yaml, inner, (*path, i), mistakes, above) for i, inner in enumerate(node.value))
        return [item for item in items if item is not NOTHING]
    if isinstance(node, MappingNode) and str(node.tag) == f"{PREFIX}map":
        return _mapping(yaml, node, path, mistakes, above)
    if isinstance(node, ScalarNode) and str(node.tag) in SCALARS:
        value = yaml.constructor.construct_object(node)
        return paired(value) if isinstance(value, str) else value
    if isinstance(node, ScalarNode) and str(node.tag) == f"{PREFIX}timestamp":
        return node.value
    mistakes.append(
        Mistake(path, f"the tag {str(node.tag).replace(PREFIX, '!!')} is not read; only plain YAML is")
    )
    return NOTHING


def _mapping(
    yaml: YAML, node: MappingNode, path: Path, mistakes: list[Mistake], above: tuple[int, ...]
) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, value in _own(node):
        name = _name(key)
        if not name:
            mistakes.append(Mistake(path, "a key must be one word"))
        elif name in data:
            mistakes.append(
                Mistake((*path, name), f"given twice, again in line {key.start_mark.line + 1}", at_key=True)
            )
        else:
            data[name] = _construct(yaml, value, (*path, name), mistakes, above)
    for _, base in _bases(node):
        if not isinstance(base, MappingNode) or str(base.tag) != f"{PREFIX}map":
            mistakes.append(Mistake(path, "<<: expected a mapping, *ALIAS or a list of them"))
        elif id(base) in above:
            mistakes.append(Mistake(path, "an alias that contains itself"))
    for key, value in _merged(node, above):
        name = _name(key)
        if name and name not in data:
            data[name] = _construct(yaml, value, (*path, name), mistakes, above)
    return {name: value for name, value in data.items() if value is not NOTHING}
