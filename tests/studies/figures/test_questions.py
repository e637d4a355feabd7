"""Figures that are told what to show: what is drawn are the numbers and intervals of the quantities."""

import json

import numpy as np
import pytest
import xarray as xr
from matplotlib import rc_context

from studies.analysis.quantities.evaluate import quantity
from studies.figures import QUESTIONS as DRAWN
from studies.figures import pages_of, style
from studies.figures.__main__ import TOLD, main
from studies.figures.clocks import along
from studies.figures.curve import curve
from studies.figures.selection import pick
from studies.results.figures import Asked, asked
from studies.study_file.figures import QUESTIONS
from studies.study_file.loading import load_study
from studies.study_file.study import StudyError
from tests.support.looks import faults

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

    def test_what_is_not_said_is_optimizers_landscapes_then_axes(self, swept):
        figure = curve(swept)
        assert [axes.get_title(loc="left") for axes in figure.axes[:3]] == [
            f"k = 0, {place}" for place in ("bowl", "ridge")
        ] + ["k = 4, bowl"]
        assert set(lines(figure.axes[0])) == {"SGD", "GA"}
        assert figure.axes[-1].get_xlabel() == "B"

    def test_dims_without_a_place_are_at_their_first_values_and_said(self, swept):
        figure = curve(
            swept.expand_dims(h=[5, 6]).transpose("landscape", "optimizer", "B", "k", "h", ...)
        )
        assert "; at h = 5" in figure.legends[0].get_title().get_text().replace("\n", " ")

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

    @pytest.mark.parametrize("width", [3.4, 6.9])
    @pytest.mark.parametrize(
        "options", [{"x": "B"}, {"x": "steps", "hue": "B"}, {"x": "optimizer", "hue": "k", "rows": "B"}]
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


STUDY = {
    "name": "drawn",
    "budget": 50,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 2, "terms": 16}},
    "optimizers": {"SGD": {"kind": "sgd", "learning_rate": 0.02}},
    "sweep": {"noise.batch": [1, 4]},
}


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        ({"curve": {"x": "bacth"}}, "figures[0].curve.x: unknown axis 'bacth'; did you mean 'batch'?"),
        (
            {"curve": {"y": "median(los)"}},
            "figures[0].curve.y: unknown quantity 'los' in 'median(los)'; did you mean 'loss'?",
        ),
        (
            {"curve": {"colour": "red"}},
            "figures[0].curve.colour: unknown key for curve; did you mean 'columns'?",
        ),
        (
            {"curve": {"y": "1 +"}},
            "figures[0].curve.y: expected a quantity, such as median(loss), got '1 +'",
        ),
    ],
)
def test_a_study_is_checked_for_words_that_it_has_not(figure, text):
    with pytest.raises(StudyError) as error:
        load_study(STUDY | {"figures": [figure]})
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


class TestCommand:
    @pytest.fixture
    def folder(self, swept, tmp_path):
        swept.assign_attrs(view="made up").to_zarr(
            tmp_path / "dataset.zarr", zarr_format=3, consolidated=False
        )
        return tmp_path / "dataset.zarr"

    def test_options_and_selections(self, folder, tmp_path, capsys):
        words = "curve --x B --y mean(loss) --landscape ridge --at k=4 --format png --out".split()
        assert main([str(folder), *words, str(tmp_path / "out")]) == 0
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["curve.png"]
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
            ("ecdf --x B", "ecdf: unknown option --x; expected of none"),
            ("curve --optimizer GB", "unknown optimizer 'GB'; did you mean 'GA'?"),
        ],
    )
    def test_a_mistake_is_one_line_and_exit_code_2(self, folder, capsys, words, text):
        assert main([str(folder), *words.split()]) == 2
        assert capsys.readouterr().err == f"{text}\n"


def test_the_command_knows_all_that_figures_are_told():
    models = (model.model_fields for model in QUESTIONS.values())
    assert set(TOLD) == {name for fields in models for name in fields}
    assert set(QUESTIONS) == set(DRAWN)
