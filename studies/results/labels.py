"""Numbers that are computed without labels, and get them in the end.

Arithmetic of arrays that have the same labels compares and merges these at each step, which takes ten times
as long as the numbers do. Variables of one Dataset need no such comparison.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from xarray import DataArray, Variable


def labelled(part: Variable, like: DataArray, coords: Mapping | None = None) -> DataArray:
    """Numbers with the coordinates that another array has along their dims.

    Args:
        part: computed of variables of the Dataset that the other is of.
        like: with all dims of `part` but those of `coords`, and maybe more.
        coords: of its own, which the other array has not.
    """
    dims = {*part.dims}
    gone = [dim for dim in like.dims if dim not in dims]
    if gone:
        others = [name for name, own in like.coords.items() if not {*own.dims} <= dims]
        like = like.drop_vars(others).isel(dict.fromkeys(gone, 0))
    if part.dims == like.dims and not coords:
        result = like.copy(deep=False, data=part.data)
    else:
        result = DataArray(part, {**like.coords, **(coords or {})})
    result.attrs, result.name = part.attrs, None
    return result


def variable(part: DataArray | float) -> Variable:
    """Numbers without their labels."""
    return part.variable if isinstance(part, DataArray) else Variable((), part)


def where(condition: Variable, part: Variable, other: Variable | float) -> Variable:
    """The numbers where a condition holds, and others elsewhere."""
    own = condition, part, other
    if all(each.dims == part.dims for each in own if isinstance(each, Variable)):
        data = [each.data if isinstance(each, Variable) else each for each in own]
        return part.copy(deep=False, data=np.where(*data))
    return part.where(condition, other)
