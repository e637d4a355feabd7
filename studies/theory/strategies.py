"""Evolution strategies: noise of the sampled gradient, and progress on the sphere.

Step sizes and progress are normalised: sigma* = sigma D / R and phi* = D E(R - R') / R at the distance R.
"""

from __future__ import annotations

import math

import scipy
from scipy import special


def es_noise(dim: float, samples: float) -> float:
    """Noise of a sampled gradient over its length, tr Var / |g|^2: (D + 1) / n.

    Source: Nesterov and Spokoiny 2017, Found. Comput. Math. 17:527, for a linear loss.

    Range: a linear loss, n independent values, or n antithetic pairs.
    """
    return (dim + 1) / samples


def es_cosine(dim: float, samples: float) -> float:
    """Cosine of a sampled gradient with the true one: sqrt(n / (n + D + 1)).

    Source: Nesterov and Spokoiny 2017, Found. Comput. Math. 17:527, for a linear loss.

    Range: a linear loss, large D; of mean squares, so 2 % above the mean cosine at D = 50.
    """
    return math.sqrt(samples / (samples + dim + 1))


def smoothed_sine(frequency: float, sigma: float) -> float:
    """What is left of the slope of sin(w x) under N(0, sigma^2): e^(-w^2 sigma^2 / 2).

    Source: Lehman, Chen, Clune and Stanley 2018, GECCO: the loss convolved with the normal.

    Range: exact.
    """
    return math.exp(-((frequency * sigma) ** 2) / 2)


def metropolis_step(slope: float, sigma: float) -> float:
    """Mean step of Metropolis on a slope a = grad / T: -a s^2 e^(a^2 s^2 / 2) Phi(-|a| s).

    Source: Whitelam, Selin, Park and Tamblyn 2021, Nat. Commun. 12:6317; closed form for any step.

    Range: normal proposals of standard deviation s, a linear loss that rises or falls. -a s^2 / 2 for small
    |a| s, and the soft clip's limit, s / sqrt(2 pi) downwards, for large.
    """
    tail = float(special.erfcx(abs(slope) * sigma / math.sqrt(2))) / 2  # e^(a^2 s^2 / 2) Phi(-|a| s)
    return -slope * sigma**2 * tail


# the sphere -------------------------------------------------------------------------------------------------


def one_plus_one_progress(step_size: float) -> float:
    """Progress phi* of the (1+1)-ES: s e^(-s^2 / 8) / sqrt(2 pi) - s^2 / 2 [1 - Phi(s / 2)].

    Source: Rechenberg 1973, "Evolutionsstrategie"; Beyer 2001, "The theory of evolution strategies".

    Range: the sphere, D -> infinity, s = sigma D / R; largest, 0.2025, at s = 1.224.
    """
    lost = step_size**2 / 2 * float(scipy.stats.norm.sf(step_size / 2))
    return step_size * math.exp(-(step_size**2) / 8) / math.sqrt(2 * math.pi) - lost


def one_plus_one_success(step_size: float) -> float:
    """Chance that a step of the (1+1)-ES is taken: 1 - Phi(s / 2).

    Source: Rechenberg 1973, "Evolutionsstrategie"; Beyer 2001, "The theory of evolution strategies".

    Range: the sphere, D -> infinity, s = sigma D / R.
    """
    return float(scipy.stats.norm.sf(step_size / 2))


def progress_coefficient(parents: float, population: float) -> float:
    """c_(mu/mu, lambda): the mean of the mu largest of lambda standard normals.

    Source: Beyer 2001, "The theory of evolution strategies".

    Range: exact, by quadrature; 1 <= mu < lambda.
    """
    mu, size = int(parents), int(population)

    def density(t: float) -> float:
        kept = special.bdtr(
            mu - 1, size - 1, special.ndtr(-t)
        )  # fewer than mu of the others are larger
        return t * math.exp(-t * t / 2) * kept

    area = scipy.integrate.quad(density, -9, 9, limit=200)[0]
    return size / mu * float(area) / math.sqrt(2 * math.pi)


def recombination_progress(
    step_size: float, parents: float, population: float, dim: float = math.inf
) -> float:
    """Progress phi* of the (mu/mu, lambda)-ES: c s - s^2 / (2 mu), or its form at finite D.

    Source: Beyer 2001, "The theory of evolution strategies".

    Range: the sphere, s = sigma D / R; mu = 1 is the (1, lambda)-ES as D -> infinity.

    Args:
        step_size: s.
        parents: mu.
        population: lambda.
        dim: D; inf: the limit.
    """
    c, s, mu = progress_coefficient(parents, population), step_size, parents
    if math.isinf(dim):
        return c * s - s**2 / (2 * mu)
    gain = c * s * (1 + s**2 / (2 * mu * dim)) / math.sqrt(1 + s**2 / (2 * dim))
    wide = math.sqrt(1 + s**2 / (mu * dim))
    return gain / wide - dim * (wide - 1)


def csa_step_size(parents: float, population: float) -> float:
    """Step size sigma* at which cumulative adaptation rests: sqrt 2 mu c.

    Source: Arnold and Beyer 2004, IEEE Trans. Evol. Comput. 8:617.

    Range: the sphere without noise, equal weights, D -> infinity; mu c would be best.
    """
    return math.sqrt(2) * parents * progress_coefficient(parents, population)


def csa_progress(parents: float, population: float) -> float:
    """Progress phi* there: (sqrt 2 - 1) mu c^2, 83 % of the largest.

    Source: Arnold and Beyer 2004, IEEE Trans. Evol. Comput. 8:617.

    Range: the sphere without noise, equal weights, D -> infinity.
    """
    return (math.sqrt(2) - 1) * parents * progress_coefficient(parents, population) ** 2


def residual_distance(dim: float, noise: float, parents: float, population: float) -> float:
    """Distance to the optimum that noise leaves: sqrt(D s_e / (4 mu c)).

    Source: Arnold and Beyer 2002, Theor. Comput. Sci. 289:629.

    Range: f = R^2 plus N(0, s_e^2), the (mu/mu, lambda)-ES as sigma -> 0; to about 7 %.

    Args:
        dim: D.
        noise: s_e, standard deviation of the noise of a value.
        parents: mu.
        population: lambda.
    """
    return math.sqrt(dim * noise / (4 * parents * progress_coefficient(parents, population)))
