"""Numbers of arms, all at once."""

import numpy as np
import xarray as xr

from studies.results.arms import numbers_at, places


def test_numbers_at_places_are_those_of_parts_of_the_dataset():
    """Whatever dims a variable has, in whatever order."""
    data = xr.Dataset(
        {
            "whole": (("low", "b", "a"), np.arange(24.0).reshape(4, 2, 3)),
            "of_a": ("a", np.array(["x", "y", "z"], object)),
            "single": 7,
        },
        {"a": [1, 2, 3], "b": [0.5, 0.25]},
    )
    names = [*data.data_vars, "a", "b"]
    found = list(numbers_at(data, ["a", "b"], names))
    parts = [data.isel(place) for place in places(data, ["a", "b"])]
    assert len(found) == len(parts) == 6
    for numbers, part in zip(found, parts, strict=True):
        for name in names:
            np.testing.assert_array_equal(numbers[name], part[name].values)
