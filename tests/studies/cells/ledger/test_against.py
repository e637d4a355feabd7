"""The error of a step beside the same step with other settings."""

import sys

import numpy as np
import pytest
import torch
import xarray as xr

from landscapes import LANDSCAPES
from landscapes.oracle.evaluation import evaluate
from landscapes.oracle.noise import mean_of
from landscapes.streams import Streams
from studies import analysis
from studies.study_file.loading import load_study
from studies.study_file.study import StudyError
from tests.support.each import each
from tests.support.runs import here

START = {"ledger": {"moments": [0.0], "redraws": 4, "references": ["raw"]}}
STUDY = {
    "name": "against",
    "replicates": 3,
    "seed": 5,
    "checkpoints": [1.0],
    "budget": {"steps": 2},
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 3, "condition": 1}},
    "optimizers": {"SGD": {"kind": "sgd", "learning_rate": 0.2}},
} | START


def against(settings, **changes):
    ledger = (STUDY | changes)["ledger"] | {"against": settings}
    return STUDY | changes | {"ledger": ledger}


def told(data, text):
    value = analysis.quantity(data, text)["quantity"]
    return value.values.ravel().tolist()


def test_a_clipped_step_is_shorter_and_points_the_same_way(tmp_path):
    clip = {"SGD": {"kind": "sgd", "learning_rate": 0.2, "clip": 0.5}}
    data = here(against({"optimizers.SGD.clip": None}, optimizers=clip), tmp_path)
    # on a bowl of curvature 1 the gradient is x, and the clipped one x / (2 |x|)
    start = data["start_loss"].values.ravel()
    length = np.sqrt(2 * start)
    assert (length > 0.5).all()
    ended = {"atol": 1e-12, "rtol": 1e-12}
    error = 0.2 * (length - 0.5)
    for quantile in data["against_error"].transpose("error_quantile", ...).values:
        np.testing.assert_allclose(quantile.ravel(), error / (0.2 * length), **ended)
    total = (0.2 * length) @ (0.2 * length)
    (whole,) = told(data, "ledger.error")
    assert whole == pytest.approx(np.sqrt(error @ error / total), rel=1e-12)
    (shorter,) = told(data, "ledger.error_length")
    assert shorter == pytest.approx(np.sqrt(3 * 0.1**2 / total), rel=1e-12)
    (cosine,) = told(data, "ledger.error_cosine")
    assert cosine == pytest.approx(1, abs=1e-14)  # clipping turns no step, whatever the lengths are
    np.testing.assert_allclose(data["against_bias_squared"].values.ravel(), error**2, **ended)


@pytest.mark.parametrize(("kind", "exact"), [("digits", True), ("batch_norm", False)])
def test_accumulation_is_exact_for_sums_alone(kind, exact, tmp_path):
    """The whole gradient at the start, and the mean of those of pieces, by hand."""
    study = against(
        {"oracle.micro_batches": 1},
        landscapes={"net": {"kind": kind, "hidden": 2}},
        oracle={"micro_batches": 30},
        replicates=1,
    )
    data = here(study, tmp_path)
    streams = Streams(seed=5, worlds=torch.tensor([0]), dtype=torch.float64)
    landscape = LANDSCAPES[kind](hidden=2).bind(streams)
    x = landscape.start(streams.at(0), 1)
    whole = evaluate(landscape, x, gradient=True).gradient[0, 0]
    (relative,) = told(data, "ledger.error")
    if exact:
        assert 0 <= relative < 1e-13
        return
    index = torch.arange(landscape.terms)[None, None]
    pieces = [
        evaluate(landscape, x, mean_of(part, torch.float64), gradient=True).gradient[0, 0]
        * (part.shape[-1] / landscape.terms)
        for part in index.tensor_split(30, -1)
    ]
    expected = float((torch.stack(pieces).sum(0) - whole).norm() / whole.norm())
    assert expected > 0.01
    assert relative == pytest.approx(expected, rel=1e-9)
    (cosine,) = told(data, "ledger.error_cosine")
    parts = torch.stack(pieces).sum(0)
    turned = float(parts @ whole / (parts.norm() * whole.norm()))
    assert turned < 1 - 1e-4
    assert cosine == pytest.approx(turned, rel=1e-9)


def test_worlds_in_blocks_have_the_same_errors(tmp_path, monkeypatch):
    study = against({"optimizers.SGD.momentum": 0.5}, noise={"evaluation": {"gradient": 1.0}})
    whole = here(study, tmp_path / "whole")
    monkeypatch.setattr(sys.modules["studies.cells.ledger.record"], "LIMIT", 1)
    alone = here(study, tmp_path / "alone")
    names = [name for name in whole if name.startswith("against_")]
    assert "against_error" in names
    xr.testing.assert_allclose(alone[names], whole[names], rtol=1e-9)


def test_both_steps_see_the_same_draws(tmp_path):
    """A smaller learning rate scales every step, whatever was drawn: the error is that share, the cosine 1."""
    bowl = {"bowl": {"kind": "quadratic", "dim": 3, "terms": 20}}
    es = {
        "SGD": {"kind": "sgd", "learning_rate": 0.1},
        "ES": {"kind": "openai_es", "population": 6, "learning_rate": 0.1},
        "GA": {"kind": "ga", "population": 6},
    }
    settings = {"optimizers.SGD.learning_rate": 0.4, "optimizers.ES.learning_rate": 0.4}
    data = here(against(settings, landscapes=bowl, optimizers=es, noise={"batch": 4}), tmp_path)
    for name in ("SGD", "ES"):
        one = data.sel(optimizer=name)
        np.testing.assert_allclose(one["against_error"].values, 0.75, rtol=1e-9)
        assert told(one, "ledger.error_cosine")[0] == pytest.approx(1, abs=1e-9)
        # the step is noisy, so its mean is shorter than its length
        mean, every = one["against_bias_squared"].values, one["against_error_squared"].values
        assert (mean < every).all()
    assert np.isnan(data.sel(optimizer="GA")["against_error"].values).all()


WORKERS, RATE = 4, 0.3


def stale(settings, **changes):
    kind = {"kind": "async_sgd", "learning_rate": RATE, "workers": WORKERS}
    late = kind | {"service": {"kind": "constant"}}
    ledger = {"moments": [0.125, 0.5, 0.875], "redraws": 4, "references": ["raw"]}
    return against(settings, optimizers={"late": late}, budget={"steps": 8}, ledger=ledger, **changes)


@pytest.mark.parametrize("setting", [{"workers": 1}, {"mode": "sync"}, {"mode": "sync", "workers": 3}])
def test_a_stale_step_is_held_against_a_fresh_one(setting, tmp_path):
    """On a bowl of curvature 1, x_{k+1} = x_k - eta x_{k-s}, s = min(k, W - 1), so that x_k = c_k x_0."""
    settings = {f"optimizers.*.{name}": value for name, value in setting.items()}
    data = here(stale(settings), tmp_path)
    scales = [1.0]
    for k in range(7):
        scales.append(scales[k] - RATE * scales[max(0, k - WORKERS + 1)])
    asked = [(scales[k], scales[max(0, k - WORKERS + 1)]) for k in (1, 4, 7)]
    error = np.array([abs(old - now) / abs(now) for now, old in asked])
    assert (error > 0.3).all()
    quantiles = data["against_error"].transpose(..., "error_quantile", "moment").values
    np.testing.assert_allclose(quantiles, np.broadcast_to(error, quantiles.shape), rtol=1e-9)
    lengths = data["against_step_squared"] / data["against_squared"]
    squares = np.array([(old / now) ** 2 for now, old in asked])
    expected = np.broadcast_to(squares, lengths.transpose(..., "moment").shape)
    np.testing.assert_allclose(lengths.transpose(..., "moment").values, expected, rtol=1e-9)
    signs = np.sign([old * now for now, old in asked])
    turned = data["against_cosine"].transpose(..., "moment").values
    np.testing.assert_allclose(turned, np.broadcast_to(signs, turned.shape), rtol=1e-9)


def test_a_stale_step_and_a_fresh_one_see_the_same_batch(tmp_path):
    """Of one batch of terms that are bowls of one curvature, the difference is eta (x_old - x_now), without noise."""
    terms = {"bowl": {"kind": "quadratic", "dim": 3, "condition": 1, "terms": 20}}
    data = here(stale({"optimizers.*.workers": 1}, landscapes=terms, noise={"batch": 2}), tmp_path)
    squared, bias = data["against_error_squared"].values, data["against_bias_squared"].values
    assert (squared > 0).all()
    np.testing.assert_allclose(bias, squared, rtol=1e-9)
    assert (data["step_variance"].sel(direction="all") > 1e-6).all()


@each(
    ("settings", "message"),
    [
        (
            {"oracle.micro_batch": 1},
            "unknown path 'oracle.micro_batch'; did you mean 'oracle.micro_batches'?",
        ),
        ({"budget": 3}, "unknown path 'budget'"),
        ({"optimizers.SGD.only": []}, "unknown path 'optimizers.SGD.only'"),
        ({"optimizers.SGD.clip": None}, "changes nothing in any arm"),
        ({"optimizers.SGD.clip": -1}, "clip: expected > 0"),
    ],
)
def test_bad_input_is_one_line(settings, message):
    with pytest.raises(StudyError) as error:
        load_study(against(settings))
    (line,) = str(error.value).splitlines()
    assert "against" in line
    assert message in line


def test_settings_that_need_another_state_are_refused(tmp_path):
    ga = {"GA": {"kind": "ga", "population": 6}}
    with pytest.raises(ValueError, match="ledger.against: ga keeps other states"):
        here(against({"optimizers.GA.population": 8}, optimizers=ga), tmp_path)


def test_other_workers_that_are_stale_too_are_refused(tmp_path):
    with pytest.raises(ValueError, match="ledger.against: async_sgd keeps other states"):
        here(stale({"optimizers.*.workers": 2}), tmp_path)


def test_cells_of_arms_that_it_does_not_touch_keep_their_addresses():
    ga = {"SGD": {"kind": "sgd", "clip": 1.0}, "GA": {"kind": "ga", "population": 6}}
    plain, held = (
        {arm.label: arm.scalars["ledger"] for arm in load_study(study).arms}
        for study in (STUDY | {"optimizers": ga}, against({"optimizers.SGD.clip": None}, optimizers=ga))
    )
    assert plain["GA"] == held["GA"]
    assert held["SGD"]["against"]["optimizer"]["clip"] is None
    assert set(held["SGD"]["against"]) == {"optimizer"}
