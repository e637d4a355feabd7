"""Planned contrasts: `compare(pairs=..)`, whose correction is over the questions that were asked alone."""

import numpy as np
import pytest
import xarray as xr

from studies.analysis.comparison.comparison import compare
from studies.analysis.comparison.power import units_to_decide
from tests.support.arms import results

WAVES = np.sin(np.arange(24) * np.arange(1, 5)[:, None])  # of four arms, nobody like another
LOSSES = WAVES + np.array([[0.0], [0.4], [0.5], [1.5]])
OF_THE_QUESTIONS = {"p_corrected", "units_to_decide", "verdict"}
TURNED = {"difference", "cliffs_delta"}  # of B and A it is less that of A and B
CHANCES = {"win_probability", "a12"}  # of B and A it is 1 less that of A and B


@pytest.fixture(scope="module")
def data():
    return results(LOSSES[None])


@pytest.fixture(scope="module")
def every(data):
    return compare(data).isel(landscape=0)


def planned(data, *pairs, **options):
    return compare(data, pairs=pairs, **options).isel(landscape=0)


def test_the_numbers_of_a_pair_are_those_of_all_pairs(data, every):
    some = planned(data, ("B", "D"), ("A", "C"))
    assert some["pair"].values.tolist() == ["B - D", "A - C"]
    assert some["a"].values.tolist() == ["B", "A"]
    own = some.drop_vars(OF_THE_QUESTIONS)
    xr.testing.assert_identical(own, every.sel(pair=["B - D", "A - C"]).drop_vars(OF_THE_QUESTIONS))


def test_the_correction_is_over_what_was_asked(data, every):
    """Holm's by hand: of two the smaller p counts twice, the larger once, and no less than the smaller."""
    some = planned(data, ("A", "B"), ("A", "C"))
    p = every["p_value"].sel(pair=["A - B", "A - C"]).values
    small, large = sorted(p)
    by_hand = {small: 2 * small, large: max(2 * small, large)}
    assert some["p_corrected"].values.tolist() == pytest.approx([by_hand[each] for each in p])
    assert some["p_corrected"].attrs["tests"] == 2
    assert every["p_corrected"].attrs["tests"] == 6
    assert (some["p_corrected"] < every["p_corrected"].sel(pair=some["pair"])).all()


def test_one_question_is_not_corrected_and_may_be_decided(data):
    """P * 6 is above 0.05 of B and C's, p is not: here by the exact signs of eight worlds, 2 / 2^8."""
    losses = np.stack([np.arange(8.0), np.arange(8.0) + 1 + WAVES[0, :8] / 9, 2 + 0.0 * WAVES[0, :8]])
    few = results(losses[None])
    (p,) = planned(few, ("A", "B"))["p_corrected"].values
    assert p == 2 * 2.0**-8
    assert planned(few, ("A", "B"), alpha=0.01)["verdict"].item() == "A better"
    assert compare(few, alpha=0.01).isel(landscape=0, pair=0)["verdict"] == "undecided"  # 3 p


def test_the_worlds_that_would_decide_are_those_of_so_few_tests(data):
    away = xr.DataArray(LOSSES[1] - LOSSES[2], dims="unit")
    assert planned(data, ("B", "C"))["units_to_decide"].item() == units_to_decide(away, 1).item()
    assert compare(data)["units_to_decide"].sel(pair="B - C").item() == units_to_decide(away, 6).item()


def test_asked_the_other_way_round_signs_turn(data, every):
    """Intervals too: of resamples' quantiles that are read off between two, but for rounding."""
    here, there = planned(data, ("D", "A")).isel(pair=0), every.sel(pair="A - D")
    assert (here["a"].item(), here["b"].item(), here["pair"].item()) == ("D", "A", "D - A")
    assert (there["verdict"].item(), here["verdict"].item()) == ("A better", "B better")
    assert here["p_value"].item() == there["p_value"].item()
    for name in TURNED | CHANCES:
        whole = 1.0 if name in CHANCES else 0.0
        assert here[name].item() == pytest.approx(whole - there[name].item(), abs=1e-12)
        low, high = there[f"{name}_interval"].values
        assert here[f"{name}_interval"].values.tolist() == pytest.approx(
            [whole - high, whole - low], abs=0.02
        )


def test_a_time_to_a_target_turns_too():
    """Losses tie, and A is always the first."""
    hits = np.stack([np.arange(1.0, 9.0), np.arange(11.0, 19.0)])[None, ..., None]
    both = results(np.zeros((1, 2, 8)), hits=hits, gap_known=1.0)
    both = both.assign_coords(target_loss=("target", [0.5]), precision=1e-3).assign_attrs(config="{}")
    there, here = compare(both).isel(landscape=0, pair=0), planned(both, ("B", "A")).isel(pair=0)
    assert (there["judged"], here["judged"]) == ("time to target", "time to target")
    mean = np.log10(np.arange(11.0, 19.0) / np.arange(1.0, 9.0)).mean()
    assert there["difference"].item() == pytest.approx(-mean)
    assert here["difference"].item() == pytest.approx(mean)
    assert here["target"].item() == 0.5


@pytest.mark.parametrize(
    ("pairs", "line"),
    [
        ([("A", "E")], "pairs: unknown optimizer 'E'; expected one of: A, B, C, D"),
        ([("A", "A")], r"pairs: expected two optimizers, got \('A', 'A'\)"),
        ([("A", "B"), ("B", "A")], "pairs: expected some, each once"),
        ([], r"pairs: expected some, each once, got \[\]"),
    ],
)
def test_what_is_no_pair_is_one_line(pairs, line, data):
    with pytest.raises(ValueError, match=line):
        compare(data, pairs=pairs)
