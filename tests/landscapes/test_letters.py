"""Measured tables with more than two letters at a site: reading, numbering, what is said of wrong ones."""

import itertools

import pytest
import torch

from landscapes.base import Bits, Letters
from landscapes.binary.empirical import Empirical
from landscapes.binary.genotypes import letter_number, letters
from landscapes.streams import Streams
from landscapes.wrappers.moving import Moving
from landscapes.wrappers.relaxation import Relaxation
from tests.support.each import each

SITES = ["GAC", "TC", "AGTC"]  # in the order in which they appear, the wild type's first
TRUE = {cells: 1 + 0.37 * place % 1 for place, cells in enumerate(itertools.product(*SITES))}


def texts(cells):
    return "".join(cells)


def mutations(cells):
    """As lists, of sites 7, 12 and 40."""
    changed = [
        f"{site[0]}{position}{cell}"
        for site, position, cell in zip(SITES, (7, 12, 40), cells, strict=True)
        if cell != site[0]
    ]
    return ":".join(changed) or "WT"


def file(folder, written, rows=None, header="genotype,fitness"):
    path = folder / "letters.csv"
    lines = [f"{written(cells)},{value!r}" for cells, value in (rows or TRUE).items()]
    path.write_text("\n".join([header, *lines]) + "\n")
    return str(path)


def streams(worlds=(0, 4)):
    return Streams(seed=2, worlds=torch.tensor(worlds))


def seen(bound):
    """Genotype -> fitness, by what the landscape answers of every one; fitness 0 is not there."""
    sites = bound.measured.sites
    x = torch.tensor(
        [[site.index(c) for site, c in zip(sites, cells, strict=True)] for cells in TRUE],
        dtype=torch.uint8,
    )
    loss = bound.loss(x.expand(2, -1, -1))[1]
    return dict(zip(TRUE, (bound.law.best - loss).tolist(), strict=True))


@each(
    ("written", "options"),
    [
        (texts, {}),
        (mutations, {}),
        (
            lambda cells: ",".join(cells),
            {"genotype": ["a", "b", "c"], "header": "a,b,c,fitness"},
        ),
    ],
)
def test_every_genotype_has_its_value(written, options, tmp_path):
    header = options.pop("header", "genotype,fitness")
    table = Empirical(file=file(tmp_path, written, header=header), **options)
    assert table.domain == Letters(tuple(map(tuple, SITES)))
    assert (table.dim, table.extension_cost, table.sloped) == (3, None, False)
    bound = table.bind(streams())
    assert seen(bound) == pytest.approx(TRUE, rel=1e-12)
    best = max(TRUE, key=TRUE.get)
    assert bound.optimum[0].tolist() == [s.index(c) for s, c in zip(SITES, best, strict=True)]
    assert bound.measures(bound.optimum)["measured"].tolist() == pytest.approx([TRUE[best]] * 2)


def test_letters_are_numbered_from_the_wild_type_on(tmp_path):
    """The others keep the order in which they appear."""
    table = Empirical(file=file(tmp_path, texts), wild_type="CCT")
    assert table.domain.sites == (tuple("CGA"), tuple("CT"), tuple("TAGC"))
    assert seen(table.bind(streams())) == pytest.approx(TRUE, rel=1e-12)


def test_a_table_of_two_letters_is_one_of_bits(tmp_path):
    two = {cells: value for cells, value in TRUE.items() if {cells[0], cells[2]} <= {*"GA"}}
    assert Empirical(file=file(tmp_path, texts, two)).domain == Bits((
        ("G", "A"),
        ("T", "C"),
        ("A", "G"),
    ))


def test_numbers_and_genotypes_are_each_other():
    sizes = (3, 2, 4)
    rows = [x[::-1] for x in itertools.product(range(4), range(2), range(3))]  # the first fastest
    genotypes = letters(torch.arange(24), sizes)
    assert genotypes.tolist() == [list(row) for row in rows]
    assert torch.equal(letter_number(genotypes, sizes), torch.arange(24))


def test_an_additive_table_is_filled_in_exactly(tmp_path):
    """One effect for each letter but the wild type's: 6 and b_0 of two thirds of the genotypes."""
    effect = [{"G": 0.0, "A": 0.3, "C": -0.2}, {"T": 0.0, "C": 0.5}, {"A": 0, "G": 1, "T": 2, "C": 4}]
    whole = {c: 2 + sum(e[x] for e, x in zip(effect, c, strict=True)) for c in TRUE}
    rows = {c: value for place, (c, value) in enumerate(whole.items()) if place % 3 != 1}
    path = file(tmp_path, texts, rows)
    table = Empirical(file=path, missing="additive", wild_type="GTA")
    assert seen(table.bind(streams())) == pytest.approx(whole, abs=1e-9)
    lethal = Empirical(file=path, missing="lethal", wild_type="GTA").bind(streams())
    assert seen(lethal) == pytest.approx({c: rows.get(c, 0.0) for c in whole})


def test_what_a_table_of_letters_cannot_be(tmp_path):
    fewer = dict(itertools.islice(TRUE.items(), 23))
    told = r"expected all 24 genotypes \(3 x 2 x 4 letters\), 1 missing: CCC; missing: lethal"
    with pytest.raises(ValueError, match=told):
        Empirical(file=file(tmp_path, texts, fewer))
    long = {("ACGT"[i % 4] + "ACGT"[(i + 1) % 4]) * 6: 1.0 for i in range(4)}
    with pytest.raises(ValueError, match="expected at most 1048576 genotypes, got 4 x .*, 16777216"):
        Empirical(file=file(tmp_path, texts, long), missing="lethal")


def test_points_are_numbers_of_letters(tmp_path):
    bound = Empirical(file=file(tmp_path, texts)).bind(streams())
    with pytest.raises(ValueError, match=r"expected letters from 0 to below \(3, 2, 4\), got 2"):
        bound.loss(torch.tensor([[[0, 2, 0]]] * 2, dtype=torch.uint8))


@each("wrap", [lambda inner: Moving(inner=inner), lambda inner: Relaxation(inner=inner)])
def test_wrappers_of_bits_and_reals_are_none_of_letters(wrap, tmp_path):
    with pytest.raises(ValueError, match=r"(moving|relaxation)\.inner: expected a landscape on"):
        wrap(Empirical(file=file(tmp_path, texts)))
