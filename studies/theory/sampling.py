"""Means of samples: how often they miss, and what is left of a bias."""

from __future__ import annotations

import math

import scipy

C_BERRY_ESSEEN = 0.4748


def chebyshev_batch(noise_scale: float, epsilon: float, delta: float) -> float:
    """Batch whose mean misses by epsilon with a chance of at most delta: s^2 / (epsilon^2 delta).

    Source: Chebyshev 1867, J. Math. Pures Appl. 12:177.

    Range: any terms of standard deviation s; far from sharp for most.
    """
    return noise_scale**2 / (epsilon**2 * delta)


def normal_batch(noise_scale: float, epsilon: float, delta: float) -> float:
    """Batch that would do if its mean were normal: (z s / epsilon)^2, z the quantile of 1 - delta / 2.

    Source: the central limit theorem.

    Range: many terms of standard deviation s without heavy tails.
    """
    return (scipy.stats.norm.isf(delta / 2) * noise_scale / epsilon) ** 2


def chebyshev_miss(noise_scale: float, batch: float, epsilon: float) -> float:
    """Bound of the chance that a batch mean misses by epsilon: s^2 / (B epsilon^2), at most 1.

    Source: Chebyshev 1867, J. Math. Pures Appl. 12:177.

    Range: any terms of standard deviation s, drawn with replacement.
    """
    return min(noise_scale**2 / (batch * epsilon**2), 1.0)


def normal_miss(noise_scale: float, batch: float, epsilon: float) -> float:
    """Chance that a batch mean misses by epsilon, if it is normal: 2 [1 - Phi(epsilon sqrt B / s)].

    Source: the central limit theorem.

    Range: exact for normal terms; else many terms and misses of few standard deviations.
    """
    return math.erfc(epsilon * math.sqrt(batch / 2) / noise_scale)


def edgeworth_miss(
    noise_scale: float,
    batch: float,
    epsilon: float,
    skewness: float = 0.0,
    excess_kurtosis: float = 0.0,
) -> float:
    """Chance of a miss, to order 1 / B: 2 [1 - Phi(z)] + 2 phi(z) [k4 He3(z) / 24 + k3^2 He5(z) / 72] / B.

    Source: Feller 1971, "An introduction to probability theory and its applications", volume 2, XVI.4.

    Range: terms with a density and four moments, z = epsilon sqrt B / s of few standard deviations.

    Args:
        noise_scale: s, standard deviation of a term.
        batch: B, terms in a mean.
        epsilon: the miss, > 0.
        skewness: k3 of a term.
        excess_kurtosis: k4 of a term; 0: that of a normal.
    """
    z = epsilon * math.sqrt(batch) / noise_scale
    he3 = z**3 - 3 * z
    he5 = z**5 - 10 * z**3 + 15 * z
    bent = (excess_kurtosis * he3 / 24 + skewness**2 * he5 / 72) / batch
    return normal_miss(noise_scale, batch, epsilon) + 2 * float(scipy.stats.norm.pdf(z)) * bent


def exponential_miss(noise_scale: float, batch: float, epsilon: float) -> float:
    """Chance that a mean of B exponential terms is off by epsilon: that of a gamma law of shape B.

    Source: Johnson, Kotz and Balakrishnan 1994, "Continuous univariate distributions", volume 1, chapter 17.

    Range: exact; terms of skewness 2, moved to mean 0, of standard deviation s. `theory:edgeworth_miss` is
    its expansion.
    """
    off = epsilon * batch / noise_scale
    law = scipy.stats.gamma(batch)
    return float(law.sf(batch + off) + law.cdf(batch - off))


def berry_esseen(noise_scale: float, batch: float, third_moment: float) -> float:
    """Largest error of the normal law of a batch mean: 0.4748 E|x|^3 / (s^3 sqrt B).

    Source: Shevtsova 2011, arXiv:1111.6554.

    Range: a bound on |P(mean / error <= z) - Phi(z)| for every z; terms of mean 0.
    """
    return C_BERRY_ESSEEN * third_moment / (noise_scale**3 * math.sqrt(batch))


def misranked(noise_scale: float, batch: float, difference: float) -> float:
    """Chance that noise ranks two points the wrong way round: arctan(sqrt(2 / B) s / d) / pi.

    The mean of Phi(-|x| sqrt(B / 2) / s) over their difference x ~ N(0, d^2).

    Source: Sheppard 1899, Phil. Trans. A 192:101; of Phi: Hansen, Niederberger, Guzzella and Koumoutsakos
    2009, IEEE Trans. Evol. Comput. 13:180.

    Range: exact for normal noise; s that of a term, each point seen in B terms of its own.

    Args:
        noise_scale: s, standard deviation of a term's value.
        batch: B, terms or evaluations of each point.
        difference: d, standard deviation of the difference of the two points' true values.
    """
    return math.atan2(math.sqrt(2 / batch) * noise_scale, difference) / math.pi


def u_statistic_variance(batch: float, first: float, second: float) -> float:
    """Variance of a mean over pairs of a batch: 2 [2 (B - 2) z1 + z2] / [B (B - 1)].

    Source: Hoeffding 1948, Ann. Math. Stat. 19:293, equation 5.13.

    Range: a symmetric kernel; z1 the variance of its mean given one member, z2 its variance.
    """
    return 2 * (2 * (batch - 2) * first + second) / (batch * (batch - 1))


def infonce_bias(samples: float, variance: float, mean: float) -> float:
    """Bias of the logarithm of a mean of weights: -Var w / (2 K (E w)^2).

    Source: the delta method; of InfoNCE (Oord, Li and Vinyals 2018) the weights are e^score.

    Range: K independent weights, to order 1 / K.
    """
    return -variance / (2 * samples * mean**2)


def infonce_bound(samples: float) -> float:
    """Most information, in nats, that InfoNCE can show: ln K.

    Source: Poole, Ozair, Oord, Alemi and Tucker 2019, ICML.

    Range: K counts the positive.
    """
    return math.log(samples)


def clipped_normal(mean: float, noise_scale: float, clip: float) -> float:
    """Mean of a normal that is clipped to [-c, c]: of N(m, s^2), in closed form.

    Source: the mean of a truncated normal; s [phi(a) - phi(b)] + m [Phi(b) - Phi(a)] + c [Phi(a) .. Phi(-b)].

    Range: exact; a = (-c - m) / s, b = (c - m) / s.
    """
    low, high = (-clip - mean) / noise_scale, (clip - mean) / noise_scale
    inside = mean * (scipy.stats.norm.cdf(high) - scipy.stats.norm.cdf(low))
    inside += noise_scale * (scipy.stats.norm.pdf(low) - scipy.stats.norm.pdf(high))
    return float(inside + clip * (scipy.stats.norm.sf(high) - scipy.stats.norm.cdf(low)))
