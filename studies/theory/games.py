"""Gradient play in two-player games: what circles, runs away or comes to rest."""

from __future__ import annotations

import cmath
import math

SLOPE = 0.5  # f'(0) of the logistic Dirac-GAN


def dirac_modulus(learning_rate: float, slope: float = SLOPE, gamma: float = 0.0) -> float:
    """Factor per step of simultaneous play near the equilibrium of a Dirac-GAN: |1 + e l|.

    l = -g / 2 +- sqrt(g^2 / 4 - f'^2); without R1 (g = 0) sqrt(1 + e^2 f'^2).

    Source: Mescheder, Geiger and Nowozin 2018, ICML (arXiv:1801.04406).

    Range: linearised; f' = 1/2 for the logistic activation, 1 for the linear one. Alternating play has 1.
    """
    return max(abs(1 + learning_rate * root) for root in _flow(slope, gamma))


def dirac_limit(slope: float = SLOPE, gamma: float = 0.0) -> float:
    """Largest stable learning rate of simultaneous play: min of -2 Re l / |l|^2; 0 without R1.

    Source: Mescheder, Geiger and Nowozin 2018, ICML (arXiv:1801.04406); |1 + e l| = 1.

    Range: a Dirac-GAN, linearised.
    """
    return min(-2 * root.real / abs(root) ** 2 for root in _flow(slope, gamma))


def _flow(slope: float, gamma: float) -> tuple[complex, complex]:
    """Both eigenvalues of the flow."""
    bend = cmath.sqrt(gamma**2 / 4 - slope**2)
    return -gamma / 2 + bend, -gamma / 2 - bend


def bilinear_modulus(learning_rate: float, coupling: float = 1.0) -> float:
    """Factor per step of simultaneous play in x' A y: sqrt(1 + e^2 s^2), s the largest singular value.

    Source: Gidel et al. 2019, AISTATS (arXiv:1807.04740).

    Range: exact.
    """
    return math.hypot(1.0, learning_rate * coupling)


def extragradient_modulus(learning_rate: float, coupling: float = 1.0) -> float:
    """Factor per step of extragradient along one singular value: sqrt((1 - e^2 s^2)^2 + e^2 s^2).

    Source: Gidel et al. 2019, ICLR (arXiv:1802.10551).

    Range: exact; below 1 where e s < 1.
    """
    turn = (learning_rate * coupling) ** 2
    return math.sqrt((1 - turn) ** 2 + turn)


def spurious_fixed_point(beta: float, kappa: float, gamma: float) -> float:
    """Place theta of the spurious rest of the kind biased_gan: theta = b g tanh(k theta); 0 up to b k g = 1.

    Source: the field's zero; a pitchfork at b k g = 1.

    Range: exact; psi = theta / g there.
    """
    if beta * kappa * gamma <= 1:
        return 0.0
    from scipy.optimize import brentq

    far = beta * gamma
    near = math.sqrt(3 * (1 - 1 / (far * kappa))) / kappa / 2  # below the root: tanh x > x - x^3 / 3
    return float(brentq(lambda theta: far * math.tanh(kappa * theta) - theta, near, far, xtol=1e-15))
