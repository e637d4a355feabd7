"""The diagram shows the ranks and bars of the analysis."""

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure

from studies.analysis.comparison.ranks import groups, ranks
from studies.analysis.intervals import bootstrap
from studies.figures import style
from studies.figures.critical_difference import critical_difference, critical_difference_pages, panel
from tests.support.arms import results

LOSS = np.random.default_rng(7).normal(0, 1, (3, 4, 24)) + 0.5 * np.arange(4)[:, None]


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Intervals are looked at elsewhere."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 199)


def lines(axes, gid):
    return [line for line in axes.lines if line.get_gid() == gid]


def drawn(data, width=style.WIDTH):
    with rc_context(style.PAPER):
        return critical_difference(data, width)


def check(axes, told):
    for name in told["optimizer"].values:
        (leader,) = lines(axes, name)
        assert leader.get_xdata()[0] == told["average_rank"].sel(optimizer=name)
    rank = told["average_rank"].values
    joined = [
        [i for i, at in enumerate(rank) if min(bar.get_xdata()) <= at <= max(bar.get_xdata())]
        for bar in lines(axes, "bar")
    ]
    assert [sorted(bar) for bar in groups(rank, told["differ"].values)] == joined


def test_every_landscape_and_all():
    data = results(LOSS)
    figure = drawn(data)
    for axes, told in zip(
        figure.axes,
        [*(ranks(data.isel(landscape=i), "replicate") for i in range(3)), ranks(data)],
        strict=True,
    ):
        check(axes, told)


def test_five_landscapes_are_blocks_and_are_not_shown_apart():
    many = np.concatenate([LOSS, 1 + LOSS[:2]])
    (axes,) = drawn(results(many)).axes
    check(axes, ranks(results(many)))
    assert any("(5 landscapes)" in text.get_text() for text in axes.texts)


def test_pages_show_what_one_figure_shows():
    """The diagram of all landscapes too, which had been of those on its page."""
    data = results(LOSS)
    with rc_context(style.PAPER):
        pages = critical_difference_pages(data, style.COLUMN, 4.5)
    assert len(pages) > 1
    assert all(page.get_figheight() <= 4.5 for page in pages)
    shown = [axes for page in pages for axes in page.axes]
    for axes, whole in zip(shown, drawn(data, style.COLUMN).axes, strict=True):
        texts = [[text.get_text() for text in each.texts] for each in (axes, whole)]
        assert texts[0] == texts[1]
    check(shown[-1], ranks(data))


def test_a_panel_on_the_users_axes():
    data = results(LOSS).isel(landscape=0)
    axes = Figure(figsize=(6, 2)).add_subplot()
    assert panel(data, axes) is axes
    check(axes, ranks(data, "replicate"))


def test_says_what_was_counted():
    texts = [text.get_text() for axes in drawn(results(LOSS, instances=12)).axes for text in axes.texts]
    assert any("(12 instances)" in text for text in texts)
    assert any("(3 landscapes), wider than the axis" in text for text in texts) or any(
        "(3 landscapes)" in text for text in texts
    )


@pytest.mark.parametrize(
    "data",
    [results(LOSS[:, :1]), results(LOSS, status=4), results(LOSS[:1, :, :1])],
    ids=["one", "failed", "one world"],
)
def test_nothing_to_rank(data):
    figure = drawn(data)
    assert all("fewer than two optimizers" in axes.texts[0].get_text() for axes in figure.axes)
