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

import contextlib
import functools
import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

from xarray import Dataset

from studies.text.formulas import evaluate
from studies.text.schema import GRID
from studies.text.shapes import Data, Json, Tree

ATTRIBUTE = "settings"
GROUPS = ("optimizer", "landscape", "noise", "oracle", "study")  # of one name, the first that has it
FIXED = GRID  # the coordinates of an arm that are no axes
LET = "let."  # before the names of `let`, where these are meant
OF_STUDY = (
    "seed",
    "instances",
    "budget",
    "clock",
    "gradient_cost",
    "targets",
    "dtype",
)  # of a task of an older plan
OLD = "these results hold no settings (an older version wrote them); run the study again"


Numbers = dict[str, float]  # by name


class Arm(NamedTuple):
    """One arm of a study, and all that it ran with."""

    coords: Tree  # landscape, optimizer, and each axis -> value
    label: str  # of the optimizer's entry, from which a grid makes several arms
    landscape: Tree  # kind and parameters, beside them dim (coordinates) and terms
    optimizer: Tree  # kind and parameters; null: has no value
    noise: Tree  # batch (terms; null: all), sampling, shared, evaluation {value, gradient}
    oracle: Tree  # micro_batches, chunks
    study: Tree  # seed, instances, budget, gradient_cost {value, low, high}, targets, dtype
    # sources of randomness of its steps, beside start and instance; None: not known
    draws: Sequence[str] | None = None
    let: Tree = {}  # names of the study -> number or formula of the arm's numbers


def arms(dataset: Dataset, but: Sequence[str] = ()) -> list[Arm]:
    """The arms that a Dataset shows: those at its landscapes, optimizers and values of axes.

    None where it holds no settings.

    Args:
        dataset: a study's results, whole, or some of its landscapes, optimizers and values.
        but: landscape, optimizer or axes that are not looked at, since they may have been renamed.

    Coordinates that lie along one dim are taken together.
    """
    axes = [name for name in _axes(dataset) if name in dataset.coords and name not in but]
    along: dict[tuple[Hashable, ...], list[str]] = {}
    for name in axes:
        along.setdefault(dataset[name].dims, []).append(name)
    shown = [(names, _together(dataset, names)) for names in along.values()]
    return [arm for arm in _stored(dataset) if _shown(_keys(arm), shown)]


Together = set[tuple[float | str, ...]]  # values of some coordinates at one place
Shown = tuple[Sequence[str], Together]  # coordinates, and the values that they have


def _together(dataset: Dataset, names: Sequence[str]) -> Together:
    """The values that some coordinates have together."""
    values = [map(key, dataset[name].values.ravel().tolist()) for name in names]
    return set(zip(*values, strict=True))


def _shown(coords: Data, shown: Sequence[Shown]) -> bool:
    """Whether an arm is at some of these values, of all coordinates."""
    return all(tuple(coords.get(name) for name in names) in there for names, there in shown)


def at(dataset: Dataset, where: Tree) -> list[Arm]:
    """The arms of a Dataset at a place: several where it leaves an axis open.

    Args:
        dataset: as in `arms`.
        where: landscape, optimizer, axis -> value.

    Raises:
        ValueError: there is none.
    """
    place = {name: key(value) for name, value in where.items() if name in _axes(dataset)}
    here = [arm for arm in arms(dataset) if place.items() <= _keys(arm).items()]
    if not here:
        text = ", ".join(f"{name} = {value}" for name, value in where.items())
        why = "keep the labels of the study" if has(dataset) else OLD
        raise ValueError(f"settings: expected an arm at {text}, found none; {why}")
    return here


def has(dataset: Dataset) -> bool:
    """Whether the Dataset holds settings."""
    return ATTRIBUTE in dataset.attrs


def key(value: Json) -> float | str:
    """A value of an axis as it is compared.

    1 and 1.0 are one, and what is no number or text is its JSON, as a Dataset labels it.
    """
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return json.dumps(value)
    return value


def axis_values(arm: Arm) -> Data:
    """Axis -> value of an arm, as `key` has it."""
    return {name: value for name, value in _keys(arm).items() if name not in FIXED}


def _keys(arm: Arm) -> Data:
    """Landscape, optimizer and axis -> value of an arm, as `key` has it."""
    return {name: key(value) for name, value in arm.coords.items()}


def numbers(chosen: Sequence[Arm]) -> Numbers:
    """Name -> number that a formula may use: what all these arms ran with.

    `optimizer.NAME`, `landscape.NAME`, `noise.NAME`, `oracle.NAME` and `study.NAME` say whose a number is;
    NAME alone is the first of these; inside of a mapping a dot leads on, as in `noise.evaluation.gradient` or
    `schedule.steps`. What differs between the arms has no number.
    """
    first, *others = [_names(arm) for arm in chosen] or [{}]
    return {
        name: value for name, value in first.items() if all(own.get(name) == value for own in others)
    }


def missing(chosen: Sequence[Arm]) -> dict[str, str]:
    """Name -> why `numbers` has none: it is not the same in all of these arms, or it has no value there."""
    every = [_names(arm) for arm in chosen]
    names = dict.fromkeys(name for own in every for name in own)
    why = {name: f"{group}.{name} is null there" for group, name in _empty(chosen) if name not in names}
    if "data" in chosen[0].noise.get("off", ()) and "batch" in why:
        why["batch"] = "the data are switched off there, so that answers are of all terms"
    several = [name for name in names if len({own.get(name) for own in every}) > 1]
    return why | dict.fromkeys(several, "it differs between the values of the axis")


def _empty(chosen: Sequence[Arm]) -> Iterator[tuple[str, str]]:
    """Group and name of what is null in these arms."""
    for arm in chosen:
        for group in GROUPS:
            yield from ((group, name) for name, value in getattr(arm, group).items() if value is None)


def with_price(attrs: Tree, price: Mapping[str, float]) -> dict[str, str]:
    """The attribute with another price of a gradient {value, low, high} in every arm.

    Empty where there is none.
    """
    if ATTRIBUTE not in attrs:
        return {}
    stored = json.loads(attrs[ATTRIBUTE])
    tasks = [_at_price(task, dict(price)) for task in stored["tasks"]]
    return {ATTRIBUTE: json.dumps(stored | {"tasks": tasks})}


def _at_price(task: Tree, price: Mapping[str, float]) -> Data:
    return {**task, "study": {**task.get("study", {}), "gradient_cost": price}}


def joined(ours: Tree, theirs: Tree) -> dict[str, str]:
    """The attribute of a study with imported runs beside it; empty where either has none.

    These are shown at each value of the study's axes, at its price there.

    Args:
        ours: attributes of the study.
        theirs: of the imported runs.
    """
    if not (ATTRIBUTE in ours and ATTRIBUTE in theirs):
        return {}
    study = json.loads(ours[ATTRIBUTE])
    imported = json.loads(theirs[ATTRIBUTE])
    arms = list(study["arms"])
    tasks = list(study["tasks"])
    for place, task in _places(study["arms"]):
        price = study["tasks"][task]["study"]["gradient_cost"]
        for arm in imported["arms"]:
            arms.append(arm | {"coords": arm["coords"] | place, "task": len(tasks)})
            tasks.append(_at_price(imported["tasks"][arm["task"]], price))
    return {ATTRIBUTE: json.dumps({**study, "arms": arms, "tasks": tasks})}


def _places(arms: Sequence[Tree]) -> list[tuple[Data, int]]:
    """The values of the axes at which there are arms, and the task of one of them."""
    tasks: dict[str, int] = {}
    for arm in arms:
        axes = {name: value for name, value in arm["coords"].items() if name not in FIXED}
        tasks[json.dumps(axes)] = arm["task"]
    return [(json.loads(place), task) for place, task in tasks.items()]


def of_plan(plan: Tree) -> str:
    """The attribute of a plan (plan.json) that an older version wrote: what its tasks hold.

    Defaults that depend on D are not known there.
    """
    tasks = [
        {
            "landscape": task["landscape"],
            "optimizer": task["optimizer"],
            "noise": silenced(task["noise"]),
            "oracle": task.get("oracle", {}),
            "study": {name: task[name] for name in OF_STUDY if name in task},
        }
        for task in plan["tasks"]
    ]
    arms = [
        {"coords": arm["coords"], "label": arm["coords"].get("optimizer"), "task": arm["task"]}
        for arm in plan["arms"]
    ]
    return json.dumps({"arms": arms, "tasks": tasks})


def silenced(noise: Tree) -> Data:
    """The noise of a task as it was.

    A source that is off disturbs nothing, so that its numbers are those of no noise.
    """
    quiet: dict[str, Data] = {
        "data": {"batch": None},
        "evaluation": {"evaluation": {"value": 0.0, "gradient": 0.0}},
    }
    off = noise.get("off", ())
    return {**noise, **{name: value for source in off for name, value in quiet.get(source, {}).items()}}


# inside -----------------------------------------------------------------------------------------------------


def _stored(dataset: Dataset) -> tuple[Arm, ...]:
    return _read(dataset.attrs.get(ATTRIBUTE, '{"arms": [], "tasks": []}'))


@functools.lru_cache(maxsize=8)
def _read(text: str) -> tuple[Arm, ...]:
    stored = json.loads(text)
    arms = []
    for arm in stored["arms"]:
        task = stored["tasks"][arm["task"]]
        groups = {group: task.get(group, {}) for group in GROUPS}
        more = {"draws": task.get("draws"), "let": stored.get("let", {})}
        arms.append(Arm(arm["coords"], arm["label"], **groups, **more))
    return tuple(arms)


def _axes(dataset: Dataset) -> list[str]:
    """Landscape, optimizer and the axes of the study."""
    return list(dict.fromkeys(name for arm in _stored(dataset)[:1] for name in (*FIXED, *arm.coords)))


def _names(arm: Arm) -> Numbers:
    """Name -> number, of one arm."""
    names: Numbers = {}
    for group in GROUPS:
        for name, number in _numbers(getattr(arm, group)):
            names[f"{group}.{name}"] = number
            names.setdefault(name, number)
    axes = {axis: float(value) for axis, value in arm.coords.items() if _number(value)}
    return with_let(axes | names, arm.let)


def with_let(numbers: Numbers, let: Tree) -> Numbers:
    """The numbers of an arm, behind them the names of `let` that have a number there, also as let.NAME."""
    for _ in let:  # a name may need others
        for name, given in let.items():
            with contextlib.suppress(ValueError):
                value = numbers.setdefault(f"{LET}{name}", evaluate(given, numbers))
                numbers.setdefault(name, value)
    return numbers


def hidden(numbers: Numbers) -> dict[str, str]:
    """Name -> what is said of it, of the names of `let` that a number of the arm hides, which is another."""
    of_let = {name.removeprefix(LET): value for name, value in numbers.items() if name.startswith(LET)}
    return {
        name: hides(name, numbers[name], value)
        for name, value in of_let.items()
        if numbers[name] != value
    }


def hides(name: str, own: float, of_let: float) -> str:
    """What is said of a name of `let` that is hidden."""
    return (
        f"{name} is {own:g} there, which hides the {of_let:g} of `let`; write {LET}{name}, or give that"
        " another name"
    )


def _numbers(values: Tree, head: str = "") -> Iterator[tuple[str, float]]:
    """Dotted name -> number; of {value: .., gradient: ..} the value has the name of the whole too."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from (
                (head + name, float(value["value"])) for _ in range(_number(value.get("value")))
            )
            yield from _numbers(value, f"{head}{name}.")
        elif _number(value):
            yield head + name, float(value)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
