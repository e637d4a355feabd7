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
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from studies.exchange.records import Experiment, Run, until
from studies.exchange.specs import Key, Spec, by_label, key_of, specs_of, words
from studies.results import config, settings
from studies.results.gaps import alike, gap_known
from studies.results.hits import budget
from studies.schema import OF_CELLS, WHOLE, Status, status_attrs
from studies.text.labels import as_label

PER_DECADE = 20  # checkpoints
TARGETS = np.power(10.0, np.arange(10, -41, -1) / 5)  # COCO's: 10^2 .. 10^-8
VALUES = {
    "loss": ("best loss so far, which stands for that of the recommended point", "loss"),
    "best_loss": ("best loss so far", "loss"),
    "value_terms": ("term-evaluations of values so far", "terms"),
    "gradient_terms": ("term-evaluations of gradients so far", "terms"),
}
HITS = {"hit_cost": "recommended point", "best_hit_cost": "best evaluated point"}
PAIRED = {"long_name": "whether worlds are the same worlds as those of the other optimizers so marked"}


def to_dataset(found: Sequence[Experiment], like: xr.Dataset | None, *, source: str, name: str) -> xr.Dataset:
    """The Dataset of these experiments; those on one landscape of one optimizer are put together.

    Args:
        found: the experiments.
        like: a study's results, whose landscapes (those that are there), checkpoints and targets are used;
            runs are cut at its budget, as if they had ended there, so that running times are those of runs of
            equal length. None: see `studies.exchange.coco`.
        source: where the numbers come from, kept in the attributes.
        name: of the Dataset.

    Raises:
        ValueError: no experiment has a run, or none is on a landscape of `like`.
    """
    runs: dict[tuple[Key, str], list[Run]] = {}
    specs: dict[Key, Spec] = {}
    labels: dict[Key, str] = {}
    known: dict[Key, bool] = {}
    named = _labels(experiment.optimizer for experiment in found)
    for experiment in found:
        key = key_of(experiment.landscape, experiment.label)
        runs.setdefault((key, named[experiment.optimizer]), []).extend(experiment.runs)
        specs[key], labels[key], known[key] = (
            experiment.landscape,
            as_label(experiment.label),
            experiment.known,
        )
    runs = {where: mine for where, mine in runs.items() if mine}
    present = {key for key, _ in runs}
    if not present:
        raise ValueError(f"{name}: expected runs, found none")
    if like is not None:
        theirs = specs_of(like)
        labels = {
            key: label
            for label, spec in theirs.items()
            for key in (key_of(spec, label), by_label(label))
            if key in present
        }
        if not labels:
            raise ValueError(
                f"{name}: expected a landscape of {', '.join(theirs)}, found"
                f" {', '.join(sorted(map(words, present)))}"
            )
        specs |= {key: theirs[label] for key, label in labels.items()}
        known |= _known(like, labels)
    keys = (
        list(labels) if like is not None else sorted(present, key=lambda key: (key[0], key[1] or 0, key[2]))
    )
    optimizers = list(dict.fromkeys(optimizer for key, optimizer in runs if key in keys))
    cost, targets, fractions = _grid(
        like, [labels[key] for key in keys], [run for mine in runs.values() for run in mine]
    )
    ends = np.nanmax(cost, 1)
    if like is not None:
        limit = budget(like)
        ends = np.array([
            float(limit.sel(landscape=labels[key]) if "landscape" in limit.dims else limit) for key in keys
        ])
    cut = [
        [[_cut(run, end) for run in runs.get((key, optimizer), [])] for optimizer in optimizers]
        for key, end in zip(keys, ends, strict=True)
    ]
    data = _filled(cut, cost, targets, ends)
    data = data.assign_coords(
        landscape=np.array([labels[key] for key in keys], object), optimizer=np.array(optimizers, object), checkpoint=fractions,
        paired=("optimizer", np.zeros(len(optimizers), bool), PAIRED),
        gap_known=(*_less(("landscape",), np.array([float(known[key]) for key in keys]), 0), OF_CELLS["gap_known"].attrs),
        terms=((), 1.0, OF_CELLS["terms"].attrs),
    )  # fmt: skip
    return data.assign_attrs(
        _attrs(source, name, {labels[key]: specs[key] for key in keys}, optimizers, float(cost.max()))
    )


def _labels(given: Iterable[str]) -> dict[str, str]:
    """The names of others' optimizers -> labels, each another one."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(given):
        label = as_label(name)
        told = itertools.chain([label], (f"{label} {i}" for i in itertools.count(2)))
        found[name] = next(one for one in told if one not in found.values())
    return found


def _known(like: xr.Dataset, labels: Mapping[Key, str]) -> dict[Key, bool]:
    """Whether the loss is a gap, of the landscapes of a study, as far as it says so.

    Raises:
        ValueError: it is one at some values of a swept axis alone.
    """
    if "gap_known" not in like.coords:
        return {}
    known = gap_known(like)
    for axis in [str(dim) for dim in known.dims if dim != "landscape"]:
        alike(like, axis)
    return {
        key: bool((known.sel(landscape=label) if "landscape" in known.dims else known).any())
        for key, label in labels.items()
    }


def _grid(
    like: xr.Dataset | None, labels: list[str], runs: list[Run]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Costs (L, C), targets (L, T) and the checkpoints' coordinate (C,)."""
    if like is not None:
        if like["target_loss"].attrs.get("units", "loss") != "loss":
            raise ValueError(
                "targets: expected losses, those of the study are relative to the starts of its worlds;"
                " import without like (--like)"
            )
        cost, targets = (_per_landscape(like, name, labels) for name in ("cost", "target_loss"))
        return cost, targets, like["checkpoint"].values
    end = float(max(run.evaluations[-1] for run in runs))
    fractions = (
        np.geomspace(1 / end, 1, max(int(np.ceil(np.log10(end) * PER_DECADE)), 1) + 1)
        if end > 1
        else np.ones(1)
    )
    return np.tile(fractions * end, (len(labels), 1)), np.tile(TARGETS, (len(labels), 1)), fractions


def _per_landscape(like: xr.Dataset, name: str, labels: list[str]) -> np.ndarray:
    values = (
        like[name].sel(landscape=labels)
        if "landscape" in like[name].dims
        else like[name].expand_dims(landscape=labels)
    )
    if values.ndim != 2:
        raise ValueError(
            f"{name}: expected one value per landscape, got one per {', '.join(map(str, values.dims))};"
            " select one value of these axes first"
        )
    return values.transpose("landscape", ...).values.astype(float)


def _cut(run: Run, end: float) -> Run:
    """The run as if it had ended at this cost; one that is not known so early keeps its first record."""
    last = _last(end)
    if run.evaluations[-1] <= last:
        return run
    keep = max(int((run.evaluations <= last).sum()), 1)
    return Run(run.instance, *until(run.evaluations[:keep], run.gap[:keep], last))


def _last(end: float) -> int:
    """The last whole evaluation within a cost, at least 1."""
    return max(int(np.floor(end * (1 + WHOLE))), 1)


def _filled(
    runs: list[list[list[Run]]], cost: np.ndarray, targets: np.ndarray, ends: np.ndarray
) -> xr.Dataset:
    numbers = [np.array([run.instance - 1 for run in mine], float) for row in runs for mine in row]
    instance = common_rows(next(part for part in numbers if len(part)), numbers)
    shape = (len(runs), len(runs[0]), len(instance))
    best, hit = np.full((*shape, cost.shape[1]), np.nan), np.full((*shape, targets.shape[1]), np.nan)
    counts, status = np.zeros(best.shape, np.int64), np.full(best.shape, Status.MISSING, np.int8)
    for i, row in enumerate(runs):
        for j, mine in enumerate(row):
            for r, run in zip(places(instance, [run.instance - 1 for run in mine]), mine, strict=True):
                here = (i, j, r)
                best[here], counts[here], status[here], hit[here] = _shown(run, cost[i], targets[i], ends[i])
    names, checkpoint, target = (
        ("landscape", "optimizer", "replicate"),
        ("landscape", "checkpoint"),
        ("landscape", "target"),
    )
    arrays = {
        "loss": best,
        "best_loss": best.copy(),
        "value_terms": counts,
        "gradient_terms": np.zeros_like(counts),
    }
    variables: dict[str, Any] = {
        name: ((*names, "checkpoint"), array, dict(zip(("long_name", "units"), VALUES[name], strict=True)))
        for name, array in arrays.items()
    }
    variables["status"] = ((*names, "checkpoint"), status, status_attrs())
    for name, whose in HITS.items():
        about = {
            "long_name": (
                f"cost at which the {whose} first reached the target, as far as the files tell; inf: never"
            ),
            "units": "evaluations",
        }
        variables[name] = ((*names, "target"), hit.copy(), about)
    coords = {
        "replicate": ("replicate", np.arange(len(instance)), {"long_name": "run"}),
        "target": ("target", np.arange(targets.shape[1]), {"long_name": "number of the target"}),
        "cost": (*_less(checkpoint, cost), {"long_name": "cost", "units": "evaluations"}),
        "target_loss": (*_less(target, targets), {"long_name": "target", "units": "loss"}),
        "instance": (
            "replicate",
            instance,
            {"long_name": "instance of the landscape; worlds of one number share it"},
        ),
    }
    return xr.Dataset(variables, coords)


def common_rows(first: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
    """Instances of the rows into which all fit.

    Those of `first`, then as many more of each instance as one of the others has.
    """
    counts = Counter(first.tolist())
    most: Counter[float] = Counter()
    for part in others:
        most |= Counter(part.tolist())
    return np.array([*first.tolist(), *sorted((most - counts).elements())])


def places(rows: np.ndarray, instances: Sequence[float] | np.ndarray) -> list[int]:
    """The row of each run: the k-th run of an instance stands in the k-th row of that instance."""
    free = {
        number: iter(np.flatnonzero(rows == number).tolist())
        for number in set(np.asarray(instances).tolist())
    }
    return [next(free[number]) for number in np.asarray(instances).tolist()]


def _shown(
    run: Run, cost: np.ndarray, targets: np.ndarray, end: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Best loss, evaluations and status at the costs (C,), and the cost of the first hit of the targets (T,)."""
    place = np.where(
        np.isnan(cost), -1, np.searchsorted(run.evaluations, cost * (1 + WHOLE), side="right") - 1
    )
    best = np.where(place < 0, np.nan, run.gap[place])
    counts = np.where(place < 0, 0, np.fmin(np.floor(cost * (1 + WHOLE)), run.evaluations[-1])).astype(
        np.int64
    )
    reached = run.gap[:, None] <= targets * (1 + WHOLE)
    hit = np.where(reached.any(0), run.evaluations[reached.argmax(0)], np.inf)
    hit = np.where(np.isnan(targets), np.nan, hit)
    all_hit = (best[:, None] <= targets * (1 + WHOLE)).all(1) & (len(targets) > 0)
    spent = (run.evaluations[-1] >= _last(end)) & (cost * (1 + WHOLE) >= run.evaluations[-1])
    status = np.where(all_hit, Status.HIT_TARGET, np.where(spent, Status.BUDGET_SPENT, Status.RUNNING))
    return best, counts, np.where(place < 0, Status.MISSING, status), hit


def _less(dims: tuple[str, ...], values: np.ndarray, keep: int = 1) -> tuple[tuple[str, ...], np.ndarray]:
    """Leave out the leading dims along which nothing changes, but for the last `keep`; NaN does not count."""
    while len(dims) > keep:
        low, high = np.fmin.reduce(values, 0), np.fmax.reduce(values, 0)
        if not ((low == high) | np.isnan(low)).all():
            break
        dims, values = dims[1:], low
    return dims, values


def _attrs(
    source: str, name: str, landscapes: dict[str, Any], optimizers: list[str], budget: float
) -> dict[str, str]:
    study = {
        "name": name,
        "question": None,
        "budget": budget,
        "gradient_cost": {"value": 1.0, "range": None},
        "landscapes": landscapes,
        "optimizers": {optimizer: {"kind": "imported"} for optimizer in optimizers},
        "sweep": {},
        "claims": {},
    }
    told = {
        "name": name,
        "source": source,
        "study": "",
        config.ATTRIBUTE: json.dumps(study),
        "totals": "{}",
        "versions": "{}",
        "device": "",
        "commit": "",
    }
    return told | {settings.ATTRIBUTE: json.dumps(_settings(landscapes, optimizers, budget))}


def _settings(landscapes: dict[str, Any], optimizers: list[str], budget: float) -> dict[str, Any]:
    """What `studies.results.settings` reads: of the optimizers the files tell no more than the name."""
    study = {"budget": budget, "gradient_cost": {"value": 1.0, "low": 1.0, "high": 1.0}}
    tasks = [
        {"landscape": spec, "optimizer": {"kind": "imported"}, "study": study} for spec in landscapes.values()
    ]
    arms = [
        {"coords": {"landscape": name, "optimizer": label}, "label": label, "task": i}
        for label in optimizers
        for i, name in enumerate(landscapes)
    ]
    return {"arms": arms, "tasks": tasks}
