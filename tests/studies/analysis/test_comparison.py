"""Comparisons of two arms: against SciPy, statsmodels, published examples and all permutations, and what must never be said."""

import gc
import itertools
import json

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from statsmodels.stats.multitest import multipletests

from studies.analysis.comparison.comparison import (
    MANY,
    compare,
    holm,
    superiority,
    verdict,
    wilcoxon,
    win_probability,
)
from studies.analysis.comparison.paired import distinct, losses
from studies.analysis.comparison.power import signed_ranks
from studies.analysis.comparison.ranks import ranks
from studies.analysis.comparison.winners import winners
from studies.analysis.intervals import bootstrap
from tests.support.arms import results
from tests.support.each import each

RNG = np.random.default_rng(4)


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Intervals are looked at elsewhere."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 199)


def two(a, b, **options):
    return results(np.stack([a, b])[None], **options)


def only(found):
    return found.isel(landscape=0, pair=0)


def signed_rank_of_all_signs(d):
    """Two-sided p over all 2^n signs, differences of 0 left out after they were ranked."""
    ranks = stats.rankdata(abs(d))
    sums = np.array([
        (ranks * (d != 0) * signs).sum() for signs in itertools.product((-1, 1), repeat=len(d))
    ])
    return np.mean(abs(sums) >= abs((ranks * np.sign(d)).sum()) - 1e-9)


class TestWilcoxon:
    @pytest.mark.parametrize(
        "d",
        [
            RNG.normal(0.5, 1, 8),
            np.array([1.0, 1, 2, -3, 4, 4, 5, -1]),
            np.r_[np.inf, np.inf, RNG.normal(0, 1, 6)],
        ],
    )
    def test_is_exact_for_eight(self, d):
        assert wilcoxon(d) == pytest.approx(signed_rank_of_all_signs(d), rel=1e-9)

    def test_missing_differences_do_not_count(self):
        d = RNG.normal(0.5, 1, 8)
        assert wilcoxon(np.r_[d, np.nan]) == wilcoxon(d)

    def test_nothing_differs(self):
        assert wilcoxon(np.zeros(8)) == 1
        assert np.isnan(wilcoxon(np.full(3, np.nan)))


class TestHolm:
    def test_published_example(self):
        """Demsar (2006), section 3.2.2.

        Of p = 0.016, 0.019 and 0.607 Holm rejects two at 0.05, as 0.016 < 0.05 / 3 and 0.019 < 0.05 / 2.
        """
        assert holm(np.array([0.016, 0.607, 0.019])).tolist() == pytest.approx([0.048, 0.607, 0.048])

    def test_by_hand(self):
        assert holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx([
            0.03,
            0.06,
            0.06,
            0.02,
        ])

    def test_missing_tests_do_not_count(self):
        assert holm(np.array([0.01, np.nan, 0.04]))[[0, 2]].tolist() == pytest.approx([0.02, 0.04])
        assert np.isnan(holm(np.array([np.nan]))).all()

    def test_every_row_is_that_of_statsmodels(self, monkeypatch):
        monkeypatch.setattr(
            gc, "collect", lambda: 0
        )  # it does so at every call: a second each in a whole run
        p = np.random.default_rng(1).random((50, 7)) ** 3
        p[::3, 2:4] = p[::3, 4:6]  # equal ones
        assert np.array_equal(holm(p), [multipletests(row, method="holm")[1] for row in p])
        p[0, 5:] = np.nan
        assert np.array_equal(holm(p)[0, :5], multipletests(p[0, :5], method="holm")[1])
        assert np.isnan(holm(p)[0, 5:]).all()


class TestEffectSizes:
    def test_superiority_is_mann_whitneys(self):
        a, b = RNG.integers(0, 6, (2, 5, 20)).astype(float)
        expected = [
            stats.mannwhitneyu(y, x).statistic / 400 for x, y in zip(a, b, strict=True)
        ]  # U counts y > x
        assert superiority(a, b).tolist() == pytest.approx(expected, rel=1e-12)
        assert superiority(a.T, b.T, axis=0).tolist() == pytest.approx(expected, rel=1e-12)

    def test_superiority_is_that_of_a_loop_over_all_pairs(self):
        values = np.array([0.0, 1.0, 1.0, 2.0, -1.0, np.inf, -np.inf, np.nan, 0.5])
        a, b = RNG.choice(values, (30, 7)), RNG.choice(values, (30, 5))
        expected = []
        for x, y in zip(a, b, strict=True):
            pairs = [(p, q) for p in x for q in y if not (np.isnan(p) or np.isnan(q))]
            expected.append(sum((p < q) + 0.5 * (p == q) for p, q in pairs) / len(pairs))
        assert superiority(a, b).tolist() == pytest.approx(expected, rel=1e-12)

    def test_missing_worlds_do_not_count(self):
        assert superiority(np.array([1, np.nan, 3.0]), np.array([2.0, np.nan, 2.0])) == 0.5

    def test_diverged_is_the_worst(self):
        assert superiority(np.array([np.inf, 1.0]), np.array([np.inf, 5.0])) == (0.5 + 0 + 1 + 1) / 4

    def test_of_many_worlds_the_interval_is_that_of_the_placements(self):
        """The error of A12 is that of the mean placement of each world (DeLong and others 1988, 44 Biometrics 837)."""
        a, noise = np.random.default_rng(5).standard_normal((2, MANY))
        b = 0.7 * a + noise + 0.2
        found = only(compare(two(np.exp(a), np.exp(b))))
        order_a, order_b = np.sort(a), np.sort(b)
        placed = 1 - np.searchsorted(order_b, a) / MANY + np.searchsorted(order_a, b) / MANY
        width = 2 * 1.96 * placed.std() / np.sqrt(MANY)
        low, high = found["a12_interval"].values
        assert found["a12_method"] == "t over worlds"
        assert found["a12"] == pytest.approx(placed.mean() / 2, abs=1e-12)
        assert high - low == pytest.approx(width, rel=0.15)  # three standard errors: of 200 groups, 5 %

    def test_cliffs_delta(self):
        """Wins less losses over all pairs."""
        a, b = RNG.integers(0, 6, (2, 20)).astype(float)
        found = only(compare(two(a, b)))
        assert found["cliffs_delta"] == pytest.approx(np.sign(b[:, None] - a[None]).mean(), rel=1e-12)

    def test_a_sure_winner_is_not_certain(self):
        found = only(compare(two(np.arange(16.0), np.arange(16.0) + 100)))
        assert (found["a12"], found["win_probability"]) == (1, 1)
        assert found["a12_interval"].values.tolist() == pytest.approx([0.025 ** (1 / 16), 1])
        assert found["win_probability_interval"].values.tolist() == pytest.approx([
            0.025 ** (1 / 16),
            1,
        ])


class TestCompare:
    def test_mean_difference(self):
        a, b = RNG.normal(0, 1, (2, 32))
        found = only(compare(two(a, b)))
        assert found["difference"] == pytest.approx((a - b).mean(), rel=1e-12)
        assert found["p_value"] == pytest.approx(stats.wilcoxon(a - b).pvalue, rel=1e-12)
        assert np.isnan(found["ratio"])

    def test_gaps_are_compared_by_decades(self):
        b = RNG.lognormal(0, 1, 32)
        found = only(compare(two(b / 100, b, gap_known=1.0)))
        assert found["difference"] == pytest.approx(-2)
        assert found["ratio"] == pytest.approx(0.01)
        assert found["ratio_interval"].values.tolist() == pytest.approx([0.01, 0.01])
        assert found["verdict"] == "A better"

    def test_a_gap_of_zero_counts_as_the_precision(self):
        b = np.full(32, 1.0)
        found = only(
            compare(two(np.r_[0.0, np.full(31, 0.1)], b, gap_known=1.0).assign_coords(precision=1e-3))
        )
        assert found["difference"] == pytest.approx(-(3 + 31 * 1) / 32)

    @pytest.mark.parametrize("others", [{}, {"C": 1e-30}, {"C": 0.5, "D": 1e-300, "E": 0.0}], ids=str)
    def test_the_numbers_of_a_pair_do_not_depend_on_other_arms(self, others):
        """A, which reaches 0 in some worlds, against B.

        With a third arm of a tiny gap the difference was -30 decades, and more.
        """
        worlds = np.arange(16)
        a, b = np.where(worlds % 2, 0.0, 1e-5), np.full(16, 10.0)
        rows = np.stack([a, b, *(np.full(16, gap) for gap in others.values())])
        data = results(rows[None], names=["A", "B", *others], gap_known=1.0).assign_coords(
            precision=("landscape", [1e-7])
        )
        found = compare(data).isel(landscape=0, pair=0)
        assert found["pair"] == "A - B"
        assert found["difference"] == pytest.approx(-(8 + 6) / 2)
        alone = compare(data.sel(optimizer=["A", "B"])).isel(landscape=0, pair=0)
        of_the_table = {"p_corrected", "units_to_decide"}  # for all its pairs
        for name in set(alone.data_vars) - of_the_table:
            compared = (
                np.testing.assert_array_equal
                if alone[name].dtype.kind in "OUSb"
                else np.testing.assert_allclose
            )
            compared(found[name], alone[name], err_msg=name)

    @pytest.mark.parametrize("gap_known", [0.0, 1.0])
    def test_losses_closer_than_the_precision_are_equal(self, gap_known):
        away = np.random.default_rng(5).uniform(0, 1e-9, 16)
        found = only(
            compare(two(2 + away, np.full(16, 2.0), gap_known=gap_known).assign_coords(precision=1e-7))
        )
        assert (found["difference"], found["win_probability"], found["a12"], found["p_value"]) == (
            0,
            0.5,
            0.5,
            1,
        )
        assert ranks(two(2 + away, np.full(16, 2.0), gap_known=gap_known), "replicate")[
            "average_rank"
        ].values.tolist() == [[1.5, 1.5]]

    def test_neighbours_on_a_lattice_of_values_are_not_equal(self):
        found = only(compare(two(np.zeros(8), np.ones(8), gap_known=1.0).assign_coords(precision=0.5)))
        assert found["difference"] == pytest.approx(-np.log10(2))
        assert (found["win_probability"], found["verdict"]) == (1, "A better")

    def test_an_optimum_that_was_reached_wins_against_the_smallest_gap(self):
        data = two(np.zeros(8), np.r_[np.full(4, 0.1), np.full(4, 0.2)], gap_known=1.0).assign_coords(
            precision=0.01
        )
        found = only(compare(data))
        assert found["difference"] == pytest.approx(-1 - np.log10(2) / 2)
        assert (found["win_probability"], found["a12"], found["cliffs_delta"]) == (1, 1, 1)
        assert (only(win_probability(data)).isel(checkpoint=-1)["win_probability"]) == 1

    def test_at_a_cost(self):
        data = two(np.arange(20.0), np.ones(20))
        early, late = (only(compare(data, at=at)) for at in (60.0, 100.0))
        assert early["difference"] == 2 * late["difference"]
        with pytest.raises(
            ValueError,
            match=r"at: expected a cost that some checkpoint has, at least 50 evaluations; got 10",
        ):
            compare(data, at=10.0)

    def test_a_few_diverged_runs_leave_the_median(self):
        a, b = RNG.normal(0, 1, (2, 32))
        status = np.full((1, 2, 32), 2)
        status[0, 0, :3] = 3
        found = only(compare(two(a, b + 5, status=status)))
        expected = np.sort(np.r_[np.full(3, np.inf), (a - b - 5)[3:]])[15]
        assert found["difference"] == pytest.approx(expected)
        assert found["difference_method"].item().startswith("median")
        assert found["verdict"] == "A better"

    def test_most_diverged_is_worse(self):
        status = np.full((1, 2, 32), 2)
        status[0, 0, :25] = 3
        found = only(compare(two(np.zeros(32), np.ones(32) * 9, status=status)))
        assert found["verdict"] == "B better"
        assert found["win_probability"] == 7 / 32

    def test_both_diverged_tie(self):
        found = only(compare(two(np.zeros(32), np.zeros(32), status=3)))
        assert (found["difference"], found["win_probability"], found["a12"], found["verdict"]) == (
            0,
            0.5,
            0.5,
            "undecided",
        )

    def test_missing_worlds_are_left_out_and_counted(self):
        status = np.full((1, 2, 32), 2)
        status[0, 0, :3], status[0, 1, 2:5] = 4, 5
        a, b = RNG.normal(0, 1, (2, 32))
        found = only(compare(two(a, b, status=status)))
        assert found["worlds"] == found["units"] == 27
        assert found["difference"] == pytest.approx((a - b)[5:].mean())

    def test_no_worlds_decide_nothing(self):
        found = only(compare(two(np.zeros(8), np.ones(8), status=4)))
        assert (found["worlds"], found["verdict"]) == (0, "undecided")
        assert np.isnan(found["p_corrected"])

    def test_instances_are_the_units(self):
        shift = np.linspace(-1, 1.9, 8)
        a, b = RNG.normal(0, 0.1, (2, 64)) + np.tile(shift, 8), np.zeros(64)
        found = only(compare(two(a[0], b, instances=8)))
        means = a[0].reshape(8, 8).mean(0)
        assert (found["worlds"], found["units"]) == (64, 8)
        assert found["p_value"] == pytest.approx(stats.wilcoxon(means).pvalue, rel=1e-12)
        assert found["difference_interval"].values == pytest.approx(
            stats.t.interval(0.95, 7, means.mean(), stats.sem(means)), rel=1e-9
        )
        assert found["verdict"] == "undecided"
        assert (
            only(compare(two(a[0], b)))["verdict"] == "B better"
        )  # as 64 worlds that are independent would

    def test_pairs_of_three(self):
        found = compare(results(RNG.normal(0, 1, (2, 3, 16))))
        assert found["pair"].values.tolist() == ["A - B", "A - C", "B - C"]
        assert found["p_corrected"].values.ravel() == pytest.approx(
            holm(found["p_value"].values.ravel())
        )

    def test_what_is_there_twice_is_one_test(self):
        data = results(RNG.normal(0, 1, (2, 3, 16)) + np.arange(3)[:, None] * 0.4)
        repeated = xr.concat([data, data], "k")
        assert repeated.sizes["k"] == 2
        assert (
            compare(repeated)["p_corrected"]
            .isel(k=1, drop=True)
            .transpose("landscape", "pair")
            .equals(compare(data)["p_corrected"])
        )

    def test_beyond_what_an_arm_had_nothing_is_better(self):
        """A uses no gradients and had 50 evaluations, B uses them and had 100.

        At 100 B is far ahead of what A was at 50.
        """
        a, b = np.exp(RNG.normal(0, 0.1, (2, 32)))
        data = (
            two(a, b / 100)
            .assign_attrs(config=json.dumps({"gradient_cost": {"value": 2, "range": [1, 4]}}))
            .assign_coords(terms=1.0)
        )
        counts = (
            xr.DataArray(part, dims=("optimizer", "checkpoint"))
            for part in ([[50, 50], [0, 0]], [[0, 0], [25, 50]])
        )
        data = data.assign({
            name: part.broadcast_like(data["loss"])
            for name, part in zip(("value_terms", "gradient_terms"), counts, strict=True)
        })
        assert only(compare(data, at=50))["verdict"] == "B better"
        assert only(compare(data, at=100))["verdict"] == "undecided"
        assert only(compare(data, at=100))["worlds"] == 0

    @pytest.mark.parametrize("paired", [[True, False], [False, False]])
    def test_worlds_that_are_not_the_same_are_not_paired(self, paired):
        data = two(*RNG.normal(0, 1, (2, 8))).assign_coords(paired=("optimizer", paired))
        for function in (
            compare,
            win_probability,
            lambda data: ranks(data, "replicate"),
            lambda data: winners(data.isel(landscape=0)),
        ):
            with pytest.raises(
                ValueError,
                match=(
                    r"^comparison: expected optimizers that ran in the same worlds, (A, )?B did not: leave"
                    r" out those"
                ),
            ):
                function(data)
        assert compare(data.assign_coords(paired=("optimizer", [True, True]))).sizes["pair"] == 1

    def test_one_optimizer_cannot_be_compared(self):
        with pytest.raises(ValueError, match=r"comparison: expected two optimizers or more, got A"):
            compare(results(np.zeros((1, 1, 8))))


class TestVerdict:
    @each(
        ("interval", "p", "side", "expected"),
        [((-2, -1), 0.01, -1, "A better"), ((1, 2), 0.01, 1, "B better"), ((-2, 0), 0.01, -1, "undecided"), ((-1, 1), 0.01, 1, "undecided"),
         ((-2, -1), 0.2, -1, "undecided"), ((-2, -1), np.nan, -1, "undecided"), ((np.nan, np.nan), 0.01, 1, "undecided"),
         ((-2, -1), 0.01, 1, "undecided"), ((1, 2), 0.01, -1, "undecided"), ((1, 2), 0.01, 0, "undecided")],
    )  # fmt: skip
    def test_needs_both(self, interval, p, side, expected):
        bounds = xr.DataArray(list(interval), dims="bound", coords={"bound": ["low", "high"]})
        assert verdict(bounds, xr.DataArray(p), xr.DataArray(side)).item() == expected

    def test_a_few_large_losses_do_not_make_the_other_arm_better(self):
        """A is a little better in four of five worlds and much worse in the fifth.

        Mean and test are sure, of different arms.
        """
        away = np.where(np.arange(100) % 5 == 0, 5.0, -0.1)
        found = compare(two(away, np.zeros(100)))
        assert (found["difference_interval"].sel(bound="low") > 0).all()
        assert (found["p_corrected"] < 0.05).all()
        assert (found["win_probability"] == 0.8).all()
        assert (found["verdict"] == "undecided").all()

    def test_the_side_is_that_of_the_signed_ranks(self):
        rows = np.where(RNG.random((50, 12)) < 0.2, np.nan, np.round(RNG.normal(0, 2, (50, 12))))
        rows[:, 0] = 0.0
        for row, told in zip(
            rows, signed_ranks(xr.DataArray(rows, dims=("cell", "unit"))).values, strict=True
        ):
            given = row[~np.isnan(row)]
            assert told == sum(
                np.sign(x) * (sum(abs(given) < abs(x)) + (sum(abs(given) == abs(x)) + 1) / 2)
                for x in given
            )


class TestWinProbability:
    def test_an_arm_ties_with_itself(self):
        a = RNG.normal(0, 1, 32)
        found = win_probability(two(a, a))
        assert (found["win_probability"] == 0.5).all()
        assert found["win_probability"].dims == ("landscape", "pair", "checkpoint")

    def test_arms_of_one_law_win_half(self):
        found = win_probability(results(RNG.normal(0, 1, (40, 2, 32))))["win_probability"].isel(
            checkpoint=-1
        )
        assert abs(float(found.mean()) - 0.5) < 3 * 0.5 / np.sqrt(40 * 32)
        better = win_probability(results(RNG.normal(0, 1, (40, 2, 32)) - np.array([0.3, 0])[:, None]))[
            "win_probability"
        ].isel(checkpoint=-1)
        assert abs(float(better.mean()) - 0.5) > 3 * 0.5 / np.sqrt(40 * 32)

    def test_counts_wins_and_half_ties(self):
        found = win_probability(two([1, 1, 2, 3.0], [1, 2, 3, 1.0])).isel(checkpoint=-1)
        assert found["win_probability"].item() == 2.5 / 4
        assert found["worlds"].item() == 4


def test_diverged_and_missing_losses():
    loss = losses(results(np.ones((1, 3, 1)), status=np.array([[[2], [3], [4]]])), at=np.inf)
    assert loss.values.ravel().tolist() == pytest.approx([1, np.inf, np.nan], nan_ok=True)


def test_distinct_places():
    part = xr.DataArray(
        [[[1.0, 2], [1, 2], [3, 2]], [[1, 2], [1, 2], [1, 2]]], dims=("landscape", "k", "replicate")
    )
    assert distinct(part, ["landscape", "k"]).values.tolist() == [
        [True, False, True],
        [True, False, False],
    ]
