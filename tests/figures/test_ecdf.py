"""The runtime distributions that are drawn are those of the analysis."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from studies.analysis import restarts, runtime
from studies.figures.ecdf import curves, ecdf, panel
from tests.analysis.runs import BUDGET, timed

NEVER = np.inf
HITS = {"fast": [10, 20, 30, 60, NEVER, NEVER], "slow": [60, 70, NEVER, NEVER, NEVER, NEVER]}


def study(shared=True, status=2, hits=HITS):
    """Two optimizers on one landscape; worlds share instances in pairs."""
    instance = np.repeat(np.arange(3), 2) if shared else None
    parts = [timed(hit, [100, 100, 100, 100, 90, 80], status=status, instance=instance) for hit in hits.values()]
    data = xr.concat(parts, xr.Variable("optimizer", list(hits)), data_vars="all", coords="minimal", compat="override")
    return data.expand_dims(landscape=["hill"])


def drawn(axes, label):
    """The line of an arm, its cross and its thin line."""
    line = next(one for one in axes.lines if one.get_label() == label)
    rest = [one for one in axes.lines if one.get_color() == line.get_color() and one is not line]
    return line, [one for one in rest if one.get_marker() == "x"], [one for one in rest if one.get_marker() != "x"]


class TestPanel:
    def axes(self, data, **more):
        axes = Figure().subplots()
        assert panel(data.sel(landscape="hill"), axes, **more) is axes
        return axes

    @pytest.mark.parametrize("name", HITS)
    def test_lines_are_the_distribution(self, name):
        data = study()
        line, _, _ = drawn(self.axes(data), name)
        wanted = runtime.ecdf(data.sel(landscape="hill", optimizer=name), line.get_xdata())
        assert {50, 100} <= set(line.get_xdata())
        np.testing.assert_allclose(line.get_ydata(), wanted["solved"])
        assert line.get_drawstyle() == "steps-post"

    def test_bands_are_the_intervals(self):
        data = study()
        band = self.axes(data).collections[0].get_paths()[0].vertices[:, 1]
        wanted = runtime.ecdf(data.sel(landscape="hill", optimizer="fast"), [50, 100])["solved_interval"].values
        assert set(np.round(band, 9)) == set(np.round(wanted.ravel(), 9))

    def test_crosses_stand_where_runs_end_that_miss_a_target(self):
        data = study(status=3)
        _, cross, _ = drawn(self.axes(data), "fast")
        assert [float(value[0]) for value in cross[0].get_data()] == pytest.approx([85, 4 / 6])  # of 90 and 80

    def test_no_cross_where_all_is_solved(self):
        _, cross, thin = drawn(self.axes(study(hits={"fast": [1, 2, 3, 4, 5, 6]})), "fast")
        assert not cross
        assert not thin

    def test_thin_lines_are_restarts(self):
        data = study()
        _, _, (thin,) = drawn(self.axes(data), "slow")
        wanted = restarts.ecdf(data.sel(landscape="hill", optimizer="slow"), thin.get_xdata())
        np.testing.assert_allclose(thin.get_ydata(), wanted["solved"])
        assert thin.get_xdata()[-1] == pytest.approx(10 * BUDGET)
        assert thin.get_ydata()[-1] == pytest.approx(1 / 3)  # one instance of three is ever solved

    def test_worlds_of_their_own_have_no_restarts(self):
        _, cross, thin = drawn(self.axes(study(shared=False)), "slow")
        assert cross
        assert not thin

    def test_targets_are_told_and_may_be_given(self):
        assert [text.get_text() for text in self.axes(study()).texts] == ["target 0.5"]
        axes = self.axes(study(), targets=[2.0, 0.1])
        assert [text.get_text() for text in axes.texts] == ["2 targets, 2 to 0.1"]
        np.testing.assert_allclose(drawn(axes, "fast")[0].get_ydata(), curves(study().isel(landscape=0), [2.0, 0.1])["solved"].sel(optimizer="fast"))

    def test_nothing_to_show_is_said(self):
        assert [text.get_text() for text in self.axes(study().assign(status=lambda data: data["status"] * 0 + 5)).texts] == ["no runs"]
        assert [text.get_text() for text in self.axes(study(), targets=[np.nan]).texts] == ["no targets"]


class TestFigure:
    def test_every_landscape_has_a_panel(self):
        data = xr.concat([study()] * 4, "landscape").assign_coords(landscape=["a", "b", "c", "d"])
        titles = [axes.get_title("left") for axes in ecdf(data).axes]
        assert [title for title in titles if title] == ["a", "b", "c", "d"]

    def test_legend_says_what_is_drawn(self):
        text = ecdf(study()).legends[0].get_title().get_text().replace("\n", " ")
        assert "6 worlds" in text
        assert "restarts" in text
        assert "restarts" not in ecdf(study(shared=False)).legends[0].get_title().get_text()

    def test_a_study_without_targets_is_refused(self):
        with pytest.raises(ValueError, match=r"^ecdf: expected a study with `targets:`, found none in these results; give losses as targets="):
            ecdf(study().isel(target=[]))
        assert ecdf(study().isel(target=[]), targets=[0.5]).axes
