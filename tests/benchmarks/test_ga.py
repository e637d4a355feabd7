"""Our GA beside DEAP's, with the same operators on OneMax: generations of one world per second."""

import random

import pytest
import torch

from landscapes.base import Answer, Bits, Problem
from landscapes.streams import Streams
from optimizers.populations.ga import GA

WORLDS, POPULATION, LOCI = 256, 64, 64


def ours():
    """One generation of 256 worlds."""
    streams = Streams(seed=1, worlds=torch.arange(WORLDS))
    method = GA(population=POPULATION, tournament=3, crossover="uniform", recombination_rate=0.9)
    problem = Problem(
        LOCI, Bits(), True, lambda n: streams.at(0).coins("init", (n, LOCI)).to(torch.uint8)
    )
    state, step = method.init(problem, streams.at(0)), 0

    def generation():
        nonlocal state, step
        step += 1
        s = streams.at(step)
        query = method.ask(state, s)
        state, _ = method.tell(state, query, Answer(LOCI - query.points.sum(-1).double()), s)

    return generation


def deap():
    """One generation of one world: the body of deap.algorithms.eaSimple."""
    from deap import algorithms, base, creator, tools

    creator.create("Least", base.Fitness, weights=(-1.0,))
    creator.create("Genotype", list, fitness=creator.Least)
    random.seed(1)
    box = base.Toolbox()
    box.register("mate", tools.cxUniform, indpb=0.5)
    box.register("mutate", tools.mutFlipBit, indpb=1 / LOCI)
    box.register("select", tools.selTournament, tournsize=3)
    population = [
        creator.Genotype(random.getrandbits(1) for _ in range(LOCI)) for _ in range(POPULATION)
    ]
    for one in population:
        one.fitness.values = (LOCI - sum(one),)

    def generation():
        nonlocal population
        population = algorithms.varAnd(box.select(population, POPULATION), box, cxpb=0.9, mutpb=1.0)
        for one in population:
            if not one.fitness.valid:
                one.fitness.values = (LOCI - sum(one),)

    return generation


@pytest.mark.parametrize("who", ["ours, 256 worlds", "deap, 1 world"])
def test_generation(benchmark, who):
    benchmark.group = "one GA generation, 64 bits x 64 (divide ours by 256)"
    benchmark.pedantic(ours() if who.startswith("ours") else deap(), rounds=100, warmup_rounds=5)
