"""Sources that are switched on and off.

The axes of a study, what the oracle answers and bills then, and effects on the result.
"""

import numpy as np
import pytest
import torch
import xarray as xr

from landscapes import LANDSCAPES as L
from landscapes.base import Query
from landscapes.oracle.bill import Bill
from landscapes.oracle.evaluation import evaluate
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from optimizers import OPTIMIZERS as O
from studies.analysis.comparison.factorial import effects, factors_of
from studies.cells.loop import run_worlds
from studies.figures import FIGURES
from studies.figures.factorial import mains, pairs
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from studies.study_file.resolved import resolved
from studies.study_file.study import StudyError
from tests.support.each import each
from tests.support.ledgers import search

STUDY = {
    "name": "switched",
    "budget": 60,
    "checkpoints": [0.5, 1.0],
    "landscapes": {
        "nk": {"kind": "nk", "n": 8, "k": 2},
        "bowl": {"kind": "quadratic", "dim": 3, "terms": 11},
    },
    "noise": {"batch": {"bowl": 3}, "evaluation": {"nk": 0.1, "bowl": 0.0}},
    "optimizers": {
        "sgd": {"kind": "sgd"},
        "ga": {"kind": "ga", "population": 6, "on": {"nk": {"crossover": "one_point"}}},
    },
}
BOWL = STUDY["landscapes"]["bowl"]


def study(factors, **changes):
    return load_study(STUDY | changes | {"factors": factors})


def arm(plan, **coords):
    return next(a.task for a in plan.arms if coords.items() <= a.coords.items())


# the study file ---------------------------------------------------------------------------------------------


def test_a_factor_is_an_axis_and_arms_without_its_source_share_a_task():
    plan = make_plan(study(["data", "drift", {"recombination": ["on", "off", "free"]}, "evaluation"]))
    on = ["on", "off"]
    dims = {"data": on, "drift": on, "recombination": ["on", "off", "free"], "evaluation": on}
    assert plan.axes == {"landscape": ["nk", "bowl"], "optimizer": ["sgd", "ga"]} | dims
    assert len(plan.arms) == 2 * 2 * 2 * 2 * 3 * 2
    assert (
        len(plan.tasks) == 2 + 2 * 3 * 2 + 2 + 2 * 2 * 2
    )  # nk: evaluation, and of ga drift; bowl: data, there `free` is what ga does anyway


def test_off_is_off_whatever_an_optimizer_does_on_a_landscape():
    plan = make_plan(study([{"recombination": ["on", "off", "free"]}, "mutation"]))
    for level, crossover in (("on", "one_point"), ("off", "none"), ("free", "uniform")):
        for other, rate in (("on", None), ("off", 0.0)):
            task = arm(plan, landscape="nk", optimizer="ga", recombination=level, mutation=other)
            assert (task.optimizer["crossover"], task.optimizer["mutation_rate"]) == (crossover, rate)
    swept = make_plan(study(["mutation"], sweep={"optimizers.ga.mutation_rate": [0.1, 0.2]}))
    rates = {
        (a.coords["mutation_rate"], a.coords["mutation"]): a.task.optimizer["mutation_rate"]
        for a in swept.arms
        if a.coords["optimizer"] == "ga"
    }
    assert rates == {(0.1, "on"): 0.1, (0.2, "on"): 0.2, (0.1, "off"): 0.0, (0.2, "off"): 0.0}


def test_the_oracle_is_told_where_there_is_something_to_switch_off():
    plan = make_plan(study([{"data": ["off"]}, {"evaluation": ["off"]}]))
    assert arm(plan, landscape="nk").noise["off"] == ["evaluation"]
    assert arm(plan, landscape="bowl").noise["off"] == ["data"]
    assert "off" not in arm(make_plan(study([])), landscape="bowl").noise
    assert arm(
        make_plan(study([], noise=STUDY["noise"] | {"off": {"data": True}})), landscape="bowl"
    ).noise["off"] == ["data"]


def test_a_network_is_told_to_drop_nothing():
    named = "tests.support.networks:"
    net = {"kind": "module", "module": f"{named}Encoder", "data": f"{named}labelled"}
    others = {"optimizers": {"sgd": {"kind": "sgd"}}, "noise": {}}
    plan = make_plan(study(["dropout"], landscapes={"net": net, "bowl": BOWL}, **others))
    assert plan.axes["dropout"] == ["on", "off"]
    net, bowl = (
        [arm(plan, landscape=place, optimizer="sgd", dropout=level) for level in ("on", "off")]
        for place in ("net", "bowl")
    )
    assert [task.noise.get("off") for task in net] == [None, ["dropout"]]
    assert [resolved(task, {})["draws"] for task in net] == [["dropout"], []]
    assert bowl[0] is bowl[1]
    on, off = (run_worlds(task, torch.arange(2)) for task in net)
    assert (on["gradient_terms"] == off["gradient_terms"]).all()
    assert (on["loss"].isel(checkpoint=-1) != off["loss"].isel(checkpoint=-1)).all()


def test_the_name_of_a_recorded_variable_is_no_dim():
    async_sgd = {
        "optimizers": {"sgd": {"kind": "async_sgd"}},
        "landscapes": {"bowl": BOWL},
        "noise": {},
    }
    assert make_plan(study(["staleness"], **async_sgd)).axes["factors.staleness"] == ["on", "off"]
    swept = {"sweep": {"drift": {"values": [4, 8], "sets": "optimizers.ga.population"}}}
    assert {"drift", "factors.drift"} <= make_plan(study(["drift"], **swept)).axes.keys()


def test_the_resolved_study_is_the_study():
    first = study(["data", {"recombination": ["on", "free"]}])
    assert load_study(first.resolved).arms == first.arms
    assert load_study(first.resolved).axes == first.axes


@each(
    ("factors", "message"),
    [
        (["dta"], r"factors\[0\]: unknown source 'dta'; did you mean 'data'\?"),
        (
            ["drift", "acceptance"],
            (
                r"factors\[1\]: no optimizer of this study has a switch for acceptance; there are: data,"
                r" evaluation, dropout, drift,"
            ),
        ),
        (
            [{"drift": ["on", "of"]}],
            r"factors\[0\].drift\[1\]: unknown value 'of' of drift; did you mean 'off'\?",
        ),
        (
            [{"drift": ["on", "free"]}],
            r"factors\[0\].drift\[1\]: unknown value 'free' of drift; expected one of: on, off",
        ),
        ([{"drift": ["on", "on"]}], r"factors\[0\].drift: expected different values"),
        (["data", {"data": ["off"]}], r"factors\[1\].data: data is a factor already"),
        ("data", "factors: expected a list, got 'data'"),
        ([3], r"factors\[0\]: expected text, got 3"),
        ([{"drift": []}], r"factors\[0\].drift: expected at least 1 entry"),
        (["gap"], r"factors\[0\]: unknown source 'gap'"),
    ],
)
def test_mistakes(factors, message):
    with pytest.raises(StudyError, match=rf"^study: {message}[^\n]*$"):
        study(factors)


def test_a_factor_that_changes_nothing_is_a_mistake():
    for factors, noise, message in (
        (
            ["evaluation"],
            {},
            (
                r"factors\[0\]: switching evaluation changes nothing in this study: no answer is disturbed"
                r" \(noise.evaluation\)"
            ),
        ),
        (
            ["drift", "data"],
            {},
            (
                r"factors\[1\]: switching data changes nothing in this study: no landscape has a mini-batch"
                r" \(noise.batch\)"
            ),
        ),
        (
            ["dropout"],
            {},
            (
                r"factors\[0\]: switching dropout changes nothing in this study: no landscape is a network"
                r" with dropout"
            ),
        ),
    ):
        with pytest.raises(StudyError, match=f"^study: {message}$"):
            study(factors, noise=noise)
    still = {"optimizers": {"ga": {"kind": "ga", "crossover": "none"}}}
    with pytest.raises(
        StudyError, match="switching recombination changes nothing in this study: it is off everywhere"
    ):
        study(["recombination"], **still)


def test_a_factor_does_not_go_with_a_grid_of_the_same_parameter():
    gridded = {"optimizers": {"ga": {"kind": "ga", "grid": {"mutation_rate": [0.1, 0.2]}}}}
    assert len(make_plan(study(["drift"], **gridded)).tasks) == 2 * 2 * 2
    with pytest.raises(
        StudyError,
        match=(
            r"factors\[0\]: sets mutation_rate, which is in the grid of 'ga' too; give it in one of the two"
        ),
    ):
        study(["mutation"], **gridded)


# the oracle -------------------------------------------------------------------------------------------------


def answers(landscape, noise, batch=None, steps=6, worlds=3):
    """What an oracle answers about the same points at each step, and its bill."""
    streams = Streams(seed=5, worlds=torch.arange(worlds))
    bound = landscape.bind(streams)
    oracle = Oracle(bound, noise, Bill(worlds, terms=bound.terms, budget=1e9, price=1.0))
    points = bound.start(streams.at(0), 4)
    found = [
        oracle(Query(points, gradient=True, batch=batch), streams.at(step))
        for step in range(1, steps + 1)
    ]
    return (
        found,
        (oracle.bill.values.tolist(), oracle.bill.gradients.tolist(), oracle.bill.steps.tolist()),
        evaluate(bound, points, gradient=True),
    )


@each("sampling", ["replacement", "batch", "epoch"])
@each("batch", [None, torch.tensor([2, 3, 5])], ids=["the study's", "its own"])
def test_without_data_every_answer_is_over_all_terms_and_billed_as_with_them(sampling, batch):
    bowl = L["quadratic"](dim=3, terms=11)
    on, bill, truth = answers(bowl, Noise(batch=4, sampling=sampling), batch)
    off, same, _ = answers(bowl, Noise(batch=4, sampling=sampling, off=("data",)), batch)
    assert bill == same  # also where the last batch of an epoch is smaller
    assert all(
        torch.equal(a.value, truth.value) and torch.equal(a.gradient, truth.gradient) for a in off
    )
    assert not any(torch.equal(a.value, truth.value) for a in on)


@pytest.mark.parametrize("name", ["ours", "the landscape's"])
def test_without_evaluation_answers_are_exact(name):
    landscape = L["quadratic"](dim=3) if name == "ours" else L["bbob_noisy"](function=101, dim=3)
    noise = {"value": 0.3, "gradient": 0.2} if name == "ours" else {}
    on, bill, truth = answers(landscape, Noise(**noise))
    off, same, _ = answers(landscape, Noise(**noise, off=("evaluation",)))
    assert bill == same
    assert all(torch.equal(a.value, truth.value) for a in off)
    assert not any(torch.equal(a.value, truth.value) for a in on)


def test_a_method_does_not_know_that_answers_are_exact():
    """It asks its old points again, as it does under noise, so that both arms take the same steps."""
    run = {
        key: search(
            L["nk"](n=8, k=2),
            O["steady_state_ga"](population=4),
            Noise(value=0.1, off=key),
            budget=60.0,
        )[2]
        for key in ((), ("evaluation",))
    }
    assert len(run[()]) == len(run[("evaluation",)]) == 1 + 60 // 5


def test_without_data_sgd_takes_the_steps_of_the_full_batch():
    bowl, sgd = L["quadratic"](dim=3, terms=11), O["sgd"](learning_rate=0.1)
    off, full, on = (
        search(bowl, sgd, noise, steps=5, budget=1e9)[2]
        for noise in (Noise(batch=3, off=("data",)), Noise(), Noise(batch=3))
    )
    for k in (0, 5):
        assert torch.equal(off[k].state.points, full[k].state.points)
    assert not torch.equal(on[5].state.points, full[5].state.points)


def test_a_cell_with_everything_off():
    plan = make_plan(
        study([
            {source: ["off"]} for source in ("data", "evaluation", "drift", "recombination", "mutation")
        ])
    )
    noisy = make_plan(study([]))
    for optimizer in ("sgd", "ga"):
        for landscape in ("nk", "bowl"):
            where = {"landscape": landscape, "optimizer": optimizer}
            off, on = (run_worlds(arm(p, **where), torch.arange(2)) for p in (plan, noisy))
            for count in ("steps", "value_terms", "gradient_terms"):
                assert (off[count] == on[count]).all()
            assert not off["observed"].equals(on["observed"])


# effects ----------------------------------------------------------------------------------------------------

WORLDS = 12
RNG = np.random.default_rng(3)


def made(gap=(1, 0)):
    """Two landscapes, the first with a known gap.

    Y = world + a A + b B + c A B by design for one optimizer, only A for the other.
    """
    on = xr.DataArray([1.0, 0.0], dims="data"), xr.DataArray([1.0, 0.0], dims="drift")
    world = xr.DataArray(RNG.normal(size=WORLDS), dims="replicate")
    own = xr.DataArray(RNG.normal(size=(2, WORLDS)), dims=["landscape", "replicate"])
    a, b, c = -0.5 + 0.1 * own, 0.3 + 0.1 * own[::-1], 0.2
    both = world + a * on[0] + b * on[1] + c * on[0] * on[1]
    one = (world + a * on[0]).broadcast_like(both)
    y = xr.concat([both, one], "optimizer").transpose(
        "landscape", "optimizer", "data", "drift", "replicate"
    )
    loss = y.where(xr.DataArray(list(gap), dims="landscape") == 0, 10**y).expand_dims(
        checkpoint=2, axis=-1
    )
    coords = {
        "landscape": ["l", "m"],
        "optimizer": ["x", "y"],
        "data": ["on", "off"],
        "drift": ["on", "off"],
    }
    found = xr.Dataset({"loss": loss, "status": xr.full_like(loss, 2, np.int8)}).assign_coords(
        coords | {"gap_known": ("landscape", list(gap))}
    )
    return found.copy(deep=True), a, b, c


def test_a_run_that_diverged_has_no_number_whatever_it_recommends():
    data, *_ = made()
    assert (effects(data)["worlds"].sel(factor="data") == WORLDS).all()
    data["status"][0, 0, 0, 0, 3, -1] = 3
    told = effects(data)["worlds"].sel(factor="data")
    assert told.isel(landscape=0).values.tolist() == [WORLDS - 1, WORLDS]


def test_effects_are_those_that_were_put_in():
    data, a, b, c = made()
    assert factors_of(data) == ["data", "drift"]
    told = effects(data)
    assert told["logarithmic"].values.tolist() == [True, False]
    for i in range(2):
        here = told.isel(landscape=i)
        x, y = here.sel(optimizer="x"), here.sel(optimizer="y")
        assert np.allclose(x["effect"].sel(factor="data"), float(a[i].mean()) + c / 2)
        assert np.allclose(x["effect"].sel(factor="drift"), float(b[i].mean()) + c / 2)
        assert np.allclose(x["interaction"].sel(factor="data", other="drift"), c)
        assert np.allclose(x["interaction"].sel(factor="drift", other="data"), c)
        assert np.isnan(x["interaction"].sel(factor="data", other="data"))
        assert np.allclose(y["effect"].sel(factor="data"), float(a[i].mean()))
        assert np.isnan(y["effect"].sel(factor="drift"))  # it does not touch this arm
        assert y["interaction"].isnull().all()
        low, high = x["effect_interval"].sel(factor="data").values
        assert low < float(a[i].mean()) + c / 2 < high
        assert (
            high - low
            < 0.5
            < 2 * float(data["loss"].isel(checkpoint=-1).sel(landscape="m", optimizer="x").std())
        )  # paired: worlds differ far more
        assert np.allclose(
            x["interaction_interval"].sel(factor="data", other="drift"), c
        )  # the same in all worlds


def test_effects_of_some_factors_and_lost_worlds():
    data, a, b, c = made()
    lost = data.copy(deep=True)
    lost["loss"][{"replicate": 0, "data": 0}] = np.inf
    told = effects(lost, ["drift"])
    assert told["factor"].values.tolist() == ["drift"]
    assert (told["worlds"].sel(optimizer="x") == WORLDS - 1).all()
    assert np.allclose(
        told["effect"].sel(optimizer="x", factor="drift"),
        [float(b[i, 1:].mean()) + c / 2 for i in range(2)],
    )
    with pytest.raises(
        ValueError,
        match=r"factorial: expected factors with the values on and off, here data, drift; got \['mutation'\]",
    ):
        effects(data, ["mutation"])
    with pytest.raises(ValueError, match="here there are none"):
        effects(data.sel(data="on", drift="on"))


def test_a_gap_of_nothing_counts_as_the_smallest():
    data, *_ = made()
    data["loss"][{"replicate": 0, "data": 0, "landscape": 0}] = 0.0
    assert np.isfinite(effects(data)["effect"].sel(landscape="l", factor="data")).all()


def test_other_levels_and_reserved_names_are_left_out():
    data, *_ = made()
    free = xr.concat(
        [data, data.sel(drift=["on"]).assign_coords(drift=["free"]) * 3], "drift"
    ).assign_coords(gap_known=data["gap_known"])
    assert effects(free).equals(effects(data))
    renamed = data.rename(drift="factors.drift")
    assert effects(renamed, ["drift"])["factor"].values.tolist() == ["drift"]


def test_the_figure_shows_what_is_there():
    data, *_ = made()
    figure = FIGURES["factorial"](data)
    assert len(figure.axes) == 4
    told = effects(data).sel(landscape="l")
    assert [(name, list(values)) for name, values in mains(told)] == [
        ("data", ["x", "y"]),
        ("drift", ["x"]),
    ]
    assert [list(values) for _, values in pairs(told)] == [["x"]]
    dots = [line for line in figure.axes[0].lines if line.get_marker() not in ("None", None, "")]
    assert len(dots) == 3
    with pytest.raises(
        ValueError, match="expected a study that sweeps nothing beside its factors, got rate"
    ):
        FIGURES["factorial"](data.expand_dims(rate=[1, 2]))
