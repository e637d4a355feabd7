"""The profile that is drawn is that of the analysis."""

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure

from studies.analysis.profiles import profile as analysis
from studies.figures import style
from studies.figures.profile import panel, profile
from tests.analysis.arms import results

RNG = np.random.default_rng(8)
DATA = results(np.zeros((2, 3, 16)), hits=np.where(RNG.random((2, 3, 16, 2)) < 0.3, np.inf, RNG.lognormal(3, 1, (2, 3, 16, 2))))


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
    assert "64 problems (landscape, world, target), 16 worlds" in figure.legends[0].get_title().get_text()


def test_a_panel_on_the_users_axes():
    axes = Figure().add_subplot()
    one = DATA.isel(landscape=0)
    assert panel(one, axes) is axes
    check(axes, analysis(one))


def test_no_targets():
    with pytest.raises(ValueError, match="profile: expected a study with targets"):
        profile(results(np.zeros((1, 2, 4))))
