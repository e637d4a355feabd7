"""The environment in which results are reproducible to the bit, set before torch and numba are imported.

And one warm local cluster for all tests that only need a cluster.
"""

import contextlib
import functools
import gc
import os

gc.disable()  # until all tests are collected: modules and tests stay, and there is nothing to free

os.environ.update(
    OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", NUMBA_NUM_THREADS="1", MKL_CBWR="COMPATIBLE"
)

from tests.support.patience import HUNG  # noqa: E402

os.environ.setdefault(
    "PYTEST_TIMEOUT", str(HUNG)
)  # pytest-timeout's own variable, which goes before pyproject.toml

import pytest  # noqa: E402
import torch  # noqa: E402  MKL reads its variables on import
from _pytest.doctest import DoctestModule  # noqa: E402

from studies.run import clusters  # noqa: E402

torch.set_num_threads(1)
START_LOCAL = clusters._local


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path):
    """A file without examples, which nearly all are, is not searched for them."""
    found = yield
    return [
        file for file in found if not isinstance(file, DoctestModule) or ">>>" in file_path.read_text()
    ]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop():
    """What was imported and collected stays to the end, and is not looked through again and again."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def warm_cluster():
    """One local cluster, of one worker, where this process computes whatever it says of local workers.

    The first test that needs it starts it. What another process runs has a cluster of its own, as users have.
    """
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        address = functools.cache(lambda: stack.enter_context(START_LOCAL(1)))
        patch.setattr(clusters, "_local", lambda workers: contextlib.nullcontext(address()))
        yield


@pytest.fixture
def own_cluster(monkeypatch):
    """A local cluster is then started where one is asked for: for tests that change or end its processes."""
    monkeypatch.setattr(clusters, "_local", START_LOCAL)
