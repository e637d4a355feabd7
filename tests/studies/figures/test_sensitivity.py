"""The figure of a tuning shows the numbers of the analysis.

Medians, intervals, winners, and what diverged at the upper edge.
"""

import json

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from studies.analysis.trends.sensitivity import sensitivity as analysis
from studies.figures.captions import said
from studies.figures.sensitivity import panel, sensitivity

LOSS = {"hill": [1.0, 0.1, 0.01, None, 3.0], "well": [-1.0, -2.0, 1e200, 0.5, 0.0]}
RATES = [0.1, 0.01, 0.5, 1.0, 0.03]
PLACES = ["none", "none", "uniform", "uniform", "one_point"]


def entry(landscape, optimizer, losses):
    spread = [
        [None if m is None else m - 0.005 * (m > 0), None if m is None else m + 0.1] for m in losses
    ]
    ranges = {
        "learning_rate": {"low": 0.01, "high": 1.0, "scale": "log"},
        "crossover": {"choices": ["none", "uniform"]},
    }
    settings = [
        {"learning_rate": rate, "crossover": place} for rate, place in zip(RATES, PLACES, strict=True)
    ]
    known = [np.inf if m is None else m for m in losses]
    told = {
        "worlds": 8,
        "at": 1.0,
        "objective": "loss",
        "per": "landscape",
        "ranges": ranges,
        "settings": settings,
    }
    told |= {
        "median": losses,
        "interval": spread,
        "diverged": [8 * (m is None) for m in losses],
        "winner": int(np.argmin(known)),
        "cost": 9.0,
    }
    return {"coords": {"landscape": landscape, "optimizer": optimizer}, **told, "different": 5}


def results(landscapes=("hill", "well"), optimizers=("A", "B"), losses=LOSS):
    found = [
        entry(landscape, optimizer, losses[landscape])
        for landscape in landscapes
        for optimizer in optimizers
    ]
    coords = {
        "landscape": list(landscapes),
        "optimizer": [*optimizers, "untuned"],
        "replicate": np.arange(4),
    }
    data = xr.Dataset(
        {
            "loss": (
                ("landscape", "optimizer", "replicate"),
                np.ones((len(landscapes), len(optimizers) + 1, 4)),
            )
        },
        coords,
    )
    return data.assign_attrs(tuning=json.dumps(found))


def drawn(axes):
    """Points (x, y) of all markers, and whether they are hollow."""
    return [
        (x, y, line.get_markerfacecolor() == "white")
        for line in axes.lines
        if line.get_marker() != "None"
        for x, y in zip(*line.get_data(), strict=True)
    ]


def test_every_trial_is_a_point_and_what_diverged_is_hollow_at_the_edge():
    told = analysis(results()).sel(optimizer="A", parameter="learning_rate")
    axes = panel(told.sel(landscape=["hill"]), Figure().subplots())
    points = sorted(drawn(axes))
    top = axes.get_ylim()[1]
    assert points == [
        (0.01, 0.1, False),
        (0.03, 3.0, False),
        (0.1, 1.0, False),
        (0.5, 0.01, False),
        (1.0, top, True),
    ]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    big = [line for line in axes.lines if line.get_markersize() == 7]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in big] == [(0.5, 0.01)]
    bars = sorted(tuple(segment[:, 1]) for segment in axes.collections[0].get_segments())
    np.testing.assert_allclose(bars, [(0.005, 0.11), (0.095, 0.2), (0.995, 1.1), (2.995, 3.1)])


def test_a_loss_far_above_the_rest_does_not_flatten_it():
    told = analysis(results()).sel(optimizer="A", parameter="learning_rate")
    axes = panel(told.sel(landscape=["well"]), Figure().subplots())
    assert axes.get_yscale() == "linear"
    assert axes.get_ylim()[1] < 10
    assert [(x, hollow) for x, y, hollow in drawn(axes) if y == axes.get_ylim()[1]] == [(0.5, True)]


def test_negative_losses_have_panels_of_their_own_and_untuned_optimizers_none():
    figure = sensitivity(results())
    titles = [axes.get_title(loc="left").replace("\n", " ") for axes in figure.axes]
    assert titles == [
        "A: hill",
        "A: hill",
        "B: hill",
        "B: hill",
        "A: well",
        "A: well",
        "B: well",
        "B: well",
    ]
    assert [axes.get_xlabel() for axes in figure.axes[:2]] == ["learning_rate", "crossover"]
    assert [tick.get_text() for tick in figure.axes[1].get_xticklabels()] == [
        "none",
        "uniform",
        "one_point",
    ]
    assert "8 worlds" in said(figure)
    xs = [round(x) for x, _, _ in sorted(drawn(figure.axes[1]))]
    assert xs == [0, 0, 1, 1, 2]


def test_what_is_no_more_than_the_precision_is_drawn_there():
    told = analysis(results(losses=LOSS | {"hill": [1.0, 0.0, 1e-9, 0.3, 3.0]})).sel(
        optimizer="A", parameter="learning_rate"
    )
    axes = panel(told.sel(landscape=["hill"]).assign_coords(precision=1e-4), Figure().subplots())
    assert sorted(y for _, y, _ in drawn(axes))[:3] == [1e-4, 1e-4, 0.3]
    assert "≤ precision 0.0001" in [text.get_text() for text in axes.texts]


def test_gaps_share_a_panel_and_no_raw_loss_is_among_them():
    places = ("hill", "well", "slope")
    losses = LOSS | {"well": [5.0, 4.0, 3.0, 2.0, 1.0], "slope": [1.0, 2.0, 3.0, 4.0, 5.0]}
    data = results(places, optimizers=("A",), losses=losses).assign_coords(
        gap_known=("landscape", [1.0, 0.0, 1.0])
    )
    figure = sensitivity(data)
    shown = {}
    for axes in figure.axes:
        shown.setdefault(axes.get_title(loc="left").replace("\n", " "), []).append(axes.get_ylabel())
    assert shown == {"A: hill, slope": ["gap to the optimum", ""], "A: well": ["loss", ""]}


HOSTILE = {
    "all diverged": results(losses={"hill": [None] * 5, "well": [None] * 5}),
    "constant": results(losses={"hill": [0.0] * 5, "well": [-1.0] * 5}),
    "tiny": results(losses={"hill": [1e-300] * 5, "well": [1e300, 1.0, 2.0, 3.0, 1e-300]}),
    "one": results(landscapes=("hill",), optimizers=("only",)),
    "long": results(optimizers=("a very long name of an optimizer that goes on", "b")),
    "14": results(optimizers=[f"method {i}" for i in range(14)]),
}
EVERY_DAY = [("all diverged", 3.4), ("one", 7.0), ("long", 3.4)]


def laid_out(how, width):
    figure = sensitivity(HOSTILE[how], width)
    figure.draw_without_rendering()
    assert figure.get_size_inches()[0] == width


@pytest.mark.parametrize(("how", "width"), EVERY_DAY)
def test_hostile_cases_are_laid_out(how, width):
    laid_out(how, width)


@pytest.mark.verify
@pytest.mark.parametrize("width", [7.0, 3.4])
@pytest.mark.parametrize("how", HOSTILE)
def test_hostile_cases_are_laid_out_at_every_width(how, width):
    laid_out(how, width)


def test_results_without_tuned_arms_are_refused():
    with pytest.raises(
        ValueError, match="sensitivity: expected arms that were tuned, found none in these results"
    ):
        sensitivity(results().sel(optimizer=["untuned"]))
    with pytest.raises(
        ValueError, match="sensitivity: expected the dims landscape and optimizer, landscape is gone"
    ):
        sensitivity(results().sel(landscape="hill"))
