"""Results with made-up runs, as `open_study` gives them.

What each world hit and spent is told, the rest follows.
"""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

BUDGET = 100.0


def results(
    loss,
    cost=None,
    *,
    spent=None,
    status=2,
    gradients=0.0,
    instance=None,
    price=3.0,
    low=None,
    targets=(),
    hits=None,
):
    """One arm on one landscape of M = 2 terms: dims replicate, checkpoint, target.

    `loss` (R, C); `cost` (C,) of the checkpoints, the budget last; `spent` (R, C) cost of the states at the
    nominal price, of which the share `gradients` went into gradients, None: that of the checkpoints; `status`
    of the last checkpoint, one or (R,).
    """
    loss = np.asarray(loss, float)
    worlds, checkpoints = loss.shape
    cost = np.asarray(
        np.linspace(BUDGET / checkpoints, BUDGET, checkpoints) if cost is None else cost, float
    )
    spent = np.broadcast_to(cost if spent is None else np.asarray(spent, float), loss.shape)
    state = np.zeros(loss.shape, np.int8)
    state[:, -1] = status
    low = price if low is None else low
    dims = ("replicate", "checkpoint")
    data = xr.Dataset(
        {
            "loss": (dims, loss, {"units": "loss"}),
            "best_loss": (dims, loss, {"units": "loss"}),
            "status": (dims, state),
            "value_terms": (dims, 2 * spent * (1 - gradients)),
            "gradient_terms": (dims, 2 * spent * gradients / price),
        },
        {
            "replicate": np.arange(worlds),
            "instance": ("replicate", np.arange(worlds) if instance is None else np.asarray(instance)),
            "cost": ("checkpoint", cost),
            "checkpoint": cost / cost[-1],
            "target_loss": ("target", np.asarray(targets, float)),
            "terms": 2.0,
        },
        {"config": json.dumps({"gradient_cost": {"value": price, "range": [low, price]}})},
    )
    hits = np.full((worlds, len(targets)), np.inf) if hits is None else np.asarray(hits, float)
    return data.assign(
        hit_cost=(("replicate", "target"), hits), best_hit_cost=(("replicate", "target"), hits)
    )


def timed(hits, spent=None, *, status=2, instance=None):
    """One target, which worlds hit at these costs (R,), inf: never.

    `spent` (R,), the budget where it is None.
    """
    hits = np.asarray(hits, float)
    spent = np.full(hits.shape, BUDGET) if spent is None else np.asarray(spent, float)
    end = np.stack([np.minimum(spent, np.where(np.isfinite(hits), hits, spent)), spent], 1)
    loss = np.where(np.isfinite(hits)[:, None], [1.0, 0.0], [1.0, 1.0])
    return results(
        loss,
        [BUDGET / 2, BUDGET],
        spent=end,
        status=status,
        instance=instance,
        targets=[0.5],
        hits=hits[:, None],
    )
