"""The environment in which results are reproducible to the bit, set before torch and numba are imported.

And where the cells of a run are computed.
"""

import atexit
import contextlib
import gc
import importlib
import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

gc.disable()  # until all tests are collected: modules and tests stay, and there is nothing to free

os.environ.update(
    OMP_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
    NUMBA_NUM_THREADS="1",
    MKL_CBWR="COMPATIBLE",
    TRITON_INTERPRET="1",  # kernels for a GPU run on the CPU
    TORCHINDUCTOR_VEC_ISA_OK="1",  # what the processor can is not tried out with the compiler, each time 3 s
)

from tests.support.patience import HUNG  # noqa: E402

os.environ.setdefault(
    "PYTEST_TIMEOUT", str(HUNG)
)  # pytest-timeout's own variable, which goes before pyproject.toml

import pytest  # noqa: E402
import xarray as xr  # noqa: E402
from _pytest.assertion.rewrite import PYC_TAIL  # noqa: E402
from _pytest.doctest import DoctestModule  # noqa: E402
from xarray.computation import ops  # noqa: E402
from xarray.core import duck_array_ops  # noqa: E402

from studies.run import clusters, environment  # noqa: E402
from tests.support.clusters import HERE, Here, life, warm  # noqa: E402

LOCAL, CLIENT = clusters._local, clusters._client
ROOT = Path(__file__).parents[1]
SHARED = pytest.StashKey[Path]()  # a folder of all processes of this test run


@atexit.register
def be_silent():
    """Triton's bindings list at exit what Python did not free, on hundreds of lines."""
    if "triton" in sys.modules:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stderr__.fileno())


def pytest_xdist_auto_num_workers():
    """What `-n auto` is: one more than there are cores, as some tests wait for processes and for a browser."""
    return environment.cores() + 1


def pytest_configure(config):
    """The process that was started has the folder of all; those that run tests import torch, with its variables set."""
    if hasattr(config, "workerinput"):  # a process of xdist
        config.stash[SHARED] = Path(config.workerinput["shared"])
    else:
        stack = contextlib.ExitStack()
        config.add_cleanup(stack.close)
        scratch = tempfile.TemporaryDirectory(prefix="tests-", ignore_cleanup_errors=True)
        config.stash[SHARED] = Path(stack.enter_context(scratch))
        stack.enter_context(life(config.stash[SHARED]))
    if config.getoption("dist", "no") == "no":
        import torch

        torch.set_num_threads(1)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["shared"] = str(node.config.stash[SHARED])


def pytest_collection(session):
    """Each process of xdist first reads its share of the files of tests, and then finds the others compiled.

    In a fresh clone: pytest's compiler of asserts takes longer than all imports, and each process reads all files.
    """
    told = getattr(session.config, "workerinput", None)
    if told and len(session.config.args) > 1:
        tests = {*ROOT.glob("tests/**/test_*.py")} - {*ROOT.glob("tests/benchmarks/*")}
        files = sorted(file for file in tests if not _compiled(file).exists())
        number = int(told["workerid"].removeprefix("gw"))
        for file in files[number :: told["workercount"]]:
            with contextlib.suppress(Exception, pytest.skip.Exception):  # its collection says so
                importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


def _compiled(file):
    """Where pytest keeps a file of tests that it has compiled."""
    return file.parent / "__pycache__" / (file.stem + PYC_TAIL)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path):
    """A file without examples, which nearly all are, is not searched for them."""
    found = yield
    return [
        file for file in found if not isinstance(file, DoctestModule) or ">>>" in file_path.read_text()
    ]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of the cases of a test marked `daily(count)` so many, evenly spread, run every day; the others in verify."""
    cases = defaultdict(list)
    for item in items:
        if item.get_closest_marker("daily") and not item.get_closest_marker("verify"):
            cases[item.originalname, item.parent].append(item)
    for each in cases.values():
        (count,) = each[0].get_closest_marker("daily").args
        every_day = {len(each) * place // count for place in range(count)}
        for place, item in enumerate(each):
            if place not in every_day:
                item.add_marker("verify")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop():
    """What was imported and collected stays to the end, and is not looked through again and again.

    Nor is the rest after each 700 objects, Python's own measure: most are let go of without it.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish():
    """What is left is looked through once, and not five times by pytest and again by Python."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def computed_here():
    """Runs compute their cells in this process, whatever they say of local workers, but for tests that ask for a cluster.

    What another process runs has a cluster of its own, as users have.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clusters, "_local", lambda cluster: contextlib.nullcontext(clusters.Place(HERE)))
        patch.setattr(clusters, "_client", client)
        yield


@pytest.fixture(scope="session", autouse=True)
def labels_agree():
    """Arithmetic of arrays whose labels differ is a fault, and not of those that both have.

    So no label is looked for among others, which takes more time than the numbers do.
    """
    with xr.set_options(arithmetic_join="exact"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(ops, "where_method", where)
        yield


def where(data, condition, *other):
    """As in xarray, where a condition without another value may have labels of its own."""
    method, shares = duck_array_ops.where_method, {"dask": "allowed", "keep_attrs": True}
    return xr.apply_ufunc(method, data, condition, *other, dataset_join="exact", **shares)


def client(place, kind):
    return contextlib.nullcontext(Here()) if place.address == HERE else CLIENT(place, kind)


@pytest.fixture
def warm_cluster(monkeypatch, pytestconfig):
    """Runs compute their cells on the one local cluster of all processes of this test run, which this test has alone."""
    with warm(pytestconfig.stash[SHARED]) as place:
        monkeypatch.setattr(clusters, "_local", lambda cluster: contextlib.nullcontext(place))
        yield


@pytest.fixture
def own_cluster(monkeypatch):
    """A local cluster is then started where one is asked for: for tests that end its processes."""
    monkeypatch.setattr(clusters, "_local", LOCAL)
