"""Every figure, drawn from real results, plain and hostile.

As the stored image, with the stored words (a wrong letter is less than the tolerance of an image), and without
a fault that a reviewer would see.

After a change that is meant, make both anew with --mpl-generate-path=tests/studies/figures/images (-m "verify or
not verify"), and look at them.
"""

import json
from pathlib import Path

import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure

from studies.figures import EVERY, FIGURES, style
from tests.support.looks import faults, words
from tests.support.results import HOSTILE, real, shared  # noqa: F401  a fixture

SHOWN = {  # figure -> study in tests/support/results.py; else `search`
    **dict.fromkeys(("noise_sources", "spectra", "alignment", "diversity", "price"), "ledger"),
    "factorial": "factors",
    "phase": "swept",
    "scaling": "swept",
    "sensitivity": "tuned",
    "claims": "claimed",
}
TOLD = {  # picture -> figure and what it is told
    "scaling": ("scaling", {"x": "k"}),
    "attainment": ("attainment", {}),
    "surfaces": ("attainment", {"surface": True}),
    "groups": ("ecdf", {"group": "landscape", "reference": "best"}),
}
NAMES = [*FIGURES, *TOLD]
REFUSED = {  # what cannot be shown, and the one line that says so
    (
        "break_even",
        "one optimizer",
    ): r"break_even: expected two optimizers that use gradients to different parts, .*",
    (
        "break_even",
        "all failed",
    ): r"break_even: expected two optimizers that use gradients to different parts, .*",
    ("phase", "one optimizer"): r"winners: expected two optimizers or more, got SGD",
    ("phase", "all failed"): r"phase: expected a study with a `sweep:` that changes a loss, .*",
    (
        "sensitivity",
        "fourteen optimizers",
    ): r"sensitivity: expected arms that were tuned, .*",  # whose labels are the study's
    ("sensitivity", "long names"): r"sensitivity: expected arms that were tuned, .*",
}
DEAR = (
    "claims",
    "phase",
    "scaling",
    "factorial",
    "sensitivity",
    "diversity",
)  # a study each, or many artists
IMAGES = Path(__file__).parent / "images"
TOLERANCE = (
    2  # root mean square difference of the pixels, of 255: another rasteriser, not another figure
)


compared = pytest.mark.mpl_image_compare(
    baseline_dir="images", tolerance=TOLERANCE, savefig_kwargs={"dpi": 60}, style="default"
)


def results(name, shared):  # noqa: F811
    data = real(SHOWN.get(name, "search"), shared)
    if name == "scaling":  # along one axis, which leaves the bowl as it is
        return data.isel({"noise.evaluation.nk": 0, "condition": 0})
    return data


def drawn(name, data, width):
    figure, options = TOLD.get(name, (name, {}))
    with rc_context(style.PAPER | {"figure.dpi": 60, "savefig.dpi": 60}):
        return EVERY[figure](data, width=width, **options)


@pytest.mark.daily(5)
@compared
@pytest.mark.parametrize("width", [style.WIDTH, pytest.param(style.COLUMN, marks=pytest.mark.verify)])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.verify) if name in DEAR else name for name in NAMES]
)
def test_plain(name, width, shared, request):  # noqa: F811
    figure = drawn(name, results(name, shared), width)
    assert not faults(figure)
    stored = f"test_plain_{name}-{width}.json"
    if anew := request.config.getoption("--mpl-generate-path"):
        Path(anew, stored).write_text(json.dumps(words(figure), ensure_ascii=False, indent=0) + "\n")
    assert words(figure) == json.loads(Path(anew or IMAGES, stored).read_text())
    return figure


HOSTILES = [(name, how) for name in NAMES for how in HOSTILE]


@pytest.mark.verify
@compared
@pytest.mark.parametrize(("name", "how"), [case for case in HOSTILES if case not in REFUSED])
def test_hostile(name, how, shared):  # noqa: F811
    figure = drawn(name, HOSTILE[how](results(name, shared)), style.WIDTH)
    assert not faults(figure)
    return figure


@pytest.mark.verify
@pytest.mark.parametrize(("name", "how"), REFUSED)
def test_what_cannot_be_shown_is_one_line(name, how, shared):  # noqa: F811
    data = HOSTILE[how](results(name, shared))
    with pytest.raises(ValueError, match=f"^{REFUSED[name, how]}$"):
        drawn(name, data, style.WIDTH)


@pytest.mark.parametrize("text", ["cut off", "overlap", "smaller than 6 pt"])
def test_faults_are_found(text):
    figure = Figure(figsize=(2, 2), dpi=60)
    place = {"cut off": 0.9, "overlap": 0.1, "smaller than 6 pt": 0.1}[text]
    figure.text(0.1, 0.1, "a word", fontsize=8)
    figure.text(
        place, 0.12 if text == "overlap" else 0.8, "another word", fontsize=5.5 if "pt" in text else 8
    )
    assert [fault.partition(":")[0] for fault in faults(figure)] == [text]
