"""On a CUDA device, where there is one.

The same draws bit for bit, the same losses to rounding over the first 50 steps.
"""

import numpy as np
import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import Bits
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams
from studies.probe.examples import EXAMPLES
from studies.probe.named import named
from tests.landscapes.test_streams import LAWS, draw
from tests.studies.cells.test_loop import pair, run
from tests.support.each import each

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")


@each("law", LAWS)
@each("dtype", [torch.float32, torch.float64])
def test_draws_are_the_same_bits(law, dtype):
    there, here = (
        draw(law, Streams(seed=7, worlds=torch.arange(6), dtype=dtype, device=device))
        for device in ("cuda", "cpu")
    )
    assert there.device.type == "cuda"
    assert torch.equal(there.cpu(), here)


@each("optimizer", ["sgd", "openai_es", "ga", "random_search"])
@each("landscape", ["quadratic", "nk", "gaussian_field", "digits"])
def test_fifty_steps_agree(landscape, optimizer):
    steps = {"sgd": 3.0, "openai_es": 6.0, "ga": 7.0, "random_search": 5.0}[optimizer]
    unit = 8.0 if landscape == "nk" and optimizer == "sgd" else 1.0
    budget = 50 * steps * unit
    checkpoints = list(np.linspace(budget / 10, budget, 10))
    there, here = (
        run(pair(landscape, optimizer, device=device, budget=budget, checkpoints=checkpoints), range(6))
        for device in ("cuda", "cpu")
    )
    np.testing.assert_allclose(there["loss"], here["loss"], rtol=1e-6)
    assert (there["steps"] == here["steps"]).all()


@each("kind", LANDSCAPES)
def test_every_landscape_agrees(kind):
    landscape = named(EXAMPLES.get(kind, (kind,))[:1])[0].landscape
    found = []
    for device in ("cuda", "cpu"):
        streams = Streams(seed=7, worlds=torch.arange(6), device=device)
        made = landscape.bind(streams)
        points = made.start(streams.at(0), 5)
        answer = evaluate(made, points, gradient=not isinstance(made.domain, Bits))
        found.append([points, answer.value, *([] if answer.gradient is None else [answer.gradient])])
    for there, here in zip(*found, strict=True):
        assert there.device.type == "cuda"
        torch.testing.assert_close(there.cpu(), here, rtol=1e-9, atol=1e-9)
