"""The loop's own share of quickstart's digits and GA cells.

What is not spent in the landscape, ask or tell; truth counted apart.
"""

import dataclasses
import json

import pytest
import torch

from studies.cells.loop import run_worlds
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan

ARMS = [
    arm
    for arm in make_plan(load_study("quickstart")).arms
    if arm.coords["landscape"] == "digits" or arm.task.optimizer["kind"] == "ga"
]


@pytest.mark.parametrize(
    "arm", ARMS, ids=lambda arm: f"{arm.coords['landscape']}, {arm.coords['optimizer']}"
)
def test_own_share(benchmark, arm, capsys):
    benchmark.group = "quickstart's cells (32 worlds, the whole budget)"
    run_worlds(
        dataclasses.replace(
            arm.task, budget=arm.task.budget / 100, checkpoints=arm.task.checkpoints[:1]
        ),
        torch.arange(32),
    )
    data = benchmark.pedantic(lambda: run_worlds(arm.task, torch.arange(32)), rounds=1)
    spent = json.loads(data.attrs["profile"])
    total = sum(spent[part] for part in ("ask", "oracle", "tell", "record")) - spent["truth"]
    own = 1 - (spent["ask"] + spent["tell"] + spent["loss"]) / total
    with capsys.disabled():
        print(
            f"\n{arm.coords['landscape']}, {arm.coords['optimizer']}: own share {own:.1%} of {total:.2f} s;"
            f" truth {spent['truth']:.2f} s"
        )
