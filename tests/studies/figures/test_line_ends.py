"""Names at the ends of lines: where they stand, by hand, and where one legend is there in their place."""

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from studies.figures import line_ends, style
from studies.figures.convergence import convergence
from studies.figures.line_ends import AXES, FAR, HIGH
from tests.studies.figures.test_convergence import arm, study
from tests.support.each import each
from tests.support.looks import faults

SIZE = 2.0, AXES + 1.0  # inches of a panel: its vertical axis is one inch, from 0 to 1


def panel(ends, across=1.0):
    """Axes with lines of these names that end at these heights."""
    axes = Figure().subplots()
    for name, end in ends.items():
        axes.plot([0, across], [0.5, end], label=name)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    return axes


def looks(ends):
    return {name: {"color": "black"} for name in ends}


def heights(axes):
    """Name -> inches of its middle above the end of its line."""
    return {text.get_text(): text.get_position()[1] / 72 for text in axes.texts}


def test_names_stand_at_the_ends():
    ends = {"A": 0.9, "B": 0.5, "C": 0.1}
    axes = panel(ends)
    assert line_ends.named([axes], looks(ends), SIZE)
    assert heights(axes) == pytest.approx(dict.fromkeys(ends, 0.0), abs=1e-9)
    assert {text.get_text(): text.xy for text in axes.texts} == {
        name: (1.0, end) for name, end in ends.items()
    }


def test_two_that_are_near_move_apart_by_as_much_each():
    ends = {"A": 0.45, "B": 0.45 + HIGH / 2, "C": 0.9}
    axes = panel(ends)
    assert line_ends.named([axes], looks(ends), SIZE)
    assert heights(axes) == pytest.approx({"A": -HIGH / 4, "B": HIGH / 4, "C": 0.0}, abs=1e-9)


@each(
    ("ends", "across"),
    [
        ({"A": 0.5, "B": 0.5}, 1.0),  # which is which?
        ({"A": 0.5, "B": 0.55, "C": 0.6, "D": 0.65, "E": 0.7}, 1.0),  # further from their ends than FAR
        ({"A": 0.5, "B": 0.9}, 0.8),  # lines that end early
        ({"A": 0.5, "B": 1.2}, 1.0),  # or above the panel
        ({f"{i}": i / 8 for i in range(1, 8)}, 1.0),  # too many
        ({"a long name of a line": 0.5, "B": 0.9}, 1.0),
        ({}, 1.0),
    ],
)
def test_where_names_have_no_room_none_is_written(ends, across):
    axes = panel(ends, across)
    assert not line_ends.named([axes], looks(ends), SIZE)
    assert not axes.texts
    assert FAR < HIGH


def test_one_panel_without_room_leaves_all_to_the_legend():
    wide, close = panel({"A": 0.1, "B": 0.9}), panel({"A": 0.5, "B": 0.5})
    assert not line_ends.named([wide, close], looks({"A": 0, "B": 0}), SIZE)
    assert not wide.texts


@pytest.mark.parametrize("width", [style.COLUMN, style.WIDTH])
def test_a_figure_has_names_or_a_legend(width):
    apart = study(SGD=arm([9, 5, 2, 1, 0.5, 0.1]), GA=arm([9, 8, 8, 7, 7, 7]))
    close = study(SGD=arm([9, 5, 2, 1, 0.5, 0.1]), GA=arm([9, 5, 2, 1, 0.5, 0.1]))
    with rc_context(style.PAPER):
        for data, named in ((apart, True), (close, False)):
            figure = convergence(data, width)
            assert not faults(figure)
            assert {text.get_text() for text in figure.axes[0].texts} == (
                {"SGD", "GA"} if named else set()
            )
            assert any(axes.get_legend() for axes in figure.axes) != named


@pytest.mark.parametrize("colour", [*style.COLOURS, "#ffffff"])
def test_letters_have_the_contrast_of_wcag(colour):
    """By another way: the formula of WCAG 2.2, of relative luminance."""

    def linear(part):
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    ink = style.ink(colour)
    bright = sum(
        weight * linear(part) for weight, part in zip((0.2126, 0.7152, 0.0722), ink, strict=True)
    )
    assert 1.05 / (bright + 0.05) >= 4.5
    own, shown = np.array(to_rgb(colour)), np.array(ink)
    np.testing.assert_allclose(shown * own.max(), own * shown.max(), atol=1e-9)  # the same hue
