"""Times and memory of steps: which steps are timed, what the memory is by hand, and that a search does not notice."""

import gc

import numpy as np
import pytest
import torch
import xarray as xr

from landscapes.oracle.bill import Bill
from studies.analysis.quantities.evaluate import quantity
from studies.cells import timing
from studies.cells.loop import run_cell, run_worlds
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from studies.study_file.study import StudyError
from studies.text.schema import TIMING_CLOCKS
from tests.support.runs import here

STUDY = {
    "name": "timing",
    "replicates": 3,
    "budget": {"steps": 4},
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 5, "condition": 10}},
    "optimizers": {"SGD": {"kind": "sgd"}, "GA": {"kind": "ga", "population": 8}},
    "timing": {"worlds": 2, "rounds": 1, "warm_up": 3, "repeats": 7},
}
TIMES = ("timing_seconds", "timing_memory")


def cell(name="GA", **changes):
    plan = make_plan(load_study(STUDY | changes))
    cells = zip(plan.arms, plan.cells(()), strict=True)
    return next(cell for arm, cell in cells if arm.coords["optimizer"] == name)


def test_shapes_and_worlds_that_are_not_timed():
    data = run_cell(cell())
    assert dict(data["timing_seconds"].sizes) == {
        "replicate": 3,
        "timing_clock": 2,
        "timing_repeat": 7,
    }
    assert data["timing_clock"].values.tolist() == list(TIMING_CLOCKS)
    assert (data["timing_seconds"].isel(replicate=[0, 1]) >= 0).all()
    assert (data["timing_seconds"].sel(timing_clock="wall").isel(replicate=[0, 1]) > 0).all()
    for name in TIMES:
        assert data[name].isel(replicate=2).isnull().all()
        assert {"long_name", "units"} <= data[name].attrs.keys()
    assert f"torch {torch.__version__}" in data.attrs["timed_on"]


def test_the_search_does_not_notice():
    seen, alone = run_cell(cell()), run_cell(cell(timing=None))
    clocks = ["seconds", "timing_seconds"]
    rest = seen.drop_dims(["timing_clock", "timing_repeat"]).drop_vars(["timing_memory", "seconds"])
    xr.testing.assert_identical(rest.drop_attrs(), alone.drop_vars("seconds").drop_attrs())
    again = run_cell(cell())
    xr.testing.assert_identical(
        seen.drop_vars(clocks).drop_attrs(), again.drop_vars(clocks).drop_attrs()
    )


def test_a_block_without_timed_worlds_has_no_times():
    data = run_worlds(cell().task, torch.arange(2, 4))
    assert all(data[name].isnull().all() for name in TIMES)


def test_times_that_were_taken_before_are_those_of_the_cell():
    known = run_cell(cell())[["timing_seconds", "timing_memory"]].drop_vars("replicate")
    taken = known.assign_attrs(timed_on="Some CPU")
    data = run_cell(cell(), taken)
    assert data.attrs["timed_on"] == "Some CPU"
    for name in TIMES:
        np.testing.assert_array_equal(data[name].values, known[name].values)


def test_other_settings_of_it_have_another_address():
    assert cell().address != cell(timing={"repeats": 8}).address
    assert cell().address != cell(timing=None).address


class Clock:
    """Reads 0, 1, 4, 9, ..: the step that is taken as number k, from 0 on, lasts 2k + 1."""

    def __init__(self):
        self.read = 0

    def __call__(self):
        self.read += 1
        return float((self.read - 1) ** 2)


def alone(steps, taken):
    """A search of so many steps that notes each; a reading of the clocks before it and after each."""
    bill = Bill(1, terms=1, budget=steps, price=1.0, lowest_price=1.0, clock="steps")

    def search(watchers):
        for watcher in watchers:
            watcher(None)
        while bill.open():
            bill.charge(1, gradient=False)
            taken.append(int(bill.steps[0]))
            for watcher in watchers:
                watcher(None)

    return timing.Alone(bill, search)


def test_those_steps_count_that_come_after_the_warm_up(monkeypatch):
    """A run of 4 steps is begun again until 2 + 7 are taken; between two runs nothing is timed."""
    monkeypatch.setattr(timing.time, "perf_counter", Clock())
    taken = []
    asked = {"warm_up": 2, "repeats": 7}
    seconds = timing._seconds(lambda: alone(4, taken), asked, "cpu")
    assert taken == [1, 2, 3, 4, 1, 2, 3, 4, 1]
    assert seconds.shape == (7, 2)
    # readings 0 to 4, 5 to 9, 10 and 11: the steps between them, but for the first two
    assert seconds[:, 0].tolist() == [5, 7, 11, 13, 15, 17, 21]


def block(known=None, rounds=2, device="cpu"):
    """Three worlds, of which the first and the third are timed."""
    asked = {"rounds": rounds, "warm_up": 1, "repeats": 2}
    return timing.Timed(asked, [0, 2], 3, lambda row: alone(9, []), device, known)


def test_each_round_has_its_repeats_and_the_memory_is_that_of_the_first():
    first = block()
    first.visit(0, 2)
    seconds = first.dataset()["timing_seconds"].values
    assert seconds.shape == (3, 2, 4)
    assert np.isfinite(seconds[2, :, :2]).all()
    assert np.isnan(seconds[2, :, 2:]).all()
    assert np.isnan(seconds[:2]).all()
    second = block(first.dataset())
    second.begin = lambda row: alone(3, [])
    second.visit(1, 2)
    both = second.dataset()["timing_seconds"].values
    assert (both[2, :, :2] == seconds[2, :, :2]).all()
    assert np.isfinite(both[2]).all()
    assert np.isfinite(second.dataset()["timing_memory"].values).tolist() == [False, False, True]


def test_what_was_timed_on_another_device_is_timed_anew():
    first = block()
    first.visit(0, 0)
    known = first.dataset().assign_attrs(timed_on="another")
    assert block(known).dataset()["timing_seconds"].isnull().all()
    assert not block(first.dataset()).dataset()["timing_seconds"].isnull().all()


def test_a_round_takes_every_world_of_every_cell_once_and_in_no_order_of_cells():
    cells = [block() for _ in range(20)]
    orders = [[(cells.index(cell), row) for cell, row in timing.visits(cells)] for _ in range(2)]
    in_turn = [(number, row) for number in range(20) for row in (0, 2)]
    assert sorted(orders[0]) == sorted(orders[1]) == in_turn
    assert orders[0] != orders[1]  # by chance one in 40!


def test_every_reading_waits_for_the_gpu(monkeypatch):
    log = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: log.append("wait"))
    monkeypatch.setattr(timing.time, "perf_counter", lambda: log.append("read") or 0.0)
    timing._seconds(lambda: alone(3, []), {"warm_up": 0, "repeats": 3}, "cuda")
    assert log == ["wait", "read"] * 4
    log.clear()
    timing._seconds(lambda: alone(3, []), {"warm_up": 0, "repeats": 3}, "cpu")
    assert log == ["read"] * 4


def test_memory_of_the_gpu_is_the_peak_of_its_allocator_above_what_was_there(monkeypatch):
    log = []
    for name, told in {
        "synchronize": None,
        "memory_allocated": 1000,
        "max_memory_allocated": 1700,
        "reset_peak_memory_stats": None,
    }.items():
        monkeypatch.setattr(torch.cuda, name, lambda name=name, told=told: log.append(name) or told)
    taken = []
    assert timing._held(alone(9, taken), "cuda") == 700
    assert taken == [1]
    assert log == [
        "synchronize",
        "memory_allocated",
        "reset_peak_memory_stats",
        "synchronize",
        "max_memory_allocated",
    ]


def held(work):
    """What a step holds that does this."""
    bill = Bill(1, terms=1, budget=1.0, price=1.0, lowest_price=1.0, clock="steps")

    def search(watchers):
        watchers[0](None)
        work()
        watchers[0](None)

    return timing._held(timing.Alone(bill, search), "cpu")


def test_memory_is_counted_while_tensors_live():
    there = torch.ones(1000, dtype=torch.float64)

    def in_turn():
        for _ in range(3):
            there * 2  # noqa: B018  gone at once

    def together():
        parts = [there * 2, there + 1]
        return parts[0] + parts[1]

    def seen_again():
        there.view(10, 100).add_(1.0)

    def below():
        (there + 1)[:10].sum()

    assert held(in_turn) == 8000
    assert held(together) == 24_000
    assert held(seen_again) == 0
    assert held(below) == 8000 + 8  # the view keeps the whole
    gc.collect()


def test_memory_of_a_gradient_holds_what_its_way_back_needs():
    x = torch.ones(1000, dtype=torch.float64, requires_grad=True)

    def step():
        y = x.exp()  # 8000, kept for the way back
        y.sum().backward()  # a number and its slope, which is expanded, then the slope of x

    assert held(step) == 8000 + 8 + 8 + 8000


def test_a_step_that_fails_leaves_nothing_behind():
    def fails():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        held(fails)
    assert not torch.utils._python_dispatch._get_current_dispatch_mode_stack()


def test_memory_grows_by_the_points_of_a_population():
    """D numbers of a point at least; equal in all worlds, and in every run."""
    few, many = (
        run_cell(cell(optimizers={"GA": {"kind": "ga", "population": size}}))["timing_memory"].values
        for size in (50, 150)
    )
    assert many[0] - few[0] >= 100 * 5 * 8
    assert (many[0], few[0]) == (many[1], few[1])


def test_the_name_of_a_device(monkeypatch, tmp_path):
    cpus = tmp_path / "cpuinfo"
    cpus.write_text("processor : 0\nmodel name\t: Some  CPU @ 2 GHz\n")
    monkeypatch.setattr(timing, "CPUS", cpus)
    assert timing.name_of("cpu").startswith(f"Some CPU @ 2 GHz, {torch.get_num_threads()} thread")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    assert timing.name_of("cuda") == f"Some GPU, torch {torch.__version__}, CUDA {torch.version.cuda}"
    monkeypatch.setattr(timing, "CPUS", tmp_path / "none")
    assert timing.name_of("cpu").partition(",")[0]


# in a study -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def timed(tmp_path_factory):
    sweep = {"sweep": {"n": {"values": [4, 8], "sets": "optimizers.GA.population"}}}
    return here(STUDY | sweep, tmp_path_factory.mktemp("timed"))


def test_quantities_are_those_of_the_repeats(timed):
    seconds = timed["timing_seconds"].sel(landscape="bowl", optimizer="GA", n=8).isel(replicate=[0, 1])
    for clock in TIMING_CLOCKS:
        each = np.sort(seconds.sel(timing_clock=clock).values)  # (2, 7)
        for word, place in {"least": 0, "median": 3}.items():
            told = quantity(timed, f'timing.{word}[{clock}, optimizer="GA", n=8]')
            assert told["quantity"].item() == pytest.approx(each[:, place].mean(), rel=1e-12)
    lower, upper = (
        quantity(timed, f"timing.{word}_quartile")["quantity"] for word in ("lower", "upper")
    )
    assert (lower <= upper).all()
    memory = quantity(timed, "timing.memory")
    assert (memory["worlds"] == 2).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("timing.lest", "unknown quantity 'timing.lest'; did you mean 'least'?"),
        ("timing.least[cpu]", "timing.least: expected one of wall and processor in [..], got cpu"),
        ("timing.least(start)", "times of steps belong to no moment of a run"),
    ],
)
def test_what_was_not_timed_is_said(timed, text, message):
    with pytest.raises(ValueError, match=message.replace("[", r"\[").replace("?", r"\?")):
        quantity(timed, text)
    with pytest.raises(ValueError, match="this study times no steps"):
        quantity(timed.drop_vars("timing_seconds"), "timing.median")


def test_times_of_several_devices_are_not_compared(timed):
    two = timed.assign_attrs(timed_on='["Some CPU", "Some GPU"]')
    with pytest.raises(ValueError, match="cells were timed on 2 devices, Some CPU and Some GPU"):
        quantity(two, "timing.least")


@pytest.mark.parametrize(
    ("observe", "timed", "message"),
    [
        ("timing.least", None, "timing.least: this study times no steps (`timing:`)"),
        ("timing.lest[wall]", {}, "unknown quantity 'timing.lest'; did you mean 'least'?"),
    ],
)
def test_a_law_of_times_is_looked_at_when_it_is_read(observe, timed, message):
    law = {"kind": "law", "optimizer": "GA", "observe": observe, "predicted": 1.0}
    with pytest.raises(StudyError) as error:
        load_study(STUDY | {"timing": timed, "claims": {"c": law}})
    assert message in str(error.value)
    load_study(
        STUDY | {"claims": {"c": law | {"observe": "mean(timing.least / timing.median[processor])"}}}
    )
