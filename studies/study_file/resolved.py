"""What an arm of a study runs with, every number of it: planned here, read by `studies.results.settings`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from landscapes.base import Landscape
from optimizers.base import Optimizer
from optimizers.defaults import Task, effective
from studies.cells.task import INSTRUMENTS
from studies.results.settings import silenced
from studies.study_file import built
from studies.text.kept import text_of
from studies.text.shapes import Data, Tree

if TYPE_CHECKING:
    from studies.cells.task import Task as Cells
    from studies.study_file.arm import Arm


def resolved(arm: Arm | Cells, study: Tree) -> Data:
    """The settings of one arm, as plain data that JSON can hold.

    To those of the landscape come dim, the number of coordinates, and terms. What is null and follows from
    the task or from other parameters is set.

    Args:
        arm: the arm, or its task.
        study: seed, instances, budget, gradient_cost, targets, dtype, ..
    """
    spec = text_of(arm.landscape)
    place, seen = built.landscape(spec, None), built.landscape(spec, arm.relaxation)
    method = built.optimizer(text_of(arm.optimizer))
    task = Task(seen.dim, seen.domain, len(seen.players))
    optimizer = _without_data(_filled(arm.optimizer, effective(method, task)), arm.noise)
    landscape = _filled(arm.landscape, effective(place, task))
    return {
        "landscape": {"dim": place.dim, "terms": place.terms, **landscape},
        "optimizer": optimizer | {"relaxation": arm.relaxation},
        "noise": silenced(arm.noise),
        "oracle": dict(arm.oracle),
        "draws": _draws(place, method, arm.noise),
        "study": {name: value for name, value in study.items() if name not in INSTRUMENTS},
    }


def _draws(place: Landscape, method: Optimizer, noise: Tree) -> list[str]:
    """The sources of randomness of its steps, whether or not they change anything.

    Start and instance are not among them.
    """
    quiet, off = silenced(noise), noise.get("off", ())
    batched = quiet["batch"] is not None or method.batches
    disturbed = any(quiet["evaluation"].values()) or (place.noisy and "evaluation" not in off)
    there = {
        "data": batched and "data" not in off,
        "evaluation": disturbed,
        "dropout": place.drops and "dropout" not in off,
    }
    return [*(source for source, is_there in there.items() if is_there), *method.sources]


def _filled(given: Tree, more: Tree) -> Data:
    """The parameters, some of them set; a mapping, such as a schedule, keeps its others."""
    filled = json.loads(json.dumps(given))
    for name, value in more.items():
        filled[name] = filled[name] | value if isinstance(value, dict) else value
    return filled


def _without_data(optimizer: Data, noise: Tree) -> Data:
    """Mini-batches that a method sets itself are none where the data are switched off.

    The answers are those of all terms.
    """
    off = "data" in noise.get("off", ()) and "batch" in optimizer
    return optimizer | {"batch": None} if off else optimizer
