# ruff: noqa: E501  the lines that a user sees are not broken here
"""The study file: each mistake is one line with its place and the nearest right word.

Good files mean what they say.
"""

import copy
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from landscapes.base import Bits
from optimizers.populations.ga import GA
from studies.kinds.registry import build
from studies.study_file import document
from studies.study_file.loading import load_study
from studies.study_file.model import FIGURES, json_schema
from studies.study_file.study import StudyError
from tests.support.each import each

NAMES = [
    *FIGURES,
    "curve",
    "scaling",
    "attainment",
    "law",
    "frequencies",
    "plane",
]  # map and density need keys

GOOD = """\
name: quickstart
budget: 1000
landscapes:
  nk: {kind: nk, n: 16, k: 4}
  bowl: {kind: quadratic, dim: 5}
optimizers:
  sgd:
    kind: sgd
    learning_rate: 0.1
  ga: {kind: ga}
"""


@dataclass(frozen=True, kw_only=True)
class BitsOnly(GA):
    """A method that searches bits only, for `test_bits_and_reals`."""

    domains = (Bits,)


def lines_of(tmp_path: Path, text: str, overrides: tuple[str, ...] = ()) -> list[str]:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(StudyError) as caught:
        load_study(path, overrides)
    return [line.replace(f"{tmp_path}/", "") for line in caught.value.lines]


MISTAKES = [
    ("    learning_rate: 0.1", "    learning_rat: 0.1", "9:5: optimizers.sgd.learning_rat: unknown key for sgd; did you mean 'learning_rate'?"),
    ("  nk: {kind: nk, n: 16, k: 4}", "  nk: {kind: empirical, wild_type: 000000}", "4:36: landscapes.nk.wild_type: expected text, got 0; write it in quotes"),
    ("    learning_rate: 0.1", "    lr: 0.1", "9:5: optimizers.sgd.lr: unknown key for sgd; did you mean 'learning_rate'?"),
    ("    learning_rate: 0.1", "    learning_rate: fast", "9:20: optimizers.sgd.learning_rate: expected a number, got 'fast'"),
    ("    learning_rate: 0.1", "    learning_rate: '0.1'", "9:20: optimizers.sgd.learning_rate: expected a number, got '0.1'"),
    ("    learning_rate: 0.1", "    learning_rate: .inf", "9:20: optimizers.sgd.learning_rate: expected a finite number, got inf"),
    ("    learning_rate: 0.1", "    learning_rate: -1e-3", "9:20: optimizers.sgd.learning_rate: expected > 0, got -0.001"),
    ("    learning_rate: 0.1", "    learning_rate: [0.1, 0.2]", "9:20: optimizers.sgd.learning_rate: expected a number, got a list"),
    ("    learning_rate: 0.1", "    nesterov: 1", "9:15: optimizers.sgd.nesterov: expected true or false, got 1"),
    ("    learning_rate: 0.1", "    nesterov: true", "7:3: optimizers.sgd.momentum: expected > 0 with nesterov, got 0.0"),
    ("    learning_rate: 0.1", "    starts: 1.5", "9:13: optimizers.sgd.starts: expected a whole number, got 1.5"),
    ("    learning_rate: 0.1", "    schedule: {kind: cosin, steps: 9}", "9:22: optimizers.sgd.schedule.kind: expected 'constant', 'step', 'exponential', 'cosine', 'inverse_time' or 'logarithmic', got 'cosin'; did you mean 'cosine'?"),
    ("    learning_rate: 0.1", "    schedule: {stps: 9}", "9:16: optimizers.sgd.schedule.stps: unknown key for schedule; did you mean 'steps'?"),
    ("    learning_rate: 0.1", "    schedule: {kind: constant, steps: 3}", "9:39: optimizers.sgd.schedule.steps: expected none for a constant schedule, got 3; name another kind"),
    ("    learning_rate: 0.1", "    schedule: 3", "9:15: optimizers.sgd.schedule: expected a mapping, got 3"),
    ("    learning_rate: 0.1", "    kind: ga", "8:5: optimizers.sgd.kind: given twice, again in line 9"),
    ("    learning_rate: 0.1", "    learning_rate: !!python/object:os.system {}", "9:20: optimizers.sgd.learning_rate: the tag !!python/object:os.system is not read; only plain YAML is"),
    ("    learning_rate: 0.1", "    relaxation: threshold", "9:17: optimizers.sgd.relaxation: expected 'extension' or 'lovasz' for a method that asks for gradients (a threshold has no slope), got 'threshold'"),
    ("    learning_rate: 0.1", "    grid: {learning_rat: [1]}", "9:12: optimizers.sgd.grid.learning_rat: unknown key for sgd; did you mean 'learning_rate'?"),
    ("    learning_rate: 0.1", "    grid: {momentum: [0, 2]}", "9:26: optimizers.sgd.grid.momentum[1]: expected < 1, got 2"),
    ("    learning_rate: 0.1", "    grid: {momentum: 0.9}", "9:22: optimizers.sgd.grid.momentum: expected a list, got 0.9"),
    ("    learning_rate: 0.1", "    on: {nkk: {momentum: 0.9}}", "9:10: optimizers.sgd.on.nkk: unknown landscape; did you mean 'nk'?"),
    ("    learning_rate: 0.1", "    on: {nk: {momentun: 0.9}}", "9:15: optimizers.sgd.on.nk.momentun: unknown key for sgd; did you mean 'momentum'?"),
    ("    learning_rate: 0.1", "    on: {nk: {momentum: 3}}", "9:25: optimizers.sgd.on.nk.momentum: expected < 1, got 3"),
    ("kind: ga}", "kind: linkage_equilibrium, relaxation: lovasz}", "10:47: optimizers.ga.relaxation: expected 'extension', which is all that linkage_equilibrium takes, got 'lovasz'"),
    ("kind: ga}", "kind: GA}", "10:14: optimizers.ga.kind: unknown kind 'GA'; did you mean 'ga'?"),
    ("    learning_rate: 0.1", "    Learning-Rate: 0.1", "9:5: optimizers.sgd.Learning-Rate: unknown key for sgd; did you mean 'learning_rate'?"),
    ("kind: ga}", "kind: ga, selection: Tournament}", "10:29: optimizers.ga.selection: expected 'tournament', 'truncation', 'proportional' or 'none', got 'Tournament'; did you mean 'tournament'?"),
    ("kind: ga}", "kind: gaa}", "10:14: optimizers.ga.kind: unknown kind 'gaa'; did you mean 'ga'?"),
    ("kind: ga}", "kind: ga, selection: turnament}", "10:29: optimizers.ga.selection: expected 'tournament', 'truncation', 'proportional' or 'none', got 'turnament'; did you mean 'tournament'?"),
    ("kind: ga}", "kind: ga, elite: 64}", "10:25: optimizers.ga.elite: expected 0 <= elite < population = 64, got 64"),
    ("kind: ga}", "kind: 'nowhere.x:Y'}", "10:14: optimizers.ga.kind: cannot import 'nowhere.x:Y': No module named 'nowhere'"),
    ("kind: ga}", "population: 3}", "10:3: optimizers.ga.kind: missing; name a kind, see python -m studies.list"),
    ("{kind: ga}", "7", "10:7: optimizers.ga: expected a mapping with a kind, got 7"),
    ("k: 4}", "k: 20}", "4:28: landscapes.nk.k: expected 0 <= k <= n - 1 = 15, got 20"),
    ("  bowl:", "  $b$:", "5:3: landscapes.$b$: expected a label without $, which a figure reads as a formula; write the letter itself, such as λ"),
    ("  bowl:", "  _bowl:", "5:3: landscapes._bowl: expected a label that does not begin with _, which a figure's legend leaves out"),
    ("  bowl:", "  '..':", "5:3: landscapes...: expected a label with a letter or a digit in it"),
    ("  bowl:", '  "b\\0":', "5:3: landscapes.b\\u0000: expected a label that can be printed, this one has U+0000"),
    ("  bowl:", '  "b\\u202Eowl":', "5:3: landscapes.b\\u202eowl: expected a label that can be printed, this one has U+202E"),
    ("  bowl:", f"  {'b' * 200}:", f"5:3: landscapes.{'b' * 200}: expected a label of at most 100 letters, got 200"),
    ("  bowl:", "  ' nk  ':", "4:3: landscapes.nk: given twice, again in line 5"),
    ("  ga:", "  sgd: {<<: 3}\n  ga:", "7:3: optimizers.sgd: given twice, again in line 10"),
    ("    learning_rate: 0.1", "    <<: 3", "8:5: optimizers.sgd: <<: expected a mapping, *ALIAS or a list of them"),
    ("    learning_rate: 0.1", "    grid: {momentum: [0, 0.5]}\n  sgd momentum=0.5: {kind: sgd}", "10:3: optimizers.sgd momentum=0.5: the grid of 'sgd' has a variant of this name; choose another label"),
    ("budget: 1000", "budget: 10\nsweep: {dim/lr: {values: [1, 2], sets: seed}}", "3:9: sweep.dim/lr: expected the name of an axis: letters, digits and _, the first one a letter, at most 60; such as 'dim_lr'"),
    *((
        "budget: 1000", f"budget: 10\nsweep: {{{name}: {{values: [1, 2], sets: seed}}}}", f"3:9: sweep.{name}: this name belongs to the Dataset; choose another"
    ) for name in ("cost", "Cost", "status", "terms", "gap_known", "instance", "pair", "unit", "quantile", "replicate", "loss", "start_loss", "precision")),
    ("name: quickstart", "nam: quickstart", "1:1: nam: unknown key; did you mean 'name'?"),
    ("name: quickstart", "name: Quick Start", "1:7: name: expected lower-case letters, digits, - and _, got 'Quick Start'"),
    ("budget: 1000", "budget: {nk: 10}", "2:9: budget: no value for landscape 'bowl'; name it, or give a 'default'"),
    ("budget: 1000", "budget: {nk: 10, bowll: 3, default: 3}", "2:18: budget.bowll: unknown landscape or clock; did you mean 'bowl'?"),
    ("budget: 1000", "budget: 10\nnoise: {batch: {nk: 17}}", "3:21: noise.batch.nk: expected at most the 16 terms of landscape 'nk', got 17; name a batch for each, {label: batch}"),
    ("budget: 1000", "budget: 10\nnoise: {batch: {bowl: 2}}", "3:23: noise.batch.bowl: landscape 'bowl' has no terms to draw from (its loss is not a finite sum), got 2; give it `terms`, or name the landscapes that have, {label: batch}"),
    ("budget: 1000", "budget: 10\nnoise: {batch: 1.0}", "3:16: noise.batch: expected a number of terms 1, 2, .., a fraction 0 < f < 1 of them, or null for all, got 1.0"),
    ("budget: 1000", "budget: 10\nnoise: {sampling: epok}", "3:19: noise.sampling: expected 'replacement', 'batch' or 'epoch', got 'epok'; did you mean 'epoch'?"),
    ("budget: 1000", "budget: 10\nnoise: {evaluation: {valu: 1}}", "3:22: noise.evaluation.valu: unknown landscape; did you mean 'value'?"),
    ("budget: 1000", "budget: 10\noracle: {micro_batches: 0}", "3:25: oracle.micro_batches: expected >= 1, got 0"),
    ("budget: 1000", "budget: 10\noracle: {micro_batches: 2.5}", "3:25: oracle.micro_batches: expected a whole number, got 2.5"),
    ("budget: 1000", "budget: 10\noracle: {chunks: {nk: 0}}", "3:23: oracle.chunks.nk: expected >= 1, got 0"),
    ("budget: 1000", "budget: 10\noracle: {chunks: {nkk: 2}}", "3:19: oracle.chunks.nkk: unknown landscape; did you mean 'nk'?"),
    ("budget: 1000", "budget: 10\noracle: {microbatches: 2}", "3:10: oracle.microbatches: unknown key for oracle; did you mean 'micro_batches'?"),
    ("budget: 1000", "budget: 10\nsweep: {oracle.chunk: [1, 2]}", "3:9: sweep.oracle.chunk: unknown path; did you mean 'oracle.chunks'?"),
    ("budget: 1000", "budget: 10\ngradient_cost: {value: 30, range: [1, 20]}", "3:16: gradient_cost: expected a range [low, high] with low <= value = 30 <= high"),
    ("budget: 1000", "budget: 10\ncheckpoints: 5", "3:14: checkpoints: expected a number per decade, 20 to 100000, a list of increasing fractions of the budget, each 0 < f <= 1, or {count: .., spacing: log | linear, clock: ..}, got 5"),
    ("budget: 1000", "budget: 10\ntargets: [0.1, a]", "3:16: targets[1]: expected a number, got 'a'"),
    ("budget: 1000", "budget: 10\ntargets: {nk: [1], bowl: [1, 2]}", "3:10: targets: expected lists of equal lengths, got nk: 1, bowl: 2"),
    ("budget: 1000", "budget: 10\nfigures: [convergance]", f"3:11: figures[0]: expected {', '.join(map(repr, NAMES[:-1]))} or {NAMES[-1]!r}, got 'convergance'; did you mean 'convergence'?"),
    ("budget: 1000", "budget: 10\nfigures: [noise_sources]", "3:11: figures[0]: noise_sources shows the `ledger` of a study, and this one has none"),
    ("budget: 1000", "budget: 10\nfigures: [factorial]", "3:11: figures[0]: factorial shows the `factors` of a study, and this one has none"),
    ("budget: 1000", "budget: 10\nsweep: {sgd.learning_rate: [1]}", "3:9: sweep.sgd.learning_rate: unknown path; did you mean 'optimizers.sgd.learning_rate'?"),
    ("budget: 1000", "budget: 10\nsweep: {optimizers.*.momentum: [0]}", "3:9: sweep.optimizers.*.momentum: an axis that sets several paths has a name, as in name: {values: [..], sets: optimizers.*.momentum}"),
    ("budget: 1000", "budget: 10\nsweep: {optimizers.sdg.momentum: [0]}", "3:9: sweep.optimizers.sdg.momentum: unknown path; did you mean 'optimizers.sgd.momentum'?"),
    ("budget: 1000", "budget: 10\nsweep: {landscapes.nk.k: [2, 40]}", "3:30: sweep.landscapes.nk.k[1]: expected <= 20, got 40"),
    ("budget: 1000", "budget: 10\nsweep: {landscapes.nk.k: [2, 18]}", "3:30: sweep.landscapes.nk.k[1]: expected 0 <= k <= n - 1 = 15, got 18"),
    ("budget: 1000", "budget: 10\nsweep: {landscapes.nk.n: [4, 16]}", "5:28: landscapes.nk.k: expected 0 <= k <= n - 1 = 3, got 4 (at n = 4)"),
    ("budget: 1000", "budget: 10\nsweep: {landscapes.nk.k: [1, 1.0]}", "3:26: sweep.landscapes.nk.k: expected different values"),
    ("budget: 1000", "budget: 10\nsweep: {landscapes.nk.k: 3}", "3:26: sweep.landscapes.nk.k: expected a list of values"),
    ("budget: 1000", "budget: 10\nsweep: {a: {zip: {seed: [1], landscapes.nk.k: [1, 2]}}}", "3:13: sweep.a.zip: zip is gone; write NAME: {values: [..], sets: {path: formula of the axis}} or {choices: {name: {path: value}}}"),
    ("budget: 1000", "budget: 10\nsweep: {a: {zip: {budget: [10, 20], landscapes.nk.n: [5, 10]}}}", "3:13: sweep.a.zip: zip is gone; write a: {values: [10, 20], sets: {budget: a, landscapes.nk.n: a / 2}}"),
    ("budget: 1000", "budget: 10\nsweep: {a: {zip: {landscapes.bowl.rotated: [true, false], landscapes.nk.n: [5, 10]}}}", "3:13: sweep.a.zip: zip is gone; write a: {choices: {rotated=true n=5: {landscapes.bowl.rotated: true, landscapes.nk.n: 5}, rotated=false n=10: {landscapes.bowl.rotated: false, landscapes.nk.n: 10}}}"),
    ("budget: 1000", "budget: 10\ncluster: {kind: pigeon}", "3:17: cluster.kind: expected one of local, ssh, slurm, pbs, sge, lsf, kubernetes, the address of a Dask scheduler 'tcp://host:port' or 'tls://host:port', or the import path of a class 'package.module:Class', got 'pigeon'"),
    ("budget: 1000", "budget: 10\ncluster: pigeon", "3:10: cluster: expected one of local, ssh, slurm, pbs, sge, lsf, kubernetes, the address of a Dask scheduler 'tcp://host:port' or 'tls://host:port', or the import path of a class 'package.module:Class', got 'pigeon'"),
    ("budget: 1000", "budget: 10\ncluster: {kind: local, worker: 2}", "3:10: cluster: unknown word 'worker' of local; did you mean 'workers'?"),
    ("budget: 1000", "budget: 10\ncluster: {slurm: {hosts: [a]}}", "3:10: cluster: unknown word 'hosts' of slurm; expected one of: jobs, adapt, gpus, walltime, memory"),
    ("budget: 1000", "budget: 10\ncluster: {slurm: {jobs: 0}}", "3:10: cluster: expected jobs: greater than or equal to 1, got 0"),
    ("budget: 1000", "budget: 10\ncluster: {kind: slurm, adapt: [3, 2]}", "3:10: cluster: expected adapt: [fewest, most], got [3, 2]"),
    ("budget: 1000", "budget: 10\ncluster: {kind: slurm, adapt: [0, 2], jobs: 2}", "3:10: cluster: expected jobs or adapt, got both"),
    ("budget: 1000", "budget: 10\ncluster: ssh", "3:10: cluster: expected hosts: [..] of ssh, got 'ssh'"),
    ("budget: 1000", "budget: 10\ncluster: {wait: 2 weeks}", "3:17: cluster.wait: expected a time as 90s, 20min or 2h, got '2 weeks'"),
    ("budget: 1000", "budget: 10\ncluster: {kind: 'tls://a:1', tls: {ca: a, cert: b}}", "3:30: cluster.tls.key: missing; expected file of its key"),
    ("budget: 1000", "budget: [", "4:5: not YAML: expected ',' or ']', but got ':'; is the bracket of line 2 closed?"),
    ("budget: 1000", 'question: "why', "2:11: not YAML: expected closing quotes, found none"),
    ("budget: 1000", " budget: 10", "2:8: not YAML: mapping values are not allowed here; does this line begin too far right, or need a text quotes?"),
    ("budget: 1000", "sweep:\n  seed: [1]\n budget: 10", "4:2: not YAML: expected <block end>, but found '<block mapping start>'; the lines of one mapping begin at one column, with spaces alone"),
]  # fmt: skip


def test_a_mistake_is_one_line(tmp_path: Path) -> None:
    missing = "study.yaml:1:1: name: missing; expected lower-case letters, digits, - and _"
    wrong = []
    for old, new, line in MISTAKES:
        expected = [f"study.yaml:{line}", *[missing] * new.startswith("nam:")]
        found = lines_of(tmp_path, GOOD.replace(old, new, 1))
        wrong += [(found, expected)] * (found != expected)
    assert not wrong


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = (
        GOOD
        .replace("k: 4}", "k: 20}")
        .replace("0.1", "fast")
        .replace("kind: ga}", "kind: ga, elite: 99}")
        + "sweep: {optimizers.ga.populaton: [3]}\n"
    )
    places = [line.split(": ")[1] for line in lines_of(tmp_path, text)]
    assert places == [
        "landscapes.nk.k",
        "optimizers.sgd.learning_rate",
        "optimizers.ga.elite",
        "sweep.optimizers.ga.populaton",
    ]


def test_every_mistake_in_a_file_of_genotypes_has_the_place_of_its_name(tmp_path: Path) -> None:
    rows = [f"{i:04b},{'x' if i in (1, 8) else i}" for i in range(15)]
    (tmp_path / "mine.csv").write_text("\n".join(["genotype,fitness", *rows]))
    path = tmp_path / "mine.csv"
    text = GOOD.replace("  bowl:", f"  table:\n    kind: empirical\n    file: {path}\n  bowl:")
    assert lines_of(tmp_path, text) == [
        (
            "study.yaml:7:11: landscapes.table.file: mine.csv:3: expected a number, got 'x'; likewise in 1"
            " other line: 10"
        ),
        (
            "study.yaml:7:11: landscapes.table.file: mine.csv: expected all 16 genotypes, 1 missing: 1111;"
            " missing: lethal, additive or a number says what stands for them"
        ),
    ]


def test_a_wrong_kind_in_the_registry_is_told_beside_a_missing_budget() -> None:
    with pytest.raises(StudyError) as caught:
        load_study({"name": "x", "landscapes": {"nk": {"kind": "nkk"}}, "optimizers": {}})
    assert caught.value.lines == [
        "study: budget: missing; expected evaluations of the whole loss, or on another clock {steps: 480},"
        " {epochs: 3}, {virtual_time: 50} or {seconds: 60}; or landscape label -> either. A run ends after the"
        " last whole step within it; an optimizer's own `budget` wins",
        "study: landscapes.nk.kind: unknown kind 'nkk'; did you mean 'nk'?",
        "study: optimizers: expected at least one, label -> {kind: ..}",
    ]


OVERRIDES = [
    (
        "optimizers.sgd.momentun=0.9",
        "--set optimizers.sgd.momentun: unknown key for sgd; did you mean 'momentum'?",
    ),
    (
        "optimizers.sdg.momentum=0.9",
        "--set optimizers.sdg.momentum: unknown label 'sdg'; did you mean 'sgd'?",
    ),
    ("budgett=3", "--set budgett: unknown key; did you mean 'budget'?"),
    ("budget.nk=3", "--set budget.nk: budget is 1000, not a mapping"),
    ("optimizers.sgd.learning_rate=-1", "--set optimizers.sgd.learning_rate: expected > 0, got -1"),
    ("replicates", "--set replicates: expected PATH=VALUE"),
]


@pytest.mark.parametrize(("override", "line"), OVERRIDES)
def test_a_wrong_override_is_one_line(tmp_path: Path, override: str, line: str) -> None:
    assert lines_of(tmp_path, GOOD, (override,)) == [line]


def test_overrides_are_yaml_and_reach_the_arms(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(GOOD)
    study = load_study(
        path,
        [
            "replicates=8",
            "optimizers.sgd.learning_rate=1e-3",
            "optimizers.sgd.schedule={kind: cosine, steps: 9}",
        ],
    )
    same = load_study(
        path,
        {
            "replicates": 8,
            "optimizers.sgd.learning_rate": 1e-3,
            "optimizers.sgd.schedule": {"kind": "cosine", "steps": 9},
        },
    )
    assert study == same
    assert study.replicates == 8
    assert study.arms[0].optimizer["learning_rate"] == 0.001
    assert study.arms[0].optimizer["schedule"] == {
        "kind": "cosine",
        "steps": 9,
        "factor": None,
        "warmup": 0,
    }


def test_the_resolved_study_gives_the_same_study_again(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(
        GOOD
        + "sweep: {landscapes.nk.k: [1, 2]}\nnoise: {evaluation: 0.1, batch: {nk: 0.25}}\ngradient_cost:"
        " {value: 3, range: [1, 20]}\n"
    )
    study = load_study(path)
    path.write_text(study.yaml())
    assert load_study(path) == study
    assert load_study(study.resolved) == study
    assert study.arms[0].noise == {
        "batch": 4,
        "sampling": "replacement",
        "shared": True,
        "evaluation": {"value": 0.1, "gradient": 0.0},
    }


WEIRD: list[Any] = [
    None,
    True,
    -1,
    0.5,
    "x",
    "",
    [],
    [None],
    [[1]],
    {},
    {"a": 1},
    {"kind": "sgd"},
    {"zip": {}},
    {"kind": []},
    {"kind": {"a": 1}},
    10**400,
    10**12,
]
PARTS = 23  # of which one is tried every day: each of these, somewhere


def paths_in(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = (
        data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    )
    for key, value in items:
        yield (*path, key)
        yield from paths_in(value, (*path, key))


def lines_or_none(data: Any) -> list[str] | None:
    try:
        load_study(data)
    except StudyError as error:
        return error.lines
    return None


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(k, marks=pytest.mark.verify) for k in range(1, PARTS))]
)
def test_whatever_stands_anywhere_it_is_a_line_and_never_a_traceback(part: int) -> None:
    more = """
sweep: {optimizers.sgd.learning_rate: [1, 2], noise.batch: [{nk: 2}], a: {values: [1, 2], sets: {seed: a, landscapes.nk.k: 3 - a}}}
noise: {batch: {nk: 2}, sampling: {nk: batch}, shared: true, evaluation: {nk: {value: 1}, bowl: 2}}
gradient_cost: {value: 3, range: [1, 20]}
oracle: {micro_batches: {nk: 2}, chunks: 3}
targets: {default: [1]}
checkpoints: [0.1, 1]
figures: [convergence]
cluster: {kind: local, workers: 2}
"""
    text = (
        GOOD.replace(
            "learning_rate: 0.1",
            "schedule: {kind: cosine, steps: 9}\n    grid: {momentum: [0, 0.9]}\n    on: {nk: {starts: 2}}",
        )
        + more
    )
    good = document.read("", text).data
    assert len(load_study(good).arms) == 2 * (2 + 1) * 2 * 2
    for path, weird in [*itertools.product(paths_in(good), WEIRD)][part::PARTS]:
        data = copy.deepcopy(good)
        node = data
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = weird
        lines = lines_or_none(data)
        assert lines is None or lines, (path, weird)
        assert all(line.startswith("study: ") and "\n" not in line for line in lines or ()), (
            path,
            weird,
        )


def test_a_swept_number_that_no_float_holds_is_one_line() -> None:
    good = document.read("", GOOD).data
    lines = lines_or_none(good | {"sweep": {"optimizers.sgd.learning_rate": [0.1, 10**400]}})
    assert lines
    assert all("learning_rate" in line and "\n" not in line for line in lines)


def test_names() -> None:
    with pytest.raises(
        StudyError,
        match=r"^quickstrt: no such file and no ready study of this name; did you mean 'quickstart'\?",
    ):
        load_study("quickstrt")
    assert (
        load_study("quickstart").name == "quickstart"
    )  # each of them is read in tests/studies/test_list.py


def test_a_study_that_is_no_mapping(tmp_path: Path) -> None:
    assert lines_of(tmp_path, "- 1\n") == [
        "study.yaml:1:1: expected a mapping with the keys name, budget, landscapes, optimizers"
    ]
    assert lines_of(tmp_path, "") == [
        "study.yaml:1:1: expected a mapping with the keys name, budget, landscapes, optimizers"
    ]


def test_bits_and_reals() -> None:
    study = {
        "name": "x",
        "budget": 9,
        "landscapes": {"bowl": {"kind": "quadratic"}},
        "optimizers": {"b": {"kind": f"{__name__}:BitsOnly"}},
    }
    with pytest.raises(
        StudyError,
        match=(
            r"^study: optimizers.b: .*BitsOnly searches bits only, but landscape 'bowl' has real coordinates;"
            r" one that fits: sgd"
        ),
    ):
        load_study(study)
    arms = load_study(
        study
        | {
            "landscapes": {"nk": {"kind": "nk"}},
            "optimizers": {"b": {"kind": f"{__name__}:BitsOnly"}, "s": {"kind": "sgd"}},
        }
    ).arms
    assert [arm.relaxation for arm in arms] == [None, "extension"]


def test_plugins_are_found_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = (
        "from dataclasses import dataclass\nfrom optimizers.gradient.sgd import SGD\n@dataclass(frozen=True,"
        " kw_only=True)\nclass Mine(SGD):\n    extra: int = 3\n"
    )
    (tmp_path / "my_plugin_of_config.py").write_text(plugin)
    (tmp_path / "my_broken_plugin.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    text = GOOD.replace("kind: ga}", "kind: 'my_plugin_of_config:Mine', extr: 2}")
    assert lines_of(tmp_path, text) == [
        "study.yaml:10:42: optimizers.ga.extr: unknown key for my_plugin_of_config:Mine; did you mean"
        " 'extra'?"
    ]
    study = load_study({
        "name": "x",
        "budget": 9,
        "landscapes": {"nk": {"kind": "nk"}},
        "optimizers": {"m": {"kind": "my_plugin_of_config:Mine", "extra": 2.0}},
    })
    assert study.arms[0].optimizer["extra"] == 2
    broken = GOOD.replace("kind: ga}", "kind: 'my_broken_plugin:X'}")
    assert lines_of(tmp_path, broken) == [
        "study.yaml:10:14: optimizers.ga.kind: cannot import 'my_broken_plugin:X': ZeroDivisionError:"
        " division by zero (my_broken_plugin.py:1)"
    ]


TOGETHER = """\
name: together
budget: 100
landscapes:
  bn: {kind: batch_norm}
  pairs: {kind: contrastive, pairs: 9}
optimizers: {sgd: {kind: sgd}}
"""


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (
            "oracle: {micro_batches: 5}",
            (
                "7:25: oracle.micro_batches: expected at most 4 for 9 terms of landscape 'pairs', which needs"
                " at least 2 at once, got 5"
            ),
        ),
        (
            "oracle: {micro_batches: {pairs: 5}}",
            (
                "7:33: oracle.micro_batches.pairs: expected at most 4 for 9 terms of landscape 'pairs', which"
                " needs at least 2 at once, got 5"
            ),
        ),
        (
            "noise: {batch: 4, sampling: {pairs: batch}}\noracle: {micro_batches: {bn: 3}}",
            (
                "8:30: oracle.micro_batches.bn: expected at most 2 for 4 terms of landscape 'bn', which needs"
                " at least 2 at once, got 3"
            ),
        ),
        (
            "noise: {batch: {pairs: 7}, sampling: {pairs: epoch}}\noracle: {micro_batches: 2}",
            (
                "8:25: oracle.micro_batches: expected at most 1 for 2 terms of landscape 'pairs', which needs"
                " at least 2 at once, got 2"
            ),
        ),
        (
            "noise: {batch: {bn: 8}}\noracle: {micro_batches: {bn: 4}}\nsweep: {noise.batch.bn: [8, 6]}",
            (
                "8:30: oracle.micro_batches.bn: expected at most 3 for 6 terms of landscape 'bn', which needs"
                " at least 2 at once, got 4 (at noise.batch.bn = 6)"
            ),
        ),
        (
            "noise: {batch: {bn: 8}}\nsweep: {oracle.micro_batches.bn: [1, 5]}",
            (
                "8:38: sweep.oracle.micro_batches.bn[1]: expected at most 4 for 8 terms of landscape 'bn',"
                " which needs at least 2 at once, got 5"
            ),
        ),
    ],
)
def test_pieces_are_large_enough_for_a_loss_that_is_no_sum(
    tmp_path: Path, more: str, line: str
) -> None:
    assert lines_of(tmp_path, TOGETHER + more) == [f"study.yaml:{line}"]


def test_portions_may_differ_by_landscape_and_do_nothing_without_terms() -> None:
    study = document.read("", GOOD + "oracle: {micro_batches: {default: 3, nk: 2}, chunks: 4.0}\n").data
    portions = {arm.coords["landscape"]: arm.oracle for arm in load_study(study).arms}
    assert portions == {
        "nk": {"micro_batches": 2, "chunks": 4},
        "bowl": {"micro_batches": 1, "chunks": 4},
    }
    assert load_study(load_study(study).resolved) == load_study(study)


@pytest.mark.verify
def test_the_schema_is_one() -> None:
    """By the schema of schemas; that it works is seen each day, below."""
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(json.loads(json.dumps(json_schema())))


def test_the_schema_takes_good_studies_and_refuses_others() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(json.dumps(json_schema()))
    validator = jsonschema.Draft202012Validator(schema)
    good = document.read("", GOOD + "noise: {evaluation: {nk: {value: 1}}}\ngradient_cost: 3\n").data
    assert validator.is_valid(good)
    assert validator.is_valid(load_study(good).resolved)
    assert validator.is_valid(good | {"optimizers": {"own": {"kind": "a.b:C", "whatever": 3}}})
    for wrong in (
        {"kind": "sgd", "momentun": 1},
        {"kind": "sgd", "momentum": 1},
        {"kind": "ga", "population": 0},
        {"kind": "sgdd"},
    ):
        assert not validator.is_valid(good | {"optimizers": {"x": wrong}}), wrong
    assert not validator.is_valid({key: value for key, value in good.items() if key != "budget"})
    described = schema["$defs"]["optimizers_sgd"]["properties"]["momentum"]
    assert described["description"].startswith("beta, 0 <= beta < 1")
    assert described["anyOf"][0]["minimum"] == 0


def test_figure_names_are_those_that_can_be_drawn() -> None:
    from studies.figures import FIGURES as DRAWN

    assert set(FIGURES) == set(DRAWN)


@each(
    ("inner", "line"),
    [
        (
            {"kind": "quadratic", "dimm": 5},
            "landscapes.moved.inner.dimm: unknown key for quadratic; did you mean 'dim'?",
        ),
        (
            {"kind": "quadratik"},
            "landscapes.moved.inner.kind: unknown kind 'quadratik'; did you mean 'quadratic'?",
        ),
        ({"kind": "quadratic", "dim": 0}, "landscapes.moved.inner.dim: expected >= 1, got 0"),
        (
            {"kind": "quadratic", "dim": 5, "terms": 3},
            "landscapes.moved.inner.terms: expected 1 (no noise) or more than dim = 5, got 3",
        ),
        ({"dim": 5}, "landscapes.moved.inner.kind: missing; name a kind, see python -m studies.list"),
        (
            {"kind": "tests.studies.cells.test_loop:Bowl", "dimm": 5},
            "landscapes.moved.inner: expected dimm: extra inputs are not permitted",
        ),
        (
            {"kind": "nowhere:X"},
            (
                "landscapes.moved.inner: expected a landscape; cannot import 'nowhere:X': No module named"
                " 'nowhere'"
            ),
        ),
    ],
)
def test_a_mistake_in_a_landscape_inside_another_is_one_line(inner: dict[str, Any], line: str) -> None:
    study = {
        "name": "m",
        "budget": 9,
        "landscapes": {"moved": {"kind": "moving", "inner": inner}},
        "optimizers": {"sgd": {"kind": "sgd"}},
    }
    with pytest.raises(StudyError) as error:
        load_study(study)
    assert error.value.lines == [f"study: {line}"]


@pytest.mark.parametrize(
    "inner", [{"kind": "quadratic", "dim": 3}, {"kind": "tests.studies.cells.test_loop:Bowl", "dim": 3}]
)
def test_a_landscape_inside_another_can_be_swept(inner: dict[str, Any]) -> None:
    study = {
        "name": "m",
        "budget": 9,
        "landscapes": {"moved": {"kind": "moving", "inner": inner}},
        "optimizers": {"sgd": {"kind": "sgd"}},
    }
    arms = load_study(study | {"sweep": {"landscapes.moved.inner.dim": [2, 7]}}).arms
    assert [build(arm.landscape, "landscape").dim for arm in arms] == [2, 7]


def test_only_methods_that_can_play_meet_a_game() -> None:
    study = {
        "name": "m",
        "budget": 9,
        "landscapes": {"gan": {"kind": "dirac_gan"}},
        "optimizers": {"sgd": {"kind": "sgd"}},
    }
    assert len(load_study(study).arms) == 1
    with pytest.raises(
        StudyError,
        match=(
            "landscape 'gan' is a game, where each player has a loss of its own, and ga follows one loss; one"
            " that fits: sgd"
        ),
    ):
        load_study(study | {"optimizers": {"ga": {"kind": "ga"}}})


# targets ----------------------------------------------------------------------------------------------------

WALKS = {"name": "walks", "budget": 100, "optimizers": {"walk": {"kind": "rls"}}}
KNOWN, UNKNOWN = (
    {"kind": "nk", "n": 24, "k": 1},
    {"kind": "nk", "n": 24, "k": 15},
)  # whose optimum is found, and is not


@each(
    ("landscape", "targets", "values", "floor"),
    [
        (KNOWN, [0.1, 0.01], [0.1, 0.01], None),
        (KNOWN, {"values": [0.1]}, [0.1], None),
        (KNOWN, {"values": [0.5, 0.1], "relative": "start"}, [0.5, 0.1], 0.0),
        (UNKNOWN, {"values": [0.5], "relative": "start", "best": 0.25}, [0.5], 0.25),
        (UNKNOWN, {"values": [0.5, 0.125], "best": 0.25}, [0.75, 0.375], None),
        (
            KNOWN,
            {"values": [0.5], "relative": "start", "best": 0.25},
            [0.5],
            0.0,
        ),  # there the optimum is 0, and nothing else is best
    ],
)
@each("labelled", [False, True])
def test_targets_are_losses_or_relative(landscape, targets, values, floor, labelled):
    study = load_study(
        WALKS | {"landscapes": {"nk": landscape}, "targets": {"nk": targets} if labelled else targets}
    )
    assert (study.arms[0].scalars["targets"], study.arms[0].scalars["target_floor"]) == (values, floor)
    assert load_study(study.resolved).arms == study.arms


def test_targets_of_each_landscape_and_swept_value():
    given = {"default": {"values": [0.5], "relative": "start", "best": 0.2}, "bowl": [0.1]}
    small = {"landscapes.nk.k": 1, "targets.nk": [0.1]}
    large = {"landscapes.nk.k": 15, "targets.nk": {"values": [0.25], "best": 0.25}}
    size = {"choices": {"small": small, "large": large}}
    landscapes = {"nk": KNOWN, "bowl": {"kind": "onemax", "n": 5}}
    study = load_study(
        WALKS | {"landscapes": landscapes, "targets": given | {"nk": [9.0]}, "sweep": {"size": size}}
    )
    found = [
        (arm.coords["landscape"], arm.landscape.get("k"), arm.scalars["targets"]) for arm in study.arms
    ]
    assert found == [("nk", 1, [0.1]), ("bowl", None, [0.1]), ("nk", 15, [0.5]), ("bowl", None, [0.1])]


def test_a_fraction_of_a_gap_that_nobody_knows_is_a_mistake():
    relative = {"values": [0.5], "relative": "start"}
    told = (
        "the optimum of landscape 'nk' is not known{}, so that its loss is no gap; give `best`, the best"
        " known loss"
    )
    assert lines_or_none(WALKS | {"landscapes": {"nk": UNKNOWN}, "targets": relative}) == [
        f"study: targets.relative: {told.format('')}"
    ]
    swept = WALKS | {
        "landscapes": {"nk": KNOWN},
        "targets": {"nk": relative},
        "sweep": {"landscapes.nk.k": [1, 15]},
    }
    assert lines_or_none(swept) == [f"study: targets.nk.relative: {told.format(' at k = 15')}"]


@each(
    ("targets", "line"),
    [
        (
            {"values": [0.5], "relative": "best"},
            "study: targets.relative: expected 'start', got 'best'",
        ),
        (
            {"values": [0.5, 1], "relative": "start"},
            "study: targets.values[1]: expected a fraction below 1, since every start has reached 1 of its own"
            " gap",
        ),
        (
            {"nk": {"values": ["2 * k"], "relative": "start"}},
            "study: targets.nk.values[0]: expected a fraction below 1, since every start has reached 2 of its own"
            " gap",
        ),
        (
            {"relative": "start"},
            (
                "study: targets.values: missing; expected losses above `best`, or with `relative: start`"
                " fractions of the gap there"
            ),
        ),
        (
            {"nk": {"values": [0.5], "relativ": "start"}},
            "study: targets.nk.relativ: unknown key for nk; did you mean 'relative'?",
        ),
        ({"nk": ["low"]}, "study: targets.nk[0]: expected a number, got 'low'"),
        (
            {"nk": [0.1], "bowl": {"values": [0.1, 0.2]}},
            "study: targets: expected lists of equal lengths, got nk: 1, bowl: 2",
        ),
    ],
)
def test_mistakes_in_targets(targets, line):
    landscapes = {"nk": KNOWN} | ({"bowl": {"kind": "onemax"}} if "bowl" in targets else {})
    assert line in lines_or_none(WALKS | {"landscapes": landscapes, "targets": targets})


def test_a_loss_that_means_two_things_is_said():
    notes = load_study(
        WALKS | {"landscapes": {"nk": KNOWN}, "targets": [0.1], "sweep": {"landscapes.nk.k": [1, 15]}}
    ).notes
    at = (
        "nk: loss is the gap to the optimum at k = 1, and the landscape's own value at k = 15, where the"
        " optimum is not known"
    )
    assert notes == [
        f"{at}: compare within each; targets may differ, an axis of `choices` may set `targets.nk`"
    ]


HUGE = [
    ("budget", 10**400, "budget: expected a whole number of at most 9.22337e+18, got one of 401 digits"),
    ("budget", {"steps": -(10**19)}, "budget.steps: expected a whole number of at most 9.22337e+18, got one of 20 digits"),
    ("replicates", 10**12, "replicates: expected <= 1e+08, got 1000000000000"),
    ("checkpoints", 10**12, "checkpoints: expected a number per decade, 20 to 100000"),
    ("ledger", {"moments": 10**12}, "ledger.moments: expected a number of moments, 1 to 100000"),
    ("pictures", {"frames": 10**12}, "pictures.frames: expected <= 100000, got 1000000000000"),
    ("tuning", {"trials": 10**12, "ranges": {"sgd": {"learning_rate": [0.1, 1]}}}, "tuning.trials: expected <= 100000, got 1000000000000"),
    ("sweep", {"a": {"from": 1, "to": 2, "count": 10**12, "sets": "seed"}}, "sweep.a.count: expected a whole number, 2 to 10000"),
]  # fmt: skip


@each(("key", "value", "line"), HUGE, ids=lambda value: str(value)[:20])
def test_what_no_memory_holds_is_one_line_at_once(key: str, value: Any, line: str) -> None:
    lines = lines_or_none(document.read("", GOOD).data | {key: value})
    assert lines is not None
    assert [text[: len("study: " + line)] for text in lines] == [f"study: {line}"]


@pytest.mark.parametrize(
    ("entry", "had"),
    [
        ({}, "none"),
        ({"convergence": None}, "none"),
        ({"ecdf": {}, "convergence": {}}, "convergence and ecdf"),
    ],
)
def test_an_entry_of_figures_is_one_figure(entry: dict[str, Any], had: str) -> None:
    lines = lines_or_none(document.read("", GOOD).data | {"targets": [1], "figures": [entry]})
    wanted = "expected one figure, and what it is to show, as {curve: {..}}, got " + had
    assert lines == [f"study: figures[0]: {wanted}"]


def test_runtime_distributions_need_targets_unless_groups_have_their_own(tmp_path: Path) -> None:
    alone = GOOD.replace("budget: 1000", "budget: 10\nfigures: [{ecdf: {group: all}}]", 1)
    assert "targets:" not in alone
    (tmp_path / "alone.yaml").write_text(alone)
    assert load_study(tmp_path / "alone.yaml").figures == [{"ecdf": {"group": "all"}}]
    for entry in ("ecdf", "{ecdf: {group: null}}"):
        named = alone.replace("{ecdf: {group: all}}", entry)
        assert lines_of(tmp_path, named) == [
            "study.yaml:3:11: figures[0]: ecdf shows the `targets` of a study, and this one has none"
        ]
