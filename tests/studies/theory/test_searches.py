"""Strategies, escape, ruggedness, games and running times, against calculations written out here."""

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, stats

from studies.theory import escape, games, ruggedness, runtimes, strategies
from tests.support.each import each

# strategies -------------------------------------------------------------------------------------------------


def test_noise_of_a_sampled_gradient():
    """The moments of (g . e) e by those of the chi-square law: |e|^2 and the share along g."""
    dim, samples = 7, 12
    square = dim + 2  # E (e_1 |e|)^2
    assert strategies.es_noise(dim, samples) == pytest.approx((square - 1) / samples)
    cosine = 1 / math.sqrt(1 + strategies.es_noise(60, 40))
    assert strategies.es_cosine(60, 40) == pytest.approx(cosine)
    draw = np.random.default_rng(5).normal(size=(4000, 40, 60))
    mean = np.einsum("rn,rnd->rd", draw[..., 0], draw) / 40
    seen = (mean[:, 0] / np.linalg.norm(mean, axis=1)).mean()
    assert strategies.es_cosine(60, 40) == pytest.approx(seen, rel=0.02)


def test_smoothing():
    slope = integrate.quad(lambda x: 3 * math.cos(3 * x) * stats.norm.pdf(x, 0, 0.4), -8, 8)[0]
    assert 3 * strategies.smoothed_sine(3, 0.4) == pytest.approx(slope, rel=1e-7)


@each(("slope", "sigma"), [(0.8, 0.3), (9.0, 1.4), (300.0, 2.0), (-0.8, 0.3), (-1.5, 0.6), (-9.0, 1.4)])
def test_metropolis(slope, sigma):
    def moved(x):
        return x * min(1.0, math.exp(-max(slope * x, 0.0))) * stats.norm.pdf(x, 0, sigma)

    kink = 9 / abs(slope)  # beyond it hardly anything is taken uphill
    ends = sorted({-9 * sigma, max(-kink, -9 * sigma), 0, min(kink, 9 * sigma), 9 * sigma})
    step = sum(integrate.quad(moved, *pair, limit=400)[0] for pair in itertools.pairwise(ends))
    assert strategies.metropolis_step(slope, sigma) == pytest.approx(step, rel=1e-5)


def test_the_step_of_metropolis_has_its_two_limits():
    assert strategies.metropolis_step(1e-4, 0.3) == pytest.approx(-1e-4 * 0.09 / 2, rel=1e-3)
    assert strategies.metropolis_step(1e6, 0.3) == pytest.approx(
        -0.3 / math.sqrt(2 * math.pi), rel=1e-6
    )


@pytest.mark.parametrize("s", [0.5, 1.224, 2.6])
def test_one_plus_one(s):
    """The gain s z - s^2 / 2 of a normal z, where it is one."""
    gain = integrate.quad(lambda z: (s * z - s * s / 2) * stats.norm.pdf(z), s / 2, 12)[0]
    assert strategies.one_plus_one_progress(s) == pytest.approx(gain, rel=1e-7)
    success = integrate.quad(stats.norm.pdf, s / 2, 12)[0]
    assert strategies.one_plus_one_success(s) == pytest.approx(success, rel=1e-7)


@pytest.mark.parametrize(("mu", "size"), [(1, 9), (4, 13), (25, 100), (6, 6)])
def test_progress_coefficients(mu, size):
    """The mean of the best order statistics by quadrature; 1.259, not 1.150, for (25/25, 100)."""

    def density(x):
        above = stats.binom.pmf(np.arange(mu), size - 1, stats.norm.sf(x)).mean()
        return x * size * above * stats.norm.pdf(x)

    mean = integrate.quad(density, -9, 9, limit=200)[0]
    law = strategies.progress_coefficient(mu, size)
    assert law == pytest.approx(mean, abs=1e-7)


def test_recombination():
    """One step of (5/5, 20) on the sphere of 120 coordinates by numpy; the limit as D grows."""
    s, dim, worlds = 4.0, 120, 6000
    draw = np.random.default_rng(8).normal(size=(worlds, 20, dim)).astype(np.float32)
    points = s / dim * draw
    points[..., 0] += 1
    best = np.argsort((points**2).sum(-1), axis=1)[:, :5]
    mean = np.take_along_axis(points, best[..., None], 1).mean(1)
    progress = dim * (1 - np.sqrt((mean**2).sum(-1)))
    law = strategies.recombination_progress(s, 5, 20, dim)
    assert abs(law - progress.mean()) < 4.5 * progress.std() / math.sqrt(worlds) + 0.01 * law
    endless = strategies.recombination_progress(s, 5, 20)
    assert abs(endless - progress.mean()) > 0.03 * law
    assert strategies.recombination_progress(s, 5, 20, 1e9) == pytest.approx(endless, rel=1e-5)


def test_cumulative_adaptation():
    """At rest |path|^2 has its length under random selection; progress there, and 83 % of the best."""
    mu, size = 4, 17
    rest = strategies.csa_step_size(mu, size)
    assert strategies.csa_progress(mu, size) == pytest.approx(
        strategies.recombination_progress(rest, mu, size)
    )
    best = max(strategies.recombination_progress(s, mu, size) for s in np.linspace(0.1, 2 * rest, 401))
    assert strategies.csa_progress(mu, size) / best == pytest.approx(2 * (math.sqrt(2) - 1), rel=1e-4)


def test_the_distance_that_noise_leaves():
    """Where the gain of noisy selection, 4 mu R^2 c = D s_e, balances the loss of recombination."""
    c = strategies.progress_coefficient(3, 14)
    radius = strategies.residual_distance(50, 0.7, 3, 14)
    assert 4 * 3 * c * radius**2 == pytest.approx(50 * 0.7)


# escape -----------------------------------------------------------------------------------------------------


def test_kramers():
    """x^4 / 4 - x^2 / 2 has 54.1 at T = 0.1, and exactly 66.3."""
    assert escape.kramers(0.25, 0.1, 2.0, 1.0) == pytest.approx(54.1, abs=0.05)
    assert escape.double_well_time(0.25, 1.0, 0.1) == pytest.approx(54.1, abs=0.05)
    assert escape.double_well_passage(0.25, 1.0, 0.1) == pytest.approx(66.3, abs=0.1)
    cold = escape.double_well_passage(1.3, 0.7, 1.3 / 25)
    assert escape.double_well_time(1.3, 0.7, 1.3 / 25) == pytest.approx(cold, rel=0.06)


def test_the_exact_passage_by_a_chain():
    """A birth-and-death chain on a fine grid whose rates have the diffusion's drift and noise."""
    height, width, temperature, cells = 0.8, 1.2, 0.3, 2000
    x = np.linspace(-2.6, width, cells + 1)
    gap = x[1] - x[0]
    energy = height * ((x / width) ** 2 - 1) ** 2 / temperature
    up = temperature / gap**2 * np.exp(-np.diff(energy) / 2)
    down = temperature / gap**2 * np.exp(np.diff(energy) / 2)
    wait = np.zeros(cells)  # mean time from a cell to the next
    for k in range(cells):
        wait[k] = 1 / up[k] + (down[k - 1] / up[k] * wait[k - 1] if k else 0.0)
    start = int(np.searchsorted(x, -width))
    law = escape.double_well_passage(height, width, temperature)
    assert law == pytest.approx(wait[start:].sum(), rel=2e-3)


WELLS = {"height": 0.6, "distance": 2.6, "step": 0.3, "curvature": 2.0}


def barrier_loss(x):
    """The kind barrier, k = 2."""
    wells = np.minimum(x * x, 0.3 + (x - 2.6) ** 2)
    return np.where((x > 0) & (x < 2.6), np.minimum(wells, 0.9), wells)


def test_steps_over_a_barrier_by_a_chain_of_small_cells():
    cell, rate, temperature = 0.005, 0.1, 0.3
    x = np.arange(math.sqrt(0.3) + cell / 2, 5.5, cell)
    later = x - rate * np.gradient(barrier_loss(x), cell)
    noise = math.sqrt(2 * rate * temperature)
    chances = cell * stats.norm.pdf(x, later[:, None], noise)
    times = np.linalg.solve(np.eye(len(x)) - chances, np.ones(len(x)))
    law = escape.barrier_steps(**WELLS, temperature=temperature, learning_rate=rate)
    assert law == pytest.approx(np.interp(2.6, x, times), rel=0.01)


def test_cold_small_steps_over_a_barrier_are_kramers():
    """Each part of the double integral is 1 + O(sqrt(T / h)) of it, and a step is as exact as it is short."""
    wide = WELLS | {"distance": 9.0}
    law = escape.barrier_kramers(**wide, temperature=0.1)
    exact = 0.01 * escape.barrier_steps(**wide, temperature=0.1, learning_rate=0.01)
    assert law == pytest.approx(exact, rel=0.1)


def test_a_lethal_barrier_is_jumped():
    """All parents are at the bottom of the well: a birth arrives with the chance of one mutation."""
    end = math.sqrt(0.3)
    chance = 0.02 * np.diff(stats.norm.cdf([2.6 - end, 2.6 + end], scale=0.9)).item()
    search = {"population": 30, "mutation_rate": 0.02, "mutation_sigma": 0.9}
    for height in (0.4, 0.6):
        law = escape.barrier_generations(**WELLS | search | {"height": height}, selection_strength=400)
        assert law == pytest.approx(1 + 1 / (1 - (1 - chance) ** 30), rel=0.02)


def first_arrivals(worlds, size, rate, sigma, strength):
    """Mean generations, with its error, of populations simulated one by one."""
    rng = np.random.default_rng(8)
    times = []
    for _ in range(worlds):
        x, time = np.full(size, 2.6), 1
        while (barrier_loss(x) >= 0.3 - 1e-12).all():
            fitness = np.exp(-strength * barrier_loss(x))
            parents = rng.choice(size, size, p=fitness / fitness.sum())
            x = x[parents] + sigma * rng.normal(size=size) * (rng.random(size) < rate)
            time += 1
        times.append(time)
    return np.mean(times), np.std(times) / worlds**0.5


def test_a_shallow_barrier_is_tunnelled():
    """Lineages on the barrier mutate again: three times as soon as by jumps alone."""
    search = {"population": 30, "mutation_rate": 0.1, "mutation_sigma": 0.8, "selection_strength": 1.0}
    mean, error = first_arrivals(400, *search.values())
    law = escape.barrier_generations(**WELLS, **search)
    assert law == pytest.approx(mean, abs=4.5 * error)
    alone = escape.barrier_generations(**WELLS, **search | {"selection_strength": 400.0})
    assert alone > 1.5 * (mean + 4.5 * error)


# ruggedness -------------------------------------------------------------------------------------------------


def test_peaks_without_correlation():
    """Of all orders of the 8 values on three bits: mean and variance of the number of peaks."""
    near = [[a ^ 1, a ^ 2, a ^ 4] for a in range(8)]
    counts = [
        sum(all(order[a] > order[b] for b in near[a]) for a in range(8))
        for order in itertools.permutations(range(8))
    ]
    assert ruggedness.uncorrelated_peaks(3) == pytest.approx(np.mean(counts), rel=1e-12)
    assert ruggedness.uncorrelated_peaks_variance(3) == pytest.approx(np.var(counts), rel=1e-12)
    assert ruggedness.block_peaks(9, 2) == pytest.approx(np.mean(counts) ** 3, rel=1e-12)


@pytest.mark.parametrize("slope", [0.4, 1.7])
def test_peaks_of_mount_fuji(slope):
    """By quadrature over the noise of each genotype, Gumbel(1)."""
    n, total = 7, 0.0
    for d in range(n + 1):

        def density(x, d=d):
            below = math.exp(-d * math.exp(-(x - slope)) - (n - d) * math.exp(-(x + slope)))
            return stats.gumbel_r.pdf(x) * below

        total += math.comb(n, d) * integrate.quad(density, -6, 60, limit=400)[0]
    assert ruggedness.fuji_peaks(n, slope) == pytest.approx(total, rel=1e-7)


@pytest.mark.parametrize(("n", "k"), [(6, 2), (7, 0)])
def test_correlations_of_nk(n, k):
    """The chance that a mask of d loci touches none of the k + 1 of a table, by enumeration."""
    own = set(range(k + 1))
    for distance in (1, 3):
        masks = list(itertools.combinations(range(n), distance))
        kept = np.mean([not own & set(mask) for mask in masks])
        assert ruggedness.nk_autocorrelation(n, k, distance) == pytest.approx(kept, rel=1e-12)


@pytest.mark.parametrize("k", [1, 3])
def test_interactions_of_nk(k):
    """Walsh coefficients of a table of independent values all have the same variance."""
    size, n = k + 1, 9
    orders = [bin(mask).count("1") for mask in range(1, 2**size)]
    shares = [orders.count(j) / len(orders) for j in range(1, size + 1)]
    laws = [ruggedness.nk_interactions(k, j) for j in range(1, size + 1)]
    assert laws == pytest.approx(shares, rel=1e-12)
    within = sum(share * (1 - 2 * j / n) for j, share in enumerate(shares, 1))
    assert ruggedness.nk_autocorrelation_within(n, k) == pytest.approx(within, rel=1e-12)


def test_gammas():
    """Effects of a locus here and after another flips: the tables that both read are drawn anew."""
    n, k = 8, 3
    assert ruggedness.nk_gamma(n, k) == pytest.approx(1 - k / (n - 1))
    draw = np.random.default_rng(2).normal(0, 0.6, (400_000, 4))
    here, there = draw[:, 0] - draw[:, 1] + 0.9, draw[:, 2] - draw[:, 3] + 0.9
    gamma = (here * there).mean() / (here**2).mean()
    assert ruggedness.fuji_gamma(0.9, 0.6) == pytest.approx(gamma, abs=0.005)


def test_gamma_of_nk_by_its_tables():
    """Two loci share a table with chance k / (n - 1), and then the effects in it are independent.

    The k + 1 tables that locus i is in are its own, which reads j with chance k / (n - 1), and those of the
    others that read it, of each of which the same is true in the mean over random neighbours.
    """
    draw, n, k = np.random.default_rng(4), 6, 2
    above = below = 0.0
    for _ in range(3000):
        sets = [[i, *draw.choice([j for j in range(n) if j != i], k, replace=False)] for i in range(n)]
        tables = draw.normal(size=(n, 2**n))

        def fitness(x, sets=sets, tables=tables):
            return sum(
                tables[i, sum(x[j] << m for m, j in enumerate(own))] for i, own in enumerate(sets)
            )

        x = draw.integers(0, 2, n)
        i, j = draw.choice(n, 2, replace=False)
        flips = [np.array(x), np.array(x), np.array(x), np.array(x)]
        flips[1][i] ^= 1
        flips[2][j] ^= 1
        flips[3][[i, j]] ^= 1
        f = [fitness(y) for y in flips]
        above += (f[1] - f[0]) * (f[3] - f[2])
        below += (f[1] - f[0]) ** 2
    assert ruggedness.nk_gamma(n, k) == pytest.approx(above / below, abs=0.06)


def test_spin_glasses():
    """A random 3-spin energy of 6 spins: the correlation of all neighbours, own mean 0."""
    n, draw = 6, np.random.default_rng(6)
    triples = list(itertools.combinations(range(n), 3))
    couplings = draw.normal(size=len(triples))
    spins = np.array(list(itertools.product((-1, 1), repeat=n)))
    energy = sum(c * spins[:, list(t)].prod(1) for c, t in zip(couplings, triples, strict=True))
    index = {tuple(s): a for a, s in enumerate(spins.tolist())}
    flipped = [
        [index[tuple(-v if i == m else v for m, v in enumerate(s))] for i in range(n)]
        for s in spins.tolist()
    ]
    seen = (energy[:, None] * energy[np.array(flipped)]).mean() / (energy**2).mean()
    assert ruggedness.spin_autocorrelation(n, 3) == pytest.approx(seen, rel=1e-12)


@pytest.mark.parametrize("n", [12, pytest.param(40, marks=pytest.mark.verify)])
def test_walks_without_correlation(n):
    """40,000 walks in plain Python, each with new neighbours but the last: uniform values."""
    import random

    draw, lengths, greedy = random.Random(1), [], []
    for chosen, ends in ((draw.choice, lengths), (max, greedy)):
        for _ in range(40_000):
            at, steps = draw.random(), 0
            while True:
                fitter = [v for v in (draw.random() for _ in range(n - (steps > 0))) if v > at]
                if not fitter:
                    break
                at, steps = chosen(fitter), steps + 1
            ends.append(steps)
    error = np.std(lengths) / 200
    assert abs(ruggedness.adaptive_walk_length(n) - np.mean(lengths)) < 4.5 * error
    assert abs(ruggedness.adaptive_walk_length(2 * n) - np.mean(lengths)) > 20 * error
    assert ruggedness.greedy_walk_length() == pytest.approx(np.mean(greedy), abs=3 / n)


def test_beneficial_mutations():
    """The share of random directions, by the law of one coordinate of a uniform one."""
    n, size, distance = 9, 0.7, 1.1
    square = stats.beta(0.5, (n - 1) / 2)  # of the cosine's square
    share = square.sf((size / (2 * distance)) ** 2) / 2
    assert ruggedness.beneficial_chance(n, size, distance) == pytest.approx(share, rel=1e-10)


def test_maxima_of_a_field():
    """Rice: sqrt(-c'''' / c'') / 2 pi, from finite differences of the covariance; and in two dimensions."""
    length, h = 0.8, 0.02

    def c(x):
        return math.exp(-((x / length) ** 2) / 2)

    second = (c(h) - 2 * c(0) + c(-h)) / h**2
    fourth = (c(2 * h) - 4 * c(h) + 6 * c(0) - 4 * c(-h) + c(-2 * h)) / h**4
    rice = math.sqrt(-fourth / second) / (2 * math.pi)
    assert ruggedness.field_maxima(1, length) == pytest.approx(rice, rel=2e-3)
    assert ruggedness.field_maxima(2, length) == pytest.approx(0.0919 / length**2, abs=1e-4)
    with pytest.raises(ValueError, match="expected dim 1 or 2, got 3"):
        ruggedness.field_maxima(3, 1.0)


# games and running times ------------------------------------------------------------------------------------


def radius(matrix, eta):
    return np.abs(np.linalg.eigvals(np.eye(2) + eta * matrix)).max()


@pytest.mark.parametrize(("slope", "gamma"), [(0.5, 0.0), (1.0, 0.7), (0.5, 1.9)])
def test_the_dirac_gan(slope, gamma):
    flow = np.array([[0.0, -slope], [slope, -gamma]])
    for eta in (0.2, 1.1):
        law = games.dirac_modulus(eta, slope, gamma)
        assert law == pytest.approx(radius(flow, eta), rel=1e-12)
    limit = games.dirac_limit(slope, gamma)
    assert radius(flow, limit) == pytest.approx(1, abs=1e-9)
    assert gamma == 0 or radius(flow, 0.9 * limit) < 1 < radius(flow, 1.1 * limit)


def test_bilinear_games():
    turn = np.array([[0.0, -1.3], [1.3, 0.0]])
    assert games.bilinear_modulus(0.4, 1.3) == pytest.approx(radius(turn, 0.4), rel=1e-12)
    twice = turn @ (np.eye(2) + 0.4 * turn)  # the field at the extrapolated point
    assert games.extragradient_modulus(0.4, 1.3) == pytest.approx(radius(twice, 0.4), rel=1e-12)


@pytest.mark.parametrize(
    ("beta", "kappa", "gamma"), [(0.5, 2.0, 1.5), (0.34, 2.0, 1.5), (3.0, 5.0, 2.0)]
)
def test_spurious_fixed_points(beta, kappa, gamma):
    theta = 10.0
    for _ in range(20_000):  # a contraction from above
        theta = beta * gamma * math.tanh(kappa * theta)
    law = games.spurious_fixed_point(beta, kappa, gamma)
    assert law == pytest.approx(theta, rel=1e-9)
    assert law > 0
    assert games.spurious_fixed_point(0.2, 2.0, 1.5) == 0


def test_leading_ones():
    """The chain of the level: improved with chance p (1 - p)^i, the next locus right with chance 1/2."""
    n, p = 13, 0.11
    mean = [0.0] * (n + 1)  # steps left at each level
    for i in reversed(range(n)):
        further = [0.5 ** (j - i) for j in range(i + 1, n)]  # the level after an improvement
        further.append(1 - sum(further))
        reach = sum(c * mean[j] for c, j in zip(further, range(i + 1, n + 1), strict=True))
        mean[i] = 1 / (p * (1 - p) ** i) + reach
    start = [0.5 ** (i + 1) for i in range(n)]
    whole = sum(c * m for c, m in zip(start, mean[:n], strict=True))
    assert runtimes.ea_leading_ones(n, p) == pytest.approx(whole, rel=1e-12)
    assert runtimes.ea_leading_ones(50) == pytest.approx(2138.8, abs=0.05)


def test_local_search():
    """Each missing one is the next that is drawn: waits of n / k."""
    matrix = np.zeros((8, 8))  # missing 7 .. 1 of 11
    for k in range(1, 8):
        matrix[k, k], matrix[k, k - 1] = 1 - k / 11, k / 11
    inner = matrix[1:, 1:]
    mean = np.linalg.solve(np.eye(7) - inner, np.ones(7))[-1]
    assert runtimes.rls_onemax(11, 7) == pytest.approx(mean, rel=1e-12)
    assert runtimes.rls_onemax(50) == pytest.approx(225.0, abs=0.05)
