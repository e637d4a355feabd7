"""Figures on pages: none is higher than 1.3 times its width, and nothing is lost between them."""

import functools
import re

import numpy as np
import pytest
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
    "landscapes": ("convergence", results(landscapes=LANDSCAPES[:5])),
    "phase": ("phase", results(landscapes=LANDSCAPES, rates=(1, 2))),
}


@functools.cache
def drawn(case):
    name, data = CASES[case]
    with rc_context(style.PAPER):
        return pages_of(Asked(name, {}, name), data, WIDTH)


@pytest.mark.verify
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


def files_of(folder):
    return {path.name for path in folder.iterdir()}


def write(folder, number, formats=("png",), name="it", others=()):
    pages = [Figure(figsize=(1, 1)) for _ in range(number)]
    save_pages(lambda: pages, folder, name, formats, about="What it is.", others=others)


def captions_of(*names):
    return {f"{name}.{kind}" for name in names for kind in ("txt", "tex")}


@pytest.mark.parametrize("number", [1, 2])
def test_pages_that_a_figure_no_longer_has_are_removed(tmp_path, number):
    write(tmp_path, 3)
    write(tmp_path, number)
    names = ["it"] if number == 1 else ["it-1", "it-2"]
    assert files_of(tmp_path) == {f"{name}.png" for name in names} | captions_of(*names)
    write(tmp_path, 3)
    assert "it.png" not in files_of(tmp_path)


def test_the_pages_of_other_figures_and_formats_stay(tmp_path):
    """A second figure of the name has the name with -2, which pages never begin with."""
    write(tmp_path, 1, name="it-2")
    write(tmp_path, 1)
    assert {"it-2.png", "it.png"} <= files_of(tmp_path)
    write(tmp_path, 1, name="it-1")
    write(tmp_path, 1, others={"it-1", "it-2"})
    assert {"it-1.png", "it-2.png", "it.png"} <= files_of(tmp_path)
    for page in (1, 2):  # of somebody else
        (tmp_path / f"own-{page}.png").touch()
    write(tmp_path, 1, name="own")
    assert {"own-1.png", "own-2.png", "own.png"} <= files_of(tmp_path)
    write(tmp_path, 2, ["pdf", "png"], name="both")
    write(tmp_path, 1, name="both")
    kept = {"both.png", "both-1.pdf", "both-2.pdf"} | captions_of("both", "both-1", "both-2")
    assert {name for name in files_of(tmp_path) if name.startswith("both")} == kept


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
