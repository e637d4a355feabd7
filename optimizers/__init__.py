"""Search methods: tensors in, tensors out. A new one is a file in this folder and a line in `OPTIMIZERS`."""

from optimizers.adam import Adam
from optimizers.base import Optimizer
from optimizers.cma_es import CMAES
from optimizers.ga import GA
from optimizers.langevin import Langevin
from optimizers.metropolis import Metropolis
from optimizers.mu_lambda import MuLambda
from optimizers.natural_sgd import NaturalSGD
from optimizers.one_plus_one import OnePlusOne
from optimizers.openai_es import OpenAIES
from optimizers.random_search import RandomSearch
from optimizers.sgd import SGD
from optimizers.signed_sgd import SignedSGD
from optimizers.simulated_annealing import SimulatedAnnealing
from optimizers.snes import SNES
from optimizers.spsa import SPSA
from optimizers.wright_fisher import WrightFisher

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "openai_es": OpenAIES,
    "ga": GA,
    "random_search": RandomSearch,
    "wright_fisher": WrightFisher,
    "one_plus_one": OnePlusOne,
    "snes": SNES,
    "adam": Adam,
    "langevin": Langevin,
    "metropolis": Metropolis,
    "simulated_annealing": SimulatedAnnealing,
    "signed_sgd": SignedSGD,
    "natural_sgd": NaturalSGD,
    "spsa": SPSA,
    "cma_es": CMAES,
    "mu_lambda": MuLambda,
}
