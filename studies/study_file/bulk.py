"""How much a YAML text stands for, its aliases written out: a few lines may stand for billions of values."""

from __future__ import annotations

from ruamel.yaml.nodes import Node, ScalarNode

MOST = 2_000_000  # values that a study may hold


class ContainsItself(ValueError):
    """A node has an alias of itself within."""

    def __init__(self, node: Node) -> None:
        super().__init__("an alias that contains itself")
        self.node = node


def is_huge(root: Node | None) -> bool:
    """Whether a text stands for more values than a study may hold.

    Raises:
        ContainsItself: it has no end.
    """  # noqa: DOC502
    return root is not None and _size(root, {}) > MOST


def _size(node: Node, sizes: dict[int, int]) -> int:
    """The values in a node, each alias counted anew.

    Args:
        node: of the text.
        sizes: of the nodes that were counted; 0 of those that are being counted.
    """
    if isinstance(node, ScalarNode):
        return 1
    if sizes.get(id(node)) == 0:
        raise ContainsItself(node)
    if id(node) not in sizes:
        sizes[id(node)] = 0
        inner = (part for item in node.value for part in (item if isinstance(item, tuple) else (item,)))
        sizes[id(node)] = 1 + sum(_size(part, sizes) for part in inner)
    return sizes[id(node)]
