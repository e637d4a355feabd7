"""Other libraries behind our door.

Each beside the library run by itself, and what no library may do to the rest of the program.
"""

import copy
import os
import random
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import Answer, Bits, Reals
from landscapes.oracle.bill import Bill
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from optimizers.adapters import deap_cma, evotorch, library
from optimizers.adapters.generators import apart
from studies.cells import task
from studies.study_file import plan as planning
from studies.study_file.loading import load_study
from tests.support.each import each
from tests.support.play import bowl, build, make, play, problem, tensors

REALS, DIM, STEPS, WORLDS = Reals(), 5, 6, range(3)
EVERY = [  # one of each
    ("torch_optim", {"method": "RMSprop", "starts": 2}),
    ("evotorch", {"algorithm": "xnes", "population": 6}),
    ("evotorch", {"algorithm": "cem", "population": 7}),
    ("deap_ga", {"population": 6}),
    ("deap_cma", {"population": 6}),
    ("pycma", {"population": 6}),
]
every = pytest.mark.parametrize(
    ("kind", "options"), EVERY, ids=lambda x: x if isinstance(x, str) else next(iter(x.values()))
)


@pytest.fixture(autouse=True)
def _nothing_global_changes():
    """No test here, whatever it calls, may leave a trace in a global generator or in DEAP's name space."""
    from deap import creator

    before, names = generators(), set(vars(creator))
    yield
    assert generators() == before
    assert set(vars(creator)) == names


def generators():
    numpy = np.random.get_state()  # noqa: NPY002
    return torch.get_rng_state().tolist(), (numpy[0], numpy[1].tolist(), *numpy[2:]), random.getstate()


def seeds():
    """What each world's library is seeded with, and the first start of each world."""
    first = make(WORLDS).at(0)
    return first.integers("library", 2**32, (1,))[:, 0].tolist()


def starts(n, domain=REALS):
    return problem(make(WORLDS), domain, DIM).start(n)


def loss(x):
    """The loss that `play` answers, of one point (D,) or many (P, D)."""
    return bowl(type("Q", (), {"points": torch.as_tensor(x), "gradient": False}), torch.float64).value


# each library beside itself ---------------------------------------------------------------------------------

METHODS = [
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("Adam", {"betas": [0.8, 0.9]}),
    ("AdamW", {"weight_decay": 0.1, "amsgrad": True}),
    ("RMSprop", {"centered": True}),
    ("Adagrad", {"lr_decay": 0.1}),
    ("Adadelta", {"rho": 0.5}),
    ("Adamax", {}),
    ("NAdam", {}),
    ("RAdam", {}),
    ("Rprop", {"etas": [0.4, 1.3]}),
    ("ASGD", {"t0": 2}),
    ("Adafactor", {}),
]


@each("rate", [None, 0.05])
@each(("method", "options"), METHODS, ids=lambda x: x if isinstance(x, str) else "")
def test_torch_optim_beside_torch(method, options, rate):
    states = play(
        build(
            "torch_optim", {"method": method, "learning_rate": rate, "starts": 2, "options": options}
        ),
        REALS,
        make(WORLDS),
        DIM,
        STEPS,
    )[0]
    for world in WORLDS:
        for start, ours in zip(starts(2)[world], states[-1].points[world], strict=True):
            x = torch.nn.Parameter(start.clone())
            native = getattr(torch.optim, method)([x], **options, **({"lr": rate} if rate else {}))
            for _ in range(STEPS):
                native.zero_grad()
                loss(x).backward()
                native.step()
            assert torch.allclose(ours, x.detach(), rtol=0, atol=1e-12)
            assert not torch.equal(x.detach(), start)


EVOTORCH = [
    ("snes", {}, {}),
    ("xnes", {}, {}),
    ("cma_es", {"separable": True}, {}),
    ("cma_es", {"c_m": 0.9}, {}),
    ("cem", {"parenthood_ratio": 0.7}, {}),
    ("pgpe", {}, {"stdev_learning_rate": 0.1, "center_learning_rate": 0.4 * DIM**0.5 / 30}),
]


@each(
    ("algorithm", "options", "more", "dtype"),
    [(*case, (torch.float64, torch.float32)[i % 2]) for i, case in enumerate(EVOTORCH)],
    ids=[f"{name}-{i}" for i, (name, *_) in enumerate(EVOTORCH)],
)
def test_evotorch_beside_evotorch(algorithm, options, more, dtype):
    """The same populations, to the bit.

    The center is EvoTorch's own, for all but cma_es that of the step which uses the values.
    """
    optimizer = build(
        "evotorch", {"algorithm": algorithm, "population": 6, "sigma": 0.4, "options": options}
    )
    states, queries, _ = play(optimizer, REALS, make(WORLDS, dtype), DIM, STEPS)
    points = problem(make(WORLDS, dtype), REALS, DIM).start(1)
    for world, seed in zip(WORLDS, seeds(), strict=True):
        with apart():
            torch.manual_seed(seed)
            asked = evotorch._library().Problem(
                "min", lambda x: bowl(type("Q", (), {"points": x, "gradient": False}), dtype).value, vectorized=True, solution_length=DIM,
                dtype=dtype, initial_bounds=(-1, 1),
            )  # fmt: skip
            cls = getattr(evotorch._library().algorithms, evotorch.CLASSES[algorithm])
            native = cls(
                asked, popsize=6, stdev_init=0.4, center_init=points[world, 0], **options, **more
            )
            for step in range(STEPS):
                native.step()
                assert torch.equal(
                    queries[step].points[world],
                    torch.as_tensor(native.population.values).as_subclass(torch.Tensor),
                )
                after = step + (algorithm == "cma_es")
                assert torch.equal(
                    states[after].center[world],
                    torch.as_tensor(native.status["center"]).as_subclass(torch.Tensor),
                )
    assert torch.equal(optimizer.recommend(states[-1]), states[-1].center)


@each(
    ("domain", "options", "mate", "mutate"),
    [
        (
            REALS,
            {"crossover": "blend", "alpha": 0.3},
            ("cxBlend", {"alpha": 0.3}),
            ("mutGaussian", {"mu": 0, "sigma": 0.1, "indpb": 1.0}),
        ),
        (
            REALS,
            {"crossover": "simulated_binary", "eta": 3},
            ("cxSimulatedBinary", {"eta": 3}),
            ("mutGaussian", {"mu": 0, "sigma": 0.1, "indpb": 1.0}),
        ),
        (
            REALS,
            {"mutation_rate": 0.4, "mutation_sigma": 0.7},
            ("cxTwoPoint", {}),
            ("mutGaussian", {"mu": 0, "sigma": 0.7, "indpb": 0.4}),
        ),
        (Bits(), {"crossover": "one_point"}, ("cxOnePoint", {}), ("mutFlipBit", {"indpb": 1 / DIM})),
        (
            Bits(),
            {"crossover": "uniform", "swap": 0.3, "mutation_rate": 0.5},
            ("cxUniform", {"indpb": 0.3}),
            ("mutFlipBit", {"indpb": 0.5}),
        ),
    ],
    ids=["blend", "simulated_binary", "two_point", "one_point-bits", "uniform-bits"],
)
def test_deap_ga_beside_deap(domain, options, mate, mutate):
    """The final population of `eaSimple`, and as many evaluations in each generation, with classes from DEAP's creator there."""
    from deap import algorithms, base, creator, tools

    chances = {"population": 9, "tournament": 2, "recombination_rate": 0.6, "mutants": 0.4}
    _, queries, _ = play(build("deap_ga", chances | options), domain, make(WORLDS), DIM, STEPS)
    creator.create("AdapterFitness", base.Fitness, weights=(-1.0,))
    creator.create("AdapterPoint", list, fitness=creator.AdapterFitness)
    try:
        toolbox = base.Toolbox()
        toolbox.register("select", tools.selTournament, tournsize=2)
        toolbox.register("mate", getattr(tools, mate[0]), **mate[1])
        toolbox.register("mutate", getattr(tools, mutate[0]), **mutate[1])
        toolbox.register("evaluate", lambda point: (loss_of(point, domain),))
        for world, seed in zip(WORLDS, seeds(), strict=True):
            with apart():
                random.seed(seed)
                population = [
                    creator.AdapterPoint(point) for point in starts(9, domain)[world].tolist()
                ]
                population, log = algorithms.eaSimple(
                    population, toolbox, 0.6, 0.4, STEPS - 1, verbose=False
                )
            assert queries[-1].points[world].tolist() == [list(point) for point in population]
            asked = [9 if query.alive is None else int(query.alive[world].sum()) for query in queries]
            assert asked == log.select("nevals")
        assert min(asked) < 9  # some went through unchanged
    finally:
        del creator.AdapterFitness, creator.AdapterPoint


def loss_of(point, domain):
    held = torch.tensor([point], dtype=torch.uint8 if isinstance(domain, Bits) else torch.float64)
    return loss(held).item()


def test_deap_ga_does_not_mind_threads_that_draw():
    """Dask's event loop draws from Python's generator while a worker computes."""
    before, interval, stop = random.getstate(), sys.getswitchinterval(), threading.Event()

    def draw():
        while not stop.is_set():
            random.random()

    plain = play(build("deap_ga", {"population": 30}), REALS, make(WORLDS), DIM, STEPS)[1][-1]
    thread = threading.Thread(target=draw)
    sys.setswitchinterval(1e-5)
    thread.start()
    try:
        beside = play(build("deap_ga", {"population": 30}), REALS, make(WORLDS), DIM, STEPS)[1][-1]
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)
        random.setstate(before)
    assert torch.equal(plain.points, beside.points)


def test_deap_ga_asks_everyone_where_values_are_noisy():
    queries = play(
        build("deap_ga", {"population": 9, "mutants": 0.0, "recombination_rate": 0.1}),
        REALS,
        make(),
        exact=False,
    )[1]
    assert all(query.alive is None for query in queries)


def test_deap_ga_recommends_the_best_of_the_last_generation():
    states, queries, _ = play(build("deap_ga", {"population": 9}), REALS, make(WORLDS), DIM, STEPS)
    value = bowl(queries[-1], torch.float64).value
    assert torch.equal(states[-1].best, queries[-1].points[torch.arange(3), value.argmin(1)])


def test_deap_cma_beside_deap():
    from deap import cma

    states, queries, _ = play(
        build("deap_cma", {"population": 7, "sigma": 0.4, "options": {"mu": 3, "cs": 0.4}}),
        REALS,
        make(WORLDS),
        DIM,
        STEPS,
    )
    for world, seed in zip(WORLDS, seeds(), strict=True):
        with apart():
            np.random.seed(seed)  # noqa: NPY002
            native = cma.Strategy(starts(1)[world, 0].numpy(), 0.4, lambda_=7, mu=3, cs=0.4)
            for step in range(STEPS):
                children = native.generate(deap_cma.individual())
                assert np.array_equal(queries[step].points[world].numpy(), np.array(children))
                for child in children:
                    child.fitness.values = (loss(torch.tensor(child, dtype=torch.float64)).item(),)
                native.update(children)
        assert np.array_equal(states[-1].center[world].numpy(), native.centroid)


@pytest.mark.parametrize(
    "options", [{}, {"CMA_diagonal": True, "CSA_dampfac": 2.0}], ids=["full", "diagonal"]
)
def test_pycma_beside_pycma(options):
    """It seeds NumPy's generator itself here."""
    import cma

    optimizer = build("pycma", {"population": 7, "sigma": 0.4, "options": options})
    states, queries, _ = play(optimizer, REALS, make(WORLDS), DIM, STEPS)
    for world, seed in zip(WORLDS, seeds(), strict=True):
        with apart():
            native = cma.CMAEvolutionStrategy(
                starts(1)[world, 0].numpy(),
                0.4,
                {
                    "seed": seed,
                    "popsize": 7,
                    "verbose": -9,
                    "verb_log": 0,
                    "signals_filename": "",
                    **options,
                },
            )
            for step in range(STEPS):
                points = native.ask()
                assert np.array_equal(queries[step].points[world].numpy(), np.array(points))
                native.tell(points, loss(np.array(points)).tolist())
        assert np.array_equal(states[-1].center[world].numpy(), native.mean)
    assert torch.equal(optimizer.recommend(states[-1]), states[-1].center)


# worlds, states, generators ---------------------------------------------------------------------------------


@every
def test_worlds_do_not_see_each_other(kind, options):
    whole = play(build(kind, options), REALS, make(range(4)), DIM, STEPS)[0]
    part = play(build(kind, options), REALS, make([3, 1]), DIM, STEPS)[0]
    for a, b in zip(whole, part, strict=True):
        assert all(torch.equal(x[[3, 1]], y) for x, y in zip(tensors(a), tensors(b), strict=True))


@every
def test_the_seed_is_that_of_the_source_library(kind, options):
    plain, again = (
        play(build(kind, options), REALS, streams, DIM, STEPS)[0][-1]
        for streams in (make(WORLDS), make(WORLDS).redraw("library", 1))
    )
    assert torch.equal(plain.points, again.points) == (
        kind == "torch_optim"
    )  # which draws nothing but its starts


@every
def test_a_state_stays_what_it_was(kind, options):
    """Two steps from one state are the same step, and other runs in between change nothing."""
    optimizer, streams = build(kind, options), make(WORLDS)
    states, queries, _ = play(optimizer, REALS, streams, DIM, STEPS)
    play(
        optimizer,
        REALS,
        make(WORLDS),
        DIM,
        STEPS,
        answer=lambda query, dtype: bowl(query, dtype, scale=-1.0),
    )
    for before, query, after in zip(states, queries, states[1:], strict=False):
        again = optimizer.tell(before, query, bowl(query, streams.dtype), streams.at(1))[0]
        assert all(torch.equal(x, y) for x, y in zip(tensors(again), tensors(after), strict=True))


@every
@pytest.mark.parametrize("error", [TypeError, KeyboardInterrupt])
def test_generators_are_put_back_after_an_error(kind, options, error, monkeypatch):
    """The fixture looks at them; a wrong call over finite numbers is nobody's divergence."""

    def broken(self, value, gradient):
        torch.rand(3), np.random.rand(3), random.random()  # noqa: NPY002
        raise error("broken")

    optimizer = build(kind, options)
    state = optimizer.init(problem(make(WORLDS), REALS, DIM), make(WORLDS).at(0))
    monkeypatch.setattr(type(state.worlds[0].run), "take", broken)
    query = optimizer.ask(state, make(WORLDS).at(1))
    with pytest.raises(error, match="broken"):
        optimizer.tell(state, query, bowl(query, torch.float64), make(WORLDS).at(1))


@pytest.mark.parametrize(
    ("kind", "options", "error"),
    [(*EVERY[0], AttributeError), *((*case, ZeroDivisionError) for case in EVERY)],
    ids=str,
)
def test_a_library_that_raises_ends_its_own_world_alone(kind, options, error, monkeypatch):
    optimizer = build(kind, options)
    run = type(optimizer.init(problem(make(WORLDS), REALS, DIM), make(WORLDS).at(0)).worlds[0].run)
    take = run.take

    def fragile(self, value, gradient):
        if value.isnan().any():
            raise error("NaN")
        take(self, value, gradient)

    def answer(query, dtype):
        good, step = bowl(query, dtype), next(steps)
        return (
            good
            if step != 3
            else Answer(
                torch.where(torch.arange(4)[:, None] == 2, torch.nan, good.value), good.gradient
            )
        )

    monkeypatch.setattr(run, "take", fragile)
    steps = iter(range(1, STEPS + 1))
    spoilt, plain = (
        play(optimizer, REALS, make(range(4)), DIM, STEPS, answer=a)[0] for a in (answer, bowl)
    )
    for step, (a, b) in enumerate(zip(spoilt, plain, strict=True)):
        assert bool(a.points[2].isnan().all()) == (step >= 3)
        assert all(
            torch.equal(x[[0, 1, 3]], y[[0, 1, 3]]) for x, y in zip(tensors(a), tensors(b), strict=True)
        )


def test_deap_loses_a_world_whose_covariance_overflows():
    """Its eigenvalues raise; the oracle sees NaN from then on, by which the loop knows that the world diverged."""
    last = play(
        build("deap_cma", {"sigma": torch.tensor([0.4, 1e200, 0.4])}), REALS, make(WORLDS), DIM, STEPS
    )[0][-1]
    assert last.points.isnan().all(2).all(1).tolist() == [False, True, False]


def test_objects_that_hold_a_global_generator_share_it_when_copied():
    held = {"numpy": np.random.randn, "python": random.gauss}
    assert copy.deepcopy(held, dict(library.SHARED))["numpy"].__self__ is np.random.randn.__self__
    assert copy.deepcopy(held)["numpy"].__self__ is not np.random.randn.__self__


# the rest of the house --------------------------------------------------------------------------------------


@each(
    ("ours", "theirs"),
    [
        (("sgd", {"starts": 3}), ("torch_optim", {"method": "SGD", "starts": 3})),
        (("snes", {"population": 6}), ("evotorch", {"population": 6})),
        (("ga", {"population": 6}), ("deap_ga", {"population": 6, "mutants": 1.0})),
        (("cma_es", {"population": 6}), ("deap_cma", {"population": 6})),
        (("cma_es", {"population": 6}), ("pycma", {"population": 6})),
    ],
    ids=lambda x: x[0],
)
def test_billed_as_ours(ours, theirs):
    def billed(kind, options):
        streams, optimizer = make(WORLDS), build(kind, options)
        landscape, bill = (
            LANDSCAPES["quadratic"](dim=DIM).bind(streams),
            Bill(3, terms=1, budget=40.0, price=3.0, lowest_price=3.0),
        )
        oracle, state = (
            Oracle(landscape, Noise(), bill),
            optimizer.init(problem(streams, REALS, DIM), streams.at(0)),
        )
        for step in range(1, STEPS + 1):
            query = optimizer.ask(state, streams.at(step))
            state, _ = optimizer.tell(state, query, oracle(query, streams.at(step)), streams.at(step))
        return [count.tolist() for count in (bill.values, bill.gradients, bill.steps)]

    assert billed(*theirs) == billed(*ours)


def address(kind):
    study = {
        "name": "small",
        "budget": 200,
        "landscapes": {"bowl": {"kind": "quadratic", "dim": 3}},
        "optimizers": {"o": {"kind": kind}},
    }
    return planning.make_plan(load_study(study)).cells(())[0].address


@pytest.mark.parametrize(
    ("kind", "moves"),
    [
        ("deap_ga", "deap"),
        ("deap_cma", "numpy"),
        ("evotorch", "evotorch"),
        ("pycma", "cma"),
        ("sgd", None),
    ],
)
def test_a_new_version_of_the_library_moves_its_cells_alone(kind, moves, monkeypatch):
    own = build(kind, {}).libraries
    assert own == () if moves is None else moves in own
    before = address(kind)
    for new in ({"deap", "numpy", "evotorch", "cma"} - {*own}, *({name} for name in own)):
        monkeypatch.setattr(
            task,
            "library_version",
            lambda given, new=new: "99" if given in new else planning_version(given),
        )
        assert (address(kind) != before) == (not new.isdisjoint(own))


planning_version = task.library_version

SILENT = """
import os, sys, warnings, logging
before = set(os.listdir("."))
logging.basicConfig(level=logging.INFO)
import optimizers
foreign = {"ray", "evotorch", "deap", "cma", "gymnasium", "matplotlib"}
assert not foreign & set(sys.modules), foreign & set(sys.modules)
import torch
from landscapes.base import Problem, Reals, Answer
from landscapes.streams import Streams
streams = Streams(seed=1, worlds=torch.arange(2))
for kind, options in [("evotorch", {"algorithm": "pgpe"}), ("deap_ga", {"population": 4}), ("deap_cma", {}), ("pycma", {}), ("torch_optim", {})]:
    optimizer = optimizers.OPTIMIZERS[kind](**options)
    state = optimizer.init(Problem(3, Reals(), True, lambda n: torch.ones(2, n, 3, dtype=torch.float64)), streams.at(0))
    for step in (1, 2, 3):
        x = optimizer.ask(state, streams.at(step)).points
        state, _ = optimizer.tell(state, None, Answer((x * x).sum(-1), 2 * x), streams.at(step))
import ray, threading
assert not ray.is_initialized() and threading.active_count() == 1
assert set(os.listdir(".")) == before
"""


@pytest.mark.verify
def test_libraries_are_imported_when_used_and_are_silent(tmp_path):
    """In a process where a warning is an error and INFO is printed.

    No output, no file, no thread, no cluster of Ray's.
    """
    root = str(Path(__file__).resolve().parents[2])
    code = f"import sys; sys.path.insert(0, {root!r})\n{SILENT}"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


LOUD = """
import os, random, warnings

level = os.environ["EVOTORCH_VERBOSE_LEVEL"]
warnings.warn("heed this")
random.random()
"""


def test_evotorch_is_imported_without_a_word_and_leaves_no_trace(tmp_path, monkeypatch):
    """A stand-in that warns and draws; at its level -1 it says nothing but errors."""
    (tmp_path / "evotorch.py").write_text(LOUD)
    monkeypatch.setitem(sys.modules, "evotorch", None)
    del sys.modules["evotorch"]
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("EVOTORCH_VERBOSE_LEVEL", "0")
    assert evotorch._library.__wrapped__().level == "-1"
    assert os.environ["EVOTORCH_VERBOSE_LEVEL"] == "0"


def test_pycma_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        ValueError, match=r"pycma: the library is not installed; install it with: pip install 'cma>=4'"
    ):
        build("pycma", {})


@each(
    ("kind", "options", "message"),
    [
        (
            "torch_optim",
            {"method": "Adamm"},
            r"torch_optim.method: unknown name 'Adamm'; did you mean Adam",
        ),
        (
            "torch_optim",
            {"method": "rmsprop"},
            r"torch_optim.method: unknown name 'rmsprop'; did you mean RMSprop\?",
        ),
        (
            "torch_optim",
            {"method": "LBFGS"},
            r"torch_optim.method: LBFGS asks for many values within a step; take the kind lbfgs",
        ),
        (
            "torch_optim",
            {"method": "Muon"},
            r"torch_optim.method: torch.optim.Muon refuses to step on a vector: Muon only supports 2D",
        ),
        (
            "torch_optim",
            {"method": "SparseAdam"},
            r"torch_optim.method: torch.optim.SparseAdam refuses to step on a vector: SparseAdam does not",
        ),
        (
            "torch_optim",
            {"options": {"beta": 0.9}},
            r"torch_optim.options: unknown name 'beta'; did you mean betas\?",
        ),
        (
            "torch_optim",
            {"options": {"lr": 0.9}},
            r"torch_optim.options: unknown name 'lr'; known: amsgrad, betas",
        ),
        (
            "torch_optim",
            {"options": {"maximize": True}},
            r"torch_optim.options: unknown name 'maximize'",
        ),
        (
            "torch_optim",
            {"options": {"betas": [0.9, 1.9]}},
            r"torch_optim.options: torch.optim.Adam refuses .* Invalid beta parameter at index 1: 1.9",
        ),
        ("torch_optim", {"learning_rate": 0.0}, r"torch_optim.learning_rate: expected > 0, got 0.0"),
        (
            "evotorch",
            {"algorithm": "cmaes"},
            r"evotorch.algorithm: expected one of snes, xnes, pgpe, cem, cma_es, got 'cmaes'",
        ),
        (
            "evotorch",
            {"algorithm": "pgpe", "population": 7},
            r"evotorch.population: expected an even number with pgpe, got 7",
        ),
        (
            "evotorch",
            {"algorithm": "cem", "population": 3},
            r"evotorch.population: expected >= 4 with cem, got 3",
        ),
        (
            "evotorch",
            {"options": {"stdev_lr": 1}},
            r"evotorch.options: unknown name 'stdev_lr'; did you mean stdev_",
        ),
        (
            "evotorch",
            {"options": {"distributed": True}},
            r"evotorch.options: unknown name 'distributed'",
        ),
        (
            "pycma",
            {"options": {"CMA_diag": True}},
            r"pycma.options: unknown name 'CMA_diag'; did you mean CMA_diagonal",
        ),
        ("pycma", {"options": {"verb_log": 1}}, r"pycma.options: unknown name 'verb_log'"),
        (
            "deap_cma",
            {"options": {"muu": 3}},
            r"deap_cma.options: unknown name 'muu'; did you mean mu\?",
        ),
        ("deap_ga", {"population": 1}, r"deap_ga.population: expected >= 2, got 1"),
        ("deap_ga", {"recombination_rate": 0.0}, r"deap_ga.recombination_rate: expected > 0, got 0.0"),
    ],
)
def test_mistakes(kind, options, message):
    with warnings.catch_warnings(), pytest.raises(ValueError, match=message):
        build(kind, options)


@each(
    ("kind", "options", "domain", "dim", "message"),
    [
        (
            "evotorch",
            {"algorithm": "cma_es"},
            REALS,
            1,
            "evotorch.algorithm: EvoTorch's cma_es needs at least 2 coordinates; take snes",
        ),
        (
            "deap_ga",
            {},
            REALS,
            1,
            "deap_ga.crossover: DEAP's two_point needs at least 2 coordinates; take uniform",
        ),
        (
            "deap_ga",
            {"crossover": "blend"},
            Bits(),
            5,
            "deap_ga.crossover: blend is for real coordinates; take two_point",
        ),
    ],
)
def test_pairs_that_cannot_be(kind, options, domain, dim, message):
    with pytest.raises(ValueError, match=message):
        build(kind, options).init(problem(make(), domain, dim), make().at(0))


def test_torch_optim_refuses_an_answer_without_gradients():
    with pytest.raises(
        ValueError, match="torch_optim.tell: expected an answer with gradients, got values only"
    ):
        play(
            build("torch_optim", {}),
            REALS,
            make(),
            answer=lambda query, dtype: Answer(bowl(query, dtype).value),
        )
