"""python -m studies.watch: how far a study is, and a server that only this machine may ask."""

import http.client
import json
import os
import platform
import threading
from contextlib import contextmanager

import pytest

from studies.report.tables import final_loss
from studies.results import store
from studies.run import notes
from studies.watch import server as serving
from studies.watch.__main__ import main
from studies.watch.progress import MOST, QUIET, Medians, progress
from studies.watch.server import HEADERS, address, server
from tests.support.browser import browser, browsing  # noqa: F401
from tests.support.patience import patience
from tests.support.results import real, shared  # noqa: F401

BEGAN = 1_700_000_000.0  # when the run's plan was written
ADDRESSES = [f"{number:032x}" for number in range(4)]
CELLS = [
    (0, 0, 10),
    (0, 10, 30),
    (1, 0, 10),
    (1, 10, 30),
]  # task, worlds: of its budget 10 and 20 times
PLAN = {
    "attrs": {"name": "mine"},
    "tasks": [{"budget": 100.0}, {"budget": 500.0}],
    "arms": [
        {"coords": {"landscape": "bowl", "optimizer": "GA", "n": 3}, "task": 0},
        {"coords": {"landscape": "bowl", "optimizer": "SGD", "n": 3}, "task": 1},
    ],
    "cells": [
        {"address": address, "task": task, "first": first, "last": last}
        for address, (task, first, last) in zip(ADDRESSES, CELLS, strict=True)
    ],
}


def aged(path, when=BEGAN):
    """A file and the folders that it is in, all of this time."""
    for place in (path, path.parent, path.parent.parent):
        os.utime(place, (when, when))


def finish(out, number, when):
    path = store.cell_path(out, ADDRESSES[number])
    store.write_text("", path)
    aged(path, when)


def fail(out, number):
    path = store.error_path(out, ADDRESSES[number])
    store.write_text(json.dumps({"error": "ValueError: it broke", "traceback": ""}), path)
    aged(path)


@pytest.fixture
def out(tmp_path):
    out = tmp_path / "results" / "mine"
    (out / "cells").mkdir(parents=True)
    store.write_text(json.dumps(PLAN), out / "plan.json")
    aged(out / "plan.json")
    aged(out / "cells")
    return out


def note(out, number, process, began=BEGAN):
    own = notes.here(0, 10)._replace(process=process, began=began)
    path = out / "crash" / f"{ADDRESSES[number]}.{process}.txt"
    store.write_text(own.text, path)
    aged(path)


# how far it is ----------------------------------------------------------------------------------------------


def test_cells_are_counted_by_arm(out):
    finish(out, 0, BEGAN + 10)
    fail(out, 2)
    note(out, 3, os.getpid())
    now = progress(out, BEGAN + 20)
    assert now["study"] == "mine"
    assert now["cells"] == {"here": 1, "failed": 1, "planned": 4}
    assert now["arms"] == [
        {"landscape": "bowl", "arm": "GA, n = 3", "here": 1, "failed": 0, "running": 0, "planned": 2},
        {"landscape": "bowl", "arm": "SGD, n = 3", "here": 0, "failed": 1, "running": 1, "planned": 2},
    ]
    (line,) = now["running"]
    assert line.startswith(
        f"bowl, SGD, n = 3: worlds 0 .. 9 on {platform.node()}, process {os.getpid()}"
    )
    assert now["failed"] == [{"error": "ValueError: it broke", "cells": 1, "what": ""}]


def test_the_time_left_is_that_of_the_evaluations_left(out):
    """1,000 of 18,000 evaluations took 20 s: the other 17,000 take 340; without those of a cell that failed 240."""
    finish(out, 0, BEGAN + 10)
    assert progress(out, BEGAN + 20)["left"] == pytest.approx(340)
    fail(out, 2)
    assert progress(out, BEGAN + 20)["left"] == pytest.approx(240)


def test_cells_of_an_earlier_run_are_no_measure_of_its_pace(out):
    finish(out, 0, BEGAN - 1000)
    assert progress(out, BEGAN + 20)["left"] is None
    finish(out, 1, BEGAN + 10)  # 2,000 evaluations; 15,000 are left
    assert progress(out, BEGAN + 20)["left"] == pytest.approx(150)


def test_it_learns_how_the_run_ended(out):
    assert progress(out, BEGAN + QUIET / 2)["state"] == "running"
    assert progress(out, BEGAN + 2 * QUIET)["state"] == "stopped"
    note(out, 3, os.getpid())
    assert progress(out, BEGAN + 2 * QUIET)["state"] == "running"
    for number in (0, 1, 2):
        finish(out, number, BEGAN)
    (note_of_three,) = (out / "crash").iterdir()
    note_of_three.unlink()
    fail(out, 3)
    assert progress(out, BEGAN + 1)["state"] == "ended"
    finish(out, 3, BEGAN)
    assert progress(out, BEGAN + 1)["state"] == "complete"
    assert progress(out, BEGAN + 1)["left"] is None


def test_a_note_of_a_process_that_is_gone_is_no_sign_of_life(out):
    note(out, 3, 2**22 + 1)  # a number that no process has
    os.utime(out / "crash", (BEGAN, BEGAN))
    now = progress(out, BEGAN + 2 * QUIET)
    assert now["state"] == "stopped"
    assert sum(arm["running"] for arm in now["arms"]) == 0


def test_before_there_is_a_plan(tmp_path):
    (tmp_path / "cells").mkdir()
    now = progress(tmp_path)
    assert (now["state"], now["arms"], now["left"]) == ("running", [], None)
    assert now["cells"] == {"here": 0, "failed": 0, "planned": 0}


def test_many_arms_are_one_for_each_optimizer(out):
    arms = [
        {"coords": {"landscape": "bowl", "optimizer": "GA", "n": n}, "task": 0} for n in range(MOST + 1)
    ]
    store.write_text(json.dumps(PLAN | {"arms": arms}), out / "plan.json")
    (row,) = progress(out, BEGAN)["arms"]
    assert (row["arm"], row["planned"]) == ("GA", 2 * (MOST + 1))


# medians ----------------------------------------------------------------------------------------------------


class Clock:
    """Every look takes a second."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        self.seconds += 1.0
        return self.seconds


def test_medians_are_the_reports(shared):  # noqa: F811
    data = real("search", shared)
    made = Medians(shared / "search").now()
    rows = [[row[k].text for k in (0, 1, 2, 3, 6)] for row in final_loss(data).rows]
    assert (made["rows"], made["note"]) == (rows, "")


def test_medians_are_made_again_where_cells_have_come_and_not_too_often(out, monkeypatch):
    made = []
    monkeypatch.setattr("studies.watch.progress._medians", lambda out: made.append(out) or [])
    clock = Clock()
    medians = Medians(out, clock)
    for _ in range(3):
        medians.now()
    assert len(made) == 1  # nothing has come
    finish(out, 0, BEGAN)
    medians.now()
    assert len(made) == 1  # it is too early
    clock.seconds += 1000
    medians.now()
    assert len(made) == 2


def test_what_cannot_be_made_is_said(out):
    store.write_text("{", out / "plan.json")
    assert Medians(out).now()["note"].startswith("no medians: ")


# the server -------------------------------------------------------------------------------------------------


@pytest.fixture
def served(out):
    with serving_of(out) as made:
        yield made


@contextmanager
def serving_of(out):
    """A server that answers while this lasts."""
    made = server(out, 0)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def asked(served, path, method="GET", host=None):
    """Status, headers and text of an answer."""
    name, port = served.server_address
    connection = http.client.HTTPConnection(name, port, timeout=patience(30))
    connection.request(method, path, headers={"Host": host.format(port)} if host else {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


def everything(out):
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in [out, *out.rglob("*")]}


def test_it_shows_a_page_and_its_numbers_and_writes_nothing(served, out):
    finish(out, 0, BEGAN)
    before = everything(out)
    status, headers, text = asked(served, "/")
    assert (status, text) == (200, serving.page())
    assert {name: headers[name] for name in HEADERS} == HEADERS
    status, headers, text = asked(served, "/progress.json?again=1")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(text)["cells"] == {"here": 1, "failed": 0, "planned": 4}
    assert asked(served, "/medians.json")[0] == 200
    assert everything(out) == before


def test_only_this_machine_may_ask(served):
    assert served.server_address[0] == "127.0.0.1"
    assert asked(served, "/", host="localhost:{}")[0] == 200
    for host in ("evil.example:{}", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{}"):
        status, _, text = asked(served, "/progress.json", host=host)
        assert (status, "mine" in text) == (403, False)


@pytest.mark.parametrize("path", ["/plan.json", "/../plan.json", "/cells", "/progress.json/"])
def test_no_other_file_is_shown(served, path):
    assert asked(served, path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_told_to_it(served, method):
    assert asked(served, "/progress.json", method)[0] == 501


# the page ---------------------------------------------------------------------------------------------------


@pytest.fixture
def tab(browser):  # noqa: F811
    """A page, and what its console says."""
    page, said = browser.new_page(), []
    page.set_default_timeout(1000 * patience(30))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page, said
    page.close()


def texts(page, rows):
    """What stands in the cells of each row of a table, once there is one."""
    page.locator(f"{rows} tr").first.wait_for()
    return [row.locator("td").all_inner_texts() for row in page.locator(f"{rows} tr").all()]


@browsing
@pytest.mark.verify
def test_the_page_shows_arms_and_medians(tab, shared):  # noqa: F811
    page, said = tab
    data = real("search", shared)
    with serving_of(shared / "search") as served:
        page.goto(address(served))
        arms = {(landscape, arm): numbers for landscape, arm, _, *numbers in texts(page, "#arms")}
        medians = texts(page, "#medians")
    assert [*arms] == [(name, arm) for name in ("nk", "bowl") for arm in ("SGD", "ES", "GA")]
    assert {tuple(numbers) for numbers in arms.values()} == {("1", "0", "0", "1")}  # a cell each
    assert medians == [[row[k].text for k in (0, 1, 2, 3, 6)] for row in final_loss(data).rows]
    assert page.inner_text("#state") == "Complete: all cells are there"
    assert page.inner_text("#failed") == "No cell failed."
    assert said == []


@browsing
@pytest.mark.verify
def test_the_page_learns_that_the_run_ended(tab, out, served):
    page, said = tab
    for number in (0, 1, 2):
        finish(out, number, BEGAN)
    note(out, 3, os.getpid())
    page.goto(address(served))
    page.locator("#state.running").wait_for()
    assert page.inner_text("#counts").startswith(" · 3 of 4 cells, 0 failed")
    assert page.locator("#running li").count() == 1
    (own,) = (out / "crash").iterdir()
    own.unlink()
    fail(out, 3)
    page.locator("#state.ended").wait_for()
    assert page.inner_text("#state") == "Ended: some cells failed"
    assert page.inner_text("#running") == "Nothing."
    assert page.inner_text("#failed h3") == "ValueError: it broke"
    assert said == []


# the command ------------------------------------------------------------------------------------------------


def test_ctrl_c_ends_it_quietly(out, monkeypatch, capsys):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(serving._Server, "serve_forever", interrupted)
    assert main([str(out), "--port", "0"]) == 0
    said, error = capsys.readouterr()
    assert said.startswith("http://127.0.0.1:")
    assert said.endswith(f"/ shows {out}; Ctrl-C ends it\n")
    assert error == ""


def test_a_port_that_is_taken_is_one_line(served, out, capsys):
    port = address(served).rpartition(":")[2].strip("/")
    assert main([str(out), "--port", port]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"--port: expected one that is free, {port} is not")
    assert error.count("\n") == 1


@pytest.mark.parametrize("words", [["nowhere"], [".", "--port", "70000"], ["."]])
def test_what_is_no_study_or_no_port_is_one_line(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
