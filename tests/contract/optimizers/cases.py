"""Each optimizer with several settings, for the tests of the contract."""

from typing import Any, NamedTuple

import torch

from landscapes.base import Bits, Letters, Reals
from optimizers.gradient.step_sizes import StepSize
from optimizers.schedules import Schedule
from optimizers.spectrum import Spectrum
from optimizers.workers import Service

FLOATS = [torch.float64, torch.float32]
REALS, BITS = Reals(), Bits()
LETTERS = Letters((tuple("ACGT"), tuple("GA"), tuple("TCG")) * 11)  # of the first coordinates
PHASES = ("memetic",)  # methods that ask for gradients at some steps and for values alone at others
LARGEST = {"quasispecies": 9}  # coordinates, where a method has a limit
SMALLEST = {"deap_ga": 2, "evotorch": 2}  # their crossover at points, and their cma_es, need two


class Case(NamedTuple):
    """An optimizer with its options, how many points it asks for at a step, and where it searches."""

    kind: str
    options: dict[str, Any]
    points: Any  # a number, or a function of the dimension
    domain: Reals | Bits | Letters


def case(kind, domain, /, asks=None, **options):
    """A case; it asks for its population, or for one point, at a step, unless `asks` says otherwise."""
    return Case(kind, options, options.get("population", 1) if asks is None else asks, domain)


def decay(kind, steps):
    return Schedule(kind=kind, steps=steps)


def identity(case):
    return f"{case.kind}-{case.domain.__class__.__name__}-{'-'.join(map(str, case.options.values()))}"


def corners(dim):
    return 2**dim


def neighbours(dim):
    return dim + 1


def other_letters(dim):
    return 1 + sum(size - 1 for size in LETTERS.sizes[:dim])


CASES = [
    case("sgd", REALS, starts=1),
    case("sgd", REALS, asks=5, starts=5, momentum=0.8, nesterov=True, clip=0.7, weight_decay=0.01),
    case("sgd", REALS, asks=3, starts=3, schedule=Schedule(kind="exponential", steps=3, warmup=2)),
    case("openai_es", REALS, population=6, learning_rate=0.05),
    case("openai_es", REALS, population=7, antithetic=False, inner="adam"),
    case("openai_es", REALS, population=12, antithetic=False, shaping="z_score", group=4),
    case("openai_es", REALS, population=12, group=6, shaping="raw", learning_rate=0.02),
    case("openai_es", REALS, population=5, antithetic=False, shaping="uncentered", learning_rate=0.01),
    case(
        "openai_es",
        REALS,
        population=5,
        antithetic=False,
        shaping="raw",
        momentum=0.5,
        weight_decay=0.1,
        learning_rate=0.02,
    ),
    case("openai_es", REALS, population=2, shaping="raw", inner="adam", schedule=decay("cosine", 4)),
    case("ga", REALS, population=9, elite=1),
    case("ga", REALS, population=7, selection="truncation", crossover="two_point", mutation_rate=0.5),
    case("ga", REALS, population=1, crossover="none"),
    case(
        "ga",
        BITS,
        population=9,
        selection="proportional",
        crossover="one_point",
        recombination_rate=0.4,
    ),
    case(
        "ga",
        BITS,
        population=7,
        selection="proportional",
        fitness="linear",
        selection_strength=0.1,
        elite=2,
    ),
    case("ga", BITS, population=5, selection="none", crossover="two_point"),
    case("ga", REALS, population=7, opponents=3, elite=1),
    case("ga", BITS, population=6, opponents=2, selection="proportional", sampling="systematic"),
    case("ga", BITS, population=7, sampling="systematic", elite=1),
    case("ga", REALS, population=6, sampling="systematic", selection="proportional"),
    case("wright_fisher", BITS, asks=10, population=5, ploidy=2, sampling="systematic"),
    case("wright_fisher", BITS, population=6, model="moran", sampling="systematic"),
    case(
        "steady_state_ga",
        REALS,
        asks=2,
        population=6,
        children=2,
        replacement="random",
        sampling="systematic",
    ),
    case(
        "island_ga",
        BITS,
        population=9,
        islands=3,
        interval=1,
        migration="random",
        sampling="systematic",
    ),
    case("random_search", Reals(-2.0, 2.0), population=3),
    case("random_search", BITS, population=1),
    case("random_search", LETTERS, population=3),
    case("wright_fisher", REALS, population=7),
    case("bernoulli_nes", BITS, population=7),
    case(
        "bernoulli_nes",
        BITS,
        population=4,
        shaping="raw",
        natural=False,
        lean=1.0,
        margin=0.01,
        learning_rate=0.05,
    ),
    case("pbil", BITS, population=9),
    case("pbil", BITS, population=5, selected=1, learning_rate=1.0, margin=0.0),
    case("cga", BITS, asks=2, population=10),
    case("quasispecies", BITS, asks=corners, founders=5),
    case(
        "quasispecies",
        BITS,
        asks=corners,
        founders=7,
        crossover="one_point",
        recombination_rate=0.4,
        fitness="linear",
    ),
    case("quasispecies", BITS, asks=corners, crossover="free", mutation_rate=0.02),
    case("linkage_equilibrium", REALS),
    case("linkage_equilibrium", REALS, ploidy=2, mutation_rate=0.01, selection_strength=0.003),
    case("adaptive_walk", BITS, asks=neighbours, rule="greedy"),
    case("adaptive_walk", BITS, asks=neighbours, rule="random"),
    case("adaptive_walk", BITS, asks=neighbours, rule="proportional"),
    case("adaptive_walk", LETTERS, asks=other_letters, rule="random"),
    case("ga", LETTERS, population=7, elite=1, spectrum=Spectrum(transitions=3.0)),
    case("ga", BITS, population=6, selection="none", spectrum=Spectrum(rates={"0>1": 3.0})),
    case("steady_state_ga", LETTERS, asks=2, population=4, children=2),
    case("island_ga", LETTERS, population=6, islands=3, interval=1),
    case("async_steady_state_ga", LETTERS, asks=1, population=4, workers=3),
    case("one_plus_one_ea", LETTERS, spectrum=Spectrum(transitions=2.0)),
    case("one_plus_one_ea", BITS, spectrum=Spectrum(rates={"1>0": 0.5})),
    case("rls", LETTERS),
    case("sswm", BITS, spectrum=Spectrum(rates={"1>0": 0.25})),
    case("wright_fisher", BITS, population=5, spectrum=Spectrum(rates={"1>0": 0.25})),
    case("sswm", BITS, asks=1, population=20),
    case("sswm", LETTERS, asks=1, population=20, spectrum=Spectrum(transitions=3.0)),
    case("sswm", BITS, asks=1, population=5, model="moran", fitness="linear", selection_strength=0.1),
    case("one_plus_one_ea", BITS),
    case("one_plus_one_ea", BITS, mutation_rate=0.3),
    case("rls", BITS),
    case(
        "wright_fisher",
        REALS,
        asks=10,
        population=5,
        ploidy=2,
        crossover="one_point",
        recombination_rate=0.6,
        fitness="linear",
    ),
    case("wright_fisher", BITS, population=9, crossover="none", mutation_rate=0.1),
    case("wright_fisher", LETTERS, population=7, mutation_rate=0.3),
    case(
        "wright_fisher",
        LETTERS,
        asks=10,
        population=5,
        ploidy=2,
        model="moran",
        spectrum=Spectrum(transitions=3.0, rates={"A>G": 0.5}),
    ),
    case("wright_fisher", BITS, population=7, crossover="multi_point", recombination_rate=0.2),
    case("wright_fisher", BITS, asks=10, population=5, ploidy=2, recombination_rate=0.5),
    case("wright_fisher", BITS, population=7, model="moran", crossover="one_point"),
    case("wright_fisher", BITS, asks=10, population=5, model="moran", ploidy=2, mutation_rate=0.3),
    case("one_plus_one", REALS),
    case("one_plus_one", REALS, sigma=0.2, target=0.3, damping=2.0),
    case("snes", REALS, population=7),
    case("snes", REALS, population=2, sigma=0.3, learning_rate=0.5, sigma_learning_rate=0.2),
    case("cma_es", REALS, population=7),
    case("cma_es", REALS, population=6, sigma=0.3, lazy=3, active=False),
    case("cma_es", REALS, population=5, covariance="diagonal"),
    case("sgd", REALS, asks=3, average="polyak", momentum=0.5, starts=3),
    case("sgd", REALS, average="tail", burn_in=2),
    case("adam", REALS, asks=3, starts=3),
    case("adam", REALS, weight_decay=0.1, decay="coupled", clip=0.5),
    case("adam", REALS, weight_decay=0.1, schedule=decay("cosine", 4)),
    case("langevin", REALS, asks=3, temperature=0.1, starts=3),
    case("langevin", REALS, temperature=0.05, schedule=decay("inverse_time", 3)),
    case("metropolis", REALS, asks=3, starts=3),
    case("metropolis", REALS, starts=1, temperature=0.0),
    case("metropolis", BITS, starts=1, temperature=0.5),
    case("metropolis", BITS, asks=5, starts=5, mutation_rate=0.3),
    case("simulated_annealing", REALS, asks=3, starts=3),
    case("simulated_annealing", BITS, starts=1),
    case("signed_sgd", REALS, asks=3, momentum=0.5, starts=3),
    case("natural_sgd", REALS, asks=3, starts=3),
    case("natural_sgd", REALS, damping=0.1),
    case("spsa", REALS, asks=2),
    case("spsa", REALS, asks=6, pairs=3, stability=2.0),
    case("mu_lambda", REALS, population=7),
    case("mu_lambda", REALS, population=5, parents=3, weights="equal", damping=1.5, sigma=0.2),
    case("mu_lambda", REALS, population=2),
    case("xnes", REALS, population=7),
    case("xnes", REALS, population=3, sigma=0.3, shape_learning_rate=0.1),
    case("pgpe", REALS, population=6),
    case("pgpe", REALS, population=4, shaping="raw", learning_rate=0.05, sigma_learning_rate=0.01),
    case("cem", REALS, population=7),
    case("cem", REALS, population=9, fraction=0.3, noise=0.02, steps=4, smoothing=1.0),
    case("extragradient", REALS, asks=3, starts=3),
    case("extragradient", REALS, schedule=decay("inverse_time", 3)),
    case("alternating", REALS, asks=3, momentum=-0.3, starts=3),
    case("nelder_mead", REALS),
    case("nelder_mead", REALS, coefficients="standard", step=0.1),
    case("lbfgs", REALS),
    case("lbfgs", REALS, memory=2, first_step=5.0, trials=2),
    case("de", REALS, population=7),
    case("de", REALS, population=5, strategy="best", crossover_rate=0.3, scale=0.8),
    case("de", REALS, population=3, strategy="current_to_best", crossover_rate=0.0),
    case("island_ga", REALS, population=12, interval=2),
    case(
        "island_ga", REALS, population=9, islands=3, elite=1, migrants=2, interval=1, migration="random"
    ),
    case(
        "island_ga", BITS, population=7, islands=1, selection="truncation", crossover="none", interval=1
    ),
    case(
        "island_ga",
        BITS,
        population=10,
        islands=2,
        selection="proportional",
        crossover="two_point",
        elite=2,
        interval=2,
    ),
    case(
        "island_ga",
        BITS,
        population=6,
        islands=2,
        selection="none",
        crossover="one_point",
        migrants=3,
        migration="random",
    ),
    case("parallel_tempering", REALS, population=5),
    case("parallel_tempering", REALS, population=2, hottest=0.01),
    case("parallel_tempering", BITS, population=4, coldest=0.3, hottest=3.0),
    case("parallel_tempering", BITS, population=3, mutation_rate=0.3),
    case("steady_state_ga", REALS, asks=2, population=6, children=2),
    case(
        "steady_state_ga",
        REALS,
        asks=1,
        population=3,
        replacement="random",
        crossover="two_point",
        mutation_rate=0.5,
    ),
    case(
        "steady_state_ga",
        BITS,
        asks=3,
        population=9,
        children=3,
        crossover="one_point",
        recombination_rate=0.5,
        tournament=3,
    ),
    case("steady_state_ga", BITS, population=5, children=5, replacement="random", crossover="none"),
    case("async_sgd", REALS, workers=3),
    case(
        "async_sgd",
        REALS,
        asks=4,
        workers=4,
        mode="sync",
        backups=1,
        clip=0.5,
        schedule=decay("step", 2),
    ),
    case(
        "async_sgd",
        REALS,
        workers=3,
        momentum=-0.3,
        staleness_aware=True,
        service=Service(kind="pareto", shape=2.5),
    ),
    case("async_steady_state_ga", REALS, asks=1, population=6, workers=3),
    case("async_steady_state_ga", BITS, asks=1, population=3, workers=5),
    case(
        "async_steady_state_ga",
        REALS,
        asks=1,
        population=3,
        workers=2,
        replacement="random",
        crossover="two_point",
        mutation_rate=0.5,
    ),
    case(
        "async_steady_state_ga",
        BITS,
        asks=1,
        population=3,
        workers=3,
        service=Service(kind="constant", stragglers=1, slowdown=4.0),
    ),
    case(
        "async_steady_state_ga",
        BITS,
        asks=3,
        population=9,
        workers=3,
        mode="sync",
        crossover="one_point",
        recombination_rate=0.5,
    ),
    case("coevolution", REALS, population=7),
    case("ipop_cma_es", REALS, population=7),
    case("ipop_cma_es", REALS, population=4, covariance="diagonal", restarts=2, growth=3),
    case("uh_cma_es", REALS, asks=9, population=7),
    case("uh_cma_es", REALS, asks=8, population=5, covariance="diagonal", reevaluated=3),
    case(
        "coevolution",
        REALS,
        population=5,
        selection="truncation",
        crossover="two_point",
        mutation_rate=0.5,
    ),
    case(
        "coevolution",
        BITS,
        population=6,
        selection="proportional",
        crossover="one_point",
        recombination_rate=0.4,
    ),
    case("consensus", REALS, population=7),
    case("consensus", REALS, population=5, noise="isotropic", alpha=0.0),
    case("consensus", REALS, population=2, diffusion=2.0),
    case("recombined_sgd", REALS, population=5, interval=2),
    case(
        "recombined_sgd",
        REALS,
        population=3,
        interval=1,
        momentum=0.5,
        nesterov=True,
        clip=0.7,
        weight_decay=0.1,
    ),
    case("recombined_sgd", REALS, population=4, interval=2, exchange="average"),
    case("recombined_sgd", REALS, population=3, interval=1, exchange="average", pull=0.3, momentum=0.5),
    case("recombined_sgd", REALS, population=1, interval=1, schedule=decay("cosine", 4)),
    case("recombined_sgd", REALS, population=2, exchange="none"),
    case("memetic", REALS, population=7, descent_steps=1),
    case("memetic", REALS, population=9, descent_steps=2, learning="baldwinian", elite=1),
    case(
        "memetic", REALS, population=5, descent_steps=0, selection="truncation", crossover="two_point"
    ),
    case("memetic", REALS, population=1, descent_steps=1, crossover="none", selection="proportional"),
    case("pbt", REALS, population=5, interval=1),
    case(
        "pbt", REALS, population=7, interval=2, fraction=0.5, momentum=0.5, clip=0.7, weight_decay=0.1
    ),
    case("pbt", REALS, population=2, interval=1, fraction=0.5, spread=1.0),
    case("torch_optim", REALS, asks=3, learning_rate=0.05, starts=3),
    case("torch_optim", REALS, method="RMSprop", options={"momentum": 0.5, "centered": True}),
    case("evotorch", REALS, algorithm="snes", population=5),
    case("evotorch", REALS, algorithm="pgpe", population=6),
    case("evotorch", REALS, algorithm="cma_es", population=7),
    case("deap_ga", REALS, population=7, crossover="blend"),
    case("deap_ga", BITS, population=9, crossover="two_point", mutants=1.0),
    case("deap_cma", REALS, population=7),
    case("pycma", REALS, population=7),
    case("pycma", REALS, population=6, sigma=0.3, options={"CMA_diagonal": True}),
    case("sgd", REALS, batch=3, coupling="constant_variance", schedule=decay("exponential", 3)),
    case("sgd", REALS, asks=3, step_size=StepSize(kind="clt", tolerance=0.5, memory=3), starts=3),
    case("sgd", REALS, step_size=StepSize(kind="inverse_variance", memory=2), momentum=0.5),
    case("langevin", REALS, batch=3, coupling="grow", schedule=decay("inverse_time", 3)),
    case("natural_sgd", REALS, batch=3, coupling="constant_temperature", schedule=decay("cosine", 4)),
    case(
        "openai_es",
        REALS,
        asks=10,
        population=4,
        coupling="grow",
        largest=10,
        sigma_schedule=decay("exponential", 4),
    ),
    case(
        "openai_es",
        REALS,
        population=7,
        antithetic=False,
        shaping="raw",
        learning_rate=0.02,
        coupling="constant_variance",
        coupled="learning_rate",
        schedule=decay("cosine", 5),
    ),
    case(
        "ga",
        REALS,
        asks=9,
        population=3,
        elite=1,
        coupling="grow",
        largest=9,
        schedule=decay("exponential", 4),
    ),
    case(
        "ga",
        REALS,
        population=9,
        coupling="constant_variance",
        selection="truncation",
        schedule=decay("cosine", 4),
    ),
    case(
        "ga",
        BITS,
        population=7,
        coupling="constant_temperature",
        selection="proportional",
        schedule=decay("step", 1),
    ),
    case("simulated_annealing", REALS, asks=3, starts=3, schedule=decay("logarithmic", 3)),
]
