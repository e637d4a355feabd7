"""Landscapes: deterministic losses over (R, P, D) points. The ground floor: it knows nothing of optimizers and studies."""

from landscapes.base import Landscape
from landscapes.bbob.landscape import BBOB
from landscapes.bbob.noisy import BBOBNoisy
from landscapes.canyon import Canyon
from landscapes.cosine_rugged import CosineRugged
from landscapes.double_well import DoubleWell
from landscapes.empirical import Empirical
from landscapes.fisher import Fisher
from landscapes.games.biased_gan import BiasedGAN
from landscapes.games.bilinear import Bilinear
from landscapes.games.dirac_gan import DiracGAN
from landscapes.games.matching_pennies import MatchingPennies
from landscapes.gaussian_field import GaussianField
from landscapes.house_of_cards import HouseOfCards
from landscapes.jump import Jump
from landscapes.labs import LABS
from landscapes.leading_ones import LeadingOnes
from landscapes.max_sat import MaxSat
from landscapes.mount_fuji import RoughMountFuji
from landscapes.moving import Moving
from landscapes.networks.autoencoder import Autoencoder
from landscapes.networks.batch_norm import BatchNorm
from landscapes.networks.contrastive import Contrastive
from landscapes.networks.digits import Digits
from landscapes.networks.linear_rnn import LinearRNN
from landscapes.networks.logistic import LogisticRegression
from landscapes.networks.module import TorchModule
from landscapes.networks.tanh_rnn import TanhRNN
from landscapes.nk import NK
from landscapes.onemax import OneMax
from landscapes.quadratic import Quadratic
from landscapes.quantitative_trait import QuantitativeTrait
from landscapes.rosenbrock import Rosenbrock
from landscapes.royal_road import RoyalRoad
from landscapes.saddle import Saddle
from landscapes.spin_glass import SpinGlass
from landscapes.trap import Trap
from landscapes.valley_crossing import ValleyCrossing

LANDSCAPES: dict[str, type[Landscape]] = {
    "quadratic": Quadratic,
    "nk": NK,
    "gaussian_field": GaussianField,
    "digits": Digits,
    "module": TorchModule,
    "logistic_regression": LogisticRegression,
    "linear_rnn": LinearRNN,
    "tanh_rnn": TanhRNN,
    "batch_norm": BatchNorm,
    "contrastive": Contrastive,
    "autoencoder": Autoencoder,
    "dirac_gan": DiracGAN,
    "biased_gan": BiasedGAN,
    "bilinear": Bilinear,
    "matching_pennies": MatchingPennies,
    "moving": Moving,
    "house_of_cards": HouseOfCards,
    "mount_fuji": RoughMountFuji,
    "empirical": Empirical,
    "valley_crossing": ValleyCrossing,
    "spin_glass": SpinGlass,
    "max_sat": MaxSat,
    "onemax": OneMax,
    "leading_ones": LeadingOnes,
    "trap": Trap,
    "royal_road": RoyalRoad,
    "labs": LABS,
    "jump": Jump,
    "quantitative_trait": QuantitativeTrait,
    "canyon": Canyon,
    "bbob_noisy": BBOBNoisy,
    "cosine_rugged": CosineRugged,
    "double_well": DoubleWell,
    "fisher": Fisher,
    "rosenbrock": Rosenbrock,
    "saddle": Saddle,
    "bbob": BBOB,
}
