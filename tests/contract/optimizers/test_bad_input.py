"""An optimizer refuses a parameter that is out of range in one line that says what was expected."""

import dataclasses
import math
import re

import pytest
import torch

from optimizers.workers import Service
from tests.support.each import each
from tests.support.play import build


def wrong(message, /, method=None, **options):
    """Options of the optimizer that the message names first (or of `method`), and the message."""
    kind = method or message.partition(".")[0]
    return pytest.param(kind, options, message, id=f"{kind}-{message}")


WRONG = [
    wrong("sgd.learning_rate: expected > 0", learning_rate=0.0),
    wrong("sgd.learning_rate: expected > 0", learning_rate=torch.tensor([0.1, -0.1])),
    wrong("sgd.momentum: expected < 1", momentum=1.0),
    wrong("sgd.momentum: expected >= 0", momentum=-0.1),
    wrong("sgd.momentum: expected > 0 with nesterov", nesterov=True),
    wrong("sgd.clip: expected > 0", clip=0.0),
    wrong("sgd.weight_decay: expected >= 0", weight_decay=-1.0),
    wrong("sgd.starts: expected >= 1", starts=0),
    wrong("openai_es.population: expected >= 2", population=1),
    wrong("openai_es.population: expected an even number", population=5),
    wrong("openai_es.sigma: expected > 0", sigma=0.0),
    wrong("openai_es.learning_rate: expected > 0", learning_rate=math.nan),
    wrong(
        "openai_es.shaping: expected one of centered_ranks, raw, uncentered, z_score", shaping="ranks"
    ),
    wrong("openai_es.shaping: mirrored points have no baseline", shaping="uncentered"),
    wrong("openai_es.group: expected >= 2", group=1),
    wrong(
        "openai_es.group: expected a divisor of the population 16, even with antithetic points, got 6",
        group=6,
    ),
    wrong(
        "openai_es.group: expected a divisor of the population 9, got 2",
        population=9,
        antithetic=False,
        group=2,
    ),
    wrong("openai_es.group: expected a population that does not change", group=4, largest=32),
    wrong("openai_es.inner: expected one of sgd, adam", inner="rmsprop"),
    wrong("openai_es.momentum: expected < 1", momentum=1.0),
    wrong("openai_es.beta1: expected < 1", beta1=1.0),
    wrong("openai_es.beta2: expected >= 0", beta2=-0.1),
    wrong("openai_es.weight_decay: expected >= 0", weight_decay=-0.1),
    wrong("ga.population: expected >= 1", population=0),
    wrong(
        "ga.selection: expected one of tournament, truncation, proportional, none", selection="roulette"
    ),
    wrong("ga.tournament: expected >= 1", tournament=0),
    wrong("ga.opponents: expected >= 1", opponents=0),
    wrong("sgd.batch: expected a number of terms with coupling 'grow', got None", coupling="grow"),
    wrong(
        "sgd.coupling: expected one of none, constant_variance, constant_temperature, grow, decay_and_grow",
        batch=3,
        coupling="smith",
    ),
    wrong("sgd.batch: expected >= 1", batch=0),
    wrong("langevin.batch: expected a number of terms with coupling", coupling="constant_variance"),
    wrong("natural_sgd.batch: expected a number of terms with coupling", coupling="constant_variance"),
    wrong(
        "openai_es.largest: expected a number of points >= population = 16 with coupling 'grow', got None",
        coupling="grow",
    ),
    wrong("openai_es.largest: expected >= population = 16, got 8", largest=8),
    wrong("openai_es.largest: expected an even number with antithetic points, got 17", largest=17),
    wrong("openai_es.coupled: expected one of sigma, learning_rate", coupled="momentum"),
    wrong(
        "ga.largest: expected a number of points >= population = 64 with coupling 'decay_and_grow', got None",
        coupling="decay_and_grow",
    ),
    wrong("ga.truncation: expected > 0", truncation=0.0),
    wrong("ga.truncation: expected <= 1", truncation=1.1),
    wrong("ga.fitness: expected one of linear, exponential", fitness="log"),
    wrong("ga.selection_strength: expected >= 0", selection_strength=-1.0),
    wrong("ga.crossover: expected one of uniform, one_point, two_point, none", crossover="three_point"),
    wrong("ga.recombination_rate: expected <= 1", recombination_rate=1.5),
    wrong("ga.mutation_rate: expected >= 0", mutation_rate=-0.5),
    wrong("ga.mutation_sigma: expected >= 0", mutation_sigma=-0.5),
    wrong("ga.elite: expected 0 <= elite < population = 4, got 4", population=4, elite=4),
    wrong("ga.elite: expected >= 0", elite=-1),
    wrong("random_search.population: expected >= 1", population=0),
    wrong("wright_fisher.population: expected >= 1", population=0),
    wrong("quasispecies.founders: expected >= 1", founders=0),
    wrong("bernoulli_nes.population: expected >= 2", population=1),
    wrong("bernoulli_nes.learning_rate: expected > 0", learning_rate=0.0),
    wrong("bernoulli_nes.shaping: expected one of centered_ranks, raw", shaping="ranks"),
    wrong("bernoulli_nes.lean: expected >= 0", lean=-1.0),
    wrong("bernoulli_nes.margin: expected < 0.5", margin=0.5),
    wrong("pbil.selected: expected 1 <= selected <= population = 4, got 5", population=4, selected=5),
    wrong("pbil.learning_rate: expected <= 1", learning_rate=1.5),
    wrong("pbil.margin: expected >= 0", margin=-0.1),
    wrong("cga.population: expected > 1", population=1),
    wrong("cga.margin: expected < 0.5", margin=0.5),
    wrong("quasispecies.crossover: expected one of none, one_point, free", crossover="two_point"),
    wrong("quasispecies.recombination_rate: expected <= 1", recombination_rate=1.5),
    wrong("quasispecies.mutation_rate: expected >= 0", mutation_rate=-0.5),
    wrong("quasispecies.selection_strength: expected >= 0", selection_strength=-0.5),
    wrong("linkage_equilibrium.ploidy: expected one of 1, 2", ploidy=4),
    wrong("linkage_equilibrium.mutation_rate: expected <= 1", mutation_rate=1.5),
    wrong("linkage_equilibrium.selection_strength: expected >= 0", selection_strength=-0.5),
    wrong("adaptive_walk.rule: expected one of greedy, random, proportional", rule="steepest"),
    wrong("sswm.population: expected >= 1", population=0.5),
    wrong("sswm.model: expected one of wright_fisher, moran", model="cannings"),
    wrong("sswm.selection_strength: expected >= 0", selection_strength=-1.0),
    wrong("one_plus_one_ea.mutation_rate: expected <= 1", mutation_rate=1.5),
    wrong("wright_fisher.ploidy: expected one of 1, 2", ploidy=3),
    wrong("wright_fisher.model: expected one of wright_fisher, moran", model="cannings"),
    wrong("wright_fisher.selection_strength: expected >= 0", selection_strength=-1.0),
    wrong(
        "wright_fisher.crossover: expected one of none, one_point, multi_point, free",
        crossover="uniform",
    ),
    wrong("wright_fisher.recombination_rate: expected <= 1", recombination_rate=1.5),
    wrong("wright_fisher.mutation_rate: expected >= 0", mutation_rate=-0.5),
    wrong("wright_fisher.mutation_sigma: expected >= 0", mutation_sigma=-0.5),
    wrong("one_plus_one.sigma: expected > 0", sigma=0.0),
    wrong("one_plus_one.target: expected < 1", target=1.0),
    wrong("one_plus_one.target: expected > 0", target=0.0),
    wrong("one_plus_one.damping: expected > 0", damping=0.0),
    wrong("snes.population: expected >= 2", population=1),
    wrong("snes.sigma: expected > 0", sigma=-1.0),
    wrong("snes.learning_rate: expected > 0", learning_rate=0.0),
    wrong("snes.sigma_learning_rate: expected > 0", sigma_learning_rate=0.0),
    wrong("cma_es.population: expected >= 2", population=1),
    wrong("cma_es.sigma: expected > 0", sigma=0.0),
    wrong("cma_es.covariance: expected one of full, diagonal", covariance="low_rank"),
    wrong("cma_es.lazy: expected >= 1", lazy=0),
    wrong("sgd.average: expected one of none, polyak, tail", average="ema"),
    wrong("sgd.burn_in: expected > 0 with average tail, else 0, got 0 with tail", average="tail"),
    wrong("sgd.burn_in: expected > 0 with average tail, else 0, got 3 with none", burn_in=3),
    wrong("adam.learning_rate: expected > 0", learning_rate=0.0),
    wrong("adam.beta1: expected < 1", beta1=1.0),
    wrong("adam.beta2: expected >= 0", beta2=-0.1),
    wrong("adam.epsilon: expected > 0", epsilon=0.0),
    wrong("adam.weight_decay: expected >= 0", weight_decay=-0.1),
    wrong("adam.decay: expected one of decoupled, coupled", decay="none"),
    wrong("adam.clip: expected > 0", clip=0.0),
    wrong("adam.starts: expected >= 1", starts=0),
    wrong("langevin.learning_rate: expected > 0", learning_rate=0.0),
    wrong("langevin.temperature: expected >= 0", temperature=-0.1),
    wrong("langevin.starts: expected >= 1", starts=0),
    wrong("metropolis.temperature: expected >= 0", temperature=-0.1),
    wrong("metropolis.sigma: expected > 0", sigma=0.0),
    wrong("metropolis.mutation_rate: expected <= 1", mutation_rate=1.5),
    wrong("metropolis.starts: expected >= 1", starts=0),
    wrong("simulated_annealing.temperature: expected >= 0", temperature=-0.1),
    wrong("simulated_annealing.sigma: expected > 0", sigma=0.0),
    wrong("simulated_annealing.mutation_rate: expected >= 0", mutation_rate=-0.5),
    wrong("simulated_annealing.starts: expected >= 1", starts=0),
    wrong("signed_sgd.learning_rate: expected > 0", learning_rate=0.0),
    wrong("signed_sgd.momentum: expected < 1", momentum=1.0),
    wrong("signed_sgd.starts: expected >= 1", starts=0),
    wrong("natural_sgd.learning_rate: expected > 0", learning_rate=0.0),
    wrong("natural_sgd.metric: expected one of logistic, given", metric="fisher"),
    wrong(
        "natural_sgd.matrix: expected one with metric given and none with logistic, got None with given",
        metric="given",
    ),
    wrong(
        "natural_sgd.matrix: expected one with metric given and none with logistic", matrix=(1.0, 2.0)
    ),
    wrong("natural_sgd.matrix: expected a positive definite one", metric="given", matrix=(1.0, -2.0)),
    wrong(
        "natural_sgd.matrix: expected a positive definite one",
        metric="given",
        matrix=((1.0, 2.0), (2.0, 1.0)),
    ),
    wrong(
        "natural_sgd.matrix: expected .* a symmetric", metric="given", matrix=((2.0, 1.0), (0.0, 2.0))
    ),
    wrong(
        "natural_sgd.matrix: expected its diagonal, or as many rows of as many numbers",
        metric="given",
        matrix=((2.0, 1.0), (1.0,)),
    ),
    wrong(
        "natural_sgd.matrix: expected its diagonal, or as many rows of as many numbers",
        metric="given",
        matrix=(),
    ),
    wrong("natural_sgd.damping: expected >= 0", damping=-0.1),
    wrong("natural_sgd.starts: expected >= 1", starts=0),
    wrong("spsa.learning_rate: expected > 0", learning_rate=0.0),
    wrong("spsa.perturbation: expected > 0", perturbation=0.0),
    wrong("spsa.stability: expected >= 0", stability=-1.0),
    wrong("spsa.alpha: expected <= 1", alpha=1.5),
    wrong("spsa.gamma: expected >= 0", gamma=-0.1),
    wrong("spsa.pairs: expected >= 1", pairs=0),
    wrong("mu_lambda.population: expected >= 2", population=1),
    wrong("mu_lambda.parents: expected >= 1", parents=0),
    wrong("mu_lambda.parents: expected 1 <= parents <= population = 4, got 5", population=4, parents=5),
    wrong("mu_lambda.weights: expected one of log, equal", weights="linear"),
    wrong("mu_lambda.sigma: expected > 0", sigma=0.0),
    wrong("mu_lambda.damping: expected > 0", damping=0.0),
    wrong("xnes.population: expected >= 2", population=1),
    wrong("xnes.sigma: expected > 0", sigma=0.0),
    wrong("xnes.learning_rate: expected > 0", learning_rate=0.0),
    wrong("xnes.sigma_learning_rate: expected > 0", sigma_learning_rate=0.0),
    wrong("xnes.shape_learning_rate: expected > 0", shape_learning_rate=0.0),
    wrong("pgpe.population: expected >= 4", population=2),
    wrong("pgpe.population: expected an even number of points, got 5", population=5),
    wrong("pgpe.sigma: expected > 0", sigma=0.0),
    wrong("pgpe.learning_rate: expected > 0", learning_rate=0.0),
    wrong("pgpe.sigma_learning_rate: expected >= 0", sigma_learning_rate=-0.1),
    wrong("pgpe.limit: expected < 1", limit=1.0),
    wrong("pgpe.shaping: expected one of centered_ranks, raw", shaping="ranks"),
    wrong("cem.population: expected >= 2", population=1),
    wrong("cem.fraction: expected > 0", fraction=0.0),
    wrong("cem.fraction: expected <= 1", fraction=1.5),
    wrong("cem.sigma: expected > 0", sigma=0.0),
    wrong("cem.smoothing: expected > 0", smoothing=0.0),
    wrong("cem.noise: expected >= 0", noise=-1.0),
    wrong("cem.steps: expected > 0", steps=0),
    wrong("extragradient.learning_rate: expected > 0", learning_rate=0.0),
    wrong("extragradient.starts: expected >= 1", starts=0),
    wrong("alternating.learning_rate: expected > 0", learning_rate=0.0),
    wrong("alternating.momentum: expected > -1", momentum=-1.0),
    wrong("alternating.momentum: expected < 1", momentum=1.0),
    wrong("alternating.starts: expected >= 1", starts=0),
    wrong("nelder_mead.step: expected > 0", step=0.0),
    wrong("nelder_mead.coefficients: expected one of adaptive, standard", coefficients="fast"),
    wrong("lbfgs.memory: expected >= 1", memory=0),
    wrong("lbfgs.first_step: expected > 0", first_step=0.0),
    wrong("lbfgs.sufficient: expected > 0", sufficient=0.0),
    wrong("lbfgs.curvature: expected < 1", curvature=1.0),
    wrong("lbfgs.sufficient: expected < curvature = 0.4, got 0.5", sufficient=0.5, curvature=0.4),
    wrong("lbfgs.trials: expected >= 1", trials=0),
    wrong("de.population: expected >= 3", population=2, strategy="best"),
    wrong("de.population: expected >= 4 with the strategy rand, got 3", population=3),
    wrong("de.strategy: expected one of rand, best, current_to_best", strategy="rand/1"),
    wrong("de.scale: expected > 0", scale=0.0),
    wrong("de.crossover_rate: expected <= 1", crossover_rate=1.5),
    wrong("island_ga.population: expected a multiple of islands = 4, got 10", population=10),
    wrong("island_ga.islands: expected >= 1", islands=0),
    wrong(
        "island_ga.migrants: expected 0 <= migrants <= population / islands = 16, got 17", migrants=17
    ),
    wrong("island_ga.interval: expected >= 1", interval=0),
    wrong("island_ga.migration: expected one of best, random", migration="worst"),
    wrong("island_ga.elite: expected 0 <= elite < population / islands = 16, got 16", elite=16),
    wrong("parallel_tempering.population: expected >= 2", population=1),
    wrong("parallel_tempering.coldest: expected > 0", coldest=0.0),
    wrong("parallel_tempering.hottest: expected >= coldest = 0.2, got 0.1", coldest=0.2, hottest=0.1),
    wrong("parallel_tempering.sigma: expected > 0", sigma=0.0),
    wrong("parallel_tempering.mutation_rate: expected <= 1", mutation_rate=1.5),
    wrong("steady_state_ga.children: expected >= 1", children=0),
    wrong(
        "steady_state_ga.population: expected a multiple of children = 2, got 9",
        population=9,
        children=2,
    ),
    wrong("steady_state_ga.replacement: expected one of worst, random", replacement="oldest"),
    wrong("steady_state_ga.tournament: expected >= 1", tournament=0),
    wrong("steady_state_ga.recombination_rate: expected <= 1", recombination_rate=1.5),
    wrong("async_sgd.learning_rate: expected > 0", learning_rate=0.0),
    wrong("async_sgd.workers: expected >= 1", workers=0),
    wrong("async_sgd.mode: expected one of async, sync, got 'barrier'", mode="barrier"),
    wrong("async_sgd.backups: expected >= 0", backups=-1),
    wrong("async_sgd.backups: expected 0 <= backups < 1 with 8 workers and async, got 1", backups=1),
    wrong(
        "async_sgd.backups: expected 0 <= backups < 8 with 8 workers and sync, got 8",
        backups=8,
        mode="sync",
    ),
    wrong("async_sgd.momentum: expected > -1", momentum=-1.0),
    wrong("async_sgd.momentum: expected < 1", momentum=1.0),
    wrong("async_sgd.clip: expected > 0", clip=0.0),
    wrong(
        "async_sgd.service.stragglers: expected at most workers = 2, got 3",
        workers=2,
        service=Service(stragglers=3),
    ),
    wrong("async_steady_state_ga.workers: expected >= 1", workers=0),
    wrong(
        "ga.population: expected a multiple of workers = 7 with sync, got 64",
        method="async_steady_state_ga",
        workers=7,
        mode="sync",
    ),
    wrong(
        "async_steady_state_ga.service.stragglers: expected at most workers = 8, got 9",
        service=Service(stragglers=9),
    ),
    wrong("async_steady_state_ga.mode: expected one of async, sync", mode="both"),
    wrong("async_steady_state_ga.replacement: expected one of worst, random", replacement="oldest"),
    wrong("async_steady_state_ga.tournament: expected >= 1", tournament=0),
    wrong("coevolution.population: expected >= 1", population=0, opponents=1),
    wrong("ipop_cma_es.population: expected >= 2", population=1),
    wrong("ipop_cma_es.sigma: expected > 0", sigma=0.0),
    wrong("ipop_cma_es.covariance: expected one of full, diagonal", covariance="low_rank"),
    wrong("ipop_cma_es.lazy: expected >= 1", lazy=0),
    wrong("ipop_cma_es.restarts: expected >= 0", restarts=-1),
    wrong("ipop_cma_es.growth: expected >= 1", growth=0),
    wrong("ipop_cma_es.tol_fun: expected >= 0", tol_fun=-1.0),
    wrong("ipop_cma_es.tol_x: expected >= 0", tol_x=-1.0),
    wrong("uh_cma_es.population: expected >= 2", population=1),
    wrong("uh_cma_es.sigma: expected > 0", sigma=0.0),
    wrong("uh_cma_es.covariance: expected one of full, diagonal", covariance="low_rank"),
    wrong("uh_cma_es.lazy: expected >= 1", lazy=0),
    wrong("uh_cma_es.reevaluated: expected >= 1", reevaluated=0),
    wrong(
        "uh_cma_es.reevaluated: expected 1 <= reevaluated <= population = 4, got 5",
        population=4,
        reevaluated=5,
    ),
    wrong("uh_cma_es.acceptance: expected >= 0", acceptance=-0.1),
    wrong("uh_cma_es.acceptance: expected <= 2", acceptance=2.1),
    wrong("uh_cma_es.growth: expected >= 1", growth=0.9),
    wrong("uh_cma_es.largest: expected >= 1", largest=0),
    wrong("uh_cma_es.sigma_growth: expected >= 1", sigma_growth=0.9),
    wrong(
        "coevolution.opponents: expected 1 <= opponents <= population = 3, got 4",
        population=3,
        opponents=4,
    ),
    wrong("coevolution.opponents: expected >= 1", opponents=0),
    wrong(
        "coevolution.selection: expected one of tournament, truncation, proportional, none",
        selection="roulette",
    ),
    wrong("coevolution.mutation_sigma: expected >= 0", mutation_sigma=-0.5),
    wrong("consensus.population: expected >= 2", population=1),
    wrong("consensus.alpha: expected >= 0", alpha=-1.0),
    wrong("consensus.drift: expected >= 0", drift=-1.0),
    wrong("consensus.diffusion: expected >= 0", diffusion=-1.0),
    wrong("consensus.step_size: expected > 0", step_size=0.0),
    wrong("consensus.noise: expected one of anisotropic, isotropic", noise="levy"),
    wrong("recombined_sgd.population: expected >= 1", population=0),
    wrong("recombined_sgd.learning_rate: expected > 0", learning_rate=0.0),
    wrong("recombined_sgd.momentum: expected < 1", momentum=1.0),
    wrong("recombined_sgd.momentum: expected > 0 with nesterov", nesterov=True),
    wrong("recombined_sgd.clip: expected > 0", clip=0.0),
    wrong("recombined_sgd.weight_decay: expected >= 0", weight_decay=-1.0),
    wrong("recombined_sgd.interval: expected >= 1", interval=0),
    wrong("recombined_sgd.exchange: expected one of crossover, average, none", exchange="one_point"),
    wrong("recombined_sgd.pull: expected > 0", exchange="average", pull=0.0),
    wrong(
        "recombined_sgd.pull: expected 1 unless exchange is average, got 0.5 with crossover", pull=0.5
    ),
    wrong("memetic.elite: expected 0 <= elite < population = 4, got 4", population=4, elite=4),
    wrong("memetic.learning: expected one of lamarckian, baldwinian", learning="darwinian"),
    wrong("memetic.descent_steps: expected >= 0", descent_steps=-1),
    wrong("memetic.learning_rate: expected > 0", learning_rate=0.0),
    wrong(
        "memetic.selection: expected one of tournament, truncation, proportional, none",
        selection="roulette",
    ),
    wrong("pbt.population: expected >= 2", population=1, fraction=0.5),
    wrong("pbt.learning_rate: expected > 0", learning_rate=0.0),
    wrong("pbt.spread: expected >= 1", spread=0.5),
    wrong("pbt.spread: expected <= 1000000", spread=10000000.0),
    wrong("pbt.momentum: expected < 1", momentum=1.0),
    wrong("pbt.interval: expected >= 1", interval=0),
    wrong("pbt.fraction: expected <= 0.5", fraction=0.6),
    wrong("pbt.fraction: expected >= 1 / population = 1 / 4, got 0.2", population=4, fraction=0.2),
    wrong("pbt.perturbation: expected < 1", perturbation=1.0),
]


@each(("kind", "options", "message"), WRONG)
def test_out_of_range(kind, options, message):
    with pytest.raises(ValueError, match=message):
        build(kind, options)


LIMIT = re.compile(r"\.(\w+): expected .*?(?:[<>]=|at most)(?: [a-z][^=<]*=)? (-?[\d.]+)(?:, got .*)?$")


def at_limits():
    """Where what is beyond a limit is out of range, and the limit is not: the optimizer, at that limit."""
    for kind, options, message in (case.values for case in WRONG):
        if found := LIMIT.search(message):
            field, limit = found[1], float(found[2])
            if field in options:
                yield kind, options | {field: type(options[field])(limit)}
            else:
                ((name, part),) = (
                    (name, part) for name, part in options.items() if hasattr(part, field)
                )
                yield kind, options | {name: dataclasses.replace(part, **{field: int(limit)})}


@each(("kind", "options"), list(at_limits()))
def test_a_limit_is_in_range(kind, options):
    build(kind, options)
