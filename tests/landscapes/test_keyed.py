"""Tables that are never stored, and the draws of other libraries.

Addresses, laws, one definition on every device.
"""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from landscapes.keyed import bit_words
from landscapes.streams import SOURCES, Streams
from landscapes.streams_torch import packed
from tests.references import random_tables as reference
from tests.support.each import each
from tests.support.elsewhere import DEVICES, Elsewhere

LIMIT = 2**32
LAWS = ("uniform", "normal")
laws = each("law", LAWS)
widths = each("width", [1, 3])


def make(worlds=range(6), **options):
    return Streams(seed=7, worlds=torch.tensor(list(worlds)), **options)


def words(rows, points, width):
    """Words that use all 32 bits, the ends included."""
    drawn = make(range(rows)).integers("data", LIMIT, (points, width))
    drawn[..., 0, 0], drawn[..., -1, -1] = 0, LIMIT - 1
    return drawn


def grid(count, width=1):
    """The numbers 0 .. count - 1 as words, as a landscape asks for neighbouring genotypes.

    (1, count, width).
    """
    return torch.nn.functional.pad(torch.arange(count)[:, None], (width - 1, 0))[None]


@laws
@each(("width", "rows"), [(1, 6), (3, 1)])
def test_every_device_has_the_same_entries(law, width, rows):
    asked = words(rows, 33, width)
    here = getattr(make().keyed("instance"), law)(asked)
    assert here.shape == (6, 33)
    assert here.dtype == torch.float64
    for device in DEVICES:
        with Elsewhere(device) as elsewhere:
            assert torch.equal(here, getattr(make().keyed("instance"), law)(asked))
        assert elsewhere.called


@laws
@each("width", [1, 2, 4])
def test_values_against_plain_python(law, width):
    s = make((4, 2)).at(9).redraw("drift", torch.tensor([0, 3]))
    asked = words(2, 7, width)
    drawn = getattr(s.keyed("drift", part=5), law)(asked)
    function = {"uniform": reference.hashed_uniform, "normal": reference.hashed_normal}[law]
    number = SOURCES.index("drift") << 16 | 5
    naive = [
        [function((7, w, 9, number, again), point) for point in row]
        for w, again, row in zip((4, 2), (0, 3), asked.tolist(), strict=True)
    ]
    np.testing.assert_allclose(drawn, naive, rtol=0 if law == "uniform" else 1e-13)


class TestAddresses:
    @laws
    @widths
    def test_a_world_alone_equals_its_row(self, law, width):
        asked = words(8, 9, width)
        batch = getattr(make(range(8)).keyed("instance"), law)(asked)
        alone = getattr(make((5, 2)).keyed("instance"), law)(asked[[5, 2]])
        assert torch.equal(alone, batch[[5, 2]])
        shared = getattr(make(range(8)).keyed("instance"), law)(asked[3:4])
        assert torch.equal(shared[3], batch[3]), "words of one row are asked of every world"

    @laws
    @widths
    def test_a_value_depends_on_its_words_alone(self, law, width):
        asked = words(6, 40, width)
        table = getattr(make().keyed("instance"), law)
        whole, order = table(asked), torch.arange(39, -1, -1)
        assert torch.equal(table(asked[:, order]), whole[:, order])
        assert torch.equal(table(asked[:, 7:8]), whole[:, 7:8])
        assert torch.equal(table(asked.mT.contiguous().mT), whole), "whatever the layout"

    @laws
    @widths
    def test_every_word_of_the_address_matters(self, law, width):
        asked = words(6, 5, width)
        tables = [
            make().keyed("instance"),
            make(range(6, 12)).keyed("instance"),
            Streams(seed=8, worlds=torch.arange(6)).keyed("instance"),
            make().at(1).keyed("instance"),
            make().keyed("drift"),
            make().keyed("instance", part=1),
            make().redraw("instance", 1).keyed("instance"),
        ]
        values = [getattr(table, law)(asked) for table in tables]
        assert all((a != b).all() for i, a in enumerate(values) for b in values[:i])

    @laws
    @widths
    def test_every_bit_of_every_word_matters(self, law, width):
        asked = words(6, 3, width)
        table = getattr(make().keyed("instance"), law)
        original = table(asked)
        for place in range(width):
            for bit in (0, 1, 15, 31):
                flipped = asked.clone()
                flipped[..., place] ^= 1 << bit
                assert (table(flipped) != original).all()


def test_sequences_in_another_order_are_other_entries():
    table = make().keyed("instance")
    assert (table.uniform(torch.tensor([[[1, 2]]])) != table.uniform(torch.tensor([[[2, 1]]]))).all()


def test_a_table_has_the_address_of_a_draw():
    s = make()
    s.keyed("instance")
    with pytest.raises(
        ValueError, match="'instance' was already drawn at this step; name another part"
    ):
        s.uniform("instance", (2,))
    with pytest.raises(ValueError, match="unknown source 'instanse'; did you mean 'instance'"):
        make().keyed("instanse")


@each("n", [1, 8, 31, 32, 33, 64, 70])
def test_bit_words_are_the_bits_the_first_the_lowest(n):
    x = make().coins("init", (5, n)).to(torch.uint8)
    found = bit_words(x)
    assert found.shape == (6, 5, -(-n // 32))
    assert found.dtype == torch.int64
    assert torch.equal(packed(x), found)
    assert found.tolist() == [[reference.words_of(genotype) for genotype in row] for row in x.tolist()]
    assert bit_words(torch.ones((1, 1, 64), dtype=torch.uint8)).tolist() == [[[LIMIT - 1, LIMIT - 1]]]


# laws: fixed seed, fixed size, 4.5 standard errors ----------------------------------------------------------

P = math.erfc(4.5 / math.sqrt(2))


@pytest.mark.verify
class TestLaws:
    @each("width", [1, 2, 4])
    def test_uniform(self, width):
        u = make(range(50)).keyed("instance").uniform(grid(4000, width)).numpy()
        assert u.min() >= 0
        assert u.max() < 1
        assert stats.kstest(u.ravel(), "uniform").pvalue > P
        assert stats.kstest(u.ravel() ** 1.02, "uniform").pvalue < P
        assert (
            stats.kstest(u.mean(1) * math.sqrt(12 * 4000) - math.sqrt(3 * 4000), "norm").pvalue > P
        ), "the means of worlds vary as they should"
        assert stats.kstest(u.mean(0) * math.sqrt(12 * 50) - math.sqrt(3 * 50), "norm").pvalue > P, (
            "and those of entries"
        )

    @each("width", [1, 2, 4])
    def test_normal(self, width):
        z = make(range(50)).keyed("instance").normal(grid(4000, width)).numpy()
        assert stats.kstest(z.ravel(), "norm").pvalue > P
        assert stats.kstest(1.05 * z.ravel(), "norm").pvalue < P
        assert stats.kstest(z.mean(1) * math.sqrt(4000), "norm").pvalue > P
        assert stats.kstest((z**2).sum(1), "chi2", args=(4000,)).pvalue > P

    @each("width", [1, 2, 4])
    def test_neighbours_worlds_and_parts_are_uncorrelated(self, width):
        table, asked = make(range(50)).keyed("instance"), grid(4096, width)
        z = table.normal(asked)
        others = {
            "one bit flipped": table.normal(torch.cat((asked[..., :-1], asked[..., -1:] ^ 1), -1)),
            "the highest bit flipped": table.normal(
                torch.cat((asked[..., :-1], asked[..., -1:] ^ 1 << 31), -1)
            ),
            "the next world": make(range(1, 51)).keyed("instance").normal(asked),
            "another part": make(range(50)).keyed("instance", part=1).normal(asked),
            "the next step": make(range(50)).at(1).keyed("instance").normal(asked),
            "the next seed": Streams(seed=8, worlds=torch.arange(50)).keyed("instance").normal(asked),
            "a redraw": make(range(50)).redraw("instance", 1).keyed("instance").normal(asked),
        }
        for name, other in others.items():
            for power in (1, 2):
                product = (z**power * other**power).numpy()
                if name == "one bit flipped":
                    product = product[:, ::2]  # the pairs come twice
                assert uncorrelated(product, power), (name, power)
        assert not uncorrelated((z * (0.02 * z + others["a redraw"])).numpy(), 1), "the check can fail"


def uncorrelated(product, power):
    """Whether products of standard normals, or of their squares, have the mean of independent ones."""
    sd = 1 if power == 1 else math.sqrt(8)
    return abs(product.mean() - (power - 1)) < 4.5 * sd / math.sqrt(product.size)


# other libraries' generators --------------------------------------------------------------------------------


def foreign_normals():
    return torch.nn.init.normal_(torch.empty(3, 5))


def test_foreign_draws_leave_the_global_generator_untouched():
    before = torch.random.get_rng_state()
    drawn = make().foreign("library", 4, foreign_normals)
    assert drawn.shape == (6, 4, 3, 5)
    assert torch.equal(torch.random.get_rng_state(), before)
    with pytest.raises(RuntimeError, match="midway"):
        make().foreign("library", 1, lambda: failing(foreign_normals()))
    assert torch.equal(torch.random.get_rng_state(), before)


def failing(drawn):
    raise RuntimeError(f"midway, after {drawn.numel()} draws")


def test_foreign_draws_are_addressed():
    drawn = make().foreign("library", 3, foreign_normals)
    assert torch.equal(make((4, 1)).foreign("library", 3, foreign_normals), drawn[[4, 1]])
    assert torch.equal(make().foreign("library", 2, foreign_normals), drawn[:, :2]), (
        "more points keep the earlier ones"
    )
    foreign_normals()
    assert torch.equal(make().foreign("library", 3, foreign_normals), drawn), (
        "whatever the global generator did"
    )
    for other in (make().at(1), make().redraw("library", 1), Streams(seed=8, worlds=torch.arange(6))):
        assert (other.foreign("library", 3, foreign_normals) != drawn).all()
    assert (make().foreign("library", 3, foreign_normals, part=1) != drawn).all()
    assert drawn.flatten(0, 1).unique(dim=0).shape[0] == 18, (
        "every world and point has draws of its own"
    )


def test_foreign_draws_have_the_law_of_the_library():
    drawn = make(range(200)).foreign("library", 5, foreign_normals).double().numpy()
    assert stats.kstest(drawn.ravel(), "norm").pvalue > P
    assert stats.kstest(1.1 * drawn.ravel(), "norm").pvalue < P
    assert uncorrelated(drawn[:, 1:] * drawn[:, :-1], 1)
    assert uncorrelated(drawn[1:] * drawn[:-1], 1)
