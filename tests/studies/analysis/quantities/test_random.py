"""Random quantities beside plain NumPy on random results; and any text at all: a value or one line."""

import random

import numpy as np
import pytest
import xarray as xr

from studies.analysis.quantities.calls import CALLS
from studies.analysis.quantities.evaluate import quantity
from studies.analysis.quantities.ledger import POOLED
from tests.support.analysis import results

LEAVES = {  # text -> of the losses (optimizer, world, checkpoint)
    "loss": lambda loss: loss[:, :, -1],
    "best_loss": lambda loss: loss[:, :, -1],
    "loss(budget=0.5)": lambda loss: loss[:, :, 1],
    "mean(loss, since=0.5)": lambda loss: loss[:, :, 1:].mean(-1),
    "max(loss, since=0)": lambda loss: loss.max(-1),
    "variance(loss, since=0)": lambda loss: loss.var(-1, ddof=1),
    'loss["A"]': lambda loss: loss[0, :, -1],
    'loss["B"](budget=0.25)': lambda loss: loss[1, :, 0],
    "3": lambda loss: np.float64(3),
}
OPERATORS = {"+": np.add, "-": np.subtract, "*": np.multiply}
FUNCTIONS = {"sqrt": lambda x: np.sqrt(abs(x)), "exp": lambda x: np.exp(-abs(x)), "abs": np.abs}
TEXTS = {"sqrt": "sqrt(abs({}))", "exp": "exp(-abs({}))", "abs": "abs({})"}
SUMMARIES = {
    "mean": lambda x: x.mean(-1),
    "sd": lambda x: x.std(-1, ddof=1),
    "variance": lambda x: x.var(-1, ddof=1),
    "median": lambda x: np.sort(x, -1)[..., (x.shape[-1] - 1) // 2],
    "min": lambda x: x.min(-1),
    "max": lambda x: x.max(-1),
}


def of_worlds(draw, depth=2):
    """A number of each world: its text, and what it is of the losses."""
    if depth == 0 or draw.random() < 0.5:
        text = draw.choice([name for name in LEAVES if name != "3"])
        return text, LEAVES[text]
    left, of_left = of_worlds(draw, depth - 1)
    if draw.random() < 0.5:
        name = draw.choice(sorted(FUNCTIONS))
        return TEXTS[name].format(left), lambda loss: FUNCTIONS[name](of_left(loss))
    right, of_right = draw.choice([of_worlds(draw, depth - 1), ("3", LEAVES["3"])])
    sign = draw.choice(sorted(OPERATORS))
    return f"({left} {sign} {right})", lambda loss: OPERATORS[sign](of_left(loss), of_right(loss))


def summary(draw):
    """A summary over worlds."""
    inner, of_inner = of_worlds(draw)
    name = draw.choice(sorted(SUMMARIES))
    return f"{name}({inner})", lambda loss: SUMMARIES[name](of_inner(loss))


def of_all(draw):
    """A summary over worlds, or two of them joined."""
    left, of_left = summary(draw)
    if draw.random() < 0.5:
        return left, of_left
    right, of_right = summary(draw)
    sign = draw.choice(sorted(OPERATORS))
    return f"{left} {sign} {right}", lambda loss: OPERATORS[sign](of_left(loss), of_right(loss))


def made(loss):
    """Results of two optimizers, A and B, of losses (2, R, 4)."""
    arms = xr.DataArray(np.array(["A", "B"], object), dims="optimizer", name="optimizer")
    return xr.concat([results(each) for each in loss], arms, coords="minimal")


def drawn_loss(draw):
    return np.random.default_rng(draw.randrange(2**32)).lognormal(0, 1, (2, draw.randrange(2, 10), 4))


@pytest.mark.parametrize("block", range(4))
def test_a_quantity_is_what_numpy_says(block):
    draw = random.Random(block)
    for _ in range(40):
        (text, by_hand), loss = of_all(draw), drawn_loss(draw)
        answer = quantity(made(loss), text)["quantity"].values
        np.testing.assert_allclose(answer, by_hand(loss), rtol=1e-9, atol=1e-12, err_msg=text)


COMPARED = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


@pytest.mark.parametrize("sign", COMPARED)
def test_a_share_is_counted(sign):
    draw = random.Random(sign)
    for _ in range(10):
        loss, threshold = drawn_loss(draw), draw.uniform(0.1, 3)
        answer = quantity(made(loss), f"share(loss {sign} {threshold!r})")["quantity"].values
        np.testing.assert_allclose(answer, COMPARED[sign](loss[:, :, -1], threshold).mean(-1))


SIGNS = '+ - * / ** ( ) [ ] , = < >= "A" "B" 0.3 8 2 start since cost steps clock moment . : @ if lambda in not'
NAMES = "loss best_loss status diverged hit_cost optimizer landscape raw selection data eta x theta __import__"
WORDS = [*CALLS, *(f"ledger.{name}" for name in POOLED), *NAMES.split(), *SIGNS.split()]
FORMS = [
    "{}({})",
    "{}[{}]",
    "{} + {}",
    "{}({}, eta)",
    "{}({}, clock={})",
    "mean({}) / {}",
    "{}({})({})",
]


def texts(count, seed):
    """Random words in a row, and random words in the places of random forms."""
    draw = random.Random(seed)
    for number in range(count):
        if number % 2:
            yield "".join(draw.choices(WORDS, k=draw.randrange(1, 9)))
        else:
            form = draw.choice(FORMS)
            yield form.format(*(draw.choice(WORDS) for _ in range(form.count("{}"))))


def said(data, text):
    """What is said of a text that is none."""
    try:
        quantity(data, text)
    except ValueError as error:
        return str(error)
    return ""


def check_texts(count, seed):
    loss = np.random.default_rng(seed).lognormal(0, 1, (2, 3, 2))
    eta = xr.DataArray([0.1, 0.2], dims="eta", name="eta")
    data = xr.concat([made(loss), made(2 * loss)], eta, coords="minimal")
    outcomes = [said(data, text) for text in texts(count, seed)]
    assert not [message for message in outcomes if "\n" in message]
    assert "" in outcomes, "some of them are quantities"
    assert outcomes.count("") < count, "some of them are none"


def test_any_text_is_a_value_or_one_line():
    check_texts(1_500, seed=3)


@pytest.mark.verify
def test_ten_thousand_texts_are_values_or_one_line():
    check_texts(10_000, seed=4)
