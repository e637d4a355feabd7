"""Landscapes: deterministic losses over (R, P, D) points.

The ground floor: it knows nothing of optimizers and studies.
"""

from landscapes.base import Landscape
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
from landscapes.networks.autoencoder import Autoencoder
from landscapes.networks.batch_norm import BatchNorm
from landscapes.networks.contrastive import Contrastive
from landscapes.networks.digits import Digits
from landscapes.networks.linear_rnn import LinearRNN
from landscapes.networks.logistic_regression import LogisticRegression
from landscapes.networks.module import TorchModule
from landscapes.networks.norm_layer import NormLayer
from landscapes.networks.tanh_rnn import TanhRNN
from landscapes.wrappers.finite_sum import FiniteSum
from landscapes.wrappers.moving import Moving

LANDSCAPES: dict[str, type[Landscape]] = {
    # random genotypes
    "nk": NK,
    "house_of_cards": HouseOfCards,
    "mount_fuji": RoughMountFuji,
    "spin_glass": SpinGlass,
    "max_sat": MaxSat,
    "empirical": Empirical,
    # known runtimes
    "onemax": OneMax,
    "leading_ones": LeadingOnes,
    "trap": Trap,
    "royal_road": RoyalRoad,
    "jump": Jump,
    "labs": LABS,
    # biology
    "fisher": Fisher,
    "quantitative_trait": QuantitativeTrait,
    "valley_crossing": ValleyCrossing,
    # real coordinates
    "quadratic": Quadratic,
    "canyon": Canyon,
    "rosenbrock": Rosenbrock,
    "saddle": Saddle,
    "double_well": DoubleWell,
    "barrier": Barrier,
    "cosine_rugged": CosineRugged,
    "gaussian_field": GaussianField,
    "bbob": BBOB,
    "bbob_noisy": BBOBNoisy,
    # learning problems
    "digits": Digits,
    "module": TorchModule,
    "logistic_regression": LogisticRegression,
    "linear_rnn": LinearRNN,
    "tanh_rnn": TanhRNN,
    "batch_norm": BatchNorm,
    "norm_layer": NormLayer,
    "contrastive": Contrastive,
    "autoencoder": Autoencoder,
    # games
    "dirac_gan": DiracGAN,
    "biased_gan": BiasedGAN,
    "bilinear": Bilinear,
    "matching_pennies": MatchingPennies,
    # around another landscape
    "moving": Moving,
    "finite_sum": FiniteSum,
}
