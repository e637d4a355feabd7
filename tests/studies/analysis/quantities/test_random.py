"""Random quantities beside plain NumPy on random results; and any text at all: a value or one line."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from studies.analysis.quantities.calls import CALLS
from studies.analysis.quantities.evaluate import quantity
from studies.analysis.quantities.ledger import POOLED
from tests.support.analysis import results
from tests.support.properties import steady

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


def applied(name, inner):
    """A function of an expression, each (its text, what it is of the losses)."""
    text, by_hand = inner
    return TEXTS[name].format(text), lambda loss: FUNCTIONS[name](by_hand(loss))


def joined(left, sign, right):
    """Two expressions with a sign between them."""
    (first, of_first), (second, of_second) = left, right
    text = f"({first} {sign} {second})"
    return text, lambda loss: OPERATORS[sign](of_first(loss), of_second(loss))


def summarised(name, inner):
    """A summary over worlds."""
    text, by_hand = inner
    return f"{name}({text})", lambda loss: SUMMARIES[name](by_hand(loss))


def names(table, *without):
    return st.sampled_from([name for name in table if name not in without])


def leaf(text):
    return text, LEAVES[text]


def larger(inner):
    """A function of a part, or two parts joined, of which the second may be a number."""
    other = inner | st.just(leaf("3"))
    return st.builds(applied, names(FUNCTIONS), inner) | st.builds(
        joined, inner, names(OPERATORS), other
    )


OF_WORLDS = st.recursive(names(LEAVES, "3").map(leaf), larger, max_leaves=4)
SUMMARY = st.builds(summarised, names(SUMMARIES), OF_WORLDS)
OF_ALL = SUMMARY | st.builds(joined, SUMMARY, names(OPERATORS), SUMMARY)
NUMBERS = st.floats(0.5, 2.0)
LOSSES = st.integers(2, 9).flatmap(lambda worlds: arrays(float, (2, worlds, 4), elements=NUMBERS))


def made(loss):
    """Results of two optimizers, A and B, of losses (2, R, 4)."""
    arms = xr.DataArray(np.array(["A", "B"], object), dims="optimizer", name="optimizer")
    return xr.concat([results(each) for each in loss], arms, coords="minimal")


def agrees(asked, loss):
    text, by_hand = asked
    answer = quantity(made(loss), text)["quantity"].values
    np.testing.assert_allclose(answer, by_hand(loss), rtol=1e-9, atol=1e-12, err_msg=text)


test_a_quantity_is_what_numpy_says = steady(12)(given(OF_ALL, LOSSES)(agrees))
test_many_quantities_are = pytest.mark.verify(steady(500)(given(OF_ALL, LOSSES)(agrees)))


COMPARED = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


@steady(16)
@given(names(COMPARED), NUMBERS, LOSSES)
def test_a_share_is_counted(sign, threshold, loss):
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


def in_form(form):
    """Random words in the places of a form."""
    return st.tuples(*[st.sampled_from(WORDS)] * form.count("{}")).map(
        lambda words: form.format(*words)
    )


IN_A_ROW = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map("".join)
ANY_TEXT = IN_A_ROW | st.sampled_from(FORMS).flatmap(in_form)


def said(data, text):
    """What is said of a text that is none."""
    try:
        quantity(data, text)
    except ValueError as error:
        return str(error)
    return ""


def check_texts(count):
    """Of so many texts each is a value or one line, and some are either."""
    loss = np.random.default_rng(3).lognormal(0, 1, (2, 3, 2))
    eta = xr.DataArray([0.1, 0.2], dims="eta", name="eta")
    data = xr.concat([made(loss), made(2 * loss)], eta, coords="minimal")
    outcomes = []

    @steady(count)
    @given(ANY_TEXT)
    def one_line(text):
        outcomes.append(said(data, text))
        assert "\n" not in outcomes[-1]

    one_line()
    assert "" in outcomes, "some of them are quantities"
    assert outcomes.count("") < len(outcomes), "some of them are none"


def test_any_text_is_a_value_or_one_line():
    check_texts(150)


@pytest.mark.verify
def test_ten_thousand_texts_are_values_or_one_line():
    check_texts(10_000)
