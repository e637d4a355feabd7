"""What every arm ran with, as it is stored, and who reads it."""

import json
import math
from dataclasses import dataclass

import pytest

from landscapes.base import Bits, Reals
from optimizers import OPTIMIZERS
from optimizers.defaults import Task, effective
from studies import open_study
from studies.claims import judge, verdicts
from studies.exchange.specs import landscapes_of, variants
from studies.kinds.registry import build
from studies.results import assembly, settings, view
from studies.results.prices import prices
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan, manifest
from studies.study_file.study import StudyError
from tests.studies.cells.test_loop import run, same, task
from tests.support.runs import here

BOWL = {"kind": "quadratic", "dim": 10, "condition": 1, "terms": 64, "noise_scale": 2.0}


def study(**changes):
    return {
        "name": "ran",
        "replicates": 2,
        "budget": 40,
        "landscapes": {"bowl": BOWL},
        "noise": {"batch": 8},
        "optimizers": {"SGD": {"kind": "sgd", "learning_rate": 0.1}},
    } | changes


def planned(**changes):
    """The Dataset of a study of which nothing is computed: coordinates and attributes are there."""
    plan = make_plan(load_study(study(**changes)))
    return assembly.assemble(found := manifest(plan, []), {}, set()).assign_attrs(found["attrs"])


def names(data, /, **where):
    return settings.numbers(settings.at(data, {"landscape": "bowl", "optimizer": "SGD"} | where))


@pytest.mark.parametrize("batch", [8, 0.125, {"bowl": 0.125}, {"default": 8}])
def test_a_fraction_of_the_terms_is_their_number(batch):
    """The fault settings_of_claims.yaml.

    0.125 of 64 terms are 8, so that 10 * 0.1 * 4 / (2 * 8 * 1.9) = 0.1316 is predicted by both.
    """
    assert names(planned(noise={"batch": batch}))["batch"] == 8.0


def test_a_swept_fraction_too():
    data = planned(sweep={"noise.batch": [0.125, 0.5]})
    assert [names(data, batch=value)["batch"] for value in (0.125, 0.5)] == [8.0, 32.0]


def test_what_a_factor_switches_off_is_off():
    data = planned(
        noise={"batch": 8, "evaluation": {"value": 0.5, "gradient": 0.25}},
        factors=["data", "evaluation"],
    )
    on, off = ({"data": level, "evaluation": level} for level in ("on", "off"))
    assert (
        names(data, **on)["evaluation"],
        names(data, **on)["evaluation.gradient"],
        names(data, **on)["batch"],
    ) == (0.5, 0.25, 8.0)
    assert (names(data, **off)["evaluation"], names(data, **off)["evaluation.gradient"]) == (0.0, 0.0)
    assert "batch" not in names(data, **off)
    told = settings.missing(settings.at(data, {"landscape": "bowl", "optimizer": "SGD", **off}))
    assert told["batch"] == "the data are switched off there, so that answers are of all terms"


def test_the_rates_of_an_optimizer_that_a_factor_switches_off():
    wf = {
        "kind": "wright_fisher",
        "mutation_rate": 0.02,
        "crossover": "one_point",
        "recombination_rate": 0.3,
    }
    data = planned(
        landscapes={"nk": {"kind": "nk", "n": 8}},
        optimizers={"WF": wf},
        noise={},
        factors=["mutation", {"recombination": ["on", "off", "free"]}],
    )

    def there(mutation, recombination):
        found = names(
            data, landscape="nk", optimizer="WF", mutation=mutation, recombination=recombination
        )
        return found["mutation_rate"], found["recombination_rate"]

    assert there("on", "on") == (0.02, 0.3)
    assert there("off", "off") == (0.0, 0.0)
    assert there("on", "free") == (0.02, 1.0)


def test_a_swept_schedule_is_no_learning_rate():
    """`steps` of a schedule was read as the learning rate where both are set by one axis."""
    fast = {"optimizers.SGD.learning_rate": 0.2, "optimizers.SGD.schedule.steps": 500}
    slow = {"optimizers.SGD.learning_rate": 0.1, "optimizers.SGD.schedule.steps": 50}
    data = planned(
        optimizers={
            "SGD": {"kind": "sgd", "learning_rate": 1.0, "schedule": {"kind": "cosine", "steps": 9}}
        },
        sweep={"pace": {"choices": {"slow": slow, "fast": fast}}},
    )
    found = names(data, pace="fast")
    assert (found["learning_rate"], found["schedule.steps"], found["optimizer.schedule.steps"]) == (
        0.2,
        500.0,
        500.0,
    )
    assert found["schedule.factor"] == 0.0  # cosine's, where none is given
    assert "steps" not in found


def test_values_of_a_landscape_of_a_grid_and_of_on():
    sgd = {
        "kind": "sgd",
        "grid": {"learning_rate": [0.05, 0.1]},
        "momentum": 0.5,
        "on": {"other": {"momentum": 0.9}},
    }
    data = planned(
        landscapes={"bowl": BOWL, "other": BOWL | {"dim": 4}}, optimizers={"SGD": sgd}, budget={"bowl": 40, "default": 60},
        noise={"batch": {"bowl": 4, "default": 0.5}, "evaluation": {"other": 0.25}},
    )  # fmt: skip
    one, two = (
        names(data, optimizer="SGD learning_rate=0.05", landscape=name) for name in ("bowl", "other")
    )
    assert [
        one[name] for name in ("learning_rate", "momentum", "dim", "budget", "batch", "evaluation")
    ] == [
        0.05,
        0.5,
        10,
        40,
        4,
        0,
    ]
    assert [
        two[name] for name in ("learning_rate", "momentum", "dim", "budget", "batch", "evaluation")
    ] == [
        0.05,
        0.9,
        4,
        60,
        32,
        0.25,
    ]
    assert {arm.label for arm in settings.arms(data)} == {"SGD"}


def test_swept_noise_budget_and_seed():
    data = planned(sweep={"noise.evaluation.gradient": [0.0, 0.5], "budget": [40, 80]})
    found = names(data, **{"noise.evaluation.gradient": 0.5, "budget": 80})
    assert (
        found["noise.evaluation.gradient"],
        found["budget"],
        found["study.seed"],
        found["terms"],
    ) == (
        0.5,
        80.0,
        1.0,
        64.0,
    )


def test_an_axis_of_another_optimizer_does_not_shadow_ones_own():
    two = {
        "SGD": {"kind": "sgd", "learning_rate": 0.1},
        "ES": {"kind": "openai_es", "learning_rate": 0.3, "population": 8},
    }
    data = planned(optimizers=two, sweep={"optimizers.SGD.learning_rate": [0.1, 0.4]})
    assert names(data, learning_rate=0.4)["learning_rate"] == 0.4
    assert names(data, learning_rate=0.4, optimizer="ES")["learning_rate"] == 0.3


def test_what_differs_along_an_open_axis_has_no_number():
    data = planned(sweep={"noise.batch": [8, 16]})
    assert "batch" not in names(data)
    assert (
        settings.missing(settings.at(data, {"landscape": "bowl", "optimizer": "SGD"}))["batch"]
        == "it differs between the values of the axis"
    )
    assert names(data)["learning_rate"] == 0.1


def test_landscapes_say_their_dim_and_terms():
    data = planned(
        landscapes={"bowl": {"kind": "max_sat", "n": 20}}, optimizers={"SGD": {"kind": "sgd"}}, noise={}
    )
    assert [names(data)[name] for name in ("dim", "n", "terms", "clauses")] == [
        20,
        20,
        84,
        84,
    ]  # 4.2 * 20


# defaults that depend on the task ---------------------------------------------------------------------------


def test_defaults_by_hand():
    def found(kind, dim=16, **given):
        from landscapes.base import Reals

        made = build({"kind": kind, **given}, "optimizer")
        return effective(made, Task(dim, Bits() if Bits in made.domains else Reals(-2.0, 4.0)))

    assert found("cma_es") == {
        "population": 12,
        "sigma": 0.3 * 6,
        "lazy": found("cma_es")["lazy"],
    }  # 4 + floor(3 ln 16) = 4 + 8
    assert found("one_plus_one") == {"sigma": 0.3 * 6, "damping": math.sqrt(17)}
    assert found("snes")["sigma_learning_rate"] == pytest.approx((3 + math.log(16)) / 20)
    assert found("xnes")["shape_learning_rate"] == pytest.approx((9 + 3 * math.log(16)) / (5 * 16 * 4))
    assert found("one_plus_one_ea") == {"mutation_rate": 1 / 16}
    assert found("pbil", dim=2) == {"margin": 0.25}
    assert found("mu_lambda", population=10)["parents"] == 5
    assert found("metropolis") == {}  # exactly one bit, which no rate is
    assert found("ga", mutation_rate=0.5, population=32) == {"largest": 32}
    assert found("torch_optim") == {"learning_rate": 0.001}


SPECS = {True: {"kind": "nk", "n": 6, "k": 2}, False: {"kind": "quadratic", "dim": 3, "shifted": True}}


@pytest.mark.daily(12)
@pytest.mark.parametrize(
    "kind", [kind for kind, cls in OPTIMIZERS.items() if not (cls.games and kind != "sgd")]
)
def test_a_null_and_its_number_are_one_run(kind):
    """The numbers that are stored are those that ran: with them in place of null the bits are the same."""
    spec = SPECS[Bits in OPTIMIZERS[kind].domains]
    given = (
        {"population": 6} if kind == "mu_lambda" else {}
    )  # an odd number of points has other weights where half of them is named
    place, made = build(spec, "landscape"), build({"kind": kind, **given}, "optimizer")
    told = {
        name: value
        for name, value in effective(made, Task(place.dim, place.domain)).items()
        if made.parameters()[name] is None
    }
    if not told:
        pytest.skip("leaves nothing to the task")
    null, number = (
        run(task(spec, {"kind": kind, **more}, budget=60.0, checkpoints=[30.0, 60.0]), range(3))
        for more in (given, given | told)
    )
    same(null, number)


NO_NUMBER = {  # exactly one bit; another number after each restart
    *("metropolis.mutation_rate", "simulated_annealing.mutation_rate"),
    *("parallel_tempering.mutation_rate", "ipop_cma_es.lazy"),
}


def test_no_null_is_forgotten():
    """Every parameter of a number that may be null has a rule, or is listed as one whose null is no number."""
    none = {"clip", "batch", "steps", "matrix", "opponents"}
    for kind, cls in OPTIMIZERS.items():
        for name, value in build({"kind": kind}, "optimizer").parameters().items():
            ruled = name in cls.defaults or f"{kind}.{name}" in NO_NUMBER
            assert value is not None or name in none or ruled, f"{kind}.{name} of {cls}"


def test_a_null_of_an_own_kind_has_the_number_that_it_says_and_no_other():
    """A parameter's name alone gives it none: null may mean that nothing is added."""

    @dataclass(frozen=True, kw_only=True)
    class Own(OPTIMIZERS["random_search"]):
        sigma: float | None = None
        children: int | None = None
        defaults = {"children": lambda method, task: 3 * task.dim}

    assert effective(Own(), Task(4, Reals(-1.0, 1.0))) == {"children": 12}
    assert effective(Own(children=5), Task(4, Reals(-1.0, 1.0))) == {}


def test_the_number_of_clauses_is_told_of_a_landscape_inside_of_another():
    inner = {"kind": "max_sat", "n": 20, "ratio": 3.0}
    data = planned(
        landscapes={"bowl": {"kind": "moving", "inner": inner}},
        optimizers={"SGD": {"kind": "one_plus_one_ea"}},
        noise={},
    )
    assert names(data)["inner.clauses"] == 60


# who reads them ---------------------------------------------------------------------------------------------


def test_the_fault_file_predicts_the_same(tmp_path):
    """Small, so that only the prediction is looked at."""
    law = {
        "kind": "law",
        "optimizer": "SGD",
        "observe": "loss",
        "predicted": "dim * learning_rate * noise_scale**2 / (2 * batch * (2 - learning_rate))",
    }
    found = [
        here(study(noise={"batch": batch}, claims={"law": law}), tmp_path / str(batch))
        for batch in (8, 0.125)
    ]
    assert [judge(data)[0].predicted for data in found] == [
        pytest.approx(10 * 0.1 * 4 / (2 * 8 * 1.9))
    ] * 2


def test_a_claim_where_the_data_are_off_says_so(tmp_path):
    law = {"kind": "law", "optimizer": "SGD", "observe": "loss", "predicted": "1 / batch"}
    data = here(study(factors=["data"], claims={"law": law}), tmp_path)
    on, off = judge(data)
    assert on.predicted == 1 / 8
    assert (off.verdict, off.where["data"]) == ("undecided", "off")
    assert "batch has none, the data are switched off there" in off.note
    assert verdicts([on, off])["law"] != "holds"


def test_a_name_without_a_number_anywhere_is_a_mistake():
    law = {"kind": "law", "optimizer": "SGD", "observe": "loss", "predicted": "1 / batch"}
    with pytest.raises(StudyError) as caught:
        load_study(study(noise={}, claims={"law": law}))
    assert caught.value.lines == [
        "study: claims.law.predicted: '1 / batch' has no value: batch has none, noise.batch is null there"
    ]
    assert (
        load_study(study(claims={"law": law | {"predicted": math.inf}})).resolved["claims"]["law"][
            "predicted"
        ]
        == math.inf
    )
    with pytest.raises(StudyError, match="claims.law.predicted: expected a number, got nan"):
        load_study(study(claims={"law": law | {"predicted": math.nan}}))


def test_prices_along_axes_come_from_the_settings():
    data = planned(
        sweep={
            "pace": {
                "choices": {
                    "cheap": {"gradient_cost": 2, "noise.batch": 8},
                    "open": {"gradient_cost": {"value": 3, "range": [1, 9]}, "noise.batch": 16},
                }
            }
        }
    )
    told = prices(data)
    assert [part.values.tolist() for part in told] == [[2.0, 3.0], [2.0, 1.0], [2.0, 9.0]]
    assert told.value.dims == ("pace",)
    assert prices(data.isel(pace=1)) == (3.0, 1.0, 9.0)


def test_the_exchange_reads_landscapes_from_the_settings():
    data = planned(
        landscapes={"f": {"kind": "bbob", "function": 1, "dim": 2}},
        noise={},
        sweep={"landscapes.f.dim": [2, 3], "seed": [1, 2]},
    )
    found = [
        (spec["dim"], chosen.sizes["seed"]) for spec, chosen in variants(data.sel(landscape="f"), "f")
    ]
    assert found == [(2, 2), (3, 2)]
    assert landscapes_of(data.sel(dim=3)) == {"f": ("bbob", 1, 3)}
    with pytest.raises(ValueError, match="landscapes.f: expected the coordinate of the axis dim"):
        list(variants(data.sel(landscape="f").isel(dim=0, drop=True), "f"))


# results of an older version --------------------------------------------------------------------------------


def older(out):
    """The folder as it was before settings were stored."""
    plan = json.loads((out / "plan.json").read_text())
    del plan["attrs"]["settings"]
    (out / "plan.json").write_text(json.dumps(plan))
    return plan


def test_an_older_folder_knows_what_its_tasks_hold(tmp_path):
    made = study(
        noise={"batch": 0.125},
        claims={
            "law": {"kind": "law", "optimizer": "SGD", "observe": "loss", "predicted": "1 / batch"}
        },
    )
    plan = make_plan(load_study(made))
    here(made, tmp_path)
    view.save_manifest(manifest(plan, plan.cells(())), tmp_path)
    view.export(older(tmp_path), tmp_path)
    data = open_study(tmp_path)
    assert names(data)["batch"] == 8.0
    assert "terms" in names(data)  # a parameter of this landscape
    assert judge(data)[0].predicted == 1 / 8


def test_results_without_settings_say_so_in_one_line():
    data = planned(
        claims={"law": {"kind": "law", "optimizer": "SGD", "observe": "loss", "predicted": "1 / batch"}}
    )
    data = data.assign(loss=("replicate", [1.0, 2.0]))
    del data.attrs["settings"]
    with pytest.raises(
        ValueError,
        match=(
            "expected an arm at .*, found none; these results hold no settings .an older version wrote"
            " them.; run"
        ),
    ):
        settings.at(data, {"landscape": "bowl", "optimizer": "SGD"})
    with pytest.raises(
        ValueError, match="landscapes.bowl: expected to know what it is; these results hold no settings"
    ):
        landscapes_of(data)


# names of let -----------------------------------------------------------------------------------------------


def test_names_of_let_are_numbers_of_every_arm():
    """10 * 0.1 * 4 / (2 * 8 * 1.9), by way of two names, of which the first needs the second."""
    let = {
        "law": "half * learning_rate * noise_scale**2 / (batch * (2 - learning_rate))",
        "half": "dim / 2",
    }
    data = planned(let=let, sweep={"noise.batch": [8, 32]})
    assert names(data, batch=8)["law"] == pytest.approx(4 / (2 * 8 * 1.9), rel=1e-14)
    assert names(data, batch=32)["law"] == pytest.approx(4 / (2 * 32 * 1.9), rel=1e-14)
    assert names(data, batch=8)["half"] == 5


def test_a_number_of_the_arm_comes_before_a_name_of_let():
    assert names(planned(let={"momentum": 7}))["momentum"] == 0


def test_a_claim_may_use_names_of_let_and_what_is_recorded_at_a_time():
    law = {"kind": "law", "observe": "mean(moved(steps=2))", "predicted": "2 * unit", "control": "unit"}
    load_study(study(let={"unit": "dim / 4"}, record={"moved": "norm(center)"}, claims={"it": law}))
    for wrong, said in [
        ({"predicted": "2 * unitt"}, "did you mean 'unit'?"),
        ({"observe": "mean(mvoed(steps=2))"}, "did you mean 'moved'?"),
    ]:
        with pytest.raises(StudyError, match=said.replace("?", r"\?")):
            load_study(
                study(
                    let={"unit": "dim / 4"},
                    record={"moved": "norm(center)"},
                    claims={"it": law | wrong},
                )
            )
