"""What the figures of the noise ledger draw is what the analysis says."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from studies.analysis import noise
from studies.analysis.population import population
from studies.analysis.spectrum import spectrum
from studies.figures.alignment import ASIDE, alignment
from studies.figures.alignment import panel as align
from studies.figures.diversity import panel as diverse
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


def test_alignment(data):
    data = data.isel(moment=[1])
    axes = align(data, Figure().subplots(), reference="smoothed")
    told = noise.alignment(data).sel(reference="smoothed")
    for place, (line, name) in enumerate(zip(axes.lines, data["optimizer"].values, strict=False)):
        assert line.get_ydata() == pytest.approx([float(told["cosine"].sel(optimizer=name).squeeze())], nan_ok=True)
        size = float(data["sample_size"].sel(optimizer=name).mean())
        assert line.get_xdata() == pytest.approx([size * ASIDE ** (place - 1.5)])  # four optimizers beside one another


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
