"""Where curves of losses end, what is marked on them, and that a panel has one kind of loss, between the precision and what is worth showing."""

import warnings

import numpy as np
import pytest
import xarray as xr
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.text import Text

from studies.figures import EVERY, scales, style
from studies.figures.__main__ import main
from studies.figures.captions import said
from studies.figures.convergence import LOST, convergence, notes, panel
from studies.figures.critical_difference import critical_difference
from studies.figures.ecdf import ecdf
from studies.figures.noise_sources import noise_sources
from studies.figures.phase import phase
from studies.figures.profile import profile
from tests.support import claims
from tests.support.analysis import results
from tests.support.looks import faults
from tests.support.results import real, shared  # noqa: F401  a fixture

COST = np.array([10.0, 20, 40, 60, 80, 100])
BUDGET_SPENT, DIVERGED, MISSING = 2, 3, 5


def arm(loss, bills=100.0, *, diverged=(), steps=50, status=BUDGET_SPENT):
    """One arm of R worlds: losses (R, 6) or one for all, the cost at which each world ended, and the worlds that diverged there."""
    bills = np.broadcast_to(np.asarray(bills, float), np.shape(bills) or (5,))
    loss = np.array(np.broadcast_to(np.asarray(loss, float), (len(bills), len(COST))))
    over = np.isin(np.arange(len(bills)), diverged)
    data = results(
        loss, COST, spent=np.minimum(COST, bills[:, None]), status=np.where(over, DIVERGED, status)
    )
    data = data.assign(value_terms=data["value_terms"] * (np.max(steps) > 0))
    lost = over[:, None] & (bills[:, None] <= COST)
    return data.assign(
        status=data["status"]
        .where(~xr.DataArray(lost, dims=("replicate", "checkpoint")), DIVERGED)
        .astype(np.int8),
        steps=(
            ("replicate", "checkpoint"),
            np.broadcast_to(np.round(np.asarray(steps) * COST / COST[-1]).astype(int), loss.shape),
        ),
        start_loss=("replicate", np.full(len(loss), 10.0)),
    )


def study(gap=1.0, precision=1e-7, **arms):
    """Results of one landscape, "hill"."""
    data = xr.concat(
        arms.values(),
        xr.Variable("optimizer", list(arms)),
        data_vars="all",
        coords="minimal",
        compat="override",
    )
    data = data.expand_dims(landscape=["hill"])
    return data.assign_coords(gap_known=("landscape", [gap]), precision=precision)


def drawn(axes, label):
    """The line of an arm, and where its divergence is marked: costs and face colours."""
    line = next(one for one in axes.lines if one.get_label() == label)
    marks = [one for one in axes.lines if one.get_marker() == "^" and one.get_gid() == label]
    return line, [(float(one.get_xdata()[0]), one.get_markerfacecolor()) for one in marks]


def on_axes(data, **more):
    return panel(data.isel(landscape=0), Figure().subplots(), **more)


class TestEdges:
    def test_an_axis_goes_from_the_precision_to_a_thousand_times_the_start(self):
        falling, rising = (
            np.array([10, 1e-3, 1e-9, 1e-50, 1e-100, 0]),
            np.array([10, 1e3, 1e9, 1e50, 1e118, 1e292]),
        )
        axes = on_axes(study(down=arm(falling), up=arm(rising)))
        down, up = drawn(axes, "down")[0].get_ydata(), drawn(axes, "up")[0].get_ydata()
        assert down.tolist() == [10, 1e-3, 1e-7, 1e-7, 1e-7, 1e-7]
        assert up.tolist() == [10, 1e3, 1e4, 1e4, 1e4, 1e4]
        low, high = axes.get_ylim()
        assert 1e-9 < low < 1e-7
        assert 1e4 < high < 1e6
        assert {text.get_text() for text in axes.texts} == {"≤ precision 1e-7", "≥ 1e4"}

    def test_where_nothing_is_beyond_them_the_edges_are_not_there(self):
        axes = on_axes(study(down=arm([10, 5, 2, 1, 0.5, 0.2])))
        assert not axes.texts
        assert 0.1 < axes.get_ylim()[0] < 0.2
        assert 10 < axes.get_ylim()[1] < 15

    def test_a_raw_loss_below_0_has_a_linear_axis_that_divergence_does_not_stretch(self):
        start = {"start_loss": ("replicate", np.full(5, -1.0))}
        data = study(
            gap=0.0,
            good=arm([-1, -2, -3, -4, -4, -4]).assign(start),
            bad=arm([-1, 0, 5, 1e9, 1e30, 1e100]).assign(start),
        )
        axes = on_axes(data)
        assert axes.get_yscale() == "linear"
        assert axes.get_ylim()[0] > -4.5
        assert axes.get_ylim()[1] < 1.0  # the start, and as much above it as it is large, is 0


class TestDivergence:
    @pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [3, 1, 4, 0, 2]])
    def test_the_median_is_lost_at_the_cost_of_the_third_of_five(self, order):
        bills = np.array([15.0, 25, 35, 45, 55])[order]
        axes = on_axes(study(SGD=arm(5.0, bills, diverged=range(5))))
        line, marks = drawn(axes, "SGD")
        assert marks == [(35.0, line.get_color())]
        assert line.get_xdata()[-1] == 35.0
        assert line.get_xdata()[-2] == 20.0  # at 40 the median is inf

    def test_with_an_even_number_the_better_half_counts(self):
        axes = on_axes(
            study(SGD=arm(5.0, [15.0, 25, 100, 100], diverged=[0, 1]))
        )  # the second best of four is finite
        assert drawn(axes, "SGD")[1] == [(20.0, "white")]
        axes = on_axes(study(SGD=arm(5.0, [15.0, 25, 35, 100], diverged=[0, 1, 2])))
        assert drawn(axes, "SGD")[1][0][0] == 35.0

    def test_a_few_worlds_are_marked_hollow_and_the_curve_goes_on(self):
        axes = on_axes(study(SGD=arm(5.0, [15.0, 25, 100, 100, 100], diverged=[0, 1])))
        line, marks = drawn(axes, "SGD")
        assert marks == [(20.0, "white")]
        assert line.get_xdata()[-1] == 100.0

    def test_the_legend_says_what_a_triangle_is_only_where_there_is_one(self):
        def said(data):
            figure = convergence(data)
            legend = figure.axes[-1].get_legend()
            return [
                text.get_text() for text in (legend.get_texts() if legend else figure.axes[0].texts)
            ]

        bills = [15.0, 25, 35, 100, 100]
        assert said(study(SGD=arm(5.0))) == ["SGD"]
        assert said(study(SGD=arm(5.0, bills, diverged=[0]))) == ["SGD", LOST["some"]]
        assert said(study(SGD=arm(5.0, bills, diverged=[0, 1, 2]))) == ["SGD", LOST["half"]]


class TestEnds:
    def test_a_curve_ends_where_the_last_of_its_runs_does(self):
        early = arm(
            [9, 8, 7, 1, 1, 1], [30.0, 50, 30, 30, 30], status=1
        )  # that hit the target, as runs of others do
        line, _ = drawn(on_axes(study(SGD=arm(5.0), early=early)), "early")
        assert line.get_xdata().tolist() == [10, 20, 40, 50]
        assert line.get_ydata().tolist() == [9, 8, 7, 1]

    def test_a_spent_budget_ends_at_the_budget(self):
        line, _ = drawn(on_axes(study(SGD=arm([9, 8, 7, 6, 5, 4]))), "SGD")
        assert line.get_xdata().tolist() == COST.tolist()

    def test_few_steps_are_told_and_dotted(self):
        data = study(SGD=arm(5.0, steps=4), GA=arm(6.0)).isel(landscape=0)
        assert notes(data) == ["SGD: 4 steps"]
        line, _ = drawn(panel(data, Figure().subplots()), "SGD")
        assert [line.get_xdata()[i] for i in line.get_markevery()] == [
            20,
            40,
            80,
            100,
        ]  # of 0, 1, 2, 2, 3, 4 steps, the first of each
        assert notes(study(SGD=arm(5.0, steps=1)).isel(landscape=0)) == ["SGD: 1 step"]

    def test_of_many_arms_of_few_steps_the_range_is_told(self):
        data = study(**{f"m{i}": arm(5.0, steps=i) for i in range(1, 7)}).isel(landscape=0)
        assert notes(data) == ["6 arms of 1 to 6 steps"]

    @pytest.mark.parametrize("figure", [convergence, ecdf])
    def test_an_arm_that_never_asked_has_a_note_and_no_line(self, figure):
        data = study(SGD=arm(5.0), GA=arm(6.0, steps=0))
        made = figure(data, targets=[1.0]) if figure is ecdf else figure(data)
        axes = made.axes[0]
        assert "GA" not in [line.get_label() for line in axes.lines]
        assert "GA: no step within the budget, not drawn" in "\n".join(
            text.get_text() for text in axes.texts
        )

    @pytest.mark.parametrize("figure", [profile, critical_difference])
    def test_comparisons_say_who_never_asked(self, figure):
        data = study(SGD=arm(5.0), ES=arm(4.0), GA=arm(6.0, steps=0)).drop_dims("target")
        hits = xr.DataArray(
            np.full((1, 3, 5, 1), 50.0), dims=("landscape", "optimizer", "replicate", "target")
        )
        data = data.assign(hit_cost=hits).assign_coords(target_loss=("target", [4.5]))
        made = figure(data)
        assert "; GA: no step within the budget, not shown" in said(made)
        texts = [text.get_text() for text in made.findobj(Text)]
        assert not any(text.strip().startswith("GA") for text in texts)


def mixed():
    """Two arms at k = 1, whose optimum is known, and at k = 15, where it is not."""
    parts = [
        study(gap=gap, GA=arm(loss), EA=arm(2 * loss)).drop_vars("gap_known")
        for gap, loss in ((1.0, 0.1), (0.0, 0.4))
    ]
    data = xr.concat(
        parts, xr.Variable("k", [1, 15]), data_vars="all", coords="minimal", compat="override"
    )
    return data.transpose("landscape", "optimizer", "k", ...).assign_coords(gap_known=("k", [1.0, 0.0]))


class TestKinds:
    @pytest.mark.parametrize("figure", [convergence, ecdf])
    def test_gaps_and_raw_losses_have_panels_of_their_own(self, figure):
        data = mixed()
        made = figure(data, targets=[0.3]) if figure is ecdf else figure(data)
        panels = {axes.get_title("left"): axes for axes in made.axes if axes.get_title("left")}
        assert list(panels) == ["hill, gap to the optimum", "hill, loss"]
        lines = {
            title: {line.get_label() for line in axes.lines if not line.get_label().startswith("_")}
            for title, axes in panels.items()
        }
        assert lines == {
            "hill, gap to the optimum": {"GA, k = 1", "EA, k = 1"},
            "hill, loss": {"GA, k = 15", "EA, k = 15"},
        }
        if figure is convergence:
            assert [axes.get_ylabel() for axes in panels.values()] == ["gap to the optimum", "loss"]

    def test_a_phase_diagram_tells_a_factor_of_gaps_and_a_difference_of_raw_losses(self):
        texts = [text.get_text() for text in phase(mixed().drop_dims("target")).axes[0].texts]
        assert texts == ["2×", "+0.4"]  # 0.2 over 0.1 at k = 1, 0.8 less 0.4 at k = 15

    def test_a_panel_of_both_is_refused(self):
        with pytest.raises(
            ValueError,
            match=(
                "^convergence: expected losses of one kind, got gaps to the optimum of some arms and raw"
                " losses of others"
            ),
        ):
            panel(mixed().isel(landscape=0), Figure().subplots())

    def test_landscapes_of_different_kinds_say_so_on_their_axes(self):
        data = xr.concat(
            [study(SGD=arm(5.0)), study(gap=0.0, SGD=arm(5.0)).assign_coords(landscape=["other"])],
            "landscape",
        )
        assert [axes.get_ylabel() for axes in convergence(data).axes[:2]] == [
            "gap to the optimum",
            "loss",
        ]

    def test_one_kind_is_said_once_in_a_row(self):
        data = xr.concat(
            [study(SGD=arm(5.0)), study(SGD=arm(5.0)).assign_coords(landscape=["other"])], "landscape"
        )
        assert [axes.get_ylabel() for axes in convergence(data).axes[:2]] == ["gap to the optimum", ""]


@pytest.mark.parametrize("width", [3.4, pytest.param(7.0, marks=pytest.mark.verify)])
def test_no_empty_strip_is_left_below_the_legend(width):
    """It is as high as what stands in it: the arms that are drawn, and triangles where there are any."""
    arms = {f"method {i}": arm([9, 5, 3, 2, 1.5, 1]) for i in range(16)}
    silent = {f"idle {i}": arm(9, steps=0) for i in range(4)}
    with rc_context(style.PAPER):
        for figure in (convergence(study(**arms), width), convergence(study(**arms, **silent), width)):
            assert not faults(figure)
            (axes,) = [axes for axes in figure.axes if axes.get_legend()]
            lowest, edge = axes.get_legend().get_window_extent().y0, axes.get_window_extent().y0
            assert 0 <= lowest - edge < 0.2 * figure.dpi


@pytest.mark.parametrize("figure", [convergence, pytest.param(noise_sources, marks=pytest.mark.verify)])
def test_long_names_do_not_leave_a_narrow_figure(figure, shared):  # noqa: F811
    data = real("ledger", shared)
    named = {
        dim: [f"{name} and " + "a long name " * 6 for name in data[dim].values]
        for dim in ("optimizer", "landscape")
    }
    with rc_context(style.PAPER):
        made = figure(data.assign_coords(named), style.COLUMN)
        assert not [fault for fault in faults(made) if fault.startswith("cut off")]


def test_a_narrow_axis_of_costs_has_numbers():
    data = study(SGD=arm([9, 8, 7, 6, 5, 4])).isel(checkpoint=slice(3, None))
    axes = on_axes(data)
    axes.figure.draw_without_rendering()
    low, high = axes.get_xlim()
    shown = [
        text.get_text() for text in axes.get_xticklabels() if low <= text.get_position()[0] <= high
    ]
    assert shown == ["100"]  # of 60 to 100
    wide = on_axes(study(SGD=arm([9, 8, 7, 6, 5, 4])))
    wide.figure.draw_without_rendering()
    assert [
        text.get_text() for text in wide.get_xticklabels() if 10 <= text.get_position()[0] <= 100
    ] == [
        "10",
        "20",
        "50",
        "100",
    ]


HOSTILE = {
    "all diverge": study(
        SGD=arm(np.inf, 15.0 * np.ones(5), diverged=range(5)),
        GA=arm(1e308, [3.0] * 5, diverged=range(5)),
    ),
    "one world": study(SGD=arm(5.0, [100.0]), GA=arm(3.0, [25.0], diverged=[0])),
    "worlds without a number": study(
        SGD=arm(np.where(np.arange(5)[:, None] < 2, np.nan, 5.0) * np.ones(6)), GA=arm(2.0)
    ),
    "no world has a number": study(SGD=arm(np.nan), GA=arm(np.nan)),
    "one step": study(SGD=arm([9, 9, 9, 9, 9, 8], steps=1)),
    "all 0": study(SGD=arm(0.0), GA=arm(0.0)),
    "below 0": study(gap=0.0, SGD=arm(-5.0), GA=arm([-1, -2, -3, -4, -1e300, -1e308])),
    "inf": study(SGD=arm(np.inf), GA=arm([10, 9, np.inf, np.inf, 8, 7])),
    "twelve arms": study(**{
        f"method {i}": arm(5.0 / (i + 1), [15.0, 30, 100, 100, 100], diverged=range(i % 5), steps=i)
        for i in range(12)
    }),
    "missing": study(SGD=arm(np.nan, status=MISSING), GA=arm(2.0)),
    "both edges": study(
        SGD=arm([10, 1e9, 1e20, 1e99, 1e200, 1e308], [15.0] * 5, diverged=range(5)),
        GA=arm([10, 1, 1e-9, 1e-99, 1e-200, 0]),
    ),
    "never a start": study(SGD=arm([1e5, 1e20, 1e50, 1e99, 1e150, 1e200]).drop_vars("start_loss")),
    "a precision beyond all": study(precision=1e9, SGD=arm([9, 8, 7, 6, 5, 4])),
}


@pytest.mark.daily(5)
@pytest.mark.parametrize("width", [style.WIDTH, pytest.param(style.COLUMN, marks=pytest.mark.verify)])
@pytest.mark.parametrize("how", HOSTILE)
def test_hostile_cases_are_drawn_without_a_warning_or_a_fault(how, width):
    with rc_context(style.PAPER), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = convergence(HOSTILE[how], width)
        assert not faults(figure)
    assert all(np.isfinite(axes.get_ylim()).all() for axes in figure.axes)


def test_one_method_diverges_and_another_converges(shared, tmp_path, capsys):  # noqa: F811
    """The default figure raised OverflowError, as its log axis went from 1e-28 to 1e292."""
    data = real("diverging", shared)
    words = [str(shared / "diverging"), "--format", "png", "--out", str(tmp_path)]
    assert main(words) == 0
    assert not capsys.readouterr().err
    axes = panel(data.isel(landscape=0), Figure().subplots())
    line, marks = drawn(axes, "SGD")
    counted = 3 * data["gradient_terms"].sel(optimizer="SGD").isel(landscape=0, checkpoint=-1)
    assert [cost for cost, _ in marks] == [float(np.sort(counted)[2])]
    low, high = axes.get_ylim()
    least = float(data["precision"])
    assert low > least / 10
    assert high < 1e5 * float(data["start_loss"].max())


def test_a_figure_that_fails_takes_neither_the_others_with_it_nor_a_traceback_to_the_user(
    shared,  # noqa: F811
    tmp_path,
    monkeypatch,
    capsys,
):
    def broken(dataset, width):
        raise OverflowError("cannot convert float infinity\nto integer")

    real("diverging", shared)
    monkeypatch.setitem(EVERY, "ecdf", broken)
    words = ["ecdf", "convergence", "--format", "png", "--out", str(tmp_path)]
    assert main([str(shared / "diverging"), *words]) == 2
    said = capsys.readouterr()
    assert (
        said.err
        == "ecdf: cannot be drawn from these results (OverflowError: cannot convert float infinity to"
        " integer)\n"
    )
    assert said.out.strip().endswith("convergence.png")


def test_kinds_of_arms_are_told_gaps_first():
    data = claims.results(claims.normal(1, 1, 1, 2, 3, 4), axes={"dim": [2, 3]}).isel(landscape=0)
    mixed = data.assign_coords(gap_known=("dim", [0.0, 1.0]))
    assert scales.kinds(mixed) == [True, False]
    assert scales.kinds(mixed.sel(dim=[2])) == [False]
    assert scales.kinds(data.drop_vars("gap_known")) == [False]
