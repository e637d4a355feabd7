"""Our runs and those of others in one Dataset."""

from __future__ import annotations

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.exchange.imported import PAIRED
from studies.exchange.shown import common_rows, places
from studies.exchange.specs import landscapes_of
from studies.results import settings
from studies.results.config import changed, config
from studies.text.schema import DIMS, Status
from studies.text.shapes import Data

AGAIN = "import again with like=ours (--like RESULTS)"
ALIKE = f"{AGAIN}, or run both studies with the same budget, checkpoints and targets"
GRIDS = ("cost", "target_loss")
JOINING: Data = {
    "coords": "minimal",
    "compat": "override",
    "data_vars": "all",
    "join": "exact",
}
OF_LANDSCAPES = (*GRIDS, "terms", "gap_known", "spacing", "precision")  # coordinates that ours keep


def beside(ours: Dataset, theirs: Dataset) -> Dataset:
    """Lay imported runs, or another study, beside a study's, along `optimizer`, on the landscapes of both.

    Of two studies of one seed whose worlds all begin at the same losses, worlds are the same, and pair. Those
    of imported runs are not our worlds: row r of `replicate` has the same instance on both sides, but nothing
    else in common: start and luck are others. The coordinate `paired` (optimizer) says whose worlds pair with
    ours. Comparisons of paired worlds (differences world by world, the probability that A beats B in a world)
    mean nothing across it: they must refuse, or treat the groups as independent. Medians, quartiles, running
    times and ECDFs of each optimizer by itself are all right. Runs of theirs that find no row of their
    instance get rows of their own; worlds that are not there are missing.

    Args:
        ours: a study's results.
        theirs: what `import_coco` or `import_ioh` gave with `like=ours`, or another study's results.

    Returns:
        A Dataset with the optimizers of both; the attributes are ours, `beside` names the other.

    Raises:
        ValueError: no landscape in common, an optimizer label in both, other checkpoints or targets.
    """
    left, right = _on_common_landscapes(ours, theirs)
    _check(left, right)
    axes = {dim: left[dim].values for dim in left["loss"].dims if dim not in DIMS}
    joined = _joined(left, right.expand_dims(axes) if axes else right)
    same = config(ours).get("seed") == config(theirs).get("seed") and _begin_alike(joined, left, right)
    paired = np.concatenate([_pairing(left), same & _pairing(right)])
    joined = joined.assign_coords(paired=("optimizer", paired, PAIRED))
    return joined.assign_attrs(_attrs(ours, theirs))


def _attrs(ours: Dataset, theirs: Dataset) -> dict[str, object]:
    """Ours, with the optimizers of both and the name of theirs."""
    optimizers = config(ours).get("optimizers", {}) | config(theirs).get("optimizers", {})
    with_both = changed(ours, optimizers=optimizers) | settings.joined(ours.attrs, theirs.attrs)
    return ours.attrs | with_both | {"beside": theirs.attrs.get("name", "")}


def _on_common_landscapes(ours: Dataset, theirs: Dataset) -> tuple[Dataset, Dataset]:
    """Both on the landscapes that both have, if their optimizers can stand beside each other."""
    others = landscapes_of(theirs)
    shared = [label for label, key in landscapes_of(ours).items() if others.get(label) == key]
    if not shared:
        raise ValueError(f"beside: expected a landscape in common, found none; {AGAIN}")
    _check_optimizers(ours, theirs)
    return ours.sel(landscape=shared), theirs.sel(landscape=shared)


def _check_optimizers(ours: Dataset, theirs: Dataset) -> None:
    """Refuse labels that both have."""
    both = sorted({*ours["optimizer"].values.tolist()} & {*theirs["optimizer"].values.tolist()})
    if both:
        raise ValueError(
            f"beside: expected different optimizers, both have {', '.join(both)}; rename with"
            " theirs.assign_coords(optimizer=..)"
        )


def _check(left: Dataset, right: Dataset) -> None:
    """The same checkpoints and targets; one instance for each world."""
    for name in GRIDS:
        if not _same(left[name], right[name]):
            raise ValueError(f"beside: expected the same {name}, theirs are others; {ALIKE}")
    _check_instances(left)


def _pairing(side: Dataset) -> np.ndarray:
    """Of each optimizer of a side, whether its worlds pair with the others there."""
    paired = side.coords.get("paired", xr.ones_like(side["optimizer"], bool))
    return paired.values.astype(bool)


def _begin_alike(joined: Dataset, *sides: Dataset) -> bool:
    """Whether the worlds that both sides have begin at the same losses."""
    if "start_loss" not in joined:
        return False
    start = joined["start_loss"]
    ours, theirs = (start.sel(optimizer=side["optimizer"].values).max("optimizer") for side in sides)
    both = ours.notnull() & theirs.notnull()
    return bool(both.any() and (ours == theirs).where(both, True).all())


def _check_instances(left: Dataset) -> None:
    """One instance for each world of ours."""
    if left["instance"].ndim != 1:
        dims = ", ".join(map(str, left["instance"].dims))
        raise ValueError(f"beside: expected one instance for each world, got dims {dims}; select first")


def _same(ours: DataArray, theirs: DataArray) -> bool:
    """Whether checkpoints, or targets, are the same on all landscapes."""
    both = (part.reset_coords(drop=True) for part in (ours, theirs))
    a, b = xr.broadcast(*both, exclude=["checkpoint", "target"])
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-12, atol=0, equal_nan=True)


def _joined(left: Dataset, right: Dataset) -> Dataset:
    """Along `optimizer`, in rows of common instances.

    What one side has not is missing: NaN, 0 where numbers are whole, status missing.
    """
    rows = common_rows(left["instance"].values, [right["instance"].values])
    coords = {name: left[name] for name in OF_LANDSCAPES if name in left.coords}
    without = [*coords, "paired"]
    ours, theirs = (_placed(part.drop_vars(without, errors="ignore"), rows) for part in (left, right))
    joined = xr.concat([ours, _like(theirs, ours)], "optimizer", **JOINING)
    instance = ("replicate", rows, left["instance"].attrs)
    joined = joined.transpose(*left.dims, missing_dims="ignore")
    return joined.assign_coords(coords | {"instance": instance})


def _like(theirs: Dataset, ours: Dataset) -> Dataset:
    """Theirs with the variables and the labels of ours."""
    absent = {
        name: _nothing(part, theirs) for name, part in ours.data_vars.items() if name not in theirs
    }
    theirs = theirs.assign(absent)[list(ours.data_vars)]
    theirs = theirs.assign_coords({name: ours[name] for name in ("checkpoint", "target")})
    return _recorded(_in_no_cell(theirs, ours), ours)


def _in_no_cell(theirs: Dataset, ours: Dataset) -> Dataset:
    """Theirs where ours say which worlds a cell computed: no cell did so, and they have no seconds."""
    cells = ours.coords.get("cell")
    if cells is None:
        return theirs
    return theirs.assign_coords(cell=_nothing(cells, theirs) if "optimizer" in cells.dims else cells)


def _recorded(theirs: Dataset, ours: Dataset) -> Dataset:
    """Theirs are looked up at all checkpoints, where ours say at which each optimizer is."""
    own = ours.get("recorded", ours["checkpoint"])
    if "optimizer" not in own.dims:
        return theirs
    every = _for_each(own, theirs["optimizer"])
    return theirs.assign_coords(recorded=xr.ones_like(every))


def _for_each(part: DataArray, optimizers: DataArray) -> DataArray:
    """The values of the first optimizer, for these."""
    first = part.isel(optimizer=np.zeros(optimizers.size, int))
    return first.assign_coords(optimizer=optimizers.values)


def _placed(part: Dataset, rows: np.ndarray) -> Dataset:
    """The worlds of a part in the rows of their instances."""
    empty = {name: _empty(array) for name, array in part.data_vars.items()}
    own = places(rows, part["instance"].values)
    moved = part.drop_vars("instance").assign_coords(replicate=own)
    return moved.reindex(replicate=np.arange(len(rows)), fill_value=empty)


def _nothing(array: DataArray, other: Dataset) -> DataArray:
    """A variable that the other side has not, for its optimizers."""
    return xr.full_like(_for_each(array, other["optimizer"]), _empty(array))


def _empty(array: DataArray) -> float:
    return int(Status.MISSING) if array.name == "status" else 0 if array.dtype.kind in "iu" else np.nan
