"""Search methods: tensors in, tensors out. A new one is a file in this folder and a line in `OPTIMIZERS`."""

from optimizers.adam import Adam
from optimizers.adapters.deap_cma import DeapCMA
from optimizers.adapters.deap_ga import DeapGA
from optimizers.adapters.evotorch import EvoTorch
from optimizers.adapters.pycma import PyCMA
from optimizers.adapters.torch_optim import TorchOptim
from optimizers.adaptive_walk import AdaptiveWalk
from optimizers.alternating import Alternating
from optimizers.async_sgd import AsyncSGD
from optimizers.async_steady_state_ga import AsyncSteadyStateGA
from optimizers.base import Optimizer
from optimizers.bernoulli_nes import BernoulliNES
from optimizers.cem import CEM
from optimizers.cga import CGA
from optimizers.cma_es import CMAES
from optimizers.coevolution import Coevolution
from optimizers.consensus import Consensus
from optimizers.de import DE
from optimizers.extragradient import Extragradient
from optimizers.ga import GA
from optimizers.ipop_cma_es import IPOPCMAES
from optimizers.island_ga import IslandGA
from optimizers.langevin import Langevin
from optimizers.lbfgs import LBFGS
from optimizers.linkage_equilibrium import LinkageEquilibrium
from optimizers.memetic import Memetic
from optimizers.metropolis import Metropolis
from optimizers.mu_lambda import MuLambda
from optimizers.natural_sgd import NaturalSGD
from optimizers.nelder_mead import NelderMead
from optimizers.one_plus_one import OnePlusOne
from optimizers.one_plus_one_ea import OnePlusOneEA
from optimizers.openai_es import OpenAIES
from optimizers.parallel_tempering import ParallelTempering
from optimizers.pbil import PBIL
from optimizers.pbt import PBT
from optimizers.pgpe import PGPE
from optimizers.quasispecies import Quasispecies
from optimizers.random_search import RandomSearch
from optimizers.recombined_sgd import RecombinedSGD
from optimizers.rls import RLS
from optimizers.sgd import SGD
from optimizers.signed_sgd import SignedSGD
from optimizers.simulated_annealing import SimulatedAnnealing
from optimizers.snes import SNES
from optimizers.spsa import SPSA
from optimizers.sswm import SSWM
from optimizers.steady_state_ga import SteadyStateGA
from optimizers.wright_fisher import WrightFisher
from optimizers.xnes import XNES

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
