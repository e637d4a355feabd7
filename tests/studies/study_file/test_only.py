"""`only`: where an optimizer is not asked for its arms are absent: not computed, not missing, nowhere told."""

import copy

import numpy as np
import pytest

from studies import analysis
from studies.analysis.price.repricing import repriced
from studies.cells.loop import run_cell
from studies.claims import judge
from studies.exchange.tables import frames, to_frame
from studies.figures import ecdf, phase
from studies.report.tables import final_loss
from studies.results import store, view
from studies.results.arms import absent, labels
from studies.run.__main__ import _falls_short
from studies.run.summary import table
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan, manifest
from studies.study_file.study import StudyError
from studies.text import terminal
from studies.text.schema import Status
from tests.support.each import each

STUDY = {
    "name": "only",
    "budget": 60,
    "replicates": 3,
    "checkpoints": [0.5, 1.0],
    "targets": {"values": [0.5], "relative": "start", "best": 0.0},
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 3}, "bits": {"kind": "onemax", "n": 6}},
    "optimizers": {
        "SSWM": {"kind": "sswm", "only": ["bits"]},
        "GA": {"kind": "ga", "population": 6},
        "SGD": {"kind": "sgd", "only": ["bowl"]},
    },
    "claims": {"first": {"kind": "ordering", "better": "GA", "worse": "SSWM"}},
    "figures": ["ecdf"],
}


def study(**changes):
    return load_study(copy.deepcopy(STUDY | changes))


def changed(label, **entry):
    """The optimizers, one of them changed."""
    return STUDY["optimizers"] | {label: STUDY["optimizers"][label] | entry}


def lines(**changes):
    with pytest.raises(StudyError) as caught:
        study(**changes)
    return [line.removeprefix("study: ") for line in caught.value.lines]


def assembled(plan, out):
    """The results of all cells of a plan."""
    for cell in plan.cells(()):
        store.write_cell(run_cell(cell), store.cell_path(out, cell.address))
    return view.assemble(manifest(plan, plan.cells(store.finished(out))), out)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return assembled(make_plan(study()), tmp_path_factory.mktemp("only"))


def test_an_arm_runs_where_it_is_asked_for():
    plan = make_plan(study())
    places = [(arm.coords["landscape"], arm.coords["optimizer"]) for arm in plan.arms]
    assert places == [("bowl", "GA"), ("bowl", "SGD"), ("bits", "SSWM"), ("bits", "GA")]
    assert plan.axes["optimizer"] == ["SSWM", "GA", "SGD"]  # as the study has them
    assert study().resolved["optimizers"]["SSWM"]["only"] == ["bits"]
    assert "only" not in study().resolved["optimizers"]["GA"]
    again = load_study(study().resolved)
    assert [arm.coords for arm in again.arms] == [arm.coords for arm in study().arms]


def test_its_numbers_are_those_without_the_others():
    alone = {"GA": STUDY["optimizers"]["GA"]}
    tasks = {
        arm.coords["landscape"]: arm.task for arm in make_plan(study(optimizers=alone, claims={})).arms
    }
    for arm in make_plan(study()).arms:
        if arm.coords["optimizer"] == "GA":
            assert arm.task == tasks[arm.coords["landscape"]]


def test_what_is_not_asked_for_is_absent(results):
    gone = {("bowl", "SSWM"), ("bits", "SGD")}
    for landscape in ("bowl", "bits"):
        for optimizer in ("SSWM", "GA", "SGD"):
            arm = results.sel(landscape=landscape, optimizer=optimizer)
            is_gone = (landscape, optimizer) in gone
            assert bool(absent(arm)) == is_gone
            assert bool((arm["status"] == Status.ABSENT).any()) == is_gone
            assert bool(arm["loss"].isnull().all()) == is_gone
    assert results["status"].attrs["flag_meanings"].split()[Status.ABSENT] == "absent"
    again = repriced(results, 3.0)
    np.testing.assert_array_equal(absent(again), absent(results))


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """Two landscapes with budgets and targets of their own, each searched by two optimizers of its own."""
    bits = {"kind": "ga", "population": 6, "only": ["bits"]}
    optimizers = {"SGD": {"kind": "sgd"}, "ES": {"kind": "openai_es", "population": 4}}
    optimizers = {name: entry | {"only": ["bowl"]} for name, entry in optimizers.items()}
    optimizers |= {"GA": bits, "asexual": bits | {"crossover": "none"}}
    told = {"budget": {"bowl": 30, "bits": 60}, "targets": {"bowl": [0.5], "bits": [6.0]}}
    ordering = {"kind": "ordering", "better": "GA", "worse": "asexual", "landscape": "bits", "cost": 30}
    plan = make_plan(
        study(
            **told,
            optimizers=optimizers,
            claims={"first": ordering},
            sweep={"landscapes.bits.n": [4, 6]},
        )
    )
    return assembled(plan, tmp_path_factory.mktemp("apart"))


class TestWhereNoOptimizerIsOnTwoLandscapes:
    def test_what_a_landscape_has_of_its_own_is_told_along_landscapes(self, apart):
        for name in ("cost", "target_loss"):
            assert "optimizer" not in apart[name].dims
        assert apart["cost"].isel(checkpoint=-1).sel(landscape="bits").values.tolist() == 60

    def test_optimizers_are_compared(self, apart):
        compared = analysis.compare(apart)
        assert compared["win_probability"].dims == ("landscape", "pair", "n")
        there = compared["worlds"].max("n").sel(pair=["SGD - ES", "SGD - GA", "GA - asexual"])
        assert there.values.tolist() == [[3, 0, 0], [0, 0, 3]]

    def test_a_phase_is_drawn(self, apart):
        phase(apart)

    def test_an_ordering_is_judged_at_a_cost(self, apart):
        assert [row.worlds for row in judge(apart)] == [3, 3]


def test_a_missing_arm_is_missing_and_not_absent(tmp_path):
    plan = make_plan(study())
    cells = plan.cells(())
    for cell in cells[1:]:
        store.write_cell(run_cell(cell), store.cell_path(tmp_path, cell.address))
    data = view.assemble(manifest(plan, cells), tmp_path)
    assert (data["status"].sel(landscape="bowl", optimizer="GA") == Status.MISSING).all()
    assert (data["status"].sel(landscape="bowl", optimizer="SSWM") == Status.ABSENT).all()


def test_nothing_is_told_of_it(results):
    assert labels(results.sel(landscape=["bowl"])) == ["GA", "SGD"]
    console = terminal.console(columns=200)
    with console.capture() as printed:
        console.print(table(results))
    rows = [line for line in printed.get().split("\n") if line.startswith("│")]
    assert len(rows) == 4
    assert sum("SSWM" in row for row in rows) == 1
    assert len(final_loss(results).rows) == 4
    figure = ecdf(results)
    drawn = [
        {str(line.get_label()) for line in axes.lines} & {*STUDY["optimizers"]} for axes in figure.axes
    ]
    assert drawn[:2] == [{"GA", "SGD"}, {"GA", "SSWM"}]


def test_it_is_not_exported(results):
    rows = {(row.landscape, row.optimizer) for row in to_frame(results).itertuples()}
    assert rows == {("bowl", "GA"), ("bowl", "SGD"), ("bits", "SSWM"), ("bits", "GA")}
    parts = [(len(records), len(hits)) for records, hits in frames(results, rows=1)]
    assert parts == [(2, 1)] * 12  # four arms in three worlds, at two checkpoints and one target


def test_it_is_compared_with_nothing(results):
    pairs = analysis.compare(results)["worlds"].to_series()
    there = {place for place, worlds in pairs.items() if worlds}
    assert there == {("bowl", "GA - SGD"), ("bits", "SSWM - GA")}
    assert int(analysis.ranks(results)["blocks"]) == 0
    two = results.sel(optimizer=["GA", "SGD"])
    assert int(analysis.ranks(two)["blocks"]) == 1
    best = analysis.winners(results.sel(landscape="bowl"))
    assert {best["winner"].item(), best["runner_up"].item()} == {"GA", "SGD"}


def test_a_claim_is_judged_where_both_run(results):
    assert [judgement.where["landscape"] for judgement in judge(results)] == ["bits"]


def test_a_strict_run_does_not_miss_it(results):
    assert not _falls_short(results, [], terminal.console())
    lost = results.assign(status=results["status"].where(results["replicate"] > 0, int(Status.MISSING)))
    assert _falls_short(lost, [], terminal.console())


def test_a_sweep_may_set_it():
    given = study(sweep={"optimizers.SSWM.only": [["bits"], ["bits", "bowl"]]}, landscapes=TWO_OF_BITS)
    places = [tuple(arm.coords.values()) for arm in given.arms if arm.coords["optimizer"] == "SSWM"]
    assert places == [
        ("bits", "SSWM", "['bits']"),
        ("bowl", "SSWM", "['bits', 'bowl']"),
        ("bits", "SSWM", "['bits', 'bowl']"),
    ]


TWO_OF_BITS = {"bowl": {"kind": "onemax", "n": 4}, "bits": {"kind": "onemax", "n": 6}}
ORDER = {"kind": "ordering", "better": "GA", "worse": "SGD"}


@each(
    ("changes", "line"),
    [
        (
            {"optimizers": changed("SSWM", only=["bit"])},
            "optimizers.SSWM.only[0]: unknown landscape 'bit'; did you mean 'bits'?",
        ),
        (
            {"optimizers": changed("SSWM", only=[])},
            "optimizers.SSWM.only: expected at least 1 entry",
        ),
        (
            {"optimizers": changed("SSWM", only="bits")},
            "optimizers.SSWM.only: expected a list, got 'bits'",
        ),
        (
            {"optimizers": changed("SSWM", on={"bowl": {"population": 9}})},
            "optimizers.SSWM.on.bowl: `only` leaves this landscape out; give it in one of the two",
        ),
        (
            {"optimizers": {"SSWM": STUDY["optimizers"]["SSWM"]}, "claims": {}},
            "landscapes.bowl: no optimizer runs here, every `only` leaves it out; name it in one, or leave it"
            " out",
        ),
        (
            {"claims": {"c": ORDER | {"landscape": "bits"}}},
            "claims.c.worse: SGD does not run on bits, but on bowl",
        ),
        (
            {"claims": {"c": ORDER | {"better": "SSWM"}}},
            "claims.c: expected optimizers that share a landscape, SSWM and SGD do not",
        ),
    ],
)
def test_a_mistake_is_one_line(changes, line):
    assert lines(**changes) == [line]


def test_a_reference_that_is_absent_has_no_noise():
    match = {"reference": "SGD", "quantity": "noise_to_signal", "vary": {"GA": {"population": [4, 8]}}}
    assert lines(match=match) == [
        "match.reference: SGD does not run on landscape 'bits', where GA is to have its noise"
    ]


ALONE = {"claims": {}, "figures": ["convergence"]}
TWO = {"SSWM": {"kind": "sswm", "only": ["bits"]}, "SGD": {"kind": "sgd", "only": ["bowl"]}}


@pytest.mark.parametrize(("key", "value", "own"), [("targets", [0.5], [1.0]), ("budget", 60, 30)])
class TestWhereEveryOptimizerHasItsOwn:
    """A map by landscape needs a value where some optimizer that runs there would take it."""

    def test_no_value_is_needed(self, key, value, own):
        optimizers = TWO | {"SSWM": TWO["SSWM"] | {key: own}}
        arms = study(**ALONE, **{key: {"bowl": value}}, optimizers=optimizers).arms
        assert {arm.coords["optimizer"]: arm.scalars[key] for arm in arms} == {
            "SSWM": own,
            "SGD": value,
        }

    def test_nor_of_a_landscape_alone(self, key, value, own):
        optimizers = {"SGD": {"kind": "sgd", "on": {"bits": {key: own}}}}
        arms = study(**ALONE, **{key: {"bowl": value}}, optimizers=optimizers).arms
        assert {arm.coords["landscape"]: arm.scalars[key] for arm in arms} == {
            "bowl": value,
            "bits": own,
        }

    def test_without_it_is_missing(self, key, value, own):
        """Also where others that run there have their own."""
        optimizers = TWO | {"GA": {"kind": "ga", "only": ["bits"], key: own}}
        (line,) = lines(**ALONE, **{key: {"bowl": value}}, optimizers=optimizers)
        assert line == f"{key}: no value for landscape 'bits'; name it, or give a 'default'"
