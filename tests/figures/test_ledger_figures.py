"""What the figures of the noise ledger draw is what the analysis says."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from studies.analysis import noise
from studies.analysis.arms import arms
from studies.analysis.population import population
from studies.analysis.spectrum import spectrum
from studies.figures.alignment import alignment
from studies.figures.alignment import panel as align
from studies.figures.diversity import DISTANCE, EITHER, HETEROZYGOSITY, diversity
from studies.figures.diversity import panel as diverse
from studies.figures.noise_sources import bars
from studies.figures.price import panel as partition
from studies.figures.price import price
from studies.figures.spectra import panels, spectra
from tests.figures.results import real, shared  # noqa: F401  a fixture


@pytest.fixture
def data(shared):  # noqa: F811
    return real("ledger", shared).sel(landscape="nk")


def test_spectra(data):
    data = data.isel(moment=1)
    row = np.array(Figure().subplots(1, 3))
    panels(data, row)
    told = spectrum(data)
    drawn = {line.get_color(): line for line in row[0].lines}
    assert len(drawn) == data.sizes["optimizer"]
    for line, name in zip(row[0].lines, data["optimizer"].values, strict=True):
        np.testing.assert_allclose(line.get_ydata(), told["share"].sel(optimizer=name))
    ranks = [line.get_xdata()[0] for line in row[1].lines if line.get_marker() == "o"]
    np.testing.assert_allclose(ranks, told["rank"].values)


def test_alignment_with_one_size_each_has_a_place_for_each_optimizer_and_the_size_below(data):
    data = data.isel(moment=[1])
    axes = align(data, Figure().subplots(), reference="smoothed")
    told = noise.alignment(data).sel(reference="smoothed")
    names = data["optimizer"].values.tolist()
    for place, (line, name) in enumerate(zip(axes.lines, names, strict=False)):
        assert line.get_ydata() == pytest.approx([float(told["cosine"].sel(optimizer=name).squeeze())], nan_ok=True)
        assert line.get_xdata().tolist() == [place]
    sizes = [data["sample_size"].sel(optimizer=name).mean().item() for name in names]
    assert [text.get_text() for text in axes.get_xticklabels()] == [f"{size:g}" for size in sizes]
    assert axes.get_xscale() == "linear"


def test_alignment_with_several_sizes_has_them_on_its_axis(data):
    data = data.isel(moment=[1])
    parts = [data.assign(sample_size=data["sample_size"] * factor, loss=data["loss"] * factor) for factor in (1, 4, 64)]
    swept = xr.concat(parts, xr.Variable("batch", [10, 40, 640]), data_vars="all", coords="minimal", compat="override")
    axes = align(swept.transpose("optimizer", "batch", ...), Figure().subplots(), reference="raw")
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["10", "40", "640"]
    assert axes.get_xticks().tolist() == [10, 40, 640]
    line = next(line for line in axes.lines if line.get_label() == "GA")
    assert line.get_xdata().tolist() == [10, 40, 640]
    assert axes.get_xlim()[0] < 10
    assert axes.get_xlim()[1] > 640


def test_alignment_has_a_column_for_each_reference_that_is_known_and_open_points_where_noise_hides_it(data):
    """Made-up lengths: the mean steps' squared length a quarter of what is along the reference, so that the cosine comes out as about 2."""
    known = data.isel(moment=[1])
    titles = [axes.get_title().replace("\n", " ") for axes in alignment(known.expand_dims("landscape")).axes]
    assert {"raw gradient", "selection, Cov(w,x)/W"} <= set(titles)
    none = known.assign(reference_squared=known["reference_squared"].where(known["reference"].isin(["raw", "smoothed"])))
    titles = [axes.get_title() for axes in alignment(none.expand_dims("landscape")).axes if axes.get_title()]
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
        parts = [(told["first"].sel(source=source), told["first_interval"].sel(source=source)) for source in arm["source"].values]
        begin = 0.0
        for share, interval in [*parts, (told["interaction"], told["interaction_interval"])]:
            if share > 0.001:
                low, high = interval.values
                assert next(lines).get_xdata() == pytest.approx([begin + max(low, 0), begin + high])
            begin += max(0.0, float(share))
    assert next(lines, None) is None


def test_diversity_has_an_axis_for_each_unit(shared):  # noqa: F811
    """On bits the ES asks real points, which have a distance, and the GA genotypes, which have a heterozygosity of at most 1/2."""
    figure = diversity(real("ledger", shared))
    titles = {axes.get_title().replace("\n", " "): axes for axes in figure.axes if axes.get_title()}
    assert list(titles)[:2] == [DISTANCE, HETEROZYGOSITY]
    lines = {title: {line.get_label(): line for line in titles[title].lines} for title in (DISTANCE, HETEROZYGOSITY)}
    assert lines[DISTANCE].keys() == {"ES"}
    assert lines[HETEROZYGOSITY].keys() == {"GA", "WF"}
    assert max(line.get_ydata().max() for line in lines[HETEROZYGOSITY].values()) <= 0.5
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == ["ES", "GA", "WF"]  # of one point there is no diversity, so of SGD there is no line


def test_diversity_of_results_that_do_not_say_what_was_asked_names_both(shared):  # noqa: F811
    figure = diversity(real("ledger", shared).drop_vars("on_bits"))
    assert figure.axes[0].get_title().replace("\n", " ") == EITHER


def test_diversity(data):
    axes = diverse(data, Figure().subplots(), what="genotypes")
    told = population(data)["genotypes"]
    for line in axes.lines:
        np.testing.assert_allclose(line.get_ydata(), told.sel(optimizer=line.get_label()).dropna("moment"))


def test_price_bars_are_the_forces_and_the_line_their_sum(data):
    arm = data.sel(optimizer="GA")
    axes = partition(arm, Figure().subplots())
    told = population(arm)["price"]
    for container, force in zip(axes.containers, told["force"].values, strict=True):
        np.testing.assert_allclose([bar.get_height() for bar in container], told.sel(force=force))
    np.testing.assert_allclose(axes.lines[0].get_ydata(), told.sum("force"))


@pytest.mark.parametrize("figure", [spectra, alignment, price])
def test_without_a_ledger(figure):
    with pytest.raises(ValueError, match=f"{figure.__name__}: expected a study with a `ledger:`, found none"):
        figure(xr.Dataset())
