"""BBOB functions beside COCO's own C code, which is called point by point, in 20-D."""

import cocoex
import numpy as np
import pytest
import torch

from landscapes.bbob.functions import FUNCTIONS
from landscapes.bbob.landscape import BBOB
from landscapes.streams import Streams


@pytest.mark.parametrize("who", ["ours", "COCO"])
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(("worlds", "points"), [(1, 4096), (32, 128)])
def test_values(benchmark, worlds, points, function, who):
    benchmark.group = (
        f"BBOB f{function}, {FUNCTIONS[function].title}, 20-D, (R, P) = ({worlds}, {points})"
    )
    streams = Streams(seed=1, worlds=torch.arange(worlds))
    landscape = BBOB(function=function, dim=20).bind(streams)
    x = landscape.start(streams.at(1), points)
    rows = [
        (cocoex.BareProblem("bbob", function, 20, w + 1), list(x[w].numpy())) for w in range(worlds)
    ]
    theirs = lambda: [[problem(y) for y in some] for problem, some in rows]  # noqa: E731
    np.testing.assert_allclose(
        (landscape.loss(x) + landscape.f_opt[:, None]).numpy(), theirs(), rtol=1e-6
    )
    benchmark.pedantic(
        (lambda: landscape.loss(x)) if who == "ours" else theirs, rounds=20, warmup_rounds=2
    )
