"""The plan: which arms share a task, which cells cover the worlds, and what changes a cell's address."""

import contextlib
import dataclasses
import itertools
import shutil
import sys

import pytest

from optimizers import GA, OPTIMIZERS
from studies.cells import digest
from studies.cells.digest import LOOP, code_digest
from studies.cells.hits import GRADIENT, STEP
from studies.cells.loop import run_cell
from studies.cells.task import BLOCK, LARGEST, Cell, blocks
from studies.study_file.cell_size import HELD
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from studies.study_file.study import StudyError
from studies.text.user_code import PACKAGES, ROOT
from tests.support.each import each

STUDY = {
    "name": "small",
    "budget": 2000,
    "landscapes": {"nk": {"kind": "nk", "n": 16, "k": 4}, "bowl": {"kind": "quadratic", "dim": 5}},
    "optimizers": {"sgd": {"kind": "sgd", "learning_rate": 0.1}, "ga": {"kind": "ga"}},
}


def planned(**changes):
    return make_plan(load_study(STUDY | changes))


def addresses(plan):
    return [cell.address for cell in plan.cells(())]


def spans(replicates, existing=(), block=BLOCK):
    task = dataclasses.replace(planned().tasks[0], block=block)
    have = {Cell(task, first, last).address for first, last in existing}
    return [(cell.first, cell.last) for cell in blocks(task, replicates, have)]


@each(
    ("replicates", "existing", "expected"),
    [
        (1, [], [(0, 1)]),
        (32, [], [(0, 32)]),
        (40, [], [(0, 32), (32, 40)]),
        (64, [(0, 32), (32, 40)], [(0, 32), (32, 40), (40, 64)]),
        (96, [(0, 32), (32, 40), (40, 64)], [(0, 32), (32, 40), (40, 64), (64, 96)]),
        (40, [(0, 32), (32, 64)], [(0, 32), (32, 64)]),
        (5, [(0, 32)], [(0, 32)]),
        (50, [(0, 10), (0, 20), (32, 64)], [(0, 20), (20, 32), (32, 64)]),
        (64, [(16, 48)], [(0, 32), (32, 64)]),
    ],
)
def test_blocks_cover_the_worlds_and_use_what_exists(replicates, existing, expected):
    assert BLOCK == 32
    assert spans(replicates, existing) == expected


@each(
    ("replicates", "existing", "expected"),
    [
        (40, [], [(0, 32), (32, 40)]),
        (100, [], [(0, 64), (64, 96), (96, 100)]),
        (300, [], [(0, 128), (128, 256), (256, 288), (288, 300)]),
        (128, [(0, 64), (64, 96), (96, 100)], [(0, 64), (64, 96), (96, 100), (100, 128)]),
        (512, [(0, 64)], [(0, 64), (64, 128), (128, 256), (256, 384), (384, 512)]),
        (512, [(0, 1024)], [(0, 1024)]),  # of a time when cells were larger
    ],
)
def test_cells_are_as_large_as_the_arm_is_cheap(replicates, existing, expected):
    assert spans(replicates, existing, block=128) == expected


def test_a_growing_study_computes_no_world_twice():
    """Each size adds cells to those that are there, and no cell overlaps another."""
    cells = set()
    for replicates in (1, 7, 100, 101, 1000, 5000, 10000):
        now = spans(replicates, cells, block=LARGEST)
        assert cells <= {*now}
        assert [first for first, _ in now[1:]] == [last for _, last in now[:-1]]
        cells = {*now}
    assert len(spans(10000, block=LARGEST)) == 6  # 2 x 4096, 1024, 512, 256, 16


@each(
    ("changes", "block"),
    [
        (
            {"budget": 3},
            LARGEST,
        ),  # 4 steps of 5e3 + 600 + 5 * 100 + 15 reads: 204,000 worlds in a second
        ({"budget": 200}, 2048),  # 201 steps: 4068
        ({"budget": 2000}, 2048),  # 3924 take four times as long as the 1.2 ms of a step
        ({"budget": 20000}, 512),  # 981 take as long as they, 24 seconds, and no 10 seconds more
        ({"budget": 3, "ledger": {"moments": 1}}, BLOCK),
    ],
)
def test_a_cell_takes_a_second_or_as_long_as_makes_its_steps_cheap(changes, block):
    only = {"landscapes": {"bowl": STUDY["landscapes"]["bowl"]}}
    (task,) = planned(**only, optimizers={"SGD": {"kind": "sgd"}}, gradient_cost=1, **changes).tasks
    assert task.block == block


def test_a_cell_fits_into_memory():
    """A gradient of 300 terms of 100 coordinates counts as three values; the table holds all slopes."""
    bowl = {"bowl": {"kind": "quadratic", "dim": 100, "terms": 300}}
    (task,) = planned(budget=3, landscapes=bowl, optimizers={"SGD": {"kind": "sgd"}}).tasks
    assert task.block == 128
    assert 128 <= HELD / ((3 + 1) * 300 * 100) < 256


def test_an_address_does_not_depend_on_the_size_of_full_cells():
    task = planned().tasks[0]
    larger = dataclasses.replace(task, block=LARGEST)
    assert Cell(task, 0, 32).address == Cell(larger, 0, 32).address


def test_numbers_do_not_depend_on_the_size_of_cells():
    for task in planned(budget=40, checkpoints=[0.5, 1.0], targets=[0.1]).tasks:
        whole, *parts = (run_cell(Cell(task, *ends)) for ends in ((0, 64), (0, 32), (32, 37), (37, 64)))
        for name, part in itertools.product(whole.data_vars, parts):
            if whole[name].attrs.get("units") != "s":
                assert part[name].identical(whole[name].sel(replicate=part["replicate"])), name


def test_an_axis_becomes_a_dim_and_arms_that_it_does_not_touch_share_a_task():
    plan = planned(sweep={"optimizers.sgd.learning_rate": [0.1, 0.01], "landscapes.nk.k": [2, 4]})
    assert plan.axes == {
        "landscape": ["nk", "bowl"],
        "optimizer": ["sgd", "ga"],
        "learning_rate": [0.1, 0.01],
        "k": [2, 4],
    }
    assert len(plan.arms) == 2 * 2 * 2 * 2
    assert len(plan.tasks) == 4 + 2 + 2 + 1  # sgd on nk, ga on nk, sgd on bowl, ga on bowl
    arm = next(
        arm
        for arm in plan.arms
        if arm.coords == {"landscape": "nk", "optimizer": "sgd", "learning_rate": 0.01, "k": 2}
    )
    assert (arm.task.optimizer["learning_rate"], arm.task.landscape["k"], arm.task.relaxation) == (
        0.01,
        2,
        "extension",
    )
    assert len(plan.cells(())) == len(plan.tasks)


def test_names_of_dims():
    plan = planned(
        sweep={
            "optimizers.sgd.starts": [1, 2],
            "seed": [1, 2],
            "landscapes.bowl.dim": [2, 3],
            "noise.batch.nk": [2, None],
        }
    )
    assert list(plan.axes)[2:] == ["starts", "seed", "dim", "noise.batch.nk"]
    assert plan.axes["noise.batch.nk"] == ["2", "null"]
    schedules = [{"kind": "cosine", "steps": 9}, {}]
    twice = planned(
        sweep={
            "optimizers.sgd.momentum": [0, 0.5],
            "optimizers.sgd.schedule": schedules,
            "noise.shared": [True, False],
        }
    )
    assert twice.axes["momentum"] == [0.0, 0.5]
    assert twice.axes["schedule"] == ["kind=cosine steps=9", ""]
    assert twice.axes["shared"] == ["true", "false"]
    clash = planned(
        landscapes={"a": {"kind": "nk"}, "b": {"kind": "nk"}},
        sweep={"landscapes.a.k": [1, 2], "landscapes.b.k": [1, 2]},
    )
    assert list(clash.axes)[2:] == ["landscapes.a.k", "landscapes.b.k"]


def test_an_axis_changes_two_parameters_together():
    sets = {"landscapes.nk.n": "size", "optimizers.ga.population": "5 * size / 8"}
    plan = planned(sweep={"size": {"values": [16, 32], "sets": sets}})
    assert plan.axes["size"] == [16, 32]
    seen = {
        (arm.task.landscape["n"], arm.task.optimizer["population"])
        for arm in plan.arms
        if list(arm.coords.values())[:2] == ["nk", "ga"]
    }
    assert seen == {(16, 10), (32, 20)}


def test_a_grid_becomes_labelled_variants_and_on_keeps_one_arm():
    grid = {
        "sgd": {
            "kind": "sgd",
            "grid": {"learning_rate": [0.1, 1], "momentum": [0.0, 0.9]},
            "on": {"nk": {"starts": 3}},
        }
    }
    plan = planned(optimizers=grid)
    assert plan.axes["optimizer"] == [
        f"sgd learning_rate={a} momentum={b}" for a in ("0.1", "1") for b in ("0", "0.9")
    ]
    found = {
        (arm.coords["landscape"], arm.coords["optimizer"]): arm.task.optimizer for arm in plan.arms
    }
    assert found["nk", "sgd learning_rate=1 momentum=0.9"]["starts"] == 3
    assert found["bowl", "sgd learning_rate=1 momentum=0.9"] == {
        **found["nk", "sgd learning_rate=1 momentum=0.9"],
        "starts": 1,
    }


def test_one_and_one_point_zero_are_one_cell():
    whole = planned(
        budget=2000,
        optimizers={"sgd": {"kind": "sgd", "learning_rate": 1, "starts": 2}},
        gradient_cost=3,
    )
    point = planned(
        budget=2000.0,
        optimizers={"sgd": {"kind": "sgd", "learning_rate": 1.0, "starts": 2.0}},
        gradient_cost={"value": 3.0},
    )
    assert addresses(whole) == addresses(point)
    assert addresses(whole) != addresses(
        planned(optimizers={"sgd": {"kind": "sgd", "learning_rate": 1.5, "starts": 2}})
    )


def test_labels_figures_and_further_arms_do_not_change_a_cell():
    first = addresses(planned())
    assert (
        addresses(planned(name="other", question="why?", figures=["convergence"], replicates=32))
        == first
    )
    assert set(first) < set(
        addresses(
            planned(optimizers=STUDY["optimizers"] | {"more": {"kind": "sgd", "learning_rate": 0.2}})
        )
    )
    assert set(first).isdisjoint(addresses(planned(seed=2)))
    assert set(first).isdisjoint(addresses(planned(dtype="float32")))


def test_every_entry_of_a_task():
    noise = {
        "batch": {"nk": 0.3},
        "sampling": "batch",
        "evaluation": {"bowl": {"value": 0.1, "gradient": 0.2}},
    }
    changes = {
        "noise": noise,
        "gradient_cost": {"value": 3, "range": [1, 20]},
        "instances": 4,
        "device": "cpu",
        "checkpoints": [0.5, 1],
    }
    plan = planned(targets={"nk": [0.1], "bowl": [0.2]}, **changes)
    nk, bowl = plan.arms[0].task, plan.arms[2].task
    assert nk.noise == {
        "batch": 5,
        "sampling": "batch",
        "shared": True,
        "evaluation": {"value": 0.0, "gradient": 0.0},
    }
    assert bowl.noise == {
        "batch": None,
        "sampling": "replacement",
        "shared": True,
        "evaluation": {"value": 0.1, "gradient": 0.2},
    }
    assert (nk.targets, bowl.targets, nk.instances, nk.device) == ([0.1], [0.2], 4, "cpu")
    assert nk.gradient_cost == {"value": 3.0, "low": 1.0, "high": 20.0}
    assert nk.checkpoints == [
        3000.0,
        6000.0,
    ]  # a gradient at the lowest price leaves room up to three budgets at the nominal one


def test_portions_make_cells_of_their_own_and_one_of_each_is_the_default():
    first = addresses(planned())
    of_digits = {"landscapes": DIGITS, "optimizers": SGD}
    assert addresses(planned(oracle={"micro_batches": 1, "chunks": {"nk": 1}})) == first
    assert (
        addresses(planned(oracle={"micro_batches": {"bowl": 5}})) == first
    )  # nothing to split: its loss is not a finite sum
    assert set(first).isdisjoint(addresses(planned(oracle={"chunks": 2})))
    plan = planned(sweep={"oracle.micro_batches": [1, 2]})
    assert len({arm.task.canonical for arm in plan.arms if arm.coords["landscape"] == "nk"}) == 2 * len(
        STUDY["optimizers"]
    )
    assert {arm.task.oracle["micro_batches"] for arm in plan.arms} == {1, 2}
    # one piece is its own mean; of two the mean of means is another loss
    assert addresses(planned(oracle={"accumulate": "mean_of_means"})) == first
    (weighted,), (means,) = (
        {str(arm.task.oracle) for arm in planned(**of_digits, oracle={"micro_batches": 4} | how).arms}
        for how in ({}, {"accumulate": "mean_of_means"})
    )
    assert weighted == "{'micro_batches': 4, 'chunks': 1}"
    assert means == "{'micro_batches': 4, 'chunks': 1, 'accumulate': 'mean_of_means'}"


DIGITS = {
    "digits": {"kind": "digits", "hidden": 3}
}  # 1437 terms, 64 * 3 + 3 + 3 * 10 + 10 = 235 weights
SGD = {"sgd": {"kind": "sgd"}}


def counts(**changes):
    """(landscape, optimizer) -> how many checkpoints."""
    return {
        (arm.coords["landscape"], arm.coords["optimizer"]): len(arm.task.checkpoints)
        for arm in planned(**changes).arms
    }


def test_checkpoints_are_log_spaced():
    costs = planned().tasks[0].checkpoints
    assert (len(costs), costs[0], costs[-1]) == (61, 2.0, 2000.0)
    assert [b / a for a, b in zip(costs, costs[1:], strict=False)] == pytest.approx(
        [10 ** (1 / 20)] * 60
    )


def test_a_list_of_checkpoints_is_obeyed():
    """Whatever truth takes: eleven of a network at a budget of 60, with a share next to nothing."""
    fractions = [0.01, *(k / 10 for k in range(1, 11))]
    plan = planned(landscapes=DIGITS, budget=60, checkpoints=fractions, truth=1e-6, optimizers=SGD)
    assert {tuple(arm.task.checkpoints) for arm in plan.arms} == {tuple(60 * f for f in fractions)}
    assert plan.notes == []


def test_the_smallest_budget_thins_no_other_arm():
    found = counts(
        landscapes=DIGITS | STUDY["landscapes"],
        budget={"digits": 60, "nk": 60, "bowl": 4000},
        optimizers=SGD,
    )
    assert found == {("digits", "sgd"): 10, ("nk", "sgd"): 61, ("bowl", "sgd"): 61}


@pytest.mark.parametrize(
    ("truth", "budget", "batch"), [(0.1, 100, 32), (0.3, 60, 32), (0.2, 400, None), (1.0, 20, 100)]
)
def test_truth_takes_its_share_of_the_time_of_each_arm(truth, budget, batch):
    """By hand: a step of SGD reads STEP + 3 B D numbers, of B of the M = 1437 terms.

    The truth at a checkpoint 2 M D.
    """
    terms, dim = 1437, 235
    size = batch or terms
    steps = budget * terms // (3 * size)  # at 3 B / M evaluations each
    expected = truth * steps * (STEP + GRADIENT * size * dim) / (2 * terms * dim)
    plan = planned(
        landscapes=DIGITS, budget=budget, truth=truth, noise={"batch": batch}, optimizers=SGD
    )
    assert 10 < expected < 61
    assert len(plan.tasks[0].checkpoints) == int(expected)
    share = f"truth takes at most {truth:g} of the time"
    text = (
        f"checkpoints: {int(expected)} in place of 61, so that {share} (see `truth`); a list of checkpoints"
        " is obeyed"
    )
    assert plan.notes == [f"digits, sgd: {text}"]
    every = [float(f"{budget * 10 ** (k / 20 - 3):.12g}") for k in range(61)]
    assert plan.tasks[0].checkpoints[0] == pytest.approx(every[0])
    assert plan.tasks[0].checkpoints[-1] == budget
    assert all(
        min(abs(cost / one - 1) for one in every) < 1e-9 for cost in plan.tasks[0].checkpoints
    )  # some of those of the others


def test_arms_with_fewer_checkpoints_have_those_of_arms_with_more_and_the_budget():
    """21 of ES and 10 of SGD, of 61.

    A run of SGD ends at 4 times the budget, which is 10^-0.602 of it: the last checkpoint within is 10^-0.65.
    """
    price = {"value": 40, "range": [10, 40]}
    optimizers = {"ES": {"kind": "openai_es", "population": 4}, **SGD}
    plan = planned(
        landscapes=DIGITS, budget=400, gradient_cost=price, optimizers=optimizers, noise={"batch": None}
    )
    more, fewer = (set(arm.task.checkpoints) for arm in plan.arms)
    assert (len(more), len(fewer)) == (21, 10)
    assert fewer < more
    assert max(cost for cost in fewer if cost <= 400) == pytest.approx(1600 * 10**-0.65)


def test_an_arm_of_few_steps_keeps_all_checkpoints_for_it_has_few_states():
    assert counts(
        landscapes=DIGITS, budget=60, optimizers={"ga": {"kind": "ga", "population": 20}}
    ) == {("digits", "ga"): 61}


def test_the_share_of_truth_is_in_the_address_where_it_tells():
    first = addresses(planned(targets=[0.1], truth=0.1))
    assert (
        addresses(planned(targets=[0.1], truth=0.2)) == first
    )  # the truth never takes longer than a step there
    network = {"landscapes": DIGITS, "optimizers": SGD, "checkpoints": [1.0]}
    assert addresses(planned(**network, targets=[0.1], truth=0.1)) != addresses(
        planned(**network, targets=[0.1], truth=0.2)
    )
    assert addresses(planned(**network, truth=0.1)) == addresses(planned(**network, truth=0.2))


# what the steps of an arm cost ------------------------------------------------------------------------------

BOWL = {"bowl": {"kind": "quadratic", "dim": 5}}


def test_a_budget_below_the_first_step_is_said_and_no_error():
    study = load_study(
        STUDY
        | {
            "landscapes": BOWL,
            "budget": 50,
            "optimizers": {"GA": {"kind": "ga", "population": 1000}, **SGD},
        }
    )
    told = (
        "the first step costs 1,000 evaluations, more than the budget of 50: it takes none, and is compared"
        " with nothing"
    )
    assert study.notes == [f"bowl, GA: {told}"]
    assert make_plan(study).notes == study.notes


def test_it_is_said_of_the_arms_that_it_holds_of():
    sweep = {"optimizers.ga.population": [20, 60], "budget": [30, 100]}
    notes = load_study(
        STUDY | {"landscapes": BOWL, "sweep": sweep, "optimizers": {"ga": {"kind": "ga"}}}
    ).notes
    assert [note.split(":")[0] for note in notes] == ["bowl, ga, population = 60, budget = 30"]


@each(
    ("landscape", "optimizer", "changes", "first", "later"),
    [
        ("bowl", {"kind": "sgd"}, {}, 3, 3),
        ("bowl", {"kind": "sgd", "starts": 4}, {"gradient_cost": 2}, 8, 8),
        ("bowl", {"kind": "metropolis"}, {}, 1, 1),  # exact: the value of the state is kept
        (
            "bowl",
            {"kind": "metropolis"},
            {"noise": {"evaluation": 0.1}},
            2,
            2,
        ),  # asked again beside each proposal
        (
            "digits",
            {"kind": "sgd"},
            {"noise": {"batch": 479}},
            1,
            1,
        ),  # a third of the terms at the price of three
        (
            "nk",
            {"kind": "sgd"},
            {},
            3 * 2**5,
            3 * 2**5,
        ),  # each locus of the extension sums over 2^(k + 1) alleles
        ("nk", {"kind": "adaptive_walk"}, {}, 17, 16),  # itself and its n neighbours, then these alone
        ("bowl", {"kind": "cma_es"}, {}, 8, 8),  # 4 + [3 ln 5]
    ],
    ids=lambda value: value.get("kind") if isinstance(value, dict) else None,
)
def test_what_steps_cost_is_what_the_ledger_bills(landscape, optimizer, changes, first, later):
    from studies.cells.loop import run_cell
    from studies.study_file.spending import spending, steps_within

    landscapes = {landscape: (STUDY["landscapes"] | DIGITS)[landscape]}
    study = load_study(
        STUDY
        | {"landscapes": landscapes, "optimizers": {"one": optimizer}, "budget": 2000, "replicates": 2}
        | changes
    )
    told, price = spending(study.arms[0]), study.arms[0].scalars["gradient_cost"]["value"]
    assert told.first.cost(price) == pytest.approx(first)
    assert told.later.cost(price) == pytest.approx(later)
    budget = first + 2 * later
    data = run_cell(
        make_plan(
            load_study(study.resolved, {"budget": budget, "checkpoints": [first / budget, 1.0]})
        ).cells(())[0]
    )
    assert data["steps"].values.tolist() == [[1, 3], [1, 3]]
    for bought, steps in ((budget, 3), (first - 0.5, 0)):
        scalars = study.arms[0].scalars | {"budget": bought}
        assert steps_within(dataclasses.replace(study.arms[0], scalars=scalars)) == steps


def test_an_optimizer_that_cannot_say_without_its_landscape_is_no_error():
    from studies.study_file.remarks import unusual
    from studies.study_file.spending import steps

    study = load_study(
        STUDY
        | {
            "landscapes": {"nk": STUDY["landscapes"]["bowl"]},
            "optimizers": {"q": {"kind": "tests.support.plugins:Particular"}},
        }
    )
    assert study.notes == unusual(study.arms) == []
    assert steps(study.arms) == {("nk", "q"): "?"}


def test_what_is_said_of_many_arms_is_one_line():
    from studies.study_file.remarks import unusual

    sweep = {"optimizers.few.mutation_rate": [0.1, 0.2, 0.3]}
    few = {"few": {"kind": "ga", "population": 100}}
    arms = load_study(
        STUDY | {"landscapes": BOWL, "optimizers": few, "budget": 1900, "sweep": sweep}
    ).arms
    (line,) = unusual(arms)
    assert line.startswith(
        "bowl, few, mutation_rate = 0.1 and 2 arms more: about 19 steps in its whole budget"
    )


def test_few_and_very_many_steps_are_told():
    from studies.study_file.remarks import unusual
    from studies.study_file.spending import steps

    optimizers = {
        "few": {"kind": "ga", "population": 100},
        "many": {"kind": "one_plus_one"},
        "some": {"kind": "ga", "population": 50_000},
    }
    arms = load_study(
        STUDY | {"landscapes": BOWL, "optimizers": optimizers, "budget": {"bowl": 1900}}
    ).arms
    arms += load_study(
        STUDY | {"landscapes": BOWL, "optimizers": {"many": optimizers["many"]}, "budget": 100_001}
    ).arms
    assert unusual(arms) == [
        "bowl, few: about 19 steps in its whole budget, fewer than 20: what it does is hardly a search",
        "bowl, many: about 100,001 steps, more than 100,000: they take long",
    ]
    assert steps(arms) == {
        ("bowl", "few"): "19",
        ("bowl", "many"): "1,900 to 100,001",
        ("bowl", "some"): "0",
    }


def test_a_swept_parameter_needs_no_other_value():
    steps = {"optimizers.sgd.schedule.steps": [10, 20]}
    plan = planned(optimizers={"sgd": {"kind": "sgd", "schedule": {"kind": "cosine"}}}, sweep=steps)
    assert sorted({arm.task.optimizer["schedule"]["steps"] for arm in plan.arms}) == [10, 20]
    with pytest.raises(
        StudyError, match=r"^study: sweep.optimizers.sgd.schedule.steps\[0\]: expected > 0, got -3$"
    ):
        planned(
            optimizers={"sgd": {"kind": "sgd", "schedule": {"kind": "cosine"}}},
            sweep={"optimizers.sgd.schedule.steps": [-3]},
        )


# the digest of the code -------------------------------------------------------------------------------------


TREE = digest._tree


class Trees(dict):
    """Files as `digest._tree` has them, each read once: an edited one of a copy, and all plugins, can be forgotten."""

    def __init__(self, copy):
        super().__init__()
        self.copy_of_ours = copy

    def __missing__(self, path):
        if path.is_relative_to(ROOT):
            return TREE(path)  # no test edits it
        self[path] = TREE.__wrapped__(path)
        return self[path]

    def cache_clear(self):
        for path in [*self]:
            if not path.is_relative_to(self.copy_of_ours):
                del self[path]

    __call__ = dict.__getitem__


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of our packages, which tests edit and leave as it was."""
    root, left_out = tmp_path_factory.mktemp("house"), ("__pycache__", "*.yaml", "*.png")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns(*left_out))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digest, "_tree", Trees(root))
        yield root
    forget()


@contextlib.contextmanager
def edited(root, *paths, change=lambda text: text + "\nEDITED = 1\n"):
    """While the body runs, these files are others."""
    texts = {root / path: (root / path).read_text() for path in paths}
    try:
        for file, text in texts.items():
            file.write_text(change(text))
        forget(*texts)
        yield
    finally:
        for file, text in texts.items():
            file.write_text(text)
        forget(*texts)


def forget(*files):
    """These files, and all digests; what a file of ours imports no test changes."""
    code_digest.cache_clear()
    for file in files:
        digest._tree.pop(file, None)


def digests(root):
    landscapes = {"nk": "landscapes.binary.nk", "quadratic": "landscapes.continuous.quadratic"}
    optimizers = {"ga": "optimizers.populations.ga", "sgd": "optimizers.gradient.sgd"}
    cells = {f"{x} {y}": (landscapes[x], optimizers[y]) for x in landscapes for y in optimizers}
    return {name: code_digest((LOOP, *modules), root) for name, modules in cells.items()}


def changed(root, *paths, **how):
    before = digests(root)
    with edited(root, *paths, **how):
        after = digests(root)
    return {name for name in before if before[name] != after[name]}


def test_comments_and_docstrings_do_not_change_the_digest(house):
    reworded = lambda text: text.replace('"""', '"""Reworded. ', 1) + "\n# a comment\n"  # noqa: E731
    assert digests(house) == digests(ROOT)
    files = ("optimizers/populations/ga.py", "landscapes/streams.py")
    assert changed(house, *files, change=reworded) == set()


ALL = {"nk ga", "nk sgd", "quadratic ga", "quadratic sgd"}
CHANGES = {  # file -> the cells that it computes
    "optimizers/populations/ga.py": {"nk ga", "quadratic ga"},
    "landscapes/binary/nk.py": {"nk ga", "nk sgd"},
    "optimizers/gradient/step_sizes.py": {"nk sgd", "quadratic sgd"},
    "landscapes/streams.py": ALL,
    "landscapes/base.py": ALL,
    "studies/cells/loop.py": ALL,
    "studies/kinds/registry.py": ALL,
    "landscapes/wrappers/relaxation.py": ALL,
    "studies/cells/ledger/slopes.py": ALL,
    "optimizers/__init__.py": set(),
    "studies/study_file/loading.py": set(),
    "studies/study_file/plan.py": set(),
    "studies/results/store.py": set(),
}


def test_code_changes_the_cells_that_it_computes(house):
    assert {path: changed(house, path) for path in CHANGES} == CHANGES


EVERYTHING = {  # tasks that between them use all parts of the loop
    "landscapes": {
        "nk": {"kind": "nk", "n": 6, "k": 1},
        "moving": {"kind": "moving", "inner": {"kind": "quadratic", "dim": 2}},
    },
    "optimizers": {
        "sgd": {"kind": "sgd", "schedule": {"kind": "cosine", "steps": 9}},
        "ga": {"kind": "ga", "population": 4},
    },
    "budget": 40,
    "replicates": 2,
    "ledger": {"moments": 1, "redraws": 4, "points": 4},
    "pictures": {"frames": 2, "grid": 3},
    "targets": [0.1],
}


def test_every_file_that_runs_while_a_cell_is_computed_is_in_its_digest():
    """Seen by the interpreter, not read from imports."""
    for cell in planned(**EVERYTHING).cells(()):
        files = ran(lambda cell=cell: run_cell(cell))
        covered = {str(digest._file(name, ROOT)) for name in digest.closure(cell.task.modules)}
        assert {
            str(ROOT / "studies/cells/loop.py"),
            str(ROOT / "studies/kinds/registry.py"),
            str(ROOT / "landscapes/streams.py"),
        } <= files
        assert files <= covered


def ran(call):
    """Our files in which a function was called."""
    ours, files = tuple(str(ROOT / package) for package in PACKAGES), set()
    sys.setprofile(lambda frame, event, arg: files.add(frame.f_code.co_filename))
    try:
        call()
    finally:
        sys.setprofile(None)
    return {file for file in files if file.startswith(ours)}


def test_the_address_moves_with_every_module_of_the_closure_and_with_no_other(house):
    task = next(task for task in planned(**EVERYTHING).tasks if task.optimizer["kind"] == "ga")
    names = digest.closure(task.modules, house)
    assert {
        "studies.cells.loop",
        "studies.kinds.registry",
        "studies.cells.ledger.slopes",
        "landscapes.wrappers.relaxation",
        "optimizers.operators.generation",
        "landscapes.binary.nk",
        "optimizers.schedules",
    } <= names
    before = code_digest(task.modules, house)
    assert before == code_digest(task.modules)
    files = {
        ".".join(path.relative_to(house).with_suffix("").parts).removesuffix(".__init__"): path
        for path in house.rglob("*.py")
    }
    assert names < set(files)
    with edited(house, *(file for name, file in files.items() if name not in names)):
        assert code_digest(task.modules, house) == before
    for name in names:
        with edited(house, files[name]):
            assert code_digest(task.modules, house) != before, name


@pytest.mark.parametrize(
    ("line", "moved"),
    [
        (
            "from optimizers import GA",
            {"optimizers/populations/ga.py", "optimizers/operators/selection.py"},
        ),
        (
            "import optimizers.populations.ga",
            {"optimizers/populations/ga.py", "optimizers/operators/selection.py"},
        ),
        (
            "from optimizers import OPTIMIZERS",
            {
                "optimizers/populations/ga.py",
                "optimizers/operators/selection.py",
                "optimizers/gradient/sgd.py",
            },
        ),
        (
            "import optimizers",
            {
                "optimizers/populations/ga.py",
                "optimizers/operators/selection.py",
                "optimizers/gradient/sgd.py",
            },
        ),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from optimizers import GA", set()),
    ],
)
def test_a_plugin_depends_on_what_it_takes_from_our_packages(house, tmp_path, monkeypatch, line, moved):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "digest_heir", raising=False)
    (tmp_path / "digest_heir.py").write_text(f"{line}\nimport torch\n")
    __import__("digest_heir")
    forget()
    before = code_digest(("digest_heir",))
    assert before == code_digest(("digest_heir",), house)
    for path in (
        "optimizers/populations/ga.py",
        "optimizers/operators/selection.py",
        "optimizers/gradient/sgd.py",
    ):
        with edited(house, path):
            assert (code_digest(("digest_heir",), house) != before) == (path in moved), path


def test_the_module_of_an_import_path_is_digested_though_its_class_was_made_elsewhere(
    tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "digest_factory.py").write_text(
        "from optimizers.populations.ga import GA\ndef made(number):\n    return type('Made', (GA,),"
        " {'number': number, '__module__': __name__})\n"
    )
    (tmp_path / "digest_made.py").write_text("from digest_factory import made\nMade = made(1)\n")
    task = planned(optimizers={"own": {"kind": "digest_made:Made"}}).tasks[0]
    assert {"digest_factory", "digest_made"} <= set(task.modules)


def test_a_registry_that_comes_to_name_another_class_moves_the_address(monkeypatch):
    first = addresses(planned())
    monkeypatch.setitem(OPTIMIZERS, "ga", type("Other", (GA,), {"__module__": GA.__module__}))
    assert len(set(first) & set(addresses(planned()))) == 2  # those of sgd


def test_a_plugin_is_digested_with_its_package(tmp_path, monkeypatch):
    package = tmp_path / "digest_plugin"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "main.py").write_text("from . import helper\n")
    (package / "helper.py").write_text("X = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__("digest_plugin.main")
    before = code_digest(("digest_plugin.main",))
    (package / "helper.py").write_text("X = 2\n")
    assert code_digest(("digest_plugin.main",)) == before  # one process computes with what it imported
    digest.code_digest.cache_clear()
    digest._tree.cache_clear()
    assert code_digest(("digest_plugin.main",)) != before


def test_the_modules_beside_a_single_file_plugin_are_in_its_digest(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    helper = tmp_path / "digest_beside.py"
    helper.write_text("SCALE = 1.0\n")
    (tmp_path / "digest_single.py").write_text("import numpy\nfrom digest_beside import SCALE\n")
    __import__("digest_single")
    before = code_digest(("digest_single",))
    helper.write_text("SCALE = 2.0  # another number\n")
    digest._tree.cache_clear()
    code_digest.cache_clear()
    assert code_digest(("digest_single",)) != before
