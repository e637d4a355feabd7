"""Fonts: sans, serif, by name, and LaTeX's."""

import re
import shutil

import pytest
from matplotlib.figure import Figure

from studies.figures import fonts
from studies.figures.__main__ import main
from studies.figures.fonts import for_latex, letters
from studies.figures.saving import save
from studies.figures.style import PAPER


def test_a_font_by_its_name_has_the_rest_of_the_letters_behind_it():
    assert letters() == {}
    assert letters("DejaVu Serif") == {"font.family": ["DejaVu Serif", "DejaVu Sans"]}


def test_serif_is_another_font_in_the_file(tmp_path):
    def make():
        figure = Figure(figsize=(2, 1))
        figure.text(0.1, 0.5, "letters")
        return figure

    for font, name in (("sans", b"DejaVuSans"), ("serif", b"STIX|Times")):
        looks = PAPER | letters(font) | {"pdf.compression": 0}
        (file,) = save(make, tmp_path, font, ["pdf"], looks)
        assert re.search(rb"/BaseFont /(?:\w+\+)?(?:%s)" % name, file.read_bytes())


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--font", "DejaVu Sens"], r"--font: no font 'DejaVu Sens' on this machine; .*DejaVu Sans.*"),
        (
            ["--usetex"],
            "--usetex: expected the programs latex and dvipng on the PATH, found no latex; .*",
        ),
    ],
)
def test_what_is_missing_is_one_line(tmp_path, monkeypatch, capsys, words, text):
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "latex" else name)
    assert main([str(tmp_path), *words]) == 2
    assert re.fullmatch(f"{text}\n", capsys.readouterr().err)


def test_latex_has_two_fonts(monkeypatch):
    monkeypatch.setattr(fonts, "_expect_latex", lambda: None)
    assert letters("sans", usetex=True) == {"text.usetex": True, "font.family": "sans-serif"}
    with pytest.raises(
        ValueError, match="^--font: expected sans or serif beside --usetex, got 'Arial'"
    ):
        letters("Arial", usetex=True)


def test_texts_are_escaped_and_mathematics_is_not():
    figure = Figure()
    axes = figure.subplots()
    axes.set(title="a_b & 5 %", xlabel=r"$\alpha_1$")
    axes.set_xticks([0, 1], ["x_0", "x_1"])
    for_latex(figure)
    figure.draw_without_rendering()
    assert axes.get_title() == r"a\_b \& 5 \%"
    assert axes.get_xlabel() == r"$\alpha_1$"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [r"x\_0", r"x\_1"]


@pytest.mark.verify
def test_latex_sets_what_is_drawn(tmp_path):
    try:
        looks = PAPER | letters(usetex=True)
    except ValueError as error:
        pytest.skip(str(error))

    def make():
        figure = Figure(figsize=(2, 2), layout="constrained")
        figure.subplots().plot([1, 100], [-1, 1], label="100 % of nk_0")
        figure.axes[0].set(xscale="log", title="σ ≥ 1 & more")
        figure.axes[0].legend()
        return figure

    assert all(path.stat().st_size > 2000 for path in save(make, tmp_path, "it", ("pdf", "png"), looks))
