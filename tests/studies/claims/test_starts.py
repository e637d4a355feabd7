"""Targets that starts had: wherever a hit is asked for, it is said of how many worlds."""

import numpy as np
import pytest

from studies import analysis
from studies.ask import main
from studies.claims import CLAIMS
from tests.support.each import each
from tests.support.runs import here

DIM, WORLDS = 4, 8
STUDY = {
    "name": "starts",
    "replicates": WORLDS,
    "seed": 3,
    "budget": {"steps": 4},
    "checkpoints": [0.5, 1.0],
    "landscapes": {"bowl": {"kind": "quadratic", "dim": DIM, "condition": 1}},
    "optimizers": {
        name: {"kind": "sgd", "learning_rate": rate} for name, rate in (("A", 0.1), ("B", 0.2))
    },
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Results with a target between the starts, and how many starts lie below it."""
    starts = here(STUDY, tmp_path_factory.mktemp("before"))["start_loss"]
    ordered = np.sort(starts.sel(optimizer="A").values.ravel())
    target = float(ordered[2:4].mean())
    study = STUDY | {"targets": [target, 1e-9]}
    return here(study, tmp_path_factory.mktemp("starts")), target, 3


def test_an_answer_says_how_many_starts_had_the_target(ran):
    data, target, below = ran
    answer = analysis.quantity(data, f"median(hit({target!r}))")
    assert (answer["met_at_start"] == below).all()
    assert answer["met_at_start"].dims == answer["quantity"].dims
    # the hits of these worlds are at cost 0, and of no others
    assert (data["hit_cost"].isel(target=0) == 0).sum("replicate").values.ravel().tolist() == [
        below
    ] * 2
    pair = analysis.quantity(data, f'hit({target!r})["A"] - hit({target!r})["B"]')
    assert pair["met_at_start"].item() == below
    # of a loss that is no target of the study too, and of all starts
    assert (analysis.quantity(data, "ert(1e9)")["met_at_start"] == WORLDS).all()
    assert (analysis.quantity(data, "median(hit(1e-9))")["met_at_start"] == 0).all()
    assert "met_at_start" not in analysis.quantity(data, "mean(loss)")


def test_ask_prints_it(ran, monkeypatch, capsys):
    data, target, below = ran
    monkeypatch.setattr("studies.open_study", lambda path: data)
    assert main(["x", f"median(hit({target!r}))"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "met at the start" in said
    assert f"{below} worlds" in said
    assert main(["x", "median(hit(1e-9))"]) == 0
    assert "met at the start" not in capsys.readouterr().out


@each(
    "claim",
    [
        {"kind": "law", "optimizer": "A", "observe": "median(hit({}))", "predicted": 1},
        {"kind": "law", "optimizer": "A", "observe": "mean(loss)", "predicted": "mean(hit({}))"},
        {"kind": "ordering", "better": "B", "worse": "A", "by": "hit({})"},
        {"kind": "ordering", "better": "B", "worse": "A", "by": "median(hit({}))"},
        {"kind": "equality", "first": "A", "second": "B", "by": "share(hit({}) < 9)", "margin": 0.1},
    ],
)
def test_claims_say_it(ran, claim):
    data, target, below = ran
    others = ((1e9, WORLDS), (1e-9, 0)) if "observe" in claim else ()
    for level, count in ((target, below), *others):
        said = {
            key: value.format(level) if isinstance(value, str) else value
            for key, value in claim.items()
        }
        (row,) = CLAIMS[said.pop("kind")](**said).judge(data)
        assert (f"a target was met at the start by {count} of {WORLDS} worlds" in row.note) == (
            count > 0
        )
        assert ("at the start" in row.note) == (count > 0)
