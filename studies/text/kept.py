"""Plain data that many arms share: what stays as it is has its canonical JSON taken once."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable

from studies.text.shapes import Json

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


class Kept(dict):
    """A mapping that nobody changes any more."""

    @functools.cached_property
    def text(self) -> str:
        """As canonical JSON."""
        return _ENCODER.encode(self)


class KeptList(list):
    """A list that nobody changes any more."""

    @functools.cached_property
    def text(self) -> str:
        """As canonical JSON."""
        return _ENCODER.encode(self)


def kept(value: Json) -> Json:
    """A mapping or a list that nobody changes any more; anything else as it is."""
    if isinstance(value, dict | list) and not isinstance(value, Kept | KeptList):
        return Kept(value) if isinstance(value, dict) else KeptList(value)
    return value


def text_of(value: Json) -> str:
    """Plain data as canonical JSON: keys sorted, no spaces."""
    write = _WRITERS.get(type(value), _ENCODER.encode)
    return write(value)


def _of_float(value: float) -> str:
    return repr(value) if math.isfinite(value) else _ENCODER.encode(value)


_WRITERS: dict[type, Callable[[Json], str]] = {  # faster than the encoder, and alike
    Kept: lambda value: value.text,
    KeptList: lambda value: value.text,
    str: functools.lru_cache(1024)(_ENCODER.encode),
    int: repr,
    float: _of_float,
    type(None): lambda value: "null",
}
