"""Words in messages: the nearest right one, how a value is shown."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, in capitals or not, with - or _.

    The same, similar letters, initials ("lr"), or a beginning.
    """
    plain: dict[str, str] = {}
    for name in known:
        plain.setdefault(_plain(name), name)
    key = _plain(word)
    same = [name for name in plain if name.replace("_", "") == key.replace("_", "") and key]
    close = difflib.get_close_matches(key, plain, 1)
    initials = [
        name for name in plain if "".join(part[:1] for part in name.split("_")) == key and "_" in name
    ]
    began = [name for name in plain if len(key) > 2 and name.startswith(key)]
    return next((plain[name] for name in [*same, *close, *initials, *began]), None)


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.strip().casefold())


def suggest(word: str, known: Iterable[str]) -> str:
    """A hint: did you mean 'sgd'?, or all that is known."""
    known = list(known)
    near = nearest(word, known)
    return (
        f"did you mean {near!r}?"
        if near
        else f"expected one of: {', '.join(known)}"
        if known
        else "nothing is expected here"
    )


def show(value: Any) -> str:  # noqa: ANN401
    """A value as YAML writes it, in a few words."""
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    names = {None: "null", True: "true", False: "false"}
    return names[value] if value is None or isinstance(value, bool) else repr(value)


def short(value: Any) -> str:  # noqa: ANN401
    """A value in a label: 0.1, true, null, cosine."""
    if isinstance(value, dict):
        return " ".join(f"{key}={short(inner)}" for key, inner in value.items())
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def canonical(value: Any) -> Any:  # noqa: ANN401
    """The value with whole floats as integers, so that 1 and 1.0 are one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
