"""A digest of the code that computes a cell: equal where only comments, docstrings or layout differ.

It covers the syntax trees of the given modules and of all that they import (the closure), installed libraries
left out. Two imports end there: those for type checkers, which run nothing, and those of a floor's
`__init__`, whose registry would tie every landscape and optimizer to every other. A name that such an
`__init__` passes on leads to the module it comes from; a plugin that takes a whole registry depends on all of
it.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeGuard

from studies.text.user_code import LIBRARIES, PACKAGES, ROOT

LOOP = "studies.cells.loop"  # what every cell runs through


@functools.cache
def code_digest(modules: tuple[str, ...], root: Path = ROOT) -> str:
    """Digest of these modules and of what they import; as the files were when first asked.

    Args:
        modules: dotted names: of this project, or of a plugin that is already imported.
        root: the folder that holds our packages.

    Returns:
        64 hexadecimal digits.

    Raises:
        ValueError: a module has no source file.
    """
    lines = []
    for name in sorted(closure(modules, root)):
        path = _file(name, root)
        if path is None:
            raise ValueError(f"digest: module {name!r} has no source file")
        lines.append(f"{name} {_tree(path)[0]}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def closure(modules: Iterable[str], root: Path = ROOT) -> set[str]:
    """These modules, and all whose code they run (see `code_digest`)."""
    names: set[str] = set()
    waiting = [*modules]
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            waiting += (_next_of_ours if _ours(name) else _next)(name, root)
    return names


def _next(name: str, root: Path) -> list[str]:
    """The modules whose code a module runs by its own imports."""
    path = _file(name, root)
    imports = _tree(path)[1] if path else ()
    return [module for imported in imports for module in _followed(imported, name, root)]


@functools.cache
def _next_of_ours(name: str, root: Path) -> list[str]:
    """The same, of a module of ours: these lead to no plugin, which alone may come while a process runs."""
    return _next(name, root)


def _followed(name: str, by: str, root: Path) -> list[str]:
    """The modules that this name, imported by a module, leads to.

    None in an installed library or the `__init__` of a floor.
    """
    path = _file(name, root)
    if path is None:
        return _passed_on(name, by, root)
    if path.suffix != ".py":
        return []
    if _ours(name):
        return [] if name in PACKAGES else [name]
    return [] if any(path.resolve().is_relative_to(folder) for folder in LIBRARIES) else [name]


def _passed_on(name: str, by: str, root: Path) -> list[str]:
    """Where the `__init__` of a floor has a name from.

    All that it has for a plugin which takes a registry, or everything.
    """
    package, _, word = name.rpartition(".")
    path = _file(package, root) if package in PACKAGES else None
    if path is None:
        return []
    homes = _homes(path)
    if word in homes:
        return [homes[word]]
    return [] if _ours(by) else sorted(set(homes.values()))


def _ours(name: str) -> bool:
    return name.partition(".")[0] in PACKAGES


def _file(name: str, root: Path) -> Path | None:
    """The source file of a module."""
    top = name.partition(".")[0]
    if _ours(name):
        base = root
    else:
        module = sys.modules.get(name) or sys.modules.get(top)
        origin = getattr(module, "__file__", None)
        if origin is None:
            return None
        if module is sys.modules.get(name):
            return Path(origin)
        base = Path(origin).parents[1]
    stem = base.joinpath(*name.split("."))
    return next(
        (path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None
    )


@functools.cache
def _tree(path: Path) -> tuple[str, tuple[str, ...]]:
    """Digest of one file's syntax tree, and the modules that it may import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = tuple(_imports(tree, path))
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            and ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imports


@functools.cache
def _homes(path: Path) -> dict[str, str]:
    """Name -> the module that it is imported from, of an `__init__` file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lines = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name: _base(node, path) for node in lines for alias in node.names}


def _imports(tree: ast.AST, path: Path) -> Iterator[str]:
    """Names that may be modules; "package.*" where the whole of a package is at hand."""
    for node in _executed(tree):
        if isinstance(node, ast.Import):
            yield from (name for alias in node.names for name in (alias.name, f"{alias.name}.*"))
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, path)
            yield from (base, *(f"{base}.{alias.name}" for alias in node.names))


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING:`."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.orelse if _only_types(node) else ast.iter_child_nodes(node)


def _only_types(node: ast.AST) -> TypeGuard[ast.If]:
    """Whether it is `if TYPE_CHECKING:`."""
    names = "TYPE_CHECKING", "typing.TYPE_CHECKING"
    return isinstance(node, ast.If) and ast.unparse(node.test) in names


def _base(node: ast.ImportFrom, path: Path) -> str:
    package = _package(path.parents[node.level - 1]) if node.level else ""
    return ".".join(filter(None, (package, node.module)))


def _package(folder: Path) -> str:
    """The package that a folder is."""
    home = folder.parent
    inside = (home / "__init__.py").is_file()
    return f"{_package(home)}.{folder.name}" if inside else folder.name
