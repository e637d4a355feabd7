"""Every optimizer and every landscape on another device than the CPU: nothing stays behind, and who waits for it.

No GPU is needed: shapes and devices alone are computed, as `tests.support.no_numbers` says. Each number that is
asked for makes a GPU finish all that was begun; who may ask in a step, or when a landscape is bound, and why, is
listed here.
"""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from landscapes import LANDSCAPES
from landscapes.base import Answer, Query, Reals
from landscapes.operators import MADE
from landscapes.oracle.bill import Bill
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from optimizers import OPTIMIZERS
from studies.probe.examples import EXAMPLES
from studies.probe.named import named
from tests.contract.optimizers.cases import CASES, identity
from tests.contract.optimizers.test_contract import allowed
from tests.support.each import each
from tests.support.no_numbers import DEVICE, Answered, tensors
from tests.support.play import build, problem

EXTREME = "whether a number is so large or small that squares are scaled first: almost never"
DUE = "whether a world is at the interval at which more is done"
SIZES = "how many points the largest population has: the shape of the query"
WAITS = {  # function -> why it asks for a number
    "optimizers.population_genetics.quasispecies.Quasispecies.tell": EXTREME,
    "optimizers.hybrids.memetic.Memetic.ask": DUE,
    "optimizers.hybrids.pbt.PBT._rates": DUE,
    "optimizers.hybrids.pbt.PBT._sources": DUE,
    "optimizers.hybrids.recombined_sgd.RecombinedSGD.tell": DUE,
    "optimizers.evolution_strategies.ipop_cma_es.IPOPCMAES.ask": SIZES,
    "optimizers.evolution_strategies.uh_cma_es.UHCMAES.ask": SIZES,
    "landscapes.networks.batch_losses._check": "whether a mini-batch has the terms that it needs",
    "landscapes.wrappers.moving.Moving._at": "whether the time is one of its clock",
}
WITHIN = {  # operator that is the same function on every device -> what it asks for there, unseen by the meta device
    "eigen": "whether a matrix is finite, which LAPACK needs",
    "cma_renewed": "whether a world is at the interval at which C is decomposed",
}
BOUND = {  # function -> what it looks for once, before the first step
    "landscapes.binary.max_sat.MaxSat._best": "the best assignment, by a search on the host",
    "landscapes.binary.nk._ring_optimum": "the optimum, by a numba loop",
    "landscapes.binary.spin_glass.SpinGlass.bind": "the ground state, by a search on the host",
    "landscapes.networks.newton._value": "whether Newton's method has converged",
    "landscapes.networks.newton.minimise": "whether Newton's method has converged",
    "landscapes.streams.Streams.foreign": "a seed for the generator of another library",
}
UNKNOWN = {  # kind -> why it is not tried: a shape that depends on numbers, or a library
    "ipop_cma_es": "worlds are grouped by the sizes of their populations",
    "uh_cma_es": "the points that are evaluated again differ in number",
    "adaptive_walk": "letters have different numbers of neighbours",
    "torch_optim": "torch's own optimizers count their steps on the host",
    "digits": "images are split into training and test sets",
    "autoencoder": "likewise",
    "batch_norm": "likewise",
}
NEVER = {
    ("logistic_regression", 0),
    ("norm_layer", 0),
    ("contrastive", 0),
    ("moving", 0),
}  # 0 is refused
NEVER |= {("norm_layer", 1), ("contrastive", 1)}  # as is 1
MOVING = (torch.ops.aten._unsafe_view.default, torch.ops.aten._reshape_alias.default)
FEW, FEWER = 40, 15  # operations that a step launches on a device, and one of plain SGD
LAUNCHED = {  # kind -> the most that a step of it may launch, where it is more
    "openai_es": 42,
    "simulated_annealing": 45,
    "cem": 46,
    "wright_fisher": 47,
    "async_sgd": 48,
    "pgpe": 50,
    "xnes": 51,
    "linkage_equilibrium": 51,
    "quasispecies": 54,
    "de": 58,
    "steady_state_ga": 59,
    "adam": 65,
    "parallel_tempering": 67,
    "coevolution": 73,
    "cma_es": 79,
    "bernoulli_nes": 84,
    "sswm": 86,
    "island_ga": 92,
    "nelder_mead": 94,
    "async_steady_state_ga": 112,
    "lbfgs": 348,
}
STEPS = 3
DAILY = ("sgd", "openai_es", "ga", "cma_es", "wright_fisher", "metropolis")
DAILY_LANDSCAPES = ("quadratic", "nk", "gaussian_field")
OURS = [case for case in CASES if not OPTIMIZERS[case.kind].libraries and case.kind not in UNKNOWN]


def streams():
    return Streams(seed=3, worlds=torch.arange(4), dtype=torch.float32, device=DEVICE)


def answered(query, dtype):
    """A bowl, as `tests.support.play.bowl`, on the device of the query."""
    x = query.points.to(dtype)
    steep = 1 + torch.arange(x.shape[-1], dtype=dtype, device=x.device) / 4
    return Answer((steep * x * x).sum(-1), 2 * steep * x if query.gradient else None)


@each("case", {case.kind: case for case in OURS if case.kind in DAILY}.values(), ids=identity)
def test_a_step(case):
    step(case, exact=True, answer=1)


@pytest.mark.verify
@each("case", OURS, ids=identity)
@each(("exact", "answer"), [(True, 0), (True, 1), (False, 0), (False, 1)])
def test_a_step_of_every_optimizer(case, exact, answer):
    step(case, exact, answer)


def step(case, exact, answer):
    """Some steps, in which each number that is asked for has this answer."""
    drawn, optimizer = streams(), build(case.kind, case.options)
    task = problem(drawn, case.domain, allowed(case.kind, 7), exact)
    with Answered(answer) as asked:
        state = optimizer.init(task, drawn.at(0))
        for step in range(1, STEPS + 1):
            query = optimizer.ask(state, drawn.at(step))
            state, info = optimizer.tell(state, query, answered(query, drawn.dtype), drawn.at(step))
        seen = [state, info, query.points, optimizer.recommend(state), optimizer.center(state)]
    assert {tensor.device.type for tensor in tensors(seen)} == {DEVICE}
    assert asked.places <= {*WAITS}, asked.places - {*WAITS}


class Launches(TorchDispatchMode):
    """Counts the operations that a device would be sent: all but views."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), words=None):
        self.count += not (function.is_view or function in MOVING)
        return function(*args, **(words or {}))


def launched(kind, domain):
    """Operations of the second step of a method as it comes, on a device."""
    drawn, optimizer = streams(), OPTIMIZERS[kind]().budgeted(9)
    with Answered(0):
        state = optimizer.init(problem(drawn, domain, allowed(kind, 7)), drawn.at(0))
        for step in (1, 2):
            with Launches() as launches:
                now = drawn.at(step)
                query = optimizer.ask(state, now)
            answer = answered(query, drawn.dtype)
            with launches:
                state, _ = optimizer.tell(state, query, answer, now)
    return launches.count


def test_a_step_launches_few_operations():
    as_it_comes = {case.kind: case.domain for case in reversed(OURS)}
    found = {kind: launched(kind, domain) for kind, domain in as_it_comes.items()}
    assert {kind: n for kind, n in found.items() if n > LAUNCHED.get(kind, FEW)} == {}
    assert {kind: n for kind, n in found.items() if kind in LAUNCHED and n < 0.9 * LAUNCHED[kind]} == {}
    assert found["sgd"] <= FEWER


FOUND = [kind for kind in LANDSCAPES if kind not in UNKNOWN]


@each("kind", DAILY_LANDSCAPES)
def test_a_query(kind):
    ask(kind, answer=1)


@pytest.mark.verify
@each("kind", FOUND)
@each("answer", [0, 1])
def test_a_query_of_every_landscape(kind, answer):
    ask(kind, answer)


def ask(kind, answer):
    """Values and gradients, exact, of mini-batches, and with noise."""
    if (kind, answer) in NEVER:
        return
    [example] = named(EXAMPLES.get(kind, (kind,))[:1])
    drawn = streams()
    with Answered(answer) as binding:
        landscape = example.landscape.bind(drawn)
        points = landscape.start(drawn.at(0), 3)
    batch = max(2, landscape.smallest_batch) if landscape.terms > 1 else None
    with Answered(answer) as asked:
        for noise in (Noise(), Noise(value=0.1, gradient=0.1, batch=batch)):
            for gradient in (False, True)[: 1 + isinstance(landscape.domain, Reals)]:
                oracle = Oracle(landscape, noise, Bill(4, terms=landscape.terms, budget=100.0))
                told = oracle(Query(points, gradient=gradient), drawn.at(1))
                assert {tensor.device.type for tensor in tensors([told])} == {DEVICE}
    assert {name.split(".<locals>")[0] for name in binding.places} <= {*BOUND, *WAITS}
    assert asked.places <= {*WAITS}, asked.places - {*WAITS}


def test_operators_that_wait_within_are_listed():
    everywhere = {
        name for name, made in MADE.items() if made["CPU"] is made.get("CompositeExplicitAutograd")
    }
    assert everywhere == {*WITHIN}


def test_two_devices_in_one_function_are_an_error():
    here, there = torch.zeros(3, dtype=torch.int64), torch.zeros(3, device=DEVICE)
    with Answered(1):
        for wrong in (
            lambda: there + here,
            lambda: there.gather(0, here),
            lambda: torch.cat([there, here]),
        ):
            with pytest.raises((AssertionError, RuntimeError), match="device"):
                wrong()
        assert here.to(there).device.type == DEVICE
