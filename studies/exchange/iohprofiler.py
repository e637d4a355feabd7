"""IOHprofiler's data format.

As the Analyzer logger of IOHexperimenter writes and IOHanalyzer and `iohinspector` read it:

    OPTIMIZER/IOHprofiler_f8_Rosenbrock.json                 who, what, and per dimension the runs: instance,
                                                             evaluations, best
    OPTIMIZER/data_f8_Rosenbrock/IOHprofiler_f8_DIM2.dat     per run: a header "evaluations raw_y", a line at
                                                             each improvement and a last one

`raw_y` is the gap to the optimum on the functions of BBOB, our loss on any other landscape; what is
maximised, as in the suite PBO, is read as `studies.exchange.pbo` says. Other landscapes of ours are numbered
from 1001 on, in the order of the study. Which resolution is kept, and how costs become whole evaluations, is
said in `studies.exchange.records`. Points are not recorded: `x` is [].

de Nobel, Ye, Vermetten, Wang, Doerr, Baeck (2024), IOHexperimenter: benchmarking platform for iterative
optimization heuristics, Evolutionary Computation 32. The format: ioh 0.4.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from xarray import Dataset

from studies.exchange import pbo
from studies.exchange.folders import files_in, opened, safe, whole
from studies.exchange.imported import to_dataset
from studies.exchange.records import Experiment, Records, Run, experiments, improvements, until
from studies.exchange.specs import Spec
from studies.text.groups import grouped
from studies.text.shapes import Data, Json

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
OTHER_SUITES = {  # whose functions are none of ours
    "SBOX": (
        "has the names of BBOB's functions, but a box and other optima, so that none is a landscape of ours"
    )
}
SMALL = 1e-6  # a value so near the optimum does not tell functions apart
SIZES = ("dim", "n")  # parameters of a landscape that may say how many coordinates it has


def export_ioh(dataset: Dataset, out: str | Path, *, point: str = "recommended") -> list[Path]:
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
    with whole(out) as temporary:
        entries = _entries(experiments(dataset, point))
        if not entries:
            raise ValueError("expected results, found no run with numbers")
        for (folder, function), same in entries.items():
            _write(temporary / folder, function, same)
    folders = dict.fromkeys(folder for folder, _ in entries)
    return [Path(out) / name for name in folders]


class Function(NamedTuple):
    """What the format calls a landscape."""

    suite: str
    number: int
    name: str

    @property
    def is_bbob(self) -> bool:
        """Whether it is a function of BBOB, as far as suite, number and name tell."""
        numbered = 1 <= self.number <= len(NAMES) and NAMES[self.number - 1] == self.name
        return self.suite in ("BBOB", *UNNAMED) and numbered


def _entries(every: Iterable[Experiment]) -> dict[tuple[str, Function], list[Experiment]]:
    """The experiments of each folder, of which an optimizer has one, and function."""
    taken: set[str] = set()
    folders: dict[str, str] = {}
    others: dict[str, int] = {}  # label -> number, of landscapes that are none of BBOB
    entries = []
    for experiment in every:
        if experiment.optimizer not in folders:
            folders[experiment.optimizer] = safe(experiment.optimizer, taken)
        key = folders[experiment.optimizer], _function(experiment, others)
        entries.append((key, experiment))
    return grouped(entries)


def _function(experiment: Experiment, others: dict[str, int]) -> Function:
    if experiment.landscape["kind"] == "bbob":
        number = experiment.landscape["function"]
        return Function("BBOB", number, NAMES[number - 1])
    number = others.setdefault(experiment.label, OTHERS + len(others))
    return Function(OURS, number, re.sub(r"[^\w+-]+", "_", experiment.label))


def dim_of(experiment: Experiment) -> int:
    """How many coordinates the landscape says it has."""
    sizes = [
        experiment.landscape[key] for key in SIZES if isinstance(experiment.landscape.get(key), int)
    ]
    if not sizes:
        kind = experiment.landscape["kind"]
        raise ValueError(
            f"landscapes.{experiment.label}: expected a parameter {' or '.join(SIZES)}, {kind} has none;"
            " export to csv or netcdf instead"
        )
    return sizes[0]


def _write(folder: Path, function: Function, same: Sequence[Experiment]) -> None:
    """The files of a function, of experiments in any number of dimensions."""
    stem = f"f{function.number}_{function.name}"
    data = folder / f"data_{stem}"
    data.mkdir(parents=True)
    scenarios = [
        _scenario(data / f"IOHprofiler_f{function.number}_DIM{dim}.dat", dim, runs)
        for dim, runs in sorted(_by_dim(same).items())
    ]
    about = _head(function, same[0].optimizer) | {"scenarios": scenarios}
    (folder / f"IOHprofiler_{stem}.json").write_text(json.dumps(about, indent=1))


def _scenario(file: Path, dim: int, runs: Sequence[Run]) -> Data:
    """Write the data file of runs in so many dimensions; what is said of it."""
    file.write_text("".join(map(_text, runs)))
    path = f"{file.parent.name}/{file.name}"
    return {"dimension": dim, "path": path, "runs": list(map(_about, runs))}


def _by_dim(same: Iterable[Experiment]) -> dict[int, list[Run]]:
    parts = grouped((dim_of(experiment), experiment.runs) for experiment in same).items()
    return {dim: list(chain(*runs)) for dim, runs in parts}


def _head(function: Function, optimizer: str) -> Data:
    """What a file says of the function and of who searched."""
    return {
        "version": VERSION,
        "suite": function.suite,
        "function_id": function.number,
        "function_name": function.name,
        "maximization": False,
        "algorithm": {"name": optimizer, "info": "two-descents"},
        "attributes": ["evaluations", "raw_y"],
    }


def _text(run: Run) -> str:
    shown = improvements(run)
    rows = zip(shown.evaluations.tolist(), shown.gap.tolist(), strict=True)
    return "\n".join(["evaluations raw_y", *(f"{n} {gap!r}" for n, gap in rows)]) + "\n"


def _about(run: Run) -> Data:
    first = int(run.gap.argmin())
    best = {
        "evals": int(run.evaluations[first]),
        "y": float(run.gap[first]),
        "x": [],
    }
    return {
        "instance": run.instance,
        "evals": int(run.evaluations[-1]),
        "best": best,
    }


def import_ioh(path: str | Path, like: Dataset | None = None) -> Dataset:
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
        files = files_in(folder, "*.json")
        every = [experiment for file in files for experiment in _read(file)]
        if not every:
            raise ValueError(f"{path}: expected IOHprofiler's files, found no *.json with scenarios")
        return to_dataset(every, like, source="IOHprofiler", name=Path(path).name)


def _read(file: Path) -> Iterator[Experiment]:
    about = _about_file(file)
    if not isinstance(about, dict) or "scenarios" not in about:
        return
    suite = str(about.get("suite", ""))
    if suite.upper() in OTHER_SUITES:
        why = OTHER_SUITES[suite.upper()]
        raise ValueError(f"{file.name}: the suite {suite} {why}; leave its files out")
    try:
        for scenario in about["scenarios"]:
            yield _experiment(about, scenario, file.parent)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise _unreadable(file, error) from error


def _about_file(file: Path) -> Json:
    """What a .json file says."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> ValueError:
    """That a file is not of the format, and why."""
    why = str(error) or type(error).__name__
    return ValueError(f"{file.name}: not in IOHprofiler's format: {why}")


def _experiment(about: Spec, scenario: Spec, folder: Path) -> Experiment:
    """The runs on a function in some number of dimensions."""
    suite, name = str(about.get("suite", "")), str(about["function_name"])
    function = Function(suite, int(about["function_id"]), name)
    what = _what(function, int(scenario["dimension"]), maximised=bool(about["maximization"]))
    if what.landscape["kind"] == "bbob" and suite != "BBOB":
        _check_values(what.landscape, scenario["runs"], suite)
    runs = list(_runs(folder / scenario["path"], scenario["runs"], what.gap))
    label = _label(function, what.landscape)
    return Experiment(about["algorithm"]["name"], what.landscape, label, runs, what.gap_known)


def _what(function: Function, dim: int, *, maximised: bool) -> pbo.Function:
    """The landscape that a function is here, and its loss from raw_y."""
    if maximised:
        return pbo.landscape(function.name, dim)
    if function.is_bbob:
        return pbo.Function(
            {
                "kind": "bbob",
                "function": function.number,
                "dim": dim,
            },
            np.asarray,
        )
    return pbo.Function({"kind": function.name, "dim": dim}, np.asarray, gap_known=False)


def _label(function: Function, spec: Spec) -> str:
    """A function of several sizes is several landscapes; those of a study of ours have its labels."""
    if function.suite == OURS:
        return function.name
    if "n" in spec:
        return f"{function.name} n={spec['n']}"
    name = f"f{function.number}" if spec["kind"] == "bbob" else function.name
    return f"{name} {spec['dim']}-D"


def _check_values(spec: Spec, runs: Sequence[Spec], suite: str) -> None:
    """A logger without a suite does not tell BBOB from SBOX, whose functions have the same names.

    The best points do, where the files have them.

    Raises:
        ValueError: the values are not those of BBOB.
    """
    telling = next((point for point in _best(runs, spec["dim"]) if SMALL < point[2] < np.inf), None)
    if telling is None:
        return
    instance, x, y = telling
    value = _value(spec | {"instance": instance}, x)
    if not np.isclose(value, y, rtol=1e-4):
        raise ValueError(
            f"the suite is {suite or 'not named'}, and instance {instance} of BBOB's f{spec['function']} has"
            f" {value:.6g} where the file says {y:.6g}; of another suite (SBOX?), leave its files out"
        )


def _best(runs: Sequence[Spec], dim: int) -> Iterator[tuple[int, Sequence[float], float]]:
    """Instance, best point and its value, of the runs that have one."""
    for run in runs:
        best = run.get("best", {})
        if len(best.get("x", ())) == dim:
            yield int(run["instance"]), best["x"], float(best["y"])


def _value(spec: Spec, x: Sequence[float]) -> float:
    """The loss of a landscape at a point."""
    import torch

    from landscapes.streams import Streams
    from studies.kinds.registry import build

    streams = Streams(seed=0, worlds=torch.zeros(1, dtype=torch.int64))
    point = torch.tensor(x, dtype=torch.float64).reshape(1, 1, -1)
    return float(build(spec, "landscape").bind(streams).loss(point))


def _runs(path: Path, stored: Sequence[Spec], loss: pbo.Values) -> Iterator[Run]:
    """The runs of a data file, each after a line that begins with `evaluations`.

    Args:
        path: of the data file.
        stored: what the .json file says of each run.
        loss: of raw_y.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    parts = re.split(r"(?m)^\W*evaluations\b", text)[1:]
    if len(parts) != len(stored):
        raise ValueError(f"{path.name}: expected {len(stored)} runs, found {len(parts)}")
    for part, about in zip(parts, stored, strict=True):
        yield _run(part, about, loss)


def _run(text: str, about: Spec, loss: pbo.Values) -> Run:
    """A run, from its text and what the .json file says of it."""
    evaluations, values = _columns(text)
    with np.errstate(divide="ignore"):
        gap = np.fmin.accumulate(loss(values))
    return Run(int(about["instance"]), *until(evaluations, gap, int(about["evals"])))


def _columns(part: str) -> Records:
    """Evaluations (n,) and raw_y (n,) of the text of a run, from behind the first name of its header on."""
    names, *lines = part.splitlines()
    column = names.split().index("raw_y") + 1
    rows = [line.split() for line in lines if line.strip()]
    evaluations = np.array([int(float(row[0])) for row in rows], np.int64)
    return evaluations, np.array([float(row[column]) for row in rows])
