"""The spectrum of noise and the population over time, from made-up ledgers whose answer is known."""

import numpy as np
import pytest
import xarray as xr

from studies.analysis.noise import pooling
from studies.analysis.noise.noise import shares
from studies.analysis.noise.population import diversity, population
from studies.analysis.noise.spectrum import spectrum

WORLDS, MODES = 40, 3


def ledger(eigenvalues, curvature, mean_curvature):
    """One arm at one moment: (R, modes), (R,), (R,)."""
    eigenvalues = np.asarray(eigenvalues, float)
    trace = eigenvalues.sum(-1)
    rank = trace**2 / np.maximum((eigenvalues**2).sum(-1), 1e-300)
    return xr.Dataset(
        {
            "noise_eigenvalue": (("replicate", "mode"), eigenvalues),
            "step_variance": (("replicate", "direction"), trace[:, None]),
            "noise_rank": ("replicate", rank),
            "noise_curvature": ("replicate", curvature),
            "mean_curvature": ("replicate", mean_curvature),
        },
        {
            "direction": ["all"],
            "mode": np.arange(eigenvalues.shape[-1]),
            "replicate": np.arange(len(trace)),
        },
    )


class TestShares:
    def data(self, moving, still=0):
        """Of two sources the first has a quarter to a third of the variance; some worlds do not move at all."""
        variance = np.append(np.linspace(1.0, 2.0, moving), np.zeros(still))
        first = variance[:, None] * [[0.25, 0.5]] + np.minimum(variance, 1)[:, None] * [[0.1, 0.0]]
        by_source = (("replicate", "source"), first)
        variables = {"step_variance_first": by_source, "step_variance_total": by_source}
        variables["step_variance"] = ("replicate", variance)
        return xr.Dataset(
            variables, {"source": ["data", "mutation"], "replicate": np.arange(moving + still)}
        )

    def test_worlds_that_do_not_move_do_not_count(self):
        """Neither in the shares nor in how sure they are: 12 worlds of 20 are 12 worlds."""
        some, alone = (shares(self.data(12, still)) for still in (8, 0))
        xr.testing.assert_allclose(some, alone, rtol=1e-12)
        assert float(alone["first"].sel(source="mutation")) == pytest.approx(0.5)

    def test_where_none_moves_there_are_no_shares(self):
        assert (
            shares(self.data(0, 8))[["first", "total", "interaction"]].isnull().all().to_array().all()
        )


class TestSpectrum:
    def test_isotropic_noise(self):
        told = spectrum(ledger(np.ones((WORLDS, MODES)), np.full(WORLDS, 2.0), np.full(WORLDS, 2.0)))
        assert told["share"].values == pytest.approx([1 / 3] * 3)
        assert float(told["rank"]) == pytest.approx(3)
        assert float(told["alignment"]) == pytest.approx(1)
        assert int(told["worlds"]) == WORLDS

    def test_noise_in_one_direction(self):
        told = spectrum(ledger([[4.0, 0, 0]] * WORLDS, np.full(WORLDS, 30.0), np.full(WORLDS, 10.0)))
        assert told["share"].values.tolist() == [1, 0, 0]
        assert (float(told["rank"]), float(told["alignment"])) == pytest.approx((1, 3))

    def test_a_world_counts_by_how_much_it_moves(self):
        told = spectrum(ledger([[9.0, 0, 0], [1.0, 1.0, 0]] * 20, np.ones(WORLDS), np.ones(WORLDS)))
        assert float(told["share"].sel(mode=0)) == pytest.approx(
            10 / 11
        )  # not the mean of shares, 3 / 4

    def test_the_interval_holds_the_value(self):
        drawn = np.random.default_rng(1).exponential(size=(WORLDS, MODES))
        told = spectrum(ledger(drawn, np.ones(WORLDS), np.ones(WORLDS)))
        low, high = told["share_interval"].transpose("bound", ...).values
        assert (low < told["share"].values).all()
        assert (told["share"].values < high).all()

    def test_shares_add_up_to_1_however_few_the_steps(self):
        """The variance of a step, of pairs of steps, is another estimate than the eigenvalues' own sum.

        Here 4 / 5 of it.
        """
        data = ledger([[3.0, 1.0, 1.0]] * WORLDS, np.ones(WORLDS), np.ones(WORLDS))
        data["step_variance"] = data["step_variance"] * 0.8
        whole = spectrum(data.assign(noise_trace=data["noise_eigenvalue"].sum("mode")))
        assert whole["share"].values == pytest.approx([0.6, 0.2, 0.2])
        assert spectrum(data)["share"].values == pytest.approx([
            0.6,
            0.2,
            0.2,
        ])  # of results that did not record the sum
        assert float(whole["share_interval"].max()) <= 1

    def test_without_mean_curvature_there_is_no_alignment(self):
        told = spectrum(ledger(np.ones((WORLDS, MODES)), np.full(WORLDS, -2.0), np.zeros(WORLDS)))
        assert np.isnan(told["alignment"])

    def test_a_world_without_noise_does_not_count(self):
        told = spectrum(
            ledger([[1.0, 1.0, 0]] * 20 + [[0.0, 0, 0]] * 20, np.ones(WORLDS), np.ones(WORLDS))
        )
        assert int(told["worlds"]) == 20
        assert float(told["rank"]) == pytest.approx(2)

    def test_without_a_ledger(self):
        with pytest.raises(ValueError, match="spectrum: expected results with the noise ledger"):
            spectrum(xr.Dataset())


class TestPopulation:
    def data(self):
        one = np.linspace(0, 1, WORLDS)
        names = ("heterozygosity", "linkage_disequilibrium", "fixed_loci", "genotypes", "loss_variance")
        variables = {
            name: ("replicate", one * (i + 1), {"long_name": name, "units": "1"})
            for i, name in enumerate(names)
        }
        variables["price"] = (
            ("replicate", "force"),
            np.stack([-2 * one, one], -1),
            {"long_name": "change of loss", "units": "loss"},
        )
        return xr.Dataset(
            variables, {"force": ["selection", "mutation"], "replicate": np.arange(WORLDS)}
        )

    def test_means_over_worlds(self):
        told = population(self.data())
        assert float(told["genotypes"]) == pytest.approx(2)
        assert told["price"].values == pytest.approx([-1, 0.5])
        assert told["price"].attrs["units"] == "loss"
        assert int(told["worlds"]) == WORLDS

    def test_forces_add_up_in_every_world_and_so_in_the_mean(self):
        data = self.data()
        assert float(population(data)["price"].sum()) == pytest.approx(
            float(data["price"].sum("force").mean())
        )

    def test_worlds_without_a_population_are_left_out(self):
        data = self.data()
        told = population(data.where(data["replicate"] < 10))
        assert int(told["worlds"]) == 10
        assert float(told["heterozygosity"]) == pytest.approx(np.linspace(0, 1, WORLDS)[:10].mean())

    def test_diversity_at_checkpoints(self):
        values = np.random.default_rng(2).random((WORLDS, 3))
        data = xr.Dataset({
            "diversity": (
                ("replicate", "checkpoint"),
                values,
                {"long_name": "distance; NaN before", "units": "length of x"},
            )
        })
        told = diversity(data.assign_coords(replicate=np.arange(WORLDS)))
        assert told["diversity"].values == pytest.approx(values.mean(0))
        assert told["diversity"].attrs == {"long_name": "mean distance", "units": "length of x"}

    def test_without_a_ledger(self):
        with pytest.raises(ValueError, match="population: expected results with the noise ledger"):
            population(xr.Dataset())


@pytest.mark.parametrize(("worlds", "signal"), [(40, 0.1), (40, 1.0), (20, 0.3)])
def test_noise_over_a_signal_that_may_be_none_has_no_upper_end(worlds, signal):
    """Squares that are estimated as N(signal, 1) in each world, so that their mean is 0 or less in some draws.

    Of 400 studies three standard errors of a coverage of 95 % are 3.3 %.
    """
    draw = np.random.default_rng(worlds)
    above = xr.DataArray(draw.gamma(4, 0.25, (400, worlds)), dims=("cell", "replicate"))
    below = xr.DataArray(draw.normal(signal, 1, (400, worlds)), dims=("cell", "replicate"))
    found = pooling.of_signal("m", [above, below], long_name="ratio")
    low, high = found["m_interval"].transpose("bound", ...).values
    assert abs(((low <= 1 / signal) & (1 / signal <= high)).mean() - 0.95) < 0.033
    assert low.min() > 0
    seen = below.mean("replicate").values
    assert np.isposinf(found["m"].values[seen <= 0]).all()
    assert np.isposinf(high[seen <= 0]).all()
    assert np.isfinite(high[seen > 4 / np.sqrt(worlds)]).all()


def test_noise_over_a_signal_by_hand():
    above = np.array([[1.0, 3.0], [1.0, 3.0], [1.0, 3.0], [np.nan, 1.0], [0.0, 0.0]])
    below = np.array([[1.0, 1.0], [1.0, -1.0], [1.0, -3.0], [1.0, np.nan], [1.0, 2.0]])
    expected = [2.0, np.inf, np.inf, np.nan, 0.0]
    np.testing.assert_equal(pooling.over_signal(above, below), expected)
