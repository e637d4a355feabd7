"""`python -m studies.figures`: which figures, as which files; one clear line for every mistake.

And it is quick where a study is large.
"""

import json
import re
import sys

import numpy as np
import pytest
import xarray as xr
from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from studies.analysis.noise import population
from studies.figures import FIGURES
from studies.figures import __main__ as figures_command
from studies.figures.__main__ import main
from studies.figures.saving import save_moving
from studies.figures.trajectories import Moving, animation
from studies.results import arms
from tests.support.results import real, shared  # noqa: F401  a fixture


@pytest.fixture
def search(shared):  # noqa: F811
    real("search", shared)
    return shared / "search"


def test_it_draws_the_figures_of_the_study(search, tmp_path, capsys):
    assert main([str(search), "--out", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"convergence.{kind}" for kind in ("pdf", "png", "tex", "txt")
    ]
    assert capsys.readouterr().out.split() == [
        str(tmp_path / f"convergence.{kind}") for kind in ("pdf", "png")
    ]


def test_letters_are_embedded_and_the_width_is_as_asked(search, tmp_path):
    assert (
        main([
            str(search),
            "critical_difference",
            "--landscape",
            "nk",
            "--format",
            "pdf,svg",
            "--width",
            "3.4",
            "--out",
            str(tmp_path),
        ])
        == 0
    )
    pdf = (tmp_path / "critical_difference.pdf").read_bytes()
    assert float(re.search(rb"/MediaBox \[ 0 0 ([\d.]+)", pdf)[1]) == pytest.approx(244.8)
    assert b"/FontFile2" in pdf  # TrueType, embedded
    assert b"/Type3" not in pdf
    assert (
        "<text" not in (tmp_path / "critical_difference.svg").read_text()
    )  # outlines: the same without our font


def test_all_draws_what_can_be_shown_and_says_why_the_rest_cannot(
    search, tmp_path, monkeypatch, capsys
):
    for name in set(FIGURES) - {"convergence", "factorial"}:
        monkeypatch.delitem(FIGURES, name)
    assert (
        main([str(search), "all", "--format", "png", "--style", "slides", "--out", str(tmp_path)]) == 0
    )
    said = capsys.readouterr()
    assert [path.name for path in tmp_path.glob("*.png")] == ["convergence.png"]
    assert re.fullmatch(r"factorial: expected .*\n", said.err)
    assert main([str(search), "factorial", "--out", str(tmp_path)]) == 2


@pytest.mark.verify
def test_what_moves_is_a_film(shared, tmp_path, monkeypatch):  # noqa: F811
    few = real("search", shared).isel(frame=[0, 6, 11])
    monkeypatch.setattr("studies.open_study", lambda path: few)
    words = ["a study", "trajectories", "--format", "gif", "--width", "3.4", "--out", str(tmp_path)]
    assert main(words) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["trajectories.gif"]
    with Image.open(tmp_path / "trajectories.gif") as film:
        assert film.n_frames == 3
        first = film.convert("L").tobytes()
        film.seek(2)
        assert film.convert("L").tobytes() != first


def test_a_frame_shows_the_way_so_far_and_the_points_of_now():
    center, points = np.arange(8.0).reshape(4, 2), np.arange(24.0).reshape(4, 3, 2)
    trail, cloud = Moving(center, points, Line2D([], []), Line2D([], [])).at(2)
    np.testing.assert_array_equal(trail.get_xydata(), center[:3])
    np.testing.assert_array_equal(cloud.get_xydata(), points[2])


def test_a_film_has_all_frames(shared, monkeypatch):  # noqa: F811
    one, told = real("search", shared).isel(landscape=[0], optimizer=[0], frame=[0, 6, 11]), {}
    film = lambda figure, show, **how: told.update(how, show=show)  # noqa: E731
    monkeypatch.setattr(sys.modules[animation.__module__], "FuncAnimation", film)
    animation(one, 2.0)
    words = [told["show"](frame)[0].get_text() for frame in range(told["frames"])]
    costs = one["picture_cost"].isel(seen=0).values.ravel()
    assert words == [f"{cost:.3g} evaluations" for cost in costs]


def test_a_film_for_slides_is_16_to_9(shared, monkeypatch):  # noqa: F811
    one, sizes = real("search", shared).isel(landscape=[0], optimizer=[0], frame=[0, 6, 11]), []
    film = lambda figure, show, **how: sizes.append(figure.get_size_inches())  # noqa: E731
    monkeypatch.setattr(sys.modules[animation.__module__], "FuncAnimation", film)
    animation(one, 2.0, ratio=16 / 9)
    ((width, height),) = sizes
    assert width / height == pytest.approx(16 / 9)


def test_a_film_is_one_file(tmp_path):
    def film():
        figure = Figure((1, 1))
        word = figure.text(0.1, 0.5, "")
        return FuncAnimation(figure, lambda frame: word.set_text(f"{frame}"), frames=3)

    (file,) = save_moving(film, tmp_path, "moves")
    assert [*tmp_path.iterdir()] == [file]
    with Image.open(file) as seen:
        assert (seen.format, seen.n_frames) == ("GIF", 3)


def test_what_does_not_move_and_a_film_without_ffmpeg_are_one_line(
    search, tmp_path, monkeypatch, capsys
):
    assert main([str(search), "ecdf", "--format", "gif", "--out", str(tmp_path)]) == 2
    assert (
        capsys.readouterr().err
        == "ecdf: expected a figure that moves (trajectories) for --format gif\n"
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([str(search), "trajectories", "--format", "mp4", "--out", str(tmp_path)]) == 2
    expected = (
        "trajectories: expected the program ffmpeg for an mp4, found none on the PATH; install it, or take"
        " --format gif\n"
    )
    assert capsys.readouterr().err == expected
    assert list(tmp_path.iterdir()) == []


def test_a_figure_that_is_only_named_is_drawn_as_the_study_has_it():
    """With options it is drawn as these say, and other names of the same command as the study has them."""
    curve = {"x": "B", "y": "mean(loss)", "label": "what is left"}
    asked = [{"curve": curve}, {"law": {"claim": "a", "label": "b"}}, {"law": {"name": "own"}}, "ecdf"]
    data = xr.Dataset(attrs={"config": json.dumps({"figures": asked})})
    wanted = figures_command._wanted
    own = wanted(data, ["law", "curve", "ecdf"], {})
    assert [(figure.file, figure.options) for figure in own] == [
        ("curve", curve),
        ("law", {"claim": "a", "label": "b"}),
        ("own", {}),
        ("ecdf", {}),
    ]
    (told,) = wanted(data, ["curve"], {"x": "N", "y": "loss"})
    assert told.options == {"x": "N", "y": "loss"}
    law, curves = wanted(data, ["curve", "law"], {"x": "N", "y": "loss"})[0::2]
    assert (law.options["claim"], curves.options["x"]) == ("a", "N")
    assert [figure.file for figure in wanted(data, ["law", "profile"], {"name": "w"})] == ["w", "w-2"]
    with pytest.raises(ValueError, match=r"map: --x: missing; expected"):
        wanted(data, ["map"], {})


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["convergance"], "figures: unknown 'convergance'; did you mean 'convergence'?"),
        (["--format", "pfd"], "--format: unknown 'pfd'; did you mean 'pdf'?"),
        (["--style", "slide"], "--style: unknown 'slide'; did you mean 'slides'?"),
        (["--width", "70"], "--width: expected 2 <= inches <= 20, got 70"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(search, capsys, words, text):
    assert main([str(search), *words]) == 2
    assert capsys.readouterr().err == f"{text}\n"


def test_no_study_is_one_line(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("open_study: expected a study's folder")


def made(places=25, worlds=4, checkpoints=10, optimizers=20):
    """Results of `optimizers` x `places` cells; every third optimizer is not touched by the axis."""
    rng = np.random.default_rng(3)
    loss = rng.lognormal(size=(optimizers, places, worlds, checkpoints))
    loss[::3] = loss[::3, :1]
    dims = ("optimizer", "rate", "replicate", "checkpoint")
    return xr.Dataset(
        {"loss": (dims, loss), "steps": (dims, np.ones(loss.shape, int)), "status": (dims, np.full(loss.shape, 2, np.int8)),
         "seconds": (dims, rng.random(loss.shape), {"units": "s"})},
        {"optimizer": [f"o{i}" for i in range(optimizers)], "rate": np.arange(places) / 8, "cost": ("checkpoint", np.arange(1.0, checkpoints + 1))},
    )  # fmt: skip


class TestArms:
    def naive(self, data):
        """Every value of the axis against all before: (optimizer, value)."""
        found = []
        for i in range(data.sizes["optimizer"]):
            mine = []
            for k in range(data.sizes["rate"]):
                arm = data.isel(optimizer=i, rate=k)
                alike = any(
                    all(
                        arm[name].variable.equals(other[name].variable)
                        for name in ("loss", "steps", "status")
                    )
                    for other in mine
                )
                mine += [] if alike or bool((arm["status"] >= 4).all()) else [arm]
            found += [(arm["optimizer"].item(), arm["rate"].item()) for arm in mine]
        return found

    def test_are_those_of_a_naive_comparison(self):
        data = made(places=6, optimizers=5)
        data["loss"][1, 3] = data["loss"][1, 0]
        data["loss"][1, 4, 0, 0] = np.nan
        data["loss"][1, 5] = data["loss"][1, 4]
        data["steps"][2, :3] = [[[2]], [[1]], [[2]]]
        data["loss"][2, :3] = [[[0.0]], [[0.0]], [[-0.0]]]
        data["status"][4, 2] = 5
        found = arms.arms(data)
        assert [(arm["optimizer"].item(), arm["rate"].item()) for _, arm in found] == self.naive(data)
        assert [label for label, _ in found] == arms.labels(data)
        assert arms.stack(data)["arm"].values.tolist() == arms.labels(data)
        stacked = arms.stack(data)["loss"].values
        assert all(
            np.array_equal(stacked[k], arm["loss"].values, equal_nan=True)
            for k, (_, arm) in enumerate(found)
        )

    def test_of_chunked_results_stay_on_disk(self):
        found = arms.arms(made(places=4, optimizers=3).chunk(optimizer=1))
        assert all(arm["loss"].chunks is not None for _, arm in found)

    def test_of_a_large_study(self):
        assert len(arms.labels(made(places=500, worlds=2, checkpoints=4))) == 13 * 500 + 7


def test_five_hundred_arms_are_not_analysed_one_by_one(monkeypatch):
    """A time would hang on the machine: how often the costly parts are called does not."""
    data = made(checkpoints=3).expand_dims(landscape=["hill"])
    data["diversity"] = data["loss"].assign_attrs(long_name="distance")
    calls = []
    monkeypatch.setattr(population, "estimate", lambda *args, **how: calls.append("interval"))
    monkeypatch.setattr(
        population,
        "diversity",
        lambda *args, was=population.diversity, **how: calls.append("mean") or was(*args, **how),
    )
    FIGURES["diversity"](data)
    assert calls == ["mean"]


@pytest.mark.verify
def test_five_hundred_cells_are_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr("studies.open_study", lambda path: made().expand_dims(landscape=["hill"]))
    assert main([str(tmp_path), "convergence", "--format", "pdf", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "convergence.pdf").stat().st_size < 500_000
