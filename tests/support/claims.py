"""Results of made-up numbers, with the configuration and the settings that claims read."""

import json

import numpy as np
import xarray as xr

from tests.support.ran import stored

CHECKPOINTS = np.array([0.1, 0.25, 0.5, 0.75, 1.0])


def results(
    loss,
    optimizers=("SGD",),
    landscapes=("bowl",),
    axes=None,
    instances=None,
    status=2,
    steps=100,
    draws=(),
    **config,
):
    """A Dataset of losses (landscape, optimizer, axes .., replicate, checkpoint), as `studies.open_study` gives them."""
    axes = axes or {}
    worlds = loss.shape[-2]
    dims = ("landscape", "optimizer", *axes, "replicate", "checkpoint")
    shape = (len(landscapes), len(optimizers), *map(len, axes.values()), *loss.shape[-2:])
    values = np.broadcast_to(loss, shape).astype(float)
    checkpoints = np.linspace(0, 1, loss.shape[-1] + 1)[1:]
    made = {
        "loss": (dims, values, {"units": "loss"}),
        "status": (dims, np.full(shape, status, np.int8)),
        "steps": (dims, np.broadcast_to(np.round(steps * checkpoints), shape).astype(int)),
        "value_terms": (dims, np.broadcast_to(checkpoints * 400, shape).astype(int)),
        "gradient_terms": (dims, np.zeros(shape, int)),
    }
    coords = {"landscape": list(landscapes), "optimizer": list(optimizers), **{name: list(values) for name, values in axes.items()},
              "replicate": np.arange(worlds), "checkpoint": checkpoints, "cost": ("checkpoint", checkpoints * 100.0),
              "instance": ("replicate", np.arange(worlds) % (instances or worlds)),
              "terms": ("landscape", np.full(len(landscapes), 4.0)), "gap_known": ("landscape", np.ones(len(landscapes)))}  # fmt: skip
    base = {"optimizers": {name: {"kind": "sgd", "learning_rate": 0.1} for name in optimizers},
            "landscapes": {name: {"kind": "quadratic", "dim": 3} for name in landscapes}, "gradient_cost": {"value": 3.0, "range": None}}  # fmt: skip
    ran = stored(
        base["landscapes"],
        base["optimizers"],
        axes=axes,
        also=lambda place: {"noise": place},
        draws=draws,
    )
    return xr.Dataset(
        made, coords, {"name": "made-up", "config": json.dumps(base | config), "settings": ran}
    )


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)
