"""Convergence rates and scaling exponents, on laws that are known."""

import dataclasses

import numpy as np
import pytest
import torch
import xarray as xr
from scipy import stats
from statsmodels.regression.linear_model import OLS

from studies.analysis.trends.rates import LAWS, aicc, fit, rates
from studies.analysis.trends.scaling import scaling
from studies.cells.loop import run_worlds
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from tests.support.each import each

X = np.arange(1.0, 101.0)
MADE = {
    "linear": (np.exp(-0.1 * X), 0.1),
    "sublinear": (3 * X**-0.7, 0.7),
    "exponential": (0.01 + np.exp(-0.15 * X), 0.15),
}


def ran(optimizers, landscape, worlds=6, steps=200, **more):
    """Runs of so many steps, every one recorded, as a Dataset; one gradient costs one evaluation."""
    study = {
        "name": "rates",
        "replicates": worlds,
        "budget": steps,
        "gradient_cost": 1,
        "landscapes": {"bowl": {"kind": "quadratic"} | landscape},
    } | more
    arms = make_plan(load_study(study | {"optimizers": optimizers})).arms
    parts = [
        run_worlds(
            dataclasses.replace(arm.task, checkpoints=np.arange(1.0, steps + 1).tolist()),
            torch.arange(worlds),
        ).drop_attrs()
        for arm in arms
    ]
    found = xr.concat(
        parts, xr.Variable("optimizer", list(optimizers)), coords="minimal", compat="override"
    )
    return found.assign_coords(terms=1.0).assign_attrs(config='{"gradient_cost": 1.0}')


class TestFit:
    @each("law", LAWS)
    @each("noise", [0.0, 0.02])
    def test_finds_the_law_and_its_rate(self, law, noise):
        loss, rate = MADE[law]
        found, (begin, end, points) = fit(
            X, loss * np.exp(noise * np.random.default_rng(1).normal(size=100))
        )
        assert LAWS[found[:, 2].argmin()] == law
        assert found[LAWS.index(law), 0] == pytest.approx(rate, rel=0.05 if noise else 1e-3)
        assert found[LAWS.index(law), 1] > 0.99
        assert (begin, end, points) == (10, 100, 91)

    def test_slope_and_r_squared_are_those_of_scipy(self):
        loss = 3 * X**-0.7 * np.exp(0.3 * np.random.default_rng(1).normal(size=100))
        found, _ = fit(X, loss, (1, 100))
        for row, x in ((0, X), (1, np.log(X))):
            line = stats.linregress(x, np.log(loss))
            assert found[row, 0] == pytest.approx(-line.slope)
            assert found[row, 1] == pytest.approx(line.rvalue**2)

    def test_differences_of_aicc_are_those_of_statsmodels(self):
        loss = np.log(3 * X**-0.7 * np.exp(0.3 * np.random.default_rng(1).normal(size=100)))
        ones = np.ones(100)
        line, constant = OLS(loss, np.stack([ones, X], 1)).fit(), OLS(loss, ones).fit()
        one, two = aicc((line.resid**2).sum(), 100, 2), aicc((constant.resid**2).sum(), 100, 1)
        wanted = sum(
            sign * (m.aic + 2 + 2 * k * (k + 1) / (100 - k - 1))
            for sign, m, k in ((1, line, 3), (-1, constant, 2))
        )
        assert one - two == pytest.approx(wanted)

    def test_the_range_is_as_given_and_else_ends_above_rounding(self):
        loss = np.exp(-X)
        assert fit(X, loss, (20, 30))[1].tolist() == [20, 30, 11]
        assert fit(X, loss)[1].tolist() == [pytest.approx(4), 33, 30]  # exp(-32.2) is 1e-14
        assert fit(X, np.where(X > 50, 0.0, loss), (1, 100))[1].tolist() == [1, 50, 50]

    def test_a_state_that_is_shown_twice_counts_once(self):
        loss, _ = MADE["linear"]
        twice = fit(np.repeat(X, 2), np.repeat(loss, 2))
        for one, two in zip(fit(X, loss), twice, strict=True):
            np.testing.assert_array_equal(one, two)

    def test_too_few_points_or_a_run_that_diverged_have_no_fit(self):
        assert np.isnan(fit(X[:4], X[:4])[0]).all()
        assert np.isnan(fit(X, np.where(X > 90, np.inf, 1 / X))[0]).all()
        assert np.isnan(fit(X, np.full(100, np.nan))[0]).all()
        assert np.isnan(fit(X, np.zeros(100))[0]).all()


class TestRates:
    def test_gradient_descent_and_heavy_ball_on_a_quadratic(self):
        """Eigenvalues 0.01 ..

        1: (1 - 2 / 101)^2 a step, and ((10 - 1) / (10 + 1))^2 with the best momentum (Polyak 1964).
        """
        step = {"kind": "sgd", "learning_rate": 2 / 1.01}
        ball = {"kind": "sgd", "learning_rate": 4 / 1.1**2, "momentum": (9 / 11) ** 2}
        data = ran({"descent": step, "ball": ball}, {"dim": 6, "condition": 100.0}, worlds=3)
        found = rates(data, span=(50, 200)).sel(law="linear")
        assert found["rate"].sel(optimizer="descent") == pytest.approx(-2 * np.log(99 / 101), rel=0.01)
        assert found["rate"].sel(optimizer="ball") == pytest.approx(-2 * np.log(9 / 11), rel=0.1)
        assert (rates(data)["law_found"] != "sublinear").all()
        assert (found["worlds"] == 3).all()

    def test_noise_keeps_a_floor_up(self):
        data = ran(
            {"SGD": {"kind": "sgd", "learning_rate": 0.05}},
            {"dim": 50, "condition": 1.0},
            noise={"evaluation": {"gradient": 0.1}},
        )
        found = rates(data, span=(1, 200)).isel(optimizer=0)
        assert found["law_found"] == "exponential"
        assert found["rate"].sel(law="exponential") == pytest.approx(-2 * np.log(1 - 0.05), rel=0.03)
        assert found["preferred"].values.tolist() == [0, 0, 1]

    def test_against_cost_is_per_evaluation(self):
        data = ran(
            {"ES": {"kind": "one_plus_one", "sigma": 1.0}},
            {"dim": 5, "condition": 1.0},
            steps=300,
            worlds=4,
        )
        steps, cost = (
            rates(data, against).isel(optimizer=0).sel(law="linear") for against in ("steps", "cost")
        )
        assert cost["rate"] == pytest.approx(float(steps["rate"]), rel=0.01)
        assert rates(data)["law_found"].item() == "linear"  # on the sphere (Jaegerskuepper 2003)
        low, high = steps["rate_interval"].values
        assert low < steps["rate"] < high

    def test_worlds_without_numbers_are_left_out(self):
        data = ran({"ES": {"kind": "one_plus_one", "sigma": 1.0}}, {"dim": 5}, worlds=3)
        data["status"][0, 0] = 4
        assert rates(data)["worlds"].item() == 2
        data["status"][0, 1, -1] = 3  # it recommends a point of before
        assert rates(data)["worlds"].item() == 1
        data["status"][...] = 5
        told = rates(data)
        assert told["worlds"].item() == 0
        assert told["law_found"].item() == "none"

    def test_mistakes(self):
        with pytest.raises(ValueError, match="expected against to be steps or cost, got 'seconds'"):
            rates(xr.Dataset(), "seconds")
        with pytest.raises(ValueError, match="expected a span"):
            rates(xr.Dataset(), span=(2, 1))


def mean(values, axis=-1):
    return np.nanmean(values, axis)


class TestScaling:
    SIZES = np.array([1, 2, 4, 8, 16, 32], float)

    def made(
        self,
        exponent=-0.5,
        *,
        worlds=20,
        shared=0.5,
        own=0.05,
        bend=0.0,
        cells=1,
        seed=1,
        instances=None,
    ):
        """Y = 3 x^exponent exp(bend (ln x)^2) in the mean, times what a world shares over all x and what it has of its own at each."""
        rng, x = np.random.default_rng(seed), np.log(self.SIZES)
        world = rng.normal(0, shared, (cells, 1, worlds))
        y = (
            3
            * np.exp(exponent * x + bend * x**2)[:, None]
            * np.exp(world + rng.normal(0, own, (cells, 6, worlds)))
        )
        made = xr.DataArray(y, dims=("cell", "batch", "replicate"), coords={"batch": self.SIZES})
        return (
            made
            if instances is None
            else made.assign_coords(instance=("replicate", np.arange(worlds) % instances))
        )

    def slope(self, values):
        return np.polyfit(np.log(self.SIZES), np.log(values.mean(1)), 1)

    def test_is_least_squares_with_the_jackknife_of_worlds(self):
        made = self.made()
        told, values = scaling(mean, [made], "batch").isel(cell=0), made.values[0]
        assert told["exponent"] == pytest.approx(self.slope(values)[0])
        assert told["prefactor"] == pytest.approx(np.exp(self.slope(values)[1]))
        left_out = [self.slope(np.delete(values, world, 1))[0] for world in range(20)]
        error = np.sqrt(19 / 20 * ((left_out - np.mean(left_out)) ** 2).sum())
        assert told["exponent_error"] == pytest.approx(error)
        assert told["exponent_interval"].values == pytest.approx(
            self.slope(values)[0] + stats.t.ppf([0.025, 0.975], 19) * error
        )

    def test_what_worlds_share_is_no_error_of_the_slope(self):
        """It moves all values alike. Taken as independent they gave nine times the error."""
        still, moved = (
            scaling(mean, [self.made(shared=shared)], "batch")["exponent_error"].item()
            for shared in (0.0, 2.0)
        )
        exact = (
            0.05 / np.sqrt(20) / np.sqrt(((np.log(self.SIZES) - np.log(self.SIZES).mean()) ** 2).sum())
        )
        assert still == pytest.approx(exact, rel=0.5)
        assert moved < 4 * exact < 2.0 / np.sqrt(20) / 3

    def test_instances_are_left_out_whole(self):
        made = self.made(instances=5)
        told = scaling(mean, [made], "batch").isel(cell=0)
        number = made["instance"].values
        left_out = [self.slope(made.values[0][:, number != one])[0] for one in range(5)]
        assert told["exponent_error"] == pytest.approx(
            np.sqrt(4 / 5 * ((left_out - np.mean(left_out)) ** 2).sum())
        )

    def test_a_plainly_curved_law_misfits(self):
        assert scaling(mean, [self.made(bend=0.05)], "batch")["misfit"].item() < 1e-3
        assert scaling(mean, [self.made(bend=-0.05, worlds=6)], "batch")["misfit"].item() < 0.05

    def test_the_same_values_in_all_worlds(self):
        exact = self.made(shared=0.0, own=0.0)
        assert scaling(mean, [exact], "batch")["misfit"].item() == 1
        assert scaling(mean, [self.made(shared=0.0, own=0.0, bend=0.01)], "batch")["misfit"].item() == 0

    @pytest.mark.verify
    @pytest.mark.parametrize("worlds", [6, 20, 64])
    @pytest.mark.parametrize(
        ("shared", "own", "power"), [(0.5, 0.05, 0.85), (0.5, 0.3, 0.05), (1.0, 0.3, 0.05)]
    )
    def test_no_more_than_a_twentieth_of_power_laws_misfit(self, worlds, shared, own, power):
        """1,000 studies of a power law, and 200 of one that is bent, of which at least the share `power` is found."""
        straight, bent = (
            scaling(
                mean,
                [self.made(cells=cells, worlds=worlds, shared=shared, own=own, bend=bend, seed=7)],
                "batch",
            )["misfit"]
            for cells, bend in ((1000, 0.0), (200, 0.05))
        )
        assert (straight < 0.05).mean() < 0.05 + 2 * np.sqrt(0.05 * 0.95 / 1000)
        assert (bent < 0.05).mean() > power

    def test_what_has_no_logarithm_is_left_out(self):
        made = self.made()
        made = made.copy()
        made[0, 0] = -1.0
        told, fewer = (
            scaling(mean, [made], "batch"),
            scaling(mean, [made.isel(batch=slice(1, None))], "batch"),
        )
        assert told["points"].item() == 5
        assert told["exponent"].item() == pytest.approx(fewer["exponent"].item())
        assert np.isnan(scaling(mean, [made.isel(batch=[0, 2])], "batch")["exponent"]).all()
        assert np.isnan(scaling(mean, [self.made(worlds=1)], "batch")["exponent"]).all()
        assert np.isnan(scaling(mean, [made.isel(batch=[2, 3])], "batch")["misfit"]).all()

    def test_an_axis_of_words_is_refused(self):
        with pytest.raises(ValueError, match="expected a dim 'batch' with numbers > 0"):
            scaling(mean, [self.made().assign_coords(batch=list("abcdef"))], "batch")
