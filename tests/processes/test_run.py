"""The command line: exit codes, one clear line for every mistake, and Ctrl-C."""

import json
import os
import signal
import threading

import pytest

import studies.figures
from studies import open_study
from studies.run import clusters, sweep
from studies.run.__main__ import main
from studies.run.clusters import connect
from tests.support.interrupts import interrupts  # noqa: F401
from tests.support.runs import ALIKE, FEW, again, cells, setenv, sketch, unpaced, wait_for, write  # noqa: F401


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
        (["study.yaml", "--cluster", "pigeon"], "expected kind: one of local, ssh, slurm"),
        (["study.yaml", "--cluster", "pigeon", "--dry-run"], "expected kind: one of local, ssh, slurm"),
        (["study.yaml", "--drry-run"], "unrecognized arguments: --drry-run; did you mean --dry-run?"),
        (["study.yaml", "--workers", "two"], "invalid int value: 'two'; see --help"),
        ([], "expected CONFIG"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys, words, text):
    monkeypatch.setitem(clusters.ANSWER, "address", 0.1)
    write(tmp_path)
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    try:
        code = main(words)
    except SystemExit as end:  # argparse
        code = end.code
    lines = capsys.readouterr().err.splitlines()
    assert code == 2
    assert len(lines) == 1
    assert text in lines[0]


@pytest.mark.usefixtures("unpaced")
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


def test_a_run_leaves_what_it_promises_and_strict_looks_closer(tmp_path, capsys, monkeypatch):
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
    monkeypatch.setattr(studies.figures, "save", sketch)
    assert again(tmp_path, "--strict") == 1
    assert "a world diverged" in capsys.readouterr().err
    assert cells(tmp_path) == before
    assert (
        main([str(tmp_path / "out" / "study.yaml"), "--dry-run"]) == 0
    )  # the resolved study is a study


@pytest.fixture
def gate(tmp_path, warm_cluster):
    """The second cell of a slow bowl waits for a file `go`."""
    with connect("local", 1) as client:
        client.run(setenv, "TEST_GATE", str(tmp_path))
        yield
        client.run(setenv, "TEST_GATE", "")


@pytest.fixture
def taken(monkeypatch):
    """Whether the run has taken a signal."""
    asked, real = [], sweep.sweep

    def spied(client, cells, out, take, stopping, *more):
        asked.append(stopping)
        real(client, cells, out, take, stopping, *more)

    monkeypatch.setattr(sweep, "sweep", spied)
    return lambda: asked[0]()


@pytest.mark.usefixtures("interrupts")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_running_cells_land(tmp_path, gate, taken, capsys, number):
    write(tmp_path, ALIKE)

    def interrupt():
        wait_for((tmp_path / "waits").exists)
        assert len(cells(tmp_path)) == 1
        os.kill(os.getpid(), number)
        wait_for(taken)
        (tmp_path / "go").touch()

    other = threading.Thread(target=interrupt)
    other.start()
    code = again(tmp_path)
    other.join()
    err = capsys.readouterr().err
    assert code == 130, err
    assert "run the same command again" in " ".join(err.split())
    assert "Traceback" not in err
    assert len(cells(tmp_path)) == 2
    partial = open_study(tmp_path / "out")
    assert 0 < int((partial["status"] == 5).sum()) < partial["status"].size
