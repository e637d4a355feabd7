"""Steps as one compiled graph: the bits are those without, and what cannot be compiled goes on as it is."""

import contextlib
import functools

import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import Problem, Reals
from landscapes.oracle.bill import Bill
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from optimizers import OPTIMIZERS
from studies.cells import graphs
from studies.cells.loop import run_cell, run_worlds
from studies.cells.task import Cell
from studies.kinds.registry import build
from studies.probe.examples import EXAMPLES
from studies.probe.named import named
from studies.text.schema import COMPILED
from tests.contract.test_runs import noise
from tests.studies.cells.test_fused import OURS, QUADRATIC, complete
from tests.studies.cells.test_loop import BOWL, same, task
from tests.support.each import each

HOST = "GuardOnDataDependent"  # a number is asked for
OFF = {  # kind of optimizer -> why its steps are no graph
    "ipop_cma_es": HOST,  # the sizes of populations are shapes
    "uh_cma_es": HOST,  # as are the points that are asked again
    "memetic": HOST,  # all worlds do more at an interval of steps
    "pbt": HOST,
    "recombined_sgd": HOST,
    "quasispecies": HOST,  # whether a fitness is beyond all that is usual
    "torch_optim": "its state holds more than tensors",
}
ASKED = ("batch_norm", "norm_layer", "contrastive")  # whether a mini-batch has the terms that they need
MIXED = [
    "adam",
    "openai_es",
    "snes",
    "xnes",
    "cma_es",
    "de",
    "ga",
    "wright_fisher",
    "metropolis",
    "coevolution",
]


@pytest.fixture
def traced(monkeypatch):
    """Steps are traced and not compiled, which takes a hundredth of the time."""
    monkeypatch.setattr(graphs, "_compiled", lambda module, inputs: module)


def check(kind, **more):
    """What a cell of a kind gives is the same compiled; how it went."""
    landscape, spec = complete(kind)
    cell = Cell(
        task(landscape, spec, budget=24.0, checkpoints=[6.0, 24.0], targets=[0.5], **more), 0, 5
    )
    made = run_cell(cell, compiled="on")
    same(made, run_cell(cell))
    return made.attrs[COMPILED]


def test_a_compiled_descent():
    assert check("sgd") == "after step 1"


@each(
    ("kind", "dtype"),
    [("openai_es", "float32"), ("ga", "float64"), ("cma_es", "float32"), ("metropolis", "float64")],
)
@pytest.mark.usefixtures("traced")
def test_traced_steps(kind, dtype):
    assert check(kind, dtype=dtype) == "after step 1"


@pytest.mark.verify
@each("kind", OURS)
@each("dtype", ["float64", "float32"])
@pytest.mark.usefixtures("traced")
def test_traced_steps_of_every_optimizer(kind, dtype):
    told = check(kind, dtype=dtype)
    assert told.startswith(f"no: {OFF[kind]}") if OFF.get(kind) else told == "after step 1"


@pytest.mark.verify
@each("kind", MIXED)
def test_compiled_steps(kind):
    assert check(kind, dtype="float32" if MIXED.index(kind) % 2 else "float64") == "after step 1"


@pytest.mark.verify
@each("kind", LANDSCAPES)
@pytest.mark.usefixtures("traced")
def test_traced_answers_of_every_landscape(kind):
    """With noise on values and gradients, of mini-batches where there are some."""
    [example] = named(EXAMPLES.get(kind, (kind,))[:1])
    streams = Streams(seed=3, worlds=torch.arange(5))
    landscape = example.landscape.bind(streams)
    if landscape.clock is not None:
        return
    real = isinstance(landscape.domain, Reals)
    optimizer = OPTIMIZERS["sgd" if real else "ga"](**{} if real else {"population": 7})
    batch = max(2, landscape.smallest_batch) if landscape.terms > 1 else None
    noise = Noise(value=0.1, gradient=0.1, batch=batch)
    oracle = Oracle(landscape, noise, Bill(5, terms=landscape.terms, budget=99.0))
    start = functools.partial(landscape.start, streams.at(0))
    problem = Problem(landscape.dim, landscape.domain, False, start, players=len(landscape.players))
    state = optimizer.init(problem, streams.at(0))
    plain = [graphs.taken(optimizer, oracle, state, streams.at(step)) for step in (1, 2)]
    with pytest.raises(graphs.UntracedError, match=HOST) if kind in ASKED else contextlib.nullcontext():
        graph = graphs.checked(graphs.Graph(optimizer, oracle, streams, state), state, 1, plain[0])
        graphs.checked(graph, state, 2, plain[1])


@pytest.mark.verify
def test_a_world_alone_is_that_world_in_a_batch():
    """Of compiled steps, too."""
    told = task(QUADRATIC, complete("sgd")[1], noise=noise(gradient=0.1))
    many = run_worlds(told, torch.arange(5), compiled="on")
    same(run_worlds(told, torch.tensor([4]), compiled="on"), many.isel(replicate=[4]))


# what is not compiled ---------------------------------------------------------------------------------------


def told(spec, landscape=QUADRATIC, **more):
    """Why nothing is compiled."""
    return run_cell(Cell(task(landscape, spec, **more), 0, 2), compiled="on").attrs[COMPILED]


def test_reasons():
    terms = QUADRATIC | {"terms": 8, "noise_scale": 1.0}
    epochs = noise() | {"batch": 3, "sampling": "epoch"}
    descent = {"kind": "sgd"}
    assert (
        told({"kind": "deap_ga"}, {"kind": "nk", "n": 6, "k": 2})
        == "no: another library takes the steps"
    )
    assert told(descent, BOWL) == "no: code of the user's is looked at in every step"
    assert (
        told(descent, terms, noise=epochs) == "no: answers depend on where a world stands in its data"
    )
    assert (
        told({"kind": "sgd", "batch": 2}, terms)
        == "no: answers depend on batches of the optimizer's own"
    )
    moving = {"kind": "moving", "inner": QUADRATIC, "path": "linear"}
    assert told(descent, moving) == "no: answers depend on a clock"


def test_off_and_auto_say_nothing_of_short_searches():
    cell = Cell(task(QUADRATIC, {"kind": "sgd"}), 0, 2)
    for mode in ("off", "auto"):
        assert COMPILED not in run_cell(cell, compiled=mode).attrs


@pytest.mark.usefixtures("traced")
def test_another_bit_ends_it(monkeypatch):
    """The search goes on as it began."""
    cell, call = Cell(task(QUADRATIC, complete("sgd")[1]), 0, 2), graphs.Graph.__call__

    def wrong(graph, state, number):
        step = call(graph, state, number)
        moved = step.state.points.nextafter(torch.tensor(9.0, dtype=torch.float64))
        return step._replace(state=step.state._replace(points=moved))

    monkeypatch.setattr(graphs.Graph, "__call__", wrong)
    made = run_cell(cell, compiled="on")
    assert made.attrs[COMPILED] == "no: another bit in state.points"
    same(made, run_cell(cell))


def test_without_a_compiler_it_goes_on(monkeypatch):
    cell = Cell(task(QUADRATIC, complete("sgd")[1]), 0, 2)

    def missing(module, inputs):
        raise RuntimeError("no C++ compiler\nmore")

    monkeypatch.setattr(graphs, "_compiled", missing)
    made = run_cell(cell, compiled="on")
    assert made.attrs[COMPILED] == "no: RuntimeError: no C++ compiler"
    same(made, run_cell(cell))


@each(
    ("step", "spent", "budget", "seconds", "expected"),
    [
        (64, 64, 6400, 1.0, True),  # 99 seconds are left
        (64, 64, 3200, 1.0, False),  # 49 are
        (100, 100, 10**6, 9.0, False),  # looked at after powers of two
        (32, 32, 10**6, 9.0, False),
    ],
)
def test_when_it_pays(step, spent, budget, seconds, expected):
    bill = Bill(2, terms=1, budget=float(budget), clock="steps")
    bill.steps[:] = spent
    landscape = build(QUADRATIC, "landscape").bind(Streams(seed=1, worlds=torch.arange(2)))
    compiling = graphs.Compiling("auto", OPTIMIZERS["sgd"](), Oracle(landscape, Noise(), bill), None)
    assert compiling.due(step, seconds) == expected
