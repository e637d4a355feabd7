"""Measures of ruggedness of one NK landscape, n = 16, beside GraphFLA and plain numpy, from the fitness of all genotypes.

GraphFLA first builds a graph; that is part of its time where all measures are asked for, and left out where it is one. Its epistasis is of a sample
of squares (its default, within a time that it sets itself); ours and numpy's of all.
"""

import itertools

import numpy as np
import pytest
import scipy.stats
import torch

from landscapes.binary.nk import NK
from landscapes.probes.binary import enumeration
from landscapes.probes.binary.catalogue import MEASURES, Table
from landscapes.streams import Streams

N = 16
GENOTYPES = np.arange(2**N)
BITS = GENOTYPES[:, None] >> np.arange(N) & 1


@pytest.fixture(scope="module")
def values():
    streams = Streams(seed=1, worlds=torch.arange(1))
    return enumeration.tabulate(NK(n=N, k=4, neighbours="random").bind(streams))


def built(values):
    landscape = pytest.importorskip("graphfla.landscape").BooleanLandscape()
    return landscape.build_from_data(BITS, values[0].numpy(), verbose=False)


@pytest.fixture(scope="module")
def graph(values):
    return built(values)


# GraphFLA: name -> function of `graphfla.analysis`, arguments, and what of its answer is ours ---------------

GRAPHFLA = {
    "peak_density": ("local_optima_ratio", {}, lambda a: a),
    "gamma": ("gamma", {"n_jobs": 1}, lambda a: a),
    "gamma_signs": ("gamma_star", {"n_jobs": 1}, lambda a: a),
    "epistasis_sign": ("classify_epistasis", {"seed": 1}, lambda a: a["sign"]),
    "roughness_slope": ("r_s_ratio", {}, lambda a: a),
    "distance_correlation_spearman": ("fdc", {}, lambda a: -a),
    "reachable": ("global_optima_accessibility", {}, lambda a: a),
    "idiosyncratic_index": ("global_idiosyncratic_index", {"n_jobs": 1, "seed": 1}, lambda a: a),
}
LOOSELY = {"epistasis_sign": 0.02, "idiosyncratic_index": 0.02}  # where GraphFLA samples


def by_graphfla(graph, name):
    from graphfla import analysis

    function, arguments, part = GRAPHFLA[name]
    return part(getattr(analysis, function)(graph, **arguments))


# numpy ------------------------------------------------------------------------------------------------------


def flipped(f, i):
    return f[GENOTYPES ^ 1 << i]


def peak_density(f):
    return np.all([f > flipped(f, i) for i in range(N)], 0).mean()


def gamma(f, of=lambda effect: effect):
    effects = [of(flipped(f, i) - f) for i in range(N)]
    above = sum(
        (effects[j] * flipped(effects[j], i)).sum() for i, j in itertools.permutations(range(N), 2)
    )
    return above / ((N - 1) * sum((e * e).sum() for e in effects))


def epistasis_sign(f):
    effects = [flipped(f, i) - f for i in range(N)]
    changes = [(effects[j] * flipped(effects[j], i) < 0).astype(int) + (effects[i] * flipped(effects[i], j) < 0)
               for i, j in itertools.combinations(range(N), 2)]  # fmt: skip
    return np.mean([change == 1 for change in changes])


def roughness_slope(f):
    design = np.column_stack((np.ones(2**N), BITS))
    fit = np.linalg.lstsq(design, f)[0]
    return np.sqrt(np.mean((f - design @ fit) ** 2)) / np.abs(fit[1:]).mean()


def distance_correlation_spearman(f):
    return -scipy.stats.spearmanr(f, (BITS != BITS[f.argmax()]).sum(1)).statistic


def reachable(f):
    reached = f == f.max()
    for x in np.argsort(-f):
        near = x ^ 1 << np.arange(N)
        reached[x] |= reached[near[f[near] > f[x]]].any()
    return reached.mean()


def idiosyncratic_index(f):
    return np.mean([(flipped(f, i) - f)[BITS[:, i] == 0].std() for i in range(N)]) / (
        np.sqrt(2) * f.std()
    )


NUMPY = {
    "peak_density": peak_density,
    "gamma": gamma,
    "gamma_signs": lambda f: gamma(f, np.sign),
    "epistasis_sign": epistasis_sign,
    "roughness_slope": roughness_slope,
    "distance_correlation_spearman": distance_correlation_spearman,
    "reachable": reachable,
    "idiosyncratic_index": idiosyncratic_index,
}


# side by side -----------------------------------------------------------------------------------------------


def ours(values, name):
    return float(MEASURES[name].exact(Table(values)))


@pytest.mark.parametrize("who", ["ours", "numpy", "graphfla"])
@pytest.mark.parametrize(
    "name", [name for name in GRAPHFLA if name != "peak_density"]
)  # GraphFLA counts peaks as it builds
def test_one_measure(benchmark, request, values, name, who):
    benchmark.group = f"{name} of an NK landscape, n = {N}"
    expected = ours(values, name)  # compiled from here on
    if who == "ours":
        found = benchmark.pedantic(lambda: ours(values, name), rounds=5)
    elif who == "numpy":
        found = benchmark.pedantic(lambda: NUMPY[name](values[0].numpy()), rounds=1)
    else:
        graph = request.getfixturevalue("graph")
        found = benchmark.pedantic(lambda: by_graphfla(graph, name), rounds=1)  # it remembers answers
    within = LOOSELY.get(name, 1e-9) if who == "graphfla" else 1e-9
    assert found == pytest.approx(expected, abs=within)


@pytest.mark.parametrize("who", ["ours", "numpy", "graphfla"])
def test_all_measures(benchmark, values, who):
    benchmark.group = f"all {len(GRAPHFLA)} measures of an NK landscape, n = {N}"
    expected = {name: ours(values, name) for name in GRAPHFLA}

    def measure():
        if who == "ours":
            table = Table(values)
            return {name: float(MEASURES[name].exact(table)) for name in GRAPHFLA}
        if who == "numpy":
            return {name: NUMPY[name](values[0].numpy()) for name in NUMPY}
        graph = built(values)
        return {name: by_graphfla(graph, name) for name in GRAPHFLA}

    if who == "graphfla":
        pytest.importorskip("graphfla")
    found = benchmark.pedantic(measure, rounds=5 if who == "ours" else 1)
    for name in GRAPHFLA:
        assert found[name] == pytest.approx(
            expected[name], abs=LOOSELY.get(name, 1e-9) if who == "graphfla" else 1e-9
        ), name
