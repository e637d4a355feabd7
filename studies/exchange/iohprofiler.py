"""IOHprofiler's data format, as the Analyzer logger of IOHexperimenter writes and IOHanalyzer and `iohinspector` read it.

    OPTIMIZER/IOHprofiler_f8_Rosenbrock.json                 who, what, and per dimension the runs: instance, evaluations, best
    OPTIMIZER/data_f8_Rosenbrock/IOHprofiler_f8_DIM2.dat     per run: a header "evaluations raw_y", a line at each improvement and a last one

`raw_y` is the gap to the optimum on the functions of BBOB, our loss on any other landscape; what is maximised, as in the suite PBO, is read as
`studies.exchange.pbo` says. Other landscapes of ours are numbered from 1001 on, in the order of the study. Which resolution is kept, and how costs
become whole evaluations, is said in `studies.exchange.records`. Points are not recorded: `x` is [].

de Nobel, Ye, Vermetten, Wang, Doerr, Baeck (2024), IOHexperimenter: benchmarking platform for iterative optimization heuristics, Evolutionary
Computation 32. The format: ioh 0.4.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from studies.exchange import pbo
from studies.exchange.folders import opened, safe, whole
from studies.exchange.records import Experiment, Run, experiments, until
from studies.exchange.schema import to_dataset

VERSION = "0.4.2"
NAMES = (
    "Sphere Ellipsoid Rastrigin BuecheRastrigin LinearSlope AttractiveSector StepEllipsoid Rosenbrock"
    " RosenbrockRotated EllipsoidRotated Discus BentCigar SharpRidge DifferentPowers RastriginRotated"
    " Weierstrass Schaffers10 Schaffers1000 GriewankRosenbrock Schwefel Gallagher101 Gallagher21 Katsuura"
    " LunacekBiRastrigin"
).split()  # of f1 .. f24 of BBOB
OTHERS = 1001  # the number of the first landscape that is none of BBOB
OURS = "two-descents"  # the suite of what `export_ioh` writes of landscapes that are none of BBOB
UNNAMED = ("", "unknown_suite")  # what a logger writes that is attached to a function without a suite
OTHER_SUITES = {
    "SBOX": (
        "has the names of BBOB's functions, but a box and other optima, so that none is a landscape of ours"
    )
}
SMALL = 1e-6  # a value so near the optimum does not tell functions apart
SIZES = ("dim", "n")  # parameters of a landscape that may say how many coordinates it has


def export_ioh(dataset: xr.Dataset, out: str | Path, *, point: str = "recommended") -> list[Path]:
    """Write a study in IOHprofiler's format.

    Args:
        dataset: a study's results.
        out: a new folder.
        point: whose loss: "recommended" (what our analysis shows) or "best" (the best evaluated point, which
            IOHprofiler itself logs).

    Returns:
        The folders, one per arm.

    Raises:
        ValueError: a landscape that does not say its dimension; something at `out`.
    """
    taken: set[str] = set()
    folders: dict[str, str] = {}
    numbers: dict[str, int] = {}
    entries: dict[tuple[str, str, int, str], list[Experiment]] = defaultdict(list)
    with whole(out) as temporary:
        for experiment in experiments(dataset, point):
            if experiment.optimizer not in folders:
                folders[experiment.optimizer] = safe(experiment.optimizer, taken)
            suite, number, name = _function(experiment, numbers)
            entries[folders[experiment.optimizer], suite, number, name].append(experiment)
        if not entries:
            raise ValueError("expected results, found no run with numbers")
        for (folder, suite, number, name), found in entries.items():
            _write(temporary / folder, suite, number, name, found)
    return [Path(out) / name for name in folders.values()]


def _function(experiment: Experiment, numbers: dict[str, int]) -> tuple[str, int, str]:
    """(suite, number, name) of a landscape."""
    if experiment.landscape["kind"] == "bbob":
        number = experiment.landscape["function"]
        return "BBOB", number, NAMES[number - 1]
    number = numbers.setdefault(experiment.label, OTHERS + len(numbers))
    return OURS, number, re.sub(r"[^\w+-]+", "_", experiment.label)


def dim_of(experiment: Experiment) -> int:
    """How many coordinates the landscape says it has."""
    sizes = [experiment.landscape[key] for key in SIZES if isinstance(experiment.landscape.get(key), int)]
    if not sizes:
        kind = experiment.landscape["kind"]
        raise ValueError(
            f"landscapes.{experiment.label}: expected a parameter {' or '.join(SIZES)}, {kind} has none;"
            " export to csv or netcdf instead"
        )
    return sizes[0]


def _write(folder: Path, suite: str, number: int, name: str, found: list[Experiment]) -> None:
    data, scenarios = folder / f"data_f{number}_{name}", []
    data.mkdir(parents=True)
    by_dim: dict[int, list[Run]] = defaultdict(list)
    for experiment in found:
        by_dim[dim_of(experiment)] += experiment.runs
    for dim, runs in sorted(by_dim.items()):
        file = data / f"IOHprofiler_f{number}_DIM{dim}.dat"
        file.write_text("".join(map(_text, runs)))
        scenarios.append({
            "dimension": dim,
            "path": f"{data.name}/{file.name}",
            "runs": list(map(_about, runs)),
        })
    about = {
        "version": VERSION,
        "suite": suite,
        "function_id": number,
        "function_name": name,
        "maximization": False,
        "algorithm": {"name": found[0].optimizer, "info": "two-descents"},
        "attributes": ["evaluations", "raw_y"],
        "scenarios": scenarios,
    }
    (folder / f"IOHprofiler_f{number}_{name}.json").write_text(json.dumps(about, indent=1))


def _text(run: Run) -> str:
    shown = np.append(True, run.gap[1:] < run.gap[:-1])
    shown[-1] = True
    rows = zip(run.evaluations[shown].tolist(), run.gap[shown].tolist(), strict=True)
    return "\n".join(["evaluations raw_y", *(f"{n} {gap!r}" for n, gap in rows)]) + "\n"


def _about(run: Run) -> dict[str, Any]:
    first = int(run.gap.argmin())
    best = {"evals": int(run.evaluations[first]), "y": float(run.gap[first]), "x": []}
    return {"instance": run.instance, "evals": int(run.evaluations[-1]), "best": best}


def import_ioh(path: str | Path, like: xr.Dataset | None = None) -> xr.Dataset:
    """Read IOHprofiler's files: what its Analyzer logger wrote, or `export_ioh`.

    Args:
        path: a folder (searched for the .json files), one .json file, or an archive.
        like: a study's results; its landscapes (those that are in the files; one that is none of BBOB is
            found by its label), checkpoints and targets are used, and runs are cut at its budget, as if they
            had ended there. `beside` wants this. None: all landscapes of the files, 20 checkpoints per
            decade, COCO's 51 targets 10^2 .. 10^-8.

    Returns:
        A Dataset as `studies.open_study` gives it. Its worlds are not ours: the coordinate `paired` is False.

    Raises:
        ValueError: no file, one that is not of this format, or of a suite whose functions are no landscapes
            of ours.
    """
    with opened(path) as folder:
        files = [folder] if folder.is_file() else sorted(folder.rglob("*.json"))
        found = [experiment for file in files for experiment in _read(file)]
        if not found:
            raise ValueError(f"{path}: expected IOHprofiler's files, found no *.json with scenarios")
        return to_dataset(found, like, source="IOHprofiler", name=Path(path).name)


def _read(file: Path) -> Iterator[Experiment]:
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ValueError(f"{file.name}: not in IOHprofiler's format: {error}") from error
    if not isinstance(about, dict) or "scenarios" not in about:
        return
    suite = str(about.get("suite", ""))
    if suite.upper() in OTHER_SUITES:
        raise ValueError(f"{file.name}: the suite {suite} {OTHER_SUITES[suite.upper()]}; leave its files out")
    try:
        number, name = int(about["function_id"]), str(about["function_name"])
        for scenario in about["scenarios"]:
            told = _what(
                suite, number, name, int(scenario["dimension"]), maximised=bool(about["maximization"])
            )
            if told.landscape["kind"] == "bbob" and suite != "BBOB":
                _check_values(told.landscape, scenario["runs"], suite)
            runs = list(_runs(file.parent / scenario["path"], scenario["runs"], told.gap))
            yield Experiment(
                about["algorithm"]["name"],
                told.landscape,
                _label(suite, number, name, told.landscape),
                runs,
                told.known,
            )
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise ValueError(
            f"{file.name}: not in IOHprofiler's format: {error or type(error).__name__}"
        ) from error


def _what(suite: str, number: int, name: str, dim: int, *, maximised: bool) -> pbo.Found:
    """The landscape that a function is here, and its loss from raw_y."""
    if maximised:
        return pbo.landscape(name, dim)
    ours = suite in ("BBOB", *UNNAMED) and 1 <= number <= len(NAMES) and NAMES[number - 1] == name
    return pbo.Found(
        {"kind": "bbob", "function": number, "dim": dim} if ours else {"kind": name, "dim": dim},
        np.asarray,
        ours,
    )


def _label(suite: str, number: int, name: str, spec: dict[str, Any]) -> str:
    """A function of several sizes is several landscapes; those of a study of ours have its labels."""
    if suite == OURS:
        return name
    return (
        f"{name} n={spec['n']}"
        if "n" in spec
        else f"{f'f{number}' if spec['kind'] == 'bbob' else name} {spec['dim']}-D"
    )


def _check_values(spec: dict[str, Any], runs: list[dict[str, Any]], suite: str) -> None:
    """A logger without a suite does not tell BBOB from SBOX, whose functions have the same names.

    The best points do, where the files have them.

    Raises:
        ValueError: the values are not those of BBOB.
    """
    told = (
        (run["instance"], run["best"]["x"], float(run["best"]["y"]))
        for run in runs
        if len(run.get("best", {}).get("x", ())) == spec["dim"]
    )
    seen = next(((instance, x, y) for instance, x, y in told if SMALL < y < np.inf), None)
    if seen is None:
        return
    import torch

    from landscapes.streams import Streams
    from studies.registry import build

    instance, x, y = seen
    made = build(spec | {"instance": int(instance)}, "landscape").bind(
        Streams(seed=0, worlds=torch.zeros(1, dtype=torch.int64))
    )
    value = float(made.loss(torch.tensor(x, dtype=torch.float64).reshape(1, 1, -1)))
    if not np.isclose(value, y, rtol=1e-4):
        words = (
            f"instance {instance} of BBOB's f{spec['function']} has {value:.6g} where the file says {y:.6g}"
        )
        raise ValueError(
            f"the suite is {suite or 'not named'}, and {words}; of another suite (SBOX?), leave its files out"
        )


def _runs(path: Path, told: list[dict[str, Any]], loss: pbo.Values) -> Iterator[Run]:
    """The runs of a data file, each after a line that begins with `evaluations`; `loss` is that of raw_y."""
    parts = re.split(r"(?m)^\W*evaluations\b", path.read_text(encoding="utf-8", errors="replace"))[1:]
    if len(parts) != len(told):
        raise ValueError(f"{path.name}: expected {len(told)} runs, found {len(parts)}")
    for part, about in zip(parts, told, strict=True):
        names, *lines = part.splitlines()
        column = names.split().index("raw_y") + 1
        rows = [line.split() for line in lines if line.strip()]
        evaluations = np.array([int(float(row[0])) for row in rows], np.int64)
        with np.errstate(divide="ignore"):
            gap = np.fmin.accumulate(loss(np.array([float(row[column]) for row in rows])))
        yield Run(int(about["instance"]), *until(evaluations, gap, int(about["evals"])))
