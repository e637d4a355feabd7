"""What is looked at while worlds run: milestones, and a user's own instruments."""

import itertools

import numpy as np
import pytest
import torch

from landscapes.oracle.bill import Bill
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from studies import describe
from studies.cells.contract import PluginError
from studies.cells.loop import bind
from studies.cells.milestones import Milestones
from studies.check.__main__ import main as check
from studies.kinds.instruments import Moment
from studies.results import store
from studies.run.calibration.trials import Trials
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from studies.study_file.study import StudyError
from tests.studies.cells.test_loop import run, task
from tests.support.each import each
from tests.support.runs import again, here, write

BOWL, SGD = {"kind": "quadratic", "dim": 3, "condition": 4}, {"kind": "sgd", "learning_rate": 0.1}
WRIGHT_FISHER = {"kind": "wright_fisher", "population": 4}
CHECKPOINTS = [1.0, 3.0, 12.0, 30.0]
STUDY = {
    "name": "looked",
    "budget": 30,
    "replicates": 3,
    "checkpoints": [0.1, 0.4, 1.0],
    "landscapes": {"bowl": BOWL},
    "optimizers": {"SGD": SGD},
    "record": {"mine": "tests.support.instruments:Radius"},
}


def own(name, **parameters):
    return {"kind": f"tests.support.instruments:{name}", **parameters}


def looked(name, optimizer=SGD, worlds=4, landscape=BOWL, **parameters):
    made = task(landscape, optimizer, record=[own(name, **parameters)], checkpoints=CHECKPOINTS)
    return run(made, range(worlds))


# milestones -------------------------------------------------------------------------------------------------


def test_worlds_come_to_milestones_at_steps_of_their_own():
    """Against a walk along each world's costs by hand."""
    costs, budget = [0.0, 1.0, 2.5, 4.0, 9.0], 6.0
    paid = np.array([[1, 2, 1], [1, 2, 4], [3, 1, 1], [1, 2, 2], [5, 2, 2], [1, 9, 1]])
    bill = Bill(3, terms=1, budget=budget)
    milestones, shown = Milestones(bill, costs), np.full((3, len(costs)), -1)
    shown[milestones.left()] = 0
    for step, count in enumerate(paid, start=1):
        alive = bill.alive.copy()
        bill.charge(count, gradient=False)
        passed = milestones.passed()
        assert alive[passed[0]].all()
        shown[passed] = step - 1
        shown[milestones.left()] = step
    for world, row in enumerate(paid.T.tolist()):
        spent = [0, *itertools.accumulate(row)]
        last = next(step for step, cost in enumerate(spent) if cost >= budget)
        expected = [max(step for step in range(last + 1) if spent[step] <= cost) for cost in costs]
        assert shown[world].tolist() == expected


def test_a_moment_keeps_what_the_bill_showed():
    """The search goes on, and an instrument may write on what it is shown: neither changes the other."""
    bowl = bind(task(BOWL, SGD), Streams(seed=1, worlds=torch.arange(2)))
    bill = Bill(2, terms=1, budget=9.0)
    bill.charge(np.array([1, 2]), gradient=True)
    moment = Moment.now(Oracle(bowl, Noise(), bill), None)
    moment.apart().gradient_terms.fill_(7)
    bill.charge(np.array([1, 2]), gradient=True)
    bill.tick("seconds", 3.0)
    assert moment.gradient_terms.tolist() == [1, 2]
    assert (moment.steps.tolist(), moment.seconds.tolist()) == ([1, 1], [0.0, 0.0])
    assert bill.gradients.tolist() == [2, 4]


# an instrument that keeps the contract ----------------------------------------------------------------------


def test_a_study_records_what_an_own_instrument_sees(tmp_path):
    """On x -> x - 0.1 * slope every coordinate shrinks by its factor in each step of cost 3."""
    data = here(STUDY, tmp_path)
    radius = data["radius"].squeeze(["landscape", "optimizer"])
    assert radius.dims == ("replicate", "checkpoint")
    assert radius.attrs == {"long_name": "distance of the center to the origin", "units": "1"}
    made = make_plan(load_study(STUDY)).tasks[0]
    for world in range(3):
        streams = Streams(seed=made.seed, worlds=torch.tensor([world]))
        bowl = bind(made, streams)
        x = bowl.start(streams.at(0), 1)[0]
        trail = []
        for _ in range(11):
            trail.append(float(x.norm()))
            x = x.detach().requires_grad_()
            (slope,) = torch.autograd.grad(bowl.loss(x[None]).sum(), x)
            x = (x - 0.1 * slope).detach()
        steps = [1, 4, 10]  # completed at costs of at most 3, 12 and 30
        assert radius.values[world] == pytest.approx([trail[step] for step in steps], rel=1e-12)
    assert (data["asked"] == 1).all()


def test_before_the_first_step_there_is_a_state_and_no_query():
    data = looked("Radius")
    assert np.isnan(data["asked"].values[:, 0]).all()
    assert np.isfinite(data["radius"].values).all()
    assert (data["asked"].values[:, 1:] == 1).all()


@pytest.mark.parametrize("optimizer", [SGD, {"kind": "ga", "population": 4}], ids=["sgd", "ga"])
def test_it_sees_the_truth_and_changes_no_other_number(optimizer):
    plain = run(task(BOWL, optimizer, checkpoints=CHECKPOINTS), range(4))
    data = looked("Named", optimizer)
    for name in set(plain.data_vars) - {"seconds"}:
        np.testing.assert_array_equal(data[name], plain[name])
    if optimizer is SGD:  # which recommends its center
        np.testing.assert_array_equal(data["center_loss"], data["loss"])


def test_a_world_alone_is_seen_as_in_its_batch():
    batch = looked("Radius", {"kind": "ga", "population": 4})
    alone = run(
        task(BOWL, {"kind": "ga", "population": 4}, record=[own("Radius")], checkpoints=CHECKPOINTS),
        [2],
    )
    np.testing.assert_array_equal(alone["radius"][0], batch["radius"][2])


def test_parameters_are_those_of_the_study():
    one, two = looked("Radius"), looked("Radius", unit=2.0)
    np.testing.assert_array_equal(one["radius"], 2 * two["radius"])


def test_cells_that_are_there_are_found_again(tmp_path):
    """Another parameter, or no instrument, is another cell."""
    here(STUDY, tmp_path)
    there = store.finished(tmp_path)

    def found(record):
        plan = make_plan(load_study({**STUDY, "record": record}))
        return [cell.address in there for cell in plan.cells(there)]

    assert found(STUDY["record"]) == [True]
    assert found({"another label": own("Radius", unit=1.0)}) == [True]
    assert found({"mine": own("Radius", unit=2.0)}) == [False]
    assert found({}) == [False]


def test_its_code_and_its_parameters_are_in_the_address():
    made = task(BOWL, SGD, record=[own("Radius", unit=1.0)])
    assert "tests.support.instruments" in made.modules
    assert made.code.endswith("Radius")
    assert made.canonical != task(BOWL, SGD, record=[own("Radius", unit=2.0)]).canonical
    assert "tests.support.instruments" not in task(BOWL, SGD).modules


def test_a_study_is_the_same_when_it_is_read_again():
    study = load_study(STUDY)
    assert study.resolved["record"] == {"mine": own("Radius", unit=1.0)}
    assert load_study(study.resolved).resolved == study.resolved
    assert load_study({**STUDY, "record": {}}).arms[0].scalars["record"] == []


def test_neither_trials_nor_pilots_are_looked_at(tmp_path):
    tuning = {
        "trials": 2,
        "worlds": 2,
        "ranges": {"SGD": {"learning_rate": {"low": 0.01, "high": 0.1}}},
    }
    trials = Trials(load_study({**STUDY, "tuning": tuning}), tmp_path)
    assert all(cell.task.record == [] for cell in trials.cells())


# those that break it ----------------------------------------------------------------------------------------


@each(
    ("name", "text"),
    [
        ("Long", r"expected viewed of shape \(R,\) = \(4,\), got \(4, 3\)"),
        ("Other", r"expected a dict with the keys of `variables` \(viewed\), got \['sight'\]"),
        ("Number", "expected viewed as a tensor, got float"),
        ("Nothing", r"expected a dict with the keys of `variables` \(viewed\), got None"),
        ("Draws", "draws from torch's global generator, so each run gives other numbers"),
        ("Changes", "changes cost in place, which others still read; return new tensors"),
        ("Across", "gives viewed of a world another value alone than among other worlds"),
    ],
)
def test_a_broken_promise_is_one_line(name, text):
    with pytest.raises(PluginError, match=rf"instruments\.py:\d+: {name}\.look: {text}") as told:
        looked(name)
    assert "\n" not in str(told.value)


def test_a_look_that_raises_is_refused_with_its_line(tmp_path, capsys):
    write(tmp_path, {**STUDY, "record": {"mine": "tests.support.instruments:Raises"}})
    assert again(tmp_path) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("refused: ")]
    assert "no_such_thing" in line
    assert "instruments.py:" in line
    assert line.endswith("in Raises.look)")


WRONG = [
    (
        "tests.support.instruments:Loss",
        "variables['loss']: the name 'loss' belongs to the Dataset of a study",
    ),
    ("tests.support.instruments:Silent", "expected variables, name -> (long name, unit), got none"),
    ("tests.support.instruments:Unfinished", "got none called look; write it"),
    (
        "tests.support.instruments:Careless",
        "variables['viewed']: expected (long name, unit), got 'no unit'",
    ),
    ("tests.support.instruments:Radios", "has no 'Radios'; did you mean 'Radius'?"),
    ("tests.support.plugins:Ridge", "to be a subclass of studies.kinds.instruments.Instrument"),
    ("no_such_module:Thing", "cannot import 'no_such_module:Thing'"),
    ("loss", "unknown name 'loss'; expected one of: center, recommendation, points, value, gradient"),
    (3, "an import path 'module:Class', or {kind: 'module:Class', its parameters}, got 3"),
    ({"unit": 2}, "record.mine.unit: unknown key; did you mean 'units'?"),
    (own("Radius", unit=-1.0), "record.mine.unit: expected > 0, got -1"),
    (own("Radius", unti=1.0), "record.mine.unti: unknown key; did you mean 'unit'?"),
    (own("Named", variable="loss"), "the name 'loss' belongs to the Dataset of a study"),
    (own("Named", variable="two words"), "expected the name of a variable"),
]


@each(("given", "text"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_instrument_is_one_line_at_load(given, text):
    with pytest.raises(StudyError) as told:
        load_study({**STUDY, "record": {"mine": given}})
    (line,) = told.value.lines
    assert line.startswith("study: record.mine")
    assert text in line


@each(
    ("changes", "text"),
    [
        (
            {"record": {"a": own("Named"), "b": own("Named")}},
            "record.b: records 'center_loss', but 'a' records it too; choose another name",
        ),
        (
            {"record": {"a": own("Named", variable="unfit_steps")}, "optimizers": {"W": WRIGHT_FISHER}},
            "record.a: records 'unfit_steps', but the optimizer wright_fisher records it too; choose another name",
        ),
        (
            {
                "record": {"a": own("Named", variable="wide")},
                "sweep": {"wide": {"values": [0.1, 0.2], "sets": "optimizers.SGD.learning_rate"}},
            },
            "record.a: records 'wide', but an axis of `sweep` is called 'wide'; choose another name",
        ),
        ({"record": 3}, "record: expected a mapping, got 3"),
    ],
)
def test_names_are_the_instruments_own(changes, text):
    with pytest.raises(StudyError) as told:
        load_study(STUDY | changes)
    assert told.value.lines == [f"study: {text}"]


def test_check_and_describe_know_instruments(capsys):
    assert check(["tests.support.instruments:Radius"]) == 2
    assert "an instrument, which is held to its contract while a study runs" in capsys.readouterr().err
    about = describe.describe("tests.support.instruments:Radius")
    assert about[0].startswith("tests.support.instruments:Radius (instrument): How far the center is")
    assert describe.describe("record")[0].startswith(
        "record (key of a study file): what else is recorded at each checkpoint"
    )
