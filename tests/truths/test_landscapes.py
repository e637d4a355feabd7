"""Closed-form laws of NK landscapes. Each is shown to reject a wrong law: K off by one, or the formula of another regime."""

import pytest
import torch

from landscapes.binary.nk import NK
from landscapes.streams import Streams

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


# law 26: Kauffman and Levin 1987; Macken and Perelson 1989 ------------------------------------------------------------------


@pytest.mark.parametrize("neighbours", ["adjacent", "random"])
@pytest.mark.parametrize("n", [6, 9])
def test_an_additive_landscape_has_one_peak(n, neighbours):
    assert (peaks(n, 0, neighbours, 200) == 1).all()
    assert not (peaks(n, 1, neighbours, 200) == 1).all()


@pytest.mark.parametrize(("n", "neighbours", "worlds"), [(8, "adjacent", 3000), (10, "random", 2000)])
def test_number_of_peaks_of_an_uncorrelated_landscape(n, neighbours, worlds):
    count = peaks(n, n - 1, neighbours, worlds)
    mean, variance = 2**n / (n + 1), 2 ** (n - 1) * (n - 1) / (n + 1) ** 2
    squares = (count - count.mean()) ** 2
    assert agrees(count, mean)
    assert agrees(squares, variance)
    assert not agrees(count, 2**n / n)
    assert not agrees(squares, mean), "not Poisson"
    fewer = peaks(n, n - 3, neighbours, worlds)
    assert not agrees(fewer, mean), "a smaller K has fewer peaks"


# law 27: Perelson and Macken 1995 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "size", "worlds"), [(12, 3, 1500), (8, 4, 3000)])
def test_number_of_peaks_of_block_landscapes(n, size, worlds):
    def law(size):
        return (2**size / (size + 1)) ** (n / size)

    count = peaks(n, size - 1, "blocks", worlds)
    assert agrees(count, law(size))
    assert not agrees(count, law(size - 1)), "K, not K + 1, loci in a block"
    assert not agrees(peaks(n, size - 1, "adjacent", worlds), law(size)), "overlapping neighbourhoods"


# law 28: Weinberger 1990 ----------------------------------------------------------------------------------------------------


def autocorrelation(values, n, mean):
    """Ratio of means over landscapes of the covariance of neighbours and the variance about `mean`, and its standard error (delta method)."""
    centred = values - mean
    covariance = (centred[:, None] * neighbours_of(centred, n)).mean((1, 2))
    variance = (centred * centred).mean(1)
    ratio = covariance.mean() / variance.mean()
    residual = covariance - ratio * variance
    return float(ratio), float(residual.std() / variance.mean() / len(values) ** 0.5)


@pytest.mark.parametrize(("n", "k", "neighbours"), [(10, 2, "adjacent"), (10, 2, "random"), (9, 5, "adjacent"), (9, 5, "random")])
def test_autocorrelation_of_neighbours(n, k, neighbours):
    values = fitness(n, k, neighbours, 2000)
    ensemble, within = 1 - (k + 1) / n, 1 - (k + 1) / n * 2 ** (k + 1) / (2 ** (k + 1) - 1)
    for mean, law, wrong in (
        (0.5, ensemble, 1 - k / n),
        (0.5, ensemble, within),
        (values.mean(1, keepdim=True), within, 1 - (k + 2) / n * 2 ** (k + 2) / (2 ** (k + 2) - 1)),
        (values.mean(1, keepdim=True), within, ensemble),
    ):
        rho, error = autocorrelation(values, n, mean)
        assert abs(rho - law) <= ERRORS * error
        assert abs(rho - wrong) > ERRORS * error
