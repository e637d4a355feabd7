"""Tables for papers: numbers that are known, the same as the report's, in LaTeX, Markdown and tidy CSV."""

import csv
import functools
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from studies import analysis
from studies.report.tables import compared, final_loss, running_time
from studies.report.tables import comparisons as of_report
from studies.table import comparisons as table_comparisons
from studies.table import tables, writing
from studies.table.__main__ import FORMATS, NAMES, SPREADS, main
from studies.table.entries import SPREADS as SAID
from studies.table.tables import TABLES, comparisons, final, hits
from tests.support.analysis import timed
from tests.support.arms import results
from tests.support.patience import patience
from tests.support.results import HOSTILE, real, shared  # noqa: F401

WORLDS = 32
LOSSES = np.array([[-5.0], [0.0], [0.05]]) + np.sin(np.arange(WORLDS) * [[1.0], [2.0], [3.0]])
ODD = ["a_b & 5 %", "\\input{x} | ~", "λ = 1e-08 *"]


def made(losses=LOSSES, **options):
    return results(losses[None], **options).assign_attrs(config="{}")


@pytest.fixture(scope="module", autouse=True)
def compared_once():
    """Tables of the same results read the same comparisons, which take longer than all else."""
    known = {}

    def once(dataset, pairs=None):
        key = id(dataset), repr(pairs)
        if key not in known:
            known[key] = (
                dataset,
                compared(dataset, pairs),
            )  # which stay, and so does what they are known by
        return known[key][1]

    with pytest.MonkeyPatch.context() as patch:
        for module in (table_comparisons, tables):
            patch.setattr(module, "compared", once)
        yield


# numbers ----------------------------------------------------------------------------------------------------


def test_a_median_has_the_order_statistics_of_the_sign_test():
    """Of 32 worlds the 16th from below, between the 10th and the 23rd: P(X < 10) <= 0.025 < P(X < 11)."""
    below = next(k for k in range(WORLDS) if stats.binom.cdf(k, WORLDS, 0.5) > 0.025)
    for record, losses in zip(final(made()).frame.to_dict("records"), np.sort(LOSSES), strict=True):
        assert record["median"] == losses[15]
        assert record["median_low"] == losses[below - 1]
        assert record["median_high"] == losses[WORLDS - below]
        assert (record["lower_quartile"], record["upper_quartile"]) == (losses[7], losses[23])
        assert (record["worlds"], record["diverged"], record["lost"]) == (WORLDS, 0, 0)


def test_the_best_is_bold_and_marked_where_it_is_told_apart():
    (row,) = final(made()).rows
    assert [(entry.bold, entry.mark) for entry in row] == [
        (False, ""),
        (True, "*"),
        (False, ""),
        (False, ""),
    ]
    assert list(final(made()).frame["standing"]) == ["better than every other", "", ""]
    (row,) = final(made(LOSSES[1:])).rows  # the second and third differ by a twentieth of their spread
    assert sorted((entry.bold, entry.mark) for entry in row[1:]) == [(False, "≈"), (True, "")]


def test_one_optimizer_alone_is_not_compared():
    table = final(made(LOSSES[:1]))
    assert not any(entry.bold or entry.mark for row in table.rows for entry in row)
    assert "Bold" not in table.caption


def test_running_times_are_those_of_restarts():
    """Two of three worlds reach it, after 10 and 20; the third spends 100: (10 + 20 + 100) / 2."""
    data = timed([10.0, 20.0, np.inf]).expand_dims(landscape=["bowl"], optimizer=["A"])
    (record,) = hits(data).frame.to_dict("records")
    assert (record["ert"], record["successes"], record["worlds"]) == (65.0, 2, 3)
    assert record["run_median"] == 20.0
    ((_, target, entry),) = hits(data, "none").rows
    assert (target.text, entry.bold) == ("0.5", True)
    assert re.fullmatch(r"\d+ \(2/3\)", entry.text)


def test_nobody_is_first_where_none_reached_the_target():
    data = timed([np.inf] * 3).expand_dims(landscape=["bowl"], optimizer=["A"])
    ((_, _, entry),) = hits(data, "none").rows
    assert entry == ("∞ (0/3)", False, "")


def test_pairs_have_the_exact_test_and_the_correction_over_all():
    """A is better in all of 32 worlds: of 2^32 ways to sign the differences two are as extreme."""
    frame = comparisons(made()).frame
    assert list(zip(frame["a"], frame["b"], strict=True)) == [("A", "B"), ("A", "C"), ("B", "C")]
    assert list(frame["p"][:2]) == pytest.approx([2.0**-31] * 2, rel=1e-9)
    assert frame["p_corrected"][0] == pytest.approx(3 * 2.0**-31, rel=1e-9)
    assert list(frame["verdict"]) == ["A better", "A better", "undecided"]


def test_planned_pairs_are_corrected_over_these_alone():
    """One question: p is that of the exact test itself, and A - B of (C, A) is C's less A's."""
    table = comparisons(made(), pairs=[("C", "A")])
    (record,) = table.frame.to_dict("records")
    assert (record["a"], record["b"], record["verdict"]) == ("C", "A", "A better")
    assert record["p"] == record["p_corrected"] == pytest.approx(2.0**-31, rel=1e-9)
    assert record["difference"] == pytest.approx((LOSSES[2] - LOSSES[0]).mean())
    assert table.caption.startswith("The pairs that were planned. ")


# the same as the report's -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["search", "swept"])
def test_the_numbers_are_those_of_the_report(name, shared):  # noqa: F811
    data = real(name, shared)
    medians = {row[2].sort for row in final_loss(data).rows}
    assert medians == {str(value) for value in final(data).frame["median"]}
    times = [
        [row[column].sort for column in (3, 6, 7)]
        for row in sorted(running_time(data).rows, key=lambda row: [cell.sort for cell in row])
    ]
    frame = hits(data).frame
    mine = frame[["ert", "successes", "worlds"]].replace(np.inf, 1e308)
    assert {tuple(row) for row in times} == {
        (str(ert), str(int(s)), str(int(w))) for ert, s, w in mine.itertuples(index=False)
    }
    pairs = of_report(data, compared(data)).rows
    table = comparisons(data)
    assert [[cell.text for cell in row[:4]] for row in pairs] == [
        [row[0].text, row[1].text, row[2].text, row[5].text] for row in table.rows
    ]
    assert [row[-2].sort for row in pairs] == [str(p) for p in table.frame["p_corrected"]]


def test_a_tidy_row_holds_what_the_analysis_says(shared):  # noqa: F811
    data = real("swept", shared)
    every = analysis.compare(data)
    for row in comparisons(data).frame.to_dict("records"):
        at = every.sel(landscape=row["landscape"], pair=f"{row['a']} - {row['b']}")
        at = at.sel({axis: row[axis] for axis in at.dims if axis in row and not pd.isna(row[axis])})
        at = at.isel({axis: 0 for axis in at["difference"].dims})
        assert row["difference"] == at["difference"].item()
        assert row["units_to_decide"] == at["units_to_decide"].item()


# files ------------------------------------------------------------------------------------------------------


def columns(line):
    """The cells of a row of LaTeX."""
    return re.split(r"(?<!\\)&", line.removesuffix(r" \\"))


def well_formed(text):
    """Braces are closed, dollars come in twos, all rows have as many cells, and no sign is left that TeX reads."""
    bare = re.sub(r"\\[\\{}$&%#_]", "", text)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    every = [line for line in text.splitlines() if line.endswith(r"\\")]
    rows = [line for line in every if not line.startswith((r"\caption", r"\multicolumn"))]
    assert len({len(columns(row)) for row in rows}) == 1
    for row in rows:
        prose = re.sub(r"\$[^$]*\$|\\[a-zA-Z]+|\\[\\&%$#_{}]", "", row)
        assert not re.search(r"[%#_^~\\$]", prose), row
    return rows


@pytest.mark.daily(3)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("spread", SPREADS)
def test_latex_is_well_formed(name, spread, shared):  # noqa: F811
    table = TABLES[name](real("swept", shared), spread)
    rows = well_formed(writing.latex(table))
    assert len(rows) == 1 + len(table.rows)


def odd():
    return made(names=ODD).assign_coords(landscape=["50 % of #1_2 {"])


def test_labels_do_no_harm_to_latex():
    text = writing.latex(final(odd()))
    head, _ = well_formed(text)
    assert [cell.strip() for cell in columns(head)] == [
        "landscape",
        r"a\_b \& 5 \%",
        r"\textbackslash{}input\{x\} $|$ \textasciitilde{}",
        r"$\lambda$ = $1 \times 10^{-8}$ *",
    ]
    assert r"\begin{table}" in text
    assert text.count(r"\caption{") == 1


def test_a_long_table_may_break(monkeypatch):
    monkeypatch.setattr(writing, "LONG", 2)
    text = writing.latex(comparisons(made()))
    assert text.count("longtable") == 3  # its package, its begin and its end
    assert len(well_formed(text)) == 2 + 3  # heads of the first page and of others


PDFLATEX = shutil.which("pdflatex")


@pytest.mark.skipif(PDFLATEX is None, reason="expected pdflatex to set tables with, found none")
def test_latex_compiles(tmp_path, shared):  # noqa: F811
    tables = [make(real("swept", shared), "interval") for make in TABLES.values()]
    parts = [writing.latex(table) for table in (*tables, final(odd()), comparisons(odd()))]
    for number, text in enumerate(parts):
        text = re.sub(r"\\label\{.*?\}", "", text)
        page = rf"\documentclass{{article}}\usepackage{{booktabs,longtable}}\begin{{document}}{text}\end{{document}}"
        (tmp_path / f"{number}.tex").write_text(page)
        words = [PDFLATEX, "-interaction=nonstopmode", "-halt-on-error", f"{number}.tex"]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=patience(60))
        assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("name", NAMES)
def test_markdown_has_as_many_cells_in_every_row(name, shared):  # noqa: F811
    for data in (real("swept", shared), real("search", shared)):
        table = TABLES[name](data, "interval")
        lines = writing.markdown(table).splitlines()
        bars = [len(re.findall(r"(?<!\\)\|", line)) for line in lines[: len(table.rows) + 2]]
        assert set(bars) == {len(table.heads) + 1}
    lines = writing.markdown(final(odd())).splitlines()
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines[:3]} == {5}


ODD_RESULTS = [
    (kind, name)
    for kind in HOSTILE
    for name in NAMES
    if (kind, name) != ("one optimizer", "comparisons")
]


@functools.cache
def hostile(kind, shared):  # noqa: F811
    return HOSTILE[kind](real("search", shared))


@pytest.mark.daily(7)
@pytest.mark.parametrize(("kind", "name"), ODD_RESULTS)
def test_odd_results_have_tables(kind, name, shared):  # noqa: F811
    table = TABLES[name](hostile(kind, shared), "interval")
    if table.rows:
        well_formed(writing.latex(table))
        assert writing.csv(table).count("\n") == len(table.frame) + 1


# the command ------------------------------------------------------------------------------------------------


def test_the_command_writes_what_is_asked_for(tmp_path, shared, capsys):  # noqa: F811
    data, words = real("search", shared), ["--out", str(tmp_path), "--landscape", "bowl"]
    assert main([str(shared / "search"), "final", "hits", *words]) == 0
    files = [f"{name}.{end}" for name in ("final", "hits") for end in ("tex", "csv", "md")]
    assert capsys.readouterr().out.split() == [str(tmp_path / file) for file in files]
    with (tmp_path / "final.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["optimizer"] for row in rows] == list(data["optimizer"].values)
    assert {row["landscape"] for row in rows} == {"bowl"}


def test_the_command_compares_the_pairs_that_were_planned(tmp_path, shared):  # noqa: F811
    real("search", shared)
    words = [
        "final",
        "comparisons",
        "--out",
        str(tmp_path),
        "--format",
        "csv",
        "--pairs",
        "GA:SGD",
        "ES:GA",
    ]
    assert main([str(shared / "search"), *words]) == 0
    frame = pd.read_csv(tmp_path / "comparisons.csv")
    asked = [("nk", "GA", "SGD"), ("nk", "ES", "GA"), ("bowl", "GA", "SGD"), ("bowl", "ES", "GA")]
    assert [*zip(frame["landscape"], frame["a"], frame["b"], strict=True)] == asked
    assert len(pd.read_csv(tmp_path / "final.csv")) == 6  # all arms, as without


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["finale"], "tables: unknown 'finale'; did you mean 'final'?"),
        (["final", "--format", "tex"], "--format: unknown 'tex'; did you mean 'latex'?"),
        (
            ["final", "--spread", "sd"],
            "--spread: unknown 'sd'; expected one of: interval, quartiles, none",
        ),
        (["final", "--landscape", "bowls"], "unknown landscape 'bowls'; did you mean 'bowl'?"),
        (["final", "--at", "k"], "--at: expected AXIS=VALUE, such as B=8, got 'k'"),
        (["comparisons", "--pairs", "GA"], "--pairs: expected A:B, such as GA:SGD, got 'GA'"),
        (["comparisons", "--pairs", "GA:SDG"], "pairs: unknown optimizer 'SDG'; did you mean 'SGD'?"),
        (["comparisons", "--pairs", "GA:GA"], "pairs: expected two optimizers, got ('GA', 'GA')"),
        (["final", "--pairs", "GA:SGD"], "--pairs: expected the table comparisons, got final"),
        (["comparisons", "--optimizer", "GA"], "expected a study with two optimizers or more, got one"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(words, line, tmp_path, shared, capsys):  # noqa: F811
    real("search", shared)
    assert main([str(shared / "search"), *words, "--out", str(tmp_path / "out")]) == 2
    out, error = capsys.readouterr()
    assert (out, error.count("\n")) == ("", 1)
    assert line in error
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_study_is_one_line(tmp_path, capsys):
    assert main([str(tmp_path), "final"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_words_of_the_command_are_those_of_the_tables():
    """Which are said twice, so that --help comes at once."""
    assert ([*TABLES], [*writing.FORMATS], [*SAID]) == ([*NAMES], [*FORMATS], [*SPREADS])
