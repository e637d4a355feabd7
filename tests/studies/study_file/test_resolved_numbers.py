"""For random studies: the numbers that are stored are those of the objects that run, and of Python's own eval."""

import json
import math
import random
from functools import cache
from types import SimpleNamespace

import pytest
import torch

from landscapes.parameters import Parameters
from studies.cells.loop import Setting
from studies.results.settings import ATTRIBUTE
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan, manifest

STUDIES = 200
PARTS = [0, *(pytest.param(part, marks=pytest.mark.verify) for part in range(1, 8))]
NAMES = {
    "sqrt": math.sqrt,
    "floor": math.floor,
    "ceil": math.ceil,
    "min": min,
    "max": max,
    "log": math.log,
}

# formulas whose values are in range wherever they stand; the names that each may use are there in every study
OF_LANDSCAPE = ("1 + h", "1 + h * b", "1 + b / (1 + N)", "3 / (1 + h)")
RATES = (
    "h / dim",
    "0.1 / (1 + b)",
    "1 / (1 + landscape.dim)",
    "h / sqrt(terms)",
    "min(h, 1 / (1 + N))",
)
COUNTS = ("2 + floor(dim / 2)", "2 * N", "max(4, ceil(sqrt(terms)))", "2 + N")
LANDSCAPES = {
    "quadratic": {"condition": OF_LANDSCAPE, "curvature": OF_LANDSCAPE, "noise_scale": OF_LANDSCAPE},
    "rosenbrock": {},
    "saddle": {},
    "double_well": {},
}
OPTIMIZERS = {
    "sgd": {"learning_rate": RATES, "momentum": RATES, "weight_decay": RATES},
    "adam": {"learning_rate": RATES, "beta1": RATES},
    "openai_es": {"sigma": RATES, "learning_rate": RATES, "population": ("2 * N", "4 * ceil(dim / 2)")},
    "ga": {"population": COUNTS, "mutation_sigma": RATES},
    "random_search": {"population": COUNTS},
}


def chosen(rng, forms):
    """Some of the parameters, each a formula or a number."""
    given = {}
    for name, texts in forms.items():
        if rng.random() < 0.7:
            given[name] = rng.choice(texts)
    return given


def entry(rng, kind, landscapes):
    spec = {"kind": kind} | chosen(rng, OPTIMIZERS[kind])
    if kind == "sgd" and rng.random() < 0.5:
        spec["schedule"] = {"kind": "step", "steps": "40 + 60 * dim", "factor": rng.choice(RATES)}
    if rng.random() < 0.4:
        name, texts = rng.choice([*OPTIMIZERS[kind].items()])
        spec["on"] = {rng.choice([*landscapes]): {name: rng.choice(texts)}}
    elif kind == "adam":
        spec.pop("learning_rate", None)
        spec["grid"] = {"learning_rate": ["h / dim", "h / (2 * dim)"]}
    return spec


def random_study(number):
    rng = random.Random(number)
    dims = rng.sample(range(2, 9), 2)
    landscapes = {
        "bowl": {"kind": "quadratic", "dim": dims[0], "terms": 16}
        | chosen(rng, LANDSCAPES["quadratic"])
    }
    other = rng.choice([kind for kind in LANDSCAPES if kind != "quadratic"])
    if rng.random() < 0.5:
        landscapes["other"] = {"kind": other} | ({"dim": dims[1]} if other != "double_well" else {})
    optimizers = {
        f"method {i}": entry(rng, kind, landscapes)
        for i, kind in enumerate(rng.sample([*OPTIMIZERS], rng.randint(1, 2)))
    }
    return {
        "name": "random",
        "replicates": 1,
        "budget": rng.choice(["200 * dim", {"bowl": "100 * (dim + terms)", "default": "400 * h"}, 500]),
        "gradient_cost": rng.choice(["1 + h", "b", {"value": "2 * b", "range": ["b", "4 * b"]}]),
        "targets": rng.choice([["h", "h / 2"], {"bowl": ["1 / dim", 0.01], "default": ["h", "h / 4"]}]),
        "let": {"h": 0.25, "b": rng.choice([1, "1 + h", "h * 8"])},
        "landscapes": landscapes,
        "optimizers": optimizers,
        "noise": {
            "batch": {"bowl": rng.choice(["terms / 4", "h", 2, "2 * N"]), "default": None},
            "evaluation": rng.choice(["h", {"value": "h / N", "gradient": "value / 2"}, 0.5]),
        },
        "oracle": {"micro_batches": {"bowl": rng.choice(["ceil(batch / 2)", 1]), "default": 1}, "chunks": "N"},
        "sweep": {"N": rng.choice([{"values": ["8 * h"]}, {"from": 2, "to": "16 * h", "count": 2}])},
        "factors": rng.choice([[], [], [], ["evaluation"]]),
    }  # fmt: skip


@cache
def settled(number):
    """Arms as they are stored, each with the objects of its task, bound to one world."""
    plan = make_plan(load_study(random_study(number)))
    stored = json.loads(manifest(plan, [])["attrs"][ATTRIBUTE])
    objects = [Setting.of(task, torch.arange(1)) for task in plan.tasks]
    return [(arm, stored["tasks"][arm["task"]], objects[arm["task"]]) for arm in stored["arms"]]


def compare(stored, made, place):
    """Every parameter of an object beside what is stored of it; how many numbers were compared."""
    count = 0
    for name, value in made.parameters().items():
        if isinstance(value, Parameters):
            count += compare(stored[name], value, f"{place}.{name}")
        elif value is not None and not isinstance(value, torch.Tensor):
            assert stored[name] == (list(value) if isinstance(value, tuple) else value), (
                f"{place}.{name}"
            )
            count += isinstance(value, int | float)
    return count


def by_hand(text, names):
    """The value of a formula by Python itself."""
    return eval(text, {"__builtins__": {}, **NAMES}, names) if isinstance(text, str) else text  # noqa: S307


def names_of(study, arm, landscape):
    """What a formula of an optimizer may use in an arm."""
    let = study["let"]
    names = {name: landscape[name] for name in ("dim", "terms")}
    names |= {
        "h": let["h"],
        "landscape": SimpleNamespace(dim=landscape["dim"]),
        "N": arm["coords"]["N"],
    }
    return names | {"b": by_hand(let["b"], let)}


@pytest.mark.parametrize("part", PARTS)
def test_the_numbers_stored_are_those_of_the_objects_that_run(part):
    for number in range(part, STUDIES, 8):
        for arm, stored, ran in settled(number):
            place = f"study {number}, {arm['coords']}"
            assert compare(stored["landscape"], ran.landscape, place) > 0
            assert compare(stored["optimizer"], ran.optimizer, place) > 0
            noise, oracle, bill = ran.oracle.noise, ran.oracle, ran.oracle.bill
            assert stored["noise"]["batch"] == noise.batch, place
            heard = 0.0 if "evaluation" in noise.off else 1.0
            spread = {"value": heard * noise.value, "gradient": heard * noise.gradient}
            assert stored["noise"]["evaluation"] == spread, place
            assert stored["oracle"] == {
                "micro_batches": oracle.micro_batches,
                "chunks": oracle.chunks,
            }, place
            price = stored["study"]["gradient_cost"]
            assert (price["value"], price["low"]) == (bill.price, bill.lowest_price), place
            assert stored["study"]["budget"] == bill.budget, place


@pytest.mark.parametrize("part", PARTS)
def test_they_are_the_values_of_the_formulas_as_python_has_them(part):
    count = 0
    for number in range(part, STUDIES, 8):
        study = random_study(number)
        for arm, stored, _ in settled(number):
            spec = study["optimizers"][arm["label"]]
            written = spec | spec.get("on", {}).get(arm["coords"]["landscape"], {})
            names = names_of(study, arm, stored["landscape"])
            for name in OPTIMIZERS[spec["kind"]].keys() & written.keys():
                assert stored["optimizer"][name] == by_hand(written[name], names), (number, arm, name)
                count += 1
    assert count > 50


def test_a_wrong_number_would_be_seen():
    """The negative control: one number of what is stored is changed by its last digit."""
    arm, stored, ran = settled(0)[0]
    name = next(name for name, value in stored["landscape"].items() if isinstance(value, float))
    wrong = stored["landscape"] | {name: math.nextafter(stored["landscape"][name], math.inf)}
    with pytest.raises(AssertionError):
        compare(wrong, ran.landscape, "")
