"""The lines of the attainment figure, by hand."""

import numpy as np
import pytest
import xarray as xr

from studies.figures import captions, pages_of, style
from studies.figures.attainment import attainment, line, surfaces
from studies.results.figures import Asked
from tests.support.analysis import results

COST = [10.0, 20.0, 40.0, 100.0]
LOSSES = [[9, 5, 5, 1], [9, 9, 5, 5], [9, 9, 9, 5], [9, 9, 9, 9]]  # of four worlds


def study(names=("hill",)):
    arm = results(np.array(LOSSES, float), COST).drop_dims("target").assign_coords(gap_known=0.0)
    return arm.expand_dims(optimizer=["A"]).expand_dims(landscape=list(names))


@pytest.mark.parametrize(
    ("level", "cost", "loss"),
    [
        (0.25, [10, 20, 100, 100], [9, 5, 1, 1]),
        (0.5, [10, 40, 40], [9, 5, 5]),
        (0.75, [10, 100], [9, 5]),
    ],
)
def test_lines_are_the_costs_at_which_so_many_worlds_had_got_there(level, cost, loss):
    """Worlds are at 5 from 20, 40 and 100 on, one is at 1 in the end; each line goes on to the end."""
    one = surfaces(study().isel(landscape=0))["A"]
    x, y = line(one, level)
    drawn = dict(zip(x.tolist(), y.tolist(), strict=True))
    for at, wanted in zip(cost, loss, strict=True):
        reached = [value for place, value in zip(x, y, strict=True) if place <= at]
        nearest = one.loss[one.loss >= wanted * (1 - 1e-9)].min()
        assert min(reached) == pytest.approx(nearest)
    assert max(drawn) == 100


def test_arms_are_lines_or_panels_with_shades():
    figure = attainment(study())
    assert [one.get_label() for one in figure.axes[0].lines] == ["_A, 25%", "A", "_A, 75%"]
    assert "4 worlds" in captions.said(figure)
    shaded = attainment(study(), surface=True)
    (mesh,) = shaded.axes[0].collections
    assert mesh.get_array().shape == (25, 4)
    np.testing.assert_allclose(mesh.get_array()[0], 1)  # the highest loss is that of all from the start


def test_pages_are_no_higher_than_half_a_page():
    data = study([f"hill {i}" for i in range(9)])
    for options in ({}, {"surface": True}):
        pages = pages_of(Asked("attainment", options, "attainment"), data, style.COLUMN)
        assert len(pages) > 1
        assert all(page.get_figheight() <= 4.5 for page in pages)


def test_many_arms_have_panels_for_values_of_an_axis():
    """Ten values of k and three of noise: no optimizer may have 30 lines in a panel."""
    axes = {"k": np.arange(10.0), "noise": np.array([0.0, 0.1, 0.3])}
    data = study().expand_dims({name: len(values) for name, values in axes.items()})
    offset = xr.DataArray(np.arange(30.0).reshape(10, 3), axes, list(axes))  # no two arms are alike
    data = data.assign_coords(axes).assign(loss=data["loss"] + offset)
    figure = attainment(data)
    drawn = [panel for panel in figure.axes if panel.lines]
    assert [len(panel.lines) for panel in drawn] == [3 * 3] * 10
    assert [text.get_text() for text in figure.legends[0].get_texts()][-1] == "A, noise = 0.3"


def test_losses_are_no_gaps_below_the_precision():
    """A world ends at the optimum: the lowest loss is the precision of the study, and the axis is logarithmic."""
    data = study().assign_coords(gap_known=1.0, precision=1e-3)
    loss = data["loss"].copy(data=np.where(data["loss"] == 1, 0.0, data["loss"]))
    figure = attainment(data.assign(loss=loss))
    one = surfaces(data.assign(loss=loss).isel(landscape=0))["A"]
    assert one.loss[[0, -1]].tolist() == [9, 1e-3]
    assert figure.axes[0].get_yscale() == "log"
    assert [text.get_text() for text in figure.axes[0].texts] == ["≤ precision 0.001"]
    above = attainment(study().assign_coords(gap_known=1.0, precision=1e-3))
    assert not above.axes[0].texts


def test_an_arm_without_a_look_of_its_own_has_that_of_its_optimizer():
    """Eight optimizers with values that are texts have more arms than there are looks."""
    names, values = [f"A{i}" for i in range(8)], [f"kind {i}" for i in range(5)]
    data = study().isel(optimizer=0, drop=True)
    data = data.expand_dims(optimizer=names, kind=values).copy(deep=True)
    offset = xr.DataArray(np.arange(40.0).reshape(8, 5), dims=("optimizer", "kind"))
    figure = attainment(data.assign(loss=data["loss"] + offset).transpose("landscape", ...))
    assert len(figure.axes[0].lines) == 3 * 40
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names


def test_where_all_failed_surfaces_say_so():
    data = study()
    figure = attainment(data.assign(status=data["status"] * 0 + 4), surface=True)
    assert [text.get_text() for text in figure.axes[0].texts] == ["no losses"]
