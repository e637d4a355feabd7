"""`record:` of a study: what its arms have, names, and what stands in the results."""

import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from rich.console import Console

from studies import ask
from studies.analysis.quantities.evaluate import quantity
from studies.cells import digest
from studies.exchange.netcdf import export_netcdf
from studies.exchange.tables import export_csv
from studies.results import store
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from studies.study_file.study import StudyError
from tests.support.each import each
from tests.support.runs import here

HERE = "tests.support.expressions"
STUDY = {
    "name": "recorded",
    "budget": 60,
    "replicates": 3,
    "checkpoints": [0.1, 0.4, 1.0],
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 3}},
    "optimizers": {"SGD": {"kind": "sgd"}, "CMA": {"kind": "cma_es"}},
}


def expressions(record, **changes):
    """Arm -> the expressions that it has."""
    arms = load_study({**STUDY, **changes, "record": record}).arms
    return {arm.coords["optimizer"]: arm.scalars["expressions"] for arm in arms}


def lines(record, **changes):
    with pytest.raises(StudyError) as told:
        load_study({**STUDY, **changes, "record": record})
    return told.value.lines


def test_an_arm_has_the_expressions_whose_names_it_has():
    record = {"a": "center[0]", "b": "norm(gradient)", "c": "average(norm(state.path_c))"}
    there = expressions(record)
    assert list(there["SGD"]) == ["a", "b"]
    assert list(there["CMA"]) == ["a", "c"]
    assert there["SGD"]["b"] == {
        "expression": "norm(gradient)",
        "long_name": "norm(gradient)",
        "units": "not stated",
        "vector": False,
    }


def test_what_another_arm_has_alone_does_not_move_the_address():
    """Nor does what is written of another arm's expression."""

    def addresses(record):
        tasks = make_plan(load_study({**STUDY, "record": record})).arms
        return {arm.coords["optimizer"]: arm.task.canonical for arm in tasks}

    one = addresses({"a": "center[0]"})
    two = addresses({"a": "center[0]", "c": "norm(state.path_c)"})
    assert one["SGD"] == two["SGD"]
    assert one["CMA"] != two["CMA"]


def test_a_list_of_names_is_each_under_its_own():
    there = expressions(["center", "batch"])
    assert there["SGD"]["center"]["vector"] is True
    assert there["SGD"]["center"]["units"] == "length of x"
    assert there["SGD"]["batch"]["vector"] is False


def test_the_resolved_study_is_the_same_study():
    record = {"a": "center[0]", "b": {"expression": "step", "units": "steps", "long_name": "how far"}}
    study = load_study({**STUDY, "record": record})
    assert study.resolved["record"]["b"]["units"] == "steps"
    again = load_study(json.loads(json.dumps(study.resolved)))
    assert again.arms == study.arms


@each(
    ("record", "text"),
    [
        (
            {"a": "norm(state.path)"},
            "record.a: unknown name 'state.path'; did you mean 'state.path_c'?",
        ),
        (
            {"a": "acceptance"},
            "record.a: no method here has 'acceptance'; lbfgs, metropolis, simulated_annealing,",
        ),
        ({"a": "norm(gradint)"}, "record.a: unknown name 'gradint'; did you mean 'gradient'?"),
        ({"a": "frequency"}, "record.a: unknown name 'frequency'; expected one of: center,"),
        ({"a": "state.mean[0] + info.accepted"}, "record.a: unknown name 'info.accepted'"),
        ({"a": "center[3]"}, "record.a: center: expected -3 <= place < 3, got 3"),
        ({"a": "center[0, 1]"}, "record.a: center: expected at most 1 places of a value of size (3,)"),
        ({"a": "center +"}, "record.a: expected an expression, such as center[0], got 'center +'"),
        ({"a": {"expression": "center +"}}, "record.a.expression: expected an expression"),
        (
            {"a": {"expression": "step", "unit": "1"}},
            "record.a.unit: unknown key; did you mean 'units'?",
        ),
        ({"a": {"expression": "step", "units": 1}}, "record.a.units: expected text, got 1"),
        ({"a": {"units": "1"}}, "record.a: expected an expression, such as {expression: 'center[0]'}"),
        ({"loss": "center[0]"}, "record.loss: the name 'loss' belongs to the Dataset"),
        ({"two words": "center[0]"}, "record.two words: expected the name of a variable"),
        ({"a": f"{HERE}:no_such"}, "has no 'no_such'"),
        ({"a": f"2 * {HERE}:no_such"}, "has no attribute 'no_such'"),
        ({"a": f"{HERE}:unknown_argument"}, "record.a: unknown name 'centre'; did you mean 'center'?"),
        (["norm(center)"], "record[0]: expected a name, such as heterozygosity"),
        (
            {"a": "points"},
            "record.a: bowl, CMA: expected a number or a vector of each world, got (7, 3)",
        ),
    ],
)
def test_what_no_arm_has_is_one_line(record, text):
    (line,) = lines(record)
    assert line.startswith("study: record")
    assert text in line


NO_SGD = [{"only": ["bowel"]}, {"only": []}, {"learning_rate": "9**9**9"}, {"lerning_rate": 1}]


@each("wrong", NO_SGD)
def test_what_a_wrong_entry_may_have_is_not_told_to_be_missing(wrong):
    """SGD alone has a gradient here."""
    entries = STUDY["optimizers"] | {"SGD": {"kind": "sgd", **wrong}}
    (line,) = lines({"pace": "norm(gradient)"}, optimizers=entries)
    assert line.startswith("study: optimizers.SGD.")


def test_what_no_arm_has_is_told_beside_other_mistakes():
    first, second = lines({"pace": "norm(gradeint)"}, question=3)
    assert first.startswith("study: question: ")
    assert "unknown name 'gradeint'; did you mean 'gradient'?" in second


def test_names_are_new_ones():
    axis = {"sweep": {"wide": {"values": [0.1, 0.2], "sets": ["optimizers.SGD.learning_rate"]}}}
    assert "an axis of `sweep` is called 'wide'" in lines({"wide": "step"}, **axis)[0]
    taken = lines({"a_index": "step", "a": "center"})
    assert taken == [
        "study: record.a: records 'a_index', but 'a_index' records it too; choose another name"
    ]


def test_a_ledgers_names_are_free_where_there_is_no_ledger():
    nk = {
        "landscapes": {"nk": {"kind": "nk", "n": 6, "k": 1}},
        "optimizers": {"WF": {"kind": "wright_fisher"}},
    }
    assert list(expressions(["heterozygosity", "genotypes"], **nk)["WF"]) == [
        "heterozygosity",
        "genotypes",
    ]
    (line,) = lines(["genotypes"], **nk, ledger={})
    assert "record.genotypes: the name 'genotypes' belongs to the Dataset" in line


def test_the_results_hold_all_of_it(tmp_path):
    """Where an arm has no such thing, and where a world has fewer numbers than another: NaN."""
    record = {
        "theta": "center[0]",
        "c": "center",
        "path": "average(norm(state.path_c))",
        "third": "center[2]",
    }
    study = STUDY | {"sweep": {"landscapes.bowl.dim": [1, 3, 2]}, "record": record}
    data = here(study, tmp_path).squeeze("landscape", drop=True)
    assert data["c"].dims == ("optimizer", "dim", "replicate", "checkpoint", "c_index")
    assert data["c"].attrs["expression"] == "center"
    own = data["c"].notnull().any(("optimizer", "replicate", "checkpoint"))
    assert own.sum("c_index").values.tolist() == [1, 3, 2]
    np.testing.assert_array_equal(data["c"].isel(c_index=0), data["theta"])
    np.testing.assert_array_equal(data["c"].sel(dim=3).isel(c_index=2), data["third"].sel(dim=3))
    assert data["third"].sel(dim=[1, 2]).isnull().all()
    assert data["path"].sel(optimizer="SGD").isnull().all()
    assert data["path"].sel(optimizer="CMA").isel(checkpoint=[1, 2]).notnull().all()
    path = tmp_path / "all.nc"
    data[[*record]].to_netcdf(path, engine="h5netcdf")
    with xr.open_dataset(path, engine="h5netcdf") as again:
        xr.testing.assert_identical(again["c"].load(), data["c"])


def test_a_function_may_give_several_numbers_of_each_world(tmp_path):
    """As the whole of an expression too: then they have a dim of their own, as a name alone."""
    record = {"center": "center", "twice": f"{HERE}:doubled", "length": f"{HERE}:length"}
    there = expressions(record)["SGD"]
    assert {label: spec["vector"] for label, spec in there.items()} == {
        "center": True,
        "twice": True,
        "length": False,
    }
    found = here({**STUDY, "record": record}, tmp_path)
    assert found["twice"].dims == (*found["loss"].dims, "twice_index")
    np.testing.assert_array_equal(found["twice"].values, 2 * found["center"].values)


def test_another_process_finds_the_module_of_a_function(tmp_path, monkeypatch):
    """A worker knows the same address, where nobody has imported the module before."""
    name = "a_module_of_functions"
    (tmp_path / f"{name}.py").write_text("def first(center):\n    return center[:, 0]\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    study = {**STUDY, "record": {"a": f"2 * {name}:first"}}
    task = make_plan(load_study(study)).tasks[0]
    code = task.code
    monkeypatch.delitem(sys.modules, name)
    digest.code_digest.cache_clear()
    assert replace(task).code == code


def test_a_run_goes_on_where_it_stopped(tmp_path):
    """The same cells, the same numbers, whatever else is recorded in other arms."""
    record = {"theta": "center[0]"}
    first = here({**STUDY, "record": record}, tmp_path)
    there = store.finished(tmp_path)
    more = {**STUDY, "record": record | {"path": "norm(state.path_c)"}}
    cells = make_plan(load_study(more)).cells(there)
    assert sorted(cell.address in there for cell in cells) == [False, True]
    again = here(more, tmp_path)
    np.testing.assert_array_equal(first["theta"], again["theta"])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A number and an array of each world."""
    record = {"theta": "center[0]", "c": "center"}
    return here({**STUDY, "record": record}, tmp_path_factory.mktemp("recorded"))


def test_tables_hold_the_numbers_and_netcdf_the_arrays_too(tmp_path, data):
    export_csv(data, tmp_path / "tables")
    records = pd.read_csv(tmp_path / "tables" / "records.csv")
    np.testing.assert_allclose(
        np.sort(records["theta"]), np.sort(data["theta"].values.ravel()), rtol=1e-12
    )
    assert "c" not in records
    (path,) = export_netcdf(data, tmp_path / "file.nc")
    with xr.open_dataset(path, engine="h5netcdf") as again:
        np.testing.assert_array_equal(again["c"], data["c"])
        assert again["theta"].attrs["long_name"] == "center[0]"


def test_an_array_is_asked_for_place_by_place(data, capsys):
    assert data["c_index"].values.tolist() == [0, 1, 2]
    Console().print(ask._table("mean(c)", quantity(data, "mean(c)")))
    assert len([line for line in capsys.readouterr().out.splitlines() if "SGD" in line]) == 3


def test_what_workers_and_players_are_may_be_recorded():
    workers = {"optimizers": {"A": {"kind": "async_sgd"}}}
    there = expressions(
        {"lag": "average(staleness)", "clock": "virtual_time", "slot": "info.worker"}, **workers
    )
    assert list(there["A"]) == ["lag", "clock", "slot"]
    game = {"landscapes": {"gan": {"kind": "dirac_gan"}}, "optimizers": {"A": {"kind": "sgd"}}}
    there = expressions({"theta": "center[0]", "psi": "center[1]", "own": "value[1]"}, **game)
    assert list(there["A"]) == ["theta", "psi", "own"]


def test_bits_that_are_relaxed_have_no_alleles():
    nk = {"landscapes": {"nk": {"kind": "nk", "n": 6, "k": 1}}, "optimizers": {"A": {"kind": "sgd"}}}
    (line,) = lines({"a": "heterozygosity"}, **nk)
    assert "record.a: unknown name 'heterozygosity'" in line


def test_results_answer_questions_about_it(data):
    answer = quantity(data, 'mean(theta["SGD"])')
    expected = data["theta"].sel(optimizer="SGD").isel(checkpoint=-1).mean("replicate")
    np.testing.assert_allclose(answer["quantity"], expected, rtol=1e-12)
