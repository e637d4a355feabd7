"""The truth about points, measured beside the search: unbilled and unseen."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor

from landscapes.base import Landscape
from landscapes.checks import into_box
from studies.kinds.instruments import Moment


class Truth:
    """The noise-free loss of points as answers.

    Args:
        landscape: bound to the R worlds.
    """

    def __init__(self, landscape: Landscape) -> None:
        self.landscape = landscape
        self.seconds = 0.0  # that it took so far

    def __call__(self, points: Tensor, moment: Moment) -> np.ndarray:
        """The loss (R, P) of points (R, P, D) at the time of a moment; inf for what is no number."""
        began = time.perf_counter()
        with torch.no_grad():
            now = moment.time(self.landscape, points.device)
            points, inside = into_box(self.landscape, points)
            loss = self.landscape.solution_loss(points, now).double()
            legal = ~loss.isnan() if inside is None else inside & ~loss.isnan()
            truth = loss.where(legal, torch.inf).cpu().numpy()
        self.seconds += time.perf_counter() - began
        return truth

    def measures(self, point: Tensor) -> dict[str, np.ndarray]:
        """What else a landscape tells of a point (R, D), by the names of its `extras`: (R,) each."""
        began = time.perf_counter()
        inside, _ = into_box(self.landscape, point[:, None])
        measures = self.landscape.measures(inside[:, 0])
        values = {name: value.cpu().numpy() for name, value in measures.items()}
        self.seconds += time.perf_counter() - began
        return values
