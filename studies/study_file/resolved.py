"""What an arm of a study runs with, every number of it, for `studies.results.settings` to read.

Made when the study is planned.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from landscapes.base import Landscape
from landscapes.wrappers.relaxation import Relaxation
from optimizers.base import Optimizer
from optimizers.defaults import Task, effective
from studies import registry
from studies.results.settings import silenced


def resolved(
    landscape: Mapping[str, Any], optimizer: Mapping[str, Any], relaxation: str | None, noise: Mapping[str, Any], oracle: Mapping[str, Any],
    study: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """The settings of one arm, as plain data that JSON can hold.

    Args:
        landscape: {"kind": .., parameters}, complete; to these come dim, the number of coordinates, and
            terms.
        optimizer: likewise; what is null and follows from the task is set.
        relaxation: how the optimizer sees the landscape's bits; None where it searches the domain itself.
        noise: batch (terms, or None for all), sampling, shared, evaluation, off.
        oracle: micro_batches, chunks.
        study: seed, instances, budget, gradient_cost, targets, dtype, ..
    """
    place: Landscape = registry.build(landscape, "landscape")
    method: Optimizer = registry.build(optimizer, "optimizer")
    seen = Relaxation(inner=place, mode=relaxation) if relaxation else place  # type: ignore[arg-type]
    told = effective(method, Task(seen.dim, seen.domain, len(seen.players)))
    return {
        "landscape": {"dim": place.dim, "terms": place.terms, **_filled(landscape, _of_landscape(place))},
        "optimizer": _without_data(_filled(optimizer, told), noise) | {"relaxation": relaxation},
        "noise": silenced(noise),
        "oracle": dict(oracle),
        "draws": _draws(place, method, noise),
        "study": {name: value for name, value in study.items() if name not in ("ledger", "pictures")},
    }


def _draws(place: Landscape, method: Optimizer, noise: Mapping[str, Any]) -> list[str]:
    """The sources of randomness of its steps, whether or not they change anything.

    Start and instance are not among them.
    """
    quiet, off = silenced(noise), noise.get("off", ())
    data = ["data"] if "data" not in off and (quiet["batch"] is not None or method.batches) else []
    evaluation = (
        ["evaluation"]
        if any(quiet["evaluation"].values()) or (place.noisy and "evaluation" not in off)
        else []
    )
    return [*data, *evaluation, *method.sources]


def _of_landscape(place: Landscape) -> dict[str, Any]:
    """Parameters that are null and follow from the others; nothing where the kind has none."""
    return {"clauses": place.terms} if place.name == "max_sat" else {}


def _filled(given: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with what is found; a mapping, such as a schedule, keeps its others."""
    filled = json.loads(json.dumps(given))
    for name, value in found.items():
        filled[name] = {**filled[name], **value} if isinstance(value, Mapping) else value
    return filled


def _without_data(optimizer: dict[str, Any], noise: Mapping[str, Any]) -> dict[str, Any]:
    """Mini-batches that a method sets itself are none where the data are switched off.

    The answers are those of all terms.
    """
    off = "data" in noise.get("off", ()) and "batch" in optimizer
    return optimizer | {"batch": None} if off else optimizer
