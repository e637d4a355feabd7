"""How the loss depends on hyperparameters, as a by-product of `tuning:`, and what the tuning cost.

Each trial is a setting of all parameters of an arm at once, so that loss against one of them is seen at
random values of the others (a projection of the trials, not a cut through them). The score of a trial is its
median over worlds, with the distribution-free interval of a median between two order statistics (Conover
1999, "Practical nonparametric statistics", section 3.2; scipy.stats.quantile_test), which takes 6 worlds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from xarray import Dataset

from studies.analysis.shapes import BOUNDS, words
from studies.results.tuning import Found, dims_of, places, recorded
from studies.text.schema import LOSS
from studies.text.shapes import Data, Tree

LEAST = 6  # worlds from which on there is an interval
OBJECTIVES = {"loss": "median true loss", "area": "median of the mean true loss over log-spaced costs"}


def _objective(given: str) -> str:
    return OBJECTIVES.get(given, given)


def sensitivity(dataset: Dataset) -> Dataset:
    """Loss of every tuning trial by its settings.

    Args:
        dataset: results of a study with `tuning`.

    Returns:
        Dims landscape, optimizer, swept axes, parameter, trial (0: the setting that the study gives): `value`
        (a number, or the place in `choices`; NaN where the parameter is not tuned), `text` (the value as
        text), `loss` (without parameter; inf: half of the worlds or more diverged, or it never asked) and
        `loss_interval` (bound), `diverged` and `worlds` (of each trial), `winner` (bool); `scale` (log,
        linear, choices, or empty) and `choices` (JSON) by optimizer and parameter; `objective` and `at` as
        attributes. NaN where an arm was not tuned.

    Raises:
        ValueError: the study has no `tuning`.
    """
    tuned = recorded(dataset)
    dims = dims_of(dataset, tuned)
    parameters = list(dict.fromkeys(name for arm in tuned for name in arm["ranges"]))
    trials = len(tuned[0]["settings"])
    scale, choices = _scales(dataset, tuned, parameters)
    table = _Table.empty(tuple(dataset.sizes[dim] for dim in dims), parameters, trials)
    for place, arm in places(dataset, dims, tuned):
        table.enter(place, arm, choices[place[dims.index("optimizer")]])
    coords: Data = {dim: dataset[dim] for dim in dims}
    coords |= {"parameter": parameters, "trial": np.arange(trials), "bound": list(BOUNDS)}
    variables = _variables(dims, table, _objective(tuned[0]["objective"])) | _kinds(scale, choices)
    return Dataset(variables, coords, {key: tuned[0][key] for key in ("objective", "at", "per")})


def _kinds(scale: np.ndarray, choices: Sequence[Sequence[Sequence[str]]]) -> Data:
    """What is said of parameters, by optimizer."""
    dims = ("optimizer", "parameter")
    texts = [[json.dumps(listed) for listed in row] for row in choices]
    return {
        "scale": (dims, scale, words("how values were drawn", None)),
        "choices": (dims, texts, words("choices, JSON", None)),
    }


class _Table(NamedTuple):
    """The trials of all arms; `value` and `text` (.., parameter, trial), the rest (.., trial)."""

    parameters: Sequence[str]
    value: np.ndarray
    text: np.ndarray
    loss: np.ndarray
    bounds: np.ndarray  # (.., trial, 2)
    winner: np.ndarray
    diverged: np.ndarray
    worlds: np.ndarray

    @classmethod
    def empty(cls, grid: tuple[int, ...], parameters: Sequence[str], trials: int) -> _Table:
        """The table of a study whose arms make a grid, before any is entered."""
        wide = (*grid, len(parameters), trials)
        shape = (*grid, trials)
        return cls(
            parameters,
            value=np.full(wide, np.nan),
            text=np.full(wide, "", object),
            loss=np.full(shape, np.nan),
            bounds=np.full((*shape, 2), np.nan),
            winner=np.zeros(shape, bool),
            diverged=np.zeros(shape, int),
            worlds=np.zeros(shape, int),
        )

    def enter(self, place: tuple[int, ...], arm: Tree, choices: Sequence[list[str]]) -> None:
        """Enter one arm.

        Args:
            place: in the grid.
            arm: what tuning recorded of it.
            choices: of its optimizer, by parameter; empty where it has none.
        """
        self.loss[place] = [_or_inf(median) for median in arm["median"]]
        if arm["worlds"] >= LEAST:
            self.bounds[place] = [[_or_inf(end) for end in interval] for interval in arm["interval"]]
        self.winner[(*place, arm["winner"])] = True
        self.diverged[place], self.worlds[place] = arm["diverged"], arm["worlds"]
        for k, name in enumerate(self.parameters):
            if name in arm["ranges"]:
                values = [setting[name] for setting in arm["settings"]]
                self.text[(*place, k)] = [_text(value) for value in values]
                self.value[(*place, k)] = _as_numbers(values, choices[k])


def _as_numbers(values: Sequence[Any], choices: Sequence[str]) -> list[float]:
    """Values of a parameter, or their places among choices; NaN of null."""
    numbers = [choices.index(_text(value)) for value in values] if choices else values
    return [np.nan if number is None else number for number in numbers]


def _or_inf(number: float | None) -> float:
    return np.inf if number is None else number


def _variables(dims: Sequence[str], table: _Table, scored: str) -> Data:
    """The arrays of a table with their dims and words."""
    trial = (*dims, "trial")
    parameter = (*dims, "parameter", "trial")
    interval = words(f"95% interval of the {scored}", LOSS)
    return {
        "value": (
            parameter,
            table.value,
            words("value of the parameter, or number of the choice", None),
        ),
        "text": (parameter, table.text, words("value of the parameter as text", None)),
        "loss": (trial, table.loss, words(f"{scored} of a trial", LOSS)),
        "loss_interval": ((*trial, "bound"), table.bounds, interval),
        "winner": (trial, table.winner, words("whether the study runs with this setting", None)),
        "diverged": (trial, table.diverged, words("worlds that diverged")),
        "worlds": (trial, table.worlds, words("worlds of the trial")),
    }


def _scales(
    dataset: Dataset, tuned: Found, parameters: Sequence[str]
) -> tuple[np.ndarray, list[list[list[str]]]]:
    """The scale, and the choices as text, by optimizer and parameter.

    Beside the choices of a range stand those that a study gave.
    """
    names = dataset["optimizer"].values.tolist()
    scale = np.full((len(names), len(parameters)), "", object)
    choices: list[list[list[str]]] = [[[] for _ in parameters] for _ in names]
    for arm in (arm for arm in tuned if arm["coords"]["optimizer"] in names):
        row = names.index(arm["coords"]["optimizer"])
        for name, span in arm["ranges"].items():
            k = parameters.index(name)
            scale[row, k] = span.get("scale", "choices")
            choices[row][k] = _listed(choices[row][k], span.get("choices"), arm["settings"], name)
    return scale, choices


def _listed(
    before: list[str], choices: Sequence[Any] | None, settings: Sequence[Tree], name: str
) -> list[str]:
    """The choices of a parameter as text.

    Args:
        before: those of other arms.
        choices: of the range; None: it is none of choices.
        settings: of the trials, the first one that of the study.
        name: of the parameter.
    """
    if choices is None:
        return before
    values = [*choices, *(setting[name] for setting in settings)]
    return list(dict.fromkeys([*before, *map(_text, values)]))


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_text(inner)}" for key, inner in value.items() if inner is not None)
    return value if isinstance(value, str) else json.dumps(value)
