"""Cells that are computed together: which ones, and that each has the bits that it has alone."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from landscapes.base import Bits
from landscapes.continuous.rosenbrock import Rosenbrock
from landscapes.parameters import numbers
from landscapes.streams import Streams
from optimizers import OPTIMIZERS
from studies.cells import fused
from studies.cells.loop import bind, run_cell, singly
from studies.cells.task import Cell
from studies.kinds.registry import build
from studies.results import cell_files, store
from studies.run import orders, work
from tests.contract.optimizers.test_contract import other_numbers
from tests.contract.test_runs import noise, small
from tests.studies.cells.test_loop import BOWL, same, task
from tests.support.each import each

OURS = [kind for kind, cls in OPTIMIZERS.items() if not cls.libraries]
BUDGET = 24.0
QUADRATIC = {"kind": "quadratic", "dim": 3, "condition": 4.0}


def complete(kind):
    """A landscape, and an optimizer with all its parameters, as a study has it."""
    landscape, spec = small(kind)
    made = build(spec, "optimizer").budgeted(300)
    values = {
        key: dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value
        for key, value in made.parameters().items()
    }
    return landscape, {"kind": kind, **values}


def descents(*rates, **more):
    """A task of SGD for each learning rate."""
    _, spec = complete("sgd")
    return [task(QUADRATIC, {**spec, "learning_rate": rate}, **more) for rate in rates]


def check(cells):
    parts = fused.run_together(cells)
    for cell, part in zip(cells, parts, strict=True):
        alone = run_cell(cell)
        same(part, alone)
        assert attributes(part) == attributes(alone)
    return parts


def attributes(data):
    return {name: value for name, value in data.attrs.items() if name != "profile"}


# the bits ---------------------------------------------------------------------------------------------------


@each("kind", ["sgd", "adam", "openai_es", "cma_es", "ga", "wright_fisher", "metropolis", "de"])
def test_optimizers_have_the_bits_that_they_have_alone(kind):
    check_numbers(kind)


@pytest.mark.verify
@each("kind", OURS)
def test_every_optimizer_has_the_bits_that_it_has_alone(kind):
    check_numbers(kind)


def check_numbers(kind):
    """Two settings of all its numbers, in other worlds each, with targets."""
    landscape, spec = complete(kind)
    others = other_numbers(build(spec, "optimizer"))
    first, second = (
        task(landscape, spec | more, budget=BUDGET, checkpoints=[6.0, BUDGET], targets=[0.5])
        for more in ({}, others)
    )
    assert fused.likeness(first) == fused.likeness(second) is not None
    check([Cell(first, 0, 2), Cell(second, 1, 4)])


@each(
    ("kind", "dtype"), [("sgd", "float32"), ("ga", "float64"), ("cma_es", "float32"), ("de", "float64")]
)
def test_noise_may_differ(kind, dtype):
    landscape, spec = complete(kind)
    tasks = [
        task(landscape, spec, noise=noise(value=level, gradient=2 * level), dtype=dtype, targets=[0.1])
        for level in (0.1, 0.3)
    ]
    assert len({fused.likeness(each) for each in tasks}) == 1
    first, second = check([Cell(each, 0, 3) for each in tasks])
    observed = [part["population_loss"].isel(checkpoint=-1) for part in (first, second)]
    assert (observed[0] != observed[1]).all()


MOVED = {"kind": "moving", "inner": QUADRATIC, "clock": "cost", "speed": 0.05}


@each("clock", ["cost", "steps"])
def test_the_price_of_a_gradient_may_differ(clock):
    """Of worlds that end at steps of their own, and of an optimum that moves with what they spent."""
    more = {"checkpoints": [7.0, 31.0, 60.0], "targets": [3.0, 0.1], "budget": 60.0, "clock": clock}
    base = dataclasses.replace(*descents(0.05, **more), landscape=MOVED)
    prices = [(1.0, 1.0, 1.0), (2.5, 1.5, 9.0), (7.0, 7.0, 8.0)]  # nominal, lowest, highest
    tasks = [
        dataclasses.replace(base, gradient_cost=dict(zip(("value", "low", "high"), each, strict=True)))
        for each in prices
    ]
    assert len({fused.likeness(each) for each in tasks}) == 1
    parts = check([Cell(each, 0, size) for each, size in zip(tasks, (2, 3, 1), strict=True)])
    steps = [int(part["steps"].isel(checkpoint=-1, replicate=0)) for part in parts]
    assert steps == ([60, 24, 8] if clock == "cost" else [60, 60, 60])  # completed by a cost of 60
    assert len({float(part["loss"].isel(checkpoint=1, replicate=0)) for part in parts}) == len(parts)


SHIFTED = QUADRATIC | {"shifted": True}
TRAP = {"kind": "trap", "n": 6, "block": 3, "target": "random"}
ROUGH = {"kind": "mount_fuji", "n": 7}
LANDSCAPES = [  # landscape, optimizer, where its number is, values
    (
        QUADRATIC | {"shifted": True, "rotated": True, "terms": 7},
        "sgd",
        ["condition"],
        [4.0, 1.5, 90.0],
    ),
    (QUADRATIC | {"terms": 7}, "sgd", ["noise_scale"], [0.0, 0.5, 2.0]),
    (TRAP, "ga", ["slope"], [0.0, 0.25, 1.0]),
    (ROUGH, "metropolis", ["noise_scale"], [0.1, 2.0, 0.0]),
    (MOVED | {"inner": QUADRATIC | {"terms": 5}}, "sgd", ["inner", "condition"], [1.0, 2.0, 9.0]),
    (MOVED | {"path": "jump", "period": 3.0}, "openai_es", ["radius"], [0.1, 0.5, 2.0]),
]
MORE_LANDSCAPES = [  # their losses are compared each day in tests/contract/test_together.py
    ({"kind": "cosine_rugged", "dim": 3}, "cma_es", ["ruggedness"], [0.0, 5.0, 90.0]),
    ({"kind": "saddle", "dim": 3, "starts": "box"}, "adam", ["unstable_curvature"], [0.1, 1.0, 0.3]),
    ({"kind": "fisher", "dim": 3}, "openai_es", ["width"], [0.5, 1.0, 3.0]),
    ({"kind": "bilinear", "dim": 4}, "sgd", ["regularisation"], [0.0, 0.1, 0.5]),
    ({"kind": "quantitative_trait", "n": 7}, "wright_fisher", ["width"], [1.0, 2.0, 9.0]),
]


def with_number(tree, place, value):
    key, *rest = place
    return {**tree, key: with_number(tree[key], rest, value) if rest else value}


@each(("landscape", "kind", "place", "values"), LANDSCAPES)
def test_numbers_of_a_landscape_may_differ(landscape, kind, place, values):
    """What is recorded of each world is that of its own landscape."""
    check_landscape(landscape, kind, place, values)


@pytest.mark.verify
@each(("landscape", "kind", "place", "values"), MORE_LANDSCAPES)
def test_numbers_of_more_landscapes_may_differ(landscape, kind, place, values):
    check_landscape(landscape, kind, place, values)


def check_landscape(landscape, kind, place, values):
    _, spec = complete(kind)
    more = {"budget": 60.0, "checkpoints": [20.0, 60.0], "targets": [2.0, 0.5], "dtype": "float32"}
    more["noise"] = noise() | {"batch": 2 if "terms" in landscape else None}
    tasks = [task(with_number(landscape, place, value), spec, **more) for value in values]
    assert len({fused.likeness(each) for each in tasks}) == 1
    parts = check([Cell(each, 0, size) for each, size in zip(tasks, (2, 3, 1), strict=True)])
    losses = [float(part["loss"].isel(checkpoint=0, replicate=0)) for part in parts]
    assert len({*losses}) == len(parts)


def test_landscapes_and_optimizers_may_differ_at_once():
    """With few instances; neighbours may have the same landscape."""
    settings = [(1.5, 0.1, 1), (90.0, 0.1, 2), (90.0, 0.02, 3), (1.5, 0.02, 1)]
    tasks = [
        dataclasses.replace(*descents(rate, instances=2), landscape=SHIFTED | {"condition": condition})
        for condition, rate, _ in settings
    ]
    check([Cell(each, 0, size) for each, (_, _, size) in zip(tasks, settings, strict=True)])


def test_a_world_that_is_evaluated_alone_has_its_own_landscape():
    [base] = descents(0.1, instances=1)
    condition = torch.tensor([1.5, 1.5, 9.0])
    made = dataclasses.replace(base, landscape=SHIFTED | {"condition": condition})
    single = singly(made, Streams(seed=base.seed, worlds=torch.tensor([4, 7, 9])))
    assert single(0) is single(1)
    x = torch.ones(1, 1, 3, dtype=torch.float64)
    for row, number in enumerate(condition.tolist()):
        alone = dataclasses.replace(base, landscape=SHIFTED | {"condition": number})
        bound = bind(alone, Streams(seed=base.seed, worlds=torch.tensor([row])))
        assert torch.equal(single(row).loss(x), bound.loss(x))
    assert single(0).loss(x) != single(2).loss(x)


def test_mini_batches_instances_and_what_is_recorded():
    """Rows of a batch have their worlds' tables, terms and quantities."""
    expressions = {
        "rate": {"expression": "learning_rate", "long_name": "rate", "units": "1", "vector": False},
        "steep": {
            "expression": "mean(abs(gradient))",
            "long_name": "slope",
            "units": "1",
            "vector": False,
        },
    }
    more = {"expressions": expressions, "instances": 2, "checkpoints": [3.0, 15.0, 30.0]}
    more["noise"] = noise() | {"batch": 3, "sampling": "epoch"}
    landscape = QUADRATIC | {"terms": 7, "noise_scale": 1.0, "shifted": True}
    tasks = [dataclasses.replace(each, landscape=landscape) for each in descents(0.1, 0.2, 0.3, **more)]
    parts = check([Cell(each, 0, 5) for each in tasks])
    assert [float(part["rate"].isel(replicate=4, checkpoint=-1)) for part in parts] == [0.1, 0.2, 0.3]


def test_one_that_diverges_harms_no_other():
    good, bad, other = check([Cell(each, 0, 4) for each in descents(0.1, 1e200, 0.2)])
    assert (bad["status"] != good["status"]).any()
    assert np.isfinite(good["loss"]).all()
    assert np.isfinite(other["loss"]).all()


def test_seconds_are_shared():
    """By the worlds: those of a cell of one world are a third of those of two."""
    small_cell, large = (
        Cell(each, 0, size) for each, size in zip(descents(0.1, 0.2), (1, 3), strict=True)
    )
    one, three = fused.run_together([small_cell, large])
    last = {"checkpoint": -1, "replicate": 0}
    assert float(three["seconds"].isel(last)) == 3 * float(one["seconds"].isel(last)) > 0
    spent = [json.loads(part.attrs["profile"])["oracle"] for part in (one, three)]
    assert spent[1] == pytest.approx(3 * spent[0])


# which ones -------------------------------------------------------------------------------------------------


def test_alike_are_those_that_differ_in_numbers_alone():
    base, rate = descents(0.1, 0.2)
    bent = dataclasses.replace(base, landscape=QUADRATIC | {"condition": 5.0})
    assert fused.likeness(base) == fused.likeness(rate) == fused.likeness(bent)
    others = [
        dataclasses.replace(base, budget=40.0),
        dataclasses.replace(base, seed=12),
        dataclasses.replace(base, noise=noise(value=0.1)),
        dataclasses.replace(base, landscape=QUADRATIC | {"dim": 4}),
        dataclasses.replace(base, landscape=QUADRATIC | {"box": 2.0}),
        *(
            dataclasses.replace(base, optimizer={**base.optimizer, **more})
            for more in ({"clip": 1.0}, {"starts": 2})
        ),
    ]
    assert len({fused.likeness(each) for each in [base, *others]}) == 1 + len(others)


def test_alone_are_those_that_need_more_than_rows():
    [base] = descents(0.1)
    alone = [
        {"clock": "seconds"},
        {"checkpoint_clock": "seconds"},
        {"block": 1},
        {"timing": {"worlds": 1, "rounds": 1}},
        {"pictures": {"times": [1.0]}},
        {"ledger": {"moments": [1.0]}},
        {"landscape": BOWL},
        {"expressions": {"mine": {"expression": "my_module:f(loss)"}}},
        {"optimizer": {"kind": "pycma"}},
    ]
    assert fused.likeness(base) is not None
    assert not [each for each in alone if fused.likeness(dataclasses.replace(base, **each)) is not None]


@each(
    ("arms", "block", "slots", "sizes"),
    [
        (16, 512, 1, [16]),
        (16, 512, 2, [8, 8]),
        (16, 128, 2, [4, 4, 4, 4]),
        (16, 32, 2, [1] * 16),
        (5, 512, 3, [2, 2, 1]),
        (4, 512, 100, [1] * 4),
        (130, 4096, 1, [44, 43, 43]),
    ],
)
def test_groups_are_as_large_as_full_cells_and_as_many_as_slots(arms, block, slots, sizes):
    worlds = 32 if arms < fused.MOST else 1
    rates = (0.001 * (k + 1) for k in range(arms))
    cells = [Cell(each, 0, worlds) for each in descents(*rates, block=block)]
    groups = fused.groups(cells, slots)
    assert [len(group) for group in groups] == sizes
    assert {cell.address for group in groups for cell in group} == {cell.address for cell in cells}


def test_what_is_not_alike_is_apart():
    [one, two], [own] = descents(0.1, 0.2, block=512), descents(0.1)
    own = dataclasses.replace(own, landscape=BOWL)
    cells = [Cell(own, 0, 2), Cell(one, 0, 2), Cell(own, 2, 4), Cell(two, 0, 2)]
    assert fused.groups(cells, 1) == [[cells[0]], [cells[1], cells[3]], [cells[2]]]


# on a worker ------------------------------------------------------------------------------------------------


def sent(cells, out):
    """What a worker does with a group that was sent to it."""
    texts = ",".join(map(orders.order, cells))
    return orders.compute_together(f"[{texts}]", " ".join(cell.address for cell in cells), str(out))


def test_a_worker_stores_each_cell_at_its_own_address(tmp_path):
    """Those that are missing are computed together."""
    cells = [Cell(each, 0, 3) for each in descents(0.1, 0.2, 0.3)]
    [record] = [work.compute(cells[1], cells[1].address, str(tmp_path))]
    assert record.status == "done"
    assert [each.status for each in sent(cells, tmp_path)] == ["done", "found", "done"]
    counts = []
    for cell in cells:
        stored = cell_files.read(store.cell_path(tmp_path, cell.address))
        same(stored, run_cell(cell))
        assert json.loads(stored.attrs["task"])["optimizer"] == cell.task.optimizer
        counts.append(json.loads(stored.attrs["origin"])["together"])
    assert counts == [2, 1, 2]
    assert not [*(tmp_path / "crash").iterdir()]


def test_a_landscape_that_computes_with_a_number_instead_of_its_table_is_computed_alone(
    tmp_path, monkeypatch
):
    links = Rosenbrock._links

    def forgetful(self, here, after):
        return 0 * self.steepness * here + links(self, here, after)

    _, spec = complete("sgd")
    tasks = [task({"kind": "rosenbrock", "dim": 3, "steepness": each}, spec) for each in (1.0, 9.0)]
    cells = [Cell(each, 0, 2) for each in tasks]
    for together in (2, 1):
        out = tmp_path / str(together)
        assert [record.status for record in sent(cells, out)] == ["done", "done"]
        for cell in cells:
            stored = cell_files.read(store.cell_path(out, cell.address))
            same(stored, run_cell(cell))
            assert json.loads(stored.attrs["origin"])["together"] == together
        monkeypatch.setattr(Rosenbrock, "_links", forgetful)


def test_where_a_group_fails_each_cell_is_computed_alone_and_says_why(tmp_path, monkeypatch):
    cells = [Cell(each, 0, 3) for each in descents(0.1, 0.2)]
    wrong = dataclasses.replace(cells[1].task, landscape=QUADRATIC | {"dim": "three"})
    cells[1] = Cell(wrong, 0, 3)
    addresses = [cells[0].address, "0" * 32]
    records = work.compute_together(cells, addresses, str(tmp_path))
    assert [record.status for record in records] == ["done", "failed"]
    assert store.cell_path(tmp_path, cells[0].address).exists()
    assert store.error_path(tmp_path, "0" * 32).exists()


def test_bits_and_letters_are_no_numbers():
    """What a landscape is on is no number of an optimizer: kinds on bits differ in rates alone."""
    landscape, spec = complete("ga")
    assert isinstance(build(landscape, "landscape").domain, Bits)
    assert set(numbers(OPTIMIZERS["ga"], spec | {"mutation_rate": 0.1, "elite": 2})) == {
        "truncation",
        "selection_strength",
        "recombination_rate",
        "mutation_rate",
        "mutation_sigma",
    }
