"""Our SNES and CMA-ES beside evosax's (vmapped, jitted, scanned) and pycma's objects, on Rastrigin's function in float32.

256 worlds, 16 points, 20-D; ours goes through the whole loop: streams, oracle, ledger, records. Fifty generations a round; pycma runs
one world. evosax decomposes C at every generation, without the lazy gap of the tutorial.
"""

import math

import pytest
import torch

from studies.loop import run_worlds
from studies.plan import Task

WORLDS, POINTS, DIM, GENERATIONS, SIGMA = 256, 16, 20, 50, 1.0


def ours(kind, **options):
    """Fifty generations of our loop."""
    budget = float(POINTS * GENERATIONS)
    exact = {"batch": None, "sampling": "replacement", "shared": True, "evaluation": {"value": 0.0, "gradient": 0.0}}
    task = Task(
        landscape={"kind": "tests.benchmarks.test_es:Rastrigin"},
        optimizer={"kind": kind, "population": POINTS, "sigma": SIGMA, **options},
        relaxation=None, noise=exact, seed=1, instances=None, budget=budget, gradient_cost={"value": 3.0, "low": 3.0, "high": 3.0},
        checkpoints=[budget / 2, budget], targets=[], dtype="float32", device="cpu",
    )  # fmt: skip
    return lambda: run_worlds(task, torch.arange(WORLDS))


def evosax(name):
    """Fifty generations of evosax."""
    import evosax.algorithms
    import jax
    import jax.numpy as jnp

    es = getattr(evosax.algorithms, name)(POINTS, jnp.zeros(DIM))
    params = es.default_params.replace(std_init=jnp.asarray(SIGMA))

    def generation(carry, _):
        key, state = carry
        key, ask, tell = jax.random.split(key, 3)
        x, state = es.ask(ask, state, params)
        loss = (x * x - 10 * jnp.cos(2 * jnp.pi * x)).sum(-1) + 10 * DIM
        state, _ = es.tell(tell, x, loss, state, params)
        return (key, state), None

    @jax.jit
    def run(keys, states):
        return jax.vmap(lambda key, state: jax.lax.scan(generation, (key, state), None, length=GENERATIONS)[0])(keys, states)

    keys = jax.random.split(jax.random.key(0), WORLDS)
    states = jax.vmap(lambda key: es.init(key, jax.random.uniform(key, (DIM,), minval=-5, maxval=5), params))(keys)
    return lambda: jax.block_until_ready(run(keys, states))


def pycma():
    """Fifty generations of one world."""
    import cma
    import numpy as np

    def run():
        es = cma.CMAEvolutionStrategy(np.linspace(-5, 5, DIM), SIGMA, {"popsize": POINTS, "verbose": -9, "seed": 1})
        for _ in range(GENERATIONS):
            x = es.ask()
            es.tell(x, [float((p * p - 10 * np.cos(2 * math.pi * p)).sum()) + 10 * DIM for p in x])

    return run


ARMS = {
    "snes, ours": lambda: ours("snes"),
    "snes, evosax": lambda: evosax("SNES"),
    "cma_es, ours": lambda: ours("cma_es"),
    "cma_es, ours, decomposed each generation": lambda: ours("cma_es", lazy=1),
    "cma_es, evosax": lambda: evosax("CMA_ES"),
    "cma_es, pycma, 1 world": pycma,
}


@pytest.mark.parametrize("who", ARMS)
def test_generations(benchmark, who):
    benchmark.group = f"50 generations of {who.split(',')[0]}, 256 worlds x 16 points x 20-D, float32 (pycma: 1 world)"
    benchmark.pedantic(ARMS[who](), rounds=10, warmup_rounds=2)
