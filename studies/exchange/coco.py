"""COCO's data format, as its logger writes and `cocopp` reads it: one folder per optimizer.

    OPTIMIZER/bbobexp_f8.info                    per dimension: a header, a comment, and
                                                 "data_f8/bbobexp_f8_DIM2.dat, 1:600|1.2e-09, 2:600|.."
    OPTIMIZER/data_f8/bbobexp_f8_DIM2.dat        per run: a line that begins with %, then a line at each
                                                 improvement and a last one
    OPTIMIZER/data_f8/bbobexp_f8_DIM2.tdat       the same at every record

Columns: f evaluations, g evaluations (0), best f - f_opt, f, best f. Our loss is the gap to the optimum, so
f_opt is written as 0 and the last two columns repeat the gap; points are not recorded, so the columns x1, x2,
.. are left out. Which resolution is kept, and how costs become whole evaluations, is said in
`studies.exchange.records`. cocopp reads running times off a grid of targets, 10^(k/5): at a study's target
which is on it, the running time is that of the study; targets in between are rounded down to the grid by
cocopp itself.

Hansen, Auger, Ros, Mersmann, Tusar, Brockhoff (2021), COCO: a platform for comparing continuous optimizers in
a black-box setting, Optimization Methods and Software 36. The format: coco-experiment 2.8, `data_format =
'bbob-new2'`; older files differ in columns that are not read here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from xarray import Dataset

from studies.exchange.folders import files_in, free, opened, safe, whole
from studies.exchange.imported import to_dataset
from studies.exchange.records import BBOB, Experiment, Records, Run, experiments, improvements, until

SUITES = dict(zip(BBOB, ("bbob", "bbob-noisy"), strict=True))
HEADER = (
    "% f evaluations | g evaluations | best noise-free fitness - Fopt (0.000000000000e+00) + sum g_i+"
    " | measured fitness | best measured fitness or single-digit g-values"
)
FORMAT = "logger = 'bbob', data_format = 'bbob-new2'"
# a name may have an apostrophe
KEY = re.compile(r"(\w+) *= *(?:'(?P<a>.*?)'|\"(?P<b>.*?)\"|(?P<c>[^,]*?)) *(?=, *\w+ *=|,? *$)")
Block = list[tuple[float, float]]  # evaluations and best gap of a run
READ = {"bbob": "bbob", "bbob-noisy": "bbob_noisy"}  # suite -> kind of its landscapes
NUMBERS = {"bbob": range(1, 25), "bbob_noisy": range(101, 131)}


def export_coco(dataset: Dataset, out: str | Path, *, point: str = "recommended") -> list[Path]:
    """Write a study on bbob landscapes in COCO's format.

    Args:
        dataset: a study's results, all of whose landscapes are of kind bbob or bbob_noisy.
        out: a new folder; what is in it goes to `python -m cocopp`.
        point: whose loss: "recommended" (what our analysis shows) or "best" (the best evaluated point, which
            COCO itself logs: choose it to lay the files beside published ones).

    Returns:
        The folders, one per arm.

    Raises:
        ValueError: a landscape of another kind; something at `out`.
    """
    with whole(out) as temporary:
        folders = _folders(experiments(dataset, point))
        for arm in folders:
            arm.write(temporary / arm.folder)
    return [Path(out) / arm.folder for arm in folders]


@dataclass(frozen=True)
class _Folder:
    """What is written of an arm."""

    folder: str
    name: str  # what the files call the optimizer
    functions: dict[int, dict[int, Experiment]] = field(default_factory=dict)  # function -> dim -> runs

    @classmethod
    def beside(cls, others: Iterable[_Folder], optimizer: str) -> _Folder:
        """Of an optimizer, with names that no other has."""
        folders = {other.folder.casefold() for other in others}
        names = [other.name for other in others]
        return cls(safe(optimizer, folders), _name(optimizer, names))

    def add(self, experiment: Experiment) -> None:
        """Add the runs of an experiment to those on the same function in as many dimensions."""
        dim, by_dim = experiment.landscape["dim"], self._by_dim(experiment)
        together = by_dim.setdefault(dim, experiment._replace(runs=[]))
        together.runs.extend(experiment.runs)

    def _by_dim(self, experiment: Experiment) -> dict[int, Experiment]:
        """What there is on the function of an experiment."""
        return self.functions.setdefault(experiment.landscape["function"], {})

    def write(self, folder: Path) -> None:
        """Write the files of all functions."""
        for function, by_dim in self.functions.items():
            _write(folder, function, by_dim, self.name)


def _folders(every: Iterable[Experiment]) -> list[_Folder]:
    """What is written of each optimizer."""
    arms: dict[str, _Folder] = {}
    for experiment in every:
        _check(experiment)
        name = experiment.optimizer
        if name not in arms:
            arms[name] = _Folder.beside(arms.values(), name)
        arms[name].add(experiment)
    if not arms:
        raise ValueError("expected results, found no run with numbers")
    return list(arms.values())


def _check(experiment: Experiment) -> None:
    kind = experiment.landscape["kind"]
    if kind not in BBOB:
        raise ValueError(
            f"landscapes.{experiment.label}: COCO's format is for landscapes of kind {' or '.join(BBOB)}, got"
            f" {kind}; export to ioh, or to csv"
        )


def _name(optimizer: str, taken: Collection[str]) -> str:
    """An optimizer's name as cocopp can read it between quotes, unlike those taken."""
    name = optimizer.replace("\\", "/").replace("',", "\u2019,").strip("'\"")
    return free(name, taken)


def _write(
    folder: Path,
    function: int,
    by_dim: Mapping[int, Experiment],
    optimizer: str,
) -> None:
    """The .info file of a function and its data files, one pair per dimension."""
    (folder / f"data_f{function}").mkdir(parents=True)
    lines = []
    for dim, experiment in sorted(by_dim.items()):
        name = f"data_f{function}/bbobexp_f{function}_DIM{dim}"
        lines += _info(experiment, f"{name}.dat", optimizer)
        for ending, every in ((".dat", False), (".tdat", True)):
            blocks = (_text(run, every=every) for run in experiment.runs)
            (folder / f"{name}{ending}").write_text("".join(blocks))
    (folder / f"bbobexp_f{function}.info").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _info(experiment: Experiment, file: str, optimizer: str) -> list[str]:
    """The lines of an .info file on a function in some number of dimensions, and on its data file."""
    spec, runs = experiment.landscape, experiment.runs
    ends = ", ".join(f"{run.instance}:{run.evaluations[-1]}|{run.gap[-1]:.1e}" for run in runs)
    about = f"suite = '{SUITES[spec['kind']]}', funcId = {spec['function']}, DIM = {spec['dim']}"
    head = f"{about}, Precision = 1.000e-08, algId = '{optimizer}', {FORMAT}"
    return [head, "% written by two-descents", f"{file}, {ends}"]


def _text(run: Run, *, every: bool) -> str:
    """A block of a data file: the improvements, or every record."""
    shown = run if every else improvements(run)
    gaps = [f"{gap:+.16e}" for gap in shown.gap.tolist()]
    rows = zip(shown.evaluations.tolist(), gaps, strict=True)
    return "\n".join([HEADER, *(f"{n} 0 {gap} {gap} {gap}" for n, gap in rows)]) + "\n"


def import_coco(path: str | Path, like: Dataset | None = None) -> Dataset:
    """Read COCO's files: what its logger wrote, what `export_coco` wrote, or a published archive.

    The best loss so far is taken as the recommendation's too. Between the records of the files it is shown at
    the next one.

    Args:
        path: a folder (searched for .info files), one .info file, or an archive.
        like: a study's results; its landscapes (those that are in the files), checkpoints and targets are
            used, and runs are cut at its budget, as if they had ended there: running times compare runs of
            equal length. `beside` wants this. None: all landscapes of the files, 20 checkpoints per decade,
            COCO's 51 targets 10^2 .. 10^-8.

    Returns:
        A Dataset as `studies.open_study` gives it. Its worlds are not ours: the coordinate `paired` is False.

    Raises:
        ValueError: no file, or one that is not of this format.
    """
    with opened(path) as folder:
        files = files_in(folder, "*.info")
        if not files:
            raise ValueError(f"{path}: expected COCO's files, found no *.info")
        every = [experiment for file in files for experiment in _read(file)]
        return to_dataset(every, like, source="COCO", name=Path(path).name)


def _read(info: Path) -> Iterator[Experiment]:
    lines = _lines(info)
    for head, data in zip(lines[::2], lines[1::2], strict=False):
        about = _header(head)
        _check_suite(info, about)
        try:
            experiment = _experiment(about, data, info.parent)
        except (ValueError, IndexError, OSError) as error:
            raise ValueError(f"{info.name}: not in COCO's format at {head[:60]!r}: {error}") from error
        yield experiment


def _header(text: str) -> dict[str, str]:
    """The keys and values of a header."""
    return {key[1]: (key["a"] or key["b"] or key["c"] or "").strip() for key in KEY.finditer(text)}


def _lines(info: Path) -> list[str]:
    """The lines of a file that say something."""
    lines = map(str.strip, info.read_text(encoding="utf-8", errors="replace").splitlines())
    return [line for line in lines if line and not line.startswith("%")]


def _experiment(about: Mapping[str, str], data: str, folder: Path) -> Experiment:
    """What an .info file says of a function: in a header, and in a line of data files."""
    function, dim = int(_first(about, "funcId", "function")), int(_first(about, "DIM", "dim"))
    if not data.split(",")[0].endswith("dat"):
        raise ValueError("a single-objective experiment was expected")
    spec = {
        "kind": _kind(about.get("suite", ""), function),
        "function": function,
        "dim": dim,
    }
    runs = [run for names in _files(data) for run in _runs(folder, *names)]
    return Experiment(_first(about, "algId", "algorithm"), spec, f"f{function} {dim}-D", runs)


def _first(about: Mapping[str, str], *keys: str) -> str:
    """The value of the first of these keys that is there; empty: of none."""
    return next((about[key] for key in keys if key in about), "")


def _check_suite(info: Path, about: dict[str, str]) -> None:
    """The functions of other suites have the numbers of BBOB's, and are others.

    Raises:
        ValueError: it is none of ours.
    """
    suite = _suite(about)
    if suite not in READ:
        ours = " or ".join(READ)
        raise ValueError(
            f"{info.name}: expected the suite {ours}, whose functions are landscapes of ours, got {suite};"
            " leave its files out"
        )


def _suite(about: Mapping[str, str]) -> str:
    """What a header says of the suite; older files do not name it."""
    logger = about.get("logger", "")
    older = "bbob-biobj" if "indicator" in about else "bbob"
    return about.get("suite") or (logger if logger.startswith("bbob-") else older)


def _kind(suite: str, function: int) -> str:
    """The kind of a function's landscape; older files name no suite."""
    for kind in [READ[suite]] if suite else NUMBERS:
        if function in NUMBERS[kind]:
            return kind
    raise ValueError(f"expected a function 1 .. 24, or 101 .. 130 of bbob-noisy, got f{function}")


def _files(data: str) -> Iterator[tuple[str, list[str]]]:
    """(data file, its runs) of the line `FILE, 1:600|1e-9, 2:.., FILE, ..`."""
    for part in re.split(r", *(?=[^,|]*dat\b)", data):
        name, *runs = part.split(",")
        yield name.strip().replace("\\", "/"), [run.strip() for run in runs if run.strip()]


def _runs(folder: Path, name: str, ends: Sequence[str]) -> Iterator[Run]:
    """The runs of a data file and of the one beside it, by what the .info file says of their ends."""
    blocks = _both(folder, name)
    for number, end in enumerate(ends):
        rows = [row for runs in blocks for row in _at(runs, number)]
        if rows:
            instance, spent = _end(end)
            yield Run(instance, *_merged(np.array(rows), spent))


def _both(folder: Path, name: str) -> list[list[Block]]:
    """The runs of a data file, and of the one beside it, if that is there."""
    file = folder / name
    if not file.exists():
        raise ValueError(f"there is no {name}")
    files = dict.fromkeys((file, file.with_suffix(".tdat")))
    return [_blocks(path) for path in files if path.exists()]


def _at(runs: Sequence[Block], number: int) -> Block:
    """The rows of a run, if the file has it."""
    return runs[number] if number < len(runs) else []


def _end(text: str) -> tuple[int, int]:
    """Instance and evaluations of `3:600|1e-9`; 0 where it does not say how many."""
    number, _, rest = text.partition(":")
    return int(number), int(float(rest.split("|")[0])) if rest else 0


def _blocks(path: Path) -> list[Block]:
    """(evaluations, best gap) of every run of a file; comment lines part them."""
    runs: list[Block] = []
    fresh = True
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        columns = [] if line.startswith("%") else line.split()
        if columns and fresh:
            runs.append([])
        if columns:
            runs[-1].append((float(columns[0]), float(columns[2])))
        fresh = not columns
    return runs


def _merged(rows: np.ndarray, spent: int) -> Records:
    order = np.lexsort((-rows[:, 1], rows[:, 0]))
    evaluations, gap = rows[order].T
    return until(evaluations.astype(np.int64), np.fmin.accumulate(gap), spent)
