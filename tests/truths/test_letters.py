"""Laws of population genetics at a site of four letters or two, each at 4.5 standard errors and beside a mutant.

The answers of the oracle are written by hand, so that nothing but the optimizer is tested.
"""

import numpy as np
import pytest
import torch

from landscapes.base import Answer, Bits, Letters, Problem
from landscapes.streams import Streams
from optimizers import OPTIMIZERS
from optimizers.spectrum import Spectrum
from studies.theory.fixation import heterozygosity_kept, kimura
from tests.references import population_genetics as exact
from tests.support.each import each
from tests.truths.table import told_mean

DNA = "ACGT"
ONE = Letters((tuple(DNA),))
KIMURA = {"transitions": 3.0}
BIASED = {"transitions": 2.0, "rates": {"G>A": 6.0, "C>T": 4.0, "T>G": 0.0}}


def make(worlds):
    return Streams(seed=2027, worlds=torch.arange(worlds))


def site(*counts):
    """One site (n, 1), so many individuals with each letter."""
    return torch.repeat_interleave(torch.arange(4), torch.tensor(counts)).to(torch.uint8)[:, None]


def evolve(kind, points, worlds, steps, loss=(0.0, 0.0, 0.0, 0.0), domain=ONE, **options):
    """The letters (R, n) of every world after so many steps, of these losses."""
    optimizer, streams = OPTIMIZERS[kind](**options), make(worlds)
    points = points.expand(worlds, *points.shape)
    problem = Problem(1, domain, True, lambda n: points[:, :n].clone())
    state, losses = optimizer.init(problem, streams.at(0)), torch.tensor(loss, dtype=torch.float64)
    for t in range(1, steps + 1):
        query = optimizer.ask(state, streams.at(t))
        answer = Answer(losses[query.points[..., 0].long()])
        state, _ = optimizer.tell(state, query, answer, streams.at(t))
    return state.points[..., 0]


def drifting(**options):
    """A genetic algorithm without selection."""
    return {"crossover": "none", "mutation_rate": 0.0, "selection": "none"} | options


def population(**options):
    return {"crossover": "none", "mutation_rate": 0.0, "fitness": "linear"} | options


def frequencies(letters):
    """(R, 4) of letters (R, n)."""
    return torch.stack([(letters == letter).double().mean(1) for letter in range(4)], 1)


def chain(transitions=1.0, rates=None):
    """Chances (4, 4) of one mutation, by loops: in proportion to rates, those of the fastest letter adding up to 1."""
    rate = np.zeros((4, 4))
    for a, before in enumerate(DNA):
        for b, after in enumerate(DNA):
            usual = transitions if before + after in ("AG", "GA", "CT", "TC") else 1.0
            rate[a, b] = 0.0 if a == b else (rates or {}).get(f"{before}>{after}", usual)
    rate /= rate.sum(1).max()
    return rate + np.diag(1 - rate.sum(1))


def at_rest(matrix):
    """The stationary frequencies of a chain."""
    return np.linalg.matrix_power(matrix, 4096)[0]


@pytest.mark.verify
def test_a_neutral_letter_fixes_with_the_chance_of_its_frequency():
    """10 individuals; after 200 generations (1 - 1/N)^200 = 7e-10 of the heterozygosity is left."""
    counts = (1, 2, 3, 4)
    share = frequencies(evolve("wright_fisher", site(*counts), 4000, 200, **population(population=10)))
    assert (share.amax(1) == 1).all()
    for letter, mutant in enumerate((0.25, 0.25, 0.4, 0.25)):
        law, where = (
            "fixation of a neutral letter, its frequency",
            f"{DNA[letter]} of 4 letters, N = 10",
        )
        told_mean(4, law, where, counts[letter] / 10, share[:, letter], mutant=mutant)


@each(("kind", "settings"), [("wright_fisher", population), ("ga", drifting)], ids=["WF", "GA"])
def test_drift_takes_the_heterozygosity_of_four_letters(kind, settings):
    n, t = 20, 15
    share = frequencies(evolve(kind, site(8, 6, 4, 2), 4000, t, **settings(population=n)))
    start = 1 - (0.4**2 + 0.3**2 + 0.2**2 + 0.1**2)
    told_mean(
        1,
        "heterozygosity under drift, H0 (1 - 1/N)^t",
        f"4 letters, N = {n}, t = {t}" + ", ga" * (kind == "ga"),
        start * heterozygosity_kept(n, t),
        1 - share.square().sum(1),
        mutant=start * heterozygosity_kept(2 * n, t),
    )


@pytest.mark.verify
@each("spectrum", [KIMURA, BIASED], ids=["Kimura", "biased"])
def test_mutation_alone_comes_to_rest_at_its_spectrum(spectrum):
    """Uniform under Kimura's, which is symmetric; else as by the powers of the matrix."""
    options = population(population=1, mutation_rate=0.8, spectrum=Spectrum(**spectrum))
    found = evolve("wright_fisher", site(1, 0, 0, 0), 12_000, 40, **options)
    law, name = at_rest(chain(**spectrum)), "Kimura" if spectrum == KIMURA else "biased"
    wrong = at_rest(chain(**(BIASED if spectrum == KIMURA else KIMURA)))
    if spectrum == KIMURA:
        assert law == pytest.approx(0.25)
    for letter in range(4):
        told_mean(
            25,
            "mutation at rest, pi = pi P",
            f"{DNA[letter]}, {name}",
            law[letter],
            (found[:, 0] == letter).double(),
            mutant=wrong[letter],
        )


@pytest.mark.verify
def test_a_letter_with_an_advantage_fixes_as_by_the_matrix():
    """One G, 1 + s, among A, C and T, 1 each: a rival of one copy. Kimura's probability is near."""
    n, s = 20, 0.1
    options = population(population=n)
    letters = evolve("wright_fisher", site(8, 6, 1, 5), 12_000, 400, loss=(0, 0, -s, 0), **options)
    fixed = (frequencies(letters)[:, 2] == 1).double()
    truth = exact.fixation(exact.haploid(n, 1 + s))[1]
    assert truth == pytest.approx(kimura(n, s), rel=0.05)
    mutant = exact.fixation(exact.haploid(n, 1.0))[1]
    told_mean(
        4, "fixation of one copy", f"G among 4 letters, N = {n}, s = {s}", truth, fixed, mutant=mutant
    )


@pytest.mark.verify
@each("spectrum", [{}, KIMURA], ids=["uniform", "Kimura"])
def test_letters_are_visited_in_proportion_to_fitness_to_the_power(spectrum):
    """Origin and fixation: w^nu, nu = 2 (N - 1), where mutation is symmetric (Sella and Hirsh 2005)."""
    n, w = 6, np.array([1.0, 1.1, 0.9, 1.2])
    options = {"population": n, "spectrum": Spectrum(**spectrum)}
    found = evolve("sswm", site(1, 0, 0, 0), 10_000, 120, loss=tuple(-np.log(w)), **options)
    odds, wrong = w ** (2 * (n - 1)), w ** (n - 1)
    for letter in range(4):
        told_mean(
            25,
            "letters in proportion to w^nu, nu = 2 (N - 1)",
            f"{DNA[letter]}, {'Kimura' if spectrum else 'uniform'}, N = {n}",
            odds[letter] / odds.sum(),
            (found[:, 0] == letter).double(),
            mutant=wrong[letter] / wrong.sum(),
        )


# two letters, that mutate at different rates ----------------------------------------------------------------

BIASED_BITS = Spectrum(rates={"1>0": 0.25})
NAMED_BITS = Spectrum(rates={"G>A": 0.25})
ALONE = {"population": 1, "mutation_rate": 0.8}
MUTATING = {
    "wright_fisher": population(**ALONE),
    "ga": drifting(**ALONE),
    "steady_state_ga": {**ALONE, "crossover": "none", "replacement": "random"},
    "one_plus_one_ea": {"mutation_rate": 0.8},
}


@pytest.mark.verify
@each("named", [False, True], ids=["0 and 1", "A and G"])
@each("kind", MUTATING)
def test_two_letters_come_to_rest_in_proportion_to_their_rates(kind, named):
    """Mutation alone, u = 0.8 of 0 and v = 0.2 of 1: a share u / (u + v) of 1."""
    domain = Bits((("A", "G"),)) if named else Bits()
    spectrum = NAMED_BITS if named else BIASED_BITS
    options = MUTATING[kind] | {"spectrum": spectrum, "domain": domain}
    found = evolve(kind, site(1, 0, 0, 0), 12_000, 40, **options)
    told_mean(
        8,
        "two letters at rest, u / (u + v)",
        f"{kind}, {'A and G' if named else 'bits'}",
        0.8,
        (found[:, 0] == 1).double(),
        mutant=0.5,
    )


@pytest.mark.verify
def test_biased_mutation_weighs_against_selection():
    """Origin and fixation: odds u / v times w^nu, nu = 2 (N - 1)."""
    n, w = 5, 0.85
    loss, options = (0.0, -np.log(w), 0.0, 0.0), {"population": n, "spectrum": BIASED_BITS}
    found = evolve("sswm", site(1, 0, 0, 0), 10_000, 120, loss=loss, domain=Bits(), **options)
    odds, wrong = 4 * w ** (2 * (n - 1)), w ** (2 * (n - 1))
    told_mean(
        1,
        "odds u / v w^nu of two letters",
        f"sswm, N = {n}, w = {w}",
        odds / (1 + odds),
        (found[:, 0] == 1).double(),
        mutant=wrong / (1 + wrong),
    )


@each("kind", ["ga", "island_ga", "steady_state_ga", "one_plus_one_ea", "rls", "wright_fisher", "sswm"])
def test_bits_that_mutate_alike_are_flipped_bit_for_bit(kind):
    """As letters with a table and as bits without, the same draws lead to the same points."""
    size = {} if kind in ("one_plus_one_ea", "rls", "sswm") else {"population": 8}
    start = site(4, 4, 0, 0)
    options = size | ({} if kind in ("rls", "sswm") else {"mutation_rate": 0.3})
    loss = (0.3, 0.0, 0.0, 0.0)
    bits = evolve(kind, start, 50, 12, loss, domain=Bits(), **options)
    letters = evolve(kind, start, 50, 12, loss, domain=Letters((("A", "G"),)), **options)
    assert torch.equal(bits, letters)
