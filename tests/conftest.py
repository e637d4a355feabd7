"""The environment in which results are reproducible to the bit, set before torch and numba are imported."""

import os

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", NUMBA_NUM_THREADS="1", MKL_CBWR="COMPATIBLE")

from tests.support.patience import HUNG  # noqa: E402

os.environ.setdefault(
    "PYTEST_TIMEOUT", str(HUNG)
)  # pytest-timeout's own variable, which goes before pyproject.toml

import torch  # noqa: E402  MKL reads its variables on import

torch.set_num_threads(1)
