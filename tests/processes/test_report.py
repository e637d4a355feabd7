"""report.html in a real browser: it says what is there, in light and dark, on a phone, with scripts off.

And hostile names do no harm.
"""

import json
import pickle
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from studies.cells.loop import run_cell
from studies.report import writing
from studies.report.__main__ import main
from studies.report.writing import FILE, write
from studies.results import store, view
from studies.results.arms import quartiles
from studies.run.live_report import finish, live
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan, manifest
from tests.support.browser import browser, browsing  # noqa: F401
from tests.support.patience import patience, wait_for
from tests.support.results import shared  # noqa: F401

# a study file allows no such label, a folder from elsewhere may have it
HOSTILE = "<script>window.hurt = 1</script>"
LABEL = "hostile"  # in its place
STUDY = {
    "name": "small",
    "question": f"Wer gewinnt, SGD oder GA? {LABEL} & ∞",
    "replicates": 4,
    "budget": 200,
    "targets": {"nk": [0.2, 0.05], f"bowl {LABEL}": [1.0, 0.1]},
    "landscapes": {
        "nk": {"kind": "nk", "n": 8, "k": 2},
        f"bowl {LABEL}": {"kind": "quadratic", "dim": 3},
    },
    "optimizers": {
        "random": {"kind": "random_search"},
        "GA": {"kind": "ga", "population": 6},
        LABEL: {"kind": "ga", "population": 10},
    },
    "figures": ["convergence"],
    "claims": {f"random is best {LABEL}": {"kind": "ordering", "better": "random", "worse": "GA"}},
}


def compute(study, out, cells=None, failed=0):
    """A study's folder with the first so many cells, and of the others the first so many failed."""
    plan = make_plan(load_study(study))
    found = plan.cells(())
    text = json.dumps(manifest(plan, found, json.dumps(study)))
    view.save_manifest(json.loads(text.replace(LABEL, HOSTILE)), out)
    for cell in found[:cells]:
        store.write_cell(run_cell(cell), store.cell_path(out, cell.address))
    for cell in found[len(found) if cells is None else cells :][:failed]:
        record = {
            "error": f"ValueError: no luck {HOSTILE}",
            "traceback": "Traceback ..",
            "task": json.loads(cell.task.canonical),
        }
        store.write_text(
            json.dumps(record | {"first": cell.first, "last": cell.last}),
            store.error_path(out, cell.address),
        )
    return out


@pytest.fixture(scope="module")
def page_of_whole(shared):  # noqa: F811
    """The page of a whole study, written by the first process that asks."""
    out = shared / "small"
    kept = out / "page.pickle"
    with FileLock(f"{out}.lock"):
        if not kept.exists():
            kept.write_bytes(pickle.dumps(write(compute(STUDY, out))))
    return pickle.loads(kept.read_bytes())


@pytest.fixture(scope="module")
def whole(page_of_whole):
    return page_of_whole.folder / FILE


@pytest.fixture(scope="module")
def tab(browser):  # noqa: F811
    """A page, and what its console says: of all tests, each of which opens it anew."""
    page, said = browser.new_page(), []
    page.set_default_timeout(1000 * patience(30))
    page.add_init_script("try { localStorage.clear(); } catch { /* of a page from a file */ }")
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return page, said


def opened(tab, file, width=1440, scheme="light"):
    """The page with this file, and what its console says from now on."""
    page, said = tab
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto("about:blank")
    said.clear()
    page.goto(file.as_uri())
    return page, said


@browsing
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_overflows_and_nothing_is_wrong(tab, whole, width, scheme):
    page, said = opened(tab, whole, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    outside = (
        "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth +"
        " 1 && !e.closest('.scroll'))"
    )
    assert page.evaluate(f"{outside}.map(e => e.outerHTML.slice(0, 80))") == []
    hint = page.evaluate("getComputedStyle(document.querySelector('.picture'), '::before').content")
    assert ("scroll sideways" in hint) == (
        width == 390
    )  # where a figure is wider than the screen it says so
    assert said == []
    assert page.evaluate("window.hurt") is None
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != background


def values_of(page, panel=0):
    """Line -> the value that the table of a panel has."""
    rows = page.locator("#explore .panels figure").nth(panel).locator("tr").all()
    return {row.locator("th").inner_text(): row.locator("td").first.inner_text() for row in rows}


@browsing
def test_numbers_are_explored_with_the_keyboard_and_taken_along(tab, whole, page_of_whole, tmp_path):
    page, said = opened(tab, whole)
    bowl = page_of_whole.data.sel(landscape=f"bowl {HOSTILE}")
    page.select_option("#explore [name=landscape]", f"bowl {HOSTILE}")
    page.select_option("#explore [name=x]", "steps")
    reader = page.locator("#explore .panels input")
    reader.focus()
    last = page.locator("#explore .panels output").inner_text()
    for key in ("Home", "ArrowRight"):  # from the first place to the next
        reader.press(key)
    assert page.locator("#explore .panels output").inner_text() != last
    reader.press("End")
    assert page.locator("#explore .panels output").inner_text() == last
    shown = values_of(page)
    losses = bowl["loss"].isel(checkpoint=-1)
    for name in ("random", "GA"):
        median = float(quartiles(losses.sel(optimizer=name))[1])
        assert float(shown[name]) == pytest.approx(median, rel=1e-3)
    page.click('#explore .optimizers button:has-text("random")')
    assert {*shown} - {*values_of(page)} == {"random"}
    page.select_option("#explore [name=x]", "landscape")
    page.select_option("#explore [name=y]", "hit 0")
    assert page.locator("#explore .panels figure").count() == 1
    with page.expect_download() as taken:
        page.click("#explore .csv")
    taken.value.save_as(tmp_path / "taken.csv")
    table = pd.read_csv(tmp_path / "taken.csv")
    assert {*table["landscape.1"]} == {"nk", f"bowl {HOSTILE}"}
    assert {*table["line"]} == {"GA", HOSTILE}
    assert (table["low"] <= table["high"]).all()
    assert said == []


@browsing
def test_an_optimizer_is_hidden_and_shown_again(tab, whole):
    page, said = opened(tab, whole)
    parts = page.locator("#figure-convergence .arm[data-optimizer='GA']")
    others = page.locator("#figure-convergence .arm[data-optimizer='random']")
    assert parts.count() == 4  # a line and a band on each of two landscapes
    assert all(parts.nth(k).is_visible() for k in range(4))
    page.click(".optimizers button[data-optimizer='GA']")
    assert not any(parts.nth(k).is_visible() for k in range(4))
    assert all(others.nth(k).is_visible() for k in range(4))
    assert page.get_attribute(".optimizers button[data-optimizer='GA']", "aria-pressed") == "false"
    page.locator(
        "#figure-convergence .key[data-optimizer='GA']"
    ).last.click()  # the legend does the same
    assert all(parts.nth(k).is_visible() for k in range(4))
    assert said == []


PLACES = """(scales) => [...document.querySelectorAll('#figure-convergence .axes[data-rescales]')].map((axes) => ({
  scale: axes.dataset.yScale, box: axes.dataset.box, ticks: axes.querySelectorAll('.anew text').length,
  arms: [...axes.querySelectorAll('.arm[data-y]:not(.off)')].map((arm) => ({
    y: arm.dataset.y.split(' ').map(Number),
    drawn: [...arm.querySelector('path:not(defs path)')?.getAttribute('d').matchAll(/[ML] \\S+ (\\S+)/g)].map((m) => +m[1]),
  })),
}))"""


@browsing
def test_a_figure_is_scaled_for_the_arms_that_are_shown(tab, whole):
    """Each point stands where its value and the scale put it, and all is as before when all are shown again."""
    page, said = opened(tab, whole)
    before = page.evaluate(PLACES)
    page.click(".optimizers button[data-optimizer='GA']")
    after = page.evaluate(PLACES)
    assert len(after) == 2
    assert any(new["scale"] != old["scale"] for new, old in zip(after, before, strict=True))
    for panel in after:
        kind, low, high = panel["scale"].split()
        way = np.log10 if kind == "log" else np.asarray
        low, high = float(way(float(low))), float(way(float(high)))
        _, top, _, height = map(float, panel["box"].split())
        for arm in panel["arms"]:
            wanted = top + height * (1 - (way(np.array(arm["y"])) - low) / (high - low))
            inside = (wanted > top) & (wanted < top + height)
            assert inside.all()
            nearest = np.abs(np.array(arm["drawn"])[:, None] - wanted).min(1)
            assert nearest.max() < 0.5  # points of the picture; values have four digits
        assert panel["ticks"] > 1
    page.click(".optimizers button[data-optimizer='GA']")
    assert page.evaluate(PLACES) == before
    assert said == []


@browsing
def test_the_answer_comes_first_and_its_columns_are_hidden_too(tab, whole):
    page, said = opened(tab, whole)
    assert page.locator("main > section").first.get_attribute("id") == "answer"
    assert page.locator(".answer li").count() == 2  # a line a landscape
    assert page.locator(".matrix tbody tr").count() == 2
    assert page.locator(".matrix thead th").all_inner_texts() == ["random", "GA", HOSTILE]
    cells = page.locator(".matrix [data-optimizer='GA']")
    assert cells.count() == 3
    rows = page.locator("#tables tr:has(td:text-is('GA'))")
    assert rows.count() > 0
    page.click(".optimizers button[data-optimizer='GA']")
    assert not any(part.is_visible() for part in (*cells.all(), *rows.all()))
    assert said == []


@browsing
def test_rows_of_a_long_table_are_chosen_by_words(tab, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "FILTERED", 3)
    writing._environment.cache_clear()
    write(whole.parent, tmp_path / "long.html", brief=True)
    writing._environment.cache_clear()
    page, said = opened(tab, tmp_path / "long.html")
    page.locator(".filter input").first.fill("GA nk")
    rows = page.locator("#tables table").first.locator("tbody tr")
    seen = [row.inner_text().split("\t")[:2] for row in rows.all() if row.is_visible()]
    assert seen == [["nk", "GA"]]
    assert said == []


@browsing
def test_the_pointer_shows_a_value_that_was_drawn(tab, whole):
    page, _ = opened(tab, whole)
    for other in (0, 2):
        page.locator(".optimizers button").nth(other).click()
    line = page.locator("#figure-convergence .arm[data-optimizer='GA'][data-x]").first
    x, y = (line.get_attribute(f"data-{along}").split()[-1] for along in "xy")
    line.scroll_into_view_if_needed()
    path = (
        "const p = g.querySelector('path'), at ="
        " p.getPointAtLength(p.getTotalLength()).matrixTransform(p.getScreenCTM())"
    )
    page.mouse.move(
        *line.evaluate(f"g => {{ {path}; return [at.x, at.y]; }}")
    )  # where its end was drawn
    assert page.inner_text("#value").split("\n") == [
        "GA",
        f"cost (evaluations): {x}",
        f"gap to the optimum: {y}",
    ]


def in_order(page, column, reverse):
    values = page.evaluate(column)
    return values == sorted(values, reverse=reverse)


@browsing
def test_a_table_is_sorted(tab, whole):
    page, _ = opened(tab, whole)
    table = page.locator("#tables table").first
    head = table.locator("th", has_text="median")
    column = "[...document.querySelector('#tables table').tBodies[0].rows].map(row => +row.cells[2].dataset.sort)"
    for reverse, way in ((False, "ascending"), (True, "descending")):
        head.click()
        table.locator(f"th[aria-sort={way}]").wait_for()
        # asked from here: the page's policy forbids what waits within it
        wait_for(partial(in_order, page, column, reverse))
        assert len(set(page.evaluate(column))) > 2


@browsing
def test_it_is_readable_with_scripts_off(browser, whole):  # noqa: F811
    page = browser.new_page(viewport={"width": 390, "height": 900}, java_script_enabled=False)
    page.goto(whole.as_uri())
    text = page.inner_text("body")
    for part in (
        STUDY["question"].replace(LABEL, HOSTILE),
        "random is best",
        "undecided" if "undecided" in text else "fails",
        "Final loss",
        "(4 worlds",  # of the answer
        "Running time",
        "git checkout",
        "torch",
    ):
        assert part in text, part
    assert not page.is_visible(".optimizers")
    assert page.locator("#figure-convergence svg").is_visible()
    assert page.locator("#tables table").first.is_visible()
    assert page.locator("#figure-convergence .arm title").first.text_content() == "random"


@browsing
def test_everything_has_a_name_and_headings_are_in_order(tab, whole):
    page, _ = opened(tab, whole)
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    assert page.evaluate(
        "[...document.querySelectorAll('[role=img],[role=region],button')].every(e => e.ariaLabel ||"
        " e.innerText.trim())"
    )
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_it_is_one_small_file_that_asks_for_nothing(whole):
    text = whole.read_text(encoding="utf-8")
    assert len(text) < 1_000_000
    assert HOSTILE not in text
    for fetched in ('src="http', "url(http", "@import", "<link rel=stylesheet", 'href="http'):
        assert fetched not in text
    assert "&lt;script&gt;" in text


def test_what_cannot_be_seen_says_what_was_found(page_of_whole):
    (figure, *_) = page_of_whole.figures
    alt = writing._alt(page_of_whole, figure)
    assert page_of_whole.answer[0].text in alt
    assert f"random is best {HOSTILE}" in alt


def test_a_figure_of_running_times_says_them(page_of_whole):
    timed = next(figure for figure in page_of_whole.figures if figure.name == "ecdf")
    assert page_of_whole.matrix.times[0] in writing._alt(page_of_whole, timed)


def test_the_page_shows_the_numbers_of_the_analysis(page_of_whole):
    found, data = page_of_whole, page_of_whole.data
    rows = {(row[0].text, row[1].text): row for row in found.tables[0].rows}
    assert len(rows) == 6
    for (landscape, arm), row in rows.items():
        low, median, high = quartiles(
            data["loss"].sel(landscape=landscape, optimizer=arm).isel(checkpoint=-1)
        )
        assert [float(row[k].sort) for k in (2, 4, 5)] == [median, low, high]
        assert row[6].text == "4"
    spent = (
        data["value_terms"].isel(checkpoint=-1).sum(["optimizer", "replicate"]) / data["terms"]
    ).sum()
    assert float(found.cost.total[3].sort) == pytest.approx(float(spent))
    assert [table.title for table in found.tables] == ["Final loss", "Running time", "Comparisons"]


@browsing
def test_the_page_of_a_study_that_runs_is_loaded_again(browser, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(writing, "_draw", lambda *_: None)  # figures take seconds
    out = compute(STUDY, tmp_path / "runs", cells=1)
    write(out, brief=True)
    page = browser.new_page()
    page.clock.install()
    page.goto((out / FILE).as_uri())
    banner = page.locator(".banner").first
    assert banner.inner_text().startswith("Partial, as of ")
    compute(STUDY, out)
    write(out)
    page.clock.fast_forward(21_000)
    page.wait_for_function("!document.body.innerText.includes('Partial')")
    assert page.locator("[data-again]").count() == 0
    page.close()


@browsing
def test_a_partial_study_says_so(tab, tmp_path):
    out = compute(STUDY, tmp_path / "part", cells=2, failed=1)
    write(out, brief=True)
    page, said = opened(tab, out / FILE)
    assert "2 of 6 cells are there" in page.inner_text(".banner >> nth=0")
    assert "1 of 6 cells failed" in page.inner_text(".banner.bad")
    assert "no luck <script>" in page.inner_text("#failed")
    assert page.evaluate("window.hurt") is None
    assert said == []


@browsing
def test_a_study_where_all_failed(tab, tmp_path):
    out = compute(STUDY, tmp_path / "none", cells=0, failed=6)
    write(out)
    page, said = opened(tab, out / FILE)
    assert "6 cells, among them: " in page.inner_text("#failed")
    assert "No cell has finished" in page.inner_text("#failed")
    assert page.locator("figure").count() == 0
    assert said == []


def test_a_figure_that_breaks_does_not_break_the_report(whole, monkeypatch):
    def broken(dataset, width):
        raise RuntimeError("a mistake of ours")

    monkeypatch.setitem(sys.modules["studies.report.writing"].EVERY, "convergence", broken)
    page = write(whole.parent, whole.parent / "broken.html", brief=True)
    assert page.figures == []
    assert page.absent == [
        "convergence: cannot be drawn from these results (RuntimeError: a mistake of ours)"
    ]


@pytest.mark.verify
def test_the_command_joins_several_studies(whole, capsys, tmp_path):
    other = compute(STUDY | {"name": "other", "claims": {}}, tmp_path / "other one", cells=1)
    index = tmp_path / "all.html"
    assert main([str(whole.parent), str(other), "--brief", "--out", str(index)]) == 0
    assert capsys.readouterr().out.split("\n")[:-1] == [str(whole), str(other / FILE), str(index)]
    text = index.read_text(encoding="utf-8")
    assert "other%20one/report.html" in text
    assert "1 of 6 cells (partial)" in text
    assert text.count("<svg") == 2
    assert HOSTILE not in text


def test_no_study_is_one_line_and_exit_code_2(tmp_path, capsys):
    assert main([str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.startswith("open_study: expected a study's folder")
    assert "OSError" not in finish(tmp_path)
    assert finish(tmp_path).startswith("no report yet")


@pytest.mark.verify
def test_it_is_written_while_the_study_runs(tmp_path):
    out = compute(STUDY, tmp_path / "running", cells=1)
    with live(out, every=0.1):
        wait_for(lambda: (out / FILE).exists())
    assert "1 of 6 cells are there" in (out / FILE).read_text(encoding="utf-8")
    assert list(out.glob(".*.tmp")) == []
