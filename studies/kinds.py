"""From a kind named in a study file to its class, and from its parameters to an object."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from landscapes import LANDSCAPES
from landscapes.base import Landscape, Parameters, hints_of
from optimizers import OPTIMIZERS
from optimizers.base import Optimizer

FAMILIES: dict[str, tuple[Mapping[str, type[Parameters]], type[Parameters]]] = {
    "landscape": (LANDSCAPES, Landscape),
    "optimizer": (OPTIMIZERS, Optimizer),
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
        raise ValueError(f"expected a {family}: {', '.join(registry)}, or an import path 'package.module:Class', got {kind!r}")
    module, _, name = kind.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, SyntaxError) as error:
        raise ValueError(f"cannot import {kind!r}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ValueError(f"expected {kind!r} to be a subclass of {base.__module__}.{base.__name__}")
    return found


def build(spec: Mapping[str, Any], family: str) -> Any:  # noqa: ANN401
    """The object of {"kind": ..., **parameters}; a parameter that is itself a mapping, such as a schedule, is built likewise."""
    return _make(find(spec["kind"], family), spec)


def _make(cls: type[Parameters], spec: Mapping[str, Any]) -> Parameters:
    hints = hints_of(cls)  # type: ignore[arg-type]
    return cls(**{key: _value(hints[key], value) for key, value in spec.items() if key != "kind" or "kind" in hints})


def _value(hint: Any, value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, Mapping):
        return value
    if hint is Landscape:
        return build(value, "landscape")
    if get_origin(hint) is dict:
        return dict(value)
    classes = [c for c in (hint, *get_args(hint)) if isinstance(c, type) and issubclass(c, Parameters)]
    return _make(classes[0] if len(classes) == 1 else next(c for c in classes if c.name == value["kind"]), value)
