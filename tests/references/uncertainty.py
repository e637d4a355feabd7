"""The measure of uncertainty of Hansen et al. 2009, one value after another."""

import numpy as np


def between(everything, a, b):
    """How many values lie strictly between two."""
    return sum(min(a, b) < value < max(a, b) for value in everything)


def accepted(others, value, theta):
    """The 50 theta-th percentile of |r - R|, r = 1 .. 2 P - 1, R the rank of a value among the others."""
    rank = 1 + sum(other < value for other in others)
    steps = [abs(r - rank) for r in range(1, len(others) + 2)]
    return np.percentile(steps, 50 * theta, method="hazen")


def mean_rank(everything, value):
    """The rank of a value, the mean rank of those that equal it."""
    equal = [place for place, other in enumerate(sorted(everything), 1) if other == value]
    return sum(equal) / len(equal)


def measured(first, anew, theta):
    """-> s, and the points from best to worst."""
    second = anew + first[len(anew) :]
    everything, moved, s = first + second, [], []
    for i, (a, b) in enumerate(zip(first, second, strict=True)):
        moved.append(between(everything, a, b))
        without = first[:i] + first[i + 1 :] + second[:i] + second[i + 1 :]
        s.append(2 * moved[i] - accepted(without, a, theta) - accepted(without, b, theta))
        if i + 1 == len(anew):
            break
    typical = sum(moved) / len(anew)

    def key(i):
        a, b = first[i], second[i]
        ranks = mean_rank(everything, a) + mean_rank(everything, b)
        return ranks, moved[i] if i < len(anew) else typical, (a + b) / 2

    return sum(s) / len(anew), sorted(range(len(first)), key=key)


def treated(times, s, growth, largest):
    """The evaluations of a point in the next step, a real number, and whether sigma grows."""
    if s <= 0:
        return max(times / growth, 1.0), False
    return min(times * growth, float(largest)), times >= largest
