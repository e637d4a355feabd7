"""What a landscape of a study is, in a benchmark's words: kind, function, dim."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import xarray as xr

from studies.analysis.sweeps import label as told
from studies.analysis.sweeps import swept

Spec = dict[str, Any]  # kind and parameters
Key = tuple[str, int | None, int]  # kind, function, dim


def variants(part: xr.Dataset, label: str, config: dict[str, Any]) -> Iterator[tuple[Spec, xr.Dataset]]:
    """A landscape of a study with each value of the swept axes that change it.

    Args:
        part: the results of this landscape; an axis may have been cut or one value selected.
        label: of the landscape.
        config: the resolved study.
    """
    axes = dict(_axes(part, label, config))
    along = [dim for dim in axes if dim in part.dims]
    fixed = dict(config["landscapes"][label])
    for dim in axes.keys() - set(along):
        fixed |= axes[dim][told(part[dim].item())]
    for places in itertools.product(*(range(part.sizes[dim]) for dim in along)):
        spec, chosen = dict(fixed), part
        for dim, place in zip(along, places, strict=True):
            chosen = chosen.isel({dim: place})
            spec |= axes[dim][told(part[dim].values[place].item())]
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


def _axes(part: xr.Dataset, label: str, config: dict[str, Any]) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """(dim, label on the axis -> parameters that it sets) of the axes that change a landscape."""
    head = f"landscapes.{label}."
    try:
        for dim, points in swept(part, config, lambda path: path.startswith(head)):
            yield dim, {told: {path.removeprefix(head): value for path, value in given.items()} for told, given in points.items()}
    except ValueError as error:
        raise ValueError(f"landscapes.{label}: {error}") from error
