"""What suite a log is of: others' functions have the numbers of BBOB's, those of PBO are our landscapes on bits, and names stay whole."""

import itertools
import json
import os

import ioh
import numpy as np
import pytest
import torch

from landscapes.streams import Streams
from studies.exchange import export_coco, import_coco, import_ioh, pbo
from studies.exchange.__main__ import main
from studies.exchange.coco import KEY
from studies.kinds.registry import build
from tests.studies.exchange.conftest import STUDY, compute
from tests.support.each import each

PBO = ioh.ProblemClass.PBO


def values(spec, points):
    """Our loss of genotypes (P, n)."""
    made = build(spec, "landscape").bind(Streams(seed=0, worlds=torch.zeros(1, dtype=torch.int64)))
    return made.loss(torch.as_tensor(points, dtype=torch.uint8)[None])[0].double().numpy()


@each(
    ("name", "n"),
    [
        ("OneMax", 12),
        ("LeadingOnes", 12),
        ("ConcatenatedTrap", 15),
        ("IsingRing", 11),
        ("IsingTorus", 16),
        ("LABS", 13),
        ("LABS", 2),
        ("LABS", 20),
    ],
)
def test_a_function_of_pbo_is_our_landscape_point_by_point(name, n):
    points = np.random.default_rng(1).integers(0, 2, (200, n))
    problem = ioh.get_problem(name, 1, n, PBO)
    raw = np.array([problem(point.tolist()) for point in points])
    found = pbo.landscape(name, n)
    assert found.gap_known
    np.testing.assert_allclose(found.gap(raw), values(found.landscape, points), rtol=1e-12, atol=1e-12)


@each("n", [9, 10])
@each("number", range(1, 26))
def test_a_known_maximum_is_the_largest_of_all_values(number, n):
    try:
        problem = ioh.get_problem(number, 1, n, PBO)
        raw = np.array([problem(list(point)) for point in itertools.product((0, 1), repeat=n)])
    except ValueError:  # it has no such size
        return
    gap, known = pbo.landscape(problem.meta_data.name, n)[1:]
    assert not known or np.min(gap(raw)) == pytest.approx(0, abs=1e-12)
    assert known or np.allclose(gap(raw), -raw)


def logged(root, problem_class, name, sizes, **about):
    """What ioh's own logger writes of random search on instances 1 and 2, and (size, instance) -> the best raw values so far."""
    truth = {}
    logger = ioh.logger.Analyzer(
        root=str(root), folder_name="runs", algorithm_name=about.pop("algorithm", "it's 'RS'"), **about
    )
    for n, instance in itertools.product(sizes, (1, 2)):
        problem = ioh.get_problem(name, instance, n, problem_class)
        problem.attach_logger(logger)
        rng = np.random.default_rng(instance)
        best = []
        for _ in range(50):
            point = rng.integers(0, 2, n) if problem_class == PBO else rng.uniform(-5, 5, n)
            problem(point.tolist())
            best.append(problem.state.current_best_internal.y)
        truth[n, instance] = np.array(best)
        problem.reset()
    logger.close()
    return root / "runs", truth


def test_logs_of_onemax_come_in_as_gaps_size_by_size(tmp_path):
    path, truth = logged(tmp_path, PBO, "OneMax", (8, 16))
    data = import_ioh(path)
    assert data["landscape"].values.tolist() == ["OneMax n=16", "OneMax n=8"]
    assert data["optimizer"].values.tolist() == ["it's 'RS'"]
    assert bool(data["gap_known"] == 1)
    assert json.loads(data.attrs["config"])["landscapes"]["OneMax n=8"] == {"kind": "onemax", "n": 8}
    for n, instance in truth:
        shown = (
            data["loss"]
            .sel(landscape=f"OneMax n={n}")
            .isel(optimizer=0, replicate=instance - 1, checkpoint=-1)
        )
        assert float(shown) == n - truth[n, instance][-1]
        assert (data["instance"].values == [0, 1]).all()


def test_logs_lie_beside_our_study_of_the_same_landscape(tmp_path):
    path, truth = logged(tmp_path, PBO, "LABS", (16,))
    study = STUDY | {
        "landscapes": {"low": {"kind": "labs", "n": 16}},
        "optimizers": {"EA": {"kind": "one_plus_one_ea"}},
        "budget": 50,
    }
    ours = compute(study | {"instances": 2, "replicates": 2}, tmp_path / "ours")
    data = import_ioh(path, ours)
    assert data["landscape"].values.tolist() == ["low"]
    energy = 16**2 / (2 * truth[16, 1][-1])
    assert float(
        data["loss"].sel(landscape="low").isel(optimizer=0, replicate=0, checkpoint=-1)
    ) == pytest.approx(energy - 24)  # the least of length 16


def test_a_maximised_function_that_is_none_of_ours_is_negated_and_says_so(tmp_path):
    path, truth = logged(tmp_path, PBO, "NKLandscapes", (10,))
    data = import_ioh(path)
    assert bool(data["gap_known"] == 0)
    assert float(
        data["loss"].isel(landscape=0, optimizer=0, replicate=0, checkpoint=-1)
    ) == pytest.approx(-truth[10, 1][-1], abs=1e-9)


def test_sbox_is_refused_by_its_name(tmp_path, capsys):
    logger = ioh.logger.Analyzer(root=str(tmp_path), folder_name="runs", algorithm_name="RS")
    suite = ioh.suite.SBOX([1], [1], [2])
    suite.attach_logger(logger)
    for problem in suite:
        problem([0.0, 1.0])
    logger.close()
    assert (
        main(["import", str(tmp_path / "runs"), "--from", "ioh", "--out", str(tmp_path / "out")]) == 2
    )
    assert capsys.readouterr().err.startswith(
        "IOHprofiler_f1_Sphere.json: the suite SBOX has the names of BBOB's functions"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("function", [1, 8, 15])
def test_a_log_without_a_suite_is_told_by_its_values(tmp_path, function):
    """The logger of ioh writes `unknown_suite` where a function is not run by a suite.

    Of BBOB and of SBOX.
    """
    path, _ = logged(tmp_path / "bbob", ioh.ProblemClass.BBOB, function, (2,))
    assert json.loads(next(path.glob("*.json")).read_text())["suite"] == "unknown_suite"
    assert import_ioh(path)["landscape"].values.tolist() == [f"f{function} 2-D"]
    path, _ = logged(tmp_path / "sbox", ioh.ProblemClass.SBOX, function, (2,))
    with pytest.raises(
        ValueError,
        match=r"the suite is unknown_suite, and instance 1 of BBOB's f\d+ has .* leave its files out",
    ):
        import_ioh(path)


SUITES = ["bbob-mixint", "bbob-constrained", "bbob-largescale", "bbob-biobj", "bbob-boxed"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What COCO's own logger wrote of one problem of each suite."""
    import cocoex

    root, here = tmp_path_factory.mktemp("suites"), os.getcwd()
    os.chdir(root)
    try:
        cocoex.log_level("error")
        for suite in [*SUITES, "bbob", "bbob-noisy"]:
            observer = cocoex.Observer(
                suite if suite in SUITES[:4] else "bbob",
                f"result_folder: {suite} algorithm_name: Bob's-RS",
            )
            dim = 5 if suite == "bbob-mixint" else 20 if suite == "bbob-largescale" else 2
            for problem in cocoex.Suite(
                suite, "", f"dimensions:{dim} function_indices:1 instance_indices:1"
            ):
                problem.observe_with(observer)
                for _ in range(5):
                    problem((problem.lower_bounds + problem.upper_bounds) / 2)
                problem.free()
    finally:
        os.chdir(here)
    return root / "exdata"


@pytest.mark.parametrize("suite", SUITES)
def test_suites_that_are_none_of_ours_are_refused_by_name(written, suite):
    with pytest.raises(
        ValueError, match=f"expected the suite bbob or bbob-noisy, .* got {suite}; leave its files out"
    ):
        import_coco(written / suite)


@pytest.mark.parametrize(
    ("suite", "kind", "function"), [("bbob", "bbob", 1), ("bbob-noisy", "bbob_noisy", 101)]
)
def test_suites_of_ours_keep_their_kind_and_the_whole_name(written, suite, kind, function):
    data = import_coco(written / suite)
    assert json.loads(data.attrs["config"])["landscapes"] == {
        f"f{function} 2-D": {"kind": kind, "function": function, "dim": 2}
    }
    assert data["optimizer"].values.tolist() == ["Bob's-RS"]


@each(
    "name",
    [
        "Bob's",
        "O'Neil's 'ES'",
        "CMA-ES (full)",
        "(μ, λ)-ES",
        'the "2nd"',
        "a, b",
        "k=0.5",
        "'",
        "it's, too",
    ],
)
def test_a_name_in_a_header_stays_whole(name):
    head = (
        f"suite = 'bbob', funcId = 1, DIM = 2, Precision = 1.000e-08, algId = '{name}', coco_version ="
        " '2.8.2', settings = ''"
    )
    assert {found[1]: found["a"] for found in KEY.finditer(head)}["algId"] == name


def searched(names, out, **more):
    """Random searches of these names on one function of BBOB."""
    landscapes = {"f": {"kind": "bbob", "function": 1, "dim": 2}}
    optimizers = {name: {"kind": "random_search"} for name in names}
    return compute(STUDY | {"landscapes": landscapes, "optimizers": optimizers} | more, out)


def test_two_names_that_a_header_writes_alike_are_two_algorithms(tmp_path):
    study = searched(["a\\b", "a/b"], tmp_path / "s", budget=2, replicates=1)
    export_coco(study, tmp_path / "out")
    assert import_coco(tmp_path / "out")["optimizer"].values.tolist() == ["a/b", "a/b 2"]


@pytest.mark.verify
def test_two_names_with_apostrophes_are_two_algorithms(tmp_path, cocopp):
    """With the name cut at its apostrophe, the runs of both were those of one."""
    study = searched(["it's one", "it's two", "a\\b", "a/b"], tmp_path / "s", budget=60)
    folders = export_coco(study, tmp_path / "out")
    data = import_coco(tmp_path / "out")
    assert sorted(data["optimizer"].values.tolist()) == ["a/b", "a/b 2", "it's one", "it's two"]
    assert data.sizes["replicate"] == 10
    assert (
        len({told["name"] for told in cocopp([1.0], folders).values()}) == 4
    )  # it calls them as their folders
