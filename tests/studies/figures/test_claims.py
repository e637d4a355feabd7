"""The figure of claims draws what the judgements say, on a scale on which 0 is the predicted and 1 the wrong law."""

import json
import math

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from studies.claims import Law, Measured, judgement
from studies.claims.base import unknown
from studies.figures import style
from studies.figures.claim_rows import APART, rows
from studies.figures.claim_scales import SIDE, scaled
from studies.figures.claims import (
    INTERVAL,
    LOOKS,
    OUTSIDE,
    SPAN,
    THIN,
    THRESHOLD,
    _page,
    claims,
    key,
    panel,
)
from tests.support.claims import normal, results
from tests.support.each import each

LAW = Law(predicted=2.0, control=6.0, tolerance=0.1)


def row(value, error=0.01, law=LAW, kind="law", claim="law", in_regime=True, **where):
    return judgement(
        kind, law, Measured(value, error, 10**6, 50), where=where, quantity="loss", in_regime=in_regime
    )._replace(claim=claim)


def drawn(found, **options):
    return panel(found, Figure().subplots(), **options)


def dots(axes):
    """(x, face colour, edge colour, marker) of what was observed."""
    marks = [look["marker"] for look in LOOKS.values()]
    lines = [line for line in axes.lines if line.get_marker() in (*marks, "<", ">")]
    return [
        (line.get_xdata()[0], line.get_markerfacecolor(), line.get_markeredgecolor(), line.get_marker())
        for line in lines
    ]


def test_places_on_the_scale():
    observed, low, high, near, far = scaled(row(3.0))
    assert observed == pytest.approx(0.25)
    assert (low, high) == pytest.approx((-0.05, 0.05))
    assert (near, far) == pytest.approx((0.2425, 0.2575), rel=1e-4)  # three errors


@pytest.mark.parametrize(("relation", "observed"), [("<=", 1.0), (">=", 3.0)])
def test_a_bound_has_its_claimed_side_on_the_left(relation, observed):
    law = Law(predicted=2.0, control=math.nan, tolerance=0.1, relation=relation)
    told = row(observed, law=law)._replace(relation=relation)
    assert scaled(told).observed < 0
    axes = drawn([told])
    assert [line.get_gid() for line in axes.lines].count("threshold") == 1
    assert f"{relation} 2,  {observed:g} (0.01)" in [text.get_text() for text in axes.texts]


def test_what_is_drawn():
    found = [
        row(2.1, batch=1),
        row(5.0, batch=2),
        row(9.9, batch=4),
        row(2.0, in_regime=False, batch=8),
    ]
    axes = drawn(found)
    assert [x for x, *_ in dots(axes)] == pytest.approx([0.025, 0.75, SPAN[1] - 0.04, 0.0])
    looks = [(face, edge, mark) for _, face, edge, mark in dots(axes)]
    holds, fails = LOOKS["holds"]["color"], LOOKS["fails"]["color"]
    assert looks == [
        (holds, holds, "o"),
        (fails, fails, "X"),
        (fails, fails, ">"),
        ("white", OUTSIDE["color"], "o"),
    ]
    assert [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches] == [
        pytest.approx((-0.05, 0.05))
    ] * 4
    assert [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "x"] == [1] * 4
    assert "2,  2.1 (0.01)" in [text.get_text() for text in axes.texts]


def test_words():
    found = [
        row(2.0, batch=1, landscape="bowl"),
        row(2.0, batch=2, landscape="bowl"),
        row(2.0, claim="other", landscape="bowl"),
    ]
    words = [(text.replace("\u00a0", " "), head) for text, head, _ in rows(found)]
    assert words == [
        ("law (bowl)", True),
        ("batch = 1", False),
        ("batch = 2", False),
        ("other (bowl)", True),
    ]


def test_places_outside_the_regime_stand_apart_without_a_verdict():
    found = [
        row(5.0, in_regime=False, batch=8),
        row(2.0, batch=1),
        row(2.0, claim="other", batch=1),
        row(9.0, claim="third", in_regime=False, batch=2),
    ]
    words = [(text.replace("\u00a0", " "), head) for text, head, _ in rows(found)]
    assert words == [
        ("law (batch = 1)", True), ("other (batch = 1)", True), (APART, True), ("law (batch = 8)", False), ("third (batch = 2)", False),
    ]  # fmt: skip
    axes = drawn(found)
    fails = LOOKS["fails"]["color"]
    assert not [
        line for line in axes.lines if fails in (line.get_color(), line.get_markeredgecolor())
    ]  # both are far off, and neither fails


def order(share, low=0.75, high=1.0, verdict="holds", ends=None):
    """A bound: that a share of worlds is above one half; of so many worlds it takes `low`."""
    seen = dict(zip(("observed_low", "observed_high"), ends or (share, share), strict=True))
    made = row(share, law=Law(predicted=0.5, control=math.nan, tolerance=0.0), claim=f"order {share}")
    return made._replace(relation=">", low=low, high=high, verdict=verdict, **seen)


@each(("share", "place"), [(1.0, -0.6), (0.75, -0.3), (0.5, 0.0), (0.25, 0.3), (0.0, 0.6)])
def test_an_order_lies_on_the_side_of_its_threshold_where_it_is(share, place):
    """The threshold is at 0, all worlds better at the left end of what is accepted, all worse as far at the right."""
    observed, low, high, *_ = scaled(order(share))
    assert observed == pytest.approx(place)
    assert (low, high) == pytest.approx((-SIDE, -SIDE / 2))


def test_the_threshold_of_an_order_is_drawn_with_an_arrow_to_the_side_that_is_claimed():
    axes = drawn([order(1.0), order(0.0, verdict="fails")])
    assert [x for x, *_ in dots(axes)] == pytest.approx([-SIDE, SIDE])
    assert [line.get_xdata()[0] for line in axes.lines if line.get_gid() == THRESHOLD] == [0, 0]
    arrows = [text for text in axes.texts if text.arrow_patch is not None]
    assert [arrow.xy[0] < arrow.xyann[0] == 0 for arrow in arrows] == [True, True]
    assert not [
        line for line in axes.lines if line.get_marker() == "x"
    ]  # an order has no number that a wrong law predicts


def test_where_no_share_would_do_nothing_is_accepted():
    axes = drawn([order(1.0, low=4 / 3, verdict="undecided", ends=(0.1, 1.0))])  # of three worlds
    assert not axes.patches
    assert [x for x, *_ in dots(axes)] == pytest.approx([-SIDE])


def test_a_legend_shows_what_is_drawn():
    names = [
        [text.get_text() for text in legend.get_texts()]
        for legend in map(_legend, ([order(1.0)], [row(2.1)]))
    ]
    assert names == [
        ["holds", "accepted", "threshold, claimed side"],
        ["holds", "accepted", "wrong law"],
    ]


def _legend(found):
    return Figure().legend(handles=key(found))


NEVER = Law(predicted=math.inf, control=0.0, tolerance=0.1)


def test_never_that_holds_is_drawn_where_it_is_predicted_and_a_number_where_the_wrong_law_lies():
    """(x - predicted) / (control - predicted) goes to 1 for every number x as the predicted goes to infinity."""
    never = judgement(
        "hit",
        NEVER,
        Measured(math.inf, math.nan, 50, 50, never=True),
        where={},
        quantity="cost",
        in_regime=True,
    )
    assert never.verdict == "holds"
    axes = drawn([never, row(3.0, law=NEVER)])
    looks = [(x, edge, mark) for x, _, edge, mark in dots(axes)]
    assert looks == [(0.0, LOOKS["holds"]["color"], "o"), (1.0, LOOKS["fails"]["color"], "X")]
    texts = [text.get_text() for text in axes.texts]
    assert "\u221e,  \u221e" in texts
    assert "\u221e,  3 (0.01)" in texts


def intervals(axes):
    return [tuple(line.get_xdata()) for line in axes.lines if line.get_gid() == INTERVAL]


def test_an_interval_without_an_end_is_drawn_to_the_edge():
    """Four worlds that are all equal say nothing of the others.

    A running time that was not seen to end is 4 at least.
    """
    unsure = judgement("loss", LAW, Measured(2.0, 0.0, 4, 4), where={}, quantity="loss", in_regime=True)
    assert (unsure.observed_low, unsure.observed_high) == (-math.inf, math.inf)
    long = judgement(
        "hit",
        LAW,
        Measured(math.inf, math.nan, 50, 50, least=4.0),
        where={},
        quantity="cost",
        in_regime=True,
    )
    axes = drawn([unsure, long])
    assert intervals(axes) == [pytest.approx(SPAN), pytest.approx((0.5, SPAN[1]))]
    assert [mark for *_, mark in dots(axes)] == ["D", ">"]


def test_a_row_without_a_wrong_law_has_a_scale_still():
    axes = drawn([row(2.1, law=Law(predicted=2.0, control=math.nan, tolerance=0.1))])
    assert [x for x, *_ in dots(axes)] == pytest.approx([
        SIDE * 0.1 / 0.2
    ])  # 0.6 is the end of what is accepted
    assert not [line for line in axes.lines if line.get_marker() == "x"]


def test_what_is_accepted_without_a_width_is_seen():
    (band,) = drawn([row(0.0, law=Law(predicted=0.0, control=1.0, tolerance=0.0))]).patches
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((-THIN / 2, THIN / 2))


def test_what_cannot_be_judged():
    axes = drawn([unknown("custom", "no luck")])
    assert not dots(axes)
    assert "cannot be judged" in [text.get_text() for text in axes.texts]


def claiming(count, name="law"):
    data = results(1 + 0.1 * normal(1, 1, 1, count, 20, 3), axes={"batch": list(range(count))})
    entry = {
        "kind": "law",
        "optimizer": "SGD",
        "observe": "mean(loss, since=0.5)",
        "predicted": 1.0,
        "regime": {"batch": [0.0, count / 2]},
    }
    return data.assign_attrs(
        config=json.dumps(json.loads(data.attrs["config"]) | {"claims": {name: entry}})
    )


def test_the_longest_numbers_have_room():
    law = Law(predicted=-2.3456e-17, control=1e-100, tolerance=0.1)
    found = [row(3.0), row(-1.2345e-17, 1e-17, law), row(-1.2345e-100, 1e-101, law)]
    with rc_context(style.PAPER):
        figure = _page(found, 7.0)
    renderer, (axes,) = FigureCanvasAgg(figure).get_renderer(), figure.axes
    figure.draw_without_rendering()
    texts = {text.get_text(): text.get_window_extent(renderer) for text in axes.texts}
    assert "-2.346e-17,  -1.234e-100 (1e-101)" in texts
    ends = [box.x1 / figure.dpi for box in texts.values()]
    assert 6.9 < max(ends) <= 7.0


@pytest.mark.parametrize("width", [pytest.param(7.0, marks=pytest.mark.verify), 3.4])
@pytest.mark.parametrize(
    ("count", "name"),
    [(1, "law"), (30, "law"), (3, "a law whose name is far longer than any name should ever be")],
)
def test_nothing_leaves_the_page_or_overlaps(width, count, name):
    with rc_context(style.PAPER):
        figure = claims(claiming(count, name), width)
    renderer, (axes,) = FigureCanvasAgg(figure).get_renderer(), figure.axes
    figure.draw_without_rendering()
    boxes = [text.get_window_extent(renderer) for text in axes.texts]
    page = figure.bbox
    assert all(
        box.x0 >= -1 and box.x1 <= page.x1 + 1 and box.y0 >= -1 and box.y1 <= page.y1 + 1
        for box in boxes
    )
    left = sorted(
        (box for box, text in zip(boxes, axes.texts, strict=True) if text.get_ha() == "right"),
        key=lambda box: box.y0,
    )
    assert all(a.y1 <= b.y0 + 1 for a, b in zip(left, left[1:], strict=False))
    legend = figure.legends[0].get_window_extent(renderer)
    ticks = [label.get_window_extent(renderer) for label in axes.get_xticklabels()]
    assert legend.y1 <= min(box.y0 for box in ticks)
    assert page.x0 <= legend.x0 < legend.x1 <= page.x1
    assert min(text.get_fontsize() for text in axes.texts) >= 6
    assert np.isfinite(figure.get_size_inches()).all()


def test_a_study_without_claims():
    with pytest.raises(ValueError, match="claims: expected a study with `claims:`, this one has none"):
        claims(results(np.ones((3, 3))))
