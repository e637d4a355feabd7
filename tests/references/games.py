"""Games in plain Python, written from their definitions. They import nothing of ours."""

import itertools
import math


def dirac_gan(theta, psi, gamma, sigma, logistic, saturating):
    """Losses of generator and discriminator.

    The mean over instance noise by a fine sum over +-10 standard deviations.
    """

    def f(t):
        return -math.log(1 + math.exp(-t)) if logistic else t

    def mean(g):
        if not sigma:
            return g(0.0)
        places = [i / 200 for i in range(-2000, 2001)]
        masses = [math.exp(-z * z / 2) for z in places]
        return sum(m * g(sigma * z) for m, z in zip(masses, places, strict=True)) / sum(masses)

    objective = mean(lambda e: f(psi * (theta + e))) + mean(lambda e: f(-psi * e))
    generator = objective if saturating else -mean(lambda e: f(-psi * (theta + e)))
    return generator, -objective + gamma / 2 * psi * psi


def biased_field(theta, psi, beta, kappa, gamma):
    """Velocity of generator and discriminator."""
    return -psi + beta * math.tanh(kappa * theta), theta - gamma * psi


def bilinear(x, y, matrix, regularisation):
    """Losses of the two players, their strategies counted from the equilibrium."""
    meeting = sum(x[i] * matrix[i][j] * y[j] for i in range(len(x)) for j in range(len(y)))
    own = [regularisation / 2 * sum(a * a for a in strategy) for strategy in (x, y)]
    return meeting + own[0], -meeting + own[1]


def pennies(p, q):
    """Mean losses of the two players: the first wins 1 where the faces match, else the second does."""
    first = 0.0
    for a, b in itertools.product((0, 1), repeat=2):
        chance = (p if a else 1 - p) * (q if b else 1 - q)
        first += chance * (-1 if a == b else 1)
    return first, -first


def pennies_gain(p, q):
    """What both players together would gain by their best pure replies."""
    now = pennies(p, q)
    return (
        now[0] - min(pennies(a, q)[0] for a in (0, 1)) + now[1] - min(pennies(p, b)[1] for b in (0, 1))
    )
