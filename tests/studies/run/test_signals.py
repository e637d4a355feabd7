"""What is not computed ends at once: a run that is told to stop draws nothing."""

import contextlib
import os
import signal

import pytest

from studies.run import __main__ as command
from studies.run import live_report, session
from studies.run.session import Outcome
from studies.run.signals import STOPS, stop_signals
from tests.support.interrupts import interrupts  # noqa: F401

pytestmark = pytest.mark.usefixtures("interrupts")

STUDY = {
    "name": "stopped",
    "budget": 30,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 2}},
    "optimizers": {"GD": {"kind": "sgd"}},
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(str(STUDY).replace("'", '"'))
    return path


def never(*words, **more):
    raise AssertionError("it was drawn")


@pytest.mark.parametrize("number", STOPS)
def test_a_signal_while_figures_are_drawn_ends_the_run_and_says_how_to_go_on(
    file, tmp_path, monkeypatch, capsys, number
):
    monkeypatch.setattr(command, "_execute", lambda *words: Outcome("complete", [], None))
    monkeypatch.setattr(command, "_tell_outcome", lambda *words, **more: os.kill(os.getpid(), number))
    monkeypatch.setattr(live_report, "finish", never)
    handler = signal.getsignal(signal.SIGTERM)
    assert command.main([str(file), "--out", str(tmp_path / "out")]) == 130
    assert "run the same command again to go on" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is handler


@pytest.mark.parametrize("number", STOPS)
def test_a_signal_while_no_worker_is_there_yet_ends_the_run(
    file, tmp_path, monkeypatch, capsys, number
):
    @contextlib.contextmanager
    def without_workers(*words):
        os.kill(os.getpid(), number)
        yield pytest.fail("it went on waiting")

    monkeypatch.setattr(session, "connect", without_workers)
    assert command.main([str(file), "--out", str(tmp_path / "out"), "--no-report"]) == 130
    assert "run the same command again to go on" in " ".join(capsys.readouterr().err.split())


def test_nohup_stays(monkeypatch):
    monkeypatch.setattr(signal, "getsignal", {signal.SIGHUP: signal.SIG_IGN}.get)
    taken = []
    monkeypatch.setattr(signal, "signal", lambda number, handler: taken.append(number))
    with stop_signals(None):
        assert taken == [signal.SIGINT, signal.SIGTERM]


def test_a_run_that_was_stopped_draws_no_report(file, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "_execute", lambda *words: Outcome("stopped", [], None))
    monkeypatch.setattr(live_report, "finish", never)
    assert command.main([str(file), "--out", str(tmp_path / "out")]) == 130
    told = " ".join(capsys.readouterr().err.split())
    assert "finished cells are kept; run the same command again to go on" in told


def test_run_study_that_was_stopped_draws_no_report(file, tmp_path, monkeypatch):
    monkeypatch.setattr(session, "execute", lambda *words, **more: Outcome("stopped", [], None))
    monkeypatch.setattr(session, "finish", never)
    with pytest.raises(KeyboardInterrupt, match="finished cells are kept"):
        session.run_study(str(file), tmp_path / "out", {})
