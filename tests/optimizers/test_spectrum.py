"""To which letter one mutates: chances by hand, and what is said of wrong spectra."""

import pytest
import torch

from landscapes.base import Bits, Letters, Problem, Reals
from landscapes.streams import Streams
from optimizers import OPTIMIZERS, operators
from optimizers.spectrum import FINE, Spectrum
from tests.support.each import each

DNA = Letters((tuple("ACGT"), tuple("GAT")))


def chances(spectrum, domain=DNA):
    """The chance from each letter to each, (D, A, A)."""
    ends = spectrum.changes(domain).double() / FINE
    return ends.diff(dim=-1, prepend=torch.zeros_like(ends[..., :1]))


UNIFORM = [
    [0, 1 / 3, 1 / 3, 1 / 3],
    [1 / 3, 0, 1 / 3, 1 / 3],
    [1 / 3, 1 / 3, 0, 1 / 3],
    [1 / 3, 1 / 3, 1 / 3, 0],
]
KIMURA = [[0, 0.25, 0.5, 0.25], [0.25, 0, 0.25, 0.5], [0.5, 0.25, 0, 0.25], [0.25, 0.5, 0.25, 0]]


@each(("spectrum", "site"), [(Spectrum(), UNIFORM), (Spectrum(transitions=2.0), KIMURA)])
def test_chances_of_all_four_letters_of_dna(spectrum, site):
    torch.testing.assert_close(chances(spectrum)[0], torch.tensor(site, dtype=torch.float64))


def test_a_letter_that_mutates_less_stays():
    """Of G, A, T with kappa = 2: G and A have 2 + 1, T has 1 + 1 of these 3."""
    found = chances(Spectrum(transitions=2.0))[1, :3, :3]
    expected = torch.tensor([[0, 2, 1], [2, 0, 1], [1, 1, 1]], dtype=torch.float64) / 3
    torch.testing.assert_close(found, expected)
    biased = chances(Spectrum(transitions=2.0, rates={"G>A": 9.0}))[1, :3, :3]
    expected = torch.tensor([[0, 9, 1], [2, 7, 1], [1, 1, 8]], dtype=torch.float64) / 10
    torch.testing.assert_close(biased, expected)


def test_mutation_leads_where_the_table_says():
    """Of 60,000 letters each: at rate u each is changed with chance u; within 4.5 standard errors."""
    streams = Streams(seed=8, worlds=torch.arange(60))
    spectrum, rate = Spectrum(transitions=2.0, rates={"G>A": 9.0}), 0.3
    table = operators.changes(Problem(2, DNA, True, None), spectrum, streams)
    law = rate * chances(spectrum) + (1 - rate) * torch.eye(4, dtype=torch.float64)
    for letter in range(3):
        points = torch.full((60, 1000, 2), letter, dtype=torch.uint8)
        after = operators.mutate_letters(points, streams.at(1), rate, table)
        for site, size in enumerate(DNA.sizes):
            found = torch.bincount(after[..., site].flatten().long(), minlength=4) / 60_000
            error = (law[site, letter] * (1 - law[site, letter]) / 60_000).sqrt().clamp_min(1e-9)
            assert ((found - law[site, letter]).abs() / error)[:size].max() < 4.5
            assert found[size:].sum() == 0
        once = operators.one_letter(points, streams.at(2), table)
        assert ((once != points).sum(-1) <= 1).all()


def test_neighbours_are_all_that_differ_in_one_letter():
    shifts = operators.neighbours(torch.tensor([4, 2, 3]))
    found = {tuple(x) for x in ((torch.tensor([3, 1, 2]) + shifts) % torch.tensor([4, 2, 3])).tolist()}
    expected = {(0, 1, 2), (1, 1, 2), (2, 1, 2), (3, 0, 2), (3, 1, 0), (3, 1, 1)}
    assert found == expected
    assert len(shifts) == 6


@each(
    ("domain", "options", "message"),
    [
        (Reals(), {"transitions": 2.0}, "expected no spectrum but on bits or letters; leave it out"),
        (Bits(), {"transitions": 2.0}, "expected no transitions where a site has two letters"),
        (Bits(), {"rates": {"A>G": 2.0}}, "expected changes between letters of one site, got 'A>G'"),
        (Bits((("A", "G"),) * 2), {"rates": {"0>1": 2.0}}, "expected changes between .* got '0>1'"),
        (
            Letters((tuple("AKV"),)),
            {"transitions": 2.0},
            "expected letters of DNA for transitions, got K, V",
        ),
        (DNA, {"rates": {"A>K": 2.0}}, "expected changes between letters of one site, got 'A>K'"),
        (
            Letters((tuple("ACG"),)),
            {"rates": {f"{a}>{b}": 0.0 for a in "ACG" for b in "ACG" if a != b}},
            "expected a letter that mutates at each site",
        ),
    ],
)
@each("kind", ["wright_fisher", "sswm", "ga", "island_ga", "steady_state_ga", "one_plus_one_ea"])
def test_a_spectrum_that_does_not_fit_is_one_line(kind, domain, options, message):
    method = OPTIMIZERS[kind](spectrum=Spectrum(**options))
    with pytest.raises(ValueError, match=f"{kind}.spectrum: {message}"):
        method.check_problem(Problem(2, domain, True, None))


@each("rates", [{"AG": 1.0}, {"A>A": 1.0}, {"A>G": -1.0}, {"A>G": float("inf")}])
def test_rates_are_of_changes(rates):
    with pytest.raises(ValueError, match=r"spectrum.rates"):
        Spectrum(rates=rates)
