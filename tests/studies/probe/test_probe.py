"""`python -m studies.probe`: what is named, what is measured, the table, the files, the pictures.

Plain and hostile.
"""

import json
import re

import numpy as np
import pytest
import torch
import xarray as xr
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.text import Text

from landscapes import LANDSCAPES
from landscapes.base import Bits
from landscapes.binary.nk import NK
from landscapes.continuous.quadratic import Quadratic
from landscapes.oracle.evaluation import evaluate
from landscapes.probes.measure import Measure
from landscapes.streams import Streams
from studies.figures import forms, gallery, style
from studies.figures.probes import probes
from studies.figures.saving import save
from studies.probe import datasets, examples, pictures, planes, tables
from studies.probe.__main__ import main
from studies.probe.named import brief, named
from studies.study_file.study import StudyError
from tests.support.each import each

SMALL = ("--worlds", "2", "--samples", "32")


@pytest.fixture
def undrawn(monkeypatch):
    """The command leaves its figure out, for tests of what it says."""
    monkeypatch.setattr("studies.figures.saving.save", lambda make, out, name: [])


def text_is_inside(figure):
    figure.draw_without_rendering()
    box = figure.bbox
    for text in figure.findobj(lambda a: isinstance(a, Text) and a.get_text() and a.get_visible()):
        if re.fullmatch(
            r"[\d.\u2212]+|\$.*mathdefault.*", text.get_text()
        ):  # ticks, also those out of view
            continue
        seen = text.get_window_extent()
        if seen.width and not (
            seen.x0 >= box.x0 - 1
            and seen.x1 <= box.x1 + 1
            and seen.y0 >= box.y0 - 1
            and seen.y1 <= box.y1 + 1
        ):
            return text.get_text()
    return None


# words ------------------------------------------------------------------------------------------------------


def test_words_name_landscapes():
    one, two = named(["nk:n=12,k=3,neighbours=random", "quadratic"])
    assert one.landscape == NK(n=12, k=3, neighbours="random")
    assert (one.label, one.dtype) == ("nk:n=12,k=3,neighbours=random", "float64")
    assert two.landscape == Quadratic()
    assert named(["landscapes.binary.nk:NK:n=7,k=2"])[0].landscape == NK(n=7, k=2)
    assert named(["nk", "nk:n=9"], ["k=2", "dtype=float32"])[1].landscape == NK(n=9, k=2)
    assert named(["nk"], ["dtype=float32"])[0].dtype == "float32"
    inner = named(["moving:inner={kind: nk, n: 6, k: 1},path=jump"])[0].landscape
    assert (inner.inner, inner.path) == (NK(n=6, k=1), "jump")


def test_a_study_names_all_its_landscapes():
    found = named(["quickstart"])
    assert [one.label for one in found] == ["digits", "nk-0", "nk-4", "nk-12", "field"]
    assert [one.dtype for one in found] == ["float32", *["float64"] * 4]
    assert found[2].landscape == NK(n=20, k=4)


def test_labels_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(
        "name: mine\nbudget: 10\ndtype: float32\nlandscapes: {nk: {kind: nk, n: 5, k: 1}}\noptimizers: {r:"
        " {kind: random_search}}\n",
        encoding="utf-8",
    )
    found = named(["nk", "mine.yaml"])
    assert [(one.label, one.dtype) for one in found] == [("nk", "float64"), ("nk (2)", "float32")]


@each(
    ("words", "text"),
    [
        (["nkk"], "nkk: no such landscape, study or file; did you mean 'nk'?"),
        (["nk:n=12,kk=3"], "nk:n=12,kk=3: kk: unknown parameter of nk; did you mean 'k'?"),
        (["nk:n=12,k=12"], "nk.k: expected 0 <= k <= n - 1 = 11, got 12"),
        (["nk:n=0"], "n: expected >= 1, got 0"),
        (["nk:n=4,neighbours=randm"], "did you mean 'random'?"),
        (["nk:twelve"], "nk:twelve: expected parameter=value"),
        (["nowhere:Ridge"], "nowhere:Ridge: cannot import 'nowhere:Ridge'"),
        (
            ["optimizers.gradient.sgd:SGD"],
            "expected 'optimizers.gradient.sgd:SGD' to be a subclass of landscapes.base.Landscape",
        ),
        (["nk", "--set", "n"], "--set n: expected parameter=value"),
        (["nk", "--set", "m=3"], "nk: m: unknown parameter of nk"),
        (
            ["nk", "--measures", "walsh_spectrm"],
            "--measures: unknown measure 'walsh_spectrm'; did you mean 'walsh_spectrum'?",
        ),
        (
            ["nk", "--tune", "walsh_spectrum=a", "--parameter", "k"],
            "--tune walsh_spectrum=a: expected a number",
        ),
        (["nk", "--tune", "autocorrelation=0.5"], "--tune and --parameter are given together"),
        (
            ["nk", "--gallery", "--tune", "autocorrelation=0.5", "--parameter", "k"],
            "--gallery draws pictures alone",
        ),
        (["nk", "--worlds", "0"], "expected a whole number >= 1, got '0'"),
        (["nk", "--samples", "many"], "expected a whole number >= 32, got 'many'"),
        (["nk", "--out", "file/inside"], "file"),
        ([], "expected LANDSCAPE"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(words, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    try:
        code = main([*words, *(SMALL if "--samples" not in words and "--worlds" not in words else ())])
    except SystemExit as end:  # argparse
        code = end.code
    lines = capsys.readouterr().err.splitlines()
    assert code == 2
    assert len(lines) == 1
    assert text in lines[0]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_all_mistakes_are_told_at_once():
    with pytest.raises(StudyError) as told:
        named(["nkk", "nk:k=-1", "quadratic:dim=x"])
    assert len(told.value.lines) == 3


# measures ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured():
    words = [
        "nk:n=6,k=2",
        "nk:n=22,k=1",
        "quadratic:dim=3,terms=8,shifted=true",
        "gaussian_field:dim=1",
        "quadratic:dim=60,dtype=float32",
    ]
    return datasets.probe(named(words), worlds=3, samples=64)


def test_one_dataset_holds_all(measured):
    assert measured.sizes["landscape"] == 5
    assert measured.sizes["replicate"] == 3
    kind = {
        name: measured[name].sel(landscape=measured["landscape"] != "x")
        for name in ("walsh_spectrum", "dispersion", "noise_scale")
    }
    there = {
        name: [bool(np.isfinite(values.isel(landscape=i)).any()) for i in range(5)]
        for name, values in kind.items()
    }
    assert there["walsh_spectrum"] == [True, True, False, False, False]
    assert there["dispersion"] == [False, False, True, True, True]
    assert there["noise_scale"] == [False, False, True, True, False]
    notes = json.loads(measured.attrs["notes"])
    assert "at most 50 dimensions" in notes["quadratic:dim=60,dtype=float32"]["condition_number"]
    for name in measured.data_vars:
        if f"{name}_error" in measured:
            assert measured[name].attrs["units"], name
            assert measured[name].attrs["long_name"], name
            assert measured[name].dims == measured[f"{name}_error"].dims
    assert measured["correlation_length"].attrs["units"] == "steps | x"
    assert json.loads(measured.attrs["landscapes"])["nk:n=6,k=2"] == {"kind": "nk", "n": 6, "k": 2}


def test_the_numbers_are_those_of_the_probes(measured):
    from landscapes.probes import measure_binary
    from landscapes.probes.continuous import sampling

    streams = Streams(seed=1, worlds=torch.arange(3))
    exact = measure_binary(NK(n=6, k=2).bind(streams), samples=64, streams=streams)
    for name, measure in exact.items():
        values = measured[name].isel(landscape=0).values
        np.testing.assert_array_equal(
            values if measure.value.ndim == 1 else values[:, : measure.value.shape[1]], measure.value
        )
    bowl = Quadratic(dim=3, terms=8, shifted=True).bind(streams)
    fresh = Streams(seed=1, worlds=torch.arange(3))
    expected = sampling.distance_correlation(bowl, fresh, samples=64)
    np.testing.assert_array_equal(
        measured["distance_correlation_pearson"].isel(landscape=2), expected.value
    )
    np.testing.assert_array_equal(
        measured["distance_correlation_pearson_error"].isel(landscape=2), expected.error
    )


def test_a_world_is_the_same_in_fewer_worlds(measured):
    again = datasets.probe(named(["gaussian_field:dim=1"]), worlds=1, samples=64)
    for name in again.data_vars:
        if "replicate" in again[name].dims:
            old = measured[name].sel(landscape="gaussian_field:dim=1", replicate=[0])
            new = again[name].isel(landscape=0)
            old = old.isel({dim: slice(new.sizes[dim]) for dim in new.dims})
            np.testing.assert_array_equal(new, old.transpose(*new.dims), err_msg=str(name))


def test_only_the_measures_named():
    data = datasets.probe(
        named(["nk:n=6,k=2", "quadratic:dim=2"]), worlds=2, samples=64, measures=["peaks", "dispersion"]
    )
    found = {str(name) for name in data.data_vars if f"{name}_error" in data}
    assert found == {"peaks", "dispersion"}


def test_a_measure_that_a_landscape_cannot_have_is_noted():
    data = datasets.probe(
        named(["nk:n=22,k=1"]), worlds=2, samples=64, measures=["peaks", "autocorrelation"]
    )
    assert list(json.loads(data.attrs["notes"])["nk:n=22,k=1"]) == ["peaks"]
    assert "autocorrelation" in data


def test_an_axis_that_differs_between_worlds_is_shown_by_its_mean():
    value = torch.ones(2, 3)
    found = datasets._variables(
        "a",
        Measure(value, value, "what", "1", "", ("lag", torch.tensor([[0.0, 1, 2], [0, 3, 6]]), "x")),
    )
    assert found["lag_value"][1].tolist() == [0, 2, 4]


def dataset(value, error):
    value, error = np.asarray(value, float)[None], np.asarray(error, float)[None]
    attrs = {"long_name": "what", "units": "1"}
    return xr.Dataset(
        {
            "a": (("landscape", "replicate"), value, attrs),
            "a_error": (("landscape", "replicate"), error),
        },
        {"landscape": ["x"]},
    )


def test_summary_takes_sampling_off_the_spread():
    mean, error, spread = tables.summary(dataset([1, 3, 5], [1, 1, 1]).isel(landscape=0), "a")
    assert (mean, error, spread) == (3, pytest.approx(2 / 3**0.5), pytest.approx(3**0.5))
    assert tables.summary(dataset([1, 3, 5], [4, 4, 4]).isel(landscape=0), "a")[2] == 0
    mean, error, spread = tables.summary(dataset([2], [0.5]).isel(landscape=0), "a")
    assert (mean, error) == (2, 0.5)
    assert np.isnan(spread)


@each(
    ("numbers", "text"),
    [
        ((0.7491, 0.0514, 0.1), "0.749 ± 0.051 [0.1]"),
        ((3.0, 0.0, 0.0), "3"),
        ((123456.0, 0.5, 0.0), "1.235e+05 ± 0.5"),
        ((25.0, 130.0, 2.0), "25 ± 1.3e+02 [2]"),
        ((np.nan, np.nan, np.nan), "-"),
        ((np.inf, np.nan, np.nan), "inf"),
        ((100.0, 1e-12, 1e-12), "100"),
    ],
)
def test_a_cell_shows_two_figures_of_the_error(numbers, text):
    column = tables.Summary(*(np.array([number]) for number in numbers))
    assert tables._cell(column, (0,)) == text


def test_the_command_prints_a_table_and_leaves_its_files(tmp_path, capsys):
    words = ["--measures", "distance_correlation_spearman", "peaks", "autocorrelation"]
    assert main(["nk:n=6,k=2", "quadratic:dim=2", *words, "--out", str(tmp_path), *SMALL]) == 0
    out = capsys.readouterr().out
    assert "nk:n=6,k=2" in out
    assert "fitness-distance correlation of the loss (Spearman)" in " ".join(
        out.replace("│", " ").split()
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["probe.nc", "probe.pdf", "probe.png"]
    with xr.open_dataset(tmp_path / "probe.nc", engine="h5netcdf") as data:
        assert data["landscape"].values.tolist() == ["nk:n=6,k=2", "quadratic:dim=2"]
        assert data["peaks"].attrs["long_name"]


@pytest.mark.usefixtures("undrawn")
def test_a_landscape_is_tuned_to_a_statistic(tmp_path, capsys):
    words = [
        "nk:n=10,k=0",
        "--tune",
        "autocorrelation=0.5",
        "--parameter",
        "k",
        "--measures",
        "autocorrelation",
        "--out",
        str(tmp_path),
    ]
    assert main([*words, *SMALL]) == 0
    assert "nk:n=10,k=0: k = 4 has autocorrelation 0.4" in capsys.readouterr().out
    with xr.open_dataset(tmp_path / "probe.nc", engine="h5netcdf") as data:
        assert data["landscape"].values.tolist() == ["nk:n=10,k=0 k=4"]
        assert float(data["autocorrelation"].isel(lag=0).mean()) == pytest.approx(0.5, abs=0.1)


@pytest.mark.usefixtures("undrawn")
def test_a_measure_of_real_coordinates_is_tuned(tmp_path, capsys):
    words = [
        "cosine_rugged:dim=2",
        "--tune",
        "density_of_minima=0.5",
        "--parameter",
        "ruggedness",
        "--measures",
        "density_of_minima",
    ]
    assert main([*words, "--out", str(tmp_path), *SMALL]) == 0
    assert " has density_of_minima 0." in capsys.readouterr().out
    with xr.open_dataset(tmp_path / "probe.nc", engine="h5netcdf") as data:
        assert float(data["density_of_minima"].mean()) == pytest.approx(0.5, abs=0.02)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("word", "measure", "rows"),
    [
        ("nk:n=6,k=2", "autocorrelation", ["lag 1", "lag 2", "lag 3", "lag 4"]),
        ("nk:n=6,k=2", "walsh_spectrum", ["order 1", "order 2", "order 3", "order 4"]),
        (
            "nk:n=6,k=2",
            "dfe",
            ["probability 0.01", "probability 0.1", "probability 0.9", "probability 0.99"],
        ),
        (
            "quadratic:dim=2",
            "dispersion",
            ["fraction 0.02", "fraction 0.05", "fraction 0.1", "fraction 0.25"],
        ),
    ],
)
def test_a_measure_with_many_places_has_rows_where_it_is_named(word, measure, rows, tmp_path, capsys):
    assert main([word, "--measures", measure, "--out", str(tmp_path), *SMALL]) == 0
    out = capsys.readouterr().out
    assert re.findall(r", ((?:lag|order|probability|fraction) [\d.]+)", out) == rows
    assert len(re.findall(r"\d ", out)) >= len(rows)


@pytest.mark.usefixtures("undrawn")
def test_what_a_landscape_cannot_have_is_told_with_its_reason(tmp_path, capsys):
    words = [
        "quadratic:dim=3",
        "nk:n=6,k=2",
        "quadratic:dim=60",
        "--measures",
        "peaks",
        "noise_scale",
        "condition_number",
    ]
    words += ["--out", str(tmp_path), *SMALL]
    assert main(words) == 0
    out = capsys.readouterr().out.splitlines()
    assert "quadratic:dim=3: no peaks: a measure of landscapes on bits" in out
    assert (
        "quadratic:dim=3: no noise_scale: quadratic: expected a loss that is the mean of terms, got one term"
        in out
    )
    assert (
        "nk:n=6,k=2: no noise_scale, condition_number: a measure of landscapes on real coordinates"
        in out
    )
    assert (
        "quadratic:dim=60: no condition_number: quadratic: expected at most 50 dimensions for a Hessian,"
        " got 60" in out
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["quadratic:dim=3", "--measures", "peaks"],
            "quadratic:dim=3: no peaks: a measure of landscapes on bits",
        ),
        (
            ["spin_glass:n=6", "--measures", "gradient_norm"],
            "spin_glass:n=6: no gradient_norm: a measure of landscapes on real coordinates",
        ),
        (
            ["mount_fuji:n=4,slope=0,noise_scale=0", "--measures", "gamma"],
            "mount_fuji:n=4,slope=0,noise_scale=0: no gamma: not defined (NaN) in any world",
        ),
    ],
)
def test_a_table_without_numbers_is_an_error_of_one_line(words, line, tmp_path, capsys):
    assert main([*words, "--out", str(tmp_path), *SMALL]) == 2
    assert capsys.readouterr().err == f"--measures: nothing could be measured; {line}\n"
    assert not list(tmp_path.iterdir())


# the figure of the measures ---------------------------------------------------------------------------------


def spoilt(data, value):
    return data.map(
        lambda a: a * value if a.dtype.kind == "f" and "replicate" in a.dims else a, keep_attrs=True
    )


def test_the_figure_of_measures(measured):
    with rc_context(style.PAPER):
        figure = probes(measured)
        assert text_is_inside(figure) is None
    panels = [len(part.axes) for part in figure.subfigs]
    assert panels == [4, 4, 3, 3, 3]
    walk = figure.subfigs[0].axes[0].lines[0]
    np.testing.assert_allclose(
        walk.get_ydata()[1:],
        measured["autocorrelation"].isel(landscape=0, lag=slice(6)).mean("replicate"),
    )
    assert walk.get_ydata()[0] == 1
    shares = [bar.get_width() for bar in figure.subfigs[0].axes[2].patches]
    assert sum(shares) == pytest.approx(1)


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    "hostile",
    [
        "one world",
        "nan",
        "few",
        *(pytest.param(how, marks=pytest.mark.verify) for how in ("inf", "zero")),
    ],
)
def test_hostile_measures_are_drawn_without_a_warning(measured, hostile, tmp_path):
    data = {
        "one world": lambda: measured.isel(replicate=[0]),
        "nan": lambda: spoilt(measured, np.nan),
        "inf": lambda: spoilt(measured, np.inf),
        "zero": lambda: spoilt(measured, 0.0),
        "few": lambda: measured[["binary", "dispersion", "dispersion_error", "fraction_value"]],
    }[hostile]()
    data = data.isel(landscape=[0, 3])
    written = save(lambda: probes(data), tmp_path, "probe", formats=("png",))
    assert all(path.stat().st_size > 1000 for path in written)
    if hostile != "few":
        assert tables.tables(data)


# pictures ---------------------------------------------------------------------------------------------------


def test_every_kind_has_a_picture():
    assert set(examples.EXAMPLES) <= set(LANDSCAPES)
    shown = named(examples.words())
    assert {one.spec["kind"] for one in shown} == set(LANDSCAPES)
    for one in shown:
        data = pictures.picture(one, grid=9)
        kind = LANDSCAPES[one.spec["kind"]]
        assert data.attrs["form"] in ("network", "band", "plane", "line", "field"), kind
        assert data.attrs["page"] in gallery.PAGES
        numbers = data["loss"] if "loss" in data else data["step_u"]
        assert bool(np.isfinite(numbers).mean() > 0.9), one.label
        if isinstance(one.landscape.domain, Bits):
            assert data.attrs["page"] == "binary"


def test_the_plane_of_two_dimensions_is_the_loss():
    entry = named(["quadratic:dim=2,rotated=true,shifted=true,box=3"])[0]
    data = pictures.picture(entry, seed=4, grid=7)
    streams = Streams(seed=4, worlds=torch.tensor([0]))
    bound = entry.landscape.bind(streams)
    assert data["u"].values.tolist() == [-3, -2, -1, 0, 1, 2, 3]
    x = torch.tensor([[[2.0, -1.0]]], dtype=torch.float64)
    assert float(data["loss"].sel(u=2, v=-1)) == pytest.approx(float(bound.loss(x)))
    np.testing.assert_allclose(data.attrs["optimum"], bound.optimum[0])
    np.testing.assert_allclose(data.attrs["start"], bound.start(streams.at(0), 1)[0, 0])


def test_a_slice_goes_through_the_optimum():
    data = pictures.picture(named(["quadratic:dim=7,shifted=true"])[0], grid=9)
    assert float(data["loss"].sel(u=0, v=0)) == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(data.attrs["optimum"], [0, 0], atol=1e-9)
    assert "start" not in data.attrs, "it does not lie on the plane"


def test_a_network_is_sliced_through_a_start():
    entry = named(["digits:hidden=1"])[0]
    data = pictures.picture(entry, grid=9)
    streams = Streams(seed=1, worlds=torch.tensor([0]))
    loss = float(entry.landscape.loss(entry.landscape.start(streams.at(0), 1)))
    assert float(data["loss"].sel(u=0, v=0)) == pytest.approx(loss)
    np.testing.assert_allclose(data.attrs["start"], [0, 0], atol=1e-9)


def test_a_genotype_network():
    entry = named(["nk:n=4,k=2"])[0]
    data = pictures.picture(entry)
    bound = entry.landscape.bind(Streams(seed=1, worlds=torch.tensor([0])))
    x = (torch.arange(16)[:, None] >> torch.arange(4) & 1).to(torch.uint8)
    np.testing.assert_array_equal(data["loss"], bound.loss(x[None])[0])
    best = int(data.attrs["optimum"])
    assert float(data["loss"][best]) == pytest.approx(0, abs=1e-12)
    for g in range(16):
        assert int(data["distance"][g]) == (g ^ best).bit_count()
        assert bool(data["peak"][g]) == all(
            float(data["loss"][g]) < float(data["loss"][g ^ (1 << i)]) for i in range(4)
        )


@pytest.mark.parametrize("n", [8, 24])
def test_a_band_of_quantiles_by_distance(n):
    data = pictures.picture(named([f"onemax:n={n}"])[0])
    np.testing.assert_array_equal(data["loss"], np.broadcast_to(np.arange(n + 1.0), (7, n + 1)))


def test_a_game_shows_the_steps_down_each_own_slope():
    data = pictures.picture(named(["bilinear:dim=2,condition=1,coupling=2"])[0], grid=17)
    assert data.attrs["form"] == "field"
    turn = float(data["step_u"].sel(u=0, v=1)) * float(data["step_v"].sel(u=1, v=0))
    assert turn == pytest.approx(-4), "round and round"
    bound = LANDSCAPES["bilinear"](dim=2, condition=1.0, coupling=2.0).bind(
        Streams(seed=1, worlds=torch.tensor([0]))
    )
    slope = evaluate(bound, torch.tensor([[[0.0, 1.0]]], dtype=torch.float64), gradient=True).gradient[
        0, 0
    ]
    assert float(data["step_u"].sel(u=0, v=1)) == pytest.approx(-float(slope[0]))
    assert float(data["step_u"].sel(u=0.5, v=0)) == pytest.approx(0, abs=1e-12)


def test_a_moving_optimum_leaves_its_path():
    data = pictures.picture(
        named(["moving:inner={kind: quadratic, dim: 2},path=linear,speed=0.01"])[0], grid=9
    )
    length = np.hypot(np.diff(data["path_u"]), np.diff(data["path_v"])).sum()
    assert length == pytest.approx(0.01 * planes.HORIZON)
    assert data.attrs["optimum"] == [0, 0]


def test_heights_know_decades():
    many, norm = forms.heights(np.geomspace(1e-3, 1e3, 50), gap_known=True)
    assert (norm.vmin, norm.vmax) == (pytest.approx(1e-3, rel=1e-1), 1e3)
    assert type(norm).__name__ == "LogNorm"
    few, norm = forms.heights(np.linspace(1, 5, 50), gap_known=False)
    assert type(norm).__name__ == "Normalize"
    assert (few == np.linspace(1, 5, 50)).all()
    shifted, norm = forms.heights(np.r_[-5.0, -5 + np.geomspace(1e-3, 1e3, 50)], gap_known=False)
    assert type(norm).__name__ == "LogNorm"
    assert shifted.max() == pytest.approx(1e3)
    assert many.max() == 1e3


def plane(loss, **attrs):
    loss = np.broadcast_to(np.asarray(loss, float), (9, 9))
    axis = np.linspace(-1, 1, 9)
    base = {
        "form": "plane",
        "kind": "x",
        "parameters": "",
        "label": "x",
        "gap_known": 0,
        "page": "continuous",
        "u_name": "$x_1$",
        "v_name": "$x_2$",
    }
    return xr.Dataset(
        {"loss": (("v", "u"), loss)}, {"u": axis, "v": axis}, base | {"optimum_known": 0} | attrs
    )


HOSTILE = {
    "flat": 0.0,
    "nan": np.nan,
    "inf": np.inf,
    "one finite": np.where(np.arange(9) == 3, 1.0, np.inf),
    "mixed": np.where(np.arange(9) % 2, 1e300, np.nan),
    "decades": np.geomspace(1e-12, 1e12, 9),
    "negative": -np.geomspace(1e-12, 1e12, 9),
    "tiny": 1e-310 * np.arange(9),
    "two": np.arange(9) % 2,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_planes_are_drawn_without_a_warning(name, tmp_path):
    data = plane(HOSTILE[name], optimum=[3.0, 0.0], parameters="one=1, " * 40)
    written = save(
        lambda: gallery.page([data], title="x", columns=6), tmp_path, "one", formats=("png",)
    )
    assert [path.name for path in tmp_path.iterdir()] == [path.name for path in written] == ["one.png"]


@pytest.fixture(scope="module")
def of_other_forms():
    words = ["nk:n=3,k=1", "nk:n=1,k=0", "nk:n=6,k=2", "bilinear:dim=2", "gaussian_field:dim=1"]
    return [pictures.picture(one, grid=9) for one in named(words)]


@pytest.mark.parametrize(
    "loss", [np.nan, 1e300, *(pytest.param(loss, marks=pytest.mark.verify) for loss in (0.0, np.inf))]
)
def test_hostile_values_of_other_forms(of_other_forms, loss, tmp_path):
    hostile = [
        data.map(lambda a: a * 0 + loss if a.dtype.kind == "f" else a, keep_attrs=True)
        for data in of_other_forms
    ]
    save(lambda: gallery.page(hostile), tmp_path, "all", formats=("png",))


def test_text_of_a_page_is_inside():
    words = [
        "nk:n=3,k=1",
        "nk:n=7,k=1",
        "quadratic:dim=2,condition=10,rotated=true,shifted=true,terms=7",
        "quadratic:dim=5",
        "gaussian_field:dim=1",
    ]
    shown = [pictures.picture(one, grid=17) for one in named(words)]
    with rc_context(style.PAPER):
        figure = gallery.page(shown, title="all")
        assert text_is_inside(figure) is None
        assert figure.get_size_inches()[0] == style.WIDTH


def test_pages_hold_everything_once():
    pages = [plane(1.0, page=kind) for kind in gallery.PAGES for _ in range(3)] + [
        plane(1.0, page="bbob")
    ] * 22
    found = gallery.pages(pages)
    assert list(found) == [
        "gallery-binary",
        "gallery-continuous",
        "gallery-bbob-1",
        "gallery-bbob-2",
        "gallery-learning",
    ]
    assert sum(len(make.args[0]) for make in found.values()) == len(pages)


def test_the_colours_rise_in_lightness():
    """CIE lightness of the shared map.

    Monotone, so that grey print and colour-blind readers see the same order.
    """
    colours = forms.DEPTHS(np.linspace(0, 1, 64))[:, :3]
    linear = np.where(colours > 0.04045, ((colours + 0.055) / 1.055) ** 2.4, colours / 12.92)
    lightness = 116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16
    steps = np.diff(lightness)
    assert (steps > 0.4).all()
    assert lightness[-1] - lightness[0] > 75


def test_users_compose_their_own():
    axes = Figure().subplots()
    assert gallery.panel(plane(np.arange(9.0)), axes) is axes


def test_the_command_draws_the_landscapes_named(tmp_path, capsys):
    assert main(["nk:n=3,k=1", "onemax:n=3", "--gallery", "--out", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "gallery-binary.pdf",
        "gallery-binary.png",
    ]
    assert "gallery-binary.png" in capsys.readouterr().out


def test_brief_says_the_parameters():
    spec = {
        "kind": "moving",
        "inner": {"kind": "nk", "n": 3},
        "path": "jump",
        "dtype": "float32",
        "radius": 0.5,
        "flag": True,
    }
    assert brief(spec) == "inner=nk, path=jump, radius=0.5, flag"


@pytest.mark.parametrize("columns", [4, 6])
def test_a_plane_without_numbers_says_so(columns):
    figure = gallery.page([plane(np.nan)], columns=columns)
    assert "no finite loss" in [text.get_text() for text in figure.findobj(Text)]
