"""Each kind of claim on made-up results.

Right and wrong laws, the statistics of scipy and statsmodels, places, regimes, failures.
"""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from studies.claims import Custom, Equality, LawClaim, Ordering
from studies.claims.measured import CAP
from studies.claims.ordering import decided, needed
from tests.support.claims import normal, results
from tests.support.each import each
from tests.support.ran import priced, stored


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

    @each(
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

    def test_at_a_cost_where_each_has_checkpoints_of_its_own(self):
        data = pair(1.0)
        data["loss"].loc[{"optimizer": "A", "checkpoint": data["checkpoint"][:2]}] = 1e9
        own = np.multiply.outer([1.0, 2.0], data["cost"].values)  # B has twice the budget
        data = data.assign_coords(cost=(("optimizer", "checkpoint"), own))
        data["value_terms"].loc[{"optimizer": "B"}] = data["value_terms"].sel(optimizer="B") * 2
        verdicts = [self.judge(data, cost=cost).verdict for cost in (67, 99, 100)]
        assert verdicts == ["fails", "fails", "holds"]
        for cost in (66, 101):
            with pytest.raises(ValueError, match=f"66.6667 and 100 evaluations, got {cost}"):
                self.judge(data, cost=cost)

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
    with pytest.raises(ValueError, match="from tests.support.own_claims:a_bool, got bool"):
        Custom(function="tests.support.own_claims:a_bool").judge(results(np.ones((3, 3))))


def left_out(statistic, *arrays):
    """The jackknife's standard error of a statistic of worlds (R,), each left out in turn."""
    worlds = len(arrays[0])
    values = [statistic(*(np.delete(array, r) for array in arrays)) for r in range(worlds)]
    return np.sqrt((worlds - 1) / worlds * np.sum((values - np.mean(values)) ** 2))


class TestBy:
    """`by`: two optimizers compared by a quantity."""

    def losses(self, data):
        return data["loss"].values[0, :, :, -1]

    def test_an_ordering_of_worlds_is_the_sign_test_of_its_numbers(self):
        """Who is nearer to 2 in how many worlds; losses themselves are ordered otherwise."""
        data = pair(0.1)
        a, b = abs(self.losses(data) - 2)
        wins, losses = int((a < b).sum()), int((a > b).sum())
        told = Ordering(better="A", worse="B", by="abs(loss - 2)").judge(data)[0]
        assert told.observed == wins / 40
        assert wins != int((self.losses(data)[0] < self.losses(data)[1]).sum())
        assert told.verdict == decided(wins, losses)
        assert told.quantity == "share of worlds with less abs(loss - 2)"

    def test_an_ordering_of_a_number_of_all_worlds_has_the_joint_error(self):
        data = pair(1.0)
        a, b = self.losses(data)
        difference = lambda a, b: np.mean(a) / np.std(a, ddof=1) - np.mean(b) / np.std(b, ddof=1)  # noqa: E731
        told = Ordering(better="A", worse="B", by="mean(loss) / sd(loss)").judge(data)[0]
        assert told.observed == pytest.approx(difference(a, b), rel=1e-12)
        assert told.standard_error == pytest.approx(left_out(difference, a, b), rel=1e-9)

    @pytest.mark.parametrize("by", ["mean(loss)", "log10(mean(loss))", "variance(loss)"])
    def test_an_ordering_and_its_reverse(self, by):
        """Losses below 1 and their spread, a tenth of the others."""
        data = made_of(0.1 * normal(3, 2, 60) - np.array([[1.0], [0.0]]))
        verdicts = [
            Ordering(better=better, worse=worse, by=by).judge(data)[0].verdict
            for better, worse in ("AB", "BA")
        ]
        assert verdicts == ["holds", "fails"]

    def test_no_difference_of_a_number_of_all_worlds_is_undecided(self):
        data = made_of(normal(3, 2, 60))
        assert Ordering(better="A", worse="B", by="mean(loss)").judge(data)[0].verdict == "undecided"

    def test_times_known_to_intervals_that_overlap_tie(self):
        """At three checkpoints: both first below 1/2 at the second tell nothing, at the second and third they do."""
        at_second, at_third = [1.0, 0.1, 0.1], [1.0, 1.0, 0.1]
        loss = np.array([[at_second] * 20, [at_second] * 8 + [at_third] * 12])[None]
        told = Ordering(better="A", worse="B", by="first(loss < 0.5)").judge(
            results(loss, optimizers=("A", "B"))
        )[0]
        assert told.observed == (12 + 8 / 2) / 20
        assert told.verdict == "holds"  # 12 wins and no loss

    def test_an_equality_is_of_the_difference_in_the_same_worlds(self):
        data = pair(0.05, spread=0.05)
        a, b = self.losses(data)
        difference = lambda a, b: np.log10(np.mean(a)) - np.log10(np.mean(b))  # noqa: E731
        by = "log10(mean(loss))"
        told = Equality(first="A", second="B", by=by, margin=0.2).judge(data)[0]
        assert told.observed == pytest.approx(difference(a, b), rel=1e-9)
        error = left_out(difference, a, b)
        assert told.standard_error == pytest.approx(error, rel=1e-6)
        assert error < left_out(difference, a, np.roll(b, 1)) / 2  # as if the worlds were others
        assert told.verdict == "holds"
        wide = Equality(first="A", second="B", by=by, margin=0.01, control=0.3).judge(data)[0]
        assert wide.verdict in ("fails", "undecided")
        assert (
            Equality(first="A", second="B", by=by, margin=0.002).judge(pair(1.0))[0].verdict == "fails"
        )

    def test_what_is_not_finite_is_not_judged(self):
        loss = np.array([[[1.0, 0.1]] * 20, [[1.0, 1.0]] * 20])[None]
        data = results(loss, optimizers=("A", "B"))
        for claim in (
            Equality(first="A", second="B", by="median(first(loss < 0.5))", margin=1.0),
            Ordering(better="A", worse="B", by="median(first(loss < 0.5))"),
        ):
            told = claim.judge(data)[0]
            assert told.verdict == "undecided"
            assert "is -inf, not finite; ask for what each world has" in told.note
        told = Ordering(better="A", worse="B", by="first(loss < 0.5)").judge(data)[0]
        assert (told.observed, told.verdict) == (1.0, "holds")


class TestNotAtRandom:
    """What once counted as exact, or could never hold."""

    def test_rounding_is_that_of_the_start_and_of_the_precision(self):
        law = LawClaim(optimizer="SGD", observe="mean(loss, since=0.5)", predicted=0.0)
        data = results(2e-13 * (1 + 0.1 * normal(1, 12, 4)))
        assert law.judge(data)[0].verdict == "fails"
        large = data.assign(
            start_loss=(("landscape", "optimizer", "replicate"), np.full((1, 1, 12), 1e3))
        )
        assert law.judge(large)[0].verdict == "holds"
        settings = data.attrs["settings"].replace(
            '"budget": 100.0', '"budget": 100.0, "dtype": "float32"'
        )
        assert law.judge(data.assign_attrs(settings=settings))[0].verdict == "holds"

    @pytest.mark.parametrize(
        ("fixed", "predicted", "expected"),
        [(0, 0.001, "undecided"), (0, 0.2, "fails"), (64, 1.0, "undecided"), (64, 0.7, "fails")],
    )
    def test_a_share_of_0_or_1_is_no_certainty(self, fixed, predicted, expected):
        """Of 64 worlds none: at most 1 - 0.00135^(1/64) = 9.8 %."""
        share = np.repeat((np.arange(64) < fixed).astype(float)[:, None], 4, 1)
        dims = ("landscape", "optimizer", "replicate", "checkpoint")
        data = results(np.ones((64, 4)), draws=["drift"]).assign(fixed=(dims, share[None, None]))
        given = {"control": 0.5, "tolerance": {"absolute": 0.01}}
        law = LawClaim(optimizer="SGD", observe="fixed", predicted=predicted, **given)
        assert law.judge(data)[0].verdict == expected

    @pytest.mark.parametrize("given", [{"relativ": 0.1}, {}, {"absolute": -1.0}])
    def test_tolerances_that_are_none(self, given):
        with pytest.raises(ValueError, match="law.tolerance: expected"):
            LawClaim(optimizer="SGD", observe="loss", predicted=1.0, tolerance=given)

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
