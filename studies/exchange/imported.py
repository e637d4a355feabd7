"""From records of a benchmark to a labelled Dataset of our schema.

Dims landscape, optimizer, replicate, checkpoint, target. Row r of `replicate` has the instance `instance`
(its number in the benchmark less 1, as ours count) everywhere: the k-th run of an instance stands in the k-th
row of that instance; an optimizer need not have a run in each. The files hold the best loss so far, so `loss`
is `best_loss` and `hit_cost` is `best_hit_cost`: what would be recommended is the best point evaluated. One
evaluation is one step. After its end a run shows its last state. Its status is budget_spent where it ran as
long as the Dataset's budget; one that ended earlier stays `running` and spends no more, as
`studies.results.hits` counts. Checkpoints before the first record, and rows without a run, have the status
missing and no numbers.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from xarray import DataArray, Dataset

from studies.exchange.folders import free
from studies.exchange.records import Experiment, Run
from studies.exchange.shown import Shown, common_rows, cut, places
from studies.exchange.specs import Key, Spec, by_label, key_of, specs_of, words
from studies.results import config, settings
from studies.results.gaps import alike, gap_known
from studies.results.hits import budget
from studies.text.labels import as_label
from studies.text.schema import (
    COORDINATES,
    COUNTED,
    EVALUATIONS,
    LOSS,
    OF_CELLS,
    Variable,
    status_attrs,
)
from studies.text.shapes import Data

PER_DECADE = 20  # checkpoints
TARGETS = np.power(10.0, np.arange(10, -41, -1) / 5)  # COCO's: 10^2 .. 10^-8
RELATIVE = (
    "targets: expected losses, those of the study are relative to the starts of its worlds;"
    " import without like (--like)"
)
HIT = "cost at which the {} first reached the target, as far as the files tell; inf: never"
VARIABLES = {  # behind landscape, optimizer, replicate
    "loss": Variable(
        "best loss so far, which stands for that of the recommended point", LOSS, ("checkpoint",)
    ),
    "best_loss": Variable("best loss so far", LOSS, ("checkpoint",)),
    **{
        name: COUNTED[name]._replace(dims=("checkpoint",)) for name in ("value_terms", "gradient_terms")
    },
    "hit_cost": Variable(HIT.format("recommended point"), EVALUATIONS, ("target",)),
    "best_hit_cost": Variable(HIT.format("best evaluated point"), EVALUATIONS, ("target",)),
}
CELLS = ("landscape", "optimizer", "replicate")
PAIRED = {"long_name": "whether worlds are the same worlds as those of the other optimizers so marked"}
IMPORTED = {"kind": "imported"}

ByCell = list[list[list[Run]]]  # runs by landscape and optimizer
Runs = dict[tuple[Key, str], list[Run]]  # landscape and optimizer -> runs, none of them empty


class Landscape(NamedTuple):
    """What is said of a landscape."""

    spec: Spec
    label: str
    gap_known: bool  # whether the loss is the gap to the optimum


class Axes(NamedTuple):
    """Where the runs on L landscapes are shown."""

    cost: np.ndarray  # (L, C)
    targets: np.ndarray  # (L, T)
    checkpoint: np.ndarray  # (C,) the coordinate
    ends: np.ndarray  # (L,) costs at which runs are cut


def to_dataset(
    experiments: Sequence[Experiment], like: Dataset | None, *, source: str, name: str
) -> Dataset:
    """The Dataset of these experiments; those on one landscape of one optimizer are put together.

    Args:
        experiments: of any landscapes and optimizers.
        like: a study's results, whose landscapes (those that are there), checkpoints and targets are used;
            runs are cut at its budget, as if they had ended there, so that running times are those of runs of
            equal length. None: see `studies.exchange.coco`.
        source: where the numbers come from, kept in the attributes.
        name: of the Dataset.

    Raises:
        ValueError: no experiment has a run, or none is on a landscape of `like`.
    """
    landscapes, runs = _collected(experiments)
    if not runs:
        raise ValueError(f"{name}: expected runs, found none")
    if like is None:
        axes = _own_axes(len(landscapes), list(itertools.chain(*runs.values())))
    else:
        landscapes = _of_study(like, landscapes, name)
        axes = _axes_of(like, [landscape.label for landscape in landscapes.values()])
    data = _laid_out(landscapes, runs, axes)
    specs = {landscape.label: landscape.spec for landscape in landscapes.values()}
    stored = _attrs(name, specs, data["optimizer"].values.tolist(), float(axes.cost.max()))
    return data.assign_attrs({"name": name, "source": source} | stored)


def _laid_out(landscapes: Mapping[Key, Landscape], runs: Runs, axes: Axes) -> Dataset:
    """The runs on these landscapes, with the coordinates that say what they are."""
    optimizers = list(dict.fromkeys(optimizer for key, optimizer in runs if key in landscapes))
    data = _filled(_chosen(runs, [*landscapes], optimizers, axes), axes)
    return data.assign_coords(_about_landscapes(landscapes.values()) | _about_optimizers(optimizers))


def _chosen(runs: Runs, landscapes: Sequence[Key], optimizers: Sequence[str], axes: Axes) -> ByCell:
    """The runs by landscape and optimizer, cut where those on the landscape end.

    Args:
        runs: of each landscape and optimizer that have some.
        landscapes: L of them.
        optimizers: those that are shown.
        axes: of the L landscapes.
    """
    chosen = []
    for key, end in zip(landscapes, axes.ends, strict=True):
        of_optimizers = [runs.get((key, optimizer), []) for optimizer in optimizers]
        chosen.append([[cut(run, end) for run in mine] for mine in of_optimizers])
    return chosen


def _about_optimizers(labels: Sequence[str]) -> Data:
    """The coordinates that say what optimizers are: their worlds are none of ours."""
    paired = np.zeros(len(labels), bool)
    return {"optimizer": np.array(labels, object), "paired": ("optimizer", paired, PAIRED)}


def _collected(experiments: Sequence[Experiment]) -> tuple[dict[Key, Landscape], Runs]:
    """The landscapes with runs, in order of kind, function and dim, and the runs of each optimizer there."""
    runs: Runs = {}
    landscapes: dict[Key, Landscape] = {}
    labels = _labels(experiment.optimizer for experiment in experiments)
    for experiment in experiments:
        key = key_of(experiment.landscape, experiment.label)
        landscapes[key] = _landscape(experiment)
        if experiment.runs:
            runs.setdefault((key, labels[experiment.optimizer]), []).extend(experiment.runs)
    present = sorted({key for key, _ in runs}, key=lambda key: (key[0], key[1] or 0, key[2]))
    return {key: landscapes[key] for key in present}, runs


def _landscape(experiment: Experiment) -> Landscape:
    """What is said of the landscape of an experiment."""
    return Landscape(experiment.landscape, as_label(experiment.label), experiment.gap_known)


def _labels(given: Iterable[str]) -> dict[str, str]:
    """The names of others' optimizers -> labels, each another one."""
    labels: dict[str, str] = {}
    for name in dict.fromkeys(given):
        labels[name] = free(as_label(name), labels.values())
    return labels


# axes -------------------------------------------------------------------------------------------------------


def _of_study(like: Dataset, present: Mapping[Key, Landscape], name: str) -> dict[Key, Landscape]:
    """The landscapes that a study has too, in its order and words."""
    specs = specs_of(like)
    labels = _shared(specs, present)
    if not labels:
        there = ", ".join(sorted(map(words, present)))
        raise ValueError(f"{name}: expected a landscape of {', '.join(specs)}, found {there}")
    is_gap = {key: landscape.gap_known for key, landscape in present.items()} | _known(like, labels)
    return {key: Landscape(specs[label], label, is_gap[key]) for key, label in labels.items()}


def _shared(specs: Mapping[str, Spec], present: Mapping[Key, Landscape]) -> dict[Key, str]:
    """Key -> label of the landscapes of a study that are present, by what they are or by their labels."""
    keys = [(key_of(spec, label), label) for label, spec in specs.items()]
    by_labels = [(by_label(label), label) for label in specs]
    both = itertools.chain.from_iterable(zip(keys, by_labels, strict=True))
    return {key: label for key, label in both if key in present}


def _known(like: Dataset, labels: Mapping[Key, str]) -> dict[Key, bool]:
    """Whether the loss is a gap, of the landscapes of a study, as far as it says so.

    Raises:
        ValueError: it is one at some values of a swept axis alone.
    """
    if "gap_known" not in like.coords:
        return {}
    is_gap = gap_known(like)
    for axis in map(str, is_gap.dims):
        if axis != "landscape":
            alike(like, axis)
    return {key: bool(_at(is_gap, label).any()) for key, label in labels.items()}


def _at(part: DataArray, label: str) -> DataArray:
    """Of one landscape, where landscapes differ."""
    return part.sel(landscape=label) if "landscape" in part.dims else part


def _axes_of(like: Dataset, labels: list[str]) -> Axes:
    """Those of a study."""
    if like["target_loss"].attrs.get("units", LOSS) != LOSS:
        raise ValueError(RELATIVE)
    cost, targets = (_per_landscape(like[name], labels) for name in ("cost", "target_loss"))
    end = budget(like)
    ends = np.array([float(_at(end, label)) for label in labels])
    return Axes(cost, targets, like["checkpoint"].values, ends)


def _own_axes(landscapes: int, runs: Sequence[Run]) -> Axes:
    """Evenly in the logarithm of the cost up to the longest run, with the targets of COCO."""
    end = float(max(run.evaluations[-1] for run in runs))
    fractions = _fractions(end)
    cost, targets = (np.tile(row, (landscapes, 1)) for row in (fractions * end, TARGETS))
    return Axes(cost, targets, fractions, np.nanmax(cost, 1))


def _fractions(end: float) -> np.ndarray:
    """Checkpoints from the first evaluation to the end, as fractions of it."""
    if end <= 1:
        return np.ones(1)
    steps = max(int(np.ceil(np.log10(end) * PER_DECADE)), 1)
    return np.geomspace(1 / end, 1, steps + 1)


def _per_landscape(part: DataArray, labels: list[str]) -> np.ndarray:
    """A coordinate of a study on some of its landscapes: (L, ..)."""
    shown = "landscape" in part.dims
    values = part.sel(landscape=labels) if shown else part.expand_dims(landscape=labels)
    if values.ndim != 2:
        dims = ", ".join(map(str, values.dims))
        raise ValueError(
            f"{part.name}: expected one value per landscape, got one per {dims};"
            " select one value of these axes first"
        )
    return values.transpose("landscape", ...).values.astype(float)


# arrays -----------------------------------------------------------------------------------------------------


def _filled(runs: ByCell, axes: Axes) -> Dataset:
    """The runs, by landscape and optimizer, as arrays with coordinates of worlds, checkpoints and targets."""
    instance = _rows(runs)
    cells = (len(runs), len(runs[0]), len(instance))
    shown = Shown.empty(cells, axes.cost.shape[1], axes.targets.shape[1])
    for (i, j, r), run in _placed(runs, instance):
        own = Shown.of(run, axes.cost[i], axes.targets[i], axes.ends[i])
        for array, values in zip(shown, own, strict=True):
            array[i, j, r] = values
    return Dataset(_variables(shown), _coordinates(axes, instance))


def _rows(runs: ByCell) -> np.ndarray:
    """The instance of each row of worlds."""
    numbers = [np.array([run.instance - 1 for run in mine], float) for row in runs for mine in row]
    return common_rows(next(filter(len, numbers)), numbers)


def _placed(runs: ByCell, instance: np.ndarray) -> Iterator[tuple[tuple[int, int, int], Run]]:
    """Every run, and its landscape, optimizer and world, by number."""
    for i, row in enumerate(runs):
        for j, mine in enumerate(row):
            rows = places(instance, [run.instance - 1 for run in mine])
            yield from (((i, j, r), run) for r, run in zip(rows, mine, strict=True))


def _variables(shown: Shown) -> dict[str, tuple]:
    arrays = _arrays(shown)
    variables: dict[str, tuple] = {
        name: ((*CELLS, *about.dims), arrays[name], about.attrs) for name, about in VARIABLES.items()
    }
    return variables | {"status": ((*CELLS, "checkpoint"), shown.status, status_attrs())}


def _arrays(shown: Shown) -> dict[str, np.ndarray]:
    """The values of `VARIABLES`, none of them shared."""
    return {
        "loss": shown.best,
        "best_loss": shown.best.copy(),
        "value_terms": shown.counts,
        "gradient_terms": np.zeros_like(shown.counts),
        "hit_cost": shown.hit.copy(),
        "best_hit_cost": shown.hit.copy(),
    }


def _coordinates(axes: Axes, instance: np.ndarray) -> Data:
    about = {name: variable.attrs for name, variable in COORDINATES.items()}
    cost = _less(("landscape", "checkpoint"), axes.cost)
    targets = _less(("landscape", "target"), axes.targets)
    return {
        "replicate": ("replicate", np.arange(len(instance)), {"long_name": "run"}),
        "target": ("target", np.arange(axes.targets.shape[1]), about["target"]),
        "cost": (*cost, about["cost"]),
        "target_loss": (*targets, about["target_loss"]),
        "instance": ("replicate", instance, about["instance"]),
        "checkpoint": axes.checkpoint,
    }


def _about_landscapes(landscapes: Iterable[Landscape]) -> Data:
    """The coordinates that say what landscapes are."""
    labels, is_gap = zip(*((each.label, float(each.gap_known)) for each in landscapes), strict=True)
    return {
        "landscape": np.array(labels, object),
        "gap_known": (*_less(("landscape",), np.array(is_gap), 0), OF_CELLS["gap_known"].attrs),
        "terms": ((), 1.0, OF_CELLS["terms"].attrs),
    }


def _less(
    dims: tuple[str, ...], values: np.ndarray, keep: int = 1
) -> tuple[tuple[str, ...], np.ndarray]:
    """Leave out the leading dims along which nothing changes, but for the last `keep`; NaN does not count."""
    while len(dims) > keep:
        low = np.fmin.reduce(values, 0)
        high = np.fmax.reduce(values, 0)
        if not ((low == high) | np.isnan(low)).all():
            break
        dims, values = dims[1:], low
    return dims, values


# the study --------------------------------------------------------------------------------------------------


def _attrs(
    name: str, landscapes: Mapping[str, Spec], optimizers: Sequence[str], end: float
) -> dict[str, str]:
    """The attributes of a study; what is not known is empty.

    Args:
        name: of the Dataset.
        landscapes: label -> what it is.
        optimizers: labels.
        end: the budget.
    """
    return {
        "study": "",
        config.ATTRIBUTE: json.dumps(_study(name, landscapes, optimizers, end)),
        settings.ATTRIBUTE: json.dumps(_settings(landscapes, optimizers, end)),
        "totals": "{}",
        "versions": "{}",
        "device": "",
        "commit": "",
    }


def _study(name: str, landscapes: Mapping[str, Spec], optimizers: Sequence[str], end: float) -> Data:
    """The study that these runs would be of; the arguments are those of `_attrs`."""
    return {
        "name": name,
        "question": None,
        "budget": end,
        "gradient_cost": {"value": 1.0, "range": None},
        "landscapes": dict(landscapes),
        "optimizers": dict.fromkeys(optimizers, IMPORTED),
        "sweep": {},
        "claims": {},
    }


def _settings(landscapes: Mapping[str, Spec], optimizers: Sequence[str], end: float) -> Data:
    """What `studies.results.settings` reads: of the optimizers the files tell no more than the name."""
    study = {"budget": end, "gradient_cost": {"value": 1.0, "low": 1.0, "high": 1.0}}
    arms = [
        {"coords": {"landscape": name, "optimizer": label}, "label": label, "task": number}
        for label in optimizers
        for number, name in enumerate(landscapes)
    ]
    tasks = [{"landscape": spec, "optimizer": IMPORTED, "study": study} for spec in landscapes.values()]
    return {"arms": arms, "tasks": tasks}
