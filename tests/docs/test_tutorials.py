"""Tutorials run as they stand, and the site has every page."""

import re
import sys

import pytest

import studies
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from studies.figures import EVERY
from studies.study_file.loading import load_study
from tests.docs import make
from tests.support.each import each

TUTORIALS = {path.stem: path.read_text() for path in sorted((make.DOCS / "tutorials").glob("*.md"))}
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)
tutorials = each("tutorial", TUTORIALS)


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """A folder of a user's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


@tutorials
def test_every_line_is_python_and_the_study_loads(tutorial, monkeypatch):
    """Up to where it is run; what follows is run by `make verify`."""
    asked = []
    monkeypatch.setattr(studies, "run_study", lambda file, out: asked.append(load_study(file)))
    names, ran = {}, False
    for number, code in enumerate(CODE.findall(TUTORIALS[tutorial])):
        block = compile(code, f"{tutorial} {number}", "exec")
        if not ran:
            exec(block, names)
        ran = ran or bool(asked)
    assert len(asked) == 1


KINDS = {  # tutorial -> its kind that keeps the contract, and those that are shown to break it
    "landscape": ("partition:Partition", ["wrong:Partition"]),
    "optimizer": ("halves:Halves", ["draws:Halves", "mixes:Halves"]),
}


@each("tutorial", KINDS)
def test_own_kinds_keep_the_contract_and_wrong_ones_do_not(tutorial, monkeypatch, capsys):
    monkeypatch.setattr(studies, "run_study", lambda file, out: None)
    before = TUTORIALS[tutorial].partition("studies.run_study")[0].rpartition("```python\n")[0]
    (kind, wrong), names = KINDS[tutorial], {}
    for code in CODE.findall(before):
        exec(compile(code, tutorial, "exec"), names)
    said = capsys.readouterr().out
    assert f"{kind}: keeps the contract" in said
    for other in wrong:
        line = f"FAIL .*: {other.split(':')[0]}.py:.*\n{other}: \\d+ promises are broken"
        assert re.search(line, said, re.DOTALL), other


@tutorials
def test_links_of_tutorials_lead_somewhere(tutorial):
    links = re.findall(r"\]\(([^)#]+)", TUTORIALS[tutorial])
    assert links
    assert [link for link in links if not (make.DOCS / "tutorials" / link).exists()] == []


def test_a_progress_bar_is_shown_as_it_ended():
    pytest.importorskip("myst_nb", reason="expected the extra `docs`: pip install -e '.[docs]'")
    from nbformat.v4 import new_output

    from tests.docs import site

    texts = [
        "ready\n",
        "\x1b[?25lcells \x1b[90m--\x1b[0m 0/2",
        "\r\x1b[2Kcells 1/2",
        "\r\x1b[2Kcells 2/2\n",
        "end\n",
    ]
    streams = [new_output("stream", text=text) for text in texts]
    returned = new_output("execute_result", {"text/plain": "815"}, execution_count=1)
    (seen,) = site.settled([*streams, returned])
    assert seen.text == "ready\ncells 2/2\nend\n"


def broken(folder):
    """Page and link of those that lead nowhere within the site; Sphinx takes some of them for places of a page."""
    names = {
        path.resolve(): {*re.findall(r'id="([^"]+)"', path.read_text())}
        for path in folder.rglob("*.html")
    }
    for page in names:
        for link in re.findall(r'(?:href|src)="([^"]+)"', page.read_text()):
            file, _, place = link.partition("#")
            target = page.parent.joinpath(file.partition("?")[0]).resolve() if file else page
            inside = not re.match(r"\w+:", link)
            if inside and (not target.exists() or (place and place not in names.get(target, {place}))):
                yield page.name, link


@pytest.mark.verify
@pytest.mark.filterwarnings("default")  # of libraries that write the site
def test_the_site_has_every_page_and_tutorials_run(tmp_path, monkeypatch):
    """Any warning of Sphinx, as of a link that leads nowhere, is an error."""
    pytest.importorskip("myst_nb", reason="expected the extra `docs`: pip install -e '.[docs]'")
    from tests.docs import site

    monkeypatch.setattr(site, "SITE", tmp_path / "site")
    assert site.main() == 0
    html = tmp_path / "site" / "html"
    assert [*broken(html)] == []
    there = {path.stem for path in html.rglob("*.html")}
    assert {path.stem for path in make.DOCS.rglob("*.md")} <= there
    assert {"analysis", "commands", "keys", "landscapes"} <= there
    pictures = {path.stem for path in (tmp_path / "site/source/reference/pictures").glob("*.png")}
    assert pictures == {*LANDSCAPES, *OPTIMIZERS, *EVERY}
    drawn = (tmp_path / "site" / "html" / "studies/docs/tutorials/crossover.html").read_text()
    assert "<img" in drawn
    assert r"\begin{tabular}" in drawn


def test_every_page_is_in_the_navigation():
    pytest.importorskip("myst_nb", reason="expected the extra `docs`: pip install -e '.[docs]'")
    from tests.docs import site

    listed = [name for names in site.ORDER.values() for name in names]
    pages = {path.relative_to(make.DOCS).with_suffix("").as_posix() for path in make.DOCS.rglob("*.md")}
    assert sorted(listed) == sorted(pages)
