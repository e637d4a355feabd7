"""The shape of a step's noise.

How its variance spreads over directions, and whether those are the curved ones.

With S the covariance of a step, H the Hessian of the loss and D dimensions; sums run over worlds, so that
each counts by how much it moves:

    share of mode i    sum lambda_i(S) / sum tr S: 1 / D in every direction where the noise is isotropic; both
                       of one estimate of S, whose D shares add up to 1 however few the steps
    effective rank     mean of (tr S)^2 / tr S^2: D where it is isotropic
    alignment          sum [tr(H S) / tr S] / sum [tr H / D]: 1 where it is isotropic, > 1 where it is along
                       curved directions (Zhu, Wu, Yu, Wu and Ma 2019, arXiv:1803.00195, section 4:
                       Tr(H Sigma) against its isotropic equivalent)
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.noise.pooling import pooled_ratio
from studies.analysis.shapes import count

ALIGNMENT = "curvature along the noise over the mean curvature"
PARTS = ("share", "rank", "alignment")


def spectrum(data: Dataset) -> Dataset:
    """The noise's spectrum, pooled over worlds.

    Args:
        data: a study's results with the noise ledger.

    Returns:
        `share` (mode), `rank` and `alignment`, each with `_interval` (bound) and `_method`, and `worlds`, how
        many had noise. NaN without noise; `alignment` also where the mean curvature is 0, as on bits.

    Raises:
        ValueError: there is no noise ledger.
    """
    if "noise_eigenvalue" not in data:
        raise ValueError(
            "spectrum: expected results with the noise ledger (`ledger:` in the study), found none"
        )
    trace = data["step_variance"].sel(direction="all", drop=True)
    trace = trace.where(trace > 0)
    shares = [data["noise_eigenvalue"], _whole(data).where(trace.notnull())]
    rank = data["noise_rank"].where(trace.notnull())
    parts = [
        estimate(
            "share",
            pooled_ratio,
            shares,
            long_name="share of the noise's variance",
            positive=True,
        ),
        estimate("rank", np.nanmean, [rank], long_name="effective rank of the noise", positive=True),
        _alignment(data, trace.notnull()),
    ]
    worlds = count(trace, "worlds with noise")
    return xr.merge(parts, compat="override", join="exact").assign(worlds=worlds)


def _alignment(data: Dataset, noisy: DataArray) -> Dataset:
    """The curvature along the noise over the mean curvature; NaN where that is 0."""
    curvature = data["mean_curvature"]
    bent = curvature.where((curvature != 0).any("replicate"))
    return estimate(
        "alignment", pooled_ratio, [data["noise_curvature"].where(noisy), bent], long_name=ALIGNMENT
    )


def _whole(data: Dataset) -> DataArray:
    """The trace of the covariance whose eigenvalues were recorded.

    Of results of before 2026-11-29 no less than these add up to.
    """
    if "noise_trace" in data:
        return data["noise_trace"]
    pairs = data["step_variance"].sel(direction="all", drop=True)
    shown = data["noise_eigenvalue"].sum("mode")
    return xr.where(pairs > shown, pairs, shown)
