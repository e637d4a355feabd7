"""The contract that every landscape keeps, and each landscape beside a naive loop."""

import itertools
from dataclasses import is_dataclass

import numpy as np
import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import Bits, Landscape, Terms, logistic, softplus
from landscapes.bbob.landscape import BBOB
from landscapes.bbob.noisy import BBOBNoisy
from landscapes.binary.empirical import Empirical
from landscapes.binary.house_of_cards import HouseOfCards
from landscapes.binary.jump import Jump
from landscapes.binary.labs import LABS
from landscapes.binary.leading_ones import LeadingOnes
from landscapes.binary.max_sat import MaxSat
from landscapes.binary.mount_fuji import RoughMountFuji
from landscapes.binary.nk import NK, gathered_contributions, gathered_extension
from landscapes.binary.onemax import OneMax
from landscapes.binary.quantitative_trait import QuantitativeTrait
from landscapes.binary.royal_road import RoyalRoad
from landscapes.binary.spin_glass import SpinGlass
from landscapes.binary.trap import Trap
from landscapes.binary.valley_crossing import ValleyCrossing
from landscapes.continuous.canyon import Canyon
from landscapes.continuous.cosine_rugged import CosineRugged
from landscapes.continuous.double_well import DoubleWell
from landscapes.continuous.fisher import Fisher
from landscapes.continuous.gaussian_field import GaussianField
from landscapes.continuous.quadratic import Quadratic
from landscapes.continuous.rosenbrock import Rosenbrock
from landscapes.continuous.saddle import Saddle
from landscapes.games.biased_gan import BiasedGAN
from landscapes.games.bilinear import Bilinear
from landscapes.games.dirac_gan import DiracGAN
from landscapes.games.matching_pennies import MatchingPennies
from landscapes.moving import Moving
from landscapes.networks import digits
from landscapes.networks.autoencoder import Autoencoder
from landscapes.networks.batch_norm import BatchNorm
from landscapes.networks.contrastive import Contrastive
from landscapes.networks.digits import Digits
from landscapes.networks.linear_rnn import LinearRNN
from landscapes.networks.logistic import LogisticRegression
from landscapes.networks.module import TorchModule
from landscapes.networks.tanh_rnn import TanhRNN
from landscapes.oracle import evaluate
from landscapes.relaxation import Relaxation
from landscapes.streams import Keyed, Streams
from tests import reference

# Small and odd: every entry of the registry must be here.
KINDS = {
    "quadratic": Quadratic(dim=5, rotated=True, shifted=True, terms=11),
    "quadratic-1d": Quadratic(dim=1, terms=3),
    "quadratic-plain": Quadratic(dim=7, spectrum="power"),
    "nk": NK(n=11, k=3),
    "nk-random": NK(n=23, k=2, neighbours="random"),
    "nk-blocks": NK(n=9, k=2, neighbours="blocks"),
    "gaussian_field": GaussianField(dim=5, waves=13),
    "gaussian_field-1d": GaussianField(dim=1, waves=1),
    "gaussian_field-matern": GaussianField(dim=3, waves=7, spectrum="matern", smoothness=0.5),
    "gaussian_field-power": GaussianField(dim=3, waves=7, spectrum="power_law", exponent=1.7, inner=0.3),
    "fisher": Fisher(dim=5, selection_condition=30.0, mutation_condition=5.0, shifted=True, epistasis=3.0),
    "fisher-isotropic": Fisher(dim=3, starts="box"),
    "cosine_rugged": CosineRugged(dim=5, rotated=True, shifted=True),
    "cosine_rugged-1d": CosineRugged(dim=1),
    "double_well": DoubleWell(dim=5, rotated=True, terms=11, tilt=0.3),
    "double_well-1d": DoubleWell(dim=1, tilt=0.0, terms=3, starts="wrong_well", spread=0.1),
    "bbob_noisy": BBOBNoisy(function=106, dim=3),
    "bbob_noisy-powers": BBOBNoisy(function=119, dim=5),
    "canyon": Canyon(dim=5, rotated=True, shifted=True),
    "canyon-2d": Canyon(dim=2),
    "rosenbrock": Rosenbrock(dim=5, box=1.0),
    "saddle": Saddle(dim=5, unstable=2, rotated=True, starts="box", terms=11, condition=3.0, noise="inverse_hessian"),
    "saddle-confined": Saddle(dim=3, unstable=2, condition=3.0, confinement=2.0, rotated=True, starts="box"),
    "digits": Digits(hidden=3),
    "digits-relu": Digits(hidden=1, activation="relu"),
    "module": TorchModule(module="tests.networks:mlp", data="tests.networks:labelled", held_out="tests.networks:HELD_OUT"),
    "module-convolution": TorchModule(module="tests.networks:Convolution", data="tests.networks:pictures"),
    "module-batch_norm": TorchModule(module="tests.networks:normalised", data="tests.networks:ROWS"),
    "module-constants": TorchModule(module="tests.networks:RandomFeatures", data="tests.networks:PAIR"),
    "logistic_regression": LogisticRegression(features=3, examples=23),
    "linear_rnn": LinearRNN(units=3, steps=7, gain=0.9, spread=0.3),
    "linear_rnn-1": LinearRNN(steps=20),
    "tanh_rnn": TanhRNN(units=3, steps=5, sequences=13),
    "batch_norm": BatchNorm(hidden=1),
    "batch_norm-fixed": BatchNorm(hidden=1, activation="tanh", statistics="fixed"),
    "contrastive": Contrastive(features=3, embedding=2, pairs=13),
    "contrastive-pairwise": Contrastive(objective="pairwise", features=1, embedding=1, pairs=13),
    "autoencoder": Autoencoder(hidden=1, bottleneck=1),
    "house_of_cards": HouseOfCards(n=7, law="gumbel"),
    "house_of_cards-long": HouseOfCards(n=200, law="normal"),
    "mount_fuji": RoughMountFuji(n=9, slope_spread=0.5),
    "empirical": Empirical(scale="log"),
    "valley_crossing": ValleyCrossing(n=5, width=2, order="fixed"),
    "relaxation-table": Relaxation(inner=RoughMountFuji(n=5, law="uniform")),
    "relaxation-valley": Relaxation(inner=ValleyCrossing(n=5, width=2, order="fixed")),
    "dirac_gan": DiracGAN(),
    "dirac_gan-noise": DiracGAN(generator="non_saturating", gamma=0.3, noise=0.7),
    "biased_gan": BiasedGAN(),
    "bilinear": Bilinear(dim=6, shifted=True, regularisation=0.1),
    "bilinear-pair": Bilinear(dim=2, rotated=False),
    "matching_pennies": MatchingPennies(),
    "matching_pennies-probability": MatchingPennies(parametrisation="probability"),
    "moving": Moving(inner=GaussianField(dim=5, waves=13)),
    "moving-bits": Moving(inner=NK(n=11, k=3), path="random_walk"),
    "moving-game": Moving(inner=Bilinear(dim=4), path="cycle"),
    "relaxation-moving": Relaxation(inner=Moving(inner=NK(n=11, k=3), path="jump")),
    "onemax": OneMax(n=13, target="random"),
    "leading_ones": LeadingOnes(n=5, target="random"),
    "trap": Trap(n=15, block=5, slope=0.3, target="random"),
    "royal_road": RoyalRoad(n=12, block=3, levels=3, target="random"),
    "labs": LABS(n=13),
    "labs-long": LABS(n=67),
    "jump": Jump(n=9, width=4, target="random"),
    "jump-ones": Jump(n=1, width=1),
    "spin_glass": SpinGlass(n=11),
    "spin_glass-3": SpinGlass(n=9, order=3, couplings="pm1"),
    "spin_glass-lattice": SpinGlass(n=16, graph="lattice", couplings="pm1"),
    "spin_glass-ring": SpinGlass(n=23, graph="ring"),
    "spin_glass-long": SpinGlass(n=21, order=4),
    "max_sat": MaxSat(n=9),
    "max_sat-planted": MaxSat(n=27, k=2, planted=True),
    "quantitative_trait": QuantitativeTrait(n=9),
    "quantitative_trait-long": QuantitativeTrait(n=27, effects="exponential", theta=0.3),
    "bbob": BBOB(function=3, dim=3),
    "bbob-sector": BBOB(function=6, dim=2),
    "bbob-steps": BBOB(function=7, dim=5),
    "bbob-schaffers": BBOB(function=18, dim=3),
    "bbob-peaks": BBOB(function=22, dim=3),
    "relaxation-spins": Relaxation(inner=SpinGlass(n=7, order=3)),
    "relaxation": Relaxation(inner=NK(n=11, k=3)),
    "relaxation-threshold": Relaxation(inner=NK(n=11, k=0), mode="threshold"),
}
REAL = [kind for kind, landscape in KINDS.items() if not isinstance(landscape.domain, Bits)]
SMOOTH = [kind for kind in REAL if kind != "relaxation-threshold"]
ADDITIVE = [kind for kind, landscape in KINDS.items() if landscape.additive]
TOGETHER = [kind for kind in KINDS if kind not in ADDITIVE]
EXTENDED = [kind for kind, landscape in KINDS.items() if landscape.extension_cost is not None and kind not in REAL]
DTYPES = [torch.float64, torch.float32]
WORLDS = torch.arange(8)
SOME = torch.tensor([5, 2])

kinds = pytest.mark.parametrize("kind", KINDS)
dtypes = pytest.mark.parametrize("dtype", DTYPES, ids=str)
points = pytest.mark.parametrize("count", [1, 3, 17])


def streams(worlds=WORLDS, dtype=torch.float64):
    return Streams(seed=3, worlds=torch.as_tensor(worlds), dtype=dtype)


def bound(kind, worlds=WORLDS, dtype=torch.float64):
    return KINDS[kind].bind(streams(worlds, dtype))


def starts(landscape, count, worlds=WORLDS, dtype=torch.float64):
    return landscape.start(streams(worlds, dtype), count)


def batch(landscape, rows, size=5, worlds=WORLDS, dtype=torch.float64):
    index = streams(worlds).integers("data", landscape.terms, (rows, size))
    if not landscape.additive:
        return Terms(index, torch.full(index.shape, 1 / size, dtype=dtype))
    weight = streams(worlds, dtype).uniform("data", (rows, size), part=1)
    return Terms(index, weight)


def shape(landscape, count):
    """That of the values of `count` points in 8 worlds."""
    return (8, count) if len(landscape.players) == 1 else (8, count, len(landscape.players))


def tables(landscape):
    """All that `bind` drew, as numpy arrays with a leading axis of worlds, those of what it holds too."""
    for value in vars(landscape).values():
        if isinstance(value, Keyed):
            yield value.key
        elif is_dataclass(value):
            yield from tables(value)
        elif isinstance(value, torch.Tensor) and value.numel():
            yield value.numpy()


def drawn(kind):
    """Whether worlds have different instances."""
    return any(a.shape != b.shape or (a != b).any() for a, b in zip(*(tables(bound(kind, [w])) for w in (4, 1)), strict=True))


def test_every_landscape_is_tested():
    assert set(LANDSCAPES) <= {landscape.name for landscape in KINDS.values()}
    assert all(issubclass(cls, Landscape) and cls.name == name for name, cls in LANDSCAPES.items())


@kinds
@dtypes
@points
def test_shapes_dtype_and_box(kind, dtype, count):
    landscape = bound(kind, dtype=dtype)
    x = starts(landscape, count, dtype=dtype)
    assert x.shape == (8, count, landscape.dim)
    if isinstance(landscape.domain, Bits):
        assert x.dtype == torch.uint8
        assert x.max() <= 1
    else:
        assert x.dtype == dtype
        if type(landscape).start in (Landscape.start, Relaxation.start):  # others have a law of their own
            assert landscape.domain.low <= x.min()
            assert x.max() <= landscape.domain.high
    for value in (landscape.loss(x), landscape.loss(x, batch(landscape, 1, dtype=dtype)), landscape.loss(x, batch(landscape, count, dtype=dtype))):
        assert value.shape == shape(landscape, count)
        assert value.dtype == dtype
        assert value.isfinite().all()
    assert landscape.solution_loss(x).shape == (8, count)
    measures = landscape.measures(x[:, 0])
    assert set(measures) == set(landscape.extras)
    assert all(m.shape == (8,) for m in measures.values())


def everything(landscape, worlds, dtype, count):
    """All that a landscape computes for these worlds."""
    x = starts(landscape, count, worlds, dtype)
    found = {"start": x, "solution": landscape.solution_loss(x)}
    for name, terms in (("whole", None), *((f"batch {rows}", batch(landscape, rows, 5, worlds, dtype)) for rows in (1, count))):
        found[f"loss {name}"] = landscape.loss(x, terms)
        if x.is_floating_point() and "threshold" not in str(landscape):
            found[f"gradient {name}"] = evaluate(landscape, x, terms, gradient=True).gradient
        if landscape.extension_cost is not None and not x.is_floating_point():
            found[f"extension {name}"] = landscape.extension(streams(worlds, dtype).uniform("evaluation", x.shape[1:]), terms)
    return found | landscape.measures(x[:, 0])


@kinds
@dtypes
@points
def test_a_world_does_not_see_the_others_in_its_batch(kind, dtype, count):
    together = everything(bound(kind, dtype=dtype), WORLDS, dtype, count)
    for worlds in (SOME, torch.tensor([7])):
        alone = everything(bound(kind, worlds, dtype), worlds, dtype, count)
        for name, value in together.items():
            assert torch.equal(value[worlds], alone[name]), name


@kinds
def test_worlds_with_one_instance_number_have_one_instance(kind):
    landscape = bound(kind, [4, 4, 1])
    x, some = starts(landscape, 17, [0, 0, 0]), batch(landscape, 1, 5, [0, 0, 0])
    value = torch.stack([landscape.loss(x), landscape.loss(x, some)], 1)
    assert torch.equal(value[0], value[1])
    assert torch.equal(value[0, 0], bound(kind, [4]).loss(x[:1])[0])
    assert torch.equal(value[0], value[2]) != drawn(kind)
    shared = [t for t in vars(bound(kind, [4] * 5)).values() if isinstance(t, torch.Tensor) and t.ndim > 1 and len(t) == 5 and t[0].numel() > 1]
    assert all(t.stride(0) == 0 for t in shared), "worlds of one instance share memory"


@pytest.mark.parametrize("kind", ADDITIVE)
@dtypes
def test_the_loss_is_the_mean_of_its_terms(kind, dtype):
    landscape = bound(kind, dtype=dtype)
    x, m = starts(landscape, 3, dtype=dtype), landscape.terms
    index = torch.arange(m).expand(8, 1, m)
    mean = landscape.loss(x, Terms(index, torch.full(index.shape, 1 / m, dtype=dtype)))
    error = 1e-12 if dtype == torch.float64 else 2e-5
    torch.testing.assert_close(mean, landscape.loss(x), rtol=error, atol=error)


@pytest.mark.parametrize("kind", TOGETHER)
@dtypes
def test_a_loss_that_is_no_sum_sees_its_examples_together(kind, dtype):
    landscape = bound(kind, dtype=dtype)
    x, m = starts(landscape, 3, dtype=dtype), landscape.terms
    error = {"rtol": 1e-11, "atol": 1e-12} if dtype == torch.float64 else {"rtol": 2e-4, "atol": 2e-5}
    index = torch.arange(m).expand(8, 1, m)
    torch.testing.assert_close(landscape.loss(x, Terms(index, torch.full(index.shape, 1 / m, dtype=dtype))), landscape.loss(x), **error)
    terms = batch(landscape, 1, dtype=dtype)
    value = landscape.loss(x, terms)
    torch.testing.assert_close(landscape.loss(x, Terms(terms.index.flip(-1), terms.weight)), value, **error)
    padded = Terms(torch.cat((terms.index, terms.index[..., :3]), -1), torch.nn.functional.pad(terms.weight, (0, 3)))
    torch.testing.assert_close(landscape.loss(x, padded), value, **error)
    each = sum(landscape.loss(x, Terms(half, torch.full(half.shape, 1 / 3, dtype=dtype))) for half in (terms.index[..., :3], terms.index[..., 2:])) / 2
    assert not torch.allclose(each, value, rtol=1e-3), "it is not the mean of smaller batches"
    with pytest.raises(ValueError, match="expected equal weights"):
        landscape.loss(x, terms._replace(weight=terms.weight * torch.tensor([1, 1, 1, 1, 2], dtype=dtype)))


@pytest.mark.parametrize("kind", ADDITIVE)
@points
def test_weight_zero_pads_and_repeated_terms_accumulate(kind, count):
    landscape = bound(kind)
    x = starts(landscape, count)
    for rows in (1, count):
        terms = batch(landscape, rows)
        each = sum(landscape.loss(x, Terms(terms.index[..., b : b + 1], terms.weight[..., b : b + 1])) for b in range(5))
        torch.testing.assert_close(landscape.loss(x, terms), each, rtol=1e-12, atol=1e-12)
        padded = Terms(terms.index.repeat(1, 1, 2), torch.cat((terms.weight, torch.zeros_like(terms.weight)), -1))
        torch.testing.assert_close(landscape.loss(x, padded), landscape.loss(x, terms), rtol=1e-12, atol=1e-12)
        twice = Terms(terms.index.repeat(1, 1, 2), terms.weight.repeat(1, 1, 2))
        torch.testing.assert_close(landscape.loss(x, twice), 2 * landscape.loss(x, terms), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", SMOOTH)
@pytest.mark.parametrize("rows", [None, 1, 2])
def test_gradients_agree_with_finite_differences(kind, rows):
    landscape = bound(kind, [0, 5])
    x = starts(landscape, 2, [0, 5])
    terms = None if rows is None else batch(landscape, rows, 4, [0, 5])
    slope = evaluate(landscape, x, terms, gradient=True).gradient
    for r, p in itertools.product(range(2), range(2)):

        def losses(y, r=r, p=p):
            moved = x.clone()
            moved[r, p] = torch.from_numpy(y)
            return landscape.loss(moved, terms)[r, p].reshape(-1)

        each = [reference.finite_difference(lambda y, i=i: float(losses(y)[i]), x[r, p].numpy()) for i in range(len(landscape.players))]
        own = np.concatenate([np.split(s, np.cumsum(landscape.players)[:-1])[i] for i, s in enumerate(each)])  # each player's block of its own loss
        np.testing.assert_allclose(slope[r, p], own, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", EXTENDED)
def test_the_extension_meets_the_loss_at_the_corners_and_is_linear_in_each_coordinate(kind):
    landscape = bound(kind)
    x, p = starts(landscape, 3), streams().uniform("evaluation", (3, landscape.dim))
    torch.testing.assert_close(landscape.extension(x.double()), landscape.loss(x), rtol=1e-12, atol=1e-12)
    for locus in range(min(5, landscape.dim)):
        low, high = p.clone(), p.clone()
        low[..., locus], high[..., locus] = 0, 1
        mixed = (1 - p[..., locus]) * landscape.extension(low) + p[..., locus] * landscape.extension(high)
        torch.testing.assert_close(landscape.extension(p), mixed, rtol=1e-10, atol=1e-11)
    slope = torch.autograd.functional.jacobian(lambda q: landscape.extension(q).sum(), p)[..., locus]
    torch.testing.assert_close(slope, landscape.extension(high) - landscape.extension(low), rtol=1e-10, atol=1e-11)


@kinds
@dtypes
def test_the_optimum_has_loss_zero_and_nothing_is_below(kind, dtype):
    landscape = bound(kind, dtype=dtype)
    if landscape.optimum is not None:
        assert landscape.gap_known
        assert landscape.optimum.shape == (8, landscape.dim)
        assert landscape.optimum.dtype == (torch.uint8 if isinstance(landscape.domain, Bits) else dtype)
        assert landscape.solution_loss(landscape.optimum[:, None]).abs().max() <= (1e-12 if dtype == torch.float64 else 1e-5)
    if landscape.gap_known:
        assert landscape.solution_loss(starts(landscape, 17, dtype=dtype)).min() >= (-1e-12 if dtype == torch.float64 else -1e-5)


@kinds
def test_wrong_shapes_are_named(kind):
    landscape = bound(kind)
    dtype = torch.uint8 if isinstance(landscape.domain, Bits) else torch.float64
    with pytest.raises(ValueError, match=rf"expected points of shape \(R, P, {landscape.dim}\), got \(8, 2, {landscape.dim + 1}\)"):
        landscape.loss(torch.zeros((8, 2, landscape.dim + 1), dtype=dtype))
    with pytest.raises(ValueError, match=r"torch.uint8.*got torch.int64|torch.float64.*got torch.int64"):
        landscape.loss(torch.zeros((8, 2, landscape.dim), dtype=torch.int64))
    if any(len(table) == 8 for table in tables(landscape)):
        x = torch.zeros((3, 2, landscape.dim), dtype=dtype)
        with pytest.raises(ValueError, match="expected points of the 8 worlds it is bound to, got 3"):
            landscape.loss(x)
        with pytest.raises(ValueError, match=r"call \.bind\(streams\) first"):
            KINDS[kind].loss(x)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NK(n=16, k=20), "nk.k: expected 0 <= k <= n - 1 = 15, got 20"),
        (lambda: NK(n=10, k=2, neighbours="blocks"), r"nk.k: expected k \+ 1 to divide n = 10"),
        (lambda: NK(n=0, k=0), "nk.n: expected >= 1, got 0"),
        (lambda: Quadratic(dim=5, terms=5), "quadratic.terms: expected 1 .* more than dim = 5, got 5"),
        (lambda: Quadratic(condition=0.5), "quadratic.condition: expected >= 1, got 0.5"),
        (lambda: GaussianField(length=0.0), "gaussian_field.length: expected > 0, got 0.0"),
        (lambda: Digits(hidden=0), "digits.hidden: expected >= 1, got 0"),
        (lambda: Relaxation(inner=Quadratic()), "relaxation.inner: expected a landscape on Bits, got quadratic"),
    ],
)
def test_parameters_out_of_range_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# NK -----------------------------------------------------------------------------------------------------------------------

ADJACENT, RANDOM, BLOCKS = "adjacent", "random", "blocks"
SHAPES = [(8, 0, ADJACENT), (8, 3, ADJACENT), (7, 6, ADJACENT), (8, 2, RANDOM), (6, 5, RANDOM), (5, 0, RANDOM), (8, 3, BLOCKS), (6, 0, BLOCKS)]
shapes = pytest.mark.parametrize(("n", "k", "neighbours"), SHAPES)


def all_genotypes(n, worlds):
    return torch.tensor(list(itertools.product((0, 1), repeat=n)), dtype=torch.uint8).expand(worlds, -1, -1)


@shapes
def test_nk_loss_extension_and_optimum_against_loops(n, k, neighbours):
    landscape = NK(n=n, k=k, neighbours=neighbours).bind(streams([0, 3]))
    x, p = all_genotypes(n, 2), streams([0, 3]).uniform("init", (2, n))
    loss, extension = landscape.loss(x), landscape.extension(p)
    for r in range(2):
        reads, table = landscape.reads[r].tolist(), landscape.table[r].tolist()
        best = reference.nk_optimum(reads, table)
        assert float(landscape.best[r]) == pytest.approx(best, abs=1e-12)
        naive = [best - reference.nk_fitness(g, reads, table) for g in x[r].tolist()]
        np.testing.assert_allclose(loss[r], naive, atol=1e-12)
        np.testing.assert_allclose(extension[r], [best - reference.nk_extension(q, reads, table) for q in p[r].tolist()], atol=1e-12)


@shapes
@dtypes
def test_nk_least_loss_is_zero(n, k, neighbours, dtype):
    landscape = NK(n=n, k=k, neighbours=neighbours).bind(streams(dtype=dtype))
    assert landscape.gap_known
    assert landscape.loss(all_genotypes(n, 8)).amin(1).abs().max() <= 1e-12
    assert torch.equal(landscape.loss(landscape.optimum[:, None]), torch.zeros((8, 1), dtype=dtype))


@shapes
def test_nk_loci_read_what_the_convention_says(n, k, neighbours):
    reads = NK(n=n, k=k, neighbours=neighbours).bind(streams()).reads
    assert all(len(set(row)) == k + 1 and i in row for world in reads.tolist() for i, row in enumerate(world))
    if neighbours == "adjacent":
        assert reads[0].tolist() == [[(i + j) % n for j in range(k + 1)] for i in range(n)]
    if neighbours == "blocks":
        assert reads[0].tolist() == [[i // (k + 1) * (k + 1) + j for j in range(k + 1)] for i in range(n)]


@pytest.mark.parametrize(("n", "k"), [(21, 0), (21, 3), (22, 5)])
def test_nk_ring_optimum_is_the_enumerated_one(n, k, monkeypatch):
    ring = NK(n=n, k=k).bind(streams([1, 2]))
    monkeypatch.setattr("landscapes.binary.nk.ENUMERATED", n)
    monkeypatch.setattr("landscapes.binary.nk._ring_steps", lambda n, k: 2**40)
    torch.testing.assert_close(NK(n=n, k=k).bind(streams([1, 2])).best, ring.best, rtol=0, atol=1e-12)


def test_nk_says_when_the_gap_is_unknown():
    landscape = NK(n=24, k=2, neighbours="random").bind(streams())
    assert not landscape.gap_known
    assert landscape.optimum is None
    x = starts(landscape, 2)
    fitness = reference.nk_fitness(x[3, 1].tolist(), landscape.reads[3].tolist(), landscape.table[3].tolist())
    assert float(landscape.loss(x)[3, 1]) == pytest.approx(1 - fitness, abs=1e-12)
    assert not NK(n=32, k=20).gap_known
    assert NK(n=63, k=20, neighbours="blocks").gap_known


@shapes
@pytest.mark.parametrize("rows", [1, 3])
def test_nk_in_plain_torch_equals_the_kernels(n, k, neighbours, rows):
    landscape = NK(n=n, k=k, neighbours=neighbours).bind(streams())
    terms = batch(landscape, rows)
    x, p = starts(landscape, 3), streams().uniform("init", (3, n)).requires_grad_()
    weight = terms.weight.sum(-1)
    tables = (landscape.reads, landscape.table)
    torch.testing.assert_close(landscape.best * weight - gathered_contributions(x, *tables, terms), landscape.loss(x, terms), rtol=0, atol=1e-12)
    value, plain = landscape.extension(p, terms), landscape.best * weight - gathered_extension(p, *tables, terms)
    torch.testing.assert_close(plain, value, rtol=0, atol=1e-12)
    slope, plain_slope = (torch.autograd.grad(v.sum(), p)[0] for v in (value, plain))
    torch.testing.assert_close(plain_slope, slope, rtol=0, atol=1e-12)


def test_nk_extension_at_a_vertex_is_the_loss():
    landscape = bound("nk")
    x = starts(landscape, 4)
    torch.testing.assert_close(landscape.extension(x.double()), landscape.loss(x), rtol=0, atol=1e-12)


# the others ---------------------------------------------------------------------------------------------------------------


def test_quadratic_against_loops():
    landscape = bound("quadratic")
    x = 3 * starts(landscape, 2)
    for r in range(8):
        hessian = landscape.rotation[r] @ landscape.eigenvalues.diag() @ landscape.rotation[r].T
        naive = [reference.quadratic(y, hessian.tolist(), landscape.optimum[r].tolist()) for y in x[r].tolist()]
        np.testing.assert_allclose(landscape.loss(x)[r], naive, rtol=1e-10)


@pytest.mark.parametrize(
    ("spectrum", "wanted"),
    [("log", [4, 2, 1, 0.5]), ("linear", [4, 17 / 6, 10 / 6, 0.5]), ("power", [4 * i**-1.5 for i in (1, 2, 3, 4)])],
)
def test_quadratic_spectrum(spectrum, wanted):
    h = Quadratic(dim=4, condition=8.0, curvature=4.0, spectrum=spectrum).bind(streams()).eigenvalues
    np.testing.assert_allclose(h, wanted, rtol=1e-12)


def test_quadratic_rotations_are_orthogonal():
    q = bound("quadratic").rotation
    torch.testing.assert_close(q.mT @ q, torch.eye(5).double().expand(8, 5, 5), rtol=0, atol=1e-12)


@pytest.mark.parametrize("noise", ["isotropic", "hessian"])
def test_quadratic_terms_have_exactly_the_set_gradient_covariance(noise):
    landscape = Quadratic(dim=4, terms=7, noise=noise, noise_scale=1.5, rotated=True).bind(streams())
    x = starts(landscape, 1)
    slopes = [evaluate(landscape, x, Terms(torch.full((8, 1, 1), i), torch.ones(8, 1, 1).double()), gradient=True).gradient[:, 0] for i in range(7)]
    g = torch.stack(slopes, 1)  # (R, M, D)
    g = g - g.mean(1, keepdim=True)
    hessian = landscape.rotation @ (landscape.eigenvalues[:, None] * landscape.rotation.mT)
    wanted = 2.25 * (hessian if noise == "hessian" else torch.eye(4).double().expand(8, 4, 4))
    torch.testing.assert_close(g.mT @ g / 7, wanted, rtol=0, atol=1e-12)
    assert not torch.allclose(g.mT @ g / 6, wanted, rtol=0.01), "the normaliser is M, not M - 1"


def test_gaussian_field_against_loops():
    landscape = bound("gaussian_field")
    x = starts(landscape, 3)
    for r in range(8):
        vectors, phases = landscape.vectors[r].tolist(), landscape.phases[r, 0].tolist()
        np.testing.assert_allclose(landscape.loss(x)[r], [reference.fourier_field(y, vectors, phases, 1.0, 1.0) for y in x[r].tolist()], atol=1e-12)


@pytest.mark.parametrize(("amplitude", "length", "waves"), [(1.0, 1.0, 16), (2.0, 0.5, 5)])
def test_gaussian_field_has_the_rbf_covariance(amplitude, length, waves):
    count = 20_000
    lags = torch.tensor([0.0, 0.5, 1.0, 2.0]).double() * length
    x = torch.stack((lags + 0.3, torch.full_like(lags, -0.7)), -1).expand(count, -1, -1)
    field = GaussianField(dim=2, waves=waves, amplitude=amplitude, length=length, bowl=0.0).bind(streams(torch.arange(count)))
    value = field.loss(x)
    products = value * value[:, :1]
    error = products.std(0) / count**0.5
    wanted = amplitude**2 * torch.exp(-(lags**2) / (2 * length**2))
    wrong = amplitude**2 * torch.exp(-(lags**2) / length**2)
    assert ((products.mean(0) - wanted).abs() <= 4.5 * error).all()
    assert ((products.mean(0) - wrong).abs() > 4.5 * error)[1:3].all()
    assert (value.mean(0).abs() <= 4.5 * value.std(0) / count**0.5).all()


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_digits_against_loops(activation):
    landscape = Digits(hidden=2, activation=activation)
    x = starts(landscape, 2, [0, 1])
    data = digits.images(torch.float64, torch.device("cpu"))
    picked = torch.tensor([[[0, 700, 1436]], [[5, 5, 9]]])
    value = landscape.loss(x, Terms(picked, torch.full(picked.shape, 1 / 3, dtype=torch.float64)))
    for r, p in itertools.product(range(2), range(2)):
        rows = picked[r, 0]
        naive = reference.network_loss(x[r, p], data.pixels[rows].tolist(), data.labels[rows].tolist(), 2, 10, activation)
        assert float(value[r, p]) == pytest.approx(naive, rel=1e-12)


def test_digits_split():
    data = digits.images(torch.float64, torch.device("cpu"))
    assert data.pixels.shape == (1437, 64)
    assert data.test_pixels.shape == (360, 64)
    assert (0 <= data.pixels).all()
    assert data.pixels.max() == 1
    assert all(35 <= n <= 37 for n in data.test_labels.bincount().tolist())


def test_digits_weights_are_in_the_order_of_torch_modules():
    landscape = Digits(hidden=3)
    x = starts(landscape, 1, [0])
    network = torch.nn.Sequential(torch.nn.Linear(64, 3), torch.nn.Tanh(), torch.nn.Linear(3, 10)).double()
    torch.nn.utils.vector_to_parameters(x[0, 0], network.parameters())
    data = digits.images(torch.float64, torch.device("cpu"))
    loss = torch.nn.functional.cross_entropy(network(data.pixels), data.labels).detach()
    assert float(landscape.loss(x)) == pytest.approx(float(loss), rel=1e-12)
    right = (network(data.test_pixels).argmax(-1) == data.test_labels).double().mean()
    assert float(landscape.measures(x[:, 0])["test_accuracy"]) == pytest.approx(float(right))


def test_relaxation_meets_its_landscape_at_the_corners():
    inner, relaxed = bound("nk"), bound("relaxation")
    bits, theta = starts(inner, 3), starts(relaxed, 3)
    assert torch.equal(theta, 2 * bits.double() - 1), "row 0 leans to the genotype that every other method starts from"
    torch.testing.assert_close(relaxed.loss(60 * theta), inner.loss(bits), rtol=0, atol=1e-12)
    assert torch.equal(relaxed.solution_loss(theta), inner.loss(bits))
    assert relaxed.unit_cost == 16
    assert relaxed.terms == 11
    assert relaxed.gap_known


def test_relaxation_by_threshold_is_the_landscape_of_signs():
    relaxed = bound("relaxation-threshold")
    theta = starts(relaxed, 3)
    assert relaxed.unit_cost == 1
    assert torch.equal(relaxed.loss(theta), relaxed.inner.loss((theta > 0).to(torch.uint8)))
    with pytest.raises(RuntimeError, match="does not require grad"):
        evaluate(relaxed, theta, gradient=True)


@pytest.mark.parametrize("function", [logistic, softplus])
def test_smooth_functions_agree_with_torch_in_value_and_slope(function):
    x = torch.tensor([-800.0, -40.0, -1.0, -1e-9, 0.0, 1e-9, 2.0, 40.0, 800.0], dtype=torch.float64, requires_grad=True)
    theirs = {logistic: torch.sigmoid, softplus: torch.nn.functional.softplus}[function]
    ours, expected = function(x), theirs(x)
    torch.testing.assert_close(ours, expected, rtol=1e-14, atol=1e-18)
    slopes = [torch.autograd.grad(y.sum(), x, retain_graph=True)[0] for y in (ours, expected)]
    torch.testing.assert_close(*slopes, rtol=1e-12, atol=1e-16)
