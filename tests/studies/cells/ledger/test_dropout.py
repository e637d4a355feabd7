"""Dropout in the ledger: its shares on a linear network are known."""

import numpy as np
import torch

from landscapes.networks.module import TorchModule
from landscapes.oracle.noise import Noise
from optimizers import OPTIMIZERS as METHODS
from tests.support.each import each
from tests.support.ledgers import ledger, now
from tests.support.networks import INPUTS

Z = 4.5  # standard errors
P, BATCH, RATE = 0.3, 4, 0.1
ODDS = P / (1 - P)
STRAIGHT = TorchModule(
    module="tests.support.networks:straight",
    criterion="tests.support.networks:output",
    data="tests.support.networks:labelled",
    arguments={"p": P},
)


def far(sample, truth):
    """How many standard errors the mean over worlds is from the truth."""
    error = sample.std("replicate", ddof=1) / len(sample["replicate"]) ** 0.5
    return float(abs(sample.mean("replicate") - truth) / error)


def test_shares_of_data_and_dropout_on_a_linear_network():
    """A step along w_j is the mean over B places of m x / (1 - p), with m kept with 1 - p and x drawn of 23.

    Its variance, times B: Var x + odds E x^2. Given the data Var x is left of it; given the units odds (E x)^2,
    as places draw their x anew; odds Var x is of both together.
    """
    data = now(ledger(STRAIGHT, METHODS["sgd"](learning_rate=RATE), Noise(batch=BATCH), worlds=60))
    unit = RATE**2 / BATCH
    spread, squared = (
        float(part.sum()) for part in (INPUTS.var(0, unbiased=False), INPUTS.mean(0) ** 2)
    )
    whole, both = spread + ODDS * (spread + squared), ODDS * spread
    first, total = data["step_variance_first"], data["step_variance_total"]
    assert far(data["step_variance"], unit * whole) < Z
    for source, alone in (("data", spread), ("dropout", ODDS * squared)):
        assert far(first.sel(source=source), unit * alone) < Z
        assert far(total.sel(source=source), unit * (alone + both)) < Z
        assert far(first.sel(source=source), unit * (alone + both)) > Z
    assert (total.drop_sel(source=["data", "dropout"]) == 0).all()


@each("noise", [Noise(), Noise(batch=BATCH, off=("data",))])
def test_all_of_the_variance_is_of_dropout_where_data_are_whole(noise):
    data = now(ledger(STRAIGHT, METHODS["sgd"](learning_rate=RATE), noise, worlds=60, redraws=8))
    wanted = RATE**2 * ODDS * float(INPUTS.square().sum()) / len(INPUTS) ** 2
    assert far(data["step_variance"], wanted) < Z
    assert (data["step_variance_first"].sel(source="dropout") == data["step_variance"]).all()


def test_switched_off_there_is_none():
    quiet = Noise(off=("dropout",))
    data = now(ledger(STRAIGHT, METHODS["sgd"](learning_rate=RATE), quiet, redraws=4))
    assert (data["step_variance"] == 0).all()


def test_a_population_sees_it_too():
    """A step of an evolution strategy is odd in its noise: values of mirrored points drop their own units."""
    method = METHODS["openai_es"](population=4)
    for off, there in (((), True), (("dropout",), False)):
        data = now(ledger(STRAIGHT, method, Noise(off=off), worlds=6, redraws=4))
        total = data["step_variance_total"].sel(source="dropout")
        assert np.array_equal(total > 0, np.full(6, there))


def test_a_world_alone_has_its_ledger():
    options = {"redraws": 4, "noise": Noise(batch=BATCH)}
    method = METHODS["sgd"](learning_rate=RATE)
    both = now(ledger(STRAIGHT, method, worlds=(2, 5), **options))
    alone = now(ledger(STRAIGHT, method, worlds=(5,), **options))
    assert torch.equal(
        torch.from_numpy(both["step_variance_first"].values[1:]),
        torch.from_numpy(alone["step_variance_first"].values),
    )
