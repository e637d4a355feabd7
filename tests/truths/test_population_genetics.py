"""Laws of population genetics, against exact finite oracles where they exist. Each is checked at 4.5 standard errors and must reject a mutant:
N <-> 2N, Wright-Fisher <-> Moran, s <-> ln(1 + s).

The answers of the oracle are written by hand, so that nothing but the optimizer is tested.
"""

import math

import pytest
import torch

from landscapes.base import Answer, Bits, Problem, Reals
from landscapes.streams import Streams
from optimizers import OPTIMIZERS
from studies.theory.adaptation import error_threshold, quasispecies_share
from studies.theory.fixation import (
    heterozygosity_kept,
    kimura,
    linkage_kept,
    moran_fixation,
    moran_heterozygosity_kept,
)
from studies.theory.runtimes import ea_leading_ones, rls_onemax
from studies.theory.traits import finite_response, onemax_proportional
from tests.references import population_genetics as exact
from tests.truths.table import told, told_mean

Z = 4.5  # standard errors

LAWS = {
    1: "heterozygosity under drift, H0 (1 - 1/N)^t; Moran H0 (1 - 2/N^2)^t",
    2: "variance of a frequency under drift, p0 q0 [1 - (1 - 1/N)^t]; Moran p0 q0 [1 - (1 - 2/N^2)^t]",
    3: "one step: mean p* = p w / W, variance p* (1 - p*) / N; neutral Moran event 2 p q / N^2",
    4: "fixation of one copy, (1 - e^-2s) / (1 - e^-2Ns); Moran (1 - 1/r) / (1 - r^-N)",
    5: "fixation of one copy in diploids 1, 1 + s, 1 + 2s, (1 - e^-2s) / (1 - e^-4Ns)",
    6: "time until an allele is lost, -2N (p ln p + q ln q); of one copy until it fixes, 2N",
    7: "heterozygosity under mutation and drift, to H* = (1 - m) / (2 [1 - (1 - 1/N) m]), m = (1 - 2u)^2",
    8: "mutation-selection balance, q = u / s",
    9: "mutation load, W = e^-U; mutations Poisson(U / s), n0 = e^(-U/s)",
    10: "single peak, x0 = (sigma Q - 1) / (sigma - 1), Q = (1 - u)^L",
    12: "linkage disequilibrium, D0 [(1 - r)(1 - 1/N)]^t",
    13: "recombination changes nothing where w is multiplicative and D0 = 0",
    14: "recombination assembles AB from Ab and aB",
    16: (
        "OneMax at linkage equilibrium: proportional 1 - (1 - p0)(1 - 1/n)^t; truncation [1 + sin(I t / sqrt"
        " n)] / 2"
    ),
    17: "Price's equation, W dz - Cov(w, z) - E(w dz) = 0",
    18: "Fisher's theorem, dW = V_A / W",
    19: "Wright's equation, dp_i = (p_i q_i / W) dW/dp_i; diploid half",
    22: "response of a finite sample, s V (1 - e^(s^2 V) / N)",
    23: "selection under drift, E p_t < deterministic p_t",
    25: "odds of the fitter of two, f^nu with nu = 2 (N - 1); Moran N - 1",
}


def make(worlds):
    return Streams(seed=2025, worlds=torch.arange(worlds))


def population(**options):
    return OPTIMIZERS["wright_fisher"](
        **{"crossover": "none", "mutation_rate": 0.0, "fitness": "linear"} | options
    )


def begin(optimizer, points, streams):
    """The state at points (n, D) or (R, n, D)."""
    domain = Bits() if points.dtype == torch.uint8 else Reals()
    points = points if points.ndim == 3 else points.expand(streams.size, *points.shape)
    return optimizer.init(
        Problem(points.shape[-1], domain, True, lambda n: points[:, :n].clone()), streams
    )


def step(optimizer, state, s, loss):
    query = optimizer.ask(state, s)
    return optimizer.tell(state, query, Answer(loss(query.points.double())), s)


def evolve(
    optimizer, points, worlds, steps, loss=lambda x: torch.zeros(x.shape[:2], dtype=torch.float64)
):
    """Points (R, n, D) after so many steps."""
    streams = make(worlds)
    state = begin(optimizer, points, streams)
    for t in range(1, steps + 1):
        state, _ = step(optimizer, state, streams.at(t), loss)
    return state.points


def absorbed(optimizer, points, worlds, loss=lambda x: torch.zeros(x.shape[:2], dtype=torch.float64)):
    """Whether the first locus fixed for 1, and after how many steps, (R,) each.

    Worlds leave the batch when they are done.
    """
    running = torch.arange(worlds)
    state = begin(optimizer, points, make(worlds))
    fixed, time = torch.zeros(worlds, dtype=torch.bool), torch.zeros(worlds, dtype=torch.float64)
    for t in range(1, 100_000):
        s = make(worlds).subset(running).at(t)
        state, _ = step(optimizer, state, s, loss)
        share = state.points[..., 0].double().mean(1)
        done = (share == 0) | (share == 1)
        fixed[running[done]], time[running[done]] = share[done] == 1, float(t)
        if done.any():
            running, state = running[~done], type(state)(*(part[~done] for part in state))
        if not len(running):
            return fixed, time
    raise AssertionError("not absorbed")


def copies(k, n, dim=1):
    """N haplotypes (n, dim), all loci 1 in the first k."""
    return (torch.arange(n) < k).to(torch.uint8)[:, None].expand(n, dim)


def deviation(sample, truth):
    """Largest distance of the mean of sample (R, ...) from truth, in standard errors."""
    return ((sample.mean(0) - truth).abs() / (sample.std(0) / len(sample) ** 0.5)).max().item()


def advantage(s):
    """Losses for which linear fitness is 1 + s for 1 and 1 for 0 at the only locus."""
    return lambda x: -s * x[..., 0]


NAMES = {"wright_fisher": "Wright-Fisher", "moran": "Moran"}


# laws 1 and 2: drift (Wright 1931) --------------------------------------------------------------------------

DRIFT = [("wright_fisher", 1, 20, 15), ("wright_fisher", 2, 10, 15), ("moran", 1, 10, 40)]


def kept(model, haplotypes, t):
    """The share of heterozygosity that is left."""
    law = heterozygosity_kept if model == "wright_fisher" else moran_heterozygosity_kept
    return law(haplotypes, t)


@pytest.mark.parametrize(("model", "ploidy", "n", "t"), DRIFT)
def test_laws_1_and_2_drift(model, ploidy, n, t):
    """E H_t = H_0 (1 - 1/N)^t, diploid 1 - 1/2N, Moran 1 - 2/N^2 an event.

    Var p_t = p_0 q_0 (1 - the same).
    """
    h = n * ploidy
    x = evolve(population(population=n, ploidy=ploidy, model=model), copies(h // 2, h), 6000, t)
    p = x[..., 0].double().mean(1)
    heterozygosity, square = 2 * p * (1 - p), (p - 0.5) ** 2
    left, double, other = (
        kept(model, h, t),
        kept(model, 2 * h, t),
        kept("moran" if model == "wright_fisher" else "wright_fisher", h, t),
    )
    where = f"{NAMES[model]}, {'diploid, ' * (ploidy - 1)}N = {n}, t = {t}"
    told_mean(1, LAWS[1], where, 0.5 * left, heterozygosity, mutant=0.5 * double)
    told_mean(2, LAWS[2], where, 0.25 * (1 - left), square, mutant=0.25 * (1 - double))
    assert deviation(p, 0.5) < Z
    assert deviation(heterozygosity, 0.5 * other) > Z
    assert deviation(square, 0.25 * (1 - other)) > Z


# law 3: one step (Wright 1931; Moran 1958) ------------------------------------------------------------------


@pytest.mark.parametrize(("n", "k", "s"), [(40, 12, 0.5), (25, 20, -0.6)])
@pytest.mark.parametrize("model", ["wright_fisher", "moran"])
def test_law_3_one_step(model, n, k, s):
    """E p' = p* and Var p' = p* q* / N; one Moran event moves N p' by one, with the chances of its matrix."""
    x = evolve(population(population=n, model=model), copies(k, n), 20_000, 1, advantage(s))
    born = x[..., 0].double().sum(1)
    number = torch.arange(n + 1, dtype=torch.float64)

    def law(matrix):
        chance = torch.from_numpy(matrix[k])
        mean = (chance * number).sum()
        return mean, (chance * (number - mean) ** 2).sum()

    right, wrong = (
        (exact.haploid, exact.moran) if model == "wright_fisher" else (exact.moran, exact.haploid)
    )
    (mean, spread), (other_mean, other_spread) = law(right(n, 1 + s)), law(wrong(n, 1 + s))
    where, square = f"{NAMES[model]}, N = {n}, p = {k / n}, s = {s}", (born - mean) ** 2
    told_mean(3, LAWS[3], f"mean, {where}", mean / n, born / n, mutant=other_mean / n)
    told_mean(
        3, LAWS[3], f"variance, {where}", spread / n**2, square / n**2, mutant=other_spread / n**2
    )
    mean, spread = law(right(n, math.exp(s)))
    assert (
        max(deviation(born, mean), deviation((born - mean) ** 2, spread)) > Z
    )  # mutant: s <-> ln(1 + s)


def test_law_3_moran_variance():
    """A neutral event has variance 2 p q / N^2."""
    n, k = 30, 9
    p = (
        evolve(population(population=n, model="moran"), copies(k, n), 20_000, 1)[..., 0]
        .double()
        .mean(1)
    )
    law = 2 * (k / n) * (1 - k / n) / n**2
    told_mean(
        3,
        LAWS[3],
        f"variance, Moran, N = {n}, p = {k / n}, neutral",
        law,
        (p - k / n) ** 2,
        mutant=law / 2,
    )


# laws 4 and 5: fixation (Kimura 1962) -----------------------------------------------------------------------


@pytest.mark.parametrize("s", [0.02, 0.4])
def test_law_4_fixation_of_haploids(s):
    """U of one copy, by the exact matrix; Kimura's (1 - e^-2s) / (1 - e^-2Ns) is near for small s."""
    n = 20
    fixed = absorbed(population(population=n), copies(1, n), 16_000, advantage(s))[0].double()
    truth = exact.fixation(exact.haploid(n, 1 + s))[1]
    mutant = exact.haploid(2 * n, 1 + s) if s < 0.1 else exact.haploid(n, math.exp(s))
    told_mean(
        4,
        LAWS[4],
        f"Wright-Fisher, exact matrix, N = {n}, s = {s}",
        truth,
        fixed,
        mutant=exact.fixation(mutant)[1],
    )
    assert deviation(fixed, exact.fixation(exact.moran(n, 1 + s))[1]) > Z
    if s < 0.1:
        assert truth == pytest.approx(kimura(n, s), rel=0.02)


@pytest.mark.parametrize("s", [0.05, 0.8])
def test_law_4_fixation_of_moran(s):
    """(1 - 1/r) / (1 - r^-N) is exact."""
    n, r = 8, 1 + s
    fixed = absorbed(population(population=n, model="moran"), copies(1, n), 8000, advantage(s))[
        0
    ].double()
    law = moran_fixation(n, s)
    assert exact.fixation(exact.moran(n, r))[1] == pytest.approx(law, rel=1e-12)
    mutant = exact.moran(2 * n, r) if s < 0.1 else exact.haploid(n, r)
    told_mean(4, LAWS[4], f"Moran, N = {n}, s = {s}", law, fixed, mutant=exact.fixation(mutant)[1])
    if s > 0.1:
        assert deviation(fixed, (1 - math.exp(-s)) / (1 - math.exp(-n * s))) > Z


@pytest.mark.parametrize("s", [0.02, 0.4])
def test_law_5_fixation_of_diploids(s):
    """Fitness 1, 1 + s, 1 + 2s: the mean of two haplotypes of losses 0 and -2s."""
    n = 10
    fixed = absorbed(population(population=n, ploidy=2), copies(1, 2 * n), 12_000, advantage(2 * s))[
        0
    ].double()
    truth = exact.fixation(exact.diploid(n, s))[1]
    mutant = (
        exact.diploid(2 * n, s) if s < 0.1 else exact.diploid(n, s / 2)
    )  # N <-> 2N, or the loss halved once more
    told_mean(
        5, LAWS[5], f"exact matrix, N = {n}, s = {s}", truth, fixed, mutant=exact.fixation(mutant)[1]
    )
    if s > 0.1:
        assert (
            deviation(fixed, exact.fixation(exact.diploid(n, 2 * s))[1]) > Z
        )  # mutant: the sum of two haplotypes
    else:
        assert truth == pytest.approx(kimura(n, s, ploidy=2), rel=0.03)


@pytest.mark.verify
@pytest.mark.parametrize(("ploidy", "expected"), [(1, 0.03965), (2, 0.03865)])
def test_laws_4_and_5_at_a_hundred(ploidy, expected):
    n, s = 100, 0.02
    truth = exact.fixation(exact.haploid(n, 1 + s) if ploidy == 1 else exact.diploid(n, s))[1]
    assert truth == pytest.approx(
        expected, abs=6e-6
    )  # diploid .03884 where parents are in Hardy-Weinberg proportions, not paired at random
    fixed = absorbed(
        population(population=n, ploidy=ploidy), copies(1, ploidy * n), 50_000, advantage(ploidy * s)
    )[0].double()
    row, where = 3 + ploidy, f"{'Wright-Fisher, ' if ploidy == 1 else ''}exact matrix, N = {n}, s = {s}"
    told_mean(row, LAWS[row], where, truth, fixed, mutant=exact.fixation(exact.moran(n, 1 + s))[1])


# law 6: time to fixation (Kimura and Ohta 1969) -------------------------------------------------------------


@pytest.mark.verify
def test_law_6_times():
    """Until one allele is lost from p = 1/2, and of one copy until it fixes, by the exact matrix.

    Near -2N (p ln p + q ln q) and 2N.
    """
    n = 20
    matrix, double = exact.haploid(n, 1.0), exact.haploid(2 * n, 1.0)
    time = absorbed(population(population=n), copies(n // 2, n), 4000)[1]
    lost = exact.absorption_time(matrix)[n // 2], exact.absorption_time(double)[n]
    told_mean(6, LAWS[6], f"lost from p = .5, exact matrix, N = {n}", lost[0], time, mutant=lost[1])
    assert (
        deviation(time, exact.absorption_time(exact.moran(n, 1.0))[n // 2] / n) > Z
    )  # mutant: generations of Moran
    assert exact.absorption_time(exact.haploid(100, 1.0))[50] == pytest.approx(136.6, abs=0.05)
    fixed, time = absorbed(population(population=n), copies(1, n), 16_000)
    sole = exact.conditional_time(matrix)[0], exact.conditional_time(double)[0]
    told_mean(
        6, LAWS[6], f"fixed from one copy, exact matrix, N = {n}", sole[0], time[fixed], mutant=sole[1]
    )
    assert exact.conditional_time(exact.haploid(100, 1.0))[0] == pytest.approx(196.7, abs=0.05)


# law 7: mutation and drift ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "ploidy", "u"), [(10, 1, 0.02), (8, 2, 0.01)])
def test_law_7_heterozygosity_under_mutation(n, ploidy, u):
    """H' = (1 - m)/2 + m (1 - 1/N) H of a pair drawn without replacement, m = (1 - 2u)^2.

    From one genotype, after t generations.
    """
    t, h = 40, n * ploidy

    def law(h, u):
        m, value = (1 - 2 * u) ** 2, 0.0
        for _ in range(t):
            value = (1 - m) / 2 + m * (1 - 1 / h) * value
        return value

    x = evolve(
        population(population=n, ploidy=ploidy, mutation_rate=u),
        torch.zeros(h, 1, dtype=torch.uint8),
        12_000,
        t,
    )
    p = x[..., 0].double().mean(1)
    found = 2 * p * (1 - p) * h / (h - 1)
    told_mean(
        7,
        LAWS[7],
        f"{'diploid, ' * (ploidy - 1)}N = {n}, u = {u}, t = {t}",
        law(h, u),
        found,
        mutant=law(2 * h, u),
    )
    assert deviation(found, law(h, u / 2)) > Z  # mutant: one way only


@pytest.mark.verify
def test_law_7_in_the_long_run():
    """H* = (1 - m) / (2 [1 - (1 - 1/N) m]), from which 2e-4 of it are missing after 600 generations."""
    n, u, t = 100, 1e-3, 600
    p = (
        evolve(
            population(population=n, mutation_rate=u), torch.zeros(n, 1, dtype=torch.uint8), 1500, t
        )[..., 0]
        .double()
        .mean(1)
    )

    def law(n):
        m = (1 - 2 * u) ** 2
        return (1 - m) / (2 * (1 - (1 - 1 / n) * m))

    told_mean(
        7,
        LAWS[7],
        f"N = {n}, u = {u}, t = {t}",
        law(n),
        2 * p * (1 - p) * n / (n - 1),
        bias=1e-4,
        mutant=law(2 * n),
    )


# law 12: linkage disequilibrium (Robbins 1918; Hill and Robertson 1968) -------------------------------------

LINKAGE = [  # ploidy, crossover, rate, loci looked at of three, chance of recombination between them
    (1, "one_point", 0.4, (0, 1), 0.2),
    (1, "one_point", 0.4, (0, 2), 0.4),
    (1, "multi_point", 0.1, (1, 2), 0.1),
    (1, "multi_point", 0.1, (0, 2), 0.18),
    (1, "free", 1.0, (0, 2), 0.5),
    (1, "free", 0.4, (0, 1), 0.2),
    (2, "one_point", 0.4, (0, 1), 0.2),
    (2, "multi_point", 0.1, (0, 2), 0.18),
    (2, "free", 0.4, (1, 2), 0.2),
    (2, "none", None, (1, 2), 0.0),
]


@pytest.mark.parametrize(("ploidy", "crossover", "rate", "loci", "r"), LINKAGE)
def test_law_12_linkage_disequilibrium(ploidy, crossover, rate, loci, r):
    """E D_t = D_0 [(1 - r)(1 - 1/N)]^t of haploids.

    Of diploids by the recursion within haplotypes, individuals and strangers.
    """
    n, t, worlds = 6, 2, 12_000
    h = n * ploidy
    optimizer = population(population=n, ploidy=ploidy, crossover=crossover, recombination_rate=rate)
    start = torch.stack([
        copies(h // 2, h, 3)[torch.from_numpy(_shuffled(h, w))] for w in range(50)
    ]).repeat(worlds // 50, 1, 1)
    a, b = evolve(optimizer, start, worlds, t)[..., list(loci)].double().unbind(-1)
    d = (a * b).mean(1) - a.mean(1) * b.mean(1)
    x, y = start[..., list(loci)].double().unfold(1, ploidy, ploidy).unbind(2)  # (R, n, ploidy)
    strangers = (x.sum((1, 2)) * y.sum((1, 2)) - (x.sum(2) * y.sum(2)).sum(1)) / (h * (h - ploidy))
    paired = float(((x * y.flip(2)).mean((1, 2)) - strangers).mean()) if ploidy == 2 else 0.0
    law = exact.disequilibrium(n, ploidy, r, t, 0.25, paired)
    if ploidy == 1:
        assert law == pytest.approx(0.25 * linkage_kept(n, r, t), rel=1e-12)
    where = f"{'diploid, ' * (ploidy - 1)}{crossover}, N = {n}, r = {r}, t = {t}, loci {loci[0]} and {loci[1]}"
    told_mean(
        12, LAWS[12], where, law, d, mutant=exact.disequilibrium(2 * n, ploidy, r, t, 0.25, paired)
    )
    assert (
        deviation(d, exact.disequilibrium(n, ploidy, r / 2 if r else 0.05, t, 0.25, paired)) > Z
    )  # mutant: half of the crossovers are lost


def _shuffled(n, world):
    return make(50).permutation("pairing", n)[world].numpy()


# law 16: OneMax at linkage equilibrium (Muehlenbein 1993) ---------------------------------------------------


def onemax(x):
    return x.shape[-1] - x.sum(-1)


def test_law_16_proportional_selection():
    """p_t = 1 - (1 - p_0)(1 - 1/n)^t where fitness is the number of ones and N is large.

    Clones do less well.
    """
    n, t, worlds = 40, 25, 20
    start = make(worlds).coins("init", (1000, n)).to(torch.uint8)

    def share(crossover):
        optimizer = population(population=1000, crossover=crossover, selection_strength=1 / n)
        return evolve(optimizer, start, worlds, t, onemax).double().mean((1, 2))

    def law(n):
        return onemax_proportional(n, t, float(start.double().mean()))

    told_mean(
        16,
        LAWS[16],
        f"proportional, free recombination, n = {n}, t = {t}",
        law(n),
        share("free"),
        bias=0.01 * law(n),
        mutant=law(2 * n),
    )
    assert (share("none").mean() / law(n) - 1).abs() > 0.01


# law 17: Price's equation (Price 1970) ----------------------------------------------------------------------


@pytest.mark.parametrize("ploidy", [1, 2])
def test_law_17_price(ploidy):
    """W dz = Cov(w, z) + E(w dz): w are the offspring of a haplotype by the parents told, w dz what mutations do to them."""
    worlds, n, dim = 5, 9 * ploidy, 6
    streams, trait = make(worlds), torch.linspace(-1, 2, dim, dtype=torch.float64)

    def generation(u):
        optimizer = population(population=9, ploidy=ploidy, mutation_rate=u, selection_strength=0.1)
        state = begin(optimizer, streams.at(0).coins("init", (n, dim)).to(torch.uint8), streams)
        new, info = step(optimizer, state, streams.at(1), onemax)
        return state.points.double() @ trait, new.points.double() @ trait, info["parents"][..., 0]

    (z, child, parents), copied = generation(0.3), generation(0.0)[1]

    def residual(parents):
        w = torch.zeros(worlds, n, dtype=torch.float64).scatter_add(
            1, parents, torch.ones(worlds, n, dtype=torch.float64)
        )
        covariance = (w * z).mean(1) - w.mean(1) * z.mean(1)
        return (
            (w.mean(1) * (child.mean(1) - z.mean(1)) - covariance - (child - copied).mean(1))
            .abs()
            .max()
        )

    where = f"{'diploid' if ploidy == 2 else 'haploid'}, N = 9, {dim} loci"
    told(
        17, LAWS[17], where, 0.0, residual(parents), bias=1e-12, mutant=residual((parents + 1) % n)
    )  # mutant: other parents are told
    assert (child - copied).mean(1).abs().max() > 1e-3  # mutant: what mutations do is left out


# law 22: a finite sample of a normal trait (delta method) ---------------------------------------------------


@pytest.mark.parametrize("n", [10, 20])
def test_law_22_response_of_a_finite_sample(n):
    """E of the children's mean = s V (1 - e^(s^2 V) / N) + O(1/N^2) with w = e^(s z), z ~ N(0, V)."""
    s, worlds = 0.5, 30_000
    optimizer = population(
        population=n, fitness="exponential", selection_strength=s, mutation_sigma=0.0
    )
    z = make(worlds).normal("init", (n, 1))
    mean = evolve(optimizer, z, worlds, 1, lambda x: -x[..., 0])[..., 0].mean(1)

    def law(n):
        return finite_response(s, 1.0, n)

    told_mean(22, LAWS[22], f"N = {n}, s = {s}, V = 1", law(n), mean, bias=0.01 * s, mutant=law(2 * n))
    assert (
        mean.mean() - s
    ).abs() > Z * mean.std() / worlds**0.5 + 0.01 * s  # mutant: an infinite sample


# law 23: drift erodes the response to selection -------------------------------------------------------------


@pytest.mark.parametrize(("n", "expected"), [(10, 0.6191), (20, 0.7127)])
def test_law_23_finite_populations_respond_less(n, expected):
    """E p_50 of the exact matrix lies below the deterministic .9198."""
    s, t = 0.05, 50
    p = (
        evolve(population(population=n), copies(n // 2, n), 6000, t, advantage(s))[..., 0]
        .double()
        .mean(1)
    )

    def law(n, w):
        return float(exact.after(exact.haploid(n, w), n // 2, t) @ range(n + 1)) / n

    assert law(n, 1 + s) == pytest.approx(expected, abs=5e-5)
    endless = (1 + s) ** t / (1 + (1 + s) ** t)
    told_mean(
        23, LAWS[23], f"exact matrix, N = {n}, s = {s}, t = {t}", law(n, 1 + s), p, mutant=endless
    )
    assert deviation(p, law(2 * n, 1 + s)) > Z
    assert (
        deviation(p, float(exact.after(exact.moran(n, 1 + s), n // 2, n * t) @ range(n + 1)) / n) > Z
    )  # mutant: Moran


# law 25: origin and fixation (Sella and Hirsh 2005) ---------------------------------------------------------


def visited(model, n, w, worlds=6000, steps=40):
    """How often the fitter of two genotypes is resident, after so many mutations from a fair start.

    Fitness w against 1.
    """
    optimizer = OPTIMIZERS["sswm"](population=n, model=model)
    streams = make(worlds)
    state = begin(optimizer, streams.at(0).coins("init", (1, 1)).to(torch.uint8), streams)
    for t in range(1, steps + 1):
        state, _ = step(optimizer, state, streams.at(t), lambda x: -math.log(w) * x[..., 0])
    return state.points[:, 0, 0].double()


@pytest.mark.parametrize("model", ["wright_fisher", "moran"])
@pytest.mark.parametrize(("n", "w"), [(8, 1.1), (5, 1.3)])
def test_law_25_stationary_odds(model, n, w):
    """Odds w^nu with nu = 2(N - 1), Moran N - 1, of two genotypes whose log fitness is -L."""
    found, nu = visited(model, n, w), {"wright_fisher": 2 * (n - 1), "moran": n - 1}

    def law(nu):
        return w**nu / (1 + w**nu)

    other = law(nu["moran" if model == "wright_fisher" else "wright_fisher"])
    told_mean(
        25,
        LAWS[25],
        f"share of the fitter, {NAMES[model]}, N = {n}, f = {w}",
        law(nu[model]),
        found,
        mutant=other,
    )
    assert (
        deviation(found, law(2 * nu[model] + (2 if model == "wright_fisher" else 1))) > Z
    )  # mutant: N <-> 2N
    assert 1.02 ** (2 * 49) == pytest.approx(6.963, abs=5e-4)
    assert 1.02**49 == pytest.approx(2.639, abs=5e-4)


@pytest.mark.parametrize("s", [-0.3, -1e-14, 0.0, 0.02, 0.5, 4.0, 900.0])
@pytest.mark.parametrize("n", [1, 7, 100])
def test_law_25_chances_of_fixation(n, s):
    """Moran's is exact, Kimura's goes to 1/N, all are chances, and both satisfy detailed balance."""
    old, new = torch.zeros(1, 1, dtype=torch.float64), torch.tensor([[-s]], dtype=torch.float64)
    for model, a in (("moran", 1), ("wright_fisher", 2)):
        optimizer = OPTIMIZERS["sswm"](population=n, model=model)
        up, down = optimizer.fixation(old, new).item(), optimizer.fixation(new, old).item()
        assert 0 <= min(up, down) <= max(up, down) <= 1
        if abs(s) > 1e-9 and abs(a * n * s) < 300:
            assert up == pytest.approx((1 - math.exp(-a * s)) / (1 - math.exp(-a * n * s)), rel=1e-11)
            assert math.log(up / down) == pytest.approx(a * (n - 1) * s, abs=1e-9)
        if model == "moran" and 1e-3 < abs(s) < 1 and n > 1:
            assert up == pytest.approx(exact.fixation(exact.moran(n, math.exp(s)))[1], rel=1e-9)
            assert up != pytest.approx(
                exact.fixation(exact.moran(n, 1 + s))[1], rel=1e-4, abs=0
            )  # mutant: s <-> ln(1 + s)
        if abs(s) < 1e-9:
            assert up == pytest.approx(1 / n, rel=1e-9)


def test_law_25_linear_fitness():
    """S = ln(w' / w) with w = 1 - beta L: a chance by hand."""
    optimizer = OPTIMIZERS["sswm"](
        population=10, model="moran", fitness="linear", selection_strength=0.5
    )
    old, new = torch.tensor([[1.0]], dtype=torch.float64), torch.tensor([[0.6]], dtype=torch.float64)
    r = 0.7 / 0.5
    assert optimizer.fixation(old, new).item() == pytest.approx((1 - 1 / r) / (1 - r**-10), rel=1e-12)
    dead = torch.tensor([[2.0]], dtype=torch.float64)
    assert [
        optimizer.fixation(old, dead).item(),
        optimizer.fixation(dead, old).item(),
        optimizer.fixation(dead, dead).item(),
    ] == [0, 1, 0.1]


@pytest.mark.verify
def test_law_25_a_whole_population():
    """The share of the fitter allele in Wright-Fisher with rare mutation goes to that of the chain.

    N = 50, f = 1.02.
    """
    n, u, t = 50, 2e-3, 3000
    p = (
        evolve(population(population=n, mutation_rate=u), copies(0, n), 1500, t, advantage(0.02))[
            ..., 0
        ]
        .double()
        .mean(1)
    )

    def law(u, w=1.02):
        return float(exact.after(exact.haploid(n, w, u), 0, t) @ range(n + 1)) / n

    assert law(u) == pytest.approx(0.792, abs=1e-3)
    rare = 1.02 ** (2 * (n - 1)) / (1 + 1.02 ** (2 * (n - 1)))  # a limit that is not reached
    told_mean(
        25,
        LAWS[25],
        f"share of the fitter, exact matrix, N = {n}, f = 1.02, u = {u}",
        law(u),
        p,
        mutant=rare,
    )
    assert deviation(p, law(u, 1.0)) > Z


# law 46: (1+1)-EA and randomized local search (Boettcher, Doerr and Neumann 2010) ---------------------------


def hitting(kind, start, worlds, loss, **options):
    """Steps (R,) until the loss is 0, the first step, which asks the start, left out."""
    optimizer, running = OPTIMIZERS[kind](**options), torch.arange(worlds)
    state, time = begin(optimizer, start, make(worlds)), torch.zeros(worlds, dtype=torch.float64)
    for t in range(100_000):
        state, _ = step(optimizer, state, make(worlds).subset(running).at(t + 1), loss)
        done = state.value[:, 0] == 0
        time[running[done]] = float(t)
        running, state = running[~done], type(state)(*(part[~done] for part in state))
        if not len(running):
            return time
    raise AssertionError("not reached")


def leading_ones(x):
    return x.shape[-1] - x.cumprod(-1).sum(-1)


@pytest.mark.parametrize(("n", "rate"), [(12, None), (10, 0.25)])
@pytest.mark.verify
def test_law_46_leading_ones(n, rate):
    """[(1 - p)^(1 - n) - (1 - p)] / (2 p^2) steps of the (1+1)-EA.

    With p = 1/n that is n^2 [(1 - 1/n)^(1 - n) - (1 - 1/n)] / 2.
    """
    worlds, p = 4000, rate or 1 / n
    start = make(worlds).coins("init", (1, n)).to(torch.uint8)
    time = hitting("one_plus_one_ea", start, worlds, leading_ones, mutation_rate=rate)
    law = ea_leading_ones(n, p)
    assert exact.ea_leading_ones(n, p) == pytest.approx(law, rel=1e-12)
    assert exact.ea_leading_ones(50, 0.02) == pytest.approx(2138.8, abs=0.05)
    name = "steps of the (1+1)-EA on LeadingOnes, " + (
        "[(1 - p)^(1 - n) - (1 - p)] / (2 p^2)" if rate else "n^2 [(1 - 1/n)^(1 - n) - (1 - 1/n)] / 2"
    )
    told_mean(46, name, f"n = {n}, p = {p:.4g}", law, time, mutant=exact.ea_leading_ones(n, p / 2))
    assert (
        deviation(hitting("rls", start, worlds, leading_ones), law) > Z
    )  # mutant: exactly one bit flips


@pytest.mark.parametrize("n", [10, 25])
def test_law_46_onemax(n):
    """N H_n steps of randomized local search from no ones."""
    worlds, start = 3000, torch.zeros(1, n, dtype=torch.uint8)
    time = hitting("rls", start, worlds, onemax)
    law = rls_onemax(n, n)
    assert exact.rls_onemax(n) == pytest.approx(law, rel=1e-12)
    assert exact.rls_onemax(50) == pytest.approx(225.0, abs=0.05)
    told_mean(
        46,
        "steps of randomized local search on OneMax, n H_n",
        f"n = {n}",
        law,
        time,
        mutant=law - n * 0.25,
    )
    assert deviation(hitting("one_plus_one_ea", start, 1000, onemax), law) > Z


# what an adaptive walk chooses (Orr 2002) -------------------------------------------------------------------


def test_a_proportional_walk_chooses_by_gain():
    """Gains 1 and 3 of two loci are chosen 1 : 3, by a random walk 1 : 1; never a worse neighbour."""
    worlds, start = 6000, torch.zeros(1, 3, dtype=torch.uint8)

    def first(rule):
        optimizer, streams = OPTIMIZERS["adaptive_walk"](rule=rule), make(worlds)
        new, info = step(
            optimizer,
            begin(optimizer, start, streams),
            streams.at(1),
            lambda x: -x[..., 0] - 3 * x[..., 1] + x[..., 2],
        )
        assert info["accepted"].all()
        return new.point.double()

    law = {"proportional": torch.tensor([0.25, 0.75]), "random": torch.tensor([0.5, 0.5])}
    for rule, other in (("proportional", "random"), ("random", "proportional")):
        found = first(rule)
        assert found[:, 2].max() == 0
        assert deviation(found[:, :2], law[rule]) < Z
        assert deviation(found[:, :2], law[other]) > Z
    assert first("greedy").mean(0).tolist() == [0, 1, 0]


# laws 8, 9 and 10: mutation and selection without drift (Haldane 1927; Haigh 1978; Eigen 1971) --------------


def cloud(fitness, steps, **options):
    """Frequencies (D + 1,) of the classes of 0 ..

    D mutated loci after so many generations from none; fitness of the classes.
    """
    dim = len(fitness) - 1
    optimizer, streams = OPTIMIZERS["quasispecies"](founders=1, **options), make(1)
    state = begin(optimizer, torch.zeros(1, dim, dtype=torch.uint8), streams)
    loss = -torch.tensor(fitness, dtype=torch.float64).log()
    for t in range(1, steps + 1):
        state, info = step(optimizer, state, streams.at(t), lambda x: loss[x.sum(-1).long()])
    mutated = state.genotypes[0].sum(1).long()
    return (
        torch.zeros(dim + 1, dtype=torch.float64).index_add(0, mutated, state.frequency[0]),
        info["fitness"].item(),
    )


@pytest.mark.parametrize(("u", "s"), [(1e-6, 0.05), (1e-3, 0.3)])
def test_law_8_mutation_selection_balance(u, s):
    """Q = u / s but for back mutation, of relative size u / s; with it, the leading eigenvector."""
    q, mean = cloud([1.0, 1 - s], 900, mutation_rate=u)
    assert q.tolist() == pytest.approx(exact.balance(1, u, [1.0, 1 - s]).tolist(), abs=1e-9)
    logarithm, bias = u / math.log(1 / (1 - s)), (2 * u / s + 1e-6) * u / s
    told(8, LAWS[8], f"u = {u}, s = {s}", u / s, q[1], bias=bias, mutant=logarithm)
    told(
        8,
        LAWS[8],
        f"with back mutation, exact matrix, u = {u}, s = {s}",
        exact.balance(1, u, [1.0, 1 - s])[1],
        q[1],
        bias=1e-9,
        mutant=logarithm,
    )
    assert mean == pytest.approx(1 - u, abs=2 * u * u / s)
    for wrong in (2 * u / s, u / (2 * s)):  # mutants: both ways, haploid <-> diploid
        assert abs(q[1].item() - wrong) > bias


def test_law_9_mutation_load():
    """With w = (1 - s)^k, W goes to e^-U and k to Poisson(U / s): 14 loci are near, and the eigenvector is exact."""
    dim, u, s = 14, 2e-4, 0.2
    w = [(1 - s) ** k for k in range(dim + 1)]
    k, mean = cloud(w, 150, mutation_rate=u)
    assert k.tolist() == pytest.approx(exact.balance(dim, u, w).tolist(), abs=1e-9)
    where = f"{dim} loci, U = {dim * u:.4g}, s = {s}"
    told(
        9, LAWS[9], f"W, {where}", math.exp(-dim * u), mean, bias=5e-6, mutant=math.exp(-2 * dim * u)
    )  # mutant: U of diploids
    none = math.exp(-dim * u / s), math.exp(dim * u / math.log(1 - s))  # mutant: s <-> ln(1 + s)
    told(9, LAWS[9], f"n0, {where}", none[0], k[0], bias=2e-5, mutant=none[1])


@pytest.mark.verify
def test_law_9_in_a_large_population():
    """N = 10^4, U = .1, s = .05: W is near e^-U = .9048.

    The mean of many generations, beside the balance of 100 loci with back mutation.
    """
    n, dim, s, u = 10_000, 100, 0.05, 0.001
    optimizer, streams = (
        population(
            population=n, fitness="exponential", selection_strength=-math.log(1 - s), mutation_rate=u
        ),
        make(3),
    )
    state, means = begin(optimizer, torch.zeros(n, dim, dtype=torch.uint8), streams), []
    for t in range(1, 501):
        state, _ = step(optimizer, state, streams.at(t), lambda x: x.sum(-1))
        means.append(((1 - s) ** state.points.double().sum(-1)).mean(1))
    found = torch.stack(means[120:]).mean(0)

    def law(u):
        return (1 - s * exact.balance(1, u, [1.0, 1 - s])[1]) ** dim

    assert law(u) == pytest.approx(math.exp(-0.1), abs=0.003)
    told_mean(
        9,
        LAWS[9],
        f"W, Wright-Fisher, N = {n}, U = {dim * u:.4g}, s = {s}",
        law(u),
        found,
        bias=0.002,
        mutant=law(2 * u),
    )
    assert found.mean().item() != pytest.approx(law(u / 2), abs=0.002)


@pytest.mark.parametrize(("dim", "u", "sigma"), [(8, 0.03, 10.0), (6, 0.2, 3.0), (10, 0.01, 2.0)])
def test_law_10_error_threshold(dim, u, sigma):
    """A single peak: the classes are the leading eigenvector of the class matrix.

    X_0 = (sigma Q - 1) / (sigma - 1) but for back mutation.
    """
    w = [sigma] + [1.0] * dim
    x, _ = cloud(w, 400, mutation_rate=u)
    assert x.tolist() == pytest.approx(exact.balance(dim, u, w).tolist(), abs=1e-9)
    rarer, steeper = (
        exact.balance(dim, u / 2, w),
        exact.balance(dim, u, [math.exp(sigma - 1)] + [1.0] * dim),
    )
    for wrong in (rarer, steeper):
        assert x.tolist() != pytest.approx(wrong.tolist(), abs=1e-3)
    where = f"L = {dim}, sigma = {sigma:g}, u = {u}"
    told(
        10,
        LAWS[10],
        f"class matrix, {where}",
        exact.balance(dim, u, w)[0],
        x[0],
        bias=1e-9,
        mutant=steeper[0],
    )
    if u <= 0.03:
        told(
            10,
            LAWS[10],
            where,
            quasispecies_share(dim, sigma, u),
            x[0],
            bias=0.01,
            mutant=rarer[0],
        )


def test_law_10_of_fifty_loci():
    """The class matrix at L = 50, sigma = 10, u = .03 beside Eigen's x_0 = .1312.

    The threshold 1 - sigma^(-1/L) = .0450.
    """
    w = [10.0] + [1.0] * 50
    assert exact.balance(50, 0.03, w)[0] == pytest.approx(0.1325, abs=1e-4)
    assert quasispecies_share(50, 10, 0.03) == pytest.approx(0.1312, abs=1e-4)
    assert exact.balance(50, 0.055, w)[0] < 0.002 < 0.05 < exact.balance(50, 0.035, w)[0]
    assert error_threshold(50, 10) == pytest.approx(0.0450, abs=1e-4)


# laws 13, 14, 18 and 19: recombination without drift --------------------------------------------------------


def distribution(optimizer, frequency, steps, loss):
    """Frequencies (2^D,) after so many generations, in the order of the genotypes' numbers, and the last state."""
    dim, streams = len(frequency).bit_length() - 1, make(1)
    state = begin(optimizer, torch.zeros(optimizer.founders, dim, dtype=torch.uint8), streams)._replace(
        frequency=frequency[None]
    )
    for t in range(1, steps + 1):
        state, _ = step(optimizer, state, streams.at(t), loss)
    return state.frequency[0], state


def independent(p):
    """Frequencies (2^D,) of genotypes whose loci are independent with chances p (D,)."""
    x = torch.ones(1, dtype=torch.float64)
    for chance in p:
        x = torch.cat([(1 - chance) * x, chance * x])
    return x


def genetics(**options):
    return OPTIMIZERS["quasispecies"](**{"founders": 1, "mutation_rate": 0.0} | options)


@pytest.mark.parametrize("crossover", ["one_point", "free"])
@pytest.mark.parametrize("u", [0.0, 0.03])
def test_law_13_recombination_changes_nothing_without_epistasis(crossover, u):
    """Multiplicative w and D_0 = 0: 20 generations with and without recombination are the same.

    With additive w they are not.
    """
    p, slope = (
        torch.linspace(0.1, 0.6, 6, dtype=torch.float64),
        torch.linspace(-0.2, 0.1, 6, dtype=torch.float64),
    )

    def difference(**options):
        with_, without = (
            distribution(
                genetics(mutation_rate=u, crossover=c, **options),
                independent(p),
                20,
                lambda x: x @ slope,
            )[0]
            for c in (crossover, "none")
        )
        return (with_ - without).abs().max()

    additive, where = (
        difference(fitness="linear"),
        f"largest difference after 20 generations, {crossover}, u = {u}",
    )
    assert additive > 1e-6
    told(13, LAWS[13], where, 0.0, difference(fitness="exponential"), bias=1e-12, mutant=additive)


def test_law_14_recombination_assembles():
    """From Ab and aB at .01 each, with s = .1 and .2, AB is .752 after 60 generations of r = .5 and absent where r = 0."""
    start = torch.tensor([0.98, 0.01, 0.01, 0.0], dtype=torch.float64)
    slope = -torch.tensor([1.1, 1.2], dtype=torch.float64).log()

    def both(r, crossover="one_point"):
        optimizer = genetics(crossover=crossover, recombination_rate=r)
        return distribution(optimizer, start, 60, lambda x: x @ slope)[0][3].item()

    def law(r):
        x = {(0, 0): 0.98, (1, 0): 0.01, (0, 1): 0.01, (1, 1): 0.0}
        w = {g: 1.1 ** g[0] * 1.2 ** g[1] for g in x}
        for _ in range(60):
            x = exact.generation(x, w, 0.0, r, "one_point")
        return x[1, 1]

    assert law(0.5) == pytest.approx(0.752, abs=5e-4)
    for r, other in ((0.5, 0.25), (0.25, 0.5), (0.0, 0.25)):
        told(
            14,
            LAWS[14],
            f"s = .1 and .2, r = {r}, t = 60",
            law(r),
            both(r),
            bias=1e-9 if r else 0.0,
            mutant=law(other),
        )
    assert both(1.0, "free") == pytest.approx(
        law(0.5), abs=1e-9
    )  # two loci: half of all gametes recombine


@pytest.mark.parametrize("crossover", ["one_point", "free"])
def test_law_14_recombination_makes_no_alleles(crossover):
    """An allele that nobody carries stays absent, however good it would be; with mutation it comes."""
    start = torch.tensor([0.9, 0.06, 0.04, 0.0, 0.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    for u in (0.0, 1e-12):
        optimizer = genetics(crossover=crossover, mutation_rate=u)
        x, _ = distribution(optimizer, start, 100, lambda x: -x[..., 0] - x[..., 1] - 2 * x[..., 2])
        assert x[3] > 0
        assert (x[4:].sum() > 0.9) == (u > 0)
        assert u > 0 or x[4:].sum() == 0


def test_law_18_fishers_theorem():
    """The mean of an additive fitness rises by V_A / W in a generation from linkage equilibrium, whatever the recombination after it."""
    p, slope = (
        torch.linspace(0.2, 0.8, 6, dtype=torch.float64),
        torch.linspace(-0.1, 0.06, 6, dtype=torch.float64),
    )

    def rise(**options):
        new, state = distribution(genetics(**options), independent(p), 1, lambda x: x @ slope)
        w = 1 - state.genotypes[0].double() @ slope
        return ((new - independent(p)) * w).sum().item(), (independent(p) * w).sum().item()

    variance = (p * (1 - p) * slope**2).sum().item()
    for crossover in ("none", "one_point", "free"):
        found, mean = rise(fitness="linear", crossover=crossover)
        told(
            18,
            LAWS[18],
            f"6 loci, crossover {crossover}",
            variance / mean,
            found,
            bias=1e-12,
            mutant=variance / (2 * mean),
        )  # mutant: diploid
        assert found != pytest.approx(variance / mean**2, abs=1e-6)
    assert rise(fitness="exponential")[0] != pytest.approx(variance / mean, abs=1e-6)


@pytest.mark.parametrize("dim", [3, 6])
def test_law_19_wrights_equation(dim):
    """Dp_i = (p_i q_i / W) dW/dp_i is one generation of selection from linkage equilibrium, whatever the epistasis; diploid half of it."""
    table = torch.sin(torch.arange(2**dim, dtype=torch.float64) ** 2)
    theta = torch.linspace(-2.0, 1.5, dim, dtype=torch.float64, requires_grad=True)
    p = 1 / (1 + torch.exp(-theta))
    value = (independent(p) * table).sum()
    (slope,) = torch.autograd.grad(value, theta)
    p, beta = p.detach(), 0.3

    def stepped(ploidy, slope=slope):
        optimizer, streams = (
            OPTIMIZERS["linkage_equilibrium"](selection_strength=beta, ploidy=ploidy),
            make(1),
        )
        state = begin(optimizer, theta.detach()[None], streams)
        new, info = optimizer.tell(
            state,
            optimizer.ask(state, streams),
            Answer(value.detach().reshape(1, 1), slope.reshape(1, 1, -1)),
            streams,
        )
        assert info["fitness"].item() == pytest.approx(
            (independent(p) * (1 - beta * table)).sum().item(), abs=1e-12
        )
        return 1 / (1 + torch.exp(-optimizer.recommend(new)[0]))

    place = 2 ** torch.arange(dim)
    optimizer = genetics(fitness="linear", selection_strength=beta)
    _, state = distribution(optimizer, independent(p), 1, lambda x: table[(x.long() * place).sum(-1)])
    haploid = optimizer.center(state)[0]
    x, w, loci = independent(p), 1 - beta * table, state.genotypes[0].double()
    pairs = x[:, None] * x * (w[:, None] + w) / 2  # a diploid's loss is the mean of its haplotypes'
    diploid = (pairs[..., None] * (loci[:, None] + loci) / 2).sum((0, 1)) / pairs.sum()
    law = -beta * slope / (1 - beta * value.detach())
    i = int(law.abs().argmax())
    told(
        19,
        LAWS[19],
        f"all genotypes of {dim} loci",
        law[i],
        (haploid - p)[i],
        bias=1e-12,
        mutant=law[i] / 2,
    )
    told(
        19,
        LAWS[19],
        f"allele frequencies, {dim} loci",
        law[i],
        (stepped(1) - p)[i],
        bias=1e-12,
        mutant=(law / (p * (1 - p)))[i],
    )
    told(
        19,
        LAWS[19],
        f"allele frequencies, diploid, {dim} loci",
        law[i] / 2,
        (stepped(2) - p)[i],
        bias=1e-12,
        mutant=law[i],
    )
    assert (stepped(1) - haploid).abs().max() < 1e-12
    assert (stepped(2) - diploid).abs().max() < 1e-12
    assert (stepped(2) - haploid).abs().max() > 1e-4
    assert (stepped(1, slope * p * (1 - p)) - haploid).abs().max() > 1e-4  # mutant: p q once more


@pytest.mark.parametrize("n", [20, 100])
def test_law_16_gene_pool(n):
    """Wright's equation on OneMax.

    P_t = 1 - (1 - p_0)(1 - 1/n)^t, exactly, where fitness is the number of ones.
    """
    optimizer, streams, t = OPTIMIZERS["linkage_equilibrium"](selection_strength=1 / n), make(1), 50
    p0 = 0.5
    state = begin(optimizer, torch.zeros(1, n, dtype=torch.float64), streams)
    for _ in range(t):
        query = optimizer.ask(state, streams)
        p = 1 / (1 + torch.exp(-query.points))
        state, _ = optimizer.tell(state, query, Answer((1 - p).sum(-1), -p * (1 - p)), streams)
    p = 1 / (1 + torch.exp(-optimizer.recommend(state)[0]))
    law, mutant = (onemax_proportional(size, t, p0) for size in (n, 2 * n))
    assert p.tolist() == pytest.approx([law] * n, abs=1e-12)
    told(
        16, LAWS[16], f"proportional, gene pool, n = {n}, t = {t}", law, p[0], bias=1e-12, mutant=mutant
    )


# distributions of independent bits: law 16 (UMDA), the score function, and drift ----------------------------


@pytest.mark.verify
def test_law_16_truncation():
    """P_t = (1 + sin(I t / sqrt n)) / 2 in a gene pool, I = .798 for the best half: UMDA on OneMax.

    N = 100, t = 10: .858.
    """
    n, t, size, worlds = 100, 10, 1000, 12
    optimizer, streams = (
        OPTIMIZERS["pbil"](population=size, selected=size // 2, learning_rate=1.0, margin=0.0),
        make(worlds),
    )
    state = begin(optimizer, torch.zeros(1, n, dtype=torch.uint8), streams)
    for k in range(1, t + 1):
        state, _ = step(optimizer, state, streams.at(k), onemax)
    found = optimizer.center(state).mean(1)
    law, quarter = (0.5 * (1 + math.sin(i * t / math.sqrt(n))) for i in (0.798, 1.271))
    assert law == pytest.approx(0.858, abs=5e-4)
    told_mean(
        16,
        LAWS[16],
        f"truncation of the best half, UMDA, n = {n}, t = {t}",
        law,
        found,
        bias=0.01 * law,
        mutant=quarter,
    )
    for wrong in (1 - 0.5 * (1 - 1 / n) ** t, 0.642):  # proportional, clones
        assert (found.mean() / wrong - 1).abs() > 0.01


@pytest.mark.parametrize("natural", [False, True])
def test_the_score_function_is_unbiased(natural):
    """E of the estimate is the slope of the multilinear extension in theta.

    The natural one, in p: divided by p q.
    """
    dim, worlds, eta = 4, 20_000, 1e-3
    table = torch.sin(torch.arange(2**dim, dtype=torch.float64) ** 2)
    optimizer, streams = (
        OPTIMIZERS["bernoulli_nes"](
            population=5, shaping="raw", natural=natural, lean=0.8, learning_rate=eta, margin=1e-6
        ),
        make(worlds),
    )
    start = torch.tensor([[1, 0, 0, 1]], dtype=torch.uint8)
    state = begin(optimizer, start, streams)
    theta = state.theta[0, 0].clone().requires_grad_()
    p = 1 / (1 + torch.exp(-theta))
    (slope,) = torch.autograd.grad((independent(p) * table).sum(), theta)
    new, _ = step(
        optimizer, state, streams.at(1), lambda x: table[(x.long() * 2 ** torch.arange(dim)).sum(-1)]
    )
    found, variance = (state.theta - new.theta)[:, 0] / eta, (p * (1 - p)).detach()
    assert deviation(found, slope / variance if natural else slope) < Z
    assert deviation(found, slope if natural else slope / variance) > Z
    assert (
        deviation(found, 0.8 * (slope / variance if natural else slope)) > Z
    )  # mutant: divided by P, not P - 1


@pytest.mark.parametrize(("n", "t"), [(10, 12), (20, 30)])
def test_drift_of_the_compact_ga(n, t):
    """Without selection E p q shrinks by 1 - 2 / K^2 a step, as in a Moran population of K."""
    worlds = 8000
    optimizer, streams = OPTIMIZERS["cga"](population=n, margin=0.0), make(worlds)
    state = begin(optimizer, torch.zeros(1, 3, dtype=torch.uint8), streams)
    for k in range(1, t + 1):
        state, _ = step(
            optimizer, state, streams.at(k), lambda x: torch.zeros(x.shape[:2], dtype=torch.float64)
        )
    p = optimizer.center(state)
    found = (2 * p * (1 - p)).mean(1)
    told_mean(
        1,
        LAWS[1],
        f"compact GA as Moran, K = {n}, t = {t}",
        0.5 * moran_heterozygosity_kept(n, t),
        found,
        mutant=0.5 * heterozygosity_kept(n, t),
    )
    assert deviation(found, 0.5 * moran_heterozygosity_kept(2 * n, t)) > Z  # mutant: N <-> 2N
