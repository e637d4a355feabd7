"""The profile that is drawn is that of the analysis."""

import numpy as np
import pytest
import xarray as xr
from matplotlib import rc_context
from matplotlib.figure import Figure
from scipy.stats import binomtest

from studies.analysis.running_time.profiles import profile as analysis
from studies.figures import style
from studies.figures.captions import said
from studies.figures.profile import panel, profile
from tests.support.arms import results

RNG = np.random.default_rng(8)
DATA = results(
    np.zeros((2, 3, 16)),
    hits=np.where(RNG.random((2, 3, 16, 2)) < 0.3, np.inf, RNG.lognormal(3, 1, (2, 3, 16, 2))),
)


def check(axes, told):
    for line, name in zip(axes.lines, told["optimizer"].values, strict=True):
        assert line.get_label() == name
        assert line.get_ydata().tolist() == told["profile"].sel(optimizer=name).values.tolist()
        assert line.get_xdata().tolist() == told["factor"].values.tolist()
    for band, name in zip(axes.collections, told["optimizer"].values, strict=True):
        ends = band.get_paths()[0].vertices[:, 1]
        interval = told["profile_interval"].sel(optimizer=name)
        assert (ends.min(), ends.max()) == (interval.min(), interval.max())


def test_whole_figure():
    with rc_context(style.PAPER):
        figure = profile(DATA)
    check(figure.axes[0], analysis(DATA))
    assert "64 problems (landscape, world, target), 16 worlds" in said(figure)


def test_a_panel_on_the_users_axes():
    axes = Figure().add_subplot()
    one = DATA.isel(landscape=0)
    assert panel(one, axes) is axes
    check(axes, analysis(one))


def test_bands_have_no_width_where_none_or_all_is_solved_and_one_world_has_none():
    hits = np.where(np.arange(16) < 8, 10.0, np.inf)[:, None] * np.ones(2)
    data = results(
        np.zeros((1, 2, 16)), hits=np.stack([hits, np.full((16, 2), np.inf)])[None]
    )  # one solves half of all at once, the other nothing
    figure = profile(data)
    (band,) = figure.axes[0].collections
    assert sorted(set(band.get_paths()[0].vertices[:, 1])) == pytest.approx(
        binomtest(8, 16).proportion_ci()
    )
    assert f"where it is {binomtest(0, 16).proportion_ci().high:.0%} wide" in said(figure)
    alone = profile(data.isel(replicate=[0]))
    assert not alone.axes[0].collections
    assert "bands" not in said(alone)


def test_hits_known_to_an_interval_are_hatched_between_the_least_and_the_most_that_a_profile_can_be():
    hits = np.array([[40.0, 40.0], [20.0, 80.0]])[None, :, :, None]  # optimizer x world, one target
    data = results(np.zeros((1, 2, 2)), names=["A", "B"], hits=hits)
    low = data["hit_cost"] * xr.DataArray(
        [0.25, 1.0], dims="optimizer", coords={"optimizer": ["A", "B"]}
    )  # A's are in (10, 40]
    axes = profile(data.assign(hit_cost_low=low)).axes[0]
    areas = [one for one in axes.collections if one.get_gid() == "earliest"]
    assert len(areas) == 2
    factor = np.unique(areas[0].get_paths()[0].vertices[:, 0])

    def share(name, cost_a, cost_b):
        """By a loop over worlds: within each factor of the better one."""
        mine = np.array(cost_a if name == "A" else cost_b) / np.minimum(cost_a, cost_b)
        return [np.mean(mine <= at) for at in factor]

    early, late = ([10.0, 10.0], [20.0, 80.0]), ([40.0, 40.0], [20.0, 80.0])
    for area, name, least, most in zip(areas, "AB", (late, early), (early, late), strict=True):
        told = sorted(set(map(tuple, np.round(area.get_paths()[0].vertices, 9))))
        for at, low_end, high_end in zip(factor, share(name, *least), share(name, *most), strict=True):
            ends = [y for x, y in told if x == round(at, 9)]
            assert {low_end, high_end} <= {round(y, 9) for y in ends}


def test_no_targets():
    with pytest.raises(ValueError, match="profile: expected a study with targets"):
        profile(results(np.zeros((1, 2, 4))))
