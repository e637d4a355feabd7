"""Search methods: tensors in, tensors out. A new one: a file in its family's folder, a line here."""

from optimizers.adapters.deap_cma import DeapCMA
from optimizers.adapters.deap_ga import DeapGA
from optimizers.adapters.evotorch import EvoTorch
from optimizers.adapters.pycma import PyCMA
from optimizers.adapters.torch_optim import TorchOptim
from optimizers.base import Optimizer
from optimizers.bit_models.bernoulli_nes import BernoulliNES
from optimizers.bit_models.cga import CGA
from optimizers.bit_models.pbil import PBIL
from optimizers.direct.nelder_mead import NelderMead
from optimizers.direct.random_search import RandomSearch
from optimizers.direct.spsa import SPSA
from optimizers.evolution_strategies.cem import CEM
from optimizers.evolution_strategies.cma_es import CMAES
from optimizers.evolution_strategies.ipop_cma_es import IPOPCMAES
from optimizers.evolution_strategies.mu_lambda import MuLambda
from optimizers.evolution_strategies.one_plus_one import OnePlusOne
from optimizers.evolution_strategies.openai_es import OpenAIES
from optimizers.evolution_strategies.pgpe import PGPE
from optimizers.evolution_strategies.snes import SNES
from optimizers.evolution_strategies.uh_cma_es import UHCMAES
from optimizers.evolution_strategies.xnes import XNES
from optimizers.gradient.adam import Adam
from optimizers.gradient.alternating import Alternating
from optimizers.gradient.async_sgd import AsyncSGD
from optimizers.gradient.extragradient import Extragradient
from optimizers.gradient.langevin import Langevin
from optimizers.gradient.lbfgs import LBFGS
from optimizers.gradient.natural_sgd import NaturalSGD
from optimizers.gradient.sgd import SGD
from optimizers.gradient.signed_sgd import SignedSGD
from optimizers.hybrids.consensus import Consensus
from optimizers.hybrids.memetic import Memetic
from optimizers.hybrids.pbt import PBT
from optimizers.hybrids.recombined_sgd import RecombinedSGD
from optimizers.population_genetics.linkage_equilibrium import LinkageEquilibrium
from optimizers.population_genetics.quasispecies import Quasispecies
from optimizers.population_genetics.wright_fisher import WrightFisher
from optimizers.populations.async_steady_state_ga import AsyncSteadyStateGA
from optimizers.populations.coevolution import Coevolution
from optimizers.populations.de import DE
from optimizers.populations.ga import GA
from optimizers.populations.island_ga import IslandGA
from optimizers.populations.steady_state_ga import SteadyStateGA
from optimizers.walks.adaptive_walk import AdaptiveWalk
from optimizers.walks.metropolis import Metropolis
from optimizers.walks.one_plus_one_ea import OnePlusOneEA
from optimizers.walks.parallel_tempering import ParallelTempering
from optimizers.walks.rls import RLS
from optimizers.walks.simulated_annealing import SimulatedAnnealing
from optimizers.walks.sswm import SSWM

OPTIMIZERS: dict[str, type[Optimizer]] = {
    # gradients
    "sgd": SGD,
    "async_sgd": AsyncSGD,
    "adam": Adam,
    "signed_sgd": SignedSGD,
    "natural_sgd": NaturalSGD,
    "langevin": Langevin,
    "lbfgs": LBFGS,
    # games
    "extragradient": Extragradient,
    "alternating": Alternating,
    "coevolution": Coevolution,
    # walks
    "metropolis": Metropolis,
    "simulated_annealing": SimulatedAnnealing,
    "parallel_tempering": ParallelTempering,
    "adaptive_walk": AdaptiveWalk,
    "sswm": SSWM,
    "one_plus_one": OnePlusOne,
    "one_plus_one_ea": OnePlusOneEA,
    "rls": RLS,
    # values only
    "spsa": SPSA,
    "nelder_mead": NelderMead,
    "random_search": RandomSearch,
    # evolution strategies
    "openai_es": OpenAIES,
    "snes": SNES,
    "xnes": XNES,
    "cma_es": CMAES,
    "ipop_cma_es": IPOPCMAES,
    "uh_cma_es": UHCMAES,
    "mu_lambda": MuLambda,
    "pgpe": PGPE,
    "cem": CEM,
    # populations and their limits
    "ga": GA,
    "steady_state_ga": SteadyStateGA,
    "async_steady_state_ga": AsyncSteadyStateGA,
    "island_ga": IslandGA,
    "de": DE,
    "wright_fisher": WrightFisher,
    "quasispecies": Quasispecies,
    "linkage_equilibrium": LinkageEquilibrium,
    # between one trajectory and a population
    "consensus": Consensus,
    "recombined_sgd": RecombinedSGD,
    "memetic": Memetic,
    "pbt": PBT,
    # models of bits
    "bernoulli_nes": BernoulliNES,
    "pbil": PBIL,
    "cga": CGA,
    # other libraries
    "torch_optim": TorchOptim,
    "evotorch": EvoTorch,
    "deap_ga": DeapGA,
    "deap_cma": DeapCMA,
    "pycma": PyCMA,
}
