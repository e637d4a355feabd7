"""How rugged landscapes are: measures of those of real coordinates, and of those of bits.

>>> import torch
>>> from landscapes.binary.nk import NK
>>> from landscapes.probes import measure_binary, tune
>>> from landscapes.streams import Streams
>>> streams = Streams(seed=1, worlds=torch.arange(3))
>>> found = measure_binary(NK(n=8, k=0).bind(streams), ["peaks", "gamma"], streams=streams)
>>> found["peaks"].value.tolist()
[1.0, 1.0, 1.0]
>>> tune(NK(n=8), "k", "gamma", 0.5, streams=streams.at(1)).value
4
"""

from landscapes.probes.binary.catalogue import BINARY_MEASURES, measure_binary
from landscapes.probes.continuous.catalogue import CONTINUOUS_MEASURES, measure_continuous
from landscapes.probes.measure import Measure
from landscapes.probes.tuning import Tuned, tune

__all__ = [
    "BINARY_MEASURES",
    "CONTINUOUS_MEASURES",
    "Measure",
    "Tuned",
    "measure_binary",
    "measure_continuous",
    "tune",
]
