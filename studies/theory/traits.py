"""Traits under selection: intensities, responses, and variance at rest."""

from __future__ import annotations

import math

import scipy
from scipy import special


def truncation_intensity(truncation: float, population: float = math.inf) -> float:
    """Mean of the best share a of normals: i = phi(x) / a, less (1 - a) / [2 a (N + 1) i].

    Source: Falconer 1960; of finite N Burrows 1972, Biometrics 28:1091.

    Range: 0 < a < 1, in standard deviations of the trait.
    """
    endless = float(scipy.stats.norm.pdf(scipy.stats.norm.isf(truncation))) / truncation
    if math.isinf(population):
        return endless
    return endless - (1 - truncation) / (2 * truncation * (population + 1) * endless)


def tournament_intensity(tournament: float) -> float:
    """Mean of the largest of k standard normals: 0.564, 0.846, 1.029 for k = 2, 3, 4.

    Source: Blickle and Thiele 1996, Evol. Comput. 4:361.

    Range: exact, by quadrature; entrants drawn from an infinite population.
    """
    k = tournament

    def density(x: float) -> float:
        return x * math.exp(-x * x / 2) * k * special.ndtr(x) ** (k - 1)

    return float(scipy.integrate.quad(density, -9, 9, limit=200)[0]) / math.sqrt(2 * math.pi)


def breeders_response(heritability: float, intensity: float, deviation: float = 1.0) -> float:
    """Change of the mean trait in a generation: h^2 i s.

    Source: Lush 1937; Falconer 1960, "Introduction to quantitative genetics".

    Range: a normal trait of standard deviation s, of whose variance the share h^2 is additive.
    """
    return heritability * intensity * deviation


def bulmer_variance(
    genic_variance: float, truncation: float, environmental_variance: float = 0.0
) -> float:
    """Additive variance under truncation selection: the root of (1 + k) V^2 + (E - V0) V - V0 E.

    Source: Bulmer 1971, Am. Nat. 105:201: V' = V (1 - k h^2) / 2 + V0 / 2, h^2 = V / (V + E), k = i (i - x).

    Range: the infinitesimal model, sexual, a share a selected; V0 at linkage equilibrium.
    """
    i, x = truncation_intensity(truncation), float(scipy.stats.norm.isf(truncation))
    lead = 1 + i * (i - x)
    half = (environmental_variance - genic_variance) / 2
    return (math.sqrt(half**2 + lead * genic_variance * environmental_variance) - half) / lead


def lande_response(variance: float, distance: float, width: float) -> float:
    """Change of the mean trait in a generation: V d / (V + w^2).

    Source: Lande 1976, Evolution 30:314.

    Range: Gaussian fitness of width w about an optimum at the distance d, a normal trait, N -> infinity.
    """
    return variance * distance / (variance + width**2)


def mutation_variance(mutation_sigma: float, width: float) -> float:
    """Variance at rest after mutation: V* = [Vm + sqrt(Vm^2 + 4 Vm w^2)] / 2, Vm = sigma^2.

    Source: the root of V w^2 / (V + w^2) + Vm = V; Lynch, Gabriel and Wood 1991, Limnol. Oceanogr. 36:1301.

    Range: asexual, Gaussian fitness of width w and normal mutations, N -> infinity.
    """
    new = mutation_sigma**2
    return (new + math.sqrt(new**2 + 4 * new * width**2)) / 2


def moving_lag(speed: float, variance: float, width: float) -> float:
    """Distance at which the mean trait follows a moving optimum: v (V + w^2) / V.

    Source: Lynch, Gabriel and Wood 1991, Limnol. Oceanogr. 36:1301: the lag at which the response is v.

    Range: speed v a generation, Gaussian fitness of width w, a normal trait of variance V, N -> infinity.
    """
    return speed * (variance + width**2) / variance


def finite_response(s: float, variance: float, population: float) -> float:
    """Mean response of a finite sample: s V (1 - e^(s^2 V) / N).

    Source: the delta method on E[sum w z / sum w], w = e^(s z).

    Range: N fresh normals of variance V; to 2 % where e^(s^2 V) / N < 0.15.
    """
    return s * variance * (1 - math.exp(s**2 * variance) / population)


def onemax_proportional(n: float, steps: float, frequency: float = 0.5) -> float:
    """Share of ones under proportional selection: 1 - (1 - p)(1 - 1/n)^t.

    Source: Muehlenbein and Schlierkamp-Voosen 1993, Evol. Comput. 1:25.

    Range: fitness the number of ones, linkage equilibrium, N well above n.
    """
    return 1 - (1 - frequency) * (1 - 1 / n) ** steps


def onemax_truncation(n: float, steps: float, truncation: float) -> float:
    """Share of ones under truncation selection: [1 + sin(I t / sqrt n)] / 2, from one half; then 1.

    Source: Muehlenbein and Schlierkamp-Voosen 1993, Evol. Comput. 1:25.

    Range: fitness the number of ones, linkage equilibrium, N well above n.
    """
    angle = truncation_intensity(truncation) * steps / math.sqrt(n)
    return (1 + math.sin(min(angle, math.pi / 2))) / 2
