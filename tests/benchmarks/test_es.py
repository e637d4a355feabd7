"""Our evolution strategy beside evosax's Open_ES (vmapped, jitted, scanned), with the same operators on Rastrigin's function in float32.

256 worlds, 16 points, 20-D; ours goes through the whole loop: streams, oracle, ledger, records. Fifty generations a round.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from landscapes.base import Landscape, Reals
from studies.loop import run_worlds
from studies.plan import Task

WORLDS, POINTS, DIM, GENERATIONS = 256, 16, 20, 50


@dataclass(frozen=True, kw_only=True)
class Rastrigin(Landscape):
    """sum x^2 + 10 (1 - cos 2 pi x)."""

    name: ClassVar[str] = "rastrigin"
    dim: int = DIM
    domain = Reals(-5.0, 5.0)
    gap_known = True

    def loss(self, x, terms=None, time=None):
        return (x * x - 10 * torch.cos(2 * math.pi * x)).sum(-1) + 10 * self.dim


def ours():
    """Fifty generations of our loop."""
    budget = float(POINTS * GENERATIONS)
    exact = {"batch": None, "sampling": "replacement", "shared": True, "evaluation": {"value": 0.0, "gradient": 0.0}}
    task = Task(
        landscape={"kind": "tests.benchmarks.test_es:Rastrigin"},
        optimizer={"kind": "openai_es", "population": POINTS, "sigma": 0.1, "learning_rate": 0.05},
        relaxation=None, noise=exact, seed=1, instances=None, budget=budget, gradient_cost={"value": 3.0, "low": 3.0, "high": 3.0},
        checkpoints=[budget / 2, budget], targets=[], dtype="float32", device="cpu",
    )  # fmt: skip
    return lambda: run_worlds(task, torch.arange(WORLDS))


def evosax():
    """Fifty generations of evosax."""
    import jax
    import jax.numpy as jnp
    import optax
    from evosax.algorithms import Open_ES

    es = Open_ES(POINTS, jnp.zeros(DIM), optimizer=optax.sgd(0.05), std_schedule=optax.constant_schedule(0.1))
    params = es.default_params

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


@pytest.mark.parametrize("who", ["ours", "evosax"])
def test_generations(benchmark, who):
    benchmark.group = "50 generations of an ES, 256 worlds x 16 points x 20-D, float32"
    benchmark.pedantic(ours() if who == "ours" else evosax(), rounds=20, warmup_rounds=2)
