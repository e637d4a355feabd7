"""What the figures of the noise ledger draw is what the analysis says."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from studies.analysis.noise import noise
from studies.analysis.noise.population import population
from studies.analysis.noise.spectrum import spectrum
from studies.figures import panels, style
from studies.figures.alignment import NONE, alignment
from studies.figures.alignment import panel as align
from studies.figures.captions import said
from studies.figures.diversity import DISTANCE, EITHER, HETEROZYGOSITY, SEEN, diversity
from studies.figures.diversity import panel as diverse
from studies.figures.noise_sources import bars, ratios
from studies.figures.price import panel as partition
from studies.figures.price import price
from studies.figures.spectra import draw, spectra
from studies.results.arms import arms
from tests.support.results import real, shared  # noqa: F401  a fixture


@pytest.fixture
def data(shared):  # noqa: F811
    return real("ledger", shared).sel(landscape="nk")


def test_spectra(data):
    data = data.isel(moment=1)
    row = np.array(Figure().subplots(1, 3))
    draw(data, row)
    told = spectrum(data)
    drawn = {line.get_color(): line for line in row[0].lines}
    assert len(drawn) == data.sizes["optimizer"]
    for line, name in zip(row[0].lines, data["optimizer"].values, strict=True):
        np.testing.assert_allclose(line.get_ydata(), told["share"].sel(optimizer=name))
    ranks = [line.get_xdata()[0] for line in row[1].lines if line.get_marker() == "o"]
    np.testing.assert_allclose(ranks, told["rank"].values)


def test_spectra_say_why_there_is_no_dot(data):
    data = data.isel(moment=1)
    row = np.array(Figure().subplots(1, 3))
    draw(data.assign(mean_curvature=data["mean_curvature"] * 0), row)  # as at genotypes
    assert [text.get_text() for text in row[2].texts] == ["mean\ncurvature 0"]
    still = data.assign(step_variance=data["step_variance"].where(data["optimizer"] != "GA", 0.0))
    row = np.array(Figure().subplots(1, 3))
    draw(still, row)
    place = data["optimizer"].values.tolist().index("GA")
    assert (place, "no noise") in [(text.get_position()[1], text.get_text()) for text in row[1].texts]
    row = np.array(Figure().subplots(1, 3))
    draw(data.assign(step_variance=data["step_variance"] * 0), row)
    assert [[text.get_text() for text in axes.texts] for axes in row] == [["no noise"]] * 3
    assert row[0].get_xlim() == pytest.approx((
        0.4,
        data.sizes["mode"] + 0.6,
    ))  # its ticks are modes still


def test_spectra_say_one_word_for_neighbouring_rows_without_a_dot(data):
    data = data.isel(moment=1)
    flat = data["noise_curvature"].where(data["optimizer"] == "SGD")  # known for the first row alone
    row = np.array(Figure().subplots(1, 3))
    draw(data.assign(noise_curvature=flat), row)
    rows = data.sizes["optimizer"]
    assert [(text.get_position()[1], text.get_text()) for text in row[2].texts] == [
        (rows / 2, "not known")
    ]


def test_spectra_of_no_numbers_say_nothing_of_a_curvature(data):
    data = data.isel(moment=1)
    row = np.array(Figure().subplots(1, 3))
    draw(data.assign(mean_curvature=data["mean_curvature"] * np.nan), row)
    assert [text.get_text() for text in row[2].texts] == ["not known"]


def sized(data, **sizes):
    """The ledger with made-up sizes of samples."""
    given = xr.DataArray(
        [float(sizes[name]) for name in data["optimizer"].values],
        {"optimizer": data["optimizer"].values},
        "optimizer",
    )
    return data.assign(sample_size=xr.zeros_like(data["sample_size"]) + given)


def test_an_alignment_without_a_cosine_has_no_place_and_is_named_below(data):
    """The ES's mean step is 0 at this moment: noise hides nothing, there is nothing."""
    data = data.isel(moment=[1])
    assert noise.alignment(data)["cosine"].sel(optimizer="ES").isnull().all()
    axes = align(data, Figure().subplots(), reference="raw")
    names = [line.get_label() for line in axes.lines if line.get_label() in data["optimizer"].values]
    assert names == ["SGD", "GA", "WF"]
    assert axes.get_xlim() == pytest.approx((-0.6, 2.6))
    figure = alignment(data.expand_dims("landscape"))
    assert "no cosine can be told of ES" in said(figure)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["SGD", "GA", "WF"]


def test_alignment_with_one_size_each_has_a_place_for_each_optimizer_and_a_size_that_they_share_once_below(
    data,
):
    data = sized(data.isel(moment=[1]), SGD=10, ES=7, GA=1, WF=10)
    axes = align(data, Figure().subplots(), reference="smoothed")
    told = noise.alignment(data).sel(reference="smoothed")
    for place, (line, name) in enumerate(zip(axes.lines, ("GA", "SGD", "WF"), strict=False)):
        assert line.get_label() == name
        assert line.get_ydata() == pytest.approx(
            [float(told["cosine"].sel(optimizer=name).squeeze())], nan_ok=True
        )
        assert line.get_xdata().tolist() == [place]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "10"]
    assert axes.get_xticks().tolist() == [0, 1.5]
    assert axes.get_xticks(minor=True).tolist() == [0.5]  # between the sizes
    assert axes.get_xscale() == "linear"
    assert {text.get_rotation() for text in axes.get_xticklabels()} == {0}


def test_sizes_of_many_digits_stand_upright(data):
    data = sized(data.isel(moment=[1]), SGD=10_000, ES=7, GA=20_000, WF=30_000)
    axes = align(data, Figure().subplots(), reference="smoothed")
    labels = axes.get_xticklabels()
    assert [text.get_text() for text in labels] == ["10000", "20000", "30000"]
    assert {text.get_rotation() for text in labels} == {90}


def test_an_optimizer_without_a_cosine_with_one_reference_has_a_dash_there(data):
    axes = align(
        data.isel(moment=[1]), Figure().subplots(), reference="selection"
    )  # only the WF selects by fitness
    assert [text.get_position()[0] for text in axes.texts if text.get_text() == NONE] == [0, 1]


def test_alignment_with_several_sizes_has_them_on_its_axis(data):
    data = data.isel(moment=[1])
    parts = [
        data.assign(sample_size=data["sample_size"] * factor, loss=data["loss"] * factor)
        for factor in (1, 4, 64)
    ]
    swept = xr.concat(
        parts, xr.Variable("batch", [10, 40, 640]), data_vars="all", coords="minimal", compat="override"
    )
    axes = align(swept.transpose("optimizer", "batch", ...), Figure().subplots(), reference="raw")
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["10", "40", "640"]
    assert axes.get_xticks().tolist() == [10, 40, 640]
    line = next(line for line in axes.lines if line.get_label() == "GA")
    assert line.get_xdata().tolist() == [10, 40, 640]
    assert axes.get_xlim()[0] < 10
    assert axes.get_xlim()[1] > 640


def test_alignment_has_a_column_for_each_reference_that_is_known_and_open_points_where_noise_hides_it(
    data,
):
    """Made-up lengths: the mean steps' squared length a quarter of what is along the reference, so that the cosine comes out as about 2."""
    known = data.isel(moment=[1])
    titles = [
        axes.get_title().replace("\n", " ") for axes in alignment(known.expand_dims("landscape")).axes
    ]
    assert {"raw gradient", "selection, Cov(w,x)/W"} <= set(titles)
    none = known.assign(
        reference_squared=known["reference_squared"].where(known["reference"].isin(["raw", "smoothed"]))
    )
    titles = [
        axes.get_title() for axes in alignment(none.expand_dims("landscape")).axes if axes.get_title()
    ]
    assert titles == ["raw gradient", "smoothed gradient"]
    short = known.assign(mean_step_squared=known["mean_step_squared"] / 16)
    axes = align(short, Figure().subplots(), reference="raw")
    told = noise.alignment(short).sel(reference="raw").squeeze()
    hidden = told["unresolved"] & (told["length"] > 0)
    assert hidden.any()
    assert sum(line.get_gid() == "hidden" for line in axes.lines) == int(hidden.sum())


@pytest.mark.parametrize("name", ["nk", "bowl"])
def test_shares_of_sources_have_their_intervals(shared, name):  # noqa: F811
    ledger = real("ledger", shared).sel(landscape=name).isel(moment=[1])
    found = [(label, arm) for label, arm in arms(ledger) if label in ("GA", "WF")]
    axes = Figure().subplots()
    bars(found, axes)
    lines = iter([line for line in axes.lines if line.get_gid() == "interval"])
    for _, arm in found:
        told = noise.shares(arm).sel(direction="all").isel(moment=0)
        parts = [
            (told["first"].sel(source=source), told["first_interval"].sel(source=source))
            for source in arm["source"].values
        ]
        begin = 0.0
        for share, interval in [*parts, (told["interaction"], told["interaction_interval"])]:
            if share > 0.001:
                low, high = interval.values
                assert next(lines).get_xdata() == pytest.approx([begin + max(low, 0), begin + high])
            begin += max(0.0, float(share))
    assert next(lines, None) is None


def test_ratios_say_that_there_are_none(shared):  # noqa: F811
    still = real("ledger", shared).sel(landscape="nk").isel(moment=[1])
    still = still.assign(step_variance=still["step_variance"] * 0)
    axes = ratios(arms(still), Figure().subplots())
    assert [text.get_text() for text in axes.texts] == ["none"]


def test_diversity_has_an_axis_for_each_unit(shared):  # noqa: F811
    """On bits the ES asks real points, which have a distance, and the GA genotypes, which have a heterozygosity of at most 1/2."""
    figure = diversity(real("ledger", shared))
    titles = {axes.get_title().replace("\n", " "): axes for axes in figure.axes if axes.get_title()}
    assert list(titles)[:2] == [DISTANCE, HETEROZYGOSITY]
    lines = {
        title: {line.get_label(): line for line in titles[title].lines}
        for title in (DISTANCE, HETEROZYGOSITY)
    }
    assert lines[DISTANCE].keys() == {"ES"}
    assert lines[HETEROZYGOSITY].keys() == {"GA", "WF"}
    assert max(line.get_ydata().max() for line in lines[HETEROZYGOSITY].values()) <= 0.5
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == ["ES", "GA", "WF"]  # of one point there is no diversity, so of SGD there is no line


def test_diversity_of_results_that_do_not_say_what_was_asked_names_both(shared):  # noqa: F811
    figure = diversity(real("ledger", shared).drop_vars("on_bits"))
    assert figure.axes[0].get_title().replace("\n", " ") == EITHER


def test_words_of_a_narrow_figure_are_whole(shared):  # noqa: F811
    """Four kinds of diversity do not fit beside one another in a column of a paper."""
    figure = diversity(real("ledger", shared), width=style.COLUMN)
    whole = set(" ".join([DISTANCE, HETEROZYGOSITY, *SEEN.values(), panels.COST]).split())
    assert {
        word for axes in figure.axes for word in (axes.get_title() + " " + axes.get_xlabel()).split()
    } == whole


def test_diversity(data):
    axes = diverse(data, Figure().subplots(), what="genotypes")
    told = population(data)["genotypes"]
    for line in axes.lines:
        np.testing.assert_allclose(
            line.get_ydata(), told.sel(optimizer=line.get_label()).dropna("moment")
        )


def test_price_bars_are_the_forces_and_the_line_their_sum(data):
    arm = data.sel(optimizer="GA")
    axes = partition(arm, Figure().subplots())
    told = population(arm)["price"]
    for container, force in zip(axes.containers, told["force"].values, strict=True):
        np.testing.assert_allclose([bar.get_height() for bar in container], told.sel(force=force))
    np.testing.assert_allclose(axes.lines[0].get_ydata(), told.sum("force"))


@pytest.mark.parametrize("figure", [spectra, alignment, price])
def test_without_a_ledger(figure):
    with pytest.raises(
        ValueError, match=f"{figure.__name__}: expected a study with a `ledger:`, found none"
    ):
        figure(xr.Dataset())
