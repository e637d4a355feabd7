"""Naive loops of coevolving populations and the exact chain of two small ones. Import nothing of ours."""

import numpy as np

from tests.references.population_genetics import binomial


def encounters(order, rounds):
    """Who meets: one list of individuals, one of each player, for each encounter, round after round.

    Order[j] is how population j lines up.
    """
    n = len(order[0])
    return [
        [own[(place + c * j) % n] for j, own in enumerate(order)]
        for c in range(rounds)
        for place in range(n)
    ]


def mean_losses(met, losses, n):
    """The mean loss of each individual of each player over its encounters.

    Losses[e][j] is player j's loss in encounter e.
    """
    found = []
    for j in range(len(met[0])):
        own = [[] for _ in range(n)]
        for who, loss in zip(met, losses, strict=True):
            own[who[j]].append(loss[j])
        found.append([sum(x) / len(x) for x in own])
    return found


# matching pennies between two populations of pure strategies, fitness w = 1 - s L ---------------------------


def pennies(u, v, s):
    """One generation of infinite populations in u = 2 p - 1, v = 2 q - 1."""
    return (u + s * v) / (1 + s * u * v), (v - s * u) / (1 - s * u * v)


def first_loss(n, s):
    """Mean generations until one of two populations of n has lost a strategy, from half and half, by the chain of (n + 1)^2 states."""
    inner = [(i, j) for i in range(1, n) for j in range(1, n)]
    matrix = np.empty((len(inner), len(inner)))
    for row, (i, j) in enumerate(inner):
        u, v = pennies(2 * i / n - 1, 2 * j / n - 1, s)
        matrix[row] = np.outer(binomial(n, (1 + u) / 2)[1:-1], binomial(n, (1 + v) / 2)[1:-1]).ravel()
    return np.linalg.solve(np.eye(len(inner)) - matrix, np.ones(len(inner)))[
        inner.index((n // 2, n // 2))
    ]
