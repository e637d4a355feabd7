"""`start:`: the same for a trajectory and a population, and the law that was asked for."""

import copy

import numpy as np
import pytest
import torch
from scipy import stats

from landscapes.base import Bits
from studies.cells.loop import Setting, run_worlds
from studies.results import settings
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan, manifest
from studies.study_file.study import StudyError
from tests.support.each import each

STUDY = {
    "name": "starts",
    "budget": 60,
    "replicates": 4,
    "checkpoints": [1.0],
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 3}, "bits": {"kind": "onemax", "n": 5}},
    "optimizers": {
        "SGD": {"kind": "sgd", "learning_rate": 0.01},
        "ES": {"kind": "openai_es"},
        "GA": {"kind": "ga", "population": 6},
    },
}
COVARIANCE = [[2.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 0.5]]
MEAN = [1.0, -2.0, 0.5]


def changed(family, label, **entry):
    study = copy.deepcopy(STUDY)
    study[family][label] |= entry
    return study


def tasks(study):
    arms = make_plan(load_study(study)).arms
    return {(arm.coords["landscape"], arm.coords["optimizer"]): arm.task for arm in arms}


def started(task, worlds, n):
    """Starting points (R, n, D) of a task."""
    return Setting.of(task, torch.arange(worlds)).problem.start(n)


def test_without_a_start_it_is_the_landscapes_own():
    for task in tasks(STUDY).values():
        setting = Setting.of(task, torch.arange(4))
        assert task.start is None
        assert torch.equal(setting.problem.start(3), setting.landscape.start(setting.streams.at(0), 3))


def test_uniform_is_what_landscapes_have_by_default():
    named, plain = tasks(changed("landscapes", "bowl", start="uniform")), tasks(STUDY)
    for optimizer in ("SGD", "GA"):
        ours, theirs = (started(part["bowl", optimizer], 4, 3) for part in (named, plain))
        assert torch.equal(ours, theirs)


def test_a_gaussian_start_has_the_covariance_that_was_asked_for():
    """The sample covariance S of N normal vectors: (N - 1) a'Sa / a'Ca is chi^2 with N - 1 degrees."""
    law = {"gaussian": {"mean": MEAN, "covariance": COVARIANCE}}
    points = started(tasks(changed("landscapes", "bowl", start=law))["bowl", "GA"], 500, 8)
    sample = points.reshape(-1, 3).numpy()
    n, covariance = len(sample), np.array(COVARIANCE)

    def accepted(asked):
        directions = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, -1, 0], [0, 1, 1], [0, 1, -1]]
        low, high = stats.chi2.ppf([5e-5, 1 - 5e-5], n - 1) / (n - 1)
        ratios = [a @ np.cov(sample.T) @ a / (a @ asked @ a) for a in np.array(directions)]
        return all(low <= ratio <= high for ratio in ratios)

    assert accepted(covariance)
    assert not accepted(np.diag(np.diag(covariance)))  # without its correlations
    away = (sample.mean(0) - MEAN) / np.sqrt(np.diag(covariance) / n)
    assert (abs(away) < 4).all()


def test_frequencies_are_chances_of_each_locus():
    chances = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    law = {"frequencies": chances.tolist()}
    points = started(tasks(changed("landscapes", "bits", start=law))["bits", "GA"], 400, 10)
    assert points.dtype == torch.uint8
    ones = points.reshape(-1, 5).double().mean(0).numpy()
    assert (abs(ones - chances) <= 4 * np.sqrt(chances * (1 - chances) / 4000)).all()


@pytest.mark.parametrize(
    ("landscape", "law"),
    [
        ("bowl", {"gaussian": {"covariance": 2.0}}),
        ("bowl", {"point": [1.0, 2.0, 3.0]}),
        ("bits", {"frequencies": 0.3}),
        ("bits", "wild_type"),
    ],
)
@pytest.mark.parametrize("shared", [False, True])
def test_searches_of_a_world_start_alike(landscape, law, shared):
    law = ({law: True} if isinstance(law, str) else law) | {"shared": shared}
    every = tasks(changed("landscapes", landscape, start=law))
    starts = []
    for optimizer in ("SGD", "ES", "GA"):
        setting = Setting.of(every[landscape, optimizer], torch.arange(4))
        first = setting.problem.start(3)[:, :1]
        assert torch.equal(first, setting.problem.start(1))
        genotype = isinstance(setting.landscape.domain, Bits) or landscape == "bowl"
        starts.append(first.double() if genotype else (first > 0).double())
    assert all(torch.equal(start, starts[0]) for start in starts)
    alike = bool((starts[0] == starts[0][:1]).all())
    assert alike == (shared or "point" in law or "wild_type" in law)
    losses = {
        run_worlds(task, torch.arange(4))["start_loss"].values.tobytes()
        for (place, _), task in every.items()
        if place == landscape
    }
    assert len(losses) == 1


def test_a_world_starts_alike_in_any_company():
    law = {"gaussian": {"mean": MEAN, "covariance": COVARIANCE}}
    task = tasks(changed("landscapes", "bowl", start=law))["bowl", "GA"]
    every = started(task, 40, 5)
    for world in (0, 7, 39):
        alone = Setting.of(task, torch.tensor([world])).problem.start(5)
        assert torch.equal(alone[0], every[world])


def test_an_optimizers_own_start_goes_before_that_of_the_landscape():
    study = changed("landscapes", "bowl", start={"point": 1.0})
    study["optimizers"]["GA"]["start"] = {"point": 2.0}
    study["optimizers"]["GA"]["only"] = ["bowl"]
    every = tasks(study)
    assert started(every["bowl", "GA"], 2, 2).unique().tolist() == [2.0]
    assert started(every["bowl", "SGD"], 2, 2).unique().tolist() == [1.0]
    assert every["bits", "SGD"].start is None


def test_relative_targets_begin_at_the_start():
    """The quadratic at (2, 0, 0) of curvature 1 along its first axis, and half of that."""
    study = changed("landscapes", "bowl", start={"point": [2.0, 0.0, 0.0]}, condition=1.0)
    study |= {"targets": {"values": [0.5], "relative": "start"}}
    study["landscapes"].pop("bits")
    data = run_worlds(tasks(study)["bowl", "SGD"], torch.arange(2))
    np.testing.assert_allclose(data["start_loss"], 0.5 * 2.0**2, rtol=1e-12)
    np.testing.assert_allclose(data["target_level"], 0.5 * 0.5 * 2.0**2, rtol=1e-12)


def test_a_start_is_swept_stored_and_may_have_formulas():
    study = changed("landscapes", "bowl", start={"gaussian": {"covariance": "1 / dim"}})
    study["optimizers"] = {"GA": STUDY["optimizers"]["GA"]}
    assert tasks(study)["bowl", "GA"].start["gaussian"]["covariance"] == pytest.approx(1 / 3)
    study = changed("landscapes", "bowl", start={"point": 0.0})
    axis = "landscapes.bowl.start.point"
    study["sweep"] = {axis: [1.0, 2.0]}
    plan = make_plan(load_study(study))
    given = {arm.coords[axis]: arm.task.start for arm in plan.arms if arm.coords["landscape"] == "bowl"}
    assert given == {value: {"point": value, "shared": False} for value in (1.0, 2.0)}
    stored = settings._read(manifest(plan, [])["attrs"][settings.ATTRIBUTE])
    assert {settings.numbers([arm]).get("start.point") for arm in stored} == {1.0, 2.0, None}
    assert load_study(load_study(study).resolved).resolved == load_study(study).resolved


@each(
    ("label", "law", "line"),
    [
        ("bowl", "wild_type", "start: landscape 'bowl' is on reals, where a start is uniform or point or gaussian"),
        ("bits", {"gaussian": {}}, "start: landscape 'bits' is on bits, where a start is uniform or wild_type or point or frequencies"),
        ("bowl", {"point": [1.0, 2.0]}, "start.point: expected a number, or 3 of them, got 2 (landscape 'bowl')"),
        ("bits", {"point": 0.5}, "start.point: expected bits, 0 or 1 (landscape 'bits')"),
        ("bits", {"frequencies": 1.5}, "start.frequencies: expected numbers from 0 to 1 (landscape 'bits')"),
        ("bowl", {"gaussian": {"covariance": [[1.0, 2.0, 0], [2.0, 1.0, 0], [0, 0, 1.0]]}}, "start.gaussian: expected a symmetric matrix without negative eigenvalues (landscape 'bowl')"),
        ("bowl", {"gaussian": {"covariance": -1.0}}, "start.gaussian: expected a symmetric matrix without negative eigenvalues (landscape 'bowl')"),
        ("bowl", {"points": 1.0}, "start.points: unknown key for start; did you mean 'point'?"),
        ("bowl", {"point": 1.0, "uniform": True}, "start: expected one of uniform, wild_type, point, frequencies, gaussian, got uniform, point"),
        ("bowl", "unifrom", "start: expected uniform, got 'unifrom'"),
        ("bowl", "point", "start: expected {point: ..}, got 'point'"),
        ("bowl", "xyz", "start: expected uniform or wild_type, or a mapping of one law, got 'xyz'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(label, law, line):
    with pytest.raises(StudyError) as caught:
        load_study(changed("landscapes", label, start=law))
    assert caught.value.lines == [f"study: landscapes.{label}.{line}"]
