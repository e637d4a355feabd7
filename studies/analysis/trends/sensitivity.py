"""How the loss depends on hyperparameters, as a by-product of `tuning:`, and what the tuning cost.

Each trial is a setting of all parameters of an arm at once, so that loss against one of them is seen at
random values of the others (a projection of the trials, not a cut through them). The score of a trial is its
median over worlds, with the distribution-free interval of a median between two order statistics (Conover
1999, "Practical nonparametric statistics", section 3.2; scipy.stats.quantile_test), which takes 6 worlds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from studies.results.tuning import Found, dims_of, places, recorded

LEAST = 6  # worlds from which on there is an interval
OBJECTIVES = {"loss": "median true loss", "area": "median of the mean true loss over log-spaced costs"}


def sensitivity(dataset: xr.Dataset) -> xr.Dataset:
    """The trials of a study.

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
    found = recorded(dataset)
    dims = dims_of(dataset, found)
    parameters = list(dict.fromkeys(name for one in found for name in one["ranges"]))
    grid, trials = tuple(dataset.sizes[dim] for dim in dims), len(found[0]["settings"])
    scale, choices = _scales(dataset, found, parameters)
    value = np.full((*grid, len(parameters), trials), np.nan)
    text = np.full(value.shape, "", object)
    loss, bounds = np.full((*grid, trials), np.nan), np.full((*grid, trials, 2), np.nan)
    winner, diverged, worlds = (
        np.zeros(loss.shape, bool),
        np.zeros(loss.shape, int),
        np.zeros(loss.shape, int),
    )
    for place, one in places(dataset, dims, found):
        loss[place] = [np.inf if median is None else median for median in one["median"]]
        if one["worlds"] >= LEAST:
            bounds[place] = [[np.inf if end is None else end for end in ends] for ends in one["interval"]]
        winner[(*place, one["winner"])], diverged[place], worlds[place] = True, one["diverged"], one["worlds"]
        for k, name in enumerate(parameters):
            if name in one["ranges"]:
                texts = [_text(setting[name]) for setting in one["settings"]]
                listed = choices[place[dims.index("optimizer")]][k]
                numbers = [
                    listed.index(t) if listed else s[name]
                    for t, s in zip(texts, one["settings"], strict=True)
                ]
                value[(*place, k)], text[(*place, k)] = (
                    [np.nan if number is None else number for number in numbers],
                    texts,
                )
    scored = OBJECTIVES[found[0]["objective"]]
    units = {"long_name": f"{scored} of a trial", "units": "loss"}
    variables: dict[str, Any] = {
        "value": (
            (*dims, "parameter", "trial"),
            value,
            {"long_name": "value of the parameter, or number of the choice"},
        ),
        "text": ((*dims, "parameter", "trial"), text, {"long_name": "value of the parameter as text"}),
        "loss": ((*dims, "trial"), loss, units),
        "loss_interval": (
            (*dims, "trial", "bound"),
            bounds,
            {"long_name": f"95% interval of the {scored}", "units": "loss"},
        ),
        "winner": ((*dims, "trial"), winner, {"long_name": "whether the study runs with this setting"}),
        "diverged": ((*dims, "trial"), diverged, {"long_name": "worlds that diverged", "units": "1"}),
        "worlds": ((*dims, "trial"), worlds, {"long_name": "worlds of the trial", "units": "1"}),
        "scale": (("optimizer", "parameter"), scale, {"long_name": "how values were drawn"}),
        "choices": (
            ("optimizer", "parameter"),
            [[json.dumps(c) for c in row] for row in choices],
            {"long_name": "choices, JSON"},
        ),
    }
    coords = {dim: dataset[dim] for dim in dims} | {
        "parameter": parameters,
        "trial": np.arange(trials),
        "bound": ["low", "high"],
    }
    return xr.Dataset(variables, coords, {key: found[0][key] for key in ("objective", "at", "per")})


def _scales(
    dataset: xr.Dataset, found: Found, parameters: Sequence[str]
) -> tuple[np.ndarray, list[list[list[str]]]]:
    """By optimizer and parameter.

    The scale, and the choices as text, with those that a study gave beside them.
    """
    names = dataset["optimizer"].values.tolist()
    scale = np.full((len(names), len(parameters)), "", object)
    choices: list[list[list[str]]] = [[[] for _ in parameters] for _ in names]
    for one in found:
        if one["coords"]["optimizer"] in names:
            row = names.index(one["coords"]["optimizer"])
            for name, span in one["ranges"].items():
                k = parameters.index(name)
                scale[row, k] = span.get("scale", "choices")
                if "choices" in span:
                    texts = [
                        *map(_text, span["choices"]),
                        *(_text(setting[name]) for setting in one["settings"]),
                    ]
                    choices[row][k] = list(dict.fromkeys([*choices[row][k], *texts]))
    return scale, choices


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_text(inner)}" for key, inner in value.items() if inner is not None)
    return value if isinstance(value, str) else json.dumps(value)
