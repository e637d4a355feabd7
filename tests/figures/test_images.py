"""Every figure, drawn from real results, plain and hostile: as the stored image, and without a fault that a reviewer would see.

After a change that is meant, draw them anew with --mpl-generate-path=tests/figures/images (-m "verify or not verify"), and look at them.
"""

import pytest
from matplotlib import rc_context

from studies.figures import FIGURES, style
from tests.figures.looks import faults
from tests.figures.results import HOSTILE, real, shared  # noqa: F401  a fixture

SHOWN = {  # figure -> study in tests/figures/results.py; else `search`
    **dict.fromkeys(("noise_sources", "spectra", "alignment", "diversity", "price"), "ledger"),
    "factorial": "factors",
    "phase": "swept",
    "sensitivity": "tuned",
    "claims": "claimed",
}
TOLERANCE = 6  # root mean square difference of the pixels, of 255: another rasteriser, not another figure


def drawn(name, data, width):
    with rc_context(style.PAPER | {"figure.dpi": 60, "savefig.dpi": 60}):
        return FIGURES[name](data, width=width)


@pytest.mark.mpl_image_compare(baseline_dir="images", tolerance=TOLERANCE, savefig_kwargs={"dpi": 60}, remove_text=False, style="default")
@pytest.mark.parametrize("width", [style.WIDTH, style.COLUMN])
@pytest.mark.parametrize("name", FIGURES)
def test_plain(name, width, shared):  # noqa: F811
    figure = drawn(name, real(SHOWN.get(name, "search"), shared), width)
    assert not faults(figure)
    return figure


@pytest.mark.verify
@pytest.mark.mpl_image_compare(baseline_dir="images", tolerance=TOLERANCE, savefig_kwargs={"dpi": 60}, remove_text=False, style="default")
@pytest.mark.parametrize("how", HOSTILE)
@pytest.mark.parametrize("name", FIGURES)
def test_hostile(name, how, shared):  # noqa: F811
    figure = drawn(name, HOSTILE[how](real(SHOWN.get(name, "search"), shared)), style.WIDTH)
    assert not faults(figure)
    return figure
