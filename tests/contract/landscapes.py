"""Small examples of every kind of landscape, and what the tests of the contract ask of each."""

from dataclasses import is_dataclass
from pathlib import Path

import torch

from landscapes.base import Reals, Terms
from landscapes.bbob.landscape import BBOB
from landscapes.bbob.noisy import BBOBNoisy
from landscapes.binary.empirical import Empirical
from landscapes.binary.house_of_cards import HouseOfCards
from landscapes.binary.jump import Jump
from landscapes.binary.labs import LABS
from landscapes.binary.leading_ones import LeadingOnes
from landscapes.binary.max_sat import MaxSat
from landscapes.binary.mount_fuji import RoughMountFuji
from landscapes.binary.nk import NK
from landscapes.binary.onemax import OneMax
from landscapes.binary.quantitative_trait import QuantitativeTrait
from landscapes.binary.royal_road import RoyalRoad
from landscapes.binary.spin_glass import SpinGlass
from landscapes.binary.trap import Trap
from landscapes.binary.valley_crossing import ValleyCrossing
from landscapes.continuous.barrier import Barrier
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
from landscapes.keyed import Keyed
from landscapes.networks.autoencoder import Autoencoder
from landscapes.networks.batch_norm import BatchNorm
from landscapes.networks.contrastive import Contrastive
from landscapes.networks.digits import Digits
from landscapes.networks.linear_rnn import LinearRNN
from landscapes.networks.logistic_regression import LogisticRegression
from landscapes.networks.module import TorchModule
from landscapes.networks.norm_layer import NormLayer
from landscapes.networks.tanh_rnn import TanhRNN
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams
from landscapes.wrappers.finite_sum import FiniteSum
from landscapes.wrappers.moving import Moving
from landscapes.wrappers.relaxation import Relaxation
from tests.support.each import each

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
    "gaussian_field-power": GaussianField(
        dim=3, waves=7, spectrum="power_law", exponent=1.7, inner=0.3
    ),
    "fisher": Fisher(
        dim=5, selection_condition=30.0, mutation_condition=5.0, shifted=True, epistasis=3.0
    ),
    "fisher-isotropic": Fisher(dim=3, starts="box"),
    "cosine_rugged": CosineRugged(dim=5, rotated=True, shifted=True),
    "cosine_rugged-1d": CosineRugged(dim=1),
    "double_well": DoubleWell(dim=5, rotated=True, terms=11, tilt=0.3),
    "double_well-1d": DoubleWell(dim=1, tilt=0.0, terms=3, starts="wrong_well", spread=0.1),
    "barrier": Barrier(dim=3, height=0.7, distance=5.0, curvature=2.0, spread=0.9),
    "barrier-1d": Barrier(step=0.0),
    "bbob_noisy": BBOBNoisy(function=106, dim=3),
    "bbob_noisy-powers": BBOBNoisy(function=119, dim=5),
    "canyon": Canyon(dim=5, rotated=True, shifted=True),
    "canyon-2d": Canyon(dim=2),
    "rosenbrock": Rosenbrock(dim=5, box=1.0),
    "saddle": Saddle(
        dim=5, unstable=2, rotated=True, starts="box", terms=11, condition=3.0, noise="inverse_hessian"
    ),
    "saddle-confined": Saddle(
        dim=3, unstable=2, condition=3.0, confinement=2.0, rotated=True, starts="box"
    ),
    "digits": Digits(hidden=3),
    "digits-relu": Digits(hidden=1, activation="relu"),
    "module": TorchModule(
        module="tests.support.networks:mlp",
        data="tests.support.networks:labelled",
        held_out="tests.support.networks:HELD_OUT",
    ),
    "module-convolution": TorchModule(
        module="tests.support.networks:Convolution", data="tests.support.networks:pictures"
    ),
    "module-batch_norm": TorchModule(
        module="tests.support.networks:normalised", data="tests.support.networks:ROWS"
    ),
    "module-constants": TorchModule(
        module="tests.support.networks:RandomFeatures", data="tests.support.networks:PAIR"
    ),
    "logistic_regression": LogisticRegression(features=3, examples=23),
    "linear_rnn": LinearRNN(units=3, steps=7, gain=0.9, spread=0.3),
    "linear_rnn-1": LinearRNN(steps=20),
    "tanh_rnn": TanhRNN(units=3, steps=5, sequences=13),
    "batch_norm": BatchNorm(hidden=1),
    "batch_norm-fixed": BatchNorm(hidden=1, activation="tanh", statistics="fixed"),
    "norm_layer": NormLayer(examples=13, common=0.5),
    "norm_layer-fixed": NormLayer(examples=7, statistics="fixed"),
    "contrastive": Contrastive(features=3, embedding=2, pairs=13),
    "contrastive-pairwise": Contrastive(objective="pairwise", features=1, embedding=1, pairs=13),
    "autoencoder": Autoencoder(hidden=1, bottleneck=1),
    "house_of_cards": HouseOfCards(n=7, law="gumbel"),
    "house_of_cards-long": HouseOfCards(n=200, law="normal"),
    "mount_fuji": RoughMountFuji(n=9, slope_spread=0.5),
    "empirical": Empirical(scale="log_ratio"),
    "empirical-letters": Empirical(file=str(Path(__file__).parents[1] / "support/letters.csv")),
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
    "finite_sum": FiniteSum(inner=CosineRugged(dim=3, shifted=True), terms=11, law="exponential"),
    "finite_sum-bursts": FiniteSum(inner=Quadratic(dim=2), terms=5, noise_axes=(0.0, 2.0), burst=3.0),
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
    "relaxation-lovasz": Relaxation(inner=NK(n=7, k=3), mode="lovasz"),
}
REAL = [kind for kind, landscape in KINDS.items() if isinstance(landscape.domain, Reals)]
SMOOTH = [kind for kind in REAL if kind != "relaxation-threshold"]
ADDITIVE = [kind for kind, landscape in KINDS.items() if landscape.additive]
TOGETHER = [kind for kind in KINDS if kind not in ADDITIVE]
EXTENDED = [
    kind
    for kind, landscape in KINDS.items()
    if landscape.extension_cost is not None and kind not in REAL
]
DTYPES = [torch.float64, torch.float32]
WORLDS = torch.arange(8)
SOME = torch.tensor([5, 2])

kinds = each("kind", KINDS)
dtypes = each("dtype", DTYPES, ids=str)
DOUBLE, SINGLE = DTYPES
PAIRS = [(DOUBLE, 1), (SINGLE, 3), (DOUBLE, 17)]  # each dtype and each number of points


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
    return any(
        a.shape != b.shape or (a != b).any()
        for a, b in zip(*(tables(bound(kind, [w])) for w in (4, 1)), strict=True)
    )


def everything(landscape, worlds, dtype, count):
    """All that a landscape computes for these worlds."""
    x = starts(landscape, count, worlds, dtype)
    found = {"start": x, "solution": landscape.solution_loss(x)}
    for name, terms in (
        ("whole", None),
        *((f"batch {rows}", batch(landscape, rows, 5, worlds, dtype)) for rows in (1, count)),
    ):
        found[f"loss {name}"] = landscape.loss(x, terms)
        if x.is_floating_point() and "threshold" not in str(landscape):
            found[f"gradient {name}"] = evaluate(landscape, x, terms, gradient=True).gradient
        if landscape.extension_cost is not None and not x.is_floating_point():
            found[f"extension {name}"] = landscape.extension(
                streams(worlds, dtype).uniform("evaluation", x.shape[1:]), terms
            )
    return found | landscape.measures(x[:, 0])
