"""How much a YAML text stands for, its aliases written out: a few lines may stand for billions of values."""

from __future__ import annotations

import math

from ruamel.yaml.nodes import Node, ScalarNode

MOST = 2_000_000  # values that a study may hold


def is_huge(root: Node | None) -> bool:
    """Whether a text stands for more values than a study may hold; what holds itself does."""
    return root is not None and _size(root, {}) > MOST


def _size(node: Node, sizes: dict[int, float]) -> float:
    """The values in a node, each alias counted anew.

    Args:
        node: of the text.
        sizes: of the nodes that were counted; inf of those that are being counted.
    """
    if isinstance(node, ScalarNode):
        return 1
    if id(node) not in sizes:
        sizes[id(node)] = math.inf
        inner = (part for item in node.value for part in (item if isinstance(item, tuple) else (item,)))
        sizes[id(node)] = 1 + sum(_size(part, sizes) for part in inner)
    return sizes[id(node)]
