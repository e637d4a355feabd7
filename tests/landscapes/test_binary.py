"""Landscapes on bits beside loops from the papers' definitions, their optima, extensions and bad input."""

import itertools
import math

import pytest
import torch

from landscapes.base import Terms
from landscapes.binary.genotypes import common_measure
from landscapes.binary.hidden_target import HiddenTarget
from landscapes.binary.jump import Jump
from landscapes.binary.labs import LABS, OPTIMAL_RUNS, optimal_sequence
from landscapes.binary.leading_ones import LeadingOnes
from landscapes.binary.max_sat import MaxSat
from landscapes.binary.onemax import OneMax
from landscapes.binary.products import gathered_sums
from landscapes.binary.quantitative_trait import QuantitativeTrait
from landscapes.binary.royal_road import RoyalRoad
from landscapes.binary.spin_glass import SpinGlass
from landscapes.binary.trap import Trap
from landscapes.streams import Streams
from optimizers.fitness import fitness
from tests.references import binary as reference
from tests.support.each import each

PM1, RANDOM, LATTICE, RING, FERROMAGNET = "pm1", "random", "lattice", "ring", "ferromagnet"
SMALL = {
    "onemax": OneMax(n=7, target=RANDOM),
    "leading_ones": LeadingOnes(n=8, target=RANDOM),
    "leading_ones of ones": LeadingOnes(n=3),
    "trap": Trap(n=8, block=4, target=RANDOM),
    "trap, shallow": Trap(n=9, block=3, slope=0.3, target=RANDOM),
    "trap, needle": Trap(n=6, block=6, slope=0.0),
    "royal_road R1": RoyalRoad(n=8, block=2, target=RANDOM),
    "royal_road R2": RoyalRoad(n=8, block=2, levels=3, target=RANDOM),
    "jump": Jump(n=9, width=3, target=RANDOM),
    "jump, widest": Jump(n=6, width=6, target=RANDOM),
    "jump, none": Jump(n=6, width=1),
    "labs 2": LABS(n=2),
    "labs 5": LABS(n=5),
    "labs 6": LABS(n=6),
    "labs 10": LABS(n=10),
    "SK": SpinGlass(n=9),
    "1-spin": SpinGlass(n=7, order=1),
    "3-spin": SpinGlass(n=8, order=3, couplings=PM1),
    "4-spin": SpinGlass(n=8, order=4),
    "ring": SpinGlass(n=9, graph=RING),
    "ring of signs": SpinGlass(n=8, graph=RING, couplings=PM1),
    "ferromagnet": SpinGlass(n=6, order=3, couplings=FERROMAGNET),
    "max_sat": MaxSat(n=9),
    "max_sat, wide": MaxSat(n=6, k=6, clauses=11),
    "max_sat, planted": MaxSat(n=8, k=2, ratio=3.0, planted=True),
    "max_sat, units": MaxSat(n=5, k=1),
    "trait": QuantitativeTrait(n=8, theta=0.7, width=1.5),
    "trait, equal": QuantitativeTrait(n=8, effects="equal", scale=0.4, theta=0.5),
    "trait, exponential": QuantitativeTrait(n=9, effects="exponential", theta=-1.0),
}
small = each("landscape", SMALL.values(), ids=SMALL)
WORLDS = [0, 3, 11]


def streams(worlds=WORLDS, dtype=torch.float64):
    return Streams(seed=5, worlds=torch.as_tensor(worlds), dtype=dtype)


def genotypes(n, worlds=3):
    return torch.tensor(reference.genotypes(n), dtype=torch.uint8).expand(worlds, -1, -1)


def naive(landscape, world):
    """The loss of a genotype by the definition, up to the least of it."""
    if isinstance(landscape, HiddenTarget):
        target = landscape.optimum[world].tolist()
        fitness = {
            "onemax": reference.onemax,
            "leading_ones": reference.leading_ones,
            "trap": lambda q: reference.trap(
                q, landscape.block, landscape.slope * z, landscape.slope * z + 1, z
            ),
            "royal_road": lambda q: reference.royal_road(q, schemata),
            "jump": lambda q: reference.jump(q, landscape.width),
        }[landscape.name]
        if landscape.name == "trap":
            z = landscape.block - 1
        if landscape.name == "royal_road":
            sizes = [landscape.block * 2**level for level in range(landscape.levels)]
            schemata = [
                range(first, first + size) for size in sizes for first in range(0, landscape.n, size)
            ]
        return lambda x: -fitness([int(a == b) for a, b in zip(x, target, strict=True)])
    if isinstance(landscape, LABS):
        return reference.labs_energy
    if isinstance(landscape, SpinGlass):
        sites = list(itertools.combinations(range(landscape.n), landscape.order))
        if landscape.graph == RING:
            sites = [(i, (i + 1) % landscape.n) for i in range(landscape.n)]
        if landscape.graph == LATTICE:
            sites = list(reference.lattice_bonds(landscape.side))
        couplings = list(zip(landscape.strength[world].tolist(), sites, strict=True))
        return lambda x: reference.spin_energy(x, couplings)
    if isinstance(landscape, MaxSat):
        clauses = [
            [(read % landscape.n, read // landscape.n) for read in clause]
            for clause in landscape.reads[world].tolist()
        ]
        return lambda x: reference.unsatisfied(x, clauses)
    return lambda x: reference.minus_log_fitness(
        x, landscape.sizes[world].tolist(), landscape.theta, landscape.width
    )


@small
def test_loss_and_optimum_against_loops(landscape):
    landscape = landscape.bind(streams())
    x = genotypes(landscape.n)
    loss = landscape.loss(x)
    assert landscape.gap_known
    assert torch.equal(landscape.loss(landscape.optimum[:, None]), torch.zeros(3, 1).double())
    for world in range(3):
        wanted = torch.tensor(
            [naive(landscape, world)(g) for g in x[world].tolist()], dtype=torch.float64
        )
        torch.testing.assert_close(loss[world], wanted - wanted.min(), rtol=0, atol=1e-11)


@small
def test_spacing_is_the_common_measure_of_all_losses(landscape):
    bound = landscape.bind(streams())
    loss, spacing = bound.loss(genotypes(bound.n)), landscape.spacing
    away = (loss - loss[:, :1]).unique()
    if spacing == 0:
        assert getattr(landscape, "couplings", "gaussian") == "gaussian"
        assert getattr(landscape, "effects", "normal") != "equal"
        return
    steps = away / spacing
    torch.testing.assert_close(steps, steps.round(), rtol=0, atol=1e-9)
    assert math.gcd(*map(int, steps.round().tolist())) == (
        1 if len(away) > 1 else 0
    )  # so that no larger number would do


def test_common_measure():
    assert common_measure(0.1, 0.15) == 0.05
    assert common_measure(1.0, 0.0) == 1.0
    assert common_measure(1.0, 2**0.5) == 0.0
    assert common_measure(0.0) == 0.0


@small
def test_extension_is_the_mean_over_independent_loci(landscape):
    landscape = landscape.bind(streams())
    x, p = genotypes(landscape.n), streams().uniform("init", (2, landscape.n))
    loss, extension = landscape.loss(x), landscape.extension(p)
    some = Terms(
        streams().integers("data", landscape.terms, (1, 6)), streams().uniform("data", (1, 6), part=1)
    )
    batch, batch_extension = landscape.loss(x, some), landscape.extension(p, some)
    for world, point in itertools.product(range(3), range(2)):
        chance = torch.tensor(
            [reference.probability(g, p[world, point].tolist()) for g in x[world].tolist()],
            dtype=torch.float64,
        )
        assert float(extension[world, point]) == pytest.approx(
            float(chance @ loss[world]), rel=1e-12, abs=1e-12
        )
        assert float(batch_extension[world, point]) == pytest.approx(
            float(chance @ batch[world]), rel=1e-12, abs=1e-12
        )


@small
@each("rows", [None, 1, 2])
def test_gradient_of_the_extension_against_finite_differences(landscape, rows):
    world = streams(range(1))
    landscape = landscape.bind(world)
    p = world.uniform("init", (2, landscape.n)).requires_grad_()
    terms = None
    if rows:
        terms = Terms(
            world.integers("data", landscape.terms, (rows, 4)),
            world.uniform("data", (rows, 4), part=1),
        )
    assert torch.autograd.gradcheck(lambda q: landscape.extension(q, terms), (p,), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_a_certain_locus_has_a_finite_gradient(dtype):
    """Products of chances of 0 and 1 must not be differentiated by division."""
    for landscape in SMALL.values():
        landscape = landscape.bind(streams(dtype=dtype))
        p = genotypes(landscape.n).to(dtype).requires_grad_()
        (slope,) = torch.autograd.grad(landscape.extension(p).sum(), p)
        flipped = p.detach().clone()
        flipped[..., 0] = 1 - flipped[..., 0]
        wanted = (landscape.extension(flipped) - landscape.extension(p)).detach() * (
            1 - 2 * p[..., 0].detach()
        )
        torch.testing.assert_close(
            slope[..., 0], wanted, rtol=1e-4, atol=1e-4 if dtype == torch.float32 else 1e-10
        )


@small
def test_the_gradient_of_a_world_does_not_see_the_zeros_of_another(landscape):
    """The derivative of torch.prod takes another way where any entry of the batch is 0."""
    p = streams().uniform("init", (7, landscape.n))
    p[1], p[2] = p[1].round(), 0
    slopes = []
    for worlds in (WORLDS, WORLDS[:1]):
        some = p[: len(worlds)].clone().requires_grad_()
        slopes.append(
            torch.autograd.grad(landscape.bind(streams(worlds)).extension(some).sum(), some)[0]
        )
    assert torch.equal(slopes[0][:1], slopes[1])


# hidden targets ---------------------------------------------------------------------------------------------


@each("kind", [OneMax, LeadingOnes, Trap, RoyalRoad, Jump])
def test_a_hidden_target_is_seen_by_exclusive_or(kind):
    plain, hidden = kind(n=16).bind(streams()), kind(n=16, target=RANDOM).bind(streams())
    x = plain.start(streams(), 50)
    mask = 1 - hidden.optimum[:, None]
    assert plain.optimum.all()
    assert not torch.equal(hidden.optimum[0], hidden.optimum[1])
    assert torch.equal(hidden.loss(x ^ mask), plain.loss(x))
    assert not torch.equal(hidden.loss(x), plain.loss(x))


def test_values_at_the_papers_examples():
    ones = torch.ones((1, 1, 64), dtype=torch.uint8)
    one_block_less, two_blocks_less = ones.clone(), ones.clone()
    one_block_less[..., 3] = 0
    two_blocks_less[..., [3, 11]] = 0
    first, second = RoyalRoad(n=64).bind(streams([0])), RoyalRoad(n=64, levels=3).bind(streams([0]))
    assert (first.terms, second.terms) == (8, 14)
    assert float(first.loss(0 * ones)) == 64
    assert float(second.loss(0 * ones)) == 192, "the optimum of R2"
    assert [float(first.loss(x)) for x in (one_block_less, two_blocks_less)] == [8, 16]
    assert [float(second.loss(x)) for x in (one_block_less, two_blocks_less)] == [
        8 + 16 + 32,
        16 + 16 + 32,
    ]
    jump = Jump(n=64, width=3).bind(streams([0]))
    assert [float(jump.loss(x)) for x in (one_block_less, two_blocks_less, ones)] == [66, 65, 0]
    trap = Trap(n=4, block=4).bind(streams([0]))
    assert [
        float(trap.loss((torch.arange(4) < u).to(torch.uint8).view(1, 1, 4))) for u in range(5)
    ] == [
        1,
        2,
        3,
        4,
        0,
    ]


# low autocorrelation binary sequences -----------------------------------------------------------------------

ENERGIES = (  # Packebusch and Mertens 2016, table 1, from n = 3
    [
        1,
        2,
        2,
        7,
        3,
        8,
        12,
        13,
        5,
        10,
        6,
        19,
        15,
        24,
        32,
        25,
        29,
        26,
        26,
        39,
        47,
        36,
        36,
        45,
        37,
        50,
        62,
        59,
        67,
        64,
        64,
        65,
    ]
    + [
        73,
        82,
        86,
        87,
        99,
        108,
        108,
        101,
        109,
        122,
        118,
        131,
        135,
        140,
        136,
        153,
        153,
        166,
        170,
        175,
        171,
        192,
        188,
        197,
        205,
    ]
    + [218, 226, 235, 207, 208, 240, 257]
)


@each("n", range(2, 67))
def test_labs_optima_have_the_published_energies(n):
    assert reference.labs_energy(optimal_sequence(n).tolist()) == ([1, *ENERGIES])[n - 2]
    landscape = LABS(n=n).bind(streams())
    assert landscape.gap_known
    assert torch.equal(landscape.loss(landscape.optimum[:, None]), torch.zeros(3, 1).double())


@each("n", [11, 14, 16])
def test_labs_optima_are_the_least_of_all(n):
    every = (torch.arange(2**n)[:, None] >> torch.arange(n) & 1).to(torch.uint8)
    assert float(LABS(n=n).bind(streams([0])).loss(every[None]).min()) == 0


def test_labs_beyond_the_table_is_the_energy():
    assert len(OPTIMAL_RUNS) == 65
    landscape = LABS(n=67).bind(streams())
    x = landscape.start(streams(), 2)
    assert not landscape.gap_known
    assert landscape.optimum is None
    assert float(landscape.loss(x)[1, 1]) == reference.labs_energy(x[1, 1].tolist())


def test_labs_symmetries():
    landscape = LABS(n=13).bind(streams())
    x = landscape.start(streams(), 20)
    for same in (1 - x, x.flip(-1), x ^ (torch.arange(13) % 2).to(torch.uint8)):
        assert torch.equal(landscape.loss(same), landscape.loss(x))
    assert not torch.equal(landscape.loss(x.roll(1, -1)), landscape.loss(x)), (
        "the sequence is not periodic"
    )


# ioh --------------------------------------------------------------------------------------------------------

AS_IOH = {  # name -> our landscape, and the fitness of ioh's from our loss
    "OneMax": (OneMax, lambda loss, _: 16 - loss),
    "LeadingOnes": (LeadingOnes, lambda loss, _: 16 - loss),
    "LABS": (LABS, lambda loss, best: 16**2 / (2 * (loss + best))),
    "IsingRing": (
        lambda n: SpinGlass(n=n, graph=RING, couplings=FERROMAGNET),
        lambda loss, _: 16 - loss / 2,
    ),
    "IsingTorus": (
        lambda n: SpinGlass(n=n, graph=LATTICE, couplings=FERROMAGNET),
        lambda loss, _: 32 - loss / 2,
    ),
}
GOLDEN = {  # ioh 0.4.2 at 16 bits: ones, 0101..., 1011000...
    "OneMax": (16.0, 8.0, 3.0),
    "LeadingOnes": (16.0, 0.0, 1.0),
    "LABS": (0.1032258064516129, 0.1032258064516129, 0.3950617283950617),
    "IsingRing": (16.0, 0.0, 12.0),
    "IsingTorus": (32.0, 16.0, 24.0),
}


def as_ioh(name, x):
    make, fitness = AS_IOH[name]
    landscape = make(n=16).bind(streams([0]))
    return fitness(landscape.loss(x), getattr(landscape, "best", 0))[0].tolist()


@each("name", AS_IOH)
def test_values_recorded_from_ioh(name):
    x = torch.tensor([[1] * 16, [0, 1] * 8, [1, 0, 1, 1] + [0] * 12], dtype=torch.uint8)
    assert as_ioh(name, x[None]) == pytest.approx(GOLDEN[name], rel=1e-14)


@each("name", AS_IOH)
def test_values_beside_ioh(name):
    ioh = pytest.importorskip("ioh")
    problem = ioh.get_problem(name, instance=1, dimension=16, problem_class=ioh.ProblemClass.PBO)
    x = LABS(n=16).start(streams([8]), 200)
    assert as_ioh(name, x) == pytest.approx([problem(one) for one in x[0].tolist()], rel=1e-14)


def test_the_barker_sequence_of_length_13_has_merit_factor_14_08():
    barker = torch.tensor([[[1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 0, 1]]], dtype=torch.uint8)
    landscape = LABS(n=13).bind(streams([0]))
    assert float(13**2 / (2 * (landscape.loss(barker) + landscape.best))) == pytest.approx(
        14.083333333333334, rel=1e-14
    )


# spin glasses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("couplings", ["gaussian", PM1])
def test_lattice_ground_state_is_the_least_of_all(couplings):
    landscape = SpinGlass(n=16, graph=LATTICE, couplings=couplings).bind(streams(range(6)))
    every = (torch.arange(2**16)[:, None] >> torch.arange(16) & 1).to(torch.uint8).expand(6, -1, -1)
    loss = landscape.loss(every)
    assert loss.amin(1).abs().max() <= 1e-12
    energy = naive(landscape, 4)
    assert float(loss[4, 777] - loss[4, 0]) == pytest.approx(
        energy(every[4, 777].tolist()) - energy(every[4, 0].tolist()), abs=1e-12
    )


@pytest.mark.parametrize("couplings", ["gaussian", PM1])
def test_no_search_goes_below_the_ground_state_of_a_larger_lattice(couplings):
    """Annealed by single flips: it comes close, and never below."""
    landscape = SpinGlass(n=36, graph=LATTICE, couplings=couplings).bind(streams())
    x = landscape.start(streams(), 64)
    loss, lowest = landscape.loss(x), torch.full((3,), torch.inf)
    for sweep, site in itertools.product(range(60), range(36)):
        moved = x.clone()
        moved[..., site] ^= 1
        after = landscape.loss(moved)
        uniform = streams().at(sweep * 36 + site).uniform("acceptance", (64,))
        accept = uniform < torch.exp((loss - after) / (2.0 * (1 - sweep / 60)))
        x, loss = torch.where(accept[..., None], moved, x), torch.where(accept, after, loss)
        lowest = torch.minimum(lowest, loss.amin(1))
    assert (lowest.abs() <= 1e-9).all(), "the ground state is found, and nothing below"


@each("couplings", ["gaussian", PM1])
@each("n", [3, 8, 15])
def test_ring_ground_state_leaves_at_most_the_weakest_coupling_unsatisfied(n, couplings):
    landscape = SpinGlass(n=n, graph=RING, couplings=couplings).bind(streams(range(20)))
    strength = landscape.strength
    frustrated = strength.sign().prod(-1) < 0
    assert 0 < frustrated.sum() < 20
    least = -strength.abs().sum(-1) + 2 * strength.abs().amin(-1) * frustrated
    torch.testing.assert_close(landscape.best[:, 0], least, rtol=0, atol=1e-12)


@each(("order", "n"), [(2, 10), (4, 8), (3, 8)])
def test_the_flip_of_all_spins_is_free_where_the_order_is_even(order, n):
    landscape = SpinGlass(n=n, order=order).bind(streams())
    x = landscape.start(streams(), 20)
    assert torch.allclose(landscape.loss(1 - x), landscape.loss(x), rtol=0, atol=1e-12) == (
        order % 2 == 0
    )


@each(
    ("order", "n", "couplings"), [(1, 500, "gaussian"), (2, 60, "gaussian"), (3, 30, PM1), (4, 24, PM1)]
)
def test_the_variance_of_couplings_is_derridas(order, n, couplings):
    landscape = SpinGlass(n=n, order=order, couplings=couplings).bind(streams(range(8)))
    squares = landscape.strength.square().flatten()
    wanted = {1: 1 / 2, 2: 1 / n, 3: 3 / n**2, 4: 12 / n**3}[order]
    assert (
        abs(float(squares.mean()) / wanted - 1)
        <= 4.5 * float(squares.std() / wanted) / len(squares) ** 0.5 + 1e-12
    )
    assert abs(float(landscape.strength.mean())) <= 4.5 * (wanted / len(squares)) ** 0.5


def test_spin_glass_says_when_the_gap_is_unknown():
    landscape = SpinGlass(n=21).bind(streams())
    x = landscape.start(streams(), 2)
    assert not landscape.gap_known
    assert landscape.optimum is None
    assert float(landscape.loss(x)[1, 0]) == pytest.approx(
        naive(landscape, 1)(x[1, 0].tolist()), abs=1e-12
    )
    assert SpinGlass(n=144, graph=LATTICE).gap_known
    assert not SpinGlass(n=196, graph=LATTICE).gap_known
    assert SpinGlass(n=200, graph=RING).gap_known


# satisfiability ---------------------------------------------------------------------------------------------


def test_clauses_have_different_variables_and_fair_signs():
    landscape = MaxSat(n=7, k=3, clauses=3000).bind(streams())
    variable, positive = landscape.reads % 7, landscape.reads >= 7
    assert all(len(set(clause)) == 3 for clause in variable[0].tolist())
    pattern = (positive[1].long() << torch.arange(3)).sum(-1).bincount(minlength=8)
    assert ((pattern - 375).abs() <= 4.5 * (3000 * 7 / 64) ** 0.5).all()
    often = variable[2].flatten().bincount(minlength=7)
    assert ((often - 9000 / 7).abs() <= 4.5 * (3000 * 3 / 7 * 4 / 7) ** 0.5).all()


def test_planted_clauses_are_uniform_among_those_satisfied():
    landscape = MaxSat(n=30, k=3, clauses=3500, planted=True).bind(streams())
    assert torch.equal(landscape.loss(landscape.optimum[:, None]), torch.zeros(3, 1).double())
    value = landscape.optimum[1, landscape.reads[1] % 30]
    holds = (value == landscape.reads[1] // 30).long()
    pattern = (holds << torch.arange(3)).sum(-1).bincount(minlength=8)
    assert pattern[0] == 0
    assert ((pattern[1:] - 500).abs() <= 4.5 * (3500 * 6 / 49) ** 0.5).all()
    assert 0 < landscape.optimum.double().mean() < 1


@each(("options", "clauses"), [({"ratio": 4.28}, 86), ({"ratio": 0.01}, 1), ({"clauses": 7}, 7)])
def test_number_of_clauses(options, clauses):
    assert MaxSat(n=20, **options).bind(streams()).reads.shape == (3, clauses, 3)


def test_max_sat_says_when_the_gap_is_unknown():
    landscape = MaxSat(n=21, ratio=6.0).bind(streams())
    x = landscape.start(streams(), 3)
    assert not landscape.gap_known
    assert landscape.optimum is None
    assert float(landscape.loss(x)[2, 1]) == naive(landscape, 2)(x[2, 1].tolist())
    assert MaxSat(n=100, planted=True).gap_known


# quantitative traits ----------------------------------------------------------------------------------------


@each(
    ("effects", "moments"), [("equal", (2.0, 4.0)), ("normal", (0.0, 4.0)), ("exponential", (2.0, 8.0))]
)
def test_laws_of_effects(effects, moments):
    landscape = QuantitativeTrait(n=4000, effects=effects, scale=2.0).bind(streams([1]))
    for power, wanted in enumerate(moments, 1):
        sample = landscape.sizes[0] ** power
        assert abs(float(sample.mean()) - wanted) <= 4.5 * float(sample.std()) / 4000**0.5 + 1e-9


@each(("theta", "best"), [(0.0, 0.5), (1.0, 0.0), (2.4, 0.18), (50.0, 41**2 / 2), (-50.0, 41**2 / 2)])
def test_equal_effects_reach_the_nearest_trait(theta, best):
    landscape = QuantitativeTrait(n=9, effects="equal", theta=theta, width=1.0).bind(streams())
    assert float(landscape.best[0]) == pytest.approx(best, abs=1e-12)
    assert QuantitativeTrait(n=300, effects="equal").gap_known


@each("kind", ["linear", "exponential"])
def test_methods_that_select_by_fitness_take_that_of_the_trait(kind):
    """Gaussian in the trait, which is -4, -2, 0, 2 or 4 with four loci of effect 1."""
    landscape = QuantitativeTrait(n=4, effects="equal", theta=2.0, width=1.5)
    x = torch.tensor([[0] * (4 - k) + [1] * k for k in range(5)], dtype=torch.uint8)[None]
    loss = landscape.bind(streams([1])).loss(x)
    found = fitness(loss, kind, 1.0, landscape.fitness_law)[0]
    expected = [math.exp(-((z - 2) ** 2) / (2 * 1.5**2)) for z in (-4, -2, 0, 2, 4)]
    assert (found / found[3]).tolist() == pytest.approx(expected, rel=1e-12)


def test_quantitative_trait_says_when_the_gap_is_unknown():
    landscape = QuantitativeTrait(n=21, width=3.0).bind(streams())
    x = landscape.start(streams(), 2)
    assert not landscape.gap_known
    assert landscape.optimum is None
    assert float(landscape.loss(x)[0, 1]) == pytest.approx(
        naive(landscape, 0)(x[0, 1].tolist()), rel=1e-12
    )


# kernels ----------------------------------------------------------------------------------------------------


@each(
    "name", ["SK", "1-spin", "3-spin", "4-spin", "ring", "max_sat", "max_sat, wide", "max_sat, planted"]
)
@each("rows", [None, 1, 5])
@each("gathered", [2**24, 40])
def test_products_in_plain_torch_equal_the_kernels(name, rows, gathered, monkeypatch):
    monkeypatch.setattr("landscapes.binary.products._GATHERED", gathered)
    landscape = SMALL[name].bind(streams())
    literals = isinstance(landscape, MaxSat)
    sign, table = (1, landscape.whole.weight[0]) if literals else (-1, landscape.strength)
    x, p = landscape.start(streams(), 5), streams().uniform("init", (5, landscape.n)).requires_grad_()
    terms, scale = None, 1.0
    if rows:
        terms = Terms(
            streams().integers("data", landscape.terms, (rows, 6)),
            streams().uniform("data", (rows, 6), part=1),
        )
        scale = terms.weight.sum(-1)
    asked = landscape.whole if terms is None else Terms(terms.index, landscape.terms * terms.weight)
    plain, plain_extension = (
        sign * gathered_sums(y, literals, landscape.reads, table, asked) - landscape.best * scale
        for y in (x, p)
    )
    extension = landscape.extension(p, terms)
    torch.testing.assert_close(plain, landscape.loss(x, terms), rtol=0, atol=1e-12)
    torch.testing.assert_close(plain_extension, extension, rtol=0, atol=1e-12)
    slopes = [torch.autograd.grad((v * v).sum(), p)[0] for v in (extension, plain_extension)]
    torch.testing.assert_close(slopes[0], slopes[1], rtol=1e-12, atol=1e-12)


def test_points_are_worked_in_blocks_without_a_seam():
    landscape = SMALL["3-spin"].bind(streams())
    x, p = landscape.start(streams(), 300), streams().uniform("init", (300, 8)).requires_grad_()
    together, extension = landscape.loss(x), landscape.extension(p)
    (slope,) = torch.autograd.grad(extension.sum(), p)
    for cut in (slice(0, 100), slice(100, 300)):
        assert torch.equal(landscape.loss(x[:, cut]), together[:, cut])
        part = p[:, cut].detach().requires_grad_()
        assert torch.equal(torch.autograd.grad(landscape.extension(part).sum(), part)[0], slope[:, cut])


# bad input --------------------------------------------------------------------------------------------------


@each(
    ("make", "message"),
    [
        (lambda: OneMax(n=0), "onemax.n: expected >= 1, got 0"),
        (lambda: OneMax(target="zeros"), "onemax.target: expected one of ones, random, got 'zeros'"),
        (lambda: Trap(n=10, block=4), "trap.block: expected a divisor of n = 10, got 4"),
        (lambda: Trap(slope=-1.0), "trap.slope: expected >= 0, got -1.0"),
        (
            lambda: RoyalRoad(n=24, block=8, levels=2),
            r"royal_road.block: expected block x 2\^\(levels - 1\) to divide n = 24, got 16",
        ),
        (lambda: Jump(n=5, width=6), "jump.width: expected 1 <= width <= n = 5, got 6"),
        (lambda: Jump(n=5, width=0), "jump.width: expected >= 1, got 0"),
        (lambda: LABS(n=1), "labs.n: expected >= 2, got 1"),
        (
            lambda: SpinGlass(n=25, graph=LATTICE),
            "spin_glass.n: expected the square of an even number >= 4 on a periodic lattice.* got 25",
        ),
        (
            lambda: SpinGlass(n=4, graph=LATTICE),
            "spin_glass.n: expected the square of an even number >= 4 .* got 4",
        ),
        (
            lambda: SpinGlass(n=40, graph=LATTICE),
            "spin_glass.n: expected the square of an even number >= 4 .* got 40",
        ),
        (lambda: SpinGlass(n=2, graph=RING), "spin_glass.n: expected >= 3 on a ring, got 2"),
        (
            lambda: SpinGlass(n=16, graph=LATTICE, order=3),
            "spin_glass.order: expected 2 on a lattice, got 3",
        ),
        (lambda: SpinGlass(n=3, order=4), "spin_glass.order: expected at most n = 3, got 4"),
        (lambda: SpinGlass(order=5), "spin_glass.order: expected <= 4, got 5"),
        (
            lambda: SpinGlass(n=200, order=4),
            r"spin_glass.n: expected at most 2\^23 couplings, got 64684950 with n = 200 and order = 4",
        ),
        (lambda: MaxSat(n=2), "max_sat.k: expected 1 <= k <= n = 2, got 3"),
        (lambda: MaxSat(ratio=0.0), "max_sat.ratio: expected > 0, got 0.0"),
        (lambda: MaxSat(clauses=0), "max_sat.clauses: expected >= 1, got 0"),
        (lambda: QuantitativeTrait(width=0.0), "quantitative_trait.width: expected > 0, got 0.0"),
        (
            lambda: QuantitativeTrait(effects="gamma"),
            "quantitative_trait.effects: expected one of equal, normal, exponential, got 'gamma'",
        ),
        (
            lambda: OneMax(n=5).bind(streams()).loss(torch.ones(3, 1, 5)),
            "onemax: expected bits as torch.uint8, got torch.float32",
        ),
        (
            lambda: LABS(n=5).bind(streams()).extension(torch.ones(3, 1, 4)),
            r"labs: expected points of shape \(R, P, 5\), got \(3, 1, 4\)",
        ),
        (
            lambda: MaxSat(n=5).bind(streams()).extension(torch.ones(3, 1, 5).int()),
            "max_sat: expected points as torch.float32 or torch.float64",
        ),
        (
            lambda: SpinGlass(n=5).extension(torch.ones(3, 1, 5)),
            r"spin_glass: expected a landscape bound to worlds.* call .bind\(streams\) first",
        ),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
