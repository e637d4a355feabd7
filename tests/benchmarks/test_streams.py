"""Our addressed normals beside torch's consumed ones."""

import pytest
import torch

from landscapes.streams import Streams


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("who", ["streams", "torch.randn"])
def test_normals(benchmark, who, dtype):
    benchmark.group = f"normals (256, 320) {str(dtype)[6:]}"
    streams = Streams(seed=1, worlds=torch.arange(256), dtype=dtype)
    ours = lambda: streams.at(3).normal("mutation", (320,))  # noqa: E731
    theirs = lambda: torch.randn((256, 320), dtype=dtype)  # noqa: E731
    benchmark.pedantic(ours if who == "streams" else theirs, rounds=300, warmup_rounds=20)
