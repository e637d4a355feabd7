"""Landscapes and optimizers from their canonical JSON, made once for the many arms that have the same."""

from __future__ import annotations

import functools
import json

from landscapes.base import Landscape
from landscapes.wrappers.relaxation import Relaxation
from optimizers.base import Optimizer
from studies.kinds import registry
from studies.text.shapes import Json


@functools.cache
def landscape(spec: str, relaxation: Json) -> Landscape:
    """A landscape, not bound.

    Args:
        spec: {"kind": .., parameters}, as canonical JSON.
        relaxation: how an optimizer sees its bits; None: as they are.
    """
    made: Landscape = registry.build(json.loads(spec), "landscape")
    return Relaxation(inner=made, mode=relaxation) if relaxation else made


@functools.cache
def optimizer(spec: str) -> Optimizer:
    """An optimizer.

    Args:
        spec: {"kind": .., parameters}, as canonical JSON.
    """
    made: Optimizer = registry.build(json.loads(spec), "optimizer")
    return made
