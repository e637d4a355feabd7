"""Arms of equal noise: the search itself, against closed forms where noise is known, and through the command line."""

import json
import math

import pytest

from studies.cells.loop import run_cell
from studies.results import store, view
from studies.run.__main__ import main
from studies.run.calibration.matched import notes
from studies.run.calibration.pilots import AWAY, Pilots
from studies.run.calibration.search import CLOSE, FAR, MOST, search, settled
from studies.study_file.check_match import mistakes
from studies.study_file.draft import Draft
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from studies.study_file.sections import MatchModel
from studies.study_file.study import StudyError
from studies.study_file.template import Template
from tests.support.each import each
from tests.support.runs import BOWL, again, cells, no_leftovers, unpaced, write  # noqa: F401

SIGMA = 1.5  # of each coordinate of a gradient
BOWLS = {
    "name": "matched",
    "budget": 50,
    "replicates": 12,
    "checkpoints": [1.0],
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 4, "condition": 1.0}},
    "noise": {"evaluation": {"value": 0.0, "gradient": SIGMA}},
    "optimizers": {
        "SGD": {"kind": "sgd"},
        "ES": {"kind": "openai_es", "shaping": "raw", "learning_rate": 0.01},
    },
    "match": {"reference": "SGD", "at": 0, "vary": {"ES": {"population": [4, 400]}}},
    "ledger": {"moments": [0.0], "redraws": 48, "points": 4, "modes": 1},
}


# where no noise is compared with a closed form
QUICK = {"replicates": 3, "ledger": BOWLS["ledger"] | {"redraws": 8}}


def found(study, out):
    """What the pilots find, and how many were computed."""
    pilots, computed = Pilots(load_study(study), out), 0
    for missing in pilots.rounds():
        for cell in missing:
            assert cell.first >= AWAY
            store.write_cell(run_cell(cell), store.cell_path(out, cell.address))
        computed += len(missing)
    return pilots, computed


# the search -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("power", [-2.0, -1.0, 0.5])
def test_a_power_law_takes_three_values(power):
    asked = []

    def quantity(x):
        asked.append(x)
        return 3 * x**power

    at = search(quantity, 3 * 20**power, 2, 500)
    assert at.value == pytest.approx(20, rel=2 * CLOSE)
    assert (at.bound, at.evaluations) == (None, 3)
    assert asked[:2] == [2, 500]


def test_a_curve_that_is_no_power_law_is_found_too():
    at = search(lambda x: 1 / x + 0.01 * x, 0.5, 0.1, 9)
    assert 1 / at.value + 0.01 * at.value == pytest.approx(0.5, rel=CLOSE)


@pytest.mark.parametrize(
    ("target", "value", "bound"),
    [(0.5, 10, "high"), (20.0, 2, "low"), (10 / 2.0, 2, None), (10 / 10.05, 10, None)],
)
def test_a_range_that_does_not_reach_the_target_gives_its_nearest_bound(target, value, bound):
    assert search(lambda x: 10 / x, target, 2, 10) == (value, bound, 2)


def test_whole_numbers_are_each_asked_once_and_the_nearest_is_taken():
    asked = []

    def quantity(n):
        asked.append(n)
        return 1 / n

    at = search(quantity, 1 / 3.2, 2, 60, settled(Template({"kind": "ga"}, {}, {}), "population"))
    assert at.value == 3
    assert len(set(asked)) == len(asked) == at.evaluations <= MOST
    assert all(isinstance(n, int) for n in asked[2:])


def test_no_more_than_so_many_values_are_asked():
    asked = []

    def quantity(x):
        asked.append(x)
        return 1.0 if x < math.pi else 2.0  # it jumps over the target

    at = search(quantity, 1.5, 1, 1000)
    assert len(asked) == at.evaluations == MOST
    assert at.bound is None


@pytest.mark.parametrize(("lost", "side"), [(-3.0, 1), (math.inf, 1), (0.0, -1)])
def test_a_lost_signal_is_a_large_ratio_and_no_noise_a_small_one(lost, side):
    at = search(lambda x: lost if (x > 10) == (side > 0) else x**side, 5**side, 1, 100)
    assert at.value == pytest.approx(5, rel=0.5) if side > 0 else at.value > 10
    assert FAR > math.log(100)


@each(
    ("spec", "name", "value", "expected"),
    [
        ({"kind": "ga"}, "population", 6.6, 7),
        ({"kind": "ga", "elite": 8}, "population", 6.6, 9),
        ({"kind": "openai_es"}, "population", 6.6, 6),
        ({"kind": "openai_es"}, "population", 7.4, 8),
        ({"kind": "openai_es", "antithetic": False}, "population", 7.4, 7),
        ({"kind": "sgd"}, "batch", 0.3, 1),
        ({"kind": "sgd"}, "learning_rate", 0.123456789, 0.123457),
    ],
)
def test_a_value_is_the_nearest_that_the_optimizer_takes(spec, name, value, expected):
    at = settled(Template(spec, {}, {}), name)(value)
    assert at == expected
    assert type(at) is type(expected)


# closed forms -----------------------------------------------------------------------------------------------


@pytest.mark.verify
def test_an_es_gets_the_noise_of_sgd(tmp_path):
    """SGD: d sigma^2 / |g|^2; an ES of n mirrored pairs.

    (d + 1) / n, so its population is 2 (d + 1) |g|^2 / (d sigma^2).
    """
    pilots, _ = found(BOWLS, tmp_path)
    (one,) = pilots.results
    assert one["bound"] is None
    sgd = 4 * SIGMA**2 / (4 * 25 / 3)  # a start is uniform in [-5, 5]^4
    low, high = one["target_interval"]
    assert low < sgd < high
    low, high = one["reached_interval"]
    assert low < 2 * 5 / one["value"] < high
    assert one["value"] == pytest.approx(2 * 5 / one["target"], rel=0.1)
    assert not low < 2 * 4 / one["value"] < high  # the trace without the step along the gradient
    assert [
        arm.optimizer["population"] for arm in pilots.study().arms if arm.coords["optimizer"] == "ES"
    ] == [one["value"]]
    again_found, computed = found(BOWLS, tmp_path)
    assert computed == 0
    assert again_found.results == pilots.results


def test_what_is_matched_may_be_a_quantity(tmp_path):
    """The length of the mean step: of gradient descent without noise it is proportional to the learning rate."""
    optimizers = {
        "reference": {"kind": "sgd", "learning_rate": 0.02},
        "SGD": {"kind": "sgd", "momentum": 0.0},
    }
    match = {
        "reference": "reference",
        "quantity": "ledger.length",
        "at": 0,
        "vary": {"SGD": {"learning_rate": [0.005, 0.1]}},
    }
    (told,) = found(BOWLS | QUICK | {"optimizers": optimizers, "match": match}, tmp_path)[0].results
    assert told["value"] == pytest.approx(0.02, rel=0.05)
    assert told["reached"] == pytest.approx(told["target"], rel=0.1)


# the mean length of a gradient after half of a pilot; the learning rate follows the momentum
SLOPES = (
    BOWLS
    | QUICK
    | {
        "optimizers": {
            "reference": {"kind": "sgd", "learning_rate": 0.02},
            "SGD": {"kind": "sgd", "learning_rate": "1 - momentum", "momentum": 0.5},
        },
        "record": {"slope": "norm(gradient)", "theta": "center[0]"},
        "match": {
            "reference": "reference",
            "quantity": "mean(slope, since=0.5)",
            "at": 1,
            "vary": {"SGD": {"momentum": [0.9, 0.999]}},
        },
    }
)


def test_a_pilot_records_what_its_quantity_names(tmp_path):
    first = next(Pilots(load_study(SLOPES), tmp_path).rounds())
    assert [[*cell.task.expressions] for cell in first] == [["slope"]] * 3


@pytest.mark.verify
def test_what_is_matched_may_be_recorded_and_of_any_time(tmp_path):
    pilots, _ = found(SLOPES, tmp_path)
    (told,) = pilots.results
    assert told["reached"] == pytest.approx(told["target"], rel=0.1)
    arm = next(arm for arm in pilots.study().arms if arm.coords["optimizer"] == "SGD")
    assert arm.optimizer["momentum"] == told["value"]
    assert arm.optimizer["learning_rate"] == pytest.approx(1 - told["value"], rel=1e-12)
    assert [*make_plan(pilots.study()).tasks[0].expressions] == ["slope", "theta"]


def test_a_quantity_to_match_that_no_pilot_has_is_told_when_the_study_is_read():
    match = {"reference": "SGD", "vary": {"other": {"learning_rate": [0.01, 0.1]}}}
    optimizers = {label: {"kind": "sgd"} for label in ("SGD", "other")}
    study = BOWLS | {"optimizers": optimizers, "match": match | {"quantity": "mean(slope)"}}
    with pytest.raises(StudyError, match="match.quantity: unknown quantity 'slope'"):
        load_study(study)


@pytest.mark.verify
def test_learning_rate_gives_the_temperature_of_langevin_dynamics(tmp_path):
    """Langevin: T + eta sigma^2 / 2, SGD: eta sigma^2 / 2."""
    optimizers = {
        "SGD": {"kind": "sgd"},
        "heat bath": {"kind": "langevin", "temperature": 0.3, "learning_rate": 0.05},
    }
    match = {
        "reference": "heat bath",
        "quantity": "temperature",
        "at": 0,
        "vary": {"SGD": {"learning_rate": [0.01, 1.5]}},
    }
    (one,) = found(BOWLS | {"optimizers": optimizers, "match": match}, tmp_path)[0].results
    assert one["target_interval"][0] < 0.3 + 0.05 * SIGMA**2 / 2 < one["target_interval"][1]
    assert one["value"] == pytest.approx(0.05 + 2 * 0.3 / SIGMA**2, rel=0.1)
    assert one["bound"] is None


@pytest.mark.verify
def test_each_point_of_a_sweep_is_matched_apart_and_bounds_are_told(tmp_path):
    """The noise of a mini-batch falls as 1 / B, so the population that has it grows as B."""
    landscapes = {
        "bowl": {"kind": "quadratic", "dim": 4, "condition": 1.0, "terms": 64, "noise_scale": 4.0}
    }
    quiet = {"landscapes": landscapes, "noise": {}, "sweep": {"optimizers.SGD.batch": [4, 16, 2]}}
    study = BOWLS | quiet | {"match": BOWLS["match"] | {"vary": {"ES": {"population": [20, 400]}}}}
    pilots, _ = found(study, tmp_path)
    four, sixteen, two = pilots.results
    assert sixteen["value"] == pytest.approx(4 * four["value"], rel=0.15)
    assert (two["value"], two["bound"]) == (20, "low")
    (line,) = notes(pilots.results)
    assert line.startswith(
        "match: ES on bowl at batch = 2: no population from 20 to 400 has the noise_to_signal of SGD, "
    )
    assert "; population = 20 is used, which has 0." in line
    assert [
        task.optimizer["population"]
        for task in make_plan(pilots.study()).tasks
        if task.optimizer["kind"] == "openai_es"
    ] == [
        four["value"],
        sixteen["value"],
        20,
    ]


def test_a_reference_without_noise_is_one_line(tmp_path):
    ledger = BOWLS["ledger"] | {"redraws": 4, "points": 2}  # all of them equal
    with pytest.raises(StudyError) as caught:
        found(BOWLS | {"noise": {}, "replicates": 2, "ledger": ledger}, tmp_path)
    assert caught.value.lines == ["match: SGD on bowl: expected a noise_to_signal > 0 to match, got 0"]


# the study file ---------------------------------------------------------------------------------------------

GRID = {"ES": BOWLS["optimizers"]["ES"] | {"grid": {"sigma": [0.1, 0.2]}}}
SEVERAL = "has a grid, so it is several arms; give one value of each parameter"
RANGE = "expected a range [low, high] with 0 < low < high"


@each(
    ("match", "more", "line"),
    [
        ({"reference": "SDG"}, {}, "match.reference: unknown optimizer; did you mean 'SGD'?"),
        (
            {"vary": {"EZ": {"population": [2, 9]}}},
            {},
            "match.vary.EZ: unknown optimizer; expected one of: SGD, ES",
        ),
        ({"vary": {"SGD": {"learning_rate": [2, 9]}}}, {}, "match.vary.SGD: is the reference itself"),
        (
            {"vary": {"ES": {"populaton": [2, 9]}}},
            {},
            "match.vary.ES.populaton: unknown key for openai_es; did you mean 'population'?",
        ),
        ({"vary": {"ES": {"population": [9, 2]}}}, {}, f"match.vary.ES.population: {RANGE}"),
        ({"vary": {"ES": {"population": 9}}}, {}, f"match.vary.ES.population: {RANGE}, got 9"),
        (
            {"vary": {"ES": {"population": [2, 9]}}},
            {},
            "match.vary.ES.population[1]: expected an even number with antithetic points, got 9",
        ),
        (
            {"vary": {"ES": {"population": [1, 8]}}},
            {},
            "match.vary.ES.population[0]: expected >= 2, got 1",
        ),
        (
            {"vary": {"ES": {"population": [2, 8.5]}}},
            {},
            "match.vary.ES.population[1]: expected a whole number, got 8.5",
        ),
        ({"vary": {}}, {}, "match.vary: expected at least 1 entry"),
        ({"vary": {"ES": {}}}, {}, "match.vary.ES: expected at least 1 entry"),
        (
            {"vary": {"ES": {"population": [2, 8], "sigma": [1, 2]}}},
            {},
            "match.vary.ES: expected at most 1 entry",
        ),
        ({"at": 2}, {}, "match.at: expected <= 1, got 2"),
        ({"refrence": "SGD"}, {}, "match.refrence: unknown key for match; did you mean 'reference'?"),
        ({"quantity": "temprature"}, {}, "did you mean 'temperature'?"),
        ({}, {"optimizers": BOWLS["optimizers"] | GRID}, f"match.vary.ES.population: ES {SEVERAL}"),
        (
            {"reference": "ES", "vary": {"SGD": {"learning_rate": [1, 2]}}},
            {"optimizers": BOWLS["optimizers"] | GRID},
            f"match.reference: ES {SEVERAL}",
        ),
        (
            {},
            {
                "optimizers": (
                    BOWLS["optimizers"]
                    | {"ES": {"kind": "openai_es", "on": {"bowl": {"population": 8}}}}
                )
            },
            "optimizers.ES.on.bowl.population: is found by match; leave it out here",
        ),
        (
            {},
            {"sweep": {"optimizers.ES.population": [8, 16]}},
            "sweep.optimizers.ES.population: is found by match, so it cannot be swept",
        ),
        (
            {},
            {"sweep": {"optimizers.ES.on.bowl.population": [8, 16]}},
            "sweep.optimizers.ES.on.bowl.population: is found by match, so it cannot be swept",
        ),
        (
            {"quantity": "effective_population"},
            {},
            (
                "effective_population of SGD is not known on landscape 'bowl': it searches no bits, so that it"
                " has no two alleles"
            ),
        ),
        (
            {"quantity": "temperature"},
            {
                "landscapes": {"nk": {"kind": "nk", "n": 6, "k": 1}},
                "optimizers": BOWLS["optimizers"]
                | {"ES": {"kind": "openai_es", "relaxation": "threshold"}},
            },
            (
                "match.quantity: temperature of ES is not known on landscape 'nk': the loss has no slope"
                " there with relaxation threshold"
            ),
        ),
    ],
)
def test_a_mistake_is_one_line(match, more, line):
    with pytest.raises(StudyError) as caught:
        load_study(BOWLS | {"match": BOWLS["match"] | match} | more)
    lines = [text for text in caught.value.lines if "effective_population of ES" not in text]
    assert len(lines) == 1
    assert lines[0].endswith(line)


def test_what_is_no_number_cannot_vary():
    with pytest.raises(
        StudyError,
        match=(
            "match.vary.ES.antithetic: is not a number, so it cannot vary; one that can: population, sigma, "
        ),
    ):
        load_study(BOWLS | {"match": BOWLS["match"] | {"vary": {"ES": {"antithetic": [1, 2]}}}})


def test_the_resolved_study_matches_again():
    study = load_study(BOWLS)
    assert study.match == MatchModel(reference="SGD", at=0, vary={"ES": {"population": [4, 400]}})
    assert load_study(study.resolved) == study
    assert load_study(BOWLS | {"match": None}).match is None


def test_an_entry_with_mistakes_of_its_own_is_told_once():
    optimizers = BOWLS["optimizers"] | {"ES": {"kind": "openai_es", "sigma": -1}}
    with pytest.raises(StudyError) as caught:
        load_study(BOWLS | {"optimizers": optimizers})
    assert caught.value.lines == ["study: optimizers.ES.sigma: expected > 0, got -1"]
    draft = Draft(
        data={"optimizers": {}}, labels={"optimizers": ["SGD", "ES"]}, classes={"optimizers": {}}
    )
    assert [*mistakes(load_study(BOWLS).match, draft, [])] == []


# the command line -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("unpaced")
def test_a_run_matches_first_and_a_second_one_finds_everything(tmp_path, capsys):
    near = {"match": BOWLS["match"] | {"vary": {"ES": {"population": [32, 40]}}}}
    file = str(write(tmp_path, BOWLS | QUICK | near | {"figures": []}))
    assert main([file, "--dry-run", "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert (
        "match: population of ES from 32 to 40, for the noise_to_signal of SGD: at most 8 pilots for each of"
        " 1 arms" in " ".join(shown.split())
    )
    assert not (tmp_path / "out").exists()

    assert again(tmp_path) == 0
    before, shown = cells(tmp_path), capsys.readouterr().out
    data = view.open_study(tmp_path / "out")
    (one,) = json.loads(data.attrs["match"])
    assert "noise_to_signal as SGD's at 0 of the budget" in shown
    tasks = json.loads((tmp_path / "out" / "plan.json").read_text())["tasks"]
    assert [
        task["optimizer"]["population"] for task in tasks if task["optimizer"]["kind"] == "openai_es"
    ] == [one["value"]]
    assert again(tmp_path) == 0
    assert cells(tmp_path) == before
    assert main([file, "--dry-run", "--out", str(tmp_path / "out")]) == 0
    assert "pilots are not there yet" not in capsys.readouterr().out


BROKEN = {"kind": BOWL, "trouble": "raise"}


@pytest.mark.verify
def test_a_pilot_that_fails_ends_the_run_and_is_tried_again(tmp_path, capsys):
    write(
        tmp_path,
        BOWLS
        | {
            "landscapes": {"bowl": BROKEN | {"while_there": str(tmp_path / "broken")}},
            "replicates": 4,
            "figures": [],
        },
    )
    (tmp_path / "broken").touch()
    assert again(tmp_path) == 2
    assert "cells failed; why is in" in " ".join(capsys.readouterr().err.split())
    assert cells(tmp_path) == {}
    assert not (tmp_path / "out" / "plan.json").exists()
    (tmp_path / "broken").unlink()
    assert again(tmp_path) == 0


# with factors -----------------------------------------------------------------------------------------------


@pytest.mark.verify
def test_sources_are_switched_after_matching(tmp_path):
    """One search for all values of a factor, where nothing is off, even where off leaves nothing to match.

    What is found holds at all of them.
    """
    study = BOWLS | QUICK | {"factors": ["evaluation"]}
    pilots, _ = found(study, tmp_path)
    (one,) = pilots.results
    assert one["coords"] == {"landscape": "bowl", "optimizer": "ES"}
    assert one["value"] > 4
    arms = {(arm.coords["optimizer"], arm.coords["evaluation"]): arm for arm in pilots.study().arms}
    assert [arms["ES", level].optimizer["population"] for level in ("on", "off")] == [one["value"]] * 2
    assert "evaluation" in arms["SGD", "off"].noise["off"]


def test_what_a_factor_switches_off_stays_off(tmp_path):
    """The rate of mutation is found where there is mutation."""
    optimizers = {
        "SGD": {"kind": "sgd"},
        "WF": {
            "kind": "wright_fisher",
            "population": 16,
            "crossover": "none",
            "selection_strength": 0.05,
        },
    }
    match = {"reference": "SGD", "at": 0, "vary": {"WF": {"mutation_rate": [0.1, 0.9]}}}
    for levels in (["on", "off"], ["off", "on"]):
        study = (
            BOWLS
            | QUICK
            | {"optimizers": optimizers, "match": match, "factors": [{"mutation": levels}]}
        )
        pilots, _ = found(study, tmp_path)
        (one,) = pilots.results
        rates = {
            arm.coords["mutation"]: arm.optimizer.get("mutation_rate")
            for arm in pilots.study().arms
            if arm.coords["optimizer"] == "WF"
        }
        assert rates == {"on": one["value"], "off": 0.0}
