"""The runtime distributions that are drawn are those of the analysis."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from scipy.stats import binomtest

from studies.analysis.running_time import restarts, runtime
from studies.analysis.running_time.aggregated import aggregated
from studies.figures import captions, pages_of, style
from studies.figures.ecdf import curves, ecdf, notes, panel
from studies.results.figures import Asked
from tests.support.analysis import BUDGET, timed

NEVER = np.inf
HITS = {"fast": [10, 20, 30, 60, NEVER, NEVER], "slow": [60, 70, NEVER, NEVER, NEVER, NEVER]}


def study(shared=True, status=2, hits=HITS):
    """Two optimizers on one landscape; worlds share instances in pairs."""
    instance = np.repeat(np.arange(3), 2) if shared else None
    parts = [
        timed(hit, [100, 100, 100, 100, 90, 80], status=status, instance=instance)
        for hit in hits.values()
    ]
    data = xr.concat(
        parts,
        xr.Variable("optimizer", list(hits)),
        data_vars="all",
        coords="minimal",
        compat="override",
    )
    return data.expand_dims(landscape=["hill"])


def interval(k, n):
    """Clopper and Pearson's, by scipy."""
    return tuple(binomtest(k, n).proportion_ci())


def drawn(axes, label):
    """The line of an arm, its cross and its thin line."""
    line = next(one for one in axes.lines if one.get_label() == label)
    rest = [one for one in axes.lines if one.get_color() == line.get_color() and one is not line]
    return (
        line,
        [one for one in rest if one.get_marker() == "x"],
        [one for one in rest if one.get_marker() != "x"],
    )


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
        axes = self.axes(data)
        band = axes.collections[0].get_paths()[0].vertices[:, 1]
        wanted = runtime.ecdf(
            data.sel(landscape="hill", optimizer="fast"), drawn(axes, "fast")[0].get_xdata()
        )["solved_interval"].values
        assert set(np.round(band, 9)) == set(np.round(wanted.ravel(), 9))

    def test_a_band_has_no_width_where_none_or_all_is_solved(self):
        data = study(
            shared=False,
            hits={
                "fast": [60, 60, 60, NEVER, NEVER, NEVER],
                "sure": [10, 10, 10, 10, 10, 10],
                "never": [NEVER] * 6,
            },
        )
        axes = self.axes(data)
        (band,) = axes.collections  # of those that are 0 or 1 all the way there is none
        ends = band.get_paths()[0].vertices
        assert set(ends[ends[:, 0] < 60][:, 1]) == {
            0.0
        }  # before the hits none is solved, from then on half
        assert sorted(set(ends[:, 1]) - {0.0}) == pytest.approx(interval(3, 6))

    def test_steps_stand_at_the_hits_wherever_checkpoints_are(self):
        line, _, _ = drawn(self.axes(study()), "fast")
        at = dict(zip(line.get_xdata(), line.get_ydata(), strict=True))
        assert [at[cost] for cost in (10, 20, 30, 60)] == pytest.approx([
            1 / 6,
            2 / 6,
            3 / 6,
            4 / 6,
        ])  # checkpoints are at 50 and 100

    def test_hits_known_to_an_interval_are_hatched_from_their_earliest(self):
        data = study(shared=False, hits={"fast": [40, 40, 40, NEVER, NEVER, NEVER], "slow": [60] * 6})
        low = data["hit_cost"].where(
            data["optimizer"] == "slow", data["hit_cost"] - 20
        )  # of the fast, (20, 40]; of the slow, exact
        data = data.assign(hit_cost_low=low)
        axes = self.axes(data)
        (area,) = [one for one in axes.collections if one.get_gid() == "earliest"]
        x, y = area.get_paths()[0].vertices.T
        wide = sorted({(float(a), float(b)) for a, b in zip(x, y, strict=True) if 20 <= a <= 40})
        assert wide == [(20, 0), (20, 0.5), (40, 0), (40, 0.5)]
        assert "hatched: hits known to an interval only" in captions.said(ecdf(data))
        exact = data.assign(hit_cost_low=data["hit_cost"])
        assert "hatched" not in captions.said(ecdf(exact))

    def test_crosses_stand_where_runs_end_that_miss_a_target(self):
        data = study(status=3)
        _, cross, _ = drawn(self.axes(data), "fast")
        assert [float(value[0]) for value in cross[0].get_data()] == pytest.approx([
            85,
            4 / 6,
        ])  # of 90 and 80

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
        hill = study().isel(landscape=0)
        assert notes(hill) == ["target 0.5"]
        assert notes(hill, [2.0, 0.1]) == ["2 targets, 2, 0.1"]
        assert notes(hill, [2.0, 0.1, 1e-8]) == ["3 targets, 2 to 1e-8"]
        axes = self.axes(study(), targets=[2.0, 0.1])
        np.testing.assert_allclose(
            drawn(axes, "fast")[0].get_ydata(),
            curves(study().isel(landscape=0), [2.0, 0.1])["solved"].sel(optimizer="fast"),
        )

    def test_nothing_to_show_is_said(self):
        assert [
            text.get_text()
            for text in self.axes(study().assign(status=lambda data: data["status"] * 0 + 5)).texts
        ] == ["no runs"]
        assert [text.get_text() for text in self.axes(study(), targets=[np.nan]).texts] == [
            "no targets"
        ]


class TestGroups:
    def test_lines_are_the_aggregated_distributions(self):
        data = study()
        (axes,) = ecdf(data, group="all").axes
        wanted = aggregated(data, clock="cost").isel(group=0)
        for name in HITS:
            line = next(one for one in axes.lines if one.get_label() == name)
            np.testing.assert_allclose(line.get_ydata(), wanted["solved"].sel(optimizer=name))

    def test_a_reference_is_behind_the_others(self):
        (axes,) = ecdf(study(), group="all", reference="fast").axes
        lines = {line.get_label(): line for line in axes.lines}
        behind = axes.lines[0]
        assert behind.get_zorder() < lines["fast"].get_zorder()
        np.testing.assert_allclose(behind.get_ydata(), lines["fast"].get_ydata())

    def test_groups_stand_on_pages_with_the_same_costs(self):
        names = [f"hill {i}" for i in range(12)]
        data = xr.concat([study()] * 12, "landscape").assign_coords(landscape=names)
        pages = pages_of(Asked("ecdf", {"group": "landscape"}, "ecdf"), data, style.COLUMN)
        assert len(pages) > 1
        shown = [axes for page in pages for axes in page.axes if axes.get_title("left")]
        assert [axes.get_title("left") for axes in shown] == names
        assert len({axes.get_xlim() for axes in shown}) == 1
        assert all(page.get_figheight() <= 4.5 for page in pages)

    def test_a_reference_needs_groups(self):
        with pytest.raises(ValueError, match=r"^ecdf: expected group .* beside reference, found none"):
            ecdf(study(), reference="best")


class TestFigure:
    def test_every_landscape_has_a_panel(self):
        data = xr.concat([study()] * 4, "landscape").assign_coords(landscape=["a", "b", "c", "d"])
        titles = [axes.get_title("left") for axes in ecdf(data).axes]
        assert [title for title in titles if title] == ["a", "b", "c", "d"]

    def test_caption_says_what_is_drawn(self):
        text = captions.said(ecdf(study()))
        assert "6 worlds" in text
        assert "restarts" in text
        assert "restarts" not in captions.said(ecdf(study(shared=False)))

    def test_bands_are_promised_where_they_are_drawn_and_said_to_be_wide_at_the_ends(self):
        def said(data):
            return captions.said(ecdf(data))

        wide = f"{interval(0, 6)[1]:.0%}"  # 46 %
        assert f"bands: 95 % intervals, not drawn at 0 and 100 %, where it is {wide} wide" in said(
            study(shared=False)
        )
        many = {f"arm {i}": HITS["fast"] for i in range(8)}
        assert "bands" not in said(study(hits=many))
        assert "bands" not in said(study(hits={"never": [NEVER] * 6}))
        assert "bands" not in said(study(shared=False).isel(replicate=[0]))

    def test_of_too_many_arms_lines_are_thin(self):
        data = study(shared=False)
        many = xr.concat(
            [data] * 30,
            xr.Variable("rate", np.arange(30.0)),
            data_vars="all",
            coords="minimal",
            compat="override",
        )
        many["hit_cost"] = many["hit_cost"] * (1 + 0.01 * many["rate"])
        many["loss"] = many["loss"] + 0.001 * many["rate"]
        lines = [
            line
            for line in ecdf(many.transpose("landscape", "optimizer", "rate", ...)).axes[0].lines
            if line.get_marker() != "x"
        ]
        assert {line.get_linewidth() for line in lines} == {0.5}

    def test_a_study_without_targets_is_refused(self):
        with pytest.raises(
            ValueError,
            match=(
                r"^ecdf: expected a study with `targets:`, found none in these results; give losses as"
                r" targets="
            ),
        ):
            ecdf(study().isel(target=[]))
        assert ecdf(study().isel(target=[]), targets=[0.5]).axes
