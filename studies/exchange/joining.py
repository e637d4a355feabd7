"""Our runs and those of others in one Dataset."""

from __future__ import annotations

import numpy as np
import xarray as xr

from studies.exchange.imported import PAIRED
from studies.exchange.shown import common_rows, places
from studies.exchange.specs import landscapes_of
from studies.results import settings
from studies.results.config import changed, config
from studies.schema import DIMS, Status

GRIDS = ("cost", "target_loss")
OF_LANDSCAPES = (*GRIDS, "terms", "gap_known", "spacing", "precision")  # coordinates that ours keep


def beside(ours: xr.Dataset, theirs: xr.Dataset) -> xr.Dataset:
    """Lay imported runs beside a study's, along `optimizer`, on the landscapes that both have.

    Their worlds are not our worlds. Row r of `replicate` has the same instance on both sides, but nothing
    else in common: start and luck are others. The coordinate `paired` (optimizer) says whose worlds pair with
    ours. Comparisons of paired worlds (differences world by world, the probability that A beats B in a world)
    mean nothing across it: they must refuse, or treat the groups as independent. Medians, quartiles, running
    times and ECDFs of each optimizer by itself are all right. Runs of theirs that find no row of their
    instance get rows of their own; worlds that are not there are missing.

    Args:
        ours: a study's results.
        theirs: what `import_coco` or `import_ioh` gave with `like=ours`.

    Returns:
        A Dataset with the optimizers of both; the attributes are ours, `beside` names the other.

    Raises:
        ValueError: no landscape in common, an optimizer label in both, other checkpoints or targets.
    """
    left, right = _on_common_landscapes(ours, theirs)
    _check(left, right)
    axes = {dim: left[dim].values for dim in left["loss"].dims if dim not in DIMS}
    joined = _joined(left, right.expand_dims(axes) if axes else right)
    paired = np.repeat([True, False], [left.sizes["optimizer"], right.sizes["optimizer"]])
    joined = joined.assign_coords(paired=("optimizer", paired, PAIRED))
    return joined.assign_attrs(_attrs(ours, theirs))


def _attrs(ours: xr.Dataset, theirs: xr.Dataset) -> dict[str, object]:
    """Ours, with the optimizers of both and the name of theirs."""
    optimizers = config(ours).get("optimizers", {}) | config(theirs).get("optimizers", {})
    with_both = changed(ours, optimizers=optimizers) | settings.joined(ours.attrs, theirs.attrs)
    return ours.attrs | with_both | {"beside": theirs.attrs.get("name", "")}


def _on_common_landscapes(ours: xr.Dataset, theirs: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Both on the landscapes that both have, if their optimizers can stand beside each other."""
    others = landscapes_of(theirs)
    shared = [label for label, key in landscapes_of(ours).items() if others.get(label) == key]
    if not shared:
        raise ValueError(
            "beside: expected a landscape in common, found none; import again with like=ours (--like RESULTS)"
        )
    both = sorted({*ours["optimizer"].values.tolist()} & {*theirs["optimizer"].values.tolist()})
    if both:
        raise ValueError(
            f"beside: expected different optimizers, both have {', '.join(both)}; rename with"
            " theirs.assign_coords(optimizer=..)"
        )
    return ours.sel(landscape=shared), theirs.sel(landscape=shared)


def _check(left: xr.Dataset, right: xr.Dataset) -> None:
    """The same checkpoints and targets; one instance for each world."""
    for name in GRIDS:
        a, b = xr.broadcast(
            left[name].reset_coords(drop=True),
            right[name].reset_coords(drop=True),
            exclude=["checkpoint", "target"],
        )
        if a.shape != b.shape or not np.allclose(a, b, rtol=1e-12, atol=0, equal_nan=True):
            raise ValueError(
                f"beside: expected the same {name}, theirs are others; import again with like=ours (--like"
                " RESULTS)"
            )
    if left["instance"].ndim != 1:
        raise ValueError(
            "beside: expected one instance for each world, got dims"
            f" {', '.join(map(str, left['instance'].dims))}; select first"
        )


def _joined(left: xr.Dataset, right: xr.Dataset) -> xr.Dataset:
    """Along `optimizer`, in rows of common instances.

    What one side has not is missing: NaN, 0 where numbers are whole, status missing.
    """
    rows = common_rows(left["instance"].values, [right["instance"].values])
    coords = {name: left[name] for name in OF_LANDSCAPES if name in left.coords}
    ours, theirs = (
        _placed(part.drop_vars([*coords, "paired"], errors="ignore"), rows) for part in (left, right)
    )
    joined = xr.concat(
        [ours, _like(theirs, ours)],
        "optimizer",
        coords="minimal",
        compat="override",
        data_vars="all",
        join="exact",
    )
    instance = ("replicate", rows, left["instance"].attrs)
    joined = joined.transpose(*left.dims, missing_dims="ignore")
    return joined.assign_coords(coords | {"instance": instance})


def _like(theirs: xr.Dataset, ours: xr.Dataset) -> xr.Dataset:
    """Theirs with the variables and the labels of ours."""
    absent = {
        name: _nothing(part, theirs) for name, part in ours.data_vars.items() if name not in theirs
    }
    theirs = theirs.assign(absent)[list(ours.data_vars)]
    theirs = theirs.assign_coords({name: ours[name] for name in ("checkpoint", "target")})
    own = ours.get("recorded", ours["checkpoint"])
    if "optimizer" in own.dims:  # theirs are looked up at all checkpoints
        every = xr.ones_like(own.isel(optimizer=np.zeros(theirs.sizes["optimizer"], int)))
        theirs = theirs.assign_coords(recorded=every.assign_coords(optimizer=theirs["optimizer"]))
    return theirs


def _placed(part: xr.Dataset, rows: np.ndarray) -> xr.Dataset:
    """The worlds of a part in the rows of their instances."""
    empty = {name: _empty(array) for name, array in part.data_vars.items()}
    moved = part.drop_vars("instance").assign_coords(replicate=places(rows, part["instance"].values))
    return moved.reindex(replicate=np.arange(len(rows)), fill_value=empty)


def _nothing(array: xr.DataArray, other: xr.Dataset) -> xr.DataArray:
    """A variable that the other side has not, for its optimizers."""
    moved = array.isel(optimizer=np.zeros(other.sizes["optimizer"], int)).assign_coords(
        optimizer=other["optimizer"].values
    )
    return xr.full_like(moved, _empty(array))


def _empty(array: xr.DataArray) -> float:
    return int(Status.MISSING) if array.name == "status" else 0 if array.dtype.kind in "iu" else np.nan
