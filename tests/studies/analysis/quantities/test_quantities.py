"""Quantities beside hand-written NumPy on random results; what is none is one line."""

import json
import math
import random

import numpy as np
import pytest
import xarray as xr

from studies import analysis
from studies.analysis.quantities.evaluate import quantity
from studies.analysis.quantities.functions import FUNCTIONS, SUMMARIES
from studies.ask import main
from tests.support.analysis import results
from tests.support.each import each

WORLDS, CHECKPOINTS = 24, 10


@pytest.fixture(scope="module")
def made():
    """Two arms on two landscapes, at two values of an axis: the results, and loss, start and hits as arrays."""
    draw = np.random.default_rng(7)
    loss = np.sort(draw.lognormal(0, 1, (2, 2, 2, WORLDS, CHECKPOINTS)))[
        ..., ::-1
    ]  # it falls along checkpoints
    start = 2 * loss[..., 0]
    hits = np.where(
        draw.random((2, 2, 2, WORLDS, 1)) < 0.8, draw.uniform(1, 100, (2, 2, 2, WORLDS, 1)), np.inf
    )
    cells = [
        [
            xr.concat(
                [one(loss, start, hits, place, arm, value) for value in range(2)],
                axis,
                coords="minimal",
            )
            for arm in range(2)
        ]
        for place in range(2)
    ]
    rows = [xr.concat(row, label("optimizer", ["SGD", "ES"]), coords="minimal") for row in cells]
    data = xr.concat(rows, label("landscape", ["bowl", "steep"]), coords="minimal")
    return (
        data.assign_attrs(settings=json.dumps(settings())),
        loss,
        start,
        hits[..., 0],
    )


RATES = {"SGD": 0.1, "ES": 0.3}
DIMS = {"bowl": 4, "steep": 6}


def settings():
    """What the arms ran with: the SGD's batch is that of the axis, the ES has none."""
    arms, tasks = [], []
    for place, dim in DIMS.items():
        for arm, rate in RATES.items():
            for batch in (8, 32):
                coords = {"landscape": place, "optimizer": arm, "noise.batch": batch}
                arms.append({"coords": coords, "label": arm, "task": len(tasks)})
                optimizer = {"kind": arm.lower(), "learning_rate": rate * batch}
                optimizer |= {"loss": 99.0} | ({"batch": batch} if arm == "SGD" else {})
                noise = {"batch": batch, "evaluation": {"value": 0.5, "gradient": 0.25}}
                study = {"gradient_cost": {"value": 3.0, "low": 3.0, "high": 3.0}}
                task = {"landscape": {"dim": dim}, "optimizer": optimizer, "noise": noise}
                tasks.append(task | {"study": study})
    return {"arms": arms, "tasks": tasks}


axis = xr.DataArray([8.0, 32.0], dims="noise.batch", name="noise.batch")


def label(name, values):
    return xr.DataArray(np.asarray(values, object), dims=name, name=name)


def one(loss, start, hits, *place):
    data = results(loss[place], targets=[0.3], hits=hits[place])
    steps = np.broadcast_to(10 * np.arange(1, CHECKPOINTS + 1), (WORLDS, CHECKPOINTS))
    return data.assign(
        start_loss=("replicate", start[place]), steps=(("replicate", "checkpoint"), steps)
    )


def ordered(x, level):
    """The order statistic: at least a share `level` of the worlds do not exceed it."""
    return np.sort(x, -1)[..., math.ceil(level * x.shape[-1]) - 1]


# dims of the arrays: landscape, optimizer, axis, world (, checkpoint)
BY_HAND = {
    "loss": lambda loss, start, hit: loss[..., -1].mean(-1),
    "mean(loss)": lambda loss, start, hit: loss[..., -1].mean(-1),
    "median(loss)": lambda loss, start, hit: ordered(loss[..., -1], 0.5),
    "variance(loss)": lambda loss, start, hit: loss[..., -1].var(-1, ddof=1),
    "sd(loss) / mean(loss)": lambda loss, start, hit: (
        loss[..., -1].std(-1, ddof=1) / loss[..., -1].mean(-1)
    ),
    "quantile(loss, 0.9)": lambda loss, start, hit: ordered(loss[..., -1], 0.9),
    "share(loss < 0.1)": lambda loss, start, hit: (loss[..., -1] < 0.1).mean(-1),
    "share(loss(start) > 2 * loss)": lambda loss, start, hit: (start > 2 * loss[..., -1]).mean(-1),
    "loss(start)": lambda loss, start, hit: start.mean(-1),
    "loss(cost=35)": lambda loss, start, hit: loss[..., 2].mean(-1),
    "loss(budget=0.5)": lambda loss, start, hit: loss[..., 4].mean(-1),
    "loss(epochs=79)": lambda loss, start, hit: loss[..., 6].mean(-1),
    "loss(steps=79)": lambda loss, start, hit: loss[..., 6].mean(-1),
    "mean(loss, since=0.5)": lambda loss, start, hit: loss[..., 4:].mean((-1, -2)),
    "median(mean(loss**2, since=0.8))": lambda loss, start, hit: ordered(
        (loss[..., 7:] ** 2).mean(-1), 0.5
    ),
    "median(log10(loss(start) / loss))": lambda loss, start, hit: ordered(
        np.log10(start / loss[..., -1]), 0.5
    ),
    "log(mean(loss))": lambda loss, start, hit: np.log(loss[..., -1].mean(-1)),
    "mean(log(loss))": lambda loss, start, hit: np.log(loss[..., -1]).mean(-1),
    "hit(0.3)": lambda loss, start, hit: hit.mean(-1),
    "median(hit(0.3))": lambda loss, start, hit: ordered(hit, 0.5),
    "share(hit(0.3) < inf)": lambda loss, start, hit: np.isfinite(hit).mean(-1),
    'loss["ES"] - loss["SGD"]': lambda loss, start, hit: (
        loss[:, 1, :, :, -1] - loss[:, 0, :, :, -1]
    ).mean(-1),
    'share(loss["ES"] < loss["SGD"])': lambda loss, start, hit: (
        loss[:, 1, ..., -1] < loss[:, 0, ..., -1]
    ).mean(-1),
    'median(loss["ES", "bowl"])': lambda loss, start, hit: ordered(loss[0, 1, ..., -1], 0.5),
    'median(loss["ES"](steps=79))': lambda loss, start, hit: ordered(loss[:, 1, ..., 6], 0.5),
    'loss["ES", noise_batch=32](start)': lambda loss, start, hit: start[:, 1, 1].mean(-1),
    'loss["ES", noise_batch=32]': lambda loss, start, hit: loss[:, 1, 1, :, -1].mean(-1),
    "mean(loss[noise_batch=8]) / mean(loss[noise_batch=32])": lambda loss, start, hit: (
        loss[:, :, 0, :, -1].mean(-1) / loss[:, :, 1, :, -1].mean(-1)
    ),
    'median(hit(0.3)["ES"]) / median(hit(0.3)["SGD"])': lambda loss, start, hit: (
        ordered(hit[:, 1], 0.5) / ordered(hit[:, 0], 0.5)
    ),
    "max(loss, 0.5)": lambda loss, start, hit: np.maximum(loss[..., -1], 0.5).mean(-1),
    "-2 * mean(loss) + 1e-3": lambda loss, start, hit: 1e-3 - 2 * loss[..., -1].mean(-1),
}


@each("text", BY_HAND)
def test_a_quantity_is_what_its_words_say(made, text):
    data, *arrays = made
    answer = analysis.quantity(data, text)
    expected = BY_HAND[text](*arrays)
    np.testing.assert_allclose(answer["quantity"].transpose(..., *()).values, expected, rtol=1e-12)
    assert (answer["worlds"] == WORLDS).all()
    low, high = answer["quantity_interval"].transpose("bound", ...).values
    assert ((low <= expected) & (expected <= high)).all()


def test_terms_of_each_landscape_are_those_of_the_one_that_is_meant(made):
    data, loss, *_ = made
    counted = data.assign_coords(terms=("landscape", [2, 5]))  # 5: a checkpoint every 4 epochs
    answer = quantity(counted, 'mean(loss["ES", "steep"](epochs=11))')["quantity"]
    np.testing.assert_allclose(answer.values, loss[1, 1, ..., 1].mean(-1), rtol=1e-12)
    end = quantity(counted, 'mean(loss["SGD", "bowl"])')["quantity"]
    np.testing.assert_allclose(end.values, loss[0, 0, ..., -1].mean(-1), rtol=1e-12)


D = np.array([4.0, 6.0])[:, None, None]
RATE = np.array([0.1, 0.3])[None, :, None] * np.array([8.0, 32.0])
OF_SETTINGS = {
    "loss / learning_rate": lambda loss: (loss / RATE[..., None]).mean(-1),
    "mean(loss) / learning_rate": lambda loss: loss.mean(-1) / RATE,
    "mean(loss) - dim * learning_rate / 2": lambda loss: loss.mean(-1) - D * RATE / 2,
    "median(loss - learning_rate)": lambda loss: ordered(loss - RATE[..., None], 0.5),
    "share(loss < learning_rate)": lambda loss: (loss < RATE[..., None]).mean(-1),
    "loss / noise.evaluation.gradient": lambda loss: 4 * loss.mean(-1),
    "loss * optimizer.loss": lambda loss: 99 * loss.mean(-1),
    "loss * noise.batch": lambda loss: loss.mean(-1) * np.array([8.0, 32.0]),
    'mean(loss["ES"]) * learning_rate["ES"]': lambda loss: loss[:, 1].mean(-1) * RATE[:, 1],
    'mean(loss["ES"]) * learning_rate["SGD"]': lambda loss: loss[:, 1].mean(-1) * RATE[:, 0],
    'loss["ES", noise_batch=8] * learning_rate["ES", noise_batch=32]': lambda loss: (
        loss[:, 1, 0].mean(-1) * RATE[:, 1, 1]
    ),
    "mean(loss) - tests.support.theories:product": lambda loss: loss.mean(-1) - D * RATE,
    "tests.support.theories:product": lambda loss: D * RATE + 0 * loss[..., 0],
}


@each("text", OF_SETTINGS)
def test_a_name_that_was_not_recorded_is_a_number_of_the_settings(made, text):
    data, loss, *_ = made
    answer = quantity(data, text)
    expected = OF_SETTINGS[text](loss[..., -1])
    np.testing.assert_allclose(answer["quantity"].values, expected, rtol=1e-12)
    assert answer["quantity"].dims[0] == "landscape"


def test_a_setting_that_some_arms_lack_is_no_number_there(made):
    answer = quantity(made[0], "loss / optimizer.batch")["quantity"]
    assert answer.sel(optimizer="SGD").notnull().all()
    assert answer.sel(optimizer="ES").isnull().all()


def test_the_interval_is_at_the_level_that_is_asked(made):
    """Of a mean of many normal numbers: its standard errors are the normal's quantiles."""
    normal = results(np.random.default_rng(2).normal(0, 1, (400, 1)) + 10)
    widths = [
        float(quantity(normal, "loss", level=level)["quantity_interval"].diff("bound").item())
        for level in (0.8, 0.95, 0.9973, 1 - 1e-6)
    ]
    error = float(normal["loss"].std(ddof=1)) / 20
    np.testing.assert_allclose(widths, 2 * error * np.array([1.2816, 1.96, 3.0, 4.8916]), rtol=0.12)
    with pytest.raises(ValueError, match="level: expected 0 < level < 1, got 95"):
        quantity(normal, "loss", level=95)


def test_a_difference_knows_that_its_arms_share_worlds(made):
    """The ES is the SGD's loss and a little more in every world: the difference is known to that little."""
    data = made[0].copy(deep=True)
    sgd = data["loss"].sel(optimizer="SGD").values
    little = np.random.default_rng(1).normal(1e-3, 1e-6, sgd.shape)
    data["loss"].loc[{"optimizer": "ES"}] = sgd + little
    paired = analysis.quantity(data, 'mean(loss["ES"]) - mean(loss["SGD"])')
    width = paired["quantity_interval"].diff("bound")
    assert (abs(paired["quantity"] - 1e-3) < 1e-6).all()
    assert (width < 3e-6).all()
    assert (analysis.quantity(data, 'loss["ES"]')["quantity_interval"].diff("bound") > 0.01).all()


def test_worlds_without_a_number_are_left_out_of_all_parts(made):
    data = made[0].copy(deep=True)
    data["loss"][{"replicate": 3, "optimizer": 0}] = np.nan
    answer = analysis.quantity(data, 'mean(loss["ES"]) - mean(loss["SGD"])')
    kept = np.delete(made[1][..., -1], 3, axis=-1)
    np.testing.assert_allclose(
        answer["quantity"].values, (kept[:, 1] - kept[:, 0]).mean(-1), rtol=1e-12
    )
    assert (answer["worlds"] == WORLDS - 1).all()


def test_a_number_of_a_recorded_vector_is_named_by_its_dim(made):
    """At the end in a mean, at each checkpoint in the first time."""
    data, loss = made[:2]
    vector = np.stack([loss, 3 * loss], -1)
    vectors = data.assign(v=((*data["loss"].dims, "v_index"), vector)).assign_coords(v_index=[0, 1])
    mean = analysis.quantity(vectors, 'mean(v["ES", v_index=1])')["quantity"]
    np.testing.assert_allclose(mean.values, 3 * loss[:, 1, ..., -1].mean(-1), rtol=1e-12)
    first = analysis.quantity(vectors, "median(first(v[v_index=1] < 3))")["quantity"]
    np.testing.assert_array_equal(first, analysis.quantity(data, "median(first(loss < 1))")["quantity"])
    for text, message in (
        ("mean(v[1])", r"v is a vector; write \[v_index=1\]"),
        ("mean(v[v_index=2])", "unknown v_index 2; expected one of: 0, 1"),
        ("mean(loss[v_index=1])", "unknown axis 'v_index'"),
    ):
        with pytest.raises(ValueError, match=message):
            analysis.quantity(vectors, text)


@each(
    ("text", "message"),
    [
        ("lass", "unknown quantity 'lass'; did you mean 'loss'[?]"),
        ('loss["GA"]', "unknown optimizer 'GA'"),
        ('loss["ES", "hill"]', "unknown landscape 'hill'"),
        ("loss[batch=8]", "unknown axis 'batch'; did you mean 'noise_batch'[?]"),
        ("loss[noise_batch=9]", "unknown noise_batch|unknown noise.batch 9"),
        ('loss[noise_batch="8"]', r"expected a number, got the text '8'; write \[noise.batch=8\]"),
        ("loss / gradient", "unknown quantity 'gradient'; did you mean 'noise.evaluation.gradient'[?]"),
        ("loss / noise.gradient", "did you mean 'noise.evaluation.gradient'[?]"),
        ("theory:kimura", "[(]of bowl, SGD[)]"),
        ("mean(loss) - loss", "a number of each world beside one of all worlds"),
        ("mean(mean(loss))", "expected a number of each world, this is one of all"),
        ("share(loss)", "expected a condition"),
        ("quantile(loss, 2)", "expected a level 0 < level < 1"),
        ("quantile(loss)", "expected quantile[(]x, level[)]"),
        ("1 + 1", "expected a quantity of the results"),
        ("loss(cost=1e9)", "expected at most 100 evaluations"),
        ("loss(cost=1)", "expected a cost that some checkpoint has"),
        ("loss(end)", "expected loss[(]start[)]"),
        ("best_loss(start)", "expected loss[(]start[)], the one number"),
        ("mean(loss, since=2)", "expected a fraction of the budget"),
        ("median(loss", "expected a quantity, such as median"),
        ("loss if loss else 1", "expected [+] - "),
        ("loss / lerning_rate", "unknown quantity 'lerning_rate'; did you mean 'learning_rate'[?]"),
        ("loss - nowhere:law", "cannot import 'nowhere:law'"),
        ("loss - tests.support.theories:needy", "unknown argument 'nothing'"),
        ("mean(learning_rate)", "expected a number of each world"),
        ("sqr(loss)", "unknown function 'sqr'; did you mean 'sqrt'[?]"),
        ("loss.mean()", "unknown function 'loss.mean'; did you mean 'mean'[?]"),
        ("loss\n+1", "expected a quantity"),
        ("(" * 300 + "loss" + ")" * 300, "expected a quantity"),
        ("-" * 300 + "loss", "at most 60 operations"),
    ],
)
def test_what_is_no_quantity_is_one_line(made, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        analysis.quantity(made[0], text)
    assert "\n" not in str(caught.value)


SIGNS = '+ - * / ** ( ) [ ] , = < "ES" "bowl" 0.3 8 start since cost . if lambda'.split()
WORDS = [*FUNCTIONS, *SUMMARIES, "quantile", "hit", "loss", "status", "instance", "noise_batch", *SIGNS]


@pytest.mark.verify
def test_any_text_is_a_number_or_one_line(made):
    """As test_random has it each day, of results that more can be asked of."""
    draw, small = random.Random(3), made[0].isel(replicate=slice(2))
    texts = ["".join(draw.choices(WORDS, k=draw.randrange(1, 8))) for _ in range(600)]
    outcomes = [outcome(small, text) for text in texts]
    assert not [message for message in outcomes if "\n" in message]
    assert "" in outcomes, "some of them are quantities"


def outcome(data, text):
    """What is said of a text that is none."""
    try:
        quantity(data, text)
    except ValueError as error:
        return str(error)
    return ""


def test_the_command_prints_value_interval_and_worlds(made, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("studies.open_study", lambda path: made[0])
    assert main(["results/x", 'median(loss["ES", "bowl", noise_batch=8])']) == 0
    shown = capsys.readouterr().out
    assert f"{ordered(made[1][0, 1, 0, :, -1], 0.5):.4g}" in shown
    assert str(WORLDS) in shown
    assert main(["results/x", 'hit["ES"]']) == 2
    assert capsys.readouterr().err == "unknown quantity 'hit'; expected hit(0.1, clock=steps)\n"
    assert main(["results/x", "lass"]) == 2
    assert "did you mean 'loss'?" in capsys.readouterr().err


@pytest.mark.verify
def test_the_interval_of_a_ratio_of_medians_holds_it():
    """Two arms that share half of their spread: medians 1 and 2, so that the ratio is 2; 600 studies of 48 worlds."""
    draw, held = np.random.default_rng(11), 0
    for _ in range(600):
        shared, own = draw.normal(0, 0.5, (48, 1)), draw.normal(0, 0.5, (2, 48, 1))
        arms = [results(np.exp(shared + own[0])), results(2 * np.exp(shared + own[1]))]
        data = xr.concat(arms, label("optimizer", ["A", "B"]), coords="minimal")
        low, high = quantity(data, 'median(loss["B"]) / median(loss["A"])')["quantity_interval"].values
        held += low <= 2 <= high
    assert 0.92 <= held / 600 <= 0.98
