"""Figures on pages: none is higher than 1.3 times its width, and nothing is lost between them."""

import functools
import re

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from studies.figures import pages_of, style
from studies.figures.profile import profiles
from studies.figures.saving import save_pages
from studies.results.figures import Asked
from tests.studies.figures.test_claims import claiming
from tests.studies.figures.test_figures import results
from tests.support.each import each

WIDTH = 3.4
OPTIMIZERS = [f"optimizer {number}" for number in range(28)]
LANDSCAPES = [f"L{number}" for number in range(10)]
MANY = results(optimizers=OPTIMIZERS)
APART = MANY.assign(hit_cost=MANY["hit_cost"] * (1.0 + np.arange(28)[:, None, None]))
CASES = {  # figure, and results that need several pages
    "claims": ("claims", claiming(20)),
    "profile": ("profile", APART),
    "convergence": ("convergence", results(optimizers=OPTIMIZERS)),
    "landscapes": ("convergence", results(landscapes=LANDSCAPES[:3])),
    "phase": ("phase", results(landscapes=LANDSCAPES, rates=(1, 2))),
}


@functools.cache
def drawn(case):
    name, data = CASES[case]
    with rc_context(style.PAPER):
        return pages_of(Asked(name, {}, name), data, WIDTH)


@each("case", CASES)
def test_no_file_is_higher_than_its_width_allows(case):
    shown = drawn(case)
    assert len(shown) > 1
    assert max(page.get_figheight() for page in shown) <= 1.3 * WIDTH * 1.001


def test_pages_are_files_by_number_and_one_page_has_the_name_alone(tmp_path):
    for number, files in ((1, ["it.png"]), (2, ["it-1.png", "it-2.png"])):
        pages = [Figure(figsize=(1, 1)) for _ in range(number)]
        written = save_pages(lambda pages=pages: pages, tmp_path, "it", ["png"])
        assert [path.name for path in written] == files


def test_claims_on_pages_are_all_there_once():
    """Places within the regime and outside of it."""
    texts = [text.get_text() for page in drawn("claims") for text in page.axes[0].texts]
    places = re.findall(r"batch\s=\s(\d+)", "\n".join(texts))
    assert sorted(map(int, places)) == list(range(20))


def test_optimizers_on_several_pages_are_compared_with_all():
    lines = {line.get_label(): line for page in drawn("profile") for line in page.axes[0].lines}
    whole = profiles(APART)["profile"]
    for name in OPTIMIZERS:
        np.testing.assert_array_equal(lines[name].get_ydata(), whole.sel(optimizer=name).values)
