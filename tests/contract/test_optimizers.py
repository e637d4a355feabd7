"""One contract for every entry of the registry, and what each method promises beyond it."""

import math

import pytest
import torch

from landscapes.base import Answer, Bits, Problem, Reals
from landscapes.streams import SOURCES, Streams
from optimizers import OPTIMIZERS
from optimizers.gradient.step_sizes import StepSize
from optimizers.schedules import Schedule
from optimizers.workers import Service
from tests.references import operators as naive

FLOATS = [torch.float64, torch.float32]
CASES = [  # kind, hyperparameters, P, domain
    ("sgd", {"starts": 1}, 1, Reals()),
    ("sgd", {"starts": 5, "momentum": 0.8, "nesterov": True, "clip": 0.7, "weight_decay": 0.01}, 5, Reals()),
    ("sgd", {"starts": 3, "schedule": Schedule(kind="exponential", steps=3, warmup=2)}, 3, Reals()),
    ("openai_es", {"population": 6, "learning_rate": 0.05}, 6, Reals()),
    ("openai_es", {"population": 7, "antithetic": False, "inner": "adam"}, 7, Reals()),
    (
        "openai_es",
        {
            "population": 5,
            "antithetic": False,
            "shaping": "raw",
            "momentum": 0.5,
            "weight_decay": 0.1,
            "learning_rate": 0.02,
        },
        5,
        Reals(),
    ),
    (
        "openai_es",
        {"population": 2, "shaping": "raw", "inner": "adam", "schedule": Schedule(kind="cosine", steps=4)},
        2,
        Reals(),
    ),
    ("ga", {"population": 9, "elite": 1}, 9, Reals()),
    (
        "ga",
        {"population": 7, "selection": "truncation", "crossover": "two_point", "mutation_rate": 0.5},
        7,
        Reals(),
    ),
    ("ga", {"population": 1, "crossover": "none"}, 1, Reals()),
    (
        "ga",
        {"population": 9, "selection": "proportional", "crossover": "one_point", "recombination_rate": 0.4},
        9,
        Bits(),
    ),
    (
        "ga",
        {
            "population": 7,
            "selection": "proportional",
            "fitness": "linear",
            "selection_strength": 0.1,
            "elite": 2,
        },
        7,
        Bits(),
    ),
    ("ga", {"population": 5, "selection": "none", "crossover": "two_point"}, 5, Bits()),
    ("ga", {"population": 7, "sampling": "systematic", "elite": 1}, 7, Bits()),
    ("ga", {"population": 6, "sampling": "systematic", "selection": "proportional"}, 6, Reals()),
    ("wright_fisher", {"population": 5, "ploidy": 2, "sampling": "systematic"}, 10, Bits()),
    ("wright_fisher", {"population": 6, "model": "moran", "sampling": "systematic"}, 6, Bits()),
    (
        "steady_state_ga",
        {"population": 6, "children": 2, "replacement": "random", "sampling": "systematic"},
        2,
        Reals(),
    ),
    (
        "island_ga",
        {"population": 9, "islands": 3, "interval": 1, "migration": "random", "sampling": "systematic"},
        9,
        Bits(),
    ),
    ("random_search", {"population": 3}, 3, Reals(-2.0, 2.0)),
    ("random_search", {"population": 1}, 1, Bits()),
    ("wright_fisher", {"population": 7}, 7, Reals()),
    ("bernoulli_nes", {"population": 7}, 7, Bits()),
    (
        "bernoulli_nes",
        {
            "population": 4,
            "shaping": "raw",
            "natural": False,
            "lean": 1.0,
            "margin": 0.01,
            "learning_rate": 0.05,
        },
        4,
        Bits(),
    ),
    ("pbil", {"population": 9}, 9, Bits()),
    ("pbil", {"population": 5, "selected": 1, "learning_rate": 1.0, "margin": 0.0}, 5, Bits()),
    ("cga", {"population": 10}, 2, Bits()),
    ("quasispecies", {"founders": 5}, lambda dim: 2**dim, Bits()),
    (
        "quasispecies",
        {"founders": 7, "crossover": "one_point", "recombination_rate": 0.4, "fitness": "linear"},
        lambda dim: 2**dim,
        Bits(),
    ),
    ("quasispecies", {"crossover": "free", "mutation_rate": 0.02}, lambda dim: 2**dim, Bits()),
    ("linkage_equilibrium", {}, 1, Reals()),
    ("linkage_equilibrium", {"ploidy": 2, "mutation_rate": 0.01, "selection_strength": 0.003}, 1, Reals()),
    ("adaptive_walk", {"rule": "greedy"}, lambda dim: dim + 1, Bits()),
    ("adaptive_walk", {"rule": "random"}, lambda dim: dim + 1, Bits()),
    ("adaptive_walk", {"rule": "proportional"}, lambda dim: dim + 1, Bits()),
    ("sswm", {"population": 20}, 1, Bits()),
    ("sswm", {"population": 5, "model": "moran", "fitness": "linear", "selection_strength": 0.1}, 1, Bits()),
    ("one_plus_one_ea", {}, 1, Bits()),
    ("one_plus_one_ea", {"mutation_rate": 0.3}, 1, Bits()),
    ("rls", {}, 1, Bits()),
    (
        "wright_fisher",
        {
            "population": 5,
            "ploidy": 2,
            "crossover": "one_point",
            "recombination_rate": 0.6,
            "fitness": "linear",
        },
        10,
        Reals(),
    ),
    ("wright_fisher", {"population": 9, "crossover": "none", "mutation_rate": 0.1}, 9, Bits()),
    ("wright_fisher", {"population": 7, "crossover": "multi_point", "recombination_rate": 0.2}, 7, Bits()),
    ("wright_fisher", {"population": 5, "ploidy": 2, "recombination_rate": 0.5}, 10, Bits()),
    ("wright_fisher", {"population": 7, "model": "moran", "crossover": "one_point"}, 7, Bits()),
    ("wright_fisher", {"population": 5, "model": "moran", "ploidy": 2, "mutation_rate": 0.3}, 10, Bits()),
    ("one_plus_one", {}, 1, Reals()),
    ("one_plus_one", {"sigma": 0.2, "target": 0.3, "damping": 2.0}, 1, Reals()),
    ("snes", {"population": 7}, 7, Reals()),
    ("snes", {"population": 2, "sigma": 0.3, "learning_rate": 0.5, "sigma_learning_rate": 0.2}, 2, Reals()),
    ("cma_es", {"population": 7}, 7, Reals()),
    ("cma_es", {"population": 6, "sigma": 0.3, "lazy": 3, "active": False}, 6, Reals()),
    ("cma_es", {"population": 5, "covariance": "diagonal"}, 5, Reals()),
    ("sgd", {"average": "polyak", "momentum": 0.5, "starts": 3}, 3, Reals()),
    ("sgd", {"average": "tail", "burn_in": 2}, 1, Reals()),
    ("adam", {"starts": 3}, 3, Reals()),
    ("adam", {"weight_decay": 0.1, "decay": "coupled", "clip": 0.5}, 1, Reals()),
    ("adam", {"weight_decay": 0.1, "schedule": Schedule(kind="cosine", steps=4)}, 1, Reals()),
    ("langevin", {"temperature": 0.1, "starts": 3}, 3, Reals()),
    ("langevin", {"temperature": 0.05, "schedule": Schedule(kind="inverse_time", steps=3)}, 1, Reals()),
    ("metropolis", {"starts": 3}, 3, Reals()),
    ("metropolis", {"starts": 1, "temperature": 0.0}, 1, Reals()),
    ("metropolis", {"starts": 1, "temperature": 0.5}, 1, Bits()),
    ("metropolis", {"starts": 5, "mutation_rate": 0.3}, 5, Bits()),
    ("simulated_annealing", {"starts": 3}, 3, Reals()),
    ("simulated_annealing", {"starts": 1}, 1, Bits()),
    ("signed_sgd", {"momentum": 0.5, "starts": 3}, 3, Reals()),
    ("natural_sgd", {"starts": 3}, 3, Reals()),
    ("natural_sgd", {"damping": 0.1}, 1, Reals()),
    ("spsa", {}, 2, Reals()),
    ("spsa", {"pairs": 3, "stability": 2.0}, 6, Reals()),
    ("mu_lambda", {"population": 7}, 7, Reals()),
    (
        "mu_lambda",
        {"population": 5, "parents": 3, "weights": "equal", "damping": 1.5, "sigma": 0.2},
        5,
        Reals(),
    ),
    ("mu_lambda", {"population": 2}, 2, Reals()),
    ("xnes", {"population": 7}, 7, Reals()),
    ("xnes", {"population": 3, "sigma": 0.3, "shape_learning_rate": 0.1}, 3, Reals()),
    ("pgpe", {"population": 6}, 6, Reals()),
    (
        "pgpe",
        {"population": 4, "shaping": "raw", "learning_rate": 0.05, "sigma_learning_rate": 0.01},
        4,
        Reals(),
    ),
    ("cem", {"population": 7}, 7, Reals()),
    ("cem", {"population": 9, "fraction": 0.3, "noise": 0.02, "steps": 4, "smoothing": 1.0}, 9, Reals()),
    ("extragradient", {"starts": 3}, 3, Reals()),
    ("extragradient", {"schedule": Schedule(kind="inverse_time", steps=3)}, 1, Reals()),
    ("alternating", {"momentum": -0.3, "starts": 3}, 3, Reals()),
    ("nelder_mead", {}, 1, Reals()),
    ("nelder_mead", {"coefficients": "standard", "step": 0.1}, 1, Reals()),
    ("lbfgs", {}, 1, Reals()),
    ("lbfgs", {"memory": 2, "first_step": 5.0, "trials": 2}, 1, Reals()),
    ("de", {"population": 7}, 7, Reals()),
    ("de", {"population": 5, "strategy": "best", "crossover_rate": 0.3, "scale": 0.8}, 5, Reals()),
    ("de", {"population": 3, "strategy": "current_to_best", "crossover_rate": 0.0}, 3, Reals()),
    ("island_ga", {"population": 12, "interval": 2}, 12, Reals()),
    (
        "island_ga",
        {"population": 9, "islands": 3, "elite": 1, "migrants": 2, "interval": 1, "migration": "random"},
        9,
        Reals(),
    ),
    (
        "island_ga",
        {"population": 7, "islands": 1, "selection": "truncation", "crossover": "none", "interval": 1},
        7,
        Bits(),
    ),
    (
        "island_ga",
        {
            "population": 10,
            "islands": 2,
            "selection": "proportional",
            "crossover": "two_point",
            "elite": 2,
            "interval": 2,
        },
        10,
        Bits(),
    ),
    (
        "island_ga",
        {
            "population": 6,
            "islands": 2,
            "selection": "none",
            "crossover": "one_point",
            "migrants": 3,
            "migration": "random",
        },
        6,
        Bits(),
    ),
    ("parallel_tempering", {"population": 5}, 5, Reals()),
    ("parallel_tempering", {"population": 2, "hottest": 0.01}, 2, Reals()),
    ("parallel_tempering", {"population": 4, "coldest": 0.3, "hottest": 3.0}, 4, Bits()),
    ("parallel_tempering", {"population": 3, "mutation_rate": 0.3}, 3, Bits()),
    ("steady_state_ga", {"population": 6, "children": 2}, 2, Reals()),
    (
        "steady_state_ga",
        {"population": 3, "replacement": "random", "crossover": "two_point", "mutation_rate": 0.5},
        1,
        Reals(),
    ),
    (
        "steady_state_ga",
        {
            "population": 9,
            "children": 3,
            "crossover": "one_point",
            "recombination_rate": 0.5,
            "tournament": 3,
        },
        3,
        Bits(),
    ),
    (
        "steady_state_ga",
        {"population": 5, "children": 5, "replacement": "random", "crossover": "none"},
        5,
        Bits(),
    ),
    ("async_sgd", {"workers": 3}, 1, Reals()),
    (
        "async_sgd",
        {"workers": 4, "mode": "sync", "backups": 1, "clip": 0.5, "schedule": Schedule(kind="step", steps=2)},
        4,
        Reals(),
    ),
    (
        "async_sgd",
        {
            "workers": 3,
            "momentum": -0.3,
            "staleness_aware": True,
            "service": Service(kind="pareto", shape=2.5),
        },
        1,
        Reals(),
    ),
    ("async_steady_state_ga", {"population": 6, "workers": 3}, 1, Reals()),
    ("async_steady_state_ga", {"population": 3, "workers": 5}, 1, Bits()),
    (
        "async_steady_state_ga",
        {
            "population": 3,
            "workers": 2,
            "replacement": "random",
            "crossover": "two_point",
            "mutation_rate": 0.5,
        },
        1,
        Reals(),
    ),
    (
        "async_steady_state_ga",
        {"population": 3, "workers": 3, "service": Service(kind="constant", stragglers=1, slowdown=4.0)},
        1,
        Bits(),
    ),
    (
        "async_steady_state_ga",
        {"population": 9, "workers": 3, "mode": "sync", "crossover": "one_point", "recombination_rate": 0.5},
        3,
        Bits(),
    ),
    ("coevolution", {"population": 7}, 7, Reals()),
    ("ipop_cma_es", {"population": 7}, 7, Reals()),
    ("ipop_cma_es", {"population": 4, "covariance": "diagonal", "restarts": 2, "growth": 3}, 4, Reals()),
    (
        "coevolution",
        {"population": 5, "selection": "truncation", "crossover": "two_point", "mutation_rate": 0.5},
        5,
        Reals(),
    ),
    (
        "coevolution",
        {"population": 6, "selection": "proportional", "crossover": "one_point", "recombination_rate": 0.4},
        6,
        Bits(),
    ),
    ("consensus", {"population": 7}, 7, Reals()),
    ("consensus", {"population": 5, "noise": "isotropic", "alpha": 0.0}, 5, Reals()),
    ("consensus", {"population": 2, "diffusion": 2.0}, 2, Reals()),
    ("recombined_sgd", {"population": 5, "interval": 2}, 5, Reals()),
    (
        "recombined_sgd",
        {"population": 3, "interval": 1, "momentum": 0.5, "nesterov": True, "clip": 0.7, "weight_decay": 0.1},
        3,
        Reals(),
    ),
    ("recombined_sgd", {"population": 4, "interval": 2, "exchange": "average"}, 4, Reals()),
    (
        "recombined_sgd",
        {"population": 3, "interval": 1, "exchange": "average", "pull": 0.3, "momentum": 0.5},
        3,
        Reals(),
    ),
    (
        "recombined_sgd",
        {"population": 1, "interval": 1, "schedule": Schedule(kind="cosine", steps=4)},
        1,
        Reals(),
    ),
    ("recombined_sgd", {"population": 2, "exchange": "none"}, 2, Reals()),
    ("memetic", {"population": 7, "descent_steps": 1}, 7, Reals()),
    ("memetic", {"population": 9, "descent_steps": 2, "learning": "baldwinian", "elite": 1}, 9, Reals()),
    (
        "memetic",
        {"population": 5, "descent_steps": 0, "selection": "truncation", "crossover": "two_point"},
        5,
        Reals(),
    ),
    (
        "memetic",
        {"population": 1, "descent_steps": 1, "crossover": "none", "selection": "proportional"},
        1,
        Reals(),
    ),
    ("pbt", {"population": 5, "interval": 1}, 5, Reals()),
    (
        "pbt",
        {"population": 7, "interval": 2, "fraction": 0.5, "momentum": 0.5, "clip": 0.7, "weight_decay": 0.1},
        7,
        Reals(),
    ),
    ("pbt", {"population": 2, "interval": 1, "fraction": 0.5, "spread": 1.0}, 2, Reals()),
    ("torch_optim", {"learning_rate": 0.05, "starts": 3}, 3, Reals()),
    ("torch_optim", {"method": "RMSprop", "options": {"momentum": 0.5, "centered": True}}, 1, Reals()),
    ("evotorch", {"algorithm": "snes", "population": 5}, 5, Reals()),
    ("evotorch", {"algorithm": "pgpe", "population": 6}, 6, Reals()),
    ("evotorch", {"algorithm": "cma_es", "population": 7}, 7, Reals()),
    ("deap_ga", {"population": 7, "crossover": "blend"}, 7, Reals()),
    ("deap_ga", {"population": 9, "crossover": "two_point", "mutants": 1.0}, 9, Bits()),
    ("deap_cma", {"population": 7}, 7, Reals()),
    ("pycma", {"population": 7}, 7, Reals()),
    ("pycma", {"population": 6, "sigma": 0.3, "options": {"CMA_diagonal": True}}, 6, Reals()),
    (
        "sgd",
        {"batch": 3, "coupling": "constant_variance", "schedule": Schedule(kind="exponential", steps=3)},
        1,
        Reals(),
    ),
    ("sgd", {"step_size": StepSize(kind="clt", tolerance=0.5, memory=3), "starts": 3}, 3, Reals()),
    ("sgd", {"step_size": StepSize(kind="inverse_variance", memory=2), "momentum": 0.5}, 1, Reals()),
    (
        "langevin",
        {"batch": 3, "coupling": "grow", "schedule": Schedule(kind="inverse_time", steps=3)},
        1,
        Reals(),
    ),
    (
        "natural_sgd",
        {"batch": 3, "coupling": "constant_temperature", "schedule": Schedule(kind="cosine", steps=4)},
        1,
        Reals(),
    ),
    (
        "openai_es",
        {
            "population": 4,
            "coupling": "grow",
            "largest": 10,
            "sigma_schedule": Schedule(kind="exponential", steps=4),
        },
        10,
        Reals(),
    ),
    (
        "openai_es",
        {
            "population": 7,
            "antithetic": False,
            "shaping": "raw",
            "learning_rate": 0.02,
            "coupling": "constant_variance",
        }
        | {"coupled": "learning_rate", "schedule": Schedule(kind="cosine", steps=5)},
        7,
        Reals(),
    ),
    (
        "ga",
        {
            "population": 3,
            "elite": 1,
            "coupling": "grow",
            "largest": 9,
            "schedule": Schedule(kind="exponential", steps=4),
        },
        9,
        Reals(),
    ),
    (
        "ga",
        {
            "population": 9,
            "coupling": "constant_variance",
            "selection": "truncation",
            "schedule": Schedule(kind="cosine", steps=4),
        },
        9,
        Reals(),
    ),
    (
        "ga",
        {
            "population": 7,
            "coupling": "constant_temperature",
            "selection": "proportional",
            "schedule": Schedule(kind="step", steps=1),
        },
        7,
        Bits(),
    ),
    ("simulated_annealing", {"starts": 3, "schedule": Schedule(kind="logarithmic", steps=3)}, 3, Reals()),
]
PHASES = ("memetic",)  # methods that ask for gradients at some steps and for values alone at others
LARGEST = {"quasispecies": 9}  # coordinates, where a method has a limit
SMALLEST = {"deap_ga": 2, "evotorch": 2}  # their crossover at points, and their cma_es, need two
LEARNERS = [  # hyperparameters with which a method must beat its start
    ("sgd", {"momentum": 0.5}, Reals()),
    ("openai_es", {"population": 16}, Reals()),
    ("openai_es", {"population": 16, "shaping": "raw", "antithetic": False, "learning_rate": 0.01}, Reals()),
    ("ga", {"population": 32, "elite": 1}, Reals()),
    ("ga", {"population": 32, "selection": "truncation", "crossover": "one_point"}, Bits()),
    ("random_search", {"population": 64}, Reals()),
    ("random_search", {"population": 64}, Bits()),
    ("wright_fisher", {"population": 64, "mutation_rate": 0.01, "selection_strength": 2.0}, Bits()),
    ("adaptive_walk", {"rule": "greedy"}, Bits()),
    ("adaptive_walk", {"rule": "random"}, Bits()),
    ("adaptive_walk", {"rule": "proportional"}, Bits()),
    ("sswm", {"population": 20}, Bits()),
    ("one_plus_one_ea", {}, Bits()),
    ("quasispecies", {"crossover": "free", "mutation_rate": 0.01}, Bits()),
    ("quasispecies", {"mutation_rate": 0.01}, Bits()),
    ("bernoulli_nes", {}, Bits()),
    ("bernoulli_nes", {"shaping": "raw", "learning_rate": 0.2, "natural": False}, Bits()),
    ("pbil", {"learning_rate": 0.3}, Bits()),
    ("cga", {"population": 8}, Bits()),
    ("rls", {}, Bits()),
    (
        "wright_fisher",
        {"population": 64, "ploidy": 2, "mutation_rate": 0.01, "selection_strength": 2.0},
        Bits(),
    ),
    ("one_plus_one", {}, Reals()),
    ("snes", {}, Reals()),
    ("cma_es", {}, Reals()),
    ("cma_es", {"covariance": "diagonal"}, Reals()),
    ("sgd", {"average": "tail", "burn_in": 10}, Reals()),
    ("adam", {"learning_rate": 0.1}, Reals()),
    ("langevin", {"learning_rate": 0.1, "temperature": 0.001}, Reals()),
    ("metropolis", {"starts": 8, "sigma": 0.2}, Reals()),
    ("metropolis", {"temperature": 0.1}, Bits()),
    (
        "simulated_annealing",
        {"starts": 8, "sigma": 0.2, "schedule": Schedule(kind="exponential", steps=10)},
        Reals(),
    ),
    ("simulated_annealing", {}, Bits()),
    ("signed_sgd", {"learning_rate": 0.05}, Reals()),
    ("natural_sgd", {"learning_rate": 0.02}, Reals()),
    ("spsa", {"pairs": 4}, Reals()),
    ("mu_lambda", {}, Reals()),
    ("xnes", {}, Reals()),
    ("pgpe", {}, Reals()),
    ("cem", {}, Reals()),
    ("extragradient", {}, Reals()),
    ("alternating", {"momentum": 0.5}, Reals()),
    ("nelder_mead", {}, Reals()),
    ("lbfgs", {}, Reals()),
    ("de", {}, Reals()),
    ("de", {"strategy": "best"}, Reals()),
    ("de", {"strategy": "current_to_best"}, Reals()),
    ("island_ga", {"elite": 1}, Reals()),
    ("island_ga", {"migration": "random", "crossover": "one_point"}, Bits()),
    ("parallel_tempering", {"sigma": 0.3}, Reals()),
    ("parallel_tempering", {}, Bits()),
    ("steady_state_ga", {"population": 16, "children": 16}, Reals()),
    ("steady_state_ga", {"population": 16, "children": 8, "replacement": "random", "tournament": 4}, Bits()),
    ("async_sgd", {"learning_rate": 0.02}, Reals()),
    (
        "async_sgd",
        {"staleness_aware": True, "momentum": -0.3, "workers": 3, "service": Service(kind="constant")},
        Reals(),
    ),
    ("async_sgd", {"mode": "sync", "backups": 2}, Reals()),
    ("async_steady_state_ga", {"population": 16, "workers": 16, "mode": "sync"}, Reals()),
    ("async_steady_state_ga", {"population": 8, "workers": 4}, Bits()),
    ("coevolution", {}, Reals()),
    ("coevolution", {"selection": "truncation", "crossover": "one_point"}, Bits()),
    ("ipop_cma_es", {}, Reals()),
    ("consensus", {}, Reals()),
    ("consensus", {"noise": "isotropic", "diffusion": 0.3}, Reals()),
    ("recombined_sgd", {}, Reals()),
    ("recombined_sgd", {"exchange": "average"}, Reals()),
    ("memetic", {}, Reals()),
    ("memetic", {"learning": "baldwinian"}, Reals()),
    ("pbt", {"interval": 3}, Reals()),
    ("torch_optim", {"learning_rate": 0.1}, Reals()),
    ("evotorch", {"algorithm": "snes"}, Reals()),
    ("evotorch", {"algorithm": "pgpe"}, Reals()),
    ("evotorch", {"algorithm": "cma_es"}, Reals()),
    ("deap_ga", {}, Reals()),
    ("deap_ga", {"crossover": "uniform"}, Bits()),
    ("deap_cma", {}, Reals()),
    ("pycma", {}, Reals()),
]


def identity(case):
    return f"{case[0]}-{case[-1].__class__.__name__}-{'-'.join(map(str, case[1].values()))}"


def build(kind, options):
    """As a study of a thousand steps has it."""
    return OPTIMIZERS[kind](**options).budgeted(1000)


def make(worlds=range(8), dtype=torch.float64, **options):
    return Streams(seed=3, worlds=torch.tensor(list(worlds)), dtype=dtype, **options)


def problem(streams, domain, dim, exact=True, shift=0.0):
    def start(n):
        first = streams.at(0)
        if isinstance(domain, Bits):
            return first.bernoulli("init", 0.5, (n, dim)).to(torch.uint8)
        return first.uniform("init", (n, dim)) * (domain.high - domain.low) + domain.low + shift

    return Problem(dim, domain, exact, start)


def bowl(query, dtype, shift=0.0, scale=1.0):
    """Value scale * sum_d h_d (x_d - o - shift)^2 with h_d = 1 + d / 4; o is 0.3 on reals, 0 on bits.

    The gradient by hand.
    """
    x = query.points.to(dtype) - shift - (0.0 if query.points.dtype == torch.uint8 else 0.3)
    h = scale * (1 + torch.arange(x.shape[-1], dtype=dtype) / 4)
    return Answer((h * x * x).sum(-1), 2 * h * x if query.gradient else None)


def play(optimizer, domain, streams, dim=7, steps=5, answer=bowl, shift=0.0, exact=True):
    """-> states, queries and infos of every step."""
    states, queries, infos = (
        [optimizer.init(problem(streams, domain, dim, exact, shift), streams.at(0))],
        [],
        [],
    )
    for step in range(1, steps + 1):
        s = streams.at(step)
        query = optimizer.ask(states[-1], s)
        state, info = optimizer.tell(states[-1], query, answer(query, streams.dtype), s)
        states, queries, infos = [*states, state], [*queries, query], [*infos, info]
    return states, queries, infos


def same(a, b, rows=slice(None)):
    return all(torch.equal(x[rows], y) for x, y in zip(tensors(a), tensors(b), strict=True))


def tensors(state):
    """The fields of a state, but for the objects of other libraries, which work world by world."""
    return [field for field in state if isinstance(field, torch.Tensor)]


# the contract -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=identity)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("dim", [1, 7])
def test_shapes(case, dtype, dim):
    kind, options, p, domain = case
    dim = max(dim, SMALLEST.get(kind, 1))
    optimizer, streams = build(kind, options), make(dtype=dtype)
    states, queries, infos = play(optimizer, domain, streams, dim)
    held = torch.uint8 if isinstance(domain, Bits) else dtype
    for state, query, info in zip(states[1:], queries, infos, strict=True):
        assert (query.points.shape, query.points.dtype) == ((8, p(dim) if callable(p) else p, dim), held)
        assert query.gradient == optimizer.gradient or kind in PHASES
        assert (optimizer.recommend(state).shape, optimizer.recommend(state).dtype) == ((8, dim), held)
        assert (optimizer.center(state).shape, optimizer.center(state).dtype) == ((8, dim), dtype)
        assert all(len(field) == 8 for field in (*state, *info.values()))
        assert all(field.dtype == dtype for field in tensors(state) if field.is_floating_point())
    assert optimizer.recommend(states[0]).shape == (8, dim)


@pytest.mark.parametrize("case", CASES, ids=identity)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("dim", [1, 7, 33])
def test_replicate_invariance(case, dtype, dim):
    """Worlds (5, 2) alone are those rows of eight, bit for bit."""
    kind, options, _, domain = case
    dim = max(min(dim, LARGEST.get(kind, dim)), SMALLEST.get(kind, 1))
    whole = play(build(kind, options), domain, make(dtype=dtype), dim)[0]
    part = play(build(kind, options), domain, make([5, 2], dtype=dtype), dim)[0]
    assert all(same(a, b, [5, 2]) for a, b in zip(whole, part, strict=True))


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_draws_only_from_its_sources(case):
    """Redrawing any other source changes nothing; redrawing its own does."""
    kind, options, _, domain = case
    optimizer = build(kind, options)
    plain = play(optimizer, domain, make())[0]
    for source in set(SOURCES) - {"init"}:
        again = play(optimizer, domain, make().redraw(source, 1))[0]
        assert source in optimizer.sources or same(plain[-1], again[-1])
    if "mutation" in optimizer.sources:
        assert not same(plain[-1], play(optimizer, domain, make().redraw("mutation", 1))[0][-1])


@pytest.mark.parametrize("case", CASES, ids=identity)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_bad_world_harms_no_other(case, bad):
    kind, options, _, domain = case

    def answer(query, dtype):
        good = bowl(query, dtype)
        value, gradient = good.value.clone(), None if good.gradient is None else good.gradient.clone()
        value[3] = bad
        if gradient is not None:
            gradient[3] = bad
        return Answer(value, gradient)

    optimizer = build(kind, options)
    spoilt, plain = play(optimizer, domain, make(), answer=answer)[0], play(optimizer, domain, make())[0]
    others = [0, 1, 2, 4, 5, 6, 7]
    assert all(
        torch.equal(a[others], b[others])
        for a, b in zip(tensors(spoilt[-1]), tensors(plain[-1]), strict=True)
    )
    assert optimizer.recommend(spoilt[-1]).shape == (8, 7)


@pytest.mark.parametrize("case", LEARNERS, ids=identity)
@pytest.mark.parametrize("dtype", FLOATS)
def test_beats_its_start(case, dtype):
    kind, options, domain = case
    optimizer = build(kind, options)
    states = play(optimizer, domain, make(dtype=dtype), steps=30)[0]

    def loss(state):
        point = optimizer.recommend(state)[:, None]
        return bowl(type("Q", (), {"points": point, "gradient": False}), dtype).value.mean()

    assert loss(states[-1]) < 0.5 * loss(states[0])


NUMBERS = [  # kind, other hyperparameters, field, its values
    ("sgd", {"momentum": 0.3}, "learning_rate", (0.01, 0.1)),
    ("sgd", {"schedule": Schedule(kind="inverse_time", steps=2, warmup=3)}, "learning_rate", (0.01, 0.1)),
    ("sgd", {"nesterov": True}, "momentum", (0.1, 0.9)),
    ("sgd", {"starts": 3}, "clip", (0.1, 2.0)),
    ("sgd", {}, "weight_decay", (0.0, 0.3)),
    ("openai_es", {}, "sigma", (0.01, 0.4)),
    ("openai_es", {"antithetic": False, "shaping": "raw"}, "sigma", (0.01, 0.4)),
    ("openai_es", {}, "learning_rate", (0.01, 0.4)),
    ("openai_es", {}, "momentum", (0.0, 0.9)),
    ("openai_es", {"inner": "adam"}, "beta1", (0.0, 0.9)),
    ("openai_es", {"inner": "adam"}, "beta2", (0.0, 0.999)),
    ("openai_es", {}, "weight_decay", (0.0, 0.9)),
    ("ga", {"selection": "truncation"}, "truncation", (0.1, 1.0)),
    ("ga", {"selection": "proportional"}, "selection_strength", (0.0, 3.0)),
    ("ga", {"crossover": "one_point"}, "recombination_rate", (0.0, 1.0)),
    ("ga", {}, "mutation_rate", (0.0, 1.0)),
    ("ga", {}, "mutation_sigma", (0.0, 1.0)),
    ("wright_fisher", {}, "selection_strength", (0.0, 3.0)),
    ("quasispecies", {}, "selection_strength", (0.0, 3.0)),
    ("bernoulli_nes", {"lean": 0.5}, "learning_rate", (0.1, 2.0)),
    ("bernoulli_nes", {"shaping": "raw"}, "lean", (0.0, 1.0)),
    ("bernoulli_nes", {"natural": False}, "margin", (0.01, 0.4)),
    ("pbil", {}, "learning_rate", (0.1, 1.0)),
    ("pbil", {}, "margin", (0.0, 0.4)),
    ("cga", {}, "population", (2.0, 33.0)),
    ("cga", {"population": 3}, "margin", (0.0, 0.4)),
    ("quasispecies", {}, "mutation_rate", (0.0, 0.5)),
    ("quasispecies", {"crossover": "free"}, "recombination_rate", (0.0, 1.0)),
    ("quasispecies", {"crossover": "one_point"}, "recombination_rate", (0.0, 1.0)),
    ("linkage_equilibrium", {}, "selection_strength", (0.0, 0.02)),
    ("linkage_equilibrium", {"ploidy": 2}, "mutation_rate", (0.0, 0.5)),
    ("sswm", {}, "population", (1.0, 30.0)),
    ("sswm", {"model": "moran"}, "selection_strength", (0.0, 3.0)),
    ("sswm", {"fitness": "linear"}, "selection_strength", (0.0, 0.1)),
    ("one_plus_one_ea", {}, "mutation_rate", (0.0, 1.0)),
    ("wright_fisher", {"crossover": "multi_point", "ploidy": 2}, "recombination_rate", (0.0, 0.5)),
    ("wright_fisher", {"model": "moran", "crossover": "one_point"}, "recombination_rate", (0.0, 1.0)),
    ("wright_fisher", {}, "mutation_rate", (0.0, 1.0)),
    ("wright_fisher", {}, "mutation_sigma", (0.0, 1.0)),
    ("one_plus_one", {}, "sigma", (0.1, 1.0)),
    ("one_plus_one", {}, "target", (0.1, 0.5)),
    ("one_plus_one", {}, "damping", (1.0, 5.0)),
    ("snes", {}, "sigma", (0.1, 1.0)),
    ("snes", {}, "learning_rate", (0.1, 1.0)),
    ("snes", {}, "sigma_learning_rate", (0.1, 1.0)),
    ("cma_es", {}, "sigma", (0.1, 1.0)),
    ("adam", {}, "learning_rate", (0.01, 0.4)),
    ("adam", {}, "beta1", (0.0, 0.9)),
    ("adam", {}, "beta2", (0.0, 0.999)),
    ("adam", {}, "epsilon", (1e-8, 0.1)),
    ("adam", {}, "weight_decay", (0.0, 0.3)),
    ("adam", {"decay": "coupled"}, "weight_decay", (0.0, 0.3)),
    ("adam", {"starts": 3}, "clip", (0.1, 2.0)),
    ("langevin", {}, "learning_rate", (0.01, 0.1)),
    ("langevin", {"schedule": Schedule(kind="inverse_time", steps=2)}, "learning_rate", (0.01, 0.1)),
    ("langevin", {"starts": 3}, "temperature", (0.0, 0.3)),
    ("metropolis", {"starts": 3}, "temperature", (0.0, 1.0)),
    ("metropolis", {}, "sigma", (0.01, 0.4)),
    ("simulated_annealing", {}, "temperature", (0.0, 1.0)),
    ("simulated_annealing", {"starts": 3}, "sigma", (0.01, 0.4)),
    ("signed_sgd", {}, "learning_rate", (0.01, 0.4)),
    ("signed_sgd", {}, "momentum", (0.0, 0.9)),
    ("natural_sgd", {}, "learning_rate", (0.01, 0.1)),
    ("natural_sgd", {}, "damping", (0.0, 0.1)),
    ("spsa", {}, "learning_rate", (0.01, 0.1)),
    ("spsa", {"pairs": 2}, "perturbation", (0.01, 0.4)),
    ("spsa", {}, "stability", (0.0, 10.0)),
    ("spsa", {}, "alpha", (0.0, 1.0)),
    ("spsa", {}, "gamma", (0.0, 0.5)),
    ("mu_lambda", {}, "sigma", (0.1, 1.0)),
    ("mu_lambda", {}, "damping", (1.0, 5.0)),
    ("xnes", {}, "sigma", (0.1, 1.0)),
    ("xnes", {}, "learning_rate", (0.1, 1.0)),
    ("xnes", {}, "sigma_learning_rate", (0.1, 1.0)),
    ("xnes", {}, "shape_learning_rate", (0.1, 1.0)),
    ("pgpe", {}, "sigma", (0.1, 1.0)),
    ("pgpe", {}, "learning_rate", (0.1, 1.0)),
    ("pgpe", {}, "sigma_learning_rate", (0.0, 1.0)),
    ("pgpe", {"sigma_learning_rate": 1.0}, "limit", (0.01, 0.3)),
    ("cem", {}, "sigma", (0.1, 1.0)),
    ("cem", {}, "fraction", (0.05, 1.0)),
    ("cem", {}, "smoothing", (0.1, 1.0)),
    ("cem", {"steps": 3}, "noise", (0.0, 1.0)),
    ("extragradient", {"starts": 3}, "learning_rate", (0.01, 0.1)),
    ("alternating", {}, "learning_rate", (0.01, 0.1)),
    ("alternating", {"starts": 3}, "momentum", (-0.9, 0.9)),
    ("nelder_mead", {}, "step", (0.1, 1.0)),
    ("lbfgs", {}, "first_step", (0.1, 10.0)),
    ("lbfgs", {}, "sufficient", (0.01, 0.8)),
    ("lbfgs", {}, "curvature", (0.1, 0.9)),
    ("de", {}, "scale", (0.1, 1.5)),
    ("de", {"strategy": "current_to_best"}, "scale", (0.1, 1.5)),
    ("de", {"strategy": "best"}, "crossover_rate", (0.0, 1.0)),
    ("island_ga", {"selection": "truncation"}, "truncation", (0.1, 1.0)),
    ("island_ga", {"selection": "proportional"}, "selection_strength", (0.0, 3.0)),
    ("island_ga", {"interval": 2}, "recombination_rate", (0.0, 1.0)),
    ("island_ga", {}, "mutation_rate", (0.0, 1.0)),
    ("island_ga", {"migration": "random", "interval": 1}, "mutation_sigma", (0.0, 1.0)),
    ("parallel_tempering", {"hottest": 3.0}, "coldest", (0.01, 3.0)),
    ("parallel_tempering", {}, "hottest", (0.01, 3.0)),
    ("parallel_tempering", {}, "sigma", (0.01, 1.0)),
    ("steady_state_ga", {"population": 4, "children": 2}, "recombination_rate", (0.0, 1.0)),
    ("steady_state_ga", {"population": 4, "children": 2}, "mutation_rate", (0.0, 1.0)),
    ("steady_state_ga", {"population": 3, "replacement": "random"}, "mutation_sigma", (0.0, 1.0)),
    ("async_sgd", {"schedule": Schedule(kind="inverse_time", steps=2)}, "learning_rate", (0.01, 0.1)),
    ("async_sgd", {"staleness_aware": True}, "momentum", (-0.9, 0.9)),
    ("async_sgd", {"mode": "sync"}, "clip", (0.1, 2.0)),
    ("async_steady_state_ga", {"population": 4, "workers": 3}, "recombination_rate", (0.0, 1.0)),
    ("async_steady_state_ga", {"population": 4, "workers": 2, "mode": "sync"}, "mutation_rate", (0.0, 1.0)),
    (
        "async_steady_state_ga",
        {"population": 3, "workers": 2, "replacement": "random"},
        "mutation_sigma",
        (0.0, 1.0),
    ),
    ("coevolution", {"selection": "truncation"}, "truncation", (0.1, 1.0)),
    ("ipop_cma_es", {}, "sigma", (0.1, 1.0)),
    ("ipop_cma_es", {}, "tol_fun", (1e-12, 1.0)),
    ("ipop_cma_es", {}, "tol_x", (1e-12, 2.0)),
    ("coevolution", {"selection": "proportional"}, "selection_strength", (0.0, 3.0)),
    ("coevolution", {"crossover": "one_point"}, "recombination_rate", (0.0, 1.0)),
    ("coevolution", {}, "mutation_rate", (0.0, 1.0)),
    ("coevolution", {}, "mutation_sigma", (0.0, 1.0)),
    ("consensus", {"population": 5}, "alpha", (0.0, 30.0)),
    ("consensus", {"population": 5}, "drift", (0.0, 2.0)),
    ("consensus", {"population": 5, "noise": "isotropic"}, "diffusion", (0.0, 2.0)),
    ("consensus", {"population": 5}, "step_size", (0.01, 1.0)),
    ("recombined_sgd", {"interval": 2}, "learning_rate", (0.01, 0.1)),
    ("recombined_sgd", {"interval": 2, "nesterov": True}, "momentum", (0.1, 0.9)),
    ("recombined_sgd", {"interval": 2}, "clip", (0.1, 2.0)),
    ("recombined_sgd", {"interval": 2}, "weight_decay", (0.0, 0.3)),
    ("recombined_sgd", {"interval": 2, "exchange": "average"}, "pull", (0.1, 1.0)),
    ("memetic", {"descent_steps": 1}, "learning_rate", (0.01, 0.1)),
    ("memetic", {"descent_steps": 1, "learning": "baldwinian"}, "mutation_sigma", (0.0, 1.0)),
    ("memetic", {"descent_steps": 1, "selection": "proportional"}, "selection_strength", (0.0, 3.0)),
    ("memetic", {"descent_steps": 1, "selection": "truncation"}, "truncation", (0.1, 1.0)),
    ("memetic", {"descent_steps": 0}, "recombination_rate", (0.0, 1.0)),
    ("memetic", {"descent_steps": 0}, "mutation_rate", (0.0, 1.0)),
    ("pbt", {"interval": 1}, "learning_rate", (0.01, 0.1)),
    ("pbt", {"interval": 1}, "spread", (1.0, 20.0)),
    ("pbt", {"interval": 1}, "momentum", (0.0, 0.9)),
    ("pbt", {"interval": 1}, "clip", (0.1, 2.0)),
    ("pbt", {"interval": 1}, "weight_decay", (0.0, 0.3)),
    ("pbt", {"interval": 1, "population": 10}, "fraction", (0.1, 0.5)),
    ("pbt", {"interval": 1}, "perturbation", (0.0, 0.9)),
    (
        "sgd",
        {"batch": 9, "coupling": "grow", "schedule": Schedule(kind="cosine", steps=9)},
        "learning_rate",
        (0.01, 0.1),
    ),
    (
        "openai_es",
        {"sigma_schedule": Schedule(kind="step", steps=2), "coupling": "constant_temperature"},
        "sigma",
        (0.01, 0.4),
    ),
    (
        "ga",
        {"schedule": Schedule(kind="cosine", steps=9), "coupling": "constant_temperature"},
        "mutation_sigma",
        (0.0, 1.0),
    ),
    ("torch_optim", {"starts": 2}, "learning_rate", (0.01, 0.4)),
    ("evotorch", {}, "sigma", (0.1, 1.0)),
    ("deap_ga", {"population": 6}, "recombination_rate", (0.1, 1.0)),
    ("deap_ga", {"population": 6}, "mutants", (0.0, 1.0)),
    ("deap_ga", {"population": 6, "mutants": 1.0}, "mutation_rate", (0.0, 1.0)),
    ("deap_ga", {"population": 6, "mutants": 1.0}, "mutation_sigma", (0.0, 1.0)),
    ("deap_ga", {"population": 6, "crossover": "uniform"}, "swap", (0.0, 1.0)),
    ("deap_ga", {"population": 6, "crossover": "blend"}, "alpha", (0.0, 1.0)),
    ("deap_ga", {"population": 6, "crossover": "simulated_binary"}, "eta", (0.0, 30.0)),
    ("deap_cma", {}, "sigma", (0.1, 1.0)),
    ("pycma", {}, "sigma", (0.1, 1.0)),
]


@pytest.mark.parametrize(
    ("kind", "options", "field", "limits"), NUMBERS, ids=lambda x: x if isinstance(x, str) else None
)
@pytest.mark.parametrize("dtype", FLOATS)
def test_one_number_for_each_world(kind, options, field, limits, dtype):
    """A batch whose worlds have different numbers equals the runs with each number, bit for bit."""
    numbers, domain = torch.linspace(*limits, 3, dtype=torch.float64), OPTIMIZERS[kind].domains[0]()
    fused = play(build(kind, options | {field: numbers}), domain, make(range(3), dtype))[0][-1]
    for row, number in enumerate(numbers.tolist()):
        alone = play(build(kind, options | {field: number}), domain, make([row], dtype))[0][-1]
        assert same(fused, alone, [row])


WRONG = [
    ("sgd", {"learning_rate": 0.0}, "sgd.learning_rate: expected > 0"),
    ("sgd", {"learning_rate": torch.tensor([0.1, -0.1])}, "sgd.learning_rate: expected > 0"),
    ("sgd", {"momentum": 1.0}, "sgd.momentum: expected < 1"),
    ("sgd", {"momentum": -0.1}, "sgd.momentum: expected >= 0"),
    ("sgd", {"nesterov": True}, "sgd.momentum: expected > 0 with nesterov"),
    ("sgd", {"clip": 0.0}, "sgd.clip: expected > 0"),
    ("sgd", {"weight_decay": -1.0}, "sgd.weight_decay: expected >= 0"),
    ("sgd", {"starts": 0}, "sgd.starts: expected >= 1"),
    ("openai_es", {"population": 1}, "openai_es.population: expected >= 2"),
    ("openai_es", {"population": 5}, "openai_es.population: expected an even number"),
    ("openai_es", {"sigma": 0.0}, "openai_es.sigma: expected > 0"),
    ("openai_es", {"learning_rate": math.nan}, "openai_es.learning_rate: expected > 0"),
    ("openai_es", {"shaping": "ranks"}, "openai_es.shaping: expected one of centered_ranks, raw"),
    ("openai_es", {"inner": "rmsprop"}, "openai_es.inner: expected one of sgd, adam"),
    ("openai_es", {"momentum": 1.0}, "openai_es.momentum: expected < 1"),
    ("openai_es", {"beta1": 1.0}, "openai_es.beta1: expected < 1"),
    ("openai_es", {"beta2": -0.1}, "openai_es.beta2: expected >= 0"),
    ("openai_es", {"weight_decay": -0.1}, "openai_es.weight_decay: expected >= 0"),
    ("ga", {"population": 0}, "ga.population: expected >= 1"),
    (
        "ga",
        {"selection": "roulette"},
        "ga.selection: expected one of tournament, truncation, proportional, none",
    ),
    ("ga", {"tournament": 0}, "ga.tournament: expected >= 1"),
    ("sgd", {"coupling": "grow"}, "sgd.batch: expected a number of terms with coupling 'grow', got None"),
    (
        "sgd",
        {"batch": 3, "coupling": "smith"},
        "sgd.coupling: expected one of none, constant_variance, constant_temperature, grow, decay_and_grow",
    ),
    ("sgd", {"batch": 0}, "sgd.batch: expected >= 1"),
    (
        "langevin",
        {"coupling": "constant_variance"},
        "langevin.batch: expected a number of terms with coupling",
    ),
    (
        "natural_sgd",
        {"coupling": "constant_variance"},
        "natural_sgd.batch: expected a number of terms with coupling",
    ),
    (
        "openai_es",
        {"coupling": "grow"},
        "openai_es.largest: expected a number of points >= population = 16 with coupling 'grow', got None",
    ),
    ("openai_es", {"largest": 8}, "openai_es.largest: expected >= population = 16, got 8"),
    (
        "openai_es",
        {"largest": 17},
        "openai_es.largest: expected an even number with antithetic points, got 17",
    ),
    ("openai_es", {"coupled": "momentum"}, "openai_es.coupled: expected one of sigma, learning_rate"),
    (
        "ga",
        {"coupling": "decay_and_grow"},
        "ga.largest: expected a number of points >= population = 64 with coupling 'decay_and_grow', got None",
    ),
    ("ga", {"truncation": 0.0}, "ga.truncation: expected > 0"),
    ("ga", {"truncation": 1.1}, "ga.truncation: expected <= 1"),
    ("ga", {"fitness": "log"}, "ga.fitness: expected one of linear, exponential"),
    ("ga", {"selection_strength": -1.0}, "ga.selection_strength: expected >= 0"),
    ("ga", {"crossover": "three_point"}, "ga.crossover: expected one of uniform, one_point, two_point, none"),
    ("ga", {"recombination_rate": 1.5}, "ga.recombination_rate: expected <= 1"),
    ("ga", {"mutation_rate": -0.5}, "ga.mutation_rate: expected >= 0"),
    ("ga", {"mutation_sigma": -0.5}, "ga.mutation_sigma: expected >= 0"),
    ("ga", {"population": 4, "elite": 4}, r"ga.elite: expected 0 <= elite < population = 4, got 4"),
    ("ga", {"elite": -1}, "ga.elite: expected >= 0"),
    ("random_search", {"population": 0}, "random_search.population: expected >= 1"),
    ("wright_fisher", {"population": 0}, "wright_fisher.population: expected >= 1"),
    ("quasispecies", {"founders": 0}, "quasispecies.founders: expected >= 1"),
    ("bernoulli_nes", {"population": 1}, "bernoulli_nes.population: expected >= 2"),
    ("bernoulli_nes", {"learning_rate": 0.0}, "bernoulli_nes.learning_rate: expected > 0"),
    ("bernoulli_nes", {"shaping": "ranks"}, "bernoulli_nes.shaping: expected one of centered_ranks, raw"),
    ("bernoulli_nes", {"lean": -1.0}, "bernoulli_nes.lean: expected >= 0"),
    ("bernoulli_nes", {"margin": 0.5}, "bernoulli_nes.margin: expected < 0.5"),
    (
        "pbil",
        {"population": 4, "selected": 5},
        "pbil.selected: expected 1 <= selected <= population = 4, got 5",
    ),
    ("pbil", {"learning_rate": 1.5}, "pbil.learning_rate: expected <= 1"),
    ("pbil", {"margin": -0.1}, "pbil.margin: expected >= 0"),
    ("cga", {"population": 1}, "cga.population: expected > 1"),
    ("cga", {"margin": 0.5}, "cga.margin: expected < 0.5"),
    (
        "quasispecies",
        {"crossover": "two_point"},
        "quasispecies.crossover: expected one of none, one_point, free",
    ),
    ("quasispecies", {"recombination_rate": 1.5}, "quasispecies.recombination_rate: expected <= 1"),
    ("quasispecies", {"mutation_rate": -0.5}, "quasispecies.mutation_rate: expected >= 0"),
    ("quasispecies", {"selection_strength": -0.5}, "quasispecies.selection_strength: expected >= 0"),
    ("linkage_equilibrium", {"ploidy": 4}, "linkage_equilibrium.ploidy: expected one of 1, 2"),
    ("linkage_equilibrium", {"mutation_rate": 1.5}, "linkage_equilibrium.mutation_rate: expected <= 1"),
    (
        "linkage_equilibrium",
        {"selection_strength": -0.5},
        "linkage_equilibrium.selection_strength: expected >= 0",
    ),
    (
        "adaptive_walk",
        {"rule": "steepest"},
        "adaptive_walk.rule: expected one of greedy, random, proportional",
    ),
    ("sswm", {"population": 0.5}, "sswm.population: expected >= 1"),
    ("sswm", {"model": "cannings"}, "sswm.model: expected one of wright_fisher, moran"),
    ("sswm", {"selection_strength": -1.0}, "sswm.selection_strength: expected >= 0"),
    ("one_plus_one_ea", {"mutation_rate": 1.5}, "one_plus_one_ea.mutation_rate: expected <= 1"),
    ("wright_fisher", {"ploidy": 3}, "wright_fisher.ploidy: expected one of 1, 2"),
    ("wright_fisher", {"model": "cannings"}, "wright_fisher.model: expected one of wright_fisher, moran"),
    ("wright_fisher", {"selection_strength": -1.0}, "wright_fisher.selection_strength: expected >= 0"),
    (
        "wright_fisher",
        {"crossover": "uniform"},
        "wright_fisher.crossover: expected one of none, one_point, multi_point, free",
    ),
    ("wright_fisher", {"recombination_rate": 1.5}, "wright_fisher.recombination_rate: expected <= 1"),
    ("wright_fisher", {"mutation_rate": -0.5}, "wright_fisher.mutation_rate: expected >= 0"),
    ("wright_fisher", {"mutation_sigma": -0.5}, "wright_fisher.mutation_sigma: expected >= 0"),
    ("one_plus_one", {"sigma": 0.0}, "one_plus_one.sigma: expected > 0"),
    ("one_plus_one", {"target": 1.0}, "one_plus_one.target: expected < 1"),
    ("one_plus_one", {"target": 0.0}, "one_plus_one.target: expected > 0"),
    ("one_plus_one", {"damping": 0.0}, "one_plus_one.damping: expected > 0"),
    ("snes", {"population": 1}, "snes.population: expected >= 2"),
    ("snes", {"sigma": -1.0}, "snes.sigma: expected > 0"),
    ("snes", {"learning_rate": 0.0}, "snes.learning_rate: expected > 0"),
    ("snes", {"sigma_learning_rate": 0.0}, "snes.sigma_learning_rate: expected > 0"),
    ("cma_es", {"population": 1}, "cma_es.population: expected >= 2"),
    ("cma_es", {"sigma": 0.0}, "cma_es.sigma: expected > 0"),
    ("cma_es", {"covariance": "low_rank"}, "cma_es.covariance: expected one of full, diagonal"),
    ("cma_es", {"lazy": 0}, "cma_es.lazy: expected >= 1"),
    ("sgd", {"average": "ema"}, "sgd.average: expected one of none, polyak, tail"),
    ("sgd", {"average": "tail"}, "sgd.burn_in: expected > 0 with average tail, else 0, got 0 with tail"),
    ("sgd", {"burn_in": 3}, "sgd.burn_in: expected > 0 with average tail, else 0, got 3 with none"),
    ("adam", {"learning_rate": 0.0}, "adam.learning_rate: expected > 0"),
    ("adam", {"beta1": 1.0}, "adam.beta1: expected < 1"),
    ("adam", {"beta2": -0.1}, "adam.beta2: expected >= 0"),
    ("adam", {"epsilon": 0.0}, "adam.epsilon: expected > 0"),
    ("adam", {"weight_decay": -0.1}, "adam.weight_decay: expected >= 0"),
    ("adam", {"decay": "none"}, "adam.decay: expected one of decoupled, coupled"),
    ("adam", {"clip": 0.0}, "adam.clip: expected > 0"),
    ("adam", {"starts": 0}, "adam.starts: expected >= 1"),
    ("langevin", {"learning_rate": 0.0}, "langevin.learning_rate: expected > 0"),
    ("langevin", {"temperature": -0.1}, "langevin.temperature: expected >= 0"),
    ("langevin", {"starts": 0}, "langevin.starts: expected >= 1"),
    ("metropolis", {"temperature": -0.1}, "metropolis.temperature: expected >= 0"),
    ("metropolis", {"sigma": 0.0}, "metropolis.sigma: expected > 0"),
    ("metropolis", {"mutation_rate": 1.5}, "metropolis.mutation_rate: expected <= 1"),
    ("metropolis", {"starts": 0}, "metropolis.starts: expected >= 1"),
    ("simulated_annealing", {"temperature": -0.1}, "simulated_annealing.temperature: expected >= 0"),
    ("simulated_annealing", {"sigma": 0.0}, "simulated_annealing.sigma: expected > 0"),
    ("simulated_annealing", {"mutation_rate": -0.5}, "simulated_annealing.mutation_rate: expected >= 0"),
    ("simulated_annealing", {"starts": 0}, "simulated_annealing.starts: expected >= 1"),
    ("signed_sgd", {"learning_rate": 0.0}, "signed_sgd.learning_rate: expected > 0"),
    ("signed_sgd", {"momentum": 1.0}, "signed_sgd.momentum: expected < 1"),
    ("signed_sgd", {"starts": 0}, "signed_sgd.starts: expected >= 1"),
    ("natural_sgd", {"learning_rate": 0.0}, "natural_sgd.learning_rate: expected > 0"),
    ("natural_sgd", {"metric": "fisher"}, "natural_sgd.metric: expected one of logistic, given"),
    (
        "natural_sgd",
        {"metric": "given"},
        "natural_sgd.matrix: expected one with metric given and none with logistic, got None with given",
    ),
    (
        "natural_sgd",
        {"matrix": (1.0, 2.0)},
        "natural_sgd.matrix: expected one with metric given and none with logistic",
    ),
    (
        "natural_sgd",
        {"metric": "given", "matrix": (1.0, -2.0)},
        "natural_sgd.matrix: expected a positive definite one",
    ),
    (
        "natural_sgd",
        {"metric": "given", "matrix": ((1.0, 2.0), (2.0, 1.0))},
        "natural_sgd.matrix: expected a positive definite one",
    ),
    (
        "natural_sgd",
        {"metric": "given", "matrix": ((2.0, 1.0), (0.0, 2.0))},
        "natural_sgd.matrix: expected .* a symmetric",
    ),
    ("natural_sgd", {"damping": -0.1}, "natural_sgd.damping: expected >= 0"),
    ("natural_sgd", {"starts": 0}, "natural_sgd.starts: expected >= 1"),
    ("spsa", {"learning_rate": 0.0}, "spsa.learning_rate: expected > 0"),
    ("spsa", {"perturbation": 0.0}, "spsa.perturbation: expected > 0"),
    ("spsa", {"stability": -1.0}, "spsa.stability: expected >= 0"),
    ("spsa", {"alpha": 1.5}, "spsa.alpha: expected <= 1"),
    ("spsa", {"gamma": -0.1}, "spsa.gamma: expected >= 0"),
    ("spsa", {"pairs": 0}, "spsa.pairs: expected >= 1"),
    ("mu_lambda", {"population": 1}, "mu_lambda.population: expected >= 2"),
    ("mu_lambda", {"parents": 0}, "mu_lambda.parents: expected >= 1"),
    (
        "mu_lambda",
        {"population": 4, "parents": 5},
        "mu_lambda.parents: expected 1 <= parents <= population = 4, got 5",
    ),
    ("mu_lambda", {"weights": "linear"}, "mu_lambda.weights: expected one of log, equal"),
    ("mu_lambda", {"sigma": 0.0}, "mu_lambda.sigma: expected > 0"),
    ("mu_lambda", {"damping": 0.0}, "mu_lambda.damping: expected > 0"),
    ("xnes", {"population": 1}, "xnes.population: expected >= 2"),
    ("xnes", {"sigma": 0.0}, "xnes.sigma: expected > 0"),
    ("xnes", {"learning_rate": 0.0}, "xnes.learning_rate: expected > 0"),
    ("xnes", {"sigma_learning_rate": 0.0}, "xnes.sigma_learning_rate: expected > 0"),
    ("xnes", {"shape_learning_rate": 0.0}, "xnes.shape_learning_rate: expected > 0"),
    ("pgpe", {"population": 2}, "pgpe.population: expected >= 4"),
    ("pgpe", {"population": 5}, "pgpe.population: expected an even number of points, got 5"),
    ("pgpe", {"sigma": 0.0}, "pgpe.sigma: expected > 0"),
    ("pgpe", {"learning_rate": 0.0}, "pgpe.learning_rate: expected > 0"),
    ("pgpe", {"sigma_learning_rate": -0.1}, "pgpe.sigma_learning_rate: expected >= 0"),
    ("pgpe", {"limit": 1.0}, "pgpe.limit: expected < 1"),
    ("pgpe", {"shaping": "ranks"}, "pgpe.shaping: expected one of centered_ranks, raw"),
    ("cem", {"population": 1}, "cem.population: expected >= 2"),
    ("cem", {"fraction": 0.0}, "cem.fraction: expected > 0"),
    ("cem", {"fraction": 1.5}, "cem.fraction: expected <= 1"),
    ("cem", {"sigma": 0.0}, "cem.sigma: expected > 0"),
    ("cem", {"smoothing": 0.0}, "cem.smoothing: expected > 0"),
    ("cem", {"noise": -1.0}, "cem.noise: expected >= 0"),
    ("cem", {"steps": 0}, "cem.steps: expected > 0"),
    ("extragradient", {"learning_rate": 0.0}, "extragradient.learning_rate: expected > 0"),
    ("extragradient", {"starts": 0}, "extragradient.starts: expected >= 1"),
    ("alternating", {"learning_rate": 0.0}, "alternating.learning_rate: expected > 0"),
    ("alternating", {"momentum": -1.0}, "alternating.momentum: expected > -1"),
    ("alternating", {"momentum": 1.0}, "alternating.momentum: expected < 1"),
    ("alternating", {"starts": 0}, "alternating.starts: expected >= 1"),
    ("nelder_mead", {"step": 0.0}, "nelder_mead.step: expected > 0"),
    ("nelder_mead", {"coefficients": "fast"}, "nelder_mead.coefficients: expected one of adaptive, standard"),
    ("lbfgs", {"memory": 0}, "lbfgs.memory: expected >= 1"),
    ("lbfgs", {"first_step": 0.0}, "lbfgs.first_step: expected > 0"),
    ("lbfgs", {"sufficient": 0.0}, "lbfgs.sufficient: expected > 0"),
    ("lbfgs", {"curvature": 1.0}, "lbfgs.curvature: expected < 1"),
    ("lbfgs", {"sufficient": 0.5, "curvature": 0.4}, "lbfgs.sufficient: expected < curvature = 0.4, got 0.5"),
    ("lbfgs", {"trials": 0}, "lbfgs.trials: expected >= 1"),
    ("de", {"population": 2, "strategy": "best"}, "de.population: expected >= 3"),
    ("de", {"population": 3}, "de.population: expected >= 4 with the strategy rand, got 3"),
    ("de", {"strategy": "rand/1"}, "de.strategy: expected one of rand, best, current_to_best"),
    ("de", {"scale": 0.0}, "de.scale: expected > 0"),
    ("de", {"crossover_rate": 1.5}, "de.crossover_rate: expected <= 1"),
    ("island_ga", {"population": 10}, "island_ga.population: expected a multiple of islands = 4, got 10"),
    ("island_ga", {"islands": 0}, "island_ga.islands: expected >= 1"),
    (
        "island_ga",
        {"migrants": 17},
        "island_ga.migrants: expected 0 <= migrants <= population / islands = 16, got 17",
    ),
    ("island_ga", {"interval": 0}, "island_ga.interval: expected >= 1"),
    ("island_ga", {"migration": "worst"}, "island_ga.migration: expected one of best, random"),
    ("island_ga", {"elite": 16}, "island_ga.elite: expected 0 <= elite < population / islands = 16, got 16"),
    ("parallel_tempering", {"population": 1}, "parallel_tempering.population: expected >= 2"),
    ("parallel_tempering", {"coldest": 0.0}, "parallel_tempering.coldest: expected > 0"),
    (
        "parallel_tempering",
        {"coldest": 0.2, "hottest": 0.1},
        "parallel_tempering.hottest: expected >= coldest = 0.2, got 0.1",
    ),
    ("parallel_tempering", {"sigma": 0.0}, "parallel_tempering.sigma: expected > 0"),
    ("parallel_tempering", {"mutation_rate": 1.5}, "parallel_tempering.mutation_rate: expected <= 1"),
    ("steady_state_ga", {"children": 0}, "steady_state_ga.children: expected >= 1"),
    (
        "steady_state_ga",
        {"population": 9, "children": 2},
        "steady_state_ga.population: expected a multiple of children = 2, got 9",
    ),
    (
        "steady_state_ga",
        {"replacement": "oldest"},
        "steady_state_ga.replacement: expected one of worst, random",
    ),
    ("steady_state_ga", {"tournament": 0}, "steady_state_ga.tournament: expected >= 1"),
    ("steady_state_ga", {"recombination_rate": 1.5}, "steady_state_ga.recombination_rate: expected <= 1"),
    ("async_sgd", {"learning_rate": 0.0}, "async_sgd.learning_rate: expected > 0"),
    ("async_sgd", {"workers": 0}, "async_sgd.workers: expected >= 1"),
    ("async_sgd", {"mode": "barrier"}, "async_sgd.mode: expected one of async, sync, got 'barrier'"),
    ("async_sgd", {"backups": -1}, "async_sgd.backups: expected >= 0"),
    (
        "async_sgd",
        {"backups": 1},
        "async_sgd.backups: expected 0 <= backups < 1 with 8 workers and async, got 1",
    ),
    (
        "async_sgd",
        {"backups": 8, "mode": "sync"},
        "async_sgd.backups: expected 0 <= backups < 8 with 8 workers and sync, got 8",
    ),
    ("async_sgd", {"momentum": -1.0}, "async_sgd.momentum: expected > -1"),
    ("async_sgd", {"momentum": 1.0}, "async_sgd.momentum: expected < 1"),
    ("async_sgd", {"clip": 0.0}, "async_sgd.clip: expected > 0"),
    (
        "async_sgd",
        {"workers": 2, "service": Service(stragglers=3)},
        "async_sgd.service.stragglers: expected at most workers = 2, got 3",
    ),
    ("async_steady_state_ga", {"workers": 0}, "async_steady_state_ga.workers: expected >= 1"),
    (
        "async_steady_state_ga",
        {"workers": 7, "mode": "sync"},
        "ga.population: expected a multiple of workers = 7 with sync, got 64",
    ),
    (
        "async_steady_state_ga",
        {"service": Service(stragglers=9)},
        "async_steady_state_ga.service.stragglers: expected at most workers = 8, got 9",
    ),
    ("async_steady_state_ga", {"mode": "both"}, "async_steady_state_ga.mode: expected one of async, sync"),
    (
        "async_steady_state_ga",
        {"replacement": "oldest"},
        "async_steady_state_ga.replacement: expected one of worst, random",
    ),
    ("async_steady_state_ga", {"tournament": 0}, "async_steady_state_ga.tournament: expected >= 1"),
    ("coevolution", {"population": 0}, "coevolution.population: expected >= 1"),
    ("ipop_cma_es", {"population": 1}, "ipop_cma_es.population: expected >= 2"),
    ("ipop_cma_es", {"sigma": 0.0}, "ipop_cma_es.sigma: expected > 0"),
    ("ipop_cma_es", {"covariance": "low_rank"}, "ipop_cma_es.covariance: expected one of full, diagonal"),
    ("ipop_cma_es", {"lazy": 0}, "ipop_cma_es.lazy: expected >= 1"),
    ("ipop_cma_es", {"restarts": -1}, "ipop_cma_es.restarts: expected >= 0"),
    ("ipop_cma_es", {"growth": 0}, "ipop_cma_es.growth: expected >= 1"),
    ("ipop_cma_es", {"tol_fun": -1.0}, "ipop_cma_es.tol_fun: expected >= 0"),
    ("ipop_cma_es", {"tol_x": -1.0}, "ipop_cma_es.tol_x: expected >= 0"),
    (
        "coevolution",
        {"population": 3, "opponents": 4},
        "coevolution.opponents: expected 1 <= opponents <= population = 3, got 4",
    ),
    ("coevolution", {"opponents": 0}, "coevolution.opponents: expected >= 1"),
    (
        "coevolution",
        {"selection": "roulette"},
        "coevolution.selection: expected one of tournament, truncation, proportional, none",
    ),
    ("coevolution", {"mutation_sigma": -0.5}, "coevolution.mutation_sigma: expected >= 0"),
    ("consensus", {"population": 1}, "consensus.population: expected >= 2"),
    ("consensus", {"alpha": -1.0}, "consensus.alpha: expected >= 0"),
    ("consensus", {"drift": -1.0}, "consensus.drift: expected >= 0"),
    ("consensus", {"diffusion": -1.0}, "consensus.diffusion: expected >= 0"),
    ("consensus", {"step_size": 0.0}, "consensus.step_size: expected > 0"),
    ("consensus", {"noise": "levy"}, "consensus.noise: expected one of anisotropic, isotropic"),
    ("recombined_sgd", {"population": 0}, "recombined_sgd.population: expected >= 1"),
    ("recombined_sgd", {"learning_rate": 0.0}, "recombined_sgd.learning_rate: expected > 0"),
    ("recombined_sgd", {"momentum": 1.0}, "recombined_sgd.momentum: expected < 1"),
    ("recombined_sgd", {"nesterov": True}, "recombined_sgd.momentum: expected > 0 with nesterov"),
    ("recombined_sgd", {"clip": 0.0}, "recombined_sgd.clip: expected > 0"),
    ("recombined_sgd", {"weight_decay": -1.0}, "recombined_sgd.weight_decay: expected >= 0"),
    ("recombined_sgd", {"interval": 0}, "recombined_sgd.interval: expected >= 1"),
    (
        "recombined_sgd",
        {"exchange": "one_point"},
        "recombined_sgd.exchange: expected one of crossover, average, none",
    ),
    ("recombined_sgd", {"exchange": "average", "pull": 0.0}, "recombined_sgd.pull: expected > 0"),
    (
        "recombined_sgd",
        {"pull": 0.5},
        "recombined_sgd.pull: expected 1 unless exchange is average, got 0.5 with crossover",
    ),
    ("memetic", {"population": 4, "elite": 4}, "memetic.elite: expected 0 <= elite < population = 4, got 4"),
    ("memetic", {"learning": "darwinian"}, "memetic.learning: expected one of lamarckian, baldwinian"),
    ("memetic", {"descent_steps": -1}, "memetic.descent_steps: expected >= 0"),
    ("memetic", {"learning_rate": 0.0}, "memetic.learning_rate: expected > 0"),
    (
        "memetic",
        {"selection": "roulette"},
        "memetic.selection: expected one of tournament, truncation, proportional, none",
    ),
    ("pbt", {"population": 1}, "pbt.population: expected >= 2"),
    ("pbt", {"learning_rate": 0.0}, "pbt.learning_rate: expected > 0"),
    ("pbt", {"spread": 0.5}, "pbt.spread: expected >= 1"),
    ("pbt", {"spread": 1e7}, "pbt.spread: expected <= 1000000"),
    ("pbt", {"momentum": 1.0}, "pbt.momentum: expected < 1"),
    ("pbt", {"interval": 0}, "pbt.interval: expected >= 1"),
    ("pbt", {"fraction": 0.6}, "pbt.fraction: expected <= 0.5"),
    ("pbt", {"population": 4, "fraction": 0.2}, "pbt.fraction: expected >= 1 / population = 1 / 4, got 0.2"),
    ("pbt", {"perturbation": 1.0}, "pbt.perturbation: expected < 1"),
]


@pytest.mark.parametrize(
    ("kind", "options", "message"), WRONG, ids=lambda x: x if isinstance(x, str) else None
)
def test_out_of_range(kind, options, message):
    with pytest.raises(ValueError, match=message):
        build(kind, options)


# invariances ------------------------------------------------------------------------------------------------

RANKED = [
    ("openai_es", {}, Reals()),
    ("openai_es", {"antithetic": False, "inner": "adam"}, Reals()),
    ("ga", {"elite": 1}, Reals()),
    ("ga", {"selection": "truncation"}, Bits()),
    ("one_plus_one", {}, Reals()),
    ("snes", {}, Reals()),
    ("cma_es", {}, Reals()),
    ("cma_es", {"covariance": "diagonal"}, Reals()),
    ("mu_lambda", {}, Reals()),
    ("xnes", {}, Reals()),
    ("pgpe", {}, Reals()),
    ("cem", {}, Reals()),
    ("nelder_mead", {}, Reals()),
    ("bernoulli_nes", {}, Bits()),
    ("pbil", {}, Bits()),
    ("cga", {}, Bits()),
    ("adaptive_walk", {}, Bits()),
    ("one_plus_one_ea", {}, Bits()),
    ("rls", {}, Bits()),
    ("de", {}, Reals()),
    ("de", {"strategy": "best"}, Reals()),
    ("island_ga", {"elite": 1, "interval": 2}, Reals()),
    ("island_ga", {"selection": "truncation", "interval": 2}, Bits()),
    ("steady_state_ga", {"population": 4, "children": 2}, Reals()),
    ("steady_state_ga", {"population": 4, "children": 2}, Bits()),
    ("async_steady_state_ga", {"population": 4, "workers": 2}, Reals()),
    ("async_steady_state_ga", {"population": 4, "workers": 2, "mode": "sync"}, Bits()),
    ("coevolution", {}, Reals()),
    ("coevolution", {"selection": "truncation"}, Bits()),
    ("ipop_cma_es", {}, Reals()),
]


@pytest.mark.parametrize("case", RANKED, ids=identity)
def test_rank_methods_ignore_monotone_transforms(case):
    kind, options, domain = case
    plain = play(build(kind, options), domain, make())[1]
    for transform in (lambda v: 64 * v, lambda v: v.exp() if v.max() < 700 else v):
        bent = play(
            build(kind, options),
            domain,
            make(),
            answer=lambda q, dtype, t=transform: Answer(t(bowl(q, dtype).value)),
        )[1]
        assert torch.equal(plain[-1].points, bent[-1].points)


@pytest.mark.parametrize(
    "case",
    [("openai_es", {"shaping": "raw"}, Reals()), ("ga", {"selection": "proportional"}, Reals())],
    ids=identity,
)
def test_the_others_do_not(case):
    kind, options, domain = case
    plain, scaled = (
        play(build(kind, options), domain, make(), answer=lambda q, t, k=k: bowl(q, t, scale=k))[1][-1]
        for k in (1.0, 64.0)
    )
    assert not torch.allclose(plain.points, scaled.points)


HELD = (
    "random_search",
    "natural_sgd",
    "linkage_equilibrium",
)  # methods to which the place of 0, or the box, means something
BASIS = (
    "deap_cma",
)  # it rotates its draws by the axes that eigh picks among equal eigenvalues: rounding decides which


@pytest.mark.parametrize(
    "case", [c for c in CASES if isinstance(c[-1], Reals) and c[0] not in HELD + BASIS], ids=identity
)
def test_translation(case):
    """Moving the start and the optimum moves the trajectory (weight decay, which pulls to 0, apart)."""
    kind, options, _, domain = case
    optimizer = build(kind, options | ({"weight_decay": 0.0} if "weight_decay" in options else {}))
    plain = play(optimizer, domain, make())[0][-1]
    moved = play(optimizer, domain, make(), answer=lambda q, t: bowl(q, t, shift=4.0), shift=4.0)[0][-1]
    assert torch.allclose(optimizer.recommend(moved) - 4.0, optimizer.recommend(plain), atol=1e-9)


@pytest.mark.parametrize("crossover", ["uniform", "one_point", "two_point"])
def test_relabelled_bits(crossover):
    """Exchanging 0 and 1 at some loci exchanges them in every generation."""
    flip = torch.tensor([1, 0, 0, 1, 1, 0, 1], dtype=torch.uint8)
    optimizer, s = build("ga", {"crossover": crossover, "population": 9}), make().at(1)
    state = optimizer.init(problem(make(), Bits(), 7), make())
    answer = bowl(optimizer.ask(state, s), s.dtype)
    plain = optimizer.tell(state, optimizer.ask(state, s), answer, make().at(1))[0]
    relabelled = state._replace(points=state.points ^ flip)
    other = optimizer.tell(relabelled, optimizer.ask(relabelled, s), answer, make().at(1))[0]
    assert torch.equal(other.points ^ flip, plain.points)


# sgd --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True},
        {"weight_decay": 0.1, "momentum": 0.5},
        {"clip": 0.5, "weight_decay": 0.1},
    ],
    ids=str,
)
def test_sgd_is_torch_sgd(options):
    optimizer = build("sgd", {"learning_rate": 0.05} | options)
    states = play(optimizer, Reals(), make([1]), steps=20)[0]
    x = states[0].points[0, 0].clone().requires_grad_()
    torch_options = {key: value for key, value in options.items() if key != "clip"}
    peer = torch.optim.SGD([x], lr=0.05, **torch_options)
    for _ in range(20):
        x.grad = 2 * (1 + torch.arange(7.0, dtype=torch.float64) / 4) * (x.detach() - 0.3)
        if "clip" in options:
            torch.nn.utils.clip_grad_norm_([x], options["clip"])
        peer.step()
    assert torch.allclose(
        states[-1].points[0, 0], x.detach(), atol=1e-5 if "clip" in options else 1e-14
    )  # torch adds 1e-6 to the norm


def test_starts_are_independent_trajectories():
    """The first of three is the one of one, and the one last seen lowest is recommended."""
    optimizer = build("sgd", {"starts": 3})
    three, one = play(optimizer, Reals(), make())[0], play(build("sgd", {}), Reals(), make())[0]
    assert torch.equal(three[-1].points[:, :1], one[-1].points)
    lowest = three[-1].value.argmin(1)
    assert torch.equal(optimizer.recommend(three[-1]), three[-1].points[range(8), lowest])


def test_sgd_refuses_an_answer_without_gradients():
    optimizer, s = build("sgd", {}), make()
    state = optimizer.init(problem(s, Reals(), 2), s)
    with pytest.raises(ValueError, match="expected an answer with gradients"):
        optimizer.tell(state, optimizer.ask(state, s), Answer(torch.zeros(8, 1)), s)


# openai_es --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"antithetic": False},
        {"shaping": "raw"},
        {"shaping": "raw", "antithetic": False},
        {"inner": "adam", "weight_decay": 0.1},
    ],
    ids=str,
)
def test_es_beside_a_loop(options):
    """The step is torch's own SGD or Adam along the naive estimate of the gradient."""
    optimizer = build("openai_es", {"population": 6, "sigma": 0.3, "learning_rate": 0.02} | options)
    states, queries, _ = play(optimizer, Reals(), make([1]), steps=6)
    x = states[0].center[0, 0].clone().requires_grad_()
    peer = (torch.optim.Adam if options.get("inner") == "adam" else torch.optim.SGD)(
        [x], lr=0.02, weight_decay=options.get("weight_decay", 0.0)
    )
    for query in queries:
        value = bowl(query, torch.float64).value[0].tolist()
        factor = 1.0
        if options.get("shaping") != "raw":
            value = naive.centered_ranks(value)
        elif not optimizer.antithetic:
            value, factor = [v - sum(value) / 6 for v in value], 6 / 5
        x.grad = factor * torch.tensor(
            naive.es_gradient(query.points[0].tolist(), x.tolist(), value, 0.3), dtype=torch.float64
        )
        peer.step()
    assert torch.allclose(states[-1].center[0, 0], x.detach(), atol=1e-9)


def test_antithetic_points_are_mirrored():
    optimizer, s = build("openai_es", {"population": 6}), make()
    state = optimizer.init(problem(s, Reals(), 7), s)
    x = optimizer.ask(state, s.at(1)).points
    assert torch.allclose(x[:, :3] + x[:, 3:], 2 * state.center)


# ga ---------------------------------------------------------------------------------------------------------


def test_one_generation_beside_a_loop():
    n, d, elite = 9, 7, 2
    optimizer = build(
        "ga",
        {
            "population": n,
            "elite": elite,
            "crossover": "one_point",
            "recombination_rate": 0.6,
            "mutation_rate": 0.2,
        },
    )
    state = optimizer.init(problem(make(), Bits(), d), make())
    query = optimizer.ask(state, make())
    answer = bowl(query, torch.float64)
    new, info = optimizer.tell(state, query, answer, make().at(1))
    s, m = make().at(1), n - elite
    mothers, fathers = (s.integers("drift", n, (m, 2), part=part) for part in (0, 1))
    who, cut = s.bernoulli("recombination", 0.6, (m,)), 1 + s.integers("recombination", d - 1, (m,), part=1)
    flips = s.bernoulli("mutation", 0.2, (m, d))
    for r in range(8):
        x, value = query.points[r].tolist(), answer.value[r].tolist()
        survivors = naive.ordered(value)[:elite]
        children, parents = [x[i] for i in survivors], [[i, i] for i in survivors]
        pairs = zip(
            naive.tournament(value, mothers[r].tolist()),
            naive.tournament(value, fathers[r].tolist()),
            strict=True,
        )
        for k, (a, b) in enumerate(pairs):
            b = b if who[r, k] else a
            parents.append([a, b])
            children.append(naive.bit_flip(naive.one_point(x[a], x[b], int(cut[r, k])), flips[r, k].tolist()))
        assert new.points[r].tolist() == children
        assert info["parents"][r].tolist() == parents
        assert new.best[r].tolist() == x[survivors[0]]


def test_one_source_redrawn_leaves_the_others():
    """Re-keying mutation leaves parents and crossover; re-keying drift leaves the flips."""
    optimizer = build(
        "ga", {"population": 9, "crossover": "uniform", "recombination_rate": 0.5, "mutation_rate": 0.3}
    )
    state = optimizer.init(problem(make(), Bits(), 7), make())
    query = optimizer.ask(state, make())
    answer = bowl(query, torch.float64)

    def generation(source=None):
        s = make().redraw(source, 1) if source else make()
        new, info = optimizer.tell(state, query, answer, s.at(1))
        flips = s.at(1).bernoulli("mutation", 0.3, (9, 7)).to(torch.uint8)
        return flips, new.points ^ flips, info["parents"]

    plain, mutation, drift, recombination = (
        generation(),
        generation("mutation"),
        generation("drift"),
        generation("recombination"),
    )
    assert [torch.equal(a, b) for a, b in zip(plain, mutation, strict=True)] == [False, True, True]
    assert [torch.equal(a, b) for a, b in zip(plain, drift, strict=True)] == [True, False, False]
    assert torch.equal(plain[2][..., 0], recombination[2][..., 0])
    assert torch.equal(plain[0], recombination[0])


def test_first_parents_do_not_depend_on_crossover():
    infos = [
        play(build("ga", {"crossover": c}), Bits(), make(), steps=1)[2][0]["parents"][..., 0]
        for c in ("none", "uniform", "two_point")
    ]
    assert torch.equal(infos[0], infos[1])
    assert torch.equal(infos[0], infos[2])


@pytest.mark.parametrize("dim", [7, 100])
def test_one_bit_in_d_mutates(dim):
    optimizer = build("ga", {"population": 50, "selection": "none", "crossover": "none"})
    states, _, infos = play(optimizer, Bits(), make(range(40)), dim, steps=1)
    parents = states[0].points.gather(1, infos[0]["parents"][..., :1].expand(-1, -1, dim))
    flipped = (parents ^ states[1].points).double().mean(), 40 * 50 * dim
    assert abs(flipped[0] - 1 / dim) < 4.5 * (1 / dim / flipped[1]) ** 0.5
    assert abs(flipped[0] - 2 / dim) > 4.5 * (1 / dim / flipped[1]) ** 0.5


def test_center_is_the_allele_frequencies():
    optimizer = build("ga", {"population": 8})
    state = optimizer.init(problem(make(), Bits(), 3), make())
    assert torch.equal(optimizer.center(state), state.points.double().mean(1))


# random_search ----------------------------------------------------------------------------------------------


def test_random_search_keeps_the_best_of_exact_values():
    optimizer = build("random_search", {"population": 3})
    states, queries, _ = play(optimizer, Reals(-2.0, 2.0), make(), steps=9)
    x = torch.cat([q.points for q in queries], 1)
    assert x.shape == (8, 27, 7)
    assert x.min() >= -2
    assert x.max() < 2
    values = bowl(queries[0]._replace(points=x), torch.float64).value
    assert torch.equal(states[-1].value, values.amin(1))
    assert torch.equal(optimizer.recommend(states[-1]), x[range(8), values.argmin(1)])


def test_random_search_asks_a_noisy_best_again():
    """A value that was lucky once does not stay."""
    optimizer = build("random_search", {"population": 2})
    lucky = iter([-100.0, 0.0, 0.0])

    def answer(query, dtype):
        value = bowl(query, dtype).value
        value[:, 1] += next(lucky)
        return Answer(value)

    states, queries, _ = play(optimizer, Reals(), make(), steps=2, answer=answer, exact=False)
    assert queries[1].points.shape == (8, 3, 7)
    assert torch.equal(queries[1].points[:, 0], states[1].best)
    assert (states[1].value < -50).all()
    assert (states[2].value > 0).all()
