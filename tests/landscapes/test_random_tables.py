"""House of Cards and Rough Mount Fuji beside naive loops, and what they share.

The laws, the best genotype, the extension.
"""

import itertools

import numpy as np
import pytest
import torch

from landscapes.base import Terms
from landscapes.binary.genotypes import ENUMERATED, best_genotype, bits, fold
from landscapes.binary.house_of_cards import HouseOfCards
from landscapes.binary.mount_fuji import RoughMountFuji
from landscapes.binary.random_tables import RandomTable, draw_table
from landscapes.streams import Streams
from tests.references import random_tables as reference
from tests.support.each import each

LAWS = ("uniform", "normal", "exponential", "gumbel")
WORLDS = torch.tensor([3, 0, 9])
SEED = 11
SMALL = {
    "cards": HouseOfCards(n=6, law="normal"),
    "cards-1": HouseOfCards(n=1),
    "fuji": RoughMountFuji(n=7, slope=0.5, slope_spread=1.0),
    "fuji-ones": RoughMountFuji(n=4, reference="ones", law="exponential", noise_scale=0.3),
    "fuji-smooth": RoughMountFuji(n=5, noise_scale=0.0),
}
small = each("landscape", SMALL.values(), ids=SMALL)


def streams(worlds=WORLDS, dtype=torch.float64):
    return Streams(seed=SEED, worlds=torch.as_tensor(worlds), dtype=dtype)


def address(world):
    return (SEED, int(world), 0, 0, 0)


def all_genotypes(n, worlds):
    return torch.tensor(list(itertools.product((0, 1), repeat=n)), dtype=torch.uint8).expand(
        worlds, -1, -1
    )


@each("law", LAWS)
@each("n", [1, 31, 32, 33, 64, 65, 200])
def test_a_table_is_the_hash_of_its_bits(law, n):
    x = streams().bernoulli("init", 0.5, (5, n)).to(torch.uint8)
    values = draw_table(streams(), law)(x)
    naive = [
        [reference.table_value(address(w), g, law) for g in row]
        for w, row in zip(WORLDS, x.tolist(), strict=True)
    ]
    np.testing.assert_allclose(values, naive, rtol=1e-13)
    other = x.clone()
    other[..., -1] ^= 1
    assert (draw_table(streams(), law)(other) != values).all(), "every bit is hashed"


@pytest.mark.parametrize(("n", "law"), [(200, "gumbel"), (7, "uniform")])
def test_a_value_does_not_depend_on_what_was_asked_before(n, law):
    x = streams().bernoulli("init", 0.5, (64, n)).to(torch.uint8)
    landscape = HouseOfCards(n=n, law=law).bind(streams())
    whole = landscape.loss(x)
    order = torch.arange(63, -1, -1)
    assert torch.equal(landscape.loss(x[:, order]), whole[:, order])
    assert torch.equal(HouseOfCards(n=n, law=law).bind(streams()).loss(x[:, 5:9]), whole[:, 5:9])


class Certain:
    """A hash that always gives the same uniform."""

    def __init__(self, value):
        self.value = value

    def uniform(self, words):
        return torch.full(words.shape[:2], self.value, dtype=torch.float64)


@each("law", ["exponential", "gumbel"])
@each("uniform", [0.0, 2.0**-53, 0.5, 1 - 2.0**-53])
@each("dtype", [torch.float64, torch.float32], ids=str)
def test_values_are_finite_at_both_ends_of_the_uniforms(law, uniform, dtype):
    value = RandomTable(Certain(uniform), law, dtype)(torch.zeros((1, 1, 3), dtype=torch.uint8))
    assert value.dtype == dtype
    assert value.isfinite().all()
    assert value.abs() < 38


@small
def test_loss_optimum_and_extension_against_loops(landscape):
    bound, n = landscape.bind(streams()), landscape.n
    x, p = all_genotypes(n, 3), streams().uniform("init", (2, n))
    loss, extension = bound.loss(x), bound.extension(p)
    for r, world in enumerate(WORLDS):
        fuji = isinstance(landscape, RoughMountFuji)
        target, effects = (
            (bound.gap.fitness.reference[r].tolist(), bound.gap.fitness.effects[r].tolist())
            if fuji
            else ([0] * n, [0] * n)
        )
        scale = landscape.noise_scale if fuji else 1

        def fitness(g, world=world, target=target, effects=effects, scale=scale):
            return reference.rough_slope(
                g, target, effects, scale * reference.table_value(address(world), g, landscape.law)
            )

        best = max(fitness(g) for g in itertools.product((0, 1), repeat=n))
        np.testing.assert_allclose(loss[r], [best - fitness(g) for g in x[r].tolist()], atol=1e-12)
        np.testing.assert_allclose(
            extension[r],
            [best - reference.mean_over_genotypes(fitness, q) for q in p[r].tolist()],
            atol=1e-12,
        )
    assert torch.equal(bound.loss(bound.optimum[:, None]), torch.zeros((3, 1), dtype=torch.float64))
    assert loss.amin(1).abs().max() == 0


@small
def test_the_extension_at_a_vertex_is_the_loss_and_its_slope_the_difference(landscape):
    bound, n = landscape.bind(streams()), landscape.n
    x = all_genotypes(n, 3)
    torch.testing.assert_close(bound.extension(x.double()), bound.loss(x), rtol=0, atol=1e-13)
    p = streams().uniform("init", (2, n)).requires_grad_()
    (slope,) = torch.autograd.grad(bound.extension(p).sum(), p)
    for i in range(n):  # it is linear in every coordinate
        high, low = p.detach().clone(), p.detach().clone()
        high[..., i], low[..., i] = 1, 0
        torch.testing.assert_close(
            slope[..., i], bound.extension(high) - bound.extension(low), rtol=0, atol=1e-12
        )
    (corner,) = torch.autograd.grad(bound.extension(q := x.double().requires_grad_()).sum(), q)
    assert corner.isfinite().all()


def test_a_mini_batch_of_one_term_is_weighted():
    bound = SMALL["fuji"].bind(streams())
    x, weight = all_genotypes(7, 3)[:, :5], torch.tensor([[[0.5, 0.25]]]).double().expand(3, 1, 2)
    terms = Terms(torch.zeros((3, 1, 2), dtype=torch.int64), weight)
    torch.testing.assert_close(bound.loss(x, terms), 0.75 * bound.loss(x))
    torch.testing.assert_close(bound.extension(x.double(), terms), 0.75 * bound.loss(x))


@each("n", [1, 2, 5, 10])
def test_fold_is_the_mean_over_independent_loci(n):
    table, p = streams().normal("init", (2**n,)), streams().uniform("data", (3, n))
    folded = fold(table, p)
    for r, point in itertools.product(range(3), range(3)):
        naive = reference.mean_over_genotypes(
            lambda g, r=r: float(table[r, sum(b << i for i, b in enumerate(g))]), p[r, point].tolist()
        )
        assert float(folded[r, point]) == pytest.approx(naive, abs=1e-12)


@pytest.mark.parametrize("n", [3, 11, 14])
def test_the_best_genotype_is_found_in_any_chunk(n, monkeypatch):
    monkeypatch.setattr("landscapes.binary.genotypes._CHUNK", 64)
    place = torch.arange(n, dtype=torch.int64)
    for wanted in (0, 1, 2**n // 2 + 1, 2**n - 1):
        found = best_genotype(
            lambda x, wanted=wanted: (
                -((x.long() << place).sum(-1) - wanted).abs().double().expand(2, -1)
            ),
            n,
        )
        assert torch.equal(found, bits(torch.tensor([wanted, wanted]), n))
    assert not best_genotype(lambda x: torch.zeros((2, x.shape[1])), n).any(), "the first of many"


def test_the_reference_genotype_and_the_effects_have_their_laws():
    fitness = RoughMountFuji(n=20, slope=0.7, slope_spread=2.0).bind(streams([1, 2])).gap.fitness
    assert set(fitness.reference.unique().tolist()) == {0, 1}
    many = (
        RoughMountFuji(n=50, slope=0.7, slope_spread=2.0).bind(streams(torch.arange(400))).gap.fitness
    )
    count = many.effects.numel()
    assert abs(float(many.effects.mean()) - 0.7) < 4.5 * 2 / count**0.5
    assert abs(float(many.effects.std()) - 2.0) < 4.5 * 2 / (2 * count) ** 0.5
    assert abs(float(many.reference.double().mean()) - 0.5) < 4.5 * 0.5 / count**0.5
    plain = RoughMountFuji(n=50, slope=0.7, reference="ones").bind(streams()).gap.fitness
    assert (plain.effects == 0.7).all()
    assert (plain.reference == 1).all()


def test_float32_is_float64_rounded():
    for landscape in (*SMALL.values(), RoughMountFuji(n=9)):
        if getattr(landscape, "slope_spread", 0):
            continue  # normal draws of the streams differ between the two
        x, p = all_genotypes(landscape.n, 3), streams().uniform("init", (2, landscape.n))
        wide, narrow = (
            landscape.bind(streams(dtype=dtype)) for dtype in (torch.float64, torch.float32)
        )
        torch.testing.assert_close(narrow.loss(x).double(), wide.loss(x), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(
            narrow.extension(p.float()).double(), wide.extension(p), rtol=1e-5, atol=1e-5
        )


@each("n", [ENUMERATED + 1, 200])
@each(
    ("make", "least"),
    [
        (lambda n: HouseOfCards(n=n), 0),
        (lambda n: HouseOfCards(n=n, law="normal"), None),
        (lambda n: RoughMountFuji(n=n), None),
    ],
)
def test_beyond_twenty_loci_the_gap_is_unknown(make, least, n):
    landscape = make(n)
    bound = landscape.bind(streams())
    assert not landscape.gap_known
    assert bound.optimum is None
    assert landscape.extension_cost is None
    x = bound.start(streams(), 9)
    fitness = bound.gap.fitness(x)
    assert torch.equal(bound.loss(x), 1 - fitness if least == 0 else -fitness)
    with pytest.raises(
        ValueError, match=f"multilinear extension: expected at most 16 loci, .* got {n}"
    ):
        bound.extension(x.double())


@pytest.mark.parametrize(("make", "gap", "cost"), [(HouseOfCards, 20, 16), (RoughMountFuji, 20, 16)])
def test_what_is_known_at_which_size(make, gap, cost):
    assert [make(n=n).gap_known for n in (gap, gap + 1)] == [True, False]
    assert [make(n=n).extension_cost for n in (cost, cost + 1)] == [2**cost, None]
    assert make(n=cost + 1).bind(streams([1])).gap.values is None


def test_worlds_of_one_instance_are_searched_once(monkeypatch):
    rows = []
    monkeypatch.setattr(
        "landscapes.binary.random_tables.best_genotype",
        lambda fitness, n, device: (
            rows.append(len(fitness(bits(torch.arange(2), n)[None])))
            or torch.zeros((rows[-1], n), dtype=torch.uint8)
        ),
    )
    HouseOfCards(n=4).bind(streams([5, 5, 5]))
    assert rows == [1]


@each(
    ("make", "message"),
    [
        (lambda: HouseOfCards(n=0), "house_of_cards.n: expected >= 1, got 0"),
        (
            lambda: HouseOfCards(law="gauss"),
            "house_of_cards.law: expected one of uniform, normal, exponential, gumbel, got 'gauss'",
        ),
        (lambda: RoughMountFuji(n=-1), "mount_fuji.n: expected >= 1, got -1"),
        (lambda: RoughMountFuji(slope=-0.1), "mount_fuji.slope: expected >= 0, got -0.1"),
        (lambda: RoughMountFuji(slope_spread=-1.0), "mount_fuji.slope_spread: expected >= 0, got -1.0"),
        (lambda: RoughMountFuji(noise_scale=-1.0), "mount_fuji.noise_scale: expected >= 0, got -1.0"),
        (
            lambda: RoughMountFuji(law="cauchy"),
            "mount_fuji.law: expected one of uniform, normal, exponential, gumbel, got 'cauchy'",
        ),
        (
            lambda: RoughMountFuji(reference="zeros"),
            "mount_fuji.reference: expected one of random, ones, got 'zeros'",
        ),
        (
            lambda: HouseOfCards(n=3).extension(torch.zeros((1, 1, 3)).double()),
            r"house_of_cards: .* call \.bind\(streams\) first",
        ),
        (
            lambda: RoughMountFuji(n=3).extension(torch.zeros((1, 1, 2)).double()),
            r"mount_fuji: expected points of shape \(R, P, 3\), got \(1, 1, 2\)",
        ),
        (
            lambda: RoughMountFuji(n=3).loss(torch.zeros((1, 1, 3)).double()),
            "mount_fuji: expected bits as torch.uint8, got torch.float64",
        ),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
