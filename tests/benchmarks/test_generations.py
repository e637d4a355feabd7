"""Our optimizers beside evosax's (vmapped, jitted, scanned) and beside the objects of pycma, EvoTorch and DEAP, with the same operators.

Rastrigin's function in 20-D, float32, 256 worlds, 16 points, fifty generations a round; ours goes through the whole loop: streams, oracle,
ledger, records. The objects run one world after another, so one of them is timed: divide ours by 256. evosax decomposes C at every generation,
without the lazy gap of the tutorial; where it starts from an evaluated population that one is left out.
"""

import math
import random
import warnings
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import pytest
import torch

from landscapes.base import Landscape, Reals
from studies.cells.graphs import Compiling, Graph
from studies.cells.loop import Setting, run_worlds, search
from studies.cells.task import Task
from studies.cells.truth import Truth

WORLDS, POINTS, DIM, GENERATIONS, SIGMA = 256, 16, 20, 50, 1.0


@dataclass(frozen=True, kw_only=True)
class Rastrigin(Landscape):
    """sum x^2 + 10 (1 - cos 2 pi x)."""

    name: ClassVar[str] = "rastrigin"
    dim: int = DIM
    domain = Reals(-5.0, 5.0)
    gap_known = True

    def loss(self, x, terms=None, time=None):
        return rastrigin(x)


def rastrigin(x):
    return (x * x - 10 * torch.cos(2 * math.pi * x)).sum(-1) + 10 * DIM


def task_of(kind, **options):
    """The task of an optimizer of ours."""
    budget = float(POINTS * GENERATIONS)
    exact = {
        "batch": None,
        "sampling": "replacement",
        "shared": True,
        "evaluation": {"value": 0.0, "gradient": 0.0},
    }
    return Task(
        landscape={"kind": "tests.benchmarks.test_generations:Rastrigin"}, optimizer={"kind": kind, "population": POINTS, **options},
        relaxation=None, noise=exact, seed=1, instances=None, budget=budget, gradient_cost={"value": 3.0, "low": 3.0, "high": 3.0},
        checkpoints=[budget / 2, budget], targets=[], dtype="float32", device="cpu",
    )  # fmt: skip


def ours(kind, **options):
    """Fifty generations of our loop."""
    task = task_of(kind, **options)
    return lambda: run_worlds(task, torch.arange(WORLDS))


def compiled(kind, **options):
    """Fifty generations of our loop with steps that are one graph, compiled before."""

    def begun():
        setting = Setting.of(task_of(kind, **options), torch.arange(WORLDS))
        return setting, Compiling("on", setting.optimizer, setting.oracle, setting.streams)

    setting, parts = begun()
    state = setting.optimizer.init(setting.problem, setting.streams.at(0))
    graph = Graph(*parts.parts, state)

    def run():
        setting, compiling = begun()
        compiling.graph = graph
        watchers = [*setting.watchers(Truth(setting.landscape))]
        search(setting.optimizer, setting.problem, setting.oracle, watchers, setting.streams, compiling)

    return run


def evosax(name, params=None, evaluated=False, **options):
    """Fifty generations of evosax; `evaluated` where it starts from a population with its losses."""
    import evosax.algorithms
    import jax
    import jax.numpy as jnp

    method = getattr(evosax.algorithms, name)(POINTS, jnp.zeros(DIM), **options)
    params = method.default_params.replace(**params or {})

    def loss(x):
        return (x * x - 10 * jnp.cos(2 * jnp.pi * x)).sum(-1) + 10 * DIM

    def generation(carry, _):
        key, state = carry
        key, ask, tell = jax.random.split(key, 3)
        x, state = method.ask(ask, state, params)
        state, _ = method.tell(tell, x, loss(x), state, params)
        return (key, state), None

    def begin(key):
        x = jax.random.uniform(key, (POINTS, DIM) if evaluated else (DIM,), minval=-5, maxval=5)
        return method.init(key, x, loss(x), params) if evaluated else method.init(key, x, params)

    @jax.jit
    def run(keys, states):
        steps = GENERATIONS - evaluated
        return jax.vmap(
            lambda key, state: jax.lax.scan(generation, (key, state), None, length=steps)[0]
        )(keys, states)

    keys = jax.random.split(jax.random.key(0), WORLDS)
    states = jax.vmap(begin)(keys)
    return lambda: jax.block_until_ready(run(keys, states))


def open_es():
    """Their ES with plain SGD and a fixed sigma."""
    import optax

    return evosax("Open_ES", optimizer=optax.sgd(0.05), std_schedule=optax.constant_schedule(0.1))


def simple_ga():
    """Their GA: parents uniform among the better half, uniform crossover, every coordinate mutated."""
    import optax

    return evosax(
        "SimpleGA", {"crossover_rate": 0.5}, evaluated=True, std_schedule=optax.constant_schedule(0.1)
    )


def pycma():
    """Fifty generations of one world."""
    import cma
    import numpy as np

    def run():
        es = cma.CMAEvolutionStrategy(
            np.linspace(-5, 5, DIM), SIGMA, {"popsize": POINTS, "verbose": -9, "seed": 1}
        )
        for _ in range(GENERATIONS):
            x = es.ask()
            es.tell(x, [float((p * p - 10 * np.cos(2 * math.pi * p)).sum()) + 10 * DIM for p in x])

    return run


def evotorch(name, **options):
    """Fifty generations of one world; its step first learns from the points of the last one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import evotorch

    def run():
        task = evotorch.Problem(
            "min", rastrigin, solution_length=DIM, initial_bounds=(-5, 5), vectorized=True
        )
        search = getattr(evotorch.algorithms, name)(task, popsize=POINTS, stdev_init=SIGMA, **options)
        search.run(GENERATIONS)

    return run


def deap():
    """Fifty generations of one world: the body of `deap.algorithms.eaSimple`."""
    from deap import algorithms, base, tools

    class Least(base.Fitness):
        weights = (-1.0,)

    class Genotype(list):
        def __init__(self, genes):
            super().__init__(genes)
            self.fitness = Least()

    random.seed(1)
    box = base.Toolbox()
    box.register("mate", tools.cxUniform, indpb=0.5)
    box.register("mutate", tools.mutGaussian, mu=0.0, sigma=0.1, indpb=1.0)

    def run():
        population = [Genotype(random.uniform(-5, 5) for _ in range(DIM)) for _ in range(POINTS)]
        for _ in range(GENERATIONS):
            for one in population:
                if not one.fitness.valid:
                    one.fitness.values = (
                        sum(g * g - 10 * math.cos(2 * math.pi * g) for g in one) + 10 * DIM,
                    )
            population = algorithms.varAnd(
                tools.selTournament(population, POINTS, tournsize=2), box, cxpb=1.0, mutpb=1.0
            )

    return run


PGPE = {"center_learning_rate": 1.0, "stdev_learning_rate": 0.2}
OURS = {
    "openai_es": {"sigma": 0.1, "learning_rate": 0.05},
    "snes": {"sigma": SIGMA},
    "xnes": {"sigma": SIGMA},
    "cem": {"sigma": SIGMA, "fraction": 0.5, "smoothing": 1.0},
    "pgpe": {"sigma": SIGMA},
    "cma_es": {"sigma": SIGMA},
    "de": {"scale": 0.5, "crossover_rate": 0.9},
}
ARMS = {
    **{f"{kind}, ours": partial(ours, kind, **more) for kind, more in OURS.items()},
    **{f"{kind}, ours, compiled": partial(compiled, kind, **more) for kind, more in OURS.items()},
    "openai_es, evosax": open_es,
    "snes, evosax": lambda: evosax("SNES", {"std_init": SIGMA}),
    "snes, EvoTorch, 1 world": lambda: evotorch("SNES"),
    "xnes, EvoTorch, 1 world": lambda: evotorch("XNES"),
    "cem, EvoTorch, 1 world": lambda: evotorch("CEM", parenthood_ratio=0.5),
    "pgpe, EvoTorch, 1 world": lambda: evotorch(
        "PGPE", optimizer=None, ranking_method="centered", **PGPE
    ),
    "cma_es, ours, decomposed each generation": lambda: ours("cma_es", sigma=SIGMA, lazy=1),
    "cma_es, evosax": lambda: evosax("CMA_ES", {"std_init": SIGMA}),
    "cma_es, pycma, 1 world": pycma,
    "de, evosax": lambda: evosax(
        "DifferentialEvolution",
        {"elitism": False, "differential_weight": 0.5, "crossover_rate": 0.9},
        evaluated=True,
    ),
    "ga, ours, better half": lambda: ours("ga", selection="truncation", mutation_sigma=0.1),
    "ga, evosax, better half": simple_ga,
    "ga, ours, better half, compiled": lambda: compiled(
        "ga", selection="truncation", mutation_sigma=0.1
    ),
    "ga, ours, tournament, compiled": lambda: compiled("ga", tournament=2, mutation_sigma=0.1),
    "ga, ours, tournament": lambda: ours("ga", tournament=2, mutation_sigma=0.1),
    "ga, DEAP, tournament, 1 world": deap,
}


@pytest.mark.parametrize("who", ARMS)
def test_generations(benchmark, who):
    benchmark.group = f"50 generations of {who.split(',')[0]}, 256 worlds x 16 points x 20-D, float32 (objects: 1 world)"
    benchmark.pedantic(ARMS[who](), rounds=10, warmup_rounds=2)
