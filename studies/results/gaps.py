"""What a loss is: the gap to the optimum where that is known, else a raw value.

0 is the best possible gap; of raw values only differences mean something. The coordinate `gap_known` of a
Dataset says it of every arm. Two arms whose losses mean different things are not pooled, fitted or compared.
"""

from __future__ import annotations

import numpy as np
from xarray import DataArray, Dataset

WORDS = ("loss", "gap")  # by `gap_known`
LOSSES = ("loss", "best_loss", "observed", "population_loss")  # variables of which it is said
UNITS = {
    "gap": "loss (gap to the optimum)",
    "loss": "loss",
    "gap or loss": "loss (gap to the optimum where gap_known is 1)",
}  # by `word`


def gap_known(data: Dataset | DataArray) -> DataArray:
    """Whether the loss is the gap to a known optimum, at every place of the results.

    Nowhere where these do not say so.

    It is a property of the landscape, so that it has no dim `optimizer`: a place where one optimizer did not
    run is told by the others.

    Args:
        data: a study's results, an arm of them, or one of their losses.
    """
    return DataArray(of_landscape(data, "gap_known") > 0)


def of_landscape(data: Dataset | DataArray, name: str) -> DataArray:
    """A coordinate that is a property of landscapes, which no optimizer changes; 0 where it is not known."""
    part = data.coords.get(name, DataArray(0.0)).reset_coords(drop=True)
    return (part.max("optimizer") if "optimizer" in part.dims else part).fillna(0.0)


def word(data: Dataset) -> str:
    """What the loss of these results is: `gap`, `loss`, or `gap or loss` where it differs between arms."""
    is_gap = gap_known(data)
    kinds = {bool(value) for value in is_gap.values.ravel()}
    return WORDS[kinds.pop()] if len(kinds) == 1 else "gap or loss"


def with_units(data: Dataset) -> Dataset:
    """The results with units of the losses that say what these are."""
    losses = [name for name in (*LOSSES, "start_loss") if name in data]
    return data.assign({name: data[name].assign_attrs(units=UNITS[word(data)]) for name in losses})


def said(data: Dataset) -> str:
    """Where the loss is the gap to the optimum and where it is none, as a sentence.

    Empty where it is the same everywhere.
    """
    is_gap = gap_known(data)
    is_gap = is_gap if "landscape" in is_gap.dims else is_gap.expand_dims(landscape=[""])
    places: dict[bool, list[str]] = {True: [], False: []}
    for label in is_gap["landscape"].values.tolist():
        here = is_gap.sel(landscape=label, drop=True)
        for kind in (True, False):
            places[kind] += _places(label, here == kind)
    if not all(places.values()):
        return ""
    gaps, raw = (_listed(places[kind]) for kind in (True, False))
    return (
        f"The loss is the gap to the optimum on {gaps}; on {raw} the optimum is not known, and the loss is"
        " the landscape's own value."
    )


def alike(data: Dataset | DataArray, dim: str) -> None:
    """Raise where the loss is a gap at some values of an axis and a raw value at others.

    Nothing can be said along it.

    Args:
        data: a study's results, or one of its losses.
        dim: the axis.

    Raises:
        ValueError: it differs.
    """
    is_gap = gap_known(data)
    if dim not in is_gap.dims or not bool((is_gap.any(dim) & ~is_gap.all(dim)).any()):
        return
    other = [name for name in is_gap.dims if name != dim]
    gaps, raw = (
        ", ".join(map(_text, data[dim].values[here.any(other).values].tolist()))
        for here in (is_gap, ~is_gap)
    )
    raise ValueError(
        f"{dim}: expected losses of one meaning, they are gaps to the optimum at {gaps} and raw values at"
        f" {raw}; select one of the two"
    )


def _listed(places: list[str]) -> str:
    """As a sentence lists them; a place that has commas of its own is set off by semicolons."""
    comma = "; " if any("," in place for place in places) else ", "
    *most, last = places
    return f"{comma.join(most)} and {last}" if most else last


def _places(label: str, here: DataArray) -> list[str]:
    """The places of one landscape that are marked; all of them together are the landscape."""
    if bool(here.all()) or not here.ndim:
        return [label] if bool(here.all()) else []
    marked = zip(*np.nonzero(here.values), strict=True)
    rest = (
        ", ".join(
            f"{dim} = {_text(here[dim].values.tolist()[i])}"
            for dim, i in zip(here.dims, at, strict=True)
        )
        for at in marked
    )
    return [f"{label} ({text})" if label else text for text in rest]


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
