"""Running times along an axis: those of the analysis, and the exponents of exact power laws."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import CARETDOWNBASE

from studies.analysis.running_time.runtime import expected_running_time
from studies.figures import captions
from studies.figures.scaling import NONE, SOME, Line, _draw, lines, scaling
from tests.support.analysis import timed

AXIS = [0.0, 1.0, 2.0, 4.0]
SHARES = np.array([0.8, 1.0, 1.25, 1.0])  # of worlds, the same at all values: no noise along the axis
NEVER = np.inf


def study(power=1.0):
    """Hits of A at 5 n^power evaluations times the shares; of B never at n = 2, and in half at n = 4."""
    hits = {
        "A": [5 * n**power * SHARES if n else SHARES for n in AXIS],
        "B": [SHARES, 10 * SHARES, [NEVER] * 4, [20, 20, NEVER, NEVER]],
    }
    arms = [
        xr.concat(
            [timed(list(hit), [100.0] * 4) for hit in own], xr.Variable("n", AXIS), coords="minimal"
        )
        for own in hits.values()
    ]
    data = xr.concat(arms, xr.Variable("optimizer", list(hits)), coords="minimal")
    offset = data["n"] + (data["optimizer"] == "B")  # no two values of the axis have the same losses
    return data.assign(loss=data["loss"] + 0.001 * offset).expand_dims(landscape=["hill"])


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_of_an_exact_power_law_is_its_own(power):
    line = lines(study(power).isel(landscape=0).sel(n=[1, 2, 4]), "n")["A"]
    np.testing.assert_allclose(line.exponent, [power] * 3, atol=1e-9)
    np.testing.assert_allclose(line.ert, 5 * np.array([1, 2, 4.0]) ** power * SHARES.mean())


def test_running_times_and_intervals_are_those_of_the_analysis():
    part = study().isel(landscape=0).sel(n=[1, 2, 4])
    wanted = expected_running_time(part).isel(target=-1)
    for name, line in lines(part, "n").items():
        here = wanted.sel(optimizer=name)
        np.testing.assert_array_equal(line.ert, here["ert"])
        np.testing.assert_array_equal(line.ends, here["ert_interval"].transpose("bound", "n"))


def test_failures_are_marked_and_zero_is_left_out():
    """B at 2: never; at 4: 2 * 20 and 2 * 100 evaluations over 2 successes."""
    figure = scaling(study(), 3.4)
    line = lines(study().isel(landscape=0).sel(n=[1, 2, 4]), "n")["B"]
    np.testing.assert_allclose(line.ert, [10 * SHARES.mean(), NEVER, 120])
    assert line.failed.tolist() == [False, True, True]
    (axes,) = figure.axes
    (triangle,) = [one for one in axes.lines if one.get_marker() == "^"]
    assert triangle.get_xdata() == pytest.approx([2], rel=0.02)
    hollow = [
        one for one in axes.lines if one.get_markerfacecolor() == "white" and len(one.get_xdata())
    ]
    assert [one.get_xdata().tolist() for one in hollow] == [[4]]
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == {"A", "B", SOME, NONE}
    assert figure.get_figheight() <= 4.5
    assert "hill, A: 1.00 [1.00, 1.00]" in captions.said(figure)


def test_a_landscape_that_the_axis_leaves_as_it_is_has_no_lines():
    data = study()
    same = data.isel(n=[1] * len(AXIS)).assign_coords(n=AXIS, landscape=["plain"])
    first, second = scaling(xr.concat([data, same], "landscape")).axes
    assert first.lines
    assert not second.lines
    assert [text.get_text() for text in second.texts if text.get_text().startswith("the")] == [
        "the same at every n"
    ]


def test_what_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"^scaling: expected x to be a swept axis .* \(n\), got k"):
        scaling(study(), x="k")
    with pytest.raises(ValueError, match="^scaling: expected a target"):
        scaling(study().isel(target=[]))
    assert scaling(study().isel(target=[]), target=0.5).axes


def test_an_interval_down_to_0_has_an_arrow():
    line = Line(
        np.array([1.0, 2, 4]), np.full(3, 8.0), np.array([[4.0, 0, 4], [9.0, 9, 9]]), *[np.zeros(3)] * 2
    )
    axes = Figure().add_subplot()
    _draw(line, axes, "A", {"color": "black"}, 1)
    arrows = [one for one in axes.lines if one.get_marker() == CARETDOWNBASE]
    assert [(one.get_xdata().tolist(), one.get_ydata().tolist()) for one in arrows] == [([2], [4])]
    bars = [place.tolist() for drawn in axes.collections for place in drawn.get_segments()]
    assert sorted(bars) == [[[1, 4], [1, 9]], [[2, 4], [2, 8]], [[2, 8], [2, 9]], [[4, 4], [4, 9]]]
