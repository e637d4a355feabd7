"""Figures that are told what to show: what is drawn are the numbers and intervals of the quantities."""

import importlib
import itertools
import json
import re

import numpy as np
import pytest
import xarray as xr
from matplotlib import rc_context
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure
from pydantic import TypeAdapter

from studies.analysis.intervals import bootstrap
from studies.analysis.quantities.evaluate import quantity
from studies.claims.base import Judgement
from studies.figures import FIGURES, captions, games, pages_of, style
from studies.figures import QUESTIONS as DRAWN
from studies.figures.__main__ import TOLD, main
from studies.figures.answer import answer
from studies.figures.clocks import along
from studies.figures.curve import curve
from studies.figures.density import density
from studies.figures.frequencies import frequencies
from studies.figures.quantity_map import quantity_map
from studies.figures.selection import pick
from studies.figures.theory import on_grid
from studies.results.figures import SHOWN, Asked, asked, named
from studies.study_file.figures import QUESTIONS
from studies.study_file.loading import load_study
from studies.study_file.model import StudyModel
from studies.study_file.study import StudyError
from studies.text.schema import Status
from tests.support.each import each
from tests.support.looks import faults

laws, plane = (importlib.import_module(f"studies.figures.{name}") for name in ("law", "plane"))
WORLDS, CHECKPOINTS = 20, 6


@pytest.fixture(scope="session")
def swept():
    """Two optimizers on two landscapes along two axes, of made-up numbers: loss falls as 1 / B."""
    rng = np.random.default_rng(7)
    sizes = {
        "landscape": 2,
        "optimizer": 2,
        "B": 4,
        "k": 3,
        "replicate": WORLDS,
        "checkpoint": CHECKPOINTS,
    }
    batch = np.array([1.0, 4.0, 16.0, 64.0])
    loss = rng.lognormal(0, 0.3, tuple(sizes.values())) / batch[:, None, None, None]
    hits = rng.integers(10, 90, tuple(sizes.values())[:-1]).astype(float)[..., None]
    hits[0, 1, 3] = np.inf
    grid = np.ones(tuple(sizes.values()))
    steps = (grid * np.arange(1, CHECKPOINTS + 1) * 10).astype(int)
    steps[:, 1] *= 2
    return xr.Dataset(
        {
            "loss": (tuple(sizes), loss, {"units": "loss"}),
            "status": (tuple(sizes), np.full(grid.shape, 2, np.int8)),
            "steps": (tuple(sizes), steps),
            "hit_cost": ((*tuple(sizes)[:-1], "target"), hits),
        },
        {
            "landscape": np.array(["bowl", "ridge"], object),
            "optimizer": np.array(["SGD", "GA"], object),
            "B": batch,
            "k": [0, 4, 8],
            "replicate": np.arange(WORLDS),
            "checkpoint": np.linspace(0.1, 1, CHECKPOINTS),
            "cost": ("checkpoint", np.linspace(10, 100, CHECKPOINTS)),
            "target_loss": ("target", [0.1]),
        },
        {"name": "made-up"},
    )


def lines(axes):
    return {line.get_label(): line for line in axes.lines if line.get_gid() is None}


def bars(axes):
    """Ends of the upright bars: (N, 2), in the order in which they were drawn."""
    parts = [part.get_segments() for part in axes.collections if hasattr(part, "get_segments")]
    return np.array([segment[:, 1] for segments in parts for segment in segments])


class TestCurve:
    def test_draws_the_quantity_and_its_interval_against_an_axis(self, swept):
        figure = curve(swept.sel(k=4), x="B", y="mean(loss)", columns="landscape")
        told = quantity(swept.sel(k=4), "mean(loss)")
        for axes, place in zip(figure.axes, ("bowl", "ridge"), strict=True):
            assert axes.get_title(loc="left") == place
            assert axes.get_xscale() == axes.get_yscale() == "log"
            drawn = lines(axes)
            for name in ("SGD", "GA"):
                own = told.sel(landscape=place, optimizer=name)
                np.testing.assert_array_equal(drawn[name].get_xdata(), swept["B"])
                np.testing.assert_allclose(drawn[name].get_ydata(), own["quantity"])
            own = told.sel(landscape=place)["quantity_interval"].transpose("optimizer", "B", "bound")
            np.testing.assert_allclose(bars(axes), own.values.reshape(-1, 2))

    @pytest.mark.parametrize("x", ["B", "cost"])
    def test_no_interval_is_cut_off_on_a_log_axis(self, swept, x):
        """One world in twenty far above the rest: the interval of the mean reaches high above the mean."""
        one = swept.sel(k=0, landscape=["bowl"])
        one = (one if x == "B" else one.sel(B=1.0)).copy(deep=True)
        one["loss"] = one["loss"] / (one["B"] ** 2 if x == "B" else one["cost"] ** 4)
        one["loss"].loc[{"replicate": 0}] *= 100
        axes = curve(one, x=x, y="mean(loss)").axes[0]
        told = quantity(one, "mean(loss)") if x == "B" else along(one, "mean(loss)", x)
        ends = told["quantity_interval"].values
        assert axes.get_yscale() == "log"
        assert ends.max() > 1.5 * told["quantity"].values.max()
        low, high = axes.get_ylim()
        assert low <= ends.min()
        assert ends.max() <= high

    def test_no_arm_without_numbers_is_named(self, swept):
        one = swept.sel(k=0, landscape=["bowl"]).copy(deep=True)
        one["loss"].loc[{"optimizer": "GA"}] = np.nan
        one["status"].loc[{"optimizer": "GA"}] = Status.ABSENT
        figure = curve(one, x="B", y="median(loss)", hue="optimizer")
        assert not figure.legends
        assert [text.get_text() for text in figure.axes[0].texts] == ["SGD"]

    def test_a_mean_is_that_of_the_worlds(self, swept):
        drawn = lines(curve(swept.sel(k=0, landscape=["bowl"]), x="B", y="mean(loss)").axes[0])
        last = swept["loss"].sel(k=0, landscape="bowl", optimizer="GA").isel(checkpoint=-1)
        np.testing.assert_allclose(drawn["GA"].get_ydata(), last.mean("replicate"))

    def test_along_a_clock_x_is_the_clock_of_each_arm(self, swept):
        one = swept.sel(k=0, B=1.0, landscape=["bowl"])
        axes = curve(one, x="steps", y="median(loss)").axes[0]
        np.testing.assert_array_equal(lines(axes)["SGD"].get_xdata(), np.arange(10, 61, 10))
        np.testing.assert_array_equal(lines(axes)["GA"].get_xdata(), np.arange(20, 121, 20))
        middle = np.sort(one["loss"].sel(optimizer="GA", landscape="bowl"), 0)[(WORLDS - 1) // 2]
        np.testing.assert_allclose(lines(axes)["GA"].get_ydata(), middle)

    def test_what_never_came_is_a_triangle_at_the_edge(self, swept):
        figure = curve(swept.sel(k=0), x="B", y="median(hit(0.1))")
        triangles = [line for line in figure.axes[0].lines if line.get_gid() == "never"]
        assert [line.get_xdata().tolist() for line in triangles] == [[64.0]]
        assert figure.legends[0].get_texts()[-1].get_text() == "never"
        assert len(lines(figure.axes[0])["GA"].get_xdata()) == 3

    def test_a_divergence_does_not_hide_the_rest(self, swept):
        data = swept.sel(k=0).copy(deep=True)
        data["loss"].loc[{"optimizer": "GA", "B": 64.0}] = 1e290
        axes = curve(data, x="B", y="median(loss)").axes[0]
        axes.figure.draw_without_rendering()
        low, high = axes.get_ylim()
        assert low > 1e-3
        assert high < 1e14

    def test_what_is_not_said_is_optimizers_landscapes_then_axes(self, swept):
        figure = curve(swept)
        assert [axes.get_title(loc="left") for axes in figure.axes[:3]] == [
            f"k = 0, {place}" for place in ("bowl", "ridge")
        ] + ["k = 4, bowl"]
        assert set(lines(figure.axes[0])) == {"SGD", "GA"}
        assert figure.axes[-1].get_xlabel() == "B"

    @pytest.mark.parametrize("x", ["B", "steps"])
    def test_an_axis_that_does_not_touch_the_arms_has_no_panels(self, swept, x):
        """Along it their numbers are repeated: the figure is that of one value, and says none."""
        one = swept.sel(landscape=["bowl"])
        same = xr.concat([one.sel(k=0)] * 2, "h").assign_coords(h=[5, 6])
        figure = curve(same, x=x, y="mean(loss)", hue="optimizer")
        told = curve(one.sel(k=0), x=x, y="mean(loss)", hue="optimizer")
        titles, expected = (
            [axes.get_title(loc="left") for axes in page.axes if axes.lines] for page in (figure, told)
        )
        assert titles == expected
        assert "h = " not in captions.said(figure)
        # an axis that touches a single world, before the end, has them
        same["loss"].loc[{"h": 6, "replicate": 3}] *= 2 if x == "B" else [2, 1, 1, 1, 1, 1]
        figure = curve(same, x=x, y="mean(loss)", hue="optimizer")
        assert len([axes for axes in figure.axes if axes.lines]) == 2 * len(titles)

    def test_dims_without_a_place_are_at_their_first_values_and_said(self, swept):
        two = swept.expand_dims(h=[5, 6]).transpose("landscape", "optimizer", "B", "k", "h", ...)
        figure = curve(two.assign(loss=two["loss"] * two["h"]))
        assert "; at h = 5" in captions.said(figure)

    @pytest.mark.parametrize(
        ("options", "text"),
        [
            ({"x": "b"}, "curve: unknown axis 'b'; did you mean 'B'?"),
            ({"x": "B", "hue": "B"}, "curve: expected B in one place, got it as x and hue"),
            ({"x": "k", "y": "mean(loss[k=4])"}, r"curve: unknown axis 'k'; .*"),
            (
                {"x": "virtual_time"},
                r"curve: expected a clock that was kept \(cost, steps\), got virtual_time",
            ),
            ({"y": "median(los)"}, r"unknown quantity 'los'; did you mean 'loss'\?"),
        ],
    )
    def test_a_mistake_is_one_line(self, swept, options, text):
        with pytest.raises(ValueError, match=f"^{text}"):
            curve(swept, **options)

    @pytest.mark.parametrize(
        ("width", "options"),
        [
            (3.4, {"x": "B"}),
            (6.9, {"x": "steps", "hue": "B"}),
            pytest.param(3.4, {"x": "steps", "hue": "B"}, marks=pytest.mark.verify),
            pytest.param(3.4, {"x": "optimizer", "hue": "k", "rows": "B"}, marks=pytest.mark.verify),
        ],
    )
    def test_nothing_overlaps(self, swept, width, options):
        with rc_context(style.PAPER):
            assert not faults(curve(swept, width, **options))


def test_a_run_that_has_ended_goes_no_further(swept):
    """SGD spends 20 evaluations: it is drawn up to the first checkpoint that has them."""
    terms = xr.zeros_like(swept["steps"]) + (swept["cost"] * 4).astype(int)
    spent = terms.where(swept["optimizer"] != "SGD", terms.clip(max=80))
    data = swept.assign(
        status=0 * swept["status"], value_terms=spent, gradient_terms=0 * spent
    ).assign_coords(terms=("landscape", [4, 4]))
    told = along(data.sel(k=0, B=1.0), "mean(loss)", "cost")["quantity"]
    assert (
        told.sel(optimizer="SGD", landscape="bowl").notnull().values.tolist()
        == [True] * 2 + [False] * 4
    )
    assert told.sel(optimizer="GA", landscape="bowl").notnull().all()


class TestSelection:
    def test_labels_and_numbers_as_they_are_written(self, swept):
        data = pick(swept, {"landscape": ["ridge"], "B": ["16", "1"], "optimizer": ["GA"]})
        assert dict(data["loss"].sizes) | {"B": 2} == {**data["loss"].sizes}
        assert data["B"].values.tolist() == [1, 16]
        assert data["landscape"].values.tolist() == ["ridge"]

    def test_what_is_left_looks_as_it_did(self, swept):
        whole = lines(curve(swept.sel(k=0), x="B").axes[0])["GA"]
        alone = lines(
            curve(pick(swept, {"optimizer": ["GA"]}).sel(k=0), x="B", hue="optimizer").axes[0]
        )["GA"]
        assert alone.get_color() == whole.get_color()

    @pytest.mark.parametrize(
        ("chosen", "text"),
        [
            ({"landscape": ["rigde"]}, "unknown landscape 'rigde'; did you mean 'ridge'?"),
            ({"B": ["17"]}, "unknown B '17'; did you mean '1'?"),
            ({"n": ["1"]}, "--at: unknown axis 'n'"),
        ],
    )
    def test_a_wrong_word_is_one_line(self, swept, chosen, text):
        with pytest.raises(ValueError) as error:  # noqa: PT011  compared whole below
            pick(swept, chosen)
        assert str(error.value).startswith(text)


class TestPages:
    def test_a_figure_that_is_too_high_is_several(self, swept):
        pages = pages_of(Asked("curve", {"x": "B", "rows": "k"}, "curve"), swept, 3.4)
        assert len(pages) == 2
        assert all(page.get_figheight() <= 1.3 * 3.4 for page in pages)
        titles = [axes.get_title(loc="left") for page in pages for axes in page.axes]
        assert [title for title in titles if title] == [
            f"k = {k}, {place}" for k in (0, 4, 8) for place in ("bowl", "ridge")
        ]

    def test_a_figure_that_fits_is_one(self, swept):
        assert len(pages_of(Asked("curve", {"x": "B"}, "curve"), swept.sel(k=0), 3.4)) == 1


def test_files_have_names_of_their_own():
    figures = asked(["curve", {"curve": {"x": "B"}}, {"curve": {"x": "k", "name": "mine"}}, "ecdf"])
    assert [figure.file for figure in figures] == ["curve", "curve-2", "mine", "ecdf"]
    assert figures[2].options == {"x": "k"}


def test_a_figure_of_a_study_shows_the_landscapes_and_optimizers_that_it_names(swept):
    """As the command's --landscape and --optimizer do: one label or a list."""
    entry = {"curve": {"x": "B", "y": "mean(loss)", "landscape": "ridge", "optimizer": ["GA"]}}
    (figure,) = asked([entry])
    assert figure.said == "x = B, y = mean(loss), landscape = ridge, optimizer = GA"
    (page,) = pages_of(figure, swept.sel(k=[0]), 6.9)
    (drawn,) = [axes for axes in page.axes if axes.lines]
    ((line,),) = [[line for line in drawn.lines if len(line.get_xdata()) == swept.sizes["B"]]]
    expected = swept["loss"].sel(landscape="ridge", optimizer="GA", k=0).isel(checkpoint=-1)
    np.testing.assert_allclose(line.get_ydata(), expected.mean("replicate").values.ravel())


def test_a_figure_of_a_study_shows_the_values_of_axes_that_it_names(swept):
    """As the command's --at does: a number, or a list."""
    (figure,) = asked([
        {"curve": {"x": "B", "y": "mean(loss)", "landscape": "ridge", "at": {"k": 0, "B": [4, 16]}}}
    ])
    assert figure.options == {"x": "B", "y": "mean(loss)"}
    (page,) = pages_of(figure, swept, 6.9)
    lines = [line for axes in page.axes for line in axes.lines if len(line.get_xdata()) == 2]
    shown = swept["loss"].sel(landscape="ridge", k=0, B=[4, 16]).isel(checkpoint=-1).mean("replicate")
    drawn = sorted(line.get_ydata().tolist() for line in lines)
    np.testing.assert_allclose(drawn, sorted(shown.transpose("optimizer", "B").values.tolist()))


@each("name", sorted(FIGURES))
def test_every_figure_of_a_study_takes_landscapes_and_optimizers(name):
    """Those too that are told nothing else, each with a file of its own name."""
    entry = {name: {"landscape": "bowl", "optimizer": ["SGD"], "name": "mine"}}
    model = TypeAdapter(StudyModel.model_fields["figures"].annotation)
    (read,) = model.validate_python([entry])
    assert asked([read.model_dump(mode="json")]) == [
        Asked(name, {}, "mine", {"landscape": ["bowl"], "optimizer": ["SGD"]})
    ]


def test_a_label_of_curve_stands_in_place_of_the_quantity(swept):
    given = {"x": "B", "y": "2 * median(loss)", "label": "cost of a step"}
    figure = curve(pick(swept, {"landscape": ["bowl"]}), hue="k", **given)
    labels = {axes.get_ylabel() for axes in figure.axes}
    assert labels - {""} == {"cost of a step"}
    page, *_ = pages_of(Asked("curve", given | {"hue": "k"}, "curve"), swept)
    assert page.axes[0].get_ylabel() == "cost of a step"


def test_an_axis_that_touches_nothing_has_no_panels_but_where_it_is_asked_for(swept):
    same = swept.sel(landscape=["bowl"])
    same["loss"] = same["loss"].isel(k=0).broadcast_like(same["loss"]).transpose(*same["loss"].dims)
    assert len([axes for axes in curve(same, x="B", y="mean(loss)").axes if axes.lines]) == 1
    assert (
        len([axes for axes in curve(same, x="B", y="mean(loss)", columns="k").axes if axes.lines]) == 3
    )
    assert (
        len([
            axes
            for axes in curve(swept.sel(landscape=["bowl"]), x="B", y="mean(loss)").axes
            if axes.lines
        ])
        == 3
    )


def test_a_law_figure_takes_a_list_of_claims():
    assert named(["noise, at rest", "slope"]) == ["noise, at rest", "slope"]
    assert named("noise, slope") == ["noise", "slope"]
    assert named(None) == []


STUDY = {
    "name": "drawn",
    "budget": 50,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 2, "terms": 16}},
    "optimizers": {"SGD": {"kind": "sgd", "learning_rate": 0.02}},
    "sweep": {"noise.batch": [1, 4]},
}


@each(
    ("figure", "text"),
    [
        (
            {"curve": {"at": {"batch": 2}}},
            "figures[0].curve.at.batch: unknown batch '2'; expected one of: 1, 4",
        ),
        (
            {"curve": {"at": {"bacth": 1}}},
            "figures[0].curve.at.bacth: unknown axis 'bacth'; did you mean 'batch'?",
        ),
        ({"curve": {"x": "bacth"}}, "figures[0].curve.x: unknown axis 'bacth'; did you mean 'batch'?"),
        (
            {"curve": {"y": "median(los)"}},
            "figures[0].curve.y: unknown quantity 'los'; did you mean 'loss'?",
        ),
        (
            {"curve": {"colour": "red"}},
            "figures[0].curve.colour: unknown key for curve; did you mean 'columns'?",
        ),
        (
            {"curve": {"y": "1 +"}},
            "figures[0].curve.y: expected a quantity, such as median(loss), got '1 +'",
        ),
        (
            {"curve": {"landscape": "bowel"}},
            "figures[0].curve.landscape: unknown landscape 'bowel'; did you mean 'bowl'?",
        ),
        (
            {"curve": {"optimizer": ["SGD", "GA"]}},
            "figures[0].curve.optimizer: unknown optimizer 'GA'; expected one of: SGD",
        ),
        (
            {"phase": {"optimizer": ["SGD", "GA"]}},
            "figures[0].phase.optimizer: unknown optimizer 'GA'; expected one of: SGD",
        ),
        (
            {"critical_difference": {"lanscape": "bowl"}},
            "figures[0].critical_difference.lanscape: unknown key for critical_difference; did you mean"
            " 'landscape'?",
        ),
        (
            {"price": {"landscape": "bowl"}},
            "figures[0]: price shows the `ledger` of a study, and this one has none",
        ),
        (
            {"law": {"claim": ["falls", "fals"]}},
            "figures[0].law.claim[1]: unknown claim 'fals'; did you mean 'falls'?",
        ),
    ],
)
def test_a_study_is_checked_for_words_that_it_has_not(figure, text):
    claim = {"kind": "law", "optimizer": "SGD", "observe": "loss", "predicted": 1}
    with pytest.raises(StudyError) as error:
        load_study(STUDY | {"figures": [figure], "claims": {"falls": claim}})
    assert error.value.lines[0].endswith(text)


def test_a_study_may_ask_for_a_figure_twice():
    figures = [
        "convergence",
        {"curve": {"x": "batch", "y": "median(loss) / learning_rate"}},
        {"curve": {"x": "steps"}},
    ]
    study = load_study(STUDY | {"figures": figures})
    assert study.figures == [
        "convergence",
        {"curve": {"x": "batch", "y": "median(loss) / learning_rate"}},
        {"curve": {"x": "steps", "y": "median(loss)"}},
    ]
    assert load_study(study.resolved).figures == study.figures
    assert json.loads(json.dumps(study.figures)) == study.figures


@pytest.fixture(scope="module")
def folder(swept, tmp_path_factory):
    """Of the made-up results."""
    folder = tmp_path_factory.mktemp("made-up") / "dataset.zarr"
    swept.assign_attrs(view="made up").to_zarr(folder, zarr_format=3, consolidated=False)
    return folder


class TestCommand:
    def test_options_and_selections(self, folder, tmp_path, capsys):
        words = "curve --x B --y mean(loss) --landscape ridge --at k=4 --format png --out".split()
        assert main([str(folder), *words, str(tmp_path / "out")]) == 0
        assert [path.name for path in (tmp_path / "out").glob("*.png")] == ["curve.png"]
        assert capsys.readouterr().err == ""

    def test_more_panels_are_more_files_and_said(self, folder, tmp_path, capsys):
        words = "curve --x B --rows k --width 3.4 --format png --out".split()
        assert main([str(folder), *words, str(tmp_path / "out")]) == 0
        said = capsys.readouterr()
        assert [line.rpartition("/")[2] for line in said.out.split()] == [
            f"curve-{page}.png" for page in (1, 2)
        ]
        assert said.err == "curve: 2 files, since one is at most 4.4 inches high (1.3 widths)\n"

    @pytest.mark.parametrize(
        ("words", "text"),
        [
            ("curve --at B", "--at: expected AXIS=VALUE, such as B=8, got 'B'"),
            ("profile --x B", "profile: unknown option --x; expected one of: name, clock"),
            ("ecdf --x B", "ecdf: unknown option --x; expected one of: name, clock, group, reference"),
            ("curve --optimizer GB", "unknown optimizer 'GB'; expected one of: SGD, GA"),
        ],
    )
    def test_a_mistake_is_one_line_and_exit_code_2(self, folder, capsys, words, text):
        assert main([str(folder), *words.split()]) == 2
        assert capsys.readouterr().err == f"{text}\n"


def test_the_command_knows_all_that_figures_are_told():
    models = (model.model_fields for model in QUESTIONS.values())
    mappings = {"beside", "at"}  # for study files alone, or an option of all commands
    assert {*TOLD, *SHOWN, *mappings} == {name for fields in models for name in fields}
    assert set(QUESTIONS) - set(FIGURES) == set(DRAWN)


class TestMap:
    @pytest.fixture
    def ratio(self, swept):
        """GA over SGD: 4 where B = 1, 2, 1/2 .. elsewhere; no spread, but for B = 16."""
        data = swept.sel(landscape=["bowl"]).copy(deep=True)
        data["loss"][:] = 1.0
        factors = np.array([4.0, 2.0, 1.0, 0.25])
        data["loss"].loc[{"optimizer": "GA"}] = factors[:, None, None, None]
        data["loss"].loc[{"optimizer": "GA", "B": 16.0}] = np.linspace(0.5, 1.5, WORLDS)[:, None]
        return data

    def drawn(self, data, **options):
        figure = quantity_map(
            data, x="B", y="k", colour='mean(loss["GA"] / loss["SGD"])', line=1, **options
        )
        return figure, figure.axes[0]

    def test_colours_are_the_quantity_and_diverge_by_factors(self, ratio):
        _, axes = self.drawn(ratio)
        mesh = axes.collections[0]
        np.testing.assert_allclose(mesh.get_array(), np.tile([4, 2, 1, 0.25], (3, 1)))
        assert (mesh.norm.vmin, mesh.norm.vmax) == pytest.approx((0.25, 4))
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")

    def test_hatched_where_the_interval_holds_the_line(self, ratio):
        _, axes = self.drawn(ratio)
        hatched = [patch for patch in axes.patches if patch.get_gid() == "undecided"]
        assert [patch.get_x() for patch in hatched] == pytest.approx([8] * 3)  # from 8 to 32, around 16

    def test_the_line_lies_where_the_quantity_is_its_value(self, ratio):
        data = ratio.sel(B=[1.0, 4.0, 64.0])
        _, axes = self.drawn(data)
        (line,) = [part for part in axes.collections if isinstance(part, QuadContourSet)]
        x = np.concatenate([path.vertices[:, 0] for path in line.get_paths()])
        # linear in log(ratio) between x = 4 (ratio 2) and x = 64 (ratio 1/4): a third of the way
        np.testing.assert_allclose(x, 4 + 60 / 3)

    def test_never_and_unknown_are_signs(self, ratio):
        data = ratio.copy(deep=True)
        data["loss"].loc[{"optimizer": "GA", "B": 1.0, "k": 0}] = np.inf
        data["loss"].loc[{"optimizer": "GA", "B": 1.0, "k": 4}] = np.nan
        figure, axes = self.drawn(data)
        assert [text.get_text() for text in axes.texts] == ["∞", "–"]
        said = captions.said(figure)
        assert "∞: infinite: never; –: no number" in said

    def test_a_label_is_what_colours_are(self, ratio):
        figure, _ = self.drawn(ratio, label="time of GA over that of SGD")
        assert figure.axes[1].get_ylabel().replace("\n", " ") == "time of GA over that of SGD"
        assert captions.said(figure).startswith("Time of GA over that of SGD, ")
        ticks = [text.get_text() for text in figure.axes[1].get_yticklabels()]
        assert {"0.5", "1", "2"} <= set(ticks)  # 1/4 to 4 are plain numbers, not powers of ten

    def test_the_predicted_line_is_that_of_the_formula(self, ratio):
        data = ratio.assign_attrs(settings=json.dumps(made_settings(ratio)))
        _, axes = self.drawn(data, theory="B * 0.1 + k * 0.1")
        *_, line = [part for part in axes.collections if isinstance(part, QuadContourSet)]
        for path in line.get_paths():
            batch, k = path.vertices.T
            np.testing.assert_allclose(0.1 * batch + 0.1 * k, 1, rtol=0.02)

    @pytest.mark.parametrize("width", [3.4, 6.9])
    def test_nothing_overlaps(self, swept, width):
        with rc_context(style.PAPER):
            figure = quantity_map(
                swept, width, x="B", y="k", colour='median(loss["GA"] / loss["SGD"])', line=1
            )
            assert not faults(figure)

    def test_an_axis_on_which_it_does_not_depend(self, swept):
        with pytest.raises(
            ValueError, match=r"^map: expected a quantity that depends on k, .* is the same along"
        ):
            quantity_map(swept, x="B", y="k", colour="mean(loss[k=4])")


STUDIED = {"gradient_cost": {"value": 3.0, "low": 3.0, "high": 3.0}}


def made_settings(data):
    """Settings of every arm: what it ran with are its values of the axes."""
    dims = ("landscape", "optimizer", "B", "k")
    places = [
        dict(zip(dims, place, strict=True))
        for place in itertools.product(*(data[dim].values.tolist() for dim in dims))
    ]
    tasks = [
        {
            "landscape": {"dim": 3},
            "optimizer": {"rate": 0.5},
            "noise": {"batch": place["B"]},
            "study": STUDIED,
        }
        for place in places
    ]
    arms = [{"coords": place, "label": place["optimizer"], "task": i} for i, place in enumerate(places)]
    return {"arms": arms, "tasks": tasks}


class TestTheory:
    def test_what_has_the_values_of_the_axis_goes_with_it(self, swept):
        data = swept.assign_attrs(settings=json.dumps(made_settings(swept)))
        where = {"landscape": "bowl", "optimizer": "GA", "k": 4}
        values = on_grid(data, "dim * rate / batch + k", where, {"B": np.array([2.0, 3.0])})
        np.testing.assert_allclose(values, [3 * 0.5 / 2 + 4, 3 * 0.5 / 3 + 4])

    def test_a_name_of_let_follows_the_axis(self, swept):
        made = made_settings(swept) | {"let": {"law": "dim * rate / batch"}}
        data = swept.assign_attrs(settings=json.dumps(made))
        where = {"landscape": "bowl", "optimizer": "GA", "k": 4}
        values = on_grid(data, "2 * law", where, {"B": np.array([2.0, 3.0])})
        np.testing.assert_allclose(values, [3 * 0.5, 3 * 0.5 * 2 / 3])

    def test_another_number_that_differs_has_no_value(self, swept):
        data = swept.assign_attrs(settings=json.dumps(made_settings(swept)))
        with pytest.raises(ValueError, match="k has none, it differs between the values of the axis"):
            on_grid(data, "k / batch", {"landscape": "bowl", "optimizer": "GA"}, {"B": np.array([2.0])})


class TestDensity:
    @pytest.fixture
    def normal(self, swept, monkeypatch):
        """A normal number of each of 2,000 worlds, of variance 1, and 4 for GA.

        The intervals of its distances are in no figure.
        """
        monkeypatch.setattr(bootstrap, "RESAMPLES", 99)
        rng = np.random.default_rng(5)
        values = rng.normal(size=(1, 2, 2000)) * np.array([1, 2])[:, None]
        dims = ("landscape", "optimizer", "replicate")
        there = np.full((*values.shape, 1), 2, np.int8)
        data = xr.Dataset(
            {"theta": (dims, values), "status": ((*dims, "checkpoint"), there)},
            {"landscape": ["bowl"], "optimizer": ["SGD", "GA"], "cost": ("checkpoint", [1.0])},
        )
        return data

    def test_the_histogram_is_of_the_worlds_and_the_curve_is_the_density(self, normal):
        figure = density(normal, of="theta", against="exp(-theta**2 / 2)", columns="optimizer")
        axes = figure.axes[0]
        heights = [patch.get_height() for patch in axes.patches]
        values = normal["theta"].sel(optimizer="SGD", landscape="bowl")
        expected, _ = np.histogram(values, 20, density=True)
        np.testing.assert_allclose(heights, expected)
        (line,) = axes.lines
        x = line.get_xdata()
        np.testing.assert_allclose(
            line.get_ydata(), np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), rtol=1e-3, atol=1e-6
        )

    def test_the_distance_is_noise_where_the_law_is_right_and_not_where_it_is_wrong(self, normal):
        figure = density(normal, of="theta", against="exp(-theta**2 / 2)")
        distances = {
            axes.get_title(loc="left"): [
                float(word) for word in re.findall(r"0\.\d+", axes.texts[0].get_text())
            ]
            for axes in figure.axes
        }
        right, floor = distances["SGD"]
        assert right < 2 * floor
        wrong, floor = distances["GA"]
        assert wrong > 5 * floor
        assert wrong == pytest.approx(
            0.32, abs=0.04
        )  # of normals of scales 1 and 2: 2 (Phi(a) - Phi(a / 2)), a = 1.36

    def test_an_arm_that_ran_away_has_a_panel_of_its_own_range(self, normal):
        theta = normal["theta"].where(normal["optimizer"] == "SGD", np.inf)
        theta[{"optimizer": 1, "replicate": 0}] = 1e9
        figure = density(normal.assign(theta=theta), of="theta", against="exp(-theta**2 / 2)")
        alone = density(normal.sel(optimizer=["SGD"]), of="theta", against="exp(-theta**2 / 2)")
        shown, expected = (
            [patch.get_height() for patch in each.axes[0].patches] for each in (figure, alone)
        )
        assert shown == expected
        assert "total variation 1 " in figure.axes[1].texts[0].get_text()

    def test_an_arm_that_is_absent_has_no_panel_and_one_that_diverged_says_so(self, normal):
        three = xr.concat(
            [normal, normal.isel(optimizer=[0]).assign_coords(optimizer=["DE"])], "optimizer"
        )
        numbers = three["theta"].where(three["optimizer"] != "GA").copy()
        numbers[{"optimizer": 2}] = np.inf
        figure = density(three.assign(theta=numbers), of="theta", against="exp(-theta**2 / 2)")
        shown = {axes.get_title(loc="left"): axes for axes in figure.axes if axes.get_visible()}
        assert [*shown] == ["SGD", "DE"]
        assert [text.get_text() for text in shown["DE"].texts] == ["no finite number"]
        assert not shown["DE"].patches

    def test_a_number_of_all_worlds_is_refused(self, normal):
        with pytest.raises(ValueError, match="expected a number of each world"):
            density(normal, of="mean(theta)")


class TestFrequencies:
    @pytest.fixture
    def fixing(self, swept):
        """Three loci of which the first goes up from 0.5 to 1, in every second world."""
        data = swept.sel(B=1.0, k=0, landscape=["bowl"])
        up = np.linspace(0.5, 1, CHECKPOINTS)
        p = np.full((1, 2, WORLDS, CHECKPOINTS, 3), 0.25)
        p[:, :, ::2, :, 0] = up
        return data.assign(p=(("landscape", "optimizer", "replicate", "checkpoint", "p_index"), p))

    def test_the_mean_over_worlds(self, fixing):
        axes = frequencies(fixing, columns="optimizer").axes[0]
        np.testing.assert_allclose(
            axes.lines[0].get_ydata(), (np.linspace(0.5, 1, CHECKPOINTS) + 0.25) / 2
        )
        np.testing.assert_allclose(axes.lines[1].get_ydata(), 0.25)
        np.testing.assert_array_equal(axes.lines[0].get_xdata(), np.arange(10, 61, 10))

    @pytest.mark.parametrize("landscapes", [1, 2])
    def test_of_many_genotypes_the_commonest_are_named(self, fixing, landscapes):
        """Eight, of which the legend has the seven that become most frequent, where they have one name each."""
        names = [f"g{place}" for place in range(8)]
        share = fixing["p"].isel(p_index=[0]) * 0 + np.arange(8) / 28
        data = fixing.drop_vars("p").assign(all=share.rename(p_index="all_index"))
        data["all"].attrs["members"] = " ".join(names)
        data = (
            data if landscapes == 1 else data.isel(landscape=[0, 0]).assign_coords(landscape=["a", "b"])
        )
        figure = frequencies(data, of="all", stacked=True)
        shown = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
        assert shown == (names[1:] if landscapes == 1 else [])

    def test_in_one_world_and_stacked(self, fixing):
        axes = frequencies(fixing, world=2, stacked="true").axes[0]
        assert len(axes.collections) == 3
        top = axes.collections[0].get_paths()[0].vertices[:, 1].max()
        assert top == pytest.approx(1)

    @pytest.mark.parametrize(
        ("options", "text"),
        [
            ({"of": "q"}, r"frequencies: expected a recorded vector, got q; expected one of: p"),
            ({"world": 99}, r"frequencies: expected mean, or a world of 0 to 19, got 99"),
        ],
    )
    def test_a_mistake_is_one_line(self, fixing, options, text):
        with pytest.raises(ValueError, match=f"^{text}$"):
            frequencies(fixing, **options)


class TestGames:
    @each(
        ("matrix", "kind"),
        [
            ([[-1, 0], [0, -2]], "stable node"),
            ([[1, 0], [0, 2]], "unstable node"),
            ([[-1, 0], [0, 2]], "saddle"),
            ([[-0.1, 1], [-1, -0.1]], "stable spiral"),
            ([[0.1, 1], [-1, 0.1]], "unstable spiral"),
            ([[0, 1], [-1, 0]], "center"),
        ],
    )
    def test_the_class_follows_from_the_eigenvalues(self, matrix, kind):
        linear = np.array(matrix, float)
        told = games.flow(lambda x: (x - 0.3) @ linear.T, np.array([[-1.0, 1.0], [-1.0, 1.0]]))
        assert [point.kind for point in told.fixed] == [kind]
        np.testing.assert_allclose(told.fixed[0].place, 0.3, atol=1e-9)

    def test_every_fixed_point_once(self):
        """X' = x - x^3, y' = -y: a saddle at 0, stable nodes at -1 and 1."""
        told = games.flow(
            lambda x: np.stack([x[:, 0] - x[:, 0] ** 3, -x[:, 1]], -1), np.array([[-2.0, 2.0]] * 2)
        )
        points = sorted((float(point.place[0]), point.kind) for point in told.fixed)
        assert [kind for _, kind in points] == ["stable node", "saddle", "stable node"]
        np.testing.assert_allclose([x for x, _ in points], [-1, 0, 1], atol=1e-8)


class TestPlane:
    def test_trails_of_all_methods_and_the_ellipse_of_a_population(self):
        rng = np.random.default_rng(2)
        turn = np.array([[0.8, -0.6], [0.6, 0.8]])
        points = rng.normal(size=(4000, 2)) * [3, 1] @ turn.T
        axes = Figure().subplots()
        plane._ellipse(points, axes, "black")
        (ellipse,) = axes.patches
        assert ellipse.width == pytest.approx(12, rel=0.05)  # 2 deviations of 3, on either side
        assert ellipse.height == pytest.approx(4, rel=0.05)
        assert np.tan(np.radians(ellipse.angle)) == pytest.approx(0.75, rel=0.05)
        plane._ellipse(points[:2], axes, "black")
        assert len(axes.patches) == 1  # a trajectory has none


LAW = {
    "claim": "falls",
    "kind": "law",
    "quantity": "loss",
    "tolerance": 0.1,
    "control_rejected": True,
    "worlds": 9,
}


WHERE = {"landscape": "bowl", "optimizer": "GA", "k": 4}


def judged(batch, observed, *, inside=True):
    """A judgement of the law 8 / B at a value of B."""
    low, high, predicted = observed - 0.1, observed + 0.1, 8 / batch
    where = WHERE | {"B": batch}
    ends = {"low": 0.9 * predicted, "high": 1.1 * predicted, "observed_low": low, "observed_high": high}
    return Judgement(
        where=where, predicted=predicted, observed=observed, standard_error=0.03, control=2.0, in_regime=inside,
        verdict="holds" if inside else "fails", **ends, **LAW,
    )  # fmt: skip


class TestLaw:
    @pytest.fixture
    def claimed(self, swept, monkeypatch):
        rows = [judged(64.0, 0.5, inside=False), judged(1.0, 8.2), judged(4.0, 1.9), judged(16.0, 0.51)]
        monkeypatch.setattr(laws, "judge", lambda dataset: rows)
        claim = {"along": "B", "predicted": "16 * rate / batch", "control": 2.0}
        config = {"claims": {"falls": claim}}
        return swept.assign_attrs(settings=json.dumps(made_settings(swept)), config=json.dumps(config))

    def test_points_are_observed_and_the_line_is_the_law_between_them_too(self, claimed):
        upper, lower = laws.law(claimed).axes
        lines = {line.get_gid(): line for line in upper.lines}
        np.testing.assert_allclose(lines["holds"].get_ydata(), [8.2, 1.9, 0.51])
        np.testing.assert_array_equal(lines["outside"].get_xdata(), [64])
        x = lines["predicted"].get_xdata()
        assert len(x) > 20
        np.testing.assert_allclose(lines["predicted"].get_ydata(), 8 / x)
        np.testing.assert_allclose(lines["control"].get_ydata(), 2.0)
        assert (upper.get_xscale(), upper.get_yscale()) == ("log", "log")
        assert lower.get_xlabel() == "B"

    def test_residuals_are_over_what_is_tolerated(self, claimed):
        _, lower = laws.law(claimed).axes
        (line,) = [line for line in lower.lines if line.get_gid() == "holds"]
        np.testing.assert_allclose(line.get_ydata(), [0.2 / 0.8, -0.1 / 0.2, 0.01 / 0.05])

    def test_what_is_outside_of_the_regime_is_shaded(self, claimed):
        upper, _ = laws.law(claimed).axes
        (shade,) = [patch for patch in upper.patches if patch.get_gid() == "outside"]
        assert shade.get_x() == pytest.approx(32)  # half way, on a log axis, from 16 to 64

    def test_a_label_stands_in_place_of_the_quantity(self, claimed):
        upper, lower = laws.law(claimed, label="noise").axes
        assert (upper.get_ylabel(), lower.get_ylabel()) == ("noise", "residual")
        assert laws.law(claimed).axes[0].get_ylabel() == laws.curves(claimed)[0].points[0].quantity

    def test_of_an_axis_of_whole_numbers_the_law_is_drawn_at_these_alone(self, claimed):
        """Between them there is no batch, and formulas that count would be a sawtooth."""
        made = json.loads(claimed.settings)
        for task in made["tasks"]:
            task["noise"]["batch"] = int(task["noise"]["batch"])
        upper, _ = laws.law(claimed.assign_attrs(settings=json.dumps(made))).axes
        (line,) = [line for line in upper.lines if line.get_gid() == "predicted"]
        x = line.get_xdata()
        assert len(x) > 20
        np.testing.assert_array_equal(x, np.round(x))
        assert set(claimed["B"].values) <= set(x)
        np.testing.assert_allclose(line.get_ydata(), 8 / x)

    def test_whole_values_of_an_axis_of_any_numbers_are_joined_smoothly(self, claimed):
        """A whole number that has other values, or none of its own, does not make the axis one of these."""
        made = json.loads(claimed.settings)
        for task in made["tasks"]:
            task["optimizer"] |= {"steps": int(100 / task["noise"]["batch"]), "population": 4}
        upper, _ = laws.law(claimed.assign_attrs(settings=json.dumps(made))).axes
        (line,) = [line for line in upper.lines if line.get_gid() == "predicted"]
        assert (line.get_xdata() % 1 > 0).any()

    def test_a_formula_that_is_not_the_law_of_the_axis_is_drawn_at_its_values(self, claimed):
        config = {"claims": {"falls": {"along": "B", "predicted": "7 / batch"}}}
        upper, _ = laws.law(claimed.assign_attrs(config=json.dumps(config))).axes
        (line,) = [line for line in upper.lines if line.get_gid() == "predicted"]
        np.testing.assert_array_equal(line.get_xdata(), [1, 4, 16, 64])

    def test_no_claim_along_an_axis_is_one_line(self, swept, monkeypatch):
        monkeypatch.setattr(laws, "judge", lambda dataset: [])
        with pytest.raises(ValueError, match=r"^law: expected a claim along an axis"):
            laws.law(swept)

    @pytest.mark.parametrize("width", [3.4, 6.9])
    def test_nothing_overlaps(self, claimed, width):
        with rc_context(style.PAPER):
            assert not faults(laws.law(claimed, width))

    @pytest.mark.parametrize(
        "width", [2.4, *(pytest.param(w, marks=pytest.mark.verify) for w in (3.4, 6.9))]
    )
    def test_long_quantities_are_cut_at_the_axis_and_stand_whole_below(
        self, claimed, monkeypatch, width
    ):
        long = (
            "mean(mean(loss, since=0.5)) / mean(loss(start)) * mean(hit(1.0, clock=steps)) / mean(loss)"
        )
        name = "what is left at the end of the run over what there was"
        rows = [
            judged(batch, 8 / batch)._replace(
                claim=name, quantity=long, where={"optimizer": arm, "B": batch}
            )
            for batch, arm in itertools.product((1.0, 4.0, 16.0), ("SGD", "GA"))
        ]
        monkeypatch.setattr(laws, "judge", lambda dataset: rows)
        config = {"claims": {name: {"along": "B", "predicted": 1.0}}}
        data = claimed.assign_attrs(config=json.dumps(config))
        with rc_context(style.PAPER):
            figure = laws.law(data, width)
            assert not faults(figure)
        shown = figure.axes[0].get_ylabel()
        assert shown.endswith("…")
        assert shown.count("\n") == 2
        said = captions.said(figure)
        assert said.startswith(f"{captions.sentence(long)[:-1]}; ")
        # a label of the study's own stands there alone
        own = laws.law(data, width, label="what is left")
        assert own.axes[0].get_ylabel() == "what is left"
        assert captions.sentence(long)[:-1] not in captions.said(own)


class TestAnswer:
    @pytest.fixture
    def claimed(self, swept, monkeypatch):
        """Two claims: 8 / B at k = 4, which fails outside of its regime, and a bound on it at k = 8."""
        law = [
            judged(64.0, 0.5, inside=False),
            *(judged(batch, 8.8 / batch) for batch in (1.0, 4.0, 16.0)),
        ]
        bound = [
            judged(batch, 4 / batch)._replace(
                claim="less", relation="<=", where=WHERE | {"B": batch, "k": 8}
            )
            for batch in (1.0, 4.0)
        ]
        monkeypatch.setattr(laws, "judge", lambda dataset: [*law, *bound])
        entry = {"along": "B", "predicted": "16 * rate / batch", "control": 2.0}
        config = {"claims": {"falls": entry, "less": entry}}
        return swept.assign_attrs(settings=json.dumps(made_settings(swept)), config=json.dumps(config))

    def test_claims_of_a_list_share_a_panel(self, claimed):
        (axes,) = answer(claimed, claim=[["falls", "less"]], label="loss", across="batch").axes
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("batch", "loss")
        law, bound = [line for line in axes.lines if line.get_gid() == "law"]
        np.testing.assert_allclose(law.get_ydata(), 8 / law.get_xdata())
        assert (law.is_dashed(), bound.is_dashed()) == (False, True)
        assert law.get_color() != bound.get_color()
        assert len(answer(claimed, claim=["falls", "less"]).axes) == 2

    def test_upwards_it_is_logarithmic_where_that_is_wanted(self, claimed):
        few = claimed.sel(B=[4.0, 16.0])
        wanted = [answer(few, claim="less", log=log).axes[0].get_yscale() for log in (False, True)]
        assert wanted == ["linear", "log"]

    def test_what_holds_is_filled_and_what_lies_outside_hollow(self, claimed):
        (axes,) = answer(claimed, claim="falls").axes
        filled, hollow = [line for line in axes.lines if line.get_gid() == "observed"]
        assert hollow.get_xdata().tolist() == [64.0]
        assert hollow.get_markerfacecolor() == "white"
        np.testing.assert_allclose(filled.get_ydata(), [8.8, 2.2, 0.55])
        (axes,) = answer(claimed, claim="falls", outside=False).axes
        assert not any(64 in line.get_xdata() for line in axes.lines if line.get_gid() == "observed")

    def test_a_place_without_a_world_is_not_drawn_and_not_told(self, claimed, monkeypatch):
        """Where a law has no value; it had made "0 to 9 worlds; hollow: outside the regime"."""
        nothing = judged(64.0, np.nan, inside=False)._replace(worlds=0)
        monkeypatch.setattr(
            laws, "judge", lambda dataset: [nothing, *map(judged, (1.0, 4.0), (8.8, 2.2))]
        )
        figure = answer(claimed, claim="falls")
        said = "Lines: theory; 9 worlds; bars: intervals at the level of 3 standard errors."
        assert captions.said(figure) == said

    def test_a_formula_stands_across_for_points_and_law(self, claimed):
        (axes,) = answer(claimed, claim="falls", along="1 / batch").axes
        line = next(line for line in axes.lines if line.get_gid() == "law")
        np.testing.assert_allclose(line.get_ydata(), 8 * line.get_xdata())
        points = next(line for line in axes.lines if line.get_gid() == "observed")
        np.testing.assert_allclose(points.get_xdata(), [1, 1 / 4, 1 / 16])
        assert axes.get_xlabel() == "1 / batch"

    @pytest.mark.parametrize(
        "told", [{"claim": [["falls", "less"]], "over": True}, {"claim": "falls, less", "over": "true"}]
    )
    def test_over_the_law_all_laws_are_1(self, claimed, told):
        """As a study says it, and as the command does."""
        (axes,) = answer(claimed, **told).axes
        for line in axes.lines:
            if line.get_gid() == "law":
                np.testing.assert_allclose(line.get_ydata(), 1)
        points = next(line for line in axes.lines if line.get_gid() == "observed")
        np.testing.assert_allclose(points.get_ydata(), 1.1)

    def test_a_star_at_the_least_and_a_cross_beside(self, claimed):
        beside = {"x": "4 * mean(loss) / mean(loss)", "y": "mean(loss)", "called": "the rest"}
        figure = answer(claimed.sel(optimizer=["GA"]), claim="falls", least=True, beside=beside)
        (star,) = [line for line in figure.axes[0].lines if line.get_gid() == "least"]
        assert (star.get_xdata(), star.get_ydata()) == (64, 1 / 8)
        (cross,) = [box for box in figure.axes[0].containers if box.get_label() == "beside"]
        assert cross[0].get_xdata().tolist() == pytest.approx([4])
        assert "the rest" in [text.get_text() for text in figure.legends[0].get_texts()]

    def test_words_stand_in_the_corners_with_more_room(self, claimed):
        (axes,) = answer(claimed, claim="falls", above="dear", below="cheap").axes
        assert {text.get_text(): text.get_ha() for text in axes.texts} == {
            "dear": "right",
            "cheap": "left",
        }

    @pytest.mark.parametrize("width", [3.4, 7.0])
    def test_nothing_overlaps(self, claimed, width):
        words = {
            "above": "dear",
            "below": "cheap",
            "label": "what is left of the loss",
            "across": "batch",
        }
        with rc_context(style.PAPER):
            assert not faults(
                answer(claimed, width, claim=[["falls", "less"], "less"], wrong=True, **words)
            )
