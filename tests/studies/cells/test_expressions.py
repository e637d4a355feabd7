"""Expressions of `record:`, beside searches driven by hand and plain numpy."""

import itertools
import random

import numpy as np
import pytest
import torch

from studies.cells.contract import PluginError
from studies.cells.expressions.compiled import compiled
from tests.studies.cells.test_loop import task
from tests.support.each import each
from tests.support.expressions import driven, recorded

BOWL = {"kind": "quadratic", "dim": 4, "condition": 9.0}
SGD = {"kind": "sgd", "learning_rate": 0.05, "momentum": 0.7}
MANY = {"kind": "sgd", "learning_rate": 0.05, "starts": 3}
CHECKPOINTS = [0.5, 3.0, 6.0, 20.0, 30.0]
HERE = "tests.support.expressions"
SEEN = {  # checkpoint -> steps of cost 3 completed by then
    1: 1,
    2: 2,
    3: 6,
    4: 10,
}

# every form of the language, beside numpy on the arrays of one step ------------------------------------------


def of_step(optimizer, step):
    """The names as numpy arrays, axes of length 1 left out."""
    velocity = step.state.velocity.numpy()
    return {
        "center": optimizer.center(step.state).numpy(),
        "recommendation": optimizer.recommend(step.state).numpy(),
        "points": step.query.points.numpy(),
        "value": step.answer.value.numpy(),
        "gradient": step.answer.gradient.numpy(),
        "velocity": velocity,
        "cost": step.cost,
    }


FORMS = {
    "center[0]": lambda n: n["center"][:, 0],
    "center[-1]": lambda n: n["center"][:, 3],
    "recommendation[2]": lambda n: n["recommendation"][:, 2],
    "points[0, 3]": lambda n: n["points"][:, 0, 3],
    "points[-1][1]": lambda n: n["points"][:, -1, 1],
    "mean(norm(gradient))": lambda n: np.sqrt((n["gradient"] ** 2).sum(2)).mean(1),
    "norm(gradient[1])": lambda n: np.linalg.norm(n["gradient"][:, 1], axis=1),
    "mean(points)": lambda n: n["points"].mean((1, 2)),
    "std(points)": lambda n: n["points"].reshape(len(n["points"]), -1).std(1),
    "var(center)": lambda n: n["center"].var(1),
    "min(value)": lambda n: n["value"].min(1),
    "max(value)": lambda n: n["value"].max(1),
    "sum(abs(center))": lambda n: np.abs(n["center"]).sum(1),
    "max(center[0], center[1], 0.1)": lambda n: np.maximum(n["center"][:, :2].max(1), 0.1),
    "min(center[0], -1)": lambda n: np.minimum(n["center"][:, 0], -1),
    "dot(gradient[0], points[0])": lambda n: (n["gradient"][:, 0] * n["points"][:, 0]).sum(1),
    "mean(norm(points - center))": lambda n: np.linalg.norm(
        n["points"] - n["center"][:, None], axis=2
    ).mean(1),
    "sqrt(sum(center ** 2))": lambda n: np.linalg.norm(n["center"], axis=1),
    "log(exp(center[0]) + 1)": lambda n: np.log(np.exp(n["center"][:, 0]) + 1),
    "-center[0] + +2 * center[1] / 4 - 1": lambda n: -n["center"][:, 0] + n["center"][:, 1] / 2 - 1,
    "(center[0] ** 2 + 1) ** 1.5": lambda n: (n["center"][:, 0] ** 2 + 1) ** 1.5,
    "center[0] ** -3": lambda n: n["center"][:, 0] ** -3.0,
    "(center[0] ** 2) ** center[1]": lambda n: (n["center"][:, 0] ** 2) ** n["center"][:, 1],
    "center[0] > 0": lambda n: n["center"][:, 0] > 0,
    "-1 < center[0] <= 1": lambda n: (n["center"][:, 0] > -1) & (n["center"][:, 0] <= 1),
    "mean(center > 0 and center < 1)": lambda n: ((n["center"] > 0) & (n["center"] < 1)).mean(1),
    "mean(center < 0 or center > 1)": lambda n: ((n["center"] < 0) | (n["center"] > 1)).mean(1),
    "mean(not center < 0)": lambda n: (n["center"] >= 0).mean(1),
    "mean(center == center[0])": lambda n: (n["center"] == n["center"][:, :1]).mean(1),
    "mean(center != center[0])": lambda n: (n["center"] != n["center"][:, :1]).mean(1),
    "norm(state.velocity[2])": lambda n: np.linalg.norm(n["velocity"][:, 2], axis=1),
    "step": lambda n: n["cost"] / 9,
    "cost": lambda n: n["cost"],
    "gradient_length": lambda n: np.sqrt((n["gradient"] ** 2).sum(2)).mean(1),
    "population": lambda n: np.full(len(n["cost"]), 3.0),
    "batch": lambda n: np.full(len(n["cost"]), 1.0),
    f"{HERE}:reach": lambda n: np.linalg.norm(n["center"], axis=1) / n["value"].mean(1),
    f"2 * {HERE}:reach + 1": lambda n: 2 * np.linalg.norm(n["center"], axis=1) / n["value"].mean(1) + 1,
    f"{HERE}:whole": lambda n: n["velocity"].sum((1, 2)),
}


@pytest.fixture(scope="module")
def trail():
    return driven(task(BOWL, MANY, budget=90.0), range(3))


@pytest.fixture(scope="module")
def forms():
    labels = {f"form_{place}x": text for place, text in enumerate(FORMS)}
    return recorded(BOWL, MANY, labels, budget=90.0, checkpoints=[0.5, 9.0, 40.0, 90.0])


@each("place", range(len(FORMS)), ids=FORMS)
def test_a_snapshot_is_what_numpy_says_of_the_step(place, trail, forms):
    optimizer, _, steps = trail
    text, expected = list(FORMS.items())[place]
    variable = forms[f"form_{place}x"]
    assert variable.dims == ("replicate", "checkpoint")
    assert variable.attrs == {"long_name": text, "units": "1", "expression": text}
    for checkpoint, step in ((1, 1), (2, 4), (3, 10)):
        numbers = expected(of_step(optimizer, steps[step - 1])).astype(float)
        np.testing.assert_allclose(variable.values[:, checkpoint], numbers, rtol=1e-12, atol=1e-14)


def test_before_the_first_step_there_are_a_state_and_nothing_of_a_step(trail):
    optimizer, first, _ = trail
    asked = {"a": "center[0]", "b": "step", "c": "norm(gradient[0])", "d": "min(value)"}
    asked |= {"e": "average(center[0])", "f": "center[0] + min(value)", "g": f"{HERE}:reach"}
    data = recorded(BOWL, MANY, asked, checkpoints=CHECKPOINTS)
    np.testing.assert_array_equal(data["a"][:, 0], optimizer.center(first).numpy()[:, 0])
    assert (data["b"][:, 0] == 0).all()
    for label in "cdefg":
        assert np.isnan(data[label][:, 0]).all()
        assert np.isfinite(data[label][:, -1]).all()


def test_a_vector_has_a_dim_of_its_own(trail):
    optimizer, _, steps = trail
    data = recorded(BOWL, MANY, {"thetas": "center", "ones": "mean(center)"}, checkpoints=[9.0, 27.0])
    assert data["thetas"].dims == ("replicate", "checkpoint", "thetas_index")
    np.testing.assert_array_equal(data["thetas"][:, 1], optimizer.center(steps[2].state).numpy())
    assert data["ones"].shape == (3, 2, 1)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_recording_changes_no_other_number(dtype):
    asked = {"a": "average(norm(gradient[0]))", "b": "center[0]", "c": "genotypes"}
    plain = recorded(BOWL, MANY, {}, dtype=dtype)
    data = recorded(BOWL, MANY, asked, dtype=dtype)
    for name in set(plain.data_vars) - {"seconds"}:
        np.testing.assert_array_equal(data[name], plain[name])


# averages ----------------------------------------------------------------------------------------------------


GRIDS = {  # of a run of 30 steps of cost 3
    "few": [90.0],
    "uneven": [0.1, 4.0, 5.0, 31.0, 60.0, 61.0, 90.0],
    "every": [3.0 * step for step in range(1, 31)],
    "finer than steps": [1.0 * cost for cost in range(1, 91)],
}


@each("grid", GRIDS)
def test_averages_add_up_to_the_sum_over_all_steps(grid):
    """Whatever the checkpoints are: means times the steps that they are of."""
    _, _, steps = driven(task(BOWL, SGD, budget=90.0), range(3))
    lengths = np.stack([np.linalg.norm(step.state.velocity.numpy()[:, 0], axis=1) for step in steps], 1)
    asked = {"plain": "average(norm(state.velocity))", "square": "average_square(norm(state.velocity))"}
    data = recorded(BOWL, SGD, asked, budget=90.0, checkpoints=GRIDS[grid])
    done = data["steps"].values
    assert (done[:, -1] == 30).all()
    taken = np.diff(done, axis=1, prepend=0)
    for label, sizes in (("plain", lengths), ("square", lengths**2)):
        sums = np.where(taken > 0, data[label].values * taken, 0).sum(1)
        np.testing.assert_allclose(sums, sizes.sum(1), rtol=1e-13)
        for world, place in np.ndindex(done.shape):
            own = sizes[world, done[world, place] - taken[world, place] : done[world, place]]
            if len(own):
                assert data[label].values[world, place] == pytest.approx(own.mean(), rel=1e-13)


def test_between_two_checkpoints_of_one_state_an_average_is_that_of_the_first():
    data = recorded(BOWL, SGD, {"a": "average(step)"}, budget=9.0, checkpoints=[3.0, 4.0, 5.0, 9.0])
    np.testing.assert_array_equal(data["a"], [[1.0, 1.0, 1.0, 2.5]] * 3)


def test_averages_are_numbers_of_a_larger_expression():
    """The variance over time."""
    _, _, steps = driven(task(BOWL, SGD), range(3))
    first = np.stack([step.state.points.numpy()[:, 0, 0] for step in steps], 1)
    text = "average_square(center[0]) - average(center[0]) ** 2 + 0 * center[1]"
    data = recorded(BOWL, SGD, {"a": text}, checkpoints=[30.0])
    np.testing.assert_allclose(data["a"][:, 0], first.var(1), rtol=1e-10)


def test_worlds_that_end_at_steps_of_their_own_add_up_their_own_steps():
    """A method whose worlds pay different bills: each world alone gives the same numbers."""
    method = {"kind": "adaptive_walk"}
    nk = {"kind": "nk", "n": 8, "k": 2}
    asked = {"a": "average(mean(value))", "b": "average(step)", "c": "cost", "d": "population"}
    options = {"budget": 20.0, "checkpoints": [2.0, 7.0, 20.0]}
    batch = recorded(nk, method, asked, range(5), **options)
    for world in range(5):
        alone = recorded(nk, method, asked, [world], **options)
        for label in asked:
            np.testing.assert_array_equal(alone[label][0], batch[label][world])


# worlds never mix --------------------------------------------------------------------------------------------


@each("sizes", [(1, 6), (2, 3), (5, 1)])
def test_the_bits_of_a_world_do_not_depend_on_the_others(sizes):
    texts = [*FORMS, "center", "average(norm(state.velocity[0]))", "average_square(center)"]
    asked = {f"form_{place}x": text for place, text in enumerate(texts)}
    asked = {label if asked[label] != "center" else "centers": text for label, text in asked.items()}
    asked = {
        "averages" if text == "average_square(center)" else label: text for label, text in asked.items()
    }
    large = {**BOWL, "dim": 37}
    whole = recorded(large, MANY, asked, range(6), checkpoints=[9.0, 27.0])
    first = 0
    for size in itertools.cycle(sizes):
        if first + size > 6:
            break
        part = recorded(large, MANY, asked, range(first, first + size), checkpoints=[9.0, 27.0])
        for label in asked:
            np.testing.assert_array_equal(part[label], whole[label][first : first + size])
        first += size


# games -------------------------------------------------------------------------------------------------------


def test_the_players_of_a_game_are_coordinates():
    asked = {"theta": "center[0]", "psi": "center[1]", "loss_of_one": "value[0]", "other": "value[1]"}
    options = {"budget": 30.0, "checkpoints": [3.0, 30.0]}
    game, method = {"kind": "dirac_gan"}, {"kind": "sgd", "learning_rate": 0.1}
    optimizer, _, steps = driven(task(game, method, budget=30.0), range(3))
    data = recorded(game, method, asked, **options)
    for label, place in (("theta", 0), ("psi", 1)):
        for checkpoint, step in ((0, 1), (1, 10)):
            center = optimizer.center(steps[step - 1].state).numpy()[:, place]
            np.testing.assert_array_equal(data[label][:, checkpoint], center)
    np.testing.assert_array_equal(data["other"][:, 1], steps[-1].answer.value.numpy()[:, 0, 1])


# functions of the user's -------------------------------------------------------------------------------------


@each(
    ("name", "words"),
    [
        ("mixed", "mixed: gives the result of a world another value alone"),
        ("short", r"short: expected numbers \(R,\) = \(3,\) or \(R, n\), got \(1,\)"),
        ("raising", "raising: KeyError: 'no such thing'"),
        ("drawing", "drawing: draws from torch's global generator"),
        ("changing", "changing: changes center in place"),
    ],
)
def test_a_function_that_breaks_its_contract_is_refused_in_one_line(name, words):
    with pytest.raises(PluginError, match=words) as refused:
        recorded(BOWL, SGD, {"a": f"{HERE}:{name}"})
    assert "\n" not in str(refused.value)


# the grammar -------------------------------------------------------------------------------------------------


@each(
    ("text", "words"),
    [
        ("", "expected an expression"),
        ("1 + 1", "expected an expression of what the loop knows"),
        ("center.shape", r"expected \+ - \* / \*\*, comparisons, .* got 'center.shape'"),
        ("state.path.T", "got 'state.path.T'"),
        ("state", "got 'state'"),
        ("open('x')", "unknown function 'open'"),
        ("nrm(center)", "did you mean 'norm'"),
        ("center[0:2]", "expected places as whole numbers"),
        ("center[step]", "expected places as whole numbers"),
        ("center[0.5]", "expected places as whole numbers"),
        ("average(average(center))", "an average of averages"),
        ("average(2)", "expected the average of something that changes"),
        ("norm(center, 2)", r"expected norm\(x\), got 2 arguments"),
        ("dot(center)", r"expected dot\(a, b\), got 1 arguments"),
        ("center if step else 0", "got 'center if step else 0'"),
        ("center in (1, 2)", "expected < <= > >= == != between numbers"),
        ("lambda: center", "got 'lambda: center'"),
        ("center @ center", "got 'center @ center'"),
        ("~step", "expected .* got"),
        ("True", "got 'True'"),
        ("center + 1" + "0" * 400, "too large"),
        ("(" * 100 + "center" + ")" * 100 + "+1" * 600, "expected an expression"),
        (f"{HERE}:reach(center)", "takes the names of its arguments"),
        ("mean(x for x in center)", "expected .* got"),
        ("norm(x=center)", "expected .* got"),
        ("'center'", "got \"'center'\""),
    ],
)
def test_what_is_no_expression_is_one_line(text, words):
    with pytest.raises(ValueError, match=words) as refused:
        compiled(text)
    assert "\n" not in str(refused.value)


class Anything:
    """Every name is an array of two worlds."""

    partial = False

    def __init__(self):
        self.averages = [torch.ones(2, 3, dtype=torch.float64)] * 100

    def value(self, name):
        return torch.arange(6.0, dtype=torch.float64).reshape(2, 3)


PIECES = (
    "center state.path info.a value step [0] [-1] [0, 1] [9] ( ) + - * / ** , < <= == != and or not"
    " norm( mean( average( average_square( dot( max( sqrt( log( abs( 0 1 2.5 1e300 my.mod:function"
    " . : [ ] 'a' lambda if else for in is { } @ % // ~ True None __import__( # \\ ; = := \n é"
).split(" ")


def garbled(draw):
    """A form of the language with some of its letters gone and pieces put in; or pieces alone."""
    letters = [*draw.choice([*FORMS, ""])]
    for _ in range(draw.randint(0, 4)):
        place = draw.randint(0, len(letters))
        del letters[place : place + draw.choice([0, 0, 1, 3])]
        letters.insert(place, draw.choice([*PIECES, ""]))
    return "".join(letters)


def outcome(text):
    """The value of an expression, or why it has none."""
    try:
        return compiled(text).read(Anything())
    except ValueError as error:
        return str(error)


def test_any_string_is_a_value_or_one_line():
    draw = random.Random(7)
    outcomes = {text: outcome(text) for text in (garbled(draw) for _ in range(2000))}
    lines = {text: line for text, line in outcomes.items() if isinstance(line, str)}
    assert not [text for text, line in lines.items() if "\n" in line or not line]
    values = [value for value in outcomes.values() if isinstance(value, torch.Tensor)]
    assert len(values) + len(lines) == len(outcomes)
    assert min(len(values), len(lines)) > 100
