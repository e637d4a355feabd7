"""From a kind named in a study file to its class, and from its parameters to an object."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from landscapes import LANDSCAPES
from landscapes.base import Bits, Landscape, Reals
from landscapes.parameters import Parameters, hints_of
from optimizers import OPTIMIZERS
from optimizers.base import Optimizer
from studies.text.labels import wrong_variable
from studies.text.user_code import seen_from_here, users_line
from studies.text.words import nearest

FAMILIES: dict[str, tuple[Mapping[str, type[Parameters]], type[Parameters]]] = {
    "landscape": (LANDSCAPES, Landscape),
    "optimizer": (OPTIMIZERS, Optimizer),
}
RECORDED = {  # attribute of a class that names what it records -> the form of its entries
    "recorded": ("variable", "long name", "unit"),
    "counted": ("variable", "long name", "unit"),
    "extras": ("long name", "unit"),
}


def find(kind: str, family: str) -> Any:  # noqa: ANN401
    """The class of a kind: a name in the family's registry, or an import path "package.module:Class".

    Raises:
        ValueError: no such kind, it cannot be imported, or it is not of this family.
    """
    registry, base = FAMILIES[family]
    if kind in registry:
        return registry[kind]
    if ":" not in kind:
        raise ValueError(
            f"expected a {family}: {', '.join(registry)}, or an import path 'package.module:Class', got"
            f" {kind!r}"
        )
    cls = _imported(kind)
    _check_class(cls, kind, base)
    return cls


def family(kind: str) -> str:
    """The family to which an import path leads: landscape or optimizer.

    Raises:
        ValueError: it leads nowhere.
    """
    cls = _imported(kind)
    return "landscape" if isinstance(cls, type) and issubclass(cls, Landscape) else "optimizer"


def _imported(kind: str) -> Any:  # noqa: ANN401
    """What an import path names; modules are also found in the working directory."""
    module, _, name = kind.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        found = importlib.import_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001  a module of the user's may fail in any way
        where = "" if isinstance(error, SyntaxError) else users_line(error)
        named = "" if isinstance(error, (ImportError, SyntaxError)) else f"{type(error).__name__}: "
        raise ValueError(f"cannot import {kind!r}: {named}{error}{where}") from error
    if not hasattr(found, name):
        near = nearest(name, [key for key, value in vars(found).items() if isinstance(value, type)])
        raise ValueError(
            f"cannot import {kind!r}: {module} has no {name!r}"
            + (f"; did you mean {near!r}?" if near else "")
        )
    return getattr(found, name)


def _check_class(cls: Any, kind: str, base: type[Parameters]) -> None:  # noqa: ANN401
    """Raise ValueError unless it is a whole, frozen dataclass of the family."""
    family = f"{base.__module__}.{base.__name__}"
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise ValueError(f"expected {kind!r} to be a subclass of {family}")
    if not (dataclasses.is_dataclass(cls) and cls.__dataclass_params__.frozen):
        raise ValueError(
            f"expected {kind!r} to be a frozen dataclass; put @dataclass(frozen=True, kw_only=True) above the"
            " class"
        )
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    if missing:
        needed = ", ".join(sorted(base.__abstractmethods__))
        where = (
            f"{seen_from_here(inspect.getsourcefile(cls) or '?')}:{inspect.getsourcelines(cls)[1]}:"
            f" {cls.__qualname__}"
        )
        raise ValueError(
            f"{where}: expected the methods of {family} ({needed}), got none called {', '.join(missing)};"
            " write it"
        )
    if not isinstance(getattr(cls, "name", None), str):
        raise ValueError(
            f'expected {kind!r} to have a name; write `name: ClassVar[str] = "{cls.__name__.lower()}"` in the'
            " class"
        )
    domains = getattr(cls, "domains", (Reals,))
    if not (isinstance(domains, tuple) and domains and set(domains) <= {Reals, Bits}):
        raise ValueError(
            f"{kind}: expected domains as a tuple of Reals and Bits, as in (Reals,), got {domains!r}"
        )
    _check_recorded(cls, kind)
    sources = getattr(cls, "sources", ())
    if not (isinstance(sources, tuple) and all(isinstance(source, str) for source in sources)):
        raise ValueError(
            f'{kind}: expected sources as a tuple of names, as in ("mutation",), got {sources!r}'
        )


def _check_recorded(cls: type, kind: str) -> None:
    """Raise ValueError unless the variables that it records have names of their own, which no other has."""
    seen = dict[str, str]()  # variable -> where it is named
    for attribute, form in RECORDED.items():
        entries = getattr(cls, attribute, {})
        if isinstance(entries, property):
            continue  # known of an object alone
        size = len(form)
        if not isinstance(entries, Mapping):
            raise ValueError(
                f"{kind}: expected {attribute} as a dict, key -> ({', '.join(form)}), got {entries!r:.60}"
            )
        for key, words in entries.items():
            if not (
                isinstance(words, tuple)
                and len(words) == size
                and all(isinstance(word, str) for word in words)
            ):
                raise ValueError(
                    f"{kind}: {attribute}[{key!r}]: expected ({', '.join(form)}), got {words!r:.60}"
                )
            variable = key if attribute == "extras" else words[0]
            problem = wrong_variable(variable)
            if variable in seen:
                problem = f"{seen[variable]} has the variable {variable!r} too; choose another name"
            if problem:
                raise ValueError(f"{kind}: {attribute}[{key!r}]: {problem}")
            seen[variable] = f"{attribute}[{key!r}]"


def build(spec: Mapping[str, Any], family: str) -> Any:  # noqa: ANN401
    """The object of {"kind": ..., **parameters}.

    A parameter that is itself a mapping, such as a schedule, is built likewise.
    """
    return _make(find(spec["kind"], family), spec)


def _make(cls: type[Parameters], spec: Mapping[str, Any]) -> Parameters:
    hints = hints_of(cls)  # type: ignore[arg-type]
    return cls(**{
        key: _value(hints[key], value) for key, value in spec.items() if key != "kind" or "kind" in hints
    })


def _value(hint: Any, value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, Mapping):
        return value
    if hint is Landscape:
        return build(value, "landscape")
    if get_origin(hint) is dict:
        return dict(value)
    classes = [c for c in (hint, *get_args(hint)) if isinstance(c, type) and issubclass(c, Parameters)]
    return _make(
        classes[0] if len(classes) == 1 else next(c for c in classes if c.name == value["kind"]), value
    )
