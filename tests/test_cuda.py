"""On a CUDA device, where there is one: the same draws bit for bit, the same losses to rounding over the first 50 steps."""

import numpy as np
import pytest
import torch

from landscapes.streams import Streams
from tests.test_loop import pair, run
from tests.test_streams import LAWS, draw

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_draws_are_the_same_bits(law, dtype):
    there, here = (draw(law, Streams(seed=7, worlds=torch.arange(6), dtype=dtype, device=device)) for device in ("cuda", "cpu"))
    assert there.device.type == "cuda"
    assert torch.equal(there.cpu(), here)


@pytest.mark.parametrize("optimizer", ["sgd", "openai_es", "ga", "random_search"])
@pytest.mark.parametrize("landscape", ["quadratic", "nk", "gaussian_field", "digits"])
def test_fifty_steps_agree(landscape, optimizer):
    steps = {"sgd": 3.0, "openai_es": 6.0, "ga": 7.0, "random_search": 5.0}[optimizer]
    unit = 8.0 if landscape == "nk" and optimizer == "sgd" else 1.0
    budget = 50 * steps * unit
    checkpoints = list(np.linspace(budget / 10, budget, 10))
    there, here = (run(pair(landscape, optimizer, device=device, budget=budget, checkpoints=checkpoints), range(6)) for device in ("cuda", "cpu"))
    np.testing.assert_allclose(there["loss"], here["loss"], rtol=1e-6)
    assert (there["steps"] == here["steps"]).all()
