"""What files fit on: a column of a paper, whose figures leave room for a text, and slides of 16:9."""

import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure

from studies.figures import FIGURES, pages_of, style
from studies.figures.pages import Sheet, on_sheets
from studies.results.figures import Asked
from tests.studies.figures.test_images import DEAR, SHOWN
from tests.support.looks import faults
from tests.support.results import real, shared  # noqa: F401  a fixture

TALLEST = 4.5  # inches of a figure in a column: half a page
KINDS = [pytest.param(name, marks=pytest.mark.verify if name in DEAR else ()) for name in FIGURES]


def drawn(name, shared, width, ratio):  # noqa: F811
    data = real(SHOWN.get(name, "search"), shared)
    return pages_of(Asked(name, {}, name), data, width, ratio)


@pytest.mark.daily(4)
@pytest.mark.parametrize("name", KINDS)
def test_in_a_column_no_figure_is_higher_than_half_a_page(name, shared):  # noqa: F811
    with rc_context(style.PAPER):
        for page in drawn(name, shared, style.COLUMN, None):
            assert page.get_figwidth() == style.COLUMN
            assert page.get_figheight() <= TALLEST


@pytest.mark.verify
@pytest.mark.parametrize("name", FIGURES)
def test_slides_are_16_to_9(name, shared):  # noqa: F811
    with rc_context(style.SLIDES):
        for page in drawn(name, shared, style.SLIDE, style.SCREEN):
            assert page.get_figwidth() / page.get_figheight() == pytest.approx(16 / 9)
            assert not faults(page)


def test_slides_are_wider_only_where_they_are_fewer_then():
    def draw(sheet):  # 3 panels, 2 inches wide and high
        across = int(sheet.width // 2)
        rows = -(-3 // across)
        fit = max(1, int(sheet.highest // 2))
        return [Figure(figsize=(sheet.width, 2 * min(rows, fit))) for _ in range(0, rows, fit)]

    assert [page.get_figwidth() for page in on_sheets(draw, Sheet(5.0, 16 / 9))] == [6.0]
    assert [page.get_figwidth() for page in on_sheets(draw, Sheet(6.0, 16 / 9))] == [6.0]
    assert [page.get_figheight() for page in on_sheets(draw, Sheet(3.0))] == [2.0, 2.0, 2.0]
