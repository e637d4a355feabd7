"""Results of several optimizers whose final losses are told, as `open_study` gives them."""

import numpy as np
import xarray as xr


def results(loss, *, names=None, status=2, instances=None, gap_known=0.0, hits=None):
    """Of final losses (landscape, optimizer, world).

    Two checkpoints, at 50 and 100 evaluations, at the first the loss is doubled.
    """
    loss = np.asarray(loss, float)
    places, arms, worlds = loss.shape
    dims = ("landscape", "optimizer", "replicate", "checkpoint")
    values = np.stack([2 * loss, loss], -1)
    hits = np.full((*loss.shape, 0), 0.0) if hits is None else np.asarray(hits, float)
    state = (
        np.broadcast_to(np.asarray(status, np.int8)[..., None], values.shape)
        if np.ndim(status)
        else np.full(values.shape, status, np.int8)
    )
    return xr.Dataset(
        {"loss": (dims, values), "status": (dims, state), "hit_cost": ((*dims[:3], "target"), hits)},
        {
            "landscape": [f"land {i}" for i in range(places)],
            "optimizer": list(names or "ABCDEFGHIJKLMN"[:arms]),
            "replicate": np.arange(worlds),
            "instance": ("replicate", np.arange(worlds) % (instances or worlds)),
            "cost": ("checkpoint", [50.0, 100.0]),
            "gap_known": gap_known,
        },
    )
