"""Ours against theirs: pycma, EvoTorch and DEAP with the same hyperparameters, and each must reject a mutant of ours."""

import math
import random
import warnings

import cma
import cocoex
import pytest
import torch
from deap import algorithms, base, tools

from landscapes import LANDSCAPES
from landscapes.base import Answer, Bits, Problem, Reals
from landscapes.streams import Streams
from optimizers import OPTIMIZERS

RUNS, OURS = 64, 512  # of theirs, of ours
Z = 3.0  # standard errors


def streams(worlds):
    return Streams(seed=2024, worlds=torch.arange(worlds))


def deviation(ours, theirs):
    """The largest distance of two mean curves (R, checkpoints), in standard errors."""
    error = (ours.var(0) / len(ours) + theirs.var(0) / len(theirs)).sqrt()
    return ((ours.mean(0) - theirs.mean(0)).abs() / error).max().item()


# CMA-ES against pycma: evaluations to a gap of 1e-8 on BBOB -------------------------------------------------

FUNCTIONS, WORLDS, SIGMA, TARGET, LIMIT = (
    (1, 8, 10, 11),
    51,
    2.0,
    1e-8,
    1200,
)  # evaluations per dimension; instances 1 .. 51, the landscape's starts
BANDS = {1: 1478, 8: 6234, 10: 4277}  # evaluations of CMA-ES with negative weights in 10-D


def bound(function, dim):
    return LANDSCAPES["bbob"](function=function, dim=dim).bind(streams(WORLDS))


def our_evaluations(function, dim, **options):
    """(R,) evaluations to the target; inf where it is missed."""
    landscape, s = bound(function, dim), streams(WORLDS)
    optimizer = OPTIMIZERS["cma_es"](sigma=SIGMA, **options)
    state = optimizer.init(
        Problem(dim, landscape.domain, True, lambda n: landscape.start(s.at(0), n)), s.at(0)
    )
    hit, spent, step = torch.full((WORLDS,), math.inf), 0, 0
    while spent < LIMIT * dim and hit.isinf().any():
        query = optimizer.ask(state, s.at(step := step + 1))
        value = landscape.loss(query.points)
        reached = value <= TARGET
        first = spent + 1 + reached.int().argmax(1)
        hit = torch.where(hit.isinf() & reached.any(1), first.to(hit), hit)
        spent += value.shape[1]
        state = optimizer.tell(state, query, Answer(value), s.at(step))[0]
    return hit


def pycma_evaluations(function, dim):
    """(R,) evaluations of `cma.CMAEvolutionStrategy` on COCO's own functions, from the same starts.

    Its rules to stop are not asked.
    """
    landscape = bound(function, dim)
    starts, hit = (
        landscape.start(streams(WORLDS).at(0), 1)[:, 0].numpy(),
        torch.full((WORLDS,), math.inf),
    )
    for world in range(WORLDS):
        problem, spent = cocoex.BareProblem("bbob", function, dim, world + 1), 0
        target = landscape.f_opt[world].item() + TARGET
        search = cma.CMAEvolutionStrategy(starts[world], SIGMA, {"seed": world + 1, "verbose": -9})
        while spent < LIMIT * dim and hit[world].isinf():
            points = search.ask()
            values = [problem(x) for x in points]
            search.tell(points, values)
            hit[world] = next(
                (spent + 1 + k for k, value in enumerate(values) if value <= target), math.inf
            )
            spent += len(points)
    return hit


@pytest.mark.verify
@pytest.mark.parametrize("dim", [5, 10])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_cma_es_needs_as_many_evaluations_as_pycma(function, dim):
    ours, theirs = (
        our_evaluations(function, dim).median().item(),
        pycma_evaluations(function, dim).median().item(),
    )
    assert ours == pytest.approx(theirs, rel=0.1)
    larger = our_evaluations(function, dim, population=2 * (4 + int(3 * math.log(dim))))
    assert larger.median().item() > 1.1 * theirs  # mutant: twice the population


@pytest.mark.verify
@pytest.mark.parametrize("function", BANDS)
def test_cma_es_stays_in_the_published_band(function):
    assert our_evaluations(function, 10).median().item() == pytest.approx(BANDS[function], rel=0.15)
    if function == 10:  # mutant: no negative weights
        assert our_evaluations(function, 10, active=False).median().item() > 1.3 * BANDS[function]


# evolution strategies against EvoTorch: the curve of the center's loss --------------------------------------

STEPS, POINTS = (5, 15, 40), 16
AXES = 10.0 ** (2 * torch.arange(6, dtype=torch.float64) / 5)
START = torch.full((6,), 2.0, dtype=torch.float64)  # sigma 1
RANKS = {
    "optimizer": None,
    "ranking_method": "centered",
}  # PGPE follows the plain gradient of centered ranks
ARMS = {  # kind: their class, our hyperparameters, the same in their words, a mutant of ours
    "snes": ("SNES", {}, {}, {"learning_rate": 1.3}),
    "snes, slower": (
        "SNES",
        {"learning_rate": 0.6, "sigma_learning_rate": 0.2},
        {"center_learning_rate": 0.6, "stdev_learning_rate": 0.2, "scale_learning_rate": False},
        {"sigma_learning_rate": 0.2 * 1.3},
    ),
    "xnes": ("XNES", {}, {}, {"learning_rate": 1.3}),
    "xnes, slower": (
        "XNES",
        {"learning_rate": 0.6, "sigma_learning_rate": 0.15, "shape_learning_rate": 0.15},
        {"center_learning_rate": 0.6, "stdev_learning_rate": 0.15, "scale_learning_rate": False},
        {"learning_rate": 0.6 * 1.3},
    ),
    "pgpe": (
        "PGPE",
        {"learning_rate": 0.5, "sigma_learning_rate": 0.4},
        {"center_learning_rate": 0.5, "stdev_learning_rate": 0.4, **RANKS},
        {"sigma_learning_rate": 0.4 * 1.3},
    ),
    "cem": ("CEM", {"fraction": 0.5, "smoothing": 1.0}, {"parenthood_ratio": 0.5}, {"smoothing": 0.8}),
}


def ellipsoid(x):
    return (AXES * x * x).sum(-1)


def our_centers(kind, spread=1.0, **options):
    """(R, checkpoints) log10 of the center's loss after so many steps.

    Sigma is multiplied by `spread` after each.
    """
    optimizer, s = OPTIMIZERS[kind](population=POINTS, sigma=1.0, **options), streams(OURS)
    state, curve = (
        optimizer.init(Problem(len(START), Reals(), True, lambda n: START.repeat(OURS, n, 1)), s),
        [],
    )
    for step in range(1, STEPS[-1] + 1):
        query = optimizer.ask(state, s.at(step))
        state = optimizer.tell(state, query, Answer(ellipsoid(query.points)), s.at(step))[0]
        state = state._replace(sigma=spread * state.sigma)
        curve.append(ellipsoid(optimizer.center(state)).log10())
    return torch.stack(curve, 1)[:, [step - 1 for step in STEPS]]


def evotorch_centers(name, **options):
    """The same of EvoTorch's objects; their step first learns from the points of the last one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit.script, as it is imported
        import evotorch
    curves = []
    for run in range(RUNS):
        task = evotorch.Problem(
            "min",
            ellipsoid,
            solution_length=len(START),
            dtype=torch.float64,
            vectorized=True,
            initial_bounds=(-1, 1),
            seed=1000 + run,
        )
        search, curve = (
            getattr(evotorch.algorithms, name)(
                task, popsize=POINTS, center_init=START, stdev_init=1.0, **options
            ),
            [],
        )
        for _ in range(STEPS[-1] + 1):
            search.step()
            curve.append(ellipsoid(search.status["center"].as_subclass(torch.Tensor)).log10())
        curves.append(torch.stack(curve)[list(STEPS)])
    return torch.stack(curves)


@pytest.mark.verify
@pytest.mark.parametrize("arm", ARMS)
def test_evolution_strategies_descend_like_evotorch(arm):
    """EvoTorch's CEM takes the elite's standard deviation over n - 1, where de Boer et al.

    2005, section 5, have n: sqrt(n / (n - 1)) of ours.
    """
    kind = arm.split(",")[0]
    name, options, theirs, mutant = ARMS[arm]
    spread = math.sqrt(8 / 7) if kind == "cem" else 1.0  # 8 of 16
    reference = evotorch_centers(name, **theirs)
    assert deviation(our_centers(kind, spread, **options), reference) < Z
    assert deviation(our_centers(kind, spread, **options | mutant), reference) > Z
    if kind == "cem":
        assert deviation(our_centers(kind, **options), reference) > Z  # mutant: over n


# GA against DEAP: the curve of the best loss ----------------------------------------------------------------

GENERATIONS, MEMBERS, LOCI = (5, 10, 20, 30), 40, 96


class Least(base.Fitness):
    weights = (-1.0,)


class Genotype(list):
    def __init__(self, genes):
        super().__init__(genes)
        self.fitness = Least()


def ones_missing(x):
    return LOCI - x.double().sum(-1)


def sphere(x):
    return (x * x).sum(-1)


PROBLEMS = {  # domain, start, loss, DEAP's gene, loss and mutation, the mutation of ours
    "bits": (
        Bits(),
        lambda s, n: s.coins("init", (n, LOCI)).to(torch.uint8),
        ones_missing,
        lambda: random.getrandbits(1),
        lambda x: LOCI - sum(x),
        (tools.mutFlipBit, {"indpb": 0.01}),
        {"mutation_rate": 0.01},
    ),
    "sphere": (
        Reals(-5, 5),
        lambda s, n: -5 + 10 * s.uniform("init", (n, 10)),
        sphere,
        lambda: random.uniform(-5, 5),
        lambda x: sum(gene * gene for gene in x),
        (tools.mutGaussian, {"mu": 0.0, "sigma": 0.3, "indpb": 0.2}),
        {"mutation_rate": 0.2, "mutation_sigma": 0.3},
    ),
}
CROSSOVERS = {
    "uniform": (tools.cxUniform, {"indpb": 0.5}),
    "one_point": (tools.cxOnePoint, {}),
    "two_point": (tools.cxTwoPoint, {}),
}


def our_best(case, **options):
    """(R, checkpoints) the lowest loss of each generation."""
    domain, start, loss, *_, mutation = PROBLEMS[case]
    optimizer, s = OPTIMIZERS["ga"](population=MEMBERS, **mutation | options), streams(OURS)
    dim = start(s.at(1), 1).shape[-1]
    state, curve = optimizer.init(Problem(dim, domain, True, lambda n: start(s.at(0), n)), s), []
    for step in range(1, GENERATIONS[-1] + 2):
        query = optimizer.ask(state, s.at(step))
        state = optimizer.tell(state, query, Answer(loss(query.points)), s.at(step))[0]
        curve.append(state.value)
    return torch.stack(curve, 1)[:, list(GENERATIONS)]


def deap_best(case, crossover, tournament, rate):
    """The same of the body of `deap.algorithms.eaSimple`.

    The two children of a pair are each other's complement, which no mean of one locus sees.
    """
    _, _, _, gene, loss, (mutation, how), _ = PROBLEMS[case]
    box, before, curves = base.Toolbox(), random.getstate(), []
    mate, options = CROSSOVERS[crossover]
    box.register("mate", mate, **options)
    box.register("mutate", mutation, **how)
    dim = LOCI if case == "bits" else 10
    for run in range(RUNS):
        random.seed(run)
        population, curve = [Genotype(gene() for _ in range(dim)) for _ in range(MEMBERS)], []
        for _ in range(GENERATIONS[-1] + 1):
            for one in population:
                one.fitness.values = (loss(one),)
            curve.append(min(one.fitness.values[0] for one in population))
            population = algorithms.varAnd(
                tools.selTournament(population, MEMBERS, tournsize=tournament),
                box,
                cxpb=rate,
                mutpb=1.0,
            )
        curves.append([curve[generation] for generation in GENERATIONS])
    random.setstate(before)
    return torch.tensor(curves, dtype=torch.float64)


@pytest.mark.verify
@pytest.mark.parametrize("case", PROBLEMS)
@pytest.mark.parametrize(
    ("crossover", "tournament", "rate"),
    [("uniform", 3, 0.9), ("one_point", 2, 0.6), ("two_point", 2, 1.0)],
)
def test_ga_improves_like_deap(case, crossover, tournament, rate):
    theirs = deap_best(case, crossover, tournament, rate)
    same = {"crossover": crossover, "tournament": tournament, "recombination_rate": rate}
    assert deviation(our_best(case, **same), theirs) < Z
    assert (
        deviation(our_best(case, **same | {"tournament": tournament + 1}), theirs) > Z
    )  # mutant: stronger selection
    assert (
        deviation(our_best(case, **same | {"recombination_rate": 0.0}), theirs) > Z
    )  # mutant: no recombination
