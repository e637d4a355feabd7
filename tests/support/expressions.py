"""Searches driven by hand, and functions of a user's, for the tests of expressions in `record:`."""

from typing import NamedTuple

import numpy as np
import torch

from studies.cells.loop import Setting
from tests.studies.cells.test_loop import run, task


class Step(NamedTuple):
    """What a step left: arrays of R worlds."""

    state: object
    query: object
    answer: object
    info: dict
    cost: np.ndarray


def driven(made, worlds):
    """The optimizer, the state before the first step, and all steps; nobody looks on."""
    setting = Setting.of(made, torch.as_tensor(list(worlds)))
    optimizer, oracle, streams = setting.optimizer, setting.oracle, setting.streams
    first = state = optimizer.init(setting.problem, streams.at(0))
    steps = []
    while oracle.bill.open():
        s = streams.at(len(steps) + 1)
        query = optimizer.ask(state, s)
        answer = oracle(query, s)
        state, info = optimizer.tell(state, query, answer, s)
        steps.append(Step(state, query, answer, info, oracle.bill.spent.copy()))
        oracle.bill.close(np.zeros(len(oracle.bill.alive), bool))
    return optimizer, first, steps


def spec(expression, vector=False):
    return {"expression": expression, "long_name": expression, "units": "1", "vector": vector}


def recorded(landscape, optimizer, expressions, worlds=range(3), **options):
    """The Dataset of a cell with these expressions, label -> text; a vector where the label ends with s."""
    specs = {label: spec(text, label.endswith("s")) for label, text in expressions.items()}
    return run(task(landscape, optimizer, expressions=specs, **options), worlds)


def reach(center, value):
    """How far the center is from the origin, in units of the mean value."""
    return center.square().sum(1).sqrt() / value.mean(1)


def doubled(center):
    """A vector of each world."""
    return 2 * center


def length(center):
    return center.square().sum(1).sqrt()


def mixed(center):
    return center[:, 0] - center.mean()


def short(center):
    return center[:1, 0]


def raising(center):
    raise KeyError("no such thing")


def drawing(center):
    return center[:, 0] + torch.rand(len(center))


def changing(center):
    return center.mul_(2)[:, 0]


def whole(state, info):
    return state.velocity.flatten(1).sum(1) + len(info)


unknown_argument = lambda centre: centre[:, 0]  # noqa: E731
