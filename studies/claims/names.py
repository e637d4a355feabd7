"""The names that a prediction may use: the numbers of the study at the place where a claim is judged.

They are the numbers that the resolved study gives the claim's optimizer there, its landscape, the noise (batch, evaluation, ..) and the study itself
(budget, ..), each with its swept value, and the values of the swept axes themselves: of one name, the first of these. `optimizer.NAME`,
`landscape.NAME`, `noise.NAME` and `study.NAME` say which is meant; inside of an entry a dot leads on, as in `noise.evaluation.gradient`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import xarray as xr


def names_of(data: xr.Dataset, where: Mapping[str, Any], optimizer: str) -> dict[str, float]:
    """`names_at` of a study's results; parameters that `match` and `tuning` have found are as found."""
    names, here = names_at(json.loads(data.attrs["config"]), where, optimizer), {**where, "optimizer": optimizer}
    for key in ("tuning", "match"):
        for one in json.loads(data.attrs.get(key, "[]")):
            if all(here.get(axis, value) == value for axis, value in one["coords"].items()):
                setting = one["settings"][one["winner"]] if key == "tuning" else {one["parameter"]: one["value"]}
                names |= {f"{head}{name}": float(value) for name, value in setting.items() if _number(value) for head in ("", "optimizer.")}
    return names


def names_at(config: Mapping[str, Any], where: Mapping[str, Any], optimizer: str | None) -> dict[str, float]:
    """The numbers that a prediction may use.

    Args:
        config: the resolved study.
        where: landscape, and axis -> value.
        optimizer: label.
    """
    landscape = where.get("landscape")
    entry = _entry(config, optimizer)
    own = {key: value for key, value in entry.items() if key not in ("grid", "on")} | entry.get("on", {}).get(landscape, {})
    groups: dict[str, dict[str, Any]] = {
        "optimizer": own,
        "landscape": dict(config.get("landscapes", {}).get(landscape, {})),
        "noise": {key: _here(value, landscape) for key, value in config.get("noise", {}).items()},
        "study": {"budget": _here(config.get("budget"), landscape), "gradient_cost": config.get("gradient_cost")},
    }
    for path, value in _swept(config, where).items():
        _put(groups, path, value, landscape, optimizer)
    found: dict[str, float] = {}
    for group, values in groups.items():
        for key, number in _numbers(values):
            found[f"{group}.{key}"] = number
            found.setdefault(key, number)
    return {axis: float(value) for axis, value in where.items() if _number(value)} | found


def _numbers(values: Mapping[str, Any], head: str = "") -> Iterator[tuple[str, float]]:
    """Dotted name -> number; of {value: .., gradient: ..} the value has the name of the whole too."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from ((head + key, float(value["value"])) for _ in range(_number(value.get("value"))))
            yield from _numbers(value, f"{head}{key}.")
        elif _number(value):
            yield head + key, float(value)


def _entry(config: Mapping[str, Any], optimizer: str | None) -> dict[str, Any]:
    """The entry of an optimizer; of a variant of a grid, with its values."""
    entries = config.get("optimizers", {})
    if optimizer is None or optimizer in entries:
        return dict(entries.get(optimizer, {}))
    base = next((label for label in sorted(entries, key=len, reverse=True) if optimizer.startswith(f"{label} ")), None)
    if base is None:
        return {}
    told = dict(pair.split("=", 1) for pair in optimizer[len(base) :].split() if "=" in pair)
    return dict(entries[base]) | {key: number for key, text in told.items() if (number := _parse(text)) is not None}


def _here(value: Any, landscape: str | None) -> Any:  # noqa: ANN401
    """A value of one landscape, where values are given by landscape."""
    by_label = isinstance(value, Mapping) and not value.keys() <= {"value", "gradient"}
    return value.get(landscape, value.get("default")) if by_label else value


def _swept(config: Mapping[str, Any], where: Mapping[str, Any]) -> dict[str, Any]:
    """Path -> value of the swept axes at a place."""
    found: dict[str, Any] = {}
    for name, given in config.get("sweep", {}).items():
        dim = name if name in where else name.split(".")[-1]
        if dim not in where:
            continue
        if isinstance(given, Mapping) and "zip" in given:
            told = str(where[dim]).split(" ")
            found |= {path: _parse(text.partition("=")[2]) for path, text in zip(given["zip"], told, strict=False)}
        else:
            found[name] = where[dim]
    return found


def _put(groups: dict[str, dict[str, Any]], path: str, value: Any, landscape: str | None, optimizer: str | None) -> None:  # noqa: ANN401
    parts = path.split(".")
    if parts[0] == "optimizers" and optimizer is not None and (optimizer == parts[1] or optimizer.startswith(f"{parts[1]} ")):
        groups["optimizer"] |= {parts[-1]: value} if len(parts) == 3 or parts[3:4] == [landscape] else {}
    elif parts[0] == "landscapes" and parts[1] == landscape:
        groups["landscape"][parts[2]] = value
    elif parts[0] == "noise" and parts[2:] in ([], [landscape]):
        groups["noise"][parts[1]] = value
    elif len(parts) == 1:
        groups["study"][parts[0]] = value


def _number(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int | float) and not isinstance(value, bool)


def _parse(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
