"""What people see of a finished run.

The arms, the quartiles, the table and the figure, in plain and in hostile cases.
"""

import io

import numpy as np
import pytest
import xarray as xr
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from rich.console import Console

from studies.figures import draw, scales, style
from studies.figures.convergence import convergence, panel
from studies.figures.trajectories import panel as trajectory
from studies.results.arms import arms, labels, quartiles
from studies.run.summary import table


def test_the_offset_of_an_axis_is_beside_a_picture_and_not_below_its_title():
    axes = Figure().subplots()
    center = 1e-7 * np.array([[1.0, 1.0], [2.0, 3.0]])
    loss = xr.DataArray(np.ones((3, 3)), dims=("row", "column"))
    arm = xr.Dataset({
        "picture_center": (("frame", "plane"), center),
        "picture_point": (("frame", "individual", "plane"), center[:, None]),
        "picture_extent": (("plane", "end"), 1e-7 * np.array([[0.0, 4.0], [0.0, 4.0]])),
        "picture_loss": loss,
    })
    trajectory(arm, axes).figure.draw_without_rendering()
    offset = axes.yaxis.get_offset_text()
    assert offset.get_text() == "1e\u22127"
    assert offset.get_window_extent().x1 <= axes.bbox.x0 + 1


def results(
    optimizers=("SGD", "GA"),
    landscapes=("hill",),
    worlds=8,
    checkpoints=20,
    rates=None,
    loss=None,
    targets=1,
):
    """A Dataset as `open_study` gives it, of made-up numbers: loss falls like 1 / cost."""
    dims = {"landscape": len(landscapes), "optimizer": len(optimizers)} | (
        {"learning_rate": len(rates)} if rates else {}
    )
    shape = (*dims.values(), worlds, checkpoints)
    names = (*dims, "replicate", "checkpoint")
    cost = np.geomspace(1, 1000, checkpoints)
    spread = np.random.default_rng(1).lognormal(0, 0.5, shape)
    values = (spread / cost) if loss is None else np.broadcast_to(loss, shape).astype(float)
    data = xr.Dataset(
        {
            "loss": (names, values, {"units": "loss", "long_name": "true loss"}),
            "status": (names, np.full(shape, 2, np.int8)),
            "steps": (names, np.full(shape, 10)),
            "value_terms": (names, np.full(shape, 4000)),
            "gradient_terms": (names, np.full(shape, 400)),
            "hit_cost": ((*names[:-1], "target"), np.where(np.arange(targets) < 1, 50.0, np.inf) * np.ones((*shape[:-1], targets))),
        },
        {"landscape": list(landscapes), "optimizer": list(optimizers), "replicate": np.arange(worlds),
         "terms": ("landscape", np.full(len(landscapes), 4.0)), "cost": ("checkpoint", cost)},
        {"name": "made-up"},
    )  # fmt: skip
    return data.assign_coords(learning_rate=list(rates)) if rates else data


def printed(data):
    console = Console(file=io.StringIO(), width=160)
    console.print(table(data))
    return console.file.getvalue()


def lines(figure):
    return {
        line.get_label(): line
        for axes in figure.axes[:-1]
        for line in axes.lines
        if not line.get_label().startswith("_")
    }


HOSTILE = {
    "one world": results(worlds=1),
    "one optimizer": results(optimizers=("only",)),
    "long names": results(optimizers=("a very long name of an optimizer that goes on and on", "b")),
    "all diverged": results(loss=np.inf),
    "all zero": results(loss=0.0),
    "1e-300": results(loss=1e-300),
    "one checkpoint": results(checkpoints=1),
    "axis": results(rates=(0.1, 0.2, 0.3)),
    "40 arms": results(rates=[k / 20 for k in range(1, 21)]),
    "3 landscapes": results(landscapes=("a", "b", "c")),
    "missing": results(loss=np.nan).assign(status=lambda d: d["status"] * 0 + 5),
}
AS_FILES = ("one world", "missing")
LAID_OUT = (
    "one optimizer",
    "long names",
    "one checkpoint",
    "40 arms",
)  # "all 0" is in test_convergence


class TestQuartiles:
    def test_are_observed_values(self):
        x = xr.DataArray(np.arange(1.0, 9.0)[:, None], dims=("replicate", "checkpoint"))
        assert quartiles(x)[:, 0].tolist() == [2, 4, 6]

    def test_infinite_losses_rank_last(self):
        x = xr.DataArray([1.0, 2.0, np.inf, np.inf, np.inf], dims="replicate")
        assert quartiles(x).tolist() == [2, np.inf, np.inf]

    def test_nothing_gives_nan(self):
        assert np.isnan(quartiles(xr.DataArray([np.nan, np.nan], dims="replicate"))).all()


class TestArms:
    def test_axis_values_that_change_nothing_are_one_arm(self):
        data = results(rates=(0.1, 0.2))
        data["loss"].loc[{"optimizer": "GA", "learning_rate": 0.2}] = (
            data["loss"].sel(optimizer="GA", learning_rate=0.1).values
        )
        expected = ["SGD, learning_rate = 0.1", "SGD, learning_rate = 0.2", "GA"]
        assert [label for label, _ in arms(data.isel(landscape=0))] == expected
        assert labels(data) == expected

    def test_a_zero_below_and_one_above_are_one(self):
        data = results(rates=(0.1, 0.2))
        data["loss"].loc[{"optimizer": "GA"}] = [[[[0.0]], [[-0.0]]]]
        assert labels(data)[2:] == ["GA"]

    def test_a_label_names_only_the_axes_that_tell(self):
        data = results(rates=(0.1, 0.2)).expand_dims(k=[0, 4], axis=3)
        assert labels(data) == [
            f"{name}, learning_rate = {rate}" for name in ("SGD", "GA") for rate in (0.1, 0.2)
        ]

    def test_failed_arms_are_left_out(self):
        data = results()
        data["status"].loc[{"optimizer": "GA"}] = 4
        data["loss"].loc[{"optimizer": "GA"}] = np.nan
        assert labels(data) == ["SGD"]


class TestConvergence:
    def test_draws_the_median_and_the_quartiles(self):
        data = results()
        line = lines(convergence(data))["GA"]
        np.testing.assert_allclose(line.get_xdata(), data["cost"])
        np.testing.assert_allclose(
            line.get_ydata(), np.sort(data["loss"].sel(optimizer="GA", landscape="hill"), axis=0)[3]
        )

    def test_an_exact_zero_is_shown_on_a_log_scale(self):
        data = results().assign_coords(precision=1e-5)
        data["loss"][..., 10:] = 0.0
        figure = convergence(data)
        assert figure.axes[0].get_yscale() == "log"
        assert lines(figure)["GA"].get_ydata()[-1] == 1e-5
        assert "≤ precision 1e-5" in [text.get_text() for text in figure.axes[0].texts]

    def test_negative_losses_have_a_linear_scale(self):
        assert convergence(results(loss=-5.0)).axes[0].get_yscale() == "linear"

    def test_users_compose_their_own(self):
        axes = Figure().subplots()
        assert panel(results().isel(landscape=0), axes) is axes
        assert len(axes.lines) == 2

    @pytest.mark.daily(2)
    @pytest.mark.parametrize("how", LAID_OUT)
    def test_hostile_cases_are_laid_out_without_a_warning(self, how):
        with rc_context(style.PAPER):
            convergence(HOSTILE[how]).draw_without_rendering()

    @pytest.mark.parametrize("how", AS_FILES)
    def test_hostile_cases_become_files(self, how, tmp_path):
        written = draw(HOSTILE[how], ["convergence"], tmp_path)
        assert [path.name for path in written] == ["convergence.png", "convergence.pdf"]
        assert all(path.stat().st_size > 3000 for path in written)
        files = [f"convergence.{kind}" for kind in ("pdf", "png", "tex", "txt")]
        assert sorted(path.name for path in tmp_path.iterdir()) == files

    def test_text_is_inside_the_figure(self):
        with rc_context(style.PAPER):
            figure = convergence(results(landscapes=("hill", "valley", "plain", "ridge", "field")))
            figure.draw_without_rendering()
        box = figure.bbox
        for text in figure.findobj(Text):
            if not text.get_text() or "mathdefault" in text.get_text():  # a tick
                continue
            seen = text.get_window_extent()
            inside = (
                seen.x0 >= box.x0 - 1
                and seen.x1 <= box.x1 + 1
                and seen.y0 >= box.y0 - 1
                and seen.y1 <= box.y1 + 1
            )
            assert inside, text.get_text()


def test_files_look_as_the_figure_lays_itself_out(tmp_path):
    data, seen = results(), io.BytesIO()
    png, _ = draw(data, ["convergence"], tmp_path)
    with rc_context(style.PAPER):
        convergence(data).savefig(seen)
    with Image.open(png) as written, Image.open(seen) as expected:
        assert written.tobytes() == expected.tobytes()


class TestLooks:
    def test_no_two_of_28_look_alike_and_neighbours_differ_in_both(self):
        looks = [
            (v["color"], v["linestyle"]) for v in style.looks([str(i) for i in range(28)]).values()
        ]
        assert len(set(looks)) == 28
        assert all(a[0] != b[0] and a[1] != b[1] for a, b in zip(looks[:7], looks[1:7], strict=False))


class TestTable:
    def test_hostile_cases_have_one_without_a_warning(self):
        wrong = [how for how, data in HOSTILE.items() if "made-up" not in printed(data)]
        assert not wrong

    def test_says_what_was_reached_and_spent(self):
        text = printed(results(loss=0.25, targets=2))
        assert "made-up: 8 worlds" in text
        assert "0.25 [0.25, 0.25]" in text
        row = next(line for line in text.splitlines() if "GA" in line)
        cells = [cell.strip() for cell in row.strip("│").split("│")]
        assert cells[2:] == ["0.25 [0.25, 0.25]", "10", "1,000", "100", "0 of 8", "0 of 8"]

    def test_diverged_worlds_are_counted(self):
        data = results()
        data["status"].loc[{"optimizer": "SGD", "replicate": [1, 2]}] = 3
        row = next(line for line in printed(data).splitlines() if "SGD" in line)
        assert "2 of 8" in row

    def test_an_arm_that_never_asked_has_no_loss_to_show(self):
        data = results(loss=0.25)
        for name in ("steps", "value_terms", "gradient_terms"):
            data[name].loc[{"optimizer": "GA"}] = 0
        row = next(line for line in printed(data).splitlines() if "GA" in line)
        assert [cell.strip() for cell in row.strip("│").split("│")][2:] == [
            "no step within the budget",
            "0",
            "0",
            "0",
            "-",
            "-",
        ]


class TestLooksOfArms:
    def test_arms_of_an_optimizer_have_its_colour(self):
        found = style.looks(["SGD, k = 0", "SGD, k = 4", "GA, k = 0", "GA, k = 4"])
        alone = style.looks(["SGD", "GA"])
        assert [found[label]["color"] for label in found] == [alone["SGD"]["color"]] * 2 + [
            alone["GA"]["color"]
        ] * 2
        assert found["SGD, k = 0"] == alone["SGD"]

    def test_a_value_of_an_axis_has_one_line_style_whichever_the_optimizer(self):
        found = style.looks(["SGD", "ES, k = 0", "ES, k = 4", "GA, k = 0", "GA, k = 4"])
        styles = {label: look["linestyle"] for label, look in found.items()}
        assert styles["ES, k = 0"] == styles["GA, k = 0"] != styles["ES, k = 4"] == styles["GA, k = 4"]
        assert len({found[label]["color"] for label in ("SGD", "ES, k = 0", "GA, k = 0")}) == 3

    def test_arms_differ(self):
        found = style.looks([f"SGD, k = {i}" for i in range(12)])
        assert len({(str(look["color"]), str(look["linestyle"])) for look in found.values()}) == 12


class TestSweeps:
    """Of more than seven arms of an optimizer some axis has panels of its own."""

    def swept(self, batches, rates):
        data = results(landscapes=("hill", "well"), rates=range(1, rates + 1), worlds=7)
        data = data.expand_dims(batch=list(range(batches))).copy(deep=True)
        data["loss"] = data["loss"] * (1 + data["batch"]) * data["learning_rate"]
        dims = ("landscape", "optimizer", "batch", "learning_rate", ...)
        return data.transpose(*dims, missing_dims="ignore")

    @pytest.mark.parametrize(
        ("batches", "rates", "axes"),
        [
            (3, 2, []),  # 6 arms
            (6, 4, ["batch"]),  # the 4 that are left have a line style each
            (4, 6, ["learning_rate"]),
            (5, 5, ["batch"]),  # 5 lines
            (1, 9, []),
            (30, 7, ["learning_rate"]),  # 30 panels were too many: 7 of 30 lines that are shades
        ],
    )
    def test_axes_that_are_apart_leave_few_lines_in_few_panels(self, batches, rates, axes):
        assert scales.apart(self.swept(batches, rates)) == axes

    def test_panels_are_named_and_show_what_is_theirs(self):
        data = self.swept(6, 4)
        figure = convergence(data)
        shown = [axes for axes in figure.axes if axes.lines]
        assert [axes.get_title(loc="left") for axes in shown] == [
            f"{name}, batch = {batch}" for name in ("hill", "well") for batch in range(6)
        ]
        for axes, batch in zip(shown, [*range(6)] * 2, strict=True):
            assert len(axes.lines) == 8
            (line,) = [line for line in axes.lines if line.get_label() == "GA, learning_rate = 3"]
            name = axes.get_title(loc="left").partition(",")[0]
            arm = data.sel(landscape=name, optimizer="GA", batch=batch, learning_rate=3)
            assert line.get_ydata()[0] == pytest.approx(float(arm["loss"][:, 0].median()))
        (legend,) = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
        assert [text.get_text() for text in legend.get_texts()] == [
            *("SGD", "GA"),
            *(f"learning_rate = {rate}" for rate in range(1, 5)),
        ]

    def test_a_page_of_one_value_says_which(self):
        (title,) = [
            title for title, *_ in scales.panels(self.swept(6, 4).isel(batch=[2], landscape=[0]))
        ]
        assert title == "hill, batch = 2"
