"""Landscapes: deterministic losses over (R, P, D) points. The ground floor: it knows nothing of optimizers and studies."""

from landscapes.base import Landscape
from landscapes.gaussian_field import GaussianField
from landscapes.networks.digits import Digits
from landscapes.nk import NK
from landscapes.quadratic import Quadratic

LANDSCAPES: dict[str, type[Landscape]] = {"quadratic": Quadratic, "nk": NK, "gaussian_field": GaussianField, "digits": Digits}
