"""The best optimizer at every combination of swept axes."""

import json

import numpy as np
import pytest
import xarray as xr

from studies.analysis.comparison.comparison import compare
from studies.analysis.comparison.winners import touched, winners


def made(levels, worlds=16, gap=1.0, seed=1):
    """Losses of A, B and C, level times a lognormal of the world and of the run.

    Levels (optimizer, k, noise).
    """
    rng = np.random.default_rng(seed)
    levels = np.asarray(levels, float)
    loss = (
        levels[..., None, None]
        * np.exp(rng.normal(0, 1, (worlds, 1)) + rng.normal(0, 0.2, (*levels.shape, worlds, 1)))
        * np.ones(2)
    )
    dims = ("optimizer", "k", "noise", "replicate", "checkpoint")
    counts = np.broadcast_to(np.array([5, 10]), loss.shape).copy()
    data = {
        "loss": (dims, loss),
        "status": (dims, np.where(counts == 10, 2, 0)),
        "value_terms": (dims, counts),
        "gradient_terms": (dims, counts * 0),
    }
    coords = {
        "optimizer": list("ABC")[: len(levels)],
        "k": [0, 2],
        "noise": [0.0, 0.1, 1.0],
        "checkpoint": [0.5, 1.0],
        "cost": ("checkpoint", [5.0, 10.0]),
    }
    return xr.Dataset(
        data, coords | {"terms": 1.0, "gap_known": gap}, {"config": json.dumps({"gradient_cost": 3.0})}
    )


LEVELS = [[[1, 1, 1], [4, 4, 4]], [[3, 3, 1.02], [1, 1, 1]], [[9, 9, 9], [9, 1.02, 9]]]


class TestWinners:
    def test_lowest_median_by_how_much_and_whether_it_is_sure(self):
        data = made(LEVELS)
        told = winners(data)
        assert told["winner"].sel(k=0, noise=0.0).item() == "A"
        assert told["runner_up"].sel(k=0, noise=0.0).item() == "B"
        assert told["decided"].values.tolist() == [[True, True, False], [True, False, True]]
        last = data["loss"].isel(checkpoint=-1)
        median = last.quantile(0.5, "replicate", method="inverted_cdf")
        np.testing.assert_array_equal(
            told["winner"], data["optimizer"].values[median.argmin("optimizer")]
        )
        ordered = np.sort(median.values, axis=0)
        np.testing.assert_allclose(told["lead"], ordered[1] / ordered[0])
        assert (told["worlds"] == 16).all()

    def test_is_sure_only_where_every_comparison_is(self):
        data, place = made(LEVELS), {"k": 2, "noise": 0.1}
        verdicts = compare(data).sel(place)
        assert verdicts["verdict"].sel(pair="B - C").item() == "undecided"
        assert verdicts["verdict"].sel(pair="A - B").item() == "B better"
        assert not winners(data)["decided"].sel(place)

    def test_arms_that_are_alike_are_not_told_apart(self):
        assert not winners(made(np.ones((3, 2, 3)), seed=3))["decided"].any()

    def test_where_the_optimum_is_not_known_the_lead_is_a_difference(self):
        data = made(LEVELS, gap=0.0)
        median = (
            data["loss"].isel(checkpoint=-1).quantile(0.5, "replicate", method="inverted_cdf").values
        )
        np.testing.assert_allclose(winners(data)["lead"], np.sort(median, 0)[1] - np.sort(median, 0)[0])

    def test_where_it_is_known_for_some_values_of_an_axis_each_place_has_its_own_kind(self):
        data = made(LEVELS).assign_coords(gap_known=("k", [1.0, 0.0]))
        told = winners(data)
        median = np.sort(
            data["loss"].isel(checkpoint=-1).quantile(0.5, "replicate", method="inverted_cdf").values, 0
        )  # (optimizer, k, noise)
        np.testing.assert_allclose(told["lead"].sel(k=0), median[1, 0] / median[0, 0])
        np.testing.assert_allclose(told["lead"].sel(k=2), median[1, 1] - median[0, 1])
        assert told["logarithmic"].sel(k=[0, 2]).values.tolist() == [True, False]

    def test_arms_are_compared_at_the_cost_that_all_had(self):
        data = made(LEVELS)
        data["value_terms"][0], data["gradient_terms"][0] = (
            0,
            data["value_terms"][1] // 5 * 2,
        )  # 2 and 4 gradients: 6 and 12 evaluations
        data = data.assign_coords(cost=("checkpoint", [6.0, 12.0])).assign_attrs(
            config=json.dumps({"gradient_cost": {"value": 3, "range": [2, 9]}})
        )
        data["value_terms"][1:] = np.array([6, 8])
        data["loss"][0, ..., -1] = 1e-9  # of 12 evaluations, which the others did not have
        assert winners(data)["cost"] == 8
        np.testing.assert_array_equal(winners(data)["winner"].sel(k=2, noise=0.0), "B")

    def test_missing_and_diverged_arms_do_not_win(self):
        data = made(LEVELS)
        data["status"].loc[{"k": 0, "noise": 0.0}] = 5
        data["loss"].loc[{"k": 0, "noise": 0.0}] = np.nan
        data["status"].loc[{"k": 0, "noise": 0.1}] = 3
        data["loss"].loc[{"k": 0, "noise": 0.1}] = np.inf
        data["status"].loc[{"k": 0, "noise": 1.0, "optimizer": ["B", "C"]}] = 5
        told = winners(data)
        assert told["winner"].sel(k=0).values.tolist() == ["", "", "A"]
        assert not told["decided"].sel(k=0).any()

    def test_axes_that_touch_nothing_are_left_out(self):
        data = made(LEVELS).expand_dims(other=[1, 2])
        assert "other" not in touched(data).dims
        assert winners(data)["winner"].dims == ("k", "noise")

    def test_one_optimizer_is_refused(self):
        with pytest.raises(ValueError, match="expected two optimizers or more, got A"):
            winners(made(LEVELS).sel(optimizer=["A"]))
