"""The answer of a report: what it says of findings, and the matrix that goes with it."""

import numpy as np
import pytest
import xarray as xr

from studies import analysis
from studies.analysis.comparison.winners import Duel, Finding
from studies.report import answer
from studies.report.cells import between, number, places, shown
from studies.report.matrix import _over, matrix
from tests.support.arms import results

WORLDS = np.arange(32)
NAMES = ["A", "B", "C"]


def found(*losses, names=NAMES, gap_known=1.0, **coords):
    """What is said of losses (optimizer, worlds) of landscapes, or (optimizer, axis, worlds)."""
    data = results(np.array(losses, float), names=names, gap_known=gap_known).assign_attrs(config="{}")
    data = data.assign_coords(coords)
    return answer.of_landscapes(data, analysis.compare(data))


def said(*losses, **options):
    (line,) = answer.lines(found(*losses, **options))
    return line


def gaps(*decades, spread=0.3, seed=5):
    """Gaps of worlds around these decades; of an arm to itself none."""
    rng = np.random.default_rng(seed)
    return [10.0 ** (each + spread * rng.standard_normal(len(WORLDS))) for each in decades]


# sentences --------------------------------------------------------------------------------------------------


def test_the_best_is_named_with_its_lead_over_the_runner_up():
    """The lead is the mean over worlds of the decades between the two, as a factor; C is far behind both."""
    a, b, c = losses = gaps(-3, -2, 0)
    line = said(losses)
    factor = 10 ** np.mean(np.log10(b) - np.log10(a))
    assert line.word == "decided"
    assert line.where == "land 0 · 100 evaluations"
    assert line.text.startswith("A is best: its gap to the optimum is ")
    assert float(line.text.split(" is ")[2].split(" (")[0]) == pytest.approx(factor, rel=0.05)
    assert line.text.endswith(
        "times smaller than that of B, and better than the other (32 worlds, p < 0.001)"
    )


def test_of_losses_that_are_no_gaps_the_difference_is_said():
    a, b = np.sin(WORLDS), np.sin(WORLDS) + 2.5 + 0.1 * np.cos(7 * WORLDS)
    line = said([a, b], names=["A", "B"], gap_known=0.0)
    ahead = float(line.text.split("its loss is ")[1].split(" (")[0])
    assert ahead == pytest.approx(np.mean(b - a), abs=0.002)
    assert "below that of B" in line.text


def test_runs_that_diverge_are_said():
    a = gaps(-3)[0]
    line = said([a, np.full(32, np.inf)], names=["A", "B"])
    assert line.text.startswith("A is best: most runs of B diverge (32 worlds")


def test_what_is_undecided_says_how_many_worlds_would_decide():
    """As many as the comparison says, in two digits."""
    losses = gaps(-2, -1.95, 1, spread=0.4, seed=8)
    ((one,),) = (found(losses),)
    (rival,) = one.every[0].rivals
    line = said(losses)
    assert line.word == "undecided"
    assert (
        f"{one.every[0].winner} has the lowest median, but is not told apart from {rival.b}"
        in line.text
    )
    if np.isfinite(rival.units_to_decide):
        assert (
            f"about {float(f'{rival.units_to_decide:.2g}'):,.0f} worlds like these would decide"
            in line.text
        )
    else:
        assert "no number of worlds like these would decide" in line.text


def shifted(low, high):
    """A has the lowest median, since 32 of 63 worlds are low; the others are much worse than B's."""
    jitter = 10 ** (0.02 * np.sin(np.arange(63)))
    return [np.where(np.arange(63) < 32, low, high) * jitter, np.full(63, 1.2e-3)]


def test_who_is_better_over_the_same_worlds_is_said_though_its_median_is_higher():
    losses = shifted(1e-3, 1.0)
    assert np.median(losses[0]) < np.median(losses[1])
    line = said(losses, names=["A", "B"])
    assert line.word == "undecided"
    factor = 10 ** np.mean(np.log10(losses[0]) - np.log10(losses[1]))
    words = "A has the lowest median; but B is better over the same worlds: its gap to the optimum is "
    assert line.text.startswith(words)
    assert float(line.text.removeprefix(words).split(" (")[0]) == pytest.approx(factor, rel=0.05)
    assert "times smaller than that of A" in line.text
    assert "told apart" not in line.text
    ((_, (first, second)),) = matrix(found(losses, names=["A", "B"]), ["A", "B"]).rows
    assert (first.kind, second.kind) == ("best", "ahead")
    assert float(second.below.removeprefix("×")) == pytest.approx(1 / factor, rel=0.05)


OF_A_DUEL = {
    "worlds": 32,
    "units": 32,
    "judged": "final loss",
    "target": np.nan,
    "difference": -1.0,
    "difference_interval": (-2.0, -0.5),
    "p_corrected": 0.3,
    "units_to_decide": 60.0,
    "logarithmic": True,
}


def duel(b, verdict, **more):
    """A against another."""
    return Duel(a="A", b=b, verdict=verdict, **OF_A_DUEL | more)


def finding(*duels, **medians):
    tied = medians["A"] == medians[duels[0].b]
    return Finding("A", duels[0].b, tied=tied, worlds=32, duels=duels, medians=medians)


def test_of_equal_medians_those_that_a_time_tells_apart_do_not_tie():
    """B is slower, C has another median, and neither ties; D is equal in all."""
    slower, close, equal = duel("B", "A better"), duel("C", "undecided"), duel("D", "undecided")
    assert answer.sentence(finding(slower, close, A=1.0, B=1.0, C=2.0)) == (
        "A has the lowest median, but is not told apart from C, p = 0.3; about 60 worlds like these would decide"
        " (32 worlds)"
    )
    assert answer.sentence(finding(slower, equal, close, A=1.0, B=1.0, C=2.0, D=1.0)) == (
        "A and D tie at the precision; A is not told apart from C, p = 0.3; about 60 worlds like these would"
        " decide (32 worlds)"
    )


def test_a_factor_beyond_all_numbers_is_infinite():
    far = duel(
        "B", "A better", difference=-400.0, difference_interval=(-500.0, -300.0), p_corrected=1e-9
    )
    text = answer.sentence(finding(far, A=1.0, B=2.0)._replace(decided=True))
    assert "∞ (1e+300 to ∞) times smaller than that of B" in text


def test_equal_arms_tie_and_nothing_decides():
    a = gaps(-2)[0]
    line = said([a, a], names=["A", "B"])
    assert line.word == "tie"
    assert (
        line.text
        == "A and B tie at the precision; no number of worlds like these would decide (32 worlds)"
    )


def test_nobody_wins_where_all_diverge():
    line = said([np.full(32, np.inf)] * 2, names=["A", "B"])
    assert (line.word, line.text) == ("no numbers", "no optimizer has a finite loss")


def swept(**winners):
    """A study of one landscape and two axes: at each k the winner is sure, whatever the other axis is."""
    far, near = gaps(-1), gaps(-3)
    parts = []
    for k, name in enumerate(winners.values()):
        losses = [near[0] if name == arm else far[0] for arm in "AB"]
        other = [[row * factor for row in losses] for factor in (1.0, 2.0)]
        along = [
            results(np.array([part]), names=["A", "B"], gap_known=1.0).assign_coords(s=i)
            for i, part in enumerate(other)
        ]
        parts.append(xr.concat(along, "s", data_vars=["loss"], coords="minimal").assign_coords(k=k))
    return xr.concat(parts, "k", data_vars=["loss"], coords="minimal").assign_attrs(config="{}")


def test_of_many_settings_those_with_the_same_winner_are_one_line():
    data = swept(zero="A", one="B", two="A", three="A")
    lines = answer.lines(answer.of_landscapes(data, analysis.compare(data)))
    assert [(line.word, line.text) for line in lines] == [
        ("decided", "A is best at k = 0, 2, 3, in 6 of 8 settings"),
        ("decided", "B is best at k = 1, in 2 of 8 settings"),
    ]


def test_of_few_settings_each_has_its_line():
    data = swept(zero="A", one="B").isel(s=0, drop=True)
    lines = answer.lines(answer.of_landscapes(data, analysis.compare(data)))
    assert [line.where for line in lines] == [f"land 0, k = {k} · 100 evaluations" for k in (0, 1)]
    assert [line.text[:9] for line in lines] == ["A is best", "B is best"]


# numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "bounds", "text"),
    [
        (3.2341, (2.1, 4.9), "3.2"),
        (0.155612, (0.1515, 0.1604), "0.1556"),
        (123.456, (100.0, 150.0), "123"),
        (123456.0, (120000.0, 127000.0), "123,500"),
        (1.23456e-9, (1.1e-9, 1.4e-9), "1.23e-09".replace("-", "−")),
        (3.2341, (3.2341, 3.2341), "3.234"),  # no width: four digits
        (3.2341, (3.0, np.inf), "3.234"),
        (0.001, (-0.5, 0.6), "0.001"),  # one digit at least
        (-1.816, (-2.0, -1.5), "−1.82"),
        (0.0, (-0.5, 0.6), "0"),
    ],
)
def test_numbers_have_the_digits_that_their_interval_allows(value, bounds, text):
    """Down to the second digit of half the interval's width."""
    assert number(value, bounds).text == text


def test_ends_of_an_interval_have_its_digits():
    assert between(0.71234, 1.49876) == "0.71 to 1.5"
    assert between(1.38234, np.inf) == "1.382 to ∞"
    assert places((100.0, 150.0)) == 0
    assert [shown(value, 1) for value in (1234.5, 100.2, 12.3)] == ["1,230", "100", "10"]


# the matrix -------------------------------------------------------------------------------------------------


def test_the_matrix_marks_the_best_and_who_is_not_told_apart():
    clear, close = gaps(-3, -2, 0), gaps(-2, -1.95, 1, spread=0.4, seed=8)
    every = found(clear, close)
    made = matrix(every, NAMES)
    assert [where for where, _ in made.rows] == ["land 0", "land 1"]
    first, second = (cells for _, cells in made.rows)
    assert [cell.kind for cell in first] == ["sure", "", ""]
    assert sorted(cell.kind for cell in second) == ["", "alike", "best"]
    for cell, losses in zip(first, clear, strict=True):
        assert float(cell.text) == pytest.approx(np.sort(losses)[15], rel=1e-3)  # one that was observed
    ratio = 10 ** np.mean(np.log10(clear[2]) - np.log10(clear[0]))
    assert float(first[2].below.removeprefix("×").replace(",", "")) == pytest.approx(ratio, rel=0.05)


def test_where_there_are_targets_the_matrix_has_running_times_and_successes():
    """To the second target A takes (10 + 20 + 30 + 40) / 4, B (40 + 60 + 100 + 100) / 2, C never gets there.

    Nobody reached the third. The first, which C reached, is easier. On the other landscape there is no hit.
    """
    never, easy = np.inf, [5.0] * 4
    second = [[10, 20, 30, 40], [40, 60, never, never], [never] * 4]
    hits = np.array([[list(zip(easy, own, [never] * 4, strict=True)) for own in second]])
    hits = np.concatenate([hits, np.full_like(hits, never)])
    losses = np.array([[[1.0, 2, 3, 4]] * 3] * 2) * np.array([1.0, 2, 4])[:, None]
    data = results(losses, names=NAMES, gap_known=1.0, hits=hits).assign_attrs(config="{}")
    data = data.assign_coords(target_loss=("target", [3.0, 2.0, 1.0]), terms=1.0)
    data["value_terms"] = data["cost"].broadcast_like(data["loss"])
    data["gradient_terms"] = 0 * data["value_terms"]
    made = matrix(answer.of_landscapes(data, analysis.compare(data)), NAMES)
    first, other = (cells for _, cells in made.rows)
    wanted = ["time ×1 · 4 of 4", "time ×6 · 2 of 4", "time ×∞ · 0 of 4"]
    assert [cell.below for cell in first] == wanted
    assert [cell.below for cell in other] == ["", "×2", "×4"]
    assert "expected running time" in made.notes[0]
    assert made.times == ["land 0, to 2: A 25 (4 of 4), B 150 (2 of 4), C never (0 of 4)"]


@pytest.mark.parametrize(
    ("ert", "ends", "text"),
    [
        (352.0, (351.0, 353.0), "3.52"),  # known to 0.3 %, as the other: 0.01
        (352.0, (300.0, 413.0), "3.5"),  # to 0.16 in its logarithm: 0.6
        (352.0, (130.0, 953.0), "4"),  # to 1: 4
        (3520.0, (1300.0, 9530.0), "40"),
        (352.0, (0.0, 953.0), "4"),  # an interval without an end: one digit
        (352.0, (130.0, np.inf), "4"),
        (np.inf, (800.0, np.inf), "∞"),
        (100.0, (10.0, 1000.0), "1"),  # the best itself
    ],
)
def test_a_ratio_of_running_times_has_the_digits_that_both_intervals_allow(ert, ends, text):
    best = (99.7, 100.3) if ert != 100 else ends
    number = 1 if ert != 100 else 0
    assert _over(np.array([100.0, ert]), np.array([best, ends]), number, 0) == text
