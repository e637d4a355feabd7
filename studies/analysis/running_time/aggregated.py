"""Runtime distributions over several landscapes: the share of pairs of a problem, world and target solved.

As COCO aggregates them (Hansen, Auger, Ros et al. 2021). A problem is a landscape, and a value of the swept
axes that change it. The targets of each landscape are its own: 51 losses, evenly in the logarithm, between
the highest and the lowest that any world reached, of gaps not below the precision; evenly as such where
losses are not above 0. Each pair counts the same. One that an arm has no number for, since it failed or is
not run there, is not solved by it. Given targets are looked up at checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.running_time.attainment import levels
from studies.analysis.running_time.runtime import (
    costs_of,
    expected_running_time,
    in_blocks,
    over_targets,
)
from studies.analysis.shapes import bare, rest
from studies.results import settings
from studies.results.gaps import gap_known
from studies.results.hits import hits, spent
from studies.results.precision import precision
from studies.text.schema import ROUNDING

TARGETS = 51  # of a landscape, as in COCO
COSTS = 200  # at which shares are taken, where none are given
BEST = "best"  # reference: the arm with the least expected running time to each target
GROUPS = {"kind": "the kind of the landscape", "dim": "its dimension", "landscape": "its label"}
ALL = "all"  # the only group, where there is no other


def aggregated(
    dataset: Dataset,
    by: str = ALL,
    costs: Sequence[float] | DataArray | None = None,
    targets: DataArray | None = None,
    reference: str | None = None,
    clock: str = "cost",
) -> Dataset:
    """Runtime distributions over the landscapes of groups.

    Args:
        dataset: a study's results.
        by: all, or what landscapes of a group have in common: kind, dim, landscape, or a swept axis that
            changes landscapes.
        costs: on the clock; None: 200, evenly in the logarithm up to the most that a world spent.
        targets: losses with the dims `target` and `landscape`; None: 51 of each landscape.
        reference: the optimizer to compare with, or best: of each problem and target the arm with the least
            expected running time.
        clock: cost, steps, epochs, virtual_time or seconds.

    Returns:
        `solved` (group, optimizer, [axes], checkpoint), `solved_interval` (bound) and `worlds`; `end`, the
        median of what the worlds spent that miss a target, NaN where none does; `most_spent`, by one
        world; with a reference `reference` (group, checkpoint). `problems` (group): landscapes and
        values of axes. The coordinate of the clock's name: costs.

    Raises:
        ValueError: there is no such group, clock or reference.
    """
    which = f"hit_{clock}"
    own = automatic(dataset) if targets is None else targets
    hit, bill = hits(dataset, own, which), spent(dataset, clock)
    cost = _costs(bill, clock) if costs is None else costs_of(dataset, costs, clock)
    labels = groups(dataset, by)
    best = None if reference is None else _reference(dataset, own, which, reference)
    names = sorted(dict.fromkeys(labels.values.ravel().tolist()), key=_number)
    parts = [_group(hit, bill, cost, labels, name, best, clock) for name in names]
    return xr.concat(parts, xr.Variable("group", names), coords="minimal", compat="override")


def automatic(dataset: Dataset, number: int = TARGETS) -> DataArray:
    """Targets (target, landscape) from the highest loss that worlds reached down to the lowest.

    Args:
        dataset: a study's results.
        number: of targets of a landscape.
    """
    gap, least = gap_known(dataset), precision(dataset)
    least = least.where(gap, -np.inf).broadcast_like(gap)
    return levels(dataset, number=number, least=bare(least.max(rest(least, "landscape"))))


def groups(dataset: Dataset, by: str = ALL) -> DataArray:
    """The group of each problem, a text: dims landscape and the swept axes that change landscapes.

    Raises:
        ValueError: there is no such group.
    """
    dims = ["landscape", *problem_axes(dataset)]
    if by != ALL and by not in GROUPS and by not in dims:
        words = ", ".join([ALL, *GROUPS, *dims[1:]])
        raise ValueError(f"group: expected {words}; got {by!r}")
    coords = {dim: dataset[dim] for dim in dims}
    shape = [dataset.sizes[dim] for dim in dims]
    texts = [_text(dataset, by, place) for place in _places(dataset, dims)]
    return DataArray(np.array(texts, object).reshape(shape), coords, dims)


def problem_axes(dataset: Dataset) -> list[str]:
    """The swept axes along which some landscape has other parameters."""
    axes = [dim for dim in rest(dataset["loss"], "replicate", "checkpoint", "landscape", "optimizer")]
    if not settings.has(dataset):
        return []
    return [axis for axis in axes if _changes(settings.arms(dataset), axis)]


def _changes(arms: Sequence[settings.Arm], axis: str) -> bool:
    """Whether a landscape has other parameters along an axis."""
    seen: dict[str, object] = {}
    for arm in arms:
        place = repr({name: value for name, value in arm.coords.items() if name != axis})
        if seen.setdefault(place, arm.landscape) != arm.landscape:
            return True
    return False


def _places(dataset: Dataset, dims: Sequence[str]) -> Iterator[dict[str, object]]:
    """Labels along dims, in their order."""
    for place in np.ndindex(*(dataset.sizes[dim] for dim in dims)):
        yield {dim: dataset[dim].values[at] for dim, at in zip(dims, place, strict=True)}


def _text(dataset: Dataset, by: str, place: dict[str, object]) -> str:
    """The group of a problem."""
    if by == ALL:
        return ALL
    if by in place:
        return str(place[by]) if by == "landscape" else f"{by} = {place[by]:g}"
    landscape = settings.at(dataset, place)[0].landscape
    return str(landscape["kind"]) if by == "kind" else f"dim = {landscape['dim']}"


def _number(name: str) -> float:
    """What groups are sorted by: the number of one that has it; others stay in the order of landscapes."""
    _, _, number = name.partition(" = ")
    return float(number) if number else 0.0


def _group(
    hit: DataArray,
    bill: DataArray,
    cost: DataArray,
    labels: DataArray,
    name: str,
    best: DataArray | None,
    clock: str,
) -> Dataset:
    """The distributions of one group; of `hit`, `bill` and `best` its problems alone count."""
    dims = [*map(str, labels.dims), "target"]
    mine = hit.where(labels == name)
    arms = rest(mine, "replicate", *dims)
    there = mine.notnull().any(arms) if arms else mine.notnull()
    counted = there & mine.notnull().any([*dims, "replicate"])
    pairs = int(there.any("replicate").sum())
    shares = over_targets(_solved(mine, counted, cost, dims), cost, clock, pairs)
    missed = bill.where((mine == np.inf).any("target"))
    shares["end"] = missed.median(["replicate", *dims[:-1]]).reset_coords(drop=True)
    shares["most_spent"] = bill.where(mine.notnull().any("target")).max(["replicate", *dims[:-1]])
    shares["most_spent"] = shares["most_spent"].reset_coords(drop=True)
    shares["problems"] = there.any(["replicate", "target"]).sum()
    if best is not None:
        own = best.where(labels == name)
        both = over_targets(_solved(own, own.notnull(), cost, dims), cost, clock, pairs)
        shares["reference"] = both["solved"].reset_coords(drop=True)
    return shares


def _solved(
    hit: DataArray, counted: DataArray, cost: DataArray, dims: Sequence[str]
) -> Iterator[tuple[DataArray, DataArray]]:
    """Of some targets each: how many pairs a world has, and how many of them are solved at every cost."""
    counted = counted.drop_vars("target_loss", errors="ignore")
    reach, first = cost * (1 + ROUNDING), 0
    for part in in_blocks(hit, cost):
        own = counted.isel(target=slice(first, first + part.sizes["target"]))
        first += part.sizes["target"]
        yield own.sum(dims), (part <= reach).sum(dims)


def _reference(dataset: Dataset, targets: DataArray, which: str, reference: str) -> DataArray:
    """Hits of the arm that each problem and target is compared with: without the dims of arms.

    Raises:
        ValueError: there is no such optimizer.
    """
    names = [str(name) for name in dataset["optimizer"].values]
    if reference != BEST and reference not in names:
        words = ", ".join([BEST, *names])
        raise ValueError(f"reference: expected {words}; got {reference!r}")
    chosen = dataset if reference == BEST else dataset.sel(optimizer=[reference])
    ert = bare(expected_running_time(chosen, targets, which)["ert"])
    hit = bare(hits(chosen, targets, which))
    arms = rest(ert, "landscape", "target", *problem_axes(dataset))
    least = ert.stack(arm=arms).fillna(np.inf).argmin("arm")
    return hit.stack(arm=arms).isel(arm=least).drop_vars(["arm", *arms], errors="ignore")


def _costs(bill: DataArray, clock: str) -> DataArray:
    """Costs of the distributions, evenly in the logarithm over four decades, or from 1 on of counts."""
    most = float(bill.max())
    least = 1.0 if clock in ("cost", "steps") and 1.0 < most <= 1e4 else most / 1e4
    return costs_of(Dataset(), np.geomspace(least, most, COSTS).tolist(), clock)
