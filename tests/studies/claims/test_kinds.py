"""Each kind of claim on made-up results.

Right and wrong laws, the statistics of scipy and statsmodels, places, regimes, failures.
"""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from studies.claims import ConvergenceRate, Custom, Equality, Ordering, Scaling, VarianceLaw
from studies.claims.gate import CAP
from studies.claims.ordering import decided, needed
from tests.support.claims import normal, results
from tests.support.ran import priced, stored


class TestVarianceLaw:
    data = results(2.0 * normal(1, 6400, 4) ** 2)

    def judge(self, data=None, **given):
        return VarianceLaw(**{"optimizer": "SGD", "predicted": 2.0, "tolerance": 0.2, **given}).judge(
            self.data if data is None else data
        )[0]

    def test_observes_the_mean_over_worlds_of_the_stationary_part(self):
        found = self.judge()
        means = self.data["loss"].isel(checkpoint=slice(1, None)).mean("checkpoint").values.ravel()
        assert found.observed == pytest.approx(means.mean())
        assert found.standard_error == pytest.approx(stats.sem(means), rel=0.15)
        assert (found.verdict, found.control, found.control_rejected, found.worlds) == (
            "holds",
            4.0,
            True,
            6400,
        )
        assert found.where == {"landscape": "bowl", "optimizer": "SGD"}

    def test_what_is_observed_is_named_once_with_its_unit(self):
        gap = self.data["loss"].assign_attrs(units="loss (gap to the optimum)")
        assert self.judge(self.data.assign(loss=gap)).quantity == "loss (gap to the optimum)"
        best = self.judge(self.data.assign(best_loss=gap), quantity="best_loss")
        assert best.quantity == "best_loss (loss (gap to the optimum))"

    def test_a_wrong_law_fails(self):
        assert self.judge(predicted=1.0, control=7.0).verdict == "fails"

    def test_a_law_that_cannot_be_told_from_the_wrong_one_is_undecided(self):
        found = self.judge(self.data.isel(replicate=slice(3)))
        assert (found.verdict, found.control_rejected) == ("undecided", False)

    def test_runs_that_diverged_have_an_infinite_loss_and_fail(self):
        data = self.data.copy(deep=True)
        data["status"][..., 3, 2:] = 3
        assert (self.judge(data).observed, self.judge(data).verdict) == (np.inf, "fails")

    def test_worlds_that_failed_are_left_out(self):
        data = self.data.copy(deep=True)
        data["status"][..., :100, :] = 4
        data["loss"][..., :100, :] = np.nan
        assert self.judge(data).worlds == 6300
        data["status"][:] = 5
        assert (self.judge(data).verdict, self.judge(data).note) == (
            "undecided",
            "no world has finished",
        )

    def test_a_row_for_each_value_of_an_axis_that_tells(self):
        loss = np.stack([np.full((5, 3), level) for level in (1.0, 2.0, 4.0)])[None, None]
        data = results(loss, axes={"batch": [4, 2, 1]})
        rows = VarianceLaw(optimizer="SGD", predicted="4 / batch", regime={"batch": [2, 4]}).judge(data)
        assert [row.where["batch"] for row in rows] == [4, 2, 1]
        assert [row.verdict for row in rows] == ["holds"] * 3
        assert [row.in_regime for row in rows] == [True, True, False]
        assert [
            row.where["batch"]
            for row in VarianceLaw(optimizer="SGD", predicted=1.0, at={"batch": 2}).judge(data)
        ] == [2]

    def test_an_axis_that_touches_nothing_is_one_row(self):
        rows = VarianceLaw(optimizer="SGD", predicted=1.0).judge(
            results(np.ones((5, 3)), axes={"k": [0, 4]})
        )
        assert [row.where for row in rows] == [{"landscape": "bowl", "optimizer": "SGD"}]

    def test_every_landscape_where_none_is_named(self):
        rows = VarianceLaw(optimizer="SGD", predicted=1.0).judge(
            results(np.ones((5, 3)), landscapes=("a", "b"))
        )
        assert [row.where["landscape"] for row in rows] == ["a", "b"]

    def test_unknown_quantities_are_told(self):
        with pytest.raises(ValueError, match="quantity: expected one of loss, steps.* got 'lass'"):
            self.judge(quantity="lass")

    def test_a_control_within_the_tolerance_is_no_control(self):
        with pytest.raises(
            ValueError, match="variance_law.control: expected further from the predicted"
        ):
            self.judge(control=2.3)


class TestConvergenceRate:
    def data(self, factor, noise=0.0):
        return results(
            factor ** np.arange(10, 101, 10)[None, :] * np.exp(noise * normal(2, 12, 10)), steps=100
        )

    def judge(self, data, **given):
        return ConvergenceRate(**{
            "optimizer": "SGD",
            "predicted": 0.9,
            "tolerance": 0.01,
            **given,
        }).judge(data)[0]

    def test_an_exact_rate(self):
        found = self.judge(self.data(0.9), control=0.91)
        assert found.observed == pytest.approx(0.9, rel=1e-12)
        assert found.standard_error < 1e-12
        assert found.verdict == "holds"
        assert self.judge(self.data(0.91), control=0.95).verdict == "fails"

    def test_of_the_distance_it_is_the_root(self):
        assert self.judge(self.data(0.81), of="distance").verdict == "holds"

    def test_per_evaluation(self):
        assert self.judge(self.data(0.9), per="evaluation").observed == pytest.approx(
            0.9
        )  # 100 steps cost 100
        half = self.data(0.9)
        half["steps"] = half["steps"] // 10
        assert self.judge(half).observed == pytest.approx(0.9**10)
        assert self.judge(half, per="evaluation").observed == pytest.approx(0.9)

    def test_per_evaluation_of_the_states_that_are_shown(self):
        """Beyond the end of a run its last state is shown, at the costs of checkpoints that it did not reach."""
        data = self.data(0.9)
        data["value_terms"] = data["value_terms"].clip(max=200)
        data["loss"] = data["loss"].clip(min=0.9**50)
        assert self.judge(data, per="evaluation").observed == pytest.approx(0.9)

    def test_the_error_is_that_of_the_slopes_of_worlds(self):
        data = self.data(0.9, noise=0.1)
        slopes = [
            stats.linregress(np.arange(10, 101, 10), np.log(row)).slope
            for row in data["loss"].values.reshape(12, 10)
        ]
        found = self.judge(data)
        assert found.observed == pytest.approx(np.exp(np.mean(slopes)))
        assert found.standard_error == pytest.approx(found.observed * stats.sem(slopes), rel=1e-4)

    def test_a_floor_and_a_window(self):
        data = self.data(0.9)
        data["loss"] = data["loss"].clip(min=1e-3)
        assert self.judge(data).verdict == "fails"
        assert self.judge(data, floor=1e-3).verdict == "holds"
        assert self.judge(data, until=0.6).verdict == "holds"
        assert self.judge(data, since=0.9, floor=1e-3).verdict == "undecided"  # fewer than three points

    def test_the_control_is_half_as_fast(self):
        assert self.judge(self.data(0.9)).control == pytest.approx(0.9**0.5)

    def test_needs_a_known_optimum(self):
        with pytest.raises(ValueError, match="expected a landscape whose optimum is known, got bowl"):
            self.judge(self.data(0.9).assign_coords(gap_known=("landscape", [0.0])))

    @pytest.mark.parametrize(
        ("given", "text"),
        [({"since": 0.5, "until": 0.5}, "until: expected more than since"), ({"predicted": -1.0}, "predicted: expected a factor > 0"),
         ({"control": 0.9005}, "control: expected a logarithm further")],
    )  # fmt: skip
    def test_wrong_parameters(self, given, text):
        with pytest.raises(ValueError, match=text):
            self.judge(self.data(0.9), **given)


class TestScaling:
    def data(self, power, noise=0.1, worlds=50):
        level = np.array([1.0, 2.0, 4.0, 8.0])[:, None, None] ** power
        loss = (
            level * np.exp(noise * normal(3, 4, worlds, 1)) * np.exp(normal(4, worlds, 1))
        )  # worlds differ a lot, alike at all values
        return results(np.repeat(loss, 3, -1)[None, None], axes={"batch": [1, 2, 4, 8]})

    def judge(self, data, **given):
        return Scaling(**{
            "optimizer": "SGD",
            "axis": "batch",
            "predicted": -1.0,
            "tolerance": 0.02,
            **given,
        }).judge(data)

    def test_the_exponent_and_its_error(self):
        data = self.data(-1.0)
        (found,) = self.judge(data, tolerance=0.05)
        means = data["loss"].isel(checkpoint=-1).mean("replicate").values.ravel()
        assert found.observed == pytest.approx(np.polyfit(np.log([1, 2, 4, 8]), np.log(means), 1)[0])
        left_out = [
            np.polyfit(
                np.log([1, 2, 4, 8]),
                np.log(
                    data["loss"]
                    .isel(checkpoint=-1)
                    .drop_isel(replicate=r)
                    .mean("replicate")
                    .values.ravel()
                ),
                1,
            )[0]
            for r in range(50)
        ]
        assert found.standard_error == pytest.approx(np.sqrt(49 * np.var(left_out)))
        assert found.standard_error < 0.03  # the mutant that takes the values for independent: 0.08
        assert found.where["batch"] == "1 to 8"

    def test_as_many_worlds_as_it_says_decide(self):
        (few,) = self.judge(self.data(-1.0), tolerance=0.05)
        assert few.verdict == "undecided"
        assert 200 < few.worlds_needed < 400
        (more,) = self.judge(self.data(-1.0, worlds=int(few.worlds_needed)), tolerance=0.05)
        assert (more.verdict, more.worlds_needed) == ("holds", 0.0)

    def test_a_wrong_exponent_fails(self):
        assert self.judge(self.data(-0.5))[0].verdict == "fails"

    def test_beyond_the_regime_apart(self):
        data = self.data(-1.0, noise=0.0)
        data["loss"].loc[{"batch": 8}] = data["loss"].sel(batch=4).values
        assert [row.verdict for row in self.judge(data)] == ["fails"]
        inside, outside = self.judge(data, regime={"batch": [1, 2]})
        assert (inside.verdict, inside.in_regime, inside.where["batch"]) == ("holds", True, "1 to 2")
        assert (outside.verdict, outside.in_regime, outside.where["batch"]) == (
            "fails",
            False,
            "4 to 8",
        )

    def test_what_is_not_positive_has_no_exponent(self):
        data = self.data(-1.0)
        data["loss"].loc[{"batch": 8}] = 0.0
        assert self.judge(data)[0].verdict == "undecided"

    def test_expected_running_times(self):
        hit = np.broadcast_to(np.array([10.0, 20.0, 40.0, 80.0])[:, None], (4, 50)).copy()
        hit[:, ::2] = np.inf  # those spent the budget, 100
        data = self.data(1.0).assign(
            hit_cost=(
                ("landscape", "optimizer", "batch", "replicate", "target"),
                hit[None, None, ..., None],
            )
        )
        data["value_terms"][..., -1] = 400
        (found,) = self.judge(data, quantity="hit_cost", predicted=0.3)
        assert found.observed == pytest.approx(
            np.polyfit(np.log([1, 2, 4, 8]), np.log([110, 120, 140, 180]), 1)[0]
        )

    def test_no_such_axis(self):
        with pytest.raises(
            ValueError, match="scaling.axis: expected a swept axis, batch, got 'batches'"
        ):
            self.judge(self.data(1.0), axis="batches")


def pair(difference, worlds=40, spread=0.3, seed=5, **given):
    """Two optimizers with losses in decades, the second so much worse."""
    decades = normal(seed, worlds) - np.stack([
        np.full(worlds, difference) + spread * normal(seed + 1, worlds),
        np.zeros(worlds),
    ])
    return made_of(decades, **given)


def made_of(decades, **given):
    """Two optimizers whose losses are these powers of ten: (2, R)."""
    return results(np.repeat(10.0 ** decades[None, :, :, None], 3, -1), optimizers=("A", "B"), **given)


class TestOrdering:
    def judge(self, data, better="A", worse="B", **given):
        return Ordering(better=better, worse=worse, **given).judge(data)[0]

    def test_and_its_reverse(self):
        data = pair(0.5)
        assert (self.judge(data).verdict, self.judge(data).control_rejected) == ("holds", True)
        reverse = self.judge(data, "B", "A")
        assert (reverse.verdict, reverse.control_rejected) == ("fails", False)
        assert reverse.observed == pytest.approx(1 - self.judge(data).observed)

    def test_no_difference_is_undecided(self):
        assert self.judge(pair(0.0)).verdict == "undecided"
        ties = pair(0.0, spread=0.0)
        assert (self.judge(ties).observed, self.judge(ties).verdict) == (0.5, "undecided")

    def test_is_the_exact_sign_test(self):
        for wins, losses in [(0, 0), (9, 0), (10, 0), (25, 7), (24, 8), (7, 25), (20, 12)]:
            p = [
                stats.binomtest(k, wins + losses, 0.5, "greater").pvalue if wins + losses else 1.0
                for k in (wins, losses)
            ]
            assert decided(wins, losses) == (
                "holds" if p[0] <= CAP else "fails" if p[1] <= CAP else "undecided"
            )
        assert (decided(10, 0), decided(9, 0), decided(25, 7), decided(24, 8)) == (
            "holds",
            "undecided",
            "holds",
            "undecided",
        )
        assert needed(32, 32) == 25 / 32
        assert needed(9, 9) > 1

    @pytest.mark.parametrize(
        ("wins", "losses", "ties"),
        [(17, 0, 15), (16, 1, 15), (13, 4, 15), (14, 3, 15), (25, 7, 0), (24, 8, 0), (10, 0, 400)],
    )
    def test_what_is_shown_agrees_with_the_verdict_also_where_worlds_tie(self, wins, losses, ties):
        decades = np.repeat([1.0, -1.0, 0.0], [wins, losses, ties])
        told = self.judge(made_of(np.stack([np.zeros_like(decades), decades])))
        assert told.observed == (wins + ties / 2) / (wins + losses + ties)
        assert (told.verdict == "holds") == (told.low <= told.observed) == (told.observed_low > 0.5)
        assert told.observed_low <= told.observed <= told.observed_high

    def test_where_all_worlds_tie_nothing_is_known(self):
        told = self.judge(made_of(np.zeros((2, 20))))
        assert (told.observed, told.observed_low, told.observed_high) == (0.5, 0.0, 1.0)

    def test_few_worlds_are_told(self):
        found = self.judge(pair(5.0, worlds=6))
        assert (found.verdict, found.note) == ("undecided", "about 10 worlds would decide")

    def test_instances_are_the_units(self):
        assert self.judge(pair(5.0, worlds=40, instances=5)).verdict == "undecided"

    def test_a_diverged_run_loses(self):
        data = pair(-0.5)
        data["status"].loc[{"optimizer": "B"}] = 3
        assert self.judge(data).verdict == "holds"

    def test_at_a_cost(self):
        data = pair(1.0)
        data["loss"].loc[{"optimizer": "A", "checkpoint": data["checkpoint"][:2]}] = 1e9
        assert [self.judge(data, cost=cost).verdict for cost in (40, 70, 99, 100, None)] == [
            "fails",
            "fails",
            "fails",
            "holds",
            "holds",
        ]
        with pytest.raises(
            ValueError,
            match="first checkpoint and the shortest run's end, 33.3333 and 100 evaluations, got 101",
        ):
            self.judge(data, cost=101)
        data["value_terms"].loc[{"optimizer": "B"}] = data["value_terms"].sel(optimizer="B") // 2
        data.attrs["settings"] = stored(
            {"bowl": {}}, {"A": {}, "B": {}}, priced(2, 1, 4)
        )  # B had 50, all that a run without gradients has
        with pytest.raises(
            ValueError, match="the shortest run's end, 33.3333 and 50 evaluations, got 70"
        ):
            self.judge(data, cost=70)

    def test_worlds_that_are_not_the_same_have_no_order(self):
        with pytest.raises(
            ValueError, match="expected optimizers that ran in the same worlds, B did not"
        ):
            self.judge(pair(5.0).assign_coords(paired=("optimizer", [True, False])))


class TestEquality:
    def judge(self, data, **given):
        return Equality(**{"first": "A", "second": "B", "margin": 0.3, **given}).judge(data)[0]

    def test_holds_fails_undecided(self):
        assert self.judge(pair(0.0)).verdict == "holds"
        assert self.judge(pair(2.0)).verdict == "fails"
        assert self.judge(pair(0.3)).verdict == "undecided"
        assert (
            self.judge(pair(0.0, spread=3.0)).verdict == "undecided"
        )  # no evidence for a difference is none for equality

    def test_is_schuirmanns_two_one_sided_tests(self):
        level, seen = stats.norm.sf(3), set()
        for difference in np.linspace(-0.4, 0.4, 13):
            data = pair(difference)
            a, b = np.log10(data["loss"].isel(checkpoint=-1).values.reshape(2, -1))
            p = ttost_paired(a, b, -0.3, 0.3)[0]
            found = self.judge(data)
            assert found.p_holds >= p * (1 - 1e-9)  # a little more, where the differences are skewed
            assert found.verdict == ("holds" if found.p_holds < level else "undecided")
            assert found.observed == pytest.approx((a - b).mean())
            seen.add(found.verdict)
        assert seen >= {"holds", "undecided"}

    def test_zero_counts_as_the_precision(self):
        data = pair(0.0, spread=0.0).assign_coords(precision=1e-6)
        data["loss"].loc[{"optimizer": "A", "replicate": 0}] = 0.0
        expected = np.log10(1e-6 / data["loss"].sel(optimizer="B").values[0, 0, -1]) / 40
        assert self.judge(data).observed == pytest.approx(expected)

    def test_a_diverged_run_is_no_equal(self):
        data = pair(0.0)
        data["status"].loc[{"optimizer": "B", "replicate": 3}] = 3
        assert self.judge(data).verdict == "fails"
        data["status"].loc[{"replicate": 3}] = 3
        assert (self.judge(data).verdict, self.judge(data).worlds) == ("holds", 39)
        assert self.judge(data).note == "1 worlds in which both diverged are left out"

    def test_a_control_within_the_margin_is_none(self):
        with pytest.raises(
            ValueError, match="equality.control: expected a difference larger than the margin, got 0.2"
        ):
            self.judge(pair(0.0), control=0.2)


def test_a_function_of_the_users():
    row = Custom(function="tests.support.own_claims:at_most", parameters={"bound": 3.0}).judge(
        results(3.0 + 0.01 * normal(6, 8, 3))
    )[0]
    assert (row.verdict, row.where) == ("holds", {"worlds": 8})
    with pytest.raises(
        ValueError,
        match="expected a Judgement or a list of them from tests.support.own_claims:nothing, got str",
    ):
        Custom(function="tests.support.own_claims:nothing").judge(results(np.ones((3, 3))))


class TestNotAtRandom:
    """What once counted as exact, or could never hold."""

    def judge(self, data, **given):
        return VarianceLaw(**{"optimizer": "SGD", "predicted": 0.0, **given}).judge(data)[0]

    def test_a_law_that_predicts_0_does_not_fail_on_rounding(self):
        found = self.judge(results(2e-16 * (1 + 0.1 * normal(1, 12, 4)), draws=["data"]))
        assert (found.verdict, found.control_rejected) == ("holds", True)
        assert self.judge(results(2e-13 * (1 + 0.1 * normal(1, 12, 4)))).verdict == "fails"
        assert (
            self.judge(
                results(2e-13 * (1 + 0.1 * normal(1, 12, 4))),
                tolerance={"relative": 0.05, "absolute": 1e-9},
                control=1.0,
            ).verdict
            == "holds"
        )

    def test_rounding_is_that_of_the_start_and_of_the_precision(self):
        data = results(2e-13 * (1 + 0.1 * normal(1, 12, 4)))
        large = data.assign(
            start_loss=(("landscape", "optimizer", "replicate"), np.full((1, 1, 12), 1e3))
        )
        assert self.judge(large).verdict == "holds"
        settings = data.attrs["settings"].replace(
            '"budget": 100.0', '"budget": 100.0, "dtype": "float32"'
        )
        assert self.judge(data.assign_attrs(settings=settings)).verdict == "holds"

    @pytest.mark.parametrize(("draws", "expected"), [(["data"], "undecided"), ([], "holds")])
    def test_three_equal_worlds_are_proof_only_where_no_step_draws(self, draws, expected):
        assert self.judge(results(np.full((3, 4), 0.5), draws=draws), predicted=0.5).verdict == expected

    def test_never_is_a_prediction(self):
        data = results(np.full((8, 4), np.inf))
        assert self.judge(data, predicted=np.inf).verdict == "holds"
        assert self.judge(data, predicted="inf").verdict == "holds"
        assert self.judge(data, predicted=1.0).verdict == "fails"
        some = data.copy(deep=True)
        some["loss"][..., :3, :] = 1.0
        assert self.judge(some, predicted=np.inf).verdict == "fails"
        assert self.judge(some, predicted=1.0).verdict == "fails"

    def hitting(self, cost, worlds=12, **more):
        hit = np.full((1, 1, worlds, 1), cost) * (1 + 0.001 * normal(3, worlds)[:, None])
        dims = ("landscape", "optimizer", "replicate", "target")
        return results(np.ones((worlds, 4)), draws=["data"]).assign(
            hit_cost=(dims, hit), **{name: (dims, given + 0 * hit) for name, given in more.items()}
        )

    def test_a_target_that_no_world_hit(self):
        """12 runs of 100 evaluations: at least 100 / (1 - 0.00135^(1/12)) = 236 evaluations."""
        data, hits = self.hitting(np.inf), {"quantity": "hit_cost"}
        assert self.judge(data, predicted="inf", **hits).verdict == "holds"
        assert self.judge(data, predicted=220, tolerance=0.05, **hits).verdict == "fails"
        assert self.judge(data, predicted=230, tolerance=0.05, **hits).verdict == "undecided"

    def test_hits_that_are_known_to_intervals(self):
        coarse, fine = self.hitting(40.0, hit_cost_low=30.0), self.hitting(40.0, hit_cost_low=39.8)
        assert self.judge(self.hitting(40.0), predicted=39.9, quantity="hit_cost").verdict == "holds"
        assert self.judge(fine, predicted=39.9, quantity="hit_cost").verdict == "holds"
        found = self.judge(coarse, predicted=39.9, quantity="hit_cost")
        assert (found.verdict, found.worlds_needed) == ("undecided", np.inf)
        assert "intervals that are coarser than the tolerance" in found.note
        assert self.judge(coarse, predicted=80.0, quantity="hit_cost").verdict == "fails"

    def test_exponents_of_hits_to_intervals(self):
        """Between 30 and 40 at x = 1, and between 60 and 80 at x = 4.

        The exponent is between ln(60 / 40) and ln(80 / 30), over ln 4.
        """
        late = np.array([40.0, 80.0])[:, None, None] * (1 + 1e-4 * normal(3, 2, 12, 1))
        dims = ("landscape", "optimizer", "size", "replicate", "target")
        data = results(np.ones((1, 1, 2, 12, 4)), axes={"size": [1, 4]}, draws=["data"])
        data = data.assign(
            hit_cost=(dims, late[None, None]), hit_cost_low=(dims, 0.75 * late[None, None])
        )
        law = Scaling(
            optimizer="SGD",
            axis="size",
            predicted=0.5,
            tolerance=0.25,
            control=1.5,
            quantity="hit_cost",
        )
        (found,) = law.judge(data)
        assert found.verdict == "holds"
        assert (found.observed_low, found.observed_high) == pytest.approx(
            (np.log(1.5) / np.log(4), np.log(80 / 30) / np.log(4)), abs=1e-3
        )
        assert (
            Scaling(
                optimizer="SGD",
                axis="size",
                predicted=0.5,
                tolerance=0.1,
                control=1.5,
                quantity="hit_cost",
            )
            .judge(data)[0]
            .verdict
            == "undecided"
        )

    @pytest.mark.parametrize(
        ("fixed", "predicted", "expected"),
        [(0, 0.001, "undecided"), (0, 0.2, "fails"), (64, 1.0, "undecided"), (64, 0.7, "fails")],
    )
    def test_a_share_of_0_or_1_is_no_certainty(self, fixed, predicted, expected):
        """Of 64 worlds none: at most 1 - 0.00135^(1/64) = 9.8 %."""
        share = np.repeat((np.arange(64) < fixed).astype(float)[:, None], 4, 1)
        data = results(np.ones((64, 4)), draws=["drift"]).assign(
            fixed=(
                ("landscape", "optimizer", "replicate", "checkpoint"),
                share[None, None],
                {"units": "1"},
            )
        )
        assert (
            self.judge(
                data, predicted=predicted, quantity="fixed", control=0.5, tolerance={"absolute": 0.01}
            ).verdict
            == expected
        )

    @pytest.mark.parametrize("given", [{"relativ": 0.1}, {}, {"absolute": -1.0}])
    def test_tolerances_that_are_none(self, given):
        with pytest.raises(ValueError, match="variance_law.tolerance: expected"):
            VarianceLaw(optimizer="SGD", predicted=1.0, tolerance=given)

    def test_losses_that_are_equal_at_the_precision_tie(self):
        data = pair(0.0, spread=0.0)
        data["loss"].loc[{"optimizer": "A"}] = data["loss"].sel(optimizer="B").values - 1e-12
        found = Ordering(better="A", worse="B").judge(data)[0]
        assert (found.observed, found.verdict, found.worlds_needed) == (0.5, "undecided", np.inf)

    def test_an_arm_that_never_asked_is_not_judged(self):
        data = pair(2.0)
        for name in ("steps", "value_terms"):
            data[name].loc[{"optimizer": "B"}] = 0
        for claim in (Ordering(better="B", worse="A"), Equality(first="A", second="B", margin=0.1)):
            (found,) = claim.judge(data)
            assert (found.verdict, found.note) == (
                "undecided",
                "B: no step within the budget, not judged; raise the budget",
            )
