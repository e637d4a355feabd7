"""Captions: beside the pictures, in words and as LaTeX; none within them."""

from matplotlib.figure import Figure
from matplotlib.text import Text

from studies.figures import captions, convergence, draw
from studies.figures.saving import save
from studies.text.latex import escaped
from tests.studies.figures.test_figures import results
from tests.support.each import each

SENTENCES = {
    "": "",
    "means of 12 worlds; bars: SE": "Means of 12 worlds; bars: SE.",
    "median(loss), 8 worlds": "median(loss), 8 worlds.",
    "p, one world.": "p, one world.",
    "two\n  lines": "Two lines.",
}


@each("words", SENTENCES)
def test_a_caption_is_a_sentence(words):
    figure = Figure()
    captions.say(figure, words)
    assert captions.said(figure) == SENTENCES[words]


def test_a_figure_has_its_caption_beside_it_and_not_in_it(tmp_path):
    draw(results(), ["convergence"], tmp_path, ["png"])
    text = (tmp_path / "convergence.txt").read_text()
    said = "True loss of recommended points, median of 8 worlds; bands: from quartile to quartile."
    assert text.startswith("Loss against cost: the median over worlds, ")
    assert text.endswith(f" {said}\n")
    assert (tmp_path / "convergence.tex").read_text() == f"\\caption{{{escaped(text.strip())}}}\n"
    shown = [part.get_text() for part in convergence(results()).findobj(Text)]
    assert not any("worlds" in part for part in shown)


def test_what_says_nothing_has_no_caption(tmp_path):
    save(Figure, tmp_path, "plain", ["png"])
    assert [path.name for path in tmp_path.iterdir()] == ["plain.png"]
