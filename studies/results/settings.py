"""The numbers that every arm of a study ran with, as they are stored with its results.

The only reader of them.

They are the attribute `settings` of a Dataset (JSON, also in OUT/plan.json), written by
`studies.study_file.resolved` when the study is planned: fractions of terms as terms, defaults as numbers also
where they depend on D, what a factor switches off as off, what tuning and match chose, schedules as mappings.

    {"arms": [{"coords": {"landscape": .., "optimizer": .., AXIS: ..}, "label": .., "task": 0}, ..], "tasks":
    [{"landscape": {"kind": ..}, ..}, ..]}

Results of an older version have no such attribute. Opened from a folder with its plan.json they get all that
stands there; the rest is not known, and whoever asks for it is told so.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import xarray as xr

ATTRIBUTE = "settings"
GROUPS = ("optimizer", "landscape", "noise", "oracle", "study")  # of one name, the first that has it
FIXED = ("landscape", "optimizer")
OLD = "these results hold no settings (an older version wrote them); run the study again"


class Arm(NamedTuple):
    """One arm of a study, and all that it ran with."""

    coords: Mapping[str, Any]  # landscape, optimizer, and each axis -> value
    label: str  # of the optimizer's entry, from which a grid makes several arms
    landscape: Mapping[str, Any]  # kind and parameters, beside them dim (coordinates) and terms
    optimizer: Mapping[str, Any]  # kind and parameters; null: has no value
    noise: Mapping[str, Any]  # batch (terms; null: all), sampling, shared, evaluation {value, gradient}
    oracle: Mapping[str, Any]  # micro_batches, chunks
    study: Mapping[str, Any]  # seed, instances, budget, gradient_cost {value, low, high}, targets, dtype
    draws: Sequence[str] | None = (
        None  # sources of randomness of its steps, beside start and instance; None: not known
    )


def arms(dataset: xr.Dataset, but: Sequence[str] = ()) -> list[Arm]:
    """The arms that a Dataset shows: those at its landscapes, optimizers and values of axes.

    None where it holds no settings.

    Args:
        dataset: a study's results, whole, or some of its landscapes, optimizers and values.
        but: landscape, optimizer or axes that are not looked at, since they may have been renamed.
    """
    axes = [name for name in _axes(dataset) if name in dataset.coords and name not in but]
    shown = {name: {key(value) for value in dataset[name].values.ravel().tolist()} for name in axes}
    return [
        arm
        for arm in _stored(dataset)
        if all(key(value) in shown.get(name, (key(value),)) for name, value in arm.coords.items())
    ]


def at(dataset: xr.Dataset, where: Mapping[str, Any]) -> list[Arm]:
    """The arms of a Dataset at a place: several where it leaves an axis open.

    Args:
        dataset: as in `arms`.
        where: landscape, optimizer, axis -> value.

    Raises:
        ValueError: there is none.
    """
    asked = {name: key(value) for name, value in where.items() if name in _axes(dataset)}
    found = [
        arm
        for arm in arms(dataset)
        if all(key(arm.coords.get(name)) == value for name, value in asked.items())
    ]
    if not found:
        place = ", ".join(f"{name} = {value}" for name, value in where.items())
        raise ValueError(
            f"settings: expected an arm at {place}, found none;"
            f" {OLD if not has(dataset) else 'keep the labels of the study'}"
        )
    return found


def has(dataset: xr.Dataset) -> bool:
    """Whether the Dataset holds settings."""
    return ATTRIBUTE in dataset.attrs


def key(value: Any) -> Any:  # noqa: ANN401
    """A value of an axis as it is compared.

    1 and 1.0 are one, and what is no number or text is its JSON, as a Dataset labels it.
    """
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return json.dumps(value)
    return value


def axis_values(arm: Arm) -> dict[str, Any]:
    """Axis -> value of an arm, as `key` has it."""
    return {name: key(value) for name, value in arm.coords.items() if name not in FIXED}


def numbers(found: Sequence[Arm]) -> dict[str, float]:
    """Name -> number that a formula may use: what all these arms ran with.

    `optimizer.NAME`, `landscape.NAME`, `noise.NAME`, `oracle.NAME` and `study.NAME` say whose a number is;
    NAME alone is the first of these; inside of a mapping a dot leads on, as in `noise.evaluation.gradient` or
    `schedule.steps`. What differs between the arms has no number.
    """
    names = [_names(arm) for arm in found]
    return (
        {
            name: value
            for name, value in names[0].items()
            if all(other.get(name) == value for other in names[1:])
        }
        if names
        else {}
    )


def missing(found: Sequence[Arm]) -> dict[str, str]:
    """Name -> why `numbers` has none: it is not the same in all of these arms, or it has no value there."""
    names = [_names(arm) for arm in found]
    every = dict.fromkeys(name for told in names for name in told)
    several = [name for name in every if len({told.get(name) for told in names}) > 1]
    empty = [
        (group, name)
        for arm in found
        for group in GROUPS
        for name, value in getattr(arm, group).items()
        if value is None
    ]
    none = {name: f"{group}.{name} is null there" for group, name in empty if name not in every}
    if "data" in found[0].noise.get("off", ()) and "batch" in none:
        none["batch"] = "the data are switched off there, so that answers are of all terms"
    return none | {name: "it differs between the values of the axis" for name in several}


def with_price(attrs: Mapping[str, Any], price: Mapping[str, float]) -> dict[str, str]:
    """The attribute with another price of a gradient {value, low, high} in every arm.

    Empty where there is none.
    """
    if ATTRIBUTE not in attrs:
        return {}
    found = json.loads(attrs[ATTRIBUTE])
    tasks = [task | {"study": task["study"] | {"gradient_cost": dict(price)}} for task in found["tasks"]]
    return {ATTRIBUTE: json.dumps(found | {"tasks": tasks})}


def joined(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, str]:
    """The attribute of a study with imported runs beside it, which are shown at each value of its axes, at its price; empty where it has none."""
    if not (ATTRIBUTE in ours and ATTRIBUTE in theirs):
        return {}
    one, two = json.loads(ours[ATTRIBUTE]), json.loads(theirs[ATTRIBUTE])
    places = {
        json.dumps({name: value for name, value in arm["coords"].items() if name not in FIXED}): arm["task"]
        for arm in one["arms"]
    }
    arms, tasks = list(one["arms"]), list(one["tasks"])
    for place, task in places.items():
        for arm in two["arms"]:
            study = two["tasks"][arm["task"]].get("study", {}) | {
                "gradient_cost": one["tasks"][task]["study"]["gradient_cost"]
            }
            arms.append(arm | {"coords": arm["coords"] | json.loads(place), "task": len(tasks)})
            tasks.append(two["tasks"][arm["task"]] | {"study": study})
    return {ATTRIBUTE: json.dumps({"arms": arms, "tasks": tasks})}


def of_plan(plan: Mapping[str, Any]) -> str:
    """The attribute of a plan (plan.json) that an older version wrote: what its tasks hold.

    Defaults that depend on D are not known there.
    """
    tasks = [
        {
            "landscape": task["landscape"],
            "optimizer": task["optimizer"],
            "noise": silenced(task["noise"]),
            "oracle": task.get("oracle", {}),
            "study": {
                name: task[name]
                for name in ("seed", "instances", "budget", "gradient_cost", "targets", "dtype")
                if name in task
            },
        }
        for task in plan["tasks"]
    ]
    told = [
        {"coords": arm["coords"], "label": arm["coords"].get("optimizer"), "task": arm["task"]}
        for arm in plan["arms"]
    ]
    return json.dumps({"arms": told, "tasks": tasks})


def silenced(noise: Mapping[str, Any]) -> dict[str, Any]:
    """The noise of a task as it was.

    A source that is off disturbs nothing, so that its numbers are those of no noise.
    """
    off = noise.get("off", ())
    quiet = ({"batch": None} if "data" in off else {}) | (
        {"evaluation": {"value": 0.0, "gradient": 0.0}} if "evaluation" in off else {}
    )
    return {**noise, **quiet}


# inside -----------------------------------------------------------------------------------------------------


def _stored(dataset: xr.Dataset) -> tuple[Arm, ...]:
    return _read(dataset.attrs.get(ATTRIBUTE, '{"arms": [], "tasks": []}'))


@functools.lru_cache(maxsize=8)
def _read(text: str) -> tuple[Arm, ...]:
    found = json.loads(text)
    ran = [(arm, found["tasks"][arm["task"]]) for arm in found["arms"]]
    return tuple(
        Arm(
            arm["coords"],
            arm["label"],
            **{group: task.get(group, {}) for group in GROUPS},
            draws=task.get("draws"),
        )
        for arm, task in ran
    )


def _axes(dataset: xr.Dataset) -> list[str]:
    """Landscape, optimizer and the axes of the study."""
    return list(dict.fromkeys(name for arm in _stored(dataset)[:1] for name in (*FIXED, *arm.coords)))


def _names(arm: Arm) -> dict[str, float]:
    found: dict[str, float] = {}
    for group in GROUPS:
        for name, number in _numbers(getattr(arm, group)):
            found[f"{group}.{name}"] = number
            found.setdefault(name, number)
    return found | {
        axis: float(value) for axis, value in arm.coords.items() if _number(value) and axis not in found
    }


def _numbers(values: Mapping[str, Any], head: str = "") -> Iterator[tuple[str, float]]:
    """Dotted name -> number; of {value: .., gradient: ..} the value has the name of the whole too."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from ((head + name, float(value["value"])) for _ in range(_number(value.get("value"))))
            yield from _numbers(value, f"{head}{name}.")
        elif _number(value):
            yield head + name, float(value)


def _number(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int | float) and not isinstance(value, bool)
