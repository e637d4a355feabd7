"""A study file as plain data that remembers where everything stood.

So a mistake is told by line and column. Only plain YAML 1.2 is read: mappings, lists, text, numbers, true,
false, null, and the merge key `<<`. A tag such as `!!python/object` is a mistake, and so is a key given
twice. Keys become text, so a label may look like a number; they are tidy (see `labels.tidy`). What is
written reads the same under YAML 1.1, as PyYAML has it: there `1e-05` and `on` would be something else.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.error import MarkedYAMLError, StreamMark
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.representer import SafeRepresenter
from ruamel.yaml.resolver import implicit_resolvers

from studies.study_file.bulk import MOST, ContainsItself, is_huge
from studies.study_file.flow import cuts, unread
from studies.text.labels import paired, shown, tidy
from studies.text.shapes import Data, Json, Named

Path = tuple[str | int, ...]
PREFIX = "tag:yaml.org,2002:"
MERGE = f"{PREFIX}merge"
NOTHING = object()  # in place of what is not read
LARGEST = 2**63 - 1  # whole number
SCALARS = ("str", "int", "float", "bool", "null", "timestamp")


def mapping(value: object) -> Data:
    """The value where it is a mapping, else an empty one: what is wrong with it is told elsewhere."""
    return value if isinstance(value, dict) else {}


def mapping_at(path: Iterable[str], data: Data) -> Data:
    """What stands at a path, where it is a mapping, else an empty one."""
    for part in path:
        data = mapping(data.get(part))
    return data


def inside(data: Json, part: str | int) -> Json:
    """What stands at one key of a mapping, or at one place of a list."""
    return data[part]


def moved(path: Path, old: Path, new: Path) -> Path | None:
    """A path that begins with `old`, beginning with `new` in its place; None of any other path."""
    return (*new, *path[len(old) :]) if path[: len(old)] == old else None


@dataclass(frozen=True)
class Mistake:
    """What is wrong at one place of a study."""

    path: Path
    text: str
    at_key: bool = False  # the key is wrong, not its value


TOO_DEEP = Mistake((), "lists and mappings are nested too deeply to be read")
TOO_LARGE = Mistake(
    (), f"its aliases (*name) stand for more than the {MOST:,} values that a study may hold"
)


class Mistaken(Exception):
    """Mistakes that end the reading of some part of a study."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__("; ".join(mistake.text for mistake in mistakes))
        self.mistakes = mistakes


def first_of(*checks: Iterable[Mistake]) -> list[Mistake]:
    """The mistakes of the first check that has any: later ones take for granted what it looks at."""
    return next(filter(None, map(list, checks)), [])


def beyond(data: Json, path: Path = ()) -> Iterator[Mistake]:
    """Whole numbers of more than 64 bits, which nothing here can hold.

    Args:
        data: of a study.
        path: to it.
    """
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from beyond(value, (*path, key))
    elif isinstance(data, int) and abs(data) > LARGEST:
        yield Mistake(
            path, f"expected a whole number of at most {LARGEST:g}, got one of {_digits(data)} digits"
        )


def _digits(number: int) -> int:
    return math.floor(abs(number).bit_length() * math.log10(2)) + 1


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
    data: Json
    root: Node | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    overridden: list[Path] = field(default_factory=list)

    def lines(self, mistakes: Iterable[Mistake]) -> list[str]:
        """One line per mistake, each once.

        In the order of the file; at one place in the order in which they were found. What could not be read
        is not missing too.
        """
        unread = {mistake.path for mistake in self.mistakes}
        shown = [
            mistake
            for mistake in mistakes
            if mistake.path not in unread or not mistake.text.startswith("missing")
        ]
        keys = {mistake: self._order(mistake) for mistake in shown}
        return [*dict.fromkeys(self._line(mistake) for mistake in sorted(keys, key=keys.__getitem__))]

    def _order(self, mistake: Mistake) -> tuple[int, int, bool, str]:
        return *self._place(mistake), self._outside(mistake.path), _head(mistake)

    def _line(self, mistake: Mistake) -> str:
        where = f"{self.name}:"
        if self._outside(mistake.path):
            where = "--set"
        elif self.root is not None:
            row, column = self._place(mistake)
            where = f"{self.name}:{row}:{column}:"
        return shown(f"{where} {_head(mistake)}{mistake.text}")

    def _outside(self, path: Path) -> bool:
        return any(path[: len(given)] == given for given in self.overridden)

    def _place(self, mistake: Mistake) -> tuple[int, int]:
        """Line and column from 1, of the nearest thing in the file."""
        if self.root is None or self._outside(mistake.path):
            return 1, 1
        key = node = self.root
        whole = True  # the path leads to something
        for part in mistake.path:
            pair = _child(node, part)
            if pair is None:
                whole = False
                break
            key, node = pair
        mark = (node if whole and not mistake.at_key else key).start_mark
        return (mark.line + 1, mark.column + 1) if mark else (1, 1)  # an empty file has no marks


def _head(mistake: Mistake) -> str:
    return f"{dotted(mistake.path)}: " if mistake.path else ""


@functools.lru_cache(maxsize=128)
def _composed(text: str) -> Node | None:
    """The nodes of a YAML text, which nobody changes: the same file is read again and again."""
    return YAML(typ="safe", pure=True).compose(text)


def read(name: str, text: str) -> Document:
    """The document in a YAML text; what cannot be read is among its `mistakes`."""
    reader = _Reader()
    try:
        root = _composed(text)
        if is_huge(root):
            return Document(name, {}, None, [TOO_LARGE])
        data = None if root is None else reader.value(root, ())
    except YAMLError as error:
        return _unreadable(name, error)
    except ContainsItself as error:
        return _wrong_at(name, error.node.start_mark, str(error))
    except RecursionError:
        return Document(name, {}, None, [TOO_DEEP])
    if root is None:
        return Document(name, None, ScalarNode(f"{PREFIX}null", ""))
    return Document(name, data, root, reader.mistakes)


class _Writer(SafeRepresenter):
    """Numbers and texts that YAML 1.1 and 1.2 read alike."""

    def number(self, value: float) -> ScalarNode:
        text = str(super().represent_float(value).value)
        if "." not in text:
            text = text.replace("e", ".0e")
        return self.represent_scalar(f"{PREFIX}float", text)

    def text(self, value: str) -> ScalarNode:
        others = (pattern for _, tag, pattern, _ in implicit_resolvers if tag != f"{PREFIX}str")
        quoted = value in ("y", "Y", "n", "N") or any(pattern.match(value) for pattern in others)
        return self.represent_scalar(f"{PREFIX}str", value, style="'" if quoted else None)


_Writer.add_representer(float, _Writer.number)
_Writer.add_representer(str, _Writer.text)


def write(data: object) -> str:
    """Plain data as YAML, which `read`, PyYAML and every reader of YAML 1.1 or 1.2 reads as the same data."""
    out, writer = StringIO(), YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.allow_unicode = True
    writer.Representer = _Writer
    writer.dump(data, out)
    return out.getvalue()


def from_mapping(data: Named) -> Document:
    """The document of a study given as a mapping."""
    document = Document("study", None)
    try:
        document.data = plain(data, document.mistakes)
    except RecursionError:
        document.data, document.mistakes = {}, [TOO_DEEP]
    return document


def plain(value: object, mistakes: list[Mistake] | None = None, path: Path = ()) -> Json:
    """A copy in which mappings are dicts with tidy text keys, and sequences lists.

    A key given twice is among the mistakes.
    """
    mistakes = [] if mistakes is None else mistakes
    if isinstance(value, list | tuple):
        return [plain(inner, mistakes, (*path, i)) for i, inner in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    data: Data = {}
    for key, inner in value.items():
        name = tidy(str(key))
        if name in data:
            mistakes.append(Mistake((*path, name), f"given twice, again as {str(key)!r}", at_key=True))
        else:
            data[name] = plain(inner, mistakes, (*path, name))
    return data


def value_of(text: str) -> Json:
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
    mark, problem = None, str(error).splitlines()[0]
    if isinstance(error, MarkedYAMLError) and error.problem:
        mark, problem = unread(error)
    return _wrong_at(name, mark, f"not YAML: {problem}")


def _wrong_at(name: str, mark: StreamMark | None, text: str) -> Document:
    """A document of which nothing is read, and where that is."""
    root = ScalarNode(f"{PREFIX}null", "", start_mark=mark) if mark else None
    return Document(name, {}, root, [Mistake((), text)])


def _child(node: Node, part: str | int) -> tuple[Node, Node] | None:
    """The key and the value at one part of a path."""
    if isinstance(node, MappingNode):
        pairs = (*_own(node), *_merged(node))
        return next(((key, value) for key, value in pairs if _name(key) == part), None)
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None


def _name(key: Node) -> str:
    return tidy(str(key.value)) if isinstance(key, ScalarNode) else ""


def _own(node: MappingNode) -> list[tuple[Node, Node]]:
    """The pairs that a mapping itself has."""
    return [(key, value) for key, value in node.value if str(key.tag) != MERGE]


def _bases(node: MappingNode) -> list[Node]:
    """What `<<` merges into a mapping, in the order in which they count."""
    merged = [value for key, value in node.value if str(key.tag) == MERGE]
    return [
        base
        for value in merged
        for base in (value.value if isinstance(value, SequenceNode) else [value])
    ]


def _merged(node: MappingNode) -> Iterator[tuple[Node, Node]]:
    """The pairs that `<<` brings, those that count first."""
    for base in _bases(node):
        if isinstance(base, MappingNode):
            yield from _own(base)
            yield from _merged(base)


class _Reader:
    """Makes plain data of YAML nodes; what is not plain is among its mistakes."""

    def __init__(self) -> None:
        self.yaml = YAML(typ="safe", pure=True)
        self.mistakes: list[Mistake] = []

    def value(self, node: Node, path: Path) -> Json:
        """The data of a node at a path; NOTHING where it is not read."""
        _, _, kind = str(node.tag).partition(PREFIX)
        if isinstance(node, SequenceNode) and kind == "seq":
            return self._list(node, path)
        if isinstance(node, MappingNode) and kind == "map":
            return self._mapping(node, path)
        if isinstance(node, ScalarNode) and kind in SCALARS:
            return self._scalar(node, kind)
        self._wrong(
            path, f"the tag {str(node.tag).replace(PREFIX, '!!')} is not read; only plain YAML is"
        )
        return NOTHING

    def _list(self, node: SequenceNode, path: Path) -> list[Json]:
        pieces = cuts(node)
        for cut in pieces:
            self._wrong((*path, cut.first), cut.mistake())
        if pieces:
            return []
        items = [self.value(inner, (*path, i)) for i, inner in enumerate(node.value)]
        return [item for item in items if item is not NOTHING]

    def _scalar(self, node: ScalarNode, kind: str) -> object:
        if kind == "timestamp":
            return node.value
        value = self.yaml.constructor.construct_object(node)
        return paired(value) if isinstance(value, str) else value

    def _mapping(self, node: MappingNode, path: Path) -> Data:
        data: Data = {}
        pieces = self._pieces(node, path)
        for key, value in _own(node):
            name = _name(key)
            if id(key) in pieces:
                continue
            if not name:
                self._wrong(path, "a key must be one word")
            elif name in data:
                line = key.start_mark.line + 1
                self._wrong((*path, name), f"given twice, again in line {line}", at_key=True)
            else:
                data[name] = self.value(value, (*path, name))
        self._check_bases(node, path)
        for key, value in _merged(node):
            name = _name(key)
            if name and name not in data:
                data[name] = self.value(value, (*path, name))
        return {name: value for name, value in data.items() if value is not NOTHING}

    def _pieces(self, node: MappingNode, path: Path) -> set[int]:
        """The ids of keys that are pieces of formulas, or have such values; a mistake for each formula."""
        pieces: set[int] = set()
        for cut in cuts(node):
            keys = [key for key, _ in node.value[cut.first : cut.last + 1]]
            pieces.update(map(id, keys))
            self._wrong((*path, _name(keys[0])), cut.mistake(_name(keys[0])))
        return pieces

    def _check_bases(self, node: MappingNode, path: Path) -> None:
        for base in _bases(node):
            if not isinstance(base, MappingNode) or str(base.tag) != f"{PREFIX}map":
                self._wrong(path, "<<: expected a mapping, *ALIAS or a list of them")

    def _wrong(self, path: Path, text: str, *, at_key: bool = False) -> None:
        self.mistakes.append(Mistake(path, text, at_key))
