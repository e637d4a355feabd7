"""Search methods: tensors in, tensors out. A new one is a file in this folder and a line in `OPTIMIZERS`."""

from optimizers.base import Optimizer
from optimizers.ga import GA
from optimizers.openai_es import OpenAIES
from optimizers.random_search import RandomSearch
from optimizers.sgd import SGD

OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "openai_es": OpenAIES, "ga": GA, "random_search": RandomSearch}
