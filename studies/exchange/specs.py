"""What a landscape of a study is, in a benchmark's words: kind, function, dim."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import xarray as xr

Spec = dict[str, Any]  # kind and parameters
Key = tuple[str, int | None, int]  # kind, function, dim


def variants(part: xr.Dataset, label: str, config: dict[str, Any]) -> Iterator[tuple[Spec, xr.Dataset]]:
    """A landscape of a study with each value of the swept axes that change it.

    Args:
        part: the results of this landscape; an axis may have been cut or one value selected.
        label: of the landscape.
        config: the resolved study.
    """
    axes = list(_axes(part, label, config))
    swept = [(dim, names, points) for dim, names, points in axes if dim in part.dims]
    fixed = dict(config["landscapes"][label])
    for dim, names, points in axes:
        if dim not in part.dims:
            fixed |= dict(zip(names, points[_short(part[dim].item())], strict=True))
    for places in itertools.product(*(range(part.sizes[dim]) for dim, _, _ in swept)):
        spec, chosen = dict(fixed), part
        for (dim, names, points), place in zip(swept, places, strict=True):
            chosen = chosen.isel({dim: place})
            spec |= dict(zip(names, points[_short(part[dim].values[place].item())], strict=True))
        yield spec, chosen


def landscapes_of(dataset: xr.Dataset) -> dict[str, Key]:
    """Label -> what it is, for the landscapes of a study.

    Raises:
        ValueError: a landscape is several, or all worlds have one chosen instance, so that `instance` does not count the benchmark's.
    """
    config, found = json.loads(dataset.attrs["config"]), {}
    for label in dataset["landscape"].values.tolist():
        specs = [spec for spec, _ in variants(dataset.sel(landscape=label), label, config)]
        if len(specs) > 1:
            raise ValueError(f"landscapes.{label}: expected one landscape, an axis makes {len(specs)} of it; select one value of the axis first")
        if specs[0].get("instance") is not None:
            raise ValueError(f"landscapes.{label}.instance: expected null, so that worlds have the benchmark's instances, got {specs[0]['instance']}")
        found[label] = key_of(specs[0], label)
    return found


def key_of(spec: Spec, label: str) -> Key:
    """What says that two landscapes are one: kind, function and dim of a benchmark's; the label of any other."""
    function = spec.get("function")
    return (spec["kind"] if function is not None else label, function, int(spec.get("dim", 0)) if function is not None else 0)


def words(key: Key) -> str:
    """A key in a message."""
    return f"{key[0]} f{key[1]} {key[2]}-D" if key[1] is not None else key[0]


def _axes(part: xr.Dataset, label: str, config: dict[str, Any]) -> Iterator[tuple[str, list[str], dict[str, tuple]]]:
    """(dim, parameters that it sets, label on the axis -> their values) of the axes that change a landscape."""
    for name, given in config.get("sweep", {}).items():
        zipped = isinstance(given, dict) and "zip" in given
        columns = given["zip"] if zipped else {name: given["grid"] if isinstance(given, dict) else given}
        mine = [path for path in columns if path.startswith(f"landscapes.{label}.")]
        dim = next((d for d in (name, name.split(".")[-1]) if d in part.coords), None)
        if mine and dim is None:
            raise ValueError(f"landscapes.{label}: expected the coordinate of the axis {name}, found {', '.join(map(str, part.coords))}")
        if mine and dim is not None:
            rows = list(zip(*columns.values(), strict=True))
            labels = [
                " ".join(f"{path.split('.')[-1]}={_short(v)}" for path, v in zip(columns, row, strict=True)) if zipped else _short(row[0])
                for row in rows
            ]
            values = [tuple(value for path, value in zip(columns, row, strict=True) if path in mine) for row in rows]
            yield dim, [path.split(".", 2)[2] for path in mine], dict(zip(labels, values, strict=True))


def _short(value: Any) -> str:  # noqa: ANN401
    """A value as the axes of a study label it (`studies.sweeps.short`, which needs torch)."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return " ".join(f"{key}={_short(inner)}" for key, inner in value.items())
    return f"{value:.12g}" if isinstance(value, float) else str(value)
