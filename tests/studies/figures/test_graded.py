"""Shades along an axis of many values: which line has which, the bar that says so, and one scale for panels."""

import numpy as np
import pytest
import xarray as xr
from matplotlib import rc_context
from matplotlib.colors import to_rgb

from studies.figures import captions, graded, pages_of, scales, style
from studies.figures.attainment import attainment
from studies.figures.convergence import convergence
from studies.figures.diversity import diversity
from studies.figures.ecdf import ecdf
from studies.results.figures import Asked
from tests.support.analysis import results
from tests.support.each import each
from tests.support.looks import faults

RATES = [0.1 * 2**i for i in range(10)]
LINES = {"convergence": convergence, "ecdf": ecdf, "attainment": attainment, "diversity": diversity}
COST = [10.0, 20.0, 50.0, 100.0]


def study(values=tuple(RATES), axis="rate", optimizers=("SGD", "GA", "ES"), landscapes=("hill",)):
    """SGD and GA have an arm for each value, ES has one; losses fall the faster the larger the value is."""
    names, worlds = xr.Variable("optimizer", list(optimizers)), xr.Variable("replicate", range(4))
    along = xr.Variable(axis, range(1, len(values) + 1))
    speed = xr.where(names == "ES", 1, along)
    falls = xr.Variable("checkpoint", [1, 0.5, 0.2, 0.1]) ** speed
    losses = (1 + 0.1 * worlds) * (10.0 / xr.Variable("optimizer", range(1, len(names) + 1))) * falls
    one = results(np.ones((4, 4)), COST, targets=[1.0], hits=np.ones((4, 1)))
    one = one.assign_coords(gap_known=1.0, precision=1e-9)
    data = one.expand_dims({"optimizer": names, axis: list(values)})
    data = data.assign(loss=losses, hit_cost=data["hit_cost"] * 20.0 * speed)
    data = data.assign(diversity=data["loss"]).expand_dims(landscape=list(landscapes))
    return data.transpose("landscape", "optimizer", ...)


def bars(figure):
    """The colours of the bar: row by row."""
    (axes,) = [axes for axes in figure.axes if axes.get_label() == "<colorbar>" or len(axes.patches)]
    rows = {round(patch.get_y() + 0.5): [] for patch in axes.patches}
    for patch in axes.patches:
        rows[round(patch.get_y() + 0.5)].append(to_rgb(patch.get_facecolor()[:3]))
    return axes, [rows[row] for row in sorted(rows, reverse=True)]


@pytest.mark.daily(2)
@pytest.mark.parametrize("name", LINES)
def test_each_line_has_the_colour_that_the_bar_says(name):
    with rc_context(style.PAPER):
        figure = LINES[name](study())
        assert not faults(figure)
    colours = {line.get_label(): to_rgb(line.get_color()) for line in figure.axes[0].lines}
    axes, rows = bars(figure)
    for optimizer, row in zip(("SGD", "GA"), rows, strict=True):
        for value, colour in zip(RATES, row, strict=True):
            assert colours[f"{optimizer}, rate = {value}"] == pytest.approx(colour)
    assert [text.get_text() for text in axes.get_xticklabels()] == [f"{value:.4g}" for value in RATES]
    assert axes.get_xlabel() == "rate"
    assert [patch.get_gid() for patch in axes.patches[:2]] == ["SGD, rate = 0.1", "SGD, rate = 0.2"]
    legends = [*figure.legends, *(part.get_legend() for part in figure.axes if part.get_legend())]
    assert [text.get_text() for legend in legends for text in legend.get_texts()] == ["SGD", "GA", "ES"]
    assert captions.said(figure).count("; shades: values of rate") == 1


def test_shades_go_from_pale_to_dark_through_the_colour_itself():
    for colour in style.COLOURS:
        shades = np.array(style.ramp(colour, 9))
        assert (np.diff(shades.sum(1)) < 0).all()
        if colour != "#000000":  # which has no darker shades
            np.testing.assert_allclose(shades[4], to_rgb(colour), atol=0.01)


@each(
    ("arms", "axis"),
    [
        ({}, "rate"),
        ({"values": RATES[:7]}, None),  # a legend has room for them
        ({"values": [f"kind {i}" for i in range(10)]}, None),  # no order
        ({"optimizers": ("ES",)}, None),  # which has one arm alone
    ],
)
def test_what_is_shaded(arms, axis):
    data = study(**arms)
    assert scales.crowded(data, scales.apart(data)) == axis
    assert (graded.shown(data).shades is None) == (axis is None)


def test_of_two_axes_one_has_panels_and_the_other_shades():
    data = study().expand_dims(k=range(8))
    factor = xr.Variable("k", np.linspace(1, 2, 8))
    data = data.assign(loss=data["loss"] * factor).transpose("landscape", "optimizer", "k", ...)
    assert scales.apart(data) == ["k"]  # 8 or 10 lines are too many for either axis
    made = convergence(data)
    titles = [axes.get_title("left") for axes in made.axes if axes.lines]
    assert titles == [f"hill, k = {k}" for k in range(8)]
    assert len(bars(made)[1][0]) == len(RATES)


def test_pages_keep_all_values_of_the_bar():
    data = study(landscapes=[f"hill {i}" for i in range(4)])
    pages = pages_of(Asked("convergence", {}, "convergence"), data, style.COLUMN)
    assert len(pages) > 1
    assert all(len(row) == len(RATES) for page in pages for row in bars(page)[1])


class TestOneScale:
    """Panels of one landscape have one vertical scale where it fits them."""

    def swept(self, change):
        """Four rates and two values of k, at the second of which losses are changed."""
        first = study(values=RATES[:4])
        parts = [first, first.assign(loss=change(first["loss"]))]
        data = xr.concat(parts, xr.Variable("k", [0, 1]), coords="minimal")
        return data.transpose("landscape", "optimizer", "k", ...)

    @pytest.mark.parametrize("figure", [convergence, attainment])
    def test_it_is_that_of_both(self, figure):
        made = figure(self.swept(lambda loss: loss / 2))
        drawn = [axes for axes in made.axes if axes.lines]
        assert len(drawn) == 2
        assert drawn[0].get_ylim() == drawn[1].get_ylim()
        low = min(float(line.get_ydata().min()) for axes in drawn for line in axes.lines)
        assert drawn[0].get_ylim()[0] <= low
        assert captions.said(made).count(scales.SHARED) == 1

    def test_a_panel_that_would_be_squeezed_keeps_its_own(self):
        made = convergence(self.swept(lambda loss: loss**0.1))
        first, second = (axes.get_ylim() for axes in made.axes if axes.lines)
        assert first != second
        assert scales.SHARED not in captions.said(made)


@pytest.mark.parametrize(("optimizers", "entries"), [(3, 3 + 2), (7, 7 + 2), (8, 8 * 2)])
def test_a_legend_has_colours_and_line_styles_apart_only_where_these_say_which(optimizers, entries):
    """An eighth optimizer has the colour of the first, and its own line styles."""
    every = style.looks([f"A{i}, k = {k}" for i in range(optimizers) for k in range(2)])
    assert len(style.factored(every)) == entries
