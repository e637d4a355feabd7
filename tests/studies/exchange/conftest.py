"""A small study on BBOB landscapes, computed once, and runs of other loggers with all that was evaluated."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from studies.cells.loop import run_cell
from studies.results import store
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from tests.support.runs import assembled

TARGETS = [100.0, 10.0, 1.0, 0.1, 1e-3, 1e-8]  # on cocopp's grid, 10^(k/5)
STUDY = {
    "name": "exchanged",
    "seed": 3,
    "replicates": 10,
    "instances": 5,
    "budget": 250,
    "gradient_cost": 3,
    "targets": TARGETS,
    "landscapes": {
        f"f{f}d{d}": {"kind": "bbob", "function": f, "dim": d} for f in (1, 8) for d in (2, 3)
    },
    "optimizers": {
        "CMA-ES": {"kind": "cma_es", "population": 6, "sigma": 2.0},
        "OpenAI-ES small": {"kind": "openai_es", "population": 8, "sigma": 0.3, "learning_rate": 0.3},
        "SGD": {"kind": "sgd", "learning_rate": 0.003},
    },
}
READER = """
import contextlib, io, json, pathlib, sys, warnings
warnings.simplefilter("ignore")
import cocopp
cocopp.genericsettings.verbose = False
targets, found = json.loads(sys.argv[1]), {}
with contextlib.redirect_stdout(io.StringIO()):
    for folder in sys.argv[2:]:
        for ds in cocopp.load(folder):
            found[f"{folder} f{ds.funcId}d{ds.dim}"] = {
                "name": ds.algId, "ert": ds.detERT(targets), "successes": list(map(int, ds.detSuccesses(targets))), "instances": ds.instancenumbers,
                "spent": list(map(float, ds.maxevals)), "suite": ds.suite_name,
            }
print(json.dumps(found))
"""


def compute(study, out):
    """The results of a study, computed in this process."""
    plan = make_plan(load_study(study))
    for cell in plan.cells(()):
        store.write_cell(run_cell(cell), store.cell_path(out, cell.address))
    return assembled(plan, out)


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """The study's results."""
    return compute(STUDY, tmp_path_factory.mktemp("exchanged"))


@pytest.fixture(scope="session")
def cocopp(tmp_path_factory):
    """(targets, folders) -> what cocopp finds in them.

    In a process of its own, for it looks for its archives and writes to the user's folder.
    """
    pytest.importorskip("six", reason="cocopp imports it")
    home = str(tmp_path_factory.mktemp("home"))

    def read(targets, folders):
        words = [sys.executable, "-c", READER, json.dumps(targets), *map(str, folders)]
        environment = os.environ | {"HOME": home, "XDG_DATA_HOME": home, "XDG_CACHE_HOME": home}
        done = subprocess.run(
            words, capture_output=True, text=True, env=environment, check=False, cwd=home
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return read


def search(problem, seed, evaluations=60):
    """Random search that a logger watches; returns the value of every evaluation."""
    rng = np.random.default_rng(seed)
    return np.array([
        problem(rng.uniform(-5, 5, len(problem.initial_solution))) for _ in range(evaluations)
    ])


@pytest.fixture(scope="session")
def watched(tmp_path_factory):
    """What COCO's own logger wrote, and the best gap after every evaluation.

    (function, dim, instance) -> (n,).
    """
    import cocoex

    root = tmp_path_factory.mktemp("cocoex")
    here = os.getcwd()
    os.chdir(root)
    try:
        cocoex.log_level("error")
        observer, truth = cocoex.Observer("bbob", "result_folder: RS algorithm_name: RS"), {}
        for problem in cocoex.Suite(
            "bbob", "", "dimensions:2,3 function_indices:1,8 instance_indices:1-3"
        ):
            problem.observe_with(observer)
            values = search(problem, problem.id_instance)
            best = problem.best_value() if hasattr(problem, "best_value") else None
            truth[problem.id_function, problem.dimension, problem.id_instance] = (
                np.minimum.accumulate(values),
                best,
            )
            problem.free()
    finally:
        os.chdir(here)
    return root / "exdata" / "RS", truth
