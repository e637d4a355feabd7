"""Closed-form laws of NK landscapes.

Each is shown to reject a wrong law: K off by one, or the formula of another regime.
"""

import pytest
import torch

from landscapes.binary.nk import NK
from landscapes.streams import Streams
from studies.theory.ruggedness import (
    block_peaks,
    nk_autocorrelation,
    nk_autocorrelation_within,
    uncorrelated_peaks,
    uncorrelated_peaks_variance,
)
from tests.truths.table import ratio, told_mean

ERRORS = 4.5  # standard errors allowed


def fitness(n, k, neighbours, worlds):
    """F of all genotypes of each landscape: (R, 2^n) float64."""
    genotypes = (torch.arange(2**n)[:, None] >> torch.arange(n) & 1).to(torch.uint8)
    landscape = NK(n=n, k=k, neighbours=neighbours).bind(Streams(seed=7, worlds=torch.arange(worlds)))
    return landscape.best - landscape.loss(genotypes.expand(worlds, -1, -1))


def neighbours_of(values, n):
    """Fitness of the n one-bit neighbours: (R, 2^n) -> (R, n, 2^n)."""
    flipped = torch.arange(2**n) ^ (1 << torch.arange(n))[:, None]
    return values[:, flipped]


def peaks(n, k, neighbours, worlds):
    """Genotypes fitter than all their neighbours, for each landscape: (R,) float64."""
    values = fitness(n, k, neighbours, worlds)
    return (values > neighbours_of(values, n).amax(1)).sum(1).double()


def agrees(sample, truth):
    """Whether the mean of a sample is within the allowed error of a law."""
    return abs(float(sample.mean()) - truth) <= ERRORS * float(sample.std()) / len(sample) ** 0.5


def ratio_agrees(above, below, truth):
    """The same of the ratio of two means, by the delta method."""
    return agrees((above - truth * below) / below.mean(), 0)


# law 26: Kauffman and Levin 1987; Macken and Perelson 1989 --------------------------------------------------


@pytest.mark.parametrize("neighbours", ["adjacent", "random"])
@pytest.mark.parametrize("n", [6, 9])
def test_an_additive_landscape_has_one_peak(n, neighbours):
    assert (peaks(n, 0, neighbours, 200) == 1).all()
    assert not (peaks(n, 1, neighbours, 200) == 1).all()


@pytest.mark.parametrize(
    ("n", "neighbours", "worlds"),
    [
        (8, "adjacent", 3000),
        (9, "random", 2000),
        pytest.param(10, "random", 2000, marks=pytest.mark.verify),
    ],
)
def test_number_of_peaks_of_an_uncorrelated_landscape(n, neighbours, worlds):
    count = peaks(n, n - 1, neighbours, worlds)
    mean, variance = uncorrelated_peaks(n), uncorrelated_peaks_variance(n)
    where = f"NK, {neighbours}, N = {n}, K = {n - 1}"
    told_mean(
        26,
        "mean number of peaks without correlation, 2^N / (N + 1)",
        where,
        mean,
        count,
        mutant=2**n / n,
    )
    squares, poisson = (count - count.mean()) ** 2, mean
    told_mean(
        26,
        "variance of the number of peaks, 2^(N - 1) (N - 1) / (N + 1)^2",
        where,
        variance,
        squares,
        mutant=poisson,
    )
    fewer = peaks(n, n - 3, neighbours, worlds)
    assert not agrees(fewer, mean), "a smaller K has fewer peaks"


# law 27: Perelson and Macken 1995 ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "size", "worlds"), [pytest.param(12, 3, 1500, marks=pytest.mark.verify), (8, 4, 3000)]
)
def test_number_of_peaks_of_block_landscapes(n, size, worlds):
    def law(size):
        return block_peaks(n, size - 1)

    count = peaks(n, size - 1, "blocks", worlds)
    loci = law(size - 1)  # K, not K + 1, in a block
    told_mean(
        27,
        "mean number of peaks of block NK, (2^k / (k + 1))^(N / k)",
        f"N = {n}, k = {size}",
        law(size),
        count,
        mutant=loci,
    )
    assert not agrees(peaks(n, size - 1, "adjacent", worlds), law(size)), "overlapping neighbourhoods"


# law 28: Weinberger 1990 ------------------------------------------------------------------------------------


def autocorrelation(values, n, mean):
    """The covariance of neighbours and the variance about `mean` of each landscape: (R,) and (R,)."""
    centred = values - mean
    return (centred[:, None] * neighbours_of(centred, n)).mean((1, 2)), (centred * centred).mean(1)


@pytest.mark.parametrize(
    ("n", "k", "neighbours"),
    [
        pytest.param(10, 2, "adjacent", marks=pytest.mark.verify),
        (10, 2, "random"),
        (9, 5, "adjacent"),
        pytest.param(9, 5, "random", marks=pytest.mark.verify),
    ],
)
def test_autocorrelation_of_neighbours(n, k, neighbours):
    values = fitness(n, k, neighbours, 2000)
    ensemble, within = nk_autocorrelation(n, k), nk_autocorrelation_within(n, k)
    where, (about, own) = (
        f"{neighbours}, N = {n}, K = {k}",
        (autocorrelation(values, n, m) for m in (0.5, values.mean(1, keepdim=True))),
    )
    told_mean(
        28,
        "autocorrelation over all NK, 1 - (K + 1) / N",
        where,
        ensemble,
        ratio(*about),
        mutant=within,
    )
    assert not ratio_agrees(*about, 1 - k / n)
    told_mean(
        28,
        "autocorrelation within an NK, 1 - (K + 1) / N * 2^(K + 1) / (2^(K + 1) - 1)",
        where,
        within,
        ratio(*own),
        mutant=ensemble,
    )
    assert not ratio_agrees(*own, nk_autocorrelation_within(n, k + 1))
