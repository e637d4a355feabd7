"""Losses of two arms side by side.

In every world the one against the other, missing worlds left out, diverged ones the worst (inf).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.intervals.bootstrap import groups
from studies.results.arms import asked
from studies.results.gaps import gap_known
from studies.results.hits import at_budget, at_cost
from studies.results.labels import labelled, where
from studies.results.precision import decades
from studies.text.schema import Status

ASKED = (
    "status",
    "steps",
    "value_terms",
    "gradient_terms",
)  # what says whether an arm asked for values
SIDES = ("optimizer", "paired")  # coordinates that `pairs` reads


def losses(dataset: Dataset, value: str = "loss", at: float | None = None) -> DataArray:
    """The loss of every world at a cost, or at all checkpoints.

    Args:
        dataset: a study's results.
        value: the variable that holds the loss.
        at: evaluations, see `targets.at_cost`; inf: the last checkpoint within the budget that all arms have;
            None: all.

    Returns:
        inf where a run has diverged, NaN where it has no numbers, and of an arm that has not asked for a
        value by then.

    Raises:
        ValueError: there is no such cost.
    """  # noqa: DOC502
    end = dataset
    if at is not None:
        wanted = [name for name in (value, *ASKED) if name in dataset.data_vars]
        end = at_budget(dataset, wanted) if at == np.inf else at_cost(dataset, at, wanted)
    loss, status = end[value], end.variables["status"]
    there = (status < Status.FAILED) & asked(end).variable
    shown = where(there, where(status != Status.DIVERGED, loss.variable, np.inf), np.nan)
    result = labelled(shown, loss)
    result.name = loss.name
    return result


def scaled(loss: DataArray, least: DataArray) -> tuple[DataArray, DataArray]:
    """The common logarithm of the loss where it is the gap to a known optimum, else itself; and which it is.

    Args:
        loss: of `losses`.
        least: the precision of the study (`studies.results.precision`), as which a smaller gap counts.
    """
    known = gap_known(loss).rename("logarithmic")
    result = on_scale(loss, known, least)
    return result.assign_coords(loss.coords).transpose(*loss.dims), known


def on_scale(loss: DataArray, known: DataArray, least: DataArray) -> DataArray:
    """The common logarithm of the loss where it is the gap to a `known` optimum, else itself."""
    return xr.where(known, decades(loss.where(known), least), loss, keep_attrs=True)


def same_worlds(results: Dataset | DataArray) -> None:
    """Raise where optimizers ran in worlds of their own, as imported ones did, so that nothing can be paired.

    Raises:
        ValueError: the coordinate `paired` (optimizer) is False of one.
    """
    if "paired" in results.coords and not results["paired"].all():
        apart = np.atleast_1d(results["optimizer"].where(~results["paired"], drop=True).values)
        raise ValueError(
            "comparison: expected optimizers that ran in the same worlds,"
            f" {', '.join(map(str, apart))} did not: leave out those whose `paired` is False"
        )


def pairs(loss: DataArray) -> tuple[DataArray, DataArray]:
    """A and B of every two optimizers, NaN where either is.

    In place of the dim `optimizer` the dim `pair`, with the coordinates `a` and `b`.

    Raises:
        ValueError: there is only one optimizer, or some ran in other worlds (see `same_worlds`).
    """
    a, b = sides(loss)
    known = a.notnull() & b.notnull()
    return a.where(known), b.where(known)


def sides(loss: DataArray) -> tuple[DataArray, DataArray]:
    """The same, with all numbers that there are.

    Raises:
        ValueError: as of `pairs`.
    """
    same_worlds(loss)
    names = [str(name) for name in loss["optimizer"].values]
    if len(names) < 2:
        raise ValueError(
            f"comparison: expected two optimizers or more, got {', '.join(names) or 'none'}"
        )
    every_two = list(itertools.combinations(range(len(names)), 2))
    coords = {"pair": ("pair", [f"{names[i]} - {names[j]}" for i, j in every_two])}
    of_sides = {"a": [i for i, _ in every_two], "b": [j for _, j in every_two]}
    coords |= {side: ("pair", [names[place] for place in places]) for side, places in of_sides.items()}
    a, b = (
        loss.isel(optimizer=places).rename(optimizer="pair").assign_coords(coords)
        for places in of_sides.values()
    )
    return a, b


def difference(a: DataArray, b: DataArray) -> DataArray:
    """A - B; 0 where both have diverged."""
    with np.errstate(invalid="ignore"):
        return xr.where(a == b, 0.0, a - b, keep_attrs=False).assign_coords(a.coords)


def score(a: DataArray, b: DataArray) -> DataArray:
    """1 where A has the lower loss, half where they are equal, 0 where B has it."""
    return ((a < b) + 0.5 * (a == b)).where(a.notnull() & b.notnull())


def unit_means(part: DataArray) -> DataArray:
    """What is independent: the mean over the worlds of each instance, dim `unit`.

    Worlds where there is one instance alone or each has its own. A mean of inf and -inf is 0: worlds of which
    one diverged on either side tie.
    """
    members = groups(part)
    if 1 in members.shape:
        return _each_world(part.isel(replicate=members.ravel()))
    worlds = _by_unit(part, members)
    both = (worlds == np.inf).any("member") & (worlds == -np.inf).any("member")
    with np.errstate(invalid="ignore"):
        means = xr.where(both, 0.0, worlds.mean("member"))
    kept = {name: coord for name, coord in part.coords.items() if "replicate" not in coord.dims}
    return means.drop_vars(set(means.coords) - set(kept)).assign_coords(kept).transpose(..., "unit")


def _each_world(part: DataArray) -> DataArray:
    """Worlds as units, without the coordinates along them."""
    own = [name for name, coord in part.coords.items() if "replicate" in coord.dims]
    return part.drop_vars(own).rename(replicate="unit").transpose(..., "unit")


def _by_unit(part: DataArray, members: np.ndarray) -> DataArray:
    """The worlds of each unit: dims unit and member, in place of `replicate`; NaN where it has fewer.

    Args:
        part: dim `replicate`.
        members: (I, m) of every unit, -1 where it has fewer.
    """
    places = DataArray(members, dims=("unit", "member"))
    return part.isel(replicate=places.clip(0)).where(places >= 0)


def distinct(part: DataArray, dims: Sequence[str]) -> DataArray:
    """Where numbers stand for the first time on their landscape.

    Along an axis that a landscape does not have its numbers are repeated, and are not distinct.

    Args:
        part: numbers.
        dims: landscape and swept axes, the dims of the result.
    """
    numbers = part.transpose(*dims, ...)
    places = {dim: numbers[dim].values for dim in dims if dim in numbers.coords}
    first = DataArray(np.zeros(numbers.shape[: len(dims)], bool), places, dims)
    seen = set()
    for place in np.ndindex(first.shape):
        landscape = place[dims.index("landscape")] if "landscape" in dims else 0
        key = (landscape, numbers.values[place].tobytes())
        first.values[place] = key not in seen
        seen.add(key)
    return first
