"""The command line: exit codes, one clear line for every mistake, and Ctrl-C."""

import json
import os
import signal
import threading

import pytest

from studies import open_study
from studies.run.__main__ import main
from studies.run.clusters import connect
from tests.support.runs import (
    ALIKE,
    FEW,
    again,
    cells,
    family,
    finish,
    no_leftovers,  # noqa: F401
    setenv,
    start,
    wait_for,
    write,
)


def test_help(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    assert "--dry-run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["nowhere.yaml"], "nowhere.yaml: no such file"),
        (["study.yaml", "--workers", "0"], "--workers: expected >= 1, got 0"),
        (["study.yaml", "--set", "replicates=-1"], "replicates"),
        (["study.yaml", "--out", "file"], "file"),
        (["study.yaml", "--cluster", "tcp://127.0.0.1:1"], "no scheduler answers at tcp://127.0.0.1:1"),
        (["study.yaml", "--cluster", "tcp://127.0.0.1:1", "--workers", "2"], "has its own workers"),
        (["study.yaml", "--cluster", "pigeon"], "expected 'local' or the address of a scheduler"),
        ([], "expected CONFIG"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys, words, text):
    write(tmp_path)
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    try:
        code = main(words)
    except SystemExit as end:  # argparse
        code = end.code
    lines = [
        line for line in capsys.readouterr().err.splitlines() if not line.startswith(("usage", " "))
    ]
    assert code == 2
    assert len(lines) == 1
    assert text in lines[0]


def test_a_dry_run_shows_the_cells_and_writes_nothing(tmp_path, monkeypatch, capsys):
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["study.yaml", "--dry-run", "--set", "replicates=2"]) == 0
    out = capsys.readouterr().out
    assert "bowl" in out
    assert "960" in out
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


def test_the_schema_is_json(capsys):
    assert main(["--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["landscapes"]


def test_a_run_leaves_what_it_promises_and_strict_looks_closer(tmp_path, capsys):
    diverging = {"SGD": {"kind": "sgd", "learning_rate": 1e200}}
    write(
        tmp_path,
        FEW | {"figures": ["convergence"], "sweep": {}, "optimizers": diverging, "budget": 400},
    )
    assert again(tmp_path, "--workers", "1") == 0
    assert {"cells", "dataset.zarr", "figures", "plan.json", "study.yaml"} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }
    assert "convergence.png" in {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    shown = capsys.readouterr().out
    assert "out/dataset.zarr" in shown
    assert "steep bowl" in shown
    before = cells(tmp_path)
    assert again(tmp_path, "--strict") == 1
    assert "a world diverged" in capsys.readouterr().err
    assert cells(tmp_path) == before
    assert (
        main([str(tmp_path / "out" / "study.yaml"), "--dry-run"]) == 0
    )  # the resolved study is a study


def begun(folder):
    """Addresses of cells that a worker is at, or has just left."""
    return {path.name.partition(".")[0] for path in (folder / "out" / "crash").glob("*.txt")}


@pytest.fixture
def slow_cells():
    """Each cell of a slow bowl takes two seconds, on the warm cluster."""
    with connect("local", 1) as client:
        client.run(setenv, "TEST_DELAY", "2.0")
        yield
        client.run(setenv, "TEST_DELAY", "0.0")


@pytest.fixture
def interrupts():
    """Ctrl-C reaches this process as it does in a terminal; processes of xdist ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_running_cells_land(tmp_path, slow_cells, interrupts, capsys, number):
    write(tmp_path, ALIKE)
    landed = []

    def interrupt():
        wait_for(lambda: len(cells(tmp_path)) >= 1)
        wait_for(lambda: begun(tmp_path) - cells(tmp_path).keys())  # the next cell is on its way
        landed.append(len(cells(tmp_path)))
        os.kill(os.getpid(), number)

    other = threading.Thread(target=interrupt)
    other.start()
    code = again(tmp_path)
    other.join()
    err = capsys.readouterr().err
    assert code == 130, err
    assert "run the same command again" in " ".join(err.split())
    assert "Traceback" not in err
    assert landed[0] < len(cells(tmp_path)) <= landed[0] + 2
    partial = open_study(tmp_path / "out")
    assert 0 < int((partial["status"] == 5).sum()) < partial["status"].size


def test_the_second_signal_aborts(tmp_path):
    write(tmp_path)
    process = start(tmp_path, "--workers", "1", delay=86400)
    wait_for(lambda: list((tmp_path / "out" / "crash").glob("*.txt")))
    children = family(process)
    os.killpg(process.pid, signal.SIGINT)
    said = ""
    while "once more to abort" not in said:  # the first signal was taken
        said += process.stderr.read(1)
    assert all(child.is_running() for child in children)  # it is not theirs
    os.killpg(process.pid, signal.SIGINT)
    code, out, err = finish(process)
    assert code == 130, err
    assert "Traceback" not in err
    wait_for(lambda: not any(child.is_running() for child in children))
    assert cells(tmp_path) == {}
