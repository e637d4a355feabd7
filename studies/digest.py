"""A digest of the code that computes a cell: equal where only comments, docstrings or layout differ.

It covers the syntax trees of the given modules and of all that they import, installed libraries left out. Our own `__init__` files are not
followed, since the registries there would tie every landscape and optimizer to every other; nor are the modules that only decide what is
computed, for their decisions are in the task itself.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("landscapes", "optimizers", "studies")
CORE = ("landscapes.streams", "landscapes.kernels", "landscapes.oracle", "landscapes.noise", "studies.loop", "studies.instruments")
WHERE_USED = {("studies.loop", "landscapes.relaxation")}  # imports that a task may not need; its own list says where it does
LIBRARIES = {Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
DECIDE = frozenset(
    f"studies.{name}" for name in ("config", "digest", "kinds", "mistakes", "models", "plan", "sections", "settings", "sweeps", "yaml_lines")
)


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
    for name in sorted(_closure(modules, root)):
        path = _file(name, root)
        if path is None:
            raise ValueError(f"digest: module {name!r} has no source file")
        lines.append(f"{name} {_tree(path)[0]}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _closure(modules: Iterable[str], root: Path) -> set[str]:
    found: set[str] = set()
    waiting = [*modules]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        path = _file(name, root)
        imports = _tree(path)[1] if path else ()
        waiting += [m for m in imports if (name, m) not in WHERE_USED and _follow(m, root)]
    return found


def _follow(name: str, root: Path) -> bool:
    """Our own modules, but for registries and what only decides; of a plugin, every module that is not an installed library."""
    path = _file(name, root)
    if path is None or path.suffix != ".py":
        return False
    if name.partition(".")[0] in PACKAGES:
        return path.name != "__init__.py" and name not in DECIDE
    return not any(path.resolve().is_relative_to(folder) for folder in LIBRARIES)


def _file(name: str, root: Path) -> Path | None:
    """The source file of a module."""
    top = name.partition(".")[0]
    if top in PACKAGES:
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
    return next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)


@functools.cache
def _tree(path: Path) -> tuple[str, tuple[str, ...]]:
    """Digest of one file's syntax tree, and the modules that it may import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = tuple(_imports(tree, path))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imports


def _imports(tree: ast.AST, path: Path) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(filter(None, (_package(path, node.level), node.module)))
            yield from (base, *(f"{base}.{alias.name}" for alias in node.names))


def _package(path: Path, level: int) -> str:
    """The package that `level` dots mean in this file."""
    if not level:
        return ""
    folder = path.parents[level - 1]
    names = [folder.name]
    while (folder.parent / "__init__.py").is_file():
        folder = folder.parent
        names.append(folder.name)
    return ".".join(reversed(names))
