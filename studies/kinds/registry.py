"""From a kind named in a study file to its class, and from its parameters to an object."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from landscapes import LANDSCAPES
from landscapes.base import Bits, Landscape, Letters, Reals
from landscapes.parameters import Parameters, hints_of
from optimizers import OPTIMIZERS
from optimizers.base import Optimizer
from studies.kinds.instruments import Instrument
from studies.text.labels import wrong_variable
from studies.text.shapes import Hint, Tree
from studies.text.user_code import seen_from_here, users_line
from studies.text.words import nearest

FAMILIES: dict[str, tuple[Mapping[str, type[Parameters]], type[Parameters]]] = {
    "landscape": (LANDSCAPES, Landscape),
    "optimizer": (OPTIMIZERS, Optimizer),
    "instrument": ({}, Instrument),  # none is ours: what we record needs no name in a study
}
UNTYPED = re.compile(r": '[^']*'| (?==)|(?<==) ")  # what a signature says beside names and defaults
RECORDED = {  # attribute of a class that names what it records -> the form of its entries
    "recorded": ("variable", "long name", "unit"),
    "counted": ("variable", "long name", "unit"),
    "extras": ("long name", "unit"),
}
OF_INSTRUMENTS = {"variables": ("long name", "unit")}


def find(kind: str, family: str) -> Any:  # noqa: ANN401
    """The class of a kind: a name in the family's registry, or an import path "package.module:Class".

    Raises:
        ValueError: no such kind, it cannot be imported, or it is not of this family.
    """
    registry, base = FAMILIES[family]
    if kind in registry:
        return registry[kind]
    if ":" not in kind:
        ours = f"a {family}: {', '.join(registry)}, or" if registry else f"an {family}:"
        raise ValueError(f"expected {ours} an import path 'package.module:Class', got {kind!r}")
    cls = _imported(kind)
    problem = next(_problems(cls, kind, base), None)
    if problem is not None:
        raise ValueError(problem)
    return cls


def family(kind: str) -> str:
    """The family to which an import path leads: landscape, instrument, or else optimizer.

    Raises:
        ValueError: it leads nowhere.
    """
    cls = _imported(kind)
    if not isinstance(cls, type):
        return "optimizer"
    families = (family for family, (_, base) in FAMILIES.items() if issubclass(cls, base))
    return next(families, "optimizer")


def _imported(kind: str) -> object:
    """What an import path names; modules are also found in the working directory."""
    path, _, name = kind.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        module = importlib.import_module(path)
    except (Exception, SystemExit) as error:  # noqa: BLE001  a module of the user's may fail in any way
        raise ValueError(f"cannot import {kind!r}: {_why(error)}") from error
    if hasattr(module, name):
        return getattr(module, name)
    near = nearest(name, [key for key, value in vars(module).items() if isinstance(value, type)])
    hint = f"; did you mean {near!r}?" if near else ""
    raise ValueError(f"cannot import {kind!r}: {path} has no {name!r}{hint}")


def _why(error: BaseException) -> str:
    """What a module raised, with its name unless that is said anyway, and the line of the user's."""
    name = "" if isinstance(error, ImportError | SyntaxError) else f"{type(error).__name__}: "
    where = "" if isinstance(error, SyntaxError) else users_line(error)
    return f"{name}{error}{where}"


# what a class of the user's must have -----------------------------------------------------------------------


def _problems(cls: Hint, kind: str, base: type[Parameters]) -> Iterator[str]:
    """What keeps a class from being a kind: the first counts, and those behind it may be wrong.

    Args:
        cls: what an import path led to.
        kind: the path.
        base: the class of the family.
    """
    family = f"{base.__module__}.{base.__name__}"
    if not (isinstance(cls, type) and issubclass(cls, base)):
        yield f"expected {kind!r} to be a subclass of {family}"
    if not (dataclasses.is_dataclass(cls) and cls.__dataclass_params__.frozen):  # type: ignore[union-attr]
        yield (
            f"expected {kind!r} to be a frozen dataclass; put @dataclass(frozen=True, kw_only=True) above the"
            " class"
        )
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    if missing:
        needed = ", ".join(sorted(base.__abstractmethods__))  # type: ignore[attr-defined]
        yield (
            f"{_place(cls)}: expected the methods of {family} ({needed}), got none called"
            f" {', '.join(missing)}; write it"
        )
    yield from _of_calls(cls, base)
    if not isinstance(getattr(cls, "name", None), str):
        name = f'name: ClassVar[str] = "{cls.__name__.lower()}"'
        yield f"expected {kind!r} to have a name; write `{name}` in the class"
    yield from (f"{kind}: {problem}" for problem in _of_attributes(cls))


def _of_calls(cls: type, base: type[Parameters]) -> Iterator[str]:
    """What is wrong with the methods that the family asks for: each takes the arguments that it is given."""
    for name in sorted(base.__abstractmethods__):  # type: ignore[attr-defined]
        asked, written = getattr(base, name), inspect.getattr_static(cls, name)
        if isinstance(asked, property):
            continue
        arguments = [*inspect.signature(asked).parameters][1:]
        why = _uncallable(cls, name, arguments)
        if why:
            head = f"def {name}{inspect.signature(asked)}".partition(" -> ")[0]
            yield (
                f"{_line_of(written, cls)}: {cls.__qualname__}.{name}: is called with {', '.join(arguments)}:"
                f" {why}; write {UNTYPED.sub('', head)}"
            )


def _uncallable(cls: type, name: str, arguments: list[str]) -> str:
    """Why the method of an object cannot be called with these arguments; empty where it can."""
    written = inspect.getattr_static(cls, name)
    bound = isinstance(written, (staticmethod, classmethod))
    if not (bound or inspect.isroutine(written)):
        return "it is no method"
    try:
        inspect.signature(getattr(cls, name)).bind(*([] if bound else ["self"]), *arguments)
    except TypeError as error:
        return str(error)
    return ""


def _line_of(written: object, cls: type) -> str:
    """File and line of what is written in a class; those of the class where it has none."""
    function = inspect.unwrap(getattr(written, "fget", written))  # type: ignore[arg-type]
    code = getattr(function, "__code__", None)
    if code is None:
        return _place(cls).rpartition(": ")[0]
    return f"{seen_from_here(code.co_filename)}:{code.co_firstlineno}"


def _place(cls: type) -> str:
    """File, line and name of a class."""
    file, line = inspect.getsourcefile(cls) or "?", inspect.getsourcelines(cls)[1]
    return f"{seen_from_here(file)}:{line}: {cls.__qualname__}"


def _of_attributes(cls: type) -> Iterator[str]:
    """What is wrong with domains, recorded variables and sources."""
    domains = getattr(cls, "domains", (Reals,))
    if not (isinstance(domains, tuple) and domains and set(domains) <= {Reals, Bits, Letters}):
        yield f"expected domains as a tuple of Reals, Bits and Letters, as in (Reals,), got {domains!r}"
    yield from recorded_problems(cls)
    sources = getattr(cls, "sources", ())
    if not (isinstance(sources, tuple) and all(isinstance(source, str) for source in sources)):
        yield f'expected sources as a tuple of names, as in ("mutation",), got {sources!r}'


def recorded_problems(owner: object) -> Iterator[str]:
    """What is wrong with the variables that a class, or an object of it, records.

    Each needs a name of its own, which no other has. What is a property of the class is known of its objects
    alone.
    """
    cls = owner if isinstance(owner, type) else type(owner)
    seen = dict[str, str]()  # variable -> where it is named
    for attribute, form in (OF_INSTRUMENTS if issubclass(cls, Instrument) else RECORDED).items():
        entries, expected = getattr(owner, attribute, {}), f"({', '.join(form)})"
        if isinstance(entries, property):
            continue  # known of an object alone
        if not isinstance(entries, Mapping):
            yield f"expected {attribute} as a dict, key -> {expected}, got {entries!r:.60}"
        if attribute in OF_INSTRUMENTS and not entries:
            yield f"expected {attribute}, name -> {expected}, got none"
        for key, words in entries.items():
            place = f"{attribute}[{key!r}]"
            if not _texts(words, len(form)):
                yield f"{place}: expected {expected}, got {words!r:.60}"
            variable = words[0] if "variable" in form else key
            if variable in seen:
                yield f"{place}: {seen[variable]} has the variable {variable!r} too; choose another name"
            problem = wrong_variable(variable)
            if problem:
                yield f"{place}: {problem}"
            seen[variable] = place


def _texts(words: object, count: int) -> bool:
    return (
        isinstance(words, tuple)
        and len(words) == count
        and all(isinstance(word, str) for word in words)
    )


# from parameters to an object -------------------------------------------------------------------------------


def build(spec: Tree, family: str) -> Any:  # noqa: ANN401
    """The object of {"kind": ..., **parameters}.

    A parameter that is itself a mapping, such as a schedule, is built likewise.
    """
    return _make(find(spec["kind"], family), spec)


def _make(cls: type[Parameters], spec: Tree) -> Parameters:
    hints = hints_of(cls)  # type: ignore[arg-type]
    return cls(**{
        key: _value(hints[key], value) for key, value in spec.items() if key != "kind" or key in hints
    })


def _value(hint: object, value: object) -> object:
    """The value of a parameter with this type hint."""
    if not isinstance(value, Mapping):
        return value
    if hint is Landscape:
        return build(value, "landscape")
    if get_origin(hint) is dict:
        return dict(value)
    members = (hint, *get_args(hint))
    classes = [cls for cls in members if isinstance(cls, type) and issubclass(cls, Parameters)]
    if len(classes) > 1:
        classes = [cls for cls in classes if cls.name == value["kind"]]
    return _make(classes[0], value)
