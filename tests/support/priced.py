"""Runs of which every step is recorded, at a price of a gradient, as a Dataset of one landscape.

And the same run again at another price.
"""

import dataclasses
import json

import numpy as np
import torch
import xarray as xr

from studies.cells.loop import run_worlds
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan

BOWL = {"kind": "quadratic", "dim": 4, "condition": 10.0}
ARMS = {  # one uses gradients alone, one values alone, one both, and not in turn
    "SGD": {"kind": "sgd", "learning_rate": 0.05},
    "GA": {"kind": "ga", "population": 7, "mutation_sigma": 0.3},
    "memetic": {
        "kind": "memetic",
        "population": 5,
        "descent_steps": 2,
        "learning_rate": 0.02,
        "mutation_sigma": 0.3,
    },
}
STUDY = {
    "name": "priced",
    "replicates": 4,
    "budget": 60,
    "landscapes": {"bowl": BOWL},
    "optimizers": ARMS,
    "targets": [10.0, 1.0, 0.1],
}
STUDY |= {"noise": {"evaluation": {"value": 0.0, "gradient": 0.3}}}


def run(study, value, low, high, budget=None, costs=None, unit=1.0):
    """A study at these prices, with checkpoints at these costs; None: at all multiples of a unit."""
    given = (
        study
        | {"gradient_cost": {"value": value, "range": [low, high]}}
        | ({"budget": budget} if budget else {})
    )
    plan = make_plan(load_study(given))
    end = given["budget"] * value / low
    costs = np.arange(1, end / unit + 1) * unit if costs is None else np.asarray(costs)
    parts = []
    for arm in plan.arms:
        task = dataclasses.replace(arm.task, checkpoints=costs.tolist())
        parts.append(run_worlds(task, torch.arange(given["replicates"])).drop_attrs())
    found = xr.concat(
        parts,
        xr.Variable("optimizer", [arm.coords["optimizer"] for arm in plan.arms]),
        coords="minimal",
        compat="override",
        join="outer",
    )
    found = found.assign_coords(
        checkpoint=costs / end, terms=float(given["landscapes"]["bowl"].get("terms", 1)), gap_known=1.0
    )
    return found.assign_attrs(
        config=json.dumps({
            "gradient_cost": {"value": value, "range": [low, high]},
            "landscapes": given["landscapes"],
        })
    )
